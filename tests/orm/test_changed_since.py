"""changed_since() and bookmark: runs one after another that miss no change."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.errors import Forbidden, InvalidQuery, NotSupported
from planhat_orm.models import Company, CustomField, Enduser, Task, User
from planhat_orm.orm import changed
from planhat_orm.orm.ahead import Pages
from planhat_orm.orm.changed import MARGIN

if TYPE_CHECKING:
    from planhat_orm.paging import Fetch
    from planhat_orm.sandbox import Sandbox

OLD = datetime(2025, 1, 1, tzinfo=UTC)
NEW = datetime(2025, 6, 1, tzinfo=UTC)


def companies(box: Sandbox, count: int) -> list[dict[str, Any]]:
    box.add_many(
        Company, ({"name": f"C{n}", "updated_at": OLD + timedelta(seconds=(n * 7919) % count)} for n in range(count))
    )
    return box.rows(Company)


def names(records: Any) -> set[str]:
    return {record.name for record in records}


def test_forty_of_fifty_thousand_companies_are_one_request(planhat_sandbox: Sandbox) -> None:
    rows = companies(planhat_sandbox, 50_000)
    touched = random.Random(5).sample(rows, 40)
    for n, row in enumerate(touched):
        planhat_sandbox.change(Company, row, updated_at=NEW + timedelta(seconds=n))
    changes = Company.objects.changed_since(NEW)
    with planhat_sandbox.assert_requests(1):
        assert names(changes) == {row["name"] for row in touched}
    assert changes.bookmark == NEW + timedelta(seconds=39) - MARGIN


def test_nothing_changed_gives_the_same_bookmark_again(planhat_sandbox: Sandbox) -> None:
    companies(planhat_sandbox, 100)
    changes = Company.objects.changed_since(NEW)
    assert (list(changes), changes.bookmark) == ([], NEW)


def test_an_empty_list_gives_the_same_bookmark_again(planhat_sandbox: Sandbox) -> None:
    changes = Company.objects.changed_since(NEW)
    assert (len(changes), changes.bookmark) == (0, NEW)


def test_a_bookmark_never_goes_back(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, updated_at=NEW + timedelta(seconds=2))
    changes = Company.objects.changed_since(NEW)
    assert (len(changes), changes.bookmark) == (1, NEW)


@pytest.mark.parametrize("when", ["2025-06-01", "2025-06-01T00:00:00Z", NEW.date(), NEW])
def test_it_takes_every_kind_of_time(planhat_sandbox: Sandbox, when: Any) -> None:
    planhat_sandbox.add(Company, name="late", updated_at=NEW)
    planhat_sandbox.add(Company, name="early", updated_at=NEW - timedelta(milliseconds=1))
    assert names(Company.objects.changed_since(when)) == {"late"}


@pytest.mark.usefixtures("planhat_sandbox")
def test_what_is_no_time_is_refused_at_once() -> None:
    for when in ("yesterday", 5, None, datetime(2025, 6, 1)):  # a naive one is refused
        with pytest.raises(InvalidQuery):
            Company.objects.changed_since(when)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match=r"is a bookmark missing\? .* a first run begins with"):
        Company.objects.changed_since(Company.objects.bookmark)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="slice"):
        Company.objects.all()[:5].changed_since(NEW)


def test_objects_without_such_a_time_say_what_to_do_instead() -> None:
    with pytest.raises(NotSupported, match="last changed: "):
        CustomField.objects.changed_since(NEW)


@pytest.mark.usefixtures("planhat_sandbox")
def test_it_says_beforehand_that_the_newest_are_read_first() -> None:
    said = Company.objects.changed_since(NEW).explain()
    assert "newest first: GET /companies?sort=-updatedAt, up to 5,000 rows a page, until one is too old" in said
    assert "requests: 1, and one more for every 4,999 rows that are so new" in said


def test_small_tables_are_read_as_they_are_now(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(User, email="a@x.example", updated_at=NEW)
    assert len(User.objects.filter(email="a@x.example")) == 1  # the table is kept from here on
    planhat_sandbox.add(User, email="b@x.example", updated_at=NEW + timedelta(hours=1))
    changes = User.objects.changed_since(NEW)
    with planhat_sandbox.assert_requests(1):
        assert {user.email for user in changes} == {"a@x.example", "b@x.example"}
    assert changes.bookmark == NEW + timedelta(hours=1) - MARGIN


# The bookmark


def test_there_is_no_bookmark_before_everything_was_read(planhat_sandbox: Sandbox) -> None:
    for n in range(5):
        planhat_sandbox.add(Company, name=f"C{n}", updated_at=NEW + timedelta(minutes=n))
    changes = Company.objects.changed_since(NEW)
    assert changes.bookmark is None
    for _ in changes.iterator():
        break
    assert changes.bookmark is None
    for _ in changes.iterator():
        pass
    assert changes.bookmark == NEW + timedelta(minutes=4) - MARGIN
    assert changes.all().bookmark is None
    part = changes.all()[:2]
    assert (len(part), part.bookmark) == (2, None)
    assert Company.objects.all().bookmark is None


def test_there_is_no_bookmark_after_an_error(planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    companies(planhat_sandbox, 50)
    changes = Company.objects.changed_since(OLD)
    assert len(changes) == 50
    assert changes.bookmark is not None
    again = changes.all()
    planhat_sandbox.fault("status", status=403, times=1)
    with pytest.raises(Forbidden):
        list(again)
    assert again.bookmark is None
    assert len(again) == 50
    assert again.bookmark == changes.bookmark


def test_filters_fields_and_orders_go_with_it(planhat_sandbox: Sandbox) -> None:
    for n in range(6):
        planhat_sandbox.add(
            Company, name=f"C{n}", phase="Live" if n % 2 else "New", updated_at=NEW + timedelta(hours=n)
        )
    changes = Company.objects.changed_since(NEW).filter(phase="Live").only("name").order_by("-name")
    assert [company.name for company in changes] == ["C5", "C3", "C1"]
    assert changes.bookmark == NEW + timedelta(hours=5) - MARGIN


def test_an_upper_bound_holds_the_bookmark_back(planhat_sandbox: Sandbox) -> None:
    for n in range(6):
        planhat_sandbox.add(Company, name=f"C{n}", updated_at=NEW + timedelta(hours=n))
    until = NEW + timedelta(hours=2)
    changes = Company.objects.changed_since(NEW).filter(updated_at__lt=until)
    assert names(changes) == {"C0", "C1"}
    assert changes.bookmark == until


def test_a_bookmark_goes_no_further_than_the_day_before_which_changes_were_wanted(planhat_sandbox: Sandbox) -> None:
    for name, time in (("first", NEW), ("later", NEW + timedelta(days=1, hours=9)), ("last", NEW + timedelta(days=9))):
        planhat_sandbox.add(Company, name=name, updated_at=time)
    changes = Company.objects.changed_since(NEW).filter(updated_at__lt=(NEW + timedelta(days=1)).date())
    assert (names(changes), changes.bookmark) == ({"first"}, NEW + timedelta(days=1))
    assert names(Company.objects.changed_since(NEW + timedelta(days=1))) == {"later", "last"}


def test_a_time_in_the_future_does_not_carry_the_bookmark_away(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="odd", updated_at=datetime(2999, 1, 1, tzinfo=UTC))
    planhat_sandbox.add(Company, name="new", updated_at=NEW + timedelta(hours=1))
    changes = Company.objects.changed_since(NEW)
    assert names(changes) == {"odd", "new"}
    assert changes.bookmark == NEW + timedelta(hours=1) - MARGIN


def test_where_the_order_is_ignored_the_bookmark_is_of_the_first_page_still(planhat_sandbox: Sandbox) -> None:
    rows = companies(planhat_sandbox, 6000)
    planhat_sandbox.change(Company, rows[0], updated_at=NEW)
    planhat_sandbox.fault("ignore_sort", times=None)
    changes = Company.objects.changed_since(OLD + timedelta(seconds=100))
    assert len(changes) == 5900 + (1 if (0 * 7919) % 6000 < 100 else 0)
    assert changes.bookmark is not None
    assert OLD + timedelta(seconds=100) <= changes.bookmark < NEW


def test_the_page_that_the_bookmark_is_of_is_read_before_all_others(
    planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is read beside it may be of a later moment, whose times would skip a change on this one."""
    planhat_sandbox.add_many(Enduser, ({"updated_at": NEW + timedelta(seconds=n % 7)} for n in range(6000)))
    planhat_sandbox.fault("ignore_sort", times=None)
    assert len(Enduser.objects.changed_since(OLD)) == 6000  # that the order is ignored is known from here on
    together: list[int] = []
    read = Pages._read

    def watched(self: Pages, pages: list[Fetch]) -> Any:
        together.append(len(pages))
        return read(self, pages)

    monkeypatch.setattr(Pages, "_read", watched)
    assert len(Enduser.objects.changed_since(OLD).parallel(4)) == 6000
    assert together[0] == 1


@pytest.mark.parametrize("fault", [None, "ignore_sort"])
@pytest.mark.parametrize("how", ["list", "iterator"])
@pytest.mark.parametrize("model", [Company, Enduser, Task])
def test_a_chain_of_runs_misses_no_change_whenever_it_comes(
    planhat_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, model: Any, how: str, fault: str | None
) -> None:
    """Changes come between the runs and between any two requests of a run; the runs together see the last of each."""
    box, dice = planhat_sandbox, random.Random(11)
    # One clock that gives each change a time of its own: five seconds less would hide what is wrong.
    monkeypatch.setattr(box._world, "clock", lambda: NEW)
    monkeypatch.setattr(changed, "MARGIN", timedelta())
    kinds: list[dict[str, Any]] = [{"is_archived": True}, {"is_archived": False}] if model is Task else [{}]
    for values in kinds:
        box.add_many(model, ({"updated_at": OLD + timedelta(seconds=n), **values} for n in range(150)))
    rows = [row["_id"] for row in box.rows(model)]
    box.fault("cap", limit=64, times=None)
    if fault:
        box.fault(fault, times=None)
    truth = {row["_id"]: row["updatedAt"] for row in box.rows(model)}

    def move() -> None:
        for key in dice.sample(rows, dice.choice([0, 1, 3, 20])):
            truth[key] = box.change(model, key, extra={"x": dice.random()})["updatedAt"]
        if dice.random() < 0.3:
            made = box.add(model)
            rows.append(made["_id"])
            truth[made["_id"]] = made["updatedAt"]

    drift = box.fault("drift", run=move, times=None)
    seen: dict[str, str] = {}
    when: Any = OLD
    for round_ in range(9):
        if round_ == 8:
            drift.lift()
        changes = model.objects.changed_since(when)
        for record in changes if how == "list" else changes.iterator():
            seen[str(record.id)] = max(seen.get(str(record.id), ""), record.raw["updatedAt"])
        assert changes.bookmark is not None
        assert changes.bookmark >= (OLD if when == OLD else when)
        when = changes.bookmark
    assert seen == truth


def test_a_bookmark_may_be_kept_as_text(planhat_sandbox: Sandbox) -> None:
    planhat_sandbox.add(Company, name="Acme", updated_at=NEW)
    changes = Company.objects.changed_since("2000-01-01")
    assert [company.name for company in changes] == ["Acme"]
    assert changes.bookmark is not None
    with planhat_sandbox.assert_requests(2):
        for kept in (changes.bookmark.isoformat(), str(changes.bookmark)):
            again = Company.objects.changed_since(kept)
            assert [company.name for company in again] == ["Acme"]
            assert again.bookmark == changes.bookmark
