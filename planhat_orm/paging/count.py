"""Count a list that tells no total, by probing where it ends.

**The idea.** One page of the endpoint's maximum answers for every small list: it is short, and its length is the
number. For longer ones the offset grows fourfold until a page comes back empty, and the stretch between the last full
page and that empty one is halved, page by page, until a short page shows the end or nothing is left between the two.
The driver sends ``select=_id``, so a probe is small.

A short page may have been cut by a maximum of the server's own; what a length of that kind looks like, and that one
more request settles it, is as in :mod:`planhat_orm.paging.scan`.

**What is not promised.** The number holds for a list that does not change between the probes; for one that does, it is
a number near the true one. Maxima that are not round numbers, or that shrink after a longer page was seen, count too
little.

The engine is a generator that yields what it wants and is sent what came: no network, no threads, no models. It may
import the errors and its own package only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planhat_orm.errors import PaginationError
from planhat_orm.paging.scan import Fetch, Page, TooSlow, ids_of, looks_capped

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["count"]

_GROWTH: Final = 4
# Fourfold growth from a page of one row passes four thousand million rows in sixteen probes; halving that takes
# thirty-two.
_MOST_PROBES: Final = 64


def count(*, page_size: int, default_size: int) -> Generator[Fetch, Page | TooSlow, int]:
    """Return a generator that yields page requests, is sent the pages, and returns the number of rows.

    ``page_size`` is the endpoint's maximum, ``default_size`` what it returns when no limit is sent. Send each
    :class:`Fetch` its page, rows with nothing but ``_id`` will do, or :data:`~planhat_orm.paging.TOO_SLOW`; the number
    is the value of ``StopIteration``. A list shorter than one page costs one request, 30,001 rows at most 10 and
    500,000 at most 18 with pages of 2,000.

    Raises :class:`PaginationError` when the server ignores the offset, or a page is too slow even at the smallest
    size, and ``ValueError`` for a ``page_size`` below 1.

    Planhat's parameters: https://www.planhat.com/developers/api/introduction

    >>> table = [{"_id": f"{number:024x}"} for number in range(1234)]
    >>> probes = count(page_size=500, default_size=100)
    >>> wanted = next(probes)
    >>> try:
    ...     while True:
    ...         print(wanted)
    ...         wanted = probes.send(table[wanted.offset : wanted.offset + wanted.limit])
    ... except StopIteration as end:
    ...     print(end.value, "rows")
    Fetch(offset=0, limit=500)
    Fetch(offset=500, limit=500)
    Fetch(offset=2000, limit=500)
    Fetch(offset=1000, limit=500)
    1234 rows
    """
    if page_size < 1:
        raise ValueError(f"page_size must be at least 1, not {page_size}")
    return _Count(page_size, default_size).run()


class _Count:
    """At least ``least`` rows exist, and at most ``most`` (``None``: not known yet)."""

    __slots__ = ("default_size", "first", "least", "longest", "most", "offset", "size", "unconfirmed")

    def __init__(self, page_size: int, default_size: int) -> None:
        self.size = page_size
        self.default_size = default_size
        self.least = 0
        self.most: int | None = None
        self.offset = 0
        self.longest = 0
        self.first: str | None = None  # the id at offset 0
        self.unconfirmed: int | None = None  # length of the short page that the present probe is to confirm

    def run(self) -> Generator[Fetch, Page | TooSlow, int]:
        for _ in range(_MOST_PROBES):
            page = yield Fetch(self.offset, self.size)
            if isinstance(page, TooSlow):
                self.shrink()
                continue
            self.take(ids_of(page, self.offset))
            if self.most is not None and self.least >= self.most:
                return self.most
            self.offset = self.next_offset()
        raise PaginationError(
            f"{_MOST_PROBES} probes did not find the end of the list, which has {self.least} rows or more"
        )

    def shrink(self) -> None:
        if self.size == 1:
            raise PaginationError(f"one row at offset {self.offset} is still too slow; narrow the query")
        self.size //= 2

    def take(self, ids: list[str]) -> None:
        if not ids:
            self.most = self.offset
            return
        if self.offset == 0:
            self.first = ids[0]
        elif ids[0] == self.first:
            raise PaginationError(
                f"offset 0 and offset {self.offset} begin with the same record {self.first}: the server ignores the "
                f"offset, so that its rows cannot be counted"
            )
        length = len(ids)
        if self.unconfirmed is not None:
            # The short page was not the last one: its length is the server's maximum.
            self.size = min(self.size, self.unconfirmed)
        self.least = max(self.least, self.offset + length)
        full = length >= self.size
        doubtful = not full and length >= self.longest and looks_capped(length, self.default_size)
        self.unconfirmed = length if doubtful else None
        self.longest = max(self.longest, length)
        if not (full or doubtful):
            self.most = self.offset + length

    def next_offset(self) -> int:
        if self.most is None:
            return max(self.least, _GROWTH * self.offset)
        # The middle one of the pages that fit between, so that full and empty halve it alike.
        windows = -(-(self.most - self.least) // self.size)
        return self.least + (windows - 1) // 2 * self.size
