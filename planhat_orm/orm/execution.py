"""Carrying out plans: pages are asked for, checked, tested, put in order and turned into objects.

This is where the pure engines meet the session. Imports planner, paging and wire descriptions. It does not promise
that a list is of one moment: rows of two pages may be of different times.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from planhat_orm.errors import (
    ApiError,
    FieldNotLoaded,
    FilterIgnored,
    NotFound,
    NotSupported,
    PaginationError,
    TransportError,
)
from planhat_orm.orm.lookups import UNREADABLE, Test
from planhat_orm.orm.state import Origin
from planhat_orm.paging import TOO_SLOW, Fetch, Rows, ScanReport, TooSlow, count, scan
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.garbage import paused_gc
from planhat_orm.wire.retry import too_slow
from planhat_orm.wire.transport import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.planner import Order, Plan
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")
Row = dict[str, Any]
Params = dict[str, str]

_log = logging.getLogger("planhat_orm.orm")


@dataclass(slots=True)
class Batch:
    """Rows that came together, with the requests that brought them."""

    rows: list[Row]
    pages: list[Params]
    number: int


class Run:
    """One carrying out of a plan."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self.session = session
        self.plan = plan
        self.report = ScanReport()
        self.select = plan.select
        self._slow: Exception | None = None

    # Objects

    def objects(self, *, stream: bool = False) -> Iterator[list[Any]]:
        """Yield the objects wanted, as they come together."""
        plan = self.plan
        if plan.strategy in ("key", "keys"):
            found = [record for path in plan.keys if (record := self.single(path)) is not None]
            yield found[plan.query.start : plan.query.stop]
            return
        for batch in self.batches(stream=stream):
            yield self.hydrated(batch)
            del batch

    def single(self, path: str) -> Model | None:
        """Read one record by its key and test it; None where there is none, or it does not match."""
        try:
            record = fetch_record(self.session, self.plan.query.model, path)
        except NotFound:
            return None
        self.check_asked([record._raw])
        return record if self.plan.predicate(record._raw) else None

    def hydrated(self, batch: Batch) -> list[Any]:
        """Turn rows into objects."""
        plan, model = self.plan, self.plan.query.model
        loaded, undelivered = self.delivered(batch.rows)
        origin = Origin(
            self.session,
            loaded,
            batch.number,
            undelivered=undelivered,
            reload=self.reloader(model, batch.pages) if plan.query.on_missing == "peers" else None,
            on_missing=plan.query.on_missing,
        )
        with paused_gc():
            return self.session.identity_map.adopt(model, batch.rows, origin)

    def delivered(self, rows: list[Row]) -> tuple[frozenset[str], frozenset[str]]:
        """Return what the rows hold, and what was selected but is in none of them."""
        loaded = frozenset(self.select) if self.select else self.plan.loaded
        if not self.select or not rows:
            return loaded, frozenset()
        settled = self.session.settled
        model = self.plan.query.model
        missing = frozenset(key for key in loaded.difference(*rows) if (model, key) not in settled)
        return loaded - missing, missing

    def reloader(self, model: type[Model], pages: list[Params]) -> Callable[[str], None]:
        """Return what repeats the pages' own requests for one more field, joined by id."""

        def reload(data_key: str) -> None:
            if self.select and data_key not in self.select:
                self.select = (*self.select, data_key)
            for params in pages:
                response = self.send({**params, "select": f"_id,{data_key}"})
                rows = rows_of(response, self.plan.path)
                origin = Origin(self.session, frozenset(("_id", data_key)), response.number)
                self.session.identity_map.refresh(model, rows, origin)

        return reload

    # Rows

    def batches(self, *, stream: bool = False) -> Iterator[Batch]:
        """Yield the rows wanted, tested and in order."""
        plan, query = self.plan, self.plan.query
        if plan.strategy == "nothing":
            return
        if not plan.order or (stream and plan.server_order):
            yield from self.windowed(self.tested(self.scans()))
            return
        if plan.server_order:
            try:
                yield from list(self.windowed(self.tested(self.scans())))
                return
            except PaginationError as problem:
                _log.warning("%s: %s; reading by id and ordering here instead", query, problem)
        whole = Batch([], [], 0)
        for batch in self.tested(self.scans(by_id=True)):
            whole.rows += batch.rows
            whole.pages += batch.pages
            whole.number = whole.number or batch.number
        self.settle([key.target.data_key for key in plan.order], whole.rows)
        in_order(whole.rows, plan.order)
        whole.rows = whole.rows[query.start : query.stop]
        yield whole

    def scans(self, *, by_id: bool = False) -> Iterator[Batch]:
        """Read the pages of every list that the plan names."""
        plan = self.plan
        ordered = plan.server_order and not by_id
        pushed = self.pushed_window and not (by_id and plan.order)
        start, stop = (plan.query.start, plan.query.stop) if pushed else (0, None)
        for ids in plan.id_lists or ((),):
            params = {**plan.params, plan.id_param: ",".join(ids)} if ids else plan.params
            if ids and not pushed and plan.meta.list_params[plan.id_param] == "_id":
                stop = len(ids)
            yield from self.pages(params, plan.sort if ordered else "_id", start, stop)

    @property
    def pushed_window(self) -> bool:
        """Whether Planhat can be asked for just the slice."""
        return (
            not self.plan.filters_here
            and len(self.plan.id_lists) <= 1
            and (not self.plan.order or self.plan.server_order)
        )

    def pages(self, params: Params, sort: str, start: int, stop: int | None) -> Iterator[Batch]:
        """Drive the engine through one list."""
        default, maximum = self.plan.meta.page_size
        by_id = sort == "_id"
        engine = scan(
            page_size=maximum,
            default_size=default,
            order="id" if by_id else "other",
            start=start,
            stop=stop,
            report=self.report,
        )
        asked: list[tuple[Params, int]] = []

        def fetch(step: Fetch) -> list[Row] | TooSlow:
            paging = {"limit": str(step.limit), "offset": str(step.offset), "sort": sort}
            page: Params = {**params, **paging, **({"select": ",".join(self.select)} if self.select else {})}
            response = self.send(page)
            if response is None:
                return TOO_SLOW
            asked.append((page, response.number))
            return rows_of(response, self.plan.path)

        for rows in self.drive(engine, fetch):
            sent, number = asked[-1]
            if not by_id:
                self.check_order(rows)
            yield Batch(rows, [sent], number)
            del rows

    def drive(
        self,
        engine: Generator[Fetch | Rows, list[Row] | TooSlow | None, None],
        fetch: Callable[[Fetch], list[Row] | TooSlow],
    ) -> Iterator[list[Row]]:
        """Give the engine what it asks for and yield the rows it hands out."""
        step: Fetch | Rows | None = next(engine, None)
        while step is not None:
            try:
                if isinstance(step, Rows):
                    rows = step.rows
                    step = None  # a page may weigh 20 MB: nobody but the consumer may hold it
                    yield rows
                    del rows
                    step = next(engine)
                else:
                    step = engine.send(fetch(step))
            except StopIteration:
                return
            except PaginationError as problem:
                raise problem from self._slow

    def send(self, params: Params) -> Any:
        """Ask for one page; None when it was too slow and may be asked for at half its size."""
        request = Request("GET", self.plan.path, params=params, halvable=True)
        try:
            return self.session.send(request)
        except (ApiError, TransportError) as problem:
            if not too_slow(problem):
                raise
            self._slow = problem
            return None

    def tested(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Check the server's share on every row, then drop what does not match exactly."""
        plan = self.plan
        for batch in batches:
            self.check_asked(batch.rows)
            if plan.predicate:
                self.settle(plan.predicate.keys, batch.rows)
                batch.rows = [row for row in batch.rows if plan.predicate(row)]
            yield batch
            del batch

    def windowed(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Cut the wanted stretch out of rows that were tested here, and stop as soon as it is complete."""
        if self.pushed_window:
            yield from batches
            return
        start, stop = self.plan.query.start, self.plan.query.stop
        seen = 0
        for batch in batches:
            first, last = max(0, start - seen), None if stop is None else stop - seen
            seen += len(batch.rows)
            batch.rows = batch.rows[first:last]
            if batch.rows:
                yield batch
            del batch
            if stop is not None and seen >= stop:
                return

    # Checks

    def check_asked(self, rows: list[Row]) -> None:
        """Raise when a row breaks a condition that Planhat was asked to apply, even read loosely."""
        for test in self.plan.asked:
            for row in rows:
                if not loosely(test, row):
                    raise FilterIgnored(
                        f"{self.plan.query}: Planhat was asked for {test.target.field.name} {test.lookup} "
                        f"{short(test.value)} and sent {row.get('_id')} with {row.get(test.target.data_key)!r}; "
                        f"it ignored the filter. Nothing of that page was handed out"
                    )

    def check_order(self, rows: list[Row]) -> None:
        """Raise when rows are not in the order that Planhat was asked for; letter case may be ordered either way."""
        [order] = self.plan.order
        for fold in (False, True):
            keys = [sort_key(order, row, fold=fold) for row in rows]
            pairs = pairwise(keys)
            if all(one >= other if order.descending else one <= other for one, other in pairs):
                return
        raise PaginationError(f"Planhat was asked for sort={order.parameter} and sent another order")

    def settle(self, keys: Iterable[str], rows: list[Row]) -> None:
        """Find out what it means that a selected key is in no row, before a filter or an order relies on it."""
        _, missing = self.delivered(rows)
        for key in missing.intersection(keys):
            settle_one(self.session, self.plan.query.model, key, rows[0]["_id"])

    # Counting

    def count(self) -> int:
        """Count the rows wanted."""
        plan, query = self.plan, self.plan.query
        if plan.strategy in ("key", "keys"):
            return sum(len(found) for found in self.objects())
        if plan.strategy == "nothing":
            return 0
        if query.sliced or plan.filters_here:
            self.select = tuple(dict.fromkeys(("_id", *plan.predicate.keys)))
            return sum(len(batch.rows) for batch in self.windowed(self.tested(self.scans(by_id=True))))
        if plan.meta.lean_path and not plan.params and not plan.id_lists:
            return len(rows_of(self.session.send(Request("GET", path_for(plan.meta.lean_path))), plan.meta.lean_path))
        return sum(self.count_list(ids) for ids in plan.id_lists or ((),))

    def count_list(self, ids: tuple[str, ...]) -> int:
        """Count one list by probing it."""
        plan = self.plan
        default, maximum = plan.meta.page_size
        params = {**plan.params, plan.id_param: ",".join(ids)} if ids else plan.params
        select = ",".join(dict.fromkeys(("_id", *(test.target.data_key for test in plan.asked))))
        engine = count(page_size=maximum, default_size=default)
        step = next(engine)
        while True:
            paging = {"limit": str(step.limit), "offset": str(step.offset), "sort": "_id", "select": select}
            rows = rows_of(self.session.send(Request("GET", plan.path, params={**params, **paging})), plan.path)
            self.check_asked(rows)
            try:
                step = engine.send(rows)
            except StopIteration as end:
                return int(end.value)


def loosely(test: Test, row: Mapping[str, Any]) -> bool:
    """Tell whether a row may have passed a condition at Planhat: letter case and unreadable values are let pass."""
    stored = test.target.read(row)
    if stored is UNREADABLE:
        return True
    wanted = test.value if isinstance(test.value, list) else [test.value]
    if isinstance(stored, str):
        return stored.casefold() in {str(one).casefold() for one in wanted}
    return stored in wanted


def short(value: Any) -> str:
    """Name a value, a long list of them by its first two."""
    if isinstance(value, list) and len(value) > 2:
        return f"[{value[0]!r}, {value[1]!r}, ... {len(value)} in all]"
    return repr(value)


def rows_of(response: Response, path: str) -> list[Row]:
    """Return the rows of a list's answer; anything else is an error, not an empty list."""
    data = response.data
    if isinstance(data, dict) and isinstance(data.get("data"), list):
        data = data["data"]  # one client of 2026 tolerates it, so do we
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise TransportError(
            f"GET {path}: Planhat answered {response.status}, but not with a list of records: {short(data)[:200]}",
            sent=True,
            status=response.status,
        )
    return data


def sort_key(order: Order, row: Mapping[str, Any], *, fold: bool = False) -> tuple[int, Any]:
    """Return what a row is ordered by: no value, numbers, texts, the rest; what cannot be read comes last.

    This is MongoDB's order of types, in which Planhat sorts.
    """
    value = order.target.read(row)
    if value is None or value == [] or value == {}:
        return (0, 0)
    if value is UNREADABLE:
        return (5, str(row.get(order.target.data_key)))
    if isinstance(value, bool):
        return (3, value)
    if isinstance(value, (int, float)):
        return (1, value)
    if isinstance(value, str):
        return (2, value.casefold() if fold else value)
    if isinstance(value, (list, dict)):
        return (4, str(value))
    return (2, value.isoformat())


def in_order(rows: list[Row], order: Iterable[Order]) -> None:
    """Put rows in order, in place: by the keys given, and by id where those are equal."""
    rows.sort(key=lambda row: str(row["_id"]))
    for key in reversed(tuple(order)):
        rows.sort(key=lambda row, key=key: sort_key(key, row), reverse=key.descending)  # type: ignore[misc]


def fetch_record(session: Session, model: type[M], path: str) -> M:
    """Read one record by its path, whole: one request."""
    response = session.send(Request("GET", path))
    row = response.data
    if not isinstance(row, dict) or not isinstance(row.get("_id"), str):
        raise TransportError(
            f"GET {path}: Planhat answered {response.status}, but not with a record: {short(row)[:200]}",
            sent=True,
            status=response.status,
        )
    [record] = session.identity_map.adopt(model, [row], Origin(session, model._meta.keys, response.number))
    session.identity_map.keep(record)
    return record


def refresh(obj: Model) -> None:
    """Read an object's record again, into the object."""
    session, key = obj._session(), obj.id
    try:
        found = fetch_record(session, type(obj), path_for(obj._meta.path, key))
    except NotFound as problem:
        obj._mark_deleted()
        raise obj.DoesNotExist(f"{obj!r} does not exist at Planhat (any more)") from problem
    if found is not obj:
        # An unpickled object, or one that was let go by its session: it takes the row, too.
        obj._merge(dict(found._raw), Origin(session, obj._meta.keys, 0))


def load_missing(obj: Model, field: Field[Any, Any]) -> None:
    """Load a field that was not asked for: for all rows of the page, for the object, or not at all."""
    origin, key = obj._origin, field.data_key
    if origin is None:
        return
    if origin.on_missing == "raise":
        raise FieldNotLoaded(f"{obj!r}: {field.name} was not asked for, and on_missing is 'raise'")
    if key in origin.undelivered:
        if settle_one(origin.session, type(obj), key, obj._raw["_id"], raise_found=False):
            origin.loaded |= {key}
        return
    if origin.reload is not None and not field.get_only:
        origin.reload(key)
    if not obj._knows(key):
        if len(origin.members) > 1:
            _log.warning("%s.%s is loaded one object at a time, a request each", obj._meta.name, field.name)
        refresh(obj)


def settle_one(session: Session, model: type[Model], key: str, record_id: str, *, raise_found: bool = True) -> bool:
    """Read one record whole: True when it has no such value either, so that the list may be believed.

    A selected key that is in no row of a page may be one that lists do not hold at all.
    """
    if (model, key) in session.settled:
        return True
    record = fetch_record(session, model, path_for(model._meta.path, record_id))
    if key not in record._raw:
        session.settled.add((model, key))
        return True
    if raise_found:
        field = model._meta.by_key[key]
        raise NotSupported(
            f"{model.__name__}.{field.name} was selected but is in no row of the list, although {record!r} has "
            "a value: Planhat's lists do not hold it, so a list cannot be filtered or ordered by it"
        )
    return False
