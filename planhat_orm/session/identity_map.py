"""The identity map: one live object for each record of a session.

Objects are held weakly; strongly while they are dirty, and for a minute when they came by a key, a link or a save, so
that asking again costs nothing. Imports cachetools, and of the package the record protocol. It does not promise that
an object is as Planhat has it now, only that there is never a second one for the same record and class.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import TTLCache

from planhat_orm.session.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

R = TypeVar("R", bound=Record)

#: How many objects are kept alive after they came by a key, a link or a save, and for how many seconds.
KEPT_OBJECTS = 1_000
KEPT_SECONDS = 60.0


class LiveRef(weakref.ref[Any]):
    """A weak reference that knows its key, so that its entry can be removed when the object is gone."""

    __slots__ = ("key",)
    key: str

    def __new__(cls, obj: Any, callback: Callable[[Any], None], key: str) -> LiveRef:
        self = super().__new__(cls, obj, callback)
        self.key = key
        return self

    def __init__(self, obj: Any, callback: Callable[[Any], None], key: str) -> None:
        super().__init__(obj, callback)  # type: ignore[call-arg]  # typeshed leaves it out; it takes what new takes


class Table:
    """The live objects of one class, by id."""

    __slots__ = ("_drop", "refs")

    def __init__(self) -> None:
        self.refs: dict[str, LiveRef] = {}
        # The callback may run at any moment, also while the dict is read: it only takes out what is its own.
        refs = self.refs

        def drop(ref: LiveRef) -> None:
            if refs.get(ref.key) is ref:
                del refs[ref.key]

        self._drop: Callable[[Any], None] = drop

    def add(self, key: str, obj: Any) -> LiveRef:
        """Note a live object."""
        ref = self.refs[key] = LiveRef(obj, self._drop, key)
        return ref

    def get(self, key: str) -> Any:
        """Return the live object of that id, or None."""
        ref = self.refs.get(key)
        return ref() if ref is not None else None


class IdentityMap:
    """The live objects of one session, by class and id."""

    def __init__(self, *, timer: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        #: By path and class, because every row refreshes the objects of all classes over its path.
        self._tables: dict[str, dict[type, Table]] = {}
        self._kept: TTLCache[tuple[type, str], Any] = TTLCache(KEPT_OBJECTS, KEPT_SECONDS, timer)
        self._aliases: TTLCache[tuple[type, str, str], str] = TTLCache(KEPT_OBJECTS, KEPT_SECONDS, timer)
        self._dirty: dict[tuple[type, str], Any] = {}
        self._flights: dict[tuple[Any, ...], list[Any]] = {}

    def _table(self, cls: type[Record]) -> Table:
        return self._tables.setdefault(cls._meta.path, {}).setdefault(cls, Table())

    def adopt(self, cls: type[R], rows: Sequence[dict[str, Any]], origin: Any) -> list[R]:
        """Return the object of each row: the live one, refreshed, or a new one.

        The objects are noted in ``origin.members``, and the texts that repeat from row to row are shared.
        """
        interned = [(key, sys.intern) for key in cls._meta.interned]
        found: list[R] = []
        with self.lock:
            table = self._table(cls)
            others = [other for kin, other in self._tables[cls._meta.path].items() if kin is not cls and other.refs]
            refs, members, hydrated = table.refs, origin.members, cls._hydrated
            for row in rows:
                for name, intern in interned:
                    value = row.get(name)
                    if type(value) is str:
                        row[name] = intern(value)
                key = row["_id"]
                ref = refs.get(key)
                obj = ref() if ref is not None else None
                if obj is None:
                    obj = hydrated(row, origin)
                    ref = table.add(key, obj)
                else:
                    obj._merge(row, origin)
                members.append(ref)
                found.append(obj)
                for other in others:
                    twin = other.get(key)
                    if twin is not None:
                        twin._merge(dict(row), origin)
        return found

    def refresh(self, cls: type[Record], rows: Sequence[dict[str, Any]], origin: Any) -> None:
        """Give rows to the objects that live, and make no new ones."""
        with self.lock:
            live = [row for row in rows if self._table(cls).get(row["_id"]) is not None]
            self.adopt(cls, live, origin)

    def find(self, cls: type[R], key: str) -> R | None:
        """Return the live object of an id, or None."""
        with self.lock:
            found: R | None = self._table(cls).get(key)
        return found

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

    def keep(self, obj: Record) -> None:
        """Keep an object alive for a minute, findable by its id and its unique keys."""
        cls, key = type(obj), obj._raw["_id"]
        with self.lock:
            self._kept[cls, key] = obj
            for data_key in cls._meta.unique:
                value = obj._raw.get(data_key)
                if isinstance(value, str) and value:
                    self._aliases[cls, data_key, value] = key

    def saved(self, obj: Record, origin: Any, *, dirty: bool) -> None:
        """Take in an object after its save: it is live, kept, and its row is given to the other classes' objects."""
        cls, key = type(obj), obj._raw["_id"]
        with self.lock:
            if self._table(cls).get(key) is not obj:
                self._table(cls).add(key, obj)
            for kin, table in self._tables[cls._meta.path].items():
                twin = table.get(key)
                if kin is not cls and twin is not None:
                    twin._merge(dict(obj._raw), origin)
            self.keep(obj)
            if not dirty:
                self.release(obj)

    def hold(self, obj: Record) -> None:
        """Hold an object strongly because it has changes that are not saved."""
        with self.lock:
            self._dirty[type(obj), obj._raw["_id"]] = obj

    def release(self, obj: Record) -> None:
        """Hold an object weakly again: it has no changes any more."""
        with self.lock:
            self._dirty.pop((type(obj), obj._raw.get("_id", "")), None)

    def discard(self, obj: Record) -> None:
        """Let go of a deleted record; its objects of other classes learn that it is gone."""
        key = obj._raw["_id"]
        with self.lock:
            for cls, table in self._tables.get(obj._meta.path, {}).items():
                twin = table.get(key)
                table.refs.pop(key, None)
                self._kept.pop((cls, key), None)
                self._dirty.pop((cls, key), None)
                if twin is not None:
                    twin._mark_deleted()

    @contextmanager
    def flight(self, *key: Any) -> Iterator[None]:
        """Let one thread at a time ask for a key, so that the next one finds what the first one got."""
        with self.lock:
            entry = self._flights.setdefault(key, [threading.Lock(), 0])
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
            return sum(len(table.refs) for tables in self._tables.values() for table in tables.values())
