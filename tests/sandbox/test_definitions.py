"""Definitions of custom fields, assets' owners, roles: what fits nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.models import Asset, Company, CustomField, User
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_definition_has_its_flags_off_and_names_the_model_in_small_letters(api):
    row = api.post("/customfields", {"name": "Tier", "parent": "Company", "type": "list", "listValues": ["A"]}).json()
    assert (row["parent"], row["listValues"], row["filter"], row["formulaRefs"]) == ("company", ["A"], [], [])
    assert {row[key] for key in ("isFeatured", "isHidden", "isShared", "isLocked", "isFormula")} == {False}


def test_definitions_are_read_by_id_alone_and_not_upserted_in_bulk(box, api):
    row = box.add(CustomField, name="Tier", parent="company", type="text")
    assert api.get(f"/customfields/{row['_id']}")["name"] == "Tier"
    assert api("GET", "/customfields/extid-1").status_code == 400
    assert api.put("/customfields", [{"_id": row["_id"], "name": "x"}]).status_code == 404
    assert api.put(f"/customfields/{row['_id']}", {"name": "Level"}).json()["name"] == "Level"


def test_the_list_is_over_all_models_unless_the_hint_is_taken(box, api):
    for parent in ("company", "enduser"):
        box.add(CustomField, name="Tier", parent=parent, type="text")
    assert len(api.get("/customfields", parent="company")) == 2
    box.behaviour.hints = True
    assert [row["parent"] for row in api.get("/customfields", parent="company")] == ["company"]


def test_old_definitions_can_be_planted_without_their_flags(box, api):
    box.add(CustomField, name="PO", parent="invoice", type="text", is_shared=None, isFormula=None)
    assert not {"isShared", "isFormula"} & api.get("/customfields")[0].keys()


def test_what_has_a_definition_and_what_has_none_are_stored_alike(api):
    row = api.post("/companies", {"name": "A", "custom": {"No such field": "x", "tier": 1}}).json()
    assert row["custom"] == {"No such field": "x", "tier": 1}


def test_the_name_of_an_assets_owner_follows(box, api):
    kim, acme = box.add(User, nick_name="Kim", email="kim@vendor.example"), box.add(Company, name="Acme")
    row = api.post("/assets", {"name": "A", "companyId": acme["_id"], "ownerId": kim["_id"]}).json()
    assert row["ownerName"] == "Kim"
    assert "ownerName" not in api.put(f"/assets/{row['_id']}", {"ownerId": None}).json()
    assert box.add(Asset, company=acme, name="B", owner=kim)["ownerName"] == "Kim"


def test_roles_are_ids_or_objects(box, api):
    role = "57e2b92ff795575a5b8c46ff"
    kim = box.add(User, email="kim@vendor.example", roles=[role])
    assert api.get(f"/users/{kim['_id']}")["roles"] == [role]
    box.behaviour.roles = "object"
    assert [item["_id"] for item in api.get(f"/users/{kim['_id']}")["roles"]] == [role]
    assert "roles" not in api.get("/users")[0]


def test_the_path_in_the_tree_is_a_text_between_commas(box, api):
    top = box.add(Company, name="Group")
    row = box.add(Company, name="Acme", extra={"orgPath": f",{top['_id']},", "orgLevel": 1})
    assert api.get(f"/companies/{row['_id']}")["orgPath"] == f",{top['_id']},"
    assert api.put(f"/companies/{row['_id']}", {"orgPath": "x"}).json()["orgPath"] == f",{top['_id']},"


def test_values_of_odd_types_can_be_planted(box, api):
    row = box.add(Company, name="Acme", auto_renews="", mrr="12.5", domains="a.example,b.example")
    read = api.get(f"/companies/{row['_id']}")
    assert (read["autoRenews"], read["mrr"], read["domains"]) == ("", "12.5", "a.example,b.example")


def test_an_odd_version_number_is_no_obstacle_to_a_change(box, api):
    row = box.add(Company, name="Acme", extra={"__v": {"odd": 1}})
    assert api.put(f"/companies/{row['_id']}", {"name": "Birch"}).json()["__v"] == 1


@pytest.fixture
def medal() -> Iterator[None]:
    before = dict(registry)

    class Medal(Model):
        """An object that the sandbox has never heard of."""

        class Meta:
            path = "medals"
            page_size = (2, 5)
            keyables = ("id", "external_id")
            match_keys = ("_id", "externalId")
            list_params = {"companyId": "companyId"}
            list_takes = ("limit", "offset")
            not_offered = {"delete": "keep it"}
            updated_field = "updatedAt"

        name: fields.Text = fields.Text("name", required=True)
        external_id: fields.Text = fields.Text("externalId", write_key="ownId")
        reason: fields.Text = fields.Text("reason", write_only=True)
        company: ForeignKey[Company] = ForeignKey("Company", "companyId", takes_keys=True)
        also: ReferenceList[Company] = ReferenceList("Company", "companyIds")
        created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True)
        updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True)

    yield
    registry.clear()
    registry.update(before)


def test_an_object_that_no_page_describes_is_served_as_it_is_declared(box, api, medal):
    acme = box.add(Company, name="Acme", external_id="acme-42")
    row = api.post("/medals", {"name": "A", "companyId": "extid-acme-42", "ownId": 1, "reason": "x", "other": 2}).json()
    assert (row["companyId"], row["externalId"]) == (acme["_id"], "1")
    assert not {"other", "ownId", "reason"} & row.keys()
    assert row["createdAt"] == row["updatedAt"] < api.put("/medals/extid-1", {}).json()["updatedAt"]
    assert api("GET", "/medals/srcid-1").status_code == 400
    assert api.post("/medals", {"ownId": "2"}).text == "Required Field: name"
    assert api.post("/medals", {"name": "A", "companyIds": ["extid-acme-42"]}).status_code == 400
    assert api.put("/medals", [{"ownId": "1", "name": "B"}]).json()["updated"] == 1
    assert api.delete(f"/medals/{row['_id']}").status_code == 404
    assert api.get("/medals", companyId="0" * 24) == []
    assert len(api.get("/medals", select="name", limit=9)[0]) > 2
