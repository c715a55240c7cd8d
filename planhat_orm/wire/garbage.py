"""A pause of the cyclic garbage collector while many plain objects are built at once.

Parsing a page makes hundreds of thousands of dicts and strings that cannot be garbage yet, and the collector walks
them again and again. Imports nothing of the package. It does not promise that the collector is off for this thread
alone: CPython has one collector for the process. Nor does it promise that a cycle which became garbage just before a
large page is found as early as without it: what is there after that page counts as old.
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["paused_gc"]

# So many new containers make a walk worth avoiding; what a small answer makes takes its usual way.
_MANY = 2_000


class _Pause:
    """How many blocks want the collector off, and whether it was this module that turned it off."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = 0
        self._ours = False

    def enter(self) -> None:
        with self._lock:
            if self._blocks == 0 and gc.isenabled():
                gc.disable()
                self._ours = True
            self._blocks += 1

    def leave(self) -> None:
        with self._lock:
            self._blocks = max(0, self._blocks - 1)
            if self._blocks == 0 and self._ours:
                self._ours = False
                _call_young_old()
                gc.enable()

    def forked(self) -> None:
        """Begin anew in a child process, which has none of its parent's other threads."""
        self._lock, self._blocks = Lock(), 0
        if self._ours:
            self._ours = False
            gc.enable()


def _call_young_old() -> None:
    """Move the many objects that were made in the pause to the oldest generation, without a walk.

    The collector would walk them at the next allocation, and again some pages later: a quarter of the time of a list.
    To freeze and to unfreeze moves whole generations at once (https://docs.python.org/3/library/gc.html#gc.freeze). A
    program that has frozen objects itself keeps them frozen: nothing is moved then.
    """
    if hasattr(gc, "freeze") and gc.get_count()[0] > _MANY and not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()


_pause = _Pause()
if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_pause.forked)


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the cyclic garbage collector off inside the block; blocks nest and threads may overlap.

    The last block to end turns the collector on again, and only if it was on before the first began: a program
    that runs without the collector keeps it off. After a large page everything that is there counts as old. Never
    yield to a caller's loop inside the block: the collector would stay off for as long as that caller likes.

    >>> import gc
    >>> with paused_gc():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    _pause.enter()
    try:
        yield
    finally:
        _pause.leave()
