"""Line items over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import NotSupported, ValidationError
from planhat_orm.models import Company, Deal, LineItem, Product

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def deal(acme: Company) -> Deal:
    return Deal.objects.create(name="Renewal", company=acme)


@pytest.fixture
def item(planhat_sandbox: Sandbox, acme: Company, deal: Deal) -> LineItem:
    planhat_sandbox.add(
        LineItem, deal=deal, from_date=date(2026, 4, 1), mrr=200, company=acme, external_id="own-1", source_id="src-1"
    )
    return LineItem.objects.get(external_id="own-1")


def test_a_line_item_is_created(planhat_sandbox: Sandbox, deal: Deal) -> None:
    with planhat_sandbox.assert_requests(1):
        item = LineItem.objects.create(deal=deal, type="subscription", from_date=date(2026, 4, 1), arr=2400)
    assert planhat_sandbox.requests[-1].json == {
        "dealId": deal.id,
        "productType": "subscription",
        "fromDate": "2026-04-01T00:00:00.000Z",
        "arr": 2400,
    }
    assert item.deal is deal


def test_the_company_of_a_line_item_may_be_named_by_its_own_key_and_the_deal_may_not(
    planhat_sandbox: Sandbox, acme: Company, deal: Deal
) -> None:
    start = date(2026, 4, 1)
    with planhat_sandbox.assert_requests(1):
        item = LineItem.objects.create(deal=deal, company=Company.ref(external_id="acme-42"), from_date=start, arr=2400)
    assert planhat_sandbox.requests[-1].json["companyId"] == "extid-acme-42"
    assert item.company_id == acme.id
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported):
        LineItem.objects.create(deal=Deal.ref(external_id="d-1"), from_date=start, arr=2400)


def test_a_create_needs_a_deal_a_start_and_an_amount_or_a_product(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        LineItem.objects.create(type="fee")
    assert set(caught.value.messages) == {"deal", "from_date", "mrr"}


def test_a_product_stands_for_the_amount(planhat_sandbox: Sandbox, deal: Deal) -> None:
    product = Product.objects.create(name="Platform Pro", mrr=200)
    with planhat_sandbox.assert_requests(1):
        item = LineItem.objects.create(deal=deal, product=product, from_date=date(2026, 4, 1))
    assert item.product is product
    with planhat_sandbox.assert_requests(1):
        assert [one.id for one in product.line_items.all()] == [item.id]


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, item: LineItem) -> None:
    item.status = "lost"
    item.to_date = date(2026, 12, 31)
    with planhat_sandbox.assert_requests(1):
        item.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/lineitems/{item.id}")
    assert request.json == {"status": "lost", "toDate": "2026-12-31T00:00:00.000Z"}


def test_relations_lead_both_ways(planhat_sandbox: Sandbox, acme: Company, deal: Deal, item: LineItem) -> None:
    with planhat_sandbox.assert_requests(0):
        assert item.deal is deal
        assert item.company is acme
    with planhat_sandbox.assert_requests(2):
        assert [one.external_id for one in deal.line_items.all()] == ["own-1"]
        assert [one.external_id for one in acme.line_items.all()] == ["own-1"]


def test_line_items_say_which_of_their_names_are_guessed() -> None:
    guessed = {
        field.data_key for field in LineItem._meta.fields if field.evidence and field.evidence.sure == "inferred"
    }
    assert {"dealId", "productType", "companyId", "currency"} <= guessed
    assert {"fromDate", "toDate", "mrr", "value", "productId", "status"}.isdisjoint(guessed)


def test_the_path_of_line_items_has_no_separator(planhat_sandbox: Sandbox) -> None:
    list(LineItem.objects.all())
    assert planhat_sandbox.requests[-1].path == "/lineitems"


def test_a_bulk_upsert_changes_what_is_there_and_creates_the_rest(
    planhat_sandbox: Sandbox, deal: Deal, item: LineItem
) -> None:
    items = [
        {"source_id": "src-1", "mrr": 7},
        {"source_id": "src-2", "deal": deal, "from_date": date(2026, 5, 1), "value": 90},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = LineItem.objects.bulk_upsert(items, key="source_id")
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/lineitems", 2)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.count(LineItem) == 2
    assert planhat_sandbox.row(LineItem, item.id)["mrr"] == 7
