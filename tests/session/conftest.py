"""A sandbox with a session that does not sleep (what it would have slept is in ``slept``), and no settings around."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planhat_orm import Session

# Faults that lose the answer of a request that was carried out.
CARRIED_OUT: list[dict[str, Any]] = [
    {"kind": "lost_answer"},
    {"kind": "truncated"},
    {"kind": "html"},
    *({"kind": "status_after", "status": status} for status in (408, 500, 502, 503, 504)),
]
# Faults that lose the answer of a request that was not carried out.
NOT_CARRIED_OUT: list[dict[str, Any]] = [
    {"kind": "reset_before"},
    *({"kind": "status", "status": status} for status in (408, 500, 502, 503, 504)),
]


@pytest.fixture(params=CARRIED_OUT, ids=str)
def carried_out(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each fault that loses the answer of a request that was carried out, in turn."""
    return dict(request.param)


@pytest.fixture(params=NOT_CARRIED_OUT, ids=str)
def not_carried_out(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each fault that loses the answer of a request that was not carried out, in turn."""
    return dict(request.param)


@pytest.fixture(params=CARRIED_OUT + NOT_CARRIED_OUT, ids=str)
def answer_lost(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each fault that loses an answer, in turn."""
    return dict(request.param)


@pytest.fixture
def records_made(answer_lost: dict[str, Any]) -> int:
    """How many records a create makes whose answer is lost so."""
    return int(answer_lost in CARRIED_OUT)


@pytest.fixture(autouse=True)
def no_settings(nothing_set: None) -> None:
    """The tests of sessions make their own settings."""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box, only_loopback():
        yield box


@pytest.fixture
def session(box: Sandbox, patient: Callable[[Session], Session]) -> Iterator[Session]:
    with patient(box.session()) as session:
        yield session


@pytest.fixture
def in_thread() -> Callable[[Callable[[], Any]], Any]:
    """Gives what some work returned, or raised, in a thread of its own."""

    def run(work: Callable[[], Any]) -> Any:
        found: list[Any] = []

        def do() -> None:
            try:
                found.append(work())
            except Exception as problem:
                found.append(problem)

        thread = threading.Thread(target=do, daemon=True)
        thread.start()
        thread.join(10)
        return found[0]

    return run


def run_together(work: Callable[[int], Any], count: int = 16) -> list[Any]:
    """Run the work in so many threads at once; return what each returned, raise what one raised."""
    found: list[Any] = [None] * count
    problems: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            start.wait()
            found[number] = work(number)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not [thread for thread in threads if thread.is_alive()], "a deadlock"
    if problems:
        raise problems[0]
    return found


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Runs work in several threads at once."""
    return run_together
