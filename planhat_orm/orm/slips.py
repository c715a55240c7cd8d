"""Custom fields that a query names and no record holds: most likely a slip, which nothing else would show.

Works on plans and rows, sends nothing. It does not promise to find every slip: only a scan that was not narrowed, and
was read to its end, tells that nothing holds a value.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from planhat_orm.errors import suggestion
from planhat_orm.orm.custom import CustomData

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session

_log = logging.getLogger("planhat_orm.orm")

#: What each session was told, by model and custom field.
_told: WeakKeyDictionary[Session, set[tuple[str, str]]] = WeakKeyDictionary()


class Slips:
    """The custom fields that a plan's filter and order name, as far as no row has held them yet."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.held: set[str] = set()
        named = [test.target for test in plan.predicate.tests] + [key.target for key in plan.order]
        whole = plan.strategy == "scan" and not (plan.asked or plan.query.params or plan.merged)
        self.unseen = {target.custom for target in named if target.custom} if whole else set()

    def look(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Look at rows before any is dropped."""
        for row in rows if self.unseen else ():
            self.held.update(CustomData.mapping(row.get("custom")))
            self.unseen -= self.held
            if not self.unseen:
                return

    def tell(self, session: Session) -> None:
        """Warn of what no row held, once for each name in a session; call it when all rows were looked at."""
        meta, told = self.plan.meta, _told.setdefault(session, set())
        for name in sorted(self.unseen) if self.held else ():
            if (meta.name, name) not in told:
                told.add((meta.name, name))
                hint = suggestion(name, sorted(self.held))
                _log.warning("%s: no %s holds a custom value %r%s", self.plan.query, meta.name, name, hint)
