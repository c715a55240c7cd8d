"""What this library sends is what Planhat documents: method, path, parameters and body of every operation."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from check import complaint
from shapes import ID, IDS, TIME, holds
from table import OPERATIONS, Operation

from planhat_orm.orm.options import OPERATIONS as NAMES
from planhat_orm.orm.options import registry

ASSET = next(row for row in OPERATIONS if (row.object, row.name) == ("Asset", "create"))


@pytest.mark.parametrize("row", OPERATIONS, ids=str)
def test_an_operation_is_sent_as_documented(row: Operation) -> None:
    assert complaint(row) is None


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ASSET, method="PUT"),
        replace(ASSET, path="/asset"),
        replace(ASSET, params={"companyId": ID}),
        replace(ASSET, body={"name": ID, "companyId": ID}),
        replace(ASSET, body={**ASSET.body, "externalId": ID}),
        replace(ASSET, body=None),
    ],
    ids=["method", "path", "parameter", "value", "property", "body"],
)
def test_an_operation_that_is_sent_otherwise_is_told(wrong: Operation) -> None:
    assert complaint(ASSET) is None
    assert (complaint(wrong) or "").startswith("sent POST /assets")


def test_the_table_has_every_operation_that_an_object_offers() -> None:
    rows = {(row.object, row.name.split(" in ")[0].split(" by ")[0].replace(" ", "_")) for row in OPERATIONS}
    for name, model in registry.items():
        if model.__module__.startswith(("planhat_orm.models.", "planhat_orm.analytics.")):
            offered = {(name, operation) for operation in model._meta.operations}
            assert offered <= rows, name
            refused = {(name, operation) for operation in set(NAMES) - {*model._meta.operations}}
            assert not refused & rows, name


def test_a_shape_tells_what_it_is_for() -> None:
    one = "0" * 24
    assert holds(ID, one)
    assert not holds(ID, one + "0")
    assert holds(IDS, f"{one},{one}")
    assert not holds(IDS, one)
    assert holds({"at": TIME}, {"at": "2026-01-15T00:00:00.000Z"})
    assert not holds({"at": TIME}, {"at": "2026-01-15"})
    assert not holds([ID], [])
    assert not holds(1, True)
