"""Every property that Planhat's pages, samples and clients show is declared, with its type, mark and relation.

The lists are written from the pages of the API (https://www.planhat.com/developers/api/company and so on), not from
the models. A sign behind a name: ``!`` Planhat keeps it (read-only), ``*`` wanted by a create. A type that names a
model is a link to it, one in brackets a list of links.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model

COMPANY = """
    id: _id!
    text: name* externalId sourceId phase description address country city zip phonePrimary web lastTouchType! slug!
    choice: status!
    User: owner coOwner
    [User]: followers collaborators
    Company: orgRootId!
    id: hProfile! headId!
    texts: domains tags products! orgPath!
    integer: csmScore daysInPhase! orgCount! orgPathCount! __v!
    number: h! mr! nrr30! mrrTotal! nrrTotal! mrTotal! mrr! arr! renewalMrr! renewalArr! renewalDaysFromNow! nps hDiff!
    number: orgLevel! orgUnits! orgMrr! orgArr! orgMrrTotal! orgArrTotal! orgHealthTotal! sentimentScore!
    boolean: autoRenews! orgIndependent
    day: customerFrom customerTo lastRenewal! renewalDate
    time: createDate! lastUpdated! lastActive! lastTouch! nextTouch! phaseSince! updatedAt! createdAt! hDiffDate!
    list: alerts! licenses! sales! csmScoreLog! lastActivities! documents! links! lastPerformedTriggers!
    map: usage! lastTouchByType! sunits! shareable!
    json: features! lastTouchTime! nextTouchDate! lastActiveTime!
    custom: custom
"""
ENDUSER = """
    id: _id!
    text: email firstName lastName name! companyName! externalId sourceId position phone npsComment! lastTouchType!
    text: emailMd5! description companyExternalId! linkedInUrl
    Company: companyId*
    texts: tags otherEmails
    boolean: featured primary archived npsUnsubscribed
    integer: nps! convs14! convsTotal! __v!
    number: beatTrend! beats! beatsTotal! experience! relevance! relevanceRate! sentimentScore!
    time: npsDate! npsSent! createDate! updatedAt! lastTouch! lastActive! lastUpdated! createdAt!
    list: lastActivities! relatedEndusers! personas!
    map: sharedNotificationsPrefs! lastTouchByType! usage!
    json: lastTouchTime!
    custom: custom
"""
USER = """
    id: _id!
    text: email* nickName* firstName* lastName* externalId companyFilter! type! accountAccess! playlistSection!
    text: revReportPeriodType! workflowFilter! defaultCurrencyId!
    ids: roles teams
    [User]: managers
    boolean: inactive radarOneLine! compressedView! isHidden notificationsEnabled isExposedAsSenderOption removed!
    boolean: dailyDigest followerUpdate inAppNotifications playLogDisabled! splitLayoutDisabled!
    integer: defaultMeetingLength __v!
    number: tzOffset customerCount! payingCustomerCount! mrr! arr! mrrAvg! arrAvg! npsAvg! healthAvg! healthAvgRound!
    number: revenueShare! lastTouch7! lastTouch30! lastTouch90! lastActive7! lastActive30! lastActive90! nrOpenTasks!
    number: nrOverDueTasks! nrTasksDue7Days! nrTasksDue14Days! nrTasksDue30Days! nrTasksDue90Days!
    time: createDate! createdAt! updatedAt!
    daynumber: lastDailyDigest!
    list: expandedFolders! collapsedFolders! usageReportColumnsEnabled! companyUsersEnabledColumns!
    list: lastVisitedCompanies! lastVisitedEndusers! apiTokens! poc!
    map: image! skippedGettingStartedSteps! sharedNotificationsPrefs! googleApi! msApi! googleCalendarApi!
    json: taskFilter! permissions!
    custom: custom
"""
LICENSE = """
    id: _id!
    text: product _currency* companyName! externalId sourceId status!
    Company: companyId*
    License: parent
    day: fromDate* toDate renewalDate! salesDate! fcNewStartDate
    boolean: fixedPeriod isOverdue! autoRenews invoicesGenerated invoiceMuted toDateIncluded!
    number: mrr arr renewalMrr renewalArr fcNewMrr fcNewArr fcNewMrrOptimistic fcNewArrOptimistic
    number: fcNewMrrPessimistic fcNewArrPessimistic value length!
    integer: renewalPeriod renewalDaysFromNow! noticePeriod invoiceCycleInterval __v!
    choice: renewalStatus renewalUnit noticeUnit invoiceCycle
    list: issues!
    custom: custom
"""
NOTE = """
    id: _id! taskId parentId!
    Company: companyId*
    User: owner! userId!
    [User]: users userIds! followers!
    [Enduser]: endusers
    text: companyName! subject description snippet! type externalId assigneeName! source nickName! note! transcript
    text: companySourceId! companyExternalId parentType! shortSummary!
    choice: category
    time: date outDate createDate! createdAt! updatedAt!
    day: startDate endDate
    daynumber: days!
    texts: activityTags tags! timeBucket!
    ids: emailTemplateIds!
    boolean: starred pinned archived isOpen! waitsToBeFiltered! hasMore! isCustomType! hasAttachments! isSeen!
    boolean: isClassified! isSignalAnalyzed! isBounced! scheduled!
    integer: numberOfParts! numberOfRelevantParts! __v!
    list: sender! history! autoTags!
    custom: custom
"""
CLASSES: dict[str, type[Any]] = {
    "id": fields.Id,
    "text": fields.Text,
    "choice": fields.Choice,
    "texts": fields.TextList,
    "ids": fields.IdList,
    "integer": fields.Integer,
    "number": fields.Number,
    "boolean": fields.Boolean,
    "day": fields.Date,
    "daynumber": fields.DayNumber,
    "time": fields.DateTime,
    "list": fields.List,
    "map": fields.Map,
    "json": fields.Json,
    "custom": CustomData,
}
MODELS: list[tuple[type[Model], str]] = [
    (Company, COMPANY),
    (Enduser, ENDUSER),
    (User, USER),
    (License, LICENSE),
    (Note, NOTE),
]
#: What a list leaves out that a get holds.
GET_ONLY = {
    "Company": {"licenses", "sales"},
    "Note": {
        "description",
        "days",
        "timeBucket",
        "history",
        "outDate",
        "source",
        "numberOfParts",
        "numberOfRelevantParts",
    },
}


def documented(listing: str) -> dict[str, tuple[Any, ...]]:
    """Read a list: Planhat's name to (kind, read-only, required)."""
    found: dict[str, tuple[Any, ...]] = {}
    for line in listing.strip().splitlines():
        kind, _, names = line.strip().partition(":")
        for name in names.split():
            key = name.rstrip("!*")
            assert key not in found, f"{key} is listed twice"
            found[key] = (kind, name.endswith("!"), name.endswith("*"))
    return found


def declared(model: type[Model]) -> dict[str, tuple[Any, ...]]:
    """Return the same of what the model declares."""
    kinds = {cls: kind for kind, cls in CLASSES.items()}
    found: dict[str, tuple[Any, ...]] = {}
    for field in model._meta.fields:
        if isinstance(field, ForeignKey):
            kind = field.to
        elif isinstance(field, ReferenceList):
            kind = f"[{field.to}]"
        else:
            kind = kinds[type(field)]
        found[field.data_key] = (kind, field.read_only, field.required)
    return found


@pytest.mark.parametrize(("model", "listing"), MODELS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_known_property_is_declared_with_its_type_and_marks(model: type[Model], listing: str) -> None:
    assert declared(model) == documented(listing)


@pytest.mark.parametrize(("model", "listing"), MODELS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_only_a_get_holds_is_marked(model: type[Model], listing: str) -> None:
    marked = {field.data_key for field in model._meta.fields if field.get_only}
    assert marked == GET_ONLY.get(model.__name__, set())


@pytest.mark.parametrize("model", [model for model, _ in MODELS], ids=lambda model: model.__name__)
def test_python_names_are_snake_case_and_each_stands_for_one_thing(model: type[Model]) -> None:
    names = [field.name for field in (*model._meta.fields, *model._meta.virtual)]
    names += [name for name, value in vars(model).items() if isinstance(value, Related)]
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name), name
        assert not keyword.iskeyword(name), name


@pytest.mark.parametrize("model", [model for model, _ in MODELS], ids=lambda model: model.__name__)
def test_every_foreign_key_has_its_id_beside_it(model: type[Model]) -> None:
    keys = [field for field in model._meta.fields if isinstance(field, ForeignKey)]
    for key in keys:
        beside = model._meta.by_name[f"{key.name}_id"]
        assert isinstance(beside, fields.IdOf)
        assert beside.key is key
        assert beside.data_key == key.data_key
    assert len(keys) == len(model._meta.virtual)


@pytest.mark.parametrize("model", [model for model, _ in MODELS], ids=lambda model: model.__name__)
def test_what_meta_names_is_declared(model: type[Model]) -> None:
    meta = model._meta
    named = {*meta.match_keys, *meta.unique, *meta.exact_params.values(), *meta.hint_params.values(), *meta.constant}
    named |= {*meta.list_fields, *meta.lean_fields, *meta.lean_params.values(), *meta.always_sent, *meta.unhide}
    for needed in meta.create_required:
        named |= {needed} if isinstance(needed, str) else {*needed}
    named |= {meta.updated_field} - {""}
    assert named <= meta.keys
    assert {*meta.many_params} <= {*meta.exact_params}
    assert meta.page_size[0] <= meta.page_size[1]


def test_endpoints_are_those_of_the_pages() -> None:
    said = {model.__name__: (model._meta.path, *model._meta.page_size, model._meta.keyables) for model, _ in MODELS}
    every = ("id", "external_id", "source_id")
    assert said == {
        "Company": ("companies", 100, 5000, every),
        "Enduser": ("endusers", 100, 2000, every),
        "User": ("users", 10000, 10000, ("id", "external_id")),
        "License": ("licenses", 100, 2000, every),
        "Note": ("conversations", 30, 2000, ("id", "external_id")),
    }


def test_bulk_matches_in_the_documented_order() -> None:
    assert {model.__name__: model._meta.match_keys for model, _ in MODELS} == {
        "Company": ("_id", "sourceId", "externalId"),
        "Enduser": ("_id", "sourceId", "externalId", "email"),
        "User": ("_id", "externalId", "email"),
        "License": ("_id", "sourceId", "externalId"),
        "Note": ("_id",),
    }


def test_what_a_create_needs_is_what_the_pages_ask_for() -> None:
    assert {model.__name__: model._meta.create_required for model, _ in MODELS} == {
        "Company": ("name",),
        "Enduser": ("companyId", ("email", "externalId", "sourceId")),
        "User": ("nickName", "email", "firstName", "lastName"),
        "License": ("companyId", "_currency", "fromDate", ("mrr", "value")),
        "Note": ("companyId",),
    }


@pytest.mark.parametrize(
    ("model", "name", "choices"),
    [
        (Company, "status", ("prospect", "coming", "customer", "canceled", "lost")),
        (License, "renewal_status", ("ongoing", "renewed", "lost")),
        (License, "renewal_unit", ("day", "week", "month")),
        (License, "notice_unit", ("day", "week", "month")),
        (License, "invoice_cycle", ("monthly", "quarterly", "yearly", "semiAnnual", "once", "custom")),
    ],
)
def test_choices_are_those_of_the_pages(model: type[Model], name: str, choices: tuple[str, ...]) -> None:
    assert model._meta.field(name).choices == choices
