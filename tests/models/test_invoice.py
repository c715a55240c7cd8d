"""Invoices over HTTP: every operation, the keys of other names, days, lines and numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import FieldError, NotSupported, ValidationError
from planhat_orm.models import Company, Invoice

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

MARCH_3 = 20150


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def bill(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        Invoice,
        company=acme,
        company_name="Acme",
        external_id="inv-1",
        source_id="crm-i-1",
        currency="EUR",
        invoice_date=MARCH_3,
        amount_total=1200,
        line_items=[{"product": "Platform", "amount": 1200, "dateFrom": MARCH_3, "dateTo": MARCH_3 + 364}],
    )["_id"]


def test_invoices_link_by_cId_and_have_extId_with_dates_as_days(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Invoice.objects.create(
            company=Company.ref(external_id="acme-42"),
            external_id="inv-7",
            currency="EUR",
            invoice_date=date(2025, 3, 3),
            due_date=date(2025, 4, 2),
        )
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("POST", "/invoices")
    assert request.json == {
        "cId": "extid-acme-42",
        "extId": "inv-7",
        "currency": "EUR",
        "invoiceDate": MARCH_3,
        "dueDate": MARCH_3 + 30,
    }
    assert (made.company_id, made.external_id, made.invoice_date) == (acme, "inv-7", date(2025, 3, 3))


def test_the_list_filter_is_companyId_although_the_property_is_cId(
    planhat_sandbox: Sandbox, acme: str, bill: str
) -> None:
    planhat_sandbox.add(Invoice, company=planhat_sandbox.add(Company, name="Birch"), currency="EUR")
    with planhat_sandbox.assert_requests(1):
        assert [invoice.id for invoice in Invoice.objects.filter(company=acme)] == [bill]
    assert planhat_sandbox.requests[0].params["companyId"] == acme
    assert "cId" not in planhat_sandbox.requests[0].params


def test_invoices_of_several_companies_are_one_list(planhat_sandbox: Sandbox, acme: str, bill: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(Invoice, company=birch, currency="EUR")["_id"]
    planhat_sandbox.add(Invoice, company=planhat_sandbox.add(Company, name="Cedar"), currency="EUR")
    with planhat_sandbox.assert_requests(1):
        found = {invoice.id for invoice in Invoice.objects.filter(company__in=[acme, birch])}
    assert found == {bill, other}
    assert set(planhat_sandbox.requests[0].params["companyId"].split(",")) == {acme, birch}


def test_an_invoice_wants_company_currency_and_day(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as refused:
        Invoice.objects.create(product="Platform")
    assert refused.value.messages.keys() == {"company", "currency", "invoice_date"}


def test_days_that_arrive_as_texts_are_read_and_numbers_are_sent(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(
        Invoice, company=acme, currency="EUR", invoiceDate="2025-03-03", dueDate="2025-04-01T22:00:00.000Z"
    )
    [invoice] = Invoice.objects.all()
    assert (invoice.invoice_date, invoice.due_date, invoice.paid_date) == (date(2025, 3, 3), date(2025, 4, 2), None)
    invoice.paid_date = date(2025, 4, 3)
    invoice.save()
    assert planhat_sandbox.requests[-1].json == {"paidDate": MARCH_3 + 31}


def test_a_time_is_no_day_of_an_invoice(planhat_sandbox: Sandbox, bill: str) -> None:
    invoice = Invoice.objects.get(id=bill)
    invoice.due_date = datetime(2025, 4, 2, 12, tzinfo=UTC)
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="calendar day"):
        invoice.save()


def test_days_are_filtered_and_ordered_as_days(planhat_sandbox: Sandbox, acme: str, bill: str) -> None:
    later = planhat_sandbox.add(Invoice, company=acme, currency="EUR", invoice_date=date(2025, 6, 1))["_id"]
    with planhat_sandbox.assert_requests(1):
        found = Invoice.objects.filter(invoice_date__gte=date(2025, 3, 3)).order_by("-invoice_date")
        assert [invoice.id for invoice in found] == [later, bill]
    assert [one.id for one in Invoice.objects.filter(invoice_date__lt=date(2025, 6, 1))] == [bill]


def test_the_period_of_a_line_is_days_on_the_wire_and_dates_here(planhat_sandbox: Sandbox, bill: str) -> None:
    invoice = Invoice.objects.get(id=bill)
    [line] = invoice.line_items
    assert (line["dateFrom"], line["dateTo"]) == (date(2025, 3, 3), date(2026, 3, 2))
    assert not invoice.changes()
    invoice.line_items.append({"product": "Add-on", "amount": 5, "dateFrom": date(2025, 3, 4)})
    with planhat_sandbox.assert_requests(1):
        invoice.save()
    assert planhat_sandbox.requests[-1].json == {
        "lineItems": [
            {**line, "dateFrom": MARCH_3, "dateTo": MARCH_3 + 364},
            {"product": "Add-on", "amount": 5, "dateFrom": MARCH_3 + 1},
        ]
    }
    assert not invoice.changes()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"dateFrom": "2025-03-03"}], "dateFrom is no date"),
        ([{"dateTo": 20150.5}], "dateTo is no date"),
        ([{"dateTo": True}], "dateTo is no date"),
        ([{"dateTo": datetime(2025, 3, 3, tzinfo=UTC)}], "calendar day"),
        (["Platform"], "list of mappings"),
    ],
)
def test_a_line_that_planhat_would_not_understand_is_refused(
    planhat_sandbox: Sandbox, bill: str, lines: list[object], said: str
) -> None:
    invoice = Invoice.objects.get(id=bill)
    invoice.line_items = lines
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match=said):
        invoice.save()


def test_odd_lines_are_read_as_they_are(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(
        Invoice, company=acme, currency="EUR", lineItems=["Platform", {"_id": acme, "dateFrom": "soon", "dateTo": None}]
    )
    [invoice] = Invoice.objects.all()
    assert invoice.line_items == ["Platform", {"_id": acme, "dateFrom": "soon", "dateTo": None}]
    invoice.status = "paid"
    invoice.save()
    assert planhat_sandbox.requests[-1].json == {"status": "paid"}


def test_the_status_does_not_follow_the_payment(planhat_sandbox: Sandbox, acme: str) -> None:
    invoice = Invoice.objects.create(company=Company.ref(source_id="crm-1"), currency="EUR", invoice_date=date.today())
    assert invoice.status == "pending"
    invoice.paid_date = date.today()
    invoice.save()
    assert invoice.status == "pending"
    with pytest.raises(ValidationError, match="pending, paid, overdue"):
        Invoice.objects.create(company=acme, currency="EUR", invoice_date=date.today(), status="open")


def test_the_invoice_number_is_planhats_and_not_used_again(planhat_sandbox: Sandbox, acme: str) -> None:
    first, second, third = (
        Invoice.objects.create(company=Company.ref(source_id="crm-1"), currency="EUR", invoice_date=date.today())
        for _ in range(3)
    )
    assert [first.invoice_number, second.invoice_number, third.invoice_number] == [1, 2, 3]
    third.delete()
    fourth = Invoice.objects.create(company=Company.ref(source_id="crm-1"), currency="EUR", invoice_date=date.today())
    assert fourth.invoice_number == 4
    with pytest.raises(FieldError, match="read-only"):
        fourth.invoice_number = 3


def test_the_related_id_of_a_line_is_taken_and_not_shown(planhat_sandbox: Sandbox, acme: str) -> None:
    made = Invoice.objects.create(
        company=Company.ref(source_id="crm-1"),
        currency="EUR",
        invoice_date=date(2025, 3, 3),
        line_items=[{"relatedId": "sale-64b1f0aa12c3d4e5f6a7b8c9", "product": "Workshop", "amount": 900}],
    )
    assert planhat_sandbox.requests[-1].json["lineItems"][0]["relatedId"] == "sale-64b1f0aa12c3d4e5f6a7b8c9"
    [line] = made.line_items
    assert "relatedId" not in line
    assert line["product"] == "Workshop"


def test_what_samples_leave_out_reads_as_nothing(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Invoice, company=acme)
    with planhat_sandbox.assert_requests(1):
        [invoice] = Invoice.objects.all()
        assert (invoice.currency, invoice.amount_due, invoice.paid_date) == (None, None, None)
        assert (invoice.comments, invoice.line_items) == ([], [])


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "inv-1"}, "extid-inv-1"), ({"source_id": "crm-i-1"}, "srcid-crm-i-1")]
)
def test_an_invoice_is_found_by_each_of_its_keys_in_one_request(
    planhat_sandbox: Sandbox, bill: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Invoice.objects.get(**key).id == bill
    assert planhat_sandbox.requests[0].path == f"/invoices/{path}"


def test_an_invoice_is_found_by_its_id(planhat_sandbox: Sandbox, bill: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Invoice.objects.get(id=bill).company_name == "Acme"
    assert planhat_sandbox.requests[0].path == f"/invoices/{bill}"


def test_an_external_id_is_unique_in_one_company_only(planhat_sandbox: Sandbox, acme: str, bill: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(Invoice, company=birch, external_id="inv-1", currency="EUR")["_id"]
    assert Invoice.objects.get(external_id="inv-1", company=birch).id == other
    assert Invoice.objects.get(external_id="inv-1", company=acme).id == bill


def test_invoices_are_listed_by_order_and_field(planhat_sandbox: Sandbox, acme: str, bill: str) -> None:
    small = planhat_sandbox.add(Invoice, company=acme, currency="EUR", amount_total=5)["_id"]
    with planhat_sandbox.assert_requests(1):
        found = list(Invoice.objects.order_by("amount_total").only("amount_total")[:2])
    assert [invoice.id for invoice in found] == [small, bill]
    asked = {"sort": "amountTotal", "offset": "0", "select": "_id,amountTotal"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()


def test_an_update_sends_what_changed_alone(planhat_sandbox: Sandbox, bill: str) -> None:
    invoice = Invoice.objects.get(id=bill)
    invoice.status = "paid"
    with planhat_sandbox.assert_requests(1):
        invoice.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/invoices/{bill}", {"status": "paid"})
    assert planhat_sandbox.row(Invoice, bill)["status"] == "paid"


def test_an_invoice_is_deleted_by_its_id(planhat_sandbox: Sandbox, bill: str) -> None:
    invoice = Invoice.objects.get(external_id="inv-1")
    with planhat_sandbox.assert_requests(1):
        invoice.delete()
    assert (planhat_sandbox.requests[-1].method, planhat_sandbox.requests[-1].path) == ("DELETE", f"/invoices/{bill}")
    assert planhat_sandbox.count(Invoice) == 0


def test_invoices_are_upserted_by_extId_in_one_request(planhat_sandbox: Sandbox, acme: str, bill: str) -> None:
    rows = [
        {"external_id": "inv-1", "company_id": acme, "currency": "EUR", "invoice_date": date(2025, 3, 4)},
        {"external_id": "inv-2", "company_id": acme, "currency": "EUR", "invoice_date": date(2025, 3, 5)},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Invoice.objects.bulk_upsert(rows)
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("PUT", "/invoices")
    assert [(item["extId"], item["cId"], item["invoiceDate"]) for item in request.json] == [
        ("inv-1", acme, MARCH_3 + 1),
        ("inv-2", acme, MARCH_3 + 2),
    ]
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Invoice, bill)["invoiceDate"] == MARCH_3 + 1


def test_an_invoice_leads_to_its_company_and_back(planhat_sandbox: Sandbox, acme: str, bill: str) -> None:
    with planhat_sandbox.assert_requests(3):
        company = Invoice.objects.get(id=bill).company
        assert company is not None
        assert [one.id for one in company.invoices.all()] == [bill]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme


def test_an_invoice_takes_no_external_id_in_a_reference(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="external_id"):
        Invoice.ref(external_id="inv-1")
