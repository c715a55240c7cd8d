"""Issue: a bug or a feature request, of any number of companies, people and conversations.

Declarations only; the facts are those of https://www.planhat.com/developers/api/issue. It does not promise that
archived issues are in a list: the page does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import ARCHITECT, DATROLL, PH_DESK, POSTMAN, ROBOCORP, TENANT_GUIDE, TORQ, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ReferenceList

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.conversation import Conversation
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.models.user import User


class Issue(Model):
    """A bug or a feature request. It belongs to any number of companies: there is ``companies`` and no ``company``.

    ``Issue.objects.filter(companies=acme)`` asks Planhat for those of one company. ``get`` takes ``id`` and
    ``source_id``, the id in Jira or its like; there is no external id, and bulk upsert matches on those two. A create
    needs a ``title``; a bulk upsert of a new issue needs ``companies`` too.

    Source: https://www.planhat.com/developers/api/issue

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> issue = Issue.objects.create(title="Export drops a column", companies=[acme])
    >>> [found.title for found in Issue.objects.filter(companies=acme)]
    ['Export drops a column']
    """

    class Meta:
        path = "issues"
        page_size = (100, 2000)
        keyables = ("id", "source_id")
        match_keys = ("_id", "sourceId")
        unique = ("sourceId",)
        list_params = {"companyId": Param("companyIds", lookup="contains", help="of one company")}
        upsert_required = ("companyIds",)
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/issue"
        evidence = {
            "fields": documented(official("issue"), PH_DESK),
            "operations": documented(official("issue"), POSTMAN, PH_DESK),
            "filters": documented(official("issue"), POSTMAN, PH_DESK),
            "keys": documented(official("issue"), POSTMAN, PH_DESK),
            "matching": documented(POSTMAN, PH_DESK),
            "required": documented(official("issue"), POSTMAN, PH_DESK),
            "limits": documented(POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk(
                "Issues hold companyIds and no companyId, although the filter of the list is called companyId; a "
                "companyId that is written is lost.",
                documented(official("issue"), DATROLL, TORQ),
            ),
            Quirk(
                "companies and endusers beside the ids hold {id, name} and are Planhat's; companies can be empty "
                "while companyIds is not. One client takes their items for names.",
                documented(PH_DESK, ROBOCORP),
            ),
            Quirk(
                "A create needs a title alone; a bulk upsert of a new issue needs companyIds too.",
                documented(POSTMAN, PH_DESK),
            ),
            Quirk(
                "An older client requires sourceId and archived; the reference does not.",
                documented(official("issue"), ARCHITECT),
            ),
            Quirk(
                "Whether companyId takes several ids is not said, unlike for other objects: one is sent.",
                inferred(POSTMAN, PH_DESK),
            ),
        )

    title: fields.Text = fields.Text("title", required=True, label="Title")
    description: fields.Text = fields.Text("description")
    companies: ReferenceList[Company] = ReferenceList(
        "Company", "companyIds", takes_keys=True, help="the companies it concerns"
    )
    embedded_companies: fields.List = fields.List(
        "companies", read_only=True, help="items {id, name}; may be empty although companies is not"
    )
    endusers: ReferenceList[Enduser] = ReferenceList("Enduser", "enduserIds", help="the people it concerns")
    embedded_endusers: fields.List = fields.List("endusers", read_only=True, help="items {id, name}")
    conversations: ReferenceList[Conversation] = ReferenceList(
        "Conversation", "conversationIds", help="where it was talked about"
    )
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in Jira or its like")
    source: fields.Text = fields.Text("source", help="the name of the system it is tracked in")
    source_url: fields.Text = fields.Text("sourceUrl", help="where it is to be seen in that system")
    priority: fields.Text = fields.Text("priority", help="any text")
    status: fields.Text = fields.Text("status", help='any text, such as "Open" or "Done"')
    issue_type: fields.Text = fields.Text("issueType", help="a category", evidence=observed(TENANT_GUIDE))
    archived: fields.Boolean = fields.Boolean("archived")
    mrr_combined: fields.Integer = fields.Integer(
        "mrrCombined", read_only=True, label="MRR", help="monthly revenue of its companies together"
    )
    arr_combined: fields.Integer = fields.Integer(
        "arrCombined", read_only=True, label="ARR", help="yearly revenue of its companies together"
    )
    followers: ReferenceList[User] = ReferenceList("User", "followers", help="users who follow the issue")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created")
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated")
    company_matching_value: fields.TextList = fields.TextList(
        "companyMatchingValue", read_only=True, help="internal; empty in samples", evidence=documented(PH_DESK)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=documented(PH_DESK)
    )
