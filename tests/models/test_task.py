"""Tasks over HTTP: operations, keys, list parameters, links, quirks.

The facts are those of https://www.planhat.com/developers/api/task.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ApiError, FieldError, UnknownField, ValidationError
from planhat_orm.models import Company, Conversation, Enduser, Task, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A company's row."""
    return planhat_sandbox.add(Company, name="Acme", external_id="acme-42")


@pytest.fixture
def kim(planhat_sandbox: Sandbox) -> dict[str, Any]:
    """A user's row."""
    return planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R")


def test_a_task_is_created_read_changed_and_deleted(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    due = datetime(2025, 5, 2, tzinfo=UTC)
    with planhat_sandbox.assert_requests(1):
        task = Task.objects.create(
            company_id=acme["_id"], action="Send the quote", end_time=due, checklist=[{"title": "Draft"}]
        )
    assert planhat_sandbox.requests[-1].json == {
        "mainType": "task",
        "companyId": acme["_id"],
        "action": "Send the quote",
        "endTime": "2025-05-02T00:00:00.000Z",
        "checklist": [{"title": "Draft"}],
    }
    assert (task.main_type, task.company_name) == ("task", "Acme")
    with planhat_sandbox.assert_requests(1):
        again = Task.objects.get(id=task.id, fresh=True)
    assert (again.action, again.end_time, again.checklist) == ("Send the quote", due, [{"title": "Draft"}])
    task.description = "<p>Use the list of 2025.</p>"
    with planhat_sandbox.assert_requests(1):
        task.save()
    assert planhat_sandbox.requests[-1].json == {"description": "<p>Use the list of 2025.</p>"}
    assert task.snippet == "Use the list of 2025."
    with planhat_sandbox.assert_requests(1):
        task.delete()
    assert planhat_sandbox.count(Task) == 0


def test_tasks_have_no_external_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Task, company=acme, action="Call", source_id="crm-5521")
    with planhat_sandbox.assert_requests(1):
        assert Task.objects.get(source_id="crm-5521").id == row["_id"]
    assert planhat_sandbox.requests[-1].path == "/tasks/srcid-crm-5521"
    with planhat_sandbox.assert_requests(0), pytest.raises(UnknownField, match="external_id"):
        Task.objects.get(external_id="crm-5521")


def test_a_task_needs_a_company(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="company: is required"):
        Task.objects.create(action="Call")


def test_the_company_of_a_task_may_be_named_by_its_own_key(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    task = Task.objects.create(company=Company.ref(external_id="acme-42"), action="Call")
    assert planhat_sandbox.requests[-1].json["companyId"] == "extid-acme-42"
    assert task.company_id == acme["_id"]


def test_what_may_be_chosen_is_checked_before_it_is_sent(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        Task.objects.create(company_id=acme["_id"], action="Call", main_type="todo", repeat="hourly")
    assert {"main_type", "repeat"} <= caught.value.messages_dict.keys()


def test_archived_tasks_are_listed_with_the_others(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Task, company=acme, action="Open", is_archived=False)
    planhat_sandbox.add(Task, company=acme, action="Done", is_archived=True)
    with planhat_sandbox.assert_requests(2):
        assert {task.action for task in Task.objects.all()} == {"Open", "Done"}
    assert {request.params["isArchived"] for request in planhat_sandbox.requests[-2:]} == {"false", "true"}
    for archived, action in ((True, "Done"), (False, "Open")):
        with planhat_sandbox.assert_requests(1):
            assert [task.action for task in Task.objects.filter(is_archived=archived)] == [action]
        assert planhat_sandbox.requests[-1].params["isArchived"] == str(archived).lower()


def test_tasks_are_listed_by_companies_and_by_endusers(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    birch = planhat_sandbox.add(Company, name="Birch")
    ada = planhat_sandbox.add(Enduser, company=acme, email="ada@acme.example", first_name="Ada", last_name="B")
    planhat_sandbox.add(Task, company=acme, action="Call Ada", endusers=[ada])
    planhat_sandbox.add(Task, company=birch, action="Call Birch")
    planhat_sandbox.add(Task, company=planhat_sandbox.add(Company, name="Cedar"), action="Call Cedar")
    open_ones = Task.objects.filter(is_archived=False)
    with planhat_sandbox.assert_requests(1):
        found = open_ones.filter(company__in=[acme["_id"], birch["_id"]])
        assert {task.action for task in found} == {"Call Ada", "Call Birch"}
    assert set(planhat_sandbox.requests[-1].params["companyId"].split(",")) == {acme["_id"], birch["_id"]}
    with planhat_sandbox.assert_requests(1):
        [task] = open_ones.filter(endusers=ada["_id"])
    assert planhat_sandbox.requests[-1].params["enduserIds"] == ada["_id"]
    assert task.action == "Call Ada"
    assert [person.email for person in task.endusers] == ["ada@acme.example"]


def test_people_of_a_task_are_planhats_to_set(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    task = Task.objects.create(company_id=acme["_id"], action="Call")
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldError, match="read-only"):
        task.endusers = ["0" * 24]


def test_a_task_has_an_owner_and_who_completed_it(
    planhat_sandbox: Sandbox, acme: dict[str, Any], kim: dict[str, Any]
) -> None:
    task = Task.objects.create(company_id=acme["_id"], action="Call", owner_id=kim["_id"], done_by_id=kim["_id"])
    sent = planhat_sandbox.requests[-1].json
    assert (sent["ownerId"], sent["doneBy"]) == (kim["_id"], kim["_id"])
    with planhat_sandbox.assert_requests(1):
        assert task.owner is not None
        assert task.owner is task.done_by
    user = task.owner
    company = Company.objects.get(id=acme["_id"])
    assert [one.action for one in user.tasks.all()] == ["Call"]
    assert [one.action for one in user.completed_tasks.all()] == ["Call"]
    assert [one.action for one in company.tasks.all()] == ["Call"]


def test_the_name_of_the_owner_is_a_copy_that_stays(
    planhat_sandbox: Sandbox, acme: dict[str, Any], kim: dict[str, Any]
) -> None:
    lee = planhat_sandbox.add(User, email="lee@vendor.example", nick_name="Lee", first_name="L", last_name="M")
    task = Task.objects.create(company_id=acme["_id"], action="Call", owner_id=kim["_id"])
    task.owner_id = lee["_id"]
    with planhat_sandbox.assert_requests(2):
        task.save()
        task.refresh_from_db()
    assert (task.owner_id, task.owner_name) == (lee["_id"], "Kim")


def test_a_task_is_completed_by_Done_and_refused_by_done(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    task = Task.objects.create(company_id=acme["_id"], action="Call")
    task.status = "done"
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="status: must be spelled 'Done'"):
        task.save()
    task.status = "Done"
    with planhat_sandbox.assert_requests(1):
        task.save()
    assert Conversation.objects.get(id=task.id).id == task.id


def test_a_source_id_that_is_taken_is_refused(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Task, company=acme, action="Call", source_id="crm-1")
    with planhat_sandbox.assert_requests(1), pytest.raises(ApiError, match="sourceId"):
        Task.objects.create(company_id=acme["_id"], action="Call again", source_id="crm-1")


def test_tasks_are_upserted_by_source_id(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    planhat_sandbox.add(Task, company=acme, action="Call", source_id="crm-1", main_type="task")
    with planhat_sandbox.assert_requests(1):
        ledger = Task.objects.bulk_upsert(
            [
                {"source_id": "crm-1", "action": "Call twice"},
                {"source_id": "crm-2", "action": "Write", "company_id": acme["_id"], "main_type": "task"},
            ]
        )
    assert (len(ledger.updated), len(ledger.created)) == (1, 1)
    assert {row["action"] for row in planhat_sandbox.rows(Task)} == {"Call twice", "Write"}


def test_new_tasks_are_tasks_unless_they_say_event(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    Task.objects.create(company_id=acme["_id"], action="Meet", main_type="event")
    Task.objects.bulk_upsert([{"company_id": acme["_id"], "action": "Call"}])
    assert planhat_sandbox.requests[-1].json[0]["mainType"] == "task"
    assert {task.action: task.main_type for task in Task.objects.all()} == {"Meet": "event", "Call": "task"}


def test_a_conversation_knows_its_task(planhat_sandbox: Sandbox, acme: dict[str, Any]) -> None:
    row = planhat_sandbox.add(Task, company=acme, action="Call")
    planhat_sandbox.add(Conversation, company=acme, type="call", subject="Called", task=row)
    [call] = Conversation.objects.all()
    with planhat_sandbox.assert_requests(1):
        assert call.task is not None
        assert call.task.action == "Call"
