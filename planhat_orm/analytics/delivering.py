"""Chunks of items on their way to the analytics host, through the Writer, and what became of each item.

Planhat's 200 means "received"; of metrics it lists the items whose form is wrong, and nothing else is ever told.
Imports the session. It does not promise that what was acknowledged will be stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import AmbiguousWrite, ApiError, BadRequest, PlanhatError, TransportError
from planhat_orm.session.changes import Change, Ledger, Outcome, Status

if TYPE_CHECKING:
    from planhat_orm.session.writer import Writer

__all__ = ["TIMEOUT", "Delivery", "deliver"]

#: Seconds to wait for a connection and for the answer to a chunk of megabytes.
TIMEOUT = (5.0, 180.0)
TOO_LARGE = 413

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is delivered, and where.

    :param model: what the items are.
    :param path: on the analytics host; ``{tenant}`` stands for the tenant token.
    :param auth: whether the API token or the tenant token goes into a header, or none does.
    :param listed: whether the items are sent as a list.
    """

    model: type[Any]
    path: str
    auth: Literal["token", "tenant", "none"] = "token"
    listed: bool = True


def deliver(writer: Writer, chunks: Iterable[list[Item]], delivery: Delivery, ledger: Ledger) -> None:
    """Send chunk after chunk, each once, and enter every item into the ledger.

    A chunk that is refused whole, or whose answer is lost, ends the run: what follows in a list of chunks is
    ``not_sent``, and what generates them is not read any further. One that is too large for Planhat is halved.

    :param chunks: an error of what generates them is passed on, and the ledger holds what came before.
    """
    going = True
    for chunk in chunks:
        going = _delivered(writer, chunk, delivery, ledger, going=going)
        if not (going or isinstance(chunks, list)):
            return


def _delivered(writer: Writer, chunk: list[Item], delivery: Delivery, ledger: Ledger, *, going: bool) -> bool:
    """Send one chunk, if things go well so far, and tell whether they still do."""
    if not going:
        enter(ledger, delivery, chunk, ["not_sent"] * len(chunk), {})
        return False
    try:
        response = writer.act(
            delivery.model,
            "POST",
            delivery.path,
            chunk if delivery.listed else chunk[0],
            host="analytics",
            auth=delivery.auth,
            timeout=TIMEOUT,
        )
    except AmbiguousWrite as error:
        enter(ledger, delivery, chunk, ["unknown"] * len(chunk), dict.fromkeys(range(len(chunk)), error))
        return False
    except (ApiError, TransportError) as error:
        if isinstance(error, ApiError) and error.status == TOO_LARGE and len(chunk) > 1:
            half = len(chunk) // 2
            going = _delivered(writer, chunk[:half], delivery, ledger, going=True)
            return _delivered(writer, chunk[half:], delivery, ledger, going=going)
        enter(ledger, delivery, chunk, ["failed"] * len(chunk), dict.fromkeys(range(len(chunk)), error))
        return False
    statuses, errors = attributed(chunk, response.data, before=len(ledger))
    enter(ledger, delivery, chunk, statuses, errors)
    return True


def enter(
    ledger: Ledger, delivery: Delivery, chunk: list[Item], statuses: list[Status], errors: Mapping[int, PlanhatError]
) -> None:
    """Write down what became of each item of a chunk."""
    before = len(ledger)
    for place, (item, status) in enumerate(zip(chunk, statuses, strict=True)):
        # Of what is done the input is not kept: there may be a million items of it.
        after = {} if delivery.listed and status == "acknowledged" else item
        change = Change(delivery.model, None, {}, after, place=before + place if delivery.listed else None)
        ledger.outcomes.append(Outcome(change, status, error=errors.get(place)))


def attributed(chunk: list[Item], data: Any, *, before: int = 0) -> tuple[list[Status], dict[int, PlanhatError]]:
    """Return what an answer says of each item, and why.

    The answer to metrics is ``{"processed": 1, "errors": [{"item": {...}, "error": "..."}]}`` with status 200; the item
    comes back with Planhat's defaults filled in. Whether ``processed`` counts the refused ones is not known.

    :param before: how many rows were sent before these.

    Sources: https://www.planhat.com/developers/api/metrics and the tests of Airbyte's connector.
    """
    if isinstance(data, str) and data.lstrip().startswith(("{", "[")):
        cut = PlanhatError("Planhat received these items; its answer was cut off, so that what it refused is not known")
        return ["unknown"] * len(chunk), dict.fromkeys(range(len(chunk)), cut)
    entries = data.get("errors") if isinstance(data, Mapping) else None
    statuses: list[Status] = ["acknowledged"] * len(chunk)
    errors: dict[int, PlanhatError] = {}
    adrift: list[str] = []
    found = _Finder(chunk)
    for entry in entries if isinstance(entries, list) else []:
        item = entry.get("item") if isinstance(entry, Mapping) else None
        reason = str(entry.get("error", entry)) if isinstance(entry, Mapping) else str(entry)
        place = found.take(item) if isinstance(item, Mapping) else None
        if place is None:
            adrift.append(reason)
            continue
        statuses[place] = "failed"
        errors[place] = BadRequest(f"rows[{before + place}]: Planhat refuses it: {reason}", status=200, body=entry)
    if adrift:
        doubt = PlanhatError(
            f"Planhat refused {len(adrift):,} of these items and does not say which: {'; '.join(adrift[:5])}"
        )
        for place, status in enumerate(statuses):
            if status == "acknowledged":
                statuses[place], errors[place] = "unknown", doubt
    return statuses, errors


class _Finder:
    """Finds the items that come back in an answer, each place once."""

    def __init__(self, chunk: list[Item]) -> None:
        self._chunk = chunk
        self._places: dict[str, list[int]] = {}

    def take(self, item: Mapping[str, Any]) -> int | None:
        """Return the place of an item, None where it is that of none, or may be that of several different ones."""
        if not self._places:
            for place in range(len(self._chunk) - 1, -1, -1):
                self._places.setdefault(_canonical(self._chunk[place]), []).append(place)
        same = self._places.get(_canonical(item))
        if same is None:
            # What Planhat adds to an item, or writes in another form, does not count, if one only can be meant.
            alike = [one for one, places in self._places.items() if places and _likely(item, self._chunk[places[0]])]
            same = self._places[alike[0]] if len(alike) == 1 else None
        return same.pop() if same else None


def _likely(item: Mapping[str, Any], sent: Item) -> bool:
    """Tell whether an item that came back holds all that was sent."""
    return all(item.get(key) == value for key, value in sent.items())


def _canonical(item: Mapping[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, ensure_ascii=False, default=str)
