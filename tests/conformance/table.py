"""Every operation that Planhat documents: method, path, parameters, shape of the body.

Written from Planhat's pages and their transcriptions (docs: What Planhat does), not from the models, so that a model
that says something else shows. ``calls`` has what a user writes for each row, ``check`` runs them and reads the log.
Imports the shapes only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shapes import BOOLEAN, DAY, DIGITS, ID, IDS, NUMBER, TEXT, TIME, WHOLE, Shape, naming

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TENANT = "{tenant}"


@dataclass(frozen=True)
class Operation:
    """One documented operation. ``{id}`` in a path is the id of a record, ``{tenant}`` the tenant's token."""

    object: str
    name: str
    method: str
    path: str
    params: Mapping[str, Shape] = field(default_factory=dict)
    body: Shape = None

    def __str__(self) -> str:
        query = "&".join(f"{name}=" for name in self.params)
        return f"{self.object}: {self.name}: {self.method} {self.path}{'?' + query if query else ''}"


@dataclass(frozen=True)
class Endpoint:
    """An object with the usual operations, and what differs from object to object.

    ``create`` is the smallest documented body, ``update`` a change of one property, ``keys`` what paths take beside
    the id, ``filters`` the list parameters beside those of paging, ``sort`` a property to sort by.
    """

    object: str
    path: str
    create: Mapping[str, Shape]
    update: Mapping[str, Shape]
    keys: str = "extid srcid"
    filters: Mapping[str, Shape] = field(default_factory=dict)
    sort: str = "name"
    without: str = ""

    def operations(self) -> Iterator[Operation]:
        """Yield its rows."""
        at, one = f"/{self.path}", f"/{self.path}/{{id}}"
        rows = [
            Operation(self.object, "create", "POST", at, body=self.create),
            Operation(self.object, "get by id", "GET", one),
            *(Operation(self.object, f"get by {key}", "GET", f"{at}/{key}-{{key}}") for key in self.keys.split()),
            Operation(self.object, "list", "GET", at, {"limit": DIGITS, "offset": DIGITS}),
            Operation(self.object, "list in an order", "GET", at, {"sort": self.sort}),
            Operation(self.object, "list downwards", "GET", at, {"sort": f"-{self.sort}"}),
            Operation(self.object, "list some properties", "GET", at, {"select": naming("_id", self.sort)}),
            *(
                Operation(self.object, f"list by {name}", "GET", at, {name: value})
                for name, value in self.filters.items()
            ),
            Operation(self.object, "update", "PUT", one, body=self.update),
            Operation(self.object, "delete", "DELETE", one),
            Operation(self.object, "bulk upsert", "PUT", at, body=[self.create, {"_id": ID, **self.update}]),
        ]
        return (row for row in rows if row.name not in self.without.split("; "))


COMPANY = {"companyId": ID}

ENDPOINTS = (
    Endpoint("Asset", "assets", {"name": TEXT, **COMPANY}, {"name": TEXT}, filters=COMPANY),
    Endpoint("Campaign", "campaigns", {"name": TEXT, **COMPANY}, {"name": TEXT}, filters=COMPANY),
    Endpoint(
        "Churn",
        "churn",
        {**COMPANY, "value": NUMBER},
        {"value": NUMBER},
        keys="",
        filters={**COMPANY, "downgrades": "only", "from": DAY, "to": DAY},
        sort="value",
    ),
    Endpoint("Company", "companies", {"name": TEXT}, {"name": TEXT}, filters={"companyId": IDS}),
    Endpoint(
        "Conversation",
        "conversations",
        {**COMPANY, "subject": TEXT},
        {"subject": TEXT},
        keys="extid",
        filters={"companyId": IDS},
        sort="subject",
    ),
    Endpoint(
        "CustomField",
        "customfields",
        {"name": TEXT, "parent": TEXT, "type": TEXT, "isHidden": BOOLEAN},
        {"isFeatured": BOOLEAN},
        keys="",
        without="bulk upsert",
    ),
    Endpoint("Deal", "deals", COMPANY, {"name": TEXT}, filters=COMPANY),
    Endpoint(
        "Enduser",
        "endusers",
        {**COMPANY, "email": TEXT},
        {"position": TEXT},
        filters={"companyId": IDS, "archived": "true", "email": TEXT, "euId": ID},
        sort="email",
    ),
    Endpoint(
        "Invoice",
        "invoices",
        {"cId": ID, "currency": TEXT, "invoiceDate": WHOLE},
        {"paidDate": WHOLE},
        filters={"companyId": IDS},
        sort="invoiceDate",
    ),
    Endpoint(
        "Issue",
        "issues",
        {"title": TEXT, "companyIds": [ID]},
        {"title": TEXT},
        keys="srcid",
        filters=COMPANY,
        sort="title",
    ),
    Endpoint(
        "License",
        "licenses",
        {**COMPANY, "_currency": TEXT, "fromDate": TIME, "mrr": NUMBER},
        {"mrr": NUMBER},
        filters=COMPANY,
        sort="fromDate",
    ),
    Endpoint(
        "LineItem",
        "lineitems",
        {"dealId": ID, "fromDate": TIME, "value": NUMBER},
        {"value": NUMBER},
        sort="value",
    ),
    Endpoint(
        "Note",
        "conversations",
        {**COMPANY, "subject": TEXT, "type": "note"},
        {"subject": TEXT},
        keys="extid",
        filters={"companyId": IDS},
        sort="subject",
    ),
    Endpoint(
        "NPS",
        "nps",
        {"email": TEXT, "score": WHOLE},
        {"comment": TEXT},
        keys="srcid",
        filters={"companyId": IDS, "npsExpiryDay": DIGITS},
        sort="email",
    ),
    Endpoint("Objective", "objectives", {"name": TEXT, **COMPANY}, {"name": TEXT}, filters=COMPANY),
    Endpoint("Opportunity", "opportunities", COMPANY, {"title": TEXT}, filters=COMPANY, sort="title"),
    Endpoint("Product", "products", {"name": TEXT}, {"name": TEXT}),
    Endpoint("Project", "projects", {"name": TEXT, **COMPANY}, {"name": TEXT}, filters=COMPANY),
    Endpoint(
        "Sale",
        "sales",
        {**COMPANY, "_currency": TEXT, "salesDate": TIME, "value": NUMBER},
        {"value": NUMBER},
        filters=COMPANY,
        sort="value",
    ),
    Endpoint(
        "Task",
        "tasks",
        {**COMPANY, "mainType": "task"},
        {"action": TEXT},
        keys="srcid",
        filters={"companyId": IDS, "enduserIds": TEXT, "isArchived": "true"},
        sort="action",
    ),
    Endpoint(
        "TimeEntry",
        "timeentries",
        {"date": TIME, "hours": NUMBER},
        {"hours": NUMBER},
        keys="",
        filters=COMPANY,
        sort="hours",
    ),
    Endpoint(
        "Timesheet",
        "timesheets",
        {"dateFrom": WHOLE, "dateTo": WHOLE, "timeEntries": [{"_id": ID}]},
        {"status": "approved"},
        keys="",
        sort="dateFrom",
    ),
    Endpoint(
        "User",
        "users",
        {"nickName": TEXT, "email": TEXT, "firstName": TEXT, "lastName": TEXT},
        {"nickName": TEXT},
        keys="extid",
        sort="email",
    ),
    Endpoint("Workspace", "workspaces", {"name": TEXT, **COMPANY}, {"name": TEXT}, filters=COMPANY),
)

TICKET = {**COMPANY, "sourceId": TEXT, "email": TEXT, "domains": [TEXT], "title": TEXT}
METRIC = {"dimensionId": TEXT, "value": NUMBER, "externalId": TEXT, "date": TIME}
EVENT = {
    "email": TEXT,
    "companyExternalId": TEXT,
    "action": TEXT,
    "weight": NUMBER,
    "date": TIME,
    "info": {"plan": TEXT},
}

OTHERS = (
    Operation("Company", "lean list", "GET", "/leancompanies"),
    Operation("Company", "lean list by externalId", "GET", "/leancompanies", {"externalId": TEXT}),
    Operation("Company", "lean list by sourceId", "GET", "/leancompanies", {"sourceId": TEXT}),
    Operation("Company", "lean list by status", "GET", "/leancompanies", {"status": "prospect,lost"}),
    Operation("Ticket", "bulk upsert", "PUT", "/tickets", body=[TICKET]),
    Operation("Ticket", "list", "GET", "/tickets", {"limit": DIGITS, "offset": DIGITS}),
    Operation("Ticket", "list in an order", "GET", "/tickets", {"sort": "status"}),
    Operation("Ticket", "list downwards", "GET", "/tickets", {"sort": "-status"}),
    Operation("Ticket", "list some properties", "GET", "/tickets", {"select": naming("_id", "status")}),
    Operation("Ticket", "list by companyId", "GET", "/tickets", {"companyId": IDS}),
    Operation("Ticket", "list by status", "GET", "/tickets", {"status": "open"}),
    Operation("Ticket", "list by email", "GET", "/tickets", {"email": TEXT}),
    Operation("Ticket", "list by search", "GET", "/tickets", {"search": TEXT}),
    Operation("Ticket", "delete", "DELETE", "/tickets/{id}"),
    Operation("TimeEntry", "duplicate", "POST", "/timeentries/duplicate", body={"ids": [ID]}),
    Operation(
        "Metric", "list", "GET", "/dimensiondata", {"from": DIGITS, "to": DIGITS, "limit": DIGITS, "offset": DIGITS}
    ),
    Operation("Metric", "list by cId", "GET", "/dimensiondata", {"cId": ID}),
    Operation("Metric", "list by dimid", "GET", "/dimensiondata", {"dimid": TEXT}),
    Operation("Metric", "list by from and to", "GET", "/dimensiondata", {"from": "20240", "to": DIGITS}),
    Operation(
        "Metric",
        "push",
        "POST",
        f"/dimensiondata/{TENANT}",
        body=[{**METRIC, "model": "Company"}, {**METRIC, "model": "Asset"}],
    ),
    Operation("Activity", "track", "POST", f"/analytics/{TENANT}", body=EVENT),
    Operation(
        "Activity", "push", "POST", f"/analytics/bulk/{TENANT}", body=[{"email": TEXT, "action": TEXT, "count": WHOLE}]
    ),
    Operation(
        "Activity",
        "segment identify",
        "POST",
        "/dock/segment",
        body={"type": "identify", "user_id": TEXT, "traits": {"email": TEXT, "companyId": TEXT}},
    ),
    Operation(
        "Activity",
        "segment track",
        "POST",
        "/dock/segment",
        body={"type": "track", "user_id": TEXT, "event": TEXT, "properties": {"pages": WHOLE}},
    ),
)

OPERATIONS = tuple(row for endpoint in ENDPOINTS for row in endpoint.operations()) + OTHERS
