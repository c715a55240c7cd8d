"""What changed on an object, what a save sends of it, and how a new row of its record is taken in.

Values are compared with the untouched row as Planhat sent it, so nothing is copied until something is changed.
Imports fields and state, nothing that sends requests. It does not promise to notice that a container that somebody
took out of an object was changed after the object itself was let go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.errors import DecodeError, ValidationError
from planhat_orm.orm.conversion import an, in_shape, is_blank, plain_copy, reference_id, same
from planhat_orm.orm.custom import CUSTOM, DELETED, CustomData, CustomValues, differs
from planhat_orm.orm.fields import MISSING
from planhat_orm.orm.state import Origin, State, merged
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model


@dataclass(frozen=True, slots=True)
class Pending:
    """What differs from Planhat's: Python values by Planhat's name, and the keys inside ``custom``."""

    values: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values or self.custom)


# What changed


def pending(obj: Model) -> Pending:
    """Return what differs from Planhat's."""
    state = obj._state
    if state is None or not (state.values or state.custom):
        return Pending()
    by_key = obj._meta.by_key
    values = {
        key: value
        for key, value in list(state.values.items())
        if not obj._knows(key) or not is_stored(by_key[key], obj._raw.get(key), value)
    }
    data = obj._meta.custom
    return Pending(values, CustomValues(obj, data).changed() if data is not None else {})


def is_stored(field: Field[Any, Any], stored: Any, value: Any) -> bool:
    """Tell whether a Python value is what ``stored`` reads as; what cannot be read equals nothing but its copy."""
    if stored is MISSING:
        return False
    try:
        return field.means_same(stored, value)
    except DecodeError:
        return same(stored, value)


def stored_custom(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the custom values of a row."""
    return CustomData.mapping(row.get(CUSTOM))


def differences(obj: Model) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield Planhat's name, the Python name, Planhat's value and ours of all that a save would send."""
    found = pending(obj)
    for key, value in found.values.items():
        field = obj._meta.by_key[key]
        yield key, field.name, field.readable(obj._raw.get(key)), value
    stored = stored_custom(obj._raw)
    for name, value in found.custom.items():
        yield f"{CUSTOM}.{name}", f"{CUSTOM}.{name}", plain_copy(stored.get(name)), value


def changes(obj: Model) -> dict[str, tuple[Any, Any]]:
    """Return Python name to (Planhat's value, ours) for all that a save would send."""
    return {name: (theirs, ours) for _, name, theirs, ours in differences(obj)}


def conflicts(obj: Model) -> dict[str, tuple[Any, Any]]:
    """Return the changes whose value at Planhat is not any more what it was when they were made."""
    moved = obj._state.moved if obj._state is not None else {}
    if not moved:
        return {}
    return {
        name: (theirs, ours)
        for path, name, theirs, ours in differences(obj)
        if path in moved and not same(stored_at(obj._raw, path), moved[path])
    }


def stored_at(row: Mapping[str, Any], path: str) -> Any:
    """Return a row's value by Planhat's name, ``custom.`` and a key for one inside ``custom``."""
    head, inside, name = path.partition(f"{CUSTOM}.")
    return stored_custom(row).get(name) if inside and not head else row.get(path)


# What a save sends


def body_of(obj: Model, found: Pending) -> dict[str, Any]:
    """Return what a save sends, checked: all that is set on a new object, what changed on a saved one.

    It is by the names that fields are written under (``write_key``).

    :raises ValidationError: with all complaints at once, by field.
    """
    meta, zone, creates = obj._meta, obj._zone(), obj._raw.get("_id") is None
    problems: dict[str, list[str]] = {}
    body: dict[str, Any] = meta.as_written({**meta.create_defaults, **meta.constant}) if creates else {}
    for key, value in found.values.items():
        field = meta.by_key[key]
        if creates and value is None:
            continue
        try:
            encoded = field.encode(value, zone)
        except marshmallow.ValidationError as problem:
            problems[field.name] = [str(text) for text in problem.messages]
        else:
            body[field.write_key] = encoded
            if refusal := refused(obj, field, encoded, creates=creates):
                problems[field.name] = [refusal]
    custom = custom_body(obj, found.custom, problems, creates=creates)
    if custom:
        body[CUSTOM] = custom
    if creates:
        check_required(obj, meta.as_read(body), problems)
    elif body:
        kept = {key: as_stored(meta.by_key[key], obj._raw.get(key)) for key in meta.always_sent}
        body = {**meta.as_written({key: value for key, value in kept.items() if value is not None}), **body}
    if problems:
        raise ValidationError(problems, model=meta.name)
    return body


def as_stored(field: Field[Any, Any], stored: Any) -> Any:
    """Return a stored value as it can be sent back: a reference that came as an object as its id.

    None where there is no value, or one that cannot be read: null would clear at Planhat what nobody here touched.
    """
    try:
        if field.decode(stored) is None:
            return None
    except DecodeError:
        return None
    if not field.relation or field.mutable:
        return plain_copy(stored)
    key = reference_id(stored)
    return key if is_object_id(key) else None


def refused(obj: Model, field: Field[Any, Any], value: Any, *, creates: bool) -> str | None:
    """Say why a value of the right type may not be sent all the same; None when it may."""
    if field.read_only:
        return "is read-only, and changes were made inside it, which cannot be saved; revert() forgets them"
    if not creates and field.required and (value is None or is_blank(value)):
        return "is required and cannot be cleared"
    constant = obj._meta.constant.get(field.data_key, value)
    if constant != value:
        return f"is always {constant!r} for a {obj._meta.name}"
    return None


def custom_body(
    obj: Model, changed: Mapping[str, Any], problems: dict[str, list[str]], *, creates: bool
) -> dict[str, Any]:
    """Return what is sent inside ``custom``, as copies: changes made while it is under way are not part of it."""
    stored = stored_custom(obj._raw)
    body: dict[str, Any] = {}
    folded: dict[str, str] = {}
    for name, value in changed.items():
        if creates and value is None:
            continue
        twin = folded.setdefault(name.casefold(), name)
        if twin != name:
            # Planhat refuses the whole request then, although it stores both (reported from a live tenant, 2026).
            problems[f"{CUSTOM}.{name}"] = [f"differs from {twin!r} in letter case only; Planhat takes one of them"]
        # A list is cleared by [] (docs: What Planhat does, Clearing values).
        clears_list = value is None and isinstance(stored.get(name), list)
        body[name] = [] if clears_list else plain_copy(value)
    return body


def check_required(obj: Model, body: Mapping[str, Any], problems: dict[str, list[str]]) -> None:
    """Note what a create needs and ``body`` lacks; a blank text counts as missing.

    :param body: by the names that fields are read under.
    """
    for needed in obj._meta.create_required:
        keys = (needed,) if isinstance(needed, str) else needed
        names = [obj._meta.by_key[key].name for key in keys]
        if any(body.get(key) is not None and not is_blank(body[key]) for key in keys):
            continue
        if any(name in problems for name in names):
            continue
        others = f", or one of {', '.join(names[1:])}," if len(names) > 1 else ""
        problems[names[0]] = [f"is required{others} to create {an(obj._meta.name)}"]


def before(obj: Model, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return Planhat's values of what is about to be sent, as far as they are known, by the names of ``body``."""
    meta = obj._meta
    keys = [key for key in meta.as_read(body) if key != CUSTOM or meta.custom is None]
    known = meta.as_written({key: plain_copy(obj._raw.get(key)) for key in keys if obj._knows(key)})
    if CUSTOM in body and meta.custom is not None and obj._knows(CUSTOM):
        stored = stored_custom(obj._raw)
        known[CUSTOM] = {name: plain_copy(stored.get(name)) for name in body[CUSTOM]}
    return known


def sent_of(obj: Model, found: Pending) -> dict[str, Any]:
    """Return what is about to be sent as Python values, so that later changes can be told from it.

    It is by the names that fields are read under, and what is sent of ``custom`` is under that name.
    """
    by_key = obj._meta.by_key
    sent = {key: plain_copy(by_key[key].comparable(value)) for key, value in found.values.items()}
    return {**sent, CUSTOM: plain_copy(found.custom)} if obj._meta.custom is not None else sent


def echo(obj: Model, body: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the row that a success without a body stands for, and what of it is not known.

    What was sent is what is stored, as far as anybody can tell; but a reference by an own key is stored as an id, and
    the custom values that were never loaded are still not known.
    """
    meta = obj._meta
    written = {key: value for key, value in meta.as_read(body).items() if key not in meta.write_only}
    row = {**obj._raw, **plain_copy(written)}
    unknown = {key for key, value in written.items() if meta.by_key[key].relation and holds_own_key(value)}
    if CUSTOM in written and meta.custom is not None:
        row[CUSTOM] = {**stored_custom(obj._raw), **plain_copy(written[CUSTOM])}
        if not obj._knows(CUSTOM):
            unknown.add(CUSTOM)
    return row, frozenset(unknown)


def holds_own_key(value: Any) -> bool:
    """Tell whether a reference, or one of a list, is written as another key than the id that is stored for it."""
    items = value if isinstance(value, list) else [value]
    return any(key is not None and not is_object_id(key) for key in map(reference_id, items))


def forget(obj: Model, keys: frozenset[str]) -> None:
    """Let values of a saved object be unknown, so that they are loaded when they are read."""
    if keys and obj._origin is not None:
        values = obj._state.values if obj._state is not None else {}
        for key in keys & values.keys():
            if is_stored(obj._meta.by_key[key], obj._raw.get(key), values[key]):
                del values[key]
        obj._raw = {key: value for key, value in obj._raw.items() if key not in keys}
        obj._origin = obj._origin.narrowed(keys)


# How rows are taken in


def merge(obj: Model, row: dict[str, Any], origin: Origin, sent: Mapping[str, Any] | None = None) -> None:
    """Take a row of the object's record in: fill what is not loaded, refresh what is clean, keep what is dirty.

    A row that was asked for before the one that is held, or before the object's last write, may be older than what is
    known, so it only fills.

    :param sent: what the row answers, as ``sent_of`` gave it; it is clean now, unless it was changed since.
    """
    known, state, asked = obj._origin, obj._state, origin.loaded
    if known is not None and origin.number < max(known.number, state.written if state is not None else 0):
        row = {key: value for key, value in row.items() if not obj._knows(key)}
        asked = frozenset(key for key in asked if not obj._knows(key))
    raw = row if known is None or asked >= obj._meta.keys else merged(obj._raw, row, asked)
    if state is not None:
        rebase(obj, state, raw, sent or {}, asked)
    obj._raw = raw
    if known is None:
        obj._origin = origin
    elif origin.is_page and asked is origin.loaded:
        # Handed out with the rows of this page from now on.
        obj._origin = origin.widened(known.loaded)
    else:
        obj._origin = known.widened(asked, origin.number)


def merge_twin(obj: Model, row: dict[str, Any], origin: Origin) -> None:
    """Take in a row that came for an object of another class of the same record: this one stays on its own page."""
    merge(obj, row, origin.told())


def merge_kin(obj: Model, row: dict[str, Any], origin: Origin) -> None:
    """Take in what a row from another collection tells of the same record: a ticket is read as a conversation, too.

    What that row lacks was not there to be told, unless both classes declare it; and the object stays among the rows
    that it was handed out with.
    """
    tells = (origin.loaded & obj._meta.keys) | (row.keys() & obj._meta.keys)
    tracked = Origin(origin.joined, tells, origin.number, tenant=origin.tenant)
    if tells >= obj._meta.keys:
        row = {**{key: value for key, value in obj._raw.items() if key not in obj._meta.keys}, **row}
    merge(obj, row, tracked)


def paths_of(obj: Model, sent: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was sent, as ``State.moved`` calls it."""
    yield from sent
    if obj._meta.custom is not None:
        for name in sent.get(CUSTOM, {}):
            yield f"{CUSTOM}.{name}"


def rebase(obj: Model, state: State, raw: Mapping[str, Any], sent: Mapping[str, Any], asked: frozenset[str]) -> None:
    """Hold what was changed against a new row: what was sent or is stored is clean, what moved is noted.

    :param asked: what the row tells, be it by its absence; what was sent and is not told is to be loaded again.
    """
    told = asked | obj._meta.write_only | (obj._origin.loaded if obj._origin is not None else frozenset())
    saved = obj._origin is not None
    for key, value in list(state.values.items()):
        field, old = obj._meta.by_key[key], obj._raw.get(key)
        knew = obj._knows(key)
        was_sent = key in sent and same(sent[key], field.comparable(value))
        if was_sent and key not in raw and key not in told:
            del state.values[key]
        elif was_sent or (knew and is_stored(field, old, value)) or is_stored(field, raw.get(key, MISSING), value):
            let_go(state, field, raw.get(key), value)
            state.moved.pop(key, None)  # the next change begins from what is stored now
        elif saved and knew and not same(raw.get(key), old):
            state.moved.setdefault(key, old)
    if not state.custom:
        return
    knew, theirs, now, wrote = obj._knows(CUSTOM), stored_custom(obj._raw), stored_custom(raw), sent.get(CUSTOM, {})
    for name, value in list(state.custom.items()):
        ours = None if value is DELETED else value
        was_sent = name in wrote and same(wrote[name], in_shape(ours, theirs.get(name)))
        stored = now.get(name, MISSING)
        if was_sent or (knew and not differs(ours, theirs.get(name))) or same(stored, in_shape(ours, stored)):
            # A container that Planhat has cleared stays live as an empty one, since somebody may hold it.
            cleared: Any = [] if isinstance(value, list) else {} if isinstance(value, dict) else None
            let_go_custom(state, name, cleared if now.get(name) is None else now[name], value)
            state.moved.pop(f"{CUSTOM}.{name}", None)
        elif saved and knew and not same(theirs.get(name), now.get(name)):
            state.moved.setdefault(f"{CUSTOM}.{name}", theirs.get(name))


def let_go(state: State, field: Field[Any, Any], stored: Any, value: Any) -> None:
    """Let go of a clean value; a container that somebody may hold is brought up to date where it is."""
    fresh = field.readable(stored) if isinstance(value, (list, dict)) else None
    if isinstance(value, (list, dict)) and type(fresh) is type(value):
        in_place(value, fresh)
    else:
        del state.values[field.data_key]


def let_go_custom(state: State, name: str, stored: Any, value: Any) -> None:
    """Let go of a clean value inside ``custom``, as ``let_go`` does."""
    if isinstance(value, (list, dict)) and type(stored) is type(value):
        in_place(value, plain_copy(stored))
    else:
        del state.custom[name]


def in_place(container: Any, fresh: Any) -> None:
    """Give a list or a dict new contents without making another one of it."""
    container.clear()
    if isinstance(container, dict):
        container.update(fresh)
    else:
        container.extend(fresh)


def revert(obj: Model, state: State) -> None:
    """Forget what was changed: containers that somebody may hold are as Planhat last sent them."""
    for key, value in list(state.values.items()):
        if obj._origin is not None and obj._knows(key):
            let_go(state, obj._meta.by_key[key], obj._raw.get(key), value)
        else:
            del state.values[key]
    stored = stored_custom(obj._raw)
    for name, value in list(state.custom.items()):
        if name in stored:
            let_go_custom(state, name, stored[name], value)
        else:
            del state.custom[name]
    state.moved.clear()
