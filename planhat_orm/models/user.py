"""User: a member of your own team.

Declarations only; the facts are those of https://www.planhat.com/developers/api/user. It does not promise that a
deleted user is erased: Planhat may only mark it removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import (
    AIRBYTE,
    COMPASS,
    CRUDS,
    DATROLL,
    DEVREV,
    DOCS_2017,
    HULL,
    PH_DESK,
    POSTMAN,
    TENANT_GUIDE,
    TORQ,
    V_GRUN,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.asset import Asset
    from planhat_orm.models.company import Company
    from planhat_orm.models.conversation import Conversation
    from planhat_orm.models.deal import Deal
    from planhat_orm.models.issue import Issue
    from planhat_orm.models.note import Note
    from planhat_orm.models.opportunity import Opportunity
    from planhat_orm.models.task import Task
    from planhat_orm.models.ticket import Ticket
    from planhat_orm.models.time_entry import TimeEntry
    from planhat_orm.models.timesheet import Timesheet
    from planhat_orm.models.workspace import Workspace

PAGE = official("user")
SAMPLES = documented(PH_DESK)
STATISTICS = observed(AIRBYTE)


class User(Model):
    """A member of the team that uses Planhat: a success manager, an administrator.

    Users created over the API are inactive until ``inactive=False`` is sent; an inactive one may own records all the
    same. The whole list is one request, so the owners of any number of companies cost one. A create needs nickname,
    e-mail, first and last name; one client got by without the nickname. ``permissions`` is a list by the page and an
    object of booleans in its samples.

    Source: https://www.planhat.com/developers/api/user

    >>> User.objects.get(email="kim@vendor.example").name
    'Kim Rivera'
    """

    class Meta:
        path = "users"
        page_size = (10000, 10000)
        keyables = ("id", "external_id")
        match_keys = ("_id", "externalId", "email")
        unique = ("externalId",)
        list_params = {
            "email": Param("email", hint=True, help="documented in 2017 only", evidence=documented(DOCS_2017))
        }
        list_fields = (
            "_id",
            "firstName",
            "lastName",
            "nickName",
            "email",
            "externalId",
            "image",
            "isHidden",
            "removed",
            "inactive",
            "managers",
            "teams",
            "isExposedAsSenderOption",
            "createdAt",
            "updatedAt",
            "tzOffset",
        )
        updated_field = "updatedAt"
        small_table = True
        evidence = {
            "fields": documented(PAGE, PH_DESK),
            "operations": documented(POSTMAN, PH_DESK, CRUDS),
            "filters": documented(DOCS_2017),
            "keys": documented(POSTMAN, PH_DESK),
            "matching": documented(POSTMAN, PH_DESK),
            "required": documented(POSTMAN, PH_DESK),
            "limits": documented(POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk("Users made over the API are inactive unless inactive=False is sent.", documented(PH_DESK)),
            Quirk(
                "A page holds 10,000 users unless told otherwise, so that one request returns everybody.",
                documented(POSTMAN, PH_DESK),
            ),
            Quirk(
                "Roles are written as ids and arrive as ids or as objects, in lists and in single answers; a list "
                "shows them only where they are selected.",
                observed(HULL, PH_DESK),
            ),
            Quirk("Roles and teams have no endpoint: their ids are all there is.", documented(PAGE)),
            Quirk("Owners of other objects are ids to be found in this list.", observed(TENANT_GUIDE, COMPASS)),
            Quirk("A list of one user is a cheap test of a token.", observed(DATROLL, DEVREV)),
            Quirk("A create without a nickname went through for one client.", observed(DATROLL)),
            Quirk("One client takes users for read-only; the official pages do not.", observed(TORQ)),
            Quirk(
                "That an e-mail stands for one user is likely, as it is the login, and nowhere said.", inferred(PAGE)
            ),
            Quirk("Whether deleting erases a user or marks it removed is not known.", inferred(PAGE)),
            Quirk("Until 2021 /myprofile answered with the user of the token.", observed(DOCS_2017, V_GRUN)),
        )
        doc_url = "https://www.planhat.com/developers/api/user"

    email: fields.Text = fields.Text("email", required=True, label="Email", help="the login")
    nick_name: fields.Text = fields.Text("nickName", required=True, label="Nickname", help="the name on screens")
    first_name: fields.Text = fields.Text("firstName", required=True, label="First Name")
    last_name: fields.Text = fields.Text(
        "lastName", required=True, label="Last Name", help="may be empty in old records"
    )
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id")
    roles: fields.IdList = fields.IdList("roles", help="ids of roles, which have no endpoint; may arrive as objects")
    inactive: fields.Boolean = fields.Boolean("inactive", help="cannot log in; True for users made over the API")
    removed: fields.Boolean = fields.Boolean("removed", read_only=True, help="marked as deleted", evidence=SAMPLES)
    is_hidden: fields.Boolean = fields.Boolean("isHidden")
    managers: ReferenceList[User] = ReferenceList("User", "managers", help="the user's managers")
    teams: fields.IdList = fields.IdList("teams", help="ids of teams, which have no endpoint")
    tz_offset: fields.Number = fields.Number("tzOffset", help="hours from UTC, negative to the west")
    is_exposed_as_sender_option: fields.Boolean = fields.Boolean("isExposedAsSenderOption")
    notifications_enabled: fields.Boolean = fields.Boolean("notificationsEnabled")
    daily_digest: fields.Boolean = fields.Boolean("dailyDigest", evidence=SAMPLES)
    follower_update: fields.Boolean = fields.Boolean("followerUpdate", evidence=SAMPLES)
    in_app_notifications: fields.Boolean = fields.Boolean("inAppNotifications", evidence=SAMPLES)
    default_meeting_length: fields.Integer = fields.Integer("defaultMeetingLength", evidence=SAMPLES)
    type: fields.Text = fields.Text("type", read_only=True, help='"user" as far as seen', evidence=SAMPLES)
    permissions: fields.Json = fields.Json("permissions", read_only=True, help="a list, or an object of booleans")
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True)
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created")
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated")
    last_daily_digest: fields.DayNumber = fields.DayNumber("lastDailyDigest", read_only=True, evidence=SAMPLES)
    image: fields.Map = fields.Map("image", read_only=True, help="{path, spacesKey}")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")

    radar_one_line: fields.Boolean = fields.Boolean("radarOneLine", read_only=True, heavy=True)
    task_filter: fields.Json = fields.Json("taskFilter", read_only=True, heavy=True, help='an object, "" or JSON text')
    company_filter: fields.Text = fields.Text("companyFilter", read_only=True, heavy=True)
    workflow_filter: fields.Text = fields.Text("workflowFilter", read_only=True, heavy=True, evidence=SAMPLES)
    compressed_view: fields.Boolean = fields.Boolean("compressedView", read_only=True, heavy=True)
    skipped_getting_started_steps: fields.Map = fields.Map(
        "skippedGettingStartedSteps", read_only=True, heavy=True, evidence=SAMPLES
    )
    shared_notifications_prefs: fields.Map = fields.Map(
        "sharedNotificationsPrefs", read_only=True, heavy=True, evidence=SAMPLES
    )
    account_access: fields.Text = fields.Text("accountAccess", read_only=True, heavy=True, evidence=SAMPLES)
    playlist_section: fields.Text = fields.Text("playlistSection", read_only=True, heavy=True, evidence=SAMPLES)
    rev_report_period_type: fields.Text = fields.Text(
        "revReportPeriodType", read_only=True, heavy=True, evidence=SAMPLES
    )
    play_log_disabled: fields.Boolean = fields.Boolean("playLogDisabled", read_only=True, heavy=True, evidence=SAMPLES)
    split_layout_disabled: fields.Boolean = fields.Boolean(
        "splitLayoutDisabled", read_only=True, heavy=True, evidence=SAMPLES
    )
    expanded_folders: fields.List = fields.List("expandedFolders", read_only=True, heavy=True, evidence=SAMPLES)
    collapsed_folders: fields.List = fields.List("collapsedFolders", read_only=True, heavy=True, evidence=SAMPLES)
    usage_report_columns_enabled: fields.List = fields.List(
        "usageReportColumnsEnabled", read_only=True, heavy=True, evidence=SAMPLES
    )
    company_users_enabled_columns: fields.List = fields.List(
        "companyUsersEnabledColumns", read_only=True, heavy=True, evidence=SAMPLES
    )
    last_visited_companies: fields.List = fields.List(
        "lastVisitedCompanies", read_only=True, heavy=True, evidence=SAMPLES
    )
    last_visited_endusers: fields.List = fields.List(
        "lastVisitedEndusers", read_only=True, heavy=True, evidence=SAMPLES
    )
    api_tokens: fields.List = fields.List(
        "apiTokens", read_only=True, heavy=True, help="empty as far as seen; never shown in logs", evidence=SAMPLES
    )
    poc: fields.List = fields.List("poc", read_only=True, heavy=True, evidence=SAMPLES)
    google_api: fields.Map = fields.Map("googleApi", read_only=True, heavy=True, evidence=observed(HULL))
    ms_api: fields.Map = fields.Map("msApi", read_only=True, heavy=True, evidence=observed(HULL))
    google_calendar_api: fields.Map = fields.Map(
        "googleCalendarApi", read_only=True, heavy=True, evidence=observed(HULL)
    )
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, heavy=True, help="the storage's version number", evidence=SAMPLES
    )

    # Numbers that one connector's schema has and the official page has not.
    customer_count: fields.Number = fields.Number("customerCount", read_only=True, heavy=True, evidence=STATISTICS)
    paying_customer_count: fields.Number = fields.Number(
        "payingCustomerCount", read_only=True, heavy=True, evidence=STATISTICS
    )
    mrr: fields.Number = fields.Number("mrr", read_only=True, heavy=True, evidence=STATISTICS)
    arr: fields.Number = fields.Number("arr", read_only=True, heavy=True, evidence=STATISTICS)
    mrr_average: fields.Number = fields.Number("mrrAvg", read_only=True, heavy=True, evidence=STATISTICS)
    arr_average: fields.Number = fields.Number("arrAvg", read_only=True, heavy=True, evidence=STATISTICS)
    nps_average: fields.Number = fields.Number("npsAvg", read_only=True, heavy=True, evidence=STATISTICS)
    health_average: fields.Number = fields.Number("healthAvg", read_only=True, heavy=True, evidence=STATISTICS)
    health_average_rounded: fields.Number = fields.Number(
        "healthAvgRound", read_only=True, heavy=True, evidence=STATISTICS
    )
    revenue_share: fields.Number = fields.Number("revenueShare", read_only=True, heavy=True, evidence=STATISTICS)
    last_touch_7: fields.Number = fields.Number("lastTouch7", read_only=True, heavy=True, evidence=STATISTICS)
    last_touch_30: fields.Number = fields.Number("lastTouch30", read_only=True, heavy=True, evidence=STATISTICS)
    last_touch_90: fields.Number = fields.Number("lastTouch90", read_only=True, heavy=True, evidence=STATISTICS)
    last_active_7: fields.Number = fields.Number("lastActive7", read_only=True, heavy=True, evidence=STATISTICS)
    last_active_30: fields.Number = fields.Number("lastActive30", read_only=True, heavy=True, evidence=STATISTICS)
    last_active_90: fields.Number = fields.Number("lastActive90", read_only=True, heavy=True, evidence=STATISTICS)
    open_tasks: fields.Number = fields.Number("nrOpenTasks", read_only=True, heavy=True, evidence=STATISTICS)
    overdue_tasks: fields.Number = fields.Number("nrOverDueTasks", read_only=True, heavy=True, evidence=STATISTICS)
    tasks_due_7_days: fields.Number = fields.Number("nrTasksDue7Days", read_only=True, heavy=True, evidence=STATISTICS)
    tasks_due_14_days: fields.Number = fields.Number(
        "nrTasksDue14Days", read_only=True, heavy=True, evidence=STATISTICS
    )
    tasks_due_30_days: fields.Number = fields.Number(
        "nrTasksDue30Days", read_only=True, heavy=True, evidence=STATISTICS
    )
    tasks_due_90_days: fields.Number = fields.Number(
        "nrTasksDue90Days", read_only=True, heavy=True, evidence=STATISTICS
    )
    default_currency_id: fields.Text = fields.Text("defaultCurrencyId", read_only=True, heavy=True, evidence=STATISTICS)

    companies: Related[Company] = Related("Company", via="owner")
    co_owned_companies: Related[Company] = Related("Company", via="co_owner")
    assets: Related[Asset] = Related("Asset", via="owner")
    workspaces: Related[Workspace] = Related("Workspace", via="owner")
    deals: Related[Deal] = Related("Deal", via="owner")
    followed_companies: Related[Company] = Related("Company", via="followers")
    collaborating_companies: Related[Company] = Related("Company", via="collaborators")
    followed_assets: Related[Asset] = Related("Asset", via="followers")
    followed_deals: Related[Deal] = Related("Deal", via="followers")
    conversations: Related[Conversation] = Related("Conversation", via="users")
    notes: Related[Note] = Related("Note", via="users")
    tickets: Related[Ticket] = Related("Ticket", via="users")
    followed_issues: Related[Issue] = Related("Issue", via="followers")
    opportunities: Related[Opportunity] = Related("Opportunity", via="owner")
    tasks: Related[Task] = Related("Task", via="owner")
    completed_tasks: Related[Task] = Related("Task", via="done_by")
    joined_tasks: Related[Task] = Related("Task", via="users")
    time_entries: Related[TimeEntry] = Related("TimeEntry")
    timesheets: Related[Timesheet] = Related("Timesheet", via="assigned_to")
    approved_timesheets: Related[Timesheet] = Related("Timesheet", via="approved_by")
    reports: Related[User] = Related("User", via="managers")

    @property
    def name(self) -> str:
        """First and last name, joined."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)
