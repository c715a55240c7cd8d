"""QuerySet: a lazy, immutable, chainable list of records, as in Django.

A queryset is a Query plus the session it is bound to and a cache of its pages; it plans when it is used. Imports
query, planner and execution. It does not promise one moment: rows that come on different pages may be of different
times, but a record that exists throughout comes exactly once.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Literal, Never, Self, TypeVar, cast, overload

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import held, prefetching
from planhat_orm.orm.ahead import ParallelMethods
from planhat_orm.orm.bulk import BulkMethods
from planhat_orm.orm.chaining import Chain
from planhat_orm.orm.changed import ChangedMethods
from planhat_orm.orm.costs import Cost, cost_of, waiting
from planhat_orm.orm.counting import any_row, count_of
from planhat_orm.orm.creating import CreateMethods
from planhat_orm.orm.execution import Run
from planhat_orm.orm.getting import one_of, refuse_missing_key
from planhat_orm.orm.lean import LeanMethods
from planhat_orm.orm.lookups import LazyValues, Q, check_q
from planhat_orm.orm.outputs import Shape, Values, checked_count, table_of
from planhat_orm.orm.paths import output_of
from planhat_orm.orm.planner import plan_for
from planhat_orm.orm.query import Query, check_index
from planhat_orm.orm.refused import refuse_chunk_size, refuse_named
from planhat_orm.orm.results import Results
from planhat_orm.orm.spans import of_now
from planhat_orm.orm.taking import TakeMethods
from planhat_orm.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from planhat_orm.orm.manager import OwnObjects
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.paths import Output
    from planhat_orm.orm.planner import Plan
    from planhat_orm.paging import ScanReport

M = TypeVar("M", bound="Model")

#: What repr shows of what is loaded.
REPR_ITEMS = 5

#: Held while a queryset is given its cache, of which threads that use it at once shall have the same.
_first = Lock()


class QuerySet(
    Chain, ChangedMethods, ParallelMethods, BulkMethods, CreateMethods[M], TakeMethods[M], LeanMethods[M], Generic[M]
):
    """A lazy list of records.

    Nothing is sent until it is iterated, indexed, counted or otherwise used; each page is then fetched once.

    >>> companies = Company.objects.filter(status="customer").order_by("-arr")[:2]
    >>> len(companies)
    2
    """

    def __init__(self, query: Query, session: Session | None = None, defaults: dict[str, Any] | None = None) -> None:
        super().__init__(query, session, defaults)
        self._results: Results[M] | None = None
        #: The carrying out behind the cached rows, or behind the iterator made last.
        self._runs: list[Run] = []
        self._indexed = False
        #: The cached rows were loaded with the object that this is the manager of.
        self._held = False

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
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> M | Self:
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

    def _sliced(self, index: slice) -> Self:
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
        record came by a key, a link or a save within the last minute. Other conditions scan the list.

        An external id of endusers, licences and notes is unique within one company only. Without its company it is
        one request all the same, Planhat answers with one of possibly several, and a warning says so once in a
        session; with ``company=`` that company's list is read, and several are an error.

        :param conditions: ``Q`` objects, as in ``filter``.
        :param lookups: as in ``filter``; none at all means that the queryset is to hold one record.
        :param fresh: ask Planhat even if the record was read within the last minute.
        :raises ObjectDoesNotExist: the model's ``DoesNotExist``: there is none.
        :raises MultipleObjectsReturned: the model's own: there are several; the message names them.
        :raises InvalidQuery: for a blank id, or for something that is no Planhat id given as ``id``.
        :raises NotSupported: by a key, for an object that Planhat offers no get of; it says what to do instead.

        Source: https://www.planhat.com/developers/api/introduction

        >>> Company.objects.get(external_id="acme-42").name
        'Acme'
        """
        refuse_missing_key(self.query.model._meta, lookups)
        clone = self._where("get", conditions, lookups) if conditions or lookups else self
        query = of_now(clone.query if clone.query.sliced else replace(clone.query, order=()))
        found = one_of(clone._bound(), cast("type[M]", query.model), query, fresh=fresh)
        if fresh:
            held.let_go(found)
        prefetching.load(clone._bound(), query, [found])
        return found

    def first(self) -> M | None:
        """Return the first record, None if there is none: one request, for one row where nothing is tested here.

        Without an order, records come by their ids, which is the order in which they were made; of tasks, those that
        are not archived come first.

        >>> Company.objects.order_by("name").first().name
        'Acme'
        """
        if self._results is not None and self._results.cached:
            return self._results.cached[0]
        return next(iter(self[:1]), None)

    def last(self) -> M | None:
        """Return the last record, None if there is none: the first of the opposite order, for the same price.

        :raises InvalidQuery: after a slice.

        >>> Company.objects.order_by("-name").last().name
        'Acme'
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot reverse a query once a slice has been taken.")
        if self._results is not None and self._results.complete:
            return self._results.cached[-1] if self._results.cached else None
        return self.reverse().first()

    def count(self) -> int:
        """Return how many records there are, in the fewest requests that tell.

        Companies: one request. Other lists: their end is searched by asking for ids at growing offsets. With a filter
        that is tested here: all pages are read, but only the ids and what is compared.

        >>> Company.objects.filter(external_id="acme-42").count()
        1
        """
        if self._results is not None and self._results.complete:
            return len(self._results.cached)
        return count_of(self._ids_of(self.query))

    def exists(self) -> bool:
        """Tell whether there is any record; pages are read only until one matches, and only what is compared.

        >>> Company.objects.filter(custom__Tier="Gold").exists(), box.requests[-1].params["select"]
        (True, '_id,custom')
        """
        if self._results is not None and (self._results.cached or self._results.complete):
            return bool(self._results.cached)
        return any_row(self._ids_of(self.query.window(0, 1)))

    def _ids_of(self, query: Query) -> Run:
        """Return the run that reads the ids alone; the order is of no matter to a number."""
        session = self._bound()
        ids = replace(query, only=frozenset({"_id"}), deferred=frozenset(), order=())
        plan = _planned(session, ids)
        if plan.meta.small_table and plan.strategy == "scan" and not query.where and not query.sliced:
            # What is read anew of a small table renews what is kept of it, so that both say the same.
            table = _planned(session, replace(ids, only=None))
            plan = table if table.strategy == "table" else plan
        return Run(session, plan)

    def iterator(self, **refused: Never) -> Iterator[M]:
        """Iterate without a cache, holding one page at a time.

        An order is left to Planhat here, with ``sort=``, since nothing can be put in order before all of it is there.
        Where that cannot be (of tasks, no one list holds all; metrics come in no order) all rows are read first. Each
        call sends its requests anew.

        :param refused: Django's ``chunk_size``: pages are as large as Planhat gives them, so that they are few.
        :raises NotSupported: for any argument.
        :raises PaginationError: when the pages of an ordered list contradict each other.

        >>> max(company.arr or 0 for company in Company.objects.only("arr").iterator()) > 0
        True
        """
        refuse_chunk_size(refused)
        return self._streamed()

    def _streamed(self) -> Iterator[M]:
        session = self._bound()
        self._runs[:] = [Run(session, self._plan(session, stream=True))]
        for batch in prefetching.by_page(session, self.query, self._runs[0].objects(stream=True)):
            # Taken out one by one, so that a row is gone as soon as its consumer lets it go.
            batch.reverse()
            while batch:
                yield batch.pop()
            del batch

    def values(self, *paths: str) -> Values[dict[str, Any]]:
        """Return dictionaries of the given paths, over any number of links: ``values("name", "owner.email")``.

        Only the fields named are asked for (``select=``), and a link costs one request more for all rows of a page.

        :param paths: fields, links, ``custom.<name>`` and properties; without any: every loaded field.
        :raises UnknownField: with a suggestion, for any part of a path.
        :raises InvalidQuery: where something follows what is no link to one record.

        >>> list(Company.objects.filter(external_id="acme-42").values("name", "owner.email", "custom.Tier"))
        [{'name': 'Acme', 'owner.email': 'kim@vendor.example', 'custom.Tier': 'Silver'}]
        """
        return self._rows("dict", paths)

    @overload
    def values_list(self, *paths: str, flat: Literal[False] = False) -> Values[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *paths: str, flat: bool) -> Values[Any]: ...
    def values_list(self, *paths: str, flat: bool = False, **refused: Any) -> Values[Any]:
        """Return tuples of the given paths; asked for and raised is what ``values`` asks for and raises.

        :param flat: with one path, the values themselves.
        :param refused: Django's ``named``: paths are no names of Python's; ``values`` gives dictionaries.
        :raises NotSupported: for any other argument.
        :raises InvalidQuery: without a path, and for ``flat=True`` with several.

        >>> list(Company.objects.order_by("name").values_list("name", flat=True)[:2])
        ['Acme', 'Birch & Co']
        """
        refuse_named(refused)
        if not paths:
            raise InvalidQuery("values_list() needs the paths that it is to list")
        if flat and len(paths) != 1:
            raise InvalidQuery("values_list(flat=True) takes exactly one path")
        return self._rows("flat" if flat else "tuple", paths)

    def _rows(self, form: Literal["dict", "tuple", "flat"], paths: tuple[str, ...]) -> Values[Any]:
        outputs = tuple(output_of(self.query.model, path) for path in paths)
        asks = [one.asks for one in outputs]
        narrowed = asks and all(asks) and not self._is_complete
        records = self.only(*asks) if narrowed else self
        if not self._is_complete:
            # What links lead to is read for all rows together; what managers hold is in no output.
            links = dict.fromkeys(".".join(one.links) for one in outputs if one.links)
            records = records._clone(replace(records.query, prefetch=tuple(links)))
        return Values(records, Shape(form, outputs))

    # Introspection

    def explain(self) -> str:
        """Say how the query will be answered: strategy, requests, what is filtered where. Sends nothing.

        The number of requests is exact where it can be known, else a formula. A queryset among the values, or a filter
        across a link, is read first and explained before the rest.

        >>> print(Company.objects.filter(external_id="acme-42").explain())
        Company.filter(external_id='acme-42')
          by key: GET /companies/extid-acme-42
          requests: 1
          checked on every row: external_id exact
        """
        return str(self.cost())

    def cost(self) -> Cost:
        """Return what ``explain()`` says, as data: strategy, requests, seconds of the quota and so on. Sends nothing.

        >>> cost = Company.objects.filter(external_id="acme-42").cost()
        >>> cost.strategy, cost.requests, cost.selected
        ('key', 1, ())
        """
        return self._cost_of(())

    def _cost_of(self, outputs: Iterable[Output]) -> Cost:
        """Return the cost with what is made of the rows."""
        values = (one.value for q in self.query.where for one in q._conditions())
        session = self._bound()
        first = waiting(session, self.query, (value for value in values if isinstance(value, LazyValues)))
        return cost_of(session, self._plan(session), outputs) if first is None else first

    def _model(self) -> type[Model]:
        """Return the model whose records it gives."""
        return self.query.model

    def _said(self) -> str:
        """Say what is read, on one line."""
        return str(self.query)

    def _cost_left(self) -> Cost | None:
        """Return the cost of what has to be read before the records are all here, None when they are."""
        return None if self._is_complete else self.cost()

    def show(self, count: int = 20) -> None:
        """Print the first records as a table: the id and the first fields that have values, and what ``only()`` names.

        :param count: how many; no more than these are asked for where nothing is tested here.

        >>> Company.objects.order_by("name").only("name", "external_id").show(1)
        id ... name ... external_id
        ... Acme ... acme-42
        """
        asked = self.query.only or ()
        named = {field.export_name for field in self.query.model._meta.fields if field.data_key in asked}
        print(table_of([record.to_dict() for record in self[: checked_count(count)]], named))

    @property
    def scan_report(self) -> ScanReport | None:
        """What the scan behind the cached rows did: pages, repairs, whether completeness is proven; None before it.

        >>> companies = Company.objects.only("name")
        >>> len(companies), companies.scan_report.proven
        (500, True)
        """
        return self._runs[0].report if self._runs else None

    @classmethod
    def as_manager(cls) -> OwnObjects[Self]:
        """Return what a model's ``objects`` is set to, for querysets of this class: with methods of your own.

        >>> class Accounts(QuerySet["Account"]):
        ...     def growing(self):
        ...         return self.filter(phase="Growth")
        >>> class Account(Company):
        ...     objects = Accounts.as_manager()
        >>> Account.objects.exclude(status="lost").growing().exists()
        True
        """
        # The manager's module imports this one.
        from planhat_orm.orm.manager import OwnObjects

        return OwnObjects(cls)

    # Private

    def _related_to(self, obj: Model, key: str, loaded: Sequence[Any] | None = None) -> Self:
        """Return the manager of the records whose link ``key`` is ``obj``, or holds it; what it creates has it set.

        :param loaded: these records, where they were loaded beforehand.
        """
        # What a pickled object holds needs no session.
        away = loaded is not None and obj._joined() is None and Session.find_current() is None
        related = (self if away else self.using(obj._session())).filter(**{key: obj})
        end: Any = [obj] if self.query.model._meta.field(key).mutable else obj
        manager = type(self)(related.query, related._session, {key: end})
        if loaded is not None:
            manager._results, manager._held = Results.of(list(loaded)), True
        return manager

    @property
    def _is_complete(self) -> bool:
        return self._results is not None and self._results.complete

    def _bound(self) -> Session:
        if self._session is None:
            session = Session.current()
            for q in self.query.where:
                check_q(self.query.model._meta, q, session)
            self._session = session
        return self._session

    def _plan(self, session: Session, *, stream: bool = False) -> Plan:
        return _planned(session, self.query, stream=stream)

    def _ids(self) -> list[str]:
        """Return the ids of the records; nothing else of them is asked for but what is compared."""
        return [row["_id"] for batch in self._ids_of(self.query).batches() for row in batch.rows]

    def _chosen(self) -> Run:
        """Return what carries the query out, by the way that costs least."""
        run = Run(self._bound(), self._plan(self._bound()))
        run.choose()
        return run

    def _cache(self) -> Results[M]:
        if self._results is None:
            session = self._bound()
            with _first:
                if self._results is None:
                    # Nothing that leads back here: rows would stay until the garbage collector finds the circle.
                    self._results = Results(partial(_objects, session, self.query, self._runs))
        return self._results


def _planned(session: Session, query: Query, *, stream: bool = False) -> Plan:
    return plan_for(of_now(query), base_url=session.base_url, zone=session.timezone, stream=stream)


def _objects(session: Session, query: Query, runs: list[Run]) -> Iterator[list[Any]]:
    runs[:] = [Run(session, _planned(session, query))]
    return prefetching.whole(session, query, runs[0].objects())


def _unpickled(cls: type[QuerySet[Any]], query: Query, records: list[Any], defaults: dict[str, Any]) -> QuerySet[Any]:
    queryset = cls(query, None, defaults)
    queryset._results = Results.of(records)
    return queryset
