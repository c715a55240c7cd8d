"""Users over HTTP: every key, every parameter, every write, and what is particular to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import NotSupported, UnknownField, ValidationError
from planhat_orm.models import Company, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

KIM = {"email": "kim@vendor.example", "nick_name": "Kim", "first_name": "Kim", "last_name": "Rivera"}
ROLE = "57e2b92ff795575a5b8c46ff"


@pytest.fixture
def kim(planhat_sandbox: Sandbox) -> User:
    planhat_sandbox.add(User, **KIM, external_id="emp-7")
    return User.objects.get(external_id="emp-7")


def test_new_users_start_inactive(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(1):
        user = User.objects.create(**KIM)
    assert "inactive" not in planhat_sandbox.requests[-1].json
    assert user.inactive is True
    with planhat_sandbox.assert_requests(1):
        other = User.objects.create(**{**KIM, "email": "liz@vendor.example"}, inactive=False)
    assert other.inactive is False


def test_a_create_needs_both_names_the_nickname_and_the_email(planhat_sandbox: Sandbox) -> None:
    with planhat_sandbox.assert_requests(0), pytest.raises(ValidationError) as caught:
        User.objects.create(external_id="emp-7")
    assert set(caught.value.messages) == {"nick_name", "email", "first_name", "last_name"}


def test_get_by_id_and_external_id(planhat_sandbox: Sandbox) -> None:
    row = planhat_sandbox.add(User, **KIM, external_id="emp-7")
    with planhat_sandbox.assert_requests(2):
        assert User.objects.get(external_id="emp-7").id == row["_id"]
        assert User.objects.get(id=row["_id"], fresh=True).external_id == "emp-7"
    assert [request.path for request in planhat_sandbox.requests[-2:]] == [
        "/users/extid-emp-7",
        f"/users/{row['_id']}",
    ]


def test_users_have_no_source_id() -> None:
    assert "source_id" not in User._meta.by_name
    with pytest.raises(NotSupported):
        User.ref(external_id="emp-7")


def test_one_request_lists_everybody(planhat_sandbox: Sandbox) -> None:
    for number in range(150):
        planhat_sandbox.add(User, **{**KIM, "email": f"user-{number}@vendor.example"})
    with planhat_sandbox.assert_requests(1):
        assert len(User.objects.all()) == 150
    assert planhat_sandbox.requests[-1].params["limit"] == "10000"


def test_the_email_is_a_hint_and_tested_here(planhat_sandbox: Sandbox, kim: User) -> None:
    planhat_sandbox.add(User, **{**KIM, "email": "liz@vendor.example"})
    with planhat_sandbox.assert_requests(1):
        assert User.objects.get(email="kim@vendor.example").id == kim.id


def test_a_slice_is_taken_out_of_the_whole_table(planhat_sandbox: Sandbox) -> None:
    for number in range(4):
        planhat_sandbox.add(User, **KIM, external_id=f"emp-{number}")
    with planhat_sandbox.assert_requests(1):
        keys = [user.external_id for user in User.objects.order_by("-external_id").only("external_id")[1:3]]
    assert keys == ["emp-2", "emp-1"]
    params = planhat_sandbox.requests[-1].params
    assert (params["sort"], params["offset"]) == ("_id", "0")
    with planhat_sandbox.assert_requests(0):
        assert User.objects.filter(email=KIM["email"]).count() == 4


def test_an_update_sends_what_changed(planhat_sandbox: Sandbox, kim: User) -> None:
    kim.inactive = False
    kim.tz_offset = -5
    with planhat_sandbox.assert_requests(1):
        kim.save()
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path) == ("PUT", f"/users/{kim.id}")
    assert request.json == {"inactive": False, "tzOffset": -5}


def test_a_user_is_deleted(planhat_sandbox: Sandbox, kim: User) -> None:
    with planhat_sandbox.assert_requests(1):
        kim.delete()
    assert (planhat_sandbox.requests[-1].method, planhat_sandbox.requests[-1].path) == ("DELETE", f"/users/{kim.id}")


@pytest.mark.parametrize("stored", [[ROLE], [{"_id": ROLE, "name": "CSM", "__v": 3}]])
def test_roles_come_as_ids_or_objects(planhat_sandbox: Sandbox, stored: list[Any]) -> None:
    planhat_sandbox.add(User, **KIM, external_id="emp-7", extra={"roles": stored})
    with planhat_sandbox.assert_requests(1):
        user = User.objects.get(external_id="emp-7")
        assert user.roles == [ROLE]
    user.roles.append("000000010000000000000000")
    with planhat_sandbox.assert_requests(1):
        user.save()
    assert planhat_sandbox.requests[-1].json == {"roles": [ROLE, "000000010000000000000000"]}


def test_roles_are_asked_for_in_lists(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(User, **KIM, roles=[ROLE])
    with planhat_sandbox.assert_requests(1):
        assert [user.roles for user in User.objects.all()] == [[ROLE]]
    assert "roles" in planhat_sandbox.requests[-1].params["select"].split(",")


@pytest.mark.parametrize("stored", [[], {"admin": False, "changeOwner": True}, ["admin"]])
def test_permissions_come_as_a_list_or_an_object(planhat_sandbox: Sandbox, stored: Any) -> None:
    planhat_sandbox.add(User, **KIM, external_id="emp-7", extra={"permissions": stored})
    with planhat_sandbox.assert_requests(1):
        assert User.objects.get(external_id="emp-7").permissions == stored


def test_relations_lead_both_ways(planhat_sandbox: Sandbox, kim: User) -> None:
    planhat_sandbox.add(Company, name="Acme", owner=kim)
    liz = planhat_sandbox.add(User, **{**KIM, "email": "liz@vendor.example", "nick_name": "Liz"}, managers=[kim])
    with planhat_sandbox.assert_requests(1):
        assert [company.name for company in kim.companies.all()] == ["Acme"]
    with planhat_sandbox.assert_requests(1):
        user = User.objects.get(id=liz["_id"])
        assert [manager.nick_name for manager in user.managers] == ["Kim"]


def test_a_bulk_upsert_matches_users_by_external_id_and_email(planhat_sandbox: Sandbox, kim: User) -> None:
    planhat_sandbox.add(User, **{**KIM, "email": "liz@vendor.example"})
    items = [
        {"external_id": "emp-7", "nick_name": "Kimmy"},
        {"email": "liz@vendor.example", "nick_name": "Liz"},
        {**KIM, "email": "new@vendor.example"},
    ]
    with planhat_sandbox.assert_requests(1):
        ledger = User.objects.bulk_upsert(items)
    request = planhat_sandbox.requests[-1]
    assert (request.method, request.path, len(request.json)) == ("PUT", "/users", 3)
    assert (len(ledger.created), ledger.ok) == (1, True)
    assert planhat_sandbox.row(User, kim.id)["nickName"] == "Kimmy"
    assert planhat_sandbox.row(User, email="liz@vendor.example")["nickName"] == "Liz"
    assert planhat_sandbox.row(User, email="new@vendor.example")["inactive"] is True


def test_users_match_on_the_external_id_before_the_email_and_on_no_source_id(
    planhat_sandbox: Sandbox, kim: User
) -> None:
    with planhat_sandbox.assert_requests(1):
        ledger = User.objects.bulk_upsert([{"external_id": "emp-7", "email": "kim.rivera@vendor.example"}])
    assert len(ledger.updated) == 1
    assert planhat_sandbox.row(User, kim.id)["email"] == "kim.rivera@vendor.example"
    item = {"external_id": "emp-7", "nick_name": "Kimmy"}
    with planhat_sandbox.assert_requests(0):
        with pytest.raises(ValidationError, match="is what Planhat would match by, not email"):
            User.objects.bulk_upsert([{**item, "email": "kim.rivera@vendor.example"}], key="email")
        with pytest.raises(UnknownField, match="source_id"):
            User.objects.bulk_upsert([item], key="source_id")
