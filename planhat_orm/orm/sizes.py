"""What a session knows of how long lists are: what the last complete reading, count or probe of each showed.

Prices are weighed and told by it. Imports the session's type only. It does not promise that a list is still so long,
nor to know more than the lists that were looked at last.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.session.session import Session

#: What a page is asked for besides what its list is.
PAGING: Final = frozenset(("limit", "offset", "sort", "select"))
#: The sizes of so many lists are known to a session: who counts the endusers of each company looks at one for each.
MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a list had, or had at least, when it was last looked at.

    :param rows: the number of rows.
    :param exact: whether that is all of them.
    :param at: when, in seconds of a monotonic clock.

    >>> Size(500, exact=True, at=time.monotonic()).age < 60
    True
    """

    rows: int
    exact: bool
    at: float

    @property
    def age(self) -> float:
        """How many seconds ago that was."""
        return time.monotonic() - self.at


_known: WeakKeyDictionary[Session, dict[tuple[Any, ...], Size]] = WeakKeyDictionary()
_lock = Lock()


def place(path: str, params: Mapping[str, str]) -> tuple[Any, ...]:
    """Return what tells a list from others: its path and what it is narrowed by.

    >>> place("/companies", {"limit": "5000", "sort": "_id", "status": "lost"})
    ('/companies', ('status', 'lost'))
    """
    return (path, *sorted((name, value) for name, value in params.items() if name not in PAGING))


def note(session: Session, path: str, params: Mapping[str, str], rows: int, *, exact: bool) -> None:
    """Remember how long a list was; "at least so many" does not replace a larger number."""
    here = place(path, params)
    with _lock:
        found = _known.setdefault(session, {})
        before = found.get(here)
        if exact or before is None or before.rows < rows:
            found.pop(here, None)  # the lists stand in the order in which they were looked at
            found[here] = Size(rows, exact, time.monotonic())
            if len(found) > MOST:
                del found[next(iter(found))]


def known(session: Session, path: str, params: Mapping[str, str]) -> Size | None:
    """Return how long a list was when it was last looked at; None for one that never was."""
    return _known.get(session, {}).get(place(path, params))
