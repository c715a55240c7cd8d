"""Opportunities over HTTP: every operation, their own match keys, the currency and what winning does."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldError, NotSupported, ValidationError
from planhat_orm.models import Company, Opportunity, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def deal(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        Opportunity,
        company=acme,
        title="Expansion Q3",
        external_id="op-1",
        source_id="crm-op-1",
        status="active",
        sales_stage="Qualified",
        mrr=200,
    )["_id"]


def test_an_opportunity_carries_its_currency_with_an_underscore(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Opportunity.objects.create(
            company=Company.ref(external_id="acme-42"),
            title="Expansion Q3",
            currency="EUR",
            mrr=200,
            deal_date=date(2025, 9, 30),
        )
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("POST", "/opportunities")
    assert request.json == {
        "companyId": "extid-acme-42",
        "title": "Expansion Q3",
        "_currency": "EUR",
        "mrr": 200,
        "dealDate": "2025-09-30T00:00:00.000Z",
    }
    assert (made.company_id, made.currency, made.deal_date) == (acme, "EUR", date(2025, 9, 30))


def test_an_opportunity_wants_its_company_alone(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as refused:
        Opportunity.objects.create(title="Expansion Q3")
    assert refused.value.messages.keys() == {"company"}
    with planhat_sandbox.assert_requests(1):
        assert Opportunity.objects.create(company_id=acme).id


def test_opportunity_matches_on_external_id_and_not_on_source_id(
    planhat_sandbox: Sandbox, acme: str, deal: str
) -> None:
    assert Opportunity._meta.match_keys == ("_id", "externalId")
    rows = [
        {"external_id": "op-1", "company_id": acme, "mrr": 300},
        {"external_id": "op-2", "company_id": acme, "mrr": 50},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Opportunity.objects.bulk_upsert(rows)
    assert (planhat_sandbox.requests[0].method, planhat_sandbox.requests[0].path) == ("PUT", "/opportunities")
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Opportunity, deal)["mrr"] == 300


def test_an_upsert_by_source_id_never_makes_a_second_opportunity(
    planhat_sandbox: Sandbox, acme: str, deal: str
) -> None:
    rows = [{"source_id": "crm-op-1", "company_id": acme, "mrr": 400}]
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="does not match an Opportunity by"):
        Opportunity.objects.bulk_upsert(rows, key="source_id")
    found = Opportunity.objects.get(source_id="crm-op-1")
    ledger = Opportunity.objects.bulk_upsert([{"id": found.id, "mrr": 400}])
    assert (len(ledger.created), len(ledger.updated)) == (0, 1)
    assert (planhat_sandbox.count(Opportunity), planhat_sandbox.row(Opportunity, deal)["mrr"]) == (1, 400)


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "op-1"}, "extid-op-1"), ({"source_id": "crm-op-1"}, "srcid-crm-op-1")]
)
def test_an_opportunity_is_found_by_each_of_its_keys_in_one_request(
    planhat_sandbox: Sandbox, deal: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Opportunity.objects.get(**key).id == deal
    assert planhat_sandbox.requests[0].path == f"/opportunities/{path}"


def test_an_opportunity_is_found_by_its_id(planhat_sandbox: Sandbox, deal: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Opportunity.objects.get(id=deal).company_name == "Acme"
    assert planhat_sandbox.requests[0].path == f"/opportunities/{deal}"


def test_an_external_id_is_unique_in_one_company_only(planhat_sandbox: Sandbox, acme: str, deal: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(Opportunity, company=birch, external_id="op-1")["_id"]
    assert Opportunity.objects.get(external_id="op-1", company=birch).id == other
    assert Opportunity.objects.get(external_id="op-1", company=acme).id == deal


def test_opportunities_are_listed_by_company_order_and_field(planhat_sandbox: Sandbox, acme: str, deal: str) -> None:
    small = planhat_sandbox.add(Opportunity, company=acme, mrr=5)["_id"]
    planhat_sandbox.add(Opportunity, company=planhat_sandbox.add(Company, name="Birch"), mrr=7)
    with planhat_sandbox.assert_requests(1):
        found = list(Opportunity.objects.filter(company=acme).order_by("-mrr").only("mrr")[:2])
    assert [opportunity.id for opportunity in found] == [deal, small]
    asked = {"companyId": acme, "sort": "-mrr", "offset": "0"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()
    assert set(planhat_sandbox.requests[0].params["select"].split(",")) == {"_id", "mrr", "companyId"}


def test_an_update_sends_what_changed_alone_and_addresses_the_id(planhat_sandbox: Sandbox, deal: str) -> None:
    opportunity = Opportunity.objects.get(source_id="crm-op-1")
    opportunity.sales_stage = "Proposal"
    with planhat_sandbox.assert_requests(1):
        opportunity.save()
    request = planhat_sandbox.requests[-1]
    # An update by srcid- is not described.
    assert (request.method, request.path, request.json) == (
        "PUT",
        f"/opportunities/{deal}",
        {"salesStage": "Proposal"},
    )


def test_winning_fills_in_the_close_date(planhat_sandbox: Sandbox, deal: str) -> None:
    opportunity = Opportunity.objects.get(id=deal)
    assert opportunity.close_date is None
    opportunity.status = "won"
    with planhat_sandbox.assert_requests(1):
        opportunity.save()
    assert planhat_sandbox.requests[-1].json == {"status": "won"}
    assert opportunity.close_date is not None


def test_the_landing_date_is_that_of_the_creation(planhat_sandbox: Sandbox, acme: str) -> None:
    made = Opportunity.objects.create(company=Company.ref(external_id="acme-42"))
    assert (made.landing_date is not None, made.contract_length) == (True, 12)


def test_a_status_off_the_list_is_refused_before_any_request(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="active, won, lost"):
        Opportunity.objects.create(company_id=acme, status="open")


def test_the_history_of_stages_is_planhats(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(
        Opportunity, company=acme, stageHistory=[{"stage": "Qualified", "to": "2025-07-01T09:00:00.000Z"}]
    )
    [opportunity] = Opportunity.objects.all()
    assert opportunity.stage_history == [{"stage": "Qualified", "to": "2025-07-01T09:00:00.000Z"}]
    with pytest.raises(FieldError, match="read-only"):
        opportunity.stage_history = []


def test_custom_may_be_null_and_the_yearly_amount_missing(planhat_sandbox: Sandbox, deal: str) -> None:
    planhat_sandbox.behaviour.absent = "null"
    opportunity = Opportunity.objects.get(id=deal)
    assert (dict(opportunity.custom), opportunity.mrr) == ({}, 200)
    opportunity.custom["Reason"] = "Growth"
    opportunity.save()
    assert planhat_sandbox.requests[-1].json == {"custom": {"Reason": "Growth"}}


def test_the_value_that_some_clients_send_is_no_property(planhat_sandbox: Sandbox) -> None:
    assert "value" not in Opportunity._meta.keys
    sent: dict[str, Any] = {"value": 3}
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="value"):
        Opportunity(**sent)


def test_an_opportunity_leads_to_its_company_and_owner_and_back(planhat_sandbox: Sandbox, acme: str, deal: str) -> None:
    kim = planhat_sandbox.add(User, first_name="Kim", last_name="Rivera", email="kim@vendor.example")["_id"]
    opportunity = Opportunity.objects.get(id=deal)
    opportunity.owner = User.objects.get(id=kim)
    opportunity.save()
    assert planhat_sandbox.requests[-1].json == {"ownerId": kim}
    planhat_sandbox.clear_requests()
    with planhat_sandbox.assert_requests(2):
        assert opportunity.company is not None
        assert [one.id for one in opportunity.company.opportunities.all()] == [deal]
    with planhat_sandbox.assert_requests(1):
        assert opportunity.owner is not None
        assert [one.id for one in opportunity.owner.opportunities.all()] == [deal]


def test_an_owner_is_given_by_id_only(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(0):
        with pytest.raises(ValidationError, match="owner"):
            Opportunity.objects.create(company_id=acme, owner_id="extid-kim")
        with pytest.raises(NotSupported, match="external_id"):
            User.ref(external_id="kim")


def test_an_opportunity_is_deleted_by_its_id(planhat_sandbox: Sandbox, deal: str) -> None:
    opportunity = Opportunity.objects.get(external_id="op-1")
    with planhat_sandbox.assert_requests(1):
        opportunity.delete()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("DELETE", f"/opportunities/{deal}")
    assert planhat_sandbox.count(Opportunity) == 0
