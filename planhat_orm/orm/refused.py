"""What Django's querysets do and Planhat's lists cannot: refused, with what to write instead.

Imports errors only. Does nothing else.
"""

from __future__ import annotations

from typing import Any, NoReturn

from planhat_orm.errors import NotSupported


class Refused:
    """The refusals, as methods of every queryset.

    >>> Company.objects.aggregate()
    Traceback (most recent call last):
    planhat_orm.errors.NotSupported: Planhat computes nothing over a list; use sum(), max() and the like over ...
    """

    def annotate(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat computes nothing in a list."""
        raise NotSupported("Planhat computes nothing in a list; read values() and compute in Python")

    def aggregate(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat computes nothing over a list."""
        raise NotSupported(
            "Planhat computes nothing over a list; use sum(), max() and the like over values_list(..., flat=True)"
        )

    def union(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat joins no lists."""
        raise NotSupported("Planhat joins no lists; combine conditions with Q(...) | Q(...)")

    def distinct(self, *_: Any) -> NoReturn:
        """Refused: records are distinct already."""
        raise NotSupported("records are distinct already; for distinct values use set(values_list(..., flat=True))")
