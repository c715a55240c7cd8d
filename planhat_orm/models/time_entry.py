"""TimeEntry: hours of one user on one day.

Declarations, and the one operation that no other object has: duplicating. The facts are those of
https://www.planhat.com/developers/api/time-entry. It does not promise that a duplicate is named in the answer: its
shape is not documented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import FieldError, InvalidQuery
from planhat_orm.models.sources import CRUDS, PH_DESK, POSTMAN, help_page, official
from planhat_orm.orm import fields, held
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey
from planhat_orm.session.session import Session
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.timesheet import Timesheet
    from planhat_orm.models.user import User

HELP = help_page("time entry data model", "https://help.planhat.com/en/articles/10559032-time-entry-data-model")
SAMPLES = documented(PH_DESK)
#: How many entries are duplicated at once: Planhat does it by a bulk upsert, which takes so many.
MOST = 5000


class TimeEntry(Model):
    """Hours that one user worked on one day. Part of the Service Delivery add-on.

    ``date`` and ``hours`` are required. Entries are found by ``id`` alone and bulk upsert matches on it: an import
    that runs twice without ids makes everything twice. ``assigned_to`` is not filled in for what comes over the API,
    and of what an entry may belong to in the app only ``company`` can be set. Whether entries have custom fields is
    not documented: what comes is in ``extra``. ``duplicate`` and ``duplicate_all`` make copies.

    Source: https://www.planhat.com/developers/api/time-entry

    >>> import datetime
    >>> acme = Company.objects.get(external_id="acme-42")
    >>> entry = TimeEntry.objects.create(company=acme, date=datetime.date(2025, 4, 14), hours=3.5)
    >>> entry.timesheet_status
    'draft'
    """

    class Meta:
        path = "timeentries"
        page_size = (100, 2000)
        match_keys = ("_id",)
        list_params = {"companyId": Param("companyId", help="of one company")}
        more_operations = {"duplicate": "POST /timeentries/duplicate"}
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/time-entry"
        evidence = {
            "fields": documented(official("time-entry"), PH_DESK),
            "operations": documented(PH_DESK, POSTMAN, CRUDS),
            "filters": documented(PH_DESK),
            "keys": documented(PH_DESK, POSTMAN),
            "matching": documented(PH_DESK),
            "required": documented(official("time-entry"), PH_DESK),
            "limits": documented(PH_DESK),
        }
        quirks = (
            Quirk("The time of day in date is cut: answers hold the UTC midnight.", documented(PH_DESK)),
            Quirk("totalBilled and totalCost are hours times the rate, and 0 without a rate.", documented(PH_DESK)),
            Quirk("There is no key of yours: an import that runs again makes duplicates.", inferred(PH_DESK)),
            Quirk(
                "Entries that the app makes on a task, a project or the like get that record's company; the API can "
                "set the company alone.",
                documented(official("time-entry"), HELP),
            ),
            Quirk("The answer to a bulk upsert has validationErrors beside the usual lists.", documented(PH_DESK)),
            Quirk("What duplicate answers is not documented.", documented(PH_DESK, POSTMAN)),
            Quirk("A tenant's rules may lock the fields of approved entries.", inferred(HELP)),
            Quirk(
                "The sample of a bulk upsert counts items that change nothing, or were not found, as nonupdates; "
                "that is no error.",
                documented(PH_DESK),
            ),
            Quirk("What has no value is left out of answers rather than null.", documented(PH_DESK)),
            Quirk(
                "Scheduled time, the hours planned ahead, is an object of the app that has no page in the reference.",
                observed(
                    help_page(
                        "scheduled time", "https://help.planhat.com/en/articles/15261502-scheduled-time-data-model"
                    )
                ),
            ),
        )

    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", takes_keys=True, help="the company it was done for"
    )
    company_id: fields.Id = fields.IdOf(company)
    date: fields.Date = fields.Date("date", required=True, label="Date", help="the day of the work")
    hours: fields.Number = fields.Number(
        "hours", required=True, least=0.1, most=24, label="Hours", help="from 0.1 to 24"
    )
    is_time_off: fields.Boolean = fields.Boolean("isTimeOff", help="holiday, sick leave")
    description: fields.Text = fields.Text("description")
    is_billable: fields.Boolean = fields.Boolean("isBillable")
    billing_code: fields.Text = fields.Text("billingCode")
    currency: fields.Text = fields.Text("currency", label="Currency", help="a code; any text is stored")
    billable_rate: fields.Number = fields.Number("billableRate", help="per hour, in currency")
    total_billed: fields.Number = fields.Number(
        "totalBilled", read_only=True, help="hours times billable_rate; 0 without a rate"
    )
    cost_rate: fields.Number = fields.Number("costRate", help="per hour, in currency")
    total_cost: fields.Number = fields.Number(
        "totalCost", read_only=True, help="hours times cost_rate; 0 without a rate"
    )
    timesheet_status: fields.Choice = fields.Choice(
        "timesheetStatus",
        read_only=True,
        choices=("draft", "submitted", "approved", "returned"),
        help="that of its timesheet; draft while in none",
    )
    timesheet: ForeignKey[Timesheet] = ForeignKey(
        "Timesheet", "timesheetId", read_only=True, help="the timesheet it was handed in with"
    )
    timesheet_id: fields.Id = fields.IdOf(timesheet)
    assigned_to: ForeignKey[User] = ForeignKey("User", "assignedId", label="Submitted By", help="who did the work")
    assigned_to_id: fields.Id = fields.IdOf(assigned_to)
    assigned_model: fields.Choice = fields.Choice("assignedModel", choices=("User",), help="always User")
    path: fields.List = fields.List("path", read_only=True, help="empty in samples", evidence=SAMPLES)
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created", evidence=SAMPLES)
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated", evidence=SAMPLES)
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=SAMPLES
    )

    def duplicate(self) -> str | None:
        """Make a copy of the entry at Planhat, as it is stored there: POST /timeentries/duplicate, one request.

        Running it twice makes two copies; after a lost answer it is not sent again.

        :returns: the id of the copy, None where Planhat's answer, which is not documented, does not name it.
        :raises FieldError: it is not saved yet.
        :raises AmbiguousWrite: the answer was lost, so that there may be a copy.

        Source: https://www.planhat.com/developers/api/time-entry

        >>> import datetime
        >>> entry = TimeEntry.objects.create(date=datetime.date(2025, 4, 14), hours=2)
        >>> copy_id = entry.duplicate()
        >>> copy_id is None or TimeEntry.objects.get(id=copy_id).hours == 2
        True
        """
        return next(iter(type(self).duplicate_all([self])), None)

    @classmethod
    def duplicate_all(cls, entries: Iterable[TimeEntry | str]) -> list[str]:
        """Make a copy of each entry at Planhat: POST /timeentries/duplicate, one request for all of them.

        Running it twice makes two copies of each; after a lost answer it is not sent again. Entries that Planhat does
        not have (any more) are passed over by it.

        :param entries: entries or ids, at most 5,000, which is what a bulk upsert takes; without any, nothing is sent.
        :returns: the ids of the copies, as far as Planhat's answer, which is not documented, names them.
        :raises FieldError: one is not saved yet, or they are of several sessions.
        :raises InvalidQuery: one is no id, or there are too many.
        :raises AmbiguousWrite: the answer was lost, so that there may be copies.

        Source: https://www.planhat.com/developers/api/time-entry

        >>> TimeEntry.duplicate_all([])
        []
        """
        if isinstance(entries, (str, bytes)) or not isinstance(entries, Iterable):
            raise InvalidQuery(f"duplicate_all() takes a list of entries or ids, not {entries!r}")
        given = list(entries)
        ids = list(dict.fromkeys(id_of(entry) for entry in given))
        if len(ids) > MOST:
            raise InvalidQuery(f"duplicate_all() takes at most {MOST:,} entries, not {len(ids):,}")
        if not ids:
            return []
        sessions = {entry._session() for entry in given if isinstance(entry, TimeEntry)}
        if len(sessions) > 1:
            raise FieldError("duplicate_all() takes entries of one session, and these are of several")
        session = sessions.pop() if sessions else Session.current()
        try:
            answer = session.writer.act(cls, "POST", f"/{cls._meta.path}/duplicate", {"ids": ids})
        finally:
            held.outdate(session, cls)
        return ids_in(answer.data)


def id_of(entry: object) -> str:
    """Return the id of an entry, or the id itself; raises where there is none."""
    key = entry.id if isinstance(entry, TimeEntry) else entry
    if isinstance(entry, TimeEntry) and key is None:
        raise FieldError(f"{entry!r} is not saved yet, so Planhat has nothing to duplicate; save it first")
    if not isinstance(key, str) or not is_object_id(key):
        raise InvalidQuery(f"duplicate_all() takes time entries and their ids, not {key!r}")
    return key


def ids_in(data: Any) -> list[str]:
    """Return the ids of copies in an answer: that of a bulk upsert, or the copies themselves."""
    if isinstance(data, Mapping):
        data = data.get("upsertedIds", data.get("insertsKeys", [data]))
    found = [item.get("_id") if isinstance(item, Mapping) else item for item in data] if isinstance(data, list) else []
    return [key for key in found if isinstance(key, str) and is_object_id(key)]
