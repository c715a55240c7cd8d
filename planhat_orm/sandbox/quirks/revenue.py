"""Licences, sales, opportunities, churn, invoices, deals, line items and products: what Planhat does with them.

Facts of the revenue pages of https://www.planhat.com/developers/api, as data and a few functions. Imports the forms in
``base``. It does not promise the numbers of Planhat's billing: they are computed simply.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Refusal
from planhat_orm.sandbox.quirks.base import EXTERNAL, SOURCE, Filter, Quirks, moment_of, number_of
from planhat_orm.sandbox.store import Condition, How, Query, Row

if TYPE_CHECKING:
    from planhat_orm.sandbox.world import World

#: The parameter that most of them have: one company.
OF_COMPANY = {"companyId": Filter("companyId")}

# Licences: https://www.planhat.com/developers/api/license

#: Switching to open-ended clears these, also what is sent along (hull-planhat recordings).
_FIXED_ONLY = (
    "toDate",
    "value",
    "length",
    "autoRenews",
    "renewalUnit",
    "renewalPeriod",
    "renewalDate",
    "renewalDaysFromNow",
)


def settle_license(world: World, row: Row, sent: frozenset[str]) -> None:
    """Compute value, monthly and yearly amount and the renewal from each other."""
    row.setdefault("fixedPeriod", row.get("toDate") is not None)
    if row["fixedPeriod"] is False:
        for key in _FIXED_ONLY:
            row.pop(key, None)
    else:
        _settle_term(world, row, sent)
    monthly, yearly = number_of(row.get("mrr")), number_of(row.get("arr"))
    if yearly is not None and "arr" in sent and "mrr" not in sent:
        row["mrr"] = round(yearly / 12, 2)
    elif monthly is not None:
        row["arr"] = round(monthly * 12, 2)


def _settle_term(world: World, row: Row, sent: frozenset[str]) -> None:
    start, end = moment_of(row.get("fromDate")), moment_of(row.get("toDate"))
    if end is None:
        return
    row.setdefault("renewalUnit", "month")
    row["renewalDate"] = row["toDate"]
    row["renewalDaysFromNow"] = (end - world.clock().astimezone(UTC)).days
    if start is None or end <= start:
        return
    months = max(1, round((end - start).days / 30.4375))
    row["length"] = months
    row.setdefault("renewalPeriod", months)
    monthly, value = number_of(row.get("mrr")), number_of(row.get("value"))
    if monthly is not None and ("mrr" in sent or value is None):
        row["value"] = round(monthly * months, 2)
    elif value is not None:
        row["mrr"] = round(value / months, 2)


# Opportunities: https://www.planhat.com/developers/api/opportunity


def prepare_opportunity(world: World, sent: Row, before: Row | None) -> None:
    """Keep the stages that were left, and date the closing."""
    if before is None:
        sent.setdefault("landingDate", world.now())  # the documented create answers the moment of creation
        return
    if sent.get("salesStage") and before.get("salesStage") not in (None, sent["salesStage"]):
        left = {"stage": before["salesStage"], "to": world.now()}
        sent["stageHistory"] = [*(before.get("stageHistory") or []), left]
    if sent.get("status") == "won" != before.get("status") and not before.get("closeDate"):
        sent.setdefault("closeDate", world.now())


# Invoices: https://www.planhat.com/developers/api/invoice

#: Where the last number of each company is kept: one that was given stays given when its invoice is deleted.
_NUMBERS = "invoice_numbers"


def prepare_invoice(world: World, sent: Row, before: Row | None) -> None:
    """Refuse days in the lines that are no whole numbers."""
    lines = sent.get("lineItems")
    for line in lines if isinstance(lines, list) else []:
        days = [line.get(key) for key in ("dateFrom", "dateTo")] if isinstance(line, dict) else []
        if any(day is not None and type(day) is not int for day in days):
            raise Refusal(400, "Bad request")


def settle_invoice(world: World, row: Row, sent: frozenset[str]) -> None:
    """Number the invoice within its company, identify its lines, and say what is due."""
    if "invoiceNo" not in row:
        row["invoiceNo"] = _next_number(world, str(row.get("cId") or "none"))
    if isinstance(row.get("lineItems"), list):
        row["lineItems"] = [_line(world, item) for item in row["lineItems"]]
    total = number_of(row.get("amountTotal"))
    if total is not None:
        paid = total if row.get("status") == "paid" else 0
        row["amountPaid"], row["amountDue"] = paid, total - paid


def _next_number(world: World, company: str) -> int:
    known = world.store.get(_NUMBERS, company)
    counter = known or {"_id": company, "last": 0}
    counter["last"] += 1
    if known:
        world.store.replace(_NUMBERS, counter)
    else:
        world.store.insert(_NUMBERS, [counter])
    return int(counter["last"])


def _line(world: World, item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    line = {"_id": item.get("_id") or world.store.new_id(), **item}
    kind, _, of = str(line.pop("relatedId", "")).partition("-")  # write only: "sale-<id>"
    if of and kind in ("sale", "license"):
        line[f"{kind}Id"] = of
    return line


# Churn: https://www.planhat.com/developers/api/churn


#: How each value of ``downgrades`` compares.
_DOWNGRADES: dict[str, How] = {"only": "true", "excluded": "not_true"}


def hide_churn(world: World, params: Any) -> list[Condition]:
    """Read ``downgrades``, "only" or "excluded"; the property that it speaks of is the evident one."""
    wanted = _DOWNGRADES.get(params.get("downgrades", ""))
    return [Condition("onlyDowngrade", how=wanted)] if wanted else []


def whole_day(text: str) -> str:
    """Return the end of a day as timestamps sort: "2025-05-31" is met by every time of that day."""
    return text[:10] + "T23:59:59.999Z"


# Products, deals and line items: https://www.planhat.com/developers/api/line-item


def settle_amounts(world: World, row: Row, sent: frozenset[str]) -> None:
    """Keep monthly and yearly amounts in step."""
    for month, year in (("mrr", "arr"), ("renewalMrr", "renewalArr")):
        monthly, yearly = number_of(row.get(month)), number_of(row.get(year))
        if yearly is not None and year in sent and month not in sent:
            row[month] = round(yearly / 12, 2)
        elif monthly is not None:
            row[year] = round(monthly * 12, 2)


#: What a line item takes from its product where it says nothing itself, and what the product calls it.
_FROM_PRODUCT = {
    "productType": "type",
    **{key: key for key in ("mrr", "value", "currency", "fixedPeriod", "autoRenews", "length", "renewalMrr")},
    **{key: key for key in ("renewalPeriod", "noticePeriod", "noticeUnit")},
}


def prepare_line_item(world: World, sent: Row, before: Row | None) -> None:
    """Fill in what the product says, and the company of the deal."""
    if before is not None:
        return
    product = world.store.get("products", str(sent.get("productId"))) or {}
    for key, own in _FROM_PRODUCT.items():
        if product.get(own) is not None and (key != "mrr" or "arr" not in sent):
            sent.setdefault(key, product[own])
    deal = world.store.get("deals", str(sent.get("dealId"))) or {}
    if deal.get("companyId"):
        sent.setdefault("companyId", deal["companyId"])


def settle_line_item(world: World, row: Row, sent: frozenset[str]) -> None:
    """Keep the amounts in step, with the value where both dates are set."""
    settle_amounts(world, row, sent)
    start, end = moment_of(row.get("fromDate")), moment_of(row.get("toDate"))
    if start is None or end is None or end <= start or row.get("productType") == "fee":
        return
    months = row["length"] = max(1, round((end - start).days / 30.4375))
    if (monthly := number_of(row.get("mrr"))) is not None:
        row["value"] = round(monthly * months, 2)


def follow_line_item(world: World, before: Row | None, after: Row | None) -> None:
    """Add up the line items of a deal in its own amounts."""
    for key in {str(row.get("dealId")) for row in (before, after) if row}:
        deal = world.store.get("deals", key)
        if deal is not None:
            world.store.replace("deals", {**deal, **_sums(_items_of(world, key))})


def _items_of(world: World, deal: str) -> list[Row]:
    return world.store.rows("lineitems", Query((Condition("dealId", (deal,)),)))


def _sums(items: list[Row]) -> Row:
    running = [item for item in items if item.get("productType") != "fee"]
    sums: Row = {
        "mrr": sum(number_of(item.get("mrr")) or 0 for item in running),
        "total": sum(number_of(item.get("value")) or 0 for item in items),
        "fees": sum(number_of(item.get("value")) or 0 for item in items if item not in running),
        "subscriptions": len(running),
    }
    sums["arr"] = 12 * sums["mrr"]
    starts = [item["fromDate"] for item in running if item.get("fromDate")]
    ends = [item["toDate"] for item in running if item.get("toDate")]
    if starts:
        sums["startDate"] = min(starts)
    if ends:
        sums["endDate"], sums["renewalDate"] = max(ends), min(ends)
    return sums


def prepare_deal(world: World, sent: Row, before: Row | None) -> None:
    """Leave the amounts of a deal with line items to them."""
    if before is not None and any(key in sent for key in ("mrr", "arr", "total")) and _items_of(world, before["_id"]):
        for key in ("mrr", "arr", "total"):
            sent.pop(key, None)


QUIRKS: dict[str, Quirks] = {
    "licenses": Quirks(
        filters=OF_COMPANY,
        required=("companyId", "_currency", "fromDate", ("mrr", "value")),
        defaults={
            "renewalStatus": "ongoing",
            "autoRenews": False,
            "noticePeriod": 0,
            "isOverdue": False,
            "invoicesGenerated": False,
            "issues": [],
        },
        stamps=(),
        echoed=frozenset({"noticePeriod", "noticeUnit", "invoiceCycle", "invoiceCycleInterval"}),
        settle=settle_license,
    ),
    "sales": Quirks(
        filters=OF_COMPANY,
        required=("companyId", "_currency", "salesDate", "value"),
        bulk_required=("companyId", "_currency", "value"),
        stamps=(),
    ),
    "opportunities": Quirks(
        filters=OF_COMPANY,
        required=("companyId",),
        update_prefixes=EXTERNAL,
        match=("_id", "externalId"),
        defaults={"status": "active", "contractLength": 12, "stageHistory": [], "comments": []},
        stamps=("createdAt",),
        touched=("updatedAt",),
        prepare=prepare_opportunity,
        embed=lambda world, row: {"custom": None, **row},  # null rather than {} in the samples
    ),
    "churn": Quirks(
        filters={
            **OF_COMPANY,
            "from": Filter("churnDate", how="gte"),
            "to": Filter("churnDate", how="lte", read=whole_day),
        },
        required=("companyId", "value"),
        prefixes=frozenset(),
        update_prefixes=SOURCE,
        match=("_id", "sourceId"),
        versioned=False,
        stamps=("createdAt",),
        touched=("updatedAt",),
        hides=hide_churn,
    ),
    "invoices": Quirks(
        filters={"companyId": Filter("cId", many=True)},
        required=("cId",),
        external_key="extId",
        match=("_id", "sourceId", "extId"),
        bulk_required=("cId", "currency", "invoiceDate"),
        keyed=frozenset({"cId"}),
        day_numbers=frozenset({"invoiceDate", "dueDate", "paidDate"}),
        defaults={"status": "pending", "emails": [], "comments": []},
        stamps=(),
        touched=("updatedAt", "lastUpdated"),
        company_name="cName",
        echoed=frozenset({"lineItems"}),
        prepare=prepare_invoice,
        settle=settle_invoice,
    ),
    "products": Quirks(
        required=("name",),
        defaults={"type": "subscription"},
        versioned=False,
        stamps=("createdAt",),
        touched=("updatedAt",),
        settle=settle_amounts,
    ),
    "deals": Quirks(
        filters={"companyId": Filter("companyId", hint=True)},
        required=("companyId",),
        stamps=(),  # the page, as far as it is known, names no times
        versioned=False,
        prepare=prepare_deal,
        settle=settle_amounts,
    ),
    "lineitems": Quirks(
        filters={"companyId": Filter("companyId", hint=True)},
        required=("dealId",),
        defaults={"status": "ongoing"},
        versioned=False,
        stamps=(),  # the page, as far as it is known, names no times
        prepare=prepare_line_item,
        settle=settle_line_item,
        follow=follow_line_item,
    ),
}
