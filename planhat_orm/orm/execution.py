"""Carrying out plans: pages are asked for, checked, tested, put in order and turned into objects.

This is where the pure engines meet the session. Imports planner, paging and wire descriptions. It does not promise
that a list is of one moment: rows of two pages may be of different times.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from planhat_orm.errors import ApiError, FilterIgnored, NotFound, PaginationError, TransportError
from planhat_orm.orm.aliases import renamed, wire_names
from planhat_orm.orm.batches import Batch
from planhat_orm.orm.explaining import probed_offset
from planhat_orm.orm.lookups import short
from planhat_orm.orm.missing import Reload, deliver, held_after_all, row_of, rows_of, settle, spread
from planhat_orm.orm.ordering import begins_empty, fits, in_order, is_ordered
from planhat_orm.orm.planner import CHECKED_ROWS
from planhat_orm.orm.shares import given_tests
from planhat_orm.orm.slips import Slips
from planhat_orm.orm.state import Origin
from planhat_orm.paging import TOO_SLOW, Fetch, Rows, ScanReport, TooSlow, count, scan
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.garbage import paused_gc
from planhat_orm.wire.retry import too_slow
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session

Row = dict[str, Any]
Params = dict[str, str]

_log = logging.getLogger("planhat_orm.orm")

#: So many rows that match are held back at most until it is known what the list that they are not of holds.
HELD_BACK = 10_000
#: How many rows each session knows some lists to have, by path and parameters.
_at_least: WeakKeyDictionary[Session, dict[tuple[Any, ...], int]] = WeakKeyDictionary()
#: The answers to a URL that is too long; the list of ids in it is halved then.
TOO_LONG = (414, 431)


class Run:
    """One carrying out of a plan."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self.session = session
        self.plan = plan
        #: Planhat's names that the next page asks for; grows when a field is missed.
        self.select = plan.select
        self._reports: list[ScanReport] = []
        #: Origins of the pages before: an object of one that is kept shall not hold what tells of all its rows.
        self._earlier: deque[ref[Origin]] = deque(maxlen=2)

    @property
    def report(self) -> ScanReport:
        """What was scanned so far, over all lists."""
        reports = self._reports
        return ScanReport(
            rows=sum(one.rows for one in reports),
            pages=sum(one.pages for one in reports),
            duplicates=sum(one.duplicates for one in reports),
            repairs=sum(one.repairs for one in reports),
            # A record that went from a later list back to one that was read already is in neither.
            proven=all(one.proven for one in reports) and (len(self.plan.passes) == 1 or len(reports) < 2),
            bookmark=reports[0].bookmark if len(reports) == 1 else None,
        )

    @property
    def reloads(self) -> bool:
        """Whether a field that is missing is loaded for all rows of a page, by asking for the page again."""
        return self.plan.query.on_missing == "peers" and "select" in self.plan.meta.list_takes

    # Objects

    def objects(self, *, stream: bool = False) -> Iterator[list[Any]]:
        """Yield the objects wanted, as they come together."""
        for batch in self.ahead(self.batches(stream=stream)):
            if not batch.rows:
                continue
            # The transport does the same while it parses; never while a page is waited for.
            with paused_gc():
                objects = self.hydrated(batch)
            del batch
            yield objects
            del objects

    def ahead(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Hold rows of one of several lists back that lack what was selected, as another list may hold it."""
        held: list[Batch] = []
        for batch in batches:
            waits = len(self.plan.passes) > 1 and sum(len(one.rows) for one in held) < HELD_BACK
            if waits and batch.rows and deliver(self.session, self.plan.meta.model, batch.selected, batch.rows)[1]:
                held.append(batch)
                continue
            yield from held
            held.clear()
            yield batch
            del batch
        yield from held

    def hydrated(self, batch: Batch) -> list[Any]:
        """Turn rows into objects."""
        session, query = self.session, self.plan.query
        model = query.model
        undelivered: set[str] = set()
        loaded: Iterable[str] = model._meta.keys if batch.whole else model._meta.listed_keys
        if batch.selected:
            loaded, undelivered = deliver(session, model, batch.selected, batch.rows)
        origin = Origin(
            session,
            frozenset(loaded),
            batch.number,
            undelivered=frozenset(undelivered),
            reload=Reload(self, batch.pages) if self.reloads and batch.pages else None,
            on_missing=query.on_missing,
        )
        for earlier in self._earlier:
            if (page := earlier()) is not None:
                session.identity_map.prune(page)
        self._earlier.append(ref(origin))
        objects = session.identity_map.adopt(model, batch.rows, origin)
        for record in objects if batch.whole else ():
            session.identity_map.keep(record)
            held_after_all(session, model, record._raw)
        return objects

    # Rows

    def batches(self, *, stream: bool = False) -> Iterator[Batch]:
        """Yield the rows wanted, tested and in order; while they are gathered, an empty batch for each page."""
        self.choose()
        plan = self.plan
        if plan.strategy == "nothing":
            return
        if plan.order and plan.server_order and not stream:
            gathered: list[Batch] = []
            try:
                if plan.merged:
                    gathered.append(self.merged())
                for batch in () if plan.merged else self.wanted(self.tested(self.scans())):
                    gathered.append(batch)
                    yield Batch([], [], 0)
                self.check_gathered(gathered)
            except PaginationError as problem:
                _log.warning("%s: %s. It is read by id and ordered here instead", plan.query, problem)
                self.plan = replace(plan, server_order=False)
            else:
                yield from gathered
                return
        if self.plan.order and not self.plan.server_order:
            yield from self.ordered()
        else:
            yield from self.wanted(self.tested(self.scans()))

    def choose(self) -> None:
        """Read all pages instead of many by ids where one request shows that this costs less."""
        plan, other = self.plan, self.plan.instead
        if other is None:
            return
        rows, known = probed_offset(plan), _at_least.setdefault(self.session, {})
        place = (other.path, *sorted(other.params.items()))
        if rows < known.get(place, 0):
            return
        beyond = {"limit": "1", "offset": str(rows), "sort": "_id", "select": "_id"}
        beyond = {name: value for name, value in beyond.items() if name in plan.meta.list_takes}
        for one in other.passes:
            answer = self.session.send(Request("GET", other.path, params={**other.params, **one, **beyond}))
            if rows_of(answer, other.path):
                known[place] = rows + 1
                return
        self.plan, self.select = other, other.select

    def merged(self) -> Batch:
        """Read the first rows of every list, in the order that Planhat gives them, and put them together.

        :raises PaginationError: when a list is not in that order, or begins without a value.
        """
        plan, query = self.plan, self.plan.query
        whole, fold = Batch([], [], 0), False
        doubtful: list[Row] = []
        for one in plan.lists:
            rows: list[Row] = []
            for batch in self.windowed(self.filtered(self.pages(*one, 0)), 0, query.stop):
                doubtful += batch.doubtful
                rows += batch.rows
                whole.absorb(batch)
            self.check_first(rows, all_of_it=query.stop is None or len(rows) < query.stop)
            fold = fold or not fits(rows, plan.order[0], fold=False)
        self.settle(plan.predicate.keys, doubtful)
        # A record that moved from one list to the next while they were read.
        whole.rows = [*{row["_id"]: row for row in whole.rows}.values()]
        in_order(whole.rows, plan.order, fold=fold)
        whole.rows = whole.rows[query.start : query.stop]
        return whole

    def ordered(self) -> Iterator[Batch]:
        """Read everything by id and put it in order here; an empty batch for each page, then all."""
        self._reports.clear()
        query, order = self.plan.query, self.plan.order
        whole = Batch([], [], 0, whole=self.plan.strategy == "keys")
        for batch in self.tested(self.scans()):
            whole.absorb(batch)
            del batch
            yield Batch([], [], 0)
        if not whole.whole:
            self.settle({key.target.data_key for key in order}, whole.rows)
        in_order(whole.rows, order)
        whole.rows = whole.rows[query.start : query.stop]
        yield whole

    def scans(self) -> Iterator[Batch]:
        """Read the records of every key, or the pages of every list that the plan names; no record twice."""
        if self.plan.strategy in ("key", "keys"):
            yield from self.records()
            return
        lists = deque(self.plan.lists)
        seen: set[str] | None = set() if len(lists) > 1 and self.plan.id_key != "_id" else None
        handed = 0
        while lists:
            extra, ids = lists.popleft()
            began = handed
            try:
                for batch in self.pages(extra, ids, handed):
                    if seen is not None:
                        # A record that moved from one list to the next while they were read.
                        batch.rows = [row for row in batch.rows if row["_id"] not in seen]
                        seen.update(row["_id"] for row in batch.rows)
                    handed += len(batch.rows)
                    yield batch
                    del batch
            except ApiError as problem:
                if problem.status not in TOO_LONG or len(ids) < 2 or handed > began:
                    raise
                half = len(ids) // 2
                lists.extendleft(((extra, ids[half:]), (extra, ids[:half])))

    def records(self) -> Iterator[Batch]:
        """Read the record of each key; one that does not exist is left out."""
        for path in self.plan.paths:
            try:
                response = self.session.send(Request("GET", path))
            except NotFound:
                continue
            rows = renamed(self.plan.meta, [row_of(response, path)])
            yield Batch(rows, [], response.number, whole=True)

    def stretch(self, ids: tuple[str, ...], handed: int) -> tuple[int, int | None]:
        """Return which rows of one list are worth asking for."""
        plan, query = self.plan, self.plan.query
        start, stop = (query.start, query.stop) if plan.window_is_sent else (0, None)
        if not plan.window_is_sent and not plan.filters_here and query.stop is not None:
            if plan.merged:
                stop = query.stop
            elif not plan.order:
                # Of a later list as many rows may have been in the earlier ones as were handed out of those.
                stop = query.stop - handed if plan.once and len(plan.passes) == 1 else query.stop
        if ids and plan.id_key == "_id":
            # Each id is one row at most, so that no page has to be looked for behind them.
            stop = len(ids) if stop is None else min(stop, len(ids))
        return start, stop

    def fixed(self, extra: Params, ids: tuple[str, ...]) -> Params:
        """Return what every page of one list is asked for."""
        plan = self.plan
        named = {plan.id_param: ",".join(ids)} if ids else {}
        return {**plan.params, **extra, **named, **({"sort": plan.sort} if plan.sort else {})}

    def pages(self, extra: Params, ids: tuple[str, ...], handed: int) -> Iterator[Batch]:
        """Drive the engine through one list."""
        plan, sort = self.plan, self.plan.sort
        by_value = sort not in ("_id", "")
        start, stop = self.stretch(ids, handed)
        default, maximum = plan.meta.page_size
        report = ScanReport()
        self._reports.append(report)
        engine = scan(
            page_size=maximum,
            default_size=default,
            order="other" if by_value else "id" if sort else "none",
            start=start,
            # A few rows more show whether the order was honoured.
            stop=max(stop, start + CHECKED_ROWS) if by_value and stop is not None else stop,
            report=report,
        )
        left = None if stop is None else stop - start
        last: list[Row] = []
        for batch in self.drive(engine, self.fixed(extra, ids)):
            if by_value and not is_ordered(last + batch.rows, plan.order[0]):
                raise PaginationError(f"Planhat was asked for sort={sort} and sent another order")
            last = batch.rows[-1:] if by_value else []
            if left is not None:
                batch.rows, left = batch.rows[:left], left - len(batch.rows)
            yield batch
            del batch
            if left is not None and left <= 0:
                return

    def drive(
        self, engine: Generator[Fetch | Rows, list[Row] | TooSlow | None, None], fixed: Params
    ) -> Iterator[Batch]:
        """Give the engine the pages it asks for; yield the rows it hands out, with the last request and its number."""
        page: Params = {}
        number, select = 0, self.select
        slow: Exception | None = None
        step: Fetch | Rows | None = next(engine, None)
        while step is not None:
            try:
                if isinstance(step, Rows):
                    rows = step.rows
                    step = None  # a page may weigh 20 MB: nobody but the consumer may hold it
                    batch = Batch(rows, [page], number, selected=select)
                    del rows
                    yield batch
                    del batch
                    step = next(engine)
                    continue
                select = self.select
                page = {"limit": str(step.limit), "offset": str(step.offset), **fixed, **self.selecting(select)}
                answer = self.fetch(page)
                if isinstance(answer, Exception):
                    slow = answer
                    step = engine.send(TOO_SLOW)
                else:
                    rows, number = answer
                    del answer
                    step = engine.send(rows)
            except StopIteration:
                return
            except PaginationError as problem:
                raise problem from slow

    def selecting(self, keys: tuple[str, ...]) -> Params:
        """Return the parameter that selects fields, under every name that answers may hold them under."""
        return {"select": ",".join(wire_names(self.plan.meta, keys))} if keys else {}

    def fetch(self, params: Params) -> tuple[list[Row], int] | ApiError | TransportError:
        """Ask for one page; the error is returned when it was too slow and may be asked for at half its size."""
        path = self.plan.path
        try:
            response = self.session.send(Request("GET", path, params=params, halvable=True))
        except (ApiError, TransportError) as problem:
            if too_slow(problem):
                return problem
            raise
        return renamed(self.plan.meta, rows_of(response, path)), response.number

    def tested(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Check the server's share on every row, drop what does not match exactly, and judge what no row holds.

        What no row of one of several lists holds, another one may: rows are held back until that is known.
        """
        held: list[Batch] = []
        samples: list[Row] = []
        for batch in self.filtered(batches):
            samples += batch.doubtful
            waits = len(self.plan.passes) > 1 and sum(len(one.rows) for one in held) < HELD_BACK
            if waits and self.in_doubt(samples):
                held.append(batch)
                continue
            self.settle(self.plan.predicate.keys, samples)
            samples.clear()
            yield from held
            held.clear()
            yield batch
            del batch
        self.settle(self.plan.predicate.keys, samples)
        yield from held

    def filtered(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Check the server's share on every row, then drop what does not match exactly."""
        predicate, slips = self.plan.predicate, Slips(self.plan)
        asked = {test.target.data_key for test in self.plan.asked}
        for batch in batches:
            slips.look(batch.rows)
            if not batch.whole:
                self.settle(asked, batch.rows)
                batch.doubtful = tuple(spread(batch.rows)) if self.in_doubt(batch.rows) else ()
            self.check_asked(batch.rows)
            if predicate:
                batch.rows = [row for row in batch.rows if predicate(row)]
            yield batch
            del batch
        slips.tell(self.session)

    def in_doubt(self, rows: list[Row]) -> bool:
        """Tell whether what a filter compares is in none of the rows, so that it is not known what that means."""
        keys = self.plan.predicate.keys if self.select and rows else ()
        return bool(keys and deliver(self.session, self.plan.query.model, keys, rows)[1])

    def wanted(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Cut the wanted stretch out of rows that were tested here."""
        query = self.plan.query
        return self.windowed(batches, *((0, None) if self.plan.window_is_sent else (query.start, query.stop)))

    def windowed(self, batches: Iterator[Batch], start: int, stop: int | None) -> Iterator[Batch]:
        """Cut a stretch out of rows that were tested here, and stop as soon as it is complete."""
        plan = self.plan
        ends = [end for end in (stop, plan.most) if end is not None]
        enough = min(ends, default=None)
        seen = 0
        for batch in batches:
            first, last = max(0, start - seen), None if stop is None else stop - seen
            seen += len(batch.rows)
            batch.rows = batch.rows[first:last]
            yield batch
            del batch
            if enough is not None and seen >= enough:
                return

    # Checks

    def check_asked(self, rows: list[Row]) -> None:
        """Raise when a row breaks a condition that Planhat was asked to apply, even read loosely."""
        for test in self.plan.asked:
            for row in rows:
                if not test.loosely(row):
                    raise FilterIgnored(
                        f"{self.plan.query}: Planhat was asked for {test.target.name} {test.lookup} "
                        f"{short(test.value)} and sent {row.get('_id')} with {short(row.get(test.target.data_key))}; "
                        "it ignored the filter. Nothing of that page was handed out"
                    )

    def check_gathered(self, batches: list[Batch]) -> None:
        """Check how a slice that Planhat ordered begins."""
        query, rows = self.plan.query, [row for batch in batches for row in batch.rows]
        everything = query.start == 0 and query.stop is not None and len(rows) < query.stop
        if not self.plan.merged:
            self.check_first(rows, all_of_it=everything)

    def check_first(self, rows: list[Row], *, all_of_it: bool) -> None:
        """Raise when a descending order begins without a value: others may have one, further on."""
        plan = self.plan
        if not all_of_it and begins_empty(rows, plan.order[0]):
            raise PaginationError(f"Planhat was asked for sort={plan.sort} and sent a row without a value first")

    def settle(self, keys: Iterable[str], rows: list[Row]) -> None:
        """Find out what it means that a selected key is in no row, before a filter or an order relies on it."""
        if self.select and rows:
            model = self.plan.query.model
            _, unknown = deliver(self.session, model, keys, rows)
            settle(self.session, model, unknown, rows)

    # Counting

    def count(self) -> int:
        """Count the rows wanted; the plan is of a query without an order."""
        self.choose()
        plan, query = self.plan, self.plan.query
        window = None if query.stop is None else query.stop - query.start
        read = plan.strategy in ("nothing", "key", "keys") or plan.filters_here or plan.id_key == "_id"
        read = read or not plan.once
        if read or (window is not None and window <= plan.meta.page_size[1]):
            return sum(len(batch.rows) for batch in self.batches())
        if plan.meta.lean_path and not plan.params and not plan.id_lists:
            path = path_for(plan.meta.lean_path)
            total = len(rows_of(self.session.send(Request("GET", path)), path))
        else:
            total = 0
            for one in plan.lists:
                found = self.count_list(*one)
                if found is None:
                    # Records are in several lists, so that adding up how many each holds would count them twice.
                    return sum(len(batch.rows) for batch in self.batches())
                total += found
        return max(0, (total if query.stop is None else min(total, query.stop)) - query.start)

    def count_list(self, extra: Params, ids: tuple[str, ...]) -> int | None:
        """Count one list by probing it; None where it holds what belongs into another list."""
        plan = self.plan
        default, maximum = plan.meta.page_size
        belongs = given_tests(plan.meta, extra)
        told_by = (test.target.data_key for test in belongs)
        select = tuple(dict.fromkeys((*self.select, *told_by))) if self.select else ()
        fixed = {**self.fixed(extra, ids), **self.selecting(select)}
        engine = count(page_size=maximum, default_size=default)
        step = next(engine)
        while True:
            answer = self.fetch({"limit": str(step.limit), "offset": str(step.offset), **fixed})
            try:
                if isinstance(answer, Exception):
                    step = engine.send(TOO_SLOW)
                else:
                    self.settle([test.target.data_key for test in plan.asked], answer[0])
                    self.check_asked(answer[0])
                    if not all(test.loosely(row) for test in belongs for row in answer[0]):
                        return None
                    step = engine.send(answer[0])
            except StopIteration as end:
                return int(end.value)
