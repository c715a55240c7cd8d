"""Pure paging engines: generators that yield page requests and are sent pages. No network, no threads, no models.

:func:`scan` reads a list completely although it moves, :func:`newest` what was changed last, :func:`count` finds out
the length. Each may import the errors only. What they do not promise stands in their modules.

>>> next(scan(page_size=5000, default_size=100, order="id"))
Fetch(offset=0, limit=5000)
"""

from planhat_orm.paging.count import count
from planhat_orm.paging.newest import NewestReport, Oldest, newest
from planhat_orm.paging.scan import TOO_SLOW, Fetch, Page, Rows, ScanReport, TooSlow, scan

__all__ = [
    "TOO_SLOW",
    "Fetch",
    "NewestReport",
    "Oldest",
    "Page",
    "Rows",
    "ScanReport",
    "TooSlow",
    "count",
    "newest",
    "scan",
]
