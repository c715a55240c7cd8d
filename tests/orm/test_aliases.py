"""Rows that hold a field under another name, and the names to select for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from planhat_orm.orm.aliases import renamed, wire_names

SCORED: Any = SimpleNamespace(aliases={"nps": "score", "npsScore": "score", "text": "comment"})
PLAIN: Any = SimpleNamespace(aliases={})


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"_id": "1", "nps": 9}, {"_id": "1", "score": 9}),
        ({"npsScore": 8, "text": ""}, {"score": 8, "comment": ""}),
        ({"score": 7, "nps": 9}, {"score": 7, "nps": 9}),
        ({"score": None, "nps": 9}, {"score": None, "nps": 9}),
        ({"npsScore": 8, "nps": 9}, {"score": 9, "npsScore": 8}),
        ({"score": 7}, {"score": 7}),
        ({}, {}),
    ],
)
def test_what_came_under_an_alias_stands_under_the_declared_name(row: dict[str, Any], named: dict[str, Any]) -> None:
    before = dict(row)
    assert renamed(SCORED, [row]) == [named]
    assert row == before


def test_rows_without_aliases_are_not_even_copied() -> None:
    rows = [{"nps": 9}]
    assert renamed(PLAIN, rows) is rows
    declared = {"score": 9}
    assert renamed(SCORED, [declared])[0] is declared


def test_a_field_is_selected_under_all_its_names() -> None:
    assert wire_names(SCORED, ("_id", "score", "comment")) == ("_id", "score", "nps", "npsScore", "comment", "text")
    assert wire_names(PLAIN, ("_id", "score")) == ("_id", "score")
