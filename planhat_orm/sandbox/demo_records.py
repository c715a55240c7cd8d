"""The rest of the demo data: the work, the money and the voices of a small vendor's customers.

Made of the companies, people and users that ``demo`` made before, from the dice that it hands over; dates count from
its day. All values are made up. It does not promise to stay the same from one release to the next.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from planhat_orm.models import (
    NPS,
    Asset,
    Campaign,
    Churn,
    CustomField,
    Deal,
    Invoice,
    Issue,
    LineItem,
    Objective,
    Opportunity,
    Product,
    Project,
    Sale,
    Task,
    Ticket,
    TimeEntry,
    Timesheet,
    Workspace,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox.box import Sandbox
    from planhat_orm.sandbox.store import Row

    #: A model, and what one record of it holds, in Planhat's names.
    Made = Iterator[tuple[type[Model], dict[str, Any]]]

PRODUCTS = (("Platform", 500), ("Analytics", 150), ("Support Plus", 90))
ACTIONS = ("Send renewal quote", "Prepare the review", "Book the training", "Check open tickets", "Ask for a reference")
TICKETS = ("Cannot log in", "Export drops a column", "Report is slow", "Wrong time zone", "How do I add people?")
ISSUES = ("Single sign-on for partners", "Faster export", "Dark mode", "Audit log", "More roles", "Undo in imports")
COMMENTS = ("Saves us hours every week", "Good, but the export is slow", "Too many clicks", "Our team loves it")
REASONS = ("Budget", "Missing feature", "Merged with another company", "Moved to a competitor")


def load_records(box: Sandbox, dice: random.Random, today: date, people: list[Row], users: list[Row]) -> None:
    """Add the records of every object that ``load_demo`` does not make itself.

    :param people: endusers, from whose companies the records are.
    :param users: team members, who own them.
    """
    maker = _Maker(box, dice, today, people, users)
    for made in (maker.fields(), maker.work(), maker.money(), maker.voices(), maker.plans(), maker.deals()):
        for model, values in made:
            box.add(model, **values)
    maker.hours()


class _Maker:
    """Makes the values of records, a seam of Planhat's at a time."""

    def __init__(self, box: Sandbox, dice: random.Random, today: date, people: list[Row], users: list[Row]) -> None:
        self._box = box
        self._dice = dice
        self._today = today
        self._people = people
        self._users = [user for user in users if not user.get("inactive")]

    def _person(self) -> Row:
        return self._dice.choice(self._people)

    def _company(self) -> str:
        return str(self._person()["companyId"])

    def _user(self) -> str:
        return str(self._dice.choice(self._users)["_id"])

    def _day(self, first: int, last: int) -> date:
        """A day so many days from today; the past is negative."""
        return self._today + timedelta(days=self._dice.randrange(first, last))

    def _moment(self, first: int, last: int) -> datetime:
        minutes = self._dice.randrange(8 * 60, 17 * 60)
        return datetime.combine(self._day(first, last), datetime.min.time(), UTC) + timedelta(minutes=minutes)

    def fields(self) -> Made:
        """The definitions of the custom fields that the demo data uses."""
        for parent, name, type_, options in (
            ("company", "Tier", "list", ["Bronze", "Silver", "Gold", "Platinum"]),
            ("company", "Days in Phase", "number", []),
            ("enduser", "Role", "list", ["User", "Champion", "Decision maker"]),
            ("task", "Priority", "list", ["P1", "P2", "P3"]),
        ):
            yield CustomField, {"parent": parent, "name": name, "type": type_, "listValues": options}

    def work(self) -> Made:
        """Tasks, a part of them done and archived, and tickets."""
        for number in range(60):
            due, action = self._moment(-30, 60), self._dice.choice(ACTIONS)
            values: dict[str, Any] = {
                "companyId": self._company(),
                "action": action,
                "ownerId": self._user(),
                "status": "To Do",
                "endTime": due,
                "description": f"<p>{action}.</p>",
                "custom": {"Priority": self._dice.choice(("P1", "P2", "P3"))},
            }
            if number % 4 == 0:
                values |= {"status": "Done", "isArchived": True, "dateDone": self._moment(-60, 0)}
            yield Task, values
        for number in range(40):
            person, moment = self._person(), self._moment(-200, 0)
            yield (
                Ticket,
                {
                    "companyId": person["companyId"],
                    "externalId": str(90800 + number),
                    "email": person["email"],
                    "subject": (subject := self._dice.choice(TICKETS)),
                    "description": f"<p>{subject}. Please help.</p>",
                    "status": self._dice.choice(("open", "pending", "closed", "closed")),
                    "source": "freshdesk",
                    "date": moment,
                    "createDate": moment,
                },
            )

    def money(self) -> Made:
        """Invoices, sales, opportunities, and what was lost."""
        for _ in range(80):
            invoiced = self._day(-360, 0)
            paid = self._dice.random() < 0.7
            amount = self._dice.randrange(100, 5000, 50)
            line = {"product": "Platform", "amount": amount, "dateFrom": (invoiced - date(1970, 1, 1)).days}
            yield (
                Invoice,
                {
                    "cId": self._company(),
                    "currency": "EUR",
                    "invoiceDate": invoiced,
                    "dueDate": invoiced + timedelta(days=30),
                    "amountTotal": amount,
                    "status": "paid" if paid else "overdue" if invoiced < self._day(-31, -30) else "pending",
                    "paidDate": invoiced + timedelta(days=20) if paid else None,
                    "lineItems": [line],
                },
            )
        for _ in range(25):
            day, value = self._day(-400, 0), self._dice.randrange(200, 3000, 100)
            sale = {"companyId": self._company(), "_currency": "EUR", "salesDate": day, "value": value}
            yield Sale, {**sale, "product": "Workshop"}
        for _ in range(30):
            status = self._dice.choice(("active", "active", "won", "lost"))
            opportunity = {
                "companyId": self._company(),
                "title": "Expansion",
                "status": status,
                "ownerId": self._user(),
            }
            amounts = {"mrr": self._dice.randrange(50, 900, 10), "_currency": "EUR", "salesStage": "Proposal"}
            yield Opportunity, {**opportunity, **amounts, "dealDate": self._day(-90, 120)}
        for _ in range(20):
            churn = {"companyId": self._company(), "value": self._dice.randrange(500, 9000, 100), "currency": "EUR"}
            more = {"churnDate": self._day(-300, 0), "reasons": [self._dice.choice(REASONS)], "products": ["Platform"]}
            yield Churn, {**churn, **more, "onlyDowngrade": self._dice.random() < 0.3}

    def voices(self) -> Made:
        """Answers to surveys, some of them older than lists show, and issues of several companies."""
        for _ in range(90):
            score = self._dice.choice((3, 6, 7, 8, 8, 9, 9, 10, 10))
            person, answered = self._person(), self._moment(-700, 0)
            answer = {"email": person["email"], "cId": person["companyId"], "score": score}
            more = {"dateAnswered": answered, "dateSent": answered - timedelta(days=1), "source": "Planhat"}
            yield NPS, {**answer, **more, "comment": self._dice.choice(COMMENTS)}
        for number, title in enumerate(ISSUES):
            people = [self._person() for _ in range(3)]
            links = {"companyIds": list(dict.fromkeys(one["companyId"] for one in people))}
            links["enduserIds"] = list(dict.fromkeys(one["_id"] for one in people))
            yield Issue, {"title": title, "status": "Open", "sourceId": f"DEV-{100 + number}", **links}

    def plans(self) -> Made:
        """Projects, assets, workspaces, campaigns and objectives."""
        for number in range(25):
            start = self._day(-200, 60)
            dates = {"startDate": start, "endDate": start + timedelta(days=90), "currency": "EUR"}
            yield Project, {"companyId": self._company(), "name": "Roll-out", "externalId": f"prj-{number}", **dates}
            asset = {"companyId": self._company(), "name": f"Instance {number}", "externalId": f"cluster-{number}"}
            yield Asset, {**asset, "status": "Active", "ownerId": self._user(), "installDate": start}
        for name in ("Finance", "Research", "Logistics"):
            yield Workspace, {"companyId": self._company(), "name": name}
        for _ in range(10):
            campaign = {"companyId": self._company(), "name": "Adoption push", "campaignPurpose": "Raise usage"}
            yield Campaign, campaign
            objective = {"companyId": self._company(), "name": "Reach 80% adoption"}
            yield Objective, {**objective, "health": self._dice.randrange(1, 6)}

    def deals(self) -> Made:
        """The products, and a few deals with their line items."""
        products = [
            self._box.add(Product, name=name, mrr=mrr, currency="EUR", length=12, externalId=f"sku-{number}")
            for number, (name, mrr) in enumerate(PRODUCTS, 1)
        ]
        for number in range(8):
            stage = self._dice.choice(("Negotiation", "Closed Won", "Closed Lost"))
            deal = self._box.add(
                Deal,
                companyId=self._company(),
                name=f"Renewal {number}",
                stage=stage,
                ownerId=self._user(),
                currency="EUR",
            )
            start = self._day(-100, 100)
            for product in self._dice.sample(products, 2):
                item = {"dealId": deal["_id"], "companyId": deal["companyId"], "productId": product["_id"]}
                item |= {"fromDate": start, "toDate": start + timedelta(days=365), "mrr": product["mrr"]}
                yield LineItem, {**item, "productType": "subscription", "fixedPeriod": True}

    def hours(self) -> None:
        """A week of time entries for some users, each handed in on a timesheet."""
        monday = self._today - timedelta(days=self._today.weekday() + 7)
        for user in self._users[:4]:
            entries = [
                self._box.add(
                    TimeEntry,
                    companyId=self._company(),
                    date=monday + timedelta(days=weekday),
                    hours=self._dice.choice((4, 6.5, 8)),
                    description="Onboarding",
                    assignedId=user["_id"],
                )["_id"]
                for weekday in range(5)
            ]
            period = {"dateFrom": monday, "dateTo": monday + timedelta(days=7)}
            self._box.add(Timesheet, assignedId=user["_id"], timeEntries=entries, **period)
