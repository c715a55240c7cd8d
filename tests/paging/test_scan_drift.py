"""Properties of the scan under every drift, maximum and slowness that Hypothesis finds.

The promise is the same everywhere: a record that existed throughout is handed out, none is handed out twice, and the
scan ends. Keys are numbers; a table starts with every fourth one, so that inserts find room anywhere.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planhat_orm.errors import PaginationError

many = settings(max_examples=1200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
some = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])

sizes = st.integers(0, 70)
page_sizes = st.integers(1, 17)
changes = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, 290)),
    st.tuples(st.just("delete"), st.integers(0, 300)),
    st.tuples(st.just("purge"), st.integers(1, 40)),
)
drifts = st.lists(st.lists(changes, max_size=8), max_size=14)
slowness = st.frozensets(st.integers(0, 12), max_size=4)


def table(sim, rows):
    return sim.make_ids(range(0, 4 * rows, 4))


@given(rows=sizes, page_size=page_sizes, drift=drifts, slow=slowness)
@many
def test_no_record_that_existed_throughout_is_lost_or_repeated(sim, rows, page_size, drift, slow):
    server = sim.Server(table(sim, rows), drift=drift, slow=slow)
    result = sim.read_or_crowded_out(server, page_size=page_size)
    if result is None:
        return
    handed, report = result
    assert handed == sorted(set(handed))
    assert server.persistent <= set(handed) <= server.ever
    assert report.proven
    assert report.bookmark == (handed[-1] if handed else None)
    assert sim.few(server, handed)


@given(rows=sizes, page_size=page_sizes, seed=st.integers(0, 2**32))
@some
def test_a_scan_during_steady_churn_is_complete(sim, rows, page_size, seed):
    """Every request meets a changed list: as many records go as come, anywhere."""
    dice = random.Random(seed)
    churn = [
        [("delete", dice.randrange(300)), ("insert", dice.randrange(290))] if dice.random() < 0.8 else []
        for _ in range(200)
    ]
    server = sim.Server(table(sim, rows), drift=churn)
    result = sim.read_or_crowded_out(server, page_size=page_size + 3)
    if result is not None:
        handed, report = result
        assert handed == sorted(set(handed))
        assert server.persistent <= set(handed) <= server.ever
        assert report.proven


@given(rows=sizes, page_size=page_sizes, drift=drifts, start=st.integers(0, 60), length=st.integers(0, 60))
@some
def test_a_window_is_complete_between_its_first_and_its_last_record(sim, rows, page_size, drift, start, length):
    server = sim.Server(table(sim, rows), drift=drift)
    result = sim.read_or_crowded_out(server, page_size=page_size, start=start, stop=start + length)
    if result is None:
        return
    handed, report = result
    assert handed == sorted(set(handed))
    assert len(handed) <= length
    assert report.proven
    if handed:
        # Cut short only by the end of the list.
        last = handed[-1] if len(handed) == length else max(server.ever)
        assert {one for one in server.persistent if handed[0] <= one <= last} <= set(handed) <= server.ever


@given(
    rows=sizes, page_size=page_sizes, seed=st.integers(0, 2**32), slow=slowness, order=st.sampled_from(["id", "other"])
)
@some
def test_any_stable_order_is_read_completely_while_nothing_moves(sim, rows, page_size, seed, slow, order):
    shuffled = table(sim, rows)
    dice = random.Random(seed)
    # From hardly disturbed to shuffled: an order may look honoured for long.
    for _ in range(dice.choice([1, 2, rows])):
        if rows:
            shuffled.insert(dice.randrange(rows), shuffled.pop(dice.randrange(rows)))
    server = sim.Server(shuffled, slow=slow)
    try:
        handed, report = sim.read(server, page_size=page_size, order=order)
    except PaginationError as error:
        if "too slow" not in str(error):
            raise
        return
    assert handed == shuffled
    assert (report.duplicates, report.repairs) == (0, 0)
    assert report.proven == (report.pages == 1 or (order == "id" and shuffled == sorted(shuffled)))


@given(rows=sizes, page_size=page_sizes, drift=drifts, seed=st.integers(0, 2**32))
@some
def test_without_an_order_ids_are_handed_out_once_and_the_scan_ends(sim, rows, page_size, drift, seed):
    """Each answer comes in an order of its own: nothing can be complete, but nothing comes twice either."""
    server = sim.Server(
        table(sim, rows),
        drift=drift,
        arrange=lambda ids, number: random.Random(seed + number).sample(ids, len(ids)),
    )
    try:
        handed, report = sim.read(server, page_size=page_size)
    except PaginationError as error:
        if "brought no record" not in str(error):
            raise
    else:
        assert len(handed) == len(set(handed))
        assert set(handed) <= server.ever
        assert report.rows == len(handed)
    assert len(server.fetches) <= 64 * (len(server.ever) + 1)


@given(rows=sizes, page_size=st.integers(8, 17), purge=st.lists(st.integers(0, 1), max_size=14))
@some
def test_a_stable_order_that_is_not_ours_survives_small_deletions(sim, rows, page_size, purge):
    """Newest first, and one record at the front goes now and then: the one step back is enough."""
    server = sim.Server(
        table(sim, rows),
        drift=[[("delete", -1)] * number for number in purge],
        arrange=lambda ids, _: ids[::-1],
    )
    handed, _ = sim.read(server, page_size=page_size)
    assert len(handed) == len(set(handed))
    assert server.persistent <= set(handed) <= server.ever


@given(rows=sizes, page_size=page_sizes, drift=drifts)
@some
def test_another_order_is_complete_or_an_error_when_records_only_go_or_only_come(sim, rows, page_size, drift):
    for kinds in ({"insert"}, {"delete", "purge"}):
        server = sim.Server(table(sim, rows), drift=[[one for one in step if one[0] in kinds] for step in drift])
        try:
            handed, _ = sim.read(server, page_size=page_size, order="other")
        except PaginationError:
            continue
        assert len(handed) == len(set(handed))
        assert server.persistent <= set(handed) <= server.ever


@given(
    rows=st.integers(0, 700),
    caps=st.lists(st.sampled_from([7, 64, 100, 128, 200, 256, 300]), min_size=1, max_size=6),
    page_size=st.integers(301, 1000),
    drift=st.lists(st.lists(changes, max_size=4), max_size=6),
)
@some
def test_a_smaller_maximum_that_grows_and_shrinks_loses_nothing(sim, rows, caps, page_size, drift):
    server = sim.Server(table(sim, rows), cap=lambda number: caps[min(number, len(caps) - 1)], drift=drift)
    handed, report = sim.read(server, page_size=page_size, default_size=7)
    assert handed == sorted(set(handed))
    assert server.persistent <= set(handed) <= server.ever
    assert report.proven


@pytest.mark.parametrize("cap", [3, 64, 100])
def test_every_length_under_a_smaller_maximum_is_read_completely(sim, cap):
    for rows in range(4 * cap + 3):
        server = sim.Server(sim.make_ids(rows), cap=lambda _: cap)
        assert sim.read(server, page_size=1000, default_size=3)[0] == server.ids
        # One request for each stretch, and the one that confirms.
        assert len(server.fetches) <= max(1, -(-(rows - 1) // (cap - 1))) + 1


@pytest.mark.parametrize("page_size", [2, 3, 5, 8, 64, 100])
def test_every_length_is_read_completely_with_the_fewest_requests(sim, page_size):
    for rows in range(3 * page_size + 3):
        server = sim.Server(sim.make_ids(rows))
        assert sim.read(server, page_size=page_size, default_size=64)[0] == server.ids
        full_pages = 0 if rows < page_size else 1 + (rows - page_size) // (page_size - 1)
        confirmed = 1 if rows - full_pages * (page_size - 1) == 64 and page_size == 100 else 0
        assert len(server.fetches) == full_pages + 1 + confirmed


def test_every_single_change_at_every_moment_is_survived(sim):
    """Exhaustive where it is small: each record goes, or one comes at each place, before each request."""
    for page_size in (2, 3, 4, 9):
        for moment in range(6):
            for kind, places in (("delete", range(12)), ("insert", range(1, 48, 2)), ("purge", range(1, 13))):
                for place in places:
                    server = sim.Server(table(sim, 12), drift=[[]] * moment + [[(kind, place)]])
                    handed, report = sim.read(server, page_size=page_size)
                    assert handed == sorted(set(handed))
                    assert server.persistent <= set(handed) <= server.ever
                    assert report.proven
