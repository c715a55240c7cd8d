"""Fields as descriptors: what is read, kept, refused and shared."""

from __future__ import annotations

import pydoc
from datetime import date
from typing import Any

import marshmallow
import pytest

from planhat_orm.errors import ConfigurationError, DecodeError, FieldError, ValidationError
from planhat_orm.models import NPS, Company, Enduser, License, Task, User
from planhat_orm.orm import fields
from planhat_orm.orm.state import Origin
from planhat_orm.orm.telling import span

SOME_ID = "64b0f1a2c3d4e5f60718293a"


def hydrated(model: Any, **row: Any) -> Any:
    """Make the object of a row that was read whole, of no session."""
    return model._hydrated({"_id": SOME_ID, **row}, Origin(None, model._meta.keys, 1))


def test_on_the_class_a_field_is_its_description() -> None:
    assert isinstance(Company.health, fields.Number)
    assert (Company.health.name, Company.health.data_key, Company.health.read_only) == ("health", "h", True)
    assert repr(Company.health) == "<Number health (h)>"
    assert Company.owner_id.data_key == "owner"


def test_values_are_converted_when_they_are_read_and_not_before() -> None:
    acme = hydrated(Company, h="7.5", customerFrom="soon", externalId=42)
    assert acme.health == 7.5
    assert acme.external_id == "42"
    with pytest.raises(DecodeError) as caught:
        acme.customer_from  # noqa: B018
    assert str(caught.value) == (
        f"Company {SOME_ID}: customer_from (customerFrom) holds 'soon', not a point in time; "
        ".raw['customerFrom'] has it as it is stored"
    )


def test_a_very_long_odd_value_is_cut_in_the_message() -> None:
    acme = hydrated(Company, h="x" * 1_000_000)
    with pytest.raises(DecodeError) as caught:
        acme.health  # noqa: B018
    assert len(str(caught.value)) < 500
    assert "1,000,002 characters" in str(caught.value)


def test_a_container_that_was_read_is_the_objects_own_copy() -> None:
    row = {"tags": ["a"], "usage": {"m": 1}, "alerts": [{"x": 1}]}
    acme = hydrated(Company, **row)
    assert acme.tags is acme.tags
    acme.tags.append("b")
    acme.usage["m"] = 2
    acme.alerts[0]["x"] = 2
    assert acme._raw == {"_id": SOME_ID, "tags": ["a"], "usage": {"m": 1}, "alerts": [{"x": 1}]}
    assert set(acme.changes()) == {"tags", "usage", "alerts"}


def test_an_absent_list_may_be_appended_to() -> None:
    acme = hydrated(Company)
    acme.tags.append("first")
    assert acme.changes() == {"tags": ([], ["first"])}
    new = Company(name="Acme")
    new.tags.append("first")
    assert new.changes()["tags"] == ([], ["first"])


def test_roles_are_ids_however_they_arrive() -> None:
    role = "000000010000000000000000"
    user = hydrated(User, roles=[{"_id": role, "name": "CSM", "__v": 3}], lastDailyDigest=20330)
    assert user.roles == [role]
    assert user.last_daily_digest == date(2025, 8, 30)
    assert user.changes() == {}
    user.roles.append(SOME_ID)
    assert user.changes() == {"roles": ([role], [role, SOME_ID])}


def test_a_comma_separated_text_is_a_list_that_may_be_changed() -> None:
    acme = hydrated(Company, domains="a.example,b.example", orgPath=f",{SOME_ID},")
    assert acme.domains == ["a.example", "b.example"]
    assert acme.path == [SOME_ID]
    assert acme.changes() == {}
    acme.domains.append("c.example")
    assert acme.changes() == {"domains": (["a.example", "b.example"], ["a.example", "b.example", "c.example"])}


def test_values_that_were_assigned_are_read_back() -> None:
    acme = Company(name="Acme", csm_score=4, customer_from=date(2025, 1, 1), tags=("a", "b"))
    assert (acme.name, acme.csm_score, acme.customer_from, acme.tags) == ("Acme", 4, date(2025, 1, 1), ["a", "b"])
    acme.tags = None
    assert acme.tags == []
    acme.tags.append("c")
    assert acme.changes()["tags"] == ([], ["c"])


def test_a_read_only_field_names_the_page_that_says_so() -> None:
    for model in (Company, Enduser, License):
        with pytest.raises(
            FieldError, match=r"read-only: Planhat keeps it; see https://www\.planhat\.com/developers/api/"
        ):
            model(version_key=1)


def test_one_description_cannot_stand_for_two_names() -> None:
    shared = fields.Text("one")
    shared.__set_name__(Company, "one")
    shared.__set_name__(Company, "one")
    with pytest.raises(Exception, match="the same field object as one"):
        shared.__set_name__(Company, "two")


def test_help_says_what_a_field_is() -> None:
    shown = pydoc.plain(pydoc.render_doc(Task.end_time))
    assert "datetime, Planhat's 'endTime'; 'Due Date' in Planhat's screens; when it is due" in shown
    assert "from 0 to 10" in str(NPS.score.__doc__)
    assert "one of " in str(Company.status.__doc__)
    assert str(fields.Text.__doc__).startswith("Text. Numbers are read")


def test_numbers_have_the_limits_that_planhat_states_and_any_is_read() -> None:
    assert hydrated(NPS, score=11).score == 11
    for score in (-1, 11):
        with pytest.raises(ValidationError, match=f"score: must be from 0 to 10, not {score}"):
            NPS(email="a@x.example", score=score).full_clean()
    NPS(email="a@x.example", score=0).full_clean()
    assert span(fields.Number("x", least=1)) == "at least 1"
    with pytest.raises(marshmallow.ValidationError, match="must be at most 5, not 6"):
        fields.Integer("x", most=5).encode(6)


@pytest.mark.parametrize("make", [fields.Choice, fields.Text, fields.Number])
def test_options_of_a_field_are_named(make: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'level', \('low', 'high'\)\): options are named, choices=\.\.\."):
        make("level", ("low", "high"))


def test_the_id_of_a_link_is_declared_with_the_link() -> None:
    with pytest.raises(ConfigurationError, match="takes the link itself, as declared just above it, not 'company'"):
        fields.IdOf("company")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="takes the link itself"):
        fields.IdOf(fields.Text("name"))  # type: ignore[arg-type]
