"""Conversion between what Planhat sends and Python values, as marshmallow fields.

Reading is tolerant, writing is strict: ``deserialize`` accepts every shape that Planhat has been seen to send,
``serialize`` refuses a value of the wrong type with a sentence that says what is expected. Imports marshmallow and
the errors. It does not promise that writing back an odd stored value is possible, only that reading one
is, and that nobody has to write it back.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from marshmallow import ValidationError, fields, missing

from planhat_orm.errors import FieldError
from planhat_orm.orm import cures
from planhat_orm.orm.cures import NUMBER
from planhat_orm.wire.endpoints import is_object_id, split_prefix

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)
#: Numbers below this are days since 1970 (100,000 of them reach the year 2243), above it milliseconds.
FIRST_MILLISECONDS = 100_000

#: What is said of a value that no JSON can be made of.
TOO_DEEP = "a value is nested too deeply, or holds itself, so that JSON cannot say it"


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same to Planhat: like ``==``, but ``True`` is not ``1``, at any depth.

    >>> same([1, {"a": 2.0}], [1.0, {"a": 2}]), same(True, 1)
    (True, False)
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    try:
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
        if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            return len(one) == len(other) and all(map(same, one, other))
    except RecursionError:
        raise FieldError(TOO_DEEP) from None
    # The same object is the same, even NaN, which equals nothing.
    return one is other or bool(one == other)


def plain_copy(value: Any) -> Any:
    """Return a copy of JSON data; what is not JSON is copied as Python copies it.

    Several times as fast as ``copy.deepcopy``, which has to expect everything.
    """
    try:
        if isinstance(value, dict):
            return {key: plain_copy(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain_copy(item) for item in value]
    except RecursionError:
        raise FieldError(TOO_DEEP) from None
    if value is None or isinstance(value, (str, int, float)):
        return value
    return copy.deepcopy(value)


def is_blank(value: object) -> bool:
    """Tell whether a value is a text without a sign in it, as Planhat sends for "no value" now and then."""
    return isinstance(value, str) and not value.strip()


def instant(value: object) -> datetime:
    """Read a point in time: an ISO 8601 text (no zone means UTC), milliseconds since 1970, or a datetime."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    try:
        if isinstance(value, str):
            return instant(datetime.fromisoformat(value.strip()))
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # company.nextTouch came as a number of milliseconds (hull-planhat fixtures, 2020).
            return EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        pass
    raise ValidationError("not a point in time")


def calendar_day(value: object) -> date:
    """Read a calendar day: the UTC midnight nearest to the stored instant, or a number of days since 1970.

    Planhat stores days as instants, often shifted by somebody's zone: 21:00Z and 04:00Z both occur.

    >>> calendar_day("2025-03-31T21:00:00.000Z"), calendar_day(18395)
    (datetime.date(2025, 4, 1), datetime.date(2020, 5, 13))
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < FIRST_MILLISECONDS:
        return EPOCH_DAY + timedelta(days=int(value))
    try:
        return (instant(value) + timedelta(hours=12)).date()
    except OverflowError:
        raise ValidationError("not a calendar day") from None


def wire_instant(value: datetime, zone: tzinfo | None = None) -> str:
    """Write a point in time as Planhat does, in UTC with milliseconds and Z; ``zone`` is that of naive values."""
    if value.tzinfo is None:
        if zone is None:
            raise ValidationError(
                "is a datetime without a time zone; give it one, for example datetime.now(timezone.utc), "
                "or name the zone of naive times in Session(timezone=...)"
            )
        value = value.replace(tzinfo=zone)
    try:
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        raise ValidationError(f"is {value}, which in UTC is outside the years 1 to 9999") from None


def normal_instant(value: datetime, zone: tzinfo | None = None) -> datetime:
    """Return a point in time as it reads once it is stored: in UTC, to the millisecond; ``zone`` is that of naive ones.

    What cannot be brought there is returned as it is, to be refused when it is to be sent.
    """
    if value.tzinfo is None:
        if zone is None:
            return value
        value = value.replace(tzinfo=zone)
    try:
        return value.astimezone(UTC).replace(microsecond=value.microsecond // 1000 * 1000)
    except OverflowError:
        return value


class DayText(str):
    """The timestamp of a calendar day: text on the wire, and still known to have been a day.

    A custom field of the type "day" travels as a number instead, which may be found out only when it is sent.
    """

    __slots__ = ()

    @property
    def number(self) -> int:
        """The days since 1970-01-01."""
        return (date.fromisoformat(self[:10]) - EPOCH_DAY).days


def wire_day(value: date) -> DayText:
    """Write a calendar day as the full timestamp of its UTC midnight, the form that every endpoint takes."""
    return DayText(wire_instant(datetime.combine(value, time(), UTC)))


def in_shape(value: Any, stored: Any) -> Any:
    """Return a day in the shape of what it replaces: a number of days over one, else the timestamp that it is.

    >>> in_shape(DayText("2020-05-13T00:00:00.000Z"), 18000), in_shape("2020-05-13", 18000)
    (18395, '2020-05-13')
    """
    counted = isinstance(stored, (int, float)) and not isinstance(stored, bool)
    return value.number if isinstance(value, DayText) and counted else value


def kind(value: object) -> str:
    """Name the type of ``value`` for a message."""
    return type(value).__name__


def an(name: str) -> str:
    """Put the article before a model's name.

    >>> an("Enduser"), an("User")
    ('an Enduser', 'a User')
    """
    return f"an {name}" if name[:1] in "AEIO" else f"a {name}"


def shown(value: object) -> str:
    """Write a value for a message; a long one is cut."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a deeply nested {kind(value)}"
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text):,} characters)"


class Tolerant(fields.Field[Any]):
    """The base: None is always allowed, reading converts, writing checks."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Convert what Planhat sent. Validators are for writing: a value off its list is read as it is."""
        if value is None:
            return None
        if value is missing:
            return super().deserialize(value, attr, data, **kwargs)
        return self._deserialize(value, attr, data, **kwargs)

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **kwargs: Any) -> Any:
        """Convert a value of ``obj`` for a schema's ``dump``."""
        value = self.get_value(obj, attr, accessor=accessor)
        return None if value is None else super().serialize(attr, obj, accessor, **kwargs)

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        """Check a Python value and return what is sent for it; raises marshmallow's ValidationError."""
        if value is None:
            return None
        wire = self._serialize(value, None, None, zone=zone)
        self._validate(value)
        return wire


class Text(Tolerant):
    """Text; numbers are read as their digits, as Planhat itself does with an externalId sent as a number."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        raise ValidationError("not a text")

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(f"must be a text (str), not {kind(value)} {shown(value)}{cures.text(value)}")
        return value


class Number(Tolerant):
    """A number, kept as it came: 3.7 stays 3.7 even where the documentation says integer."""

    expected: tuple[type, ...] = (int, float)
    wanted = "a number"

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        if is_blank(value):
            return None
        # Python reads 1_000, nan and inf as numbers; nobody who stores texts means them so.
        # Stripped once for all: what counts as white space differs between str.strip and float.
        text = value.strip() if isinstance(value, str) else ""
        if NUMBER.match(text):
            number = float(text)
            if math.isfinite(number):
                # Python makes no int of thousands of digits; a finite number of so many has zeros in front.
                whole = number.is_integer() and text.lstrip("+-").isdigit() and len(text) < 1000
                return int(text) if whole else number
        raise ValidationError("not a number")

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, self.expected):
            raise ValidationError(
                f"must be {self.wanted}, not {kind(value)} {shown(value)}{cures.number(value, self.expected)}"
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise ValidationError(f"must be a finite number, not {value!r}")
        return value


class Integer(Number):
    """A whole number on writing, any number on reading."""

    expected = (int,)
    wanted = "a whole number (int)"


class Boolean(Tolerant):
    """True or False; Planhat also sends "" (read as None), "true" and "false", 1 and 0."""

    readings: Mapping[str, bool | None] = {"true": True, "false": False, "1": True, "0": False, "": None}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and (word := value.strip().lower()) in self.readings:
            return self.readings[word]
        raise ValidationError("not true or false")

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError(f"must be True or False, not {kind(value)} {shown(value)}")
        return value


class Instant(Tolerant):
    """A point in time: an aware datetime in UTC here, ISO 8601 with milliseconds and Z on the wire."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return None if is_blank(value) else instant(value)

    def _serialize(self, value: Any, attr: Any, obj: Any, zone: tzinfo | None = None, **kwargs: Any) -> Any:
        if not isinstance(value, datetime):
            raise ValidationError(
                f"must be a datetime with a time zone, not {kind(value)} {shown(value)}{cures.instant(value)}"
            )
        return wire_instant(value, zone)


class Day(Tolerant):
    """A calendar day: a date here, on the wire the timestamp of its UTC midnight."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return None if is_blank(value) else calendar_day(value)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if isinstance(value, datetime) or not isinstance(value, date):
            raise ValidationError(f"must be a date, a calendar day, not {kind(value)} {shown(value)}{cures.day(value)}")
        return self.wire(value)

    def wire(self, value: date) -> Any:
        """Return what stands for the day on the wire."""
        return wire_day(value)


class DayNumber(Day):
    """A calendar day that travels as the number of days since 1970-01-01."""

    def wire(self, value: date) -> Any:
        return (value - EPOCH_DAY).days


class TextList(Tolerant):
    """A list of texts. A comma-separated text is read as the list it stands for; items are not looked at."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            # Some answers carry domains as one comma-separated text (pyplanhat changelog 0.2.2).
            return [item.strip() for item in value.split(",") if item.strip()]
        if isinstance(value, list):
            return plain_copy(value)
        raise ValidationError("not a list")

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise ValidationError(f"must be a list of texts, not {kind(value)} {shown(value)}")
        for item in value:
            if not isinstance(item, str):
                raise ValidationError(f"must be a list of texts; {item!r} is of type {kind(item)}")
        return list(value)


class IdList(TextList):
    """A list of ids, which arrive as ids or as objects that hold them."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return [
            (reference_id(item) or item) if isinstance(item, dict) else item
            for item in super()._deserialize(value, attr, data, **kwargs)
        ]

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        for item in super()._serialize(value, attr, obj, **kwargs):
            if not is_object_id(item):
                raise ValidationError(f"must be a list of Planhat ids (24 hexadecimal digits); {item!r} is none")
        return list(value)


class Json(Tolerant):
    """Whatever JSON can hold; read as a copy, checked on writing for what JSON cannot say."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return plain_copy(value)

    def _serialize(self, value: Any, attr: Any, obj: Any, zone: tzinfo | None = None, **kwargs: Any) -> Any:
        return wire_json(value, zone)


class List(Json):
    """A list of whatever JSON can hold."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if is_blank(value):
            return None
        if isinstance(value, list):
            return plain_copy(value)
        raise ValidationError("not a list")


class Map(Json):
    """A mapping of texts to whatever JSON can hold; an empty list stands for an empty mapping."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if is_blank(value) or value == []:
            return None
        if isinstance(value, Mapping):
            return plain_copy(value)
        raise ValidationError("not a mapping")


class Reference(Tolerant):
    """The id of another record, which arrives as an id, as an object that holds it, or as null.

    "extid-..." and "srcid-..." may be written in place of the id.
    """

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return reference_id(value)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if is_object_id(value) or (isinstance(value, str) and split_prefix(value) is not None):
            return value
        raise ValidationError(f"must be a Planhat id (24 hexadecimal digits), not {kind(value)} {shown(value)}")


class ReferenceList(Tolerant):
    """The ids of other records; items arrive as ids or as objects and are kept as they came.

    "extid-..." and "srcid-..." may be written in place of the ids.
    """

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if is_blank(value):
            return None
        if isinstance(value, list):
            return plain_copy(value)
        raise ValidationError("not a list")

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        for item in value:
            key = reference_id(item)
            if not is_object_id(key) and (key is None or split_prefix(key) is None):
                raise ValidationError(f"must hold Planhat ids or saved objects, not {shown(item)}")
        return plain_copy(list(value))


def reference_id(value: Any) -> str | None:
    """Return the id in a reference of any shape: id, ``{"_id": ...}``, ``{"id": ..., "name": ...}``, "" or None."""
    if isinstance(value, Mapping):
        value = value.get("_id") or value.get("id")
    if value is None or is_blank(value):
        return None
    if isinstance(value, str):
        return value
    raise ValidationError("not a reference")


def wire_json(value: Any, zone: tzinfo | None = None) -> Any:
    """Return ``value`` as JSON data: datetimes and dates become Planhat's timestamps; the rest must be JSON already."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return Number().encode(value)
    if isinstance(value, datetime):
        return wire_instant(value, zone)
    if isinstance(value, date):
        return wire_day(value)
    try:
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):
                    raise ValidationError(f"has a key that is no text: {key!r}")
            return {key: wire_json(item, zone) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
            return [wire_json(item, zone) for item in value]
    except RecursionError:
        raise ValidationError(TOO_DEEP) from None
    raise ValidationError(f"holds a value that JSON cannot say: {kind(value)} {shown(value)}")
