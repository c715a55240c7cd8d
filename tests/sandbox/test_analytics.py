"""The sandbox's analytics host, by plain HTTP: it acknowledges everything, and keeps what it can match."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from planhat_orm.analytics import Metric
from planhat_orm.models import Asset, Company, Enduser, Project
from planhat_orm.sandbox.box import TENANT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox

METRICS = f"/analytics/dimensiondata/{TENANT_TOKEN}"
SINGLE = f"/analytics/analytics/{TENANT_TOKEN}"
BULK = f"/analytics/analytics/bulk/{TENANT_TOKEN}"
SEGMENT = "/analytics/dock/segment"
EVER = {"from": 0, "to": 99999}
POINT = {"dimensionId": "logins", "value": 42, "externalId": "acme-42"}


@pytest.fixture
def acme(box: Sandbox) -> Any:
    return box.add(Company, name="Acme", external_id="acme-42", domains=["acme.example"])


# Metrics


def test_a_point_is_written_by_external_id_and_read_by_id(api: Any, acme: Any) -> None:
    answer = api.post(METRICS, [{**POINT, "date": "2025-06-01T10:00:00.000Z"}])
    assert (answer.status_code, answer.json()) == (200, {"processed": 1, "errors": []})
    [row] = api.get("/dimensiondata", **EVER)
    assert row.pop("_id")
    assert row == {
        "dimensionId": "logins",
        "value": 42,
        "model": "Company",
        "time": "2025-06-01T10:00:00.000Z",
        "day": 20240,
        "parentId": acme["_id"],
        "companyId": acme["_id"],
        "companyName": "Acme",
    }


def test_one_point_may_be_sent_without_a_list(api: Any, acme: Any) -> None:
    assert api.post(METRICS, POINT).json() == {"processed": 1, "errors": []}
    assert len(api.get("/dimensiondata", **EVER)) == 1


def test_points_of_people_assets_and_projects_know_their_company(api: Any, box: Sandbox, acme: Any) -> None:
    for model in (Enduser, Asset, Project):
        box.add(model, company=acme, name=None if model is Enduser else "One", external_id=f"{model.__name__}-1")
    for model in ("EndUser", "Asset", "Project"):
        api.post(METRICS, {**POINT, "model": model, "externalId": f"{model.capitalize()}-1"})
    rows = api.get("/dimensiondata", **EVER)
    assert [row["model"] for row in rows] == ["EndUser", "Asset", "Project"]
    assert {row["companyId"] for row in rows} == {acme["_id"]}
    assert acme["_id"] not in {row["parentId"] for row in rows}


@pytest.mark.parametrize("key", ["dimensionId", "value", "externalId"])
def test_a_missing_key_is_told_with_the_item_and_its_model_filled_in(api: Any, acme: Any, key: str) -> None:
    item = {name: value for name, value in POINT.items() if name != key}
    answer = api.post(METRICS, [item, POINT])
    assert answer.status_code == 200
    assert answer.json()["errors"] == [{"item": {**item, "model": "Company"}, "error": f"{key} must be specified"}]
    assert len(api.get("/dimensiondata", **EVER)) == 1


@pytest.mark.parametrize("wrong", [{"externalId": "nobody"}, {"model": "Enduser"}, {"model": "User"}, {"date": "soon"}])
def test_a_point_that_fits_no_record_is_dropped_without_a_word(api: Any, acme: Any, wrong: dict[str, Any]) -> None:
    assert api.post(METRICS, [{**POINT, **wrong}]).json() == {"processed": 1, "errors": []}
    assert api.get("/dimensiondata", **EVER) == []


def test_what_is_no_point_at_all_is_told_as_it_came(api: Any, acme: Any) -> None:
    assert api.post(METRICS, ["logins"]).json()["errors"] == [{"item": "logins", "error": "item must be an object"}]


def test_a_point_without_a_day_is_of_now(api: Any, box: Sandbox, acme: Any) -> None:
    api.post(METRICS, POINT)
    [row] = box.rows(Metric)
    assert row["day"] == (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def test_metrics_want_the_api_token(box: Sandbox, acme: Any) -> None:
    answer = requests.post(box.url + METRICS, json=[POINT], timeout=10)
    assert answer.status_code == 401
    assert box.count(Metric) == 0


@pytest.mark.parametrize(("switch", "status"), [("dropped", 200), ("404", 404)])
def test_another_tenants_token_writes_nothing(api: Any, box: Sandbox, acme: Any, switch: Any, status: int) -> None:
    box.behaviour.wrong_tenant = switch
    other = "11111111-0000-4000-8000-000000000000"
    answers = [
        api.post(METRICS.replace(TENANT_TOKEN, other), [POINT]),
        api.post(SINGLE.replace(TENANT_TOKEN, other), {"email": "ada@acme.example", "action": "login"}),
        api.post(BULK.replace(TENANT_TOKEN, other), [{"email": "ada@acme.example", "action": "login"}]),
    ]
    assert [answer.status_code for answer in answers] == [status] * 3
    assert (box.count(Metric), box.activities) == (0, [])


def test_a_body_beyond_the_limit_is_refused(api: Any, box: Sandbox, acme: Any) -> None:
    box.behaviour.max_body = 100
    assert api.post(METRICS, [POINT] * 10).status_code == 413
    assert box.count(Metric) == 0


# Reading points


@pytest.fixture
def add(box: Sandbox, acme: Any) -> Callable[..., Any]:
    def add(days_ago: float, **values: Any) -> Any:
        moment = datetime.now(UTC) - timedelta(days=days_ago)
        return box.add(
            Metric, company=acme, dimension_id="logins", value=1, extra={"time": moment.isoformat()}, **values
        )

    return add


def test_without_from_and_to_only_the_last_days_are_shown(api: Any, box: Sandbox, add: Any) -> None:
    for days_ago in (0, 29, 31, 400):
        add(days_ago)
    assert len(api.get("/dimensiondata")) == 2
    box.behaviour.metrics_window_days = 365
    assert len(api.get("/dimensiondata")) == 3
    assert len(api.get("/dimensiondata", **EVER)) == 4


@pytest.mark.parametrize(("inclusive", "seen"), [(False, 1), (True, 2)])
def test_whether_to_is_part_of_the_range_is_a_switch(
    api: Any, box: Sandbox, acme: Any, inclusive: bool, seen: int
) -> None:
    box.behaviour.metrics_to_inclusive = inclusive
    for day in ("2025-06-01", "2025-06-02", "2025-06-03"):
        api.post(METRICS, {**POINT, "date": f"{day}T00:00:00.000Z"})
    assert len(api.get("/dimensiondata", **{"from": 20240, "to": 20241})) == seen


def test_company_and_dimension_filter_and_the_go_clients_cid_does_not(api: Any, box: Sandbox, acme: Any) -> None:
    birch = box.add(Company, name="Birch", external_id="birch-1")
    api.post(METRICS, [POINT, {**POINT, "dimensionId": "seats"}, {**POINT, "externalId": "birch-1"}])
    assert len(api.get("/dimensiondata", cId=acme["_id"], **EVER)) == 2
    assert len(api.get("/dimensiondata", dimid="seats", **EVER)) == 1
    assert len(api.get("/dimensiondata", cid=birch["_id"], **EVER)) == 3


def test_points_come_in_pages_and_know_no_order_and_no_selection(api: Any, acme: Any) -> None:
    api.post(METRICS, [{**POINT, "value": value} for value in range(250)])
    page = api.get("/dimensiondata", sort="-value", select="_id", **EVER)
    assert [row["value"] for row in page] == list(range(200))
    rest = api.get("/dimensiondata", limit=100, offset=200, **EVER)
    assert [row["value"] for row in rest] == list(range(200, 250))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/dimensiondata"),
        ("PUT", "/dimensiondata"),
        ("GET", "/dimensiondata/65f1bf00b7d4e8001234aa00"),
        ("DELETE", "/dimensiondata/65f1bf00b7d4e8001234aa00"),
        ("GET", METRICS),
        ("GET", SINGLE),
    ],
)
def test_points_are_neither_changed_nor_read_one_by_one(api: Any, acme: Any, method: str, path: str) -> None:
    assert api(method, path, json=POINT if method in ("POST", "PUT") else None).status_code == 404


# Activities


def test_an_event_of_a_known_person_is_kept(api: Any, box: Sandbox, acme: Any) -> None:
    ada = box.add(Enduser, company=acme, email="ada@acme.example", external_id="ada-1")
    sent = {"externalId": "ada-1", "action": "login", "weight": 3, "date": "2025-06-02T10:12:00.000Z", "info": {"a": 1}}
    answer = api.post(SINGLE, sent)
    assert (answer.status_code, answer.text) == (200, "")
    [event] = box.activities
    assert event.pop("_id")
    assert event == {
        "enduserId": ada["_id"],
        "companyId": acme["_id"],
        "action": "login",
        "info": {"a": 1},
        "weight": 3,
        "count": 1,
        "date": "2025-06-02T10:12:00.000Z",
    }


def test_many_events_know_the_person_by_email_or_eu_ext_id(api: Any, box: Sandbox, acme: Any) -> None:
    box.add(Enduser, company=acme, email="ada@acme.example", external_id="ada-1")
    events = [
        {"email": "ada@acme.example", "action": "one", "count": 2},
        {"euExtId": "ada-1", "action": "two"},
        {"externalId": "ada-1", "action": "three"},
        "no event",
    ]
    assert api.post(BULK, events).status_code == 200
    assert [(event["action"], event["count"]) for event in box.activities] == [("one", 2), ("two", 1)]


def test_a_new_person_is_made_in_the_company_or_in_that_of_the_domain(api: Any, box: Sandbox, acme: Any) -> None:
    api.post(SINGLE, {"email": "a@elsewhere.example", "companyExternalId": "acme-42", "name": "Ann Ash", "action": "x"})
    api.post(SINGLE, {"email": "b@acme.example", "action": "x"})
    api.post(SINGLE, {"email": "c@elsewhere.example", "action": "x"})
    api.post(SINGLE, {"email": "d@elsewhere.example", "companyExternalId": "nobody", "action": "x"})
    people = box.rows(Enduser)
    assert [person["email"] for person in people] == ["a@elsewhere.example", "b@acme.example"]
    assert people[0]["name"] == "Ann Ash"
    assert len(box.activities) == 2


def test_a_company_tells_apart_people_of_one_email(api: Any, box: Sandbox, acme: Any) -> None:
    birch = box.add(Company, name="Birch", external_id="birch-1")
    for company in (acme, birch):
        box.add(Enduser, company=company, email="ada@both.example")
    api.post(SINGLE, {"email": "ada@both.example", "companyId": birch["_id"], "action": "x"})
    assert [event["companyId"] for event in box.activities] == [birch["_id"]]


# Segment


def segment(box: Sandbox, body: Any, user: str = TENANT_TOKEN) -> requests.Response:
    basic = "Basic " + base64.b64encode(f"{user}:".encode()).decode()
    return requests.post(box.url + SEGMENT, json=body, headers={"Authorization": basic}, timeout=10)


def test_identify_makes_a_person_and_track_an_event(box: Sandbox, acme: Any) -> None:
    traits = {"name": "Dana Fox", "email": "dana@elsewhere.example", "companyId": "acme-42"}
    segment(box, {"type": "identify", "user_id": "ext-77", "traits": traits})
    segment(box, {"type": "track", "user_id": "ext-77", "event": "read", "properties": {"pages": 3}})
    [person] = box.rows(Enduser)
    assert (person["externalId"], person["email"]) == ("ext-77", "dana@elsewhere.example")
    assert [(event["action"], event["info"]) for event in box.activities] == [("read", {"pages": 3})]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "group", "user_id": "ext-77", "traits": {"companyId": "acme-42"}},
        {"type": "track", "user_id": "ext-77", "event": "read"},
        "no call",
    ],
)
def test_what_segment_sends_beyond_that_is_dropped(box: Sandbox, acme: Any, body: Any) -> None:
    assert segment(box, body).status_code == 200
    assert (box.count(Enduser), box.activities) == (0, [])


@pytest.mark.parametrize("header", ["", "Bearer sandbox-token", "Basic !!!", "Basic "])
def test_segment_without_the_tenant_token_is_dropped(box: Sandbox, acme: Any, header: str) -> None:
    body = {"type": "identify", "user_id": "ext-77", "traits": {"companyId": "acme-42"}}
    answer = requests.post(box.url + SEGMENT, json=body, headers={"Authorization": header}, timeout=10)
    assert answer.status_code == 200
    assert box.count(Enduser) == 0
