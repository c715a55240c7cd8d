"""The methods of a queryset that give another queryset: what is wanted is said, bit by bit, and nothing is sent.

Imports query, lookups and the path grammar. Every name and value is checked at the call that has it. It does not
promise that Planhat can filter or order so; that is the planner's to say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm import prefetching
from planhat_orm.orm.lookups import LazyValues, Q, check_q
from planhat_orm.orm.ordering import order_of
from planhat_orm.orm.paths import link_of, output_of, resolve
from planhat_orm.orm.refused import Refused
from planhat_orm.orm.sending import given_params
from planhat_orm.orm.spans import rebound, spanned
from planhat_orm.session.session import Session
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from planhat_orm.orm.query import OnMissing, Query


class Chain(Refused, LazyValues):
    """A query, and the session that it is bound to; each method returns a new one and leaves this one as it is."""

    #: What is cached of a reverse manager whose records were loaded with its object is not asked for by all() again.
    _held = False
    _results: Any = None

    def __init__(self, query: Query, session: Session | None = None, defaults: dict[str, Any] | None = None) -> None:
        self.query = query
        self._session = session or Session.find_current()
        #: What ``create`` sets besides what it is given: the other end of a reverse manager.
        self._defaults = defaults or {}

    def _bound_to(self) -> Session | None:
        """Return the session that it reads from, None where that is open yet."""
        return self._session

    def all(self) -> Self:
        """Return a copy that fetches anew; what this one has fetched stays with it.

        >>> companies = Company.objects.defer("custom")
        >>> len(companies), len(companies.all())  # 2 requests each: the list, and whether it goes on
        (500, 500)
        """
        clone = self._clone(self.query)
        if self._held:
            clone._results = self._results
        return clone

    def none(self) -> Self:
        """Return an empty queryset, which stays empty whatever is filtered, and sends nothing.

        >>> Company.objects.none().filter(status="customer").count()
        0
        """
        return self._clone(replace(self.query, empty=True))

    def filter(self, *conditions: Q, **lookups: Any) -> Self:
        """Return the records for which all conditions hold.

        Any declared field may be used. What the endpoint documents is sent to Planhat and checked on every row that
        comes back; the rest is tested here while pages come in. A path across a link (``owner__email``) is read first.
        A list of links (``issue.companies``) is filtered by a member: by one record or id, by several with ``__in``,
        one of which has to be there; a list of texts (``tags``) by ``__contains``. What has no value equals nothing,
        with one exception: of the property by which lists hide rows (``archived``), it counts as False.

        :param conditions: ``Q`` objects, for "or", "not" and paths that no keyword can spell.
        :param lookups: paths with a lookup behind ``__``; without one, ``exact``.
        :raises UnknownField: for a name that is no field, with a suggestion.
        :raises InvalidQuery: for a value that the field cannot have, or after a slice.
        :raises FilterIgnored: when the rows are read, and Planhat sends one that it was asked to leave out.

        >>> Company.objects.filter(Q(phase="Growth") | Q("custom.Tier", exact="Gold"), arr__gte=1000)[:2].count()
        2
        """
        return self._where("filter", conditions, lookups)

    def exclude(self, *conditions: Q, **lookups: Any) -> Self:
        """Return the records for which the conditions do not all hold; those without a value stay in.

        It takes what ``filter`` takes and raises what it raises. Planhat cannot leave records out, so all of this is
        tested here while pages come in.

        :param conditions: ``Q`` objects.
        :param lookups: conditions as keywords.

        >>> "customer" in Company.objects.exclude(status="customer").values_list("status", flat=True)
        False
        """
        return self._where("exclude", conditions, lookups, negate=True)

    def _where(self, name: str, conditions: tuple[Q, ...], lookups: dict[str, Any], *, negate: bool = False) -> Self:
        if self.query.sliced:
            raise InvalidQuery("Cannot filter a query once a slice has been taken.")
        if any(isinstance(one, str) for one in conditions):
            value: Any = conditions[-1]
            key: Any = "id" if is_object_id(value) else "external_id"
            if len(conditions) == 2 and isinstance(conditions[0], str):
                key = conditions[0]
            raise InvalidQuery(
                f"{name}() takes keywords and Q objects, not {conditions[0]!r} alone; did you mean {key}={value!r}?"
            )
        q = spanned(self.query.model._meta, Q(*conditions, **lookups), self._session)
        session = self._session or Session.find_current()
        check_q(self.query.model._meta, q, session)
        return self._clone(self.query.filtered(~q if negate else q))

    def params(self, **values: Any) -> Self:
        """Send list parameters of Planhat's as they are: those whose effect no field tells, such as a text search.

        ``filter`` sends the parameters that speak of a field by itself, and checks what comes; of most of those that
        are given here, nothing can be checked. Names are Planhat's own; ``from_`` stands for ``from``. What brings rows
        out of hiding (``archived``) is sent as it is given here. A parameter given again replaces the one before.

        :param values: texts, numbers, booleans, dates or records, in the form that the parameter takes; a list where it
            takes several.
        :raises InvalidQuery: for a parameter that is not documented (Planhat would ignore it), a value that it cannot
            have, and after a slice; when the records are read, for one that the filter asks for with another value.

        Source: https://www.planhat.com/developers/api/introduction

        >>> print(Enduser.objects.params(archived=False).query)
        Enduser.params(archived='false')
        >>> Enduser.objects.params(achived=False)
        Traceback (most recent call last):
        planhat_orm.errors.InvalidQuery: Enduser: no list parameter 'achived' ... did you mean 'archived'? ...
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot filter a query once a slice has been taken.")
        given = {**dict(self.query.params), **given_params(self.query.model._meta, values)}
        return self._clone(replace(self.query, params=tuple(given.items())))

    def order_by(self, *paths: str) -> Self:
        """Return the records in an order.

        A slice that is ordered by one field (not a custom one) is ordered by Planhat, with ``sort=``. Everything else
        is read whole, by id, and put in order here: pages that are ordered by anything but the id can lose rows while
        others change them. Values that are missing come first, ascending; records that are equal come by id.

        :param paths: names of fields or ``custom.<name>``, with a minus for descending; none at all: no order.
        :raises UnknownField: for a name that is no field, with a suggestion.
        :raises InvalidQuery: for a path across a link, and after a slice.

        >>> [company.name for company in Company.objects.order_by("status", "-arr").filter(name__startswith="A")[:1]]
        ['Acme']
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot reorder a query once a slice has been taken.")
        for path in paths:
            order_of(self.query.model._meta, path)
        return self._clone(replace(self.query, order=tuple(paths)))

    def reverse(self) -> Self:
        """Return the records in the opposite order; without an order, by the id downwards: the latest made first.

        :raises InvalidQuery: after a slice.

        >>> Company.objects.order_by("-name").reverse().first().name
        'Acme'
        """
        if self.query.sliced:
            raise InvalidQuery("Cannot reverse a query once a slice has been taken.")
        return self._clone(self.query.reversed_order())

    def only(self, *names: str) -> Self:
        """Ask for the named fields only, and the id: Planhat is sent ``select=``. Others are loaded when they are read.

        What is filtered or ordered by here is asked for as well. A second ``only`` replaces the first.

        :param names: names of fields; a custom field stands for all of ``custom``.
        :raises UnknownField: for a name that is no field, with a suggestion.
        :raises InvalidQuery: for what is no name.

        >>> company = Company.objects.only("name").first()
        >>> box.requests[-1].params["select"]
        '_id,name'
        """
        keys = frozenset(self._key("only", name) for name in names)
        return self._clone(replace(self.query, only=keys | {"_id"}, deferred=frozenset()))

    def defer(self, *names: str) -> Self:
        """Leave the named fields out of ``select=``; they are loaded when they are read.

        :param names: names of fields; a custom field stands for all of ``custom``.
        :raises UnknownField: for a name that is no field, with a suggestion.
        :raises InvalidQuery: for what is no name.

        >>> company = Company.objects.defer("custom").first()
        >>> "custom" in box.requests[-1].params["select"].split(",")
        False
        """
        keys = frozenset(self._key("defer", name) for name in names)
        return self._clone(replace(self.query, deferred=self.query.deferred | keys))

    def on_missing(self, what: OnMissing) -> Self:
        """Say what reading a field that was not asked for does.

        :param what: "peers" loads it for all rows of its page in one request, which is the default; "one" for the
            object alone; "raise" sends nothing and raises FieldNotLoaded.
        :raises InvalidQuery: for anything else.

        >>> Company.objects.only("name").on_missing("raise").first().phase
        Traceback (most recent call last):
        planhat_orm.errors.FieldNotLoaded: ...
        """
        if what not in ("peers", "one", "raise"):
            raise InvalidQuery(f"on_missing() takes 'peers', 'one' or 'raise', not {what!r}")
        return self._clone(replace(self.query, on_missing=what))

    def prefetch_related(self, *names: str | None) -> Self:
        """Load what the records lead to with them: foreign keys, lists of links and reverse managers, at any depth.

        Each step costs the fewest requests for all rows at once: the records of as many ids as a URL has room for, or
        all pages of their list where that is less. The managers of the objects give what was loaded without a request,
        to loops, ``all()``, ``len``, indexes, slices, ``count()``, ``exists()`` and ``first()``; ``filter()`` and other
        queries ask anew. What a manager holds is let go when one of its records is created, saved or deleted here.
        ``iterator()`` and ``chunks()`` load it for one page at a time; elsewhere all rows are read first.

        :param names: names of links and managers, with dots or ``__`` between those of several steps. A further call
            adds to them; None forgets them all.
        :raises UnknownField: for a name that is none, with a suggestion.
        :raises InvalidQuery: for what is no link.

        >>> companies = Company.objects.prefetch_related("licenses", "endusers")[:100]
        >>> sum(len(company.licenses) for company in companies) > 0
        True
        """
        if names == (None,):
            return self._clone(replace(self.query, prefetch=()))
        return self._loading(prefetching.checked(self.query.model, "prefetch_related", names, to_one=False))

    def select_related(self, *names: str | None) -> Self:
        """Load the one record that each link leads to with the rows, over any number of links; sent is one request for
        about 70 of them, or all pages of their list where that is less.

        Links are loaded for all rows that were handed out together anyway, when one of them is followed: this is for
        those that shall be here at once, as in Django.

        :param names: names of foreign keys, with dots or ``__`` between those of several steps. A further call adds to
            them; None forgets those that were given.
        :raises UnknownField: for a name that is none, with a suggestion.
        :raises InvalidQuery: for what is no link, or one to several records; without names.

        >>> people = list(Enduser.objects.select_related("company.owner")[:50])
        >>> with box.assert_requests(0):
        ...     emails = {person.company.owner.email for person in people if person.company.owner}
        """
        model = self.query.model
        if names == (None,):
            kept = (path for path in self.query.prefetch if not prefetching.is_to_one(model, path))
            return self._clone(replace(self.query, prefetch=tuple(kept)))
        if not names:
            raise InvalidQuery("select_related() needs the names of the links: select_related('owner')")
        return self._loading(prefetching.checked(model, "select_related", names, to_one=True))

    def _loading(self, paths: tuple[str, ...]) -> Self:
        return self._clone(replace(self.query, prefetch=tuple(dict.fromkeys(self.query.prefetch + paths))))

    def using(self, session: Session) -> Self:
        """Return the queryset bound to a session; without it, that of the block or ``connect()`` where it is made.

        :param session: the one to read from, whatever block this stands in.
        :raises InvalidQuery: for what is no session, and where it is filtered by records of another tenant.

        >>> Company.objects.using(session).get(external_id="acme-42").name
        'Acme'
        """
        if not isinstance(session, Session):
            raise InvalidQuery(f"using() takes a Session, not {session!r}")
        where = tuple(rebound(q, session) for q in self.query.where)
        for q in where:
            check_q(self.query.model._meta, q, session)
        return self._clone(replace(self.query, where=where), session)

    def _key(self, method: str, name: str) -> str:
        if not isinstance(name, str):
            raise InvalidQuery(f"{method}() takes names of fields, not {name!r}")
        if (found := link_of(self.query.model._meta, name)) is not None:
            output_of(self.query.model, name)  # an unknown name there is the first thing to say
            raise InvalidQuery(
                f"{method}({name!r}) goes across a link: name {found[0].name!r}; values({name!r}) reads only that"
            )
        return resolve(self.query.model._meta, name).data_key

    def _clone(self, query: Query, session: Session | None = None) -> Self:
        return type(self)(query, session or self._session, self._defaults)
