"""Every exception of the library, in one tree under :class:`PlanhatError`.

A message says what happened, to which object, why, and what to do about it. This module imports nothing of the
package, so that every layer may raise from it. It does not promise that a cause (``__cause__``) is of this tree:
network errors keep the ``requests`` exception behind them, without its headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import marshmallow

__all__ = [
    "AmbiguousWrite",
    "ApiError",
    "BadRequest",
    "BulkError",
    "ConfigurationError",
    "DecodeError",
    "FieldError",
    "FieldNotLoaded",
    "FilterIgnored",
    "Forbidden",
    "InvalidQuery",
    "MultipleObjectsReturned",
    "NotFound",
    "NotSupported",
    "ObjectDeleted",
    "ObjectDoesNotExist",
    "PaginationError",
    "PlanhatError",
    "RateLimited",
    "ReadOnlyError",
    "ServerError",
    "StaleObjectError",
    "TransportError",
    "Unauthorized",
    "UnknownField",
    "ValidationError",
]


class PlanhatError(Exception):
    """The root: ``except PlanhatError`` catches whatever this library raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only arguments do not unpickle by themselves: pickle calls cls(*args).
        return _rebuilt, (type(self), dict(self.__dict__), self.args)


class ConfigurationError(PlanhatError):
    """The session cannot be set up or chosen: a missing token, a bad region, no session for this thread."""


class ReadOnlyError(ConfigurationError):
    """A write was refused because the session is read-only (``read_only=True`` or ``PLANHAT_READ_ONLY=1``)."""


class FieldError(PlanhatError):
    """A field is used in a way it does not allow: a read-only one assigned, a value that is not loaded."""


class UnknownField(FieldError, AttributeError):
    """No field of that name; the message suggests the nearest one, also for Planhat's own spelling."""


class FieldNotLoaded(FieldError):
    """The field was not asked for and the queryset was told not to fetch it (``on_missing="raise"``)."""


class InvalidQuery(PlanhatError, ValueError, TypeError):
    """A query that cannot be meant: a negative index, a filter after a slice, a value of the wrong type."""


class NotSupported(PlanhatError):
    """Planhat (or this library) does not offer the operation; the message says what to do instead."""


class ValidationError(PlanhatError, marshmallow.ValidationError):
    """Values that may not be sent. ``messages`` maps each Python field name to its list of complaints.

    Raised before any request, with everything that is wrong, not only the first thing.
    """

    def __init__(self, message: str | Mapping[str, Any], *, model: str | None = None) -> None:
        self.model = model
        messages: Any = dict(message) if isinstance(message, Mapping) else message
        marshmallow.ValidationError.__init__(self, messages)

    def __str__(self) -> str:
        if not isinstance(self.messages, dict):
            return "; ".join(str(text) for text in self.messages)
        parts = [f"{name}: {_joined(texts)}" for name, texts in self.messages.items()]
        return f"{self.model or 'object'} is not valid: " + "; ".join(parts)


class DecodeError(PlanhatError):
    """A stored value cannot be read as its field's type. Only reading that field raises; the object stays usable."""


class ObjectDoesNotExist(PlanhatError):
    """``get()`` found nothing. Each model has its own subclass, ``Company.DoesNotExist``."""


class MultipleObjectsReturned(PlanhatError):
    """``get()`` found several records. Each model has its own subclass, ``Company.MultipleObjectsReturned``."""


class ObjectDeleted(PlanhatError):
    """The object was deleted, here or at Planhat; it can be read but not saved."""


class StaleObjectError(PlanhatError):
    """Planhat's value of a changed field moved since it was read. ``conflicts`` maps names to (theirs, ours)."""

    def __init__(self, message: str, *, conflicts: Mapping[str, tuple[Any, Any]] | None = None) -> None:
        super().__init__(message)
        self.conflicts = dict(conflicts or {})


class FilterIgnored(PlanhatError):
    """Planhat answered with rows that the filter sent to it excludes: it ignored the parameter.

    Raised before a row of that page is handed out. Planhat ignores list parameters that it does not know
    (https://www.planhat.com/developers/api/introduction).
    """


class PaginationError(PlanhatError):
    """The pages of a list contradict each other in a way that could lose or repeat records."""


class AmbiguousWrite(PlanhatError):
    """A create was sent and no answer says what became of it: the record may exist, once. It is never sent again.

    ``sent`` is what was sent, in Planhat's names; ``candidate`` the record that holds the same unique key with other
    values, if one was found.

    >>> AmbiguousWrite("the answer was lost", sent={"name": "Acme"}).sent
    {'name': 'Acme'}
    """

    def __init__(
        self, message: str, *, sent: Mapping[str, Any] | None = None, candidate: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.sent = dict(sent or {})
        self.candidate = dict(candidate) if candidate is not None else None


class BulkError(PlanhatError):
    """Some of a bulk write was not done, or may not have been. ``result`` is the Ledger: what became of each item.

    With ``on_error="collect"`` the ledger is returned instead.

    >>> BulkError("2: 1 updated, 1 failed", result=None).result is None
    True
    """

    def __init__(self, message: str, *, result: Any) -> None:
        super().__init__(message)
        self.result = result


class TransportError(PlanhatError):
    """No usable answer: the host was not reached, or the answer was lost on its way or cannot be read.

    ``sent`` tells what is known of the request: ``False`` it never left (Planhat has not seen it), ``True`` it may
    have been carried out. ``attempts`` counts how often it was tried, ``status`` is the HTTP status when there was
    an answer that cannot be read.
    """

    def __init__(self, message: str, *, sent: bool, attempts: int = 1, status: int | None = None) -> None:
        super().__init__(message)
        self.sent = sent
        self.attempts = attempts
        self.status = status


class ApiError(PlanhatError):
    """Planhat answered with an error status.

    ``status`` is the HTTP status, ``body`` the parsed JSON or else the text (``""`` when empty), ``headers`` the
    answer's headers, ``request`` a line such as ``"GET /companies"``, ``attempts`` how often it was tried.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: Any = "",
        headers: Mapping[str, str] | None = None,
        request: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.request = request
        self.attempts = attempts


class BadRequest(ApiError):
    """400: the payload is refused, usually a missing required key or a duplicate."""


class Unauthorized(ApiError):
    """401: a wrong token, or a token of another region."""


class Forbidden(ApiError):
    """403: the token's Private App lacks the permission."""


class NotFound(ApiError):
    """404: no such record, or no such path."""


class RateLimited(ApiError):
    """429: over the limit, still so after the retries. ``headers`` may hold ``Retry-After``."""


class ServerError(ApiError):
    """5xx: a failure on Planhat's side."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, or an empty string.

    >>> suggestion("nme", ["name", "email"])
    "; did you mean 'name'?"
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    return f"; did you mean {by_folded[close[0]]!r}?" if close else ""


def _joined(texts: Any) -> str:
    if isinstance(texts, Mapping):
        return "; ".join(f"{key}: {_joined(value)}" for key, value in texts.items())
    if isinstance(texts, (list, tuple)):
        return " ".join(str(text) for text in texts)
    return str(texts)


def _rebuilt(cls: type[PlanhatError], state: dict[str, Any], args: tuple[Any, ...]) -> PlanhatError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error
