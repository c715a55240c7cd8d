"""Choosing among ways to the same rows when their prices are known: many requests by ids, or all pages of a list.

Imports planner and wire descriptions. It does not promise the cheapest way where a list changed its length since it
was last looked at, only that every way gives the same rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planhat_orm.orm import sizes
from planhat_orm.orm.explaining import probed_offset
from planhat_orm.orm.indexed import forgone
from planhat_orm.orm.missing import rows_of
from planhat_orm.orm.ordering import Order
from planhat_orm.orm.paths import Target
from planhat_orm.orm.planner import pages_of
from planhat_orm.orm.sizes import Size
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session

#: What is said of the order of pages that are read in place of several lists of ids.
IN_STEP = "rows come as lists of ids would give them, one after another, each by id; order_by('id') puts all in order"


def chosen(session: Session, plan: Plan) -> Plan:
    """Return the plan, or the one to read all pages where that costs less; one request tells, unless it is known."""
    plan = foreseen(session, plan)
    other = plan.instead
    if other is None or not plan.asks:
        return plan
    return plan if is_longer(session, plan, other) else in_step(plan, other)


class ByList(Target):
    """Tells by what a row points to in which of several lists of ids it comes, so that pages give the same order."""

    __slots__ = ("_places",)

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.meta.by_key[plan.id_key])
        self._places = {one: place for place, ids in enumerate(plan.id_lists) for one in ids}

    def read(self, row: Mapping[str, Any]) -> int:
        """Return the number of the first list that has the row."""
        value = super().read(row)
        items = value if isinstance(value, list) else [value]
        return min((self._places[one] for one in items if one in self._places), default=len(self._places))


def in_step(plan: Plan, other: Plan) -> Plan:
    """Return the plan to read pages, in the order in which lists of ids give the rows: that of any slice of them."""
    if plan.strategy != "ids" or plan.id_key == "_id" or plan.order or len(plan.passes) > 1:
        return other
    order = (Order(ByList(plan), descending=False),)
    return replace(other, order=order, server_order=False, notes=(*other.notes, IN_STEP))


def foreseen(session: Session, plan: Plan) -> Plan:
    """Return what is carried out by what the session knows now; sends nothing."""
    other = plan.instead
    if other is None or plan.strategy == "table":
        return plan
    if plan.strategy == "index":
        return other if forgone(session, plan) else plan
    pages = total_pages(session, other)
    if pages is None:
        return plan
    by_ids = len(plan.paths) or len(plan.lists)
    # A list of what belongs to some ids may take several pages; that of the records themselves takes one.
    sure = plan.strategy == "keys" or plan.id_key == "_id"
    return in_step(plan, other) if pages < by_ids and (sure or pages <= by_ids // 2) else without_question(plan)


def without_question(plan: Plan) -> Plan:
    """Return the plan to read by ids, whatever the list costs."""
    return replace(plan, instead=None)


def rows_known(session: Session, plan: Plan) -> Size | None:
    """Return how many rows the lists of a plan had that is carried out by pages; None where one was never looked at."""
    read = paged(plan)
    known = sizes_of(session, read) if read.strategy == "scan" else None
    if known is None:
        return None
    return Size(sum(size.rows for size in known), exact=True, at=min(size.at for size in known))


def total_pages(session: Session, plan: Plan) -> int | None:
    """Return how many requests all pages of the lists take; None where the length of one is not known."""
    known = sizes_of(session, paged(plan))
    return None if known is None else sum(pages_of(plan.meta, size.rows) for size in known)


def paged(plan: Plan) -> Plan:
    """Return what reads pages where an index or a table does not answer."""
    return plan.instead if plan.strategy in ("index", "table") and plan.instead is not None else plan


def sizes_of(session: Session, plan: Plan) -> list[Size] | None:
    """Return the sizes of all lists of a plan; None where that of one is not known."""
    found = [sizes.known(session, plan.path, {**plan.params, **one}) for one in plan.passes]
    known = [size for size in found if size is not None and size.exact]
    return known if len(known) == len(found) else None


def is_longer(session: Session, plan: Plan, other: Plan) -> bool:
    """Tell whether the list has more rows than may be read for half the price of reading by ids."""
    rows = probed_offset(plan)
    for one in other.passes:
        size = sizes.known(session, other.path, {**other.params, **one})
        if size is not None and (size.exact or size.rows > rows):
            if size.rows > rows:
                return True
            continue
        beyond = {"limit": "1", "offset": str(rows), "sort": "_id", "select": "_id"}
        beyond = {name: value for name, value in beyond.items() if name in plan.meta.list_takes}
        answer = session.send(Request("GET", other.path, params={**other.params, **one, **beyond}))
        if rows_of(answer, other.path):
            sizes.note(session, other.path, {**other.params, **one}, rows + 1, exact=False)
            return True
    return False
