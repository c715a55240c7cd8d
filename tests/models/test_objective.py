"""Objectives over HTTP: every operation, the keys, the filter, and what is particular to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import FieldError, NotSupported, ValidationError
from planhat_orm.models import Company, Objective

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> str:
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")["_id"]


@pytest.fixture
def goal(planhat_sandbox: Sandbox, acme: str) -> str:
    return planhat_sandbox.add(
        Objective, name="Adoption", company=acme, external_id="o-1", source_id="crm-o-1", health=4
    )["_id"]


def test_an_objective_is_created_with_its_company(planhat_sandbox: Sandbox, acme: str) -> None:
    with planhat_sandbox.assert_requests(1):
        made = Objective.objects.create(name="Adoption", company=Company.ref(source_id="crm-1"), health=4)
    request = planhat_sandbox.requests[0]
    assert (request.method, request.path) == ("POST", "/objectives")
    assert request.json == {"name": "Adoption", "companyId": "srcid-crm-1", "health": 4}
    assert (made.company_id, made.company_name, made.health) == (acme, "Acme", 4)


def test_an_objective_without_name_and_company_is_refused_before_any_request(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as refused:
        Objective.objects.create(health=4)
    assert refused.value.messages.keys() == {"name", "company"}


@pytest.mark.parametrize(
    ("key", "path"), [({"external_id": "o-1"}, "extid-o-1"), ({"source_id": "crm-o-1"}, "srcid-crm-o-1")]
)
def test_an_objective_is_found_by_each_of_its_keys_in_one_request(
    planhat_sandbox: Sandbox, goal: str, key: dict[str, str], path: str
) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Objective.objects.get(**key).id == goal
    assert planhat_sandbox.requests[0].path == f"/objectives/{path}"


def test_an_objective_is_found_by_its_id(planhat_sandbox: Sandbox, goal: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Objective.objects.get(id=goal).company_name == "Acme"
    assert planhat_sandbox.requests[0].path == f"/objectives/{goal}"


def test_an_external_id_is_unique_in_one_company_only(planhat_sandbox: Sandbox, acme: str, goal: str) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")["_id"]
    other = planhat_sandbox.add(Objective, company=birch, external_id="o-1", name="Other")["_id"]
    assert Objective.objects.get(external_id="o-1", company=birch).id == other
    assert Objective.objects.get(external_id="o-1", company=acme).id == goal


def test_an_objective_is_deleted_by_its_id(planhat_sandbox: Sandbox, goal: str) -> None:
    objective = Objective.objects.get(external_id="o-1")
    with planhat_sandbox.assert_requests(1):
        objective.delete()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("DELETE", f"/objectives/{goal}")
    assert planhat_sandbox.count(Objective) == 0


def test_an_objective_leads_to_its_company_and_back(planhat_sandbox: Sandbox, acme: str, goal: str) -> None:
    with planhat_sandbox.assert_requests(3):
        company = Objective.objects.get(id=goal).company
        assert company is not None
        assert [one.id for one in company.objectives.all()] == [goal]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme


def test_an_objective_takes_no_external_id_in_a_reference(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match="external_id"):
        Objective.ref(external_id="o-1")


def test_objectives_are_listed_by_company_order_and_field(planhat_sandbox: Sandbox, acme: str, goal: str) -> None:
    low = planhat_sandbox.add(Objective, name="Renew", company=acme, health=2)["_id"]
    planhat_sandbox.add(Objective, name="Other", company=planhat_sandbox.add(Company, name="Birch"))
    with planhat_sandbox.assert_requests(1):
        found = list(Objective.objects.filter(company=acme).order_by("health").only("health")[:2])
    assert [objective.id for objective in found] == [low, goal]
    asked = {"companyId": acme, "sort": "health", "offset": "0"}
    assert asked.items() <= planhat_sandbox.requests[0].params.items()
    assert set(planhat_sandbox.requests[0].params["select"].split(",")) == {"_id", "health", "companyId"}


def test_an_update_sends_what_changed_alone(planhat_sandbox: Sandbox, goal: str) -> None:
    objective = Objective.objects.get(id=goal)
    objective.health = 5
    with planhat_sandbox.assert_requests(1):
        objective.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, request.json) == ("PUT", f"/objectives/{goal}", {"health": 5})
    assert planhat_sandbox.row(Objective, goal)["health"] == 5


def test_objectives_are_upserted_in_one_request(planhat_sandbox: Sandbox, acme: str, goal: str) -> None:
    rows = [
        {"source_id": "crm-o-1", "company_id": acme, "name": "Adoption", "health": 5},
        {"source_id": "crm-o-2", "company_id": acme, "name": "Renewal"},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = Objective.objects.bulk_upsert(rows)
    assert (planhat_sandbox.requests[0].method, planhat_sandbox.requests[0].path) == ("PUT", "/objectives")
    assert (len(ledger.created), len(ledger.updated)) == (1, 1)
    assert planhat_sandbox.row(Objective, goal)["health"] == 5


def test_a_health_that_arrives_as_text_reads_as_a_number(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Objective, name="Adoption", company=acme, health="4.5")
    assert [objective.health for objective in Objective.objects.all()] == [4.5]


def test_status_and_progress_are_no_properties_of_an_objective(planhat_sandbox: Sandbox, acme: str) -> None:
    planhat_sandbox.add(Objective, name="Adoption", company=acme, custom={"Status": "On track"})
    [objective] = Objective.objects.all()
    assert not {"status", "progress", "dueDate", "ownerId"} & Objective._meta.keys
    assert objective.custom["Status"] == "On track"


def test_what_only_planhat_sets_is_refused(planhat_sandbox: Sandbox, goal: str) -> None:
    objective = Objective.objects.get(id=goal)
    for name, value in (("usage", {}), ("shared_in_portal", True), ("company_name", "Birch")):
        with pytest.raises(FieldError, match="read-only"):
            setattr(objective, name, value)
