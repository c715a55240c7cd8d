"""Campaigns over HTTP: every operation, the keys, the filter, and what is particular to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import FieldError, NotSupported, ValidationError
from planhat_orm.models import Campaign, Company

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def push(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        Campaign, name="Push", company=acme, external_id="c-1", source_id="crm-c-1", campaignPurpose="Raise usage"
    )["_id"]


def test_a_campaign_is_created_with_its_company(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Campaign.objects.create(name="Push", company=Company.ref(external_id="acme-42"), purpose="Raise usage")
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("POST", "/campaigns")
    assert request.json == {
        "name": "Push",
        "companyId": "extid-acme-42",
        "campaignPurpose": "Raise usage",
    }
    assert (made.company_id, made.company_name, made.purpose) == (acme, "Acme", "Raise usage")


def test_a_campaign_without_name_and_company_is_refused_before_any_request(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as refused:
        Campaign.objects.create(purpose="Raise usage")
    assert refused.value.messages.keys() == {"name", "company"}


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "c-1"}, "extid-c-1"), ({"source_id": "crm-c-1"}, "srcid-crm-c-1")]
)
def test_a_campaign_is_found_by_each_of_its_keys_in_one_request(
    planhat_sandbox: Sandbox, push: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Campaign.objects.get(**key).id == push
    assert planhat_sandbox.requests[0].path == f"/campaigns/{path}"


def test_a_campaign_is_found_by_its_id(planhat_sandbox: Sandbox, push: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Campaign.objects.get(id=push).name == "Push"
    assert planhat_sandbox.requests[0].path == f"/campaigns/{push}"


def test_an_external_id_is_unique_in_one_company_only(planhat_sandbox: Sandbox, acme: str, push: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(Campaign, name="Other", company=birch, external_id="c-1")["_id"]
    assert Campaign.objects.get(external_id="c-1", company=birch).id == other
    assert Campaign.objects.get(external_id="c-1", company=acme).id == push


def test_campaigns_are_listed_by_company_order_and_field(planhat_sandbox: Sandbox, acme: str, push: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    for name in ("Alpha", "Zulu"):
        planhat_sandbox.add(Campaign, name=name, company=birch)
    with planhat_sandbox.assert_requests(1):
        found = list(Campaign.objects.filter(company=birch).order_by("-name").only("name")[:1])
    assert [campaign.name for campaign in found] == ["Zulu"]
    asked = {"companyId": birch, "sort": "-name", "select": "_id,name,companyId", "offset": "0"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()


def test_an_update_sends_what_changed_alone(planhat_sandbox: Sandbox, push: str) -> None:
    campaign = Campaign.objects.get(id=push)
    campaign.purpose = "Renew"
    with planhat_sandbox.assert_requests(1):
        campaign.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/campaigns/{push}", {"campaignPurpose": "Renew"})
    assert planhat_sandbox.row(Campaign, push)["campaignPurpose"] == "Renew"


def test_a_campaign_is_deleted_by_its_id(planhat_sandbox: Sandbox, push: str) -> None:
    campaign = Campaign.objects.get(external_id="c-1")
    with planhat_sandbox.assert_requests(1):
        campaign.delete()
    assert (planhat_sandbox.requests[-1].method, planhat_sandbox.requests[-1].path) == ("DELETE", f"/campaigns/{push}")
    assert planhat_sandbox.count(Campaign) == 0


def test_campaigns_are_upserted_in_one_request(planhat_sandbox: Sandbox, acme: str, push: str) -> None:
    rows = [
        {"external_id": "c-1", "company_id": acme, "name": "Push again"},
        {"external_id": "c-2", "company_id": acme, "name": "Second"},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Campaign.objects.bulk_upsert(rows)
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("PUT", "/campaigns")
    assert request.json == [
        {"externalId": "c-1", "companyId": acme, "name": "Push again"},
        {"externalId": "c-2", "companyId": acme, "name": "Second"},
    ]
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Campaign, push)["name"] == "Push again"


def test_a_campaign_leads_to_its_company_and_back(planhat_sandbox: Sandbox, acme: str, push: str) -> None:
    with planhat_sandbox.assert_requests(3):
        company = Campaign.objects.get(id=push).company
        assert [campaign.id for campaign in company.campaigns.all()] == [push]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme


def test_a_campaign_takes_no_external_id_in_a_reference(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="external_id"):
        Campaign.ref(external_id="c-1")


def test_usage_is_read_only_and_comes_with_get(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Campaign, name="Push", company=acme, external_id="c-1", usage={"6053b728fa96fa02aaaaaaaa": 0})
    campaign = Campaign.objects.get(external_id="c-1")
    assert campaign.usage == {"6053b728fa96fa02aaaaaaaa": 0}
    with pytest.raises(FieldError, match="read-only"):
        campaign.usage = {}


def test_a_number_sent_as_external_id_reads_as_text(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Campaign, name="Push", company=acme, externalId=4001)
    assert [campaign.external_id for campaign in Campaign.objects.all()] == ["4001"]
