"""How values are written in list parameters, and what params() takes; nothing is sent here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import InvalidQuery
from planhat_orm.models import Churn, Company, Enduser, Task, Ticket
from planhat_orm.orm.matching import Span
from planhat_orm.orm.params import Param
from planhat_orm.orm.sending import given_params, in_form, known_params, only_adds, sent

if TYPE_CHECKING:
    from planhat_orm.orm.query import Query

ID = "64b00001912265b1f5000001"
TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("param", "value", "text"),
    [
        (Param("a"), "login", "login"),
        (Param("a"), 7, "7"),
        (Param("a"), True, "true"),
        (Param("a"), date(2025, 6, 1), "2025-06-01"),
        (Param("a"), datetime(2025, 6, 1, 9, tzinfo=TOKYO), "2025-06-01T00:00:00.000Z"),
        (Param("a", form="boolean"), False, "false"),
        (Param("a", form="boolean"), "true", "true"),
        (Param("a", form="day"), date(2025, 6, 1), "2025-06-01"),
        (Param("a", form="day"), "2025-06-01", "2025-06-01"),
        (Param("a", form="day"), datetime(2025, 6, 1, 3, tzinfo=TOKYO), "2025-05-31"),
        (Param("a", form="day_number"), date(2025, 6, 1), "20240"),
        (Param("a", form="day_number"), "2025-06-01", "20240"),
        (Param("a", form="day_number"), 20240, "20240"),
        (Param("a", form="day_number"), "20240", "20240"),
        (Param("a", values={True: "only", False: "excluded"}), True, "only"),
        (Param("a", values={True: "only", False: "excluded"}), "excluded", "excluded"),
        (Param("a", many=True), ["x", "y"], "x,y"),
        (Param("a", many=True), "x", "x"),
        (Param("a", many=True), iter([1, 2]), "1,2"),
        (Param("a"), Company._hydrated({"_id": ID}, None), ID),
    ],
)
def test_values_are_written_in_the_form_of_the_parameter(param: Param, value: Any, text: str) -> None:
    assert sent(param, value) == text


@pytest.mark.parametrize(
    ("param", "value", "complaint"),
    [
        (Param("a"), "", "blank"),
        (Param("a"), "  ", "blank"),
        (Param("a"), None, "variable unset"),
        (Param("a"), ["x"], "takes one value"),
        (Param("a", many=True), [], "empty list"),
        (Param("a", many=True), ["x,y"], "comma"),
        (Param("a"), {"x": 1}, "not a dict"),
        (Param("a"), object(), "takes a text"),
        (Param("a"), datetime(2025, 6, 1), "no time zone"),
        (Param("a"), Company(name="new"), "not saved"),
        (Param("a", form="boolean"), "yes", "True or False"),
        (Param("a", form="boolean"), 1, "True or False"),
        (Param("a", form="day"), "June", "a date"),
        (Param("a", form="day"), 20240, "a date"),
        (Param("a", form="day"), datetime(2025, 6, 1), "no time zone"),
        (Param("a", form="day_number"), True, "days since 1970"),
    ],
)
def test_what_a_parameter_cannot_have_is_refused(param: Param, value: Any, complaint: str) -> None:
    with pytest.raises(InvalidQuery, match=complaint):
        sent(param, value)


@pytest.mark.parametrize(
    ("param", "value", "text"),
    [
        (Param("a"), "x", "x"),
        (Param("a"), 3, "3"),
        (Param("a"), False, "false"),
        (Param("a", form="boolean"), True, "true"),
        (Param("a", form="boolean"), "true", None),
        (Param("a", values={True: "only"}), True, "only"),
        (Param("a", values={True: "only"}), False, None),
        (Param("a", values={True: "only"}), 1, None),
        (Param("a", form="day"), Span.of("2025-06-01", UTC), "2025-06-01"),
        (Param("a", form="day_number"), Span.of("2025-06-01", TOKYO), "20240"),
        (Param("a", form="day"), Span.of("2025-06-01T10:00:00Z", UTC), None),
    ],
)
def test_the_value_of_a_condition_is_sent_where_the_parameter_can_say_it(
    param: Param, value: Any, text: str | None
) -> None:
    assert in_form(param, value) == text


def test_what_brings_rows_out_of_hiding_is_a_parameter_too() -> None:
    assert known_params(Enduser._meta)["archived"].form == "boolean"
    assert only_adds(Enduser._meta, "archived")
    assert not only_adds(Task._meta, "isArchived")


def test_names_that_planhat_would_ignore_are_refused_with_what_was_meant() -> None:
    with pytest.raises(InvalidQuery, match=r"no list parameter 'serch' is documented.*did you mean 'search'"):
        given_params(Ticket._meta, {"serch": "x"})
    with pytest.raises(InvalidQuery, match=r"did you mean filter\(name=\.\.\.\)"):
        given_params(Company._meta, {"name": "Acme"})
    with pytest.raises(InvalidQuery, match=r"'limit' is said by a slice"):
        given_params(Company._meta, {"limit": 5})
    with pytest.raises(InvalidQuery, match=r"Ticket: params\(search=\.\.\.\): a blank value"):
        given_params(Ticket._meta, {"search": ""})


def test_from_is_a_word_of_pythons_and_written_with_a_line_behind_it() -> None:
    assert given_params(Churn._meta, {"from_": date(2025, 1, 1), "to": "2025-06-30"}) == {
        "from": "2025-01-01",
        "to": "2025-06-30",
    }
    assert str(Churn.objects.params(from_="2025-01-01").query) == "Churn.params(from_='2025-01-01')"


def test_parameters_given_again_replace_those_before() -> None:
    query: Query = Ticket.objects.params(search="a", status="open").params(search="b").query
    assert query.params == (("search", "b"), ("status", "open"))
    with pytest.raises(InvalidQuery, match="once a slice has been taken"):
        Ticket.objects.all()[:5].params(search="a")
