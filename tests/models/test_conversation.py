"""Conversations over HTTP: operations, keys, list parameters, links, quirks.

The facts are those of https://www.planhat.com/developers/api/conversation.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import InvalidQuery, NotSupported, UnknownField, ValidationError
from planhat_orm.models import Company, Conversation, Enduser, Note, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42")


def test_a_conversation_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    moment = datetime(2025, 3, 4, 9, 12, tzinfo=UTC)
    with planhat_sandbox.assert_requests(1):
        call = Conversation.objects.create(company_id=acme["_id"], type="call", subject="Check-in", date=moment)
    assert planhat_sandbox.requests[-1].json == {
        "companyId": acme["_id"],
        "type": "call",
        "subject": "Check-in",
        "date": "2025-03-04T09:12:00.000Z",
    }
    with planhat_sandbox.assert_requests(1):
        again = Conversation.objects.get(id=call.id, fresh=True)
    assert again is call
    assert (call.type, call.date, call.days, call.company_name) == ("call", moment, date(2025, 3, 4), "Acme")
    call.subject = "Check-in, moved"
    with planhat_sandbox.assert_requests(1):
        call.save()
    assert planhat_sandbox.requests[-1].json == {"subject": "Check-in, moved"}
    with planhat_sandbox.assert_requests(1):
        call.delete()
    assert planhat_sandbox.count(Conversation) == 0


def test_deleting_a_conversation_is_answered_with_the_deleted_record(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    row = planhat_sandbox.add(Conversation, company=acme, subject="Gone")
    answer = Conversation.objects.get(id=row["_id"]).delete()
    assert answer.status == "deleted"
    assert planhat_sandbox.count(Conversation) == 0


def test_conversations_are_read_by_id_and_external_id_and_by_nothing_else(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    row = planhat_sandbox.add(Conversation, company=acme, external_id="mail-7", subject="Hello")
    with planhat_sandbox.assert_requests(1):
        assert Conversation.objects.get(external_id="mail-7").id == row["_id"]
    assert planhat_sandbox.requests[-1].path == "/conversations/extid-mail-7"
    with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match="source_id"):
        Conversation.objects.get(source_id="mail-7")


def test_a_conversation_needs_a_company(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="company: is required"):
        Conversation.objects.create(subject="Of nobody")


def test_the_company_may_be_named_by_its_own_key(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        call = Conversation.objects.create(company=Company.ref(external_id="acme-42"), subject="Check-in")
    assert planhat_sandbox.requests[-1].json["companyId"] == "extid-acme-42"
    assert call.company_id == acme["_id"]


def test_conversations_are_listed_by_companies_and_the_rest_is_filtered_here(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    birch, cedar = (planhat_sandbox.add(Company, name=name) for name in ("Birch", "Cedar"))
    for company in (acme, birch, cedar):
        for type_ in ("note", "call"):
            planhat_sandbox.add(Conversation, company=company, type=type_, subject=f"{company['name']} {type_}")
    with planhat_sandbox.assert_requests(1):
        found = Conversation.objects.filter(company__in=[acme["_id"], birch["_id"]], type="call")
        assert {one.subject for one in found} == {"Acme call", "Birch call"}
    params = planhat_sandbox.requests[-1].params
    assert set(params["companyId"].split(",")) == {acme["_id"], birch["_id"]}
    # A hint, which nothing relies on: rows of other types are dropped here.
    assert params["type"] == "call"


def test_a_type_that_the_tenant_does_not_have_becomes_a_note(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        call = Conversation.objects.create(company_id=acme["_id"], type="Quarterly 🦊", subject="Numbers")
    assert planhat_sandbox.requests[-1].json["type"] == "Quarterly 🦊"
    assert call.type == "note"
    assert call.changes() == {}


def test_users_and_endusers_are_written_by_id_and_read_with_their_names(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="R")
    ada = planhat_sandbox.add(Enduser, company=acme, email="ada@acme.example", first_name="Ada", last_name="B")
    call = Conversation.objects.create(
        company_id=acme["_id"], users=[{"id": kim["_id"], "isOwner": True}], endusers=[ada["_id"]], subject="Check-in"
    )
    sent = planhat_sandbox.requests[-1].json
    assert sent["users"] == [{"id": kim["_id"], "isOwner": True}]
    assert sent["endusers"] == [{"id": ada["_id"]}]
    assert call.users.items == [{"id": kim["_id"], "isOwner": True, "name": "Kim"}]
    assert call.endusers.ids == [ada["_id"]]
    assert [person.email for person in call.endusers] == ["ada@acme.example"]


def test_the_text_comes_with_a_get_and_with_no_list(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Conversation, company=acme, subject="Rollout", description="<p>All is <b>well</b></p>")
    with planhat_sandbox.assert_requests(1):
        [found] = Conversation.objects.all()
        assert found.snippet == "All is well"
    with planhat_sandbox.assert_requests(1):
        assert found.description == "<p>All is <b>well</b></p>"
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="description"):
        list(Conversation.objects.filter(description__contains="well"))


def test_what_planhat_takes_and_shows_nowhere_is_sent_and_reads_as_nothing(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="R")
    call = Conversation.objects.create(
        company_id=acme["_id"],
        subject="Check-in",
        use_subject=True,
        owner_id=kim["_id"],
        comments=[{"by": kim["_id"], "text": "Well done"}],
    )
    sent = planhat_sandbox.requests[-1].json
    assert (sent["useSubject"], sent["ownerId"]) == (True, kim["_id"])
    assert sent["comments"] == [{"by": kim["_id"], "text": "Well done"}]
    assert call.changes() == {}
    with planhat_sandbox.assert_requests(0):
        assert (call.use_subject, call.owner_id, call.comments) == (None, None, [])
    with planhat_sandbox.assert_requests(0), pytest.raises(InvalidQuery, match="use_subject is shown nowhere"):
        list(Conversation.objects.filter(use_subject=True))


def test_a_company_has_its_conversations(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Conversation, company=acme, type="call", subject="Check-in")
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(1):
        [call] = company.conversations.all()
    assert planhat_sandbox.requests[-1].params["companyId"] == acme["_id"]
    with planhat_sandbox.assert_requests(0):
        assert call.company is company


def test_conversations_are_upserted_by_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    known = planhat_sandbox.add(Conversation, company=acme, type="call", subject="Check-in")
    # Items without a key go in a request of their own.
    with planhat_sandbox.assert_requests(2):
        ledger = Conversation.objects.bulk_upsert(
            [
                {"id": known["_id"], "subject": "Check-in, moved"},
                {"company_id": acme["_id"], "type": "call", "subject": "Another"},
            ]
        )
    assert (len(ledger.updated), len(ledger.created)) == (1, 1)
    assert {row["subject"] for row in planhat_sandbox.rows(Conversation)} == {"Check-in, moved", "Another"}


@pytest.mark.parametrize("model", [Conversation, Note])
def test_conversations_and_notes_match_on_the_id_alone(
    model: type[Conversation], planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    known = planhat_sandbox.add(model, company=acme, external_id="kick-off", subject="Kick-off")
    item = {"company_id": acme["_id"], "external_id": "kick-off", "subject": "Kick-off, moved"}
    with (
        planhat_sandbox.assert_requests(0),
        pytest.raises(NotSupported, match=f"Planhat does not match a {model.__name__} by external_id, only by id"),
    ):
        model.objects.bulk_upsert([item], key="external_id")
    with planhat_sandbox.assert_requests(1):
        ledger = model.objects.bulk_upsert([item], key=(), on_error="collect")
    assert [outcome.status for outcome in ledger] == ["failed"]
    assert planhat_sandbox.row(Conversation, known["_id"])["subject"] == "Kick-off"


def test_a_note_is_a_conversation_and_may_stand_for_one(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    note = Note.objects.create(company_id=acme["_id"], subject="Kick-off")
    assert isinstance(note, Conversation)
    with planhat_sandbox.assert_requests(1):
        assert Conversation.objects.get(id=note.id, fresh=True).subject == "Kick-off"
    with pytest.raises(Conversation.DoesNotExist):
        Note.objects.get(id="0" * 24)
