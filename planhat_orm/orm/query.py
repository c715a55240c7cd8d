"""Query: a frozen description of what is wanted of one model. Nothing here knows how it is got.

Imports lookups only. It does not promise that what it describes can be asked of Planhat; that is the planner's to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import InvalidQuery

if TYPE_CHECKING:
    from planhat_orm.orm.lookups import Q
    from planhat_orm.orm.model import Model

OnMissing = Literal["peers", "one", "raise"]


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted: which rows, in which order, which stretch of them, and which of their properties.

    ``only`` are Planhat's names of the fields asked for, None for the usual ones; ``deferred`` those left out.
    ``stop`` None means to the end. ``params`` are list parameters that are sent as they are. ``prefetch`` are paths
    over links that are loaded with the rows; ``parallel`` is how many pages are asked for at a time.

    >>> from planhat_orm.models import Company
    >>> print(Query(Company, order=("-arr",)).window(10, None).window(0, 5))
    Company.order_by('-arr')[10:15]
    """

    model: type[Model]
    where: tuple[Q, ...] = ()
    order: tuple[str, ...] = ()
    start: int = 0
    stop: int | None = None
    only: frozenset[str] | None = None
    deferred: frozenset[str] = frozenset()
    on_missing: OnMissing = "peers"
    empty: bool = False
    params: tuple[tuple[str, str], ...] = ()
    prefetch: tuple[str, ...] = ()
    parallel: int = 1

    @property
    def sliced(self) -> bool:
        """Whether only a stretch of the rows is wanted."""
        return self.start > 0 or self.stop is not None

    def filtered(self, *conditions: Q) -> Query:
        """Return the query with more conditions; all have to hold."""
        return replace(self, where=self.where + tuple(q for q in conditions if q.children))

    def window(self, start: int | None, stop: int | None) -> Query:
        """Return the query for a slice of its rows, as Python slices a list: slices of slices compose.

        :raises InvalidQuery: for a negative index, and for what is no whole number.
        """
        first, last = check_index(start) or 0, check_index(stop)
        low = self.start + first if self.stop is None else min(self.start + first, self.stop)
        ends = [end for end in (self.stop, None if last is None else self.start + last) if end is not None]
        high = max(low, min(ends)) if ends else None
        return replace(self, start=low, stop=high)

    def reversed_order(self) -> Query:
        """Return the query in the opposite order; without an order, by the id downwards."""
        turned = tuple(path[1:] if path.startswith("-") else f"-{path}" for path in self.order or ("id",))
        return replace(self, order=turned)

    def __str__(self) -> str:
        parts = [self.model.__name__, *(f"filter({q._said()})" for q in self.where)]
        shown = (f"{name}{'_' if iskeyword(name) else ''}={value!r}" for name, value in self.params)
        parts += [f"params({', '.join(shown)})"] if self.params else []
        parts += [f"order_by({', '.join(map(repr, self.order))})"] if self.order else []
        window = f"[{self.start or ''}:{'' if self.stop is None else self.stop}]" if self.sliced else ""
        return ".".join(parts) + window + (".none()" if self.empty else "")


def check_index(index: Any) -> int | None:
    """Check one end of a slice, or an index.

    :raises InvalidQuery: with Django's wording.
    """
    if index is None:
        return None
    if isinstance(index, bool) or not hasattr(index, "__index__"):
        raise InvalidQuery(f"QuerySet indices must be integers or slices, not {type(index).__name__}.")
    number: int = index.__index__()
    if number < 0:
        raise InvalidQuery(
            "Negative indexing is not supported. Use reverse() or order_by('-...') and a positive index."
        )
    return number
