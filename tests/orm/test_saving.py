"""Saving: what is sent, what is refused before a request, and what the object is afterwards. Requests are counted."""

from __future__ import annotations

import contextvars
import gc
import pickle
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.errors import (
    AmbiguousWrite,
    ApiError,
    FieldError,
    ObjectDeleted,
    ReadOnlyError,
    StaleObjectError,
    TransportError,
    ValidationError,
)
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.orm import fields
from planhat_orm.session.changes import Change, Outcome

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


class Account(Company):
    """A company with a tenant's own fields."""

    tier: fields.Custom[str] = fields.Custom("Tier", str)
    regions: fields.Custom[list[str]] = fields.Custom("Regions", list)
    renewal: fields.Custom[date] = fields.Custom("Renewal day", date, as_days=True)
    since: fields.Custom[date] = fields.Custom("Since", date)


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    return planhat_sandbox


@pytest.fixture
def acme(box: Sandbox) -> Company:
    custom = {"Tier": "Silver", "Regions": ["EU", "US"], "Contacts": [{"name": "Ada", "roles": ["CTO"]}]}
    box.add(Company, name="Acme", external_id="acme-42", phase="Live", tags=["old"], custom=custom)
    return Company.objects.get(external_id="acme-42")


@pytest.fixture
def quick(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for before something is sent again."""
    session = Session.current()
    monkeypatch.setattr(session.transport, "_sleep", lambda seconds: None)
    monkeypatch.setattr(session.writer, "_sleep", lambda seconds: None)


@pytest.fixture
def session_sends(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What is put in here is raised once an answer was there."""
    problems: list[BaseException] = []
    session = Session.current()
    send = session.transport.send

    def sending(request: Any) -> Any:
        response = send(request)
        if problems:
            raise problems.pop()
        return response

    monkeypatch.setattr(session.transport, "send", sending)
    return problems


def sent(box: Sandbox) -> Any:
    """Return the body of the last request."""
    return box.requests[-1].json


# What is sent


def test_saving_one_custom_key_sends_that_key_alone(box: Sandbox, acme: Company) -> None:
    acme.custom["Tier"] = "Gold"
    with box.assert_requests(1):
        outcome = acme.save()
    request = box.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/companies/{acme.id}")
    assert request.json == {"custom": {"Tier": "Gold"}}
    assert (outcome.status, outcome.change.after) == ("updated", {"custom": {"Tier": "Gold"}})
    assert outcome.change.before == {"custom": {"Tier": "Silver"}}
    assert box.row(Company, acme.id)["custom"]["Regions"] == ["EU", "US"]


def test_nothing_changed_sends_nothing(box: Sandbox, acme: Company) -> None:
    acme.phase = "Live"
    acme.custom["Tier"] = "Silver"
    acme.custom["Regions"] = ["EU", "US"]
    acme.tags = ["old"]
    assert acme.tags
    assert acme.custom["Contacts"]
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"


def test_a_value_set_back_is_no_change(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    acme.phase = "Live"
    acme.custom["Tier"] = "Gold"
    acme.custom["Tier"] = "Silver"
    acme.custom["New"] = 1
    del acme.custom["New"]
    acme.tags.append("new")
    acme.tags.remove("new")
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"


def test_none_clears_by_null_and_lists_by_an_empty_list(box: Sandbox, acme: Company) -> None:
    acme.phase = None
    acme.tags = None
    acme.custom["Tier"] = None
    acme.custom["Regions"] = None
    acme.followers = None
    acme.save()
    assert sent(box) == {"phase": None, "tags": [], "custom": {"Tier": None, "Regions": []}}
    assert acme.phase is None
    assert acme.tags == []
    assert "Tier" not in acme.custom
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"


def test_a_deleted_custom_key_is_cleared(box: Sandbox, acme: Company) -> None:
    del acme.custom["Tier"]
    assert "Tier" not in acme.custom
    acme.save()
    assert sent(box) == {"custom": {"Tier": None}}
    assert "Tier" not in box.row(Company, acme.id)["custom"]


def test_assigning_custom_replaces_the_whole(box: Sandbox, acme: Company) -> None:
    acme.custom = {"Tier": "Gold", "Seats": 5}
    acme.save()
    assert sent(box) == {"custom": {"Regions": [], "Contacts": [], "Tier": "Gold", "Seats": 5}}
    assert {key: value for key, value in acme.custom.items() if value} == {"Tier": "Gold", "Seats": 5}


def test_changes_deep_inside_a_custom_value_are_seen(box: Sandbox, acme: Company) -> None:
    acme.custom["Contacts"][0]["roles"].append("CEO")
    assert acme.changes() == {
        "custom.Contacts": ([{"name": "Ada", "roles": ["CTO"]}], [{"name": "Ada", "roles": ["CTO", "CEO"]}])
    }
    acme.save()
    assert sent(box) == {"custom": {"Contacts": [{"name": "Ada", "roles": ["CTO", "CEO"]}]}}


def test_calendar_days_and_times_are_sent_as_planhat_stores_them(box: Sandbox, acme: Company) -> None:
    acme.customer_from = date(2025, 4, 1)
    acme.custom["Signed"] = date(2025, 4, 2)
    note = Note(company=acme, date=datetime(2025, 4, 1, 9, 30, 0, 123456, timezone(timedelta(hours=2))))
    assert note.date == datetime(2025, 4, 1, 7, 30, 0, 123000, UTC)
    acme.save()
    assert sent(box) == {"customerFrom": "2025-04-01T00:00:00.000Z", "custom": {"Signed": "2025-04-02T00:00:00.000Z"}}
    note.save()
    assert sent(box)["date"] == "2025-04-01T07:30:00.123Z"
    acme.customer_from = date(2025, 4, 1)
    note.date = datetime(2025, 4, 1, 7, 30, 0, 123456, UTC)
    with box.assert_requests(0):
        acme.save()
        note.save()


def test_a_day_stored_with_an_offset_is_not_sent_again(box: Sandbox) -> None:
    box.add(Company, name="Acme", external_id="a", extra={"customerFrom": "2025-03-31T21:00:00.000Z"})
    acme = Company.objects.get(external_id="a")
    acme.customer_from = date(2025, 4, 1)
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"


def test_naive_times_are_refused_unless_the_session_names_their_zone(box: Sandbox) -> None:
    row = box.add(Company, name="Acme", external_id="a")
    note = Note(company_id=row["_id"], date=datetime(2025, 7, 1, 9))
    with box.assert_requests(0), pytest.raises(ValidationError, match="without a time zone"):
        note.save()
    with box.assert_requests(0), pytest.raises(ValidationError, match="without a time zone"):
        note.custom["When"] = datetime(2025, 7, 1, 9)
    with box.session(timezone="Europe/Stockholm"):
        other = Note(company_id=row["_id"], date=datetime(2025, 7, 1, 9))
        other.custom["When"] = datetime(2025, 7, 1, 9)
        other.save()
    assert sent(box)["date"] == "2025-07-01T07:00:00.000Z"
    assert sent(box)["custom"] == {"When": "2025-07-01T07:00:00.000Z"}


def test_what_planhat_has_under_names_nobody_declared_is_kept_and_never_sent(box: Sandbox) -> None:
    box.add(Company, name="Acme", external_id="a", extra={"mystery": {"x": 1}})
    acme = Company.objects.get(external_id="a")
    assert acme.extra == {"mystery": {"x": 1}}
    acme.extra["mystery"]["x"] = 2
    acme.phase = "Live"
    acme.save()
    assert sent(box) == {"phase": "Live"}
    assert acme.extra == {"mystery": {"x": 1}}


def test_a_new_object_sends_what_was_set(box: Sandbox) -> None:
    acme = Company(name="Acme", tags=[], phase=None, custom={"Tier": "Gold", "Seats": None})
    assert acme.changes() == {"name": (None, "Acme"), "custom.Tier": (None, "Gold")}
    with box.assert_requests(2):  # the definitions of custom fields, and the POST
        assert acme.save().status == "created"
    assert (box.requests[-1].method, box.requests[-1].path) == ("POST", "/companies")
    assert sent(box) == {"name": "Acme", "custom": {"Tier": "Gold"}}
    assert acme.id
    assert acme.status == "prospect"
    assert acme.changes() == {}
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"
        assert Company.objects.get(id=acme.id) is acme


def test_numbers_of_another_type_and_true_are_told_apart(box: Sandbox) -> None:
    box.add(Company, name="Acme", external_id="a", nps=8, custom={"Flag": 1})
    acme = Company.objects.get(external_id="a")
    acme.nps = 8.0
    with box.assert_requests(0):
        acme.save()
    acme.custom["Flag"] = True
    acme.save()
    assert sent(box) == {"custom": {"Flag": True}}


# What is refused before a request


def test_a_create_names_everything_that_is_missing_or_wrong_at_once(box: Sandbox) -> None:
    with box.assert_requests(0), pytest.raises(ValidationError) as caught:
        Enduser(email=3, first_name=b"Ada").save()  # type: ignore[arg-type]
    assert set(caught.value.messages) == {"email", "first_name", "company"}
    with box.assert_requests(0), pytest.raises(ValidationError) as caught:
        License().save()
    assert set(caught.value.messages) == {"company", "currency", "from_date", "mrr"}
    assert "is required, or one of value, to create a License" in str(caught.value)
    with box.assert_requests(0), pytest.raises(ValidationError) as caught:
        User(email=" ").full_clean()
    assert set(caught.value.messages) == {"nick_name", "email", "first_name", "last_name"}


def test_an_enduser_without_a_company_is_refused_since_planhat_would_drop_it(box: Sandbox) -> None:
    with box.assert_requests(0), pytest.raises(ValidationError, match="company: is required to create an Enduser"):
        Enduser.objects.create(email="ada@acme.example")


def test_a_create_answered_without_an_id_is_an_error_and_leaves_the_object_unsaved(box: Sandbox) -> None:
    missing = "64b0f1a2c3d4e5f60718ffff"  # no such company: the person is dropped and the answer is empty
    person = Enduser(company_id=missing, email="ada@acme.example")
    with pytest.raises((AmbiguousWrite, TransportError)):
        person.save()
    assert person.id is None
    assert set(person.changes()) == {"company", "email"}


def test_clearing_a_required_field_is_refused(box: Sandbox, acme: Company) -> None:
    for nothing in (None, "", "  "):
        acme.name = nothing
        with box.assert_requests(0), pytest.raises(ValidationError, match="name: is required and cannot be cleared"):
            acme.save()


def test_a_read_only_field_is_refused_when_it_is_assigned(acme: Company) -> None:
    for name in ("id", "pk", "status", "health", "updated_at", "embedded_licenses", "root", "root_id"):
        with pytest.raises(FieldError):
            setattr(acme, name, None)
    with pytest.raises(FieldError, match="health is read-only"):
        Company(health=3)
    assert acme.changes() == {}


def test_changes_inside_a_read_only_container_are_refused_rather_than_lost(box: Sandbox, acme: Company) -> None:
    acme.products.append("Pro")
    acme.phase = "Churning"
    with box.assert_requests(0), pytest.raises(ValidationError, match="products: is read-only"):
        acme.save()
    acme.products.remove("Pro")
    acme.save()
    assert sent(box) == {"phase": "Churning"}


def test_a_name_that_is_no_field_is_refused_with_a_suggestion(acme: Company) -> None:
    for name, meant in {"nme": "name", "externalId": "external_id", "Health": "health", "companyId": None}.items():
        with pytest.raises(FieldError) as caught:
            setattr(acme, name, 1)
        assert (f"did you mean {meant!r}" in str(caught.value)) is (meant is not None)
    with pytest.raises(FieldError, match="did you mean 'name'"):
        Company(nme="Acme")
    with pytest.raises(AttributeError, match="did you mean 'endusers'"):
        acme.enduser  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match="did you mean 'objects'"):
        Company.object  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(FieldError, match="endusers is no field"):
        acme.endusers = []  # type: ignore[assignment]


def test_custom_keys_that_differ_in_case_only_are_refused(box: Sandbox, acme: Company) -> None:
    acme.custom["seats"] = 1
    acme.custom["Seats"] = 2
    with box.assert_requests(0), pytest.raises(ValidationError, match="letter case only"):
        acme.save()


def test_a_read_only_session_writes_nothing(box: Sandbox, acme: Company) -> None:
    with box.session(read_only=True):
        mine = Company.objects.get(external_id="acme-42")
        mine.phase = "Churning"
        with box.assert_requests(0):
            with pytest.raises(ReadOnlyError):
                mine.save()
            with pytest.raises(ReadOnlyError):
                mine.delete()
        assert mine.changes() == {"phase": ("Live", "Churning")}


# Staleness


def test_a_value_that_moved_at_planhat_is_not_overwritten_unless_forced(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    acme.custom["Tier"] = "Gold"
    box.change(Company, acme.id, phase="Onboarding", custom={"Tier": "Bronze"}, city="Lund")
    acme.refresh_from_db()
    assert acme.city == "Lund"
    assert acme.phase == "Churning"
    assert acme.conflicts() == {"phase": ("Onboarding", "Churning"), "custom.Tier": ("Bronze", "Gold")}
    with box.assert_requests(0), pytest.raises(StaleObjectError) as caught:
        acme.save()
    assert set(caught.value.conflicts) == {"phase", "custom.Tier"}
    acme.save(force=True)
    assert sent(box) == {"phase": "Churning", "custom": {"Tier": "Gold"}}
    assert acme.conflicts() == {}


def test_reverting_takes_the_values_of_planhat(box: Sandbox, acme: Company) -> None:
    tags, regions = acme.tags, acme.custom["Regions"]
    tags.append("new")
    regions.append("APAC")
    acme.phase = "Churning"
    acme.custom["New"] = 1
    acme.followers.add("64b0f1a2c3d4e5f60718293a")
    acme.revert()
    assert acme.changes() == {}
    assert (tags, regions) == (["old"], ["EU", "US"])
    assert acme.phase == "Live"
    tags.append("later")
    assert acme.changes() == {"tags": (["old"], ["old", "later"])}


def test_a_value_that_moved_and_came_back_is_no_conflict(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    box.change(Company, acme.id, phase="Onboarding")
    acme.refresh_from_db()
    box.change(Company, acme.id, phase="Live")
    acme.refresh_from_db()
    assert acme.conflicts() == {}
    acme.save()
    assert sent(box) == {"phase": "Churning"}


def test_a_value_that_planhat_has_already_is_neither_sent_nor_a_conflict(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    acme.tags = ["new"]
    acme.custom["Tier"] = "Gold"
    box.change(Company, acme.id, phase="Churning", tags=["new"], custom={"Tier": "Gold"})
    acme.refresh_from_db()
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"


def test_a_list_whose_rows_came_in_keeps_what_is_dirty(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    box.change(Company, acme.id, city="Lund")
    [listed] = Company.objects.all()
    assert listed is acme
    assert (acme.phase, acme.city) == ("Churning", "Lund")
    assert set(acme.changes()) == {"phase"}


# What the object is afterwards


def test_held_lists_stay_live_over_saves_and_refreshes(box: Sandbox, acme: Company) -> None:
    tags, regions = acme.tags, acme.custom["Regions"]
    tags.append("new")
    acme.save()
    assert tags is acme.tags
    box.change(Company, acme.id, tags=["moved"], custom={"Regions": ["LATAM"]})
    acme.refresh_from_db()
    assert (tags, regions) == (["moved"], ["LATAM"])
    tags.append("again")
    regions.clear()
    acme.save()
    assert sent(box) == {"tags": ["moved", "again"], "custom": {"Regions": []}}


def test_a_list_that_was_assigned_is_the_objects_own(box: Sandbox, acme: Company) -> None:
    mine = ["a"]
    acme.tags = mine
    mine.append("b")
    acme.save()
    assert sent(box) == {"tags": ["a"]}


def test_a_change_made_while_a_save_is_in_flight_stays(
    box: Sandbox, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.phase = "Churning"
    acme.custom["Tier"] = "Gold"
    tags = acme.tags
    tags.append("one")
    writer = Session.current().writer
    write_one = writer.write_one

    def slow(change: Change) -> Outcome:
        acme.phase = "Lost"
        outcome = write_one(change)
        acme.city = "Lund"
        acme.custom["Tier"] = "Bronze"
        tags.append("two")
        return outcome

    monkeypatch.setattr(writer, "write_one", slow)
    acme.save()
    monkeypatch.undo()
    assert sent(box) == {"phase": "Churning", "custom": {"Tier": "Gold"}, "tags": ["old", "one"]}
    assert acme.changes() == {
        "phase": ("Churning", "Lost"),
        "city": (None, "Lund"),
        "custom.Tier": ("Gold", "Bronze"),
        "tags": (["old", "one"], ["old", "one", "two"]),
    }
    acme.save()
    assert sent(box) == {"phase": "Lost", "city": "Lund", "custom": {"Tier": "Bronze"}, "tags": ["old", "one", "two"]}


def test_two_saves_of_one_new_object_create_it_once(box: Sandbox) -> None:
    acme = Company(name="Acme")
    outcomes: list[str] = []
    with box.fault("latency", seconds=0.1, method="POST"):
        contexts = [contextvars.copy_context() for _ in range(3)]
        threads = [
            threading.Thread(target=context.run, args=(lambda: outcomes.append(acme.save().status),))
            for context in contexts
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["created", "unchanged", "unchanged"]
    assert box.count(Company) == 1


def test_a_save_that_failed_leaves_the_object_as_it_was(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    with box.fault("status", status=400, method="PUT"), pytest.raises(Exception, match="400"):
        acme.save()
    assert acme.changes() == {"phase": ("Live", "Churning")}
    acme.save()
    assert box.row(Company, acme.id)["phase"] == "Churning"


def test_an_empty_answer_to_an_update_is_success(box: Sandbox, acme: Company) -> None:
    acme.phase = "Churning"
    acme.custom["Tier"] = "Gold"
    acme.tags.append("new")
    with box.fault("empty", method="PUT"):
        acme.save()
    assert acme.changes() == {}
    assert (acme.phase, acme.custom["Tier"], acme.custom["Regions"]) == ("Churning", "Gold", ["EU", "US"])
    acme.tags.append("newer")
    assert acme.changes() == {"tags": (["old", "new"], ["old", "new", "newer"])}


def test_an_empty_answer_does_not_make_a_reference_out_of_an_own_key(box: Sandbox, acme: Company) -> None:
    person = box.add(Enduser, company=box.add(Company, name="Other"), email="ada@acme.example")
    ada = Enduser.objects.get(id=person["_id"])
    ada.company = Company.ref(external_id="acme-42")
    with box.fault("empty", method="PUT"):
        ada.save()
    with box.assert_requests(1):
        assert ada.company_id == acme.id
    with box.assert_requests(0):
        assert ada.company is acme


def test_what_only_a_get_shows_is_not_taken_for_absent_after_a_save(box: Sandbox) -> None:
    company = box.add(Company, name="Acme", external_id="a")
    box.add(License, company=company, currency="EUR", from_date=date(2025, 1, 1), mrr=5)
    [acme] = Company.objects.all()
    acme.phase = "Live"
    # As the page documents it: copies of the licences come with a get only.
    change = Change(Company, acme.id, {}, {"phase": "Live"})
    acme._written(Session.current(), Outcome(change, "updated", {**company, "phase": "Live"}, 10**9), {"custom": {}})
    assert acme.phase == "Live"
    with box.assert_requests(1):
        assert len(acme.embedded_licenses) == 1


def test_fields_that_were_never_loaded_are_not_sent(box: Sandbox, acme: Company) -> None:
    company_id = acme.id
    del acme
    gc.collect()
    with box.session():
        [lean] = Company.objects.only("name")
        lean.city = "Lund"
        lean.custom["Tier"] = "Gold"
        lean.revert()
        assert lean.changes() == {}
        lean.city = "Lund"
        with box.assert_requests(1):
            lean.save()
        assert sent(box) == {"city": "Lund"}
        assert box.row(Company, company_id)["tags"] == ["old"]


def test_reverting_a_list_that_was_never_loaded_does_not_wipe_it(box: Sandbox) -> None:
    box.add(Company, name="Acme", tags=["old"])
    [lean] = Company.objects.only("name")
    lean.tags = ["new"]
    lean.revert()
    with box.assert_requests(0):
        assert lean.save().status == "unchanged"
    assert lean.tags == ["old"]


def test_an_unasked_value_that_is_gone_from_a_leaner_row_is_not_wiped(box: Sandbox) -> None:
    row = box.add(Company, name="Acme", tags=["old"])
    [acme] = Company.objects.only("name", "tags")
    acme.tags.append("new")
    acme.save()
    tags = acme.tags
    list(Company.objects.only("name"))
    assert tags == ["old", "new"]
    assert acme.changes() == {}
    assert box.row(Company, row)["tags"] == ["old", "new"]


# Strong while dirty


def test_an_object_with_changes_is_not_lost_when_nobody_holds_it(box: Sandbox, acme: Company) -> None:
    box.add(Company, name="Birch", external_id="birch")
    for company in Company.objects.all():
        company.phase = "Seen"
    del company
    gc.collect()
    again = list(Company.objects.all())
    assert [one.phase for one in again] == ["Seen", "Seen"]
    for company in again:
        company.save()
    assert {row["phase"] for row in box.rows(Company)} == {"Seen"}


def test_an_object_without_changes_is_let_go(box: Sandbox) -> None:
    for number in range(5):
        box.add(Company, name=f"Company {number}", phase="Live")
    for company in Company.objects.all():
        company.phase = company.phase
        company.phase = "Lost"
        company.revert()
    del company
    gc.collect()
    assert len(Session.current().identity_map) == 0


# Deleting


def test_a_deleted_object_can_be_read_but_not_saved(box: Sandbox, acme: Company) -> None:
    with box.assert_requests(1):
        assert acme.delete().status == "deleted"
    assert (box.requests[-1].method, box.requests[-1].path) == ("DELETE", f"/companies/{acme.id}")
    assert acme.name == "Acme"
    acme.phase = "Lost"
    with box.assert_requests(0):
        for act in (acme.save, acme.delete):
            with pytest.raises(ObjectDeleted):
                act()
    with pytest.raises(Company.DoesNotExist):
        Company.objects.get(external_id="acme-42")


def test_deleting_what_is_gone_says_so(box: Sandbox, acme: Company) -> None:
    box.remove(Company, acme.id)
    with pytest.raises(Company.DoesNotExist):
        acme.delete()
    with pytest.raises(ObjectDeleted):
        acme.save()
    with box.assert_requests(0), pytest.raises(ObjectDeleted, match="never saved"):
        Company(name="New").delete()


def test_saving_what_was_deleted_at_planhat_says_so_and_lets_it_go(box: Sandbox, acme: Company) -> None:
    box.remove(Company, acme.id)
    acme.phase = "Lost"
    with box.assert_requests(1), pytest.raises(ObjectDeleted, match="no such record"):
        acme.save()
    with box.assert_requests(0), pytest.raises(ObjectDeleted):
        acme.save()
    with box.assert_requests(1), pytest.raises(Company.DoesNotExist):
        Company.objects.get(external_id="acme-42")


def test_refreshing_what_is_gone_says_so(box: Sandbox, acme: Company) -> None:
    box.remove(Company, acme.id)
    with box.assert_requests(1), pytest.raises(Company.DoesNotExist):
        acme.refresh_from_db()
    with pytest.raises(Company.DoesNotExist):
        Company.objects.get(external_id="acme-42")
    with box.assert_requests(0), pytest.raises(Company.DoesNotExist, match="never saved"):
        Company(name="New").refresh_from_db()


# A tenant's own fields


def test_declared_custom_fields_read_and_write_the_same_values(box: Sandbox, acme: Company) -> None:
    account = Account.objects.get(external_id="acme-42")
    assert (account.tier, account.regions, account.renewal) == ("Silver", ["EU", "US"], None)
    account.tier = "Gold"
    account.renewal = date(2026, 1, 1)
    assert account.regions is not None
    account.regions.append("APAC")
    assert account.custom["Tier"] == "Gold"
    account.save()
    assert sent(box) == {"custom": {"Tier": "Gold", "Renewal day": 20454, "Regions": ["EU", "US", "APAC"]}}
    assert account.renewal == date(2026, 1, 1)
    account.tier = None
    account.regions = None
    account.save()
    assert sent(box) == {"custom": {"Tier": None, "Regions": []}}
    assert account.tier is None


def test_a_row_refreshes_the_objects_of_both_classes(box: Sandbox, acme: Company) -> None:
    account = Account.objects.get(external_id="acme-42")
    account.tier = "Gold"
    account.save()
    assert acme.custom["Tier"] == "Gold"
    acme.custom["Tier"] = "Bronze"
    acme.phase = "Lost"
    acme.save()
    assert (account.tier, account.phase) == ("Bronze", "Lost")
    account.tier = "Mine"
    box.change(Company, acme.id, city="Lund")
    list(Company.objects.all())
    assert (account.city, account.tier) == ("Lund", "Mine")
    acme.delete()
    with pytest.raises(ObjectDeleted):
        account.save()


def test_a_wrong_value_for_a_declared_custom_field_is_refused_at_once(acme: Company) -> None:
    account = Account(name="Acme")
    with pytest.raises(ValidationError, match=r"tier: must be a text \(str\), not int 3"):
        account.tier = 3  # type: ignore[assignment]
    assert account.tier is None


# The objects' own quirks


def test_a_users_name_joins_first_and_last(box: Sandbox) -> None:
    box.add(User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="Rivera")
    box.add(User, email="solo@vendor.example", nick_name="Solo", first_name="Solo")
    assert [user.name for user in User.objects.order_by("email")] == ["Kim Rivera", "Solo"]
    with pytest.raises(FieldError, match="name is no field"):
        User(first_name="A").name = "B"  # type: ignore[misc]
    with pytest.raises(FieldError):
        User(name="Kim")  # type: ignore[call-arg]


def test_a_note_is_a_conversation_of_the_type_note(box: Sandbox, acme: Company) -> None:
    note = Note(company=acme, subject="Kick-off", description="<p>Hi</p>")
    with box.assert_requests(1):
        note.save()
    assert (box.requests[-1].method, box.requests[-1].path) == ("POST", "/conversations")
    assert sent(box) == {
        "type": "note",
        "companyId": acme.id,
        "subject": "Kick-off",
        "description": "<p>Hi</p>",
    }
    assert note.type == "note"
    note.type = "call"
    with box.assert_requests(0), pytest.raises(ValidationError, match="type: is always 'note' for a Note"):
        note.save()
    with box.assert_requests(0), pytest.raises(ValidationError, match="type"):
        Note(company=acme, type="call").save()


def test_an_off_list_choice_is_read_kept_and_not_written(box: Sandbox) -> None:
    company = box.add(Company, name="Acme", status="odd-status")
    row = box.add(License, company=company, currency="EUR", from_date=date(2025, 1, 1), mrr=1, renewal_status="odd")
    licence = License.objects.get(id=row["_id"])
    assert licence.renewal_status == "odd"
    licence.product = "Platform"
    licence.save()
    assert sent(box) == {"product": "Platform"}
    licence.renewal_status = "other"
    with box.assert_requests(0), pytest.raises(ValidationError, match="renewal_status: Must be one of: ongoing"):
        licence.save()
    assert Company.objects.get(id=company["_id"]).status == "odd-status"


# Creates that nobody knows the outcome of


def test_a_create_that_was_not_answered_is_not_sent_again_unless_forced(box: Sandbox, quick: None) -> None:
    fir = Company(name="Fir")
    with box.fault("lost_answer", method="POST"), pytest.raises(AmbiguousWrite):
        fir.save()
    with box.assert_requests(0), pytest.raises(AmbiguousWrite, match=r"was sent before.*save\(force=True\)") as caught:
        fir.save()
    assert caught.value.sent == {"name": "Fir"}
    with box.assert_requests(0), pytest.raises(AmbiguousWrite, match="was sent before"):
        pickle.loads(pickle.dumps(fir)).save()
    assert fir.save(force=True).status == "created"
    fir.phase = "Live"
    assert fir.save().status == "updated"


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, MemoryError])
def test_a_create_that_was_broken_off_is_not_sent_again(
    box: Sandbox, session_sends: list[BaseException], end: type[BaseException]
) -> None:
    fir = Company(name="Fir")
    session_sends.append(end())
    with pytest.raises(end):
        fir.save()
    assert box.count(Company) == 1
    with box.assert_requests(0), pytest.raises(AmbiguousWrite, match="was sent before"):
        fir.save()


@pytest.mark.parametrize("status", [400, 403, 429])
def test_a_create_that_was_refused_can_be_sent_again(box: Sandbox, quick: None, status: int) -> None:
    fir = Company(name="Fir")
    with box.fault("status", method="POST", status=status, times=None), pytest.raises(ApiError):
        fir.save()
    assert fir.save().status == "created"
    assert box.count(Company) == 1


def test_a_create_that_a_read_only_session_refused_can_be_sent_by_another(box: Sandbox) -> None:
    fir = Company(name="Fir")
    with box.session(read_only=True), pytest.raises(ReadOnlyError):
        fir.save()
    assert fir.save().status == "created"


def test_assigning_the_value_that_a_declared_custom_field_reads_is_no_change(box: Sandbox) -> None:
    box.add(Company, name="Acme", external_id="a", custom={"Since": "2025-03-31T21:00:00.000Z", "Renewal day": 20179})
    account = Account.objects.get(external_id="a")
    assert (account.since, account.renewal) == (date(2025, 4, 1), date(2025, 4, 1))
    account.since, account.renewal = date(2025, 4, 1), date(2025, 4, 1)
    assert account.changes() == {}
    account.since = date(2025, 4, 2)
    assert set(account.changes()) == {"custom.Since"}
    account.since = date(2025, 4, 1)
    with box.assert_requests(0):
        assert account.save().status == "unchanged"


def test_assigning_a_declared_custom_field_that_is_not_loaded_asks_for_nothing(box: Sandbox) -> None:
    box.add(Company, name="Acme", custom={"Since": "2025-03-31T21:00:00.000Z"})
    [account] = Account.objects.only("name")
    with box.assert_requests(2):  # the definitions, since it is not known what the record carries; the PUT
        account.since = date(2025, 4, 2)
        account.save()
    assert sent(box) == {"custom": {"Since": "2025-04-02T00:00:00.000Z"}}


def test_what_a_create_needs_is_said_with_the_right_article() -> None:
    for model, said in ((User, "create a User"), (Enduser, "create an Enduser"), (License, "create a License")):
        with pytest.raises(ValidationError, match=said):
            model().full_clean()
    with pytest.raises(FieldError, match=r"Company\.owner takes a User, not"):
        Company(owner=Enduser())  # type: ignore[arg-type]  # what is refused
