"""Objective: what a company wants to reach, with a health of its own.

Declarations only; the facts are those of https://www.planhat.com/developers/api/objective. It does not promise a scale
of the health: no source states one.
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


class Objective(Model):
    """A goal of one company, with a ``health``; status, dates and the like are in the tenant's own fields.

    ``name`` and ``company`` are needed. ``get`` takes ``id``, ``external_id`` and ``source_id``; an external id is
    unique within one company only.

    Source: https://www.planhat.com/developers/api/objective

    >>> acme = Company.ref(external_id="acme-42")
    >>> goal = Objective.objects.create(name="Reach 80% adoption", company=acme, health=4)
    >>> goal.health, goal.company_name
    (4, 'Acme')
    """

    class Meta:
        path = "objectives"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="the objectives of one company")}
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/objective"
        evidence = {
            "fields": documented(sources.official("objective"), sources.PH_DESK),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN, sources.UNIQUENESS),
            "matching": documented(sources.POSTMAN, sources.PH_DESK),
            "required": documented(sources.official("objective"), sources.POSTMAN, sources.ARCHITECT),
            "limits": documented(sources.POSTMAN, sources.PH_DESK, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "The average health of a company's objectives can be a part of the company's own health score.",
                documented(sources.official("objective")),
            ),
            Quirk(
                "Status, description, due date, owner and progress are in no schema although some clients read them: "
                "where a tenant has them they are custom fields.",
                inferred(sources.COMPASS, sources.TORQ),
            ),
            Quirk(
                "Usage comes with get only in the samples; answers to creates and lists leave it out.",
                observed(sources.PH_DESK),
            ),
        )

    name: fields.Text = fields.Text("name", required=True)
    health: fields.Number = fields.Number(
        "health", label="Health", help="a score; 4 and 5 in samples, no scale is stated"
    )
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company whose goal it is"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text(
        "externalId", label="External ID", help="your own id, unique in one company; numbers become texts"
    )
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    shared_in_portal: fields.Boolean = fields.Boolean(
        "sharedInPortal",
        read_only=True,
        help="whether the customer sees it in the portal",
        evidence=observed(sources.SECOND_BRAIN),
    )
    usage: fields.Map = fields.Map(
        "usage", read_only=True, get_only=True, help="metric ids with their values", evidence=observed(sources.PH_DESK)
    )
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, label="Created", evidence=observed(sources.SECOND_BRAIN)
    )
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", evidence=observed(sources.SECOND_BRAIN)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=observed(sources.PH_DESK)
    )
