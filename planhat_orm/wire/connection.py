"""The ``requests.Session`` of our own: what it leaves out of requests because a Planhat client has no use for it.

Imports requests only. It does not promise to be a session for other purposes: it keeps no cookies, sees no redirects
and expects addresses that are quoted already.
"""

from __future__ import annotations

import os
import sys
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

__all__ = ["VERSION", "OwnSession", "new_session"]

# As in setup.cfg: to look through all installed packages for it takes longer than a request to a near server.
VERSION = "0.1.0"
_POOL = 50  # the API takes at most 50 requests at a time (https://www.planhat.com/developers/api/introduction)
# What requests reads of the environment for each request (https://requests.readthedocs.io/en/latest/user/advanced/#proxies).
_READ = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_VARIABLES = (*_READ, *(name.lower() for name in _READ), "REQUEST_METHOD", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Elsewhere the settings of the system count, too, and they may change unseen.
_ENVIRONMENT_IS_ALL = sys.platform not in ("win32", "darwin", "cygwin")


class OwnAdapter(HTTPAdapter):
    """Remembers the connection pool of a host, which requests looks up anew for each request."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # Called when it is made, and again after a fork, where the pools of the parent must not be used.
        self._pools: dict[tuple[str, Any], Any] = {}
        super().init_poolmanager(*args, **kwargs)

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """Return the pool for the host of a request."""
        if proxies or cert:
            return super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        place = (host_of(request.url), verify)
        pool = self._pools.get(place)
        if pool is None:
            pool = self._pools[place] = super().get_connection_with_tls_context(request, verify)
        return pool

    def request_url(self, request: Any, proxies: Any) -> str:
        """Return the part of the address that a request names."""
        path: str = request.url[len(host_of(request.url)) :]
        if proxies or not path.startswith("/") or path.startswith("//"):
            return str(super().request_url(request, proxies))
        return path

    def close(self) -> None:
        """Close the idle connections; the next request opens new ones."""
        self._pools.clear()
        super().close()


class OwnSession(requests.Session):
    """A session that sees no redirects, so that it does not prepare to follow one, and keeps no cookies.

    What requests does for each request anew, at the price of sending one over loopback, is done once here: looking
    for proxies among all variables of the environment, and merging the settings of session and request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._known: dict[str, tuple[tuple[str | None, ...], dict[str, Any]]] = {}

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request; a plain GET as it is, since its address is quoted and it carries no more than headers."""
        if request.method != "GET" or request.data or not callable(request.auth):
            return super().prepare_request(request)
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = "GET", str(request.url)
        headers: dict[str, Any] = {**self.headers, **request.headers}
        prepared.headers = CaseInsensitiveDict(headers)
        request.auth(prepared)
        return prepared

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return proxies and certificates; those of the last request as long as the environment is the same."""
        if not _ENVIRONMENT_IS_ALL or proxies or verify is not None or cert is not None:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        host = host_of(str(url))
        now = tuple(map(os.environ.get, _VARIABLES))
        known = self._known.get(host)
        if known is None or known[0] != now:
            known = self._known[host] = (now, dict(super().merge_environment_settings(url, {}, None, None, None)))
        return {**known[1], "stream": stream, "proxies": dict(known[1]["proxies"])}


def host_of(url: str) -> str:
    """Return the beginning of an address, up to its path.

    >>> host_of("https://api.planhat.com/companies?limit=5")
    'https://api.planhat.com'
    """
    return "/".join(url.split("/", 3)[:3])


def new_session() -> OwnSession:
    """Return a session that names the library, keeps connections and repeats nothing by itself."""
    session = OwnSession()
    session.headers["User-Agent"] = f"planhat_orm/{VERSION}"
    adapter = OwnAdapter(pool_connections=4, pool_maxsize=_POOL, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
