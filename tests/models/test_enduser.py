"""Endusers over HTTP: operations, keys, list parameters, links, quirks.

The facts are those of https://www.planhat.com/developers/api/enduser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import AmbiguousWrite, BulkError, ValidationError
from planhat_orm.models import NPS, Company, Conversation, Enduser

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1", domains=["acme.example"])


def test_an_enduser_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        ada = Enduser.objects.create(company_id=acme["_id"], email="ada@acme.example", first_name="Ada", last_name="B")
    assert planhat_sandbox.requests[-1].json == {
        "companyId": acme["_id"],
        "email": "ada@acme.example",
        "firstName": "Ada",
        "lastName": "B",
    }
    assert ada.name == "Ada B"
    with planhat_sandbox.assert_requests(1):
        assert Enduser.objects.get(id=ada.id, fresh=True) is ada
    ada.position = "CTO"
    with planhat_sandbox.assert_requests(1):
        ada.save()
    assert planhat_sandbox.requests[-1].json == {"position": "CTO"}
    with planhat_sandbox.assert_requests(1):
        ada.delete()
    assert planhat_sandbox.count(Enduser) == 0


def test_endusers_are_read_by_each_of_their_keys(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Enduser, company=acme, external_id="u-17", source_id="003A", email="ada@acme.example")
    for key, value, path in (
        ("id", row["_id"], row["_id"]),
        ("source_id", "003A", "srcid-003A"),
        ("external_id", "u-17", "extid-u-17"),
    ):
        with planhat_sandbox.assert_requests(1):
            assert Enduser.objects.get(**{key: value}, fresh=True).id == row["_id"]
        assert planhat_sandbox.requests[-1].path == f"/endusers/{path}"
    with planhat_sandbox.assert_requests(1):
        assert Enduser.objects.get(email="ada@acme.example").id == row["_id"]
    assert planhat_sandbox.requests[-1].params["email"] == "ada@acme.example"


@pytest.mark.parametrize("key", ["email", "external_id", "source_id"])
def test_an_enduser_needs_a_company_and_one_of_three_keys(
    planhat_sandbox: Sandbox, acme: dict[str, Any], key: str
) -> None:
    with planhat_sandbox.assert_requests(0):
        with pytest.raises(ValidationError, match="company: is required"):
            Enduser.objects.create(**{key: "ada@acme.example"})
        with pytest.raises(ValidationError, match="or one of external_id, source_id"):
            Enduser.objects.create(company_id=acme["_id"], first_name="Ada")
    with planhat_sandbox.assert_requests(1):
        Enduser.objects.create(company_id=acme["_id"], **{key: "ada@acme.example"})


def test_an_enduser_without_a_resolvable_company_is_dropped_and_told(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    nowhere = Company.ref(external_id="no-such-company")
    with planhat_sandbox.assert_requests(1), pytest.raises(AmbiguousWrite, match="dropped"):
        Enduser.objects.create(company=nowhere, email="ada@nowhere.example")
    with planhat_sandbox.assert_requests(1), pytest.raises(BulkError, match="dropped") as caught:
        Enduser.objects.bulk_upsert(
            [
                {"email": "bo@acme.example", "company_id": acme["_id"]},
                {"email": "ada@nowhere.example", "company": nowhere},
            ]
        )
    result = caught.value.result
    assert (len(result.created), len(result.unknown), len(result.failed)) == (1, 1, 0)
    assert [row["email"] for row in planhat_sandbox.rows(Enduser)] == ["bo@acme.example"]


def test_the_company_of_an_enduser_may_be_named_by_its_own_keys(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    for ref, sent in (
        (Company.ref(external_id="acme-42"), "extid-acme-42"),
        (Company.ref(source_id="crm-1"), "srcid-crm-1"),
    ):
        person = Enduser.objects.create(company=ref, email=f"{sent}@acme.example")
        assert planhat_sandbox.requests[-1].json["companyId"] == sent
        assert person.company_id == acme["_id"]


def test_archived_people_are_listed_with_the_others(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    for name, archived in (("ada", False), ("bo", True)):
        planhat_sandbox.add(Enduser, company=acme, email=f"{name}@acme.example", archived=archived)
    with planhat_sandbox.assert_requests(1):
        assert len(Enduser.objects.all()) == 2
    assert planhat_sandbox.requests[-1].params["archived"] == "true"
    with planhat_sandbox.assert_requests(1):
        assert [person.email for person in Enduser.objects.filter(archived=False)] == ["ada@acme.example"]
    assert "archived" not in planhat_sandbox.requests[-1].params
    with planhat_sandbox.assert_requests(1):
        assert [person.email for person in Enduser.objects.filter(archived=True)] == ["bo@acme.example"]


def test_endusers_are_listed_by_companies_email_and_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    ada = planhat_sandbox.add(Enduser, company=acme, email="ada@acme.example")
    planhat_sandbox.add(Enduser, company=birch, email="bo@birch.example")
    planhat_sandbox.add(Enduser, company=planhat_sandbox.add(Company, name="Cedar"), email="cy@cedar.example")
    with planhat_sandbox.assert_requests(1):
        found = Enduser.objects.filter(company__in=[acme["_id"], birch["_id"]])
        assert {person.email for person in found} == {"ada@acme.example", "bo@birch.example"}
    assert set(planhat_sandbox.requests[-1].params["companyId"].split(",")) == {acme["_id"], birch["_id"]}
    with planhat_sandbox.assert_requests(1):
        assert [person.id for person in Enduser.objects.filter(email="ada@acme.example")] == [ada["_id"]]
    assert planhat_sandbox.requests[-1].params["email"] == "ada@acme.example"
    with planhat_sandbox.assert_requests(1):
        assert [person.id for person in Enduser.objects.params(euId=ada["_id"])] == [ada["_id"]]
    assert planhat_sandbox.requests[-1].params["euId"] == ada["_id"]


def test_an_external_id_is_looked_for_in_its_company_where_one_is_named(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    for company in (acme, birch):
        planhat_sandbox.add(Enduser, company=company, external_id="u-1", email=f"{company['name']}@x.example")
    with planhat_sandbox.assert_requests(1):
        person = Enduser.objects.get(external_id="u-1", company=birch["_id"])
    assert person.email == "Birch@x.example"


def test_endusers_are_upserted_by_each_key(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Enduser, company=acme, source_id="s-1", email="one@acme.example")
    planhat_sandbox.add(Enduser, company=acme, external_id="e-2", email="two@acme.example")
    planhat_sandbox.add(Enduser, company=acme, email="three@acme.example")
    with planhat_sandbox.assert_requests(1):
        ledger = Enduser.objects.bulk_upsert(
            [
                {"source_id": "s-1", "position": "CTO"},
                {"external_id": "e-2", "company_id": acme["_id"], "position": "CTO"},
                {"email": "three@acme.example", "position": "CTO"},
                {"email": "four@acme.example", "company_id": acme["_id"], "position": "CTO"},
            ]
        )
    assert (len(ledger.updated), len(ledger.created)) == (3, 1)
    assert [row.get("position") for row in planhat_sandbox.rows(Enduser)] == ["CTO"] * 4


def test_an_enduser_leads_to_conversations_and_answers(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Enduser, company=acme, email="ada@acme.example", first_name="Ada", last_name="B")
    planhat_sandbox.add(Conversation, company=acme, type="call", subject="Check-in", endusers=[row])
    planhat_sandbox.add(Conversation, company=acme, type="call", subject="Without")
    planhat_sandbox.add(NPS, company=acme, email="ada@acme.example", score=9, enduser=row)
    ada = Enduser.objects.get(id=row["_id"])
    assert [call.subject for call in ada.conversations.all()] == ["Check-in"]
    assert [answer.score for answer in ada.nps_answers.all()] == [9]


def test_booleans_and_numbers_may_come_as_texts(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Enduser, company=acme, email="a@acme.example", extra={"featured": "", "primary": "true"})
    planhat_sandbox.add(Enduser, company=acme, email="b@acme.example", extra={"beats": "3.7", "nps": ""})
    with planhat_sandbox.assert_requests(1):
        first, second = Enduser.objects.all()
        assert (first.featured, first.primary) == (None, True)
        assert (second.beats, second.nps) == (3.7, None)
        assert first.changes() == second.changes() == {}
