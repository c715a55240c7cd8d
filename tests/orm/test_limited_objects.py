"""Parameters without a field, lists without order, and objects that cannot be read one by one; over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldNotLoaded, FilterIgnored, InvalidQuery, NotSupported
from planhat_orm.models import NPS, Churn, Company, Enduser, Issue, Ticket
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox import Sandbox

DAY_0 = datetime(2025, 6, 1, tzinfo=UTC)


class Reading(Model):
    """A made-up object whose lists take limit and offset alone, and which cannot be read one by one."""

    class Meta:
        path = "readings"
        page_size = (20, 50)
        keyables = ()
        list_takes = ("limit", "offset")
        not_offered = {"get": "filter() by its day"}

    name: fields.Text = fields.Text("name")
    note: fields.Text = fields.Text("note", get_only=True)
    day: fields.Date = fields.Date("day")


class Sighting(Model):
    """A made-up object that points to one that cannot be read one by one."""

    class Meta:
        path = "sightings"

    reading: ForeignKey[Reading] = ForeignKey("Reading", "readingId")
    reading_id: fields.Id = fields.IdOf(reading)


made_up = {name: registry.pop(name) for name in ("Reading", "Sighting")}


@pytest.fixture
def readings(planhat_sandbox: Sandbox) -> Iterator[list[str]]:
    """120 readings, and the ids of them; the made-up objects are known to this module alone."""
    registry.update(made_up)
    planhat_sandbox.add_many(Reading, ({"name": f"r{n:03}", "day": DAY_0 + timedelta(n)} for n in range(120)))
    yield [row["_id"] for row in planhat_sandbox.rows(Reading)]
    for name in made_up:
        del registry[name]


# Parameters whose effect no field tells


@pytest.fixture
def tickets(planhat_sandbox: Sandbox) -> list[dict[str, Any]]:
    company = planhat_sandbox.add(Company, name="Acme")
    return [
        planhat_sandbox.add(
            Ticket, company=company, snippet=f"the {word} fails", email=f"{n}@x.example", status="open", source_id=word
        )
        for n, word in enumerate(["login", "export", "login"])
    ]


def test_a_search_is_sent_as_it_is_and_sliced_counted_and_loaded_with(
    planhat_sandbox: Sandbox, tickets: list[dict[str, Any]]
) -> None:
    found = Ticket.objects.params(search="login")
    first = found.only("status").first()
    assert first is not None
    with planhat_sandbox.assert_requests(1):
        assert first.email == "0@x.example"
    with planhat_sandbox.assert_requests(4):
        assert found.count() == 2
        assert found.exists()
        assert [ticket.email for ticket in found[1:2]] == ["2@x.example"]
        assert [ticket.email for ticket in found] == ["0@x.example", "2@x.example"]
    assert {request.params["search"] for request in planhat_sandbox.requests} == {"login"}
    assert "sent: search=login" in found.explain()
    assert "Ticket.params(search='login')" in repr(Ticket.objects.params(search="login"))


def test_parameters_and_filters_go_together(planhat_sandbox: Sandbox, tickets: list[dict[str, Any]]) -> None:
    with planhat_sandbox.assert_requests(1):
        [one] = Ticket.objects.params(search="login").filter(email="2@x.example", status="open")
    assert one.email == "2@x.example"
    sent = planhat_sandbox.requests[-1].params
    assert (sent["search"], sent["email"], sent["status"]) == ("login", "2@x.example", "open")
    with planhat_sandbox.assert_requests(0), pytest.raises(InvalidQuery, match="leave one out"):
        list(Ticket.objects.params(email="2@x.example").filter(email="0@x.example"))


def test_a_given_parameter_that_is_ignored_is_told_where_a_row_can_tell(
    planhat_sandbox: Sandbox, tickets: list[dict[str, Any]]
) -> None:
    planhat_sandbox.fault("ignore_filters", times=1)
    with pytest.raises(FilterIgnored, match=r"email exact '2@x\.example'"):
        list(Ticket.objects.params(email="2@x.example"))


def test_churn_is_listed_by_the_days_that_planhat_means(planhat_sandbox: Sandbox) -> None:
    company = planhat_sandbox.add(Company, name="Acme")
    planhat_sandbox.add(Churn, company=company, churn_date=DAY_0)
    list(Churn.objects.params(from_=date(2025, 1, 1), to=date(2025, 12, 31)))
    sent = planhat_sandbox.requests[-1].params
    assert (sent["from"], sent["to"]) == ("2025-01-01", "2025-12-31")


# Members of lists


def test_records_are_found_by_a_member_of_a_list_of_links(planhat_sandbox: Sandbox) -> None:
    acme, birch = (planhat_sandbox.add(Company, name=name) for name in ("Acme", "Birch"))
    for title, of in (("one", [acme]), ("both", [acme, birch]), ("none", [])):
        planhat_sandbox.add(Issue, title=title, companies=[row["_id"] for row in of])
    company = Company.objects.get(id=acme["_id"])
    with planhat_sandbox.assert_requests(3):
        for wanted in ({"companies": company}, {"companies": acme["_id"]}, {"companies__contains": company}):
            assert [issue.title for issue in Issue.objects.filter(**wanted)] == ["one", "both"]
            assert planhat_sandbox.requests[-1].params["companyId"] == acme["_id"]
    with planhat_sandbox.assert_requests(3):
        assert [issue.title for issue in Issue.objects.filter(companies__in=[company, birch["_id"]])] == ["one", "both"]
        assert "companyId" not in planhat_sandbox.requests[-1].params
        assert [issue.title for issue in Issue.objects.exclude(companies=birch["_id"])] == ["one", "none"]
        both = Issue.objects.filter(companies=acme["_id"]).filter(companies=birch["_id"])
        assert [issue.title for issue in both] == ["both"]
    with planhat_sandbox.assert_requests(2):
        assert Issue.objects.filter(companies=company).count() == 2
        assert [issue.title for issue in Issue.objects.filter(companies=company).order_by("-title")[:1]] == ["one"]
    planhat_sandbox.fault("ignore_filters", times=1)
    with pytest.raises(FilterIgnored, match="companies contains"):
        list(Issue.objects.filter(companies=company))


# Lists without order and selection


def test_a_list_without_order_is_read_with_overlap_and_not_proven(
    planhat_sandbox: Sandbox, readings: list[str]
) -> None:
    found = Reading.objects.only("name")
    with planhat_sandbox.assert_requests(3):
        assert [one.name for one in found] == [f"r{n:03}" for n in range(120)]
    assert [set(request.params) for request in planhat_sandbox.requests[-3:]] == [{"limit", "offset"}] * 3
    assert [request.params["offset"] for request in planhat_sandbox.requests[-3:]] == ["0", "49", "98"]
    assert found.scan_report is not None
    assert (found.scan_report.rows, found.scan_report.proven) == (120, False)
    assert len(found[7].to_dict()) > 2, "rows come whole, whatever only() says"


def test_a_list_without_order_survives_rows_that_come_and_go(planhat_sandbox: Sandbox, readings: list[str]) -> None:
    box = planhat_sandbox
    box.fault("drift", run=lambda: [box.remove(Reading, {"_id": one}) for one in readings[:4]], after=1, times=1)
    found = [one.id for one in Reading.objects.all()]
    assert found == readings
    assert len(found) == len(set(found))


def test_a_list_without_order_is_sliced_counted_and_ordered_here(planhat_sandbox: Sandbox, readings: list[str]) -> None:
    with planhat_sandbox.assert_requests(1):
        assert [one.name for one in Reading.objects.all()[10:12]] == ["r010", "r011"]
    with planhat_sandbox.assert_requests(3):
        assert [one.name for one in Reading.objects.order_by("-name")[:2]] == ["r119", "r118"]
    before = len(planhat_sandbox.requests)
    assert Reading.objects.count() == 120
    assert all(set(request.params) == {"limit", "offset"} for request in planhat_sandbox.requests[before:])
    with planhat_sandbox.assert_requests(3):
        assert Reading.objects.filter(day__gte=date(2025, 6, 11)).count() == 110
    with planhat_sandbox.assert_requests(1):
        assert Reading.objects.filter(name="r000").exists()


# Objects that cannot be read one by one


def test_a_record_that_cannot_be_read_by_its_id_is_found_in_the_list(
    planhat_sandbox: Sandbox, readings: list[str]
) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(NotSupported, match=r"filter\(\) by its day"):
        Reading.objects.get(id=readings[3])
    with planhat_sandbox.assert_requests(3):
        assert Reading.objects.get(name="r003").id == readings[3]
    # Two ids are two rows at most, so that the first page is enough.
    with planhat_sandbox.assert_requests(1):
        assert [one.name for one in Reading.objects.filter(id__in=[readings[3], readings[4]])] == ["r003", "r004"]


def test_a_link_to_one_is_followed_by_the_list(planhat_sandbox: Sandbox, readings: list[str]) -> None:
    for key in (readings[3], readings[100]):
        planhat_sandbox.add(Sighting, reading_id=key)
    before = len(planhat_sandbox.requests)
    assert [one.reading.name for one in Sighting.objects.all()] == ["r003", "r100"]
    assert {request.path for request in planhat_sandbox.requests[before:]} == {"/sightings", "/readings"}


def test_a_field_that_no_list_holds_is_not_loaded_where_none_is_read_by_itself(
    planhat_sandbox: Sandbox, readings: list[str]
) -> None:
    one = Reading.objects.all()[0]
    with planhat_sandbox.assert_requests(0):
        with pytest.raises(FieldNotLoaded, match=r"no list holds it.*no get of Reading: filter\(\) by its day"):
            _ = one.note
        assert one.day == date(2025, 6, 1)


def test_what_no_row_of_a_list_holds_is_empty_where_nothing_else_could_tell(
    planhat_sandbox: Sandbox, tickets: list[dict[str, Any]]
) -> None:
    [one, *_] = Ticket.objects.only("severity")
    with planhat_sandbox.assert_requests(0):
        assert one.severity is None
    [first, *_] = Ticket.objects.only("email").on_missing("one")
    with planhat_sandbox.assert_requests(0), pytest.raises(FieldNotLoaded, match="on_missing is 'one'"):
        _ = first.status


# Names that differ by source


@pytest.mark.parametrize("names", ["documented", "short"])
def test_a_field_that_has_two_names_is_selected_filtered_and_loaded_by_both(
    planhat_sandbox: Sandbox, names: str
) -> None:
    planhat_sandbox.behaviour.nps_names = names
    company = planhat_sandbox.add(Company, name="Acme")
    for score in (3, 9, 6):
        planhat_sandbox.add(NPS, company=company, score=score, comment=f"c{score}", email=f"{score}@x.example")
    with planhat_sandbox.assert_requests(1):
        assert [one.score for one in NPS.objects.only("score")] == [3, 9, 6]
    assert planhat_sandbox.requests[-1].params["select"] == "_id,score,nps"
    with planhat_sandbox.assert_requests(2):
        assert [one.comment for one in NPS.objects.only("score").filter(score__gte=5)] == ["c9", "c6"]
    assert [one.score for one in NPS.objects.order_by("-score")[:2]] == [9, 6]
    assert NPS.objects.get(id=planhat_sandbox.rows(NPS)[1]["_id"]).score == 9


def test_what_is_taken_and_never_shown_is_no_part_of_a_question() -> None:
    class Secret(Model):
        class Meta:
            path = "secrets"

        code: fields.Text = fields.Text("code", write_only=True)

    registry.pop("Secret")
    for ask in (
        lambda: Secret.objects.filter(code="x"),
        lambda: Secret.objects.order_by("code"),
        lambda: Secret.objects.only("code"),
        lambda: Secret.objects.values("code"),
    ):
        with pytest.raises(InvalidQuery, match=r"Secret\.code is shown nowhere"):
            ask()


# What brings rows out of hiding, given as it is


def test_what_brings_rows_out_of_hiding_may_be_given_instead(planhat_sandbox: Sandbox) -> None:
    company = planhat_sandbox.add(Company, name="Acme")
    for name, archived in (("here", False), ("gone", True)):
        planhat_sandbox.add(Enduser, company=company, email=f"{name}@x.example", archived=archived)
    for count, given in ((1, False), (2, True)):
        with planhat_sandbox.assert_requests(1):
            assert len(Enduser.objects.params(archived=given)) == count
        assert planhat_sandbox.requests[-1].params["archived"] == str(given).lower()
    assert "as params() and the filter want: archived=false" in Enduser.objects.params(archived=False).explain()
    list(NPS.objects.params(npsExpiryDay=30))
    assert planhat_sandbox.requests[-1].params["npsExpiryDay"] == "30"


def test_get_by_a_key_with_parameters_is_a_list(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(Enduser, company=planhat_sandbox.add(Company, name="Acme"), email="a@x.example")
    with planhat_sandbox.assert_requests(1):
        assert Enduser.objects.params(archived=False).get(id=row["_id"]).email == "a@x.example"
    sent = planhat_sandbox.requests[-1]
    assert (sent.path, sent.params["archived"]) == ("/endusers", "false")
    with planhat_sandbox.assert_requests(0), pytest.raises(InvalidQuery, match="did you mean 'archived'"):
        Enduser.objects.params(archive=True)
