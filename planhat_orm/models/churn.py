"""Churn: what a company took away, in whole or in part, with the reasons.

Declarations only; the facts are those of https://www.planhat.com/developers/api/churn where copies of it and clients
bear them out. It does not promise that the properties of the present page exist: it calls itself a placeholder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models import sources
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey

if TYPE_CHECKING:
    from planhat_orm.models.company import Company

#: Said by the present official page alone, which calls itself a placeholder: to be trusted less than the rest.
PLACEHOLDER = documented(sources.official("churn"))
CHURN_HELP = sources.help_page("data model, churn", "https://help.planhat.com/en/articles/11635388-data-model-churn")


class Churn(Model):
    """A loss: the value, the day and the reasons of a customer who left, or who took a part away.

    ``only_downgrade=True`` is a partial loss, the customer stays. A churn changes no revenue figure: those follow the
    licences.

    The sources know two schemas. The older one (``value``, ``reasons``, ``churn_date``, ``created_at``) is in every
    copy and client and is what is written here; ``company`` and ``value`` are needed, which satisfies all of them. The
    present page has others (``is_churn``, ``churn_reason``, ``external_id``, ``create_date``) and calls itself a
    placeholder: they are read if they come and never written, as Planhat silently drops what it does not know.

    ``get`` takes the ``id`` alone. A list takes a first and a last day, ``objects.params(from_="2025-01-01", to=...)``;
    no source says which date they speak of, so a filter by ``churn_date`` is applied here and does not use them.

    Source: https://www.planhat.com/developers/api/churn

    >>> from datetime import date
    >>> acme = Company.ref(external_id="acme-42")
    >>> lost = Churn.objects.create(company=acme, value=1200, churn_date=date(2025, 5, 31), reasons=["Budget"])
    >>> lost.churn_date, lost.reasons
    (datetime.date(2025, 5, 31), ['Budget'])
    """

    class Meta:
        path = "churn"
        page_size = (100, 2000)
        keyables = ("id",)
        match_keys = ("_id", "sourceId")
        unique = ("sourceId",)
        list_params = {
            "companyId": Param("companyId", help="the churns of one company"),
            # Not for False: "excluded" may leave in rows that do not say whether they are downgrades.
            "downgrades": Param(
                "onlyDowngrade",
                values={True: "only"},
                help="only: partial losses alone, as only_downgrade=True asks; excluded: by params() only",
            ),
            "from": Param(form="day", help="the first day, of an unnamed date, presumably that of the churn"),
            "to": Param(form="day", help="the last day, of the same date"),
        }
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/churn"
        evidence = {
            "fields": documented(sources.POSTMAN, sources.AIRBYTE),
            "operations": documented(sources.POSTMAN),
            "filters": documented(sources.POSTMAN),
            "keys": documented(sources.POSTMAN),
            "matching": inferred(sources.POSTMAN, sources.BULK_PAGE),
            "required": documented(sources.POSTMAN, sources.ARCHITECT),
            "limits": documented(sources.POSTMAN, sources.AIRBYTE),
        }
        quirks = (
            Quirk(
                "The path is singular, /churn; the plural that some references have is theirs alone.",
                documented(sources.POSTMAN, sources.AIRBYTE, sources.DLT, sources.CRUDS, sources.API_EVANGELIST),
            ),
            Quirk(
                "The present official page calls itself a placeholder, and its properties (isChurn, churnReason, "
                "externalId, createDate) are in no other source. They are read here and not written.",
                documented(sources.official("churn")),
            ),
            Quirk("Churn records change no revenue figure; those follow the licences.", documented(sources.ROBOCORP)),
            Quirk(
                "Which date the list parameters from and to speak of is not said; they are sent by params() only.",
                documented(sources.POSTMAN),
            ),
            Quirk(
                "An update may address a churn by srcid-; for a single get only the id is described.",
                documented(sources.POSTMAN),
            ),
            Quirk(
                "An older client asks for at most 1,000 rows a page; newer sources say 2,000.", observed(sources.DLT)
            ),
            Quirk(
                "A migration script looks for the reason under reason, churnReason and comment, and for the day "
                "under date and churnDate.",
                observed(sources.COMPASS),
            ),
            Quirk(
                "The sample of a create has a churnDate without a time; a whole timestamp is sent here, which is "
                "safe everywhere.",
                documented(sources.POSTMAN),
            ),
        )

    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company that left, or took a part away"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True, evidence=observed(sources.AIRBYTE))
    value: fields.Number = fields.Number("value", required=True, help="the amount lost, in currency")
    mrr: fields.Number = fields.Number(
        "mrr", label="MRR", help="the amount lost per month, in currency", evidence=inferred(CHURN_HELP)
    )
    arr: fields.Number = fields.Number(
        "arr", label="ARR", help="the amount lost per year, in currency", evidence=observed(sources.AIRBYTE)
    )
    currency: fields.Text = fields.Text("currency", label="Currency", help='a code such as "EUR"')
    churn_date: fields.Date = fields.Date("churnDate", label="Churn Date", help="the day of the loss")
    reasons: fields.TextList = fields.TextList("reasons", label="Reasons", help="of the tenant's list of reasons")
    products: fields.TextList = fields.TextList(
        "products", help="names of the products lost", evidence=observed(sources.AIRBYTE, CHURN_HELP)
    )
    comment: fields.Text = fields.Text("comment", help="any text")
    description: fields.Text = fields.Text("description", evidence=observed(sources.AIRBYTE))
    only_downgrade: fields.Boolean = fields.Boolean(
        "onlyDowngrade",
        label="Only Downgrade",
        help="True: a partial loss, the customer stays",
        evidence=observed(sources.AIRBYTE, CHURN_HELP),
    )
    snoozed: fields.Boolean = fields.Boolean("snoozed", evidence=observed(sources.AIRBYTE))
    source_id: fields.Text = fields.Text(
        "sourceId",
        label="Source ID",
        help="the id in the CRM, unique in the tenant",
        evidence=observed(sources.AIRBYTE, sources.POSTMAN),
    )
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, label="Created", evidence=observed(sources.AIRBYTE)
    )
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", evidence=observed(sources.AIRBYTE)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")

    is_churn: fields.Boolean = fields.Boolean(
        "isChurn", read_only=True, help="on the placeholder page only", evidence=PLACEHOLDER
    )
    churn_reason: fields.Text = fields.Text(
        "churnReason", read_only=True, help="on the placeholder page only; see reasons", evidence=PLACEHOLDER
    )
    external_id: fields.Text = fields.Text(
        "externalId", read_only=True, label="External ID", help="on the placeholder page only", evidence=PLACEHOLDER
    )
    create_date: fields.DateTime = fields.DateTime(
        "createDate", read_only=True, help="on the placeholder page only; see created_at", evidence=PLACEHOLDER
    )
