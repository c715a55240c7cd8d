"""A scripted server on loopback, which can also break off, reset and stay silent; and transports that do not sleep."""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.wire.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "loopback-token-never-to-be-shown"
TENANT_TOKEN = "loopback-tenant-never-to-be-shown"


class Received:
    """One request as it came over the socket."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.body = body


class Loopback:
    """Answers request after request with what the script says; the last line of the script repeats.

    A line is bytes (sent as they are), RESET, CLOSE, HANG, or bytes and then one of those.
    """

    RESET = "reset"
    CLOSE = "close"
    HANG = "hang"

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.requests: list[Received] = []
        self.connections = 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def answers(self, *script: Any) -> Loopback:
        self.script = list(script)
        return self

    def received(self, expected: int) -> int:
        """How many requests came; waits a little for those that the client has sent and given up."""
        for _ in range(500):
            if len(self.requests) >= expected:
                break
            self._stop.wait(0.01)
        return len(self.requests)

    @staticmethod
    def http(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> bytes:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/json" if not isinstance(body, bytes) else "text/html"
        lines = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}
        head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return head.encode() + b"\r\n" + content

    def close(self) -> None:
        self._stop.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(0.02)
            buffer = b""
            while not self._stop.is_set():
                try:
                    chunk = connection.recv(65536)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not chunk:
                    return
                buffer += chunk
                head, mark, body = buffer.partition(b"\r\n\r\n")
                length = int(dict(_headers(head)).get(b"content-length", 0)) if mark else 0
                if not mark or len(body) < length:
                    continue
                buffer = b""
                self.requests.append(Received(head, body))
                if not self._answer(connection):
                    return

    def _answer(self, connection: socket.socket) -> bool:
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        parts = line if isinstance(line, tuple) else (line,)
        for part in parts:
            if isinstance(part, bytes):
                connection.sendall(part)
            elif part == self.HANG:
                self._stop.wait(5)
                return False
            elif part == self.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            else:
                return False
        return True


def _headers(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.lower(), value.strip()


@pytest.fixture
def server() -> Iterator[Loopback]:
    loopback = Loopback()
    yield loopback
    loopback.close()


@pytest.fixture
def slept() -> list[float]:
    """The waits that the transports of a test asked for, in seconds; nobody really waits."""
    return []


@pytest.fixture
def make(slept: list[float]) -> Iterator[Callable[..., Transport]]:
    made: list[Transport] = []

    def build(url: str = "https://api.planhat.com", **settings: Any) -> Transport:
        settings = {
            "analytics_url": url,
            "token": TOKEN,
            "tenant_token": TENANT_TOKEN,
            "timeout": (5.0, 5.0),
            "quota": None,
            "sleep": slept.append,
            "random": lambda: 1.0,
            **settings,
        }
        transport = Transport(base_url=url, **settings)
        made.append(transport)
        return transport

    yield build
    for transport in made:
        transport.close()


@pytest.fixture
def secrets() -> tuple[str, str]:
    return TOKEN, TENANT_TOKEN
