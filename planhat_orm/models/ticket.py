"""Ticket: a conversation from a ticketing system, through an endpoint of its own.

Declarations only; the facts are those of https://www.planhat.com/developers/api/ticket. It does not promise that every
ticket sent is stored: Planhat drops one without an e-mail silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import (
    AIRBYTE,
    ARCHITECT,
    DATROLL,
    DOCS_2017,
    PH_DESK,
    POSTMAN,
    REFERENCE_2026,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.models.user import User

#: Of what the samples of a list show beyond the table of properties.
SAMPLES = documented(PH_DESK)


class Ticket(Model):
    """A ticket of a support system. Planhat lists, deletes and bulk upserts tickets, and offers nothing else of them.

    Each is a conversation too, with the same id: ``Conversation.objects.get(id=ticket.id)`` reads it, a save of that
    changes it. ``source_id``, the ticket's id in its own system, is sent as ``sourceId`` and comes back as
    ``externalId``; ``subject`` is sent as ``title``. Bulk upsert matches on ``id``, then ``source_id``.

    The pages disagree on what a new ticket needs. Asked for here are ``source_id``, ``email``, and one of ``company``,
    ``domains`` and ``company_external_id``; sending both company and domains is the safest. A ticket without an
    e-mail is dropped without an error. An unknown e-mail at a known company becomes an enduser.

    Source: https://www.planhat.com/developers/api/ticket

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> row = {"source_id": "desk-1", "email": "ada@acme.example", "company": acme, "subject": "Cannot log in"}
    >>> print(Ticket.objects.bulk_upsert([row]))
    1: 1 created
    >>> [ticket.subject for ticket in Ticket.objects.filter(email="ada@acme.example")]
    ['Cannot log in']
    """

    class Meta:
        path = "tickets"
        same_records_as = "conversations"
        page_size = (500, 10000)
        keyables = ()
        match_keys = ("_id", "externalId")
        unique = ("externalId",)
        list_params = {
            "companyId": Param("companyId", many=True),
            "status": Param("status"),
            "email": Param("email", help="of who sent it in"),
            "search": Param(help="a text inside the snippet"),
        }
        not_offered = {
            "create": "Ticket.objects.bulk_upsert([...]) creates it",
            "update": "Ticket.objects.bulk_upsert([...]) by id or source_id changes it",
            "get": "Conversation.objects.get(id=...) reads a ticket, Ticket.objects.filter(...) lists them",
        }
        one_required = (("companyId", "domains", "companyExternalId"),)
        # Without its e-mail an item is dropped, and the pages want the other two of every item.
        always_sent = ("externalId", "email", "companyId")
        updated_field = "updateDate"
        doc_url = "https://www.planhat.com/developers/api/ticket"
        evidence = {
            "fields": documented(official("ticket"), PH_DESK),
            "operations": documented(official("ticket"), POSTMAN, PH_DESK),
            "filters": documented(official("ticket"), POSTMAN, PH_DESK),
            "keys": documented(official("ticket"), POSTMAN, PH_DESK),
            "matching": documented(POSTMAN, PH_DESK),
            "required": documented(official("ticket"), PH_DESK, DOCS_2017, ARCHITECT),
            "limits": documented(POSTMAN, PH_DESK, AIRBYTE),
        }
        quirks = (
            Quirk("The ticket's own id is sent as sourceId and read as externalId.", documented(PH_DESK)),
            Quirk("The title is sent as title and read as subject.", documented(PH_DESK)),
            Quirk(
                "An item without an e-mail is dropped without an error.",
                documented(official("ticket"), PH_DESK),
            ),
            Quirk(
                "The e-mail is kept and resolved to an enduser; where none has it and the company can be found, "
                "Planhat makes one.",
                documented(DOCS_2017, PH_DESK),
            ),
            Quirk(
                "A ticket can be read, changed and deleted as the conversation of its id.",
                inferred(official("conversation"), DATROLL),
            ),
            Quirk(
                "GET, PUT and POST of single tickets are called by some code and documented nowhere.",
                inferred(DATROLL, REFERENCE_2026),
            ),
            Quirk(
                "The time of the last change is updateDate, the one that the sample of a list shows; updatedAt, which "
                "the first documentation takes in a write, is in no answer. Whether it moves when a ticket is changed "
                "as a conversation is not said.",
                documented(PH_DESK, DOCS_2017),
            ),
            Quirk("s, cid and l stand for status, companyId and limit in one sample.", documented(PH_DESK)),
        )

    source_id: fields.Text = fields.Text(
        "externalId",
        write_key="sourceId",
        required=True,
        label="Source ID",
        help="the ticket's id in its own system; sent as sourceId, read from externalId",
    )
    source: fields.Text = fields.Text("source", help="the name of the ticketing system")
    company: ForeignKey[Company] = ForeignKey("Company", "companyId", takes_keys=True, help="the company it is about")
    company_id: fields.Id = fields.IdOf(company)
    company_external_id: fields.Text = fields.Text("companyExternalId", help="the company by your id")
    company_name: fields.Text = fields.Text(
        "companyName", read_only=True, help="a copy of the company's name", evidence=SAMPLES
    )
    domains: fields.TextList = fields.TextList("domains", help="e-mail domains by which Planhat finds the company")
    email: fields.Text = fields.Text(
        "email", required=True, help="of who sent it in; a ticket without one is dropped silently"
    )
    submitter_name: fields.Text = fields.Text(
        "name",
        write_only=True,
        help="of who sent it in, for an enduser that has to be made",
        evidence=inferred(PH_DESK),
    )
    agent_email: fields.Text = fields.Text(
        "agentEmail", write_only=True, help="of who answers it; empty in the sample", evidence=documented(PH_DESK)
    )
    subject: fields.Text = fields.Text(
        "subject", write_key="title", label="Title", help="the title; sent as title, read from subject"
    )
    description: fields.Text = fields.Text(
        "description", get_only=True, help="the text; the list shows snippet, Conversation the whole"
    )
    snippet: fields.Text = fields.Text("snippet", read_only=True, help="the text without markup", evidence=SAMPLES)
    url: fields.Text = fields.Text("url", label="Link", help="where the ticket is to be seen")
    tags: fields.TextList = fields.TextList("tags")
    type: fields.Text = fields.Text("type", help='any text, such as "bug"; the stored ones read "ticket"')
    sub_type: fields.Text = fields.Text("subType", read_only=True, evidence=SAMPLES)
    severity: fields.Text = fields.Text("severity", help="any text")
    product: fields.Text = fields.Text("product")
    time_spent: fields.Integer = fields.Integer("timeSpent", help="in minutes")
    status: fields.Text = fields.Text("status", help='any text, such as "open" or "closed"')
    history: fields.List = fields.List("history", help="items {status, time}: what it was since when")
    created_at: fields.DateTime = fields.DateTime("createdAt", evidence=documented(DOCS_2017))
    updated_at: fields.DateTime = fields.DateTime("updatedAt", evidence=documented(DOCS_2017))
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True, label="Created", evidence=SAMPLES)
    update_date: fields.DateTime = fields.DateTime("updateDate", read_only=True, label="Updated", evidence=SAMPLES)
    in_date: fields.DateTime = fields.DateTime("inDate", read_only=True, help="when it came in", evidence=SAMPLES)
    date: fields.DateTime = fields.DateTime("date", read_only=True, label="Date", evidence=SAMPLES)
    days: fields.DayNumber = fields.DayNumber("days", read_only=True, help="the day of date", evidence=SAMPLES)
    time_bucket: fields.TextList = fields.TextList(
        "timeBucket", read_only=True, help="year, quarter, month and week of date", evidence=SAMPLES
    )
    endusers: ReferenceList[Enduser] = ReferenceList(
        "Enduser", "endusers", item_key="id", read_only=True, help="who sent it in, found by email", evidence=SAMPLES
    )
    users: ReferenceList[User] = ReferenceList(
        "User", "users", item_key="id", read_only=True, help="team members", evidence=SAMPLES
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names", evidence=SAMPLES)
    starred: fields.Boolean = fields.Boolean("starred", read_only=True, help="marked as important", evidence=SAMPLES)
    pinned: fields.Boolean = fields.Boolean("pinned", read_only=True, evidence=SAMPLES)
    archived: fields.Boolean = fields.Boolean("archived", read_only=True, evidence=SAMPLES)
    is_open: fields.Boolean = fields.Boolean("isOpen", read_only=True, evidence=SAMPLES)
    waits_to_be_filtered: fields.Boolean = fields.Boolean(
        "waitsToBeFiltered", read_only=True, help="internal", evidence=SAMPLES
    )
    activity_tags: fields.TextList = fields.TextList(
        "activityTags", read_only=True, help="ids of activity tags", evidence=SAMPLES
    )
    email_template_ids: fields.IdList = fields.IdList(
        "emailTemplateIds", read_only=True, help="ids of e-mail templates, which have no endpoint", evidence=SAMPLES
    )
    sender: fields.List = fields.List("sender", read_only=True, help="empty in samples", evidence=SAMPLES)
