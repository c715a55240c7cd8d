"""Products over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import FieldError, ValidationError
from planhat_orm.models import Company, Product

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def product(planhat_sandbox: Sandbox, acme: Company) -> Product:
    planhat_sandbox.add(Product, name="Platform Pro", external_id="own-1", source_id="src-1")
    return Product.objects.get(external_id="own-1")


def test_a_product_is_created(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(1):
        product = Product.objects.create(name="Platform Pro", type="subscription", mrr=200, notice_unit="day")
    assert planhat_sandbox.requests[-1].json == {
        "name": "Platform Pro",
        "type": "subscription",
        "mrr": 200,
        "noticeUnit": "day",
    }
    assert product.id


def test_a_create_needs_a_name_alone(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        Product.objects.create(mrr=200)
    assert set(caught.value.messages) == {"name"}


def test_a_type_is_a_subscription_or_a_fee(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="type"):
        Product.objects.create(name="Platform Pro", type="licence")


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, product: Product) -> None:
    product.packages = ["Core"]
    with planhat_sandbox.assert_requests(1):
        product.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/products/{product.id}")
    assert request.json == {"packages": ["Core"]}


def test_products_belong_to_no_company() -> None:
    assert not any(field.relation for field in Product._meta.fields)


@pytest.mark.parametrize("name", ["arr", "renewal_arr"])
def test_yearly_amounts_of_products_follow_the_monthly_ones_and_are_not_written(product: Product, name: str) -> None:
    with pytest.raises(FieldError, match="read-only"):
        setattr(product, name, 2400)


def test_a_bulk_upsert_changes_what_is_there_and_creates_the_rest(planhat_sandbox: Sandbox, product: Product) -> None:
    items = [{"source_id": "src-1", "mrr": 7}, {"source_id": "src-2", "name": "Basic"}]
    with planhat_sandbox.assert_requests(1):
        ledger = Product.objects.bulk_upsert(items, key="source_id")
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/products", 2)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.count(Product) == 2
    assert planhat_sandbox.row(Product, product.id)["mrr"] == 7
