"""The Flask app: HTTP to operations and back, for one sandbox.

Needs Flask, which comes with ``planhat_orm[sandbox]``; so ``server`` imports this module, and ``box`` when it starts
one. Imports the sandbox's parts. It knows paths, tokens and statuses, and leaves what they mean to reading, writing and
upserting. It does not cut connections, as faults ask: it leaves word in the exchange that ``server`` handed in.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from planhat_orm.sandbox import analytics, reading, upserting, writing
from planhat_orm.sandbox.answers import Answer, Refusal
from planhat_orm.sandbox.catalog import Collection, collection_at, lean_index_at
from planhat_orm.sandbox.faults import Exchange, FaultBoard
from planhat_orm.sandbox.recording import RecordedRequest, Recorder, query_params
from planhat_orm.sandbox.rows import disturb

if TYPE_CHECKING:
    from planhat_orm.sandbox.world import World

#: Where in the WSGI environment the server puts an Exchange, to read from it afterwards what faults did.
EXCHANGE = "planhat_sandbox.exchange"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


@dataclass(slots=True)
class Desk:
    """What the app serves: a world, the token that opens it, and what is kept of the requests."""

    world: World
    token: str
    faults: FaultBoard = field(default_factory=FaultBoard)
    recorder: Recorder = field(default_factory=Recorder)


class Window:
    """Counts requests in a sliding window, for the rate limit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: deque[float] = deque()

    def wait(self, limit: int, seconds: float) -> float:
        """Return how long until the next request is let in; 0 lets this one in and counts it."""
        with self._lock:
            now = time.monotonic()
            while self._times and self._times[0] <= now - seconds:
                self._times.popleft()
            if len(self._times) >= limit:
                return self._times[0] + seconds - now
            self._times.append(now)
            return 0.0


def create_app(desk: Desk) -> Flask:
    """Build the app of one sandbox."""
    app = Flask("planhat_sandbox", static_folder=None)
    # An empty id must reach the list route as it is, not be redirected there.
    app.url_map.merge_slashes = False
    service = _Service(desk)

    @app.route("/", defaults={"path": ""}, methods=METHODS)
    @app.route("/<path:path>", methods=METHODS)
    def answer(path: str) -> Response:
        return service.respond(path)

    return app


class _Service:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._window = Window()

    def respond(self, path: str) -> Response:
        """Record the request, let the faults strike, carry it out, and send what came of it."""
        raw = request.get_data(cache=False)
        exchange: Exchange = request.environ.get(EXCHANGE) or Exchange()
        exchange.method, exchange.path = request.method, "/" + path
        listed = collection_at(path)
        if listed is not None:
            exchange.disturb = partial(disturb, self._desk.world, listed)
        body = _parsed(raw)
        record = RecordedRequest(
            request.method, "/" + path, query_params(request.query_string.decode()), body, _headers()
        )
        self._desk.recorder.add(record)
        faults = self._desk.faults.befalling(exchange.method, exchange.path)
        for fault in faults:
            if fault.before:
                fault.strike(exchange)
        if exchange.answer is None and not exchange.dropped:
            exchange.answer = self._carry_out(path, record.params, body, len(raw), exchange)
            for fault in faults:
                if not fault.before:
                    fault.strike(exchange)
        sent = exchange.answer or Answer()
        record.status = None if exchange.dropped else sent.status
        return Response(
            sent.body, status=sent.status, headers=sent.headers, content_type=sent.headers.get("Content-Type")
        )

    def _carry_out(self, path: str, params: dict[str, str], body: Any, size: int, exchange: Exchange) -> Answer:
        try:
            self._refuse_large(size)
            # The analytics host has tokens of its own.
            authorization = request.headers.get("Authorization", "")
            readable = None if body is _UNREADABLE else body
            received = analytics.answer(self._desk.world, request.method, path, params, readable, authorization)
            if received is not None:
                return received
            self._let_in()
            return self._dispatch(path, params, body, exchange)
        except Refusal as refusal:
            return refusal.answer
        except UnicodeEncodeError:
            return Answer.text("Bad request", 400)  # half of a surrogate pair in a text: no UTF-8 says it

    def _refuse_large(self, size: int) -> None:
        if size > self._desk.world.behaviour.max_body:
            raise Refusal(413, "Payload Too Large")

    def _let_in(self) -> None:
        behaviour = self._desk.world.behaviour
        if not authorized(request.headers.get("Authorization", ""), self._desk.token):
            # Also for paths that do not exist (api-evangelist/planhat: openid-configuration answers 401).
            raise Refusal(401, "Unauthorized")
        if behaviour.rate_limit is not None:
            wait = self._window.wait(behaviour.rate_limit, behaviour.rate_window)
            if wait:
                raise TooMany(wait if behaviour.retry_after else None)
        if behaviour.max_url is not None and len(request.environ.get("RAW_URI", "")) > behaviour.max_url:
            raise Refusal(414, "URI Too Long")

    def _dispatch(self, path: str, params: dict[str, str], body: Any, exchange: Exchange) -> Answer:
        name, _, key = path.partition("/")
        world, method = self._desk.world, request.method
        lean = lean_index_at(name)
        if lean is not None and method == "GET" and not key:
            return reading.answer_lean(world, lean, params, exchange.tampering)
        collection = collection_at(name)
        if collection is None:
            raise Refusal(404, "Not Found")
        # Without an id "/companies/" is taken for the list, "/companies" (da-troll/planhat-mcp).
        if not key and method == "GET":
            return reading.answer_list(world, collection, params, exchange.tampering)
        if key and method == "GET":
            return reading.get(world, collection, key)
        if key and method == "DELETE":
            return writing.delete(world, collection, key)
        return self._write(collection, method, key, body)

    def _write(self, collection: Collection, method: str, key: str, body: Any) -> Answer:
        world = self._desk.world
        if body is _UNREADABLE:
            raise Refusal(400, "Bad request")
        if method == "POST" and not key:
            return writing.create(world, collection, body)
        if method == "POST" and key in collection.quirks.actions:
            return upserting.repeat(world, collection, key, body)
        if method == "PUT" and key:
            return writing.update(world, collection, key, body)
        if method == "PUT":
            return upserting.upsert(world, collection, body)
        raise Refusal(404, "Not Found")


class TooMany(Refusal):
    """Too many requests in the window; says when to come back if asked to."""

    def __init__(self, wait: float | None) -> None:
        super().__init__(429, "Too many requests")
        self.wait = wait

    @property
    def answer(self) -> Answer:
        """The answer, with whole seconds, rounded up, in Retry-After."""
        headers = {} if self.wait is None else {"Retry-After": str(int(self.wait) + 1)}
        return Answer.text(str(self.body), 429, headers)


_UNREADABLE = object()


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except ValueError:
        return _UNREADABLE


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _headers() -> dict[str, str]:
    headers = dict(request.headers)
    if "Authorization" in headers:
        headers["Authorization"] = headers["Authorization"].partition(" ")[0] + " (not kept)"
    return headers


def authorized(header: str, token: str) -> bool:
    """Tell whether an Authorization header holds the token, as Bearer or as the user name of Basic.

    >>> authorized("Bearer sandbox-token", "sandbox-token"), authorized("Bearer other", "sandbox-token")
    (True, False)
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() == token
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode() == f"{token}:"
        except ValueError:
            return False
    return False
