"""Slips that both type checkers find: each is marked, and a mark that is not needed is an error itself. Never run."""

# ruff: noqa: B018

from __future__ import annotations

from planhat_orm.analytics import Activity, Metric
from planhat_orm.models import Company, Enduser, Issue, Note, User
from planhat_orm.orm import fields


class Account(Company):
    """A company with a tenant's own field."""

    tier: fields.Custom[str] = fields.Custom("Tier", str)


def creating() -> None:
    """Unknown names and wrong types, when an object is made."""
    Company(nme="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Company(name=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company("Acme")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Company(owner=Enduser())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company(tags="a,b")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Account(tier=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def assigning(company: Company, account: Account, note: Note, issue: Issue) -> None:
    """Unknown names and wrong types, when an attribute is set."""
    company.name = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    company.nme = "x"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    company.owner = Enduser()  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    company.owner = "64b0f1a2c3d4e5f60718293a"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    company.customer_from = "2025-01-01"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    company.tags = "a,b"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    company.followers = [Enduser()]  # type: ignore[list-item]  # pyright: ignore[reportAttributeAccessIssue]
    company.custom = "Gold"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    account.tier = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    issue.companies = [User.ref(external_id="kim")]  # type: ignore[list-item]  # pyright: ignore[reportAttributeAccessIssue]
    issue.companies.add(User.ref(external_id="kim"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    note.company = User.ref(external_id="kim")  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]


def reading(company: Company, user: User) -> None:
    """Unknown names and forgotten Nones, when an attribute is read."""
    company.nme  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    company.name.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    company.owner.email  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    user.name = "Kim"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.get(id="64b0f1a2c3d4e5f60718293a").emial  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    company.endusers.frist()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def querying(enduser: Enduser) -> None:
    """What querysets do not take, or do not have."""
    Company.objects.only(name="Acme")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Company.objects.order_by(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.filter("Acme")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.on_missing("fetch")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.iterator(chunk_size=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.values_list("name", named=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    Company.objects.contains(enduser)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.chunks("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.parallel("4")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.changed_since(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.prefetch_related(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Company.objects.acount()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.all() | Company.objects.all()  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
    Company.objects.first().name  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    Company.objects.get_or_none(name="Acme").name  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


def refused(enduser: Enduser) -> None:
    """What querysets refuse is no method of theirs: each use is an error, and what follows is checked still."""
    Company.objects.annotate()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.alias()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.aggregate()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.union()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.intersection()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.difference()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.distinct()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.dates()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.datetimes()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.raw()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.extra()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.select_for_update()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.latest()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.earliest()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.complex_filter()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.resolve_expression()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.update()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.delete()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.bulk_create()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.bulk_update()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.update_or_create()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Company.objects.filter(name="Acme").update(phase="Live")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    enduser.frist_name  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def analytics(company: Company) -> None:
    """Wrong keywords of what is pushed."""
    Metric.push([], dimension="logins")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Metric.push([], on_error="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Activity.track("login", enduser=company)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Activity.segment("page", user_id="ada-1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
