"""Where Planhat is and who asks: token, region, hosts, read-only, from arguments and the environment.

Imports errors only. It does not check that a token is right or that a region exists: only Planhat can tell, and answers
401 to both.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HOST = "https://api.planhat.com"
DEMO_HOST = "https://api.planhatdemo.com"
ANALYTICS_HOST = "https://analytics.planhat.com"

HOW_TO_CONNECT = (
    "no Planhat API token: set the environment variable PLANHAT_API_TOKEN or pass token=... "
    "(Planhat gives one to a Private App, in its App Center). "
    "To try things without an account: `planhat demo`, or `with planhat_orm.sandbox.Sandbox() as box, box.session():`"
)

_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_SWITCH = {"": False, "0": False, "false": False, "no": False, "off": False}
_SWITCH |= {"1": True, "true": True, "yes": True, "on": True}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session needs to reach Planhat. The tokens are left out of its ``repr``."""

    token: str = field(repr=False)
    base_url: str
    analytics_url: str
    tenant_token: str | None = field(default=None, repr=False)
    read_only: bool = False


def host_of(region: str) -> str:
    """Return the address of a region's API.

    :param region: "" for the default host, a cluster's name ("eu3", "us2"), or "demo".
    :raises ConfigurationError: for what cannot be a cluster's name.

    Sources: https://www.planhat.com/developers/api/introduction names the default host; the clusters' pattern
    api-NAME.planhat.com is that of Planhat's documentation until 2022 and still in use.

    >>> host_of(""), host_of("eu3"), host_of("demo")
    ('https://api.planhat.com', 'https://api-eu3.planhat.com', 'https://api.planhatdemo.com')
    """
    name = region.strip().lower()
    if name == "":
        return DEFAULT_HOST
    if name == "demo":
        return DEMO_HOST
    if not _REGION.match(name):
        raise ConfigurationError(
            f"{region!r} is no Planhat region; use '' for the default host, a cluster's name such as 'eu3' or 'us2', "
            "'demo', or pass the whole address as base_url"
        )
    return f"https://api-{name}.planhat.com"


def resolve(
    *,
    token: str | None = None,
    region: str | None = None,
    base_url: str | None = None,
    analytics_url: str | None = None,
    tenant_token: str | None = None,
    read_only: bool | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Combine arguments with the environment; an argument wins over its variable, an address over a region.

    The variables are PLANHAT_API_TOKEN, PLANHAT_REGION, PLANHAT_BASE_URL, PLANHAT_ANALYTICS_URL,
    PLANHAT_TENANT_TOKEN and PLANHAT_READ_ONLY.

    :raises ConfigurationError: without a token, for a bad region, or for both ``region`` and ``base_url``.

    >>> resolve(token="t", environ={"PLANHAT_REGION": "eu3"}).base_url
    'https://api-eu3.planhat.com'
    """
    env = os.environ if environ is None else environ
    if region is not None and base_url is not None:
        raise ConfigurationError("pass region= or base_url=, not both: a region stands for an address")
    found = (token if token is not None else env.get("PLANHAT_API_TOKEN", "")).strip()
    if not found:
        raise ConfigurationError(HOW_TO_CONNECT)
    if not found.isascii() or not found.isprintable() or " " in found:
        raise ConfigurationError("the Planhat API token holds spaces, line breaks or letters that no token has")
    if base_url is None and region is None:
        base_url = env.get("PLANHAT_BASE_URL") or None
    address = (
        base_url if base_url is not None else host_of(region if region is not None else env.get("PLANHAT_REGION", ""))
    )
    return Settings(
        token=found,
        base_url=checked_address(address),
        analytics_url=checked_address(analytics_url or env.get("PLANHAT_ANALYTICS_URL") or ANALYTICS_HOST),
        tenant_token=(tenant_token or env.get("PLANHAT_TENANT_TOKEN") or "").strip() or None,
        read_only=read_only if read_only is not None else switch("PLANHAT_READ_ONLY", env),
    )


def checked_address(address: str) -> str:
    """Return an address without its trailing slash; refuse what is none.

    >>> checked_address("https://api.planhat.com/")
    'https://api.planhat.com'
    """
    if not re.match(r"https?://[^/\s]+", address):
        raise ConfigurationError(f"{address!r} is no address; it starts with https:// (http:// only on this machine)")
    return address.rstrip("/")


def switch(variable: str, environ: Mapping[str, str]) -> bool:
    """Read an on/off variable; anything but a known word is an error, so that a typing slip cannot turn writes on.

    >>> switch("PLANHAT_READ_ONLY", {"PLANHAT_READ_ONLY": "yes"})
    True
    """
    word = environ.get(variable, "").strip().lower()
    if word not in _SWITCH:
        raise ConfigurationError(
            f"{variable}={environ[variable]!r} is neither on (1, true, yes) nor off (0, false, no)"
        )
    return _SWITCH[word]
