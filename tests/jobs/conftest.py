"""The jobs' fixtures: a large tenant, filled once and only read, and a session of its own for each test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback

sys.path.insert(0, str(Path(__file__).parent))

from tenant import NOW, Tenant, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session


@pytest.fixture(scope="module")
def big() -> Iterator[Tenant]:
    """The large tenant, behind a running sandbox; whoever changes a row puts it back."""
    with Sandbox(clock=lambda: NOW) as box:
        yield filled(box)
    box.close()


@pytest.fixture
def session(big: Tenant) -> Iterator[Session]:
    """A session that knows nothing yet, current, and no request counted so far."""
    with only_loopback(), big.box.session() as session:
        big.box.clear_requests()
        yield session
