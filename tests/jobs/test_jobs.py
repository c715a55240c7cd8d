"""Everyday jobs at 50,000 companies and 500,000 endusers: the right rows, in as few requests as were told beforehand.

One test a job; ``pytest tests/jobs -rP`` prints what each was told to cost. What is right is taken from the tenant's
own data. ``explain()`` and ``cost()`` are asked first, may send nothing, and are held to what the sandbox then counts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tenant import CHANGED, COMPANIES, ENDUSERS, NOW, OPEN_TASKS, YESTERDAY

from planhat_orm import Q
from planhat_orm.models import Company, Enduser, License, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenant import Row, Tenant

#: The end of what has none.
PAST = "1970-01-01"

pytestmark = pytest.mark.usefixtures("session")


@contextmanager
def as_told(tenant: Tenant, queryset: Any, *, requests: int, besides: int = 0) -> Iterator[None]:
    """Expect so many requests, and ``besides`` for what is followed afterwards, as the queryset says beforehand."""
    with tenant.box.assert_requests(0):
        cost, said = queryset.cost(), queryset.explain()
    assert ageless(said) == ageless(str(cost))
    print(f"{said}\n  came: {requests}{f', {besides} of them for links' if besides else ''}")
    with tenant.box.assert_requests(requests):
        yield
    sent = requests - besides
    if cost.requests is not None:
        assert cost.requests == sent, said
    if cost.expected is not None:
        assert cost.expected == sent, said
    assert cost.least <= sent, said
    assert cost.most is None or sent <= cost.most, said


def ageless(text: str) -> str:
    """Leave out how many seconds ago something was, since another may begin between two looks at the clock."""
    return re.sub(r"\d+ s(econds)? ago", "... ago", text)


def ids(records: Any) -> list[str]:
    return [record["_id"] if isinstance(record, dict) else record.id for record in records]


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def where(rows: list[Row], **values: Any) -> list[Row]:
    return [row for row in rows if all(row.get(key) == value for key, value in values.items())]


def test_a_company_by_name(big: Tenant) -> None:
    [wanted] = where(big.companies, name="Company 41877")
    with as_told(big, Company.objects.filter(name="Company 41877"), requests=2):
        company = Company.objects.get(name="Company 41877")
        assert (company.id, company.status) == (wanted["_id"], wanted["status"])
    assert [request.path for request in big.box.requests] == ["/leancompanies", "/companies"]


def test_a_company_of_a_name_that_there_is_not(big: Tenant) -> None:
    with big.box.assert_requests(1), pytest.raises(Company.DoesNotExist):
        Company.objects.get(name="Company")


def test_companies_by_domain(big: Tenant) -> None:
    wanted = [row for row in big.companies if "549.example" in row["domains"]]
    assert len(wanted) == 2
    queryset = Company.objects.filter(domains__contains="549.example").only("name")
    with as_told(big, queryset, requests=11):
        assert ids(queryset) == ids(wanted)


def test_a_company_by_external_id_and_again(big: Tenant) -> None:
    [wanted] = where(big.companies, externalId="acct-12345")
    queryset = Company.objects.filter(external_id="acct-12345")
    with as_told(big, queryset, requests=1):
        company = Company.objects.get(external_id="acct-12345")
    with big.box.assert_requests(0):
        assert Company.objects.get(external_id="acct-12345") is company
        assert (company.id, company.arr) == (wanted["_id"], wanted.get("arr"))


def test_the_50_best_customers_by_arr_with_their_owners_emails(big: Tenant) -> None:
    customers = sorted(where(big.companies, status="customer"), key=lambda row: (-row["arr"], row["_id"]))[:50]
    emails = {row["_id"]: row["email"] for row in big.users}
    queryset = Company.objects.filter(status="customer").order_by("-arr")[:50]
    with as_told(big, queryset, requests=2, besides=1):
        found = [(company.id, company.arr, company.owner and company.owner.email) for company in queryset]
    assert found == [(row["_id"], row["arr"], emails[row["owner"]]) for row in customers]


def test_all_endusers_of_200_companies(big: Tenant) -> None:
    companies = [Company.objects.get(id=big.companies[0]["_id"]), *Company.objects.all()[1:200]]
    assert ids(companies) == ids(big.companies[:200])
    wanted = big.people_of(set(range(200)))
    queryset = Enduser.objects.filter(company__in=companies)
    with as_told(big, queryset, requests=3):
        found = {person.id: person.email for person in queryset}
    assert found == {row["_id"]: row["email"] for row in wanted}
    assert len(queryset) == len(wanted) > 1_500


def test_the_endusers_of_one_company_by_its_external_id(big: Tenant) -> None:
    wanted = big.people_of({12_346})
    queryset = Enduser.objects.filter(company__external_id="acct-12346")
    with as_told(big, queryset, requests=2):
        assert ids(queryset) == ids(wanted)
    assert wanted


def test_companies_changed_since_yesterday(big: Tenant) -> None:
    wanted = [big.companies[number] for number in sorted(CHANGED)]
    assert len(wanted) == 40
    queryset = Company.objects.changed_since(YESTERDAY)
    with as_told(big, queryset, requests=1):
        assert ids(queryset) == ids(wanted)
    newest = max(row["updatedAt"] for row in wanted)
    assert YESTERDAY < queryset.bookmark < NOW
    assert f"{queryset.bookmark:%Y-%m-%dT%H:%M:%S}" < newest


def test_nothing_that_changed_after_a_bookmark_was_taken_is_missed(big: Tenant) -> None:
    """The next run begins where the last one's bookmark says: it sees the new change, and some rows again."""
    first = Company.objects.changed_since(YESTERDAY)
    seen = {company.id: company.updated_at for company in first}
    before = big.companies[4_321]
    assert before["_id"] not in seen
    big.box.change(Company, before["_id"], phase="At risk", updated_at="2026-03-02T07:59:59.000Z")
    try:
        second = Company.objects.changed_since(first.bookmark)
        with as_told(big, second, requests=1):
            found = set(ids(second))
    finally:
        big.box.change(Company, before["_id"], phase=before["phase"], updated_at=before["updatedAt"])
    assert before["_id"] in found
    assert found - {before["_id"]} <= set(seen)


def test_counting_half_a_million_endusers(big: Tenant) -> None:
    assert Enduser.objects.count() == ENDUSERS
    assert len(big.box.requests) <= 18
    # What was counted tells what reading would cost: every page but the first starts one row early.
    cost = Enduser.objects.all().cost()
    assert cost.rows == ENDUSERS
    assert cost.expected == 1 + ENDUSERS // 1_999


def test_counting_companies(big: Tenant) -> None:
    with big.box.assert_requests(1):
        assert Company.objects.count() == COMPANIES


def test_counting_companies_of_a_status(big: Tenant) -> None:
    """The index takes a status and does not show it, so its first use in a session is checked on a sample."""
    with big.box.assert_requests(2):
        assert Company.objects.filter(status="customer").count() == len(where(big.companies, status="customer"))
    with big.box.assert_requests(1):
        assert Company.objects.filter(status="lost").count() == len(where(big.companies, status="lost"))


def test_whether_any_prospect_exists(big: Tenant) -> None:
    with big.box.assert_requests(1):
        assert Company.objects.filter(status="prospect").exists()


def test_open_tasks_per_owner(big: Tenant) -> None:
    emails = {row["_id"]: row["email"] for row in big.users}
    wanted = Counter(emails.get(row.get("ownerId", "")) for row in big.tasks if not row["isArchived"])
    queryset = Task.objects.filter(is_archived=False)
    with as_told(big, queryset.values_list("owner.email", flat=True), requests=2):
        found = Counter(queryset.values_list("owner.email", flat=True))
    assert found == wanted
    assert found.total() == OPEN_TASKS
    assert found[None] > 100


def test_licences_renewing_in_30_days_with_company_and_owner_email(big: Tenant) -> None:
    first, last = NOW.date(), NOW.date() + timedelta(days=30)
    ending = [row for row in big.licenses if first <= day(row.get("toDate", PAST)) <= last]
    names = {row["_id"]: row["name"] for row in big.companies}
    owners = {row["_id"]: row.get("owner") for row in big.companies}
    emails = {row["_id"]: row["email"] for row in big.users}
    wanted = [
        (day(row["toDate"]), names[row["companyId"]], emails.get(owners[row["companyId"]] or "")) for row in ending
    ]
    queryset = License.objects.filter(renewal_date__range=(first, last))
    outputs = queryset.values_list("renewal_date", "company.name", "company.owner.email")
    # 17 pages of licences, 11 of companies (the index tells how many), and the users.
    with as_told(big, outputs, requests=29):
        found = list(outputs)
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert len(wanted) > 1_500


def test_licences_with_their_companies_and_owners_as_live_objects(big: Tenant) -> None:
    first, last = NOW.date(), NOW.date() + timedelta(days=30)
    wanted = {row["_id"]: row["companyId"] for row in big.licenses if first <= day(row.get("toDate", PAST)) <= last}
    queryset = License.objects.filter(renewal_date__range=(first, last)).select_related("company.owner")
    with as_told(big, queryset, requests=29):
        found = list(queryset)
    with big.box.assert_requests(0):
        assert {licence.id: licence.company and licence.company.id for licence in found} == wanted
        assert any(licence.company and licence.company.owner and licence.company.owner.email for licence in found)


def test_companies_without_an_owner(big: Tenant) -> None:
    wanted = [row for row in big.companies if "owner" not in row]
    queryset = Company.objects.filter(owner__isnull=True).only("name")
    with as_told(big, queryset, requests=11):
        assert ids(queryset) == ids(wanted)
    assert len(wanted) > 1_000


def test_the_first_10_that_match_a_filter_of_ours(big: Tenant) -> None:
    gold = [row for row in big.companies if row["custom"]["Tier"] == "Gold" and row["custom"]["Seats"] >= 300]
    queryset = Company.objects.filter(Q("custom.Seats", gte=300), custom__Tier="Gold")[:10]
    with as_told(big, queryset, requests=1):
        assert ids(queryset) == ids(gold[:10])


def test_stopping_a_loop_early(big: Tenant) -> None:
    seen = []
    with big.box.assert_requests(1):
        for company in Company.objects.filter(phase="Renewal").iterator():
            seen.append(company.id)
            if len(seen) == 10:
                break
    assert seen == ids(where(big.companies, phase="Renewal")[:10])


def test_300_companies_by_external_id(big: Tenant) -> None:
    """The index tells their ids, and those of about seventy companies go into one URL."""
    chosen = [row for row in big.companies[::163] if "externalId" in row][:300]
    keys = [row["externalId"] for row in chosen]
    queryset = Company.objects.filter(external_id__in=keys).only("external_id", "status")
    with as_told(big, queryset, requests=6):
        found = {company.external_id: (company.id, company.status) for company in queryset}
    assert found == {row["externalId"]: (row["_id"], row["status"]) for row in chosen}
    assert len(found) == 300


def test_300_companies_by_external_id_with_all_their_fields(big: Tenant) -> None:
    """Naming all fields of a company takes room in the URL, which leaves it for 47 ids."""
    chosen = [row for row in big.companies[::163] if "externalId" in row][:300]
    keys = [*(row["externalId"] for row in chosen), "acct-nobody"]
    with big.box.assert_requests(8):
        found = Company.objects.in_bulk(keys, field_name="external_id")
    assert {key: company.id for key, company in found.items()} == {row["externalId"]: row["_id"] for row in chosen}


def test_companies_that_share_a_domain(big: Tenant) -> None:
    wanted = defaultdict(list)
    for row in big.companies:
        domains = row["domains"].split(",") if isinstance(row["domains"], str) else row["domains"]
        for domain in domains:
            wanted[domain].append(row["name"])
    wanted = {domain: names for domain, names in wanted.items() if len(names) > 1}
    queryset = Company.objects.values_list("name", "domains")
    by_domain = defaultdict(list)
    with as_told(big, queryset, requests=11):
        for name, domains in queryset:
            for domain in domains:
                by_domain[domain].append(name)
    assert {domain: names for domain, names in by_domain.items() if len(names) > 1} == wanted
    assert len(wanted) > 150


@pytest.mark.parametrize(
    ("queryset", "requests"),
    [
        (lambda: Company.objects.filter(domains__contains="549.example").only("name"), 11),
        (lambda: Company.objects.filter(owner__isnull=True).only("name"), 11),
        (lambda: Company.objects.values_list("name", "domains"), 11),
        (lambda: Company.objects.filter(external_id__in=[f"acct-{1 + 101 * n}" for n in range(300)]).only("status"), 5),
        (lambda: License.objects.filter(mrr__gt=80_000), 17),
    ],
    ids=["by domain", "without an owner", "names and domains", "by external id, the index being kept", "licences"],
)
def test_prices_are_numbers_once_the_lists_were_counted(big: Tenant, queryset: Any, requests: int) -> None:
    assert Company.objects.count() == COMPANIES
    assert License.objects.count() == len(big.licenses)
    wanted = queryset()
    assert wanted.cost().expected == requests
    with as_told(big, wanted, requests=requests):
        assert list(wanted)
