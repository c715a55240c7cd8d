"""Odd stored values: lists never fail, one read does, and a save of something else goes through.

Records of every object are made up, with nulls, wrong types, missing and unknown keys, odd texts and empty
containers where Planhat documents something else.
"""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planhat_orm.errors import DecodeError
from planhat_orm.models import Company, User
from planhat_orm.orm import fields, tracking
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

MODELS: list[type[Model]] = sorted(
    (
        model
        for model in registry.values()
        if model.__module__.startswith(("planhat_orm.models.", "planhat_orm.analytics."))
    ),
    key=lambda model: model.__name__,
)
SOME_ID = "64b0f1a2c3d4e5f60718293a"
BY_NAME = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
#: Every object has its turn, with fewer examples than usual: the objects differ less than their values do.
EXAMPLES = settings(max_examples=max(10, (settings.default or settings()).max_examples * 8 // len(MODELS)))

#: What says whose record it is, and what the sandbox looks for or computes with: left as it is where that serves it.
KEPT = {"custom", "type", "mainType", "archived", "isArchived", "day", "time", "dateAnswered", "timeEntries"}
KEPT |= {"_id", "__v", "name", "firstName", "lastName", "email", "externalId", "extId", "sourceId", "users", "endusers"}
KEPT |= {"companyId", "cId", "companyIds", "enduserIds", "euId"}

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    # Not so large that the sandbox, which computes with amounts, runs out of numbers.
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(
        ["", " ", "undefined", "x" * 5000, "2025-13-45", "🦊\u202e", "0", SOME_ID, "2025-01-01T21:00:00.000Z"]
    ),
    st.just([]),
    st.just({}),
    st.lists(st.none() | st.integers() | st.text(max_size=5) | st.just({"id": SOME_ID}), max_size=3),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.lists(st.text(max_size=3)), max_size=3),
)


def rows(model: type[Model]) -> st.SearchStrategy[dict[str, Any]]:
    """Records of a model: any of its properties, whatever they hold, and some that nobody declared."""
    keys = st.sampled_from(sorted(model._meta.keys - {"_id"})) | st.text(min_size=1, max_size=8).filter(
        lambda key: key not in model._meta.keys
    )
    return st.dictionaries(keys, ODD, max_size=30).map(lambda row: {**row, "_id": SOME_ID})


def hydrated(model: type[Model], row: dict[str, Any]) -> Any:
    """Make the object of a row that was read whole."""
    return model._hydrated(row, Origin(None, model._meta.keys, 1))


def settable(model: type[Model]) -> tuple[Field[Any, Any], Any]:
    """Return a field of the model that may be written, a text if there is one, and a value that no row holds."""
    values: dict[type[Any], Any] = {
        fields.Text: "new-text-1",
        fields.Date: date(2031, 1, 2),
        fields.DayNumber: date(2031, 1, 2),
    }
    taken = {*model._meta.constant, *model._meta.always_sent}
    for kind, value in values.items():
        for field in model._meta.fields:
            if type(field) is kind and not field.read_only and field.data_key not in taken:
                return field, value
    raise AssertionError(f"{model.__name__} has no such field; let this function know of another kind")


def body_of(obj: Model) -> dict[str, Any]:
    """Return what a save sends because it changed, without what every update of the object sends besides."""
    besides = {obj._meta.by_key[key].write_key for key in obj._meta.always_sent}
    body = tracking.body_of(obj, tracking.pending(obj))
    return {key: value for key, value in body.items() if key not in besides}


def read(obj: Model, field: Field[Any, Any]) -> Any:
    """Read a field as users do, as far as that sends nothing."""
    if isinstance(field, ForeignKey):
        return getattr(obj, f"{field.name}_id")
    value = getattr(obj, field.name)
    if isinstance(field, ReferenceList):
        return value.ids
    return dict(value) if isinstance(field, CustomData) else value


def read_all(obj: Model) -> list[DecodeError]:
    """Read every field; return what was refused."""
    refused = []
    for field in obj._meta.fields:
        try:
            read(obj, field)
        except DecodeError as problem:
            refused.append(problem)
    return refused


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_reading_refuses_by_decode_error_alone_and_names_what_holds_what(
    model: type[Model], data: st.DataObject
) -> None:
    row = data.draw(rows(model))
    obj = hydrated(model, copy.deepcopy(row))
    for field in model._meta.fields:
        try:
            read(obj, field)
        except DecodeError as problem:
            text = str(problem)
            assert text.startswith(f"{model.__name__} {SOME_ID}: {field.name} ({field.data_key}) holds ")
            assert len(text) < 600


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_an_object_that_was_read_all_over_is_not_changed(model: type[Model], data: st.DataObject) -> None:
    row = data.draw(rows(model))
    obj = hydrated(model, copy.deepcopy(row))
    read_all(obj)
    obj.to_dict()
    assert repr(obj)
    assert obj.changes() == {}
    assert not tracking.pending(obj)
    assert obj._raw == row
    assert dict(obj.raw) == row
    assert obj.extra == {key: value for key, value in row.items() if key not in model._meta.keys}


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_after_any_other_row_an_untouched_object_is_not_changed_either(model: type[Model], data: st.DataObject) -> None:
    obj = hydrated(model, data.draw(rows(model)))
    read_all(obj)
    asked = data.draw(st.frozensets(st.sampled_from(sorted(model._meta.keys)))) | {"_id"}
    row = data.draw(rows(model))
    before = dict(obj._raw)
    obj._merge(dict(row), Origin(None, asked, 2))
    read_all(obj)
    assert obj.changes() == {}
    expected = {key: value for key, value in before.items() if key in row or key not in asked} | row
    assert obj._raw == (row if asked >= model._meta.keys else expected)


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_a_change_beside_odd_values_is_sent_alone(model: type[Model], data: st.DataObject) -> None:
    obj, (field, value) = hydrated(model, data.draw(rows(model))), settable(model)
    read_all(obj)
    setattr(obj, field.name, value)
    expected: dict[str, Any] = {field.write_key: field.encode(value)}
    changed = {field.name}
    if "custom" in model._meta.keys:
        obj.custom["Tier of test"] = "Gold"
        expected["custom"] = {"Tier of test": "Gold"}
        changed.add("custom.Tier of test")
    assert body_of(obj) == expected
    assert set(obj.changes()) == changed


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_a_change_survives_any_other_row_and_nothing_joins_it(model: type[Model], data: st.DataObject) -> None:
    obj, (field, value) = hydrated(model, data.draw(rows(model))), settable(model)
    setattr(obj, field.name, value)
    read_all(obj)
    obj._merge(data.draw(rows(model)), Origin(None, model._meta.listed_keys, 2))
    read_all(obj)
    assert set(obj.changes()) == {field.name}
    assert body_of(obj) == {field.write_key: field.encode(value)}


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_revert_leaves_nothing_changed(model: type[Model], data: st.DataObject) -> None:
    obj = hydrated(model, data.draw(rows(model)))
    read_all(obj)
    for field in model._meta.fields:
        if not field.read_only and not isinstance(field, (ForeignKey, CustomData)):
            setattr(obj, field.name, [] if field.mutable else None)
    if "custom" in model._meta.keys:
        obj.custom["Tier of test"] = ["Gold"]
    obj.revert()
    assert obj.changes() == {}
    read_all(obj)
    assert obj.changes() == {}


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_odd_objects_are_pickled_copied_and_dumped(model: type[Model], data: st.DataObject) -> None:
    row = data.draw(rows(model))
    obj = hydrated(model, row)
    read_all(obj)
    back = pickle.loads(pickle.dumps(obj))
    assert back == obj
    assert back._raw == row
    assert back.changes() == {}
    twin = copy.copy(obj)
    assert twin.id is None
    assert {"externalId", "sourceId", *model._meta.unique}.isdisjoint(twin._state.values)
    json.dumps(obj.to_dict(), default=str)


@BY_NAME
@EXAMPLES
@given(data=st.data())
def test_the_schema_reads_what_an_object_reads(model: type[Model], data: st.DataObject) -> None:
    row = data.draw(rows(model))
    obj = hydrated(model, row)
    if read_all(obj):
        return
    loaded = model.Schema().load(row)
    known = obj.to_dict()
    for name, value in loaded.items():
        if value is not None and not isinstance(
            model._meta.by_key.get(row_key(model, name)), (ReferenceList, CustomData)
        ):
            assert known[name] == value


def row_key(model: type[Model], name: str) -> str:
    """Return Planhat's name for a name in a dictionary."""
    return next(field.data_key for field in model._meta.fields if field.export_name == name)


@BY_NAME
def test_a_page_with_one_odd_row_is_listed_whole(model: type[Model], planhat_sandbox: Sandbox) -> None:
    plain, odd = planhat_sandbox.add(model), planhat_sandbox.add(model, extra=wrong_of(model))
    found = {one.id: one for one in model.objects.all()}
    assert found.keys() == {plain["_id"], odd["_id"]}
    with planhat_sandbox.assert_requests(0):
        assert read_held(found[plain["_id"]]) == []
        refused = read_held(found[odd["_id"]])
    assert refused


@BY_NAME
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_page_of_any_rows_is_listed_whole(model: type[Model], planhat_sandbox: Sandbox, data: st.DataObject) -> None:
    made = data.draw(st.lists(rows(model), min_size=2, max_size=8))
    planted = {
        planhat_sandbox.add(model, extra={key: value for key, value in row.items() if key not in KEPT})["_id"]: row
        for row in made
    }
    found = {one.id: one for one in model.objects.all()}
    assert found.keys() >= planted.keys()
    with planhat_sandbox.assert_requests(0):
        for key, row in planted.items():
            read_held(found[key])
            assert found[key].changes() == {}
            strange = {name for name in row if name not in model._meta.keys}
            # A list that is asked for the declared fields alone does not hold what is not declared.
            assert found[key].extra.keys() >= (strange - KEPT if not model._meta.default_select else set())


def wrong_of(model: type[Model]) -> dict[str, Any]:
    """Return a value of the wrong type for every property that may hold one."""
    return {
        field.data_key: 7 if field.mutable else {"odd": 1} for field in model._meta.fields if field.data_key not in KEPT
    }


def read_held(obj: Model) -> list[str]:
    """Read every field that is loaded; return the names of those that were refused."""
    refused = []
    for field in obj._meta.fields:
        try:
            if obj._holds(field.data_key):
                read(obj, field)
        except DecodeError:
            refused.append(field.name)
    return refused


@pytest.mark.parametrize(
    "model",
    [one for one in MODELS if not {"update", "bulk_upsert"} <= one._meta.not_offered.keys()],
    ids=lambda one: one.__name__,
)
def test_a_record_full_of_odd_values_is_saved_by_what_changed_alone(
    model: type[Model], planhat_sandbox: Sandbox
) -> None:
    field, value = settable(model)
    odd = {**wrong_of(model), "never heard of": {"odd": [1]}}
    odd.pop(field.data_key, None)
    # A ticket without an e-mail is dropped whole.
    needed = {"email": "kim@acme.example"} if "email" in model._meta.always_sent else {}
    row = planhat_sandbox.add(model, extra=odd | needed)
    [obj] = model.objects.filter(id=row["_id"])
    assert not obj.changes()
    setattr(obj, field.name, value)
    with planhat_sandbox.assert_requests(1):
        # Single tickets are not offered: a bulk upsert changes them.
        obj.save() if "update" in model._meta.operations else model.objects.bulk_upsert([obj])
    sent = planhat_sandbox.requests[-1].json
    body = sent[0] if isinstance(sent, list) else sent
    besides = {model._meta.by_key[key].write_key for key in model._meta.always_sent}
    besides |= {"_id"} if isinstance(sent, list) else set()
    assert {key: sent for key, sent in body.items() if key not in besides} == {field.write_key: field.encode(value)}
    assert not obj.changes()
    stored = planhat_sandbox.row(model, row["_id"])
    assert stored[field.data_key] == field.encode(value)
    assert stored["never heard of"] == {"odd": [1]} == obj.extra["never heard of"]


def test_an_object_with_an_odd_value_is_saved_after_another_field_changed(planhat_sandbox: Sandbox) -> None:
    wrong = {"customerFrom": {"odd": True}, "tags": 5, "owner": [1], "followers": "kim"}
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42", extra=wrong)
    acme = Company.objects.get(external_id="acme-42")
    for read_it in (lambda: acme.customer_from, lambda: acme.tags, lambda: acme.owner, lambda: acme.followers.ids):
        with pytest.raises(DecodeError, match=f"Company {acme.id}: "):
            read_it()
    acme.phase = "Live"
    with planhat_sandbox.assert_requests(1):
        acme.save()
    assert planhat_sandbox.requests[-1].json == {"phase": "Live"}
    assert planhat_sandbox.row(Company, acme.id)["tags"] == 5
    acme.tags = ["repaired"]
    acme.followers = []
    with planhat_sandbox.assert_requests(1):
        acme.save()
    assert planhat_sandbox.requests[-1].json == {"tags": ["repaired"], "followers": []}


def test_a_link_to_what_is_no_id_is_refused_on_that_read_alone(planhat_sandbox: Sandbox) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R")
    planhat_sandbox.add(Company, name="Odd", extra={"owner": "kim"})
    planhat_sandbox.add(Company, name="Plain", owner=kim)
    with planhat_sandbox.assert_requests(2):
        odd, plain = Company.objects.all()
        with pytest.raises(DecodeError, match=r"owner .* holds 'kim', not a Planhat id"):
            odd.owner  # noqa: B018 - reading is the point
        assert odd.owner_id == "kim"
        assert plain.owner is not None
        assert plain.owner.nick_name == "Kim"


def test_a_wrong_owner_does_not_keep_its_page_mates_from_loading(planhat_sandbox: Sandbox) -> None:
    kim = planhat_sandbox.add(User, email="kim@vendor.example", nick_name="Kim", first_name="K", last_name="R")
    for owner in ("kim", {"odd": 1}, 7, kim["_id"]):
        planhat_sandbox.add(Company, name="Acme", extra={"owner": owner})
    with planhat_sandbox.assert_requests(2):
        companies = list(Company.objects.all())
        assert companies[-1].owner is not None


def test_values_of_a_page_with_odd_rows_are_listed(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="Odd", extra={"customerFrom": "soon", "csmScore": [], "followers": 3})
    [values] = Company.objects.only("name", "customer_from", "csm_score", "followers").values()
    assert values["name"] == "Odd"
    assert values["customer_from"] == "soon"
    assert values["followers"] == 3
