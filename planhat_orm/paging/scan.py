"""Read a whole list, page by page, without losing or repeating a record while others come and go.

**The trouble.** Planhat lists take ``limit`` and ``offset`` and tell neither a total nor a next page. An offset counts
rows from the front of a list that moves: when a record in front of it is deleted, everything behind slides one place
to the left and the next page skips a row; when one is created there, the next page repeats a row. Nothing in the
answer shows it.

**The idea.** Ask for the list in the order of ``_id`` (the driver sends ``sort=_id``) and remember the last id handed
out. An offset is then no more than a guess at where that id stands now, and each page can be checked against it:

* the next page starts *one row early*, at the place where the last id stood;
* the page is *covered* when its first id is not beyond the last one. A page is one unbroken stretch of the ordered
  list, so a covered page holds everything that follows the last id, as far as the page reaches. Ids that are not
  beyond the last are dropped, the rest is handed out;
* when it is not covered (its first id lies beyond the last, or it is empty although its offset is above 0), rows in
  front were deleted and there may be a gap. Step back by an eighth of the page, then twice that, and so on, until a
  page is covered; offset 0 always is. If that went too far back, halve the distance instead of reading all of it.

By induction every record that existed throughout is handed out exactly once, whatever was created or deleted
meanwhile. The argument does not need the pages to be read one after another, so a driver may fetch pages ahead.

**The end.** A page with fewer rows than asked for is the last one, unless the server has a smaller maximum than we
think. Such maxima are round numbers. So a short page whose length is the endpoint's default size, a multiple of 100 or
a power of two from 64 is confirmed by one more request; if that finds more, the length is the maximum and becomes the
page size. A longer page seen before disproves nothing: a server under load may lower its maximum meanwhile.

**When the order is not honoured** the ids of some page do not ascend. From there on pages overlap by one row, each id
is handed out once, and a page that begins with an unknown id is asked for once more an eighth of a page earlier; but
:attr:`ScanReport.proven` is false. With ``order="other"`` (the driver sends another sort) there is nothing to compare
with: the overlapping row must be the last one handed out and no id may come twice, else :class:`PaginationError`.

**What stays impossible, and is not promised.**

* A snapshot: records created or deleted during the scan may be in it or not, and rows of two pages may be of different
  times.
* Maxima that are not round: such a list ends early, unnoticed.
* A server that ignores the order and yet shows ascending ids on every page, each covered.
* With another order, changes that cancel out exactly (one record moving in front of the page while another one moves
  behind it); therefore ``proven`` is false there for more than one page.
* A list into which three pages' worth of records is inserted in front of us between two pages: that is an error, since
  it cannot be told from a server that ignores ``offset``.

The engine is a generator that yields what it wants and is sent what came: no network, no threads, no models. It may
import the errors and its own package only.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from planhat_orm.errors import PaginationError
from planhat_orm.paging.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["TOO_SLOW", "Fetch", "Page", "Rows", "ScanReport", "TooSlow", "looks_capped", "scan"]

Page: TypeAlias = list[dict[str, Any]]
"""The rows of one answer, each with its ``_id``."""

# An overlapping page must hold the last row and one more, else it could never show anything new.
_SMALLEST_PAGE: Final = 2
_FULL_PAGES_WITHOUT_NEWS: Final = 3
# Stepping back doubles and stepping forward halves, so even a list of millions needs some forty requests to find its
# place again. Beyond that the list moves faster than it can be read.
_REQUESTS_WITHOUT_NEWS: Final = 64


@dataclass(frozen=True, slots=True)
class Fetch:
    """Wanted: the page of at most ``limit`` rows that starts at ``offset``. The driver adds path, sort and filters.

    >>> Fetch(offset=4999, limit=5000)
    Fetch(offset=4999, limit=5000)
    """

    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to hand out, in this order; no id comes twice in one scan.

    >>> [row["_id"] for row in Rows([{"_id": "a"}, {"_id": "b"}]).rows]
    ['a', 'b']
    """

    rows: Page


class TooSlow:
    """The type of :data:`TOO_SLOW`, which is sent in place of a page that timed out or was answered by a 504.

    >>> TOO_SLOW
    TOO_SLOW
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "TOO_SLOW"


TOO_SLOW: Final = TooSlow()
"""Sent to a scan in place of a page: it asks again at half the size and keeps to that size."""


@dataclass(slots=True)
class ScanReport:
    """What a scan did; filled while it runs, so it can be read at any time. Take a new one for each scan.

    ``rows``
        Rows handed out.
    ``pages``
        Pages received, those that confirmed an end or found the place again included.
    ``duplicates``
        Rows received and not handed out because the list had moved; the one row by which pages overlap on purpose
        is not counted.
    ``repairs``
        How often a page did not join the one before, so that it was asked for again further back.
    ``proven``
        Whether it is certain, for all that was handed out so far, that nothing which existed throughout is lost or
        repeated: the order by ``_id`` was honoured, or there was only one page.
    ``bookmark``
        The last id handed out, all smaller ones being done; ``None`` for any other order.

    >>> ScanReport().proven
    True
    """

    rows: int = 0
    pages: int = 0
    duplicates: int = 0
    repairs: int = 0
    proven: bool = True
    bookmark: str | None = None


def scan(
    *,
    page_size: int,
    default_size: int,
    order: Literal["id", "other", "none"],
    start: int = 0,
    stop: int | None = None,
    report: ScanReport | None = None,
) -> Generator[Fetch | Rows, Page | TooSlow | None, None]:
    """Return a generator that yields page requests and rows, and is sent the pages.

    ``next()`` gives the first :class:`Fetch`. Send its page (a list of dicts) or :data:`TOO_SLOW`; what comes back is
    :class:`Rows` to hand out or the next :class:`Fetch`. After :class:`Rows` go on with ``next()``. The end is
    ``StopIteration``, also from ``send()``: the last page may hold nothing new.

    ``page_size`` is the endpoint's maximum (1 is read as 2, pages overlap by a row), ``default_size`` what it returns
    when no limit is sent. ``order="id"`` says that the driver sends ``sort=_id``, ``"other"`` that it sends another
    sort, ``"none"`` that the endpoint takes no sort: nothing is proven then beyond one page. ``start`` and ``stop``
    are the window of rows wanted, ``stop`` excluded, ``None`` for the end of the list; it is counted in rows handed
    out, so ``stop - start`` rows come even if the list moves, as long as it has them. Of a list that stays as it is
    nothing beyond ``stop`` is fetched.

    Raises :class:`PaginationError` when pages contradict each other, a row has no id, or a page is too slow even at
    the smallest size, and ``ValueError`` for a negative ``start`` or ``stop`` or a ``page_size`` below 1.

    Planhat's parameters: https://www.planhat.com/developers/api/introduction

    >>> table = [{"_id": f"{number:024x}"} for number in range(8)]
    >>> report = ScanReport()
    >>> pages = scan(page_size=5, default_size=100, order="id", report=report)
    >>> try:
    ...     step = next(pages)
    ...     while True:
    ...         print(step if isinstance(step, Fetch) else f"{len(step.rows)} rows")
    ...         answer = table[step.offset : step.offset + step.limit] if isinstance(step, Fetch) else None
    ...         step = pages.send(answer)
    ... except StopIteration:
    ...     print("end")
    Fetch(offset=0, limit=5)
    5 rows
    Fetch(offset=4, limit=5)
    3 rows
    end
    >>> report.rows, report.pages, report.proven
    (8, 2, True)
    """
    if page_size < 1:
        raise ValueError(f"page_size must be at least 1, not {page_size}")
    if start < 0 or (stop is not None and stop < 0):
        raise ValueError(f"a window needs a start and a stop of at least 0, not {start} and {stop}")
    wanted = None if stop is None else max(0, stop - start)
    return _Scan(page_size, default_size, order, start, wanted, ScanReport() if report is None else report).run()


def looks_capped(length: int, default_size: int) -> bool:
    """Whether a short page of this length may have been cut by a maximum of the server's own.

    >>> [length for length in (1, 30, 63, 64, 99, 100, 101, 128, 300) if looks_capped(length, default_size=30)]
    [30, 64, 100, 128, 300]
    """
    if length < _SMALLEST_PAGE:
        return False
    return length == default_size or length % 100 == 0 or (length >= 64 and length & (length - 1) == 0)


class _Scan:
    """The state of one scan: where it stands, what it handed out, and what it learnt about the server."""

    __slots__ = (
        "asked",
        "barren",
        "ceiling",
        "confirming",
        "default_size",
        "done",
        "floor",
        "idle",
        "joint",
        "last",
        "mode",
        "offset",
        "report",
        "seen",
        "size",
        "step",
        "wanted",
    )

    def __init__(
        self,
        page_size: int,
        default_size: int,
        order: Literal["id", "other", "none"],
        start: int,
        wanted: int | None,
        report: ScanReport,
    ) -> None:
        self.size = max(page_size, _SMALLEST_PAGE)
        self.default_size = default_size
        # "unordered": "id" was asked for and is not honoured, or no order can be asked for.
        self.mode: Literal["id", "other", "unordered"] = "unordered" if order == "none" else order
        self.wanted = wanted  # rows still to hand out, None for all
        self.report = report
        self.done = wanted == 0
        # The request under way.
        self.offset = start
        self.asked = 0
        # What was handed out.
        self.last: str | None = None  # the last id; the greatest one while the order is honoured
        self.joint: str | None = None  # the last row of the last page used, by which the next one overlaps
        self.seen = Seen()
        # What is known of the server's own maximum.
        self.confirming: int | None = None  # length of the short page that the present request is to confirm
        # Finding the place again: `floor` was covered, `ceiling` was not, the last id stands between them.
        self.floor: int | None = None
        self.ceiling: int | None = None
        self.step = 0
        self.idle = 0  # requests since the last new id
        self.barren = 0  # full pages since the last new id

    def run(self) -> Generator[Fetch | Rows, Page | TooSlow | None, None]:
        while not self.done:
            self.asked = self.next_limit()
            page = yield Fetch(self.offset, self.asked)
            if page is None:
                raise TypeError(f"a Fetch must be answered by its page, not by None (offset {self.offset})")
            if isinstance(page, TooSlow):
                self.shrink()
                continue
            fresh = self.take(page)
            # The page must be gone before the next one is fetched: a page can weigh 20 MB.
            del page
            if fresh:
                yield Rows(fresh)
            del fresh

    def next_limit(self) -> int:
        # Whoever has to find the place again asks for whole pages: the window's end has moved as well.
        if self.wanted is None or self.idle:
            return self.size
        overlap = 0 if self.last is None else 1
        return min(self.size, self.wanted + overlap)

    def shrink(self) -> None:
        if self.asked <= _SMALLEST_PAGE:
            raise PaginationError(
                f"a page of {self.asked} rows at offset {self.offset} is still too slow, and smaller pages cannot be "
                f"asked for; narrow the query, or select fewer fields with only()"
            )
        self.size = max(self.asked // 2, _SMALLEST_PAGE)

    def take(self, page: Page) -> Page:
        """Judge a page, decide what comes next, and return the rows to hand out."""
        ids = ids_of(page, self.offset)
        self.report.pages += 1
        if self.mode == "id" and ids != sorted(ids):
            self.mode = "unordered"
            self.report.bookmark = None
        self.report.proven = self.mode == "id" or self.report.pages == 1
        if not self.covered(ids):
            self.step_back()
            return []
        fresh = self.new_rows(page, ids)
        self.move_on(len(page), found=bool(fresh))
        return fresh

    def covered(self, ids: list[str]) -> bool:
        """Whether the page joins what was handed out, so that nothing can lie between."""
        if self.last is None:
            return True
        if self.mode == "other":
            self.check_other_order(ids)
            return True
        if self.offset == 0:
            return True
        if not ids:
            return False
        if self.mode == "id":
            return ids[0] <= self.last
        # Nothing can be proven without an order, so one step back has to do: an order that changes with every
        # request would otherwise cost a walk back to the front for every page.
        return ids[0] in self.seen.unpack() or self.ceiling is not None

    def check_other_order(self, ids: list[str]) -> None:
        if not ids or ids[0] != self.joint:
            raise PaginationError(
                f"the list changed while it was read: the row at offset {self.offset} was {self.joint} and is now "
                f"{ids[0] if ids else 'gone'}, so that records may be missing or come twice; read it without "
                f"order_by() or in one page"
            )
        seen = self.seen.unpack()
        for place, one in enumerate(ids[1:], start=self.offset + 1):
            if one in seen:
                raise PaginationError(
                    f"the list changed while it was read: {one} at offset {place} was on an earlier page already, so "
                    f"that another record may be missing; read it without order_by() or in one page"
                )

    def new_rows(self, page: Page, ids: list[str]) -> Page:
        cut = bisect_right(ids, self.last) if self.mode == "id" and self.last is not None else 0
        rows, new = page[cut:], ids[cut:]
        if self.mode != "id" or len(set(new)) < len(new):
            seen = self.seen.unpack() if self.mode != "id" else frozenset[str]()
            once: dict[str, dict[str, Any]] = {}
            for one, row in zip(new, rows, strict=True):
                if one not in seen:
                    once.setdefault(one, row)
            rows, new = list(once.values()), list(once)
        planned = 1 if self.joint is not None and self.joint in ids else 0
        self.report.duplicates += len(page) - len(rows) - planned
        self.joint = ids[-1] if ids else self.joint
        if self.wanted is not None:
            rows, new = rows[: self.wanted], new[: self.wanted]
            self.wanted -= len(rows)
        if new:
            self.last = new[-1]
            self.seen.add(new)
            self.report.rows += len(rows)
            self.report.bookmark = self.last if self.mode == "id" else None
        return rows

    def move_on(self, length: int, *, found: bool) -> None:
        """Decide after a covered page whether the list goes on, and where."""
        if self.confirming is not None and length <= self.confirming:
            self.size = min(self.size, self.confirming)
        full = length >= self.asked
        doubtful = not full and looks_capped(length, self.default_size)
        self.confirming = length if doubtful else None
        self.done = self.wanted == 0 or not (full or doubtful)
        if self.done:
            return
        end = self.offset + length - 1
        if found:
            self.floor = self.ceiling = None
            self.idle = self.barren = 0
            self.offset = end
        elif self.ceiling is not None and end < self.ceiling:
            self.floor = end
            self.offset = (end + self.ceiling) // 2
            self.count_idle()
        else:
            self.offset = end
            self.barren += 1
            self.count_idle()

    def step_back(self) -> None:
        self.report.repairs += 1
        if self.ceiling is None:
            self.step = max(1, self.asked // 8)
        self.ceiling = self.offset
        if self.floor is not None and self.floor < self.offset:
            self.offset = (self.floor + self.offset) // 2
        else:
            self.offset = max(0, self.offset - self.step)
            self.step *= 2
        self.count_idle()

    def count_idle(self) -> None:
        self.idle += 1
        if self.barren >= _FULL_PAGES_WITHOUT_NEWS or self.idle >= _REQUESTS_WITHOUT_NEWS:
            raise PaginationError(
                f"{self.idle} pages up to offset {self.offset} brought no record after {self.last}: either the server "
                f"ignores the offset, or the list changes faster than it can be read; "
                f"{self.report.rows} records were read"
            )


def ids_of(page: Page, offset: int) -> list[str]:
    """Return the id of each row; a row without one cannot be told from the others, so it is an error.

    >>> ids_of([{"_id": "a"}, {"_id": "b"}], offset=0)
    ['a', 'b']
    """
    ids: list[Any] = [row.get("_id") for row in page]
    # The kinds of all at once: every row of every page comes by here.
    if set(map(type, ids)) <= {str} and all(ids):
        return ids
    for place, one in enumerate(ids, start=offset):
        if not isinstance(one, str) or not one:
            raise PaginationError(
                f"the row at offset {place} has {'no _id' if one is None else f'the _id {one!r}'}; without an id text "
                f"it cannot be told whether a record was read already"
            )
    return ids
