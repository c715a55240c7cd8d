"""From an error status to the exception for it: what Planhat said, and what to do about it.

Imports ``planhat_orm.errors`` and its siblings in ``wire`` only. It does not promise that a message of Planhat's is
found: the bodies of its errors are not documented, beyond that they are "an object or a plain string".
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from planhat_orm.errors import (
    ApiError,
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
)
from planhat_orm.wire.retry import LONGEST_WAIT, asked_wait

__all__ = ["api_error", "excerpt", "parse_body"]

_EXCERPT = 200
_MARKUP_READ = 20_000
_MESSAGE_KEYS = ("message", "error", "errors", "detail")

_CLASSES: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
}

_TOO_LONG = "The address, a header or the body is too long: send fewer items at a time"
_HINTS: Mapping[int, str] = {
    400: "Planhat refuses the values: usually a required key is missing or a key exists already",
    401: "A wrong token, or a token of another region (set PLANHAT_REGION)",
    403: "The token's Private App lacks this permission: grant it in Planhat's App Center",
    404: "There is no such record (or no such path)",
    407: "The proxy wants to be told who you are: check the HTTPS_PROXY setting",
    413: _TOO_LONG,
    414: _TOO_LONG,
    431: _TOO_LONG,
    429: "More than 200 requests a minute, by this program or another with the same token: let several processes "
    "share one quota (Quota.sqlite, Quota.redis)",
}
_SERVER_HINT = "A failure on Planhat's side: try again later, then ask its support"


def api_error(
    *, request: str, host: str, status: int, headers: Mapping[str, str], text: str, attempts: int
) -> ApiError:
    """Build the exception for an error status, with what the body says and a hint.

    >>> error = api_error(request="GET /companies", host="api-eu3.planhat.com", status=401, headers={},
    ...                   text='{"message": "Unauthorized"}', attempts=1)
    >>> type(error).__name__, str(error)[:65]
    ('Unauthorized', '401 from api-eu3.planhat.com for GET /companies: Unauthorized. A ')
    """
    body = parse_body(text)
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    said = _said(body, text)
    # What Planhat says goes before a guess of ours, which may contradict it.
    guess = _hint(status, headers) if status != 400 or _says_nothing(body) else ""
    parts = [f"{status} from {host} for {request}{tries}: {said}", guess]
    error_class = _CLASSES.get(status, ServerError if status >= 500 else ApiError)
    return error_class(
        ". ".join(part.rstrip(". ") for part in parts if part) + ".",
        status=status,
        body=body,
        headers=headers,
        request=request,
        attempts=attempts,
    )


def parse_body(text: str) -> Any:
    """Return an error's body as parsed JSON if it is JSON, else as text.

    >>> parse_body('{"error": "no"}'), parse_body("Failed to create company")
    ({'error': 'no'}, 'Failed to create company')
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def excerpt(text: str, limit: int = _EXCERPT) -> str:
    """Return the readable beginning of ``text`` on one line, without markup.

    >>> excerpt("<html><head><style>p {}</style></head><body><h1>502</h1><p>Bad&nbsp;gateway</p></body></html>")
    '502 Bad gateway'
    """
    text = text[:_MARKUP_READ]
    if re.match(r"\s*<", text):
        text = re.sub(r"(?is)<(script|style)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", " ", text)
        text = html.unescape(re.sub(r"<[^>]*>?", " ", text))
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def _said(body: Any, text: str) -> str:
    if isinstance(body, str):
        return excerpt(body) or "(no message)"
    found = _message(body)
    return excerpt(found if found else text) or "(no message)"


def _says_nothing(body: Any) -> bool:
    """Tell whether an error body has no message in it: it is empty, or no more than brackets."""
    return not (excerpt(body) if isinstance(body, str) else _message(body) or body)


def _message(body: Any, depth: int = 3) -> str:
    """Find the message in an error body; clients that run against Planhat look for these keys, in this order."""
    if isinstance(body, str):
        return body
    if isinstance(body, Mapping):
        found = (_message(body[key], depth - 1) for key in _MESSAGE_KEYS if body.get(key) and depth)
        return next((message for message in found if message), "")
    if isinstance(body, list) and depth:
        messages = [_message(item, depth - 1) or str(item) for item in body[:3]]
        return "; ".join(messages) + ("; …" if len(body) > 3 else "")
    return ""


def _hint(status: int, headers: Mapping[str, str]) -> str:
    if 300 <= status < 400:
        return f"It points to {_target(headers)}; redirects are not followed, since the token would go there too"
    asked = asked_wait(status, headers)
    if asked is not None and asked > LONGEST_WAIT:
        return f"Planhat asks to wait {asked:.0f} s, which is more than a script should sleep: run it again then"
    return _HINTS.get(status, _SERVER_HINT if status >= 500 else "")


def _target(headers: Mapping[str, str]) -> str:
    """Where a redirect points, without its query and user info, which may hold somebody's secrets."""
    location = next((value for name, value in headers.items() if name.lower() == "location"), "")
    try:
        parts = urlsplit(location)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path
    except ValueError:
        shown = location
    return excerpt(shown) or "nowhere (it has no Location header)"
