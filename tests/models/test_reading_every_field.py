"""Every field of every object can be read alone, ordered by and asked for emptiness, over HTTP, on rows made up."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import planhat_orm.analytics  # noqa: F401 - fills the registry
from planhat_orm import Session
from planhat_orm.errors import FieldNotLoaded, NotSupported
from planhat_orm.models import Ticket, Timesheet
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

OURS = ("planhat_orm.models.", "planhat_orm.analytics.")
MODELS = sorted((one for one in registry.values() if one.__module__.startswith(OURS)), key=lambda one: one.__name__)
of_each = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
#: How many rows there are; the last two of them hold no value of any field that may be without one.
ROWS = 6
DAY = date(2026, 2, 1)
MOMENT = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)


def stored(field: Field[Any, Any], number: int) -> Any:
    """Return a value of a field as Planhat stores it; two rows share each, so that orders have ties."""
    place = number // 2
    key = f"{number:024x}"
    moment = (MOMENT + timedelta(days=place)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    kinds: list[tuple[type[Any] | tuple[type[Any], ...], Any]] = [
        (CustomData, {"Tier": f"tier {place}"}),
        (ReferenceList, [{"id": key}] if getattr(field, "item_key", "") else [key]),
        ((ForeignKey, fields.Id), key),
        (fields.Choice, field.choices[place % len(field.choices)] if field.choices else None),
        (fields.DayNumber, (DAY - date(1970, 1, 1)).days + place),
        (fields.DateTime, moment),
        (fields.Date, f"{DAY + timedelta(days=place)}T00:00:00.000Z"),
        (fields.Boolean, bool(place % 2)),
        ((fields.Integer, fields.Number), place if field.most is None else min(place, field.most)),
        (fields.IdList, [key]),
        (fields.TextList, [f"tag {place}"]),
        (fields.List, [{"name": f"item {place}"}]),
        (fields.Map, {"one": place}),
        (fields.Json, {"one": place}),
        (fields.Text, f"text {place}"),
    ]
    return next(value for kind, value in kinds if isinstance(field, kind))


def made(model: type[Model], number: int) -> dict[str, Any]:
    """Return the values of one row by Planhat's names."""
    meta = model._meta
    shown = [field for field in meta.fields if not field.write_only and field.data_key not in meta.constant]
    needed = {"_id", *(key for key in meta.create_required if isinstance(key, str))}
    if number >= ROWS - 2:
        shown = [field for field in shown if field.data_key in needed]
    row = {field.data_key: stored(field, number) for field in shown}
    if model is Timesheet:
        row.pop("timeEntries", None)  # records of their own, which would follow
    return {**row, "type": "ticket"} if model is Ticket else row


@pytest.fixture
def rows(planhat_sandbox: Sandbox, model: type[Model]) -> dict[str, dict[str, Any]]:
    """The rows of a sandbox by their ids, as they are stored."""
    for number in range(ROWS):
        planhat_sandbox.add(model, **made(model, number))
    found = {row["_id"]: row for row in planhat_sandbox.rows(model)}
    assert len(found) == ROWS
    return found


def readable(model: type[Model]) -> list[Field[Any, Any]]:
    """Return the fields that lists hold."""
    return [field for field in model._meta.fields if not field.write_only and not field.get_only]


def requests_of(model: type[Model]) -> int:
    """Return how many lists hold all records, each of one page here."""
    return len(next((value for value in model._meta.unhide.values() if not isinstance(value, str)), "1"))


def value_in(row: dict[str, Any], field: Field[Any, Any]) -> Any:
    """Return what a row holds, None for all that counts as no value."""
    value = row.get(field.data_key)
    return None if value in ("", [], {}) else value


@contextmanager
def lists_read(box: Sandbox, model: type[Model]) -> Iterator[None]:
    """Check that no more is asked for than each list of the records once."""
    before = len(box.requests)
    yield
    assert len(box.requests) - before <= requests_of(model)
    assert {request.method for request in box.requests[before:]} <= {"GET"}


@of_each
def test_a_list_is_ordered_by_each_field(
    planhat_sandbox: Sandbox, model: type[Model], rows: dict[str, dict[str, Any]]
) -> None:
    for field in readable(model):
        with lists_read(planhat_sandbox, model):
            found = [one.id for one in model.objects.order_by(field.name)[:3]]
        assert len(set(found)) == 3, field
        values = [value_in(rows[one], field) for one in found]
        held = [value for row in rows.values() if (value := value_in(row, field)) is not None]
        empty = [None] * (ROWS - len(held))
        # What has no value comes first, and then the smallest.
        assert values[: len(empty)] == empty[:3], field
        if held and isinstance(held[0], (str, int, float)):
            assert values == [*empty, *sorted(held)][:3], field


@of_each
def test_a_list_is_asked_for_what_has_no_value_of_each_field(
    planhat_sandbox: Sandbox, model: type[Model], rows: dict[str, dict[str, Any]]
) -> None:
    for field in readable(model):
        empty = {key for key, row in rows.items() if value_in(row, field) is None}
        with lists_read(planhat_sandbox, model):
            assert {one.id for one in model.objects.filter(**{f"{field.name}__isnull": True})} == empty, field
        with lists_read(planhat_sandbox, model):
            assert {one.id for one in model.objects.filter(**{f"{field.name}__isnull": False})} == rows.keys() - empty


@of_each
def test_a_list_is_narrowed_to_each_field(
    planhat_sandbox: Sandbox, model: type[Model], rows: dict[str, dict[str, Any]]
) -> None:
    for field in readable(model):
        with lists_read(planhat_sandbox, model):
            found = list(model.objects.only(field.name))
            assert {one.id for one in found} == rows.keys()
            for one in found:
                assert one.raw.get(field.data_key) == rows[one.raw["_id"]].get(field.data_key), field
                if not isinstance(field, (ForeignKey, ReferenceList)):
                    getattr(one, field.name)
        indexed = field.data_key in model._meta.lean_fields
        if "select" in model._meta.list_takes and not model._meta.small_table and not indexed:
            selected = planhat_sandbox.requests[-1].params["select"].split(",")
            besides = {*model._meta.constant, *model._meta.aliases}
            assert {*selected} - besides == {"_id", field.data_key} - besides, field


@of_each
def test_what_no_list_holds_is_refused_there_and_read_from_each_record(
    planhat_sandbox: Sandbox, model: type[Model], rows: dict[str, dict[str, Any]]
) -> None:
    unlisted = [field for field in model._meta.fields if field.get_only]
    for field in unlisted:
        with planhat_sandbox.assert_requests(0):
            with pytest.raises(NotSupported, match=f"{model.__name__}.{field.name} is in no list"):
                list(model.objects.order_by(field.name)[:3])
            with pytest.raises(NotSupported, match=f"{model.__name__}.{field.name} is in no list"):
                list(model.objects.filter(**{f"{field.name}__isnull": True}))
    found = list(model.objects.all())
    for field, one in zip(unlisted, found, strict=False):
        assert field.data_key not in one.raw
        if "get" not in model._meta.operations:
            with planhat_sandbox.assert_requests(0), pytest.raises(FieldNotLoaded, match="no list holds it"):
                getattr(one, field.name)
            continue
        with planhat_sandbox.assert_requests(1):
            getattr(one, field.name)
        whole = Session.current().request("GET", f"/{model._meta.path}/{one.id}")
        assert one.raw.get(field.data_key) == whole.get(field.data_key)


@of_each
def test_a_list_is_asked_for_what_changed_since_some_time(
    planhat_sandbox: Sandbox, model: type[Model], rows: dict[str, dict[str, Any]]
) -> None:
    meta = model._meta
    if not meta.updated_field:
        with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match=re.escape(meta.updated_instead)):
            list(model.objects.changed_since(MOMENT))
        return
    for number, key in enumerate(rows):
        planhat_sandbox.change(model, key, **{meta.changed_by().name: MOMENT + timedelta(days=number)})
    for days in range(ROWS + 1):
        found = model.objects.changed_since(MOMENT + timedelta(days=days))
        assert {one.id for one in found} == set(list(rows)[days:])
