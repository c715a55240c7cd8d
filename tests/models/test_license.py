"""Licences over HTTP: every operation, the currency, and what Planhat computes from what is sent."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import FieldError, NotSupported, ValidationError
from planhat_orm.models import Company, License

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

JANUARY, NEXT_JANUARY = date(2025, 1, 1), date(2026, 1, 1)


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def term(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        License,
        company=acme,
        company_name="Acme",
        product="Platform",
        currency="EUR",
        external_id="l-1",
        source_id="crm-l-1",
        fixed_period=True,
        from_date=JANUARY,
        to_date=NEXT_JANUARY,
        value=1200,
    )["_id"]


def test_a_licence_carries_its_currency_with_an_underscore(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = License.objects.create(
            company=Company.ref(external_id="acme-42"), currency="EUR", from_date=JANUARY, mrr=100
        )
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("POST", "/licenses")
    assert request.json == {
        "companyId": "extid-acme-42",
        "_currency": "EUR",
        "fromDate": "2025-01-01T00:00:00.000Z",
        "mrr": 100,
    }
    assert (made.company_id, made.currency, made.from_date) == (acme, "EUR", JANUARY)


def test_a_licence_wants_company_currency_start_and_an_amount(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(0):
        with pytest.raises(ValidationError) as refused:
            License.objects.create(product="Platform")
        assert {"company", "currency", "from_date"} <= refused.value.messages.keys()
        with pytest.raises(ValidationError, match="mrr"):
            License.objects.create(company_id=acme, currency="EUR", from_date=JANUARY)


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "l-1"}, "extid-l-1"), ({"source_id": "crm-l-1"}, "srcid-crm-l-1")]
)
def test_a_licence_is_found_by_each_of_its_keys_in_one_request(
    planhat_sandbox: Sandbox, term: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert License.objects.get(**key).id == term
    assert planhat_sandbox.requests[0].path == f"/licenses/{path}"


def test_a_licence_is_found_by_its_id(planhat_sandbox: Sandbox, term: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert License.objects.get(id=term).company_name == "Acme"
    assert planhat_sandbox.requests[0].path == f"/licenses/{term}"


def test_an_external_id_is_unique_in_one_company_only(planhat_sandbox: Sandbox, acme: str, term: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(License, company=birch, external_id="l-1", currency="EUR", mrr=1)["_id"]
    assert License.objects.get(external_id="l-1", company=birch).id == other
    assert License.objects.get(external_id="l-1", company=acme).id == term


def test_licences_are_listed_by_company_order_and_field(planhat_sandbox: Sandbox, acme: str, term: str) -> None:
    small = planhat_sandbox.add(License, company=acme, currency="EUR", value=5)["_id"]
    planhat_sandbox.add(License, company=planhat_sandbox.add(Company, name="Birch"), currency="EUR", mrr=1)
    with planhat_sandbox.assert_requests(1):
        found = list(License.objects.filter(company=acme).order_by("-value").only("value")[:2])
    assert [licence.id for licence in found] == [term, small]
    asked = {"companyId": acme, "sort": "-value", "offset": "0"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()
    assert set(planhat_sandbox.requests[0].params["select"].split(",")) == {"_id", "value", "companyId"}


def test_an_update_sends_what_changed_alone(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(id=term)
    licence.auto_renews = True
    with planhat_sandbox.assert_requests(1):
        licence.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/licenses/{term}", {"autoRenews": True})
    assert planhat_sandbox.row(License, term)["autoRenews"] is True


def test_open_ended_clears_the_term_even_what_was_sent_with_it(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(id=term)
    licence.fixed_period = False
    licence.to_date = date(2027, 1, 1)
    licence.mrr = 100
    with planhat_sandbox.assert_requests(1):
        licence.save()
    gone = (licence.to_date, licence.value, licence.length, licence.renewal_date, licence.renewal_period)
    assert gone == (None,) * 5
    assert (licence.mrr, licence.fixed_period) == (100, False)


def test_the_monthly_amount_of_a_term_rewrites_its_value(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(id=term)
    licence.mrr = 200
    licence.save()
    assert planhat_sandbox.requests[-1].json == {"mrr": 200}
    assert (licence.value, licence.length) == (2400, 12)


def test_a_licence_is_churned_by_its_renewal_status(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(id=term)
    licence.renewal_status = "lost"
    licence.save()
    assert planhat_sandbox.requests[-1].json == {"renewalStatus": "lost"}
    licence.renewal_status = "churned"
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="ongoing, renewed, lost"):
        licence.save()


def test_units_of_notice_are_singular(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(id=term)
    licence.notice_period, licence.notice_unit = 3, "months"
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="day, week, month"):
        licence.save()


def test_a_refund_is_a_licence_of_a_negative_value(planhat_sandbox: Sandbox, acme: str) -> None:
    made = License.objects.create(company=Company.ref(source_id="crm-1"), currency="EUR", from_date=JANUARY, value=-50)
    assert planhat_sandbox.requests[0].json["value"] == -50
    assert made.id


def test_invoices_of_a_new_licence_can_be_kept_away(planhat_sandbox: Sandbox, acme: str) -> None:
    made = License.objects.create(
        company=Company.ref(source_id="crm-1"), currency="EUR", from_date=JANUARY, mrr=1, invoices_generated=True
    )
    assert planhat_sandbox.requests[0].json["invoicesGenerated"] is True
    assert made.invoices_generated is True


def test_a_licence_has_no_time_of_the_last_change(planhat_sandbox: Sandbox, acme: str) -> None:
    assert not {"createdAt", "updatedAt"} & License._meta.keys
    assert License._meta.updated_field == ""
    made = License.objects.create(company=Company.ref(source_id="crm-1"), currency="EUR", from_date=JANUARY, mrr=1)
    assert not {"createdAt", "updatedAt"} & made.raw.keys()


def test_the_issues_of_a_licence_may_be_null(planhat_sandbox: Sandbox, acme: str) -> None:
    for issues in (None, []):
        planhat_sandbox.add(License, company=acme, currency="EUR", mrr=1, extra={"issues": issues})
    assert [licence.issues for licence in License.objects.all()] == [[], []]


def test_the_currency_of_a_licence_is_an_object_inside_its_company_only(
    planhat_sandbox: Sandbox, acme: str, term: str
) -> None:
    [embedded] = Company.objects.get(id=acme).embedded_licenses
    assert (embedded["_id"], embedded["_currency"]["_id"]) == (term, "EUR")
    assert License.objects.get(id=term).currency == "EUR"


def test_licences_have_parts(planhat_sandbox: Sandbox, acme: str, term: str) -> None:
    part = License.objects.create(
        company_id=acme, currency="EUR", from_date=JANUARY, mrr=1, parent=License.objects.get(id=term)
    )
    assert planhat_sandbox.requests[-1].json["parent"] == term
    assert part.parent is not None
    assert [one.id for one in part.parent.parts.all()] == [part.id]


def test_a_licence_takes_no_external_id_in_a_reference(planhat_sandbox: Sandbox, term: str) -> None:
    with planhat_sandbox.assert_requests(0):
        with pytest.raises(NotSupported, match="external_id"):
            License.ref(external_id="l-1")
        with pytest.raises(ValidationError, match="parent"):
            License.objects.create(
                company=Company.ref(source_id="crm-1"), currency="EUR", from_date=JANUARY, mrr=1, parent_id="extid-l-1"
            )


def test_what_planhat_computes_is_refused(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(id=term)
    for name, value in (("length", 12), ("is_overdue", True), ("renewal_date", JANUARY), ("company_name", "Birch")):
        with pytest.raises(FieldError, match="read-only"):
            setattr(licence, name, value)


def test_licences_are_upserted_in_one_request(planhat_sandbox: Sandbox, acme: str, term: str) -> None:
    rows = [
        {"source_id": "crm-l-1", "company_id": acme, "currency": "EUR", "from_date": JANUARY, "value": 2400},
        {"source_id": "crm-l-2", "company_id": acme, "currency": "EUR", "from_date": JANUARY, "mrr": 10},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = License.objects.bulk_upsert(rows)
    assert (planhat_sandbox.requests[0].method, planhat_sandbox.requests[0].path) == ("PUT", "/licenses")
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(License, term)["value"] == 2400


def test_a_licence_leads_to_its_company_and_back(planhat_sandbox: Sandbox, acme: str, term: str) -> None:
    with planhat_sandbox.assert_requests(3):
        company = License.objects.get(id=term).company
        assert company is not None
        assert [one.id for one in company.licenses.all()] == [term]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme


def test_a_licence_is_deleted_by_its_id(planhat_sandbox: Sandbox, term: str) -> None:
    licence = License.objects.get(external_id="l-1")
    with planhat_sandbox.assert_requests(1):
        licence.delete()
    assert (planhat_sandbox.requests[-1].method, planhat_sandbox.requests[-1].path) == ("DELETE", f"/licenses/{term}")
    assert planhat_sandbox.count(License) == 0


def test_a_start_with_an_offset_reads_as_its_day(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(License, company=acme, currency="EUR", mrr=1, fromDate="2025-01-01T02:00:00.000+02:00")
    assert [licence.from_date for licence in License.objects.all()] == [JANUARY]
