"""Measure planhat_orm beside a plain ``requests`` loop and the published clients, on one local server, in one run.

    python tests/benchmarks/run.py [--quick] [--rounds 5] [--environments FOLDER] [--only cruds,requests]

Each client runs each job in a process of its own, and they take turns. Wall times are the best of the rounds; memory
is the peak of the process; requests are counted by the server, and ``of quota`` is how long Planhat's 200 a minute
make them take. The published clients are installed when they are first needed, each into a virtual environment of its
own under ``--environments``; who cannot be installed or imported is left out with a note. Nothing here asserts: it
prints what it saw beside the bar. What the numbers mean, and what they do not, stands in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from environments import DEFAULT, PUBLISHED, Missing, last_line, plain, python_of, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OURS = "planhat_orm"
PLAIN = "requests"
#: The requests that Planhat takes a minute.
PER_MINUTE = 200


@dataclass(frozen=True, slots=True)
class Side:
    """Who takes part: a name to print, a module in ``clients``, and the interpreter that has it."""

    name: str
    module: str
    python: Path


@dataclass(frozen=True, slots=True)
class Seen:
    """What one client needed for a job: the best of the rounds, or why it could not be measured."""

    name: str
    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    requests: int = 0
    rows: int = 0
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What is measured: a function of each client's module, and what planhat_orm promises.

    ``number`` is given to the function. ``bar_wall`` and ``bar_peak`` are ratios to the plain loop, ``bar_memory`` is
    in MB. ``also`` is a second way that planhat_orm offers to the same result. ``without`` leaves clients out.
    """

    title: str
    function: str
    number: int = 0
    bar_wall: float | None = None
    bar_peak: float | None = None
    bar_memory: float | None = None
    bar_requests: int | None = None
    also: tuple[str, str] | None = None
    without: tuple[str, ...] = ()
    alone: bool = False


@contextmanager
def serving(companies: int, endusers: int, weight: int = 0) -> Iterator[str]:
    """Run the list server with that many records and yield its address."""
    command = [sys.executable, str(HERE / "server.py"), str(companies), str(endusers), str(weight)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def once(side: Side, function: str, number: int, address: str) -> Seen:
    """Let a client do a job once, in a process of its own."""
    environment = plain()
    if side.module in ("with_planhat_orm", "with_requests"):
        environment["PYTHONPATH"] = str(ROOT)
    command = [str(side.python), str(HERE / "measuring.py"), side.module, function, address, str(number)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    with urllib.request.urlopen(f"{address}/_count") as answer:
        requests = int(answer.read())
    if done.returncode:
        return Seen(side.name, failed=last_line(done.stderr))
    found = json.loads(done.stdout)
    return Seen(side.name, found["seconds"], found["cpu"], found["peak"], requests, found["rows"])


def best(name: str, seen: Sequence[Seen]) -> Seen:
    """Return the best of the rounds, each number by itself."""
    whole = [one for one in seen if not one.failed]
    if not whole:
        return Seen(name, failed=seen[0].failed)
    return Seen(
        name,
        min(one.seconds for one in whole),
        min(one.cpu for one in whole),
        min(one.peak for one in whole),
        min(one.requests for one in whole),
        whole[0].rows,
    )


def measured(job: Job, sides: Sequence[Side], address: str, rounds: int) -> list[Seen]:
    """Let all clients do a job, in turns, round after round."""
    turns = [(side.name, side, job.function) for side in sides if side.name not in job.without]
    if job.alone:
        turns = turns[:1]
    if job.also:
        turns.insert(1, (f"{OURS}: {job.also[0]}", sides[0], job.also[1]))
    found: dict[str, list[Seen]] = {name: [] for name, _, _ in turns}
    for number in range(rounds):
        # Everybody goes first once, since a machine that was idle, or busy, favours one place in the row.
        for name, side, function in turns[number % len(turns) :] + turns[: number % len(turns)]:
            found[name].append(once(side, function, job.number, address))
    return [best(name, seen) for name, seen in found.items()]


def ratio(ours: float, theirs: float) -> str:
    """Return ours by theirs."""
    if not theirs:
        return ""
    return f"{ours / theirs:.{2 if ours / theirs >= 0.1 else 3}f}x"


def time_of(seconds: float) -> str:
    """Return a time as text."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def verdict(job: Job, seen: Sequence[Seen]) -> str:
    """Say what planhat_orm promises for a job, and whether this run held it."""
    ours, loop = seen[0], next((one for one in seen if one.name == PLAIN and not one.failed), None)
    if ours.failed:
        return ""
    bars = []
    if job.bar_wall is not None and loop:
        bars.append((f"wall <= {job.bar_wall}x of {PLAIN}", ours.seconds <= job.bar_wall * loop.seconds))
    if job.bar_peak is not None and loop:
        bars.append((f"memory <= {job.bar_peak}x of {PLAIN}", ours.peak <= job.bar_peak * loop.peak))
    if job.bar_memory is not None:
        bars.append((f"memory <= {job.bar_memory:.0f} MB", ours.peak <= job.bar_memory))
    if job.bar_requests is not None:
        bars.append((f"requests <= {job.bar_requests}", ours.requests <= job.bar_requests))
    return "; ".join(f"{bar}: {'held' if held else 'MISSED'}" for bar, held in bars)


def show(job: Job, seen: Sequence[Seen], *, judged: bool = True) -> None:
    """Print the table of one job."""
    print(f"\n{job.title}", flush=True)
    bars = verdict(job, seen)
    if bars and judged:
        print(f"  bar: {bars}")
    print(
        f"  {'':<30}{'wall':>8}{'ours by it':>12}{'cpu':>9}{'memory':>9}{'ours by it':>12}{'requests':>10}"
        f"{'of quota':>10}{'rows':>9}"
    )
    ours = seen[0]
    for one in seen:
        if one.failed:
            print(f"  {one.name:<30}  failed: {one.failed}")
            continue
        apart = one is not ours and not ours.failed
        by_wall, by_peak = (ratio(ours.seconds, one.seconds), ratio(ours.peak, one.peak)) if apart else ("", "")
        quota = f"{one.requests * 60 / PER_MINUTE:.1f} s"
        print(
            f"  {one.name:<30}{time_of(one.seconds):>8}{by_wall:>12}{time_of(one.cpu):>9}{one.peak:>6.0f} MB"
            f"{by_peak:>12}{one.requests:>10,}{quota:>10}{one.rows:>9,}"
        )
    sys.stdout.flush()


def compared(companies: int, endusers: int) -> list[Job]:
    """Return the jobs on a tenant of usual size."""
    gets, parents = min(300, companies), min(200, companies)
    return [
        Job(
            f"list {companies:,} companies (live objects; dicts or models)",
            "list_companies",
            bar_wall=0.8,
            bar_peak=1.1,
            bar_requests=companies // 5_000 + 1,
        ),
        Job(f"list {companies:,} companies, and read three values of each", "list_and_read"),
        Job(f"iterate over {companies:,} companies, reading a name", "iterate", bar_memory=65),
        Job(f"count {endusers:,} endusers", "count_endusers", bar_requests=18),
        Job(
            f"{gets} companies by external id, one after another",
            "get_one_by_one",
            gets,
            bar_requests=gets,
            also=("external_id__in", "get_at_once"),
        ),
        Job(f"endusers of {parents} companies", "endusers_of", parents, bar_requests=3),
        Job(
            f"companies changed since yesterday, {min(40, companies)} of {companies:,}",
            "changed_since_yesterday",
            bar_requests=1,
            alone=True,
        ),
    ]


def large(companies: int) -> list[Job]:
    """Return the jobs on a tenant that is larger than any."""
    return [
        Job(
            f"iterate over {companies:,} companies, reading a name",
            "iterate",
            bar_memory=65,
            without=("robocorp-planhat",),  # it would hold all of them
        ),
    ]


def jobs_on_the_sandbox() -> None:
    """Count the requests of everyday jobs on the sandbox, and print them beside the bar."""
    sys.path.insert(0, str(ROOT))
    from planhat_orm.models import Company, Enduser
    from planhat_orm.sandbox import Sandbox

    print(f"\neveryday jobs on the sandbox\n  {'':<52}{'requests':>14}   bar")

    def line(what: str, seen: str, bar: str) -> None:
        print(f"  {what:<52}{seen:>14}   {bar}", flush=True)

    with Sandbox(demo=True) as box, box.session():

        def sent() -> int:
            seen = len(box.requests)
            box.clear_requests()
            return seen

        sent()
        acme = Company.objects.get(external_id="acme-42")
        first = sent()
        Company.objects.get(external_id="acme-42")
        line("get(external_id=...), and again", f"{first}, then {sent()}", "1, then 0")
        acme.custom["Tier"] = "Gold"
        acme.save()
        body = json.dumps(box.requests[-1].json)
        line(f"save one custom key: {body}", str(sent()), "1, that key alone")
        for company in Company.objects.filter(status="customer").order_by("-arr")[:50]:
            assert company.owner is None or company.owner.email
        line("50 companies with their owners' e-mails", str(sent()), "2")
        companies = list(Company.objects.all()[:200])
        sent()
        list(Enduser.objects.filter(company__in=companies))
        line("endusers of 200 companies", str(sent()), "3")


def taking_part(only: set[str], folder: Path, *, offline: bool) -> list[Side]:
    """Return who takes part, planhat_orm first; say who is left out and why."""
    sides = [Side(OURS, "with_planhat_orm", Path(sys.executable))]
    if not only or PLAIN in only:
        sides.append(Side(PLAIN, "with_requests", Path(sys.executable)))
    print("compared with: requests and its json(), in a plain loop" if len(sides) > 1 else "compared with:")
    for client in PUBLISHED:
        if only and client.name not in only:
            continue
        try:
            python = python_of(client, folder, offline=offline)
        except Missing as reason:
            print(f"  {client.name}: skipped, {reason}")
            continue
        print(f"  {client.name} {version_of(client, python)}: {client.note}")
        sides.append(Side(client.name, client.module, python))
    return sides


def options() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each client does each job (5)")
    parser.add_argument("--quick", action="store_true", help="small lists and one round: shows that it works")
    parser.add_argument(
        "--environments", type=Path, default=DEFAULT, help="where the published clients are installed (%(default)s)"
    )
    parser.add_argument("--offline", action="store_true", help="install nothing: take the clients that are there")
    parser.add_argument("--only", default="", help="names of those to compare with, by commas; none: all")
    found = parser.parse_args()
    known = {PLAIN, *(client.name for client in PUBLISHED)}
    unknown = {name for name in found.only.split(",") if name} - known - {"none"}
    if unknown:
        parser.error(f"--only takes {', '.join(sorted(known))} or none, not {', '.join(sorted(unknown))}")
    return found


def main() -> None:
    """Print the tables."""
    asked = options()
    folder = asked.environments.resolve()
    if folder == ROOT or ROOT in folder.parents:
        raise SystemExit("--environments must lie outside of the repository")
    os.makedirs(folder, exist_ok=True)
    sides = taking_part({name for name in asked.only.split(",") if name}, folder, offline=asked.offline)
    companies, endusers, rounds = (6_000, 9_000, 1) if asked.quick else (50_000, 500_000, max(1, asked.rounds))
    if asked.quick:
        print("\nquick: the lists are small, and nothing is judged by the bars")
    with serving(companies, endusers) as address:
        for job in compared(companies, endusers):
            show(job, measured(job, sides, address, rounds), judged=not asked.quick)
    if not asked.quick:
        with serving(500_000, 0) as address:
            for job in large(500_000):
                show(job, measured(job, sides, address, 1))
        with serving(50_000, 0, weight=900) as address:
            job = Job("iterate over 50,000 companies of 1.5 kB, reading a name", "iterate")
            show(job, measured(job, sides[:2], address, min(rounds, 2)))
    jobs_on_the_sandbox()


if __name__ == "__main__":
    main()
