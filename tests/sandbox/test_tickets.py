"""Tickets: conversations that are written under other names, found companies for, and never written one by one."""

import pytest

from planhat_orm.models import Company, Conversation, Enduser, Note, Ticket


@pytest.fixture
def acme(box):
    return box.add(Company, name="Acme", external_id="acme-42", domains=["acme.example"])


@pytest.fixture
def ada(box, acme):
    return box.add(Enduser, company=acme, first_name="Ada", last_name="Byron", email="ada@acme.example")


def ticket(**more):
    return {"sourceId": "90817", "email": "ada@acme.example", "domains": ["acme.example"], **more}


def test_tickets_are_upserted_listed_and_deleted_and_nothing_else(api, acme, ada):
    made = api.put("/tickets", [ticket()]).json()["upsertedIds"][0]
    for method, path in (("POST", "/tickets"), ("GET", f"/tickets/{made}"), ("PUT", f"/tickets/{made}")):
        assert api(method, path, json={} if method != "GET" else None).status_code == 404
    assert [row["_id"] for row in api.get("/tickets")] == [made]
    assert api.delete(f"/tickets/{made}").json() == {"n": 1, "ok": 1, "deletedCount": 1}
    assert api.get("/tickets") == api.get("/conversations") == []


def test_names_that_are_written_are_not_those_that_are_read(api, acme, ada):
    body = ticket(title="Cannot log in", description="<p>A <b>loop</b></p>", subject="no", externalId="no", url="u")
    assert api.put("/tickets", [body]).json()["insertsKeys"][0]["sourceId"] == "90817"
    [row] = api.get("/tickets")
    assert (row["subject"], row["externalId"], row["snippet"]) == ("Cannot log in", "90817", "A loop")
    assert not {"title", "sourceId", "description", "domains", "name"} & row.keys()
    assert api.get(f"/conversations/{row['_id']}")["description"] == body["description"]


def test_an_item_is_matched_by_the_id_then_by_the_source_id(api, acme, ada):
    made = api.put("/tickets", [ticket(status="open")]).json()["upsertedIds"][0]
    by_key = api.put("/tickets", [ticket(status="closed")]).json()
    assert (by_key["created"], by_key["modified"]) == (0, [made])
    again = {"_id": made, "email": "ada@acme.example", "status": "closed", "sourceId": "90818"}
    assert api.put("/tickets", [again]).json()["modified"] == [made]
    [row] = api.get("/tickets")
    assert (row["externalId"], [item["status"] for item in row["history"]]) == ("90818", ["open", "closed"])
    assert api.put("/tickets", [ticket(sourceId=90818)]).json()["nonupdates"] == 1


def test_an_item_without_an_email_is_dropped_without_an_error(api, acme, ada):
    made = api.put("/tickets", [ticket()]).json()["upsertedIds"][0]
    answer = api.put("/tickets", [{"sourceId": "2", "companyId": acme["_id"]}, {"_id": made, "status": "closed"}])
    assert answer.status_code == 200
    counts = {key: answer.json()[key] for key in ("created", "updated", "nonupdates", "createdErrors", "updatedErrors")}
    assert counts == {"created": 0, "updated": 0, "nonupdates": 0, "createdErrors": [], "updatedErrors": []}
    assert "status" not in api.get("/tickets")[0]


def test_a_new_item_needs_its_source_id(api, acme, ada):
    assert api.put("/tickets", [{"email": "ada@acme.example"}]).json()["createdErrors"] == ["Required Field: sourceId"]


@pytest.mark.parametrize(
    "naming",
    [
        {"companyId": "ID"},
        {"companyId": "extid-acme-42"},
        {"companyExternalId": "acme-42"},
        {"domains": ["www.other.example", "ACME.example"]},
        {"email": "ada@acme.example"},
    ],
)
def test_the_company_is_found_by_id_by_your_id_by_domain_and_by_the_person(api, acme, ada, naming):
    item = {"sourceId": "1", "email": "new@elsewhere.example", **naming}
    if item.get("companyId") == "ID":
        item["companyId"] = acme["_id"]
    assert api.put("/tickets", [item]).json()["created"] == 1
    [row] = api.get("/tickets")
    assert (row["companyId"], row["companyName"]) == (acme["_id"], "Acme")


def test_without_a_company_the_item_fails(api, acme, ada):
    answer = api.put("/tickets", [{"sourceId": "1", "email": "x@elsewhere.example", "domains": ["elsewhere.example"]}])
    assert (answer.status_code, answer.json()["createdErrors"]) == (400, ["No such company"])


def test_the_email_stays_and_names_the_person(api, acme, ada):
    api.put("/tickets", [ticket()])
    [row] = api.get("/tickets")
    assert (row["email"], row["endusers"]) == ("ada@acme.example", [{"id": ada["_id"], "name": "Ada Byron"}])


def test_an_unknown_email_at_a_known_company_makes_the_person_once(box, api, acme):
    items = [ticket(email="grace@acme.example", name="Grace Okafor", sourceId=str(number)) for number in (1, 2)]
    assert api.put("/tickets", items).json()["created"] == 2
    grace = box.row(Enduser, email="grace@acme.example")
    assert (grace["companyId"], grace["firstName"], grace["lastName"]) == (acme["_id"], "Grace", "Okafor")
    assert {row["endusers"][0]["id"] for row in api.get("/tickets")} == {grace["_id"]}


def test_times_and_buckets_are_filled_in(api, acme, ada):
    api.put("/tickets", [ticket()])
    [row] = api.get("/tickets")
    assert {"createDate", "updateDate", "inDate", "date", "days", "timeBucket"} <= row.keys()
    assert (row["type"], row["subType"]) == ("ticket", "ticket")


def test_a_type_that_is_sent_does_not_replace_that_of_tickets(api, acme, ada):
    api.put("/tickets", [ticket(type="bug")])
    assert api.get("/tickets")[0]["type"] == "ticket"


def test_lists_filter_by_status_email_company_and_text_inside(api, acme, ada):
    first = ticket(sourceId="1", status="open", description="Login loop")
    second = ticket(sourceId="2", status="closed", description="Slow", email="b@acme.example")
    api.put("/tickets", [first, second])

    def found(**params):
        return [row["externalId"] for row in api.get("/tickets", **params)]

    assert found(status="open") == found(email="ada@acme.example") == found(search="LOGIN") == found(s="open") == ["1"]
    assert found(companyId=f"{acme['_id']},{'0' * 24}") == found(cid=acme["_id"]) == ["1", "2"]
    assert found(l=1, sort="-externalId") == ["2"]
    assert found(subject="x") == ["1", "2"]


def test_they_are_conversations_which_lists_of_those_show_too(box, api, acme, ada):
    box.add(Note, company=acme, subject="A note")
    api.put("/tickets", [ticket()])
    assert [row["type"] for row in api.get("/conversations")] == ["note", "ticket"]
    made = api.get("/tickets")[0]["_id"]
    assert api.put(f"/conversations/{made}", {"subject": "Changed"}).status_code == 200
    assert api.get("/tickets")[0]["subject"] == "Changed"
    assert (box.count(Ticket), box.count(Note), box.count(Conversation)) == (1, 1, 2)
    assert api.delete(f"/tickets/{box.row(Note)['_id']}").status_code == 404


def test_planted_tickets_are_filled_in_as_planhat_does(box, api, acme, ada):
    row = box.add(Ticket, company=acme, email="ada@acme.example", subject="S", source_id="1", description="<p>T</p>")
    assert (row["type"], row["externalId"], row["endusers"][0]["id"]) == ("ticket", "1", ada["_id"])
    assert [(one["subject"], one["snippet"]) for one in api.get("/tickets")] == [("S", "T")]
    assert box.change(Ticket, row, status="closed")["status"] == "closed"


def test_a_list_of_tickets_holds_tickets_alone_even_where_its_filters_are_ignored(box, api, acme, ada):
    [made] = api.put("/tickets", [ticket()]).json()["upsertedIds"]
    box.add(Note, company=acme, subject="Kick-off")
    with box.fault("ignore_filters"):
        assert [row["_id"] for row in api.get("/tickets", companyId="0" * 24)] == [made]
