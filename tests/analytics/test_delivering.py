"""What becomes of each item that the analytics host receives, refuses or leaves unanswered; told with metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import AmbiguousWrite, BadRequest, BulkError
from planhat_orm.analytics import Metric, pushing

if TYPE_CHECKING:
    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

POINT = {"external_id": "acme-42", "dimension_id": "logins", "value": 42}


def points(count: int) -> list[dict[str, Any]]:
    return [{**POINT, "value": number} for number in range(count)]


def statuses(ledger: Any) -> list[str]:
    return [outcome.status for outcome in ledger]


def stored(box: Sandbox) -> list[Any]:
    return [row["value"] for row in box.rows(Metric)]


# What becomes of each point


def answered(box: Sandbox, body: Any) -> Any:
    return box.fault("status_after", status=200, body=body, method="POST")


def wire(point: dict[str, Any]) -> dict[str, Any]:
    return {
        "dimensionId": point["dimension_id"],
        "value": point["value"],
        "externalId": point["external_id"],
        "model": "Company",
    }


def test_a_point_refused_for_its_form_has_failed_and_the_others_have_not(box: Sandbox, session: Session) -> None:
    rows = [{**POINT, "value": number} for number in range(4)]
    answered(box, {"processed": 4, "errors": [{"item": wire(rows[2]), "error": "dimensionId must be specified"}]})
    ledger = Metric.push(rows, on_error="collect")
    assert statuses(ledger) == ["acknowledged", "acknowledged", "failed", "acknowledged"]
    [failed] = ledger.failed
    assert isinstance(failed.error, BadRequest)
    assert str(failed.error) == "rows[2]: Planhat refuses it: dimensionId must be specified"
    assert failed.change.after == wire(rows[2])


def test_a_refused_point_raises_unless_the_ledger_is_asked_for(box: Sandbox, session: Session) -> None:
    answered(box, {"processed": 1, "errors": [{"item": wire(POINT), "error": "no"}]})
    with pytest.raises(BulkError, match=r"rows\[0\]: Planhat refuses it: no") as caught:
        Metric.push([POINT, {**POINT, "value": 43}])
    assert statuses(caught.value.result) == ["failed", "acknowledged"]
    assert isinstance(caught.value.__cause__, BadRequest)


def test_the_places_of_refused_points_go_on_over_the_chunks(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 2)
    rows = [{**POINT, "value": number} for number in range(6)]
    body = {"processed": 2, "errors": [{"item": wire(rows[3]), "error": "no"}]}
    box.fault("status_after", status=200, body=body, method="POST", after=1)
    ledger = Metric.push(rows, on_error="collect")
    assert [outcome.change.place for outcome in ledger.failed] == [3]
    assert "rows[3]" in str(ledger.failed[0].error)
    assert len(ledger.acknowledged) == 5


def test_of_equal_points_as_many_fail_as_are_refused(box: Sandbox, session: Session) -> None:
    answered(box, {"processed": 3, "errors": [{"item": wire(POINT), "error": "no"}] * 2})
    ledger = Metric.push([POINT] * 3, on_error="collect")
    assert sorted(statuses(ledger)) == ["acknowledged", "failed", "failed"]


def test_what_planhat_adds_to_a_refused_point_does_not_hide_it(box: Sandbox, session: Session) -> None:
    rows = [POINT, {**POINT, "value": 43}]
    answered(box, {"processed": 2, "errors": [{"item": {**wire(rows[1]), "time": "2026"}, "error": "no"}]})
    assert statuses(Metric.push(rows, on_error="collect")) == ["acknowledged", "failed"]


@pytest.mark.parametrize("entry", [{"item": {"value": 99}, "error": "no"}, "no", {"error": "no"}, None])
def test_a_refusal_that_fits_no_point_leaves_all_in_doubt(box: Sandbox, session: Session, entry: Any) -> None:
    answered(box, {"processed": 2, "errors": [entry]})
    ledger = Metric.push(points(2), on_error="collect")
    assert statuses(ledger) == ["unknown", "unknown"]
    assert "does not say which" in str(ledger.unknown[0].error)


@pytest.mark.parametrize("body", ["", "OK", {}, [], {"processed": 2}, {"processed": 2, "errors": None}])
def test_any_200_acknowledges(box: Sandbox, session: Session, body: Any) -> None:
    answered(box, body)
    assert statuses(Metric.push(points(2))) == ["acknowledged", "acknowledged"]


def test_an_answer_that_is_cut_off_leaves_in_doubt_what_was_refused(box: Sandbox, session: Session) -> None:
    answered(box, b'{"processed": 2, "err')
    ledger = Metric.push(points(2), on_error="collect")
    assert statuses(ledger) == ["unknown", "unknown"]
    assert "cut off" in str(ledger.unknown[0].error)


def test_a_point_of_an_unknown_record_is_acknowledged_and_dropped(box: Sandbox, session: Session) -> None:
    ledger = Metric.push([{**POINT, "external_id": "nobody"}, POINT])
    assert statuses(ledger) == ["acknowledged", "acknowledged"]
    assert stored(box) == [42]


LOST: list[dict[str, Any]] = [
    {"kind": "lost_answer"},
    {"kind": "truncated"},
    {"kind": "status_after", "status": 502},
    {"kind": "reset_before"},
]


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_lost_answer_is_never_followed_by_a_second_try(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 2)
    box.fault(**fault, after=1)
    with pytest.raises(BulkError, match="2 unknown") as caught:
        Metric.push(points(6))
    assert statuses(caught.value.result) == ["acknowledged"] * 2 + ["unknown"] * 2 + ["not_sent"] * 2
    assert isinstance(caught.value.__cause__, AmbiguousWrite)
    assert "rows[4:] were not sent" in str(caught.value)
    assert len(box.requests) == 2


def test_a_generator_is_not_read_beyond_a_lost_answer(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 2)
    box.fault("lost_answer")
    rows = iter(points(6))
    with pytest.raises(BulkError, match=r"read up to rows\[1\]") as caught:
        Metric.push(rows)
    assert statuses(caught.value.result) == ["unknown", "unknown"]
    assert [row["value"] for row in rows] == [2, 3, 4, 5]


def test_a_chunk_refused_whole_stops_the_run(box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 2)
    box.fault("status", status=403, after=1)
    ledger = Metric.push(points(6), on_error="collect")
    assert statuses(ledger) == ["acknowledged"] * 2 + ["failed"] * 2 + ["not_sent"] * 2
    assert stored(box) == [0, 1]


def test_what_planhat_has_not_seen_is_sent_again(box: Sandbox, session: Session) -> None:
    box.fault("status", status=429, headers={"Retry-After": "0"})
    assert statuses(Metric.push([POINT])) == ["acknowledged"]
    assert [request.status for request in box.requests] == [429, 200]
    assert stored(box) == [42]


def test_pushing_twice_adds_twice_and_the_docstring_says_so_first(box: Sandbox, session: Session) -> None:
    for _ in range(2):
        Metric.push([POINT])
    assert stored(box) == [42, 42]
    assert "twice" in str(Metric.push.__doc__).split("\n")[0]
