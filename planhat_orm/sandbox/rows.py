"""Rows behind the session: what ``Sandbox.add``, ``change`` and ``remove`` do to the world.

Works on the world and models; imports building, the catalog and the store. What is given is what is stored, odd values
too; the rest is filled in as Planhat would. It promises no check but that names are known and ids unique: no request,
no permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.building import changed_row, new_row
from planhat_orm.sandbox.catalog import Collection, collection_of, constant_of, is_object_id
from planhat_orm.sandbox.store import Condition, Query, Row

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox.world import World


class _Names:
    """Python names and Planhat's names to Planhat's, each looked up once."""

    def __init__(self, collection: Collection, model: type[Model]) -> None:
        self._collection = collection
        self._model = model
        self._known: dict[str, str] = {}

    def wire(self, values: Mapping[str, Any]) -> Row:
        """Return the values as they travel; ``extra`` holds properties that no model declares."""
        row: Row = {}
        for name, value in values.items():
            if name == "extra":
                row.update(value)
                continue
            key = self._known.get(name)
            if key is None:
                key = self._known[name] = self._collection.wire_name(self._model, name)
            if type(value) is not str:
                value = self._collection.wire_value(key, value)
            if value is not None:
                row[key] = value
        return row


def add(world: World, model: type[Model], items: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Store new records and return their rows; other records follow, as the entries of a timesheet do."""
    collection = collection_of(model)
    with world.store.transaction():
        added = list(add_many(world, model, items))
        world.store.insert(collection.table, added)
        if collection.quirks.follow:
            for row in added:
                collection.quirks.follow(world, None, row)
    return added


def add_many(world: World, model: type[Model], items: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield the rows of new records, made one by one and all of one moment; the caller stores them."""
    collection = collection_of(model)
    names, constant, now = _Names(collection, model), constant_of(model), world.now()
    passing = collection.quirks.passing
    for item in items:
        given = names.wire(item)
        row = new_row(world, collection, {**constant, **given}, now)
        # What is given stands, also where Planhat would compute it; lists keep what was filled in inside them.
        row.update({key: value for key, value in given.items() if not isinstance(value, list) and key not in passing})
        for name in [name for name, value in item.items() if value is None and name != "extra"]:
            row.pop(collection.wire_name(model, name), None)  # not even a default
        yield row


def change(world: World, model: type[Model], id: Any, values: Mapping[str, Any]) -> Row:
    """Change a record as somebody in Planhat's own screens would; None clears a property."""
    collection = collection_of(model)
    with world.store.transaction():
        row = one(world, model, id, {})
        names = _Names(collection, model)
        cleared = {collection.wire_name(model, name): None for name, value in values.items() if value is None}
        given = {**names.wire(values), **cleared}
        after = changed_row(world, collection, row, given)
        after.update({key: value for key, value in given.items() if value is not None and key != "custom"})
        world.store.replace(collection.table, after)
        if collection.quirks.follow:
            collection.quirks.follow(world, row, after)
    return after


def remove(world: World, model: type[Model], id: Any) -> Row:
    """Delete a record and return it."""
    with world.store.transaction():
        row, collection = one(world, model, id, {}), collection_of(model)
        world.store.delete(collection.table, row["_id"])
        if collection.quirks.follow:
            collection.quirks.follow(world, row, None)
    return row


def disturb(world: World, collection: Collection, insert: int, delete: int) -> None:
    """Delete the oldest rows of a collection and insert copies of the newest, without its keys."""
    store, table = world.store, collection.table
    with store.transaction():
        for row in store.rows(table, Query(collection.own, sort="_id", limit=delete)):
            store.delete(table, row["_id"])
        for row in store.rows(table, Query(collection.own, sort="-_id", limit=1)) * insert:
            kept = {key: value for key, value in row.items() if key not in collection.own_keys}
            store.insert(table, [{**kept, "_id": store.new_id()}])


def one(world: World, model: type[Model], id: Any, keys: Mapping[str, Any]) -> Row:
    """Return the only record with this id, or with these values; raises LookupError."""
    if id is not None:
        keys = {"_id": id_of(id), **keys}
    found = matching(world, model, keys)
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows of {model.__name__} have {dict(keys)}")
    return found[0]


def matching(world: World, model: type[Model], keys: Mapping[str, Any]) -> list[Row]:
    """Return the records of the model with these values, in the order in which they were added."""
    collection = collection_of(model)
    wanted = _Names(collection, model).wire(keys)
    texts = {**constant_of(model), **{key: value for key, value in wanted.items() if isinstance(value, str)}}
    where = (*collection.own, *(Condition(key, (value,)) for key, value in texts.items()))
    rows = world.store.rows(collection.table, Query(where))
    others = {key: value for key, value in wanted.items() if key not in texts}
    return [row for row in rows if all(row.get(key) == value for key, value in others.items())] if others else rows


def count(world: World, model: type[Model], keys: Mapping[str, Any]) -> int:
    """Return how many records of the model have these values."""
    if keys:
        return len(matching(world, model, keys))
    collection = collection_of(model)
    where = [Condition(key, (value,)) for key, value in constant_of(model).items()]
    return world.store.count(collection.table, *collection.own, *where)


def id_of(record: Any) -> str:
    """Return the id in a row, an object or an id."""
    key = record.get("_id") if isinstance(record, Mapping) else getattr(record, "id", record)
    if not is_object_id(key):
        raise LookupError(f"{record!r} is no row, object or id")
    return str(key)
