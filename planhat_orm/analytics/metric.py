"""Metric: one point of a time series of a company, enduser, asset or project.

The declarations and the way out; the facts are those of https://www.planhat.com/developers/api/metrics. Points are read
on the main host and written on the analytics host. It does not promise that a point that was pushed can be read at
once, or ever: Planhat acknowledges, drops what it cannot match, and shows the rest within minutes.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.analytics import pushing
from planhat_orm.analytics.delivering import Delivery
from planhat_orm.analytics.inputs import Figure, Form, Input, Key, Moment, key_of
from planhat_orm.errors import ValidationError
from planhat_orm.models import sources
from planhat_orm.orm import conversion, fields
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.session.changes import Ledger
    from planhat_orm.session.session import Session

DOC_URL = "https://www.planhat.com/developers/api/metrics"
#: Collections whose records have metrics, and what a metric calls their model: "EndUser", unlike the rest of the API.
MEASURED = {"companies": "Company", "endusers": "EndUser", "assets": "Asset", "projects": "Project"}
#: The first and the last day that are asked for where a query names none: 1970-01-01 and 2169-12-31. What a list
#: without `from` and `to` shows is not documented.
FIRST_DAY, LAST_DAY = "0", "73048"
INSTEAD = "Metric.push([...]) adds points"


class UtcDay(conversion.Day):
    """The calendar day, in UTC, in which a point in time lies."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if conversion.is_blank(value):
            return None
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return value
        return conversion.instant(value).date()


class DayOfInstant(fields.Date):
    """A calendar day of a property that holds a point in time: the day in UTC, also late in the evening."""

    converter = UtcDay


class ModelName(conversion.Text):
    """The model whose record is measured: the class or its name, written as the analytics host spells it."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if isinstance(value, type) and issubclass(value, Model):
            # Classes of a tenant's own (Account) are over the same collection.
            title = MEASURED.get(value._meta.path)
        else:
            titles = {title.casefold(): title for title in MEASURED.values()}
            title = titles.get(value.casefold()) if isinstance(value, str) else None
        if title is None:
            known = ", ".join(MEASURED.values())
            raise marshmallow.ValidationError(f"must be one of {known} (the class or its name), not {value!r}")
        return title


def unfold(row: dict[str, Any], session: Session) -> dict[str, Any]:
    """Put the model and the external id of ``parent`` into its place."""
    if "parent" not in row:
        return row
    if "external_id" in row:
        raise ValidationError({"external_id": ["parent says it already; give one of the two"]})
    rest = {name: value for name, value in row.items() if name != "parent"}
    title, key = key_of(row["parent"], "parent", MEASURED, session)
    return {**rest, "external_id": key, "model": title}


_SOURCES = (sources.official("metrics"), sources.GO_CLIENT, sources.CRUDS)

FORM = Form(
    "Metric",
    (
        Input(
            "dimension_id",
            "dimensionId",
            Key(),
            "str",
            required=True,
            help="the metric; made on first use. Planhat's page wants no spaces or special characters",
            evidence=documented(*_SOURCES, sources.CASTAI),
        ),
        Input("value", "value", Figure(), "float", required=True, evidence=documented(*_SOURCES)),
        Input(
            "external_id",
            "externalId",
            Key(),
            "str",
            required=True,
            help="the external id of the record that is measured; parent= gives it from an object",
            evidence=documented(*_SOURCES),
        ),
        Input(
            "model",
            "model",
            ModelName(),
            "str",
            help="what the record is: Company unless said, Enduser, Asset or Project; the class or its name",
            evidence=documented(*_SOURCES, sources.CASTAI),
        ),
        Input(
            "date",
            "date",
            Moment(),
            "date or datetime",
            help="when; the time of receipt where it is missing",
            evidence=documented(*_SOURCES),
        ),
    ),
    objects=("parent",),
    unfold=unfold,
)


class Metric(Model):
    """A point of a time series: what a dimension was worth, for one record, on one day.

    Points are read by ``Metric.objects`` and added by ``Metric.push``; they are not changed or deleted over the API.
    ``date`` is the day, in UTC, of Planhat's ``time``; ``raw["time"]`` has the hour. Several points of a day are
    combined by the metric's own setting in Planhat. Lists know no order, so that a long one, of more pages than one, is
    not proof against points that come in meanwhile. They are always asked for with a first and a last day, 1970 to
    2169 unless the filter names some, because what a list shows without is not documented; and for a day more at
    either end, because whether the last day is part of it is not documented either.

    Source: https://www.planhat.com/developers/api/metrics

    >>> from datetime import date
    >>> acme = Company.objects.get(external_id="acme-42")
    >>> ledger = Metric.push([{"parent": acme, "dimension_id": "logins", "value": 42, "date": date(2026, 1, 5)}])
    >>> january = (date(2026, 1, 1), date(2026, 1, 31))
    >>> [(m.date, m.value) for m in Metric.objects.filter(company=acme, dimension_id="logins", date__range=january)]
    [(datetime.date(2026, 1, 5), 42)]
    """

    class Meta:
        path = "dimensiondata"
        # The default, and what clients ask for; up to 100,000 is documented, and such a page weighs 20 MB.
        page_size = (200, 10000)
        keyables = ()
        match_keys = ()
        list_params = {
            "cId": Param("companyId", help="the points of one company and of its people, assets and projects"),
            "dimid": Param("dimensionId", help="the points of one metric"),
            "from": Param("time", lookup="gte", form="day_number", help="from this day on"),
            "to": Param("time", lookup="lte", form="day_number", help="up to this day; whether it is part is not said"),
        }
        list_takes = ("limit", "offset")
        unhide = {"from": FIRST_DAY, "to": LAST_DAY}
        aliases = {"date": "time"}
        not_offered = {
            "create": INSTEAD,
            "get": "filter by company, dimension_id and date, and take what you need from the list",
            "update": "push the right value for that day; what is there can be removed in Planhat's app alone",
            "delete": "remove raw data in Planhat's app, under Data, Metrics",
            "bulk_upsert": INSTEAD,
        }
        more_operations = {"push": "POST /dimensiondata/{tenant} on the analytics host"}
        updated_instead = (
            "filter(date__gte=...) reads the points of the last days; one that was pushed anew for an older day is not "
            "told from the one it replaced"
        )
        doc_url = DOC_URL
        evidence = {
            "fields": observed(sources.GO_CLIENT, sources.ROBOCORP),
            "operations": documented(*_SOURCES, sources.CASTAI, sources.AIRBYTE_ANALYTICS, sources.TORQ),
            "filters": documented(*_SOURCES),
            "keys": documented(*_SOURCES),
            "limits": documented(sources.METRICS_HELP, sources.DOCS_HOME),
            "hidden": inferred(sources.official("metrics")),
        }
        quirks = (
            Quirk(
                "A point is written by the external id of its record and read by Planhat's id of it; the external id "
                "does not come back.",
                observed(sources.official("metrics"), sources.GO_CLIENT),
            ),
            Quirk(
                "The day is written as `date` and read as `time`; one client's data show `date`, `day` and `timestamp` "
                "instead. Filters count days since 1970.",
                observed(sources.official("metrics"), sources.GO_CLIENT, sources.ROBOCORP),
            ),
            Quirk(
                "Planhat answers 200 as soon as it has received the points, and lists those whose form is wrong. A "
                "point of a record that it does not know is dropped without a word.",
                observed(sources.STATUS_PAGE, sources.GO_CLIENT, sources.AIRBYTE_ANALYTICS),
            ),
            Quirk(
                "Sending a point again adds it again. Of several points of a day the metric's setting makes one: sum, "
                "least, greatest, average or last.",
                inferred(sources.AIRBYTE_ANALYTICS, sources.METRICS_SUM_HELP, sources.METRICS_HELP),
            ),
            Quirk(
                "The model of people is spelt EndUser here and Enduser elsewhere.",
                documented(*_SOURCES, sources.CASTAI),
            ),
            Quirk("Whether a 0 counts as 0 or as no value is a setting.", documented(sources.METRICS_ZERO_HELP)),
            Quirk("Calculated metrics cannot be written.", inferred(sources.METRICS_HELP)),
            Quirk(
                "Planhat's page asks for the tenant token in the address; one connector says that metrics need the API "
                "token, too. Both are sent.",
                observed(*_SOURCES, sources.AIRBYTE_ANALYTICS, sources.CASTAI, sources.TORQ),
            ),
            Quirk(
                "Points are seen within minutes. They are removed in the app alone, not in the first 90 minutes.",
                documented(sources.METRICS_HELP),
            ),
            Quirk(
                "Two catalogues of the API name /metrics; no working client uses it.",
                inferred(sources.API_EVANGELIST, sources.GO_CLIENT, sources.CRUDS),
            ),
            Quirk(
                "Raw values can be looked at for 730 days by default; the app exports a month of them at most.",
                documented(sources.METRICS_HELP),
            ),
            Quirk("Connectors send 10,000 points in a request, 100,000 at most.", observed(sources.AIRBYTE_ANALYTICS)),
        )

    dimension_id: fields.Text = fields.Text("dimensionId", help="the metric")
    value: fields.Number = fields.Number("value")
    date: DayOfInstant = DayOfInstant(
        "time", read_only=True, help="the day, in UTC", evidence=observed(sources.GO_CLIENT)
    )
    model: fields.Choice = fields.Choice(
        "model", choices=tuple(MEASURED.values()), help="what the record is that was measured"
    )
    parent_id: fields.Id = fields.Id("parentId", read_only=True, help="the id of the record that was measured")
    company: ForeignKey[Company] = ForeignKey("Company", "companyId", read_only=True, help="the company")
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True, evidence=observed(sources.GO_CLIENT))
    day: fields.DayNumber = fields.DayNumber("day", read_only=True, evidence=observed(sources.ROBOCORP))
    timestamp: fields.Map = fields.Map(
        "timestamp", read_only=True, help='{"value": ISO text}', evidence=observed(sources.ROBOCORP)
    )

    #: What a row of ``push`` may hold.
    PUSHED = FORM.inputs

    @classmethod
    def push(
        cls,
        rows: Any,
        *,
        dimension_id: str | None = None,
        model: type[Model] | str | None = None,
        date: datetime.date | None = None,
        session: Session | None = None,
        on_error: pushing.OnError = "raise",
    ) -> Ledger:
        """Add points; pushing the same rows twice adds them twice, since Planhat has no way to tell.

        Each row is a dict with ``dimension_id``, ``value`` and its record: ``parent``, an object or a reference by
        external id, or ``external_id`` with ``model`` (Company, unless said). ``date`` is optional: a date, or a
        datetime with a time zone; without it the time of receipt counts. A data frame (pandas, polars) gives its rows
        itself; so does a generator, chunk by chunk. None stands for a value that is not given.

        POST /dimensiondata/{tenant} on the analytics host, with the API token, up to 10,000 points or 32 MB a request,
        one after another. A request whose answer is lost is never sent again: its points are ``unknown`` and those
        after it ``not_sent``.

        :param rows: the points; a single dict is one.
        :param dimension_id: that of rows which name none.
        :param model: that of rows which name none: the class or its name.
        :param date: that of rows which name none.
        :param session: the session to use, in place of that of the objects, or the current one.
        :param on_error: "collect" returns the ledger whatever became of the points.
        :return: the ledger: ``acknowledged`` points were received, ``failed`` ones refused by Planhat for their form. A
            point whose record Planhat does not know is acknowledged, too, and dropped later.
        :raises ConfigurationError: without a tenant token; nothing was sent.
        :raises ValidationError: for rows that may not be sent, as "rows[3]"; nothing was sent.
        :raises BulkError: when not all of it was acknowledged; its ``result`` is the ledger.

        Source: https://www.planhat.com/developers/api/metrics

        >>> from datetime import date
        >>> ledger = Metric.push(
        ...     [{"external_id": "acme-42", "value": 42}, {"external_id": "acme-42", "value": 43}],
        ...     dimension_id="logins", date=date(2026, 1, 5),
        ... )
        >>> len(ledger.acknowledged)
        2
        """
        given = {"dimension_id": dimension_id, "model": model or "Company", "date": date}
        return pushing.push(
            FORM,
            rows,
            Delivery(cls, "/dimensiondata/{tenant}"),
            given={name: value for name, value in given.items() if value is not None},
            session=session,
            on_error=on_error,
        )
