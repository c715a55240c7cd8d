"""cost(): what explain() says, as data; and that what is then sent is what was said."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.models import Company, Enduser, License, Note, Task, User
from planhat_orm.orm.costs import Cost
from planhat_orm.wire.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox

PEOPLE = 4_300


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Companies with people, some of them archived, users and tasks."""
    users = [planhat_sandbox.add(User, email=f"u{n}@v.example", first_name=f"U{n}") for n in range(3)]
    planhat_sandbox.add_many(
        Company,
        (
            {"name": f"C{n}", "external_id": f"x-{n}", "phase": f"P{n}", "owner": users[n % 3], "arr": n}
            for n in range(120)
        ),
    )
    companies = planhat_sandbox.rows(Company)
    planhat_sandbox.add_many(
        Enduser,
        ({"email": f"{n}@x.example", "company": companies[n % 7], "featured": n == 2_100} for n in range(PEOPLE)),
    )
    planhat_sandbox.add_many(Task, ({"action": f"T{n}", "is_archived": n % 2 == 0} for n in range(9)))
    return planhat_sandbox


def test_a_cost_is_data_that_does_not_change(box: Sandbox) -> None:
    with box.assert_requests(0):
        cost = Company.objects.filter(external_id="x-1").cost()
    assert (cost.strategy, cost.requests, cost.least, cost.most, cost.expected) == ("key", 1, 1, 1, 1)
    assert (cost.query, cost.checked, cost.first) == ("Company.filter(external_id='x-1')", ("external_id exact",), ())
    with pytest.raises(FrozenInstanceError):
        cost.requests = 2  # type: ignore[misc]


def test_explain_is_its_text(box: Sandbox) -> None:
    for query in (
        Company.objects.all(),
        Company.objects.filter(name="C1").order_by("-arr"),
        Company.objects.filter(status="lost").values("name"),
        User.objects.filter(email="u1@v.example"),
        Task.objects.order_by("action"),
        Enduser.objects.filter(company__phase="P1"),
        Company.objects.none(),
    ):
        with box.assert_requests(0):
            said, cost = query.explain(), str(query.cost())
            assert re.sub(r"\d+ s(econds)? ago", "", said) == re.sub(r"\d+ s(econds)? ago", "", cost)


def test_a_scan_is_a_formula_until_the_list_was_read_or_counted(box: Sandbox) -> None:
    people = Enduser.objects.only("email")
    before = people.cost()
    assert (before.requests, before.least, before.most, before.expected, before.rows) == (None, 1, None, None, None)
    assert before.formula == "1 + rows / 1,999"
    assert Enduser.objects.count() == PEOPLE
    after = people.cost()
    assert (after.rows, after.expected, after.requests) == (PEOPLE, 3, None)
    assert after.rows_age is not None
    assert after.rows_age < 600
    assert "requests: 1 + rows / 1,999; with the 4,300 rows of " in str(after)
    with box.assert_requests(3):
        assert len(people) == PEOPLE


def test_a_list_that_takes_two_readings_adds_up(box: Sandbox) -> None:
    assert Task.objects.cost().rows is None
    assert len(Task.objects.all()) == 9
    cost = Task.objects.cost()
    assert (cost.rows, cost.expected, cost.least) == (9, 2, 2)
    assert cost.unhidden == ("no one list holds all rows: 2 are read, with isArchived=false and isArchived=true",)


@pytest.mark.parametrize(
    ("query", "strategy", "numbers"),
    [
        (lambda: Company.objects.only("name"), "index", (1, 2, None)),
        (lambda: Company.objects.filter(status="lost").only("name"), "index", (1, 4, 2)),
        (lambda: Company.objects.filter(name="C1"), "index", (1, None, None)),
        (lambda: Company.objects.filter(external_id__in=["x-1", "x-2"]), "index", (1, 3, None)),
        (lambda: Company.objects.order_by("-arr")[:5], "scan", (1, 1, 1)),
        (lambda: Company.objects.order_by("-arr")[:200], "scan", (1, 2, None)),
        (lambda: Enduser.objects.filter(featured=True)[:1], "scan", (1, None, None)),
        (lambda: Enduser.objects.filter(featured=True), "scan", (1, None, None)),
        (lambda: User.objects.filter(first_name="U1"), "table", (1, None, None)),
        (lambda: User.objects.all(), "table", (1, None, None)),
        (lambda: Enduser.objects.filter(id__in=["a" * 24, "b" * 24]), "keys", (2, 2, 2)),
        (lambda: Enduser.objects.filter(id__in=["a" * 24, "b" * 24])[:1], "keys", (1, 2, None)),
        (lambda: Company.objects.none(), "nothing", (0, 0, 0)),
    ],
)
def test_each_strategy_has_its_numbers_and_keeps_to_them(
    box: Sandbox, query: Callable[[], Any], strategy: str, numbers: tuple[Any, ...]
) -> None:
    queryset = query()
    cost = queryset.cost()
    assert (cost.strategy, (cost.least, cost.most, cost.expected)) == (strategy, numbers)
    before = len(box.requests)
    list(iter(queryset))
    sent = len(box.requests) - before
    assert cost.least <= sent <= (cost.most or sent)
    assert cost.expected in (None, sent)


def test_what_is_kept_costs_nothing_and_says_how_old_it_is(box: Sandbox) -> None:
    users = User.objects.filter(first_name="U1")
    assert len(users) == 1
    again = users.all().cost()
    assert (again.least, again.expected) == (0, 0)
    assert re.search("note: the table that was read [0-9]+ seconds ago is used", str(again))
    keys = Company.objects.filter(external_id__in=["x-1", "x-2"])
    assert len(keys) == 2
    with box.assert_requests(1):
        cost = keys.all().cost()
        assert len(keys.all()) == 2
    assert cost.expected == 1
    assert "the index that was read" in str(cost)


def test_a_way_that_is_known_to_cost_less_is_told_and_taken(box: Sandbox) -> None:
    ids = [row["_id"] for row in box.rows(Enduser)[:3]]
    assert Enduser.objects.filter(id__in=ids).cost().requests == 3
    unknown = Company.objects.filter(id__in=[row["_id"] for row in box.rows(Company)])
    assert unknown.cost().strategy == "ids"
    assert len(Company.objects.filter(arr__gte=0)) == 120
    known = unknown.all().cost()
    assert (known.strategy, known.expected) == ("scan", 1)
    with box.assert_requests(1):
        assert len(unknown.all()) == 120


def test_what_is_read_first_is_a_cost_of_its_own(box: Sandbox) -> None:
    cost = Enduser.objects.filter(company__phase="P1").cost()
    assert (cost.strategy, cost.requests, len(cost.first)) == ("", None, 1)
    assert cost.first[0].strategy == "scan"
    assert cost.first[0].selected == ("id", "phase")
    assert cost.least == 1
    inner = Company.objects.filter(phase="P1")
    assert Enduser.objects.filter(company__in=inner).cost().first[0].formula == inner.cost().formula


def test_links_are_in_it(box: Sandbox) -> None:
    rows = Company.objects.order_by("-arr").values("name", "owner.email")[:5]
    cost = rows.cost()
    assert [link.path for link in cost.links] == ["owner"]
    before = len(box.requests)
    assert len(list(rows)) == 5
    assert cost.least <= len(box.requests) - before == 2
    assert [link.path for link in Company.objects.prefetch_related("endusers").cost().links] == ["endusers"]


def test_the_quota_makes_seconds_of_requests(box: Sandbox) -> None:
    with Session(token="t", base_url=box.url, quota=Quota(per_minute=30)) as session:
        cost = Company.objects.using(session).order_by("-arr")[:5].cost()
        assert cost.seconds == 2.0
        assert "requests: 1 (2.0 s of the quota)" in str(cost)
    assert Company.objects.all().cost().seconds is None


def test_several_pages_at_a_time_are_told(box: Sandbox) -> None:
    assert "up to 4 pages at a time" in str(Enduser.objects.parallel(4).cost())
    assert not any("at a time" in note for note in Enduser.objects.cost().notes)


def test_a_cost_names_what_is_compared_where(box: Sandbox) -> None:
    cost = Enduser.objects.filter(company="a" * 24, featured=True).only("email").cost()
    assert isinstance(cost, Cost)
    assert (cost.checked, cost.tested_here) == (("company exact",), ("featured exact",))
    assert dict(cost.sent) == {"archived": "true", "companyId": "a" * 24}
    assert cost.unhidden == ("rows that lists hide are asked for: archived",)
    assert cost.selected == ("id", "email", "company", "featured")


def test_an_empty_query_reads_nothing_first(box: Sandbox) -> None:
    people = Enduser.objects.filter(company__phase="P1")
    for query in (people.none(), people[3:3]):
        cost = query.cost()
        assert (cost.strategy, cost.requests, cost.first) == ("nothing", 0, ())


def test_an_order_over_several_lists_of_ids_is_told_for_all_of_them(box: Sandbox) -> None:
    box.add_many(Company, ({"name": f"D{n}"} for n in range(60)))
    latest = Enduser.objects.filter(company__in=[row["_id"] for row in box.rows(Company)]).order_by("-id")[:10]
    cost = latest.cost()
    assert (cost.least, cost.most, cost.expected) == (3, None, None)
    before = len(box.requests)
    ids = [person.id for person in latest]
    assert ids == sorted(ids, reverse=True)
    assert 3 <= len(box.requests) - before <= 6


def test_a_table_that_is_asked_twice_is_read_once(box: Sandbox) -> None:
    companies = Company.objects.filter(owner__email="u1@v.example", co_owner__email="u2@v.example")
    cost = companies.cost()
    assert (len(cost.first), cost.least) == (2, 1)


def test_what_comes_after_the_first_reading_is_told_with_it(box: Sandbox) -> None:
    text = Enduser.objects.filter(company__external_id="x-1", featured=False).explain()
    assert text.splitlines()[-7:] == [
        "  then by pages: GET /endusers, up to 2,000 rows a page",
        "  requests: 1 + rows / 1,999",
        "  order: sort=_id",
        "  sent: archived=true, companyId=...",
        "  checked on every row: company in",
        "  tested here: featured exact",
        "  rows that lists hide are asked for: archived",
    ]
    several = Enduser.objects.filter(company__phase="P1").cost()
    assert several.way == "by ids: GET /endusers?companyId=..., or by pages"
    assert several.formula == (
        "1 for about 70 ids and for each further full page, or 1 + rows / 1,999 where that is less"
    )
    assert (several.strategy, several.requests, several.most, several.expected) == ("", None, None, None)


def test_what_is_narrowed_by_one_that_is_read_first_names_no_made_up_id(box: Sandbox) -> None:
    cost = License.objects.filter(company__external_id="x-1").cost()
    assert (cost.way, cost.sent) == ("by pages: GET /licenses, up to 2,000 rows a page", (("companyId", "..."),))
    one = Company.objects.filter(id__in=Company.objects.filter(external_id="x-1")).cost()
    assert (one.way, one.formula) == ("by key: GET /companies/...", "1")
    for query in (Enduser.objects.filter(company__phase="P1"), Enduser.objects.exclude(company__external_id="x-1")):
        assert "ffff" not in query.explain()


def test_values_of_another_kind_that_are_read_first_leave_the_rest_untold(box: Sandbox) -> None:
    numbers = Company.objects.filter(phase="P3").values_list("arr", flat=True)
    with box.assert_requests(0):
        cost = Company.objects.filter(arr__in=numbers).cost()
    assert (len(cost.first), cost.way, cost.formula) == (1, "", "")
    assert str(cost).splitlines()[1] == "  what it is to be filtered by is read first:"


@pytest.mark.parametrize(("rows", "last"), [(120, None), (300, 300), (5_098, None), (5_099, 100)])
def test_one_request_more_than_the_formula_says_has_a_reason(
    planhat_sandbox: Sandbox, rows: int, last: int | None
) -> None:
    planhat_sandbox.add_many(Company, ({"name": f"C{n}", "arr": 1} for n in range(rows)))
    Company.objects.count()
    growing = Company.objects.filter(arr__gte=0).only("arr")
    cost = growing.cost()
    told = [f"a last page of {last} rows may be one that was cut: one request more makes sure that it is the end"]
    assert [note for note in cost.notes if "was cut" in note] == (told if last else [])
    assert cost.expected == 1 + rows // 5_000 + bool(last)
    with planhat_sandbox.assert_requests(1 + rows // 5_000 + bool(last)):
        len(growing)


def test_what_is_asked_of_nobody_is_tested_nowhere(box: Sandbox) -> None:
    cost = Company.objects.filter(status="a").filter(status="b").cost()
    assert (cost.requests, cost.checked, cost.tested_here) == (0, (), ())


def test_the_seconds_of_a_formula_are_the_fewest(box: Sandbox) -> None:
    with box.session(quota=Quota(per_minute=200)):
        assert "(0.3 s of the quota)" in Company.objects.filter(external_id="x-1").explain()
        assert "(at least 0.3 s of the quota)" in Company.objects.filter(phase="P1").explain()
        Company.objects.count()
        assert "ago: 1 (0.3 s of the quota)" in Company.objects.filter(phase="P1").explain()


def test_a_field_that_no_list_holds_has_its_price_told(box: Sandbox) -> None:
    note = "no list holds description: reading it costs one request for each record"
    assert note in Note.objects.only("subject", "description").cost().notes
    assert note not in Note.objects.only("subject").cost().notes + Note.objects.all().cost().notes


def test_names_are_looked_for_in_an_index_of_now_and_keys_in_a_kept_one(box: Sandbox) -> None:
    kept = "unless it was read within the last 60 seconds"
    assert kept in Company.objects.filter(external_id__in=["x-1", "x-2"]).cost().formula
    assert kept not in Company.objects.filter(name="C1").cost().formula


def test_an_order_of_what_is_newest_is_said_to_be_of_that_alone(box: Sandbox) -> None:
    changed = Company.objects.changed_since("2020-01-01").order_by("name").cost()
    assert [note for note in changed.notes if "ordered here" in note] == [
        "what is so new is ordered here: values that are missing first, texts by their characters"
    ]


def test_links_of_which_one_list_takes_all_pages_cost_no_more_than_the_most(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"C{n}"} for n in range(120)))
    first = box.rows(Company)[0]
    box.add_many(Enduser, ({"email": f"{n}@x.example", "company": first} for n in range(PEOPLE)))
    Enduser.objects.count()
    companies = Company.objects.all()[:120].prefetch_related("endusers")
    cost, before = companies.cost(), len(box.requests)
    assert sum(len(company.endusers) for company in companies) == PEOPLE
    for_links, [link] = len(box.requests) - before - 1, cost.links
    assert link.most is not None
    assert link.least <= for_links == 4 <= link.most


@pytest.mark.parametrize(
    "make",
    [
        lambda: Company.objects.values("name", "followers")[:10],
        lambda: Company.objects.values_list("nps", flat=True)[:10],
        lambda: Company.objects.prefetch_related("followers")[:10],
        lambda: Company.objects.values("name", "owner.type")[:10],
    ],
)
@pytest.mark.parametrize("listed", [True, False])
def test_what_links_and_outputs_need_and_no_row_holds_is_in_the_most(
    planhat_sandbox: Sandbox, make: Callable[[], Any], listed: bool
) -> None:
    box = planhat_sandbox
    user = box.add(User, email="u@v.example")
    box.add_many(Company, ({"name": f"C{n}", "owner": user} for n in range(30)))
    with box.session():
        if listed:
            box.change(Company, box.rows(Company)[0]["_id"], nps=5, followers=[user["_id"]])
            box.change(User, user["_id"], type="U")
        rows = make()
        cost, before = rows.cost(), len(box.requests)
        list(rows)
        came = len(box.requests) - before
        assert cost.requests is None
        assert any("where no row holds" in note and "three requests tell why" in note for note in cost.notes)
        assert cost.least <= came <= (came if cost.most is None else cost.most)
        # It is found out once.
        again = make()
        assert not any("where no row holds" in note for note in again.cost().notes) or came == 1


def test_documented_fields_leave_the_number_of_requests_exact(box: Sandbox) -> None:
    for rows in (Company.objects.values("name", "owner")[:10], Company.objects.only("name", "nps")[:10]):
        cost = rows.cost()
        with box.assert_requests(1):
            list(rows)
        assert (cost.requests, cost.most) == (1, 1)


def test_the_price_of_the_rows_is_told_apart_from_that_of_the_links(box: Sandbox) -> None:
    with box.session(quota=Quota(per_minute=200)):
        text = Company.objects.order_by("-name")[:50].prefetch_related("endusers", "licenses").explain()
    assert "  requests: 1, and for the links what is said below (at least 0.9 s of the quota)\n" in text


def test_a_slice_behind_the_last_of_some_ids_costs_nothing(box: Sandbox) -> None:
    ids = [row["_id"] for row in box.rows(Company)[:2]]
    beyond = Company.objects.filter(id__in=ids)[2:5]
    assert (beyond.cost().requests, beyond.cost().most) == (0, 0)
    with box.assert_requests(0):
        assert list(beyond) == []
    assert Company.objects.filter(id__in=ids)[1:5].cost().requests == 1
