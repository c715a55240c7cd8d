"""The README holds: its scripts run on the demo sandbox at the prices it states, its two commands are of one line."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.errors import NotSupported
from planhat_orm.models import Company
from planhat_orm.orm.queryset import QuerySet
from planhat_orm.orm.refused import Refused
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback
from planhat_orm.session import session as sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

README = Path(__file__).parent.parent / "README.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRICE = re.compile(r"# .*?\b(\d+|no) requests?\b")
LINK = re.compile(r"\]\(([^)#]+)\)")

TEXT = README.read_text(encoding="utf-8")
SHELL = [body for language, body in FENCE.findall(TEXT) if language == "sh"]
PYTHON = [body for language, body in FENCE.findall(TEXT) if language == "python"]


@pytest.fixture
def box(demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The demo sandbox, with an environment that leads connect() there, as after pasting what the sandbox prints."""
    monkeypatch.delenv("PLANHAT_READ_ONLY", raising=False)
    monkeypatch.setattr(sessions._Process, "default", None)
    shutil.copyfile(demo_file, tmp_path / "demo.sqlite")
    with Sandbox(tmp_path / "demo.sqlite") as box, only_loopback():
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        yield box
        session = sessions.Session.find_current()
        if session is not None:
            session.close()


def statements(source: str) -> Iterator[tuple[ast.stmt, int | None]]:
    """Each statement of a script, with the number of requests that comments in it state; None where none do."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        prices = PRICE.findall("\n".join(lines[node.lineno - 1 : node.end_lineno]))
        yield node, sum(0 if price == "no" else int(price) for price in prices) if prices else None


def test_its_scripts_run_one_after_another_at_the_prices_they_state(
    box: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    stated = 0
    for source in PYTHON:
        for node, price in statements(source):
            before = len(box.requests)
            exec(compile(ast.Module([node], []), str(README), "exec"), namespace)
            sent = [str(request) for request in box.requests[before:]]
            assert len(sent) == (price or 0), f"{ast.unparse(node)}\nstates {price}, sent {sent}"
            stated += price is not None
    printed = capsys.readouterr().out.splitlines()
    assert stated >= 7
    assert len(printed) == 50 + 1 + 3 + 1 + 1 + 1
    assert printed[50] == "4"


def test_the_first_script_saves_what_it_says(box: Sandbox) -> None:
    exec(compile(PYTHON[0], str(README), "exec"), {"__name__": "__main__"})
    assert len(box.requests) == 4
    [saved] = [request for request in box.requests if request.method == "PUT"]
    assert saved.json == {"custom": {"Tier": "Gold"}}


def test_what_it_says_an_error_says_is_what_it_says(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile("\n".join(PYTHON), str(README), "exec"), {"__name__": "__main__"})
    *_, printed = capsys.readouterr().out.splitlines()
    assert f"print(error)  # {printed}\n" in PYTHON[-1]


@pytest.mark.parametrize(
    ("command", "runs"), [(SHELL[0], "planhat demo"), (SHELL[1], "pytest")], ids=["the demo", "the tests"]
)
def test_its_first_two_shell_blocks_are_one_command_line_that_brings_its_own_environment(
    command: str, runs: str
) -> None:
    assert command.count("\n") == 1
    made, installed, ran = command.rstrip("\n").split(" && ")
    assert made == "python3 -m venv .venv"
    assert re.fullmatch(r"\.venv/bin/pip install --quiet (--editable )?'\.\[[a-z,]+\]'", installed)
    assert ran == f".venv/bin/{runs}"


def test_they_are_the_first_code_in_it() -> None:
    assert [language for language, _ in FENCE.findall(TEXT)][:2] == ["sh", "sh"]


def test_what_it_says_is_missing_is_missing() -> None:
    [sentence] = re.findall(r"Not in it yet:(.*?)\.\n", TEXT, re.DOTALL)
    missing = re.findall(r"`(\w+)`", sentence)
    assert len(missing) >= 2
    refused = vars(Refused)
    assert [
        name for name in missing if name not in refused and (hasattr(QuerySet, name) or hasattr(Session, name))
    ] == []
    for name in refused.keys() & set(missing):
        assert getattr(QuerySet, name) is refused[name], f"{name} is there"
        with pytest.raises(NotSupported):
            getattr(Company.objects, name)()


def test_its_links_lead_somewhere() -> None:
    local = [target for target in LINK.findall(TEXT) if "://" not in target]
    assert local
    assert [target for target in local if not (README.parent / target).exists()] == []
