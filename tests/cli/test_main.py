"""The command as a whole: help, version, errors in one line, what is missing."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import pytest

from planhat_orm.cli import app as commands
from planhat_orm.cli import serve as serving
from planhat_orm.cli.console import output
from planhat_orm.cli.main import main
from planhat_orm.cli.needs import INSTALL
from planhat_orm.errors import ApiError, ConfigurationError, PlanhatError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from typer.testing import Result

HELP = {"planhat": [], "planhat demo": ["demo"], "planhat sandbox": ["sandbox"]}


@pytest.mark.parametrize("command", HELP)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_says_what_for_and_gives_examples(planhat: Callable[..., Result], command: str, option: str) -> None:
    result = planhat(*HELP[command], option)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {command} ")
    examples = result.stdout.partition("Examples:\n")[2].splitlines()
    assert len(examples) >= 2
    assert all(line.strip().startswith("planhat ") for line in examples)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_every_example_of_the_help_is_a_command_that_exists(planhat: Callable[..., Result]) -> None:
    for arguments in HELP.values():
        text = planhat(*arguments, "--help").stdout
        known = set(re.findall(r"--[a-z]+", text.partition("Examples:")[0])) | {"--help"}
        for line in text.partition("Examples:\n")[2].splitlines():
            words = re.split(r"  +| \| ", line.strip())[0].split()
            assert words[1] in {"demo", "sandbox"}
            assert {word for word in words if word.startswith("--")} <= known


def test_without_arguments_it_shows_its_help(planhat: Callable[..., Result]) -> None:
    result = planhat()
    assert "Commands:" in result.output
    assert "demo " in result.output
    assert "sandbox " in result.output


def test_a_misspelt_command_is_suggested(planhat: Callable[..., Result]) -> None:
    result = planhat("sandbx")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "sandbox" in result.stderr


def test_the_version_is_that_of_the_package(planhat: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "version", lambda name: f"1.2.3 of {name}")
    assert planhat("--version").stdout == "planhat_orm 1.2.3 of planhat_orm\n"


def test_the_version_of_a_source_tree_is_no_error(
    planhat: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(commands, "version", nothing)
    result = planhat("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("planhat_orm, not installed")


def test_the_console_script_runs_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/anywhere/bin/planhat", "demo", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: planhat demo ")


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_the_console_script_says_what_it_needs_itself(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == f"planhat: {module} is not installed; run: {INSTALL}"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make ``planhat sandbox`` fail with an error."""

    def fail_with(problem: BaseException) -> None:
        def failing_serve(**_: object) -> None:
            raise problem

        monkeypatch.setattr(serving, "serve", failing_serve)

    return fail_with


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (PlanhatError("first\n  second"), "planhat: first second"),
        (ConfigurationError(""), "planhat: ConfigurationError"),
        (ApiError("401 from api-eu3: wrong token", status=401), "planhat: 401 from api-eu3: wrong token"),
    ],
    ids=["several lines", "no message", "an answer"],
)
def test_an_error_of_ours_is_one_line_on_stderr(
    planhat: Callable[..., Result], failing: Callable[[BaseException], None], problem: PlanhatError, line: str
) -> None:
    failing(problem)
    result = planhat("sandbox")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")


@pytest.mark.parametrize("arguments", [("--debug", "sandbox"), ("sandbox", "--debug")], ids=" ".join)
def test_debug_lets_the_error_through_before_and_after_the_command(
    planhat: Callable[..., Result], failing: Callable[[BaseException], None], arguments: tuple[str, ...]
) -> None:
    problem = PlanhatError("broken")
    failing(problem)
    assert planhat(*arguments).exception is problem


def test_an_error_that_is_not_ours_keeps_its_traceback(
    planhat: Callable[..., Result], failing: Callable[[BaseException], None]
) -> None:
    problem = ZeroDivisionError("a bug")
    failing(problem)
    assert planhat("sandbox").exception is problem


def test_debug_shows_the_traceback_of_a_process(run_planhat: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run_planhat("sandbox", "--debug", first="import sys; sys.modules['flask'] = None")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("planhat_orm.errors.ConfigurationError: flask is not installed")


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("typer", ("--help",)),
        ("rich", ("demo",)),
        ("flask", ("demo",)),
        ("flask", ("sandbox",)),
        ("faker", ("demo",)),
        ("faker", ("sandbox",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_what_is_missing_is_said_in_one_line(
    run_planhat: Callable[..., subprocess.CompletedProcess[str]], module: str, arguments: tuple[str, ...]
) -> None:
    done = run_planhat(*arguments, first=f"import sys; sys.modules[{module!r}] = None")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"planhat: {module} is not installed; run: .venv/bin/pip install '.[cli,sandbox]'\n"


def test_asking_for_help_loads_neither_flask_nor_faker(
    run_planhat: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    check = "import atexit, sys; atexit.register(lambda: print({'flask', 'faker'} & set(sys.modules), file=sys.stderr))"
    done = run_planhat("--help", first=check)
    assert (done.returncode, done.stderr) == (0, "set()\n")


def test_lines_are_no_wider_than_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert output().width == 100
    monkeypatch.setenv("COLUMNS", "60")
    assert output().width == 60
