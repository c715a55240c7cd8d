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

import planhat_orm.analytics  # registers metrics
import planhat_orm.models  # noqa: F401 - fills the registry
from planhat_orm.orm import fields
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import Options, registry
from planhat_orm.sandbox.quirks import COMPANIES, QUIRKS, Quirks
from planhat_orm.sandbox.quirks.declared import quirks_of
from planhat_orm.sandbox.store import Condition

if TYPE_CHECKING:
    from planhat_orm.sandbox.store import Row

#: Prefixes of the keys that a reference may hold, and the property of the record each speaks of.
PREFIXES = {"extid-": "externalId", "srcid-": "sourceId"}

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
        #: Where the rows are: tickets are among the conversations.
        self.table: str = self.meta.records
        #: From the object's page where the sandbox knows it; any other is taken as its model declares it.
        self.quirks: Quirks = QUIRKS.get(path) or quirks_of(self.meta)
        #: What tells its rows from others of the table.
        self.own = tuple(Condition(key, (value,)) for key, value in self.quirks.constant.items())
        self.fields: dict[str, fields.Field[Any, Any]] = {}
        for model in models:
            self.fields.update(model._meta.by_key)

    @cached_property
    def get_only(self) -> frozenset[str]:
        """Properties that no list holds."""
        return self.quirks.unlisted | {key for key, field in self.fields.items() if field.get_only}

    @cached_property
    def listed(self) -> frozenset[str] | None:
        """Properties that a list holds when nothing is selected; None for everything but ``get_only``."""
        return frozenset(self.meta.list_fields) if self.meta.lean_list else None

    @cached_property
    def bulk_required(self) -> tuple[str | tuple[str, ...], ...]:
        """What a new item of a bulk upsert needs."""
        return self.quirks.required if self.quirks.bulk_required is None else self.quirks.bulk_required

    def offers(self, operation: str) -> bool:
        """Tell whether there is such an operation."""
        return operation not in self.meta.not_offered and operation not in self.quirks.missing

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
    def reference_lists(self) -> dict[str, Collection]:
        """Properties that hold ids of records in a list, with the collection they are of."""
        return {
            key: collection_of(registry[field.relation])
            for key, field in self.fields.items()
            if field.relation in registry and field.mutable
        }

    @cached_property
    def own_keys(self) -> frozenset[str]:
        """Properties that hold keys of other systems: texts, whatever is sent."""
        found = {key for key in ("externalId", "sourceId", "extId") if key in self.fields}
        return frozenset(found | {self.stored_key(key) for key in self.quirks.match if key != "_id"})

    @cached_property
    def company_key(self) -> str | None:
        """The property that says which company a record belongs to."""
        if self.path == COMPANIES:
            return None  # its references to companies are the tree
        return next((key for key, target in self.references.items() if target.path == COMPANIES), None)

    @cached_property
    def kept_by_planhat(self) -> frozenset[str]:
        """Read-only properties that a request cannot set; what the API echoes is not among them."""
        return frozenset(key for key, field in self.fields.items() if field.read_only) - self.quirks.echoed

    def property_of(self, prefix: str, operation: str) -> str | None:
        """Return the property that a key with this prefix speaks of in a path, None where it may not be one."""
        quirks = self.quirks
        differ = quirks.update_prefixes if operation == "update" else None
        if prefix not in (quirks.prefixes if differ is None else differ):
            return None
        return quirks.external_key if prefix == "extid-" else quirks.source_key

    def stored_key(self, key: str) -> str:
        """Return the property in which a key is stored that is sent under this name."""
        return self.quirks.written_as.get(key, key)

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


def all_tables() -> frozenset[str]:
    """Return where the rows of all collections are."""
    return frozenset(model._meta.records for model in registry.values() if model._meta.path)


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
