"""Small tables: read whole once, asked anything for a minute, read anew when something is not found or was written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

import pytest

from planhat_orm import Session
from planhat_orm.models import CustomField, User
from planhat_orm.orm import fields
from planhat_orm.session.identity_map import KEPT_SECONDS

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """A team of thirty."""
    for n in range(30):
        planhat_sandbox.add(
            User, first_name=f"F{n:02}", last_name="Berg", email=f"{n}@vendor.example", nick_name=f"N{n}",
            external_id=f"u-{n}", inactive=n % 2 == 0,
        )  # fmt: skip
    return planhat_sandbox


def id_of(box: Sandbox, email: str) -> str:
    return next(row["_id"] for row in box.rows(User) if row["email"] == email)


def test_one_reading_answers_every_question(box: Sandbox) -> None:
    with box.assert_requests(1):
        assert User.objects.get(email="7@vendor.example").first_name == "F07"
        assert [one.first_name for one in User.objects.filter(inactive=False).order_by("-email")[:2]] == ["F09", "F07"]
        assert User.objects.filter(inactive=True).count() == 15
        assert User.objects.filter(email__startswith="1").exists()
        assert User.objects.first() == User.objects.get(email="0@vendor.example")
        assert list(User.objects.filter(nick_name__in=["N1", "N2"]).values_list("nick_name", flat=True)) == ["N1", "N2"]
        assert User.objects.order_by("first_name").last().first_name == "F29"  # type: ignore[union-attr]
    assert box.requests[-1].params["sort"] == "_id"


def test_all_of_it_is_read_anew_and_renews_what_is_kept(box: Sandbox) -> None:
    with box.assert_requests(2):
        assert len(User.objects.all()) == 30
        assert len(User.objects.all()) == 30
    box.add(User, email="new@vendor.example", inactive=False)
    with box.assert_requests(1):
        assert len(User.objects.all()) == 31
    with box.assert_requests(0):
        assert User.objects.filter(inactive=False).count() == 16
    with box.assert_requests(1):
        assert User.objects.count() == 31


def test_counting_all_of_it_renews_what_is_kept(box: Sandbox) -> None:
    assert User.objects.filter(last_name="Berg").count() == 30
    box.add(User, email="new@vendor.example", last_name="Berg")
    with box.assert_requests(1):
        assert User.objects.only("email").count() == 31
    with box.assert_requests(0):
        assert User.objects.filter(last_name="Berg").count() == 31


def test_it_is_kept_for_a_minute(box: Sandbox, later: list[float]) -> None:
    assert User.objects.filter(inactive=False).count() == 15
    later[0] = KEPT_SECONDS - 1
    with box.assert_requests(0):
        assert User.objects.filter(inactive=False).count() == 15
    later[0] = KEPT_SECONDS
    with box.assert_requests(1):
        assert User.objects.filter(inactive=False).count() == 15


def test_what_is_not_in_it_is_looked_for_anew(box: Sandbox) -> None:
    assert User.objects.get(email="7@vendor.example").first_name == "F07"
    box.add(User, email="new@vendor.example", first_name="New")
    with box.assert_requests(1):
        assert User.objects.get(email="new@vendor.example").first_name == "New"
    box.add(User, email="newer@vendor.example")
    with box.assert_requests(1):
        assert len(User.objects.filter(email__in=["newer@vendor.example", "7@vendor.example"])) == 2
    with box.assert_requests(1), pytest.raises(User.DoesNotExist):
        User.objects.get(email="nobody@vendor.example")


def test_fresh_reads_it_anew(box: Sandbox) -> None:
    assert User.objects.get(email="7@vendor.example").first_name == "F07"
    box.change(User, id_of(box, "7@vendor.example"), first_name="New")
    with box.assert_requests(0):
        assert User.objects.get(email="7@vendor.example").first_name == "F07"
    with box.assert_requests(1):
        assert User.objects.get(email="7@vendor.example", fresh=True).first_name == "New"


def test_own_writes_and_forget_drop_it(box: Sandbox) -> None:
    kim = User.objects.get(email="7@vendor.example")
    kim.first_name = "Kim"
    kim.save()
    with box.assert_requests(1):
        assert User.objects.filter(first_name="Kim").count() == 1
    User.objects.create(email="n@vendor.example", first_name="Kim", last_name="B", nick_name="K")
    with box.assert_requests(1):
        assert User.objects.filter(first_name="Kim").count() == 2
    kim.delete()
    with box.assert_requests(1):
        assert User.objects.filter(first_name="Kim").count() == 1
    Session.current().forget(User)
    with box.assert_requests(1):
        assert User.objects.filter(first_name="Kim").count() == 1


def test_a_row_that_was_kept_does_not_undo_what_was_read_since(box: Sandbox) -> None:
    kim = User.objects.get(email="7@vendor.example")
    box.change(User, kim.id, first_name="New")
    kim.refresh_from_db()
    with box.assert_requests(0):
        assert User.objects.get(email="7@vendor.example").first_name == "New"


def test_what_the_list_does_not_show_is_asked_for_as_ever(box: Sandbox) -> None:
    assert User.objects.filter(inactive=False).count() == 15
    with box.assert_requests(1):
        assert len(User.objects.only("email")) == 30
    assert box.requests[-1].params["select"] == "_id,email"
    with box.assert_requests(1):
        assert sum(1 for _ in User.objects.filter(inactive=False).iterator()) == 15


def test_a_table_of_several_pages_is_whole(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add_many(CustomField, ({"name": f"F{n:04}", "parent": "company"} for n in range(2_100)))
    with planhat_sandbox.assert_requests(2):
        assert CustomField.objects.filter(parent="company").count() == 2_100
        assert CustomField.objects.order_by("-name").first().name == "F2099"  # type: ignore[union-attr]


def test_threads_read_it_once(box: Sandbox) -> None:
    with box.assert_requests(1), ThreadPoolExecutor(6) as pool:
        found = [pool.submit(User.objects.get, email=f"{n}@vendor.example") for n in range(12)]
        assert [one.result().first_name for one in found] == [f"F{n:02}" for n in range(12)]


def test_sessions_keep_a_table_each(box: Sandbox) -> None:
    assert User.objects.filter(inactive=False).count() == 15
    with box.session(), box.assert_requests(1):
        assert User.objects.filter(inactive=False).count() == 15
        assert User.objects.filter(inactive=True).count() == 15


# Other classes of the same records


class Colleague(User):
    """A user with a property that other classes do not ask for."""

    desk: fields.Text = fields.Text("desk")


class CompanyField(CustomField):
    """A custom field of companies."""

    class Meta:
        constant: ClassVar = {"parent": "company"}


def test_a_class_with_more_fields_does_not_take_the_table_of_another_one(planhat_sandbox: Sandbox) -> None:
    for number in range(4):
        planhat_sandbox.add(User, email=f"{number}@x", desk="window" if number % 2 else None)
    assert User.objects.filter(email="0@x").exists()
    with planhat_sandbox.assert_requests(1):
        assert [one.email for one in Colleague.objects.filter(desk__isnull=True)] == ["0@x", "2@x"]
        assert [one.email for one in Colleague.objects.order_by("-desk", "email")] == ["1@x", "3@x", "0@x", "2@x"]
        assert User.objects.get(email="1@x").email == "1@x"


def test_a_class_for_some_of_the_rows_leaves_the_table_of_all_alone(planhat_sandbox: Sandbox) -> None:
    for name, parent in (("A", "company"), ("B", "enduser")):
        planhat_sandbox.add(CustomField, name=name, parent=parent, type="text")
    for _ in range(2):
        assert [one.name for one in CompanyField.objects.filter(type="text")] == ["A"]
        assert [one.name for one in CustomField.objects.filter(type="text")] == ["A", "B"]
