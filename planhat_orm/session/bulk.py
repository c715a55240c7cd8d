"""Bulk upserts: items to requests of at most 5,000 items and 32 MB, one after another, and what became of each.

Knows records by the protocol only. Imports wire and its own package; whose is what in an answer is for
``attribution``. It does not promise that an item is written once when its request's answer was lost: what has a key is
sent again, which cannot make a second record, and marked ``repeated``; what has none is never sent again, and
``unknown``.

Source: https://www.planhat.com/developers/api/bulk-upsert
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import AmbiguousWrite, ApiError, BadRequest, Forbidden, TransportError, ValidationError
from planhat_orm.session.attribution import Envelope, Verdict, attribute
from planhat_orm.session.changes import DONE, Outcome
from planhat_orm.session.chunking import MAX_BYTES, chunked
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.messages import encode_json
from planhat_orm.wire.retry import may_have_run
from planhat_orm.wire.transport import Replay, Request, Response

if TYPE_CHECKING:
    from planhat_orm.errors import PlanhatError
    from planhat_orm.session.changes import Change
    from planhat_orm.session.records import Record

__all__ = ["MAX_ITEMS", "Upsert", "chunks_of", "is_keyed", "merge_duplicates"]

#: The most items that Planhat takes in one request (https://www.planhat.com/developers/api/introduction).
MAX_ITEMS = 5_000
#: Seconds to wait for a connection and for an answer: 5,000 items take Planhat longer than one.
TIMEOUT = (5.0, 180.0)

_TOO_LARGE = 413

_log = logging.getLogger("planhat_orm.session")


class Upsert:
    """One run of bulk upserts of one model.

    :param send: sends one request, with the session's quota, retries and errors.
    :param model: whose records they are.
    """

    def __init__(self, send: Callable[[Request], Response], model: type[Record]) -> None:
        self._send = send
        self._path = path_for(model._meta.path)
        #: Set when a request failed as a whole: nothing is sent any more, and outcomes are "not_sent".
        self.stopped = False
        #: How many records were created, updated and unchanged, as Planhat counts them.
        self.counted = {"created": 0, "updated": 0, "unchanged": 0}
        #: The ids that the answers to one chunk name.
        self._named: set[str] = set()

    def write(
        self,
        changes: Sequence[Change],
        done: Callable[[int, Outcome], None],
        *,
        sending: Callable[[Sequence[int]], None] = lambda places: None,
        answered: Callable[[Sequence[int], Set[str]], None] = lambda places, ids: None,
    ) -> None:
        """Send items, and tell ``done`` each one's place among them and its outcome as soon as it is known.

        ``sending`` is told the places of those that go next: what ends a run early may come too late for them.
        ``answered`` is told of those that went, after their outcomes, and of all ids that the answer names, also where
        it does not say whose they are.

        Items for one record are merged first. Items without a key, which Planhat always inserts, go in requests of
        their own, after the others, so that an answer that is lost leaves nobody else in doubt.

        :raises ValidationError: before any request, for what cannot be sent as JSON or does not fit into a request.
        :raises ReadOnlyError: in a read-only session.
        """
        items, merged = merge_duplicates(changes)
        places = [place for place in range(len(changes)) if place not in merged]
        keyed = [place for place in places if is_keyed(items[place])]
        keyless = [place for place in places if not is_keyed(items[place])]
        waves = [chunk for wave in waves_of(items, keyed) for chunk in chunks_of(items, wave)]
        chunks = [*waves, *chunks_of(items, keyless)]
        stored: dict[int, str | None] = dict.fromkeys(merged.values())
        for chunk in chunks:
            sent = not self.stopped
            if sent:
                sending(chunk)
            for place, outcome in self._outcomes(items, chunk):
                if place in stored and outcome.status in DONE:
                    stored[place] = outcome.id
                done(place, outcome)
            if sent:
                answered(chunk, self._named)
                self._named = set()
        for place, into in merged.items():
            _log.warning("%s: sent together with %s, which is of the same record", changes[place], changes[into])
            done(place, Outcome(slim(changes[place]), "merged", found=stored[into]))

    def _outcomes(self, items: Sequence[Change], chunk: list[int]) -> Iterator[tuple[int, Outcome]]:
        """Send one chunk and yield what became of its items; in two halves if it is too large for Planhat."""
        if self.stopped:
            yield from ((place, Outcome(items[place], "not_sent")) for place in chunk)
            return
        sent = [items[place] for place in chunk]
        try:
            response = self._send(self._request(sent))
        except (ApiError, TransportError) as error:
            if getattr(error, "status", None) == _TOO_LARGE and len(chunk) > 1 and not may_have_run(error):
                middle = len(chunk) // 2
                yield from self._outcomes(items, chunk[:middle])
                yield from self._outcomes(items, chunk[middle:])
                return
            outcomes = self._refused(sent, error)
        else:
            outcomes = self._answered(sent, response.data, response.status, response.number, response.repeated)
        yield from zip(chunk, outcomes, strict=True)

    def _request(self, sent: Sequence[Change]) -> Request:
        replay = Replay.LATER if all(is_keyed(item) for item in sent) else Replay.NEVER
        body = [dict(item.after or {}) for item in sent]
        return Request("PUT", self._path, json=body, replay=replay, timeout=TIMEOUT)

    def _refused(self, sent: Sequence[Change], error: ApiError | TransportError) -> list[Outcome]:
        """Say what an error means for the items: 400 and 403 may hold the answer, anything else is for all of them."""
        lost = may_have_run(error)
        if isinstance(error, ApiError) and error.status in (400, 403) and Envelope.of(error.body) is not None:
            return self._answered(sent, error.body, error.status, 0, lost)
        self.stopped = True
        if lost:
            return [Outcome(item, "unknown", error=lost_answer(item, error)) for item in sent]
        return [Outcome(item, "failed", error=error) for item in sent]

    def _answered(self, sent: Sequence[Change], data: Any, status: int, number: int, repeated: bool) -> list[Outcome]:
        envelope = Envelope.of(data)
        if envelope is None:
            self.stopped = True
            said = str(data)[:200] if data else "an empty body"
            return [
                Outcome(
                    item,
                    "unknown",
                    number=number,
                    repeated=repeated,
                    error=AmbiguousWrite(
                        f"{item}: Planhat answered {status} with {said}, which does not tell what became of it",
                        sent=item.after,
                    ),
                )
                for item in sent
            ]
        told = envelope.told
        self._named |= told.created | told.updated
        for counted, count in zip(self.counted, (envelope.created, envelope.updated, envelope.nonupdates), strict=True):
            self.counted[counted] += count
        verdicts = attribute(sent, envelope, repeated=repeated)
        return [
            Outcome(
                slim(item) if verdict.status in DONE else item,
                verdict.status,
                number=number,
                error=reason_of(item, verdict, status),
                repeated=repeated,
                found=verdict.id,
                told=told if verdict.status == "unknown" else None,
            )
            for item, verdict in zip(sent, verdicts, strict=True)
        ]


def is_keyed(change: Change) -> bool:
    """Tell whether Planhat has something to match an item by; one without is inserted each time it is sent."""
    return change.key is not None or bool(change.keys)


def slim(change: Change) -> Change:
    """Return a change that is done without its values: its keys say which it was, the input may be large."""
    return replace(change, before={}, after=dict(change.keys or {}))


def reason_of(item: Change, verdict: Verdict, status: int) -> PlanhatError | None:
    """Return the error that says why an item is not done, or why nobody knows."""
    if verdict.status == "unknown":
        return AmbiguousWrite(
            f"{item}: {verdict.reason}{cure(item, verdict.reason)}. {what_then(item)}", sent=item.after
        )
    if verdict.status != "failed":
        return None
    kind = Forbidden if verdict.forbidden else BadRequest
    return kind(
        f"{item}: Planhat refuses it: {verdict.reason}{cure(item, verdict.reason)}", status=status, body=verdict.reason
    )


def cure(item: Change, reason: str) -> str:
    """Say by their own names what a reason names that a new record needs and an item lacks."""
    meta, body = item.model._meta, item.after or {}
    needed = [one for entry in meta.upsert_required for one in ([entry] if isinstance(entry, str) else entry)]
    lacking = [
        f"{meta.by_key[name].name}={meta.create_defaults.get(name, ...)!r}".replace("Ellipsis", "...")
        for name in dict.fromkeys((*needed, *meta.create_defaults))
        if re.search(rf"\b{re.escape(name)}\b", reason) and name not in meta.as_read(body)
    ]
    return f"; a new {meta.name} needs {' and '.join(lacking)} in bulk" if lacking else ""


def what_then(item: Change) -> str:
    """Say how to find out what became of an item."""
    if path_of(item) is not None:
        return "Ledger.reconcile() reads it back"
    return "Nothing that it holds reads it back: look for it among the records at Planhat"


def lost_answer(item: Change, error: PlanhatError) -> AmbiguousWrite:
    """Return the error of an item whose request was not answered."""
    then = (
        f"{what_then(item)}; sending it again cannot make a second record"
        if is_keyed(item)
        else f"{what_then(item)}, before you send it again"
    )
    found = AmbiguousWrite(f"{item}: the answer was lost, so it may have been carried out ({error}). {then}")
    found.sent = dict(item.after or {})
    found.__cause__ = error
    return found


def path_of(change: Change) -> str | None:
    """Return the path that an item's record is read by; None where Planhat offers none."""
    meta = change.model._meta
    if "get" in meta.not_offered:
        return None
    if change.key is not None:
        return path_for(meta.path, change.key)
    name, value = read_by(change)
    return path_for(meta.path, value, kind=meta.key_kinds[name]) if name else None


def read_by(change: Change) -> tuple[str, str]:
    """Return the key that an item's record is read by, its name and value; blank where there is none."""
    meta, body = change.model._meta, change.model._meta.as_read(change.after or {})
    if change.matched_by is not None:
        # Planhat matched by this key, and by no other; one that the path does not take cannot be read by.
        name, value = change.matched_by
        return (name, value) if name in meta.key_kinds else ("", "")
    own = ((name, body.get(name)) for name in meta.key_kinds if name != "_id")
    return next(((name, value) for name, value in own if isinstance(value, str) and value.strip()), ("", ""))


# One record, one item


def merge_duplicates(changes: Sequence[Change]) -> tuple[list[Change], dict[int, int]]:
    """Join items that Planhat would match with one record: what becomes of two in one request is not documented.

    The last one of them is sent, with the values of the earlier ones that it does not have itself, key by key in
    ``custom``: what comes of it is what sending one after the other would have.

    Returns the items, and for the place of each that is not sent the place of the one that is.

    >>> from planhat_orm.session.changes import Change
    >>> rows = [{"externalId": "a", "name": "A"}, {"externalId": "a", "phase": "Live"}]
    >>> items = [Change(Company, None, {}, row, keys={"externalId": "a"}) for row in rows]
    >>> found, merged = merge_duplicates(items)
    >>> found[1].after, merged
    ({'externalId': 'a', 'name': 'A', 'phase': 'Live'}, {0: 1})
    """
    items, merged = list(changes), dict[int, int]()
    last: dict[Any, int] = {}
    latest: dict[str, int] = {}
    for place, change in enumerate(changes):
        same = identity_of(change)
        if same is None:
            continue
        earlier = last.get(same)
        # What came in between by another key may be of the same record: joining would turn their order round.
        if earlier is not None and all(other <= earlier for name, other in latest.items() if name != same[0]):
            items[place] = replace(change, after=joined(items[earlier].after or {}, change.after or {}))
            merged[earlier] = place
        last[same] = latest[same[0]] = place
    for place in sorted(merged, reverse=True):
        merged[place] = merged.get(merged[place], merged[place])
    return items, dict(sorted(merged.items()))


def waves_of(items: Sequence[Change], places: Sequence[int]) -> list[list[int]]:
    """Split the places of items so that two for one record are not in one request, and go in their order.

    Items with another kind of key may be of the same record: none goes before an earlier one of those, either.

    >>> from planhat_orm.session.changes import Change
    >>> rows = [{"externalId": "a"}, {"sourceId": "s"}, {"externalId": "a"}]
    >>> waves_of([Change(Company, None, {}, row, keys=row) for row in rows], range(3))
    [[0, 1], [2]]
    """
    waves: list[list[int]] = []
    seen: dict[Any, int] = {}
    latest: dict[str, int] = {}
    for place in places:
        same, number = identity_of(items[place]), 0
        if same is not None:
            number = max(seen.get(same, 0), *(wave for name, wave in latest.items() if name != same[0]), 0)
            seen[same], latest[same[0]] = number + 1, max(number, latest.get(same[0], 0))
        if number == len(waves):
            waves.append([])
        waves[number].append(place)
    return waves


def identity_of(change: Change) -> tuple[str, ...] | None:
    """Return what two items for one record have in common: the key that decides, and what it is unique within."""
    meta = change.model._meta
    if change.key is not None:
        return "_id", change.key
    body = meta.as_read(change.after or {})
    if change.matched_by is None:
        return None
    within = meta.unique_within.get(change.matched_by[0])
    return *change.matched_by, str(body.get(within)) if within else ""


def joined(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of two items for one record, the later one's before the earlier one's."""
    both = {**earlier, **later}
    if isinstance(earlier.get("custom"), Mapping) and isinstance(later.get("custom"), Mapping):
        both["custom"] = {**earlier["custom"], **later["custom"]}
    return both


# Requests


def chunks_of(
    items: Sequence[Change], places: Sequence[int], *, most: int = MAX_ITEMS, largest: int = MAX_BYTES
) -> list[list[int]]:
    """Split the places of items so that each request has at most ``most`` of them and ``largest`` bytes.

    :raises ValidationError: for an item that cannot be sent as JSON, or that is larger than a request may be.

    >>> from planhat_orm.session.changes import Change
    >>> items = [Change(Company, None, {}, {"name": name}) for name in ("A", "B", "C")]
    >>> chunks_of(items, range(3), most=2), chunks_of(items, range(3), largest=16)
    ([[0, 1], [2]], [[0], [1], [2]])
    """

    def too_large(_: int, place: int, size: int) -> ValidationError:
        return ValidationError(
            {called(items[place]): [f"is {size / 1e6:.1f} MB; Planhat takes {largest / 1e6:g} MB a request"]},
            model=items[place].model._meta.name,
        )

    return list(chunked(places, lambda place: size_of(items[place]), too_large, most=most, largest=largest))


def size_of(item: Change) -> int:
    """Return the bytes that an item takes in a request's body."""
    try:
        return len(encode_json(item.after))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError(
            {called(item): [f"cannot be sent as JSON: {error}"]}, model=item.model._meta.name
        ) from error


def called(item: Change) -> str:
    """Return how an item is named in complaints."""
    return f"items[{item.place}]"
