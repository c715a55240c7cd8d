"""What querysets say they cost, against the requests that came: querysets at random, over HTTP.

``explain()`` is asked first, then the queryset is used, then the sandbox's log is counted. The number of examples is
that of the hypothesis profile: HYPOTHESIS_PROFILE=thorough runs thirty times as many.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "plain_python"))

from plain_queries import Question, questions
from plain_world import World, filled

from planhat_orm.orm.options import registry
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Finding out what it means that a field is in no row takes so many requests more, once in a session.
TELLING = 3


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    known = dict(registry)
    with Sandbox() as box:
        yield filled(box)
    registry.clear()
    registry.update(known)


def sent(world: World) -> int:
    return len(world.box.requests)


def exactly(text: str) -> int | None:
    """Return the number of requests where explain() knows it."""
    found = re.search(r"^  requests: (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found and "read first" not in text else None


def tells_more(text: str) -> int:
    return TELLING if "note: where no row holds" in text else 0


@given(data=st.data(), before=st.booleans())
def test_an_exact_number_is_the_number_of_requests(world: World, data: Any, before: bool) -> None:
    question = data.draw(questions(world))
    with world.box.session(timezone=question.zone) as session:
        if before:
            # What the session knows already must not make it wrong.
            list(data.draw(questions(world, models=[question.model])).queryset(world, session))
        qs = question.queryset(world, session)
        text = qs.explain()
        note(text)
        start = sent(world)
        list(qs)
        came = sent(world) - start
        number = exactly(text)
        if number is not None:
            assert number <= came <= number + tells_more(text)


@given(question=st.data())
def test_making_and_looking_at_a_queryset_sends_nothing(world: World, question: Any) -> None:
    question = question.draw(questions(world))
    with world.box.session(timezone=question.zone) as session:
        start = sent(world)
        qs = question.queryset(world, session)
        for made in (qs, qs.all(), qs[:3], qs.values("id"), qs.only("id")):
            assert repr(made)
            assert made.explain()
        assert str(qs.query)
        assert qs.scan_report is None
        assert sent(world) == start


@given(data=st.data())
def test_using_a_queryset_again_sends_nothing(world: World, data: Any) -> None:
    question: Question = data.draw(questions(world))
    with world.box.session(timezone=question.zone) as session:
        qs = question.queryset(world, session)
        records = list(qs)
        start = sent(world)
        assert list(qs) == records
        assert len(qs) == qs.count() == len(records)
        assert bool(qs) is qs.exists() is bool(records)
        assert qs.first() == (records[0] if records else None)
        assert list(qs[1:4]) == records[1:4]
        assert [qs[place] for place in range(len(records))][-3:] == records[-3:]
        assert list(qs.values_list("id", flat=True)) == [record.id for record in records]
        if not qs.query.sliced:
            assert qs.last() == (records[-1] if records else None)
        assert sent(world) == start
