"""Time entries over HTTP: operations, duplicating, keys, list parameters, links, quirks.

The facts are those of https://www.planhat.com/developers/api/time-entry.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import (
    AmbiguousWrite,
    FieldError,
    InvalidQuery,
    ReadOnlyError,
    UnknownField,
    ValidationError,
)
from planhat_orm.models import Company, TimeEntry, Timesheet, User
from planhat_orm.models.time_entry import MOST, ids_in

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

DAY = date(2025, 4, 14)


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42")


def test_a_time_entry_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        entry = TimeEntry.objects.create(company_id=acme["_id"], date=DAY, hours=3.5, billable_rate=100)
    assert planhat_sandbox.requests[-1].json == {
        "companyId": acme["_id"],
        "date": "2025-04-14T00:00:00.000Z",
        "hours": 3.5,
        "billableRate": 100,
    }
    with planhat_sandbox.assert_requests(1):
        again = TimeEntry.objects.get(id=entry.id, fresh=True)
    assert (again.date, again.hours, again.timesheet_status, again.assigned_model) == (DAY, 3.5, "draft", "User")
    entry.description = "Workshop"
    with planhat_sandbox.assert_requests(1):
        entry.save()
    assert planhat_sandbox.requests[-1].json == {"description": "Workshop"}
    with planhat_sandbox.assert_requests(1):
        entry.delete()
    assert planhat_sandbox.count(TimeEntry) == 0


def test_a_time_entry_has_no_key_but_its_id(planhat_sandbox: Sandbox) -> None:
    for key in ("external_id", "source_id"):
        with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match=key):
            TimeEntry.objects.get(**{key: "1"})


def test_a_time_entry_needs_a_day_and_hours(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        TimeEntry.objects.create(description="Workshop")
    assert "date: is required" in str(caught.value)
    assert "hours: is required" in str(caught.value)


def test_billed_and_cost_are_hours_times_the_rate(planhat_sandbox: Sandbox) -> None:
    entry = TimeEntry.objects.create(date=DAY, hours=3.5, billable_rate=100)
    assert (entry.total_billed, entry.total_cost) == (350, 0)
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="read-only"):
        entry.total_billed = 1


def test_the_time_of_day_is_cut(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(TimeEntry, hours=1, extra={"date": "2025-04-14T00:00:00.000Z"})
    assert [entry.date for entry in TimeEntry.objects.filter(date=DAY)] == [DAY]


def test_time_entries_are_listed_by_one_company(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    for company in (acme, birch):
        planhat_sandbox.add(TimeEntry, company=company, date=DAY, hours=1)
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(1):
        [entry] = company.time_entries.all()
    assert planhat_sandbox.requests[-1].params["companyId"] == acme["_id"]
    assert entry.company_id == acme["_id"]
    # No comma list is documented here: both are read by one scan and filtered.
    with planhat_sandbox.assert_requests(1):
        assert len(TimeEntry.objects.filter(company__in=[acme["_id"], birch["_id"]])) == 2
    assert "companyId" not in planhat_sandbox.requests[-1].params


def test_a_time_entry_takes_an_own_key_of_its_company(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        entry = TimeEntry.objects.create(company=Company.ref(external_id="acme-42"), date=DAY, hours=1)
    assert planhat_sandbox.requests[-1].json["companyId"] == "extid-acme-42"
    assert entry.company_id == acme["_id"]


def test_a_time_entry_knows_who_did_the_work_and_its_timesheet(planhat_sandbox: Sandbox) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R")
    sheet = planhat_sandbox.add(Timesheet, status="submitted")
    row = planhat_sandbox.add(TimeEntry, date=DAY, hours=1, assigned_to=kim, timesheet=sheet)
    entry = TimeEntry.objects.get(id=row["_id"])
    assert entry.assigned_to is not None
    assert entry.timesheet is not None
    assert entry.timesheet.status == "submitted"
    with planhat_sandbox.assert_requests(1):
        assert [one.id for one in entry.assigned_to.time_entries.all()] == [entry.id]


def test_time_entries_are_upserted_by_id_and_twice_without(planhat_sandbox: Sandbox) -> None:
    known = planhat_sandbox.add(TimeEntry, date=DAY, hours=1)
    for _ in range(2):
        # Items without a key go apart: nothing would tell whether they arrived if the answer were lost.
        with planhat_sandbox.assert_requests(2):
            TimeEntry.objects.bulk_upsert([{"id": known["_id"], "hours": 2}, {"date": DAY, "hours": 3}])
    assert sorted(row["hours"] for row in planhat_sandbox.rows(TimeEntry)) == [2, 3, 3]


@pytest.mark.parametrize("hours", [0, 0.05, 25])
def test_hours_that_planhat_would_refuse_are_not_sent(planhat_sandbox: Sandbox, hours: float) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match=r"hours: must be from 0\.1 to 24"):
        TimeEntry.objects.create(date=DAY, hours=hours)
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match=r"must be from 0\.1 to 24"):
        TimeEntry.objects.bulk_upsert([{"date": DAY, "hours": hours}])


def test_an_entry_is_duplicated(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    entry = TimeEntry.objects.create(company_id=acme["_id"], date=DAY, hours=3.5)
    with planhat_sandbox.assert_requests(1):
        copy_id = entry.duplicate()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("POST", "/timeentries/duplicate", {"ids": [entry.id]})
    rows = planhat_sandbox.rows(TimeEntry)
    assert [(row["hours"], row["companyId"]) for row in rows] == [(3.5, acme["_id"])] * 2
    assert copy_id in {None, *(row["_id"] for row in rows)} - {entry.id}


def test_several_entries_are_duplicated_in_one_request(planhat_sandbox: Sandbox) -> None:
    first = TimeEntry.objects.create(date=DAY, hours=1)
    second = planhat_sandbox.add(TimeEntry, date=DAY, hours=2)
    gone = "0" * 24
    with planhat_sandbox.assert_requests(1):
        copies = TimeEntry.duplicate_all([first, second["_id"], gone, second["_id"]])
    assert planhat_sandbox.requests[-1].json == {"ids": [first.id, second["_id"], gone]}
    assert sorted(row["hours"] for row in planhat_sandbox.rows(TimeEntry)) == [1, 1, 2, 2]
    assert not {first.id, second["_id"]} & set(copies)


def test_what_cannot_be_duplicated_is_refused_before_anything_is_sent(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0):
        assert TimeEntry.duplicate_all([]) == []
        with pytest.raises(FieldError, match="not saved"):
            TimeEntry(date=DAY, hours=1).duplicate()
        for wrong in ("0" * 24, 7):
            with pytest.raises(InvalidQuery, match="list of entries"):
                TimeEntry.duplicate_all(wrong)  # type: ignore[arg-type]  # that it is wrong is the point
        for wrong in ("extid-1", "", 7):
            with pytest.raises(InvalidQuery, match="ids"):
                TimeEntry.duplicate_all([wrong])  # type: ignore[list-item]  # that it is wrong is the point
        with pytest.raises(InvalidQuery, match="at most 5,000"):
            TimeEntry.duplicate_all(f"{number:024x}" for number in range(MOST + 1))


def test_entries_of_two_sessions_are_not_duplicated_together(planhat_sandbox: Sandbox) -> None:
    here = TimeEntry.objects.create(date=DAY, hours=1)
    with planhat_sandbox.session() as other:
        there = TimeEntry.objects.using(other).create(date=DAY, hours=2)
        with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="one session"):
            TimeEntry.duplicate_all([here, there])


def test_nothing_is_duplicated_in_a_read_only_session(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(TimeEntry, date=DAY, hours=1)
    with planhat_sandbox.session(read_only=True) as session:
        entry = TimeEntry.objects.using(session).get(id=row["_id"])
        with planhat_sandbox.assert_requests(0), pytest.raises(ReadOnlyError):
            entry.duplicate()


def test_a_duplicate_whose_answer_is_lost_is_not_sent_again(planhat_sandbox: Sandbox) -> None:
    entry = TimeEntry.objects.create(date=DAY, hours=1)
    lost = planhat_sandbox.fault("lost_answer", path="/timeentries/duplicate")
    with lost, planhat_sandbox.assert_requests(1), pytest.raises(AmbiguousWrite, match="twice"):
        entry.duplicate()
    assert planhat_sandbox.count(TimeEntry) == 2


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ({"created": 1, "upsertedIds": ["a" * 24]}, ["a" * 24]),
        ({"created": 1, "insertsKeys": [{"_id": "a" * 24}]}, ["a" * 24]),
        ({"_id": "a" * 24, "hours": 1}, ["a" * 24]),
        ([{"_id": "a" * 24}, {"_id": "b" * 24}], ["a" * 24, "b" * 24]),
        (["a" * 24], ["a" * 24]),
        ({"ok": 1}, []),
        ({"upsertedIds": None}, []),
        ("done", []),
        (None, []),
    ],
)
def test_the_ids_of_copies_are_found_in_any_likely_answer(answer: Any, ids: list[str]) -> None:
    assert ids_in(answer) == ids
