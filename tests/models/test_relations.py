"""Every reference can be followed both ways: from the record that holds it, and from the one it points to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import planhat_orm.models
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox import Sandbox

OURS = planhat_orm.models.__name__ + "."
MODELS = [model for name, model in sorted(registry.items()) if model.__module__.startswith(OURS)]
#: References that no list holds, so that nothing can be filtered by them.
ONE_WAY = {
    *(
        (name, field)
        for name in ("Conversation", "Note")
        for field in ("owner", "company_owner", "followers", "creator")
    ),
    # The ids of those in `users`.
    *((name, "participants") for name in ("Conversation", "Note")),
    # Each is the other way of the other.
    ("Timesheet", "time_entries"),
}


def managers(model: type[Model]) -> dict[str, Related[Any]]:
    """Return the reverse managers of a model, inherited ones too."""
    found = {name: value for cls in reversed(model.__mro__) for name, value in vars(cls).items()}
    return {name: value for name, value in found.items() if isinstance(value, Related)}


def references() -> list[tuple[type[Model], str]]:
    """Return every reference: the model that holds it and its name there."""
    return [
        (model, field.name)
        for model in MODELS
        for field in model._meta.fields
        if isinstance(field, (ForeignKey, ReferenceList))
    ]


def test_every_reference_has_a_way_back() -> None:
    there = {(model.__name__, name) for model, name in references()}
    back = {(manager.to, manager.key(model).name) for model in MODELS for manager in managers(model).values()}
    assert there - back == ONE_WAY
    assert back <= there


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model in MODELS for name in managers(model)],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_reference_is_followed_both_ways(model: type[Model], name: str, planhat_sandbox: Sandbox) -> None:
    manager = managers(model)[name]
    key, target = manager.key(model), registry[manager.to]
    here, other = planhat_sandbox.add(model), planhat_sandbox.add(model)
    several = isinstance(key, ReferenceList)
    there = planhat_sandbox.add(target, **{key.name: [here] if several else here})
    planhat_sandbox.add(target, **{key.name: [other] if several else other})

    [pointed_to] = (
        model.objects.filter(id=here["_id"])
        if "get" in model._meta.not_offered
        else [model.objects.get(id=here["_id"])]
    )
    [found] = getattr(pointed_to, name).all()
    assert found.id == there["_id"]
    planhat_sandbox.clear_requests()
    link = getattr(found, key.name)
    assert [one.id for one in (link if several else [link])] == [pointed_to.id]
    if key.to == model.__name__:  # else it is a note, whose managers are those of conversations
        assert planhat_sandbox.requests == []
