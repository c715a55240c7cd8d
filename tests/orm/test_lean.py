"""The lean list of companies: all of them in one request, narrowed by what Planhat documents, and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FilterIgnored, InvalidQuery, NotSupported
from planhat_orm.models import Company, Enduser

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """A sandbox with a company of each status."""
    for number, status in enumerate(("prospect", "customer", "lost")):
        planhat_sandbox.add(Company, name=status, status=status, external_id=f"x-{status}", arr=number)
    return planhat_sandbox


def test_every_company_comes_in_one_request_with_its_keys(box: Sandbox) -> None:
    box.add_many(Company, ({"name": f"Company {n}"} for n in range(6_000)))
    with box.assert_requests(1):
        companies = Company.objects.lean()
        assert len(companies) == 6_003
        assert {company.external_id for company in companies} == {None, "x-prospect", "x-customer", "x-lost"}
        assert all(company.name for company in companies)
    assert str(box.requests[-1]) == "GET /leancompanies -> 200"


def test_other_fields_are_loaded_one_object_at_a_time(box: Sandbox) -> None:
    [company] = Company.objects.lean(external_id="x-lost")
    with box.assert_requests(1):
        assert (company.arr, company.status) == (2, "lost")
    assert company.changes() == {}


def test_the_objects_are_the_live_ones(box: Sandbox) -> None:
    lost = Company.objects.get(external_id="x-lost")
    lost.phase = "Gone"
    [found] = Company.objects.lean(external_id="x-lost")
    assert found is lost
    with box.assert_requests(0):
        assert (lost.phase, lost.arr) == ("Gone", 2)


def test_a_status_is_held_against_a_page_of_the_list_once_in_a_session(box: Sandbox) -> None:
    box.add_many(Company, ({"name": f"P{n}", "status": "prospect"} for n in range(50)))
    with box.assert_requests(2):
        assert len(Company.objects.lean(status=["prospect", "lost"])) == 52
    assert box.requests[-1].path == "/companies"
    assert box.requests[-1].params["select"] == "_id,status"
    with box.assert_requests(1):
        assert len(Company.objects.lean(status=["prospect", "customer"])) == 52
    with box.assert_requests(2):  # one value is another form of the parameter than several
        assert [company.name for company in Company.objects.lean(status="lost")] == ["lost"]
    with box.assert_requests(1):
        assert [company.name for company in Company.objects.lean(status="customer")] == ["customer"]


@pytest.mark.parametrize("filters", [{"status": "lost"}, {"external_id": "x-lost"}])
def test_an_ignored_filter_is_told_and_nothing_is_handed_out(box: Sandbox, filters: dict[str, Any]) -> None:
    with box.fault("ignore_filters"), pytest.raises(FilterIgnored, match="ignored the filter"):
        Company.objects.lean(**filters)


def test_none_of_them_sends_nothing(box: Sandbox) -> None:
    with box.assert_requests(0):
        assert Company.objects.none().lean() == []


def test_no_company_needs_no_check(box: Sandbox) -> None:
    with box.assert_requests(1):
        assert Company.objects.lean(status="canceled") == []


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"external": "x"}, "cannot be narrowed by 'external'; did you mean 'external_id'"),
        ({"arr": "1"}, "it can by external_id, source_id, status"),
        ({"external_id": ["a", "b"]}, "takes one external_id, not a list"),
        ({"external_id": " "}, "must be text that is not blank"),
        ({"external_id": 42}, "not 42"),
        ({"status": "los"}, "did you mean 'lost'"),
        ({"status": "lost,prospect"}, "give several as a list"),
        ({"status": []}, "leave it out"),
    ],
)
def test_a_wrong_filter_is_refused_before_any_request(box: Sandbox, filters: dict[str, Any], words: str) -> None:
    with box.assert_requests(0), pytest.raises(InvalidQuery, match=words):
        Company.objects.lean(**filters)


def test_it_is_of_the_whole_list_and_of_companies(box: Sandbox) -> None:
    with box.assert_requests(0):
        for queryset in (
            Company.objects.filter(status="lost"),
            Company.objects.order_by("name"),
            Company.objects.all()[:3],
        ):
            with pytest.raises(InvalidQuery, match="reads the whole list"):
                queryset.lean()
        with pytest.raises(NotSupported, match="no lean list of Enduser"):
            Enduser.objects.lean()
