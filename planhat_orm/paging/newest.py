"""Read the rows that were changed last, newest first, and stop at the first one that is too old.

**The trouble.** Planhat has no filter "changed since". Its lists can be asked for in the order of the last change
(the driver sends ``sort=-updatedAt``), but that order moves more than any other: who is changed goes to the front and
pushes all others back, and a server that ignores ``sort`` shows rows that look as good as any.

**The idea.** A page is one unbroken stretch of the list as it is at that moment.

* The next page starts at the last row that is *strictly newer* than the oldest one so far, so that it holds all rows
  that have this oldest time. It is *covered* when its first row is strictly newer than the oldest time so far, or when
  its offset is 0; if it is not, rows in front were deleted: step back by an eighth of the page, then twice that, and
  so on.
* Reading stops at the first row that is older than wanted, or has no time, since such rows come last.
* If that took more than one page, records may have moved to the front behind our back. So the front is read again,
  down to the time that stood in the middle of the first page. If that takes more than one page as well, the same goes
  for this reading, until one page is enough.

**Why nothing is lost.** Take a record that existed throughout and was always new enough. If it was not changed while
the pages were read, its place among those that were not changed stays the same; each page is covered, so by induction
all such records that are not older than the page's last row are in it or in an earlier one. If it was changed
meanwhile, its time became later than all that was on the first page then, so it is found when the front is read again;
if it was changed during that, by the next reading; and the last reading is one page, which is of one moment. **Why
nothing is repeated:** each id is handed out once, as it was when it was first seen.

**The order must be proven** before it is relied on. Every page is checked whole; a contradiction is a
:class:`PaginationError`. But rows that nobody changed since they were made are in the order of their ids as well, and
rows of one time are in any order. So the rows have to be in an order of time that chance does not bring about, and
neither in the order of their ids nor in its contrary; otherwise :class:`Oldest` is asked for, the first row of the
opposite order, which must be older. A list that fits into one page needs no proof.

**What is not promised.**

* Records that became new enough while the list was read may be in it or not. Their times are later than the first
  row of the first page.
* It is relied on that a change brings a time that is not older than the middle of what is the first page then. A
  record whose time is set back is lost like one that was deleted, and one whose time is stored as another type than
  the others' (a number among dates) stands behind all of them, where nobody looks.
* Times that cannot be read, more records of one time than a page holds, and a list that changes faster than it can be
  read are a :class:`PaginationError`: such a list has to be read whole.
* Maxima of the server's own that are not round end a list early, as in :mod:`planhat_orm.paging.scan`.

The engine is a generator that yields what it wants and is sent what came: no network, no threads, no models. It may
import the errors and its own package only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import lgamma
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from planhat_orm.errors import PaginationError
from planhat_orm.paging.scan import Fetch, Page, Rows, ScanReport, TooSlow, ids_of, looks_capped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from datetime import datetime

__all__ = ["NewestReport", "Oldest", "newest"]

Times: TypeAlias = "list[datetime | None]"

# A page needs the row that is newer, the oldest one, and one more to get on.
_SMALLEST_PAGE: Final = 3
# Stepping back doubles, so sixteen steps go back over thousands of pages; beyond that the whole list is cheaper.
_REQUESTS_WITHOUT_PROGRESS: Final = 24
_READINGS: Final = 8
# Rows that are in order of time by chance, in one case of ten factorial.
_NO_CHANCE: Final = lgamma(11)
# Ids begin with the second in which they were made. Several processes that make some at once are out of order by less.
_SECONDS_APART: Final = 10


@dataclass(frozen=True, slots=True)
class Oldest:
    """Wanted: the page of one row that is the first one in the opposite order (``sort=updatedAt&limit=1``).

    >>> Oldest()
    Oldest()
    """


@dataclass(slots=True)
class NewestReport(ScanReport):
    """What a reading of the newest rows did, and what it showed of the server.

    ``honoured``
        Whether the server gives the order that it is asked for; None as long as that is not known.

    >>> NewestReport().honoured is None
    True
    """

    honoured: bool | None = None


def newest(
    *,
    page_size: int,
    default_size: int,
    since: datetime,
    time_of: Callable[[dict[str, Any]], datetime | None],
    report: NewestReport | None = None,
) -> Generator[Fetch | Oldest | Rows, Page | TooSlow | None, None]:
    """Return a generator that yields page requests and rows, and is sent the pages.

    It is driven as :func:`~planhat_orm.paging.scan` is; :class:`Oldest` is answered by a page, too. All rows of the
    pages are handed out, each once, those that are too old as well. Nothing of it may be relied on before the end: on
    a :class:`PaginationError` the list has to be read in another way.

    ``since`` is the oldest time wanted. ``time_of`` gives the time of a row, None where it has none, and raises
    ``ValueError`` where it cannot be read. A ``report`` whose ``honoured`` is True saves the proof.

    Raises :class:`PaginationError` when the order is not honoured or cannot be proven and when the list cannot be read
    this way, and ``ValueError`` for a ``page_size`` below 1.

    Planhat's parameters: https://www.planhat.com/developers/api/introduction

    >>> from datetime import datetime, timedelta
    >>> day = datetime(2025, 4, 1)
    >>> table = [{"_id": f"{(7 * n) % 40:024x}", "at": day - timedelta(hours=n)} for n in range(40)]
    >>> report = NewestReport(honoured=True)
    >>> pages = newest(page_size=20, default_size=100, since=day - timedelta(hours=9), time_of=lambda row: row["at"],
    ...                report=report)
    >>> next(pages)
    Fetch(offset=0, limit=20)
    >>> len(pages.send(table[:20]).rows)
    20
    >>> next(pages, "end"), report.proven
    ('end', True)
    """
    if page_size < 1:
        raise ValueError(f"page_size must be at least 1, not {page_size}")
    return _Newest(page_size, default_size, since, time_of, NewestReport() if report is None else report).run()


class _Newest:
    """The state of one reading: what was handed out, and what it learnt about the server."""

    __slots__ = (
        "asked", "default_size", "eldest", "fell", "idle", "mark", "oldest", "report", "rose", "seen", "since", "size",
        "step", "time_of", "unlikely", "youngest",
    )  # fmt: skip

    def __init__(
        self,
        page_size: int,
        default_size: int,
        since: datetime,
        time_of: Callable[[dict[str, Any]], datetime | None],
        report: NewestReport,
    ) -> None:
        self.size = max(page_size, _SMALLEST_PAGE)
        self.default_size = default_size
        self.since = since
        self.time_of = time_of
        self.report = report
        self.seen: set[str] = set()
        self.asked = 0
        # Of the present reading of the front.
        self.mark: datetime | None = None  # the time in the middle of its first page
        self.oldest: datetime | None = None  # the oldest time so far: whatever is newer and stood still was seen
        self.step = 0
        self.idle = 0  # requests since the oldest time became older
        # What speaks for the order: how unlikely it is by chance, and that it is not that of the ids.
        self.unlikely = 0.0
        self.rose = self.fell = False
        self.youngest: datetime | None = None  # the newest time of all rows, and the oldest one
        self.eldest: datetime | None = None

    def run(self) -> Generator[Fetch | Oldest | Rows, Page | TooSlow | None, None]:
        whole_list = yield from self.reading(self.since)
        pages, repeated = self.report.pages, 1
        while pages > 1:
            if repeated == _READINGS:
                raise PaginationError("the list changes faster than its newest rows can be read")
            before, mark = self.report.pages, self.mark
            # Without a time in the middle of a page there is none to read down to: all of it was read.
            yield from self.reading(self.since if mark is None else max(mark, self.since))
            pages, repeated = self.report.pages - before, repeated + 1
        if self.report.honoured is None and not (whole_list and self.report.pages == 1):
            yield from self.prove()

    def reading(self, bound: datetime) -> Generator[Fetch | Oldest | Rows, Page | TooSlow | None, bool]:
        """Read from the front down to a time; return whether the list ended before."""
        offset = self.step = self.idle = 0
        self.mark = self.oldest = None
        begun = False
        while True:
            self.asked = self.size
            page = yield Fetch(offset, self.asked)
            if page is None:
                raise TypeError(f"a Fetch must be answered by its page, not by None (offset {offset})")
            if isinstance(page, TooSlow):
                self.shrink(offset)
                continue
            times, fresh = self.take(page, offset)
            length = len(page)
            # The page must be gone before the next one is fetched: a page can weigh 20 MB.
            del page
            if fresh:
                yield Rows(fresh)
            del fresh
            if not begun and times:
                self.mark = times[len(times) // 2]
            if begun and offset and not (times and is_later(times[0], self.oldest)):
                offset = self.step_back(offset)
                continue
            begun = True
            if times and not is_at_least(times[-1], bound):
                return False
            if length < self.asked and not looks_capped(length, self.default_size):
                return True
            offset = self.next_offset(offset, times)

    def shrink(self, offset: int) -> None:
        if self.asked <= _SMALLEST_PAGE:
            raise PaginationError(f"a page of {self.asked} rows at offset {offset} is still too slow")
        self.size = max(self.asked // 2, _SMALLEST_PAGE)

    def take(self, page: Page, offset: int) -> tuple[Times, Page]:
        """Check the order of a page; return the times of its rows, and the rows that were not handed out yet."""
        ids = ids_of(page, offset)
        try:
            times: Times = [self.time_of(row) for row in page]
        except ValueError as problem:
            raise PaginationError(f"a row's time cannot be read, so that it is in no order: {problem}") from None
        self.report.pages += 1
        if not all(is_at_least(one, other) for one, other in pairwise(times)):
            self.report.honoured = False
            raise PaginationError(f"the page at offset {offset} is not in the order of time that was asked for")
        if times and offset == 0 and times[0] is None:
            raise PaginationError("no row has a time")
        self.weigh(ids, times)
        fresh: dict[str, dict[str, Any]] = {}
        for one, row in zip(ids, page, strict=True):
            if one not in self.seen:
                fresh.setdefault(one, row)
        self.seen.update(fresh)
        self.report.rows += len(fresh)
        return times, list(fresh.values())

    def next_offset(self, offset: int, times: Times) -> int:
        """Return where the last row stands that is newer than the oldest one of a covered page."""
        self.step = 0
        oldest = times[-1]
        newer = bisect_left(times, True, key=lambda time: time == oldest) - 1
        if newer < 1:
            # The next page would be this one, or begin with a row that may have others of its time in front.
            raise PaginationError(f"{len(times)} records or more were changed at the same time, {oldest}")
        if self.oldest is None or is_later(self.oldest, oldest):
            self.oldest, self.idle = oldest, 0
        else:
            self.count_idle()
        return offset + newer

    def step_back(self, offset: int) -> int:
        self.report.repairs += 1
        self.count_idle()
        self.step = self.step * 2 or max(1, self.asked // 8)
        return max(0, offset - self.step)

    def count_idle(self) -> None:
        self.idle += 1
        if self.idle >= _REQUESTS_WITHOUT_PROGRESS:
            raise PaginationError(
                f"{self.idle} pages brought no record older than {self.oldest}: either the server ignores the offset, "
                "or the list changes faster than it can be read"
            )

    # Proof

    def weigh(self, ids: Sequence[str], times: Times) -> None:
        """Note what a page in order says of the order: how unlikely it is by chance, and how its ids go."""
        if not times:
            return
        counts = Counter(times)
        self.unlikely = max(self.unlikely, lgamma(len(times) + 1) - sum(lgamma(n + 1) for n in counts.values()))
        known = [
            time for time in (times[0], times[bisect_left(times, True, key=lambda time: time is None) - 1]) if time
        ]
        self.youngest = max([*known, *([self.youngest] if self.youngest else [])], default=None)
        self.eldest = min([*known, *([self.eldest] if self.eldest else [])], default=None)
        if not (self.rose and self.fell):
            made = [made_at(one) for one in ids]
            self.rose = self.rose or any(
                one - low >= _SECONDS_APART for one, low in zip(made, accumulate(made, min), strict=True)
            )
            self.fell = self.fell or any(
                high - one >= _SECONDS_APART for one, high in zip(made, accumulate(made, max), strict=True)
            )

    def prove(self) -> Generator[Fetch | Oldest | Rows, Page | TooSlow | None, None]:
        """Find out whether the order is honoured."""
        if self.unlikely >= _NO_CHANCE and self.rose and self.fell:
            self.report.honoured = True
            return
        page = yield Oldest()
        if not isinstance(page, list) or not page:
            raise PaginationError("nothing shows whether the order by time is honoured")
        try:
            first = self.time_of(page[0])
        except ValueError as problem:
            raise PaginationError(f"a row's time cannot be read, so that it is in no order: {problem}") from None
        if first is not None and (self.eldest is None or self.youngest is None or first > self.eldest):
            # Where all rows are of one time this tells nothing; a row between may be one that came meanwhile.
            if self.youngest != self.eldest and not is_later(self.youngest, first):
                self.report.honoured = False
            raise PaginationError("nothing shows that the order by time is honoured")
        if first is not None and first == self.youngest:
            raise PaginationError("all rows are of one time, so that nothing shows whether an order is honoured")
        self.report.honoured = True


def is_later(one: datetime | None, other: datetime | None) -> bool:
    """Tell whether a time is strictly newer than another; no time is the oldest.

    >>> from datetime import datetime
    >>> is_later(datetime(2025, 4, 2), datetime(2025, 4, 1)), is_later(datetime(2025, 4, 1), None), is_later(None, None)
    (True, True, False)
    """
    return one is not None and (other is None or one > other)


def is_at_least(one: datetime | None, other: datetime | None) -> bool:
    """Tell whether a time is as new as another, or newer."""
    return not is_later(other, one)


def made_at(one: str) -> int:
    """Return the second in which an id was made, as it says itself; ids of other kinds are of one moment.

    >>> made_at("5f0c1b2a3d4e5f6071829304"), made_at("acme-42")
    (1594628906, 0)
    """
    try:
        return int(one[:8], 16)
    except ValueError:
        return 0
