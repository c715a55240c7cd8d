"""What Django's querysets do and Planhat's lists cannot, or what is not built: refused, with what to write instead.

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

    # What Planhat's lists cannot

    def annotate(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat computes nothing in a list."""
        raise NotSupported("Planhat computes nothing in a list; read values() and compute in Python")

    alias = annotate

    def aggregate(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat computes nothing over a list."""
        raise NotSupported(
            "Planhat computes nothing over a list; use sum(), max() and the like over values_list(..., flat=True)"
        )

    def union(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat joins no lists."""
        raise NotSupported("Planhat joins no lists; combine conditions with Q(...) | Q(...), Q(...) & Q(...), ~Q(...)")

    intersection = union
    difference = union

    def distinct(self, *_: Any) -> NoReturn:
        """Refused: records are distinct already."""
        raise NotSupported("records are distinct already; for distinct values use set(values_list(..., flat=True))")

    def dates(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat lists no dates."""
        raise NotSupported("Planhat lists no dates; use sorted(set(values_list(..., flat=True))) without None")

    datetimes = dates

    def raw(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat takes no SQL."""
        raise NotSupported("Planhat takes no SQL; session.request() sends whatever its API takes")

    extra = raw

    def select_for_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: Planhat locks nothing."""
        raise NotSupported("Planhat locks nothing; save() sends only what changed, and refuses where that moved")

    def latest(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: no field is the date of a record by itself."""
        raise NotSupported("name the order: order_by('-<field>').first() for the latest, order_by('<field>').first()")

    earliest = latest

    # What is not built

    def select_related(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: a link is loaded for all rows of its page when the first of them is followed."""
        raise NotSupported(
            "a link is loaded for all rows of its page when it is followed on one: leave select_related out"
        )

    def prefetch_related(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: not built."""
        raise NotSupported(
            "there is no prefetch_related yet: links are loaded for all rows of a page anyway; for what points "
            "to these records read its list with company__in=queryset, and group it"
        )

    def update(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: not built."""
        raise NotSupported(
            "there is no update() of a whole queryset yet: change each record in a loop, then write them all with "
            "bulk_upsert(records), 5,000 a request"
        )

    def delete(self) -> NoReturn:
        """Refused: not built."""
        raise NotSupported("there is no delete() of a whole queryset yet: delete() each in a loop (a request each)")

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: not built."""
        raise NotSupported("there is no bulk_create yet: bulk_upsert() creates what it does not find by a key")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: not built."""
        raise NotSupported("there is no bulk_update yet: bulk_upsert(records) sends what changed on each")

    def update_or_create(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: not built."""
        raise NotSupported(
            "there is no update_or_create yet: get_or_create() it, change what differs and save() it; only that is sent"
        )
