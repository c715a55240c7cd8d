"""Assets over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ValidationError
from planhat_orm.models import Asset, Company, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    planhat_sandbox.add(Company, name="Birch", external_id="birch-7")
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def asset(planhat_sandbox: Sandbox, acme: Company) -> Asset:
    planhat_sandbox.add(Asset, name="EU instance", company=acme, external_id="inst-1", source_id="src-1", value=1200)
    return Asset.objects.get(external_id="inst-1")


def test_an_asset_is_created(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        asset = Asset.objects.create(
            name="EU instance", company=acme, install_date=date(2025, 2, 1), serial_number="SN-88", currency="EUR"
        )
    assert planhat_sandbox.requests[-1].json == {
        "name": "EU instance",
        "companyId": acme.id,
        "installDate": "2025-02-01T00:00:00.000Z",
        "serialNumber": "SN-88",
        "_currency": "EUR",
    }
    assert asset.id
    assert asset.install_date == date(2025, 2, 1)


def test_a_create_needs_a_name_and_a_company(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        Asset.objects.create(status="Active")
    assert set(caught.value.messages) == {"name", "company"}


def test_assets_link_to_a_company_by_its_own_key(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        asset = Asset.objects.create(name="EU instance", company=Company.ref(external_id="acme-42"))
    assert planhat_sandbox.requests[-1].json["companyId"] == "extid-acme-42"
    assert asset.company_id == acme.id


@pytest.mark.parametrize(
    ("key", "path"),
    [({"external_id": "inst-1"}, "/assets/extid-inst-1"), ({"source_id": "src-1"}, "/assets/srcid-src-1")],
)
def test_get_by_own_keys(planhat_sandbox: Sandbox, acme: Company, key: dict[str, Any], path: str) -> None:
    planhat_sandbox.add(Asset, name="EU instance", company=acme, external_id="inst-1", source_id="src-1")
    with planhat_sandbox.assert_requests(1):
        assert Asset.objects.get(**key).name == "EU instance"
    assert planhat_sandbox.requests[-1].path == path


def test_get_by_id(planhat_sandbox: Sandbox, acme: Company) -> None:
    row = planhat_sandbox.add(Asset, name="EU instance", company=acme)
    with planhat_sandbox.assert_requests(1):
        assert Asset.objects.get(id=row["_id"]).name == "EU instance"
    assert planhat_sandbox.requests[-1].path == f"/assets/{row['_id']}"


def test_a_list_of_one_company_and_of_several(planhat_sandbox: Sandbox, acme: Company) -> None:
    birch = Company.objects.get(external_id="birch-7")
    for company in (acme, birch):
        planhat_sandbox.add(Asset, name=f"Of {company.name}", company=company)
    with planhat_sandbox.assert_requests(1):
        assert [asset.name for asset in Asset.objects.filter(company=acme)] == ["Of Acme"]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme.id
    with planhat_sandbox.assert_requests(1):
        assert len(Asset.objects.filter(company__in=[acme, birch])) == 2
    assert set(planhat_sandbox.requests[-1].params["companyId"].split(",")) == {acme.id, birch.id}


def test_a_list_takes_limit_offset_sort_and_select(planhat_sandbox: Sandbox, acme: Company) -> None:
    for number in range(4):
        planhat_sandbox.add(Asset, name=f"Asset {number}", company=acme)
    with planhat_sandbox.assert_requests(1):
        names = [asset.name for asset in Asset.objects.order_by("-name").only("name")[1:3]]
    assert names == ["Asset 2", "Asset 1"]
    params = planhat_sandbox.requests[-1].params
    assert (params["sort"], params["offset"], params["select"]) == ("-name", "1", "_id,name")
    assert int(params["limit"]) >= 2


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, asset: Asset) -> None:
    asset.status = "Retired"
    with planhat_sandbox.assert_requests(1):
        asset.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/assets/{asset.id}", {"status": "Retired"})
    assert planhat_sandbox.row(Asset, asset.id)["status"] == "Retired"


def test_an_asset_is_deleted(planhat_sandbox: Sandbox, asset: Asset) -> None:
    with planhat_sandbox.assert_requests(1):
        asset.delete()
    assert planhat_sandbox.requests[-1].path == f"/assets/{asset.id}"
    assert planhat_sandbox.count(Asset) == 0


def test_relations_lead_both_ways(planhat_sandbox: Sandbox, acme: Company) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="Rivera")
    planhat_sandbox.add(Asset, name="EU instance", company=acme, owner=kim, extra={"followers": [kim["_id"]]})
    with planhat_sandbox.assert_requests(2):
        [asset] = acme.assets.all()
        assert asset.company is acme
        assert asset.owner is not None
        assert asset.owner.nick_name == "Kim"
        assert [user.nick_name for user in asset.followers] == ["Kim"]
    with planhat_sandbox.assert_requests(1):
        assert [one.name for one in asset.owner.assets.all()] == ["EU instance"]


def test_the_currency_of_assets_travels_with_an_underscore(planhat_sandbox: Sandbox, asset: Asset) -> None:
    asset.currency = "SEK"
    asset.save()
    assert planhat_sandbox.requests[-1].json == {"_currency": "SEK"}
    assert planhat_sandbox.row(Asset, asset.id)["_currency"] == "SEK"


def test_custom_values_of_assets_may_be_null_empty_or_undefined(planhat_sandbox: Sandbox, acme: Company) -> None:
    odd = {"Score": None, "Comments": "", "Product": "undefined"}
    planhat_sandbox.add(Asset, name="Odd", company=acme, external_id="odd", extra={"custom": odd})
    planhat_sandbox.add(Asset, name="None", company=acme, external_id="none")
    with planhat_sandbox.assert_requests(1):
        found = {asset.external_id: dict(asset.custom) for asset in Asset.objects.all()}
    assert found == {"odd": odd, "none": {}}


def test_usage_is_a_map_that_planhat_keeps(planhat_sandbox: Sandbox, acme: Company) -> None:
    planhat_sandbox.add(Asset, name="EU", company=acme, extra={"usage": {"6053b728fa96fa0262729aff": 0}})
    [asset] = Asset.objects.all()
    assert asset.usage == {"6053b728fa96fa0262729aff": 0}
    assert Asset._meta.field("usage").read_only


def test_a_bulk_upsert_changes_what_is_there_and_creates_the_rest(
    planhat_sandbox: Sandbox, acme: Company, asset: Asset
) -> None:
    items = [
        {"source_id": "src-1", "status": "Retired"},
        {"source_id": "src-2", "name": "US instance", "company": acme},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Asset.objects.bulk_upsert(items, key="source_id")
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/assets", 2)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.count(Asset) == 2
    assert planhat_sandbox.row(Asset, asset.id)["status"] == "Retired"
