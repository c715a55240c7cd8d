"""The custom-field mapping: ``company.custom["Days in Phase"]``.

``custom`` is one object on the wire, keyed by the names that the tenant gave its fields, and Planhat merges it key by
key on update. So is it here: a view on its object that remembers each key that was set. Imports fields and
conversion. It does not know which keys a tenant has defined, nor of which types.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Self, overload

import marshmallow

from planhat_orm.errors import DecodeError, FieldError, ValidationError, suggestion
from planhat_orm.orm.conversion import in_shape, plain_copy, same, shown, wire_json
from planhat_orm.orm.fields import MISSING, Field

if TYPE_CHECKING:
    from datetime import tzinfo

    from planhat_orm.orm.model import Model


class Deleted(enum.Enum):
    """Stands in the changes of an object for a key that was deleted; it is sent as null, like None."""

    DELETED = "deleted"


DELETED = Deleted.DELETED

#: Planhat's name of the object that holds the tenant's own values, and ours of the field.
CUSTOM = "custom"


class CustomValues(MutableMapping[str, Any]):
    """The custom values of one object, by the names of the tenant's custom fields.

    Values are what JSON holds; a date is sent as Planhat's timestamp, or as a number of days where it replaces one.
    Setting None, or deleting a key, clears the value at Planhat when the object is saved. Containers may be changed in
    place. A key without a value raises KeyError; ``.get("Tier")`` gives None.

    >>> company = Company(name="Acme", custom={"Tier": "Gold"})
    >>> company.custom["Tier"], company.custom.get("Seats")
    ('Gold', None)
    """

    __slots__ = ("_field", "_obj")

    _obj: Model
    _field: Any  # a CustomData, which a type checker would read through as a descriptor

    def __init__(self, obj: Model, field: CustomData) -> None:
        object.__setattr__(self, "_obj", obj)
        object.__setattr__(self, "_field", field)

    if not TYPE_CHECKING:
        # Hidden from type checkers, which would take them as leave to use any name.

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"custom values are keys, not attributes: write custom[{name!r}]")

        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(f"custom values are keys, not attributes: write custom[{name!r}] = ...")

    def __getitem__(self, key: str) -> Any:
        value = self._value(key)
        if value is MISSING:
            meant = suggestion(key, self) if isinstance(key, str) else ""
            raise KeyError(f"{self._obj!r} holds no custom value {key!r}{meant or '; .get() gives None instead'}")
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, ``default`` where there is none."""
        value = self._value(key)
        return default if value is MISSING else value

    def __contains__(self, key: object) -> bool:
        return self._value(key) is not MISSING

    def __setitem__(self, key: str, value: Any) -> None:
        checked = self._checked(key, value)
        with self._obj._guard():
            self._put(key, checked)
            self._obj._touched()

    def __delitem__(self, key: str) -> None:
        self[key]
        with self._obj._guard():
            self._put(key, DELETED)
            self._obj._touched()

    def __iter__(self) -> Iterator[str]:
        pending, stored = self._pending(), self._stored()
        yield from [key for key in stored if pending.get(key) is not DELETED]
        yield from [key for key, value in list(pending.items()) if key not in stored and value is not DELETED]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and same(dict(self), dict(other))

    def __repr__(self) -> str:
        # A repr never sends a request.
        if self._obj._knows(self._field.data_key):
            return repr(dict(self)) if self._readable() else f"<custom values, stored as {shown(self._raw())}>"
        return f"<custom values, not loaded; set here: {list(self._pending())}>"

    def replace(self, values: Mapping[str, Any]) -> None:
        """Make the mapping hold exactly ``values``; keys that it lacks are cleared at Planhat."""
        checked = {key: self._checked(key, value) for key, value in values.items()}
        cleared = [key for key in self if key not in checked]
        with self._obj._guard():
            for key in cleared:
                self._put(key, DELETED)
            for key, value in checked.items():
                self._put(key, value)
            self._obj._touched()

    def changed(self) -> dict[str, Any]:
        """Return what a save would change: the keys whose value is not Planhat's, None for those it would clear."""
        state = self._obj._state
        if state is None or not state.custom:
            return {}
        stored = self._field.mapping(self._raw())
        known = self._obj._knows(self._field.data_key)
        found: dict[str, Any] = {}
        for key, value in list(state.custom.items()):
            ours = None if value is DELETED else in_shape(value, stored.get(key))
            if not (known or key in stored) or differs(ours, stored.get(key)):
                found[key] = ours
        return found

    def _checked(self, key: str, value: Any) -> Any:
        if not isinstance(key, str) or not key.strip():
            raise FieldError(f"a custom field has a name, not {key!r}")
        try:
            return wire_json(value, self._obj._zone())
        except marshmallow.ValidationError as problem:
            texts = [str(text) for text in problem.messages]
            raise ValidationError({f"custom.{key}": texts}, model=self._obj._meta.name) from None

    def _put(self, key: str, value: Any) -> None:
        self._obj._ensure_state().custom[key] = value

    def _value(self, key: object) -> Any:
        if not isinstance(key, str):
            return MISSING
        value = self._pending().get(key, MISSING)
        if value is not MISSING:
            return MISSING if value is DELETED else value
        value = self._stored().get(key, MISSING)
        if isinstance(value, (list, dict)):
            # The copy is kept so that changes inside it are seen when the object is saved.
            value = self._obj._ensure_state().custom.setdefault(key, plain_copy(value))
        return value

    def _pending(self) -> dict[str, Any]:
        state = self._obj._state
        return state.custom if state is not None else {}

    def _raw(self) -> Any:
        return self._obj._raw.get(self._field.data_key)

    def _stored(self) -> Mapping[str, Any]:
        value = self._obj._stored(self._field)
        if not isinstance(value, Mapping) and value:
            raise self._field.undecodable(value, self._obj, marshmallow.ValidationError("not a mapping"))
        return CustomData.mapping(value)

    def _readable(self) -> bool:
        return isinstance(self._raw(), Mapping) or not self._raw()


def differs(ours: Any, theirs: Any) -> bool:
    """Tell whether a custom value is another one than Planhat's; an empty container and no value are the same.

    >>> differs([], None), differs(None, "Gold"), differs("", None)
    (False, True, True)
    """
    nothing: tuple[Any, ...] = (None, [], {})
    return not (same(in_shape(ours, theirs), theirs) or (ours in nothing and theirs in nothing))


class CustomData(Field[CustomValues, Mapping[str, Any]]):
    """The field that holds the tenant's own values; always a mapping, empty when Planhat sent none.

    Assigning a mapping replaces the whole: keys it lacks are cleared at Planhat when the object is saved.
    """

    python_type = "CustomValues"

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> CustomValues: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | CustomValues:
        return self if obj is None else CustomValues(obj, self)

    def read(self, obj: Model) -> CustomValues:
        return CustomValues(obj, self)

    def write(self, obj: Model, value: Any) -> None:
        if value is not None and not isinstance(value, Mapping):
            raise FieldError(f"{obj._meta.name}.custom must be a mapping of names to values, not {shown(value)}")
        CustomValues(obj, self).replace(value or {})

    def current(self, obj: Model) -> Any:
        return dict(CustomValues(obj, self))

    def hand_over(self, obj: Model, twin: Model) -> None:
        try:
            values = self.current(obj)
        except DecodeError:
            return
        twin._ensure_state().custom.update(plain_copy(values))

    def decode(self, value: Any, obj: Model | None = None) -> Any:
        return self.mapping(value)

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        return wire_json(dict(value), zone)

    @staticmethod
    def mapping(value: Any) -> Mapping[str, Any]:
        """Return what came if it is a mapping, else an empty one."""
        return value if isinstance(value, Mapping) else {}
