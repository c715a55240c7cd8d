"""Project: what is done for a customer within some time: a roll-out, a course.

Declarations only; the facts are those of https://www.planhat.com/developers/api/project. It does not promise that
Planhat keeps ``mrr`` and ``arr`` in step: no source says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import ARCHITECT, PH_DESK, POSTMAN, UNIQUENESS, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company

PAGE = official("project")


class Project(Model):
    """What is done for a customer within some time: a roll-out, a course. It may have usage of its own.

    Start and end are calendar days, stored as instants that are often shifted by the tenant's zone. ``currency`` has
    no underscore here. A client of 2023 lists ``currency`` as required; the newer pages ask for ``name`` and
    ``company`` alone, and so is it here.

    Source: https://www.planhat.com/developers/api/project

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> project = Project.objects.create(name="ERP roll-out", company=acme, source_id="prj-1", mrr=1000)
    >>> Project.objects.get(source_id="prj-1").mrr
    1000
    """

    class Meta:
        path = "projects"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="one company")}
        updated_instead = "read Project.objects.all() and compare it with what was kept"
        evidence = {
            "fields": documented(PAGE, PH_DESK),
            "operations": documented(POSTMAN, PH_DESK),
            "filters": documented(POSTMAN, PH_DESK),
            "keys": documented(POSTMAN, PH_DESK, UNIQUENESS),
            "matching": documented(POSTMAN),
            "required": documented(PH_DESK, POSTMAN),
            "limits": documented(POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk("The currency travels as currency, on assets as _currency.", documented(PH_DESK)),
            Quirk("Computed custom fields are in the answer to an update, too.", documented(PH_DESK)),
            Quirk(
                "A client of 2023 sends a currency with every create; the page does not ask for one.",
                documented(ARCHITECT),
            ),
            Quirk("Whether Planhat keeps mrr and arr in step is not stated.", inferred(PH_DESK)),
            Quirk(
                "A status, an owner, the times of creation and change and usage are in no table: whether a project "
                "has them is not known.",
                inferred(PH_DESK),
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/project"

    name: fields.Text = fields.Text("name", required=True)
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company that it is for"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    currency: fields.Text = fields.Text("currency", label="Currency", help="a code: EUR")
    start_date: fields.Date = fields.Date("startDate", label="Start Date")
    end_date: fields.Date = fields.Date("endDate", label="End Date")
    mrr: fields.Number = fields.Number("mrr", label="MRR", help="per month; written by you")
    arr: fields.Number = fields.Number("arr", label="ARR", help="per year; written by you")
    nrr: fields.Number = fields.Number("nrr", label="NRR", help="one-off revenue")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=documented(PH_DESK)
    )
