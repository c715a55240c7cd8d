"""What all tests share: a clean environment, patience, the demo sandbox and hypothesis' settings.

The fixture ``planhat_sandbox`` (an empty sandbox) comes from the package's own pytest plugin.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from planhat_orm.orm.options import registry
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback
from planhat_orm.session.session import _Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from planhat_orm import Session

# A busy machine is slow, and that is no failure: no test of ours is about time.
# The usual run tries the same examples each time, so that its result depends on the code alone; the other two hunt.
settings.register_profile(
    "ci", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("random", settings.get_profile("ci"), derandomize=False)
settings.register_profile("thorough", settings.get_profile("random"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def forgotten_models() -> Iterator[None]:
    """Models that a test declares are forgotten with it, and those whose name one took are back."""
    known = dict(registry)
    yield
    registry.clear()
    registry.update(known)


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variables and no default session; and each block that a test opened is left again."""
    for name in [name for name in os.environ if name.startswith("PLANHAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(_Process, "default", None)
    open_before = _Process.open
    yield
    assert _Process.open == open_before


@pytest.fixture
def slept() -> list[float]:
    """The seconds that patient sessions would have slept."""
    return []


@pytest.fixture
def patient(slept: list[float]) -> Callable[[Session], Session]:
    """Lets a session wait without sleeping."""

    def make(session: Session) -> Session:
        session.transport._sleep = session.writer._sleep = slept.append
        return session

    return make


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo data in a file, made once; whoever wants to change it works on a copy."""
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    Sandbox(path, demo=True).close()
    return path


@pytest.fixture
def demo(demo_file: Path, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox with the demo data and its session current; no other host can be reached."""
    copy = tmp_path / "demo.sqlite"
    shutil.copyfile(demo_file, copy)
    with Sandbox(copy) as box, only_loopback(), box.session():
        yield box
