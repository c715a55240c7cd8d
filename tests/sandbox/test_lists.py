"""Lists: pages, filters, order, what is shown, what is hidden."""

import pytest

from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.sandbox.store import Query, Store


def names(rows):
    return [row["name"] for row in rows]


def test_a_list_is_a_bare_array_and_empty_without_records(api):
    assert api.get("/companies") == []


def test_a_page_holds_the_default_size_unless_a_limit_is_given(box, api):
    box.add_many(Company, ({"name": f"C{n}"} for n in range(130)))
    assert len(api.get("/companies")) == 100
    assert len(api.get("/companies", limit=7)) == 7
    assert names(api.get("/companies", limit=2, offset=128, sort="_id")) == ["C128", "C129"]
    assert api.get("/companies", offset=130) == []


def test_conversations_have_the_unusually_small_default_page(box, api):
    box.add_many(Note, ({"subject": str(n)} for n in range(40)))
    assert len(api.get("/conversations")) == 30


def test_a_limit_above_the_maximum_is_clamped_without_a_word(box, api):
    box.add_many(Enduser, ({"email": f"p{n}@acme.example"} for n in range(2100)))
    assert len(api.get("/endusers", limit=100_000)) == 2000


@pytest.mark.parametrize("limit", ["0", "-5", "many", "", "1e3"])
def test_a_limit_that_is_no_count_means_the_default(box, api, limit):
    box.add_many(Company, ({"name": f"C{n}"} for n in range(101)))
    assert len(api.get("/companies", limit=limit)) == 100


@pytest.mark.parametrize("parameter", ["name", "externalId", "companyName", "status", "s"])
def test_unknown_parameters_are_ignored_so_that_everything_comes_back(box, api, parameter):
    box.add(Company, name="Acme", external_id="a")
    box.add(Company, name="Birch", external_id="b")
    assert names(api.get("/companies", **{parameter: "Acme"})) == ["Acme", "Birch"]


def test_company_ids_filter_companies_and_endusers_as_a_comma_list(box, api):
    one, two, three = (box.add(Company, name=name) for name in ("One", "Two", "Three"))
    for company in (one, two, three):
        box.add(Enduser, company=company, email=f"{company['name']}@x.example")
    ids = f"{one['_id']},{three['_id']}"
    assert names(api.get("/companies", companyId=ids)) == ["One", "Three"]
    assert [row["companyName"] for row in api.get("/endusers", companyId=ids)] == ["One", "Three"]


def test_licences_document_one_company_id_so_a_list_of_them_finds_nothing(box, api):
    one, two = (box.add(Company, name=name) for name in ("One", "Two"))
    for company in (one, two):
        box.add(License, company=company, currency="EUR", mrr=1)
    assert len(api.get("/licenses", companyId=one["_id"])) == 1
    assert api.get("/licenses", companyId=f"{one['_id']},{two['_id']}") == []


def test_a_blank_filter_is_no_filter(box, api):
    box.add(Company, name="Acme")
    assert names(api.get("/companies", companyId="")) == ["Acme"]


def test_a_prefixed_id_in_a_filter_finds_nothing(box, api):
    acme = box.add(Company, name="Acme", external_id="a")
    box.add(Enduser, company=acme, email="ada@acme.example")
    assert api.get("/endusers", companyId="extid-a") == []


def test_endusers_are_filtered_by_email_and_id(box, api):
    ada = box.add(Enduser, email="ada@acme.example")
    box.add(Enduser, email="bob@acme.example")
    twin = box.add(Enduser, email="ada@acme.example")
    assert [row["_id"] for row in api.get("/endusers", email="ada@acme.example")] == [ada["_id"], twin["_id"]]
    assert [row["_id"] for row in api.get("/endusers", euId=twin["_id"])] == [twin["_id"]]


def test_archived_endusers_are_hidden_unless_asked_for(box, api):
    box.add(Enduser, email="ada@acme.example")
    box.add(Enduser, email="old@acme.example", archived=True)
    assert [row["email"] for row in api.get("/endusers")] == ["ada@acme.example"]
    assert [row["email"] for row in api.get("/endusers", archived="true")] == ["ada@acme.example", "old@acme.example"]
    assert len(api.get("/endusers", archived="1")) == 1


def test_parameters_known_from_stray_sources_only_are_ignored_until_switched_on(box, api):
    box.add(Note, subject="a")
    box.add(Note, subject="b", type="email")
    box.add(User, email="kim@vendor.example")
    box.add(User, email="liz@vendor.example")
    assert len(api.get("/conversations", type="note")) == 2
    assert len(api.get("/users", email="kim@vendor.example")) == 2
    box.behaviour.hints = True
    assert [row["subject"] for row in api.get("/conversations", type="note")] == ["a"]
    assert [row["email"] for row in api.get("/users", email="kim@vendor.example")] == ["kim@vendor.example"]


def test_select_returns_what_it_names_and_always_the_id(box, api):
    acme = box.add(Company, name="Acme", status="customer", custom={"Tier": "Gold"})
    assert api.get("/companies", select="name,custom") == [
        {"_id": acme["_id"], "name": "Acme", "custom": {"Tier": "Gold"}}
    ]
    assert api.get("/companies", select="nonsense,Name") == [{"_id": acme["_id"]}]


def test_a_company_list_is_leaner_than_get_and_select_asks_for_more(box, api):
    acme = box.add(Company, name="Acme", arr=12, web="https://acme.example", health=3)
    assert set(api.get("/companies")[0]) == {"_id", "name", "status", "h"}
    assert set(api.get(f"/companies/{acme['_id']}")) >= {"arr", "web", "createDate", "updatedAt", "__v"}
    assert api.get("/companies", select="arr")[0]["arr"] == 12


def test_a_user_list_has_the_documented_fields_and_roles_by_select_only(box, api):
    box.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R", roles=["0" * 24])
    assert "roles" not in api.get("/users")[0]
    assert "createDate" not in api.get("/users")[0]
    assert api.get("/users", select="roles")[0]["roles"] == ["0" * 24]


def test_embedded_licences_and_the_text_of_a_note_are_never_in_lists(box, api):
    acme = box.add(Company, name="Acme")
    box.add(License, company=acme, currency="EUR", mrr=5)
    note = box.add(Note, company=acme, description="<p>Hello</p>")
    assert "licenses" not in api.get("/companies", select="licenses")[0]
    assert "description" not in api.get("/conversations")[0]
    assert "description" not in api.get("/conversations", select="description")[0]
    assert api.get(f"/conversations/{note['_id']}")["description"] == "<p>Hello</p>"


def test_properties_without_a_value_are_left_out_or_null_by_switch(box, api):
    box.add(Company, name="Acme", owner=None)
    assert "owner" not in api.get("/companies")[0]
    box.behaviour.absent = "null"
    assert api.get("/companies")[0]["owner"] is None
    assert api.get("/companies", select="name,arr")[0].keys() == {"_id", "name", "arr"}


def test_owners_come_as_ids_objects_or_null_in_unselected_company_lists(box, api):
    kim = box.add(User, email="kim@vendor.example", nick_name="Kim")
    box.add(Company, name="Acme", owner=kim)
    shapes = {"id": kim["_id"], "object": {"_id": kim["_id"], "nickName": "Kim"}, "null": None}
    for switch, shape in shapes.items():
        box.behaviour.owners = switch
        assert api.get("/companies")[0]["owner"] == shape
        assert api.get("/companies", select="owner")[0]["owner"] == kim["_id"]


def test_sorting_puts_the_missing_first_then_numbers_then_texts_by_their_bytes(box, api):
    for name, nps in (("text", "9"), ("ten", 10), ("none", None), ("two", 2.5), ("capital", "A"), ("small", "a")):
        box.add(Company, name=name, nps=nps)
    ascending = ["none", "two", "ten", "text", "capital", "small"]
    assert names(api.get("/companies", sort="nps")) == ascending
    assert names(api.get("/companies", sort="-nps")) == ascending[::-1]


def test_an_unknown_sort_key_sorts_nothing(box, api):
    for name in ("B", "A"):
        box.add(Company, name=name)
    assert names(api.get("/companies", sort="nonsense; DROP TABLE")) == ["B", "A"]
    assert names(api.get("/companies", sort="name")) == ["A", "B"]


def test_ids_ascend_in_the_order_of_insertion(box, api):
    box.add_many(Company, ({"name": f"C{n:03d}"} for n in range(300)))
    rows = api.get("/companies", sort="_id", limit=5000)
    assert names(rows) == sorted(names(rows))
    assert [row["_id"] for row in rows] == sorted(row["_id"] for row in rows)
    assert all(len(row["_id"]) == 24 and int(row["_id"], 16) for row in rows)
    assert api.get("/companies", sort="-_id", limit=1)[0]["name"] == "C299"


def test_a_page_read_again_shows_what_was_written_in_between(box, api):
    acme = box.add(Company, name="Acme")
    assert names(api.get("/companies")) == names(api.get("/companies")) == ["Acme"]
    api.put(f"/companies/{acme['_id']}", {"name": "Acme 2"})
    assert names(api.get("/companies")) == ["Acme 2"]


def test_an_empty_id_falls_through_to_the_list(box, api):
    box.add(Company, name="Acme")
    assert names(api.get("/companies/")) == ["Acme"]


# The lean index


def test_the_lean_index_holds_every_company_with_four_keys_whatever_the_limit(box, api):
    box.add_many(Company, ({"name": f"C{n}", "external_id": f"c-{n}", "source_id": f"s-{n}"} for n in range(150)))
    rows = api.get("/leancompanies", limit=10, offset=5)
    assert len(rows) == 150
    assert set(rows[0]) == {"_id", "name", "externalId", "sourceId"}


def test_the_lean_index_has_blank_external_ids_for_some_and_none_for_others(box, api):
    box.add_many(Company, ({"name": f"C{n}"} for n in range(10)))
    shapes = {row.get("externalId", "missing") for row in api.get("/leancompanies")}
    assert shapes == {"", "missing"}


def test_the_lean_index_filters_by_keys_and_by_several_statuses(box, api):
    for status in ("customer", "lost", "prospect"):
        box.add(Company, name=status, status=status, external_id=f"x-{status}", source_id=f"s-{status}")
    assert names(api.get("/leancompanies", status="prospect,lost")) == ["lost", "prospect"]
    assert names(api.get("/leancompanies", externalId="x-lost")) == ["lost"]
    assert names(api.get("/leancompanies", sourceId="s-lost,s-customer")) == []
    assert "status" not in api.get("/leancompanies", status="lost")[0]


def test_the_lean_index_shows_odd_values_as_they_are_stored(box, api):
    odd = {"name": 'Ö "1"', "extra": {"externalId": 7.50, "sourceId": ["a", {"b": True}], "status": None}}
    row = box.add(Company, **odd)
    [seen] = [one for one in api.get("/leancompanies") if one["_id"] == row["_id"]]
    assert seen == {"_id": row["_id"], "name": 'Ö "1"', "externalId": 7.5, "sourceId": ["a", {"b": True}]}


def test_the_values_of_one_key_alone_are_not_asked_of_the_store():
    with pytest.raises(ValueError, match="two plain keys or more"):
        Store().values("companies", Query(), ("name",))
