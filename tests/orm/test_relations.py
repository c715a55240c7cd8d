"""Links, lists of links and reverse managers, with their requests counted."""

from __future__ import annotations

import gc
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import (
    ConfigurationError,
    DecodeError,
    FieldError,
    InvalidQuery,
    NotSupported,
    ValidationError,
)
from planhat_orm.models import NPS, Campaign, Company, Enduser, Issue, License, Note, TimeEntry, User
from planhat_orm.orm.following import load_for_all
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox import Sandbox

GONE = "64b0f1a2c3d4e5f60718ffff"


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


def person(box: Sandbox, name: str) -> dict[str, Any]:
    return box.add(User, email=f"{name}@vendor.example", nick_name=name, first_name=name, last_name="R")


def sent(box: Sandbox) -> Any:
    """Return the body of the last request."""
    return box.requests[-1].json


# Foreign keys


def test_the_owners_of_a_page_are_loaded_by_one_request(box: Sandbox) -> None:
    owners = [person(box, name) for name in ("kim", "liz", "max")]
    for number in range(50):
        box.add(Company, name=f"Company {number}", owner=owners[number % 3])
    with box.assert_requests(2):
        emails = {company.owner.email for company in Company.objects.all()[:50] if company.owner}
    assert emails == {"kim@vendor.example", "liz@vendor.example", "max@vendor.example"}
    with box.assert_requests(1):
        assert all(company.owner for company in Company.objects.all())


def test_the_companies_of_a_page_are_loaded_by_one_list_of_ids(box: Sandbox) -> None:
    for number in range(20):
        company = box.add(Company, name=f"Company {number}")
        box.add(Enduser, company=company, email=f"{number}@x.example")
    with box.assert_requests(2):
        names = {enduser.company.name for enduser in Enduser.objects.all() if enduser.company}
    assert len(names) == 20
    assert box.requests[-1].params["companyId"].count(",") == 19


def test_what_another_thread_loaded_meanwhile_is_not_asked_for_again(box: Sandbox) -> None:
    box.add(NPS, score=9, campaign=box.add(Campaign, name="Spring"))
    box.add(License, company=box.add(Company, name="Acme", owner=box.add(User, email="kim@vendor.example")))
    owned: list[tuple[Model, Any]] = [(NPS.objects.all()[0], NPS.campaign), (Company.objects.all()[0], Company.owner)]
    for obj, field in owned:
        target = getattr(obj, field.name)
        with box.assert_requests(0):
            assert load_for_all(obj, field, type(target), [target.id]) == {target.id: target}


def test_what_is_no_id_can_be_taken_out_of_a_list_of_objects(box: Sandbox) -> None:
    kim = box.add(User, email="kim@vendor.example")["_id"]
    row = box.add(Note, subject="Call", users=[{"id": kim}])
    box.change(Note, row["_id"], users=[{"id": "odd", "name": "Kim"}, {"id": kim}])
    note = Note.objects.get(id=row["_id"])
    note.users.remove("odd")
    note.save()
    assert box.requests[-1].json == {"users": [{"id": kim}]}


def test_page_mates_stay_together_after_saves_and_fields_that_were_loaded_later(box: Sandbox) -> None:
    for number in range(10):
        company = box.add(Company, name=f"Company {number}")
        box.add(Enduser, company=company, email=f"{number}@x.example", position="CTO", phone="1")
    with box.assert_requests(13):
        people = list(Enduser.objects.only("email", "company"))
        for one in people:  # 1 request for all of them
            assert one.position == "CTO"
        for one in people:  # 10 saves
            one.archived = True
            one.save()
        for one in people:  # 1 request for all of them
            assert one.company is not None
            assert one.company.name


def survey(box: Sandbox, count: int, more: int = 0) -> list[dict[str, Any]]:
    """Plant answers of as many people, of one company, and people beside them."""
    acme = box.add(Company, name="Acme")
    people = [box.add(Enduser, company=acme, email=f"p{n}@acme.example") for n in range(count)]
    for one in people:
        box.add(NPS, email=one["email"], score=9, company=acme, euId=one["_id"])
    box.add_many(Enduser, ({"company": acme, "email": f"m{n}@acme.example"} for n in range(more)))
    return people


def test_the_people_of_a_page_are_read_by_one_scan_where_that_costs_less(box: Sandbox) -> None:
    people = survey(box, 20)
    with box.assert_requests(3):  # the answers, a probe of the people, their list
        emails = [answer.enduser.email for answer in NPS.objects.all() if answer.enduser]
    assert sorted(emails) == sorted(one["email"] for one in people)
    with box.assert_requests(2):  # how long their list is, is known by now
        assert len(list(NPS.objects.values_list("enduser.email", flat=True))) == 20


def test_one_row_with_a_link_costs_one_request_and_two_cost_two(box: Sandbox) -> None:
    survey(box, 2)
    answers = list(NPS.objects.all())
    with box.assert_requests(1):
        assert answers[0].enduser is not None
    with box.assert_requests(1):
        assert answers[1].enduser is not None


def test_links_are_followed_one_by_one_where_a_scan_costs_more_and_it_is_said_once(
    box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    survey(box, 4, more=6_000)
    answers = list(NPS.objects.all())
    with box.assert_requests(2):  # whether there are more than two pages of people, then the one that is wanted
        assert answers[0].enduser is not None
    with box.assert_requests(3):  # what the probe told holds
        assert all(answer.enduser is not None for answer in answers)
    assert [one.getMessage() for one in caplog.records if "followed one" in one.getMessage()] == [
        "NPS.enduser is followed one Enduser at a time, a request each: Planhat takes no list of their ids, and "
        "reading all of them would not cost less"
    ]


def test_lists_of_links_are_loaded_for_all_rows_of_a_page(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    people = [box.add(Enduser, company=acme, email=f"p{n}@acme.example")["_id"] for n in range(12)]
    for n in range(6):
        box.add(Issue, title=f"I{n}", companies=[acme["_id"]], endusers=people[2 * n : 2 * n + 2])
    issues = list(Issue.objects.all())
    with box.assert_requests(2):
        found = [[one.email for one in issue.endusers] for issue in issues]
    assert found == [[f"p{2 * n}@acme.example", f"p{2 * n + 1}@acme.example"] for n in range(6)]
    with box.assert_requests(1):
        assert [one.name for issue in issues for one in issue.companies] == ["Acme"] * 6


def test_explain_of_outputs_says_what_links_cost(box: Sandbox) -> None:
    with box.assert_requests(0):
        lines = NPS.objects.values("enduser.email", "company.owner.email", "score").explain().splitlines()[-3:]
    assert lines == [
        "  over enduser: Enduser one by one, or by pages where that is less, 1 + rows / 1,999 requests",
        "  over company: Company by lists of ids, 1 request for about 47; 1 + rows / 4,999 where that is less",
        "  over company.owner: every User is read once in a session, 1 + rows / 9,999 requests",
    ]


def test_the_id_behind_a_link_costs_nothing(box: Sandbox) -> None:
    kim = person(box, "kim")
    box.add(Company, name="Acme", owner=kim)
    box.add(Company, name="Orphan")
    with box.assert_requests(1):
        assert [company.owner_id for company in Company.objects.order_by("name")] == [kim["_id"], None]
        assert [company.to_dict()["owner_id"] for company in Company.objects.none()] == []
    with box.assert_requests(1):
        assert Company.objects.get(name="Orphan").owner is None


@pytest.mark.parametrize(
    ("stored", "read"),
    [(GONE, GONE), ({"_id": GONE, "nickName": "Kim"}, GONE), (None, None), ("", None), ({}, None)],
)
def test_links_are_read_in_every_shape_that_lists_gave_them(stored: Any, read: str | None) -> None:
    company = Company._hydrated({"_id": GONE, "owner": stored}, Origin(None, Company._meta.keys, 1))
    assert company.owner_id == read
    company.owner_id = read
    assert company.changes() == {}


def test_a_dangling_link_raises_the_targets_does_not_exist_and_is_not_asked_for_again(box: Sandbox) -> None:
    kim = person(box, "kim")
    for owner in (kim["_id"], GONE, GONE):
        box.add(Company, name="Acme", extra={"owner": owner})
    with box.assert_requests(2):
        companies = list(Company.objects.all())
        assert companies[0].owner is not None
        for company in companies[1:] * 2:
            with pytest.raises(User.DoesNotExist, match="owner points to the User"):
                company.owner  # noqa: B018 - reading is the point
        assert companies[1].owner_id == GONE


def test_a_dangling_company_is_asked_for_once_by_a_page(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    for company in (acme["_id"], GONE, GONE):
        box.add(Enduser, company=acme, email="a@x.example", extra={"companyId": company})
    with box.assert_requests(2):
        people = list(Enduser.objects.all())
        assert people[0].company is not None
        for one in people[1:] * 2:
            with pytest.raises(Company.DoesNotExist):
                one.company  # noqa: B018


def test_a_user_made_after_the_table_was_read_is_found(box: Sandbox) -> None:
    box.add(Company, name="Acme", owner=person(box, "kim"))
    assert all(company.owner for company in Company.objects.all())
    box.add(Company, name="Birch", owner=person(box, "liz"))
    with box.assert_requests(2):
        assert [company.owner.nick_name for company in Company.objects.order_by("name") if company.owner] == [
            "kim",
            "liz",
        ]


def test_a_deleted_user_is_no_owner_any_more(box: Sandbox) -> None:
    box.add(Company, name="Acme", owner=person(box, "kim"))
    [acme] = Company.objects.all()
    assert acme.owner is not None
    acme.owner.delete()
    with pytest.raises(User.DoesNotExist):
        acme.owner  # noqa: B018


def test_what_a_link_loaded_lives_as_long_as_its_page(box: Sandbox) -> None:
    for number in range(3):
        box.add(Enduser, company=box.add(Company, name=f"C {number}"), email=f"{number}@x.example")
    people = list(Enduser.objects.all())
    assert people[0].company is not None
    gc.collect()
    with box.assert_requests(0):
        assert people[2].company is not None
        assert people[2].company.name == "C 2"


def test_assigning_an_object_sends_its_id_and_reads_back_the_object(box: Sandbox) -> None:
    kim, acme = person(box, "kim"), box.add(Company, name="Acme")
    company, user = Company.objects.get(id=acme["_id"]), User.objects.get(id=kim["_id"])
    company.owner = user
    with box.assert_requests(0):
        assert company.owner is user
        assert company.owner_id == user.id
    company.save()
    assert sent(box) == {"owner": user.id}
    with box.assert_requests(0):
        assert company.owner is user
        company.owner = user
        company.owner_id = user.id
        assert company.save().status == "unchanged"
    company.owner = None
    company.save()
    assert sent(box) == {"owner": None}
    assert company.owner is None


def test_an_unsaved_object_cannot_be_sent_as_a_link_but_may_be_assigned(box: Sandbox) -> None:
    acme = Company(name="Acme")
    ada = Enduser(company=acme, email="ada@acme.example")
    with box.assert_requests(0), pytest.raises(ValidationError, match="company: is a Company that is not saved yet"):
        ada.save()
    acme.save()
    ada.save()
    assert sent(box) == {"companyId": acme.id, "email": "ada@acme.example"}


def test_objects_of_two_sessions_are_not_linked(box: Sandbox) -> None:
    row, kim = box.add(Company, name="Acme"), person(box, "kim")
    mine = Company.objects.get(id=row["_id"])
    unbound = Company(name="New")
    unbound.save()
    with box.session() as other:
        theirs = User.objects.get(id=kim["_id"])
        with pytest.raises(FieldError, match="different sessions"):
            mine.owner = theirs
        with pytest.raises(FieldError, match="different sessions"):
            mine.followers = [theirs]
        with pytest.raises(FieldError, match="sessions"):
            Company.objects.using(other).create(
                name="Third", owner=User.objects.using(mine._session()).get(id=kim["_id"])
            )
        late = User(nick_name="L", email="l@x.example", first_name="L", last_name="L")
        fresh = Company(name="Fresh", owner=late)
        late.save()
    with pytest.raises(FieldError, match="different sessions"):
        fresh.save()
    assert mine.changes() == {}


def test_a_new_object_is_saved_by_the_session_of_what_it_is_linked_to(box: Sandbox) -> None:
    row = box.add(Company, name="Acme")
    acme = Company.objects.get(id=row["_id"])
    with box.session() as other:
        ada = Enduser(company=acme, email="ada@acme.example")
        ada.save()
        assert ada._session() is acme._session()
        assert ada._session() is not other


def test_what_is_no_record_of_the_target_is_refused_when_assigned(box: Sandbox) -> None:
    acme = Company(name="Acme")
    for wrong in (Enduser(), 3, {"_id": GONE}):
        with pytest.raises(FieldError, match="owner takes a User"):
            acme.owner = wrong  # type: ignore[assignment]
    acme.owner_id = "kim"
    with box.assert_requests(0), pytest.raises(ValidationError, match="owner: must be a Planhat id"):
        acme.save()


# References by your own key


def test_a_reference_by_own_key_costs_nothing_and_is_sent_as_such(box: Sandbox) -> None:
    row = box.add(Company, name="Acme", external_id="acme-42", source_id="crm 1/2")
    ada = Enduser(company=Company.ref(external_id="acme-42"), email="ada@acme.example")
    with box.assert_requests(1):
        ada.save()
    assert sent(box) == {"companyId": "extid-acme-42", "email": "ada@acme.example"}
    assert ada.company_id == row["_id"]
    bob = Enduser(company=Company.ref(source_id="crm 1/2"), email="bob@acme.example")
    assert bob.company_id == "srcid-crm 1/2"
    with box.assert_requests(1):
        assert bob.company is not None
        assert bob.company.name == "Acme"
    bob.save()
    assert sent(box)["companyId"] == "srcid-crm 1/2"
    assert bob.company_id == row["_id"]


def test_references_are_refused_where_planhat_is_not_known_to_take_them(box: Sandbox) -> None:
    for model in (User, Enduser, License, Note):
        with pytest.raises(NotSupported, match=rf"take an? {model.__name__} by external_id"):
            model.ref(external_id="x")
    acme = Company(name="Acme", owner_id="extid-kim")
    with box.assert_requests(0), pytest.raises(ValidationError, match="owner: must be an id"):
        acme.save()
    with pytest.raises(FieldError, match="takes a User, not a Company"):
        acme.owner = Company.ref(external_id="acme-42")  # type: ignore[assignment]
    for keys in ({}, {"external_id": "a", "source_id": "b"}, {"external_id": " "}, {"source_id": 3}):
        with pytest.raises(InvalidQuery):
            Company.ref(**keys)


# Lists of references


def test_a_list_of_links_makes_no_request_until_it_is_iterated(box: Sandbox) -> None:
    kim, liz = person(box, "kim"), person(box, "liz")
    box.add(Company, name="Acme", external_id="a", followers=[kim, liz])
    acme = Company.objects.get(external_id="a")
    followers = acme.followers
    with box.assert_requests(0):
        assert followers.ids == [kim["_id"], liz["_id"]]
        assert len(followers) == 2
        assert kim["_id"] in followers
        assert repr(followers).startswith("<2 x User: ")
    with box.assert_requests(1):
        assert [user.nick_name for user in followers] == ["kim", "liz"]
        assert next(iter(followers)) in followers


def test_adding_and_removing_references_sends_the_list(box: Sandbox) -> None:
    kim, liz = person(box, "kim"), person(box, "liz")
    box.add(Company, name="Acme", external_id="a", followers=[kim])
    acme = Company.objects.get(external_id="a")
    user = User.objects.get(id=liz["_id"])
    acme.followers.add(user, kim["_id"], user)
    acme.save()
    assert sent(box) == {"followers": [kim["_id"], liz["_id"]]}
    acme.followers.remove(kim["_id"], GONE)
    acme.save()
    assert sent(box) == {"followers": [liz["_id"]]}
    acme.followers = [user]
    with box.assert_requests(0):
        assert acme.save().status == "unchanged"


def test_what_an_item_holds_beside_its_id_is_kept(box: Sandbox) -> None:
    kim, liz = person(box, "kim"), person(box, "liz")
    company = box.add(Company, name="Acme")
    row = box.add(Note, company=company, extra={"users": [{"id": kim["_id"], "name": "kim", "isOwner": True}]})
    note = Note.objects.get(id=row["_id"])
    note.users.add(liz["_id"])
    note.save()
    assert sent(box) == {"users": [{"id": kim["_id"], "name": "kim", "isOwner": True}, {"id": liz["_id"]}]}
    note.users = [liz["_id"], kim["_id"]]
    note.save()
    assert [item.get("isOwner") for item in sent(box)["users"]] == [None, True]
    note.users = [{"id": liz["_id"], "isOwner": True}]
    note.save()
    assert sent(box) == {"users": [{"id": liz["_id"], "isOwner": True}]}
    other = Note(company_id=company["_id"], users=note.users, subject="s")
    with box.assert_requests(1):
        other.save()
    assert sent(box)["users"] == [{"id": liz["_id"], "isOwner": True, "name": "liz"}]


def test_people_of_a_note_are_loaded_one_by_one_and_only_those_missing(box: Sandbox) -> None:
    company = box.add(Company, name="Acme")
    ada, bob = (box.add(Enduser, company=company, email=f"{name}@x.example") for name in ("ada", "bob"))
    row = box.add(Note, company=company, endusers=[ada, bob])
    note, held = Note.objects.get(id=row["_id"]), Enduser.objects.get(id=bob["_id"])
    with box.assert_requests(1):
        assert [one.email for one in note.endusers] == ["ada@x.example", "bob@x.example"]
    assert held in note.endusers


def test_a_dangling_reference_in_a_list_is_named(box: Sandbox) -> None:
    box.add(Company, name="Acme", extra={"followers": [GONE]})
    [acme] = Company.objects.all()
    with box.assert_requests(1), pytest.raises(User.DoesNotExist, match=f"followers holds the User {GONE}"):
        list(acme.followers)
    assert acme.followers.ids == [GONE]


def test_lists_of_links_that_were_not_loaded_are_assigned_without_loading_them(box: Sandbox) -> None:
    kim = person(box, "kim")
    box.add(Company, name="Acme", followers=[person(box, "liz")])
    [lean] = Company.objects.only("name")
    with box.assert_requests(1):
        assert repr(lean.followers) == "<references to User, not loaded>"
        lean.followers = [kim["_id"]]
        lean.save()
    assert sent(box) == {"followers": [kim["_id"]]}


def test_wrong_items_are_refused_when_assigned(box: Sandbox) -> None:
    acme = Company(name="Acme")
    user = User(nick_name="new")
    for wrong in ([3], [Enduser()], "kim", 5, [user], [{}], ["kim"]):
        with pytest.raises(FieldError):
            acme.followers = wrong  # type: ignore[assignment]
    with pytest.raises(FieldError, match="read-only"):
        Note().participants = []
    with pytest.raises(FieldError, match="read-only"):
        Note().participants.add(GONE)


def test_an_odd_item_is_a_decode_error_of_that_list_alone(box: Sandbox) -> None:
    box.add(Company, name="Acme", extra={"followers": [None, 5], "collaborators": [None, "", GONE]})
    [acme] = Company.objects.all()
    with pytest.raises(DecodeError, match=f"Company {acme.id}: followers"):
        len(acme.followers)
    assert repr(acme.followers) == "<references to User that cannot be read>"
    assert acme.collaborators.ids == [GONE]
    assert acme.changes() == {}


# Reverse managers


def test_a_reverse_manager_lists_and_creates(box: Sandbox) -> None:
    acme_row, birch = box.add(Company, name="Acme"), box.add(Company, name="Birch")
    box.add(Enduser, company=acme_row, email="ada@x.example")
    box.add(Enduser, company=birch, email="bob@x.example")
    acme = Company.objects.get(id=acme_row["_id"])
    with box.assert_requests(1):
        assert [one.email for one in acme.endusers.all()] == ["ada@x.example"]
    assert box.requests[-1].params["companyId"] == acme.id
    with box.assert_requests(1):
        eve = acme.endusers.create(email="eve@x.example")
    assert sent(box) == {"companyId": acme.id, "email": "eve@x.example"}
    with box.assert_requests(0):
        assert eve.company is acme


def test_reverse_managers_know_which_of_several_links_they_are_of(box: Sandbox) -> None:
    kim = person(box, "kim")
    box.add(Company, name="Acme", owner=kim)
    box.add(Company, name="Birch", co_owner=kim)
    user = User.objects.get(id=kim["_id"])
    assert [company.name for company in user.companies.all()] == ["Acme"]
    assert [company.name for company in user.co_owned_companies.all()] == ["Birch"]


def test_an_unsaved_object_has_no_reverse_managers() -> None:
    with pytest.raises(FieldError, match="is not saved yet, so nothing can point to it"):
        Company(name="Acme").endusers  # noqa: B018


def test_a_subclass_has_the_reverse_managers_of_its_base(box: Sandbox, own_registry: None) -> None:
    class Account(Company):
        """A company of one's own."""

    row = box.add(Company, name="Acme")
    box.add(License, company=row, currency="EUR", from_date=date(2025, 1, 1), mrr=5)
    account = Account.objects.get(id=row["_id"])
    [licence] = account.licenses.all()
    assert type(licence.company) is Company
    licence.company = account
    with box.assert_requests(0):
        assert licence.save().status == "unchanged"


def test_relations_that_cannot_be_are_named(own_registry: None) -> None:
    class Task(Model):
        """A model for this test."""

        class Meta:
            path = "tasks-of-this-test"

        nobody: ForeignKey[Any] = ForeignKey("Nobody", "nobodyId")
        endusers: Related[Any] = Related("Enduser")

    task = Task._hydrated({"_id": GONE, "nobodyId": GONE}, None)
    with pytest.raises(ConfigurationError, match="points to 'Nobody', which is no model"):
        task.nobody  # noqa: B018
    with pytest.raises(ConfigurationError, match="Enduser has 0 links to Task"):
        task.endusers  # noqa: B018


# Reverse managers over lists


@pytest.fixture
def shelves(own_registry: None) -> tuple[Any, Any]:
    class Shelf(Model):
        """It is linked to by lists."""

        class Meta:
            path = "shelves-of-this-test"

        books: Related[Any] = Related("Book", via="shelves")
        offered: Related[Any] = Related("Book", via="best")
        doubtful: Related[Any] = Related("Book")
        notes: Related[Any] = Related("Leaflet")

    class Book(Model):
        """It links by two lists and by no key."""

        class Meta:
            path = "books-of-this-test"

        shelves: ReferenceList[Shelf] = ReferenceList("Shelf", "shelfIds")
        best: ReferenceList[Shelf] = ReferenceList("Shelf", "bestShelfIds")

    class Leaflet(Model):
        """It links by a key, and by a list beside it."""

        class Meta:
            path = "leaflets-of-this-test"

        shelf: ForeignKey[Shelf] = ForeignKey("Shelf", "shelfId")
        copies: ReferenceList[Shelf] = ReferenceList("Shelf", "copyIds")

    return Shelf, Book


def test_a_reverse_manager_finds_the_list_that_links(shelves: tuple[Any, Any]) -> None:
    shelf, _ = shelves
    assert shelf.books.key(shelf).name == "shelves"
    assert shelf.offered.key(shelf).name == "best"
    assert shelf.notes.key(shelf).name == "shelf"
    with pytest.raises(ConfigurationError, match=r"Shelf\.doubtful: Book has 2 links to Shelf; name one by via="):
        shelf.doubtful.key(shelf)


def test_a_reverse_manager_over_a_list_reads_and_creates_what_holds_its_object(box: Sandbox) -> None:
    acme = Company.objects.get(id=box.add(Company, name="Acme")["_id"])
    other = box.add(Company, name="Other")
    box.add(Issue, title="Both", companies=[acme.id, other["_id"]])
    box.add(Issue, title="Other", companies=[other["_id"]])
    with box.assert_requests(1):
        assert [issue.title for issue in acme.issues.all()] == ["Both"]
    assert box.requests[-1].params["companyId"] == acme.id
    with box.assert_requests(1):
        made = acme.issues.create(title="New")
    assert sent(box) == {"title": "New", "companyIds": [acme.id]}
    assert made.companies.ids == [acme.id]
    assert {issue.title for issue in acme.issues.all()} == {"Both", "New"}


@pytest.mark.parametrize(
    ("make", "instead"),
    [
        (lambda: Issue(title="x").companies.add("acme-42"), "Company.ref(external_id='acme-42') or the object itself"),
        (lambda: Issue(title="x").companies.remove("acme-42"), "Company.ref(external_id='acme-42')"),
        (lambda: Company(name="x").followers.add("kim@v.example"), "User.objects.get(email='kim@v.example')"),
        (lambda: Enduser(company="acme-42").full_clean(), "Company.ref(external_id='acme-42')"),
        (lambda: Company(name="x", owner="kim@v.example").full_clean(), "User.objects.get(email='kim@v.example')"),
        (lambda: Issue(title="x", companies=[" "]).full_clean(), "give an id, or the Company itself"),
    ],
)
def test_a_text_that_is_no_id_is_answered_with_what_to_assign(make: Any, instead: str) -> None:
    with pytest.raises((FieldError, ValidationError)) as caught:
        make()
    assert "Planhat id" in str(caught.value)
    assert instead in str(caught.value)


def test_a_reference_names_its_key() -> None:
    with pytest.raises(InvalidQuery, match=r"Company\.ref\('acme'\) does not say .*: external_id='acme' or source_id="):
        Company.ref("acme")  # type: ignore[arg-type]


def test_what_lists_have_and_references_have_not_is_answered_with_what_to_write() -> None:
    with pytest.raises(AttributeError, match=r"write add\(\.\.\.\)"):
        Issue(title="x").companies.append("acme")  # type: ignore[attr-defined]
    assert not hasattr(Issue(title="x").companies, "nothing")


def test_a_reference_is_removed_by_the_key_of_a_live_object(box: Sandbox) -> None:
    rows = [box.add(Company, name=name, external_id=f"{name}-1") for name in ("acme", "birch")]
    issue = Issue.objects.create(title="x", companies=[row["_id"] for row in rows])
    key = Company.ref(external_id="acme-1")
    with (
        box.assert_requests(0),
        pytest.raises(FieldError, match="nothing loaded tells that of 'extid-acme-1': load the"),
    ):
        issue.companies.remove(key)
    assert issue.changes() == {}
    companies = list(Company.objects.all())
    with box.assert_requests(0):
        issue.companies.remove(key)
        assert issue.companies.ids == [rows[1]["_id"]]
        issue.companies.add(key)
        issue.companies.remove(key)
        issue.companies.add(key)
        issue.companies.remove(next(one for one in companies if one.name == "acme"))
        issue.companies.remove(GONE)
    assert issue.companies.ids == [rows[1]["_id"]]


def test_a_reference_that_planhat_drops_is_told(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    acme = box.add(Company, name="Acme", external_id="acme-42")
    birch = box.add(Company, name="Birch", external_id="birch-1")
    issue = Issue.objects.create(title="x", companies=[acme["_id"]])
    issue.companies.add(Company.ref(external_id="birch-1"), Company.ref(external_id="nope"))
    with box.assert_requests(1):
        issue.save()
    assert issue.companies.ids == [acme["_id"], birch["_id"]]
    assert (
        "did not store 1 of extid-birch-1, extid-nope in companies: it has no such Company, or the list" in caplog.text
    )
    caplog.clear()
    entry = TimeEntry.objects.create(date=date(2026, 1, 1), hours=1, company=Company.ref(external_id="nope"))
    assert entry.company_id is None
    assert "Planhat did not store extid-nope in company: it has no such Company" in caplog.text
    caplog.clear()
    entry.company = Company.ref(external_id="acme-42")
    entry.save()
    issue.companies = [acme["_id"], Company.ref(external_id="birch-1"), Company.ref(external_id="acme-42")]
    issue.save()
    assert caplog.text == ""


def test_of_several_references_those_that_are_known_to_be_dropped_are_told(
    box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    box.add(Company, name="Acme", external_id="acme-42")
    known = list(Company.objects.all())
    issue = Issue(title="x", companies=[Company.ref(external_id="acme-42"), Company.ref(external_id="nope")])
    issue.save()
    assert issue.companies.ids == [known[0].id]
    assert "did not store extid-nope in companies" in caplog.text
