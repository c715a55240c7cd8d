"""What users see: the types of fields, links, managers and querysets. Checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Self, assert_type

from planhat_orm import Q, Session, connect
from planhat_orm.analytics import Activity, Metric
from planhat_orm.models import Company, Enduser, Issue, License, Note, User
from planhat_orm.orm import fields
from planhat_orm.orm.costs import Cost
from planhat_orm.orm.custom import CustomValues
from planhat_orm.orm.manager import Manager
from planhat_orm.orm.outputs import Values
from planhat_orm.orm.queryset import QuerySet
from planhat_orm.orm.relations import Ref, References
from planhat_orm.paging import ScanReport
from planhat_orm.session.changes import Ledger, Outcome


class AccountQuerySet(QuerySet["Account"]):
    """Accounts, with a method of their own."""

    def growing(self) -> Self:
        """Those that grow."""
        return self.filter(phase="Growth")


class Account(Company):
    """A company with a tenant's own fields."""

    objects = AccountQuerySet.as_manager()

    tier: fields.Custom[str] = fields.Custom("Tier", str)
    seats: fields.Custom[int] = fields.Custom("Seats", int)
    renewal: fields.Custom[date] = fields.Custom("Renewal", date, as_days=True)
    regions: fields.Custom[list[str]] = fields.Custom("Regions", list)


def reading(company: Company, enduser: Enduser, user: User, licence: License, note: Note) -> None:
    """Fields are Optional on reading, since Planhat may hold no value; lists and mappings never are."""
    assert_type(company.id, str | None)
    assert_type(company.pk, str | None)
    assert_type(company.name, str | None)
    assert_type(company.status, str | None)
    assert_type(company.health, float | None)
    assert_type(company.csm_score, int | None)
    assert_type(company.auto_renews, bool | None)
    assert_type(company.customer_from, date | None)
    assert_type(company.updated_at, datetime | None)
    assert_type(company.tags, list[str])
    assert_type(company.alerts, list[Any])
    assert_type(company.usage, dict[str, Any])
    assert_type(company.custom, CustomValues)
    assert_type(company.owner, User | None)
    assert_type(company.owner_id, str | None)
    assert_type(company.root, Company | None)
    assert_type(company.followers, References[User])
    assert_type(company.followers.ids, list[str])
    assert_type(list(company.followers), list[User])
    assert_type(note.endusers, References[Enduser])
    assert_type(user.name, str)
    assert_type(user.roles, list[str])
    assert_type(user.last_daily_digest, date | None)
    assert_type(licence.parent, License | None)
    assert_type(enduser.company, Company | None)
    assert_type(company.custom["Tier"], Any)


def reaching(company: Company, user: User) -> None:
    """Managers and querysets know their model."""
    assert_type(Company.objects, QuerySet[Company])
    assert_type(company.endusers, Manager[Enduser])
    assert_type(company.licenses, Manager[License])
    assert_type(company.notes, Manager[Note])
    assert_type(user.companies, Manager[Company])
    assert_type(Company.objects.get(external_id="acme-42"), Company)
    assert_type(Company.objects.create(name="Acme"), Company)
    assert_type(Company.objects.first(), Company | None)
    assert_type(company.endusers.filter(primary=True)[0], Enduser)
    assert_type(list(company.endusers.all()), list[Enduser])
    assert_type([one.email for one in company.endusers], list[str | None])
    assert_type(list(Company.objects.values("name", "owner.email")), list[dict[str, Any]])
    assert_type(Company.objects.count(), int)
    assert_type(Company.objects.get_or_create(name="Acme"), tuple[Company, bool])
    assert_type(Company.objects.in_bulk(["a"], field_name="external_id"), dict[str, Company])
    queryset = Company.objects.filter(status="customer").exclude(name="Acme").order_by("-arr")[:50]
    assert_type(queryset, QuerySet[Company])
    assert_type(queryset[0], Company)
    assert_type(queryset[:5], QuerySet[Company])
    assert_type(len(queryset), int)
    assert_type(bool(queryset), bool)


def chaining() -> None:
    """Whatever gives another queryset gives one of the same kind."""
    assert_type(Company.objects.all().none().reverse(), QuerySet[Company])
    assert_type(Company.objects.params(status="customer").only("name").defer("custom"), QuerySet[Company])
    assert_type(Company.objects.on_missing("raise").filter(Q(arr__gte=5) | ~Q(name="Acme")), QuerySet[Company])
    assert_type(Company.objects.prefetch_related("endusers").select_related("owner", None), QuerySet[Company])
    assert_type(Company.objects.parallel(4).changed_since("2025-01-01").using(Session()), QuerySet[Company])
    assert_type(Company.objects.changed_since(date(2025, 1, 1)).bookmark, datetime | None)
    assert_type(Account.objects.parallel(4).changed_since("2025-01-01"), AccountQuerySet)
    assert_type(Account.objects, AccountQuerySet)
    assert_type(Account.objects.growing().order_by("name")[:5].only("name"), AccountQuerySet)
    assert_type(Account.objects.exclude(name="Acme").growing()[0].tier, str | None)
    assert_type(Q(name="Acme") & ~Q(arr=5) | Q("custom.Days in Phase", gte=5), Q)


def taking(company: Company) -> None:
    """What is taken out of a queryset."""
    companies = Company.objects.filter(status="customer")
    assert_type(companies.last(), Company | None)
    assert_type(companies.model, type[Company])
    assert_type(companies.get_or_none(external_id="acme-42"), Company | None)
    assert_type(companies.get(Q(name="Acme"), fresh=True), Company)
    assert_type(companies.exists(), bool)
    assert_type(companies.contains(company), bool)
    assert_type(companies.to_dicts({"Owner": "owner.email"}), list[dict[str, Any]])
    assert_type(companies.explain(), str)
    assert_type(companies.cost(), Cost)
    assert_type(companies.cost().requests, int | None)
    assert_type(companies.values("name", "owner.email").cost(), Cost)
    companies.show(5)
    companies.values("name").show()
    assert_type(companies.bulk_upsert([company, {"name": "Acme"}], on_error="collect"), Ledger)
    assert_type(companies.values("name").first(), dict[str, Any] | None)
    assert_type(companies.values("name").exists(), bool)
    assert_type(companies.values("name").last(), dict[str, Any] | None)
    assert_type(companies.scan_report, ScanReport | None)
    assert_type(companies.lean(), list[Company])
    assert_type([one.name for one in companies.iterator()], list[str | None])
    for chunk in companies.chunks(500):
        assert_type(chunk, list[Company])
    assert_type(company.endusers.chunks(100), Iterator[list[Enduser]])
    assert_type(companies.values("name")[0], dict[str, Any])
    assert_type(companies.values("name").chunks(5), Iterator[list[dict[str, Any]]])
    assert_type(companies.values_list("name")[:5], Values[tuple[Any, ...]])
    assert_type(list(companies.values_list("name", "owner.email")), list[tuple[Any, ...]])
    assert_type(companies.values_list("name", flat=True), Values[Any])


def writing(company: Company, user: User, enduser: Enduser) -> None:
    """None clears every field; links take objects, references and None."""
    made = Company(name="Acme", owner=user, tags=["new"], custom={"Tier": "Gold"}, customer_from=date(2025, 1, 1))
    assert_type(made, Company)
    company.name = "Acme"
    company.name = None
    company.owner = user
    company.owner = None
    company.owner_id = "64b0f1a2c3d4e5f60718293a"
    company.csm_score = 4
    company.nps = 8.5
    company.nps = 8
    company.tags = ["a", "b"]
    company.tags.append("c")
    company.customer_to = date(2026, 1, 1)
    company.followers = [user, "64b0f1a2c3d4e5f60718293a"]
    company.followers.add(user)
    company.custom["Tier"] = "Gold"
    company.custom = {"Tier": "Gold"}
    enduser.company = Company.ref(external_id="acme-42")
    assert_type(Company.ref(external_id="acme-42"), Ref[Company])
    issue = Issue(title="Slow", companies=[Company.ref(external_id="acme-42"), company, "64b0f1a2c3d4e5f60718293a"])
    issue.companies = [Company.ref(source_id="crm-1"), company]
    issue.companies.add(Company.ref(external_id="acme-42"), company)
    issue.companies.remove(Company.ref(external_id="acme-42"))
    assert_type(issue.companies, References[Company])
    assert_type(company.issues, Manager[Issue])
    note = Note(company=company, users=[{"id": "64b0f1a2c3d4e5f60718293a", "isOwner": True}])
    note.date = datetime.now().astimezone()
    assert_type(company.save(), Outcome)
    assert_type(company.save(force=True), Outcome)
    assert_type(company.delete(), Outcome)
    assert_type(company.changes(), dict[str, tuple[Any, Any]])
    assert_type(company.to_dict(), dict[str, Any])


def tenants_own(account: Account) -> None:
    """Declared custom fields have their type."""
    assert_type(account.tier, str | None)
    assert_type(account.seats, int | None)
    assert_type(account.renewal, date | None)
    assert_type(account.regions, list[str] | None)
    assert_type(account.name, str | None)
    assert_type(Account.objects.get(external_id="acme-42"), Account)
    assert_type([one.tier for one in Account.objects.all()], list[str | None])
    account.tier = "Gold"
    account.seats = None
    Account(name="Acme", tier="Gold", renewal=date(2025, 1, 1))


def on_the_class() -> None:
    """On the class a field is its description."""
    assert_type(Company.name, fields.Text)
    assert_type(Company.name.data_key, str)
    assert_type(Account.tier, fields.Custom[str])


def sessions() -> None:
    """Sessions are context managers."""
    session = connect(token="not-a-real-token")
    assert_type(session, Session)
    with Session(token="not-a-real-token") as other:
        assert_type(other, Session)
    assert_type(Company.objects.using(session).get(id="64b0f1a2c3d4e5f60718293a"), Company)


def analytics(company: Company, enduser: Enduser, metric: Metric) -> None:
    """Metrics have days and numbers; what is pushed gives a ledger, one event an outcome."""
    assert_type(metric.date, date | None)
    assert_type(metric.value, float | None)
    assert_type(metric.company, Company | None)
    assert_type([one.value for one in Metric.objects.filter(company=company)], list[float | None])
    assert_type(Metric.push([{"parent": company, "dimension_id": "logins", "value": 1}], date=date(2026, 1, 5)), Ledger)
    assert_type(Activity.track("login", enduser=enduser, company=Company.ref(external_id="acme-42")), Outcome)
    assert_type(Activity.push([{"email": "ada@acme.example"}], action="login", on_error="collect"), Ledger)
    assert_type(Activity.segment("track", user_id="ada-1", event="login"), Outcome)
