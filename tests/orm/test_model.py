"""An instance: identity, copies, pickles, and what it says of itself. None of it sends a request."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.errors import ConfigurationError, FieldError, ObjectDeleted, UnknownField
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

ONE, TWO = "64b0f1a2c3d4e5f607182901", "64b0f1a2c3d4e5f607182902"


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    return planhat_sandbox


def hydrated(model: Any, **row: Any) -> Any:
    """Make the object of a row that was read whole, of no session."""
    return model._hydrated(row, Origin(None, model._meta.keys, 1))


def test_objects_are_equal_by_tenant_model_and_id(box: Sandbox) -> None:
    row = box.add(Company, name="Acme")
    mine = Company.objects.get(id=row["_id"])
    with box.session():
        same_tenant = Company.objects.get(id=row["_id"])
    assert mine is not same_tenant
    assert mine == same_tenant
    assert len({mine, same_tenant}) == 1
    other = Company._hydrated(dict(mine._raw), Origin(None, Company._meta.keys, 1, tenant=("elsewhere", "x")))
    assert mine != other
    assert hydrated(Company, _id=ONE) != hydrated(Company, _id=TWO)
    assert hydrated(Company, _id=ONE) != hydrated(User, _id=ONE)
    assert hydrated(Company, _id=ONE) != ONE


def test_an_unsaved_object_equals_itself_alone_and_has_no_hash() -> None:
    acme = Company(name="Acme")
    assert acme == acme
    assert acme != Company(name="Acme")
    with pytest.raises(TypeError, match="is not saved"):
        hash(acme)


def test_a_pickle_keeps_values_changes_and_identity(box: Sandbox) -> None:
    row = box.add(Company, name="Acme", tags=["old"], custom={"Tier": "Silver", "Seats": 5})
    acme = Company.objects.get(id=row["_id"])
    acme.phase = "Live"
    acme.tags.append("new")
    acme.custom["Tier"] = "Gold"
    del acme.custom["Seats"]
    with box.assert_requests(0):
        back = pickle.loads(pickle.dumps(acme))
        assert back == acme
        assert hash(back) == hash(acme)
        assert back.changes() == acme.changes()
        assert "Seats" not in back.custom
    with box.assert_requests(1):
        back.save()
    assert box.requests[-1].json == {"phase": "Live", "tags": ["old", "new"], "custom": {"Tier": "Gold", "Seats": None}}
    assert hash(back) == hash(acme)
    assert box.token.encode() not in pickle.dumps(acme)


def test_an_unpickled_object_is_read_and_changed_without_a_session() -> None:
    acme = pickle.loads(pickle.dumps(hydrated(Company, _id=ONE, name="Acme", tags=["a"])))
    acme.tags.append("b")
    acme.phase = "Live"
    acme.custom["Tier"] = "Gold"
    assert set(acme.changes()) == {"tags", "phase", "custom.Tier"}
    with pytest.raises(ConfigurationError, match="no Planhat session"):
        acme.save()


def test_an_unpickled_object_is_not_saved_to_another_tenant(box: Sandbox) -> None:
    row = box.add(Company, name="Acme")
    acme = Company.objects.get(id=row["_id"])
    pickled = pickle.dumps(acme)
    back = pickle.loads(pickled)
    back.phase = "Live"
    with (
        Session(token="another-token", base_url=box.url, quota=None),
        box.assert_requests(0),
        pytest.raises(ConfigurationError, match="another token or from another host"),
    ):
        back.save()


def test_an_unsaved_object_is_pickled_with_what_was_set() -> None:
    back = pickle.loads(pickle.dumps(Company(name="Acme", custom={"Tier": "Gold"})))
    assert back.id is None
    assert back.changes() == {"name": (None, "Acme"), "custom.Tier": (None, "Gold")}


def test_a_deleted_object_stays_deleted_in_a_pickle(box: Sandbox) -> None:
    acme = Company.objects.create(name="Acme")
    acme.delete()
    with pytest.raises(ObjectDeleted):
        pickle.loads(pickle.dumps(acme)).save()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_unsaved_and_holds_what_may_be_written_but_the_keys(box: Sandbox, copied: Any) -> None:
    company = box.add(Company, name="Acme")
    row = box.add(
        License,
        company=company,
        currency="EUR",
        product="Platform",
        external_id="x-1",
        source_id="s-1",
        value=0,
        fixed_period=False,
        from_date="2025-03-01T00:00:00.000Z",
        mrr=250.5,
        custom={"Seats": 25, "Regions": ["EU"]},
    )
    licence = License.objects.get(id=row["_id"])
    licence.custom["Seats"] = 30
    with box.assert_requests(0):
        twin = copied(licence)
    assert twin.id is None
    twin.custom["Regions"].append("US")
    assert licence.custom["Regions"] == ["EU"]
    with box.assert_requests(2):  # the definitions of custom fields, and the POST
        twin.save()
    assert twin.id != licence.id
    body = box.requests[-1].json
    assert "externalId" not in body
    assert "sourceId" not in body
    assert body["companyId"] == company["_id"]
    assert body["custom"] == {"Seats": 30, "Regions": ["EU", "US"]}
    assert (body["mrr"], body["fixedPeriod"], body["fromDate"]) == (250.5, False, "2025-03-01T00:00:00.000Z")
    assert set(licence.changes()) == {"custom.Seats"}


def test_a_copy_keeps_owners_of_notes_links_and_its_session(box: Sandbox) -> None:
    acme, new = Company.objects.create(name="Acme"), Company(name="New")
    note = Note(company=acme, users=[{"id": ONE, "isOwner": True}], subject="s")
    with box.session():
        twin = copy.copy(note)
        assert twin.users.items == [{"id": ONE, "isOwner": True}]
        assert twin.company is acme
        twin.save()
        assert twin._session() is acme._session()
    assert copy.copy(Enduser(company=new)).company is new


def test_a_representation_is_short_and_sends_nothing(box: Sandbox) -> None:
    row = box.add(Company, name="A" * 500, tags=["a"])
    with box.assert_requests(1):
        [lean] = Company.objects.only("phase")
        assert repr(lean) == f"<Company {row['_id']}>"
        assert "not loaded" in repr(lean.custom)
        assert "not loaded" in repr(lean.followers)
    acme = hydrated(Company, _id=ONE, name="Acme")
    acme.name = "Acme AB"
    assert repr(acme) == f"<Company {ONE} 'Acme AB'>"
    assert repr(Company(name="Acme")) == "<Company (unsaved) 'Acme'>"
    assert len(repr(hydrated(Company, _id=ONE, name="A" * 500))) < 120
    assert repr(hydrated(Company, _id=ONE, name={"odd": 1})) == f"<Company {ONE}>"


def test_what_raw_and_extra_give_is_not_the_objects_own() -> None:
    acme = hydrated(Company, _id=ONE, name="Acme", custom={"Tier": "Silver"}, mystery={"x": [1]})
    acme.raw["custom"]["Tier"] = "Gold"
    acme.extra["mystery"]["x"].append(2)
    with pytest.raises(TypeError):
        acme.raw["name"] = "Other"
    assert acme.changes() == {}
    assert acme.extra == {"mystery": {"x": [1]}}
    acme.custom["Tier"] = "Gold"
    assert acme.changes() == {"custom.Tier": ("Silver", "Gold")}


def test_a_dictionary_holds_what_is_loaded_by_python_name(box: Sandbox) -> None:
    box.add(Company, name="Acme", custom={"Tier": "Silver"}, tags=["a"])
    [lean] = Company.objects.only("name", "owner", "custom")
    with box.assert_requests(0):
        values = lean.to_dict()
    assert values == {"id": lean.id, "name": "Acme", "owner_id": None, "custom": {"Tier": "Silver"}}
    values["custom"]["Tier"] = "Gold"
    assert lean.changes() == {}


def test_changes_are_told_as_before_and_after() -> None:
    acme = hydrated(Company, _id=ONE, phase="Live", tags=["a"], owner=ONE, customerFrom="2025-01-01T00:00:00.000Z")
    acme.phase = "Lost"
    acme.tags.append("b")
    acme.owner_id = TWO
    acme.customer_from = None
    found = acme.changes()
    assert found["phase"] == ("Live", "Lost")
    assert found["tags"] == (["a"], ["a", "b"])
    assert found["owner"] == (ONE, TWO)
    assert found["customer_from"][1] is None
    assert str(found["customer_from"][0]) == "2025-01-01"
    found["tags"][0].append("c")
    assert acme.changes()["tags"] == (["a"], ["a", "b"])


def test_loaded_and_absent_reads_as_nothing_and_costs_nothing(box: Sandbox) -> None:
    row = box.add(Company, name="Acme")
    acme = Company.objects.get(id=row["_id"])
    with box.assert_requests(0):
        assert acme.phase is None
        assert acme.owner is None
        assert acme.tags == []
        assert acme.usage == {}
        assert dict(acme.custom) == {}
        assert list(acme.followers) == []
        assert acme.custom.get("Tier") is None


def test_reading_a_name_that_is_no_field_is_an_attribute_error() -> None:
    acme = Company(name="Acme")
    assert not hasattr(acme, "nme")
    assert getattr(acme, "nme", 3) == 3
    with pytest.raises(UnknownField):
        acme.nme  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError):
        acme._nme  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(FieldError, match="Schema is no field"):
        acme.Schema = 3  # type: ignore[misc, assignment]


def test_an_object_carries_nothing_but_its_row_until_it_is_changed() -> None:
    acme = hydrated(Company, _id=ONE, name="Acme", phase="Live")
    assert acme.name == "Acme"
    assert acme.health is None
    assert acme._state is None
    assert not hasattr(acme, "__dict__")


@pytest.mark.parametrize("name", ["name", "external_id", "owner", "owner_id", "tags", "followers", "custom", "id"])
def test_deleting_an_attribute_says_how_to_clear_it(name: str) -> None:
    company = Company(name="Acme")
    with pytest.raises(FieldError, match=f"Company.{name} cannot be deleted; assign None to clear it"):
        delattr(company, name)
    assert company.changes() == {"name": (None, "Acme")}


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"name": "Acme", "subject": "S"}, "'Acme'"),
        ({"title": "Slow"}, "'Slow'"),
        ({"subject": "Kick-off", "email": "a@x.example"}, "'Kick-off'"),
        ({"name": None, "email": "a@x.example"}, "'a@x.example'"),
        ({"product": "Platform"}, "'Platform'"),
        ({"invoiceNo": "2025-1"}, "'2025-1'"),
        ({"name": 7}, ""),
        ({}, ""),
    ],
)
def test_a_representation_names_what_tells_people_which_record_it_is(row: dict[str, Any], shown: str) -> None:
    assert repr(hydrated(Company, _id=ONE, **row)) == f"<Company {ONE}{shown and ' '}{shown}>"


def test_all_names_that_are_no_fields_are_told_at_once() -> None:
    with pytest.raises(UnknownField) as caught:
        Company(nme="Acme", phase="Live", plugh=1, externalId="a-1")
    assert str(caught.value) == (
        "Company has no field 'nme'; did you mean 'name'?; Company has no field 'plugh'; "
        "Company has no field 'externalId'; did you mean 'external_id'?"
    )
