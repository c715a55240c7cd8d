"""Fields that are read under one name and written under another, and those that are only written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ValidationError
from planhat_orm.orm import fields, tracking
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

SOME_ID = "64b0f1a2c3d4e5f60718293a"
OTHER_ID = "64b0f1a2c3d4e5f60718293b"


@pytest.fixture
def call() -> Iterator[Any]:
    """A model that reads externalId and subject, and writes sourceId and title."""
    before = dict(registry)

    class Call(Model):
        """A model for these tests."""

        class Meta:
            path = "calls-of-this-test"
            match_keys = ("_id", "externalId")
            unique = ("externalId",)
            one_required = (("subject", "h"),)
            create_defaults = {"subject": "Call", "isHidden": False}
            constant = {"kind": "call"}
            always_sent = ("externalId", "companyId")

        source_id: fields.Text = fields.Text("externalId", write_key="sourceId", required=True)
        subject: fields.Text = fields.Text("subject", write_key="title")
        kind: fields.Text = fields.Text("kind", write_key="callKind")
        height: fields.Number = fields.Number("h")
        hidden: fields.Boolean = fields.Boolean("isHidden")
        company: ForeignKey[Any] = ForeignKey("Company", "companyId", write_key="company", takes_keys=True)
        company_id: fields.Id = fields.IdOf(company)
        agent: fields.Text = fields.Text("agentEmail", write_only=True)
        taker: ForeignKey[Any] = ForeignKey("User", "ownerId", write_only=True)
        taker_id: fields.Id = fields.IdOf(taker)
        readers: ReferenceList[Any] = ReferenceList("User", "readerIds", write_only=True)
        custom: CustomData = CustomData("custom")

    yield Call
    registry.clear()
    registry.update(before)


def hydrated(call: Any, **row: Any) -> Any:
    """Make the object of a row, of no session."""
    return call._hydrated({"_id": SOME_ID, **row}, Origin(None, call._meta.keys, 1))


def body(obj: Any) -> dict[str, Any]:
    return tracking.body_of(obj, tracking.pending(obj))


def test_a_create_is_sent_under_the_names_to_write(call: Any) -> None:
    made = call(source_id="s-1", subject="Hello", custom={"Tier": "Gold"})
    assert body(made) == {
        "sourceId": "s-1",
        "title": "Hello",
        "callKind": "call",
        "isHidden": False,
        "custom": {"Tier": "Gold"},
    }
    assert made.changes() == {
        "source_id": (None, "s-1"),
        "subject": (None, "Hello"),
        "custom.Tier": (None, "Gold"),
    }


def test_what_a_create_needs_is_told_by_the_names_to_read(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert body(call(source_id="s-1"))["title"] == "Call"
    monkeypatch.setattr(call._meta, "create_defaults", {})
    with pytest.raises(ValidationError) as refused:
        body(call(hidden=True))
    assert refused.value.messages == {
        "source_id": ["is required to create a Call"],
        "subject": ["is required, or one of height, to create a Call"],
    }
    assert body(call(source_id="s-1", height=3))["h"] == 3


def test_an_update_sends_what_changed_and_what_goes_along_under_the_names_to_write(call: Any) -> None:
    one = hydrated(call, externalId="s-1", subject="Hello", companyId={"_id": OTHER_ID, "name": "Acme"})
    one.subject = "Bye"
    sent = body(one)
    assert sent == {"title": "Bye", "sourceId": "s-1", "company": OTHER_ID}
    assert tracking.before(one, {"title": "Bye"}) == {"title": "Hello"}


def test_an_untouched_object_is_clean_although_its_names_differ(call: Any) -> None:
    one = hydrated(call, externalId="s-1", subject="Hello")
    one.subject, one.source_id = "Hello", "s-1"
    assert one.changes() == {}
    assert body(one) == {}


def test_a_constant_is_told_by_its_own_name(call: Any) -> None:
    with pytest.raises(ValidationError, match="kind: is always 'call' for a Call"):
        body(call(source_id="s", subject="x", kind="visit"))


def test_a_success_without_a_body_stands_for_what_was_sent(call: Any) -> None:
    one = hydrated(call, externalId="s-1", subject="Hello", mystery=1)
    row, unknown = tracking.echo(one, {"title": "Bye", "company": "extid-acme-42", "agentEmail": "kim@x.example"})
    assert "agentEmail" not in row
    assert row["subject"] == "Bye"
    assert "title" not in row
    assert row["mystery"] == 1
    assert unknown == {"companyId"}


def test_what_moved_at_planhat_is_a_conflict_by_the_name_that_is_read(call: Any) -> None:
    one = hydrated(call, subject="Hello")
    one.subject = "Mine"
    one._merge({"_id": SOME_ID, "subject": "Theirs"}, Origin(None, call._meta.keys, 2))
    assert one.conflicts() == {"subject": ("Theirs", "Mine")}
    one._merge({"_id": SOME_ID, "subject": "Mine"}, Origin(None, call._meta.keys, 3))
    assert one.changes() == {}


def test_rows_and_bodies_are_told_apart_by_the_options(call: Any) -> None:
    meta = call._meta
    assert meta.write_keys == {
        "externalId": "sourceId",
        "subject": "title",
        "kind": "callKind",
        "companyId": "company",
    }
    assert meta.as_written({"subject": "x", "h": 1}) == {"title": "x", "h": 1}
    assert meta.as_read({"title": "x", "h": 1}) == {"subject": "x", "h": 1}


def test_what_no_answer_shows_is_sent_never_asked_for_and_reads_none(call: Any) -> None:
    one = hydrated(call, subject="Hello")
    assert one.agent is None
    one.agent, one.taker_id, one.readers = "kim@vendor.example", OTHER_ID, [OTHER_ID]
    assert (one.agent, one.taker_id, one.readers.ids) == ("kim@vendor.example", OTHER_ID, [OTHER_ID])
    assert body(one) == {"agentEmail": "kim@vendor.example", "ownerId": OTHER_ID, "readerIds": [OTHER_ID]}
    sent = tracking.sent_of(one, tracking.pending(one))
    one._merge({"_id": SOME_ID, "subject": "Hello"}, Origin(None, call._meta.keys, 2), sent)
    assert (one.agent, one.taker, one.readers.ids, one.changes()) == (None, None, [], {})
    lean = call._hydrated({"_id": SOME_ID}, Origin(None, frozenset({"_id"}), 1))
    assert lean.agent is None  # nothing is asked for: there is no session here
    meta = call._meta
    assert meta.write_only == {"agentEmail", "ownerId", "readerIds"}
    assert meta.write_only.isdisjoint(meta.keys | meta.listed_keys)
