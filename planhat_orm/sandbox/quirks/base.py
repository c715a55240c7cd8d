"""The form in which the sandbox knows what differs between Planhat's objects beyond their declarations.

Small descriptions and what they share. Imports the store and the world; the facts are in the modules beside this one.
It does not promise the numbers of Planhat's billing: they are computed simply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from planhat_orm.sandbox.answers import Refusal
from planhat_orm.sandbox.store import Condition, How, Query, Row
from planhat_orm.sandbox.world import World

#: Called after a row was created or changed, with the keys that were sent: fills in what Planhat computes.
Settle = Callable[[World, Row, frozenset[str]], None]
#: Returns the row as an answer shows it.
Show = Callable[[World, Row], Row]
#: Refuses or completes what was sent, in Planhat's names; beside it the row as it is, None for a new one.
Prepare = Callable[[World, Row, Row | None], None]
#: Called when a row was stored or deleted (then the row after it is None): changes other records.
Follow = Callable[[World, Row | None, Row | None], None]
#: Returns the rows that a list hides unless its parameters ask for them, as conditions on those it shows.
Hide = Callable[[World, Mapping[str, str]], Iterable[Condition]]

#: The prefixes of own keys.
EXTERNAL, SOURCE = frozenset({"extid-"}), frozenset({"srcid-"})
BOTH = EXTERNAL | SOURCE

#: The collection that records belong to.
COMPANIES = "companies"


@dataclass(frozen=True, slots=True)
class Filter:
    """A parameter of a list: the property it speaks of and how it compares.

    :param key: the property.
    :param many: whether it takes several values, comma-separated.
    :param how: how the value compares.
    :param hint: only some source names it; it filters when ``Behaviour.hints`` says so.
    :param read: turns the text of the parameter into the value.
    """

    key: str
    many: bool = False
    how: How = "is"
    hint: bool = False
    read: Callable[[str], str | int] = str


@dataclass(frozen=True, slots=True)
class Quirks:
    """What is particular to one collection."""

    #: List parameters, by name.
    filters: Mapping[str, Filter] = field(default_factory=dict)
    #: Other names of list parameters.
    other_names: Mapping[str, str] = field(default_factory=dict)
    #: What a create needs, a tuple for "one of these".
    required: tuple[str | tuple[str, ...], ...] = ()
    #: What a new item of a bulk upsert needs, where that differs.
    bulk_required: tuple[str, ...] | None = None
    #: Prefixes of the keys that a path takes in place of an id, and in the path of an update where those differ.
    prefixes: frozenset[str] = BOTH
    update_prefixes: frozenset[str] | None = None
    #: The properties that "extid-" and "srcid-" speak of.
    external_key: str = "externalId"
    source_key: str = "sourceId"
    #: The keys that bulk upsert matches items on, under the names that are sent; the first that is there decides.
    match: tuple[str, ...] = ("_id", "sourceId", "externalId")
    #: Operations that there are not, beside those that the model declares so.
    missing: frozenset[str] = frozenset()
    #: References that may be written by an own key, "extid-...", in place of the id.
    keyed: frozenset[str] = frozenset({"companyId"})
    #: What is written under another name than it is read.
    written_as: Mapping[str, str] = field(default_factory=dict)
    #: What is sent for Planhat to find others by, and not stored.
    passing: frozenset[str] = frozenset()
    #: Properties that count days from 1970-01-01.
    day_numbers: frozenset[str] = frozenset()
    #: Values of a new record where nothing is sent.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Values that every record holds, whatever is sent.
    constant: Mapping[str, Any] = field(default_factory=dict)
    #: Whether records hold the storage's version number, __v; the samples of some objects have none.
    versioned: bool = True
    #: Properties set to the time of creation.
    stamps: tuple[str, ...] = ("createDate",)
    #: Properties that move with every change.
    touched: tuple[str, ...] = ()
    #: Those that move only where a record holds them, as a ticket does that is changed as a conversation.
    touched_if_held: tuple[str, ...] = ()
    #: The property, where a model declares it, that holds a copy of the company's name.
    company_name: str = "companyName"
    #: Properties shown beside the id where a list shows the record inside others, as company lists do with an owner.
    shown_inside: tuple[str, ...] = ()
    #: Read-only properties that are stored all the same when they are sent.
    echoed: frozenset[str] = frozenset()
    #: Properties that no list holds, beside those that the model declares so.
    unlisted: frozenset[str] = frozenset()
    prepare: Prepare | None = None
    settle: Settle | None = None
    follow: Follow | None = None
    hides: Hide | None = None
    #: The row as a single get shows it, as a list does, and as the answer to its creation does.
    embed: Show | None = None
    listed: Show | None = None
    created: Show | None = None
    #: Finds the company of a record that names none.
    company_of: Callable[[World, Row], str | None] | None = None
    #: A record without a company is dropped with 200 rather than refused.
    dropped_without_company: bool = False
    #: A record without this property is dropped with 200, be it new or not.
    dropped_without: str = ""
    #: Deleting answers the deleted record rather than a count.
    deleted_document: bool = False
    #: Bulk answers hold validationErrors.
    validation_errors: bool = False
    #: What POST /{collection}/{action} does with each record that its body names: makes the item of a bulk upsert.
    actions: Mapping[str, Callable[[Row], Row]] = field(default_factory=dict)
    #: Parameters of the lean index that take several values, comma-separated.
    lean_lists: tuple[str, ...] = ()
    #: Properties without value that are "" in some rows of the lean index, and missing from others.
    lean_blanks: tuple[str, ...] = ()
    #: The refusal for a missing property, where it is not the usual text.
    required_texts: Mapping[str, str] = field(default_factory=dict)


class Invalid(Refusal):
    """What was sent breaks a rule of its object; bulk answers of some objects list it apart."""

    def __init__(self, text: str) -> None:
        super().__init__(400, text)


def moment_of(value: Any) -> datetime | None:
    """Return a stored time as an aware datetime, None for anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def number_of(value: Any) -> float | None:
    """Return a number as it is, None for anything else."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def named(world: World, collection: str, item: Any) -> Any:
    """Return {id} with the name of the person or company beside it: a copy that does not follow a rename."""
    if not isinstance(item, dict) or "name" in item or not isinstance(item.get("id"), str):
        return item
    found = world.store.get(collection, item["id"])
    return item if found is None else {**item, "name": name_in(found)}


def name_in(row: Row) -> str:
    """Return what a person or company is called inside other records."""
    return str(row.get("nickName") or row.get("name") or row.get("email", ""))


def company_with_domain(world: World, domains: Iterable[Any]) -> str | None:
    """Find the first company that has one of the domains among its own."""
    wanted = {str(domain).lower() for domain in domains if domain}
    if not wanted:
        return None
    for company in world.store.rows(COMPANIES, Query()):
        own = company.get("domains") or []
        if wanted.intersection(own if isinstance(own, list) else str(own).split(",")):
            return str(company["_id"])
    return None


def copy_owner_name(world: World, row: Row, sent: frozenset[str]) -> None:
    """Copy the name of the owner when the owner is set."""
    if "ownerId" in sent:
        owner = world.store.get("users", str(row.get("ownerId")))
        if owner is None:
            row.pop("ownerName", None)
        else:
            row["ownerName"] = name_in(owner)
