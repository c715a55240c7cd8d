"""Deal: what is to be sold to a company, with its line items.

Declarations only; the facts are those of https://www.planhat.com/developers/api/deal as far as copies of it go, which
are cut short, and of second-hand reports. It does not promise that a tenant has deals: they came in 2026, tenant by
tenant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import ANALOGY, MCP_NOTES, REFERENCE_2026, REVENUE_HELP, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.line_item import LineItem
    from planhat_orm.models.user import User

PAGE = official("deal")


class Deal(Model):
    """What is to be sold to a company: an opportunity of the newer revenue model, with line items.

    ``mrr`` and ``total`` may be written while the deal has no line items; then Planhat computes them. The page calls
    ``arr`` both computed and writable: it is read-only here, since it follows ``mrr``. The stages Closed Won and Closed
    Lost are fixed, the others are the tenant's own. Operations and limits are known at second hand.

    Source: https://www.planhat.com/developers/api/deal

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> deal = Deal.objects.create(name="Renewal 2026", company=acme, stage="Negotiation", source_id="deal-1")
    >>> Deal.objects.get(source_id="deal-1").stage
    'Negotiation'
    """

    class Meta:
        path = "deals"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", hint=True, help="as for other objects of a company")}
        updated_instead = (
            "updated_at is a guess that no sample bears out: compare Deal.objects.all() with what was kept; "
            "where your tenant's rows do hold it, filter(updated_at__gte=...) works"
        )
        evidence = {
            "fields": documented(PAGE),
            "operations": documented(REFERENCE_2026),
            "filters": inferred(ANALOGY),
            "keys": documented(REFERENCE_2026),
            "matching": inferred(ANALOGY),
            "required": documented(PAGE),
            "limits": inferred(REFERENCE_2026, ANALOGY),
        }
        quirks = (
            Quirk("Operations, keys and limits are known at second hand only.", documented(REFERENCE_2026)),
            Quirk(
                "Deals, line items and products came early in 2026, tenant by tenant; a tenant without them may answer "
                "403 or 404.",
                documented(REVENUE_HELP),
            ),
            Quirk(
                "The amounts can be written until the first line item is there, and are computed from then on.",
                documented(PAGE, official("line-item")),
            ),
            Quirk("Closed Won is the stage whose revenue counts as contracted.", documented(PAGE)),
            Quirk(
                "The page's text speaks of fromDate and toDate where its table has startDate and endDate.",
                documented(PAGE),
            ),
            Quirk(
                "Where a CRM is synchronised, it owns the deals and overwrites what is written.", observed(MCP_NOTES)
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/deal"

    name: fields.Text = fields.Text("name")
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company to be sold to"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    stage: fields.Text = fields.Text("stage", help="Closed Won, Closed Lost, or a stage of the tenant's own")
    owner: ForeignKey[User] = ForeignKey("User", "ownerId")
    owner_id: fields.Id = fields.IdOf(owner)
    followers: ReferenceList[User] = ReferenceList("User", "followers", help="users who follow the deal")
    mrr: fields.Number = fields.Number("mrr", label="MRR", help="per month; yours while there are no line items")
    arr: fields.Number = fields.Number("arr", read_only=True, label="ARR", help="per year, from mrr")
    total: fields.Number = fields.Number("total", help="of the whole contract; yours while there are no line items")
    fees: fields.Number = fields.Number("fees", help="all fees of the deal")
    currency: fields.Text = fields.Text("currency", label="Currency", help="a code: EUR")
    close_date: fields.Date = fields.Date("closeDate", label="Close Date", help="expected or actual")
    renewal_date: fields.Date = fields.Date(
        "renewalDate", read_only=True, label="Renewal Date", help="the earliest of its subscriptions"
    )
    start_date: fields.Date = fields.Date("startDate", read_only=True, label="Start Date")
    end_date: fields.Date = fields.Date("endDate", read_only=True, label="End Date")
    subscription_count: fields.Number = fields.Number(
        "subscriptions", read_only=True, help="how many; the copies cut the name short", evidence=inferred(PAGE)
    )
    custom: CustomData = CustomData(
        "custom", help="the tenant's own fields, by their names", evidence=inferred(ANALOGY)
    )
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, label="Created", evidence=inferred(ANALOGY)
    )
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", evidence=inferred(ANALOGY)
    )

    line_items: Related[LineItem] = Related("LineItem")
