"""Single records: create, get, update, delete."""

import pytest

from planhat_orm.models import Company, Enduser, License, Note, User

ABSENT = "64b0f1a2c3d4e5f60718293a"


# Create


def test_a_create_answers_200_with_the_whole_stored_object(box, api):
    answer = api.post("/companies", {"name": "Acme", "externalId": "acme-42"})
    assert answer.status_code == 200
    row = answer.json()
    assert {"_id", "name", "externalId", "createDate", "updatedAt", "__v", "status", "licenses"} <= row.keys()
    assert box.row(Company, row["_id"])["name"] == "Acme"


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/companies", {"phase": "x"}, "Required Field: name"),
        ("/licenses", {"mrr": 5}, "Required Field: companyId"),
        ("/users", {"email": "a@vendor.example"}, "Required Field: nickName"),
        ("/conversations", {"subject": "Hi"}, "CompanyId is required for note"),
    ],
)
def test_a_missing_required_field_is_400_with_a_plain_string(box, api, path, body, text):
    answer = api.post(path, body)
    assert (answer.status_code, answer.text) == (400, text)
    assert answer.headers["Content-Type"].startswith("text/html")


def test_an_enduser_needs_one_of_three_keys(box, api):
    acme = box.add(Company, name="Acme")
    assert api.post("/endusers", {"companyId": acme["_id"]}).text == "Required Field: email"
    assert api.post("/endusers", {"companyId": acme["_id"], "sourceId": "s"}).json()["companyName"] == "Acme"


def test_creating_with_a_key_that_is_taken_is_refused(box, api):
    box.add(Company, name="Acme", external_id="a", source_id="s")
    answer = api.post("/companies", {"name": "Other", "externalId": "a", "sourceId": "s"})
    assert (answer.status_code, answer.text) == (400, "sourceId,externalId duplicated")
    assert box.count(Company) == 1


def test_an_external_id_is_unique_within_one_company_only(box, api):
    one, two = box.add(Company, name="One"), box.add(Company, name="Two")
    assert api.post("/endusers", {"companyId": one["_id"], "externalId": "u"}).status_code == 200
    assert api.post("/endusers", {"companyId": two["_id"], "externalId": "u"}).status_code == 200
    assert api.post("/endusers", {"companyId": two["_id"], "externalId": "u"}).text == "externalId duplicated"


def test_an_enduser_whose_company_cannot_be_found_is_dropped_without_an_error(box, api):
    for company in ({"companyId": "extid-nowhere"}, {"companyId": ABSENT}, {}):
        answer = api.post("/endusers", {"email": "ada@nowhere.example", **company})
        assert (answer.status_code, answer.json()) == (200, {})
    assert box.count(Enduser) == 0


def test_an_enduser_without_company_goes_to_the_one_with_the_domain_of_the_email(box, api):
    acme = box.add(Company, name="Acme", domains=["acme.example"])
    assert api.post("/endusers", {"email": "ada@acme.example"}).json()["companyId"] == acme["_id"]


def test_other_records_need_a_company_that_exists(box, api):
    body = {"companyId": "extid-nowhere", "_currency": "EUR", "fromDate": "2025-01-01", "mrr": 1}
    assert api.post("/licenses", body).status_code == 400
    assert box.count(License) == 0


@pytest.mark.parametrize("reference", ["extid-acme-42", "srcid-crm-1"])
def test_a_body_may_name_the_company_by_your_own_key_and_gets_the_id_back(box, api, reference):
    acme = box.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")
    row = api.post("/endusers", {"email": "ada@acme.example", "companyId": reference}).json()
    assert (row["companyId"], row["companyName"]) == (acme["_id"], "Acme")


def test_users_created_over_the_api_are_inactive_unless_told_otherwise(api):
    body = {"email": "kim@vendor.example", "nickName": "Kim", "firstName": "Kim", "lastName": "Rivera"}
    assert api.post("/users", body).json()["inactive"] is True
    assert api.post("/users", {**body, "inactive": False}).json()["inactive"] is False


def test_an_external_id_sent_as_a_number_becomes_a_text(api):
    assert api.post("/companies", {"name": "Acme", "externalId": 1234}).json()["externalId"] == "1234"
    assert api.get("/companies/extid-1234")["name"] == "Acme"


def test_unknown_and_read_only_keys_are_dropped_with_200(box, api):
    row = api.post(
        "/companies", {"name": "Acme", "Name": "x", "colour": "red", "arr": 5, "__v": 9, "_id": ABSENT}
    ).json()
    assert not row.keys() & {"Name", "colour", "arr"}
    assert row["__v"] == 0
    assert row["_id"] != ABSENT


def test_what_the_official_sample_sends_is_echoed_although_planhat_maintains_it(api):
    assert api.post("/companies", {"name": "Acme", "status": "coming", "h": 7}).json()["status"] == "coming"


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"[{}]", b'"text"', b'{"name": NaN}'])
def test_a_body_that_is_no_json_object_is_400(box, api, body):
    assert api("POST", "/companies", data=body).status_code == 400
    assert box.count(Company) == 0


def test_a_text_that_utf8_cannot_say_is_400(box, api):
    assert api("POST", "/companies", data=b'{"name": "\\ud800"}').status_code == 400
    assert box.count(Company) == 0


# Get


def test_get_takes_an_id_and_the_prefixed_keys(box, api):
    acme = box.add(Company, name="Acme", external_id="a/b c", source_id="s")
    for key in (acme["_id"], "extid-a%2Fb%20c", "srcid-s"):
        assert api.get(f"/companies/{key}")["_id"] == acme["_id"]


@pytest.mark.parametrize("key", ["acme-42", "id-1", "%20", "64b0", "ext-acme", ABSENT + "0"])
def test_a_path_id_that_is_none_gets_the_documented_text(api, key):
    answer = api("GET", f"/companies/{key}")
    assert answer.status_code == 400
    assert answer.text == "Params identifier must be planhat _id OR start with `extid-` or `srcid-`"


def test_a_key_that_the_object_does_not_have_is_refused(box, api):
    box.add(User, email="kim@vendor.example", nick_name="Kim", external_id="emp-1")
    assert api("GET", "/users/srcid-emp-1").status_code == 400
    assert api.get("/users/extid-emp-1")["nickName"] == "Kim"


@pytest.mark.parametrize("key", [ABSENT, "extid-nothing", "srcid-nothing", "extid-"])
def test_an_id_without_a_record_is_404_with_a_message(api, key):
    answer = api("GET", f"/companies/{key}")
    assert (answer.status_code, answer.json()) == (404, {"message": "No such document"})


def test_a_single_company_embeds_its_licences_with_the_currency_as_an_object(box, api):
    acme = box.add(Company, name="Acme")
    box.add(License, company=acme, currency="EUR", mrr=100)
    box.add(License, company=box.add(Company, name="Other"), currency="USD", mrr=1)
    row = api.get(f"/companies/{acme['_id']}")
    [licence] = row["licenses"]
    assert licence["_currency"] == {"_id": "EUR", "symbol": "€", "rate": 1, "isBase": True, "overrides": {}, "__v": 0}
    assert row["sales"] == []
    assert api.get("/licenses")[0]["_currency"] == "EUR"


# Update


def test_a_put_changes_what_it_sends_and_answers_the_whole_object(box, api):
    acme = box.add(Company, name="Acme", phase="A", city="Oslo")
    row = api.put(f"/companies/{acme['_id']}", {"phase": "B"}).json()
    assert (row["phase"], row["city"]) == ("B", "Oslo")
    assert box.row(Company, acme)["phase"] == "B"


def test_a_put_moves_the_time_of_the_last_change_even_when_nothing_changed(box, api):
    acme = box.add(Company, name="Acme")
    first = api.put(f"/companies/{acme['_id']}", {"name": "Acme"}).json()
    second = api.put(f"/companies/{acme['_id']}", {}).json()
    assert acme["updatedAt"] < first["updatedAt"] < second["updatedAt"]
    assert (first["__v"], second["__v"]) == (1, 2)


def test_custom_values_are_merged_key_by_key_and_null_clears_one(box, api):
    acme = box.add(Company, name="Acme", custom={"Tier": "Silver", "Days in Phase": 12})
    path = f"/companies/{acme['_id']}"
    assert api.put(path, {"custom": {"Tier": "Gold"}}).json()["custom"] == {"Tier": "Gold", "Days in Phase": 12}
    assert api.put(path, {"custom": {"Tier": None}}).json()["custom"] == {"Days in Phase": 12}
    assert api.put(path, {"custom": {}}).json()["custom"] == {"Days in Phase": 12}
    assert "custom" not in api.put(path, {"custom": {"Days in Phase": None}}).json()


def test_custom_values_are_stored_whatever_their_name_and_value(box, api):
    acme = box.add(Company, name="Acme")
    row = api.put(f"/companies/{acme['_id']}", {"custom": {"Never defined": "off-list", "e": ""}}).json()
    assert row["custom"] == {"Never defined": "off-list", "e": ""}


def test_a_dotted_custom_key_works_like_the_nested_one(box, api):
    acme = box.add(Company, name="Acme", custom={"A": 1})
    assert api.put(f"/companies/{acme['_id']}", {"custom.B": 2}).json()["custom"] == {"A": 1, "B": 2}


def test_custom_keys_that_differ_in_case_only_cannot_be_sent_together(box, api):
    acme = box.add(Company, name="Acme")
    assert api.put(f"/companies/{acme['_id']}", {"custom": {"Tier": 1, "tier": 2}}).status_code == 400


def test_null_clears_a_property_and_a_blank_text_stays(box, api):
    acme = box.add(Company, name="Acme", city="Oslo", phase="A", tags=["x"])
    row = api.put(f"/companies/{acme['_id']}", {"city": None, "phase": "", "tags": []}).json()
    assert "city" not in row
    assert (row["phase"], row["tags"]) == ("", [])


def test_a_blank_text_on_a_date_is_ignored_and_an_offset_comes_back_as_utc(box, api):
    acme = box.add(Company, name="Acme", customer_to="2026-01-01T00:00:00.000Z")
    path = f"/companies/{acme['_id']}"
    assert api.put(path, {"customerTo": ""}).json()["customerTo"] == "2026-01-01T00:00:00.000Z"
    sent = {"customerTo": "2026-03-01T01:00:00+02:00"}
    assert api.put(path, sent).json()["customerTo"] == "2026-02-28T23:00:00.000Z"
    assert api.put(path, {"customerTo": "soon"}).status_code == 400


def test_an_id_in_the_body_of_a_single_put_is_400(box, api):
    acme = box.add(Company, name="Acme")
    assert api.put(f"/companies/{acme['_id']}", {"_id": acme["_id"], "name": "B"}).status_code == 400
    assert box.row(Company, acme)["name"] == "Acme"


def test_a_key_changes_only_when_addressed_by_one_of_higher_priority(box, api):
    acme = box.add(Company, name="Acme", external_id="a", source_id="s")
    assert api.put("/companies/extid-a", {"externalId": "b"}).json()["externalId"] == "a"
    assert api.put("/companies/srcid-s", {"externalId": "b", "sourceId": "t"}).json()["externalId"] == "b"
    assert box.row(Company, acme)["sourceId"] == "s"
    assert api.put(f"/companies/{acme['_id']}", {"sourceId": "t"}).json()["sourceId"] == "t"


def test_a_put_to_a_key_that_is_taken_is_refused(box, api):
    box.add(Company, name="A", external_id="a")
    other = box.add(Company, name="B", external_id="b")
    assert api.put(f"/companies/{other['_id']}", {"externalId": "a"}).text == "externalId duplicated"
    assert api.put(f"/companies/{other['_id']}", {"externalId": "b", "name": "B2"}).json()["name"] == "B2"


def test_a_put_of_one_object_to_the_collection_or_to_a_blank_id_is_400(box, api):
    box.add(Company, name="Acme", external_id="a")
    for path in ("/companies", "/companies/"):
        assert api.put(path, {"externalId": "a", "name": "B"}).status_code == 400
    assert box.row(Company, external_id="a")["name"] == "Acme"


def test_there_is_no_patch_and_no_post_to_a_record(box, api):
    acme = box.add(Company, name="Acme")
    assert api("PATCH", f"/companies/{acme['_id']}", json={}).status_code == 404
    assert api.post(f"/companies/{acme['_id']}", {}).status_code == 404
    assert api.delete("/companies").status_code == 404


def test_the_name_of_an_enduser_is_joined_from_first_and_last_name(box, api):
    acme = box.add(Company, name="Acme")
    row = api.post(
        "/endusers", {"companyId": acme["_id"], "email": "a@b.example", "firstName": "Ada", "name": "x"}
    ).json()
    assert row["name"] == "Ada"
    assert api.put(f"/endusers/{row['_id']}", {"lastName": "Byron"}).json()["name"] == "Ada Byron"


# Delete


def test_a_delete_answers_a_count_as_mongodb_does(box, api):
    acme = box.add(Company, name="Acme")
    assert api.delete(f"/companies/{acme['_id']}").json() == {"n": 1, "ok": 1, "deletedCount": 1}
    assert box.count(Company) == 0


def test_deleting_a_note_answers_the_note(box, api):
    note = box.add(Note, subject="Hi")
    assert api.delete(f"/conversations/{note['_id']}").json()["subject"] == "Hi"


def test_deleting_what_is_not_there_is_404_or_a_count_of_zero(box, api):
    assert api.delete(f"/companies/{ABSENT}").status_code == 404
    box.behaviour.delete_missing = "zero"
    assert api.delete(f"/companies/{ABSENT}").json() == {"n": 0, "ok": 1, "deletedCount": 0}


def test_deleting_by_a_prefixed_key_is_not_documented_and_refused(box, api):
    box.add(Company, name="Acme", external_id="a")
    assert api.delete("/companies/extid-a").status_code == 400
    assert box.count(Company) == 1


def test_the_people_of_a_deleted_company_stay(box, api):
    acme = box.add(Company, name="Acme")
    box.add(Enduser, company=acme, email="ada@acme.example")
    api.delete(f"/companies/{acme['_id']}")
    assert len(api.get("/endusers")) == 1
