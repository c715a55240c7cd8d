"""Where the requests of the last minute are counted: this process, a SQLite file, or Redis.

Each bucket is pyrate-limiter's, made exact for its place: taking a turn is one step that no other thread, process or
machine can come between. Imports ``planhat_orm.errors`` only. It neither waits nor logs, and it does not promise an
order among those who wait.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from functools import partial
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from pyrate_limiter import InMemoryBucket, RateItem, SQLiteBucket

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyrate_limiter import AbstractBucket, Rate

__all__ = ["Bucket", "Clock", "MemoryBucket", "RedisBucket", "SqliteBucket"]

_BUSY_SECONDS = 30.0


class Clock(Protocol):
    """Seconds that only grow, such as ``time.monotonic``."""

    def __call__(self) -> float: ...


class Bucket(Protocol):
    """Counts turns: what a quota needs of its storage."""

    def take(self) -> float:
        """Take a turn and return 0.0, or return the seconds after which to ask again."""
        ...

    def set_rates(self, rates: Sequence[Rate]) -> None:
        """Count against other limits from now on; turns taken before still count."""
        ...

    def close(self) -> None:
        """Let go of files and connections; taking a turn opens them again."""
        ...


class MemoryBucket:
    """The turns of this process.

    >>> from pyrate_limiter import Rate
    >>> bucket = MemoryBucket([Rate(1, 60_000)], clock=lambda: 100.0)
    >>> bucket.take(), bucket.take()
    (0.0, 60.001)
    """

    def __init__(self, rates: Sequence[Rate], *, clock: Clock = time.monotonic) -> None:
        self._lock = Lock()
        self._clock = clock
        self._bucket = InMemoryBucket(list(rates))

    def take(self) -> float:
        with self._lock:
            now = math.floor(self._clock() * 1000)
            self._bucket.leak(now)
            return _put(self._bucket, now)

    def set_rates(self, rates: Sequence[Rate]) -> None:
        with self._lock:
            self._bucket.rates = list(rates)

    def close(self) -> None:
        pass


class SqliteBucket:
    """The turns of every process of this machine that names the same file.

    pyrate-limiter guards its SQLite bucket with the ``filelock`` package; here SQLite's own write lock does it: the
    count and the entry are one ``BEGIN IMMEDIATE`` transaction. The clock is the monotonic one, which all
    processes of a machine share; entries from before a restart, which lie in its future, are dropped.
    """

    def __init__(self, rates: Sequence[Rate], *, path: str, table: str, clock: Clock = time.monotonic) -> None:
        self._lock = Lock()
        self._clock = clock
        self._rates = list(rates)
        self._path = path
        self._table = table
        self._opened: tuple[int, SQLiteBucket] | None = None

    def take(self) -> float:
        with self._lock:
            try:
                return self._take()
            except sqlite3.Error as error:
                raise ConfigurationError(f"the quota file {self._path!r} cannot be used: {error}") from error

    def set_rates(self, rates: Sequence[Rate]) -> None:
        with self._lock:
            self._rates = list(rates)
            if self._opened is not None:
                self._opened[1].rates = self._rates

    def close(self) -> None:
        with self._lock:
            opened, self._opened = self._opened, None
            if opened is not None and opened[0] == os.getpid():
                opened[1].conn.close()

    def _take(self) -> float:
        bucket = self._bucket()
        connection = bucket.conn
        connection.execute("BEGIN IMMEDIATE")
        try:
            now = math.floor(self._clock() * 1000)  # read inside the lock, so that the entries are in order
            oldest = now - max(rate.interval for rate in self._rates)
            connection.execute(
                f"DELETE FROM '{self._table}' WHERE item_timestamp < ? OR item_timestamp > ?",  # noqa: S608 - a hash
                (oldest, now + 1000),
            )
            wait = _put(bucket, now)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        return wait

    def _bucket(self) -> SQLiteBucket:
        # A connection must not be used on both sides of a fork (https://www.sqlite.org/howtocorrupt.html, 2.6).
        if self._opened is None or self._opened[0] != os.getpid():
            bucket = SQLiteBucket.init_from_file(self._rates, table=self._table, db_path=self._path)
            bucket.conn.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
            # A minute of counts is not worth waiting for the disk.
            bucket.conn.execute("PRAGMA synchronous = OFF")
            self._opened = os.getpid(), bucket
        return self._opened[1]


class RedisBucket:
    """The turns of every machine that names the same Redis server; its clock is the clock.

    A Redis lock makes reading the time and counting one step: four round trips a request are nothing at 200 requests
    a minute. Needs the extra ``planhat_orm[redis]``.
    """

    def __init__(self, rates: Sequence[Rate], *, url: str, key: str, connect: Callable[[str], Any] | None = None):
        if connect is None:
            connect, self._errors = _redis()
        else:
            self._errors = (ConnectionError,)
        self._rates = list(rates)
        self._key = key
        self._client = connect(url)
        self._bucket: AbstractBucket | None = None

    def take(self) -> float:
        reason = ""
        for _ in range(2):  # a server that restarted has forgotten the script, and is told it again
            try:
                with self._client.lock(f"{self._key}:lock", timeout=10, sleep=0.01):
                    return self._take()
            except self._errors as error:
                self._bucket = None
                reason = type(error).__name__
        # Outside of the handler: the client's exception may quote the address with its password.
        raise ConfigurationError(f"the Redis server of the quota cannot be used ({reason})")

    def set_rates(self, rates: Sequence[Rate]) -> None:
        self._rates = list(rates)
        self._bucket = None

    def close(self) -> None:
        self._client.close()

    def _take(self) -> float:
        bucket = self._bucket
        if bucket is None:
            bucket = self._bucket = _counter(self._rates, self._client, self._key)
        seconds, microseconds = self._client.time()
        now = int(seconds) * 1000 + int(microseconds) // 1000
        bucket.leak(now - 1)  # it drops the bound itself, which is still counted
        return _put(bucket, now)


def _counter(rates: list[Rate], client: Any, key: str) -> AbstractBucket:
    from pyrate_limiter import RedisBucket as Counter  # imports nothing of Redis by itself, but is only for it

    counter = Counter.init(rates, client, key)
    if not isinstance(counter, Counter):
        raise ConfigurationError("Quota.redis needs the synchronous Redis client")
    return counter


def _redis() -> tuple[Callable[[str], Any], tuple[type[Exception], ...]]:
    try:
        redis = import_module("redis")
    except ImportError:
        message = "Quota.redis needs the Redis client, the extra planhat_orm[redis]: pip install redis"
        raise ConfigurationError(message) from None
    connect = partial(redis.Redis.from_url, socket_timeout=10.0, socket_connect_timeout=5.0)
    return connect, (redis.RedisError,)


def _put(bucket: AbstractBucket, now: int) -> float:
    item = RateItem("planhat", now)
    if bucket.put(item):
        return 0.0
    wait = bucket.waiting(item)
    if not isinstance(wait, int):
        raise TypeError("an asynchronous bucket cannot be waited for here")
    return max(1, wait) / 1000
