"""A list server that costs next to nothing, so that a benchmark measures the client.

Rows are rendered once; pages that were asked for are kept. It knows companies and endusers (ten of each company), one
record by its id or ``extid-``, the lean index, ``limit``, ``offset``, ``select=_id``, lists of ids in ``companyId``
and the newest first (``sort=-updatedAt``); any other order is by id. Forty companies were changed within the last
day. It counts its requests: ``GET /_count`` answers the number since the last time. Run as a program it prints its
address and serves until its input ends.

    python server.py COMPANIES [ENDUSERS [WEIGHT]]

``WEIGHT`` is how many bytes of text each company carries beyond those of Planhat's own sample.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATES = 5_000
#: How many endusers each company has, and how many companies were changed within the last day.
EACH, CHANGED = 10, 40
#: A prime: multiples of it come by every place of a list whose length it does not divide.
STRIDE = 7_919


def key_of(prefix: int, number: int) -> bytes:
    """Return the id of a record: the second in which it was made, the kind, and its number."""
    return b"%08x%x%015x" % (0x5F000000 + 300 * number, prefix, number)


def company(number: int, rng: random.Random, owners: list[str], weight: int = 0) -> dict[str, object]:
    """Return a company in the shape of Planhat's own sample of a list, without its keys and its time."""
    return {
        "shareable": {"team": {"fields": []}, "enabled": False, "euIds": [], "sunits": False},
        "domains": [f"company{number}.example"],
        "tags": rng.sample(["emea", "smb", "partner", "beta"], 2),
        "owner": rng.choice(owners),
        "coOwner": rng.choice([*owners, None]),
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
        "custom": {
            "Tier": rng.choice(["Gold", "Silver", "Bronze"]),
            "Days in Phase": rng.randint(0, 400),
            **{f"Note {place}": f"{rng.getrandbits(320):080x}" for place in range(weight // 90)},
        },
    }


def enduser(number: int, rng: random.Random, owners: list[str]) -> dict[str, object]:
    """Return an enduser without its keys and its time."""
    first, last = rng.choice(["Ada", "Bo", "Cai", "Dana"]), f"Name{number}"
    return {
        "firstName": first,
        "lastName": last,
        "name": f"{first} {last}",
        "email": f"{first}.{last}@company{number}.example".lower(),
        "position": rng.choice(["CFO", "CTO", "Engineer", "Buyer"]),
        "tags": rng.sample(["champion", "beta", "newsletter"], 2),
        "featured": rng.random() < 0.1,
        "primary": rng.random() < 0.1,
        "beats": rng.randint(0, 100),
        "beatsTotal": rng.randint(0, 9_000),
        "convs14": rng.randint(0, 9),
        "owner": rng.choice(owners),
        "lastActive": f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T11:02:17.{rng.randint(0, 999):03}Z",
        "custom": {"Language": rng.choice(["en", "sv", "de"]), "Logins": rng.randint(0, 400)},
    }


class Table:
    """The rows of one collection."""

    def __init__(self, total: int, prefix: int, most: int, templates: list[dict[str, object]]) -> None:
        self.total = total
        self.prefix = prefix
        #: The largest page.
        self.most = most
        self.suffixes = [json.dumps(row, separators=(",", ":"))[1:].encode() for row in templates]
        self.now = datetime.now(UTC)

    def key(self, number: int) -> bytes:
        """Return the id of a row; as Planhat's, it begins with the second in which the record was made."""
        return key_of(self.prefix, number)

    def number(self, key: str) -> int:
        """Return the place of the row of an id or of an external id."""
        return int(key.removeprefix("extid-ext-")) if key.startswith("extid-") else int(key[9:], 16)

    def changed(self, number: int) -> bytes:
        """Return when a row was changed: some of them within the last hours, the others in January 2025.

        The times have nothing to do with the ids, as somebody works here and there.
        """
        place = self.place(number)
        if place < CHANGED:
            return (self.now - timedelta(hours=1, minutes=place)).strftime("%Y-%m-%dT%H:%M:%S.000Z").encode()
        second = self.total - place
        clock = (1 + second // 86_400, second // 3_600 % 24, second // 60 % 60, second % 60)
        return b"2025-01-%02dT%02d:%02d:%02d.000Z" % clock

    def place(self, number: int) -> int:
        """Return the place of a row among all, the one that was changed last first."""
        return number * STRIDE % self.total

    @cached_property
    def newest_first(self) -> list[int]:
        """The rows in the order of their changes."""
        return sorted(range(self.total), key=self.place)

    def row(self, number: int) -> bytes:
        """Return one row."""
        parent = b'"companyId":"%s",' % key_of(0, number // EACH) if self.prefix else b""
        key, changed, rest = self.key(number), self.changed(number), self.suffixes[number % len(self.suffixes)]
        return b'{"_id":"%s","externalId":"ext-%d",%s"updatedAt":"%s",%s' % (key, number, parent, changed, rest)

    def page(self, numbers: Sequence[int], *, keys_only: bool) -> bytes:
        """Return rows as a list."""
        if keys_only:
            return b"[" + b",".join(b'{"_id":"%s"}' % self.key(number) for number in numbers) + b"]"
        return b"[" + b",".join(map(self.row, numbers)) + b"]"

    def listed(self, params: dict[str, str]) -> bytes:
        """Return the page that the parameters of a list ask for."""
        limit = min(max(int(params.get("limit", "100")), 1), self.most)
        start = int(params.get("offset", "0"))
        keys_only = params.get("select") == "_id"
        if params.get("companyId"):
            return self.of_companies(params["companyId"].split(","), start, limit)
        if params.get("sort") == "-updatedAt":
            return self.page(self.newest_first[start : start + limit], keys_only=keys_only)
        return self.page(range(start, min(start + limit, self.total)), keys_only=keys_only)

    def of_companies(self, companies: list[str], start: int, limit: int) -> bytes:
        """Return rows of some companies: the endusers of each, or the companies themselves."""
        each = EACH if self.prefix else 1
        numbers = [
            child
            for place in sorted(int(company[9:], 16) for company in companies)
            for child in range(place * each, (place + 1) * each)
            if child < self.total
        ]
        return b"[" + b",".join(map(self.row, numbers[start : start + limit])) + b"]"

    def lean(self) -> bytes:
        """Return the lean index."""
        rows = (
            b'{"_id":"%s","externalId":"ext-%d","name":"Company %05d"}' % (self.key(number), number, number)
            for number in range(self.total)
        )
        return b"[" + b",".join(rows) + b"]"


def answer(tables: dict[str, Table], path: str, query: str) -> bytes | None:
    """Return the body for a path and its query, None where there is nothing."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    params = {name: values[-1] for name, values in parse_qs(query).items()}
    if parts == ["leancompanies"]:
        return tables["companies"].lean()
    table = tables.get(parts[0])
    if table is None:
        return None
    if len(parts) == 1:
        return table.listed(params)
    if len(parts) == 3:  # companies/<id>/endusers: not documented, but a client asks for it
        return tables[parts[2]].listed({**params, "companyId": parts[1]})
    number = table.number(parts[1])
    return table.row(number) if number < table.total else None


class Handler(BaseHTTPRequestHandler):
    """Answers requests from the tables, and counts them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in as few packets as may be
    tables: dict[str, Table] = {}
    count = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Answer a page, a record, or the count."""
        url = urlsplit(self.path)
        with self.lock:
            if url.path == "/_count":
                body, Handler.count = str(Handler.count).encode(), 0
            else:
                Handler.count += 1
                body = self.body(url.path, url.query)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body or b"{}")))
        self.end_headers()
        self.wfile.write(body or b"{}")

    def body(self, path: str, query: str) -> bytes | None:
        """Return the body; of a collection of usual size it is kept for the next one who asks."""
        return self.kept(path, query) if self.tables["companies"].total <= 50_000 else self.made(path, query)

    @classmethod
    def made(cls, path: str, query: str) -> bytes | None:
        """Return a new body."""
        return answer(cls.tables, path, query)

    @classmethod
    @lru_cache(maxsize=256)
    def kept(cls, path: str, query: str) -> bytes | None:
        """Return a body, made when it was first asked for."""
        return answer(cls.tables, path, query)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def made_tables(companies: int, endusers: int, weight: int) -> dict[str, Table]:
    """Return the tables of that many rows."""
    rng = random.Random(7)
    owners = [f"{rng.getrandbits(96):024x}" for _ in range(20)]
    return {
        "companies": Table(
            companies,
            0,
            5_000,
            [company(number, rng, owners, weight) for number in range(min(TEMPLATES, max(companies, 1)))],
        ),
        "endusers": Table(
            endusers, 14, 2_000, [enduser(number, rng, owners) for number in range(min(TEMPLATES, max(endusers, 1)))]
        ),
    }


def main() -> None:
    """Serve until the input ends."""
    companies, endusers, weight = (int(text) for text in [*sys.argv[1:], "0", "0"][:3])
    Handler.tables = made_tables(companies, endusers, weight)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
