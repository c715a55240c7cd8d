"""The engine that reads the newest rows: what it asks for, what it hands out, and under which histories.

A simulated list has records with a time of their last change. Before each answer a history may change records (they
go to the front), make new ones, delete some, or turn those of one time around.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planhat_orm.errors import PaginationError
from planhat_orm.paging import TOO_SLOW, Fetch, NewestReport, Oldest, Rows, newest

START = datetime(2025, 4, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Moving:
    """A list in the order of the last change; `times` by number of the record, `history[n]` befalls before answer n."""

    times: dict[int, Any]
    history: list[list[tuple[str, int]]] = field(default_factory=list)
    slow: frozenset[int] = frozenset()
    cap: Any = None  # the server's own maximum, by number of the request
    arrange: Any = None  # what a server that ignores the order makes of the numbers
    steady_ties: bool = True
    asked: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = 10_000.0
        self.all_along = dict(self.times)  # the oldest time that each had while it was read; gone ones left out
        self.ever = set(self.times)
        self.began: float | None = None

    def answer(self, wanted: Any) -> Any:
        number = len(self.asked)
        self.asked.append(wanted)
        for kind, value in self.history[number] if number < len(self.history) else ():
            self.change(kind, value)
        if isinstance(wanted, Oldest):
            return self.rows(backwards=True)[:1]
        if number in self.slow:
            return TOO_SLOW
        rows = self.rows()[wanted.offset : wanted.offset + wanted.limit]
        return rows[: self.cap(number)] if self.cap else rows

    def rows(self, *, backwards: bool = False) -> list[dict[str, Any]]:
        if self.arrange is not None:
            numbers = self.arrange(list(self.times))
        else:
            dice = random.Random(0 if self.steady_ties else len(self.asked))
            numbers = sorted(self.times, key=lambda one: (one * 7919) % 101 if self.steady_ties else dice.random())
            numbers.sort(key=lambda one: (self.times[one] is not None, self.times[one] or 0), reverse=not backwards)
        return [{"_id": id_of(one), "at": self.times[one]} for one in numbers]

    def change(self, kind: str, value: int) -> None:
        here = list(self.times)
        if kind == "touch" and here:  # the clock may stand still
            self.clock += value % 3
            self.times[here[value % len(here)]] = self.clock
        elif kind == "insert":
            self.clock += value % 3
            new = max(self.ever, default=0) + 1
            self.ever.add(new)
            self.times[new] = self.clock
        elif kind == "delete" and here:
            gone = here[value % len(here)]
            del self.times[gone]
            self.all_along.pop(gone, None)
        elif kind == "purge":
            newest_first = sorted(here, key=lambda one: -(self.times[one] or 0))
            for gone in newest_first[:value]:
                del self.times[gone]
                self.all_along.pop(gone, None)


def id_of(number: int) -> str:
    return f"{number * 60:08x}{0:010x}{number:06x}"


def time_of(row: dict[str, Any]) -> datetime | None:
    value = row["at"]
    if isinstance(value, str):
        raise ValueError(value)
    return None if value is None else at(value)


def read(server: Moving, since: float, *, page_size: int = 10, **arguments: Any) -> tuple[list[str], NewestReport]:
    """Run a reading to its end; return the ids handed out and the report."""
    report = arguments.pop("report", None) or NewestReport(honoured=arguments.pop("honoured", True))
    engine = newest(page_size=page_size, default_size=100, since=at(since), time_of=time_of, report=report, **arguments)
    handed: list[str] = []
    answer = None
    while True:
        try:
            step = engine.send(answer)
        except StopIteration:
            return handed, report
        if isinstance(step, Rows):
            assert step.rows
            handed += [row["_id"] for row in step.rows]
            answer = None
        else:
            answer = server.answer(step)


def due(server: Moving, since: float) -> set[str]:
    """Return the ids of those that existed throughout and were new enough throughout."""
    return {id_of(one) for one, time in server.all_along.items() if time is not None and time >= since}


# What it asks for


def spread(count: int) -> dict[int, Any]:
    """Records whose times have nothing to do with their ids."""
    return {number: float((number * 37) % count) for number in range(count)}


def test_one_page_is_enough_where_it_reaches_an_older_row() -> None:
    server = Moving(spread(97))
    handed, report = read(server, 90, page_size=20)
    assert server.asked == [Fetch(0, 20)]
    assert due(server, 90) <= set(handed)
    assert (report.rows, report.pages, report.proven) == (20, 1, True)


def test_a_list_of_one_page_needs_no_proof() -> None:
    server = Moving(dict.fromkeys(range(7), 5.0))
    handed, report = read(server, 0, honoured=None)
    assert (len(handed), len(server.asked), report.honoured) == (7, 1, None)


def test_several_pages_overlap_by_the_rows_of_the_oldest_time_and_one_more_and_the_front_is_read_again() -> None:
    server = Moving({number: float(number // 2) for number in range(40)})
    handed, _ = read(server, 8)
    assert server.asked == [Fetch(0, 10), Fetch(7, 10), Fetch(15, 10), Fetch(0, 10)]
    assert due(server, 8) <= set(handed)


def test_the_proof_is_an_order_that_is_neither_chance_nor_that_of_the_ids() -> None:
    server = Moving(spread(97))
    _, report = read(server, 90, page_size=20, honoured=None)
    assert (len(server.asked), report.honoured) == (1, True)


@pytest.mark.parametrize("way", [1, -1])
def test_rows_in_the_order_of_their_ids_prove_nothing_so_the_oldest_row_is_asked_for(way: int) -> None:
    server = Moving({number: float(way * number + 1000) for number in range(97)})
    since = 1000 + (90 if way == 1 else -7)
    _, report = read(server, since, page_size=20, honoured=None)
    assert server.asked == [Fetch(0, 20), Oldest()]
    assert report.honoured is True


def test_rows_of_few_times_prove_nothing() -> None:
    server = Moving({number: 9.0 if number == 50 else 1.0 for number in range(97)})
    read(server, 5, page_size=20, honoured=None)
    assert server.asked == [Fetch(0, 20), Oldest()]


def test_a_server_that_ignores_the_order_is_found_out_although_the_page_looks_good() -> None:
    times = {number: float(number) for number in range(97)}
    times[0] = 500.0  # made first and changed last: by id downwards it comes last
    server = Moving(times, arrange=lambda numbers: numbers[::-1])
    report = NewestReport()
    with pytest.raises(PaginationError, match="nothing shows"):
        read(server, 90, page_size=20, report=report)
    assert report.honoured is False


def test_a_page_that_is_not_in_order_is_an_error() -> None:
    report = NewestReport(honoured=True)
    server = Moving(spread(97), arrange=lambda numbers: numbers)
    with pytest.raises(PaginationError, match="not in the order"):
        read(server, 90, page_size=20, report=report)
    assert report.honoured is False


def test_where_all_rows_are_of_one_time_nothing_is_proven_and_nothing_refuted() -> None:
    report = NewestReport()
    with pytest.raises(PaginationError, match="one time"):
        read(Moving(dict.fromkeys(range(97), 1.0)), 5, page_size=20, report=report)
    assert report.honoured is None


def test_rows_without_a_time_come_last_and_end_the_reading() -> None:
    server = Moving({**spread(15), **dict.fromkeys(range(100, 160))})
    handed, _ = read(server, -5, page_size=20)
    assert server.asked == [Fetch(0, 20)]
    assert due(server, -5) <= set(handed)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ({0: "soon", 1: 1.0}, "cannot be read"),
        ({0: None, 1: 1.0}, "not in the order"),
        ({0: None, 1: None}, "no row has a time"),
    ],
)
def test_times_that_are_in_no_order_are_an_error(times: dict[int, Any], message: str) -> None:
    with pytest.raises(PaginationError, match=message):
        read(Moving(times, arrange=lambda numbers: numbers), 0)


def test_more_rows_of_one_time_than_a_page_holds_are_an_error() -> None:
    server = Moving(dict.fromkeys(range(30), 5.0))
    with pytest.raises(PaginationError, match="at the same time"):
        read(server, 0)
    assert len(server.asked) == 1


def test_a_record_in_the_future_does_not_hide_what_was_changed_meanwhile() -> None:
    """More than a page of it: that the front was read down to the newest time of before says nothing then."""
    times = spread(60)
    later = [number for number, time in times.items() if 22 <= time < 38]
    server = Moving({**times, 99: 99_999.0}, [[], [], [("touch", number) for number in later]])
    handed, _ = read(server, 20)
    assert {id_of(number) for number in later} <= set(handed)


def test_where_all_that_was_read_is_deleted_it_begins_at_the_front_again() -> None:
    server = Moving(spread(60), [[], [], [("purge", 25)]])
    handed, report = read(server, 5)
    assert due(server, 5) <= set(handed)
    assert Fetch(0, 10) in server.asked[3:-1]
    assert report.repairs > 0


def test_a_slow_page_is_asked_for_at_half_its_size() -> None:
    server = Moving(spread(60), slow=frozenset({0}))
    handed, _ = read(server, 55, page_size=40)
    assert server.asked == [Fetch(0, 40), Fetch(0, 20)]
    assert due(server, 55) <= set(handed)


def test_it_takes_no_page_size_below_one_and_no_missing_page() -> None:
    with pytest.raises(ValueError, match="page_size"):
        newest(page_size=0, default_size=1, since=START, time_of=time_of)
    engine = newest(page_size=5, default_size=1, since=START, time_of=time_of)
    next(engine)
    with pytest.raises(TypeError, match="must be answered"):
        next(engine)


def test_a_server_that_ignores_the_offset_is_an_error_within_few_requests() -> None:
    class Stuck(Moving):
        def answer(self, wanted: Any) -> Any:
            return super().answer(Fetch(0, wanted.limit))

    server = Stuck(spread(60))
    with pytest.raises(PaginationError, match="ignores the offset"):
        read(server, 0)
    assert len(server.asked) < 30


# Histories


def history_of(dice: random.Random, length: int, busy: int) -> list[list[tuple[str, int]]]:
    kinds = ["touch"] * 6 + ["insert", "delete", "delete"] + ["purge"] * dice.randrange(2)
    return [
        [
            (kind, dice.randrange(1, 40) if kind == "purge" else dice.randrange(400))
            for kind in dice.choices(kinds, k=dice.randrange(busy))
        ]
        for _ in range(length)
    ]


def check(server: Moving, since: float, page_size: int) -> bool:
    """Read, and hold the outcome against what existed throughout; whether it could be read this way."""
    first = dict(server.times)
    try:
        handed, report = read(server, since, page_size=page_size)
    except PaginationError:
        assert len(server.asked) <= 24 * 8 * (len(first) + 8)
        return False
    assert len(handed) == len(set(handed))
    assert due(server, since) <= set(handed) <= {id_of(one) for one in server.ever}
    assert report.proven
    assert report.rows == len(handed)
    assert len(server.asked) <= 8 * (len(server.ever) + 8 * (len(server.history) + 1))
    return True


def made_at_random(seed: int) -> tuple[Moving, float, int]:
    dice = random.Random(seed)
    rows = dice.choice([0, 1, 7, 20, 45, 70])
    kinds = dice.choice([1, 3, 10, 1000])  # how many different times there are
    times: dict[int, Any] = {number: float(dice.randrange(kinds)) for number in range(rows)}
    for number in dice.sample(sorted(times), dice.choice([0, 0, rows // 5])):
        times[number] = None
    server = Moving(
        times,
        history_of(dice, dice.choice([0, 3, 12, 30]), dice.choice([2, 6])),
        slow=frozenset(dice.choices(range(12), k=dice.randrange(3))),
        steady_ties=dice.random() < 0.5,
    )
    return server, float(dice.randrange(-1, kinds + 1)), dice.randrange(3, 18)


@pytest.mark.parametrize("block", range(10))
def test_no_record_that_existed_throughout_is_lost_or_repeated(block: int) -> None:
    readable = sum(check(*made_at_random(seed)) for seed in range(block * 1200, block * 1200 + 1200))
    assert readable > 600  # most histories can be read, so that the above says something


@given(
    seed=st.integers(0, 2**32),
    history=st.lists(
        st.lists(st.tuples(st.sampled_from(["touch", "insert", "delete", "purge"]), st.integers(0, 40)), max_size=8),
        max_size=14,
    ),
)
@settings(max_examples=500)
def test_no_history_that_is_looked_for_loses_a_record(seed: int, history: list[list[tuple[str, int]]]) -> None:
    server, since, page_size = made_at_random(seed)
    server.history = history
    check(server, since, page_size)


@pytest.mark.parametrize("block", range(4))
def test_a_server_that_ignores_the_order_never_loses_a_record_unnoticed(block: int) -> None:
    """By id either way, by anything else, or in an order of its own each time: all is there, or an error."""
    for seed in range(block * 1000, block * 1000 + 1000):
        dice = random.Random(seed)
        server, since, page_size = made_at_random(seed)
        server.history = []
        # An order of its own each time is told from the right one by many rows only.
        order = dice.choice(["up", "down", "fixed", "nearly", *(["mixed"] if page_size > 12 else [])])
        stirred = random.Random(seed)

        def arrange(numbers: list[int], order: str = order, stirred: random.Random = stirred) -> list[int]:
            if order in ("mixed", "fixed"):
                here = stirred if order == "mixed" else random.Random(7)
                return here.sample(numbers, len(numbers))
            return sorted(numbers, reverse=order != "up")

        if order == "mixed":
            server.times = {number: float((number * 37) % 71) for number in range(70)}
            server.all_along = dict(server.times)
        if order in ("down", "nearly"):  # nobody changed anything since it was made, but for one record
            server.times = {number: float(number) for number in server.times}
            server.all_along = dict(server.times)
            if order == "nearly" and server.times:
                server.times[0] = server.all_along[0] = 5000.0
        server.arrange = arrange
        report = NewestReport()
        try:
            handed, _ = read(server, since, page_size=page_size, report=report)
        except PaginationError:
            continue
        assert due(server, since) <= set(handed)


def test_a_maximum_of_the_server_that_shrinks_is_noticed() -> None:
    for seed in range(300):
        dice = random.Random(seed)
        caps = sorted((dice.choice([64, 100, 128, 200]) for _ in range(4)), reverse=True)
        server = Moving(spread(dice.randrange(700)), cap=lambda number, caps=caps: caps[min(number, 3)])
        since = float(dice.randrange(700))
        handed, _ = read(server, since, page_size=dice.choice([210, 500, 1000]))
        assert due(server, since) <= set(handed)


def test_every_change_at_every_moment_is_survived() -> None:
    for page_size in (3, 4, 9):
        for moment in range(7):
            for kind in ("touch", "delete", "purge"):
                for value in range(1, 14):
                    check(Moving(spread(13), [[]] * moment + [[(kind, value)]]), 3, page_size)
