"""The way out, over HTTP: what is sent, and what an answer means; creates that go wrong are in test_creating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import (
    AmbiguousWrite,
    BadRequest,
    NotFound,
    ReadOnlyError,
    TransportError,
)
from planhat_orm.models import Company
from planhat_orm.session.writer import Change, Writer

if TYPE_CHECKING:
    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

ACME = {"name": "Acme", "externalId": "acme-42"}


def create(body: dict[str, Any], model: Any = Company) -> Change:
    return Change(model, None, {}, body)


def update(row: dict[str, Any], body: dict[str, Any], model: Any = Company) -> Change:
    return Change(model, row["_id"], {}, body)


def delete(row: dict[str, Any], model: Any = Company) -> Change:
    return Change(model, row["_id"], row, None)


def sent(box: Sandbox) -> list[str]:
    return [f"{request.method} {request.path}" for request in box.requests]


# What goes well


def test_a_create_is_one_post_and_answers_the_record(box: Sandbox, session: Session) -> None:
    outcome = session.writer.write_one(create(ACME))
    assert (outcome.status, outcome.error) == ("created", None)
    assert outcome.row is not None
    assert outcome.row["_id"] == box.row(Company, external_id="acme-42")["_id"]
    assert outcome.number > 0
    assert sent(box) == ["POST /companies"]
    assert box.requests[0].json == ACME


def test_an_update_is_one_put_of_what_changed(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme", custom={"Tier": "Silver", "Seats": 5})
    outcome = session.writer.write_one(update(acme, {"custom": {"Tier": "Gold"}}))
    assert outcome.status == "updated"
    assert outcome.row is not None
    assert outcome.row["custom"] == {"Tier": "Gold", "Seats": 5}
    assert sent(box) == [f"PUT /companies/{acme['_id']}"]
    assert box.requests[0].json == {"custom": {"Tier": "Gold"}}


def test_a_delete_is_one_delete(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    assert session.writer.write_one(delete(acme)).status == "deleted"
    assert box.count(Company) == 0
    assert sent(box) == [f"DELETE /companies/{acme['_id']}"]


@pytest.mark.parametrize("body", [{"n": 1, "ok": 1}, {"n": 1, "ok": 1, "deletedCount": 1}, {"deletedCount": 1}])
def test_every_known_answer_to_a_delete_is_success(box: Sandbox, session: Session, body: dict[str, Any]) -> None:
    acme = box.add(Company, name="Acme")
    with box.fault("wrong_shape", body=body):
        assert session.writer.write_one(delete(acme)).status == "deleted"


def test_the_deleted_record_itself_is_an_answer_to_a_delete(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    with box.fault("wrong_shape", body=acme):
        assert session.writer.write_one(delete(acme)).status == "deleted"


@pytest.mark.parametrize("status", [200, 204])
def test_a_success_without_a_body_is_a_success(box: Sandbox, session: Session, status: int) -> None:
    acme = box.add(Company, name="Acme")
    with box.fault("empty", status=status, times=2):
        updated = session.writer.write_one(update(acme, {"name": "Acme AB"}))
        deleted = session.writer.write_one(delete(acme))
    assert (updated.status, updated.row, deleted.status) == ("updated", None, "deleted")
    assert len(box.requests) == 2


# What is not there


@pytest.mark.parametrize("missing", ["404", "zero"])
def test_deleting_what_is_not_there_is_not_found(box: Sandbox, session: Session, missing: Any) -> None:
    acme = box.add(Company, name="Acme")
    box.remove(Company, acme)
    box.behaviour.delete_missing = missing
    outcome = session.writer.write_one(delete(acme))
    assert outcome.status == "not_found"
    assert isinstance(outcome.error, NotFound)
    assert acme["_id"] in str(outcome.error)
    assert len(box.requests) == 1


def test_updating_what_is_not_there_is_not_found(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    box.remove(Company, acme)
    outcome = session.writer.write_one(update(acme, {"name": "x"}))
    assert (outcome.status, type(outcome.error)) == ("not_found", NotFound)
    assert len(box.requests) == 1


@pytest.mark.parametrize("missing", ["404", "zero"])
def test_a_delete_whose_answer_was_lost_is_repeated_and_done(box: Sandbox, session: Session, missing: Any) -> None:
    acme = box.add(Company, name="Acme")
    box.behaviour.delete_missing = missing
    box.fault("lost_answer", method="DELETE")
    assert session.writer.write_one(delete(acme)).status == "deleted"
    assert sent(box) == [f"DELETE /companies/{acme['_id']}"] * 2


# Updates whose answer is lost or odd


def test_an_update_whose_answer_was_lost_is_sent_again(
    box: Sandbox, session: Session, answer_lost: dict[str, Any]
) -> None:
    acme = box.add(Company, name="Acme")
    box.fault(**answer_lost, method="PUT")
    outcome = session.writer.write_one(update(acme, {"name": "Acme AB"}))
    assert (outcome.status, (outcome.row or {})["name"]) == ("updated", "Acme AB")
    assert sent(box) == [f"PUT /companies/{acme['_id']}"] * 2


def test_an_update_that_never_gets_an_answer_is_unknown(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    box.fault("lost_answer", method="PUT", times=None)
    with pytest.raises(TransportError, match=r"PUT /companies/.*may have been carried out") as caught:
        session.writer.write_one(update(acme, {"name": "Acme AB"}))
    assert caught.value.sent
    assert session.writer.write([update(acme, {"name": "Acme AB"})]).unknown


@pytest.mark.parametrize("body", [{"message": "No such field"}, {"error": "No such field"}, ["No such field"]])
def test_an_error_in_a_200_is_an_error(box: Sandbox, session: Session, body: Any) -> None:
    acme = box.add(Company, name="Acme")
    for change in (update(acme, {"name": "Acme AB"}), delete(acme)):
        box.fault("wrong_shape", body=body)
        with pytest.raises(TransportError, match=f"{change.verb} of Company {acme['_id']}.*No such field") as caught:
            session.writer.write_one(change)
        assert (caught.value.status, caught.value.sent) == (200, True)
    assert len(box.requests) == 2


def test_another_record_in_the_answer_is_an_error(box: Sandbox, session: Session) -> None:
    acme, birch = box.add(Company, name="Acme"), box.add(Company, name="Birch")
    for change in (update(acme, {"name": "Acme AB"}), delete(acme)):
        box.fault("wrong_shape", body=birch)
        with pytest.raises(TransportError, match=f"{acme['_id']}.*another record, {birch['_id']}"):
            session.writer.write_one(change)


# Runs of several


def test_a_run_goes_on_after_a_failure(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    gone = box.add(Company, name="Gone")
    box.remove(Company, gone)
    box.fault("status", method="POST", status=400)
    ledger = session.writer.write(
        [create(ACME), update(gone, {"name": "x"}), update(acme, {"name": "Acme AB"}), delete(acme)]
    )
    assert [outcome.status for outcome in ledger] == ["failed", "not_found", "updated", "deleted"]
    assert [len(part) for part in (ledger.failed, ledger.not_found, ledger.updated, ledger.deleted)] == [1, 1, 1, 1]
    assert len(ledger) == len(box.requests) == 4


def test_a_run_ends_where_nobody_knows(box: Sandbox, session: Session) -> None:
    box.fault("lost_answer", method="POST")
    ledger = session.writer.write([create({"name": "Acme"}), create({"name": "Birch"})])
    assert [outcome.status for outcome in ledger] == ["unknown", "not_sent"]
    assert box.count(Company) == 1
    assert len(box.requests) == 1


def test_a_read_only_session_refuses_before_anything_is_sent(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    with box.session(read_only=True) as session:
        for change in (create(ACME), update(acme, {"name": "x"}), delete(acme)):
            with pytest.raises(ReadOnlyError, match="read-only"):
                session.writer.write([change])
    assert box.requests == []
    assert box.rows(Company) == [acme]


@pytest.mark.parametrize("key", ["", "  ", "acme-42", "extid-acme-42"])
def test_a_key_that_is_no_id_is_refused_before_any_request(box: Sandbox, session: Session, key: str) -> None:
    for change in (update({"_id": key}, {"name": "x"}), delete({"_id": key})):
        with pytest.raises(ValueError, match=r"blank|no Planhat id"):
            session.writer.write_one(change)
    assert box.requests == []


def test_a_writer_sleeps_for_real_unless_told_otherwise() -> None:
    import time

    assert Writer(lambda request: None)._sleep is time.sleep  # type: ignore[arg-type, return-value]


# What is no create, update or delete of one record


def test_an_act_is_sent_as_it_is_and_its_answer_handed_back(box: Sandbox, session: Session) -> None:
    answer = session.writer.act(Company, "POST", "/companies", ACME)
    assert answer.data["_id"] == box.row(Company, external_id="acme-42")["_id"]
    assert sent(box) == ["POST /companies"]


def test_an_act_whose_answer_is_lost_is_never_sent_twice(
    box: Sandbox, session: Session, carried_out: dict[str, Any]
) -> None:
    with box.fault(**carried_out), pytest.raises(AmbiguousWrite, match=r"POST /companies of Company: .*once") as caught:
        session.writer.act(Company, "POST", "/companies", {"name": "Acme"})
    assert caught.value.sent == {"name": "Acme"}
    assert (len(box.requests), box.count(Company)) == (1, 1)


def test_an_act_that_planhat_refuses_raises_its_refusal(box: Sandbox, session: Session) -> None:
    with pytest.raises(BadRequest):
        session.writer.act(Company, "POST", "/companies", {})
    assert len(box.requests) == 1


def test_a_read_only_session_refuses_an_act(box: Sandbox) -> None:
    with pytest.raises(ReadOnlyError):
        box.session(read_only=True).writer.act(Company, "POST", "/companies", ACME)
    assert box.requests == []
