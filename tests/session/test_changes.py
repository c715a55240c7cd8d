"""Descriptions of writes: what a change does, how it is called, and that a ledger has each outcome once."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from typing import Any, get_args

import pytest

from planhat_orm.errors import PlanhatError
from planhat_orm.models import Company, Enduser
from planhat_orm.session.changes import Change, Ledger, Outcome, Status

ID = "64b0000000000000000000aa"


@pytest.mark.parametrize(
    ("key", "after", "verb"),
    [(None, {"name": "Acme"}, "create"), (ID, {"name": "Acme"}, "update"), (ID, None, "delete"), (ID, {}, "update")],
)
def test_a_change_says_what_it_does(key: str | None, after: Any, verb: str) -> None:
    assert Change(Company, key, {}, after).verb == verb


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(Company, ID, {}, {"name": "Acme"}), f"update of Company {ID}"),
        (Change(Company, ID, {"name": "Acme"}, None), f"delete of Company {ID}"),
        (Change(Company, None, {}, {"name": "Acme", "externalId": "a"}), "create of Company 'Acme'"),
        (Change(Enduser, None, {}, {"email": "ada@acme.example"}), "create of Enduser 'ada@acme.example'"),
        (Change(Enduser, None, {}, {"sourceId": "crm-1"}), "create of Enduser 'crm-1'"),
        (Change(Company, None, {}, {}), "create of Company"),
    ],
)
def test_a_change_is_called_by_its_id_or_what_people_call_it(change: Change, text: str) -> None:
    assert str(change) == text


def test_changes_and_outcomes_do_not_change_and_travel() -> None:
    outcome = Outcome(Change(Company, ID, {}, {"name": "Acme"}), "updated", row={"_id": ID}, number=7)
    with pytest.raises(FrozenInstanceError):
        outcome.status = "failed"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        outcome.change.key = None  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_a_ledger_has_each_outcome_in_one_list_in_order() -> None:
    change = Change(Company, ID, {}, {"name": "Acme"})
    statuses: tuple[Status, ...] = get_args(Status)
    outcomes = [Outcome(change, status, number=number) for number in range(2) for status in statuses]
    ledger = Ledger(outcomes)
    assert (len(ledger), list(ledger)) == (2 * len(statuses), outcomes)
    for status in statuses:
        part = getattr(ledger, status)
        assert [(outcome.status, outcome.number) for outcome in part] == [(status, 0), (status, 1)]
        assert part == ledger.of(status)


def test_what_a_console_shows_of_a_write_is_one_short_line() -> None:
    change = Change(Company, None, {}, {"name": "Acme", "custom": {"Notes": "x" * 5000}})
    failed = Outcome(change, "failed", error=PlanhatError("no " * 1000))
    assert repr(change) == "<create of Company 'Acme': name, custom>"
    assert repr(Change(Company, "64b0", {}, None)) == "<delete of Company 64b0>"
    assert repr(Outcome(change, "created", row={"_id": "1", "x": "y" * 500})) == "<created: create of Company 'Acme'>"
    assert repr(failed) == "<failed, PlanhatError: create of Company 'Acme'>"
    assert repr(Ledger([failed] * 3)) == "<Ledger 3: 3 failed>"
    assert repr(Ledger()) == "<Ledger nothing to do>"
