"""Whether a stored value is what was sent, as far as Planhat keeps it.

Pure; imports the grammar of keys. It does not promise that a value which differs was not stored: Planhat may keep it in
another form, a text as HTML for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planhat_orm.wire.endpoints import split_prefix

__all__ = ["agrees"]


def agrees(stored: Any, sent: Any) -> bool:
    """Tell whether a stored value is what was sent: more keys and defaults are Planhat's own.

    Letter case does not count, since Planhat changes that of names; a reference by key is stored as the id; what was
    cleared is not there.

    >>> agrees({"Tier": "Gold", "Seats": 5}, {"Tier": "Gold"}), agrees("ada", "Ada"), agrees("ada", "Grace")
    (True, True, False)
    """
    if sent is None or sent in ({}, []):
        return not stored  # Planhat leaves out what has no value
    if isinstance(sent, Mapping):
        inside = {} if stored is None else stored
        return isinstance(inside, Mapping) and all(agrees(inside.get(key), value) for key, value in sent.items())
    if isinstance(sent, list):
        given = stored if isinstance(stored, list) else []
        return len(given) == len(sent) and all(any(agrees(one, value) for one in given) for value in sent)
    if isinstance(sent, str) and split_prefix(sent) is not None:
        return isinstance(stored, str)
    if isinstance(sent, str) and stored is not None and not isinstance(stored, bool):
        return str(stored).casefold() == sent.casefold()
    return bool(stored == sent)
