"""Param: one documented query parameter of a list endpoint, and the field it speaks of.

Descriptions only. Imports the evidence. It does not promise that Planhat honours a parameter: rows are checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.orm.evidence import Evidence

#: How a value is written in a parameter. "text": as it is. "day": 2025-06-01. "day_number": days since 1970-01-01.
#: "boolean": true or false.
Form = Literal["text", "day", "day_number", "boolean"]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a list.

    :param data_key: Planhat's name of the field it filters by. "" when what it does cannot be told from a row: such a
        parameter is sent by ``params()`` only.
    :param lookup: what it asks of the field; "contains" for one id among those of a list.
    :param many: takes several values, comma-separated.
    :param hint: only inferred: it may be sent, nothing relies on it.
    :param values: what is sent for a value of the field, where it is not the value: ``{True: "only"}``.
    :param form: how values are written.
    :param help: one sentence on what it means.
    :param evidence: who says so, where it is not ``Meta.evidence["filters"]``.

    >>> Param("companyId", many=True).lookup
    'exact'
    """

    data_key: str = ""
    lookup: Literal["exact", "contains", "gte", "lte"] = "exact"
    many: bool = False
    hint: bool = False
    values: Mapping[Any, str] = field(default_factory=dict)
    form: Form = "text"
    help: str = ""
    evidence: Evidence | None = None
