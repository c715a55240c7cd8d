"""Q and the lookups: what a filter means, as one predicate over rows.

The same tests serve the rows that Planhat was asked to filter and those that are filtered here. Imports fields and
relations, nothing that sends requests. What is promised: a stored value that cannot be read never raises here, it
matches nothing; ``None`` matches no comparison; ``~`` and ``exclude`` are the plain contrary, so they keep rows without
a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.errors import InvalidQuery, UnknownField
from planhat_orm.orm import conversion
from planhat_orm.orm.conversion import same
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.fields import Custom, Field, IdOf
from planhat_orm.orm.relations import ForeignKey, Ref, ReferenceList

if TYPE_CHECKING:
    from planhat_orm.orm.options import Options

Row = Mapping[str, Any]
Reader = Callable[[Row], Any]

LOOKUPS = (
    "exact",
    "iexact",
    "in",
    "gt",
    "gte",
    "lt",
    "lte",
    "range",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "regex",
    "iregex",
    "isnull",
)
#: An unset variable would make these match everything.
NOT_BLANK = frozenset(LOOKUPS[8:16])
ORDERED = frozenset({"gt", "gte", "lt", "lte", "range"})

#: Stands for a stored value that cannot be read: it equals nothing and is not null.
UNREADABLE = object()


class Q:
    """Conditions that combine with ``&``, ``|`` and ``~``.

    Keywords are paths with a lookup behind ``__``; a path that no keyword can spell comes first as a text:
    ``Q("custom.Days in Phase", gte=10)``.

    >>> Q(status="customer") | ~Q("custom.Tier", isnull=True)
    Q(status='customer') | ~Q('custom.Tier', isnull=True)
    """

    __slots__ = ("children", "connector", "negated")

    def __init__(self, *parts: Q | str, **conditions: Any) -> None:
        children: list[Q | Condition] = []
        paths = [part for part in parts if isinstance(part, str)]
        if len(paths) > 1 or (paths and len(parts) > 1):
            raise InvalidQuery(
                "Q takes one path as a text with its lookups as keywords: Q('custom.Tier', exact='Gold')"
            )
        for part in parts:
            if not isinstance(part, (Q, str)):
                raise InvalidQuery(f"a filter takes Q objects and keywords, not {part!r}")
            if isinstance(part, Q):
                children.append(part)
        for name, value in conditions.items():
            children.append(Condition(paths[0], name, value) if paths else Condition(*split_lookup(name), value))
        if paths and not conditions:
            raise InvalidQuery(
                f"Q({paths[0]!r}) says nothing about it; add a lookup, as in Q({paths[0]!r}, isnull=False)"
            )
        self.children: tuple[Q | Condition, ...] = tuple(children)
        self.connector = "and"
        self.negated = False

    @classmethod
    def _made(cls, children: tuple[Q | Condition, ...], connector: str, *, negated: bool) -> Q:
        made = cls()
        made.children, made.connector, made.negated = children, connector, negated
        return made

    def __and__(self, other: Q) -> Q:
        return self._joined(other, "and")

    def __or__(self, other: Q) -> Q:
        return self._joined(other, "or")

    def _joined(self, other: Q, connector: str) -> Q:
        if not isinstance(other, Q):
            return NotImplemented
        if not self.children or not other.children:
            return self if self.children else other
        return Q._made((self, other), connector, negated=False)

    def __invert__(self) -> Q:
        return Q._made(self.children, self.connector, negated=not self.negated)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Q) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        if len(self.children) > 1 and all(isinstance(child, Condition) for child in self.children):
            text = f"Q({', '.join(str(child) for child in self.children)})"
        else:
            glue = " & " if self.connector == "and" else " | "
            text = glue.join(repr(child) if isinstance(child, Q) else f"Q({child})" for child in self.children) or "Q()"
            text = f"({text})" if self.negated and len(self.children) > 1 else text
        return f"~{text}" if self.negated else text


@dataclass(frozen=True, slots=True)
class Condition:
    """One test: a path, a lookup, a value."""

    path: str
    lookup: str
    value: Any

    def __str__(self) -> str:
        if not self.path.isidentifier():
            return f"{self.path!r}, {self.lookup}={self.value!r}"
        return f"{self.path}{'' if self.lookup == 'exact' else '__' + self.lookup}={self.value!r}"


def split_lookup(keyword: str) -> tuple[str, str]:
    """Split a keyword into its path and its lookup.

    >>> split_lookup("name__istartswith"), split_lookup("custom__Days in Phase"), split_lookup("name")
    (('name', 'istartswith'), ('custom__Days in Phase', 'exact'), ('name', 'exact'))
    """
    path, separator, lookup = keyword.rpartition("__")
    return (path, lookup) if separator and lookup in LOOKUPS else (keyword, "exact")


class Target:
    """What a path names: a field, or a key inside ``custom``."""

    __slots__ = ("custom", "field")

    def __init__(self, field: Field[Any, Any], custom: str | None = None) -> None:
        self.field = field
        self.custom = custom

    @property
    def data_key(self) -> str:
        """Planhat's name of the property that holds it."""
        return self.field.data_key

    def read(self, row: Row) -> Any:
        """Return the converted value of a row; UNREADABLE instead of an error."""
        value = row.get(self.field.data_key)
        try:
            if self.custom is not None:
                return CustomData.mapping(value).get(self.custom)
            if isinstance(self.field, ReferenceList):
                return [conversion.reference_id(item) for item in value] if isinstance(value, list) else []
            if value is None:
                return self.field.empty()
            if self.field.mutable and isinstance(value, list):
                return value
            converted = self.field.marshmallow.deserialize(value)
        except marshmallow.ValidationError:
            return UNREADABLE
        return self.field.empty() if converted is None else converted


def resolve(meta: Options, path: str) -> Target:
    """Find what a path names. Paths are written with dots or double underscores.

    :raises UnknownField: with a suggestion.
    :raises InvalidQuery: for a path across a link; those are for outputs.
    """
    head, separator, rest = partition(path)
    if head == "custom" and separator:
        if not rest.strip():
            raise InvalidQuery(f"{path!r} names no custom field")
        return Target(meta.field("custom"), rest)
    field = meta.field(head)
    if isinstance(field, Custom):
        return Target(meta.field("custom"), field.key)
    if isinstance(field, IdOf):
        field = field.key
    if not rest:
        return Target(field)
    if isinstance(field, ForeignKey) and rest in ("id", "pk"):
        return Target(field)
    if isinstance(field, ForeignKey):
        raise InvalidQuery(
            f"{path!r} goes across a link: filter the {field.to} objects first, then use {head}__in with them"
        )
    if rest.rpartition("__")[2] not in LOOKUPS and "." not in path:
        raise InvalidQuery(f"{path!r}: {rest!r} is no lookup; there are {', '.join(LOOKUPS)}")
    raise UnknownField(f"{meta.name}.{head} has no part {rest!r}")


def partition(path: str) -> tuple[str, str, str]:
    """Split a path at its first dot or double underscore.

    >>> partition("custom.Days in Phase"), partition("owner__email")
    (('custom', '.', 'Days in Phase'), ('owner', '__', 'email'))
    """
    found = re.search(r"\.|__", path)
    return (path, "", "") if found is None else (path[: found.start()], found[0], path[found.end() :])


@dataclass(frozen=True, slots=True)
class Test:
    """One compiled condition."""

    target: Target
    lookup: str
    value: Any
    match: Callable[[Any], bool]

    def __call__(self, row: Row) -> bool:
        return self.match(self.target.read(row))


@dataclass(frozen=True, slots=True)
class Predicate:
    """A compiled filter over rows: ``tests`` that must all hold, and the whole as a function."""

    #: The conditions that are simply joined by "and": what a server could be asked.
    tests: tuple[Test, ...]
    #: Everything else.
    others: tuple[Callable[[Row], bool], ...]
    #: Planhat's names of all that is looked at.
    keys: frozenset[str]

    def __call__(self, row: Row) -> bool:
        return all(test(row) for test in self.tests) and all(other(row) for other in self.others)

    def __bool__(self) -> bool:
        return bool(self.tests or self.others)


def compile_q(meta: Options, where: Iterable[Q], zone: tzinfo | None = None) -> Predicate:
    """Compile filters that are joined by "and".

    :raises InvalidQuery: for a value that the field cannot have, or a lookup that it does not know.
    """
    tests: list[Test] = []
    others: list[Callable[[Row], bool]] = []
    keys: set[str] = set()

    def compiled(node: Q | Condition) -> Callable[[Row], bool]:
        if isinstance(node, Condition):
            test = compile_condition(meta, node, zone)
            keys.add(test.target.data_key)
            return test
        parts = [compiled(child) for child in node.children]
        negated, join = node.negated, all if node.connector == "and" else any
        return lambda row: join(part(row) for part in parts) is not negated

    def flatten(node: Q | Condition) -> None:
        if isinstance(node, Q) and not node.negated and (node.connector == "and" or len(node.children) == 1):
            for child in node.children:
                flatten(child)
        else:
            made = compiled(node)
            if isinstance(made, Test):
                tests.append(made)
            else:
                others.append(made)

    for node in where:
        flatten(node)
    return Predicate(tuple(tests), tuple(others), frozenset(keys))


def compile_condition(meta: Options, condition: Condition, zone: tzinfo | None) -> Test:
    """Check one condition and make its test."""
    lookup, value = condition.lookup, condition.value
    if lookup not in LOOKUPS:
        raise InvalidQuery(f"{condition}: {lookup!r} is no lookup; there are {', '.join(LOOKUPS)}")
    target = resolve(meta, condition.path)
    if isinstance(value, Ref):
        raise InvalidQuery(
            f"{condition}: a reference by your own key cannot be compared; load the object and filter by it"
        )
    if value is None and lookup == "exact":
        lookup, value = "isnull", True
    if lookup in NOT_BLANK and isinstance(value, str) and not value.strip():
        raise InvalidQuery(f"{condition}: a blank text would match everything; is a variable unset?")
    if lookup == "isnull":
        if not isinstance(value, bool):
            raise InvalidQuery(f"{condition}: isnull takes True or False")
        return Test(target, lookup, value, lambda stored: is_empty(stored) is value)
    operand = prepared(target, lookup, value, condition, zone)
    return Test(target, lookup, operand, MATCHERS[lookup](operand))


def is_empty(value: Any) -> bool:
    """Tell whether a value stands for none: None, a blank text, an empty container."""
    return value is None or (isinstance(value, (str, list, dict)) and not value)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: one instant, or the whole of a day."""

    first: datetime
    after: datetime

    @classmethod
    def of(cls, value: Any, zone: tzinfo | None) -> Span:
        """Read a date, an aware datetime or an ISO text."""
        if isinstance(value, str):
            value = (
                date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else datetime.fromisoformat(value)
            )
        if isinstance(value, datetime):
            if value.tzinfo is None:
                if zone is None:
                    raise ValueError("a datetime without a time zone")
                value = value.replace(tzinfo=zone)
            return cls(value, value)
        if not isinstance(value, date):
            raise TypeError(f"not a date or a datetime: {value!r}")
        first = datetime.combine(value, time(), zone or UTC)
        return cls(first, first + timedelta(days=1))

    @property
    def whole_day(self) -> bool:
        """Whether it is a day rather than an instant."""
        return self.after > self.first


def prepared(target: Target, lookup: str, value: Any, condition: Condition, zone: tzinfo | None) -> Any:
    """Check the value of a condition and bring it into the shape that rows are read in."""
    convert = operand_of(target, lookup, zone)
    try:
        if lookup in ("in", "range"):
            if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
                raise TypeError(f"{lookup} takes a list of values")
            values = [convert(one) for one in value]
            if lookup == "range" and len(values) != 2:
                raise TypeError("range takes two values, first and last")
            return values
        return convert(value)
    except (TypeError, ValueError, marshmallow.ValidationError) as problem:
        raise InvalidQuery(f"{condition}: {problem}") from None


def operand_of(target: Target, lookup: str, zone: tzinfo | None) -> Callable[[Any], Any]:
    """Return what checks and converts one value to compare with."""
    field = target.field
    if target.custom is not None:
        return lambda value: Span.of(value, zone) if isinstance(value, date) else value
    if isinstance(field, (ForeignKey, ReferenceList)):
        if lookup not in ("exact", "in", "contains"):
            raise InvalidQuery(f"{field.name}__{lookup}: a link is compared by exact, in and isnull")
        return lambda value: linked_id(field, value)
    if isinstance(field.marshmallow, (conversion.Instant, conversion.Day)):
        return lambda value: Span.of(value, zone)
    if field.mutable:
        return lambda value: value
    if lookup in NOT_BLANK | {"iexact"}:
        return text_operand(lookup)
    # What a filter may say is what may be written, of any value: choices may grow.
    return lambda value: field.marshmallow._serialize(value, None, None)


def text_operand(lookup: str) -> Callable[[Any], Any]:
    """Return what checks the value of a text lookup."""

    def checked(value: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError(f"{lookup} takes a text, not {value!r}")
        if lookup.endswith("regex"):
            try:
                return re.compile(value, re.IGNORECASE if lookup == "iregex" else 0)
            except re.error as problem:
                raise ValueError(f"not a regular expression: {problem}") from None
        return value

    return checked


def linked_id(field: ForeignKey[Any] | ReferenceList[Any], value: Any) -> Any:
    """Return the id of an object, or an id as it is."""
    if isinstance(value, str):
        if not conversion.is_object_id(value):
            raise ValueError(f"{value!r} is no Planhat id (24 hexadecimal digits)")
        return value
    key = getattr(value, "id", None)
    if getattr(getattr(value, "_meta", None), "path", None) is None:
        raise TypeError(f"takes a {field.to} or its id, not {value!r}")
    if key is None:
        raise ValueError(f"{value!r} is not saved yet, so nothing can point to it")
    return key


def compared(stored: Any, operand: Any) -> tuple[Any, Any] | None:
    """Bring a stored value and what it is compared with to one type; None where they cannot be compared."""
    if isinstance(operand, Span):
        try:
            return conversion.instant(
                stored
                if not isinstance(stored, date) or isinstance(stored, datetime)
                else datetime.combine(stored, time(), operand.first.tzinfo)
            ), operand
        except marshmallow.ValidationError:
            return None
    if isinstance(operand, bool) or isinstance(stored, bool):
        return None
    if isinstance(operand, (int, float)) and isinstance(stored, (int, float)):
        return stored, operand
    if isinstance(operand, str) and isinstance(stored, str):
        return stored, operand
    return None


def equals(operand: Any) -> Callable[[Any], bool]:
    """Match what is the same; a day matches every instant in it."""

    def match(stored: Any) -> bool:
        if isinstance(operand, Span):
            pair = None if stored in (None, UNREADABLE) else compared(stored, operand)
            return pair is not None and (
                operand.first <= pair[0] < operand.after if operand.whole_day else pair[0] == operand.first
            )
        return stored is not UNREADABLE and stored is not None and same(stored, operand)

    return match


def ordered(holds: Callable[[Any, Any], bool], *, edge: str) -> Callable[[Any], Callable[[Any], bool]]:
    """Make an ordering lookup; ``edge`` says which end of a day counts."""

    def matcher(operand: Any) -> Callable[[Any], bool]:
        def match(stored: Any) -> bool:
            pair = None if stored is None or stored is UNREADABLE else compared(stored, operand)
            if pair is None:
                return False
            if isinstance(operand, Span):
                if operand.whole_day and edge == "after":
                    # A range of dates includes its whole last day, and "after a day" begins when it is over.
                    return bool(pair[0] < operand.after) if holds(0, 0) else bool(pair[0] >= operand.after)
                return holds(pair[0], operand.first)
            return bool(holds(*pair))

        return match

    return matcher


def on_texts(holds: Callable[[str, Any], bool]) -> Callable[[Any], Callable[[Any], bool]]:
    """Make a lookup on texts; of a list, one item has to match."""

    def matcher(operand: Any) -> Callable[[Any], bool]:
        def match(stored: Any) -> bool:
            if isinstance(stored, list):
                return any(isinstance(item, str) and holds(item, operand) for item in stored)
            return isinstance(stored, str) and holds(stored, operand)

        return match

    return matcher


def contains(operand: Any) -> Callable[[Any], bool]:
    """Match a text that holds another, or a list that has an item."""

    def match(stored: Any) -> bool:
        if isinstance(stored, list):
            return any(same(item, operand) for item in stored)
        return isinstance(stored, str) and isinstance(operand, str) and operand in stored

    return match


def one_of(operands: list[Any]) -> Callable[[Any], bool]:
    """Match one of several values; of a list, one item has to be among them."""
    plain = {operand for operand in operands if isinstance(operand, str)}
    tests = [equals(operand) for operand in operands if not isinstance(operand, str)]

    def match(stored: Any) -> bool:
        if isinstance(stored, list):
            return any(match(item) for item in stored)
        return (isinstance(stored, str) and stored in plain) or any(test(stored) for test in tests)

    return match


GREATER = ordered(lambda stored, operand: stored > operand, edge="after")
AT_LEAST = ordered(lambda stored, operand: stored >= operand, edge="first")
LESS = ordered(lambda stored, operand: stored < operand, edge="first")
AT_MOST = ordered(lambda stored, operand: stored <= operand, edge="after")


def between(operands: list[Any]) -> Callable[[Any], bool]:
    """Match what is neither below the first nor above the second."""
    lower, upper = AT_LEAST(operands[0]), AT_MOST(operands[1])
    return lambda stored: lower(stored) and upper(stored)


MATCHERS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "exact": equals,
    "in": one_of,
    "gt": GREATER,
    "gte": AT_LEAST,
    "lt": LESS,
    "lte": AT_MOST,
    "range": between,
    "contains": contains,
    "iexact": on_texts(lambda stored, operand: stored.casefold() == operand.casefold()),
    "icontains": on_texts(lambda stored, operand: operand.casefold() in stored.casefold()),
    "startswith": on_texts(lambda stored, operand: stored.startswith(operand)),
    "istartswith": on_texts(lambda stored, operand: stored.casefold().startswith(operand.casefold())),
    "endswith": on_texts(lambda stored, operand: stored.endswith(operand)),
    "iendswith": on_texts(lambda stored, operand: stored.casefold().endswith(operand.casefold())),
    "regex": on_texts(lambda stored, operand: operand.search(stored) is not None),
    "iregex": on_texts(lambda stored, operand: operand.search(stored) is not None),
}
