"""The lean index of companies: what it answers alone, what it finds, how long it is kept and how far it is trusted."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Q, Session
from planhat_orm.models import Company
from planhat_orm.session.identity_map import KEPT_SECONDS

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

COUNT = 5_300
STATUSES = ("customer", "prospect", "lost")


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Two pages of companies."""
    planhat_sandbox.add_many(
        Company,
        (
            {"name": f"C{n:04}", "external_id": f"x-{n}", "status": STATUSES[n % 3], "phase": f"P{n}", "arr": n}
            for n in range(COUNT)
        ),
    )
    return planhat_sandbox


def paths(box: Sandbox) -> list[str]:
    return [request.path for request in box.requests]


def id_of(box: Sandbox, name: str) -> str:
    return next(row["_id"] for row in box.rows(Company) if row.get("name") == name)


def arrs(*keys: str) -> list[float | None]:
    return [one.arr for one in Company.objects.filter(external_id__in=keys)]


# What it answers alone


def test_names_and_keys_come_from_the_index_alone(box: Sandbox) -> None:
    with box.assert_requests(1):
        assert [one.name for one in Company.objects.only("name")] == [f"C{n:04}" for n in range(COUNT)]
    with box.assert_requests(1):
        assert next(iter(Company.objects.order_by("-name").values_list("name", "external_id"))) == ("C5299", "x-5299")
    with box.assert_requests(1):
        assert [one.name for one in Company.objects.filter(name__endswith="99").only("name")[1:3]] == ["C0199", "C0299"]
    with box.assert_requests(1):
        assert Company.objects.filter(Q(name="C0001") | ~Q(external_id__startswith="x-")).count() == 1
    assert set(paths(box)) == {"/leancompanies"}


def test_what_is_read_whole_from_it_is_read_anew(box: Sandbox) -> None:
    names = Company.objects.only("name")
    with box.assert_requests(2):
        assert len(names) == COUNT
        box.add(Company, name="new")
        assert len(names.all()) == COUNT + 1
    with box.assert_requests(1):
        assert Company.objects.count() == COUNT + 1


def test_a_slice_that_one_page_answers_is_asked_of_the_list(box: Sandbox) -> None:
    with box.assert_requests(1):
        assert len(Company.objects.order_by("-name").only("name")[:7]) == 7
    assert box.requests[-1].params["limit"] == "10"
    assert paths(box) == ["/companies"]


def test_an_iterator_without_a_filter_holds_a_page_at_a_time(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert sum(1 for _ in Company.objects.only("name").iterator()) == COUNT
    assert set(paths(box)) == {"/companies"}


def test_ids_that_take_several_lists_come_from_the_index_where_names_are_wanted(box: Sandbox) -> None:
    ids = [row["_id"] for row in box.rows(Company)[:300]]
    with box.assert_requests(1):
        assert [one.name for one in Company.objects.filter(id__in=ids).only("name")] == [f"C{n:04}" for n in range(300)]
    with box.assert_requests(1):
        assert len(Company.objects.filter(id__in=ids[:20]).only("name")) == 20
    assert paths(box) == ["/leancompanies", "/companies"]


def test_blank_keys_of_the_index_are_none(planhat_sandbox: Sandbox) -> None:
    # Of companies without an external id every other one has "" in the index.
    planhat_sandbox.add_many(Company, ({"name": f"C{n}"} for n in range(10)))
    assert any(row.get("externalId") == "" for row in _lean_rows())
    with planhat_sandbox.assert_requests(2):
        assert {one.external_id for one in Company.objects.only("external_id")} == {None}
        assert Company.objects.filter(external_id__isnull=True).count() == 10


def _lean_rows() -> list[dict[str, Any]]:
    rows = Session.current().request("GET", "/leancompanies")
    assert isinstance(rows, list)
    return rows


# More of what it gave


def test_other_fields_of_its_rows_are_loaded_for_all_of_them(box: Sandbox) -> None:
    few = list(Company.objects.filter(external_id__in=["x-7", "x-8", "x-9"]).only("name"))
    with box.assert_requests(1):
        assert [one.arr for one in few] == [7, 8, 9]
    assert len(box.requests[-1].params["companyId"].split(",")) == 3
    everything = list(Company.objects.only("name"))
    with box.assert_requests(2):
        assert [one.phase for one in everything] == [f"P{n}" for n in range(COUNT)]
    with box.assert_requests(0):
        assert everything[-1].phase == f"P{COUNT - 1}"


def test_a_field_of_its_rows_is_loaded_by_pages_of_the_length_that_the_server_gives(box: Sandbox) -> None:
    everything = list(Company.objects.only("name"))
    with box.fault("cap", path="/companies", limit=1_000, times=None), box.assert_requests(6):
        assert [one.phase for one in everything] == [f"P{n}" for n in range(COUNT)]


def test_rows_that_are_not_on_the_pages_any_more_are_named_to_load_a_field(box: Sandbox) -> None:
    everything = list(Company.objects.only("name"))
    # A list that ends too early, as one does whose rows went elsewhere between two pages.
    with box.fault("wrong_shape", path="/companies", body=[], times=1, after=1), box.assert_requests(2 + 4):
        assert [one.phase for one in everything] == [f"P{n}" for n in range(COUNT)]


def test_its_rows_never_overwrite_what_was_changed_nor_save_what_they_lack(box: Sandbox) -> None:
    with box.assert_requests(1):
        dirty = Company.objects.get(external_id="x-5")
    dirty.name, dirty.phase = "mine", "Q"
    box.change(Company, dirty.id, external_id="y-5")
    [found] = [one for one in Company.objects.only("name") if one.id == dirty.id]
    assert found is dirty
    assert (dirty.name, dirty.phase, dirty.external_id, dirty.arr) == ("mine", "Q", "y-5", 5)
    partial = next(one for one in Company.objects.only("name") if one.name == "C0006")
    partial.name = "renamed"
    with box.assert_requests(1):
        partial.save()
    assert box.requests[-1].json == {"name": "renamed"}
    assert box.row(Company, partial.id)["arr"] == 6


# Finding records


def test_a_company_by_its_name_is_two_requests(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert Company.objects.get(name="C0042").arr == 42
    assert paths(box) == ["/leancompanies", "/companies"]
    box.add(Company, name="C0042")  # somebody else takes the name
    with box.assert_requests(2), pytest.raises(Company.MultipleObjectsReturned):
        Company.objects.get(name="C0042")


def test_keys_are_found_in_an_index_that_is_kept_for_a_minute(box: Sandbox, later: list[float]) -> None:
    with box.assert_requests(2):
        assert arrs("x-1", "x-2") == [1, 2]
    with box.assert_requests(1):
        assert arrs("x-3", "x-4") == [3, 4]
    later[0] = KEPT_SECONDS
    with box.assert_requests(2):
        assert arrs("x-1", "x-2") == [1, 2]


def test_external_ids_cost_the_index_and_lists_of_ids(box: Sandbox) -> None:
    with box.assert_requests(1 + 2):  # two pages cost less than the lists that 300 ids take
        found = Company.objects.in_bulk([f"x-{n}" for n in range(300)], field_name="external_id")
    assert [one.arr for one in found.values()] == list(range(300))
    with box.assert_requests(1):
        assert len(Company.objects.filter(external_id__in=[f"x-{n}" for n in range(20)])) == 20


def test_records_that_nothing_has_cost_the_index_alone(box: Sandbox) -> None:
    with box.assert_requests(1):
        assert list(Company.objects.filter(name="nobody")) == []
    with box.assert_requests(1):  # it may have been made since
        assert Company.objects.filter(name="nobody", arr__gte=1).first() is None


def test_a_key_that_was_given_since_is_found(box: Sandbox) -> None:
    assert arrs("x-1", "x-2") == [1, 2]
    box.add(Company, name="new", external_id="new", arr=-1)
    with box.assert_requests(2):
        assert arrs("x-1", "new") == [1, -1]


def test_a_record_whose_key_went_to_another_is_looked_for_anew(box: Sandbox) -> None:
    assert arrs("x-1", "x-2") == [1, 2]
    box.change(Company, id_of(box, "C0002"), external_id="other")
    box.change(Company, id_of(box, "C0003"), external_id="x-2")
    with box.assert_requests(3):
        assert arrs("x-1", "x-2") == [1, 3]


def test_a_record_that_was_deleted_since_is_looked_for_anew(box: Sandbox) -> None:
    assert arrs("x-1", "x-2") == [1, 2]
    box.remove(Company, id_of(box, "C0002"))
    box.add(Company, name="again", external_id="x-2", arr=-2)
    with box.assert_requests(3):
        assert arrs("x-1", "x-2") == [1, -2]


def test_own_writes_drop_what_is_kept(box: Sandbox) -> None:
    assert arrs("x-1", "x-2") == [1, 2]
    company = Company.objects.get(external_id="x-1")
    company.name = "other"
    company.save()
    with box.assert_requests(2):
        assert arrs("x-1", "x-2") == [1, 2]
    Company.objects.create(name="C0002")
    with box.assert_requests(2):
        assert arrs("x-1", "x-2") == [1, 2]
    company.delete()
    with box.assert_requests(2):
        assert arrs("x-1", "x-2") == [2]


def test_texts_are_looked_for_in_an_index_of_now(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert len(Company.objects.filter(name__endswith="500")) == 5
    box.add(Company, name="new 500")
    with box.assert_requests(2):
        assert len(Company.objects.filter(name__endswith="500")) == 6


def test_many_that_are_found_are_read_by_pages(box: Sandbox) -> None:
    with box.assert_requests(1 + 2):
        assert len(Company.objects.filter(name__startswith="C0")) == 1_000


def test_the_rest_of_a_filter_is_tested_on_what_was_found(box: Sandbox) -> None:
    with box.assert_requests(2):
        found = Company.objects.filter(name__in=["C0001", "C0002", "C0003"], arr__gte=2).order_by("-arr")
        assert [one.name for one in found] == ["C0003", "C0002"]


def test_a_list_that_is_known_to_be_one_page_is_read_instead(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Company, ({"name": f"C{n}", "phase": "P"} for n in range(30)))
    assert len(Company.objects.filter(phase="P")) == 30
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.get(name="C7").phase == "P"
    assert set(paths(planhat_sandbox)) == {"/companies"}


def test_sessions_keep_an_index_each(box: Sandbox) -> None:
    assert arrs("x-1", "x-2") == [1, 2]
    with box.session():
        with box.assert_requests(2):
            assert arrs("x-1", "x-2") == [1, 2]
        with box.assert_requests(1):
            assert arrs("x-1", "x-3") == [1, 3]
    with box.assert_requests(1):
        assert arrs("x-1", "x-4") == [1, 4]


def test_threads_find_the_same_records(box: Sandbox) -> None:
    people = [Company.objects.filter(name=f"C{n:04}") for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert [[one.arr for one in found] for found in pool.map(list, people)] == [[n] for n in range(12)]


# A status, which its rows do not show


def test_a_status_is_counted_by_the_index_and_verified_once(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert Company.objects.filter(status="prospect").count() == 1_767
    with box.assert_requests(1):
        assert Company.objects.filter(status="lost").count() == 1_766
    with box.assert_requests(1):
        assert len(Company.objects.filter(status="lost", name__contains="5").values("name")) > 100
    with box.assert_requests(2):
        assert Company.objects.filter(status__in=["lost", "prospect"]).values("name").count() == 3_533


def test_whether_a_status_exists_is_told_by_the_first_page_or_by_the_index(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"C{n}", "status": "customer" if n < 5_001 else "lost"} for n in range(5_002)))
    with box.assert_requests(1):
        assert Company.objects.filter(status="customer").exists()
    with box.assert_requests(2):
        assert Company.objects.filter(status="lost").exists()
    assert paths(box)[-2:] == ["/companies", "/leancompanies"]
    with box.assert_requests(2):
        assert not Company.objects.filter(status="prospect").exists()
    with box.fault("ignore_filters", path="/leancompanies", times=None):
        assert not Company.objects.filter(status__in=["prospect", "coming"]).exists()


def test_whether_a_status_exists_is_told_by_the_only_page(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Company, ({"name": f"C{n}", "status": "customer"} for n in range(30)))
    with planhat_sandbox.assert_requests(1):
        assert not Company.objects.filter(status="lost").exists()
    with planhat_sandbox.assert_requests(1):
        assert Company.objects.filter(name="C7").exists()


def test_records_of_a_status_are_read_by_pages(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert len(Company.objects.filter(status="lost")) == 1_766
    assert set(paths(box)) == {"/companies"}


@pytest.mark.parametrize("times", [1, None])
def test_an_index_that_ignores_the_status_is_found_out(
    planhat_sandbox: Sandbox, caplog: pytest.LogCaptureFixture, times: int | None
) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"C{n}", "status": "customer" if n % 50 else "lost"} for n in range(2_021)))
    with box.fault("ignore_filters", path="/leancompanies", times=times), caplog.at_level(logging.WARNING):
        assert Company.objects.filter(status="customer").count() == 1_980
        assert Company.objects.filter(status="lost").values_list("name", flat=True)[:2][1] == "C50"
    assert caplog.text.count("did not keep to it") == 1


# How far it is trusted


@pytest.mark.parametrize("length", [100, 5_000])
def test_an_index_that_was_cut_is_found_out(box: Sandbox, caplog: pytest.LogCaptureFixture, length: int) -> None:
    body = _lean_rows()[:length]
    with box.fault("wrong_shape", path="/leancompanies", times=None, body=body), caplog.at_level(logging.WARNING):
        assert len(Company.objects.only("name")) == COUNT
        assert Company.objects.count() == COUNT
        assert Company.objects.get(name="C5299").arr == 5_299
        assert Company.objects.filter(status="lost").count() == 1_766
    assert caplog.text.count("does not hold every Company") == 1


@pytest.mark.parametrize("length", [200, 500, 4_321])
def test_an_index_that_is_shorter_than_the_list_was_is_held_against_it(
    box: Sandbox, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    assert len(Company.objects.filter(arr__gte=0)) == COUNT
    body = _lean_rows()[:length]
    with box.fault("wrong_shape", path="/leancompanies", times=None, body=body), caplog.at_level(logging.WARNING):
        assert len(Company.objects.only("name")) == COUNT
        assert Company.objects.count() == COUNT
        assert Company.objects.get(name="C5299").arr == 5_299
    assert caplog.text.count("does not hold every Company") == 1


def test_a_list_that_others_made_shorter_costs_one_request_to_see_it(box: Sandbox) -> None:
    assert len(Company.objects.filter(arr__gte=0)) == COUNT
    with box.session():
        Company.objects.get(external_id="x-7").delete()
    assert Company.objects.only("name").cost().most == 2
    with box.assert_requests(2):
        assert Company.objects.count() == COUNT - 1
    Company.objects.get(external_id="x-8").delete()
    with box.assert_requests(1):
        assert Company.objects.count() == COUNT - 2


def test_an_index_of_a_suspicious_length_is_held_against_the_list(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Company, ({"name": f"C{n}"} for n in range(100)))
    with planhat_sandbox.assert_requests(2):
        assert Company.objects.count() == 100
    assert planhat_sandbox.requests[-1].params["offset"] == "100"


# What a kept one would hide


@pytest.mark.parametrize(
    "rest", [Q(name__startswith="C0001"), ~Q(name="C0002"), Q(source_id__in=["s-1", "s-2"])], ids=str
)
def test_a_record_that_the_rest_of_the_filter_left_out_is_found_when_it_matches_now(box: Sandbox, rest: Q) -> None:
    one, two = (box.row(Company, external_id=f"x-{n}")["_id"] for n in (1, 2))
    box.change(Company, one, source_id="s-1")
    wanted = Company.objects.filter(rest, external_id__in=["x-1", "x-2"])
    assert [company.id for company in wanted] == [one]
    box.change(Company, two, name="C0001b", source_id="s-2")
    assert [company.id for company in wanted.all()] == [one, two]


def test_records_without_a_key_are_found_in_an_index_of_now(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(Company, ({"name": f"C{n}"} for n in range(5_300)))
    wanted = Company.objects.filter(name="C7", external_id=None)
    assert wanted.count() == 1
    planhat_sandbox.add(Company, name="C7")
    assert wanted.count() == 2


def test_a_record_that_the_index_holds_twice_comes_once(box: Sandbox) -> None:
    body = [row for row in _lean_rows() for _ in range(2)]
    with box.fault("wrong_shape", path="/leancompanies", times=None, body=body):
        assert len(Company.objects.only("name")) == Company.objects.count() == COUNT
        assert [company.name for company in Company.objects.filter(name="C0007")] == ["C0007"]


@pytest.mark.parametrize("understood", ["prospect", "nothing"])
def test_an_index_that_keeps_to_one_of_several_statuses_is_found_out(planhat_sandbox: Sandbox, understood: str) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"C{n}", "status": "customer"} for n in range(5_001)))
    box.add_many(Company, ({"name": f"D{n}", "status": "prospect" if n < 2 else "lost"} for n in range(5)))
    wanted = Company.objects.filter(status__in=["prospect", "lost"])
    body = [{"_id": row["_id"], "name": row["name"]} for row in box.rows(Company) if row["status"] == understood]
    with box.fault("wrong_shape", path="/leancompanies", times=None, body=body):
        assert wanted.count() == len(wanted.only("name")) == 5
        assert wanted.exists()
    assert wanted.cost().most is None
    assert wanted.count() == 5


def test_an_index_that_lacks_records_of_a_status_is_found_out(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    lost = [row["_id"] for row in box.rows(Company) if row["status"] == "lost"]
    body = [row for row in _lean_rows() if row["_id"] in lost[1::2]]
    with box.fault("wrong_shape", path="/leancompanies", times=None, body=body), caplog.at_level(logging.WARNING):
        assert Company.objects.filter(status="lost").count() == len(lost) == 1_766
    assert "did not keep to it" in caplog.text
