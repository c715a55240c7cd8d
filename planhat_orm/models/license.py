"""License: a period of recurring revenue of one company.

Declarations only; the facts are those of https://www.planhat.com/developers/api/license. It does not promise which of
``mrr`` and ``value`` wins when both are written: Planhat computes one from the other and the length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models import sources
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company

PERIOD_UNITS = ("day", "week", "month")
LICENSE_HELP = sources.help_page(
    "data model, license", "https://help.planhat.com/en/articles/11642904-data-model-license"
)
CHURNED_HELP = sources.help_page(
    "the difference between logging an account or a license as churned",
    "http://support.planhat.com/en/articles/1759194-difference-between-logging-an-account-a-license-as-churned",
)
#: In samples of the official page, which its table does not have.
IN_SAMPLES = observed(sources.PH_DESK)


class License(Model):
    """A licence: open-ended with an ``mrr`` (``fixed_period=False``), or of a fixed term with a ``value``.

    Setting ``fixed_period`` to False clears the end, value, length and renewal at Planhat, also what is sent along.
    ``renewal_status="lost"`` churns one licence. Planhat makes invoices when a licence is created unless
    ``invoices_generated=True`` is sent.

    The sources differ on what a create needs. The table of the page has company, currency, start and value, its text
    suggests these only, and its sample sends ``mrr`` in place of ``value``: asked for here are company, currency,
    start and one of ``mrr`` and ``value``. The units of notice are plural in the prose and singular in every payload:
    the singular is written. An amount below zero, for a refund, is recommended in one place and excluded in another:
    it is not refused here.

    Source: https://www.planhat.com/developers/api/license

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> [(licence.product, licence.currency) for licence in acme.licenses.all()]
    [('Platform', 'EUR')]
    """

    class Meta:
        path = "licenses"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {"companyId": Param("companyId", help="the licences of one company")}
        one_required = (("mrr", "value"),)
        updated_instead = "read License.objects.all() and compare it with what was kept"
        doc_url = "https://www.planhat.com/developers/api/license"
        evidence = {
            "fields": documented(sources.official("license"), sources.PH_DESK),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN, sources.UNIQUENESS),
            "matching": documented(sources.POSTMAN),
            "required": documented(sources.official("license"), sources.POSTMAN, LICENSE_HELP),
            "limits": documented(sources.POSTMAN, sources.PH_DESK, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "The currency is _currency, a code; only inside a company's embedded licences is it an object "
                "{_id, symbol, rate, isBase, overrides}.",
                documented(sources.PH_DESK, sources.GO_CLIENT),
            ),
            Quirk(
                "fixedPeriod false clears toDate, value, length, autoRenews, renewalUnit, renewalPeriod, renewalDate "
                "and renewalDaysFromNow, those of the very request that says so included.",
                observed(sources.HULL),
            ),
            Quirk(
                "mrr written on a fixed term rewrites value to mrr times length, and value rewrites mrr.",
                documented(sources.PH_DESK),
            ),
            Quirk("Invoices are made with a licence unless invoicesGenerated is true.", documented(sources.PH_DESK)),
            Quirk("renewalStatus lost churns one licence.", documented(CHURNED_HELP)),
            Quirk(
                "Refunds are recommended as a licence of a negative value, although the value is said to be positive.",
                documented(CHURNED_HELP, sources.PH_DESK),
            ),
            Quirk("Times sent with an offset come back in UTC.", observed(sources.HULL)),
            Quirk(
                "No schema or sample has the time of creation or of the last change; a client sorts by updatedAt all "
                "the same and checks the order itself.",
                observed(sources.AIRBYTE, sources.COMPASS),
            ),
            Quirk(
                "Older forms, /companies/{id}/licenses and PUT /licenses/actions, are in no present page and not used.",
                observed(sources.DOCS_2017, sources.HULL),
            ),
        )

    product: fields.Text = fields.Text("product", label="Product", help="its name, any text; recommended")
    currency: fields.Text = fields.Text(
        "_currency", required=True, label="Currency", help='a code such as "EUR"; any text is stored'
    )
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company that pays"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    from_date: fields.Date = fields.Date("fromDate", required=True, label="Start Date", help="the first day")
    to_date: fields.Date = fields.Date("toDate", label="End Date", help="the end; None while open-ended")
    fixed_period: fields.Boolean = fields.Boolean("fixedPeriod", help="a fixed term; False means open-ended")
    mrr: fields.Number = fields.Number(
        "mrr",
        label="MRR",
        help="recurring, per month, in currency; Planhat computes it from value and length, and back",
    )
    arr: fields.Number = fields.Number("arr", label="ARR", help="recurring, per year, in currency")
    renewal_mrr: fields.Number = fields.Number("renewalMrr", help="per month, up for renewal, in currency")
    renewal_arr: fields.Number = fields.Number("renewalArr", help="per year, up for renewal, in currency")
    forecast_mrr: fields.Number = fields.Number("fcNewMrr", help="forecast, per month, in currency")
    forecast_arr: fields.Number = fields.Number("fcNewArr", help="forecast, per year, in currency")
    forecast_mrr_optimistic: fields.Number = fields.Number(
        "fcNewMrrOptimistic", help="the optimistic forecast, per month, in currency"
    )
    forecast_arr_optimistic: fields.Number = fields.Number(
        "fcNewArrOptimistic", help="the optimistic forecast, per year, in currency"
    )
    forecast_mrr_pessimistic: fields.Number = fields.Number(
        "fcNewMrrPessimistic", help="the pessimistic forecast, per month, in currency"
    )
    forecast_arr_pessimistic: fields.Number = fields.Number(
        "fcNewArrPessimistic", help="the pessimistic forecast, per year, in currency"
    )
    forecast_start_date: fields.Date = fields.Date(
        "fcNewStartDate", help="forecast of the next start", evidence=observed(sources.HULL)
    )
    value: fields.Number = fields.Number(
        "value", label="Value", help="for the whole period, in currency; negative for a refund"
    )
    renewal_status: fields.Choice = fields.Choice(
        "renewalStatus", choices=("ongoing", "renewed", "lost"), help="ongoing unless told otherwise; lost churns it"
    )
    renewal_period: fields.Integer = fields.Integer("renewalPeriod", help="length of the next period, in renewal_unit")
    renewal_unit: fields.Choice = fields.Choice(
        "renewalUnit", choices=PERIOD_UNITS, help="of renewal_period; month unless told otherwise"
    )
    renewal_date: fields.Date = fields.Date(
        "renewalDate", read_only=True, label="Renewal Date", help="None while open-ended"
    )
    renewal_days_from_now: fields.Integer = fields.Integer(
        "renewalDaysFromNow", read_only=True, help="days to the renewal; negative when it is past"
    )
    is_overdue: fields.Boolean = fields.Boolean("isOverdue", read_only=True)
    auto_renews: fields.Boolean = fields.Boolean("autoRenews", help="the tenant's setting must allow it, too")
    notice_period: fields.Integer = fields.Integer("noticePeriod", help="time of notice, in notice_unit")
    notice_unit: fields.Choice = fields.Choice("noticeUnit", choices=PERIOD_UNITS, help="of notice_period")
    parent: ForeignKey[License] = ForeignKey("License", "parent", help="the topmost licence above")
    parent_id: fields.Id = fields.IdOf(parent)
    invoices_generated: fields.Boolean = fields.Boolean(
        "invoicesGenerated", help="True keeps Planhat from making invoices when the licence is created"
    )
    invoice_muted: fields.Boolean = fields.Boolean("invoiceMuted", help="True: no invoices at renewal")
    invoice_cycle: fields.Choice = fields.Choice(
        "invoiceCycle",
        choices=("monthly", "quarterly", "yearly", "semiAnnual", "once", "custom"),
        help="how often it is invoiced",
    )
    invoice_cycle_interval: fields.Integer = fields.Integer("invoiceCycleInterval")
    to_date_included: fields.Boolean = fields.Boolean("toDateIncluded", read_only=True)
    length: fields.Number = fields.Number("length", read_only=True, help="in months; None while open-ended")
    issues: fields.List = fields.List("issues", read_only=True, evidence=IN_SAMPLES)
    sales_date: fields.Date = fields.Date("salesDate", read_only=True, help="the day of the sale", evidence=IN_SAMPLES)
    status: fields.Text = fields.Text(
        "status", read_only=True, help="inside a company's embedded_licenses only", evidence=observed(sources.GO_CLIENT)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=IN_SAMPLES
    )

    parts: Related[License] = Related("License", via="parent")
