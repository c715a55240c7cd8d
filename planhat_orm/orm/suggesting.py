"""Which field was probably meant by a name that is none: by Planhat's spelling, by its screens' labels, by likeness.

Reads descriptions, imports nothing that runs. It does not promise that the suggestion is right: what is like the name
may mean something else, so that opposites are said to be ones, and read-only fields come last.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from inspect import getattr_static
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planhat_orm.orm.options import Options

#: How alike two names have to be, from 0 to 1; those that begin with another letter more so.
ALIKE, VERY_ALIKE = 0.65, 0.75
#: What a name is worth that holds the other one as a word, and what a field costs that cannot be written.
HOLDS, READ_ONLY = 0.2, 0.15


def hint(meta: Options, name: str, others: Iterable[str] = ()) -> str:
    """Return the end of a message on a name that is no field of a model, empty where nothing is like it.

    :param others: names that may be meant beside the fields.

    >>> from planhat_orm.models import Enduser, Invoice, Task, User
    >>> hint(Task._meta, "due_date"), hint(Invoice._meta, "amount")
    ("; did you mean 'end_time'?", "; did you mean 'amount_total'?")
    >>> hint(User._meta, "is_active")
    "; did you mean 'inactive', its opposite?"
    """
    made_of = parts_of(meta, name)
    if made_of:
        return f": {meta.name}.{name} is put together here, of {' and '.join(made_of)}; use those"
    exact: dict[str, str] = {}
    for field in (*meta.virtual, *meta.fields):
        exact.setdefault(letters(field.data_key), field.name)
        if field.label:
            exact.setdefault(letters(field.label), field.name)
    if letters(name) in exact:
        return f"; did you mean {exact[letters(name)]!r}?"
    if (opposite := opposite_of(name, meta.by_name)) is not None:
        return f"; did you mean {opposite!r}, its opposite?"
    ranked = sorted(((likeness(meta, name, known), known) for known in {*others, *meta.by_name}), reverse=True)
    alike = [known for found, known in ranked if found >= (ALIKE if known[:1] == name[:1].casefold() else VERY_ALIKE)]
    if alike:
        return f"; did you mean {alike[0]!r}?"
    labelled = (field for field in meta.fields if name.casefold() in field.label.casefold().split())
    spoken_of = next(labelled, None)
    return f"; did you mean {spoken_of.name!r}, in Planhat's screens {spoken_of.label!r}?" if spoken_of else ""


def letters(name: str) -> str:
    """Return a name without what differs between spellings: case, blanks, underscores."""
    return re.sub(r"[\W_]+", "", name).casefold()


def likeness(meta: Options, name: str, known: str) -> float:
    """Return how alike a name is to a known one; what can be written comes before what cannot be."""
    folded, other = name.casefold(), known.casefold()
    found = SequenceMatcher(None, letters(name), letters(known)).ratio()
    field = meta.by_name.get(known)
    found += HOLDS if f"_{folded}_" in f"_{other}_" else 0
    return found - READ_ONLY if field is not None and field.read_only else found


def opposite_of(name: str, known: Mapping[str, object]) -> str | None:
    """Return the field that says the opposite of a name, ``inactive`` for ``is_active``; None without one."""
    word = name.casefold().removeprefix("is_")
    return next((one for one in (f"in{word}", f"un{word}", f"not_{word}", f"is_not_{word}") if one in known), None)


def parts_of(meta: Options, name: str) -> list[str]:
    """Return the fields that a property of a model is made of, empty for what is none: ``User.name``."""
    made = getattr_static(meta.model, name, None)
    if not isinstance(made, property) or name in meta.by_name:
        return []
    # The names that the property's own code uses are those of its fields.
    code = getattr(made.fget, "__code__", None)
    return [used for used in code.co_names if used in meta.by_name] if code is not None else []
