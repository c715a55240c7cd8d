"""What is the same of objects that have nothing of their own in it: reading by each key, lists, deleting."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.models import Company, Deal, LineItem, Product, Project, Workspace

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

PATHS: dict[type[Model], str] = {
    Deal: "/deals",
    LineItem: "/lineitems",
    Product: "/products",
    Project: "/projects",
    Workspace: "/workspaces",
}
OF_COMPANIES = [model for model in PATHS if model is not Product]
of_each = pytest.mark.parametrize("model", PATHS, ids=lambda model: model.__name__)


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    return Company.objects.get(external_id="acme-42")


def add(box: Sandbox, model: type[Model], company: Any, **values: Any) -> dict[str, Any]:
    """Put a record into the sandbox, behind the session."""
    if model is LineItem:
        deal = box.add(Deal, name="Renewal", company=company)
        return box.add(model, deal=deal, from_date=date(2026, 4, 1), mrr=200, company=company, **values)
    return box.add(model, name="Finance", **({} if model is Product else {"company": company}), **values)


@of_each
@pytest.mark.parametrize(
    ("key", "segment"), [({"external_id": "own-1"}, "extid-own-1"), ({"source_id": "src-1"}, "srcid-src-1")]
)
def test_get_by_own_keys(
    planhat_sandbox: Sandbox, acme: Company, model: type[Model], key: dict[str, Any], segment: str
) -> None:
    row = add(planhat_sandbox, model, acme, external_id="own-1", source_id="src-1")
    with planhat_sandbox.assert_requests(1):
        assert model.objects.get(**key).id == row["_id"]
    assert planhat_sandbox.requests[-1].path == f"{PATHS[model]}/{segment}"


@of_each
def test_get_by_id(planhat_sandbox: Sandbox, acme: Company, model: type[Model]) -> None:
    row = add(planhat_sandbox, model, acme, external_id="own-1")
    with planhat_sandbox.assert_requests(1):
        assert model.objects.get(id=row["_id"]).raw["externalId"] == "own-1"
    assert planhat_sandbox.requests[-1].path == f"{PATHS[model]}/{row['_id']}"


@of_each
def test_a_list_takes_offset_sort_and_select(planhat_sandbox: Sandbox, acme: Company, model: type[Model]) -> None:
    for number in range(4):
        add(planhat_sandbox, model, acme, external_id=f"own-{number}")
    with planhat_sandbox.assert_requests(1):
        keys = [one.raw["externalId"] for one in model.objects.order_by("-external_id").only("external_id")[1:3]]
    assert keys == ["own-2", "own-1"]
    params = planhat_sandbox.requests[-1].params
    assert (params["sort"], params["offset"], params["select"]) == ("-externalId", "1", "_id,externalId")
    assert int(params["limit"]) >= 2


@pytest.mark.parametrize("model", OF_COMPANIES, ids=lambda model: model.__name__)
def test_a_list_of_one_company(planhat_sandbox: Sandbox, acme: Company, model: type[Model]) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    add(planhat_sandbox, model, acme, external_id="own-1")
    add(planhat_sandbox, model, birch, external_id="own-2")
    with planhat_sandbox.assert_requests(1):
        assert [one.raw["externalId"] for one in model.objects.filter(company=acme)] == ["own-1"]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme.id


@of_each
def test_a_record_is_deleted(planhat_sandbox: Sandbox, acme: Company, model: type[Model]) -> None:
    add(planhat_sandbox, model, acme, external_id="own-1")
    record = model.objects.get(external_id="own-1")
    with planhat_sandbox.assert_requests(1):
        record.delete()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("DELETE", f"{PATHS[model]}/{record.id}")
    assert planhat_sandbox.count(model) == 0
