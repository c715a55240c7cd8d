"""The server's share of a query: what an endpoint documents is asked of it, everything else is left to be tested here.

Planhat ignores parameters that it does not know, so each one that is sent has a condition that rows are held against,
where one can be told from a row. A share may let more rows pass than are wanted, never fewer. Imports lookups and the
descriptions of parameters; sends nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import conversion
from planhat_orm.orm.lookups import CompiledCondition, Condition, Predicate, compile_condition
from planhat_orm.orm.matching import MATCHERS, Span
from planhat_orm.orm.sending import WORDS, in_form, known_params, only_adds, written_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from planhat_orm.orm.options import Options
    from planhat_orm.orm.params import Param

Params = dict[str, str]

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Share:
    """The server's share of a filter: parameters, the conditions they stand for, and a list of ids.

    ``params`` are sent with every page. ``asked`` are conditions that every row is held against, loosely. ``ids`` are
    the values of ``id_param``, which stand for the conditions ``listed``.
    """

    params: Params
    asked: tuple[CompiledCondition, ...]
    id_param: str = ""
    ids: tuple[str, ...] = ()
    listed: tuple[CompiledCondition, ...] = ()


def share_of(meta: Options, predicate: Predicate) -> Share:
    """Choose the parameters that the endpoint documents for these conditions."""
    params: Params = {}
    asked: list[CompiledCondition] = []
    id_param = ""
    ids: tuple[str, ...] = ()
    listed: tuple[CompiledCondition, ...] = ()
    for name, param in known_params(meta).items():
        if not param.data_key or param.hint or only_adds(meta, name):
            continue
        tests = [test for test in predicate.tests if test.target.data_key == param.data_key and not test.target.custom]
        found = bound_of(param, tests) if param.lookup in ("gte", "lte") else one_of(param, tests)
        if found is not None:
            params[name], checked = found
            asked += [] if checked is None else [checked]
        elif param.many and not ids and param.lookup not in ("gte", "lte"):
            ids, listed = several_of(param, tests)
            id_param = name if ids else ""
    return Share(params, tuple(asked), id_param, ids, listed)


def named(param: Param, test: CompiledCondition) -> list[Any]:
    """Return the values of which a condition wants one, as the parameter would name them; none where it cannot."""
    if param.lookup == "contains":
        values = test.value if test.lookup == "in" else [test.value]
        return values if test.folded is not None and test.lookup in ("contains", "in") else []
    if test.target.field.mutable:
        return []
    return [*test.values]


def one_of(param: Param, tests: Iterable[CompiledCondition]) -> tuple[str, CompiledCondition | None] | None:
    """Return what is sent where a condition names one value, and the condition."""
    for test in tests:
        values = named(param, test)
        if not values or any(value != values[0] for value in values):
            continue
        text = in_form(param, values[0])
        if text is not None and text.strip():  # Planhat ignores a blank parameter
            # What a day means to Planhat, to the hour, is not documented: that is left to be tested here.
            return text, None if isinstance(values[0], Span) else test
    return None


def several_of(
    param: Param, tests: Iterable[CompiledCondition]
) -> tuple[tuple[str, ...], tuple[CompiledCondition, ...]]:
    """Return the values of a comma list and the conditions that it stands for."""
    usable = [
        test
        for test in tests
        if test.folded is not None and len(values := named(param, test)) > 1 and all(map(is_listable, values))
    ]
    if param.lookup == "contains":
        usable = usable[:1]  # a list may hold one item of each of two conditions
    if not usable or param.values or param.form != "text":
        return (), ()
    ids = set.intersection(*(set(named(param, test)) for test in usable))
    return tuple(sorted(ids)), tuple(usable)


def is_listable(value: str) -> bool:
    """Tell whether a value can stand in a comma list."""
    return bool(value.strip()) and "," not in value


# From and to


def bound_of(param: Param, tests: Iterable[CompiledCondition]) -> tuple[str, CompiledCondition | None] | None:
    """Return the bound that is sent for a stretch, and what rows are held against; both reach a little further.

    Whether an end is included, and in which zone Planhat cuts days, is not documented. So a parameter of days is sent
    one day more than is wanted, and rows are refused one day beyond that.
    """
    upper = param.lookup == "lte"
    best: tuple[Any, str, CompiledCondition] | None = None
    for test in tests:
        for edge in edges(test, upper=upper):
            found = day_bound(param, test, edge) if isinstance(edge, Span) else number_bound(param, test, edge)
            if found is not None and (best is None or (found[0] < best[0] if upper else found[0] > best[0])):
                best = found
    return None if best is None else (best[1], best[2])


def edges(test: CompiledCondition, *, upper: bool) -> Iterator[Any]:
    """Yield the first or the last value that a condition lets pass."""
    if test.lookup == "range":
        yield test.value[1 if upper else 0]
    elif test.lookup == "in" and all(isinstance(value, Span) for value in test.value):
        yield (max if upper else min)(test.value, key=lambda span: span.first)
    elif test.lookup in (("lt", "lte", "exact") if upper else ("gt", "gte", "exact")):
        yield test.value


def number_bound(param: Param, test: CompiledCondition, edge: Any) -> tuple[Any, str, CompiledCondition] | None:
    """Return the bound for a number."""
    if isinstance(edge, bool) or not isinstance(edge, (int, float)):
        return None
    if param.form == "day_number":
        edge = math.ceil(edge) if param.lookup == "lte" else math.floor(edge)
    return edge, str(edge), condition(test, param.lookup, edge)


def day_bound(param: Param, test: CompiledCondition, span: Span) -> tuple[Any, str, CompiledCondition] | None:
    """Return the bound for a point in time or a day."""
    upper = param.lookup == "lte"
    by_day = isinstance(test.target.converter, conversion.Day)
    try:
        last = span.after - TICK if span.whole_day else span.first
        moment = last if upper else span.first
        day = moment.astimezone(span.zone if by_day else UTC).date()
        # A calendar day may be stored as midnight of another zone than UTC.
        day = day + DAY if upper else day - DAY
        limit = Span.of(day + DAY if upper else day - DAY, UTC)
        if param.form == "text":
            text = conversion.wire_instant(datetime.combine(day + DAY if upper else day, time(), UTC))
        else:
            text = written_day(param, day)
    except OverflowError:
        return None  # the end of the calendar is no bound
    return day, text, condition(test, param.lookup, limit)


def condition(test: CompiledCondition, lookup: str, value: Any) -> CompiledCondition:
    """Return another condition on the same property."""
    return CompiledCondition(test.target, lookup, value, MATCHERS[lookup](value))


# What params() gives, what lists hide, what is only a hint


def given_tests(meta: Options, given: Mapping[str, str]) -> tuple[CompiledCondition, ...]:
    """Return the conditions that parameters given by ``params()`` stand for, where they can be told from a row."""
    known, tests = known_params(meta), []
    for name, text in given.items():
        param = known[name]
        field = meta.by_key.get(param.data_key)
        if field is None or field.get_only or param.hint or only_adds(meta, name) or param.lookup in ("gte", "lte"):
            continue
        value: Any = text
        if param.values or param.form == "boolean":
            words = param.values or WORDS
            value = next((meant for meant, sent in words.items() if sent == text), None)
            if value is None:
                continue
        elif param.form != "text":
            continue
        elif param.many and "," in text:
            value = tuple(text.split(","))
        try:
            tests.append(
                compile_condition(
                    meta, Condition(field.name, "in" if isinstance(value, tuple) else "exact", value), UTC
                )
            )
        except InvalidQuery:
            continue  # sent as it is; it is no value by which rows could be told
    return tuple(tests)


def refuse_conflict(meta: Options, share: Share, predicate: Predicate, given: Mapping[str, str]) -> None:
    """Refuse one parameter with two values: one by ``params()``, one for a filter."""
    wanted = {test.target.data_key for test in predicate.tests if test.lookup == "exact" and test.value is True}
    for name, text in given.items():
        other = ",".join(share.ids) if name == share.id_param else share.params.get(name, text)
        if only_adds(meta, name) and {name, known_params(meta)[name].data_key} & wanted:
            other = meta.unhide[name]  # the rows that the filter wants are the hidden ones
        if other != text:
            raise InvalidQuery(
                f"{meta.name}: params() gives {name}={text}, and the filter asks for {name}={other}; leave one out"
            )


def unhidden(meta: Options, predicate: Predicate, given: Mapping[str, str]) -> tuple[Params, tuple[Params, ...]]:
    """Return the parameters without which a list hides rows, and those of each list where it takes several.

    Left out are those that are given already, and those that would only add rows to be dropped here.
    """
    fixed: Params = {}
    several: list[list[tuple[str, str]]] = []
    known = known_params(meta)
    dropped = {test.target.data_key for test in predicate.tests if test.lookup == "exact" and test.value is False}
    for name, value in meta.unhide.items():
        if name in given:
            continue
        if not isinstance(value, str):
            several.append([(name, one) for one in value])
        elif not (value == "true" and {name, known[name].data_key} & dropped):
            fixed[name] = value
    return fixed, tuple(dict(chosen) for chosen in product(*several))


def hints(meta: Options, predicate: Predicate) -> Params:
    """Return parameters that only a stray source names: they may narrow the list, and nothing relies on it."""
    wanted = {test.target.data_key: test.value for test in predicate.tests if test.lookup == "exact"}
    return {
        name: value
        for name, param in meta.list_params.items()
        if param.hint and isinstance(value := wanted.get(param.data_key), str) and value.strip()
    }
