"""A set of callbacks that threads may add to and take from while others call them.

Imports nothing of the package. It does not promise that a callback is not called once more by a thread that was about
to when it was taken out.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

F = TypeVar("F")


class Callbacks(Generic[F]):
    """Callbacks in the order in which they were added.

    >>> callbacks = Callbacks()
    >>> remove = callbacks.add(print)
    >>> len(list(callbacks))
    1
    >>> remove()
    >>> len(list(callbacks))
    0
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # Replaced as a whole, so that whoever iterates has one that does not change.
        self._entries: tuple[tuple[F], ...] = ()

    def add(self, callback: F) -> Callable[[], None]:
        """Add a callback and return what takes it out again."""
        entry = (callback,)
        with self._lock:
            self._entries = (*self._entries, entry)

        def remove() -> None:
            with self._lock:
                self._entries = tuple(one for one in self._entries if one is not entry)

        return remove

    def __iter__(self) -> Iterator[F]:
        return (callback for (callback,) in self._entries)
