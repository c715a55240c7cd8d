"""Custom keys are held against the tenant's definitions before a write. Requests are counted."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ConfigurationError, ReadOnlyError, ServerError, ValidationError
from planhat_orm.models import Company, CustomField, Enduser, Product, TimeEntry
from planhat_orm.orm import definitions, fields
from planhat_orm.orm.definitions import Definition, model_of, parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

LIST = "GET /customfields"


class Account(Company):
    """A company with a tenant's own fields, of the registry's own name for it."""

    tier: fields.Custom[str] = fields.Custom("Tier", str)
    go_live: fields.Custom[date] = fields.Custom("Go live", date)
    kick_off: fields.Custom[date] = fields.Custom("Kick-off", date)


def define(box: Sandbox, name: str, type: str, **values: Any) -> None:
    box.add(CustomField, name=name, type=type, **{"parent": "company", **values})


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """A tenant with a company and definitions of several types."""
    define(planhat_sandbox, "Tier", "list", list_values=["Gold", "Silver"])
    define(planhat_sandbox, "Regions", "multipicklist", list_values=["EU", "US"])
    define(planhat_sandbox, "Seats", "number")
    define(planhat_sandbox, "Won", "checkbox")
    define(planhat_sandbox, "Notes", "rich text")
    define(planhat_sandbox, "Go live", "day")
    define(planhat_sandbox, "Kick-off", "date")
    define(planhat_sandbox, "Score", "number", is_formula=True)
    define(planhat_sandbox, "Sponsor", "enduser")
    define(planhat_sandbox, "Main deal", "text", extra={"type": "deal"})
    define(planhat_sandbox, "Role", "text", parent="EndUser")
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42", custom={"Tier": "Silver", "Old": 1})
    return planhat_sandbox


@pytest.fixture
def acme(box: Sandbox) -> Company:
    return Company.objects.get(external_id="acme-42")


@pytest.fixture(params=["auto", "always", "never"])
def session(box: Sandbox, request: pytest.FixtureRequest) -> Iterator[Session]:
    with box.session(check_custom=request.param) as session:
        yield session


def sent(box: Sandbox, since: int = 0) -> list[str]:
    return [f"{request.method} {request.path}" for request in box.requests[since:]]


# auto


def test_a_key_that_the_record_carries_needs_nothing(box: Sandbox, acme: Company) -> None:
    acme.custom["Tier"] = "Gold"
    acme.custom["Old"] = 2
    with box.assert_requests(1):
        acme.save()
    assert box.requests[-1].json == {"custom": {"Tier": "Gold", "Old": 2}}


def test_a_new_key_is_looked_up_once_for_the_session(box: Sandbox, acme: Company) -> None:
    acme.custom["Seats"] = 12
    with box.assert_requests(2):
        acme.save()
    assert sent(box)[-2:] == [LIST, f"PUT /companies/{acme.id}"]
    acme.custom["Won"] = True
    with box.assert_requests(1):
        acme.save()
    with box.assert_requests(1):
        Company.objects.create(name="Birch", custom={"Tier": "Gold", "Seats": 3})
    with box.assert_requests(1):
        Enduser.objects.create(company=acme, email="ada@acme.example", custom={"Role": "Champion"})


def test_writes_without_custom_values_look_nothing_up(box: Sandbox, acme: Company) -> None:
    acme.phase = "Live"
    with box.assert_requests(2):
        acme.save()
        Company.objects.create(name="Birch")


@pytest.mark.parametrize("name", ["Seets", "seats", "SEATS"])
def test_a_misspelt_name_is_refused_before_the_write_with_a_suggestion(box: Sandbox, acme: Company, name: str) -> None:
    acme.custom[name] = 12
    with box.assert_requests(1), pytest.raises(ValidationError, match="did you mean 'Seats'") as caught:
        acme.save()
    assert set(caught.value.messages) == {f"custom.{name}"}
    assert sent(box)[-1] == LIST
    acme.revert()
    assert acme.changes() == {}


def test_a_name_that_is_like_no_other_is_refused_with_the_way_to_make_one(box: Sandbox, acme: Company) -> None:
    acme.custom["Birthday"] = "x"
    with pytest.raises(ValidationError, match=r"no custom field 'Birthday' of Company; CustomField.objects.create\(\)"):
        acme.save()


def test_a_field_of_another_object_is_none_of_this_one(box: Sandbox, acme: Company) -> None:
    acme.custom["Role"] = "x"
    with pytest.raises(ValidationError, match="no custom field 'Role' of Company"):
        acme.save()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Tier", "Glod", "'Glod' is not among its options; did you mean 'Gold'"),
        ("Regions", ["EU", "Mars"], "'Mars' is not among its options: 'EU', 'US'"),
        ("Seats", "twelve", "must be a number"),
        ("Won", "yes", "must be True or False"),
        ("Notes", 3, "must be a text"),
        ("Go live", "soon", "must be a date, or the number of days"),
        ("Score", 3, "computed by Planhat"),
        ("Sponsor", "ada", "must be a Planhat id"),
    ],
)
def test_what_a_definition_does_not_allow_is_refused_before_the_write(
    box: Sandbox, name: str, value: Any, said: str
) -> None:
    with box.assert_requests(1), pytest.raises(ValidationError, match=said) as caught:
        Company.objects.create(name="Birch", custom={name: value})
    assert set(caught.value.messages) == {f"custom.{name}"}
    assert box.count(Company) == 1


def test_a_field_of_an_unknown_type_takes_anything(box: Sandbox) -> None:
    with box.assert_requests(2):
        Company.objects.create(name="Birch", custom={"Main deal": {"any": ["thing"]}})


def test_all_complaints_come_at_once(box: Sandbox, acme: Company) -> None:
    acme.custom.update({"Seets": 1, "Seats": "x", "Won": True})
    with pytest.raises(ValidationError) as caught:
        acme.save()
    assert set(caught.value.messages) == {"custom.Seets", "custom.Seats"}


def test_clearing_a_key_needs_its_name_alone(box: Sandbox, acme: Company) -> None:
    acme.custom["Tier"] = None
    with box.assert_requests(1):
        acme.save()
    assert "Tier" not in box.row(Company, acme.id)["custom"]


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The minutes that have passed by the definitions' clock."""
    passed = [0.0]
    monkeypatch.setattr(definitions, "clock", lambda: passed[0] * 60)
    return passed


def test_refused_saves_do_not_read_the_definitions_each_time(box: Sandbox, minutes: list[float]) -> None:
    box.add_many(Company, ({"name": f"C{n}", "external_id": f"c-{n}"} for n in range(5)))
    companies = list(Company.objects.all())
    with box.assert_requests(1):
        for company in companies:
            company.custom["Seets"] = 1
            with pytest.raises(ValidationError, match="did you mean 'Seats'"):
                company.save()
    with pytest.raises(ValidationError, match=r"less than 60 s ago.*session\.forget\(CustomField\)"):
        companies[0].save()
    minutes[0] = 1.1
    with box.assert_requests(1), pytest.raises(ValidationError) as caught:
        companies[0].save()
    assert "60 s" not in str(caught.value)
    with box.assert_requests(0), pytest.raises(ValidationError, match="60 s"):
        companies[1].save()


def test_a_field_that_was_added_meanwhile_is_found(box: Sandbox, acme: Company, minutes: list[float]) -> None:
    acme.custom["Seats"] = 12
    acme.save()
    define(box, "Team", "text")
    acme.custom["Team"] = "x"
    with box.assert_requests(0), pytest.raises(ValidationError, match="no custom field 'Team'"):
        acme.save()
    minutes[0] = 1.1
    with box.assert_requests(2):
        acme.save()
    CustomField.objects.create(name="Plan", parent="company", type="list", list_values=["Basic"])
    acme.custom["Plan"] = "Basic"
    with box.assert_requests(2):
        acme.save()
    assert sent(box)[-2:] == [LIST, f"PUT /companies/{acme.id}"]
    acme.custom["Segment"] = "x"
    with box.assert_requests(0), pytest.raises(ValidationError, match="no custom field 'Segment'"):
        acme.save()


def test_a_field_that_this_session_made_or_changed_is_known(box: Sandbox) -> None:
    with box.assert_requests(2):
        Product.objects.create(name="Platform", custom={"Shade": "blue"})
    until = CustomField.objects.create(name="Until", parent="product", type="day")
    with box.assert_requests(2):
        Product.objects.create(name="Support", custom={"Until": date(2026, 1, 1)})
    assert box.requests[-1].json["custom"] == {"Until": 20454}
    until.type = "date"
    until.save()
    with box.assert_requests(2):
        Product.objects.create(name="Training", custom={"Until": date(2026, 1, 1)})
    assert box.requests[-1].json["custom"] == {"Until": "2026-01-01T00:00:00.000Z"}


def test_values_that_were_not_loaded_are_looked_up(box: Sandbox) -> None:
    [acme] = Company.objects.only("name")
    acme.custom["Tier"] = "Gold"
    with box.assert_requests(2):
        acme.save()
    assert box.requests[-1].json == {"custom": {"Tier": "Gold"}}


def test_an_option_that_was_retired_may_stay_in_a_list_that_holds_it(box: Sandbox) -> None:
    box.add(Company, name="Birch", external_id="birch", custom={"Regions": ["Mars", "EU"]})
    birch = Company.objects.get(external_id="birch")
    birch.custom["Seats"] = 5  # has the definitions read, so that from now on all is checked by them
    birch.save()
    birch.custom["Regions"].append("US")
    birch.save()
    assert box.requests[-1].json == {"custom": {"Regions": ["Mars", "EU", "US"]}}
    birch.custom["Regions"].append("Venus")
    with pytest.raises(ValidationError, match="'Venus' is not among its options"):
        birch.save()


def test_a_class_of_the_tenants_own_is_checked_as_planhats(box: Sandbox) -> None:
    with box.assert_requests(2):
        Account.objects.create(name="Birch", tier="Gold")
    with box.assert_requests(0), pytest.raises(ValidationError, match="'Glod' is not among its options"):
        Account.objects.create(name="Cedar", tier="Glod")


# Keys that the record carries


CARRIED = {"Tier": "Silver", "Seats": 5, "Go live": 20000, "Kick-off": 20000, "Won": True, "Old": 1}


@pytest.fixture
def birch(box: Sandbox) -> Company:
    box.add(Company, name="Birch", external_id="birch-7", custom=CARRIED)
    return Company.objects.get(external_id="birch-7")


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("Seats", "12", "must be a number"),
        ("Seats", ["12"], "must be a number"),
        ("Tier", 3, "text"),
        ("Won", "yes", "true or false|bool|True or False"),
        ("Go live", "soon", "must be a date"),
    ],
)
def test_a_value_of_another_type_than_the_stored_one_is_looked_up(
    box: Sandbox, birch: Company, key: str, value: Any, complaint: str
) -> None:
    birch.custom[key] = value
    with box.assert_requests(1), pytest.raises(ValidationError, match=complaint):
        birch.save()
    assert sent(box)[-1:] == [LIST]
    assert box.row(Company, birch.id)["custom"] == CARRIED


@pytest.mark.parametrize("value", [date(2026, 3, 2), datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02"])
def test_a_day_in_any_form_is_stored_in_that_of_its_field(box: Sandbox, birch: Company, value: Any) -> None:
    birch.custom["Go live"] = value
    birch.save()
    assert box.requests[-1].json == {"custom": {"Go live": 20514}}


@pytest.mark.parametrize("mode", ["auto", "always"])
def test_a_date_over_a_number_in_a_field_of_timestamps_is_sent_as_a_timestamp_once_the_type_is_known(
    box: Sandbox, birch: Company, mode: Any
) -> None:
    with box.session(check_custom=mode) as session:
        definitions.definitions_of(session, Company)
        mine = Company.objects.get(external_id="birch-7")
        mine.custom["Kick-off"] = date(2026, 3, 2)
        with box.assert_requests(1):
            mine.save()
    assert box.requests[-1].json == {"custom": {"Kick-off": "2026-03-02T00:00:00.000Z"}}


def test_once_the_definitions_were_read_all_that_is_written_is_held_against_them(box: Sandbox, birch: Company) -> None:
    birch.custom["Regions"] = ["EU"]
    birch.save()
    birch.custom["Tier"] = "Glod"
    with box.assert_requests(0), pytest.raises(ValidationError, match="did you mean 'Gold'"):
        birch.save()
    birch.revert()
    birch.custom["Old"] = "two"  # what no definition is for, and is there, is nobody's slip
    with box.assert_requests(1):
        birch.save()


# Days and dates


def test_days_are_sent_in_the_form_of_their_field(box: Sandbox, acme: Company) -> None:
    acme.custom["Go live"] = date(2026, 1, 1)
    acme.custom["Kick-off"] = date(2026, 1, 1)
    with box.assert_requests(2):
        acme.save()
    assert box.requests[-1].json == {"custom": {"Go live": 20454, "Kick-off": "2026-01-01T00:00:00.000Z"}}
    with box.assert_requests(0):
        assert acme.custom["Go live"] == 20454
        assert acme.custom["Kick-off"] == "2026-01-01T00:00:00.000Z"
        assert acme.changes() == {}


def test_a_day_over_a_stored_one_needs_no_definition(box: Sandbox) -> None:
    stored = {"Go live": 20000, "Kick-off": "2025-01-01T00:00:00.000Z"}
    box.add(Company, name="Birch", external_id="birch-7", custom=stored)
    birch = Company.objects.get(external_id="birch-7")
    birch.custom.update({"Go live": date(2026, 1, 1), "Kick-off": date(2026, 1, 1)})
    with box.assert_requests(1):
        birch.save()
    assert box.requests[-1].json == {"custom": {"Go live": 20454, "Kick-off": "2026-01-01T00:00:00.000Z"}}
    birch.custom["Go live"] = date(2026, 1, 1)
    assert birch.changes() == {}


def test_a_declared_date_is_sent_and_read_as_its_field_holds_it(box: Sandbox) -> None:
    with box.assert_requests(2):
        birch = Account.objects.create(name="Birch", go_live=date(2026, 1, 1), kick_off=date(2026, 1, 2))
    custom = {"Go live": 20454, "Kick-off": "2026-01-02T00:00:00.000Z"}
    assert box.requests[-1].json["custom"] == custom
    assert (birch.go_live, birch.kick_off) == (date(2026, 1, 1), date(2026, 1, 2))
    birch.go_live = date(2026, 1, 1)
    assert birch.changes() == {}


def test_a_time_for_a_day_is_sent_as_its_day(box: Sandbox, acme: Company) -> None:
    acme.custom["Go live"] = datetime(2026, 1, 1, tzinfo=UTC)
    acme.save()
    assert box.requests[-1].json == {"custom": {"Go live": 20454}}


# In bulk


def test_a_bulk_upsert_looks_definitions_up_once(box: Sandbox) -> None:
    rows = [{"name": f"C{n}", "external_id": f"c-{n}", "custom": {"Go live": date(2026, 1, 1)}} for n in range(50)]
    with box.assert_requests(2):
        Company.objects.bulk_upsert(rows)
    assert sent(box)[-2:] == [LIST, "PUT /companies"]
    assert {item["custom"]["Go live"] for item in box.requests[-1].json} == {20454}
    assert rows[0]["custom"] == {"Go live": date(2026, 1, 1)}


def test_a_bulk_upsert_with_a_misspelt_name_sends_nothing_and_names_the_item(box: Sandbox) -> None:
    rows = [
        {"name": "Birch", "external_id": "b", "custom": {"Seats": 1}},
        {"name": "Cedar", "external_id": "c", "custom": {"Seets": 1}},
    ]
    with box.assert_requests(1), pytest.raises(ValidationError, match=r"items\[1\].*did you mean 'Seats'"):
        Company.objects.bulk_upsert(rows)
    assert box.count(Company) == 1


# always, never


def test_what_each_setting_asks_for(box: Sandbox, session: Session) -> None:
    acme = Company.objects.get(external_id="acme-42")
    acme.custom["Tier"] = "Gold"
    with box.assert_requests(2 if session.check_custom == "always" else 1):
        acme.save()
    with box.assert_requests({"auto": 2, "always": 1, "never": 1}[session.check_custom]):
        Company.objects.create(name="Birch", custom={"Tier": "Gold"})


def test_always_refuses_what_auto_lets_pass_on_a_key_that_is_there(box: Sandbox, session: Session) -> None:
    acme = Company.objects.get(external_id="acme-42")
    acme.custom["Old"] = 2
    if session.check_custom == "always":
        with pytest.raises(ValidationError, match="no custom field 'Old'"):
            acme.save()
        acme.revert()
        acme.custom["Tier"] = "Glod"
        with pytest.raises(ValidationError, match="did you mean 'Gold'"):
            acme.save()
    else:
        acme.save()
        assert box.row(Company, acme.id)["custom"]["Old"] == 2


def test_what_no_definition_is_for_may_be_cleared(box: Sandbox, session: Session) -> None:
    acme = Company.objects.get(external_id="acme-42")
    del acme.custom["Old"]
    with box.assert_requests(1):
        acme.save()
    assert box.row(Company, acme.id)["custom"] == {"Tier": "Silver"}


def test_never_sends_whatever_is_set(box: Sandbox) -> None:
    with box.session(check_custom="never"), box.assert_requests(1):
        Company.objects.create(name="Birch", custom={"Seets": "x"})
    assert box.row(Company, name="Birch")["custom"] == {"Seets": "x"}


def test_a_session_that_may_not_write_looks_nothing_up(box: Sandbox) -> None:
    with box.session(read_only=True), box.assert_requests(0), pytest.raises(ReadOnlyError):
        Company.objects.create(name="Birch", custom={"Seats": 3})


def test_another_setting_is_refused(box: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="check_custom= is one of 'auto', 'always', 'never', not 'sometimes'"):
        box.session(check_custom="sometimes")


# Where nothing can be checked


def test_a_tenant_without_a_definition_of_the_object_is_warned_once(
    box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="planhat_orm"), box.assert_requests(3):
        for number in range(2):
            Product.objects.create(name=f"Product {number}", custom={"Shade": "blue"})
    [record] = [record for record in caplog.records if "not checked" in record.getMessage()]
    assert "no custom field whose parent is 'product'" in record.getMessage()
    assert box.row(Product, name="Product 1")["custom"] == {"Shade": "blue"}


@pytest.mark.parametrize("status", [403, 404])
def test_definitions_that_may_not_be_read_are_warned_of_once(
    box: Sandbox, acme: Company, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    box.fault("status", status=status, path="/customfields", times=None)
    with caplog.at_level(logging.WARNING, logger="planhat_orm"), box.assert_requests(3):
        for name in ("Seets", "Seats"):
            acme.custom[name] = 12
            acme.save()
    [record] = [record for record in caplog.records if "not checked" in record.getMessage()]
    assert "cannot be read" in record.getMessage()


def test_definitions_that_fail_to_be_read_keep_the_write_from_being_sent(
    box: Sandbox, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    from planhat_orm import Session

    monkeypatch.setattr(Session.current().transport, "_sleep", lambda seconds: None)
    fault = box.fault("status", status=500, path="/customfields", times=None)
    acme.custom["Seats"] = 12
    with pytest.raises(ServerError):
        acme.save()
    assert "PUT" not in {request.method for request in box.requests}
    assert acme.changes() == {"custom.Seats": (None, 12)}
    fault.lift()
    acme.save()
    assert box.row(Company, acme.id)["custom"]["Seats"] == 12


# Names of objects


def test_parents_are_compared_without_letter_case_and_spaces() -> None:
    assert parent_of(TimeEntry) == "timeentry"
    assert model_of("Time Entry") is TimeEntry
    assert model_of("COMPANY") is Company
    assert parent_of(Account) == "company"


def test_an_odd_definition_refuses_nothing(box: Sandbox) -> None:
    define(box, "Odd", "list", extra={"listValues": 7, "isFormula": "", "type": None})
    with box.assert_requests(2):
        Company.objects.create(name="Birch", custom={"Odd": ["any", "thing"]})
    odd = CustomField.objects.get(name="Odd")
    assert Definition.of(odd) == Definition("Odd", "", (), computed=False)
