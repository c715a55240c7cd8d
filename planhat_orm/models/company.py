"""Company: a customer account, the centre of Planhat's data model.

Declarations only; the facts are those of https://www.planhat.com/developers/api/company. It does not promise that a
field marked read-only is refused by Planhat: some are echoed when sent and overwritten by the next calculation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models import sources
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.asset import Asset
    from planhat_orm.models.campaign import Campaign
    from planhat_orm.models.churn import Churn
    from planhat_orm.models.conversation import Conversation
    from planhat_orm.models.deal import Deal
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.models.invoice import Invoice
    from planhat_orm.models.issue import Issue
    from planhat_orm.models.license import License
    from planhat_orm.models.line_item import LineItem
    from planhat_orm.models.note import Note
    from planhat_orm.models.nps import NPS
    from planhat_orm.models.objective import Objective
    from planhat_orm.models.opportunity import Opportunity
    from planhat_orm.models.project import Project
    from planhat_orm.models.sale import Sale
    from planhat_orm.models.task import Task
    from planhat_orm.models.ticket import Ticket
    from planhat_orm.models.time_entry import TimeEntry
    from planhat_orm.models.user import User
    from planhat_orm.models.workspace import Workspace

STATUSES = ("prospect", "coming", "customer", "canceled", "lost")
#: In samples of the official page, which its table does not have.
IN_SAMPLES = documented(sources.PH_DESK)
#: Named by a customer's notes of what the hosted server says of its fields.
IN_TENANTS = observed(sources.TENANT_GUIDE)
#: In the schema of one connector alone.
IN_SCHEMA = observed(sources.AIRBYTE)


class Company(Model):
    """A customer account. It may sit in a tree of companies (``root``, ``path``).

    ``get`` takes ``id``, ``external_id`` and ``source_id``; both keys are unique in a tenant. Lists hold fewer
    properties than ``get`` does, so they are asked for what is declared here and not ``heavy``.

    Revenue, health and status are Planhat's to compute, mostly from the licences. Its page calls them generated, and
    its sample of a create sends some of them all the same; as the next calculation may overwrite them, they are
    read-only here. ``csm_score``, ``phase``, ``domains``, ``customer_from`` and ``customer_to`` are kept by Planhat and
    may be written. How the parent in the tree is set is not documented.

    Source: https://www.planhat.com/developers/api/company

    >>> [company.name for company in Company.objects.order_by("name")[:2]]
    ['Acme', 'Birch & Co']
    """

    class Meta:
        path = "companies"
        page_size = (100, 5000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId", "externalId")
        list_params = {"companyId": Param("_id", many=True, help="the companies of these ids")}
        list_fields = (
            "_id",
            "shareable",
            "domains",
            "tags",
            "owner",
            "coOwner",
            "externalId",
            "sourceId",
            "phase",
            "status",
            "h",
            "csmScore",
            "mr",
            "nrr30",
            "mrrTotal",
            "mrTotal",
            "name",
            "phaseSince",
            "features",
            "usage",
            "alerts",
            "custom",
        )
        lean_path = "leancompanies"
        lean_fields = ("_id", "name", "externalId", "sourceId")
        lean_many = ("status",)
        lean_params = {"externalId": "externalId", "sourceId": "sourceId", "status": "status"}
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/company"
        evidence = {
            "fields": documented(sources.official("company"), sources.PH_DESK),
            "operations": documented(sources.POSTMAN, sources.PH_DESK),
            "filters": documented(sources.POSTMAN, sources.PH_DESK),
            "keys": documented(sources.POSTMAN, sources.PH_DESK, sources.UNIQUENESS, sources.MERGING),
            "matching": documented(sources.PH_DESK, sources.REFERENCE_2026, sources.BULK_PAGE),
            "required": documented(sources.POSTMAN, sources.PH_DESK),
            "limits": documented(sources.POSTMAN, sources.PH_DESK, sources.DLT),
        }
        quirks = (
            Quirk(
                "Lists hold a subset of the properties unless select asks for more.",
                documented(sources.PH_DESK, sources.HULL),
            ),
            Quirk(
                "An owner comes as an id, as an object {_id, nickName} or as null in lists.",
                observed(sources.GO_CLIENT, sources.COMPASS, sources.PH_DESK),
            ),
            Quirk(
                "Lists ignore name=, externalId= and companyName=: the first page comes as if nothing had been asked.",
                observed(sources.SUPPORT_BOT),
            ),
            Quirk(
                '/leancompanies lists all companies with four properties; a missing external id is "" there, and it '
                "filters by a status that it does not show.",
                documented(sources.PH_DESK, sources.POSTMAN, sources.LARAVEL),
            ),
            Quirk(
                "orgPath is a text of ids with a comma before, between and behind them, the root first.",
                observed(sources.PYPLANHAT),
            ),
            Quirk(
                "Inside the embedded licences and sales the currency is an object {_id, symbol, rate, isBase, "
                "overrides}; they come with get only.",
                documented(sources.PH_DESK, sources.GO_CLIENT),
            ),
            Quirk(
                "The page's sample of a create sends status, h and revenue totals, and a record holds what was sent; "
                "the next calculation may overwrite it.",
                inferred(sources.POSTMAN, sources.PH_DESK),
            ),
            Quirk("Any text is stored as a phase, also one that the tenant has not.", documented(sources.PH_DESK)),
            Quirk(
                "Creating a company under an external id in use made a second one in 2018; newer sources expect a 400.",
                documented(sources.DUPLICATES_HELP, sources.STATUS_PAGE, sources.MERGING),
            ),
            Quirk(
                'Some answers hold domains as one comma-separated text and booleans as ""; features is an object '
                "although it is documented as a list.",
                observed(sources.PYPLANHAT, sources.PH_DESK),
            ),
            Quirk(
                "There are two times of the last change. updatedAt moves with every PUT and is what changed_since() "
                "goes by; lastUpdated was later in one sample, so what Planhat computes by itself may move it alone: "
                "filter(Q(updated_at__gte=...) | Q(last_updated__gte=...)) holds both, at the price of a whole list.",
                observed(sources.PH_DESK, sources.HULL),
            ),
            Quirk("nextTouch came as milliseconds since 1970 in a list of 2020.", observed(sources.HULL)),
            Quirk("An _id in the body of an update may give 400; none is sent.", observed(sources.GO_CLIENT)),
            Quirk(
                "Planhat's revenue totals follow its own logic of licences; tenants often keep the figure that they"
                " trust in a custom field.",
                observed(sources.TENANT_GUIDE),
            ),
            Quirk(
                "Older clients use /companies/{id}/licenses, /endusers and /conversations; no official page has them.",
                observed(sources.HULL, sources.PYPLANHAT),
            ),
            Quirk(
                "In 2017 lists took s= for a segment; whether they still do is not known.",
                documented(sources.DOCS_2017),
            ),
        )

    name: fields.Text = fields.Text("name", required=True, help="the name; may repeat")
    owner: ForeignKey[User] = ForeignKey("User", "owner", help="the main account or success manager")
    owner_id: fields.Id = fields.IdOf(owner)
    co_owner: ForeignKey[User] = ForeignKey("User", "coOwner", label="Co-Owner", help="the second owner")
    co_owner_id: fields.Id = fields.IdOf(co_owner)
    external_id: fields.Text = fields.Text(
        "externalId", label="External ID", help="your own id, unique among companies; numbers become texts"
    )
    source_id: fields.Text = fields.Text(
        "sourceId", label="Source ID", help="the id in the CRM or another integration, unique among companies"
    )
    phase: fields.Text = fields.Text("phase", help="the lifecycle phase; any text is stored")
    status: fields.Choice = fields.Choice(
        "status", read_only=True, choices=STATUSES, help="derived by Planhat from the licences"
    )
    domains: fields.TextList = fields.TextList("domains", help="e-mail domains, sometimes whole addresses")
    health: fields.Number = fields.Number(
        "h",
        read_only=True,
        label="Health",
        help="the health score, 0 to 10",
        evidence=observed(sources.PH_DESK, sources.COMPASS, sources.AIRBYTE),
    )
    health_profile_id: fields.Id = fields.Id("hProfile", read_only=True, help="the health profile in use")
    csm_score: fields.Integer = fields.Integer(
        "csmScore",
        label="CSM Score",
        help="the manual score, 1 to 5",
        evidence=observed(sources.PH_DESK, sources.TENANT_GUIDE, sources.MCP_NOTES),
    )
    mr: fields.Number = fields.Number("mr", read_only=True, help="mrr and nrr30 together")
    nrr30: fields.Number = fields.Number("nrr30", read_only=True, help="what was sold once within 30 days")
    mrr_total: fields.Number = fields.Number("mrrTotal", read_only=True, help="recurring revenue so far")
    nrr_total: fields.Number = fields.Number("nrrTotal", read_only=True, help="one-off revenue so far")
    mr_total: fields.Number = fields.Number("mrTotal", read_only=True, help="mrr_total and nrr_total together")
    mrr: fields.Number = fields.Number("mrr", read_only=True, label="MRR", help="the monthly recurring value")
    arr: fields.Number = fields.Number("arr", read_only=True, label="ARR", help="the yearly value")
    renewal_mrr: fields.Number = fields.Number("renewalMrr", read_only=True, help="monthly value up for renewal")
    renewal_arr: fields.Number = fields.Number("renewalArr", read_only=True, help="yearly value up for renewal")
    description: fields.Text = fields.Text("description", help="may come back as HTML")
    address: fields.Text = fields.Text("address")
    country: fields.Text = fields.Text("country")
    city: fields.Text = fields.Text("city")
    zip: fields.Text = fields.Text("zip")
    phone: fields.Text = fields.Text("phonePrimary", label="Phone", help="the primary phone number")
    web: fields.Text = fields.Text("web", label="Website")
    customer_from: fields.Date = fields.Date(
        "customerFrom",
        label="Customer From",
        help="start of the active licence; may be written where the tenant allows it",
    )
    customer_to: fields.Date = fields.Date(
        "customerTo", label="Customer To", help="renewal day of the active licence; None where there is none"
    )
    last_renewal: fields.Date = fields.Date("lastRenewal", read_only=True, label="Last Renewal")
    renewal_date: fields.Date = fields.Date(
        "renewalDate", label="Renewal Date", evidence=observed(sources.PH_DESK, sources.TENANT_GUIDE)
    )
    renewal_days_from_now: fields.Number = fields.Number(
        "renewalDaysFromNow", read_only=True, help="days to the renewal; negative when it is past"
    )
    auto_renews: fields.Boolean = fields.Boolean("autoRenews", read_only=True, evidence=IN_SAMPLES)
    alerts: fields.List = fields.List("alerts", read_only=True)
    tags: fields.TextList = fields.TextList("tags")
    products: fields.TextList = fields.TextList("products", read_only=True, help="products of the active licences")
    embedded_licenses: fields.List = fields.List(
        "licenses", read_only=True, get_only=True, help="copies of the licences, whose _currency is an object"
    )
    embedded_sales: fields.List = fields.List(
        "sales", read_only=True, get_only=True, help="copies of the sales, whose _currency is an object"
    )
    followers: ReferenceList[User] = ReferenceList("User", "followers", help="users who follow the company")
    collaborators: ReferenceList[User] = ReferenceList(
        "User", "collaborators", help="users who work with it", evidence=observed(sources.PH_DESK, sources.TENANT_GUIDE)
    )
    usage: fields.Map = fields.Map("usage", read_only=True, help="metric ids with their values")
    nps: fields.Number = fields.Number(
        "nps",
        label="NPS",
        help="the score; may be fractional",
        evidence=observed(sources.PH_DESK, sources.TENANT_GUIDE),
    )
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True, label="Created")
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, evidence=observed(sources.AIRBYTE, sources.TENANT_GUIDE)
    )
    last_updated: fields.DateTime = fields.DateTime("lastUpdated", read_only=True)
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt",
        read_only=True,
        label="Updated",
        help="moves on every PUT, also on one that changes nothing",
        evidence=IN_SAMPLES,
    )
    last_active: fields.DateTime = fields.DateTime("lastActive", read_only=True, label="Last Active")
    last_active_time: fields.Json = fields.Json(
        "lastActiveTime", read_only=True, help="of no known type", evidence=IN_SCHEMA
    )
    last_touch: fields.DateTime = fields.DateTime(
        "lastTouch", read_only=True, label="Last Touch", help="the last touchpoint with it"
    )
    last_touch_type: fields.Text = fields.Text(
        "lastTouchType", read_only=True, help="the type of the last touchpoint: note, email ..."
    )
    last_touch_by_type: fields.Map = fields.Map("lastTouchByType", read_only=True, help="touch types with times")
    last_touch_time: fields.Json = fields.Json(
        "lastTouchTime", read_only=True, help="of no known type", evidence=IN_SCHEMA
    )
    next_touch: fields.DateTime = fields.DateTime(
        "nextTouch", read_only=True, label="Next Touch", help="came as milliseconds in 2020; both are read"
    )
    next_touch_date: fields.Json = fields.Json(
        "nextTouchDate", read_only=True, help="of no known type", evidence=IN_SCHEMA
    )
    phase_since: fields.DateTime = fields.DateTime("phaseSince", read_only=True, help="when the present phase began")
    days_in_phase: fields.Integer = fields.Integer("daysInPhase", read_only=True, evidence=IN_TENANTS)
    csm_score_log: fields.List = fields.List("csmScoreLog", read_only=True, heavy=True, help="items {date, score}")
    features: fields.Json = fields.Json("features", read_only=True, heavy=True, help="an object on the wire")
    success_units: fields.Map = fields.Map(
        "sunits", read_only=True, heavy=True, label="Success Units", help="their ids with {status, default}"
    )
    shareable: fields.Map = fields.Map("shareable", read_only=True, heavy=True, help="what the portal shows")
    last_activities: fields.List = fields.List("lastActivities", read_only=True, heavy=True)
    documents: fields.List = fields.List("documents", read_only=True, heavy=True, help="uploaded files")
    links: fields.List = fields.List("links", read_only=True, heavy=True, evidence=IN_SAMPLES)
    last_performed_triggers: fields.List = fields.List(
        "lastPerformedTriggers", read_only=True, heavy=True, evidence=IN_SAMPLES
    )
    root: ForeignKey[Company] = ForeignKey("Company", "orgRootId", read_only=True, help="the top of the company tree")
    root_id: fields.Id = fields.IdOf(root)
    path: fields.TextList = fields.TextList(
        "orgPath", read_only=True, help="ids of the companies above, the root first; a comma-separated text on the wire"
    )
    org_level: fields.Number = fields.Number("orgLevel", read_only=True, help="depth in the company tree")
    org_units: fields.Number = fields.Number("orgUnits", read_only=True, help="number of companies below")
    org_count: fields.Integer = fields.Integer("orgCount", read_only=True, evidence=IN_SAMPLES)
    org_path_count: fields.Integer = fields.Integer("orgPathCount", read_only=True, evidence=IN_SAMPLES)
    org_mrr: fields.Number = fields.Number("orgMrr", read_only=True)
    org_arr: fields.Number = fields.Number("orgArr", read_only=True)
    org_mrr_total: fields.Number = fields.Number("orgMrrTotal", read_only=True)
    org_arr_total: fields.Number = fields.Number("orgArrTotal", read_only=True)
    org_health_total: fields.Number = fields.Number("orgHealthTotal", read_only=True)
    org_independent: fields.Boolean = fields.Boolean(
        "orgIndependent", help="leaves the company out of group totals", evidence=IN_TENANTS
    )
    head_id: fields.Id = fields.Id("headId", read_only=True, help="of unknown meaning", evidence=IN_SAMPLES)
    health_change: fields.Number = fields.Number(
        "hDiff", read_only=True, help="the last change of the health score, in points", evidence=IN_SAMPLES
    )
    health_change_date: fields.DateTime = fields.DateTime("hDiffDate", read_only=True, evidence=IN_SAMPLES)
    sentiment_score: fields.Number = fields.Number(
        "sentimentScore", read_only=True, evidence=observed(sources.AIRBYTE, sources.TENANT_GUIDE)
    )
    slug: fields.Text = fields.Text(
        "slug",
        read_only=True,
        help="told same-named companies apart until 2021",
        evidence=documented(sources.DOCS_2017, sources.GO_CLIENT),
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=IN_SAMPLES
    )

    endusers: Related[Enduser] = Related("Enduser")
    licenses: Related[License] = Related("License")
    campaigns: Related[Campaign] = Related("Campaign")
    churns: Related[Churn] = Related("Churn")
    invoices: Related[Invoice] = Related("Invoice")
    objectives: Related[Objective] = Related("Objective")
    opportunities: Related[Opportunity] = Related("Opportunity")
    sales: Related[Sale] = Related("Sale")
    notes: Related[Note] = Related("Note")
    descendants: Related[Company] = Related("Company", via="root")
    assets: Related[Asset] = Related("Asset")
    conversations: Related[Conversation] = Related("Conversation")
    deals: Related[Deal] = Related("Deal")
    issues: Related[Issue] = Related("Issue")
    line_items: Related[LineItem] = Related("LineItem")
    nps_answers: Related[NPS] = Related("NPS")
    projects: Related[Project] = Related("Project")
    tasks: Related[Task] = Related("Task")
    tickets: Related[Ticket] = Related("Ticket")
    time_entries: Related[TimeEntry] = Related("TimeEntry")
    workspaces: Related[Workspace] = Related("Workspace")
