"""The tree of errors: who is whose kind, what they carry, that they travel, and that names are suggested."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import marshmallow
import pytest

from planhat_orm import errors
from planhat_orm.errors import PlanhatError, ValidationError, suggestion
from planhat_orm.models import Company
from planhat_orm.session.changes import Ledger

CLASSES = [member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, PlanhatError)]

MADE: list[PlanhatError] = [
    errors.ConfigurationError("no token"),
    errors.ReadOnlyError("refused"),
    errors.FieldError("read-only"),
    errors.UnknownField("Company has no field 'nme'"),
    errors.FieldNotLoaded("not asked for"),
    errors.InvalidQuery("no negative index"),
    errors.NotSupported("no aggregate"),
    errors.ValidationError({"name": ["is required"]}, model="Company"),
    errors.ValidationError("cannot be sent"),
    errors.DecodeError("no date"),
    errors.ObjectDoesNotExist("none"),
    errors.MultipleObjectsReturned("several"),
    Company.DoesNotExist("no Company"),
    Company.MultipleObjectsReturned("several Companies"),
    errors.ObjectDeleted("gone"),
    errors.StaleObjectError("moved", conflicts={"name": ("theirs", "ours")}),
    errors.FilterIgnored("ignored"),
    errors.PaginationError("contradiction"),
    errors.AmbiguousWrite("lost", sent={"name": "Acme"}, candidate={"_id": "1"}),
    errors.BulkError("2: 1 updated, 1 failed", result=Ledger()),
    errors.TransportError("lost", sent=True, attempts=3, status=200),
    errors.ApiError("418", status=418, body={"message": "no"}, headers={"X": "y"}, request="GET /tea", attempts=2),
    *(
        kind("no", status=status, body="no", request="GET /companies")
        for kind, status in [
            (errors.BadRequest, 400),
            (errors.Unauthorized, 401),
            (errors.Forbidden, 403),
            (errors.NotFound, 404),
            (errors.RateLimited, 429),
            (errors.ServerError, 502),
        ]
    ),
]


def test_every_class_is_exported_and_tried_here() -> None:
    assert {kind.__name__ for kind in CLASSES} == set(errors.__all__)
    assert errors.__all__ == sorted(errors.__all__)
    assert set(CLASSES) - {type(error) for error in MADE} == {PlanhatError}


@pytest.mark.parametrize(
    ("kind", "above"),
    [
        (errors.ReadOnlyError, errors.ConfigurationError),
        (errors.FieldNotLoaded, errors.FieldError),
        (errors.UnknownField, errors.FieldError),
        (errors.UnknownField, AttributeError),
        (errors.InvalidQuery, ValueError),
        (errors.InvalidQuery, TypeError),
        (errors.ValidationError, marshmallow.ValidationError),
        (errors.BadRequest, errors.ApiError),
        (errors.Unauthorized, errors.ApiError),
        (errors.Forbidden, errors.ApiError),
        (errors.NotFound, errors.ApiError),
        (errors.RateLimited, errors.ApiError),
        (errors.ServerError, errors.ApiError),
        (Company.DoesNotExist, errors.ObjectDoesNotExist),
        (Company.MultipleObjectsReturned, errors.MultipleObjectsReturned),
    ],
)
def test_a_leaf_is_caught_by_what_is_above_it(kind: type, above: type) -> None:
    assert issubclass(kind, above)
    assert issubclass(kind, PlanhatError)


def test_a_lost_answer_is_no_api_error() -> None:
    assert not issubclass(errors.TransportError, errors.ApiError)
    assert not issubclass(errors.AmbiguousWrite, errors.TransportError)


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__qualname__)
def test_an_error_travels_between_processes_with_all_it_carries(error: PlanhatError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))


def test_a_note_travels_as_well() -> None:
    error = errors.NotFound("no", status=404)
    error.add_note("while saving Acme")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while saving Acme"]


def test_errors_have_defaults_for_what_is_not_known() -> None:
    api = errors.ApiError("no", status=500)
    assert (api.body, api.headers, api.request, api.attempts) == ("", {}, "", 1)
    assert errors.AmbiguousWrite("lost").candidate is None
    assert errors.StaleObjectError("moved").conflicts == {}


def test_what_an_error_carries_is_its_own() -> None:
    sent = {"name": "Acme"}
    error = errors.AmbiguousWrite("lost", sent=sent)
    sent["name"] = "changed"
    assert error.sent == {"name": "Acme"}


def test_a_validation_error_says_everything_that_is_wrong() -> None:
    error = ValidationError(
        {"name": ["is required"], "custom": {"Tier": ["is no option", "is blank"]}}, model="Company"
    )
    assert str(error) == "Company is not valid: name: is required; custom: Tier: is no option is blank"
    assert error.messages["name"] == ["is required"]


def test_a_validation_error_of_one_text_is_that_text() -> None:
    assert str(ValidationError("cannot be sent")) == "cannot be sent"


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("nme", ["name", "email"], "; did you mean 'name'?"),
        ("EMAIL", ["name", "email"], "; did you mean 'email'?"),
        ("zzz", ["name", "email"], ""),
        ("", ["name"], ""),
        ("name", [], ""),
    ],
)
def test_the_nearest_name_is_suggested(name: str, known: list[str], expected: str) -> None:
    assert suggestion(name, known) == expected


def test_no_error_keeps_a_frame_alive_once_pickled() -> None:
    def fails() -> Any:
        raise errors.NotFound("no", status=404)

    with pytest.raises(errors.NotFound) as caught:
        fails()
    assert pickle.loads(pickle.dumps(caught.value)).__traceback__ is None
