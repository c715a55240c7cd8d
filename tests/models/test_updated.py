"""The time of the last change: which objects show one, that it moves with every write, and what is said where none is.

``changed_since()`` relies on it, so the sandbox has to move it as Planhat does, and let tests set it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import planhat_orm.analytics
from planhat_orm import Session, models
from planhat_orm.errors import NotSupported
from planhat_orm.models import Company, Conversation, Enduser, Invoice, Ticket, User
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox.store import Row

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)
#: Each object with what a record of it needs, and what is changed on it.
MADE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Asset": ({"name": "Pump"}, {"name": "Valve"}),
    "Churn": ({"value": 10}, {"value": 20}),
    "Company": ({"name": "Birch"}, {"phase": "Live"}),
    "Enduser": ({"email": "ada@acme.example"}, {"position": "CTO"}),
    "Invoice": ({"currency": "EUR", "invoice_date": date(2026, 3, 1)}, {"status": "paid"}),
    "Issue": ({"title": "Too slow"}, {"title": "Far too slow"}),
    "Objective": ({"name": "Adoption"}, {"health": 4}),
    "Opportunity": ({"title": "More seats"}, {"title": "Many more seats"}),
    "Product": ({"name": "Platform"}, {"name": "Platform Pro"}),
    "Task": ({"action": "Call them"}, {"action": "Call them again"}),
    "Ticket": ({"source_id": "desk-1", "email": "ada@acme.example"}, {"status": "closed"}),
    "TimeEntry": ({"date": date(2026, 3, 1), "hours": 2}, {"hours": 3}),
    "Timesheet": ({"date_from": date(2026, 3, 2), "date_to": date(2026, 3, 8)}, {"status": "approved"}),
    "User": (
        {"email": "kim@vendor.example", "nick_name": "Kim", "first_name": "Kim", "last_name": "Rivera"},
        {"nick_name": "Kimmy"},
    ),
}
OURS = [
    one for one in registry.values() if one.__module__.startswith(("planhat_orm.models.", "planhat_orm.analytics."))
]
#: The objects without one, and a word of what to do instead.
NONE = {
    "Campaign": "compare",
    "Conversation": "create_date__gte",
    "CustomField": "compare",
    "Deal": "compare",
    "License": "compare",
    "LineItem": "compare",
    "Metric": "date__gte",
    "Note": "create_date__gte",
    "NPS": "answered_at__gte",
    "Project": "compare",
    "Sale": "compare",
    "Workspace": "compare",
}
of_each = pytest.mark.parametrize("name", MADE)


class Clock:
    """What time it is in the sandbox."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as box, box.session():
        yield box


def add(box: Sandbox, name: str, **more: Any) -> Row:
    """Put a record into the sandbox, with the company that it needs."""
    model, given = registry[name], dict(MADE[name][0])
    if "company" in model._meta.by_name:
        given["company"] = box.add(Company, name="Acme")
    return box.add(model, **given, **more)


def time_of(box: Sandbox, name: str, row: Row) -> datetime:
    """Return the time of the last change that the list shows, to the second: the sandbox has no moment twice."""
    model = registry[name]
    [found] = [one for one in model.objects.all() if one.id == row["_id"]]
    when = getattr(found, model._meta.changed_by().name)
    assert isinstance(when, datetime)
    return when.replace(microsecond=0)


def test_every_object_is_told_of() -> None:
    assert planhat_orm.analytics.Metric in OURS
    assert {one.__name__ for one in OURS} == MADE.keys() | NONE.keys()
    assert {one.__name__ for one in OURS if one._meta.updated_field} == MADE.keys()


@of_each
def test_lists_show_the_time_of_the_last_change_in_a_field_that_is_planhats_own(name: str, box: Sandbox) -> None:
    model = registry[name]
    field = model._meta.changed_by()
    assert isinstance(field, fields.DateTime)
    assert field.read_only
    assert field.data_key in model._meta.listed_keys
    row = add(box, name)
    assert time_of(box, name, row) == START


@of_each
def test_the_time_can_be_set_from_outside(name: str, box: Sandbox, clock: Clock) -> None:
    model = registry[name]
    field = model._meta.changed_by().name
    row = add(box, name, **{field: START - timedelta(days=9)})
    assert time_of(box, name, row) == START - timedelta(days=9)
    box.change(model, row["_id"], **{field: START - timedelta(days=1)})
    assert time_of(box, name, row) == START - timedelta(days=1)
    clock.now = LATER
    box.change(model, row["_id"], **MADE[name][1])
    assert time_of(box, name, row) == LATER


@of_each
def test_a_save_moves_the_time(name: str, box: Sandbox, clock: Clock) -> None:
    model, row = registry[name], add(box, name)
    if "update" not in model._meta.operations:
        pytest.skip(f"Planhat offers no update of {name}")
    record = model.objects.get(id=row["_id"])
    clock.now = LATER
    for key, value in MADE[name][1].items():
        setattr(record, key, value)
    record.save()
    assert time_of(box, name, row) == LATER


@of_each
def test_an_update_that_changes_nothing_moves_the_time(name: str, box: Sandbox, clock: Clock) -> None:
    model, row = registry[name], add(box, name)
    if "update" not in model._meta.operations:
        pytest.skip(f"Planhat offers no update of {name}")
    clock.now = LATER
    same = model._meta.by_name[next(iter(MADE[name][1]))].data_key
    Session.current().request("PUT", f"/{model._meta.path}/{row['_id']}", json={same: row.get(same)})
    assert box.row(model, row).get(same) == row.get(same)
    assert time_of(box, name, row) == LATER


@of_each
def test_a_create_and_a_bulk_upsert_set_the_time(name: str, box: Sandbox, clock: Clock) -> None:
    model = registry[name]
    acme = box.add(Company, name="Acme")
    linked = {"company": Company.objects.get(id=acme["_id"])} if "company" in model._meta.by_name else {}
    if "companies" in model._meta.by_name:
        linked["companies"] = [Company.objects.get(id=acme["_id"])]
    if "create" in model._meta.operations:
        made = model.objects.create(**MADE[name][0], **linked)
        assert time_of(box, name, {"_id": made.id}) == START
        key = made.id
    else:
        model.objects.bulk_upsert([{**MADE[name][0], **linked}])
        [row] = box.rows(model)
        assert time_of(box, name, row) == START
        key = row["_id"]
    clock.now = LATER
    model.objects.bulk_upsert([{"id": key, **MADE[name][0], **linked, **MADE[name][1]}])
    assert time_of(box, name, {"_id": key}) == LATER


def test_a_ticket_that_is_changed_as_a_conversation_moves_its_time(box: Sandbox, clock: Clock) -> None:
    row = add(box, "Ticket")
    ticket = Conversation.objects.get(id=row["_id"])
    clock.now = LATER
    ticket.starred = True
    ticket.save()
    assert time_of(box, "Ticket", row) == LATER
    call = box.add(Conversation, company=row["companyId"], type="call")
    assert "updateDate" not in box.change(Conversation, call, starred=True)


@pytest.mark.parametrize("model", [Company, Invoice])
def test_both_times_move_where_there_are_two(model: type[Model], box: Sandbox, clock: Clock) -> None:
    row = add(box, model.__name__)
    clock.now = LATER
    after = box.change(model, row["_id"], **MADE[model.__name__][1])
    assert after["updatedAt"] == after["lastUpdated"] > row["updatedAt"]


def test_of_two_times_the_one_that_each_write_moves_is_gone_by() -> None:
    for model in (Company, Enduser, Invoice):
        assert model._meta.updated_field == "updatedAt"
        assert any("lastUpdated" in quirk.text and "changed_since()" in quirk.text for quirk in model._meta.quirks)
    assert Ticket._meta.changed_by().name == "update_date"
    assert User._meta.changed_by().name == "updated_at"


@pytest.mark.parametrize(("name", "instead"), NONE.items())
def test_where_no_list_shows_a_time_it_is_said_what_to_do_instead(name: str, instead: str) -> None:
    meta = registry[name]._meta
    with pytest.raises(NotSupported, match=f"no list of {name} is known to show when .* last changed: .*{instead}"):
        meta.changed_by()


def test_a_model_of_ones_own_without_a_time_is_told_how_to_name_one() -> None:
    class Shelf(Model):
        """A model of one's own."""

        class Meta:
            path = "shelves"

        title: fields.Text = fields.Text("title")

    with pytest.raises(NotSupported, match=r"Shelf\.objects\.all\(\) .* name it in Meta\.updated_field"):
        Shelf._meta.changed_by()


def test_the_objects_are_those_of_the_package() -> None:
    assert {*models.__all__, "Metric"} == {one.__name__ for one in OURS}
