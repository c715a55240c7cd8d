"""What differs between Planhat's objects beyond their declarations, by collection: ``QUIRKS``.

The forms are in ``base``, the facts in the other modules, from the pages of the API and not from the models: so a
declaration that is wrong meets a sandbox that behaves otherwise. ``declared`` is for objects that have no page here.
"""

from planhat_orm.sandbox.quirks import customers, metrics, revenue, touchpoints, work
from planhat_orm.sandbox.quirks.base import COMPANIES, Filter, Quirks

#: What is particular to each collection, by its path.
QUIRKS: dict[str, Quirks] = {
    **customers.QUIRKS,
    **revenue.QUIRKS,
    **touchpoints.QUIRKS,
    **work.QUIRKS,
    **metrics.QUIRKS,
}

__all__ = ["COMPANIES", "QUIRKS", "Filter", "Quirks"]
