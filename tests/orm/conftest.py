"""What several tests of querysets share: the clock of what is kept, and a world that plain Python knows as well."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planhat_orm.orm import kept
from planhat_orm.orm.options import registry
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plain_world import World

sys.path.insert(0, str(Path(__file__).parent / "plain_python"))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the clock of what is kept is ahead."""
    ahead = [0.0]
    real = kept.clock
    monkeypatch.setattr(kept, "clock", lambda: real() + ahead[0])
    return ahead


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A sandbox full of odd rows, beside what plain Python knows of them."""
    from plain_world import filled

    known = dict(registry)
    with Sandbox() as box:
        yield filled(box)
    registry.clear()
    registry.update(known)
