"""The order of rows: how they are put in order here, and whether rows that Planhat ordered are.

Works on rows and paths; imports nothing that queries. It does not promise the order that Planhat's own screens show:
values are compared as MongoDB, in which Planhat stores them, compares them, texts by their characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm.matching import UNREADABLE, is_empty
from planhat_orm.orm.paths import Target, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planhat_orm.orm.options import Options

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order."""

    target: Target
    descending: bool

    @property
    def sortable(self) -> bool:
        """Whether Planhat can sort by it: a property of the record itself that holds one value."""
        return not self.target.custom and not self.target.field.mutable and self.target.field.data_key != "custom"

    @property
    def natural(self) -> bool:
        """Whether it is the order in which everything is read anyway."""
        return self.target.data_key == "_id" and not self.descending

    @property
    def parameter(self) -> str:
        """The value of ``sort``."""
        return ("-" if self.descending else "") + self.target.data_key


def order_of(meta: Options, path: str) -> Order:
    """Read one key of an order: a path, with a minus in front for descending.

    :raises InvalidQuery: for what is no name, Django's "?" included.
    :raises UnknownField: with a suggestion.
    """
    if not isinstance(path, str) or path.strip() in ("", "-", "?"):
        raise InvalidQuery(f"order_by() takes names of fields, with a minus for descending, not {path!r}")
    name = path.removeprefix("-")
    return Order(resolve(meta, name), name != path)


def said_of(order: Iterable[Order]) -> str:
    """Say where values that are missing stand, and how texts compare; empty where only ids are compared.

    >>> from planhat_orm.models import Company
    >>> said_of([order_of(Company._meta, "-arr")]), said_of([order_of(Company._meta, "-id")])
    (': values that are missing last, texts by their characters', '')
    """
    ways = {key.descending for key in order if key.target.data_key != "_id"}
    missing = "first, where it descends last" if len(ways) > 1 else "last" if True in ways else "first"
    return f": values that are missing {missing}, texts by their characters" if ways else ""


def sort_key(order: Order, row: Mapping[str, Any], *, fold: bool = False) -> tuple[int, Any]:
    """Return what a row is ordered by: no value, numbers, texts, containers, booleans, times, what cannot be read.

    ``fold`` leaves letter case out of it.
    """
    value = order.target.read(row)
    if is_empty(value):
        return (0, 0)
    if value is UNREADABLE:
        return (6, written(row.get(order.target.data_key)))
    if isinstance(value, bool):
        return (4, value)
    if isinstance(value, (int, float)):
        return (1, value) if value == value else (1, float("-inf"))  # NaN is in no order
    if isinstance(value, str):
        return (2, value.casefold() if fold else value)
    if isinstance(value, (list, dict)):
        return (3, written(value))
    return (5, value.isoformat())


def written(value: Any) -> str:
    """Write a value that is in no order of its own, so that all such values are in some order."""
    try:
        return str(value)
    except (RecursionError, ValueError):  # nested too deeply, or a number of more digits than Python writes
        return ""


def in_order(rows: list[Row], order: Iterable[Order], *, fold: bool = False) -> None:
    """Put rows in order, in place: by the keys given, and by id where those are equal.

    ``fold`` leaves letter case out of it.
    """
    rows.sort(key=lambda row: str(row["_id"]))
    for key in reversed(tuple(order)):
        rows.sort(key=partial(sort_key, key, fold=fold), reverse=key.descending)


def begins_empty(rows: Sequence[Row], order: Order) -> bool:
    """Tell whether the first row has no value although those come last: nothing has one, or the order was ignored."""
    return order.descending and bool(rows) and sort_key(order, rows[0])[0] == 0


def is_ordered(rows: Sequence[Row], order: Order) -> bool:
    """Tell whether rows may be in the order that Planhat was asked for.

    Letter case may be ordered either way. Rows whose value is stored as another type than most, a number as a text,
    are not looked at: where they stand depends on the type that Planhat stored.
    """
    return fits(rows, order, fold=False) or fits(rows, order, fold=True)


def fits(rows: Sequence[Row], order: Order, *, fold: bool) -> bool:
    """Tell whether rows are in an order that looks at letter case, or, with ``fold``, in one that does not."""
    kinds = [type(row.get(order.target.data_key)) for row in rows]
    kinds = [float if kind is int else kind for kind in kinds]
    usual = max(set(kinds) - {type(None)}, key=kinds.count, default=None)
    looked_at = [row for row, kind in zip(rows, kinds, strict=True) if kind in (usual, type(None))]
    keys = [sort_key(order, row, fold=fold) for row in looked_at]
    return all(one >= other if order.descending else one <= other for one, other in pairwise(keys))
