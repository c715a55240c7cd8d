"""What an instance holds besides its row: where it came from, and what was changed since.

An object that is only read holds its row and its origin, nothing else; a :class:`State` is made when something is
assigned or a container is read. Imports the session. It does not promise to be public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planhat_orm.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Origin:
    """Where rows came from, shared by all rows of one answer.

    ``loaded`` are Planhat's names of what was asked for; ``number`` orders the requests of the process; ``members``
    are weak references to the objects handed out together, so that one miss can load for all of them; ``keep``
    holds what they refer to alive as long as one of them lives; ``reload`` repeats the page's request with another
    selection.
    """

    __slots__ = ("_session", "keep", "loaded", "members", "number", "on_missing", "reload", "undelivered")

    def __init__(
        self,
        session: Session | None,
        loaded: frozenset[str],
        number: int,
        *,
        undelivered: frozenset[str] = frozenset(),
        reload: Callable[[str], None] | None = None,
        on_missing: str = "peers",
    ) -> None:
        self._session = session
        self.loaded = loaded
        self.number = number
        #: Selected, but in no row of the page: whether lists hold them at all is not known.
        self.undelivered = undelivered
        self.reload = reload
        self.on_missing = on_missing
        self.members: list[Callable[[], Any]] = []
        self.keep: list[Any] = []

    @property
    def session(self) -> Session:
        """The session that loaded the rows; an unpickled object joins the current one when it needs it."""
        if self._session is None:
            self._session = Session.current()
        return self._session

    @property
    def tenant(self) -> object:
        """What tells the session's tenant from others; None before an unpickled object has joined a session."""
        return self._session.tenant if self._session is not None else None


class State:
    """What was changed on one object, and the containers that were read from it.

    ``values`` holds Python values by Planhat's name; ``custom`` the same for the keys inside ``custom``; ``moved``
    Planhat's value at the time of the change where it moved since; ``written`` the number of the last write.
    """

    __slots__ = ("custom", "deleted", "moved", "session", "values", "written")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.custom: dict[str, Any] = {}
        self.moved: dict[str, Any] = {}
        self.written = 0
        self.deleted = False
        self.session: Session | None = None


def merged(old: Mapping[str, Any], new: Mapping[str, Any], asked: frozenset[str]) -> dict[str, Any]:
    """Return the row that both answers make: what ``new`` was asked for is as ``new`` says, absent means no value.

    >>> merged({"name": "Acme", "phase": "Live", "h": 7}, {"name": "Acme AB"}, frozenset({"name", "phase"}))
    {'name': 'Acme AB', 'h': 7}
    """
    kept = {key: value for key, value in old.items() if key in new or key not in asked}
    kept.update(new)
    return kept
