"""Loading what links point to: for all rows that were handed out together, in the fewest requests.

Imports refs and conversion; what is loaded comes through querysets of the target. It does not promise that a record
that is linked to still exists.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import marshmallow

from planhat_orm.orm import conversion
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.relations import ForeignKey, ReferenceList
    from planhat_orm.session.session import Session

_log = logging.getLogger("planhat_orm.orm")

#: The links of which each session said that they are followed one record at a time.
_told: WeakKeyDictionary[Session, set[Any]] = WeakKeyDictionary()


def load_related(obj: Model, field: ForeignKey[Any], target: type[Model], key: str) -> Model:
    """Return the record behind a link, loading it for all rows that were handed out with ``obj``."""
    session = obj._session()
    found = session.identity_map.find(target, key)
    if found is None:
        wanted = {key: None} | dict.fromkeys(mate for one in mates(obj, field) if (mate := stored_id(one, field)))
        found = load_for_all(obj, field, target, list(wanted)).get(key)
    if found is None:
        raise target.DoesNotExist(
            f"{obj!r}.{field.name} points to the {field.to} {key}, which Planhat does not have or list (any more)"
        )
    return found


def load_listed(obj: Model, field: ReferenceList[Any], target: type[Model], keys: list[str]) -> dict[str, Model | None]:
    """Load the records of a list of references, and of the lists of all rows that were handed out with ``obj``.

    Returns what became of the first key at least; the others may be left until they are needed.
    """
    wanted = dict.fromkeys(keys)
    for mate in mates(obj, field):
        wanted |= dict.fromkeys(stored_ids(mate, field))
    return load_for_all(obj, field, target, list(wanted))


def mates(obj: Model, field: Field[Any, Any]) -> list[Model]:
    """Return the objects that were handed out with one and are alive, as far as the field of them is known."""
    origin = obj._origin
    living = [member() for member in origin.members] if origin is not None else []
    return [mate for mate in living if mate is not None and mate._knows(field.data_key)]


def load_for_all(obj: Model, field: Field[Any, Any], target: type[Model], wanted: list[str]) -> dict[str, Model | None]:
    """Load what the rows of a page point to, and keep it alive as long as one of them is."""
    session, origin = obj._session(), obj._origin
    gone = origin.gone if origin is not None else set()
    if (target, wanted[0]) in gone:
        return {wanted[0]: None}
    # Another thread may have loaded some of them since they were found to be missing, the first one too.
    held = {one: found for one in wanted if (found := session.identity_map.find(target, one)) is not None}
    missing = [one for one in wanted if (target, one) not in gone and one not in held]
    if wanted[0] in held:
        return {**held}
    loaded = load_by_ids(session, target, missing)
    gone |= {(target, one) for one, record in loaded.items() if record is None}
    if origin is not None:
        origin.keep += [record for record in loaded.values() if record is not None]
    if len(loaded) < len(missing):
        tell(obj, field, target)
    return loaded


def tell(obj: Model, field: Field[Any, Any], target: type[Model]) -> None:
    """Warn, once for each link in a session, that it is followed one record at a time."""
    told = _told.setdefault(obj._session(), set())
    if (type(obj), field.data_key) not in told:
        told.add((type(obj), field.data_key))
        _log.warning(
            "%s.%s is followed one %s at a time, a request each: Planhat takes no list of their ids, and reading all "
            "of them would not cost less",
            obj._meta.name,
            field.name,
            target.__name__,
        )


def load_by_ids(session: Session, target: type[Model], keys: list[str]) -> dict[str, Model | None]:
    """Load records by id in the fewest requests: a small table whole, by id lists, by one scan, or the first one alone.

    Where no list of ids is taken, the planner's price decides between one scan and a request for each; then only the
    first is read, so that the next one is loaded when it is followed. Returns what became of each key that was asked
    for; None for one that Planhat does not have.
    """
    objects = target.objects.using(session)
    if target._meta.small_table:
        return from_table(session, target, keys)
    found = objects.filter(id__in=keys)._together() if len(keys) > 1 else None
    if found is None:
        keys = keys[:1]
        found = list(objects.filter(id=keys[0]))
    return {**dict.fromkeys(keys), **{record._raw["_id"]: record for record in found}}


def from_table(session: Session, target: type[Model], keys: list[str]) -> dict[str, Model | None]:
    """Find records in a small table, which is read whole once; what an older reading lacks is asked for."""
    objects = target.objects.using(session)
    fresh: list[bool] = []

    def load() -> list[Model]:
        fresh.append(True)
        return list(objects.all())

    def found_in(records: Iterable[Model]) -> dict[str, Model]:
        return {record._raw["_id"]: record for record in records if record._state is None or not record._state.deleted}

    table = found_in(session.table(target, load))
    missing = [key for key in keys if key not in table]
    if missing and not fresh:
        table |= found_in(objects.filter(id__in=missing))
    return {key: table.get(key) for key in keys}


def stored_id(obj: Model, field: ForeignKey[Any]) -> str | None:
    """Return the id that an object's row holds for a link; None where it holds none, or what is no id."""
    try:
        key = conversion.reference_id(obj._raw.get(field.data_key))
    except marshmallow.ValidationError:
        return None
    return key if is_object_id(key) else None


def stored_ids(obj: Model, field: ReferenceList[Any]) -> list[str]:
    """Return the ids that an object's row holds in a list of links; what cannot be read is left out."""
    items = obj._raw.get(field.data_key)
    found: list[str] = []
    for item in items if isinstance(items, list) else ():
        try:
            key = conversion.reference_id(item)
        except marshmallow.ValidationError:
            continue
        if key is not None and is_object_id(key):
            found.append(key)
    return found
