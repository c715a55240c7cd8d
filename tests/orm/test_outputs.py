"""values(), values_list() and show(): plain values over links, one request for each kind of thing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import InvalidQuery
from planhat_orm.models import Company, Enduser, Note, User
from planhat_orm.orm import fields
from planhat_orm.orm.outputs import cell, table_of
from planhat_orm.orm.paths import output_of

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Two users, two companies of theirs and one of nobody, a person in each."""
    owners = [planhat_sandbox.add(User, email=f"{name}@v.example", first_name=name, last_name="X") for name in "ab"]
    for n, owner in enumerate([*owners, None]):
        row = planhat_sandbox.add(
            Company,
            name=f"C{n}",
            owner=owner,
            customer_from=date(2025, 4, n + 1),
            tags=["vip"],
            custom={"Tier": n, "Days in Phase": [n]},
            followers=[owner["_id"]] if owner else [],
        )
        planhat_sandbox.add(Enduser, company=row, email=f"{n}@x.example")
    return planhat_sandbox


def test_only_what_is_named_is_asked_for(box: Sandbox) -> None:
    with box.assert_requests(1):
        rows = list(Company.objects.order_by("name").values("name", "customer_from", "custom.Days in Phase"))
    assert rows[1] == {"name": "C1", "customer_from": date(2025, 4, 2), "custom.Days in Phase": [1]}
    assert box.requests[-1].params["select"] == "_id,name,customerFrom,custom"


def test_links_are_followed_for_all_rows_at_once(box: Sandbox) -> None:
    with box.assert_requests(2):
        rows = list(Company.objects.values_list("name", "owner.email", "owner__first_name"))
    assert rows == [("C0", "a@v.example", "a"), ("C1", "b@v.example", "b"), ("C2", None, None)]
    with box.assert_requests(2):
        names = list(Enduser.objects.values_list("company.owner.email", flat=True))
    assert names == ["a@v.example", "b@v.example", None]


def test_links_themselves_are_ids_and_cost_nothing(box: Sandbox) -> None:
    with box.assert_requests(1):
        row = Company.objects.values("owner", "owner_id", "owner.id", "followers", "tags", "custom").first()
    assert row is not None
    assert row["owner"] == row["owner_id"] == row["owner.id"] == row["followers"][0]
    assert row["tags"] == ["vip"]
    assert row["custom"] == {"Tier": 0, "Days in Phase": [0]}
    row["tags"].append("changed")
    [company] = Company.objects.filter(name="C0")
    assert company.tags == ["vip"]


def test_properties_may_be_named(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert list(Company.objects.values_list("owner.name", flat=True)) == ["a X", "b X", None]
    with box.assert_requests(1):
        assert sorted(User.objects.values_list("name", flat=True)) == ["a X", "b X"]


def test_without_paths_everything_that_is_loaded(box: Sandbox) -> None:
    with box.assert_requests(1):
        rows = list(Company.objects.only("name", "owner").order_by("name").values())
    assert [sorted(row) for row in rows] == [["id", "name", "owner_id"]] * 3


def test_a_link_to_what_is_gone_is_none(box: Sandbox) -> None:
    box.add(Company, name="C3", owner="f" * 24)
    assert list(Company.objects.filter(name="C3").values_list("name", "owner.email")) == [("C3", None)]


def test_a_value_that_cannot_be_read_comes_as_it_is(box: Sandbox) -> None:
    box.add(Company, name="C3", customer_from="soon")
    assert list(Company.objects.filter(name="C3").values_list("customer_from", flat=True)) == ["soon"]


def test_declared_custom_fields_may_be_named(box: Sandbox) -> None:
    class Account(Company):
        tier: fields.Custom[int] = fields.Custom("Tier", int)

    with box.assert_requests(1):
        assert list(Account.objects.values_list("tier", flat=True)) == [0, 1, 2]
    assert box.requests[-1].params["select"] == "_id,custom"


def test_rows_are_lazy_and_behave_as_a_list(box: Sandbox) -> None:
    with box.assert_requests(0):
        rows = Company.objects.order_by("name").values_list("name", flat=True)
        part = rows[1:]
        assert "nothing fetched yet" in repr(rows)
    with box.assert_requests(1):
        assert list(rows) == ["C0", "C1", "C2"]
        assert (len(rows), bool(rows), rows[2], rows.count(), rows.exists()) == (3, True, "C2", 3, True)
    with box.assert_requests(1):
        assert list(part) == ["C1", "C2"]
    with box.assert_requests(2):
        assert rows[:0].first() is None
        assert Company.objects.values_list("name", flat=True).first() == "C0"
        assert rows.last() == "C2"
        assert rows[:0].exists() is False
        assert list(Company.objects.values_list("name", flat=True).iterator()) == ["C0", "C1", "C2"]


def test_rows_of_a_queryset_that_is_here_cost_nothing(box: Sandbox) -> None:
    companies = Company.objects.order_by("name")
    assert len(companies) == 3
    with box.assert_requests(0):
        assert list(companies.values_list("name", "phase")) == [("C0", None), ("C1", None), ("C2", None)]


@pytest.mark.parametrize(
    ("path", "asks", "links"),
    [
        ("name", "name", ()),
        ("company.owner.email", "company", ("company", "owner")),
        ("company__owner__id", "company", ("company",)),
        ("company.custom.Days in Phase", "company", ("company",)),
        ("company.owner.name", "company", ("company", "owner")),
    ],
)
def test_a_path_is_followed_part_by_part(path: str, asks: str, links: tuple[str, ...]) -> None:
    output = output_of(Enduser, path)
    assert (output.path, output.asks, output.links) == (path, asks, links)


def test_a_table_shows_what_has_values_on_one_line_each(box: Sandbox) -> None:
    box.add(Note, company=box.rows(Company)[0], subject="a\nb " + "long " * 20)
    text = table_of(list(Note.objects.values()))
    lines = text.splitlines()
    assert len(lines) == 2
    assert lines[0].split()[:3] == ["id", "company_id", "company_name"]
    assert "..." in lines[1]
    assert [cell(value) for value in (None, False, 0, "x")] == ["", "False", "0", "x"]


def test_odd_values_do_not_fail_a_table(box: Sandbox) -> None:
    odd: dict[str, Any] = {"name": "C9", "arr": "many"}
    box.add(Company, **odd)
    assert "C9" in table_of(list(Company.objects.filter(name="C9").only("name").values()))


def test_values_are_explained_and_shown(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    rows = Company.objects.order_by("name").values_list("name", "owner.email")
    with box.assert_requests(0):
        explained = Company.objects.order_by("name").only("name", "owner").explain()
        links = "\n  over owner: every User is read once in a session, 1 + rows / 9,999 requests"
        of_rows = "requests: 1 + rows / 4,999"
        said_of_both = explained.replace(of_rows, f"{of_rows}, and for the links what is said below")
        assert explained != said_of_both
        assert rows.explain() == said_of_both + links
    with box.assert_requests(2):
        rows.show(2)
    assert capsys.readouterr().out.split() == ["name", "owner.email", "C0", "a@v.example", "C1", "b@v.example"]


def test_what_was_named_is_shown_whether_or_not_it_has_values(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    Company.objects.order_by("name").values("phase", "name").show(1)
    assert capsys.readouterr().out.splitlines() == ["phase  name", "       C0"]
    Company.objects.order_by("name").only("phase", "owner").show(1)
    assert {*capsys.readouterr().out.splitlines()[0].split()} == {"id", "name", "phase", "owner_id"}
    seven = ["id", "name", "phase", "owner", "tags", "arr", "mrr"]
    Company.objects.values(*seven).show(1)
    assert capsys.readouterr().out.split()[:7] == seven
    Company.objects.all().show(1)
    shown = capsys.readouterr().out.split()
    assert "phase" not in shown[:6]


@pytest.mark.parametrize("count", [-1, "3", 2.5, True, None])
def test_what_is_no_number_of_rows_is_not_shown(box: Sandbox, count: Any) -> None:
    with box.assert_requests(0):
        for rows in (Company.objects.all(), Company.objects.values("name")):
            with pytest.raises(InvalidQuery, match=r"show\(\) takes a number of rows, not "):
                rows.show(count)
