"""What to write instead of a value of the wrong type, where it can be told: a text out of a CSV holds a number.

Pure functions that give the end of a message, or nothing. Imports nothing of the package. It does not promise that the
value which comes of it is the one that was meant.
"""

from __future__ import annotations

import re
from datetime import date, datetime

#: A number in a text, as Python and Planhat write it.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def text(value: object) -> str:
    """Say how a number is written as a text; empty for anything else.

    >>> text(42), text(None)
    (": write '42'", '')
    """
    return f": write {str(value)!r}" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def number(value: object, expected: tuple[type, ...]) -> str:
    """Say how a number is made of a text that reads as one of the types expected; empty for anything else.

    >>> number("3", (int,)), number("3.5", (int, float)), number("3.5", (int,))
    (": int('3') makes it one", ": float('3.5') makes it one", '')
    """
    if not isinstance(value, str) or len(value) > 30 or not NUMBER.match(value.strip()):
        return ""
    if value.strip().lstrip("+-").isdigit():
        return f": int({value!r}) makes it one"
    return f": float({value!r}) makes it one" if float in expected else ""


def day(value: object) -> str:
    """Say how a calendar day is made of what holds one; empty for anything else.

    >>> day("2026-01-12"), day("soon")
    (": date.fromisoformat('2026-01-12') makes it one", '')
    """
    if isinstance(value, datetime):
        return ": its .date() is one"
    try:
        found = date.fromisoformat(value.strip()[:10]) if isinstance(value, str) else None
    except ValueError:
        found = None
    return f": date.fromisoformat({found.isoformat()!r}) makes it one" if found is not None else ""


def instant(value: object) -> str:
    """Say how a point in time is made of what holds one; empty for anything else.

    >>> instant("2026-01-12T09:00:00+00:00")
    ": datetime.fromisoformat('2026-01-12T09:00:00+00:00') makes it one"
    """
    if isinstance(value, date):
        return f": write datetime({value.year}, {value.month}, {value.day}, tzinfo=timezone.utc)"
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        return ""
    zone = "" if found.tzinfo else ".replace(tzinfo=timezone.utc)"
    return f": datetime.fromisoformat({str(value).strip()!r}){zone} makes it one"
