"""What ``import planhat_orm`` gives, what it loads, and that a token is nowhere to be seen."""

from __future__ import annotations

import ast
import json
import logging
import pickle
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import planhat_orm
from planhat_orm import PlanhatError, Session, connect, errors
from planhat_orm.models import Company, Enduser
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

FACE = Path(planhat_orm.__file__)

# The face


def test_the_face_is_complete_sorted_and_no_more() -> None:
    expected = {*errors.__all__, "Q", "Quota", "Session", "connect"}
    assert set(planhat_orm.__all__) == expected
    assert planhat_orm.__all__ == sorted(planhat_orm.__all__)
    for name in planhat_orm.__all__:
        assert getattr(planhat_orm, name).__name__ == name


def test_nothing_is_defined_in_the_face() -> None:
    kinds = {type(node) for node in ast.parse(FACE.read_text()).body}
    assert kinds == {ast.Expr, ast.ImportFrom, ast.Assign}  # the docstring, imports, __all__


def test_the_models_are_all_exported() -> None:
    from planhat_orm import analytics, models
    from planhat_orm.orm.options import registry

    # Tests and pages declare models of their own, which are not the package's.
    ours = {name for name, model in registry.items() if model.__module__.startswith("planhat_orm.")}
    assert ours
    assert ours <= {*models.__all__, *analytics.__all__}


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    script = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=FACE.parents[1]
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "import planhat_orm",
        "import planhat_orm.models",
        "import planhat_orm.analytics",
        "import planhat_orm; planhat_orm.Session(token='a-token')",
        "import planhat_orm.sandbox.pytest_plugin",
    ],
)
def test_what_scripts_import_is_light(statement: str) -> None:
    heavy = {"flask", "werkzeug", "typer", "rich", "pandas", "numpy", "redis", "faker", "hypothesis"}
    roots = {name.partition(".")[0] for name in loaded_by(statement)}
    assert roots & heavy == set()


def test_the_package_says_that_it_is_typed() -> None:
    assert (FACE.parent / "py.typed").exists()


# The token

TOKEN = "zq7-token-that-nobody-may-see-41"
TENANT_TOKEN = "zq7-tenant-that-nobody-may-see-42"
OWN = Path(__file__)


@pytest.fixture
def box(nothing_set: None) -> Iterator[Sandbox]:
    with Sandbox(token=TOKEN) as box:
        box.add(Company, name="Acme", external_id="acme-42")
        yield box


@pytest.fixture
def session(box: Sandbox, patient: Callable[[Session], Session]) -> Iterator[Session]:
    with patient(box.session(tenant_token=TENANT_TOKEN)) as session:
        yield session


def frames_of(error: BaseException) -> Iterator[FrameType]:
    """The frames of an exception and of all behind it, but for those of the test itself and of its sandbox."""
    for one in chain_of(error):
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if frame.f_code.co_filename != str(OWN) and "_pytest" not in frame.f_code.co_filename:
                yield frame


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
            yield one


def shown(value: Any, depth: int = 4) -> str:
    """What a debugger shows of a value: its repr, and those of what it holds."""
    if isinstance(value, (threading.Thread, type)) or callable(value):
        return repr(value)
    parts = [repr(value)]
    if depth:
        inside: list[Any] = []
        if isinstance(value, dict):
            inside = [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple, set, frozenset)):
            inside = list(value)
        elif hasattr(value, "__dict__"):
            inside = list(vars(value).values())
        parts += [shown(one, depth - 1) for one in inside]
    return "\n".join(parts)


def assert_hidden(text: str) -> None:
    for secret in (TOKEN, TENANT_TOKEN):
        assert secret not in text


def hunt(error: BaseException) -> None:
    """Look for the token wherever an exception may show it."""
    for one in chain_of(error):
        assert_hidden(f"{one} {one!r} {one.args!r}")
        assert_hidden(shown(vars(one)))
        if isinstance(one, PlanhatError):
            assert_hidden(repr(pickle.dumps(one)))
    shown_locals = traceback.TracebackException.from_exception(error, capture_locals=False)
    assert_hidden("".join(shown_locals.format()))
    for frame in frames_of(error):
        for name, value in frame.f_locals.items():
            if not isinstance(value, Sandbox):
                assert_hidden(f"{frame.f_code.co_qualname}: {name} = {value!r}")


def test_the_hunt_finds_what_there_is_to_find() -> None:
    # Compiled, so that the frame is not one of this file.
    names: dict[str, Any] = {}
    code = f"def fails():\n    held = ['{TOKEN}']\n    raise ValueError('no')"
    exec(compile(code, "elsewhere.py", "exec"), names)
    with pytest.raises(ValueError, match="no") as caught:
        names["fails"]()
    with pytest.raises(AssertionError):
        hunt(caught.value)
    with pytest.raises(AssertionError):
        hunt(errors.ApiError("no", status=400, body={"deep": [TOKEN]}))


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status", {"status": 400, "body": {"message": f"who is {TOKEN}?"}}),
    ("status", {"status": 401, "body": f"bad token {TOKEN}"}),
    ("status", {"status": 403, "body": {"token": TOKEN}}),
    ("status", {"status": 404}),
    ("status", {"status": 429, "headers": {"Retry-After": "0", "X-Token": TOKEN}}),
    ("status", {"status": 500, "body": f"<html>{TOKEN}</html>"}),
    ("status", {"status": 302, "headers": {"Location": f"https://example.com/?token={TOKEN}"}}),
    ("lost_answer", {}),
    ("reset_before", {}),
    ("truncated", {}),
    ("html", {"body": f"<html>{TOKEN}</html>"}),
    ("wrong_shape", {"body": {"message": "no"}}),
    ("latency", {"seconds": 5.0}),
]


def readings(session: Session) -> list[Callable[[], Any]]:
    return [
        lambda: Company.objects.get(external_id="acme-42", fresh=True),
        lambda: list(Company.objects.all()),
        lambda: Company.objects.create(name="Birch"),
        lambda: session.request("PUT", "/companies", json=[{"name": "Cedar"}]),
    ]


# A create alone: the others wait for the same five times.
TRIED = [(fault, which) for fault in FAULTS for which in range(4) if fault[0] != "latency" or which == 2]


@pytest.mark.parametrize(("fault", "which"), TRIED, ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_no_failure_shows_the_token(
    box: Sandbox,
    session: Session,
    caplog: pytest.LogCaptureFixture,
    fault: tuple[str, dict[str, Any]],
    which: int,
) -> None:
    kind, detail = fault
    caplog.set_level(logging.DEBUG)
    box.fault(kind, times=None, **detail)
    if kind == "latency":
        session.transport._timeout = (2.0, 0.02)
    try:
        readings(session)[which]()
    except PlanhatError as error:
        hunt(error)
    else:
        assert (kind, which) == ("wrong_shape", 3)  # whatever a request answers is handed out as it came
    for record in caplog.records:
        assert_hidden(f"{record.getMessage()} {record.args!r} {record.exc_text}")


def test_no_host_and_no_failure_to_connect_shows_the_token(
    caplog: pytest.LogCaptureFixture, patient: Callable[[Session], Session]
) -> None:
    caplog.set_level(logging.DEBUG)
    session = patient(Session(token=TOKEN, base_url="http://127.0.0.1:9", quota=None))
    with pytest.raises(errors.TransportError) as caught:
        session.request("GET", "/companies")
    hunt(caught.value)
    assert_hidden(caplog.text)


@pytest.mark.parametrize(
    "options",
    [
        {"region": "no region"},
        {"base_url": "api.example"},
        {"base_url": "http://api.example"},
        {"analytics_url": "api.example"},
        {"timezone": "Mars/Olympus"},
        {"timeout": (0.0, 1.0)},
        {"token": TOKEN + "\nX"},
        {"token": TOKEN + " X"},
        {"tenant_token": TENANT_TOKEN + " X"},
    ],
    ids=lambda options: next(iter(options)),
)
@pytest.mark.parametrize("make", [Session, connect])
def test_no_refused_setting_shows_the_token(
    monkeypatch: pytest.MonkeyPatch, make: Callable[..., Session], options: dict[str, Any]
) -> None:
    given = {"token": TOKEN, "tenant_token": TENANT_TOKEN, **options}
    with pytest.raises(errors.ConfigurationError) as caught:
        make(**given)
    hunt(caught.value)
    for name in ("token", "tenant_token"):
        monkeypatch.setenv("PLANHAT_API_TOKEN" if name == "token" else "PLANHAT_TENANT_TOKEN", given.pop(name))
    with pytest.raises(errors.ConfigurationError) as caught:
        make(**given)
    hunt(caught.value)


@pytest.mark.parametrize("address", [TOKEN, f"https://user:{TOKEN}@api.example", f"https://api.example?token={TOKEN}"])
@pytest.mark.parametrize("name", ["region", "base_url", "analytics_url"])
def test_a_token_in_the_wrong_place_is_not_repeated(name: str, address: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        Session(token="another-token", **{name: address})
    for one in chain_of(caught.value):
        assert_hidden(f"{one} {one!r}")


def test_nothing_that_a_session_hands_out_shows_the_token(box: Sandbox, session: Session) -> None:
    acme = Company.objects.get(external_id="acme-42")
    companies = Company.objects.filter(name="Acme")
    with session.capture() as sent:
        assert len(companies) == 1
    person = Enduser(company=acme, email="ada@acme.example")
    outcome = person.save()
    for value in (session, acme, companies, companies.explain(), person, outcome, sent, session.stats):
        assert_hidden(f"{value!r} {value}")
    assert_hidden(shown(vars(session)))
    assert_hidden(shown(sent))
    for value in (acme, person, companies):
        assert_hidden(repr(pickle.dumps(value)))
    assert_hidden(shown(acme._origin))


def test_no_log_shows_the_token(box: Sandbox, session: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    box.fault("status", status=503)
    box.fault("reset_before")
    acme = Company.objects.get(external_id="acme-42")
    acme.custom["Tier"] = "Gold"
    acme.save()
    assert len(caplog.records) > 3
    for record in caplog.records:
        assert_hidden(f"{record.getMessage()} {record.args!r}")


def test_the_token_travels_in_one_header_and_no_url(box: Sandbox, session: Session) -> None:
    Company.objects.get(external_id="acme-42")
    [request] = box.requests
    assert request.status == 200
    assert_hidden(f"{request.path} {request.params}")


@pytest.mark.parametrize("name", ["Activity", "Metric"])
def test_what_is_not_among_the_models_is_shown_the_way(name: str) -> None:
    with pytest.raises(ImportError, match=f"from planhat_orm.analytics import {name}"):
        exec(f"from planhat_orm.models import {name}")
    with pytest.raises(ImportError, match="cannot import name 'Compny'"):
        exec("from planhat_orm.models import Compny")
