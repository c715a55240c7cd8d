"""A copy is a new object without the keys of its original, whatever they are called on the wire."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from planhat_orm.models import Conversation, Invoice, Issue, Ticket
from planhat_orm.orm.state import Origin

SOME_ID = "64b0f1a2c3d4e5f60718293a"


def held(model: Any, **row: Any) -> Any:
    """Make the object of a row that was read whole, of no session."""
    return model._hydrated({"_id": SOME_ID, **row}, Origin(None, model._meta.keys, 1))


@pytest.mark.parametrize(
    ("model", "row", "copied"),
    [
        (Invoice, {"extId": "i-1", "sourceId": "s-1", "currency": "EUR"}, {"currency": (None, "EUR")}),
        (Issue, {"sourceId": "j-1", "title": "Slow"}, {"title": (None, "Slow")}),
        (Ticket, {"externalId": "t-1", "subject": "Slow"}, {"subject": (None, "Slow")}),
        (Conversation, {"externalId": "c-1", "subject": "Call"}, {"subject": (None, "Call")}),
    ],
)
def test_keys_stay_with_the_original(model: Any, row: dict[str, Any], copied: dict[str, Any]) -> None:
    twin = copy.copy(held(model, **row))
    assert twin.id is None
    assert twin.changes() == copied


def test_a_pickled_object_keeps_its_keys_and_its_changes() -> None:
    issue = held(Issue, sourceId="j-1", title="Slow")
    issue.title = "Slower"
    twin = pickle.loads(pickle.dumps(issue))
    assert (twin.id, twin.source_id, twin.changes()) == (SOME_ID, "j-1", {"title": ("Slow", "Slower")})
