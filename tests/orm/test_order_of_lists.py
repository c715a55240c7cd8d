"""One order for a slice and for the whole where several lists of ids are asked, whichever way the rows are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.models import Company, Enduser, Issue

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def companies(planhat_sandbox: Sandbox) -> list[str]:
    """Companies of which several lists of ids are made, with people that are spread over them."""
    planhat_sandbox.add_many(Company, ({"name": f"C{n}"} for n in range(600)))
    ids = [row["_id"] for row in planhat_sandbox.rows(Company)]
    planhat_sandbox.add_many(Enduser, ({"email": f"{n}@x.example", "company": ids[n * 37 % 600]} for n in range(1_501)))
    return ids


def test_a_slice_is_the_beginning_of_the_whole(planhat_sandbox: Sandbox, companies: list[str]) -> None:
    people = Enduser.objects.filter(company__in=companies)
    first = [one.id for one in people[:300]]
    assert planhat_sandbox.requests[-1].params["companyId"]
    whole = [one.id for one in people]
    assert "companyId" not in planhat_sandbox.requests[-1].params, "pages cost less"
    assert len(set(whole)) == 1_501
    assert whole[:300] == first
    # By now the length of the list is known.
    with planhat_sandbox.assert_requests(1):
        assert [one.id for one in people.all()] == whole
    assert [one.id for one in people.order_by("id")] == sorted(whole)


def test_the_order_is_told(companies: list[str]) -> None:
    people = Enduser.objects.filter(company__in=companies)
    assert len(people) == 1_501
    assert people.all().cost().strategy == "scan"
    assert "order_by('id') puts all in order" in people.all().explain()


def test_records_of_several_lists_come_once_and_with_the_first(planhat_sandbox: Sandbox, companies: list[str]) -> None:
    for n in range(40):
        planhat_sandbox.add(Issue, title=f"I{n}", companies=[companies[-1 - n], companies[n]])
    issues = Issue.objects.filter(companies__in=companies)
    whole = [one.title for one in issues]
    assert sorted(whole) == sorted(f"I{n}" for n in range(40))
    assert [one.title for one in issues[:7]] == whole[:7]
