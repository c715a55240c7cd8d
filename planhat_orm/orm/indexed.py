"""The rows of plans that the lean index answers: its own, or those of the records that it finds.

Imports the index and the planner; a Run comes here for its rows. It does not promise that rows of the index and of what
it finds are of one moment. A kept index serves only where it cannot hide a record: by keys that no two records share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planhat_orm.orm import sizes
from planhat_orm.orm.batches import Batch
from planhat_orm.orm.index import index_of, read_index, trust_of
from planhat_orm.orm.kept import Snapshot, kept_of
from planhat_orm.orm.missing import Reload
from planhat_orm.orm.planner import by_records, pages_of
from planhat_orm.paging import ScanReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.orm.execution import Run
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options
    from planhat_orm.orm.planner import Plan
    from planhat_orm.orm.state import Origin
    from planhat_orm.session.session import Session

#: So many ids fit into one URL, whatever else it says; and more than any has room for.
FEW, MOST_IN_URL = 20, 80


def rows_by_index(run: Run) -> Iterator[Batch]:
    """Read what a plan of the strategy "index" names, in the order of ids."""
    session, plan = run.session, run.plan
    if not plan.covered:
        yield from of_candidates(run)
        return
    found = read_index(session, plan.meta, plan.params)
    if found is None:
        yield from by_pages(run)
        return
    run._reports.append(ScanReport(rows=len(found.rows), pages=1))
    rows = sorted(found.rows, key=lambda row: str(row["_id"]))
    reload = IndexReload(run) if run.reloads else None
    yield Batch(rows, [], found.number, loaded=found.keys, reload=reload)


def by_pages(run: Run) -> Iterator[Batch]:
    """Read the pages of the list instead."""
    inner = inside(run, whole(run.plan.instead or run.plan))
    yield from inner.tested(inner.scans())


def inside(run: Run, plan: Plan) -> Run:
    """Return a run for a part of another one, which reports there."""
    inner = type(run)(run.session, plan)
    inner._reports = run._reports
    return inner


def whole(plan: Plan) -> Plan:
    """Return a plan for all rows, in the order of ids: what is wanted of them is cut out where it was asked for."""
    return replace(plan, query=replace(plan.query, start=0, stop=None, order=()), order=(), server_order=False)


# Records that the index finds


def of_candidates(run: Run) -> Iterator[Batch]:
    """Read the records that the index finds, by lists of ids, or all pages where those cost less."""
    session, plan = run.session, run.plan
    known = usable(session, plan)
    if known is not None:
        batches = still_so(run, candidates(plan, known))
        if batches is not None:
            yield from batches
            return
        kept_of(session).drop(plan.meta.path)
    elif one_page_does(session, plan):
        yield from by_pages(run)
        return
    index = index_of(session, plan.meta)
    ids = None if index is None else candidates(plan, index)
    if ids == []:
        return
    lists = None if index is None or ids is None else cheap_lists(session, plan, ids, len(index.rows))
    if lists is None:
        yield from by_pages(run)
    else:
        inner = inside(run, lists)
        yield from inner.filtered(inner.scans())


def candidates(plan: Plan, index: Snapshot) -> list[str]:
    """Return the ids of the records that the index finds, in order."""
    return sorted(row["_id"] for row in index.rows if plan.index is None or plan.index.found(row))


def usable(session: Session, plan: Plan) -> Snapshot | None:
    """Return the kept index where it will do: unique keys are named, and it finds a record by each of them.

    Others may have changed since; a key that is still its record's when that is read cannot be another's. But a record
    that the rest of the filter left out then may match now.
    """
    known, share = kept_of(session).find(plan.meta.path), plan.index
    named = {} if share is None else {key: values for key, values in share.values.items() if key in plan.meta.unique}
    if known is None or share is None or not named:
        return None
    found = list(filter(share.found, known.rows))
    if not any(values <= {row.get(data_key) for row in found} for data_key, values in named.items()):
        return None
    ids = candidates(plan, known)
    return known if ids and cheap_lists(session, plan, ids, len(known.rows)) is not None else None


def still_so(run: Run, ids: list[str]) -> list[Batch] | None:
    """Read the records of a kept index; None where one of them is not any more what it was found by."""
    share, lists = run.plan.index, cheap_lists(run.session, run.plan, ids, None)
    if share is None or lists is None:
        return None
    inner, before = inside(run, lists), len(run._reports)
    batches = list(inner.filtered(inner.scans()))
    rows = [row for batch in batches for row in batch.rows]
    if {row["_id"] for row in rows} == set(ids) and all(map(share.found, rows)):
        return batches
    del run._reports[before:]
    return None


def cheap_lists(session: Session, plan: Plan, ids: list[str], rows: int | None) -> Plan | None:
    """Return the plan to read some records by lists of ids; None where all pages of ``rows`` records cost less."""
    pages = None if rows is None else pages_of(plan.meta, rows)
    if pages is not None and len(ids) > pages * MOST_IN_URL:
        return None
    lists = by_records(whole(plan), ids, session.base_url)
    return lists if pages is None or len(lists.id_lists) <= pages else None


def lists_of(plan: Plan) -> int | None:
    """Return how many lists of ids the records of named keys take at most; None where nobody knows their number."""
    named = {} if plan.index is None else plan.index.values
    counts = [len(values) for key, values in named.items() if key in plan.meta.unique]
    if not counts:
        return None
    ids = [f"{number:024x}" for number in range(min(counts))]
    return len(by_records(whole(plan), ids, "https://api.planhat.com").id_lists)


def one_page_does(session: Session, plan: Plan) -> bool:
    """Tell whether the list is known to be so short that reading it costs less than asking the index first."""
    size = sizes.known(session, (plan.instead or plan).path, {})
    return size is not None and size.exact and pages_of(plan.meta, size.rows) == 1


def forgone(session: Session, plan: Plan) -> bool:
    """Tell whether pages are read although the plan says index, by what the session knows now."""
    if not trust_of(session, plan.meta).allows(plan.params if plan.covered else {}):
        return True
    return not plan.covered and usable(session, plan) is None and one_page_does(session, plan)


# More of the records that came from the index alone


class IndexReload:
    """Loads one more field for all objects that came from the index, by lists of their ids or by pages of the list.

    :param run: the one that handed them out.
    """

    __slots__ = ("_reload", "_run")

    def __init__(self, run: Run) -> None:
        self._run = inside(run, run.plan.instead or run.plan)
        self._reload: Reload | None = None

    def load(self, origin: Origin, model: type[Model], data_key: str) -> None:
        """Load the field; ``origin`` knows it afterwards unless some of its objects were not found again."""
        if self._reload is None:
            # How long the list is need not be known to read the records of one list of ids.
            rows = 0 if len(origin.members) <= FEW else self.rows()
            self._reload = Reload(self._run, pages_at(model._meta, rows), rows)
        self._reload.load(origin, model, data_key)

    def rows(self) -> int:
        """Return how long the list is, by what was seen last, or by the whole index."""
        session, plan = self._run.session, self._run.plan
        size = sizes.known(session, plan.path, {})
        if size is None or not size.exact:
            index_of(session, plan.meta)
            size = sizes.known(session, plan.path, {})
        return size.rows if size is not None else 0


def pages_at(meta: Options, rows: int) -> list[dict[str, str]]:
    """Return what is sent for each page of a list of so many rows."""
    limit = meta.page_size[1]
    return [{"limit": str(limit), "offset": str(offset), "sort": "_id"} for offset in range(0, max(1, rows), limit)]
