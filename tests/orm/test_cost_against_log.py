"""What querysets say they cost, against the requests that came: querysets at random, over HTTP.

``cost()`` and ``explain()`` are asked first, then the queryset is used, then the sandbox's log is counted. How many
examples there are is the hypothesis profile's to say: HYPOTHESIS_PROFILE=thorough runs thirty times as many.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, note
from hypothesis import strategies as st
from plain_queries import Question, questions

if TYPE_CHECKING:
    from plain_world import World

#: Finding out what it means that a field is in no row takes so many requests more, once in a session.
TELLING = 3
#: No model is read by more lists than this.
LISTS = 2


def sent(world: World) -> int:
    return len(world.box.requests)


def more(cost: Any) -> int:
    """Return how many requests may come on top: finding out what it means that a field is in no row."""
    return TELLING if any("where no row holds" in said for said in cost.notes) else 0


@given(data=st.data(), before=st.integers(0, 2))
def test_as_many_requests_come_as_were_said(world: World, data: Any, before: int) -> None:
    question = data.draw(questions(world))
    with world.box.session(timezone=question.zone) as session:
        for _ in range(before):
            # What the session knows already must not make it wrong.
            list(data.draw(questions(world, models=[question.model])).queryset(world, session))
        qs = question.queryset(world, session)
        cost = qs.cost()
        note(str(cost))
        start = sent(world)
        assert str(cost) == qs.explain()
        list(qs)
        came = sent(world) - start
        if not cost.first:  # of what is read first, several readings may turn out to be one
            assert cost.least <= came
        if cost.requests is not None:
            assert cost.least == cost.requests == cost.most
        if cost.most is not None:
            assert came <= cost.most + more(cost)
        if cost.strategy == "nothing":
            assert came == 0


@given(data=st.data())
def test_once_the_size_is_known_a_scan_costs_what_is_expected(world: World, data: Any) -> None:
    question = replace(data.draw(questions(world)), slices=(), parallel=1)
    with world.box.session(timezone=question.zone) as session:
        list(question.queryset(world, session))
        qs = question.queryset(world, session)
        cost = qs.cost()
        note(str(cost))
        start = sent(world)
        list(qs)
        came = sent(world) - start
        if cost.expected is not None:
            # The end of each list may look as if it were cut, which one more request tells.
            assert came >= cost.expected - LISTS
            assert came <= cost.expected + LISTS + more(cost)


@given(question=st.data())
def test_making_and_looking_at_a_queryset_sends_nothing(world: World, question: Any) -> None:
    question = question.draw(questions(world))
    with world.box.session(timezone=question.zone) as session:
        start = sent(world)
        qs = question.queryset(world, session)
        for made in (qs, qs.all(), qs[:3], qs.values("id"), qs.only("id")):
            assert repr(made)
            assert made.explain() == str(made.cost())
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
