"""``Company.objects`` and reverse managers: where querysets begin.

Imports the queryset. A manager is a queryset of everything it stands for, and each access gives a new one, so nothing
that was fetched lingers on a class.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from planhat_orm.errors import NotSupported
from planhat_orm.orm.query import Query
from planhat_orm.orm.queryset import QuerySet

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model

M = TypeVar("M", bound="Model")


class Manager(QuerySet[M]):
    """The records of a model, or those that belong to one object (``company.endusers``).

    It has every method of a queryset. What a reverse manager creates belongs to its object.

    >>> Company.objects.get(external_id="acme-42").licenses.count()
    1
    """

    def _related_to(self, obj: Model, key: str) -> Manager[M]:
        """Return the manager of the records whose link ``key`` is ``obj``, or holds it; what it creates has it set."""
        related = self.using(obj._session()).filter(**{key: obj})
        held: Any = [obj] if self.query.model._meta.field(key).mutable else obj
        return type(self)(related.query, related._session, {key: held})


class NoManager(NotSupported, AttributeError):
    """There is no manager here. An AttributeError as well, so that ``hasattr``, ``help`` and consoles look on."""


class ObjectsDescriptor:
    """Gives each model class its manager; instances and abstract models have none."""

    def __get__(self, obj: Any, owner: type[M]) -> Manager[M]:
        if obj is not None or owner._meta.abstract or not owner._meta.path:
            raise self.refusal(obj, owner)
        return Manager(Query(owner))

    def refusal(self, obj: Any, owner: type[Model]) -> NoManager:
        """Say why there is no manager."""
        if obj is not None:
            return NoManager(f"objects belongs to the class: {owner.__name__}.objects")
        return NoManager(f"{owner.__name__} is abstract: query one of the models that derive from it")


def refuse_absent(owner: type, obj: Any, name: str) -> None:
    """Raise again what a descriptor said: Python swallows its AttributeError and asks ``__getattr__``."""
    refusal = getattr(inspect.getattr_static(owner, name, None), "refusal", None)
    if refusal is not None:
        raise refusal(obj, owner)
