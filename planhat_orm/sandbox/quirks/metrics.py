"""Metrics as lists show them: no order, no selection, and a window of days.

The facts are those of https://www.planhat.com/developers/api/metrics. Imports ``base``. It does not know how points are
written: that is ``planhat_orm.sandbox.analytics``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from planhat_orm.sandbox.quirks.base import Filter, Quirks, moment_of
from planhat_orm.sandbox.store import Condition, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planhat_orm.sandbox.world import World

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(moment: datetime) -> int:
    """Return the number of whole days since 1970-01-01.

    >>> day_of(datetime(2026, 1, 1, 23, tzinfo=UTC))
    20454
    """
    return (moment - _EPOCH).days


def window(world: World, params: Mapping[str, str]) -> Iterator[Condition]:
    """Show the days from ``from`` to ``to``; what is shown without them is not documented: here the last days only."""
    behaviour = world.behaviour
    today = day_of(world.clock().astimezone(UTC))
    first = _whole(params.get("from"), today - behaviour.metrics_window_days)
    last = _whole(params.get("to"), today + 1)
    yield Condition("day", (first,), "gte")
    yield Condition("day", (last if behaviour.metrics_to_inclusive else last - 1,), "lte")


def _whole(text: str | None, default: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default


def settle_metric(world: World, row: Row, sent: frozenset[str]) -> None:
    """Number the day. A point knows no version."""
    row.pop("__v", None)
    row.setdefault("time", world.now())
    moment = moment_of(row["time"])
    if moment is not None:
        row["day"] = day_of(moment)


QUIRKS: dict[str, Quirks] = {
    "dimensiondata": Quirks(
        filters={"cId": Filter("companyId"), "dimid": Filter("dimensionId")},
        missing=frozenset({"create", "get", "update", "delete", "bulk_upsert"}),
        prefixes=frozenset(),
        keyed=frozenset(),
        match=(),
        stamps=(),
        settle=settle_metric,
        hides=window,
    ),
}
