"""Fields that were not asked for, or did not come: loaded for a page at once, settled by samples."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldNotLoaded, StaleObjectError, ValidationError
from planhat_orm.models import Company, Enduser, Note, User
from planhat_orm.sandbox import Sandbox, reading

if TYPE_CHECKING:
    from collections.abc import Callable


def companies(box: Sandbox, count: int, **values: Any) -> list[dict[str, Any]]:
    return [box.add(Company, name=f"C{n:03}", phase=f"P{n}", arr=n, city=f"Town {n}", **values) for n in range(count)]


@pytest.fixture
def withhold(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make the sandbox's lists leave a key out, selected or not."""
    shaped = reading._Shape.of

    def leave_out(key: str) -> None:
        def of(shape: Any, row: dict[str, Any]) -> dict[str, Any]:
            seen = shaped(shape, row)
            seen.pop(key, None)
            return seen

        monkeypatch.setattr(reading._Shape, "of", of)

    return leave_out


def test_a_missing_field_is_loaded_for_the_whole_page_at_once(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 100)
    found = list(Company.objects.only("name").order_by("name"))
    with planhat_sandbox.assert_requests(1):
        assert [one.phase for one in found] == [f"P{n}" for n in range(100)]
    assert planhat_sandbox.requests[-1].params["select"] == "_id,phase"
    with planhat_sandbox.assert_requests(1):
        assert [one.arr for one in found] == list(range(100))
    with planhat_sandbox.assert_requests(0):
        assert [one.phase for one in found] == [f"P{n}" for n in range(100)]


def test_few_objects_are_named_by_their_ids(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 20)
    found = list(Company.objects.only("name").filter(name__in=["C003", "C017"]))
    with planhat_sandbox.assert_requests(1):
        assert [one.city for one in found] == ["Town 3", "Town 17"]
    assert planhat_sandbox.requests[-1].params["companyId"] == ",".join(one.id or "" for one in found)


def test_where_ids_cannot_be_listed_the_pages_are_asked_again(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"email": f"{n}@x.example", "phone": str(n)} for n in range(2500)))
    found = list(Enduser.objects.only("email"))
    with planhat_sandbox.assert_requests(2):
        assert [one.phone for one in found] == [str(n) for n in range(2500)]
    assert [request.params["offset"] for request in planhat_sandbox.requests[-2:]] == ["0", "1999"]


def test_following_pages_ask_for_it_from_the_start(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"email": f"{n}@x.example", "phone": str(n)} for n in range(4500)))
    with planhat_sandbox.assert_requests(4):
        assert [one.phone for one in Enduser.objects.only("email").iterator()] == [str(n) for n in range(4500)]
    selects = [request.params["select"] for request in planhat_sandbox.requests]
    assert selects == ["_id,email", "_id,phone", "_id,email,phone", "_id,email,phone"]


def test_pages_that_were_read_before_do_not_take_it_for_loaded(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"email": f"{n:05}@x.example", "phone": str(n)} for n in range(2500)))
    part = Enduser.objects.only("email").order_by("-email")[:2400]
    assert [one.phone for one in part] == [str(n) for n in range(2499, 99, -1)]


def test_an_object_that_left_its_page_is_read_by_itself(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Enduser, ({"email": f"{n}@x.example", "phone": str(n), "featured": True} for n in range(20)))
    rows = box.rows(Enduser)
    company = box.add(Company, name="Acme")
    other = box.add(Company, name="Birch")
    for row in rows:
        box.change(Enduser, row, company=company)
    found = list(Enduser.objects.only("email").filter(company=company["_id"]))
    box.change(Enduser, rows[5], company=other)
    with box.assert_requests(2):
        assert [one.phone for one in found] == [str(n) for n in range(20)]


def test_a_field_can_be_loaded_for_one_object_alone(planhat_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    companies(planhat_sandbox, 3)
    one, two, _ = Company.objects.only("name").on_missing("one")
    with planhat_sandbox.assert_requests(1), caplog.at_level(logging.WARNING, "planhat_orm.orm"):
        assert (one.phase, one.city) == ("P0", "Town 0")
    assert "phase is loaded one object at a time" in caplog.text
    with planhat_sandbox.assert_requests(1):
        assert two.phase == "P1"
    assert caplog.text.count("one object at a time") == 1


def test_a_missing_field_can_be_an_error(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 2)
    [one, _] = Company.objects.only("name").on_missing("raise")
    with planhat_sandbox.assert_requests(0):
        assert one.name == "C000"
        with pytest.raises(FieldNotLoaded, match="phase was not asked for"):
            _ = one.phase


def test_deferred_fields_are_left_out_and_loaded_when_read(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 3, custom={"Tier": "Gold"})
    with planhat_sandbox.assert_requests(1):
        found = list(Company.objects.defer("custom").defer("phase"))
    selected = planhat_sandbox.requests[-1].params["select"].split(",")
    assert "custom" not in selected
    assert "phase" not in selected
    assert "name" in selected
    with planhat_sandbox.assert_requests(1):
        assert [one.custom["Tier"] for one in found] == ["Gold"] * 3


def test_what_lists_never_hold_is_loaded_one_by_one_with_one_warning(
    planhat_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    box = planhat_sandbox
    company = box.add(Company, name="Acme")
    for n in range(3):
        box.add(Note, company=company, subject=f"N{n}", description=f"<p>{n}</p>")
    notes = list(Note.objects.all())
    with box.assert_requests(3), caplog.at_level(logging.WARNING, "planhat_orm.orm"):
        assert [note.description for note in notes] == ["<p>0</p>", "<p>1</p>", "<p>2</p>"]
    assert caplog.text.count("Note.description is loaded one object at a time") == 1


def test_fields_that_no_row_of_the_page_has_cost_three_gets_in_all(
    planhat_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    companies(planhat_sandbox, 9)
    found = list(Company.objects.all())
    with planhat_sandbox.assert_requests(1):
        assert (found[1].description, found[1].country) == (None, None)
    with planhat_sandbox.assert_requests(2), caplog.at_level(logging.WARNING, "planhat_orm.orm"):
        assert [one.description for one in found] == [None] * 9
        assert [(one.country, one.zip, one.web, one.nps) for one in found] == [(None, None, None, None)] * 9
    assert caplog.text.count("Company.description is in no row of a list and in none of 3 records") == 1
    assert "Company.address" not in caplog.text
    with planhat_sandbox.assert_requests(1):
        assert [again.address for again in Company.objects.all()] == [None] * 9
    assert caplog.text.count("Company.description") == 1


def test_one_record_without_a_value_says_nothing_of_the_others(
    planhat_sandbox: Sandbox, withhold: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    planhat_sandbox.add(Company, name="empty")
    companies(planhat_sandbox, 5)
    withhold("city")
    found = list(Company.objects.all())
    with caplog.at_level(logging.WARNING, "planhat_orm.orm"):
        assert [one.city for one in found] == [None, *(f"Town {n}" for n in range(5))]
    assert "taken to be empty" not in caplog.text
    assert caplog.text.count("Company.city is loaded one object at a time") == 1


def test_records_of_several_pages_make_the_sample(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 5)
    for n in range(3):
        with planhat_sandbox.assert_requests(2):
            assert Company.objects.filter(phase=f"P{n}")[0].description is None
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.filter(phase="P4")[0].description is None


def test_a_record_that_holds_a_value_after_all_puts_the_field_in_doubt_again(
    planhat_sandbox: Sandbox, withhold: Callable[[str], None]
) -> None:
    companies(planhat_sandbox, 9)
    late = planhat_sandbox.add(Company, name="late", description="here")
    withhold("description")
    assert {one.description for one in Company.objects.filter(name__startswith="C")} == {None}
    assert Company.objects.get(id=late["_id"]).description == "here"
    held = [one.description for one in Company.objects.all() if one.name == "late"]
    assert held == ["here"]


def test_a_container_that_no_row_holds_is_read_from_each_object_and_never_written_on_a_guess(
    planhat_sandbox: Sandbox, withhold: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    box = planhat_sandbox
    kim, lee = (box.add(User, email=f"{name}@v.example", first_name=name)["_id"] for name in ("kim", "lee"))
    empty = [box.add(Company, name=f"C{n}") for n in range(4)]
    full = box.add(Company, name="D", followers=[kim])
    withhold("followers")
    with caplog.at_level(logging.WARNING, "planhat_orm.orm"):
        for company in Company.objects.all():
            company.followers.add(lee)
            company.save()
    assert box.row(Company, full)["followers"] == [kim, lee]
    assert [box.row(Company, row)["followers"] for row in empty] == [[lee]] * 4
    assert caplog.text.count("Company.followers is loaded one object at a time") == 1


def test_a_container_that_nobody_has_costs_three_reads_in_all(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    for n in range(12):
        box.add(User, email=f"u{n}@v.example", first_name=f"U{n}")
    with box.assert_requests(1 + 3):
        assert [user.roles for user in User.objects.all()] == [[]] * 12
    with box.assert_requests(1):
        assert [user.roles for user in User.objects.only("email", "roles")] == [[]] * 12


@pytest.mark.parametrize("bulk", [False, True], ids=["save", "bulk_upsert"])
def test_a_container_that_was_taken_to_be_empty_is_read_before_it_is_written(
    planhat_sandbox: Sandbox, withhold: Callable[[str], None], bulk: bool
) -> None:
    box = planhat_sandbox
    kim, lee = (box.add(User, email=f"{name}@v.example", first_name=name)["_id"] for name in ("kim", "lee"))
    rows = [box.add(Company, name=f"C{n}", **({"collaborators": [kim]} if n == 2 else {})) for n in range(8)]
    full = rows[2]
    withhold("collaborators")
    found = {one.id: one for one in Company.objects.filter(collaborators__isnull=True)}
    with box.assert_requests(0):
        assert all(one.collaborators.ids == [] for one in found.values())

    def write(one: Company) -> None:
        one.collaborators.add(lee)
        if bulk:
            Company.objects.bulk_upsert([one])
        else:
            one.save()

    with box.assert_requests(2):  # the record is read, then written
        write(found[rows[1]["_id"]])
    assert box.row(Company, rows[1])["collaborators"] == [lee]
    with pytest.raises(ValidationError if bulk else StaleObjectError, match="was changed at Planhat"):
        write(found[full["_id"]])
    assert box.row(Company, full)["collaborators"] == [kim]


def test_a_field_that_lists_do_not_hold_is_read_from_each_object(
    planhat_sandbox: Sandbox, withhold: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    companies(planhat_sandbox, 3)
    withhold("city")
    found = list(Company.objects.all())
    with planhat_sandbox.assert_requests(3), caplog.at_level(logging.WARNING, "planhat_orm.orm"):
        assert [one.city for one in found] == ["Town 0", "Town 1", "Town 2"]
    assert caplog.text.count("Company.city is loaded one object at a time") == 1


def test_a_field_that_lists_do_not_hold_is_not_taken_for_empty_when_it_is_loaded_later(
    planhat_sandbox: Sandbox, withhold: Callable[[str], None]
) -> None:
    companies(planhat_sandbox, 3)
    withhold("city")
    found = list(Company.objects.only("name"))
    assert [one.city for one in found] == ["Town 0", "Town 1", "Town 2"]


def test_a_page_that_cannot_be_read_again_fails_that_read_alone(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 2)
    one, two = Company.objects.only("name")
    planhat_sandbox.fault("status", status=403)
    with pytest.raises(Exception, match="403"):
        _ = one.phase
    with planhat_sandbox.assert_requests(1):
        assert (one.phase, two.phase) == ("P0", "P1")


def test_changes_are_kept_when_a_field_is_loaded(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 2)
    one, two = Company.objects.only("name")
    one.name = "New"
    assert two.phase == "P1"
    assert (one.name, one.phase) == ("New", "P0")
    assert one.changes() == {"name": ("C000", "New")}
