"""``Company.Schema``: the marshmallow schema of a whole object, built of its fields' converters.

Imports marshmallow and the fields. It does not promise more than marshmallow's own ``load`` and ``dump``: unknown keys
are left out on loading, and values are read as tolerantly as an object reads them.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import marshmallow

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model

_built: dict[type[Model], type[RecordSchema]] = {}


class RecordSchema(marshmallow.Schema):
    """The schema of one object, between rows as Planhat sends them and values by Python name.

    ``load`` gives what ``to_dict()`` gives; ``dump`` takes an object, of which it sends no request for, or a mapping
    by Python name, and gives Planhat's form.

    >>> Company.Schema().load({"name": "Acme", "owner": "64b0f1a2c3d4e5f60718293a", "h": 7})
    {'name': 'Acme', 'owner_id': '64b0f1a2c3d4e5f60718293a', 'health': 7}
    >>> Company.Schema().dump(Company(name="Acme"))["name"]
    'Acme'
    """

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return a value of an object as ``to_dict`` has it; what is not loaded is left out."""
        field = self.names.get(attr) if hasattr(obj, "_meta") else None
        if field is None:
            return super().get_attribute(obj, attr, default)
        return field.export(obj)[1] if obj._holds(field.data_key) else default

    #: The model's fields by the names that they have in a dictionary.
    names: dict[str, Any] = {}


class SchemaDescriptor:
    """Gives each model class its schema, built when it is first asked for."""

    def __get__(self, obj: Model | None, owner: type[Model]) -> type[marshmallow.Schema]:
        if owner not in _built:
            names = {field.export_name: field for field in owner._meta.fields}
            converters: dict[str, Any] = {name: copy.copy(field.marshmallow) for name, field in names.items()}
            for converter in converters.values():
                # dump_only would refuse read-only properties on loading; this schema reads what Planhat sends.
                converter.dump_only = converter.required = False
            options = type("Meta", (), {"unknown": marshmallow.EXCLUDE})
            body = {**converters, "names": names, "Meta": options, "__doc__": RecordSchema.__doc__}
            _built[owner] = type(f"{owner.__name__}Schema", (RecordSchema,), body)
        return _built[owner]
