"""What querysets refuse, and that each refusal says what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from planhat_orm.errors import NotSupported
from planhat_orm.models import Company
from planhat_orm.orm.refused import Refused

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

NAMES = sorted(name for name in vars(Refused) if not name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_refused_says_what_to_write_instead(planhat_sandbox: Sandbox, name: str) -> None:
    with (
        planhat_sandbox.assert_requests(0),
        pytest.raises(NotSupported, match=r"\w+\(.*\)|company__in=|leave select_related out|Q\("),
    ):
        getattr(Company.objects.filter(name="Acme"), name)()


DJANGOS = {
    *("select_related", "prefetch_related", "update", "delete", "bulk_create", "bulk_update", "update_or_create"),
    *("dates", "datetimes", "raw", "extra", "aggregate", "annotate", "alias", "union", "intersection", "difference"),
    *("distinct", "select_for_update", "latest", "earliest"),
}


def test_methods_of_django_that_there_are_not_are_refused() -> None:
    assert set(NAMES) >= DJANGOS


def test_arguments_do_not_matter_to_a_refusal() -> None:
    with pytest.raises(NotSupported, match="in a loop"):
        Company.objects.update(name="Acme")
    with pytest.raises(NotSupported, match="company__in"):
        Company.objects.prefetch_related("endusers")
