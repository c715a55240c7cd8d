"""Tickets over HTTP: what is offered and what is not, list parameters, names on the wire, quirks.

The facts are those of https://www.planhat.com/developers/api/ticket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import BulkError, NotSupported, PlanhatError, ValidationError
from planhat_orm.models import Company, Conversation, Enduser, Ticket

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", domains=["acme.example"])


def sent(number: str, **more: Any) -> dict[str, Any]:
    """A ticket as it is handed to bulk_upsert."""
    return {"source_id": number, "email": "ada@acme.example", "subject": f"Ticket {number}", **more}


def test_tickets_are_written_as_sourceId_and_title_and_read_as_externalId_and_subject(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    with planhat_sandbox.assert_requests(1):
        ledger = Ticket.objects.bulk_upsert([sent("4711", company_id=acme["_id"], domains=["acme.example"])])
    assert len(ledger.created) == 1
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", "/tickets")
    assert request.json == [
        {
            "sourceId": "4711",
            "email": "ada@acme.example",
            "title": "Ticket 4711",
            "companyId": acme["_id"],
            "domains": ["acme.example"],
        }
    ]
    with planhat_sandbox.assert_requests(1):
        [ticket] = Ticket.objects.all()
    assert (ticket.source_id, ticket.subject) == ("4711", "Ticket 4711")
    assert (ticket.raw["externalId"], ticket.raw["subject"]) == ("4711", "Ticket 4711")
    assert not {"sourceId", "title"} & ticket.raw.keys()


def test_a_ticket_is_matched_by_source_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    Ticket.objects.bulk_upsert([sent("4711", company_id=acme["_id"], status="open")])
    with planhat_sandbox.assert_requests(1):
        ledger = Ticket.objects.bulk_upsert([sent("4711", company_id=acme["_id"], status="closed")])
    assert (len(ledger.updated), len(ledger.created)) == (1, 0)
    assert [ticket.status for ticket in Ticket.objects.all()] == ["closed"]


@pytest.mark.parametrize(
    ("act", "instead"),
    [
        (lambda ticket: Ticket.objects.create(source_id="1", email="a@b.example"), "bulk_upsert"),
        (lambda ticket: Ticket.objects.create(company_name="read-only", nme="unknown"), "bulk_upsert"),
        (lambda ticket: Ticket.objects.get_or_create(source_id="1"), "bulk_upsert"),
        (lambda ticket: Ticket(source_id="1", email="a@b.example").save(), "bulk_upsert"),
        (lambda ticket: Ticket.objects.get(id=ticket.id), "Conversation.objects.get"),
        (lambda ticket: ticket.refresh_from_db(), "Conversation.objects.get"),
    ],
    ids=["create", "create of nonsense", "get_or_create", "save", "get", "refresh"],
)
def test_what_is_not_offered_of_single_tickets_says_what_to_do_instead(
    planhat_sandbox: Sandbox, acme: dict[str, Any], act: Any, instead: str
) -> None:
    planhat_sandbox.add(Ticket, company=acme, source_id="4711", email="ada@acme.example", subject="Login")
    [ticket] = Ticket.objects.all()
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match=instead):
        act(ticket)


def test_a_changed_ticket_is_saved_by_bulk_upsert(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Ticket, company=acme, source_id="4711", email="ada@acme.example", subject="Login")
    [ticket] = Ticket.objects.all()
    ticket.subject = "Login fails"
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="bulk_upsert"):
        ticket.save()
    with planhat_sandbox.assert_requests(1):
        ledger = Ticket.objects.bulk_upsert([ticket])
    assert len(ledger.updated) == 1
    [body] = planhat_sandbox.requests[-1].json
    assert (body["_id"], body["title"]) == (ticket.id, "Login fails")
    assert "subject" not in body
    assert planhat_sandbox.row(Ticket, ticket.id)["subject"] == "Login fails"


def test_a_ticket_is_deleted_by_its_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Ticket, company=acme, source_id="4711", email="ada@acme.example", subject="Login")
    [ticket] = Ticket.objects.all()
    with planhat_sandbox.assert_requests(1):
        ticket.delete()
    assert (planhat_sandbox.requests[-1].method, planhat_sandbox.requests[-1].path) == (
        "DELETE",
        f"/tickets/{row['_id']}",
    )
    assert planhat_sandbox.count(Conversation) == 0


def test_tickets_are_listed_by_companies_status_and_email(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    for number, (company, status, email) in enumerate(
        [(acme, "open", "ada@acme.example"), (acme, "closed", "ada@acme.example"), (birch, "open", "bo@birch.example")]
    ):
        planhat_sandbox.add(
            Ticket, company=company, source_id=str(number), email=email, status=status, subject=f"Ticket {number}"
        )
    listed = {
        "companyId": (Ticket.objects.filter(company__in=[acme["_id"], birch["_id"]]), {"0", "1", "2"}),
        "status": (Ticket.objects.filter(status="open"), {"0", "2"}),
        "email": (Ticket.objects.filter(email="ada@acme.example"), {"0", "1"}),
    }
    for name, (found, numbers) in listed.items():
        with planhat_sandbox.assert_requests(1):
            assert {ticket.source_id for ticket in found} == numbers
        assert name in planhat_sandbox.requests[-1].params


def test_search_is_a_parameter_that_no_field_stands_for(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Ticket, company=acme, source_id="1", email="a@acme.example", description="a login loop")
    with planhat_sandbox.assert_requests(1):
        list(Ticket.objects.params(search="login"))
    assert planhat_sandbox.requests[-1].params["search"] == "login"
    with planhat_sandbox.assert_requests(0), pytest.raises(PlanhatError, match="search"):
        Ticket.objects.params(serch="login")
    with planhat_sandbox.assert_requests(0), pytest.raises(PlanhatError, match="search"):
        Ticket.objects.filter(search="login")


@pytest.mark.parametrize("missing", ["email", "source_id"])
def test_a_ticket_that_planhat_would_drop_silently_is_refused_before_it_is_sent(
    planhat_sandbox: Sandbox, acme: dict[str, Any], missing: str
) -> None:
    good, bad = sent("2", company_id=acme["_id"]), sent("1", company_id=acme["_id"])
    del bad[missing]
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match=rf"items\[1\]: {missing}"):
        Ticket.objects.bulk_upsert([good, bad])
    assert planhat_sandbox.count(Ticket) == 0


def test_the_company_of_a_ticket_is_found_by_domains(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    Ticket.objects.bulk_upsert([sent("1", domains=["acme.example"])])
    with pytest.raises(BulkError) as caught:
        Ticket.objects.bulk_upsert([sent("2", email="ada@nowhere.example")])
    assert len(caught.value.result.failed) == 1
    assert [ticket.company_id for ticket in Ticket.objects.all()] == [acme["_id"]]


def test_an_unknown_email_at_a_known_company_becomes_an_enduser(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    Ticket.objects.bulk_upsert([sent("4711", company_id=acme["_id"], submitter_name="Ada Byron")])
    [body] = planhat_sandbox.requests[-1].json
    assert body["name"] == "Ada Byron"
    [person] = Enduser.objects.filter(company=acme["_id"])
    [ticket] = Ticket.objects.all()
    assert person.email == "ada@acme.example"
    assert ticket.endusers.ids == [person.id]


def test_the_text_of_a_ticket_is_read_as_a_conversation(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    Ticket.objects.bulk_upsert([sent("4711", company_id=acme["_id"], description="<p>It <b>loops</b></p>")])
    [ticket] = Ticket.objects.all()
    assert ticket.snippet == "It loops"
    with planhat_sandbox.assert_requests(1):
        assert Conversation.objects.get(id=ticket.id).description == "<p>It <b>loops</b></p>"


def test_a_filter_by_id_reads_the_list(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Ticket, company=acme, source_id="4711", email="ada@acme.example")
    with planhat_sandbox.assert_requests(1):
        assert [ticket.source_id for ticket in Ticket.objects.filter(id=row["_id"])] == ["4711"]
    assert planhat_sandbox.requests[-1].path == "/tickets"


def test_a_ticket_is_found_by_its_source_id_in_the_list(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Ticket, company=acme, source_id="4711", email="ada@acme.example")
    planhat_sandbox.add(Ticket, company=acme, source_id="4712", email="ada@acme.example")
    with planhat_sandbox.assert_requests(1):
        assert Ticket.objects.get(source_id="4711").id == row["_id"]
    assert planhat_sandbox.requests[-1].path == "/tickets"


def test_a_company_has_its_tickets(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Ticket, company=acme, source_id="4711", email="ada@acme.example")
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(1):
        [ticket] = company.tickets.all()
    with planhat_sandbox.assert_requests(0):
        assert ticket.company is company


def test_a_ticket_takes_an_own_key_of_its_company(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        Ticket.objects.bulk_upsert([sent("4711", company=Company.ref(external_id="acme-42"))])
    [item] = planhat_sandbox.requests[-1].json
    assert item["companyId"] == "extid-acme-42"
    assert planhat_sandbox.row(Ticket, externalId="4711")["companyId"] == acme["_id"]
    with planhat_sandbox.assert_requests(1):
        Ticket.objects.bulk_upsert([sent("4712", company=None, company_external_id="acme-42")])
