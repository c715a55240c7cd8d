"""Metrics over HTTP: what a point may hold, how it is sent, and how points are read."""

from __future__ import annotations

import datetime
from datetime import UTC, date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import (
    BulkError,
    ConfigurationError,
    DecodeError,
    FilterIgnored,
    InvalidQuery,
    NotSupported,
    ReadOnlyError,
    ValidationError,
)
from planhat_orm.analytics import Metric
from planhat_orm.models import Asset, Company, Enduser, Project, User
from planhat_orm.sandbox.box import TENANT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox

PATH = f"/analytics/dimensiondata/{TENANT_TOKEN}"
JANUARY_5 = date(2026, 1, 5)
POINT = {"external_id": "acme-42", "dimension_id": "logins", "value": 42}


def points(count: int) -> list[dict[str, Any]]:
    return [{**POINT, "value": number, "date": JANUARY_5} for number in range(count)]


def statuses(ledger: Any) -> list[str]:
    return [outcome.status for outcome in ledger]


# What is sent


def test_points_are_posted_to_the_analytics_host_in_its_names(box: Sandbox, session: Session, acme: Company) -> None:
    with box.assert_requests(1):
        ledger = Metric.push(
            [
                {"parent": acme, "dimension_id": "logins", "value": 42, "date": JANUARY_5},
                {"external_id": "acme-42", "dimension_id": "cpu hours", "value": 5.2},
            ]
        )
    [request] = box.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert request.json == [
        {
            "dimensionId": "logins",
            "value": 42,
            "externalId": "acme-42",
            "model": "Company",
            "date": "2026-01-05T00:00:00.000Z",
        },
        {"dimensionId": "cpu hours", "value": 5.2, "externalId": "acme-42", "model": "Company"},
    ]
    assert statuses(ledger) == ["acknowledged", "acknowledged"]
    assert ledger.ok


def test_metrics_are_sent_with_the_api_token_and_the_tenants(box: Sandbox, session: Session) -> None:
    Metric.push([POINT])
    [request] = box.requests
    assert request.headers["Authorization"].startswith("Bearer")
    assert request.path.endswith(TENANT_TOKEN)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("EndUser", "EndUser"),
        ("Enduser", "EndUser"),
        ("enduser", "EndUser"),
        (Enduser, "EndUser"),
        (Company, "Company"),
        (Asset, "Asset"),
        (Project, "Project"),
    ],
)
def test_the_model_is_written_as_the_analytics_host_spells_it(
    box: Sandbox, session: Session, given: Any, sent: str
) -> None:
    Metric.push([{**POINT, "model": given}])
    assert box.requests[0].json[0]["model"] == sent


@pytest.mark.parametrize("model", [User, "User", "company ", 3, Company(name="Acme")])
def test_a_model_that_has_no_metrics_is_refused(box: Sandbox, session: Session, model: Any) -> None:
    with pytest.raises(ValidationError, match="must be one of Company, EndUser, Asset, Project"):
        Metric.push([{**POINT, "model": model}])
    assert box.requests == []


def test_objects_of_all_four_models_name_themselves(box: Sandbox, session: Session, acme: Company) -> None:
    person = box.add(Enduser, company=acme.id, email="ada@acme.example", external_id="ada-1")
    ada = Enduser.objects.get(id=person["_id"])
    Metric.push(
        [
            {"parent": ada, "dimension_id": "logins", "value": 1},
            {"parent": Company.ref(external_id="acme-42"), "dimension_id": "logins", "value": 1},
        ]
    )
    sent = box.requests[-1].json
    assert [(item["model"], item["externalId"]) for item in sent] == [("EndUser", "ada-1"), ("Company", "acme-42")]


def test_a_class_of_ones_own_is_what_it_derives_from(box: Sandbox, session: Session) -> None:
    class Account(Company):
        class Meta(Company.Meta):
            pass

    account = Account.objects.get(external_id="acme-42")
    Metric.push([{"parent": account, "dimension_id": "logins", "value": 1}])
    assert box.requests[-1].json[0]["model"] == "Company"


def test_keywords_stand_for_what_rows_do_not_name(box: Sandbox, session: Session) -> None:
    rows = [{"external_id": "a", "value": 1}, {"external_id": "b", "value": 2, "dimension_id": "own", "date": None}]
    Metric.push(rows, dimension_id="logins", model=Enduser, date=JANUARY_5)
    first, second = box.requests[0].json
    assert (first["dimensionId"], second["dimensionId"]) == ("logins", "own")
    assert {first["model"], second["model"]} == {"EndUser"}
    assert first["date"] == second["date"] == "2026-01-05T00:00:00.000Z"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (JANUARY_5, "2026-01-05T00:00:00.000Z"),
        (datetime.datetime(2026, 1, 5, 13, 30, tzinfo=UTC), "2026-01-05T13:30:00.000Z"),
        (
            datetime.datetime(2026, 1, 5, 0, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
            "2026-01-04T23:30:00.000Z",
        ),
    ],
)
def test_dates_are_days_or_aware_times(box: Sandbox, session: Session, given: Any, sent: str) -> None:
    Metric.push([{**POINT, "date": given}])
    assert box.requests[0].json[0]["date"] == sent


@pytest.mark.parametrize(
    ("given", "sent"), [(Decimal("12.50"), 12.5), (Fraction(1, 4), 0.25), (0, 0), (-3, -3), (3.0, 3.0)]
)
def test_numbers_of_any_kind_are_sent(box: Sandbox, session: Session, given: Any, sent: float) -> None:
    Metric.push([{**POINT, "value": given}])
    assert box.requests[0].json[0]["value"] == sent
    with pytest.raises(ValidationError, match="value: must be a finite number"):
        Metric.push([{**POINT, "value": Decimal("NaN")}])


def test_points_go_to_the_session_of_their_objects(box: Sandbox, acme: Company) -> None:
    mine = acme._session()
    with box.session() as other:
        Metric.push([{"parent": acme, "dimension_id": "logins", "value": 1}])
    assert (mine.stats.requests, other.stats.requests) == (2, 0)


def test_a_naive_time_is_of_the_sessions_zone_and_refused_without_one(box: Sandbox, session: Session) -> None:
    naive = {**POINT, "date": datetime.datetime(2026, 1, 5, 12)}
    with pytest.raises(ValidationError, match=r"rows\[0\].*date.*without a time zone"):
        Metric.push([naive])
    Metric.push([naive], session=box.session(timezone="Europe/Stockholm"))
    assert [request.json[0]["date"] for request in box.requests] == ["2026-01-05T11:00:00.000Z"]


# What may not be sent


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"value": float("nan")}, "value: is nan, an empty cell"),
        ({"value": float("inf")}, "value: must be a finite number"),
        ({"value": "42"}, "value: must be a number, not str '42'"),
        ({"value": True}, "value: must be a number, not bool True"),
        ({"value": None}, "value: is required"),
        ({"external_id": 42.0}, "external_id: keys are text"),
        ({"external_id": 42}, "external_id: keys are text"),
        ({"external_id": " "}, "external_id: is blank"),
        ({"external_id": float("nan")}, "external_id: is nan"),
        ({"external_id": None}, "external_id: is required"),
        ({"dimension_id": ""}, "dimension_id: is blank"),
        ({"dimension_id": "a\ud800"}, "dimension_id: holds half a surrogate pair"),
        ({"date": "2026-01-05"}, "date: must be a date or a datetime"),
        ({"dimensionId": "logins"}, "dimensionId: is not known here; did you mean 'dimension_id'?"),
        ({"valeu": 3}, "valeu: is not known here; did you mean 'value'?"),
        ({"parent": Company(name="New")}, "external_id: parent says it already"),
    ],
)
def test_a_row_that_may_not_be_sent_is_named_and_nothing_is_sent(
    box: Sandbox, session: Session, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Metric.push([POINT, POINT, {**POINT, **wrong}])
    assert f"rows[2]: {said}" in str(caught.value)
    assert "rows[0]" not in str(caught.value)
    assert box.requests == []


def test_the_names_that_are_known_are_said_once(box: Sandbox, session: Session) -> None:
    with pytest.raises(ValidationError) as caught:
        Metric.push([{**POINT, "xyzzy": 1, "plugh": 2}, {**POINT, "xyzzy": 3}])
    assert str(caught.value).count("is not known here") == 3
    assert str(caught.value).count("known: dimension_id, value, external_id, model, date, parent") == 1
    with pytest.raises(ValidationError) as caught:
        Metric.push([{**POINT, "valeu": 1}])
    assert str(caught.value).endswith("is not known here; did you mean 'value'?")
    assert box.requests == []


@pytest.mark.parametrize(
    ("parent", "said"),
    [
        (Company(name="New"), "has no external id"),
        (
            User(email="kim@vendor.example"),
            "must be a Company or an Enduser or an Asset or a Project, or a ref",
        ),
        (Company.ref(source_id="crm-1"), "by external id only"),
        ("acme-42", r"not 'acme-42': write Company\.ref\(external_id='acme-42'\)"),
    ],
)
def test_a_parent_that_planhat_could_not_find_is_refused(
    box: Sandbox, session: Session, parent: Any, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Metric.push([{"parent": parent, "dimension_id": "logins", "value": 1}])
    assert box.requests == []


def test_a_parent_of_another_session_is_refused(box: Sandbox, session: Session, acme: Company) -> None:
    with box.session() as other, pytest.raises(ValidationError, match="belongs to another session"):
        Metric.push([{"parent": acme, "dimension_id": "logins", "value": 1}], session=other)
    assert box.requests == []


def test_only_the_first_of_many_wrong_rows_are_named(box: Sandbox, session: Session) -> None:
    with pytest.raises(ValidationError) as caught:
        Metric.push([{**POINT, "value": None}] * 50)
    said = str(caught.value)
    assert "rows[19]" in said
    assert "rows[20]" not in said
    assert "and: 30 rows more" in said


@pytest.mark.parametrize("rows", ["logins", 3, None, Company, Company(name="Acme")])
def test_what_is_no_rows_is_refused(box: Sandbox, session: Session, rows: Any) -> None:
    with pytest.raises(InvalidQuery, match="takes rows"):
        Metric.push(rows)
    with pytest.raises(ValidationError, match=r"rows\[0\]: is no dict but str"):
        Metric.push(["logins"])
    assert box.requests == []


def test_nothing_to_push_sends_nothing(box: Sandbox, session: Session) -> None:
    assert len(Metric.push([])) == 0
    assert box.requests == []


def test_on_error_knows_two_words(box: Sandbox, session: Session) -> None:
    with pytest.raises(InvalidQuery, match="'raise' or 'collect'"):
        Metric.push([POINT], on_error="ignore")  # type: ignore[arg-type]
    assert box.requests == []


# Who may push


def test_without_a_tenant_token_nothing_is_sent(box: Sandbox) -> None:
    with box.session(tenant_token="") as session, pytest.raises(ConfigurationError, match="PLANHAT_TENANT_TOKEN"):
        Metric.push([POINT])
    assert session.stats.requests == 0


def test_a_read_only_session_pushes_nothing(box: Sandbox) -> None:
    with box.session(read_only=True), pytest.raises(ReadOnlyError):
        Metric.push([POINT])
    assert box.requests == []


def test_no_error_and_no_ledger_shows_the_tenant_token(box: Sandbox, patient: Callable[[Session], Session]) -> None:
    secret = "zq7-tenant-that-nobody-may-see-42"
    with patient(box.session(tenant_token=secret)) as session:
        box.fault("status", status=400, body={"message": f"no tenant {secret}"})
        with pytest.raises(BulkError) as caught:
            Metric.push([POINT])
        ledger = caught.value.result
        shown = f"{caught.value} {caught.value!r} {ledger!r} {ledger} {ledger.failed[0].error} {session!r}"
    assert secret not in shown
    assert "{tenant}" in shown


# Reading


def test_points_are_read_by_company_dimension_and_days(box: Sandbox, session: Session, acme: Company) -> None:
    other = box.add(Company, name="Birch", external_id="birch-1")
    for parent, dimension, day in [
        (acme.id, "logins", date(2025, 12, 31)),
        (acme.id, "logins", date(2026, 1, 1)),
        (acme.id, "logins", date(2026, 1, 31)),
        (acme.id, "logins", date(2026, 2, 1)),
        (acme.id, "seats", date(2026, 1, 15)),
        (other["_id"], "logins", date(2026, 1, 15)),
    ]:
        box.add(Metric, company=parent, parent_id=parent, dimension_id=dimension, value=1, date=day, model="Company")
    january = (date(2026, 1, 1), date(2026, 1, 31))
    with box.assert_requests(1):
        found = list(Metric.objects.filter(company=acme, dimension_id="logins", date__range=january))
    assert [point.date for point in found] == list(january)
    [request] = box.requests
    assert (request.method, request.path) == ("GET", "/dimensiondata")
    assert request.params == {
        "cId": acme.id,
        "dimid": "logins",
        "from": str((date(2025, 12, 31) - date(1970, 1, 1)).days),
        "to": str((date(2026, 2, 1) - date(1970, 1, 1)).days),
        "limit": "10000",
        "offset": "0",
    }


@pytest.mark.parametrize("inclusive", [True, False])
def test_the_last_day_of_a_range_is_found_whether_to_is_inclusive_or_not(
    box: Sandbox, session: Session, inclusive: bool
) -> None:
    box.behaviour.metrics_to_inclusive = inclusive
    late = datetime.datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    Metric.push([{**POINT, "date": late, "value": 1}, {**POINT, "date": date(2026, 2, 1), "value": 2}])
    found = Metric.objects.filter(date__range=(date(2026, 1, 31), date(2026, 1, 31)))
    assert [point.value for point in found] == [1]
    assert [point.value for point in Metric.objects.filter(date=date(2026, 2, 1))] == [2]


@pytest.mark.parametrize(
    ("lookup", "value", "found", "first", "last"),
    [
        ("gt", date(2026, 1, 8), [9, 10], 20460, None),
        ("gte", "2026-01-08", [8, 9, 10], 20460, None),
        ("lt", date(2026, 1, 3), [1, 2], None, 20457),
        ("lte", date(2026, 1, 3), [1, 2, 3], None, 20457),
        ("exact", date(2026, 1, 3), [3], 20455, 20457),
    ],
)
def test_every_way_of_naming_days_narrows_what_is_asked_for(
    box: Sandbox, session: Session, lookup: str, value: Any, found: list[int], first: int | None, last: int | None
) -> None:
    Metric.push([{**POINT, "value": day, "date": date(2026, 1, day)} for day in range(1, 11)])
    assert [point.value for point in Metric.objects.filter(**{f"date__{lookup}": value})] == found
    params = box.requests[-1].params
    assert (params["from"], params["to"]) == (str(first or 0), str(last or 73048))


def test_all_points_are_asked_for_with_a_first_and_a_last_day(box: Sandbox, session: Session) -> None:
    days = [date(1999, 1, 1), date(2026, 1, 5), date(2100, 1, 1)]
    Metric.push([{**POINT, "date": day} for day in days])
    box.clear_requests()
    assert [point.date for point in Metric.objects.all()] == days
    assert [(request.params["from"], request.params["to"]) for request in box.requests] == [("0", "73048")]
    assert Metric.objects.count() == 3


def test_the_day_is_that_of_utc_also_late_in_the_evening(box: Sandbox, session: Session) -> None:
    Metric.push([{**POINT, "date": datetime.datetime(2026, 1, 5, 22, 30, tzinfo=UTC)}])
    [point] = Metric.objects.all()
    assert point.date == JANUARY_5
    assert point.day == JANUARY_5
    assert point.raw["time"] == "2026-01-05T22:30:00.000Z"


def test_a_point_leads_to_its_company(box: Sandbox, session: Session, acme: Company) -> None:
    person = box.add(Enduser, company=acme.id, email="ada@acme.example", external_id="ada-1")
    Metric.push([{"external_id": "ada-1", "model": Enduser, "dimension_id": "logins", "value": 3}])
    [point] = Metric.objects.filter(company=acme)
    assert point.company is acme
    assert (point.model, point.parent_id, point.company_name) == ("EndUser", person["_id"], "Acme")


def test_rows_that_name_the_day_date_are_read_all_the_same(box: Sandbox, session: Session) -> None:
    row = {"_id": "p1", "dimensionId": "logins", "value": 1, "date": "2026-01-05T00:00:00.000Z", "day": 20458}
    box.fault("wrong_shape", body=[{**row, "timestamp": {"value": "2026-01-05T00:00:00Z"}}])
    [point] = Metric.objects.filter(date=JANUARY_5)
    assert (point.date, point.day, point.timestamp) == (JANUARY_5, JANUARY_5, {"value": "2026-01-05T00:00:00Z"})


def test_more_points_than_a_page_are_read_whole_and_once(box: Sandbox, session: Session, acme: Company) -> None:
    given = {"company": acme.id, "dimension_id": "logins", "date": JANUARY_5}
    box.add_many(Metric, ({**given, "value": value} for value in range(10_050)))
    points = Metric.objects.all()
    assert sorted(point.value or 0 for point in points) == list(range(10_050))
    assert [(request.params["limit"], request.params["offset"]) for request in box.requests] == [
        ("10000", "0"),
        ("10000", "9999"),
    ]
    assert "takes no order" in points.explain()


def test_odd_stored_values_fail_their_own_reading_alone(box: Sandbox, session: Session) -> None:
    rows = [
        {"_id": "p1", "dimensionId": "logins", "value": "7", "time": "", "parentId": None},
        {"_id": "p2", "dimensionId": 3, "value": [], "time": "soon", "companyId": {"_id": "65f1bf00b7d4e8001234aa00"}},
    ]
    box.fault("wrong_shape", body=rows)
    first, second = Metric.objects.all()
    assert (first.value, first.date, first.parent_id, first.company_id) == (7, None, None, None)
    assert (second.dimension_id, second.company_id) == ("3", "65f1bf00b7d4e8001234aa00")
    for name in ("value", "date"):
        with pytest.raises(DecodeError, match=name):
            getattr(second, name)
    assert first.changes() == second.changes() == {}


def test_a_company_filter_that_planhat_ignores_is_noticed(box: Sandbox, session: Session, acme: Company) -> None:
    box.add(Company, name="Birch", external_id="birch-1")
    Metric.push([{**POINT, "external_id": "birch-1"}])
    with box.fault("ignore_filters", times=None), pytest.raises(FilterIgnored):
        list(Metric.objects.filter(company=acme))


def test_lists_are_sent_neither_an_order_nor_a_selection(box: Sandbox, session: Session) -> None:
    Metric.push(points(3))
    box.clear_requests()
    assert [point.value for point in Metric.objects.order_by("-value")] == [2, 1, 0]
    for request in box.requests:
        assert set(request.params) == {"from", "to", "limit", "offset"}


@pytest.mark.parametrize(
    ("attempt", "instead"),
    [
        (lambda: Metric(dimension_id="logins", value=1).save(), r"create.*Metric\.push"),
        (lambda: Metric.objects.create(dimension_id="logins", value=1), r"create.*Metric\.push"),
        (lambda: Metric.objects.get(id="65f1bf00b7d4e8001234aa00"), "get.*filter by company"),
        (lambda: Metric.objects.bulk_upsert([{"value": 1}]), r"bulk upsert.*Metric\.push"),
    ],
    ids=["save", "create", "get", "bulk_upsert"],
)
def test_what_metrics_do_not_offer_says_what_to_do_instead(
    box: Sandbox, session: Session, attempt: Any, instead: str
) -> None:
    with pytest.raises(NotSupported, match=instead):
        attempt()
    assert box.requests == []


def test_a_point_that_was_read_can_be_neither_changed_nor_deleted(box: Sandbox, session: Session) -> None:
    Metric.push([POINT])
    [point] = Metric.objects.all()
    box.clear_requests()
    point.value = 43
    with pytest.raises(NotSupported, match="update"):
        point.save()
    with pytest.raises(NotSupported, match="delete"):
        point.delete()
    assert box.requests == []


def test_every_input_of_push_says_who_says_so() -> None:
    assert [one.name for one in Metric.PUSHED] == ["dimension_id", "value", "external_id", "model", "date"]
    assert all(one.evidence is not None and one.evidence.sources for one in Metric.PUSHED)
