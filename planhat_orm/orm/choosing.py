"""Choosing among ways to the same rows when their prices are known: many requests by ids, or all pages of a list.

Imports planner and wire descriptions. It does not promise the cheapest way where a list changed its length since it
was last looked at, only that every way gives the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm import sizes
from planhat_orm.orm.explaining import probed_offset
from planhat_orm.orm.missing import rows_of
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session


def chosen(session: Session, plan: Plan) -> Plan:
    """Return the plan, or the one to read all pages where that costs less; one request tells, unless it is known."""
    other = plan.instead
    if other is None or plan.strategy in ("index", "table"):
        return plan
    return plan if is_longer(session, plan, other) else other


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
