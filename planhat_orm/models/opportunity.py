"""Opportunity: what may be sold to one company, and how far it got.

Declarations only; the facts are those of https://www.planhat.com/developers/api/opportunity. It does not promise that
bulk upsert matches on a source id: the page does not name it here.
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
    from planhat_orm.models.user import User


class Opportunity(Model):
    """A possible sale to one company: its stage, its value per month or year, and whether it was won.

    Only ``company`` is needed. ``get`` takes ``id``, ``external_id`` and ``source_id``, but bulk upsert matches on
    ``id`` and ``external_id`` alone: by source id, read the records first and upsert by their ids. A tenant may be set
    to turn a won opportunity into a licence, so that ``status="won"`` has a side effect.

    The sources disagree on the amount. The table has ``mrr``, ``arr`` and ``nrr``, which are to be written; the
    examples of requests send ``recurring_value``, which no answer holds. Answers may hold ``mrr`` without ``arr``.

    Source: https://www.planhat.com/developers/api/opportunity

    >>> acme = Company.ref(external_id="acme-42")
    >>> deal = Opportunity.objects.create(company=acme, title="Expansion Q3", status="active", mrr=200, currency="EUR")
    >>> deal.company.name, deal.mrr
    ('Acme', 200)
    """

    class Meta:
        path = "opportunities"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="the opportunities of one company")}
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/opportunity"
        evidence = {
            "fields": documented(sources.official("opportunity"), sources.PH_DESK),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN, sources.UNIQUENESS),
            "matching": documented(sources.POSTMAN),
            "required": documented(sources.official("opportunity"), sources.POSTMAN, sources.ARCHITECT),
            "limits": documented(sources.POSTMAN, sources.PH_DESK, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "Bulk upsert matches on _id and externalId; sourceId is not named for this object, unlike others.",
                documented(sources.POSTMAN),
            ),
            Quirk("An update by srcid- is not mentioned, a get is.", documented(sources.POSTMAN)),
            Quirk(
                "A setting of the tenant can turn a won opportunity into a licence.",
                documented(sources.official("opportunity")),
            ),
            Quirk(
                "The currency is _currency, a code, and may be missing.", documented(sources.official("opportunity"))
            ),
            Quirk("custom may be null rather than empty.", observed(sources.PH_DESK)),
            Quirk(
                "An answer to an update holds mrr and no arr: neither tells that the other is there.",
                observed(sources.PH_DESK),
            ),
            Quirk(
                "The close date seems to be filled by Planhat when the status becomes won, and the landing date on "
                "creation.",
                inferred(sources.PH_DESK),
            ),
            Quirk("A property value, which two clients send, is in no documentation.", inferred(sources.DATROLL)),
            Quirk(
                "Deals of a CRM become opportunities in tenants from before 2026, deals in newer ones.",
                inferred(sources.REVENUE_HELP),
            ),
        )

    title: fields.Text = fields.Text("title", label="Title")
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company it may be sold to"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    owner: ForeignKey[User] = ForeignKey("User", "ownerId", label="Owner", help="the user who works on it")
    owner_id: fields.Id = fields.IdOf(owner)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    status: fields.Choice = fields.Choice(
        "status", choices=("active", "won", "lost"), help="won may make a licence, by the tenant's settings"
    )
    sales_stage: fields.Text = fields.Text("salesStage", label="Sales Stage", help="the name of the stage; any text")
    stage_history: fields.List = fields.List(
        "stageHistory", read_only=True, help="the stages it left, items {stage, to} with the time of leaving"
    )
    currency: fields.Text = fields.Text("_currency", label="Currency", help='a code such as "EUR"; of all amounts here')
    mrr: fields.Number = fields.Number("mrr", label="MRR", help="recurring, per month, in currency")
    arr: fields.Number = fields.Number("arr", label="ARR", help="recurring, per year, in currency")
    nrr: fields.Number = fields.Number("nrr", label="NRR", help="one-off, in currency")
    recurring_value: fields.Number = fields.Number(
        "recurringValue",
        help="in older examples of requests only; write mrr or arr",
        evidence=observed(sources.POSTMAN),
    )
    probability: fields.Number = fields.Number("probability", evidence=observed(sources.AIRBYTE))
    contract_length: fields.Integer = fields.Integer(
        "contractLength", label="Contract Length", help="in months; 12 unless told otherwise"
    )
    deal_date: fields.Date = fields.Date("dealDate", label="Deal Date", help="when it is expected to close")
    landing_date: fields.Date = fields.Date(
        "landingDate", label="Landing Date", help="when it came in; the day of creation unless told otherwise"
    )
    close_date: fields.Date = fields.Date(
        "closeDate", label="Close Date", help="when it was closed; filled by Planhat once it is won, it seems"
    )
    comments: fields.List = fields.List("comments", read_only=True, evidence=observed(sources.PH_DESK))
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, label="Created", evidence=observed(sources.SECOND_BRAIN)
    )
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", evidence=observed(sources.SECOND_BRAIN, sources.COMPASS)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=observed(sources.PH_DESK)
    )
