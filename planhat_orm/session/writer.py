"""The Writer: the one way out. Whatever changes something at Planhat is a Change that goes through here.

Saves and deletes make one Change each; ways to hold, show, record or bound Changes belong in front of ``write``.
Imports wire and the record protocol. It does not promise that a create happened once when its answer was lost and
there is no unique key to look it up by: that is an ``AmbiguousWrite``, never a second create.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import (
    AmbiguousWrite,
    ApiError,
    NotFound,
    PlanhatError,
    ReadOnlyError,
    TransportError,
)
from planhat_orm.wire.endpoints import KeyKind, path_for
from planhat_orm.wire.retry import may_have_run
from planhat_orm.wire.transport import Replay, Request, Response

if TYPE_CHECKING:
    from planhat_orm.session.records import Record

Status = Literal["created", "updated", "unchanged", "deleted", "failed", "not_found", "unknown", "not_sent"]

#: How long Planhat gets to show a record whose create was not answered, before it is looked up again; seconds.
SETTLE_SECONDS = 2.0

_KINDS: dict[str, KeyKind] = {"externalId": "external_id", "sourceId": "source_id"}


@dataclass(frozen=True, slots=True)
class Change:
    """One write: ``before`` and ``after`` hold Planhat's names; no ``key`` means create, no ``after`` delete.

    >>> from planhat_orm.models import Company
    >>> Change(Company, None, {}, {"name": "Acme"}).verb
    'create'
    """

    model: type[Record]
    key: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None

    @property
    def verb(self) -> str:
        """What the change does: "create", "update" or "delete"."""
        return "delete" if self.after is None else "update" if self.key is not None else "create"

    def __str__(self) -> str:
        return f"{self.verb} of {self.model._meta.name} {self.key or ''}".strip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one Change. ``row`` is the record as Planhat answered, if it did.

    ``number`` orders the request among all of the process; ``error`` is why it failed, or what makes it unknown.
    """

    change: Change
    status: Status
    row: dict[str, Any] | None = field(default=None, repr=False)
    number: int = 0
    error: PlanhatError | None = None


@dataclass(slots=True)
class Ledger:
    """What became of a run of Changes: every one of them is in exactly one of the lists, in the order it was made.

    >>> len(Ledger().created)
    0
    """

    outcomes: list[Outcome] = field(default_factory=list)

    def of(self, status: Status) -> list[Outcome]:
        """Return the outcomes of one status."""
        return [outcome for outcome in self.outcomes if outcome.status == status]

    created = property(lambda self: self.of("created"))
    updated = property(lambda self: self.of("updated"))
    unchanged = property(lambda self: self.of("unchanged"))
    deleted = property(lambda self: self.of("deleted"))
    failed = property(lambda self: self.of("failed"))
    not_found = property(lambda self: self.of("not_found"))
    unknown = property(lambda self: self.of("unknown"))
    not_sent = property(lambda self: self.of("not_sent"))

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)


class Writer:
    """Sends Changes and says what became of each.

    :param send: sends one request, with the session's quota, retries and errors.
    :param read_only: refuse everything.
    :param sleep: for tests.
    """

    def __init__(
        self,
        send: Callable[[Request], Response],
        *,
        read_only: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._send = send
        self._sleep = sleep
        self.read_only = read_only

    def write(self, changes: Iterable[Change]) -> Ledger:
        """Carry out changes one after another; what fails is in the ledger, and the rest goes on.

        A write whose outcome nobody can know ends the run: what follows is ``not_sent``.

        :raises ReadOnlyError: in a read-only session, before anything is sent.
        """
        ledger, stopped = Ledger(), False
        for change in changes:
            self._refuse_if_read_only(change)
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

    def _refuse_if_read_only(self, change: Change) -> None:
        if self.read_only:
            raise ReadOnlyError(
                f"{change}: this session is read-only (read_only=True or PLANHAT_READ_ONLY), nothing was sent"
            )

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
        return Outcome(change, "updated", _record(response, change), response.number)

    def _delete(self, change: Change) -> Outcome:
        response = self._send(Request("DELETE", path_for(change.model._meta.path, change.key)))
        # Answers were {n, ok}, {n, ok, deletedCount} and the deleted record itself, over the years.
        counted = response.data.get("n", response.data.get("deletedCount")) if isinstance(response.data, dict) else None
        if counted == 0 and not response.repeated:
            gone = NotFound(f"{change}: Planhat deleted nothing", status=response.status, body=response.data)
            return Outcome(change, "not_found", number=response.number, error=gone)
        return Outcome(change, "deleted", number=response.number)

    def _create(self, change: Change) -> Outcome:
        body = dict(change.after or {})
        request = Request("POST", path_for(change.model._meta.path), json=body, replay=Replay.NEVER)
        try:
            response = self._send(request)
        except (ApiError, TransportError) as error:
            if not may_have_run(error):
                raise
            return self._settle(change, body, error)
        row = _record(response, change)
        if row is None:
            raise AmbiguousWrite(
                f"{change}: Planhat answered {response.status} without the record, so it was probably dropped; "
                f"look for it before creating it again ({change.model._meta.doc_url})",
                sent=body,
            )
        return Outcome(change, "created", row, response.number)

    def _settle(self, change: Change, body: dict[str, Any], lost: PlanhatError) -> Outcome:
        """Find out by a unique key whether a create that was not answered was carried out."""
        meta = change.model._meta
        key = next((name for name in meta.unique if body.get(name) and _KINDS.get(name) in meta.keyables), None)
        if key is None:
            raise AmbiguousWrite(
                f"{change}: the answer was lost ({lost}). It may have been created, once. It has no key that is unique "
                f"in the tenant, so look for it before you create it again",
                sent=body,
            ) from lost
        path = path_for(meta.path, str(body[key]), kind=_KINDS[key])
        for attempt in range(2):
            if attempt:
                self._sleep(SETTLE_SECONDS)
            try:
                response = self._send(Request("GET", path))
            except NotFound:
                continue
            row = _record(response, change)
            if row is not None and all(_agrees(row.get(name), value) for name, value in body.items()):
                return Outcome(change, "created", row, response.number)
            raise AmbiguousWrite(
                f"{change}: the answer was lost ({lost}), and Planhat has a record with {key} {body[key]!r} that "
                f"differs from what was sent: it may be yours, changed since, or somebody else's",
                sent=body,
                candidate=row,
            ) from lost
        return self._upsert_one(change, body, key, lost)

    def _upsert_one(self, change: Change, body: dict[str, Any], key: str, lost: PlanhatError) -> Outcome:
        """Create by upsert, which cannot make a second record: the key is unique and matched on."""
        meta = change.model._meta
        if key not in meta.match_keys:
            raise AmbiguousWrite(f"{change}: the answer was lost ({lost})", sent=body) from lost
        response = self._send(Request("PUT", path_for(meta.path), json=[body], replay=Replay.ALWAYS))
        result = response.data if isinstance(response.data, Mapping) else {}
        keys = [*(result.get("insertsKeys") or []), *(result.get("updatesKeys") or [])]
        if not keys and not result.get("nonupdates"):
            raise AmbiguousWrite(
                f"{change}: the answer was lost ({lost}), and so was the repetition", sent=body
            ) from lost
        found = self._send(Request("GET", path_for(meta.path, str(body[key]), kind=_KINDS[key])))
        return Outcome(change, "created", _record(found, change), found.number)


def _record(response: Response, change: Change) -> dict[str, Any] | None:
    """Return the record in an answer, None for an empty one; anything else is no answer to a write."""
    data = response.data
    if isinstance(data, dict) and isinstance(data.get("_id"), str):
        if change.key is not None and data["_id"] != change.key:
            raise TransportError(
                f"{change}: Planhat answered with another record, {data['_id']}", sent=True, status=response.status
            )
        return data
    if not data:
        return None
    raise TransportError(
        f"{change}: Planhat answered {response.status}, but not with the record: {str(data)[:200]}",
        sent=True,
        status=response.status,
    )


def _agrees(stored: Any, sent: Any) -> bool:
    """Tell whether a stored value is what was sent, as far as Planhat keeps it: more keys and defaults are its own."""
    if isinstance(sent, Mapping):
        return isinstance(stored, Mapping) and all(_agrees(stored.get(key), value) for key, value in sent.items())
    if isinstance(sent, str) and sent[:6] in ("extid-", "srcid-"):
        return isinstance(stored, str)  # a reference by key is stored as the id
    return bool(stored == sent) or (isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored))
