"""The retry table, row by row, and what each network exception means."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import exceptions as urllib3_errors
from urllib3.connectionpool import HTTPConnectionPool

from planhat_orm.errors import ApiError, BadRequest, PlanhatError, RateLimited, ServerError, TransportError
from planhat_orm.wire.retry import (
    LONGEST_WAIT,
    RULES,
    Fate,
    Replay,
    asked_wait,
    decide,
    fate_of_error,
    fate_of_status,
    may_have_run,
    reason_of,
    retry_after,
    too_slow,
)

POOL = HTTPConnectionPool("127.0.0.1")
REPLAYS = [Replay.ALWAYS, Replay.NEVER, Replay.LATER]


@pytest.mark.parametrize("replay", REPLAYS)
@pytest.mark.parametrize(
    ("fate", "repeated"),
    [
        (Fate.NEVER_SENT, REPLAYS),
        (Fate.REFUSED, REPLAYS),
        (Fate.SLOW, [Replay.ALWAYS, Replay.LATER]),
        (Fate.LOST, [Replay.ALWAYS, Replay.LATER]),
        (Fate.UNSENDABLE, []),
        (Fate.SETTLED, []),
    ],
)
def test_the_table(fate, repeated, replay):
    decision = decide(fate, replay, attempt=1)
    assert decision.again is (replay in repeated)
    assert decision.everyone is (fate is Fate.REFUSED)


def test_every_fate_has_a_rule():
    assert set(RULES) == set(Fate)


@pytest.mark.parametrize("fate", [Fate.NEVER_SENT, Fate.REFUSED, Fate.LOST])
def test_the_last_attempt_is_the_last(fate):
    assert decide(fate, Replay.ALWAYS, attempt=4, max_attempts=5).again
    assert not decide(fate, Replay.ALWAYS, attempt=5, max_attempts=5).again


@settings(deadline=None)  # a busy machine is no failure
@given(st.sampled_from([Fate.NEVER_SENT, Fate.REFUSED, Fate.LOST]), st.integers(1, 50), st.floats(0, 0.999))
def test_waits_grow_and_stay_within_the_rule(fate, attempt, chance):
    decision = decide(fate, Replay.ALWAYS, attempt=attempt, max_attempts=99, random=lambda: chance)
    following = decide(fate, Replay.ALWAYS, attempt=attempt + 1, max_attempts=99, random=lambda: chance)
    assert 0 < decision.wait <= following.wait <= RULES[fate].longest


def test_jitter_keeps_clients_apart():
    chances = iter([0.0, 0.5, 0.9])
    waits = [decide(Fate.LOST, Replay.ALWAYS, attempt=1, random=chances.__next__).wait for _ in range(3)]
    assert waits == [0.5, 0.75, 0.95]


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0, LONGEST_WAIT), st.integers(1, 4))
def test_a_wait_that_was_asked_for_is_kept(asked, attempt):
    decision = decide(Fate.REFUSED, Replay.NEVER, attempt=attempt, asked=asked)
    assert decision.again
    assert decision.wait >= asked


def test_a_wait_of_nothing_is_not_hammered():
    waits = [decide(Fate.REFUSED, Replay.NEVER, attempt=n, asked=0.0, random=lambda: 0.0).wait for n in (1, 2, 3)]
    assert waits == [0.25, 0.5, 1.0]


def test_a_wait_beyond_reason_ends_it():
    assert not decide(Fate.REFUSED, Replay.ALWAYS, attempt=1, asked=LONGEST_WAIT + 1).again


def test_only_slowness_makes_a_halvable_page_raise():
    assert not decide(Fate.SLOW, Replay.ALWAYS, attempt=1, halvable=True).again
    assert decide(Fate.LOST, Replay.ALWAYS, attempt=1, halvable=True).again


@pytest.mark.parametrize(
    ("status", "headers", "fate"),
    [
        (200, {}, Fate.DONE),
        (206, {}, Fate.DONE),
        (302, {}, Fate.SETTLED),
        (400, {}, Fate.SETTLED),
        (401, {}, Fate.SETTLED),
        (404, {}, Fate.SETTLED),
        (408, {}, Fate.LOST),
        (413, {}, Fate.SETTLED),
        (429, {}, Fate.REFUSED),
        (500, {}, Fate.LOST),
        (500, {"Retry-After": "1"}, Fate.LOST),
        (501, {}, Fate.SETTLED),
        (502, {}, Fate.LOST),
        (503, {}, Fate.LOST),
        (503, {"Retry-After": "soon"}, Fate.LOST),
        (503, {"retry-after": "1"}, Fate.REFUSED),
        (504, {}, Fate.SLOW),
        (505, {}, Fate.SETTLED),
        (524, {}, Fate.LOST),
    ],
)
def test_statuses(status, headers, fate):
    assert fate_of_status(status, headers) is fate


def nested(reason):
    return requests.ConnectionError(urllib3_errors.MaxRetryError(POOL, "/companies", reason))


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (requests.ConnectTimeout(), Fate.NEVER_SENT),
        (nested(urllib3_errors.NewConnectionError(POOL, "Connection refused")), Fate.NEVER_SENT),
        (nested(urllib3_errors.NameResolutionError("x", POOL, socket.gaierror(-2, "unknown"))), Fate.NEVER_SENT),
        (nested(urllib3_errors.ConnectTimeoutError(POOL, "timed out")), Fate.NEVER_SENT),
        (requests.exceptions.ProxyError(nested(urllib3_errors.ProxyError("no", OSError("407")))), Fate.NEVER_SENT),
        (requests.ConnectionError(urllib3_errors.ClosedPoolError(POOL, "closed")), Fate.NEVER_SENT),
        (urllib3_errors.EmptyPoolError(POOL, "no free connection"), Fate.NEVER_SENT),
        (requests.ReadTimeout(urllib3_errors.ReadTimeoutError(POOL, "/", "timed out")), Fate.SLOW),
        (requests.ConnectionError(urllib3_errors.ReadTimeoutError(POOL, "/", "in the body")), Fate.SLOW),
        (nested(urllib3_errors.ReadTimeoutError(POOL, "/", "timed out")), Fate.SLOW),
        (requests.ConnectionError(urllib3_errors.ProtocolError("Aborted", TimeoutError("write"))), Fate.SLOW),
        (requests.ConnectionError(urllib3_errors.ProtocolError("Aborted", ConnectionResetError())), Fate.LOST),
        (requests.exceptions.ChunkedEncodingError(urllib3_errors.ProtocolError("broken")), Fate.LOST),
        (requests.exceptions.ContentDecodingError(urllib3_errors.DecodeError("gzip")), Fate.LOST),
        (urllib3_errors.ProtocolError("broken"), Fate.LOST),
        (urllib3_errors.DecodeError("gzip"), Fate.LOST),
        (requests.exceptions.SSLError(ssl.SSLError("bad record")), Fate.LOST),
        (
            requests.exceptions.SSLError(urllib3_errors.SSLError(ssl.SSLCertVerificationError("self-signed"))),
            Fate.UNSENDABLE,
        ),
        (requests.exceptions.InvalidURL("no host"), Fate.UNSENDABLE),
        (OSError("Could not find a suitable TLS CA certificate bundle"), Fate.UNSENDABLE),
        (requests.ConnectionError(), Fate.LOST),
        (requests.RequestException(), Fate.LOST),
    ],
)
def test_network_exceptions(error, fate):
    assert fate_of_error(error) is fate


def test_the_reason_is_the_innermost_text():
    reset = urllib3_errors.ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
    assert "Connection reset by peer" in reason_of(requests.ConnectionError(reset))
    refused = nested(urllib3_errors.NewConnectionError(POOL, "Connection refused"))
    assert "Connection refused" in reason_of(refused)
    assert reason_of(requests.ConnectionError()) == "ConnectionError"


@pytest.mark.parametrize("text", ["7", " 7 ", "7.0"])
def test_retry_after_in_seconds(text):
    assert retry_after({"Retry-After": text}) == 7.0


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1e3", "\u0667", "nan", "99999999999", "Wed, 99 Foo 2026 07:28:00 GMT"]
)
def test_retry_after_that_says_nothing(text):
    assert retry_after({"Retry-After": text}) is None


def test_retry_after_as_a_date_is_measured_by_the_servers_clock():
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:45 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(headers) == 45.0
    assert retry_after({**headers, "date": "Wed, 21 Oct 2015 08:00:00 GMT"}) == 0.0


def test_retry_after_as_a_date_without_a_server_clock_uses_ours():
    soon = retry_after({"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)})
    assert soon is not None
    assert 7000 < soon <= 7200


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": "30"}, 30.0),
        ({"X-Rate-Limit-Reset": "30"}, 30.0),
        ({"x-ratelimit-reset": "1445412510", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"x-ratelimit-reset": "1445412510000", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"x-ratelimit-reset": "30", "retry-after": "7"}, 7.0),
        ({"x-ratelimit-reset": "0"}, None),
        ({"x-ratelimit-reset": "86400"}, None),
        ({"x-ratelimit-reset": "later"}, None),
    ],
)
def test_the_reset_of_the_window_is_a_hint_at_429(headers, wait):
    assert asked_wait(429, headers) == wait
    assert asked_wait(500, {"x-ratelimit-reset": "30"}) is None


def raised_from(error, cause):
    try:
        raise error from cause
    except PlanhatError as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (TransportError("x", sent=True), True),
        (TransportError("x", sent=False), False),
        (ServerError("x", status=502), True),
        (ServerError("x", status=503, headers={"Retry-After": "1"}), False),
        (ServerError("x", status=501), False),
        (BadRequest("x", status=400), False),
        (RateLimited("x", status=429), False),
        (ApiError("x", status=302), False),
        (raised_from(BadRequest("x", status=400), TransportError("lost", sent=True)), True),
        (raised_from(RateLimited("x", status=429), ServerError("lost", status=502)), True),
        (PlanhatError("x"), False),
    ],
)
def test_what_may_have_run(error, answer):
    assert may_have_run(error) is answer


def test_only_timeouts_are_slowness():
    assert too_slow(raised_from(TransportError("x", sent=True), requests.ReadTimeout()))
    assert not too_slow(raised_from(TransportError("x", sent=True), requests.ConnectionError()))
    assert not too_slow(BadRequest("x", status=400))
    assert not too_slow(PlanhatError("x"))
