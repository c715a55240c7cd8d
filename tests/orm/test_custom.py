"""The mapping of custom values behaves as a dictionary does, and knows what it would send."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.errors import DecodeError, FieldError, UnknownField, ValidationError
from planhat_orm.models import Company, Timesheet
from planhat_orm.orm import fields, tracking
from planhat_orm.orm.options import registry
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

SOME_ID = "64b0f1a2c3d4e5f60718293a"
KEYS = st.sampled_from(["Tier", "tier", "Days in Phase", "# Overdue", "Ünïcode 🦊", "a.b", "_id"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers(), max_size=2), st.just({"a": [1]})
)


class Custom(Company):
    """A company with a field of every type."""

    text: fields.Custom[str] = fields.Custom("Text", str)
    whole: fields.Custom[int] = fields.Custom("Whole", int)
    number: fields.Custom[float] = fields.Custom("Number", float)
    flag: fields.Custom[bool] = fields.Custom("Flag", bool)
    day: fields.Custom[date] = fields.Custom("Day", date)
    numbered: fields.Custom[date] = fields.Custom("Numbered", date, as_days=True)
    moment: fields.Custom[datetime] = fields.Custom("Moment", datetime)
    options: fields.Custom[list[str]] = fields.Custom("Options", list)


registry.pop("Custom")


def company(custom: Any = None, cls: Any = Company) -> Any:
    """Make the object of a row that was read whole, of no session."""
    row = {"_id": SOME_ID} if custom is None else {"_id": SOME_ID, "custom": custom}
    return cls._hydrated(row, Origin(None, cls._meta.keys, 1))


def sent(obj: Any) -> Any:
    """Return what a save would send of ``custom``."""
    return tracking.body_of(obj, tracking.pending(obj)).get("custom", {})


@given(stored=st.dictionaries(KEYS, VALUES), steps=st.lists(st.tuples(st.sampled_from("sdgpc"), KEYS, VALUES)))
def test_the_mapping_is_a_dictionary(stored: dict[str, Any], steps: list[tuple[str, str, Any]]) -> None:
    obj, model = company(dict(stored)), dict(stored)
    for step, key, value in steps:
        if step == "s":
            obj.custom[key] = value
            model[key] = value
        elif step == "d" and key in model:
            del obj.custom[key]
            del model[key]
        elif step == "g":
            assert obj.custom.get(key, "none") == model.get(key, "none")
        elif step == "p":
            assert obj.custom.pop(key, None) == model.pop(key, None)
        elif step == "c":
            obj.custom.clear()
            model.clear()
        assert dict(obj.custom) == model
        assert len(obj.custom) == len(model)
        assert obj.custom == model
        assert all((one in obj.custom) == (one in model) for one in ("Tier", "tier", "a.b"))
    assert obj._raw.get("custom", {}) == stored
    changed = {
        key: model.get(key)
        for key in {*model, *stored}
        if (model.get(key) or 0) is not (stored.get(key) or 0) and model.get(key) != stored.get(key)
    }
    nothing: tuple[Any, ...] = (None, [], {})
    for key, value in changed.items():
        if not (value in nothing and stored.get(key) in nothing):
            assert key in tracking.pending(obj).custom
    obj.revert()
    assert dict(obj.custom) == stored
    assert obj.changes() == {}


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_what_planhat_sends_for_no_custom_values_is_an_empty_mapping(nothing: Any) -> None:
    acme = company(nothing)
    assert dict(acme.custom) == {}
    assert acme.custom.get("Tier") is None
    acme.custom["Tier"] = "Gold"
    assert sent(acme) == {"Tier": "Gold"}


def test_custom_values_that_are_no_mapping_are_a_decode_error_on_reading_alone() -> None:
    acme = company([1])
    with pytest.raises(DecodeError, match=rf"Company {SOME_ID}: custom \(custom\) holds \[1\], not a mapping"):
        acme.custom["Tier"]
    assert "stored as [1]" in repr(acme.custom)
    acme.custom["Tier"] = "Gold"
    assert sent(acme) == {"Tier": "Gold"}
    assert acme.to_dict()["custom"] == [1]


def test_a_key_without_a_value_raises_with_a_suggestion() -> None:
    acme = company({"Tier": "Gold"})
    with pytest.raises(KeyError, match="holds no custom value 'tier'; did you mean 'Tier'"):
        acme.custom["tier"]
    with pytest.raises(KeyError, match=r"\.get\(\) gives None"):
        acme.custom["Something else"]
    assert 3 not in acme.custom


def test_keys_are_no_attributes() -> None:
    acme = company({"Tier": "Gold"})
    with pytest.raises(AttributeError, match=r"write custom\['Tier'\]"):
        acme.custom.Tier  # noqa: B018
    with pytest.raises(AttributeError, match=r"write custom\['Tier'\] = "):
        acme.custom.Tier = "Silver"


def test_wrong_names_and_values_are_refused_and_change_nothing() -> None:
    acme = company({"Tier": "Gold"})
    for name in ("", " ", 3, None):
        with pytest.raises(FieldError, match="a custom field has a name"):
            acme.custom[name] = 1
    for value in (object(), float("nan"), {1: 2}, b"x", datetime(2025, 1, 1)):
        with pytest.raises(ValidationError, match=r"Company is not valid: custom\.Tier: "):
            acme.custom["Tier"] = value
    with pytest.raises(ValidationError):
        acme.custom = {"Seats": 5, "Bad": object()}
    with pytest.raises(FieldError, match="must be a mapping"):
        acme.custom = ["Tier"]
    assert acme.changes() == {}


def test_containers_that_were_set_are_copies() -> None:
    acme, regions = company(), ["EU"]
    acme.custom["Regions"] = regions
    regions.append("US")
    assert sent(acme) == {"Regions": ["EU"]}
    acme.custom["Regions"].append("APAC")
    assert sent(acme) == {"Regions": ["EU", "APAC"]}


def test_what_is_sent_is_no_part_of_the_object() -> None:
    acme = company({"Regions": ["EU"]})
    acme.custom["Regions"].append("US")
    body = sent(acme)
    acme.custom["Regions"].append("APAC")
    assert body == {"Regions": ["EU", "US"]}


def test_setting_and_asking_cost_nothing_where_custom_is_not_loaded(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="Acme", custom={"Tier": "Silver", "Seats": 5})
    [lean] = Company.objects.only("name")
    with planhat_sandbox.assert_requests(2):  # the definitions, since it is not known what the record carries; the PUT
        lean.custom["Tier"] = "Gold"
        lean.custom["Gone"] = None
        assert lean.custom["Tier"] == "Gold"
        assert lean.changes() == {"custom.Tier": (None, "Gold"), "custom.Gone": (None, None)}
        lean.save()
    assert planhat_sandbox.requests[-1].json == {"custom": {"Tier": "Gold", "Gone": None}}
    with planhat_sandbox.assert_requests(0):
        assert dict(lean.custom) == {"Tier": "Gold", "Seats": 5}


def test_an_empty_answer_does_not_make_unknown_custom_values_known(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="Acme", custom={"Tier": "Silver", "Seats": 5})
    [lean] = Company.objects.only("name")
    lean.custom["Tier"] = "Gold"
    with planhat_sandbox.fault("empty", method="PUT"):
        lean.save()
    with planhat_sandbox.assert_requests(1):
        assert dict(lean.custom) == {"Tier": "Gold", "Seats": 5}


@pytest.mark.parametrize(
    ("name", "stored", "read", "assigned", "wire"),
    [
        ("text", "Gold", "Gold", "Silver", "Silver"),
        ("text", 5, "5", "x", "x"),
        ("whole", 3.5, 3.5, 4, 4),
        ("number", "2.5", 2.5, 3, 3),
        ("flag", "", None, True, True),
        ("day", "2025-03-31T22:00:00.000Z", date(2025, 4, 1), date(2025, 4, 2), "2025-04-02T00:00:00.000Z"),
        ("day", 20454, date(2026, 1, 1), date(2026, 1, 2), 20455),
        ("day", None, None, date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
        ("numbered", 20454, date(2026, 1, 1), date(2026, 1, 2), 20455),
        ("numbered", "2025-03-31T22:00:00Z", date(2025, 4, 1), date(2025, 4, 2), "2025-04-02T00:00:00.000Z"),
        ("numbered", None, None, date(2026, 1, 2), 20455),
        ("day", 20454, date(2026, 1, 1), None, None),
        (
            "moment",
            "2025-01-01T00:00:00.000Z",
            datetime(2025, 1, 1, tzinfo=UTC),
            datetime(2025, 1, 2, tzinfo=UTC),
            "2025-01-02T00:00:00.000Z",
        ),
        ("options", ["a"], ["a"], ["b"], ["b"]),
        ("options", None, None, ("a", "b"), ["a", "b"]),
    ],
)
def test_declared_fields_convert_both_ways(name: str, stored: Any, read: Any, assigned: Any, wire: Any) -> None:
    label = Custom._meta.field(name).label
    obj = company({label: stored}, Custom)
    assert getattr(obj, name) == read
    assert obj.changes() == {}
    setattr(obj, name, assigned)
    assert sent(obj) == {label: wire}
    assert obj.custom[label] == wire


@pytest.mark.parametrize(
    ("stored", "assigned", "wire"),
    [
        (None, date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
        ("2025-03-31T22:00:00.000Z", date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
        (20454, date(2026, 1, 2), 20455),
        (True, date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
        (20454, datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        (None, [date(2026, 1, 2)], ["2026-01-02T00:00:00.000Z"]),
    ],
)
def test_dates_that_are_set_by_key_are_sent_in_the_form_of_what_they_replace(
    stored: Any, assigned: Any, wire: Any
) -> None:
    obj = company({"Due": stored})
    obj.custom["Due"] = assigned
    assert sent(obj) == {"Due": wire}


def test_a_day_that_was_sent_as_a_number_is_clean_when_it_comes_back() -> None:
    obj = company({"Due": 20454})
    obj.custom["Due"] = date(2026, 1, 1)
    assert obj.changes() == {}
    obj.custom["Due"] = date(2026, 1, 2)
    found = tracking.pending(obj)
    obj._merge({**obj._raw, "custom": {"Due": 20455}}, obj._origin, tracking.sent_of(obj, found))
    assert (obj.changes(), obj.custom["Due"]) == ({}, 20455)


def test_a_datetime_without_a_zone_is_refused_where_it_is_set() -> None:
    obj = company({})
    with pytest.raises(ValidationError, match=r"custom\.Due: is a datetime without a time zone"):
        obj.custom["Due"] = datetime(2026, 1, 2)
    assert obj.changes() == {}


def test_an_object_without_custom_values_says_so() -> None:
    assert Timesheet._meta.custom is None
    with pytest.raises(UnknownField, match="Timesheet has no field 'custom'"):
        Timesheet(custom={"Tier": "Gold"})
    sheet = Timesheet._hydrated({"_id": "64b0f1a2c3d4e5f60718293a", "custom": {"odd": 1}}, None)
    assert sheet.extra == {"custom": {"odd": 1}}
    with pytest.raises(UnknownField):
        sheet.custom  # noqa: B018


def test_a_declared_field_is_exported_as_it_reads() -> None:
    obj = company({"Whole": "7", "Options": ["a"], "Day": "soon"}, Custom)
    exported = dict(Custom._meta.field(name).export(obj) for name in ("whole", "options", "day", "text", "owner_id"))
    assert exported == {"whole": 7, "options": ["a"], "day": "soon", "text": None, "owner_id": None}
    exported["options"].append("b")
    assert obj.changes() == {}


def test_a_declared_field_that_cannot_be_read_says_where_its_value_is() -> None:
    obj = company({"Whole": "many", "Options": "a,b"}, Custom)
    with pytest.raises(DecodeError, match=r"whole \(custom\.Whole\) holds 'many', not a number; \.custom\['Whole'\]"):
        obj.whole  # noqa: B018
    with pytest.raises(DecodeError, match="not a list"):
        obj.options  # noqa: B018
    assert obj.text is None
    assert Custom(name="x", text="a").custom == {"Text": "a"}


# Values that JSON cannot say


def deep(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("name", ["domains", "tags", "custom"])
def test_values_that_hold_themselves_are_refused_when_they_are_assigned(name: str) -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    value: Any = circle if name == "custom" else [circle]
    company = Company(name="Acme")
    with pytest.raises((FieldError, ValidationError), match="nested too deeply, or holds itself"):
        setattr(company, name, value)
    assert company.changes() == {"name": (None, "Acme")}


def test_values_that_are_too_deep_are_refused() -> None:
    company = Company(name="Acme")
    with pytest.raises(ValidationError, match=r"custom\.Deep.*nested too deeply"):
        company.custom["Deep"] = deep(100_000)
    company.custom["Deep"] = deep(50)
    company.full_clean()


def test_a_circle_made_in_place_is_refused_when_it_is_saved(planhat_sandbox: Sandbox) -> None:
    company = Company.objects.create(name="Acme", custom={"L": [1]})
    company.custom["L"].append(company.custom["L"])
    with planhat_sandbox.assert_requests(0), pytest.raises((FieldError, ValidationError), match="holds itself"):
        company.save()
