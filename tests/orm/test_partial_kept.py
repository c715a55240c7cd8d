"""Objects that come from what a session keeps: an older row fills what is not known, and brings nothing back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import StaleObjectError
from planhat_orm.models import Company, Task, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def kim(planhat_sandbox: Sandbox) -> dict[str, str]:
    return planhat_sandbox.add(
        User, email="kim@vendor.example", nick_name="Kim", first_name="Kim", last_name="Rivera", company_filter="mine"
    )


def test_a_kept_table_brings_nothing_back_that_was_read_since(planhat_sandbox: Sandbox, kim: dict[str, str]) -> None:
    [user] = User.objects.filter(first_name="Kim")
    planhat_sandbox.change(User, kim, nick_name="Kimmy")
    user.refresh_from_db()
    with planhat_sandbox.assert_requests(0):
        assert list(User.objects.filter(first_name="Kim")) == [user]
        assert user.nick_name == "Kimmy"


def test_a_kept_table_takes_no_change_away_and_makes_no_conflict(planhat_sandbox: Sandbox, kim: dict[str, str]) -> None:
    [user] = User.objects.filter(first_name="Kim")
    planhat_sandbox.change(User, kim, nick_name="Kimmy")
    user.refresh_from_db()
    user.nick_name = "K"
    assert list(User.objects.filter(first_name="Kim")) == [user]
    assert user.changes() == {"nick_name": ("Kimmy", "K")}
    assert user.conflicts() == {}
    user.save()
    assert planhat_sandbox.row(User, kim)["nickName"] == "K"


def test_what_a_kept_table_lacks_is_loaded_once_for_all(planhat_sandbox: Sandbox, kim: dict[str, str]) -> None:
    for number in range(20):
        planhat_sandbox.add(
            User,
            email=f"u{number}@vendor.example",
            nick_name=f"U{number}",
            first_name="U",
            last_name=str(number),
            company_filter=f"f{number}",
        )
    users = list(User.objects.filter(first_name="U").order_by("email"))
    with planhat_sandbox.assert_requests(1):
        assert {user.company_filter for user in users} == {f"f{number}" for number in range(20)}
    again = list(User.objects.filter(first_name="U").order_by("email"))
    with planhat_sandbox.assert_requests(0):
        assert [user.company_filter for user in again] == [user.company_filter for user in users]


def test_a_conflict_is_told_after_rows_of_a_list_and_of_the_index(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(Company, name="Acme", phase="Live", external_id="acme-42")
    [acme] = Company.objects.only("name")
    acme.phase = "Lost"
    acme.name = "Acme AB"
    planhat_sandbox.change(Company, row, name="Acme Group", phase="Paused")
    [lean] = Company.objects.lean()
    assert lean is acme
    assert acme.conflicts() == {"name": ("Acme Group", "Acme AB")}
    with planhat_sandbox.assert_requests(0), pytest.raises(StaleObjectError, match="name"):
        acme.save()
    # What was never known cannot have moved.
    acme.name = "Acme Group"
    acme.save()
    assert planhat_sandbox.row(Company, row)["phase"] == "Lost"


def test_rows_of_two_lists_load_what_they_miss_with_their_own_page(planhat_sandbox: Sandbox) -> None:
    for number in range(30):
        planhat_sandbox.add(Task, action=f"Call {number}", is_archived=number % 2 == 0, status=f"s{number}")
    tasks = sorted(Task.objects.only("action"), key=lambda task: task.id or "")
    with planhat_sandbox.assert_requests(2):
        assert [task.status for task in tasks] == [f"s{number}" for number in range(30)]


def test_records_that_were_loaded_beforehand_load_what_they_miss_together(planhat_sandbox: Sandbox) -> None:
    owners = [
        planhat_sandbox.add(User, email=f"u{n}@v.example", nick_name=f"U{n}", first_name="U", last_name="V")
        for n in range(5)
    ]
    for number in range(20):
        company = planhat_sandbox.add(Company, name=f"C{number}", owner=owners[number % 5])
        planhat_sandbox.add(Task, action=f"Call {number}", company=company, status=f"s{number}")
    companies = list(Company.objects.only("name", "owner").order_by("name").prefetch_related("owner"))
    with planhat_sandbox.assert_requests(1):
        assert len({company.phase for company in companies}) == 1
        assert [company.owner.nick_name for company in companies] == [
            f"U{int((company.name or '')[1:]) % 5}" for company in companies
        ]
