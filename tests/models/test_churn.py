"""Churns over HTTP: every operation, what lists take, and the two schemas that the sources know."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import DecodeError, FieldError, NotSupported, ValidationError
from planhat_orm.models import Churn, Company

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def lost(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        Churn, company=acme, value=1200, source_id="crm-ch-1", churn_date=date(2025, 5, 31), only_downgrade=False
    )["_id"]


def test_the_path_of_churn_is_singular(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(4):
        churn = Churn.objects.create(company=Company.ref(external_id="acme-42"), value=1200)
        assert [found.id for found in Churn.objects.all()] == [churn.id]
        assert churn.id is not None
        assert Churn.objects.get(id=churn.id, fresh=True).value == 1200
        churn.delete()
    assert [(request.method, request.path) for request in planhat_sandbox.requests] == [
        ("POST", "/churn"),
        ("GET", "/churn"),
        ("GET", f"/churn/{churn.id}"),
        ("DELETE", f"/churn/{churn.id}"),
    ]


def test_a_churn_is_written_by_the_older_schema(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Churn.objects.create(
            company=Company.ref(external_id="acme-42"),
            value=1200,
            currency="EUR",
            churn_date=date(2025, 5, 31),
            reasons=["Budget"],
            products=["Platform"],
            comment="May return",
            only_downgrade=True,
        )
    assert planhat_sandbox.requests[0].json == {
        "companyId": "extid-acme-42",
        "value": 1200,
        "currency": "EUR",
        "churnDate": "2025-05-31T00:00:00.000Z",
        "reasons": ["Budget"],
        "products": ["Platform"],
        "comment": "May return",
        "onlyDowngrade": True,
    }
    assert (made.company_id, made.churn_date, made.reasons) == (acme, date(2025, 5, 31), ["Budget"])


def test_what_the_placeholder_page_names_is_read_and_never_written(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(
        Churn,
        company=acme,
        value=1,
        isChurn=True,
        churnReason="Budget",
        externalId="ch-9",
        createDate="2025-06-01T08:00:00.000Z",
    )
    [churn] = Churn.objects.all()
    assert (churn.is_churn, churn.churn_reason, churn.external_id) == (True, "Budget", "ch-9")
    assert churn.create_date is not None
    assert churn.create_date.date() == date(2025, 6, 1)
    for name, value in (("is_churn", False), ("churn_reason", "Price"), ("external_id", "ch-10")):
        with pytest.raises(FieldError, match="read-only"):
            setattr(churn, name, value)
    trust = {Churn._meta.field(name).evidence for name in ("is_churn", "churn_reason", "external_id", "create_date")}
    assert {evidence.sure for evidence in trust if evidence} == {"documented"}


def test_a_churn_wants_company_and_value(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as refused:
        Churn.objects.create(comment="May return")
    assert refused.value.messages.keys() == {"company", "value"}


def test_only_the_id_addresses_one_churn(planhat_sandbox: Sandbox, lost: str) -> None:
    with planhat_sandbox.assert_requests(2):
        assert Churn.objects.get(id=lost).value == 1200
        assert Churn.objects.get(source_id="crm-ch-1").id == lost
    # A get by srcid- is not described, so the list is read.
    assert [request.path for request in planhat_sandbox.requests] == [f"/churn/{lost}", "/churn"]


def test_a_churn_takes_no_external_id_in_a_reference(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="external_id"):
        Churn.ref(external_id="ch-9")


def test_churns_are_listed_by_company_order_and_field(planhat_sandbox: Sandbox, acme: str, lost: str) -> None:
    small = planhat_sandbox.add(Churn, company=acme, value=5)["_id"]
    planhat_sandbox.add(Churn, company=planhat_sandbox.add(Company, name="Birch"), value=7)
    with planhat_sandbox.assert_requests(1):
        found = list(Churn.objects.filter(company=acme).order_by("-value").only("value")[:2])
    assert [churn.id for churn in found] == [lost, small]
    asked = {"companyId": acme, "sort": "-value", "offset": "0"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()
    assert set(planhat_sandbox.requests[0].params["select"].split(",")) == {"_id", "value", "companyId"}


def test_downgrades_are_asked_of_planhat(planhat_sandbox: Sandbox, acme: str, lost: str) -> None:
    part = planhat_sandbox.add(Churn, company=acme, value=5, only_downgrade=True)["_id"]
    with planhat_sandbox.assert_requests(1):
        assert [churn.id for churn in Churn.objects.filter(only_downgrade=True)] == [part]
    assert planhat_sandbox.requests[0].params["downgrades"] == "only"


def test_whole_losses_are_told_apart_here_as_rows_may_not_say(planhat_sandbox: Sandbox, acme: str, lost: str) -> None:
    planhat_sandbox.add(Churn, company=acme, value=5, only_downgrade=True)
    silent = planhat_sandbox.add(Churn, company=acme, value=6)
    planhat_sandbox.change(Churn, silent, only_downgrade=None)
    with planhat_sandbox.assert_requests(1):
        assert [churn.id for churn in Churn.objects.filter(only_downgrade=False)] == [lost]
    assert "downgrades" not in planhat_sandbox.requests[0].params


def test_every_documented_parameter_can_be_sent(planhat_sandbox: Sandbox, acme: str, lost: str) -> None:
    asked = {"downgrades": "excluded", "from": "2025-05-01", "to": "2025-06-30", "companyId": acme}
    planhat_sandbox.add(Churn, company=acme, value=5, churn_date=date(2025, 5, 2), only_downgrade=True)
    silent = planhat_sandbox.add(Churn, company=acme, value=6, churn_date=date(2025, 6, 30))
    planhat_sandbox.change(Churn, silent, only_downgrade=None)
    planhat_sandbox.add(Churn, company=acme, value=7, churn_date=date(2025, 7, 1))
    with planhat_sandbox.assert_requests(1):
        # Rows that do not say whether they are downgrades are none.
        assert [churn.id for churn in Churn.objects.params(**asked)] == [lost, silent["_id"]]
    assert asked.items() <= planhat_sandbox.requests[0].params.items()
    with planhat_sandbox.assert_requests(1):
        Churn.objects.params(from_=date(2025, 5, 1)).count()
    assert planhat_sandbox.requests[-1].params["from"] == "2025-05-01"


def test_a_filter_by_day_does_not_rely_on_dates_of_unknown_meaning(
    planhat_sandbox: Sandbox, acme: str, lost: str
) -> None:
    planhat_sandbox.add(Churn, company=acme, value=5, churn_date=date(2024, 1, 1))
    with planhat_sandbox.assert_requests(1):
        assert [churn.id for churn in Churn.objects.filter(churn_date__gte=date(2025, 1, 1))] == [lost]
    assert not {"from", "to"} & planhat_sandbox.requests[0].params.keys()


def test_an_update_sends_what_changed_alone(planhat_sandbox: Sandbox, lost: str) -> None:
    churn = Churn.objects.get(id=lost)
    churn.reasons.append("Price")
    with planhat_sandbox.assert_requests(1):
        churn.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/churn/{lost}", {"reasons": ["Price"]})
    assert planhat_sandbox.row(Churn, lost)["reasons"] == ["Price"]


def test_churns_are_upserted_by_source_id_in_one_request(planhat_sandbox: Sandbox, acme: str, lost: str) -> None:
    rows = [
        {"source_id": "crm-ch-1", "company_id": acme, "value": 900},
        {"source_id": "crm-ch-2", "company_id": acme, "value": 10},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Churn.objects.bulk_upsert(rows)
    assert (planhat_sandbox.requests[0].method, planhat_sandbox.requests[0].path) == ("PUT", "/churn")
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Churn, lost)["value"] == 900


def test_a_churn_leads_to_its_company_and_back(planhat_sandbox: Sandbox, acme: str, lost: str) -> None:
    with planhat_sandbox.assert_requests(3):
        company = Churn.objects.get(id=lost).company
        assert company is not None
        assert [one.id for one in company.churns.all()] == [lost]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme


def test_a_churn_changes_no_revenue_figure(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.change(Company, acme, mrr=100, arr=1200)
    Churn.objects.create(company=Company.ref(external_id="acme-42"), value=1200)
    company = Company.objects.get(id=acme)
    assert (company.mrr, company.arr, company.status) == (100, 1200, "prospect")


def test_pages_cut_at_a_thousand_rows_lose_no_churn(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add_many(Churn, ({"company": acme, "value": number} for number in range(1500)))
    planhat_sandbox.fault("cap", limit=1000, path="/churn", times=None)
    assert sorted(churn.value or 0 for churn in Churn.objects.all()) == list(range(1500))
    assert planhat_sandbox.requests[0].params["limit"] == "2000"


def test_a_comment_that_arrives_as_an_object_fails_its_own_read_alone(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Churn, company=acme, value=3, extra={"comment": {"text": "May return"}})
    [churn] = Churn.objects.all()
    assert churn.value == 3
    with pytest.raises(DecodeError, match="comment"):
        _ = churn.comment
    assert churn.raw["comment"] == {"text": "May return"}
