"""From rows of any shape to requests of a size that Planhat takes, over HTTP; told with metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import BulkError, ValidationError
from planhat_orm.analytics import Metric, pushing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

POINT = {"external_id": "acme-42", "dimension_id": "logins", "value": 42}


def points(count: int) -> list[dict[str, Any]]:
    return [{**POINT, "value": number} for number in range(count)]


def statuses(ledger: Any) -> list[str]:
    return [outcome.status for outcome in ledger]


def stored(box: Sandbox) -> list[Any]:
    return [row["value"] for row in box.rows(Metric)]


# Shapes of rows


class Frame:
    """What a pandas data frame can do, as far as it matters here."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def to_dict(self, orient: str = "dict") -> Any:
        return self.rows if orient == "records" else {}

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows[0])  # the columns, as in pandas


class PolarsFrame(Frame):
    """What a polars data frame can do."""

    def to_dicts(self) -> list[dict[str, Any]]:
        return self.rows

    def to_dict(self, *, as_series: bool = True) -> Any:  # type: ignore[override]
        return {}


@pytest.mark.parametrize("kind", [Frame, PolarsFrame, list, tuple, iter])
def test_rows_come_as_frames_lists_and_iterators(box: Sandbox, session: Session, kind: Any) -> None:
    ledger = Metric.push(kind(points(3)))
    assert statuses(ledger) == ["acknowledged"] * 3
    assert [item["value"] for item in box.requests[0].json] == [0, 1, 2]


def test_a_single_dict_is_one_point(box: Sandbox, session: Session) -> None:
    assert statuses(Metric.push(POINT)) == ["acknowledged"]
    assert len(box.requests[0].json) == 1


# Chunks


def test_no_request_holds_more_points_than_the_limit(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 4)
    with box.assert_requests(3):
        ledger = Metric.push(points(10))
    assert [len(request.json) for request in box.requests] == [4, 4, 2]
    assert stored(box) == list(range(10))
    assert [outcome.change.place for outcome in ledger] == list(range(10))


def test_no_request_holds_more_bytes_than_the_limit(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_BYTES", 500)
    Metric.push([{**POINT, "dimension_id": "é" * 40, "value": number} for number in range(5)])
    sizes = [int(request.headers["Content-Length"]) for request in box.requests]
    assert len(sizes) > 1
    assert max(sizes) <= 500
    assert stored(box) == [0, 1, 2, 3, 4]


def test_a_point_too_large_for_any_request_is_refused(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_BYTES", 500)
    with pytest.raises(ValidationError, match=r"rows\[0\]: has .* bytes"):
        Metric.push([{**POINT, "dimension_id": "x" * 500}])
    with pytest.raises(ValidationError, match=r"rows\[9\]: has .* bytes"):
        Metric.push([*points(9), {**POINT, "dimension_id": "x" * 500}])
    assert box.requests == []


def test_a_chunk_that_is_too_large_for_planhat_is_halved(box: Sandbox, session: Session) -> None:
    box.behaviour.max_body = 300
    ledger = Metric.push(points(8))
    assert statuses(ledger) == ["acknowledged"] * 8
    assert [request.status for request in box.requests] == [413, 413, 200, 200, 413, 200, 200]
    assert stored(box) == list(range(8))


def test_a_generator_is_read_chunk_by_chunk(box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 4)
    seen: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for row in points(12):
            seen.append(len(box.requests))
            yield row

    Metric.push(rows())
    assert seen == [0] * 4 + [1] * 4 + [2] * 4


def test_a_wrong_row_late_in_a_generator_tells_what_went_before(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 4)
    rows = points(12)
    rows[9]["value"] = "nine"
    with pytest.raises(BulkError, match=r"rows\[9\].*value") as caught:
        Metric.push(iter(rows))
    ledger = caught.value.result
    assert statuses(ledger) == ["acknowledged"] * 8
    assert stored(box) == list(range(8))


def test_a_wrong_row_early_in_a_generator_sends_nothing(box: Sandbox, session: Session) -> None:
    rows = [*points(2), {**POINT, "value": None}]
    with pytest.raises(ValidationError, match=r"rows\[2\]"):
        Metric.push(iter(rows))
    assert box.requests == []


def test_an_error_of_the_callers_generator_carries_what_went_before(
    box: Sandbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "MAX_ITEMS", 2)

    def rows() -> Iterator[dict[str, Any]]:
        yield from points(6)
        raise KeyError("no such column")

    with pytest.raises(KeyError) as caught:
        Metric.push(rows())
    [note] = caught.value.__notes__
    assert "had done this before" in note
    assert "acknowledged" in note
