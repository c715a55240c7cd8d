"""What is wrong with a ``class Meta`` is said when the class is made, with what to write instead."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ConfigurationError
from planhat_orm.models import Company
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, Source, documented
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ReferenceList

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOK = Source("a book", "https://books.example", "2025")


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Forget the models that a test declares."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def declare(**options: Any) -> type[Model]:
    """Make a model of a few fields with these options."""
    said = {"path": "shelves-of-this-test", **options}

    class Shelf(Model):
        """A model of one's own."""

        Meta = type("Meta", (), said)

        title: fields.Text = fields.Text("subject", write_key="title")
        external_id: fields.Text = fields.Text("extId")
        height: fields.Number = fields.Number("h")

    return Shelf


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"match_keys": ("_id", "extID")}, r"match_keys has 'extID', .* no field of Shelf; did you mean 'extId'\?"),
        ({"match_keys": ("_id", "external_id")}, r"'external_id', a name of ours; Meta takes Planhat's: 'extId'"),
        ({"match_keys": ("title",)}, r"the name that it is written under; .* it is read under: 'subject'"),
        ({"match_keys": "extId"}, r"match_keys is 'extId', and takes a tuple: \('extId',\)"),
        ({"unique": ("nope",)}, "unique has 'nope'"),
        ({"unique_within": {"extId": "companyId"}}, "unique_within has 'companyId'"),
        ({"one_required": (("h", "hh"),)}, "one_required has 'hh'"),
        ({"one_required": ("subject", "h")}, "one_required has 'subject', which is no tuple"),
        ({"upsert_required": ("nope",)}, "upsert_required has 'nope'"),
        ({"create_defaults": {"hidden": False}}, "create_defaults has 'hidden'"),
        ({"always_sent": ("nope",)}, "always_sent has 'nope'"),
        ({"constant": {"type": "shelf"}}, "constant has 'type'"),
        ({"list_fields": ("_id", "nope")}, "list_fields has 'nope'"),
        ({"lean_fields": ("nope",)}, "lean_fields has 'nope'"),
        ({"lean_params": {"status": "status"}}, "lean_params has 'status'"),
        ({"updated_field": "updatedAt"}, "updated_field has 'updatedAt'"),
        ({"list_params": {"q": "nope"}}, "list_params has 'nope'"),
        ({"list_params": {"q": Param("nope")}}, "list_params has 'nope'"),
        ({"list_params": {"q": 7}}, "list_params has 7, which is no Param"),
        ({"list_params": ("q",)}, "list_params is .* takes a dictionary"),
        ({"aliases": {"nps": "score"}}, "aliases has 'score'"),
        ({"aliases": {"h": "subject"}}, "aliases has 'h', which is the field height itself"),
        ({"unhide": {"archvied": "true"}, "list_params": {"archived": Param()}}, r"did you mean 'archived'\?"),
        ({"keyables": ("id", "source_id")}, "keyables has 'source_id', and no field is called source_id"),
        ({"keyables": ("id", "extId")}, "keyables has 'extId'.*there are id, external_id, source_id"),
        ({"list_takes": ("limit", "page")}, "list_takes has 'page'"),
        ({"not_offered": {"creat": "no"}}, r"not_offered has 'creat'; did you mean 'create'\?"),
        ({"not_offered": {"create": " "}}, "not_offered has to say what to do instead of 'create'"),
        ({"evidence": {"field": documented(BOOK)}}, r"evidence has 'field'; did you mean 'fields'\?"),
        ({"evidence": {"fields": "a book"}}, "evidence has 'a book', which is no Evidence"),
        ({"quirks": ("It creaks.",)}, "quirks has 'It creaks.', which is no Quirk"),
        ({"page_size": (100,)}, "page_size"),
        ({"page_size": (2000, 100)}, "page_size"),
        ({"pth": "shelves"}, r"no option 'pth'; did you mean 'path'\?"),
    ],
)
def test_an_option_that_means_nothing_is_an_error(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"Shelf\.Meta.*{said}"):
        declare(**options)
    assert "Shelf" not in registry


def test_options_that_speak_of_declared_fields_are_taken() -> None:
    shelf = declare(
        keyables=("id", "external_id"),
        match_keys=("_id", "extId"),
        unique=("extId",),
        one_required=(("h", "extId"),),
        list_params={"height": "h", "search": Param()},
        unhide={"search": "", "h": "0"},
        aliases={"hh": "h"},
        not_offered={"delete": "leave it there"},
        evidence={"fields": documented(BOOK)},
        quirks=(Quirk("It creaks.", documented(BOOK)),),
    )
    assert shelf._meta.list_params["height"] == Param("h")
    assert shelf._meta.key_kinds == {"_id": "id", "extId": "external_id"}


def test_an_abstract_class_may_speak_of_fields_that_come_later() -> None:
    class Furniture(Model):
        """What several models have."""

        class Meta:
            abstract = True
            path = "furniture-of-this-test"
            unique = ("serialNo",)

    class Chair(Furniture):
        """One that has the field."""

        serial_number: fields.Text = fields.Text("serialNo")

    assert Chair._meta.unique == ("serialNo",)
    with pytest.raises(ConfigurationError, match=r"Stool\.Meta\.unique has 'serialNo'"):

        class Stool(Furniture):
            """One that lacks it."""


def test_two_fields_cannot_be_written_under_one_name() -> None:
    with pytest.raises(ConfigurationError, match="Both: name and title are both written as 'title'"):

        class Both(Model):
            """A model of one's own."""

            class Meta:
                path = "both-of-this-test"

            name: fields.Text = fields.Text("subject", write_key="title")
            title: fields.Text = fields.Text("title")

    class Shown(Model):
        """What Planhat keeps itself is not written."""

        class Meta:
            path = "shown-of-this-test"

        name: fields.Text = fields.Text("subject", write_key="title")
        title: fields.Text = fields.Text("title", read_only=True)

    assert Shown._meta.write_keys == {"subject": "title"}


def test_a_custom_field_needs_an_object_that_has_custom_values() -> None:
    shelf = declare()
    assert shelf._meta.custom is None
    with pytest.raises(ConfigurationError, match=r"Tall\.tier is a custom field, and Tall has none"):
        type("Tall", (shelf,), {"__module__": __name__, "tier": fields.Custom("Tier", str)})
    custom = CustomData("custom")
    tall: Any = type("Tall", (shelf,), {"__module__": __name__, "custom": custom, "tier": fields.Custom("Tier", str)})
    assert tall._meta.custom is custom
    assert tall(tier="Gold").custom == {"Tier": "Gold"}


def holding(**body: Any) -> type[Model]:
    """Make a model whose body holds this."""
    meta = type("Meta", (), {"path": "shelves-of-this-test"})
    return type(Model)("Shelf", (Model,), {"__module__": __name__, "Meta": meta, **body})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"title": fields.Text}, r"Shelf\.title is the class Text itself: write fields\.Text\("),
        ({"title": str}, r"Shelf\.title is a type and no field: write title: fields\.Text = fields\.Text\("),
        ({"day": date}, r"write day: fields\.Date = "),
        ({"__annotations__": {"title": "str"}}, r"Shelf\.title is annotated as str and is no field"),
        (
            {"__annotations__": {"size": "float | None"}},
            r"float \| None and is no field: write size: fields\.Number",
        ),
        ({"__annotations__": {"done": bool}}, r"as bool and is no field: write done: fields\.Boolean"),
        ({"a__b": fields.Text("ab")}, r"Shelf\.a__b holds '__', which divides"),
        ({"_x": fields.Text("x")}, r"Shelf\._x begins with an underscore"),
        ({"a": fields.Text("a", read_only=True, required=True)}, "a cannot be read_only and required at once"),
        ({"a": fields.Text("a", read_only=True, write_only=True)}, "read_only and write_only at once"),
        ({"a": fields.Text("a", get_only=True, write_only=True)}, "get_only and write_only at once"),
        ({"a": fields.Choice("a")}, r"a has no choices; a text that may be anything is a fields\.Text"),
        ({"a": fields.Text("a", most=3)}, "which are for numbers"),
        ({"a": fields.Number("a", least=3, most=1)}, "least=3 above most=1"),
        ({"a": ReferenceList("User", "a", item_key="nope")}, "item_key that holds no id; it is 'id' or '_id'"),
        ({"Meta": type("Meta", (), {"path": "/shelves/"})}, "path is '/shelves/', and takes .* alone: 'shelves'"),
    ],
)
def test_what_would_be_no_field_or_a_wrong_one_is_told(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        holding(**body)


def test_a_body_may_hold_what_is_no_field() -> None:
    noted = {"ROWS": "ClassVar[int]", "shelf": "Shelf", "_kept": "int"}
    assert holding(LIMIT=3, Meta=type("Meta", (), {"path": "shelves-of-this-test"}), __annotations__=noted)


def test_a_plain_field_in_a_class_over_a_ready_model_is_told(caplog: pytest.LogCaptureFixture) -> None:
    type(Model)("Account", (Company,), {"__module__": __name__, "tier": fields.Custom("Tier", str)})
    assert caplog.text == ""
    type(Model)("Account", (Company,), {"__module__": __name__, "tier": fields.Text("Tier")})
    [told] = caplog.records
    assert told.getMessage() == (
        "Account.tier: Company has no property 'Tier' that is known. A custom field is declared with "
        "fields.Custom('Tier', ...); Planhat drops other names without an error"
    )
