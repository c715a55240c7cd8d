"""What one sandbox consists of behind its server: rows, switches and a clock.

Imports store, behaviour and answers. It does not know HTTP.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from planhat_orm.sandbox.answers import Refusal
from planhat_orm.sandbox.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox.store import Store

OPERATIONS = ("read", "create", "update", "delete")


def wall_clock() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


@dataclass(slots=True)
class World:
    """The state that operations act on.

    >>> from planhat_orm.sandbox.store import Store
    >>> world = World(Store())
    >>> world.now() < world.now()
    True
    """

    store: Store
    behaviour: Behaviour = field(default_factory=Behaviour)
    clock: Callable[[], datetime] = wall_clock
    #: What opens the API, and what the analytics endpoints go by.
    token: str = ""
    tenant_token: str = ""
    _last: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> str:
        """Return the time as Planhat writes it; no two calls get the same, so that changes have an order."""
        with self._lock:
            now = self.clock().astimezone(UTC)
            now -= timedelta(microseconds=now.microsecond % 1000)
            self._last = max(now, self._last + timedelta(milliseconds=1))
            return self._last.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def may(self, path: str, operation: str) -> bool:
        """Tell whether the token has the permission."""
        return (path, operation) not in self.behaviour.forbidden

    def permit(self, path: str, operation: str) -> None:
        """Refuse with 403 what the token may not do."""
        if not self.may(path, operation):
            raise Refusal(403, "Forbidden")
