"""Reading what was changed since a time, and the time to go on from: ``changed_since`` and ``bookmark``.

Imports the filter on the time of the last change, and what querysets are made of. It does not promise to tell of
records that were deleted: Planhat has no list of those.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Self

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm.matching import UNREADABLE
from planhat_orm.orm.newest import changes_of, since_of, until_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from planhat_orm.orm.execution import Run
    from planhat_orm.orm.lookups import Q
    from planhat_orm.orm.planner import Plan
    from planhat_orm.orm.query import Query

#: So much is taken off the newest time that was seen. A tenant is served by several machines, whose clocks differ, and
#: a change is seen a little after the time that it bears. Nothing is documented; clocks kept by NTP differ by less.
MARGIN: Final = timedelta(seconds=5)


class Mark:
    """The newest time on the first page that a plan read: whatever is changed after that page is not older.

    Times of later pages would not do: a record of the first page may have been changed between the two.
    """

    __slots__ = ("_noted", "_since", "_target", "_until", "newest")

    def __init__(self, plan: Plan) -> None:
        self._since, self._until = since_of(plan), until_of(plan)
        self._target = changes_of(plan)[0].target if self._since is not None else None
        self._noted = False
        self.newest: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether the first page is still to come."""
        return self._target is not None and not self._noted

    def note(self, rows: Iterable[dict[str, Any]], headers: Mapping[str, str]) -> None:
        """Look at a page; only the first one counts. Times that the server's own clock has not reached do not."""
        if self._target is None or self._noted:
            return
        self._noted = True
        now = date_of(headers)
        for row in rows:
            time = self._target.read(row)
            if time is None or time is UNREADABLE or (now is not None and time > now + MARGIN):
                continue
            self.newest = time if self.newest is None else max(self.newest, time)

    @property
    def bookmark(self) -> datetime | None:
        """The time to go on from: not later than what was looked at, and never before the time that was given."""
        if self._since is None:
            return None
        found = self._since if self.newest is None else max(self._since, earlier(self.newest))
        return found if self._until is None else max(self._since, min(found, self._until))


def earlier(time: datetime) -> datetime:
    """Take the margin off."""
    try:
        return time - MARGIN
    except OverflowError:
        return time


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return when the server says it answered, None where it does not say it.

    >>> date_of({"Date": "Tue, 01 Apr 2025 10:00:00 GMT"}).isoformat(), date_of({"Date": "today"}), date_of({})
    ('2025-04-01T10:00:00+00:00', None, None)
    """
    text = next((value for name, value in headers.items() if name.casefold() == "date"), "")
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


class ChangedMethods:
    """What querysets say of changes."""

    query: Query
    _runs: list[Run]

    if TYPE_CHECKING:

        def filter(self, *conditions: Q, **lookups: Any) -> Self: ...

    def changed_since(self, when: datetime | date | str) -> Self:
        """Return the records that were changed at a time or later, for runs that go on where the last one ended.

        It is a filter on the time of the last change, such as ``updated_at__gte=when``. Planhat has none, so the list
        is read in the order of that time, newest first, up to the first record that is older: one request where few
        were changed. Whether Planhat keeps to that order is checked; where it does not, the whole list is read.

        When all records were read, :attr:`bookmark` is the ``when`` of the next run. Each change comes at least once:
        those of the last seconds before a bookmark come again. Records that were deleted are not told of; compare the
        ids of all (``values_list("id", flat=True)``) with those that you keep. A filter tells of what matches now, not
        of what did before the change.

        :param when: an aware datetime, a date, or either as ISO 8601 text.
        :raises NotSupported: for records that show no such time, saying what to do instead.
        :raises InvalidQuery: for what is no time, and after a slice.

        >>> changes = Company.objects.changed_since("2020-01-01")
        >>> names = [company.name for company in changes]
        >>> if changes.bookmark is not None:  # None where the reading broke off
        ...     later = Company.objects.changed_since(changes.bookmark)
        """
        field = self.query.model._meta.changed_by()
        if when is None:
            raise InvalidQuery(
                "changed_since(None): is a bookmark missing? It is None until all records were read; "
                "a first run begins with a time before all of them, changed_since('2000-01-01')"
            )
        return self.filter(**{f"{field.name}__gte": when})

    @property
    def bookmark(self) -> datetime | None:
        """The time to give to the next ``changed_since``; None until all of these records were read.

        It is the newest time of a change on the first page that was read, less five seconds, as servers' clocks
        differ; never one of this machine's clock. ``when`` itself where nothing was changed. None after an error or a
        loop that was left, for a slice, and without ``changed_since`` (or a filter of that kind). The loop is to be
        over the records: ``values()`` and copies read for themselves.

        >>> changes = Company.objects.changed_since("2099-01-01")
        >>> changes.bookmark, len(changes), changes.bookmark.year
        (None, 0, 2099)
        """
        run = self._runs[0] if self._runs else None
        if run is None or not run.finished or self.query.sliced:
            return None
        return run.mark.bookmark
