"""The path grammar of the Planhat API: collections, ids, prefixes, quoting and the length of a URL.

Imports ``planhat_orm.errors`` only. It does not promise that a collection exists or that a record does, and it does
not know which collections take which kind of key: that is the models' to say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from planhat_orm.errors import InvalidQuery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "MAX_URL",
    "PREFIXES",
    "KeyKind",
    "build_url",
    "id_chunks",
    "is_object_id",
    "path_for",
    "split_prefix",
]

KeyKind = Literal["id", "external_id", "source_id"]

# No limit is documented; the clients that run against Planhat split id lists at 2,000 characters.
MAX_URL = 2000

#: What stands before a key that is not Planhat's own.
PREFIXES: Mapping[KeyKind, str] = {"external_id": "extid-", "source_id": "srcid-"}
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_COLLECTION = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


def is_object_id(value: object) -> bool:
    """Whether ``value`` has the shape of a Planhat ``_id``: text of 24 hexadecimal characters.

    See https://www.planhat.com/developers/api/introduction.

    >>> is_object_id("61a5e27c1d7d3f0012e1a0b4"), is_object_id("acme-42")
    (True, False)
    """
    return isinstance(value, str) and _OBJECT_ID.fullmatch(value) is not None


def split_prefix(value: str) -> tuple[KeyKind, str] | None:
    """Return the kind of a key that is written with its prefix, and the key; None for any other text.

    >>> split_prefix("extid-acme-42"), split_prefix("acme-42")
    (('external_id', 'acme-42'), None)
    """
    return next(
        ((kind, value.removeprefix(prefix)) for kind, prefix in PREFIXES.items() if value.startswith(prefix)), None
    )


def path_for(collection: str, key: str | None = None, *, kind: KeyKind = "id") -> str:
    """Return the path of a collection, or of one record in it, quoted and ready to be sent.

    ``kind`` says what ``key`` is: Planhat's own ``_id``, or an external or source id, which travel as
    ``extid-…`` and ``srcid-…`` (https://www.planhat.com/developers/api/introduction). Every character that means
    something in a URL is percent-encoded, ``/`` too.

    Raises :class:`InvalidQuery` for a blank key, since Planhat reads ``/companies/`` as the whole collection (a
    read would list it, a write would reach the bulk route), and for an ``id`` that is none.

    >>> path_for("companies")
    '/companies'
    >>> path_for("companies", "61a5e27c1d7d3f0012e1a0b4")
    '/companies/61a5e27c1d7d3f0012e1a0b4'
    >>> path_for("companies", "north/42", kind="external_id")
    '/companies/extid-north%2F42'
    """
    if not _COLLECTION.fullmatch(collection):
        raise InvalidQuery(f"{collection!r} is no collection of Planhat: expected a name such as 'companies'")
    if key is None:
        return f"/{collection}"
    if not isinstance(key, str):
        raise InvalidQuery(
            f"a key of {collection} is text, not {type(key).__name__}: write {str(key)!r} if you mean it"
        )
    if not key.strip():
        raise InvalidQuery(f"the {kind} of a record in {collection} is blank: Planhat would take it for the whole list")
    if kind == "id":
        _check_object_id(key)
        return f"/{collection}/{key}"
    return f"/{collection}/{PREFIXES[kind]}{_quoted(key, safe='')}"


def build_url(base_url: str, path: str, params: Mapping[str, str] | None = None) -> str:
    """Join the address of a host, a path from :func:`path_for` and query parameters, in their order.

    Commas stay as they are, as in Planhat's own samples; everything else that is not plain is percent-encoded.

    >>> build_url("https://api.planhat.com", "/companies", {"select": "_id,name", "sort": "-_id"})
    'https://api.planhat.com/companies?select=_id,name&sort=-_id'
    """
    query = "&".join(f"{_quoted(name, safe='')}={_quoted(value, safe=',')}" for name, value in (params or {}).items())
    return f"{base_url.rstrip('/')}{path}{'?' if query else ''}{query}"


def id_chunks(
    base_url: str, path: str, params: Mapping[str, str], name: str, ids: Sequence[str], *, longest: int = MAX_URL
) -> list[list[str]]:
    """Split ``ids`` so that ``name=id,id,…`` beside ``params`` keeps each URL under ``longest`` characters.

    The order is kept, nothing is dropped and no list is empty; no ids give no lists. Raises :class:`InvalidQuery`
    for an id that is blank, holds a comma (it would be read as two) or does not fit into a URL alone.

    >>> ids = ["61a5e27c1d7d3f0012e1a0b4", "61a5e27c1d7d3f0012e1a0b5", "61a5e27c1d7d3f0012e1a0b6"]
    >>> chunks = id_chunks("https://api.planhat.com", "/companies", {}, "companyId", ids, longest=100)
    >>> [len(chunk) for chunk in chunks]
    [2, 1]
    """
    room = longest - 1 - len(build_url(base_url, path, {**params, name: ""}))
    chunks: list[list[str]] = []
    length = room + 1  # the first id opens the first list
    for one in ids:
        size = _size_in_list(name, one)
        if size > room:
            raise InvalidQuery(f"{name}: an id of {len(one)} characters does not fit into a URL of {longest}")
        if length + 1 + size > room:
            chunks.append([])
            length = -1  # no comma before the first id of a list
        chunks[-1].append(one)
        length += 1 + size
    return chunks


def _size_in_list(name: str, one: str) -> int:
    if not one.strip():
        raise InvalidQuery(f"{name}: a blank id in the list")
    if "," in one:
        raise InvalidQuery(f"{name}: {one!r} holds a comma, so that Planhat would read it as several ids")
    return len(_quoted(one, safe=""))


def _check_object_id(key: str) -> None:
    if is_object_id(key):
        return
    kind, meant = split_prefix(key) or ("external_id", key)
    raise InvalidQuery(f"{key!r} is no Planhat id (24 hexadecimal characters); did you mean get({kind}={meant!r})?")


def _quoted(text: str, *, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise InvalidQuery(f"{text!r} holds half a surrogate pair, which cannot be sent") from None
