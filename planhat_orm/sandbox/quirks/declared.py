"""Quirks of a collection that the sandbox knows no page of: as the model over it declares them.

So whoever declares an object of their own can try it out. Reads the model's options; imports ``base``. It does not
promise what a declaration does not say: nothing is computed, and nothing is hidden but by the properties in
``Meta.unhide``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.sandbox.quirks.base import EXTERNAL, SOURCE, Filter, Hide, Quirks
from planhat_orm.sandbox.store import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.orm.options import Options
    from planhat_orm.sandbox.world import World

#: The prefix of each kind of own key.
_PREFIXES = {"external_id": EXTERNAL, "source_id": SOURCE}


def quirks_of(meta: Options) -> Quirks:
    """Return what a model declares of its collection, in the form of the facts that are known."""
    keys = {kind: key for key, kind in meta.key_kinds.items()}
    return Quirks(
        filters={
            name: Filter(param.data_key, param.many, param.lookup if param.lookup != "exact" else "is", param.hint)
            for name, param in meta.list_params.items()
            if param.data_key
        },
        required=meta.create_required,
        prefixes=frozenset[str]().union(*(prefix for kind, prefix in _PREFIXES.items() if kind in keys)),
        external_key=keys.get("external_id", ""),
        source_key=keys.get("source_id", ""),
        match=tuple(meta.write_keys.get(key, key) for key in meta.match_keys),
        keyed=frozenset(field.data_key for field in meta.fields if getattr(field, "takes_keys", False)),
        written_as={sent: key for key, sent in meta.write_keys.items()},
        passing=meta.write_only,
        stamps=tuple(key for key in ("createDate", "createdAt") if key in meta.by_key),
        touched=(meta.updated_field,) if meta.updated_field else (),
        hides=_hiding(meta),
    )


def _hiding(meta: Options) -> Hide:
    """Hide what is marked by a property in ``Meta.unhide``, unless the list is asked for with its value."""

    def hides(world: World, params: Mapping[str, str]) -> list[Condition]:
        return [
            Condition(name, how="not_true")
            for name, value in meta.unhide.items()
            if name in meta.by_key and params.get(name) != value
        ]

    return hides
