"""What the transport sends, returns and raises; requests-mock stands in for the server."""

from __future__ import annotations

import copy
import gc
import json
import logging
import pickle
import threading

import pytest
import requests
import requests_mock

from planhat_orm import errors
from planhat_orm.wire import bodies
from planhat_orm.wire.messages import Request
from planhat_orm.wire.quota import Quota
from planhat_orm.wire.retry import Replay, may_have_run, too_slow

API = "https://api.planhat.com"


@pytest.fixture
def planhat():
    with requests_mock.Mocker() as mocker:
        yield mocker


class TestWhatIsSent:
    def test_get_sends_the_bearer_token_and_asks_for_json(self, make, planhat, secrets):
        planhat.get(f"{API}/companies", json=[])
        make().send(Request("GET", "/companies"))
        sent = planhat.request_history[0].headers
        assert sent["Authorization"] == f"Bearer {secrets[0]}"
        assert sent["Accept"] == "application/json"
        assert sent["User-Agent"].startswith("planhat_orm/")
        assert "Content-Type" not in sent
        assert planhat.call_count == 1

    def test_params_keep_their_order_and_their_commas(self, make, planhat):
        planhat.get(f"{API}/companies", json=[])
        make().send(Request("GET", "/companies", params={"sort": "-_id", "select": "_id,Days & more", "a": "1"}))
        assert planhat.last_request.url == f"{API}/companies?sort=-_id&select=_id,Days%20%26%20more&a=1"
        assert planhat.call_count == 1

    def test_a_body_is_compact_utf8_json(self, make, planhat):
        planhat.post(f"{API}/companies", json={"_id": "x"})
        make().send(Request("POST", "/companies", json={"name": "Ærø"}))
        assert planhat.last_request.body == '{"name":"Ærø"}'.encode()
        assert planhat.last_request.headers["Content-Type"] == "application/json"
        assert planhat.call_count == 1

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), "\ud800"])
    def test_a_body_that_is_no_json_is_refused_before_a_request(self, make, planhat, value):
        with pytest.raises(errors.ValidationError, match="POST /companies"):
            make().send(Request("POST", "/companies", json={"arr": value}))
        assert planhat.call_count == 0

    def test_the_tenant_token_is_filled_into_the_path_and_shown_nowhere(self, make, planhat, secrets):
        planhat.post(f"{API}/dimensiondata/{secrets[1]}", json={})
        request = Request("POST", "/dimensiondata/{tenant}", json=[], host="analytics")
        assert make().send(request).status == 200
        assert str(request) == "POST /dimensiondata/{tenant}"
        assert planhat.call_count == 1

    def test_segment_requests_authenticate_with_the_tenant_token(self, make, planhat, secrets):
        planhat.post(f"{API}/dock/segment", text="")
        make().send(Request("POST", "/dock/segment", json={}, host="analytics", auth="tenant"))
        plain = requests.Request("POST", API, auth=(secrets[1], "")).prepare().headers["Authorization"]
        assert planhat.last_request.headers["Authorization"] == plain
        assert planhat.call_count == 1

    def test_without_a_tenant_token_an_analytics_path_is_refused_before_a_request(self, make, planhat):
        with pytest.raises(errors.ConfigurationError, match="PLANHAT_TENANT_TOKEN"):
            make(tenant_token="").send(Request("POST", "/analytics/{tenant}", json=[], host="analytics"))
        assert planhat.call_count == 0

    def test_a_timeout_of_the_request_goes_before_the_transports(self, make, planhat):
        planhat.get(f"{API}/companies", json=[])
        transport = make(timeout=(1, 2))
        transport.send(Request("GET", "/companies"))
        transport.send(Request("GET", "/companies", timeout=(3, 180)))
        assert [request.timeout for request in planhat.request_history] == [(1, 2), (3, 180)]


class TestWhatIsReturned:
    def test_the_answer_is_parsed(self, make, planhat):
        planhat.get(f"{API}/companies", json=[{"_id": "a"}], headers={"X-Request-Id": "r-1"})
        transport = make()
        first, second = (transport.send(Request("GET", "/companies")) for _ in range(2))
        assert first.data == [{"_id": "a"}]
        assert (first.status, first.attempts, first.repeated) == (200, 1, False)
        assert second.data == first.data
        assert first.headers["x-request-id"] == "r-1"
        assert planhat.call_count == 2

    @pytest.mark.parametrize(("status", "body"), [(200, ""), (204, ""), (201, " \n"), (200, "null")])
    def test_an_empty_answer_to_a_write_is_a_success_without_data(self, make, planhat, status, body):
        planhat.delete(f"{API}/companies/x", status_code=status, text=body)
        response = make().send(Request("DELETE", "/companies/x"))
        assert (response.status, response.data) == (status, None)
        assert planhat.call_count == 1

    def test_status_206_is_a_success_whose_body_is_for_the_writer(self, make, planhat):
        planhat.put(f"{API}/companies", status_code=206, json={"updatedErrors": ["no"]})
        response = make().send(Request("PUT", "/companies", json=[{}]))
        assert (response.status, response.data) == (206, {"updatedErrors": ["no"]})
        assert planhat.call_count == 1

    def test_a_byte_order_mark_is_no_hindrance(self, make, planhat):
        planhat.get(f"{API}/companies", content=b'\xef\xbb\xbf[{"name": "\xc3\x86"}]')
        assert make().send(Request("GET", "/companies")).data == [{"name": "Æ"}]
        assert planhat.call_count == 1

    def test_plain_text_is_an_answer_on_the_analytics_host_only(self, make, planhat):
        planhat.post(f"{API}/analytics/x", text="received")
        request = Request("POST", "/analytics/x", json={}, host="analytics")
        assert make().send(request).data == "received"
        with pytest.raises(errors.TransportError, match="not JSON"):
            make().send(Request("POST", "/analytics/x", json={}))
        assert planhat.call_count == 2

    def test_the_collector_is_off_while_a_page_is_parsed_and_on_afterwards(self, make, planhat, monkeypatch):
        planhat.get(f"{API}/companies", json=[{}])
        seen = []
        parse = json.loads
        monkeypatch.setattr(bodies.json, "loads", lambda text: (seen.append(gc.isenabled()), parse(text))[1])
        make().send(Request("GET", "/companies"))
        assert (seen, gc.isenabled()) == ([False], True)

    def test_a_page_is_parsed_once_even_where_it_is_read_twice(self, make, planhat, monkeypatch):
        planhat.get(f"{API}/companies", json=[{}])
        parsed = []
        parse = json.loads
        monkeypatch.setattr(bodies.json, "loads", lambda text: (parsed.append(1), parse(text))[1])
        response = make().send(Request("GET", "/companies"))
        assert response.data is response.data
        assert len(parsed) == 1

    def test_requests_json_is_not_kept_in_a_repr(self, make, planhat):
        planhat.post(f"{API}/companies", json={"secret": "value"})
        request = Request("POST", "/companies", json={"name": "Ada Lovelace"})
        assert "Ada" not in repr(request)
        assert "value" not in repr(make().send(request))


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, errors.BadRequest),
            (401, errors.Unauthorized),
            (403, errors.Forbidden),
            (404, errors.NotFound),
            (405, errors.ApiError),
            (409, errors.ApiError),
            (413, errors.ApiError),
            (414, errors.ApiError),
            (431, errors.ApiError),
            (501, errors.ServerError),
        ],
    )
    def test_an_error_status_raises_its_class_at_once(self, make, planhat, status, error):
        planhat.get(f"{API}/companies", status_code=status, json={"message": "No such document"})
        with pytest.raises(error, match="No such document") as caught:
            make().send(Request("GET", "/companies"))
        assert type(caught.value) is error
        assert (caught.value.status, caught.value.attempts) == (status, 1)
        assert caught.value.request == "GET /companies"
        assert caught.value.body == {"message": "No such document"}
        assert planhat.call_count == 1

    @pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8", "base64", "klingon", ""])
    def test_an_error_in_any_charset_is_read(self, make, planhat, charset):
        content = "Fehler: Zugriff für Ärzte".encode("iso-8859-1" if charset == "iso-8859-1" else "utf-8")
        kind = {"Content-Type": f"text/plain; charset={charset}"}
        planhat.get(f"{API}/companies", status_code=403, content=content, headers=kind)
        with pytest.raises(errors.Forbidden, match="für Ärzte"):
            make().send(Request("GET", "/companies"))
        assert planhat.call_count == 1

    def test_the_error_carries_the_headers(self, make, planhat):
        planhat.get(f"{API}/companies", status_code=403, headers={"X-Request-Id": "r-1"})
        with pytest.raises(errors.Forbidden) as caught:
            make().send(Request("GET", "/companies"))
        assert caught.value.headers["X-Request-Id"] == "r-1"
        assert planhat.call_count == 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
    def test_a_redirect_is_an_error_that_says_where_it_points(self, make, planhat, status):
        planhat.get(f"{API}/companies", status_code=status, headers={"Location": "https://elsewhere.test/x?t=1"})
        with pytest.raises(errors.ApiError, match=r"https://elsewhere\.test/x;") as caught:
            make().send(Request("GET", "/companies"))
        assert caught.value.status == status
        assert planhat.call_count == 1


class TestTrying:
    def test_a_429_is_waited_for_and_sent_again_even_for_a_create(self, make, planhat, slept):
        planhat.post(
            f"{API}/companies", [{"status_code": 429, "headers": {"Retry-After": "7"}}, {"json": {"_id": "a"}}]
        )
        response = make().send(Request("POST", "/companies", json={}))
        assert (response.attempts, response.repeated, slept) == (2, False, [7.0])
        assert planhat.call_count == 2

    def test_a_429_without_a_hint_waits_longer_than_the_window_of_planhat(self, make, planhat, slept):
        planhat.get(f"{API}/companies", status_code=429)
        with pytest.raises(errors.RateLimited) as caught:
            make().send(Request("GET", "/companies"))
        assert slept == [20.0, 40.0, 60.0, 60.0]
        assert caught.value.attempts == 5
        assert planhat.call_count == 5

    def test_a_wait_beyond_reason_is_not_slept(self, make, planhat, slept):
        planhat.get(f"{API}/companies", status_code=429, headers={"Retry-After": "86400"})
        with pytest.raises(errors.RateLimited, match="86400 s"):
            make().send(Request("GET", "/companies"))
        assert slept == []
        assert planhat.call_count == 1

    def test_a_429_makes_every_user_of_the_quota_wait(self, make, planhat, slept):
        now = [0.0]
        quota = Quota(clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
        planhat.get(f"{API}/companies", [{"status_code": 429, "headers": {"Retry-After": "30"}}, {"json": []}])
        make(quota=quota, token="token-of-the-pause-test").send(Request("GET", "/companies"))
        assert slept == []
        assert now[0] >= 30.0
        assert planhat.call_count == 2

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
    def test_a_lost_answer_to_a_read_is_asked_for_again(self, make, planhat, slept, status):
        planhat.get(f"{API}/companies", [{"status_code": status}, {"status_code": status}, {"json": []}])
        response = make().send(Request("GET", "/companies"))
        assert (response.attempts, response.repeated, slept) == (3, True, [1.0, 2.0])
        assert planhat.call_count == 3

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_create_is_never_sent_again_when_its_answer_is_lost(self, make, planhat, slept, status):
        planhat.post(f"{API}/companies", status_code=status)
        with pytest.raises(errors.ServerError) as caught:
            make().send(Request("POST", "/companies", json={}))
        assert may_have_run(caught.value)
        assert slept == []
        assert planhat.call_count == 1

    def test_a_503_with_retry_after_did_no_work(self, make, planhat, slept):
        planhat.post(
            f"{API}/companies", [{"status_code": 503, "headers": {"Retry-After": "3"}}, {"json": {"_id": "a"}}]
        )
        response = make().send(Request("POST", "/companies", json={}))
        assert (response.repeated, slept) == (False, [3.0])
        assert planhat.call_count == 2

    def test_a_keyed_upsert_is_sent_again_after_half_a_minute_and_says_so(self, make, planhat, slept, caplog):
        planhat.put(f"{API}/companies", [{"status_code": 502}, {"json": {"updated": 1}}])
        with caplog.at_level(logging.WARNING, "planhat_orm.wire"):
            response = make().send(Request("PUT", "/companies", json=[{}], replay=Replay.LATER))
        assert (response.repeated, slept) == (True, [30.0])
        assert "PUT /companies" in caplog.text
        assert planhat.call_count == 2

    def test_a_put_of_a_list_is_not_repeated_unless_it_is_said_to_be_keyed(self, make, planhat):
        planhat.put(f"{API}/companies", status_code=502)
        with pytest.raises(errors.ServerError):
            make().send(Request("PUT", "/companies", json=[{}]))
        assert planhat.call_count == 1

    def test_a_repeated_delete_that_meets_404_is_a_success(self, make, planhat):
        planhat.delete(f"{API}/companies/x", [{"status_code": 502}, {"status_code": 404}])
        response = make().send(Request("DELETE", "/companies/x"))
        assert (response.status, response.data, response.repeated) == (404, None, True)
        assert planhat.call_count == 2

    @pytest.mark.parametrize("first", [{"status_code": 429}, {"exc": requests.ConnectTimeout}])
    def test_a_delete_that_was_not_carried_out_before_is_not_excused_for_a_404(self, make, planhat, first):
        planhat.delete(f"{API}/companies/x", [first, {"status_code": 404}])
        with pytest.raises(errors.NotFound):
            make().send(Request("DELETE", "/companies/x"))
        assert planhat.call_count == 2

    def test_an_error_after_a_lost_answer_tells_that_it_may_have_run(self, make, planhat):
        planhat.put(f"{API}/companies", [{"status_code": 502}, {"status_code": 400, "text": "externalId duplicated"}])
        with pytest.raises(errors.BadRequest) as caught:
            make().send(Request("PUT", "/companies", json=[{}], replay=Replay.LATER))
        assert may_have_run(caught.value)
        assert isinstance(caught.value.__cause__, errors.ServerError)
        assert planhat.call_count == 2

    def test_an_error_at_the_first_attempt_did_not_run(self, make, planhat):
        planhat.post(f"{API}/companies", status_code=400)
        with pytest.raises(errors.BadRequest) as caught:
            make().send(Request("POST", "/companies", json={}))
        assert not may_have_run(caught.value)
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("failure", [{"status_code": 504}, {"exc": requests.ReadTimeout}])
    def test_a_page_that_can_be_halved_is_not_asked_again_at_the_same_size(self, make, planhat, slept, failure):
        planhat.get(f"{API}/companies", **failure)
        with pytest.raises((errors.ServerError, errors.TransportError)) as caught:
            make().send(Request("GET", "/companies", halvable=True))
        assert too_slow(caught.value)
        assert slept == []
        assert planhat.call_count == 1

    def test_a_page_that_can_be_halved_is_still_repeated_for_other_losses(self, make, planhat):
        planhat.get(f"{API}/companies", [{"status_code": 502}, {"json": []}])
        assert make().send(Request("GET", "/companies", halvable=True)).attempts == 2
        assert planhat.call_count == 2

    @pytest.mark.parametrize("body", ['[{"_id": "a"}, {"_i', "<html>Sign in</html>", "", "[" * 100_000])
    def test_an_unreadable_success_is_asked_for_again_and_then_an_error(self, make, planhat, body):
        planhat.get(f"{API}/companies", text=body)
        with pytest.raises(errors.TransportError, match="answered 200") as caught:
            make(max_attempts=3).send(Request("GET", "/companies"))
        assert (caught.value.sent, caught.value.attempts, caught.value.status) == (True, 3, 200)
        assert "carried out" not in str(caught.value)
        assert planhat.call_count == 3

    def test_an_unreadable_answer_to_a_create_is_not_asked_for_again(self, make, planhat):
        planhat.post(f"{API}/companies", text='{"_id": "a')
        with pytest.raises(errors.TransportError, match="may have been carried out") as caught:
            make().send(Request("POST", "/companies", json={}))
        assert caught.value.sent
        assert planhat.call_count == 1

    def test_bytes_that_are_no_utf8_cannot_be_read(self, make, planhat):
        planhat.get(f"{API}/companies", content=b'["\xff\xfe"]')
        with pytest.raises(errors.TransportError, match="not UTF-8"):
            make(max_attempts=1).send(Request("GET", "/companies"))
        assert planhat.call_count == 1

    def test_a_certificate_that_is_refused_is_not_tried_again(self, make, planhat):
        import ssl

        planhat.get(f"{API}/companies", exc=requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")))
        with pytest.raises(errors.TransportError, match="REQUESTS_CA_BUNDLE") as caught:
            make().send(Request("GET", "/companies"))
        assert not caught.value.sent
        assert planhat.call_count == 1

    def test_the_last_try_never_sent_after_a_lost_one_still_may_have_run(self, make, planhat):
        planhat.put(f"{API}/companies/x", [{"status_code": 502}, {"exc": requests.ConnectTimeout}])
        with pytest.raises(errors.TransportError) as caught:
            make(max_attempts=2).send(Request("PUT", "/companies/x", json={}))
        assert caught.value.sent
        assert planhat.call_count == 2


class TestCounting:
    def test_every_attempt_counts(self, make, planhat):
        planhat.get(f"{API}/companies", [{"status_code": 502}, {"json": []}])
        transport = make()
        transport.send(Request("GET", "/companies"))
        assert (transport.stats.requests, transport.stats.retries, transport.stats.waited) == (2, 1, 1.0)
        assert planhat.call_count == 2

    def test_counting_loses_nothing_between_threads(self, make, planhat):
        planhat.get(f"{API}/companies", json=[])
        transport = make()

        def ask():
            for _ in range(20):
                transport.send(Request("GET", "/companies"))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert transport.stats.requests == planhat.call_count == 160

    def test_observers_see_each_outcome_until_they_are_removed(self, make, planhat):
        planhat.get(f"{API}/companies", [{"json": []}, {"status_code": 404}, {"json": []}])
        transport = make()
        seen = []
        remove = transport.observe(lambda request, outcome: seen.append((str(request), type(outcome).__name__)))
        transport.send(Request("GET", "/companies"))
        with pytest.raises(errors.NotFound):
            transport.send(Request("GET", "/companies"))
        remove()
        remove()
        transport.send(Request("GET", "/companies"))
        assert seen == [("GET /companies", "Response"), ("GET /companies", "NotFound")]
        assert planhat.call_count == 3

    def test_a_guard_stops_the_request_before_it_is_sent(self, make, planhat):
        planhat.get(f"{API}/companies", [{"status_code": 502}, {"json": []}])
        transport = make()

        def at_most_one(request):
            if transport.stats.requests >= 1:
                raise errors.PlanhatError("enough")

        remove = transport.guard(at_most_one)
        with pytest.raises(errors.PlanhatError, match="enough"):
            transport.send(Request("GET", "/companies"))
        assert planhat.call_count == 1
        remove()
        assert transport.send(Request("GET", "/companies")).data == []
        assert planhat.call_count == 2

    def test_each_attempt_is_logged_without_headers_or_parameters(self, make, planhat, caplog, secrets):
        planhat.get(f"{API}/companies", [{"status_code": 502}, {"json": []}])
        with caplog.at_level(logging.DEBUG, "planhat_orm.wire"):
            make().send(Request("GET", "/companies", params={"email": "ada@example.com"}))
        lines = [record.getMessage() for record in caplog.records if "attempt" in record.getMessage()]
        assert [line.split(" in ")[0] for line in lines] == ["GET /companies 502", "GET /companies 200"]
        assert lines[1].endswith("ms (attempt 2)")
        assert "ada@" not in caplog.text
        assert secrets[0] not in caplog.text


class TestConfiguration:
    @pytest.mark.parametrize(
        "url",
        [
            "http://api.planhat.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://api.planhat.com",
            "api.planhat.com",
            "https://user:password@api.planhat.com",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1\\@example.com",
            "https://api.planhat.com?x=1",
            "https://api.planhat.com#x",
            "https://",
            "https://api.planhat.com:port",
            "https://[::1",
            "",
        ],
    )
    def test_an_address_that_could_leak_the_token_is_refused(self, make, url):
        with pytest.raises(errors.ConfigurationError) as caught:
            make(url)
        assert "password" not in str(caught.value)

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:5000", "http://localhost:5000/", "http://[::1]:5000", "http://127.8.8.8", API]
    )
    def test_https_and_loopback_are_taken(self, make, url):
        assert url.rstrip("/") in repr(make(url))

    @pytest.mark.parametrize("token", ["", "  ", None, "two words", "line\nbreak", "tökén", "nul\0"])
    def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(self, make, token):
        with pytest.raises(errors.ConfigurationError) as caught:
            make(token=token)
        assert "PLANHAT_API_TOKEN" in str(caught.value)
        assert not (token or "").strip() or token not in str(caught.value)

    def test_white_space_around_a_token_is_dropped(self, make, planhat):
        planhat.get(f"{API}/companies", json=[])
        make(token=" token-from-a-file\n").send(Request("GET", "/companies"))
        assert planhat.last_request.headers["Authorization"] == "Bearer token-from-a-file"
        assert planhat.call_count == 1

    @pytest.mark.parametrize("timeout", [(0, 1), (1, -1), (1,), (1, None), 60, None, "5"])
    def test_there_is_no_request_without_a_timeout(self, make, timeout):
        with pytest.raises(errors.ConfigurationError, match="timeout"):
            make(timeout=timeout)

    def test_a_session_that_repeats_by_itself_is_refused(self, make):
        with requests.Session() as session:
            session.mount("https://", requests.adapters.HTTPAdapter(max_retries=3))
            with pytest.raises(errors.ConfigurationError, match="max_retries=0"):
                make(http=session)

    def test_a_given_session_keeps_its_headers_and_stays_open(self, make, planhat):
        planhat.get(f"{API}/companies", json=[])
        with requests.Session() as session:
            session.headers["X-Team"] = "revops"
            transport = make(http=session)
            transport.send(Request("GET", "/companies"))
            transport.close()
            transport.send(Request("GET", "/companies"))
        assert planhat.last_request.headers["X-Team"] == "revops"
        assert planhat.call_count == 2

    @pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_a_transport_cannot_be_pickled_or_copied(self, make, duplicate):
        with pytest.raises(TypeError, match="token"):
            duplicate(make())
