"""Filters across a link: what the link leads to is read first, then the link is compared with what came.

Conditions that are joined and go across the same link are one reading. Of a list of links one record has to match, and
all of what one ``Q`` joins by "and". Imports paths and lookups; querysets come from the models. It does not promise one
moment: what is read first may have changed when the rest is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planhat_orm.orm.lookups import Condition, LazyValues, Q
from planhat_orm.orm.paths import partition
from planhat_orm.orm.relations import ForeignKey, ReferenceList, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.orm.costs import Cost
    from planhat_orm.orm.options import Options
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

Link = ForeignKey[Any] | ReferenceList[Any]
Node = Q | Condition


def spanned(meta: Options, q: Q, session: Session | None) -> Q:
    """Return a filter whose conditions on what a link leads to are conditions on the link.

    >>> from planhat_orm.models import Company
    >>> spanned(Company._meta, Q(owner__email="kim@vendor.example"), None)
    Q(owner__in=User.filter(email='kim@vendor.example'))
    """
    linked = one_link(meta, q)
    if linked is not None:
        inside = beyond(q, negated=False)
        return Q._made((across(linked, inside, session),), "and", negated=q.negated)
    parts: list[Node] = []
    together: dict[str, tuple[Link, list[Node]]] = {}
    for child in q.children:
        found = one_link(meta, child) if isinstance(child, Condition) or not child.negated else None
        if found is not None and q.connector == "and":
            together.setdefault(found.name, (found, []))[1].append(beyond(child))
        else:
            parts.append(spanned(meta, child, session) if isinstance(child, Q) else single(meta, child, session))
    parts += [across(link, Q._made(tuple(nodes), "and", negated=False), session) for link, nodes in together.values()]
    return Q._made(tuple(parts), q.connector, negated=q.negated)


def link_across(meta: Options, path: str) -> tuple[Link, str] | None:
    """Return the link that a path begins with and what follows it; None where it stays on the record itself.

    >>> from planhat_orm.models import Company
    >>> link_across(Company._meta, "owner__email"), link_across(Company._meta, "owner")
    ((<ForeignKey owner (owner)>, 'email'), None)
    """
    head, _, rest = partition(path)
    field = meta.by_name.get(head)
    return (field, rest) if isinstance(field, (ForeignKey, ReferenceList)) and rest else None


def one_link(meta: Options, node: Node) -> Link | None:
    """Return the link that all conditions of a part go across, None where they do not.

    What is negated inside, and what asks for no value, holds for a record without the link as well: it is left alone.
    """
    if isinstance(node, Condition):
        found = link_across(meta, node.path)
        return found[0] if found is not None and found[1] not in ("id", "pk") and not wants_nothing(node) else None
    inner = {
        one_link(meta, child) if isinstance(child, Condition) or not child.negated else None for child in node.children
    }
    return inner.pop() if len(inner) == 1 else None


def wants_nothing(condition: Condition) -> bool:
    """Tell whether a condition is met by what has no value."""
    return condition.value is True if condition.lookup == "isnull" else condition.value is None


def beyond(node: Node, *, negated: bool | None = None) -> Any:
    """Return a part as a filter of what its link leads to."""
    if isinstance(node, Condition):
        return replace(node, path=partition(node.path)[2])
    children = tuple(beyond(child) for child in node.children)
    return Q._made(children, node.connector, negated=node.negated if negated is None else negated)


def across(link: Link, q: Q, session: Session | None) -> Condition:
    """Return the condition that a link leads to what matches a filter."""
    objects = target_of(link).objects
    there = objects if session is None else objects.using(session)
    return Condition(link.name, "in", Linked(there.filter(q).only("id")))


def single(meta: Options, condition: Condition, session: Session | None) -> Node:
    """Return one condition as one on the record itself."""
    found = link_across(meta, condition.path)
    if found is None:
        return condition
    link, rest = found
    if rest in ("id", "pk"):
        return replace(condition, path=link.name)
    if not wants_nothing(condition):
        return across(link, Q(beyond(condition)), session)
    if isinstance(link, ReferenceList):
        # One of the list has no value, or there is none in it, as an outer join would have it.
        return Q(across(link, Q(beyond(condition)), session)) | Q(Condition(link.name, "isnull", True))
    # Who has nobody, or somebody who is gone, has nobody's value: all but those who have one.
    return ~Q(across(link, Q(Condition(rest, "isnull", False)), session))


def rebound(q: Q, session: Session) -> Q:
    """Return a filter whose spans are read from another session."""

    def moved(condition: Condition) -> Condition:
        value = condition.value
        return (
            replace(condition, value=Linked(value.records.using(session))) if isinstance(value, Linked) else condition
        )

    return q._replaced(moved)


def of_now(query: Query) -> Query:
    """Return a query whose spans are read when it is carried out: what another one read of them may not be so any more.

    A queryset may live as long as its process, and others are derived from it.
    """

    def unread(condition: Condition) -> Condition:
        value = condition.value
        return replace(condition, value=Linked(value.records)) if isinstance(value, Linked) else condition

    return replace(query, where=tuple(q._replaced(unread) for q in query.where))


class Linked(LazyValues):
    """The ids of the records that a filter across a link leads to; read once for each carrying out of a query, by
    nothing but the id and what is compared, and following that filter to another session.
    """

    __slots__ = ("_ids", "records")

    def __init__(self, records: Any) -> None:
        self.records = records
        self._ids: list[str] | None = None

    def __iter__(self) -> Iterator[Any]:
        found: list[str] = self.records._ids() if self._ids is None else self._ids
        self._ids = found
        return iter(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Linked) and self.records.query == other.records.query

    def __hash__(self) -> int:
        return hash(self.records.query)

    def __reduce__(self) -> tuple[Any, ...]:
        # What was read stays here: where it is unpickled, it may not be so any more.
        return _unpickled, (type(self.records), self.records.query)

    def _said(self) -> str:
        """Say what is read."""
        return str(self.records._said())

    def _cost_left(self) -> Cost | None:
        """Return the cost of what has to be read yet, None when everything is here."""
        left: Cost | None = None if self._ids is not None else self.records._cost_left()
        return left


def _unpickled(cls: type[Any], query: Any) -> Linked:
    return Linked(cls(query))
