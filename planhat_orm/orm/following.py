"""Loading what links point to: for all rows that were handed out together, in the fewest requests.

Imports refs and conversion; what is loaded comes through querysets of the target. It does not promise that a record
that is linked to still exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.orm import conversion
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.orm.model import Model
    from planhat_orm.orm.relations import ForeignKey
    from planhat_orm.session.session import Session


def load_related(obj: Model, field: ForeignKey[Any], target: type[Model], key: str) -> Model:
    """Return the record behind a link, loading it for all rows that were handed out with ``obj``."""
    session, origin = obj._session(), obj._origin
    found = session.identity_map.find(target, key)
    if found is not None:
        return found
    gone = origin.gone if origin is not None else set()
    if (target, key) not in gone:
        wanted: dict[str, None] = {key: None}
        for member in [member() for member in origin.members] if origin is not None else []:
            if member is not None and member._knows(field.data_key) and (mate := stored_id(member, field)):
                wanted[mate] = None
        missing = [
            one for one in wanted if (target, one) not in gone and session.identity_map.find(target, one) is None
        ]
        loaded = load_by_ids(session, target, missing)
        gone |= {(target, one) for one, record in loaded.items() if record is None}
        if origin is not None:
            origin.keep += [record for record in loaded.values() if record is not None]
        found = loaded.get(key)
    if found is None:
        raise target.DoesNotExist(
            f"{obj!r}.{field.name} points to the {field.to} {key}, which Planhat does not have (any more)"
        )
    return found


def load_by_ids(session: Session, target: type[Model], keys: list[str]) -> dict[str, Model | None]:
    """Load records by id in the fewest requests: a small table whole, id lists where they exist, else the first one.

    Returns what became of each key that was asked for; None for one that Planhat does not have.
    """
    objects = target.objects.using(session)
    if target._meta.small_table:
        return from_table(session, target, keys)
    meta = target._meta
    if len(keys) > 1 and meta.ids_param is None and "get" in meta.operations:
        keys = keys[:1]  # a request each, so that the next one is loaded when it is followed
    found = objects.filter(id__in=keys) if len(keys) > 1 else objects.filter(id=keys[0])
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
