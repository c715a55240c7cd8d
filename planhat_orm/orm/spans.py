"""Filters across a link: what the link leads to is read first, then the link is compared with what came.

Imports paths and lookups; querysets come from the models. It does not promise one moment: what is read first may have
changed when the rest is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planhat_orm.orm.lookups import Condition, LazyValues, Q
from planhat_orm.orm.paths import link_of
from planhat_orm.orm.relations import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.orm.options import Options
    from planhat_orm.session.session import Session


def spanned(meta: Options, q: Q, session: Session | None) -> Q:
    """Return a filter whose conditions on what a link leads to are conditions on the link.

    >>> from planhat_orm.models import Company
    >>> spanned(Company._meta, Q(owner__email="kim@vendor.example"), None)
    Q(owner__in=User.filter(email='kim@vendor.example'))
    """

    def across(condition: Condition) -> Condition | Q:
        found = link_of(meta, condition.path)
        if found is None:
            return condition
        field, rest = found
        objects = target_of(field).objects
        there = objects if session is None else objects.using(session)
        linked = Condition(
            field.name, "in", Linked(there.filter(Q(Condition(rest, condition.lookup, condition.value))))
        )
        empty = condition.value is True if condition.lookup == "isnull" else condition.value is None
        # Who has nobody has nobody's value either.
        return Q(linked) | Q(Condition(field.name, "isnull", True)) if empty else linked

    return q._replaced(across)


def rebound(q: Q, session: Session) -> Q:
    """Return a filter whose spans are read from another session."""

    def moved(condition: Condition) -> Condition:
        value = condition.value
        return (
            replace(condition, value=Linked(value.records.using(session))) if isinstance(value, Linked) else condition
        )

    return q._replaced(moved)


def read_anew(q: Q) -> Q:
    """Return a filter whose spans are read once more."""

    def fresh(condition: Condition) -> Condition:
        value = condition.value
        return replace(condition, value=Linked(value.records.all())) if isinstance(value, Linked) else condition

    return q._replaced(fresh)


class Linked(LazyValues):
    """The records that a filter across a link leads to; read once, and following that filter to another session."""

    __slots__ = ("records",)

    def __init__(self, records: Any) -> None:
        self.records = records

    def __iter__(self) -> Iterator[Any]:
        return iter(self.records)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Linked) and self.records.query == other.records.query

    def __hash__(self) -> int:
        return hash(self.records.query)

    def _said(self) -> str:
        """Say what is read."""
        return str(self.records._said())

    def _waits_for(self) -> str:
        """Explain what has to be read yet, "" when everything is here."""
        return str(self.records._waits_for())
