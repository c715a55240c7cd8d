"""Measure what the library promises, side by side with a plain ``requests`` loop on the same server, in one run.

    python tests/benchmarks/run.py [--rounds 5]

Wall times are the best of the rounds, which take turns; memory is the peak of a process that does nothing else.
Requests are counted by the server. Nothing here asserts: it prints what it saw beside the bar.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


@contextmanager
def serving(rows: int) -> Iterator[str]:
    """Run the list server with that many rows and yield its address."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), str(rows)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def run(job: str, address: str) -> dict[str, float]:
    """Run one job in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(HERE / "jobs.py"), job, address], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    with urllib.request.urlopen(f"{address}/_count") as answer:
        found["requests"] = int(answer.read())
    return found


def show(what: str, seen: str, bar: str) -> None:
    """Print one line of the table."""
    print(f"{what:<58} {seen:<34} {bar}", flush=True)


def listing(rounds: int) -> None:
    """Compare listing 50,000 companies with the plain loop."""
    with serving(50_000) as address:
        pairs = [(run("plain_list", address), run("orm_list", address)) for _ in range(rounds)]
    plain, ours = (min((pair[side] for pair in pairs), key=lambda found: found["seconds"]) for side in (0, 1))
    peak_plain, peak_ours = (min(pair[side]["peak"] for pair in pairs) for side in (0, 1))
    show(
        "list 50,000 companies: wall, ours / plain requests+json",
        f"{ours['seconds'] / plain['seconds']:.2f}x  ({ours['seconds']:.2f} s / {plain['seconds']:.2f} s)",
        "<= 0.8x",
    )
    show(
        "list 50,000 companies: peak memory, ours / plain",
        f"{peak_ours / peak_plain:.2f}x  ({peak_ours:.0f} MB / {peak_plain:.0f} MB)",
        "<= 1.1x",
    )
    show(
        "list 50,000 companies: requests, ours / plain",
        f"{ours['requests']:.0f} / {plain['requests']:.0f}",
        "11 / 11",
    )


def iterating(rounds: int) -> None:
    """Measure the peak memory of iterating over short and long lists."""
    for rows in (50_000, 500_000):
        with serving(rows) as address:
            peak = min(run("orm_iterator", address)["peak"] for _ in range(min(rounds, 2)))
        show(f"iterator() over {rows:,}: peak memory of the process", f"{peak:.0f} MB", "<= 65 MB, the same for both")


def counting() -> None:
    """Count the requests of counting."""
    for rows, bar in ((30_001, 10), (500_000, 18)):
        with serving(rows) as address:
            found = run("orm_count", address)
        show(
            f"count {rows:,} endusers: requests", f"{found['requests']:.0f}  (found {found['rows']:,.0f})", f"<= {bar}"
        )


def jobs() -> None:
    """Count the requests of everyday jobs on the sandbox."""
    from planhat_orm.models import Company, Enduser
    from planhat_orm.sandbox import Sandbox

    with Sandbox(demo=True) as box, box.session():

        def requests() -> int:
            seen = len(box.requests)
            box.clear_requests()
            return seen

        requests()
        acme = Company.objects.get(external_id="acme-42")
        first = requests()
        Company.objects.get(external_id="acme-42")
        show("get(external_id=...), and again: requests", f"{first}, then {requests()}", "1, then 0")
        acme.custom["Tier"] = "Gold"
        acme.save()
        body = box.requests[-1].json
        show("save one custom key: requests", f"{requests()}  {json.dumps(body)}", "1, that key alone")
        for company in Company.objects.filter(status="customer").order_by("-arr")[:50]:
            assert company.owner is None or company.owner.email
        show("50 companies with their owners' e-mails: requests", str(requests()), "2")
        companies = list(Company.objects.all()[:200])
        requests()
        list(Enduser.objects.filter(company__in=companies))
        show("endusers of 200 companies: requests", str(requests()), "3")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each side of a comparison runs")
    rounds = parser.parse_args().rounds
    show("what", "seen", "bar")
    listing(rounds)
    iterating(rounds)
    counting()
    jobs()


if __name__ == "__main__":
    main()
