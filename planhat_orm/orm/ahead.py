"""Asking for several pages of one list at a time: ``parallel(n)``.

The engine stays the judge. It names one page after another; where the next ones can be told beforehand they are asked
for together with it, each by a thread, and are there when the engine comes to them. What it then names differently (a
list that moved, a page that was too slow) is asked for anew, and what was read ahead is dropped. No thread outlives
the call that began it, so none is there while rows are in their consumer's hands.

Imports sizes and the paging descriptions. It does not promise fewer requests, or a faster answer of Planhat's: the
quota is the same, and each page is parsed by the one interpreter there is.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import sizes
from planhat_orm.paging import Fetch

if TYPE_CHECKING:
    from planhat_orm.errors import ApiError, TransportError
    from planhat_orm.orm.query import Query
    from planhat_orm.orm.reading import Reader

Row = dict[str, Any]
Params = dict[str, str]

#: As many requests as the API takes at a time (https://www.planhat.com/developers/api/introduction).
MOST_AT_A_TIME: Final = 50


@dataclass(slots=True)
class Answered:
    """What came of one page: what it was asked for and selected, and what ``Reader.fetch`` returned."""

    page: Params
    select: tuple[str, ...]
    answer: tuple[list[Row], int] | ApiError | TransportError


class Fetching(Protocol):
    """Asks for what an engine wants: ``fetch`` returns the page."""

    def fetch(self, wanted: Any) -> Answered: ...


class Pages:
    """Fetches the pages of one list, several at a time where more are to come.

    :param at_a_time: how many at most.
    :param stop: the offset behind the last row wanted, None for the end of the list.
    """

    def __init__(self, reader: Reader, fixed: Params, *, at_a_time: int = 1, stop: int | None = None) -> None:
        self._reader = reader
        self._fixed = fixed
        self._most = at_a_time
        self._stop = stop
        self._width = 1
        self._ahead: dict[Fetch, Future[Answered]] = {}
        self._size = sizes.known(reader.session, reader.plan.path, fixed) if at_a_time > 1 else None

    def fetch(self, wanted: Fetch) -> Answered:
        """Return a page, which may have been read ahead.

        :raises PlanhatError: what asking for this very page raised, not what another one did.
        """
        ahead = self._ahead.pop(wanted, None)
        found = self._read(self._together(wanted)) if ahead is None else ahead.result()
        full = isinstance(found.answer, tuple) and len(found.answer[0]) >= wanted.limit
        # One page more only after a full one: the end of a list that nobody knows is not overrun by many.
        self._width = min(self._most, 2 * self._width) if full else 1
        return found

    def _together(self, wanted: Fetch) -> list[Fetch]:
        """Return the pages that are asked for together with one: those that will be named next if all goes well."""
        pages = [wanted]
        # What a bookmark is taken from has to be read before everything else.
        most = 1 if self._reader.mark.waits else self._most
        # Beyond an end that is known nothing is asked for beforehand, until a full page shows that the list has grown.
        ends = self._size is not None and self._size.exact and wanted.offset < self._size.rows + wanted.limit - 1
        while len(pages) < most and wanted.limit > 1:
            offset = pages[-1].offset + pages[-1].limit - 1
            rest = wanted.limit if self._stop is None else self._stop - offset
            sure = self._size is not None and offset < self._size.rows
            if rest < 2 or not (sure or (not ends and len(pages) < self._width)):
                break
            pages.append(Fetch(offset, min(wanted.limit, rest)))
        return pages

    def _read(self, pages: list[Fetch]) -> Answered:
        first, *others = pages
        self._ahead.clear()
        if not others:
            return self._ask(first)
        # Leaving the block waits for all of them, also where the first one fails or is interrupted.
        with ThreadPoolExecutor(len(others), thread_name_prefix="planhat-page") as threads:
            self._ahead.update((one, threads.submit(self._ask, one)) for one in others)
            return self._ask(first)

    def _ask(self, wanted: Fetch) -> Answered:
        reader = self._reader
        select = reader.select
        page = {"limit": str(wanted.limit), "offset": str(wanted.offset), **self._fixed, **reader.selecting(select)}
        return Answered(page, select, reader.fetch(page))


def pages_of(reader: Reader, fixed: Params, stop: int | None) -> Pages:
    """Return what fetches the pages of one list of a reader's plan."""
    plan = reader.plan
    at_a_time = plan.query.parallel if plan.sort == "_id" and is_wanted_whole(reader) else 1
    return Pages(reader, fixed, at_a_time=at_a_time, stop=stop)


def is_wanted_whole(reader: Reader) -> bool:
    """Tell whether all rows that a plan asks for are wanted, rather than the first ones that match here."""
    return reader.plan.query.stop is None or reader.plan.window_is_sent


class ParallelMethods:
    """How many pages a queryset asks for at a time."""

    query: Query

    if TYPE_CHECKING:

        def _clone(self, query: Query) -> Self: ...

    def parallel(self, pages: int) -> Self:
        """Return the same records, in the same order, with several pages asked for at a time.

        For long lists that are read to their end by id: it saves waiting, not requests, and holds as many pages in
        memory. Where the length of the list is not known from an earlier reading in this session, up to ``pages - 1``
        requests more are sent than without it; it begins with one page and doubles after each full one. The quota
        holds as ever. An error is raised where the rows of its page would have come.

        :param pages: how many, 1 to 50, which is as many requests as Planhat takes at a time.
        :raises InvalidQuery: for anything else.

        Source: https://www.planhat.com/developers/api/introduction

        >>> people = Enduser.objects.parallel(4)
        >>> len(people) == Enduser.objects.count()
        True
        """
        if isinstance(pages, bool) or not isinstance(pages, int) or not 1 <= pages <= MOST_AT_A_TIME:
            raise InvalidQuery(f"parallel() takes a number of pages from 1 to {MOST_AT_A_TIME}, not {pages!r}")
        return self._clone(replace(self.query, parallel=pages))
