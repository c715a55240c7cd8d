"""Session: one tenant's connection, its identity map and its writer; and which session is the current one.

Imports settings, wire and its own package. It does not promise that two sessions of one tenant know of each other:
each has its own objects.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import tzinfo
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, SupportsIndex, TypedDict, TypeVar, Unpack
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from planhat_orm import settings
from planhat_orm.errors import ConfigurationError, InvalidQuery, ReadOnlyError
from planhat_orm.session.identity_map import IdentityMap
from planhat_orm.session.tenant_token import TenantToken
from planhat_orm.session.writer import Writer
from planhat_orm.wire.credentials import Masked
from planhat_orm.wire.quota import Quota
from planhat_orm.wire.transport import Request, Response, Stats, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

T = TypeVar("T")

#: What ``Session(check_custom=...)`` takes.
CheckCustom = Literal["auto", "always", "never"]
CHECK_CUSTOM: tuple[CheckCustom, ...] = ("auto", "always", "never")

_METHODS = ("GET", "POST", "PUT", "DELETE")
# The sessions of the `with` blocks that this thread or task is in, the innermost last. A context variable, so that
# tasks of asyncio do not see each other's; a tuple and not a stack of tokens, because a block may be left in a copy of
# the context that it was entered in.
_entered: ContextVar[tuple[Session, ...]] = ContextVar("planhat_orm_sessions", default=())
_lock = threading.Lock()


class _Process:
    """What the sessions of this process share: the default one, and how many ``with`` blocks are open."""

    default: Session | None = None
    open = 0


class Session:
    """A connection to one Planhat tenant. Every argument is by keyword and has its environment variable or default.

    :param token: the API token; else ``PLANHAT_API_TOKEN``.
    :param region: "" for the default host, a cluster's name ("eu3"), "demo"; else ``PLANHAT_REGION``.
    :param base_url: the API's address in place of a region; else ``PLANHAT_BASE_URL``.
    :param analytics_url: the analytics host's address; else ``PLANHAT_ANALYTICS_URL``.
    :param tenant_token: the tenant's token for the analytics host; else ``PLANHAT_TENANT_TOKEN``.
    :param timeout: seconds to wait for a connection and for an answer.
    :param quota: how many requests may be sent, ``Quota()`` for Planhat's limits; None for no limit (a sandbox).
    :param read_only: refuse every write; else ``PLANHAT_READ_ONLY``.
    :param timezone: the zone of naive datetimes, a name ("Europe/Stockholm") or a tzinfo; without it they are refused.
    :param check_custom: which keys in ``custom`` are looked up among the tenant's definitions before they are written,
        which costs one request for each session. "auto": those that the record does not carry yet or that get a value
        of another type, and once the definitions were read all; "always": all; "never": none.
    :param http: a ``requests.Session`` of your own, for proxies and certificates.

    A session is a context manager: inside the block it is the current one of the thread. Nothing is sent before the
    first query.

    :raises ConfigurationError: without a token, for an address or a region that cannot be one, or for an argument of
        another type.

    >>> session = Session(token="not-a-real-token", region="eu3")
    >>> session
    <Session https://api-eu3.planhat.com>
    """

    def __init__(
        self,
        *,
        token: str | None = None,
        region: str | None = None,
        base_url: str | None = None,
        analytics_url: str | None = None,
        tenant_token: str | None = None,
        timeout: tuple[float, float] = (5.0, 60.0),
        quota: Quota | None = Quota(),  # noqa: B008 - immutable settings; the buckets are shared per host and token
        read_only: bool | None = None,
        timezone: str | tzinfo | None = None,
        check_custom: CheckCustom = "auto",
        http: requests.Session | None = None,
    ) -> None:
        # Masked at once, so that a traceback through this frame does not show them.
        token, tenant_token = masked(token), masked(tenant_token)
        found = settings.resolve(
            token=token,
            region=region,
            base_url=base_url,
            analytics_url=analytics_url,
            tenant_token=tenant_token,
            read_only=read_only,
        )
        self.base_url = found.base_url
        self.read_only = found.read_only
        self.timezone = zone_of(timezone)
        self.check_custom = checked_choice("check_custom", check_custom, CHECK_CUSTOM)
        #: Tells tenants apart without showing a token; objects are equal only within one tenant.
        self.tenant = (found.base_url, hashlib.sha256(found.token.encode()).hexdigest()[:16])
        self.transport = transport_to(found, timeout=timeout, quota=checked_quota(quota), http=checked_http(http))
        self._tenant_token = TenantToken.of(found)
        self.identity_map = IdentityMap()
        self.writer = Writer(self.send)
        self._tables: dict[type, Any] = {}
        #: Called with the name of a collection of which nothing that was read is to be relied on any more.
        self.outdating: list[Callable[[str], None]] = []
        self._blocks = 0
        self._numbers = itertools.count(1)

    # Which session is meant

    @staticmethod
    def find_current() -> Session | None:
        """Return the current session of this thread, or None where there is none or it is not clear which.

        >>> Session.find_current() is session
        True
        """
        entered = _entered.get()
        if entered:
            return entered[-1]
        return None if _Process.open else _Process.default

    @staticmethod
    def current() -> Session:
        """Return the current session: that of the ``with`` block of this thread, else the default of ``connect()``.

        :raises ConfigurationError: when there is none, or when another thread has a session open in a ``with``, so
            that the default could be the wrong tenant.

        >>> with box.session() as inner:
        ...     Session.current() is inner
        True
        >>> Session.current() is session
        True
        """
        session = Session.find_current()
        if session is not None:
            return session
        if _Process.open:
            raise ConfigurationError(
                "this thread has no session of its own, and another one is inside `with Session(...)`, so the default "
                "might be the wrong tenant: say Model.objects.using(session), or open the session in this thread"
            )
        raise ConfigurationError(
            "no Planhat session: call planhat_orm.connect() first (it reads PLANHAT_API_TOKEN), or work inside "
            f"`with Session(...)`. {settings.HOW_TO_TRY}"
        )

    def __enter__(self) -> Self:
        with _lock:
            _Process.open += 1
            self._blocks += 1
        _entered.set((*_entered.get(), self))
        return self

    def __exit__(self, *exc_info: object) -> None:
        entered = _entered.get()
        if self in entered:
            place = len(entered) - 1 - entered[::-1].index(self)
            _entered.set(entered[:place] + entered[place + 1 :])
        with _lock:
            _Process.open -= 1
            self._blocks -= 1
            last = not self._blocks
        if last:
            self.close()

    def close(self) -> None:
        """Close the connections that are kept open. Using the session again opens new ones.

        What was read stays usable. The last ``with`` block of a session closes it; connections of a
        ``requests.Session`` that was given as ``http`` are left open, as they are not the session's.

        >>> session.close()
        >>> Company.objects.count()
        500
        """
        self.transport.close()

    # Requests

    def send(self, request: Request) -> Response:
        """Send one request with the session's quota, retries and errors, and return its answer.

        The answer's ``number`` orders reads and writes of this session: a read is numbered when it is asked for, a
        write when it is answered. So whatever was read while a write was under way counts as older than the write.

        :param request: what to send; :meth:`request` makes one of a method and a path.
        :raises ReadOnlyError: for anything but GET in a read-only session; nothing is sent.
        :raises ApiError: or its subclass for the status, after what retries the request allows.
        :raises TransportError: when no answer came that can be read.

        >>> answer = session.send(Request("GET", "/companies/extid-acme-42"))
        >>> answer.status, answer.data["name"]
        (200, 'Acme')
        """
        if self.read_only and request.method != "GET":
            raise ReadOnlyError(
                f"{request} was not sent: this session is read-only (read_only=True or PLANHAT_READ_ONLY)"
            )
        number = next(self._numbers)
        response = self.transport.send(request)
        return replace(response, number=number if request.method == "GET" else next(self._numbers))

    def request(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None) -> Any:
        """Reach what is not modelled: send a request and return the parsed answer.

        :param method: GET, POST, PUT or DELETE.
        :param path: from the host on, quoted: "/companies/extid-acme-42".
        :param params: query parameters; True is sent as "true", a list with commas, None is left out.
        :param json: the body.
        :raises InvalidQuery: for another method, or a path that cannot be meant: one whose id is blank, or with "..".
        :raises ReadOnlyError: for anything but GET in a read-only session.

        What is written so does not change objects that are loaded, but no table that is kept and no manager that
        ``prefetch_related`` filled answers by what it held of that collection. A POST, or a PUT of a list, whose answer
        is lost is not sent again.

        >>> session.request("GET", "/leancompanies", params={"externalId": "acme-42"})[0]["name"]
        'Acme'
        """
        verb = method.upper() if isinstance(method, str) else method
        if verb not in _METHODS:
            raise InvalidQuery(f"Planhat knows {', '.join(_METHODS)}, not {method!r}")
        check_path(path)
        if not isinstance(params, (Mapping, NoneType)):
            raise InvalidQuery(f"params is a mapping of names to values, not {type(params).__name__}")
        given = {str(name): parameter(value) for name, value in (params or {}).items() if value is not None}
        try:
            return self.send(Request(verb, path, params=given, json=json)).data
        finally:
            if verb != "GET":
                self._outdate(path.strip("/").partition("/")[0])

    def require_tenant_token(self, what: str) -> None:
        """Refuse what needs the tenant token in a session that has none, before any request.

        A tenant token that is no UUID is used all the same, with a warning in the log, once.

        :param what: what needs it, for the message.
        :raises ConfigurationError: without a tenant token, or where it is the API token.

        Source: https://www.planhat.com/developers/api/authentication-limits

        >>> session.require_tenant_token("Metric.push()")
        """
        self._tenant_token.require(what)

    @property
    def stats(self) -> Stats:
        """How many requests were sent, how many of them again, and how many seconds were spent waiting.

        The numbers move as requests are sent, by all threads.

        >>> before = session.stats.requests
        >>> acme = Company.objects.get(external_id="acme-42")
        >>> session.stats.requests - before, session.stats.retries
        (1, 0)
        """
        return self.transport.stats

    @contextmanager
    def capture(self) -> Iterator[list[tuple[Request, Response | Exception]]]:
        """Collect the requests that are sent inside the block, with their answers or errors.

        >>> with session.capture() as sent:
        ...     company = Company.objects.get(fresh=True, external_id="acme-42")
        >>> [str(request) for request, answer in sent]
        ['GET /companies/extid-acme-42']
        """
        seen: list[tuple[Request, Response | Exception]] = []
        stop = self.transport.observe(lambda request, answer: seen.append((request, answer)))
        try:
            yield seen
        finally:
            stop()

    def table(self, model: type, load: Callable[[], T], *, fresh: bool = False) -> T:
        """Return a small table, read whole the first time it is needed and kept as long as the session.

        Threads that need it at the same time wait for one of them to read it. A table that could not be read is read
        again when it is next needed.

        :param model: whose table it is.
        :param load: reads it; called at most once, unless it raises.
        :param fresh: read it again.

        >>> session.table(License, lambda: ["Platform", "Support Plus"])
        ['Platform', 'Support Plus']
        >>> session.table(License, lambda: ["is not called"])
        ['Platform', 'Support Plus']
        """
        with self.identity_map.flight("table", model):
            if fresh or model not in self._tables:
                self._tables[model] = load()
            found: T = self._tables[model]
        return found

    def forget(self, model: type) -> None:
        """Let a small table be read again when it is next needed.

        :param model: whose table it is.

        >>> session.forget(User)
        """
        with self.identity_map.flight("table", model):
            self._tables.pop(model, None)
            self._outdate(getattr(model, "_meta").path)  # noqa: B009 - a class of a layer above

    def _outdate(self, collection: str) -> None:
        for callback in self.outdating:
            callback(collection)

    def __repr__(self) -> str:
        if not hasattr(self, "transport"):
            return "<Session that could not be made>"  # a traceback may show one
        return f"<Session {self.base_url}{' read-only' if self.read_only else ''}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Session holds a token and connections: it cannot be pickled or copied; make one where it is")


class SessionOptions(TypedDict, total=False):
    """The keyword arguments of Session, for ``connect``."""

    token: str | None
    region: str | None
    base_url: str | None
    analytics_url: str | None
    tenant_token: str | None
    timeout: tuple[float, float]
    quota: Quota | None
    read_only: bool | None
    timezone: str | tzinfo | None
    check_custom: CheckCustom
    http: requests.Session | None


def connect(**options: Unpack[SessionOptions]) -> Session:
    """Make a session, set it as the default of the process and return it. The arguments are those of Session.

    Nothing is sent.

    :raises ConfigurationError: inside a ``with Session(...)`` block, whose session would go on being the current one.

    >>> connect(token="not-a-real-token", region="us2")
    <Session https://api-us2.planhat.com>
    """
    options["token"], options["tenant_token"] = masked(options.get("token")), masked(options.get("tenant_token"))
    if _entered.get():
        raise ConfigurationError(
            "connect() inside `with Session(...)`: the block's session stays the current one; call connect() outside"
        )
    session = Session(**options)
    _Process.default = session
    return session


def transport_to(
    found: settings.Settings, *, timeout: tuple[float, float], quota: Quota | None, http: requests.Session | None
) -> Transport:
    """Return the transport to the hosts of the settings, with their tokens."""
    return Transport(
        base_url=found.base_url,
        analytics_url=found.analytics_url,
        token=found.token,
        tenant_token=found.tenant_token,
        timeout=timeout,
        quota=quota,
        http=http,
    )


def masked(token: str | None) -> Masked | None:
    """Return a token so that no traceback shows it; None stays None.

    >>> masked("secret")
    ***
    """
    if token is None:
        return None
    if not isinstance(token, str):
        raise ConfigurationError(f"a Planhat token is text, not {type(token).__name__}")
    return Masked(token)


def checked_quota(quota: Any) -> Quota | None:
    """Return a quota, or None for no limit; anything else is refused."""
    if not isinstance(quota, (Quota, NoneType)):
        raise ConfigurationError(f"quota= is Quota(...), or None for no limit, not {type(quota).__name__}")
    return quota


def checked_http(http: Any) -> requests.Session | None:
    """Return a session of requests, or None; what cannot send requests is refused."""
    if http is not None and (isinstance(http, type) or not hasattr(http, "adapters")):
        raise ConfigurationError(f"http= is a requests.Session, not {type(http).__name__}")
    session: requests.Session | None = http
    return session


def checked_choice(name: str, value: Any, choices: tuple[T, ...]) -> T:
    """Return the value of an argument that takes one of a few; anything else is refused."""
    if value not in choices:
        raise ConfigurationError(f"{name}= is one of {', '.join(map(repr, choices))}, not {value!r}")
    chosen: T = value
    return chosen


def check_path(path: Any) -> None:
    """Refuse a path that leads elsewhere than it says.

    >>> check_path("/companies/%2e%2e/users")
    Traceback (most recent call last):
        ...
    planhat_orm.errors.InvalidQuery: '/companies/%2e%2e/users' has a part '..', which leads to another path; ...
    """
    if not isinstance(path, str):
        raise InvalidQuery(f"a path is text such as '/companies', not {type(path).__name__}")
    # What stands before the first slash is the transport's to refuse. Quoted dots count: they are sent as dots.
    for part in map(unquote, path.split("/")[1:]):
        if not part.strip():
            # With a blank id the path is that of the list, where a PUT is a bulk upsert.
            raise InvalidQuery(f"{path!r} has a blank part, where an id may be missing; nothing was sent")
        if part in (".", ".."):
            raise InvalidQuery(f"{path!r} has a part {part!r}, which leads to another path; nothing was sent")


def parameter(value: Any) -> str:
    """Return a query parameter as Planhat reads it.

    >>> parameter(True), parameter(["_id", "name"]), parameter(50)
    ('true', '_id,name', '50')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(parameter(item) for item in value)
    return str(value)


def zone_of(timezone: str | tzinfo | None) -> tzinfo | None:
    """Return the time zone of a name.

    >>> zone_of("Europe/Stockholm")
    zoneinfo.ZoneInfo(key='Europe/Stockholm')
    """
    if timezone is None or isinstance(timezone, tzinfo):
        return timezone
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ConfigurationError(
            f"timezone={timezone!r} is no time zone; name one such as 'Europe/Stockholm'"
        ) from None
