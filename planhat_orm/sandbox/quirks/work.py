"""Tasks, time entries and timesheets: what Planhat does with them.

Facts of https://www.planhat.com/developers/api/task and the pages beside it, as data and a few functions. Imports the
forms in ``base``. It does not promise who approved a timesheet: the first user stands for the token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Refusal
from planhat_orm.sandbox.quirks.base import (
    SOURCE,
    Filter,
    Invalid,
    Quirks,
    copy_owner_name,
    moment_of,
    named,
    number_of,
)
from planhat_orm.sandbox.quirks.touchpoints import settle_conversation, snippet_of
from planhat_orm.sandbox.store import Condition, Query, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.sandbox.world import World

# Tasks: https://www.planhat.com/developers/api/task

DONE = "Done"


def prepare_task(world: World, sent: Row, before: Row | None) -> None:
    """Carry out the special change of status; any other text is stored as it is."""
    if sent.get("repeat") == "custom" and not (sent.get("repeatDays") or (before or {}).get("repeatDays")):
        raise Refusal(400, "Required Field: repeatDays")
    if before is None:
        return
    if sent.get("status") == "done":
        # Over REST it has to be "Done" (seen on a live tenant); the text names neither the field nor the value.
        raise Refusal(400, "Failed to update task status")
    if sent.get("status") == DONE != before.get("status"):
        sent.setdefault("dateDone", world.now())
        sent.setdefault("isArchived", True)  # completed tasks are archived (docs: the isArchived parameter)
        sent["noteId"] = before["_id"]


def settle_task(world: World, row: Row, sent: frozenset[str]) -> None:
    """Cut the text to a snippet, name the people; the owner's name is a copy that stays when the owner changes."""
    if row.get("description"):
        row["snippet"] = snippet_of(row["description"])
    for key in ("users", "endusers"):
        if isinstance(row.get(key), list):
            row[key] = [named(world, key, item) for item in row[key]]
    if not row.get("ownerName"):
        copy_owner_name(world, row, sent)


def follow_task(world: World, before: Row | None, after: Row | None) -> None:
    """Make the conversation of a task that was done, under the same id; one that is created done makes none."""
    if before is None or after is None or after.get("status") != DONE or before.get("status") == DONE:
        return
    if world.store.get("conversations", after["_id"]) is not None:
        return
    shared = ("companyId", "companyName", "description", "endusers", "users", "type")
    row: Row = {"_id": after["_id"], "__v": 0, **{key: after[key] for key in shared if after.get(key)}}
    row |= {"subject": after.get("action", ""), "taskId": after["_id"], "date": world.now(), "createDate": world.now()}
    if after.get("mainType") == "event" and after.get("sourceId"):
        row["externalId"] = after["sourceId"]
    row |= {"starred": False, "pinned": False, "archived": False, "isOpen": False, "tags": []}
    settle_conversation(world, row, frozenset(row))
    world.store.insert("conversations", [row])


def hide_other_tasks(world: World, params: Mapping[str, str]) -> list[Condition]:
    """Show either the archived tasks or the others, by default the others."""
    archived = params.get("isArchived") == "true"
    return [Condition("isArchived", how="true" if archived else "not_true")]


# Time entries: https://www.planhat.com/developers/api/time-entry


def prepare_entry(world: World, sent: Row, before: Row | None) -> None:
    """Refuse hours that no day has."""
    hours = sent.get("hours")
    if "hours" in sent and not 0.1 <= (number_of(hours) or 0) <= 24:
        raise Invalid("hours must be between 0.1 and 24")


def settle_entry(world: World, row: Row, sent: frozenset[str]) -> None:
    """Cut the date to midnight and compute the totals."""
    moment = moment_of(row.get("date"))
    if moment is not None:
        row["date"] = f"{moment:%Y-%m-%d}T00:00:00.000Z"
    row["assignedModel"] = "User"
    hours = number_of(row.get("hours")) or 0
    for total, rate in (("totalBilled", "billableRate"), ("totalCost", "costRate")):
        row[total] = round(hours * (number_of(row.get(rate)) or 0), 2)


#: What a copy of an entry does not take over.
_NOT_COPIED = ("_id", "__v", "createdAt", "updatedAt", "timesheetId", "timesheetStatus")


def duplicate_entry(row: Row) -> Row:
    """Return the item that copies an entry."""
    return {key: value for key, value in row.items() if key not in _NOT_COPIED}


# Timesheets: https://www.planhat.com/developers/api/timesheet


def prepare_sheet(world: World, sent: Row, before: Row | None) -> None:
    """Take entries as {_id}, as documented; say who approved, and when."""
    items = sent.get("timeEntries")
    if items is not None:
        if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("_id") for item in items):
            raise Invalid("timeEntries must be objects with _id")
        sent["timeEntries"] = [item["_id"] for item in items]
    if sent.get("status") == "approved" != (before or {}).get("status"):
        sent["approvedBy"] = _approver(world) or (before or sent).get("assignedId")
        sent["dateOfApproval"] = world.now()


def _approver(world: World) -> Any:
    users = world.store.rows("users", Query(limit=1))
    return users[0]["_id"] if users else None


def settle_sheet(world: World, row: Row, sent: frozenset[str]) -> None:
    """Keep the entries as ids, however they were given."""
    if isinstance(row.get("timeEntries"), list):
        row["timeEntries"] = [item["_id"] if isinstance(item, dict) else item for item in row["timeEntries"]]
    row["assignedModel"] = "User"


def follow_sheet(world: World, before: Row | None, after: Row | None) -> None:
    """Let the entries say which sheet they are in and how it stands."""
    now_in = set((after or {}).get("timeEntries") or [])
    for key in ((before or {}).get("timeEntries") or []) if after is not None else []:
        entry = world.store.get("timeentries", key)
        if entry is not None and key not in now_in:
            entry.pop("timesheetId", None)
            world.store.replace("timeentries", {**entry, "timesheetStatus": "draft"})
    for key in now_in:
        entry = world.store.get("timeentries", key)
        if entry is not None and after is not None:
            told = {"timesheetId": after["_id"], "timesheetStatus": after.get("status", "submitted")}
            world.store.replace("timeentries", {**entry, **told})


QUIRKS: dict[str, Quirks] = {
    "tasks": Quirks(
        filters={
            "companyId": Filter("companyId", many=True),
            "enduserIds": Filter("endusers", many=True, how="contains"),
        },
        required=("companyId",),
        bulk_required=("mainType", "companyId"),
        prefixes=SOURCE,
        match=("_id", "sourceId"),
        defaults={
            "mainType": "task",
            "noSpecificTime": False,
            "shared": False,
            "overdueNotified": False,
            "activityTags": [],
            "isArchived": False,
            "endusers": [],
            "users": [],
        },
        stamps=("createdAt",),
        touched=("updatedAt",),
        echoed=frozenset({"noSpecificTime"}),  # marked as Planhat's own, yet the official create sample sends it
        prepare=prepare_task,
        settle=settle_task,
        follow=follow_task,
        hides=hide_other_tasks,
        embed=lambda world, row: {"repeat": None, **row},
    ),
    "timeentries": Quirks(
        filters={"companyId": Filter("companyId")},
        required=("date", "hours"),
        prefixes=frozenset(),
        match=("_id",),
        defaults={"timesheetStatus": "draft", "path": []},
        stamps=("createdAt",),
        touched=("updatedAt",),
        prepare=prepare_entry,
        settle=settle_entry,
        validation_errors=True,
        actions={"duplicate": duplicate_entry},
    ),
    "timesheets": Quirks(
        prefixes=frozenset(),
        match=("_id",),
        day_numbers=frozenset({"dateFrom", "dateTo"}),
        defaults={"status": "submitted", "timeEntries": []},
        stamps=("createdAt",),
        touched=("updatedAt",),
        prepare=prepare_sheet,
        settle=settle_sheet,
        follow=follow_sheet,
        validation_errors=True,
    ),
}
