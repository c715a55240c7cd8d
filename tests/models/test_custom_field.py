"""Custom fields over HTTP: definitions, what Planhat does not offer for them, and values by a definition's type."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import DecodeError, NotSupported, ValidationError
from planhat_orm.models import Company, CustomField, Enduser

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

SOME_ID = "64b0f1a2c3d4e5f60718293a"


def of_type(type: str, **values: Any) -> CustomField:
    return CustomField(name="The field", parent="company", type=type, **values)


def test_a_definition_is_created_and_not_hidden_unless_told_otherwise(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(1):
        tier = CustomField.objects.create(name="Tier", parent="company", type="list", list_values=["Gold", "Silver"])
    assert planhat_sandbox.requests[-1].json == {
        "name": "Tier",
        "parent": "company",
        "type": "list",
        "listValues": ["Gold", "Silver"],
        "isHidden": False,
    }
    assert tier.is_hidden is False
    CustomField.objects.create(name="Secret", parent="company", type="text", is_hidden=True)
    assert planhat_sandbox.requests[-1].json["isHidden"] is True


def test_a_create_needs_a_name_a_parent_and_a_type(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        CustomField.objects.create(is_featured=True)
    assert set(caught.value.messages) == {"name", "parent", "type"}


def test_a_type_is_one_of_the_documented_ones(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match="type"):
        CustomField.objects.create(name="Tier", parent="company", type="picklist")


def test_a_newer_type_is_read_as_it_is(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(CustomField, name="Main deal", parent="company", extra={"type": "deal"})
    [field] = CustomField.objects.all()
    assert field.type == "deal"
    assert field.to_python({"any": ["thing"]}) == {"any": ["thing"]}


def test_get_by_id(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(CustomField, name="Tier", parent="company", type="text")
    with planhat_sandbox.assert_requests(1):
        assert CustomField.objects.get(id=row["_id"]).name == "Tier"
    assert planhat_sandbox.requests[-1].path == f"/customfields/{row['_id']}"


def test_a_list_is_tested_here_whatever_planhat_makes_of_its_parameters(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(CustomField, name="Tier", parent="company", type="text")
    planhat_sandbox.add(CustomField, name="Role", parent="enduser", type="text")
    with planhat_sandbox.assert_requests(1):
        assert [field.name for field in CustomField.objects.filter(parent="enduser")] == ["Role"]
    with planhat_sandbox.assert_requests(0):
        assert [field.parent for field in CustomField.objects.filter(name="Tier")] == ["company"]


def test_a_slice_is_taken_out_of_the_whole_table(planhat_sandbox: Sandbox) -> None:
    for number in range(4):
        planhat_sandbox.add(CustomField, name=f"Field {number}", parent="company", type="text")
    with planhat_sandbox.assert_requests(1):
        names = [field.name for field in CustomField.objects.order_by("-name").only("name")[1:3]]
    assert names == ["Field 2", "Field 1"]
    params = planhat_sandbox.requests[-1].params
    assert (params["sort"], params["offset"]) == ("_id", "0")
    with planhat_sandbox.assert_requests(0):
        assert CustomField.objects.order_by("name").first().name == "Field 0"  # type: ignore[union-attr]


def test_an_update_and_a_delete_go_by_id(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(CustomField, name="Tier", parent="company", type="list", list_values=["Gold"])
    [tier] = CustomField.objects.all()
    tier.list_values.append("Platinum")
    with planhat_sandbox.assert_requests(1):
        tier.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/customfields/{tier.id}")
    assert request.json == {"listValues": ["Gold", "Platinum"]}
    with planhat_sandbox.assert_requests(1):
        tier.delete()
    assert planhat_sandbox.count(CustomField) == 0


def test_custom_fields_are_not_upserted_in_bulk(planhat_sandbox: Sandbox) -> None:
    with (
        planhat_sandbox.assert_requests(0),
        pytest.raises(NotSupported, match=r"bulk upsert of CustomField: save\(\) each"),
    ):
        CustomField.objects.bulk_upsert([{"name": "Tier", "parent": "company", "type": "text"}])
    assert "bulk_upsert" not in CustomField._meta.operations


def test_old_definitions_lack_keys(planhat_sandbox: Sandbox) -> None:
    old = {"parent": "invoice", "type": "text", "name": "PO Number", "isFeatured": True, "listValues": []}
    planhat_sandbox.add(CustomField, **old)
    with planhat_sandbox.assert_requests(1):
        [field] = CustomField.objects.all()
        assert (field.name, field.treat_undefined_as_zero, field.formula_refs) == ("PO Number", None, [])


@pytest.mark.parametrize(
    ("parent", "model"),
    [("company", "Company"), ("enduser", "Enduser"), ("EndUser", "Enduser"), ("Company", "Company"), ("ship", None)],
)
def test_a_definition_knows_the_class_that_it_is_of(parent: str, model: str | None) -> None:
    found = CustomField(name="Tier", parent=parent, type="text").model
    assert (found.__name__ if found is not None else None) == model


def test_a_class_of_the_tenants_own_has_the_fields_of_planhats() -> None:
    class Account(Company):
        """A company by another name."""

    assert CustomField(name="Tier", parent="company", type="text").model is Company
    assert CustomField(name="Tier", parent="account", type="text").model is None


@pytest.mark.parametrize(
    ("type", "stored", "value"),
    [
        ("number", 3.7, 3.7),
        ("number", "12", 12),
        ("rating", 4, 4),
        ("text", "x", "x"),
        ("rich text", "<p>x</p>", "<p>x</p>"),
        ("checkbox", "true", True),
        ("checkbox", "", None),
        ("day", 18395, date(2020, 5, 13)),
        ("date", "2025-02-01T09:30:00.000Z", datetime(2025, 2, 1, 9, 30, tzinfo=UTC)),
        ("list", "Gold", "Gold"),
        ("list", "long gone", "long gone"),
        ("multipicklist", ["EU", "US"], ["EU", "US"]),
        ("team member", SOME_ID, SOME_ID),
        ("team members", [SOME_ID], [SOME_ID]),
        ("enduser", SOME_ID, SOME_ID),
        ("endusers", [SOME_ID], [SOME_ID]),
        ("phone", "+46 1", "+46 1"),
        ("email", "a@b.example", "a@b.example"),
        ("url", "https://b.example", "https://b.example"),
        ("number", None, None),
    ],
)
def test_stored_values_are_read_by_type(type: str, stored: Any, value: Any) -> None:
    found = of_type(type, list_values=["Gold", "Silver"]).to_python(stored)
    assert found == value
    assert found.__class__ is value.__class__


@pytest.mark.parametrize(
    ("type", "stored"), [("number", "many"), ("checkbox", 7), ("day", "soon"), ("multipicklist", 3)]
)
def test_a_stored_value_that_cannot_be_read_says_so(type: str, stored: Any) -> None:
    with pytest.raises(DecodeError, match=rf"'The field' \({type}\) holds"):
        of_type(type).to_python(stored)


@pytest.mark.parametrize(
    ("type", "value", "sent"),
    [
        ("number", 3.7, 3.7),
        ("rating", 4, 4),
        ("text", "x", "x"),
        ("checkbox", False, False),
        ("day", date(2020, 5, 13), 18395),
        ("day", 18395, 18395),
        ("date", date(2025, 2, 1), "2025-02-01T00:00:00.000Z"),
        ("date", datetime(2025, 2, 1, 9, 30, tzinfo=timezone(timedelta(hours=1))), "2025-02-01T08:30:00.000Z"),
        ("date", "2025-02-01T00:00:00.000Z", "2025-02-01T00:00:00.000Z"),
        ("list", "Gold", "Gold"),
        ("multipicklist", ["Gold", "Silver"], ["Gold", "Silver"]),
        ("team member", SOME_ID, SOME_ID),
        ("endusers", [SOME_ID], [SOME_ID]),
        ("list", None, None),
    ],
)
def test_values_are_sent_by_type(type: str, value: Any, sent: Any) -> None:
    assert of_type(type, list_values=["Gold", "Silver"]).to_planhat(value) == sent


@pytest.mark.parametrize(
    ("type", "value", "said"),
    [
        ("number", "12", "must be a number"),
        ("rating", True, "must be a number"),
        ("text", 12, "must be a text"),
        ("checkbox", "yes", "must be True or False"),
        ("day", "soon", "must be a date, or the number of days since 1970-01-01, not 'soon'"),
        ("day", datetime(2025, 2, 1, tzinfo=UTC), "must be a date"),
        ("date", "soon", "must be a date or a datetime, not 'soon'"),
        ("date", 20454, "must be a date or a datetime, not 20454"),
        ("date", datetime(2025, 2, 1), "without a time zone"),
        ("list", "Glod", "'Glod' is not among its options; did you mean 'Gold'"),
        ("list", "x", "'x' is not among its options: 'Gold', 'Silver'"),
        ("multipicklist", ["Gold", "x"], "'x' is not among its options"),
        ("multipicklist", "Gold", "must be a list of texts"),
        ("team member", "kim", "must be a Planhat id"),
        ("team members", SOME_ID, "must be a list of Planhat ids"),
    ],
)
def test_values_of_another_type_are_refused(type: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        of_type(type, list_values=["Gold", "Silver"]).to_planhat(value)


def test_computed_fields_are_not_written() -> None:
    with pytest.raises(ValidationError, match="computed by Planhat"):
        of_type("number", is_formula=True).to_planhat(3)


def test_a_saved_person_stands_for_its_id(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Enduser, email="ada@acme.example", company=planhat_sandbox.add(Company, name="Acme"))
    [ada] = Enduser.objects.all()
    assert of_type("enduser").to_planhat(ada) == ada.id
    assert of_type("endusers").to_planhat([ada]) == [ada.id]


def test_planhat_stores_what_no_definition_is_for_and_what_no_option_is(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(CustomField, name="Tier", parent="company", type="list", list_values=["Gold"])
    with planhat_sandbox.session(check_custom="never"), planhat_sandbox.assert_requests(1):
        Company.objects.create(name="Acme", custom={"Teir": "x", "Tier": "Glod"})
    assert planhat_sandbox.row(Company, name="Acme")["custom"] == {"Teir": "x", "Tier": "Glod"}


@pytest.mark.parametrize("parent", ["Company", "companies", "COMPANY", "Companies", "company "])
def test_another_spelling_of_a_known_parent_is_refused(planhat_sandbox: Sandbox, parent: str) -> None:
    with (
        planhat_sandbox.assert_requests(0),
        pytest.raises(ValidationError, match="parent: must be 'company', in small letters and of one"),
    ):
        CustomField.objects.create(name="Segment", parent=parent, type="text")


@pytest.mark.parametrize("parent", ["company", "invoice", "EndUser", "Ship", "shipment", "timeEntry"])
def test_a_parent_that_may_be_one_of_the_tenant_passes(planhat_sandbox: Sandbox, parent: str) -> None:
    with planhat_sandbox.assert_requests(1):
        CustomField.objects.create(name="Segment", parent=parent, type="text")
    # What is stored in another spelling is read, and saved again, as it is.
    row = planhat_sandbox.add(CustomField, name="Old", parent="Company", type="text")
    old = CustomField.objects.get(id=row["_id"])
    old.is_featured = True
    old.save()
    assert old.parent == "Company"
