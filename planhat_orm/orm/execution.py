"""Carrying out plans: pages are asked for, checked, tested, put in order and turned into objects.

This is where the pure engines meet the session. Imports planner, paging and wire descriptions. It does not promise
that a list is of one moment: rows of two pages may be of different times.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import ref

from planhat_orm.errors import ApiError, FilterIgnored, NotFound, PaginationError, TransportError
from planhat_orm.orm.explaining import probed_offset
from planhat_orm.orm.lookups import short
from planhat_orm.orm.missing import Reload, deliver, held_after_all, row_of, rows_of, settle
from planhat_orm.orm.ordering import begins_empty, in_order, is_ordered
from planhat_orm.orm.planner import CHECKED_ROWS
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

#: The answers to a URL that is too long; the list of ids in it is halved then.
TOO_LONG = (414, 431)


@dataclass(slots=True)
class Batch:
    """Rows that came together, with the requests that brought them; ``whole`` when each was read by its own key."""

    rows: list[Row]
    pages: list[Params]
    number: int
    whole: bool = False

    @property
    def selected(self) -> list[str]:
        """Planhat's names of what was selected when the rows were asked for; empty for what the list gives."""
        select = self.pages[-1].get("select", "") if self.pages else ""
        return select.split(",") if select else []


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
            proven=all(one.proven for one in reports),
            bookmark=reports[0].bookmark if len(reports) == 1 else None,
        )

    # Objects

    def objects(self, *, stream: bool = False) -> Iterator[list[Any]]:
        """Yield the objects wanted, as they come together."""
        for batch in self.batches(stream=stream):
            if not batch.rows:
                continue
            # The transport does the same while it parses; never while a page is waited for.
            with paused_gc():
                objects = self.hydrated(batch)
            del batch
            yield objects
            del objects

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
            reload=Reload(self, batch.pages) if query.on_missing == "peers" and batch.pages else None,
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
                for batch in self.windowed(self.tested(self.scans())):
                    gathered.append(batch)
                    yield Batch([], [], 0)
                self.check_first([row for batch in gathered for row in batch.rows])
            except PaginationError as problem:
                _log.warning("%s: %s. It is read by id and ordered here instead", plan.query, problem)
                self.plan = replace(plan, server_order=False)
            else:
                yield from gathered
                return
        if self.plan.order and not self.plan.server_order:
            yield from self.ordered()
        else:
            yield from self.windowed(self.tested(self.scans()))

    def choose(self) -> None:
        """Read all pages instead of many by ids where one request shows that this costs less."""
        plan, other = self.plan, self.plan.instead
        if other is None:
            return
        beyond = {"limit": "1", "offset": str(probed_offset(plan)), "sort": "_id", "select": "_id"}
        answer = self.session.send(Request("GET", other.path, params={**other.params, **beyond}))
        if not rows_of(answer, other.path):
            self.plan, self.select = other, other.select

    def ordered(self) -> Iterator[Batch]:
        """Read everything by id and put it in order here; an empty batch for each page, then all."""
        self._reports.clear()
        query, order = self.plan.query, self.plan.order
        whole = Batch([], [], 0, whole=self.plan.strategy == "keys")
        for batch in self.tested(self.scans()):
            whole.rows += batch.rows
            whole.pages += batch.pages
            whole.number = whole.number or batch.number
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
        lists = deque(self.plan.id_lists or ((),))
        seen: set[str] | None = set() if len(lists) > 1 and self.plan.id_key != "_id" else None
        handed = 0
        while lists:
            ids = lists.popleft()
            began = handed
            try:
                for batch in self.pages(ids, handed):
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
                lists.extendleft((ids[half:], ids[:half]))

    def records(self) -> Iterator[Batch]:
        """Read the record of each key; one that does not exist is left out."""
        for path in self.plan.paths:
            try:
                response = self.session.send(Request("GET", path))
            except NotFound:
                continue
            yield Batch([row_of(response, path)], [], response.number, whole=True)

    def stretch(self, ids: tuple[str, ...], handed: int) -> tuple[int, int | None]:
        """Return which rows of one list are worth asking for."""
        plan, query = self.plan, self.plan.query
        start, stop = (query.start, query.stop) if plan.window_is_sent else (0, None)
        if not plan.window_is_sent and not plan.filters_here and not plan.order and query.stop is not None:
            stop = query.stop - handed
        if ids and plan.id_key == "_id":
            # Each id is one row at most, so that no page has to be looked for behind them.
            stop = len(ids) if stop is None else min(stop, len(ids))
        return start, stop

    def pages(self, ids: tuple[str, ...], handed: int) -> Iterator[Batch]:
        """Drive the engine through one list."""
        plan, sort = self.plan, self.plan.sort
        fixed = {**plan.params, plan.id_param: ",".join(ids)} if ids else plan.params
        start, stop = self.stretch(ids, handed)
        default, maximum = plan.meta.page_size
        report = ScanReport()
        self._reports.append(report)
        engine = scan(
            page_size=maximum,
            default_size=default,
            order="id" if sort == "_id" else "other",
            start=start,
            # A few rows more show whether the order was honoured.
            stop=stop if stop is None or sort == "_id" else max(stop, start + CHECKED_ROWS),
            report=report,
        )
        left = None if stop is None else stop - start
        last: list[Row] = []
        for rows, page, number in self.drive(engine, {**fixed, "sort": sort}):
            if sort != "_id" and not is_ordered(last + rows, plan.order[0]):
                raise PaginationError(f"Planhat was asked for sort={sort} and sent another order")
            last = rows[-1:] if sort != "_id" else []
            if left is not None:
                rows, left = rows[:left], left - len(rows)
            yield Batch(rows, [page], number)
            del rows
            if left is not None and left <= 0:
                return

    def drive(
        self, engine: Generator[Fetch | Rows, list[Row] | TooSlow | None, None], fixed: Params
    ) -> Iterator[tuple[list[Row], Params, int]]:
        """Give the engine the pages it asks for; yield the rows it hands out, with the last request and its number."""
        page: Params = {}
        number = 0
        slow: Exception | None = None
        step: Fetch | Rows | None = next(engine, None)
        while step is not None:
            try:
                if isinstance(step, Rows):
                    rows = step.rows
                    step = None  # a page may weigh 20 MB: nobody but the consumer may hold it
                    yield rows, page, number
                    del rows
                    step = next(engine)
                    continue
                selected = {"select": ",".join(self.select)} if self.select else {}
                page = {"limit": str(step.limit), "offset": str(step.offset), **fixed, **selected}
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

    def fetch(self, params: Params) -> tuple[list[Row], int] | ApiError | TransportError:
        """Ask for one page; the error is returned when it was too slow and may be asked for at half its size."""
        path = self.plan.path
        try:
            response = self.session.send(Request("GET", path, params=params, halvable=True))
        except (ApiError, TransportError) as problem:
            if too_slow(problem):
                return problem
            raise
        return rows_of(response, path), response.number

    def tested(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Check the server's share on every row, then drop what does not match exactly."""
        predicate, slips = self.plan.predicate, Slips(self.plan)
        for batch in batches:
            slips.look(batch.rows)
            if predicate:
                if not batch.whole:
                    self.settle(predicate.keys, batch.rows)
                self.check_asked(batch.rows)
                batch.rows = [row for row in batch.rows if predicate(row)]
            yield batch
            del batch
        slips.tell(self.session)

    def windowed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Cut the wanted stretch out of rows that were tested here, and stop as soon as it is complete."""
        plan = self.plan
        start, stop = (0, None) if plan.window_is_sent else (plan.query.start, plan.query.stop)
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

    def check_first(self, rows: list[Row]) -> None:
        """Raise when a slice in a descending order begins without a value: others may have one, further on."""
        plan, query = self.plan, self.plan.query
        everything = query.start == 0 and query.stop is not None and len(rows) < query.stop
        if not everything and begins_empty(rows, plan.order[0]):
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
        if read or (window is not None and window <= plan.meta.page_size[1]):
            return sum(len(batch.rows) for batch in self.batches())
        if plan.meta.lean_path and not plan.params and not plan.id_lists:
            path = path_for(plan.meta.lean_path)
            total = len(rows_of(self.session.send(Request("GET", path)), path))
        else:
            total = sum(self.count_list(ids) for ids in plan.id_lists or ((),))
        return max(0, (total if query.stop is None else min(total, query.stop)) - query.start)

    def count_list(self, ids: tuple[str, ...]) -> int:
        """Count one list by probing it."""
        plan = self.plan
        default, maximum = plan.meta.page_size
        fixed = {**plan.params, plan.id_param: ",".join(ids)} if ids else plan.params
        engine = count(page_size=maximum, default_size=default)
        step = next(engine)
        while True:
            page = {"limit": str(step.limit), "offset": str(step.offset), "sort": "_id"}
            answer = self.fetch({**fixed, **page, "select": ",".join(self.select)})
            try:
                if isinstance(answer, Exception):
                    step = engine.send(TOO_SLOW)
                else:
                    self.settle([test.target.data_key for test in plan.asked], answer[0])
                    self.check_asked(answer[0])
                    step = engine.send(answer[0])
            except StopIteration as end:
                return int(end.value)
