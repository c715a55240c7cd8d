"""Reading back what a bulk upsert left unknown: one read each, held against what was sent and what was answered.

Imports wire and its own package. It does not promise to settle everything: what has no key to be read by stays
unknown, and so does what differs from what was sent where the answer did not say what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import AmbiguousWrite, BadRequest, NotFound
from planhat_orm.session.bulk import slim
from planhat_orm.session.changes import DONE, Ledger, Outcome, Told
from planhat_orm.session.comparing import agrees
from planhat_orm.wire.endpoints import is_object_id, path_for
from planhat_orm.wire.transport import Request, Response

if TYPE_CHECKING:
    from planhat_orm.session.changes import Change, Status

__all__ = ["reconcile"]


def reconcile(ledger: Ledger, send: Callable[[Request], Response]) -> None:
    """Settle what is unknown in a ledger, in place.

    :param send: sends one request.
    """
    for place, outcome in enumerate(ledger.outcomes):
        if outcome.status != "unknown":
            continue
        path = path_of(outcome.change)
        if path is None:
            continue
        settled = _settled(outcome, send, path)
        ledger.outcomes[place] = replace(settled, change=slim(settled.change)) if settled.status in DONE else settled


def path_of(change: Change) -> str | None:
    """Return the path that an item's record is read by; None where Planhat offers none."""
    meta = change.model._meta
    if "get" in meta.not_offered:
        return None
    if change.key is not None:
        return path_for(meta.path, change.key)
    # Planhat matched by this key, and by no other; one that the path does not take cannot be read by.
    name, value = change.matched_by or ("", "")
    return path_for(meta.path, value, kind=meta.key_kinds[name]) if name in meta.key_kinds else None


def _settled(outcome: Outcome, send: Callable[[Request], Response], path: str) -> Outcome:
    change = outcome.change
    try:
        response = send(Request("GET", path))
    except NotFound as error:
        if change.key is not None:
            return replace(outcome, status="not_found", error=error)
        gone = BadRequest(f"{change}: read back, Planhat has no such record: it was not carried out", status=404)
        return replace(outcome, status="failed", error=gone)
    row = response.data
    if not isinstance(row, Mapping) or not isinstance(row.get("_id"), str) or not _meant(change, row):
        return replace(outcome, error=_doubt(change, "another record than was meant was read back"))
    key, told = str(row["_id"]), outcome.told or Told()
    if key in told.created or key in told.updated:
        status: Status = "created" if key in told.created else "updated"
        return replace(outcome, status=status, error=None, found=key, number=response.number)
    meta = change.model._meta
    sent = meta.as_read(change.after or {})
    row = {meta.aliases.get(name, name): value for name, value in row.items()}
    other = [name for name, value in sent.items() if not agrees(row.get(name), value)]
    if not other:
        status = "unchanged" if told.complete else "stored"
        return replace(outcome, status=status, error=None, found=key, number=response.number)
    # Not yet a failure: Planhat may keep what was sent in another form, a text as HTML for one.
    said = f"read back, it has another {', '.join(other)} than was sent"
    if told.complete:
        said += ", and is not among the records that Planhat says it wrote"
    return replace(outcome, error=_doubt(change, said), found=key)


def _doubt(change: Change, what: str) -> AmbiguousWrite:
    return AmbiguousWrite(f"{change}: {what}; look at it yourself", sent=change.after)


def _meant(change: Change, row: Mapping[str, Any]) -> bool:
    """Tell whether a row is of the record that was meant: a key may be unique within one company only."""
    if change.key is not None:
        return bool(row["_id"] == change.key)
    meta = change.model._meta
    body = meta.as_read(change.after or {})
    name, _ = change.matched_by or ("", "")
    within = meta.unique_within.get(name)
    return within is None or (is_object_id(body.get(within)) and row.get(within) == body[within])
