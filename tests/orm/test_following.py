"""Links of rows that were handed out together: no request too many, however the rows came."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from planhat_orm.models import NPS, Company, Enduser, Issue, License, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox

GONE = "64b0f1a2c3d4e5f60718ffff"


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """600 people of as many companies, all of one owner."""
    owner = planhat_sandbox.add(User, email="kim@v.example", first_name="Kim", last_name="R")
    planhat_sandbox.add_many(Company, ({"name": f"C{n}", "owner": owner, "phase": "Live"} for n in range(600)))
    rows = planhat_sandbox.rows(Company)
    planhat_sandbox.add_many(Enduser, ({"company": row, "email": f"{row['name']}@x.example"} for row in rows))
    return planhat_sandbox


def asked(box: Sandbox, act: Callable[[], object]) -> dict[str, int]:
    """Return how many requests came for each path."""
    before = len(box.requests)
    act()
    found: dict[str, int] = {}
    for one in box.requests[before:]:
        found[one.path] = found.get(one.path, 0) + 1
    return found


def followed(people: object) -> None:
    assert all(one.company is not None and one.company.name == one.email.partition("@")[0] for one in people)  # type: ignore[attr-defined]


def test_many_companies_are_read_by_pages_and_not_by_id_lists(box: Sandbox) -> None:
    people = list(Enduser.objects.all())
    with box.assert_requests(2):  # whether there are more companies than a few pages hold, and their page
        followed(people)
    with box.assert_requests(0):
        followed(people)


def test_pages_that_follow_need_no_scan_of_their_own(box: Sandbox) -> None:
    ways: dict[str, Callable[[], object]] = {
        "loop": lambda: followed(Enduser.objects.all()),
        "iterator": lambda: followed(Enduser.objects.all().iterator()),
        "values": lambda: list(Enduser.objects.values_list("company.owner.email", flat=True)),
        "values, streamed": lambda: list(Enduser.objects.values_list("company.owner.email", flat=True).iterator()),
        "select_related": lambda: followed(Enduser.objects.select_related("company")),
        "select_related, streamed": lambda: followed(Enduser.objects.select_related("company").iterator()),
    }
    with box.fault("cap", limit=200, path="/endusers", times=None):
        for name, way in ways.items():
            with box.session():
                found = asked(box, way)
            gc.collect()
            assert found["/companies"] <= 3, name
            assert found.get("/users", 0) <= 1, name
            assert 4 <= found["/endusers"] <= 6, name


def test_an_iterator_that_ends_early_reads_no_whole_list_for_a_few_rows(box: Sandbox) -> None:
    with box.assert_requests(2):
        for one in Enduser.objects.all()[:40]:
            assert one.company is not None
    assert box.requests[-1].params["companyId"].count(",") == 39


def test_of_a_mixed_page_only_what_is_missing_is_asked_for(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    live, other = (box.add(Company, name=name) for name in ("live", "other"))
    for company in (live, GONE, None, other, "odd", live, GONE):
        box.add(Enduser, email="x@x.example", **({"extra": {"companyId": company}} if company else {}))
    for row in box.rows(Enduser):
        if isinstance(row.get("companyId"), dict):
            box.change(Enduser, row["_id"], companyId=row["companyId"]["_id"])
    held = Company.objects.get(id=live["_id"])
    people = list(Enduser.objects.all())
    with box.assert_requests(1):
        assert people[0].company is held
        with pytest.raises(Company.DoesNotExist):
            people[1].company  # noqa: B018 - reading is the point
        assert people[2].company is None
        assert people[3].company is not None
        assert people[5].company is held
        with pytest.raises(Company.DoesNotExist):
            people[6].company  # noqa: B018
    assert box.requests[-1].params["companyId"].split(",") == sorted([other["_id"], GONE])


def test_links_of_records_that_came_one_by_one_are_followed_one_by_one(box: Sandbox) -> None:
    row = box.rows(Enduser)[0]
    person = Enduser.objects.get(id=row["_id"])
    with box.assert_requests(1):
        assert person.company is not None
    with box.assert_requests(1):
        assert person.company.owner is not None
    with box.assert_requests(0):
        assert Company.objects.get(id=person.company.id) is person.company


def test_values_over_several_links_cost_one_reading_for_each(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    owner = box.add(User, email="kim@v.example", first_name="Kim", last_name="R")
    for n in range(3):
        company = box.add(Company, name=f"C{n}", owner=owner if n else None)
        person = box.add(Enduser, company=company, email=f"p{n}@x.example")
        box.add(NPS, email=f"p{n}@x.example", score=9, company=company, euId=person["_id"])
    paths = ("enduser.company.owner.email", "enduser.company.name", "company.name", "enduser.email", "score")
    with box.assert_requests(6):  # answers, three people by id, their companies, users
        rows = list(NPS.objects.values_list(*paths))
    assert rows == [
        (None, "C0", "C0", "p0@x.example", 9),
        ("kim@v.example", "C1", "C1", "p1@x.example", 9),
        ("kim@v.example", "C2", "C2", "p2@x.example", 9),
    ]


def test_values_over_a_link_of_a_slice_read_what_the_slice_leads_to(box: Sandbox) -> None:
    people = Enduser.objects.order_by("id").values_list("email", "company.name")
    with box.assert_requests(2):
        assert list(people[:3]) == [("C0@x.example", "C0"), ("C1@x.example", "C1"), ("C2@x.example", "C2")]
    with box.assert_requests(2):
        assert people.first() == ("C0@x.example", "C0")


def test_the_companies_of_what_a_manager_holds_are_here(box: Sandbox) -> None:
    with box.assert_requests(3):
        owners = list(User.objects.prefetch_related("companies"))
        companies = list(owners[0].companies)
        assert all(one.owner is owners[0] for one in companies)
    assert len(companies) == 600


def test_links_of_lists_that_others_hold_too_are_kept(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = [box.add(Company, name=f"C{n}") for n in range(3)]
    for row in rows:
        box.add(Issue, title="x", companies=[row, rows[0]])
        box.add(License, company=row, mrr=1, from_date="2025-01-01")
    first = Company.objects.get(id=rows[0]["_id"], fresh=True)
    issues = list(Issue.objects.all())
    with box.assert_requests(1):
        names = [[one.name for one in issue.companies] for issue in issues]
    assert names == [["C0"], ["C1", "C0"], ["C2", "C0"]] or names == [["C0", "C0"], ["C1", "C0"], ["C2", "C0"]]
    del first
    gc.collect()
    with box.assert_requests(0):
        assert [one.name for issue in issues for one in issue.companies][-1] == "C0"


@pytest.mark.parametrize("left", [False, True])
def test_a_row_kept_of_an_iterator_keeps_no_list_that_was_read_for_others(box: Sandbox, left: bool) -> None:
    box.add_many(Company, ({"name": f"Idle {n}", "phase": "Live"} for n in range(50)))
    people = Enduser.objects.all().iterator()
    first = next(people)
    assert first.company is not None
    if not left:
        followed(people)
    del people
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Company) and (one.name or "").startswith("Idle")]
    with box.assert_requests(0):
        assert first.company.name == first.email.partition("@")[0]
