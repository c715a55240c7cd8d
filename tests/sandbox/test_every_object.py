"""What holds for every collection: creating, reading, changing, deleting, bulk upserts, keys, selection, filters.

The table is written from the pages of https://www.planhat.com/developers/api, without a look at the declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from planhat_orm.models import Company

DAY = "2025-03-04T00:00:00.000Z"


@dataclass(frozen=True)
class Known:
    """What the page of an object says: a body that it takes, and what is peculiar."""

    body: dict[str, Any]
    #: Properties without which POST is refused, and new items of a bulk upsert are.
    required: tuple[str, ...] = ()
    bulk_required: tuple[str, ...] = ()
    #: The prefixed keys that GET takes, with the property that each speaks of.
    prefixes: dict[str, str] = field(default_factory=lambda: {"extid-": "externalId", "srcid-": "sourceId"})
    #: Those that PUT takes, where that differs.
    update_prefixes: dict[str, str] | None = None
    #: The keys that bulk upsert matches on, after the id.
    match: tuple[str, ...] = ("sourceId", "externalId")
    #: What a PUT may change.
    change: tuple[str, Any] = ("custom", {"A": 1})
    limits: tuple[int, int] = (100, 2000)
    #: The property that companyId= speaks of, and whether it takes several.
    company: str = "companyId"
    several: bool = False
    #: The time of the last change.
    touched: str = ""
    #: Whether the company may be written by its own key.
    keyed: bool = True


FILED = ("name", "companyId")
SRC = {"srcid-": "sourceId"}
OF = {"companyId": "COMPANY"}
KNOWN = {
    "assets": Known({"name": "A", **OF}, FILED, several=True, touched="updatedAt"),
    "campaigns": Known({"name": "A", **OF}, FILED),
    "churn": Known(
        {"value": 5, **OF}, ("companyId", "value"), prefixes={}, update_prefixes=SRC, match=("sourceId",),
        touched="updatedAt",
    ),
    "companies": Known({"name": "A"}, ("name",), company="_id", several=True, limits=(100, 5000), touched="updatedAt"),
    "conversations": Known(
        {"subject": "A", **OF}, ("companyId",), prefixes={"extid-": "externalId"}, match=(), several=True,
        limits=(30, 2000),
    ),
    "deals": Known({"name": "A", **OF}, ("companyId",), company=""),
    "endusers": Known({"email": "a@b.example", **OF}, match=("sourceId", "externalId", "email"), several=True,
                      touched="updatedAt"),
    "invoices": Known(
        {"cId": "COMPANY", "currency": "EUR", "invoiceDate": 20150}, ("cId",), ("currency", "invoiceDate"),
        {"extid-": "extId", "srcid-": "sourceId"}, match=("sourceId", "extId"), company="cId", several=True,
        touched="lastUpdated",
    ),
    "issues": Known(
        {"title": "A", "companyIds": ["COMPANY"]}, ("title",), ("companyIds",), SRC, match=("sourceId",),
        company="companyIds", touched="updatedAt",
    ),
    "licenses": Known({"_currency": "EUR", "fromDate": DAY, "mrr": 5, **OF}, ("companyId", "_currency", "fromDate")),
    "lineitems": Known({"dealId": "DEAL"}, ("dealId",), company=""),
    "nps": Known(
        {"email": "a@b.example", "score": 9, "cId": "COMPANY"}, ("email", "score"), prefixes=SRC, match=("sourceId",),
        company="cId", several=True, limits=(100, 10000), keyed=False,
    ),
    "objectives": Known({"name": "A", **OF}, FILED, touched="updatedAt"),
    "opportunities": Known(
        {"title": "A", **OF}, ("companyId",), update_prefixes={"extid-": "externalId"}, match=("externalId",),
        touched="updatedAt",
    ),
    "products": Known({"name": "A"}, ("name",), company="", touched="updatedAt"),
    "projects": Known({"name": "A", **OF}, FILED),
    "sales": Known(
        {"_currency": "EUR", "salesDate": DAY, "value": 5, **OF}, ("companyId", "_currency", "salesDate", "value")
    ),
    "tasks": Known(
        {"mainType": "task", "action": "A", **OF}, ("companyId",), ("mainType",), SRC, match=("sourceId",),
        several=True, limits=(500, 10000), touched="updatedAt",
    ),
    "timeentries": Known(
        {"date": DAY, "hours": 3, **OF}, ("date", "hours"), prefixes={}, match=(), change=("description", "A"),
        touched="updatedAt",
    ),
    "timesheets": Known(
        {"dateFrom": 20191}, prefixes={}, match=(), change=("dateTo", 20198), company="", touched="updatedAt"
    ),
    "users": Known(
        {"email": "a@b.example", "nickName": "A", "firstName": "A", "lastName": "B"},
        ("nickName", "email", "firstName", "lastName"), prefixes={"extid-": "externalId"},
        match=("externalId", "email"), company="", limits=(10000, 10000), touched="updatedAt",
    ),
    "workspaces": Known({"name": "A", **OF}, FILED),
}  # fmt: skip
#: Definitions of custom fields are not upserted in bulk, and tickets in nothing else; both have tests of their own.
EVERY = pytest.mark.parametrize("path", KNOWN)


@pytest.fixture
def ids(box, api):
    first, second = box.add(Company, name="Acme", external_id="acme-42"), box.add(Company, name="Birch")
    deal = api.post("/deals", {"companyId": first["_id"]}).json()
    return {"COMPANY": first["_id"], "OTHER": second["_id"], "DEAL": deal["_id"]}


def filled(value, ids):
    if isinstance(value, dict):
        return {key: filled(item, ids) for key, item in value.items()}
    return [filled(item, ids) for item in value] if isinstance(value, list) else ids.get(value, value)


@pytest.fixture
def body(path, ids):
    return filled(KNOWN[path].body, ids)


@EVERY
def test_what_is_created_is_answered_whole_and_read_back(api, path, body):
    answer = api.post(f"/{path}", body)
    row = answer.json()
    assert (answer.status_code, body.items() <= row.items()) == (200, True)
    read = api.get(f"/{path}/{row['_id']}")
    # The answer to the creation of a conversation holds more than any other.
    assert read.items() <= row.items()
    assert (read == row) is (path != "conversations")


@EVERY
def test_what_is_required_is_named_in_the_refusal(api, path, body):
    for key in KNOWN[path].required:
        answer = api.post(f"/{path}", {name: value for name, value in body.items() if name != key})
        assert answer.status_code == 400
        assert key.lower() in answer.text.lower()


@EVERY
def test_a_new_item_of_a_bulk_upsert_may_need_more(api, path, body):
    for key in KNOWN[path].bulk_required:
        less = {name: value for name, value in body.items() if name != key}
        assert api.post(f"/{path}", less).status_code == 200
        assert api.put(f"/{path}", [less]).json()["createdErrors"] == [f"Required Field: {key}"]


@EVERY
def test_a_put_changes_what_is_sent_alone(api, path, body):
    key, value = KNOWN[path].change
    row = api.post(f"/{path}", body).json()
    answer = api.put(f"/{path}/{row['_id']}", {key: value})
    moving = {"__v", "updatedAt", "lastUpdated", "followers", "note"}
    after = {name: item for name, item in answer.json().items() if name not in moving}
    assert after == {name: item for name, item in row.items() if name not in moving} | {key: value}


@EVERY
def test_a_put_moves_the_time_of_the_last_change_where_there_is_one(api, path, body):
    row, key = api.post(f"/{path}", body).json(), KNOWN[path].touched
    after = api.put(f"/{path}/{row['_id']}", {}).json()
    if key:
        assert after[key] > row[key]
    else:
        assert not {"updatedAt", "lastUpdated"} & after.keys()


@EVERY
def test_names_that_the_page_does_not_have_and_ids_are_dropped_silently(api, path, body):
    answer = api.post(f"/{path}", {**body, "Name": "x", "noSuchThing": 1, "__v": 77})
    row = answer.json()
    assert (answer.status_code, row.get("__v", 0)) == (200, 0)
    assert not {"Name", "noSuchThing"} & row.keys()
    assert api.put(f"/{path}/{row['_id']}", {"noSuchThing": 1}).status_code == 200


@EVERY
def test_lists_have_the_page_sizes_of_the_page(box, api, path, body):
    default, most = KNOWN[path].limits
    row = api.post(f"/{path}", body).json()
    table = box._world.store
    with table.transaction():
        table.insert(path, ({**row, "_id": f"{number:024x}"} for number in range(most)))
    assert len(api.get(f"/{path}")) == default
    assert len(api.get(f"/{path}", limit=10**6)) == most
    assert [one["_id"] for one in api.get(f"/{path}", limit=2, offset=1, sort="_id")] == [
        f"{number:024x}" for number in (1, 2)
    ]


@EVERY
def test_a_selection_gives_the_id_besides_and_ignores_unknown_names(api, path, body):
    api.post(f"/{path}", body)
    key = next(iter(body))
    row = api.get(f"/{path}", select=f"{key},noSuchThing")[-1]
    assert row.keys() == {"_id", key}


@EVERY
def test_the_filter_by_company_takes_several_only_where_that_is_known(api, path, ids):
    known = KNOWN[path]
    if known.company == "_id":
        assert len(api.get("/companies", companyId=f"{ids['COMPANY']},{ids['OTHER']}")) == 2
        return
    made = [
        api.post(f"/{path}", filled(known.body, {**ids, "COMPANY": company})).json()["_id"]
        for company in (ids["COMPANY"], ids["OTHER"])
    ]

    def found(companies):
        return [row["_id"] for row in api.get(f"/{path}", companyId=companies, limit=50) if row["_id"] in made]

    if not known.company:
        assert found(ids["OTHER"]) == made  # ignored, as every parameter that is not documented
        return
    assert found(ids["OTHER"]) == made[1:]
    assert found(f"{ids['COMPANY']},{ids['OTHER']}") == (made if known.several else [])


@EVERY
def test_paths_take_the_keys_of_the_page(api, path, body):
    known = KNOWN[path]
    keys = {"externalId": "e-1", "sourceId": "s-1", "extId": "x-1"}
    row = api.post(f"/{path}", {**body, **keys}).json()
    updating = known.prefixes if known.update_prefixes is None else known.update_prefixes
    for prefix in ("extid-", "srcid-"):
        for operation, taken in (("GET", known.prefixes), ("PUT", updating)):
            value = keys[taken.get(prefix, "externalId")]
            answer = api(operation, f"/{path}/{prefix}{value}", json={} if operation == "PUT" else None)
            assert answer.status_code == (200 if prefix in taken else 400), (operation, prefix)
            if prefix in taken:
                assert answer.json()["_id"] == row["_id"]
        assert api.delete(f"/{path}/{prefix}e-1").status_code == 400


@EVERY
def test_bulk_upserts_match_on_the_keys_of_the_page_and_repeat_those_that_were_sent(api, path, body):
    keys = {"externalId": 7, "sourceId": 8, "extId": 9, "email": "k@b.example"}
    for key in ("sourceId", "externalId", "extId", "email"):
        taken = key in KNOWN[path].match
        if not taken and (key in ("email", "extId") or path == "users"):
            continue  # no key elsewhere; a user is found by the e-mail then
        item = {**{name: value for name, value in body.items() if name != "email" or path == "nps"}, key: keys[key]}
        if path == "users":
            item = {**body, "email": f"{key}@b.example", key: keys[key]}
        first = api.put(f"/{path}", [item]).json()
        assert (first["created"], first["createdErrors"]) == (1, [])
        assert ({key: str(keys[key])}.items() <= first["insertsKeys"][0].items()) is taken
        assert (first["upsertedIds"], first["modified"]) == ([first["insertsKeys"][0]["_id"]], [])
        again = api.put(f"/{path}", [item]).json()
        assert (again["nonupdates"], again["updated"]) == ((1, 0) if taken else (0, 0)), key


@EVERY
def test_items_without_a_key_are_inserted_and_ids_update(api, path, body):
    change, value = KNOWN[path].change
    made = api.post(f"/{path}", body).json()["_id"]
    plain = {key: item for key, item in body.items() if key != "email" or path in ("nps", "users")}
    fresh = {**plain, "externalId": "fresh"} if path == "endusers" else {**plain}
    if path == "users":
        fresh["email"] = "fresh@b.example"
    answer = api.put(f"/{path}", [fresh, {"_id": made, change: value}, {"_id": made, change: value}]).json()
    assert (answer["created"], answer["updated"], answer["nonupdates"]) == (1, 1, 1)
    assert answer["modified"] == [made]
    assert ("validationErrors" in answer) is (path in ("timeentries", "timesheets"))


@EVERY
def test_keys_of_other_systems_are_texts(api, path, body):
    row = api.post(f"/{path}", {**body, "externalId": 1, "sourceId": 2, "extId": 3}).json()
    assert all(isinstance(row.get(key, ""), str) for key in ("externalId", "sourceId", "extId"))


@EVERY
def test_a_company_may_be_written_by_its_own_key_where_that_is_known(api, path, ids):
    known = KNOWN[path]
    written = filled(known.body, {**ids, "COMPANY": "extid-acme-42"})
    if written == filled(known.body, ids):
        return  # names no company
    answer = api.post(f"/{path}", written)
    if not known.keyed:
        assert answer.status_code == 400
        return
    key = known.company or "companyId"
    assert answer.json()[key] in (ids["COMPANY"], [ids["COMPANY"]])


@EVERY
def test_an_own_key_that_no_company_has_is_no_company(api, path, ids):
    written = filled(KNOWN[path].body, {**ids, "COMPANY": "extid-nobody"})
    if not KNOWN[path].keyed or written == filled(KNOWN[path].body, ids):
        return
    answer = api.post(f"/{path}", written)
    if path == "endusers":
        assert (answer.status_code, answer.json()) == (200, {})  # dropped silently
    elif path in ("issues", "timeentries"):
        assert not answer.json().get("companyId")  # which they may go without
        assert not answer.json().get("companyIds")
    else:
        assert (answer.status_code, answer.text) == (400, "No such company")


@EVERY
def test_own_keys_in_other_references_are_refused(api, path, body):
    for key in ("owner", "ownerId", "assignedId", "campaignId", "productId"):
        answer = api.post(f"/{path}", {**body, key: "extid-1"})
        taken = answer.json() if answer.status_code == 200 else {}
        assert answer.status_code == 400 or key not in taken


@EVERY
def test_custom_values_are_merged_and_names_that_differ_by_case_are_refused(api, path, body):
    if path in ("timeentries", "timesheets"):
        return  # not known to have any
    row = api.post(f"/{path}", {**body, "custom": {"A": 1, "B": 2}}).json()
    after = api.put(f"/{path}/{row['_id']}", {"custom": {"B": None, "C": 3}, "custom.D": 4}).json()
    assert after["custom"] == {"A": 1, "C": 3, "D": 4}
    assert api.put(f"/{path}/{row['_id']}", {"custom": {"E": 1, "e": 2}}).status_code == 400


@EVERY
def test_a_delete_answers_a_count_or_the_record(api, path, body):
    row = api.post(f"/{path}", body).json()
    answer = api.delete(f"/{path}/{row['_id']}").json()
    assert answer.get("_id") == (row["_id"] if path == "conversations" else None)
    assert answer.get("deletedCount") == (None if path == "conversations" else 1)
    assert api("GET", f"/{path}/{row['_id']}").status_code == 404
    assert api.delete(f"/{path}/{row['_id']}").status_code == 404
