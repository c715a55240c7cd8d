"""Workspaces over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import ValidationError
from planhat_orm.models import Company, User, Workspace

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def workspace(planhat_sandbox: Sandbox, acme: Company) -> Workspace:
    planhat_sandbox.add(Workspace, name="Finance", company=acme, external_id="own-1", source_id="src-1")
    return Workspace.objects.get(external_id="own-1")


def test_a_workspace_is_created(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        workspace = Workspace.objects.create(name="Finance", company=Company.ref(external_id="acme-42"))
    assert planhat_sandbox.requests[-1].json == {"name": "Finance", "companyId": "extid-acme-42"}
    assert workspace.company_id == acme.id


def test_a_create_needs_a_name_and_a_company(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        Workspace.objects.create(external_id="ws-1")
    assert set(caught.value.messages) == {"name", "company"}


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, workspace: Workspace) -> None:
    workspace.name = "Finance department"
    with planhat_sandbox.assert_requests(1):
        workspace.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/workspaces/{workspace.id}")
    assert request.json == {"name": "Finance department"}


def test_relations_lead_both_ways(planhat_sandbox: Sandbox, acme: Company) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="Rivera")
    planhat_sandbox.add(Workspace, name="Finance", company=acme, owner=kim)
    with planhat_sandbox.assert_requests(2):
        [workspace] = acme.workspaces.all()
        assert workspace.company is acme
        assert workspace.owner is not None
        assert workspace.owner.nick_name == "Kim"
    with planhat_sandbox.assert_requests(1):
        assert [one.name for one in workspace.owner.workspaces.all()] == ["Finance"]


def test_what_planhat_sends_of_workspaces_beyond_the_page_is_in_extra(
    planhat_sandbox: Sandbox, workspace: Workspace
) -> None:
    planhat_sandbox.change(Workspace, workspace.id, extra={"usage": {"6053b728fa96fa0262729aff": 3}})
    workspace.refresh_from_db()
    assert workspace.extra["usage"] == {"6053b728fa96fa0262729aff": 3}


def test_a_bulk_upsert_changes_what_is_there_and_creates_the_rest(
    planhat_sandbox: Sandbox, acme: Company, workspace: Workspace
) -> None:
    items = [{"source_id": "src-1", "name": "Finance 2"}, {"source_id": "src-2", "name": "Sales", "company": acme}]
    with planhat_sandbox.assert_requests(1):
        ledger = Workspace.objects.bulk_upsert(items, key="source_id")
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/workspaces", 2)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.count(Workspace) == 2
    assert planhat_sandbox.row(Workspace, workspace.id)["name"] == "Finance 2"
