"""parallel(n): the same rows in the same order, and nothing left behind."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.errors import Forbidden, InvalidQuery
from planhat_orm.models import Company, Enduser, Task
from planhat_orm.orm.ahead import Pages
from planhat_orm.wire.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.paging import Fetch
    from planhat_orm.sandbox import Sandbox


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    assert not named_threads()


def named_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("planhat-page")]


def people(box: Sandbox, count: int, **values: Any) -> list[dict[str, Any]]:
    box.add_many(Enduser, ({"email": f"{n:05}@x.example", **values} for n in range(count)))
    return box.rows(Enduser)


def emails(records: Any) -> list[str]:
    return [record.email for record in records]


def expected(count: int) -> list[str]:
    return [f"{n:05}@x.example" for n in range(count)]


@pytest.mark.parametrize("pages", [0, 51, -1, True, 2.0, "4", None])
def test_it_takes_one_to_fifty_pages(pages: Any) -> None:
    with pytest.raises(InvalidQuery, match="1 to 50"):
        Enduser.objects.parallel(pages)


@pytest.mark.parametrize("pages", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("how", ["list", "iterator"])
def test_the_same_rows_come_in_the_same_order(planhat_sandbox: Sandbox, pages: int, how: str) -> None:
    box = planhat_sandbox
    people(box, 1500)
    box.fault("cap", limit=100, times=None)
    found = Enduser.objects.parallel(pages)
    assert emails(found if how == "list" else found.iterator()) == expected(1500)


@pytest.mark.parametrize(("count", "pages", "most"), [(99, 8, 1), (4500, 8, 7), (9000, 4, 8), (2000, 50, 3)])
def test_where_the_length_is_not_known_it_begins_with_one_page_and_doubles(
    planhat_sandbox: Sandbox, count: int, pages: int, most: int
) -> None:
    people(planhat_sandbox, count)
    assert len(Enduser.objects.parallel(pages)) == count
    first, *_ = planhat_sandbox.requests
    assert first.params["offset"] == "0"
    needed = max(1, -(-(count - 1) // 1999))
    assert needed <= len(planhat_sandbox.requests) <= most
    assert len(planhat_sandbox.requests) < needed + pages


@pytest.mark.parametrize("count", [1999, 2000, 2001, 3999, 4000, 9000])
def test_where_the_length_is_known_it_costs_no_request_more(planhat_sandbox: Sandbox, count: int) -> None:
    people(planhat_sandbox, count)
    assert len(Enduser.objects.all()) == count
    needed = len(planhat_sandbox.requests)
    with planhat_sandbox.assert_requests(needed):
        assert emails(Enduser.objects.parallel(8)) == expected(count)


@pytest.mark.parametrize("pages", [2, 3, 6])
def test_where_the_length_is_known_the_last_of_many_pages_costs_no_request_more(
    planhat_sandbox: Sandbox, pages: int
) -> None:
    people(planhat_sandbox, 25_000)
    assert len(Enduser.objects.only("email")) == 25_000
    with planhat_sandbox.assert_requests(13):
        assert emails(Enduser.objects.parallel(pages)) == expected(25_000)


def test_it_never_asks_beyond_a_known_end_before_a_full_page(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 3000)
    assert len(Enduser.objects.all()) == 3000
    planhat_sandbox.add_many(Enduser, ({"email": "new"} for _ in range(9000)))
    planhat_sandbox.clear_requests()
    assert len(Enduser.objects.parallel(4)) == 12_000


def test_a_slice_asks_for_no_row_behind_it(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 12_000)
    with planhat_sandbox.assert_requests(4):
        assert emails(Enduser.objects.parallel(8)[1000:8500]) == expected(12_000)[1000:8500]
    ends = [int(one.params["offset"]) + int(one.params["limit"]) for one in planhat_sandbox.requests]
    assert max(ends) == 8500


def test_what_may_stop_early_is_asked_for_page_by_page(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 9000, first_name="Ada")
    assert len(Enduser.objects.only("email")) == 9000  # from now on the length is known
    with planhat_sandbox.assert_requests(1):
        assert len(Enduser.objects.filter(first_name="Ada").parallel(8)[:5]) == 5
    with planhat_sandbox.assert_requests(1):
        assert Enduser.objects.filter(first_name="Ada").parallel(8).exists()


def test_no_thread_is_there_while_rows_are_in_their_consumers_hands(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 9000)
    found = iter(Enduser.objects.parallel(4))
    for _ in range(5000):
        next(found)
        assert not named_threads()
    for _ in Enduser.objects.parallel(4).iterator():
        break
    assert not named_threads()


@pytest.mark.parametrize("how", ["list", "iterator", "page by page"])
def test_a_page_that_fails_raises_where_its_rows_would_have_come(
    planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    people(planhat_sandbox, 9000)
    assert len(Enduser.objects.only("email")) == 9000

    planhat_sandbox.fault("status", status=403)
    with pytest.raises(Forbidden) as refusal:
        Company.objects.count()
    ask, seen = Pages._ask, list[str]()

    def refused(self: Pages, wanted: Fetch) -> Any:
        if wanted.offset == 5997:
            raise refusal.value
        return ask(self, wanted)

    monkeypatch.setattr(Pages, "_ask", refused)
    found = Enduser.objects.parallel(1 if how == "page by page" else 4)
    records = found.iterator() if how == "iterator" else found
    with pytest.raises(Forbidden):
        seen.extend(person.email or "" for person in records)
    assert seen == expected(5998)  # pages overlap by a row


def test_an_error_of_a_page_that_is_never_reached_is_never_raised(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 9000)
    planhat_sandbox.fault("status", status=403, after=3, times=None)
    found = Enduser.objects.parallel(3).iterator()
    assert [next(found).email for _ in range(3000)] == expected(3000)


def test_a_slow_page_is_asked_for_at_half_its_size(planhat_sandbox: Sandbox, patient: Any) -> None:
    people(planhat_sandbox, 9000)
    patient(Session.current())
    assert len(Enduser.objects.only("email")) == 9000
    planhat_sandbox.fault("status", status=504, after=2, times=3)
    assert emails(Enduser.objects.parallel(4)) == expected(9000)


def test_a_field_that_is_missed_is_asked_for_with_the_pages_that_follow(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 15_000, first_name="Ada")
    read = [(person.email, person.first_name) for person in Enduser.objects.only("email").parallel(3).iterator()]
    assert read == [(email, "Ada") for email in expected(15_000)]
    selects = [request.params["select"] for request in planhat_sandbox.requests]
    assert selects[-1] == "_id,email,firstName"
    assert selects.count("_id,firstName") <= 3


def test_live_objects_stay_the_same_and_keep_what_was_changed(planhat_sandbox: Sandbox) -> None:
    rows = people(planhat_sandbox, 5000)
    known = Enduser.objects.get(id=rows[4321]["_id"])
    known.email = "mine@x.example"
    found = list(Enduser.objects.parallel(3))
    assert found[4321] is known
    assert known.email == "mine@x.example"
    assert len({id(person) for person in found}) == 5000


def test_the_quota_is_kept(planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    people(planhat_sandbox, 3000)
    planhat_sandbox.fault("cap", limit=100, times=None)
    going: list[int] = []
    now, lock = [0], threading.Lock()
    with planhat_sandbox.session(quota=Quota(per_minute=10_000, per_second=1000, parallel=2)) as session:
        exchange = session.transport._exchange

        def watched(*args: Any) -> Any:
            with lock:
                now[0] += 1
                going.append(now[0])
            try:
                return exchange(*args)
            finally:
                with lock:
                    now[0] -= 1

        monkeypatch.setattr(session.transport, "_exchange", watched)
        assert emails(Enduser.objects.parallel(8)) == expected(3000)
    assert max(going) <= 2


def test_each_of_several_lists_is_read_so(planhat_sandbox: Sandbox) -> None:
    for archived in (False, True):
        planhat_sandbox.add_many(Task, ({"is_archived": archived, "action": "x"} for _ in range(1200)))
    planhat_sandbox.fault("cap", limit=100, times=None)
    alone = [task.id for task in Task.objects.all()]
    assert [task.id for task in Task.objects.parallel(4)] == alone
    assert len(alone) == 2400


@pytest.mark.parametrize("seed", range(12))
def test_while_records_come_and_go_none_that_stayed_is_lost_or_repeated(planhat_sandbox: Sandbox, seed: int) -> None:
    box, dice = planhat_sandbox, random.Random(seed)
    rows = people(box, 700)
    stay = {row["_id"] for row in rows}
    lock = threading.Lock()

    def move() -> None:
        with lock:
            for _ in range(dice.choice([0, 0, 3, 40])):
                if stay and rows:
                    gone = rows.pop(dice.randrange(len(rows)))
                    stay.discard(gone["_id"])
                    box.remove(Enduser, gone)
            for _ in range(dice.choice([0, 0, 2, 30])):
                box.add(Enduser, email="new")

    box.fault("cap", limit=64, times=None)
    box.fault("drift", run=move, times=None)
    if seed % 3 == 2:
        box.fault("ignore_sort", times=None)
    found = [str(person.id) for person in Enduser.objects.parallel(dice.choice([2, 3, 5, 9]))]
    assert len(found) == len(set(found))
    if seed % 3 != 2:
        assert stay <= set(found)
        assert found == sorted(found)


def test_of_one_company_all_pages_are_narrowed(planhat_sandbox: Sandbox) -> None:
    acme, other = (planhat_sandbox.add(Company, name=name) for name in ("Acme", "Other"))
    people(planhat_sandbox, 2500, company=acme)
    planhat_sandbox.add_many(Enduser, ({"company": other} for _ in range(2500)))
    assert emails(Enduser.objects.filter(company=acme["_id"]).parallel(4)) == expected(2500)
    assert {request.params["companyId"] for request in planhat_sandbox.requests} == {acme["_id"]}
