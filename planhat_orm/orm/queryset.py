"""QuerySet: a lazy, immutable, chainable list of records, as in Django.

A queryset is a Query plus the session it is bound to and a cache of its pages; it plans when it is used. Imports
query, planner and execution. It does not promise one moment: rows that come on different pages may be of different
times, but a record that exists throughout comes exactly once.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

from planhat_orm.errors import InvalidQuery, NotSupported
from planhat_orm.orm.execution import Run
from planhat_orm.orm.lookups import Q, compile_q, partition, resolve
from planhat_orm.orm.planner import Plan, plan_for
from planhat_orm.orm.query import OnMissing, Query, check_index
from planhat_orm.orm.results import Results
from planhat_orm.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planhat_orm.orm.model import Model
    from planhat_orm.paging import ScanReport

M = TypeVar("M", bound="Model")
T = TypeVar("T")

#: What repr shows of what is loaded.
REPR_ITEMS = 5


class QuerySet(Generic[M]):
    """A lazy list of records.

    Nothing is sent until it is iterated, indexed, counted or otherwise used; each page is then fetched once.

    >>> companies = Company.objects.filter(status="customer").order_by("-arr")[:2]
    >>> len(companies)
    2
    """

    def __init__(self, query: Query, session: Session | None = None, defaults: dict[str, Any] | None = None) -> None:
        self.query = query
        self._session = session or Session.find_current()
        #: What ``create`` sets besides what it is given: the other end of a reverse manager.
        self._defaults = defaults or {}
        self._results: Results[M] | None = None
        self._run: Run | None = None

    # Magic methods

    def __iter__(self) -> Iterator[M]:
        return iter(self._cache())

    def __len__(self) -> int:
        return len(self._cache().upto(None))

    def __bool__(self) -> bool:
        return bool(self._cache().upto(1))

    @overload
    def __getitem__(self, index: int) -> M: ...
    @overload
    def __getitem__(self, index: slice) -> QuerySet[M]: ...
    def __getitem__(self, index: int | slice) -> M | QuerySet[M]:
        if isinstance(index, slice):
            if index.step is not None:
                raise InvalidQuery("a step in a slice is not supported; use list(queryset)[::step]")
            return self._sliced(index)
        place = check_index(index)
        if place is None:
            raise InvalidQuery("QuerySet indices must be integers or slices, not None.")
        cached = self._results.cached if self._results is not None else []
        if place < len(cached):
            return cached[place]
        if self._results is not None and not self._results.complete and place == len(cached):
            found = self._results.upto(place + 1)[place:]
        elif self._results is not None and self._results.complete:
            found = []
        else:
            found = list(self._clone(self.query.window(place, place + 1)))
        if not found:
            raise IndexError(f"{self.query} has no row {place}")
        return found[0]

    def _sliced(self, index: slice) -> QuerySet[M]:
        clone = self._clone(self.query.window(index.start, index.stop))
        if self._results is not None and self._results.complete:
            # Everything is here already: the slice costs nothing.
            window = self._results.cached[index.start : index.stop]
            clone._results = Results(lambda: iter([window]))
        return clone

    def __contains__(self, one: object) -> bool:
        return any(one == item for item in self)

    def __repr__(self) -> str:
        cached = self._results.cached if self._results is not None else []
        if not cached:
            complete = self._results is not None and self._results.complete
            return f"<QuerySet {self.query}: {'empty' if complete else 'nothing fetched yet'}>"
        shown = ", ".join(repr(item) for item in cached[:REPR_ITEMS])
        more = f", ... {len(cached)} fetched" if len(cached) > REPR_ITEMS else ""
        return f"<QuerySet {self.query}: [{shown}{more}]>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickled queryset is its loaded rows, as in Django: they may be used where no session is.
        return _unpickled, (type(self), self.query, list(self), self._defaults)

    # Methods that query

    def get(self, *conditions: Q, fresh: bool = False, **lookups: Any) -> M:
        """Return the one record that matches.

        By ``id``, ``external_id`` or ``source_id`` it costs one request (GET /companies/extid-...), and none if the
        record came by a key, a link or a save within the last minute.

        :param fresh: ask Planhat even if the record was read within the last minute.
        :raises ObjectDoesNotExist: the model's ``DoesNotExist``: there is none.
        :raises MultipleObjectsReturned: the model's own: there are several; the message names them.
        :raises InvalidQuery: for a blank id, or for something that is no Planhat id given as ``id``.

        Source: https://www.planhat.com/developers/api/introduction

        >>> Company.objects.get(external_id="acme-42").name
        'Acme'
        """
        clone = self.filter(*conditions, **lookups) if conditions or lookups else self._clone(self.query)
        session = clone._bound()
        plan = clone._plan(session, single=True)
        model = self.query.model
        found: list[Any]
        with session.identity_map.flight(model, *plan.keys):
            if plan.strategy == "key" and not fresh and (recent := clone._recent(session, plan)) is not None:
                return recent
            found = list(islice(chain.from_iterable(Run(session, plan).objects()), 3))
        if not found:
            raise model.DoesNotExist(f"no {model.__name__} matches {self._said(conditions, lookups)}")
        if len(found) > 1:
            names = ", ".join(repr(record) for record in found[:2]) + (", ..." if len(found) > 2 else "")
            raise model.MultipleObjectsReturned(
                f"more than one {model.__name__} matches {self._said(conditions, lookups)}: {names}"
            )
        session.identity_map.keep(found[0])
        return cast("M", found[0])

    def _recent(self, session: Session, plan: Plan) -> M | None:
        """Return the record of a key if it was read whole within the last minute and matches all conditions."""
        test = plan.asked[0]
        if test.target.data_key not in {"_id", *plan.meta.unique}:
            return None
        found: Any = session.identity_map.recent(self.query.model, test.target.data_key, test.value)
        if found is None or found._origin is None or not found._origin.loaded >= plan.meta.keys:
            return None
        return cast("M", found) if plan.predicate(found._raw) else None

    def _said(self, conditions: tuple[Q, ...], lookups: dict[str, Any]) -> str:
        said = [*map(repr, conditions), *(f"{name}={value!r}" for name, value in lookups.items())]
        return ", ".join(said) or str(self.query)

    def first(self) -> M | None:
        """Return the first record, None if there is none. Without an order, the one with the smallest id."""
        if self._results is not None and self._results.cached:
            return self._results.cached[0]
        return next(iter(self[:1]), None)

    def last(self) -> M | None:
        """Return the last record, None if there is none: the first of the opposite order."""
        if self.query.sliced:
            raise InvalidQuery("Cannot reverse a query once a slice has been taken.")
        return self.reverse().first()

    def count(self) -> int:
        """Return how many records there are, in the fewest requests that tell.

        Companies: one request. Other lists: their end is searched by asking for ids at growing offsets.

        >>> Company.objects.filter(external_id="acme-42").count()
        1
        """
        if self._results is not None and self._results.complete:
            return len(self._results.cached)
        session = self._bound()
        return Run(session, self._plan(session)).count()

    def exists(self) -> bool:
        """Tell whether there is any record; the ids of one page are asked for at most until one matches."""
        if self._results is not None and self._results.cached:
            return True
        clone = self._clone(replace(self.query.window(0, 1), only=frozenset({"_id"}), order=()))
        session = clone._bound()
        return any(Run(session, clone._plan(session)).objects())

    def iterator(self) -> Iterator[M]:
        """Iterate without a cache, holding one page at a time.

        An order is left to Planhat here, since nothing can be put in order before all of it is there.

        :raises PaginationError: when the pages of an ordered list contradict each other.
        """
        session = self._bound()
        for batch in Run(session, self._plan(session, stream=True)).objects(stream=True):
            while batch:
                # Taken out one by one, so that a row is gone as soon as its consumer lets it go.
                batch.reverse()
                while batch:
                    yield batch.pop()
            del batch

    def in_bulk(self, keys: Iterable[str] | None = None, *, field_name: str = "id") -> dict[str, M]:
        """Return the records of the given keys by key; keys that nothing has are left out. None: all records.

        :param field_name: ``id``, ``external_id`` or ``source_id``; a key that is not unique raises InvalidQuery.
        """
        field = self.query.model._meta.field(field_name)
        if field.data_key not in {"_id", *self.query.model._meta.unique}:
            raise InvalidQuery(f"in_bulk() needs a key that no two records share; {field_name} is none")
        wanted = self if keys is None else self.filter(**{f"{field.name}__in": list(keys)})
        return {key: record for record in wanted if isinstance(key := getattr(record, field.name), str)}

    def values(self, *paths: str) -> Rows[dict[str, Any]]:
        """Return dictionaries of the given paths, over any number of links: ``values("name", "owner.email")``.

        Only the fields named are asked for. Without paths: every loaded field.

        >>> list(Company.objects.filter(external_id="acme-42").values("name", "owner.email", "custom.Tier"))
        [{'name': 'Acme', 'owner.email': 'kim@vendor.example', 'custom.Tier': 'Silver'}]
        """
        clone = self._narrowed(paths)
        if not paths:
            return Rows(clone, lambda record: record.to_dict())
        return Rows(clone, lambda record: {path: value_at(record, path) for path in paths})

    def values_list(self, *paths: str, flat: bool = False) -> Rows[Any]:
        """Return tuples of the given paths; with ``flat=True`` and one path the values themselves.

        >>> list(Company.objects.order_by("name").values_list("name", flat=True)[:2])
        ['Acme', 'Birch & Co']
        """
        if not paths:
            raise InvalidQuery("values_list() needs the paths that it is to list")
        if flat and len(paths) != 1:
            raise InvalidQuery("values_list(flat=True) takes exactly one path")
        clone = self._narrowed(paths)
        if flat:
            return Rows(clone, lambda record: value_at(record, paths[0]))
        return Rows(clone, lambda record: tuple(value_at(record, path) for path in paths))

    def _narrowed(self, paths: tuple[str, ...]) -> QuerySet[M]:
        heads = [partition(path)[0] for path in paths]
        for path, head in zip(paths, heads, strict=True):
            check_output(self.query.model, path, head)
        fields = [head for head in heads if head in self.query.model._meta.by_name]
        # A property is made of fields that are not known here, so nothing is narrowed then.
        return self._clone(self.query) if len(fields) < len(heads) or not heads else self.only(*fields)

    def create(self, **values: Any) -> M:
        """Make a record and save it: POST /{path}, one request.

        :raises ValidationError: before any request.
        :raises AmbiguousWrite: the answer was lost, and the record could not be looked up by a unique key.

        >>> Company.objects.create(name="New & Co", external_id="new-1").external_id
        'new-1'
        """
        record = cast("M", self.query.model(**{**self._defaults, **values}))
        record._ensure_state().session = self._bound()
        record.save()
        return record

    def get_or_create(self, defaults: dict[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """Return the record that matches and False, or a new one and True, made of the lookups and ``defaults``.

        :raises InvalidQuery: for a lookup other than ``exact``, of which no record can be made.
        """
        model = self.query.model
        for name in {**lookups, **(defaults or {})}:
            model._meta.field(name)
        try:
            return self.get(**lookups), False
        except model.DoesNotExist:
            return self.create(**{**lookups, **(defaults or {})}), True

    # Methods that return a new queryset

    def all(self) -> Self:
        """Return a copy that fetches anew."""
        return self._clone(self.query)

    def none(self) -> Self:
        """Return an empty queryset, which stays empty and costs nothing."""
        return self._clone(replace(self.query, empty=True))

    def filter(self, *conditions: Q, **lookups: Any) -> Self:
        """Return the records for which all conditions hold.

        Any declared field may be used. What the endpoint documents is sent to Planhat and checked on every row; the
        rest is tested here while pages come in.

        :raises UnknownField: for a name that is no field, with a suggestion.
        :raises InvalidQuery: for a value that the field cannot have, or after a slice.
        """
        return self._where("filter", conditions, lookups, negate=False)

    def exclude(self, *conditions: Q, **lookups: Any) -> Self:
        """Return the records for which the conditions do not all hold; those without a value stay in."""
        return self._where("exclude", conditions, lookups, negate=True)

    def _where(self, name: str, conditions: tuple[Q, ...], lookups: dict[str, Any], *, negate: bool) -> Self:
        if self.query.sliced:
            raise InvalidQuery("Cannot filter a query once a slice has been taken.")
        q = Q(*conditions, **lookups)
        if any(isinstance(one, str) for one in conditions):
            raise InvalidQuery(f"{name}() takes Q objects: {name}(Q({conditions[0]!r}, ...))")
        session = self._session or Session.find_current()
        compile_q(self.query.model._meta, [q], session.timezone if session is not None else None)
        return self._clone(self.query.filtered(~q if negate else q))

    def order_by(self, *paths: str) -> Self:
        """Return the records in an order: paths, with a minus for descending. Without paths: no order.

        Values that are missing come first, ascending, as at Planhat; records that are equal come by id.

        :raises UnknownField: for a name that is no field, with a suggestion.
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot reorder a query once a slice has been taken.")
        for path in paths:
            if not isinstance(path, str) or path in ("", "-", "?"):
                raise InvalidQuery(f"order_by() takes names of fields, not {path!r}")
            resolve(self.query.model._meta, path.removeprefix("-"))
        return self._clone(replace(self.query, order=tuple(paths)))

    def reverse(self) -> Self:
        """Return the records in the opposite order; without an order, by the id downwards."""
        if self.query.sliced:
            raise InvalidQuery("Cannot reverse a query once a slice has been taken.")
        return self._clone(self.query.reversed_order())

    def only(self, *names: str) -> Self:
        """Ask for the named fields only (and the id); others are loaded when they are read."""
        keys = frozenset(self._key(name) for name in names)
        return self._clone(replace(self.query, only=keys | {"_id"}, deferred=frozenset()))

    def defer(self, *names: str) -> Self:
        """Leave the named fields out; they are loaded when they are read."""
        keys = frozenset(self._key(name) for name in names)
        return self._clone(replace(self.query, deferred=self.query.deferred | keys))

    def on_missing(self, what: OnMissing) -> Self:
        """Say what reading a field that was not asked for does.

        "peers" loads it for all rows of its page, "one" for the object, "raise" raises FieldNotLoaded.
        """
        if what not in ("peers", "one", "raise"):
            raise InvalidQuery(f"on_missing() takes 'peers', 'one' or 'raise', not {what!r}")
        return self._clone(replace(self.query, on_missing=what))

    def using(self, session: Session) -> Self:
        """Return the queryset bound to a session."""
        return self._clone(self.query, session)

    def _key(self, name: str) -> str:
        return resolve(self.query.model._meta, name).data_key

    # Introspection

    def explain(self) -> str:
        """Say how the query will be answered: strategy, requests, what is filtered where. Sends nothing.

        >>> print(Company.objects.filter(external_id="acme-42").explain())
        Company.filter(external_id='acme-42')
          by key: GET /companies/extid-acme-42
          requests: 1
          checked on every row: external_id exact
        """
        return str(self._plan(self._bound()))

    def show(self, count: int = 20) -> None:
        """Print the first records as a table: id and the first fields that have values."""
        print(table_of(list(self[:count])))

    @property
    def scan_report(self) -> ScanReport | None:
        """What the scan behind the cached rows did: pages, repairs, whether completeness is proven."""
        return self._run.report if self._run is not None else None

    # Private

    def _clone(self, query: Query, session: Session | None = None) -> Self:
        return type(self)(query, session or self._session, self._defaults)

    def _bound(self) -> Session:
        if self._session is None:
            self._session = Session.current()
        return self._session

    def _plan(self, session: Session, *, single: bool = False, stream: bool = False) -> Plan:
        return plan_for(self.query, base_url=session.base_url, zone=session.timezone, single=single, stream=stream)

    def _cache(self) -> Results[M]:
        if self._results is None:
            self._results = Results(self._fetched)
        return self._results

    def _fetched(self) -> Iterator[list[M]]:
        session = self._bound()
        self._run = Run(session, self._plan(session))
        return self._run.objects()

    def annotate(self, *_: Any, **__: Any) -> Self:
        """Refused: Planhat computes nothing in a list."""
        raise NotSupported("Planhat computes nothing in a list; read values() and compute in Python")

    def aggregate(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Refused: Planhat computes nothing over a list."""
        raise NotSupported(
            "Planhat computes nothing over a list; use sum(), max() and the like over values_list(..., flat=True)"
        )

    def union(self, *_: Any, **__: Any) -> Self:
        """Refused: Planhat joins no lists."""
        raise NotSupported("Planhat joins no lists; combine conditions with Q(...) | Q(...)")

    def distinct(self, *_: Any) -> Self:
        """Refused: records are distinct already."""
        raise NotSupported("records are distinct already; for distinct values use set(values_list(..., flat=True))")


class Rows(Generic[T]):
    """What ``values()`` and ``values_list()`` give: a lazy list over the records of a queryset."""

    def __init__(self, records: QuerySet[Any], shape: Any) -> None:
        self._records = records
        self._shape = shape

    def __iter__(self) -> Iterator[T]:
        return map(self._shape, self._records)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Rows[T]: ...
    def __getitem__(self, index: int | slice) -> T | Rows[T]:
        if isinstance(index, slice):
            return Rows(self._records[index], self._shape)
        found: T = self._shape(self._records[index])
        return found

    def __repr__(self) -> str:
        return f"<Rows of {self._records!r}>"


def value_at(record: Any, path: str) -> Any:
    """Return what a path leads to, over links; None where a link is empty or a custom field has no value."""
    head, separator, rest = partition(path)
    value = getattr(record, head)
    if not separator or value is None:
        return value
    if head == "custom":
        return value.get(rest)
    return value_at(value, rest)


def check_output(model: type[Model], path: str, head: str) -> None:
    """Refuse the path of an output that cannot be followed; properties of a model may be named."""
    if head in model._meta.by_name or isinstance(getattr(model, head, None), property):
        if head != "custom" and head != path and not model._meta.by_name[head].relation:
            raise InvalidQuery(f"{path!r}: {model.__name__}.{head} is no link, so nothing can follow it")
        return
    model._meta.field(head)


def table_of(records: list[Any]) -> str:
    """Lay records out as a table of what is loaded; long values are shortened.

    >>> print(table_of([]))
    (no records)
    """
    if not records:
        return "(no records)"
    dicts = [record.to_dict() for record in records]
    columns = [name for name in dicts[0] if any(row.get(name) not in (None, [], {}) for row in dicts)][:6]
    cells = [columns, *([str(row.get(name, "") or "")[:30] for name in columns] for row in dicts)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _unpickled(cls: type[QuerySet[Any]], query: Query, records: list[Any], defaults: dict[str, Any]) -> QuerySet[Any]:
    queryset = cls(query, None, defaults)
    queryset._results = Results(lambda: iter([records]))
    queryset._results.upto(None)
    return queryset
