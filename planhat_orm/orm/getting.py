"""One record: how ``get`` finds it, by its key where the conditions name one.

Imports planner and execution. It does not promise the right one of several where a key is unique within one company
only and no company is named: Planhat answers with one of them, and a warning says so once in a session.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm.execution import Run
from planhat_orm.orm.kept import kept_of
from planhat_orm.orm.lookups import Predicate
from planhat_orm.orm.planner import doubt, plan_for
from planhat_orm.wire.endpoints import PREFIXES

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options
    from planhat_orm.orm.planner import Plan
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")

_log = logging.getLogger("planhat_orm.orm")

#: The models of which each session was warned.
_warned: WeakKeyDictionary[Session, set[type[Model]]] = WeakKeyDictionary()


def one_of(session: Session, model: type[M], query: Query, *, fresh: bool = False) -> M:
    """Return the one record that a query of ``model`` describes.

    :param fresh: ask Planhat even if the record was read within the last minute.
    :raises ObjectDoesNotExist: the model's ``DoesNotExist``.
    :raises MultipleObjectsReturned: the model's own; the message names two.
    """
    if fresh:
        kept_of(session).drop(model._meta.path)
    plan = plan_for(query, base_url=session.base_url, zone=session.timezone, single=True)
    if plan.strategy == "key":
        with session.identity_map.flight(model, *plan.paths):
            if not fresh and (recent := known(session, model, plan)) is not None:
                return recent
            found = two_by_key(session, model, plan)
            if found:
                warn_of_doubt(session, plan)
    else:
        found = two_of(session, model, plan)
    if not found:
        raise model.DoesNotExist(f"no {model.__name__} matches: {query}")
    if len(found) > 1:
        names = ", ".join(repr(record) for record in found[:2])
        raise model.MultipleObjectsReturned(f"more than one {model.__name__} matches: {query}, among them {names}")
    session.identity_map.keep(found[0])
    return found[0]


def two_of(session: Session, model: type[M], plan: Plan) -> list[M]:
    """Return what matches, and no more pages than it takes to find two."""
    found: list[M] = []
    for objects in Run(session, plan).objects():
        found += objects
        if len(found) > 1:
            break
    return found


def two_by_key(session: Session, model: type[M], plan: Plan) -> list[M]:
    """Return what matches and has a key; one that others may have, too, is looked for in the list if need be.

    Of several records with the key Planhat answers with one: if that is not the one that was meant, another may be.
    """
    query, meta = plan.query, plan.meta
    if plan.asked[0].target.data_key in ("_id", *meta.unique) or not (query.start or plan.predicate != alone(plan)):
        return two_of(session, model, plan)
    found = two_of(session, model, replace(plan, query=replace(query, start=0, stop=None), predicate=alone(plan)))
    if not found or (not query.start and all(plan.predicate(record._raw) for record in found)):
        return found
    return two_of(session, model, plan_for(query, base_url=session.base_url, zone=session.timezone))


def alone(plan: Plan) -> Predicate:
    """Return the condition on the key of a plan, without the others."""
    return Predicate(plan.asked, keys=frozenset(test.target.data_key for test in plan.asked))


def known(session: Session, model: type[M], plan: Plan) -> M | None:
    """Return the record of a key if it was read whole within the last minute and matches all conditions."""
    [test] = plan.asked
    if test.target.data_key not in {"_id", *plan.meta.unique} or plan.query.start:
        return None
    found = session.identity_map.recent(model, test.target.data_key, test.values[0])
    if found is None or found._origin is None or not found._origin.loaded >= plan.meta.keys:
        return None
    return found if plan.predicate(found._raw) else None


def warn_of_doubt(session: Session, plan: Plan) -> None:
    """Say once for each model that a key without its company may lead to another record than was meant."""
    meta, data_key = plan.meta, plan.asked[0].target.data_key
    within = meta.unique_within.get(data_key)
    if within is None or meta.model in (warned := _warned.setdefault(session, set())):
        return
    warned.add(meta.model)
    _log.warning(
        "%s: %s: Planhat answered with one of possibly several; add %s=...",
        plan.query,
        doubt(meta, data_key),
        meta.by_key[within].name,
    )


def refuse_missing_key(meta: Options, lookups: dict[str, Any]) -> None:
    """Refuse a key that is None: nearly always a variable that was never set."""
    for name, value in lookups.items():
        field = meta.by_name.get(name)
        if value is None and field is not None and field.name in ("id", *PREFIXES):
            raise InvalidQuery(
                f"get({name}=None): is a variable unset? Records without one: filter({name}__isnull=True)"
            )
