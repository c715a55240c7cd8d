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
