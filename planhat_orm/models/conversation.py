"""Conversation: one record for each touchpoint with a customer, notes and tickets among them.

Declarations only; the facts are those of https://www.planhat.com/developers/api/conversation. It does not promise that
``?type=`` filters at Planhat: that is a hint, and rows of other types are dropped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import (
    AIRBYTE,
    COMPASS,
    DATROLL,
    DLT,
    MCP_NOTES,
    PH_DESK,
    POSTMAN,
    PYPLANHAT_NOTES,
    TENANT_GUIDE,
    V_GRUN,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.models.issue import Issue
    from planhat_orm.models.task import Task
    from planhat_orm.models.user import User

CATEGORIES = (
    "Support",
    "Feedback",
    "Sales",
    "Expansion",
    "Billing & Contracts",
    "Renewals",
    "Legal",
    "General Enquires",
    "Spam",
    "Marketing",
)
#: Of what Planhat's hosted MCP server names and no page of the REST API does.
BESIDE_REST = observed(TENANT_GUIDE)


class Conversation(Model):
    """A touchpoint: an e-mail, a chat, a call, a ticket, a note, or of a type of the tenant's own.

    ``type`` has to be a touch type of the tenant: any other is stored as "note" without an error, so compare what
    was sent with what is read. Planhat keeps "email", "chat", "call" and "ticket" for itself and its integrations.
    The text is ``description`` (HTML), the title ``subject``; lists hold ``snippet``, the text without markup.

    ``get`` takes ``id`` and ``external_id``, which is unique within one company only. A source id in the path is
    documented for updates alone and no property holds one, so none is taken here. Bulk upsert matches on ``id``.

    Source: https://www.planhat.com/developers/api/conversation

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> call = Conversation.objects.create(company=acme, type="call", subject="Check-in")
    >>> Conversation.objects.get(id=call.id).subject
    'Check-in'
    """

    class Meta:
        path = "conversations"
        page_size = (30, 2000)
        keyables = ("id", "external_id")
        match_keys = ("_id",)
        unique_within = {"externalId": "companyId"}
        list_params = {
            "companyId": Param("companyId", many=True),
            "type": Param("type", hint=True, evidence=inferred(DATROLL)),
        }
        updated_instead = (
            "filter(create_date__gte=...) finds what is new, and filter(date__gte=...) what took place since; changes "
            "of older ones show only to who compares all() with what was kept"
        )
        doc_url = "https://www.planhat.com/developers/api/conversation"
        evidence = {
            "fields": documented(official("conversation"), PH_DESK),
            "operations": documented(official("conversation"), POSTMAN, PH_DESK),
            "filters": documented(official("conversation"), POSTMAN, PH_DESK),
            "keys": documented(official("conversation"), POSTMAN, PH_DESK),
            "matching": documented(official("note"), POSTMAN, PH_DESK),
            "required": documented(official("conversation"), PH_DESK),
            "limits": documented(POSTMAN, PH_DESK, DLT, AIRBYTE),
        }
        quirks: tuple[Quirk, ...] = (
            Quirk(
                "A type that the tenant does not have is stored as note, without an error.",
                documented(official("conversation"), TENANT_GUIDE),
            ),
            Quirk("Types are the tenant's own texts and may hold emoji.", observed(TENANT_GUIDE)),
            Quirk(
                "A srcid- path is documented for updates, and no sourceId is: the external id is the one key of yours.",
                observed(POSTMAN, TENANT_GUIDE),
            ),
            Quirk(
                "Users and endusers are written as {id} and read as {id, name}; the names are copies that do not "
                "follow a rename.",
                observed(POSTMAN, PH_DESK, TENANT_GUIDE),
            ),
            Quirk(
                "The text is in no documented list, and missing from the sample of a get; creates, updates and "
                "deletes answer with it.",
                documented(PH_DESK),
            ),
            Quirk(
                "A task that is set to done makes a conversation with the task's own id; its date is when that was "
                "done, and custom values do not come along.",
                observed(TENANT_GUIDE),
            ),
            Quirk(
                "Texts are HTML on one line: line breaks in them are dropped or become paragraphs, headings and "
                "inline styles are dropped.",
                observed(TENANT_GUIDE),
            ),
            Quirk("Deleting answers with the deleted record.", documented(POSTMAN, PH_DESK)),
            Quirk(
                "One source says that a conversation without an external id cannot be updated; the reference says "
                "that it can, by its id.",
                observed(TENANT_GUIDE),
            ),
            Quirk(
                "/companies/{id}/conversations is used by one client and documented nowhere.",
                inferred(PYPLANHAT_NOTES),
            ),
            Quirk(
                "A type that is nearly one of the tenant's is kept as it was sent, and is then none of them.",
                documented(official("conversation"), TENANT_GUIDE),
            ),
            Quirk(
                "The answer to a create also holds the company's owner, followers and source id, the creator and "
                "the texts joined.",
                documented(PH_DESK),
            ),
            Quirk("A client reads endUsers and snip from lists; no other source has these names.", inferred(COMPASS)),
        )

    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company it is about"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True, help="a copy of the company's name")
    company_source_id: fields.Text = fields.Text(
        "companySourceId", read_only=True, help="in create answers only", evidence=documented(PH_DESK)
    )
    subject: fields.Text = fields.Text("subject", label="Title", help="the title")
    description: fields.Text = fields.Text("description", get_only=True, help="the text, HTML; in no documented list")
    snippet: fields.Text = fields.Text(
        "snippet", read_only=True, help="the text without markup", evidence=inferred(PH_DESK)
    )
    date: fields.DateTime = fields.DateTime("date", label="Date", help="when it took place")
    out_date: fields.DateTime = fields.DateTime("outDate", get_only=True, help="when it was sent")
    start_date: fields.Date = fields.Date("startDate", help="its first day", evidence=BESIDE_REST)
    end_date: fields.Date = fields.Date("endDate", help="its last day", evidence=BESIDE_REST)
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True, label="Created")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, evidence=BESIDE_REST)
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, evidence=BESIDE_REST)
    type: fields.Text = fields.Text("type", help="a touch type of the tenant; an unknown one is stored as note")
    users: ReferenceList[User] = ReferenceList(
        "User", "users", item_key="id", help="team members who took part; an item's isOwner marks the owner"
    )
    endusers: ReferenceList[Enduser] = ReferenceList("Enduser", "endusers", item_key="id", help="people who took part")
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    activity_tags: fields.TextList = fields.TextList("activityTags", help="ids of activity tags")
    starred: fields.Boolean = fields.Boolean("starred", help="marked as important")
    pinned: fields.Boolean = fields.Boolean("pinned", help="kept on top of the profile of the company or person")
    archived: fields.Boolean = fields.Boolean("archived", help="archived ones may be left out of views of an account")
    source: fields.Text = fields.Text(
        "source", get_only=True, help="the system it came from", evidence=observed(PH_DESK, TENANT_GUIDE)
    )
    category: fields.Choice = fields.Choice(
        "category", choices=CATEGORIES, help="what it is about", evidence=BESIDE_REST
    )
    transcript: fields.Text = fields.Text("transcript", help="of a call, whole; can be long", evidence=BESIDE_REST)
    task: ForeignKey[Task] = ForeignKey("Task", "taskId", help="the task it came from", evidence=BESIDE_REST)
    task_id: fields.Id = fields.IdOf(task)
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")

    # Planhat takes these and shows them nowhere.
    use_subject: fields.Boolean = fields.Boolean(
        "useSubject",
        write_only=True,
        help="sent in the official samples, its meaning untold",
        evidence=documented(POSTMAN),
    )
    owner: ForeignKey[User] = ForeignKey(
        "User", "ownerId", write_only=True, help="its owner", evidence=documented(POSTMAN)
    )
    owner_id: fields.Id = fields.IdOf(owner)
    comments: fields.List = fields.List("comments", write_only=True, help="items {by, text}", evidence=observed(V_GRUN))

    email_template_ids: fields.IdList = fields.IdList(
        "emailTemplateIds", read_only=True, help="ids of the e-mail templates used, which have no endpoint"
    )
    is_open: fields.Boolean = fields.Boolean("isOpen", read_only=True, help="mostly of tickets from a CRM")
    tags: fields.TextList = fields.TextList("tags", read_only=True, help="Planhat's own tags")
    auto_tags: fields.List = fields.List("autoTags", read_only=True, evidence=documented(PH_DESK))
    waits_to_be_filtered: fields.Boolean = fields.Boolean("waitsToBeFiltered", read_only=True, help="internal")
    time_bucket: fields.TextList = fields.TextList(
        "timeBucket", read_only=True, get_only=True, help="year, quarter, month and week of date"
    )
    number_of_parts: fields.Integer = fields.Integer(
        "numberOfParts", read_only=True, get_only=True, help="messages in the thread"
    )
    number_of_relevant_parts: fields.Integer = fields.Integer("numberOfRelevantParts", read_only=True, get_only=True)
    sender: fields.List = fields.List("sender", read_only=True, help="who sent it; empty in samples")
    history: fields.List = fields.List(
        "history", read_only=True, get_only=True, help="items {status, time} for tickets"
    )
    participants: ReferenceList[User] = ReferenceList("User", "userIds", read_only=True, help="ids of involved users")
    has_more: fields.Boolean = fields.Boolean("hasMore", read_only=True, help="internal")
    is_custom_type: fields.Boolean = fields.Boolean("isCustomType", read_only=True, help="a type of the tenant's own")
    assignee_name: fields.Text = fields.Text("assigneeName", read_only=True, help="internal; empty in samples")
    has_attachments: fields.Boolean = fields.Boolean("hasAttachments", read_only=True)
    is_seen: fields.Boolean = fields.Boolean("isSeen", read_only=True)
    days: fields.DayNumber = fields.DayNumber(
        "days", read_only=True, get_only=True, help="the day of date", evidence=documented(PH_DESK)
    )
    company_owner: ForeignKey[User] = ForeignKey(
        "User", "owner", read_only=True, help="the company's owner; in create answers only", evidence=inferred(PH_DESK)
    )
    company_owner_id: fields.Id = fields.IdOf(company_owner)
    followers: ReferenceList[User] = ReferenceList(
        "User", "followers", read_only=True, help="in create answers only", evidence=documented(PH_DESK)
    )
    creator: ForeignKey[User] = ForeignKey(
        "User", "userId", read_only=True, help="the acting user; in create answers only", evidence=inferred(PH_DESK)
    )
    creator_id: fields.Id = fields.IdOf(creator)
    nick_name: fields.Text = fields.Text(
        "nickName", read_only=True, help="of the acting user; in create answers only", evidence=inferred(PH_DESK)
    )
    note: fields.Text = fields.Text(
        "note", read_only=True, help="subject and text joined; in create answers only", evidence=inferred(PH_DESK)
    )
    parent_id: fields.Id = fields.Id("parentId", read_only=True, help="what it hangs on", evidence=BESIDE_REST)
    parent_type: fields.Text = fields.Text(
        "parentType", read_only=True, help="what kind of record parent_id is", evidence=BESIDE_REST
    )
    short_summary: fields.Text = fields.Text(
        "shortSummary", read_only=True, help="written by Planhat", evidence=BESIDE_REST
    )
    is_classified: fields.Boolean = fields.Boolean(
        "isClassified", read_only=True, help="Planhat has set its category", evidence=BESIDE_REST
    )
    is_signal_analyzed: fields.Boolean = fields.Boolean("isSignalAnalyzed", read_only=True, evidence=BESIDE_REST)
    is_bounced: fields.Boolean = fields.Boolean(
        "isBounced", read_only=True, help="the e-mail came back", evidence=BESIDE_REST
    )
    scheduled: fields.Boolean = fields.Boolean("scheduled", read_only=True, evidence=observed(TENANT_GUIDE, MCP_NOTES))
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=documented(PH_DESK)
    )

    issues: Related[Issue] = Related("Issue")
    tasks: Related[Task] = Related("Task", via="conversation")
