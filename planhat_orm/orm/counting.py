"""Counting what a plan describes, in the fewest requests that tell.

Imports paging and wire descriptions; carries out no plan by itself but through a Run. It does not promise a number of
one moment: a list that changes between two probes gives a number near the true one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm import sizes
from planhat_orm.orm.index import first_page, is_full, read_index
from planhat_orm.orm.shares import given_tests
from planhat_orm.paging import TOO_SLOW, count

if TYPE_CHECKING:
    from planhat_orm.orm.execution import Run

Params = dict[str, str]


def count_of(run: Run) -> int:
    """Count the rows of a run whose plan is of a query without an order."""
    run.choose()
    plan, query = run.plan, run.plan.query
    window = None if query.stop is None else query.stop - query.start
    read = plan.strategy in ("nothing", "key", "keys", "index", "table") or plan.filters_here or plan.id_key == "_id"
    read = read or not plan.once
    if read or (window is not None and window <= plan.meta.page_size[1]):
        return rows_read(run)
    total = 0
    for one in plan.lists:
        found = count_list(run, *one)
        if found is None:
            # Records are in several lists, so that adding up how many each holds would count them twice.
            return rows_read(run)
        total += found
    return max(0, (total if query.stop is None else min(total, query.stop)) - query.start)


def any_row(run: Run) -> bool:
    """Tell whether a plan finds any row; of a status the first page of the list may tell, and else the index."""
    plan, session = run.plan, run.session
    share, pages = plan.index, plan.instead
    if plan.covered and plan.params and share is not None and not share.finds and pages is not None:
        keys = pages.predicate.keys
        page = first_page(session, plan.meta, keys)
        if any(map(pages.predicate, page)):
            return True
        if not is_full(plan.meta, page):
            return False
        found = read_index(session, plan.meta, plan.params, page)
        if found is not None:
            return any(map(plan.predicate, found.rows))
    return any(batch.rows for batch in run.batches())


def rows_read(run: Run) -> int:
    """Count by reading."""
    return sum(len(batch.rows) for batch in run.batches())


def count_list(run: Run, extra: Params, ids: tuple[str, ...]) -> int | None:
    """Count one list by probing it; None where it holds what belongs into another list."""
    plan = run.plan
    default, maximum = plan.meta.page_size
    belongs = given_tests(plan.meta, extra)
    told_by = (test.target.data_key for test in belongs)
    select = tuple(dict.fromkeys((*run.select, *told_by))) if run.select else ()
    fixed = {**run.fixed(extra, ids), **run.selecting(select)}
    engine = count(page_size=maximum, default_size=default)
    step = next(engine)
    while True:
        answer = run.fetch({"limit": str(step.limit), "offset": str(step.offset), **fixed})
        try:
            if isinstance(answer, Exception):
                step = engine.send(TOO_SLOW)
            else:
                run.settle([test.target.data_key for test in plan.asked], answer[0])
                run.check_asked(answer[0])
                if not all(test.loosely(row) for test in belongs for row in answer[0]):
                    return None
                step = engine.send(answer[0])
        except StopIteration as end:
            total = int(end.value)
            sizes.note(run.session, plan.path, fixed, total, exact=True)
            return total
