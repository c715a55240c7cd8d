"""Making a record that is not there yet: ``create`` and ``get_or_create`` of a queryset.

Imports errors and lookups; saving is the record's own. It does not promise one record for two that make it at once
without a key that is unique at Planhat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from planhat_orm.errors import BadRequest, InvalidQuery
from planhat_orm.orm.lookups import split_lookup

if TYPE_CHECKING:
    from planhat_orm.orm.lookups import Q
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")


class CreateMethods(Generic[M]):
    """What a queryset makes, as methods of every queryset."""

    if TYPE_CHECKING:
        query: Query
        _defaults: dict[str, Any]

        def _bound(self) -> Session: ...

        def get(self, *conditions: Q, fresh: bool = False, **lookups: Any) -> M: ...

    def create(self, **values: Any) -> M:
        """Make a record and save it: POST /{path}, one request.

        A reverse manager sets the link to its object.

        :param values: fields by name; links as records, ids or references.
        :raises NotSupported: where Planhat offers no create, saying what to do instead.
        :raises UnknownField: for a name that is no field, with a suggestion.
        :raises ValidationError: before any request.
        :raises AmbiguousWrite: the answer was lost, and the record could not be looked up by a unique key.

        >>> Company.objects.create(name="New & Co", external_id="new-1").external_id
        'new-1'
        """
        self.query.model._meta.require("create")
        record = cast("M", self.query.model(**{**self._defaults, **values}))
        record._ensure_state().session = self._bound()
        record.save()
        return record

    def get_or_create(self, defaults: dict[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """Return the record that matches and False, or a new one and True, made of the lookups and ``defaults``.

        It costs what ``get`` costs, which is one request by a key and a scan of the list by anything else, and a POST
        where there is none. Two that do so at once make one record if the lookups hold a key that is unique at
        Planhat, which refuses the second with 400: then it is looked up once more. By anything else both make one.

        :param defaults: what a new record has besides the lookups.
        :param lookups: fields and the values that the record has; a new one has them, too.
        :raises InvalidQuery: for a lookup other than ``exact``, of which no record can be made.
        :raises UnknownField: for a name that is no field, before anything is sent.
        :raises MultipleObjectsReturned: the model's own: several match.
        :raises BadRequest: Planhat refuses the new record, and there is still none that matches.

        >>> company, made = Company.objects.get_or_create(external_id="new-7", defaults={"name": "New & Co"})
        >>> made, Company.objects.get_or_create(external_id="new-7") == (company, False)
        (True, True)
        """
        model = self.query.model
        model._meta.require("create")
        if defaults is not None and not isinstance(defaults, Mapping):
            raise InvalidQuery(f"get_or_create() takes its defaults as a dictionary, not {defaults!r}")
        for name in lookups:
            if name not in model._meta.by_name and split_lookup(name)[0] != name:
                raise InvalidQuery(
                    f"get_or_create({name}=...): no record can be made of a lookup; put it in a filter()"
                )
        for name in {**lookups, **(defaults or {})}:
            model._meta.field(name)
        try:
            return self.get(**lookups), False
        except model.DoesNotExist:
            pass
        try:
            return self.create(**{**lookups, **(defaults or {})}), True
        except BadRequest:
            # Somebody else may have made it meanwhile: a second one of its key is refused with 400.
            try:
                return self.get(**lookups), False
            except model.DoesNotExist:
                pass
            raise
