"""Foreign keys, lists of references and reverse managers.

Following a link loads what it points to for every row that was handed out together, in as few requests as the target
allows; the id behind a link never costs one. Imports fields and conversion; what is loaded comes through querysets of
the target. It does not promise that a referenced record still exists: one that is gone raises the target's
DoesNotExist when it is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import marshmallow

from planhat_orm.errors import ConfigurationError, DecodeError, FieldError, InvalidQuery, NotSupported
from planhat_orm.orm import conversion
from planhat_orm.orm.conversion import an
from planhat_orm.orm.fields import MISSING, Field
from planhat_orm.orm.options import registry
from planhat_orm.wire.endpoints import PREFIXES, KeyKind, is_object_id, split_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from planhat_orm.orm.evidence import Evidence
    from planhat_orm.orm.manager import Manager
    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")

#: What a reference by an own key begins with, and the key it speaks of.


@dataclass(frozen=True, slots=True)
class Ref(Generic[M]):
    """A reference by your own key: it costs no request and is sent as "extid-..." or "srcid-...".

    Made by ``Company.ref(external_id="acme-42")``.
    """

    model: type[M]
    kind: KeyKind
    key: str

    def __str__(self) -> str:
        return PREFIXES[self.kind] + self.key


def make_ref(model: type[M], keys: dict[KeyKind, Any]) -> Ref[M]:
    """Build the reference of ``Model.ref``; refused where Planhat does not take one."""
    given: dict[KeyKind, Any] = {kind: key for kind, key in keys.items() if key is not None}
    if len(given) != 1:
        raise InvalidQuery(f"{model.__name__}.ref() takes one of external_id= and source_id=")
    [(kind, key)] = given.items()
    if not isinstance(key, str) or not key.strip():
        raise InvalidQuery(f"{model.__name__}.ref({kind}=...) takes a text that is not blank, not {key!r}")
    if not model._meta.ref_prefixes:
        raise NotSupported(
            f"Planhat is not documented to take {an(model.__name__)} by {kind} in a reference; "
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
    :param takes_keys: Planhat takes an own key of the target in place of its id: "extid-acme-42".

    Reading it loads the record, and those of all rows handed out together, unless the session has it.
    """

    def __init__(
        self,
        to: str,
        data_key: str,
        *,
        required: bool = False,
        read_only: bool = False,
        heavy: bool = False,
        get_only: bool = False,
        takes_keys: bool = False,
        write_key: str = "",
        label: str = "",
        help: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        self.to = self.relation = to
        self.takes_keys = takes_keys
        self.python_type = to
        super().__init__(
            data_key,
            required=required,
            read_only=read_only,
            heavy=heavy,
            get_only=get_only,
            write_key=write_key,
            label=label,
            help=help or f"the {to}",
            evidence=evidence,
        )

    def make_converter(self) -> conversion.Tolerant:
        return conversion.Reference(required=self.required, data_key=self.data_key)

    def id_in(self, obj: Model) -> str | None:
        """Return the id, or "extid-..." for a reference that was assigned and not saved yet."""
        return link_id(self.current(obj))

    def read(self, obj: Model) -> Any:
        value = self.current(obj)
        if value is None or not isinstance(value, (str, Ref)):
            return value
        target = target_of(self)
        if isinstance(value, str) and (own := split_prefix(value)) is not None:
            value = Ref(target, *own)
        if isinstance(value, Ref):
            return target.objects.using(obj._session()).filter(**{value.kind: value.key}).get()
        if not is_object_id(value):
            raise self.undecodable(value, obj, marshmallow.ValidationError("not a Planhat id"))
        with obj._session().identity_map.flight("link", target):
            return load_related(obj, self, target, value)

    def write(self, obj: Model, value: Any) -> None:
        if value is not None and not isinstance(value, str):
            target = target_of(self)
            if isinstance(value, Ref):
                if not issubclass(value.model, target):
                    raise FieldError(
                        f"{obj._meta.name}.{self.name} takes {an(self.to)}, not {an(value.model.__name__)}"
                    )
            elif not isinstance(value, target):
                raise FieldError(f"{obj._meta.name}.{self.name} takes {an(self.to)}, not {conversion.shown(value)}")
            elif not self.read_only:
                obj._link(value)
        super().write(obj, value)

    def comparable(self, value: Any) -> Any:
        return link_id(value) or value

    def present(self, obj: Model) -> Any:
        value = super().present(obj)
        return link_id(value) if isinstance(value, (Ref, target_of(self))) else value

    @property
    def export_name(self) -> str:
        return f"{self.name}_id"

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        if value is not None and not isinstance(value, str):
            key = link_id(value)
            if key is None:
                raise marshmallow.ValidationError(f"is {an(self.to)} that is not saved yet; save it first")
            value = key
        if isinstance(value, str) and split_prefix(value) and not target_of(self)._meta.ref_prefixes:
            raise marshmallow.ValidationError(f"must be an id: Planhat takes no external keys for {an(self.to)} here")
        return super().encode(value, zone)


def link_id(value: Any) -> str | None:
    """Return the id in what a link holds: an object, a Ref or an id; None for an object that is not saved."""
    if value is None or isinstance(value, str):
        return value
    key: str | None = str(value) if isinstance(value, Ref) else value._raw.get("_id")
    return key


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
    if len(keys) > 1 and "_id" not in (target._meta.exact_params[name] for name in target._meta.many_params):
        keys = keys[:1]
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


class References(Generic[M]):
    """A list of references on one object. ``ids``, ``len`` and ``in`` cost nothing; iterating loads the objects.

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> kim = User.objects.get(email="kim@vendor.example")
    >>> acme.followers.add(kim)
    >>> kim in acme.followers, acme.followers.ids == [kim.id]
    (True, True)
    """

    __slots__ = ("_field", "_obj")

    def __init__(self, obj: Model, field: ReferenceList[M]) -> None:
        self._obj = obj
        self._field = field

    @property
    def ids(self) -> list[str]:
        """The ids, in Planhat's order."""
        return [key for item in self._items() if (key := self._field.key_of(self._obj, item))]

    @property
    def items(self) -> list[Any]:
        """The items as they travel, as a copy: ids, or objects such as ``{"id": ..., "isOwner": True}``."""
        items: list[Any] = conversion.plain_copy(self._items())
        return items

    def add(self, *objects: M | str) -> None:
        """Append objects (or ids) that are not in the list yet; sent when the owner of the list is saved."""
        items, ids = [*self._items()], set(self.ids)
        for item in self._field.items_of(self._obj, objects):
            key = self._field.key_of(self._obj, item)
            if key not in ids:
                ids.add(str(key))
                items.append(item)
        self._field.write(self._obj, items)

    def remove(self, *objects: M | str) -> None:
        """Take objects (or ids) out of the list; sent when the owner of the list is saved."""
        gone = {self._field.key_of(self._obj, item) for item in self._field.items_of(self._obj, objects)}
        kept = [item for item in self._items() if self._field.key_of(self._obj, item) not in gone]
        self._field.write(self._obj, kept)

    def _items(self) -> list[Any]:
        return self._field.items_in(self._obj)

    def __iter__(self) -> Iterator[M]:
        keys, target, session = self.ids, target_of(self._field), self._obj._session()
        held: dict[str, Any] = {}
        for place, key in enumerate(keys):
            found = held.get(key) or session.identity_map.find(target, key)
            if found is None:
                missing = [one for one in keys[place:] if session.identity_map.find(target, one) is None]
                held |= load_by_ids(session, target, missing)
                found = held.get(key)
            if found is None:
                raise target.DoesNotExist(
                    f"{self._obj!r}.{self._field.name} holds the {self._field.to} {key}, "
                    "which Planhat does not have (any more); .ids lists all of them"
                )
            yield found  # type: ignore[misc]  # the class comes from the registry by name

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, one: object) -> bool:
        return (one if isinstance(one, str) else getattr(one, "id", None)) in self.ids

    def __eq__(self, other: object) -> bool:
        if isinstance(other, References):
            return self.ids == other.ids
        return NotImplemented

    def __repr__(self) -> str:
        # A repr never sends a request.
        if not self._obj._holds(self._field.data_key):
            return f"<references to {self._field.to}, not loaded>"
        try:
            return f"<{len(self)} x {self._field.to}: {', '.join(self.ids)}>"
        except DecodeError:
            return f"<references to {self._field.to} that cannot be read>"


class ReferenceList(Field[References[M], "Iterable[M | str]"], Generic[M]):
    """A list of links: ``company.followers``. Reading it costs nothing, iterating it loads the objects.

    Objects and ids may be assigned; where Planhat wants objects as items, dictionaries too, which are sent as they
    are: ``note.users = [{"id": kim.id, "isOwner": True}]``.

    :param to: the name of the model it points to.
    :param item_key: where Planhat wants objects as items, the key that holds the id: ``{"id": ...}``.
    :param takes_keys: Planhat takes own keys of the targets in place of their ids: "extid-acme-42".
    """

    converter = conversion.ReferenceList
    mutable = True

    def __init__(
        self,
        to: str,
        data_key: str,
        *,
        item_key: str = "",
        required: bool = False,
        read_only: bool = False,
        heavy: bool = False,
        get_only: bool = False,
        takes_keys: bool = False,
        label: str = "",
        help: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        self.to = self.relation = to
        self.takes_keys = takes_keys
        self.item_key = item_key
        self.python_type = f"References[{to}]"
        super().__init__(
            data_key,
            required=required,
            read_only=read_only,
            heavy=heavy,
            get_only=get_only,
            label=label,
            help=help,
            evidence=evidence,
        )

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> References[M]: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | References[M]:
        return self if obj is None else References(obj, self)

    def __set__(self, obj: Model, value: Iterable[M | str | Mapping[str, Any]] | None) -> None:
        self.write(obj, value)

    def read(self, obj: Model) -> References[M]:
        return References(obj, self)

    def items_in(self, obj: Model) -> list[Any]:
        """Return the items as they travel; nobody may change the list."""
        value = obj._state.values.get(self.data_key, MISSING) if obj._state is not None else MISSING
        if value is MISSING:
            value = obj._stored(self)
        if value is None or conversion.is_blank(value):
            return []
        if not isinstance(value, list):
            raise self.undecodable(value, obj, marshmallow.ValidationError("not a list"))
        return value

    def key_of(self, obj: Model, item: Any) -> str | None:
        """Return the id in an item; None for an empty one."""
        try:
            return conversion.reference_id(item)
        except marshmallow.ValidationError as problem:
            raise self.undecodable(item, obj, problem) from None

    def items_of(self, obj: Model, values: Iterable[Any]) -> list[Any]:
        """Turn objects and ids into items as they travel; items that are there already stay as they are."""
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise FieldError(f"{obj._meta.name}.{self.name} takes a list of {self.to}, not {conversion.shown(values)}")
        if isinstance(values, References):
            obj._link(values._obj)
            values = values.items
        given = list(values)
        present = self.present_items(obj) if self.item_key else {}
        return [self.item_of(obj, value, present) for value in given]

    def item_of(self, obj: Model, value: Any, present: Mapping[str, Any]) -> Any:
        """Turn one object, id or item into the item that travels."""
        if isinstance(value, Mapping):
            key = conversion.reference_id(value)
            if key is None:
                raise FieldError(f"{obj._meta.name}.{self.name}: {conversion.shown(value)} holds no id")
            return conversion.plain_copy(dict(value)) if self.item_key else key
        if isinstance(value, target_of(self)):
            obj._link(value)
            key = value._raw.get("_id")
            if key is None:
                raise FieldError(f"{obj._meta.name}.{self.name}: {value!r} is not saved yet; save it first")
        elif isinstance(value, str):
            key = value
        else:
            raise FieldError(f"{obj._meta.name}.{self.name} takes {self.to} objects or ids, not {value!r}")
        return present.get(key, {self.item_key: key}) if self.item_key else key

    def current(self, obj: Model) -> Any:
        return [item for item in self.items_in(obj) if self.key_of(obj, item)]

    def present_items(self, obj: Model) -> dict[str, Any]:
        """Return the readable items that are there, by id; what else they hold (isOwner) is not to be lost."""
        found: dict[str, Any] = {}
        try:
            for item in self.items_in(obj):
                if key := self.key_of(obj, item):
                    found[key] = item
        except DecodeError:
            pass
        return found

    def write(self, obj: Model, value: Any) -> None:
        super().write(obj, [] if value is None or self.read_only else self.items_of(obj, value))

    def export(self, obj: Model) -> tuple[str, Any]:
        try:
            return self.name, References(obj, self).ids
        except DecodeError:
            return self.name, conversion.plain_copy(self.present(obj))

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
        objects: Any = target_of(self).objects
        manager: Manager[M] = objects._related_to(obj, self.key(type(obj)).name)
        return manager

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
