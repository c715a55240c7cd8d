"""Whose is what in the answer to a bulk upsert: each item once, and no claim that the answer does not bear out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.models import Company, Enduser, Ticket
from planhat_orm.session.attribution import Envelope, Verdict, attribute
from planhat_orm.session.changes import Change

NAMES = ("sourceId", "externalId", "email")


def an_id(number: int) -> str:
    return f"64b{number:021x}"


def item(place: int, body: dict[str, Any], *, key: str | None = None, model: Any = Enduser) -> Change:
    return Change(model, key, {}, body, keys={name: body[name] for name in NAMES if name in body}, place=place)


def answer(**said: Any) -> Envelope:
    found = Envelope.of({"created": 0, "updated": 0, "nonupdates": 0, **said})
    assert found is not None
    return found


def statuses(items: list[Change], envelope: Envelope, *, repeated: bool = False) -> list[str]:
    return [verdict.status for verdict in attribute(items, envelope, repeated=repeated)]


# Any mix of outcomes, any documented shape of the answer


@dataclass(frozen=True)
class Case:
    items: list[Change]
    #: What really became of each, and the id of its record.
    truth: list[tuple[str, str | None]]
    answer: dict[str, Any]


@st.composite
def cases(draw: st.DrawFn, *, keyless: bool = False) -> Case:
    """A request, what became of its items, and an answer in one of the shapes that are documented or were seen."""
    items, truth = [], []
    count = draw(st.integers(1, 8))
    outcomes = st.sampled_from(["created", "failed"] if keyless else ["created", "updated", "unchanged", "failed"])
    for place in range(count):
        became = draw(outcomes)
        body: dict[str, Any] = {"firstName": draw(st.sampled_from(["Ada", "Grace"]))}
        by_id = became != "created" and draw(st.booleans())
        if not keyless and not by_id:
            for name in draw(st.sets(st.sampled_from(NAMES), min_size=1)):
                # Now and then two items share a key that does not decide: an external id, say, of two companies.
                body[name] = f"{name}-{draw(st.integers(place, place + 1)) if draw(st.booleans()) else place}"
        items.append(item(place, body, key=an_id(place) if by_id else None))
        truth.append((became, None if became == "failed" else an_id(place)))
    return Case(items, truth, draw(answers(items, truth)))


@st.composite
def answers(draw: st.DrawFn, items: list[Change], truth: list[tuple[str, str | None]]) -> dict[str, Any]:
    with_keys, error_objects = draw(st.booleans()), draw(st.booleans())

    def keys(change: Change, key: str | None, *, shown: bool) -> dict[str, Any]:
        return {"_id": key, **(change.keys or {} if shown else {})}

    def error(change: Change) -> Any:
        if not error_objects:
            return draw(st.sampled_from(["email duplicated", "invalid id"]))
        named = {"_id": change.key} if change.key else dict(change.keys or {})
        return draw(st.sampled_from([{"message": "no", **named}, {"error": "no", "item": dict(change.after or {})}]))

    pairs = list(zip(items, truth, strict=True))
    created = [(change, key) for change, (became, key) in pairs if became == "created"]
    updated = [(change, key) for change, (became, key) in pairs if became == "updated"]
    failed = [change for change, (became, _) in pairs if became == "failed"]
    said: dict[str, Any] = {
        "created": len(created),
        "createdErrors": [error(change) for change in failed if change.key is None],
        "insertsKeys": [keys(change, key, shown=True) for change, key in created],
        "updated": len(updated),
        "updatedErrors": [error(change) for change in failed if change.key is not None],
        "updatesKeys": [keys(change, key, shown=with_keys) for change, key in updated],
        "nonupdates": sum(became == "unchanged" for became, _ in truth),
        "modified": [key for _, key in updated],
        "upsertedIds": [key for _, key in created],
        "permissionErrors": [],
    }
    if draw(st.booleans()):
        said["validationErrors"] = said.pop("createdErrors")
    if draw(st.booleans()):
        said["insertsKeys" if draw(st.booleans()) else "updatesKeys"] = []  # only the lists of ids are left
    for name in draw(st.sets(st.sampled_from(["permissionErrors", "modified", "upsertedIds"]))):
        said.pop(name)
    return said


#: What is no wrong claim of an item that became the first.
FAIR = {
    "created": {"created", "stored", "unknown"},
    "updated": {"updated", "stored", "unknown"},
    "unchanged": {"unchanged", "stored", "unknown"},
    "failed": {"failed", "unknown"},
}


def check(case: Case) -> None:
    envelope = Envelope.of(case.answer)
    assert envelope is not None
    verdicts = attribute(case.items, envelope)
    assert len(verdicts) == len(case.items)
    for verdict, (became, key) in zip(verdicts, case.truth, strict=True):
        assert verdict.status in FAIR[became], (verdict, became)
        assert verdict.status in ("failed", "unknown") or verdict.id in (None, key)
        assert bool(verdict.reason) == (verdict.status in ("failed", "unknown"))


@given(cases())
def test_no_item_is_said_to_be_what_it_did_not_become(case: Case) -> None:
    check(case)


@given(cases(keyless=True))
def test_items_without_keys_are_taken_for_nothing_that_they_are_not(case: Case) -> None:
    check(case)


@given(cases())
def test_a_run_without_refusals_is_known_to_be_stored(case: Case) -> None:
    if all(became != "failed" for became, _ in case.truth):
        found = attribute(case.items, answer(**case.answer))
        assert {verdict.status for verdict in found} <= {"created", "updated", "unchanged", "stored"}


@given(cases(), st.integers(1, 3))
def test_what_planhat_drops_without_a_word_is_never_said_to_be_done(case: Case, dropped: int) -> None:
    lost = [item(place, {"email": f"lost-{place}@acme.example"}) for place in range(100, 100 + dropped)]
    verdicts = attribute([*case.items, *lost], answer(**case.answer))
    assert {verdict.status for verdict in verdicts[len(case.items) :]} <= {"unknown"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
LISTS = ("insertsKeys", "updatesKeys", "modified", "upsertedIds", "createdErrors", "updatedErrors", "permissionErrors")


@given(st.fixed_dictionaries({"created": st.integers(-1, 4)}, optional=dict.fromkeys(LISTS, json_values)), cases())
def test_an_answer_of_any_shape_gives_each_item_one_verdict(said: dict[str, Any], case: Case) -> None:
    assert len(attribute(case.items, answer(**said))) == len(case.items)


# One by one


def test_ids_and_keys_name_items_and_what_is_left_is_unchanged() -> None:
    items = [
        item(0, {"email": "ada@acme.example"}),
        item(1, {"firstName": "Grace"}, key=an_id(1)),
        item(2, {"sourceId": "crm-3"}),
    ]
    envelope = answer(
        created=1,
        insertsKeys=[{"_id": an_id(7), "email": "Ada@Acme.example"}],
        updated=1,
        updatesKeys=[{"_id": an_id(1)}],
        modified=[an_id(1)],
        nonupdates=1,
    )
    assert attribute(items, envelope) == [
        Verdict("created", an_id(7)),
        Verdict("updated", an_id(1)),
        Verdict("unchanged"),
    ]


def test_without_keys_the_ids_are_taken_in_the_order_of_the_request() -> None:
    items = [item(place, {"firstName": "Ada"}) for place in range(3)]
    ids = [an_id(place) for place in (5, 6, 7)]
    envelope = answer(created=3, insertsKeys=[{"_id": key} for key in ids], upsertedIds=ids)
    assert [verdict.id for verdict in attribute(items, envelope)] == ids


def test_an_order_that_is_not_the_requests_gives_no_ids() -> None:
    items = [item(0, {"sourceId": "a"}), item(1, {"firstName": "Ada"}), item(2, {"sourceId": "c"})]
    keys = [{"_id": an_id(9), "sourceId": "c"}, {"_id": an_id(8)}, {"_id": an_id(7), "sourceId": "a"}]
    found = attribute(items, answer(created=3, insertsKeys=keys))
    assert [(verdict.status, verdict.id) for verdict in found] == [
        ("created", an_id(7)),
        ("created", None),
        ("created", an_id(9)),
    ]


def test_a_refusal_without_a_name_leaves_what_it_may_be_of_unknown_with_all_reasons() -> None:
    items = [item(place, {"sourceId": f"crm-{place}"}) for place in range(3)]
    envelope = answer(created=1, insertsKeys=[{"_id": an_id(9), "sourceId": "crm-0"}], updated=1, createdErrors=["bad"])
    found = attribute(items, envelope)
    assert [verdict.status for verdict in found] == ["created", "unknown", "unknown"]
    assert found[1].reason == "Planhat refused 1 of 2 without saying which: bad"


def test_when_all_that_is_left_was_refused_it_failed_with_all_reasons() -> None:
    items = [item(place, {"sourceId": f"crm-{place}"}) for place in range(2)]
    found = attribute(items, answer(createdErrors=["no name", "no company"]))
    assert found == [Verdict("failed", reason="no name; no company")] * 2


def test_a_refusal_that_names_its_item_is_its_own() -> None:
    items = [item(place, {"sourceId": f"crm-{place}"}) for place in range(3)]
    errors = [{"message": "no company", "doc": {"sourceId": "crm-1"}}]
    found = attribute(items, answer(nonupdates=2, permissionErrors=errors))
    assert [verdict.status for verdict in found] == ["unchanged", "failed", "unchanged"]
    assert (found[1].reason, found[1].forbidden) == ("no company", True)


def test_an_index_in_a_refusal_is_not_believed() -> None:
    items = [item(place, {"sourceId": f"crm-{place}"}) for place in range(2)]
    assert statuses(items, answer(nonupdates=1, createdErrors=[{"index": 0, "message": "no"}])) == ["unknown"] * 2


def test_two_things_said_of_one_item_are_unknown() -> None:
    items = [item(0, {"sourceId": "crm-0"})]
    envelope = answer(
        updated=1, updatesKeys=[{"_id": an_id(1), "sourceId": "crm-0"}], updatedErrors=[{"sourceId": "crm-0"}]
    )
    assert statuses(items, envelope) == ["unknown"]


def test_a_refusal_too_many_takes_back_what_was_said_to_be_done() -> None:
    items = [item(0, {"firstName": "Ada"}, key=an_id(1))]
    assert statuses(items, answer(updated=1, modified=[an_id(1)], updatedErrors=["no"])) == ["unknown"]


@pytest.mark.parametrize(("counted", "said"), [(1, "counts 1 .*dropped"), (3, "counts 3")])
def test_counts_that_do_not_add_up_are_said(counted: int, said: str) -> None:
    items = [item(place, {"sourceId": f"crm-{place}"}) for place in range(2)]
    found = attribute(items, answer(nonupdates=counted))
    assert {verdict.status for verdict in found} == {"unknown"}
    assert re.search(said, found[0].reason)


def test_a_duplicate_of_a_request_that_was_sent_twice_is_unknown() -> None:
    items = [item(0, {"sourceId": "crm-0"})]
    envelope = answer(createdErrors=["sourceId duplicated"])
    assert statuses(items, envelope) == ["failed"]
    assert statuses(items, envelope, repeated=True) == ["unknown"]


def test_a_tickets_key_is_read_under_another_name_than_it_is_sent() -> None:
    body = {"sourceId": "zd-1", "title": "Help"}
    ticket = Change(Ticket, None, {}, body, keys={"externalId": "zd-1", "sourceId": "zd-1"}, place=0)
    other = Change(Ticket, None, {}, body, keys={"externalId": "zd-2", "sourceId": "zd-2"}, place=1)
    for name in ("externalId", "sourceId"):
        envelope = answer(created=1, insertsKeys=[{"_id": an_id(1), name: "zd-2"}], nonupdates=1)
        assert statuses([ticket, other], envelope) == ["unchanged", "created"]


@pytest.mark.parametrize("data", [None, "", [], "Bad request", {"message": "no"}, {"_id": an_id(1), "name": "Acme"}])
def test_what_is_no_answer_to_a_bulk_upsert_is_told_from_one(data: Any) -> None:
    assert Envelope.of(data) is None


def test_an_older_answer_without_some_lists_is_read() -> None:
    # The recordings of 2019-20 have no permissionErrors, and some no counts (github.com/hull/hull-planhat).
    items = [Change(Company, None, {}, {"externalId": "a"}, keys={"externalId": "a"}, place=0)]
    envelope = Envelope.of({"insertsKeys": [{"_id": an_id(1), "externalId": "a"}]})
    assert envelope is not None
    assert attribute(items, envelope) == [Verdict("created", an_id(1))]


def test_keyed_items_get_no_ids_by_their_position_alone() -> None:
    items = [item(place, {"externalId": f"e-{place}"}) for place in range(2)]
    found = attribute(items, answer(created=2, insertsKeys=[{"_id": an_id(8)}, {"_id": an_id(9)}]))
    assert [(one.status, one.id) for one in found] == [("created", None)] * 2
    [single] = attribute(items[:1], answer(created=1, insertsKeys=[{"_id": an_id(8)}]))
    assert (single.status, single.id) == ("created", an_id(8))
