"""The custom-field mapping: ``company.custom["Days in Phase"]``.

``custom`` is one object on the wire, keyed by the names that the tenant gave its fields, and Planhat merges it key by
key on update. So is it here: a view on its object that remembers each key that was set. Imports fields and
conversion. It does not know which keys a tenant has defined, nor of which types.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Self, overload

import marshmallow

from planhat_orm.errors import FieldError, suggestion
from planhat_orm.orm.conversion import same, wire_json
from planhat_orm.orm.fields import MISSING, Field

if TYPE_CHECKING:
    from datetime import tzinfo

    from planhat_orm.orm.model import Model


class CustomValues(MutableMapping[str, Any]):
    """The custom values of one object, by the names of the tenant's custom fields.

    Values are what JSON holds; a date is sent as Planhat's timestamp. Setting None, or deleting a key, clears the
    value at Planhat when the object is saved. Containers may be changed in place. A key without a value raises
    KeyError; ``.get("Tier")`` gives None.
    """

    __slots__ = ("_field", "_obj")

    def __init__(self, obj: Model, field: CustomData) -> None:
        self._obj = obj
        self._field = field

    def __getitem__(self, key: str) -> Any:
        value = self._pending().get(key, MISSING)
        if value is MISSING:
            value = self._stored().get(key, MISSING)
            if isinstance(value, (list, dict)):
                value = self._obj._ensure_state().custom[key] = copy.deepcopy(value)
        if value is MISSING or (value is None and key not in self._stored()):
            meant = suggestion(key, self)
            raise KeyError(f"{self._obj!r} holds no custom value {key!r}{meant or '; .get() gives None instead'}")
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str) or not key.strip():
            raise FieldError(f"a custom field has a name, not {key!r}")
        try:
            wire = wire_json(value, self._obj._zone())
        except marshmallow.ValidationError as problem:
            raise FieldError(f"{self._obj._meta.name}.custom[{key!r}] {problem.messages[0]}") from None
        self._obj._ensure_state().custom[key] = wire
        self._obj._touched()

    def __delitem__(self, key: str) -> None:
        self[key]
        self[key] = None

    def __iter__(self) -> Iterator[str]:
        pending, stored = self._pending(), self._stored()
        yield from stored
        yield from [key for key, value in pending.items() if key not in stored and value is not None]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and same(dict(self), dict(other))

    __hash__ = None  # type: ignore[assignment]  # a mapping that changes has no hash

    def __repr__(self) -> str:
        return f"{dict(self)!r}"

    def changed(self) -> dict[str, Any]:
        """Return what a save would send of the mapping: the keys whose value is not Planhat's."""
        state = self._obj._state
        if state is None or not state.custom:
            return {}
        stored = self._field.mapping(self._obj._raw.get(self._field.data_key))
        known = self._obj._knows(self._field.data_key)
        return {
            key: value
            for key, value in state.custom.items()
            if not (known or key in stored) or not same(value, stored.get(key))
        }

    def _pending(self) -> dict[str, Any]:
        state = self._obj._state
        return state.custom if state is not None else {}

    def _stored(self) -> Mapping[str, Any]:
        return self._field.mapping(self._obj._stored(self._field))


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
            raise FieldError(f"{obj._meta.name}.custom must be a mapping of names to values, not {value!r}")
        values = CustomValues(obj, self)
        for key in [key for key in values if key not in (value or {})]:
            del values[key]
        for key, item in (value or {}).items():
            values[key] = item

    def export(self, obj: Model) -> tuple[str, Any]:
        return self.name, copy.deepcopy(dict(CustomValues(obj, self)))

    def decode(self, value: Any, obj: Model | None = None) -> Any:
        return self.mapping(value)

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        return wire_json(dict(value), zone)

    @staticmethod
    def mapping(value: Any) -> Mapping[str, Any]:
        """Read what came: a mapping, or an empty one for null, "" and whatever else is no mapping."""
        return value if isinstance(value, Mapping) else {}
