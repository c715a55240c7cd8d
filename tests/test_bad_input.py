"""What people get wrong and what networks get wrong: each a clear error of the tree, before any request if possible."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import PlanhatError, Session, errors
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ID = "64b0000000000000000000aa"


@pytest.fixture
def box(nothing_set: None) -> Iterator[Sandbox]:
    with Sandbox() as box, only_loopback():
        box.add(Company, name="Acme", external_id="acme-42")
        yield box


@pytest.fixture
def session(box: Sandbox, patient: Callable[[Session], Session]) -> Iterator[Session]:
    with patient(box.session(timeout=(2.0, 5.0))) as session:
        yield session


def read_all() -> list[Any]:
    return list(Company.objects.all())


def read_one() -> Any:
    return Company.objects.get(external_id="acme-42", fresh=True)


def create() -> Any:
    return Company.objects.create(name="Birch")


EVERY_WAY = [read_all, read_one, create]


# Who asks, and where


@pytest.mark.parametrize("act", EVERY_WAY)
def test_a_wrong_token_is_named_with_the_region_as_the_other_cause(box: Sandbox, act: Callable[[], Any]) -> None:
    with (
        box.session(token="not-the-right-token"),
        pytest.raises(errors.Unauthorized, match=r"401 from 127\.0\.0\.1.*wrong token.*another region") as caught,
    ):
        act()
    assert (caught.value.status, caught.value.attempts) == (401, 1)
    assert "PLANHAT_REGION" in str(caught.value)
    assert len(box.requests) == 1
    assert box.count(Company) == 1


@pytest.mark.parametrize("act", EVERY_WAY)
def test_a_missing_permission_says_where_to_grant_it(box: Sandbox, session: Session, act: Callable[[], Any]) -> None:
    box.forbid(Company)
    with pytest.raises(errors.Forbidden, match=r"403.*companies.*App Center"):
        act()
    assert len(box.requests) == 1


def test_a_missing_token_says_which_variable_and_how_to_try(nothing_set: None) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"PLANHAT_API_TOKEN.*planhat sandbox"):
        Session(token="")


@pytest.mark.parametrize("region", ["eu 3", "https://api-eu3.planhat.com", "eu3.planhat.com"])
def test_a_region_that_is_none_is_refused(box: Sandbox, region: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="region"):
        Session(token="a-token", region=region)
    assert box.requests == []


# Hosts and answers


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize("act", EVERY_WAY)
def test_a_host_that_is_down_is_named(act: Callable[[], Any], patient: Callable[[Session], Session]) -> None:
    with (
        patient(Session(token="a-token", base_url=f"http://127.0.0.1:{closed_port()}", quota=None)),
        pytest.raises(errors.TransportError, match=r"did not reach 127\.0\.0\.1 after 5 attempts.*refused") as caught,
    ):
        act()
    assert not caught.value.sent
    assert isinstance(caught.value.__cause__, Exception)


def test_an_answer_that_does_not_come_in_time_says_the_time(
    box: Sandbox, patient: Callable[[Session], Session]
) -> None:
    box.fault("latency", seconds=5.0, times=None)
    with patient(box.session(timeout=(2.0, 0.02))) as session:
        with pytest.raises(errors.TransportError, match=r"GET /companies/extid-acme-42 had no answer .*0\.02 s"):
            read_one()
        with pytest.raises(errors.AmbiguousWrite, match=r"create of Company 'Birch'.*may have been created, once"):
            create()
        assert session.stats.requests == 5 + 1


def test_a_create_that_is_not_answered_in_time_is_not_repeated(
    box: Sandbox, patient: Callable[[Session], Session]
) -> None:
    box.fault("latency", seconds=5.0, method="POST")
    with patient(box.session(timeout=(2.0, 0.02))) as session:
        with session.capture() as sent, pytest.raises(errors.AmbiguousWrite):
            create()
        assert [str(request) for request, _ in sent] == ["POST /companies"]
        assert session.stats.requests == 1


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("act", [read_all, read_one])
def test_an_html_page_is_no_answer(box: Sandbox, session: Session, act: Callable[[], Any], status: int) -> None:
    page = "<html><head><style>p {}</style></head><body><h1>Bad gateway</h1></body></html>"
    box.fault("html", status=status, body=page, times=None)
    with pytest.raises((errors.TransportError, errors.ServerError), match="Bad gateway") as caught:
        act()
    assert "<h1>" not in str(caught.value)
    assert len(box.requests) == 5


@pytest.mark.parametrize("act", [read_all, read_one])
def test_a_body_that_is_cut_off_is_asked_for_again(box: Sandbox, session: Session, act: Callable[[], Any]) -> None:
    with box.fault("truncated"):
        assert act()
    box.clear_requests()
    box.fault("truncated", times=None)
    with pytest.raises(errors.TransportError, match="GET /companies") as caught:
        act()
    assert caught.value.attempts == len(box.requests) == 5


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Something went wrong"},
        {"_id": ID},
        '"Something went wrong"',
        7,
        [["_id", ID]],
        ["Acme"],
        [None],
        [{"name": "x"}],
    ],
)
def test_a_200_that_is_no_list_is_no_empty_list(box: Sandbox, session: Session, body: Any) -> None:
    box.fault("wrong_shape", body=body, times=None)
    for act in (read_all, lambda: list(Enduser.objects.all()), lambda: Enduser.objects.count()):
        with pytest.raises(errors.TransportError, match="not with a list of records"):
            act()


@pytest.mark.parametrize("body", [{"message": "Something went wrong"}, [], [{"_id": ID}], '"Acme"', {"_id": None}])
def test_a_200_that_is_no_record_is_no_record(box: Sandbox, session: Session, body: Any) -> None:
    box.fault("wrong_shape", body=body)
    with pytest.raises(errors.TransportError, match="not with a record"):
        read_one()
    assert len(box.requests) == 1


# What is refused before anything is sent

NAIVE = datetime(2026, 7, 1, 12, 0)

UNSENT: list[tuple[str, type[PlanhatError], str, Callable[[], Any]]] = [
    # Names
    ("filter", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.filter(nme="x")),
    ("exclude", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.exclude(nme="x")),
    ("get", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.get(nme="x")),
    ("order", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.order_by("-nme")),
    ("only", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.only("nme")),
    ("defer", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.defer("nme")),
    ("values", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.values("nme")),
    ("constructor", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company(nme="x")),
    ("create", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company.objects.create(nme="x")),
    ("assigned", errors.UnknownField, "'nme'; did you mean 'name'", lambda: setattr(Company(), "nme", "x")),
    ("read", errors.UnknownField, "'nme'; did you mean 'name'", lambda: Company(name="x").nme),
    ("nothing like it", errors.UnknownField, "no field 'qqqq'$", lambda: Company.objects.filter(qqqq="x")),
    ("wire name", errors.UnknownField, "did you mean 'external_id'", lambda: Company.objects.filter(externalId="x")),
    ("wire name in order", errors.UnknownField, "'customer_from'", lambda: Company.objects.order_by("customerFrom")),
    ("wire name in constructor", errors.UnknownField, "'external_id'", lambda: Company(externalId="x")),
    ("wire name of one letter", errors.UnknownField, "did you mean 'health'", lambda: Company.objects.filter(h=7)),
    ("label", errors.UnknownField, "did you mean 'health'", lambda: Company.objects.filter(Health=7)),
    ("lookup", errors.InvalidQuery, "'contain' is no lookup", lambda: Company.objects.filter(name__contain="x")),
    ("across a link", errors.PlanhatError, "mail", lambda: list(Company.objects.filter(owner__mail="x"))),
    # Keys
    (
        "external id as id",
        errors.InvalidQuery,
        "did you mean .*external_id='acme-42'",
        lambda: Company.objects.get(id="acme-42"),
    ),
    ("prefix as id", errors.InvalidQuery, "'extid-a' is no Planhat id", lambda: Company.objects.get(id="extid-a")),
    ("external id as pk", errors.InvalidQuery, "acme-42", lambda: Company.objects.get(pk="acme-42")),
    ("external ids as ids", errors.InvalidQuery, "acme-42", lambda: Company.objects.filter(id__in=[ID, "acme-42"])),
    ("external id as link", errors.InvalidQuery, "acme-42", lambda: Enduser.objects.get(company_id="acme-42")),
    ("blank id", errors.InvalidQuery, "blank", lambda: Company.objects.get(id="")),
    ("white id", errors.InvalidQuery, "blank", lambda: Company.objects.get(id=" \t")),
    ("blank external id", errors.InvalidQuery, "blank", lambda: Company.objects.get(external_id="")),
    ("blank source id", errors.InvalidQuery, "blank", lambda: Company.objects.get(source_id=" ")),
    ("number as key", errors.InvalidQuery, "text", lambda: Company.objects.get(external_id=42)),
    ("float as key", errors.InvalidQuery, "text", lambda: Company.objects.get(external_id=float("nan"))),
    ("blank reference", errors.InvalidQuery, "blank", lambda: Company.ref(external_id=" ")),
    ("two references", errors.InvalidQuery, "one of", lambda: Company.ref(external_id="a", source_id="b")),
    ("reference to a user", errors.NotSupported, "User", lambda: User.ref(external_id="kim")),
    # Slices
    ("negative index", errors.InvalidQuery, "Negative indexing", lambda: Company.objects.all()[-1]),
    ("negative slice", errors.InvalidQuery, "Negative indexing", lambda: Company.objects.all()[-3:]),
    ("negative end", errors.InvalidQuery, "Negative indexing", lambda: Company.objects.all()[:-1]),
    ("step", errors.InvalidQuery, "step", lambda: Company.objects.all()[::2]),
    ("text as index", errors.InvalidQuery, "integers or slices", lambda: Company.objects.all()["name"]),
    ("filter after a slice", errors.InvalidQuery, "slice", lambda: Company.objects.all()[:5].filter(name="x")),
    ("exclude after a slice", errors.InvalidQuery, "slice", lambda: Company.objects.all()[:5].exclude(name="x")),
    ("order after a slice", errors.InvalidQuery, "slice", lambda: Company.objects.all()[:5].order_by("name")),
    ("last of a slice", errors.InvalidQuery, "slice", lambda: Company.objects.all()[:5].last()),
    # Values
    ("number as text", errors.ValidationError, "name: must be a text", lambda: Company(name=3).save()),
    ("text as number", errors.ValidationError, "csm_score", lambda: Company.objects.create(name="x", csm_score="high")),
    (
        "text as date",
        errors.ValidationError,
        "customer_from",
        lambda: Company.objects.create(name="x", customer_from="soon"),
    ),
    ("text as list", errors.ValidationError, "tags", lambda: Company.objects.create(name="x", tags="vip")),
    ("infinite", errors.PlanhatError, "finite", lambda: Company.objects.create(name="x", custom={"x": float("inf")})),
    ("set in custom", errors.ValidationError, "JSON", lambda: Company.objects.create(name="x", custom={"x": {1}})),
    ("list as custom", errors.FieldError, "mapping", lambda: Company(custom=["x"])),
    ("wrong class", errors.FieldError, "takes a User", lambda: Company(owner=Enduser())),
    (
        "unsaved link",
        errors.ValidationError,
        "save it first",
        lambda: License.objects.create(company=Company(name="x")),
    ),
    ("read-only field", errors.FieldError, "read-only", lambda: Company(health=7)),
    ("id is Planhat's", errors.FieldError, "read-only", lambda: Company(id=ID)),
    ("required", errors.ValidationError, "name: is required", lambda: Company.objects.create(phase="Live")),
    ("blank required", errors.ValidationError, "name: is required", lambda: Company.objects.create(name=" ")),
    ("required link", errors.ValidationError, "company", lambda: Enduser.objects.create(email="ada@acme.example")),
    ("required key", errors.ValidationError, "email", lambda: Enduser.objects.create(company_id=ID)),
    ("text for a number", errors.InvalidQuery, "must be a number", lambda: Company.objects.filter(health="high")),
    ("number for a text", errors.InvalidQuery, "must be a text", lambda: Company.objects.filter(name=3)),
    ("number for a date", errors.InvalidQuery, "customer_from", lambda: Company.objects.filter(customer_from=3)),
    ("one value for in", errors.InvalidQuery, "list of values", lambda: Company.objects.filter(name__in="Acme")),
    ("blank contains", errors.InvalidQuery, "blank", lambda: Company.objects.filter(name__contains="")),
    ("bad regex", errors.InvalidQuery, "regex", lambda: Company.objects.filter(name__regex="(")),
    ("text as condition", errors.InvalidQuery, "Q", lambda: Company.objects.filter("name")),
    # Times without a zone
    ("naive in a record", errors.ValidationError, "time zone", lambda: Note(company_id=ID, date=NAIVE).save()),
    ("naive in custom", errors.ValidationError, "time zone", lambda: Company(custom={"Met": NAIVE})),
    ("naive in a filter", errors.InvalidQuery, "time zone", lambda: Note.objects.filter(date__gte=NAIVE)),
    # What there is not
    ("annotate", errors.NotSupported, "compute in Python", lambda: Company.objects.annotate(n=1)),
    ("aggregate", errors.NotSupported, r"sum\(\)", lambda: Company.objects.aggregate(n=1)),
    ("union", errors.NotSupported, "Q", lambda: Company.objects.union(Company.objects.all())),
    ("distinct", errors.NotSupported, "distinct already", lambda: Company.objects.distinct()),
    ("unsaved delete", errors.ObjectDeleted, "never saved", lambda: Company(name="x").delete()),
    ("unsaved refresh", Company.DoesNotExist, "never saved", lambda: Company(name="x").refresh_from_db()),
    ("related of unsaved", errors.FieldError, "not saved", lambda: Company(name="x").endusers),
]


@pytest.mark.parametrize(("kind", "words", "act"), [row[1:] for row in UNSENT], ids=[row[0] for row in UNSENT])
def test_what_cannot_be_meant_is_refused_unsent(
    box: Sandbox, session: Session, kind: type[PlanhatError], words: str, act: Callable[[], Any]
) -> None:
    with pytest.raises(kind, match=words):
        act()
    assert box.requests == []
    assert box.count(Company) == 1


def test_all_that_is_wrong_is_said_at_once(box: Sandbox, session: Session) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        Company(name=3, csm_score="high", tags="vip").save()
    assert set(caught.value.messages) == {"name", "csm_score", "tags"}
    assert box.requests == []


# Records that are gone, and that are not to be changed


def test_a_record_that_is_not_there_is_named(box: Sandbox, session: Session) -> None:
    with pytest.raises(Company.DoesNotExist, match="external_id='nobody'"):
        Company.objects.get(external_id="nobody")
    with pytest.raises(Company.DoesNotExist, match=ID):
        Company.objects.get(id=ID)
    assert len(box.requests) == 2


def test_a_deleted_object_is_not_saved_or_deleted_again(box: Sandbox, session: Session) -> None:
    acme = read_one()
    acme.delete()
    box.clear_requests()
    acme.name = "Acme AB"
    for act in (acme.save, acme.delete):
        with pytest.raises(errors.ObjectDeleted, match=r"Acme.*was deleted"):
            act()
    assert acme.name == "Acme AB"
    assert box.requests == []
    with pytest.raises(Company.DoesNotExist):
        Company.objects.get(external_id="acme-42")


def test_an_object_that_was_deleted_elsewhere_says_so_when_saved(box: Sandbox, session: Session) -> None:
    acme = read_one()
    box.remove(Company, acme.id)
    acme.name = "Acme AB"
    with pytest.raises(errors.ObjectDeleted, match=r"Acme.*no such record") as caught:
        acme.save()
    assert isinstance(caught.value.__cause__, errors.NotFound)
    with pytest.raises(errors.ObjectDeleted, match="was deleted"):
        acme.save()
    assert [request.method for request in box.requests] == ["GET", "PUT"]
    with pytest.raises(Company.DoesNotExist):
        Company.objects.get(external_id="acme-42")


def test_an_object_that_was_deleted_elsewhere_is_not_deleted_again(box: Sandbox, session: Session) -> None:
    acme = read_one()
    box.remove(Company, acme.id)
    with pytest.raises(Company.DoesNotExist, match="Acme"):
        acme.delete()
    with pytest.raises(errors.ObjectDeleted):
        acme.delete()
    assert [request.method for request in box.requests] == ["GET", "DELETE"]


def test_a_read_only_session_writes_nothing(box: Sandbox) -> None:
    with box.session(read_only=True):
        acme = read_one()
        acme.name = "Acme AB"
        for act in (acme.save, acme.delete, create):
            with pytest.raises(errors.ReadOnlyError, match="read-only"):
                act()
    assert [request.method for request in box.requests] == ["GET"]
    assert box.row(Company, external_id="acme-42")["name"] == "Acme"


def test_the_read_only_variable_is_heeded(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANHAT_READ_ONLY", "1")
    with box.session(), pytest.raises(errors.ReadOnlyError, match="PLANHAT_READ_ONLY"):
        create()
    assert box.requests == []


def test_objects_of_two_sessions_are_not_linked(box: Sandbox) -> None:
    with box.session(), Sandbox() as elsewhere:
        acme = read_one()
        kim = elsewhere.add(User, email="kim@vendor.example")
        with elsewhere.session() as there:
            theirs = User.objects.get(id=kim["_id"])
        with pytest.raises(errors.FieldError, match="different sessions"):
            acme.owner = theirs
        assert there.stats.requests == 1
    assert len(box.requests) == 1
