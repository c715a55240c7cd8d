"""A sandbox with a session that does not sleep (what it would have slept is in ``slept``), and no settings around."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.sandbox.loopback import only_loopback
from planhat_orm.session.session import _Process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox


VARIABLES = ("API_TOKEN", "REGION", "TENANT_TOKEN", "BASE_URL", "ANALYTICS_URL", "READ_ONLY")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variables and no default session; and each block that a test opened is left again."""
    for name in VARIABLES:
        monkeypatch.delenv(f"PLANHAT_{name}", raising=False)
    monkeypatch.setattr(_Process, "default", None)
    open_before = _Process.open
    yield
    assert _Process.open == open_before


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
