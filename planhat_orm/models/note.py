"""Note: a conversation of the type "note".

Declarations only; the facts are those of https://www.planhat.com/developers/api/note and of the Conversation page. It
does not promise that ``?type=note`` filters at Planhat: that is a hint, and rows of other types are dropped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.models.user import User


class Touchpoint(Model):
    """What every view on the conversations has: a touchpoint with a company, as Planhat stores it.

    Source: https://www.planhat.com/developers/api/conversation
    """

    class Meta:
        abstract = True
        path = "conversations"
        page_size = (30, 2000)
        keyables = ("id", "external_id")
        match_keys = ("_id",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", many=True), "type": Param("type", hint=True)}
        create_required = ("companyId",)
        doc_url = "https://www.planhat.com/developers/api/conversation"

    company: ForeignKey[Company] = ForeignKey("Company", "companyId", required=True, help="the company it is about")
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    company_external_id: fields.Text = fields.Text(
        "companyExternalId", help="the company by your id; documented on the Note page only"
    )
    company_source_id: fields.Text = fields.Text("companySourceId", read_only=True, help="in create answers only")
    subject: fields.Text = fields.Text("subject", label="Title", help="the title")
    description: fields.Text = fields.Text(
        "description", get_only=True, help="the text, HTML; in no documented list, and missing from a sample of get"
    )
    snippet: fields.Text = fields.Text("snippet", read_only=True, help="the text without markup")
    date: fields.DateTime = fields.DateTime("date", label="Date", help="when it took place")
    out_date: fields.DateTime = fields.DateTime("outDate", get_only=True, help="when it was sent")
    start_date: fields.Date = fields.Date("startDate", help="seen outside the REST pages only")
    end_date: fields.Date = fields.Date("endDate", help="seen outside the REST pages only")
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True, label="Created")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, help="seen outside the REST pages only")
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, help="seen outside the REST pages only")
    type: fields.Text = fields.Text("type", help="a touch type of the tenant; an unknown one is stored as note")
    users: ReferenceList[User] = ReferenceList("User", "users", item_key="id", help="team members who took part")
    endusers: ReferenceList[Enduser] = ReferenceList("Enduser", "endusers", item_key="id", help="people who took part")
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    activity_tags: fields.TextList = fields.TextList("activityTags", help="ids of activity tags")
    starred: fields.Boolean = fields.Boolean("starred", help="marked as important")
    pinned: fields.Boolean = fields.Boolean("pinned")
    archived: fields.Boolean = fields.Boolean("archived")
    source: fields.Text = fields.Text("source", get_only=True, help="where it came from; seen in samples only")
    category: fields.Choice = fields.Choice(
        "category",
        choices=(
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
        ),
        help="seen outside the REST pages only",
    )
    transcript: fields.Text = fields.Text("transcript", help="can be long; seen outside the REST pages only")
    task_id: fields.Id = fields.Id("taskId", help="the task it came from; seen outside the REST pages only")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")

    email_template_ids: fields.IdList = fields.IdList("emailTemplateIds", read_only=True)
    is_open: fields.Boolean = fields.Boolean("isOpen", read_only=True, help="mostly of tickets from a CRM")
    tags: fields.TextList = fields.TextList("tags", read_only=True, help="Planhat's own tags")
    auto_tags: fields.List = fields.List("autoTags", read_only=True, help="seen in samples only")
    waits_to_be_filtered: fields.Boolean = fields.Boolean("waitsToBeFiltered", read_only=True)
    time_bucket: fields.TextList = fields.TextList("timeBucket", read_only=True, get_only=True)
    number_of_parts: fields.Integer = fields.Integer("numberOfParts", read_only=True, get_only=True)
    number_of_relevant_parts: fields.Integer = fields.Integer("numberOfRelevantParts", read_only=True, get_only=True)
    sender: fields.List = fields.List("sender", read_only=True)
    history: fields.List = fields.List(
        "history", read_only=True, get_only=True, help="items {status, time} for tickets"
    )
    participants: ReferenceList[User] = ReferenceList("User", "userIds", read_only=True, help="ids of involved users")
    has_more: fields.Boolean = fields.Boolean("hasMore", read_only=True)
    is_custom_type: fields.Boolean = fields.Boolean("isCustomType", read_only=True, help="a type of the tenant's own")
    assignee_name: fields.Text = fields.Text("assigneeName", read_only=True)
    has_attachments: fields.Boolean = fields.Boolean("hasAttachments", read_only=True)
    is_seen: fields.Boolean = fields.Boolean("isSeen", read_only=True)
    days: fields.DayNumber = fields.DayNumber("days", read_only=True, get_only=True, help="the day of date")
    owner: ForeignKey[User] = ForeignKey("User", "owner", read_only=True, help="the company's owner; in create answers")
    owner_id: fields.Id = fields.IdOf(owner)
    followers: ReferenceList[User] = ReferenceList("User", "followers", read_only=True, help="in create answers only")
    creator: ForeignKey[User] = ForeignKey("User", "userId", read_only=True, help="the acting user; in create answers")
    creator_id: fields.Id = fields.IdOf(creator)
    nick_name: fields.Text = fields.Text("nickName", read_only=True, help="of the acting user; in create answers only")
    note: fields.Text = fields.Text("note", read_only=True, help="subject and text joined; in create answers only")
    parent_id: fields.Id = fields.Id("parentId", read_only=True, help="seen outside the REST pages only")
    parent_type: fields.Text = fields.Text("parentType", read_only=True, help="seen outside the REST pages only")
    short_summary: fields.Text = fields.Text("shortSummary", read_only=True, help="seen outside the REST pages only")
    is_classified: fields.Boolean = fields.Boolean("isClassified", read_only=True)
    is_signal_analyzed: fields.Boolean = fields.Boolean("isSignalAnalyzed", read_only=True)
    is_bounced: fields.Boolean = fields.Boolean("isBounced", read_only=True)
    scheduled: fields.Boolean = fields.Boolean("scheduled", read_only=True, help="seen outside the REST pages only")
    version_key: fields.Integer = fields.Integer("__v", read_only=True, help="the storage's version number")


class Note(Touchpoint):
    """A note about a company: a record of /conversations whose type is "note".

    There is no /notes at Planhat. The text is ``description`` (HTML), the title ``subject``. Lists of the collection
    hold every type, so ours keep the notes. ``get`` takes ``id`` and ``external_id``.

    Source: https://www.planhat.com/developers/api/note

    >>> note = Note.objects.create(company=Company.ref(external_id="acme-42"), subject="Kick-off")
    >>> note.type
    'note'
    """

    class Meta(Touchpoint.Meta):
        constant = {"type": "note"}
        doc_url = "https://www.planhat.com/developers/api/note"
