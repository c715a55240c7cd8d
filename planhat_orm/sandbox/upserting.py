"""PUT of an array: the bulk upsert, its matching of items to records and its answer.

Works on the world and a collection; raises Refusal. Imports nothing of HTTP. Items are carried out in order, each
seeing what those before it did; Planhat does not document what becomes of two items for one record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Answer, Refusal
from planhat_orm.sandbox.building import merged_row, resolve_references, touch
from planhat_orm.sandbox.catalog import Collection, is_object_id
from planhat_orm.sandbox.quirks.base import Invalid
from planhat_orm.sandbox.store import Condition, Row
from planhat_orm.sandbox.writing import changes, insert, refuse_missing, replace

if TYPE_CHECKING:
    from planhat_orm.sandbox.world import World


@dataclass(slots=True)
class Outcome:
    """The answer in the making; keys as documented."""

    created: int = 0
    created_errors: list[Any] = field(default_factory=list)
    inserts_keys: list[Row] = field(default_factory=list)
    updated: int = 0
    updated_errors: list[Any] = field(default_factory=list)
    updates_keys: list[Row] = field(default_factory=list)
    nonupdates: int = 0
    modified: list[str] = field(default_factory=list)
    upserted_ids: list[str] = field(default_factory=list)
    permission_errors: list[Any] = field(default_factory=list)
    #: Few objects have it; None for all others.
    validation_errors: list[Any] | None = None

    def answer(self) -> Answer:
        """Return the envelope with the status that fits: 200, 206 for a part, 400 or 403 for nothing."""
        body = {
            "created": self.created,
            "createdErrors": self.created_errors,
            "insertsKeys": self.inserts_keys,
            "updated": self.updated,
            "updatedErrors": self.updated_errors,
            "updatesKeys": self.updates_keys,
            "nonupdates": self.nonupdates,
            "modified": self.modified,
            "upsertedIds": self.upserted_ids,
            "permissionErrors": self.permission_errors,
        }
        if self.validation_errors is not None:
            body["validationErrors"] = self.validation_errors
        return Answer.json(body, self.status)

    @property
    def status(self) -> int:
        """The HTTP status."""
        errors = self.created_errors or self.updated_errors or self.validation_errors
        if not errors and not self.permission_errors:
            return 200
        if self.created or self.updated or self.nonupdates:
            return 206
        return 400 if errors else 403


def upsert(world: World, collection: Collection, items: Any) -> Answer:
    """Create or change up to 5,000 records."""
    refuse_missing(collection, "bulk_upsert")
    if not isinstance(items, list):
        raise Refusal(400, "Bad request")
    if len(items) > world.behaviour.max_items:
        raise Refusal(400, f"Maximum {world.behaviour.max_items} items")
    outcome = Outcome(validation_errors=[] if collection.quirks.validation_errors else None)
    with world.store.transaction():
        for item in items:
            _upsert_one(world, collection, item, outcome)
    return outcome.answer()


def repeat(world: World, collection: Collection, action: str, body: Any) -> Answer:
    """Carry out POST /{collection}/{action}: make an item of each record that the ids of the body name, and upsert."""
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list):
        raise Refusal(400, "Bad request")
    found = [world.store.get(collection.table, str(key)) for key in ids]
    return upsert(world, collection, [collection.quirks.actions[action](row) for row in found if row is not None])


def _upsert_one(world: World, collection: Collection, item: Any, outcome: Outcome) -> None:
    if not isinstance(item, dict):
        outcome.created_errors.append(_error(world, "invalid item", {}))
        return
    errors = outcome.created_errors
    try:
        matched = _match(world, collection, item)
        if matched is None:
            _insert(world, collection, item, outcome)
        else:
            errors = outcome.updated_errors
            _update(world, collection, item, *matched, outcome)
    except Invalid as invalid:
        listed = errors if outcome.validation_errors is None else outcome.validation_errors
        listed.append(_error(world, invalid.body, item))
    except _UnknownId as unknown:
        outcome.updated_errors.append(_error(world, str(unknown), item))
    except Refusal as refusal:
        errors.append(_error(world, refusal.body, item))


def _error(world: World, text: Any, item: Row) -> Any:
    # The shape of an element is not documented: by default a text that does not say which item it speaks of.
    if world.behaviour.error_elements == "text":
        return text
    return {"error": text, **{key: item[key] for key in ("_id", "sourceId", "externalId", "email") if key in item}}


class _UnknownId(Exception):
    """An item gives an _id that no record has."""


def _match(world: World, collection: Collection, item: Row) -> tuple[Row, str] | None:
    """Find the record of an item: the first key present decides, whether or not it finds one."""
    for key in collection.quirks.match:
        value = item.get(key)
        if value in (None, ""):
            continue
        if key == "_id" and not is_object_id(value):
            raise _UnknownId("invalid id")
        stored = collection.stored_key(key)
        scope = (*collection.own, *_scope(world, collection, key, item))
        row = world.store.find(collection.table, stored, str(value), *scope)
        if row is None and key == "_id":
            raise _UnknownId("No such document")
        return (row, stored) if row is not None else None
    return None


def _scope(world: World, collection: Collection, key: str, item: Row) -> list[Condition]:
    """An external id is unique within its company only, where the item names one."""
    company = collection.company_key
    if key != "externalId" or not company or key in collection.meta.unique or not item.get(company):
        return []
    named = {company: item[company]}
    resolve_references(world, collection, named)
    return [Condition(company, (str(named[company]),))]


def _insert(world: World, collection: Collection, item: Row, outcome: Outcome) -> None:
    if not world.may(collection.path, "create"):
        outcome.permission_errors.append(_error(world, "Forbidden", item))
        return
    row = insert(world, collection, item, collection.bulk_required)
    if row is None:
        return
    outcome.created += 1
    outcome.upserted_ids.append(row["_id"])
    outcome.inserts_keys.append(_keys(collection, row, item, collection.quirks.match))


def _update(world: World, collection: Collection, item: Row, row: Row, key: str, outcome: Outcome) -> None:
    if not world.may(collection.path, "update"):
        outcome.permission_errors.append(_error(world, "Forbidden", item))
        return
    needed = collection.quirks.dropped_without
    if needed and not item.get(needed):
        return  # dropped without an error
    sent = changes(world, collection, row, item, key)
    after = merged_row(world, collection, row, sent)
    if after == row:
        outcome.nonupdates += 1
        return
    replace(world, collection, row, touch(world, collection, after))
    outcome.updated += 1
    outcome.modified.append(row["_id"])
    # The samples show ids, and the e-mail where the item carried one; never the other keys.
    shown = collection.quirks.match if world.behaviour.updates_keys == "all" else ("email",)
    outcome.updates_keys.append(_keys(collection, row, item, shown))


def _keys(collection: Collection, row: Row, item: Row, shown: tuple[str, ...]) -> Row:
    """Return the keys that the answer repeats: those to match by that the item carried, under the names sent."""
    keys = {"_id": row["_id"]}
    for key in collection.quirks.match:
        if key != "_id" and key in shown and item.get(key) not in (None, ""):
            keys[key] = str(item[key])
    return keys
