"""Origins and states: what rows of one answer share."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session
from planhat_orm.errors import FieldError
from planhat_orm.models import Company
from planhat_orm.orm.state import Origin, State, merged

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

NAME, PHASE = frozenset({"name"}), frozenset({"phase"})


class Again:
    """Stands for the request of a page."""

    def load(self, origin: Origin, model: type[Any], data_key: str) -> None:
        """Load nothing."""


def test_a_widened_origin_is_of_the_same_page_and_one_for_all() -> None:
    page = Origin(None, NAME, 7, reload=Again(), on_missing="one", undelivered=frozenset({"tags"}))
    wide = page.widened(PHASE)
    assert wide.loaded == NAME | PHASE
    assert page.widened(PHASE) is wide
    assert wide.widened(NAME) is wide
    assert wide.mates is page.mates
    assert wide.members is page.members
    assert (wide.reload, wide.on_missing, wide.undelivered) == (page.reload, "one", page.undelivered)
    assert wide.is_page
    assert page.loaded == NAME


def test_a_page_is_gone_with_its_objects_and_needs_no_garbage_collector() -> None:
    page = Origin(None, NAME, 7, reload=Again())
    wide = page.widened(PHASE)
    wider = wide.widened(frozenset({"tags"}))
    watched = [weakref.ref(one) for one in (page, wide, wider)]
    gc.disable()
    try:
        del page, wide, wider
        assert [one() for one in watched] == [None, None, None]
    finally:
        gc.enable()


def test_a_narrowed_origin_is_of_the_same_page_and_its_own() -> None:
    page = Origin(None, NAME | PHASE, 7)
    less = page.narrowed(PHASE)
    assert less.loaded == NAME
    assert less.members is page.members
    assert page.loaded == NAME | PHASE
    assert page.widened(PHASE) is page


def test_one_record_is_no_page() -> None:
    assert not Origin(None, NAME, 1).is_page
    assert Origin(None, NAME, 1, on_missing="raise").is_page


def test_a_row_says_what_it_was_asked_for_and_no_more() -> None:
    old = {"_id": "x", "name": "Acme", "phase": "Live", "extra": 1}
    assert merged(old, {"_id": "x", "name": "B"}, NAME | PHASE) == {"_id": "x", "name": "B", "extra": 1}
    assert merged(old, {"tags": []}, frozenset()) == {**old, "tags": []}
    assert old["name"] == "Acme"


def test_a_new_object_is_of_one_session() -> None:
    one, two = (Session(token="not-a-real-token", quota=None) for _ in range(2))
    state = State()
    state.session = one
    state.session = one
    with pytest.raises(FieldError, match="objects of two sessions cannot be linked"):
        state.session = two


def test_rows_of_many_shapes_keep_few_origins(planhat_sandbox: Sandbox) -> None:
    for number in range(30):
        planhat_sandbox.add(Company, name=f"Company {number}", phase="Live", web="w")
    companies: list[Any] = list(Company.objects.only("name"))
    with planhat_sandbox.assert_requests(2):
        assert {company.phase for company in companies} == {"Live"}
        assert {company.web for company in companies} == {"w"}
    assert len({id(company._origin) for company in companies}) == 1
    with planhat_sandbox.assert_requests(1):
        again = list(Company.objects.only("name", "city"))
    assert again == companies
    assert len({id(company._origin) for company in companies}) == 1
    with planhat_sandbox.assert_requests(0):
        assert {company.web for company in companies} == {"w"}


def test_objects_of_a_page_do_not_keep_each_other_alive(planhat_sandbox: Sandbox) -> None:
    for number in range(3):
        planhat_sandbox.add(Company, name=f"Company {number}")
    first, *others = list(Company.objects.all())
    watched = [weakref.ref(other) for other in others]
    del others
    gc.collect()
    assert [one() for one in watched] == [None, None]
    assert first.name
