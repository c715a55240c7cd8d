"""From what was sent to what is stored: unknown keys dropped, dates and ids brought into form, custom values merged.

Works on the world and a collection; raises Refusal. Imports answers, the catalog and the forms of quirks. Used by
single writes, bulk upserts and the sandbox's own ``add`` and ``change``. It stores nothing, and does not look for other
records that hold the same keys: both are left to ``writing``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Refusal
from planhat_orm.sandbox.catalog import PREFIXES, Collection, is_object_id, wire_time
from planhat_orm.sandbox.quirks.base import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.sandbox.store import Row
    from planhat_orm.sandbox.world import World


def accepted(collection: Collection, body: Mapping[str, Any]) -> Row:
    """Return what Planhat takes of a body: declared keys that it does not keep itself, in its own form."""
    written_as = collection.quirks.written_as
    taken: Row = {}
    for name, value in body.items():
        if name.startswith("custom.") and "custom" in collection.fields:
            # A top-level "custom.<name>" works like the nested one (reported from a live tenant).
            taken["custom"] = {**(taken.get("custom") or {}), name.removeprefix("custom."): value}
        elif name == "custom" and name in collection.fields:
            taken[name] = _custom(value, taken.get(name))
        elif name in collection.quirks.passing:
            taken[name] = value
        elif name not in written_as.values():  # those are dropped like any name that is not known
            key = written_as.get(name, name)
            if key in collection.fields and key not in collection.kept_by_planhat and key != "_id":
                _take(collection, taken, key, value)
    return taken


def _take(collection: Collection, taken: Row, key: str, value: Any) -> None:
    if key in collection.dates:
        if value == "":
            return  # ignored without an error on a date
        value = _timestamp(value)
    elif key in collection.quirks.day_numbers and value is not None and type(value) is not int:
        raise Refusal(400, "Bad request")
    elif key in collection.own_keys and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    taken[key] = value


def _custom(value: Any, before: Any) -> Any:
    if not isinstance(value, dict):
        return value
    folded = {name.casefold() for name in value}
    if len(folded) < len(value):
        raise Refusal(400, "Duplicated custom fields")
    return {**(before or {}), **value}


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Refusal(400, "Bad request") from None
    return wire_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def resolve_references(world: World, collection: Collection, sent: Row) -> None:
    """Turn "extid-..." and "srcid-..." into ids where they are documented; what cannot be found becomes None."""
    for key, target in collection.references.items():
        if key in sent:
            sent[key] = _resolved(world, collection, key, target, sent[key])
    for key, target in collection.reference_lists.items():
        if isinstance(sent.get(key), list):
            resolved = [_resolved(world, collection, key, target, item) for item in sent[key]]
            sent[key] = [item for item in resolved if item is not None]
    company = collection.company_key
    if company and sent.get(company) and not known_company(world, collection, sent[company]):
        sent[company] = None


def _resolved(world: World, collection: Collection, key: str, target: Collection, value: Any) -> Any:
    if not isinstance(value, str) or value[:6] not in PREFIXES:
        return value
    if key not in collection.quirks.keyed:
        raise Refusal(400, "Bad request")  # no page shows own keys here, so an id is expected
    found = world.store.find(target.table, PREFIXES[value[:6]], value[6:])
    return found["_id"] if found else None


def known_company(world: World, collection: Collection, id: Any) -> bool:
    """Tell whether the id is that of a company."""
    companies = collection.references[collection.company_key or ""]
    return is_object_id(id) and world.store.get(companies.table, id) is not None


def new_row(world: World, collection: Collection, sent: Row, now: str) -> Row:
    """Return the row of a new record: what was sent, and what Planhat fills in."""
    quirks = collection.quirks
    row: Row = {"_id": sent.get("_id") or world.store.new_id()}
    if quirks.versioned:
        row["__v"] = 0
    row.update(quirks.defaults)
    row.update(dict.fromkeys((*collection.quirks.stamps, *collection.quirks.touched), now))
    return _with(world, collection, row, sent)


def merged_row(world: World, collection: Collection, row: Row, sent: Row) -> Row:
    """Return the row with what was sent, as if that were no change yet: the time of the last one stands."""
    return _with(world, collection, dict(row), sent)


def changed_row(world: World, collection: Collection, row: Row, sent: Row) -> Row:
    """Return the row after a PUT; the time of the last change moves even when nothing else does."""
    return touch(world, collection, merged_row(world, collection, row, sent))


def touch(world: World, collection: Collection, row: Row) -> Row:
    """Move the version and the time of the last change."""
    if collection.quirks.versioned:
        row["__v"] = (number_of(row.get("__v")) or 0) + 1
    quirks = collection.quirks
    row.update(dict.fromkeys((*quirks.touched, *(key for key in quirks.touched_if_held if key in row)), world.now()))
    return row


def _with(world: World, collection: Collection, row: Row, sent: Row) -> Row:
    for key, value in sent.items():
        _put(row, key, value)
    _settle(world, collection, row, frozenset(sent))
    return row


def _put(row: Row, key: str, value: Any) -> None:
    """Set one property: null clears it, ``custom`` is merged key by key."""
    if key == "custom" and isinstance(value, dict):
        custom = {**(row.get("custom") or {}), **value}
        value = {name: item for name, item in custom.items() if item is not None} or None
    if value is None:
        row.pop(key, None)
    else:
        row[key] = value


def _settle(world: World, collection: Collection, row: Row, sent: frozenset[str]) -> None:
    """Fill in what Planhat computes from the rest of the row."""
    key, copy = collection.company_key, collection.quirks.company_name
    if key in sent and copy in collection.fields and copy not in sent and isinstance(row.get(key), str):
        company = world.store.get(collection.references[key].table, row[key])
        if company and company.get("name"):
            row[copy] = company["name"]
    if collection.quirks.settle:
        collection.quirks.settle(world, row, sent)
    for key in collection.quirks.passing:
        row.pop(key, None)
