"""CustomField: the definition of a field that a tenant added to an object.

Declarations, and what follows from a definition's type; the facts are those of
https://www.planhat.com/developers/api/custom-field. It does not promise to list a tenant's every field: newer types
(links to any object) are not in the documented list, and are read as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.models.sources import CRUDS, DLT, PH_DESK, POSTMAN, TENANT_GUIDE, TORQ, official
from planhat_orm.orm import definitions, fields
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.params import Param

if TYPE_CHECKING:
    from datetime import tzinfo
    from typing import TypeAlias

    # The class below has a field called type, which hides the built-in one in its body.
    ModelClass: TypeAlias = type[Model]

PAGE = official("custom-field")


class ParentName(fields.Text):
    """The object that a custom field is of. A tenant's own objects may have any name; a slip in a known one is told."""

    def encode(self, value: Any, zone: tzinfo | None = None) -> Any:
        sent = super().encode(value, zone)
        if isinstance(sent, str) and (meant := slip_of(sent)) is not None:
            raise marshmallow.ValidationError(f"must be {meant!r}, in small letters and of one, not {sent!r}")
        return sent


def slip_of(parent: str) -> str | None:
    """Return what is meant by another spelling of a known parent; None where there is nothing to say.

    What has capitals inside, such as "EndUser", passes: how Planhat writes parents of two words is not documented.

    >>> slip_of("Company"), slip_of("companies"), slip_of("company"), slip_of("EndUser"), slip_of("Ship")
    ('company', 'company', None, None, None)
    """
    if parent != parent.lower() and parent != parent.capitalize() and parent != parent.upper():
        return None
    known = [model for model in registry.values() if model._meta.custom is not None]
    names = {definitions.parent_of(model): model._meta.path for model in known}
    plurals = {path: name for name, path in names.items() if list(names.values()).count(path) == 1}
    said = parent.strip().lower()
    meant = said if said in names else plurals.get(said)
    return meant if meant != parent else None


class CustomField(Model):
    """The definition of a tenant's own field: its name, type and options.

    The values are in ``custom`` of each record, under this ``name``, letter by letter: renaming a definition changes
    the key that you read and write. There is no bulk upsert of definitions. The whole list is one request for each
    2,000 and is kept by the session, which checks new keys by it (``Session(check_custom=...)``). The page's table
    wants ``is_hidden`` with a create and its text does not, so False is sent unless you say otherwise.

    Source: https://www.planhat.com/developers/api/custom-field

    >>> tier = CustomField.objects.create(name="Plan", parent="company", type="list", list_values=["Basic", "Pro"])
    >>> tier.model.__name__, tier.list_values
    ('Company', ['Basic', 'Pro'])
    """

    class Meta:
        path = "customfields"
        page_size = (100, 2000)
        keyables = ("id",)
        match_keys = ()
        not_offered = {"bulk_upsert": "save() each definition, or CustomField.objects.create() it: one request each"}
        list_params = {
            "parent": Param("parent", hint=True, help="definitions of one object", evidence=inferred(TORQ)),
            "name": Param("name", hint=True, help="definitions of one name"),
        }
        create_defaults = {"isHidden": False}
        small_table = True
        updated_instead = (
            "the whole list is read in a request or two: compare CustomField.objects.all() with what was kept"
        )
        evidence = {
            "fields": documented(PAGE, PH_DESK),
            "operations": documented(POSTMAN, PH_DESK),
            "bulk_upsert": documented(POSTMAN, PH_DESK, CRUDS),
            "filters": inferred(TORQ),
            "keys": documented(POSTMAN, PH_DESK),
            "required": documented(POSTMAN, PH_DESK),
            "limits": documented(POSTMAN, PH_DESK, DLT),
        }
        quirks = (
            Quirk(
                "Records hold a value under the definition's name, not its id: renaming it changes the key.",
                observed(PH_DESK, TENANT_GUIDE),
            ),
            Quirk("Renaming an option changes it in the records that hold it.", observed(TENANT_GUIDE)),
            Quirk(
                "A value under a name without a definition is stored, and shown nowhere in the app.",
                observed(TENANT_GUIDE),
            ),
            Quirk("Planhat takes values that are not among the options.", observed(TENANT_GUIDE)),
            Quirk("Old definitions lack keys: every boolean may be missing.", documented(PH_DESK)),
            Quirk("Newer types, such as links to any object, are not in the documented list.", observed(TENANT_GUIDE)),
            Quirk("Only company and invoice were seen as parents; the other names are inferred.", inferred(PH_DESK)),
            Quirk(
                "What becomes of stored values when their definition is deleted is not known.",
                inferred(POSTMAN, PH_DESK),
            ),
        )
        doc_url = "https://www.planhat.com/developers/api/custom-field"

    name: fields.Text = fields.Text("name", required=True, help="the key in custom, with its case and spaces")
    type: fields.Choice = fields.Choice("type", required=True, choices=tuple(definitions.CONVERTERS))
    parent: fields.Text = ParentName("parent", required=True, help="the object it is of, in small letters: company")
    list_values: fields.TextList = fields.TextList("listValues", help="the options of a list or a multipicklist")
    is_featured: fields.Boolean = fields.Boolean("isFeatured", help="shown in the detail view")
    is_hidden: fields.Boolean = fields.Boolean("isHidden", help="in no view; False is sent with a create")
    is_shared: fields.Boolean = fields.Boolean("isShared", help="may be shown on the portal")
    is_locked: fields.Boolean = fields.Boolean("isLocked", help="cannot be edited in the app")
    is_mandatory: fields.Boolean = fields.Boolean("isMandatory", help="wanted when a record is made in the app")
    is_formula: fields.Boolean = fields.Boolean("isFormula", help="computed by Planhat, so not for writing")
    treat_undefined_as_zero: fields.Boolean = fields.Boolean(
        "treatUndefinedAsZero", help="a computed number without a result is 0"
    )
    formula: fields.Text = fields.Text("formula", help="what it is computed by")
    filter: fields.List = fields.List("filter", read_only=True)
    formula_refs: fields.TextList = fields.TextList("formulaRefs", read_only=True, help="what the formula refers to")
    number_format: fields.Text = fields.Text("numberFormat", help="of numbers")
    sort_order: fields.Integer = fields.Integer("sortOrder", read_only=True, evidence=documented(PH_DESK))
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=documented(PH_DESK)
    )

    @property
    def model(self) -> ModelClass | None:
        """The class whose records have the field, None where this library has none for the parent.

        >>> CustomField(name="Plan", parent="company", type="text").model.__name__
        'Company'
        """
        return definitions.model_of(self.parent or "")

    def to_python(self, value: Any) -> Any:
        """Read a stored value by the field's type: a day as a date, a date as a datetime, a number as a number.

        :raises DecodeError: for a value that cannot be read as the type; ``record.custom[name]`` has it as it is.

        >>> CustomField(name="Go live", parent="company", type="day").to_python(18395)
        datetime.date(2020, 5, 13)
        """
        return definitions.Definition.of(self).to_python(value)

    def to_planhat(self, value: Any, *, timezone: tzinfo | None = None) -> Any:
        """Check a value by the field's type and options, and return what is sent for it.

        :param timezone: the zone of datetimes without one.
        :raises ValidationError: for a value of another type, or one that is not among the options.

        >>> from datetime import date
        >>> CustomField(name="Go live", parent="company", type="day").to_planhat(date(2020, 5, 13))
        18395
        """
        return definitions.Definition.of(self).to_planhat(value, timezone)
