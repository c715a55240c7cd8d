"""Other names under which some answers of Planhat hold a field, by ``Meta.aliases``.

Rows are brought to the declared names once, where they come in. Imports nothing that runs. It does not promise that
the raw row is what came, letter by letter: what came under an alias stands under the declared name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.orm.options import Options

Row = dict[str, Any]


def renamed(meta: Options, rows: list[Row]) -> list[Row]:
    """Return the rows with what came under an alias under the declared name.

    A row that holds the declared name, be it with null, stays as it is: the alias is left in ``extra``. Of two aliases
    of one field the first declared one counts. Where nothing is declared the very list is given back.

    >>> from types import SimpleNamespace
    >>> renamed(SimpleNamespace(aliases={"nps": "score"}), [{"nps": 9}, {"score": 8, "nps": 9}])
    [{'score': 9}, {'score': 8, 'nps': 9}]
    """
    aliases = meta.aliases
    if not aliases:
        return rows
    return [row if aliases.keys().isdisjoint(row) else _of_one(aliases.items(), row) for row in rows]


def _of_one(aliases: Iterable[tuple[str, str]], row: Row) -> Row:
    named = dict(row)
    for alias, key in aliases:
        if alias in named and key not in named:
            named[key] = named.pop(alias)
    return named


def wire_names(meta: Options, keys: Iterable[str]) -> tuple[str, ...]:
    """Return the names to select for fields by Planhat's names: their aliases beside them.

    >>> from types import SimpleNamespace
    >>> wire_names(SimpleNamespace(aliases={"nps": "score"}), ("_id", "score"))
    ('_id', 'score', 'nps')
    """
    if not meta.aliases:
        return tuple(keys)
    names: list[str] = []
    for key in keys:
        names += [key, *(alias for alias, meant in meta.aliases.items() if meant == key)]
    return tuple(names)
