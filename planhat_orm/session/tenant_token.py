"""The tenant token as far as a session knows it: whether there is one, and whether it can be one.

Imports errors and settings. It keeps nothing of the token itself: the transport has it.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Literal

from planhat_orm.errors import ConfigurationError

if TYPE_CHECKING:
    from planhat_orm.settings import Settings

__all__ = ["TenantToken"]

_log = logging.getLogger("planhat_orm.session")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")
WHERE = (
    "It is the tenant's UUID, shown in the developer section of Planhat's app, and not the API token "
    "(PLANHAT_API_TOKEN), which the analytics host does not take in its place"
)


class TenantToken:
    """What a session was given as its tenant token, without the token.

    :param given: "" for none, "api" for the API token, "odd" for what is no UUID, "uuid".

    >>> TenantToken("uuid").require("Metric.push()")
    """

    __slots__ = ("_given",)

    def __init__(self, given: Literal["", "api", "odd", "uuid"]) -> None:
        self._given = given

    @classmethod
    def of(cls, settings: Settings) -> TenantToken:
        """Look at the tenant token of the settings."""
        if not settings.tenant_token:
            return cls("")
        if settings.tenant_token == settings.token:
            return cls("api")
        return cls("uuid" if _UUID.fullmatch(settings.tenant_token) else "odd")

    def require(self, what: str) -> None:
        """Refuse to go on without a tenant token.

        >>> TenantToken("").require("Metric.push()")
        Traceback (most recent call last):
            ...
        planhat_orm.errors.ConfigurationError: Metric.push() needs the tenant token: set PLANHAT_TENANT_TOKEN ...
        """
        if not self._given:
            raise ConfigurationError(
                f"{what} needs the tenant token: set PLANHAT_TENANT_TOKEN or pass tenant_token=... to the session. "
                f"{WHERE}. Nothing was sent"
            )
        if self._given == "api":
            raise ConfigurationError(
                f"{what} needs the tenant token, and PLANHAT_TENANT_TOKEN (or tenant_token=) holds the API token. "
                f"{WHERE}. Nothing was sent"
            )
        if self._given == "odd":
            self._given = "uuid"
            _log.warning(
                "the tenant token (PLANHAT_TENANT_TOKEN) is no UUID, as Planhat's are: if it is wrong, what is sent "
                "with it is lost, and Planhat answers 200 all the same"
            )
