"""Tasks: their defaults, their copies, what is archived, and what becomes of one that is done."""

import pytest

from planhat_orm.models import Company, Enduser, Task, User


@pytest.fixture
def acme(box):
    return box.add(Company, name="Acme", external_id="acme-42")


@pytest.fixture
def made(api, acme):
    body = {"companyId": acme["_id"], "action": "Send quote", "description": "<p>Use the <b>list</b></p>"}
    return api.post("/tasks", {**body, "custom": {"Priority": "P2"}}).json()


def test_a_task_is_one_unless_it_is_an_event(api, acme, made):
    assert (made["mainType"], made["isArchived"], made["repeat"], made["snippet"]) == (
        "task", False, None, "Use the list",
    )  # fmt: skip
    event = {"companyId": acme["_id"], "mainType": "event"}
    assert api.post("/tasks", event).json()["mainType"] == "event"


def test_the_name_of_the_owner_is_a_copy_that_stays(box, api, made):
    kim, lee = (box.add(User, nick_name=name, email=f"{name}@vendor.example") for name in ("Kim", "Lee"))
    assert api.put(f"/tasks/{made['_id']}", {"ownerId": kim["_id"]}).json()["ownerName"] == "Kim"
    after = api.put(f"/tasks/{made['_id']}", {"ownerId": lee["_id"]}).json()
    assert (after["ownerId"], after["ownerName"]) == (lee["_id"], "Kim")


def test_done_is_spelt_with_a_capital(api, made):
    answer = api.put(f"/tasks/{made['_id']}", {"status": "done"})
    assert (answer.status_code, answer.text) == (400, "Failed to update task status")
    assert api.put("/tasks", [{"_id": made["_id"], "status": "done"}]).json()["updatedErrors"]
    assert api.put(f"/tasks/{made['_id']}", {"status": "ready-ish"}).json()["status"] == "ready-ish"


def test_a_task_that_becomes_done_makes_a_conversation_of_its_id_and_is_archived(box, api, made):
    done = api.put(f"/tasks/{made['_id']}", {"status": "Done"}).json()
    assert (done["isArchived"], done["noteId"]) == (True, made["_id"])
    talk = api.get(f"/conversations/{made['_id']}")
    assert (talk["subject"], talk["type"], talk["companyName"]) == ("Send quote", "note", "Acme")
    assert "custom" not in talk
    assert api.put(f"/tasks/{made['_id']}", {"status": "Done"}).status_code == 200
    assert len(api.get("/conversations")) == 1


def test_a_task_that_is_created_done_makes_none(api, acme):
    api.post("/tasks", {"companyId": acme["_id"], "status": "Done"})
    assert api.get("/conversations") == []


def test_lists_show_either_the_archived_ones_or_the_others(api, acme, made):
    api.post("/tasks", {"companyId": acme["_id"], "isArchived": True, "action": "old"})
    assert [row["action"] for row in api.get("/tasks")] == ["Send quote"]
    assert [row["action"] for row in api.get("/tasks", isArchived="false")] == ["Send quote"]
    assert [row["action"] for row in api.get("/tasks", isArchived="true")] == ["old"]


def test_lists_filter_by_several_people(box, api, acme, made):
    people = [box.add(Enduser, company=acme, email=f"{name}@acme.example") for name in ("a", "b", "c")]
    for person in people:
        row = box.add(Task, company=acme, action=person["email"], extra={"endusers": [{"id": person["_id"]}]})
        assert row["endusers"] == [{"id": person["_id"], "name": person["email"]}]
    asked = f"{people[0]['_id']},{people[2]['_id']}"
    assert [row["action"] for row in api.get("/tasks", enduserIds=asked)] == ["a@acme.example", "c@acme.example"]


def test_a_repeat_of_its_own_needs_the_days(api, made):
    assert api.put(f"/tasks/{made['_id']}", {"repeat": "custom"}).text == "Required Field: repeatDays"
    assert api.put(f"/tasks/{made['_id']}", {"repeat": "custom", "repeatDays": 3}).json()["repeatDays"] == 3


def test_a_source_id_in_use_is_refused(api, acme):
    body = {"companyId": acme["_id"], "sourceId": "crm-1"}
    assert api.post("/tasks", body).status_code == 200
    assert (api.post("/tasks", body).status_code, api.post("/tasks", body).text) == (400, "sourceId duplicated")


def test_no_specific_time_is_taken_although_it_is_planhats_own(api, acme):
    body = {"companyId": acme["_id"], "noSpecificTime": True, "overdueNotified": True}
    row = api.post("/tasks", body).json()
    assert (row["noSpecificTime"], row["overdueNotified"]) == (True, False)
