"""One record seen through classes over several collections stays in step: a ticket, a note and the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import NotSupported, ObjectDeleted
from planhat_orm.models import Company, Conversation, Note, Ticket
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

SOME_ID = "64b0f1a2c3d4e5f60718293a"


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    return planhat_sandbox


@pytest.fixture
def session(box: Sandbox) -> Iterator[Session]:
    with box.session() as session:
        yield session


@pytest.fixture
def kin() -> Iterator[tuple[Any, Any]]:
    """Two classes over the same records by two paths, which share two properties."""
    before = dict(registry)

    class Talk(Model):
        """The collection itself."""

        class Meta:
            path = "talks-of-this-test"

        subject: fields.Text = fields.Text("subject")
        body: fields.Text = fields.Text("body")
        text: fields.Text = fields.Text("text")

    class Case(Model):
        """The same records by another path."""

        class Meta:
            path = "cases-of-this-test"
            same_records_as = "talks-of-this-test"

        title: fields.Text = fields.Text("subject")
        text: fields.Text = fields.Text("text", get_only=True)
        state: fields.Text = fields.Text("state")

    yield Talk, Case
    registry.clear()
    registry.update(before)


def came(session: Session, cls: Any, number: int, loaded: frozenset[str] | None = None, **row: Any) -> Any:
    """Let a row come in as a list of the class gives it."""
    origin = Origin(session, cls._meta.listed_keys if loaded is None else loaded, number)
    return session.identity_map.adopt(cls, [{"_id": SOME_ID, **row}], origin)[0]


def test_a_row_by_one_path_refreshes_what_the_other_class_declares(session: Session, kin: Any) -> None:
    talk_class, case_class = kin
    talk = came(session, talk_class, 1, subject="Old", body="B", mystery=1)
    case = came(session, case_class, 2, subject="New", state="open")
    assert (talk.subject, talk.body, talk.extra) == ("New", "B", {"mystery": 1, "state": "open"})
    came(session, talk_class, 3, subject="Newer", body="B")
    assert (case.title, case.state) == ("Newer", "open")


def test_what_a_row_of_another_path_lacks_is_kept_unless_its_list_holds_it(session: Session, kin: Any) -> None:
    talk_class, case_class = kin
    talk = came(session, talk_class, 1, subject="Old", body="B", text="T")
    came(session, case_class, 2, state="open")
    # Both declare the subject, and the list of cases holds it: it is gone. The text is in no list of cases.
    assert (talk.subject, talk.body, talk.text) == (None, "B", "T")


def test_what_is_dirty_is_kept_and_its_conflict_told(session: Session, kin: Any) -> None:
    talk_class, case_class = kin
    talk = came(session, talk_class, 1, subject="Old")
    talk.subject = "Mine"
    came(session, case_class, 2, subject="Theirs")
    assert talk.conflicts() == {"subject": ("Theirs", "Mine")}


def test_an_older_row_of_another_path_only_fills(session: Session, kin: Any) -> None:
    talk_class, case_class = kin
    talk = came(session, talk_class, 5, subject="New")
    case = came(session, case_class, 4, subject="Old", state="open")
    assert (talk.subject, case.title) == ("New", "Old")


def test_an_object_stays_among_the_rows_that_it_was_handed_out_with(session: Session, kin: Any) -> None:
    talk_class, case_class = kin
    talk = came(session, talk_class, 1, subject="Old")
    members = talk._origin.members
    came(session, case_class, 2, subject="New")
    assert talk._origin.members is members


# Over HTTP


def test_a_ticket_a_conversation_and_a_note_of_one_record_stay_in_step(box: Sandbox) -> None:
    company = box.add(Company, name="Acme")
    row = box.add(
        Ticket, company=company, source_id="t-1", email="ada@acme.example", subject="Old", domains=["acme.example"]
    )
    [ticket] = Ticket.objects.all()
    talk = Conversation.objects.get(id=row["_id"])
    assert (ticket.source_id, ticket.subject, talk.subject) == ("t-1", "Old", "Old")
    talk.subject = "New"
    with box.assert_requests(1):
        talk.save()
    with box.assert_requests(0):
        assert ticket.subject == "New"
        assert ticket.email == "ada@acme.example"
    box.change(Conversation, row["_id"], subject="Newest")
    list(Ticket.objects.all())
    with box.assert_requests(0):
        assert (ticket.subject, talk.subject) == ("Newest", "Newest")


def test_a_delete_by_one_class_is_known_to_the_others(box: Sandbox) -> None:
    row = box.add(Note, company=box.add(Company, name="Acme"), subject="S")
    note, talk = Note.objects.get(id=row["_id"]), Conversation.objects.get(id=row["_id"])
    note.delete()
    talk.subject = "T"
    with box.assert_requests(0), pytest.raises(ObjectDeleted):
        talk.save()


def test_what_is_not_offered_is_refused_before_any_request_and_changes_nothing(box: Sandbox) -> None:
    company = box.add(Company, name="Acme")
    box.add(Ticket, company=company, source_id="t-1", email="ada@acme.example", subject="S")
    [ticket] = Ticket.objects.all()
    ticket.status = "closed"
    made = Ticket(source_id="t-2", email="ada@acme.example", company_id=company["_id"])
    with box.assert_requests(0):
        with pytest.raises(NotSupported, match=r"no update of Ticket: .*bulk_upsert"):
            ticket.save()
        with pytest.raises(NotSupported, match=r"no create of Ticket: .*bulk_upsert"):
            made.save()
        with pytest.raises(NotSupported, match=r"no get of Ticket: .*Conversation"):
            ticket.refresh_from_db()
    made.full_clean()
    assert ticket.changes() == {"status": (None, "closed")}
    assert made.id is None
    assert ticket.delete().status == "deleted"
    assert box.rows(Conversation) == []
