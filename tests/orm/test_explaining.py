"""explain() against what was then sent: the price is kept, and nothing is sent to state it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.models import Company, Enduser, Note, Task, User

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.orm.queryset import QuerySet
    from planhat_orm.sandbox import Sandbox

ROWS = 60
CASES: list[tuple[str, Callable[[list[str], list[str]], QuerySet[Any]]]] = [
    ("1", lambda companies, people: Company.objects.filter(id=companies[0])),
    ("1", lambda companies, people: Company.objects.filter(external_id="c-1")),
    ("1", lambda companies, people: Company.objects.filter(external_id="c-1", name="other")),
    ("1", lambda companies, people: Company.objects.filter(id__in=companies[:20])),
    ("2", lambda companies, people: Company.objects.filter(id__in=companies)),
    ("1", lambda companies, people: Company.objects.only("name").filter(id__in=companies)),
    ("3", lambda companies, people: Enduser.objects.filter(id__in=people[:3])),
    ("1", lambda companies, people: Company.objects.all()[:10]),
    ("1", lambda companies, people: Company.objects.order_by("-name")[5:15]),
    ("1", lambda companies, people: Enduser.objects.filter(company=companies[0])[:10]),
    ("0", lambda companies, people: Company.objects.none()),
    ("0", lambda companies, people: Company.objects.all()[4:4]),
    ("0", lambda companies, people: Company.objects.filter(id__in=[])),
    ("1 + rows", lambda companies, people: Company.objects.all()),
    ("1 + rows", lambda companies, people: Company.objects.filter(phase="C1").order_by("phase", "name")),
    ("1 + rows", lambda companies, people: Note.objects.filter(company=companies[0])),
    ("1 + rows", lambda companies, people: User.objects.filter(id__in=[people[0], people[1]])),
    ("at least 1", lambda companies, people: Enduser.objects.filter(company__in=companies[:20])),
    ("1, one more", lambda companies, people: Company.objects.all()[:100]),
    ("2, one more", lambda companies, people: Company.objects.filter(id__in=companies)[:50]),
    ("up to 3", lambda companies, people: Enduser.objects.filter(id__in=people[:3])[:2]),
    ("2 + rows", lambda companies, people: Task.objects.all()),
    ("2 + rows", lambda companies, people: Task.objects.order_by("-action")),
    ("1 + rows", lambda companies, people: Task.objects.filter(is_archived=True)),
    ("2, one more", lambda companies, people: Task.objects.order_by("-action")[:5]),
    ("1, one more", lambda companies, people: Task.objects.params(isArchived=True)[:200]),
]


@pytest.fixture
def ids(planhat_sandbox: Sandbox) -> tuple[list[str], list[str]]:
    """Companies and people, by id."""
    for n in range(ROWS):
        row = planhat_sandbox.add(Company, name=f"C{n}", external_id=f"c-{n}")
        planhat_sandbox.add(Enduser, company=row, email=f"{n}@x.example")
    return (
        [row["_id"] for row in planhat_sandbox.rows(Company)],
        [row["_id"] for row in planhat_sandbox.rows(Enduser)],
    )


@pytest.mark.parametrize(("price", "query"), CASES)
def test_the_price_is_what_is_then_sent(
    planhat_sandbox: Sandbox,
    ids: tuple[list[str], list[str]],
    price: str,
    query: Callable[[list[str], list[str]], QuerySet[Any]],
) -> None:
    qs = query(*ids)
    with planhat_sandbox.assert_requests(0):
        said = qs.explain()
    assert said.startswith(str(qs.query))
    stated = re.search("requests: (.*)", said)
    assert stated is not None
    assert stated[1].startswith(price)
    with planhat_sandbox.assert_requests(int(price) if price.isdigit() else 1 if "1" in price else 2):
        list(qs)


def test_what_is_said_to_be_sent_is_sent(planhat_sandbox: Sandbox, ids: tuple[list[str], list[str]]) -> None:
    companies, _ = ids
    for qs in (
        Enduser.objects.filter(company=companies[0], email="0@x.example"),
        Enduser.objects.filter(archived=False).order_by("-email")[:5],
        Note.objects.filter(company=companies[0]),
        User.objects.filter(email="kim@v.example"),
    ):
        said = qs.explain()
        list(qs)
        sent = planhat_sandbox.requests[-1].params
        stated = (
            dict(part.split("=", 1) for part in re.findall(r"sent: (.*)", said)[0].split(", "))
            if "sent:" in said
            else {}
        )
        paging = {"limit", "offset", "sort", "select"}
        assert stated == {name: value for name, value in sent.items() if name not in paging}
        assert f"order: sort={sent['sort']}" in said


def test_many_ids_are_explained_as_a_choice(planhat_sandbox: Sandbox, ids: tuple[list[str], list[str]]) -> None:
    _, people = ids
    qs = Enduser.objects.filter(id__in=people[:10])
    assert "1 to see whether there are more than 9,995 rows in all; then 10, or, if not" in qs.explain()
    with planhat_sandbox.assert_requests(2):
        assert len(qs) == 10


def test_the_request_that_may_settle_a_field_is_announced(
    planhat_sandbox: Sandbox, ids: tuple[list[str], list[str]]
) -> None:
    qs = Company.objects.filter(nps__gte=5)
    assert "where no row holds nps, up to three requests tell why" in qs.explain()
    assert "tell why" not in Company.objects.filter(status="customer").explain()
    with planhat_sandbox.assert_requests(4):
        assert list(qs) == []


def test_a_key_that_is_unique_within_one_company_only_is_pointed_out(
    planhat_sandbox: Sandbox, ids: tuple[list[str], list[str]]
) -> None:
    said = (
        "note: get() asks for GET /endusers/extid-x1 alone: external_id is unique within one company only: "
        "Planhat answers with one of possibly several"
    )
    assert said in Enduser.objects.filter(external_id="x1").explain()
    companies, _ = ids
    assert "unique within" not in Enduser.objects.filter(external_id="x1", company=companies[0]).explain()
    assert "unique within" not in Company.objects.filter(external_id="x1").explain()


def test_the_order_of_several_lists_of_ids_is_told(planhat_sandbox: Sandbox) -> None:
    companies = [f"{number:024x}" for number in range(1, 200)]
    people = Enduser.objects.filter(company_id__in=companies)
    assert "rows come by one list of ids after another" in people.explain()
    assert "rows come by one list" not in people.order_by("id").explain()
    assert "rows come by one list" not in Company.objects.filter(id__in=companies).explain()


def test_several_lists_of_ids_are_put_in_the_order_of_ids_where_that_is_wanted(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    companies = [box.add(Company, name=f"C{n}")["_id"] for n in range(160)]
    for company in reversed(companies):
        box.add(Enduser, company=company, email=f"{company}@x.example")
    people = Enduser.objects.filter(company_id__in=companies).order_by("id")
    first = [one.id for one in people[:50]]
    assert first == sorted(first)
    assert first == [one.id for one in people][:50]
