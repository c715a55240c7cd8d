"""Product: an entry of the tenant's catalogue, from which line items take their values.

Declarations only; the facts are those of https://www.planhat.com/developers/api/product, of whose operations only
second-hand reports were found. It does not promise that a tenant has the catalogue: it came in 2026, tenant by tenant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import ANALOGY, CRUDS, REFERENCE_2026, REVENUE_HELP, UNIQUENESS, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred
from planhat_orm.orm.model import Model
from planhat_orm.orm.relations import Related

if TYPE_CHECKING:
    from planhat_orm.models.line_item import LineItem

PAGE = official("product")
REVENUE_TYPES = ("subscription", "fee")
NOTICE_UNITS = ("day", "week", "month")


class Product(Model):
    """An entry of the tenant's catalogue: a subscription or a fee, of no company.

    Not to be taken for the ``product`` of a licence or a sale, which is free text. Line items take their values from
    it when they are made. The fields are documented; operations, keys and limits are known at second hand.

    Source: https://www.planhat.com/developers/api/product

    >>> product = Product.objects.create(name="Platform Pro", type="subscription", mrr=200, external_id="sku-10")
    >>> Product.objects.get(external_id="sku-10").type
    'subscription'
    """

    class Meta:
        path = "products"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        updated_field = "updatedAt"
        evidence = {
            "fields": documented(PAGE),
            "operations": documented(REFERENCE_2026),
            "get": inferred(CRUDS),
            "keys": inferred(ANALOGY),
            "matching": inferred(ANALOGY),
            "required": documented(PAGE),
            "limits": inferred(REFERENCE_2026, ANALOGY),
        }
        quirks = (
            Quirk("Operations, keys and limits are known at second hand only.", documented(REFERENCE_2026)),
            Quirk(
                "Products, deals and line items came early in 2026, tenant by tenant; a tenant without them may answer "
                "403 or 404.",
                documented(REVENUE_HELP),
            ),
            Quirk(
                "Line items copy their values when they are made: a change of the product does not reach them.",
                inferred(official("line-item")),
            ),
            Quirk(
                "Whether an external id is unique in the catalogue is not said: elsewhere it is within one company.",
                inferred(UNIQUENESS),
            ),
            Quirk("The arr follows the mrr, and renewal_arr follows renewal_mrr.", documented(PAGE)),
            Quirk(
                "The product of a licence or a sale and the products of a company are texts, and no links to the "
                "catalogue.",
                inferred(official("product")),
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/product"

    name: fields.Text = fields.Text("name", required=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in another system")
    type: fields.Choice = fields.Choice("type", choices=REVENUE_TYPES, help="subscription unless told otherwise")
    mrr: fields.Number = fields.Number("mrr", label="MRR", help="per month, for line items")
    arr: fields.Number = fields.Number("arr", read_only=True, label="ARR", help="per year, from mrr")
    value: fields.Number = fields.Number("value", label="Value", help="the amount of a fee")
    currency: fields.Text = fields.Text("currency", label="Currency", help="a code: EUR")
    fixed_period: fields.Boolean = fields.Boolean("fixedPeriod", help="a fixed term; False means open-ended")
    auto_renews: fields.Boolean = fields.Boolean("autoRenews")
    length: fields.Number = fields.Number("length", help="in months")
    renewal_mrr: fields.Number = fields.Number("renewalMrr")
    renewal_arr: fields.Number = fields.Number("renewalArr", read_only=True, help="from renewal_mrr")
    renewal_period: fields.Number = fields.Number("renewalPeriod", help="in months")
    notice_period: fields.Number = fields.Number("noticePeriod", help="in notice_unit")
    notice_unit: fields.Choice = fields.Choice("noticeUnit", choices=NOTICE_UNITS)
    packages: fields.TextList = fields.TextList("packages", help="names of packages")
    color: fields.Text = fields.Text("color", help="on screens; of unknown form")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created")
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")

    line_items: Related[LineItem] = Related("LineItem")
