"""NPS answers over HTTP: operations, keys, list parameters, links, quirks.

The facts are those of https://www.planhat.com/developers/api/nps.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldError, UnknownField, ValidationError
from planhat_orm.models import NPS, Campaign, Company, Enduser

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

LONG_AGO = datetime.now(UTC) - timedelta(days=1000)
LATELY = datetime.now(UTC) - timedelta(days=10)


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42")


def test_an_answer_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        answer = NPS.objects.create(
            company_id=acme["_id"], email="ada@acme.example", score=9, source_id="srv-1", answered_at=LATELY
        )
    sent = planhat_sandbox.requests[-1].json
    assert {key: sent[key] for key in ("cId", "email", "score", "sourceId")} == {
        "cId": acme["_id"],
        "email": "ada@acme.example",
        "score": 9,
        "sourceId": "srv-1",
    }
    assert sent["dateAnswered"].endswith("Z")
    with planhat_sandbox.assert_requests(1):
        assert NPS.objects.get(id=answer.id, fresh=True).score == 9
    answer.comment = "Saves us hours"
    with planhat_sandbox.assert_requests(1):
        answer.save()
    assert planhat_sandbox.requests[-1].json == {"comment": "Saves us hours"}
    with planhat_sandbox.assert_requests(1):
        answer.delete()
    assert planhat_sandbox.count(NPS) == 0


def test_nps_have_no_external_id(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(NPS, email="ada@acme.example", score=9, source_id="srv-1")
    with planhat_sandbox.assert_requests(1):
        assert NPS.objects.get(source_id="srv-1").id == row["_id"]
    assert planhat_sandbox.requests[-1].path == "/nps/srcid-srv-1"
    with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match="external_id"):
        NPS.objects.get(external_id="srv-1")


def test_an_answer_needs_an_email_and_a_score(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        NPS.objects.create(comment="Fine")
    assert "email: is required" in str(caught.value)
    assert "score: is required" in str(caught.value)


def test_nps_lists_are_filtered_by_companyId_which_speaks_of_cId(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    birch, cedar = (planhat_sandbox.add(Company, name=name) for name in ("Birch", "Cedar"))
    for score, company in enumerate((acme, birch, cedar)):
        planhat_sandbox.add(NPS, company=company, email="a@b.example", score=score, answered_at=LATELY)
    with planhat_sandbox.assert_requests(1):
        found = NPS.objects.filter(company__in=[acme["_id"], birch["_id"]])
        assert {answer.score for answer in found} == {0, 1}
    assert set(planhat_sandbox.requests[-1].params["companyId"].split(",")) == {acme["_id"], birch["_id"]}
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(1):
        [answer] = company.nps_answers.all()
    with planhat_sandbox.assert_requests(0):
        assert answer.company is company


def test_answers_older_than_360_days_are_asked_for(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(NPS, company=acme, email="a@b.example", score=3, answered_at=LONG_AGO)
    planhat_sandbox.add(NPS, company=acme, email="a@b.example", score=9, answered_at=LATELY)
    with planhat_sandbox.assert_requests(1):
        assert {answer.score for answer in NPS.objects.all()} == {3, 9}
    assert int(planhat_sandbox.requests[-1].params["npsExpiryDay"]) >= 36500
    with planhat_sandbox.assert_requests(1):
        assert {answer.score for answer in NPS.objects.params(npsExpiryDay=360)} == {9}
    assert planhat_sandbox.requests[-1].params["npsExpiryDay"] == "360"


def test_field_names_that_differ_by_source_are_both_read(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(
        NPS,
        company=acme,
        email="bo@acme.example",
        extra={"nps": 4, "npsComment": "Slow", "npsDate": "2025-06-02T10:12:00.000Z"},
    )
    planhat_sandbox.add(NPS, company=acme, email="ada@acme.example", score=9, comment="Fast", answered_at=LATELY)
    found = {answer.email: answer for answer in NPS.objects.all()}
    assert (found["bo@acme.example"].score, found["bo@acme.example"].comment) == (4, "Slow")
    assert found["bo@acme.example"].answered_at == datetime(2025, 6, 2, 10, 12, tzinfo=UTC)
    assert (found["ada@acme.example"].score, found["ada@acme.example"].comment) == (9, "Fast")
    assert [answer.email for answer in NPS.objects.filter(score__lte=6)] == ["bo@acme.example"]
    answer = found["bo@acme.example"]
    assert answer.changes() == {}
    answer.comment = "Slow, but friendly"
    answer.save()
    assert planhat_sandbox.requests[-1].json == {"comment": "Slow, but friendly"}


def test_the_enduser_of_an_answer_is_found_by_planhat(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    ada = planhat_sandbox.add(Enduser, company=acme, email="ada@acme.example", first_name="Ada", last_name="B")
    answer = NPS.objects.create(company_id=acme["_id"], email="ada@acme.example", score=9)
    assert answer.enduser_id == ada["_id"]
    assert answer.enduser is not None
    assert answer.enduser.name == "Ada B"
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="read-only"):
        answer.enduser_id = "0" * 24


def test_an_answer_knows_the_campaign_that_asked(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    campaign = planhat_sandbox.add(Campaign, company=acme, name="Spring")
    answer = NPS.objects.create(email="ada@acme.example", score=9, campaign_id=campaign["_id"])
    assert planhat_sandbox.requests[-1].json["campaignId"] == campaign["_id"]
    with planhat_sandbox.assert_requests(1):
        assert answer.campaign is not None
    assert answer.campaign_id == campaign["_id"]


def test_answers_are_upserted_by_source_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(NPS, company=acme, email="ada@acme.example", score=9, source_id="srv-1")
    with planhat_sandbox.assert_requests(1):
        ledger = NPS.objects.bulk_upsert(
            [
                {"source_id": "srv-1", "email": "ada@acme.example", "score": 8},
                {"source_id": "srv-2", "email": "bo@acme.example", "score": 2},
            ]
        )
    assert (len(ledger.updated), len(ledger.created)) == (1, 1)
    assert {row["sourceId"]: row["score"] for row in planhat_sandbox.rows(NPS)} == {"srv-1": 8, "srv-2": 2}
