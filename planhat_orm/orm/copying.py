"""Copies and pickles of objects. A copy of a saved object is a new one; a pickled one is the record it was.

Imports state and what objects hold. It does not promise that a pickled object is as Planhat has it when it is read
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from planhat_orm.orm import held
from planhat_orm.orm.state import Origin

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model

M = TypeVar("M", bound="Model")

#: What of the state goes with a pickled object.
KEPT = ("values", "custom", "moved", "deleted", "unanswered")


def unsaved_copy(obj: M) -> M:
    """Return a new object with the values of ``obj`` that are loaded; nothing is sent.

    Keys that no two records share are left out: the copy would collide with its original.
    """
    meta = obj._meta
    left_out = {"_id", *meta.key_kinds, *meta.unique, *meta.unique_within}
    twin = type(obj)()
    session = obj._joined()
    if session is not None:
        twin._ensure_state().session = session
    for field in meta.fields:
        if not field.read_only and field.data_key not in left_out and obj._holds(field.data_key):
            field.hand_over(obj, twin)
    return twin


def reduced(obj: Model) -> tuple[Any, ...]:
    """Return what an object is pickled as: its row, what was asked for, and what was changed."""
    state, origin = obj._state, obj._origin
    came = (origin.loaded, origin.tenant) if origin is not None else None
    changed = {name: getattr(state, name) for name in KEPT} if state is not None else None
    if changed is not None and (related := held.pickled(obj)) is not None:
        changed["related"] = related
    return unpickled, (type(obj), obj._raw, came, changed)


def unpickled(
    cls: type[M], raw: dict[str, Any], came: tuple[frozenset[str], Any] | None, changed: dict[str, Any] | None
) -> M:
    """Make the object of what ``reduced`` returned; it joins a session when it needs one."""
    obj = cls._hydrated(raw, Origin(None, came[0], 0, tenant=came[1]) if came is not None else None)
    if changed is not None or came is None:
        state = obj._ensure_state()
        for name, value in (changed or {}).items():
            setattr(state, name, held.unpickled(value) if name == "related" else value)
    return obj
