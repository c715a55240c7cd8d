"""The one path grammar: what every method takes, and what is said of a path that leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery, UnknownField
from planhat_orm.models import Company, Enduser, User
from planhat_orm.orm import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox


class Account(Company):
    """A company with a tenant's own field."""

    tier: fields.Custom[str] = fields.Custom("Tier", str)


#: Each method that takes a path, as a function of it.
TAKES: dict[str, Callable[[str], Any]] = {
    "filter": lambda path: Account.objects.filter(**{path: None}),
    "exclude": lambda path: Account.objects.exclude(**{f"{path}__isnull": True}),
    "Q": lambda path: Account.objects.filter(Q(path, exact=None)),
    "order_by": lambda path: Account.objects.order_by(path, f"-{path}"),
    "only": lambda path: Account.objects.only(path),
    "defer": lambda path: Account.objects.defer(path),
    "values": lambda path: Account.objects.values(path),
    "values_list": lambda path: Account.objects.values_list(path, flat=True),
    "to_dicts": lambda path: Account.objects.none().to_dicts({"Heading": path}),
}
#: Those that go across links.
ACROSS = {"filter", "exclude", "Q", "values", "values_list", "to_dicts"}

HERE = (
    *("name", "id", "pk", "arr", "tags", "followers", "alerts", "usage", "custom", "owner", "owner_id", "tier"),
    *(
        "owner.id",
        "owner__id",
        "owner.pk",
        "custom.Tier",
        "custom__Tier",
        "custom.Days in Phase",
        "custom__Days in Phase",
    ),
)
BEYOND = ("owner.email", "owner__email", "owner.custom.Team", "owner__custom__Team", "root.owner.email", "root__name")


@pytest.mark.parametrize("method", TAKES)
@pytest.mark.parametrize("path", HERE)
def test_a_path_on_the_record_itself_is_taken_everywhere(planhat_sandbox: Sandbox, method: str, path: str) -> None:
    with planhat_sandbox.assert_requests(0):
        TAKES[method](path)


@pytest.mark.parametrize("method", TAKES)
@pytest.mark.parametrize("path", BEYOND)
def test_a_path_over_links_is_taken_by_filters_and_outputs(planhat_sandbox: Sandbox, method: str, path: str) -> None:
    with planhat_sandbox.assert_requests(0):
        if method in ACROSS:
            TAKES[method](path)
        else:
            with pytest.raises(InvalidQuery, match=r"goes across a link.*(sorted\(\)|values\()"):
                TAKES[method](path)


UNKNOWN = {
    "nme": "did you mean 'name'",
    "externalId": "did you mean 'external_id'",
    "Health": "did you mean 'health'",
    "owner.emial": "did you mean 'email'",
    "owner__emial": "did you mean 'email'",
    "root.owner.emial": "did you mean 'email'",
    "Seats": "a custom field is written custom__Seats",
    "owner.": "no field of User follows",
    "owner__": "no field of User follows",
    "custom.": "names no custom field",
    "custom__": "names no custom field",
    "endusers": "Enduser objects that point to it",
    "endusers.email": "Enduser objects that point to it",
}


@pytest.mark.parametrize("method", TAKES)
@pytest.mark.parametrize(("path", "said"), UNKNOWN.items())
def test_a_path_that_leads_nowhere_is_refused_where_it_is_given(
    planhat_sandbox: Sandbox, method: str, path: str, said: str
) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises((UnknownField, InvalidQuery), match=said):
        TAKES[method](path)


@pytest.mark.parametrize("path", ["followers.email", "followers__email"])
def test_no_order_goes_across_a_list_of_links(planhat_sandbox: Sandbox, path: str) -> None:
    with planhat_sandbox.assert_requests(0):
        for method in ("order_by", "only"):
            with pytest.raises(InvalidQuery, match=r"goes across a list of links"):
                TAKES[method](path)
        with pytest.raises(InvalidQuery, match="no link to one record"):
            TAKES["values"](path)


def test_a_list_of_links_is_filtered_by_what_it_may_hold(planhat_sandbox: Sandbox) -> None:
    kim, lee = (
        planhat_sandbox.add(User, email=f"{name}@v.example", first_name=name, last_name="") for name in ("k", "l")
    )
    planhat_sandbox.add(Company, name="A", followers=[kim["_id"], lee["_id"]])
    planhat_sandbox.add(Company, name="B", followers=[lee["_id"]])
    with planhat_sandbox.assert_requests(2):
        found = Company.objects.filter(followers__in=User.objects.filter(email="k@v.example"))
        assert [company.name for company in found] == ["A"]


def test_a_custom_field_with_underscores_is_written_with_a_dot(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="A", custom={"net__score": 5})
    with planhat_sandbox.assert_requests(0):
        for method in ("filter", "order_by", "only"):
            with pytest.raises(
                InvalidQuery, match=r"Q\('custom\.net__score', exact=\.\.\.\), elsewhere 'custom\.net__score'"
            ):
                TAKES[method]("custom__net__score")
    with planhat_sandbox.assert_requests(1):
        found = Company.objects.filter(Q("custom.net__score", gte=5)).order_by("custom.net__score")
        assert list(found.values_list("custom.net__score", flat=True)) == [5]


def test_a_lookup_follows_underscores(planhat_sandbox: Sandbox) -> None:
    conditions: dict[str, Any] = {"name.contains": "a"}
    with pytest.raises(InvalidQuery, match=r"name__contains=\.\.\., Q\('name', contains=\.\.\.\)"):
        Company.objects.filter(**conditions)
    with pytest.raises(InvalidQuery, match=r"'year' is no lookup; .*name__range"):
        Company.objects.filter(name__year=2026)


def test_dots_and_underscores_say_the_same(planhat_sandbox: Sandbox) -> None:
    kim = planhat_sandbox.add(User, email="k@v.example", first_name="Kim", last_name="")
    company = planhat_sandbox.add(Company, name="A", owner=kim, custom={"Days in Phase": 5})
    planhat_sandbox.add(Enduser, email="a@a.example", company=company)
    for one, other in (("company.owner.email", "company__owner__email"), ("company.custom.Days in Phase",) * 2):
        wanted = "k@v.example" if "email" in one else 5
        assert list(Enduser.objects.values_list(one, other)) == [(wanted, wanted)]
        assert Enduser.objects.filter(Q(one, exact=wanted)).exists()
        assert Enduser.objects.filter(**{other: wanted}).exists()
        assert not Enduser.objects.exclude(**{other: wanted}).exists()
