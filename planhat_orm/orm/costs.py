"""What a query costs, as data: ``cost()`` of a queryset, of which ``explain()`` is the text.

Puts a plan, what the session knows of list sizes and the prices of links together; sends nothing. It does not promise
that a list is still as long as it was when it was last looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import sizes
from planhat_orm.orm.choosing import foreseen, rows_known, total_pages
from planhat_orm.orm.explaining import (
    condition_names,
    doubts,
    hidden_rows,
    order_notes,
    price,
    requests_of,
    selected,
    selected_names,
    unlisted,
    way,
    way_later,
)
from planhat_orm.orm.index import CAPS, kind_of, trust_of
from planhat_orm.orm.indexed import lists_of
from planhat_orm.orm.indexed import usable as usable_index
from planhat_orm.orm.kept import kept_of
from planhat_orm.orm.lookups import LazyValues
from planhat_orm.orm.missing import SAMPLES, doubts_of, is_read_by_key
from planhat_orm.orm.newest import reads_newest
from planhat_orm.orm.planner import plan_for
from planhat_orm.orm.prefetching import Price, followed, prices, steps
from planhat_orm.orm.relations import target_of
from planhat_orm.orm.table import usable as usable_table
from planhat_orm.paging.scan import looks_capped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planhat_orm.orm.lookups import Condition
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.paths import Output
    from planhat_orm.orm.planner import Plan
    from planhat_orm.orm.query import Query
    from planhat_orm.orm.sizes import Size
    from planhat_orm.session.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a query costs, and how it is answered; as a text it is what ``explain()`` says.

    :param query: the query, as it is written.
    :param strategy: ``nothing``, ``key``, ``keys``, ``ids``, ``index``, ``table`` or ``scan``; "" where something is
        to be read first.
    :param way: the same in words.
    :param requests: the exact number of requests, links included; None where nobody can know it.
    :param least: the fewest requests, if there are rows to load links of.
    :param most: the most; None where that depends on how long a list is by now.
    :param formula: the price in words.
    :param rows: how many rows the lists had when they were last looked at; None where one of them never was.
    :param rows_age: how many seconds ago that was.
    :param expected: the number of requests if they still have as many; None where it depends on more than that.
    :param seconds: what ``requests``, or else ``expected``, or else ``least`` take of the session's quota; None where
        it has none.
    :param sort: the order that Planhat is asked for; "" where it is asked for none.
    :param sent: the other parameters of each page.
    :param checked: the conditions that Planhat is asked to apply, and that every row is held against.
    :param tested_here: those that are tested here.
    :param unhidden: what becomes of the rows that lists hide.
    :param selected: the fields asked for; empty for what a list gives.
    :param usual: whether those are the usual ones.
    :param notes: what else is worth knowing.
    :param links: what loading links with the rows costs.
    :param first: what is read first: querysets among the values of a filter, and filters across links.

    >>> cost = Company.objects.filter(external_id="acme-42").cost()
    >>> cost.strategy, cost.requests, cost.checked
    ('key', 1, ('external_id exact',))
    """

    query: str
    strategy: str = ""
    way: str = ""
    requests: int | None = None
    least: int = 0
    most: int | None = None
    formula: str = ""
    rows: int | None = None
    rows_age: float | None = None
    expected: int | None = None
    seconds: float | None = None
    sort: str | None = None
    sent: tuple[tuple[str, str], ...] = ()
    checked: tuple[str, ...] = ()
    tested_here: tuple[str, ...] = ()
    unhidden: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    usual: bool = False
    notes: tuple[str, ...] = ()
    links: tuple[Price, ...] = ()
    first: tuple[Cost, ...] = ()

    def __str__(self) -> str:
        lines = [self.query]
        if self.first:
            inner = [f"  {line}" for one in self.first for line in str(one).splitlines()]
            lines += ["  what it is to be filtered by is read first:", *inner]
            if not self.way:
                return "\n".join(lines)
        lines.append(f"  {'then ' if self.first else ''}{self.way}")
        alone = ", and for the links what is said below" if any(link.most != 0 for link in self.links) else ""
        lines.append(f"  requests: {self.formula}{alone}{self._at_that_size()}")
        if self.sort is not None:
            lines.append(f"  order: sort={self.sort}" if self.sort else "  order: the list takes none")
        lines += self._line("sent", [f"{name}={value}" for name, value in self.sent])
        lines += self._line("checked on every row", self.checked)
        lines += self._line("tested here", self.tested_here)
        lines += [f"  {line}" for line in self.unhidden]
        lines += [f"  selected: {selected(self.selected, usual=self.usual)}"] if self.selected else []
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines + [f"  over {link.path}: {link.said}" for link in self.links])

    @staticmethod
    def _line(name: str, items: Iterable[str]) -> list[str]:
        text = ", ".join(items)
        return [f"  {name}: {text}"] if text else []

    def _at_that_size(self) -> str:
        """Say what comes out of the formula, and what that is of the quota."""
        said = ""
        known = None not in (self.expected, self.rows, self.rows_age)
        if known and self.requests is None and self.formula != str(self.expected):
            said = f"; with the {self.rows:,} rows of {self.rows_age:.0f} s ago: {self.expected}"
        if self.seconds is None:
            return said
        sure = self.requests is not None or self.expected is not None
        return f"{said} ({'' if sure else 'at least '}{self.seconds:.1f} s of the quota)"


@dataclass(slots=True)
class Numbers:
    """The numbers of requests: the fewest, the most, and that which is expected."""

    least: int = 0
    most: int | None = None
    expected: int | None = None

    def add(self, least: int, most: int | None, expected: int | None) -> None:
        """Add what comes on top."""
        self.least += least
        self.most = None if self.most is None or most is None else self.most + most
        self.expected = None if self.expected is None or expected is None else self.expected + expected

    @property
    def exact(self) -> int | None:
        """The number, where it is certain."""
        return self.least if self.least == self.most else None


def cost_of(session: Session | None, plan: Plan, outputs: Iterable[Output] = ()) -> Cost:
    """Return what a plan costs, by what the session knows now; None for what is known without one.

    :param outputs: what is made of its rows.
    """
    query = plan.query
    plan = plan if session is None else foreseen(session, plan)
    size = None if session is None else rows_known(session, plan)
    found = numbers(session, plan)
    links = tuple(prices(session, query.model, query.prefetch, window_of(query)))
    for link in links:
        found.add(link.least, link.most, link.least if link.least == link.most else None)
    absent = may_lack(session, plan, outputs)
    for _, to_one in absent.values():
        rows = window_of(query)
        found.add(0, rows + SAMPLES if rows is not None and to_one else None, 0)
    paged, asks = plan.strategy in ("scan", "ids", "table"), plan.strategy != "nothing"
    usual = query.only is None and not query.deferred
    return Cost(
        query=str(query),
        strategy=plan.strategy,
        way=way(plan),
        requests=found.exact,
        least=found.least,
        most=found.most,
        formula=price(plan),
        rows=None if size is None else size.rows,
        rows_age=None if size is None else size.age,
        expected=found.expected,
        seconds=seconds_of(session, found),
        sort=(f"-{plan.meta.updated_field}" if reads_newest(plan) else plan.sort) if paged else None,
        sent=tuple(plan.params.items()) if paged or plan.covered else (),
        checked=tuple(condition_names(plan.asked)) if asks else (),
        tested_here=tested(plan) if asks else (),
        unhidden=tuple(hidden_rows(plan)) if paged else (),
        selected=tuple(selected_names(plan)),
        usual=usual,
        notes=(
            *unlisted(plan),
            *doubts(plan),
            *lacking(absent),
            *order_notes(plan),
            *ends(plan, size, found),
            *ages(session, plan),
            *ahead(plan),
        ),
        links=links,
    )


def may_lack(
    session: Session | None, plan: Plan, outputs: Iterable[Output]
) -> dict[type[Model], tuple[dict[str, None], bool]]:
    """Return the fields that links and outputs need and that no row may hold, by model; what is known is left out.

    With them comes whether no more records of the model are needed than there are rows.
    """
    query, outputs = plan.query, list(outputs)
    needed = followed(query.model, query.prefetch)
    for one in outputs:
        links = steps(query.model, "values", ".".join(one.links)) if one.links else []
        if one.field is not None:
            needed.append((target_of(links[-1]) if links else query.model, one.field.data_key, True))
    known = None if session is None else doubts_of(session)
    found: dict[type[Model], tuple[dict[str, None], bool]] = {}
    for model, key, to_one in needed:
        meta = model._meta
        # What a filter compares is found out by it.
        here = model is query.model and (key not in plan.select or key in plan.predicate.keys)
        told = known is not None and ((model, key) in known.listed or (model, key) in known.empty)
        field = meta.by_key[key]
        if here or told or key in ("_id", *meta.list_fields) or field.get_only or not is_read_by_key(model):
            continue
        names, before = found.get(model, ({}, True))
        name = field.name if model is query.model else f"{meta.name}.{field.name}"
        found[model] = ({**names, name: None}, before and to_one)
    return found


def lacking(absent: Mapping[type[Model], tuple[Iterable[str], bool]]) -> list[str]:
    """Say what links and outputs may cost where no row holds them."""
    return [
        f"where no row holds {' or '.join(names)}, up to three requests tell why, once in a session; where lists leave "
        "out what there is, 1 for each record"
        for names, _ in absent.values()
    ]


def tested(plan: Plan) -> tuple[str, ...]:
    """Name what is tested here."""
    others = ("conditions joined by or, or negated",) if plan.predicate.others else ()
    return (*condition_names(plan.local), *others)


def waiting(session: Session, query: Query, values: Iterable[LazyValues]) -> Cost | None:
    """Return the cost of a query some of whose values have to be read first; None where all of them are here."""
    if query.empty or query.stop == query.start:
        return None
    first = tuple(cost for value in values if (cost := value._cost_left()) is not None)
    if not first:
        return None
    # A small table is read once, whatever is asked of it.
    tables = {one.way: one.least for one in first if one.strategy == "table"}
    least = sum(tables.values()) + sum(one.least for one in first if one.strategy != "table")
    told = then(session, query, first)
    if told is None:
        return Cost(query=str(query), first=first, least=least)
    return replace(told, query=str(query), strategy="", requests=None, first=first, least=least, most=None)


#: Ids as those that are yet to be found, to see what would be asked of Planhat for them.
FOUND = ("f" * 24, "e" * 24)


def then(session: Session, query: Query, first: tuple[Cost, ...]) -> Cost | None:
    """Return how the rows are found once their values are here; None where that depends on the values themselves."""
    few = FOUND[:1] if all(one.strategy == "key" for one in first) else FOUND

    def given(condition: Condition) -> Condition:
        value = condition.value
        unread = isinstance(value, LazyValues) and value._cost_left() is not None
        return replace(condition, value=few) if unread else condition

    later = replace(query, where=tuple(q._replaced(given) for q in query.where))
    try:
        plan = plan_for(later, base_url=session.base_url, zone=session.timezone)
    except InvalidQuery:  # values of another kind than ids
        return None
    if plan.strategy in ("nothing", "index"):
        return None
    told = cost_of(None, plan)
    sent = tuple((name, "..." if any(one in value for one in FOUND) else value) for name, value in told.sent)
    said, formula = way_later(plan)
    return replace(told, way=said, formula=formula, sent=sent, rows=None, rows_age=None, expected=None, seconds=None)


def window_of(query: Query) -> int | None:
    """Return how many rows there are at most by the slice alone."""
    return None if query.stop is None else query.stop - query.start


def seconds_of(session: Session | None, found: Numbers) -> float | None:
    """Return how many seconds of the session's quota the requests take."""
    rate = None if session is None else session.transport.per_minute
    requests = found.least if found.expected is None else found.expected
    return None if rate is None else requests * 60 / rate


def ages(session: Session | None, plan: Plan) -> list[str]:
    """Say how old what is kept is, where it is used."""
    if session is None or plan.strategy not in ("index", "table") or plan.covered:
        return []
    found = usable_table(session, plan) if plan.strategy == "table" else usable_index(session, plan)
    what = "table" if plan.strategy == "table" else "index"
    return [] if found is None else [f"the {what} that was read {found.age:.0f} seconds ago is used"]


def ends(plan: Plan, size: Size | None, found: Numbers) -> list[str]:
    """Say why a list may take one request more than its rows make pages."""
    default, most = plan.meta.page_size
    if size is None or found.expected is None or found.exact is not None or plan.strategy != "scan":
        return []
    last = size.rows - max(0, size.rows - 1) // (most - 1) * (most - 1)
    if len(plan.passes) > 1 or not looks_capped(last, default):
        return []
    return [f"a last page of {last:,} rows may be one that was cut: one request more makes sure that it is the end"]


def ahead(plan: Plan) -> list[str]:
    """Say what reading several pages at a time may cost."""
    most = plan.query.parallel
    if most < 2 or plan.strategy != "scan" or plan.sort != "_id":
        return []
    return [f"up to {most} pages at a time; at most {most - 1} requests more where the length of the list is not known"]


# The numbers


def numbers(session: Session | None, plan: Plan) -> Numbers:
    """Return how many requests a plan takes, by what is known."""
    exact = requests_of(plan)
    if exact is not None:
        return Numbers(exact, exact, exact)
    if plan.strategy == "index":
        return of_index(session, plan)
    pages = None if session is None else total_pages(session, plan)
    stop = plan.query.stop
    if plan.strategy == "table":
        here = session is not None and usable_table(session, plan) is not None
        held = session is not None and kept_of(session).find(plan.meta.path) is not None
        return Numbers(0, None, 0) if here else Numbers(0 if held and not plan.fresh else 1, None, pages)
    if plan.strategy == "keys":
        return Numbers(1, None if plan.asks else len(plan.paths), None)
    if plan.strategy == "ids":
        early = stop is not None and (not plan.order or plan.server_order)
        return Numbers(1 if early or plan.asks else len(plan.lists), None, None)
    if reads_newest(plan):
        return Numbers(1, None, None)
    if stop is not None and plan.window_is_sent and stop - plan.query.start <= plan.meta.page_size[1]:
        return Numbers(1, 2, None)
    early = stop is not None and (not plan.order or plan.server_order)
    return Numbers(1 if early else len(plan.passes), None, None if early else pages)


def of_index(session: Session | None, plan: Plan) -> Numbers:
    """Return how many requests a plan by the lean index takes."""
    size = None if session is None else sizes.known(session, (plan.instead or plan).path, {})
    if plan.covered:
        verified = session is not None and all(
            kind_of(param) in trust_of(session, plan.meta).honoured for param in plan.params.items()
        )
        once = 0 if verified or not plan.params else 1
        cut = None if size is None or plan.params else int(size.rows in CAPS)
        # The first page may show one of several values alone, which tells too little of them.
        # What is narrowed to a round number of rows is held against the whole index, and that against the list.
        whole = 3 if plan.params else 2
        most = None if once and any("," in text for text in plan.params.values()) else whole + once
        return Numbers(1, most, 1 + once + (cut or 0) if cut is not None or plan.params else None)
    named = lists_of(plan)
    kept = session is not None and usable_index(session, plan) is not None
    # The index, one more where its length is suspicious, and the lists.
    return Numbers(1, None if named is None or kept else 2 + named, named if kept else None)
