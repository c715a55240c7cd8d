"""The collector is off inside the blocks, and afterwards as it was."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from typing import TYPE_CHECKING

import pytest

from planhat_orm.wire.garbage import paused_gc

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def collector_on() -> Iterator[None]:
    gc.enable()
    yield
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
