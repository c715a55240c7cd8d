"""GET, as Planhat answers it: lists, the lean index, single records.

Works on the world and a collection; raises Refusal. Imports nothing of HTTP. It does not promise any order of an
unsorted list, as Planhat does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planhat_orm.sandbox.answers import BAD_PATH_ID, JSON, Answer, Refusal, not_found
from planhat_orm.sandbox.catalog import PREFIXES, Collection, is_object_id
from planhat_orm.sandbox.store import Condition, Query, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Tampering:
    """What a fault changes in the way a list is read."""

    ignore_filters: bool = False
    ignore_sort: bool = False
    cap: int | None = None


def answer_list(world: World, collection: Collection, params: Mapping[str, str], tampering: Tampering) -> Answer:
    """Answer a list with these parameters."""
    _let_read(world, collection, "list")
    names = collection.quirks.other_names
    takes = collection.meta.list_takes
    given = {names.get(name, name): value for name, value in params.items()}
    # What a list is not documented to take is ignored, as any unknown parameter is.
    given = {name: value for name, value in given.items() if name not in _PAGING or name in takes}
    texts = world.store.texts(collection.table, list_query(world, collection, given, tampering))
    return _shown(world, collection, given.get("select", ""), texts)


_PAGING = ("limit", "offset", "sort", "select")


def _let_read(world: World, collection: Collection, operation: str) -> None:
    if not collection.offers(operation):
        raise Refusal(404, "Not Found")
    world.permit(collection.path, "read")


def answer_lean(world: World, collection: Collection, params: Mapping[str, str], tampering: Tampering) -> Answer:
    """Answer the lean index: every record with a few keys, whatever ``limit`` says."""
    world.permit(collection.path, "read")
    query = lean_query(collection, {} if tampering.ignore_filters else params)
    # There is no page, so that it may be the whole tenant: only what is shown is taken from the rows.
    keys = ("_id", *(key for key in collection.meta.lean_fields if key != "_id"))
    held = world.store.values(collection.table, query, keys)
    return Answer.json([_lean(collection, dict(zip(keys, values, strict=True))) for values in held])


def list_query(world: World, collection: Collection, params: Mapping[str, str], tampering: Tampering) -> Query:
    """Read the parameters that Planhat knows and ignore all others."""
    default, most = collection.meta.page_size
    limit = _whole(params.get("limit"), default, least=1)
    if tampering.cap is not None:
        most = min(most, tampering.cap)
    sort = "" if tampering.ignore_sort else params.get("sort", "")
    # What makes a row one of this list is no parameter that could be ignored.
    where = collection.own if tampering.ignore_filters else _conditions(world, collection, params)
    return Query(
        where=where,
        sort=sort,
        backwards=tampering.ignore_sort,
        offset=_whole(params.get("offset"), 0, least=0),
        limit=min(limit, most),
    )


def _whole(text: str | None, default: int, *, least: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if least <= number < 2**62 else default


def _conditions(world: World, collection: Collection, params: Mapping[str, str]) -> tuple[Condition, ...]:
    where = list(collection.own)
    for name, known in collection.quirks.filters.items():
        value = params.get(name)
        if value and (world.behaviour.hints or not known.hint):
            # Comma lists only where they are documented; elsewhere the text matches nothing.
            values = value.split(",") if known.many else [value]
            where.append(Condition(known.key, tuple(known.read(one) for one in values), known.how))
    if collection.quirks.hides:
        where.extend(collection.quirks.hides(world, params))
    return tuple(where)


def _shown(world: World, collection: Collection, select: str, texts: list[str]) -> Answer:
    listed = collection.quirks.listed
    plain = not select and collection.listed is None and not collection.get_only and listed is None
    page = f"[{','.join(texts)}]"
    if plain and world.behaviour.absent == "omitted":
        return Answer(200, page.encode(), {"Content-Type": JSON})
    shape = _Shape(world, collection, select)
    # A page is read and written as a whole: a call for each row costs as much again.
    return Answer.json([shape.of(listed(world, row) if listed else row) for row in json.loads(page)])


class _Shape:
    """The properties that a list shows of a row."""

    def __init__(self, world: World, collection: Collection, select: str) -> None:
        self._world = world
        names = {name.strip() for name in select.split(",")} if select else collection.listed
        self._hidden = collection.get_only
        self._shown = None if names is None else frozenset(names | {"_id"}) - self._hidden
        self._nulls: tuple[str, ...] = ()
        if world.behaviour.absent == "null":
            shown = self._shown
            self._nulls = tuple(
                key for key in collection.scalars if (shown is None or key in shown) and key not in self._hidden
            )
        self._inside: dict[str, Collection] = {}
        if not select and collection.listed is not None and world.behaviour.owners != "id":
            self._inside = {key: to for key, to in collection.references.items() if to.quirks.shown_inside}

    def of(self, row: Row) -> Row:
        shown = self._shown
        if shown is None:
            seen = {key: value for key, value in row.items() if key not in self._hidden}
        else:
            seen = {key: value for key, value in row.items() if key in shown}
        for key in self._nulls:
            seen.setdefault(key, None)
        for key, target in self._inside.items():
            if isinstance(seen.get(key), str):
                seen[key] = self._referenced(target, seen[key])
        return seen

    def _referenced(self, target: Collection, id: str) -> Row | None:
        if self._world.behaviour.owners == "null":
            return None
        row = self._world.store.get(target.table, id) or {}
        return {"_id": id, **{key: row.get(key, "") for key in target.quirks.shown_inside}}


def lean_query(collection: Collection, params: Mapping[str, str]) -> Query:
    """Read the parameters of the lean index; there is no page and no order among them."""
    where = []
    for name, key in collection.meta.lean_params.items():
        value = params.get(name)
        if value:
            where.append(Condition(key, tuple(value.split(",")) if name in collection.quirks.lean_lists else (value,)))
    return Query(tuple(where))


def _lean(collection: Collection, row: Row) -> Row:
    seen = {key: row[key] for key in collection.meta.lean_fields if row.get(key) is not None}
    if int(row["_id"][-1], 16) % 2:
        for key in collection.quirks.lean_blanks:
            seen.setdefault(key, "")
    return seen


def get(world: World, collection: Collection, key: str) -> Answer:
    """Answer one record, in its fullest shape."""
    _let_read(world, collection, "get")
    return Answer.json(whole(world, collection, find(world, collection, key, "get")[0]))


def whole(world: World, collection: Collection, row: Row) -> Row:
    """Return a record as a single answer shows it."""
    if collection.quirks.embed:
        row = collection.quirks.embed(world, row)
    if world.behaviour.absent == "null":
        row = {**dict.fromkeys(collection.scalars), **row}
    return row


def find(world: World, collection: Collection, key: str, operation: str) -> tuple[Row, str]:
    """Return the record of a path key, and the property that the key speaks of."""
    prefix = key[:6]
    own = collection.property_of(prefix, operation) if prefix in PREFIXES else None
    if own is not None:
        property_, value = own, key[6:]
    elif is_object_id(key):
        property_, value = "_id", key
    else:
        raise Refusal(400, BAD_PATH_ID)
    # An external id may be unique per company only; which record wins is not documented: here, the first.
    row = world.store.find(collection.table, property_, value, *collection.own)
    if row is None:
        raise not_found()
    return row, property_
