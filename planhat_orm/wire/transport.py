"""The one way to the network: send a Request, get a Response or one of the library's errors.

Imports ``planhat_orm.errors`` and its siblings in ``wire`` only. It does not promise that a request was carried out
once: where an answer is lost nobody here can know, and the error (or ``Response.repeated``) says so. It does not
promise a total time either: a timeout bounds each wait for the network, not the sum.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import random as _random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import exceptions as urllib3_errors

from planhat_orm.errors import ConfigurationError, NotFound, PlanhatError, TransportError, ValidationError
from planhat_orm.wire.answers import api_error, excerpt
from planhat_orm.wire.bodies import Body, read_body
from planhat_orm.wire.callbacks import Callbacks
from planhat_orm.wire.connection import new_session
from planhat_orm.wire.credentials import Credentials, Masked
from planhat_orm.wire.endpoints import build_url
from planhat_orm.wire.messages import Request, Response, Stats, encode_json
from planhat_orm.wire.retry import Decision, Fate, Replay, asked_wait, decide, fate_of_error, fate_of_status, reason_of

if TYPE_CHECKING:
    from planhat_orm.wire.quota import Quota

__all__ = ["Replay", "Request", "Response", "Stats", "Transport"]

Observer = Callable[[Request, Response | Exception], None]
Guard = Callable[[Request], None]

_log = logging.getLogger("planhat_orm.wire")
_LONG_WAIT = 5.0

# What the network may raise: requests wraps most of urllib3's errors, but not all, and none while a body is read raw.
_NETWORK_ERRORS = (requests.RequestException, urllib3_errors.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one attempt came to: an answer, or the reason why there is none that can be read."""

    fate: Fate
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    text: str = ""
    reason: str = ""
    cause: requests.RequestException | None = None


class Transport:
    """Sends requests to one tenant's hosts with its token, within its quota, repeating what may be repeated.

    ``base_url`` and ``analytics_url`` are the addresses of the API and the analytics host, https (plain http to
    loopback only). ``token`` is the API token, ``tenant_token`` the one for the analytics host's paths. ``timeout``
    is (connect, read) in seconds. ``quota`` limits the requests, None does not. ``http`` may be a ``requests.Session``
    of your own, whose adapters, proxies, certificates and headers are then used; it must not retry by itself.
    ``sleep`` and ``random`` are for tests. Threads may share a transport. No ``.netrc`` is read, no redirect followed,
    and a proxy of the environment is used for any host but this machine.

    >>> transport = Transport(base_url="https://api.planhat.com", analytics_url="https://analytics.planhat.com",
    ...                       token="an-api-token", quota=None)
    >>> transport
    Transport('https://api.planhat.com', stats=Stats(requests=0, retries=0, waited=0.0))
    >>> transport.close()
    """

    def __init__(
        self,
        *,
        base_url: str,
        analytics_url: str,
        token: str,
        tenant_token: str = "",
        timeout: tuple[float, float] = (5.0, 60.0),
        quota: Quota | None,
        http: requests.Session | None = None,
        max_attempts: int = 5,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self.stats = Stats()
        self._urls: dict[str, str] = {}
        # Masked at once, so that a traceback through this frame does not show them.
        token, tenant_token = Masked(token or ""), Masked(tenant_token or "")
        self._credentials = Credentials(token, tenant_token)
        self._urls = {"main": _checked_url(base_url), "analytics": _checked_url(analytics_url)}
        self._quota = quota.shared(urlsplit(base_url).netloc, token) if quota is not None else None
        self._timeout = _checked_timeout(timeout)
        self._http: requests.Session = new_session() if http is None else _checked_session(http)
        self._owns_http = http is None
        self._process = os.getpid()
        self._max_attempts = max(1, max_attempts)
        self._sleep = sleep
        self._random = random
        self._observers: Callbacks[Observer] = Callbacks()
        self._guards: Callbacks[Guard] = Callbacks()

    def send(self, request: Request) -> Response:
        """Send ``request`` and return its answer, parsed; repeats what the retry table allows.

        Raises :class:`ApiError` or the subclass for the status (a redirect too), and :class:`TransportError` when no
        readable answer came; :func:`planhat_orm.wire.retry.may_have_run` tells of either whether the request may have
        been carried out. A repeated DELETE that meets a 404 is a success.
        """
        try:
            response = self._send(request)
        except PlanhatError as error:
            self._tell(request, error)
            raise
        self._tell(request, response)
        return response

    def observe(self, callback: Observer) -> Callable[[], None]:
        """Call ``callback(request, response or error)`` after each ``send``; returns a function that stops it.

        It is called in the thread that sent the request. What it raises reaches the caller of ``send``.
        """
        return self._observers.add(callback)

    def guard(self, callback: Guard) -> Callable[[], None]:
        """Call ``callback(request)`` before each attempt, repeated ones too; returns a function that stops it.

        What it raises keeps the attempt from being sent: a budget is kept that way.
        """
        return self._guards.add(callback)

    @property
    def per_minute(self) -> int | None:
        """How many requests a minute the quota allows; None without one."""
        return None if self._quota is None else self._quota.per_minute

    def close(self) -> None:
        """Close the idle connections; a ``requests.Session`` that was given stays open."""
        if self._owns_http:
            self._http.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._urls.get('main')!r}, stats={self.stats!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Transport holds a token and open connections: it cannot be pickled or copied")

    # -- the loop ---------------------------------------------------------------------------------------------------

    def _send(self, request: Request) -> Response:
        body = _encoded(request)
        lost: PlanhatError | None = None  # how an earlier attempt ended that may have been carried out
        number_of_attempt = 0
        while True:
            number_of_attempt += 1
            attempt = self._attempt(request, body, number_of_attempt)
            if attempt.fate is Fate.DONE:
                return self._response(attempt, number_of_attempt, repeated=lost is not None)
            error = self._error(request, attempt, number_of_attempt, lost)
            if lost is not None and request.method == "DELETE" and isinstance(error, NotFound):
                return self._response(attempt, number_of_attempt, repeated=True)
            decision = decide(
                attempt.fate,
                request.replay,
                attempt=number_of_attempt,
                max_attempts=self._max_attempts,
                asked=asked_wait(attempt.status or 0, attempt.headers),
                halvable=request.halvable,
                random=self._random,
            )
            if not decision.again:
                raise error from (attempt.cause or lost)
            if attempt.fate in (Fate.LOST, Fate.SLOW):
                lost = error
            self._wait(request, attempt, decision)

    def _wait(self, request: Request, attempt: _Attempt, decision: Decision) -> None:
        self.stats.add(retries=1)
        if decision.everyone and self._quota is not None:
            self._quota.pause(decision.wait)  # the next attempt waits for it, as every other thread does
            return
        level = logging.WARNING if decision.wait > _LONG_WAIT else logging.DEBUG
        seen = attempt.status or attempt.reason
        _log.log(level, "%s: %s (%s); again in %.1f s", request, attempt.fate.value, seen, decision.wait)
        self.stats.add(waited=decision.wait)
        self._sleep(decision.wait)

    def _tell(self, request: Request, outcome: Response | Exception) -> None:
        for observer in self._observers:
            observer(request, outcome)

    def _response(self, attempt: _Attempt, attempts: int, *, repeated: bool) -> Response:
        return Response(
            status=attempt.status or 0,
            headers=attempt.headers,
            data=attempt.data,
            attempts=attempts,
            repeated=repeated,
        )

    # -- one attempt ------------------------------------------------------------------------------------------------

    def _attempt(self, request: Request, body: bytes | None, number_of_attempt: int) -> _Attempt:
        for guard in self._guards:
            guard(request)
        waiting_since = time.monotonic()
        with self._permit():
            self.stats.add(requests=1, waited=time.monotonic() - waiting_since if self._quota else 0.0)
            started = time.monotonic()
            attempt = self._exchange(request, body)
        _log.debug(
            "%s %s in %.0f ms (attempt %d)",
            request,
            attempt.reason or attempt.status,
            (time.monotonic() - started) * 1000,
            number_of_attempt,
        )
        return attempt

    def _permit(self) -> AbstractContextManager[None]:
        return nullcontext() if self._quota is None else self._quota.permit()

    def _exchange(self, request: Request, body: bytes | None) -> _Attempt:
        """Send once. Nothing is raised from inside an ``except``: the network's exception holds the token's header."""
        url = self._credentials.fill(build_url(self._urls[request.host], request.path, request.params))
        if self._process != os.getpid():
            self._leave_connections_to_parent()
        prepared = self._http.prepare_request(
            requests.Request(
                request.method,
                url,
                headers=_headers(body),
                data=body,
                auth=self._credentials.way(request.auth),
            )
        )
        settings = self._http.merge_environment_settings(url, {}, True, None, None)
        if _is_loopback(_host(self._urls[request.host])):
            settings["proxies"] = {}
        timeout = request.timeout or self._timeout
        try:
            answer = self._http.send(prepared, allow_redirects=False, timeout=timeout, **settings)
        except _NETWORK_ERRORS as error:
            return self._failure(error, fate_of_error(error))
        try:
            return self._read(request, answer)
        finally:
            answer.close()

    def _leave_connections_to_parent(self) -> None:
        """Open connections of our own after a fork: on shared ones two processes would read each other's answers."""
        adapters: list[Any] = [one for one in self._http.adapters.values() if isinstance(one, HTTPAdapter)]
        for adapter in adapters:
            adapter.__setstate__(adapter.__getstate__())  # what unpickling does: the same settings, empty pools
        self._process = os.getpid()

    def _read(self, request: Request, answer: requests.Response) -> _Attempt:
        status = answer.status_code
        headers = CaseInsensitiveDict((name, self._credentials.scrub(value)) for name, value in answer.headers.items())
        fate = fate_of_status(status, headers)
        if fate is not Fate.DONE:
            return _Attempt(fate, status, headers, text=self._credentials.scrub(_error_text(answer)))
        try:
            data = _parsed(request, status, read_body(answer))
        except _NETWORK_ERRORS as error:
            slow = fate_of_error(error) is Fate.SLOW
            return self._failure(error, Fate.SLOW if slow else Fate.LOST, status)
        except ValueError as error:
            reason = "the body is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            return _Attempt(Fate.LOST, status, headers, reason=self._credentials.scrub(reason))
        return _Attempt(fate, status, headers, data=data)

    def _failure(self, error: Exception, fate: Fate, status: int | None = None) -> _Attempt:
        """Keep the kind and the text of a network exception; the exception itself holds the request's headers."""
        kinds = (
            requests.exceptions.ReadTimeout,
            requests.exceptions.ConnectTimeout,
            requests.exceptions.SSLError,
            requests.exceptions.ProxyError,
            requests.exceptions.ChunkedEncodingError,
        )
        kind = next((kind for kind in kinds if isinstance(error, kind)), requests.exceptions.ConnectionError)
        if fate is Fate.SLOW:
            kind = requests.exceptions.ReadTimeout
        scrub = self._credentials.scrub
        return _Attempt(fate, status, reason=excerpt(scrub(reason_of(error))), cause=kind(scrub(str(error))))

    # -- errors -----------------------------------------------------------------------------------------------------

    def _error(self, request: Request, attempt: _Attempt, attempts: int, lost: PlanhatError | None) -> PlanhatError:
        host = _host(self._urls[request.host])
        if attempt.status is not None and not 200 <= attempt.status < 300:
            return api_error(
                request=str(request),
                host=host,
                status=attempt.status,
                headers=attempt.headers,
                text=attempt.text,
                attempts=attempts,
            )
        sent = lost is not None or attempt.fate in (Fate.LOST, Fate.SLOW)
        return TransportError(
            _no_answer(request, host, attempt, attempts, sent=sent, timeout=request.timeout or self._timeout),
            sent=sent,
            attempts=attempts,
            status=attempt.status,
        )


def _no_answer(
    request: Request, host: str, attempt: _Attempt, attempts: int, *, sent: bool, timeout: tuple[float, float]
) -> str:
    """Say what happened to a request without a readable answer, why, and what to do."""
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    if attempt.fate is Fate.UNSENDABLE:
        what = f"cannot be sent to {host}: {attempt.reason}. Check the certificates and REQUESTS_CA_BUNDLE"
    elif attempt.fate is Fate.NEVER_SENT:
        check = (
            "Check that the sandbox is running"
            if _is_loopback(host)
            else "Check the network, the proxy and PLANHAT_REGION"
        )
        what = f"did not reach {host}{tries}: {attempt.reason}. {check}"
    elif attempt.status is not None:
        what = f"was answered {attempt.status} by {host}{tries}, but the body cannot be read: {attempt.reason}"
    elif attempt.fate is Fate.SLOW:
        what = f"had no answer from {host} within {timeout[1]:g} s{tries}. A longer timeout= or a smaller page may help"
    else:
        what = f"lost its answer from {host}{tries}: {attempt.reason}"
    doubt = ". It may have been carried out" if sent and request.method not in ("GET", "HEAD") else ""
    return f"{request} {what}{doubt}."


def _error_text(answer: requests.Response) -> str:
    """Return an error's body as text, whatever it claims to be; its status says enough where it cannot be read."""
    try:
        content: bytes = answer.raw.read(decode_content=True) or answer.content
    except _NETWORK_ERRORS:
        return ""
    found = re.search(r"charset=[\"']?([A-Za-z0-9_.:-]+)", answer.headers.get("Content-Type", ""))
    try:
        return content.decode(found[1] if found else "utf-8", errors="replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", errors="replace")


def _parsed(request: Request, status: int, body: Body) -> Any:
    """Parse a successful body once; raise ValueError for one that cannot be meant."""
    if body.is_blank:
        if request.method == "GET" and status == 200:
            # A read always answers with JSON; an empty body is an answer cut off before it began.
            raise ValueError("the body is empty")
        return None
    try:
        return body.parsed()
    except (ValueError, RecursionError) as error:
        if request.host == "analytics":
            return body.text  # its answers only acknowledge, in a form that is not documented
        raise ValueError(f"the body is not JSON ({error}): {excerpt(body.text)}") from None


def _encoded(request: Request) -> bytes | None:
    if request.json is None:
        return None
    try:
        return encode_json(request.json)
    except (TypeError, ValueError) as error:
        raise ValidationError(f"the body of {request} cannot be sent as JSON: {error}") from error


def _headers(body: bytes | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _checked_session(session: requests.Session) -> requests.Session:
    for adapter in session.adapters.values():
        retries = getattr(adapter, "max_retries", None)
        if retries is not None and getattr(retries, "total", 0) not in (0, False):
            raise ConfigurationError(
                "the requests.Session given as http= repeats requests by itself, which could create records twice: "
                "mount its adapters with max_retries=0"
            )
    return session


def _checked_timeout(timeout: tuple[float, float]) -> tuple[float, float]:
    pair = isinstance(timeout, tuple) and len(timeout) == 2
    if not pair or not all(isinstance(one, (int, float)) and one > 0 for one in timeout):
        raise ConfigurationError(f"timeout={timeout!r}: expected (connect, read) in seconds, both above 0")
    return timeout


def _checked_url(url: str) -> str:
    """Return the address of a host, or refuse one that would send the token in the clear or astray."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError("the address of the API cannot be read: expected https://host[:port]") from None
    if "@" in parts.netloc or parts.query or parts.fragment or not re.fullmatch(r"[A-Za-z0-9.:_-]+", host):
        raise ConfigurationError("the address of the API is https://host[:port], without user, query or fragment")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return url.rstrip("/")
    raise ConfigurationError(
        f"{parts.scheme or 'no scheme'} to {host}: the token is sent over https only, plain http is for this machine"
    )


@lru_cache(maxsize=64)
def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


@lru_cache(maxsize=64)
def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
