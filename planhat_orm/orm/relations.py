"""Foreign keys, lists of references and reverse managers.

The id behind a link never costs a request; what it points to is loaded by ``following``. Imports fields, refs and
conversion. It does not promise that a referenced record still exists: one that is gone raises the target's
DoesNotExist when it is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack, overload

import marshmallow

from planhat_orm.errors import ConfigurationError, DecodeError, FieldError
from planhat_orm.orm import conversion, held
from planhat_orm.orm.conversion import an
from planhat_orm.orm.fields import MISSING, Field
from planhat_orm.orm.following import gone_behind, load_listed, load_related
from planhat_orm.orm.refs import (
    LinkOptions,
    NoKeysTaken,
    Ref,
    assign_instead,
    find_live,
    link_id,
    name_of_target,
    own_key,
    own_keys_of,
    refusal,
    target_of,
)
from planhat_orm.wire.endpoints import is_object_id

__all__ = ["ForeignKey", "Ref", "ReferenceList", "References", "Related", "target_of"]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from planhat_orm.orm.manager import Manager
    from planhat_orm.orm.model import Model

M = TypeVar("M", bound="Model")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    Q = TypeVarWithDefault("Q", default="Manager[M]")
else:
    Q = TypeVar("Q")

#: Names under which an object in a list holds the id of the record that it stands for.
ID_KEYS = frozenset(("_id", "id"))


class ForeignKey(Field[M, "M | Ref[M]"], Generic[M]):
    """A link to one record: ``company.owner`` is the object, ``company.owner_id`` its id.

    :param to: the name of the model it points to.
    :param data_key: Planhat's name of the property.
    :param takes_keys: Planhat takes an own key of the target in place of its id: "extid-acme-42".
    :param options: what every field may be declared with.

    Reading it loads the record, and those of all rows handed out together, unless the session has it.
    """

    converter = conversion.Reference

    def __init__(self, to: str, data_key: str, *, takes_keys: bool = False, **options: Unpack[LinkOptions]) -> None:
        self.to = self.relation = name_of_target(to)
        self.takes_keys = takes_keys
        self.python_type = to
        options["help"] = options.get("help") or f"the {to}"
        super().__init__(data_key, **options)

    def id_in(self, obj: Model) -> str | None:
        """Return the id, or "extid-..." for a reference that was assigned and not saved yet."""
        return link_id(self.current(obj))

    def read(self, obj: Model) -> Any:
        value = self.current(obj)
        if value is None or not isinstance(value, (str, Ref)):
            return value
        target = target_of(self)
        if (own := own_key(value)) is not None:
            return target.objects.using(obj._session()).filter(**{own[0]: own[1]}).get()
        if not isinstance(value, str) or not is_object_id(value):
            raise self.undecodable(value, obj, marshmallow.ValidationError("not a Planhat id"))
        known = held.behind(obj, self.name)
        if value in known:
            if (record := known[value]) is None:
                raise gone_behind(obj, self, target, value)
            if held.is_there(record):
                return record
        with obj._session().identity_map.flight("link", target):
            return load_related(obj, self, target, value)

    def write(self, obj: Model, value: Any) -> None:
        if value is not None and not isinstance(value, str) and not self.read_only:
            target = target_of(self)
            if isinstance(value, Ref):
                if not issubclass(value.model, target):
                    raise FieldError(
                        f"{obj._meta.name}.{self.name} takes {an(self.to)}, not {an(value.model.__name__)}"
                    )
                if not self.takes_keys:
                    raise NoKeysTaken(f"{obj._meta.name}.{self.name} {refusal(self, value)}")
            elif not isinstance(value, target):
                raise FieldError(f"{obj._meta.name}.{self.name} takes {an(self.to)}, not {conversion.shown(value)}")
            else:
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
        if isinstance(value, str) and not is_object_id(value) and own_key(value) is None:
            raise marshmallow.ValidationError(
                f"must be a Planhat id (24 hexadecimal digits), not str {conversion.shown(value)}; "
                f"{assign_instead(self, value)}"
            )
        if not self.takes_keys and own_key(value) is not None:
            raise marshmallow.ValidationError(refusal(self, value))
        return super().encode(value, zone)


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
        """The ids, in Planhat's order; "extid-..." for a reference that was put in and not saved yet."""
        return [key for item in self._items() if (key := self._field.key_of(self._obj, item))]

    @property
    def items(self) -> list[Any]:
        """The items as they travel, as a copy: ids, or objects such as ``{"id": ..., "isOwner": True}``."""
        items: list[Any] = conversion.plain_copy(self._items())
        return items

    def add(self, *objects: M | Ref[M] | str) -> None:
        """Append objects (or ids, or references where Planhat takes them) that are not in the list yet.

        They are sent when the owner of the list is saved.
        """
        items, ids = self._field.current(self._obj), set(self.ids)
        for item in self._field.items_of(self._obj, objects):
            key = self._field.key_of(self._obj, item)
            if key not in ids:
                ids.add(str(key))
                items.append(item)
        self._field.write(self._obj, items)

    def remove(self, *objects: M | Ref[M] | str) -> None:
        """Take objects (or ids, or references) out of the list; sent when the owner of the list is saved.

        What is not in the list is passed over, as Django does.

        :raises FieldError: for a reference that neither stands in the list like that nor is of a loaded object.
        """
        gone = {self._field.key_of(self._obj, item) for item in self._field.items_of(self._obj, objects)}
        for key in {str(key) for key in gone if own_key(key) is not None} - set(self.ids):
            known = find_live(self._obj._session(), target_of(self._field), key)
            if known is None:
                raise FieldError(
                    f"{self._obj!r}.{self._field.name} holds ids, and nothing loaded tells that of {key!r}: "
                    f"load the {self._field.to} and remove that"
                )
            gone.add(known.id)
        for one in objects:
            gone |= own_keys_of(one) if isinstance(one, target_of(self._field)) else set()
        kept = [item for item in self._field.current(self._obj) if self._field.key_of(self._obj, item) not in gone]
        self._field.write(self._obj, kept)

    def _items(self) -> list[Any]:
        return self._field.items_in(self._obj)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            instead = ": write add(...)" if name in ("append", "extend", "insert") else ""
            raise AttributeError(f"a list of references has no {name!r}{instead}")

    def __iter__(self) -> Iterator[M]:
        keys, target = self.ids, target_of(self._field)
        known: dict[str, Any] = {**held.behind(self._obj, self._field.name)}
        for place, key in enumerate(keys):
            if not held.is_there(known.get(key)) and (key not in known or known[key] is not None):
                known |= self._load(target, keys[place:])
            if (found := known.get(key)) is None:
                raise target.DoesNotExist(
                    f"{self._obj!r}.{self._field.name} holds the {self._field.to} {key}, "
                    "which Planhat does not have or list (any more); .ids lists all of them"
                )
            yield found

    def _load(self, target: type[Model], keys: list[str]) -> dict[str, Any]:
        """Return what became of the first of some ids at least."""
        session = self._obj._session()
        if (own := own_key(keys[0])) is not None:
            return {keys[0]: target.objects.using(session).filter(**{own[0]: own[1]}).get()}
        if (found := session.identity_map.find(target, keys[0])) is not None:
            return {keys[0]: found}
        missing = [key for key in keys if own_key(key) is None and session.identity_map.find(target, key) is None]
        return load_listed(self._obj, self._field, target, missing)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, one: object) -> bool:
        return (str(one) if isinstance(one, (str, Ref)) else getattr(one, "id", None)) in self.ids

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


class ReferenceList(Field[References[M], "Iterable[M | Ref[M] | str]"], Generic[M]):
    """A list of links: ``company.followers``. Reading it costs nothing, iterating it loads the objects.

    Objects and ids may be assigned; where Planhat wants objects as items, dictionaries too, which are sent as they
    are: ``note.users = [{"id": kim.id, "isOwner": True}]``. Items are read in every shape and sent in the one that is
    declared.

    :param to: the name of the model it points to.
    :param item_key: where Planhat wants objects as items, the key that holds the id: ``{"id": ...}``.
    :param takes_keys: Planhat takes own keys of the targets in place of their ids: "extid-acme-42".
    :param options: what every field may be declared with.
    """

    converter = conversion.ReferenceList
    mutable = True

    def __init__(
        self,
        to: str,
        data_key: str,
        *,
        item_key: str = "",
        takes_keys: bool = False,
        **options: Unpack[LinkOptions],
    ) -> None:
        self.to = self.relation = name_of_target(to)
        self.takes_keys = takes_keys
        self.item_key = item_key
        self.python_type = f"References[{to}]"
        super().__init__(data_key, **options)

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> References[M]: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | References[M]:
        return self if obj is None else References(obj, self)

    def __set__(self, obj: Model, value: Iterable[M | Ref[M] | str | Mapping[str, Any]] | None) -> None:
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
        """Turn objects, ids and references into items as they travel; items that are there already stay as they are."""
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise FieldError(f"{obj._meta.name}.{self.name} takes a list of {self.to}, not {conversion.shown(values)}")
        if isinstance(values, References):
            obj._link(values._obj)
            values = values.items
        given = list(values)
        present = self.present_items(obj) if self.item_key else {}
        return [self.item_of(obj, value, present) for value in given]

    def item_of(self, obj: Model, value: Any, present: Mapping[str, Any]) -> Any:
        """Turn one object, id, reference or item into the item that travels."""
        if isinstance(value, Mapping):
            key = conversion.reference_id(value)
            if key is None:
                raise FieldError(f"{obj._meta.name}.{self.name}: {conversion.shown(value)} holds no id")
            if self.item_key and value.keys() - ID_KEYS:
                return conversion.plain_copy(dict(value))
        elif isinstance(value, target_of(self)):
            obj._link(value)
            key = value._raw.get("_id")
            if key is None:
                raise FieldError(f"{obj._meta.name}.{self.name}: {value!r} is not saved yet; save it first")
        elif isinstance(value, Ref) and issubclass(value.model, target_of(self)):
            if not self.takes_keys:
                raise NoKeysTaken(f"{obj._meta.name}.{self.name} {refusal(self, value)}")
            key = str(value)
        elif isinstance(value, str):
            key = value
            known = is_object_id(key) or own_key(key) is not None or key in present
            if not known and key not in self.texts_in(obj):
                raise FieldError(
                    f"{obj._meta.name}.{self.name} must hold Planhat ids (24 hexadecimal digits) or saved objects, not "
                    f"{conversion.shown(value)}; {assign_instead(self, value)}"
                )
        else:
            raise FieldError(f"{obj._meta.name}.{self.name} takes {self.to} objects or ids, not {value!r}")
        return present.get(key, {self.item_key: key}) if self.item_key else key

    def texts_in(self, obj: Model) -> list[str]:
        """Return the texts that the list holds as Planhat sent it, be they ids or not."""
        stored = obj._raw.get(self.data_key)
        return [item for item in stored if isinstance(item, str)] if isinstance(stored, list) else []

    def hand_over(self, obj: Model, twin: Model) -> None:
        try:
            items = [item for item in self.current(obj) if is_object_id(self.key_of(obj, item))]
        except DecodeError:
            return
        if items:
            self.write(twin, items)

    def item_sent(self, item: Any) -> Any:
        """Return an item of any shape in the one that is sent: an id, or an object that holds it."""
        key = conversion.reference_id(item)
        if not self.item_key:
            return key
        if not isinstance(item, Mapping):
            return {self.item_key: key}
        if item.get(self.item_key) == key:
            return item
        return {self.item_key: key, **{name: value for name, value in item.items() if name not in ID_KEYS}}

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        if value is None:
            return []  # Planhat clears a list by [] and may ignore null (docs: What Planhat does, Clearing values)
        sent = super().encode([self.item_sent(item) for item in value if conversion.reference_id(item)], zone)
        if not self.takes_keys:
            for key in map(conversion.reference_id, sent):
                if own_key(key) is not None:
                    raise marshmallow.ValidationError(refusal(self, key))
        return sent

    def means_same(self, stored: Any, value: Any) -> bool:
        return conversion.same(self.in_one_shape(self.decode(stored)), self.in_one_shape(value or []))

    def in_one_shape(self, items: list[Any]) -> list[Any]:
        """Return items so that those which say the same are the same; what is no reference stays as it is."""
        shaped = []
        for item in items:
            try:
                shaped.append(self.item_sent(item))
            except marshmallow.ValidationError:
                shaped.append(item)
        return shaped

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
        items = [] if value is None or self.read_only else self.items_of(obj, value)
        super().write(obj, self.in_one_shape(items))

    def export(self, obj: Model) -> tuple[str, Any]:
        try:
            return self.name, References(obj, self).ids
        except DecodeError:
            return self.name, conversion.plain_copy(self.present(obj))

    def empty(self) -> Any:
        return []


class NotYet(FieldError, AttributeError):
    """An object that is not saved has no reverse managers. An AttributeError as well, for ``help`` and consoles."""


class Related(Generic[M, Q]):
    """A reverse manager: ``company.endusers`` are the endusers whose company this is.

    Where the link is a list, ``company.issues``, they are those whose list holds this one; what the manager creates
    has a list of this one alone. Where the model has querysets of its own (``as_manager()``), it is one of those; type
    checkers are told so by a second name: ``books: Related[Book, BookQuerySet] = Related("Book")``.

    :param to: the name of the model that points here.
    :param via: its foreign key or list of references, where it has several to this model.
    """

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> Any:
            # Type variables have defaults from Python 3.13 on.
            return super().__class_getitem__(item if isinstance(item, tuple) else (item, Any))

    def __init__(self, to: str, *, via: str = "") -> None:
        self.to = name_of_target(to)
        self.via = via
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> Q: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | Q:
        if obj is None:
            return self
        if obj.id is None:
            raise self.refusal(obj, owner)
        objects: Any = target_of(self).objects
        manager: Q = objects._related_to(obj, self.key(type(obj)).name, held.of_manager(obj, self.name))
        return manager

    def refusal(self, obj: Any, owner: type[Model]) -> NotYet:
        """Say why there is no manager."""
        return NotYet(f"{obj!r} is not saved yet, so nothing can point to it: {self.name} is not available")

    def key(self, owner: type[Model]) -> ForeignKey[Any] | ReferenceList[Any]:
        """Return the foreign key, or the list of references, of the target that points here.

        Without ``via`` a foreign key goes before lists: a Note has one company, and may name others.
        """
        links = [
            field
            for field in target_of(self)._meta.fields
            if isinstance(field, (ForeignKey, ReferenceList))
            and self.via in ("", field.name)
            and issubclass(owner, target_of(field))
        ]
        keys = [field for field in links if isinstance(field, ForeignKey)] or links
        if len(keys) != 1:
            raise ConfigurationError(
                f"{owner.__name__}.{self.name}: {self.to} has {len(keys)} links to {owner.__name__}; name one by via="
            )
        return keys[0]

    def __repr__(self) -> str:
        return f"<Related {self.name} -> {self.to}>"
