"""What was not asked for, or did not come: loading a field later, and finding out what an absent one means.

Planhat leaves out what has no value, and its lists may leave out what has one. What one row of a list holds, lists do
hold. What no row holds is taken to be empty only when several records that were read whole have none either; before a
container that was taken to be empty is written, which goes whole, its record is read. Imports tracking, the session's
types and wire descriptions. It does not promise that the rows of a page are still together when a field is loaded for
all of them (what moved away is asked for once more), nor that a field is empty where it was taken to be so by samples.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from planhat_orm.errors import FieldNotLoaded, NotFound, NotSupported, TransportError
from planhat_orm.orm import tracking
from planhat_orm.orm.aliases import renamed, wire_names
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.lookups import short
from planhat_orm.orm.state import Origin
from planhat_orm.wire.endpoints import id_chunks, path_for
from planhat_orm.wire.transport import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from planhat_orm.orm.execution import Run
    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")
T = TypeVar("T")
Row = dict[str, Any]
Params = dict[str, str]

_log = logging.getLogger("planhat_orm.orm")

#: How many different records have to be without a field that came in no row until it is taken to be empty.
SAMPLES = 3


class Doubts:
    """What one session found out of fields that were selected and came in no row, by class and Planhat's name.

    ``listed`` are the fields that a row was seen to hold after all: lists do hold them, so that a row without one has
    no value. ``without`` are the ids of the records that were read whole and have none; ``empty`` the fields that are
    taken to be empty for that; ``unlisted`` those that a record holds although no row did; ``warned`` what was warned
    of.
    """

    __slots__ = ("empty", "listed", "unlisted", "warned", "without")

    def __init__(self) -> None:
        self.listed: set[tuple[type, str]] = set()
        self.without: dict[tuple[type, str], set[str]] = {}
        self.empty: set[tuple[type, str]] = set()
        self.unlisted: set[tuple[type, str]] = set()
        self.warned: set[tuple[type, str, str]] = set()

    def warn(self, model: type[Model], key: str, text: str) -> None:
        """Log a warning of a field, once in a session."""
        if (model, key, text) not in self.warned:
            self.warned.add((model, key, text))
            _log.warning("%s.%s %s", model._meta.name, model._meta.by_key[key].name, text)

    def believed(self, model: type[Model], key: str) -> bool:
        """Tell whether a field is taken to be empty, and say so when it is for the first time."""
        place = model, key
        if place not in self.empty and place not in self.unlisted and len(self.without.get(place, ())) >= SAMPLES:
            self.empty.add(place)
            self.warn(model, key, f"is in no row of a list and in none of {SAMPLES} records: it is taken to be empty")
        return place in self.empty


_doubts: WeakKeyDictionary[Session, Doubts] = WeakKeyDictionary()


def doubts_of(session: Session) -> Doubts:
    """Return what a session found out."""
    return _doubts.setdefault(session, Doubts())


def is_container(field: Field[Any, Any]) -> bool:
    """Tell whether a field's value is written whole after a part of it was changed."""
    return field.mutable or isinstance(field, CustomData)


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
    [row] = renamed(model._meta, [row_of(response, path)])
    [record] = session.identity_map.adopt(model, [row], Origin(session, model._meta.keys, response.number))
    session.identity_map.keep(record)
    held_after_all(session, model, row)
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
        number = found._origin.number if found._origin is not None else 0
        obj._merge(dict(found._raw), Origin(session, obj._meta.keys, number))


# Fields that are missing from an object


def load_missing(obj: Model, field: Field[Any, Any]) -> None:
    """Load a field that was not asked for: for all rows of the page, for the object, or not at all."""
    origin, key = obj._origin, field.data_key
    if origin is None:
        return
    if key in origin.undelivered and (type(obj), key) in doubts_of(origin.session).listed:
        origin.loaded |= {key}  # another list, read since, holds it: who has none there has no value
        return
    if origin.on_missing == "raise":
        raise FieldNotLoaded(
            f"{obj!r}: {field.name} was not asked for, and on_missing is 'raise'; name it in only(), "
            "or call refresh_from_db()"
        )
    if key not in origin.undelivered and origin.reload is not None and not field.get_only:
        with origin.session.identity_map.flight("load", id(origin.reload), key):
            if not obj._knows(key):
                origin.reload.load(origin, type(obj), key)
        if obj._knows(key):
            return
    if not is_read_by_key(type(obj)):
        raise FieldNotLoaded(unreadable(obj, field))
    if key in origin.undelivered:
        load_doubtful(obj, origin, key)
        return
    refresh(obj)
    if len(origin.members) > 1:
        doubts_of(origin.session).warn(type(obj), key, "is loaded one object at a time, a request each")


def verify(obj: Model) -> None:
    """Read a record before a container is written of it that was taken to be empty on a guess, as it is written whole.

    Where it was not empty, what is about to be written is in conflict with it then.
    """
    origin = obj._origin
    if origin is None or not origin.undelivered or obj._state is None:
        return
    found, by_key = tracking.pending(obj), obj._meta.by_key
    changed = {*found.values, *(("custom",) if found.custom else ())} & origin.undelivered
    guessed = (key for key in changed if is_container(by_key[key]) and obj._knows(key) and key not in obj._raw)
    if any(guessed) and is_read_by_key(type(obj)):
        refresh(obj)


def is_read_by_key(model: type[Model]) -> bool:
    """Tell whether one record can be read by itself: where it cannot, lists are all there is."""
    return "get" in model._meta.operations


def unreadable(obj: Model, field: Field[Any, Any]) -> str:
    """Say why a field of an object cannot be loaded."""
    meta, what = obj._meta, f"{obj!r}: {field.name} is not loaded"
    if field.get_only:
        why = "no list holds it"
    elif "select" in meta.list_takes:
        why = "the record is not on its page any more, or on_missing is 'one'"
    else:
        why = "its list cannot be asked for it"
    return f"{what}: {why}, and Planhat offers no get of {meta.name}: {meta.not_offered['get']}"


def load_doubtful(obj: Model, origin: Origin, key: str) -> None:
    """Load a field that came in no row of the page: from the object, and from the second one on by samples."""
    session, model, place = origin.session, type(obj), (type(obj), key)
    doubts = doubts_of(session)
    # One thread at a time, since all of them would take the same samples.
    with session.identity_map.flight("doubt", model):
        if doubts.without.get(place) and not obj._knows(key):
            peers = [peer for member in list(origin.members) if (peer := member()) is not None]
            for peer in spread(peers):
                if place in doubts.unlisted or doubts.believed(model, key):
                    break
                learned(session, model, origin.undelivered, str(peer._raw["_id"]))
        if not doubts.believed(model, key) and not obj._knows(key):
            refresh(obj)
            learn(session, model, origin.undelivered, obj._raw)
    if doubts.believed(model, key):
        # Lists leave it out because there is no value: that goes for the whole page.
        origin.loaded |= {key}
    elif place in doubts.unlisted and len(origin.members) > 1:
        doubts.warn(model, key, "is loaded one object at a time, a request each")


class Reload:
    """Loads one more field for all objects that were handed out together.

    The pages' own requests are repeated with ``select=_id,<field>`` and joined by id; or the objects are named, where
    the endpoint takes lists of ids and they fit into no more requests than there were pages. What the pages do not hold
    any more is named, too, where it is more than one object.

    :param rows: how long the list is, where the pages are all of it; a page that comes short is continued at its end.
    """

    __slots__ = ("_done", "_pages", "_rows", "_run")

    def __init__(self, run: Run, pages: Sequence[Params], rows: int = 0) -> None:
        self._run = run
        self._pages = pages
        self._rows = rows
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
        if not wanted:
            return  # an object that is not of the page asks; of the page's own ones nobody misses it
        select = ",".join(wire_names(model._meta, ("_id", data_key)))
        came = list(self._answers(model, sorted(wanted), select))
        here = {row["_id"] for rows, _ in came for row in rows}
        if here and len(wanted - here) > 1:
            came += self._named(model, sorted(wanted - here), select)
            here |= {row["_id"] for rows, _ in came for row in rows}
        if not here:
            return  # nothing can be told of rows that are gone
        if not deliver(session, model, {data_key}, [row for rows, _ in came for row in rows])[0]:
            origin.undelivered |= {data_key}
            return
        for rows, number in came:
            mine = [row for row in rows if row["_id"] in wanted]
            fresh = Origin(session, frozenset(("_id", data_key)), number)
            session.identity_map.refresh(model, mine, fresh)
        if wanted <= here:
            origin.loaded |= {data_key}
        self._done.add(data_key)

    def _answers(self, model: type[Model], ids: list[str], select: str) -> Iterator[tuple[list[Row], int]]:
        lists = self._lists(model, ids)
        if lists and len(lists) <= len(self._pages):
            yield from (self._answer(model, params, select) for params in lists)
        elif not self._rows:
            yield from (self._answer(model, params, select) for params in self._pages)
        else:
            offset, rows = 0, [Row()]
            while offset < self._rows and rows:
                rows, number = self._answer(model, {**self._pages[0], "offset": str(offset)}, select)
                offset += len(rows)
                yield rows, number

    def _named(self, model: type[Model], ids: list[str], select: str) -> Iterator[tuple[list[Row], int]]:
        return (self._answer(model, params, select) for params in self._lists(model, ids))

    def _answer(self, model: type[Model], params: Params, select: str) -> tuple[list[Row], int]:
        path = self._run.plan.path
        answer = self._run.session.send(Request("GET", path, params={**params, "select": select}))
        return renamed(model._meta, rows_of(answer, path)), answer.number

    def _lists(self, model: type[Model], ids: list[str]) -> list[Params]:
        """Return what names the objects in lists of ids; nothing where the endpoint takes none."""
        meta, run = model._meta, self._run
        name = meta.ids_param
        if name is None or not all(isinstance(value, str) for value in meta.unhide.values()):
            return []
        fixed = {**meta.unhide, "limit": str(meta.page_size[1]), "select": "_id" + "-" * 40}
        chunks = id_chunks(run.session.base_url, run.plan.path, fixed, name, ids)
        return [{**meta.unhide, name: ",".join(chunk), "limit": str(len(chunk))} for chunk in chunks]


# Fields that are missing from a whole page


def deliver(session: Session, model: type[Model], asked: Iterable[str], rows: list[Row]) -> tuple[set[str], set[str]]:
    """Split what was asked for into what the rows hold, and what is in none of them so that it is not known.

    What one row holds, lists do hold: that is remembered, and later pages need not be looked at for it.
    """
    doubts, documented = doubts_of(session), model._meta.list_fields
    keys = set(asked)
    if not is_read_by_key(model):
        return keys, set()  # what no list holds nobody can read
    doubtful = {key for key in keys if (model, key) not in doubts.listed and key not in documented}
    # Page after page of all companies comes by here, so this is left to the sets.
    unknown = doubtful.difference(*rows) if doubtful else doubtful
    doubts.listed.update((model, key) for key in doubtful - unknown)
    if unknown and doubts.empty:
        by_key = model._meta.by_key
        unknown = {key for key in unknown if (model, key) not in doubts.empty or is_container(by_key[key])}
    return keys - unknown, unknown


def learn(session: Session, model: type[Model], keys: Iterable[str], record: Row) -> None:
    """Note which of the keys a record that was read whole holds: lists do not, or nobody has a value."""
    doubts = doubts_of(session)
    for key in keys:
        place = (model, key)
        if key in record:
            doubts.unlisted.add(place)
            continue
        without = doubts.without.setdefault(place, set())
        if len(without) < SAMPLES:
            without.add(record["_id"])


def learned(session: Session, model: type[Model], keys: Iterable[str], key: str) -> Model | None:
    """Read the record of an id as a sample; None when it is gone or was one before."""
    doubts = doubts_of(session)
    if all(key in doubts.without.get((model, name), ()) for name in keys):
        return None
    try:
        record = fetch_record(session, model, path_for(model._meta.path, key))
    except NotFound:
        return None  # deleted meanwhile
    learn(session, model, keys, record._raw)
    return record


def held_after_all(session: Session, model: type[Model], row: Row) -> None:
    """Doubt anew that a field is empty when a record comes that holds it."""
    doubts = _doubts.get(session)
    if doubts is None:
        return
    for place in [place for place in doubts.empty if place[0] is model and place[1] in row]:
        doubts.empty.discard(place)
        doubts.without.pop(place, None)


def spread(items: Sequence[T]) -> list[T]:
    """Return the first, the middle and the last of some items.

    >>> spread(range(9)), spread([1, 2]), spread([])
    ([0, 4, 8], [1, 2], [])
    """
    places = sorted({0, len(items) // 2, len(items) - 1}) if items else []
    return [items[place] for place in places]


def settle(session: Session, model: type[Model], keys: Iterable[str], rows: list[Row]) -> None:
    """Find out what it means that selected keys are in no row, before a filter or an order relies on them.

    Records of the first, the middle and the last row are read by themselves.

    :raises NotSupported: when one of them holds one of the keys.
    """
    doubts = doubts_of(session)
    unknown = [key for key in keys if not doubts.believed(model, key)]
    for row in spread(rows) if unknown else ():
        record = learned(session, model, unknown, row["_id"])
        held = [key for key in unknown if record is not None and key in record._raw]
        if held:
            raise NotSupported(
                f"{model.__name__}.{model._meta.by_key[held[0]].name} was selected but is in no row of the list, "
                f"although {record!r} has a value: Planhat's lists do not hold it, so a list cannot be filtered "
                "or ordered by it"
            )
    for key in unknown:
        if not doubts.believed(model, key):
            doubts.warn(model, key, "is in no row of a list and in no record that was tried: filters take it as empty")


def _are_rows(data: list[Any]) -> bool:
    """Tell whether all are rows with an id."""
    if not set(map(type, data)) <= {dict}:
        return False
    # Every row of every page comes by here: a look at the kinds of all is cheaper than one at each.
    ids = [row.get("_id") for row in data]
    return set(map(type, ids)) <= {str} and all(ids)


def rows_of(response: Response, path: str) -> list[Row]:
    """Return the rows of a list's answer; anything else is an error, not an empty list."""
    data = response.data
    if isinstance(data, dict) and isinstance(data.get("data"), list):
        data = data["data"]  # one client of 2026 tolerates it, so do we
    if not isinstance(data, list) or not _are_rows(data):
        raise TransportError(
            f"GET {path}: Planhat answered {response.status}, but not with a list of records: {short(data)}",
            sent=True,
            status=response.status,
        )
    return data
