"""Rows are parsed while more of them come, and the whole is always what ``json.loads`` makes of all of it."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.wire import bodies
from planhat_orm.wire.bodies import Body, loads


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small parts, and the lengths of the texts that are parsed."""
    monkeypatch.setattr(bodies, "_PART", 400)
    monkeypatch.setattr(bodies, "_TAIL", 300)
    monkeypatch.setattr(bodies, "_MOST_WAITED", 1_600)
    seen: list[int] = []
    parse = json.loads
    monkeypatch.setattr(bodies.json, "loads", lambda text, **more: (seen.append(len(text)), parse(text, **more))[1])
    return seen


def fed(text: str, size: int = 64) -> Body:
    body = Body()
    for start in range(0, len(text), size):
        body.add(text[start : start + size])
    return body


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"_id": f"{number:024x}", "name": f"Company {number}", **more} for number in range(count)]


def test_a_long_list_is_parsed_in_parts(calls):
    whole = rows(200)
    text = json.dumps(whole, separators=(",", ":"))
    assert fed(text).parsed() == whole
    assert len(calls) > 20
    assert max(calls) < 700


def test_spaces_between_rows_are_no_hindrance(calls):
    whole = rows(100)
    assert fed(json.dumps(whole)).parsed() == whole
    assert max(calls) < 800


def test_a_short_list_is_parsed_once(calls):
    assert fed(json.dumps(rows(3))).parsed() == rows(3)
    assert len(calls) == 1


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_objects_inside_rows_are_not_taken_for_rows(calls, size):
    nested = [{"_id": "a", "value": 1}, {"_id": "b", "value": 2}, {"_id": "c", "value": 3}]
    whole = rows(60, licenses=nested)
    assert fed(json.dumps(whole, separators=(",", ":")), size).parsed() == whole
    assert max(calls) < 2_000


def test_objects_inside_rows_that_begin_as_the_rows_do_leave_the_rest_as_text(calls):
    whole = rows(60, parents=rows(8))
    assert fed(json.dumps(whole, separators=(",", ":"))).parsed() == whole


def test_texts_that_look_like_the_end_of_a_row_are_texts(calls):
    whole = rows(80, note='},{"_id":"x","name":"y"},', other="},{", last='\\"},{"_id":')
    assert fed(json.dumps(whole, separators=(",", ":"))).parsed() == whole
    assert len(calls) > 5


@pytest.mark.parametrize(
    "whole",
    [
        {"data": rows(50)},
        [row["_id"] for row in rows(50)],
        [{"_id": row["_id"]} for row in rows(50)],
        [[row] for row in rows(50)],
        [{"custom": {"a": 1}, "_id": row["_id"]} for row in rows(50)],
        "x" * 2_000,
        [*rows(50), None, 3, []],
    ],
)
def test_other_bodies_are_parsed_as_ever(calls, whole):
    assert fed(json.dumps(whole, separators=(",", ":"))).parsed() == whole


@pytest.mark.parametrize("cut", [500, 1_500, 3_000, -1])
def test_what_was_cut_off_is_an_error(calls, cut):
    text = json.dumps(rows(60), separators=(",", ":"))
    with pytest.raises(ValueError, match=r"."):
        fed(text[:cut]).parsed()


@pytest.mark.parametrize("behind", ["]", ",", "x", '{"_id":"a"}'])
def test_what_follows_the_list_is_an_error(calls, behind):
    with pytest.raises(ValueError, match=r"."):
        fed(json.dumps(rows(60), separators=(",", ":")) + behind).parsed()


def test_a_list_cut_off_between_two_rows_is_an_error(calls):
    text = json.dumps(rows(60), separators=(",", ":"))
    for end in [place + 1 for place in range(len(text) - 1) if text[place : place + 2] == "},"]:
        for cut in (end, end + 1):
            with pytest.raises(ValueError, match=r"."):
                fed(text[:cut]).parsed()


def test_a_number_of_too_many_digits_stays_text_in_its_part_and_elsewhere(calls):
    whole = rows(60)
    text = json.dumps(whole, separators=(",", ":")).replace('"Company 30"', "1" * 5_000)
    found = fed(text).parsed()
    assert found[30]["name"] == "1" * 5_000
    assert [row["_id"] for row in found] == [row["_id"] for row in whole]


def test_an_empty_body_is_blank_and_a_list_is_not():
    assert (fed("").is_blank, fed(" \n" * 500).is_blank, fed("[]").is_blank) == (True, True, False)


def test_the_collector_is_off_while_a_part_is_parsed(monkeypatch):
    monkeypatch.setattr(bodies, "_PART", 400)
    seen: list[bool] = []
    parse = json.loads
    monkeypatch.setattr(bodies.json, "loads", lambda text: (seen.append(gc.isenabled()), parse(text))[1])
    fed(json.dumps(rows(60))).parsed()
    assert len(seen) > 3
    assert not any(seen)
    assert gc.isenabled()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('ab"\\{}[],:é_id ')),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["_id", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["_id", "name", "x", "y"]), values, max_size=4), max_size=40),
    st.integers(1, 50),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", ":")]),
)
def test_any_list_is_what_json_makes_of_it(whole, size, separators):
    text = json.dumps(whole, separators=separators)
    usual = bodies._PART, bodies._TAIL, bodies._MOST_WAITED
    bodies._PART, bodies._TAIL, bodies._MOST_WAITED = 60, 50, 400
    try:
        assert fed(text, size).parsed() == json.loads(text)
        body = fed(text, size)
        assert loads(body.text)[-1:] == whole[-1:]
    finally:
        bodies._PART, bodies._TAIL, bodies._MOST_WAITED = usual
