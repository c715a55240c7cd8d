"""Companies over HTTP: every operation, the lean index, and the shapes that a company's properties come in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import BadRequest, FieldError, ValidationError
from planhat_orm.models import Company, Enduser, License, Sale, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1", status="customer")["_id"]


@pytest.fixture
def kim(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(User, first_name="Kim", last_name="Rivera", email="kim@vendor.example")["_id"]


def test_a_company_is_created_by_its_name_alone(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Company.objects.create(name="Acme")
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path, request.json) == ("POST", "/companies", {"name": "Acme"})
    assert made.status == "prospect"
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="name"):
        Company.objects.create(country="SE")


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "acme-42"}, "extid-acme-42"), ({"source_id": "crm-1"}, "srcid-crm-1")]
)
def test_a_company_is_found_by_each_of_its_keys_in_one_request_and_then_in_none(
    planhat_sandbox: Sandbox, acme: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.get(**key).id == acme
        assert Company.objects.get(id=acme).name == "Acme"
    assert planhat_sandbox.requests[0].path == f"/companies/{path}"


def test_companies_are_listed_by_ids_order_and_field(planhat_sandbox: Sandbox, acme: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    planhat_sandbox.add(Company, name="Cedar")
    with planhat_sandbox.assert_requests(1):
        found = list(Company.objects.filter(id__in=[acme, birch]).order_by("-name").only("name")[:2])
    assert [company.id for company in found] == [birch, acme]
    params = planhat_sandbox.requests[0].params
    assert set(params["companyId"].split(",")) == {acme, birch}
    assert {"sort": "-name", "offset": "0", "select": "_id,name"}.items() <= params.items()


@pytest.mark.parametrize("name", ["name", "externalId", "companyName"])
def test_what_lists_ignore_is_never_sent_to_them(planhat_sandbox: Sandbox, acme: str, name: str) -> None:
    planhat_sandbox.add(Company, name="Birch", external_id="birch-7")
    with planhat_sandbox.assert_requests(3):
        assert [company.id for company in Company.objects.filter(name="Acme")] == [acme]
        assert [company.id for company in Company.objects.filter(external_id__in=["acme-42", "none-1"])] == [acme]
    assert not any(name in request.params for request in planhat_sandbox.requests if request.path == "/companies")


def test_lists_are_asked_for_what_they_leave_out(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.change(Company, acme, country="SE", mrr=100)
    with planhat_sandbox.assert_requests(1):
        [company] = Company.objects.all()
        assert (company.country, company.mrr) == ("SE", 100)
    select = planhat_sandbox.requests[0].params["select"].split(",")
    assert {"country", "mrr", "custom"} <= {*select}
    assert not {"licenses", "sales", "csmScoreLog"} & {*select}


def test_the_lean_index_lists_four_properties_of_every_company(planhat_sandbox: Sandbox, acme: str) -> None:
    for number in range(4):
        planhat_sandbox.add(Company, name=f"Company {number}")
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.count() == 5
    assert planhat_sandbox.requests[0].path == "/leancompanies"


@pytest.mark.parametrize("shape", ["id", "object", "null"])
def test_owners_come_as_id_object_or_null(planhat_sandbox: Sandbox, acme: str, kim: str, shape: str) -> None:
    planhat_sandbox.change(Company, acme, owner=kim)
    row = {"id": kim, "object": {"_id": kim, "nickName": "Kim"}, "null": None}[shape]
    planhat_sandbox.change(Company, acme, coOwner=kim)
    if shape != "id":
        planhat_sandbox.add(Company, name="Birch", extra={"owner": row})
    with planhat_sandbox.assert_requests(1):
        owners = {company.name: company.owner_id for company in Company.objects.all()}
    assert owners["Acme"] == kim
    assert owners.get("Birch", kim) == (None if shape == "null" else kim)


def test_orgPath_is_a_comma_string(planhat_sandbox: Sandbox, acme: str) -> None:
    above = planhat_sandbox.add(Company, name="Group")["_id"]
    planhat_sandbox.change(Company, acme, orgPath=f",{above},", orgRootId=above, orgLevel="1", orgUnits=0)
    with planhat_sandbox.assert_requests(1):
        company = Company.objects.get(id=acme)
    assert (company.path, company.root_id, company.org_level, company.org_units) == ([above], above, 1, 0)
    with pytest.raises(FieldError, match="read-only"):
        company.path = []
    assert company.root is not None
    assert [one.id for one in company.root.descendants.all()] == [acme]


def test_currency_may_be_an_object_inside_a_company(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(License, company=acme, currency="EUR", mrr=100)
    planhat_sandbox.add(Sale, company=acme, currency="USD", value=900)
    with planhat_sandbox.assert_requests(1):
        company = Company.objects.get(id=acme)
        [licence], [sale] = company.embedded_licenses, company.embedded_sales
    assert (licence["_currency"]["_id"], licence["_currency"]["isBase"]) == ("EUR", True)
    assert (sale["_currency"]["_id"], sale["value"]) == ("USD", 900)
    assert [one.currency for one in company.licenses.all()] == ["EUR"]
    assert [one.currency for one in company.sales.all()] == ["USD"]


def test_the_embedded_copies_come_with_get_only(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(License, company=acme, currency="EUR", mrr=100)
    [company] = Company.objects.all()
    with planhat_sandbox.assert_requests(1):
        assert len(company.embedded_licenses) == 1
    assert planhat_sandbox.requests[-1].path == f"/companies/{acme}"


def test_domains_may_come_as_one_text_and_booleans_as_nothing(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.change(
        Company, acme, extra={"domains": "acme.example, acme.test", "autoRenews": "", "features": {}}
    )
    with planhat_sandbox.assert_requests(1):
        [company] = Company.objects.all()
        assert (company.domains, company.auto_renews) == (["acme.example", "acme.test"], None)
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.get(id=acme, fresh=True).features == {}


def test_the_next_touch_may_come_in_milliseconds(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.change(Company, acme, nextTouch=1_600_000_000_000)
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.get(id=acme).next_touch == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)


@pytest.mark.parametrize(("name", "value"), [("status", "lost"), ("health", 7), ("mrr", 5), ("nrr30", 5)])
def test_what_planhat_computes_and_echoes_is_read_only(
    planhat_sandbox: Sandbox, acme: str, name: str, value: object
) -> None:
    company = Company.objects.get(id=acme)
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="read-only"):
        setattr(company, name, value)


def test_what_planhat_keeps_and_takes_is_written(planhat_sandbox: Sandbox, acme: str) -> None:
    company = Company.objects.get(id=acme)
    company.phase, company.csm_score, company.customer_to = "No such phase", 4, date(2026, 1, 1)
    with planhat_sandbox.assert_requests(1):
        company.save()
    assert planhat_sandbox.requests[-1].json == {
        "phase": "No such phase",
        "csmScore": 4,
        "customerTo": "2026-01-01T00:00:00.000Z",
    }
    assert planhat_sandbox.row(Company, acme)["phase"] == "No such phase"


def test_an_update_sends_one_custom_key_and_no_id(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.change(Company, acme, custom={"Tier": "Silver", "Seats": 5})
    company = Company.objects.get(id=acme)
    company.custom["Tier"] = "Gold"
    with planhat_sandbox.assert_requests(1):
        company.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/companies/{acme}", {"custom": {"Tier": "Gold"}})
    assert planhat_sandbox.row(Company, acme)["custom"] == {"Tier": "Gold", "Seats": 5}


def test_an_external_id_in_use_is_refused_by_planhat_and_told(planhat_sandbox: Sandbox, acme: str) -> None:
    with pytest.raises(BadRequest, match="externalId"):
        Company.objects.create(name="Acme again", external_id="acme-42")
    assert planhat_sandbox.count(Company) == 1


def test_companies_are_upserted_in_one_request(planhat_sandbox: Sandbox, acme: str) -> None:
    rows = [{"external_id": "acme-42", "phase": "Onboarding"}, {"external_id": "birch-7", "name": "Birch"}]
    with planhat_sandbox.assert_requests(1):
        ledger = Company.objects.bulk_upsert(rows)
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("PUT", "/companies")
    assert request.json == [
        {"externalId": "acme-42", "phase": "Onboarding"},
        {"externalId": "birch-7", "name": "Birch"},
    ]
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Company, acme)["phase"] == "Onboarding"


def test_a_company_is_deleted_by_its_id(planhat_sandbox: Sandbox, acme: str) -> None:
    company = Company.objects.get(external_id="acme-42")
    with planhat_sandbox.assert_requests(1):
        company.delete()
    assert (planhat_sandbox.requests[-1].method, planhat_sandbox.requests[-1].path) == ("DELETE", f"/companies/{acme}")
    assert planhat_sandbox.count(Company) == 0


def test_a_company_is_referred_to_by_both_keys(planhat_sandbox: Sandbox, acme: str) -> None:
    for ref, written in (
        (Company.ref(external_id="acme-42"), "extid-acme-42"),
        (Company.ref(source_id="crm-1"), "srcid-crm-1"),
    ):
        with planhat_sandbox.assert_requests(1):
            made = Enduser.objects.create(company=ref, email=f"{written}@acme.example")
        assert planhat_sandbox.requests[-1].json["companyId"] == written
        assert made.company_id == acme


def test_owners_of_all_companies_cost_one_request(planhat_sandbox: Sandbox, acme: str, kim: str) -> None:
    planhat_sandbox.change(Company, acme, owner=kim, followers=[kim])
    planhat_sandbox.add(Company, name="Birch", owner=kim)
    with planhat_sandbox.assert_requests(2):
        emails = [company.owner.email for company in Company.objects.all() if company.owner]
    assert emails == ["kim@vendor.example"] * 2
    user = User.objects.get(id=kim)
    assert {company.name for company in user.companies.all()} == {"Acme", "Birch"}
    assert Company.objects.get(id=acme).followers.ids == [kim]


def test_a_filter_by_status_holds_although_lists_of_companies_take_none(planhat_sandbox: Sandbox, acme: str) -> None:
    for number in range(3):
        planhat_sandbox.add(Company, name=f"Lost {number}", status="lost")
    with planhat_sandbox.assert_requests(1):
        assert [company.id for company in Company.objects.filter(status="customer")] == [acme]
    [request] = planhat_sandbox.requests
    assert request.path == "/leancompanies" or "status" not in request.params


def test_a_blank_external_id_of_the_lean_index_is_none(planhat_sandbox: Sandbox, acme: str) -> None:
    for number in range(4):
        planhat_sandbox.add(Company, name=f"Company {number}")
    assert Company.objects.count() == 5
    found = Company.objects.filter(external_id__isnull=True)
    assert {company.name for company in found} == {f"Company {number}" for number in range(4)}
    assert {company.external_id for company in found} <= {None, ""}


def test_companies_can_be_read_whatever_shape_their_tree_numbers_have(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.change(Company, acme, extra={"orgLevel": None, "orgUnits": "2"})
    [company] = Company.objects.all()
    assert (company.org_level, company.org_units) == (None, 2)
