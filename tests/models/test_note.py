"""Notes over HTTP: operations, keys, list parameters, links, quirks.

The facts are those of https://www.planhat.com/developers/api/note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ObjectDeleted, UnknownField, ValidationError
from planhat_orm.models import Company, Conversation, Note, Ticket

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42")


def test_a_note_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        note = Note.objects.create(company_id=acme["_id"], subject="Kick-off", description="<p>All set</p>")
    assert planhat_sandbox.requests[-1].path == "/conversations"
    assert planhat_sandbox.requests[-1].json == {
        "type": "note",
        "companyId": acme["_id"],
        "subject": "Kick-off",
        "description": "<p>All set</p>",
    }
    with planhat_sandbox.assert_requests(1):
        assert Note.objects.get(id=note.id, fresh=True).snippet == "All set"
    note.starred = True
    with planhat_sandbox.assert_requests(1):
        note.save()
    assert planhat_sandbox.requests[-1].json == {"starred": True}
    with planhat_sandbox.assert_requests(1):
        note.delete()
    assert planhat_sandbox.count(Note) == 0


def test_notes_are_read_by_id_and_external_id_and_by_nothing_else(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    row = planhat_sandbox.add(Note, company=acme, external_id="note-7", subject="Hello")
    with planhat_sandbox.assert_requests(1):
        assert Note.objects.get(external_id="note-7").id == row["_id"]
    assert planhat_sandbox.requests[-1].path == "/conversations/extid-note-7"
    with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match="source_id"):
        Note.objects.get(source_id="note-7")


def test_a_note_needs_a_company(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="company: is required"):
        Note.objects.create(subject="Of nobody")


def test_a_list_of_notes_is_a_list_of_conversations_without_the_others(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    for type_ in ("note", "call", "note"):
        planhat_sandbox.add(Conversation, company=acme, type=type_, subject=type_)
    with planhat_sandbox.assert_requests(1):
        assert [note.type for note in Note.objects.filter(company=acme["_id"])] == ["note", "note"]
    assert planhat_sandbox.requests[-1].path == "/conversations"
    # Planhat need not honour the hint.
    with planhat_sandbox.fault("ignore_filters", path="/conversations", times=1):
        assert len(Note.objects.all()) == 2


def test_the_type_of_a_note_cannot_become_another(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    note = Note.objects.create(company_id=acme["_id"], subject="Kick-off")
    note.type = "call"
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="always 'note'"):
        note.save()


def test_a_note_may_name_its_company_by_your_id_beside_it(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    Note.objects.create(company_id=acme["_id"], company_external_id="acme-42", subject="Kick-off")
    assert planhat_sandbox.requests[-1].json["companyExternalId"] == "acme-42"


def test_notes_are_upserted_by_id_with_their_type(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    known = planhat_sandbox.add(Note, company=acme, subject="Kick-off")
    # Items without a key go in a request of their own.
    with planhat_sandbox.assert_requests(2):
        ledger = Note.objects.bulk_upsert(
            [{"id": known["_id"], "subject": "Kick-off, moved"}, {"company_id": acme["_id"], "subject": "Another"}]
        )
    assert (len(ledger.updated), len(ledger.created)) == (1, 1)
    assert {row["type"] for row in planhat_sandbox.rows(Conversation)} == {"note"}


def test_notes_and_tickets_are_conversations_seen_through_three_classes(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    row = planhat_sandbox.add(Note, company=acme, subject="Kick-off")
    note, conversation = Note.objects.get(id=row["_id"]), Conversation.objects.get(id=row["_id"], fresh=True)
    conversation.subject = "Kick-off, moved"
    with planhat_sandbox.assert_requests(1):
        conversation.save()
    with planhat_sandbox.assert_requests(0):
        assert note.subject == "Kick-off, moved"

    Ticket.objects.bulk_upsert(
        [{"source_id": "4711", "email": "ada@acme.example", "company_id": acme["_id"], "subject": "Cannot log in"}]
    )
    [ticket] = Ticket.objects.all()
    seen = Conversation.objects.get(id=ticket.id)
    assert (seen.type, seen.subject, seen.external_id) == ("ticket", "Cannot log in", "4711")
    seen.subject = "Cannot log in since Monday"
    with planhat_sandbox.assert_requests(1):
        seen.save()
    with planhat_sandbox.assert_requests(0):
        assert ticket.subject == "Cannot log in since Monday"
    assert [one.subject for one in Note.objects.all()] == ["Kick-off, moved"]


def test_a_list_of_tickets_takes_nothing_from_their_conversations(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    item = {"source_id": "4711", "email": "ada@acme.example", "company_id": acme["_id"], "status": "open"}
    Ticket.objects.bulk_upsert([{**item, "description": "<p>It loops</p>"}])
    [ticket] = Ticket.objects.all()
    seen = Conversation.objects.get(id=ticket.id)
    ticket.status = "closed"
    seen.subject = "Login"
    with planhat_sandbox.assert_requests(2):
        seen.save()
        assert len(Ticket.objects.all()) == 1
    with planhat_sandbox.assert_requests(0):
        assert (seen.description, ticket.subject) == ("<p>It loops</p>", "Login")
        # What was changed through one class is still to be saved through it.
        assert ticket.changes() == {"status": ("open", "closed")}
        assert seen.changes() == {}
    ticket.delete()
    seen.subject = "Login again"
    with planhat_sandbox.assert_requests(0), pytest.raises(ObjectDeleted):
        seen.save()


def test_a_company_has_its_notes(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(1):
        note = company.notes.create(subject="Kick-off")
    assert note.company_id == company.id
    with planhat_sandbox.assert_requests(1):
        assert [one.subject for one in company.notes.all()] == ["Kick-off"]
