"""What came in: one record for each request, for tests to count and to read.

Imports the standard library only. It does not keep what was answered, but for its status, and never the value of the
Authorization header.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class RecordedRequest:
    """One request that reached the sandbox.

    ``status`` is what was answered, None while it is under way and when the connection was cut instead.
    """

    method: str
    path: str
    params: dict[str, str]
    json: Any
    headers: Mapping[str, str]
    status: int | None = None

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.method} {self.path}{'?' + query if query else ''} -> {self.status or 'no answer'}"


class Recorder:
    """The requests since the last ``clear``, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []

    def add(self, request: RecordedRequest) -> None:
        """Keep a request."""
        with self._lock:
            self._requests.append(request)

    def all(self) -> list[RecordedRequest]:
        """Return the requests kept, as a new list."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._requests = []


def query_params(query: str) -> dict[str, str]:
    """Read a query string; of a name that repeats, the last value counts."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
