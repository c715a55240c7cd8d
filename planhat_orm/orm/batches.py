"""Rows on their way from pages to objects.

Imports nothing of the project. It does not promise that the rows are of one page: they may be those of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planhat_orm.orm.state import Reloading

Row = dict[str, Any]
Params = dict[str, str]


@dataclass(slots=True)
class Batch:
    """Rows that came together, with the requests that brought them; ``whole`` when each was read by its own key.

    ``selected`` are Planhat's names of what was selected when they were asked for; empty for what the list gives.
    ``doubtful`` are some of the rows that came where none held what a filter compares. ``loaded`` are Planhat's names
    of what rows hold that no page brought, and ``reload`` is what loads more of those.
    """

    rows: list[Row]
    pages: list[Params]
    number: int
    whole: bool = False
    selected: tuple[str, ...] = ()
    doubtful: tuple[Row, ...] = ()
    loaded: frozenset[str] = frozenset()
    reload: Reloading | None = None

    def absorb(self, other: Batch) -> None:
        """Take the rows of another one in; what it selected was asked for last, and may be more."""
        self.rows += other.rows
        self.pages += other.pages
        self.number = self.number or other.number
        self.selected = other.selected
        self.loaded, self.reload = other.loaded, other.reload
