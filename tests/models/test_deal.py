"""Deals over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import FieldError, Forbidden, NotFound, ValidationError
from planhat_orm.models import Company, Deal, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def deal(planhat_sandbox: Sandbox, acme: Company) -> Deal:
    planhat_sandbox.add(Deal, name="Renewal", company=acme, external_id="own-1", source_id="src-1")
    return Deal.objects.get(external_id="own-1")


def test_a_deal_is_created(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        deal = Deal.objects.create(
            name="Renewal",
            company=Company.ref(external_id="acme-42"),
            stage="Negotiation",
            close_date=date(2026, 3, 31),
        )
    assert planhat_sandbox.requests[-1].json == {
        "name": "Renewal",
        "companyId": "extid-acme-42",
        "stage": "Negotiation",
        "closeDate": "2026-03-31T00:00:00.000Z",
    }
    assert deal.company_id == acme.id


def test_a_create_needs_a_company_alone(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        Deal.objects.create(name="Renewal")
    assert set(caught.value.messages) == {"company"}


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, deal: Deal) -> None:
    deal.stage = "Closed Won"
    deal.mrr = 200
    with planhat_sandbox.assert_requests(1):
        deal.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/deals/{deal.id}")
    assert request.json == {"stage": "Closed Won", "mrr": 200}


def test_relations_lead_both_ways(planhat_sandbox: Sandbox, acme: Company) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="Rivera")
    planhat_sandbox.add(Deal, name="Renewal", company=acme, owner=kim, followers=[kim])
    with planhat_sandbox.assert_requests(2):
        [deal] = acme.deals.all()
        assert deal.company is acme
        assert deal.owner is not None
        assert [user.nick_name for user in deal.followers] == ["Kim"]
    with planhat_sandbox.assert_requests(1):
        assert [one.name for one in deal.owner.deals.all()] == ["Renewal"]


def test_the_yearly_amount_of_a_deal_follows_the_monthly_one_and_is_not_written(deal: Deal) -> None:
    with pytest.raises(FieldError, match=r"Deal\.arr is read-only"):
        deal.arr = 2400


def test_a_bulk_upsert_changes_what_is_there_and_creates_the_rest(
    planhat_sandbox: Sandbox, acme: Company, deal: Deal
) -> None:
    items = [{"source_id": "src-1", "stage": "Closed Lost"}, {"source_id": "src-2", "name": "Other", "company": acme}]
    with planhat_sandbox.assert_requests(1):
        ledger = Deal.objects.bulk_upsert(items, key="source_id")
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/deals", 2)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.count(Deal) == 2
    assert planhat_sandbox.row(Deal, deal.id)["stage"] == "Closed Lost"


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (404, NotFound)])
def test_a_tenant_without_deals_answers_403_or_404(
    planhat_sandbox: Sandbox, status: int, error: type[Exception]
) -> None:
    planhat_sandbox.fault("status", status=status, path="/deals")
    with planhat_sandbox.assert_requests(1), pytest.raises(error):
        list(Deal.objects.all())
