"""Workspace: a department or a sub-instance at a customer.

Declarations only; the facts are those of https://www.planhat.com/developers/api/workspace. It does not promise that
every tenant has workspaces: two lists of Planhat's models from 2026 leave them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import API_EVANGELIST, POSTMAN, REFERENCE_2026, TENANT_GUIDE, UNIQUENESS, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.user import User

PAGE = official("workspace")


class Workspace(Model):
    """A department or a sub-instance at a customer.

    It may be retired, or be there for some tenants only: do not build on it before a look at your own. No stored answer
    was found, so what Planhat sends beyond the page's table is in ``extra``.

    Source: https://www.planhat.com/developers/api/workspace

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> workspace = Workspace.objects.create(name="Finance", company=acme, external_id="ws-1")
    >>> Workspace.objects.get(external_id="ws-1").name
    'Finance'
    """

    class Meta:
        path = "workspaces"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="one company")}
        updated_instead = "read Workspace.objects.all() and compare it with what was kept"
        evidence = {
            "fields": documented(PAGE),
            "operations": documented(POSTMAN),
            "filters": documented(POSTMAN),
            "keys": documented(POSTMAN),
            "matching": documented(POSTMAN),
            "required": documented(POSTMAN),
            "limits": documented(POSTMAN),
        }
        quirks = (
            Quirk(
                "Two lists of Planhat's models from 2026 leave workspaces out: they may be retired, or a matter of the "
                "tenant.",
                observed(REFERENCE_2026, API_EVANGELIST),
            ),
            Quirk('A tenant was seen that calls its assets "Workspace".', observed(TENANT_GUIDE)),
            Quirk(
                "That a source id is unique, and an external id within one company, is the rule of the other objects.",
                inferred(UNIQUENESS),
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/workspace"

    name: fields.Text = fields.Text("name", required=True)
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company that it belongs to"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    owner: ForeignKey[User] = ForeignKey("User", "ownerId")
    owner_id: fields.Id = fields.IdOf(owner)
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
