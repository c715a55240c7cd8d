"""User: a member of your own team.

Declarations only; the facts are those of https://www.planhat.com/developers/api/user. It does not promise that a
deleted user is erased: Planhat may only mark it removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company


class User(Model):
    """A member of the team that uses Planhat: a success manager, an administrator.

    Users created over the API are inactive until ``inactive=False`` is sent. The whole list is one request, so the
    owners of any number of companies cost one.

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
        list_params = {"email": Param("email", hint=True)}
        lean_list = True
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
        create_required = ("nickName", "email", "firstName", "lastName")
        updated_field = "updatedAt"
        small_table = True
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
    removed: fields.Boolean = fields.Boolean("removed", read_only=True, help="marked as deleted")
    is_hidden: fields.Boolean = fields.Boolean("isHidden")
    managers: ReferenceList[User] = ReferenceList("User", "managers", help="the user's managers")
    teams: fields.IdList = fields.IdList("teams", help="ids of teams, which have no endpoint")
    tz_offset: fields.Number = fields.Number("tzOffset", help="hours from UTC, negative to the west")
    is_exposed_as_sender_option: fields.Boolean = fields.Boolean("isExposedAsSenderOption")
    notifications_enabled: fields.Boolean = fields.Boolean("notificationsEnabled")
    daily_digest: fields.Boolean = fields.Boolean("dailyDigest", help="seen in samples only")
    follower_update: fields.Boolean = fields.Boolean("followerUpdate", help="seen in samples only")
    in_app_notifications: fields.Boolean = fields.Boolean("inAppNotifications", help="seen in samples only")
    default_meeting_length: fields.Integer = fields.Integer("defaultMeetingLength", help="seen in samples only")
    type: fields.Text = fields.Text("type", read_only=True, help='"user" in samples')
    permissions: fields.Json = fields.Json("permissions", read_only=True, help="a list, or an object of booleans")
    create_date: fields.DateTime = fields.DateTime("createDate", read_only=True)
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created")
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated")
    last_daily_digest: fields.DayNumber = fields.DayNumber("lastDailyDigest", read_only=True, help="in samples only")
    image: fields.Map = fields.Map("image", read_only=True, help="{path, spacesKey}")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")

    radar_one_line: fields.Boolean = fields.Boolean("radarOneLine", read_only=True, heavy=True)
    task_filter: fields.Json = fields.Json("taskFilter", read_only=True, heavy=True, help='an object, "" or JSON text')
    company_filter: fields.Text = fields.Text("companyFilter", read_only=True, heavy=True)
    workflow_filter: fields.Text = fields.Text("workflowFilter", read_only=True, heavy=True)
    compressed_view: fields.Boolean = fields.Boolean("compressedView", read_only=True, heavy=True)
    skipped_getting_started_steps: fields.Map = fields.Map("skippedGettingStartedSteps", read_only=True, heavy=True)
    shared_notifications_prefs: fields.Map = fields.Map("sharedNotificationsPrefs", read_only=True, heavy=True)
    account_access: fields.Text = fields.Text("accountAccess", read_only=True, heavy=True)
    playlist_section: fields.Text = fields.Text("playlistSection", read_only=True, heavy=True)
    rev_report_period_type: fields.Text = fields.Text("revReportPeriodType", read_only=True, heavy=True)
    play_log_disabled: fields.Boolean = fields.Boolean("playLogDisabled", read_only=True, heavy=True)
    split_layout_disabled: fields.Boolean = fields.Boolean("splitLayoutDisabled", read_only=True, heavy=True)
    expanded_folders: fields.List = fields.List("expandedFolders", read_only=True, heavy=True)
    collapsed_folders: fields.List = fields.List("collapsedFolders", read_only=True, heavy=True)
    usage_report_columns_enabled: fields.List = fields.List("usageReportColumnsEnabled", read_only=True, heavy=True)
    company_users_enabled_columns: fields.List = fields.List("companyUsersEnabledColumns", read_only=True, heavy=True)
    last_visited_companies: fields.List = fields.List("lastVisitedCompanies", read_only=True, heavy=True)
    last_visited_endusers: fields.List = fields.List("lastVisitedEndusers", read_only=True, heavy=True)
    api_tokens: fields.List = fields.List("apiTokens", read_only=True, heavy=True, help="empty in samples")
    poc: fields.List = fields.List("poc", read_only=True, heavy=True)
    google_api: fields.Map = fields.Map("googleApi", read_only=True, heavy=True)
    ms_api: fields.Map = fields.Map("msApi", read_only=True, heavy=True)
    google_calendar_api: fields.Map = fields.Map("googleCalendarApi", read_only=True, heavy=True)
    version_key: fields.Integer = fields.Integer("__v", read_only=True, heavy=True, help="the storage's version number")

    # Numbers that one connector's schema has and the official page has not.
    customer_count: fields.Number = fields.Number("customerCount", read_only=True, heavy=True)
    paying_customer_count: fields.Number = fields.Number("payingCustomerCount", read_only=True, heavy=True)
    mrr: fields.Number = fields.Number("mrr", read_only=True, heavy=True)
    arr: fields.Number = fields.Number("arr", read_only=True, heavy=True)
    mrr_average: fields.Number = fields.Number("mrrAvg", read_only=True, heavy=True)
    arr_average: fields.Number = fields.Number("arrAvg", read_only=True, heavy=True)
    nps_average: fields.Number = fields.Number("npsAvg", read_only=True, heavy=True)
    health_average: fields.Number = fields.Number("healthAvg", read_only=True, heavy=True)
    health_average_rounded: fields.Number = fields.Number("healthAvgRound", read_only=True, heavy=True)
    revenue_share: fields.Number = fields.Number("revenueShare", read_only=True, heavy=True)
    last_touch_7: fields.Number = fields.Number("lastTouch7", read_only=True, heavy=True)
    last_touch_30: fields.Number = fields.Number("lastTouch30", read_only=True, heavy=True)
    last_touch_90: fields.Number = fields.Number("lastTouch90", read_only=True, heavy=True)
    last_active_7: fields.Number = fields.Number("lastActive7", read_only=True, heavy=True)
    last_active_30: fields.Number = fields.Number("lastActive30", read_only=True, heavy=True)
    last_active_90: fields.Number = fields.Number("lastActive90", read_only=True, heavy=True)
    open_tasks: fields.Number = fields.Number("nrOpenTasks", read_only=True, heavy=True)
    overdue_tasks: fields.Number = fields.Number("nrOverDueTasks", read_only=True, heavy=True)
    tasks_due_7_days: fields.Number = fields.Number("nrTasksDue7Days", read_only=True, heavy=True)
    tasks_due_14_days: fields.Number = fields.Number("nrTasksDue14Days", read_only=True, heavy=True)
    tasks_due_30_days: fields.Number = fields.Number("nrTasksDue30Days", read_only=True, heavy=True)
    tasks_due_90_days: fields.Number = fields.Number("nrTasksDue90Days", read_only=True, heavy=True)
    default_currency_id: fields.Text = fields.Text("defaultCurrencyId", read_only=True, heavy=True)

    companies: Related[Company] = Related("Company", via="owner")
    co_owned_companies: Related[Company] = Related("Company", via="co_owner")

    @property
    def name(self) -> str:
        """First and last name, joined."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)
