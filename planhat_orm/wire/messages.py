"""What goes to the transport and what comes back: Request, Response, and the counters.

Imports ``planhat_orm.errors`` and its siblings in ``wire`` only. A Request does not promise that its path exists,
and holds no secret: the transport adds those.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import InvalidQuery
from planhat_orm.wire.retry import Replay

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Request", "Response", "Stats", "encode_json"]

_PATH = re.compile(r"/[^\s?#\\]*")
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


def encode_json(value: Any) -> bytes:
    """Return a value as it travels in a body.

    :raises TypeError: or ValueError or RecursionError, for what JSON cannot hold.

    >>> encode_json({"name": "Å", "seats": [1, 2]}).decode()
    '{"name":"Å","seats":[1,2]}'
    """
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Request:
    """One request, described: nothing is sent by making it.

    ``path`` comes quoted from :mod:`planhat_orm.wire.endpoints`; ``{tenant}`` in it stands for the tenant token, which
    the transport fills in. ``params`` are sent in their order with commas as they are. ``json`` is the body; None
    sends none. ``host`` is the API or the analytics host. ``auth`` is the API token (``"token"``), for Segment events
    the tenant token (``"tenant"``), or no header at all (``"none"``). ``replay`` says what may be done when the answer
    is lost; by default a GET, a DELETE and a PUT of one record are sent again, a POST and a PUT of a list never.
    ``timeout`` is (connect, read) in seconds, None the transport's own. ``halvable`` is a page that the caller would
    rather ask again at half the size: a read timeout or a 504 then raises at once.

    >>> request = Request("get", "/companies", params={"limit": "1"})
    >>> str(request), request.replay
    ('GET /companies', <Replay.ALWAYS: 'always'>)
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    host: Literal["main", "analytics"] = "main"
    replay: Replay = Replay.BY_METHOD
    timeout: tuple[float, float] | None = None
    halvable: bool = False
    auth: Literal["token", "tenant", "none"] = "token"

    def __post_init__(self) -> None:
        if not self.method.isalpha():
            raise InvalidQuery(f"{self.method!r} is no HTTP method")
        # A path must not be able to change the host ("@example.com", "//example.com") or the query.
        if not _PATH.fullmatch(self.path) or self.path.startswith("//"):
            raise InvalidQuery(f"{self.path!r} is no path: expected one such as '/companies', parameters apart")
        object.__setattr__(self, "method", self.method.upper())
        if self.replay is Replay.BY_METHOD:
            object.__setattr__(self, "replay", self._replay_by_method())

    def _replay_by_method(self) -> Replay:
        bulk = isinstance(self.json, (list, tuple))  # items without a key would be inserted twice
        return Replay.ALWAYS if self.method in _REPEATABLE and not bulk else Replay.NEVER

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Response:
    """A successful answer, parsed.

    ``data`` is the parsed JSON, None for an empty body (on the analytics host, plain text stays text). ``attempts``
    counts the times it was sent. ``repeated`` tells that an earlier attempt's answer was lost, so that the request may
    have been carried out twice. ``number`` is the session's: it orders reads and writes. ``status`` is 2xx, or 404 for
    a repeated DELETE.

    >>> Response(status=200, data=[{"_id": "61a5e27c1d7d3f0012e1a0b4"}]).data[0]["_id"]
    '61a5e27c1d7d3f0012e1a0b4'
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    data: Any = field(default=None, repr=False)
    attempts: int = 1
    repeated: bool = False
    number: int = 0


class Stats:
    """Counters of one transport: ``requests`` (each attempt counts one), ``retries``, ``waited`` in seconds.

    >>> stats = Stats()
    >>> stats.add(requests=1)
    >>> stats
    Stats(requests=1, retries=0, waited=0.0)
    """

    __slots__ = ("_lock", "requests", "retries", "waited")

    def __init__(self) -> None:
        self._lock = Lock()
        self.requests = 0
        self.retries = 0
        self.waited = 0.0

    def add(self, *, requests: int = 0, retries: int = 0, waited: float = 0.0) -> None:
        """Add to the counters, all at once; threads may do so together."""
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.waited += waited

    def __repr__(self) -> str:
        return f"Stats(requests={self.requests}, retries={self.retries}, waited={self.waited:.1f})"
