"""Creates over HTTP: carried out at most once whatever becomes of the answer, and not done without an id."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import AmbiguousWrite, BadRequest, Forbidden, ServerError, TransportError
from planhat_orm.models import Company, Enduser, Note, User
from planhat_orm.session.comparing import agrees
from planhat_orm.session.writer import SETTLE_SECONDS, Change

if TYPE_CHECKING:
    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

ACME = {"name": "Acme", "externalId": "acme-42"}


def create(body: dict[str, Any], model: Any = Company) -> Change:
    return Change(model, None, {}, body)


def sent(box: Sandbox) -> list[str]:
    return [f"{request.method} {request.path}" for request in box.requests]


# Creates whose answer is lost


def test_a_create_that_was_carried_out_is_looked_up_and_not_repeated(
    box: Sandbox, session: Session, slept: list[float], carried_out: dict[str, Any]
) -> None:
    box.fault(**carried_out, method="POST")
    outcome = session.writer.write_one(create({**ACME, "custom": {"Tier": "Gold"}, "tags": ["a", "b"]}))
    assert outcome.status == "created"
    assert outcome.row is not None
    assert outcome.row["_id"] == box.row(Company, external_id="acme-42")["_id"]
    assert box.count(Company) == 1
    assert sent(box) == ["POST /companies", "GET /companies/extid-acme-42"]
    assert slept == []


def test_a_create_that_was_not_carried_out_is_upserted_by_its_key(
    box: Sandbox, session: Session, slept: list[float], not_carried_out: dict[str, Any]
) -> None:
    box.fault(**not_carried_out, method="POST")
    outcome = session.writer.write_one(create(ACME))
    assert outcome.status == "created"
    assert outcome.row is not None
    assert outcome.row["_id"] == box.row(Company, external_id="acme-42")["_id"]
    assert box.count(Company) == 1
    look_up = "GET /companies/extid-acme-42"
    assert sent(box) == ["POST /companies", look_up, look_up, "PUT /companies", look_up]
    assert box.requests[3].json == [ACME]
    assert slept == [SETTLE_SECONDS]


def test_a_create_that_shows_late_is_found_the_second_time(box: Sandbox, session: Session, slept: list[float]) -> None:
    box.fault("lost_answer", method="POST")
    box.fault("status", method="GET", status=404)
    assert session.writer.write_one(create(ACME)).status == "created"
    assert box.count(Company) == 1
    assert sent(box) == ["POST /companies", *["GET /companies/extid-acme-42"] * 2]
    assert slept == [SETTLE_SECONDS]


def test_a_create_that_lands_while_it_is_upserted_is_one_record(box: Sandbox, session: Session) -> None:
    box.fault("reset_before", method="POST")
    box.fault("drift", method="PUT", run=lambda: box.add(Company, name="Acme", external_id="acme-42"))
    assert session.writer.write_one(create(ACME)).status == "created"
    assert box.count(Company) == 1


def test_the_key_that_an_upsert_matches_on_is_the_one_looked_up(box: Sandbox, session: Session) -> None:
    box.fault("reset_before", method="POST")
    assert session.writer.write_one(create({**ACME, "sourceId": "crm/7"})).status == "created"
    assert box.requests[1].path.startswith("/companies/srcid-crm")
    assert box.requests[3].json == [{**ACME, "sourceId": "crm/7"}]
    assert box.count(Company) == 1


def test_a_record_with_the_key_and_other_values_is_given_and_not_touched(box: Sandbox, session: Session) -> None:
    theirs = box.add(Company, name="Somebody else", external_id="acme-42")
    box.fault("reset_before", method="POST")
    with pytest.raises(AmbiguousWrite, match=r"create of Company 'Acme'.*acme-42.*another name") as caught:
        session.writer.write_one(create(ACME))
    assert caught.value.sent == ACME
    assert caught.value.candidate is not None
    assert (caught.value.candidate["_id"], caught.value.candidate["name"]) == (theirs["_id"], "Somebody else")
    assert isinstance(caught.value.__cause__, TransportError)
    assert box.rows(Company) == [theirs]
    assert sent(box) == ["POST /companies", "GET /companies/extid-acme-42"]


def test_without_a_unique_key_a_lost_create_is_ambiguous_and_sent_once(
    box: Sandbox, session: Session, answer_lost: dict[str, Any], records_made: int
) -> None:
    box.fault(**answer_lost, method="POST")
    with pytest.raises(AmbiguousWrite, match="look for it before you create it again") as caught:
        session.writer.write_one(create({"name": "Acme"}))
    assert caught.value.sent == {"name": "Acme"}
    assert caught.value.candidate is None
    assert box.count(Company) == records_made
    assert sent(box) == ["POST /companies"]


def test_a_key_that_is_unique_in_one_company_only_looks_nothing_up(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    body = {"companyId": acme["_id"], "email": "ada@acme.example", "externalId": "ada"}
    box.fault("lost_answer", method="POST", path="/endusers")
    with pytest.raises(AmbiguousWrite, match=r"ada@acme\.example"):
        session.writer.write_one(create(body, Enduser))
    assert box.count(Enduser) == 1
    assert sent(box) == ["POST /endusers"]


def test_an_endusers_source_id_is_unique_and_looked_up(box: Sandbox, session: Session) -> None:
    acme = box.add(Company, name="Acme")
    body = {"companyId": "extid-acme", "email": "ada@acme.example", "sourceId": "crm-1"}
    box.change(Company, acme, external_id="acme")
    box.fault("lost_answer", method="POST", path="/endusers")
    assert session.writer.write_one(create(body, Enduser)).status == "created"
    assert box.count(Enduser) == 1
    assert sent(box) == ["POST /endusers", "GET /endusers/srcid-crm-1"]


@pytest.mark.parametrize("model", [Note, User])
def test_models_without_a_key_to_look_up_are_ambiguous(box: Sandbox, session: Session, model: Any) -> None:
    acme = box.add(Company, name="Acme")
    bodies = {
        Note: {"companyId": acme["_id"], "type": "note", "subject": "Hi", "externalId": "n-1"},
        User: {"email": "kim@vendor.example", "firstName": "Kim"},
    }
    box.fault("lost_answer", method="POST")
    with pytest.raises(AmbiguousWrite):
        session.writer.write_one(create(bodies[model], model))
    assert [request.method for request in box.requests] == ["POST"]


def of(**meta: Any) -> Any:
    """A model over the companies with other keys."""
    options: dict[str, Any] = {"name": "Thing", "path": "companies", "unique": ("externalId",)}
    options["match_keys"] = ("_id", "externalId")
    options |= {"key_kinds": {"_id": "id", "externalId": "external_id"}, "as_read": dict, "as_written": dict}
    return type("Thing", (), {"_meta": SimpleNamespace(**{**options, **meta})})


def test_a_unique_key_that_cannot_be_read_by_looks_nothing_up(box: Sandbox, session: Session) -> None:
    box.fault("lost_answer", method="POST")
    with pytest.raises(AmbiguousWrite, match="no key that is unique"):
        session.writer.write_one(create(ACME, of(key_kinds={"_id": "id"})))
    assert sent(box) == ["POST /companies"]


@pytest.mark.parametrize("match_keys", [("_id",), ("_id", "name", "externalId")])
def test_a_key_that_an_upsert_does_not_match_on_is_not_upserted_by(
    box: Sandbox, session: Session, match_keys: tuple[str, ...]
) -> None:
    box.fault("reset_before", method="POST")
    with pytest.raises(AmbiguousWrite, match="probably not created"):
        session.writer.write_one(create(ACME, of(match_keys=match_keys)))
    assert sent(box) == ["POST /companies", *["GET /companies/extid-acme-42"] * 2]
    assert box.count(Company) == 0


def test_a_look_up_without_an_answer_leaves_it_ambiguous(box: Sandbox, session: Session) -> None:
    box.fault("lost_answer", method="POST")
    box.fault("status", method="GET", status=500, times=None)
    with pytest.raises(AmbiguousWrite, match="looking it up") as caught:
        session.writer.write_one(create(ACME))
    assert isinstance(caught.value.__cause__, ServerError)
    assert box.count(Company) == 1
    assert sent(box).count("POST /companies") == 1


def test_a_look_up_that_gives_no_record_leaves_it_ambiguous(box: Sandbox, session: Session) -> None:
    box.fault("lost_answer", method="POST")
    box.fault("wrong_shape", method="GET")
    with pytest.raises(AmbiguousWrite, match="Something went wrong"):
        session.writer.write_one(create(ACME))


def test_an_upsert_without_an_answer_is_repeated_later_and_makes_one_record(
    box: Sandbox, session: Session, slept: list[float]
) -> None:
    box.fault("reset_before", method="POST")
    box.fault("lost_answer", method="PUT")
    assert session.writer.write_one(create(ACME)).status == "created"
    assert box.count(Company) == 1
    assert sent(box).count("PUT /companies") == 2
    assert slept == [SETTLE_SECONDS, 30.0]


def test_an_upsert_that_never_gets_an_answer_is_ambiguous(box: Sandbox, session: Session) -> None:
    box.fault("reset_before", method="POST")
    box.fault("lost_answer", method="PUT", times=None)
    with pytest.raises(AmbiguousWrite, match="so was that to an upsert"):
        session.writer.write_one(create(ACME))
    assert box.count(Company) == 1


def test_an_upsert_that_planhat_refuses_has_failed(box: Sandbox, session: Session) -> None:
    box.fault("reset_before", method="POST")
    box.forbid(Company, "create")
    with pytest.raises((BadRequest, Forbidden)):
        session.writer.write_one(create(ACME))
    assert box.count(Company) == 0


@pytest.mark.parametrize("name", ["createdErrors", "updatedErrors", "permissionErrors", "validationErrors"])
def test_failures_inside_a_200_of_an_upsert_are_failures(box: Sandbox, session: Session, name: str) -> None:
    box.fault("reset_before", method="POST")
    box.fault("wrong_shape", method="PUT", body={"created": 0, name: ["externalId duplicated"]})
    ledger = session.writer.write([create(ACME)])
    [outcome] = ledger.failed
    assert isinstance(outcome.error, BadRequest)
    assert "externalId duplicated" in str(outcome.error)


def test_an_upsert_after_which_there_is_no_record_is_ambiguous(box: Sandbox, session: Session) -> None:
    box.fault("reset_before", method="POST")
    box.fault("status", method="PUT", status=200, body={"created": 1})
    with pytest.raises(AmbiguousWrite, match="there is no such record"):
        session.writer.write_one(create(ACME))


# Creates that are answered oddly


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("empty", {}),
        ("empty", {"status": 204}),
        ("wrong_shape", {}),
        ("wrong_shape", {"body": {"name": "Acme"}}),
        ("wrong_shape", {"body": {"_id": ""}}),
        ("wrong_shape", {"body": {"_id": None}}),
        ("wrong_shape", {"body": [{"_id": "64b00001912265b1f5000001"}]}),
    ],
)
def test_a_create_answered_without_an_id_is_an_error(
    box: Sandbox, session: Session, kind: str, detail: dict[str, Any]
) -> None:
    box.fault(kind, method="POST", **detail)
    with pytest.raises(AmbiguousWrite, match=r"create of Company 'Acme': Planhat answered 20\d without .*id"):
        session.writer.write_one(create(ACME))
    assert box.count(Company) == 1
    assert sent(box) == ["POST /companies"]


@pytest.mark.parametrize("answered", [{"externalId": "other-7"}, {"externalId": None}, {}])
def test_a_create_answered_with_another_record_is_ambiguous(
    box: Sandbox, session: Session, answered: dict[str, Any]
) -> None:
    other = {"_id": "64b00001912265b1f5000001", "name": "Acme", **answered}
    box.fault("wrong_shape", method="POST", body=other)
    with pytest.raises(AmbiguousWrite, match=r"a record with another externalId .*somebody else's") as caught:
        session.writer.write_one(create(ACME))
    assert caught.value.candidate == other
    assert sent(box) == ["POST /companies"]


def test_a_create_whose_other_values_planhat_changed_is_created(box: Sandbox, session: Session) -> None:
    box.fault("wrong_shape", method="POST", body={"_id": "64b00001912265b1f5000001", **ACME, "name": "ACME AB"})
    assert session.writer.write_one(create(ACME)).status == "created"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_create_has_failed(box: Sandbox, session: Session, status: int) -> None:
    box.fault("status", status=status, body={"message": "Required Field: name"})
    [outcome] = session.writer.write([create(ACME)]).failed
    assert getattr(outcome.error, "status", None) == status
    assert "Required Field: name" in str(outcome.error)
    assert sent(box) == ["POST /companies"]


def test_a_create_refused_for_the_rate_is_sent_again(box: Sandbox, session: Session) -> None:
    box.fault("status", status=429, headers={"Retry-After": "0"}, times=2)
    assert session.writer.write_one(create(ACME)).status == "created"
    assert box.count(Company) == 1
    assert sent(box) == ["POST /companies"] * 3


# Ours or not


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("Acme", "Acme"),
        ("ADA", "Ada"),
        (42, "42"),
        (3, 3.0),
        (True, True),
        (None, None),
        ("64b00001912265b1f5000001", "extid-acme"),
        ({"Tier": "Gold", "Seats": 5}, {"Tier": "Gold"}),
        (["b", "a"], ["a", "b"]),
        ([{"id": "1", "name": "Kim"}], [{"id": "1"}]),
        ([], []),
        (None, []),
        (None, {}),
        ({"Seats": 5}, {"Tier": None}),
        (None, {"Tier": None}),
    ],
)
def test_what_planhat_keeps_of_a_value_agrees_with_it(stored: Any, given: Any) -> None:
    assert agrees(stored, given)


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("Acme AB", "Acme"),
        (None, "Acme"),
        (None, "None"),
        (True, "true"),
        (None, "extid-acme"),
        (4, 3),
        ({"Tier": "Silver"}, {"Tier": "Gold"}),
        (None, {"Tier": "Gold"}),
        ({"Tier": "Gold"}, {"Tier": None}),
        ("Gold", {"Tier": "Gold"}),
        ("Gold", None),
        (["a"], ["a", "b"]),
        (["a", "b"], ["a"]),
        (["a", "c"], ["a", "b"]),
        ("a", ["a"]),
        (["a"], []),
    ],
)
def test_another_value_does_not_agree(stored: Any, given: Any) -> None:
    assert not agrees(stored, given)
