"""The rows of every collection, as JSON texts in SQLite, in memory or in a file.

Imports the standard library only. It knows collections by name and rows as dicts with an ``_id``; what a Planhat
object is, it does not know, and it checks nothing but that ids are unique.
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Row = dict[str, Any]

#: Answers are sent as stored, so rows are kept compact and in UTF-8.
dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_FIRST_SECOND = 0x64B00000


#: How a condition compares: "is" one of the values, "contains" one of them (among texts or in {id: ...}), at least
#: or at most the value, at least it or nothing at all ("since"), the value somewhere "inside" the text, true or not.
How = Literal["is", "contains", "gte", "lte", "since", "inside", "true", "not_true"]

_COMPARISONS = {
    "gte": "{value} >= ?",
    "lte": "{value} <= ?",
    "since": "coalesce({value} >= ?, 1)",
    "inside": "instr(lower({value}), lower(?)) > 0",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A row fits when the value under ``key`` compares to ``values`` as ``how`` says."""

    key: str
    values: tuple[str | int, ...] = ()
    how: How = "is"


@dataclass(frozen=True, slots=True)
class Query:
    """A page of a collection: ``sort`` is a key, with "-" in front for descending, "" for the order of insertion."""

    where: tuple[Condition, ...] = ()
    sort: str = ""
    backwards: bool = False
    offset: int = 0
    limit: int | None = None


class Store:
    """Rows by collection, safe to use from several threads.

    :param path: a file that keeps the rows; None keeps them in memory.
    :param seed: two stores of one seed give out the same ids.

    >>> store = Store(seed=1)
    >>> store.insert("companies", [{"_id": store.new_id(), "name": "Acme"}])
    >>> store.find("companies", "name", "Acme")["_id"] == Store(seed=1).new_id()
    True
    """

    def __init__(self, path: str | Path | None = None, *, seed: int = 1) -> None:
        self.lock = threading.RLock()
        self._machine = random.Random(seed).getrandbits(40)  # noqa: S311
        self._db = sqlite3.connect(str(path) if path else ":memory:", check_same_thread=False, isolation_level=None)
        # A sandbox that only held rows for a moment need not be closed.
        weakref.finalize(self, self._db.close)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS sandbox_counter (given INTEGER NOT NULL)")
        self._tables: set[str] = set()
        self._indexed: set[tuple[str, str]] = set()
        found = self._db.execute("SELECT given FROM sandbox_counter").fetchone()
        self._given = found[0] if found else 0

    def close(self) -> None:
        """Close the file; a store in memory is gone then."""
        with self.lock:
            self._db.close()

    def new_id(self) -> str:
        """Return an id like Planhat's, 24 hexadecimal digits, greater than all that were given out before."""
        with self.lock:
            self._given += 1
            return f"{_FIRST_SECOND + self._given:08x}{self._machine:010x}{self._given & 0xFFFFFF:06x}"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep others out and write everything inside, or nothing when an error leaves the block."""
        with self.lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN")
            try:
                yield
                self._db.execute("DELETE FROM sandbox_counter")
                self._db.execute("INSERT INTO sandbox_counter VALUES (?)", (self._given,))
            except BaseException:
                self._db.execute("ROLLBACK")
                # Tables and indexes that were made inside are gone with the rest.
                self._tables.clear()
                self._indexed.clear()
                raise
            self._db.execute("COMMIT")

    # Writing

    def insert(self, collection: str, rows: Iterable[Row]) -> None:
        """Add rows, each with an ``_id`` of its own; raises ValueError when one is taken."""
        table = self._table(collection)
        texts = ((row["_id"], dumps(row)) for row in rows)
        with self.transaction():
            try:
                self._db.executemany(f"INSERT INTO {table} (id, data) VALUES (?, ?)", texts)  # noqa: S608
            except sqlite3.IntegrityError as problem:
                raise ValueError(f"an _id is taken already in {collection}: {problem}") from None

    def replace(self, collection: str, row: Row) -> None:
        """Store ``row`` in place of the one with its ``_id``."""
        table = self._table(collection)
        with self.transaction():
            self._db.execute(f"UPDATE {table} SET data = ? WHERE id = ?", (dumps(row), row["_id"]))  # noqa: S608

    def delete(self, collection: str, id: str) -> bool:
        """Delete the row with this id and tell whether there was one."""
        table = self._table(collection)
        with self.transaction():
            return self._db.execute(f"DELETE FROM {table} WHERE id = ?", (id,)).rowcount > 0  # noqa: S608

    # Reading

    def get(self, collection: str, id: str) -> Row | None:
        """Return the row with this id."""
        return self.find(collection, "_id", id)

    def find(self, collection: str, key: str, value: str, *more: Condition) -> Row | None:
        """Return the row inserted first among those with this value under ``key``."""
        found = self.texts(collection, Query(where=(Condition(key, (value,)), *more), limit=1))
        return json.loads(found[0]) if found else None

    def rows(self, collection: str, query: Query | None = None) -> list[Row]:
        """Return the rows of a query."""
        return [json.loads(text) for text in self.texts(collection, query or Query())]

    def texts(self, collection: str, query: Query) -> list[str]:
        """Return the rows of a query as the JSON texts they are stored in."""
        return self._selected("data", collection, query)

    def values(self, collection: str, query: Query, keys: Sequence[str]) -> list[list[Any]]:
        """Return what the rows of a query hold under two keys or more, None for what a row does not hold.

        >>> store = Store()
        >>> store.insert("companies", [{"_id": "1", "name": "Acme", "phase": "Growth"}])
        >>> store.values("companies", Query(), ("name", "phase", "status"))
        [['Acme', 'Growth', None]]
        """
        if len(keys) < 2 or not all(map(_PLAIN_KEY.match, keys)):
            raise ValueError(f"two plain keys or more, not {keys!r}")  # of a single one SQLite makes no array
        paths = ", ".join(f"'$.{key}'" for key in keys)
        found: list[list[Any]] = json.loads(
            f"[{','.join(self._selected(f'json_extract(data, {paths})', collection, query))}]"
        )
        return found

    def _selected(self, what: str, collection: str, query: Query) -> list[str]:
        with self.lock:
            where, values = self._where(collection, query.where)
            table, order = self._table(collection), self._order(collection, query)
            sql = f"SELECT {what} FROM {table}{where}{order} LIMIT ? OFFSET ?"  # noqa: S608
            limit = -1 if query.limit is None else query.limit
            return [text for (text,) in self._db.execute(sql, (*values, limit, query.offset))]

    def count(self, collection: str, *conditions: Condition) -> int:
        """Return the number of rows that fit all conditions."""
        with self.lock:
            where, values = self._where(collection, conditions)
            sql = f"SELECT count(*) FROM {self._table(collection)}{where}"  # noqa: S608
            return int(self._db.execute(sql, values).fetchone()[0])

    # SQL. Names that reach it are collections and keys of the registry, or bound as parameters.

    def _table(self, collection: str) -> str:
        name = f"rows_{collection}"
        if name not in self._tables:
            if not _PLAIN_KEY.match(collection):
                raise ValueError(f"{collection!r} is no name of a collection")
            with self.lock:
                self._db.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, data TEXT NOT NULL)"
                )
                self._db.execute(f"CREATE UNIQUE INDEX IF NOT EXISTS {name}_id ON {name} (id)")
                self._tables.add(name)
        return name

    def _value(self, collection: str, key: str, form: str = "{}") -> str:
        """Return the SQL for a key's value, with an index over it and the id: made at the first use of the key."""
        if key == "_id":
            return form.format("id")
        if not _PLAIN_KEY.match(key):
            return "NULL"
        sql = form.format(f"json_extract(data, '$.{key}')")
        table = self._table(collection)
        if (table, sql) not in self._indexed:
            self._indexed.add((table, sql))
            name = f"{table}_{'not_' if form != '{}' else ''}{key}"
            self._db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({sql}, id)")
        return sql

    def _where(self, collection: str, conditions: Sequence[Condition]) -> tuple[str, list[str | int]]:
        parts: list[str] = []
        values: list[str | int] = []
        # The plus keeps SQLite from walking all rows that are not hidden where another filter leaves few.
        few = "+" if _leaves_few(conditions) else ""
        for condition in conditions:
            values.extend(condition.values)
            key, marks = condition.key, ", ".join("?" * len(condition.values))
            if condition.how == "is":
                parts.append(f"{self._value(collection, key)} IN ({marks})")
            elif condition.how == "contains":
                parts.append(_containing(key, marks))
            elif condition.how in ("true", "not_true"):
                parts.append(f"{few}{self._value(collection, key, '({} IS 1)')} = {int(condition.how == 'true')}")
            else:
                parts.append(_COMPARISONS[condition.how].format(value=f"{few}{self._value(collection, key)}"))
        return (" WHERE " + " AND ".join(parts) if parts else ""), values

    def _order(self, collection: str, query: Query) -> str:
        # SQLite orders NULL, then numbers, then texts by their bytes: the order that MongoDB gives them.
        way = "DESC" if query.sort.startswith("-") or query.backwards else "ASC"
        key = query.sort.removeprefix("-")
        value = self._value(collection, key) if key else "seq"
        if value in ("seq", "id", "NULL"):
            few = "+" if _leaves_few(query.where) else ""  # sort them rather than walk the whole table in order
            return f" ORDER BY {few}{value.replace('NULL', 'seq')} {way}"
        return f" ORDER BY {value} {way}, id {way}"


def _leaves_few(conditions: Sequence[Condition]) -> bool:
    return any(condition.how == "is" for condition in conditions)


def _containing(key: str, marks: str) -> str:
    """Return the SQL for one of the values in a list of texts or of objects that hold an id."""
    if not _PLAIN_KEY.match(key):
        return "0"
    item = "CASE item.type WHEN 'object' THEN json_extract(item.value, '$.id') ELSE item.value END"
    return f"EXISTS (SELECT 1 FROM json_each(data, '$.{key}') AS item WHERE {item} IN ({marks}))"  # noqa: S608
