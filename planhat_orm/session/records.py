"""What the session knows of records and models: a small protocol, so that it needs none of the layers above.

Imports typing only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Record(Protocol):
    """One live object of a record."""

    _meta: ClassVar[Any]
    _raw: dict[str, Any]

    @classmethod
    def _hydrated(cls, row: dict[str, Any], origin: Any) -> Self: ...

    def _merge(self, row: dict[str, Any], origin: Any, sent: Mapping[str, Any] | None = None) -> None: ...

    def _mark_deleted(self) -> None: ...
