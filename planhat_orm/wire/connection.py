"""The ``requests.Session`` of our own: without cookies and redirects, for which a Planhat client has no use.

Imports requests only. It does not promise to be a session for other purposes.
"""

from __future__ import annotations

import os
import sys
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

__all__ = ["VERSION", "OwnSession", "new_session"]

# As in setup.cfg: to look through all installed packages for it takes longer than a request to a near server.
VERSION = "0.1.0"
_POOL = 50  # the API takes at most 50 requests at a time (https://www.planhat.com/developers/api/introduction)
# What requests reads of the environment for each request (https://requests.readthedocs.io/en/latest/user/advanced/#proxies).
_READ = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_VARIABLES = (*_READ, *(name.lower() for name in _READ), "REQUEST_METHOD", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Elsewhere the settings of the system count, too, and they may change unseen.
_ENVIRONMENT_IS_ALL = sys.platform not in ("win32", "darwin", "cygwin")


class OwnSession(requests.Session):
    """A session that sees no redirects, so that it does not prepare to follow one, and keeps no cookies.

    Proxies are looked for when the environment has changed, not for each request: requests goes through all variables
    for that, which is a fifth of the processor time of reading one record.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._known: dict[str, tuple[tuple[str | None, ...], dict[str, Any]]] = {}

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

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
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=_POOL, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
