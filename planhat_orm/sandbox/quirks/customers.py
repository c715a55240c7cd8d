"""Companies, endusers, users, and what is filed under companies: what Planhat does with them.

Facts of https://www.planhat.com/developers/api/company and the pages beside it, as data and a few functions. Imports
the forms in ``base``. It does not promise health scores or a status from licences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.quirks.base import COMPANIES, EXTERNAL, Filter, Quirks, company_with_domain, copy_owner_name
from planhat_orm.sandbox.quirks.revenue import OF_COMPANY
from planhat_orm.sandbox.store import Condition, Query, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.sandbox.world import World

#: The official create sample sends these, and they are echoed although Planhat maintains them.
_COMPANY_ECHOED = frozenset(
    {"status", "phase", "domains", "h", "csmScore", "mr", "nrr30", "mrrTotal", "nrrTotal", "mrTotal"}
)


def embed_revenue(world: World, row: Row) -> Row:
    """Show licences and sales inside a company, with the currency as an object."""
    full = dict(row)
    for key in ("licenses", "sales"):
        found = world.store.rows(key, Query(where=(Condition("companyId", (row["_id"],)),)))
        full[key] = [{**item, "_currency": _currency(item.get("_currency"))} for item in found]
    return full


def _currency(code: Any) -> Any:
    if not isinstance(code, str):
        return code
    symbol = {"EUR": "€", "USD": "$", "GBP": "£"}.get(code, code)
    return {"_id": code, "symbol": symbol, "rate": 1, "isBase": code == "EUR", "overrides": {}, "__v": 0}


# Endusers: https://www.planhat.com/developers/api/enduser


def settle_enduser(world: World, row: Row, sent: frozenset[str]) -> None:
    """Join first and last name."""
    name = " ".join(part for part in (row.get("firstName"), row.get("lastName")) if part)
    if name:
        row["name"] = name


def company_by_domain(world: World, row: Row) -> str | None:
    """Find the company that has the domain of the person's e-mail among its own."""
    return company_with_domain(world, [str(row.get("email") or "").rpartition("@")[2]])


def hide_archived_people(world: World, params: Mapping[str, str]) -> list[Condition]:
    """Hide archived people; ``archived=true`` adds them."""
    return [] if params.get("archived") == "true" else [Condition("archived", how="not_true")]


# Users: https://www.planhat.com/developers/api/user


def show_roles(world: World, row: Row) -> Row:
    """Show roles as objects where the behaviour says so: the samples of one answer hold them, of others ids."""
    if world.behaviour.roles == "id" or not isinstance(row.get("roles"), list):
        return row
    return {**row, "roles": [_role(role) if isinstance(role, str) else role for role in row["roles"]]}


def _role(id: str) -> Row:
    return {"_id": id, "name": "CSM", "description": "", "__v": 0}


# Custom fields: https://www.planhat.com/developers/api/custom-field

_FLAGS = ("isFeatured", "isHidden", "isShared", "isLocked", "isMandatory", "isFormula")


def prepare_custom_field(world: World, sent: Row, before: Row | None) -> None:
    """Keep the name of the model in small letters, as all samples have it."""
    if isinstance(sent.get("parent"), str):
        sent["parent"] = sent["parent"].lower()


def _filed(**more: Any) -> Quirks:
    """What is filed under a company with a name: assets, projects, campaigns ..."""
    given: dict[str, Any] = {"filters": OF_COMPANY, "required": ("name", "companyId"), "stamps": (), "touched": ()}
    return Quirks(**{**given, **more})


QUIRKS: dict[str, Quirks] = {
    COMPANIES: Quirks(
        filters={"companyId": Filter("_id", many=True)},
        required=("name",),
        defaults={"status": "prospect"},
        touched=("updatedAt", "lastUpdated"),
        echoed=_COMPANY_ECHOED,
        embed=embed_revenue,
        lean_lists=("status",),
        lean_blanks=("externalId",),  # docs: sample of leancompanies
    ),
    "endusers": Quirks(
        filters={
            "companyId": Filter("companyId", many=True),
            "email": Filter("email"),
            "euId": Filter("_id"),
        },
        required=("companyId", ("email", "externalId", "sourceId")),
        match=("_id", "sourceId", "externalId", "email"),
        defaults={
            "npsUnsubscribed": False,
            "beats": 0,
            "beatsTotal": 0,
            "beatTrend": 0,
            "convs14": 0,
            "convsTotal": 0,
            "experience": 0,
        },
        touched=("updatedAt",),
        settle=settle_enduser,
        hides=hide_archived_people,
        company_of=company_by_domain,
        dropped_without_company=True,
    ),
    "users": Quirks(
        filters={"email": Filter("email", hint=True)},
        required=("nickName", "email", "firstName", "lastName"),
        prefixes=EXTERNAL,
        match=("_id", "externalId", "email"),
        # Users created over the API are inactive unless told otherwise.
        defaults={"inactive": True, "isHidden": False, "removed": False, "type": "user", "image": {"path": ""}},
        stamps=("createDate", "createdAt"),
        touched=("updatedAt",),
        shown_inside=("nickName",),
        embed=show_roles,
    ),
    "assets": _filed(
        filters={"companyId": Filter("companyId", many=True)},  # the page says one; clients send several
        stamps=("createdAt",),
        touched=("updatedAt",),
        settle=copy_owner_name,
    ),
    "projects": _filed(),
    "workspaces": _filed(),
    "campaigns": _filed(unlisted=frozenset({"usage"})),
    "objectives": _filed(unlisted=frozenset({"usage"}), stamps=("createdAt",), touched=("updatedAt",)),
    "customfields": Quirks(
        filters={"parent": Filter("parent", hint=True), "name": Filter("name", hint=True)},
        required=("name", "parent", "type"),
        prefixes=frozenset(),
        match=(),
        missing=frozenset({"bulk_upsert"}),
        defaults={**dict.fromkeys(_FLAGS, False), "listValues": [], "filter": [], "formulaRefs": []},
        stamps=(),
        prepare=prepare_custom_field,
    ),
}
