"""PUT of an array: matching, the envelope, its statuses."""

import pytest

from planhat_orm.models import Company, Enduser, Note, User

ABSENT = "64b0f1a2c3d4e5f60718293a"


def test_creates_and_updates_are_answered_in_the_documented_envelope(box, api):
    same = box.add(Company, name="Same", external_id="same")
    old = box.add(Company, name="Old", external_id="old")
    answer = api.put(
        "/companies",
        [
            {"externalId": "new", "name": "New"},
            {"externalId": "old", "name": "Newer"},
            {"externalId": "same", "name": "Same"},
        ],
    )
    new = box.row(Company, external_id="new")
    assert answer.status_code == 200
    assert answer.json() == {
        "created": 1,
        "createdErrors": [],
        "insertsKeys": [{"_id": new["_id"], "externalId": "new"}],
        "updated": 1,
        "updatedErrors": [],
        "updatesKeys": [{"_id": old["_id"]}],
        "nonupdates": 1,
        "modified": [old["_id"]],
        "upsertedIds": [new["_id"]],
        "permissionErrors": [],
    }
    assert box.row(Company, old)["name"] == "Newer"
    assert box.row(Company, old)["updatedAt"] > old["updatedAt"]
    assert box.row(Company, same) == same


def test_an_empty_array_is_fine(api):
    answer = api.put("/companies", [])
    assert (answer.status_code, answer.json()["created"]) == (200, 0)


def test_some_failures_are_206_with_texts_that_do_not_say_which_item(box, api):
    answer = api.put("/companies", [{"name": "Good"}, {"externalId": "no-name"}, {"_id": ABSENT, "name": "x"}])
    assert answer.status_code == 206
    assert answer.json()["createdErrors"] == ["Required Field: name"]
    assert answer.json()["updatedErrors"] == ["No such document"]
    assert box.count(Company) == 1


def test_error_elements_can_be_objects_with_the_keys_of_the_item(box, api):
    box.behaviour.error_elements = "object"
    assert api.put("/companies", [{"externalId": "x"}]).json()["createdErrors"] == [
        {"error": "Required Field: name", "externalId": "x"}
    ]


def test_nothing_done_is_400_with_the_same_envelope(api):
    answer = api.put("/companies", [{"phase": "x"}, "text", {"_id": "nonsense", "name": "x"}])
    assert answer.status_code == 400
    assert answer.json()["createdErrors"] == ["Required Field: name", "invalid item"]
    assert answer.json()["updatedErrors"] == ["invalid id"]


def test_the_first_key_present_decides_even_when_a_later_one_would_match(box, api):
    acme = box.add(Company, name="Acme", external_id="a", source_id="s")
    item = {"sourceId": "unknown", "externalId": "a", "name": "Other"}
    assert api.put("/companies", [item]).json()["createdErrors"] == ["externalId duplicated"]
    item = {"sourceId": "s", "externalId": "b", "name": "Renamed"}
    assert api.put("/companies", [item]).json()["modified"] == [acme["_id"]]
    assert box.row(Company, acme)["externalId"] == "b"


def test_blank_keys_count_as_absent(box, api):
    box.add(Company, name="Acme", external_id="a")
    assert (
        api.put("/companies", [{"sourceId": "", "_id": None, "externalId": "a", "phase": "x"}]).json()["updated"] == 1
    )


def test_an_unknown_or_absent_key_creates_a_duplicate(box, api):
    box.add(Company, name="Acme")
    assert api.put("/companies", [{"name": "Acme"}]).json()["created"] == 1
    assert box.count(Company) == 2


def test_numbers_as_keys_match_their_texts(box, api):
    acme = box.add(Company, name="Acme", external_id="1234")
    assert api.put("/companies", [{"externalId": 1234, "name": "B"}]).json()["modified"] == [acme["_id"]]


def test_custom_values_are_merged_in_bulk_too(box, api):
    acme = box.add(Company, name="Acme", custom={"A": 1, "B": 2})
    answer = api.put("/companies", [{"_id": acme["_id"], "custom": {"B": 3}}])
    assert answer.json()["updated"] == 1
    assert box.row(Company, acme)["custom"] == {"A": 1, "B": 3}
    assert api.put("/companies", [{"_id": acme["_id"], "custom": {"B": 3}}]).json()["nonupdates"] == 1


def test_two_items_for_one_record_are_carried_out_in_order(box, api):
    answer = api.put("/companies", [{"externalId": "a", "name": "One"}, {"externalId": "a", "name": "Two"}]).json()
    assert (answer["created"], answer["updated"]) == (1, 1)
    assert box.row(Company, external_id="a")["name"] == "Two"


def test_more_than_5000_items_are_refused_whole(box, api):
    assert api.put("/companies", [{"name": "x"}] * 5001).status_code == 400
    assert box.count(Company) == 0
    assert api.put("/companies", [{"name": "x"}] * 5000).json()["created"] == 5000


def test_endusers_match_by_email_last_and_update_without_a_company(box, api):
    acme = box.add(Company, name="Acme")
    ada = box.add(Enduser, company=acme, email="ada@acme.example")
    answer = api.put("/endusers", [{"email": "ada@acme.example", "position": "CTO"}]).json()
    assert answer["updatesKeys"] == [{"_id": ada["_id"], "email": "ada@acme.example"}]


def test_an_external_id_of_an_enduser_matches_within_its_company(box, api):
    one = box.add(Company, name="One", external_id="one")
    two = box.add(Company, name="Two", external_id="two")
    first = box.add(Enduser, company=one, external_id="u")
    second = box.add(Enduser, company=two, external_id="u")
    in_second = {"companyId": "extid-two", "externalId": "u", "position": "CTO"}
    assert api.put("/endusers", [in_second]).json()["modified"] == [second["_id"]]
    assert api.put("/endusers", [{"externalId": "u", "position": "CEO"}]).json()["modified"] == [first["_id"]]


def test_a_new_enduser_without_a_company_is_counted_nowhere(box, api):
    acme = box.add(Company, name="Acme")
    items = [{"email": "lost@nowhere.example"}, {"email": "ada@acme.example", "companyId": acme["_id"]}]
    answer = api.put("/endusers", items)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["created"], body["createdErrors"], body["nonupdates"]) == (1, [], 0)
    assert body["insertsKeys"] == [{"_id": box.row(Enduser)["_id"], "email": "ada@acme.example"}]


def test_users_match_by_external_id_then_by_email(box, api):
    kim = box.add(User, email="kim@vendor.example", nick_name="Kim", external_id="emp-1")
    answer = api.put("/users", [{"email": "kim@vendor.example", "nickName": "K"}]).json()
    assert answer["updatesKeys"] == [{"_id": kim["_id"], "email": "kim@vendor.example"}]


def test_updates_keys_hold_every_key_by_switch(box, api):
    box.behaviour.updates_keys = "all"
    acme = box.add(Company, name="Acme", external_id="a")
    answer = api.put("/companies", [{"externalId": "a", "name": "B"}]).json()
    assert answer["updatesKeys"] == [{"_id": acme["_id"], "externalId": "a"}]


@pytest.mark.parametrize(("forbidden", "status", "errors"), [(("create",), 206, 1), (("create", "update"), 403, 2)])
def test_what_the_token_may_not_do_is_in_permission_errors(box, api, forbidden, status, errors):
    box.add(Company, name="Acme", external_id="a")
    box.forbid("company", *forbidden)
    answer = api.put("/companies", [{"externalId": "a", "name": "B"}, {"externalId": "new", "name": "C"}])
    assert answer.status_code == status
    assert len(answer.json()["permissionErrors"]) == errors


def test_an_upsert_of_conversations_defaults_to_notes(box, api):
    acme = box.add(Company, name="Acme")
    answer = api.put("/conversations", [{"companyId": acme["_id"], "externalId": "n", "subject": "Hi"}]).json()
    assert answer["insertsKeys"] == [{"_id": box.row(Note)["_id"]}]
