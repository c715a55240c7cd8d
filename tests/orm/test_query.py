"""The description of what is wanted: slices compose as those of a list do."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery
from planhat_orm.models import Company
from planhat_orm.orm.query import Query, check_index

ends = st.none() | st.integers(0, 12)
slices = st.lists(st.tuples(ends, ends), max_size=4)


@given(slices=slices, length=st.integers(0, 10))
def test_slices_of_slices_are_those_of_a_list(slices: list[tuple[int | None, int | None]], length: int) -> None:
    expected, query = list(range(length)), Query(Company)
    for start, stop in slices:
        expected, query = expected[start:stop], query.window(start, stop)
    assert list(range(length))[query.start : query.stop] == expected
    assert query.stop is None or query.stop >= query.start


@pytest.mark.parametrize("index", [-1, "1", 1.5, True, (1,)])
def test_a_slice_takes_whole_numbers_from_zero_on(index: Any) -> None:
    with pytest.raises(InvalidQuery):
        Query(Company).window(index, None)
    with pytest.raises(InvalidQuery):
        Query(Company).window(None, index)


def test_whatever_is_a_whole_number_is_an_index() -> None:
    class Three:
        def __index__(self) -> int:
            return 3

    assert check_index(Three()) == 3
    assert check_index(None) is None


def test_a_query_is_sliced_when_it_is_a_part() -> None:
    assert not Query(Company).window(0, None).sliced
    assert Query(Company).window(0, 5).sliced
    assert Query(Company).window(5, None).sliced


def test_the_opposite_order_turns_every_key() -> None:
    assert Query(Company, order=("name", "-arr")).reversed_order().order == ("-name", "arr")
    assert Query(Company).reversed_order().order == ("-id",)


def test_a_query_is_written_as_it_would_be_made() -> None:
    query = Query(Company).filtered(Q(status="customer", arr__gte=5), Q(name="a") | Q(name="b"), Q())
    assert str(query.window(5, 10)) == (
        "Company.filter(status='customer', arr__gte=5).filter(Q(name='a') | Q(name='b'))[5:10]"
    )
    assert str(Query(Company, order=("-arr",), empty=True)) == "Company.order_by('-arr').none()"
    assert str(Query(Company).filtered(~Q(name="a"), Q("custom.Days in Phase", gte=5))) == (
        "Company.filter(~Q(name='a')).filter(Q('custom.Days in Phase', gte=5))"
    )


def test_queries_are_compared_hashed_and_pickled_by_what_they_say() -> None:
    query = Query(Company).filtered(Q(name__in=["a", "b"])).window(1, 5)
    assert query == Query(Company).filtered(Q(name__in=("a", "b"))).window(1, 5)
    assert len({query, Query(Company).filtered(Q(name__in=("a", "b"))).window(1, 5)}) == 1
    assert pickle.loads(pickle.dumps(query)) == query
