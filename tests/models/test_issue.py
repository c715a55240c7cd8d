"""Issues over HTTP: operations, keys, list parameters, lists of links, quirks.

The facts are those of https://www.planhat.com/developers/api/issue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldError, PlanhatError, UnknownField, ValidationError
from planhat_orm.models import Company, Conversation, Enduser, Issue, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")


def test_an_issue_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(1):
        issue = Issue.objects.create(title="Export drops a column", companies=[acme["_id"]], source_id="JIRA-1")
    assert planhat_sandbox.requests[-1].json == {
        "title": "Export drops a column",
        "companyIds": [acme["_id"]],
        "sourceId": "JIRA-1",
    }
    with planhat_sandbox.assert_requests(1):
        assert Issue.objects.get(id=issue.id, fresh=True).title == "Export drops a column"
    issue.status = "Done"
    with planhat_sandbox.assert_requests(1):
        issue.save()
    assert planhat_sandbox.requests[-1].json == {"status": "Done"}
    with planhat_sandbox.assert_requests(1):
        issue.delete()
    assert planhat_sandbox.count(Issue) == 0


def test_issues_are_read_by_id_and_source_id_and_have_no_external_id(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    row = planhat_sandbox.add(Issue, title="Export", companies=[acme], source_id="JIRA-1")
    with planhat_sandbox.assert_requests(1):
        assert Issue.objects.get(source_id="JIRA-1").id == row["_id"]
    assert planhat_sandbox.requests[-1].path == "/issues/srcid-JIRA-1"
    with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match="external_id"):
        Issue.objects.get(external_id="JIRA-1")


def test_a_create_needs_a_title_alone(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="title: is required"):
        Issue.objects.create(status="Open")
    with planhat_sandbox.assert_requests(1):
        assert Issue.objects.create(title="Of nobody yet").companies.ids == []


def test_issues_link_by_companyIds_and_filter_by_companyId(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    planhat_sandbox.add(Issue, title="Of both", companies=[acme, birch])
    planhat_sandbox.add(Issue, title="Of Birch", companies=[birch])
    company = Company.objects.get(id=acme["_id"])
    for condition in (company, acme["_id"]):
        with planhat_sandbox.assert_requests(1):
            [issue] = Issue.objects.filter(companies=condition)
        assert issue.companies.ids == [acme["_id"], birch["_id"]]
        assert planhat_sandbox.requests[-1].params["companyId"] == acme["_id"]
    with pytest.raises(UnknownField, match="compan"):
        Issue.objects.filter(company_id=acme["_id"])


def test_a_company_has_its_issues_and_adds_to_them(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Issue, title="Export", companies=[acme])
    planhat_sandbox.add(Issue, title="Of nobody")
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(1):
        assert [issue.title for issue in company.issues.all()] == ["Export"]
    created = company.issues.create(title="Import")
    assert planhat_sandbox.requests[-1].json == {"title": "Import", "companyIds": [acme["_id"]]}
    assert created.companies.ids == [acme["_id"]]


def test_companies_of_an_issue_may_be_named_by_their_own_keys(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    by_external, by_source = Company.ref(external_id="acme-42"), Company.ref(source_id="crm-1")
    first = Issue.objects.create(title="Export", companies=[by_external])
    assert planhat_sandbox.requests[-1].json["companyIds"] == ["extid-acme-42"]
    second = Issue.objects.create(title="Import", companies=[by_source])
    assert planhat_sandbox.requests[-1].json["companyIds"] == ["srcid-crm-1"]
    assert first.companies.ids == second.companies.ids == [acme["_id"]]
    with planhat_sandbox.assert_requests(0), pytest.raises((FieldError, PlanhatError)):
        Issue.objects.create(title="Export", endusers=["extid-ada"])


def test_links_to_endusers_conversations_and_followers_lead_to_their_records(
    planhat_sandbox: Sandbox, acme: dict[str, Any]
) -> None:
    ada = planhat_sandbox.add(Enduser, company=acme, email="ada@acme.example", first_name="Ada", last_name="B")
    call = planhat_sandbox.add(Conversation, company=acme, type="call", subject="Check-in")
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R")
    issue = Issue.objects.create(title="Export", companies=[acme["_id"]], endusers=[ada["_id"]], followers=[kim["_id"]])
    issue.conversations.add(call["_id"])
    issue.save()
    assert planhat_sandbox.requests[-1].json == {"conversationIds": [call["_id"]]}
    issue = Issue.objects.get(id=issue.id, fresh=True)
    assert [person.email for person in issue.endusers] == ["ada@acme.example"]
    assert [one.subject for one in issue.conversations] == ["Check-in"]
    assert [user.nick_name for user in issue.followers] == ["Kim"]
    assert [company.name for company in issue.companies] == ["Acme"]


def test_the_lists_beside_the_ids_are_planhats(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    issue = Issue.objects.create(title="Export", companies=[acme["_id"]])
    assert issue.embedded_companies in ([], [{"id": acme["_id"], "name": "Acme"}])
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="read-only"):
        issue.embedded_companies = [{"id": acme["_id"], "name": "Acme"}]


def test_issues_are_upserted_by_source_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Issue, title="Export", companies=[acme], source_id="JIRA-1")
    with planhat_sandbox.assert_requests(1):
        ledger = Issue.objects.bulk_upsert(
            [
                {"source_id": "JIRA-1", "status": "Done"},
                {"source_id": "JIRA-2", "title": "Import", "companies": [acme["_id"]]},
            ]
        )
    assert (len(ledger.updated), len(ledger.created)) == (1, 1)
    assert {row["sourceId"]: row.get("status") for row in planhat_sandbox.rows(Issue)} == {
        "JIRA-1": "Done",
        "JIRA-2": None,
    }


def test_a_new_issue_needs_companies_in_bulk(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match=r"items\[0\]: companies"):
        Issue.objects.bulk_upsert([{"title": "Of nobody"}])
