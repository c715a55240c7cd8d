"""Licences: what Planhat computes from what was sent."""

import pytest

from planhat_orm.models import Company

FIXED = {"fixedPeriod": True, "fromDate": "2025-01-01T00:00:00.000Z", "toDate": "2026-01-01T00:00:00.000Z"}


@pytest.fixture
def base(box):
    return {"companyId": box.add(Company, name="Acme")["_id"], "_currency": "EUR", **FIXED}


def test_the_value_is_the_monthly_amount_times_the_length(api, base):
    row = api.post("/licenses", {**base, "mrr": 100}).json()
    assert (row["length"], row["value"], row["arr"]) == (12, 1200, 1200)
    assert (row["renewalDate"], row["renewalStatus"], row["renewalPeriod"]) == (base["toDate"], "ongoing", 12)


def test_the_monthly_amount_is_the_value_over_the_length(api, base):
    assert api.post("/licenses", {**base, "value": 3006}).json()["mrr"] == 250.5


def test_changing_the_monthly_amount_rewrites_the_value(api, base):
    row = api.post("/licenses", {**base, "value": 1200}).json()
    assert api.put(f"/licenses/{row['_id']}", {"mrr": 200}).json()["value"] == 2400


def test_switching_to_open_ended_clears_the_term_even_when_it_is_sent_along(api, base):
    row = api.post("/licenses", {**base, "value": 1200}).json()
    after = api.put(f"/licenses/{row['_id']}", {**FIXED, "fixedPeriod": False, "value": 5, "renewalPeriod": 3}).json()
    gone = {"toDate", "value", "length", "autoRenews", "renewalUnit", "renewalPeriod", "renewalDate"}
    assert not after.keys() & (gone | {"renewalDaysFromNow"})
    assert after["mrr"] == 100


def test_an_open_ended_licence_needs_the_monthly_amount_only(api, base):
    body = {key: base[key] for key in ("companyId", "_currency", "fromDate")}
    assert api.post("/licenses", body).text == "Required Field: mrr"
    row = api.post("/licenses", {**body, "mrr": 10}).json()
    assert (row["fixedPeriod"], row["arr"]) == (False, 120)


def test_licences_have_no_time_of_the_last_change(api, base):
    assert not api.post("/licenses", {**base, "mrr": 1}).json().keys() & {"updatedAt", "createdAt"}
