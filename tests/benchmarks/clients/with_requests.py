"""The plain loop: ``requests`` and its ``json()``, as short as a careful script would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from clients.shared import COMPANIES_PAGE, ENDUSERS_PAGE, TOKEN, company_ids, external_ids, portions

if TYPE_CHECKING:
    from collections.abc import Iterator


def session() -> requests.Session:
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {TOKEN}"
    return http


def pages(http: requests.Session, url: str, limit: int, **params: str) -> Iterator[list[dict[str, Any]]]:
    offset = 0
    while True:
        asked = {"limit": limit, "offset": offset, "sort": "_id", **params}
        page = http.get(url, params=asked, timeout=60).json()
        yield page
        offset += len(page)
        if len(page) < limit:
            return


def every_company(http: requests.Session, address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in pages(http, f"{address}/companies", COMPANIES_PAGE):
        rows.extend(page)
    return rows


def list_companies(address: str, number: int) -> int:
    with session() as http:
        return len(every_company(http, address))


def list_and_read(address: str, number: int) -> int:
    with session() as http:
        rows = every_company(http, address)
        return sum(1 for row in rows if row["name"] and row["externalId"] and row["arr"] is not None)


def iterate(address: str, number: int) -> int:
    with session() as http:
        return sum(1 for page in pages(http, f"{address}/companies", COMPANIES_PAGE) for row in page if row["name"])


def count_endusers(address: str, number: int) -> int:
    with session() as http:
        return sum(len(page) for page in pages(http, f"{address}/endusers", ENDUSERS_PAGE, select="_id"))


def get_one_by_one(address: str, number: int) -> int:
    with session() as http:
        found = [http.get(f"{address}/companies/extid-{key}", timeout=60).json() for key in external_ids(number)]
        return len([row for row in found if row["name"]])


def endusers_of(address: str, number: int) -> int:
    with session() as http:
        people: list[dict[str, Any]] = []
        for ids in portions(company_ids(number)):
            for page in pages(http, f"{address}/endusers", ENDUSERS_PAGE, companyId=ids):
                people.extend(page)
        return len([person for person in people if person["name"]])
