"""Records by key, in portions and as dictionaries: what comes, and how many requests it takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.errors import InvalidQuery, UnknownField
from planhat_orm.models import Company, Conversation, Enduser, Note, User
from planhat_orm.orm.taking import portions
from planhat_orm.sandbox import Sandbox


@pytest.fixture
def box(planhat_sandbox: Sandbox) -> Sandbox:
    """Seven companies; the even ones are owned."""
    owner = planhat_sandbox.add(User, email="kim@v.example", first_name="Kim", last_name="")
    for n in range(7):
        planhat_sandbox.add(
            Company,
            name=f"C{n}",
            external_id=f"c-{n}",
            phase="even" if n % 2 == 0 else "odd",
            owner=[owner, None][n % 2],
        )
    return planhat_sandbox


def test_get_or_none_is_get_without_the_error(box: Sandbox) -> None:
    with box.assert_requests(1):
        found = Company.objects.get_or_none(external_id="c-3")
        assert found is Company.objects.get_or_none(external_id="c-3")
    assert found is not None
    assert found.name == "C3"
    with box.assert_requests(1):
        assert Company.objects.get_or_none(external_id="c-3", fresh=True) is found
    with box.assert_requests(1):
        assert Company.objects.get_or_none(external_id="nobody") is None
    with pytest.raises(Company.MultipleObjectsReturned):
        Company.objects.get_or_none(phase="odd")
    with box.assert_requests(0):
        assert Company.objects.none().get_or_none() is None
        with pytest.raises(InvalidQuery, match="variable unset"):
            Company.objects.get_or_none(external_id=None)
        with pytest.raises(UnknownField):
            Company.objects.get_or_none(externalId="c-3")


def test_contains_asks_for_that_record_alone(box: Sandbox) -> None:
    one, two = Company.objects.order_by("name")[:2]
    even = Company.objects.filter(phase="even")
    with box.assert_requests(2):
        assert even.contains(one)
        assert not even.contains(two)
    assert {request.path for request in box.requests[-2:]} == {f"/companies/{one.id}", f"/companies/{two.id}"}
    with box.assert_requests(1):
        assert even[:2].contains(one)
    assert len(even) == 4
    with box.assert_requests(0):
        assert even.contains(one)
        assert not even.contains(two)
        assert not Company.objects.none().contains(one)


def test_contains_takes_saved_records_of_the_model(box: Sandbox) -> None:
    with box.assert_requests(0):
        for wrong in (None, "c-1", Company(name="New"), Enduser(email="a@x.example")):
            with pytest.raises(InvalidQuery, match=r"contains\(\) takes|not saved yet"):
                Company.objects.contains(wrong)  # type: ignore[arg-type]


def test_a_record_of_another_tenant_is_not_contained(box: Sandbox) -> None:
    one = Company.objects.get(external_id="c-0")
    with Sandbox() as other, other.session(), other.assert_requests(0):
        assert not Company.objects.contains(one)


def test_a_note_is_contained_in_the_conversations(box: Sandbox) -> None:
    company = box.rows(Company)[0]
    note = Note.objects.get(id=box.add(Note, company=company, subject="Hello")["_id"])
    mail = Conversation.objects.get(id=box.add(Conversation, company=company, type="email")["_id"])
    objects: Any = Conversation.objects
    notes: Any = Note.objects
    assert objects.contains(note)
    assert not notes.contains(mail)


def test_chunks_read_no_page_before_it_is_needed(planhat_sandbox: Sandbox) -> None:
    box = planhat_sandbox
    box.add_many(Enduser, ({"email": f"{n}@x.example"} for n in range(4500)))
    chunks = Enduser.objects.chunks(900)
    with box.assert_requests(0):
        lists = iter(chunks)
    with box.assert_requests(1):
        assert [person.email for person in next(lists)] == [f"{n}@x.example" for n in range(900)]
        assert len(next(lists)) == 900
    with box.assert_requests(2):
        assert [len(one) for one in lists] == [900, 900, 900]


def test_chunks_of_a_filtered_slice_and_of_values(box: Sandbox) -> None:
    with box.assert_requests(1):
        even = Company.objects.filter(phase="even")[:3]
        assert [[one.name for one in chunk] for chunk in even.chunks(2)] == [["C0", "C2"], ["C4"]]
    with box.assert_requests(1):
        names = Company.objects.values_list("name", flat=True)
        assert list(names.chunks(4)) == [["C0", "C1", "C2", "C3"], ["C4", "C5", "C6"]]
    with box.assert_requests(0):
        assert list(Company.objects.none().chunks(5)) == []


@pytest.mark.parametrize("size", [0, -1, True, None, "5", 2.0])
def test_the_size_of_chunks_is_a_whole_number(box: Sandbox, size: Any) -> None:
    with box.assert_requests(0), pytest.raises(InvalidQuery, match="whole number"):
        Company.objects.chunks(size)


@given(items=st.lists(st.integers(), max_size=30), size=st.integers(1, 12))
def test_portions_are_all_of_it_in_order(items: list[int], size: int) -> None:
    parts = list(portions(lambda: iter(items), size))
    assert [one for part in parts for one in part] == items
    assert all(len(part) == size for part in parts[:-1])
    assert all(0 < len(part) <= size for part in parts[-1:])


def test_to_dicts(box: Sandbox) -> None:
    with box.assert_requests(2):
        rows = Company.objects.order_by("name").to_dicts(["name", "owner.email"])
    assert rows[:2] == [{"name": "C0", "owner.email": "kim@v.example"}, {"name": "C1", "owner.email": None}]
    with box.assert_requests(1):
        rows = Company.objects.order_by("name")[:1].to_dicts({"Company": "name", "Also": "name", "Phase": "phase"})
    assert rows == [{"Company": "C0", "Also": "C0", "Phase": "even"}]
    assert box.requests[-1].params["select"] == "_id,name,phase"
    with box.assert_requests(1):
        assert Company.objects.filter(name="C2").only("name").to_dicts()[0]["name"] == "C2"


@pytest.mark.parametrize("columns", ["name", b"name", 5, [], {}, [5], [["name"]], {"Name": None}])
def test_columns_are_paths(box: Sandbox, columns: Any) -> None:
    with box.assert_requests(0), pytest.raises(InvalidQuery):
        Company.objects.to_dicts(columns)


def test_an_unknown_column_is_suggested(box: Sandbox) -> None:
    with box.assert_requests(0), pytest.raises(UnknownField, match="email"):
        Company.objects.to_dicts({"Owner": "owner.emial"})
