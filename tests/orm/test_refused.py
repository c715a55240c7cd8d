"""What querysets refuse, and that each refusal says what to write instead."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import NotSupported
from planhat_orm.models import Company
from planhat_orm.orm.manager import Manager
from planhat_orm.orm.refused import AWAITED, READY, Refused

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

NAMES = sorted(name for name in vars(Refused) if not name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_says_what_to_write_instead(planhat_sandbox: Sandbox, name: str) -> None:
    with (
        planhat_sandbox.assert_requests(0),
        pytest.raises(NotSupported, match=r"\w+\(.*\)|company__in=|leave select_related out|sends nothing"),
    ):
        getattr(Company.objects.filter(name="Acme"), name)()


#: The methods of Django 5 and 6 that a queryset or a manager of its has, but for those that are awaited.
DJANGOS = {
    *("filter", "exclude", "annotate", "alias", "order_by", "reverse", "distinct", "values", "values_list", "dates"),
    *("datetimes", "none", "all", "union", "intersection", "difference", "extra"),
    *("defer", "only", "using", "select_for_update", "raw", "get", "create", "get_or_create", "update_or_create"),
    *("bulk_create", "bulk_update", "count", "in_bulk", "iterator", "latest", "earliest", "first", "last", "aggregate"),
    *("exists", "contains", "update", "delete", "as_manager", "explain", "complex_filter", "resolve_expression"),
}


def test_each_method_of_django_is_there_or_is_refused() -> None:
    missing = {name for name in DJANGOS | {f"a{name}" for name in AWAITED} if not hasattr(Manager, name)}
    assert missing == set()


def test_what_is_refused_is_not_there_as_well() -> None:
    kept = {name for name in NAMES if getattr(Manager, name) is not vars(Refused)[name]}
    assert kept == set()
    assert all(hasattr(Manager, name) and name not in NAMES for name in READY)


@pytest.mark.parametrize("name", AWAITED)
def test_nothing_is_awaited(planhat_sandbox: Sandbox, name: str) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match=r"threads|sends nothing"):
        getattr(Company.objects, f"a{name}")("Acme", name="Acme")


def test_querysets_are_not_joined(planhat_sandbox: Sandbox) -> None:
    one: Any = Company.objects.filter(name="Acme")
    with planhat_sandbox.assert_requests(0):
        for join in (operator.or_, operator.and_, operator.xor):
            with pytest.raises(NotSupported, match=r"Q\(\.\.\.\) \| Q"):
                join(one, one)


def test_iterator_takes_no_size_of_chunks(planhat_sandbox: Sandbox) -> None:
    objects: Any = Company.objects
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match=r"chunk_size: .* chunks\(n\)"):
        objects.iterator(chunk_size=2000)


def test_values_list_makes_no_named_tuples(planhat_sandbox: Sandbox) -> None:
    objects: Any = Company.objects
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match=r"named: .* values\(\.\.\.\)"):
        objects.values_list("name", named=True)


def test_arguments_do_not_matter_to_a_refusal() -> None:
    with pytest.raises(NotSupported, match="in a loop"):
        Company.objects.update(name="Acme")


def test_the_reference_shows_what_is_refused_apart() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/querysets.md").read_text(encoding="utf-8")
    apart, unsaid = (set(line.split(": ")[1].split(", ")) for line in page.splitlines() if "exclude-members" in line)
    assert apart == set(NAMES)
    assert unsaid == {f"a{name}" for name in AWAITED}


def test_an_unknown_name_is_suggested(planhat_sandbox: Sandbox) -> None:
    objects: Any = Company.objects
    with planhat_sandbox.assert_requests(0):
        assert not hasattr(objects, "fitler")
        with pytest.raises(AttributeError, match=r"no 'fitler'; did you mean 'filter'\?"):
            objects.all().fitler(name="Acme")
        with pytest.raises(AttributeError, match=r"no 'add': set the link of each record"):
            objects.add(Company(name="Acme"))
        with pytest.raises(AttributeError, match=r"no 'to_csv': not built yet; csv\.DictWriter"):
            objects.to_csv("companies.csv")
        with pytest.raises(AttributeError, match=r"no 'length': .* count\(\)"):
            objects.length  # noqa: B018
        with pytest.raises(AttributeError, match=r"no 'zzzzz'$"):
            objects.zzzzz  # noqa: B018


def test_consoles_complete_no_name_that_is_refused(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0):
        for objects in (Company.objects, Company.objects.filter(name="Acme")):
            assert {"filter", "changed_since", "cost", "show"} <= {*dir(objects)}
            assert {*dir(objects)}.isdisjoint(NAMES)


def test_values_come_last(planhat_sandbox: Sandbox) -> None:
    values: Any = Company.objects.values("name")
    with planhat_sandbox.assert_requests(0):
        for name in ("filter", "order_by", "only", "get", "distinct", "annotate"):
            with pytest.raises(AttributeError, match=rf"{name}\(.*\) comes before values\(\)|distinct values"):
                getattr(values, name)
        with pytest.raises(AttributeError, match=r"no bookmark: loop over the records"):
            values.bookmark  # noqa: B018
        with pytest.raises(AttributeError, match=r"no to_dicts\(\): list\(values"):
            values.to_dicts()
        with pytest.raises(AttributeError, match=r"no 'cuont'; did you mean 'count'\?"):
            values.cuont()
