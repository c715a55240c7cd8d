"""Demo data: a made-up vendor with 12 people, 500 customers, their contacts, licences and touchpoints, and the rest.

Needs Faker, which comes with ``planhat_orm[sandbox]``. The same seed gives the same data, on every day: dates count
from ``TODAY``. All addresses are on reserved example domains. It does not promise to stay the same from one release
to the next, but for what ``load_demo`` names.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import ConfigurationError
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.sandbox.demo_records import load_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faker import Faker

    from planhat_orm.sandbox.box import Sandbox
    from planhat_orm.sandbox.store import Row

#: The day that the demo data is of.
TODAY = date(2026, 1, 15)
COMPANIES = 500
#: Statuses, how common each is, and the lifecycle phase that goes with it.
STATUSES = (
    ("customer", 62, ("Onboarding", "Adoption", "Growth", "Renewal")),
    ("prospect", 20, ("Evaluation",)),
    ("canceled", 8, ("Offboarding",)),
    ("lost", 6, ("Evaluation",)),
    ("coming", 4, ("Onboarding",)),
)
TIERS = ("Bronze", "Silver", "Gold")
PRODUCTS = ("Platform", "Analytics", "Support Plus")
POSITIONS = ("CEO", "CTO", "Head of Operations", "Product Manager", "Analyst", "Engineer", "Buyer", "Administrator")
SUBJECTS = ("Kick-off", "Quarterly review", "Renewal talk", "Training", "Roadmap questions", "Check-in", "Escalation")

_SLUG = re.compile(r"[^a-z0-9]+")


def load_demo(box: Sandbox) -> None:
    """Fill a sandbox with demo data from its seed.

    By name there are first "Acme" (external id "acme-42", owned by Kim Rivera, kim@vendor.example), with the people
    ada@acme.example and grace@acme.example, one licence "Platform" in EUR and the custom values "Tier": "Silver" and
    "Days in Phase": 12, then "Birch & Co"; a few rows hold the odd values that Planhat is known to send.
    """
    try:
        from faker import Faker
    except ModuleNotFoundError:
        raise ConfigurationError(
            "the demo data needs Faker; in the clone, run: .venv/bin/pip install '.[sandbox]'"
        ) from None
    fake = Faker("en_US")
    fake.seed_instance(box.seed)
    maker = _Demo(fake, random.Random(box.seed))  # noqa: S311 - made-up data, not secrets
    users = [box.add(User, **values) for values in maker.users()]
    box.add_many(Company, maker.companies([user["_id"] for user in users]))
    companies = box.rows(Company)
    box.add_many(Enduser, maker.endusers(companies))
    box.add_many(License, maker.licenses(companies))
    box.add_many(Note, maker.conversations(companies, users))
    people = [person for person in box.rows(Enduser) if person["companyId"] != companies[0]["_id"]]
    load_records(box, random.Random(box.seed), TODAY, people, users)  # noqa: S311 - as above


def opening_time() -> datetime:
    """Return the moment at which the demo data is made."""
    return datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=8)


def slug(name: str) -> str:
    """Return a name as it stands in ids and domains.

    >>> slug("Birch & Co")
    'birch-co'
    """
    return _SLUG.sub("-", name.lower()).strip("-")


def _time(day: date, hour: int = 9, minute: int = 0) -> str:
    return f"{day.isoformat()}T{hour:02d}:{minute:02d}:00.000Z"


class _Demo:
    """Makes the values of records, in Planhat's names where they are the shorter ones."""

    def __init__(self, fake: Faker, dice: random.Random) -> None:
        self._fake = fake
        self._dice = dice

    def _days_ago(self, most: int) -> date:
        return TODAY - timedelta(days=self._dice.randrange(1, most))

    def users(self) -> Iterator[dict[str, Any]]:
        """Twelve team members; Kim Rivera is the first, two are inactive."""
        yield self._user(1, "Kim", "Rivera", "kim@vendor.example")
        for number in range(2, 13):
            first, last = self._fake.first_name(), self._fake.last_name()
            yield self._user(number, first, last, f"{slug(first)}.{slug(last)}@vendor.example")

    def _user(self, number: int, first: str, last: str, email: str) -> dict[str, Any]:
        created = _time(self._days_ago(1200))
        return {
            "email": email,
            "firstName": first,
            "lastName": last,
            "nickName": first,
            "externalId": f"emp-{number}",
            "inactive": number > 10,
            "createDate": created,
            "createdAt": created,
            "updatedAt": created,
        }

    def companies(self, owners: list[str]) -> Iterator[dict[str, Any]]:
        """Acme, Birch & Co, and 498 others whose names sort after theirs."""
        yield {
            **self._company("Acme", "acme-42", "customer", "Adoption", owners[0]),
            "custom": {"Tier": "Silver", "Days in Phase": 12},
            "domains": ["acme.example"],
        }
        yield self._company("Birch & Co", "birch-co-7", "customer", "Growth", owners[1])
        names = {"Acme", "Birch & Co"}
        for number in range(3, COMPANIES + 1):
            name = self._new_name(names)
            [(status, _, phases)] = self._dice.choices(STATUSES, weights=[weight for _, weight, _ in STATUSES])
            values = self._company(
                name, f"{slug(name)}-{number}", status, self._dice.choice(phases), self._dice.choice(owners[:10])
            )
            yield _odd_company(number, values)

    def _new_name(self, names: set[str]) -> str:
        while True:
            name = self._fake.company()
            if name >= "C" and name not in names:
                names.add(name)
                return name

    def _company(self, name: str, key: str, status: str, phase: str, owner: str) -> dict[str, Any]:
        dice, domain = self._dice, f"{key}.example"
        created = self._days_ago(1500)
        changed = created + (TODAY - created) * dice.random()
        values: dict[str, Any] = {
            "name": name,
            "owner": owner,
            "externalId": key,
            "status": status,
            "phase": phase,
            "phaseSince": _time(changed),
            "domains": [domain],
            "country": dice.choice(("Germany", "Norway", "Sweden", "United States", "Spain")),
            "city": self._fake.city(),
            "web": f"https://www.{domain}",
            "tags": dice.sample(("emea", "partner", "reference", "self-service"), dice.randrange(3)),
            "createDate": _time(created),
            "updatedAt": _time(changed, dice.randrange(24), dice.randrange(60)),
            "custom": {"Tier": dice.choice(TIERS), "Days in Phase": (TODAY - changed).days},
        }
        values["lastUpdated"] = values["updatedAt"]
        if dice.random() < 0.6:
            values["sourceId"] = f"crm-{dice.getrandbits(40):010x}"
        if status == "customer":
            values |= self._customer(created)
        return values

    def _customer(self, created: date) -> dict[str, Any]:
        dice = self._dice
        mrr = round(50 * 1.06 ** dice.randrange(110))
        renewal = TODAY + timedelta(days=dice.randrange(5, 365))
        return {
            "h": dice.randrange(1, 11),
            "csmScore": dice.randrange(1, 6),
            "mrr": mrr,
            "arr": 12 * mrr,
            "mr": mrr,
            "mrrTotal": mrr * max(1, (TODAY - created).days // 30),
            "customerFrom": _time(created, 0),
            "customerTo": _time(renewal, 0),
            "renewalDate": _time(renewal, 0),
            "renewalDaysFromNow": (renewal - TODAY).days,
            "products": ["Platform"],
            "lastTouch": _time(self._days_ago(90)),
            "lastTouchType": "note",
        }

    def endusers(self, companies: list[Row]) -> Iterator[dict[str, Any]]:
        """About three people a company, a few of them archived."""
        for first, last in (("Ada", "Lindgren"), ("Grace", "Okafor")):
            yield self._enduser(companies[0], first, last, f"{first.lower()}@acme.example")
        for number, company in enumerate(companies[1:], 1):
            domain = f"{company['externalId']}.example"
            for place in range(self._dice.choice((2, 3, 3, 4))):
                first, last = self._fake.first_name(), self._fake.last_name()
                values = self._enduser(company, first, last, f"{slug(first)}.{slug(last)}{place}@{domain}")
                if number % 40 == 0 and place == 1:
                    values["archived"] = True
                if number % 97 == 0:
                    values |= {"featured": "", "beatTrend": -1.75}
                yield values

    def _enduser(self, company: Row, first: str, last: str, email: str) -> dict[str, Any]:
        dice = self._dice
        return {
            "companyId": company["_id"],
            "companyName": company["name"],
            "firstName": first,
            "lastName": last,
            "email": email,
            "externalId": f"user-{dice.getrandbits(32):08x}",
            "position": dice.choice(POSITIONS),
            "primary": dice.random() < 0.3,
            "beats": dice.randrange(100),
            "beatsTotal": round(dice.random() * 1000, 2),
            "lastActive": _time(self._days_ago(120)),
            "createDate": _time(self._days_ago(900)),
            "updatedAt": _time(self._days_ago(200), dice.randrange(24), dice.randrange(60)),
            "custom": {"Role": dice.choice(("User", "Champion", "Decision maker"))},
        }

    def licenses(self, companies: list[Row]) -> Iterator[dict[str, Any]]:
        """One licence "Platform" for each customer, past ones for those who left, an add-on for some."""
        for number, company in enumerate(companies):
            if company["status"] == "customer":
                yield self._license(
                    company, "Platform", company["mrr"], date.fromisoformat(company["renewalDate"][:10])
                )
                if number % 3 == 2:
                    mrr = self._dice.randrange(20, 200)
                    yield self._license(company, self._dice.choice(PRODUCTS[1:]), mrr, None)
            elif company["status"] == "canceled":
                end = self._days_ago(300)
                yield {**self._license(company, "Platform", 150, end), "renewalStatus": "lost"}

    def _license(self, company: Row, product: str, mrr: float, end: date | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            "companyId": company["_id"],
            "companyName": company["name"],
            "product": product,
            "_currency": "EUR"
            if company["externalId"] == "acme-42"
            else self._dice.choice(("EUR", "EUR", "USD", "GBP")),
            "externalId": f"lic-{self._dice.getrandbits(32):08x}",
            "fixedPeriod": end is not None,
            "mrr": mrr,
        }
        if end is None:
            return {**values, "fromDate": _time(self._days_ago(700), 0)}
        start = end.replace(year=end.year - 1, day=min(end.day, 28))
        return {
            **values,
            "fromDate": _time(start, 0),
            "toDate": _time(end, 0),
            "renewalDaysFromNow": (end - TODAY).days,
            "autoRenews": self._dice.random() < 0.5,
        }

    def conversations(self, companies: list[Row], users: list[Row]) -> Iterator[dict[str, Any]]:
        """Notes, with some e-mails and calls among them."""
        for number in range(960):
            company = companies[0] if number < 3 else self._dice.choice(companies)
            user = self._dice.choice(users)
            moment = datetime.combine(self._days_ago(400), datetime.min.time(), UTC) + timedelta(minutes=600 + number)
            subject = self._dice.choice(SUBJECTS)
            yield {
                "type": ("email", "call")[number % 2] if number % 6 == 5 else "note",
                "companyId": company["_id"],
                "companyName": company["name"],
                "subject": subject,
                "description": f"<p>{subject} with {company['name'].replace('&', '&amp;')}.</p>",
                "date": moment,
                "createDate": moment + timedelta(minutes=3),
                "users": [{"id": user["_id"], "name": user["nickName"], "isOwner": True}],
            }


def _odd_company(number: int, values: dict[str, Any]) -> dict[str, Any]:
    """Put in what Planhat has been seen to send: texts for lists, "" for booleans, "undefined" in custom values.

    Some that are no customers have no owner.
    """
    if number % 50 == 0:
        values["domains"] = f"{values['domains'][0]},www.{values['domains'][0]}"
    if number % 60 == 0:
        values["custom"] = {**values["custom"], "Tier": "undefined"}
    if number % 70 == 0:
        values["autoRenews"] = ""
    if number % 80 == 0:
        values["nps"] = 8.5
    if number % 90 == 0:
        values["custom"] = {}
    if number % 20 == 5 and values["status"] != "customer":
        del values["owner"]
    return values
