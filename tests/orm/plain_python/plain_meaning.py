"""What a filter and an order mean, once more and by other means: from docs/querysets.md, over rows as they are stored.

Imports nothing of the package, so that a mistake there is not repeated here. It knows the values that the tests store
and ask for, and does not promise a meaning for any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

Row = Mapping[str, Any]

#: A value that cannot be read: it equals nothing, is in no stretch, and is not missing.
ODD = object()

NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*\Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
BEGINS_AS_DAY = re.compile(r"\d{4}-\d\d-\d\d")
TRUE_OR_FALSE: dict[Any, Any] = {"true": True, "false": False, "1": True, "0": False, "": None}


# Reading


def read(kind: str, raw: Any) -> Any:
    """Return what is stored as Python reads it; None where there is nothing, ODD where it cannot be read."""
    if raw is None or kind == "any":
        return raw
    return READERS[kind](raw)


def read_text(raw: Any) -> Any:
    if isinstance(raw, str):
        return raw
    return ODD if isinstance(raw, (bool, list, dict)) else str(raw)


def read_number(raw: Any) -> Any:
    if isinstance(raw, (bool, list, dict)):
        return ODD
    if not isinstance(raw, str):
        return raw
    if not raw.strip():
        return None
    return float(raw) if NUMBER.match(raw) else ODD


def read_boolean(raw: Any) -> Any:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        return TRUE_OR_FALSE.get(raw.strip().lower(), ODD)
    return bool(raw) if raw in (0, 1) else ODD


def read_time(raw: Any) -> Any:
    if isinstance(raw, str):
        if not raw.strip():
            return None
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            return ODD
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(raw, (bool, list, dict)):
        return ODD
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=raw)


def read_day(raw: Any) -> Any:
    if isinstance(raw, int) and not isinstance(raw, bool) and raw < 100_000:
        return date(1970, 1, 1) + timedelta(days=raw)
    moment = read_time(raw)
    # The midnight that is nearest.
    return (moment.astimezone(UTC) + timedelta(hours=12)).date() if isinstance(moment, datetime) else moment


def read_texts(raw: Any) -> Any:
    if isinstance(raw, str):
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw if isinstance(raw, (list, dict)) else ODD


def read_link(raw: Any) -> Any:
    if isinstance(raw, dict):
        raw = raw.get("_id") or raw.get("id")
    if raw is None or raw == "":
        return None
    return raw if isinstance(raw, str) else ODD


def read_links(raw: Any) -> Any:
    if not isinstance(raw, list):
        return None if raw == "" else ODD
    return [read_link(item) or ODD for item in raw]


READERS = {
    "text": read_text,
    "number": read_number,
    "boolean": read_boolean,
    "time": read_time,
    "day": read_day,
    "utc day": lambda raw: read_time(raw).date(),
    "texts": read_texts,
    "link": read_link,
    "links": read_links,
}


def stored(row: Row, key: str) -> Any:
    """Return what a row holds under a key, or under one inside ``custom``."""
    name, _, inner = key.partition(".")
    if not inner:
        return row.get(name)
    held = row.get(name)
    return held.get(inner) if isinstance(held, dict) else None


# Comparing


def is_missing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def equal(one: Any, other: Any) -> bool:
    """Tell whether two values are the same; yes is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, (list, dict)) or isinstance(other, (list, dict)):
        return isinstance(one, dict) and isinstance(other, dict) and one == other
    return isinstance(one, str) == isinstance(other, str) and one == other


def stretch(asked: Any, zone: tzinfo | None) -> tuple[datetime, datetime, tzinfo, bool] | None:
    """Return the first moment asked for, the first after it, the zone, and whether it is a day; None for no time."""
    if isinstance(asked, str):
        asked = date.fromisoformat(asked) if len(asked) == 10 else datetime.fromisoformat(asked)
    if isinstance(asked, datetime):
        asked = asked if asked.tzinfo else asked.replace(tzinfo=zone)
        return asked, asked, asked.tzinfo or UTC, False
    if not isinstance(asked, date):
        return None
    zone = zone or UTC
    morning = datetime(asked.year, asked.month, asked.day, tzinfo=zone)
    following = asked + timedelta(days=1)
    return morning, datetime(following.year, following.month, following.day, tzinfo=zone), zone, True


def moment_of(value: Any, zone: tzinfo, *, whole_day: bool) -> datetime | None:
    """Return a stored value as a moment: a calendar day begins at midnight where it is asked from."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 100_000 and whole_day:
        value = date(1970, 1, 1) + timedelta(days=value)
    if isinstance(value, str) and DAY.match(value):
        value = date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    if value is ODD or isinstance(value, (bool, list, dict)) or value is None:
        return None
    moment = value if isinstance(value, datetime) else read_time(value)
    return moment if isinstance(moment, datetime) else None


def compare(value: Any, how: str, asked: Any, zone: tzinfo | None, *, timely: bool) -> bool:
    """Compare one stored value with one that is asked for: exact, gt, gte, lt, lte."""
    span = stretch(asked, zone) if timely or isinstance(asked, date) else None
    if span is not None:
        first, after, place, whole = span
        moment = moment_of(value, place, whole_day=whole)
        if moment is None:
            return False
        last_passes = moment < after if whole else moment <= first
        answers = {
            "exact": first <= moment and last_passes,
            "gte": first <= moment,
            "gt": first <= moment and not last_passes,
            "lt": moment < first,
            "lte": moment < first or last_passes,
        }
        return answers[how]
    if value is None or value is ODD:
        return False
    if how == "exact":
        return equal(value, asked)
    if isinstance(value, (bool, list, dict)) or isinstance(value, str) != isinstance(asked, str):
        return False
    return {"gt": value > asked, "gte": value >= asked, "lt": value < asked, "lte": value <= asked}[how]


def on_text(text: str, how: str, asked: str) -> bool:
    if how.endswith("regex"):
        return re.search(asked, text, re.IGNORECASE if how == "iregex" else 0) is not None
    if how.startswith("i"):
        text, how, asked = text.casefold(), how[1:], asked.casefold()
    return {
        "exact": text == asked,
        "contains": asked in text,
        "startswith": text.startswith(asked),
        "endswith": text.endswith(asked),
    }[how]


def matches(value: Any, kind: str, how: str, asked: Any, zone: tzinfo | None = None) -> bool:
    """Tell whether a value, as it was read, passes a lookup."""
    if asked is None and how == "exact":
        how, asked = "isnull", True
    if how == "isnull":
        return is_missing(value) is asked
    # Of a custom field, what is written as a date is compared as one.
    ends = asked if how == "range" else [asked]
    written = kind == "any" and all(isinstance(end, str) and BEGINS_AS_DAY.match(end) for end in ends)
    timely = kind in ("time", "day", "utc day") or written
    items = value if isinstance(value, list) else [value]
    if how == "range":
        return all(
            compare(value, one, end, zone, timely=timely) for one, end in zip(("gte", "lte"), asked, strict=True)
        )
    if how == "in":
        return any(matches(value, kind, "exact" if kind != "texts" else "contains", one, zone) for one in asked) or (
            kind == "any" and isinstance(value, list) and any(matches(one, kind, "in", asked, zone) for one in value)
        )
    if how == "exact" and kind == "links":
        how = "contains"
    if how == "contains" and isinstance(value, list):
        return any(equal(item, asked) for item in items)
    if how in ("exact", "gt", "gte", "lt", "lte"):
        return compare(value, how, asked, zone, timely=timely)
    # A list is looked at item by item; there "contains" is about the whole of one.
    how = "iexact" if how == "icontains" and isinstance(value, list) else how
    return isinstance(asked, str) and any(isinstance(item, str) and on_text(item, how, asked) for item in items)


# Ordering


def place(value: Any, raw: Any) -> tuple[Any, ...]:
    """Return what a value is ordered by: missing ones, numbers, texts, lists, booleans, times, what cannot be read."""
    if is_missing(value):
        return (0,)
    if value is ODD:
        return (6, str(raw))
    if isinstance(value, bool):
        return (4, value)
    if isinstance(value, (list, dict)):
        return (3, str(value))
    if isinstance(value, date):
        return (5, value.astimezone(UTC) if isinstance(value, datetime) else value)
    return (2, value) if isinstance(value, str) else (1, value)


def place_at_server(raw: Any) -> tuple[Any, ...]:
    """Return what the sandbox orders by: nothing, numbers, texts; of anything else its JSON."""
    if raw is None:
        return (0,)
    return (2, raw.encode()) if isinstance(raw, str) else (1, raw) if isinstance(raw, (int, float)) else (2, b"[{")


def in_order(rows: Iterable[Row], keys: Iterable[tuple[str, str, bool]]) -> list[Row]:
    """Return rows by ``(kind, key, descending)``, those that are equal by id."""
    ordered = sorted(rows, key=lambda row: row["_id"])
    for kind, key, descending in reversed(list(keys)):
        ordered.sort(
            key=lambda row, kind=kind, key=key: place(read(kind, stored(row, key)), stored(row, key)),
            reverse=descending,
        )
    return ordered
