"""The memory of ids: exact for any text, small for Planhat's own ids."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planhat_orm.paging.seen import Seen, _pack

object_ids = st.binary(min_size=12, max_size=12).map(bytes.hex)
odd_ids = st.one_of(st.text(min_size=1), st.just("A" * 24), st.just("ab " * 8))


@given(pages=st.lists(st.lists(st.one_of(object_ids, odd_ids), min_size=1)), later=st.lists(object_ids))
@settings(max_examples=200, deadline=None)
def test_every_id_added_before_and_after_unpacking_is_found(pages, later):
    seen = Seen()
    for page in pages:
        seen.add(page)
    known = seen.unpack()
    seen.add(later)
    assert known == {one for page in [*pages, later] for one in page}
    assert seen.unpack() is known


@pytest.mark.parametrize(
    "one", ["A" * 24, "ab cd ab cd ab cd ab cd ", "ä" * 24, "x", "a" * 25, "a" * 26, "\ud800", "a\0b"]
)
def test_texts_that_only_look_like_ids_are_kept_as_they_are(one):
    seen = Seen()
    seen.add([one])
    assert seen.unpack() == {one}


def test_five_thousand_ids_take_at_most_twelve_bytes_each():
    ids = [f"{0x5F0C1B2A + number * 977:08x}3d4e5f6071{number * 31 % 2**24:06x}" for number in range(5000)]
    assert sys.getsizeof(_pack(ids)) < 5000 * 12
