"""Making a session, finding the current one in threads and tasks, read-only, and what a session offers."""

from __future__ import annotations

import copy
import pickle
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
import requests

from planhat_orm import Quota, Session, connect
from planhat_orm.errors import ConfigurationError, InvalidQuery, NotFound, ReadOnlyError
from planhat_orm.models import Company, Enduser, User
from planhat_orm.session.session import SessionOptions, parameter
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox


# Making one


def test_a_session_takes_keywords_only() -> None:
    with pytest.raises(TypeError):
        Session("a-token")  # type: ignore[misc]


def test_a_session_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANHAT_API_TOKEN", "a-token")
    monkeypatch.setenv("PLANHAT_REGION", "us2")
    monkeypatch.setenv("PLANHAT_READ_ONLY", "yes")
    assert repr(Session()) == "<Session https://api-us2.planhat.com read-only>"


def test_without_a_token_the_error_says_which_variable_and_how_to_try() -> None:
    for make in (Session, connect):
        with pytest.raises(ConfigurationError, match=r"PLANHAT_API_TOKEN.*planhat sandbox"):
            make()


def test_a_token_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="token is text, not int"):
        Session(token=12345678)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [Session, connect])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("quota", 5),
        ("quota", Quota),
        ("region", 5),
        ("base_url", 5),
        ("analytics_url", 5),
        ("tenant_token", b"x"),
        ("http", 5),
        ("http", requests.Session),
        ("timezone", 5),
        ("read_only", "no"),
        ("read_only", 0),
        ("timeout", "5"),
    ],
)
def test_an_argument_of_another_type_is_refused_by_its_name(
    make: Callable[..., Session], option: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=option if option != "tenant_token" else "token is text"):
        make(**{"token": "a-token", option: value})
    assert Session.find_current() is None


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "nön-ascii"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ConfigurationError, match="PLANHAT_API_TOKEN") as caught:
        Session(token=token)
    assert token not in str(caught.value)


def test_plain_http_is_for_this_machine_only() -> None:
    assert Session(token="a-token", base_url="http://127.0.0.1:8425").base_url == "http://127.0.0.1:8425"
    with pytest.raises(ConfigurationError, match="https only"):
        Session(token="a-token", base_url="http://api.planhat.com")


def test_making_and_connecting_send_nothing(box: Sandbox) -> None:
    connect(token=box.token, base_url=box.url, quota=None)
    with box.session():
        pass
    assert box.requests == []


def test_sessions_of_one_tenant_have_one_tenant_key_that_is_no_token() -> None:
    one, same, other, elsewhere = (
        Session(token="a-token"),
        Session(token="a-token"),
        Session(token="b-token"),
        Session(token="a-token", region="eu3"),
    )
    assert one.tenant == same.tenant
    assert len({one.tenant, other.tenant, elsewhere.tenant}) == 3
    assert "a-token" not in repr(one.tenant)


def test_connect_takes_what_a_session_takes() -> None:
    import inspect

    assert set(SessionOptions.__annotations__) == set(inspect.signature(Session.__init__).parameters) - {"self"}


@pytest.mark.parametrize("how", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_session_is_not_pickled_or_copied(how: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="Session holds a token"):
        how(Session(token="a-token"))


# Time zones


def test_a_timezone_may_be_a_name_or_a_tzinfo() -> None:
    assert Session(token="a-token", timezone="Europe/Stockholm").timezone == ZoneInfo("Europe/Stockholm")
    assert Session(token="a-token", timezone=UTC).timezone is UTC
    assert Session(token="a-token").timezone is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", 3, "Europe"])
def test_what_is_no_timezone_is_refused(zone: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no time zone"):
        Session(token="a-token", timezone=zone)


def test_a_naive_datetime_is_of_the_sessions_zone(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    person = box.add(Enduser, company=acme, email="ada@acme.example")
    with box.session(timezone="Europe/Stockholm"):
        note_day = datetime(2026, 7, 1, 12, 0)
        ada = Enduser.objects.get(id=person["_id"])
        ada.custom["Met"] = note_day
        ada.save()
    assert box.row(Enduser, person)["custom"]["Met"] == "2026-07-01T10:00:00.000Z"


# Several tenants


def test_tenants_live_side_by_side(box: Sandbox) -> None:
    from planhat_orm.sandbox import Sandbox

    with Sandbox(seed=1) as elsewhere:
        here_row, there_row = box.add(Company, name="Here"), elsewhere.add(Company, name="There")
        assert here_row["_id"] == there_row["_id"]
        with box.session(), elsewhere.session() as there:
            theirs = Company.objects.get(id=there_row["_id"])
            with box.session() as here:
                ours = Company.objects.get(id=here_row["_id"])
                theirs.name = "There!"
                theirs.save()
            assert (ours.name, theirs.name) == ("Here", "There!")
            assert ours != theirs
            assert len({ours, theirs}) == 2
            assert [company.name for company in Company.objects.using(here)] == ["Here"]
            assert [company.name for company in Company.objects.using(there)] == ["There!"]
    assert box.row(Company, here_row)["name"] == "Here"


# Closing


def test_the_last_block_of_a_session_closes_it(monkeypatch: pytest.MonkeyPatch, in_thread: Callable[..., Any]) -> None:
    session, closed = Session(token="a-token"), []
    monkeypatch.setattr(session.transport, "close", lambda: closed.append(True))
    with session:
        with session:
            pass
        in_thread(lambda: session.__enter__().__exit__())
        assert closed == []
    assert closed == [True]


def test_a_closed_session_opens_connections_again(box: Sandbox) -> None:
    with box.session() as session:
        session.request("GET", "/users")
    assert session.request("GET", "/users") == []
    session.close()
    session.close()
    assert len(box.requests) == 2


# Read-only


def test_a_read_only_session_reads_and_refuses_every_write(box: Sandbox) -> None:
    row = box.add(Company, name="Acme", external_id="acme-42")
    with box.session(read_only=True) as session:
        acme = Company.objects.get(external_id="acme-42")
        acme.name = "Acme AB"
        box.clear_requests()
        for write in (
            acme.save,
            acme.delete,
            Company(name="New").save,
            lambda: Company.objects.create(name="New"),
            lambda: Company.objects.get_or_create(name="New", external_id="n", defaults={}),
            lambda: session.request("POST", "/companies", json={"name": "New"}),
            lambda: session.request("put", "/companies", json=[{"name": "New"}]),
            lambda: session.request("DELETE", f"/companies/{acme.id}"),
        ):
            with pytest.raises(ReadOnlyError, match="read-only"):
                write()
        assert {request.method for request in box.requests} <= {"GET"}
        assert acme.changes() == {"name": ("Acme", "Acme AB")}
        assert session.request("GET", f"/companies/{acme.id}")["name"] == "Acme"
    assert box.rows(Company) == [row]


# Reaching what is not modelled


def test_a_request_gives_the_parsed_answer(box: Sandbox) -> None:
    box.add_many(Company, [{"name": "Acme"}, {"name": "Birch"}])
    with box.session() as session:
        found = session.request("get", "/companies", params={"limit": 1, "sort": "name", "select": ["_id", "name"]})
        assert [row["name"] for row in found] == ["Acme"]
        made = session.request("POST", "/companies", json={"name": "Cedar"})
        assert box.row(Company, made["_id"])["name"] == "Cedar"
        with pytest.raises(NotFound, match="GET /companies/extid-nobody"):
            session.request("GET", "/companies/extid-nobody")
    assert box.requests[0].params == {"limit": "1", "sort": "name", "select": "_id,name"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (5, "5"), ("a b", "a b"), (["a", 1], "a,1"), ((), "")],
)
def test_a_parameter_is_text_as_planhat_reads_it(value: Any, text: str) -> None:
    assert parameter(value) == text


def test_a_parameter_without_a_value_is_left_out(box: Sandbox) -> None:
    with box.session() as session:
        session.request("GET", "/companies", params={"limit": None, "archived": True})
    assert box.requests[0].params == {"archived": "true"}


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("PATCH", "/companies", "GET, POST, PUT, DELETE"),
        ("GET", "companies", "'/companies'"),
        ("PUT", "/companies/", "blank part"),
        ("GET", "/companies//licenses", "blank part"),
        ("GET", "//example.com/companies", "blank part"),
        ("GET", "/companies?limit=1", "parameters apart"),
        ("PUT", "/companies/%20", "blank part"),
        ("GET", "/companies/../users", "another path"),
        ("PUT", "/companies/%2E%2e", "another path"),
        ("GET", "/./companies", "another path"),
        ("GET", None, "path is text"),
        (None, "/companies", "GET, POST, PUT, DELETE"),
        (["GET"], "/companies", "GET, POST, PUT, DELETE"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_unsent(box: Sandbox, method: Any, path: Any, words: str) -> None:
    with box.session() as session, pytest.raises(InvalidQuery, match=words):
        session.request(method, path)
    assert box.requests == []


def test_parameters_are_a_mapping(box: Sandbox) -> None:
    with box.session() as session, pytest.raises(InvalidQuery, match="mapping"):
        session.request("GET", "/companies", params="limit=1")  # type: ignore[arg-type]
    assert box.requests == []


@pytest.mark.parametrize("path", ["/companies/extid-a%2F..%2Fb", "/companies/extid-..", "/companies/extid-%2F%2F"])
def test_dots_and_slashes_within_a_key_are_sent_as_they_are(box: Sandbox, path: str) -> None:
    with box.session() as session, pytest.raises(NotFound):
        session.request("GET", path)
    assert [request.path for request in box.requests] == [unquote(path)]


def test_what_was_asked_for_before_a_write_was_answered_counts_as_older(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    path = f"/companies/{acme['_id']}"
    answers: list[Any] = []
    # While the write is under way a read is asked for and answered.
    box.fault("drift", method="PUT", run=lambda: answers.append(session.send(Request("GET", path))))
    before = session.send(Request("GET", path))
    wrote = session.send(Request("PUT", path, json={"name": "Acme AB"}))
    after = session.send(Request("GET", path))
    assert before.number < answers[0].number < wrote.number < after.number


# Watching


def test_captured_requests_come_with_their_answers_and_errors(box: Sandbox) -> None:
    with box.session() as session:
        with session.capture() as sent:
            session.request("GET", "/users")
            with pytest.raises(NotFound):
                session.request("GET", "/companies/extid-nobody")
        session.request("GET", "/users")
    assert [str(request) for request, _ in sent] == ["GET /users", "GET /companies/extid-nobody"]
    assert getattr(sent[0][1], "data", None) == []
    assert isinstance(sent[1][1], NotFound)


def test_captures_nest_and_end_with_their_block(box: Sandbox) -> None:
    with box.session() as session, session.capture() as outer:
        with session.capture() as inner:
            session.request("GET", "/users")
        session.request("GET", "/users")
    assert (len(outer), len(inner)) == (2, 1)


def test_a_capture_ends_with_a_block_that_raises(box: Sandbox) -> None:
    with box.session() as session:
        with pytest.raises(ZeroDivisionError), session.capture() as sent:
            raise ZeroDivisionError
        session.request("GET", "/users")
    assert sent == []


def test_stats_count_every_attempt(box: Sandbox, session: Session) -> None:
    box.fault("status", status=503)
    session.request("GET", "/users")
    assert (session.stats.requests, session.stats.retries) == (2, 1) == (len(box.requests), 1)
    assert session.stats.waited > 0


# Small tables


def test_a_small_table_is_loaded_once_by_all_threads(box: Sandbox) -> None:
    box.add(User, email="kim@vendor.example")
    with box.session() as session:
        start, tables = threading.Barrier(8), []

        def load() -> Any:
            return list(User.objects.using(session))

        def work() -> None:
            start.wait()
            tables.append(session.table(User, load))

        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(tables) == 8
        assert all(table is tables[0] for table in tables)
    assert len(box.requests) == 1


def test_a_small_table_that_could_not_be_loaded_is_tried_again(box: Sandbox) -> None:
    with box.session() as session:

        def fails() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            session.table(User, fails)
        assert session.table(User, lambda: "loaded") == "loaded"


def test_a_small_table_is_read_again_when_it_was_forgotten_or_is_asked_for_afresh(box: Sandbox) -> None:
    with box.session() as session:
        assert session.table(Company, lambda: "first") == "first"
        assert session.table(Company, lambda: "second") == "first"
        assert session.table(Company, lambda: "third", fresh=True) == "third"
        assert session.table(Company, lambda: "fourth") == "third"
        session.forget(Company)
        session.forget(Company)
        assert session.table(Company, lambda: "fifth") == "fifth"
