"""How a stored value is held against a wanted one: one matcher for each lookup.

Works on plain values; knows neither fields nor rows. Imports errors and conversion. What is promised: a matcher never
raises, whatever is stored; a value that is missing or cannot be read matches nothing but ``isnull``, and two values of
different kinds (a text and a number) are neither equal nor in any order.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

import marshmallow

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import conversion
from planhat_orm.orm.conversion import same

Match = Callable[[Any], bool]

#: How ISO 8601 writes a day.
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
#: Stands for a stored value that cannot be read: it equals nothing and is not null.
UNREADABLE: Final = object()

EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)


def in_utc(value: datetime) -> datetime:
    """Return an aware datetime in UTC, the first or last possible one where the shift leaves the calendar.

    >>> from datetime import timezone
    >>> in_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))).isoformat()
    '0001-01-01T00:00:00+00:00'
    """
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return EARLIEST if value.year < 2 else LATEST


@dataclass(frozen=True, slots=True, repr=False)
class Span:
    """A stretch of time that is compared with: one instant, or the whole of a day in ``zone``."""

    first: datetime
    after: datetime
    zone: tzinfo

    @classmethod
    def written(cls, value: str, zone: tzinfo | None) -> Span | None:
        """Read a text that begins as an ISO 8601 day does; None for one that is no time, or of an unknown zone."""
        try:
            return cls.of(value, zone) if re.match(r"\s*\d{4}-\d\d-\d\d", value) else None
        except InvalidQuery:
            return None

    @classmethod
    def of(cls, value: Any, zone: tzinfo | None) -> Span:
        """Read a date, an aware datetime or an ISO 8601 text; ``zone`` is that of naive values and of days.

        :raises InvalidQuery: for a text that is no time, a naive datetime where ``zone`` is None, and anything else.
        """
        if isinstance(value, str):
            day = DAY.fullmatch(value.strip())
            try:
                value = (date if day else datetime).fromisoformat(value.strip())
            except ValueError:
                raise InvalidQuery(f"{value!r} is no date or time in ISO 8601, such as '2025-04-01'") from None
        if isinstance(value, datetime):
            if value.tzinfo is None:
                if zone is None:
                    raise InvalidQuery(
                        f"{value} has no time zone; give it one, or name the zone in Session(timezone=...)"
                    )
                value = value.replace(tzinfo=zone)
            instant = in_utc(value)
            return cls(instant, instant, value.tzinfo or UTC)
        if not isinstance(value, date):
            raise InvalidQuery(f"takes a date, a datetime or an ISO text, not {value!r}")
        zone = zone or UTC
        first = datetime.combine(value, time(), zone)
        try:
            after = first + timedelta(days=1)
        except OverflowError:
            after = LATEST
        return cls(in_utc(first), in_utc(after), zone)

    def __repr__(self) -> str:
        local = self.first.astimezone(self.zone) if EARLIEST < self.first < LATEST else self.first
        return local.date().isoformat() if self.whole_day else local.isoformat()

    @property
    def whole_day(self) -> bool:
        """Whether it is a day rather than an instant."""
        return self.after > self.first

    def instant_of(self, stored: Any) -> datetime | None:
        """Read a stored value as a point in time; a calendar day begins at midnight in our zone."""
        if isinstance(stored, bool):
            return None
        if isinstance(stored, (int, float)) and self.whole_day and abs(stored) < conversion.FIRST_MILLISECONDS:
            # Custom fields of the type "day" travel as a number of days since 1970.
            stored = conversion.calendar_day(stored)
        if isinstance(stored, str) and DAY.fullmatch(stored.strip()):
            # A day without a time is the same day everywhere; what is no day is no time either.
            with suppress(ValueError):
                stored = date.fromisoformat(stored.strip())
        if isinstance(stored, date) and not isinstance(stored, datetime):
            return in_utc(datetime.combine(stored, time(), self.zone))
        try:
            return conversion.instant(stored)
        except (marshmallow.ValidationError, OverflowError):
            return None


def is_empty(value: Any) -> bool:
    """Tell whether a value stands for none: None, a blank text, an empty container.

    >>> is_empty(""), is_empty([]), is_empty(0), is_empty(False)
    (True, True, False, False)
    """
    return value is None or (isinstance(value, (str, list, dict)) and not value)


def is_null(operand: bool) -> Match:
    """Match what is empty, or what is not."""
    return lambda stored: is_empty(stored) is operand


def equals(operand: Any) -> Match:
    """Match what is the same; a day matches every instant in it."""
    if isinstance(operand, Span):

        def in_span(stored: Any) -> bool:
            moment = operand.instant_of(stored)
            if moment is None:
                return False
            return operand.first <= moment < operand.after if operand.whole_day else moment == operand.first

        return in_span
    return lambda stored: stored is not UNREADABLE and stored is not None and same(stored, operand)


def one_of(operands: list[Any]) -> Match:
    """Match one of several values; of a list, one item has to be among them."""
    plain = {operand for operand in operands if isinstance(operand, str)}
    tests = [equals(operand) for operand in operands if not isinstance(operand, str)]

    def match(stored: Any) -> bool:
        if isinstance(stored, str):
            return stored in plain or any(test(stored) for test in tests)
        if isinstance(stored, list):
            return any(match(item) for item in stored) or any(test(stored) for test in tests)
        return any(test(stored) for test in tests)

    return match


def ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Match]:
    """Make an ordering lookup. "After a day" begins when it is over, "up to a day" includes the whole of it."""
    by_end = holds in (operator.gt, operator.le)
    at_end: Callable[[Any, Any], bool] = operator.ge if holds is operator.gt else operator.lt

    def matcher(operand: Any) -> Match:
        if isinstance(operand, Span):
            edge, compare = (operand.after, at_end) if by_end and operand.whole_day else (operand.first, holds)

            def match_span(stored: Any) -> bool:
                moment = operand.instant_of(stored)
                return moment is not None and compare(moment, edge)

            return match_span
        kinds: Any = str if isinstance(operand, str) else (int, float)

        def match(stored: Any) -> bool:
            return isinstance(stored, kinds) and not isinstance(stored, bool) and holds(stored, operand)

        return match

    return matcher


GREATER, AT_LEAST, LESS, AT_MOST = map(ordered, (operator.gt, operator.ge, operator.lt, operator.le))


def between(operands: list[Any]) -> Match:
    """Match what is neither below the first nor above the second."""
    lower, upper = AT_LEAST(operands[0]), AT_MOST(operands[1])
    return lambda stored: lower(stored) and upper(stored)


def contains(operand: Any) -> Match:
    """Match a text that holds another, or a list that has an item."""

    def match(stored: Any) -> bool:
        if isinstance(stored, list):
            return any(same(item, operand) for item in stored)
        return isinstance(stored, str) and isinstance(operand, str) and operand in stored

    return match


def icontains(operand: Any) -> Match:
    """Match as ``contains`` does, whatever the letter case."""
    wanted = operand.casefold()

    def match(stored: Any) -> bool:
        if isinstance(stored, list):
            return any(isinstance(item, str) and item.casefold() == wanted for item in stored)
        return isinstance(stored, str) and wanted in stored.casefold()

    return match


def on_texts(holds: Callable[[str, Any], bool]) -> Callable[[Any], Match]:
    """Make a lookup on texts; of a list, one item has to match."""

    def matcher(operand: Any) -> Match:
        def match(stored: Any) -> bool:
            if isinstance(stored, list):
                return any(isinstance(item, str) and holds(item, operand) for item in stored)
            return isinstance(stored, str) and holds(stored, operand)

        return match

    return matcher


def folded(holds: Callable[[str, str], bool]) -> Callable[[Any], Match]:
    """Make a lookup on texts that does not look at letter case."""
    matcher = on_texts(lambda stored, operand: holds(stored.casefold(), operand))
    return lambda operand: matcher(operand.casefold())


MATCHERS: dict[str, Callable[[Any], Match]] = {
    "exact": equals,
    "iexact": folded(operator.eq),
    "in": one_of,
    "gt": GREATER,
    "gte": AT_LEAST,
    "lt": LESS,
    "lte": AT_MOST,
    "range": between,
    "contains": contains,
    "icontains": icontains,
    "startswith": on_texts(str.startswith),
    "istartswith": folded(str.startswith),
    "endswith": on_texts(str.endswith),
    "iendswith": folded(str.endswith),
    "regex": on_texts(lambda stored, operand: operand.search(stored) is not None),
    "iregex": on_texts(lambda stored, operand: operand.search(stored) is not None),
    "isnull": is_null,
}
LOOKUPS: Final = tuple(MATCHERS)
