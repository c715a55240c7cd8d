"""Threads that share a session: one object per record, one request per key, and nobody's change is lost."""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.models import Company, Enduser
from planhat_orm.orm import tracking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

THREADS = 16


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_one_request_serves_all_threads_that_ask_for_a_key(box: Sandbox, session: Session, together: Any) -> None:
    box.add(Company, name="Acme", external_id="acme-42")
    box.fault("latency", seconds=0.05, times=None)
    found = together(lambda number: Company.objects.using(session).get(external_id="acme-42"))
    assert len({id(acme) for acme in found}) == 1
    assert len(box.requests) == 1


def test_a_key_that_could_not_be_read_is_asked_for_by_the_next_thread(
    box: Sandbox, session: Session, together: Any
) -> None:
    box.add(Company, name="Acme", external_id="acme-42")
    box.fault("status", status=403)
    results: list[Any] = []

    def work(number: int) -> None:
        try:
            results.append(Company.objects.using(session).get(external_id="acme-42"))
        except Exception as problem:
            results.append(problem)

    together(work, 4)
    assert sum(isinstance(result, Exception) for result in results) == 1
    assert len({id(result) for result in results if isinstance(result, Company)}) == 1
    assert len(box.requests) == 2


@pytest.mark.usefixtures("busy")
def test_threads_that_list_and_let_go_never_see_two_objects_of_a_record(
    box: Sandbox, session: Session, together: Any
) -> None:
    box.add_many(Company, [{"name": f"Company {number}"} for number in range(60)])
    companies = Company.objects.using(session)

    def work(number: int) -> int:
        wrong = 0
        for turn in range(6):
            mine = list(companies.all()[turn * 5 : turn * 5 + 30])
            wrong += sum(session.identity_map.find(Company, company.id or "") is not company for company in mine)
            del mine
        return wrong

    assert together(work) == [0] * THREADS


@pytest.mark.usefixtures("busy")
def test_changes_of_distinct_keys_of_shared_objects_all_arrive(box: Sandbox, session: Session, together: Any) -> None:
    rows = [box.add(Company, name=f"Company {number}", external_id=f"c-{number}") for number in range(4)]

    def work(number: int) -> list[int]:
        seen = []
        for turn in range(4):
            company = Company.objects.using(session).get(external_id=f"c-{(number + turn) % 4}")
            seen.append(id(company))
            company.custom[f"key {number}"] = turn
            company.save()
        return seen

    seen = together(work)
    assert len({one for ids in seen for one in ids}) == 4
    for place, row in enumerate(rows):
        expected = {f"key {number}": (place - number) % 4 for number in range(THREADS)}
        assert box.row(Company, row)["custom"] == expected
        company = Company.objects.using(session).get(external_id=f"c-{place}")
        assert dict(company.custom) == expected
        assert company.changes() == {}


@pytest.mark.usefixtures("busy")
def test_changes_of_distinct_fields_of_one_object_all_arrive(box: Sandbox, session: Session, together: Any) -> None:
    names = ["phase", "description", "address", "country", "city", "zip", "phone", "web"]
    for turn in range(10):
        row = box.add(Company, name="Acme", external_id=f"acme-{turn}")
        acme = Company.objects.get(external_id=f"acme-{turn}")

        def work(number: int, acme: Company = acme) -> None:
            setattr(acme, names[number], f"value {number}")
            acme.save()

        together(work, len(names))
        stored = box.row(Company, row)
        wire = {name: Company._meta.field(name).data_key for name in names}
        assert {name: stored.get(wire[name]) for name in names} == {
            name: f"value {number}" for number, name in enumerate(names)
        }
        assert {name: getattr(acme, name) for name in names} == {
            name: f"value {number}" for number, name in enumerate(names)
        }


@pytest.mark.usefixtures("busy")
def test_first_assignments_at_the_same_time_are_all_kept(box: Sandbox, session: Session, together: Any) -> None:
    names = ["phase", "description", "address", "country", "city", "zip", "phone", "web"]
    rows = box.add_many(Company, [{"name": f"Company {number}"} for number in range(50)])
    companies = list(Company.objects.all())
    assert len(companies) == rows

    def work(number: int) -> None:
        for company in companies:
            setattr(company, names[number], "set")

    together(work, len(names))
    assert [set(company.changes()) for company in companies] == [set(names)] * rows


@pytest.mark.usefixtures("busy")
def test_reading_while_others_save_loses_no_change(box: Sandbox, session: Session, together: Any) -> None:
    row = box.add(Company, name="Acme", external_id="acme-42")
    stop = threading.Event()

    def work(number: int) -> None:
        if number % 2:
            while not stop.is_set():
                list(Company.objects.using(session).filter(external_id="acme-42"))
            return
        try:
            for turn in range(12):
                acme = Company.objects.using(session).get(external_id="acme-42")
                acme.custom[f"key {number}"] = turn
                acme.save()
        finally:
            if number == 0:
                stop.set()

    together(work, 6)
    assert box.row(Company, row)["custom"] == {f"key {number}": 11 for number in (0, 2, 4)}


def test_links_of_one_page_are_loaded_once_by_all_threads(box: Sandbox, session: Session, together: Any) -> None:
    acme = box.add(Company, name="Acme")
    for number in range(8):
        box.add(Enduser, company=acme, email=f"e{number}@acme.example")
    people = list(Enduser.objects.all())
    box.fault("latency", seconds=0.05, times=None)
    box.clear_requests()
    found = together(lambda number: people[number].company, 8)
    assert len({id(company) for company in found}) == 1
    assert len(box.requests) == 1


def test_a_read_that_was_asked_for_first_and_answered_last_brings_nothing_back(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = box.add(Company, name="old", external_id="acme-42")
    acme = Company.objects.using(session).get(external_id="acme-42")
    send = session.transport.send
    held = threading.Event()

    def sending(request: Any) -> Any:
        response = send(request)
        if request.path == "/companies" and not held.is_set():
            held.set()
            box.change(Company, row, name="new")
            acme.refresh_from_db()
        return response

    monkeypatch.setattr(session.transport, "send", sending)
    assert list(Company.objects.using(session).all()) == [acme]
    assert held.is_set()
    assert acme.name == "new"


def test_a_missing_field_of_one_page_is_loaded_once_by_all_threads(
    box: Sandbox, session: Session, together: Any
) -> None:
    box.add_many(Company, [{"name": f"C{number}", "phase": f"P{number}"} for number in range(8)])
    companies = list(Company.objects.only("name").order_by("name"))
    box.fault("latency", seconds=0.05, times=None)
    box.clear_requests()
    assert together(lambda number: companies[number].phase, 8) == [f"P{number}" for number in range(8)]
    assert len(box.requests) == 1


def test_a_long_run_leaves_nothing_behind(box: Sandbox, session: Session, together: Any) -> None:
    box.add_many(Company, [{"name": f"Company {number}"} for number in range(30)])

    def work(number: int) -> None:
        for company in Company.objects.using(session).all():
            company.custom[f"key {number}"] = number
            company.revert()

    together(work, 8)
    assert session.identity_map._dirty == {}
    assert session.identity_map._flights == {}
    gc.collect()
    assert len(session.identity_map) == 0


def test_a_row_that_comes_between_two_looks_at_an_object_is_seen(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add(Company, name="Acme", phase="Live", external_id="acme-42")
    [acme] = Company.objects.only("name")
    knows = Company._knows
    came: list[Company] = []

    def knowing(obj: Company, data_key: str) -> bool:
        if not came:
            came.append(obj)
            acme.refresh_from_db()
        return knows(obj, data_key)

    monkeypatch.setattr(Company, "_knows", knowing)
    assert acme.phase == "Live"


def test_a_page_counts_as_loaded_only_when_its_rows_have_it(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add_many(Company, [{"name": f"C{number}", "phase": "Live"} for number in range(3)])
    companies = list(Company.objects.only("name"))
    refresh = session.identity_map.refresh
    known: list[bool] = []

    def refreshing(*args: Any) -> None:
        known.extend(company._knows("phase") for company in companies)
        refresh(*args)

    monkeypatch.setattr(session.identity_map, "refresh", refreshing)
    assert companies[0].phase == "Live"
    assert known == [False] * 3
    assert all(company._knows("phase") for company in companies)


def test_nothing_else_touches_an_object_while_it_is_reverted(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = Company.objects.create(name="Acme", custom={"Tier": "Gold"})
    acme.custom["Tier"] = "Silver"
    revert = tracking.revert
    entered: list[bool] = []

    def try_lock() -> None:
        entered.append(session.identity_map.lock.acquire(blocking=False))

    def reverting(obj: Any, state: Any) -> None:
        other = threading.Thread(target=try_lock)
        other.start()
        other.join()
        revert(obj, state)

    monkeypatch.setattr(tracking, "revert", reverting)
    acme.revert()
    assert entered == [False]
    assert acme.changes() == {}


@pytest.mark.usefixtures("busy")
def test_fields_that_no_row_holds_are_sampled_once_by_all_threads(
    box: Sandbox, session: Session, together: Any
) -> None:
    box.add_many(Company, [{"name": f"C{number}"} for number in range(16)])
    companies = list(Company.objects.all())
    box.clear_requests()
    assert together(lambda number: companies[number].description) == [None] * THREADS
    assert len(box.requests) == 3
