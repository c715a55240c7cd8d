"""One live object per record, held weakly, strongly, or for a minute: without Planhat, on records of its own."""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from planhat_orm.session.identity_map import KEPT_OBJECTS, KEPT_SECONDS, IdentityMap

if TYPE_CHECKING:
    from collections.abc import Mapping


class Meta:
    def __init__(
        self, path: str, *, records: str = "", unique: tuple[str, ...] = (), interned: tuple[str, ...] = ()
    ) -> None:
        self.path = path
        self.records = records or path
        self.unique = unique
        self.interned = interned


class Origin:
    def __init__(self) -> None:
        self.members: list[Any] = []


class Thing:
    _meta: ClassVar[Any] = Meta("things", unique=("externalId",), interned=("owner",))

    def __init__(self, **raw: Any) -> None:
        self._raw: dict[str, Any] = raw
        self.deleted = False

    @classmethod
    def _hydrated(cls, row: dict[str, Any], origin: Any) -> Any:
        return cls(**row)

    def _merge(self, row: dict[str, Any], origin: Any, sent: Mapping[str, Any] | None = None) -> None:
        self._raw = {**self._raw, **row}

    def _merge_twin(self, row: dict[str, Any], origin: Any) -> None:
        self._merge(row, origin)

    def _merge_kin(self, row: dict[str, Any], origin: Any) -> None:
        self._merge({**row, "told by kin": True}, origin)

    def _mark_deleted(self) -> None:
        self.deleted = True


class Gadget(Thing):
    """Another view on the same collection."""


class Other(Thing):
    _meta: ClassVar[Any] = Meta("others")


class Cousin(Thing):
    """The same records by another path."""

    _meta: ClassVar[Any] = Meta("cousins", records="things")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(clock: Clock) -> IdentityMap:
    return IdentityMap(timer=clock)


def adopted(known: IdentityMap, cls: Any = Thing, /, **row: Any) -> Any:
    return known.adopt(cls, [{"_id": "1", **row}], Origin())[0]


# One object per record


def test_a_row_of_a_live_record_refreshes_its_object(known: IdentityMap) -> None:
    first = adopted(known, name="Acme")
    assert adopted(known, name="Acme AB") is first
    assert first._raw["name"] == "Acme AB"


def test_a_record_that_comes_twice_in_one_answer_is_one_object(known: IdentityMap) -> None:
    one, two = known.adopt(Thing, [{"_id": "1", "name": "a"}, {"_id": "1", "name": "b"}], Origin())
    assert one is two
    assert one._raw["name"] == "b"


def test_a_page_of_new_and_live_records_keeps_its_order(known: IdentityMap) -> None:
    live = adopted(known, name="old")
    origin = Origin()
    found = known.adopt(Thing, [{"_id": "0"}, {"_id": "1", "name": "new"}, {"_id": "2"}], origin)
    assert [thing._raw["_id"] for thing in found] == ["0", "1", "2"]
    assert found[1] is live
    assert [member() for member in origin.members] == found


def test_the_objects_of_a_page_know_each_other_weakly(known: IdentityMap) -> None:
    origin = Origin()
    found = known.adopt(Thing, [{"_id": "1"}, {"_id": "2"}], origin)
    del found
    assert [member() for member in origin.members] == [None, None]


def test_classes_over_one_path_have_an_object_each_and_share_rows(known: IdentityMap) -> None:
    thing, gadget = adopted(known, name="a"), adopted(known, Gadget, name="b")
    assert thing is not gadget
    assert thing._raw["name"] == "b"
    adopted(known, name="c")
    assert gadget._raw["name"] == "c"
    assert thing._raw is not gadget._raw


def test_a_row_is_merged_once_into_each_object(known: IdentityMap) -> None:
    class Counting(Thing):
        merged = 0

        def _merge(self, row: dict[str, Any], origin: Any, sent: Mapping[str, Any] | None = None) -> None:
            self.merged += 1

    thing, gadget = adopted(known, Counting), adopted(known, Gadget)
    adopted(known, Counting)
    assert (thing.merged, gadget._raw) == (2, {"_id": "1"})


def test_a_row_reaches_the_classes_that_have_the_record_by_another_path(known: IdentityMap) -> None:
    thing, cousin = adopted(known, name="a"), adopted(known, Cousin, name="b")
    assert thing is not cousin
    assert thing._raw == {"_id": "1", "name": "b", "told by kin": True}
    assert cousin._raw == {"_id": "1", "name": "b"}
    known.refresh(Thing, [{"_id": "1", "name": "c"}], Origin())
    assert (thing._raw["name"], cousin._raw["name"]) == ("c", "c")
    assert cousin._raw["told by kin"] is True


def test_a_save_by_one_path_reaches_the_other(known: IdentityMap) -> None:
    thing, cousin = adopted(known, name="a"), adopted(known, Cousin)
    cousin._raw = {"_id": "1", "name": "saved"}
    known.saved(cousin, Origin(), dirty=False)
    assert thing._raw["name"] == "saved"


def test_a_delete_by_one_path_reaches_the_other(known: IdentityMap) -> None:
    thing, cousin = adopted(known), adopted(known, Cousin)
    known.discard(cousin)
    assert (thing.deleted, known.find(Thing, "1"), len(known)) == (True, None, 0)


def test_classes_over_other_paths_are_left_alone(known: IdentityMap) -> None:
    other = adopted(known, Other, name="a")
    adopted(known, name="b")
    assert other._raw["name"] == "a"


def test_a_refresh_reaches_all_classes_and_makes_no_objects(known: IdentityMap) -> None:
    gadget = adopted(known, Gadget)
    known.refresh(Thing, [{"_id": "1", "name": "new"}, {"_id": "2", "name": "not live"}], Origin())
    assert gadget._raw["name"] == "new"
    assert len(known) == 1


def test_texts_that_repeat_are_shared(known: IdentityMap) -> None:
    rows = [{"_id": str(number), "owner": "".join(["ki", "m"])} for number in range(2)]
    one, two = known.adopt(Thing, rows, Origin())
    assert one._raw["owner"] is two._raw["owner"]


# Weak, and what is left behind


def test_an_object_that_nobody_holds_goes_with_its_entry(known: IdentityMap) -> None:
    thing = adopted(known)
    assert len(known) == 1
    del thing
    assert known.find(Thing, "1") is None
    assert len(known) == 0


def test_entries_do_not_pile_up_while_pages_come_and_go(known: IdentityMap) -> None:
    for page in range(20):
        known.adopt(Thing, [{"_id": f"{page}-{number}"} for number in range(50)], Origin())
        table = known._tables["things"][Thing]
        assert len(table.refs) <= 50
    adopted(known, Other)
    assert len(table.refs) == 0
    assert not table._gone


def test_an_object_that_died_does_not_take_the_entry_of_the_next_one(known: IdentityMap) -> None:
    thing = adopted(known)
    del thing
    # Its entry is still to be taken out; the new object's is not.
    second = adopted(known)
    third = known.adopt(Thing, [{"_id": "2"}], Origin())
    assert known.find(Thing, "1") is second
    assert len(known) == 1 + len(third)


def test_an_entry_made_before_the_old_one_was_taken_out_stays(known: IdentityMap) -> None:
    thing = adopted(known)
    del thing
    second = Thing(_id="1")
    known.keep(second)
    assert len(known) == 1
    assert known.find(Thing, "1") is second


def test_objects_may_be_collected_while_a_page_is_adopted(known: IdentityMap) -> None:
    class Cyclic(Thing):
        def __init__(self, **raw: Any) -> None:
            super().__init__(**raw)
            self.me = self

    rows = [{"_id": str(number)} for number in range(300)]
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(5):
            found = known.adopt(Cyclic, [dict(row) for row in rows], Origin())
            mixed = known.adopt(Cyclic, [dict(row) for row in rows[::-1]], Origin())
            assert mixed[::-1] == found
            assert len(known) == 300
            del found[::2], mixed
    finally:
        gc.set_threshold(*before)
    del found
    gc.collect()
    assert len(known) == 0


# Kept for a minute


def test_what_came_by_a_key_is_kept_for_a_minute(known: IdentityMap, clock: Clock) -> None:
    known.keep(adopted(known, externalId="acme"))
    clock.now = KEPT_SECONDS - 1
    assert known.recent(Thing, "_id", "1") is known.find(Thing, "1") is not None
    assert known.recent(Thing, "externalId", "acme") is known.find(Thing, "1")
    clock.now = KEPT_SECONDS + 1
    assert known.recent(Thing, "_id", "1") is None
    assert known.recent(Thing, "externalId", "acme") is None


def test_an_object_that_is_no_longer_kept_is_still_the_only_one(known: IdentityMap, clock: Clock) -> None:
    thing = adopted(known)
    known.keep(thing)
    clock.now = KEPT_SECONDS + 1
    assert known.recent(Thing, "_id", "1") is None
    assert adopted(known) is thing


def test_eviction_of_the_oldest_never_makes_a_second_object(known: IdentityMap) -> None:
    things = known.adopt(Thing, [{"_id": str(number)} for number in range(KEPT_OBJECTS + 5)], Origin())
    for thing in things:
        known.keep(thing)
    assert len(known._kept) == KEPT_OBJECTS
    assert known.recent(Thing, "_id", "0") is None
    again = known.adopt(Thing, [{"_id": "0"}], Origin())
    assert again[0] is things[0]


def test_keys_that_are_not_unique_are_no_aliases(known: IdentityMap) -> None:
    known.keep(adopted(known, Other, externalId="acme"))
    assert known.recent(Other, "externalId", "acme") is None
    assert known.recent(Other, "_id", "1") is not None


@pytest.mark.parametrize("value", [None, "", 7])
def test_a_key_without_a_text_is_no_alias(known: IdentityMap, value: Any) -> None:
    known.keep(adopted(known, externalId=value))
    assert len(known._aliases) == 0


def test_an_alias_that_the_record_no_longer_has_finds_nothing(known: IdentityMap) -> None:
    thing = adopted(known, externalId="acme")
    known.keep(thing)
    adopted(known, externalId="acme-2")
    assert known.recent(Thing, "externalId", "acme") is None


def test_an_alias_is_of_one_class(known: IdentityMap) -> None:
    known.keep(adopted(known, externalId="acme"))
    assert known.recent(Gadget, "externalId", "acme") is None


# Strong while dirty


def test_a_dirty_object_outlives_its_holders(known: IdentityMap) -> None:
    thing = adopted(known, name="Acme")
    thing.mark = "changed"
    known.hold(thing)
    del thing
    gc.collect()
    assert adopted(known).mark == "changed"


def test_a_released_object_may_go(known: IdentityMap) -> None:
    thing = adopted(known)
    known.hold(thing)
    known.release(thing)
    del thing
    assert known.find(Thing, "1") is None


def test_a_saved_object_is_clean_kept_and_known_to_the_other_classes(known: IdentityMap) -> None:
    gadget, thing = adopted(known, Gadget, name="a"), adopted(known, name="a")
    known.hold(thing)
    thing._raw = {"_id": "1", "name": "b", "externalId": "acme"}
    known.saved(thing, Origin(), dirty=False)
    assert gadget._raw["name"] == "b"
    assert not known._dirty
    assert known.recent(Thing, "externalId", "acme") is thing


def test_a_saved_object_with_new_changes_stays_held(known: IdentityMap) -> None:
    thing = adopted(known)
    known.hold(thing)
    known.saved(thing, Origin(), dirty=True)
    assert list(known._dirty.values()) == [thing]


def test_a_created_object_is_the_one_of_its_record(known: IdentityMap) -> None:
    thing = Thing(_id="1", name="new")
    known.saved(thing, Origin(), dirty=False)
    assert adopted(known) is thing


# A second object from outside


def test_an_unpickled_object_does_not_take_the_place_of_the_live_one(known: IdentityMap) -> None:
    live, twin = adopted(known, name="a"), Thing(_id="1", name="b")
    known.hold(twin)
    known.saved(twin, Origin(), dirty=False)
    assert known.find(Thing, "1") is live
    assert live._raw["name"] == "b"
    assert known.recent(Thing, "_id", "1") is None
    assert not known._dirty


def test_what_a_twin_lets_go_of_stays_held(known: IdentityMap) -> None:
    live, twin = adopted(known), Thing(_id="1")
    known.hold(live)
    known.release(twin)
    assert list(known._dirty.values()) == [live]


# Deleted


def test_a_deleted_record_is_let_go_of_by_all_classes(known: IdentityMap) -> None:
    thing, gadget = adopted(known, externalId="acme"), adopted(known, Gadget)
    known.keep(thing)
    known.hold(gadget)
    known.discard(thing)
    assert thing.deleted
    assert gadget.deleted
    assert known.recent(Thing, "externalId", "acme") is None
    assert (len(known), len(known._dirty)) == (0, 0)
    known.hold(thing)
    assert not known._dirty


# One request in flight


def test_one_thread_at_a_time_asks_for_a_key(known: IdentityMap) -> None:
    inside, most = 0, 0
    start = threading.Barrier(8)

    def ask() -> None:
        nonlocal inside, most
        start.wait()
        for _ in range(50):
            with known.flight("things", "1"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    run_all(ask, 8)
    assert most == 1
    assert known._flights == {}


def test_other_keys_do_not_wait(known: IdentityMap) -> None:
    with known.flight("things", "1"):
        done = threading.Event()

        def other() -> None:
            with known.flight("things", "2"):
                done.set()

        run_all(other, 1)
        assert done.is_set()


def test_a_flight_inside_its_own_does_not_wait_for_itself(known: IdentityMap) -> None:
    with known.flight("things", "1"), known.flight("things", "1"):
        assert len(known._flights) == 1
    assert known._flights == {}


def test_a_flight_that_fails_lets_the_next_one_go(known: IdentityMap) -> None:
    with pytest.raises(ZeroDivisionError), known.flight("1"):
        raise ZeroDivisionError
    with known.flight("1"):
        assert len(known._flights) == 1


# Threads


def test_threads_that_adopt_and_let_go_never_see_two_objects(known: IdentityMap) -> None:
    rows = [{"_id": str(number)} for number in range(40)]
    wrong: list[str] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work() -> None:
        for turn in range(120):
            part = rows[turn % 3 :: 3]
            mine = known.adopt(Thing, [dict(row) for row in part], Origin())
            wrong.extend(thing._raw["_id"] for thing in mine if known.find(Thing, thing._raw["_id"]) is not thing)
            del mine

    try:
        run_all(work, 8)
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
    gc.collect()
    assert len(known) == 0


def run_all(work: Any, count: int) -> None:
    problems: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=guarded, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert problems == []
