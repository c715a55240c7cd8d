"""Reading back what a bulk upsert left unknown: one read each, held against what was sent and what was answered.

Imports wire and its own package. It does not promise to settle everything: what has no key to be read by stays
unknown, and so does what differs from what was sent where the answer did not say what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import AmbiguousWrite, BadRequest, NotFound
from planhat_orm.session.bulk import path_of, slim
from planhat_orm.session.changes import DONE, Ledger, Outcome, Told
from planhat_orm.session.comparing import agrees
from planhat_orm.wire.endpoints import is_object_id, path_for, split_prefix
from planhat_orm.wire.transport import Request, Response

if TYPE_CHECKING:
    from planhat_orm.session.changes import Change, Status

__all__ = ["reconcile"]


def reconcile(ledger: Ledger, send: Callable[[Request], Response]) -> None:
    """Settle what is unknown in a ledger, in place.

    :param send: sends one request.
    """
    ids: dict[str, str | None] = {}
    for place, outcome in enumerate(ledger.outcomes):
        if outcome.status != "unknown":
            continue
        path = path_of(outcome.change)
        if path is None:
            continue
        settled = _settled(outcome, send, path, ids)
        ledger.outcomes[place] = replace(settled, change=slim(settled.change)) if settled.status in DONE else settled


def _settled(
    outcome: Outcome,
    send: Callable[[Request], Response],
    path: str,
    ids: dict[str, str | None],
) -> Outcome:
    change = outcome.change
    try:
        response = send(Request("GET", path))
    except NotFound as error:
        if change.key is not None:
            return replace(outcome, status="not_found", error=error)
        gone = BadRequest(f"{change}: read back, Planhat has no such record: it was not carried out", status=404)
        return replace(outcome, status="failed", error=gone)
    row = response.data
    if not isinstance(row, Mapping) or not isinstance(row.get("_id"), str) or not _meant(change, row, send, ids):
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


def _meant(
    change: Change,
    row: Mapping[str, Any],
    send: Callable[[Request], Response],
    ids: dict[str, str | None],
) -> bool:
    """Tell whether a row is of the record that was meant: a key may be unique within one company only.

    :param ids: the ids behind own keys of companies that were looked up already.
    """
    if change.key is not None:
        return bool(row["_id"] == change.key)
    meta = change.model._meta
    body = meta.as_read(change.after or {})
    name, _ = change.matched_by or ("", "")
    within = meta.unique_within.get(name)
    if within is None:
        return True
    meant, stored = body.get(within), row.get(within)
    if not is_object_id(meant) and isinstance(meant, str) and is_object_id(stored):
        meant = _company_behind(meant, send, ids)
    return is_object_id(meant) and stored == meant


def _company_behind(key: str, send: Callable[[Request], Response], ids: dict[str, str | None]) -> str | None:
    """Return the id of the company that "extid-..." or "srcid-..." refers to, looked up once; None without.

    Companies are all that Planhat's keys are unique within.
    """
    parts = split_prefix(key)
    if parts is not None and key not in ids:
        try:
            found = send(Request("GET", path_for("companies", parts[1], kind=parts[0]))).data
        except NotFound:
            found = None
        ids[key] = found.get("_id") if isinstance(found, Mapping) else None
    return ids.get(key)
