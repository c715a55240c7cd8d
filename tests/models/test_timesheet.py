"""Timesheets over HTTP: operations, keys, links, quirks.

The facts are those of https://www.planhat.com/developers/api/timesheet.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldError, UnknownField, ValidationError
from planhat_orm.models import TimeEntry, Timesheet, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

DAY = date(2025, 4, 14)


@pytest.fixture
def entries(planhat_sandbox: Sandbox) -> list[dict[str, Any]]:
    """The rows of three time entries."""
    return [planhat_sandbox.add(TimeEntry, date=DAY, hours=hours) for hours in (1, 2, 3)]


@pytest.fixture
def kim(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A user's row."""
    return planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R")


def test_timesheets_write_their_entries_as_items_and_read_ids(
    planhat_sandbox: Sandbox, entries: list[dict[str, Any]], kim: dict[str, Any]
) -> None:
    ids = [entry["_id"] for entry in entries]
    with planhat_sandbox.assert_requests(1):
        sheet = Timesheet.objects.create(
            time_entries=ids[:1],
            assigned_model="User",
            assigned_to_id=kim["_id"],
            date_from=date(2025, 4, 13),
            date_to=date(2025, 4, 20),
        )
    assert planhat_sandbox.requests[-1].json == {
        "timeEntries": [{"_id": ids[0]}],
        "assignedModel": "User",
        "assignedId": kim["_id"],
        "dateFrom": 20191,
        "dateTo": 20198,
    }
    assert sheet.time_entries.ids == ids[:1]
    assert sheet.raw["timeEntries"] == ids[:1]
    assert sheet.changes() == {}
    sheet.time_entries.add(TimeEntry.objects.get(id=ids[1]))
    sheet.save()
    assert planhat_sandbox.requests[-1].json == {"timeEntries": [{"_id": ids[0]}, {"_id": ids[1]}]}
    sheet.time_entries = ids[:2]
    assert sheet.changes() == {}
    sheet.time_entries.remove(ids[0])
    sheet.save()
    assert planhat_sandbox.requests[-1].json == {"timeEntries": [{"_id": ids[1]}]}
    assert [entry.hours for entry in sheet.time_entries] == [2]


def test_days_are_counted_from_1970_and_other_dates_are_texts(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Timesheet, date_from=date(2025, 4, 13), date_to=date(2025, 4, 20))
    with planhat_sandbox.assert_requests(1):
        [sheet] = Timesheet.objects.all()
    assert (sheet.raw["dateFrom"], sheet.date_from) == (20191, date(2025, 4, 13))
    assert (sheet.raw["dateTo"], sheet.date_to) == (20198, date(2025, 4, 20))
    assert isinstance(sheet.raw["createdAt"], str)
    with planhat_sandbox.assert_requests(1):
        assert len(Timesheet.objects.filter(date_from__gte=date(2025, 4, 1), date_to__lt=date(2025, 5, 1))) == 1


def test_a_timesheet_is_read_changed_and_deleted(planhat_sandbox: Sandbox) -> None:
    sheet = Timesheet.objects.create(date_from=date(2025, 4, 13))
    assert sheet.status == "submitted"
    with planhat_sandbox.assert_requests(1):
        assert Timesheet.objects.get(id=sheet.id, fresh=True).date_from == date(2025, 4, 13)
    with planhat_sandbox.assert_requests(1):
        sheet.delete()
    assert planhat_sandbox.count(Timesheet) == 0


def test_approving_a_timesheet_fills_in_who_and_when(planhat_sandbox: Sandbox) -> None:
    sheet = Timesheet.objects.create(date_from=date(2025, 4, 13))
    assert (sheet.approved_by_id, sheet.approved_at) == (None, None)
    sheet.status = "approved"
    with planhat_sandbox.assert_requests(1):
        sheet.save()
    assert planhat_sandbox.requests[-1].json == {"status": "approved"}
    assert sheet.approved_at is not None
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="read-only"):
        sheet.approved_at = None


def test_a_timesheet_has_no_draft(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="status"):
        Timesheet.objects.create(status="draft")


def test_a_timesheet_has_no_key_but_its_id(planhat_sandbox: Sandbox) -> None:
    for key in ("external_id", "source_id"):
        with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match=key):
            Timesheet.objects.get(**{key: "1"})


def test_timesheets_are_filtered_here_since_their_list_takes_no_filter(
    planhat_sandbox: Sandbox, kim: dict[str, Any]
) -> None:
    planhat_sandbox.add(Timesheet, status="submitted", assigned_to=kim)
    planhat_sandbox.add(Timesheet, status="approved", assigned_to=kim, approved_by=kim)
    with planhat_sandbox.assert_requests(1):
        [sheet] = Timesheet.objects.filter(status="approved")
    assert "status" not in planhat_sandbox.requests[-1].params
    user = sheet.assigned_to
    assert user is not None
    assert len(user.timesheets.all()) == 2
    assert [one.id for one in user.approved_timesheets.all()] == [sheet.id]


def test_timesheets_are_upserted_by_id(planhat_sandbox: Sandbox, entries: list[dict[str, Any]]) -> None:
    known = planhat_sandbox.add(Timesheet, status="submitted")
    # Items without a key go apart: nothing would tell whether they arrived if the answer were lost.
    with planhat_sandbox.assert_requests(2):
        ledger = Timesheet.objects.bulk_upsert(
            [
                {"id": known["_id"], "status": "returned"},
                {"date_from": date(2025, 4, 13), "time_entries": [entries[0]["_id"]]},
            ]
        )
    assert (len(ledger.updated), len(ledger.created)) == (1, 1)
    assert planhat_sandbox.requests[-1].json == [{"dateFrom": 20191, "timeEntries": [{"_id": entries[0]["_id"]}]}]
