"""Plans: the server's share and ours, by keys, by ids, by pages, nothing at all; and what they cost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery, NotSupported
from planhat_orm.models import Company, Enduser, Note, User
from planhat_orm.orm.costs import cost_of
from planhat_orm.orm.explaining import requests_of
from planhat_orm.orm.planner import Plan, plan_for
from planhat_orm.orm.query import Query

ID, OTHER = "64b00001912265b1f5000001", "64b00002912265b1f5000002"


def told(plan: Plan) -> str:
    return str(cost_of(None, plan))


def ids(count: int) -> list[str]:
    return [f"{number:024x}" for number in range(count)]


def planned(model: type, *parts: Q, single: bool = False, stream: bool = False, order: Any = (), **where: Any) -> Plan:
    return plan_for(
        Query(model, order=order).filtered(Q(*parts, **where)), base_url="http://x", single=single, stream=stream
    )


def test_everything_is_a_scan_of_what_lists_do_not_hide() -> None:
    assert planned(Company).strategy == "scan"
    assert planned(Company).params == {}
    assert planned(Enduser).params == {"archived": "true"}
    assert planned(Note).params == {"type": "note"}


@pytest.mark.parametrize("where", [{"id__in": []}, {"name__in": []}, {"id__isnull": True}, {"id": None}])
def test_what_cannot_match_costs_nothing(where: dict[str, Any]) -> None:
    plan = planned(Company, **where)
    assert (plan.strategy, requests_of(plan)) == ("nothing", 0)


@pytest.mark.parametrize(
    "q",
    [
        Q(id=ID) & Q(id=OTHER),
        Q(name="a") & Q(name__in=["b", "c"]),
        Q(name__in=["a"]) & Q(name__in=["b"]),
        Q(owner=ID) & Q(owner__isnull=True),
        Q(owner=ID) & Q(owner_id=OTHER),
        Q(auto_renews=True) & Q(auto_renews=False),
        Q(health__range=(5, 1)),
        Q(name__range=("b", "a")),
        Q(arr__gt=5) & Q(arr__lt=3),
        Q(arr__gte=5) & Q(arr__lte=9) & Q(arr__lt=4.5),
        Q(name__gte="b") & Q(name__lte="a"),
        Q(updated_at__gte="2025-04-02") & Q(updated_at__lte=date(2025, 4, 1)),
        Q(updated_at__gt="2025-04-01T10:00:00Z") & Q(updated_at__lt="2025-04-01T09:00:00Z"),
        Q(updated_at__range=(date(2025, 2, 1), date(2025, 1, 31))),
    ],
)
def test_contradictions_cost_nothing(q: Q) -> None:
    assert planned(Company, q).strategy == "nothing"


@pytest.mark.parametrize(
    "q",
    [
        Q(updated_at="2025-04-01") & Q(updated_at="2025-04-01T10:00:00Z"),
        Q(tags__contains="a") & Q(tags__contains="b"),
        Q(followers=ID) & Q(followers=OTHER),
        Q(name="") & Q(name__isnull=True),
        Q("custom.Tier", exact="a") & Q("custom.Tier", contains="b"),
        ~Q(name="a") & Q(name="b"),
        Q(updated_at__range=(date(2025, 2, 1), date(2025, 2, 1))),
        Q(arr__gte=5) & Q(arr__lte=5),
        Q(arr__gt=5) & ~Q(arr__gt=3),
        Q(arr__gt=5) & Q(mrr__lt=3),
        Q(updated_at__gte="2025-04-01T10:00:00Z") & Q(updated_at__lte=date(2025, 4, 1)),
        Q(renewal_date__gte="2025-04-02T01:00:00+09:00") & Q(renewal_date__lte="2025-04-01T10:00:00Z"),
        Q("custom.Tier", gt=5) & Q("custom.Tier", lt=3),
        Q("custom.Tier", range=(1, date(2025, 2, 1))),
        Q(owner=ID) & Q(co_owner=OTHER),
    ],
)
def test_what_is_no_contradiction_is_looked_for(q: Q) -> None:
    assert planned(Company, q).strategy in ("scan", "index")


def test_a_type_of_another_model_contradicts() -> None:
    assert planned(Note, type="email").strategy == "nothing"
    assert planned(Note, type="note").strategy == "scan"


@pytest.mark.parametrize("where", [{"id": ID}, {"pk": ID}, {"id__in": [ID]}, {"id": ID.upper()}])
def test_one_id_is_read_by_key(where: dict[str, Any]) -> None:
    plan = planned(Company, phase="Live", **where)
    assert (plan.strategy, plan.path, requests_of(plan)) == ("key", f"/companies/{ID}", 1)


def test_unique_keys_are_read_by_key_and_others_only_by_get() -> None:
    assert planned(Company, external_id="north/42").path == "/companies/extid-north%2F42"
    assert planned(Company, source_id="s").path == "/companies/srcid-s"
    assert planned(Enduser, source_id="s").path == "/endusers/srcid-s"
    assert planned(User, external_id="u").path == "/users/extid-u"
    assert planned(Enduser, external_id="e").strategy == "scan"
    plan = planned(Enduser, external_id="e", single=True)
    assert plan.path == "/endusers/extid-e"
    assert "unique within one company only" in told(plan)
    assert planned(Enduser, external_id="e", company=ID, single=True).params["companyId"] == ID


def test_within_what_a_key_is_unique_is_said_by_the_model() -> None:
    class Person(Enduser):
        class Meta(Enduser.Meta):
            unique_within = {"externalId": "email"}

    assert planned(Person, external_id="e", company=ID, single=True).strategy == "key"
    plan = planned(Person, external_id="e", single=True)
    assert "external_id is unique within one email only: Planhat answers with one of possibly" in told(plan)
    assert planned(Person, external_id="e", email="a@b.example", single=True).strategy == "scan"


def test_a_key_that_is_not_required_is_not_read_by() -> None:
    assert planned(Company, Q(id=ID) | Q(name="a")).strategy == "scan"
    assert planned(Company, ~Q(id=ID)).strategy == "scan"


def test_ids_are_sent_as_a_list_where_it_is_documented() -> None:
    plan = planned(Company, id__in=[OTHER, ID, OTHER])
    assert (plan.strategy, plan.id_param, plan.id_lists) == ("ids", "companyId", ((ID, OTHER),))
    assert requests_of(plan) == 1
    plan = planned(Enduser, company__in=ids(200))
    assert [len(one) for one in plan.id_lists] == [75, 75, 50] or len(plan.id_lists) == 3
    assert sorted(one for chunk in plan.id_lists for one in chunk) == ids(200)


def test_two_lists_of_ids_become_what_both_have() -> None:
    plan = planned(Company, Q(id__in=ids(5)) & Q(id__in=ids(9)[3:]))
    assert plan.id_lists == (tuple(ids(5)[3:]),)
    plan = planned(Enduser, Q(company=ID) & Q(company__in=[ID, OTHER]))
    assert plan.params["companyId"] == ID
    assert not plan.id_lists


def test_ids_without_a_list_parameter_are_read_one_by_one_or_by_pages() -> None:
    plan = planned(Enduser, id__in=[OTHER, ID])
    assert (plan.strategy, plan.paths, requests_of(plan)) == ("keys", (f"/endusers/{ID}", f"/endusers/{OTHER}"), 2)
    assert not plan.asks
    many = planned(Enduser, id__in=ids(50))
    assert many.asks
    assert many.instead is not None
    assert many.instead.strategy == "scan"
    assert planned(User, id__in=ids(50)).strategy == "table", "users are one page"


def test_the_documented_share_is_sent_and_the_rest_tested_here() -> None:
    plan = planned(Enduser, company=ID, email="ada@acme.example", featured=True)
    assert plan.params == {"archived": "true", "companyId": ID, "email": "ada@acme.example"}
    assert [test.target.name for test in plan.local] == ["featured"]
    assert [test.target.name for test in plan.asked] == ["company", "email"]


def test_blank_values_are_not_sent() -> None:
    assert planned(Enduser, email="").params == {"archived": "true"}
    assert planned(User, email="").params == {}


def test_hints_are_sent_and_tested_here() -> None:
    plan = planned(User, email="kim@vendor.example", stream=True)
    assert plan.params == {"email": "kim@vendor.example"}
    assert not plan.asked
    assert plan.filters_here


def test_conditions_joined_by_or_are_tested_here_alone() -> None:
    plan = planned(Enduser, Q(company=ID) | Q(email="a@b.example"))
    assert plan.params == {"archived": "true"}
    assert plan.filters_here
    assert not plan.asked


def test_a_filter_on_what_lists_hide_is_planned_to_match() -> None:
    assert "archived" not in planned(Enduser, archived=False).params
    assert planned(Enduser, archived=True).params == {"archived": "true"}
    assert "rows that lists hide are left out" in told(planned(Enduser, archived=False))


def test_what_no_list_holds_is_refused_in_filters_and_orders() -> None:
    with pytest.raises(NotSupported, match=r"Note\.description is in no list"):
        planned(Note, description__contains="budget")
    with pytest.raises(NotSupported, match=r"Company\.embedded_licenses"):
        planned(Company, order=("embedded_licenses",))
    assert planned(Note, id=ID, description__contains="budget").strategy == "key"


def test_what_is_compared_is_selected() -> None:
    query = Query(Company, only=frozenset({"name"}), order=("-arr",)).filtered(Q(owner=ID))
    assert plan_for(query, base_url="http://x").select == ("_id", "name", "owner", "arr")
    deferred = Query(Company, deferred=frozenset({"arr", "custom"})).filtered(Q(arr__gte=1))
    select = plan_for(deferred, base_url="http://x").select
    assert "arr" in select
    assert "custom" not in select


def test_what_no_list_holds_is_not_selected() -> None:
    assert plan_for(Query(Note, only=frozenset({"subject", "description"})), base_url="http://x").select == (
        "_id",
        "subject",
        "type",
    )


def test_an_order_is_left_to_planhat_when_a_part_is_wanted() -> None:
    whole = planned(Company, order=("-arr",))
    assert (whole.server_order, whole.sort) == (False, "_id")
    part = plan_for(Query(Company, order=("-arr",)).window(0, 10), base_url="http://x")
    assert (part.server_order, part.sort, requests_of(part)) == (True, "-arr", 1)
    assert planned(Company, order=("-arr",), stream=True).sort == "-arr"
    assert planned(Company, order=("-arr", "name"), stream=True).sort == "_id"
    assert planned(Company, order=("custom.Seats",), stream=True).sort == "_id"
    assert planned(Company, order=("id",)).order == ()
    several = plan_for(Query(Enduser, order=("-name",)).filtered(Q(company__in=ids(200))).window(0, 5), base_url="")
    assert not several.server_order


def test_a_slice_is_sent_unless_rows_are_dropped_here() -> None:
    def sent(model: type, **where: Any) -> bool:
        return plan_for(Query(model).filtered(Q(**where)).window(0, 10), base_url="http://x").window_is_sent

    assert sent(Company)
    assert sent(Company, id__in=ids(20))
    assert sent(Enduser, company=ID)
    assert not sent(Enduser, company__in=ids(200))
    assert not sent(Company, name="a")
    assert not sent(Note)
    assert not sent(Enduser, email="ada@acme.example"), "letter case may be compared here only"


def test_many_ids_are_weighed_against_all_pages() -> None:
    plan = planned(Company, id__in=ids(1000))
    assert plan.instead is not None
    assert requests_of(plan) is None
    assert "1 to see whether there are more than" in told(plan)
    first = plan_for(Query(Company).filtered(Q(id__in=ids(1000))).window(0, 1), base_url="http://x")
    assert first.instead is None, "who wants one row may have it at once"


def test_a_zero_length_slice_costs_nothing() -> None:
    assert plan_for(Query(Company).window(5, 5), base_url="http://x").strategy == "nothing"


def test_explain_says_where_each_condition_is_tested() -> None:
    plan = planned(Enduser, company=ID, featured=True, order=("name",))
    assert told(plan).splitlines() == [
        f"Enduser.filter(company='{ID}', featured=True).order_by('name')",
        "  by pages: GET /endusers, up to 2,000 rows a page",
        "  requests: 1 + rows / 1,999",
        "  order: sort=_id",
        f"  sent: archived=true, companyId={ID}",
        "  checked on every row: company exact",
        "  tested here: featured exact",
        "  rows that lists hide are asked for: archived",
        "  note: all of it is read by id and ordered here: values that are missing first, texts by their characters",
    ]


def test_explain_counts_the_usual_fields_and_names_chosen_ones() -> None:
    assert "usual fields" in told(planned(Company))
    only = plan_for(Query(Company, only=frozenset({"externalId", "h"})), base_url="http://x")
    assert "selected: id, external_id, health" in told(only)


def test_a_date_in_a_filter_needs_no_zone() -> None:
    assert planned(Company, customer_from__range=(date(2025, 1, 1), date(2025, 3, 31))).filters_here
    with pytest.raises(InvalidQuery):
        planned(Company, updated_at="no date")


def test_ends_of_ranges_and_what_counts_as_false_are_no_contradictions() -> None:
    at_ten = datetime(2025, 4, 1, 10, tzinfo=UTC)
    assert planned(Company, last_touch__range=(at_ten, date(2025, 4, 1))).strategy == "scan"
    assert planned(Company, last_touch__range=(at_ten, date(2025, 3, 31))).strategy == "nothing"
    assert planned(Enduser, archived=False, archived__isnull=True).strategy == "scan"
    assert planned(Enduser, archived=True, archived__isnull=True).strategy == "nothing"


def test_what_stands_behind_an_id_in_an_order_decides_nothing() -> None:
    query = Query(Enduser, order=("-id", "-custom.Seats"), only=frozenset({"email"})).filtered(Q(company__in=ids(200)))
    plan = plan_for(query, base_url="http://x")
    assert len(plan.order) == 1
    assert "custom" not in plan.select
