"""prefetch_related and select_related: what rows lead to is here with them, with the requests counted."""

from __future__ import annotations

import gc
import pickle
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import DecodeError, FilterIgnored, Forbidden, InvalidQuery, NotFound, UnknownField
from planhat_orm.models import NPS, Company, Enduser, Issue, License, Note, Task, Ticket, User
from planhat_orm.orm import held
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.prefetching import links_of, prices
from planhat_orm.orm.relations import ForeignKey, Related
from planhat_orm.session.session import Session

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

GONE = "64b0f1a2c3d4e5f60718ffff"


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Three companies of two users; two people in the first, one in the second; two licences and an issue."""
    owners = [planhat_sandbox.add(User, email=f"{name}@v.example", first_name=name, last_name="X") for name in "ab"]
    rows = [
        planhat_sandbox.add(Company, name=f"C{n}", owner=owners[n % 2] if n < 2 else None, followers=owners[:n])
        for n in range(3)
    ]
    for n, company in enumerate((rows[0], rows[0], rows[1])):
        planhat_sandbox.add(Enduser, company=company, email=f"p{n}@x.example")
    planhat_sandbox.add(License, company=rows[0], product="Seats", mrr=5, from_date="2025-01-01")
    planhat_sandbox.add(License, company=rows[1], product="Support", mrr=5, from_date="2025-01-01")
    planhat_sandbox.add(Issue, title="Both", companies=[rows[1]["_id"], rows[0]["_id"]])
    return planhat_sandbox


def emails(company: Company) -> list[str | None]:
    return [one.email for one in company.endusers]


# Reverse managers


def test_the_people_of_all_companies_come_by_one_request(box: Sandbox) -> None:
    with box.assert_requests(2):
        companies = list(Company.objects.prefetch_related("endusers"))
        assert [emails(company) for company in companies] == [["p0@x.example", "p1@x.example"], ["p2@x.example"], []]
    assert box.requests[-1].params["companyId"].count(",") == 2


def test_a_manager_that_is_filled_answers_without_requests(box: Sandbox) -> None:
    first, _, last = Company.objects.prefetch_related("endusers")
    with box.assert_requests(0):
        people = first.endusers
        assert [one.email for one in people.all()] == emails(first)
        assert (len(people), bool(people), people.count(), people.exists()) == (2, True, 2, True)
        assert people[1].email == "p1@x.example"
        assert [one.email for one in people[:1]] == ["p0@x.example"]
        assert people.first() == people[0]
        assert people.last() == people[1]
        assert people.contains(people[0])
        assert list(people.values_list("email", flat=True)) == emails(first)
        assert (len(last.endusers), last.endusers.exists(), last.endusers.first(), last.endusers.count()) == (
            0,
            False,
            None,
            0,
        )
        assert all(one.company is first for one in people)


def test_a_filter_or_another_order_of_a_filled_manager_asks_anew(box: Sandbox) -> None:
    [first, *_] = Company.objects.prefetch_related("endusers")
    with box.assert_requests(1):
        assert [one.email for one in first.endusers.filter(email="p1@x.example")] == ["p1@x.example"]
    with box.assert_requests(1):
        assert [one.email for one in first.endusers.order_by("-email")] == ["p1@x.example", "p0@x.example"]
    with box.assert_requests(1):
        assert len(first.endusers.all().all()) == 2


def test_records_whose_list_holds_the_object_are_found_for_each(box: Sandbox) -> None:
    companies = list(Company.objects.prefetch_related("issues"))
    with box.assert_requests(0):
        assert [[one.title for one in company.issues] for company in companies] == [["Both"], ["Both"], []]


def test_several_paths_share_what_they_begin_with(box: Sandbox) -> None:
    with box.assert_requests(6):  # companies, people; licences and issues of each
        companies = list(
            Company.objects.prefetch_related("endusers", "licenses", "issues", "endusers__company").filter(
                name__lt="C2"
            )
        )
    with box.assert_requests(0):
        assert [one.product for company in companies for one in company.licenses] == ["Seats", "Support"]
        assert [one.company for one in companies[0].endusers] == [companies[0]] * 2


def test_steps_lead_over_managers_links_and_lists(box: Sandbox) -> None:
    with box.assert_requests(5):  # users, their companies, the people there, the licences of each
        users = list(User.objects.order_by("email").prefetch_related("companies.endusers", "companies__licenses"))
    with box.assert_requests(0):
        assert [[emails(one) for one in user.companies] for user in users] == [
            [["p0@x.example", "p1@x.example"]],
            [["p2@x.example"]],
        ]


def test_tasks_of_both_lists_are_held(box: Sandbox) -> None:
    row = box.rows(Company)[0]
    for archived in (False, True):
        box.add(Task, company=row, action=f"archived {archived}", is_archived=archived)
    [first, *_] = Company.objects.prefetch_related("tasks")
    held = [one.action for one in first.tasks]
    assert held == [one.action for one in first.tasks.all().all()]
    assert sorted(map(str, held)) == ["archived False", "archived True"]


def test_a_page_of_an_iterator_is_loaded_by_itself(box: Sandbox) -> None:
    companies = Company.objects.prefetch_related("endusers")
    with box.assert_requests(2):
        assert [len(company.endusers) for company in companies.iterator()] == [2, 1, 0]
    with box.assert_requests(2):
        assert [len(one.endusers) for portion in companies.chunks(2) for one in portion] == [2, 1, 0]


def test_slices_first_get_and_an_index_load_for_their_rows_alone(box: Sandbox) -> None:
    companies = Company.objects.prefetch_related("endusers")
    with box.assert_requests(2):
        assert [len(company.endusers) for company in companies[:2]] == [2, 1]
    assert box.requests[-1].params["companyId"].count(",") == 1
    with box.assert_requests(2):
        first = companies.first()
        assert first is not None
        assert len(first.endusers) == 2
    with box.assert_requests(2):
        assert len(companies.get(id=first.id, fresh=True).endusers) == 2
    with box.assert_requests(1):  # the company is here, its people are asked for anew
        assert len(companies.get(id=first.id).endusers) == 2
    with box.assert_requests(0):
        assert companies.none().first() is None
        assert list(companies.none()) == []


def test_counting_and_values_load_nothing_beforehand(box: Sandbox) -> None:
    companies = Company.objects.prefetch_related("endusers")
    with box.assert_requests(3):
        assert companies.count() == 3
        assert companies.exists()
        assert list(companies.values_list("name", flat=True)) == ["C0", "C1", "C2"]


def test_what_was_selected_can_leave_the_link_out(box: Sandbox) -> None:
    with box.assert_requests(2):
        names = [one.company.name for one in Enduser.objects.only("email").select_related("company") if one.company]
    assert names == ["C0", "C0", "C1"]
    assert box.requests[-2].params["select"].split(",") == ["_id", "email", "companyId"]


def test_an_object_that_is_reached_again_holds_what_was_loaded(box: Sandbox) -> None:
    before = Company.objects.get(name="C0")
    companies = list(Company.objects.prefetch_related("endusers"))
    assert companies[0] is before
    with box.assert_requests(1):
        person = Enduser.objects.get(email="p0@x.example")
    with box.assert_requests(0):
        assert len(before.endusers) == 2
        assert person is before.endusers[0]
        assert person.company is before


def test_loading_again_brings_what_is_new(box: Sandbox) -> None:
    companies = Company.objects.prefetch_related("endusers")
    assert len(companies[0].endusers) == 2
    box.add(Enduser, company=box.rows(Company)[0], email="new@x.example")
    [first, *_] = companies.all()
    with box.assert_requests(0):
        assert len(first.endusers) == 3


def test_what_was_loaded_is_gone_with_its_object(box: Sandbox) -> None:
    companies: list[Company] = list(Company.objects.prefetch_related("endusers.company", "licenses"))
    watched = [weakref.ref(one) for company in companies for one in (company, *company.endusers, *company.licenses)]
    del companies
    assert [one() for one in watched] == [None] * len(watched)  # no circle: nobody waits for the garbage collector


# Letting go


def test_a_record_that_is_created_is_in_its_manager(box: Sandbox) -> None:
    first, second, _ = Company.objects.prefetch_related("endusers", "licenses")
    first.endusers.create(email="new@x.example")
    with box.assert_requests(1):
        assert len(first.endusers) == 3
    Enduser(company=second, email="other@x.example").save()
    with box.assert_requests(1):
        assert len(second.endusers) == 2
    with box.assert_requests(0):
        assert len(second.licenses) == 1


def test_a_record_that_moves_or_goes_leaves_its_manager(box: Sandbox) -> None:
    first, second, _ = Company.objects.prefetch_related("endusers")
    one, two = first.endusers
    one.company = second
    one.save()
    with box.assert_requests(2):
        assert (emails(first), len(second.endusers)) == (["p1@x.example"], 2)
    [first, second, _] = Company.objects.prefetch_related("endusers")
    two.delete()
    with box.assert_requests(1):
        assert emails(first) == []
    with box.assert_requests(0):
        assert len(second.endusers) == 2


def test_a_loop_that_saves_what_it_reads_asks_for_nothing_else(box: Sandbox) -> None:
    companies = list(Company.objects.prefetch_related("endusers"))
    with box.assert_requests(3):
        for company in companies:
            for person in company.endusers:
                person.position = "CTO"
                person.save()


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/endusers"), ("PUT", "/endusers/{}"), ("DELETE", "/endusers/{}")]
)
def test_what_is_written_past_the_models_reaches_the_managers(box: Sandbox, method: str, path: str) -> None:
    first, *_ = Company.objects.prefetch_related("endusers", "licenses")
    body = None if method == "DELETE" else {"email": "new@x.example", "companyId": first.id}
    Session.current().request(method, path.format(first.endusers[0].id), json=body)
    with box.assert_requests(1):
        assert len(first.endusers) == {"POST": 3, "PUT": 2, "DELETE": 1}[method]
    with box.assert_requests(0):
        assert len(first.licenses) == 1


def test_a_write_to_tickets_reaches_the_managers_of_conversations_too(box: Sandbox) -> None:
    with box.session() as session:
        before = held.written(session, Ticket._meta.records)
        with pytest.raises(NotFound):
            session.request("PUT", f"/tickets/{GONE}", json={"title": "T"})
        assert held.written(session, Ticket._meta.records) == before + 1


def test_what_another_reading_shows_to_have_moved_is_not_given(box: Sandbox) -> None:
    first, second, _ = Company.objects.prefetch_related("endusers")
    box.change(Enduser, first.endusers[0].id or "", companyId=second.id)
    assert len(list(Enduser.objects.all())) == 3
    with box.assert_requests(1):
        assert emails(first) == ["p1@x.example"]


def test_many_that_are_written_at_once_let_every_manager_go(box: Sandbox) -> None:
    first, *_ = Company.objects.prefetch_related("endusers", "licenses")
    Enduser.objects.bulk_upsert([{"email": "new@x.example", "company_id": first.id}])
    with box.assert_requests(1):
        assert len(first.endusers) == 3
    with box.assert_requests(0):
        assert len(first.licenses) == 1


def test_refreshing_an_object_lets_go_of_what_it_holds(box: Sandbox) -> None:
    first, *_ = Company.objects.prefetch_related("endusers")
    box.add(Enduser, company=box.rows(Company)[0], email="new@x.example")
    first.refresh_from_db()
    with box.assert_requests(1):
        assert len(first.endusers) == 3
    assert len(Company.objects.prefetch_related("endusers")[0].endusers) == 3
    box.add(Enduser, company=box.rows(Company)[0], email="newer@x.example")
    assert len(Company.objects.get(id=first.id, fresh=True).endusers) == 4


# Links


def test_links_are_here_with_the_rows_at_any_depth(box: Sandbox) -> None:
    with box.assert_requests(3):
        people = list(Enduser.objects.select_related("company__owner"))
    with box.assert_requests(0):
        assert [one.company.owner.email for one in people if one.company and one.company.owner] == [
            "a@v.example",
            "a@v.example",
            "b@v.example",
        ]


def test_what_is_live_and_lacks_the_next_link_is_read_again_with_the_others(box: Sandbox) -> None:
    held = list(Company.objects.filter(phase=None).only("phase")[:1])
    with box.assert_requests(3):
        people = list(Enduser.objects.select_related("company.owner"))
    with box.assert_requests(0):
        assert [one.company.owner.email for one in people if one.company and one.company.owner][:1] == ["a@v.example"]
        assert people[0].company is held[0]


def test_what_is_live_is_not_asked_for_and_what_is_gone_is_asked_for_once(box: Sandbox) -> None:
    live = Company.objects.get(name="C0")
    box.add(Enduser, company=GONE, email="nobody@x.example")
    box.add(Enduser, email="free@x.example")
    with box.assert_requests(2):
        people = list(Enduser.objects.select_related("company"))
    assert box.requests[-1].params["companyId"].split(",") == sorted([people[2].company_id or "", GONE])
    with box.assert_requests(0):
        assert people[0].company is live
        assert people[4].company is None
        with pytest.raises(Company.DoesNotExist, match="points to the Company"):
            people[3].company  # noqa: B018 - reading is the point


def test_a_link_that_was_loaded_lives_as_long_as_its_object(box: Sandbox) -> None:
    [person, *_] = Enduser.objects.select_related("company")
    gc.collect()
    with box.assert_requests(0):
        assert person.company is not None
        assert person.company.name == "C0"


def test_lists_of_links_are_loaded_for_all_rows(box: Sandbox) -> None:
    with box.assert_requests(2):
        issues = list(Issue.objects.prefetch_related("companies"))
    with box.assert_requests(0):
        assert [[company.name for company in issue.companies] for issue in issues] == [["C1", "C0"]]
    with box.assert_requests(2):
        companies = list(Company.objects.prefetch_related("followers"))
    with box.assert_requests(0):
        assert [len(list(company.followers)) for company in companies] == [0, 1, 2]


def test_a_link_that_is_assigned_after_it_was_loaded_is_followed_anew(box: Sandbox) -> None:
    one, *_ = Enduser.objects.select_related("company")
    other = Company.objects.get(name="C2")
    one.company = other
    with box.assert_requests(0):
        assert one.company is other
    one.save()
    with box.assert_requests(0):
        assert one.company is other


def test_a_record_that_was_deleted_is_behind_no_link(box: Sandbox) -> None:
    [first, *_] = Company.objects.select_related("owner")
    assert first.owner is not None
    first.owner.delete()
    with pytest.raises(User.DoesNotExist):
        first.owner  # noqa: B018


def test_people_that_are_read_one_by_one_are_all_here(box: Sandbox) -> None:
    row = box.rows(Company)[0]
    for person in box.rows(Enduser)[:2]:
        box.add(NPS, email=person["email"], score=9, company=row, euId=person["_id"])
    with box.assert_requests(3):  # answers, and two people: no list of their ids is taken
        answers = list(NPS.objects.select_related("enduser"))
    with box.assert_requests(0):
        assert [one.enduser.email for one in answers if one.enduser] == ["p0@x.example", "p1@x.example"]


# Pickles


def test_a_pickle_has_what_was_loaded_and_needs_no_session(box: Sandbox, nothing_set: None) -> None:
    with box.assert_requests(6):  # companies, people, users, issues of each
        companies = list(Company.objects.prefetch_related("endusers", "owner", "followers", "issues"))
    data = pickle.dumps(companies)
    alone = pickle.dumps(companies[2])
    assert b"p0@x.example" not in alone
    assert b"a@v.example" in alone  # a follower
    with box.assert_requests(0):
        first, _, third = pickle.loads(data)
        assert emails(first) == ["p0@x.example", "p1@x.example"]
        assert first.endusers.count() == 2
        assert first.owner.email == "a@v.example"
        assert [one.email for one in third.followers] == ["a@v.example", "b@v.example"]
        assert [len(one.issues) for one in (first, third)] == [1, 0]


def test_an_unpickled_object_without_a_session_says_so_where_it_needs_one(box: Sandbox) -> None:
    data = pickle.dumps(list(Company.objects.prefetch_related("endusers")))
    first, *_ = pickle.loads(data)
    with box.session(), box.assert_requests(1):
        assert len(first.endusers.all().all()) == 2
    with Session(token="not-a-real-token", quota=None), pytest.raises(Exception, match="another token"):
        pickle.loads(data)[0].licenses  # noqa: B018


# What may be named


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        (["enduser"], UnknownField, "did you mean 'endusers'"),
        (["endusers.compny"], UnknownField, "did you mean 'company'"),
        (["name"], InvalidQuery, "Company.name is no link to other records"),
        (["owner_id"], InvalidQuery, "the link is 'owner'"),
        ([3], InvalidQuery, "takes names of links, not 3"),
        ([""], InvalidQuery, "takes names of links, not ''"),
        (["embedded_licenses"], InvalidQuery, "did you mean 'licenses'|no link to other records"),
        (["owner", None], InvalidQuery, "takes names of links, not None"),
    ],
)
def test_what_is_no_link_is_refused_at_the_call(names: list[Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Company.objects.prefetch_related(*names)


def test_select_related_takes_links_to_one_record(box: Sandbox) -> None:
    for name in ("endusers", "followers"):
        with pytest.raises(InvalidQuery, match=rf"write prefetch_related\('{name}'\)"):
            Company.objects.select_related(name)
    with pytest.raises(InvalidQuery, match="needs the names of the links"):
        Company.objects.select_related()
    both = Company.objects.prefetch_related("endusers", "owner").select_related(None)
    assert both.query.prefetch == ("endusers",)
    assert both.prefetch_related("owner", "owner").query.prefetch == ("endusers", "owner")
    assert both.prefetch_related(None).query.prefetch == ()


# Prices


def test_the_price_of_each_step_is_said(box: Sandbox) -> None:
    said = {one.path: one.said for one in prices(None, Company, ["endusers", "licenses.company.owner", "issues"])}
    assert list(said) == ["endusers", "licenses", "licenses.company", "licenses.company.owner", "issues"]
    assert said["endusers"] == (
        "Enduser by company, 1 request for about 74 ids of Company and 1 for each further full page; 1 + rows / 1,999 "
        "where that is less"
    )
    assert "1 request for each Company" in said["licenses"]
    assert said["licenses.company.owner"] == "every User is read once in a session, 1 + rows / 9,999 requests"
    [notes] = prices(None, Enduser, ["notes"])
    assert "no list of them is narrowed by endusers" in notes.said
    assert notes.least == 1


def test_what_no_list_is_narrowed_by_is_read_whole(box: Sandbox) -> None:
    row = box.rows(Company)[0]
    person = box.rows(Enduser)[0]
    box.add(Note, company=row, subject="Call", endusers=[person])
    with box.assert_requests(2):
        people = list(Enduser.objects.prefetch_related("notes"))
    with box.assert_requests(0):
        assert [[one.subject for one in person.notes] for person in people] == [["Call"], [], []]


def test_of_lists_that_are_narrowed_by_one_company_at_a_time_each_or_all_are_read(box: Sandbox) -> None:
    with box.assert_requests(3):
        companies = list(Company.objects.prefetch_related("licenses")[:2])  # its list, and one for each
    assert [one.params.get("companyId") for one in box.requests[-2:]] == [company.id for company in companies]
    with box.assert_requests(3):
        companies = list(Company.objects.prefetch_related("issues")[:2])
        assert [[one.title for one in company.issues] for company in companies] == [["Both"], ["Both"]]
    box.add_many(Company, ({"name": f"D{n}"} for n in range(7)))
    with box.session(), box.assert_requests(3):  # companies, whether there are many licences, all of them
        companies = list(Company.objects.prefetch_related("licenses"))
        assert [len(company.licenses) for company in companies] == [1, 1, *[0] * 8]
    row = box.rows(Company)[0]
    box.add_many(License, ({"company": row, "mrr": 1, "from_date": "2025-01-01"} for n in range(10_100)))
    with box.session(), box.assert_requests(17):  # companies, the question, nine lists of a page, one of six
        companies = list(Company.objects.prefetch_related("licenses"))
        assert len(companies[0].licenses) == 10_101


def test_by_price_one_scan_stands_for_many_lists_of_ids(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"C{n}"} for n in range(400)))
    rows = box.rows(Company)
    box.add_many(Enduser, ({"company": row, "email": f"{n}@x.example"} for n, row in enumerate(rows)))
    assert Enduser.objects.count() == 400
    before = len(box.requests)
    companies = list(Company.objects.prefetch_related("endusers"))
    asked = [one for one in box.requests[before:] if one.path == "/endusers"]
    assert [("companyId" in one.params) for one in asked] == [False] * len(asked)
    with box.assert_requests(0):
        assert all(len(company.endusers) == 1 for company in companies)
    tickets = prices(Session.current(), Company, ["tickets"], rows=400)[0]
    assert tickets.said.startswith(f"{Ticket.__name__} by company")


def test_people_that_were_read_whole_for_one_page_of_companies_are_there_for_the_next(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Company, ({"name": f"C{n}"} for n in range(900)))
    box.add_many(Enduser, ({"company": row, "email": f"{row['name']}@x.example"} for row in box.rows(Company)))
    assert Enduser.objects.count() == 900
    before = len(box.requests)
    with box.fault("cap", limit=400, path="/companies", times=None):
        for company in Company.objects.prefetch_related("endusers").iterator():
            assert emails(company) == [f"{company.name}@x.example"]
    asked = [one.path for one in box.requests[before:]]
    assert asked.count("/companies") >= 3
    assert asked.count("/endusers") <= 2


def test_what_holds_no_id_leads_nowhere(box: Sandbox) -> None:
    [odd, *_] = box.rows(Enduser)
    box.change(Enduser, odd["_id"], companyId=5)
    people = list(Enduser.objects.select_related("company"))
    assert [one.company.name for one in people[1:] if one.company] == ["C0", "C1"]
    with box.assert_requests(0), pytest.raises(DecodeError):
        people[0].company  # noqa: B018 - reading is the point
    [issue] = Issue.objects.all()
    box.change(Issue, issue.id or "", companyIds=[5, None, box.rows(Company)[0]["_id"]])
    [issue] = Issue.objects.prefetch_related("companies")
    assert held.behind(issue, "companies").keys() == {box.rows(Company)[0]["_id"]}


def test_the_price_of_a_link_that_no_list_holds_is_one_request_for_each_row() -> None:
    class Leaf(Model):
        """Its link is in no list."""

        class Meta:
            path = "leaves-of-this-test"

        company: ForeignKey[Company] = ForeignKey("Company", "companyId", get_only=True)

    [price] = prices(None, Leaf, ["company"])
    assert price.said.startswith("Leaf by its id, 1 request for each row, for no list holds company")


# Every object


def test_every_link_and_manager_of_every_object_is_loaded_and_is_what_it_gives_by_itself(demo: Sandbox) -> None:
    seen = 0
    for model in list(registry.values()):
        for name in links_of(model):
            with demo.session():
                objects = list(model.objects.prefetch_related(name)[:8])
                with demo.assert_requests(0):
                    found = [getattr(obj, name) for obj in objects]
                    lists = [None if one is None or isinstance(one, Model) else list(one) for one in found]
                seen += sum(len(one) for one in lists if one is not None)
                if isinstance(getattr(model, name), Related):
                    assert lists == [list(getattr(obj, name).filter()) for obj in objects], (model, name)
    assert seen > 300


def test_a_derived_class_is_told_of_what_points_to_its_record(box: Sandbox) -> None:
    class Account(Company):
        """A company of a tenant's own."""

    first, *_ = Account.objects.prefetch_related("endusers")
    twin, *_ = Company.objects.prefetch_related("endusers")
    Enduser(company=twin, email="new@x.example").save()
    with box.assert_requests(2):
        assert (len(first.endusers), len(twin.endusers)) == (3, 3)


def test_what_fails_while_it_is_loaded_is_raised_and_the_next_use_starts_anew(box: Sandbox) -> None:
    companies = Company.objects.prefetch_related("endusers")
    with box.fault("status", status=403, path="/endusers", times=1), pytest.raises(Forbidden):
        list(companies)
    assert [len(company.endusers) for company in companies] == [2, 1, 0]


def test_a_filter_that_planhat_ignores_while_people_are_loaded_is_found_out(box: Sandbox) -> None:
    stranger = box.add(Company, name="D")
    box.add(Enduser, company=stranger, email="stranger@x.example")
    with box.fault("ignore_filters", path="/endusers", times=None), pytest.raises(FilterIgnored):
        list(Company.objects.filter(name__startswith="C").prefetch_related("endusers"))


def test_a_record_that_moves_while_each_parent_is_asked_is_held_once(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    companies = [box.add(Company, name=f"C{n}") for n in range(3)]
    moving = box.add(License, company=companies[0], product="moving")
    box.add(License, company=companies[2], product="staying")
    with box.fault(
        "drift", path="/licenses", after=1, times=1, run=lambda: box.change(License, moving, company=companies[1])
    ):
        found = list(Company.objects.prefetch_related("licenses"))
    held = [[one.product for one in company.licenses] for company in found]
    assert held == [[], ["moving"], ["staying"]]


def test_a_list_of_known_size_is_priced_by_its_pages(planhat_sandbox: Sandbox) -> None:
    owner = planhat_sandbox.add(User, email="kim@vendor.example")
    planhat_sandbox.add(Company, name="Acme", owner=owner["_id"])
    assert User.objects.count() == 1
    [price] = Company.objects.prefetch_related("owner").cost().links
    assert price.most == 1
