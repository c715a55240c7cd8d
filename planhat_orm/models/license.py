"""License: a period of recurring revenue of one company.

Declarations only; the facts are those of https://www.planhat.com/developers/api/license. It does not promise which of
``mrr`` and ``value`` wins when both are written: Planhat computes one from the other and the length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.model import Model
from planhat_orm.orm.relations import ForeignKey, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company

PERIOD_UNITS = ("day", "week", "month")


class License(Model):
    """A licence: open-ended with an ``mrr`` (``fixed_period=False``), or of a fixed term with a ``value``.

    Setting ``fixed_period`` to False clears the end, value, length and renewal at Planhat, even those sent with it.
    ``renewal_status="lost"`` churns one licence. Documented as required are company, currency, start and one of
    ``mrr`` and ``value``; this is what is asked for here.

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
        list_params = {"companyId": "companyId"}
        create_required = ("companyId", "_currency", "fromDate", ("mrr", "value"))
        doc_url = "https://www.planhat.com/developers/api/license"

    product: fields.Text = fields.Text("product", help="any text")
    currency: fields.Text = fields.Text(
        "_currency", required=True, label="Currency", help="a code; an object inside a company's embedded_licenses"
    )
    company: ForeignKey[Company] = ForeignKey("Company", "companyId", required=True, help="the company that pays")
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    from_date: fields.Date = fields.Date("fromDate", required=True, label="Start Date", help="the first day")
    to_date: fields.Date = fields.Date("toDate", label="End Date", help="the end; None while open-ended")
    fixed_period: fields.Boolean = fields.Boolean("fixedPeriod", help="a fixed term; False means open-ended")
    mrr: fields.Number = fields.Number("mrr", label="MRR", help="per month")
    arr: fields.Number = fields.Number("arr", label="ARR", help="per year")
    renewal_mrr: fields.Number = fields.Number("renewalMrr")
    renewal_arr: fields.Number = fields.Number("renewalArr")
    forecast_mrr: fields.Number = fields.Number("fcNewMrr", help="forecast, per month")
    forecast_arr: fields.Number = fields.Number("fcNewArr", help="forecast, per year")
    forecast_mrr_optimistic: fields.Number = fields.Number("fcNewMrrOptimistic")
    forecast_arr_optimistic: fields.Number = fields.Number("fcNewArrOptimistic")
    forecast_mrr_pessimistic: fields.Number = fields.Number("fcNewMrrPessimistic")
    forecast_arr_pessimistic: fields.Number = fields.Number("fcNewArrPessimistic")
    forecast_start_date: fields.Date = fields.Date("fcNewStartDate", help="seen in samples only")
    value: fields.Number = fields.Number("value", label="Value", help="for the whole period; negative for a refund")
    renewal_status: fields.Choice = fields.Choice(
        "renewalStatus", choices=("ongoing", "renewed", "lost"), help="ongoing unless told otherwise"
    )
    renewal_period: fields.Integer = fields.Integer("renewalPeriod", help="length of the next period, in renewal_unit")
    renewal_unit: fields.Choice = fields.Choice("renewalUnit", choices=PERIOD_UNITS)
    renewal_date: fields.Date = fields.Date("renewalDate", read_only=True, label="Renewal Date")
    renewal_days_from_now: fields.Integer = fields.Integer(
        "renewalDaysFromNow", read_only=True, help="negative when it is past"
    )
    is_overdue: fields.Boolean = fields.Boolean("isOverdue", read_only=True)
    auto_renews: fields.Boolean = fields.Boolean("autoRenews", help="the tenant's setting must allow it, too")
    notice_period: fields.Integer = fields.Integer("noticePeriod", help="in notice_unit")
    notice_unit: fields.Choice = fields.Choice("noticeUnit", choices=PERIOD_UNITS)
    parent: ForeignKey[License] = ForeignKey("License", "parent", help="the topmost licence above")
    parent_id: fields.Id = fields.IdOf(parent)
    invoices_generated: fields.Boolean = fields.Boolean(
        "invoicesGenerated", help="True keeps Planhat from making invoices when the licence is created"
    )
    invoice_muted: fields.Boolean = fields.Boolean("invoiceMuted", help="True: no invoices at renewal")
    invoice_cycle: fields.Choice = fields.Choice(
        "invoiceCycle", choices=("monthly", "quarterly", "yearly", "semiAnnual", "once", "custom")
    )
    invoice_cycle_interval: fields.Integer = fields.Integer("invoiceCycleInterval")
    to_date_included: fields.Boolean = fields.Boolean("toDateIncluded", read_only=True)
    length: fields.Number = fields.Number("length", read_only=True, help="in months; None while open-ended")
    issues: fields.List = fields.List("issues", read_only=True, help="seen in samples only")
    sales_date: fields.Date = fields.Date("salesDate", read_only=True, help="seen in samples only")
    status: fields.Text = fields.Text("status", read_only=True, help="seen in samples only")
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer("__v", read_only=True, help="the storage's version number")

    parts: Related[License] = Related("License", via="parent")
