"""What was not asked for, or did not come: loading a field later, and finding out what an absent one means.

Imports the session's types and wire descriptions. It does not promise that the rows of a page are still together when
a field is loaded for all of them: what moved away is read by itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from planhat_orm.errors import FieldNotLoaded, NotFound, NotSupported, TransportError
from planhat_orm.orm.lookups import short
from planhat_orm.orm.state import Origin
from planhat_orm.wire.endpoints import id_chunks, path_for
from planhat_orm.wire.transport import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planhat_orm.orm.execution import Run
    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")
Row = dict[str, Any]
Params = dict[str, str]

_log = logging.getLogger("planhat_orm.orm")

#: What each session was warned of.
_warned: WeakKeyDictionary[Session, set[tuple[str, str]]] = WeakKeyDictionary()

#: How many records are tried until one still exists, to learn what a field means that came in no row.
SAMPLES = 3


# Single records


def row_of(response: Response, path: str) -> Row:
    """Return the record of an answer; anything else is an error."""
    row = response.data
    if not isinstance(row, dict) or not is_id(row.get("_id")):
        raise TransportError(
            f"GET {path}: Planhat answered {response.status}, but not with a record: {short(row)}",
            sent=True,
            status=response.status,
        )
    return row


def is_id(value: Any) -> bool:
    """Tell whether a row has what tells it from others: a text that is not empty."""
    return isinstance(value, str) and value != ""


def fetch_record(session: Session, model: type[M], path: str) -> M:
    """Read one record by its path, whole: one request."""
    response = session.send(Request("GET", path))
    row = row_of(response, path)
    [record] = session.identity_map.adopt(model, [row], Origin(session, model._meta.keys, response.number))
    session.identity_map.keep(record)
    return record


def refresh(obj: Model) -> None:
    """Read an object's record again, into the object."""
    session, key = obj._session(), obj.id
    try:
        found = fetch_record(session, type(obj), path_for(obj._meta.path, key))
    except NotFound as problem:
        obj._mark_deleted()
        raise obj.DoesNotExist(f"{obj!r} does not exist at Planhat (any more)") from problem
    if found is not obj:
        # An unpickled object, or one that was let go by its session: it takes the row, too.
        obj._merge(dict(found._raw), Origin(session, obj._meta.keys, 0))


# Fields that are missing from an object


def load_missing(obj: Model, field: Field[Any, Any]) -> None:
    """Load a field that was not asked for: for all rows of the page, for the object, or not at all."""
    origin, key = obj._origin, field.data_key
    if origin is None:
        return
    if origin.on_missing == "raise":
        raise FieldNotLoaded(
            f"{obj!r}: {field.name} was not asked for, and on_missing is 'raise'; name it in only(), "
            "or call refresh_from_db()"
        )
    if key not in origin.undelivered and isinstance(origin.reload, Reload) and not field.get_only:
        with origin.session.identity_map.flight("load", id(origin.reload), key):
            if not obj._knows(key):
                origin.reload.load(origin, type(obj), key)
        if obj._knows(key):
            return
    unheld = key in origin.undelivered
    if not unheld or (type(obj), key) not in origin.session.settled:
        refresh(obj)
        if unheld:
            learn(origin.session, type(obj), origin.undelivered, obj._raw)
    if unheld and (type(obj), key) in origin.session.settled:
        # Lists leave it out because there is no value: that goes for the whole page.
        origin.loaded |= {key}
    elif len(origin.members) > 1 and (obj._meta.name, key) not in (warned := _warned.setdefault(origin.session, set())):
        warned.add((obj._meta.name, key))
        _log.warning("%s.%s is loaded one object at a time, a request each", obj._meta.name, field.name)


class Reload:
    """Loads one more field for all objects that were handed out together.

    The pages' own requests are repeated with ``select=_id,<field>`` and joined by id; or the objects are named, where
    the endpoint takes lists of ids and they fit into no more requests than there were pages.
    """

    __slots__ = ("_done", "_pages", "_run")

    def __init__(self, run: Run, pages: Sequence[Params]) -> None:
        self._run = run
        self._pages = pages
        self._done: set[str] = set()

    def load(self, origin: Origin, model: type[Model], data_key: str) -> None:
        """Load the field; ``origin`` knows it afterwards unless some of its objects were not found again."""
        if data_key in self._done:
            return  # who still misses it was not on the pages any more
        run, session = self._run, origin.session
        if run.select and data_key not in run.select:
            run.select = (*run.select, data_key)  # following pages ask for it from the start
        objects = [obj for member in origin.members if (obj := member()) is not None]
        wanted = {obj._raw["_id"] for obj in objects if not obj._knows(data_key)}
        answers = [
            session.send(Request("GET", run.plan.path, params={**params, "select": f"_id,{data_key}"}))
            for params in self._requests(model, sorted(wanted))
        ]
        pages = [rows_of(answer, run.plan.path) for answer in answers]
        if not deliver(session, model, {data_key}, [row for rows in pages for row in rows])[0]:
            origin.undelivered |= {data_key}
            return
        for answer, rows in zip(answers, pages, strict=True):
            mine = [row for row in rows if row["_id"] in wanted]
            fresh = Origin(session, frozenset(("_id", data_key)), answer.number)
            session.identity_map.refresh(model, mine, fresh)
        if wanted <= {row["_id"] for rows in pages for row in rows}:
            origin.loaded |= {data_key}
        self._done.add(data_key)

    def _requests(self, model: type[Model], ids: list[str]) -> list[Params]:
        meta, run = model._meta, self._run
        name = next((name for name in meta.id_list_params if meta.list_params[name] == "_id"), None)
        if name is not None:
            fixed = {**meta.unhide, "limit": str(meta.page_size[1]), "select": "_id" + "-" * 40}
            chunks = id_chunks(run.session.base_url, run.plan.path, fixed, name, ids)
            if len(chunks) <= len(self._pages):
                return [{**meta.unhide, name: ",".join(chunk), "limit": str(len(chunk))} for chunk in chunks]
        return list(self._pages)


# Fields that are missing from a whole page


def deliver(session: Session, model: type[Model], asked: Iterable[str], rows: list[Row]) -> tuple[set[str], set[str]]:
    """Split what was asked for into what the rows hold, and what is in none of them so that it is not known.

    What one row holds, lists do hold: that is remembered, and later pages need not be looked at for it.
    """
    settled, documented = session.settled, model._meta.list_fields
    keys = set(asked)
    doubtful = {key for key in keys if (model, key) not in settled and key not in documented}
    # Page after page of all companies comes by here, so this is left to the sets.
    unknown = doubtful.difference(*rows) if doubtful else doubtful
    settled.update((model, key) for key in doubtful - unknown)
    return keys - unknown, unknown


def learn(session: Session, model: type[Model], keys: Iterable[str], record: Row) -> None:
    """Note what a record that was read whole does not hold either: lists leave it out for want of a value."""
    session.settled.update((model, key) for key in keys if key not in record)


def settle(session: Session, model: type[Model], keys: Iterable[str], rows: list[Row]) -> None:
    """Find out what it means that selected keys are in no row, before a filter or an order relies on them.

    :raises NotSupported: when a record that is read by itself holds one of them.
    """
    unknown = [key for key in keys if (model, key) not in session.settled]
    if not unknown:
        return
    for row in rows[:SAMPLES]:
        try:
            record = fetch_record(session, model, path_for(model._meta.path, row["_id"]))
        except NotFound:
            continue  # deleted meanwhile
        learn(session, model, unknown, record._raw)
        for key in unknown:
            if (model, key) not in session.settled:
                raise NotSupported(
                    f"{model.__name__}.{model._meta.by_key[key].name} was selected but is in no row of the list, "
                    f"although {record!r} has a value: Planhat's lists do not hold it, so a list cannot be filtered "
                    "or ordered by it"
                )
        return


def rows_of(response: Response, path: str) -> list[Row]:
    """Return the rows of a list's answer; anything else is an error, not an empty list."""
    data = response.data
    if isinstance(data, dict) and isinstance(data.get("data"), list):
        data = data["data"]  # one client of 2026 tolerates it, so do we
    if not isinstance(data, list) or not all(isinstance(row, dict) and is_id(row.get("_id")) for row in data):
        raise TransportError(
            f"GET {path}: Planhat answered {response.status}, but not with a list of records: {short(data)}",
            sent=True,
            status=response.status,
        )
    return data
