"""How the sandbox behaves where the API's documentation leaves it open, as switches.

Imports nothing. The defaults are the poorest documented behaviour; a switch gives the other ones that
clients have reported. It does not hold faults: those are in ``faults``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: The built-in types of a conversation (https://www.planhat.com/developers/api/conversation).
TOUCH_TYPES = frozenset({"note", "email", "chat", "call", "ticket", "other"})


@dataclass(slots=True)
class Behaviour:
    """Switches of one sandbox, ``box.behaviour``; they may be changed while it runs.

    >>> behaviour = Behaviour()
    >>> behaviour.owners = "object"     # owners in company lists as {"_id": ..., "nickName": ...}
    """

    #: How company lists give an owner when nothing is selected: all three shapes have been seen.
    owners: Literal["id", "object", "null"] = "id"
    #: How users give their roles: the samples of some answers hold ids, of others objects.
    roles: Literal["id", "object"] = "id"
    #: Whether lists of NPS answers use the documented names or, as seen on a live tenant, nps, npsComment, npsDate.
    nps_names: Literal["documented", "short"] = "documented"
    #: How many of the last days metrics show without ``from`` and ``to``, and whether the day of ``to`` belongs to it.
    metrics_window_days: int = 30
    metrics_to_inclusive: bool = False
    #: What becomes of analytics sent under a tenant token that there is not: nothing, with 200, or a 404.
    wrong_tenant: Literal["dropped", "404"] = "dropped"
    #: Whether parameters that only a stray source names do filter (``type=`` on conversations, ``email=`` on users).
    hints: bool = False
    #: Whether a property without value is left out or sent as null.
    absent: Literal["omitted", "null"] = "omitted"
    #: What an element of createdErrors and updatedErrors is; the documentation does not define it.
    error_elements: Literal["text", "object"] = "text"
    #: Whether updatesKeys holds ids (and e-mails) only, as in the samples, or every key that an item carried.
    updates_keys: Literal["id", "all"] = "id"
    #: What deleting a record that does not exist answers: 404, or 200 with ``n`` 0.
    delete_missing: Literal["404", "zero"] = "404"
    #: The tenant's types of conversations; any other is stored as "note".
    touch_types: frozenset[str] = TOUCH_TYPES
    #: Requests per window that are answered; the next ones get 429. None: any number.
    rate_limit: int | None = None
    rate_window: float = 60.0
    #: Whether a 429 names the seconds to wait in Retry-After; Planhat is not known to send it.
    retry_after: bool = False
    #: Largest body in bytes (docs: 32 MB) and most items of a bulk upsert; more is refused.
    max_body: int = 32 * 1024 * 1024
    max_items: int = 5000
    #: Longest request target that is answered, 414 beyond; None: any.
    max_url: int | None = None
    #: What the token may not do, as (collection, operation); see ``Sandbox.forbid``.
    forbidden: frozenset[tuple[str, str]] = field(default_factory=frozenset)
