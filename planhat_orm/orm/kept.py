"""What a session keeps for a minute of lists that it read whole: the lean index, and small tables.

Every write of the session to a collection, carried out or not, drops what is kept of it, and whatever it sends what is
too old. Imports the session's types.
It does not promise to know of others' writes; who relies on it says for how long.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from planhat_orm.session.identity_map import KEPT_SECONDS

if TYPE_CHECKING:
    from planhat_orm.session.session import Session
    from planhat_orm.wire.transport import Request

Row = dict[str, Any]

#: For tests.
clock = time.monotonic


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows of a whole list, as one reading gave them.

    :param number: that of the request which brought them.
    :param at: when it was sent, in seconds of ``clock``.
    :param keys: Planhat's names of what the rows hold where they have a value.
    :param pages: what its pages were asked for.
    """

    rows: list[Row]
    number: int
    at: float
    keys: frozenset[str]
    pages: tuple[dict[str, str], ...] = ()

    @property
    def age(self) -> float:
        """How many seconds ago it was asked for."""
        return clock() - self.at


class Kept:
    """The snapshots of one session, by collection."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._snapshots: dict[str, Snapshot] = {}
        self._writes: dict[str, int] = {}

    def find(self, collection: str) -> Snapshot | None:
        """Return what is kept of a collection; None where nothing is, or not any more."""
        with self._lock:
            self._sweep()
            return self._snapshots.get(collection)

    def writes(self, collection: str) -> int:
        """Return a number that each write to a collection changes."""
        with self._lock:
            return self._writes.get(collection, 0)

    def keep(self, collection: str, snapshot: Snapshot, writes: int) -> None:
        """Keep a snapshot, unless something was written since it was asked for, when ``writes`` was the number."""
        with self._lock:
            if self._writes.get(collection, 0) == writes:
                self._snapshots[collection] = snapshot

    @property
    def collections(self) -> frozenset[str]:
        """The collections of which something is kept."""
        return frozenset(self._snapshots)

    def drop(self, collection: str) -> None:
        """Let go of what is kept of a collection, and of what is being read of it now."""
        with self._lock:
            self._snapshots.pop(collection, None)
            self._writes[collection] = self._writes.get(collection, 0) + 1

    def observe(self, request: Request, answer: object) -> None:
        """Drop what a request may have changed, however it was answered, and what is too old to be used."""
        if request.method != "GET":
            self.drop(request.path.strip("/").partition("/")[0])
        with self._lock:
            self._sweep()

    def _sweep(self) -> None:
        """Let go of what is too old: an index of 50,000 companies takes 20 MB."""
        for collection, snapshot in [*self._snapshots.items()]:
            if snapshot.age >= KEPT_SECONDS:
                self._snapshots.pop(collection, None)


_kept: WeakKeyDictionary[Session, Kept] = WeakKeyDictionary()
_lock = Lock()


def kept_of(session: Session) -> Kept:
    """Return what a session keeps."""
    with _lock:
        kept = _kept.get(session)
        if kept is None:
            kept = _kept[session] = Kept()
            session.transport.observe(kept.observe)
            session.outdating.append(kept.drop)
    return kept
