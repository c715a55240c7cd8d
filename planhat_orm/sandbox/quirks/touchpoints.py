"""Conversations, tickets, issues and answers to surveys: what Planhat does with them.

Facts of https://www.planhat.com/developers/api/conversation and the pages beside it, as data and a few functions.
Imports the forms in ``base``. It does not promise Planhat's own wording of time buckets beyond those of the samples.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Refusal
from planhat_orm.sandbox.behaviour import TOUCH_TYPES
from planhat_orm.sandbox.quirks.base import (
    COMPANIES,
    EXTERNAL,
    SOURCE,
    Filter,
    Invalid,
    Quirks,
    company_with_domain,
    moment_of,
    named,
)
from planhat_orm.sandbox.store import Condition, Query, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.sandbox.world import World

_BLOCK = re.compile(r"</?(?:p|br|div|li|ul|ol|h\d)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def snippet_of(description: Any) -> str:
    """Return a text without its markup, cut."""
    text = html.unescape(_TAG.sub("", _BLOCK.sub(" ", str(description))))
    return " ".join(text.split())[:200]


# Conversations: https://www.planhat.com/developers/api/conversation

#: The samples of lists leave these out; those of get leave out the description, too, which is shown here.
_CONVERSATION_UNLISTED = frozenset(
    {"description", "days", "timeBucket", "history", "outDate", "source", "numberOfParts", "numberOfRelevantParts"}
)


def settle_conversation(world: World, row: Row, sent: frozenset[str]) -> None:
    """Fall back to a note, cut the text to a snippet, name the people, bucket the time."""
    if row.get("type") not in world.behaviour.touch_types:
        row["type"] = "note"
    row["isCustomType"] = row["type"] not in TOUCH_TYPES
    _settle_touchpoint(world, row)


def _settle_touchpoint(world: World, row: Row) -> None:
    if row.get("description"):
        row["snippet"] = snippet_of(row["description"])
    for key, collection in (("users", "users"), ("endusers", "endusers")):
        if isinstance(row.get(key), list):
            row[key] = [named(world, collection, item) for item in row[key]]
    if row.get("users"):
        row["userIds"] = [item["id"] for item in row["users"] if isinstance(item, dict) and "id" in item]
    moment = moment_of(row.get("date"))
    if moment is not None:
        row["days"] = (moment - datetime(1970, 1, 1, tzinfo=UTC)).days
        quarter, week = (moment.month + 2) // 3, moment.isocalendar().week
        row["timeBucket"] = [f"{moment:%Y}", f"{moment:%Y}-Q{quarter}", f"{moment:%Y}-{moment.month}"]
        row["timeBucket"].append(f"{moment:%Y}-W{week}")


def company_by_external_id(world: World, row: Row) -> str | None:
    """Find the company that a note names by your own id (docs: Note)."""
    found = world.store.find(COMPANIES, "externalId", str(row.get("companyExternalId") or ""))
    return str(found["_id"]) if found else None


def created_conversation(world: World, row: Row) -> Row:
    """Show what only the answer to a create holds: something of the company, and the texts joined."""
    company = world.store.get(COMPANIES, str(row.get("companyId"))) or {}
    texts = [str(row[key]) for key in ("subject", "description") if row.get(key)]
    more: Row = {"followers": company.get("followers") or [], "note": " ".join(texts)}
    for key, own in (("owner", "owner"), ("companySourceId", "sourceId")):
        if company.get(own):
            more[key] = company[own]
    return {**row, **more}


# Tickets: https://www.planhat.com/developers/api/ticket


def prepare_ticket(world: World, sent: Row, before: Row | None) -> None:
    """Find the company: by id, by your id, by its domains, by the submitter; note the way that the status takes."""
    if before is None:
        if sent.get("companyId") is None:
            sent["companyId"] = _company_of_ticket(world, sent)
        sent.setdefault("date", world.now())
        if not sent["companyId"]:
            raise Refusal(400, "No such company")
    status = sent.get("status")
    if status and "history" not in sent and status != (before or {}).get("status"):
        sent["history"] = [*((before or {}).get("history") or []), {"status": status, "time": world.now()}]


def _company_of_ticket(world: World, sent: Row) -> str | None:
    found = company_by_external_id(world, sent) if sent.get("companyExternalId") else None
    domains = sent.get("domains")
    if not found and isinstance(domains, list):
        found = company_with_domain(world, domains)
    if not found:
        person = world.store.find("endusers", "email", str(sent.get("email")))
        found = str(person["companyId"]) if person and person.get("companyId") else None
    return found


def settle_ticket(world: World, row: Row, sent: frozenset[str]) -> None:
    """Link the person who sent it, who is made where there is none (docs of 2017), and derive what conversations do."""
    row["type"] = row["subType"] = "ticket"
    email, company = row.get("email"), row.get("companyId")
    name = row.pop("name", None)
    if email and company and "email" in sent:
        person = _person(world, str(email), str(company), name)
        row["endusers"] = [{"id": person["_id"], "name": person.get("name") or email}]
    _settle_touchpoint(world, row)


def _person(world: World, email: str, company: str, name: Any) -> Row:
    known = world.store.find("endusers", "email", email, Condition("companyId", (company,)))
    known = known or world.store.find("endusers", "email", email)
    if known:
        return known
    now, owner = world.now(), world.store.get(COMPANIES, company) or {}
    first, _, last = str(name or "").partition(" ")
    person: Row = {"_id": world.store.new_id(), "__v": 0, "email": email, "companyId": company}
    person |= {"createDate": now, "updatedAt": now}
    parts = {"firstName": first, "lastName": last, "name": str(name or ""), "companyName": owner.get("name")}
    person |= {key: value for key, value in parts.items() if value}
    world.store.insert("endusers", [person])
    return person


# Issues: https://www.planhat.com/developers/api/issue


def settle_issue(world: World, row: Row, sent: frozenset[str]) -> None:
    """Show the companies and people with their names beside the ids."""
    for ids, shown, collection in (("companyIds", "companies", COMPANIES), ("enduserIds", "endusers", "endusers")):
        if isinstance(row.get(ids), list):
            row[ids] = [key for key in row[ids] if key]
            row[shown] = [named(world, collection, {"id": key}) for key in row[ids]]


# NPS: https://www.planhat.com/developers/api/nps

#: The names that a reader of a live tenant met in lists, for those that are documented.
_SHORT_NAMES = {"score": "nps", "comment": "npsComment", "dateAnswered": "npsDate"}


def prepare_answer(world: World, sent: Row, before: Row | None) -> None:
    """Refuse a score that is none."""
    score = sent.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int) or not 0 <= score <= 10):
        raise Invalid("score must be between 0 and 10")


def settle_answer(world: World, row: Row, sent: frozenset[str]) -> None:
    """Find the person by the e-mail, and the company through the person."""
    if "email" not in sent:
        return
    scope = [Condition("companyId", (str(row["cId"]),))] if row.get("cId") else []
    person = world.store.find("endusers", "email", str(row.get("email")), *scope)
    if person is None:
        row.pop("euId", None)
        return
    row["euId"] = person["_id"]
    if not row.get("cId") and person.get("companyId"):
        row["cId"] = person["companyId"]


def follow_answer(world: World, before: Row | None, after: Row | None) -> None:
    """Give the person the score of the latest answer."""
    person = world.store.get("endusers", str((after or {}).get("euId")))
    if after is None or person is None:
        return
    answers = world.store.rows("nps", Query((Condition("euId", (person["_id"],)),)))
    latest = max(answers, key=lambda row: str(row.get("dateAnswered") or ""), default=after)
    given = {"nps": latest.get("score"), "npsComment": latest.get("comment"), "npsDate": latest.get("dateAnswered")}
    given = {key: value for key, value in given.items() if value is not None}
    if any(person.get(key) != value for key, value in given.items()):
        world.store.replace("endusers", {**person, **given})


def hide_old_answers(world: World, params: Mapping[str, str]) -> list[Condition]:
    """Hide answers older than ``npsExpiryDay`` days, 360 unless told otherwise."""
    text = params.get("npsExpiryDay", "")
    days = int(text) if text.isdecimal() and len(text) < 10 else 360
    try:
        oldest = world.clock().astimezone(UTC) - timedelta(days=days)
    except OverflowError:
        return []
    return [Condition("dateAnswered", (oldest.isoformat(timespec="milliseconds").replace("+00:00", "Z"),), "since")]


def listed_answer(world: World, row: Row) -> Row:
    """Show an answer under the names of a live tenant's list where the behaviour says so; without the person then."""
    if world.behaviour.nps_names == "documented":
        return row
    return {_SHORT_NAMES.get(key, key): value for key, value in row.items() if key != "euId"}


QUIRKS: dict[str, Quirks] = {
    "conversations": Quirks(
        filters={"companyId": Filter("companyId", many=True), "type": Filter("type", hint=True)},
        required=("companyId",),
        prefixes=EXTERNAL,  # srcid- stands in the text on updates, but there is no sourceId
        match=("_id",),
        passing=frozenset({"useSubject", "ownerId", "comments"}),  # in create samples, in no answer
        defaults={"starred": False, "pinned": False, "archived": False, "isOpen": False, "tags": []},
        unlisted=_CONVERSATION_UNLISTED,
        touched_if_held=("updateDate",),
        settle=settle_conversation,
        created=created_conversation,
        company_of=company_by_external_id,
        deleted_document=True,
        required_texts={"companyId": "CompanyId is required for note"},
    ),
    "tickets": Quirks(
        filters={
            "companyId": Filter("companyId", many=True),
            "status": Filter("status"),
            "email": Filter("email"),
            "search": Filter("snippet", how="inside"),
        },
        other_names={"s": "status", "cid": "companyId", "l": "limit"},  # in the official sample of a command line
        required=("externalId",),
        required_texts={"externalId": "Required Field: sourceId"},
        missing=frozenset({"create", "get", "update"}),
        written_as={"title": "subject", "sourceId": "externalId"},
        passing=frozenset({"name", "domains", "companyExternalId", "agentEmail"}),
        prefixes=frozenset(),
        match=("_id", "sourceId"),
        dropped_without="email",
        defaults={
            "users": [],
            "sender": [],
            "activityTags": [],
            "emailTemplateIds": [],
            "tags": [],
            "starred": False,
            "pinned": False,
            "isOpen": False,
            "waitsToBeFiltered": True,
            "archived": False,
        },
        constant={"type": "ticket"},
        stamps=("createDate", "inDate"),
        touched=("updateDate",),
        unlisted=frozenset({"description", "__v"}),
        prepare=prepare_ticket,
        settle=settle_ticket,
    ),
    "issues": Quirks(
        filters={"companyId": Filter("companyIds", how="contains")},
        required=("title",),
        bulk_required=("title", "companyIds"),
        prefixes=SOURCE,
        match=("_id", "sourceId"),
        keyed=frozenset({"companyIds"}),
        defaults={
            "companyMatchingValue": [],
            "companyIds": [],
            "companies": [],
            "enduserIds": [],
            "endusers": [],
            "conversationIds": [],
            "archived": False,
        },
        stamps=("createdAt",),
        touched=("updatedAt",),
        settle=settle_issue,
    ),
    "nps": Quirks(
        filters={"companyId": Filter("cId", many=True)},
        required=("email", "score"),
        prefixes=SOURCE,
        match=("_id", "sourceId"),
        versioned=False,
        keyed=frozenset(),  # no page shows own keys in an answer's cId
        stamps=(),
        prepare=prepare_answer,
        settle=settle_answer,
        follow=follow_answer,
        hides=hide_old_answers,
        listed=listed_answer,
    ),
}
