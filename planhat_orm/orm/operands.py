"""What a filter may be given: the value of each lookup, checked and brought into the shape that rows are read in.

Imports fields and relations, nothing that queries. Everything that cannot be meant is refused here, before any
request. It does not promise that a value exists at Planhat: a choice that is not listed may be looked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, tzinfo
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.errors import InvalidQuery, suggestion
from planhat_orm.orm import conversion
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.matching import LOOKUPS, Span
from planhat_orm.orm.relations import ForeignKey, Ref, ReferenceList, target_of
from planhat_orm.wire.endpoints import PREFIXES, is_object_id, split_prefix

if TYPE_CHECKING:
    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.paths import Target

Check = Callable[[Any], Any]

EQUAL = frozenset({"exact", "in", "isnull"})
ORDER = frozenset({"gt", "gte", "lt", "lte", "range"})
#: An unset variable would make these match everything.
NOT_BLANK = frozenset(
    {"contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex", "iregex"}
)
TEXT = NOT_BLANK | {"iexact"}

#: What a value is called in messages and which lookups it knows, by what converts it; the first that fits counts.
KINDS: tuple[tuple[type, str, frozenset[str]], ...] = (
    (conversion.Reference, "a link", EQUAL),
    (conversion.ReferenceList, "a list of links", EQUAL | {"contains"}),
    (conversion.TextList, "a list of texts", EQUAL | TEXT),
    (conversion.Boolean, "true or false", EQUAL),
    (conversion.Number, "a number", EQUAL | ORDER),
    (conversion.Instant, "a point in time", EQUAL | ORDER),
    (conversion.Day, "a calendar day", EQUAL | ORDER),
    (conversion.Text, "a text", EQUAL | ORDER | TEXT),
    (conversion.List, "a list", EQUAL | TEXT),
    (conversion.Map, "a mapping", EQUAL),
)
#: What converts values that are no containers.
SINGLE = (
    *(conversion.Reference, conversion.Boolean, conversion.Number),
    *(conversion.Instant, conversion.Day, conversion.Text),
)


def prepared(target: Target, lookup: str, value: Any, zone: tzinfo | None) -> Any:
    """Check the value of a lookup and return what its matcher takes.

    :raises InvalidQuery: with what is wrong.
    """
    check_lookup(target, lookup)
    if lookup == "isnull":
        if not isinstance(value, bool):
            raise InvalidQuery("isnull takes True or False")
        return value
    check = checked_by(target, lookup, zone)
    if lookup not in ("in", "range"):
        refuse_several(target, lookup, value)
        return not_none(check, value)
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidQuery(f"{lookup} takes a list of values, not {value!r}")
    values = [not_none(check, one) for one in value]
    if lookup == "range" and len(values) != 2:
        raise InvalidQuery(f"range takes two values, first and last, not {len(values)}")
    return values


def refuse_several(target: Target, lookup: str, value: Any) -> None:
    """Refuse several values where one is equal: any of several is another lookup."""
    several = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
    if several and lookup == "exact" and isinstance(target.converter, SINGLE):
        raise InvalidQuery(f"takes one value; for any of several write {target.name.replace('.', '__')}__in=...")


def not_none(check: Check, value: Any) -> Any:
    """Check a value that must not be None."""
    if value is None:
        raise InvalidQuery("None is no value to compare with; use isnull")
    if isinstance(value, Ref):
        raise InvalidQuery("a reference by your own key cannot be compared; load the object and filter by it")
    return check(value)


def check_lookup(target: Target, lookup: str) -> None:
    """Refuse a lookup that the kind of value does not know: it would match nothing, silently."""
    if lookup not in LOOKUPS:
        raise InvalidQuery(f"{target.name}: {lookup!r} is no lookup; there are {', '.join(LOOKUPS)}")
    if isinstance(target.field, CustomData) and not target.custom:
        if lookup not in ("exact", "isnull"):
            raise InvalidQuery(f"custom__{lookup}: name the custom field, as in Q('custom.Tier', {lookup}=...)")
        return
    for converter, kind, known in KINDS:
        if isinstance(target.converter, converter):
            if lookup not in known:
                names = ", ".join(name for name in LOOKUPS if name in known)
                raise InvalidQuery(f"{target.name} is {kind}, which {lookup} cannot compare; it knows {names}")
            return


def checked_by(target: Target, lookup: str, zone: tzinfo | None) -> Check:
    """Return what checks and converts one value."""
    field, converter = target.declared or target.field, target.converter
    if isinstance(field, (ForeignKey, ReferenceList)):
        return lambda value: linked_id(field, value)
    if lookup in TEXT and not (lookup == "contains" and (converter is None or isinstance(converter, conversion.Json))):
        return lambda value: text(value, lookup)
    if isinstance(converter, (conversion.Instant, conversion.Day)):
        return lambda value: Span.of(value, zone)
    if isinstance(converter, conversion.Number):
        return number
    if isinstance(converter, conversion.TextList):
        return text if lookup == "in" else whole_list
    if isinstance(converter, conversion.Text):
        is_key = field.name in ("id", *PREFIXES)
        return lambda value: key(field.data_key, lookup, value) if is_key else listed(field, value)
    if isinstance(converter, conversion.Boolean):
        return lambda value: encoded(converter.encode, value)
    if isinstance(field, CustomData) and not target.custom:
        return mapping
    return lambda value: untyped(value, lookup, zone)


def text(value: Any, lookup: str = "") -> Any:
    """Check a text; a pattern is compiled."""
    flags = re.IGNORECASE if lookup == "iregex" else re.NOFLAG
    if isinstance(value, re.Pattern) and lookup.endswith("regex"):
        value, flags = value.pattern, flags | re.RegexFlag(value.flags)
    if not isinstance(value, str):
        raise InvalidQuery(f"must be a text (str), not {type(value).__name__} {value!r}")
    if lookup in NOT_BLANK and not value.strip():
        raise InvalidQuery("a blank text would match everything; is a variable unset?")
    if not lookup.endswith("regex"):
        return value
    try:
        return re.compile(value, flags)
    except re.error as problem:
        raise InvalidQuery(f"{value!r} is no regular expression: {problem}") from None


def listed(field: Field[Any, Any], value: Any) -> str:
    """Check a text; one that is nearly a choice is a slip. Others are let pass, since the list of choices may grow."""
    found: str = text(value)
    meant = suggestion(found, field.choices)
    if meant and found not in field.choices:
        raise InvalidQuery(f"{found!r} is none of {', '.join(field.choices)}{meant}")
    return found


def key(data_key: str, lookup: str, value: Any) -> str:
    """Check a key by which records are found."""
    found: str = text(value)
    if lookup not in EQUAL:
        return found
    if not found.strip():
        raise InvalidQuery("a blank key; is a variable unset? Records without one are found by isnull=True")
    return object_id(found) if data_key == "_id" else found


def object_id(value: str, link: ForeignKey[Any] | ReferenceList[Any] | None = None) -> str:
    """Check a Planhat id; ``link`` is where it is the id of another record."""
    if is_object_id(value):
        return value.lower()
    kind, meant = split_prefix(value) or ("external_id", value)
    name: str = kind
    if isinstance(link, ReferenceList):
        raise InvalidQuery(f"{value!r} is no Planhat id (24 hexadecimal digits); load the {link.to}, and filter by it")
    if link is not None:
        by_mail = "@" in value and "email" in target_of(link)._meta.by_name
        name = f"{link.name}__{'email' if by_mail else name}"
    raise InvalidQuery(f"{value!r} is no Planhat id (24 hexadecimal digits); did you mean {name}={meant!r}?")


def number(value: Any) -> Any:
    """Check a number; one with a fraction may be held against whole ones.

    >>> from decimal import Decimal
    >>> number(5), number(Decimal("0.1"))
    (5, 0.1)
    """
    if isinstance(value, (Decimal, Real)) and not isinstance(value, (int, float)):
        # What numpy and pandas give, and amounts of money: JSON holds none of these, so they are compared as it would.
        value = int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidQuery(f"must be a number, not {type(value).__name__} {value!r}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond what JSON readers take
        finite = False
    if not finite:
        raise InvalidQuery(f"must be a finite number, not {value!r}")
    return value


def whole_list(value: Any) -> list[str]:
    """Check a whole list of texts."""
    if isinstance(value, str):
        raise InvalidQuery(f"is a list of texts; to find {value!r} in it, use contains")
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise InvalidQuery(f"must be a list of texts, not {value!r}")
    return list(value)


def mapping(value: Any) -> Any:
    """Refuse the whole of the custom fields: it would have to be equal in all of them."""
    key, wanted = next(iter(value.items()), ("Tier", "Gold")) if isinstance(value, Mapping) else ("Tier", value)
    raise InvalidQuery(f"compare one custom field at a time: Q('custom.{key}', exact={wanted!r})")


def untyped(value: Any, lookup: str, zone: tzinfo | None) -> Any:
    """Check a value for a property of no known type: JSON, or a date, also one that is written as a text."""
    if isinstance(value, date):
        return Span.of(value, zone)
    if isinstance(value, str) and lookup != "contains" and (span := Span.written(value, zone)) is not None:
        return span
    if lookup in ORDER or (isinstance(value, (Decimal, Real)) and not isinstance(value, bool)):
        return value if isinstance(value, str) else number(value)
    if lookup == "contains" and isinstance(value, str):
        return text(value, lookup)
    return encoded(conversion.wire_json, value, zone)


def encoded(encode: Callable[..., Any], *given: Any) -> Any:
    """Return what Planhat would be sent for a value."""
    try:
        return encode(*given)
    except marshmallow.ValidationError as problem:
        raise InvalidQuery(problem.messages[0]) from None


def linked_id(field: ForeignKey[Any] | ReferenceList[Any], value: Any) -> str:
    """Return the id of an object that the link may point to, or an id as it is."""
    if isinstance(value, str):
        return object_id(value, field)
    if not isinstance(value, target_of(field)):
        raise InvalidQuery(f"takes a {field.to} or its id, not {value!r}")
    if value.id is None:
        raise InvalidQuery(f"{value!r} is not saved yet, so nothing can point to it")
    return value.id
