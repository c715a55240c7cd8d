"""Asset: a thing at a customer that has usage of its own and no people: a device, an instance of a product.

Declarations only; the facts are those of https://www.planhat.com/developers/api/asset. It does not promise that the
app calls it so: a tenant may show assets under another name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import (
    AIRBYTE,
    BULK_PAGE,
    GO_CLIENT,
    PH_DESK,
    POSTMAN,
    REFERENCE_2026,
    ROBOCORP,
    TENANT_GUIDE,
    UNIQUENESS,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.user import User

PAGE = official("asset")


class Asset(Model):
    """A thing at a customer, with usage of its own and no people of its own: a device, an instance of a product.

    An external id is unique within one company, a source id in the tenant. ``currency`` is Planhat's ``_currency``
    here, where a Project has ``currency``. Activities and metrics may be about an asset.

    Source: https://www.planhat.com/developers/api/asset

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> asset = Asset.objects.create(name="EU instance", company=acme, external_id="inst-1", status="Active")
    >>> Asset.objects.get(external_id="inst-1").company.name
    'Acme'
    """

    class Meta:
        path = "assets"
        page_size = (100, 2000)
        keyables = ("id", "external_id", "source_id")
        match_keys = ("_id", "sourceId", "externalId")
        unique = ("sourceId",)
        unique_within = {"externalId": "companyId"}
        list_params = {
            "companyId": Param(
                "companyId",
                many=True,
                help="one company; clients send several",
                evidence=observed(GO_CLIENT, ROBOCORP),
            )
        }
        updated_field = "updatedAt"
        evidence = {
            "fields": documented(PAGE, PH_DESK),
            "operations": documented(POSTMAN, PH_DESK),
            "filters": documented(POSTMAN, PH_DESK),
            "keys": documented(POSTMAN, PH_DESK, UNIQUENESS),
            "matching": documented(BULK_PAGE, REFERENCE_2026),
            "required": documented(POSTMAN, PH_DESK),
            "limits": documented(POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk("The currency travels as _currency, on projects as currency.", documented(PH_DESK)),
            Quirk(
                'A custom value may be null, "" or the text "undefined"; custom is missing where it is empty.',
                documented(PH_DESK),
            ),
            Quirk('A tenant may call assets something else in the app, "Workspace" for one.', observed(TENANT_GUIDE)),
            Quirk("Activities and metrics may be about an asset.", documented(PAGE)),
            Quirk(
                "The serial number, value, currency, install date, status and owner are newer than 2023.",
                documented(PH_DESK, GO_CLIENT),
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/asset"

    name: fields.Text = fields.Text("name", required=True)
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company that it is at"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True)
    external_id: fields.Text = fields.Text("externalId", label="External ID", help="your own id, unique in one company")
    source_id: fields.Text = fields.Text("sourceId", label="Source ID", help="the id in the CRM, unique in the tenant")
    serial_number: fields.Text = fields.Text("serialNumber", label="Serial Number")
    value: fields.Number = fields.Number("value", help="what it is worth, in currency")
    currency: fields.Text = fields.Text("_currency", label="Currency", help="a code: EUR")
    install_date: fields.Date = fields.Date("installDate", label="Install Date")
    status: fields.Text = fields.Text("status", help="any text; usually Active")
    owner: ForeignKey[User] = ForeignKey("User", "ownerId")
    owner_id: fields.Id = fields.IdOf(owner)
    owner_name: fields.Text = fields.Text("ownerName", read_only=True)
    followers: ReferenceList[User] = ReferenceList(
        "User", "followers", read_only=True, help="users who follow it", evidence=observed(AIRBYTE)
    )
    usage: fields.Map = fields.Map(
        "usage", read_only=True, help="metric ids with their values", evidence=documented(PH_DESK)
    )
    created_at: fields.DateTime = fields.DateTime(
        "createdAt", read_only=True, label="Created", evidence=observed(AIRBYTE)
    )
    updated_at: fields.DateTime = fields.DateTime(
        "updatedAt", read_only=True, label="Updated", evidence=observed(AIRBYTE)
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=documented(PH_DESK)
    )
