"""The lean index: read, and trusted only as far as it was found whole and narrowed as it was asked to be.

Imports what a session keeps, and wire descriptions. It does not promise that a filter is honoured where nothing could
show that: it says so, and whoever asked reads pages then.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from planhat_orm.orm import kept, sizes
from planhat_orm.orm.kept import Snapshot, kept_of
from planhat_orm.orm.missing import rows_of
from planhat_orm.paging.scan import looks_capped
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.orm.options import Options
    from planhat_orm.session.session import Session

Row = dict[str, Any]
Params = dict[str, str]

_log = logging.getLogger("planhat_orm.orm")

#: The page sizes that Planhat's lists are known to have. An index of such a length may have been cut.
CAPS: Final = frozenset((100, 1_000, 2_000, 5_000, 10_000))


class Trust:
    """What one session found out of the lean index of one collection.

    ``longest`` is the longest answer seen: shorter ones were not cut. ``cut`` says that it does not hold everything.
    ``honoured`` are the parameters that were found to narrow it, each with whether several values were given;
    ``ignored`` those that were found not to.
    """

    __slots__ = ("cut", "honoured", "ignored", "longest")

    def __init__(self) -> None:
        self.longest = 0
        self.cut = False
        self.honoured: set[tuple[str, bool]] = set()
        self.ignored: set[tuple[str, bool]] = set()

    def allows(self, params: Params) -> bool:
        """Tell whether nothing speaks against asking the index."""
        return not self.cut and self.ignored.isdisjoint(map(kind_of, params.items()))


_trust: WeakKeyDictionary[Session, dict[str, Trust]] = WeakKeyDictionary()
_lock = Lock()


def trust_of(session: Session, meta: Options) -> Trust:
    """Return what a session found out of an index."""
    with _lock:
        return _trust.setdefault(session, {}).setdefault(meta.path, Trust())


def kind_of(param: tuple[str, str]) -> tuple[str, bool]:
    """Return what tells one kind of filter from another: its name, and whether it has several values."""
    name, text = param
    return name, "," in text


def read_index(session: Session, meta: Options, params: Params, page: list[Row] | None = None) -> Snapshot | None:
    """Read the index anew; None where it is not to be trusted, so that pages are to be read.

    :param params: what it is narrowed by; without any it is kept.
    :param page: the first page of the list, with what is narrowed by, where that was read already.
    """
    keeper, trust = kept_of(session), trust_of(session, meta)
    if not trust.allows(params):
        return None
    writes, at = keeper.writes(meta.path), kept.clock()
    path = path_for(meta.lean_path)
    response = session.send(Request("GET", path, params=params))
    # No record twice, whatever came.
    rows = without_blanks(meta, [*{row["_id"]: row for row in rows_of(response, path)}.values()])
    if not is_whole(session, meta, params, len(rows)):
        return None
    if any(shows(session, meta, param, rows, page) is not True for param in params.items()):
        return None
    found = Snapshot(rows, response.number, at, frozenset(meta.lean_fields))
    if not params:
        sizes.note(session, path_for(meta.path), {}, len(rows), exact=True)
        keeper.keep(meta.path, found, writes)
    return found


def index_of(session: Session, meta: Options) -> Snapshot | None:
    """Return the whole index, read now or by another thread since now."""
    since = kept.clock()
    with session.identity_map.flight("index", meta.path):
        found = kept_of(session).find(meta.path)
        return found if found is not None and found.at >= since else read_index(session, meta, {})


def without_blanks(meta: Options, rows: list[Row]) -> list[Row]:
    """Return rows without blank keys: they are "" in some rows, and missing from others."""
    keys = [key for key in meta.lean_fields if key in meta.key_kinds and key != "_id"]
    return [
        {key: value for key, value in row.items() if value != "" or key not in keys} if "" in row.values() else row
        for row in rows
    ]


def is_whole(session: Session, meta: Options, params: Params, length: int) -> bool:
    """Tell whether an answer was not cut: one of a suspicious length is held against the list itself.

    Suspicious is a length that pages are known to have, and one that the list was longer than when it was last read,
    by more than this session may have deleted.
    """
    trust = trust_of(session, meta)
    size = sizes.known(session, path_for(meta.path), {})
    gone = kept_of(session).writes(meta.path)
    shrunk = not params and size is not None and size.exact and size.rows - length > gone
    if shrunk or (length in CAPS and length >= trust.longest):
        if params:
            if read_index(session, meta, {}) is None:
                return False
        else:
            beyond = {"limit": "1", "offset": str(length), "sort": "_id", "select": "_id"}
            path = path_for(meta.path)
            if rows_of(session.send(Request("GET", path, params=beyond)), path):
                trust.cut = True
                _log.warning("/%s does not hold every %s: pages are read instead", meta.lean_path, meta.name)
                return False
    trust.longest = max(trust.longest, length)
    return True


# What it is narrowed by, which its rows do not show


def shows(
    session: Session, meta: Options, param: tuple[str, str], rows: list[Row], page: list[Row] | None = None
) -> bool | None:
    """Tell whether a filter was honoured: True, False, or None where nothing can be seen that would show it.

    The first time in a session the rows are held against a page of the list, which says of each record whether it
    should be among them: one request. An answer that holds a record it should not, or lacks one, is not honest; one
    to which every record of a full page belongs proves nothing, nor does a full page with one of several values.
    """
    trust, kind = trust_of(session, meta), kind_of(param)
    if kind in trust.honoured:
        return True
    data_key, wanted = meta.lean_params[param[0]], {one.casefold() for one in param[1].split(",")}
    page = first_page(session, meta, [data_key]) if page is None else page
    here = {row["_id"] for row in rows}

    def value_of(row: Row) -> str:
        return str(row.get(data_key, "")).casefold()

    matching = [row["_id"] for row in page if value_of(row) in wanted]
    others = {row["_id"] for row in page}.difference(matching)
    if not here.isdisjoint(others) or not here.issuperset(matching):
        trust.ignored.add(kind)
        _log.warning("/%s was asked for %s and did not keep to it: pages are read instead", meta.lean_path, param[0])
        return False
    # Who takes the first of several values alone, or all of them for one, shows by records of two of them.
    told = bool(others) and (not kind[1] or len({value_of(row) for row in page if value_of(row) in wanted}) > 1)
    if rows and told:
        trust.honoured.add(kind)
    return True if told or not is_full(meta, page) else None


def first_page(session: Session, meta: Options, keys: Iterable[str]) -> list[Row]:
    """Read the first page of the list, with some properties."""
    path, size = path_for(meta.path), meta.page_size[1]
    params = {"limit": str(size), "offset": "0", "sort": "_id", "select": ",".join(("_id", *sorted({*keys} - {"_id"})))}
    rows = rows_of(session.send(Request("GET", path, params=params)), path)
    sizes.note(session, path, {}, len(rows), exact=not is_full(meta, rows))
    return rows


def is_full(meta: Options, page: list[Row]) -> bool:
    """Tell whether more rows may follow a page."""
    default, size = meta.page_size
    return len(page) >= size or looks_capped(len(page), default)
