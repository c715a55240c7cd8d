"""planhat: https://pypi.org/project/planhat/

``get_companies()`` takes no limit and no offset and returns the first hundred. Who wants all of them loops by hand
over its general ``request``: that is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clients.shared import COMPANIES_PAGE, ENDUSERS_PAGE, TOKEN, company_ids, external_ids, have_values, portions
from planhat import Planhat

if TYPE_CHECKING:
    from collections.abc import Iterator


def pages(client: Any, route: str, limit: int, **params: str) -> Iterator[list[dict[str, Any]]]:
    offset = 0
    while True:
        asked = {"limit": limit, "offset": offset, "sort": "_id", **params}
        page = client.request("GET", route, params=asked).json()
        yield page
        offset += len(page)
        if len(page) < limit:
            return


def every_company(address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in pages(Planhat(address, "", TOKEN), "companies", COMPANIES_PAGE):
        rows.extend(page)
    return rows


def list_companies(address: str, number: int) -> int:
    return len(every_company(address))


def list_and_read(address: str, number: int) -> int:
    return have_values(every_company(address))


def iterate(address: str, number: int) -> int:
    found = pages(Planhat(address, "", TOKEN), "companies", COMPANIES_PAGE)
    return sum(1 for page in found for row in page if row["name"])


def count_endusers(address: str, number: int) -> int:
    found = pages(Planhat(address, "", TOKEN), "endusers", ENDUSERS_PAGE, select="_id")
    return sum(len(page) for page in found)


def get_one_by_one(address: str, number: int) -> int:
    client = Planhat(address, "", TOKEN)
    found = [client.request("GET", f"companies/extid-{key}").json() for key in external_ids(number)]
    return len([row for row in found if row["name"]])


def endusers_of(address: str, number: int) -> int:
    client = Planhat(address, "", TOKEN)
    people: list[dict[str, Any]] = []
    for ids in portions(company_ids(number)):
        for page in pages(client, "endusers", ENDUSERS_PAGE, companyId=ids):
            people.extend(page)
    return len([person for person in people if person["name"]])
