"""Ways to run the ``planhat`` command: inside this process, and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from planhat_orm.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

#: What the console script of the installed package does.
SCRIPT = "from planhat_orm.cli.main import main; main()"


@pytest.fixture
def planhat(nothing_set: None) -> Callable[..., Result]:
    """Run the command in this process; gives exit code, stdout and stderr."""
    runner = CliRunner()
    return lambda *arguments, **options: runner.invoke(app, list(arguments), prog_name="planhat", **options)


@pytest.fixture
def environment() -> dict[str, str]:
    """An environment without Planhat's variables and without wishes about colours."""
    unwanted = ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "COLUMNS", "TTY_COMPATIBLE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLANHAT_")}
    return {name: value for name, value in kept.items() if name not in unwanted} | {"PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def command() -> list[str]:
    """The command line that ``planhat`` stands for, installed or not."""
    return [sys.executable, "-c", SCRIPT]


@pytest.fixture
def run_planhat(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in a process of its own, with a script before it if one is given."""

    def run(*arguments: str, first: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-c", f"{first}\n{SCRIPT}", *arguments]
        return subprocess.run(
            whole, env=environment | variables, capture_output=True, encoding="utf-8", timeout=120, check=False
        )

    return run
