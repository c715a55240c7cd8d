"""What the session knows of records and models: a small protocol, so that it needs none of the layers above.

Imports the standard library only. Of ``_meta`` the session reads ``name``, ``path``, ``records``, ``key_kinds``,
``match_keys``, ``unique``, ``interned`` and ``as_read``. It does not promise that a record is anything more than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Record"]


class Record(Protocol):
    """One live object of a record."""

    _meta: ClassVar[Any]
    #: The record as Planhat sent it, by Planhat's names.
    _raw: dict[str, Any]

    @classmethod
    def _hydrated(cls, row: dict[str, Any], origin: Any) -> Self:
        """Make the object of a row."""
        raise NotImplementedError

    def _merge(self, row: dict[str, Any], origin: Any, sent: Mapping[str, Any] | None = None) -> None:
        """Take a newer row of the record in, and keep what was changed here."""

    def _merge_twin(self, row: dict[str, Any], origin: Any) -> None:
        """Take in a newer row of the record that another class of its collection was asked for."""

    def _merge_kin(self, row: dict[str, Any], origin: Any) -> None:
        """Take in what a row of the record that was read from another collection tells."""

    def _mark_deleted(self) -> None:
        """Learn that the record is gone."""
