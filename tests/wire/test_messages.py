"""Requests describe, and refuse what would change the host or the query."""

from __future__ import annotations

import dataclasses

import pytest

from planhat_orm.errors import InvalidQuery
from planhat_orm.wire.messages import Request, Response, Stats
from planhat_orm.wire.retry import Replay


@pytest.mark.parametrize(
    ("method", "json", "replay"),
    [
        ("GET", None, Replay.ALWAYS),
        ("DELETE", None, Replay.ALWAYS),
        ("PUT", {"name": "x"}, Replay.ALWAYS),
        ("PUT", [{"name": "x"}], Replay.NEVER),
        ("POST", {"name": "x"}, Replay.NEVER),
        ("PATCH", {}, Replay.NEVER),
    ],
)
def test_what_may_be_repeated_follows_from_the_method(method, json, replay):
    assert Request(method, "/companies", json=json).replay is replay


def test_what_may_be_repeated_can_be_said():
    assert Request("PUT", "/companies", json=[{}], replay=Replay.LATER).replay is Replay.LATER


@pytest.mark.parametrize(
    "path",
    [
        "",
        "companies",
        "@example.com",
        "//example.com",
        "https://example.com",
        "/a?b=c",
        "/a#b",
        "/a b",
        "/a\\b",
        "/a\n",
    ],
)
def test_a_path_cannot_change_the_host_or_the_query(path):
    with pytest.raises(InvalidQuery, match="no path"):
        Request("GET", path)


@pytest.mark.parametrize("method", ["", "GET /", "G\r\nX"])
def test_what_is_no_method_is_refused(method):
    with pytest.raises(InvalidQuery, match="no HTTP method"):
        Request(method, "/companies")


def test_a_request_and_a_response_do_not_change():
    for one in (Request("get", "/companies"), Response(status=200)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.__setattr__(dataclasses.fields(one)[0].name, "other")
    assert Request("get", "/companies").method == "GET"


def test_stats_add_up():
    stats = Stats()
    stats.add(requests=2, waited=1.5)
    stats.add(retries=1)
    assert (stats.requests, stats.retries, stats.waited) == (2, 1, 1.5)
