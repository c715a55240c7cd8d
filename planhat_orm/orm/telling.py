"""What a field or a record is, in words: for ``help(Task.status)``, a ``repr`` and messages.

Reads descriptions, imports nothing that runs. It does not know what a tenant makes of a property.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.orm.fields import Field

#: Planhat's names of what tells people which record it is, first found.
TITLES = ("name", "title", "subject", "mainText", "email", "product", "invoiceNo", "nickName", "action", "text")


def title_in(row: Mapping[str, Any]) -> str | None:
    """Return what tells people which record a row is of; None where nothing does.

    >>> title_in({"_id": "64b0f1a2c3d4e5f60718293a", "name": "", "email": "ada@acme.example"})
    'ada@acme.example'
    """
    return next((row[key] for key in TITLES if isinstance(row.get(key), str) and row[key]), None)


def told(field: Field[Any, Any]) -> str:
    """Say what a field is: its type, Planhat's name, what may be done with it and what it means.

    >>> from planhat_orm.models import NPS
    >>> told(NPS.score)
    "int, Planhat's 'score'; required; 'NPS' in Planhat's screens; from 0 to 10"
    """
    flags = {"required": field.required, "read-only": field.read_only, "write-only": field.write_only}
    parts = [f"{field.python_type}, Planhat's {field.data_key!r}"]
    parts += [f"written as {field.write_key!r}"] if field.write_key != field.data_key else []
    parts += [flag for flag, is_set in flags.items() if is_set]
    parts += [f"{field.label!r} in Planhat's screens"] if field.label else []
    parts += [field.help] if field.help else []
    parts += [f"one of {', '.join(field.choices)}"] if field.choices else []
    limits = span(field)
    return "; ".join([*parts, limits] if limits and limits not in field.help else parts)


def span(field: Field[Any, Any]) -> str:
    """Return the numbers that may be written, in words; empty where any may.

    >>> from planhat_orm.models import TimeEntry
    >>> span(TimeEntry.hours), span(TimeEntry.cost_rate)
    ('from 0.1 to 24', '')
    """
    if field.least is not None and field.most is not None:
        return f"from {field.least} to {field.most}"
    bounds = (("at least", field.least), ("at most", field.most))
    return "".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
