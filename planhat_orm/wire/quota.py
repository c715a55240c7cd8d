"""Planhat's limits, kept before it has to say so: 200 requests a minute, 150 a second, 50 at once.

Imports ``planhat_orm.errors`` and its siblings in ``wire`` only. It does not promise that Planhat never answers 429:
other programs may use the same token, and the limits of a tenant may be lower. The 50 at once are counted per process.
"""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from pyrate_limiter import Rate

    from planhat_orm.wire.buckets import Bucket, Clock

__all__ = ["Quota"]

_log = logging.getLogger("planhat_orm.quota")
_LONG_WAIT = 5.0
_SLICE = 1.0  # waits are cut into slices: a pause may grow meanwhile, and Ctrl-C works on every platform
# A turn is taken a little before its request reaches Planhat. With windows one per cent longer, requests that the
# network bunches together still stay within Planhat's.
_MARGIN = 1.01


class Quota:
    """How many requests may be sent: ``per_minute``, ``per_second``, and ``parallel`` at once.

    The defaults are Planhat's limits (https://www.planhat.com/developers/api/authentication-limits). Take a share of
    them where other programs use the same token. ``Quota()`` counts in this process, :meth:`sqlite` across the
    processes of a machine, :meth:`redis` across machines. ``clock``, ``sleep`` and ``minute`` (the length of one, in
    seconds) are for tests.

    >>> quota = Quota(per_minute=100)
    >>> quota
    Quota(per_minute=100, per_second=150, parallel=50)
    >>> with quota.permit():
    ...     pass  # send one request
    """

    def __init__(
        self,
        per_minute: int = 200,
        per_second: int = 150,
        parallel: int = 50,
        *,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        minute: float = 60.0,
    ) -> None:
        limits = {"per_minute": per_minute, "per_second": per_second, "parallel": parallel}
        for name, limit in limits.items():
            if not isinstance(limit, int) or limit < 1:
                raise ConfigurationError(f"Quota({name}={limit!r}): expected a whole number above 0")
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._minute = minute
        self._lock = Lock()
        self._slots = BoundedSemaphore(parallel)
        self._paused_until = float("-inf")
        self._place: tuple[str, str] = ("memory", "")
        self._bucket: Bucket | None = None
        self._name = ""

    @classmethod
    def sqlite(
        cls, path: str | PathLike[str], *, per_minute: int = 200, per_second: int = 150, parallel: int = 50
    ) -> Quota:
        """Count in a SQLite file, which every process of this machine that names it shares.

        The file is made when the first request is sent; it must lie on a local disk. ``parallel`` is per process.

        >>> Quota.sqlite("quota.sqlite", per_minute=100)
        Quota.sqlite('quota.sqlite', per_minute=100, per_second=150, parallel=50)
        """
        quota = cls(per_minute, per_second, parallel)
        quota._place = ("sqlite", str(path))
        return quota

    @classmethod
    def redis(cls, url: str, *, per_minute: int = 200, per_second: int = 150, parallel: int = 50) -> Quota:
        """Count in Redis, which every machine that names the server shares; needs ``planhat_orm[redis]``.

        ``url`` is as in ``redis://host:6379/0``. Raises :class:`ConfigurationError` where the Redis client is not
        installed. ``parallel`` is per process.

        >>> Quota.redis("redis://queue.internal:6379/0")  # doctest: +SKIP
        Quota.redis(..., per_minute=200, per_second=150, parallel=50)
        """
        quota = cls(per_minute, per_second, parallel)
        quota._place = ("redis", url)
        quota._open("planhat_orm:check")  # a missing client shows here and not at the first request
        return quota

    def shared(self, host: str, token: str) -> Quota:
        """Return the one quota of the process for ``host`` and ``token``, made from this one at the first call.

        Sessions of the same tenant so count together. Later calls with other limits set them for all, and say so.

        >>> Quota().shared("api.planhat.com", "an-api-token") is Quota().shared("api.planhat.com", "an-api-token")
        True
        """
        # A hash, so that no token lies in a table name, a Redis key or the registry.
        name = hashlib.sha256(f"{host}\0".encode() + token.encode()).hexdigest()[:24]
        with _registry_lock:
            known = _registry.get((*self._place, name))
            if known is None:
                known = _registry[(*self._place, name)] = self._copy(name)
        if known._limits != self._limits:
            known._adopt(self, host)
        return known

    @property
    def per_minute(self) -> int:
        """How many requests it allows a minute.

        >>> Quota(per_minute=100).per_minute
        100
        """
        return self._limits["per_minute"]

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Wait for a turn, and hold one of the parallel slots inside the block: one request belongs into it.

        Waits over 5 seconds are logged at WARNING on ``planhat_orm.quota``.
        """
        slots = self._slots
        while not slots.acquire(timeout=_SLICE):
            pass
        try:
            self._wait_for_turn()
            yield
        finally:
            slots.release()

    def pause(self, seconds: float) -> None:
        """Let everybody wait: no turn is given for ``seconds`` from now (Planhat answered 429 or Retry-After).

        The threads of this process wait; another process that shares the bucket learns it from its own answer.

        >>> quota = Quota(clock=lambda: 0.0)
        >>> quota.pause(0.5)
        """
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)
        level = logging.WARNING if seconds > _LONG_WAIT else logging.DEBUG
        _log.log(level, "Planhat asks for a pause: all requests wait %.0f s", seconds)

    def close(self) -> None:
        """Let go of the file or the connection that counts; the next permit opens it again."""
        with self._lock:
            if self._bucket is not None:
                self._bucket.close()

    def __repr__(self) -> str:
        limits = ", ".join(f"{name}={limit}" for name, limit in self._limits.items())
        kind, place = self._place
        if kind == "memory":
            return f"Quota({limits})"
        return (
            f"Quota.{kind}({repr(place) if kind == 'sqlite' else '...'}, {limits})"  # a Redis URL may hold a password
        )

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _wait_for_turn(self) -> None:
        announced = False
        while (wait := self._next_wait()) > 0.0:
            if wait > _LONG_WAIT and not announced:
                announced = True
                _log.warning("waiting %.0f s for the quota of %d requests a minute", wait, self._limits["per_minute"])
            self._sleep(min(wait, _SLICE))

    def _next_wait(self) -> float:
        with self._lock:
            paused = self._paused_until - self._clock()
            if paused > 0.0:
                return paused
            if self._bucket is None:
                self._bucket = self._open(self._name)
            bucket = self._bucket
        return bucket.take()

    # -- making -----------------------------------------------------------------------------------------------------

    def _rates(self) -> list[Rate]:
        """The limits as pyrate-limiter wants them: each wider window must allow more, at a lower rate."""
        from pyrate_limiter import Rate  # 3.5 MB, which a session without a quota need not carry

        per_minute, per_second = self._limits["per_minute"], self._limits["per_second"]
        minute, second = (int(self._minute * 1000 * _MARGIN), int(self._minute / 60 * 1000 * _MARGIN))
        rates = []
        if per_second < per_minute:
            rates.append(Rate(per_second, max(1, second)))
        if per_minute < per_second * 60:
            rates.append(Rate(per_minute, max(1, minute)))
        return rates

    def _open(self, name: str) -> Bucket:
        from planhat_orm.wire.buckets import MemoryBucket, RedisBucket, SqliteBucket  # it imports pyrate-limiter

        kind, place = self._place
        rates = self._rates()
        if kind == "sqlite":
            return SqliteBucket(rates, path=place, table=f"quota_{name}", clock=self._clock)
        if kind == "redis":
            return RedisBucket(rates, url=place, key=f"planhat_orm:quota:{name}")
        return MemoryBucket(rates, clock=self._clock)

    def _copy(self, name: str) -> Quota:
        copy = Quota(**self._limits, clock=self._clock, sleep=self._sleep, minute=self._minute)
        copy._place = self._place
        copy._name = name
        return copy

    def _adopt(self, other: Quota, host: str) -> None:
        _log.warning("%s: the quota is now %r for all sessions of this tenant; it was %r", host, other, self)
        with self._lock:
            self._limits = dict(other._limits)
            self._slots = BoundedSemaphore(self._limits["parallel"])
            if self._bucket is not None:
                self._bucket.set_rates(self._rates())


_registry: dict[tuple[str, str, str], Quota] = {}
_registry_lock = Lock()
