"""A list server that costs next to nothing, so that a benchmark measures the client.

Rows are rendered once and only their ids are made for each page. It knows ``limit`` and ``offset`` on any path, serves
ids in ascending order whatever is asked, and counts its requests: ``GET /_count`` answers the number since the last
time. Run as a program it prints its address and serves until its input ends.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TEMPLATES = 5_000


def company(number: int, rng: random.Random, owners: list[str]) -> dict[str, object]:
    """Return a company in the shape of Planhat's own sample of a list, without its id."""
    return {
        "shareable": {"team": {"fields": []}, "enabled": False, "euIds": [], "sunits": False},
        "domains": [f"company{number}.example"],
        "tags": rng.sample(["emea", "smb", "partner", "beta"], 2),
        "owner": rng.choice(owners),
        "coOwner": rng.choice([*owners, None]),
        "externalId": f"ext-{number}",
        "sourceId": f"0015f{number:013}",
        "phase": rng.choice(["Onboarding", "Adoption", "Renewal", "At risk"]),
        "status": rng.choice(["prospect", "customer", "customer", "lost"]),
        "h": rng.randint(0, 10),
        "csmScore": rng.randint(1, 5),
        "mr": rng.randint(0, 90_000) / 10,
        "arr": rng.randint(0, 900_000) / 10,
        "nrr30": rng.randint(0, 9_000),
        "mrrTotal": rng.randint(0, 900_000),
        "mrTotal": rng.randint(0, 900_000),
        "name": f"Company {number:05} {rng.choice(['Labs', 'Group', 'AB', 'GmbH', 'Inc'])}",
        "phaseSince": f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T09:12:44.{rng.randint(0, 999):03}Z",
        "features": {},
        "usage": {f"{rng.getrandbits(96):024x}": rng.randint(0, 500) for _ in range(2)},
        "alerts": [],
        "custom": {"Tier": rng.choice(["Gold", "Silver", "Bronze"]), "Days in Phase": rng.randint(0, 400)},
    }


class Handler(BaseHTTPRequestHandler):
    """Answers pages of ``total`` rows."""

    protocol_version = "HTTP/1.1"
    suffixes: list[bytes] = []
    total = 0
    count = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Answer a page, or the count."""
        url = urlsplit(self.path)
        if url.path == "/_count":
            with self.lock:
                body, Handler.count = str(Handler.count).encode(), 0
        else:
            with self.lock:
                Handler.count += 1
            params = parse_qs(url.query)
            limit, offset = int(params.get("limit", ["100"])[0]), int(params.get("offset", ["0"])[0])
            numbers = range(offset, min(offset + limit, self.total))
            if params.get("select") == ["_id"]:
                body = b"[" + b",".join(b'{"_id":"%024x"}' % number for number in numbers) + b"]"
            else:
                rows = (b'{"_id":"%024x",%s' % (number, self.suffixes[number % TEMPLATES]) for number in numbers)
                body = b"[" + b",".join(rows) + b"]"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve ``argv[1]`` rows until the input ends."""
    rng = random.Random(7)
    owners = [f"{rng.getrandbits(96):024x}" for _ in range(20)]
    Handler.total = int(sys.argv[1])
    Handler.suffixes = [
        json.dumps(company(number, rng, owners), separators=(",", ":"))[1:].encode()
        for number in range(min(TEMPLATES, Handler.total))
    ]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
