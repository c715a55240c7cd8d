"""Q and the lookups: what a filter means, as one predicate over rows.

The same tests serve the rows that Planhat was asked to filter and those that are filtered here. Imports paths,
operands and matching, nothing that sends requests. What is promised: a stored value that cannot be read never raises
here, it matches nothing; ``None`` matches no comparison; ``~`` and ``exclude`` are the plain contrary, so they keep
rows without a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, cast

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import conversion
from planhat_orm.orm.conversion import TOO_DEEP, kind
from planhat_orm.orm.matching import LOOKUPS, MATCHERS, UNREADABLE, Match
from planhat_orm.orm.operands import prepared
from planhat_orm.orm.paths import Target, resolve
from planhat_orm.orm.relations import ForeignKey, ReferenceList, target_of

if TYPE_CHECKING:
    from planhat_orm.orm.costs import Cost
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options
    from planhat_orm.session.session import Session

Row = Mapping[str, Any]

__all__ = ["LOOKUPS", "CompiledCondition", "Condition", "LazyValues", "Predicate", "Q", "compile_q", "split_lookup"]


class LazyValues:
    """A list of values that is read when a query needs it, not when it is given to a filter: a queryset."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def _bound_to(self) -> Session | None:
        """Return the session that it reads from, None where that is open yet."""
        return None

    def _model(self) -> type[Model] | None:
        """Return the model whose records it gives, None where it gives plain values."""
        return None

    def _said(self) -> str:
        """Say what is read."""
        raise NotImplementedError

    def _cost_left(self) -> Cost | None:
        """Return the cost of what has to be read yet, None when everything is here."""
        raise NotImplementedError


class Q:
    """Conditions that combine with ``&``, ``|``, ``^`` and ``~``.

    Keywords are paths with a lookup behind ``__``; a path that no keyword can spell comes first as a text:
    ``Q("custom.Days in Phase", gte=10)``. A lookup on a list (``tags``) looks for one item that matches.

    Names and values are checked where it is given to a queryset. What is joined by "or", or negated, Planhat cannot be
    asked for: it is tested here while pages come in.

    :param parts: other ``Q`` objects, which all have to hold, or one path as a text.
    :param conditions: paths with a lookup; behind a path as a text, lookups alone.
    :raises InvalidQuery: for anything else.

    >>> Q(status="customer") | ~Q("custom.Tier", isnull=True)
    Q(status='customer') | ~Q('custom.Tier', isnull=True)
    """

    __slots__ = ("children", "connector", "negated")

    children: tuple[Q | Condition, ...]
    connector: str
    negated: bool

    def __init__(self, *parts: Q | Condition | str, **conditions: Any) -> None:
        paths = [part for part in parts if isinstance(part, str)]
        if paths and len(parts) > 1:
            raise InvalidQuery(
                "Q takes one path as a text, with its lookups as keywords: Q('custom.Tier', exact='Gold')"
            )
        for part in parts:
            if not isinstance(part, (Q, Condition, str)):
                raise InvalidQuery(f"a filter takes Q objects and keywords, not {short(part)}")
        if paths and not conditions:
            raise InvalidQuery(
                f"{paths[0]!r} alone is no condition: name what is compared, as in external_id={paths[0]!r}, "
                "or give a path with a lookup, as in Q('custom.Tier', exact='Gold')"
            )
        if len(parts) == 1 and isinstance(parts[0], Q) and not conditions:
            self.children, self.connector, self.negated = parts[0].children, parts[0].connector, parts[0].negated
            return
        self.connector = "and"
        self.negated = False
        self.children = (
            *(part for part in parts if isinstance(part, Condition) or (isinstance(part, Q) and part.children)),
            *(
                Condition(paths[0], name, value) if paths else Condition(*split_lookup(name), value)
                for name, value in conditions.items()
            ),
        )

    @classmethod
    def _made(cls, children: tuple[Q | Condition, ...], connector: str, *, negated: bool) -> Q:
        made = cls()
        made.children, made.connector, made.negated = children, connector, negated
        return made

    def __and__(self, other: Q) -> Q:
        return self._joined(other, "and")

    def __or__(self, other: Q) -> Q:
        return self._joined(other, "or")

    def __xor__(self, other: Q) -> Q:
        if not isinstance(other, Q):
            return NotImplemented
        return (self & ~other) | (~self & other)

    def _joined(self, other: Q, connector: str) -> Q:
        if not isinstance(other, Q):
            return NotImplemented
        if not self.children or not other.children:
            return self if self.children else other
        return Q._made((self, other), connector, negated=False)

    def __invert__(self) -> Q:
        return Q._made(self.children, self.connector, negated=not self.negated)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Q):
            return NotImplemented
        return (self.connector, self.negated, self.children) == (other.connector, other.negated, other.children)

    def __bool__(self) -> bool:
        raise InvalidQuery("conditions are joined by |, & and ~: `or`, `and` and `not` would drop one of them")

    def __hash__(self) -> int:
        return hash((self.connector, self.negated, len(self.children)))

    def __repr__(self) -> str:
        text, _ = self._text()
        return text

    def _text(self) -> tuple[str, bool]:
        """Return how it is written, and whether it needs brackets beside others."""
        if self.children and self.connector == "and" and all(isinstance(child, Condition) for child in self.children):
            text, loose = f"Q({', '.join(map(str, self.children))})", False
        elif len(self.children) == 1 and isinstance(self.children[0], Q):
            text, loose = self.children[0]._text()
        else:
            parts = [child._text() if isinstance(child, Q) else (f"Q({child})", False) for child in self.children]
            glue = " & " if self.connector == "and" else " | "
            text = glue.join(f"({part})" if loose else part for part, loose in parts) or "Q()"
            loose = len(parts) > 1
        if not self.negated:
            return text, loose
        return f"~({text})" if loose or text.startswith("~") else f"~{text}", False

    def _said(self) -> str:
        """Return how it is written as the argument of filter()."""
        text = repr(self)
        simple = not self.negated and all(isinstance(child, Condition) for child in self.children)
        keywords = simple and all(isinstance(child, Condition) and child.path.isidentifier() for child in self.children)
        return text[2:-1] if keywords and self.connector == "and" else text

    def _replaced(self, change: Callable[[Condition], Condition | Q]) -> Q:
        """Return the same with every condition replaced by what ``change`` makes of it."""
        children = tuple(
            change(child) if isinstance(child, Condition) else child._replaced(change) for child in self.children
        )
        return Q._made(children, self.connector, negated=self.negated)

    def _conditions(self) -> Iterator[Condition]:
        """Yield every condition inside."""
        for child in self.children:
            if isinstance(child, Condition):
                yield child
            else:
                yield from child._conditions()


@dataclass(frozen=True, slots=True)
class Condition:
    """One test: a path, a lookup, a value. Iterables are taken as they are now, querysets when they are needed."""

    path: str
    lookup: str
    value: Any

    def __post_init__(self) -> None:
        value = self.value
        if self.lookup == "range" and isinstance(value, (Set, Mapping)):
            raise InvalidQuery(f"{self.path}__range takes its first and last value in that order, not a {kind(value)}")
        lists = self.lookup in ("in", "range") and isinstance(value, Iterable)
        if lists and not isinstance(value, (str, bytes, tuple, LazyValues)):
            value = tuple(value)
        object.__setattr__(self, "value", settled(value))

    def __str__(self) -> str:
        if not self.path.isidentifier():
            return f"{self.path!r}, {self.lookup}={short(self.value)}"
        return f"{self.path}{'' if self.lookup == 'exact' else '__' + self.lookup}={short(self.value)}"


def settled(value: Any) -> Any:
    """Return a value as it is now: lists and dictionaries that may change are copied.

    >>> tags = ["vip"]
    >>> settled(tags) == tags, settled(tags) is tags
    (True, False)
    """
    try:
        if isinstance(value, list):
            return [settled(item) for item in value]
        if isinstance(value, dict):
            return {key: settled(item) for key, item in value.items()}
    except RecursionError:
        raise InvalidQuery(TOO_DEEP) from None
    return tuple(map(settled, value)) if type(value) is tuple else value


def short(value: Any) -> str:
    """Name a value: a long list by its first two, a record by its id.

    >>> short(["a", "b", "c", "d"]), short("customer")
    ("['a', 'b', ... 4 in all]", "'customer'")
    """
    if isinstance(value, (list, tuple)):
        if len(value) > 3:
            return f"[{short(value[0])}, {short(value[1])}, ... {len(value)} in all]"
        return f"[{', '.join(map(short, value))}]"
    if isinstance(value, LazyValues):
        return value._said()
    if hasattr(type(value), "_meta"):
        return f"<{value._meta.name} {value.id}>"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def split_lookup(keyword: str) -> tuple[str, str]:
    """Split a keyword into its path and its lookup.

    >>> split_lookup("name__istartswith"), split_lookup("custom__Days in Phase"), split_lookup("name")
    (('name', 'istartswith'), ('custom__Days in Phase', 'exact'), ('name', 'exact'))
    """
    path, separator, lookup = keyword.rpartition("__")
    return (path, lookup) if separator and lookup in LOOKUPS else (keyword, "exact")


#: Converters that read a text as it is.
_AS_READ = (conversion.Text, conversion.Reference)


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """One compiled condition."""

    target: Target
    lookup: str
    value: Any
    match: Match
    #: The texts looked for, whatever their letter case; None where the condition is not about certain texts.
    folded: frozenset[str] | None = field(init=False)
    #: The texts of which the stored one has to be one, letter by letter; None where there is more to it.
    texts: frozenset[str] | None = field(init=False)

    def __post_init__(self) -> None:
        texts = [one.casefold() for one in self.values if isinstance(one, str)]
        if self.lookup == "contains" and isinstance(self.target.field, ReferenceList):
            texts = [self.value.casefold()]
        named = texts if self.lookup == "contains" else self.values
        exact = self.lookup in ("exact", "in", "contains") and bool(texts) and len(texts) == len(named)
        object.__setattr__(self, "folded", frozenset(texts) if exact else None)
        plain = not self.target.custom and type(self.target.converter) in _AS_READ
        whole = plain and exact and self.lookup in ("exact", "in")
        object.__setattr__(self, "texts", frozenset(self.values) if whole else None)

    @property
    def values(self) -> Sequence[Any]:
        """The values of which the stored one is to be one; none where the lookup names no certain ones."""
        if self.lookup == "in":
            return cast("list[Any]", self.value)
        return (self.value,) if self.lookup == "exact" else ()

    def __call__(self, row: Row) -> bool:
        # Every row of a list comes by here: a text is compared without being converted.
        if self.texts is not None and type(stored := row.get(self.target.field.data_key)) is str and stored:
            return stored in self.texts
        return self.match(self.target.read(row))

    def loosely(self, row: Row) -> bool:
        """Tell whether a row may have passed at Planhat: letter case and unreadable values are let pass."""
        if self.texts is not None and type(text := row.get(self.target.field.data_key)) is str and text in self.texts:
            return True
        stored, folded = self.target.read(row), self.folded
        items = stored if isinstance(stored, list) else (stored,)
        if any(item is UNREADABLE for item in items):
            return True
        if folded is not None:
            return any(isinstance(item, str) and item.casefold() in folded for item in items)
        if self.lookup in ("gte", "lte"):
            return stored is None or self.match(stored)
        return self.match(stored) if self.lookup == "exact" and isinstance(self.value, bool) else True


@dataclass(frozen=True, slots=True)
class Predicate:
    """A compiled filter over rows: ``tests`` that must all hold, and the whole as a function."""

    #: The conditions that are simply joined by "and": what a server could be asked.
    tests: tuple[CompiledCondition, ...] = ()
    #: Everything else.
    others: tuple[Callable[[Row], bool], ...] = ()
    #: Planhat's names of all that is looked at.
    keys: frozenset[str] = frozenset()

    def __call__(self, row: Row) -> bool:
        # A loop, since every row of a scan comes by here and a generator costs more than most tests.
        for test in self.tests:
            if not test(row):
                return False
        return not self.others or all(other(row) for other in self.others)

    def __bool__(self) -> bool:
        return bool(self.tests or self.others)


def compile_q(meta: Options, where: Iterable[Q], zone: tzinfo | None = None) -> Predicate:
    """Compile filters that are joined by "and". Querysets among the values are read.

    :raises InvalidQuery: for a value that the field cannot have, or a lookup that it does not know.
    """
    tests: list[CompiledCondition] = []
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
            return
        made = compiled(node)
        if isinstance(made, CompiledCondition):
            tests.append(made)
        else:
            others.append(made)

    for node in where:
        flatten(node)
    return Predicate(tuple(tests), tuple(others), frozenset(keys))


def check_q(meta: Options, q: Q, session: Session | None) -> None:
    """Refuse what no query can mean. Nothing is read: querysets among the values are looked at when they are.

    :param session: where it will be asked, as far as that is known: it judges naive datetimes and foreign records.
    """
    zone = UTC if session is None else session.timezone
    for condition in q._conditions():
        value = condition.value
        lazy = isinstance(value, LazyValues) and condition.lookup == "in"
        made = compile_condition(meta, Condition(condition.path, condition.lookup, () if lazy else value), zone)
        if lazy and (model := value._model()) is not None:
            refuse_others(meta, condition, made.target, model)
        if session is not None:
            refuse_foreign(meta, condition, session)


def refuse_others(meta: Options, condition: Condition, target: Target, model: type[Model]) -> None:
    """Refuse a queryset of records that the condition cannot have: what it gives is known before it is read."""
    field, given = target.field, f"takes no {model._meta.name} objects"
    if isinstance(field, (ForeignKey, ReferenceList)):
        if not issubclass(model, target_of(field)):
            raise InvalidQuery(f"{meta.name}: {condition}: {given}, but {field.to} objects or their ids")
    elif target.data_key != "_id" or target.custom:
        raise InvalidQuery(f"{meta.name}: {condition}: {given}, but values; values_list(..., flat=True) gives those")
    elif model._meta.path != meta.path:
        raise InvalidQuery(f"{meta.name}: {condition}: {given}, but {meta.name} objects or their ids")


def refuse_foreign(meta: Options, condition: Condition, session: Session) -> None:
    """Refuse records, and querysets, of another tenant than that of ``session``: their ids say nothing there."""
    value = condition.value
    bound = value._bound_to() if isinstance(value, LazyValues) else None
    if bound is not None and bound.tenant != session.tenant:
        raise InvalidQuery(f"{meta.name}: {condition}: the queryset is one of another tenant than {session}")
    for record in value if isinstance(value, tuple) else (value,):
        origin = getattr(record, "_origin", None) if hasattr(type(record), "_meta") else None
        if origin is not None and origin.tenant not in (None, session.tenant):
            raise InvalidQuery(f"{meta.name}: {condition}: the record is one of another tenant than {session}")


def compile_condition(meta: Options, condition: Condition, zone: tzinfo | None) -> CompiledCondition:
    """Check one condition and make its test."""
    target, lookup, value = resolve(meta, condition.path), condition.lookup, condition.value
    if value is None and lookup == "exact":
        lookup, value = "isnull", True
    if lookup == "exact" and isinstance(target.field, ReferenceList):
        lookup = "contains"
    if isinstance(value, LazyValues) and lookup == "in":
        value = [one for one in value if one is not None]
    try:
        if target.data_key == "_id" and not target.custom:
            if lookup == "in" and isinstance(value, (list, tuple)):
                value = [own_id(meta, one) for one in value]
            else:
                value = own_id(meta, value)
        operand = prepared(target, lookup, value, zone)
    except InvalidQuery as problem:
        raise InvalidQuery(f"{meta.name}: {condition}: {problem}") from None
    match = MATCHERS[lookup](operand)
    looks_for = operand if lookup == "in" else [operand] if lookup == "exact" else []
    if any(one is False for one in looks_for) and target.data_key in hiding(meta):
        # Planhat leaves out what has no value, and shows such a row as one that is not hidden.
        match = or_missing(match)
    return CompiledCondition(target, lookup, operand, match)


def own_id(meta: Options, value: Any) -> Any:
    """Return the id of a record where one is looked for by itself; any other value as it is."""
    if not hasattr(type(value), "_meta"):
        return value
    if value._meta.path != meta.path:
        raise InvalidQuery(f"takes a {meta.name} or its id, not {value!r}")
    if value.id is None:
        raise InvalidQuery(f"{value!r} is not saved yet, so no list has it")
    return value.id


def or_missing(match: Match) -> Match:
    """Match what has no value, too."""
    return lambda stored: stored is None or match(stored)


def hiding(meta: Options) -> frozenset[str]:
    """Return Planhat's names of the properties by which lists hide rows.

    >>> from planhat_orm.models import Enduser
    >>> hiding(Enduser._meta)
    frozenset({'archived'})
    """
    named = {(meta.list_params[name].data_key if name in meta.list_params else "") or name for name in meta.unhide}
    return frozenset(named & meta.keys)
