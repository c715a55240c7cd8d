"""Conversations: types, people, derived texts."""

import pytest

from planhat_orm.models import Company, Enduser, Note, User


@pytest.fixture
def acme(box):
    return box.add(Company, name="Acme", external_id="acme-42")


def test_a_conversation_without_a_type_or_with_an_unknown_one_becomes_a_note(box, api, acme):
    for sent, stored in ((None, "note"), ("QBR", "note"), ("email", "email")):
        body = {"companyId": acme["_id"]} | ({"type": sent} if sent else {})
        assert api.post("/conversations", body).json()["type"] == stored
    box.behaviour.touch_types |= {"QBR"}
    assert api.post("/conversations", {"companyId": acme["_id"], "type": "QBR"}).json()["type"] == "QBR"


def test_the_list_holds_every_type(box, api, acme):
    for kind in ("note", "email", "call"):
        box.add(Note, company=acme, type=kind)
    assert [row["type"] for row in api.get("/conversations")] == ["note", "email", "call"]
    assert box.count(Note) == 1


def test_people_are_written_by_id_and_read_with_a_name_that_stays(box, api, acme):
    kim = box.add(User, email="kim@vendor.example", nick_name="Kim")
    ada = box.add(Enduser, company=acme, first_name="Ada", last_name="Byron")
    row = api.post(
        "/conversations", {"companyId": acme["_id"], "users": [{"id": kim["_id"]}], "endusers": [{"id": ada["_id"]}]}
    ).json()
    assert row["users"] == [{"id": kim["_id"], "name": "Kim"}]
    assert row["endusers"] == [{"id": ada["_id"], "name": "Ada Byron"}]
    assert row["userIds"] == [kim["_id"]]
    box.change(User, kim, nick_name="Kimmy")
    assert api.get(f"/conversations/{row['_id']}")["users"][0]["name"] == "Kim"


def test_the_snippet_is_the_text_without_markup(api, acme):
    body = {"companyId": "extid-acme-42", "description": "<p>They asked <b>again</b>.</p><p>R&amp;D</p>"}
    assert api.post("/conversations", body).json()["snippet"] == "They asked again. R&D"


def test_get_shows_the_day_number_and_the_time_buckets_that_lists_leave_out(api, acme):
    body = {"companyId": acme["_id"], "date": "2025-03-04T09:12:00.000Z"}
    row = api.get(f"/conversations/{api.post('/conversations', body).json()['_id']}")
    assert row["days"] == 20151
    assert row["timeBucket"] == ["2025", "2025-Q1", "2025-3", "2025-W10"]
    assert not api.get("/conversations")[0].keys() & {"days", "timeBucket"}


def test_bulk_matches_conversations_by_id_only_so_an_external_id_in_use_is_an_error(box, api, acme):
    note = box.add(Note, company=acme, external_id="n-1", subject="old")
    again = {"companyId": acme["_id"], "externalId": "n-1", "subject": "new"}
    answer = api.put("/conversations", [again])
    assert answer.status_code == 400
    assert answer.json()["createdErrors"] == ["externalId duplicated"]
    assert api.put("/conversations", [{"_id": note["_id"], "subject": "new"}]).json()["modified"] == [note["_id"]]


def test_who_owned_the_conversation_is_kept_beside_the_person(box, api, acme):
    kim = box.add(User, email="kim@vendor.example", nick_name="Kim")
    body = {"companyId": acme["_id"], "users": [{"id": kim["_id"], "isOwner": True}]}
    assert api.post("/conversations", body).json()["users"] == [{"id": kim["_id"], "isOwner": True, "name": "Kim"}]


def test_the_answer_to_a_creation_holds_more_than_any_other(box, api):
    kim = box.add(User, email="kim@vendor.example")
    birch = box.add(Company, name="Birch", source_id="crm-1", owner=kim)
    made = api.post("/conversations", {"companyId": birch["_id"], "subject": "Hi", "description": "there"}).json()
    assert (made["owner"], made["note"], made["companySourceId"]) == (kim["_id"], "Hi there", "crm-1")
    assert not {"owner", "note", "companySourceId", "followers"} & api.get(f"/conversations/{made['_id']}").keys()


def test_lists_leave_out_the_text(api, acme):
    api.post("/conversations", {"companyId": acme["_id"], "description": "there", "source": "gmail"})
    [row] = api.get("/conversations", select="description,snippet,source")
    assert row.keys() == {"_id", "snippet"}


def test_a_note_may_name_the_company_by_your_id_alone(api, acme):
    row = api.post("/conversations", {"companyExternalId": "acme-42"}).json()
    assert (row["companyId"], row["companyName"]) == (acme["_id"], "Acme")


def test_what_create_samples_send_and_no_answer_shows_is_taken(api, acme):
    body = {"companyId": acme["_id"], "useSubject": True, "ownerId": "64a0aa11bb22cc33dd44ee01", "comments": []}
    assert not {"useSubject", "ownerId", "comments"} & api.post("/conversations", body).json().keys()


def test_the_type_filters_only_as_a_hint(box, api, acme):
    for kind in ("note", "call"):
        box.add(Note, company=acme, type=kind)
    assert len(api.get("/conversations", type="call")) == 2
    box.behaviour.hints = True
    assert [row["type"] for row in api.get("/conversations", type="call")] == ["call"]
