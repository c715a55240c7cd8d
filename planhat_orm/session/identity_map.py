"""The identity map: one live object for each record and class of a session.

Objects are held weakly; strongly while they are dirty, and for a minute when they came by a key, a link or a save, so
that asking again costs nothing. Imports cachetools, and of the package the record protocol. It does not promise that
an object is as Planhat has it now, only that there is never a second one for the same record and class.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections import deque
from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cachetools import TTLCache

from planhat_orm.session.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["KEPT_OBJECTS", "KEPT_SECONDS", "IdentityMap"]

R = TypeVar("R", bound=Record)
#: How an object of some class takes a row in: the object, the row and its origin.
Taking: TypeAlias = "Callable[[Any, dict[str, Any], Any], None]"

#: How many objects are kept alive after they came by a key, a link or a save, and for how many seconds.
KEPT_OBJECTS = 1_000
KEPT_SECONDS = 60.0


#: So many rows of a page tell which keys its rows hold.
_LOOKED_AT = 50


class LiveRef(weakref.ref[Any]):
    """A weak reference that knows its key, so that its entry can be removed when the object is gone.

    The key is set after it is made: a constructor in Python would double the cost of hydrating a page.
    """

    __slots__ = ("key",)
    key: str


class Table:
    """The live objects of one class, by id. The map's lock guards it, but for ``_gone``."""

    __slots__ = ("_gone", "refs")

    def __init__(self) -> None:
        self.refs: dict[str, LiveRef] = {}
        # An object may go at any moment, in any thread, also while a lock is held: appending to a deque is all that
        # is done then. Its entry is taken out by ``sweep``, where no other thread can have put a new one in its place.
        self._gone: deque[LiveRef] = deque()

    def add(self, objects: Sequence[Any], keys: Sequence[str]) -> list[LiveRef]:
        """Note live objects, one for each key."""
        made = list(map(LiveRef, objects, repeat(self._gone.append)))
        for ref, key in zip(made, keys, strict=True):
            ref.key = key
        self.refs.update(zip(keys, made, strict=True))
        return made

    def get(self, key: str) -> Any:
        """Return the live object of that id, or None."""
        ref = self.refs.get(key)
        return ref() if ref is not None else None

    def sweep(self) -> None:
        """Take out the entries of the objects that are gone."""
        gone, refs = self._gone, self.refs
        take, find = gone.popleft, refs.get
        while gone:
            ref = take()
            if find(ref.key) is ref:
                del refs[ref.key]


class IdentityMap:
    """The live objects of one session, by class and id.

    :param timer: tells the seconds, for tests.
    """

    def __init__(self, *, timer: Callable[[], float] = time.monotonic) -> None:
        #: Held while objects are looked up, made or merged; never while a request is under way.
        self.lock = threading.RLock()
        #: By collection and class, because every row refreshes the objects of all classes of its record; the records
        #: of one collection may have several paths: a ticket is a conversation, too.
        self._tables: dict[str, dict[type[Record], Table]] = {}
        self._kept: TTLCache[tuple[type, str], Any] = TTLCache(KEPT_OBJECTS, KEPT_SECONDS, timer)
        self._aliases: TTLCache[tuple[type, str, str], str] = TTLCache(KEPT_OBJECTS, KEPT_SECONDS, timer)
        self._dirty: dict[tuple[type, str], Any] = {}
        self._flights: dict[tuple[Any, ...], list[Any]] = {}

    def _table(self, cls: type[Record]) -> Table:
        return self._tables.setdefault(cls._meta.records, {}).setdefault(cls, Table())

    def _sweep(self) -> None:
        for tables in self._tables.values():
            for table in tables.values():
                table.sweep()

    # Rows

    def adopt(self, cls: type[R], rows: Sequence[dict[str, Any]], origin: Any) -> list[R]:
        """Return the object of each row: the live one, refreshed, or a new one.

        The objects are noted in ``origin.members``, and the texts that repeat from row to row are shared.
        """
        share_texts(rows, cls._meta.interned)
        keys = [row["_id"] for row in rows]
        with self.lock:
            self._sweep()
            table, others = self._table(cls), self._others(cls)
            if others or not table.refs.keys().isdisjoint(keys) or len(set(keys)) < len(keys):
                return [self._adopt_one(cls, table, others, row, origin) for row in rows]
            # All of them are new, as most are: nothing is looked up row by row.
            hydrated = cls._hydrated
            found = [hydrated(row, origin) for row in rows]
            origin.members += table.add(found, keys)
        return found

    def _others(self, cls: type[Record]) -> list[tuple[Table, Taking]]:
        """Return the tables of the other classes of the records that have live objects, and how those take a row in.

        What a row of another path lacks may be there all the same.
        """
        return [
            (table, kin._merge_twin if kin._meta.path == cls._meta.path else kin._merge_kin)
            for kin, table in self._tables[cls._meta.records].items()
            if kin is not cls and table.refs
        ]

    @staticmethod
    def _tell(others: Sequence[tuple[Table, Taking]], row: dict[str, Any], origin: Any) -> None:
        """Give a row to the record's objects in these tables."""
        for table, take_in in others:
            twin = table.get(row["_id"])
            if twin is not None:
                take_in(twin, dict(row), origin)

    def _adopt_one(
        self, cls: type[R], table: Table, others: list[tuple[Table, Taking]], row: dict[str, Any], origin: Any
    ) -> R:
        key = row["_id"]
        obj: R | None = table.get(key)
        if obj is None:
            obj = cls._hydrated(row, origin)
            table.add([obj], [key])
        else:
            obj._merge(row, origin)
        origin.members.append(table.refs[key])
        self._tell(others, row, origin)
        return obj

    def prune(self, origin: Any) -> None:
        """Take the references to objects that are gone out of ``origin.members``."""
        with self.lock:
            origin.members[:] = [member for member in origin.members if member() is not None]

    def refresh(self, cls: type[Record], rows: Sequence[dict[str, Any]], origin: Any) -> None:
        """Give rows to the objects that live, of all classes of the records, and make no new ones."""
        with self.lock:
            self._sweep()
            tables = [(self._table(cls), cls._merge), *self._others(cls)]
            for row in rows:
                self._tell(tables, row, origin)

    def find(self, cls: type[R], key: str) -> R | None:
        """Return the live object of an id, or None."""
        with self.lock:
            found: R | None = self._table(cls).get(key)
        return found

    def living(self, records: str, key: str) -> list[Any]:
        """Return the live objects of a record, of all classes of its collection."""
        with self.lock:
            found = [table.get(key) for table in self._tables.get(records, {}).values()]
        return [obj for obj in found if obj is not None]

    # Kept for a minute

    def recent(self, cls: type[R], data_key: str, value: str) -> R | None:
        """Return the object that came by a key, a link or a save within the last minute, or None.

        :param data_key: "_id", or a key that is unique among the tenant's records.
        """
        with self.lock:
            key = value if data_key == "_id" else self._aliases.get((cls, data_key, value))
            found: R | None = self._kept.get((cls, key)) if key is not None else None
            if found is not None and data_key != "_id" and found._raw.get(data_key) != value:
                return None
        return found

    def known_by(self, cls: type[R], data_key: str, value: str) -> R | None:
        """Return a live object that holds a key which no two records share, however it came in; None without one.

        All live objects of the class are looked at: ``recent`` is for what is asked often.
        """
        with self.lock:
            found = self.recent(cls, data_key, value)
            living = (ref() for ref in list(self._table(cls).refs.values()))
            return found or next((obj for obj in living if obj is not None and obj._raw.get(data_key) == value), None)

    def keep(self, obj: Record) -> None:
        """Keep an object alive for a minute, findable by its id and its unique keys."""
        cls, key = type(obj), obj._raw["_id"]
        with self.lock:
            table = self._table(cls)
            live = table.get(key)
            if live is None:
                table.add([obj], [key])
            elif live is not obj:
                return  # a second object can only come from outside, unpickled: the first one stays the live one
            self._kept[cls, key] = obj
            for data_key in cls._meta.unique:
                value = obj._raw.get(data_key)
                if isinstance(value, str) and value:
                    self._aliases[cls, data_key, value] = key

    # What becomes of an object

    def saved(self, obj: Record, origin: Any, *, dirty: bool) -> None:
        """Take in an object after its save: it is live, kept, and its row is given to the record's other objects."""
        key = obj._raw["_id"]
        with self.lock:
            self.keep(obj)
            if self._table(type(obj)).get(key) is not obj:
                self._tell([(self._table(type(obj)), type(obj)._merge)], obj._raw, origin)
            self._tell(self._others(type(obj)), obj._raw, origin)
            (self.hold if dirty else self.release)(obj)

    def hold(self, obj: Record) -> None:
        """Hold an object strongly because it has changes that are not saved.

        Nothing happens for one that is not the live one: deleted, or unpickled and not yet saved.
        """
        cls, key = type(obj), obj._raw["_id"]
        with self.lock:
            if self._table(cls).get(key) is obj:
                self._dirty[cls, key] = obj

    def release(self, obj: Record) -> None:
        """Hold an object weakly again: it has no changes any more."""
        place = type(obj), obj._raw.get("_id", "")
        with self.lock:
            if self._dirty.get(place) is obj:
                del self._dirty[place]

    def discard(self, obj: Record) -> None:
        """Let go of a deleted record; its objects of all classes learn that it is gone."""
        key = obj._raw["_id"]
        with self.lock:
            for cls, table in self._tables.get(obj._meta.records, {}).items():
                twin = table.get(key)
                table.refs.pop(key, None)
                self._kept.pop((cls, key), None)
                self._dirty.pop((cls, key), None)
                if twin is not None:
                    twin._mark_deleted()

    # One request in flight per key

    @contextmanager
    def flight(self, *key: Any) -> Iterator[None]:
        """Let one thread at a time ask for a key, so that the next one finds what the first one got."""
        with self.lock:
            entry = self._flights.setdefault(key, [threading.RLock(), 0])
            entry[1] += 1
        try:
            with entry[0]:
                yield
        finally:
            with self.lock:
                entry[1] -= 1
                if not entry[1]:
                    del self._flights[key]

    def __len__(self) -> int:
        with self.lock:
            self._sweep()
            return sum(len(table.refs) for tables in self._tables.values() for table in tables.values())


def share_texts(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Let equal texts under the given names be one object: foreign keys and choices repeat from row to row.

    >>> rows = [{"owner": "".join(["ki", "m"])}, {"owner": "".join(["ki", "m"])}]
    >>> share_texts(rows, ["owner"])
    >>> rows[0]["owner"] is rows[1]["owner"]
    True
    """
    intern = sys.intern
    # Keys that the first rows lack are rare ones, and to look for them in every row costs more than sharing saves.
    here: set[str] = set().union(*rows[:_LOOKED_AT])
    for name in names:
        for row in rows if name in here else ():
            value = row.get(name)
            if type(value) is str:
                row[name] = intern(value)
