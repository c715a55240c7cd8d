"""The page cache of one queryset: every page is fetched once, whoever asks first.

Imports nothing of the package. It does not promise that what was cached is still so at Planhat.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Results(Generic[T]):
    """Objects that are fetched as far as they are needed: iterating, counting and indexing share them.

    After an error everything is forgotten, so that the next use starts anew and nothing is taken for complete.

    >>> results = Results(lambda: iter([[1, 2], [3]]))
    >>> results.upto(1)[:], results.complete, list(results), results.complete
    ([1, 2], False, [1, 2, 3], True)
    """

    def __init__(self, fetch: Callable[[], Iterator[list[T]]]) -> None:
        self._fetch = fetch
        self._batches: Iterator[list[T]] | None = None
        self._lock = RLock()
        self._items: list[T] = []
        self.complete = False

    @classmethod
    def of(cls, items: list[T]) -> Results[T]:
        """Return complete results that are there already."""
        results = cls(lambda: iter(()))
        results._items = items
        results.complete = True
        return results

    def upto(self, count: int | None) -> list[T]:
        """Return what is cached, after fetching until ``count`` items are there; None fetches all.

        It is the cache itself, which grows: a caller that keeps it must copy it.
        """
        with self._lock:
            while not self.complete and (count is None or len(self._items) < count):
                try:
                    self._batches = self._batches or self._fetch()
                    batch = next(self._batches, None)
                except BaseException:
                    self._items, self._batches = [], None
                    raise
                if batch is None:
                    self.complete, self._batches = True, None
                else:
                    self._items.extend(batch)
            return self._items

    @property
    def cached(self) -> list[T]:
        """What is there without asking."""
        return self._items

    def __iter__(self) -> Iterator[T]:
        place = 0
        while True:
            items = self.upto(place + 1)
            if place >= len(items):
                return
            while place < len(items):
                yield items[place]
                place += 1
