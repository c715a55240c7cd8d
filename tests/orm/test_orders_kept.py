"""Orders that Planhat was asked for: how it shows that they were not kept, and what is done then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.errors import ServerError
from planhat_orm.models import Enduser, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox


def people(box: Sandbox, count: int, **values: Any) -> None:
    box.add_many(Enduser, ({"email": f"{n:04}", **values} for n in range(count)))


def emails(records: Any) -> list[str]:
    return [record.email for record in records]


@pytest.mark.parametrize("how", ["list", "iterator"])
@pytest.mark.parametrize(("start", "stop"), [(None, None), (None, 5), (None, 1), (590, None), (3, 9)])
@pytest.mark.parametrize("turned", [False, True])
def test_an_order_by_id_that_is_ignored_is_made_here(
    planhat_sandbox: Sandbox, how: str, start: int | None, stop: int | None, *, turned: bool
) -> None:
    people(planhat_sandbox, 600)
    planhat_sandbox.fault("ignore_sort", times=None)
    ordered = Enduser.objects.order_by("-id").reverse() if turned else Enduser.objects.order_by("id")
    part = ordered[start:stop]
    assert emails(part if how == "list" else part.iterator()) == [f"{n:04}" for n in range(600)][start:stop]


def test_an_order_by_id_that_is_kept_costs_nothing_more(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 4500)
    with planhat_sandbox.assert_requests(3):
        assert emails(Enduser.objects.order_by("id")) == [f"{n:04}" for n in range(4500)]
    with planhat_sandbox.assert_requests(1):
        assert emails(Enduser.objects.order_by("id")[:1]) == ["0000"]


def test_an_iterator_over_a_slice_notices_that_it_begins_without_values(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 300, beats=5)
    planhat_sandbox.add_many(Enduser, ({"email": "new", "beats": None} for _ in range(50)))
    planhat_sandbox.fault("ignore_sort", times=None)
    found = list(Enduser.objects.order_by("-beats")[:20].iterator())
    assert emails(found) == [f"{n:04}" for n in range(20)]


@pytest.mark.parametrize("order", ["action", "-action", "id", "-id"])
def test_an_iterator_over_a_slice_sees_all_lists(planhat_sandbox: Sandbox, order: str) -> None:
    for n in range(12):
        planhat_sandbox.add(Task, action=f"{n:02}", is_archived=n % 2 == 0)
    part = Task.objects.order_by(order)[1:7]
    wanted = sorted((f"{n:02}" for n in range(12)), reverse=order.startswith("-"))[1:7]
    assert [task.action for task in part.iterator()] == wanted
    assert [task.action for task in part] == wanted


@pytest.mark.parametrize("order", ["beats", "-beats"])
def test_equal_rows_of_a_slice_come_by_id(planhat_sandbox: Sandbox, order: str) -> None:
    planhat_sandbox.add_many(Enduser, ({"beats": n % 3} for n in range(90)))
    part = list(Enduser.objects.order_by(order)[:60])
    whole = list(Enduser.objects.order_by(order))[:60]
    assert [one.id for one in part] == [one.id for one in whole]


def test_a_page_of_few_rows_is_asked_for_again_after_a_504(planhat_sandbox: Sandbox, patient: Any) -> None:
    people(planhat_sandbox, 30)
    patient(Session.current())
    asks: tuple[Callable[[], Any], ...] = (Enduser.objects.order_by("email").first, lambda: Enduser.objects.all()[7])
    for ask in asks:
        planhat_sandbox.fault("status", status=504, times=1)
        with planhat_sandbox.assert_requests(2):
            assert ask() is not None
    planhat_sandbox.fault("status", status=504, times=None)
    with pytest.raises(ServerError):
        Enduser.objects.first()
