"""A threaded HTTP server on loopback, in a daemon thread: keeps connections open, and cuts them when a fault says so.

Needs Werkzeug, which comes with Flask. Imports the app. It does not promise to serve anyone but local tests: it binds
127.0.0.1 only.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from planhat_orm.errors import ConfigurationError
from planhat_orm.sandbox.app import EXCHANGE, Desk, create_app
from planhat_orm.sandbox.faults import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable
from contextlib import suppress

HOST = "127.0.0.1"
#: Seconds that stopping waits for a request that is being carried out.
PATIENCE = 5.0


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection, one after another."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out as two pieces; waiting for the client's acknowledgement between them costs 40 ms.
    disable_nagle_algorithm = True
    # Declared by the base class as any WSGI server.
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        """Let the server know of the connection, so that stopping ends it."""
        super().setup()
        self.server.open[threading.current_thread()] = self.connection

    def finish(self) -> None:
        """Forget the connection."""
        del self.server.open[threading.current_thread()]
        super().finish()

    def run_wsgi(self) -> None:
        """Serve one request. Werkzeug's own way closes the connection after each."""
        exchange = Exchange(stopping=self.server.stopping)
        self.environ = {**self.make_environ(), EXCHANGE: exchange}
        pieces, status, headers = run_wsgi_app(self.server.app, self.environ, buffered=True)
        try:
            if exchange.dropped:
                self._drop(reset=exchange.dropped == "reset")
            else:
                self._send(status, list(headers), b"".join(pieces), exchange)
        except OSError:
            # The client went away: it did not want to wait, or it has read enough.
            self.close_connection = True

    def _send(self, status: str, headers: Iterable[tuple[str, str]], body: bytes, exchange: Exchange) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD" or code == "204":
            return
        if exchange.cut_after is not None:
            self.wfile.write(body[: exchange.cut_after])
            self._drop(reset=False)
            return
        size, pause = exchange.drip or (len(body) or 1, 0.0)
        for start in range(0, len(body), size):
            if start and pause:
                exchange.stopping.wait(pause)
            self.wfile.write(body[start : start + size])

    def _drop(self, *, reset: bool) -> None:
        """End the connection now: with a reset, or as if the server had gone."""
        self.close_connection = True
        if reset:
            # Lingering for no time makes closing send a reset instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()
        else:
            self.connection.shutdown(socket.SHUT_RDWR)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing: the requests are in ``box.requests``."""


class Server(ThreadedWSGIServer):
    """The server of one sandbox; it runs from its making until ``stop``."""

    def __init__(self, desk: Desk, port: int = 0) -> None:
        #: The connections that are open, by the thread that serves each.
        self.open: dict[threading.Thread, socket.socket] = {}
        self.stopping = threading.Event()
        # Bound here, because Werkzeug ends the process when a port is taken.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as problem:
            listener.close()
            raise ConfigurationError(f"the sandbox cannot listen on {HOST}:{port}: {problem.strerror}") from None
        super().__init__(HOST, port, create_app(desk), Handler, fd=listener.fileno())
        listener.close()
        self._thread = threading.Thread(target=self._run, name=f"planhat-sandbox-{self.port}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.serve_forever(poll_interval=0.02)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """Stop listening, end every connection and wait for what is being carried out."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        for thread, connection in list(self.open.items()):
            # A fault's callback may stop the server from inside a request: that one ends by itself.
            if thread is not threading.current_thread():
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                thread.join(PATIENCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
