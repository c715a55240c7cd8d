"""What all clients are asked for: the keys of the server's records, and the sizes of its pages."""

from __future__ import annotations

from typing import Any

TOKEN = "benchmark"
#: Planhat's largest pages.
COMPANIES_PAGE, ENDUSERS_PAGE = 5_000, 2_000
#: So many ids of 24 characters leave a URL under the 2,000 characters that are known to work.
IDS = 75


def external_ids(number: int) -> list[str]:
    """Return the external ids of the first companies."""
    return [f"ext-{place}" for place in range(number)]


def company_ids(number: int) -> list[str]:
    """Return the ids of the first companies, as the server makes them."""
    return [f"{0x5F000000 + 300 * place:08x}0{place:015x}" for place in range(number)]


def portions(ids: list[str]) -> list[str]:
    """Return ids as lists that fit into a URL."""
    return [",".join(ids[start : start + IDS]) for start in range(0, len(ids), IDS)]


def have_values(rows: list[dict[str, Any]]) -> int:
    """Read three values of each row, and count those that have all of them."""
    return sum(1 for row in rows if row["name"] and row["externalId"] and row["arr"] is not None)
