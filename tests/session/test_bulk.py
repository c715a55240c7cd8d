"""Runs of bulk upserts over HTTP: requests, faults, and what each item is said to have become."""

from __future__ import annotations

import itertools
import json
import logging
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import AmbiguousWrite, ApiError, BadRequest, Forbidden, ReadOnlyError, ValidationError
from planhat_orm.models import NPS, Company, Enduser, Note, Ticket
from planhat_orm.session.bulk import TIMEOUT, chunks_of, merge_duplicates
from planhat_orm.session.changes import Change, Ledger, Outcome
from planhat_orm.wire.transport import Replay

if TYPE_CHECKING:
    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox


def keyed(place: int, **values: Any) -> Change:
    body = {"externalId": f"c-{place}", "name": f"Company {place}", **values}
    return Change(Company, None, {}, body, keys={"externalId": body["externalId"]}, place=place)


def keyless(place: int, **values: Any) -> Change:
    return Change(Company, None, {}, {"name": f"Company {place}", **values}, keys={}, place=place)


def run(session: Session, changes: list[Change]) -> Ledger:
    upsert = session.writer.upsert(changes[0].model)
    found: dict[int, Outcome] = {}
    upsert.write(changes, found.__setitem__)
    assert sorted(found) == list(range(len(changes)))
    outcomes = [found[place] for place in range(len(changes))]
    return Ledger(outcomes, settle=session.writer.reconcile, counted=upsert.counted)


def statuses(ledger: Ledger) -> list[str]:
    return [outcome.status for outcome in ledger]


# Requests


def test_items_go_in_one_request_and_get_their_ids(box: Sandbox, session: Session) -> None:
    ledger = run(session, [keyed(0), keyed(1)])
    assert statuses(ledger) == ["created", "created"]
    assert [outcome.id for outcome in ledger] == [box.row(Company, external_id=f"c-{n}")["_id"] for n in range(2)]
    assert [(request.method, request.path) for request in box.requests] == [("PUT", "/companies")]
    assert ledger.counted == {"created": 2, "updated": 0, "unchanged": 0}


def test_a_request_waits_long_and_repeats_only_what_has_keys(session: Session) -> None:
    with session.capture() as sent:
        run(session, [keyless(0), keyed(1)])
    assert [(request.replay, request.timeout) for request, _ in sent] == [
        (Replay.LATER, TIMEOUT),
        (Replay.NEVER, TIMEOUT),
    ]
    assert TIMEOUT[1] == 180


def test_items_without_keys_go_in_requests_of_their_own(box: Sandbox, session: Session) -> None:
    ledger = run(session, [keyless(0), keyed(1), keyless(2)])
    assert statuses(ledger) == ["created"] * 3
    names = [[row["name"] for row in request.json] for request in box.requests]
    assert names == [["Company 1"], ["Company 0", "Company 2"]]
    rows = [box.row(Company, outcome.id)["name"] for outcome in ledger if outcome.id]
    assert rows == ["Company 0", "Company 1", "Company 2"]


def test_five_thousand_items_are_one_request_and_one_more_is_two() -> None:
    items = [keyed(place) for place in range(5_001)]
    assert [len(chunk) for chunk in chunks_of(items, range(5_000))] == [5_000]
    assert [len(chunk) for chunk in chunks_of(items, range(5_001))] == [5_000, 1]
    assert chunks_of(items, []) == []


@pytest.mark.parametrize("largest", [100, 101, 150, 333])
def test_a_body_is_never_larger_than_it_may_be(largest: int) -> None:
    items = [keyless(place, phase="Ä" * (place % 7)) for place in range(40)]
    chunks = chunks_of(items, range(40), largest=largest)
    assert [place for chunk in chunks for place in chunk] == list(range(40))
    bodies = [
        json.dumps([items[place].after for place in chunk], ensure_ascii=False, separators=(",", ":"))
        for chunk in chunks
    ]
    sizes = [len(body.encode()) for body in bodies]
    assert max(sizes) <= largest
    # No two neighbours would have fitted into one request.
    assert all(one + other - 1 > largest - 60 for one, other in itertools.pairwise(sizes))


def test_an_item_larger_than_a_request_is_refused_before_any(box: Sandbox, session: Session) -> None:
    with pytest.raises(ValidationError, match=r"items\[1\]: is 32.0 MB; Planhat takes 32 MB a request"):
        run(session, [keyed(0), keyed(1, description="x" * 32_000_000)])
    assert box.requests == []


@pytest.mark.parametrize("value", [float("nan"), object(), "\ud800"])
def test_what_cannot_be_sent_as_json_is_refused_before_any_request(box: Sandbox, session: Session, value: Any) -> None:
    with pytest.raises(ValidationError, match=r"items\[1\]: cannot be sent as JSON"):
        run(session, [keyed(0), keyed(1, phase=value)])
    assert box.requests == []


def test_a_request_that_is_too_large_for_planhat_goes_in_halves(box: Sandbox, session: Session) -> None:
    box.behaviour.max_body = 250
    ledger = run(session, [keyed(place) for place in range(7)])
    assert statuses(ledger) == ["created"] * 7
    assert [len(request.json) for request in box.requests if request.status == 200] == [3, 4]


def test_one_item_that_is_too_large_fails_and_stops_the_run(box: Sandbox, session: Session) -> None:
    box.behaviour.max_body = 250
    ledger = run(session, [keyed(0), keyed(1, description="x" * 300), keyed(2), keyed(3)])
    assert statuses(ledger) == ["created", "failed", "not_sent", "not_sent"]
    assert isinstance(ledger.outcomes[1].error, ApiError)


def test_a_read_only_session_sends_nothing(box: Sandbox) -> None:
    with pytest.raises(ReadOnlyError):
        run(box.session(read_only=True), [keyed(0)])
    assert box.requests == []


# One record, one item


def test_items_for_one_record_are_merged_and_said(
    box: Sandbox, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    items = [
        keyed(0, phase="Trial", custom={"Tier": "Silver", "Seats": 5}),
        keyed(1),
        keyed(0, phase="Live", custom={"Tier": "Gold"}),
        keyed(0, name="Acme"),
    ]
    with caplog.at_level(logging.WARNING, "planhat_orm"):
        ledger = run(session, items)
    assert statuses(ledger) == ["merged", "created", "merged", "created"]
    [request] = box.requests
    assert request.json[1] == {
        "externalId": "c-0",
        "name": "Acme",
        "phase": "Live",
        "custom": {"Tier": "Gold", "Seats": 5},
    }
    assert caplog.text.count("sent together with") == 2


def test_a_key_that_is_unique_within_a_company_is_another_in_another_company() -> None:
    def person(company: str) -> Change:
        return Change(Enduser, None, {}, {"externalId": "1", "companyId": company}, keys={"externalId": "1"})

    assert merge_duplicates([person("extid-a"), person("extid-b")])[1] == {}
    assert merge_duplicates([person("extid-a"), person("extid-a")])[1] == {0: 1}


def test_items_without_keys_are_never_merged() -> None:
    assert merge_duplicates([keyless(0, name="Same"), keyless(1, name="Same")])[1] == {}


def test_keys_that_differ_in_letter_case_are_two() -> None:
    # Planhat keeps the case of an external id, and whether it heeds that of an e-mail is not known.
    assert merge_duplicates([keyed(0, externalId="a"), keyed(1, externalId="A")])[1] == {}


def test_a_merged_item_tells_the_id_of_its_record(box: Sandbox, session: Session) -> None:
    ledger = run(session, [keyed(0), keyed(0)])
    assert [outcome.id for outcome in ledger.merged] == [ledger.created[0].id]
    with box.fault("status", method="PUT", status=400, times=9):
        ledger = run(session, [keyed(1), keyed(1)])
    assert (statuses(ledger), ledger.outcomes[0].id, ledger.ok) == (["merged", "failed"], None, False)


def test_items_of_one_id_are_merged() -> None:
    key = "64b0000000000000000000aa"
    items = [Change(Note, key, {}, {"_id": key, "subject": text}, keys={}) for text in ("a", "b")]
    found, merged = merge_duplicates(items)
    assert (found[1].after, merged) == ({"_id": key, "subject": "b"}, {0: 1})


# Refusals


def test_refusals_are_the_items_own_and_the_rest_is_done(box: Sandbox, session: Session) -> None:
    box.behaviour.error_elements = "object"
    ledger = run(session, [keyed(0), keyed(1, name=""), keyed(2)])
    assert statuses(ledger) == ["created", "failed", "created"]
    error = ledger.outcomes[1].error
    assert isinstance(error, BadRequest)
    assert str(error).startswith("items[1], upsert of Company 'c-1': Planhat refuses it: ")
    assert box.requests[0].status == 206


def test_an_answer_of_400_is_read_item_by_item_and_the_run_goes_on(box: Sandbox, session: Session) -> None:
    ledger = run(session, [keyed(0, name=""), keyed(1, name=""), keyless(2)])
    assert [request.status for request in box.requests] == [400, 200]
    assert statuses(ledger) == ["failed", "failed", "created"]


def test_an_answer_of_403_with_lists_is_read_item_by_item(box: Sandbox, session: Session) -> None:
    box.add(Company, name="Acme", externalId="c-0")
    box.forbid(Company, "create")
    ledger = run(session, [keyed(0, phase="x"), keyed(1)])
    refused = run(session, [keyed(2)])
    assert [request.status for request in box.requests] == [206, 403]
    assert statuses(ledger) == ["unknown", "unknown"]
    assert statuses(refused) == ["failed"]
    assert isinstance(refused.outcomes[0].error, Forbidden)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429])
def test_a_request_refused_whole_stops_the_run(box: Sandbox, session: Session, status: int) -> None:
    box.fault("status", method="PUT", status=status, body={"message": "no"}, after=1, times=99)
    ledger = run(session, [keyed(0), keyless(1)])
    assert statuses(ledger) == ["created", "failed"]
    assert isinstance(ledger.outcomes[1].error, ApiError)
    box.fault("status", method="PUT", status=status, body={"message": "no"}, times=99)
    assert statuses(run(session, [keyed(2), keyless(3)])) == ["failed", "not_sent"]


# Lost answers


def test_a_lost_answer_of_items_with_keys_is_asked_for_again_and_said(
    box: Sandbox, session: Session, carried_out: dict[str, Any], slept: list[float]
) -> None:
    box.fault(**carried_out, method="PUT", times=1)
    ledger = run(session, [keyed(0), keyed(1)])
    assert box.count(Company) == 2
    assert (statuses(ledger), [outcome.repeated for outcome in ledger]) == (["unchanged"] * 2, [True, True])
    assert (len(box.requests), slept) == (2, [30.0])


def test_a_lost_answer_of_items_without_keys_is_unknown_and_sent_once(
    box: Sandbox, session: Session, answer_lost: dict[str, Any], records_made: int
) -> None:
    box.fault(**answer_lost, method="PUT", times=99)
    ledger = run(session, [keyless(0)])
    assert statuses(ledger) == ["unknown"]
    assert isinstance(ledger.outcomes[0].error, AmbiguousWrite)
    assert (len(box.requests), box.count(Company)) == (1, records_made)


def test_after_a_lost_answer_nothing_more_is_sent(box: Sandbox, session: Session) -> None:
    box.fault("lost_answer", method="PUT", times=99)
    ledger = run(session, [keyed(0), keyless(1)])
    assert statuses(ledger) == ["unknown", "not_sent"]
    assert not ledger.ok
    assert box.count(Company) == 1


@pytest.mark.parametrize("body", [{"message": "Something went wrong"}, [], {"_id": "1"}])
def test_an_answer_that_tells_nothing_leaves_its_items_unknown_and_ends_the_run(
    box: Sandbox, session: Session, body: Any
) -> None:
    box.fault("wrong_shape", method="PUT", body=body)
    ledger = run(session, [keyed(0), keyless(1)])
    assert statuses(ledger) == ["unknown", "not_sent"]
    assert len(box.requests) == 1


# Reading back


def test_what_was_lost_is_read_back_by_its_key(box: Sandbox, session: Session) -> None:
    box.add(Company, name="Other", externalId="c-1")
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, [keyed(0), keyed(1), keyed(2)])
    assert statuses(ledger) == ["unknown"] * 3
    box.add(Company, name="Company 2", externalId="c-2")
    before = len(box.requests)
    assert ledger.reconcile() is ledger
    assert statuses(ledger) == ["failed", "unknown", "stored"]
    assert "has another name than was sent" in str(ledger.outcomes[1].error)
    assert ledger.outcomes[2].id == box.row(Company, external_id="c-2")["_id"]
    assert [request.path for request in box.requests[before:]] == [f"/companies/extid-c-{n}" for n in range(3)]


def test_what_an_answer_did_not_tell_apart_is_read_back_and_held_against_its_ids(
    box: Sandbox, session: Session
) -> None:
    for place in range(3):
        box.add(Company, name=f"Company {place}", externalId=f"c-{place}")
    ledger = run(session, [keyed(0), keyed(1, phase="Live"), keyed(2), keyed(3, name="")])
    assert statuses(ledger) == ["unknown"] * 4
    ledger.reconcile()
    assert statuses(ledger) == ["unchanged", "updated", "unchanged", "failed"]
    assert len(box.requests) == 5


def test_a_text_that_planhat_keeps_in_another_form_is_not_said_to_have_failed(box: Sandbox, session: Session) -> None:
    box.add(Company, name="Company 0", externalId="c-0", description="<p>Hello</p>")
    box.add(Company, name="Company 1", externalId="c-1")
    ledger = run(session, [keyed(0), keyed(1), keyed(2, name="")])
    stored = [keyed(0, description="Hello"), keyed(1)]
    assert statuses(ledger) == ["unknown"] * 3
    ledger.outcomes[:2] = [Outcome(change, "unknown", told=ledger.outcomes[0].told) for change in stored]
    assert statuses(ledger.reconcile()) == ["unknown", "unchanged", "failed"]
    assert "another description than was sent, and is not among" in str(ledger.outcomes[0].error)


def test_a_value_that_is_read_under_another_name_is_recognized(box: Sandbox, session: Session) -> None:
    box.behaviour.nps_names = "short"
    acme = box.add(Company, name="Acme")
    box.add(NPS, source_id="n-1", score=9, email="a@b.example", company=acme)
    body = {"sourceId": "n-1", "score": 9, "email": "a@b.example"}
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, [Change(NPS, None, {}, body, keys={"sourceId": "n-1"}, place=0)])
    assert statuses(ledger.reconcile()) == ["stored"]


def test_a_record_that_is_gone_is_not_found_by_its_id(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    box.remove(Company, acme)
    change = Change(Company, acme["_id"], {}, {"_id": acme["_id"], "name": "x"}, keys={}, place=0)
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, [change])
    assert statuses(ledger.reconcile()) == ["not_found"]


def test_what_has_no_key_to_read_by_stays_unknown_and_costs_nothing(box: Sandbox, session: Session) -> None:
    mail = Change(Enduser, None, {}, {"email": "a@b.example"}, keys={"email": "a@b.example"}, place=0)
    ticket = Change(Ticket, None, {}, {"sourceId": "1"}, keys={"externalId": "1", "sourceId": "1"}, place=0)
    for change in (keyless(0), mail, ticket):
        with box.fault("status", method="PUT", status=500, times=99):
            ledger = run(session, [change])
        before = len(box.requests)
        assert statuses(ledger.reconcile()) == ["unknown"]
        assert len(box.requests) == before


def test_another_companys_record_of_the_same_key_is_not_taken_for_it(box: Sandbox, session: Session) -> None:
    acme, birch = box.add(Company, name="Acme"), box.add(Company, name="Birch")
    box.add(Enduser, externalId="1", company=acme, email="a@b.example")
    body = {"externalId": "1", "companyId": birch["_id"], "email": "a@b.example"}
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, [Change(Enduser, None, {}, body, keys={"externalId": "1"}, place=0)])
    assert statuses(ledger.reconcile()) == ["unknown"]
    assert "another record" in str(ledger.outcomes[0].error)


def test_a_company_that_was_named_by_its_own_key_is_looked_up_once_and_recognized(
    box: Sandbox, session: Session
) -> None:
    acme = box.add(Company, name="Acme", external_id="acme-42")
    box.add(Company, name="Birch", external_id="birch-7")
    for number in "12":
        box.add(Enduser, externalId=number, company=acme, email=f"{number}@b.example")

    def person(number: str, company: str, place: int) -> Change:
        body = {"externalId": number, "companyId": f"extid-{company}", "email": f"{number}@b.example"}
        return Change(Enduser, None, {}, body, keys={"externalId": number}, place=place)

    people = [person("1", "acme-42", 0), person("2", "acme-42", 1), person("1", "birch-7", 2)]
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, people)
    before = len(box.requests)
    assert statuses(ledger.reconcile()) == ["stored", "stored", "unknown"]
    assert len(box.requests) - before == 3 + 2  # the people, then each company once


def test_a_note_is_read_back_by_the_key_that_it_was_created_with(box: Sandbox, session: Session) -> None:
    row = box.add(Note, external_id="call-1", subject="Kick-off", company=box.add(Company, name="Acme"))
    body = {"externalId": "call-1", "subject": "Kick-off", "companyId": row["companyId"]}
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, [Change(Note, None, {}, body, keys={}, place=0)])
    assert "Ledger.reconcile() reads it back" in str(ledger.outcomes[0].error)
    assert statuses(ledger.reconcile()) == ["stored"]


# The ledger


def test_one_cause_is_one_line_whatever_it_is_of(box: Sandbox, session: Session) -> None:
    with box.fault("status", method="PUT", status=500, times=99):
        ledger = run(session, [keyed(place) for place in range(50)])
    lines = str(ledger).splitlines()
    assert lines[0] == "50: 50 unknown"
    assert len(lines) == 2
    assert lines[1].startswith("  items[0], upsert of Company")
    assert lines[1].endswith("(and so of 49 more)")


def test_what_is_done_keeps_its_keys_and_what_is_not_keeps_all(box: Sandbox, session: Session) -> None:
    box.behaviour.error_elements = "object"
    ledger = run(session, [keyed(0), keyed(1, name="")])
    assert ledger.outcomes[0].change.after == {"externalId": "c-0"}
    assert ledger.outcomes[1].change.after == {"externalId": "c-1", "name": ""}


def test_a_summary_counts_and_gives_reasons(box: Sandbox, session: Session) -> None:
    box.behaviour.error_elements = "object"
    ledger = run(session, [keyed(0), *(keyed(place, name="") for place in range(1, 6))])
    lines = str(ledger).splitlines()
    assert lines[0] == "6: 1 created, 5 failed"
    assert len(lines) == 5
    assert lines[-1] == "  ... and 2 more reasons, in the outcomes' error"
    assert len(ledger.summary(reasons=5).splitlines()) == 6


def test_a_summary_of_what_is_not_told_apart_gives_planhats_counts(box: Sandbox, session: Session) -> None:
    items = [keyed(0), keyed(1)]
    run(session, items)
    ledger = run(session, [keyed(0, phase="Live"), keyed(1)])
    assert str(ledger) == (
        "2: 2 stored\n  stored: Planhat counts 0 created, 1 updated, 1 unchanged in all, and does not say which"
    )
    assert ledger.ok


def test_a_ledger_travels_without_its_session(session: Session) -> None:
    ledger = pickle.loads(pickle.dumps(run(session, [keyed(0)])))
    assert statuses(ledger) == ["created"]
    assert ledger.reconcile() is ledger
