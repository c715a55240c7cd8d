"""The planner: a Query and what its endpoint can do become a Plan, with its price in requests.

Planhat filters on very little and ignores what it does not know, so each condition is either one that the endpoint
documents, and then checked on every row that comes back, or tested here. Imports query, lookups and the path grammar;
sends nothing. It does not promise the number of requests of a scan: how many pages there are is not known before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import NotSupported
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.lookups import Predicate, Target, Test, compile_q, resolve
from planhat_orm.orm.relations import ReferenceList
from planhat_orm.wire.endpoints import KeyKind, id_chunks, path_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from planhat_orm.orm.options import Options
    from planhat_orm.orm.query import Query

Strategy = Literal["nothing", "key", "keys", "ids", "scan"]

#: Planhat's name of a key, and what the path grammar calls it.
KEY_KINDS: dict[str, KeyKind] = {"_id": "id", "externalId": "external_id", "sourceId": "source_id"}
#: Up to this many records are read one by one where the endpoint takes no list of ids; more are found by a scan.
SINGLE_READS = 20


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order."""

    target: Target
    descending: bool

    @property
    def sortable(self) -> bool:
        """Whether Planhat can sort by it: a property of the record itself."""
        return not isinstance(self.target.field, (CustomData, ReferenceList))

    @property
    def parameter(self) -> str:
        """The value of ``sort``."""
        return ("-" if self.descending else "") + self.target.data_key


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered.

    ``params`` are sent with every page; ``id_lists`` are the chunks of a comma list, one scan each. ``predicate`` is
    tested on every row, ``asked`` are the conditions that Planhat was asked to apply, tested loosely first.
    ``server_order`` says that rows come in the wanted order, else they are read by id and ordered here.
    """

    query: Query
    strategy: Strategy
    path: str
    keys: tuple[str, ...] = ()
    params: dict[str, str] = field(default_factory=dict)
    id_param: str = ""
    id_lists: tuple[tuple[str, ...], ...] = ()
    predicate: Predicate = field(default_factory=lambda: compile_nothing())
    asked: tuple[Test, ...] = ()
    order: tuple[Order, ...] = ()
    server_order: bool = False
    select: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def meta(self) -> Options:
        """The options of the model."""
        return self.query.model._meta

    @property
    def loaded(self) -> frozenset[str]:
        """Planhat's names of what the rows will hold."""
        if self.strategy in ("key", "keys"):
            return self.meta.keys
        return frozenset(self.select) if self.select else self.meta.listed_keys

    @property
    def sort(self) -> str:
        """The value of ``sort`` that is sent."""
        return self.order[0].parameter if self.server_order else "_id"

    @property
    def local(self) -> tuple[Test, ...]:
        """The simple conditions that are tested here alone."""
        return tuple(test for test in self.predicate.tests if test not in self.asked)

    @property
    def filters_here(self) -> bool:
        """Whether rows that Planhat sends may be dropped here, so that a slice cannot be asked for as it is."""
        return bool(self.local or self.predicate.others)

    @property
    def requests(self) -> int | None:
        """How many requests it will cost, None where nobody can know."""
        if self.strategy in ("nothing", "key", "keys"):
            return len(self.keys)
        per_list = [len(ids) for ids in self.id_lists]
        if per_list and self.meta.list_params[self.id_param] == "_id" and not self.order:
            return len(per_list)
        window = self.window
        if window is not None and window <= self.meta.page_size[1] and len(per_list) < 2 and not self.filters_here:
            return 1
        return None

    @property
    def window(self) -> int | None:
        """How many rows are asked for; None for all."""
        query = self.query
        if query.stop is None or (self.order and not self.server_order):
            return None
        return query.stop - query.start

    def __str__(self) -> str:
        return "\n".join(explained(self))


def compile_nothing() -> Predicate:
    """Return the predicate that every row passes."""
    return Predicate((), (), frozenset())


def plan_for(
    query: Query, *, base_url: str, zone: tzinfo | None = None, single: bool = False, stream: bool = False
) -> Plan:
    """Choose how a query is answered.

    :param single: one record is wanted, by ``get``: a key that is not unique in the tenant will do.
    :param stream: rows are wanted as they come, so an order is left to Planhat even without a slice.
    """
    meta = query.model._meta
    predicate = with_constants(compile_q(meta, query.where, zone), meta)
    if query.empty or query.stop == query.start or contradicts(predicate):
        return Plan(query, "nothing", "", predicate=predicate)
    keyed = by_key(query, predicate, single=single)
    if keyed is not None:
        return keyed
    order = tuple(order_of(meta, path) for path in query.order)
    params, asked, id_param, ids = server_share(meta, predicate)
    path = path_for(meta.path)
    # More ids than that are found by a scan, their own share is then tested here.
    server_order = len(order) == 1 and order[0].sortable and (query.sliced or stream) and len(ids) <= 1
    needed = predicate.keys | {key.target.data_key for key in order}
    select = selection(query, needed)
    fixed = {**meta.unhide, **hints(meta, predicate), **params}
    lists: tuple[tuple[str, ...], ...] = ()
    if ids:
        sent = {**fixed, "limit": "00000", "offset": "000000000", "sort": "_id", "select": ",".join(select)}
        lists = tuple(tuple(chunk) for chunk in id_chunks(base_url, path, sent, id_param, ids))
        server_order = server_order and len(lists) == 1
    return Plan(
        query,
        "ids" if ids else "scan",
        path,
        params=fixed,
        id_param=id_param,
        id_lists=lists,
        predicate=predicate,
        asked=asked,
        order=order,
        server_order=server_order,
        select=select,
        notes=notes_on(query, order, server_order=server_order),
    )


def with_constants(predicate: Predicate, meta: Options) -> Predicate:
    """Add what makes a row of a shared collection one of this model."""
    constants = meta.constant
    if not constants:
        return predicate

    def belongs(row: Any) -> bool:
        return all(row.get(name) == value for name, value in constants.items())

    return Predicate(predicate.tests, (*predicate.others, belongs), predicate.keys | constants.keys())


def contradicts(predicate: Predicate) -> bool:
    """Tell whether no row can match: an empty list of values, or two different ids."""
    exact = {test.value for test in predicate.tests if test.target.data_key == "_id" and test.lookup == "exact"}
    return len(exact) > 1 or any(test.lookup == "in" and not test.value for test in predicate.tests)


def by_key(query: Query, predicate: Predicate, *, single: bool) -> Plan | None:
    """Plan a read of single records by their keys, where the conditions name them."""
    meta = query.model._meta
    allowed = {"_id", *meta.unique} if not single or "companyId" in predicate.keys else set(KEY_KINDS)
    for test in predicate.tests:
        kind = KEY_KINDS.get(test.target.data_key)
        if kind not in meta.keyables or test.target.custom is not None:
            continue
        if test.lookup == "exact" and test.target.data_key in allowed:
            note = (
                ()
                if test.target.data_key in {"_id", *meta.unique}
                else (f"{kind} is unique within one company only: Planhat answers with one of several",)
            )
            path = path_for(meta.path, test.value, kind=kind)
            return Plan(query, "key", path, (path,), predicate=predicate, asked=(test,), notes=note)
        listed = any(meta.list_params[name] == "_id" for name in meta.id_list_params)
        if kind == "id" and test.lookup == "in" and not listed and not meta.small_table and not query.order:
            keys = tuple(dict.fromkeys(path_for(meta.path, one) for one in test.value))
            if len(keys) <= SINGLE_READS:
                return Plan(query, "keys", path_for(meta.path), keys, predicate=predicate, asked=(test,))
    return None


def server_share(meta: Options, predicate: Predicate) -> tuple[dict[str, str], tuple[Test, ...], str, list[str]]:
    """Return the parameters that the endpoint documents for these conditions, the conditions, and a list of ids."""
    params: dict[str, str] = {}
    asked: list[Test] = []
    id_param, ids = "", list[str]()
    for test in predicate.tests:
        name = next((name for name, key in meta.list_params.items() if key == test.target.data_key), None)
        if name is None or name in params or name == id_param or test.target.custom is not None:
            continue
        if test.lookup == "exact" and isinstance(test.value, str):
            params[name] = test.value
            asked.append(test)
        elif test.lookup == "in" and name in meta.id_list_params and not id_param:
            id_param, ids = name, list(dict.fromkeys(test.value))
            asked.append(test)
    return params, tuple(asked), id_param, ids


def hints(meta: Options, predicate: Predicate) -> dict[str, str]:
    """Return parameters that only a stray source names: they may narrow the list, and nothing relies on it."""
    wanted = {test.target.data_key: test.value for test in predicate.tests if test.lookup == "exact"} | dict(
        meta.constant
    )
    return {name: wanted[key] for name, key in meta.hint_params.items() if isinstance(wanted.get(key), str)}


def order_of(meta: Options, path: str) -> Order:
    """Read one key of an order: a path, with a minus in front for descending."""
    name = path.removeprefix("-")
    return Order(resolve(meta, name), name != path)


def selection(query: Query, needed: frozenset[str]) -> tuple[str, ...]:
    """Return Planhat's names to select, in the order of the fields; empty to take what the list gives."""
    meta = query.model._meta
    missing = [meta.by_key[key] for key in needed if meta.by_key[key].get_only]
    if missing:
        raise NotSupported(
            f"{meta.name}.{missing[0].name} is in no list of Planhat, so a list cannot be filtered or ordered by it; "
            "loop over the objects and test it there (one request each)"
        )
    if query.only is not None:
        keys: Sequence[str] | frozenset[str] = query.only
    elif query.deferred:
        keys = meta.default_select or meta.listed_keys
    else:
        keys = meta.default_select
    if not keys:
        return ()
    wanted = {"_id", *needed, *(key for key in keys if key not in query.deferred)}
    return tuple(key for key in meta.by_key if key in wanted)


def notes_on(query: Query, order: tuple[Order, ...], *, server_order: bool) -> tuple[str, ...]:
    """Say what is worth knowing of the order."""
    if order and not server_order:
        return ("read by id and ordered here: values without one first, texts by their characters",)
    return ()


def explained(plan: Plan) -> list[str]:
    """Say in lines how a query is answered and what it costs."""
    query, meta = plan.query, plan.meta
    lines = [str(query)]
    what = {
        "nothing": "nothing is asked: no row can match",
        "key": f"by key: GET {plan.path}",
        "keys": f"one by one: {len(plan.keys)} x GET {plan.path}/{{id}}",
        "ids": f"by ids: GET {plan.path}?{plan.id_param}=..., {sum(map(len, plan.id_lists))} ids "
        f"in {len(plan.id_lists)} URLs under 2,000 characters",
        "scan": f"by pages: GET {plan.path}, up to {meta.page_size[1]:,} rows a page",
    }[plan.strategy]
    lines.append(f"  {what}")
    lines.append(f"  requests: {price(plan)}")
    if plan.strategy in ("scan", "ids"):
        lines.append(f"  order: sort={plan.sort}")
        sent = ", ".join(f"{name}={value}" for name, value in plan.params.items())
        lines += [f"  sent: {sent}"] if sent else []
    lines += [f"  checked on every row: {', '.join(map(shown, plan.asked))}"] if plan.asked else []
    here = [
        *map(shown, plan.local),
        *(["conditions joined by or, not, or a constant"] if plan.predicate.others else []),
    ]
    lines += [f"  tested here: {', '.join(here)}"] if here else []
    lines += [f"  unhidden: {', '.join(meta.unhide)}"] if meta.unhide and plan.strategy in ("scan", "ids") else []
    lines += [f"  selected: {', '.join(plan.select)}"] if plan.select else []
    lines += [f"  note: {note}" for note in plan.notes]
    return lines


def price(plan: Plan) -> str:
    """Say what a plan costs: exactly, or as a formula."""
    if plan.requests is not None:
        return str(plan.requests)
    size = plan.meta.page_size[1]
    if plan.strategy == "ids":
        return f"at least {len(plan.id_lists)}, and one more for every {size - 1:,} rows of a list of ids"
    stops = ", fewer when enough rows match early" if plan.filters_here and plan.window is not None else ""
    return f"1 + rows / {size - 1:,}{stops}"


def shown(test: Test) -> str:
    """Name a condition."""
    name = test.target.field.name if test.target.custom is None else f"custom.{test.target.custom}"
    return f"{name} {test.lookup}"
