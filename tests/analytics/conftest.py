"""An empty sandbox with one company, and its session, which waits without sleeping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.models import Company
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planhat_orm import Session


@pytest.fixture(autouse=True)
def no_settings(nothing_set: None) -> None:
    """The tests make their own settings."""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box, only_loopback():
        box.add(Company, name="Acme", external_id="acme-42")
        yield box


@pytest.fixture
def session(box: Sandbox, patient: Callable[[Session], Session]) -> Iterator[Session]:
    with patient(box.session()) as session:
        yield session


@pytest.fixture
def acme(box: Sandbox, session: Session) -> Company:
    acme = Company.objects.get(external_id="acme-42")
    box.clear_requests()
    return acme
