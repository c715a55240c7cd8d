"""Timesheet: time entries of one user, handed in together.

Declarations only; the facts are those of https://www.planhat.com/developers/api/timesheet. It does not promise a week:
the period is whatever was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import PH_DESK, POSTMAN, help_page, official
from planhat_orm.orm import fields
from planhat_orm.orm.evidence import Quirk, documented, inferred
from planhat_orm.orm.model import Model
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.time_entry import TimeEntry
    from planhat_orm.models.user import User

HELP = help_page("timesheet data model", "https://help.planhat.com/en/articles/10576193-timesheet-data-model")
SAMPLES = documented(PH_DESK)


class Timesheet(Model):
    """The hours that one user hands in for some days, to be approved. Part of the Service Delivery add-on.

    Nothing is required, but a sheet without ``date_from`` and ``date_to`` says little. Setting ``status`` to
    "approved" makes Planhat fill in ``approved_by`` and ``approved_at``. Sheets are found by ``id`` alone, and bulk
    upsert matches on it; lists take no filter, so ours are read whole and filtered here. Whether plain ids are taken in
    ``time_entries`` is not documented: items ``{"_id": ...}`` are sent, as in the samples.

    Source: https://www.planhat.com/developers/api/timesheet

    >>> import datetime
    >>> from planhat_orm.models import TimeEntry
    >>> entry = TimeEntry.objects.create(date=datetime.date(2025, 4, 14), hours=3.5)
    >>> sheet = Timesheet.objects.create(date_from=datetime.date(2025, 4, 13), time_entries=[entry])
    >>> sheet.status, sheet.time_entries.ids == [entry.id]
    ('submitted', True)
    """

    class Meta:
        path = "timesheets"
        page_size = (100, 2000)
        match_keys = ("_id",)
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/timesheet"
        evidence = {
            "fields": documented(official("timesheet"), PH_DESK),
            "operations": documented(PH_DESK, POSTMAN),
            "filters": documented(PH_DESK),
            "keys": documented(PH_DESK, POSTMAN),
            "matching": documented(PH_DESK),
            "required": documented(official("timesheet"), PH_DESK),
            "limits": documented(PH_DESK),
        }
        quirks = (
            Quirk("Time entries are written as items {_id} and read as plain ids.", documented(PH_DESK)),
            Quirk("dateFrom and dateTo are days since 1970-01-01, all other dates are ISO texts.", documented(PH_DESK)),
            Quirk(
                "The samples run from a Sunday to the next one, the help centre speaks of Monday to Friday: no week "
                "is assumed here.",
                inferred(PH_DESK, HELP),
            ),
            Quirk("There is no draft, unlike in a time entry's timesheet_status.", documented(official("timesheet"))),
            Quirk(
                'The app shows "submitted" as Pending approval and "returned" as Return for editing.', inferred(HELP)
            ),
            Quirk(
                "The reference does not mark approvedBy as Planhat's own; samples and help centre do.",
                documented(PH_DESK, HELP),
            ),
            Quirk("The answer to a bulk upsert has validationErrors beside the usual lists.", documented(PH_DESK)),
            Quirk(
                "A sample of an update answers with another period than was created although a status alone was "
                "sent: a slip, or Planhat adjusts it.",
                documented(PH_DESK),
            ),
            Quirk("In a bulk upsert a status that is stored already counts as nonupdates.", inferred(PH_DESK)),
            Quirk("approvedBy and dateOfApproval are absent until there is an approval.", documented(PH_DESK)),
        )

    status: fields.Choice = fields.Choice(
        "status", choices=("submitted", "approved", "returned"), help='"submitted" unless said'
    )
    time_entries: ReferenceList[TimeEntry] = ReferenceList(
        "TimeEntry", "timeEntries", item_key="_id", help="the entries handed in"
    )
    date_from: fields.DayNumber = fields.DayNumber("dateFrom", label="From", help="the first day")
    date_to: fields.DayNumber = fields.DayNumber("dateTo", label="To", help="the last day, or the one after it")
    assigned_to: ForeignKey[User] = ForeignKey("User", "assignedId", label="Assignee", help="whose sheet it is")
    assigned_to_id: fields.Id = fields.IdOf(assigned_to)
    assigned_model: fields.Choice = fields.Choice("assignedModel", choices=("User",), help="always User")
    approved_by: ForeignKey[User] = ForeignKey(
        "User", "approvedBy", read_only=True, help="who approved it; set with the status"
    )
    approved_by_id: fields.Id = fields.IdOf(approved_by)
    approved_at: fields.DateTime = fields.DateTime(
        "dateOfApproval", read_only=True, label="Date of Approval", help="when it was approved; set with the status"
    )
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created", evidence=SAMPLES)
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated", evidence=SAMPLES)
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=SAMPLES
    )

    entries: Related[TimeEntry] = Related("TimeEntry")
