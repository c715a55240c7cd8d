"""Carrying out plans against lists that move, ignore, cap, slow down or answer nonsense."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planhat_orm import Session
from planhat_orm.errors import FilterIgnored, Forbidden, NotSupported, PaginationError, ServerError, TransportError
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.sandbox import Sandbox, reading

if TYPE_CHECKING:
    from collections.abc import Callable


def people(box: Sandbox, count: int, **values: Any) -> list[dict[str, Any]]:
    box.add_many(Enduser, ({"email": f"{n:05}@x.example", "beats": n % 7, **values} for n in range(count)))
    return box.rows(Enduser)


def emails(records: Any) -> list[str]:
    return [record.email for record in records]


def expected(count: int) -> list[str]:
    return [f"{n:05}@x.example" for n in range(count)]


@pytest.fixture
def quick(planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait before a request is sent again."""
    monkeypatch.setattr(Session.current().transport, "_sleep", lambda seconds: None)


# Pages


def test_a_long_list_is_read_in_pages_of_the_maximum(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 4500)
    qs = Enduser.objects.all()
    with planhat_sandbox.assert_requests(3):
        assert emails(qs) == expected(4500)
    assert {request.params["limit"] for request in planhat_sandbox.requests} == {"2000"}
    assert qs.scan_report is not None
    assert (qs.scan_report.rows, qs.scan_report.pages, qs.scan_report.proven) == (4500, 3, True)


def test_a_smaller_cap_of_the_server_is_noticed(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 1050)
    planhat_sandbox.fault("cap", limit=500, times=None)
    assert emails(Enduser.objects.all()) == expected(1050)
    assert Enduser.objects.count() == 1050
    assert emails(Enduser.objects.all()[400:700]) == expected(1050)[400:700]
    assert emails(Enduser.objects.order_by("-email")[:600]) == expected(1050)[::-1][:600]


@pytest.mark.parametrize("how", ["list", "iterator"])
def test_records_that_come_and_go_between_pages_lose_and_repeat_no_other(planhat_sandbox: Sandbox, how: str) -> None:
    box = planhat_sandbox
    rows = people(box, 3000)
    box.fault("cap", limit=1000, times=None)

    def move() -> None:
        for row in rows[:50]:
            box.remove(Enduser, row)
        box.add(Enduser, email="new@x.example", _id="0" * 24)

    box.fault("drift", run=move, after=1, times=1)
    found = emails(Enduser.objects.all() if how == "list" else Enduser.objects.iterator())
    assert set(expected(3000)[50:]) <= set(found)
    assert len(found) == len(set(found))


def test_a_record_that_changes_its_company_between_two_lists_of_ids_comes_once(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    owners = [box.add(Company, name=f"C{n}") for n in range(80)]
    [mover] = [box.add(Enduser, company=owners[0], email="mover@x.example")]
    box.fault("drift", run=lambda: box.change(Enduser, mover, company=owners[-1]), after=1, times=1)
    with box.assert_requests(2):
        assert emails(Enduser.objects.filter(company__in=owners_of(owners))) == ["mover@x.example"]


def owners_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["_id"] for row in rows]


@pytest.mark.usefixtures("quick")
def test_a_page_that_is_too_slow_is_asked_for_at_half_its_size(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 1500)
    planhat_sandbox.fault("status", status=504, times=2)
    with planhat_sandbox.assert_requests(6):
        assert emails(Enduser.objects.all()) == expected(1500)
    limits = [request.params["limit"] for request in planhat_sandbox.requests]
    assert limits[:3] == ["2000", "1000", "500"]


def test_a_page_that_times_out_is_asked_for_at_half_its_size(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 100)
    planhat_sandbox.fault("latency", seconds=2, times=1)
    session = planhat_sandbox.session(timeout=(5, 0.5))
    assert emails(Enduser.objects.using(session)) == expected(100)
    assert [request.params["limit"] for request in planhat_sandbox.requests][:2] == ["2000", "1000"]


def test_counting_halves_slow_pages_too(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 1500)
    planhat_sandbox.fault("status", status=504, times=1)
    assert Enduser.objects.count() == 1500


@pytest.mark.usefixtures("quick")
def test_an_error_amid_a_scan_leaves_nothing_half_done(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 4500)
    planhat_sandbox.fault("status", status=403, after=1, times=1)
    qs = Enduser.objects.all()
    seen: list[Any] = []
    with pytest.raises(Forbidden):
        seen.extend(person.email for person in qs)
    assert "nothing fetched yet" in repr(qs)
    with planhat_sandbox.assert_requests(3):
        assert emails(qs) == expected(4500)


# Wrong answers


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("body", [None, {"message": "no"}, ["a"], [{"email": "no id"}], [{"_id": 5}], [{"_id": ""}], 5])
def test_what_is_no_list_of_records_is_an_error(planhat_sandbox: Sandbox, body: Any) -> None:
    people(planhat_sandbox, 1)
    ways: tuple[Callable[[], object], ...] = (
        lambda: list(Enduser.objects.all()),
        lambda: Enduser.objects.count(),
        lambda: Enduser.objects.exists(),
        lambda: Company.objects.count(),
    )
    for way in ways:
        with planhat_sandbox.fault("wrong_shape", body=body), pytest.raises(TransportError, match="list of records"):
            way()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("body", [None, [], {"name": "no id"}, {"_id": ""}])
def test_what_is_no_record_is_an_error(planhat_sandbox: Sandbox, body: Any) -> None:
    planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
    with planhat_sandbox.fault("wrong_shape", body=body), pytest.raises(TransportError, match="not with a record"):
        Company.objects.get(external_id="acme-42")


def test_a_list_inside_an_object_is_read(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(Company, name="Acme")
    with planhat_sandbox.fault("wrong_shape", body={"data": [row]}):
        assert [company.name for company in Company.objects.all()] == ["Acme"]


@pytest.mark.usefixtures("quick")
def test_a_server_error_is_raised_as_it_is(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.fault("status", status=500, times=None)
    with pytest.raises(ServerError):
        list(Company.objects.all())


# Ignored filters


def test_an_ignored_filter_is_never_silent(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    one, two = box.add(Company, name="one"), box.add(Company, name="two")
    for company in (one, two):
        box.add(Enduser, company=company, email=f"{company['name']}@x.example")
        box.add(License, company=company, product="Seats", mrr=5, from_date="2025-01-01")
        box.add(Note, company=company, subject="Hi")
    box.fault("ignore_filters", times=None)
    queries: tuple[Callable[[], Any], ...] = (
        lambda: Enduser.objects.filter(company=one["_id"]),
        lambda: Enduser.objects.filter(company__in=[one["_id"], "f" * 24]),
        lambda: Enduser.objects.filter(email="two@x.example"),
        lambda: License.objects.filter(company=two["_id"]),
        lambda: Note.objects.filter(company=two["_id"]),
        lambda: Company.objects.filter(id__in=[two["_id"], "f" * 24]),
    )
    for query in queries:
        with box.assert_requests(2):
            with pytest.raises(FilterIgnored, match="ignored the filter"):
                list(query())
            with pytest.raises(FilterIgnored):
                query().count()


def test_an_ignored_filter_shows_before_a_row_of_its_page(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    one, two = box.add(Company, name="one"), box.add(Company, name="two")
    people(box, 2500, company=one)
    box.add(Enduser, company=two, email="two@x.example")
    box.fault("ignore_filters", after=1, times=None)
    seen: list[str] = []
    with pytest.raises(FilterIgnored):
        seen.extend(person.email for person in Enduser.objects.filter(company=one["_id"]).iterator())
    assert seen == [] or set(seen) <= set(expected(2000))


def test_an_ignored_hint_changes_nothing(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    for name in ("kim", "lee"):
        box.add(User, email=f"{name}@v.example", first_name=name, last_name="")
    for hints in (False, True):
        box.behaviour.hints = hints
        with box.assert_requests(1):
            assert emails(User.objects.filter(email="lee@v.example").iterator()) == ["lee@v.example"]


# Orders


def test_an_order_of_a_part_is_planhats(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 30)
    with planhat_sandbox.assert_requests(1):
        assert emails(Enduser.objects.order_by("-email")[5:8]) == expected(30)[::-1][5:8]
    params = planhat_sandbox.requests[-1].params
    assert (params["sort"], params["offset"]) == ("-email", "5")


def test_an_order_of_everything_is_put_here_by_one_scan(planhat_sandbox: Sandbox) -> None:
    rows = people(planhat_sandbox, 2500)
    wanted = [row["email"] for row in sorted(rows, key=lambda row: (-row["beats"], row["_id"]))]
    with planhat_sandbox.assert_requests(2):
        assert emails(Enduser.objects.order_by("-beats")) == wanted
    assert {request.params["sort"] for request in planhat_sandbox.requests} == {"_id"}
    with planhat_sandbox.assert_requests(2):
        assert (
            emails(Enduser.objects.order_by("-beats", "-email")[:3])
            == sorted((row["email"] for row in rows if row["beats"] == 6), reverse=True)[:3]
        )


@pytest.mark.parametrize("count", [1, 10, 40])
def test_an_ignored_sort_is_noticed_and_ordered_here(planhat_sandbox: Sandbox, count: int) -> None:
    people(planhat_sandbox, 60)
    planhat_sandbox.fault("ignore_sort", times=1)
    with planhat_sandbox.assert_requests(2):
        assert emails(Enduser.objects.order_by("email")[:count]) == expected(60)[:count]


def test_an_ignored_sort_costs_the_proof_but_no_row(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 2500)
    planhat_sandbox.fault("ignore_sort", times=None)
    qs = Enduser.objects.all()
    assert sorted(emails(qs)) == expected(2500)
    assert qs.scan_report is not None
    assert not qs.scan_report.proven


def test_an_ordered_list_that_moves_is_read_again_by_id(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = people(box, 3000)
    box.fault("cap", limit=1000, times=None)
    box.fault("drift", run=lambda: box.remove(Enduser, rows[-1]), after=1, times=1)
    found = emails(Enduser.objects.order_by("-email")[:2500])
    assert found == expected(2999)[::-1][:2500]


def test_an_iterator_over_an_ordered_list_that_moves_raises(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = people(box, 3000)
    box.fault("cap", limit=1000, times=None)
    box.fault("drift", run=lambda: box.remove(Enduser, rows[-1]), after=1, times=1)
    seen: list[str] = []
    with pytest.raises(PaginationError):
        seen.extend(person.email for person in Enduser.objects.order_by("-email").iterator())


def test_an_iterator_over_an_ignored_sort_raises(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 20)
    planhat_sandbox.fault("ignore_sort", times=None)
    with pytest.raises(PaginationError, match="another order"):
        list(Enduser.objects.order_by("email").iterator())


def test_slices_of_an_ordered_and_filtered_list_stop_when_they_are_complete(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 9000)
    with planhat_sandbox.assert_requests(1):
        found = emails(Enduser.objects.filter(beats=3).order_by("-email")[1:4])
    assert found == [f"{n:05}@x.example" for n in range(8999, 0, -1) if n % 7 == 3][1:4]


# Windows over several lists


@pytest.fixture(scope="module")
def spread() -> Any:
    """People of 160 companies, three lists of ids; the sandbox, a session, the ids and the e-mails in order."""
    with Sandbox() as box:
        rows = [box.add(Company, name=f"C{n}") for n in range(160)]
        for n, row in enumerate(rows):
            for m in range(n % 3):
                box.add(Enduser, company=row, email=f"{n:03}-{m}@x.example", featured=m == 0)
        yield box, box.session(), owners_of(rows)


ends = st.none() | st.integers(0, 170)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(start=ends, stop=ends, featured=st.booleans(), order=st.sampled_from([(), ("-email",), ("featured", "email")]))
def test_a_window_over_several_lists_of_ids(
    spread: tuple[Sandbox, Session, list[str]], start: int | None, stop: int | None, featured: bool, order: Any
) -> None:
    box, session, ids = spread
    qs = Enduser.objects.using(session).filter(company__in=ids).order_by(*order)
    rows = [row for row in box.rows(Enduser) if row["featured"] or not featured]
    qs = qs.filter(featured=True) if featured else qs
    if order == ("-email",):
        rows.sort(key=lambda row: row["email"], reverse=True)
    if order == ("featured", "email"):
        rows.sort(key=lambda row: (row["featured"], row["email"]))
    wanted = [row["email"] for row in rows][start:stop]
    assert emails(qs[start:stop]) == wanted
    assert qs[start:stop].count() == len(wanted)
    assert qs[start:stop].exists() is bool(wanted)


def test_a_short_window_over_several_lists_asks_for_no_more(spread: tuple[Sandbox, Session, list[str]]) -> None:
    box, session, ids = spread
    qs = Enduser.objects.using(session).filter(company__in=ids)
    with box.assert_requests(1):
        assert qs.first().email == "001-0@x.example"  # type: ignore[union-attr]
    assert box.requests[-1].params["limit"] == "1"
    with box.assert_requests(2):
        assert len(qs[:90]) == 90
    assert int(box.requests[-1].params["limit"]) < 90, "what the first list gave is not asked for again"


def test_people_of_200_companies_cost_three_requests(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = [box.add(Company, name=f"C{n}") for n in range(200)]
    box.add_many(Enduser, ({"company": row, "email": f"{n}@x.example"} for row in rows for n in range(3)))
    companies = list(Company.objects.all())
    with box.assert_requests(3):
        assert len(Enduser.objects.filter(company__in=companies)) == 600
    with box.assert_requests(3):
        assert Enduser.objects.filter(company__in=companies).count() == 600


def test_a_url_that_is_too_long_is_halved(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = [box.add(Company, name=f"C{n}") for n in range(60)]
    for n, row in enumerate(rows):
        box.add(Enduser, company=row, email=f"{n:05}@x.example")
    box.behaviour.max_url = 1000
    with box.assert_requests(3):
        assert emails(Enduser.objects.filter(company__in=owners_of(rows))) == expected(60)


def test_rows_of_several_lists_tell_what_was_scanned(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = [box.add(Company, name=f"C{n}") for n in range(160)]
    box.add_many(Enduser, ({"company": row, "email": f"{n}@x.example"} for n, row in enumerate(rows)))
    qs = Enduser.objects.filter(company__in=owners_of(rows))
    assert len(qs) == 160
    assert qs.scan_report is not None
    assert (qs.scan_report.rows, qs.scan_report.pages, qs.scan_report.proven) == (160, 3, True)


# Ids


def test_a_key_whose_record_is_gone_is_left_out(planhat_sandbox: Sandbox) -> None:
    rows = people(planhat_sandbox, 3)
    with planhat_sandbox.assert_requests(2):
        assert emails(Enduser.objects.filter(id__in=[rows[1]["_id"], "f" * 24])) == [rows[1]["email"]]


def test_records_read_one_by_one_are_sliced_ordered_and_known_afterwards(planhat_sandbox: Sandbox) -> None:
    rows = people(planhat_sandbox, 3)
    ids = [row["_id"] for row in rows]
    with planhat_sandbox.assert_requests(1):
        assert emails(Enduser.objects.filter(id__in=ids[::-1])[:1]) == expected(3)[:1]
    with planhat_sandbox.assert_requests(3):
        assert emails(Enduser.objects.filter(id__in=ids).order_by("-email")) == expected(3)[::-1]
    with planhat_sandbox.assert_requests(0):
        assert Enduser.objects.get(id=ids[2]).email == rows[2]["email"]


# Keys that do not come


def withhold(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the sandbox's lists leave a key out, as those do that hold less than get, selected or not."""
    shaped = reading._Shape.of

    def of(shape: Any, row: dict[str, Any]) -> dict[str, Any]:
        seen = shaped(shape, row)
        seen.pop(key, None)
        return seen

    monkeypatch.setattr(reading._Shape, "of", of)


def test_a_filter_on_what_the_list_leaves_out_for_want_of_values_costs_three_gets_in_a_session(
    planhat_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [planhat_sandbox.add(Company, name=f"C{n}") for n in range(9)]
    with planhat_sandbox.assert_requests(4):
        assert len(Company.objects.filter(nps__isnull=True)) == 9
    assert [request.path[-24:] for request in planhat_sandbox.requests[-3:]] == [rows[n]["_id"] for n in (0, 4, 8)]
    with planhat_sandbox.assert_requests(1):
        assert len(Company.objects.filter(nps__gte=5)) == 0
    with planhat_sandbox.assert_requests(1):
        assert len(Company.objects.order_by("nps")) == 9
    assert caplog.text.count("Company.nps is in no row of a list and in none of 3 records") == 1


def test_a_filter_on_few_rows_tries_those_there_are(planhat_sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    planhat_sandbox.add(Company, name="C")
    with planhat_sandbox.assert_requests(2):
        assert len(Company.objects.filter(nps__isnull=True)) == 1
    with planhat_sandbox.assert_requests(1):
        assert len(Company.objects.filter(nps__gte=1)) == 0
    assert caplog.text.count("Company.nps is in no row of a list and in no record that was tried") == 1


@pytest.mark.parametrize("place", [0, 4, 8])
def test_one_sample_with_a_value_refuses_the_filter(
    planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    for n in range(9):
        planhat_sandbox.add(Company, name=f"C{n}", **({"nps": 9} if n == place else {}))
    withhold("nps", monkeypatch)
    for query in (Company.objects.filter(nps__gte=5), Company.objects.order_by("nps", "name")):
        with pytest.raises(NotSupported, match=rf"although <Company \w+ 'C{place}'> has a value"):
            list(query)


def test_a_filter_on_what_the_list_does_not_hold_is_refused(
    planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    planhat_sandbox.add(Company, name="Acme", nps=9)
    withhold("nps", monkeypatch)
    for query in (
        Company.objects.filter(nps__gte=5),
        Company.objects.filter(nps__isnull=True),
        Company.objects.order_by("nps", "name"),
    ):
        with pytest.raises(NotSupported, match=r"Company\.nps was selected but is in no row"):
            list(query)
    with pytest.raises(NotSupported):
        Company.objects.filter(nps__gte=5).count()


def test_what_one_page_holds_is_believed_of_the_next_ones(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    for n in range(250):
        box.add(Company, name=f"C{n}", **({"nps": 9} if n == 0 else {}))
    box.fault("cap", limit=100, times=None)
    with box.assert_requests(3):
        assert len(Company.objects.filter(nps__isnull=True)) == 249


def test_a_sample_that_was_deleted_meanwhile_is_passed_over(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    rows = [box.add(Company, name=f"C{n}") for n in range(3)]
    box.fault("drift", path="/companies/*", run=lambda: box.remove(Company, rows[0]), times=1)
    with box.assert_requests(4):
        assert len(Company.objects.filter(nps__isnull=True)) == 3


# Memory


def test_an_iterator_lets_each_row_go(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 50)
    session = planhat_sandbox.session()
    most = 0
    for person in Enduser.objects.using(session).iterator():
        most = max(most, len(session.identity_map))
        assert person.email
    del person
    assert len(session.identity_map) == 0
    assert most <= 50


def test_an_iterator_that_is_left_early_reads_no_further(planhat_sandbox: Sandbox) -> None:
    people(planhat_sandbox, 5000)
    with planhat_sandbox.assert_requests(1):
        for _ in Enduser.objects.iterator():
            break
    with planhat_sandbox.assert_requests(1):
        for _ in Enduser.objects.all():
            break


def test_a_kept_object_does_not_hold_what_tells_of_all_rows_of_its_page(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"email": f"{n}@x.example"} for n in range(8500)))
    kept = [person for n, person in enumerate(Enduser.objects.iterator()) if n % 500 == 0]
    members = {id(person._origin): len(person._origin.members) for person in kept if person._origin is not None}
    assert len(members) == 5
    assert sum(list(members.values())[:-1]) <= 2 * len(kept)


def test_objects_that_are_all_kept_still_load_together(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Enduser, ({"email": f"{n}@x.example", "phone": str(n)} for n in range(4500)))
    kept = list(Enduser.objects.only("email").iterator())
    with planhat_sandbox.assert_requests(3):
        assert [person.phone for person in kept] == [str(n) for n in range(4500)]


def test_the_collector_is_paused_while_rows_become_objects_and_never_while_a_page_is_waited_for(
    planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    planhat_sandbox.add_many(Enduser, ({"email": f"{n}@x.example"} for n in range(2500)))
    session, seen = Session.current(), []
    send, adopt = session.send, session.identity_map.adopt

    def sending(request: Any) -> Any:
        seen.append(("waiting", gc.isenabled()))
        return send(request)

    def adopting(*args: Any) -> Any:
        seen.append(("hydrating", gc.isenabled()))
        return adopt(*args)

    monkeypatch.setattr(session, "send", sending)
    monkeypatch.setattr(session.identity_map, "adopt", adopting)
    assert len(list(Enduser.objects.all())) == 2500
    assert seen == [("waiting", True), ("hydrating", False)] * 2
    assert gc.isenabled()
