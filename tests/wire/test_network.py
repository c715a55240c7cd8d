"""The transport against real sockets on loopback: resets, cut-off bodies, silence, redirects, idle connections."""

from __future__ import annotations

import gzip
import os
import socket
import threading
import warnings

import pytest
import requests

from planhat_orm import errors
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.messages import Request
from planhat_orm.wire.retry import may_have_run, too_slow

GET = Request("GET", "/companies")
POST = Request("POST", "/companies", json={"name": "Acme"})


def test_one_connection_serves_many_requests(server, make):
    server.answers(
        server.http(200, []), server.http(404, {}), server.http(204), server.http(200, b"", {}), server.http(200, [])
    )
    transport = make(server.url)
    assert transport.send(GET).data == []
    with pytest.raises(errors.NotFound):
        transport.send(GET)
    assert transport.send(Request("DELETE", "/companies/x")).data is None
    assert transport.send(Request("DELETE", "/companies/y")).data is None
    assert transport.send(GET).data == []
    assert (server.received(5), server.connections) == (5, 1)


def test_a_host_that_refuses_was_never_reached_and_is_tried_again(make, slept):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    transport = make(f"http://127.0.0.1:{port}")
    with pytest.raises(errors.TransportError, match=r"did not reach 127\.0\.0\.1 after 5 attempts") as caught:
        transport.send(POST)
    assert not caught.value.sent
    assert slept == [0.5, 1.0, 2.0, 4.0]
    assert transport.stats.requests == 5


def test_a_name_that_does_not_resolve_was_never_reached(make, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(errors.TransportError, match="PLANHAT_REGION") as caught:
        make("https://api-nowhere.planhat.com", max_attempts=2).send(POST)
    assert (caught.value.sent, caught.value.attempts) == (False, 2)


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_read_whose_connection_broke_is_sent_again(server, make, end):
    server.answers(end, server.http(200, [1]))
    response = make(server.url).send(GET)
    assert (response.data, response.attempts, response.repeated) == ([1], 2, True)
    assert server.received(2) == 2


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_create_whose_connection_broke_is_sent_once(server, make, end):
    server.answers(end)
    with pytest.raises(errors.TransportError, match="may have been carried out") as caught:
        make(server.url).send(POST)
    assert (caught.value.sent, caught.value.attempts) == (True, 1)
    assert server.received(1) == 1


def test_an_idle_connection_that_the_server_closed_counts_as_lost(server, make):
    server.answers((server.http(200, []), server.CLOSE), server.http(200, [2]))
    transport = make(server.url)
    transport.send(GET)
    assert transport.send(GET).data == [2]
    assert server.received(2) == 2


def test_a_forked_process_opens_connections_of_its_own(server, make):
    server.answers(server.http(200, [1]), server.http(200, [2]), server.http(200, [3]))
    transport = make(server.url)
    transport.send(GET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of threads, which the server has
        child = os.fork()
    if not child:
        os._exit(0 if transport.send(GET).data == [2] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert server.connections == 2
    assert transport.send(GET).data == [3]
    assert (server.received(3), server.connections) == (3, 2)


def test_an_answer_with_a_header_that_cannot_be_read_may_have_been_carried_out(server, make):
    server.answers((b"HTTP/1.1 200 OK\r\nContent-Length: 30, 31\r\n\r\n{}", server.CLOSE))
    with pytest.raises(errors.TransportError, match="may have been carried out") as caught:
        make(server.url).send(POST)
    assert (caught.value.sent, caught.value.attempts) == (True, 1)
    assert server.received(1) == 1


def test_a_create_that_a_gateway_gave_up_on_is_not_sent_again(server, make):
    server.answers(server.http(408, {}))
    with pytest.raises(errors.ApiError) as caught:
        make(server.url).send(POST)
    assert may_have_run(caught.value)
    assert server.received(1) == 1


def test_a_number_of_thousands_of_digits_fails_nothing_else(server, make):
    digits = "7" * 5000
    server.answers(server.http(200, f'[{{"_id": "a", "h": {digits}, "mrr": 3}}]'.encode()))
    [row] = make(server.url).send(GET).data
    assert row == {"_id": "a", "h": digits, "mrr": 3}
    assert server.received(1) == 1


CUT_OFF = [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1, 2",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[1, 2,\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[1, 2,\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[1, 2",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: 3\r\n\r\n[1]",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json",
    b"garbage\r\n\r\n",
]


@pytest.mark.parametrize("cut_off", CUT_OFF)
def test_a_truncated_page_is_asked_for_again(server, make, cut_off):
    server.answers((cut_off, server.CLOSE), server.http(200, [1, 2, 3]))
    response = make(server.url).send(GET)
    assert (response.data, response.attempts) == ([1, 2, 3], 2)
    assert server.received(2) == 2


@pytest.mark.parametrize("cut_off", CUT_OFF[:3])
def test_a_truncated_answer_to_a_create_is_an_error_that_may_have_run(server, make, cut_off):
    server.answers((cut_off, server.CLOSE))
    with pytest.raises(errors.TransportError, match="cannot be read") as caught:
        make(server.url).send(POST)
    assert (caught.value.sent, caught.value.status) == (True, 200)
    assert server.received(1) == 1


def test_a_truncated_error_is_still_that_error(server, make):
    server.answers((b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{", server.CLOSE))
    with pytest.raises(errors.NotFound):
        make(server.url).send(GET)
    assert server.received(1) == 1


@pytest.mark.parametrize("silence", ["hang", (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1", "hang")])
def test_silence_is_bounded_by_the_read_timeout(server, make, silence):
    server.answers(silence)
    with pytest.raises(errors.TransportError) as caught:
        make(server.url, timeout=(5.0, 0.03), max_attempts=2).send(GET)
    assert (caught.value.sent, caught.value.attempts) == (True, 2)
    assert too_slow(caught.value)
    assert server.received(2) == 2


def test_a_silent_create_is_sent_once(server, make):
    server.answers(server.HANG)
    with pytest.raises(errors.TransportError, match=r"within 0\.03 s") as caught:
        make(server.url, timeout=(5.0, 0.03)).send(POST)
    assert caught.value.sent
    assert server.received(1) == 1


def test_a_slow_page_that_can_be_halved_is_asked_for_once(server, make):
    server.answers(server.HANG)
    with pytest.raises(errors.TransportError) as caught:
        make(server.url, timeout=(5.0, 0.03)).send(Request("GET", "/companies", halvable=True))
    assert too_slow(caught.value)
    assert server.received(1) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("own_session", [True, False])
def test_a_redirect_is_not_followed(server, make, status, own_session):
    server.answers(server.http(status, b"<p>moved</p>", {"Location": f"{server.url}/elsewhere"}))
    with requests.Session() as session, pytest.raises(errors.ApiError, match="/elsewhere") as caught:
        make(server.url, http=None if own_session else session).send(GET)
    assert (caught.value.status, caught.value.body) == (status, "<p>moved</p>")
    assert [request.target for request in server.requests] == ["/companies"]


def test_a_redirect_to_nonsense_is_an_api_error_too(server, make):
    server.answers(server.http(302, b"", {"Location": "http://["}))
    with pytest.raises(errors.ApiError) as caught:
        make(server.url).send(GET)
    assert caught.value.status == 302
    assert server.received(1) == 1


def test_a_netrc_does_not_replace_the_token(server, make, monkeypatch, tmp_path, secrets):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers(server.http(200, []))
    make(server.url).send(GET)
    with requests.Session() as session:
        make(server.url, http=session).send(GET)
    assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {secrets[0]}"] * 2


def test_no_proxy_stands_between_us_and_loopback(server, make, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.answers(server.http(200, []))
    assert make(server.url).send(GET).data == []
    assert server.received(1) == 1


def test_a_proxy_of_the_environment_is_used_for_other_hosts(server, make, monkeypatch, secrets):
    monkeypatch.setenv("https_proxy", server.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.answers(server.http(407, b"who are you"))
    with pytest.raises(errors.TransportError) as caught:
        make("https://api.planhat.com", max_attempts=2).send(POST)
    assert (caught.value.sent, caught.value.attempts) == (False, 2)
    assert [request.method for request in server.requests] == ["CONNECT", "CONNECT"]
    assert all("authorization" not in request.headers for request in server.requests)


def test_cookies_are_not_kept(server, make):
    server.answers(server.http(200, [], {"Set-Cookie": "session=1; Path=/"}))
    transport = make(server.url)
    transport.send(GET)
    transport.send(GET)
    assert ["cookie" in request.headers for request in server.requests] == [False, False]


def test_compressed_pages_are_read(server, make):
    content = gzip.compress(b'[{"_id": "a"}]')
    server.answers(server.http(200, content, {"Content-Encoding": "gzip"}))
    assert make(server.url).send(GET).data == [{"_id": "a"}]
    assert server.received(1) == 1


@pytest.mark.parametrize("key", ["a/b", "../../users", "a?b#c", "50%", "%2F", "ä ö", "a,b+c&d=e", "\n", "~", "🦊x"])
def test_a_key_reaches_the_server_as_one_segment_that_decodes_to_itself(server, make, key):
    from urllib.parse import unquote

    server.answers(server.http(200, {}))
    if not key.strip():
        key += "x"
    make(server.url).send(Request("GET", path_for("companies", key, kind="external_id")))
    target = server.requests[0].target
    assert target.count("/") == 2
    assert unquote(target) == f"/companies/extid-{key}"
    assert server.received(1) == 1


def test_params_reach_the_server_with_plain_commas(server, make):
    server.answers(server.http(200, []))
    make(server.url).send(Request("GET", "/companies", params={"companyId": "a,b", "email": "x+y@z.test"}))
    assert server.requests[0].target == "/companies?companyId=a,b&email=x%2By%40z.test"
    assert server.received(1) == 1


def test_threads_share_the_pool(server, make):
    server.answers(server.http(200, [1]))
    transport = make(server.url)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(transport.send(GET).data)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[1]] * 8
    assert server.received(8) == 8
    assert server.connections <= 8


def test_a_netrc_puts_no_header_on_a_request_without_one(server, make, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers(server.http(200))
    make(server.url).send(Request("POST", "/analytics/{tenant}", json={}, host="analytics", auth="none"))
    [received] = server.requests
    assert "authorization" not in {name.lower() for name in received.headers}
