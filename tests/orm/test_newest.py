"""A filter by the time of the last change: the newest rows are read and no more, where that can be relied on."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Q
from planhat_orm.errors import FilterIgnored
from planhat_orm.models import Company, Enduser, Task, User
from planhat_orm.orm.newest import reads_newest
from planhat_orm.orm.planner import plan_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

OLD = datetime(2025, 1, 1, tzinfo=UTC)
NEW = datetime(2025, 6, 1, tzinfo=UTC)


def fill(box: Sandbox, model: type[Model], count: int, *, changed: int = 0, seed: int = 1, **values: Any) -> list[str]:
    """Add records changed at different times long ago, and change some of them; return the ids of those, in order."""
    box.add_many(model, ({"updated_at": OLD + timedelta(seconds=(n * 7919) % count), **values} for n in range(count)))
    rows = box.rows(model)
    touched = random.Random(seed).sample(rows, changed)
    for n, row in enumerate(touched):
        box.change(model, row, updated_at=NEW + timedelta(seconds=n))
    return sorted(row["_id"] for row in touched)


def ids(records: Any) -> list[str]:
    return [record.id for record in records]


@pytest.mark.parametrize(
    "lookups",
    [
        {"updated_at__gte": NEW},
        {"updated_at__gt": NEW - timedelta(seconds=1)},
        {"updated_at__range": (NEW, NEW + timedelta(days=1))},
        {"updated_at": NEW.date()},
        {"updated_at__in": [NEW.date(), NEW.date() + timedelta(days=1)]},
        {"updated_at__gte": NEW, "updated_at__gt": OLD},
    ],
)
def test_a_bound_on_the_last_change_is_one_request_in_the_order_of_ids(
    planhat_sandbox: Sandbox, lookups: dict[str, Any]
) -> None:
    touched = fill(planhat_sandbox, Enduser, 5000, changed=30)
    with planhat_sandbox.assert_requests(1):
        assert ids(Enduser.objects.filter(**lookups)) == touched
    assert planhat_sandbox.requests[0].params["sort"] == "-updatedAt"


def test_what_is_counted_sliced_streamed_or_put_in_order_here_is_one_request_too(planhat_sandbox: Sandbox) -> None:
    touched = fill(planhat_sandbox, Enduser, 5000, changed=30)
    changed = Enduser.objects.filter(updated_at__gte=NEW)
    checks: tuple[Callable[[], bool], ...] = (
        lambda: ids(changed.order_by("-updated_at"))[::-1] == ids(changed.order_by("updated_at")),
        lambda: changed.count() == 30,
        lambda: changed.exists(),
        lambda: ids(changed[5:8]) == touched[5:8],
        lambda: ids(changed.order_by("-id")[:3]) == touched[:-4:-1],
        lambda: ids(changed[:1]) == touched[:1],
        lambda: ids(changed.all().iterator()) == touched,
        lambda: len(ids(changed.order_by("email").iterator())) == 30,
    )
    for found in checks:
        before = len(planhat_sandbox.requests)
        assert found()
        assert len(planhat_sandbox.requests) - before in (1, 2)  # two for the one that compares two orders


def test_several_pages_are_read_and_then_the_front_again(planhat_sandbox: Sandbox) -> None:
    touched = fill(planhat_sandbox, Enduser, 9000, changed=2500)
    with planhat_sandbox.assert_requests(3):
        assert ids(Enduser.objects.filter(updated_at__gte=NEW)) == touched
    assert [request.params["offset"] for request in planhat_sandbox.requests] == ["0", "1998", "0"]


@pytest.mark.parametrize("way", ["slice", "iterator", "first of an order"])
def test_where_a_page_does_not_do_rows_that_are_wanted_soon_come_from_the_list(
    planhat_sandbox: Sandbox, way: str
) -> None:
    touched = fill(planhat_sandbox, Enduser, 9000, changed=2500)
    changed = Enduser.objects.filter(updated_at__gte=NEW)
    if way == "slice":
        assert ids(changed[:3]) == touched[:3]
    elif way == "iterator":
        assert ids(changed.iterator()) == touched
    else:
        newest = changed.order_by("-updated_at")[:3]
        assert [person.updated_at for person in newest] == [NEW + timedelta(seconds=n) for n in (2499, 2498, 2497)]
    sorts = [request.params["sort"] for request in planhat_sandbox.requests]
    assert sorts == {"slice": ["-updatedAt", "_id"], "iterator": ["-updatedAt", *["_id"] * 5]}.get(
        way, ["-updatedAt"] * 2
    )


@pytest.mark.parametrize("how", ["list", "iterator", "slice", "count", "order"])
def test_an_order_that_is_ignored_is_noticed_and_remembered(planhat_sandbox: Sandbox, how: str) -> None:
    touched = fill(planhat_sandbox, Enduser, 3000, changed=30)
    planhat_sandbox.fault("ignore_sort", times=None)
    changed = Enduser.objects.filter(updated_at__gte=NEW)
    answer: Any = {
        "list": lambda: sorted(ids(changed)) == touched,
        "iterator": lambda: sorted(ids(changed.iterator())) == touched,
        "slice": lambda: set(ids(changed[:30])) == set(touched),
        "count": lambda: changed.count() == 30,
        "order": lambda: ids(changed.order_by("email", "id")) == touched,
    }[how]
    assert answer()
    planhat_sandbox.clear_requests()
    assert ids(Enduser.objects.filter(updated_at__gte=NEW).order_by("-email", "id")) == touched
    assert {request.params["sort"] for request in planhat_sandbox.requests} == {"_id"}


def test_rows_in_the_order_of_their_ids_prove_nothing_but_the_oldest_row_does(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Enduser, ({"updated_at": OLD + timedelta(minutes=n)} for n in range(5000)))
    since = OLD + timedelta(minutes=4990)
    with box.assert_requests(2):
        assert len(Enduser.objects.filter(updated_at__gte=since)) == 10
    assert box.requests[1].params == {
        "sort": "updatedAt",
        "limit": "1",
        "offset": "0",
        "archived": "true",
        "select": "_id,updatedAt",
    }
    with box.assert_requests(1):  # once in a session
        assert len(Enduser.objects.filter(updated_at__gte=since)) == 10


def test_ignored_and_yet_in_order_on_the_first_page_loses_no_record(planhat_sandbox: Sandbox) -> None:
    """The newest ids come first, nobody was changed since it was made: but for the oldest record, which was today."""
    box = planhat_sandbox
    box.add_many(Enduser, ({"updated_at": OLD + timedelta(minutes=n)} for n in range(3000)))
    first = box.rows(Enduser)[0]
    box.change(Enduser, first, updated_at=NEW)
    box.fault("ignore_sort", times=None)
    assert first["_id"] in ids(Enduser.objects.filter(updated_at__gte=OLD + timedelta(minutes=2990)))


@pytest.mark.parametrize(
    "odd", ["soon", {"a": 1}, [1], True, 5, "", None, "2025-06-01T02:30:00.000+02:00", "2999-01-01"]
)
def test_odd_times_lose_no_record_and_raise_nothing(planhat_sandbox: Sandbox, odd: Any) -> None:
    box = planhat_sandbox
    touched = fill(box, Enduser, 3000, changed=30)
    strange = box.add(Enduser, updated_at=odd)
    found = ids(Enduser.objects.filter(updated_at__gte=NEW))
    late = odd in ("2999-01-01", "2025-06-01T02:30:00.000+02:00")
    assert found == sorted([*touched, *([strange["_id"]] if late else [])])


def test_all_of_one_time_is_read_as_ever(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"updated_at": NEW} for _ in range(5000)))
    assert len(Enduser.objects.filter(updated_at__gte=NEW)) == 5000
    assert len(Enduser.objects.filter(updated_at__gt=NEW)) == 0


def test_no_time_at_all_is_read_as_ever(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"updated_at": None} for _ in range(2500)))
    assert len(Enduser.objects.filter(updated_at__gte=NEW)) == 0


def test_each_of_several_lists_is_read_so(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    touched = fill(box, Task, 12_000, changed=20, is_archived=False)
    archived = fill(box, Task, 300, is_archived=True)
    hidden = box.add(Task, is_archived=True, updated_at=NEW)
    with box.assert_requests(2):
        assert ids(Task.objects.filter(updated_at__gte=NEW)) == [*touched, hidden["_id"]]
    assert archived == []


def test_a_record_that_moves_from_one_list_to_the_next_meanwhile_comes_once(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    touched = fill(box, Task, 300, changed=5, is_archived=False)
    fill(box, Task, 300, is_archived=True, changed=0)
    box.fault("drift", run=lambda: box.change(Task, touched[2], is_archived=True), after=1, times=1)
    found = ids(Task.objects.filter(updated_at__gte=NEW))
    assert sorted(found) == touched


def test_the_filter_of_the_server_is_checked_on_every_row(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    acme, other = box.add(Company, name="Acme"), box.add(Company, name="Other")
    fill(box, Enduser, 50, company=other)
    box.fault("ignore_filters")
    with pytest.raises(FilterIgnored):
        list(Enduser.objects.filter(company=acme["_id"], updated_at__gte=NEW))


def test_a_field_that_was_not_asked_for_is_loaded_for_all_rows_together(planhat_sandbox: Sandbox) -> None:
    fill(planhat_sandbox, Enduser, 3000, changed=30, email="a@x.example")
    found = list(Enduser.objects.filter(updated_at__gte=NEW).only("updated_at"))
    with planhat_sandbox.assert_requests(1):
        assert {person.email for person in found} == {"a@x.example"}


def test_only_a_plain_bound_on_a_list_that_takes_an_order_is_read_so(planhat_sandbox: Sandbox) -> None:
    def tried(query: Any) -> bool:
        return reads_newest(plan_for(query.query, base_url="http://x.example"))

    people = Enduser.objects
    assert tried(people.filter(updated_at__gte=NEW))
    assert tried(people.filter(Q(updated_at__gte=NEW) & Q(email="a@x.example")))
    assert not tried(people.filter(updated_at__lte=NEW))
    assert not tried(people.filter(Q(updated_at__gte=NEW) | Q(email="a@x.example")))
    assert not tried(people.exclude(updated_at__gte=NEW))
    assert not tried(people.filter(created_at__gte=NEW))
    assert not tried(people.filter(updated_at=None))
    assert not tried(User.objects.filter(id="5f0c1b2a3d4e5f6071829304", updated_at__gte=NEW))
