"""Objects of which no one list holds all rows, over HTTP: tasks, archived or not."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Q, Session
from planhat_orm.errors import FilterIgnored
from planhat_orm.models import Company, Enduser, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.orm.queryset import QuerySet
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def company(planhat_sandbox: Sandbox) -> str:
    """A company with twelve tasks, every third of which is archived: t00, t03, ..."""
    row = planhat_sandbox.add(Company, name="Acme")
    for n in range(12):
        planhat_sandbox.add(Task, action=f"t{n:02}", company=row, is_archived=n % 3 == 0)
    key: str = row["_id"]
    return key


def names(tasks: Any) -> list[str]:
    return [task.raw["action"] for task in tasks]


EVERY = [f"t{n:02}" for n in range(12)]
ARCHIVED, OPEN = EVERY[::3], [name for n, name in enumerate(EVERY) if n % 3]


def test_all_rows_come_once_in_a_request_for_each_list(planhat_sandbox: Sandbox, company: str) -> None:
    tasks = Task.objects.all()
    with planhat_sandbox.assert_requests(2):
        assert names(tasks) == OPEN + ARCHIVED
    assert [request.params["isArchived"] for request in planhat_sandbox.requests] == ["false", "true"]
    assert tasks.scan_report is not None
    assert (tasks.scan_report.rows, tasks.scan_report.pages) == (12, 2)


def test_what_goes_back_to_a_list_that_was_read_is_missed_and_nothing_else_is_called_proven(
    planhat_sandbox: Sandbox, company: str
) -> None:
    box = planhat_sandbox
    box.fault(
        "drift", path="/tasks", after=1, run=lambda: box.change(Task, box.row(Task, action="t00"), is_archived=False)
    )
    tasks = Task.objects.all()
    assert names(tasks) == OPEN + ARCHIVED[1:]
    assert tasks.scan_report is not None
    assert not tasks.scan_report.proven
    assert "goes back from a later list" in str(tasks.explain())
    archived = Task.objects.filter(is_archived=True)
    assert names(archived) == ARCHIVED[1:]
    assert archived.scan_report is not None
    assert archived.scan_report.proven


def test_a_slice_that_ends_in_the_first_list_is_proven(planhat_sandbox: Sandbox, company: str) -> None:
    tasks = Task.objects.all()[:3]
    assert names(tasks) == OPEN[:3]
    assert tasks.scan_report is not None
    assert tasks.scan_report.proven


CASES: list[tuple[int, list[str], Callable[[QuerySet[Task]], Any]]] = [
    (2, sorted(EVERY, reverse=True), lambda tasks: tasks.order_by("-action")),
    (2, EVERY, lambda tasks: tasks.order_by("id")),
    (2, EVERY, lambda tasks: tasks.order_by("action", "id")),
    (2, ["t11", "t10", "t09"], lambda tasks: tasks.order_by("-action")[:3]),
    (2, ["t02", "t03", "t04"], lambda tasks: tasks.order_by("action")[2:5]),
    (2, EVERY[3:], lambda tasks: tasks.order_by("id")[3:]),
    (2, ["t10", "t08", "t07"], lambda tasks: tasks.order_by("-action").exclude(action__in=["t11", "t09"])[:3]),
    (1, OPEN[2:5], lambda tasks: tasks.all()[2:5]),
    (2, OPEN[6:] + ARCHIVED[:2], lambda tasks: tasks.all()[6:10]),
    (2, EVERY, lambda tasks: tasks.order_by("action").iterator()),
    (2, OPEN + ARCHIVED, lambda tasks: tasks.iterator()),
    (1, ARCHIVED, lambda tasks: tasks.filter(is_archived=True)),
    (1, OPEN, lambda tasks: tasks.filter(is_archived=False)),
    (1, ARCHIVED[::-1][:2], lambda tasks: tasks.filter(is_archived=True).order_by("-action")[:2]),
    (1, ARCHIVED, lambda tasks: tasks.params(isArchived=True)),
    (2, OPEN, lambda tasks: tasks.exclude(is_archived=True)),
    (2, EVERY, lambda tasks: tasks.filter(Q(is_archived=True) | Q(is_archived=False)).order_by("id")),
    (0, [], lambda tasks: tasks.filter(is_archived=True).filter(is_archived=False)),
]


@pytest.mark.parametrize(("requests", "expected", "query"), CASES)
def test_slices_orders_and_filters_see_all_lists(
    planhat_sandbox: Sandbox, company: str, requests: int, expected: list[str], query: Callable[[QuerySet[Task]], Any]
) -> None:
    with planhat_sandbox.assert_requests(requests):
        assert names(query(Task.objects.all())) == expected


def test_counting_adds_the_lists_up(planhat_sandbox: Sandbox, company: str) -> None:
    with planhat_sandbox.assert_requests(2):
        assert Task.objects.count() == 12
    with planhat_sandbox.assert_requests(1):
        assert Task.objects.filter(is_archived=True).count() == 4
    with planhat_sandbox.assert_requests(2):
        assert Task.objects.filter(action__gt="t05").count() == 6
    with planhat_sandbox.assert_requests(2):
        assert Task.objects.order_by("action")[5:100].count() == 7


def test_the_first_record_stops_early(planhat_sandbox: Sandbox, company: str) -> None:
    with planhat_sandbox.assert_requests(1):
        assert Task.objects.exists()
    with planhat_sandbox.assert_requests(1):
        first = Task.objects.first()
        assert names([first]) == ["t01"]
    with planhat_sandbox.assert_requests(2):
        last = Task.objects.last()
        assert names([last]) == ["t11"]
    with planhat_sandbox.assert_requests(2):
        assert Task.objects.filter(action="t03").exists()


def test_a_field_that_is_missing_is_loaded_from_the_list_that_the_row_was_in(
    planhat_sandbox: Sandbox, company: str
) -> None:
    tasks = list(Task.objects.only("is_archived"))
    with planhat_sandbox.assert_requests(1):
        assert [task.action for task in tasks[:8]] == OPEN
    with planhat_sandbox.assert_requests(1):
        assert [task.action for task in tasks[8:]] == ARCHIVED
    assert [request.params["isArchived"] for request in planhat_sandbox.requests[-2:]] == ["false", "true"]
    assert planhat_sandbox.requests[-1].params["select"] == "_id,action"


def test_a_field_that_is_missing_is_loaded_for_rows_of_both_lists_that_were_ordered_together(
    planhat_sandbox: Sandbox, company: str
) -> None:
    tasks = list(Task.objects.only("is_archived").order_by("-action")[:4])
    with planhat_sandbox.assert_requests(2):
        assert [task.company_id for task in tasks] == [company] * 4


def test_a_record_that_moves_from_one_list_to_the_next_comes_once(planhat_sandbox: Sandbox, company: str) -> None:
    box = planhat_sandbox
    mover = next(row for row in box.rows(Task) if row["action"] == "t01")
    box.fault("drift", run=lambda: box.change(Task, mover, is_archived=True), after=1, times=1)
    assert sorted(names(Task.objects.all())) == EVERY
    box.change(Task, mover, is_archived=False)
    box.fault("drift", run=lambda: box.change(Task, mover, is_archived=True), after=1, times=1)
    assert names(Task.objects.order_by("action")[:4]) == EVERY[:4]


def test_an_order_that_is_ignored_in_one_list_is_made_here(planhat_sandbox: Sandbox, company: str) -> None:
    planhat_sandbox.fault("ignore_sort", after=1, times=1)
    assert names(Task.objects.order_by("action")[:3]) == EVERY[:3]


def test_letter_case_is_ordered_as_the_lists_were(planhat_sandbox: Sandbox) -> None:
    for n, name in enumerate(["b", "A", "c", "B"]):
        planhat_sandbox.add(Task, action=name, is_archived=bool(n % 2))
    assert names(Task.objects.order_by("action")[:4]) == ["A", "B", "b", "c"]


def test_values_that_are_missing_come_last_in_descending_slices(planhat_sandbox: Sandbox) -> None:
    for n, name in enumerate(["b", None, "c", None]):
        planhat_sandbox.add(Task, **({"action": name} if name else {}), is_archived=bool(n % 2), description=f"{n}")
    found = [task.raw.get("action") for task in Task.objects.order_by("-action")[:3]]
    assert found == ["c", "b", None]


def test_a_list_that_ignores_the_choice_is_told(planhat_sandbox: Sandbox, company: str) -> None:
    planhat_sandbox.fault("ignore_filters", times=1)
    with pytest.raises(FilterIgnored, match="is_archived"):
        list(Task.objects.filter(is_archived=True))


def test_ids_are_asked_for_one_by_one_or_by_all_lists(planhat_sandbox: Sandbox, company: str) -> None:
    ids = [row["_id"] for row in planhat_sandbox.rows(Task)]
    with planhat_sandbox.assert_requests(3):
        assert names(Task.objects.filter(id__in=ids[:3])) == EVERY[:3]
    # One request in each list shows that there are no more than that; then each is read.
    tasks = Task.objects.filter(id__in=ids)
    assert "requests: up to 2 to see whether there are more than 29,997 rows in one of the lists" in tasks.explain()
    with planhat_sandbox.assert_requests(4):
        assert sorted(names(tasks)) == EVERY


def test_long_lists_are_read_page_by_page_and_counted(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Task, ({"action": f"{n:05}", "is_archived": n % 2 == 0} for n in range(21_000)))
    with planhat_sandbox.assert_requests(4):
        assert len({task.id for task in Task.objects.only("id").iterator()}) == 21_000
    assert Task.objects.count() == 21_000
    with planhat_sandbox.assert_requests(2):
        assert names(Task.objects.order_by("-action")[:2]) == ["20999", "20998"]


def test_members_of_lists_are_asked_for_in_every_list(planhat_sandbox: Sandbox, company: str) -> None:
    people = [planhat_sandbox.add(Enduser, company=company, email=f"{n}@x.example") for n in range(3)]
    for n in range(4):
        of = [{"id": people[n % 3]["_id"]}, {"id": people[(n + 1) % 3]["_id"]}]
        planhat_sandbox.add(Task, action=f"p{n}", endusers=of, is_archived=n == 3)
    with planhat_sandbox.assert_requests(2):
        assert names(Task.objects.filter(endusers=people[0]["_id"])) == ["p0", "p2", "p3"]
    wanted = [people[0]["_id"], people[1]["_id"]]
    tasks = Task.objects.filter(endusers__in=wanted)
    with planhat_sandbox.assert_requests(2):
        assert names(tasks) == ["p0", "p1", "p2", "p3"]
    assert planhat_sandbox.requests[-1].params["enduserIds"] == ",".join(wanted)


def test_a_record_with_members_in_two_lists_of_ids_comes_and_counts_once(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Enduser, ({"email": f"{n}@x.example"} for n in range(100)))
    ids = sorted(row["_id"] for row in box.rows(Enduser))
    box.add(Task, action="both", endusers=[{"id": ids[0]}, {"id": ids[-1]}])
    box.add(Task, action="last", endusers=[{"id": ids[-1]}], is_archived=True)
    # A slice is not worth the question whether all pages cost less than four lists of ids.
    tasks = Task.objects.filter(endusers__in=ids)[:50]
    assert "requests: at least 4" in tasks.explain()
    with box.assert_requests(4):
        assert tasks.count() == 2
    with box.assert_requests(4):
        assert names(tasks) == ["both", "last"]
    assert names(Task.objects.filter(endusers__in=ids).order_by("-action")[:1]) == ["last"]
    for status in (414, 431):  # the URL, or the headers with it, is too long: half as many ids
        box.fault("status", status=status, times=1)
        with box.assert_requests(6):
            assert names(Task.objects.filter(endusers__in=ids)[:50]) == ["both", "last"]


def test_any_slice_of_any_order_is_what_python_would_make_of_all_rows(planhat_sandbox: Sandbox) -> None:
    chance = random.Random(7)
    for n in range(60):
        planhat_sandbox.add(
            Task, action=chance.choice("abcd"), description=f"{n:02}", is_archived=chance.random() < 0.4
        )
    rows = planhat_sandbox.rows(Task)
    for _ in range(80):
        key, descending = chance.choice(["description", "action", "id"]), chance.random() < 0.5
        archived, letter = chance.choice([None, True, False]), chance.choice([None, "b"])
        start, size = chance.randrange(20), chance.choice([0, 1, 5, 30])
        expected = [row for row in rows if archived in (None, row["isArchived"]) and letter in (None, row["action"])]
        wire = {"id": "_id"}.get(key, key)
        expected.sort(key=lambda row: row[wire], reverse=descending)
        tasks = Task.objects.order_by(f"-{key}" if descending else key)
        tasks = tasks if archived is None else tasks.filter(is_archived=archived)
        tasks = tasks if letter is None else tasks.filter(action=letter)
        found = [task.raw[wire] for task in tasks[start : start + size]]
        assert found == [row[wire] for row in expected[start : start + size]], tasks.explain()


@pytest.mark.parametrize("archived", [[True, False, False], [False] * 3, [True] * 3])
def test_a_count_doubles_nothing_where_planhat_gives_the_same_rows_in_both_lists(
    planhat_sandbox: Sandbox, archived: list[bool]
) -> None:
    box = planhat_sandbox
    acme = box.add(Company, name="Acme")
    for one in archived:
        box.add(Task, company=acme, main_type="task", is_archived=one)
    with box.assert_requests(2):
        assert Task.objects.count() == 3
    with box.fault("ignore_filters", path="/tasks", times=None):
        assert (Task.objects.count(), len(Task.objects.all())) == (3, 3)


def test_slices_over_lists_that_share_rows_lose_none(planhat_sandbox: Sandbox, company: str) -> None:
    box = planhat_sandbox
    people = [box.add(Enduser, company=company, email=f"e{n}@x.example")["_id"] for n in range(200)]
    for n in range(120):
        both = [{"id": people[n]}, {"id": people[-n]}]
        box.add(Task, company=company, main_type="task", is_archived=n % 3 == 0, extra={"endusers": both})
    tasks = Task.objects.filter(endusers__in=people)
    assert len(tasks) == 120
    sliced = [task.raw["_id"] for start in range(0, 140, 20) for task in tasks.all()[start : start + 20]]
    assert sorted(sliced) == sorted(task.raw["_id"] for task in tasks)


def test_what_only_a_later_list_holds_is_neither_probed_for_nor_taken_to_be_empty(
    planhat_sandbox: Sandbox, company: str, caplog: pytest.LogCaptureFixture
) -> None:
    box = planhat_sandbox
    for name in ARCHIVED[:2]:
        box.change(Task, box.row(Task, action=name), done_at=datetime(2026, 3, 2, tzinfo=UTC))
    with box.assert_requests(2):
        done = Task.objects.filter(done_at__gte=date(2026, 1, 1)).only("action", "done_at")
        assert names(done) == ARCHIVED[:2]
    with Session(base_url=box.url, token=box.token), box.assert_requests(2):
        undone = Task.objects.filter(done_at__isnull=True).only("action", "done_at")
        assert names(undone) == OPEN + ARCHIVED[2:]
    with Session(base_url=box.url, token=box.token), box.assert_requests(2):
        assert [task.done_at is None for task in Task.objects.only("action", "done_at")].count(False) == 2
    with Session(base_url=box.url, token=box.token), box.assert_requests(2):
        first = Task.objects.filter(done_at__gte=date(2026, 1, 1)).only("done_at").order_by("-done_at")[:2]
        assert len(first) == 2
    assert not [one for one in caplog.records if "empty" in one.getMessage()]


def test_what_no_list_holds_is_judged_once_all_were_read(
    planhat_sandbox: Sandbox, company: str, caplog: pytest.LogCaptureFixture
) -> None:
    with planhat_sandbox.assert_requests(2 + 3):
        assert names(Task.objects.filter(done_at__isnull=True).only("action", "done_at")) == OPEN + ARCHIVED
    assert [request.path for request in planhat_sandbox.requests[:2]] == ["/tasks", "/tasks"]
    assert "Task.done_at" in caplog.text
