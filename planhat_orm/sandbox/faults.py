"""Faults on request: what networks and servers do wrong, done to the requests that a test names.

Each kind is one function; its keyword arguments are what ``box.fault`` takes. Imports answers and reading's Tampering;
nothing of Flask or sockets. It does not cut connections itself: a fault says so in the exchange, and the server does.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Answer
from planhat_orm.sandbox.reading import Tampering

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(slots=True)
class Exchange:
    """One request on its way through: what faults may look at and change."""

    method: str = ""
    path: str = ""
    tampering: Tampering = field(default_factory=Tampering)
    #: Set before the request is carried out, it takes the place of that; afterwards it is what will be sent.
    answer: Answer | None = None
    #: Send only so many bytes of the body, then cut the connection.
    cut_after: int | None = None
    #: Cut the connection without any answer: "close" ends it, "reset" resets it.
    dropped: str = ""
    #: Send the body in pieces of so many bytes, so many seconds apart.
    drip: tuple[int, float] | None = None
    #: Inserts and deletes so many rows of the collection that the path names.
    disturb: Callable[[int, int], None] = lambda insert, delete: None
    #: Set when the server stops: whoever waits for a fault's sake stops waiting.
    stopping: threading.Event = field(default_factory=threading.Event)


Effect = Callable[..., None]
#: The kinds of faults by name: (whether it acts before the request is carried out, what it does).
KINDS: dict[str, tuple[bool, Effect]] = {}


def _kind(name: str, *, before: bool) -> Callable[[Effect], Effect]:
    def register(effect: Effect) -> Effect:
        KINDS[name] = (before, effect)
        return effect

    return register


@_kind("latency", before=True)
def latency(exchange: Exchange, *, seconds: float = 0.1) -> None:
    """Wait before the request is carried out."""
    exchange.stopping.wait(seconds)


@_kind("status", before=True)
def status(exchange: Exchange, *, status: int = 500, body: Any = "", headers: Mapping[str, str] | None = None) -> None:
    """Answer this status without carrying the request out; ``body`` is a text, or data that is sent as JSON."""
    exchange.answer = Answer.of(body, status, headers)


@_kind("status_after", before=False)
def status_after(
    exchange: Exchange, *, status: int = 502, body: Any = "", headers: Mapping[str, str] | None = None
) -> None:
    """Carry the request out, then answer this status, as a gateway does that lost the answer."""
    exchange.answer = Answer.of(body, status, headers)


@_kind("reset_before", before=True)
def reset_before(exchange: Exchange) -> None:
    """Reset the connection; the request is not carried out."""
    exchange.dropped = "reset"


@_kind("lost_answer", before=False)
def lost_answer(exchange: Exchange) -> None:
    """Carry the request out, then end the connection without an answer."""
    exchange.dropped = "close"


@_kind("truncated", before=False)
def truncated(exchange: Exchange, *, keep: float = 0.5) -> None:
    """Announce the whole body, send this share of it and end the connection."""
    if exchange.answer is not None:
        exchange.cut_after = int(len(exchange.answer.body) * keep)


@_kind("wrong_shape", before=False)
def wrong_shape(exchange: Exchange, *, body: Any = None) -> None:
    """Answer 200 with a body of another shape: by default an object with a message."""
    exchange.answer = Answer.of({"message": "Something went wrong"} if body is None else body, 200)


@_kind("html", before=False)
def html(exchange: Exchange, *, status: int = 200, body: str = "<html><body>Please wait</body></html>") -> None:
    """Answer an HTML page, as a proxy does."""
    exchange.answer = Answer.text(body, status)


@_kind("empty", before=False)
def empty(exchange: Exchange, *, status: int = 200) -> None:
    """Answer without a body."""
    exchange.answer = Answer(status)


@_kind("ignore_filters", before=True)
def ignore_filters(exchange: Exchange) -> None:
    """Read the list as if no filter had been sent."""
    exchange.tampering = replace(exchange.tampering, ignore_filters=True)


@_kind("ignore_sort", before=True)
def ignore_sort(exchange: Exchange) -> None:
    """Read the list as if no order had been asked for: the newest come first."""
    exchange.tampering = replace(exchange.tampering, ignore_sort=True)


@_kind("cap", before=True)
def cap(exchange: Exchange, *, limit: int) -> None:
    """Give at most ``limit`` rows a page, whatever is asked for."""
    exchange.tampering = replace(exchange.tampering, cap=limit)


@_kind("drift", before=True)
def drift(exchange: Exchange, *, run: Callable[[], Any] | None = None, insert: int = 0, delete: int = 0) -> None:
    """Let rows come and go between two pages: call ``run``, delete the oldest of the collection, insert new ones."""
    if run is not None:
        run()
    if insert or delete:
        exchange.disturb(insert, delete)


@_kind("slow_drip", before=False)
def slow_drip(exchange: Exchange, *, piece: int = 64, seconds: float = 0.05) -> None:
    """Send the body in small pieces with pauses between them."""
    exchange.drip = (piece, seconds)


class Fault:
    """One fault in force; a context manager that lifts it. Made by ``Sandbox.fault``.

    ``fired`` tells how many requests it has befallen.
    """

    def __init__(
        self, board: FaultBoard, kind: str, method: str | None, path: str | None, times: int | None, after: int,
        detail: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if kind not in KINDS:
            raise ValueError(f"there is no fault {kind!r}; there are: {', '.join(sorted(KINDS))}")
        self.before, self._effect = KINDS[kind]
        try:
            inspect.signature(self._effect).bind(None, **detail)
        except TypeError as problem:
            raise TypeError(f"fault {kind!r}: {problem}") from None
        self.kind = kind
        self.method = method.upper() if method else None
        self.path = path
        self.times = times
        self.after = after
        self.detail = dict(detail)
        self.seen = 0
        self.fired = 0
        self._board = board

    def takes(self, method: str, path: str) -> bool:
        """Tell whether the fault befalls this request, and count it."""
        if self.method not in (None, method) or not (self.path is None or fnmatchcase(path, self.path)):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def strike(self, exchange: Exchange) -> None:
        """Do to the exchange what the fault is about."""
        self._effect(exchange, **self.detail)

    def lift(self) -> None:
        """End the fault."""
        self._board.remove(self)

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lift()

    def __repr__(self) -> str:
        return (
            f"<Fault {self.kind} {self.method or '*'} {self.path or '*'}, fired {self.fired} of {self.times or 'any'}>"
        )


class FaultBoard:
    """The faults in force, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Lift a fault; nothing happens when it is not in force."""
        with self._lock:
            self._faults = [other for other in self._faults if other is not fault]

    def clear(self) -> None:
        """Lift all faults."""
        with self._lock:
            self._faults = []

    def all(self) -> list[Fault]:
        """Return the faults in force."""
        with self._lock:
            return list(self._faults)

    def befalling(self, method: str, path: str) -> list[Fault]:
        """Return the faults that this request meets."""
        with self._lock:
            return [fault for fault in self._faults if fault.takes(method, path)]
