"""References by own keys that Planhat left out of what it stored, which its answer to a write shows and nothing else.

Reads what was sent and what came, sends nothing. It does not promise to notice a key that stands for another record
than was meant, nor one in a property that no answer shows.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from planhat_orm.orm.conversion import reference_id
from planhat_orm.orm.refs import find_live, own_key, target_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

_log = logging.getLogger("planhat_orm.orm")


def tell_dropped(session: Session, obj: Model, body: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """Warn of each reference that was sent by an own key and is not in the answer.

    Planhat drops a reference that it cannot resolve without an error (docs: What Planhat does, Keys).

    :param body: what was sent, by the names that fields are read under.
    """
    for data_key, value in body.items():
        field: Any = obj._meta.by_key.get(data_key)
        if field is None or not field.relation or data_key not in obj._meta.listed_keys:
            continue
        sent = _keys(value)
        own = [key for key in sent if own_key(key) is not None]
        if not own:
            continue
        target, kept = target_of(field), _keys(row.get(data_key))
        known = {key: found.id for key in own if (found := find_live(session, target, key)) is not None}
        gone = [key for key, found in known.items() if found not in kept and key not in kept]
        # Which key became which id is not told: there are fewer new ids than there were keys.
        unsure = [key for key in own if key not in known]
        new = set(kept) - set(sent) - set(known.values())
        lost = max(0, len(unsure) - len(new)) if len(kept) < len(sent) else 0
        if lost:
            gone.append(f"{lost} of {', '.join(unsure)}" if lost < len(unsure) else ", ".join(unsure))
        if gone:
            _log.warning(
                "%r: Planhat did not store %s in %s: it has no such %s%s",
                obj,
                ", ".join(gone),
                field.name,
                field.to,
                ", or the list held it already" if field.mutable and lost else "",
            )


def _keys(value: Any) -> list[str]:
    """Return the ids and own keys in a reference or a list of them."""
    items = value if isinstance(value, list) else [value]
    found = (reference_id(item) for item in items if item is None or isinstance(item, (str, dict)))
    return [key for key in found if key]
