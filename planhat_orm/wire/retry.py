"""What may be done when a request failed: the retry table as data, and the one function that reads it.

Imports ``planhat_orm.errors`` only, and the exception types of requests and urllib3 in order to tell them apart. It
neither sleeps nor sends, and it does not promise that a lost request was or was not carried out: nobody here knows.

The table in words:

=============== ============================================ ================= ==============================
what became     seen as                                      again             after
=============== ============================================ ================= ==============================
never sent      DNS, refused, connect timeout, proxy, pool   any verb          0.5 s, doubling
refused         429; 503 with Retry-After                    any verb          what it asks, else 20 s, doubling
slow            read timeout, 504                            unless NEVER      1 s, doubling; LATER 30 s
lost            reset, 408, 500, 502, other 5xx, 503 without unless NEVER      1 s, doubling; LATER 30 s
                Retry-After, a 2xx that cannot be read
unsendable      certificate refused, impossible URL          no
settled         every other status                           no
=============== ============================================ ================= ==============================
"""

from __future__ import annotations

import enum
import random as _random
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests
from urllib3 import exceptions as urllib3_errors

from planhat_orm.errors import ApiError, PlanhatError, ServerError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "LONGEST_WAIT",
    "RULES",
    "Decision",
    "Fate",
    "Replay",
    "Rule",
    "asked_wait",
    "decide",
    "fate_of_error",
    "fate_of_status",
    "may_have_run",
    "reason_of",
    "retry_after",
    "too_slow",
]

# Planhat's window resets every 60 to 120 seconds (its 2017 documentation); an answer that asks for much more is not
# about the quota, and a script had better say so than sleep through the night.
LONGEST_WAIT = 300.0


class Replay(enum.Enum):
    """What may be done with a request whose answer was lost, so that it may have been carried out."""

    ALWAYS = "always"  #: send it again: reads, DELETE, PUT by id
    NEVER = "never"  #: raise, and let the writer find out: POST, bulk upsert of items without keys
    LATER = "later"  #: send it again after 30 s: bulk upsert of items with keys
    BY_METHOD = "by method"  #: resolved by Request: PUT of a list and POST NEVER, other reads and writes ALWAYS


class Fate(enum.Enum):
    """What became of one attempt."""

    NEVER_SENT = "never sent"
    REFUSED = "refused before work"
    SLOW = "answer lost to a timeout"
    LOST = "answer lost"
    UNSENDABLE = "cannot be sent as things are set up"
    SETTLED = "settled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: which requests go again, and the first and longest wait in seconds."""

    again: frozenset[Replay] = frozenset()
    first: float = 0.0
    longest: float = 0.0
    everyone: bool = False


_ANY = frozenset(Replay)
_REPEATABLE = frozenset({Replay.ALWAYS, Replay.LATER})
_WAIT_LATER = 30.0

RULES: Mapping[Fate, Rule] = {
    Fate.NEVER_SENT: Rule(_ANY, first=0.5, longest=8.0),
    Fate.REFUSED: Rule(_ANY, first=20.0, longest=60.0, everyone=True),
    Fate.SLOW: Rule(_REPEATABLE, first=1.0, longest=16.0),
    Fate.LOST: Rule(_REPEATABLE, first=1.0, longest=16.0),
    Fate.UNSENDABLE: Rule(),
    Fate.SETTLED: Rule(),
    Fate.DONE: Rule(),
}

# 408 may come from a gateway that lost patience with an answer; 501 and 505 refuse a verb or a protocol for good.
_STATUSES: Mapping[int, Fate] = {
    408: Fate.LOST,
    429: Fate.REFUSED,
    501: Fate.SETTLED,
    504: Fate.SLOW,
    505: Fate.SETTLED,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to send again, after how many seconds, and whether every thread waits as well."""

    again: bool
    wait: float = 0.0
    everyone: bool = False


def decide(
    fate: Fate,
    replay: Replay,
    *,
    attempt: int,
    max_attempts: int = 5,
    asked: float | None = None,
    halvable: bool = False,
    random: Callable[[], float] = _random.random,
) -> Decision:
    """Read the table: what to do after attempt number ``attempt`` of at most ``max_attempts`` met ``fate``.

    ``asked`` are the seconds that the answer asks to wait. ``halvable`` is a page that the caller would rather ask
    again at half the size: when it is slow, the same size would be slow again.

    >>> decide(Fate.NEVER_SENT, Replay.NEVER, attempt=1, random=lambda: 1.0)
    Decision(again=True, wait=0.5, everyone=False)
    >>> decide(Fate.LOST, Replay.NEVER, attempt=1)
    Decision(again=False, wait=0.0, everyone=False)
    >>> decide(Fate.LOST, Replay.LATER, attempt=1)
    Decision(again=True, wait=30.0, everyone=False)
    """
    rule = RULES[fate]
    if replay not in rule.again or attempt >= max_attempts:
        return Decision(again=False)
    if halvable and fate is Fate.SLOW:
        return Decision(again=False)
    if asked is not None and asked > LONGEST_WAIT:
        return Decision(again=False)
    if replay is Replay.LATER and fate in (Fate.LOST, Fate.SLOW):
        return Decision(again=True, wait=_WAIT_LATER)
    if asked is None:
        wait = _backoff(rule.first, rule.longest, attempt, random)
    else:
        # An answer that asks for nothing ("Retry-After: 0") time after time is still not hammered.
        wait = max(asked, _backoff(0.5, 8.0, attempt, random))
    return Decision(again=True, wait=wait, everyone=rule.everyone)


def _backoff(first: float, longest: float, attempt: int, random: Callable[[], float]) -> float:
    # Half fixed and half random: never at once, and never all clients at the same moment.
    return min(longest, first * 2.0 ** (attempt - 1)) * (0.5 + random() / 2)


def fate_of_status(status: int, headers: Mapping[str, str]) -> Fate:
    """Say what a status means for the request.

    >>> fate_of_status(503, {}), fate_of_status(503, {"Retry-After": "7"}), fate_of_status(404, {})
    (<Fate.LOST: 'answer lost'>, <Fate.REFUSED: 'refused before work'>, <Fate.SETTLED: 'settled'>)
    """
    if 200 <= status < 300:
        return Fate.DONE
    if status == 503 and retry_after(headers) is not None:
        return Fate.REFUSED
    return _STATUSES.get(status, Fate.LOST if status >= 500 else Fate.SETTLED)


_UNSENDABLE = (
    ssl.SSLCertVerificationError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    urllib3_errors.LocationValueError,
)
_NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,  # the tunnel was not built: plain http goes to loopback only, past any proxy
    urllib3_errors.ConnectTimeoutError,
    urllib3_errors.NewConnectionError,
    urllib3_errors.ProxyError,
    urllib3_errors.ClosedPoolError,
    urllib3_errors.EmptyPoolError,
)
_SLOW = (requests.exceptions.ReadTimeout, urllib3_errors.ReadTimeoutError, TimeoutError)


def fate_of_error(error: BaseException) -> Fate:
    """Say what a network exception of requests or urllib3 means for the request.

    ``requests.ConnectionError`` is raised for a refused connection and for a broken one alike: what is inside
    decides. A connection that the server closed while it was idle cannot be told from one that broke after the
    request was read, so that it counts as lost.

    >>> fate_of_error(requests.ReadTimeout("read timed out"))
    <Fate.SLOW: 'answer lost to a timeout'>
    >>> fate_of_error(requests.ConnectionError("reset"))
    <Fate.LOST: 'answer lost'>
    """
    inside = list(_layers(error))
    for kinds, fate in ((_UNSENDABLE, Fate.UNSENDABLE), (_NEVER_SENT, Fate.NEVER_SENT), (_SLOW, Fate.SLOW)):
        if any(isinstance(layer, kinds) for layer in inside):
            return fate
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return Fate.UNSENDABLE  # requests raises a bare OSError for a CA bundle or client certificate it cannot find
    return Fate.LOST


def _layers(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    yield error
    inner = [*error.args, getattr(error, "reason", None), getattr(error, "original_error", None)]
    for layer in inner:
        if isinstance(layer, BaseException) and depth:
            yield from _layers(layer, depth - 1)


def reason_of(error: BaseException) -> str:
    """Return the innermost text of a network exception: the outer ones only repeat it with the address.

    >>> reason_of(requests.ConnectionError(ConnectionResetError("Connection reset by peer")))
    'Connection reset by peer'
    """
    inside = [layer for layer in _layers(error) if str(layer)]
    return re.sub(r"^\w+\(host=.*?\): ", "", str(inside[-1])) if inside else type(error).__name__


def asked_wait(status: int, headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, or None.

    ``Retry-After`` first; at 429 also ``X-RateLimit-Reset``, which was seen at Planhat in two spellings and whose
    unit is not documented: small numbers are read as seconds, large ones as a time.

    >>> asked_wait(429, {"retry-after": "7"}), asked_wait(429, {"x-ratelimit-reset": "12"}), asked_wait(429, {})
    (7.0, 12.0, None)
    """
    asked = retry_after(headers)
    if asked is None and status == 429:
        asked = _rate_limit_reset(headers)
    return asked


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return ``Retry-After`` in seconds, given as a number or as an HTTP date, or None.

    A date is compared with the answer's own ``Date`` where it has one, so that a wrong clock here does no harm.

    >>> retry_after({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"})
    30.0
    >>> retry_after({"Retry-After": "soon"}) is None
    True
    """
    text = _header(headers, "retry-after").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return float(text)
    until = _http_date(text)
    return None if until is None else max(0.0, (until - _answered_at(headers)).total_seconds())


def _rate_limit_reset(headers: Mapping[str, str]) -> float | None:
    text = _header(headers, "x-ratelimit-reset") or _header(headers, "x-rate-limit-reset")
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]+)?", text):
        return None
    number = float(text)
    if number > 1e9:  # a time: seconds since 1970, or milliseconds
        number = (number / 1000 if number > 1e11 else number) - _answered_at(headers).timestamp()
    return number if 0 < number <= LONGEST_WAIT else None


def _answered_at(headers: Mapping[str, str]) -> datetime:
    return _http_date(_header(headers, "date")) or datetime.now(UTC)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def may_have_run(error: PlanhatError) -> bool:
    """Whether the request behind ``error`` may have been carried out, by its last attempt or an earlier one.

    >>> may_have_run(TransportError("reset", sent=True)), may_have_run(TransportError("no such host", sent=False))
    (True, False)
    """
    if isinstance(error, TransportError):
        return error.sent
    if isinstance(error, ApiError) and fate_of_status(error.status, error.headers) in (Fate.LOST, Fate.SLOW):
        return True
    # The transport raises an answer to a repeated request from the loss of the earlier one.
    return isinstance(error, ApiError) and isinstance(error.__cause__, (TransportError, ServerError))


def too_slow(error: PlanhatError) -> bool:
    """Whether a request failed because its answer took too long, so that a smaller page may pass.

    >>> too_slow(ServerError("504", status=504)), too_slow(ServerError("500", status=500))
    (True, False)
    """
    if isinstance(error, ApiError):
        return _STATUSES.get(error.status) is Fate.SLOW
    return isinstance(error, TransportError) and isinstance(error.__cause__, requests.exceptions.ReadTimeout)
