"""Where querysets begin: on a class, and on an object for what points to it."""

from __future__ import annotations

import inspect
import pydoc
import rlcompleter
from datetime import date
from typing import Any, Self

import pytest

from planhat_orm import models
from planhat_orm.errors import FieldError, NotSupported, UnknownField
from planhat_orm.models import Company, Enduser, License, User
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.queryset import QuerySet
from planhat_orm.orm.relations import Related
from planhat_orm.sandbox import Sandbox


@pytest.fixture
def acme(planhat_sandbox: Sandbox) -> Company:
    """A company with two people and a licence, beside another one."""
    kim = planhat_sandbox.add(User, email="kim@v.example", first_name="Kim", last_name="R")
    row = planhat_sandbox.add(Company, name="Acme", external_id="acme-42", owner=kim)
    other = planhat_sandbox.add(Company, name="Birch", owner=kim)
    for name, company in (("ada", row), ("grace", row), ("joan", other)):
        planhat_sandbox.add(Enduser, company=company, email=f"{name}@x.example")
    planhat_sandbox.add(License, company=row, product="Seats", mrr=5, from_date="2025-01-01")
    return Company.objects.get(external_id="acme-42")


def test_each_access_is_a_queryset_of_its_own(planhat_sandbox: Sandbox) -> None:
    assert Company.objects is not Company.objects
    assert str(Company.objects.query) == "Company"
    with planhat_sandbox.assert_requests(1):
        assert list(Company.objects) == []


def test_what_has_no_collection_has_no_manager(acme: Company) -> None:
    with pytest.raises(NotSupported, match=r"Company\.objects"):
        _ = acme.objects

    class Touchpoint(Model):
        class Meta:
            path = "conversations"
            abstract = True

    for abstract in (Model, Touchpoint):
        with pytest.raises(NotSupported, match="abstract"):
            _ = abstract.objects


def test_a_reverse_manager_holds_what_points_to_its_object(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        assert [one.email for one in acme.endusers] == ["ada@x.example", "grace@x.example"]
    assert planhat_sandbox.requests[-1].params["companyId"] == acme.id
    with planhat_sandbox.assert_requests(4):
        assert acme.endusers.count() == 2
        assert acme.endusers.filter(email="ada@x.example").exists()
        assert acme.licenses.first().product == "Seats"  # type: ignore[union-attr]
        assert not acme.endusers.filter(email="joan@x.example")


def test_what_a_reverse_manager_gives_leads_back_without_a_request(planhat_sandbox: Sandbox, acme: Company) -> None:
    people = list(acme.endusers)
    with planhat_sandbox.assert_requests(0):
        assert all(one.company is acme for one in people)


def test_what_a_reverse_manager_creates_points_to_its_object(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(1):
        made = acme.endusers.create(email="new@x.example")
    assert made.company is acme
    assert planhat_sandbox.row(Enduser, email="new@x.example")["companyId"] == acme.id
    with planhat_sandbox.assert_requests(1):
        assert acme.endusers.get_or_create(email="new@x.example") == (made, False)
    with planhat_sandbox.assert_requests(2):
        other, created = acme.endusers.filter(featured=True).get_or_create(email="other@x.example")
    assert created
    assert other.company_id == acme.id


def test_several_links_to_one_model_have_managers_of_their_own(planhat_sandbox: Sandbox, acme: Company) -> None:
    owner = acme.owner
    assert owner is not None
    with planhat_sandbox.assert_requests(2):
        assert [one.name for one in owner.companies] == ["Acme", "Birch"]
        assert list(owner.co_owned_companies) == []


def test_a_reverse_manager_stays_with_the_session_of_its_object(planhat_sandbox: Sandbox, acme: Company) -> None:
    with Sandbox() as other, other.session(), other.assert_requests(0), planhat_sandbox.assert_requests(1):
        assert len(acme.endusers) == 2


def test_a_reverse_manager_is_one_of_the_querysets_of_its_model(planhat_sandbox: Sandbox, acme: Company) -> None:
    class SeatQuerySet(QuerySet["Seat"]):
        def dear(self) -> Any:
            return self.filter(mrr__gte=10)

    class Seat(License):
        objects = SeatQuerySet.as_manager()

    class Account(Company):
        seats: Related[Seat, SeatQuerySet] = Related("Seat")

    planhat_sandbox.add(License, company=acme.id, product="Dear", mrr=50, from_date="2025-01-01")
    account = Account.objects.get(id=acme.id)
    with planhat_sandbox.assert_requests(1):
        assert [one.product for one in account.seats.dear()] == ["Dear"]
    made = account.seats.create(product="New", mrr=1, currency="EUR", from_date=date(2025, 1, 1))
    assert (type(made), made.company_id) == (Seat, acme.id)
    [account] = Account.objects.filter(name="Acme").prefetch_related("seats")
    with planhat_sandbox.assert_requests(0):
        assert type(account.seats) is SeatQuerySet
        assert sorted(str(one.product) for one in account.seats.all()) == ["Dear", "New", "Seats"]


def test_a_method_of_querysets_on_the_class_is_said_to_be_one_of_its_manager() -> None:
    model: Any = Company
    for name in ("filter", "get", "all", "explain"):
        with pytest.raises(UnknownField, match=rf"no field '{name}'; did you mean Company\.objects\.{name}\?"):
            getattr(model, name)

    class Growing(QuerySet[Any]):
        def growing(self) -> Self:
            return self.filter(phase="Growth")

    own: Any = type("Own", (Company,), {"objects": Growing.as_manager()})
    with pytest.raises(UnknownField, match=r"did you mean Own\.objects\.growing\?"):
        own.growing()


def test_what_has_no_manager_lets_people_look_on(planhat_sandbox: Sandbox, acme: Company) -> None:
    for one in (acme, Company(name="New"), Model):
        assert not hasattr(one, "objects")
    new = Company(name="New")
    assert not hasattr(new, "endusers")
    with pytest.raises(FieldError, match="is not saved yet, so nothing can point to it"):
        _ = new.endusers
    with planhat_sandbox.assert_requests(0):
        assert {"name", "owner", "endusers"} <= dict(inspect.getmembers(Company)).keys()
        assert "name" in dict(inspect.getmembers(new))


@pytest.mark.parametrize("model", [*registry.values(), Model, models], ids=lambda model: model.__name__)
def test_help_shows_every_model(model: Any) -> None:
    assert "objects" in pydoc.plain(pydoc.render_doc(model))


def test_help_shows_a_record_and_sends_nothing(planhat_sandbox: Sandbox, acme: Company) -> None:
    with planhat_sandbox.assert_requests(0):
        assert "Planhat's 'externalId'" in pydoc.plain(pydoc.render_doc(acme))


def test_names_of_a_record_are_completed(acme: Company) -> None:
    completer = rlcompleter.Completer({"acme": acme})
    assert "acme.objects" in completer.attr_matches("acme.obj")
    assert {"acme.name", "acme.save(", "acme.endusers"} <= set(completer.attr_matches("acme."))
