"""What a write is, and what became of it: Change, Outcome and Ledger.

Descriptions only, which send nothing. Imports errors and the record protocol. A Change does not promise that its
``before`` is still what Planhat has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planhat_orm.errors import PlanhatError
    from planhat_orm.session.records import Record

__all__ = ["Change", "Ledger", "Outcome", "Status"]

Status = Literal[
    "created",
    "updated",
    "unchanged",
    "deleted",
    "acknowledged",
    "failed",
    "not_found",
    "unknown",
    "not_sent",
]

# What a record without an id is called in messages, first found: what people call it, then its keys.
_NAMED_BY = ("name", "title", "email", "subject", "product", "action", "dimensionId", "externalId", "extId", "sourceId")


@dataclass(frozen=True, slots=True)
class Change:
    """One write: ``before`` and ``after`` hold Planhat's names; no ``key`` means create, no ``after`` delete.

    >>> from planhat_orm.models import Company
    >>> change = Change(Company, None, {}, {"name": "Acme"})
    >>> change.verb, str(change)
    ('create', "create of Company 'Acme'")
    """

    model: type[Record]
    key: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None

    @property
    def verb(self) -> Literal["create", "update", "delete"]:
        """What the change does."""
        if self.after is None:
            return "delete"
        return "create" if self.key is None else "update"

    def __str__(self) -> str:
        values = self.after or {}
        called = self.key or next((repr(values[name]) for name in _NAMED_BY if values.get(name)), "")
        return f"{self.verb} of {self.model._meta.name} {called}".rstrip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one Change.

    ``status`` is "created", "updated", "unchanged" (nothing had changed, nothing was sent), "deleted", "acknowledged"
    (received, and carried out later), "failed", "not_found", "unknown" (nobody can tell) or "not_sent". ``row`` is the
    record as Planhat answered, if it did. ``number`` orders the answer among what the session read and wrote. ``error``
    says why it failed or cannot be known.

    >>> from planhat_orm.models import Company
    >>> Outcome(Change(Company, None, {}, {"name": "Acme"}), "not_sent").row is None
    True
    """

    change: Change
    status: Status
    row: dict[str, Any] | None = field(default=None, repr=False)
    number: int = 0
    error: PlanhatError | None = None


@dataclass(slots=True)
class Ledger:
    """What became of a run of Changes: each is in exactly one of the lists, in the order in which it was made.

    >>> len(Ledger().created)
    0
    """

    outcomes: list[Outcome] = field(default_factory=list)

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
