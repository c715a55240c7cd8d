"""The jobs that are measured, each in a process of its own: ``python jobs.py NAME ADDRESS``.

Prints one line of JSON: seconds of wall time, peak memory in MB, and whatever the job counts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = 5_000


def plain_list(address: str) -> dict[str, object]:
    """List companies with a plain ``requests`` and ``json`` loop into dicts."""
    import requests

    def run() -> int:
        rows: list[object] = []
        with requests.Session() as http:
            http.headers["Authorization"] = "Bearer benchmark"
            while True:
                params = {"limit": PAGE, "offset": len(rows), "sort": "_id"}
                page = http.get(f"{address}/companies", params=params, timeout=60).json()
                rows.extend(page)
                if len(page) < PAGE:
                    return len(rows)

    return measured(run)


def orm_list(address: str) -> dict[str, object]:
    """List companies into live objects."""
    from planhat_orm import Session
    from planhat_orm.models import Company

    with Session(token="benchmark", base_url=address, quota=None):
        return measured(lambda: len(list(Company.objects.all())))


def orm_iterator(address: str) -> dict[str, object]:
    """Iterate over companies without keeping them, reading a value of each."""
    from planhat_orm import Session
    from planhat_orm.models import Company

    with Session(token="benchmark", base_url=address, quota=None):
        return measured(lambda: sum(1 for company in Company.objects.iterator() if company.name))


def orm_count(address: str) -> dict[str, object]:
    """Count endusers."""
    from planhat_orm import Session
    from planhat_orm.models import Enduser

    with Session(token="benchmark", base_url=address, quota=None):
        return measured(Enduser.objects.count)


def measured(run: Callable[[], int]) -> dict[str, object]:
    """Run a job and return what it took."""
    started = time.perf_counter()
    rows = run()
    seconds = time.perf_counter() - started
    return {"rows": rows, "seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](sys.argv[2])))
