from __future__ import annotations

import threading

from planhat_orm.wire.callbacks import Callbacks


def test_callbacks_come_in_the_order_they_were_added() -> None:
    callbacks: Callbacks[str] = Callbacks()
    for name in ("first", "second"):
        callbacks.add(name)

    assert list(callbacks) == ["first", "second"]


def test_what_was_added_twice_is_taken_out_once() -> None:
    callbacks: Callbacks[str] = Callbacks()
    callbacks.add("same")
    remove = callbacks.add("same")

    remove()
    remove()

    assert list(callbacks) == ["same"]


def test_iterating_is_not_disturbed_by_a_callback_that_takes_itself_out() -> None:
    callbacks: Callbacks[int] = Callbacks()
    removers = [callbacks.add(number) for number in range(3)]

    seen = []
    for number in callbacks:
        removers[number]()
        seen.append(number)

    assert seen == [0, 1, 2]
    assert list(callbacks) == []


def test_threads_that_add_at_once_lose_none() -> None:
    callbacks: Callbacks[int] = Callbacks()
    threads = [
        threading.Thread(target=lambda start=start: [callbacks.add(start + number) for number in range(200)])
        for start in range(0, 1600, 200)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(callbacks) == list(range(1600))
