"""Activities over HTTP: one event, many, and Segment's calls; and what becomes of them."""

from __future__ import annotations

import datetime
import pydoc
from datetime import UTC, date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import (
    AmbiguousWrite,
    BulkError,
    ConfigurationError,
    NotSupported,
    ReadOnlyError,
    ServerError,
    ValidationError,
)
from planhat_orm.analytics import Activity, pushing
from planhat_orm.models import Company, Enduser
from planhat_orm.orm.refs import Ref
from planhat_orm.sandbox.box import TENANT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

SINGLE = f"/analytics/analytics/{TENANT_TOKEN}"
BULK = f"/analytics/analytics/bulk/{TENANT_TOKEN}"
SEGMENT = "/analytics/dock/segment"


@pytest.fixture
def ada(box: Sandbox, session: Session, acme: Company) -> Enduser:
    box.add(Enduser, company=acme.id, email="ada@acme.example", external_id="ada-1")
    ada = Enduser.objects.get(external_id="ada-1")
    box.clear_requests()
    return ada


def statuses(ledger: Any) -> list[str]:
    return [outcome.status for outcome in ledger]


def actions(box: Sandbox) -> list[Any]:
    return [event["action"] for event in box.activities]


# One event


def test_an_event_is_posted_to_the_analytics_host_in_its_names(box: Sandbox, session: Session) -> None:
    with box.assert_requests(1):
        outcome = Activity.track(
            "created a project",
            email="dana.fox@acme.example",
            external_id="ext-77",
            company_external_id="acme-42",
            name="Dana Fox",
            first_name="Dana",
            last_name="Fox",
            weight=3,
            date=datetime.datetime(2025, 6, 2, 10, 12, tzinfo=UTC),
            info={"plan": "pro", "since": date(2025, 1, 1)},
        )
    [request] = box.requests
    assert (request.method, request.path) == ("POST", SINGLE)
    assert request.json == {
        "action": "created a project",
        "email": "dana.fox@acme.example",
        "externalId": "ext-77",
        "companyExternalId": "acme-42",
        "name": "Dana Fox",
        "firstName": "Dana",
        "lastName": "Fox",
        "weight": 3,
        "date": "2025-06-02T10:12:00.000Z",
        "info": {"plan": "pro", "since": "2025-01-01T00:00:00.000Z"},
    }
    assert outcome.status == "acknowledged"
    assert outcome.change.after == request.json


def test_events_are_sent_without_an_authorization_header(box: Sandbox, session: Session) -> None:
    Activity.track("login", email="ada@acme.example")
    Activity.push([{"email": "ada@acme.example", "action": "login"}])
    assert ["Authorization" in request.headers for request in box.requests] == [False, False]


def test_a_loaded_person_gives_its_keys_and_its_company(
    box: Sandbox, session: Session, acme: Company, ada: Enduser
) -> None:
    Activity.track("login", enduser=ada)
    assert box.requests[0].json == {
        "action": "login",
        "email": "ada@acme.example",
        "externalId": "ada-1",
        "companyId": acme.id,
    }
    assert [event["enduserId"] for event in box.activities] == [ada.id]


def test_a_person_without_external_id_is_known_by_its_email(box: Sandbox, session: Session, acme: Company) -> None:
    box.add(Enduser, company=acme.id, email="bo@acme.example")
    [bo] = Enduser.objects.filter(email="bo@acme.example")
    Activity.track("login", enduser=bo)
    assert box.requests[-1].json == {"action": "login", "email": "bo@acme.example", "companyId": acme.id}


def test_a_loaded_company_gives_both_its_keys(box: Sandbox, session: Session, acme: Company) -> None:
    Activity.track("login", email="new@elsewhere.example", company=acme)
    Activity.track("login", email="new@elsewhere.example", company=Company.ref(external_id="acme-42"))
    first, second = (request.json for request in box.requests)
    assert (first["companyExternalId"], first["companyId"]) == ("acme-42", acme.id)
    assert second["companyExternalId"] == "acme-42"
    assert "companyId" not in second


def test_an_unknown_person_of_a_known_company_is_made(box: Sandbox, session: Session, acme: Company) -> None:
    Activity.track("login", email="new@elsewhere.example", name="Nia New", company=acme)
    [made] = box.rows(Enduser)
    assert (made["email"], made["companyId"], made["lastName"]) == ("new@elsewhere.example", acme.id, "New")
    assert actions(box) == ["login"]


def test_an_unknown_person_without_a_company_is_acknowledged_and_dropped(box: Sandbox, session: Session) -> None:
    assert Activity.track("login", email="nobody@elsewhere.example").status == "acknowledged"
    assert (box.activities, box.count(Enduser)) == ([], 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "email: one of email, external_id, enduser is required"),
        ({"email": ""}, "email: is blank"),
        ({"email": float("nan")}, "email: is nan"),
        ({"external_id": 77.0}, "external_id: keys are text"),
        ({"email": "a@b.example", "weight": "3"}, "weight: must be a number"),
        ({"email": "a@b.example", "info": "pro"}, "info: must be a mapping"),
        ({"email": "a@b.example", "info": {"x": object()}}, "info: holds a value that JSON cannot say"),
        ({"email": "a@b.example", "date": datetime.datetime(2026, 1, 1)}, "date: is a datetime without a time zone"),
        ({"email": "a@b.example", "company": Company(name="New")}, "company: .* has no external id"),
        ({"enduser": Enduser(first_name="Ada")}, "enduser: .* has no external id"),
        ({"enduser": Ref(Enduser, "external_id", "ada-1"), "weight": True}, "weight: must be a number"),
        ({"enduser": Company(name="Acme")}, "enduser: must be an Enduser, or a reference to one, not <Company"),
    ],
)
def test_an_event_that_may_not_be_sent_is_refused(
    box: Sandbox, session: Session, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Activity.track("login", **given)
    with pytest.raises(ValidationError, match=said):
        Activity.push([{"action": "login", **given}])
    assert box.requests == []


def test_a_company_id_is_one_of_planhats(box: Sandbox, session: Session) -> None:
    with pytest.raises(ValidationError, match="company_id: must be a Planhat id"):
        Activity.push([{"email": "a@b.example", "action": "login", "company_id": "acme-42"}])
    assert box.requests == []


def test_an_event_goes_to_the_session_of_its_person(box: Sandbox, ada: Enduser) -> None:
    with box.session() as other:
        Activity.track("login", enduser=ada)
        Activity.push([{"enduser": ada, "action": "login"}])
    assert other.stats.requests == 0
    assert len(box.requests) == 2


def test_a_blank_action_is_refused(box: Sandbox, session: Session) -> None:
    with pytest.raises(ValidationError, match="action: is blank"):
        Activity.track(" ", email="ada@acme.example")
    with pytest.raises(ValidationError, match=r"rows\[0\]: action: is required"):
        Activity.push([{"email": "ada@acme.example"}])
    assert box.requests == []


@pytest.mark.parametrize("fault", [{"kind": "lost_answer"}, {"kind": "status_after", "status": 502}], ids=str)
def test_an_event_whose_answer_is_lost_is_not_sent_again(
    box: Sandbox, session: Session, ada: Enduser, fault: dict[str, Any]
) -> None:
    box.fault(**fault)
    with pytest.raises(AmbiguousWrite, match="once"):
        Activity.track("login", enduser=ada)
    assert (len(box.requests), actions(box)) == (1, ["login"])


def test_a_refusal_of_the_host_is_raised(box: Sandbox, session: Session) -> None:
    box.fault("status", status=501)
    with pytest.raises(ServerError):
        Activity.track("login", email="ada@acme.example")


# Many events


def test_many_events_name_the_person_in_every_way_the_call_may_take(
    box: Sandbox, session: Session, ada: Enduser
) -> None:
    ledger = Activity.push(
        [
            {"email": "ada@acme.example", "external_id": "ada-1", "company_external_id": "acme-42", "count": 2},
            {"enduser": ada, "action": "export", "date": date(2025, 6, 2)},
        ],
        action="login",
    )
    [request] = box.requests
    assert (request.method, request.path) == ("POST", BULK)
    first, second = request.json
    assert first == {
        "action": "login",
        "email": "ada@acme.example",
        "euExtId": "ada-1",
        "externalId": "ada-1",
        "companyExternalId": "acme-42",
        "count": 2,
    }
    assert second["action"] == "export"
    assert second["date"] == "2025-06-02T00:00:00.000Z"
    assert statuses(ledger) == ["acknowledged", "acknowledged"]
    assert [(event["action"], event["count"]) for event in box.activities] == [("login", 2), ("export", 1)]


def test_events_go_out_in_chunks(box: Sandbox, session: Session, ada: Enduser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 3)
    Activity.push({"enduser": ada, "action": f"step {number}"} for number in range(7))
    assert [len(request.json) for request in box.requests] == [3, 3, 1]
    assert actions(box) == [f"step {number}" for number in range(7)]


def test_of_many_events_a_lost_answer_stops_the_rest(
    box: Sandbox, session: Session, ada: Enduser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 2)
    box.fault("lost_answer")
    with pytest.raises(BulkError) as caught:
        Activity.push([{"enduser": ada, "action": "login"}] * 4)
    assert statuses(caught.value.result) == ["unknown", "unknown", "not_sent", "not_sent"]
    assert len(box.requests) == 1


def test_a_count_is_a_whole_number(box: Sandbox, session: Session) -> None:
    with pytest.raises(ValidationError, match=r"rows\[0\]: count: must be a whole number"):
        Activity.push([{"email": "a@b.example", "action": "login", "count": 1.5}])
    assert box.requests == []


@pytest.mark.parametrize("name", ["track", "push", "segment"])
def test_the_docstrings_say_first_that_twice_sent_is_twice_counted(name: str) -> None:
    assert "twice" in str(getattr(Activity, name).__doc__).split("\n")[0]


def test_every_field_says_who_says_so() -> None:
    names = [one.name for one in Activity.FIELDS]
    assert len(names) == len(set(names)) == 12
    assert all(one.evidence is not None and one.evidence.sources for one in Activity.FIELDS)


# Segment


def test_calls_of_segment_go_with_the_tenant_token_as_user(box: Sandbox, session: Session, acme: Company) -> None:
    traits = {"name": "Dana Fox", "email": "dana.fox@acme.example", "companyId": "acme-42"}
    assert Activity.segment("identify", user_id="ext-77", traits=traits).status == "acknowledged"
    Activity.segment("track", user_id="ext-77", event="downloaded a report", properties={"pages": 3})
    first, second = box.requests
    assert (first.method, first.path) == (second.method, second.path) == ("POST", SEGMENT)
    assert first.headers["Authorization"].startswith("Basic")
    assert first.json == {"type": "identify", "user_id": "ext-77", "traits": traits}
    assert second.json == {
        "type": "track",
        "user_id": "ext-77",
        "event": "downloaded a report",
        "properties": {"pages": 3},
    }
    [person] = box.rows(Enduser)
    assert (person["externalId"], person["companyId"]) == ("ext-77", acme.id)
    assert actions(box) == ["downloaded a report"]


@pytest.mark.parametrize("type", ["page", "group", "alias", "screen", ""])
def test_calls_that_planhat_drops_are_refused(box: Sandbox, session: Session, type: Any) -> None:
    with pytest.raises(NotSupported, match="'identify' or 'track'"):
        Activity.segment(type, user_id="ext-77")
    assert box.requests == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "track", "user_id": "ext-77"}, "event: is required"),
        ({"type": "track", "event": "login"}, "user_id: one of"),
        ({"type": "identify"}, "user_id: one of"),
        ({"type": "identify", "user_id": "ext-77", "event": "login"}, "event: belongs to a track call"),
        ({"type": "identify", "user_id": 77}, "user_id: keys are text"),
    ],
)
def test_a_call_that_can_do_nothing_is_refused(
    box: Sandbox, session: Session, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Activity.segment(**given)
    assert box.requests == []


# Who may send


CALLS: list[Callable[[], Any]] = [
    lambda: Activity.track("login", email="ada@acme.example"),
    lambda: Activity.push([{"email": "ada@acme.example", "action": "login"}]),
    lambda: Activity.segment("identify", user_id="ada-1"),
]


@pytest.mark.parametrize("call", CALLS, ids=["track", "push", "segment"])
def test_without_a_tenant_token_nothing_is_sent(box: Sandbox, call: Callable[[], Any]) -> None:
    with box.session(tenant_token=""), pytest.raises(ConfigurationError, match="PLANHAT_TENANT_TOKEN"):
        call()
    assert box.requests == []


@pytest.mark.parametrize("call", CALLS, ids=["track", "push", "segment"])
def test_a_read_only_session_sends_nothing(box: Sandbox, call: Callable[[], Any]) -> None:
    with box.session(read_only=True), pytest.raises(ReadOnlyError):
        call()
    assert box.requests == []


def test_a_session_may_be_named(box: Sandbox) -> None:
    session = box.session()
    Activity.track("login", email="ada@acme.example", session=session)
    Activity.push([{"email": "ada@acme.example"}], action="login", session=session)
    Activity.segment("identify", user_id="ada-1", session=session)
    assert len(box.requests) == session.stats.requests == 3


@pytest.mark.parametrize("call", CALLS, ids=["track", "push", "segment"])
def test_no_failure_shows_the_tenant_token(
    box: Sandbox, patient: Callable[[Session], Session], call: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    secret = "zq7-tenant-that-nobody-may-see-42"
    caplog.set_level("DEBUG")
    box.fault("status", status=400, body=f"no tenant {secret}")
    with patient(box.session(tenant_token=secret)), pytest.raises(Exception, match="400") as caught:
        call()
    result = getattr(caught.value, "result", None)
    assert secret not in f"{caught.value} {caught.value!r} {caught.value.__dict__} {result!r} {caplog.text}"


def test_activities_cannot_be_read_and_what_to_do_is_said() -> None:
    with pytest.raises(NotSupported, match=r"Activity\.track\(\) and Activity\.push\(\) send them; what a person did"):
        _ = Activity.objects
    assert not hasattr(Activity, "objects")
    assert "track" in pydoc.plain(pydoc.render_doc(Activity))
