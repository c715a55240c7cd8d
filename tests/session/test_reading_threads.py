"""Threads that read one queryset and its objects together: each page, field and link is asked for once."""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import PlanhatError
from planhat_orm.models import Company, Enduser, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

THREADS = 16
#: Three pages of people.
PEOPLE = 4_500


@pytest.fixture(autouse=True)
def busy() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def people(box: Sandbox) -> list[str]:
    """The addresses of many people at a few companies, which a few users own, in the order of their ids."""
    owners = [
        box.add(User, email=f"u{n}@vendor.example", nick_name=f"U{n}", first_name="U", last_name=str(n))
        for n in range(3)
    ]
    companies = [box.add(Company, name=f"C{n}", owner=owners[n % 3]) for n in range(40)]
    box.add_many(
        Enduser,
        ({"email": f"e{n}@x.example", "phone": str(n), "company": companies[n % 40]} for n in range(PEOPLE)),
    )
    return [f"e{n}@x.example" for n in range(PEOPLE)]


def test_threads_that_iterate_one_queryset_share_its_pages(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).all()
    box.fault("latency", seconds=0.02, times=None)
    with box.assert_requests(3):
        found = together(lambda number: [person.email for person in queryset])
    assert found == [people] * THREADS


def test_threads_that_look_at_one_queryset_in_all_ways_share_its_pages(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).all()

    def work(number: int) -> Any:
        if number % 4 == 0:
            return len(queryset) == PEOPLE
        if number % 4 == 1:
            return queryset[number].email == people[number]
        if number % 4 == 2:
            return [person.email for person in queryset[number : number + 5]] == people[number : number + 5]
        return bool(queryset) and [person.email for person in queryset] == people

    # A slice is a queryset of its own, and a first look at one place may cost one request by itself.
    before = len(box.requests)
    assert together(work) == [True] * THREADS
    assert len(box.requests) - before <= 3 + THREADS // 2
    with box.assert_requests(0):
        assert together(lambda number: queryset[PEOPLE - 1 - number].email) == people[: -THREADS - 1 : -1]


def test_threads_that_miss_a_field_of_one_queryset_ask_for_each_page_once(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).only("email")
    assert len(queryset) == PEOPLE
    box.fault("latency", seconds=0.02, times=None)
    with box.assert_requests(3):
        found = together(lambda number: [person.phone for person in queryset])
    assert found == [[str(n) for n in range(PEOPLE)]] * THREADS


def test_threads_that_iterate_and_miss_a_field_at_once_lose_and_double_nothing(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).only("email")
    box.fault("latency", seconds=0.02, times=None)
    before = len(box.requests)
    found = together(lambda number: [(person.email, person.phone) for person in queryset])
    assert found == [list(zip(people, map(str, range(PEOPLE)), strict=True))] * THREADS
    # Each page once and, where it came before the field was missed, once more for that.
    asked = [(request.params["offset"], request.params["select"]) for request in box.requests[before:]]
    assert len(asked) == len(set(asked)) <= 6


def test_threads_that_miss_different_fields_ask_for_each_once(box: Sandbox, session: Session, together: Any) -> None:
    names = ["city", "phase", "web", "description"]
    box.add_many(Company, [{"name": f"C{n}", **{name: f"{name} {n}" for name in names}} for n in range(50)])
    companies = list(Company.objects.using(session).only("name"))
    box.fault("latency", seconds=0.02, times=None)
    with box.assert_requests(len(names)):
        found = together(lambda number: [getattr(one, names[number % 4]) for one in companies])
    assert found == [[f"{names[number % 4]} {n}" for n in range(50)] for number in range(THREADS)]


def test_threads_that_follow_links_of_one_queryset_ask_for_each_target_once(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).all()[:1000]
    assert len(queryset) == 1000
    box.fault("latency", seconds=0.02, times=None)
    with box.assert_requests(2):
        found = together(lambda number: [(one.company.name, one.company.owner.email) for one in queryset])
    assert found == [[(f"C{n % 40}", f"u{n % 40 % 3}@vendor.example") for n in range(1000)]] * THREADS
    assert len({id(one.company) for one in queryset}) == 40


def test_threads_with_iterators_of_their_own_get_all_rows_each(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).only("email")
    with box.assert_requests(4 * 3):
        found = together(lambda number: [person.email for person in queryset.iterator()], 4)
    assert found == [people] * 4


def test_threads_with_querysets_of_their_own_share_the_objects(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    held = together(lambda number: list(Enduser.objects.using(session).all()[number * 100 :][:200]))
    for number, found in enumerate(held):
        assert [person.email for person in found] == people[number * 100 : number * 100 + 200]
    by_id = {person.id: person for found in held for person in found}
    assert all(by_id[person.id] is person for found in held for person in found)


def test_a_page_that_fails_fails_for_who_asked_and_comes_for_the_next(
    box: Sandbox, session: Session, people: list[str], together: Any
) -> None:
    queryset = Enduser.objects.using(session).all()
    box.fault("status", status=403, path="/endusers", after=1)
    problems: list[BaseException] = []

    def work(number: int) -> list[str] | None:
        try:
            return [person.email for person in queryset]
        except PlanhatError as problem:
            problems.append(problem)
            return None

    found = together(work, 4)
    assert 1 <= len(problems) <= 4
    assert [one for one in found if one is not None] == [people] * (4 - len(problems))
    assert [person.email for person in queryset] == people


def test_threads_that_read_while_others_change_see_whole_rows(box: Sandbox, session: Session, together: Any) -> None:
    box.add_many(Company, [{"name": f"C{n}", "phase": "0", "city": "0"} for n in range(30)])
    stop = threading.Event()

    def work(number: int) -> bool:
        if number == 0:
            for turn in range(1, 15):
                for row in box.rows(Company):
                    box.change(Company, row, phase=str(turn), city=str(turn))
            stop.set()
            return True
        seen: dict[str, int] = {}
        while not stop.is_set():
            for company in Company.objects.using(session).only("name", "phase", "city"):
                with session.identity_map.lock:
                    phase, city = int(company.phase or 0), int(company.city or 0)
                assert phase == city >= seen.get(company.id or "", 0)
                seen[company.id or ""] = phase
        return len(seen) == 30

    assert together(work, 6) == [True] * 6


def test_nothing_is_left_behind(box: Sandbox, session: Session, people: list[str], together: Any) -> None:
    def read_all() -> None:
        queryset = Enduser.objects.using(session).only("email")
        together(lambda number: [person.company.name for person in queryset[number * 10 : number * 10 + 50]])

    read_all()
    assert session.identity_map._flights == {}
    assert session.identity_map._dirty == {}
    gc.collect()
    # What links led to is kept for a minute.
    assert len(session.identity_map) <= 40
