"""What of a query the lean index can answer: what it finds records by, and whether it holds all that is wanted.

Planhat gives every company with its id, name and keys in one answer. Works on a Query and its options; sends nothing (a
queryset among the values of a filter is read). It does not promise that asking the index is cheaper; that is weighed
where prices are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from planhat_orm.orm.lookups import Condition, LazyValues, Predicate, Q, compile_condition, compile_q
from planhat_orm.orm.paths import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from planhat_orm.orm.options import Options
    from planhat_orm.orm.query import Query

Finds = Literal["", "values", "texts"]

#: Lookups that name the values wanted, and those of which nobody knows beforehand how many records they fit.
BY_VALUES: Final = frozenset(("exact", "in"))
BY_TEXTS: Final = frozenset(
    ("iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex", "iregex")
)
#: Lookups that find neither a blank text nor a missing one, and the one that finds both.
SURE: Final = BY_VALUES | BY_TEXTS - {"regex", "iregex"} | {"isnull"}


@dataclass(frozen=True, slots=True)
class Indexable:
    """The share of the lean index in a filter.

    ``found`` are the conditions on what it shows, tested on its rows; ``params`` narrow it by what it does not show.
    ``finds`` says what records can be found by: named values, texts of which nobody knows how many fit, or nothing.
    ``covers`` says that nothing else is filtered by.
    """

    found: Predicate
    params: dict[str, str]
    finds: Finds
    covers: bool

    @property
    def values(self) -> dict[str, set[Any]]:
        """The values that are named, by Planhat's name of the property that is to hold one of them."""
        # No value is none that names a record.
        tests = [test for test in self.found.tests if test.lookup in BY_VALUES and test.value is not None]
        return {test.target.data_key: set(test.values) for test in tests}


def indexable(query: Query, zone: tzinfo | None) -> Indexable:
    """Split a filter into what the index answers, and the rest.

    >>> from planhat_orm.models import Company
    >>> from planhat_orm.orm.query import Query
    >>> share = indexable(Query(Company).filtered(Q(name="Acme", status="customer")), None)
    >>> share.values, share.params, share.finds, share.covers
    ({'name': {'Acme'}}, {'status': 'customer'}, 'values', True)
    """
    meta = query.model._meta
    shown: list[Q] = []
    params: dict[str, str] = {}
    finds: Finds = ""
    covers = True
    for part in conjuncts(query.where):
        narrowed = narrowing(meta, part, zone)
        if narrowed and not params:
            params = narrowed
        elif is_shown(meta, part):
            shown.append(part if isinstance(part, Q) else Q(part))
            found = finding(meta, part)
            finds = "values" if "values" in (finds, found) else finds or found
        else:
            covers = False
    return Indexable(compile_q(meta, shown, zone), params, finds, covers)


def conjuncts(where: Iterable[Q | Condition]) -> Iterator[Q | Condition]:
    """Yield the parts of a filter that all have to hold."""
    for part in where:
        if isinstance(part, Q) and not part.negated and (part.connector == "and" or len(part.children) == 1):
            yield from conjuncts(part.children)
        else:
            yield part


def is_shown(meta: Options, part: Q | Condition) -> bool:
    """Tell whether the rows of the index show all that a part of a filter compares."""
    conditions = [part] if isinstance(part, Condition) else part._conditions()
    for condition in conditions:
        target = resolve(meta, condition.path)
        if target.custom or target.data_key not in meta.lean_fields:
            return False
        # A key that is missing is "" in some of its rows: what tells the two apart is not to be asked of it.
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        if target.data_key != "_id" and ("" in values or condition.lookup not in SURE):
            return False
    return True


def finding(meta: Options, part: Q | Condition) -> Finds:
    """Tell what records are found by, by one part of a filter; ids are asked for without an index."""
    if isinstance(part, Condition):
        if resolve(meta, part.path).data_key == "_id" or part.value is None:
            return ""
        return "values" if part.lookup in BY_VALUES else "texts" if part.lookup in BY_TEXTS else ""
    # "One of these" finds what each of them finds, in however many records.
    return "texts" if not part.negated and all(finding(meta, child) for child in part.children) else ""


def narrowing(meta: Options, part: Q | Condition, zone: tzinfo | None) -> dict[str, str]:
    """Return the parameter of the index that stands for a condition on what its rows do not show; {} without one."""
    if not isinstance(part, Condition) or part.lookup not in BY_VALUES or isinstance(part.value, LazyValues):
        return {}
    target = resolve(meta, part.path)
    name = next((one for one, key in meta.lean_params.items() if key == target.data_key), "")
    if not name or target.custom or target.data_key in meta.lean_fields:
        return {}
    values = dict.fromkeys(compile_condition(meta, part, zone).values)
    known = target.field.choices
    # A value that is not documented may be ignored, and who wants every known one need not ask.
    if not values or not set(values) < set(known or ()) or (len(values) > 1 and name not in meta.lean_many):
        return {}
    return {name: ",".join(values)}


def is_covered(query: Query, share: Indexable) -> bool:
    """Tell whether the index alone answers: all that is filtered, ordered by and selected is in it."""
    meta = query.model._meta
    if not share.covers or query.only is None or not query.only - query.deferred <= set(meta.lean_fields):
        return False
    orders = (resolve(meta, path.removeprefix("-")) for path in query.order)
    return all(not target.custom and target.data_key in meta.lean_fields for target in orders)
