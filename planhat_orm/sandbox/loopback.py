"""Keep a test from reaching any other host: connections and name look-ups beyond loopback raise.

Imports errors only. It guards Python's sockets, and does not promise to hold back a library that brings its own network
code, or another process.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def is_loopback(host: object) -> bool:
    """Tell whether a host, by name or by address, is this machine.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("api.planhat.com")
    (True, True, True, False)
    """
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def only_loopback() -> Iterator[None]:
    """Refuse everything but loopback inside the block.

    >>> with only_loopback():
    ...     socket.create_connection(("api.planhat.com", 443))
    Traceback (most recent call last):
        ...
    planhat_orm.errors.ConfigurationError: ... a connection to 'api.planhat.com'...
    """
    # No OSError: it would be taken for a network failure, and tried again.
    replaced = {"connect": socket.socket.connect, "connect_ex": socket.socket.connect_ex}
    look_up = socket.getaddrinfo
    for name, original in replaced.items():
        setattr(socket.socket, name, _guarded(original))

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(host)
        return look_up(host, *args, **kwargs)

    socket.getaddrinfo = guarded_look_up
    try:
        yield
    finally:
        socket.getaddrinfo = look_up
        for name, original in replaced.items():
            setattr(socket.socket, name, original)


def _guarded(original: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return original(self, address)

    return guarded


def _check(host: object) -> None:
    if not is_loopback(host):
        raise ConfigurationError(
            f"the planhat_sandbox fixture refused a connection to {host!r}: "
            "a test that uses it reaches this machine only"
        )
