"""Querysets at random, each with what it means in plain Python: the rows that it is to give, and in which order.

Imports hypothesis, the world and the meaning; of the package it takes Q and the public methods of querysets alone. It
does not promise to make every queryset there is: values() and relations have their own tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from plain_meaning import Row, in_order, matches, place, place_at_server, read, stored
from plain_world import GONE, SPELLINGS, Known, World

from planhat_orm import Q

if TYPE_CHECKING:
    from datetime import tzinfo

Rows = list[dict[str, Any]]

EQUAL = ["exact", "in", "isnull"]
ORDER = ["gt", "gte", "lt", "lte", "range"]
PART = ["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"]
PATTERN = ["regex", "iregex"]
LOOKUPS: dict[str, list[str]] = {
    "text": [*EQUAL, *ORDER, "iexact", *PART, *PATTERN],
    "status": EQUAL,
    "key": [*EQUAL, *ORDER, "iexact", *PART, *PATTERN],
    "id": ["exact", "in", "gt", "lte"],
    "number": [*EQUAL, *ORDER],
    "boolean": EQUAL,
    "time": [*EQUAL, *ORDER],
    "day": [*EQUAL, *ORDER],
    "utc day": [*EQUAL, *ORDER],
    "texts": [*EQUAL, "iexact", *PART, *PATTERN],
    "link": EQUAL,
    "links": [*EQUAL, "contains"],
    "any": [*EQUAL, *ORDER, "iexact", *PART, *PATTERN],
}
EAST = timezone(timedelta(hours=2))
WHOLE = st.sampled_from(
    ["Acme", "acme", "ACME", "straße", "STRASSE", "a,b", "50% & co?", 'O\'Brien "x"/y', "naïve ☃", "1234", "3.5", ""]
)
PARTS = st.sampled_from(["Acme", "ac", "ME", "ß", "ss", "SS", "%", ",", "1", "☃", "'", "/y", "vip", "V", "old", "GOLD"])
PATTERNS = st.sampled_from(["^A", "me$", "[aß]", "o.d", r"\d\d", "(?:vip|eu)$", "^$|x"])
NUMBERS = st.sampled_from([0, 1, -1, 3.7, 10, 10.0, 12, 5, 300, 10**15, 1e-9])
TIMES = st.sampled_from(
    [
        *(
            date(2025, 4, 1),
            date(2025, 3, 31),
            date(2026, 1, 1),
            date(2024, 2, 29),
            "2025-04-01",
            "2025-04-01T12:00:00Z",
        ),
        *(datetime(2025, 4, 1, tzinfo=UTC), datetime(2025, 4, 1, 12, tzinfo=UTC), datetime(2025, 4, 1, 2, tzinfo=EAST)),
        *(datetime(2025, 4, 2, tzinfo=UTC), datetime(2025, 4, 1, 23, 59, 59, 999000, tzinfo=UTC)),
    ]
)
ANY = st.one_of(
    st.sampled_from(["Gold", "gold", "Silver", "größe", "300", "dot", "2025-04-01", 3, 300, 20179, 1743508800000]),
    st.sampled_from([date(2025, 4, 1), datetime(2025, 4, 1, 12, tzinfo=UTC)]),
)


@dataclass(frozen=True)
class Condition:
    """One condition on the record itself."""

    known: Known
    lookup: str
    asked: Any

    def q(self, world: World) -> Q:
        return said(self.known.name, self.lookup, self.asked)

    def holds(self, row: Row, world: World, zone: tzinfo | None) -> bool:
        value = read(self.kind, stored(row, self.known.key))
        if self.known.hides and value is None and False in (self.asked, *self.members) and self.lookup != "isnull":
            return True
        return matches(value, self.kind, self.lookup, self.lowered, zone)

    @property
    def kind(self) -> str:
        return "text" if self.known.kind in ("key", "status", "id") else self.known.kind

    @property
    def leaf(self) -> Condition:
        return self

    @property
    def members(self) -> tuple[Any, ...]:
        return tuple(self.asked) if self.lookup == "in" else ()

    @property
    def lowered(self) -> Any:
        """An id may be written in capitals."""
        if self.known.kind not in ("id", "link", "links") or self.lookup not in ("exact", "in", "contains"):
            return self.asked
        return [one.lower() for one in self.asked] if self.lookup == "in" else self.asked and self.asked.lower()


@dataclass(frozen=True)
class Across:
    """A condition on what a link leads to: spelled as a path over it, or by a queryset among the values."""

    known: Known
    inner: Any
    by_queryset: bool

    def q(self, world: World) -> Q:
        if self.by_queryset:
            return Q(**{f"{self.known.name}__in": world.models[self.known.to].objects.filter(self.inner.q(world))})
        return said(self.path, self.leaf.lookup, self.leaf.asked)

    @property
    def path(self) -> str:
        inner = self.inner
        rest = inner.path if isinstance(inner, Across) else inner.known.name
        return f"{self.known.name}{'.' if '.' in rest else '__'}{rest}"

    @property
    def leaf(self) -> Condition:
        """The condition at the end of the path."""
        return self.inner.leaf

    def holds(self, row: Row, world: World, zone: tzinfo | None) -> bool:
        keys = read(self.known.kind, stored(row, self.known.key))
        leads_to = [
            one for one in world.rows(self.known.to) if one["_id"] in (keys if isinstance(keys, list) else [keys])
        ]
        if not self.by_queryset and self.leaf.lookup == "isnull" and self.leaf.asked is True:
            # Who has nobody, or somebody who is gone, has nobody's value either.
            return not any(self.contrary.holds(one, world, zone) for one in leads_to)
        return any(self.inner.holds(one, world, zone) for one in leads_to)

    @property
    def contrary(self) -> Any:
        """What is asked of the other record, with isnull=False at the end."""
        inner = self.inner
        if isinstance(inner, Across):
            return replace(inner, inner=replace(inner.inner, asked=False))
        return replace(inner, asked=False)


@dataclass(frozen=True)
class Joined:
    """Several conditions joined, or the contrary of them."""

    how: str
    parts: tuple[Any, ...]

    def q(self, world: World) -> Q:
        made = self.parts[0].q(world)
        for part in self.parts[1:]:
            made = made & part.q(world) if self.how != "or" else made | part.q(world)
        return ~made if self.how == "not" else made

    def holds(self, row: Row, world: World, zone: tzinfo | None) -> bool:
        found = [part.holds(row, world, zone) for part in self.parts]
        return {"and": all(found), "or": any(found), "not": not all(found)}[self.how]


def said(name: str, lookup: str, asked: Any) -> Q:
    """Spell a condition as somebody would."""
    if "." in name:
        return Q(name, **{lookup: asked})
    return Q(**{name if lookup == "exact" else f"{name}__{lookup}": asked})


@dataclass(frozen=True)
class Question:
    """A queryset of one model, and its meaning. ``kept`` are conditions for filter(), ``left`` those for exclude()."""

    model: str
    kept: tuple[Any, ...] = ()
    left: tuple[Any, ...] = ()
    order: tuple[tuple[Known, bool], ...] = ()
    turned: bool = False
    slices: tuple[tuple[int | None, int | None], ...] = ()
    only: tuple[Known, ...] = ()
    deferred: tuple[Known, ...] = ()
    parallel: int = 1
    zone: tzinfo | None = field(default=None)

    def queryset(self, world: World, session: Any) -> Any:
        qs = world.models[self.model].objects.using(session)
        for one in self.kept:
            qs = qs.filter(one.q(world))
        for one in self.left:
            qs = qs.exclude(one.q(world))
        qs = qs.order_by(*self.paths) if self.order else qs
        qs = qs.reverse() if self.turned else qs
        qs = qs.only(*(one.name for one in self.only)) if self.only else qs
        qs = qs.defer(*(one.name for one in self.deferred)) if self.deferred else qs
        qs = qs.parallel(self.parallel) if self.parallel > 1 else qs
        for start, stop in self.slices:
            qs = qs[start:stop]
        return qs

    @property
    def paths(self) -> list[str]:
        return [("-" if down else "") + one.name for one, down in self.order]

    @property
    def keys(self) -> list[tuple[str, str, bool]]:
        """Kind, key and direction of what is ordered by."""
        found = [(Condition(one, "exact", None).kind, one.key, down != self.turned) for one, down in self.order]
        return found or ([("text", "_id", True)] if self.turned else [])

    def matching(self, world: World) -> Rows:
        """Return all rows that match, whatever the slices, in order."""
        return in_order([row for row in world.rows(self.model) if self.takes(row, world)], self.keys)

    def takes(self, row: Row, world: World) -> bool:
        """Tell whether a row matches."""
        kept = all(one.holds(row, world, self.zone) for one in self.kept)
        return kept and not any(one.holds(row, world, self.zone) for one in self.left)

    def cut(self, rows: list[Any]) -> list[Any]:
        for start, stop in self.slices:
            rows = rows[start:stop]
        return rows

    @property
    def by_planhat(self) -> bool:
        """Whether Planhat may order it: a slice by one field that holds one value; equal ones come as it likes."""
        kinds = ("texts", "links", "any")
        takes_sort = not self.model.endswith("Metric")
        return takes_sort and len(self.keys) == 1 and self.keys[0][0] not in kinds and self.keys[0][1] != "_id"

    def fits(self, rows: Rows, world: World) -> bool:
        """Tell whether rows are the right stretch of the order that was asked for, equal ones in any order."""
        wanted, [(kind, key, down)] = self.matching(world), self.keys
        here = [place(read(kind, stored(row, key)), stored(row, key)) for row in rows]
        if here == [place(read(kind, stored(row, key)), stored(row, key)) for row in self.cut(wanted)]:
            return True
        there = self.cut(sorted((place_at_server(stored(row, key)) for row in wanted), reverse=down))
        came = [place_at_server(stored(row, key)) for row in rows]
        # Where values are of several types, Planhat chose the stretch; how they are put inside it nobody says.
        several = len({type(stored(row, key)) for row in wanted if stored(row, key) is not None}) > 1
        return came == there or (several and sorted(came) == sorted(there))


# Strategies


def chosen(items: list[Any]) -> st.SearchStrategy[Any]:
    """One of many items; sampled_from() would write all of them into every message."""
    return st.integers(0, len(items) - 1).map(items.__getitem__)


@st.composite
def tests(draw: st.DrawFn, world: World, model: str) -> Condition:
    """A condition on one field."""
    fields = world.fields[model]
    # Half of the conditions on what Planhat filters by, or hides.
    special = [one for one in fields if one.sent or one.hides or one.kind == "id"]
    known = draw(chosen(special)) if draw(st.booleans()) and special else draw(chosen(fields))
    if known.name in SPELLINGS and draw(st.integers(0, 3)) == 0:
        known = replace(known, name=SPELLINGS[known.name])
    lookup = draw(st.sampled_from(LOOKUPS[known.kind]))
    if lookup == "isnull":
        return Condition(known, lookup, draw(st.booleans()))
    one = values(world, model, known, lookup)
    if lookup == "in":
        return Condition(known, lookup, tuple(draw(st.lists(one, max_size=5))))
    if lookup == "range":
        ends = draw(st.tuples(one, one))
        return Condition(known, lookup, ends if same_kind(*ends) else (ends[0], ends[0]))
    return Condition(known, lookup, draw(one))


def off_the_id(test: Condition) -> bool:
    """Tell whether a path over a link may end with the condition: the id behind a link is the link itself."""
    return test.known.key != "_id"


def same_kind(one: Any, other: Any) -> bool:
    kinds = [next(kind for kind in (str, (int, float), date) if isinstance(end, kind)) for end in (one, other)]
    return kinds[0] == kinds[1]


def values(world: World, model: str, known: Known, lookup: str) -> st.SearchStrategy[Any]:
    """Values that the field can be asked for."""
    if lookup in PATTERN:
        return PATTERNS
    if lookup == "iexact" and known.kind == "any":
        return WHOLE
    if lookup in PART and known.kind not in ("links",):
        return PARTS
    if known.kind in ("text", "any", "texts") and known.kind != "any" and known.sent:
        here = sorted({row[known.key] for row in world.rows(model) if isinstance(row.get(known.key), str)})
        return chosen([*filter(None, here), "nobody@x.example"])
    if known.kind == "texts" and lookup == "exact":
        return st.sampled_from([["vip"], ["vip", "eu"], ["VIP", "eu"]])
    if known.kind in ("text", "texts"):
        return WHOLE
    if known.kind == "key":
        here = [row[known.key] for row in world.rows(model) if row.get(known.key)]
        return chosen([*here[:30], here[0].upper(), "nobody"])
    if known.kind in ("id", "link", "links"):
        ids = world.ids(known.to or model)
        return chosen([*ids[:40], *ids[:2], ids[0].upper(), GONE])
    kinds = {"number": NUMBERS, "boolean": st.booleans(), "time": TIMES, "day": TIMES, "utc day": TIMES, "any": ANY}
    return (
        st.sampled_from(["customer", "prospect", "lost", "canceled"]) if known.kind == "status" else kinds[known.kind]
    )


@st.composite
def across(draw: st.DrawFn, world: World, model: str) -> Any:
    """A condition on what a link leads to; on the record itself where there are no links."""
    links = [one for one in world.fields[model] if one.kind == "link"]
    if not links:
        return draw(tests(world, model))
    known, by_queryset = draw(chosen(links)), draw(st.booleans())
    if known.to == "Company" and not by_queryset and draw(st.integers(0, 3)) == 0:
        owner = next(one for one in world.fields["Company"] if one.name == "owner")
        return Across(
            known, Across(owner, draw(tests(world, "User").filter(off_the_id)), by_queryset=False), by_queryset
        )
    inner = draw(tests(world, known.to).filter(off_the_id))
    if by_queryset and draw(st.booleans()):
        inner = Joined(draw(st.sampled_from(["or", "not", "and"])), (inner, draw(tests(world, known.to))))
    return Across(known, inner, by_queryset)


def conditions(world: World, model: str) -> st.SearchStrategy[Any]:
    """Conditions, alone and joined."""
    one = st.one_of(tests(world, model), tests(world, model), tests(world, model), across(world, model))
    return st.recursive(
        one,
        lambda more: st.builds(
            Joined, st.sampled_from(["and", "or", "not"]), st.lists(more, min_size=1, max_size=3).map(tuple)
        ),
        max_leaves=4,
    )


STARTS = st.none() | st.integers(0, 3) | st.integers(0, 25) | st.integers(0, 140)
STOPS = st.none() | st.integers(1, 12) | st.integers(0, 60) | st.integers(0, 140)


@st.composite
def questions(draw: st.DrawFn, world: World, *, models: list[str] | None = None) -> Question:
    """A queryset of any model."""
    # Companies have the most ways to be found, and small pages the most to go wrong.
    often = ["Company", "SmallCompany", "SmallEnduser", "SmallTask"] * 2
    model = draw(st.sampled_from(models or [*sorted(world.models), *often]))
    fields = world.fields[model]
    some = chosen(fields)
    order = st.lists(st.tuples(some, st.booleans()), min_size=1, max_size=2, unique_by=lambda key: key[0].name)
    return Question(
        model,
        kept=tuple(draw(st.lists(conditions(world, model), max_size=2))),
        left=tuple(draw(st.lists(conditions(world, model), max_size=1))),
        order=tuple(draw(st.just([]) | order)),
        turned=draw(st.integers(0, 4)) == 0,
        slices=tuple(draw(st.just([]) | st.lists(st.tuples(STARTS, STOPS), min_size=1, max_size=2))),
        only=tuple(draw(st.just([]) | st.lists(some, min_size=1, max_size=3) | st.just(fields[:3]))),
        deferred=tuple(draw(st.just([]) | st.lists(some.filter(lambda one: one.kind != "id"), min_size=1, max_size=2))),
        parallel=draw(st.sampled_from([1, 1, 1, 2, 6])),
        zone=draw(st.sampled_from([None, None, EAST])),
    )
