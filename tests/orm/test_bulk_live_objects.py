"""What objects that live know after dictionaries changed their records by ``objects.bulk_upsert``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import BulkError, Session
from planhat_orm.models import Company, Conversation, Ticket
from planhat_orm.session.session import Session as AnySession

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def box(planhat_sandbox: Sandbox, patient: Callable[[Session], Session]) -> Sandbox:
    patient(AnySession.current())
    planhat_sandbox.add(Company, name="Acme", external_id="acme", phase="Trial", custom={"Tier": "Silver"})
    return planhat_sandbox


@pytest.mark.parametrize("key", ["external_id", "id"])
def test_objects_do_not_keep_what_a_dictionary_changed(box: Sandbox, key: str) -> None:
    acme = Company.objects.get(external_id="acme")
    changed: dict[str, Any] = {"phase": "Live", "custom": {"Tier": "Gold"}}
    Company.objects.bulk_upsert([{key: getattr(acme, key), **changed}])
    assert (acme.phase, acme.custom["Tier"], acme.changes()) == ("Live", "Gold", {})
    assert Company.objects.get(external_id="acme").phase == "Live"


def test_the_value_of_before_can_be_assigned_and_saved_again(box: Sandbox) -> None:
    acme = Company.objects.get(external_id="acme")
    Company.objects.bulk_upsert([{"external_id": "acme", "phase": "Live"}])
    acme.phase = "Trial"
    acme.save()
    assert box.row(Company, acme.id)["phase"] == "Trial"


def test_what_is_dirty_stays_dirty(box: Sandbox) -> None:
    acme = Company.objects.get(external_id="acme")
    acme.phase, acme.custom["Tier"] = "Ours", "Bronze"
    Company.objects.bulk_upsert([{"external_id": "acme", "phase": "Live", "description": "x"}])
    assert acme.description == "x"
    assert (acme.phase, acme.custom["Tier"]) == ("Ours", "Bronze")
    assert acme.changes() == {"phase": ("Live", "Ours"), "custom.Tier": ("Silver", "Bronze")}


def test_a_list_of_objects_asks_again_in_one_request_and_only_for_what_was_written(box: Sandbox) -> None:
    box.add_many(Company, ({"name": f"C{n}", "external_id": f"c{n}", "phase": "Trial"} for n in range(60)))
    companies = list(Company.objects.all())
    Company.objects.bulk_upsert({"external_id": f"c{n}", "phase": "Live"} for n in range(60))
    with box.assert_requests(0):
        assert companies[1].name == "C0"
    with box.assert_requests(1):
        assert [company.phase for company in companies[1:]] == ["Live"] * 60


def test_an_answer_that_is_lost_leaves_in_doubt_what_came_by_that_key(box: Sandbox) -> None:
    acme = Company.objects.get(external_id="acme")
    box.fault("lost_answer", method="PUT", path="/companies", times=None)
    with pytest.raises(BulkError):
        Company.objects.bulk_upsert([{"external_id": "acme", "phase": "Live"}])
    assert acme.phase == "Live"


def test_what_planhat_refused_is_not_asked_for_again(box: Sandbox) -> None:
    acme = Company.objects.get(external_id="acme")
    box.fault("status", status=403, method="PUT", path="/companies")
    with pytest.raises(BulkError):
        Company.objects.bulk_upsert([{"id": acme.id, "phase": "Live"}])
    with box.assert_requests(0):
        assert acme.phase == "Trial"


def test_a_conversation_asks_again_for_what_was_written_of_its_ticket(box: Sandbox) -> None:
    row = {"source_id": "T-1", "email": "ada@acme.example", "company_id": box.row(Company, external_id="acme")["_id"]}
    Ticket.objects.bulk_upsert([{**row, "subject": "Broken"}])
    ticket = Ticket.objects.filter(email="ada@acme.example")[0]
    conversation = Conversation.objects.get(id=ticket.id)
    Ticket.objects.bulk_upsert([{**row, "subject": "Mended"}])
    assert (conversation.subject, ticket.subject) == ("Mended", "Mended")


def test_a_ticket_that_cannot_be_read_by_itself_takes_what_was_written(box: Sandbox) -> None:
    row = {"source_id": "T-1", "email": "ada@acme.example", "company_id": box.row(Company, external_id="acme")["_id"]}
    ticket = Ticket(**row, subject="Broken")
    Ticket.objects.bulk_upsert([ticket])
    with box.assert_requests(1):
        Ticket.objects.bulk_upsert([{"id": ticket.id, **row, "subject": "Mended"}])
        assert ticket.subject == "Mended"
    with box.assert_requests(1):
        Conversation.objects.bulk_upsert([{"id": ticket.id, "subject": "Closed"}])
        assert ticket.subject == "Closed"
    ticket.status = "closed"
    assert Ticket.objects.bulk_upsert([ticket]).ok
    assert box.requests[-1].json[0]["email"] == "ada@acme.example"
