"""planhat_orm, without a quota."""

from __future__ import annotations

from clients.shared import TOKEN, company_ids, external_ids

from planhat_orm import Session
from planhat_orm.models import Company, Enduser


def session(address: str) -> Session:
    return Session(token=TOKEN, base_url=address, quota=None)


def list_companies(address: str, number: int) -> int:
    with session(address):
        return len(list(Company.objects.all()))


def list_and_read(address: str, number: int) -> int:
    with session(address):
        companies = list(Company.objects.all())
        return sum(1 for one in companies if one.name and one.external_id and one.arr is not None)


def iterate(address: str, number: int) -> int:
    with session(address):
        return sum(1 for company in Company.objects.iterator() if company.name)


def count_endusers(address: str, number: int) -> int:
    with session(address):
        return Enduser.objects.count()


def get_one_by_one(address: str, number: int) -> int:
    with session(address):
        found = [Company.objects.get(external_id=key) for key in external_ids(number)]
        return len([company for company in found if company.name])


def get_at_once(address: str, number: int) -> int:
    with session(address):
        found = list(Company.objects.filter(external_id__in=external_ids(number)))
        return len([company for company in found if company.name])


def endusers_of(address: str, number: int) -> int:
    with session(address):
        people = list(Enduser.objects.filter(company_id__in=company_ids(number)))
        return len([person for person in people if person.name])


def changed_since_yesterday(address: str, number: int) -> int:
    from datetime import UTC, datetime, timedelta

    with session(address):
        return len(list(Company.objects.changed_since(datetime.now(UTC) - timedelta(days=1))))
