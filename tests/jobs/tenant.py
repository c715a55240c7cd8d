"""A tenant of a size at which a wrong plan hurts: 50,000 companies, 500,000 endusers, and what belongs to them.

Made from formulas and one seed, so that a test can say which rows are right without reading them through the library.
Not a demo: names are numbers, but what tells plans apart is as it is in tenants (companies without owners, keys that
are missing, domains that several companies share, one busy day among two quiet years).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from planhat_orm.models import Company, Enduser, License, Task, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox import Sandbox

Row = dict[str, Any]

COMPANIES, ENDUSERS, OPEN_TASKS, DONE_TASKS = 50_000, 500_000, 3_487, 1_611
#: What time it is there.
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
#: Companies that somebody changed since then; all others were last changed in the two years before.
CHANGED = frozenset(range(613, COMPANIES, 1_249))
STATUSES = {"customer": 52, "prospect": 20, "canceled": 13, "lost": 11, "coming": 4}
PHASES = ("Onboarding", "Adoption", "Growth", "Renewal", "At risk")


@dataclass(slots=True, repr=False)
class Tenant:
    """The sandbox and what was put into it.

    ``companies`` and ``users`` hold the rows as they were given, in the order of their ids; ``home`` says for each
    enduser the number of its company.
    """

    box: Sandbox
    users: list[Row] = field(default_factory=list)
    companies: list[Row] = field(default_factory=list)
    licenses: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    home: list[int] = field(default_factory=list)

    def person(self, number: int) -> Row:
        """Return what was given of an enduser."""
        company = self.companies[self.home[number]]
        row = {
            "_id": id_of(2, number),
            "companyId": company["_id"],
            "companyName": company["name"],
            "firstName": f"First{number % 311}",
            "lastName": f"Last{number}",
            "email": f"person{number}@{self.home[number]}.example",
            "externalId": f"user-{number % 400_000}",
            "position": ("CTO", "Buyer", "Analyst", "Engineer")[number % 4],
            "updatedAt": quiet(number),
        }
        return row | {"archived": True} if number % 37 == 0 else row

    def people_of(self, numbers: set[int]) -> list[Row]:
        """Return what was given of the endusers of companies, by their numbers."""
        return [self.person(number) for number, home in enumerate(self.home) if home in numbers]


def id_of(kind: int, number: int) -> str:
    """Return an id as Planhat makes them: the second of its making first, so that ids ascend in the order of making."""
    return f"{0x64B00000 + number:08x}{kind:010x}{number & 0xFFFFFF:06x}"


def wire(moment: datetime) -> str:
    """Write a time as Planhat does."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def quiet(number: int) -> str:
    """Return a time in the two years before yesterday; ids and times are in different orders."""
    return wire(YESTERDAY - timedelta(seconds=(number * 7_919) % 63_000_000 + 60, milliseconds=number % 1_000))


def busy(number: int) -> str:
    """Return a time of the last day."""
    return wire(YESTERDAY + timedelta(minutes=7 * number % 1_400))


def midnight(day: date) -> str:
    """Write a calendar day as Planhat does."""
    return f"{day}T00:00:00.000Z"


def filled(box: Sandbox) -> Tenant:
    """Put the tenant into an empty sandbox."""
    dice = random.Random(20_260_302)
    tenant = Tenant(box, users=[user(number) for number in range(40)])
    box.add_many(User, tenant.users)
    tenant.companies = list(companies(dice, [row["_id"] for row in tenant.users[:36]]))
    box.add_many(Company, tenant.companies)
    tenant.home = homes(dice)
    box.add_many(Enduser, (tenant.person(number) for number in range(ENDUSERS)))
    tenant.licenses = list(licenses(dice, tenant.companies))
    box.add_many(License, tenant.licenses)
    tenant.tasks = list(tasks(dice, tenant))
    box.add_many(Task, tenant.tasks)
    return tenant


def user(number: int) -> Row:
    """Return a team member; the last four have left and own nothing any more."""
    email = f"csm{number}@vendor.example"
    left = number >= 36
    return {"_id": id_of(1, number), "email": email, "firstName": "Csm", "lastName": str(number), "inactive": left}


def companies(dice: random.Random, owners: list[str]) -> Iterator[Row]:
    """Yield the companies."""
    names, weights = list(STATUSES), list(STATUSES.values())
    for number in range(COMPANIES):
        status = dice.choices(names, weights)[0]
        row: Row = {
            "_id": id_of(0, number),
            "name": f"Company {number}",
            "status": status,
            "phase": dice.choice(PHASES),
            "domains": domains(number),
            "country": dice.choice(("Germany", "Norway", "Sweden", "United States", "Spain")),
            "updatedAt": wire(YESTERDAY + timedelta(minutes=7 * number % 1_400))
            if number in CHANGED
            else quiet(number),
            "custom": {"Tier": dice.choice(("Bronze", "Silver", "Gold")), "Seats": dice.randrange(1, 400)},
        }
        if number % 101:
            row["externalId"] = f"acct-{number}"
        if number % 5 < 3:
            row["sourceId"] = f"crm-{number:06}"
        if status == "customer":
            mrr = dice.randrange(10_000, 9_000_000) / 100
            row |= {"mrr": mrr, "arr": round(12 * mrr, 2), "h": dice.randrange(1, 11)}
        if status == "customer" or dice.random() < 0.9:
            row["owner"] = dice.choice(owners)
        yield row


def domains(number: int) -> list[str] | str:
    """Return a company's domains: mostly its own, sometimes none, two, or that of a parent; once in a while a text."""
    own = f"{number}.example"
    if number % 67 == 5:
        return []
    if number % 250 == 99:
        return [own, f"{number - 50}.example"]  # a subsidiary under the parent's domain, too
    if number % 400 == 7:
        return f"{own},www.{own}"
    return [own, f"mail.{own}"] if number % 9 == 0 else [own]


def homes(dice: random.Random) -> list[int]:
    """Return the company of each enduser: most have a few people, some hundreds, every twentieth nobody."""
    sizes = [0 if number % 20 == 19 else 1 + int(dice.expovariate(0.12)) for number in range(COMPANIES)]
    spread = [number for number, size in enumerate(sizes) for _ in range(size)]
    while len(spread) < ENDUSERS:
        spread.extend([dice.randrange(COMPANIES) // 20 * 20] * 150)
    del spread[ENDUSERS:]
    dice.shuffle(spread)
    return spread


def licenses(dice: random.Random, known: list[Row]) -> Iterator[Row]:
    """Yield a licence for each customer, of which some are open-ended, and past ones of those who left."""
    for number, company in enumerate(known):
        if company["status"] not in ("customer", "canceled"):
            continue
        ends = NOW.date() + timedelta(days=dice.randrange(365))
        if company["status"] == "canceled":
            ends -= timedelta(days=500)
        row = {"_id": id_of(3, number), "companyId": company["_id"], "product": "Platform", "_currency": "EUR"}
        row |= {"mrr": company.get("mrr", 150), "fromDate": midnight(ends - timedelta(days=365))}
        yield row if number % 6 == 1 else row | {"toDate": midnight(ends), "fixedPeriod": True}


def tasks(dice: random.Random, tenant: Tenant) -> Iterator[Row]:
    """Yield the tasks; one in thirty of the open ones is nobody's."""
    for number in range(OPEN_TASKS + DONE_TASKS):
        company = dice.choice(tenant.companies)
        row = {"_id": id_of(4, number), "companyId": company["_id"], "companyName": company["name"], "mainType": "task"}
        row |= {"action": f"Task {number}", "isArchived": number >= OPEN_TASKS, "updatedAt": quiet(number)}
        yield row if number % 30 == 7 else row | {"ownerId": tenant.users[dice.randrange(36)]["_id"]}
