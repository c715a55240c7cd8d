"""The demo data: what it promises, and that it hangs together."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from planhat_orm import models
from planhat_orm.models import NPS, Company, CustomField, Enduser, License, Note, Task, Ticket, Timesheet, User
from planhat_orm.sandbox import Sandbox

#: Every object of Planhat.
EVERY = [getattr(models, name) for name in models.__all__ if getattr(getattr(models, name), "_meta", None)]


@pytest.fixture(scope="module")
def demo():
    box = Sandbox(demo=True)
    yield box
    box.close()


def test_acme_is_as_the_documentation_shows_it(demo):
    acme = demo.row(Company, external_id="acme-42")
    kim = demo.row(User, email="kim@vendor.example")
    assert (acme["name"], acme["owner"]) == ("Acme", kim["_id"])
    assert acme["custom"] == {"Tier": "Silver", "Days in Phase": 12}
    assert (kim["firstName"], kim["lastName"]) == ("Kim", "Rivera")
    assert {row["email"] for row in demo.rows(Enduser, company=acme)} == {"ada@acme.example", "grace@acme.example"}
    assert [(row["product"], row["_currency"]) for row in demo.rows(License, company=acme)] == [("Platform", "EUR")]


def test_acme_and_birch_are_first_by_name(demo):
    names = sorted(row["name"] for row in demo.rows(Company))
    assert names[:2] == sorted(names, key=str.casefold)[:2] == ["Acme", "Birch & Co"]
    assert len(set(names)) == 500


def test_the_numbers_are_those_of_a_small_vendor(demo):
    assert (demo.count(User), demo.count(Company)) == (12, 500)
    assert 1400 < demo.count(Enduser) < 1600
    assert 400 < demo.count(License) < 500
    assert demo.count(Note) == 800
    assert len(demo.rows(Enduser, archived=True)) > 5


def test_licences_agree_with_the_status_of_their_company(demo):
    by_company = Counter(row["companyId"] for row in demo.rows(License))
    for company in demo.rows(Company):
        if company["status"] == "customer":
            assert by_company[company["_id"]] >= 1
            assert company["arr"] == 12 * company["mrr"]
        elif company["status"] in ("prospect", "coming", "lost"):
            assert by_company[company["_id"]] == 0
            assert "arr" not in company
    for licence in demo.rows(License, renewal_status="lost"):
        assert demo.row(Company, licence["companyId"])["status"] == "canceled"


def test_records_point_to_records(demo):
    companies = {row["_id"] for row in demo.rows(Company)}
    users = {row["_id"] for row in demo.rows(User)}
    assert {row["owner"] for row in demo.rows(Company) if "owner" in row} <= users
    for model in (Enduser, License, Note):
        assert {row["companyId"] for row in demo.rows(model)} <= companies


def test_the_same_seed_gives_the_same_data_and_another_gives_other(demo):
    later = datetime(2031, 5, 1, tzinfo=UTC)
    again, other = Sandbox(demo=True, clock=lambda: later), Sandbox(demo=True, seed=2)
    for model in EVERY:
        assert again.rows(model) == demo.rows(model) != other.rows(model), model
    again.close()
    other.close()


def test_every_object_has_a_few_records_that_hang_together(demo):
    for model in EVERY:
        assert 2 < demo.count(model) <= 1600, model
    companies = {row["_id"] for row in demo.rows(Company)}
    users = {row["_id"] for row in demo.rows(User)}
    for model in EVERY:
        for key, field in model._meta.by_key.items():
            known = {"Company": companies, "User": users}.get(field.relation or "")
            if known and not field.mutable:
                assert {row[key] for row in demo.rows(model) if row.get(key)} <= known, (model, key)


def test_what_planhat_hides_and_computes_is_among_the_records(demo):
    assert 0 < demo.count(Task, is_archived=True) < demo.count(Task)
    assert (
        min(row["dateAnswered"] for row in demo.rows(NPS))
        < "2025-01-15"
        < max(row["dateAnswered"] for row in demo.rows(NPS))
    )
    assert all(row["type"] == "ticket" and row["endusers"] for row in demo.rows(Ticket))
    assert all(len(row["timeEntries"]) == 5 for row in demo.rows(Timesheet))


def test_custom_values_have_definitions(demo):
    defined = {(row["parent"], row["name"]) for row in demo.rows(CustomField)}
    for model in (Company, Enduser, Task):
        used = {name for row in demo.rows(model) for name in row.get("custom") or {}}
        assert {(model.__name__.lower(), name) for name in used} <= defined


def test_some_companies_that_are_no_customers_have_no_owner(demo):
    without = [row for row in demo.rows(Company) if "owner" not in row]
    assert 5 <= len(without) <= 15
    assert "customer" not in {row["status"] for row in without}


def test_odd_values_that_planhat_sends_occur(demo):
    companies, people = demo.rows(Company), demo.rows(Enduser)
    assert any(isinstance(row["domains"], str) for row in companies)
    assert any(row["custom"].get("Tier") == "undefined" for row in companies)
    assert any(row.get("autoRenews") == "" for row in companies)
    assert any(row.get("featured") == "" and row["beatTrend"] == -1.75 for row in people)


def test_all_addresses_are_on_reserved_domains(demo):
    for model in (User, Enduser):
        assert all(row["email"].endswith(".example") for row in demo.rows(model))


def test_a_file_with_rows_is_not_filled_again(tmp_path):
    with Sandbox(tmp_path / "demo.sqlite", demo=True) as box:
        box.remove(Company, box.row(Company, external_id="acme-42"))
    with Sandbox(tmp_path / "demo.sqlite", demo=True) as box:
        assert box.count(Company) == 499
        assert date.fromisoformat(box.rows(License)[0]["fromDate"][:10]) < date(2026, 1, 15)


@pytest.mark.parametrize("model", [User, Company, Enduser, License, Note])
def test_a_file_with_any_row_of_its_own_is_not_filled(tmp_path, model):
    with Sandbox(tmp_path / "own.sqlite") as box:
        box.add(model)
    with Sandbox(tmp_path / "own.sqlite", demo=True) as box:
        assert sum(box.count(one) for one in (User, Company, Enduser, License, Note)) == 1
