"""The sources of what the models declare, by name: Planhat's own pages, copies of them, and people's code and notes.

Imports ``Source`` only. It does not promise that an address still answers, or still says what it said.
"""

from __future__ import annotations

from planhat_orm.orm.evidence import Source


def official(page: str) -> Source:
    """Return the official reference page of an object: ``official("invoice")``."""
    return Source(f"Planhat's own page on {page}", f"https://www.planhat.com/developers/api/{page}")


# Planhat's own

BULK_PAGE = Source("Planhat's own page on bulk upsert", "https://www.planhat.com/developers/api/bulk-upsert")
STATUS_PAGE = Source(
    "Planhat's own page on response codes", "https://www.planhat.com/developers/api/http-response-codes"
)
MODELS_PAGE = Source("Planhat's own page on its models", "https://www.planhat.com/developers/api/planhat-models")
DOCS_HOME = Source("Planhat's older documentation site", "https://docs.planhat.com")
DOCS_2017 = Source("Planhat's first documentation", "https://github.com/planhat/docs", "2017-06")
UNIQUENESS = Source(
    "Planhat's help: data uniqueness and keyables",
    "http://support.planhat.com/en/articles/8146372-data-uniqueness-and-keyables-in-planhat",
    "2024",
)
MERGING = Source(
    "Planhat's help: merging data",
    "http://support.planhat.com/en/articles/8146346-merging-data-in-planhat",
    "2024",
)
DUPLICATES_HELP = Source(
    "Planhat's help: duplicate companies over the API",
    "http://support.planhat.com/en/articles/1778351-duplicate-companies-being-created-over-the-api",
    "2018",
)
IDS_HELP = Source(
    "Planhat's help: external ids, source ids, related domains",
    "https://support.planhat.com/en/articles/2740109-external-id-s-source-id-s-related-domains",
)
NOT_ADDED_HELP = Source(
    "Planhat's help: not all end users sent over the API get added",
    "https://help.planhat.com/en/articles/9586991-not-all-end-users-sent-over-api-get-added-to-planhat",
)
IMPORT_HELP = Source(
    "Planhat's help: import templates", "http://support.planhat.com/en/articles/4530269-excel-import-templates"
)
GLOSSARY = Source(
    "Planhat's help: system field glossary",
    "http://support.planhat.com/en/articles/5983323-system-field-glossary",
)
DATES_HELP = Source(
    "Planhat's help: date and time", "http://support.planhat.com/en/articles/8179528-date-and-time-in-planhat"
)
REVENUE_HELP = Source(
    "Planhat's help: revenue overview", "https://help.planhat.com/en/articles/13106434-revenue-overview", "2026"
)
MISSING_ACTIVITY_HELP = Source(
    "Planhat's help: why some active users have no activity data",
    "https://support.planhat.com/en/articles/1770886-why-do-some-active-users-have-no-activity-data-in-planhat",
)
METRICS_HELP = Source("Planhat's help on metrics, in copies of ph-desk", dated="2025-10")
METRICS_SUM_HELP = Source(
    "Planhat's help: are my account metrics being duplicated",
    "https://support.planhat.com/en/articles/2969971-are-my-account-metrics-being-duplicated",
)
METRICS_ZERO_HELP = Source(
    "Planhat's help: null and zero values of custom metrics",
    "https://support.planhat.com/en/articles/6182249-custom-metrics-null-vs-zero-values",
)
PRIMARY_HELP = Source(
    "Planhat's help: the primary field of the end user",
    "https://help.planhat.com/en/articles/9587181-what-is-the-primary-field-on-the-end-user-model",
)
SEGMENT_HELP = Source(
    "Planhat's help: setting up the Segment integration",
    "https://support.planhat.com/en/articles/1608929-setting-up-the-segment-integration",
)


def help_page(title: str, url: str) -> Source:
    """Return an article of Planhat's help centre that one object alone needs."""
    return Source(f"Planhat's help: {title}", url)


# Copies of the official reference

PH_DESK = Source(
    "ph-desk, a transcription of the official reference with its samples",
    "https://github.com/rculross/ph-desk",
    "2025-10",
)
POSTMAN = Source(
    "a Postman collection made from the official reference", "https://github.com/rlwebscale/planhat", "2025-07"
)
REFERENCE_2026 = Source(
    "sales-skills, a reference that its author checked against the official one",
    "https://github.com/sales-skills/sales",
    "2026-06",
)
API_EVANGELIST = Source(
    "API Evangelist's survey of the official pages", "https://github.com/api-evangelist/planhat", "2026-07"
)
CONTEXT7 = Source(
    "context7's extract of the official pages",
    "https://context7.com/websites/planhat_developers_api/llms.txt",
)
LARAVEL = Source(
    "laravel-planhat, whose payloads are those of the official pages",
    "https://github.com/bambamboole/laravel-planhat",
    "2024-08",
)
PYPLANHAT_NOTES = Source("research notes of pyplanhat's author, from the official pages", dated="2025")

# Clients and connectors

AIRBYTE = Source("Airbyte's Planhat source", "https://github.com/airbytehq/airbyte", "2025")
AIRBYTE_ANALYTICS = Source("Airbyte's Planhat analytics destination", "https://github.com/airbytehq/airbyte", "2023-07")
DLT = Source("a dlt source for Planhat")
POSTHOG = Source("PostHog's Planhat source", "https://github.com/PostHog/posthog", "2026")
POSTHOG_PLUGIN = Source(
    "a PostHog plugin that sends events", "https://github.com/intrepica/planhat-posthog-plugin", "2022-02"
)
ANALYTICS_PLUGIN = Source("analytics-plugin-planhat", "https://github.com/WarreH/analytics-plugin-planhat", "2023-07")
CASTAI = Source(
    "a daily metrics push in production", "https://github.com/manav-castai/daily-planhat-metrics-update", "2024-09"
)
CRUDS = Source("cruds, a Python client", "https://github.com/johnbrandborg/cruds", "2026")
GO_CLIENT = Source("a Go client", "https://github.com/darrenparkinson/planhat", "2022-12")
ROBOCORP = Source("robocorp-planhat, a Python client", "https://github.com/robocorp/robocorp-planhat", "2024-03")
PYPLANHAT = Source("pyplanhat, a Python client", "https://github.com/ddlaws0n/pyplanhat", "2025-11")
ARCHITECT = Source("a Python client", "https://github.com/Planhat-Architect/python-alternative1", "2023-03")
V_GRUN = Source("planhat-python, a Python client", "https://github.com/v-grun/planhat-python", "2022")
HULL = Source("Hull's connector, with recorded answers", "https://github.com/hull/hull-planhat", "2021-02")
DATROLL = Source(
    "planhat-mcp of da-troll, with notes of live reads", "https://github.com/da-troll/planhat-mcp", "2026-07"
)
TORQ = Source(
    "planhat-mcp of joe-at-torq, whose schemas are guesses",
    "https://github.com/joe-at-torq/planhat-mcp",
    "2026-05",
)
OPEN_CONNECTOR = Source("open-connector", "https://github.com/oomol-lab/open-connector", "2026-08")
COMPASS = Source(
    "compass-csp, run against a live demo tenant", "https://github.com/freekdesmet-planhat/compass-csp", "2026-07"
)
SECOND_BRAIN = Source(
    "SecondBrain, whose fields were read from a live tenant", "https://github.com/mcasperson/SecondBrain", "2026-07"
)
DUPLICATE_ERROR = Source(
    "a reproduction of duplicate errors on a Planhat sandbox",
    "https://github.com/nasrat-v/planhat-duplicate-error",
    "2024-04",
)

# Notes of people who use Planhat

TENANT_GUIDE = Source("a customer's guide to its tenant, with live checks", dated="2026-10")
MCP_NOTES = Source("a customer's notes on the hosted MCP server", dated="2026-08")
SUPPORT_BOT = Source("a support bot's notes on list filters")
DEVREV = Source("a connector's requirements", dated="2026")
#: What follows from the shape of the other objects, where no source speaks.
ANALOGY = Source("the other objects of this API")
