"""Class creation: Meta, inheritance, clashes, and the suggestions for names that are no fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import ConfigurationError, FieldError, ObjectDoesNotExist, UnknownField, ValidationError
from planhat_orm.models import Company, Enduser, Invoice, Note, Task, User
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Forget the models that a test declares."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


class Scored(Model):
    """What several models of one's own have."""

    class Meta:
        abstract = True
        page_size = (10, 20)

    score: fields.Number = fields.Number("score")


def test_fields_are_inherited_first_and_in_order() -> None:
    class Account(Company):
        """A company of one's own."""

        rank: fields.Integer = fields.Integer("rank")
        tier: fields.Custom[str] = fields.Custom("Tier", str)

    assert [field.name for field in Account._meta.fields] == [*[f.name for f in Company._meta.fields], "rank"]
    assert Account._meta.virtual[-1].name == "tier"
    assert Account._meta.path == "companies"
    assert "rank" not in Company._meta.by_name
    assert Account._meta.by_name["pk"] is Account._meta.by_name["id"]


def test_an_abstract_model_lends_its_options_and_has_no_records() -> None:
    class Deal(Scored):
        """A model of one's own."""

        class Meta:
            path = "deals-of-this-test"
            page_size = (30, 40)

    class Bid(Scored):
        """Another one."""

        class Meta(Scored.Meta):
            path = "bids-of-this-test"

    assert (Deal._meta.page_size, Deal._meta.abstract) == ((30, 40), False)
    assert (Bid._meta.page_size, Bid._meta.abstract) == ((10, 20), False)
    assert registry["Deal"] is Deal
    assert "Scored" not in registry
    for abstract in (Scored, Model):
        with pytest.raises(ConfigurationError, match=f"{abstract.__name__} is abstract"):
            abstract()


def test_options_are_taken_from_the_first_base_that_says_them() -> None:
    class Account(Scored, Company):
        """A company with a mixin in front."""

    assert Account._meta.path == "companies"
    assert Account._meta.page_size == (10, 20)
    assert Account._meta.keyables == Company._meta.keyables
    assert {"score", "name"} <= set(Account._meta.by_name)


def test_a_concrete_model_needs_a_path() -> None:
    with pytest.raises(ConfigurationError, match="Homeless: its class Meta needs a path, or abstract = True"):

        class Homeless(Model):
            """Nowhere."""


def test_an_unknown_option_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigurationError, match=r"Deal.Meta has no option 'keyable'; did you mean 'keyables'\?"):

        class Deal(Model):
            """Misspelt."""

            class Meta:
                path = "deals"
                keyable = ("id",)


def test_clashes_are_errors_when_the_class_is_made() -> None:
    def make(**body: Any) -> None:
        type(Company)("Clash", (Company,), body)

    with pytest.raises(ConfigurationError, match="field 'name' is declared twice"):
        make(name=fields.Text("name"))
    with pytest.raises(ConfigurationError, match="'name' hides the inherited field"):
        make(name="Acme")
    with pytest.raises(ConfigurationError, match="'save' is a name of Model itself"):
        make(save=fields.Boolean("save"))
    with pytest.raises(ConfigurationError, match="field 'endusers' hides that of Company"):
        make(endusers=fields.Custom("Endusers", list))
    with pytest.raises(ConfigurationError, match="name and title both stand for Planhat's 'name'"):
        make(title=fields.Text("name"))
    with pytest.raises(ConfigurationError, match=r"one and two both stand for Planhat's 'custom\.Tier'"):
        make(one=fields.Custom("Tier", str), two=fields.Custom("Tier", str))
    shared = fields.Text("shared")
    with pytest.raises((ConfigurationError, RuntimeError)):
        make(one=shared, two=shared)
    with pytest.raises(ConfigurationError, match="size is annotated as a field but none is assigned"):
        make(__annotations__={"size": "fields.Integer"})
    with pytest.raises(ConfigurationError, match="field 'name' hides that of User"):
        type(User)("Clash", (User,), {"name": fields.Text("fullName")})


def test_two_bases_with_the_same_name_for_different_fields_clash() -> None:
    class Ranked(Model):
        """Another score."""

        class Meta:
            abstract = True

        score: fields.Integer = fields.Integer("rank")

    with pytest.raises(ConfigurationError, match="field 'score' is declared twice among its bases"):

        class Both(Scored, Ranked):
            """Two scores."""

            class Meta:
                path = "both"


def test_a_class_of_the_same_name_does_not_take_the_place_of_its_base() -> None:
    class Company2(Company):
        """Renamed below."""

    mine = type(Company)("Company", (Company,), {"tier": fields.Custom("Tier", str)})
    assert registry["Company"] is Company
    assert mine._meta.path == "companies"  # type: ignore[attr-defined]
    again = type(Company)("Company2", (Company,), {})
    assert registry["Company2"] is again
    assert isinstance(Company2.endusers, Related)
    assert Company2.endusers.key(Company2).name == "company"


def test_each_model_has_its_own_exceptions() -> None:
    class Account(Company):
        """A company of one's own."""

    assert issubclass(Account.DoesNotExist, Company.DoesNotExist)
    assert issubclass(Company.DoesNotExist, ObjectDoesNotExist)
    assert not issubclass(Company.DoesNotExist, Enduser.DoesNotExist)
    assert Company.DoesNotExist.__qualname__ == "Company.DoesNotExist"


@pytest.mark.parametrize(
    ("model", "name", "meant"),
    [
        (Company, "nme", "name"),
        (Company, "externalId", "external_id"),
        (Company, "EXTERNALID", "external_id"),
        (Company, "h", "health"),
        (Company, "Health", "health"),
        (Company, "phonePrimary", "phone"),
        (Company, "ownr", "owner"),
        (Enduser, "companyId", "company_id"),
        (Enduser, "Title", "position"),
        (Note, "Title", "subject"),
        (User, "nickname", "nick_name"),
        (Task, "due_date", "end_time"),
        (Invoice, "amount", "amount_total"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(model: type[Model], name: str, meant: str) -> None:
    with pytest.raises(UnknownField, match=f"{model.__name__} has no field '{name}'; did you mean '{meant}'"):
        model._meta.field(name)
    with pytest.raises(FieldError, match=meant):
        model(**{name: 1})


def test_an_opposite_is_said_to_be_one_and_a_word_of_a_label_is_enough() -> None:
    assert User._meta.unknown("is_active").endswith("; did you mean 'inactive', its opposite?")
    assert Task._meta.unknown("due").endswith("; did you mean 'end_time', in Planhat's screens 'Due Date'?")


def test_a_property_is_answered_with_the_fields_that_it_is_made_of() -> None:
    said = "User has no field 'name': User.name is put together here, of first_name and last_name; use those"
    for ask in (lambda: User.objects.filter(name="Kim"), lambda: Company.objects.filter(owner__name="Kim")):
        with pytest.raises(UnknownField) as caught:
            ask()
        assert str(caught.value) == said
    assert User(first_name="Kim", last_name="R").name == "Kim R"


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    with pytest.raises(UnknownField) as caught:
        Company._meta.field("qwertyuiop")
    assert str(caught.value) == "Company has no field 'qwertyuiop'"


def test_a_custom_field_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is no type of a custom field; use bool, date"):
        fields.Custom("Tier", set)
    with pytest.raises(ConfigurationError, match="needs the name"):
        fields.Custom(" ", str)
    with pytest.raises(ConfigurationError, match="as_days is for dates"):
        fields.Custom("Tier", str, as_days=True)


def test_what_lists_load_and_select() -> None:
    meta = Company._meta
    assert meta.keys - meta.listed_keys == {"licenses", "sales"}
    assert {"csmScoreLog", "documents"} & set(meta.default_select) == set()
    assert {"_id", "name", "custom", "owner"} <= set(meta.default_select)
    assert Enduser._meta.default_select == ()
    assert set(meta.interned) == {"owner", "coOwner", "status", "orgRootId"}


def test_slips_in_declarations_are_told_when_the_class_is_made() -> None:
    with pytest.raises(ConfigurationError, match=r"Draft\.title is a tuple that holds a field: take the comma"):

        class Draft(Model):
            """A model of one's own."""

            class Meta:
                path = "drafts-of-this-test"

            title = (fields.Text("title"),)

    with pytest.raises(ConfigurationError, match=r"a link names its model by a text, 'Company', not by <class"):
        ForeignKey(Company, "companyId")  # type: ignore[arg-type]
    for link in (ReferenceList, Related):
        with pytest.raises(ConfigurationError, match="by a text, 'User'"):
            link(User, "userIds") if link is ReferenceList else link(User)  # type: ignore[arg-type,call-arg]
    with pytest.raises(ConfigurationError, match=r"choices of 'status' are a tuple, not a text: \('open',\)"):
        fields.Choice("status", choices="open")
    for name in ("", " ", None, Company):
        with pytest.raises(ConfigurationError, match="Planhat's name of the property"):
            fields.Text(name)  # type: ignore[arg-type]


def test_a_create_needs_the_required_fields_and_one_of_each_group() -> None:
    class Parcel(Model):
        """A model of one's own."""

        class Meta:
            path = "parcels-of-this-test"
            one_required = (("street", "box"),)

        sender: fields.Text = fields.Text("from", required=True)
        street: fields.Text = fields.Text("street")
        box: fields.Text = fields.Text("box")

    assert Parcel._meta.create_required == ("from", ("street", "box"))
    Parcel(sender="Kim", box="7").full_clean()
    with pytest.raises(ValidationError) as caught:
        Parcel().full_clean()
    assert set(caught.value.messages) == {"sender", "street"}
