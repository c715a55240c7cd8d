"""A simulated list endpoint for the paging engines: a table that moves, maxima, ignored sorts, slow pages."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import PaginationError
from planhat_orm.paging import TOO_SLOW, Fetch, Page, Rows, ScanReport, TooSlow, count, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def make_id(number: int) -> str:
    return f"{number:024x}"


@dataclass
class Server:
    """Answers a Fetch from `ids`. Before its n-th answer `drift[n]` happens, a list of changes:

    ("insert", number) adds that record, ("delete", place) removes the record there, ("purge", n) the first n records.
    """

    ids: list[str]
    cap: Callable[[int], int | None] = lambda _: None  # the server's own maximum, by number of the request
    arrange: Callable[[list[str], int], list[str]] = lambda ids, _: ids  # what it makes of the sort asked for
    drift: Sequence[Sequence[tuple[str, int]]] = ()
    slow: frozenset[int] = frozenset()
    ignores_limit: bool = False
    ignores_offset: bool = False
    fetches: list[Fetch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = list(self.ids)
        self.persistent = set(self.ids)  # existed at every moment
        self.ever = set(self.ids)
        self.inserted = 0

    def answer(self, fetch: Fetch) -> Page | TooSlow:
        number = len(self.fetches)
        self.fetches.append(fetch)
        for kind, value in self.drift[number] if number < len(self.drift) else ():
            self.change(kind, value)
        if number in self.slow:
            return TOO_SLOW
        ids = self.arrange(self.ids, number)
        start = 0 if self.ignores_offset else fetch.offset
        ids = ids[start:] if self.ignores_limit else ids[start : start + fetch.limit]
        return [{"_id": one} for one in ids[: self.cap(number)]]

    def change(self, kind: str, value: int) -> None:
        if kind == "insert":
            new = make_id(value)
            place = bisect_left(self.ids, new)
            if place == len(self.ids) or self.ids[place] != new:
                self.ids.insert(place, new)
                self.ever.add(new)
                self.inserted += 1
        elif kind == "delete" and self.ids:
            self.persistent.discard(self.ids.pop(value % len(self.ids)))
        elif kind == "purge":
            self.persistent.difference_update(self.ids[:value])
            del self.ids[:value]

    @property
    def asked(self) -> list[tuple[int, int]]:
        return [(fetch.offset, fetch.limit) for fetch in self.fetches]


def read(server: Server, **arguments: Any) -> tuple[list[str], ScanReport]:
    """Run a scan to its end against `server`; return the ids handed out and the report."""
    report = ScanReport()
    handed: list[str] = []
    engine = scan(**{"page_size": 10, "default_size": 100, "order": "id", "report": report, **arguments})
    answer: Page | TooSlow | None = None
    while True:
        try:
            step = engine.send(answer)
        except StopIteration:
            break
        if isinstance(step, Rows):
            assert step.rows, "empty Rows are not worth a step"
            handed += [row["_id"] for row in step.rows]
            assert report.rows == len(handed)
            answer = None
        else:
            answer = server.answer(step)
    slow = sum(1 for number in range(len(server.fetches)) if number in server.slow)
    assert report.pages == len(server.fetches) - slow
    return handed, report


def tally(server: Server, *, page_size: int, default_size: int = 100) -> int:
    """Run a count to its end against `server`; return the number."""
    engine = count(page_size=page_size, default_size=default_size)
    try:
        fetch = next(engine)
        while True:
            fetch = engine.send(server.answer(fetch))
    except StopIteration as end:
        number: int = end.value
        return number


def make_ids(numbers: int | Iterable[int]) -> list[str]:
    return [make_id(number) for number in (range(numbers) if isinstance(numbers, int) else numbers)]


def read_or_crowded_out(server: Server, **arguments: Any) -> tuple[list[str], ScanReport] | None:
    """Read; None for the errors that the engine's docstring allows.

    Those are pages that are too slow at any size, and three pages' worth of records that were inserted.
    """
    try:
        return read(server, **arguments)
    except PaginationError as error:
        smallest = min(fetch.limit for fetch in server.fetches)
        too_slow = "too slow" in str(error) and smallest <= 2
        crowded_out = "brought no record" in str(error) and server.inserted > 2 * (smallest - 1)
        if not (too_slow or crowded_out) or len(server.fetches) > 64 * (len(server.ever) + 1):
            raise
        return None


def few(server: Server, handed: Sequence[str]) -> bool:
    """Bound the requests: one for each stretch, and one search for each moment at which the list moved."""
    smallest = min(fetch.limit for fetch in server.fetches)
    stretches = len(handed) // max(1, smallest - 1) + 3
    return len(server.fetches) <= stretches + 24 * (len(server.drift) + 1) + len(server.slow)


@pytest.fixture(scope="session")
def sim() -> SimpleNamespace:
    return SimpleNamespace(
        read_or_crowded_out=read_or_crowded_out,
        few=few,
        Server=Server,
        read=read,
        tally=tally,
        make_id=make_id,
        make_ids=make_ids,
    )
