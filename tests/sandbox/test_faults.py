"""Faults, seen from the socket where they happen there."""

import http.client
import json
import socket

import pytest
import requests

from planhat_orm.models import Company


def raw(box, request_line, body=b""):
    """Send one request by hand and return every byte that comes until the connection ends."""
    host, port = box.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        head = f"{request_line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {box.token}\r\nConnection: close\r\n"
        wire.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        pieces = []
        while piece := wire.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


NEW = json.dumps({"name": "Acme"}).encode()


def test_reset_before_resets_the_connection_and_does_nothing(box):
    box.fault("reset_before")
    with pytest.raises(ConnectionResetError):
        raw(box, "POST /companies", NEW)
    assert box.count(Company) == 0


def test_lost_answer_carries_out_and_ends_the_connection_without_a_byte(box):
    box.fault("lost_answer")
    assert raw(box, "POST /companies", NEW) == b""
    assert box.count(Company) == 1


def test_truncated_announces_the_whole_body_and_sends_half(box):
    box.add_many(Company, ({"name": f"C{n}"} for n in range(50)))
    whole = raw(box, "GET /companies").partition(b"\r\n\r\n")[2]
    box.fault("truncated")
    head, _, body = raw(box, "GET /companies").partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert body == whole[: len(whole) // 2]


def test_a_truncated_answer_is_an_incomplete_read_for_a_client(box, api):
    box.add(Company, name="Acme")
    with box.fault("truncated", keep=0.1), pytest.raises(requests.exceptions.ChunkedEncodingError):
        api("GET", "/companies")
    assert len(api.get("/companies")) == 1


def test_slow_drip_sends_the_same_body_in_pieces(box):
    box.add(Company, name="Acme")
    whole = raw(box, "GET /companies").partition(b"\r\n\r\n")[2]
    box.fault("slow_drip", piece=7, seconds=0.002)
    assert raw(box, "GET /companies").partition(b"\r\n\r\n")[2] == whole


def test_a_client_that_waits_less_than_the_latency_times_out(box, api):
    box.fault("latency", seconds=0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        api.http.post(f"{box.url}/companies", json={"name": "Acme"}, timeout=0.05)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Please wait", "text/html", "Please wait"),
        ({"message": "down"}, "application/json", '{"message":"down"}'),
        ("", "text/html", ""),
    ],
)
def test_status_answers_without_carrying_out(box, api, body, content_type, text):
    box.fault("status", status=503, body=body, headers={"Retry-After": "2"})
    answer = api.post("/companies", {"name": "Acme"})
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, text, "2")
    assert answer.headers["Content-Type"].startswith(content_type)
    assert box.count(Company) == 0


def test_status_after_carries_out_first_as_a_gateway_that_lost_the_answer(box, api):
    box.fault("status_after", status=504)
    assert api.post("/companies", {"name": "Acme"}).status_code == 504
    assert box.count(Company) == 1


def test_answers_of_another_shape(box, api):
    box.fault("wrong_shape")
    assert api.get("/companies") == {"message": "Something went wrong"}
    box.fault("wrong_shape", body=[1, None])
    assert api.get("/companies") == [1, None]
    box.fault("html")
    assert api("GET", "/companies").text.startswith("<html>")
    box.fault("empty", status=204)
    assert (api("GET", "/companies").status_code, api("GET", "/companies").content) == (204, b"[]")


def test_ignored_filters_return_everything(box, api):
    acme = box.add(Company, name="Acme")
    box.add(Company, name="Birch")
    with box.fault("ignore_filters"):
        assert len(api.get("/companies", companyId=acme["_id"])) == 2
    assert len(api.get("/companies", companyId=acme["_id"])) == 1


def test_an_ignored_order_returns_the_newest_first(box, api):
    for name in ("A", "B", "C"):
        box.add(Company, name=name)
    with box.fault("ignore_sort", times=None):
        assert [row["name"] for row in api.get("/companies", sort="_id")] == ["C", "B", "A"]
        assert [row["name"] for row in api.get("/companies", sort="name", limit=1, offset=1)] == ["B"]


def test_a_smaller_cap_shortens_pages(box, api):
    box.add_many(Company, ({"name": f"C{n}"} for n in range(20)))
    with box.fault("cap", limit=3, times=None):
        assert [len(api.get("/companies", limit=limit)) for limit in (2, 3, 100)] == [2, 3, 3]


def test_drift_runs_between_two_pages(box, api):
    ids = [box.add(Company, name=name)["_id"] for name in "ABCD"]
    box.fault("drift", run=lambda: box.remove(Company, ids[0]), after=1)
    pages = [api.get("/companies", sort="_id", limit=2, offset=offset) for offset in (0, 2)]
    assert [row["name"] for page in pages for row in page] == ["A", "B", "D"]


def test_drift_deletes_the_oldest_rows_and_inserts_new_ones(box, api):
    for name in "ABC":
        box.add(Company, name=name, external_id=name)
    box.fault("drift", delete=1, insert=2)
    assert [row["name"] for row in api.get("/companies", sort="_id")] == ["B", "C", "C", "C"]
    assert box.count(Company, external_id="C") == 1
    box.fault("drift", delete=1)
    assert api("GET", "/nowhere").status_code == 404


def test_stopping_does_not_wait_for_a_latency_but_for_what_is_carried_out(box, api):
    box.fault("latency", seconds=3600)
    with pytest.raises(requests.exceptions.ReadTimeout):
        api.http.post(f"{box.url}/companies", json={"name": "Acme"}, timeout=0.05)
    box.stop()
    assert box.count(Company) == 1


def test_a_fault_befalls_the_requests_it_names_so_many_times(box, api):
    acme = box.add(Company, name="Acme")
    fault = box.fault("status", status=500, method="GET", path="/companies/*", times=2, after=1)
    single = f"/companies/{acme['_id']}"
    statuses = [api("GET", path).status_code for path in ("/companies", single, single, "/users", single, single)]
    assert statuses == [200, 200, 500, 200, 500, 200]
    assert api.put(single, {}).status_code == 200
    assert (fault.fired, fault.seen) == (2, 4)


def test_a_fault_lasts_as_long_as_its_block(box, api):
    with box.fault("status", status=500, times=None) as fault:
        assert [api("GET", "/companies").status_code for _ in range(3)] == [500] * 3
        assert box.faults == [fault]
    assert api("GET", "/companies").status_code == 200
    assert box.faults == []


def test_several_faults_meet_in_one_request(box, api):
    box.add_many(Company, ({"name": f"C{n}"} for n in range(3)))
    ran = []
    box.fault("drift", run=lambda: ran.append(1))
    box.fault("cap", limit=1)
    box.fault("slow_drip", piece=10, seconds=0.001)
    assert len(api.get("/companies")) == 1
    assert ran == [1]


def test_faults_that_cannot_be_meant_are_refused_at_once(box):
    with pytest.raises(ValueError, match="no fault 'explode'; there are: cap, drift"):
        box.fault("explode")
    with pytest.raises(TypeError, match="fault 'cap': missing a required"):
        box.fault("cap")
    with pytest.raises(TypeError, match="unexpected keyword argument 'sec'"):
        box.fault("latency", sec=1)
    assert box.faults == []


def test_a_cut_connection_is_recorded_without_a_status(box):
    box.fault("lost_answer")
    host, port = box.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "/companies", headers={"Authorization": f"Bearer {box.token}"})
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
    assert [request.status for request in box.requests] == [None]
    box.clear_faults()
