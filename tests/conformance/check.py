"""Whether this library sends what Planhat documents: every row of the table, carried out and looked up in the log.

    .venv/bin/python tests/conformance/check.py

Each operation runs over HTTP against a sandbox of its own, which keeps a log of the requests that reached it. A row
holds when one of them has its method, its path, its parameters and its body, and was answered with success. Prints the
rows that do not hold, and how many of how many do; ends with 1 unless all do.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from calls import Stage, carry_out
from shapes import holds
from table import OPERATIONS, TENANT, Operation

from planhat_orm.errors import PlanhatError
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.sandbox.recording import RecordedRequest

#: Rows of the analytics host, which is a path of the sandbox's.
ANALYTICS = re.compile(r"/(dimensiondata|analytics|dock)/.+")


def complaint(row: Operation) -> str | None:
    """Carry out a row; return what is wrong, None when it holds."""
    with Sandbox() as box, box.session():
        stage = Stage(box)
        box.clear_requests()
        try:
            carry_out(row, stage)
        except (PlanhatError, AttributeError, KeyError) as problem:
            return f"{type(problem).__name__}: {problem}"
        sent, tenant = box.requests, box.environment()["PLANHAT_TENANT_TOKEN"]
    if any(is_one(row, request, tenant) for request in sent):
        return None
    return "sent " + ("; ".join(f"{request} {request.json or ''}".strip() for request in sent) or "nothing")


def is_one(row: Operation, request: RecordedRequest, tenant: str) -> bool:
    """Tell whether a request is the one that a row documents."""
    path = re.escape(row.path).replace(re.escape("{id}"), "[0-9a-f]{24}").replace(re.escape("{key}"), "[^/]+")
    path = path.replace(re.escape(TENANT), re.escape(tenant))
    if ANALYTICS.fullmatch(row.path) and row.method == "POST":
        path = "/analytics" + path
    return (
        request.method == row.method
        and re.fullmatch(path, request.path) is not None
        and all(name in request.params and holds(shape, request.params[name]) for name, shape in row.params.items())
        and (row.body is None) == (request.json is None)
        and (row.body is None or holds(row.body, request.json))
        and request.status is not None
        and request.status < 300
    )


def check(rows: Iterable[Operation]) -> list[tuple[Operation, str]]:
    """Return the rows that do not hold, with what was sent instead."""
    return [(row, problem) for row in rows if (problem := complaint(row)) is not None]


def main() -> int:
    """Check all rows and print what came of it."""
    logging.getLogger("planhat_orm").setLevel(logging.ERROR)
    wrong = check(OPERATIONS)
    for row, problem in wrong:
        print(f"{row}\n    {problem}")
    print(f"{len(OPERATIONS) - len(wrong)} of {len(OPERATIONS)} documented operations hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
