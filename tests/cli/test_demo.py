"""``planhat demo``: shows the code that it runs, what that printed, and the requests it cost."""

from __future__ import annotations

import ast
import io
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from planhat_orm.cli import demo
from planhat_orm.cli.demo import Step, environment, run, steps_of, tour
from planhat_orm.errors import UnknownField
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback
from planhat_orm.session import session as sessions

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from typer.testing import Result

#: The requests of each step, as method and path.
COSTS = {
    "1. Connect": [],
    "2. List customers by name": ["GET /companies"],
    "3. Follow links: who owns the biggest customers?": ["GET /companies", "GET /users"],
    "4. Change a custom field": ["GET /companies/extid-acme-42", "PUT /companies/ID"],
    "5. Add a note": ["POST /conversations"],
    "6. Mistake an external id for Planhat's own": [],
    "7. Misspell a field: Planhat would ignore the filter and return everything": [],
}


def sections(shown: str) -> dict[str, tuple[list[str], list[str], str, list[str]]]:
    """What was shown of each step: its code, what it printed, its price in words, its requests."""
    found = {}
    parts = re.split(r"^(\d+\. .*)$", shown, flags=re.MULTILINE)[1:]
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        code, rest = body.split("\nprints\n")
        printed, rest = re.split(r"^costs ", rest, flags=re.MULTILINE)
        price, *requests = rest.split("\n\n")[0].splitlines()
        found[title] = (unindented(code), unindented(printed), price, joined(requests))
    return found


def joined(lines: list[str]) -> list[str]:
    """Requests, each on one line again."""
    return re.findall(
        r"(?:GET|POST|PUT|DELETE) /.*?(?= GET /| POST /| PUT /| DELETE /|$)", " ".join(unindented("\n".join(lines)))
    )


def unindented(text: str) -> list[str]:
    return [line.removeprefix("    ") for line in text.strip("\n").splitlines()]


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints when its output is no terminal."""
    console = Console(file=(file := io.StringIO()), width=80, highlight=False)
    with pytest.MonkeyPatch.context() as patch, only_loopback():
        patch.setattr(sessions._Process, "default", None)
        demo.run_demo(console)
    return file.getvalue()


def test_each_step_states_the_requests_it_cost(shown: str) -> None:
    found = sections(shown)
    assert list(found) == list(COSTS)
    for title, (_, _, price, requests) in found.items():
        heads = [re.sub(r"/[0-9a-f]{24}", "/ID", " ".join(line.split()[:2])) for line in requests]
        assert heads == COSTS[title]
        words = {0: "no request", 1: "1 request"}.get(len(heads), f"{len(heads)} requests")
        assert price == words


def test_it_ends_with_the_total_and_where_to_read_on(shown: str) -> None:
    end = " ".join(shown.split("\n\n")[-2].split())
    assert end.startswith(f"In all: {sum(map(len, COSTS.values()))} requests.")
    assert "planhat sandbox" in end
    assert "README.md" in end
    assert "docs/index.md" in end


def test_the_code_that_is_shown_is_the_code_that_ran(shown: str) -> None:
    code = [line for title in COSTS for line in sections(shown)[title][0]]
    script = [line for line in tour().splitlines() if line and not re.match(r"# \d+\. ", line)]
    assert [line for line in code if line] == script[script.index(code[0]) :]


def test_companies_come_by_name_and_owners_by_their_addresses(shown: str) -> None:
    names = [line[:30].rstrip() for line in sections(shown)["2. List customers by name"][1]]
    assert names[:2] == ["Acme", "Birch & Co"]
    assert names == sorted(names)
    owners = sections(shown)["3. Follow links: who owns the biggest customers?"][1]
    assert [line.endswith("@vendor.example") for line in owners] == [True] * 5


def test_the_custom_field_is_saved_by_itself(shown: str) -> None:
    _, printed, _, (_, put) = sections(shown)["4. Change a custom field"]
    assert printed == ["{'custom.Tier': ('Silver', 'Gold')}"]
    assert put.endswith('{"custom": {"Tier": "Gold"}}')


def test_the_mistakes_are_explained(shown: str) -> None:
    found = sections(shown)
    external = " ".join(found["6. Mistake an external id for Planhat's own"][1])
    assert re.search(r"did you mean .*external_id='acme-42'", external)
    [misspelt] = found["7. Misspell a field: Planhat would ignore the filter and return everything"][1]
    assert misspelt.endswith("did you mean 'status'?")


def test_no_line_is_wider_than_80_columns(shown: str) -> None:
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_code_is_never_wrapped(shown: str) -> None:
    assert max(map(len, tour().splitlines())) <= 120
    assert [line for step in steps_of(tour()) for line in step.code.splitlines() if len(line) > 76] == []
    ast.parse("\n".join(line for title in COSTS for line in sections(shown)[title][0]))


def test_a_narrow_terminal_wraps_what_is_printed_and_not_the_code() -> None:
    console = Console(file=(file := io.StringIO()), width=40, highlight=False)
    step = Step("1. Long", "x = 'a text that is longer than forty columns are'")
    demo.show_code(console, step)
    demo.show_result(console, "words that are longer than forty columns are", [])
    assert f"    {step.code}\n" in file.getvalue()
    assert "    words that are longer than forty\n    columns are\n" in file.getvalue()


def test_colours_are_for_terminals_only(shown: str) -> None:
    assert "\x1b" not in shown
    terminal = Console(file=(file := io.StringIO()), force_terminal=True, color_system="standard")
    demo.show_code(terminal, Step("1. Add", "x = 1 + 1"))
    assert "\x1b[" in file.getvalue()


def test_a_step_that_fails_is_not_hidden(monkeypatch: pytest.MonkeyPatch, planhat: Callable[..., Result]) -> None:
    monkeypatch.setattr(demo, "tour", lambda: "# 1. Slip\nfrom planhat_orm.models import Company\nCompany(nme='x')\n")
    result = planhat("demo")
    assert result.exit_code == 1
    assert result.stderr == "planhat: Company has no field 'nme'; did you mean 'name'?\n"


def test_steps_share_their_names() -> None:
    names: dict[str, Any] = {}
    assert run(Step("1", "x = 1"), names) == ""
    assert run(Step("2", "print(x + 1)"), names) == "2\n"
    with pytest.raises(UnknownField):
        run(Step("3", "from planhat_orm.models import Company\nCompany(nme='x')"), names)


def test_variables_of_a_real_tenant_are_out_of_sight_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANHAT_API_TOKEN", "real")
    monkeypatch.setenv("PLANHAT_READ_ONLY", "1")
    with environment({"PLANHAT_API_TOKEN": "sandbox", "PLANHAT_BASE_URL": "http://127.0.0.1:1"}):
        assert os.environ["PLANHAT_API_TOKEN"] == "sandbox"
        assert "PLANHAT_READ_ONLY" not in os.environ
    assert os.environ["PLANHAT_API_TOKEN"] == "real"
    assert os.environ["PLANHAT_READ_ONLY"] == "1"
    assert "PLANHAT_BASE_URL" not in os.environ


def test_the_tour_runs_as_a_plain_script_too(nothing_set: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(demo=True) as box, environment(box.environment()):
        exec(compile(tour(), "tour.py", "exec"), {"__name__": "__main__"})
        sessions.Session.current().close()
        assert len(box.requests) == sum(map(len, COSTS.values()))
    assert "Birch & Co" in capsys.readouterr().out


def test_it_runs_as_a_command_whatever_the_environment_says(
    run_planhat: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_planhat(
        "demo",
        PLANHAT_API_TOKEN="real",
        PLANHAT_REGION="eu3",
        PLANHAT_READ_ONLY="1",
        HTTP_PROXY="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {title: len(parts[3]) for title, parts in sections(done.stdout).items()} == {
        title: len(requests) for title, requests in COSTS.items()
    }
    assert "\x1b" not in done.stdout


def test_a_poor_terminal_encoding_is_no_error(run_planhat: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run_planhat("demo", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
