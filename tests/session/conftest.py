"""A sandbox with a session that does not sleep: what it would have slept is in ``slept``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.sandbox.loopback import only_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    from planhat_orm.sandbox import Sandbox

    with Sandbox() as box, only_loopback():
        yield box


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def session(box: Sandbox, slept: list[float]) -> Iterator[Session]:
    with box.session() as session:
        session.transport._sleep = slept.append
        session.writer._sleep = slept.append
        yield session
