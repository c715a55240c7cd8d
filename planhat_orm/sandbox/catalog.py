"""What the models declare, collection by collection: the sandbox's only knowledge of Planhat's objects.

Reads ``Model._meta`` through the registry, so that an object is declared once. Imports the models and ``quirks``;
nothing that queries or sends. It does not promise to know a collection that no model declares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any

import planhat_orm.models  # noqa: F401 - fills the registry
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import Options, registry
from planhat_orm.sandbox.quirks import COMPANIES, QUIRKS, Quirks

if TYPE_CHECKING:
    from planhat_orm.sandbox.store import Row

#: Prefixes of the keys that a path or a reference may hold, and the property each speaks of.
PREFIXES = {"extid-": ("external_id", "externalId"), "srcid-": ("source_id", "sourceId")}

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}\Z")
_EPOCH_DAY = date(1970, 1, 1)


def is_object_id(value: object) -> bool:
    """Tell whether ``value`` has the shape of an id."""
    return isinstance(value, str) and _OBJECT_ID.match(value) is not None


def wire_time(value: datetime) -> str:
    """Write a point in time as Planhat does: UTC, milliseconds, Z."""
    moment = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Collection:
    """One collection: the models over it and what they declare, as the server needs it."""

    def __init__(self, path: str, models: tuple[type[Model], ...]) -> None:
        self.path = path
        self.models = models
        # Of models that share a collection (Note and its kin) the first stands for what is common to all.
        self.meta: Options = models[0]._meta
        self.quirks: Quirks = QUIRKS.get(path, Quirks())
        self.fields: dict[str, fields.Field[Any, Any]] = {}
        for model in models:
            self.fields.update(model._meta.by_key)

    @cached_property
    def get_only(self) -> frozenset[str]:
        """Properties that no list holds."""
        return frozenset(key for key, field in self.fields.items() if field.get_only)

    @cached_property
    def listed(self) -> frozenset[str] | None:
        """Properties that a list holds when nothing is selected; None for everything but ``get_only``."""
        return frozenset(self.meta.list_fields) if self.meta.lean_list else None

    @cached_property
    def scalars(self) -> tuple[str, ...]:
        """Properties that hold one value, which may be null."""
        return tuple(key for key, field in self.fields.items() if not field.mutable and key not in ("_id", "custom"))

    @cached_property
    def dates(self) -> frozenset[str]:
        """Properties that hold a point in time or a day as a timestamp."""
        return frozenset(key for key, field in self.fields.items() if isinstance(field, (fields.Date, fields.DateTime)))

    @cached_property
    def references(self) -> dict[str, Collection]:
        """Properties that hold the id of a record, with the collection it is of."""
        return {
            key: collection_of(registry[field.relation])
            for key, field in self.fields.items()
            if field.relation in registry and not field.mutable
        }

    @cached_property
    def company_key(self) -> str | None:
        """The property that says which company a record belongs to."""
        if self.path == COMPANIES:
            return None  # its references to companies are the tree
        return next((key for key, target in self.references.items() if target.path == COMPANIES), None)

    @cached_property
    def touched(self) -> tuple[str, ...]:
        """Properties that say when a record was changed last."""
        declared = self.meta.updated_field
        return (*((declared,) if declared else ()), *self.quirks.touched)

    @cached_property
    def hiding(self) -> dict[str, str]:
        """Parameters that bring rows out of hiding, of those that are named like the property that hides them."""
        return {name: value for name, value in self.meta.unhide.items() if name in self.fields}

    @cached_property
    def kept_by_planhat(self) -> frozenset[str]:
        """Read-only properties that a request cannot set; what the API echoes is not among them."""
        return frozenset(key for key, field in self.fields.items() if field.read_only) - self.quirks.echoed

    def takes(self, prefix: str) -> bool:
        """Tell whether a path may hold a key with this prefix."""
        return PREFIXES[prefix][0] in self.meta.keyables

    def wire_name(self, model: type[Model], name: str) -> str:
        """Return Planhat's name for a Python name or for Planhat's own; raises UnknownField."""
        known = model._meta.by_name
        if name in known:
            return known[name].data_key
        return name if name in self.fields else model._meta.field(name).data_key

    def wire_value(self, key: str, value: Any) -> Any:
        """Return ``value`` as it travels: dates as timestamps, a record as its id."""
        if value is None or isinstance(value, (str, int, float)):
            return value
        field = self.fields.get(key)
        if isinstance(value, date):
            if isinstance(field, fields.DayNumber):
                return (value - _EPOCH_DAY).days
            return wire_time(value if isinstance(value, datetime) else datetime.combine(value, time(), UTC))
        if field is not None and field.relation and not field.mutable:
            return value["_id"] if isinstance(value, Mapping) else value.id
        if isinstance(value, Mapping):
            return {name: self.wire_value(f"{key}.{name}", item) for name, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            item_key = getattr(field, "item_key", "")
            return [self._item(key, item, item_key) for item in value]
        return value

    def _item(self, key: str, item: Any, item_key: str) -> Any:
        if isinstance(item, Model):
            item = item.id
        if isinstance(item, Mapping) and "_id" in item and self.fields[key].relation:
            item = item["_id"]
        if item_key and isinstance(item, str):
            return {item_key: item}
        return self.wire_value(f"{key}.", item)


@dataclass(frozen=True, slots=True)
class _Cached:
    models: tuple[type[Model], ...]
    collection: Collection


_collections: dict[str, _Cached] = {}


def collection_at(path: str) -> Collection | None:
    """Return the collection that some model declares under this path, None when none does."""
    models = tuple(model for model in registry.values() if path and model._meta.path == path)
    if not models:
        return None
    cached = _collections.get(path)
    if cached is None or cached.models != models:
        cached = _collections[path] = _Cached(models, Collection(path, models))
    return cached.collection


def all_paths() -> frozenset[str]:
    """Return the paths of all collections."""
    return frozenset(model._meta.path for model in registry.values() if model._meta.path)


def collection_of(model: type[Model]) -> Collection:
    """Return the collection of a model."""
    found = collection_at(model._meta.path)
    if found is None:
        raise LookupError(f"{model._meta.name} has no path, so there is no collection of it")
    return found


def lean_index_at(path: str) -> Collection | None:
    """Return the collection whose lean index is under this path: that of companies under "leancompanies"."""
    model = next((model for model in registry.values() if path and model._meta.lean_path == path), None)
    return collection_of(model) if model else None


def constant_of(model: type[Model]) -> Row:
    """Return what every row of the model holds, ``{"type": "note"}``."""
    return dict(model._meta.constant)
