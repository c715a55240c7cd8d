"""Whatever Planhat sends in whatever field, a list is read to its end: nothing odd raises in the middle of a scan."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planhat_orm import Q, models
from planhat_orm.errors import DecodeError, InvalidQuery
from planhat_orm.orm.lookups import LOOKUPS, compile_q
from planhat_orm.orm.operands import KINDS
from planhat_orm.orm.ordering import in_order, order_of
from planhat_orm.orm.paths import resolve
from planhat_orm.sandbox import Sandbox
from planhat_orm.wire.endpoints import path_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model

ID = "64b00001912265b1f5000001"
MODELS = [getattr(models, name) for name in models.__all__]
DEEP: Any = 0
for _ in range(200):
    DEEP = [DEEP]
#: What JSON can hold, and Planhat has no reason to send.
ODD: list[Any] = [
    *(
        None,
        "",
        " ",
        "x",
        "\ud800",
        "é" * 300,
        "5",
        "-1e400",
        "nan",
        "true",
        "0",
        "2025-04-01",
        "2025-99-99",
        "extid-a",
    ),
    *(True, False, 0, 1, -1, 5, 10**30, -(10**30), 0.1, 1e308, -0.0, float("nan"), float("inf"), float("-inf")),
    *(ID, ID.upper(), "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 1_743_508_800_000, 20179, -99_999_999),
    *([], [None], [[]], [ID, 7, None], ["a", "a"], [{"_id": ID}, {"id": 5}, {}], [{"_id": {"_id": ID}}], DEEP),
    *({}, {"_id": ID}, {"_id": 5}, {"id": None}, {"": ""}, {"_id": [ID]}, {"a": {"b": [1, {"c": None}]}}),
]


#: What is compared with; of each kind of field some are refused, which is fine.
WANTED: list[Any] = [ID, 5, True, date(2025, 4, 1), "2025-04-01", "x", ["x"], {"a": 1}]


def listed(model: type[Model]) -> list[Field[Any, Any]]:
    """The fields that a list of a model has."""
    meta = model._meta
    return [field for key, field in meta.by_key.items() if key in meta.listed_keys and not field.get_only]


def conditions(path: str, converter: Any) -> list[Q]:
    """Conditions with every lookup that a kind of value knows."""
    known = next((knows for made, _, knows in KINDS if isinstance(converter, made)), frozenset(LOOKUPS))
    operands: dict[str, Callable[[Any], Any]] = {
        "in": lambda one: [one],
        "range": lambda one: (one, one),
        "isnull": lambda _: True,
    }
    return [
        Q(path, **{lookup: operands.get(lookup, lambda one: one)(one)}) for lookup in sorted(known) for one in WANTED
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_value_in_any_field_makes_a_filter_or_an_order_raise(model: type[Model]) -> None:
    meta, checked = model._meta, 0
    kinds = {(type(field), type(field.marshmallow)): field for field in listed(model) if field.data_key != "custom"}
    paths = [field.name for field in kinds.values()]
    paths += ["custom.Anything"] if "custom" in meta.by_name else []
    for path in paths:
        target, tests = resolve(meta, path), []
        for q in conditions(path, target.converter):
            try:
                tests.append((compile_q(meta, [q]), compile_q(meta, [~q])))
            except InvalidQuery:
                continue
        rows = [
            {"_id": f"{n:024x}", **({"custom": {target.custom: odd}} if target.custom else {target.data_key: odd})}
            for n, odd in enumerate(ODD)
        ]
        for row in rows:
            for holds, contrary in tests:
                assert holds(row) is not contrary(row)
                assert all(test.loosely(row) for test in holds.tests) or not holds(row)
                checked += 1
        if target.data_key != "_id":
            for key in (path, f"-{path}"):
                in_order(rows, [order_of(meta, key)])
            assert len({row["_id"] for row in rows}) == len(ODD)
    assert checked > 1000


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=5)
@given(seed=st.integers(0, 10_000), step=st.integers(1, len(ODD) - 1), count=st.integers(1, 6))
def test_a_list_of_anything_is_read_to_its_end(
    box: Sandbox, model: type[Model], seed: int, step: int, count: int
) -> None:
    meta, fields = model._meta, listed(model)
    rows = [
        {
            **{
                field.data_key: ODD[(seed + step * (place + n * len(fields))) % len(ODD)]
                for place, field in enumerate(fields)
            },
            "_id": f"{n + 1:024x}",
            "archived": False,
            "isArchived": False,
            **meta.constant,
        }
        for n in range(count)
    ]
    paths = [field.name for field in fields if field.data_key not in ("_id", "custom", *meta.lean_fields)]
    by, other = paths[seed % len(paths)], paths[(seed * step) % len(paths)]
    answer: Any = {"status": 200, "body": json.dumps(rows), "path": path_for(meta.path), "times": None}
    with box.session(quota=None) as session, box.fault("status", **answer):
        everything: Any = model.objects.using(session)
        if "isArchived" in meta.unhide:
            everything = everything.filter(is_archived=False)  # two lists, of which this answer is one
        assert len(everything) == count
        found, rest = everything.filter(**{f"{by}__isnull": True}), everything.filter(**{f"{by}__isnull": False})
        assert found.count() + rest.count() == count
        assert len(everything.exclude(Q(**{f"{by}__isnull": True}) | Q(**{f"{other}__isnull": False}))) <= count
        assert len(everything.order_by(by, f"-{other}")) == count
        assert [len(chunk) for chunk in everything.chunks(count)] == [count]
        assert len(list(everything.values())) == count
        assert all(set(row) == {by, other} for row in everything.values(by, other))
        for record in everything:
            for field in fields:
                try:
                    getattr(record, field.name) if not field.relation else field.export(record)
                except DecodeError as problem:
                    assert field.name in str(problem)  # noqa: PT017 - most do not raise
