"""Invoice: what a company is asked to pay, and what it paid.

Declarations only; the facts are those of https://www.planhat.com/developers/api/invoice. It does not promise that the
status follows the payment: in the page's own sample a paid day leaves it pending.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.models import sources
from planhat_orm.orm import conversion, fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from datetime import tzinfo

    from planhat_orm.models.company import Company

#: What a line says in days since 1970-01-01.
LINE_DAYS = ("dateFrom", "dateTo")


class LinesOnTheWire(conversion.List):
    """The lines of an invoice: a list of mappings whose period travels as numbers of days."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        lines = super()._deserialize(value, attr, data, **kwargs)
        for line in lines or ():
            if isinstance(line, dict):
                line.update({key: day_in(line[key]) for key in LINE_DAYS if key in line})
        return lines

    def _serialize(self, value: Any, attr: Any, obj: Any, zone: tzinfo | None = None, **kwargs: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise marshmallow.ValidationError(f"must be a list of lines, not {conversion.shown(value)}")
        return super()._serialize([self.written(line) for line in value], attr, obj, zone=zone, **kwargs)

    @staticmethod
    def written(line: Any) -> Any:
        """Return a line as it is sent, its days as numbers."""
        if not isinstance(line, dict):
            raise marshmallow.ValidationError(
                f"must be a list of mappings, one a line; one is {conversion.shown(line)}"
            )
        days = {key: line[key] for key in LINE_DAYS if type(line.get(key)) not in (int, type(None))}
        for key, day in days.items():
            if not isinstance(day, date):
                raise marshmallow.ValidationError(f"has a line whose {key} is no date: {conversion.shown(day)}")
        return {**line, **{key: conversion.DayNumber().encode(day) for key, day in days.items()}}


def day_in(value: Any) -> Any:
    """Read a number of days as the day; what is none stays as it is."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < conversion.FIRST_MILLISECONDS
    return conversion.calendar_day(value) if whole else value


class InvoiceLines(fields.List):
    """The lines of an invoice, mappings by Planhat's names, with ``dateFrom`` and ``dateTo`` as dates."""

    converter = LinesOnTheWire
    python_type = "list[dict[str, Any]]"


class Invoice(Model):
    """An invoice to one company, made by Planhat from a licence or by you.

    Planhat names three things otherwise than on other objects: the company is ``cId``, its name ``cName``, the external
    id ``extId``. Here they are ``company``, ``company_name`` and ``external_id`` as everywhere. ``invoice_date``,
    ``due_date``, ``paid_date`` and the period of each line are counted in days since 1970 at Planhat and are dates
    here; texts are read, too, and a number is what is sent. ``status`` does not follow ``paid_date``: set both.

    The page's text wants ``cId`` alone, its table the currency, too, and bulk upserts also the invoice date; all three
    are asked for here. ``line_items`` are marked as Planhat's own and yet sent in the page's sample; they may be
    written. They are rows inside the invoice, not ``LineItem`` records.

    Source: https://www.planhat.com/developers/api/invoice

    >>> acme = Company.ref(external_id="acme-42")
    >>> invoice = Invoice.objects.create(
    ...     company=acme, currency="EUR", invoice_date=date(2025, 3, 3), external_id="inv-7",
    ...     line_items=[{"product": "Platform", "amount": 1200, "dateFrom": date(2025, 3, 3)}],
    ... )
    >>> invoice.raw["invoiceDate"], invoice.invoice_date
    (20150, datetime.date(2025, 3, 3))
    >>> invoice.line_items[0]["dateFrom"]
    datetime.date(2025, 3, 3)
    """

    class Meta:
        path = "invoices"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "extId")
        unique = ("sourceId",)
        unique_within = {"extId": "cId"}
        list_params = {"companyId": Param("cId", many=True, help="the invoices of one or several companies")}
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/invoice"
        evidence = {
            "fields": documented(sources.official("invoice"), sources.PH_DESK),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN, sources.UNIQUENESS),
            "matching": documented(sources.POSTMAN),
            "required": documented(sources.POSTMAN, sources.PH_DESK, sources.ARCHITECT),
            "limits": documented(sources.POSTMAN, sources.PH_DESK, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "The company is cId and its name cName; the list parameter is companyId all the same.",
                documented(sources.PH_DESK),
            ),
            Quirk("The external id is extId; paths take it as extid-.", documented(sources.POSTMAN)),
            Quirk(
                "Invoice, due and paid day and the period of a line are numbers of days since 1970-01-01; the times of "
                "change are ISO texts, and so are custom dates.",
                documented(sources.PH_DESK),
            ),
            Quirk(
                "Invoice numbers are given by Planhat, repeat from company to company in the samples, and are not used "
                "again after a delete.",
                documented(sources.POSTMAN, sources.PH_DESK),
            ),
            Quirk(
                "The status does not follow the payment: setting the paid day left it pending.",
                documented(sources.PH_DESK),
            ),
            Quirk(
                'A line may be written with relatedId, "sale-" and an id; it is not in the answer.',
                documented(sources.PH_DESK),
            ),
            Quirk(
                "Samples leave out currency, amountDue, amountPaid, paidDate and comments where there is nothing.",
                observed(sources.PH_DESK),
            ),
            Quirk(
                "updatedAt is in every sample, though in no table, and lastUpdated is in the table; a sample with both "
                "has them equal. changed_since() goes by updatedAt, as for the other objects.",
                observed(sources.PH_DESK),
            ),
            Quirk("Airbyte's schema has lines as texts; the samples have objects.", inferred(sources.AIRBYTE)),
            Quirk(
                "A client sends the invoice day as a text; whether Planhat takes that is not known.",
                inferred(sources.DATROLL),
            ),
        )

    invoice_number: fields.Integer = fields.Integer(
        "invoiceNo", read_only=True, label="Invoice Number", help="given by Planhat, never used twice"
    )
    company: ForeignKey[Company] = ForeignKey(
        "Company", "cId", required=True, takes_keys=True, help="the company that pays"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("cName", read_only=True)
    external_id: fields.Text = fields.Text("extId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    status: fields.Choice = fields.Choice(
        "status",
        choices=("pending", "paid", "overdue"),
        label="Status",
        help="pending unless told otherwise; does not follow paid_date",
    )
    currency: fields.Text = fields.Text(
        "currency", required=True, label="Currency", help='a code such as "EUR"; of all amounts here'
    )
    invoice_date: fields.DayNumber = fields.DayNumber(
        "invoiceDate", required=True, label="Invoice Date", help="the day of the invoice"
    )
    due_date: fields.DayNumber = fields.DayNumber("dueDate", label="Due Date", help="to be paid by this day")
    paid_date: fields.DayNumber = fields.DayNumber(
        "paidDate", label="Paid Date", help="the day of the payment; set status, too"
    )
    amount_total: fields.Number = fields.Number("amountTotal", help="the whole amount, in currency")
    amount_due: fields.Number = fields.Number(
        "amountDue", read_only=True, help="what is left to pay, in currency", evidence=observed(sources.PH_DESK)
    )
    amount_paid: fields.Number = fields.Number(
        "amountPaid", read_only=True, help="what was paid, in currency", evidence=observed(sources.PH_DESK)
    )
    product: fields.Text = fields.Text("product", help="in no sample; each line has its own")
    line_items: InvoiceLines = InvoiceLines(
        "lineItems", help="its lines: licenseId or saleId, product, amount, dateFrom, dateTo (dates)"
    )
    invoice_cycle: fields.Choice = fields.Choice(
        "invoiceCycle",
        read_only=True,
        choices=("monthly", "quarterly", "yearly", "semiAnnual", "once", "custom"),
        help="how often the licence is invoiced",
    )
    emails: fields.List = fields.List("emails", read_only=True)
    address_country: fields.Text = fields.Text("addressCountry", read_only=True)
    comments: fields.List = fields.List("comments", read_only=True, evidence=observed(sources.PH_DESK))
    last_updated: fields.DateTime = fields.DateTime("lastUpdated", read_only=True)
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", evidence=observed(sources.PH_DESK)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=observed(sources.PH_DESK)
    )
