"""``Company.Schema``: rows to Python values and back, without a request."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import marshmallow
import pytest

from planhat_orm.models import Company, Enduser, License, Note, User

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

SOME_ID = "64b0f1a2c3d4e5f60718293a"


def test_a_row_is_loaded_into_python_values() -> None:
    row = {
        "_id": SOME_ID,
        "name": "Acme",
        "owner": {"_id": SOME_ID, "nickName": "Kim"},
        "customerFrom": "2025-03-31T21:00:00.000Z",
        "updatedAt": "2025-03-31T21:00:00.000Z",
        "status": "off the list",
        "custom": {"Tier": "Gold"},
        "mystery": 1,
    }
    assert Company.Schema().load(row) == {
        "id": SOME_ID,
        "name": "Acme",
        "owner_id": SOME_ID,
        "customer_from": date(2025, 4, 1),
        "updated_at": datetime(2025, 3, 31, 21, tzinfo=UTC),
        "status": "off the list",
        "custom": {"Tier": "Gold"},
    }


def test_every_odd_value_is_named_when_a_row_is_loaded() -> None:
    with pytest.raises(marshmallow.ValidationError) as caught:
        Company.Schema().load({"name": [], "h": "many", "tags": 5, "phase": "Live"})
    assert set(caught.value.normalized_messages()) == {"name", "h", "tags"}


def test_an_object_is_dumped_as_planhat_spells_it_without_a_request(planhat_sandbox: Sandbox) -> None:
    kim = planhat_sandbox.add(User, email="k@x.example", nick_name="K", first_name="K", last_name="R")
    planhat_sandbox.add(
        Company, name="Acme", owner=kim, followers=[kim], customer_from=date(2025, 4, 1), custom={"Tier": "Gold"}
    )
    [lean] = Company.objects.only("name", "owner", "followers", "customer_from", "custom")
    lean.custom["Tier"] = "Silver"
    with planhat_sandbox.assert_requests(0):
        assert Company.Schema().dump(lean) == {
            "_id": lean.id,
            "name": "Acme",
            "owner": kim["_id"],
            "followers": [kim["_id"]],
            "customerFrom": "2025-04-01T00:00:00.000Z",
            "custom": {"Tier": "Silver"},
        }


@pytest.mark.parametrize("model", [Company, Enduser, User, License, Note], ids=lambda model: model.__name__)
def test_what_was_loaded_can_be_dumped_again(model: type[Company]) -> None:
    row = {"_id": SOME_ID, "externalId": "x", "custom": {"a": [1]}, "createdAt": "2025-01-01T00:00:00.000Z"}
    row = {key: value for key, value in row.items() if key in model._meta.keys}
    schema = model.Schema()
    assert schema.dump(schema.load(row)) == row
    assert model.Schema is model.Schema
    assert model.Schema.__name__ == f"{model.__name__}Schema"
