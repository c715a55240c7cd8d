"""Small tables: lists of a page or so, which are read whole once and answer every question for a minute.

Imports what a session keeps; a Run comes here for its rows. It does not promise to know of what others changed within
that minute, but what is not found in a table that was kept is looked for in one that is read anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planhat_orm.orm import kept
from planhat_orm.orm.batches import Batch
from planhat_orm.orm.kept import Snapshot, kept_of
from planhat_orm.paging import ScanReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.orm.execution import Run
    from planhat_orm.orm.lookups import Predicate
    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session


def rows_by_table(run: Run) -> Iterator[Batch]:
    """Give all rows of a small table, by id: those that are kept, where they will do."""
    known = usable(run.session, run.plan)
    if known is None:
        known = table_of(run)
    else:
        run._reports.append(ScanReport(rows=len(known.rows)))
    yield Batch([*known.rows], [*known.pages], known.number, selected=run.plan.select)


def usable(session: Session, plan: Plan) -> Snapshot | None:
    """Return the kept table where it will do."""
    known = None if plan.fresh else kept_of(session).find(plan.meta.path)
    return known if known is not None and holds(known, plan) and answers(known.rows, plan.predicate) else None


def holds(known: Snapshot, plan: Plan) -> bool:
    """Tell whether a table was read with what a plan wants: another class of its records may have asked for less."""
    return known.keys.issuperset(plan.select) and bool(known.keys) == bool(plan.select)


def answers(rows: list[dict[str, Any]], predicate: Predicate) -> bool:
    """Tell whether what is looked for is there: some row at least, and each of several values that are named."""
    if not any(map(predicate, rows)):
        return False
    for test in predicate.tests:
        if test.lookup == "in" and not test.target.field.mutable:
            held = [test.target.read(row) for row in rows]
            if any(value not in held for value in test.values):
                return False
    return True


def table_of(run: Run) -> Snapshot:
    """Return the table, read now, or by another thread since now; one that was read whole is kept."""
    session, plan = run.session, run.plan
    keeper, since = kept_of(session), kept.clock()
    with session.identity_map.flight("table of", plan.meta.path):
        found = keeper.find(plan.meta.path) if plan.fresh else usable(session, plan)
        if found is not None and holds(found, plan) and (found.at >= since or not plan.fresh):
            return found
        writes, at = keeper.writes(plan.meta.path), kept.clock()
        inner = type(run)(session, plan.instead or plan)
        inner._reports = run._reports
        whole = Batch([], [], 0)
        for batch in inner.tested(inner.scans()):
            whole.absorb(batch)
        rows = sorted(whole.rows, key=lambda row: str(row["_id"]))
        found = Snapshot(rows, whole.number, at, frozenset(plan.select), tuple(whole.pages))
        keeper.keep(plan.meta.path, found, writes)
        return found
