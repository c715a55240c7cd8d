"""Sale: one-off revenue of one company, which Planhat also calls NRR.

Declarations only; the facts are those of https://www.planhat.com/developers/api/sale. It does not promise the shape of
the currency on every read: the page has no sample of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models import sources
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company


class Sale(Model):
    """A one-off sale to one company: a workshop, a set-up fee. Recurring revenue is a ``License``.

    The table of the page wants ``company``, ``currency``, ``sales_date`` and ``value``, its text calls three of them
    suggested; all four are asked for here, which satisfies both. ``get`` takes ``id``, ``external_id`` and
    ``source_id``; an external id is unique within one company only. No page shows the times of creation and of the
    last change: they are read if they come.

    Source: https://www.planhat.com/developers/api/sale

    >>> from datetime import date
    >>> acme = Company.ref(external_id="acme-42")
    >>> workshop = Sale.objects.create(
    ...     company=acme, product="Workshop", value=900, currency="EUR", sales_date=date(2025, 2, 3)
    ... )
    >>> workshop.value, workshop.sales_date
    (900, datetime.date(2025, 2, 3))
    """

    class Meta:
        path = "sales"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="the sales to one company")}
        updated_instead = (
            "updated_at is a guess that no sample bears out: compare Sale.objects.all() with what was kept; "
            "where your tenant's rows do hold it, filter(updated_at__gte=...) works"
        )
        doc_url = "https://www.planhat.com/developers/api/sale"
        evidence = {
            "fields": documented(sources.official("sale")),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN, sources.UNIQUENESS),
            "matching": documented(sources.POSTMAN),
            "required": documented(sources.official("sale"), sources.POSTMAN, sources.ARCHITECT),
            "limits": documented(sources.POSTMAN, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "The currency is _currency, a code; only inside a company's embedded sales is it an object "
                "{_id, symbol, rate, isBase, overrides}.",
                documented(sources.PH_DESK, sources.GO_CLIENT),
            ),
            Quirk("That /sales answers the currency as a code is inferred from a schema.", inferred(sources.AIRBYTE)),
            Quirk("Line items of invoices can point to a sale, by saleId.", documented(sources.PH_DESK)),
            Quirk(
                "Newer tenants book revenue as deals, line items and products; whether sales can still be written "
                "there is not said.",
                documented(sources.REVENUE_HELP),
            ),
        )

    product: fields.Text = fields.Text("product", label="Product", help="its name, any text; recommended")
    currency: fields.Text = fields.Text(
        "_currency", required=True, label="Currency", help='a code such as "EUR"; any text is stored'
    )
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company that bought"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    sales_date: fields.Date = fields.Date("salesDate", required=True, label="Sales Date", help="the day of the sale")
    value: fields.Number = fields.Number(
        "value", required=True, label="Value", help="the whole amount, in currency; said to be positive"
    )
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, label="Created", help="in no sample", evidence=inferred(sources.ANALOGY)
    )
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", help="in no sample", evidence=inferred(sources.ANALOGY)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=observed(sources.PH_DESK)
    )
