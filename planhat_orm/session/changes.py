"""What a write is, and what became of it: Change, Outcome and Ledger.

Descriptions only, which send nothing. Imports errors and the record protocol. A Change does not promise that its
``before`` is still what Planhat has.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planhat_orm.errors import PlanhatError
    from planhat_orm.session.records import Record

__all__ = ["Change", "Ledger", "Outcome", "Status", "Told"]

Status = Literal[
    "created",
    "updated",
    "unchanged",
    "deleted",
    "stored",
    "merged",
    "acknowledged",
    "failed",
    "not_found",
    "unknown",
    "not_sent",
]

# What a record without an id is called in messages, first found: what people call it, then its keys.
_NAMED_BY = ("name", "title", "email", "subject", "product", "action", "dimensionId", "externalId", "extId", "sourceId")

#: The statuses of what a bulk upsert did: the record is at Planhat as it was sent.
DONE: frozenset[Status] = frozenset({"created", "updated", "unchanged", "stored"})
#: The statuses of what was not done, or may not have been.
NOT_DONE: frozenset[Status] = frozenset({"failed", "not_found", "unknown", "not_sent"})


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """One write: ``before`` and ``after`` hold Planhat's names; no ``key`` means create, no ``after`` delete.

    An item of a bulk upsert has ``keys``, the values that Planhat may match it by besides ``_id``, by every name that
    an answer may give them, and its ``place`` in the input.

    >>> from planhat_orm.models import Company
    >>> change = Change(Company, None, {}, {"name": "Acme"})
    >>> change.verb, str(change)
    ('create', "create of Company 'Acme'")
    >>> change
    <create of Company 'Acme': name>
    """

    model: type[Record]
    key: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None
    keys: Mapping[str, str] | None = None
    place: int | None = None

    @property
    def verb(self) -> Literal["create", "update", "delete", "upsert"]:
        """What the change does."""
        if self.keys is not None:
            return "upsert"
        if self.after is None:
            return "delete"
        return "create" if self.key is None else "update"

    @property
    def matched_by(self) -> tuple[str, str] | None:
        """The key that Planhat matches an item of a bulk upsert by, its name and value; None without, or by its id.

        >>> Change(Company, None, {}, {}, keys={"externalId": "acme-42", "sourceId": "crm-7"}).matched_by
        ('sourceId', 'crm-7')
        """
        keys = self.keys or {}
        return next(((name, keys[name]) for name in self.model._meta.match_keys if keys.get(name)), None)

    def __str__(self) -> str:
        values = self.after or {}
        called = self.key or next((repr(values[name]) for name in _NAMED_BY if values.get(name)), "")
        where = f"items[{self.place}], " if self.place is not None else ""
        return f"{where}{self.verb} of {self.model._meta.name} {called}".rstrip()

    def __repr__(self) -> str:
        names = ", ".join(self.after or ())
        return f"<{self}: {names}>" if names else f"<{self}>"


@dataclass(frozen=True, slots=True)
class Told:
    """The ids that the answer to a bulk upsert names; an item that is read back later is held against them.

    ``complete``: there are as many as the answer counts, so that a record whose id is not among them was not written.
    """

    created: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()
    complete: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What became of one Change.

    ``status`` says it:

    - "created", "updated", "deleted"; "unchanged": nothing had changed;
    - "stored": Planhat has it as it was sent; whether it was created, updated or so already is not told;
    - "merged": an item of a bulk upsert that a later one for the same record took in, whose outcome is that of both;
    - "acknowledged": received, to be carried out later;
    - "failed", "not_found", "not_sent"; "unknown": nobody can tell.

    ``row`` is the record as Planhat answered, if it did; ``number`` orders the answer among what the session read and
    wrote. ``error`` says why it failed or cannot be known. ``repeated``: it was sent again because an answer was lost,
    so that the status is that of the second time. ``found`` is the id that a bulk upsert's answer gives it, ``told``
    what else the answer said, where that did not tell.

    >>> from planhat_orm.models import Company
    >>> Outcome(Change(Company, None, {}, {"name": "Acme"}), "not_sent").row is None
    True
    """

    change: Change
    status: Status
    row: dict[str, Any] | None = field(default=None, repr=False)
    number: int = 0
    error: PlanhatError | None = None
    repeated: bool = False
    found: str | None = field(default=None, repr=False)
    told: Told | None = field(default=None, repr=False)

    @property
    def id(self) -> str | None:
        """The record's id, as far as it is known."""
        return self.found or (self.row or {}).get("_id") or self.change.key

    def __repr__(self) -> str:
        why = f", {type(self.error).__name__}" if self.error is not None else ""
        return f"<{self.status}{why}: {self.change}>"


@dataclass(slots=True, repr=False)
class Ledger:
    """What became of a run of Changes: each is in exactly one of the lists, in the order in which it was made.

    Printed, it is its summary; its ``repr`` is the first line of that.

    >>> ledger = Company.objects.bulk_upsert([{"external_id": "acme-42", "phase": "Renewal"}])
    >>> len(ledger), ledger.ok, print(ledger)
    1: 1 updated
    (1, True, None)
    """

    outcomes: list[Outcome] = field(default_factory=list)
    settle: Callable[[Ledger], None] | None = field(default=None, repr=False, compare=False)
    #: How many records were "created", "updated" and "unchanged" in all, as Planhat counts a bulk upsert.
    counted: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether everything was done: nothing failed, is unknown, was not found or not sent."""
        return all(outcome.status not in NOT_DONE for outcome in self.outcomes)

    def summary(self, *, reasons: int = 3) -> str:
        """Return the counts by status, and the first reasons why something was not done.

        :param reasons: how many, at most.

        >>> Ledger().summary()
        'nothing to do'
        """
        counts = Counter(outcome.status for outcome in self.outcomes)
        said = [f"{counts[status]} {status.replace('_', ' ')}" for status in get_args(Status) if counts[status]]
        lines = [f"{len(self)}: {', '.join(said)}" if said else "nothing to do"]
        if counts["stored"]:
            told = ", ".join(f"{count} {status}" for status, count in self.counted.items())
            lines.append(f"  stored: Planhat counts {told} in all, and does not say which")
        lines += _reasons([one for one in self.outcomes if one.error and one.status in NOT_DONE], reasons)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        # One line in a console, whatever became of thousands; print() gives the reasons, too.
        return f"<Ledger {self.summary(reasons=0).splitlines()[0]}>"

    def reconcile(self) -> Ledger:
        """Read the records of unknown outcome back, settle what that tells, and return this ledger.

        One request for each, by its id or the key that it was matched by; what has neither, or cannot be told all the
        same, stays ``unknown``, with what was found in its ``error``.

        :raises ApiError: or TransportError, when a record cannot be read; what was settled before stays settled.

        >>> Company.objects.bulk_upsert([{"external_id": "acme-42", "phase": "Renewal"}]).reconcile().ok
        True
        """
        if self.settle is not None:
            self.settle(self)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the session, which holds a token: a pickled ledger tells and does not ask.
        return type(self), (self.outcomes, None, self.counted)

    def of(self, status: Status) -> list[Outcome]:
        """Return the outcomes of one status."""
        return [outcome for outcome in self.outcomes if outcome.status == status]

    @property
    def created(self) -> list[Outcome]:
        """Records that are new at Planhat."""
        return self.of("created")

    @property
    def updated(self) -> list[Outcome]:
        """Records that were sent and taken."""
        return self.of("updated")

    @property
    def unchanged(self) -> list[Outcome]:
        """Records of which nothing had changed, so that nothing was sent."""
        return self.of("unchanged")

    @property
    def deleted(self) -> list[Outcome]:
        """Records that are gone now."""
        return self.of("deleted")

    @property
    def stored(self) -> list[Outcome]:
        """Records that are at Planhat as sent, where it does not say whether they were created or changed by that."""
        return self.of("stored")

    @property
    def merged(self) -> list[Outcome]:
        """Items of a bulk upsert that were sent together with a later one for the same record."""
        return self.of("merged")

    @property
    def acknowledged(self) -> list[Outcome]:
        """What Planhat says it received; what becomes of it is not told."""
        return self.of("acknowledged")

    @property
    def failed(self) -> list[Outcome]:
        """Writes that Planhat refused, or that did not reach it."""
        return self.of("failed")

    @property
    def not_found(self) -> list[Outcome]:
        """Writes to records that Planhat does not have."""
        return self.of("not_found")

    @property
    def unknown(self) -> list[Outcome]:
        """Writes of which nobody can tell whether they were carried out."""
        return self.of("unknown")

    @property
    def not_sent(self) -> list[Outcome]:
        """Writes that were not tried any more."""
        return self.of("not_sent")

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)


def _reasons(outcomes: list[Outcome], most: int) -> list[str]:
    """Return the first reasons as lines; what makes many unknown at once is one: with the first item, and a count."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        said = str(outcome.error)
        # What is said of one item begins with its name; of what is refused each is worth naming.
        common = outcome.status in ("unknown", "not_sent")
        reason = said.removeprefix(f"{outcome.change}: ") if common else said
        first.setdefault(reason, said)
        counts[reason] += 1
    lines = [
        f"  {said}" + (f" (and so of {counts[reason] - 1:,} more)" if counts[reason] > 1 else "")
        for reason, said in list(first.items())[:most]
    ]
    if len(first) > most:
        lines.append(f"  ... and {len(first) - most} more reasons, in the outcomes' error")
    return lines
