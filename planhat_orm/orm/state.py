"""What an instance holds besides its row: where it came from, and what was changed since.

An object that is only read holds its row and its origin, nothing else; a :class:`State` is made when something is
assigned or a container is read. Imports the session. It does not promise to be public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from planhat_orm.errors import ConfigurationError, FieldError
from planhat_orm.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Reloading(Protocol):
    """Repeats the request of a page for one more field."""

    def load(self, origin: Origin, model: type[Any], data_key: str) -> None:
        """Load the field for all objects of ``origin``."""


class Reading:
    """One reading of a list, page by page: what its rows refer to and was read whole is kept for pages to come.

    ``more`` tells that pages may follow; ``tables`` holds the records of each list that was read whole, by their model
    and the name of what they were looked for by.
    """

    __slots__ = ("more", "tables")

    def __init__(self, *, more: bool = False) -> None:
        self.more = more
        self.tables: dict[tuple[type, str], list[Any]] = {}


class Mates:
    """What rows share that were handed out together, so that a link which is followed on one is loaded for all.

    ``pages`` are the weak references to the objects of each page; ``keep`` holds what they refer to alive as long as
    one of them lives; ``gone`` are the ids that they refer to and Planhat does not have.
    """

    __slots__ = ("gone", "keep", "pages", "reading")

    def __init__(self, reading: Reading | None = None) -> None:
        self.pages: list[list[Callable[[], Any]]] = []
        self.keep: dict[tuple[type, str], Any] = {}
        self.gone: set[tuple[type, str]] = set()
        self.reading = reading

    def living(self) -> list[Any]:
        """Return the objects that are alive."""
        return [one for page in self.pages for member in list(page) if (one := member()) is not None]


class Origin:
    """Where rows came from, shared by all rows of one answer.

    ``loaded`` are Planhat's names of what was asked for; ``number`` orders the requests of the process; ``members``
    are weak references to the objects of the page, so that one miss can load for all of them; ``mates`` is what they
    share with the rows of other pages that were handed out with them; ``reload`` repeats the page's request with
    another selection.
    """

    __slots__ = (
        "__weakref__",
        "_session",
        "_tenant",
        "_wider",
        "loaded",
        "mates",
        "members",
        "number",
        "on_missing",
        "reload",
        "undelivered",
    )

    def __init__(
        self,
        session: Session | None,
        loaded: frozenset[str],
        number: int,
        *,
        undelivered: frozenset[str] = frozenset(),
        reload: Reloading | None = None,
        on_missing: str = "peers",
        tenant: object = None,
        mates: Mates | None = None,
    ) -> None:
        self._session = session
        self._tenant = tenant if session is None else session.tenant
        self.loaded = loaded
        self.number = number
        #: Selected, but in no row of the page: whether lists hold them at all is not known.
        self.undelivered = undelivered
        self.reload = reload
        self.on_missing = on_missing
        self.members: list[Callable[[], Any]] = []
        self.mates = mates or Mates()
        self.mates.pages.append(self.members)
        # Weak, since a wider origin shares it: a circle would keep whole pages until the garbage collector comes.
        self._wider: WeakValueDictionary[tuple[frozenset[str], int], Origin] | None = None

    @property
    def session(self) -> Session:
        """The session that loaded the rows; an unpickled object joins the current one when it needs it."""
        if self._session is None:
            session = Session.current()
            if self._tenant not in (None, session.tenant):
                raise ConfigurationError(
                    f"a pickled object was loaded by another token or from another host than {session} has; "
                    "read the record again instead"
                )
            self._session, self._tenant = session, session.tenant
        return self._session

    @property
    def joined(self) -> Session | None:
        """The session that loaded the rows, None for an unpickled object that has not needed one yet."""
        return self._session

    @property
    def tenant(self) -> object:
        """What tells the session's tenant from others."""
        return self._tenant

    @property
    def is_page(self) -> bool:
        """Whether the rows are of a list, whose members load together, rather than one record."""
        return self.reload is not None or self.on_missing != "peers"

    def widened(self, loaded: frozenset[str], number: int = 0) -> Origin:
        """Return the origin of the same rows when more or newer ones came: one object for all that have the same.

        :param number: that of the request which brought them.
        """
        union, number = self.loaded | loaded, max(self.number, number)
        if (union, number) == (self.loaded, self.number):
            return self
        if self._wider is None:
            self._wider = WeakValueDictionary()
        known = self._wider.get((union, number))
        if known is None:
            known = self._wider[union, number] = self._of_same_page(union)
            known.number = number
            known._wider = self._wider
        return known

    def narrowed(self, keys: frozenset[str]) -> Origin:
        """Return an origin among the same rows for an object of which less is known."""
        twin = self._of_same_page(self.loaded - keys)
        twin.undelivered -= keys  # what lists were found not to hold was so before it was written
        return twin

    def told(self) -> Origin:
        """Return the origin for what is told to an object that was not handed out with these rows."""
        return Origin(self._session, self.loaded, self.number, tenant=self._tenant)

    def _of_same_page(self, loaded: frozenset[str]) -> Origin:
        twin = Origin(
            self._session,
            loaded,
            self.number,
            undelivered=self.undelivered,
            reload=self.reload,
            on_missing=self.on_missing,
            tenant=self._tenant,
        )
        twin.members, twin.mates = self.members, self.mates
        return twin


class State:
    """What was changed on one object, and the containers that were read from it.

    ``values`` holds Python values by Planhat's name; ``custom`` the same for the keys inside ``custom``; ``moved``
    Planhat's value at the time of the change where it moved since, by Planhat's name or ``custom.`` and the key;
    ``written`` the number of the last write; ``unanswered`` is set while nobody knows what became of a create.
    ``related`` holds, by the name of each link and manager that was loaded beforehand, what was found there.
    """

    __slots__ = ("_session", "custom", "deleted", "moved", "related", "unanswered", "values", "written")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.custom: dict[str, Any] = {}
        self.moved: dict[str, Any] = {}
        self.written = 0
        self.deleted = False
        self.unanswered = False
        self.related: dict[str, Any] | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session | None:
        """The session that a new object is to be saved by; None for the one that is current then."""
        return self._session

    @session.setter
    def session(self, session: Session | None) -> None:
        if self._session is not None and session is not self._session:
            raise FieldError(
                f"the object is linked to objects of {self._session}, so {session} cannot save it: "
                "objects of two sessions cannot be linked"
            )
        self._session = session


class Holder:
    """The slots of an instance. A base of Model's own, since type checkers take what a model annotates for fields.

    ``_raw`` is the row as Planhat sent it, never changed in place; ``_origin`` is None until the object is saved.
    """

    __slots__ = ("__weakref__", "_origin", "_raw", "_state")

    _raw: dict[str, Any]
    _origin: Origin | None
    _state: State | None


def merged(old: Mapping[str, Any], new: Mapping[str, Any], asked: frozenset[str]) -> dict[str, Any]:
    """Return the row that both answers make: what ``new`` was asked for is as ``new`` says, absent means no value.

    >>> merged({"name": "Acme", "phase": "Live", "h": 7}, {"name": "Acme AB"}, frozenset({"name", "phase"}))
    {'name': 'Acme AB', 'h': 7}
    """
    kept = {key: value for key, value in old.items() if key in new or key not in asked}
    kept.update(new)
    return kept
