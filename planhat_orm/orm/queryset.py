"""QuerySet: a lazy, immutable, chainable list of records, as in Django.

A queryset is a Query plus the session it is bound to and a cache of its pages; it plans when it is used. Imports
query, planner and execution. It does not promise one moment: rows that come on different pages may be of different
times, but a record that exists throughout comes exactly once.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, cast, overload

from planhat_orm.errors import BadRequest, InvalidQuery
from planhat_orm.orm.conversion import is_object_id
from planhat_orm.orm.execution import Run
from planhat_orm.orm.lookups import LazyValues, Q, check_q, split_lookup
from planhat_orm.orm.ordering import order_of
from planhat_orm.orm.outputs import Rows, Shape, table_of
from planhat_orm.orm.paths import output_of, resolve
from planhat_orm.orm.planner import KEY_KINDS, Plan, plan_for
from planhat_orm.orm.query import OnMissing, Query, check_index
from planhat_orm.orm.refused import Refused
from planhat_orm.orm.results import Results
from planhat_orm.orm.spans import rebound, spanned
from planhat_orm.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planhat_orm.orm.model import Model
    from planhat_orm.paging import ScanReport

M = TypeVar("M", bound="Model")

#: What repr shows of what is loaded.
REPR_ITEMS = 5


class QuerySet(Refused, LazyValues, Generic[M]):
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
        #: The carrying out behind the cached rows, or behind the iterator made last.
        self._runs: list[Run] = []
        self._indexed = False

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
            raise InvalidQuery("QuerySet indices must be integers or slices, not NoneType.")
        if self._serves(place):
            found = self._cache().upto(place + 1)[place : place + 1]
        else:
            found = list(self._clone(self.query.window(place, place + 1)))
        if not found:
            raise IndexError(f"{self.query} has no row {place}")
        return found[0]

    def _serves(self, place: int) -> bool:
        """Tell whether an index is taken from the cache, which may grow by a page for it."""
        cached = self._results.cached if self._results is not None else []
        if place < len(cached) or (self._results is not None and self._results.complete):
            return True
        if self.query.order and not self.query.sliced:
            return False  # the cache would read everything, to put it in order
        # The first index is one row; who asks for another one gets pages, unless it is far away.
        first, self._indexed = not self._indexed and self._results is None, True
        return not first and place < len(cached) + self.query.model._meta.page_size[1]

    def _sliced(self, index: slice) -> QuerySet[M]:
        clone = self._clone(self.query.window(index.start, index.stop))
        cached = self._results.cached if self._results is not None else []
        if self._is_complete or (index.stop is not None and index.stop <= len(cached)):
            # Everything is here already: the slice costs nothing.
            clone._results = Results.of(cached[index.start : index.stop])
        return clone

    def __copy__(self) -> Self:
        return self._clone(self.query)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._clone(self.query)

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
        self._refuse_missing_key(lookups)
        clone = self._where("get", conditions, lookups) if conditions or lookups else self
        query = clone.query if clone.query.sliced else replace(clone.query, order=())
        session, model = clone._bound(), query.model
        plan = self._clone(query)._plan(session, single=True)
        if plan.strategy == "key":
            with session.identity_map.flight(model, *plan.keys):
                if not fresh and (recent := self._recent(session, plan)) is not None:
                    return recent
                found = self._two(session, plan)
        else:
            found = self._two(session, plan)
        if not found:
            raise model.DoesNotExist(f"no {model.__name__} matches: {query}")
        if len(found) > 1:
            names = ", ".join(repr(record) for record in found[:2])
            raise model.MultipleObjectsReturned(f"more than one {model.__name__} matches: {query}, among them {names}")
        session.identity_map.keep(found[0])
        return found[0]

    def _two(self, session: Session, plan: Plan) -> list[M]:
        """Return what matches, and no more pages than it takes to find two."""
        found: list[M] = []
        for objects in Run(session, plan).objects():
            found += objects
            if len(found) > 1:
                break
        return found

    def _recent(self, session: Session, plan: Plan) -> M | None:
        """Return the record of a key if it was read whole within the last minute and matches all conditions."""
        test = plan.asked[0]
        if test.target.data_key not in {"_id", *plan.meta.unique}:
            return None
        value = test.value if test.lookup == "exact" else test.value[0]
        found: Any = session.identity_map.recent(self.query.model, test.target.data_key, value)
        if found is None or found._origin is None or not found._origin.loaded >= plan.meta.keys:
            return None
        return cast("M", found) if plan.predicate(found._raw) else None

    def _refuse_missing_key(self, lookups: dict[str, Any]) -> None:
        for name, value in lookups.items():
            field = self.query.model._meta.by_name.get(name)
            if value is None and field is not None and field.data_key in KEY_KINDS:
                raise InvalidQuery(
                    f"get({name}=None): is a variable unset? Records without one: filter({name}__isnull=True)"
                )

    def first(self) -> M | None:
        """Return the first record, None if there is none. Without an order, records come by their ids."""
        if self._results is not None and self._results.cached:
            return self._results.cached[0]
        return next(iter(self[:1]), None)

    def last(self) -> M | None:
        """Return the last record, None if there is none: the first of the opposite order."""
        if self.query.sliced:
            raise InvalidQuery("Cannot reverse a query once a slice has been taken.")
        if self._results is not None and self._results.complete:
            return self._results.cached[-1] if self._results.cached else None
        return self.reverse().first()

    def count(self) -> int:
        """Return how many records there are, in the fewest requests that tell.

        Companies: one request. Other lists: their end is searched by asking for ids at growing offsets.

        >>> Company.objects.filter(external_id="acme-42").count()
        1
        """
        if self._results is not None and self._results.complete:
            return len(self._results.cached)
        return self._ids_of(self.query).count()

    def exists(self) -> bool:
        """Tell whether there is any record; pages are read only until one matches, and only what is compared."""
        if self._results is not None and (self._results.cached or self._results.complete):
            return bool(self._results.cached)
        return any(batch.rows for batch in self._ids_of(self.query.window(0, 1)).batches())

    def _ids_of(self, query: Query) -> Run:
        """Return the run that reads the ids alone; the order is of no matter to a number."""
        clone = self._clone(replace(query, only=frozenset({"_id"}), deferred=frozenset(), order=()))
        session = self._bound()
        return Run(session, clone._plan(session))

    def iterator(self) -> Iterator[M]:
        """Iterate without a cache, holding one page at a time.

        An order is left to Planhat here, since nothing can be put in order before all of it is there.

        :raises PaginationError: when the pages of an ordered list contradict each other.
        """
        session = self._bound()
        self._runs[:] = [Run(session, self._plan(session, stream=True))]
        for batch in self._runs[0].objects(stream=True):
            # Taken out one by one, so that a row is gone as soon as its consumer lets it go.
            batch.reverse()
            while batch:
                yield batch.pop()
            del batch

    def in_bulk(self, keys: Iterable[str] | None = None, *, field_name: str = "id") -> dict[str, M]:
        """Return the records of the given keys by key; keys that nothing has are left out. None: all records.

        :param field_name: ``id``, ``external_id`` or ``source_id``; a key that is not unique raises InvalidQuery.
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot use in_bulk() once a slice has been taken.")
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
        return self._rows("dict", paths)

    def values_list(self, *paths: str, flat: bool = False) -> Rows[Any]:
        """Return tuples of the given paths; with ``flat=True`` and one path the values themselves.

        >>> list(Company.objects.order_by("name").values_list("name", flat=True)[:2])
        ['Acme', 'Birch & Co']
        """
        if not paths:
            raise InvalidQuery("values_list() needs the paths that it is to list")
        if flat and len(paths) != 1:
            raise InvalidQuery("values_list(flat=True) takes exactly one path")
        return self._rows("flat" if flat else "tuple", paths)

    def _rows(self, form: Literal["dict", "tuple", "flat"], paths: tuple[str, ...]) -> Rows[Any]:
        outputs = tuple(output_of(self.query.model, path) for path in paths)
        asks = [one.asks for one in outputs]
        narrowed = asks and all(asks) and not self._is_complete
        return Rows(self.only(*asks) if narrowed else self, Shape(form, outputs))

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
        for name in lookups:
            if name not in model._meta.by_name and split_lookup(name)[0] != name:
                raise InvalidQuery(
                    f"get_or_create({name}=...): no record can be made of a lookup; put it in a filter()"
                )
        for name in {**lookups, **(defaults or {})}:
            model._meta.field(name)
        try:
            return self.get(**lookups), False
        except model.DoesNotExist:
            pass
        try:
            return self.create(**{**lookups, **(defaults or {})}), True
        except BadRequest:
            # Somebody else may have made it meanwhile: a second one of its key is refused with 400.
            try:
                return self.get(**lookups), False
            except model.DoesNotExist:
                pass
            raise

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
        return self._where("filter", conditions, lookups)

    def exclude(self, *conditions: Q, **lookups: Any) -> Self:
        """Return the records for which the conditions do not all hold; those without a value stay in."""
        return self._where("exclude", conditions, lookups, negate=True)

    def _where(self, name: str, conditions: tuple[Q, ...], lookups: dict[str, Any], *, negate: bool = False) -> Self:
        if self.query.sliced:
            raise InvalidQuery("Cannot filter a query once a slice has been taken.")
        if any(isinstance(one, str) for one in conditions):
            raise InvalidQuery(
                f"{name}() takes keywords and Q objects, not {conditions[0]!r} alone; "
                f"did you mean {key_like(conditions[0])}={conditions[0]!r}?"
            )
        q = spanned(self.query.model._meta, Q(*conditions, **lookups), self._session)
        session = self._session or Session.find_current()
        check_q(self.query.model._meta, q, session)
        return self._clone(self.query.filtered(~q if negate else q))

    def order_by(self, *paths: str) -> Self:
        """Return the records in an order: paths, with a minus for descending. Without paths: no order.

        Values that are missing come first, ascending, as at Planhat; records that are equal come by id.

        :raises UnknownField: for a name that is no field, with a suggestion.
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot reorder a query once a slice has been taken.")
        for path in paths:
            order_of(self.query.model._meta, path)
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
        if not isinstance(session, Session):
            raise InvalidQuery(f"using() takes a Session, not {session!r}")
        where = tuple(rebound(q, session) for q in self.query.where)
        return self._clone(replace(self.query, where=where), session)

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
        values = [one.value for q in self.query.where for one in q.conditions()]
        waiting = [text for value in values if isinstance(value, LazyValues) and (text := value.waits_for())]
        if waiting:
            inner = "\n".join(f"  {line}" for text in waiting for line in text.splitlines())
            return f"{self.query}\n  what it is to be filtered by is read first:\n{inner}"
        return str(self._plan(self._bound()))

    def said(self) -> str:
        """Say what is read, on one line."""
        return str(self.query)

    def waits_for(self) -> str:
        """Explain what has to be read before the records are all here, "" when they are."""
        return "" if self._is_complete else self.explain()

    def show(self, count: int = 20) -> None:
        """Print the first records as a table: id and the first fields that have values."""
        print(table_of(list(self[:count])))

    @property
    def scan_report(self) -> ScanReport | None:
        """What the scan behind the cached rows did: pages, repairs, whether completeness is proven."""
        return self._runs[0].report if self._runs else None

    # Private

    def _clone(self, query: Query, session: Session | None = None) -> Self:
        return type(self)(query, session or self._session, self._defaults)

    @property
    def _is_complete(self) -> bool:
        return self._results is not None and self._results.complete

    def _bound(self) -> Session:
        if self._session is None:
            self._session = Session.current()
        return self._session

    def _plan(self, session: Session, *, single: bool = False, stream: bool = False) -> Plan:
        return _planned(session, self.query, single=single, stream=stream)

    def _cache(self) -> Results[M]:
        if self._results is None:
            # Nothing that leads back here: rows would stay until the garbage collector finds the circle.
            self._results = Results(partial(_objects, self._bound(), self.query, self._runs))
        return self._results


def key_like(value: Any) -> str:
    """Name the key that a text looks like."""
    return "id" if is_object_id(value) else "external_id"


def _planned(session: Session, query: Query, *, single: bool = False, stream: bool = False) -> Plan:
    return plan_for(query, base_url=session.base_url, zone=session.timezone, single=single, stream=stream)


def _objects(session: Session, query: Query, runs: list[Run]) -> Iterator[list[Any]]:
    runs[:] = [Run(session, _planned(session, query))]
    return runs[0].objects()


def _unpickled(cls: type[QuerySet[Any]], query: Query, records: list[Any], defaults: dict[str, Any]) -> QuerySet[Any]:
    queryset = cls(query, None, defaults)
    queryset._results = Results.of(records)
    return queryset
