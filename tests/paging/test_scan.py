"""The scan, sentence by sentence: which pages it asks for, and what it hands out."""

from __future__ import annotations

import weakref

import pytest

from planhat_orm.errors import PaginationError
from planhat_orm.paging import TOO_SLOW, Fetch, Rows, ScanReport, scan

# Pages.


@pytest.mark.parametrize(
    ("rows", "page_size", "requests"),
    [
        (0, 5000, 1),
        (1, 5000, 1),
        (4999, 5000, 1),
        (5000, 5000, 2),
        (12_000, 5000, 3),
        (50_000, 5000, 11),
        (30_000, 2000, 16),
    ],
)
def test_an_undisturbed_list_costs_the_fewest_requests(sim, rows, page_size, requests):
    server = sim.Server(sim.make_ids(rows))
    handed, report = sim.read(server, page_size=page_size)
    assert handed == server.ids
    assert len(server.fetches) == requests
    assert (report.rows, report.pages, report.duplicates, report.repairs) == (rows, requests, 0, 0)
    assert report.proven
    assert report.bookmark == (server.ids[-1] if rows else None)


def test_the_next_page_starts_one_row_early(sim):
    server = sim.Server(sim.make_ids(25))
    assert sim.read(server)[0] == server.ids
    assert server.asked == [(0, 10), (9, 10), (18, 10)]


def test_a_page_size_of_one_is_read_as_two(sim):
    server = sim.Server(sim.make_ids(3))
    assert sim.read(server, page_size=1)[0] == server.ids
    assert server.asked == [(0, 2), (1, 2), (2, 2)]


def test_only_greater_ids_are_handed_out(sim):
    inserted_in_front = [("insert", 1), ("insert", 3)]
    server = sim.Server(sim.make_ids(range(0, 40, 2)), drift=[[], inserted_in_front])
    handed, report = sim.read(server)
    assert handed == sim.make_ids(range(0, 40, 2))
    assert server.asked == [(0, 10), (9, 10), (18, 10)]
    # Offset 9 now shows two more old rows in front of the overlapping one.
    assert (report.duplicates, report.repairs, report.proven) == (2, 0, True)


# Not covered: stepping back.


def test_an_uncovered_page_is_asked_for_again_an_eighth_earlier(sim):
    server = sim.Server(sim.make_ids(200), drift=[[], [("purge", 3)]])
    handed, report = sim.read(server, page_size=80)
    assert handed == sim.make_ids(200)
    assert server.asked == [(0, 80), (79, 80), (69, 80), (148, 80)]
    assert (report.repairs, report.proven) == (1, True)


def test_the_step_back_doubles_until_a_page_is_covered(sim):
    server = sim.Server(sim.make_ids(400), drift=[[], [], [("purge", 60)]])
    handed, report = sim.read(server, page_size=80)
    assert handed == sim.make_ids(400)
    assert server.asked[:5] == [(0, 80), (79, 80), (158, 80), (148, 80), (128, 80)]
    assert server.asked[5] == (88, 80)
    assert (report.repairs, report.proven) == (3, True)


def test_a_deleted_last_record_alone_is_stepped_back_for(sim):
    # It cannot be told from a deletion of several records, of which one was never seen.
    server = sim.Server(sim.make_ids(30), drift=[[], [("delete", 9)]])
    assert sim.read(server)[0] == sim.make_ids(30)
    assert server.asked == [(0, 10), (9, 10), (8, 10), (17, 10), (26, 10)]


def test_an_empty_page_at_an_offset_above_0_is_stepped_back_from(sim):
    server = sim.Server(sim.make_ids(20), drift=[[], [("purge", 15)]])
    handed, report = sim.read(server)
    assert handed == sim.make_ids([*range(10), *range(15, 20)])
    assert server.asked == [(0, 10), (9, 10), (8, 10), (6, 10), (2, 10), (0, 10)]
    assert report.proven


def test_a_list_that_vanished_ends_at_offset_0(sim):
    server = sim.Server(sim.make_ids(20), drift=[[], [("purge", 20)]])
    handed, report = sim.read(server)
    assert handed == sim.make_ids(10)
    assert server.asked == [(0, 10), (9, 10), (8, 10), (6, 10), (2, 10), (0, 10)]
    assert report.proven


def test_a_step_too_far_back_is_halved_instead_of_read_again(sim):
    purged = [[] for _ in range(101)]
    purged[100] = [("purge", 520)]
    server = sim.Server(sim.make_ids(2000), drift=purged)
    handed, report = sim.read(server, page_size=11)
    assert handed == sim.make_ids(2000)
    assert report.proven
    # 2,000 rows at ten new ones a page are 200 pages; the steps back went too far by forty more.
    assert len(server.fetches) == 200 + 16


def test_every_repair_begins_with_an_eighth(sim):
    changes = [[] for _ in range(140)]
    changes[100], changes[130] = [("purge", 520)], [("purge", 1)]
    server = sim.Server(sim.make_ids(2000), drift=changes)
    handed, _ = sim.read(server, page_size=11)
    assert handed == sim.make_ids(2000)
    place = server.asked[130][0]
    assert server.asked[129:133] == [(place - 10, 11), (place, 11), (place - 1, 11), (place + 9, 11)]
    assert len(server.fetches) == 200 + 16 + 1


def test_any_number_of_repairs_is_fine_as_long_as_each_brings_news(sim):
    server = sim.Server(sim.make_ids(1600), drift=[[]] + [[("purge", 1)]] * 199)
    handed, report = sim.read(server, page_size=9)
    assert handed == sim.make_ids(1600)
    assert report.repairs >= 65
    assert report.proven


def test_an_empty_window_start_is_the_end_not_a_gap(sim):
    server = sim.Server(sim.make_ids(5))
    assert sim.read(server, start=50)[0] == []
    assert server.asked == [(50, 10)]


# The end.


@pytest.mark.parametrize("rows", [30, 64, 100, 128, 200, 256, 300, 1000, 1024, 2048])
def test_a_short_page_of_a_suspicious_length_is_confirmed_by_one_more_request(sim, rows):
    server = sim.Server(sim.make_ids(rows))
    assert sim.read(server, page_size=5000, default_size=30)[0] == server.ids
    assert server.asked == [(0, 5000), (rows - 1, 5000)]


@pytest.mark.parametrize("rows", [1, 2, 29, 31, 32, 63, 65, 99, 101, 127, 150, 1023])
def test_a_short_page_of_another_length_ends_the_scan(sim, rows):
    server = sim.Server(sim.make_ids(rows))
    assert sim.read(server, page_size=5000, default_size=30)[0] == server.ids
    assert server.asked == [(0, 5000)]


def test_a_suspicious_length_is_confirmed_after_a_longer_page_too(sim):
    """A server under load may lower its maximum meanwhile."""
    server = sim.Server(sim.make_ids(149 + 100))
    assert sim.read(server, page_size=150)[0] == server.ids
    assert server.asked == [(0, 150), (149, 150), (248, 150)]


def test_a_smaller_maximum_of_the_server_becomes_the_page_size(sim):
    server = sim.Server(sim.make_ids(450), cap=lambda _: 100)
    handed, report = sim.read(server, page_size=5000)
    assert handed == server.ids
    assert server.asked == [(0, 5000), (99, 5000), (198, 100), (297, 100), (396, 100)]
    assert report.proven


def test_the_default_size_of_the_endpoint_counts_as_a_maximum(sim):
    server = sim.Server(sim.make_ids(70), cap=lambda _: 30)
    assert sim.read(server, page_size=2000, default_size=30)[0] == server.ids
    assert server.asked == [(0, 2000), (29, 2000), (58, 30)]


def test_rows_that_appear_before_the_confirmation_are_no_maximum(sim):
    server = sim.Server(sim.make_ids(100), drift=[[], [("insert", number) for number in range(100, 850)]])
    assert sim.read(server, page_size=500)[0] == sim.make_ids(850)
    assert server.asked == [(0, 500), (99, 500), (598, 500)]


def test_a_confirmation_that_is_not_covered_is_stepped_back_for(sim):
    changes = [("purge", 20), ("insert", 500)]
    server = sim.Server(sim.make_ids(100), drift=[[], changes])
    assert sim.read(server, page_size=800)[0] == [*sim.make_ids(100), sim.make_id(500)]
    assert server.asked == [(0, 800), (99, 800), (0, 800)]


# The order is not honoured.


def test_ids_that_do_not_ascend_mean_overlap_and_dedupe_only(sim):
    server = sim.Server(sim.make_ids(25), arrange=lambda ids, _: ids[::-1])
    handed, report = sim.read(server)
    assert handed == server.ids[::-1]
    assert server.asked == [(0, 10), (9, 10), (18, 10)]
    assert not report.proven
    assert report.bookmark is None


def test_an_order_that_breaks_late_loses_nothing_and_repeats_nothing(sim):
    shuffled = sim.make_ids([*range(10, 30), 3, 40, 2, 1, 50])
    server = sim.Server(shuffled)
    handed, report = sim.read(server)
    assert handed == shuffled
    assert not report.proven


def test_ids_handed_out_before_the_order_broke_are_remembered(sim):
    front, behind = sim.make_ids(range(10, 19)), sim.make_ids([30, 4, 31])
    server = sim.Server([*front, *behind])
    # Nine rows slide in between: the second page shows the whole first one once more.
    server.arrange = lambda ids, number: ids if number == 0 else [*sim.make_ids(range(50, 59)), *ids]
    handed, report = sim.read(server)
    assert sorted(handed) == sorted({*handed})
    assert set(handed) == {*front, *behind}
    assert not report.proven


def test_one_complete_page_is_proven_in_any_order(sim):
    server = sim.Server(sim.make_ids(9), arrange=lambda ids, _: ids[::-1])
    handed, report = sim.read(server)
    assert handed == server.ids[::-1]
    assert report.proven
    assert sim.read(sim.Server(sim.make_ids(9)), order="other")[1].proven


def test_without_an_order_a_page_that_does_not_join_is_asked_for_once_more(sim):
    server = sim.Server(sim.make_ids(200), arrange=lambda ids, _: ids[::-1])
    server.drift = [[], [("delete", -1), ("delete", -2)]]
    handed, report = sim.read(server, page_size=80)
    assert set(handed) >= server.persistent
    assert server.asked == [(0, 80), (79, 80), (69, 80), (148, 80)]
    assert not report.proven


def test_without_an_order_one_step_back_has_to_do(sim):
    server = sim.Server(sim.make_ids(200), arrange=lambda ids, _: ids[::-1])
    server.drift = [[], [("delete", -1)] * 20]
    handed, report = sim.read(server, page_size=80)
    # Twenty rows slid away, ten were stepped back for besides the overlapping one: nine are lost, and said to be.
    assert len(handed) == len(set(handed)) == 191
    assert server.asked == [(0, 80), (79, 80), (69, 80), (148, 80)]
    assert (report.repairs, report.proven) == (1, False)


def test_the_bookmark_is_withdrawn_when_the_order_breaks(sim):
    ids = sim.make_ids(range(10, 20))
    server = sim.Server(ids, arrange=lambda ids, number: ids if number == 0 else [*ids, ids[4], ids[2]])
    handed, report = sim.read(server)
    assert handed == ids
    assert server.asked == [(0, 10), (9, 10)]
    assert report.bookmark is None
    assert not report.proven


def test_an_id_repeated_within_a_page_is_handed_out_once(sim):
    doubled = sim.make_ids([1, 2, 2, 3])
    handed, report = sim.read(sim.Server(doubled))
    assert handed == sim.make_ids([1, 2, 3])
    assert (report.rows, report.duplicates, report.proven) == (3, 1, True)
    assert sim.read(sim.Server(doubled), order="other")[0] == sim.make_ids([1, 2, 3])


# Another order.


def test_another_order_overlaps_by_one_row(sim):
    server = sim.Server(sim.make_ids(25), arrange=lambda ids, _: ids[::-1])
    handed, report = sim.read(server, order="other")
    assert handed == server.ids[::-1]
    assert server.asked == [(0, 10), (9, 10), (18, 10)]
    assert (report.duplicates, report.proven, report.bookmark) == (0, False, None)


@pytest.mark.parametrize(
    "changes",
    [[("insert", 1)], [("delete", 0)], [("delete", 9)], [("purge", 40)]],
    ids=["in", "out", "last out", "all out"],
)
def test_another_order_that_moved_is_an_error(sim, changes):
    server = sim.Server(sim.make_ids(range(0, 80, 2)), drift=[[], changes])
    with pytest.raises(PaginationError, match=r"at offset 9 was 0{22}12 and is now"):
        sim.read(server, order="other")


def test_another_order_with_a_repeated_id_is_an_error(sim):
    ids = sim.make_ids(25)
    server = sim.Server([*ids[:12], ids[4], *ids[12:]])
    with pytest.raises(PaginationError, match=r"0{23}4 at offset 12 was on an earlier page"):
        sim.read(server, order="other")


# Never a loop.


def test_three_full_pages_without_a_new_id_are_an_error(sim):
    server = sim.Server(sim.make_ids(25), ignores_offset=True)
    with pytest.raises(PaginationError, match=r"ignores the offset.*10 records were read"):
        sim.read(server)
    assert server.asked == [(0, 10), (9, 10), (18, 10), (27, 10)]


def test_a_server_that_ignores_order_and_offset_is_an_error_too(sim):
    server = sim.Server(sim.make_ids(25), ignores_offset=True, arrange=lambda ids, _: ids[::-1])
    with pytest.raises(PaginationError, match="ignores the offset"):
        sim.read(server)
    assert len(server.fetches) == 4


def test_two_full_pages_of_old_rows_are_read_past(sim):
    inserted = [("insert", number) for number in range(18)]
    server = sim.Server(sim.make_ids(range(100, 125)), drift=[[], inserted])
    handed, report = sim.read(server)
    assert handed == sim.make_ids(range(100, 125))
    assert (report.proven, report.repairs) == (True, 0)


def test_full_pages_without_a_new_id_count_only_in_a_row(sim):
    drift: list[list[tuple[str, int]]] = [[]]
    for burst in range(4):
        drift += [[("insert", 20 * burst + number) for number in range(9)], []]
    server = sim.Server(sim.make_ids(range(100, 160)), drift=drift)
    handed, report = sim.read(server)
    assert handed == sim.make_ids(range(100, 160))
    assert (report.duplicates, report.repairs) == (4 * 9, 0)


@pytest.mark.parametrize("offset", [10**3, 10**6, 10**30])
def test_a_list_that_never_rests_is_an_error(sim, offset):
    """Wherever the scan looks, the last id stands before the page; at the front it stands behind it."""
    old, beyond = [{"_id": one} for one in sim.make_ids(10)], [{"_id": one} for one in sim.make_ids(range(20, 30))]
    engine = scan(page_size=10, default_size=100, order="id", start=offset)
    next(engine)
    assert engine.send(old) == Rows(old)
    asked = []

    def go_on() -> None:
        step = next(engine)
        while isinstance(step, Fetch):
            asked.append(step)
            step = engine.send(beyond if step.offset else old)

    with pytest.raises(PaginationError, match="brought no record after"):
        go_on()
    assert len(asked) <= 64


# More rows than asked for.


def test_more_rows_than_asked_for_are_accepted(sim):
    server = sim.Server(sim.make_ids(25), ignores_limit=True)
    handed, report = sim.read(server)
    assert handed == server.ids
    assert server.asked == [(0, 10), (24, 10)]
    assert report.proven


def test_more_rows_than_asked_for_do_not_leave_the_window(sim):
    server = sim.Server(sim.make_ids(25), ignores_limit=True)
    assert sim.read(server, start=2, stop=5)[0] == server.ids[2:5]
    assert server.asked == [(2, 3)]


# Too slow.


def test_a_page_too_slow_is_asked_for_again_at_half_the_size(sim):
    server = sim.Server(sim.make_ids(25), slow=frozenset({1, 2}))
    handed, report = sim.read(server, page_size=16)
    assert handed == server.ids
    assert server.asked == [(0, 16), (15, 16), (15, 8), (15, 4), (18, 4), (21, 4), (24, 4)]
    assert report.proven


def test_a_page_too_slow_at_the_smallest_size_is_an_error(sim):
    server = sim.Server(sim.make_ids(25), slow=frozenset(range(9)))
    with pytest.raises(PaginationError, match="2 rows at offset 0 is still too slow"):
        sim.read(server)
    assert server.asked == [(0, 10), (0, 5), (0, 2)]


# Windows.


def test_a_zero_length_window_costs_nothing(sim):
    server = sim.Server(sim.make_ids(25))
    assert sim.read(server, start=7, stop=7)[0] == []
    assert sim.read(server, start=7, stop=3)[0] == []
    assert server.fetches == []


def test_nothing_is_fetched_beyond_stop(sim):
    server = sim.Server(sim.make_ids(100))
    assert sim.read(server, start=5, stop=27)[0] == server.ids[5:27]
    assert server.asked == [(5, 10), (14, 10), (23, 4)]


def test_a_window_within_a_page_is_one_request(sim):
    server = sim.Server(sim.make_ids(100))
    assert sim.read(server, stop=10)[0] == server.ids[:10]
    assert server.asked == [(0, 10)]


def test_the_rest_of_a_window_that_moved_away_is_looked_for_in_whole_pages(sim):
    inserted = [("insert", number) for number in range(5)]
    server = sim.Server(sim.make_ids(range(100, 150)), drift=[[], inserted])
    handed, report = sim.read(server, stop=12)
    assert handed == sim.make_ids(range(100, 112))
    assert server.asked == [(0, 10), (9, 3), (11, 10)]
    assert report.proven


def test_a_window_is_counted_in_rows_handed_out(sim):
    server = sim.Server(sim.make_ids(range(0, 100, 2)), drift=[[], [("insert", 1), ("insert", 3), ("insert", 5)]])
    handed, report = sim.read(server, stop=12)
    assert handed == sim.make_ids(range(0, 24, 2))
    assert report.proven


@pytest.mark.parametrize("order", ["id", "other"])
def test_windows_equal_slices(sim, order):
    for rows in range(14):
        for start in range(14):
            for stop in [None, *range(16)]:
                server = sim.Server(sim.make_ids(rows))
                assert sim.read(server, page_size=4, start=start, stop=stop, order=order)[0] == server.ids[start:stop]
                assert all(stop is None or fetch.offset + fetch.limit <= stop for fetch in server.fetches)


# What it refuses.


@pytest.mark.parametrize("row", [{"name": "Acme"}, {"_id": None}, {"_id": 7}, {"_id": ""}, {"_id": {"$oid": "x"}}])
def test_a_row_without_an_id_text_is_an_error_that_names_its_offset(row):
    engine = scan(page_size=10, default_size=100, order="id", start=20)
    next(engine)
    with pytest.raises(PaginationError, match="row at offset 21 has"):
        engine.send([{"_id": "a"}, row])


@pytest.mark.parametrize("arguments", [{"page_size": 0}, {"start": -1}, {"stop": -2}])
def test_senseless_arguments_are_refused_at_the_call(arguments):
    with pytest.raises(ValueError, match="at least"):
        scan(**{"page_size": 10, "default_size": 100, "order": "id", **arguments})


def test_a_fetch_must_be_answered(sim):
    engine = scan(page_size=10, default_size=100, order="id")
    next(engine)
    with pytest.raises(TypeError, match="must be answered by its page"):
        next(engine)


# The protocol.


def test_the_protocol_step_by_step(sim):
    rows = [{"_id": one} for one in sim.make_ids(5)]
    report = ScanReport()
    engine = scan(page_size=4, default_size=100, order="id", report=report)
    assert report == ScanReport(rows=0, pages=0, duplicates=0, repairs=0, proven=True, bookmark=None)
    assert next(engine) == Fetch(0, 4)
    assert engine.send(rows[:4]) == Rows(rows[:4])
    assert report == ScanReport(rows=4, pages=1, bookmark=rows[3]["_id"])
    assert next(engine) == Fetch(3, 4)
    assert engine.send(TOO_SLOW) == Fetch(3, 2)
    assert engine.send(rows[3:5]) == Rows(rows[4:])
    assert next(engine) == Fetch(4, 2)
    with pytest.raises(StopIteration):
        engine.send(rows[4:])


def test_the_rows_handed_out_are_the_rows_received(sim):
    row = {"_id": sim.make_id(1), "name": "Acme"}
    engine = scan(page_size=4, default_size=100, order="id")
    next(engine)
    step = engine.send([row])
    assert isinstance(step, Rows)
    assert step.rows[0] is row


def test_a_page_is_let_go_before_the_next_one_is_fetched(sim):
    class Row(dict):  # a plain dict takes no weak reference
        pass

    page = [Row(_id=one) for one in sim.make_ids(4)]
    watched = [weakref.ref(row) for row in page]
    engine = scan(page_size=4, default_size=100, order="id")
    next(engine)
    step = engine.send(page)
    assert isinstance(step, Rows)
    del page, step
    assert next(engine) == Fetch(3, 4)
    assert [reference() for reference in watched] == [None] * 4


# Without any order to ask for


def test_where_no_order_can_be_asked_for_pages_overlap_and_nothing_is_proven(sim):
    server = sim.Server(sim.make_ids([5, 1, 4, 2, 3, 9, 7]))
    handed, report = sim.read(server, order="none", page_size=4)
    assert sorted(handed) == sim.make_ids([1, 2, 3, 4, 5, 7, 9])
    assert (report.pages, report.proven, report.bookmark) == (3, False, None)
    assert sim.read(sim.Server(sim.make_ids(3)), order="none")[1].proven, "one page is one moment"


def test_where_no_order_can_be_asked_for_ids_that_ascend_prove_nothing(sim):
    assert not sim.read(sim.Server(sim.make_ids(9)), order="none", page_size=4)[1].proven
