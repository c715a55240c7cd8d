"""Filters across links: what they lead to is read first, and no row is there that plain Python would not find."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery, UnknownField
from planhat_orm.models import NPS, Company, Enduser, Issue, License, User
from planhat_orm.orm.spans import spanned
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GONE = "64b0f1a2c3d4e5f60718ffff"

Row = dict[str, Any]


@pytest.fixture(scope="module")
def full() -> Iterator[Sandbox]:
    """Companies with and without owners, phases and numbers; people and issues of them, of none, and of one gone."""
    with Sandbox() as box, box.session():
        users = [
            box.add(User, email=f"u{n}@v.example", first_name="U", nick_name=f"nick{n}" if n else None)
            for n in range(3)
        ]
        companies = []
        for n in range(8):
            values: Row = {"name": f"C{n}", "status": ("customer", "lost", "prospect")[n % 3]}
            values |= {"owner": users[n % 3]} if n % 4 else {}
            values |= {"phase": "Growth" if n % 2 else "Live"} if n > 2 else {}
            values |= {"custom": {"Seats": n * 10}} if n != 5 else {}
            companies.append(box.add(Company, **values, tags=["vip"] if n % 3 == 0 else [], external_id=f"c-{n}"))
        for n in range(12):
            box.add(Enduser, email=f"p{n}@x.example", company=companies[n % 8], primary=n % 2 == 0)
        box.add(Enduser, email="free@x.example")
        box.add(Enduser, email="lost@x.example", company=GONE)
        for n in range(8):
            box.add(Issue, title=f"I{n}", companies=[companies[k] for k in range(n % 4)])
        box.add(Issue, title="I8", companies=[companies[7], companies[1]])
        yield box


def emails(q: Q) -> list[str]:
    return sorted(str(one.email) for one in Enduser.objects.filter(q))


#: Conditions across the link, each with what plain Python says of a company's row, and of nobody.
ACROSS: list[tuple[Q, Callable[[Row], bool], bool]] = [
    (Q(company__status="customer"), lambda row: row.get("status") == "customer", False),
    (Q(company__name__in=["C1", "C4", "C9"]), lambda row: row["name"] in ("C1", "C4"), False),
    (Q(company__name__istartswith="c"), lambda row: True, False),
    (Q(company__phase__isnull=True), lambda row: not row.get("phase"), True),
    (Q(company__phase__isnull=False), lambda row: bool(row.get("phase")), False),
    (Q(company__phase=None), lambda row: not row.get("phase"), True),
    (Q("company.custom.Seats", gte=30), lambda row: (row.get("custom") or {}).get("Seats", -1) >= 30, False),
    (Q("company.custom.Seats", isnull=True), lambda row: (row.get("custom") or {}).get("Seats") is None, True),
    (Q(company__tags__contains="vip"), lambda row: "vip" in (row.get("tags") or []), False),
    (Q(company__name__regex="[0-3]$"), lambda row: row["name"][-1] in "0123", False),
    (Q(company__name__gt="C5"), lambda row: row["name"] > "C5", False),
    (Q(company__external_id="c-2"), lambda row: row["externalId"] == "c-2", False),
]

leaves = st.sampled_from(range(len(ACROSS) + 2))
trees = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.tuples(st.just("&"), part, part), st.tuples(st.just("|"), part, part), st.tuples(st.just("~"), part)
    ),
    max_leaves=5,
)


def as_q(tree: Any) -> Q:
    if isinstance(tree, int):
        own = [Q(primary=True), Q(email__startswith="p1")]
        return ACROSS[tree][0] if tree < len(ACROSS) else own[tree - len(ACROSS)]
    parts = [as_q(part) for part in tree[1:]]
    return ~parts[0] if tree[0] == "~" else parts[0] & parts[1] if tree[0] == "&" else parts[0] | parts[1]


def holds(tree: Any, person: Row, company: Row | None) -> bool:
    if isinstance(tree, int):
        if tree >= len(ACROSS):
            return bool(person.get("primary")) if tree == len(ACROSS) else str(person["email"]).startswith("p1")
        _, test, of_nobody = ACROSS[tree]
        return of_nobody if company is None else test(company)
    parts = [holds(part, person, company) for part in tree[1:]]
    return not parts[0] if tree[0] == "~" else all(parts) if tree[0] == "&" else any(parts)


@given(tree=trees)
def test_every_combination_finds_what_plain_python_finds(full: Sandbox, tree: Any) -> None:
    companies = {row["_id"]: row for row in full.rows(Company)}
    expected = sorted(
        row["email"] for row in full.rows(Enduser) if holds(tree, row, companies.get(row.get("companyId", "")))
    )
    assert emails(as_q(tree)) == expected
    everybody = {row["email"] for row in full.rows(Enduser)}
    left = {one.email for one in Enduser.objects.exclude(as_q(tree))}
    assert left == everybody - set(expected)


@given(
    tests=st.lists(st.sampled_from([0, 1, 4, 6, 8, 9, 10]), min_size=1, max_size=3),
    join=st.sampled_from(["one", "two", "or"]),
)
def test_of_a_list_of_links_one_record_has_to_match(full: Sandbox, tests: list[int], join: str) -> None:
    companies = {row["_id"]: row for row in full.rows(Company)}

    def renamed(q: Q) -> Q:
        return q._replaced(lambda one: type(one)(one.path.replace("company", "companies", 1), one.lookup, one.value))

    qs = [renamed(ACROSS[n][0]) for n in tests]
    holding = [ACROSS[n][1] for n in tests]
    issues = Issue.objects.all()
    if join == "one":
        issues = issues.filter(*qs)
    elif join == "two":
        for q in qs:
            issues = issues.filter(q)
    else:
        q = qs[0]
        for other in qs[1:]:
            q |= other
        issues = issues.filter(q)

    def matches(row: Row) -> bool:
        linked = [companies[key] for key in row.get("companyIds") or []]
        if join == "one":
            return any(all(test(one) for test in holding) for one in linked)
        return (all if join == "two" else any)(any(test(one) for one in linked) for test in holding)

    assert sorted(str(one.title) for one in issues) == sorted(row["title"] for row in full.rows(Issue) if matches(row))


def test_no_company_of_an_issue_or_one_without_a_phase_has_no_phase(full: Sandbox) -> None:
    companies = {row["_id"]: row for row in full.rows(Company)}
    without = {
        row["title"]
        for row in full.rows(Issue)
        if not row.get("companyIds") or any(not companies[key].get("phase") for key in row["companyIds"])
    }
    assert {one.title for one in Issue.objects.filter(companies__phase=None)} == without
    assert {one.title for one in Issue.objects.exclude(companies__phase__isnull=True)} == {
        row["title"] for row in full.rows(Issue)
    } - without


def test_the_id_behind_a_link_needs_nothing_to_be_read(full: Sandbox) -> None:
    row = full.rows(Company)[1]
    for q in (Q(companies__id=row["_id"]), Q(companies__pk__in=[row["_id"]]), Q("companies.id", exact=row["_id"])):
        with full.assert_requests(1):
            assert "I8" in {one.title for one in Issue.objects.filter(q)}


# What is read


def test_conditions_across_one_link_are_one_reading(full: Sandbox) -> None:
    for people in (
        Enduser.objects.filter(company__status="customer", company__name__gt="C2", primary=True),
        Enduser.objects.filter(Q(company__status="customer") | Q(company__phase="Live")),
        Enduser.objects.exclude(company__status="customer", company__name__gt="C2"),
        Issue.objects.filter(companies__status="customer", companies__name__gt="C2"),
    ):
        with full.assert_requests(2):
            list(people)  # type: ignore[call-overload]


def test_only_the_id_and_what_is_compared_is_read_first(full: Sandbox) -> None:
    before = len(full.requests)
    assert Enduser.objects.filter(company__phase="Live", company__owner__isnull=False).exists()
    first = full.requests[before]
    assert first.path == "/companies"
    assert sorted(first.params["select"].split(",")) == ["_id", "owner", "phase"]


def test_the_cost_of_what_is_read_first_is_explained_and_nothing_is_sent(full: Sandbox) -> None:
    people = Enduser.objects.filter(company__phase="Live")
    with full.assert_requests(0):
        text = people.explain()
    assert "Company.filter(phase='Live')" in text
    assert "selected: id, phase" in text


def test_what_is_read_first_is_read_for_each_use_but_not_for_rows_that_are_here(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    row = box.add(Company, name="Acme", phase="Live")
    box.add(Enduser, company=row, email="ada@x.example")
    people = Enduser.objects.filter(company__phase="Live")
    with box.assert_requests(4):
        assert people.count() == 1
        assert len(people) == 1
        assert people.count() == 1
    later = people.filter(email="ada@x.example")
    box.change(Company, row["_id"], phase="Gone")
    with box.assert_requests(1):
        assert list(people.all()) == []
    assert len(people) == 1
    assert not later.exists()
    with pytest.raises(Enduser.DoesNotExist):
        people.get(email="ada@x.example")


def test_nothing_is_asked_where_nothing_can_match(full: Sandbox) -> None:
    with full.assert_requests(0):
        assert list(Enduser.objects.filter(company__name__in=[])) == []
    with full.assert_requests(1):
        assert list(Enduser.objects.filter(company__phase="Nowhere")) == []


def test_two_links_are_read_one_after_the_other(full: Sandbox) -> None:
    users = {row["_id"]: row for row in full.rows(User)}
    companies = {row["_id"]: row for row in full.rows(Company)}

    def nick(person: Row) -> Any:
        company = companies.get(person.get("companyId", ""))
        return users.get(company.get("owner", ""), {}).get("nickName") if company else None

    people = full.rows(Enduser)
    assert emails(Q(company__owner__nick_name="nick2")) == sorted(
        one["email"] for one in people if nick(one) == "nick2"
    )
    assert emails(Q(company__owner__nick_name=None)) == sorted(one["email"] for one in people if nick(one) is None)
    assert emails(~Q(company__owner__nick_name="nick2")) == sorted(
        one["email"] for one in people if nick(one) != "nick2"
    )


def test_a_queryset_with_a_span_is_pickled_with_its_rows(full: Sandbox) -> None:
    people = Enduser.objects.filter(company__status="lost")
    rows = list(people)
    with full.assert_requests(0):
        again = pickle.loads(pickle.dumps(people))
        assert list(again) == rows
    with full.assert_requests(2):
        assert list(again.all()) == rows


# What is refused


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Enduser.objects.filter(company__nme="x"), UnknownField, "Company has no field 'nme'.*'name'"),
        (lambda: Enduser.objects.filter(company__status__gt=3), InvalidQuery, "Company"),
        (lambda: Issue.objects.filter(companies__owner__emial="x"), UnknownField, "did you mean 'email'"),
        (lambda: Company.objects.filter(endusers__email="x"), InvalidQuery, "id__in"),
        (lambda: License.objects.filter(company__endusers__email="x"), InvalidQuery, "id__in"),
        (lambda: NPS.objects.filter(enduser__name__startswith=""), InvalidQuery, "blank text"),
        (lambda: Enduser.objects.filter(company_id__status="x"), (InvalidQuery, UnknownField), "company"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_the_call(
    full: Sandbox, make: Callable[[], Any], error: type[Exception], said: str
) -> None:
    with full.assert_requests(0), pytest.raises(error, match=said):
        make()


def test_what_goes_across_no_link_stays_as_it_is() -> None:
    q = Q(status="customer") | ~Q("custom.Tier", exact="Gold")
    assert spanned(Company._meta, q, None) == q


def test_spans_are_equal_where_they_read_the_same() -> None:
    one, two, other = (Enduser.objects.filter(company__phase=phase).query for phase in ("Live", "Live", "Growth"))
    assert one == two
    assert hash(one) == hash(two)
    assert one != other
