"""The pieces of the benchmark work, at a small size; no time is asserted."""

from __future__ import annotations

import importlib
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
COMPANIES, ENDUSERS = 6_000, 9_000
#: The requests of each job, by planhat_orm and by the plain loop.
REQUESTS = {
    "list_companies": (2, 2),
    "list_and_read": (2, 2),
    "iterate": (2, 2),
    "count_endusers": (3, 5),
    "get_one_by_one": (20, 20),
    "endusers_of": (3, 3),
}
ROWS = {"count_endusers": ENDUSERS, "get_one_by_one": 20, "endusers_of": 2_000}
NUMBERS = {"get_one_by_one": 20, "endusers_of": 200}


@pytest.fixture(scope="module", autouse=True)
def found_by_name() -> Iterator[None]:
    """The programs import each other by their names, as when they are run."""
    sys.path.insert(0, str(HERE))
    known = set(sys.modules)
    yield
    sys.path.remove(str(HERE))
    for name in set(sys.modules) - known:
        if name.split(".")[0] in ("run", "environments", "clients", "server", "measuring"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def address(found_by_name: None) -> Iterator[str]:
    with importlib.import_module("run").serving(COMPANIES, ENDUSERS) as address:
        yield address


def sent(address: str) -> int:
    with urllib.request.urlopen(f"{address}/_count") as answer:
        return int(answer.read())


def done(address: str, client: str, job: str) -> tuple[int, int]:
    """Let a client do a job; return the rows it counted and the requests that the server did."""
    sent(address)
    rows = getattr(importlib.import_module(f"clients.{client}"), job)(address, NUMBERS.get(job, 0))
    return rows, sent(address)


@pytest.mark.parametrize("job", REQUESTS)
def test_both_sides_find_the_same_rows_and_the_server_counts_their_requests(address, job):
    ours, plain = (done(address, client, job) for client in ("with_planhat_orm", "with_requests"))
    assert (ours[0], plain[0]) == (ROWS.get(job, COMPANIES),) * 2
    assert (ours[1], plain[1]) == REQUESTS[job]


def test_many_external_ids_take_a_few_requests(address):
    sent(address)
    ours = importlib.import_module("clients.with_planhat_orm")
    assert ours.get_at_once(address, 100) == 100
    assert sent(address) <= 4


def test_the_server_gives_the_newest_first_and_says_what_changed_within_a_day(address):
    sent(address)
    ours = importlib.import_module("clients.with_planhat_orm")
    assert ours.changed_since_yesterday(address, 0) == 40
    assert sent(address) == 1


def test_a_quick_run_prints_a_table_for_each_job_and_leaves_out_who_is_not_installed(tmp_path):
    command = [sys.executable, str(HERE / "run.py"), "--quick", "--offline", "--environments", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    for name in ("cruds", "robocorp-planhat", "pyplanhat", "planhat"):
        assert f"\n  {name}: skipped, not installed under {tmp_path}\n" in ran.stdout
    assert "failed" not in ran.stdout
    lines = [line.split() for line in ran.stdout.splitlines()]
    table = [line for line in lines if line[:1] == ["requests"] and len(line) > 5]
    assert [line[-1] for line in table] == ["6,000"] * 3 + ["9,000", "300", "2,000"]
    assert sum(line[:1] == ["planhat_orm"] for line in lines) == 7
    assert ["endusers", "of", "200", "companies", "3", "3"] in lines


def test_a_client_that_cannot_be_installed_is_missing_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    environments = importlib.import_module("environments")
    client = environments.Client("planhat-client-that-nobody-wrote", "with_nothing", "nothing")
    with pytest.raises(environments.Missing, match=r"cannot be installed: .*planhat-client-that-nobody-wrote"):
        environments.python_of(client, tmp_path)
    # Half an installation is none.
    with pytest.raises(environments.Missing, match="not installed"):
        environments.python_of(client, tmp_path, offline=True)


def test_a_client_that_cannot_be_imported_is_missing_with_the_reason(tmp_path, monkeypatch):
    environments = importlib.import_module("environments")
    monkeypatch.setattr(environments, "install", lambda client, home, python: make_interpreter(python))
    client = environments.Client("somebody", "with_somebody", "no_such_module_of_somebody")
    with pytest.raises(environments.Missing, match=r"cannot be imported: .*no_such_module_of_somebody"):
        environments.python_of(client, tmp_path)


def make_interpreter(python: Path) -> None:
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)


def test_a_job_that_fails_is_told_and_stops_nothing(address):
    run = importlib.import_module("run")
    side = run.Side("planhat_orm", "with_planhat_orm", Path(sys.executable))
    found = run.once(side, "no_such_job", 0, address)
    assert "no_such_job" in found.failed
    assert run.best("planhat_orm", [found]).failed == found.failed


def test_each_number_is_the_best_of_the_rounds(capsys):
    run = importlib.import_module("run")
    job = run.Job("a job", "list_companies", bar_wall=0.8, bar_peak=1.1, bar_memory=65, bar_requests=11)
    rounds = [seen(run, "planhat_orm", 0.7, 60.0), seen(run, "planhat_orm", 0.5, 70.0)]
    ours, plain = run.best("planhat_orm", rounds), seen(run, "requests", 1.0, 50.0)
    assert (ours.seconds, ours.peak) == (0.5, 60.0)
    assert run.verdict(job, [ours, plain]) == (
        "wall <= 0.8x of requests: held; memory <= 1.1x of requests: MISSED; memory <= 65 MB: held; "
        "requests <= 11: held"
    )
    run.show(job, [ours, plain])
    assert "0.50x" in capsys.readouterr().out


def seen(run: Any, name: str, seconds: float, peak: float) -> Any:
    return run.Seen(name, seconds, seconds, peak, 11, 50_000)


def test_environments_stay_out_of_the_repository():
    command = [sys.executable, str(HERE / "run.py"), "--quick", "--environments", str(HERE / "clients")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "outside of the repository" in ran.stderr
