"""The server's share: what is asked of an endpoint for which conditions, on made-up objects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery, NotSupported
from planhat_orm.models import Enduser
from planhat_orm.orm import fields
from planhat_orm.orm.costs import cost_of
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.params import Param
from planhat_orm.orm.planner import Plan, plan_for
from planhat_orm.orm.query import Query
from planhat_orm.orm.relations import ReferenceList

if TYPE_CHECKING:
    from planhat_orm.models import Company

A, B = "64b00001912265b1f5000001", "64b00002912265b1f5000002"


class Visit(Model):
    """A made-up object with every kind of parameter."""

    class Meta:
        path = "visits"
        list_params = {
            "companyId": Param("companyIds", lookup="contains"),
            "people": Param("enduserIds", lookup="contains", many=True),
            "state": Param("state", many=True),
            "kind": Param("lost", values={True: "only", False: "excluded"}),
            "isDone": Param("isDone", form="boolean"),
            "size": Param("size"),
            "on": Param("day", form="day"),
            "from": Param("time", lookup="gte", form="day"),
            "to": Param("time", lookup="lte", form="day"),
            "least": Param("day", lookup="gte", form="day_number"),
            "most": Param("day", lookup="lte", form="day_number"),
            "above": Param("size", lookup="gte"),
            "guess": Param("guess", hint=True),
            "search": Param(),
        }
        unhide = {"isDone": ("false", "true")}

    companies: ReferenceList[Company] = ReferenceList("Company", "companyIds")
    endusers: ReferenceList[Enduser] = ReferenceList("Enduser", "enduserIds")
    state: fields.Text = fields.Text("state")
    lost: fields.Boolean = fields.Boolean("lost")
    is_done: fields.Boolean = fields.Boolean("isDone")
    size: fields.Number = fields.Number("size")
    day: fields.Date = fields.Date("day")
    time: fields.DateTime = fields.DateTime("time")
    guess: fields.Text = fields.Text("guess")


class Counter(Model):
    """A made-up object whose lists take no order, and which cannot be read one by one."""

    class Meta:
        path = "counters"
        keyables = ()
        list_takes = ("limit", "offset")
        list_params = {
            "from": Param("time", lookup="gte", form="day_number"),
            "to": Param("time", lookup="lte", form="day_number"),
        }
        unhide = {"from": "0", "to": "99999"}
        not_offered = {"get": "filter() by its name"}

    name: fields.Text = fields.Text("name")
    time: fields.Date = fields.Date("time")


class Sealed(Model):
    """A made-up object that no list holds."""

    class Meta:
        path = "sealed"
        not_offered = {"list": "get() it by its id"}

    name: fields.Text = fields.Text("name")


for one in (Visit, Counter, Sealed):
    registry.pop(one.__name__)  # known to this module alone


def told(plan: Plan) -> str:
    return str(cost_of(None, plan))


def planned(model: type[Model], *parts: Q, params: Any = None, single: bool = False, **where: Any) -> Plan:
    query = Query(model, params=tuple((params or {}).items())).filtered(Q(*parts, **where))
    return plan_for(query, base_url="http://x", single=single)


def asked(plan: Plan) -> list[str]:
    return [f"{test.target.name} {test.lookup}" for test in plan.asked]


@pytest.mark.parametrize(
    ("where", "params", "checked"),
    [
        ({"companies": A}, {"companyId": A}, ["companies contains"]),
        ({"companies__contains": A.upper()}, {"companyId": A}, ["companies contains"]),
        ({"companies__in": [A]}, {"companyId": A}, ["companies in"]),
        ({"companies__in": [A, B]}, {}, []),
        ({"state": "open"}, {"state": "open"}, ["state exact"]),
        ({"state": ""}, {}, []),
        ({"lost": True}, {"kind": "only"}, ["lost exact"]),
        ({"lost": False}, {"kind": "excluded"}, ["lost exact"]),
        ({"size": 3}, {"size": "3", "above": "3"}, ["size exact", "size gte"]),
        ({"size__gt": 3.5}, {"above": "3.5"}, ["size gte"]),
        ({"size__lt": 3}, {}, []),
        ({"guess": "x"}, {"guess": "x"}, []),
        ({"state__icontains": "o"}, {}, []),
    ],
)
def test_what_is_documented_is_asked_for(where: dict[str, Any], params: dict[str, str], checked: list[str]) -> None:
    plan = planned(Visit, **where)
    assert plan.params == params
    assert asked(plan) == checked


def test_several_members_are_a_comma_list_where_it_is_taken() -> None:
    plan = planned(Visit, endusers__in=[B, A])
    assert (plan.strategy, plan.id_param, plan.id_lists, plan.id_key) == ("ids", "people", ((A, B),), "enduserIds")
    assert asked(plan) == ["endusers in"]
    # A record may hold one of each, so that the two conditions are not one list.
    both = planned(Visit, Q(endusers__in=[A]) & Q(endusers__contains=B))
    assert both.params["people"] == A
    assert [test.lookup for test in both.local] == ["contains"]


def test_a_value_with_a_comma_is_no_part_of_a_comma_list() -> None:
    plan = planned(Visit, state__in=["open, or so", "closed"])
    assert (plan.strategy, plan.id_lists) == ("scan", ())


@pytest.mark.parametrize(
    ("where", "sent"),
    [
        ({"time__gte": date(2025, 6, 2)}, {"from": "2025-06-01"}),
        ({"time__gt": date(2025, 6, 2)}, {"from": "2025-06-01"}),
        ({"time__lte": date(2025, 6, 2)}, {"to": "2025-06-03"}),
        ({"time__lt": date(2025, 6, 2)}, {"to": "2025-06-03"}),
        ({"time__range": (date(2025, 6, 2), date(2025, 6, 5))}, {"from": "2025-06-01", "to": "2025-06-06"}),
        ({"time": date(2025, 6, 2)}, {"from": "2025-06-01", "to": "2025-06-03"}),
        ({"time__gte": "2025-06-02T23:30:00-05:00"}, {"from": "2025-06-02"}),
        ({"time__gte": date(1, 1, 1), "time__lte": date(9999, 12, 31)}, {}),
        ({"day__range": (date(1970, 1, 11), date(1970, 1, 12))}, {"least": "9", "most": "12"}),
        ({"day__in": [date(1970, 1, 11)]}, {"on": "1970-01-11", "least": "9", "most": "11"}),
        ({"time__in": [date(2025, 6, 5), date(2025, 6, 2)]}, {"from": "2025-06-01", "to": "2025-06-06"}),
    ],
)
def test_a_stretch_is_asked_for_with_a_day_to_spare(where: dict[str, Any], sent: dict[str, str]) -> None:
    plan = planned(Visit, **where)
    assert plan.params == sent
    assert plan.local, "the stretch itself is tested here"
    assert plan.filters_here


MOMENTS = st.datetimes(datetime(1999, 12, 1), datetime(2000, 1, 31), timezones=st.just(UTC))
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)), timezone(timedelta(hours=5.5))]
)


@given(
    name=st.sampled_from(["time", "day"]),
    lookup=st.sampled_from(["gt", "gte", "lt", "lte", "exact", "range"]),
    wanted=st.one_of(st.dates(date(1999, 12, 20), date(2000, 1, 10)), MOMENTS),
    stored=MOMENTS,
    zone=ZONES,
)
def test_no_row_that_matches_lies_beyond_what_was_sent(
    name: str, lookup: str, wanted: Any, stored: datetime, zone: timezone
) -> None:
    value = (wanted, wanted) if lookup == "range" else wanted
    query = Query(Visit).filtered(Q(**{f"{name}__{lookup}": value}))
    plan = plan_for(query, base_url="http://x", zone=zone)
    row = {name: stored.isoformat()}
    if not plan.predicate(row):
        return
    assert all(test.loosely(row) for test in plan.asked)
    days = {
        key: text if "-" in text else (date(1970, 1, 1) + timedelta(int(text))).isoformat()
        for key, text in plan.params.items()
    }
    first, last = days.get("from", days.get("least")), days.get("to", days.get("most"))
    # Whether the last day is included is not documented, so it must not be needed.
    assert first is None or stored >= datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert last is None or stored < datetime.fromisoformat(last).replace(tzinfo=UTC)
    assert (first is None) == (lookup in ("lt", "lte"))
    assert (last is None) == (lookup in ("gt", "gte"))


def test_of_several_bounds_the_narrowest_is_sent() -> None:
    plan = planned(Visit, Q(time__gte=date(2025, 1, 2)) & Q(time__gte=date(2025, 6, 2)) & Q(time__lt=date(2025, 8, 1)))
    assert plan.params == {"from": "2025-06-01", "to": "2025-08-02"}


def test_rows_are_held_against_a_stretch_one_day_beyond_what_was_sent() -> None:
    plan = planned(Visit, time__gte=date(2025, 6, 2))
    [test] = plan.asked
    assert test.loosely({"time": "2025-05-31T00:00:00.000Z"})
    assert not test.loosely({"time": "2025-05-30T23:59:59.999Z"})
    assert test.loosely({})
    assert test.loosely({"time": "odd"})
    assert not plan.predicate({"time": "2025-06-01T23:59:59.999Z"})


def test_rows_are_held_against_members_booleans_and_texts() -> None:
    [member] = planned(Visit, companies=A).asked
    assert member.loosely({"companyIds": [B, A.upper()]})
    assert member.loosely({"companyIds": [{"_id": A}]})
    assert not member.loosely({"companyIds": [B]})
    assert not member.loosely({})
    [lost] = planned(Visit, lost=True).asked
    assert lost.loosely({"lost": "true"})
    assert not lost.loosely({"lost": False})
    assert not lost.loosely({})


def test_a_row_without_the_property_that_hides_rows_is_one_that_is_not_hidden() -> None:
    here = planned(Visit, is_done=False)
    assert here.passes == ({},)
    assert here.params == {"isDone": "false"}
    assert here.predicate({})
    assert here.predicate({"isDone": False})
    assert not here.predicate({"isDone": True})
    assert not planned(Visit, lost=False).predicate({}), "of other booleans, no value is no False"
    [test] = here.asked
    assert test.loosely({})
    assert not test.loosely({"isDone": True})


def test_what_takes_several_lists_is_read_in_as_many_unless_one_is_chosen() -> None:
    assert planned(Visit).passes == ({"isDone": "false"}, {"isDone": "true"})
    assert planned(Visit, ~Q(is_done=True)).passes == planned(Visit).passes
    assert planned(Visit, is_done__in=[True, False]).passes == planned(Visit).passes
    assert planned(Visit, is_done=True).params == {"isDone": "true"}
    assert planned(Visit, params={"isDone": "true"}).params == {"isDone": "true"}
    assert planned(Visit, params={"isDone": "true"}).passes == ({},)
    assert not planned(Visit).window_is_sent


def test_several_lists_are_explained() -> None:
    text = told(planned(Visit))
    assert "no one list holds all rows: 2 are read, with isDone=false and isDone=true" in text
    assert "requests: 2 + rows / 1,999" in text
    assert "rows come list by list" in text
    assert "as params() and the filter want: isDone=true" in told(planned(Visit, is_done=True))


def test_given_parameters_are_sent_and_checked_where_a_row_can_tell() -> None:
    plan = planned(Visit, params={"search": "login", "state": "open,closed", "kind": "only", "companyId": A})
    assert plan.params == {"search": "login", "state": "open,closed", "kind": "only", "companyId": A}
    assert asked(plan) == ["state in", "lost exact", "companies contains"]
    assert not plan.filters_here
    assert asked(planned(Visit, params={"kind": "other", "companyId": "extid-a", "from": "2025-01-01"})) == []
    assert "sent: search=login" in told(planned(Visit, params={"search": "login"}))


def test_what_is_checked_of_given_parameters_is_selected() -> None:
    query = Query(Visit, only=frozenset({"_id", "size"}), params=(("state", "open"),))
    assert plan_for(query, base_url="http://x").select == ("_id", "state", "size")


def test_a_parameter_with_two_values_is_refused() -> None:
    with pytest.raises(InvalidQuery, match=r"params\(\) gives state=open, and the filter asks for state=closed"):
        planned(Visit, params={"state": "open"}, state="closed")
    with pytest.raises(InvalidQuery, match="the filter asks for people="):
        planned(Visit, params={"people": A}, endusers__in=[A, B])
    assert planned(Visit, params={"state": "open"}, state="open").params == {"state": "open"}


def test_hidden_rows_are_not_asked_for_and_kept_hidden_at_once() -> None:
    with pytest.raises(InvalidQuery, match=r"params\(\) gives archived=false, and the filter asks for archived=true"):
        planned(Enduser, params={"archived": "false"}, archived=True)
    assert planned(Enduser, params={"archived": "false"}, archived=False).params == {"archived": "false"}


def test_only_a_list_takes_parameters() -> None:
    plan = planned(Visit, params={"search": "x"}, single=True, id=A)
    assert (plan.strategy, plan.params) == ("scan", {"search": "x"})
    assert planned(Visit, params={"search": "x"}, id__in=[A, B]).strategy == "scan"


def test_a_list_without_order_and_selection_is_asked_for_neither() -> None:
    query = Query(Counter, only=frozenset({"_id", "name"}), order=("-name",), stop=5)
    plan = plan_for(query, base_url="http://x")
    assert (plan.sort, plan.select, plan.server_order, plan.window_is_sent) == ("", (), False, False)
    text = told(plan)
    assert "order: the list takes none" in text
    assert "all of it is read and ordered here" in text
    assert "nothing proves it complete" in told(planned(Counter))
    by_id = plan_for(Query(Counter, order=("id",)), base_url="http://x")
    assert by_id.order, "the order in which it is read is none by id"


def test_a_date_filter_replaces_the_widest_stretch() -> None:
    assert planned(Counter).params == {"from": "0", "to": "99999"}
    assert planned(Counter, time__gte=date(1970, 1, 11)).params == {"from": "9", "to": "99999"}
    assert planned(Counter, time=date(1970, 1, 11)).params == {"from": "9", "to": "11"}
    assert planned(Counter, params={"from": "5"}).params == {"from": "5", "to": "99999"}


def test_what_is_not_read_one_by_one_is_refused_by_get_and_listed_by_filters() -> None:
    for where in ({"id": A}, {"id__in": [A]}, {"pk": A, "name": "x"}):
        with pytest.raises(NotSupported, match=r"no get of Counter: filter\(\) by its name"):
            planned(Counter, single=True, **where)
    assert planned(Counter, single=True, name="x").strategy == "scan"
    assert planned(Counter, id=A).strategy == "scan"
    assert planned(Counter, id__in=[A, B]).strategy == "scan"


def test_what_is_not_listed_is_refused_before_any_request() -> None:
    for where in ({}, {"name": "x"}):
        with pytest.raises(NotSupported, match=r"no list of Sealed: get\(\) it by its id"):
            planned(Sealed, **where)
    assert planned(Sealed, id=A).strategy == "key"
    many = planned(Sealed, id__in=[f"{n:024x}" for n in range(9)])
    assert (many.strategy, many.instead) == ("keys", None)


def test_the_bounds_that_rows_are_held_against_are_named_by_their_days() -> None:
    plan = planned(Visit, time__range=(date(2025, 6, 2), date(2025, 6, 5)))
    assert [repr(test.value) for test in plan.asked] == ["2025-05-31", "2025-06-07"]
