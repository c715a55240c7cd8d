"""``planhat sandbox``: starts, says how to reach it, runs until it is stopped."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from planhat_orm import Session
from planhat_orm.models import Company
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from typer.testing import Result

    Running = tuple[subprocess.Popen[str], dict[str, str]]
    Runner = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def running(command: list[str], environment: dict[str, str]) -> Runner:
    """Run a sandbox in a process of its own; gives the process and the variables that it told to export."""

    @contextmanager
    def run(*arguments: str) -> Iterator[Running]:
        whole = [*command, "sandbox", "--port", "0", *arguments]
        with subprocess.Popen(
            whole, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        ) as process:
            try:
                assert process.stdout is not None
                yield process, dict(exported(process.stdout.readline()) for _ in range(4))
            finally:
                process.kill()

    return run


def exported(line: str) -> tuple[str, str]:
    word, pair = shlex.split(line)
    assert word == "export"
    name, _, value = pair.partition("=")
    return name, value


def names_in(variables: dict[str, str]) -> list[str | None]:
    session = Session(token=variables["PLANHAT_API_TOKEN"], base_url=variables["PLANHAT_BASE_URL"], quota=None)
    with session:
        return [company.name for company in Company.objects.order_by("name")[:2]]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_at_the_address_it_prints_and_leaves_cleanly(running: Runner, stop: signal.Signals) -> None:
    with running() as (process, variables):
        assert names_in(variables) == ["Acme", "Birch & Co"]
        process.send_signal(stop)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == ""
    first, date, second, last = err.splitlines()
    assert variables["PLANHAT_BASE_URL"] in first
    assert "500 companies" in first
    assert "15 January 2026" in date
    assert "paste" in second
    assert last == "Stopped."


def test_no_variable_is_left_that_leads_to_planhat(running: Runner) -> None:
    with running("--empty") as (_, variables):
        assert names_in(variables) == []
    with Sandbox() as box:
        assert set(variables) == set(box.environment())
    assert [name for name, value in variables.items() if name.endswith("URL") and "//127.0.0.1:" not in value] == []


def test_what_is_written_stays_in_the_file(running: Runner, tmp_path: Path) -> None:
    path = tmp_path / "rows.sqlite"
    with running("--data", str(path), "--empty") as (process, variables):
        with Session(token=variables["PLANHAT_API_TOKEN"], base_url=variables["PLANHAT_BASE_URL"], quota=None):
            Company.objects.create(name="Acme")
        process.terminate()
        process.communicate(timeout=60)
    with Sandbox(path) as box:
        assert box.count(Company, name="Acme") == 1


@pytest.fixture
def stopped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C as soon as the sandbox waits."""

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("planhat_orm.cli.serve.time.sleep", interrupted)


@pytest.mark.usefixtures("stopped_at_once")
def test_stdout_holds_nothing_but_the_lines_to_paste(planhat: Callable[..., Result]) -> None:
    result = planhat("sandbox", "--port", "0", "--empty")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["export"] * 4
    assert all(len(line) < 80 for line in result.stdout.splitlines())
    assert exported(result.stdout.splitlines()[0])[0] == "PLANHAT_API_TOKEN"
    assert "no companies" in result.stderr


@pytest.mark.usefixtures("stopped_at_once")
def test_the_signal_handler_of_before_is_put_back(planhat: Callable[..., Result]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    planhat("sandbox", "--port", "0", "--empty")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("stopped_at_once")
@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_seed_decides_the_data(planhat: Callable[..., Result], tmp_path: Path, seed: str) -> None:
    path = tmp_path / "rows.sqlite"
    assert planhat("sandbox", "--port", "0", "--seed", seed, "--data", str(path)).exit_code == 0
    with Sandbox(path) as box, Sandbox(demo=True, seed=int(seed)) as other:
        assert box.rows(Company) == other.rows(Company)


def test_a_port_that_is_taken_is_named_with_the_way_out(planhat: Callable[..., Result]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = planhat("sandbox", "--empty", "--port", str(port))
    assert result.exit_code == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith(f"planhat: the sandbox cannot listen on 127.0.0.1:{port}: ")
    assert "--port 0" in line


def test_a_file_that_is_no_database_is_refused_and_left_alone(planhat: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is no database.\n" * 50, encoding="utf-8")
    before = path.read_bytes()
    result = planhat("sandbox", "--port", "0", "--data", str(path))
    assert result.exit_code == 1
    assert result.stderr == f"planhat: {path} cannot be used for the rows of a sandbox: file is not a database\n"
    assert path.read_bytes() == before


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_what_cannot_be_a_port_is_refused(planhat: Callable[..., Result], port: str) -> None:
    result = planhat("sandbox", "--port", port)
    assert result.exit_code == 2
    assert "--port" in result.stderr
