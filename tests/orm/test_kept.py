"""What a session keeps of lists that it read whole is let go after a minute, whatever is asked for then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models import Company, Enduser, User
from planhat_orm.orm import kept
from planhat_orm.session.identity_map import KEPT_SECONDS

if TYPE_CHECKING:
    import pytest

    from planhat_orm.sandbox import Sandbox


def test_any_request_lets_go_of_what_is_too_old(planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    planhat_sandbox.add(User, email="kim@vendor.example")
    assert Company.objects.filter(name="Nobody").first() is None
    assert len(User.objects.all()) == 1
    session = User.objects.all()._bound()
    assert "users" in kept.kept_of(session).collections
    now = kept.clock()
    monkeypatch.setattr(kept, "clock", lambda: now + KEPT_SECONDS + 1)
    with planhat_sandbox.assert_requests(1):
        assert not Enduser.objects.exists()
    assert kept.kept_of(session).collections == frozenset()


def test_what_is_being_read_while_it_is_forgotten_is_not_kept(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(User, email="kim@vendor.example")
    with planhat_sandbox.session() as session:
        assert User.objects.filter(email="kim@vendor.example").exists()
        # As another thread may do it, between the answer and its being kept.
        session.forget(User)
        stop = session.transport.observe(lambda request, answer: session.forget(User))
        assert User.objects.filter(email="kim@vendor.example").exists()
        stop()
        with planhat_sandbox.assert_requests(1):
            assert User.objects.filter(email="kim@vendor.example").exists()
