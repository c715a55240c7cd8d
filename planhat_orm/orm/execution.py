"""Carrying out plans: what is read is checked, tested, put in order and turned into objects.

Imports reading, planner and the paging report. It does not promise that a list is of one moment: rows of two pages may
be of different times.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any
from weakref import ref

from planhat_orm.errors import ApiError, FilterIgnored, PaginationError
from planhat_orm.orm.batches import Batch
from planhat_orm.orm.choosing import chosen
from planhat_orm.orm.indexed import rows_by_index
from planhat_orm.orm.lookups import short
from planhat_orm.orm.missing import Reload, deliver, held_after_all, settle, spread
from planhat_orm.orm.newest import newest_rows
from planhat_orm.orm.ordering import begins_empty, fits, in_order, order_of, sort_key
from planhat_orm.orm.planner import orders
from planhat_orm.orm.reading import Reader
from planhat_orm.orm.slips import Slips
from planhat_orm.orm.state import Mates, Origin, Reading
from planhat_orm.orm.table import rows_by_table
from planhat_orm.paging import ScanReport
from planhat_orm.wire.garbage import paused_gc

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session

Row = dict[str, Any]

_log = logging.getLogger("planhat_orm.orm")

#: So many rows that match are held back at most until it is known what the list that they are not of holds.
HELD_BACK = 10_000
#: The answers to a URL that is too long; the list of ids in it is halved then.
TOO_LONG = (414, 431)


class Run(Reader):
    """One carrying out of a plan."""

    def __init__(self, session: Session, plan: Plan) -> None:
        super().__init__(session, plan)
        #: Origins of the pages before: an object of one that is kept shall not hold what tells of all its rows.
        self._earlier: deque[ref[Origin]] = deque(maxlen=2)
        #: What rows share that are handed out together: those of all pages, or of one where only one is held.
        self._reading = Reading(more=True)
        self._mates: Mates | None = None
        #: Whether all that is wanted was handed out.
        self.finished = False

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
        try:
            for batch in self.ahead(self.batches(stream=stream)):
                if not batch.rows:
                    continue
                # The transport does the same while it parses; never while a page is waited for.
                with paused_gc():
                    objects = self.hydrated(batch, stream=stream)
                del batch
                yield objects
                del objects
            self._reading.more = False
            self.finished = True
        finally:
            if stream:
                # A row that somebody keeps shall not keep whole lists that were read for pages to come.
                self._reading.more = False
                self._reading.tables.clear()

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

    def hydrated(self, batch: Batch, *, stream: bool = False) -> list[Any]:
        """Turn rows into objects."""
        if self._mates is None or stream:
            self._mates = Mates(self._reading)
        session, query = self.session, self.plan.query
        model = query.model
        undelivered: set[str] = set()
        loaded: Iterable[str] = model._meta.keys if batch.whole else model._meta.listed_keys
        if batch.loaded:
            loaded = batch.loaded
        elif batch.selected:
            loaded, undelivered = deliver(session, model, batch.selected, batch.rows)
        origin = Origin(
            session,
            frozenset(loaded),
            batch.number,
            undelivered=frozenset(undelivered),
            reload=Reload(self, batch.pages) if self.reloads and batch.pages else batch.reload,
            on_missing=query.on_missing,
            mates=self._mates,
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
        changed = newest_rows(self, stream=stream)
        if changed is not None:
            yield changed
            return
        # Of a slice nothing but its beginning shows that the order was ignored: it is looked at before it is yielded.
        hold = not stream or plan.query.stop is not None or plan.merged
        self.by_id = not plan.order and any(order_of(plan.meta, path).natural for path in plan.query.order[:1])
        if self.by_id or (hold and plan.server_order):
            done = yield from self.by_planhat()
            if done:
                return
        if self.plan.order and not self.plan.server_order:
            yield from self.ordered()
        else:
            yield from self.wanted(self.tested(self.scans()))

    def by_planhat(self) -> Generator[Batch, None, bool]:
        """Yield rows in the order that Planhat was asked for; return False when it did not keep to it.

        By value, they are gathered first; by id, they are yielded as they come.

        :raises PaginationError: when that shows after rows were yielded.
        """
        plan, gathered, handed = self.plan, list[Batch](), False
        try:
            if plan.merged:
                gathered.append(self.merged())
            for batch in () if plan.merged else self.wanted(self.tested(self.scans())):
                if plan.order:
                    gathered.append(batch)
                handed = handed or (not plan.order and bool(batch.rows))
                yield Batch([], [], 0) if plan.order else batch
                del batch
            if plan.order:
                self.check_gathered(gathered)
        except PaginationError as problem:
            if handed:
                raise
            _log.warning("%s: %s. It is read by id and ordered here instead", plan.query, problem)
            self.plan, self.by_id = replace(plan, order=plan.order or orders(plan.query), server_order=False), False
            return False
        yield from gathered if plan.merged else equals_by_id(gathered, plan)
        return True

    def choose(self) -> None:
        """Take another way to the same rows where it costs less."""
        plan = chosen(self.session, self.plan)
        if plan is not self.plan:
            self.plan, self.select = plan, plan.select

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
        if self.plan.strategy == "index":
            yield from rows_by_index(self)
            return
        if self.plan.strategy == "table":
            yield from rows_by_table(self)
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

    def tested(self, batches: Iterable[Batch], *, all_of_it: bool = True) -> Iterator[Batch]:
        """Check the server's share on every row, drop what does not match exactly, and judge what no row holds.

        What no row of one of several lists holds, another one may: rows are held back until that is known.

        :param all_of_it: whether these are all rows of the list, so that what none of them holds none does.
        """
        held: list[Batch] = []
        samples: list[Row] = []
        for batch in self.filtered(batches, all_of_it=all_of_it):
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

    def filtered(self, batches: Iterable[Batch], *, all_of_it: bool = True) -> Iterator[Batch]:
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
        if all_of_it:
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


def equals_by_id(batches: list[Batch], plan: Plan) -> Iterator[Batch]:
    """Put rows that are equal in Planhat's order in that of their ids; which of them a slice holds is Planhat's."""
    if not batches:
        return
    whole = Batch([], [], 0)
    for batch in batches:
        whole.absorb(batch)
    key = partial(sort_key, plan.order[0], fold=not fits(whole.rows, plan.order[0], fold=False))
    equals = (sorted(rows, key=lambda row: str(row["_id"])) for _, rows in groupby(whole.rows, key))
    whole.rows = [row for rows in equals for row in rows]
    yield whole
