"""A missing field of an object whose record has objects of other classes: loaded with its own page, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldNotLoaded
from planhat_orm.models import Company, Conversation, Note
from planhat_orm.orm import fields
from planhat_orm.orm.options import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def account() -> Iterator[type[Company]]:
    """A tenant's class over the collection of companies."""
    known = dict(registry)

    class Account(Company):
        tier: fields.Custom[str] = fields.Custom("Tier", str)

    yield Account
    registry.clear()
    registry.update(known)


def companies(box: Sandbox, count: int) -> None:
    box.add_many(Company, [{"name": f"C{n:03}", "city": f"Town {n}"} for n in range(count)])


def test_rows_that_another_class_was_asked_for_leave_an_object_on_its_page(
    planhat_sandbox: Sandbox, account: type[Company]
) -> None:
    companies(planhat_sandbox, 60)
    accounts = list(account.objects.only("name").order_by("name"))
    for company in Company.objects.only("phase"):
        del company
    with planhat_sandbox.assert_requests(1):
        assert [one.city for one in accounts] == [f"Town {n}" for n in range(60)]
    with planhat_sandbox.assert_requests(0):
        assert [one.phase for one in accounts] == [None] * 60


def test_a_field_is_not_taken_to_be_empty_because_objects_of_another_class_are_gone(planhat_sandbox: Sandbox) -> None:
    acme = planhat_sandbox.add(Company, name="Acme")
    for tags in ([], [], [], ["a"], ["b"]):
        planhat_sandbox.add(Note, company=acme, subject="Kick-off", **({"activity_tags": tags} if tags else {}))
    notes = list(Note.objects.only("subject"))
    for touchpoint in Conversation.objects.only("date"):
        del touchpoint
    with planhat_sandbox.assert_requests(1):
        assert [note.activity_tags for note in notes] == [[], [], [], ["a"], ["b"]]


def test_what_another_class_was_asked_for_is_known_to_both(planhat_sandbox: Sandbox, account: type[Company]) -> None:
    companies(planhat_sandbox, 3)
    accounts = list(account.objects.only("name"))
    found = list(Company.objects.only("city", "phase"))
    with planhat_sandbox.assert_requests(0):
        assert [one.city for one in accounts] == [one.city for one in found] == ["Town 0", "Town 1", "Town 2"]
        assert [one.phase for one in accounts] == [None] * 3


def test_an_object_that_another_class_refuses_to_load_for_loads_all_the_same(
    planhat_sandbox: Sandbox, account: type[Company]
) -> None:
    companies(planhat_sandbox, 3)
    accounts = list(account.objects.only("name"))
    found: list[Any] = list(Company.objects.only("phase").on_missing("raise"))
    with planhat_sandbox.assert_requests(1):
        assert [one.city for one in accounts] == ["Town 0", "Town 1", "Town 2"]
    assert len(found) == 3


def test_a_page_whose_records_are_gone_says_nothing_of_the_field(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 5)
    found = list(Company.objects.only("name"))
    for row in planhat_sandbox.rows(Company):
        planhat_sandbox.remove(Company, row)
    for one in found:
        with pytest.raises(Company.DoesNotExist):
            assert one.city
    companies(planhat_sandbox, 4)
    again = list(Company.objects.only("name"))
    with planhat_sandbox.assert_requests(1):
        assert [one.city for one in again] == ["Town 0", "Town 1", "Town 2", "Town 3"]


def test_the_lean_list_leaves_an_object_on_its_page(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 40)
    found = list(Company.objects.only("phase"))
    lean = Company.objects.lean()
    with planhat_sandbox.assert_requests(1):
        assert sorted(one.city for one in found) == sorted(f"Town {n}" for n in range(40))
    with planhat_sandbox.assert_requests(0):
        assert {one.name for one in lean} == {f"C{n:03}" for n in range(40)}


def test_the_lean_list_raises_where_it_was_told_to(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 2)
    [first, _] = Company.objects.on_missing("raise").lean()
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldNotLoaded, match="city was not asked for"):
        assert first.city
