"""What a sceptical user tried to get a wrong, a missing or a repeated row; each of these did once, or might have."""

from __future__ import annotations

import pickle
import random
import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery
from planhat_orm.models import Company, Conversation, Enduser, Task, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.sandbox import Sandbox

NOON = datetime(2025, 4, 1, 12, tzinfo=UTC)


def names(records: Iterable[Any]) -> list[str]:
    return [record.name for record in records]


def actions(tasks: Iterable[Any]) -> list[str]:
    return [task.action for task in tasks]


def emails(people: Iterable[Any]) -> list[str]:
    return [person.email for person in people]


def people(box: Sandbox, count: int, **values: Any) -> None:
    box.add_many(Enduser, ({"email": f"{number:04}", **values} for number in range(count)))


# Filters


def test_a_range_from_an_hour_to_its_day_is_the_rest_of_the_day(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="noon", last_touch=NOON)
    planhat_sandbox.add(Company, name="morning", last_touch=NOON - timedelta(hours=5))
    with planhat_sandbox.assert_requests(1):
        found = Company.objects.filter(last_touch__range=(NOON - timedelta(hours=2), date(2025, 4, 1)))
        assert names(found) == ["noon"]


@pytest.mark.parametrize(
    "asked",
    [
        {"archived": False},
        {"archived__in": [False]},
        {"archived": False, "archived__isnull": True},
    ],
)
def test_no_value_is_not_archived_however_it_is_asked(planhat_sandbox: Sandbox, asked: dict[str, Any]) -> None:
    planhat_sandbox.add(Enduser, email="missing", archived=None)
    planhat_sandbox.add(Enduser, email="archived", archived=True)
    with planhat_sandbox.assert_requests(1):
        assert emails(Enduser.objects.filter(**asked)) == ["missing"]


@pytest.mark.parametrize(
    "asked", [{"external_id__lt": "m"}, {"external_id__regex": "^$|b"}, {"external_id__in": ["b"]}]
)
def test_the_index_and_the_list_agree_on_blank_keys(planhat_sandbox: Sandbox, asked: dict[str, Any]) -> None:
    for key in ("", "b", None, "z"):
        planhat_sandbox.add(Company, name=str(key), external_id=key)
    for qs in (Company.objects.filter(**asked), Company.objects.exclude(**asked)):
        by_index, by_pages = qs.only("name"), qs.only("name", "phase")
        assert sorted(names(by_index)) == sorted(names(by_pages))
        assert by_index.count() == len(by_pages)


def test_a_list_given_to_a_filter_may_change_afterwards(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="one", tags=["x"], custom={"Tiers": ["x"]})
    planhat_sandbox.add(Company, name="two", tags=["x", "y"], custom={"Tiers": ["x", "y"]})
    wanted = ["x"]
    by_field, by_custom = Company.objects.filter(tags=wanted), Company.objects.filter(Q("custom.Tiers", exact=wanted))
    wanted.append("y")
    assert names(by_field) == names(by_custom) == ["one"]


def test_the_zone_of_the_session_says_where_a_day_begins(planhat_sandbox: Sandbox) -> None:
    edges = [
        "2025-03-29T22:59:59.999Z",
        "2025-03-29T23:00:00.000Z",
        "2025-03-30T21:59:59.999Z",
        "2025-03-30T22:00:00.000Z",
    ]
    for edge in edges:
        planhat_sandbox.add(Company, name=edge, last_touch=edge)
    with planhat_sandbox.session(timezone=ZoneInfo("Europe/Berlin")):
        # The clocks go forward that night: it has 23 hours.
        sunday = date(2025, 3, 30)
        assert names(Company.objects.filter(last_touch=sunday)) == edges[1:3]
        assert names(Company.objects.filter(last_touch__gt=sunday)) == edges[3:]
        assert names(Company.objects.filter(last_touch__lt=sunday)) == edges[:1]


@pytest.mark.parametrize("email", ["a+b@x", "a b@x", "a%20b@x", "ü@x", "a&b=c@x", "a,b@x", "a#b@x", "a'b\"@x", " a@x"])
def test_what_planhat_filters_by_arrives_as_it_was_meant(planhat_sandbox: Sandbox, email: str) -> None:
    planhat_sandbox.add(Enduser, email=email)
    planhat_sandbox.add(Enduser, email="other@x")
    with planhat_sandbox.assert_requests(1):
        assert emails(Enduser.objects.filter(email=email)) == [email]


def test_every_way_to_join_what_lies_across_links_is_plain_logic(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    users = [box.add(User, email=f"u{number}@x") for number in range(2)]
    companies = [box.add(Company, name=f"c{n}", owner=users[n % 2], arr=n) for n in range(4)]
    for number in range(6):
        company = companies[number] if number < 4 else "64b00001912265b1f5ffffff" if number == 4 else None
        box.add(Enduser, email=f"e{number}", company=company)
    meanings = {
        "c1": (Q(company__name="c1"), {"e1"}),
        "owner": (Q(company__owner__email="u1@x"), {"e1", "e3"}),
        "arr": (Q(company__arr__gte=2), {"e2", "e3"}),
        "none": (Q(company__name__isnull=True), {"e4", "e5"}),
        "own": (Q(email__in=["e0", "e3", "e4"]), {"e0", "e3", "e4"}),
    }
    everybody = {f"e{number}" for number in range(6)}
    for one, ones in meanings.values():
        for other, others in meanings.values():
            for q, wanted in (
                (one & other, ones & others),
                (one | other, ones | others),
                (one & ~other, ones - others),
                (~one | other, (everybody - ones) | others),
                (~(one & ~other), everybody - (ones - others)),
                (one ^ other, ones ^ others),
            ):
                assert set(emails(Enduser.objects.filter(q))) == wanted, q
                assert set(emails(Enduser.objects.exclude(q))) == everybody - wanted, q


# Orders and slices


def test_what_is_ordered_by_behind_the_id_does_not_matter(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    companies = [box.add(Company, name=f"{number}")["_id"] for number in range(130)]
    for number in (5, 3, 100):
        box.add(Conversation, company=companies[number], subject=f"{number}", custom={"Rank": number})
    found = Conversation.objects.filter(company__in=companies).order_by("id", "-custom.Rank").only("subject")
    assert [one.subject for one in found] == ["5", "3", "100"]


def test_an_order_by_id_holds_where_planhat_ignores_it(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 20)
    with planhat_sandbox.fault("ignore_sort", times=None):
        assert emails(Enduser.objects.order_by("id")) == [f"{number:04}" for number in range(20)]
        assert emails(Enduser.objects.order_by("-id").reverse()) == [f"{number:04}" for number in range(20)]


@pytest.mark.parametrize("path", ["action", "id"])
def test_a_stretch_of_tasks_is_the_same_whether_it_is_streamed_or_not(planhat_sandbox: Sandbox, path: str) -> None:
    for number in range(12):
        planhat_sandbox.add(Task, action=f"{number:02}", is_archived=number % 3 == 0)
    for qs, wanted in (
        (Task.objects.order_by(path)[1:7], ["01", "02", "03", "04", "05", "06"]),
        (Task.objects.order_by(f"-{path}")[1:7], ["10", "09", "08", "07", "06", "05"]),
    ):
        assert actions(qs) == actions(qs.iterator()) == wanted
        assert qs.all()[2].action == wanted[2]


def test_what_stands_behind_an_id_in_an_order_is_not_asked_for_where_planhat_ignores_the_order(
    planhat_sandbox: Sandbox,
) -> None:
    for number in range(12):
        planhat_sandbox.add(Company, name=f"C{number}", phase="Live")
    with planhat_sandbox.fault("ignore_sort", times=None), planhat_sandbox.session():
        found = [company.id for company in Company.objects.order_by("id", "phase").only("arr")]
    assert found == sorted(found)
    assert len(found) == 12
    assert all("phase" not in request.params.get("select", "") for request in planhat_sandbox.requests)


def test_a_queryset_half_read_gives_every_row_in_its_place(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 300)
    planhat_sandbox.fault("cap", limit=100, times=None)
    qs, wanted = Enduser.objects.all(), [f"{number:04}" for number in range(300)]
    one, other = iter(qs), iter(qs)
    ahead = [next(one).email for _ in range(120)]
    behind = [next(other).email for _ in range(250)]
    assert [qs[place].email for place in (299, 0, 99, 100)] == ["0299", "0000", "0099", "0100"]
    assert emails(qs[90:110]) == wanted[90:110]
    assert ahead + emails(one) == behind + emails(other) == wanted
    assert emails(pickle.loads(pickle.dumps(qs))[5:8]) == wanted[5:8]


def test_threads_that_share_a_queryset_each_get_all_of_it(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 500)
    planhat_sandbox.fault("cap", limit=100, times=None)
    qs, found = Enduser.objects.all(), list[list[str]]()
    threads = [threading.Thread(target=lambda: found.append(emails(qs))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[f"{number:04}" for number in range(500)]] * 6


# What was known before


def test_what_lies_across_a_link_is_read_anew_by_every_queryset(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add(Enduser, email="first", company=box.add(Company, name="a", phase="Live"))
    kept = Enduser.objects.filter(company__phase="Live")
    assert emails(kept) == ["first"]
    box.add(Enduser, email="second", company=box.add(Company, name="b", phase="Live"))
    assert emails(kept) == ["first"]
    assert emails(kept.all()) == emails(kept.order_by("email")) == ["first", "second"]
    assert emails(kept.filter(email="second")) == ["second"]
    assert kept.all().count() == 2


def test_another_record_of_a_known_name_is_found_at_once(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"c{number}", "phase": "x"} for number in range(5_100)))
    box.add(Company, name="Twin", external_id="one")
    assert len(Company.objects.filter(name="Twin")) == 1
    box.add(Company, name="Twin", external_id="two")
    assert {company.external_id for company in Company.objects.filter(name="Twin")} == {"one", "two"}


def test_ones_own_writes_are_seen_at_once(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"c{n}", "external_id": f"x{n}", "phase": "x"} for n in range(5_100)))
    renamed = Company.objects.get(name="c5")
    renamed.name = "new"
    renamed.save()
    assert names(Company.objects.filter(name="new")) == ["new"]
    assert not Company.objects.filter(name="c5").exists()
    made = Company.objects.create(name="new", external_id="y")
    assert Company.objects.filter(name="new").count() == 2
    made.delete()
    assert names(Company.objects.filter(external_id__in=["x5", "y"])) == ["new"]
    with pytest.raises(Company.DoesNotExist):
        Company.objects.get(external_id="y")


def test_a_key_that_moved_on_leads_to_who_has_it_now(planhat_sandbox: Sandbox) -> None:
    for name in ("a", "b"):
        planhat_sandbox.add(Company, name=name, external_id=name)
    a, b = (Company.objects.get(external_id=name) for name in ("a", "b"))
    a.external_id = "x"
    a.save()
    b.external_id = "a"
    b.save()
    assert Company.objects.get(external_id="a") is b
    assert Company.objects.get(external_id="x") is a
    assert not Company.objects.filter(external_id="b").exists()


def test_a_key_that_two_share_does_not_hide_the_second(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    for number in (1, 2):
        company = box.add(Company, name=f"{number}", external_id=f"c{number}")
        box.add(Enduser, email=f"{number}@x", company=company, external_id="shared")
    for number in (1, 2):
        assert Enduser.objects.get(external_id="shared", email=f"{number}@x").email == f"{number}@x"
        assert Enduser.objects.exclude(email=f"{3 - number}@x").get(external_id="shared").email == f"{number}@x"
        _, made = Enduser.objects.get_or_create(external_id="shared", email=f"{number}@x")
        assert not made
    with pytest.raises(Enduser.DoesNotExist):
        Enduser.objects.get(external_id="shared", email="3@x")


def test_a_record_that_is_known_is_not_in_a_slice_without_it(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="a", external_id="a")
    qs = Company.objects.filter(external_id="a")
    assert qs.get().name == "a"
    with pytest.raises(Company.DoesNotExist):
        qs[1:2].get()
    assert qs[1:].count() == len(qs[1:]) == 0


def test_values_of_another_tenant_are_refused_wherever_they_come_from(planhat_sandbox: Sandbox) -> None:
    from planhat_orm.sandbox import Sandbox

    company = planhat_sandbox.add(Company, name="mine", phase="Live")
    with Sandbox(seed=2, token="other") as box:
        theirs = box.session()
        mine = Company.objects.filter(phase="Live")
        record = Company.objects.get(id=company["_id"])
        for refused in (
            lambda: Enduser.objects.using(theirs).filter(company__in=mine),
            lambda: Enduser.objects.filter(company__in=mine).using(theirs),
            lambda: Enduser.objects.filter(company=record).using(theirs),
            lambda: Enduser.objects.using(theirs).exclude(company__in=mine),
        ):
            with pytest.raises(InvalidQuery):
                list(refused())
        assert box.requests == []


# Lists that move


def test_rows_that_leave_the_list_by_the_loop_itself_lose_no_other(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    left, right = box.add(Company, name="left"), box.add(Company, name="right")
    people(box, 200, company=left)
    box.fault("cap", limit=64, times=None)
    target, seen = Company.objects.get(id=right["_id"]), list[str]()
    for person in Enduser.objects.filter(company=left["_id"]):
        seen.append(person.email)
        if len(seen) % 3 == 0:
            person.company = target
            person.save()
    assert seen == [f"{number:04}" for number in range(200)]
    assert Enduser.objects.filter(company=target).count() == 66


def test_an_error_in_the_middle_leaves_nothing_behind(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 300)
    planhat_sandbox.fault("cap", limit=64, times=None)
    planhat_sandbox.fault("status", status=400, after=2, times=1)
    qs, seen = Enduser.objects.all(), list[str]()
    with pytest.raises(Exception, match="400"):
        seen.extend(person.email for person in qs)
    assert emails(qs) == [f"{number:04}" for number in range(300)]


@pytest.mark.parametrize("seed", range(6))
def test_runs_that_go_on_from_a_bookmark_miss_no_change(seed: int) -> None:
    from planhat_orm.sandbox import Sandbox

    chance, clock = random.Random(seed), [NOON]
    with Sandbox(clock=lambda: clock[0]) as box, box.session():
        rows = [
            box.add(Company, name=f"{number}", updated_at=NOON - timedelta(seconds=1000 - number))
            for number in range(200)
        ]
        last: dict[str, str] = {}

        def somebody_works() -> None:
            for _ in range(chance.randrange(4)):
                clock[0] += timedelta(seconds=chance.choice([0, 0, 1, 3, 20]))
                row = chance.choice(rows)
                last[row["_id"]] = f"{len(last)} {chance.random()}"
                box.change(Company, row, phase=last[row["_id"]])

        seen: dict[str, str | None] = {}
        since = NOON - timedelta(seconds=chance.choice([0, 100, 1000]))
        for moving in (True, True, True, False):
            box.fault("cap", limit=64, times=None)
            for after in range(6 if moving else 0):
                box.fault("drift", run=somebody_works, path="/companies", after=after)
            changes = Company.objects.changed_since(since)
            found = [(company.id, company.phase) for company in changes]
            assert len(found) == len(dict(found))
            seen |= dict(found)
            assert changes.bookmark is not None
            since = changes.bookmark
            box.clear_faults()
        assert last.items() <= seen.items()
