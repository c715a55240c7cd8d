"""Sales over HTTP: every operation, the keys, the filter, and the currency."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import NotSupported, ValidationError
from planhat_orm.models import Company, Sale

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def workshop(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        Sale,
        company=acme,
        product="Workshop",
        external_id="s-1",
        source_id="crm-s-1",
        currency="EUR",
        value=900,
        sales_date=date(2025, 2, 3),
    )["_id"]


def test_a_sale_is_created_with_its_day_as_a_timestamp(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Sale.objects.create(
            company=Company.ref(external_id="acme-42"), currency="EUR", sales_date=date(2025, 2, 3), value=900
        )
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("POST", "/sales")
    assert request.json == {
        "companyId": "extid-acme-42",
        "_currency": "EUR",
        "salesDate": "2025-02-03T00:00:00.000Z",
        "value": 900,
    }
    assert (made.company_id, made.sales_date, made.currency) == (acme, date(2025, 2, 3), "EUR")


def test_a_sale_wants_what_the_table_and_the_text_of_its_page_want(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as refused:
        Sale.objects.create(product="Workshop")
    assert refused.value.messages.keys() == {"company", "currency", "sales_date", "value"}


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "s-1"}, "extid-s-1"), ({"source_id": "crm-s-1"}, "srcid-crm-s-1")]
)
def test_a_sale_is_found_by_each_of_its_keys_in_one_request(
    planhat_sandbox: Sandbox, workshop: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Sale.objects.get(**key).id == workshop
    assert planhat_sandbox.requests[0].path == f"/sales/{path}"


def test_a_sale_is_found_by_its_id(planhat_sandbox: Sandbox, workshop: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Sale.objects.get(id=workshop).company_name == "Acme"
    assert planhat_sandbox.requests[0].path == f"/sales/{workshop}"


def test_an_external_id_is_unique_in_one_company_only(planhat_sandbox: Sandbox, acme: str, workshop: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(Sale, company=birch, external_id="s-1", value=1, currency="EUR")["_id"]
    assert Sale.objects.get(external_id="s-1", company=birch).id == other
    assert Sale.objects.get(external_id="s-1", company=acme).id == workshop


def test_a_sale_is_deleted_by_its_id(planhat_sandbox: Sandbox, workshop: str) -> None:
    sale = Sale.objects.get(external_id="s-1")
    with planhat_sandbox.assert_requests(1):
        sale.delete()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("DELETE", f"/sales/{workshop}")
    assert planhat_sandbox.count(Sale) == 0


def test_a_sale_leads_to_its_company_and_back(planhat_sandbox: Sandbox, acme: str, workshop: str) -> None:
    with planhat_sandbox.assert_requests(3):
        company = Sale.objects.get(id=workshop).company
        assert company is not None
        assert [one.id for one in company.sales.all()] == [workshop]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme


def test_a_sale_takes_no_external_id_in_a_reference(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="external_id"):
        Sale.ref(external_id="s-1")


def test_sales_are_listed_by_company_order_and_field(planhat_sandbox: Sandbox, acme: str, workshop: str) -> None:
    small = planhat_sandbox.add(Sale, company=acme, currency="EUR", value=5)["_id"]
    planhat_sandbox.add(Sale, company=planhat_sandbox.add(Company, name="Birch"), currency="EUR", value=1)
    with planhat_sandbox.assert_requests(1):
        found = list(Sale.objects.filter(company=acme).order_by("-value").only("value")[:2])
    assert [sale.id for sale in found] == [workshop, small]
    asked = {"companyId": acme, "sort": "-value", "offset": "0"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()
    assert set(planhat_sandbox.requests[0].params["select"].split(",")) == {"_id", "value", "companyId"}


def test_an_update_sends_what_changed_alone(planhat_sandbox: Sandbox, workshop: str) -> None:
    sale = Sale.objects.get(id=workshop)
    sale.currency = "USD"
    with planhat_sandbox.assert_requests(1):
        sale.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/sales/{workshop}", {"_currency": "USD"})
    assert planhat_sandbox.row(Sale, workshop)["_currency"] == "USD"


def test_sales_are_upserted_in_one_request(planhat_sandbox: Sandbox, acme: str, workshop: str) -> None:
    rows = [
        {"source_id": "crm-s-1", "company_id": acme, "currency": "EUR", "value": 950, "sales_date": date(2025, 2, 3)},
        {"source_id": "crm-s-2", "company_id": acme, "currency": "EUR", "value": 10, "sales_date": date(2025, 2, 4)},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Sale.objects.bulk_upsert(rows)
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("PUT", "/sales")
    assert [item["salesDate"] for item in request.json] == ["2025-02-03T00:00:00.000Z", "2025-02-04T00:00:00.000Z"]
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Sale, workshop)["value"] == 950


def test_the_currency_of_a_sale_is_an_object_inside_its_company_only(
    planhat_sandbox: Sandbox, acme: str, workshop: str
) -> None:
    [embedded] = Company.objects.get(id=acme).embedded_sales
    assert (embedded["_id"], embedded["_currency"]["_id"]) == (workshop, "EUR")
    assert Sale.objects.get(id=workshop).currency == "EUR"


def test_a_day_shifted_by_a_time_zone_reads_as_the_day_that_was_meant(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Sale, company=acme, value=1, salesDate="2025-02-02T22:00:00.000Z")
    assert [sale.sales_date for sale in Sale.objects.all()] == [date(2025, 2, 3)]
