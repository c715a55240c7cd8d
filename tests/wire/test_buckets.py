"""Buckets shared by threads, processes and machines: a turn is taken by one alone."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from pyrate_limiter import Rate

from planhat_orm.errors import ConfigurationError
from planhat_orm.wire.buckets import MemoryBucket, RedisBucket, SqliteBucket
from planhat_orm.wire.quota import Quota

LIMIT, WINDOW = 5, 40  # turns, milliseconds


def most_in_a_window(stamps: list[int]) -> int:
    stamps = sorted(stamps)
    return max(sum(1 for other in stamps[index:] if other - one <= WINDOW) for index, one in enumerate(stamps))


class Stamping:
    """A clock that remembers what it said last: the stamp of the turn that was just taken."""

    def __init__(self) -> None:
        self.said = threading.local()

    def __call__(self) -> float:
        self.said.now = time.monotonic()
        return self.said.now

    @property
    def stamp(self) -> int:
        return int(self.said.now * 1000)


def taken(bucket, clock, count: int) -> list[int]:
    stamps: list[int] = []
    while len(stamps) < count:
        wait = bucket.take()
        if wait:
            time.sleep(wait)
        else:
            stamps.append(clock.stamp)
    return stamps


def in_threads(bucket, clock) -> list[int]:
    stamps: list[int] = []
    threads = [threading.Thread(target=lambda: stamps.extend(taken(bucket, clock, 4))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return stamps


def test_threads_share_a_memory_bucket():
    clock = Stamping()
    stamps = in_threads(MemoryBucket([Rate(LIMIT, WINDOW)], clock=clock), clock)
    assert len(stamps) == 20
    assert most_in_a_window(stamps) <= LIMIT


def test_threads_share_a_sqlite_bucket(tmp_path):
    clock = Stamping()
    bucket = SqliteBucket([Rate(LIMIT, WINDOW)], path=str(tmp_path / "q"), table="t", clock=clock)
    stamps = in_threads(bucket, clock)
    bucket.close()
    assert len(stamps) == 20
    assert most_in_a_window(stamps) <= LIMIT


PROGRAM = """
import json, sys, time
from pyrate_limiter import Rate
from planhat_orm.wire.buckets import SqliteBucket
said = []
def clock():
    said.append(time.monotonic())
    return said[-1]
bucket = SqliteBucket([Rate(int(sys.argv[2]), int(sys.argv[3]))], path=sys.argv[1], table="t", clock=clock)
stamps = []
while len(stamps) < 10:
    wait = bucket.take()
    if wait:
        time.sleep(wait)
    else:
        stamps.append(int(said[-1] * 1000))
print(json.dumps(stamps))
"""


def test_processes_share_a_sqlite_bucket(tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "q"), str(LIMIT), str(WINDOW)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(3)]
    stamps = [stamp for process in running for stamp in json.loads(process.communicate(timeout=60)[0])]
    assert len(stamps) == 30
    assert most_in_a_window(stamps) <= LIMIT


def test_turns_from_before_a_restart_of_the_machine_do_not_block(tmp_path):
    now = [1_000_000.0]
    settings = {"path": str(tmp_path / "q"), "table": "t", "clock": lambda: now[0]}
    before = SqliteBucket([Rate(1, 60_000)], **settings)
    assert (before.take(), before.take() > 0) == (0.0, True)
    before.close()
    now[0] = 5.0
    after = SqliteBucket([Rate(1, 60_000)], **settings)
    assert after.take() == 0.0
    after.close()


def test_a_sqlite_file_does_not_grow(tmp_path):
    now = [0.0]
    bucket = SqliteBucket([Rate(5, 1000)], path=str(tmp_path / "q"), table="t", clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.5
        assert bucket.take() == 0.0
    bucket.close()
    with sqlite3.connect(tmp_path / "q") as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] <= 4
    connection.close()


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "q").write_text("no database, but long enough to be taken for one" * 100)
    bucket = SqliteBucket([Rate(5, 1000)], path=str(tmp_path / "q"), table="t")
    with pytest.raises(ConfigurationError, match="quota file"):
        bucket.take()
    bucket.close()


def test_a_sqlite_quota_gives_permits_and_opens_again_after_closing(tmp_path):
    quota = Quota.sqlite(tmp_path / "quota.sqlite", per_minute=3)
    for _ in range(2):
        with quota.permit():
            pass
        quota.close()
    with sqlite3.connect(tmp_path / "quota.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM 'quota_'").fetchone() == (2,)
    connection.close()


def test_a_sqlite_bucket_takes_other_limits_at_once(tmp_path):
    bucket = SqliteBucket([Rate(1, 60_000)], path=str(tmp_path / "q"), table="t")
    assert (bucket.take(), bucket.take() > 0) == (0.0, True)
    bucket.set_rates([Rate(2, 60_000)])
    assert (bucket.take(), bucket.take() > 0) == (0.0, True)
    bucket.close()


def test_a_forked_process_opens_the_file_anew(tmp_path, monkeypatch):
    bucket = SqliteBucket([Rate(2, 60_000)], path=str(tmp_path / "q"), table="t")
    bucket.take()
    inherited = bucket._opened[1]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert (bucket.take(), bucket.take() > 0) == (0.0, True)
    assert bucket._opened[1] is not inherited
    bucket.close()
    inherited.conn.close()


class FakeRedis:
    """What a bucket asks of a Redis server, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.sets: dict[str, dict[str, int]] = {}
        self.scripts: set[str] = set()
        self.locked = False
        self.down = False

    @contextmanager
    def lock(self, name, *, timeout, sleep):
        if self.down:
            raise ConnectionError("Error connecting to redis://:hunter2@queue.internal")
        assert not self.locked
        self.locked = True
        yield
        self.locked = False

    def time(self):
        assert self.locked
        return int(self.now), int(self.now % 1 * 1_000_000)

    def script_load(self, script):
        self.scripts.add(hashlib.sha1(script.encode()).hexdigest())
        return hashlib.sha1(script.encode()).hexdigest()

    def evalsha(self, script, keys, key, now, weight, member, rates, *bounds):
        assert self.locked
        if script not in self.scripts:
            self.locked = False
            raise ConnectionError("NOSCRIPT")
        entries = self.sets.setdefault(key, {})
        for index in range(rates):
            start, limit, rank = bounds[index * 3 : index * 3 + 3]
            if limit - sum(1 for score in entries.values() if start <= score <= now) < weight:
                scores = sorted(entries.values(), reverse=True)
                return [index, scores[rank] if rank < len(scores) else -1]
        entries[f"{member}{len(entries)}"] = now
        return [-1, -1]

    def zremrangebyscore(self, key, low, high):
        entries = self.sets.get(key, {})
        self.sets[key] = {member: score for member, score in entries.items() if not low <= score <= high}

    def close(self):
        self.closed = True


def redis_bucket(server: FakeRedis) -> RedisBucket:
    return RedisBucket([Rate(2, 60_000)], url="redis://:hunter2@queue.internal", key="k", connect=lambda url: server)


def test_machines_share_a_redis_bucket_and_its_clock():
    server = FakeRedis()
    one, other = redis_bucket(server), redis_bucket(server)
    assert [one.take(), other.take()] == [0.0, 0.0]
    assert one.take() == other.take() == pytest.approx(60.001)
    server.now += 60.1
    assert other.take() == 0.0
    assert len(server.sets["k"]) == 1


def test_a_redis_server_that_is_down_is_said_without_its_password():
    server = FakeRedis()
    bucket = redis_bucket(server)
    server.down = True
    with pytest.raises(ConfigurationError, match="Redis server") as caught:
        bucket.take()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_redis_server_that_restarted_is_told_the_script_again():
    server = FakeRedis()
    bucket = redis_bucket(server)
    bucket.take()
    server.scripts.clear()
    assert bucket.take() == 0.0


def test_a_redis_bucket_takes_other_limits_and_closes():
    server = FakeRedis()
    bucket = redis_bucket(server)
    bucket.take()
    bucket.set_rates([Rate(1, 60_000)])
    assert bucket.take() > 0
    bucket.close()
    assert server.closed
