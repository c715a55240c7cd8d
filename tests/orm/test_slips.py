"""A custom field that no record holds is said, where a whole list was read and nowhere else."""

from __future__ import annotations

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
    "query",
    [
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
