"""``Company.Schema``: the marshmallow schema of a whole object, built of its fields' converters.

Imports marshmallow and the fields. It does not promise more than marshmallow's own ``load`` and ``dump``: unknown keys
are left out on loading.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import marshmallow

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model

_built: dict[type[Model], type[marshmallow.Schema]] = {}


class SchemaDescriptor:
    """Gives each model class its schema, built when it is first asked for."""

    def __get__(self, obj: Model | None, owner: type[Model]) -> type[marshmallow.Schema]:
        if owner not in _built:
            fields: dict[str, Any] = {field.name: copy.copy(field.marshmallow) for field in owner._meta.fields}
            for converter in fields.values():
                # dump_only would refuse read-only properties on loading; this schema reads what Planhat sends.
                converter.dump_only = converter.required = False
            options = type("Meta", (), {"unknown": marshmallow.EXCLUDE})
            _built[owner] = type(f"{owner.__name__}Schema", (marshmallow.Schema,), {**fields, "Meta": options})
        return _built[owner]
