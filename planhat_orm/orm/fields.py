"""Typed descriptors: one for each property of a Planhat object, over a marshmallow field that converts it.

A field is declared with Planhat's name and read by a Python one; nothing is converted until it is read. Imports
errors and conversion, nothing that sends requests: what is not loaded is asked of the instance. It does not promise
that a stored value can be read as its type: reading an odd one raises :class:`~planhat_orm.errors.DecodeError`, and
only that read does.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Generic, Never, Self, TypeVar, overload

import marshmallow
from marshmallow import validate

from planhat_orm.errors import ConfigurationError, DecodeError, FieldError, ValidationError
from planhat_orm.orm import conversion
from planhat_orm.orm.telling import span, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planhat_orm.orm.evidence import Evidence
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.relations import ForeignKey

R = TypeVar("R")
W = TypeVar("W")
T = TypeVar("T")

MISSING: Any = marshmallow.missing


class Field(Generic[R, W]):
    """One property of a Planhat object.

    ``R`` is the type that is read, ``W`` the type that may be assigned; None may always be assigned and clears the
    value at Planhat when the object is saved.

    :param data_key: Planhat's name of the property, as it travels: ``"externalId"``.
    :param required: Planhat wants it when an object is created.
    :param read_only: Planhat keeps it; assigning it raises :class:`~planhat_orm.errors.FieldError`.
    :param heavy: not asked for in lists unless ``only()`` names it.
    :param get_only: lists never hold it; it is loaded one object at a time.
    :param write_only: Planhat takes it and no answer shows it: it reads None once it is saved, and is never asked for.
    :param choices: the only values that may be written; any value is read.
    :param write_key: Planhat's name of it in what is sent, where that differs: "title" for a ticket's "subject".
    :param least: the least number that may be written, ``most`` the greatest; any number is read.
    :param slips: values that Planhat refuses, and what is meant by each: ``{"done": "Done"}``.
    :param label: the name in Planhat's own screens, for suggestions.
    :param help: one sentence on what it means.
    :param evidence: who says that there is such a property, where it is not ``Meta.evidence["fields"]``.

    >>> Text("externalId", help="your own id").data_key
    'externalId'
    """

    converter: type[conversion.Tolerant] = conversion.Json
    #: The values are containers: reading gives a copy that may be changed in place.
    mutable = False
    #: What Python users are told the type is; also in the reference pages.
    python_type = "Any"
    relation: str | None = None

    def __init__(
        self,
        data_key: str,
        *unnamed: Never,
        required: bool = False,
        read_only: bool = False,
        heavy: bool = False,
        get_only: bool = False,
        write_only: bool = False,
        choices: Sequence[str] = (),
        least: float | None = None,
        most: float | None = None,
        slips: Mapping[str, str] | None = None,
        write_key: str = "",
        label: str = "",
        help: str = "",
        evidence: Evidence | None = None,
    ) -> None:
        if not isinstance(data_key, str) or not data_key.strip():
            raise ConfigurationError(f"a field is declared with Planhat's name of the property, not with {data_key!r}")
        if unnamed:
            raise ConfigurationError(
                f"{type(self).__name__}({data_key!r}, {unnamed[0]!r}): options are named, choices=... or help=..."
            )
        if isinstance(choices, str):
            raise ConfigurationError(f"the choices of {data_key!r} are a tuple, not a text: ({choices!r},)")
        self.data_key = data_key
        self.write_key = write_key or data_key
        self.required = required
        self.read_only = read_only
        self.heavy = heavy
        self.get_only = get_only
        self.write_only = write_only
        self.choices = tuple(choices)
        self.least = least
        self.most = most
        self.slips = dict(slips or {})
        self.label = label
        self.help = help
        self.evidence = evidence
        self.name = ""
        self.marshmallow = self.make_converter()

    def make_converter(self) -> conversion.Tolerant:
        """Build the marshmallow field that converts this property."""
        return self.converter(
            required=self.required,
            dump_only=self.read_only,
            data_key=self.data_key,
            validate=self.validators(),
            metadata={"description": self.help},
        )

    def validators(self) -> list[Any]:
        """Return what checks a value of the right type before it is sent."""
        found: list[Any] = [validate.OneOf(self.choices)] if self.choices else []
        if self.least is not None or self.most is not None:
            found.append(validate.Range(self.least, self.most, error=f"must be {span(self)}, not {{input}}"))
        if self.slips:
            found.append(self.refuse_slip)
        return found

    def refuse_slip(self, value: Any) -> None:
        """Refuse a value that Planhat refuses with an error that does not tell why."""
        if isinstance(value, str) and value in self.slips:
            raise marshmallow.ValidationError(f"must be spelled {self.slips[value]!r}: Planhat refuses {value!r}")

    def __set_name__(self, owner: type, name: str) -> None:
        if self.name and self.name != name:
            raise ConfigurationError(
                f"{owner.__name__}.{name} is the same field object as {self.name}; declare its own"
            )
        self.name = name
        # On the instance, so that help(Task.status) speaks of this field and help(fields.Text) of the class.
        self.__doc__ = told(self)

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> R | None: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | R | None:
        if obj is None:
            return self
        value: R | None = self.read(obj)
        return value

    def __set__(self, obj: Model, value: W | None) -> None:
        self.write(obj, value)

    def __delete__(self, obj: Model) -> None:
        raise FieldError(f"{obj._meta.name}.{self.name} cannot be deleted; assign None to clear it")

    def read(self, obj: Model) -> Any:
        """Return the value of ``obj``, converted; loads it when it was not asked for yet."""
        state = obj._state
        if state is not None:
            value = state.values.get(self.data_key, MISSING)
            if value is not MISSING:
                return value
        value = self.decode(obj._stored(self), obj)
        if self.mutable and isinstance(value, (list, dict)):
            # The copy is kept so that changes inside it are seen when the object is saved.
            value = obj._ensure_state().values.setdefault(self.data_key, value)
        return value

    def write(self, obj: Model, value: Any) -> None:
        """Set the value of ``obj``; it is checked and sent when the object is saved."""
        if self.read_only:
            raise FieldError(f"{obj._meta.name}.{self.name} is read-only: Planhat keeps it; see {obj._meta.doc_url}")
        obj._assign(self, self.prepared(value, obj))

    def prepared(self, value: Any, obj: Model) -> Any:
        """Return an assigned value as it is kept: containers are copied, so that nobody else holds them."""
        if not self.mutable:
            return value
        return self.empty() if value is None else conversion.plain_copy(list(value) if type(value) is tuple else value)

    def decode(self, value: Any, obj: Model | None = None) -> Any:
        """Convert what Planhat sent; ``obj`` is named in the DecodeError when that fails."""
        if value is None:
            return self.empty()
        try:
            converted = self.marshmallow.deserialize(value)
        except marshmallow.ValidationError as problem:
            raise self.undecodable(value, obj, problem) from None
        return self.empty() if converted is None else converted

    def undecodable(self, value: Any, obj: Model | None, problem: marshmallow.ValidationError) -> DecodeError:
        """Return the error for a stored value that cannot be read."""
        record = f"{obj._meta.name} {obj._raw.get('_id', '(unsaved)')}" if obj is not None else "a record"
        return DecodeError(
            f"{record}: {self.name} ({self.data_key}) holds {conversion.shown(value)}, {problem.messages[0]}; "
            f"{self.where_stored} has it as it is stored"
        )

    @property
    def where_stored(self) -> str:
        """Say where users find the value as Planhat sent it."""
        return f".raw[{self.data_key!r}]"

    def readable(self, value: Any) -> Any:
        """Convert what Planhat sent, or return a copy of it as it came where it cannot be."""
        try:
            return self.decode(value)
        except DecodeError:
            return conversion.plain_copy(value)

    def empty(self) -> Any:
        """Return what a value that Planhat does not hold reads as."""
        return None

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        """Check ``value`` and return what is sent for it; raises marshmallow's ValidationError."""
        return self.marshmallow.encode(value, zone)

    def comparable(self, value: Any) -> Any:
        """Return an assigned value in the shape that a stored one is read in, to tell whether they differ."""
        return self.empty() if value is None else value

    def means_same(self, stored: Any, value: Any) -> bool:
        """Tell whether an assigned value is what ``stored`` reads as; raises DecodeError where it cannot be read."""
        return conversion.same(self.decode(stored), self.comparable(value))

    def current(self, obj: Model) -> Any:
        """Return the value without keeping a copy of it on ``obj``."""
        value = obj._state.values.get(self.data_key, MISSING) if obj._state is not None else MISSING
        return self.decode(obj._stored(self), obj) if value is MISSING else value

    def present(self, obj: Model) -> Any:
        """Return the value for a dictionary; what cannot be read is given as it is stored."""
        try:
            return self.current(obj)
        except DecodeError:
            return obj._stored(self)

    @property
    def export_name(self) -> str:
        """The name in dictionaries."""
        return self.name

    def export(self, obj: Model) -> tuple[str, Any]:
        """Return the name and the plain value of ``obj``, for dictionaries."""
        return self.export_name, conversion.plain_copy(self.present(obj))

    def hand_over(self, obj: Model, twin: Model) -> None:
        """Give the value of ``obj`` to a copy of it that is not saved; what cannot be read is left out."""
        try:
            value = self.current(obj)
        except DecodeError:
            return
        if value not in (None, "", [], {}):
            self.write(twin, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or '?'} ({self.data_key})>"


class Text(Field[str, str]):
    """Text. Numbers are read as their digits: Planhat turns an externalId sent as 1234 into "1234"."""

    converter = conversion.Text
    python_type = "str"

    def read(self, obj: Model) -> Any:
        # The most read of all fields: a text that came as a text needs no conversion.
        if obj._state is None:
            value = obj._raw.get(self.data_key)
            if type(value) is str:
                return value
        return super().read(obj)


class Id(Text):
    """A Planhat id: 24 hexadecimal digits, given by Planhat."""


class IdOf(Id):
    """The id behind a foreign key, ``company_id`` beside ``company``. Reading it never sends a request.

    :param key: the foreign key, as declared just above it.
    """

    def __init__(self, key: ForeignKey[Any]) -> None:
        if not hasattr(key, "id_in"):
            raise ConfigurationError(f"fields.IdOf takes the link itself, as declared just above it, not {key!r}")
        self.key = key
        super().__init__(
            key.data_key,
            required=key.required,
            read_only=key.read_only,
            write_key=key.write_key,
            help=f"the id of {key.help}",
            evidence=key.evidence,
        )

    def read(self, obj: Model) -> Any:
        return self.key.id_in(obj)

    def current(self, obj: Model) -> Any:
        return self.read(obj)

    def write(self, obj: Model, value: Any) -> None:
        self.key.write(obj, value)


class Choice(Text):
    """A text of a known list. Others are read as they come; writing one is refused."""


class Number(Field[float, float]):
    """A number. What came is kept: 3.7 stays 3.7 even where Planhat documents an integer."""

    converter = conversion.Number
    python_type = "float"


class Integer(Field[int, int]):
    """A whole number; a fraction that Planhat stores all the same is read as it is."""

    converter = conversion.Integer
    python_type = "int"


class Boolean(Field[bool, bool]):
    """True or False; Planhat's "" reads as None."""

    converter = conversion.Boolean
    python_type = "bool"


class DateTime(Field[datetime, datetime]):
    """A point in time, an aware datetime in UTC. Naive ones are refused unless the session names a time zone."""

    converter = conversion.Instant
    python_type = "datetime"

    def prepared(self, value: Any, obj: Model) -> Any:
        # What is read back is what will be stored, whose precision is the millisecond.
        return conversion.normal_instant(value, obj._zone()) if isinstance(value, datetime) else value


class Date(Field[date, date]):
    """A calendar day: the UTC midnight nearest to what Planhat stores, sent as the full timestamp of midnight."""

    converter = conversion.Day
    python_type = "date"


class DayNumber(Field[date, date]):
    """A calendar day that Planhat counts from 1970-01-01."""

    converter = conversion.DayNumber
    python_type = "date"


class Container(Field[R, W]):
    """The base of lists and mappings, which are never None: what Planhat leaves out reads as an empty one."""

    mutable = True
    #: What makes an empty one.
    make: type[list[Any]] | type[dict[Any, Any]] = list

    @overload
    def __get__(self, obj: None, owner: type[Model]) -> Self: ...
    @overload
    def __get__(self, obj: Model, owner: type[Model]) -> R: ...
    def __get__(self, obj: Model | None, owner: type[Model]) -> Self | R:
        if obj is None:
            return self
        value: R = self.read(obj)
        return value

    def empty(self) -> Any:
        return self.make()


class TextList(Container[list[str], list[str] | tuple[str, ...]]):
    """A list of texts, to which may be appended."""

    converter = conversion.TextList
    python_type = "list[str]"

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        # Planhat clears a list by [] and may ignore null (docs: What Planhat does, Clearing values).
        return [] if value is None else super().encode(value, zone)


class IdList(TextList):
    """A list of ids of records that have no endpoint, so that nothing can be loaded: roles, teams.

    They arrive as ids or as objects that hold them, and are read and sent as ids.
    """

    converter = conversion.IdList


class Json(Field[Any, Any]):
    """A container whose inside Planhat does not describe, as a copy of what came."""

    mutable = True


class List(Container[list[Any], list[Any]]):
    """A list whose items Planhat does not describe."""

    converter = conversion.List
    python_type = "list[Any]"


class Map(Container[dict[str, Any], dict[str, Any]]):
    """A mapping of texts to values."""

    converter = conversion.Map
    make = dict
    python_type = "dict[str, Any]"


#: The types a tenant's custom field may be declared with, and what converts them.
CUSTOM_CONVERTERS: dict[Any, type[conversion.Tolerant]] = {
    str: conversion.Text,
    int: conversion.Integer,
    float: conversion.Number,
    bool: conversion.Boolean,
    datetime: conversion.Instant,
    date: conversion.Day,
    list: conversion.TextList,
}


class Custom(Field[T, T]):
    """A tenant's own field as an attribute: ``tier: fields.Custom[str] = fields.Custom("Tier", str)``.

    Another view on ``custom["Tier"]``, with a type: both read and set the same value. A list may be changed in place.

    :param label: the custom field's name in Planhat, with its spaces and case; the key inside ``custom``.
    :param type: str, int, float, bool, date, datetime or list.
    :param as_days: for ``date``: the field has Planhat's type "day", which travels as a number of days. Both forms are
        read, and one that replaces another takes its form; this is for records that have no value yet.

    >>> Custom("Tier", str).data_key
    'custom.Tier'
    """

    def __init__(self, label: str, type: type[T], *, as_days: bool = False, help: str = "") -> None:
        if type not in CUSTOM_CONVERTERS:
            known = ", ".join(sorted(known.__name__ for known in CUSTOM_CONVERTERS))
            raise ConfigurationError(f"fields.Custom({label!r}): {type!r} is no type of a custom field; use {known}")
        if not label.strip():
            raise ConfigurationError("fields.Custom() needs the name that the custom field has in Planhat")
        if as_days and type is not date:
            raise ConfigurationError(f"fields.Custom({label!r}): as_days is for dates, not for {type.__name__}")
        self.key = label
        self.converter = conversion.DayNumber if as_days else CUSTOM_CONVERTERS[type]
        self.python_type = type.__name__
        super().__init__(f"custom.{label}", label=label, help=help)

    @property
    def where_stored(self) -> str:
        return f".custom[{self.key!r}]"

    @staticmethod
    def values(obj: Model) -> Any:
        """Return the mapping that this is a view on."""
        return obj._meta.custom.read(obj)

    def read(self, obj: Model) -> Any:
        value = self.values(obj).get(self.key)
        if self.converter is not conversion.TextList or value is None or conversion.is_blank(value):
            return self.decode(value, obj)
        if not isinstance(value, list):
            raise self.undecodable(value, obj, marshmallow.ValidationError("not a list"))
        return value  # the live one, so that changes inside it are sent

    def current(self, obj: Model) -> Any:
        return self.read(obj)

    def present(self, obj: Model) -> Any:
        try:
            return self.read(obj)
        except DecodeError:
            return self.values(obj).get(self.key)

    def write(self, obj: Model, value: Any) -> None:
        try:
            encoded = self.encode(value, obj._zone())
        except marshmallow.ValidationError as problem:
            raise ValidationError({self.name: [str(text) for text in problem.messages]}, model=obj._meta.name) from None
        data = obj._meta.custom
        stored = data.decode(obj._raw.get(data.data_key)).get(self.key, MISSING)
        if stored is not MISSING and conversion.same(self.readable(stored), self.readable(encoded)):
            encoded = stored  # what reads the same is no change: a day is stored as any time near its midnight
        elif isinstance(self.marshmallow, conversion.Day) and value is not None:
            # The stored day shows in which form the field has its values.
            day = conversion.wire_day(value) if isinstance(stored, str) else encoded
            encoded = conversion.in_shape(day, stored)
        self.values(obj)[self.key] = encoded
