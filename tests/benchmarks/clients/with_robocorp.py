"""robocorp-planhat: https://pypi.org/project/robocorp-planhat/

Its address is a constant; the host of its session is set instead. It hands out whole lists only.
"""

from __future__ import annotations

from typing import Any

from clients.shared import TOKEN, company_ids, external_ids
from planhat import Planhat, types


def connected(address: str, *, use_caching: bool = True) -> Any:
    client = Planhat(api_key=TOKEN, use_caching=use_caching)
    client.session._api_host = address
    return client


def list_companies(address: str, number: int) -> int:
    return len(connected(address).get_objects(types.Company))


def list_and_read(address: str, number: int) -> int:
    companies = connected(address).get_objects(types.Company)
    return sum(1 for one in companies if one.name and one.external_id and one["arr"] is not None)


def iterate(address: str, number: int) -> int:
    return sum(1 for company in connected(address).get_objects(types.Company) if company.name)


def count_endusers(address: str, number: int) -> int:
    return len(connected(address).get_objects(types.Enduser, properties=["_id"]))


# With its cache, which is on by default, the first get reads every company, and the first list of some companies'
# endusers every enduser.


def get_one_by_one(address: str, number: int) -> int:
    client, kind = connected(address, use_caching=False), types.PlanhatIdType.EXTERNAL_ID
    found = [client.get_object_by_id(types.Company, key, kind) for key in external_ids(number)]
    return len([company for company in found if company.name])


def endusers_of(address: str, number: int) -> int:
    people = connected(address, use_caching=False).get_objects(types.Enduser, company_ids=company_ids(number))
    return len([person for person in people if person["name"]])
