"""Foreign keys, lists of references and reverse managers.

Following a link loads what it points to for every row that was handed out together, in as few requests as the target
allows; the id behind a link never costs one. Imports fields and conversion; what is loaded comes through querysets of
the target. It does not promise that a referenced record still exists: one that is gone raises the target's
DoesNotExist when it is followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import marshmallow

from planhat_orm.errors import ConfigurationError, FieldError, InvalidQuery, NotSupported
from planhat_orm.orm import conversion
from planhat_orm.orm.fields import MISSING, Field
from planhat_orm.orm.options import registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from planhat_orm.orm.manager import Manager
    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")


@dataclass(frozen=True, slots=True)
class Ref(Generic[M]):
    """A reference by your own key: it costs no request and is sent as "extid-..." or "srcid-...".

    Made by ``Company.ref(external_id="acme-42")``.
    """

    model: type[M]
    kind: str
    key: str

    def __str__(self) -> str:
        return ("extid-" if self.kind == "external_id" else "srcid-") + self.key


def make_ref(model: type[M], keys: dict[str, Any]) -> Ref[M]:
    """Build the reference of ``Model.ref``; refused where Planhat does not take one."""
    given = {kind: key for kind, key in keys.items() if key is not None}
    if len(given) != 1:
        raise InvalidQuery(f"{model.__name__}.ref() takes one of external_id= and source_id=")
    [(kind, key)] = given.items()
    if not isinstance(key, str) or not key.strip():
        raise InvalidQuery(f"{model.__name__}.ref({kind}=...) takes a text that is not blank, not {key!r}")
    if not model._meta.ref_prefixes:
        raise NotSupported(
            f"Planhat is not documented to take a {model.__name__} by {kind} in a reference; "
            f"load it with {model.__name__}.objects.get({kind}={key!r}) and assign that"
        )
    return Ref(model, kind, key)


def target_of(field: ForeignKey[Any] | ReferenceList[Any] | Related[Any]) -> type[Model]:
    """Return the class that a relation names."""
    try:
        return registry[field.to]
    except KeyError:
        raise ConfigurationError(f"{field!r} points to {field.to!r}, which is no model; import its module") from None


class ForeignKey(Field[M, "M | Ref[M]"], Generic[M]):
    """A link to one record: ``company.owner`` is the object, ``company.owner_id`` its id.

    :param to: the name of the model it points to.
    :param data_key: Planhat's name of the property.

    Reading it loads the record, and those of all rows handed out together, unless the session has it.
    """

    def __init__(
        self,
        to: str,
        data_key: str,
        *,
        required: bool = False,
        read_only: bool = False,
        label: str = "",
        help: str = "",
    ) -> None:
        self.to = self.relation = to
        self.python_type = to
        super().__init__(data_key, required=required, read_only=read_only, label=label, help=help or f"the {to}")

    def make_converter(self) -> conversion.Tolerant:
        return conversion.Reference(prefixes=True, required=self.required, data_key=self.data_key)

    def id_in(self, obj: Model) -> str | None:
        """Return the id, or "extid-..." for a reference that was assigned and not saved yet."""
        value = self.value_in(obj)
        if value is None or isinstance(value, str):
            return value
        return str(value) if isinstance(value, Ref) else value.id

    def value_in(self, obj: Model) -> Any:
        """Return what is assigned: an object, a Ref or an id; else the stored id."""
        value = obj._state.values.get(self.data_key, MISSING) if obj._state is not None else MISSING
        return self.decode(obj._stored(self), obj) if value is MISSING else value

    def read(self, obj: Model) -> Any:
        value = self.value_in(obj)
        if value is None or not isinstance(value, (str, Ref)):
            return value
        target = target_of(self)
        if isinstance(value, Ref):
            return target.objects.using(obj._session()).filter(**{value.kind: value.key}).get()
        return load_related(obj, self, target, value)

    def write(self, obj: Model, value: Any) -> None:
        if value is not None and not isinstance(value, str):
            target = target_of(self)
            if isinstance(value, Ref):
                if not issubclass(value.model, target):
                    raise FieldError(f"{obj._meta.name}.{self.name} takes a {self.to}, not a {value.model.__name__}")
            elif not isinstance(value, target):
                raise FieldError(f"{obj._meta.name}.{self.name} takes a {self.to}, not {value!r}")
            else:
                obj._refuse_other_session(value)
        super().write(obj, value)

    def comparable(self, value: Any) -> Any:
        if value is None or isinstance(value, str):
            return value
        return str(value) if isinstance(value, Ref) else value.id or value

    def export(self, obj: Model) -> tuple[str, Any]:
        return f"{self.name}_id", self.id_in(obj)

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        if isinstance(value, Ref):
            value = str(value)
        elif value is not None and not isinstance(value, str):
            if value.id is None:
                raise marshmallow.ValidationError(f"is a {self.to} that is not saved yet; save it first")
            value = value.id
        if isinstance(value, str) and value[:6] in ("extid-", "srcid-") and not target_of(self)._meta.ref_prefixes:
            raise marshmallow.ValidationError(f"must be an id: Planhat takes no external keys for a {self.to} here")
        return super().encode(value, zone)


def load_related(obj: Model, field: ForeignKey[Any], target: type[Model], key: str) -> Model:
    """Return the record behind a link, loading it for all rows that were handed out with ``obj``."""
    session = obj._session()
    found = session.identity_map.find(target, key)
    if found is None:
        origin = obj._origin
        members = [member() for member in origin.members] if origin is not None else []
        wanted: dict[str | None, None] = {key: None}
        for member in members:
            if member is not None and member._knows(field.data_key):
                wanted[_stored_id(member, field)] = None
        missing = [one for one in wanted if one is not None and session.identity_map.find(target, one) is None]
        kept = load_by_ids(session, target, missing)
        if origin is not None:
            origin.keep.extend(kept)
        found = session.identity_map.find(target, key)
    if found is None:
        raise target.DoesNotExist(
            f"{obj!r}.{field.name} points to the {field.to} {key}, which Planhat does not have (any more)"
        )
    return found


def load_by_ids(session: Session, target: type[Model], keys: list[str]) -> list[Model]:
    """Load records by id in the fewest requests: a small table whole, id lists where they exist, else one by one."""
    objects = target.objects.using(session)
    if target._meta.small_table:
        table = session.table(target, lambda: list(objects.all()))
        keys = [key for key in keys if session.identity_map.find(target, key) is None]
        return [*table, *objects.filter(id__in=keys)] if keys else list(table)
    if len(keys) == 1:
        return list(objects.filter(id=keys[0]))
    if "_id" in (target._meta.list_params[name] for name in target._meta.id_list_params):
        return list(objects.filter(id__in=keys))
    return list(objects.filter(id=keys[0]))


def _stored_id(obj: Model, field: ForeignKey[Any]) -> str | None:
    try:
        return conversion.reference_id(obj._raw.get(field.data_key))
    except marshmallow.ValidationError:
        return None


class References(Generic[M]):
    """A list of references on one object. ``ids``, ``len`` and ``in`` cost nothing; iterating loads the objects."""

    __slots__ = ("_field", "_obj")

    def __init__(self, obj: Model, field: ReferenceList[M]) -> None:
        self._obj = obj
        self._field = field

    @property
    def ids(self) -> list[str]:
        """The ids, in Planhat's order."""
        return [key for key in map(conversion.reference_id, self._items()) if key]

    def add(self, *objects: M | str) -> None:
        """Append objects (or ids) that are not in the list yet; sent when the owner of the list is saved."""
        for one in self._field.items_of(self._obj, objects):
            if conversion.reference_id(one) not in self.ids:
                self._change([*self._items(), one])

    def remove(self, *objects: M | str) -> None:
        """Take objects (or ids) out of the list; sent when the owner of the list is saved."""
        gone = {conversion.reference_id(one) for one in self._field.items_of(self._obj, objects)}
        self._change([item for item in self._items() if conversion.reference_id(item) not in gone])

    def _items(self) -> list[Any]:
        return self._field.items_in(self._obj)

    def _change(self, items: list[Any]) -> None:
        self._field.write(self._obj, items)

    def __iter__(self) -> Iterator[M]:
        keys = self.ids
        target = target_of(self._field)
        session = self._obj._session()
        missing = [key for key in keys if session.identity_map.find(target, key) is None]
        kept = load_by_ids(session, target, missing) if missing else []
        for key in keys:
            found = session.identity_map.find(target, key)
            if found is None:
                found = target.objects.using(session).get(id=key)
            yield found  # type: ignore[misc]  # the class comes from the registry by name
        del kept

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, one: object) -> bool:
        return (one if isinstance(one, str) else getattr(one, "id", None)) in self.ids

    def __eq__(self, other: object) -> bool:
        if isinstance(other, References):
            return self.ids == other.ids
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a list that changes has no hash

    def __repr__(self) -> str:
        return f"<{len(self)} x {self._field.to}: {', '.join(self.ids)}>"


class ReferenceList(Field[References[M], "Iterable[M | str]"], Generic[M]):
    """A list of links: ``company.followers``. Reading it costs nothing, iterating it loads the objects.

    :param to: the name of the model it points to.
    :param item_key: where Planhat wants objects as items, the key that holds the id: ``{"id": ...}``.
    """

    converter = conversion.ReferenceList
    mutable = True

    def __init__(
        self,
        to: str,
        data_key: str,
        *,
        item_key: str = "",
        read_only: bool = False,
        heavy: bool = False,
        label: str = "",
        help: str = "",
    ) -> None:
        self.to = self.relation = to
        self.item_key = item_key
        self.python_type = f"References[{to}]"
        super().__init__(data_key, read_only=read_only, heavy=heavy, label=label, help=help)

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> References[M]: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | References[M]:
        return self if obj is None else References(obj, self)

    def items_in(self, obj: Model) -> list[Any]:
        """Return the items as they travel."""
        items = super().read(obj)
        return items if isinstance(items, list) else []

    def read(self, obj: Model) -> References[M]:
        return References(obj, self)

    def items_of(self, obj: Model, values: Iterable[Any]) -> list[Any]:
        """Turn objects and ids into items as they travel; items that are there already stay as they are."""
        present = {conversion.reference_id(item): item for item in self.items_in(obj)}
        target = target_of(self)
        items: list[Any] = []
        for value in values:
            key = value
            if isinstance(value, target):
                obj._refuse_other_session(value)
                key = value.id
            elif not isinstance(value, (str, dict)):
                raise FieldError(f"{obj._meta.name}.{self.name} takes {self.to} objects or ids, not {value!r}")
            if key is None:
                raise FieldError(f"{obj._meta.name}.{self.name}: {value!r} is not saved yet; save it first")
            key = conversion.reference_id(key)
            items.append(present.get(key, {self.item_key: key} if self.item_key else key))
        return items

    def write(self, obj: Model, value: Any) -> None:
        super().write(obj, [] if value is None else self.items_of(obj, value))

    def export(self, obj: Model) -> tuple[str, Any]:
        return self.name, References(obj, self).ids

    def empty(self) -> Any:
        return []


class Related(Generic[M]):
    """A reverse manager: ``company.endusers`` are the endusers whose company this is.

    :param to: the name of the model that points here.
    :param via: its foreign key, where it has several to this model.
    """

    def __init__(self, to: str, *, via: str = "") -> None:
        self.to = to
        self.via = via
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> Manager[M]: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | Manager[M]:
        if obj is None:
            return self
        if obj.id is None:
            raise FieldError(f"{obj!r} is not saved yet, so nothing can point to it: {self.name} is not available")
        manager: Any = target_of(self).objects
        return manager.related_to(obj, self.key(type(obj)).name)  # type: ignore[no-any-return]  # by name

    def key(self, owner: type[Model]) -> ForeignKey[Any]:
        """Return the foreign key of the target that points here."""
        target = target_of(self)
        keys = [
            field
            for field in target._meta.fields
            if isinstance(field, ForeignKey) and issubclass(owner, target_of(field)) and self.via in ("", field.name)
        ]
        if len(keys) != 1:
            raise ConfigurationError(
                f"{owner.__name__}.{self.name}: {self.to} has {len(keys)} foreign keys to {owner.__name__}; "
                "name one by via="
            )
        return keys[0]

    def __repr__(self) -> str:
        return f"<Related {self.name} -> {self.to}>"
