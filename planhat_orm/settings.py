"""Where Planhat is and who asks: token, region, hosts, read-only, from arguments and the environment.

Imports errors only. It does not check that a token is right or that a region exists: only Planhat can tell, and answers
401 to both.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANALYTICS_HOST", "DEFAULT_HOST", "DEMO_HOST", "HOW_TO_TRY", "NO_TOKEN", "Settings", "host_of", "resolve"]

DEFAULT_HOST = "https://api.planhat.com"
DEMO_HOST = "https://api.planhatdemo.com"
ANALYTICS_HOST = "https://analytics.planhat.com"

HOW_TO_TRY = (
    "To try things without an account: `planhat demo`, or `planhat sandbox`, which prints the variables to set, "
    "or in Python `with planhat_orm.sandbox.Sandbox() as box, box.session():`"
)
NO_TOKEN = (
    "no Planhat API token: set the environment variable PLANHAT_API_TOKEN or pass token=... (Planhat gives one to a "
    f"Private App, in its App Center). {HOW_TO_TRY}"
)

# Short, so that a token that landed in the wrong variable is not looked up as a host name.
_REGION = re.compile(r"(?=.{1,20}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_HOST_OF_A_REGION = re.compile(r"(?:https?://)?(?:api|app)-([a-z0-9-]{1,20}?)(?:\.planhat\.com)?/?")
# Without a user, a query or a fragment, where secrets may be.
_ADDRESS = re.compile(r"https?://[^/\s@?#]+(/[^\s?#]*)?")
_WORDS = {"": False, "0": False, "false": False, "no": False, "off": False}
_WORDS |= {"1": True, "true": True, "yes": True, "on": True}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session needs to reach Planhat. The tokens are left out of its ``repr``, and it cannot be pickled."""

    token: str = field(repr=False)
    base_url: str
    analytics_url: str
    tenant_token: str = field(default="", repr=False)
    read_only: bool = False

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("Settings hold a token and cannot be pickled or copied")


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
    meant = _HOST_OF_A_REGION.fullmatch(name)
    if meant:
        raise ConfigurationError(f"{name!r} is no Planhat region but a host; did you mean region={meant[1]!r}?")
    if not _REGION.fullmatch(name):
        # The value is not repeated: it may be a token that was put into the wrong variable.
        raise ConfigurationError(
            "the region (region= or PLANHAT_REGION) is none of Planhat's: use '' for the default host, a cluster's "
            "name such as 'eu3' or 'us2', or 'demo'; a whole address goes into base_url= or PLANHAT_BASE_URL"
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
    PLANHAT_TENANT_TOKEN and PLANHAT_READ_ONLY. A variable that is set to nothing counts as not set.

    :param environ: in place of the process's environment.
    :raises ConfigurationError: without a token, for a bad region or address, for both ``region`` and ``base_url``, or
        for a value that is no text (``read_only``: no bool).

    >>> resolve(token="t", environ={"PLANHAT_REGION": "eu3"}).base_url
    'https://api-eu3.planhat.com'
    """
    for name, given in (("region", region), ("base_url", base_url), ("analytics_url", analytics_url)):
        _check_kind(name, given, str, "text")
    _check_kind("token", token, str, "text")
    _check_kind("tenant_token", tenant_token, str, "text")
    _check_kind("read_only", read_only, bool, "True or False")
    if region is not None and base_url is not None:
        raise ConfigurationError("pass region= or base_url=, not both: a region stands for an address")
    if region is None and base_url is None:
        base_url = _variable("PLANHAT_BASE_URL", environ) or None
    address = _address("base_url", base_url) if base_url is not None else host_of(_region(region, environ))
    analytics = analytics_url or _variable("PLANHAT_ANALYTICS_URL", environ) or ANALYTICS_HOST
    # No local variable holds a token, so that a traceback that shows them does not show it.
    if not (_variable("PLANHAT_API_TOKEN", environ) if token is None else token.strip()):
        raise ConfigurationError(NO_TOKEN)
    return Settings(
        token=_variable("PLANHAT_API_TOKEN", environ) if token is None else token.strip(),
        base_url=address,
        analytics_url=_address("analytics_url", analytics),
        tenant_token=_variable("PLANHAT_TENANT_TOKEN", environ) if tenant_token is None else tenant_token.strip(),
        read_only=_switch("PLANHAT_READ_ONLY", environ) if read_only is None else read_only,
    )


def _check_kind(name: str, given: object, kind: type, words: str) -> None:
    """Refuse an argument of another type without repeating it: a text such as "no" would count as true."""
    if given is not None and not isinstance(given, kind):
        raise ConfigurationError(f"{name}= is {words}, not {type(given).__name__}")


def _variable(name: str, environ: Mapping[str, str] | None) -> str:
    return (os.environ if environ is None else environ).get(name, "").strip()


def _region(region: str | None, environ: Mapping[str, str] | None) -> str:
    return _variable("PLANHAT_REGION", environ) if region is None else region


def _address(name: str, address: str) -> str:
    """Return an address without its trailing slash; refuse what is none, without repeating it."""
    if not _ADDRESS.fullmatch(address):
        raise ConfigurationError(
            f"{name} (or PLANHAT_{name.upper()}) is no address of an API: that is one such as {DEFAULT_HOST}, with "
            "https:// (http:// on this machine only) and without user, query or fragment"
        )
    return address.rstrip("/")


def _switch(variable: str, environ: Mapping[str, str] | None) -> bool:
    """Read an on/off variable; anything but a known word is an error, so that a typing slip cannot turn writes on."""
    word = _variable(variable, environ).lower()
    if word not in _WORDS:
        raise ConfigurationError(f"{variable} is neither on (1, true, yes) nor off (0, false, no): {word[:20]!r}")
    return _WORDS[word]
