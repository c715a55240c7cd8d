"""Whose is what in the answer to a bulk upsert: from counts, keys and reasons to what became of each item.

Pure: items and an answer in, a verdict for each item out. Imports errors and changes. It does not promise to tell
everything: the answer may count without naming, and what it cannot tell apart is "unknown", or "stored" where at least
nothing was refused. A claim is never a guess, but for one: the ids of new records without keys are taken in the order
in which Planhat lists them, which is that of the request in all its samples.

Source: https://www.planhat.com/developers/api/bulk-upsert and https://www.planhat.com/developers/api/http-response-codes
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planhat_orm.session.changes import Told

if TYPE_CHECKING:
    from planhat_orm.session.changes import Change, Status

__all__ = ["Envelope", "Verdict", "attribute", "reasons_in"]

_COUNTS = ("created", "updated", "nonupdates")
_ERRORS = ("createdErrors", "updatedErrors", "permissionErrors", "validationErrors")
_LISTS = ("insertsKeys", "updatesKeys", "modified", "upsertedIds", *_ERRORS)
_MESSAGES = ("message", "error", "errors", "detail", "reason")
#: How many reasons are told of one item that may have any of them.
_MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one item: the record's id where it is known, the reason where it is not done."""

    status: Status
    id: str | None = None
    reason: str = ""
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """A bulk upsert's answer, read: what is missing from an older one counts as nothing."""

    created: int
    updated: int
    nonupdates: int
    #: Keys of new and of changed records; an id that is listed alone is there as {"_id": id}.
    inserts: list[Mapping[str, Any]]
    updates: list[Mapping[str, Any]]
    #: (name of the list, element) of every refusal.
    errors: list[tuple[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, data: Any) -> Envelope | None:
        """Read an answer; None where it is none to a bulk upsert.

        >>> Envelope.of({"message": "Something went wrong"}) is None
        True
        >>> Envelope.of({"created": 1, "upsertedIds": ["64b0000000000000000000aa"]}).inserts
        [{'_id': '64b0000000000000000000aa'}]
        """
        if not isinstance(data, Mapping):
            return None
        counts = {name: data[name] for name in _COUNTS if type(data.get(name)) is int}
        lists: dict[str, list[Any]] = {name: data[name] for name in _LISTS if isinstance(data.get(name), list)}
        if not counts and not lists:
            return None
        inserts = _elements(lists.get("insertsKeys", []), lists.get("upsertedIds", []))
        updates = _elements(lists.get("updatesKeys", []), lists.get("modified", []))
        return cls(
            counts.get("created", len(inserts)),
            counts.get("updated", len(updates)),
            counts.get("nonupdates", 0),
            inserts,
            updates,
            [(name, element) for name in _ERRORS for element in lists.get(name, [])],
        )

    @property
    def told(self) -> Told:
        """The ids, for whoever reads records back later."""
        created = frozenset(one["_id"] for one in self.inserts if isinstance(one.get("_id"), str))
        updated = frozenset(one["_id"] for one in self.updates if isinstance(one.get("_id"), str))
        return Told(created, updated, len(created) == self.created and len(updated) == self.updated)


def attribute(items: Sequence[Change], envelope: Envelope, *, repeated: bool = False) -> list[Verdict]:
    """Say what became of each item of one request.

    By id first, then by the keys that the answer shows, then by what is left over when the counts agree.

    :param repeated: it was sent before and that answer was lost: a duplicate may then be one of the first time.
    """
    verdicts = _Attribution(items, envelope).verdicts()
    if not repeated:
        return verdicts
    return [_doubted(one) if one.status == "failed" and "duplicat" in one.reason.lower() else one for one in verdicts]


def _doubted(verdict: Verdict) -> Verdict:
    return Verdict(
        "unknown",
        reason=f"it was sent twice, as an answer was lost, and the second time Planhat said: {verdict.reason}; "
        "that may be of the first time",
    )


class _Attribution:
    """One answer held against one request's items."""

    def __init__(self, items: Sequence[Change], envelope: Envelope) -> None:
        self.items = items
        self.envelope = envelope
        self.found: dict[int, Verdict] = {}
        self.contradicted: set[int] = set()
        #: Elements that name no item.
        self.loose_inserts: list[Mapping[str, Any]] = []
        self.loose_updates: list[Mapping[str, Any]] = []
        self.loose_reasons: list[str] = []
        self.loose_forbidden = 0
        #: The places of the items that the list of new records names, in its order; None for one that names none.
        self.insert_order: list[int | None] = []
        self._by_id = {item.key: place for place, item in enumerate(items) if item.key is not None}
        self._by_key: dict[tuple[str, str], set[int]] = {}
        for place, item in enumerate(items):
            for name, value in (item.keys or {}).items() if item.key is None else ():
                self._by_key.setdefault((name, value.casefold()), set()).add(place)
        self._names = {name: None for item in items for name in item.keys or {}}

    def verdicts(self) -> list[Verdict]:
        """Say what became of each item."""
        for element in self.envelope.inserts:
            place = self._named(element)
            self.insert_order.append(place)
            if place is None:
                self.loose_inserts.append(element)
            else:
                self._claim(place, Verdict("created", element.get("_id")))
        for element in self.envelope.updates:
            place = self._named(element)
            if place is None:
                self.loose_updates.append(element)
            else:
                self._claim(place, Verdict("updated", element.get("_id")))
        for name, element in self.envelope.errors:
            place = self._named_by_error(element)
            reason, forbidden = _reason(element), name == "permissionErrors"
            if place is None:
                self.loose_reasons.append(reason)
                self.loose_forbidden += forbidden
            else:
                self._claim(place, Verdict("failed", reason=reason, forbidden=forbidden))
        for place in self.contradicted:
            self.found[place] = Verdict("unknown", reason="Planhat's answer says two things of it")
        self._share_out([place for place in range(len(self.items)) if place not in self.found])
        return [self.found[place] for place in range(len(self.items))]

    def _claim(self, place: int, verdict: Verdict) -> None:
        known = self.found.setdefault(place, verdict)
        if (known.status, known.id) != (verdict.status, verdict.id):
            self.contradicted.add(place)

    # Naming

    def _named(self, element: Mapping[str, Any]) -> int | None:
        """Return the place of the one item that an element speaks of; None where it names none, or several."""
        key = element.get("_id")
        if isinstance(key, str) and key in self._by_id:
            return self._by_id[key]
        candidates: set[int] | None = None
        for name in self._names:
            places = self._by_key.get((name, _text(element.get(name))))
            if places:
                candidates = places if candidates is None else candidates & places
        if candidates is None or len(candidates) != 1:
            return None
        [place] = candidates
        return place if self._fits(element, self.items[place]) else None

    @staticmethod
    def _fits(element: Mapping[str, Any], item: Change) -> bool:
        """Tell whether an element contradicts no key of an item; a key has any of several names, any may be shown."""
        keys = item.keys or {}
        return all(not _text(element.get(name)) or _text(element[name]) == keys[name].casefold() for name in keys)

    def _named_by_error(self, element: Any) -> int | None:
        """Return the place of the item that a refusal speaks of.

        What an element looks like is not documented. One that is an object may hold the item's keys, or the item; an
        ``index`` in it is not used, since nobody says what it counts.
        """
        for inside in _mappings(element):
            place = self._named(inside)
            if place is not None:
                return place
            same = self._by_body.get(_signature(inside), [])
            if len(same) == 1:
                return same[0]
        return None

    @cached_property
    def _by_body(self) -> dict[str, list[int]]:
        """The places of the items by what was sent of them."""
        found: dict[str, list[int]] = {}
        for place, item in enumerate(self.items):
            found.setdefault(_signature(item.after or {}), []).append(place)
        return found

    # What is left over

    def _share_out(self, left: list[int]) -> None:
        """Give the items that nothing names what the counts leave."""
        counts = self._left_over()
        if not left:
            if self.loose_reasons:
                self._doubt_all()
            return
        if self.contradicted or min(counts.values()) < 0 or sum(counts.values()) != len(left):
            self._unknown(left, self._miscounted())
            return
        kinds: list[Status] = [status for status, count in counts.items() if count]
        if kinds == ["created"]:
            self._created(left)
        elif kinds == ["updated"] and len(left) == len(self.loose_updates) == 1:
            self.found[left[0]] = Verdict("updated", self.loose_updates[0].get("_id"))
        elif len(kinds) == 1 and kinds != ["failed"]:
            self.found |= {place: Verdict(kinds[0], self.items[place].key) for place in left}
        elif kinds == ["failed"]:
            forbidden = self.loose_forbidden == len(left)
            self.found |= {place: Verdict("failed", None, self._reasons(), forbidden) for place in left}
        elif "failed" not in kinds:
            self.found |= {place: Verdict("stored", self.items[place].key) for place in left}
        else:
            count = len(self.loose_reasons)
            self._unknown(left, f"Planhat refused {count} of {len(left)} without saying which: {self._reasons()}")

    def _left_over(self) -> dict[Status, int]:
        claimed = [verdict.status for verdict in self.found.values()]
        counts: dict[Status, int] = {
            "created": self.envelope.created - claimed.count("created"),
            "updated": self.envelope.updated - claimed.count("updated"),
            "unchanged": self.envelope.nonupdates,
            "failed": len(self.loose_reasons),
        }
        return counts

    def _miscounted(self) -> str:
        one = self.envelope
        counted = one.created + one.updated + one.nonupdates + len(one.errors)
        said = (
            f"of {len(self.items)} items sent Planhat's answer counts {counted} ({one.created} created, {one.updated} "
            f"updated, {one.nonupdates} unchanged, {len(one.errors)} refused)"
        )
        if counted < len(self.items):
            # https://help.planhat.com/en/articles/9586991-not-all-end-users-sent-over-api-get-added-to-planhat
            said += "; what it does not count may have been dropped, as people without a company are"
        return f"{said}: {self._reasons()}" if self.loose_reasons else said

    def _reasons(self) -> str:
        return _joined(self.loose_reasons)

    def _unknown(self, places: list[int], reason: str) -> None:
        self.found |= {place: Verdict("unknown", self.items[place].key, reason) for place in places}

    def _doubt_all(self) -> None:
        """Take back what was said to be done: there is a refusal too many, and nobody knows of which."""
        done = [place for place, verdict in self.found.items() if verdict.status in ("created", "updated")]
        self._unknown(done, f"Planhat says that it is done, and refuses one it does not name: {self._reasons()}")

    def _created(self, left: list[int]) -> None:
        """All that is left is new: the ids are taken in the order of the list, unless that is not the request's."""
        rest = iter(left)
        order = [next(rest, -1) if place is None else place for place in self.insert_order]
        fitting = len(self.loose_inserts) == len(left) and order == sorted(order)
        pairs = list(zip(left, self.loose_inserts, strict=fitting))
        fitting = fitting and all(self._by_position(element, self.items[place]) for place, element in pairs)
        # What has a key is told by it or, but for the only one, not at all: another order would mix records up.
        sure = fitting and (len(pairs) == 1 or not any(self.items[place].keys for place in left))
        ids = {place: element.get("_id") for place, element in pairs} if sure else {}
        self.found |= {place: Verdict("created", ids.get(place)) for place in left}

    def _by_position(self, element: Mapping[str, Any], item: Change) -> bool:
        """Tell whether an element may be of the item in its place: it shows no key that the item does not have."""
        keys = item.keys or {}
        shown = [name for name in self._names if _text(element.get(name))]
        return all(_text(element[name]) == keys.get(name, "").casefold() for name in shown)


def _elements(keys: list[Any], ids: list[Any]) -> list[Mapping[str, Any]]:
    """Return the elements of a list of keys, and of a list of ids those that the other one lacks."""
    found: list[Mapping[str, Any]] = [one for one in keys if isinstance(one, Mapping)]
    known = {one.get("_id") for one in found}
    return found + [{"_id": one} for one in dict.fromkeys(ids_in(ids)) if one not in known]


def ids_in(values: list[Any]) -> Iterator[str]:
    """Yield the ids of a list.

    >>> list(ids_in(["64b0000000000000000000aa", None]))
    ['64b0000000000000000000aa']
    """
    yield from (one for one in values if isinstance(one, str))


def _text(value: Any) -> str:
    """Return a key for comparison: an externalId sent as a number is answered as text, an e-mail in small letters."""
    return str(value).casefold() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _mappings(element: Any, depth: int = 2) -> Iterator[Mapping[str, Any]]:
    """Yield an object, and the objects that it holds."""
    if isinstance(element, Mapping):
        yield element
        for value in element.values() if depth else ():
            yield from _mappings(value, depth - 1)


def _signature(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, default=str)


def _reason(element: Any) -> str:
    if isinstance(element, Mapping):
        element = next((element[name] for name in _MESSAGES if element.get(name)), element)
    return str(element)[:300]


def _joined(reasons: list[str]) -> str:
    told = list(dict.fromkeys(reasons))
    more = f"; and {len(told) - _MOST_REASONS} more" if len(told) > _MOST_REASONS else ""
    return "; ".join(told[:_MOST_REASONS]) + more


def reasons_in(data: Any) -> list[str]:
    """Return the reasons in a bulk upsert's answer, which may be 200 with failures inside.

    >>> reasons_in({"created": 0, "createdErrors": [{"error": "email duplicated"}]})
    ['email duplicated']
    """
    envelope = Envelope.of(data)
    return [_reason(element) for _, element in envelope.errors] if envelope is not None else []
