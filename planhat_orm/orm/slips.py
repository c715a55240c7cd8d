"""Custom fields that a query names and no record holds, or none in the kind that is compared with: most likely a slip,
which nothing else would show.

Works on plans and rows, sends nothing. It does not promise to find every slip: only a scan that was not narrowed, and
was read to its end, tells that nothing holds a value.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from planhat_orm.errors import suggestion
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.matching import is_empty
from planhat_orm.orm.operands import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planhat_orm.orm.lookups import CompiledCondition
    from planhat_orm.orm.planner import Plan
    from planhat_orm.session.session import Session

_log = logging.getLogger("planhat_orm.orm")

#: What each session was told, by model, custom field and the kind that was compared with, "" for any.
_told: WeakKeyDictionary[Session, set[tuple[str, str, str]]] = WeakKeyDictionary()
#: The kinds that are neither equal nor in any order, which is easily overlooked, and the other one of each.
OTHER = {"text": "number", "number": "text"}


class Slips:
    """The custom fields that a plan's filter and order name, as far as no row has held them yet."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.held: set[str] = set()
        named = [test.target for test in plan.predicate.tests] + [key.target for key in plan.order]
        whole = plan.strategy == "scan" and not (plan.asked or plan.query.params or plan.merged)
        self.unseen = {target.custom for target in named if target.custom} if whole else set()
        #: The kinds that custom fields are compared with, as far as no row has held a value that may be of it.
        self.kinds = {(test.target.custom, kind) for test in plan.predicate.tests if (kind := kind_wanted(test))}
        self.kinds = self.kinds if whole else set()
        self.others: set[tuple[str, str]] = set()

    def look(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Look at rows before any is dropped."""
        if self.kinds:
            for row in rows:
                self.look_for_kinds(CustomData.mapping(row.get("custom")))
                if not self.kinds:
                    break
        for row in rows if self.unseen else ():
            self.held.update(CustomData.mapping(row.get("custom")))
            self.unseen -= self.held
            if not self.unseen:
                return

    def look_for_kinds(self, custom: Mapping[str, Any]) -> None:
        """Strike out the kinds that a row holds."""
        for name, wanted in tuple(self.kinds):
            value = custom.get(name)
            if kind_of(value) == OTHER[wanted]:
                self.others.add((name, wanted))
            elif not is_empty(value):
                self.kinds.discard((name, wanted))

    def tell(self, session: Session) -> None:
        """Warn of what no row held, once for each name in a session; call it when all rows were looked at."""
        meta, told = self.plan.meta, _told.setdefault(session, set())
        for name in sorted(self.unseen) if self.held else ():
            if (meta.name, name, "") not in told:
                told.add((meta.name, name, ""))
                hint = suggestion(name, sorted(self.held))
                _log.warning("%s: no %s holds a custom value %r%s", self.plan.query, meta.name, name, hint)
        for name, wanted in sorted(self.kinds & self.others):
            if (meta.name, name, wanted) not in told:
                told.add((meta.name, name, wanted))
                _log.warning(
                    "%s: no %s holds a %s as its custom value %r; all are %ss, which no %s equals or precedes",
                    *(self.plan.query, meta.name, wanted, name, OTHER[wanted], wanted),
                )


def kind_of(value: Any) -> str:
    """Return which of the two kinds a value is, "" for neither.

    >>> kind_of("5"), kind_of(5), kind_of(True), kind_of(["5"])
    ('text', 'number', '', '')
    """
    if isinstance(value, bool) or is_empty(value):
        return ""
    return "text" if isinstance(value, str) else "number" if isinstance(value, (int, float)) else ""


def kind_wanted(test: CompiledCondition) -> str:
    """Return which of the two kinds a custom value has to be to match, "" where that is no matter."""
    if not test.target.custom or test.target.declared is not None:
        return ""
    if test.lookup in TEXT:
        return "text"
    kinds = {kind_of(one) for one in (test.value if test.lookup in ("in", "range") else [test.value])}
    return kinds.pop() if len(kinds) == 1 and test.lookup != "isnull" else ""
