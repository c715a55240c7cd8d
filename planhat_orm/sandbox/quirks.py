"""What differs between Planhat's objects beyond their declarations: what it fills in, computes, embeds and refuses.

One entry of ``QUIRKS`` for each collection that has any: small data and a few functions. Imports the store and the
world; models are declared elsewhere. It does not promise the numbers of Planhat's billing: they are computed simply.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from planhat_orm.sandbox.store import Condition, Query, Row
from planhat_orm.sandbox.world import World

#: Called after a row was created or changed, with the keys that were sent: fills in what Planhat computes.
Settle = Callable[[World, Row, frozenset[str]], None]
#: Returns the row as a single get shows it.
Embed = Callable[[World, Row], Row]

#: The collection that records belong to.
COMPANIES = "companies"

_BLOCK = re.compile(r"</?(?:p|br|div|li|ul|ol|h\d)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Quirks:
    """What is particular to one collection."""

    #: Values of a new record where nothing is sent.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Properties set to the time of creation.
    stamps: tuple[str, ...] = ("createDate",)
    #: Properties that move with every change, beside the one that the model declares for it.
    touched: tuple[str, ...] = ()
    #: The property, where a model declares it, that holds a copy of the company's name.
    company_name: str = "companyName"
    #: Properties shown beside the id where a list shows the record inside others, as company lists do with an owner.
    shown_inside: tuple[str, ...] = ()
    #: Read-only properties that are stored all the same when they are sent.
    echoed: frozenset[str] = frozenset()
    settle: Settle | None = None
    embed: Embed | None = None
    #: Finds the company of a record that names none.
    company_of: Callable[[World, Row], str | None] | None = None
    #: A record without a company is dropped with 200 rather than refused.
    dropped_without_company: bool = False
    #: Deleting answers the deleted record rather than a count.
    deleted_document: bool = False
    #: Parameters of the lean index that take several values, comma-separated.
    lean_lists: tuple[str, ...] = ()
    #: Properties without value that are "" in some rows of the lean index, and missing from others.
    lean_blanks: tuple[str, ...] = ()
    #: The refusal for a missing property, where it is not the usual text.
    required_texts: Mapping[str, str] = field(default_factory=dict)


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


# Companies: https://www.planhat.com/developers/api/company

#: The official create sample sends these, and they are echoed although Planhat maintains them.
_COMPANY_ECHOED = frozenset({"status", "phase", "domains", "h", "csmScore", "mr", "nrr30", "mrrTotal", "nrrTotal"})


def embed_revenue(world: World, row: Row) -> Row:
    """Show licences and sales inside a company, with the currency as an object."""
    full = dict(row)
    for key in ("licenses", "sales"):
        found = world.store.rows(key, Query(where=(Condition("companyId", (row["_id"],)),)))
        full[key] = [{**item, "_currency": _currency(item.get("_currency"))} for item in found]
    return full


def _currency(code: Any) -> Any:
    if not isinstance(code, str):
        return code
    symbol = {"EUR": "€", "USD": "$", "GBP": "£"}.get(code, code)
    return {"_id": code, "symbol": symbol, "rate": 1, "isBase": code == "EUR", "overrides": {}, "__v": 0}


# Endusers: https://www.planhat.com/developers/api/enduser


def settle_enduser(world: World, row: Row, sent: frozenset[str]) -> None:
    """Join first and last name."""
    name = " ".join(part for part in (row.get("firstName"), row.get("lastName")) if part)
    if name:
        row["name"] = name


def company_by_domain(world: World, row: Row) -> str | None:
    """Find the company that has the domain of the person's e-mail among its own."""
    domain = str(row.get("email") or "").rpartition("@")[2].lower()
    if not domain:
        return None
    for company in world.store.rows(COMPANIES):
        domains = company.get("domains") or []
        if domain in (domains if isinstance(domains, list) else str(domains).split(",")):
            return str(company["_id"])
    return None


# Licences: https://www.planhat.com/developers/api/license

#: Switching to open-ended clears these, even those sent with it (hull-planhat recordings).
_FIXED_ONLY = (
    "toDate",
    "value",
    "length",
    "autoRenews",
    "renewalUnit",
    "renewalPeriod",
    "renewalDate",
    "renewalDaysFromNow",
)


def settle_license(world: World, row: Row, sent: frozenset[str]) -> None:
    """Compute value, monthly and yearly amount and the renewal from each other."""
    row.setdefault("fixedPeriod", row.get("toDate") is not None)
    if row["fixedPeriod"] is False:
        for key in _FIXED_ONLY:
            row.pop(key, None)
    else:
        _settle_term(world, row, sent)
    monthly, yearly = _number(row.get("mrr")), _number(row.get("arr"))
    if yearly is not None and "arr" in sent and "mrr" not in sent:
        row["mrr"] = round(yearly / 12, 2)
    elif monthly is not None:
        row["arr"] = round(monthly * 12, 2)


def _settle_term(world: World, row: Row, sent: frozenset[str]) -> None:
    start, end = _moment(row.get("fromDate")), _moment(row.get("toDate"))
    if end is None:
        return
    row.setdefault("renewalUnit", "month")
    row["renewalDate"] = row["toDate"]
    row["renewalDaysFromNow"] = (end - world.clock().astimezone(UTC)).days
    if start is None or end <= start:
        return
    months = max(1, round((end - start).days / 30.4375))
    row["length"] = months
    row.setdefault("renewalPeriod", months)
    monthly, value = _number(row.get("mrr")), _number(row.get("value"))
    if monthly is not None and ("mrr" in sent or value is None):
        row["value"] = round(monthly * months, 2)
    elif value is not None:
        row["mrr"] = round(value / months, 2)


# Conversations: https://www.planhat.com/developers/api/conversation


def settle_conversation(world: World, row: Row, sent: frozenset[str]) -> None:
    """Fall back to a note, cut the text to a snippet, name the people, bucket the time."""
    if row.get("type") not in world.behaviour.touch_types:
        row["type"] = "note"
    if row.get("description"):
        text = html.unescape(_TAG.sub("", _BLOCK.sub(" ", str(row["description"]))))
        row["snippet"] = " ".join(text.split())[:200]
    for key, collection in (("users", "users"), ("endusers", "endusers")):
        if isinstance(row.get(key), list):
            row[key] = [_participant(world, collection, item) for item in row[key]]
    if row.get("users"):
        row["userIds"] = [item["id"] for item in row["users"] if isinstance(item, dict) and "id" in item]
    moment = _moment(row.get("date"))
    if moment is not None:
        row["days"] = (moment - datetime(1970, 1, 1, tzinfo=UTC)).days
        quarter, week = (moment.month + 2) // 3, moment.isocalendar().week
        row["timeBucket"] = [f"{moment:%Y}", f"{moment:%Y}-Q{quarter}", f"{moment:%Y}-{moment.month}"]
        row["timeBucket"].append(f"{moment:%Y}-W{week}")


def _participant(world: World, collection: str, item: Any) -> Any:
    if not isinstance(item, dict) or "name" in item or not isinstance(item.get("id"), str):
        return item
    person = world.store.get(collection, item["id"])
    if person is None:
        return item
    # The name is a copy that does not follow a rename.
    return {**item, "name": person.get("nickName") or person.get("name") or person.get("email", "")}


QUIRKS: dict[str, Quirks] = {
    COMPANIES: Quirks(
        defaults={"status": "prospect"},
        touched=("lastUpdated",),
        echoed=_COMPANY_ECHOED,
        embed=embed_revenue,
        lean_lists=("status",),
        lean_blanks=("externalId",),  # docs: sample of leancompanies
    ),
    "endusers": Quirks(
        defaults={
            "npsUnsubscribed": False,
            "beats": 0,
            "beatsTotal": 0,
            "beatTrend": 0,
            "convs14": 0,
            "convsTotal": 0,
            "experience": 0,
        },
        settle=settle_enduser,
        company_of=company_by_domain,
        dropped_without_company=True,
    ),
    "users": Quirks(
        # Users created over the API are inactive unless told otherwise.
        defaults={"inactive": True, "isHidden": False, "removed": False, "type": "user", "image": {"path": ""}},
        stamps=("createDate", "createdAt"),
        shown_inside=("nickName",),
    ),
    "licenses": Quirks(
        defaults={
            "renewalStatus": "ongoing",
            "autoRenews": False,
            "noticePeriod": 0,
            "isOverdue": False,
            "invoicesGenerated": False,
            "issues": [],
        },
        stamps=(),
        settle=settle_license,
    ),
    "conversations": Quirks(
        defaults={"starred": False, "pinned": False, "archived": False, "isOpen": False, "tags": []},
        settle=settle_conversation,
        deleted_document=True,
        required_texts={"companyId": "CompanyId is required for note"},
    ),
}
