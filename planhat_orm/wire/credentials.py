"""The secrets of one connection: how they are put on a request, and kept out of everything else.

Imports ``planhat_orm.errors`` only. It does not promise to hide a secret from a debugger, nor one that the caller
keeps in a variable of its own.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex
from urllib.parse import quote
from weakref import WeakSet

from requests.auth import AuthBase

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from requests import PreparedRequest

__all__ = ["TENANT", "Credentials", "HeaderAuth", "Masked", "NoAuth"]

# Stands in a Request's path for the tenant token, which the analytics host wants in the URL.
TENANT = "{tenant}"

_MASK = "***"
# Shorter ones are test stand-ins such as "token", and replacing those would garble the text.
_SHORTEST_SCRUBBED = 8


class Masked(str):
    """Text that is sent as it is and shown as ``***``, wherever a frame or a log shows it.

    >>> Masked("secret"), f"{Masked('secret')}", Masked("secret") == "secret"
    (***, '***', True)
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Masked:
        return super().__new__(cls, text[:])  # the slice is plain text: str() of a masked one would be the mask

    def __repr__(self) -> str:
        return _MASK

    def __str__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return str, (_MASK,)


class HeaderAuth(AuthBase):
    """Sets one Authorization header; given per request, so that a ``.netrc`` cannot replace it.

    >>> HeaderAuth(Masked("Bearer secret"))
    HeaderAuth(***)
    """

    __slots__ = ("_header",)

    def __init__(self, header: Masked) -> None:
        self._header = header

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = self._header
        return r

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_MASK})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and cannot be pickled or copied")


class NoAuth(AuthBase):
    """Sets no Authorization header; given all the same, so that a ``.netrc`` cannot put one there.

    >>> NoAuth()
    NoAuth()
    """

    __slots__ = ()

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        return r

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Credentials:
    """The API token, which goes into a header, and the tenant token, which the analytics host wants in the path.

    ``bearer`` authenticates with the API token, ``tenant`` with the tenant token as a Basic user name, which is
    what the Segment endpoint takes (https://www.planhat.com/developers/api/authentication-limits), ``none`` not at all.

    >>> Credentials("an-api-token").scrub("no access for an-api-token")
    'no access for ***'
    """

    __slots__ = ("__weakref__", "_secrets", "_tenant_token", "bearer", "none", "tenant")

    def __init__(self, token: str, tenant_token: str = "") -> None:
        token, tenant_token = Masked(token.strip()), Masked(tenant_token.strip())
        _check(token, "token", "PLANHAT_API_TOKEN")
        if tenant_token:
            _check(tenant_token, "tenant token", "PLANHAT_TENANT_TOKEN")
        self._tenant_token = tenant_token
        basic = b64encode(str.__add__(tenant_token, ":").encode()).decode()
        self.bearer = HeaderAuth(Masked("Bearer " + token))
        self.tenant = HeaderAuth(Masked("Basic " + basic))
        self.none = NoAuth()
        forms = [token, quote(token, safe=""), tenant_token, quote(tenant_token, safe=""), basic]
        self._secrets = tuple(
            sorted({Masked(form) for form in forms if len(form) >= _SHORTEST_SCRUBBED}, key=len, reverse=True)
        )
        _hide_in_logs(self)

    def fill(self, url: str) -> str:
        """Return ``url`` with the tenant token in place of ``{tenant}``; the result is for the wire alone."""
        if TENANT not in url:
            return url
        if not self._tenant_token:
            raise ConfigurationError("this request needs the tenant token: set PLANHAT_TENANT_TOKEN or tenant_token=")
        return url.replace(TENANT, quote(self._tenant_token, safe=""))

    def way(self, auth: str) -> AuthBase:
        """Return what authenticates a request in the way that it names: ``"token"``, ``"tenant"`` or ``"none"``."""
        ways: dict[str, AuthBase] = {"token": self.bearer, "tenant": self.tenant, "none": self.none}
        return ways[auth]

    def scrub(self, text: str) -> str:
        """Return ``text``, which came from outside, without the secrets it may repeat."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_MASK})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and cannot be pickled or copied")


def _check(secret: str, name: str, variable: str) -> None:
    # Planhat's tokens are opaque, so that only what no header can carry is refused (requests would raise an error
    # that quotes the value).
    if not secret:
        raise ConfigurationError(f"the {name} is blank: set {variable}")
    if not all("!" <= character <= "~" for character in secret):
        raise ConfigurationError(
            f"the {name} holds a space, a line break or a character beyond ASCII: check {variable}"
        )


class _HideSecrets(logging.Filter):
    """Takes the secrets out of what urllib3 logs at DEBUG: it writes whole URLs, the analytics ones too."""

    def __init__(self) -> None:
        super().__init__()
        self.known: WeakSet[Credentials] = WeakSet()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        scrubbed = message
        for credentials in list(self.known):
            scrubbed = credentials.scrub(scrubbed)
        if scrubbed != message:
            record.msg, record.args = scrubbed, ()
        return True


_hider = _HideSecrets()


def _hide_in_logs(credentials: Credentials) -> None:
    _hider.known.add(credentials)
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_hider)  # adding it again changes nothing
