"""The Writer: the one way out. Whatever changes something at Planhat is a Change that goes through here.

Saves and deletes make one Change each; ways to hold, show, record or bound Changes belong in front of ``write``.
Imports wire and its own package. It does not promise that a create happened once when its answer was lost and there is
no unique key to look it up by: that is an ``AmbiguousWrite``, never a second create.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import AmbiguousWrite, ApiError, BadRequest, NotFound, PlanhatError, TransportError
from planhat_orm.session.attribution import reasons_in
from planhat_orm.session.bulk import Upsert
from planhat_orm.session.changes import Change, Ledger, Outcome, Status
from planhat_orm.session.comparing import agrees
from planhat_orm.session.reconciling import reconcile
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.retry import may_have_run
from planhat_orm.wire.transport import Replay, Request, Response

if TYPE_CHECKING:
    from planhat_orm.session.records import Record

__all__ = ["SETTLE_SECONDS", "Change", "Ledger", "Outcome", "Status", "Writer"]

#: How long Planhat gets to show a record whose create was not answered, before it is looked up again; seconds.
SETTLE_SECONDS = 2.0


class Writer:
    """Sends Changes and says what became of each.

    :param send: sends one request, with the session's quota, retries and errors.
    :param sleep: for tests.
    """

    def __init__(self, send: Callable[[Request], Response], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._send = send
        self._sleep = sleep

    def write(self, changes: Iterable[Change]) -> Ledger:
        """Carry out changes one after another; what fails is in the ledger, and the rest goes on.

        A write whose outcome nobody can know ends the run: what follows is ``not_sent``.

        :raises ReadOnlyError: in a read-only session, before anything is sent.
        """
        ledger, stopped = Ledger(), False
        for change in changes:
            outcome = Outcome(change, "not_sent") if stopped else self._carry_out(change)
            stopped = stopped or outcome.status == "unknown"
            ledger.outcomes.append(outcome)
        return ledger

    def write_one(self, change: Change) -> Outcome:
        """Carry out one change and return its outcome; raise what made it fail.

        A record that is not there is an outcome, ``not_found``, for the caller to name.
        """
        [outcome] = self.write([change])
        if outcome.error is not None and outcome.status != "not_found":
            raise outcome.error
        return outcome

    def act(
        self,
        model: type[Record],
        method: str,
        path: str,
        body: Any = None,
        *,
        host: Literal["main", "analytics"] = "main",
        auth: Literal["token", "tenant", "none"] = "token",
        timeout: tuple[float, float] | None = None,
    ) -> Response:
        """Send a write that does what it does once more each time it is sent, and return Planhat's answer.

        For what is no create, update or delete of one record: duplicating time entries, pushing metrics. It is sent
        again only while it is certain that Planhat has not seen it.

        :param model: whose write it is, for messages.
        :param method: POST, as a rule.
        :param path: from the host on, quoted; ``{tenant}`` in it stands for the tenant token.
        :param body: what is sent, as JSON.
        :param host: the API or the analytics host.
        :param auth: which token it is sent with, "none" for no header.
        :param timeout: (connect, read) in seconds, None for the session's.
        :raises ReadOnlyError: in a read-only session; nothing is sent.
        :raises AmbiguousWrite: the answer was lost, so that it may have been carried out, once. ``sent`` is the body.
        :raises ApiError: or its subclass for the status: Planhat refused it.
        :raises TransportError: it did not reach Planhat.

        >>> answer = session.writer.act(Company, "POST", "/companies", {"name": "Acme Nordic"})
        >>> answer.data["name"]
        'Acme Nordic'
        """
        request = Request(method, path, json=body, host=host, auth=auth, timeout=timeout, replay=Replay.NEVER)
        try:
            return self._send(request)
        except (ApiError, TransportError) as error:
            if not may_have_run(error):
                raise
            raise AmbiguousWrite(
                f"{request} of {model._meta.name}: the answer was lost ({error}), so it may have been carried out, "
                "once. Look at Planhat before you send it again: that would do it twice",
                sent=body if isinstance(body, Mapping) else {"items": body},
            ) from error

    def upsert(self, model: type[Record]) -> Upsert:
        """Return a run of bulk upserts of one model, which sends items and says what became of each."""
        return Upsert(self._send, model)

    def reconcile(self, ledger: Ledger) -> None:
        """Read back what a ledger of bulk upserts does not know, and settle it there."""
        reconcile(ledger, self._send)

    def _carry_out(self, change: Change) -> Outcome:
        act = {"create": self._create, "update": self._update, "delete": self._delete}[change.verb]
        try:
            return act(change)
        except AmbiguousWrite as error:
            return Outcome(change, "unknown", error=error)
        except NotFound as error:
            return Outcome(change, "not_found" if change.key else "failed", error=error)
        except (ApiError, TransportError) as error:
            return Outcome(change, "unknown" if may_have_run(error) else "failed", error=error)

    def _update(self, change: Change) -> Outcome:
        path = path_for(change.model._meta.path, change.key)
        response = self._send(Request("PUT", path, json=dict(change.after or {})))
        row = _row(response)
        if row is None and response.data:
            raise _unusable(change, response)
        if row is not None and row["_id"] != change.key:
            raise _unusable(change, response)
        return Outcome(change, "updated", row, response.number)

    def _delete(self, change: Change) -> Outcome:
        response = self._send(Request("DELETE", path_for(change.model._meta.path, change.key)))
        # Answers were {n, ok}, {n, ok, deletedCount} and the deleted record itself, over the years, or nothing.
        data = response.data if isinstance(response.data, Mapping) else {}
        counted = data.get("n", data.get("deletedCount"))
        if counted == 0 and not response.repeated:
            gone = NotFound(
                f"{change}: Planhat deleted nothing, so it has no such record (any more)",
                status=response.status,
                body=response.data,
            )
            return Outcome(change, "not_found", number=response.number, error=gone)
        if response.data and counted is None and data.get("_id") != change.key:
            raise _unusable(change, response)
        return Outcome(change, "deleted", number=response.number)

    # Creating

    def _create(self, change: Change) -> Outcome:
        body = dict(change.after or {})
        request = Request("POST", path_for(change.model._meta.path), json=body, replay=Replay.NEVER)
        try:
            response = self._send(request)
        except (ApiError, TransportError) as error:
            if not may_have_run(error):
                raise
            return self._settle(change, body, error)
        row = _row(response)
        if row is None:
            # Planhat drops some creates without an error, an enduser without a company for one
            # (https://help.planhat.com/en/articles/9586991-not-all-end-users-sent-over-api-get-added-to-planhat).
            raise _ambiguous(
                change,
                f"Planhat answered {response.status} without the new record's id ({_said(response.data)}), "
                "so it may have been dropped. Look for it before you create it again",
            )
        meta = change.model._meta
        sent = meta.as_read(body)
        other = [name for name in meta.unique if name in sent and not agrees(row.get(name), sent[name])]
        if other:
            raise _ambiguous(
                change,
                f"Planhat answered {response.status} with {row['_id']}, a record with another {', '.join(other)} than "
                "was sent: the answer may be one to somebody else's request. Look for yours before you create it again",
                candidate=row,
            )
        return Outcome(change, "created", row, response.number)

    def _settle(self, change: Change, body: dict[str, Any], lost: PlanhatError) -> Outcome:
        """Find out by a unique key whether a create that was not answered was carried out."""
        meta = change.model._meta
        body = meta.as_read(body)
        key = next((name for name in meta.unique if body.get(name) and name in meta.key_kinds), None)
        if key is None:
            raise _ambiguous(
                change,
                "the answer was lost, so it may have been created, once. It has no key that is unique in the tenant "
                "to look it up by; look for it before you create it again",
            ) from lost
        for attempt in range(2):
            if attempt:
                self._sleep(SETTLE_SECONDS)
            found = self._look_up(change, key, str(body[key]), lost)
            if found is not None:
                return self._recognized(change, body, key, found, lost)
        return self._upsert_one(change, body, key, lost)

    def _look_up(self, change: Change, key: str, value: str, lost: PlanhatError) -> Response | None:
        """Read the record that holds a unique key, None where there is none."""
        meta = change.model._meta
        try:
            response = self._send(Request("GET", path_for(meta.path, value, kind=meta.key_kinds[key])))
        except NotFound:
            return None
        except (ApiError, TransportError) as error:
            raise _ambiguous(change, f"the answer was lost ({lost}), and so was that to looking it up") from error
        if _row(response) is None:
            raise _ambiguous(change, f"the answer was lost, and looking it up gave {_said(response.data)}") from lost
        return response

    def _recognized(
        self, change: Change, body: Mapping[str, Any], key: str, found: Response, lost: PlanhatError
    ) -> Outcome:
        """Tell from a record that holds the key whether it is the one that was sent."""
        row: dict[str, Any] = found.data
        other = [name for name, value in body.items() if not agrees(row.get(name), value)]
        if not other:
            return Outcome(change, "created", row, found.number)
        raise _ambiguous(
            change,
            f"the answer was lost, and the record with {key} {body[key]!r} at Planhat, {row['_id']}, has another "
            f"{', '.join(other)} than was sent: it may be yours, changed since, or somebody else's. It is in "
            "`candidate`; change it, or create yours with another key",
            candidate=row,
        ) from lost

    def _upsert_one(self, change: Change, body: dict[str, Any], key: str, lost: PlanhatError) -> Outcome:
        """Create by upsert, which cannot make a second record: the key is unique and matched on."""
        meta = change.model._meta
        if key != next((name for name in meta.match_keys if body.get(name)), None):
            raise _ambiguous(
                change,
                f"the answer was lost. Planhat has no record with {key} {body[key]!r}, so it was probably not "
                "created; look again before you create it",
            ) from lost
        try:
            response = self._send(
                Request("PUT", path_for(meta.path), json=[meta.as_written(body)], replay=Replay.LATER)
            )
        except (ApiError, TransportError) as error:
            if not may_have_run(error):
                raise
            what = f"the answer was lost ({lost}), and so was that to an upsert by {key}"
            raise _ambiguous(change, what) from error
        refused = reasons_in(response.data)
        if refused:
            raise BadRequest(
                f"{change}: Planhat refuses it: {'; '.join(refused)}", status=response.status, body=response.data
            )
        found = self._look_up(change, key, str(body[key]), lost)
        if found is None:
            raise _ambiguous(
                change,
                f"the answer was lost, and an upsert by {key} was answered with {_said(response.data)}, but there "
                "is no such record",
            ) from lost
        return Outcome(change, "created", found.data, found.number)


def _row(response: Response) -> dict[str, Any] | None:
    """Return the record in an answer, None where there is none."""
    data = response.data
    return data if isinstance(data, dict) and isinstance(data.get("_id"), str) and data["_id"] else None


def _said(data: Any) -> str:
    """Return an answer as it may stand in a message."""
    if isinstance(data, Mapping):
        data = next((data[name] for name in ("message", "error", "errors") if data.get(name)), data)
    return str(data)[:200] if data else "an empty body"


def _unusable(change: Change, response: Response) -> TransportError:
    """Say that an answer is not one to this write; as far as anybody knows it may have been carried out."""
    other = _row(response)
    what = f"another record, {other['_id']}" if other is not None else _said(response.data)
    return TransportError(
        f"{change}: Planhat answered {response.status} with {what}. It may have been carried out; read it again",
        sent=True,
        attempts=response.attempts,
        status=response.status,
    )


def _ambiguous(change: Change, what: str, *, candidate: dict[str, Any] | None = None) -> AmbiguousWrite:
    return AmbiguousWrite(f"{change}: {what}", sent=change.after, candidate=candidate)
