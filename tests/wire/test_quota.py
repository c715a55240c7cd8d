"""Quotas on a clock that only sleeping moves: the limits hold in every window, pauses hold everybody."""

from __future__ import annotations

import logging
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planhat_orm.errors import ConfigurationError
from planhat_orm.wire import buckets
from planhat_orm.wire.quota import Quota


class Clock:
    """Time passes by sleeping, and by a little with each look."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        self.now += 0.0001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def most_in_a_window(times: list[float], window: float) -> int:
    times = sorted(times)
    return max(sum(1 for other in times[index:] if other - one < window) for index, one in enumerate(times))


def turns(quota: Quota, clock: Clock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        with quota.permit():
            times.append(clock.now)
    return times


@settings(deadline=None, max_examples=30)  # a busy machine is no failure
@given(st.integers(1, 60), st.integers(1, 40), st.integers(1, 200))
def test_no_window_holds_more_than_the_limits(per_minute, per_second, count):
    clock = Clock()
    quota = Quota(per_minute, per_second, clock=clock, sleep=clock.sleep)
    times = turns(quota, clock, count)
    assert most_in_a_window(times, 60.0) <= per_minute
    assert most_in_a_window(times, 1.0) <= per_second


def test_planhats_limits_are_kept_and_nearly_used_up():
    clock = Clock()
    times = turns(Quota(clock=clock, sleep=clock.sleep), clock, 1001)
    assert most_in_a_window(times, 60.0) == 200
    assert most_in_a_window(times, 1.0) == 150
    assert 1000 / (times[-1] - times[0]) >= 0.95 * 200 / 60


def test_within_the_limits_nobody_waits():
    clock = Clock()
    turns(Quota(clock=clock, sleep=clock.sleep), clock, 150)
    assert clock.sleeps == []


def test_long_waits_are_cut_into_slices_and_said_once(caplog):
    clock = Clock()
    quota = Quota(1, clock=clock, sleep=clock.sleep)
    with caplog.at_level(logging.DEBUG, "planhat_orm.quota"):
        turns(quota, clock, 2)
    assert max(clock.sleeps) <= 1.0
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "1 requests a minute" in warnings[0].getMessage()


def test_short_waits_are_not_worth_a_warning(caplog):
    clock = Clock()
    with caplog.at_level(logging.DEBUG, "planhat_orm.quota"):
        turns(Quota(60, 1, clock=clock, sleep=clock.sleep), clock, 3)
    assert clock.sleeps
    assert not caplog.records


def test_an_interrupt_ends_the_wait_and_frees_the_slot():
    clock = Clock()

    def interrupt(seconds):
        raise KeyboardInterrupt

    quota = Quota(1, parallel=1, clock=clock, sleep=interrupt)
    turns(quota, clock, 1)
    with pytest.raises(KeyboardInterrupt), quota.permit():
        pytest.fail("a turn beyond the limit")
    quota._sleep = clock.sleep
    assert len(turns(quota, clock, 1)) == 1


def test_a_pause_holds_everybody_and_a_longer_one_counts(caplog):
    clock = Clock()
    quota = Quota(clock=clock, sleep=clock.sleep)
    with caplog.at_level(logging.WARNING, "planhat_orm.quota"):
        quota.pause(30.0)
        quota.pause(3.0)
    started = clock.now
    times = turns(quota, clock, 2)
    assert times[0] - started >= 29.9
    assert times[1] - times[0] < 0.1
    assert "all requests wait 30 s" in caplog.text


def test_a_pause_that_begins_while_somebody_waits_holds_them_too():
    clock = Clock()

    def sleep(seconds):
        clock.sleep(seconds)
        if len(clock.sleeps) == 1:
            quota.pause(100.0)

    quota = Quota(1, clock=clock, sleep=sleep)
    first, second = turns(quota, clock, 2)
    assert second - first >= 100.0


def test_no_more_than_so_many_hold_a_permit_at_once():
    quota = Quota(1000, 1000, parallel=3)
    gate, lock = threading.Barrier(3), threading.Lock()
    held, most = [0], [0]

    def work():
        with quota.permit():
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            gate.wait(5)
            with lock:
                held[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (held[0], most[0]) == (0, 3)


def test_a_tenant_has_one_quota_in_the_process(tmp_path):
    quota = Quota().shared("api.planhat.com", "token-one")
    assert Quota().shared("api.planhat.com", "token-one") is quota
    assert quota.shared("api.planhat.com", "token-one") is quota
    others = [
        Quota().shared("api.planhat.com", "token-two"),
        Quota().shared("api-eu3.planhat.com", "token-one"),
        Quota.sqlite(tmp_path / "quota.sqlite").shared("api.planhat.com", "token-one"),
    ]
    assert len({id(one) for one in [quota, *others]}) == 4


def test_other_limits_for_the_same_tenant_hold_for_all_and_are_said(caplog):
    clock = Clock()
    quota = Quota(10, clock=clock, sleep=clock.sleep).shared("api.planhat.com", "token-three")
    turns(quota, clock, 5)
    with caplog.at_level(logging.WARNING, "planhat_orm.quota"):
        assert Quota(5).shared("api.planhat.com", "token-three") is quota
    assert "per_minute=5" in caplog.text
    turns(quota, clock, 1)
    assert sum(clock.sleeps) >= 59.0  # the five turns before count


@pytest.mark.parametrize("limits", [{"per_minute": 0}, {"per_second": -1}, {"parallel": 0}, {"per_minute": 1.5}])
def test_limits_are_whole_numbers_above_nothing(limits):
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        Quota(**limits)


def test_redis_without_its_client_names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(buckets, "import_module", missing)
    with pytest.raises(ConfigurationError, match=r"planhat_orm\[redis\]"):
        Quota.redis("redis://queue.internal")


def test_a_repr_shows_no_password():
    quota = Quota()
    quota._place = ("redis", "redis://:hunter2@queue.internal")
    assert "hunter2" not in repr(quota)
    assert repr(Quota.sqlite("q.sqlite", parallel=3)).endswith("parallel=3)")


def test_a_slot_is_waited_for():
    quota = Quota(parallel=1)
    entered = threading.Event()

    def work():
        with quota.permit():
            entered.set()

    thread = threading.Thread(target=work)
    with quota.permit():
        thread.start()
        assert not entered.wait(0.02)
    thread.join(5)
    assert entered.is_set()
