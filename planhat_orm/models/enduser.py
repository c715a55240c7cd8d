"""Enduser: a person at a customer.

Declarations only; the facts are those of https://www.planhat.com/developers/api/enduser. It does not promise that an
external id is unique: two companies may each have an enduser of the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import (
    AIRBYTE,
    COMPASS,
    DLT,
    DOCS_2017,
    DUPLICATE_ERROR,
    HULL,
    MERGING,
    NOT_ADDED_HELP,
    OPEN_CONNECTOR,
    PH_DESK,
    POSTMAN,
    PRIMARY_HELP,
    PYPLANHAT,
    PYPLANHAT_NOTES,
    TENANT_GUIDE,
    UNIQUENESS,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.conversation import Conversation
    from planhat_orm.models.issue import Issue
    from planhat_orm.models.note import Note
    from planhat_orm.models.nps import NPS
    from planhat_orm.models.task import Task
    from planhat_orm.models.ticket import Ticket

#: Of what the samples of answers show beyond the table of properties.
SAMPLES = documented(PH_DESK)


class Enduser(Model):
    """A person at a customer: a user of the product, a contact, or both.

    Planhat drops a person for whom it finds no company without an error. The pages disagree on what a create needs:
    a company and one of e-mail, external id and source id; company and e-mail; or no company where the e-mail's domain
    is that of one. Asked for here are ``company`` and one of the three keys, which all of them take.

    Lists hide archived people unless asked; ours ask. ``get`` takes ``id``, ``source_id`` and ``external_id``. An
    external id is unique within one company only, and an e-mail not at all, though bulk upsert matches on it last:
    match on another key where two people may share one.

    Source: https://www.planhat.com/developers/api/enduser

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> sorted(person.email for person in acme.endusers.all())
    ['ada@acme.example', 'grace@acme.example']
    """

    class Meta:
        path = "endusers"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId", "email")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {
            "companyId": Param("companyId", many=True),
            "email": Param("email"),
            "euId": Param("_id"),
            "archived": Param(help="true adds archived people"),
        }
        unhide = {"archived": "true"}
        one_required = (("email", "externalId", "sourceId"),)
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/enduser"
        evidence = {
            "fields": documented(official("enduser"), PH_DESK),
            "operations": documented(official("enduser"), POSTMAN, PH_DESK),
            "filters": documented(official("enduser"), POSTMAN, PH_DESK),
            "keys": documented(official("enduser"), POSTMAN, PH_DESK, UNIQUENESS, MERGING),
            "matching": documented(POSTMAN, PH_DESK),
            "required": documented(official("enduser"), POSTMAN, PH_DESK, PYPLANHAT_NOTES, NOT_ADDED_HELP),
            "limits": documented(POSTMAN, PH_DESK, DLT),
            "hidden": documented(POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk(
                "A person without a company that can be found is dropped without an error.", documented(NOT_ADDED_HELP)
            ),
            Quirk(
                "The company may be left out where the e-mail's domain is that of a company: it is found by it.",
                documented(official("enduser"), PH_DESK, OPEN_CONNECTOR),
            ),
            Quirk(
                "Which of several people answers to GET /endusers/extid-... is not documented: an external id is "
                "unique within one company only.",
                inferred(UNIQUENESS),
            ),
            Quirk(
                "An e-mail may be that of several people, so a bulk upsert by e-mail may change the wrong one.",
                documented(UNIQUENESS),
            ),
            Quirk(
                'Bulk upserts of the same people at the same time fail with "externalId,email duplicated".',
                observed(DUPLICATE_ERROR),
            ),
            Quirk("The letter case of names may change when they are written.", observed(HULL)),
            Quirk("Booleans may come as empty texts.", observed(PYPLANHAT)),
            Quirk(
                "updatedAt moves with every PUT, even one that changes nothing, and is what changed_since() goes by; "
                "the lastUpdated of a list was four weeks behind it in a sample, so it would miss changes.",
                observed(HULL, PH_DESK),
            ),
            Quirk(
                "null clears custom texts and dates, [] clears lists; a blank text stays in a text, and is ignored "
                "in a date.",
                observed(TENANT_GUIDE),
            ),
            Quirk("The parameter companyId was called c until 2019.", observed(DOCS_2017)),
            Quirk(
                "Tenants hold placeholders among their people, and the same person under several domains.",
                observed(TENANT_GUIDE),
            ),
            Quirk(
                "Items of a list have companyExternalId and lastUpdated, which the sample of a get lacks.",
                documented(PH_DESK),
            ),
            Quirk(
                "Whether a person moves to another company by a new companyId is not described.",
                inferred(POSTMAN, PH_DESK),
            ),
        )

    email: fields.Text = fields.Text("email", label="Email", help="not unique, not even in one company")
    first_name: fields.Text = fields.Text("firstName", label="First Name", help="Planhat may change its letter case")
    last_name: fields.Text = fields.Text("lastName", label="Last Name", help="Planhat may change its letter case")
    name: fields.Text = fields.Text("name", read_only=True, help="first and last name, joined by Planhat")
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company of the person"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    company_external_id: fields.Text = fields.Text(
        "companyExternalId", read_only=True, help="the company by your id; in lists only", evidence=SAMPLES
    )
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    position: fields.Text = fields.Text("position", label="Title", help="the job title")
    phone: fields.Text = fields.Text("phone", help="any text")
    description: fields.Text = fields.Text("description", evidence=SAMPLES)
    linkedin_url: fields.Text = fields.Text("linkedInUrl", label="LinkedIn", evidence=observed(COMPASS))
    tags: fields.TextList = fields.TextList("tags")
    featured: fields.Boolean = fields.Boolean("featured")
    primary: fields.Boolean = fields.Boolean(
        "primary", help="the main contact, whose e-mails count more", evidence=documented(PH_DESK, PRIMARY_HELP)
    )
    archived: fields.Boolean = fields.Boolean("archived", help="lists hide archived people unless asked")
    other_emails: fields.TextList = fields.TextList("otherEmails")
    email_md5: fields.Text = fields.Text("emailMd5", read_only=True, help="a checksum of email", evidence=SAMPLES)
    shared_notifications_prefs: fields.Map = fields.Map("sharedNotificationsPrefs", read_only=True)
    nps_unsubscribed: fields.Boolean = fields.Boolean("npsUnsubscribed")
    nps: fields.Integer = fields.Integer("nps", read_only=True, label="NPS", help="the last score")
    nps_comment: fields.Text = fields.Text("npsComment", read_only=True)
    nps_date: fields.DateTime = fields.DateTime("npsDate", read_only=True, help="the last answer")
    nps_sent: fields.DateTime = fields.DateTime("npsSent", read_only=True, help="the last survey")
    beat_trend: fields.Number = fields.Number("beatTrend", read_only=True, help="the change of beats; may be negative")
    beats: fields.Number = fields.Number("beats", read_only=True)
    beats_total: fields.Number = fields.Number("beatsTotal", read_only=True, help="may be fractional")
    conversations_14_days: fields.Integer = fields.Integer("convs14", read_only=True)
    conversations_total: fields.Integer = fields.Integer("convsTotal", read_only=True)
    experience: fields.Number = fields.Number("experience", read_only=True, help="may be fractional")
    relevance: fields.Number = fields.Number("relevance", read_only=True, evidence=SAMPLES)
    relevance_rate: fields.Number = fields.Number("relevanceRate", read_only=True, evidence=SAMPLES)
    sentiment_score: fields.Number = fields.Number("sentimentScore", read_only=True, evidence=observed(TENANT_GUIDE))
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True, label="Created")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, evidence=observed(AIRBYTE))
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", help="moves on every PUT, also on one that changes nothing"
    )
    last_updated: fields.DateTime = fields.DateTime(
        "lastUpdated", read_only=True, help="in lists only", evidence=SAMPLES
    )
    last_active: fields.DateTime = fields.DateTime(
        "lastActive", read_only=True, label="Last Active", evidence=documented(PH_DESK, DUPLICATE_ERROR)
    )
    last_activities: fields.List = fields.List("lastActivities", read_only=True)
    related_endusers: fields.List = fields.List("relatedEndusers", read_only=True, help="possible duplicates")
    last_touch: fields.DateTime = fields.DateTime("lastTouch", read_only=True, label="Last Touch")
    last_touch_type: fields.Text = fields.Text("lastTouchType", read_only=True)
    last_touch_by_type: fields.Map = fields.Map("lastTouchByType", read_only=True, help="touch types with times")
    last_touch_time: fields.Json = fields.Json(
        "lastTouchTime", read_only=True, help="of no known type", evidence=observed(AIRBYTE)
    )
    personas: fields.List = fields.List("personas", read_only=True, evidence=observed(HULL))
    usage: fields.Map = fields.Map(
        "usage", read_only=True, help="metric ids with their values", evidence=observed(AIRBYTE)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=SAMPLES
    )

    conversations: Related[Conversation] = Related("Conversation")
    notes: Related[Note] = Related("Note")
    tickets: Related[Ticket] = Related("Ticket")
    tasks: Related[Task] = Related("Task")
    issues: Related[Issue] = Related("Issue")
    nps_answers: Related[NPS] = Related("NPS")
