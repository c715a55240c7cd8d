"""Reading what was changed last: a filter by the time of the last change reads the newest rows and stops.

A plan whose conditions hold an oldest time of the last change (``Meta.updated_field``) is answered by the list in the
contrary order of that time, as far down as is wanted; ``planhat_orm.paging.newest`` judges the pages. Where that does
not work out, or would take longer than the list itself, nothing of it is used and the plan is carried out as ever.
Imports the planner, orders and the engine. It does not promise fewer requests: of a list that nearly all changed it
takes one or two more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from planhat_orm.errors import PaginationError
from planhat_orm.orm import conversion
from planhat_orm.orm.ahead import Answered
from planhat_orm.orm.batches import Batch
from planhat_orm.orm.matching import UNREADABLE, Span
from planhat_orm.orm.ordering import in_order
from planhat_orm.paging import NewestReport, Oldest, newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from planhat_orm.orm.execution import Run
    from planhat_orm.orm.lookups import CompiledCondition
    from planhat_orm.orm.planner import Plan
    from planhat_orm.paging import Fetch
    from planhat_orm.session.session import Session

Row = dict[str, Any]
Params = dict[str, str]

_log = logging.getLogger("planhat_orm.orm")

#: Whether the lists of a path are given in the order of a field, as each session found out.
_honoured: WeakKeyDictionary[Session, dict[tuple[str, str], bool]] = WeakKeyDictionary()


class TooLong(Exception):  # no error: nobody but this module sees it
    """The first page does not reach down to the oldest time wanted, and more pages are not worth it."""


def changes_of(plan: Plan) -> list[CompiledCondition]:
    """Return the simple conditions of a plan on the time of the last change."""
    meta = plan.meta
    field = meta.by_key.get(meta.updated_field)
    if field is None or not isinstance(field.marshmallow, conversion.Instant):
        return []
    return [test for test in plan.predicate.tests if test.target.data_key == field.data_key and not test.target.custom]


def since_of(plan: Plan) -> datetime | None:
    """Return the oldest time of the last change that a plan lets pass, None where it has no such bound."""
    return max((bound for test in changes_of(plan) if (bound := lower(test)) is not None), default=None)


def until_of(plan: Plan) -> datetime | None:
    """Return the time after which a plan lets no change pass, None where it has no such bound."""
    return min((bound for test in changes_of(plan) if (bound := upper(test)) is not None), default=None)


def lower(test: CompiledCondition) -> datetime | None:
    """Return the first instant that a condition lets pass."""
    spans = spans_of(test)
    if not spans or test.lookup in ("lt", "lte"):
        return None
    return spans[0].after if test.lookup == "gt" else min(span.first for span in spans)


def upper(test: CompiledCondition) -> datetime | None:
    """Return an instant that no instant a condition lets pass is later than."""
    spans = spans_of(test)
    if not spans or test.lookup in ("gt", "gte"):
        return None
    return spans[0].first if test.lookup == "lt" else max(span.after for span in spans)


def spans_of(test: CompiledCondition) -> list[Span]:
    """Return the times that a condition speaks of."""
    values = test.value if test.lookup in ("in", "range") else [test.value]
    known = test.lookup in ("exact", "in", "range", "gt", "gte", "lt", "lte")
    return list(values) if known and all(isinstance(value, Span) for value in values) else []


def reads_newest(plan: Plan) -> bool:
    """Tell whether a plan is tried by reading the newest rows first.

    Only where the list can be asked for in that order: one request is enough then when few records were changed.
    """
    return plan.strategy == "scan" and "sort" in plan.meta.list_takes and since_of(plan) is not None


def is_patient(plan: Plan, *, stream: bool) -> bool:
    """Tell whether the newest rows are read over several pages.

    Not where rows are wanted one after another, since all would have to be here before the first one, and not where a
    few are wanted that the list may give sooner.
    """
    few = plan.query.stop is not None and (plan.server_order or not plan.order)
    return not stream and not few


def newest_rows(run: Run, *, stream: bool) -> Batch | None:
    """Read what a plan wants from the newest rows; None where that cannot be relied on, or is not worth it."""
    plan = run.plan
    place = (plan.path, plan.meta.updated_field)
    honoured = _honoured.setdefault(run.session, {})
    if not reads_newest(plan) or honoured.get(place) is False:
        return None
    report = NewestReport()
    report.honoured = honoured.get(place)
    whole = Batch([], [], 0)
    try:
        for batch in run.tested(in_turn(run, report, patient=is_patient(plan, stream=stream)), all_of_it=False):
            whole.absorb(batch)
            del batch
    except (PaginationError, TooLong) as problem:
        run._reports.clear()
        if isinstance(problem, PaginationError):
            _log.info("%s: the newest rows alone cannot be relied on: %s. The whole list is read", plan.query, problem)
        return None
    finally:
        if report.honoured is not None:
            honoured[place] = report.honoured
    if plan.order:
        run.settle({key.target.data_key for key in plan.order}, whole.rows)
    if plan.order or len(plan.passes) == 1:
        in_order(whole.rows, plan.order)
    whole.rows = whole.rows[plan.query.start : plan.query.stop]
    return whole


def in_turn(run: Run, report: NewestReport, *, patient: bool) -> Iterator[Batch]:
    """Read the newest rows of every list, no record twice; those of each of several lists by their ids."""
    lists, seen = run.plan.lists, set[str]()
    for extra, ids in lists:
        one = NewestReport()
        one.honoured = report.honoured
        run._reports.append(one)
        try:
            batches = pages(run, run.fixed(extra, ids), one, patient=patient)
            if len(lists) == 1:
                yield from batches
                continue
            whole = Batch([], [], 0)
            for batch in batches:
                whole.absorb(batch)
            # A record that moved from one list to the next while they were read.
            whole.rows = [row for row in whole.rows if row["_id"] not in seen]
            seen.update(row["_id"] for row in whole.rows)
            in_order(whole.rows, ())
            yield whole
        finally:
            report.honoured = one.honoured


class Pages:
    """Fetches the pages of one list, newest first, and the row that is the oldest.

    :param fixed: what every page is asked for.
    :param patient: whether more than one page is worth it.
    """

    def __init__(self, run: Run, fixed: Params, *, patient: bool) -> None:
        self._run = run
        self._fixed = fixed
        self._patient = patient

    def fetch(self, wanted: Fetch | Oldest) -> Answered:
        """Return a page.

        :raises TooLong: for a second one that is not worth it.
        """
        run, updated = self._run, self._run.plan.meta.updated_field
        if isinstance(wanted, Oldest):
            asked = {"sort": updated, "limit": "1", "offset": "0", **run.selecting(("_id", updated))}
        elif wanted.offset and not self._patient:
            raise TooLong
        else:
            asked = {"sort": f"-{updated}", "limit": str(wanted.limit), "offset": str(wanted.offset)}
            asked |= run.selecting(run.select)
        page = {**self._fixed, **asked}
        return Answered(page, run.select, run.fetch(page))


def pages(run: Run, fixed: Params, report: NewestReport, *, patient: bool) -> Iterator[Batch]:
    """Drive the engine through one list."""
    plan = run.plan
    default, maximum = plan.meta.page_size
    since, [test, *_] = since_of(plan), changes_of(plan)
    assert since is not None  # noqa: S101  # for type checkers: reads_newest() told so

    def time_of(row: Row) -> datetime | None:
        time: datetime | None = test.target.read(row)
        if time is UNREADABLE:
            raise ValueError(f"{row.get('_id')} has {row.get(test.target.data_key)!r}")
        return time

    engine = newest(page_size=maximum, default_size=default, since=since, time_of=time_of, report=report)
    yield from run.drive(engine, Pages(run, fixed, patient=patient))
