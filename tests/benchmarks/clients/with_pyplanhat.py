"""pyplanhat: https://pypi.org/project/pyplanhat/

``companies.list()`` takes no parameters and returns what Planhat sends by default, the first hundred. Who wants all
of them loops by hand over the client's ``httpx`` connection and makes its models: that is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clients.shared import COMPANIES_PAGE, ENDUSERS_PAGE, TOKEN, company_ids, external_ids
from pyplanhat import Company, EndUser, PyPlanhat

if TYPE_CHECKING:
    from collections.abc import Iterator


def pages(client: Any, path: str, kind: Any, limit: int, **params: str) -> Iterator[list[Any]]:
    offset = 0
    while True:
        asked = {"limit": limit, "offset": offset, "sort": "_id", **params}
        rows = client.companies._handle_response(client._client.get(path, params=asked))
        yield [kind(**row) for row in rows]
        offset += len(rows)
        if len(rows) < limit:
            return


def every_company(address: str) -> list[Any]:
    companies: list[Any] = []
    with PyPlanhat(api_key=TOKEN, base_url=address) as client:
        for page in pages(client, "/companies", Company, COMPANIES_PAGE):
            companies.extend(page)
    return companies


def list_companies(address: str, number: int) -> int:
    return len(every_company(address))


def list_and_read(address: str, number: int) -> int:
    return sum(1 for one in every_company(address) if one.name and one.external_id and one.arr is not None)


def iterate(address: str, number: int) -> int:
    with PyPlanhat(api_key=TOKEN, base_url=address) as client:
        return sum(1 for page in pages(client, "/companies", Company, COMPANIES_PAGE) for one in page if one.name)


def count_endusers(address: str, number: int) -> int:
    with PyPlanhat(api_key=TOKEN, base_url=address) as client:
        return sum(len(page) for page in pages(client, "/endusers", EndUser, ENDUSERS_PAGE, select="_id"))


def get_one_by_one(address: str, number: int) -> int:
    with PyPlanhat(api_key=TOKEN, base_url=address) as client:
        found = [client.companies.get(f"extid-{key}") for key in external_ids(number)]
        return len([company for company in found if company.name])


def endusers_of(address: str, number: int) -> int:
    with PyPlanhat(api_key=TOKEN, base_url=address) as client:
        people = [person for company in company_ids(number) for person in client.endusers.list(company_id=company)]
        return len([person for person in people if person.name])
