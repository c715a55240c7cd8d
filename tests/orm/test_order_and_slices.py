"""Orders and slices against Python's own, over HTTP: what comes, and that no request is one too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planhat_orm.models import Company, Enduser, Task
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]

#: Values of a custom field, in the order that is promised: nothing, numbers, texts, containers, booleans.
MIXED: list[list[Any]] = [
    [None, "", []],
    [-5],
    [0, 0.0],
    [2.5],
    [10**20],
    ["10"],
    ["2025-04-01"],
    ["B"],
    ["a"],
    [["a"]],
    [{"a": 1}],
    [False],
    [True],
]
RANKS = [(rank, value) for rank, equal in enumerate(MIXED) for value in equal]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        for n in range(30):
            rank, value = RANKS[(n * 7) % len(RANKS)]
            box.add(
                Company,
                name=f"{'cab'[n % 3]}{n % 4}",
                external_id=f"c-{n:02}",
                phase="even" if n % 2 == 0 else "odd",
                **({"arr": n % 5} if n % 5 else {}),
                **({"renewal_date": f"2025-0{n % 6 + 1}-01T00:00:00.000Z"} if n % 4 else {}),
                custom={"Mixed": value, "Rank": rank},
            )
        yield box


#: What can be ordered by, and what it means for a row as it is stored. What is missing comes first.
ORDERS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row["name"],
    "external_id": lambda row: row["externalId"],
    "arr": lambda row: (row.get("arr") is not None, row.get("arr") or 0),
    "renewal_date": lambda row: row.get("renewalDate") or "",
    "custom.Mixed": lambda row: row["custom"]["Rank"],
    "custom.Rank": lambda row: row["custom"]["Rank"],
    "custom__Rank": lambda row: row["custom"]["Rank"],
    "owner": lambda row: "",
    "id": lambda row: row["_id"],
}
orders = st.lists(
    st.tuples(st.sampled_from(sorted(ORDERS)), st.booleans()), min_size=1, max_size=3, unique_by=lambda key: key[0]
)
ends = st.none() | st.integers(0, 33)


def sorted_rows(rows: list[Row], order: list[tuple[str, bool]]) -> list[str]:
    """The external ids of rows as Python sorts them: by the keys, and by id where those are equal."""
    rows = sorted(rows, key=lambda row: row["_id"])
    for name, descending in reversed(order):
        rows.sort(key=ORDERS[name], reverse=descending)
    return [row["externalId"] for row in rows]


def paths_of(order: list[tuple[str, bool]]) -> list[str]:
    return [("-" if descending else "") + name for name, descending in order]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders, reverse=st.booleans(), start=ends, stop=ends)
def test_rows_come_as_python_sorts_them(
    box: Sandbox, order: list[tuple[str, bool]], reverse: bool, start: int | None, stop: int | None
) -> None:
    qs = Company.objects.using(box.session()).order_by(*paths_of(order)).only("external_id", "phase")
    if reverse:
        qs, order = qs.reverse(), [(name, not descending) for name, descending in order]
    expected = sorted_rows(box.rows(Company), order)
    assert [company.external_id for company in qs] == expected
    part = qs.all()[start:stop]
    found = [company.external_id for company in part]
    if len(order) > 1 or order[0][0].startswith("custom"):
        assert found == expected[start:stop]
    else:
        # Planhat ordered it: which of equal records stand in a slice is its choice.
        key = {row["externalId"]: ORDERS[order[0][0]](row) for row in box.rows(Company)}
        assert [key[one] for one in found] == [key[one] for one in expected[start:stop]]
        # Those that do stand there come by id, which external ids rise with here.
        assert found == sorted(sorted(found), key=lambda one: key[one], reverse=order[0][1])
        assert len(set(found)) == len(found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders)
def test_the_opposite_order_has_the_other_end_first(box: Sandbox, order: list[tuple[str, bool]]) -> None:
    qs = Company.objects.using(box.session()).order_by(*paths_of([*order, ("external_id", False)]))
    everything = [company.external_id for company in qs]
    assert [company.external_id for company in qs.all().reverse()] == everything[::-1]
    first, last = qs.all().first(), qs.all().last()
    assert first is not None
    assert last is not None
    assert (first.external_id, last.external_id) == (everything[0], everything[-1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    slices=st.lists(st.tuples(ends, ends), max_size=4),
    phase=st.sampled_from([None, "even"]),
    order=st.sampled_from([(), ("-id",), ("external_id",), ("custom.Rank", "-external_id")]),
    uses=st.lists(st.sampled_from(["len", "first", "count", "exists", "list", "index", "slice"]), max_size=4),
    index=st.integers(0, 32),
)
def test_slices_compose_as_those_of_lists_whatever_was_asked_before(
    box: Sandbox, slices: Any, phase: str | None, order: Any, uses: list[str], index: int
) -> None:
    wanted = [(name.removeprefix("-"), name.startswith("-")) for name in order]
    expected = sorted_rows([row for row in box.rows(Company) if phase in (None, row["phase"])], wanted)
    qs = Company.objects.using(box.session()).order_by(*order)
    qs = qs.filter(phase=phase) if phase else qs
    for start, stop in slices:
        for use in uses:
            if use == "len":
                assert len(qs) == len(expected)
            elif use == "first":
                assert getattr(qs.first(), "external_id", None) == (expected[0] if expected else None)
            elif use == "count":
                assert qs.count() == len(expected)
            elif use == "exists":
                assert qs.exists() is bool(expected)
            elif use == "list":
                assert [one.external_id for one in qs] == expected
            elif use == "index" and index < len(expected):
                assert qs[index].external_id == expected[index]
            elif use == "slice":
                assert [one.external_id for one in qs[:index]] == expected[:index]
        qs, expected = qs[start:stop], expected[start:stop]
    assert [one.external_id for one in qs] == expected


# Requests


@pytest.fixture
def many(planhat_sandbox: Sandbox) -> Sandbox:
    """Nine thousand people, of which every third is featured."""
    planhat_sandbox.add_many(
        Enduser,
        ({"email": f"{n:04}@x.example", "featured": n % 3 == 0, "position": f"P{n % 50:02}"} for n in range(9000)),
    )
    return planhat_sandbox


USES: list[tuple[str, int, Callable[[Any], Any], Any]] = [
    ("a slice of a page", 1, lambda qs: len(qs[10:500]), 490),
    ("a slice over two pages", 2, lambda qs: len(qs[10:2500]), 2490),
    ("a slice far away", 1, lambda qs: qs[8000:8001][0].email, "8000@x.example"),
    ("a slice beyond the end", 1, lambda qs: len(qs[10_000:10_005]), 0),
    ("a slice of a slice", 1, lambda qs: [one.email for one in qs[100:][5:7]], ["0105@x.example", "0106@x.example"]),
    ("an index", 1, lambda qs: qs[8999].email, "8999@x.example"),
    ("the first", 1, lambda qs: qs.first().email, "0000@x.example"),
    ("the last", 1, lambda qs: qs.last().email, "8999@x.example"),
    ("whether there is any", 1, lambda qs: qs.exists(), True),
    ("whether there is any beyond the end", 1, lambda qs: qs[9000:].exists(), False),
    ("truth", 1, bool, True),
    ("an early break", 1, lambda qs: next(iter(qs)).email, "0000@x.example"),
    ("an early break of iterator()", 1, lambda qs: next(qs.iterator()).email, "0000@x.example"),
    ("the first chunk", 1, lambda qs: len(next(qs.chunks(1500))), 1500),
    ("a number of a small slice", 1, lambda qs: qs[:700].count(), 700),
    ("the first of an order", 1, lambda qs: qs.order_by("-email").first().email, "8999@x.example"),
    ("the last of an order", 1, lambda qs: qs.order_by("-email").last().email, "0000@x.example"),
    ("a slice of an order", 1, lambda qs: qs.order_by("-email")[5:7][1].email, "8993@x.example"),
    ("the first that matches here", 1, lambda qs: qs.filter(email__gte="1500").first().email, "1500@x.example"),
    ("ten that match here", 1, lambda qs: len(qs.filter(featured=True)[:10]), 10),
    ("whether any matches here", 3, lambda qs: qs.filter(email__gte="4500").exists(), True),
    ("nothing", 0, lambda qs: list(qs[5:5]), []),
    ("nothing by contradiction", 0, lambda qs: qs.filter(email="a").filter(email="b").count(), 0),
]


@pytest.mark.parametrize(("said", "requests", "use", "expected"), USES, ids=[use[0] for use in USES])
def test_no_request_is_one_too_many(
    many: Sandbox, said: str, requests: int, use: Callable[[Any], Any], expected: Any
) -> None:
    with many.assert_requests(requests):
        assert use(Enduser.objects.all()) == expected, said


def test_one_queryset_fetches_each_page_once_whatever_is_asked_of_it(many: Sandbox) -> None:
    qs = Enduser.objects.all()
    with many.assert_requests(1):
        assert qs
        assert qs[1999].email == "1999@x.example"
        assert qs.first() is qs[0]
        assert len(qs[5:100]) == 95
        assert qs.exists()
    with many.assert_requests(1):
        assert qs[2000].email == "2000@x.example"
    with many.assert_requests(3):
        assert len(qs) == 9000
    with many.assert_requests(0):
        assert qs.last().email == "8999@x.example"  # type: ignore[union-attr]
        assert qs.count() == 9000
        assert len(qs[8000:]) == 1000
        assert qs.contains(qs[7000])


def test_what_planhat_cannot_order_is_ordered_here_and_said(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0):
        for paths in (("custom.Tier",), ("name", "-arr"), ("tags",)):
            said = Company.objects.only("phase").order_by(*paths)[:5].explain()
            assert "ordered here: values that are missing first" in said
        assert "ordered here" not in Company.objects.only("phase").order_by("-arr")[:5].explain()
        assert "sort=-arr" in Company.objects.only("phase").order_by("-arr")[:5].explain()


def test_tasks_of_both_lists_come_in_one_order(planhat_sandbox: Sandbox) -> None:
    for n in range(12):
        planhat_sandbox.add(Task, action=f"T{n:02}", is_archived=n % 3 == 0)
    for path, wanted in (("action", range(12)), ("-action", range(11, -1, -1))):
        with planhat_sandbox.assert_requests(4):
            assert [task.action for task in Task.objects.order_by(path)] == [f"T{n:02}" for n in wanted]
            assert [task.action for task in Task.objects.order_by(path)[2:5]] == [f"T{n:02}" for n in [*wanted][2:5]]
