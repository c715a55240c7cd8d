"""The records that querysets are held against plain Python over: odd on purpose, and the same in every run.

Fills a sandbox behind the session. The fields are described by hand, in Planhat's names, so that nothing is taken from
what is tested. Two models of small pages stand beside Company and Enduser. It promises no record that makes sense.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from planhat_orm.analytics import Metric
from planhat_orm.models import NPS, Company, Conversation, Enduser, Issue, License, Note, Task, Ticket, User

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

NOTHING = object()
GONE = "64b0ffff1912265b1f5fffff"

TEXTS: list[Any] = [
    *("Acme", "acme", "ACME", "Straße", "STRASSE", "a,b", "50% & co?", 'O\'Brien "x"/y', "naïve ☃", "1234", "Zoë"),
    *("", None, NOTHING, 1234, 3.5, True, ["Acme"]),
]
NUMBERS: list[Any] = [0, 1, -1, 3.7, 10, 10, 12, "12", " 5 ", "abc", "", True, None, 10**15, 1e-9, NOTHING, NOTHING]
BOOLEANS: list[Any] = [True, False, True, False, "", "true", "false", 1, 0, "maybe", None, NOTHING]
TIMES: list[Any] = [
    *("2025-03-31T21:00:00.000Z", "2025-04-01T00:00:00.000Z", "2025-04-01T12:00:00.000Z", "2025-04-01T23:59:59.999Z"),
    *("2025-04-02T00:00:00.000Z", "2025-04-01T03:30:00+02:00", "2024-02-29T10:00:00.000Z", "2025-04-01"),
    *(1743508800000, "", "yesterday", None, NOTHING, ["2025-04-01"]),
]
DAYS: list[Any] = [*TIMES[:8], "2025-03-31T04:00:00.000Z", "2026-01-01T00:00:00.000Z", 20179, "", "soon", None, NOTHING]
HOURS = ["2025-03-31T21:00:00.000Z", "2025-04-01T00:00:00.000Z", "2025-04-01T12:00:00.000Z", "2025-04-02T03:00:00.000Z"]
LISTS: list[Any] = [
    [],
    ["vip"],
    ["VIP", "eu"],
    ["vip", "eu", "a,b"],
    "vip, eu",
    "",
    None,
    NOTHING,
    [1, "vip"],
    {"vip": 1},
]
#: What Planhat filters by itself is stored plainly: how it would compare odd values is not known.
PLAIN_TEXTS: list[Any] = [
    "ada@x.example",
    "Ada@X.example",
    "ada+1@x.example",
    "ü@x.example",
    "",
    NOTHING,
    "b,c@x.example",
]
CUSTOM: dict[str, list[Any]] = {
    "Tier": ["Gold", "gold", "Silver", "Größe", "", None, 3, True, ["Gold", "x"], {"Gold": 1}, NOTHING, NOTHING],
    "Days in Phase": [0, 300, 300.5, "300", None, NOTHING, -4],
    "a.b": ["dot", NOTHING],
    "a__b": ["line", NOTHING],
    "Since": ["2025-04-01T12:00:00.000Z", "2025-04-01", 20179, 1743508800000, "Gold", None, NOTHING],
}


@dataclass(frozen=True)
class Known:
    """A field: its name here, Planhat's name, and how it is read.

    ``to`` is what a link leads to. By what is ``sent`` Planhat filters, by what ``hides`` its lists leave rows out.
    """

    name: str
    key: str
    kind: str
    to: str = ""
    sent: bool = False
    hides: bool = False


class World:
    """A filled sandbox: its models by name, their fields, and the rows that belong to each."""

    def __init__(self, box: Sandbox, models: dict[str, type[Model]], fields: dict[str, list[Known]]) -> None:
        self.box = box
        self.models = models
        self.fields = fields
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.known_ids: dict[str, list[str]] = {}

    def __repr__(self) -> str:
        return "<World>"

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a model as they are stored, in the order of their ids."""
        if name not in self.tables:
            self.tables[name] = sorted(self.box.rows(self.models[name]), key=lambda row: row["_id"])
        return self.tables[name]

    def ids(self, name: str) -> list[str]:
        """Return the ids of a model's rows."""
        return [row["_id"] for row in self.rows(name)]


#: Other names that fields have.
SPELLINGS = {"id": "pk", "company": "company_id", "owner": "owner_id"}
CUSTOM_FIELDS = [Known(f"custom.{key}", f"custom.{key}", "any") for key in CUSTOM]
ID = Known("id", "_id", "id")

FIELDS: dict[str, list[Known]] = {
    "Company": [
        ID,
        Known("name", "name", "text"),
        Known("external_id", "externalId", "key", sent=True),
        Known("source_id", "sourceId", "key", sent=True),
        Known("phase", "phase", "text"),
        Known("status", "status", "status"),
        Known("arr", "arr", "number"),
        Known("auto_renews", "autoRenews", "boolean"),
        Known("last_touch", "lastTouch", "time"),
        Known("updated_at", "updatedAt", "time", sent=True),
        Known("renewal_date", "renewalDate", "day"),
        Known("tags", "tags", "texts"),
        Known("owner", "owner", "link", "User"),
        Known("co_owner", "coOwner", "link", "User"),
        Known("followers", "followers", "links", "User"),
        *CUSTOM_FIELDS,
    ],
    "Enduser": [
        ID,
        Known("email", "email", "text", sent=True),
        Known("first_name", "firstName", "text"),
        Known("external_id", "externalId", "key", sent=True),
        Known("source_id", "sourceId", "key", sent=True),
        Known("company", "companyId", "link", "Company", sent=True),
        Known("archived", "archived", "boolean", hides=True),
        Known("primary", "primary", "boolean"),
        Known("tags", "tags", "texts"),
        Known("nps", "nps", "number"),
        Known("last_active", "lastActive", "time"),
        Known("updated_at", "updatedAt", "time", sent=True),
        *CUSTOM_FIELDS,
    ],
    "Task": [
        ID,
        Known("action", "action", "text"),
        Known("status", "status", "text"),
        Known("source_id", "sourceId", "key", sent=True),
        Known("company", "companyId", "link", "Company", sent=True),
        Known("owner", "ownerId", "link", "User"),
        Known("is_archived", "isArchived", "boolean", hides=True),
        Known("end_time", "endTime", "time"),
        Known("updated_at", "updatedAt", "time", sent=True),
        Known("endusers", "endusers", "links", "Enduser", sent=True),
        *CUSTOM_FIELDS,
    ],
    "Conversation": [
        ID,
        Known("subject", "subject", "text"),
        Known("type", "type", "text", sent=True),
        Known("company", "companyId", "link", "Company", sent=True),
        Known("date", "date", "time"),
        Known("users", "users", "links", "User"),
        Known("starred", "starred", "boolean"),
        *CUSTOM_FIELDS,
    ],
    "Ticket": [
        ID,
        Known("subject", "subject", "text"),
        Known("status", "status", "text", sent=True),
        Known("email", "email", "text", sent=True),
        Known("company", "companyId", "link", "Company", sent=True),
    ],
    "Issue": [
        ID,
        Known("title", "title", "text"),
        Known("companies", "companyIds", "links", "Company", sent=True),
        Known("archived", "archived", "boolean"),
        Known("mrr_combined", "mrrCombined", "number"),
        Known("updated_at", "updatedAt", "time", sent=True),
    ],
    "NPS": [
        ID,
        Known("score", "score", "number"),
        Known("comment", "comment", "text"),
        Known("company", "cId", "link", "Company", sent=True),
        Known("answered_at", "dateAnswered", "time"),
        *CUSTOM_FIELDS,
    ],
    "License": [
        ID,
        Known("product", "product", "text"),
        Known("value", "value", "number"),
        Known("company", "companyId", "link", "Company", sent=True),
        Known("to_date", "toDate", "day"),
        *CUSTOM_FIELDS,
    ],
    "Metric": [
        ID,
        Known("dimension_id", "dimensionId", "text", sent=True),
        Known("value", "value", "number"),
        Known("date", "time", "utc day", sent=True),
        Known("company", "companyId", "link", "Company", sent=True),
    ],
    "User": [
        ID,
        Known("email", "email", "text", sent=True),
        Known("nick_name", "nickName", "text"),
        Known("inactive", "inactive", "boolean"),
        Known("managers", "managers", "links", "User"),
        *CUSTOM_FIELDS,
    ],
}
FIELDS["Note"] = FIELDS["Conversation"]
FIELDS |= {f"Small{name}": FIELDS[name] for name in ("Company", "Enduser", "Task", "Note", "Metric")}

COUNTS = {
    "User": 9,
    "Company": 131,
    "Enduser": 140,
    "Task": 90,
    "Conversation": 70,
    "Ticket": 25,
    "Issue": 40,
    "NPS": 50,
    "License": 40,
    "Metric": 60,
}


def filled(box: Sandbox) -> World:
    """Fill a sandbox and describe what is in it."""

    class SmallCompany(Company):
        class Meta:
            page_size = (7, 23)

    class SmallEnduser(Enduser):
        class Meta:
            page_size = (5, 11)

    class SmallTask(Task):
        class Meta:
            page_size = (3, 8)

    class SmallNote(Note):
        class Meta(Note.Meta):
            page_size = (2, 6)

    class SmallMetric(Metric):
        class Meta:
            page_size = (3, 7)

    planhats = (Metric, Company, Enduser, Task, Conversation, Note, Ticket, Issue, NPS, License, User)
    known = (*planhats, SmallCompany, SmallEnduser, SmallTask, SmallNote, SmallMetric)
    world = World(box, {model.__name__: model for model in known}, FIELDS)
    chance = random.Random(4)
    for name, count in COUNTS.items():
        # Ids are not in the order in which records are added.
        world.known_ids[name] = [an_id(chance) for _ in range(count)]
        rows = [row_of(chance, name, one, world.known_ids) for one in world.known_ids[name]]
        # Not by add(), which would fill in and settle what no odd value survives.
        box._world.store.insert(world.models[name]._meta.records, rows)
    for name in world.models:
        world.rows(name)  # as they are before anything comes and goes
    return world


def an_id(chance: random.Random) -> str:
    """Return an id like Planhat's, anywhere among the others."""
    return f"64b{chance.getrandbits(40):010x}265b1f5{chance.getrandbits(16):04x}"


def strangers(world: World, name: str, chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Return more rows of a model, as odd as the others, that are not stored."""
    name = "Conversation" if name.endswith("Note") else name.removeprefix("Small")
    return [row_of(chance, name, an_id(chance), world.known_ids) for _ in range(count)]


def row_of(chance: random.Random, name: str, id: str, ids: dict[str, list[str]]) -> dict[str, Any]:
    """Return one record, in Planhat's names, with what no model declares beside the rest."""
    row: dict[str, Any] = {"_id": id, "unheardOf": 1}
    for one in FIELDS[name]:
        if one is not ID and "." not in one.key:
            row[one.key] = value_for(chance, name, one, ids)
    custom = {key: chance.choice(values) for key, values in CUSTOM.items()}
    custom = {key: value for key, value in custom.items() if value is not NOTHING}
    if CUSTOM_FIELDS[0] in FIELDS[name]:
        row["custom"] = chance.choice([custom, custom, custom, custom, NOTHING, [], "", None])
    if name == "NPS":
        row["dateAnswered"] = chance.choice(["2025-04-01T12:00:00.000Z", "2019-01-01T00:00:00.000Z", "soon", NOTHING])
    if name == "Metric":
        row |= {"dimensionId": chance.choice(["logins", "seats"]), "time": chance.choice(HOURS)}
        row["day"] = (datetime.fromisoformat(row["time"]) - datetime(1970, 1, 1, tzinfo=UTC)).days
    if name in ("Conversation", "Ticket"):
        row["type"] = "ticket" if name == "Ticket" else chance.choice(["note", "note", "email", "call"])
    return {key: value for key, value in row.items() if value is not NOTHING}


def value_for(chance: random.Random, name: str, known: Known, ids: dict[str, list[str]]) -> Any:
    """Return a value of one field."""
    if known.kind == "key":
        number = chance.randrange(10**9)
        return chance.choice([f"K-{number}", f"k/{number} ü%", "", NOTHING])
    if known.kind == "link":
        one = chance.choice(ids[known.to])
        plain = [one, one, one, one, GONE, NOTHING, NOTHING]
        return chance.choice(plain if known.sent else [*plain, {"_id": one, "nickName": "x"}, {"id": one}, "", 5])
    if known.kind == "links":
        some = chance.sample(ids[known.to], chance.randrange(min(4, len(ids[known.to]))))
        if name == "Issue":
            return some
        shaped = [{"id": one} for one in some]
        return chance.choice([some, shaped, NOTHING] if not known.sent else [shaped, shaped, NOTHING])
    if known.kind == "status":
        return chance.choice(["customer", "customer", "prospect", "lost", "", NOTHING])
    if known.hides and known.name == "is_archived":
        return chance.choice([True, False, True, False, "", None, NOTHING])
    if known.kind == "text":
        return chance.choice(PLAIN_TEXTS if known.sent else TEXTS)
    if known.kind == "utc day":
        return HOURS[0]
    pools = {"number": NUMBERS, "boolean": BOOLEANS, "time": TIMES, "day": DAYS, "texts": LISTS}
    return chance.choice(pools[known.kind])
