"""The order of rows: put in order here, and recognised when Planhat did it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.errors import InvalidQuery, UnknownField
from planhat_orm.models import Company
from planhat_orm.orm.ordering import begins_empty, fits, in_order, is_ordered, order_of, said_of

META = Company._meta


def rows_of(values: list[Any], key: str = "arr") -> list[dict[str, Any]]:
    return [{"_id": f"{number:024x}", key: value} for number, value in enumerate(values)]


@pytest.mark.parametrize("path", ["", "-", "?", " ", 5, None])
def test_an_order_is_a_name(path: Any) -> None:
    with pytest.raises(InvalidQuery, match="order_by"):
        order_of(META, path)


def test_an_unknown_name_is_suggested() -> None:
    with pytest.raises(UnknownField, match="external_id"):
        order_of(META, "-externalId")


def test_missing_values_come_first_and_equal_ones_by_id() -> None:
    rows = rows_of([3, None, 1, 3, "", {"a": 1}])
    in_order(rows, [order_of(META, "arr")])
    assert [row["_id"][-1] for row in rows] == ["1", "4", "2", "0", "3", "5"]
    in_order(rows, [order_of(META, "-arr")])
    assert [row["_id"][-1] for row in rows] == ["5", "0", "3", "2", "1", "4"]


def test_the_first_key_counts_most() -> None:
    rows = [
        {"_id": "1", "status": "lost", "arr": 1},
        {"_id": "2", "status": "customer", "arr": 1},
        {"_id": "3", "status": "customer", "arr": 9},
    ]
    in_order(rows, [order_of(META, "status"), order_of(META, "-arr")])
    assert [row["_id"] for row in rows] == ["3", "2", "1"]


def test_custom_fields_and_times_can_be_ordered_by() -> None:
    rows = [{"_id": "1", "custom": {"Seats": 5}}, {"_id": "2", "custom": {}}, {"_id": "3", "custom": {"Seats": 2}}]
    in_order(rows, [order_of(META, "custom.Seats")])
    assert [row["_id"] for row in rows] == ["2", "3", "1"]
    rows = rows_of(["2025-04-01T10:00:00.500Z", "2025-04-01T12:00:00+03:00", 1_600_000_000_000], "updatedAt")
    in_order(rows, [order_of(META, "updated_at")])
    assert [row["_id"][-1] for row in rows] == ["2", "1", "0"]


def test_only_one_value_of_the_record_itself_can_be_sorted_by_planhat() -> None:
    assert order_of(META, "-arr").parameter == "-arr"
    assert order_of(META, "owner").sortable
    assert not any(order_of(META, path).sortable for path in ("custom.Tier", "custom", "tags", "followers", "alerts"))
    assert order_of(META, "id").natural
    assert not order_of(META, "-id").natural


@given(values=st.lists(st.none() | st.integers(-3, 3) | st.floats(-3, 3), max_size=8), descending=st.booleans())
def test_what_is_put_in_order_here_is_recognised(values: list[Any], descending: bool) -> None:
    order = order_of(META, "-arr" if descending else "arr")
    rows = rows_of(values)
    in_order(rows, [order])
    assert is_ordered(rows, order)


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("arr", [1, 3, 2], False),
        ("arr", [1, None, 2], False),
        ("arr", [None, 1, 2], True),
        ("arr", [], True),
        ("arr", [5], True),
        # A number stored as a text stands among the texts, behind all numbers.
        ("arr", [1, 2, "1"], True),
        ("arr", [1, 2, ""], True),
        ("name", ["A", "B", "a"], True),
        ("name", ["a", "B", "c"], True),
        ("name", ["b", "a"], False),
        ("updatedAt", ["2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z"], True),
        ("updatedAt", ["2025-01-02T00:00:00Z", "2025-01-01T00:00:00Z"], False),
    ],
)
def test_an_order_is_recognised(key: str, values: list[Any], expected: bool) -> None:
    name = META.by_key[key].name
    assert is_ordered(rows_of(values, key), order_of(META, name)) is expected
    assert is_ordered(rows_of(values[::-1], key), order_of(META, f"-{name}")) is expected


@pytest.mark.parametrize(
    ("path", "values", "expected"),
    [
        ("-arr", [None, None], True),
        ("-arr", ["", None], True),
        ("-arr", [0, None], False),
        ("-arr", [], False),
        ("arr", [None, 1], False),
    ],
)
def test_a_descending_order_that_begins_without_a_value_proves_nothing(
    path: str, values: list[Any], expected: bool
) -> None:
    assert begins_empty(rows_of(values), order_of(META, path)) is expected


def test_rows_are_put_in_either_of_the_orders_that_planhat_may_give_texts() -> None:
    rows, order = rows_of(["b", "A", "c", "B"], "name"), order_of(META, "name")
    in_order(rows, [order])
    assert [row["name"] for row in rows] == ["A", "B", "b", "c"]
    assert fits(rows, order, fold=False)
    in_order(rows, [order], fold=True)
    assert [row["name"] for row in rows] == ["A", "b", "B", "c"]
    assert (fits(rows, order, fold=False), fits(rows, order, fold=True)) == (False, True)


@pytest.mark.parametrize(
    ("paths", "where"),
    [
        (["arr"], "first,"),
        (["-arr", "-custom.Tier", "id"], "last,"),
        (["name", "-arr"], "first, where it descends last,"),
    ],
)
def test_where_missing_values_stand_is_said_as_it_is(paths: list[str], where: str) -> None:
    order = [order_of(META, path) for path in paths]
    assert said_of(order) == f": values that are missing {where} texts by their characters"
    rows = [{"_id": "1"}, {"_id": "2", "name": "A", "arr": 5, "custom": {"Tier": "Gold"}}]
    in_order(rows, order)
    assert rows[-1 if where == "last," else 0]["_id"] == "1"


def test_ids_are_never_missing_and_nothing_is_said_of_them() -> None:
    assert said_of([order_of(META, "-id")]) == ""
