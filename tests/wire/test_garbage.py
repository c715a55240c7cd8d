"""The collector is off inside the blocks, and afterwards as it was."""

from __future__ import annotations

import gc
import os
import threading
import warnings
import weakref
from typing import TYPE_CHECKING

import pytest

from planhat_orm.wire.garbage import paused_gc

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def collector_on() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.enable()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()


def test_blocks_nest():
    with paused_gc():
        with paused_gc():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_ends_the_pause():
    with pytest.raises(RuntimeError), paused_gc():
        raise RuntimeError
    assert gc.isenabled()


def test_a_program_without_the_collector_stays_without():
    gc.disable()
    with paused_gc():
        pass
    assert not gc.isenabled()


def test_the_last_thread_to_leave_turns_it_on():
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with paused_gc():
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(5)
    with paused_gc():
        pass
    held = gc.isenabled()
    leave.set()
    thread.join()
    assert (held, gc.isenabled()) == (False, True)


def test_many_threads_leave_it_as_it_was():
    seen = []

    def parse():
        for _ in range(200):
            with paused_gc():
                seen.append(gc.isenabled())

    threads = [threading.Thread(target=parse) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(seen)
    assert gc.isenabled()


def test_a_child_process_forked_in_a_block_has_the_collector_on():
    with paused_gc(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other tests may have left threads
        child = os.fork()
        if not child:
            os._exit(0 if gc.isenabled() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert gc.isenabled()


def young_after(made: int) -> int:
    """Make so many containers in a pause, keep them, and return how many count as young afterwards."""
    gc.collect()
    with paused_gc():
        kept = [[number] for number in range(made)]
        gc.set_threshold(0)  # no collection between the end of the pause and the count
    young = gc.get_count()[0]
    assert len(kept) == made
    return young


def test_what_a_large_page_made_is_not_walked_as_young():
    assert young_after(50_000) < 1_000


def test_what_a_small_answer_made_takes_its_usual_way():
    assert young_after(400) >= 400


def test_objects_that_a_program_froze_stay_frozen():
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with paused_gc():
            kept = [[number] for number in range(50_000)]
        assert gc.get_freeze_count() >= frozen - len(kept) // 10
    finally:
        gc.unfreeze()


def test_a_cycle_that_became_garbage_before_a_large_page_is_found_by_a_full_collection():
    class Node:
        pass

    node = Node()
    node.self = node
    gone = weakref.ref(node)
    del node
    with paused_gc():
        kept = [[number] for number in range(50_000)]
    gc.collect()
    assert gone() is None
    assert kept
