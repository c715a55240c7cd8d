"""A custom field that no record holds is said, where a whole list was read and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Q
from planhat_orm.models import Company, Enduser

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.sandbox import Sandbox


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "planhat_orm.orm"]


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Two companies, one of which holds a tier, and a person without custom values."""
    planhat_sandbox.add(Company, name="A", custom={"Seats": 5})
    row = planhat_sandbox.add(Company, name="B", custom={"Tier": "Gold"})
    planhat_sandbox.add(Enduser, company=row, email="a@x.example", custom={"Seats": 1})
    return planhat_sandbox


@pytest.mark.parametrize(
    "query",
    [
        lambda: Company.objects.filter(custom__Teir="Gold"),
        lambda: Company.objects.exclude(name="A").filter(Q("custom.Teir", isnull=True)),
        lambda: Company.objects.order_by("-custom.Teir"),
        lambda: Company.objects.filter(custom__Teir="Gold")[:5],
    ],
)
def test_a_custom_field_that_no_record_holds_is_said_once(
    box: Sandbox, caplog: pytest.LogCaptureFixture, query: Callable[[], Any]
) -> None:
    with box.assert_requests(2):
        list(query())
        list(query())
    [said] = warnings(caplog)
    assert said == f"{query().query}: no Company holds a custom value 'Teir'; did you mean 'Tier'?"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            lambda: Company.objects.filter(Q("custom.Seats", gte="3")),
            "no Company holds a text .*'Seats'; all are numbers",
        ),
        (lambda: Company.objects.filter(custom__Seats="5"), "no Company holds a text .*'Seats'; all are numbers"),
        (lambda: Company.objects.filter(custom__Seats__in=["5", "6"]), "no Company holds a text .*'Seats'"),
        (lambda: Company.objects.filter(custom__Seats__startswith="5"), "no Company holds a text .*'Seats'"),
        (
            lambda: Company.objects.filter(custom__Tier__range=(1, 5)),
            "no Company holds a number .*'Tier'; all are texts",
        ),
    ],
)
def test_a_kind_of_values_that_no_record_holds_is_said_once(
    box: Sandbox, caplog: pytest.LogCaptureFixture, query: Callable[[], Any], said: str
) -> None:
    with box.assert_requests(2):
        assert not list(query())
        assert not list(query())
    [told] = warnings(caplog)
    assert re.search(said, told)


def test_one_value_of_the_kind_is_enough(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    for value in ("3", ["3"], True):
        row = box.add(Company, name="C", custom={"Seats": value})
        assert list(Company.objects.filter(Q("custom.Seats", gt="4"))) == []
        box.remove(Company, row)
    box.add(Company, name="C", custom={"Tier": 0})
    assert list(Company.objects.filter(custom__Tier=7)) == []
    assert warnings(caplog) == []


def test_of_blank_values_no_kind_is_said(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    box.add(Company, name="C", custom={"Blank": "", "None": None})
    assert list(Company.objects.filter(custom__Blank=7, custom__None="7")) == []
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    "query",
    [
        lambda: Company.objects.filter(custom__Seats="2025-04-01"),
        lambda: Company.objects.filter(custom__Seats__in=["5", 6]),
        lambda: Company.objects.exclude(custom__Seats="5"),
        lambda: Company.objects.filter(custom__Seats=True),
        lambda: Company.objects.filter(custom__Tier="Silver"),
        lambda: Company.objects.order_by("custom.Tier"),
        lambda: Company.objects.filter(Q("custom.Teir", isnull=True))[:1],
        lambda: Company.objects.all(),
        lambda: Enduser.objects.filter(email="a@x.example", custom__Tier="Gold"),
    ],
)
def test_nothing_is_said_where_one_holds_it_or_not_all_were_read(
    box: Sandbox, caplog: pytest.LogCaptureFixture, query: Callable[[], Any]
) -> None:
    with box.assert_requests(1):
        list(query())
    assert warnings(caplog) == []
