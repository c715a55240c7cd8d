"""References by one's own key, in links and in lists of links: where they are taken, sent, read back and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import FieldError, NotSupported, ValidationError
from planhat_orm.models import NPS, Company, Enduser, Issue, License, Note, User
from planhat_orm.orm import fields, tracking
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.refs import takers
from planhat_orm.orm.relations import ForeignKey, ReferenceList
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox import Sandbox

SOME_ID = "64b0f1a2c3d4e5f60718293a"
OTHER_ID = "64b0f1a2c3d4e5f60718293b"
THIRD_ID = "64b0f1a2c3d4e5f60718293c"


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    return planhat_sandbox


@pytest.fixture
def own_registry() -> Iterator[None]:
    """Forget the models that a test declares."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def sent(box: Sandbox) -> Any:
    """Return the body of the last request."""
    return box.requests[-1].json


# Where they are taken


def test_who_can_be_referred_to_follows_from_the_fields_that_take_keys(own_registry: None) -> None:
    assert {"Enduser.company", "Issue.companies"} <= set(takers(Company))
    assert list(takers(User)) == []

    class Depot(Model):
        """A model of one's own, which nothing refers to yet."""

        class Meta:
            path = "depots-of-this-test"
            keyables = ("id", "external_id")

        external_id: fields.Text = fields.Text("externalId")

    with pytest.raises(NotSupported, match=r"load it with Depot\.objects\.get\(external_id='d'\) and assign that"):
        Depot.ref(external_id="d")

    class Parcel(Model):
        """One that refers to it by key."""

        class Meta:
            path = "parcels-of-this-test"

        depot: ForeignKey[Depot] = ForeignKey("Depot", "depotId", takes_keys=True)
        seen: ReferenceList[Depot] = ReferenceList("Depot", "seenIds")

    assert str(Depot.ref(external_id="d")) == "extid-d"
    with pytest.raises(NotSupported, match="a Depot by source_id"):
        Depot.ref(source_id="d")
    parcel = Parcel(depot=Depot.ref(external_id="d"))
    assert tracking.body_of(parcel, tracking.pending(parcel)) == {"depotId": "extid-d"}
    with pytest.raises(NotSupported, match=r"Parcel\.seen must be an id: Planhat takes no own keys for a Depot here"):
        parcel.seen = [Depot.ref(external_id="d")]
    with pytest.raises(NotSupported):
        parcel.seen.add(Depot.ref(external_id="d"))
    parcel.seen = ["extid-d"]
    with pytest.raises(ValidationError, match=r"seen: must be an id: .*Depot\.objects\.get\(external_id='d'\)"):
        parcel.full_clean()


def test_a_class_of_the_tenants_own_is_referred_to_like_the_one_it_derives_from(own_registry: None) -> None:
    class Account(Company):
        """A company of the tenant's own."""

    assert str(Account.ref(source_id="crm-1")) == "srcid-crm-1"


def test_a_link_that_takes_ids_only_says_so_before_any_request(box: Sandbox) -> None:
    class Sub(Company):
        """A company with a link that takes no keys."""

        class Meta(Company.Meta):
            abstract = True

        partner: ForeignKey[Company] = ForeignKey("Company", "partnerId")
        partner_id: fields.Id = fields.IdOf(partner)

    class Branch(Sub):
        """One with records."""

    branch = Branch(name="B")
    with box.assert_requests(0):
        with pytest.raises(
            NotSupported, match=r"Branch\.partner must be an id.*Company\.objects\.get\(external_id='a'"
        ):
            branch.partner = Company.ref(external_id="a")
        assert branch.changes() == {"name": (None, "B")}
        branch.partner_id = "srcid-a"
        with pytest.raises(ValidationError, match=r"partner: must be an id.*Company\.objects\.get\(source_id='a'"):
            branch.save()
    registry.pop("Branch")


def test_a_link_that_planhat_keeps_itself_is_read_only_first_of_all() -> None:
    with pytest.raises(FieldError, match="root is read-only"):
        Company(name="Acme").root = Company.ref(external_id="a")


# In lists


def test_a_list_takes_references_and_holds_ids_after_a_save(box: Sandbox) -> None:
    one = box.add(Company, name="A", external_id="a")
    two = box.add(Company, name="B", source_id="b")
    three = box.add(Company, name="C")
    acme = Company.objects.get(id=three["_id"])
    issue = Issue(title="Slow", companies=[Company.ref(external_id="a"), acme])
    assert issue.companies.ids == ["extid-a", acme.id]
    assert Company.ref(external_id="a") in issue.companies
    with box.assert_requests(1):
        issue.save()
    assert sent(box)["companyIds"] == ["extid-a", acme.id]
    assert issue.companies.ids == [one["_id"], acme.id]
    assert issue.changes() == {}
    issue.companies.add(Company.ref(source_id="b"))
    with box.assert_requests(1):
        issue.save()
    assert sent(box) == {"companyIds": [one["_id"], acme.id, "srcid-b"]}
    assert issue.companies.ids == [one["_id"], acme.id, two["_id"]]
    issue.companies.remove(acme)
    assert issue.companies.ids == [one["_id"], two["_id"]]


def test_references_in_a_list_load_what_they_stand_for(box: Sandbox) -> None:
    box.add(Company, name="A", external_id="a")
    three = box.add(Company, name="C")
    issue = Issue(title="Slow", companies=[Company.ref(external_id="a"), three["_id"]])
    with box.assert_requests(2):
        assert [company.name for company in issue.companies] == ["A", "C"]


def test_an_answer_without_a_body_leaves_references_of_a_list_to_be_asked_for(box: Sandbox) -> None:
    one = box.add(Company, name="A", external_id="a")
    issue = Issue.objects.get(id=box.add(Issue, title="Slow", companies=[])["_id"])
    issue.companies = [Company.ref(external_id="a")]
    with box.fault("empty", method="PUT"):
        issue.save()
    assert issue.changes() == {}
    with box.assert_requests(1):
        assert issue.companies.ids == [one["_id"]]


def test_a_reference_to_another_class_is_refused(box: Sandbox) -> None:
    note = Note(company_id=SOME_ID)
    with pytest.raises(FieldError, match="takes Enduser objects or ids"):
        note.endusers = [Company.ref(external_id="a")]  # type: ignore[list-item]
    for model in (License, Enduser):
        with pytest.raises(NotSupported):
            model.ref(external_id="a")


# Shapes


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (SOME_ID, SOME_ID),
        ({"_id": SOME_ID}, SOME_ID),
        ({"id": SOME_ID, "name": "Kim"}, SOME_ID),
        ({"_id": SOME_ID, "nickName": "Kim", "email": "k@x.example"}, SOME_ID),
        (None, None),
        ("", None),
        (" ", None),
        ({}, None),
        ({"_id": None}, None),
    ],
)
def test_a_reference_reads_the_same_in_every_shape(stored: Any, read: str | None) -> None:
    company = Company._hydrated({"_id": SOME_ID, "owner": stored}, Origin(None, Company._meta.keys, 1))
    assert company.owner_id == read
    company.owner_id = read
    assert company.changes() == {}


@pytest.fixture
def sheet(own_registry: None) -> Any:
    class Sheet(Model):
        """It writes objects that hold ids, and reads ids."""

        class Meta:
            path = "sheets-of-this-test"

        people: ReferenceList[User] = ReferenceList("User", "people", item_key="_id")
        guests: ReferenceList[Enduser] = ReferenceList("Enduser", "guests", item_key="id")
        companies: ReferenceList[Company] = ReferenceList("Company", "companyIds")

    return Sheet


def held(sheet: Any, **row: Any) -> Any:
    """Make the object of a row, of no session."""
    return sheet._hydrated({"_id": SOME_ID, **row}, Origin(None, sheet._meta.keys, 1))


def body(obj: Any) -> dict[str, Any]:
    return tracking.body_of(obj, tracking.pending(obj))


def test_a_list_is_sent_in_its_own_shape_whatever_it_was_read_in(sheet: Any) -> None:
    one = held(sheet, people=[OTHER_ID], companyIds=[{"_id": OTHER_ID, "name": "A"}, None, ""])
    assert body(one) == {}
    assert (one.people.ids, one.companies.ids) == ([OTHER_ID], [OTHER_ID])
    one.people.add(THIRD_ID)
    one.companies.add(THIRD_ID)
    assert one.changes()["people"] == ([OTHER_ID], [{"_id": OTHER_ID}, {"_id": THIRD_ID}])
    assert body(one) == {"people": [{"_id": OTHER_ID}, {"_id": THIRD_ID}], "companyIds": [OTHER_ID, THIRD_ID]}
    one.people = [{"id": THIRD_ID, "name": "Kim"}]
    assert body(one)["people"] == [{"_id": THIRD_ID, "name": "Kim"}]
    one.people = None
    assert body(one)["people"] == []


def test_the_same_ids_in_another_shape_are_no_change(sheet: Any) -> None:
    one = held(sheet, people=[OTHER_ID, THIRD_ID], guests=[{"id": OTHER_ID, "name": "Kim"}], companyIds=[OTHER_ID])
    one.people = [User._hydrated({"_id": OTHER_ID}, None), THIRD_ID]
    one.guests = [OTHER_ID]
    one.companies = [{"_id": OTHER_ID}]
    assert one.changes() == {}
    one.people = [{"_id": OTHER_ID}, {"_id": THIRD_ID}]
    one.guests = [{"_id": OTHER_ID}]
    assert one.changes() == {}
    assert body(one) == {}
    one.people = [THIRD_ID, OTHER_ID]
    assert set(one.changes()) == {"people"}


def test_what_an_item_holds_beside_its_id_is_kept_and_is_a_change_where_it_differs(sheet: Any) -> None:
    one = held(sheet, guests=[{"id": OTHER_ID, "name": "Kim", "isOwner": True}])
    one.guests.add(THIRD_ID)
    assert body(one) == {"guests": [{"id": OTHER_ID, "name": "Kim", "isOwner": True}, {"id": THIRD_ID}]}
    one.guests = [{"id": OTHER_ID, "isOwner": False}]
    assert body(one) == {"guests": [{"id": OTHER_ID, "isOwner": False}]}


def test_a_list_that_was_sent_as_objects_and_answered_as_ids_is_clean(sheet: Any) -> None:
    one = held(sheet, people=[])
    one.people = [OTHER_ID]
    found = tracking.pending(one)
    assert tracking.body_of(one, found) == {"people": [{"_id": OTHER_ID}]}
    answer = {"_id": SOME_ID, "people": [OTHER_ID]}
    one._merge(answer, Origin(None, sheet._meta.keys, 2), tracking.sent_of(one, found))
    assert (one.people.ids, one.changes()) == ([OTHER_ID], {})


def test_odd_items_are_told_when_they_are_read_and_sent_alone(sheet: Any) -> None:
    one = held(sheet, people=[7, OTHER_ID])
    assert one.changes() == {}
    one.people = [OTHER_ID]
    assert body(one) == {"people": [{"_id": OTHER_ID}]}
    with pytest.raises(FieldError, match=r"companies must hold Planhat ids \(24 hexadecimal digits\) or saved objects"):
        one.companies = ["acme"]


def test_a_key_that_is_not_taken_is_told_with_the_item_that_has_it(planhat_sandbox: Sandbox) -> None:
    items = [
        {"source_id": "a-1", "email": "a@x.example", "score": 9, "company": "64b0f1a2c3d4e5f60718293a"},
        {"source_id": "a-2", "email": "b@x.example", "score": 9, "company": Company.ref(external_id="acme-42")},
    ]
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError, match=r"items\[1\]: company: .*own keys"):
        NPS.objects.bulk_upsert(items)
    with pytest.raises(NotSupported, match="own keys"):
        NPS(company=Company.ref(external_id="acme-42"))
