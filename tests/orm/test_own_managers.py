"""Querysets of a model's own class: methods of a tenant's own on everything that gives records."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any, Self

import pytest

from planhat_orm.errors import InvalidQuery, NotSupported
from planhat_orm.models import Company, User
from planhat_orm.orm import fields
from planhat_orm.orm.manager import Manager
from planhat_orm.orm.queryset import QuerySet

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


class AccountQuerySet(QuerySet["Account"]):
    """Accounts."""

    def growing(self) -> Self:
        """Those that grow."""
        return self.filter(phase="Growth")

    def gold(self) -> Self:
        """Those of the highest tier."""
        return self.filter(tier="Gold")


class Account(Company):
    """A company with a tenant's own field."""

    tier: fields.Custom[str] = fields.Custom("Tier", str)

    objects = AccountQuerySet.as_manager()


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Six accounts: three grow, two are gold, one is both."""
    kim = planhat_sandbox.add(User, email="kim@v.example", first_name="Kim", last_name="")
    for n in range(6):
        planhat_sandbox.add(
            Company,
            name=f"A{n}",
            owner=kim if n < 4 else None,
            phase="Growth" if n % 2 else "Live",
            custom={"Tier": "Gold" if n in (1, 2) else "Silver"},
        )
    return planhat_sandbox


def names(records: Any) -> list[str]:
    return [record.name for record in records]


def test_methods_of_ones_own_chain_with_all_others(box: Sandbox) -> None:
    with box.assert_requests(0):
        qs = Account.objects.growing().order_by("-name").gold()
        assert type(qs) is AccountQuerySet
        assert str(qs.query) == "Account.filter(phase='Growth').filter(tier='Gold').order_by('-name')"
    with box.assert_requests(1):
        assert names(qs) == ["A1"]
    with box.assert_requests(1):
        assert names(Account.objects.exclude(phase="Live").growing()[1:]) == ["A3", "A5"]
    with box.assert_requests(1):
        assert all(isinstance(one, Account) for one in Account.objects.all())


def test_each_access_is_a_queryset_of_its_own(box: Sandbox) -> None:
    assert Account.objects is not Account.objects
    assert type(Company.objects) is Manager
    assert type(Account.objects[:3]) is type(Account.objects.none()) is AccountQuerySet


def test_a_model_that_derives_from_it_has_its_methods_too(box: Sandbox) -> None:
    class Key(Account):
        """A key account."""

    with box.assert_requests(1):
        [key] = Key.objects.growing().gold()
    assert type(key) is Key


def test_it_is_copied_and_pickled_with_its_methods(box: Sandbox) -> None:
    qs = Account.objects.growing()
    assert type(copy.deepcopy(qs)) is AccountQuerySet
    again = pickle.loads(pickle.dumps(qs))
    with box.assert_requests(0):
        assert names(again) == ["A1", "A3", "A5"]
    with box.assert_requests(1):
        assert names(again.gold()) == ["A1"]


def test_records_have_none(box: Sandbox) -> None:
    account = Account.objects.growing()[0]
    with pytest.raises(NotSupported, match=r"Account\.objects"):
        _ = account.objects


def test_from_queryset_says_the_same_in_djangos_words(box: Sandbox) -> None:
    class Client(Company):
        """A company."""

        tier: fields.Custom[str] = fields.Custom("Tier", str)
        objects = Manager.from_queryset(AccountQuerySet)()  # type: ignore[assignment]  # one of another model

    with box.assert_requests(1):
        assert names(Client.objects.gold()) == ["A1", "A2"]


def test_a_manager_with_methods_of_its_own_is_told_where_they_belong() -> None:
    class AccountManager(Manager["Account"]):
        """A manager in Django's manner."""

    with pytest.raises(NotSupported, match="methods of AccountManager into the queryset class"):
        AccountManager.from_queryset(AccountQuerySet)
    wrong: Any
    for wrong in (Account, AccountQuerySet.as_manager(), None):
        with pytest.raises(InvalidQuery, match="a subclass of QuerySet"):
            Manager.from_queryset(wrong)
