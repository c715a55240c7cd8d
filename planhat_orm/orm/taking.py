"""Ways to take records out of a queryset besides iterating it: by key, in portions, as dictionaries.

Imports errors only; what is read comes through the queryset itself. It does not promise that a record which was taken
out is still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from planhat_orm.errors import InvalidQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planhat_orm.orm.lookups import Q
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.outputs import Values
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")
T = TypeVar("T")


class TakeMethods(Generic[M]):
    """What a queryset gives besides its rows one by one, as methods of every queryset."""

    if TYPE_CHECKING:
        query: Query

        @property
        def _is_complete(self) -> bool: ...

        def _bound(self) -> Session: ...

        def __iter__(self) -> Iterator[M]: ...

        def filter(self, *conditions: Q, **lookups: Any) -> Self: ...

        def get(self, *conditions: Q, fresh: bool = False, **lookups: Any) -> M: ...

        def exists(self) -> bool: ...

        def iterator(self) -> Iterator[M]: ...

        def values(self, *paths: str) -> Values[dict[str, Any]]: ...

    @property
    def model(self) -> type[M]:
        """The class of the records.

        >>> Company.objects.filter(status="customer").model
        <class 'planhat_orm.models.company.Company'>
        """
        return cast("type[M]", self.query.model)

    def get_or_none(self, *conditions: Q, fresh: bool = False, **lookups: Any) -> M | None:
        """Return the one record that matches, None if there is none; it takes, costs and raises what ``get`` does.

        Several that match are an error here, too: ``filter(...).first()`` takes any of them.

        :param conditions: ``Q`` objects, as in ``filter``.
        :param fresh: ask Planhat even if the record was read within the last minute.
        :param lookups: as in ``filter``.
        :raises MultipleObjectsReturned: the model's own: there are several; the message names them.
        :raises InvalidQuery: for a blank id, or for something that is no Planhat id given as ``id``.

        >>> print(Company.objects.get_or_none(external_id="nobody-7"))
        None
        """
        try:
            return self.get(*conditions, fresh=fresh, **lookups)
        except self.query.model.DoesNotExist:
            return None

    def contains(self, record: M) -> bool:
        """Tell whether a record is among these, in one request by its id where that tells; a slice is read.

        What is here already is looked through instead, and nothing is sent.

        :param record: a saved record of this model.
        :raises InvalidQuery: for anything else.

        >>> acme = Company.objects.get(external_id="acme-42")
        >>> Company.objects.filter(status="customer").contains(acme)
        True
        """
        meta = self.query.model._meta
        if getattr(type(record), "_meta", None) is None or record._meta.path != meta.path:
            raise InvalidQuery(f"contains() takes a record of {meta.name}, not {record!r}")
        if record.id is None:
            raise InvalidQuery(f"{record!r} is not saved yet, so no list has it")
        if self._is_complete or self.query.sliced:
            return any(one == record for one in self)
        origin = record._origin
        if origin is not None and origin.tenant not in (None, self._bound().tenant):
            return False
        return self.filter(id=record.id).exists()

    def chunks(self, size: int) -> Iterator[list[M]]:
        """Iterate in lists of so many records, without a cache: what is done with each list is done before the next.

        Pages are as large as Planhat gives them, whatever the size of the lists; no more than one page and one list
        are held. Each call sends its requests anew. What is said of an order in ``iterator`` holds here.

        :param size: how many records a list has; the last one has what is left.
        :raises InvalidQuery: for anything but a whole number above 0.
        :raises PaginationError: when the pages of an ordered list contradict each other.

        >>> [len(companies) for companies in Company.objects.only("name").chunks(200)]
        [200, 200, 100]
        """
        return portions(self.iterator, size)

    def to_dicts(self, columns: Iterable[str] | Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Return all rows as dictionaries of plain values: ``to_dicts({"Owner": "owner.email"})``.

        :param columns: paths, as in ``values``; or headings with a path each, for rows under names of your own. None
            for all that is loaded, by the names of the fields.
        :raises UnknownField: with a suggestion, for any part of a path.
        :raises InvalidQuery: for anything else.

        >>> Company.objects.filter(external_id="acme-42").to_dicts({"Company": "name", "Owner": "owner.email"})
        [{'Company': 'Acme', 'Owner': 'kim@vendor.example'}]
        """
        if columns is None:
            return list(self.values())
        if isinstance(columns, (str, bytes)) or not isinstance(columns, Iterable):
            raise InvalidQuery(f"to_dicts() takes a list of paths, or headings with a path each, not {columns!r}")
        named = list(columns.items()) if isinstance(columns, Mapping) else [(path, path) for path in columns]
        if not named:
            raise InvalidQuery("to_dicts() needs the paths that it is to list")
        rows = self.values(*(path for _, path in named))
        return [{heading: row[path] for heading, path in named} for row in rows]

    def in_bulk(self, keys: Iterable[str] | None = None, *, field_name: str = "id") -> dict[str, M]:
        """Return the records of the given keys by key; keys that nothing has are left out.

        Companies are asked for by lists of ids, others one by one, or all of them are read where that costs less. By
        several of another key the whole list is read.

        :param keys: any number of keys; None for all records.
        :param field_name: ``id``, ``external_id`` or ``source_id``.
        :raises InvalidQuery: for a key that is not unique, for one text or anything else instead of a list of texts,
            and after a slice.

        >>> list(Company.objects.in_bulk(["acme-42", "nobody-7"], field_name="external_id"))
        ['acme-42']
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot use in_bulk() once a slice has been taken.")
        if keys is not None and (isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable)):
            raise InvalidQuery(f"in_bulk() takes a list of keys, not {keys!r}")
        if not isinstance(field_name, str):
            raise InvalidQuery(f"in_bulk() takes the name of a key as field_name, not {field_name!r}")
        field = self.query.model._meta.field(field_name)
        if field.data_key not in {"_id", *self.query.model._meta.unique}:
            raise InvalidQuery(f"in_bulk() needs a key that no two records share; {field_name} is none")
        wanted = self if keys is None else self.filter(**{f"{field.name}__in": list(keys)})
        return {key: record for record in wanted if isinstance(key := getattr(record, field.name), str)}


def portions(iterate: Callable[[], Iterator[T]], size: int) -> Iterator[list[T]]:
    """Return the items in lists of ``size``; a wrong size is told at once, and nothing is asked before the first.

    >>> list(portions(lambda: iter("abcde"), 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InvalidQuery(f"chunks() takes a whole number above 0, not {size!r}")

    def cut() -> Iterator[list[T]]:
        items = iterate()
        while portion := list(islice(items, size)):
            yield portion
            del portion  # before the next is put together

    return cut()
