"""The planner: a Query and what its endpoint can do become a Plan, with its price in requests.

Planhat filters on very little and ignores what it does not know, so each condition is either one that the endpoint
documents, and then checked on every row that comes back, or tested here. Imports query, lookups and the path grammar;
sends nothing of its own (a queryset among the values of a filter is read). It does not promise the number of requests
of a scan: how many pages there are is not known before.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import NotSupported
from planhat_orm.orm.indexable import Indexable, indexable, is_covered
from planhat_orm.orm.lookups import CompiledCondition, Condition, Predicate, compile_condition, compile_q
from planhat_orm.orm.matching import MATCHERS, Span
from planhat_orm.orm.newest import since_of
from planhat_orm.orm.ordering import Order, order_of, said_of
from planhat_orm.orm.paths import Target, keys_of, partition
from planhat_orm.orm.query import Query
from planhat_orm.orm.shares import Share, given_tests, hints, refuse_conflict, share_of, unhidden
from planhat_orm.paging.scan import looks_capped
from planhat_orm.wire.endpoints import id_chunks, path_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from planhat_orm.orm.options import Options

Strategy = Literal["nothing", "key", "keys", "ids", "index", "table", "scan"]

#: From so many requests by ids on it is worth one request to find out whether the whole list costs half as many.
WORTH_ASKING = 4
#: Where a page of an ordered list is checked to be in order, it has at least so many rows, if there are any.
CHECKED_ROWS = 10
#: What every row passes.
NO_FILTER = Predicate()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered.

    ``paths`` are those of the records that are read one by one. ``params`` are sent with every page; ``passes`` are
    those of each list, where it takes several to see all rows; ``id_lists`` are the chunks of a comma list, one scan
    each. ``predicate`` is tested on every row, ``asked`` are the conditions that Planhat was asked to apply, tested
    loosely first.
    ``server_order`` says that rows come in the wanted order, else they are read by id and ordered here.
    ``instead`` is the scan that is carried out when it turns out to be cheaper than many requests by ids, or the index
    is not to be trusted; or that reads a small table. ``index`` is the share of the lean index; ``covered`` says that
    it alone answers. ``fresh`` says that a small table is read anew, whatever is kept of it.
    """

    query: Query
    strategy: Strategy
    path: str
    paths: tuple[str, ...] = ()
    params: dict[str, str] = field(default_factory=dict)
    passes: tuple[dict[str, str], ...] = ({},)
    id_param: str = ""
    id_lists: tuple[tuple[str, ...], ...] = ()
    predicate: Predicate = NO_FILTER
    asked: tuple[CompiledCondition, ...] = ()
    order: tuple[Order, ...] = ()
    server_order: bool = False
    select: tuple[str, ...] = ()
    instead: Plan | None = None
    index: Indexable | None = None
    covered: bool = False
    fresh: bool = False
    notes: tuple[str, ...] = ()

    @property
    def meta(self) -> Options:
        """The options of the model."""
        return self.query.model._meta

    @property
    def sort(self) -> str:
        """The value of ``sort`` that is sent."""
        if "sort" not in self.meta.list_takes:
            return ""
        return self.order[0].parameter if self.server_order else "_id"

    @property
    def asks(self) -> bool:
        """Whether it is worth a request to find out how long the list is that may be read instead."""
        many = (len(self.paths) or len(self.lists)) >= WORTH_ASKING
        return self.instead is not None and self.strategy in ("ids", "keys") and many

    @property
    def lists(self) -> list[tuple[dict[str, str], tuple[str, ...]]]:
        """The lists that are read one after another: what each is asked for besides ``params``, and its ids."""
        return [(one, ids) for one in self.passes for ids in self.id_lists or ((),)]

    @property
    def id_key(self) -> str:
        """Planhat's name of the field that the id lists speak of, "" without any."""
        return self.meta.list_params[self.id_param].data_key if self.id_param else ""

    @property
    def once(self) -> bool:
        """Whether no record can be in two of the lists."""
        shared = self.id_param and self.meta.list_params[self.id_param].lookup == "contains"
        return len(self.id_lists) < 2 or not shared

    @property
    def merged(self) -> bool:
        """Whether the first rows of several lists, each as Planhat orders it, are put together here."""
        return self.server_order and len(self.passes) > 1

    @property
    def local(self) -> tuple[CompiledCondition, ...]:
        """The simple conditions that are tested here alone."""
        return tuple(test for test in self.predicate.tests if test not in self.asked)

    @property
    def filters_here(self) -> bool:
        """Whether rows that Planhat sends may be dropped here, so that a slice cannot be asked for as it is."""
        # Whether Planhat compares texts with or without letter case is not documented; ids and booleans have none.
        texts = (
            test
            for test in self.predicate.tests
            if test in self.asked
            and not (test.target.data_key == "_id" or test.target.field.relation or isinstance(test.value, bool))
        )
        return bool(self.local or self.predicate.others or any(texts))

    @property
    def window_is_sent(self) -> bool:
        """Whether Planhat can be asked for just the slice."""
        if self.strategy not in ("ids", "scan") or len(self.lists) > 1 or self.filters_here:
            return False
        return not self.order or self.server_order

    @property
    def most(self) -> int | None:
        """How many rows there can be at most, where ids are named."""
        named = [len(set(test.value)) for test in self.predicate.tests if is_id_list(test)]
        return min(named, default=None)


def is_id_list(test: CompiledCondition) -> bool:
    """Tell whether a condition names the ids of the records wanted."""
    return test.lookup == "in" and test.target.data_key == "_id"


def plan_for(
    query: Query, *, base_url: str, zone: tzinfo | None = None, single: bool = False, stream: bool = False
) -> Plan:
    """Choose how a query is answered.

    :param single: one record is wanted, by ``get``: a key that is not unique in the tenant will do.
    :param stream: rows are wanted as they come, so an order is left to Planhat even without a slice.
    :raises NotSupported: for a filter or an order by what no list of Planhat holds.
    """
    meta = query.model._meta
    if query.empty or query.stop == query.start:
        return Plan(query, "nothing", "")
    predicate = with_constants(compile_q(meta, query.where, zone), meta)
    if contradicts(predicate):
        return Plan(query, "nothing", "", predicate=predicate)
    keyed = by_key(query, predicate, single=single)
    if keyed is not None and "get" in meta.operations:
        return keyed
    if single and not query.params and (keyed is not None or names_one(predicate)):
        meta.require("get")
    scan, share = scan_for(query, predicate, stream=stream, single=single)
    by_list = by_ids(scan, share, base_url)
    indexed = by_index(scan, by_list, zone, stream=stream)
    if indexed is not None:
        return indexed
    tabled = by_table(scan, stream=stream)
    if tabled is not None:
        return tabled
    if by_list is None or by_list.strategy != "keys":
        meta.require("list")
    return by_list or with_notes(scan)


def scan_for(query: Query, predicate: Predicate, *, stream: bool, single: bool) -> tuple[Plan, Share]:
    """Plan to read the list page by page, and say what the endpoint is asked."""
    meta, given = query.model._meta, dict(query.params)
    share, more = share_of(meta, predicate), given_tests(meta, given)
    refuse_conflict(meta, share, predicate, given)
    unhide, passes = unhidden(meta, predicate, {**share.params, **given})
    order = orders(query)
    order = () if order and order[0].natural and len(passes) == 1 and "sort" in meta.list_takes else order
    # Ordered by Planhat, the lists of several passes are put together here: all of each, or its first rows.
    by_planhat = len(order) == 1 and order[0].sortable and "sort" in meta.list_takes
    needed = predicate.keys | {key.target.data_key for key in order} | {test.target.data_key for test in more}
    alone = None if single else by_key(query, predicate, single=True)
    scan = Plan(
        query,
        "scan",
        path_for(meta.path),
        params={**unhide, **hints(meta, predicate), **share.params, **given},
        passes=passes,
        predicate=predicate,
        asked=(*share.asked, *more),
        order=order,
        server_order=by_planhat and (query.sliced or (stream and len(passes) == 1)),
        select=selection(query, needed),
        notes=()
        if alone is None or "get" not in meta.operations
        else tuple(f"get() asks for GET {alone.path} alone: {note}" for note in alone.notes),
    )
    return scan, share


def orders(query: Query) -> tuple[Order, ...]:
    """Return the keys of an order as far as they decide anything: no two records are equal by their ids."""
    found: list[Order] = []
    for path in query.order:
        found.append(order_of(query.model._meta, path))
        if found[-1].target.data_key == "_id":
            break
    return tuple(found)


def with_constants(predicate: Predicate, meta: Options) -> Predicate:
    """Add what makes a row of a shared collection one of this model."""
    tests = tuple(
        CompiledCondition(Target(meta.by_key[name]), "exact", value, MATCHERS["exact"](value))
        for name, value in meta.constant.items()
    )
    return Predicate(predicate.tests + tests, predicate.others, predicate.keys | meta.constant.keys())


def contradicts(predicate: Predicate) -> bool:
    """Tell whether no row can match: no value is allowed, or two conditions allow different ones."""
    allowed: dict[str, set[object]] = {}
    missing: set[str] = set()
    if nothing_between(predicate.tests):
        return True
    for test in predicate.tests:
        name = test.target.name
        if (test.lookup == "in" and not test.value) or (test.lookup == "range" and is_backwards(*test.value)):
            return True
        if test.lookup == "isnull" and test.value:
            missing.add(name)
        if not test.values or test.target.custom or test.target.field.mutable:
            continue
        # A day and an instant in it do not contradict each other, and a text may be empty and null.
        if any(isinstance(value, (Span, list, dict)) or value == "" for value in test.values):
            continue
        allowed[name] = allowed[name] & set(test.values) if name in allowed else set(test.values)
        if not allowed[name]:
            return True
    # Of what lists hide by, no value counts as False.
    valued = {test.target.name for test in predicate.tests if test.target.name in allowed and not test.match(None)}
    return "id" in missing or not missing.isdisjoint(valued)


def nothing_between(tests: Iterable[CompiledCondition]) -> bool:
    """Tell whether of a field more is wanted than at most is."""
    bounds = [test for test in tests if test.lookup in ("gt", "gte", "lt", "lte") and not test.target.custom]
    lower = [test for test in bounds if test.lookup in ("gt", "gte")]
    upper = [test for test in bounds if test.lookup in ("lt", "lte")]
    return any(
        one.target.name == other.target.name and is_backwards(one.value, other.value) and in_one_zone(one, other)
        for one in lower
        for other in upper
    )


def in_one_zone(one: CompiledCondition, other: CompiledCondition) -> bool:
    """Tell whether two conditions read a stored day as the same instant."""
    return not isinstance(one.value, Span) or not isinstance(other.value, Span) or one.value.zone == other.value.zone


def is_backwards(first: Any, last: Any) -> bool:
    """Tell whether a range ends before it begins."""
    if isinstance(first, Span) and isinstance(last, Span):
        return first.first >= last.after if last.whole_day else first.first > last.first
    if isinstance(first, str) and isinstance(last, str):
        return first > last
    return isinstance(first, (int, float)) and isinstance(last, (int, float)) and first > last


def by_key(query: Query, predicate: Predicate, *, single: bool) -> Plan | None:
    """Plan a read of one record by its key, where the conditions name one."""
    meta = query.model._meta
    if query.params:
        return None  # only a list takes them
    tests = sorted(predicate.tests, key=lambda test: test.target.data_key != "_id")
    for test in tests:
        data_key = test.target.data_key
        kind = meta.key_kinds.get(data_key)
        if kind is None or test.target.custom or len(set(test.values)) != 1:
            continue
        unique = data_key in ("_id", *meta.unique)
        # A key that is unique in one company only is looked for in that company, where one is named.
        if not unique and (not single or meta.unique_within.get(data_key) in predicate.keys):
            continue
        path = path_for(meta.path, test.values[0], kind=kind)
        notes = () if unique else (f"{doubt(meta, data_key)}: Planhat answers with one of possibly several",)
        return Plan(query, "key", path, (path,), predicate=predicate, asked=(test,), notes=notes)
    return None


def names_one(predicate: Predicate) -> bool:
    """Tell whether a filter names the id of one record."""
    return any(test.target.data_key == "_id" and len(set(test.values)) == 1 for test in predicate.tests)


def doubt(meta: Options, data_key: str) -> str:
    """Say of a key that it may not be that of one record alone."""
    name = meta.by_key[data_key].name
    within = meta.unique_within.get(data_key)
    return f"{name} is unique within one {meta.by_key[within].name} only" if within else f"{name} may not be unique"


def by_ids(scan: Plan, share: Share, base_url: str) -> Plan | None:
    """Plan a read by ids where some are named: as comma lists, or one by one where the endpoint takes no lists."""
    meta, query = scan.meta, scan.query
    if share.ids:
        plan = in_lists(scan, share.id_param, share.ids, share.listed, base_url)
        requests = len(plan.lists)
    else:
        tests = tuple(test for test in scan.predicate.tests if is_id_list(test))
        if not tests or meta.small_table or "id" not in meta.keyables or "get" not in meta.operations or query.params:
            return None
        paths = tuple(path_for(meta.path, one) for one in sorted(set.intersection(*(set(t.value) for t in tests))))
        plan = Plan(query, "keys", scan.path, paths, predicate=scan.predicate, asked=tests, order=scan.order)
        requests = len(paths)
    # Who wants a few rows may have them before that question is answered.
    weighed = requests > 1 and (query.stop is None or (scan.order and not plan.server_order))
    weighed = weighed and "list" in meta.operations
    return with_notes(replace(plan, instead=with_notes(scan)) if weighed else plan)


def in_lists(scan: Plan, name: str, ids: Sequence[str], listed: tuple[CompiledCondition, ...], base_url: str) -> Plan:
    """Plan a read by comma lists of the parameter ``name``, which stand for the conditions ``listed``."""
    meta = scan.meta
    sent = longest_page({**scan.params, **scan.passes[-1]}, scan.select)
    lists = tuple(tuple(chunk) for chunk in id_chunks(base_url, scan.path, sent, name, ids))
    # By id is no order to be asked for in one list; several are put in order here, but for lists of those very ids.
    several = len(lists) > 1 and meta.list_params[name].data_key != "_id"
    return replace(
        scan,
        strategy="ids",
        order=orders(scan.query) if several else scan.order,
        id_param=name,
        id_lists=lists,
        asked=scan.asked + listed,
        server_order=scan.server_order and len(lists) == 1,
    )


def longest_page(params: Mapping[str, str], select: Sequence[str]) -> dict[str, str]:
    """Return what a page may be asked for at its longest, so that room is left for it beside a list of ids."""
    return {**params, "limit": "00000", "offset": "000000000", "sort": "-" * 30, "select": ",".join(select)}


def by_records(scan: Plan, ids: Sequence[str], base_url: str) -> Plan:
    """Plan a read of the records of some ids, by comma lists of them; none of them is left out by a filter."""
    meta, named = scan.meta, Condition("id", "in", tuple(ids))
    scan = replace(scan, strategy="scan", predicate=NO_FILTER, asked=(), params={}, order=(), server_order=False)
    listed = (compile_condition(meta, named, None),)
    return in_lists(scan, meta.ids_param or "", ids, listed, base_url)


def by_index(scan: Plan, by_list: Plan | None, zone: tzinfo | None, *, stream: bool) -> Plan | None:
    """Plan to ask the lean index, where it answers alone or finds the records; None where something else costs less."""
    meta, query = scan.meta, scan.query
    if not meta.lean_path or meta.unhide or meta.constant or query.params:
        return None
    share = indexable(query, zone)
    shared = replace(scan, strategy="index", index=share, asked=(), order=orders(query), server_order=False)
    shared = replace(shared, instead=with_notes(scan))
    if is_covered(query, share):
        # One page of the list is as many requests, and smaller; and who iterates wants no more than a page at a time.
        window = None if query.stop is None or not scan.window_is_sent else query.stop - query.start
        small = window is not None and window <= meta.page_size[1]
        few = by_list is not None and len(by_list.lists) * (len(by_list.paths) or 1) == 1
        if small or few or (stream and not query.where):
            return None
        path = path_for(meta.lean_path)
        return replace(shared, path=path, params=share.params, predicate=share.found, select=(), covered=True)
    # Of texts nobody knows how many records hold them: a few are found on the first pages, most likely.
    finds = share.finds == "values" or (share.finds == "texts" and query.stop is None)
    return with_notes(shared) if finds and by_list is None and meta.ids_param else None


def by_table(scan: Plan, *, stream: bool) -> Plan | None:
    """Plan to read a small table whole, once in a while, whatever is wanted of it; None where it does not hold that."""
    meta, query = scan.meta, scan.query
    # What is kept of a collection is all of it, not the rows of a class for some of them.
    if not meta.small_table or meta.constant or query.params or stream or len(scan.passes) > 1:
        return None
    if since_of(scan) is not None:
        return None  # who asks what was changed lately wants to know it of now
    held = {*(meta.default_select or meta.listed_keys)}
    fresh = not (query.where or query.order or query.sliced)
    wanted = scan.predicate.keys | {key.target.data_key for key in scan.order} | (query.only or set())
    if not wanted <= held or (fresh and (query.only is not None or query.deferred)):
        return None
    everything, _ = scan_for(Query(query.model), with_constants(NO_FILTER, meta), stream=False, single=False)
    plan = replace(scan, strategy="table", params=everything.params, asked=(), server_order=False, fresh=fresh)
    return with_notes(replace(plan, order=orders(query), select=everything.select, instead=everything))


def pages_of(meta: Options, rows: int) -> int:
    """Return how many requests a list of so many rows takes, page by page.

    >>> from planhat_orm.models import Company
    >>> [pages_of(Company._meta, rows) for rows in (0, 499, 500, 4_999, 5_000, 5_099, 50_000)]
    [1, 1, 2, 1, 2, 3, 11]
    """
    default, size = meta.page_size
    # Pages overlap by a row. The last one may have been cut, by its length: one more tells.
    before = max(0, rows - 1) // (size - 1)
    return before + 1 + looks_capped(rows - before * (size - 1), default)


def selection(query: Query, needed: Iterable[str]) -> tuple[str, ...]:
    """Return Planhat's names to select, in the order of the fields; empty to take what the list gives."""
    meta = query.model._meta
    unlisted = [meta.by_key[key] for key in sorted(needed) if meta.by_key[key].get_only]
    if unlisted:
        raise NotSupported(
            f"{meta.name}.{unlisted[0].name} is in no list of Planhat, so a list cannot be filtered or ordered by it; "
            "loop over the objects and test it there (one request each)"
        )
    keys: Sequence[str] | frozenset[str] = meta.default_select
    if query.only is not None:
        keys = query.only
    elif query.deferred:
        keys = meta.default_select or meta.listed_keys
    if not keys or "select" not in meta.list_takes:
        return ()
    # Without the links of the rows nothing can be loaded beforehand.
    links = keys_of(meta, (partition(path)[0] for path in query.prefetch))
    wanted = {"_id", *needed, *links, *(key for key in keys if key not in query.deferred)}
    return tuple(name for name, known in meta.by_key.items() if name in wanted and not known.get_only)


def with_notes(plan: Plan) -> Plan:
    """Say what is worth knowing of the order, and of what is proven."""
    notes: list[str] = []
    if plan.order and not plan.server_order:
        by_id = "by id " if plan.sort else ""
        notes.append(f"all of it is read {by_id}and ordered here{said_of(plan.order)}")
    elif plan.strategy == "scan" and not plan.sort:
        notes.append(
            "the list takes no order, so that nothing proves it complete while others change it (scan_report.proven)"
        )
    elif len(plan.passes) > 1 and not plan.order:
        notes.append("rows come list by list, each by id; order_by('id') puts all in order")
    elif len(plan.id_lists) > 1 and plan.id_key != "_id" and not plan.order:
        notes.append("rows come by one list of ids after another, each by id; order_by('id') puts all in order")
    if len(plan.passes) > 1:
        notes.append(
            "a record that goes back from a later list to one that was read already is missed (scan_report.proven)"
        )
    return replace(plan, notes=(*plan.notes, *notes)) if notes else plan
