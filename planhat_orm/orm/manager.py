"""``Company.objects`` and reverse managers: where querysets begin.

Imports the queryset. A manager is a queryset of everything it stands for, and each access gives a new one, so nothing
that was fetched lingers on a class.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from planhat_orm.errors import InvalidQuery, NotSupported, UnknownField
from planhat_orm.orm.query import Query
from planhat_orm.orm.queryset import QuerySet

if TYPE_CHECKING:
    from collections.abc import Callable

    from planhat_orm.orm.model import Model

M = TypeVar("M", bound="Model")
Q = TypeVar("Q", bound=QuerySet[Any])


class Manager(QuerySet[M]):
    """The records of a model, or those that belong to one object (``company.endusers``).

    It has every method of a queryset. What a reverse manager creates belongs to its object.

    >>> Company.objects.get(external_id="acme-42").licenses.count()
    1
    """

    @classmethod
    def from_queryset(cls, queryset_class: type[Q]) -> Callable[[], OwnObjects[Q]]:
        """Return what makes a manager of a queryset class: ``objects = Manager.from_queryset(AccountQuerySet)()``.

        A manager is a queryset here, so that ``objects = AccountQuerySet.as_manager()`` says the same.

        :param queryset_class: a subclass of QuerySet.
        :raises NotSupported: on a manager class with methods of its own, which belong into the queryset class.
        :raises InvalidQuery: for what is no queryset class.

        >>> from planhat_orm.orm.queryset import QuerySet
        >>> class Customers(QuerySet["Account"]):
        ...     def growing(self):
        ...         return self.filter(phase="Growth")
        >>> class Account(Company):
        ...     objects = Manager.from_queryset(Customers)()
        >>> Account.objects.growing().exists()
        True
        """
        if cls is not Manager:
            raise NotSupported(
                f"a manager is a queryset here: put the methods of {cls.__name__} into the queryset class, "
                "and write objects = ThatClass.as_manager()"
            )
        if not isinstance(queryset_class, type) or not issubclass(queryset_class, QuerySet):
            raise InvalidQuery(f"from_queryset() takes a subclass of QuerySet, not {queryset_class!r}")
        return queryset_class.as_manager


class NoManager(NotSupported, AttributeError):
    """There is no manager here. An AttributeError as well, so that ``hasattr``, ``help`` and consoles look on."""


class ObjectsDescriptor:
    """Gives each model class its manager; instances and abstract models have none."""

    # A queryset to type checkers, so that a model of yours may give one with methods of its own.
    def __get__(self, obj: Any, owner: type[M]) -> QuerySet[M]:
        if obj is not None or owner._meta.abstract or not owner._meta.path:
            raise self.refusal(obj, owner)
        return Manager(Query(owner))

    def refusal(self, obj: Any, owner: type[Model]) -> NoManager:
        """Say why there is no manager."""
        if obj is not None:
            return NoManager(f"objects belongs to the class: {owner.__name__}.objects")
        return NoManager(f"{owner.__name__} is abstract: query one of the models that derive from it")


class OwnObjects(ObjectsDescriptor, Generic[Q]):
    """Gives a model querysets of its own class: what ``as_manager()`` returns."""

    def __init__(self, queryset_class: type[Q]) -> None:
        self._queryset_class = queryset_class

    def __get__(self, obj: Any, owner: type[Any]) -> Q:
        super().__get__(obj, owner)
        return self._queryset_class(Query(owner))


def refuse_absent(owner: type, obj: Any, name: str) -> None:
    """Raise again what a descriptor said: Python swallows its AttributeError and asks ``__getattr__``.

    A method of querysets that is looked for on the class is said to be one of its manager.
    """
    refusal = getattr(inspect.getattr_static(owner, name, None), "refusal", None)
    if refusal is not None:
        raise refusal(obj, owner)
    querysets = getattr(inspect.getattr_static(owner, "objects", None), "_queryset_class", Manager)
    if obj is None and hasattr(querysets, name):
        raise UnknownField(f"{owner.__name__} has no field {name!r}; did you mean {owner.__name__}.objects.{name}?")
