"""What changed on an object, what a save sends of it, and how a new row of its record is taken in.

Values are compared with the untouched row as Planhat sent it, so nothing is copied until something is changed.
Imports fields and state, nothing that sends requests. It does not promise to notice that a container that somebody
took out of an object was changed after the object itself was let go.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.errors import DecodeError, ValidationError
from planhat_orm.orm.conversion import same
from planhat_orm.orm.custom import CustomData, CustomValues
from planhat_orm.orm.state import Origin, State, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model


def pending(obj: Model) -> dict[str, Any]:
    """Return the Python values that differ from Planhat's, by Planhat's name; keys inside ``custom`` are not here."""
    state = obj._state
    if state is None:
        return {}
    by_key = obj._meta.by_key
    return {
        key: value
        for key, value in state.values.items()
        if not obj._knows(key) or not is_stored(by_key[key], obj._raw.get(key), value)
    }


def is_stored(field: Field[Any, Any], stored: Any, value: Any) -> bool:
    """Tell whether a Python value is what ``stored`` reads as; what cannot be read equals nothing."""
    try:
        return same(field.decode(stored), field.comparable(value))
    except DecodeError:
        return False


def pending_custom(obj: Model) -> dict[str, Any]:
    """Return the keys inside ``custom`` whose value differs from Planhat's."""
    field = custom_field(obj)
    return CustomValues(obj, field).changed() if field is not None else {}


def custom_field(obj: Model) -> CustomData | None:
    """Return the field that holds the tenant's own values, if the model has one."""
    field = obj._meta.by_key.get("custom")
    return field if isinstance(field, CustomData) else None


def stored_custom(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the custom values of a row."""
    return CustomData.mapping(row.get("custom"))


def changes(obj: Model) -> dict[str, tuple[Any, Any]]:
    """Return Python name to (Planhat's value, ours) for all that a save would send."""
    found: dict[str, tuple[Any, Any]] = {}
    for key, value in pending(obj).items():
        field = obj._meta.by_key[key]
        found[field.name] = (readable(field, obj._raw.get(key)), value)
    stored = stored_custom(obj._raw)
    for name, value in pending_custom(obj).items():
        found[f"custom.{name}"] = (stored.get(name), value)
    return found


def readable(field: Field[Any, Any], stored: Any) -> Any:
    """Return a stored value converted, or as it came when it cannot be."""
    try:
        return field.decode(stored)
    except DecodeError:
        return stored


def body_of(obj: Model) -> dict[str, Any]:
    """Return what a save sends, checked: all that is set on a new object, what changed on a saved one.

    :raises ValidationError: with all complaints at once, by field.
    """
    meta, zone, creates = obj._meta, obj._zone(), obj.id is None
    problems: dict[str, list[str]] = {}
    body: dict[str, Any] = dict(meta.constant) if creates else {}
    for key, value in pending(obj).items():
        field = meta.by_key[key]
        if creates and value is None:
            continue
        try:
            body[key] = field.encode(value, zone)
        except marshmallow.ValidationError as problem:
            problems.setdefault(field.name, []).extend(str(text) for text in problem.messages)
    custom = {name: value for name, value in pending_custom(obj).items() if not (creates and value is None)}
    if custom:
        body["custom"] = custom
    if creates:
        check_required(obj, body, problems)
    elif body:
        body.update({key: obj._raw[key] for key in meta.always_sent if key in obj._raw and key not in body})
    if problems:
        raise ValidationError(problems, model=meta.name)
    return body


def check_required(obj: Model, body: Mapping[str, Any], problems: dict[str, list[str]]) -> None:
    """Note what a create needs and ``body`` lacks; a blank text counts as missing."""
    for needed in obj._meta.create_required:
        keys = (needed,) if isinstance(needed, str) else needed
        names = [obj._meta.by_key[key].name for key in keys]
        given = [value for key in keys if (value := body.get(key)) is not None]
        if any(not isinstance(value, str) or value.strip() for value in given) or any(
            name in problems for name in names
        ):
            continue
        others = f", or one of {', '.join(names[1:])}," if len(names) > 1 else ""
        problems[names[0]] = [f"is required{others} to create a {obj._meta.name}"]


def snapshot(obj: Model) -> dict[str, Any]:
    """Return what is about to be sent as Python values, so that later changes can be told from it."""
    sent = {key: obj._meta.by_key[key].comparable(value) for key, value in pending(obj).items()}
    return {**copy.deepcopy(sent), "custom": copy.deepcopy(pending_custom(obj))}


def merge(obj: Model, row: dict[str, Any], origin: Origin, sent: Mapping[str, Any] | None = None) -> None:
    """Take a row of the object's record in: fill what is not loaded, refresh what is clean, keep what is dirty.

    A row that was asked for before the object's last write may be older than what is known, so it only fills.
    """
    known, state, asked = obj._origin, obj._state, origin.loaded
    if known is not None and state is not None and origin.number < state.written:
        row = {key: value for key, value in row.items() if not obj._knows(key)}
        asked = asked - known.loaded
    whole = known is None or asked is known.loaded or asked >= known.loaded
    raw = row if whole else merged(obj._raw, row, asked)
    if state is not None:
        rebase(obj, state, raw, sent or {})
    obj._raw = raw
    if whole:
        obj._origin = origin
    elif known is not None and not known.loaded >= asked:
        obj._origin = Origin(origin.session, known.loaded | asked, origin.number)


def rebase(obj: Model, state: State, raw: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    """Hold what was changed against a new row: what was sent or is stored is clean, what moved is noted."""
    for key, value in list(state.values.items()):
        field = obj._meta.by_key[key]
        was_sent = key in sent and same(sent[key], field.comparable(value))
        if was_sent or (obj._knows(key) and is_stored(field, obj._raw.get(key), value)):
            refresh_clean(state, field, raw.get(key), value)
        elif obj._knows(key) and not same(raw.get(key), obj._raw.get(key)):
            state.moved.setdefault(field.name, obj._raw.get(key))
    before, after, wrote = stored_custom(obj._raw), stored_custom(raw), sent.get("custom", {})
    for name, value in list(state.custom.items()):
        if (name in wrote and same(wrote[name], value)) or same(value, before.get(name)):
            if isinstance(value, (list, dict)) and type(after.get(name)) is type(value):
                in_place(value, copy.deepcopy(after[name]))
            else:
                del state.custom[name]
        elif obj._knows("custom") and not same(before.get(name), after.get(name)):
            state.moved.setdefault(f"custom.{name}", before.get(name))


def refresh_clean(state: State, field: Field[Any, Any], stored: Any, value: Any) -> None:
    """Let go of a clean value; a container that somebody may hold is brought up to date where it is."""
    fresh = readable(field, stored) if field.mutable else None
    if isinstance(value, (list, dict)) and type(fresh) is type(value):
        in_place(value, fresh)
    else:
        del state.values[field.data_key]


def in_place(container: Any, fresh: Any) -> None:
    """Give a list or a dict new contents without making another one of it."""
    container.clear()
    if isinstance(container, dict):
        container.update(fresh)
    else:
        container.extend(fresh)
