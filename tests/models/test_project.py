"""Projects over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import ValidationError
from planhat_orm.models import Company, Project

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def project(planhat_sandbox: Sandbox, acme: Company) -> Project:
    planhat_sandbox.add(Project, name="ERP roll-out", company=acme, external_id="own-1", source_id="src-1")
    return Project.objects.get(external_id="own-1")


def test_a_project_is_created(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        project = Project.objects.create(
            name="ERP roll-out",
            company=Company.ref(external_id="acme-42"),
            start_date=date(2025, 5, 12),
            currency="USD",
        )
    assert planhat_sandbox.requests[-1].json == {
        "name": "ERP roll-out",
        "companyId": "extid-acme-42",
        "startDate": "2025-05-12T00:00:00.000Z",
        "currency": "USD",
    }
    assert project.company_id == acme.id
    assert project.company_name == "Acme"


def test_a_create_needs_a_name_and_a_company_and_no_currency(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        Project.objects.create(mrr=1000)
    assert set(caught.value.messages) == {"name", "company"}


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, project: Project) -> None:
    project.mrr = 1000
    project.end_date = date(2025, 8, 31)
    with planhat_sandbox.assert_requests(1):
        project.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/projects/{project.id}")
    assert request.json == {"mrr": 1000, "endDate": "2025-08-31T00:00:00.000Z"}
    assert planhat_sandbox.row(Project, project.id)["mrr"] == 1000


def test_relations_lead_both_ways(planhat_sandbox: Sandbox, acme: Company, project: Project) -> None:
    with planhat_sandbox.assert_requests(0):
        assert project.company is acme
    with planhat_sandbox.assert_requests(1):
        assert [one.name for one in acme.projects.all()] == ["ERP roll-out"]


@pytest.mark.parametrize("stored", ["2025-05-12T03:00:00.000Z", "2025-05-11T21:00:00.000Z", "2025-05-12T00:00:00.000Z"])
def test_days_of_projects_are_shifted_by_somebodys_zone(planhat_sandbox: Sandbox, acme: Company, stored: str) -> None:
    planhat_sandbox.add(Project, name="Shifted", company=acme, extra={"startDate": stored})
    [project] = Project.objects.all()
    assert project.start_date == date(2025, 5, 12)
    project.start_date = date(2025, 5, 12)
    assert project.changes() == {}


def test_the_currency_of_projects_travels_without_an_underscore(planhat_sandbox: Sandbox, project: Project) -> None:
    project.currency = "EUR"
    project.save()
    assert planhat_sandbox.requests[-1].json == {"currency": "EUR"}


def test_computed_custom_fields_are_in_the_answer_to_an_update(planhat_sandbox: Sandbox, project: Project) -> None:
    planhat_sandbox.change(Project, project.id, extra={"custom": {"Days left": 12}})
    project.mrr = 1
    with planhat_sandbox.assert_requests(1):
        project.save()
        assert project.custom["Days left"] == 12


def test_a_bulk_upsert_changes_what_is_there_and_creates_the_rest(
    planhat_sandbox: Sandbox, acme: Company, project: Project
) -> None:
    items = [{"source_id": "src-1", "mrr": 7}, {"source_id": "src-2", "name": "Course", "company": acme}]
    with planhat_sandbox.assert_requests(1):
        ledger = Project.objects.bulk_upsert(items, key="source_id")
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/projects", 2)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.count(Project) == 2
    assert planhat_sandbox.row(Project, project.id)["mrr"] == 7
