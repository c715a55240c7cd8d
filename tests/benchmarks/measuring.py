"""One job of one client, in a process of its own: ``python measuring.py CLIENT JOB ADDRESS NUMBER``.

Prints one line of JSON: rows, seconds of wall time, and peak memory in MB. Importing the client is not timed, what it
does to be ready is. Imports the standard library and the client alone: it runs in the client's own environment.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path


def peak() -> float:
    """Return the peak memory of this process in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Of this program alone; getrusage also counts what the process held before it became this program.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return 0.0  # on Windows it is not known
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Run the job and print what it took."""
    client, job, address, number = sys.argv[1:]
    run = getattr(importlib.import_module(f"clients.{client}"), job)
    started, worked = time.perf_counter(), time.process_time()
    rows = run(address, int(number))
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "peak": peak()}))


if __name__ == "__main__":
    main()
