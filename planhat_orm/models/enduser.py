"""Enduser: a person at a customer.

Declarations only; the facts are those of https://www.planhat.com/developers/api/enduser. It does not promise that an
external id is unique: two companies may each have an enduser of the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company


class Enduser(Model):
    """A person at a customer: a user of the product, a contact, or both.

    Planhat drops a person for whom it finds no company without an error, so ``company`` is required here, and one of
    e-mail, external id and source id. Lists hide archived people unless asked; ours ask. An external id is unique
    within one company only, and an e-mail not at all.

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
        list_params = {"companyId": Param("companyId", many=True), "email": Param("email"), "euId": Param("_id")}
        unhide = {"archived": "true"}
        create_required = ("companyId", ("email", "externalId", "sourceId"))
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/enduser"

    email: fields.Text = fields.Text("email", label="Email", help="not unique, not even in one company")
    first_name: fields.Text = fields.Text("firstName", label="First Name", help="Planhat may change its letter case")
    last_name: fields.Text = fields.Text("lastName", label="Last Name", help="Planhat may change its letter case")
    name: fields.Text = fields.Text("name", read_only=True, help="first and last name, joined by Planhat")
    company: ForeignKey[Company] = ForeignKey("Company", "companyId", required=True, help="the company of the person")
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    company_external_id: fields.Text = fields.Text("companyExternalId", read_only=True, help="in list samples only")
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    position: fields.Text = fields.Text("position", label="Title", help="the job title")
    phone: fields.Text = fields.Text("phone", help="any text")
    description: fields.Text = fields.Text("description", help="seen in samples only")
    linkedin_url: fields.Text = fields.Text("linkedInUrl", label="LinkedIn", help="seen in samples only")
    tags: fields.TextList = fields.TextList("tags")
    featured: fields.Boolean = fields.Boolean("featured")
    primary: fields.Boolean = fields.Boolean("primary", help="the main contact")
    archived: fields.Boolean = fields.Boolean("archived", help="lists hide archived people unless asked")
    other_emails: fields.TextList = fields.TextList("otherEmails")
    email_md5: fields.Text = fields.Text("emailMd5", read_only=True, help="seen in samples only")
    shared_notifications_prefs: fields.Map = fields.Map("sharedNotificationsPrefs", read_only=True)
    nps_unsubscribed: fields.Boolean = fields.Boolean("npsUnsubscribed")
    nps: fields.Integer = fields.Integer("nps", read_only=True, label="NPS", help="the last score")
    nps_comment: fields.Text = fields.Text("npsComment", read_only=True)
    nps_date: fields.DateTime = fields.DateTime("npsDate", read_only=True, help="the last answer")
    nps_sent: fields.DateTime = fields.DateTime("npsSent", read_only=True, help="the last survey")
    beat_trend: fields.Number = fields.Number("beatTrend", read_only=True, help="may be fractional and negative")
    beats: fields.Number = fields.Number("beats", read_only=True)
    beats_total: fields.Number = fields.Number("beatsTotal", read_only=True, help="may be fractional")
    conversations_14_days: fields.Integer = fields.Integer("convs14", read_only=True)
    conversations_total: fields.Integer = fields.Integer("convsTotal", read_only=True)
    experience: fields.Number = fields.Number("experience", read_only=True, help="may be fractional")
    relevance: fields.Number = fields.Number("relevance", read_only=True, help="seen in samples only")
    relevance_rate: fields.Number = fields.Number("relevanceRate", read_only=True, help="seen in samples only")
    sentiment_score: fields.Number = fields.Number("sentimentScore", read_only=True, help="seen in samples only")
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True, label="Created")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, help="seen in samples only")
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", help="moves on every PUT, also on one that changes nothing"
    )
    last_updated: fields.DateTime = fields.DateTime("lastUpdated", read_only=True, help="in list samples only")
    last_active: fields.DateTime = fields.DateTime("lastActive", read_only=True, label="Last Active")
    last_activities: fields.List = fields.List("lastActivities", read_only=True)
    related_endusers: fields.List = fields.List("relatedEndusers", read_only=True, help="possible duplicates")
    last_touch: fields.DateTime = fields.DateTime("lastTouch", read_only=True, label="Last Touch")
    last_touch_type: fields.Text = fields.Text("lastTouchType", read_only=True)
    last_touch_by_type: fields.Map = fields.Map("lastTouchByType", read_only=True, help="touch types with times")
    last_touch_time: fields.Json = fields.Json("lastTouchTime", read_only=True, help="of no known type")
    personas: fields.List = fields.List("personas", read_only=True, help="seen in samples only")
    usage: fields.Map = fields.Map("usage", read_only=True, help="metric ids with their values")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer("__v", read_only=True, help="the storage's version number")
