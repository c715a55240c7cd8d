"""LineItem: one position of a deal, a subscription or a fee.

Declarations only; of https://www.planhat.com/developers/api/line-item only the beginning was found, so most is told by
second-hand reports or by the product that it is made from. It does not promise that Planhat knows every name here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.product import NOTICE_UNITS, REVENUE_TYPES
from planhat_orm.models.sources import ANALOGY, API_EVANGELIST, CRUDS, MCP_NOTES, REFERENCE_2026, REVENUE_HELP, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.deal import Deal
    from planhat_orm.models.product import Product

PAGE = official("line-item")
PRODUCT = official("product")
GUESSED = inferred(PRODUCT, ANALOGY)


class LineItem(Model):
    """One position of a deal: a subscription or a fee, often made from a product.

    What this class says is partly guessed: that it belongs to a deal is documented, that the property is called
    ``dealId`` is not, nor is ``productType``; each field says how sure it is. Look at ``raw`` of a real one first. A
    create needs the deal, the start and one of ``mrr``, ``arr``, ``value`` and ``product``, which brings its own
    values. Planhat fills and computes much, so ``refresh_from_db()`` after saving what matters.

    Source: https://www.planhat.com/developers/api/line-item

    >>> from datetime import date
    >>> from planhat_orm.models import Deal
    >>> acme = Company.objects.get(external_id="acme-42")
    >>> deal = Deal.objects.create(name="Renewal 2026", company=acme)
    >>> item = LineItem.objects.create(deal=deal, type="subscription", from_date=date(2026, 4, 1), mrr=200)
    >>> item.deal.name
    'Renewal 2026'
    """

    class Meta:
        path = "lineitems"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", hint=True, help="as for other objects of a company")}
        one_required = (("mrr", "arr", "value", "productId"),)
        updated_instead = (
            "updated_at is a guess that no sample bears out: compare LineItem.objects.all() with what was kept; "
            "where your tenant's rows do hold it, filter(updated_at__gte=...) works"
        )
        evidence = {
            "fields": documented(PAGE),
            "operations": documented(REFERENCE_2026),
            "get": inferred(CRUDS),
            "filters": inferred(ANALOGY),
            "keys": inferred(ANALOGY),
            "matching": inferred(ANALOGY),
            "required": documented(PAGE),
            "limits": inferred(REFERENCE_2026, ANALOGY),
        }
        quirks = (
            Quirk("Operations, keys and limits are known at second hand only.", documented(REFERENCE_2026)),
            Quirk(
                "Line items, deals and products came early in 2026, tenant by tenant; a tenant without them may answer "
                "403 or 404.",
                documented(REVENUE_HELP),
            ),
            Quirk(
                "Revenue counts as contracted when the deal is Closed Won, for the days from start to end; the status "
                "does not matter for it.",
                documented(PAGE),
            ),
            Quirk("An open-ended item is cancelled by a status and an end.", documented(PAGE)),
            Quirk("A product fills in what the item does not say, when the item is made.", documented(PAGE)),
            Quirk("Planhat fills in and computes much of an item: read it again after a write.", inferred(PAGE)),
            Quirk(
                "The path is lineitems, without a separator; the page is called line-item.",
                documented(CRUDS, REFERENCE_2026, API_EVANGELIST),
            ),
            Quirk(
                "Where a CRM is synchronised, it owns the items and overwrites what is written.", observed(MCP_NOTES)
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/line-item"

    deal: ForeignKey[Deal] = ForeignKey("Deal", "dealId", required=True, help="the deal", evidence=GUESSED)
    deal_id: fields.Id = fields.IdOf(deal)
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", takes_keys=True, help="the company of the deal", evidence=GUESSED
    )
    company_id: fields.Id = fields.IdOf(company)
    product: ForeignKey[Product] = ForeignKey("Product", "productId", help="fills in what the item does not say")
    product_id: fields.Id = fields.IdOf(product)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id")
    source_id: fields.Text = fields.Text(
        "sourceId", label="Source ID", help="the id in another system", evidence=GUESSED
    )
    type: fields.Choice = fields.Choice("productType", choices=REVENUE_TYPES, evidence=GUESSED)
    fixed_period: fields.Boolean = fields.Boolean("fixedPeriod", help="a fixed term; False means open-ended")
    from_date: fields.Date = fields.Date("fromDate", required=True, label="Start Date")
    to_date: fields.Date = fields.Date("toDate", label="End Date")
    length: fields.Number = fields.Number("length", help="in months")
    mrr: fields.Number = fields.Number("mrr", label="MRR", help="per month; follows arr")
    arr: fields.Number = fields.Number("arr", label="ARR", help="per year; follows mrr")
    value: fields.Number = fields.Number("value", label="Value", help="for the whole period; the amount of a fee")
    status: fields.Choice = fields.Choice(
        "status", choices=("ongoing", "renewed", "lost"), help="ongoing unless told otherwise"
    )
    currency: fields.Text = fields.Text("currency", label="Currency", help="a code: EUR", evidence=GUESSED)
    auto_renews: fields.Boolean = fields.Boolean("autoRenews", evidence=GUESSED)
    renewal_mrr: fields.Number = fields.Number("renewalMrr", evidence=GUESSED)
    renewal_arr: fields.Number = fields.Number("renewalArr", evidence=GUESSED)
    renewal_period: fields.Number = fields.Number("renewalPeriod", help="in months", evidence=GUESSED)
    notice_period: fields.Number = fields.Number("noticePeriod", help="in notice_unit", evidence=GUESSED)
    notice_unit: fields.Choice = fields.Choice("noticeUnit", choices=NOTICE_UNITS, evidence=GUESSED)
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names", evidence=GUESSED)
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created", evidence=GUESSED)
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated", evidence=GUESSED)
