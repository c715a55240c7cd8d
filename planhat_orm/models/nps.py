"""NPS: one answer of one person to a survey.

Declarations only; the facts are those of https://www.planhat.com/developers/api/nps. It does not promise which person
an answer is given: Planhat finds the enduser by the e-mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import (
    AIRBYTE,
    ARCHITECT,
    COMPASS,
    CRUDS,
    DOCS_2017,
    POSTMAN,
    TENANT_GUIDE,
    TORQ,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.campaign import Campaign
    from planhat_orm.models.company import Company
    from planhat_orm.models.enduser import Enduser


class NPS(Model):
    """An answer to a survey: a ``score`` from 0 to 10, perhaps with a ``comment``.

    Lists leave out what was answered more than 360 days ago; ours ask for a hundred years. A tenant was seen whose
    lists call score, comment and time of the answer ``nps``, ``npsComment`` and ``npsDate``: both are read, the
    documented names are written. Documented as required are ``email`` and ``score``, and no more is asked for here;
    the app requires the company as well, so name it where it is known.

    ``get`` takes ``id`` and ``source_id``, the id in the survey tool; there is no external id. Bulk upsert matches on
    those two.

    Source: https://www.planhat.com/developers/api/nps

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> answer = NPS.objects.create(company=acme, email="ada@acme.example", score=9, comment="Saves us hours")
    >>> [(found.score, found.comment) for found in NPS.objects.filter(company=acme, score__gte=9)]
    [(9, 'Saves us hours')]
    """

    class Meta:
        path = "nps"
        page_size = (100, 10000)
        keyables = ("id", "source_id")
        match_keys = ("_id", "sourceId")
        unique = ("sourceId",)
        list_params = {
            "companyId": Param("cId", many=True),
            "npsExpiryDay": Param(help="only what was answered within so many days; 360 unless said"),
        }
        # A hundred years; the largest value that Planhat takes is not documented.
        unhide = {"npsExpiryDay": "36500"}
        aliases = {"nps": "score", "npsComment": "comment", "npsDate": "dateAnswered"}
        updated_instead = (
            "filter(answered_at__gte=...) finds the new answers; changes of older ones show only to who compares all() "
            "with what was kept"
        )
        doc_url = "https://www.planhat.com/developers/api/nps"
        evidence = {
            "fields": documented(official("nps")),
            "operations": documented(official("nps"), POSTMAN),
            "filters": documented(POSTMAN),
            "keys": documented(POSTMAN),
            "matching": documented(POSTMAN),
            "required": documented(official("nps"), POSTMAN),
            "limits": documented(POSTMAN, AIRBYTE),
            "hidden": documented(POSTMAN),
        }
        quirks = (
            Quirk(
                "The company is cId and the person euId, although the filter of the list is called companyId.",
                documented(official("nps"), POSTMAN),
            ),
            Quirk(
                "score, comment and dateAnswered were nps, npsComment and npsDate in a live tenant's list.",
                observed(COMPASS, official("nps"), TENANT_GUIDE),
            ),
            Quirk("Lists leave out answers older than npsExpiryDay, 360 days unless said.", documented(POSTMAN)),
            Quirk("The enduser is found by Planhat from the e-mail.", documented(official("nps"))),
            Quirk(
                "A person's latest answer is the person's score, and so counts for the company; older ones stay.",
                documented(DOCS_2017, CRUDS),
            ),
            Quirk("companyId, enduserId and date, as one client has them, are lost.", inferred(TORQ, official("nps"))),
            Quirk(
                "An older client requires campaignId; the reference does not.",
                documented(official("nps"), ARCHITECT),
            ),
            Quirk(
                "In 2017 PUT /nps took a single answer, keyed on sourceId, and there was no POST.",
                documented(DOCS_2017),
            ),
        )

    company: ForeignKey[Company] = ForeignKey("Company", "cId", help="the company of who answered")
    company_id: fields.Id = fields.IdOf(company)
    email: fields.Text = fields.Text("email", required=True, label="Email", help="of who answered")
    enduser: ForeignKey[Enduser] = ForeignKey(
        "Enduser", "euId", read_only=True, help="who answered, found by Planhat from email"
    )
    enduser_id: fields.Id = fields.IdOf(enduser)
    campaign: ForeignKey[Campaign] = ForeignKey("Campaign", "campaignId", help="the campaign that asked")
    campaign_id: fields.Id = fields.IdOf(campaign)
    score: fields.Integer = fields.Integer("score", required=True, least=0, most=10, label="NPS", help="from 0 to 10")
    score_type: fields.Choice = fields.Choice(
        "scoreType",
        read_only=True,
        choices=("promoter", "passive", "detractor"),
        help="9 and 10, 7 and 8, 0 to 6",
        evidence=observed(TENANT_GUIDE),
    )
    comment: fields.Text = fields.Text("comment", help="what was written beside the score")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the survey tool")
    source: fields.Text = fields.Text("source", help="the name of the survey tool")
    sent_at: fields.DateTime = fields.DateTime("dateSent", label="Sent", help="when the survey was sent")
    answered_at: fields.DateTime = fields.DateTime("dateAnswered", label="Answered", help="when it was answered")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, evidence=observed(TENANT_GUIDE))
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, evidence=observed(TENANT_GUIDE))
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
