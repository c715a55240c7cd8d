"""Cutting items into requests: nothing is lost, nothing is too large, no generator is read further than needed."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.session.chunking import chunked
from planhat_orm.wire.messages import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator


def size_of(item: str) -> int:
    return len(encode_json(item))


def too_large(place: int, item: str, size: int) -> ValueError:
    return ValueError(f"{place} {item} {size}")


@given(st.lists(st.text(max_size=8)), st.integers(1, 6), st.integers(60, 120))
def test_every_item_goes_once_in_order_in_requests_within_both_limits(
    items: list[str], most: int, largest: int
) -> None:
    chunks = list(chunked(items, size_of, too_large, most=most, largest=largest))
    assert [item for chunk in chunks for item in chunk] == items
    assert all(0 < len(chunk) <= most and len(encode_json(chunk)) <= largest for chunk in chunks)
    for chunk, following in itertools.pairwise(chunks):
        # It could not have taken one more.
        assert len(chunk) == most or len(encode_json([*chunk, following[0]])) > largest


def test_an_item_fits_to_the_byte() -> None:
    assert list(chunked(["abcd"], size_of, too_large, most=5, largest=len(json.dumps(["abcd"])))) == [["abcd"]]
    with pytest.raises(ValueError, match="0 abcd 6"):
        list(chunked(["abcd"], size_of, too_large, most=5, largest=7))


def test_a_generator_is_not_read_beyond_a_full_request() -> None:
    read = []

    def items() -> Iterator[str]:
        for item in "abcd":
            read.append(item)
            yield item

    assert next(chunked(items(), size_of, too_large, most=2)) == ["a", "b"]
    assert read == ["a", "b"]
