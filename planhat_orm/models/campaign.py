"""Campaign: an initiative with one company, such as raising its use of the product.

Declarations only; the facts are those of https://www.planhat.com/developers/api/campaign. It does not promise that the
campaign that an NPS answer names is one of these: no source says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models import sources
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.nps import NPS


class Campaign(Model):
    """An initiative with one company: a name and a purpose; the rest is in the tenant's own fields.

    ``name`` and ``company`` are needed. ``get`` takes ``id``, ``external_id`` and ``source_id``; an external id is
    unique within one company only. No page shows the times of creation and of the last change: they are read if they
    come, and nothing here relies on them.

    Source: https://www.planhat.com/developers/api/campaign

    >>> acme = Company.ref(external_id="acme-42")
    >>> push = Campaign.objects.create(name="Adoption push", company=acme, purpose="Raise usage")
    >>> push.company.name, push.company_name
    ('Acme', 'Acme')
    """

    class Meta:
        path = "campaigns"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="the campaigns of one company")}
        updated_instead = (
            "updated_at is a guess that no sample bears out: compare Campaign.objects.all() with what was kept; "
            "where your tenant's rows do hold it, filter(updated_at__gte=...) works"
        )
        doc_url = "https://www.planhat.com/developers/api/campaign"
        evidence = {
            "fields": documented(sources.official("campaign"), sources.PH_DESK),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN, sources.UNIQUENESS),
            "matching": documented(sources.POSTMAN, sources.PH_DESK),
            "required": documented(sources.official("campaign"), sources.POSTMAN, sources.ARCHITECT),
            "limits": documented(sources.POSTMAN, sources.PH_DESK, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "usage comes with get only in the samples; answers to creates and lists leave it out.",
                observed(sources.PH_DESK),
            ),
            Quirk(
                "A campaign belongs to one company. A client that treats campaigns as the tenant's, with a status and "
                "dates, guessed its schema.",
                documented(sources.official("campaign")),
            ),
            Quirk(
                "Whether the campaignId of an NPS answer names one of these campaigns is not said.",
                inferred(sources.AIRBYTE),
            ),
            Quirk("A client of 2023 misspells the path as campaings.", observed(sources.ARCHITECT)),
        )

    name: fields.Text = fields.Text("name", required=True)
    purpose: fields.Text = fields.Text("campaignPurpose", label="Purpose", help="what it is for; any text")
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company it is for"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text(
        "externalId", label="External ID", help="your own id, unique in one company; numbers become texts"
    )
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    usage: fields.Map = fields.Map(
        "usage", read_only=True, get_only=True, help="metric ids with their values", evidence=observed(sources.PH_DESK)
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

    nps_answers: Related[NPS] = Related("NPS")
