"""What was loaded beforehand and is held by the objects it belongs to: records behind links, and those of managers.

A link holds what became of its ids, a reverse manager its records, as long as the object lives; what a manager holds is
let go when one of its records is created, saved, deleted or moved away by this session, or the collection is written
to by ``session.request``. Imports the registry and the session's types. It does not promise that what is held is as
Planhat has it now, no more than any list that was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import marshmallow

from planhat_orm.orm import conversion
from planhat_orm.orm.options import registry
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

#: How often each session wrote many records of a collection at once, so that nobody knows which ones they belong to.
_writes: WeakKeyDictionary[Session, dict[str, int]] = WeakKeyDictionary()
_lock = Lock()

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Records:
    """What a reverse manager holds.

    :param key: the link of these records to the object.
    :param found: the records.
    :param collection: whose they are, as ``Meta.records`` says.
    :param writes: how often the session had written many of that collection when they were read.
    """

    #: Any, since a type checker takes a field in a class for a descriptor of that class.
    key: Any
    found: tuple[Model, ...]
    collection: str
    writes: int


# Ids in rows


def ids_in(obj: Model, field: Field[Any, Any]) -> list[str]:
    """Return the ids that an object's row holds in a link or a list of links; what is no id is left out."""
    value = obj._raw.get(field.data_key)
    items = (value if isinstance(value, list) else ()) if field.mutable else (value,)
    found: list[str] = []
    for item in items:
        try:
            key = conversion.reference_id(item)
        except marshmallow.ValidationError:
            continue
        if key is not None and is_object_id(key):
            found.append(key)
    return found


def linked(obj: Model) -> set[tuple[str, str]]:
    """Return what an object's row points to: names of models, and ids."""
    return {(str(field.relation), key) for field in obj._meta.fields if field.relation for key in ids_in(obj, field)}


# Holding


def hold(obj: Model, name: str, what: Mapping[str, Model | None] | Records) -> None:
    """Hold what a link or a reverse manager of an object leads to."""
    state = obj._ensure_state()
    state.related = {**(state.related or {}), name: what}


def behind(obj: Model, name: str) -> Mapping[str, Model | None]:
    """Return what became of the ids of a link that was loaded beforehand, with records that were deleted since."""
    related = obj._state.related if obj._state is not None else None
    found: Mapping[str, Model | None] = (related or NOTHING).get(name, NOTHING)
    return found


def is_there(record: Model | None) -> bool:
    """Tell whether a record may be handed out: it exists, and was not deleted since."""
    return record is not None and (record._state is None or not record._state.deleted)


def of_manager(obj: Model, name: str) -> tuple[Any, ...] | None:
    """Return the records that a reverse manager holds; None where it holds none, or they may not be so any more."""
    related = obj._state.related if obj._state is not None else None
    held: Records | None = (related or NOTHING).get(name)
    if related is None or held is None:
        return None
    session, key = obj._joined(), obj._raw["_id"]
    current = session is None or held.writes in (-1, written(session, held.collection))
    if current and all(is_there(one) and key in ids_in(one, held.key) for one in held.found):
        return held.found
    related.pop(name, None)
    return None


def pickled(obj: Model) -> dict[str, Any] | None:
    """Return what goes with a pickled object: what it holds, without what others hold as well."""
    state = obj._state
    if state is None or not state.related:
        return None
    kept: dict[str, Any] = {}
    for name, what in state.related.items():
        if isinstance(what, Records):
            kept[name] = (what.key.name, what.found, what.collection)
        else:
            kept[name] = {key: what[key] for key in ids_in(obj, obj._meta.by_name[name]) if key in what}
    return kept


def unpickled(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what a pickled object holds again."""
    if kept is None:
        return None
    return {
        name: Records(key_of(what[1], what[0]), what[1], what[2], -1) if isinstance(what, tuple) else what
        for name, what in kept.items()
    }


def key_of(found: Sequence[Model], name: str) -> Any:
    """Return the link of records by its name; of no records there is nothing to be asked."""
    return found[0]._meta.by_name[name] if found else None


# Letting go


def let_go(obj: Model) -> None:
    """Let go of what an object holds: it was asked for anew."""
    if obj._state is not None:
        obj._state.related = None


def written(session: Session, collection: str) -> int:
    """Return how often a session wrote many records of a collection at once, or in ways that name none of them."""
    return counts(session).get(collection, 0)


def counts(session: Session) -> dict[str, int]:
    """Return how often a session wrote so, by collection; what it is told of without a model is counted from now on."""
    with _lock:
        found = _writes.get(session)
        if found is None:
            found = _writes[session] = {}
            session.outdating.append(partial(count, found))
    return found


def count(found: dict[str, int], path: str) -> None:
    """Count a write to a path: the records of some collections go by another one as well."""
    for name in {path, *(model._meta.records for model in registry.values() if model._meta.path == path)}:
        found[name] = found.get(name, 0) + 1


def outdate(session: Session, model: type[Model]) -> None:
    """Let every manager of a session let go of the records of a model: many of them were written at once."""
    count(counts(session), model._meta.records)


def outdate_around(session: Session, obj: Model, places: Iterable[tuple[str, str]]) -> None:
    """Let the managers of what an object points to, or pointed to, let go: it was created, saved or deleted."""
    collection = obj._meta.records
    for name, key in places:
        target = registry.get(name)
        for one in session.identity_map.living(target._meta.records, key) if target is not None else ():
            related = one._state.related if one._state is not None else None
            for held, what in list((related or NOTHING).items()):
                if isinstance(what, Records) and what.collection == collection and related is not None:
                    related.pop(held, None)
