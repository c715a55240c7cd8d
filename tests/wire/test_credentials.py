"""Where the tokens must not be found: errors and what they carry, tracebacks, logs, reprs, pickles."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
import requests
import requests_mock

from planhat_orm import errors
from planhat_orm.wire.credentials import Credentials, HeaderAuth, Masked
from planhat_orm.wire.messages import Request
from planhat_orm.wire.quota import Quota
from planhat_orm.wire.transport import Transport

if TYPE_CHECKING:
    from types import FrameType

API = "https://api.planhat.com"


def related(error: BaseException) -> list[BaseException]:
    """The error and everything it was raised from or while handling, inside of arguments too."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, *one.args, *vars(one).values()]
    return found


def library_frames(error: BaseException) -> list[FrameType]:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [frame for frame in frames if "planhat_orm" in frame.f_code.co_filename]


def everything_shown_by(error: BaseException) -> str:
    shown = []
    for one in related(error):
        shown += [str(one), repr(one), repr(one.args), repr(vars(one))]
        shown += ["".join(traceback.format_exception(one))]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if frame in library_frames(one) or "site-packages" in frame.f_code.co_filename:
                shown += [repr(value) for value in frame.f_locals.values()]
        request = getattr(one, "request", None)
        shown += [repr(getattr(request, "headers", None)), str(getattr(request, "url", None))]
        if isinstance(one, errors.PlanhatError):
            shown.append(repr(pickle.dumps(one)))
    return "\n".join(shown)


REQUESTS = {
    "main": Request("GET", "/companies"),
    "create": Request("POST", "/companies", json={}),
    "tenant in the path": Request("POST", "/analytics/{tenant}", json=[], host="analytics"),
    "segment": Request("POST", "/dock/segment", json={}, host="analytics", auth="tenant"),
}


@pytest.fixture(params=list(REQUESTS))
def request_(request) -> Request:
    return REQUESTS[request.param]


@pytest.mark.parametrize("failure", ["reset", "close", "hang", "cut off", "refused", "401 that repeats the header"])
def test_no_error_shows_a_token(server, make, caplog, secrets, request_, failure):
    bearer, tenant = secrets
    echo = f"bad Authorization: Bearer {bearer} for {tenant}".encode()
    script = {
        "cut off": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + echo, server.CLOSE),
        "401 that repeats the header": server.http(401, echo, {"X-Echo": f"Bearer {bearer}"}),
    }
    server.answers(script.get(failure, failure))
    url = "http://127.0.0.1:9" if failure == "refused" else server.url
    transport = make(url, timeout=(5.0, 0.03 if failure == "hang" else 5.0), max_attempts=2)
    with caplog.at_level(logging.DEBUG), pytest.raises(errors.PlanhatError) as caught:
        transport.send(request_)
    shown = everything_shown_by(caught.value) + caplog.text + repr(transport) + repr(request_)
    assert shown.count("Bearer ") == shown.count("Bearer ***")
    for secret in (bearer, tenant):
        assert secret not in shown
    expected = 2 if request_.method == "GET" and not failure.startswith("401") else 1
    if failure != "refused":
        assert server.received(expected) == expected


def test_what_requests_raised_is_reachable_only_without_its_request(server, make):
    server.answers(server.RESET)
    with pytest.raises(errors.TransportError) as caught:
        make(server.url).send(REQUESTS["create"])
    network = [one for one in related(caught.value) if isinstance(one, requests.RequestException)]
    assert len(network) == 1
    assert network[0].request is None
    assert network[0].__traceback__ is None
    assert caught.value.__context__ is None
    assert server.received(1) == 1


def test_an_interrupted_request_does_not_show_the_token_in_its_frames(make, secrets):
    def interrupt(request, context):
        raise KeyboardInterrupt

    with requests_mock.Mocker() as planhat:
        planhat.get(f"{API}/companies", text=interrupt)
        with pytest.raises(KeyboardInterrupt) as caught:
            make().send(REQUESTS["main"])
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
        shown = [repr(value) for frame in frames[1:] for value in frame.f_locals.values()]
        assert secrets[0] not in "\n".join(shown)
        assert planhat.call_count == 1


@pytest.mark.parametrize(
    "bad", [{"base_url": "http://api.planhat.com"}, {"timeout": (0, 0)}, {"token": "tw o-part-secret"}]
)
def test_a_refused_configuration_does_not_show_the_token(bad):
    settings = {"base_url": API, "analytics_url": API, "token": "tok-n-of-this-test", "quota": Quota(), **bad}
    with pytest.raises(errors.ConfigurationError) as caught:
        Transport(**settings)
    shown = [str(caught.value)]
    for frame in library_frames(caught.value):
        shown += [repr(value) for name, value in frame.f_locals.items()]
    assert settings["token"] not in "\n".join(shown)


def test_urllib3_logs_requests_but_no_secret(server, make, secrets):
    server.answers(server.http(200, []))
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("urllib3")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        make(server.url).send(REQUESTS["tenant in the path"])
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert "POST /analytics/***" in stream.getvalue()
    assert secrets[1] not in stream.getvalue()
    assert server.requests[0].target == f"/analytics/{secrets[1]}"


def test_the_quota_keeps_no_token(tmp_path):
    token = "token-of-the-quota-test"
    quota = Quota.sqlite(tmp_path / "quota.sqlite").shared("api.planhat.com", token)
    with quota.permit():
        pass
    assert token not in repr(quota) + repr(vars(quota))
    assert token.encode() not in (tmp_path / "quota.sqlite").read_bytes()


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("holder", [Credentials("a-long-token"), HeaderAuth(Masked("Bearer a-long-token"))])
def test_what_holds_a_secret_cannot_be_pickled_or_copied(holder, duplicate):
    with pytest.raises(TypeError, match="secret"):
        duplicate(holder)
    assert "a-long-token" not in repr(holder)


def test_masked_text_is_sent_but_never_shown():
    masked = Masked("a-long-token")
    assert masked.encode() == b"a-long-token"
    assert masked == "a-long-token"
    assert {str(masked), repr(masked), f"{masked}", f"{masked:>3}", f"{masked!r}", "%s" % masked} == {"***"}  # noqa: UP031
    assert pickle.loads(pickle.dumps(masked)) == "***"


def test_scrubbing_leaves_short_stand_ins_alone():
    assert Credentials("token").scrub("no such token") == "no such token"


def test_scrubbing_knows_the_quoted_forms():
    credentials = Credentials("to/ken+to/ken", "tenant-token-1")
    text = "to%2Fken%2Bto%2Fken to/ken+to/ken tenant-token-1"
    assert credentials.scrub(text) == "*** *** ***"
