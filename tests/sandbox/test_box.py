"""The sandbox itself: rows behind the session, recorded requests, starting and stopping."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import requests

import planhat_orm
from planhat_orm.errors import ConfigurationError, UnknownField
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.sandbox import Sandbox

ABSENT = "64b0f1a2c3d4e5f60718293a"


# Rows


def test_add_takes_python_and_wire_names_read_only_ones_too(box):
    row = box.add(
        Company,
        name="Acme",
        external_id="a",
        sourceId="s",
        health=7,
        arr=5,
        updated_at=datetime(2025, 1, 2, tzinfo=UTC),
    )
    assert (row["externalId"], row["sourceId"], row["h"], row["arr"]) == ("a", "s", 7, 5)
    assert row["updatedAt"] == "2025-01-02T00:00:00.000Z"
    assert row == box.row(Company, row["_id"])


def test_add_fills_in_what_planhat_fills_in(box):
    acme = box.add(Company, name="Acme")
    assert {"_id", "createDate", "updatedAt", "__v", "status"} <= acme.keys()
    ada = box.add(Enduser, company=acme, first_name="Ada", last_name="Byron")
    assert (ada["companyName"], ada["name"]) == ("Acme", "Ada Byron")
    note = box.add(Note, company=acme["_id"], subject="Hi")
    assert (note["type"], note["companyName"]) == ("note", "Acme")


def test_what_is_given_is_stored_as_it_is(box):
    acme = box.add(
        Company, name="Acme", auto_renews="", domains="a.example,b.example", _id=ABSENT, custom={"T": "undefined"}
    )
    assert (acme["autoRenews"], acme["domains"], acme["_id"]) == ("", "a.example,b.example", ABSENT)
    ada = box.add(Enduser, company=acme, first_name="Ada", name="Countess", company_name="Old name")
    assert (ada["name"], ada["companyName"]) == ("Countess", "Old name")
    licence = box.add(License, company=acme, fixed_period=False, value=5)
    assert licence["value"] == 5


def test_dates_and_times_are_brought_into_form_wherever_they_stand(box):
    moment = datetime(2025, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    row = box.add(
        Company, name="Acme", customer_from=date(2025, 3, 1), last_touch=moment, custom={"Since": [date(2025, 3, 1)]}
    )
    assert row["customerFrom"] == "2025-03-01T00:00:00.000Z"
    assert row["lastTouch"] == "2025-02-28T23:30:00.000Z"
    assert row["custom"] == {"Since": ["2025-03-01T00:00:00.000Z"]}
    assert box.add(Note, subject="x", days=date(1970, 1, 11))["days"] == 10


def test_references_are_given_as_rows_objects_or_ids(box):
    kim = box.add(User, email="kim@vendor.example", nick_name="Kim")
    with box.session():
        loaded = User.objects.get(id=kim["_id"])
        rows = [box.add(Company, name="x", owner=owner, followers=[owner]) for owner in (kim, kim["_id"], loaded)]
    assert [row["owner"] for row in rows] == [kim["_id"]] * 3
    assert [row["followers"] for row in rows] == [[kim["_id"]]] * 3
    note = box.add(Note, subject="Hi", users=[kim, kim["_id"]])
    assert note["users"] == [{"id": kim["_id"], "name": "Kim"}] * 2


def test_a_misspelt_name_is_an_error_with_a_suggestion_and_extra_holds_what_is_undeclared(box):
    with pytest.raises(UnknownField, match="did you mean 'name'"):
        box.add(Company, nme="Acme")
    assert box.add(Company, name="Acme", extra={"brandNew": 1})["brandNew"] == 1


def test_two_rows_of_one_id_are_refused_and_nothing_of_the_batch_is_kept(box):
    with pytest.raises(ValueError, match="taken already in companies"):
        box.add_many(Company, [{"name": "A", "_id": ABSENT}, {"name": "B", "_id": ABSENT}])
    assert box.count(Company) == 0


def test_rows_are_found_by_id_object_or_values(box):
    acme = box.add(Company, name="Acme", health=7)
    box.add(Company, name="Birch", health=7)
    assert box.row(Company, acme) == box.row(Company, name="Acme") == box.rows(Company, health=7)[0]
    assert (box.count(Company), box.count(Company, h=7), box.count(Company, name="Birch")) == (2, 2, 1)
    with pytest.raises(LookupError, match=r"2 rows of Company have \{'health': 7\}"):
        box.row(Company, health=7)
    with pytest.raises(LookupError, match="0 rows"):
        box.row(Company, ABSENT)
    with pytest.raises(LookupError, match="no row, object or id"):
        box.row(Company, "acme-42")


def test_change_merges_custom_values_clears_with_none_and_moves_the_last_change(box):
    acme = box.add(Company, name="Acme", phase="A", custom={"T": 1, "U": 2})
    after = box.change(Company, acme, phase=None, custom={"T": None}, status="lost")
    assert "phase" not in after
    assert (after["custom"], after["status"]) == ({"U": 2}, "lost")
    assert (after["updatedAt"] > acme["updatedAt"], after["__v"]) == (True, 1)
    assert box.change(Company, acme, updated_at="2020-01-01T00:00:00.000Z")["updatedAt"] == "2020-01-01T00:00:00.000Z"


def test_remove_returns_the_row_and_only_once(box):
    acme = box.add(Company, name="Acme")
    assert box.remove(Company, acme)["name"] == "Acme"
    with pytest.raises(LookupError):
        box.remove(Company, acme)


def test_rows_of_a_model_over_a_shared_collection_are_its_own(box):
    box.add(Note, subject="note")
    box.add(Note, subject="mail", type="email")
    assert [row["subject"] for row in box.rows(Note)] == ["note"]


def test_nothing_behind_the_session_is_a_request(box):
    acme = box.add(Company, name="Acme")
    box.change(Company, acme, name="B")
    box.remove(Company, box.row(Company, acme))
    assert box.requests == []


# Requests


def test_a_request_is_recorded_with_everything_but_the_token(box, api):
    api("PUT", "/companies?limit=5&a=b%2Cc", json=[{"name": "Acme"}])
    [request] = box.requests
    assert (request.method, request.path, request.status) == ("PUT", "/companies", 200)
    assert request.params == {"limit": "5", "a": "b,c"}
    assert request.json == [{"name": "Acme"}]
    assert request.headers["Authorization"] == "Bearer (not kept)"
    assert box.token not in repr(request)
    assert str(request) == "PUT /companies?limit=5&a=b,c -> 200"


def test_assert_requests_counts_those_inside_and_lists_them_when_they_are_wrong(box, api):
    api.get("/companies")
    with box.assert_requests(2):
        api.get("/users")
        api("GET", "/nowhere")
    listed = r"expected 0 requests, 1 came:\n  1. GET /users\?limit=1 -> 200$"
    with pytest.raises(AssertionError, match=listed), box.assert_requests(0):
        api.get("/users", limit=1)
    with pytest.raises(AssertionError, match=r"expected 1 requests, 0 came$"), box.assert_requests(1):
        pass
    assert len(box.requests) == 4
    box.clear_requests()
    assert box.requests == []


def test_an_error_inside_assert_requests_is_not_hidden(box):
    with pytest.raises(ZeroDivisionError), box.assert_requests(1):
        1 / 0  # noqa: B018


# Life


def test_a_session_of_the_sandbox_reads_and_writes_it(box):
    box.add(Company, name="Acme", external_id="acme-42", custom={"Tier": "Silver"})
    with box.session() as session, box.assert_requests(2):
        assert planhat_orm.Session is type(session)
        acme = Company.objects.get(external_id="acme-42")
        acme.custom["Tier"] = "Gold"
        acme.save()
    assert box.row(Company, external_id="acme-42")["custom"] == {"Tier": "Gold"}


def test_connections_are_kept_open_between_requests(box, api):
    for _ in range(5):
        api.get("/companies")
    adapter = api.http.get_adapter(box.url)
    [pool] = [adapter.poolmanager.pools[key] for key in adapter.poolmanager.pools.keys()]  # noqa: SIM118 - no plain dict
    assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_two_sandboxes_live_side_by_side_and_give_out_the_same_ids():
    with Sandbox(seed=3) as one, Sandbox(seed=3) as two, Sandbox(seed=4) as other:
        assert one.url != two.url
        ids = [box.add(Company, name="Acme")["_id"] for box in (one, two, other)]
    assert ids[0] == ids[1] != ids[2]


def test_after_the_block_nothing_listens_any_more():
    with Sandbox() as box:
        url = box.url
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=5)
    with pytest.raises(ConfigurationError, match="not running"):
        _ = box.url


def test_rows_can_be_looked_at_after_the_block():
    with Sandbox() as box:
        acme = box.add(Company, name="Acme")
    assert box.row(Company, acme) == acme


def test_a_stopped_sandbox_ends_open_connections_and_can_start_again(box, api):
    box.add(Company, name="Acme")
    api.get("/companies")
    box.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        api("GET", "/companies")
    api.url = box.start().url
    assert api.get("/companies")[0]["name"] == "Acme"


def test_a_taken_port_is_a_configuration_error(box):
    port = int(box.url.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
        Sandbox(port=port).start()


def test_a_file_keeps_rows_and_goes_on_with_new_ids(tmp_path):
    path = tmp_path / "planhat.sqlite"
    with Sandbox(path) as box:
        first = box.add(Company, name="Acme")
    with Sandbox(path) as box:
        assert box.row(Company, first) == first
        assert box.add(Company, name="Birch")["_id"] > first["_id"]
        assert box.row(Company, name="Birch")


def test_the_clock_can_be_set(box):
    noon = datetime(2025, 6, 1, 12, tzinfo=UTC)
    clocked = Sandbox(clock=lambda: noon)
    first, second = clocked.add(Company, name="A"), clocked.add(Company, name="B")
    assert (first["createDate"], second["createDate"]) == ("2025-06-01T12:00:00.000Z", "2025-06-01T12:00:00.001Z")


def test_the_server_writes_nothing_to_the_terminal(box, api, capfd):
    api.get("/companies")
    api("GET", "/nowhere")
    box.fault("lost_answer")
    with pytest.raises(requests.exceptions.ConnectionError):
        api("GET", "/companies")
    assert capfd.readouterr() == ("", "")


def test_a_client_that_leaves_early_disturbs_nobody(box, api, capfd):
    box.add_many(Company, ({"name": "x" * 500, "phase": "y" * 500} for _ in range(5000)))
    answer = api.http.get(f"{box.url}/companies?limit=5000", stream=True, timeout=10)
    answer.close()
    assert len(api.get("/companies", limit=5)) == 5
    assert capfd.readouterr() == ("", "")
