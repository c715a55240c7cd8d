"""How rows are taken in: order of requests, what is filled, what is refreshed, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.errors import ValidationError
from planhat_orm.models import Company, Enduser, Note
from planhat_orm.orm import tracking
from planhat_orm.orm.state import Origin

SOME_ID = "64b0f1a2c3d4e5f60718293a"
EVERYTHING = Company._meta.keys


def hydrated(loaded: frozenset[str] = EVERYTHING, **row: Any) -> Any:
    """Make the company of a row, of no session."""
    return Company._hydrated({"_id": SOME_ID, **row}, Origin(None, loaded | {"_id"}, 1))


def take_in(obj: Any, number: int, asked: frozenset[str] = EVERYTHING, **row: Any) -> None:
    """Give a row to an object."""
    obj._merge({"_id": SOME_ID, **row}, Origin(None, asked | {"_id"}, number))


def test_a_row_that_was_asked_for_before_the_last_write_only_fills() -> None:
    acme = hydrated(frozenset({"name", "phase"}), name="New", phase="Live")
    acme._ensure_state().written = 10
    take_in(acme, 9, name="Old", phase=None, city="Lund", tags=["a"])
    assert (acme.name, acme.phase, acme.city, acme.tags) == ("New", "Live", "Lund", ["a"])
    assert acme.web is None
    take_in(acme, 11, name="Newer")
    assert (acme.name, acme.phase, acme.city) == ("Newer", None, None)


def test_an_older_row_does_not_bring_back_what_is_known_to_have_no_value() -> None:
    acme = hydrated(name="Acme")
    acme._ensure_state().written = 10
    take_in(acme, 9, phase="Old")
    assert acme.phase is None


def test_a_leaner_row_says_nothing_of_what_it_was_not_asked_for() -> None:
    acme = hydrated(name="Acme", phase="Live", tags=["a"], mystery=1)
    take_in(acme, 2, frozenset({"name", "city"}), name="Acme AB")
    assert (acme.name, acme.phase, acme.tags, acme.extra) == ("Acme AB", "Live", ["a"], {"mystery": 1})
    take_in(acme, 3, name="Acme AB")
    assert (acme.phase, acme.tags, acme.extra) == (None, [], {})


def test_a_value_that_came_unasked_is_kept_by_a_row_that_did_not_ask_for_it_either() -> None:
    acme = hydrated(frozenset({"name"}), name="Acme", tags=["a"])
    tags = acme.tags
    take_in(acme, 2, frozenset({"name"}), name="Acme")
    assert tags == ["a"]
    assert acme.changes() == {}


def test_a_field_assigned_before_it_was_loaded_is_kept_and_is_no_conflict() -> None:
    acme = hydrated(frozenset({"name"}), name="Acme")
    acme.phase = "Mine"
    acme.tags = []
    take_in(acme, 2, name="Acme", phase="Theirs", tags=["a"])
    assert acme.changes() == {"phase": ("Theirs", "Mine"), "tags": (["a"], [])}
    assert acme.conflicts() == {}


def test_a_field_assigned_before_it_was_loaded_is_clean_when_planhat_has_it_already() -> None:
    acme = hydrated(frozenset({"name"}), name="Acme")
    acme.phase = "Live"
    acme.tags = ["a"]
    acme.custom["Tier"] = "Gold"
    assert set(acme.changes()) == {"phase", "tags", "custom.Tier"}
    take_in(acme, 2, name="Acme", phase="Live", tags=["a"], custom={"Tier": "Gold"})
    assert acme.changes() == {}
    take_in(acme, 3, name="Acme", phase="Lost", tags=["b"], custom={"Tier": "Bronze"})
    assert (acme.phase, acme.tags, acme.custom["Tier"]) == ("Lost", ["b"], "Bronze")


def test_an_unloaded_list_is_never_taken_for_an_empty_one() -> None:
    acme = hydrated(frozenset({"name"}), name="Acme")
    acme.tags = ["a"]
    acme.revert()
    assert acme.changes() == {}
    assert "tags" not in acme._state.values


def test_a_held_container_survives_being_cleared_and_filled_at_planhat() -> None:
    acme = hydrated(tags=["a"], custom={"Regions": ["EU"], "Map": {"x": 1}})
    tags, regions, mapping = acme.tags, acme.custom["Regions"], acme.custom["Map"]
    take_in(acme, 2, name="Acme")
    assert (tags, regions, mapping) == ([], [], {})
    assert acme.changes() == {}
    take_in(acme, 3, tags=["b"], custom={"Regions": ["US"], "Map": {"y": 2}})
    assert (tags, regions, mapping) == (["b"], ["US"], {"y": 2})
    assert acme.changes() == {}
    assert acme.tags is tags
    assert acme.custom["Regions"] is regions


def test_a_dirty_container_is_kept_and_its_conflict_told() -> None:
    acme = hydrated(tags=["a"])
    acme.tags.append("mine")
    take_in(acme, 2, tags=["a", "theirs"])
    assert acme.tags == ["a", "mine"]
    assert acme.conflicts() == {"tags": (["a", "theirs"], ["a", "mine"])}


def test_always_sent_keys_go_with_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enduser._meta, "always_sent", ("companyId",))
    ada = Enduser._hydrated({"_id": SOME_ID, "companyId": SOME_ID}, Origin(None, Enduser._meta.keys, 1))
    assert tracking.body_of(ada, tracking.pending(ada)) == {}
    ada.position = "CTO"
    assert tracking.body_of(ada, tracking.pending(ada)) == {"position": "CTO", "companyId": SOME_ID}


@pytest.mark.parametrize("stored", [None, "", "   ", {"odd": 1}, 7, "no-id", ["a"]])
def test_what_has_no_readable_value_is_not_always_sent_since_null_would_clear_it(
    monkeypatch: pytest.MonkeyPatch, stored: Any
) -> None:
    monkeypatch.setattr(Enduser._meta, "always_sent", ("companyId", "email"))
    row = {"_id": SOME_ID, "companyId": stored, "email": ["odd"]}
    ada = Enduser._hydrated(row, Origin(None, Enduser._meta.keys, 1))
    ada.position = "CTO"
    assert tracking.body_of(ada, tracking.pending(ada)) == {"position": "CTO"}
    ada._raw["companyId"] = {"_id": SOME_ID}
    assert tracking.body_of(ada, tracking.pending(ada)) == {"position": "CTO", "companyId": SOME_ID}


def test_what_is_sent_shares_nothing_with_the_object() -> None:
    note = Note(company_id=SOME_ID, users=[{"id": SOME_ID, "isOwner": True}], activity_tags=["a"])
    body = tracking.body_of(note, tracking.pending(note))
    body["users"][0]["isOwner"] = False
    body["activityTags"].append("b")
    assert note.users.items == [{"id": SOME_ID, "isOwner": True}]
    assert note.activity_tags == ["a"]


def test_all_complaints_come_at_once_with_those_of_custom_values() -> None:
    acme = hydrated(name="Acme")
    acme.name = None
    acme.csm_score = 3.5
    acme.tags = [1]
    acme.custom["a"] = acme.custom["A"] = 1
    with pytest.raises(ValidationError) as caught:
        acme.full_clean()
    assert set(caught.value.messages) == {"name", "csm_score", "tags", "custom.A"}


VALUES = st.sampled_from([None, "a", "b", "c"])


@given(steps=st.lists(st.tuples(st.sampled_from(["assign", "row", "lean", "save", "revert"]), VALUES, VALUES)))
def test_whatever_happens_ours_is_kept_theirs_is_known_and_nothing_else_is_sent(
    steps: list[tuple[str, str | None, str | None]],
) -> None:
    acme, number = hydrated(phase="a", custom={"Tier": "a"}), 1
    theirs: dict[str, str | None] = {"phase": "a", "Tier": "a"}
    ours: dict[str, str | None] = {}
    for step, phase, tier in steps:
        number += 1
        if step == "assign":
            acme.phase, acme.custom["Tier"] = phase, tier
            ours = {"phase": phase, "Tier": tier}
        elif step == "revert":
            acme.revert()
            ours = {}
        else:
            sent = None
            if step == "save":
                found = tracking.pending(acme)
                phase, tier = ours.get("phase", theirs["phase"]), ours.get("Tier", theirs["Tier"])
                sent = tracking.sent_of(acme, found)
                ours = {}
            row = {"phase": phase, "custom": {"Tier": tier}}
            asked = frozenset({"phase", "custom"}) if step == "lean" else EVERYTHING
            acme._merge({"_id": SOME_ID, **row}, Origin(None, asked, number), sent)
            theirs = {"phase": phase, "Tier": tier}
        # What is as Planhat has it is no change any more, and follows Planhat from then on.
        ours = {name: value for name, value in ours.items() if value != theirs[name]}
        expected = {f"custom.{name}" if name == "Tier" else name: (theirs[name], ours[name]) for name in ours}
        assert acme.changes() == expected
        assert acme.phase == ours.get("phase", theirs["phase"])
        assert acme.custom.get("Tier") == ours.get("Tier", theirs["Tier"])
        assert set(acme.conflicts()) <= set(expected)


def test_a_change_that_planhat_has_meanwhile_leaves_no_conflict_behind() -> None:
    acme = hydrated(phase="Live", custom={"Tier": "Silver"})
    acme.phase = "Lost"
    acme.custom["Tier"] = "Gold"
    take_in(acme, 2, phase="Lost", custom={"Tier": "Gold"})
    assert acme.changes() == {}
    acme.phase = "Won back"
    acme.custom["Tier"] = "Bronze"
    assert acme.conflicts() == {}


def test_a_conflict_that_planhat_resolved_leaves_nothing_behind() -> None:
    acme = hydrated(phase="Live", custom={"Tier": "Silver"})
    acme.phase = "Lost"
    acme.custom["Tier"] = "Gold"
    take_in(acme, 2, phase="Paused", custom={"Tier": "Bronze"})
    assert acme.conflicts().keys() == {"phase", "custom.Tier"}
    take_in(acme, 3, phase="Lost", custom={"Tier": "Gold"})
    assert acme.changes() == {}
    acme.phase = "Won back"
    acme.custom["Tier"] = "Platinum"
    assert acme.conflicts() == {}
    take_in(acme, 4, phase="Live", custom={"Tier": "Silver"})
    assert acme.conflicts() == {"phase": ("Live", "Won back"), "custom.Tier": ("Silver", "Platinum")}


def test_an_older_row_only_fills_an_object_that_was_never_written() -> None:
    acme = hydrated(frozenset({"name", "phase"}), name="First")
    take_in(acme, 5, frozenset({"name", "phase"}), name="Newer")
    take_in(acme, 3, frozenset({"name", "phase", "city"}), name="Older", phase="Old", city="Lund")
    assert (acme.name, acme.phase, acme.city) == ("Newer", None, "Lund")
    take_in(acme, 6, frozenset({"name"}), name="Newest")
    assert acme.name == "Newest"


def test_rows_of_one_page_that_are_read_again_together_share_one_origin() -> None:
    page = Origin(None, frozenset({"_id", "name"}), 1)
    objects = [Company._hydrated({"_id": f"{n:024x}", "name": "C"}, page) for n in range(3)]
    again = Origin(None, frozenset({"_id", "phase"}), 2)
    for obj in objects:
        obj._merge({"_id": obj.id, "phase": "Live"}, again)
    origins = {id(obj._origin) for obj in objects}
    assert len(origins) == 1
    assert objects[0]._origin is not None
    assert (objects[0]._origin.number, page.number) == (2, 1)


def test_a_list_that_was_sent_and_is_not_told_by_the_answer_is_loaded_again() -> None:
    note = Note._hydrated({"_id": SOME_ID}, Origin(None, Note._meta.listed_keys, 1))
    note._ensure_state().values["timeBucket"] = written = ["2025"]
    sent = tracking.sent_of(note, tracking.pending(note))
    note._merge({"_id": SOME_ID}, Origin(None, Note._meta.listed_keys, 2), sent)
    assert "timeBucket" not in Note._meta.listed_keys
    assert (note.changes(), written) == ({}, ["2025"])
    assert not note._knows("timeBucket")
