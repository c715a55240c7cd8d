"""Reading the lists and records that a plan names: pages are asked for, and the paging engine is given its answers.

This is where the pure engine meets the session. Imports planner, paging and wire descriptions. It tests no row; it does
not promise that a list is of one moment: rows of two pages may be of different times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planhat_orm.errors import ApiError, NotFound, PaginationError, TransportError
from planhat_orm.orm import sizes
from planhat_orm.orm.ahead import pages_of
from planhat_orm.orm.aliases import renamed, wire_names
from planhat_orm.orm.batches import Batch
from planhat_orm.orm.changed import Mark
from planhat_orm.orm.missing import row_of, rows_of
from planhat_orm.orm.ordering import is_ordered
from planhat_orm.orm.planner import CHECKED_ROWS
from planhat_orm.paging import TOO_SLOW, Fetch, Rows, ScanReport, TooSlow, scan
from planhat_orm.wire.retry import too_slow
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from planhat_orm.orm.ahead import Fetching
    from planhat_orm.orm.planner import Plan
    from planhat_orm.paging import Oldest
    from planhat_orm.session.session import Session

Row = dict[str, Any]
Params = dict[str, str]


class Reader:
    """Reads what a plan names, list by list or record by record; ``select`` grows when a field is missed."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self.session = session
        self.plan = plan
        #: Planhat's names that the next page asks for; grows when a field is missed.
        self.select = plan.select
        self._reports: list[ScanReport] = []
        #: Whether the order by id was asked for, so that rows in another one will not do.
        self.by_id = False
        #: The newest time of a change on the first page, where a filter speaks of such times.
        self.mark = Mark(plan)

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
        by_value, by_id = sort not in ("_id", ""), self.by_id and sort == "_id"
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
            stop=max(stop, start + CHECKED_ROWS) if (by_value or by_id) and stop is not None else stop,
            report=report,
        )
        left = None if stop is None else stop - start
        last: list[Row] = []
        for batch in self.drive(engine, pages_of(self, self.fixed(extra, ids), stop)):
            if by_value and not is_ordered(last + batch.rows, plan.order[0]):
                raise PaginationError(f"Planhat was asked for sort={sort} and sent another order")
            if by_id and not is_by_id(last + batch.rows):
                raise PaginationError("Planhat was asked for sort=_id and sent another order")
            last = batch.rows[-1:] if by_value or by_id else []
            if left is not None:
                batch.rows, left = batch.rows[:left], left - len(batch.rows)
            yield batch
            del batch
            if left is not None and left <= 0:
                return
        if stop is None and not ids:
            sizes.note(self.session, plan.path, self.fixed(extra, ids), start + report.rows, exact=True)

    def drive(
        self, engine: Generator[Fetch | Oldest | Rows, list[Row] | TooSlow | None, None], pages: Fetching
    ) -> Iterator[Batch]:
        """Give the engine the pages it asks for; yield the rows it hands out, with the last request and its number."""
        page: Params = {}
        number, select = 0, self.select
        slow: Exception | None = None
        step: Fetch | Oldest | Rows | None = next(engine, None)
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
                found = pages.fetch(step)
                page, select, answer = found.page, found.select, found.answer
                del found
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
        # Fewer rows would not come faster: few are asked for again, as the retry table says.
        halvable = int(params["limit"]) > CHECKED_ROWS
        try:
            response = self.session.send(Request("GET", path, params=params, halvable=halvable))
        except (ApiError, TransportError) as problem:
            if halvable and too_slow(problem):
                return problem
            raise
        rows = renamed(self.plan.meta, rows_of(response, path))
        self.mark.note(rows, response.headers)
        return rows, response.number


def is_by_id(rows: list[Row]) -> bool:
    """Tell whether rows come in the order of their ids."""
    ids = [row["_id"] for row in rows]
    return ids == sorted(ids)
