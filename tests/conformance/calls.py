"""What a user writes for each documented operation, in this library's names.

Imports the library and the table's rows; looks at no request.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from table import ENDPOINTS

from planhat_orm.analytics import Activity, Metric
from planhat_orm.models import Company, Deal, Enduser, Ticket, TimeEntry, User
from planhat_orm.orm.options import registry

if TYPE_CHECKING:
    from table import Operation

    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

DAY = date(2026, 1, 15)
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)

#: Planhat's name of the property by which each list is ordered.
ORDERED = {endpoint.object: endpoint.sort for endpoint in ENDPOINTS}

Call = Callable[["Stage"], object]


class Stage:
    """A sandbox with two companies, a person at one, a member of the team, and a record of the object in question."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.kim = box.add(User, email="kim@vendor.example", first_name="Kim", last_name="Rivera", nick_name="Kim")
        self.acme: Any = Company.objects.get(
            id=box.add(Company, name="Acme", external_id="acme-42", domains=["acme.example"])["_id"]
        )
        self.birch: Any = Company.objects.get(id=box.add(Company, name="Birch", external_id="birch-7")["_id"])
        self.ada: Any = Enduser.objects.get(
            id=box.add(Enduser, company=self.acme, email="ada@acme.example", external_id="ada-1")["_id"]
        )
        self.deal: Any = Deal.objects.get(id=box.add(Deal, company=self.acme)["_id"])
        self.entry: Any = TimeEntry.objects.get(id=box.add(TimeEntry, date=DAY, hours=2, company=self.acme)["_id"])

    def planted(self, model: type[Model], **values: Any) -> str:
        """Put a record of a model into the sandbox, behind the session, and return its id."""
        given = {**CREATED[model.__name__](self), **values}
        key: str = self.box.add(model, **given)["_id"]
        return key


#: The smallest record of each object.
CREATED: dict[str, Callable[[Stage], dict[str, Any]]] = {
    "Asset": lambda stage: {"name": "Pump", "company": stage.acme},
    "Campaign": lambda stage: {"name": "Spring", "company": stage.acme},
    "Churn": lambda stage: {"company": stage.acme, "value": 1200},
    "Company": lambda stage: {"name": "Cedar"},
    "Conversation": lambda stage: {"company": stage.acme, "subject": "Check-in"},
    "CustomField": lambda stage: {"name": "Tier", "parent": "company", "type": "text"},
    "Deal": lambda stage: {"company": stage.acme},
    "Enduser": lambda stage: {"company": stage.acme, "email": "grace@acme.example"},
    "Invoice": lambda stage: {"company": stage.acme, "currency": "EUR", "invoice_date": DAY},
    "Issue": lambda stage: {"title": "Export drops a column", "companies": [stage.acme]},
    "License": lambda stage: {"company": stage.acme, "currency": "EUR", "from_date": DAY, "mrr": 100},
    "LineItem": lambda stage: {"deal": stage.deal, "from_date": DAY, "value": 900},
    "Note": lambda stage: {"company": stage.acme, "subject": "Kick-off"},
    "NPS": lambda stage: {"email": "ada@acme.example", "score": 9},
    "Objective": lambda stage: {"name": "Adoption", "company": stage.acme},
    "Opportunity": lambda stage: {"company": stage.acme},
    "Product": lambda stage: {"name": "Platform"},
    "Project": lambda stage: {"name": "Roll-out", "company": stage.acme},
    "Sale": lambda stage: {"company": stage.acme, "currency": "EUR", "sales_date": DAY, "value": 900},
    "Task": lambda stage: {"company": stage.acme, "main_type": "task"},
    "Ticket": lambda stage: {
        "company": stage.acme,
        "source_id": "90817",
        "email": "ada@acme.example",
        "domains": ["acme.example"],
        "subject": "Cannot log in",
    },
    "TimeEntry": lambda stage: {"date": DAY, "hours": 3.5},
    "Timesheet": lambda stage: {"date_from": DAY, "date_to": date(2026, 1, 22), "time_entries": [stage.entry]},
    "User": lambda stage: {
        "nick_name": "Sam",
        "email": "sam@vendor.example",
        "first_name": "Sam",
        "last_name": "Lind",
    },
    "Workspace": lambda stage: {"name": "North", "company": stage.acme},
}

#: One change of each object.
CHANGED: dict[str, dict[str, Any]] = {
    **{name: {"name": "Another"} for name in ("Asset", "Campaign", "Company", "Deal", "Objective", "Product")},
    **{name: {"name": "Another"} for name in ("Project", "Workspace")},
    **{name: {"subject": "Another"} for name in ("Conversation", "Note")},
    **{name: {"title": "Another"} for name in ("Issue", "Opportunity")},
    **{name: {"value": 1500} for name in ("Churn", "LineItem", "Sale")},
    "CustomField": {"is_featured": True},
    "Enduser": {"position": "CTO"},
    "Invoice": {"paid_date": DAY},
    "License": {"mrr": 120},
    "NPS": {"comment": "Saves us hours"},
    "Task": {"action": "Send the quote"},
    "TimeEntry": {"hours": 4},
    "Timesheet": {"status": "approved"},
    "User": {"nick_name": "Sammy"},
}

#: What sends the parameters that are not a company's or several companies' id.
FILTERED: dict[tuple[str, str], Callable[[Stage, Any], Any]] = {
    ("Churn", "downgrades"): lambda stage, objects: objects.filter(only_downgrade=True),
    ("Churn", "from"): lambda stage, objects: objects.params(from_=DAY),
    ("Churn", "to"): lambda stage, objects: objects.params(to=DAY),
    ("Company", "companyId"): lambda stage, objects: objects.filter(id__in=[stage.acme.id, stage.birch.id]),
    ("Enduser", "archived"): lambda stage, objects: objects.all(),
    ("Enduser", "email"): lambda stage, objects: objects.filter(email="ada@acme.example"),
    ("Enduser", "euId"): lambda stage, objects: objects.params(euId=stage.ada.id),
    ("Issue", "companyId"): lambda stage, objects: objects.filter(companies=stage.acme),
    ("NPS", "npsExpiryDay"): lambda stage, objects: objects.all(),
    ("Task", "enduserIds"): lambda stage, objects: objects.filter(endusers=stage.ada),
    ("Task", "isArchived"): lambda stage, objects: objects.filter(is_archived=True),
    ("Ticket", "status"): lambda stage, objects: objects.filter(status="open"),
    ("Ticket", "email"): lambda stage, objects: objects.filter(email="ada@acme.example"),
    ("Ticket", "search"): lambda stage, objects: objects.params(search="log in"),
    ("Metric", "cId"): lambda stage, objects: objects.filter(company=stage.acme),
    ("Metric", "dimid"): lambda stage, objects: objects.filter(dimension_id="logins"),
    ("Metric", "from and to"): lambda stage, objects: objects.filter(date__range=(date(2025, 6, 2), DAY)),
}

#: What is like no other object's.
OTHERS: dict[tuple[str, str], Call] = {
    ("Company", "lean list"): lambda stage: Company.objects.lean(),
    ("Company", "lean list by externalId"): lambda stage: Company.objects.lean(external_id="acme-42"),
    ("Company", "lean list by sourceId"): lambda stage: Company.objects.lean(source_id="crm-1"),
    ("Company", "lean list by status"): lambda stage: Company.objects.lean(status=["prospect", "lost"]),
    ("Ticket", "bulk upsert"): lambda stage: Ticket.objects.bulk_upsert([CREATED["Ticket"](stage)]),
    ("TimeEntry", "duplicate"): lambda stage: stage.entry.duplicate(),
    ("Metric", "push"): lambda stage: Metric.push(
        [
            {"external_id": "acme-42", "dimension_id": "logins", "value": 42, "date": NOW},
            {"external_id": "pump-1", "model": "Asset", "dimension_id": "hours", "value": 5.2, "date": NOW},
        ]
    ),
    ("Activity", "track"): lambda stage: Activity.track(
        "created a project",
        email="ada@acme.example",
        company_external_id="acme-42",
        weight=3,
        date=NOW,
        info={"plan": "pro"},
    ),
    ("Activity", "push"): lambda stage: Activity.push([{"email": "ada@acme.example", "action": "login", "count": 2}]),
    ("Activity", "segment identify"): lambda stage: Activity.segment(
        "identify", user_id="ada-1", traits={"email": "ada@acme.example", "companyId": "acme-42"}
    ),
    ("Activity", "segment track"): lambda stage: Activity.segment(
        "track", user_id="ada-1", event="downloaded a report", properties={"pages": 3}
    ),
}


def carry_out(row: Operation, stage: Stage) -> object:
    """Do what a row of the table says, as a user would."""
    if (row.object, row.name) in OTHERS:
        return OTHERS[row.object, row.name](stage)
    model = registry[row.object]
    objects: Any = model.objects
    if row.name.startswith("list"):
        return list(listed(row, stage, objects))
    if row.name == "create":
        return objects.create(**CREATED[row.object](stage))
    if row.name.startswith("get by"):
        return got(row.name.removeprefix("get by "), stage, model)
    here = stage.planted(model)
    if row.name == "bulk upsert":
        return objects.bulk_upsert([CREATED[row.object](stage), {"id": here, **CHANGED[row.object]}])
    [record] = objects.filter(id=here) if "get" in model._meta.not_offered else [objects.get(id=here)]
    stage.box.clear_requests()
    if row.name == "delete":
        return record.delete()
    for name, value in CHANGED[row.object].items():
        setattr(record, name, value)
    return record.save()


def listed(row: Operation, stage: Stage, objects: Any) -> Any:
    """Return the records that a row speaks of."""
    by = row.name.removeprefix("list by ")
    if (row.object, by) in FILTERED:
        return FILTERED[row.object, by](stage, objects)
    if by == "companyId":
        several = callable(row.params[by]) and row.params[by](f"{stage.acme.id},{stage.birch.id}")
        return objects.filter(company__in=[stage.acme, stage.birch]) if several else objects.filter(company=stage.acme)
    if row.name == "list":
        return objects.all()
    meta = objects.query.model._meta
    name = meta.by_key[ORDERED.get(row.object, "status")].name
    if row.name == "list some properties":
        # What the lean index holds would be asked of that instead.
        return objects.only(name, "phase") if meta.lean_path else objects.only(name)
    ordered = objects.order_by(f"-{name}" if row.name == "list downwards" else name)[:20]
    # A small table would be read whole and put in order here.
    return ordered.iterator() if meta.small_table else ordered


def got(key: str, stage: Stage, model: type[Model]) -> object:
    """Read a record by one of its keys."""
    name = {"id": "id", "extid": "external_id", "srcid": "source_id"}[key]
    if name == "id":
        return model.objects.get(id=stage.planted(model))
    stage.planted(model, **{name: "k-1"})
    return model.objects.get(**{name: "k-1"})
