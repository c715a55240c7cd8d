"""How a value is written in a list parameter, and the names that ``params()`` takes.

Works on one parameter at a time. Imports the descriptions of parameters, matching and the errors. It does not promise
that Planhat honours a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import InvalidQuery, suggestion
from planhat_orm.orm import conversion
from planhat_orm.orm.conversion import an
from planhat_orm.orm.matching import Span
from planhat_orm.orm.params import Param

if TYPE_CHECKING:
    from planhat_orm.orm.options import Options

#: How the words of paging are said.
PAGING = {
    "limit": "a slice, [:10]",
    "offset": "a slice, [10:20]",
    "sort": "order_by()",
    "select": "only()",
}
WORDS = {True: "true", False: "false"}
FORMS = {
    "day": "a date, or a text such as '2025-06-01'",
    "day_number": "a date, or the number of days since 1970-01-01",
    "boolean": "True or False",
    "text": "a text, a number, a boolean, a date or a record",
}
EPOCH = date(1970, 1, 1)


def known_params(meta: Options) -> dict[str, Param]:
    """Return the list parameters of a model by name, with those that bring rows out of hiding.

    One that has a list for each of its values filters by the property that it is named like.
    """
    hiding = {
        name: Param("" if isinstance(value, str) else name, form="boolean" if is_word(value) else "text")
        for name, value in meta.unhide.items()
    }
    known = {**hiding, **meta.list_params}
    for name, param in hiding.items():
        if param.form == "boolean" and known[name].form == "text" and not known[name].values:
            known[name] = replace(known[name], form="boolean")
    return known


def is_word(value: Any) -> bool:
    """Tell whether what brings rows out of hiding is true or false."""
    return {value} <= {*WORDS.values()} if isinstance(value, str) else set(value) <= {*WORDS.values()}


def only_adds(meta: Options, name: str) -> bool:
    """Tell whether a parameter adds rows to a list rather than choosing among them: ``archived=true`` of endusers."""
    param = meta.list_params.get(name)
    return isinstance(meta.unhide.get(name), str) and (param is None or param.lookup == "exact")


def in_form(param: Param, value: Any) -> str | None:
    """Return what is sent for the value of a condition; None where the parameter cannot say it."""
    if param.values:
        found = [sent for meant, sent in param.values.items() if meant == value and type(meant) is type(value)]
        return found[0] if found else None
    if param.form == "boolean" or isinstance(value, bool):
        return WORDS[value] if isinstance(value, bool) else None
    if param.form != "text":
        if not isinstance(value, Span) or not value.whole_day:
            return None
        return written_day(param, value.first.astimezone(value.zone).date())
    return str(value) if isinstance(value, (str, int, float)) else None


def written_day(param: Param, day: date) -> str:
    """Return a calendar day as the parameter takes it.

    >>> written_day(Param(form="day_number"), date(2025, 6, 1)), written_day(Param(form="day"), date(2025, 6, 1))
    ('20240', '2025-06-01')
    """
    return str((day - EPOCH).days) if param.form == "day_number" else day.isoformat()


def given_params(meta: Options, values: Mapping[str, Any]) -> dict[str, str]:
    """Check what ``params()`` was given, and return what is sent.

    :raises InvalidQuery: for a name that is not documented, with a suggestion, and for a value that it cannot have.
    """
    known = known_params(meta)
    given: dict[str, str] = {}
    for name, value in values.items():
        # `from` is a word of Python's.
        wire = name[:-1] if name not in known and name.endswith("_") else name
        if wire not in known:
            raise InvalidQuery(unknown_param(meta, wire, known))
        try:
            given[wire] = sent(known[wire], value)
        except InvalidQuery as problem:
            raise InvalidQuery(f"{meta.name}: params({name}=...): {problem}") from None
    return given


def unknown_param(meta: Options, name: str, known: Mapping[str, Param]) -> str:
    """Say that a list takes no such parameter: Planhat would ignore it."""
    if name in PAGING:
        return f"{meta.name}: {name!r} is said by {PAGING[name]}"
    if name in meta.by_name or name in meta.by_key:
        field = meta.by_name.get(name) or meta.by_key[name]
        hint = f"; did you mean filter({field.name}=...)?"
    else:
        hint = suggestion(name, known)
    names = f"there are {', '.join(known)}" if known else "it takes none"
    return f"{meta.name}: no list parameter {name!r} is documented, so Planhat would ignore it{hint} ({names})"


def sent(param: Param, value: Any) -> str:
    """Return what is sent for a value of ``params()``."""
    lists = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
    if not lists:
        return one_sent(param, value)
    if not param.many:
        raise InvalidQuery(f"takes one value, not {value!r}")
    parts = [one_sent(param, one) for one in value]
    if not parts:
        raise InvalidQuery("an empty list is a parameter that Planhat would ignore")
    if any("," in part for part in parts):
        raise InvalidQuery("a value with a comma would be read as two")
    return ",".join(parts)


def one_sent(param: Param, value: Any) -> str:
    """Return what is sent for one value."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise InvalidQuery("a blank value is one that Planhat would ignore; is a variable unset?")
    if param.values and (found := in_form(param, value)) is not None:
        return found
    if param.form == "boolean":
        word = WORDS[value] if isinstance(value, bool) else value
        if word in WORDS.values():
            return str(word)
        raise refusal(param, value)
    return plain(param, value) if param.form == "text" else day(param, value)


def plain(param: Param, value: Any) -> str:
    """Write a value that is taken as it is."""
    if isinstance(value, bool):
        return WORDS[value]
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidQuery(f"{value} has no time zone; give it one")
        return conversion.wire_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(type(value), "_meta"):
        if value.id is None:
            raise InvalidQuery(f"{value!r} is not saved yet, so that it has no id")
        return str(value.id)
    raise refusal(param, value)


def day(param: Param, value: Any) -> str:
    """Write a calendar day; that of a point in time is its day in UTC."""
    if param.form == "day_number" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        if param.form == "day_number" and value.isdigit():
            return value
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise refusal(param, value) from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidQuery(f"{value} has no time zone; give it one, or give a date")
        value = value.astimezone(UTC).date()
    if not isinstance(value, date):
        raise refusal(param, value)
    return written_day(param, value)


def refusal(param: Param, value: Any) -> InvalidQuery:
    """Return the error for a value that a parameter cannot have."""
    kind = an(type(value).__name__)
    return InvalidQuery(
        f"takes {FORMS[param.form]}{', or a list of them' if param.many else ''}, not {kind}: {value!r}"
    )
