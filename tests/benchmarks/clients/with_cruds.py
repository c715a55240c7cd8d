"""cruds: https://cruds.readthedocs.io/en/latest/planhat.html

Its address is a constant; the ``host`` of its public ``client`` is set instead. It rests 0.3 s between two pages so
that 200 requests take a minute: that is turned off, as planhat_orm is measured without its quota, too.
"""

from __future__ import annotations

from typing import Any

from clients.shared import COMPANIES_PAGE, ENDUSERS_PAGE, TOKEN, company_ids, external_ids, have_values, portions
from cruds.interfaces.planhat import Planhat


def connected(address: str) -> Any:
    planhat = Planhat(api_token=TOKEN)
    planhat.client.host = f"{address}/"
    planhat._delay = 0.0
    return planhat


def every_company(address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in connected(address).company.get_list(sort="_id", select=None, limit=COMPANIES_PAGE):
        rows.extend(page)
    return rows


def list_companies(address: str, number: int) -> int:
    return len(every_company(address))


def list_and_read(address: str, number: int) -> int:
    return have_values(every_company(address))


def iterate(address: str, number: int) -> int:
    pages = connected(address).company.get_list(sort="_id", select=None, limit=COMPANIES_PAGE)
    return sum(1 for page in pages for row in page if row["name"])


def count_endusers(address: str, number: int) -> int:
    pages = connected(address).enduser.get_list(sort="_id", select="_id", limit=ENDUSERS_PAGE)
    return sum(len(page) for page in pages)


def get_one_by_one(address: str, number: int) -> int:
    planhat = connected(address)
    found = [planhat.company.get_by_id(f"extid-{key}") for key in external_ids(number)]
    return len([row for row in found if row["name"]])


def endusers_of(address: str, number: int) -> int:
    planhat = connected(address)
    people: list[dict[str, Any]] = []
    for ids in portions(company_ids(number)):
        for page in planhat.enduser.get_list(sort="_id", select=None, limit=ENDUSERS_PAGE, companyId=ids):
            people.extend(page)
    return len([person for person in people if person["name"]])
