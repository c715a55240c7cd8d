"""One item of a bulk upsert: an object or a dictionary, checked and made a Change.

Imports fields, tracking and the session's writer types; sends nothing. It does not promise that Planhat has what a
key says: what is not there is created.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.errors import FieldError, InvalidQuery, NotSupported, ValidationError
from planhat_orm.orm import missing, tracking
from planhat_orm.orm.conversion import an, is_blank, shown
from planhat_orm.orm.custom import DELETED
from planhat_orm.session.changes import Change
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options
    from planhat_orm.session.session import Session

__all__ = ["Item", "Maker", "match_key"]


@dataclass(slots=True)
class Item:
    """An item as it will be sent; ``obj`` and what it ``sent`` as Python values, where it is an object.

    ``empty``: a saved object of which nothing changed. ``unanswered``: nobody knows of an earlier create of it.
    """

    change: Change
    obj: Model | None = None
    sent: dict[str, Any] = field(default_factory=dict)
    empty: bool = False
    unanswered: bool = False


def match_key(meta: Options, key: str | tuple[str, ...] | None) -> str | None:
    """Return Planhat's name of the key to match by, None where the items decide.

    :raises UnknownField: for a name that is no field.
    :raises NotSupported: for a field that Planhat does not match on.

    >>> match_key(Company._meta, "external_id")
    'externalId'
    """
    if key is None or key == ():
        return None
    names = (key,) if isinstance(key, str) else tuple(key)
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidQuery(f"bulk_upsert() takes the name of a field as key, not {shown(key)}")
    keys = [meta.field(name).data_key for name in names]
    scopes = set(meta.unique_within.values())
    named = [one for one in keys if one not in scopes] or keys
    if len(named) == 1 and named[0] in meta.match_keys:
        return named[0]
    known = ", ".join(meta.by_key[one].name for one in meta.match_keys)
    raise NotSupported(
        f"Planhat does not match {an(meta.name)} by {' and '.join(names)}, only by {known}, and would create what it "
        f"should change: read the records by it first ({meta.name}.objects.filter(...)) and give their id"
    )


class Maker:
    """Makes the Change of an item; complaints are by field, as a ValidationError.

    :param model: whose records they are.
    :param session: the session that sends them; naive times are in its zone.
    :param key: Planhat's name of the key that each item must have, and is to be matched by.
    :param defaults: what new records have besides: the other end of a reverse manager.
    :param again: an item with a key that Planhat does not match by may be created, again each time it is sent.
    """

    def __init__(
        self,
        model: type[Model],
        session: Session,
        *,
        key: str | None,
        defaults: Mapping[str, Any],
        again: bool = False,
    ) -> None:
        self.model = model
        self.meta = model._meta
        self.session = session
        self.key = key
        self.defaults = defaults
        self.again = again

    def item(self, given: Any, place: int) -> Item:
        """Return an item as it will be sent.

        :param place: its number in the input, from 0.
        :raises ValidationError: with all complaints by field.
        """
        if isinstance(given, self.model):
            return self._of_object(given, place)
        if isinstance(given, Mapping):
            return self._of_dict(given, place)
        raise ValidationError({"item": [f"is {shown(given)}, not {an(self.meta.name)} or a dictionary"]})

    # Objects

    def _of_object(self, obj: Model, place: int) -> Item:
        joined, state = obj._joined(), obj._state
        if joined is not None and joined is not self.session:
            raise ValidationError({"item": [f"{obj!r} belongs to another session"]})
        if state is not None and state.deleted:
            raise ValidationError({"item": [f"{obj!r} was deleted"]})
        missing.verify(obj)
        if moved := obj.conflicts():
            said = "was changed at Planhat since it was read; look at conflicts(), then save() or revert() it"
            raise ValidationError({name: [said] for name in moved})
        saved = obj._raw.get("_id")
        if saved is None:
            obj._ensure_state().session = self.session
            for name, value in self.defaults.items():
                target = self.meta.field(name)
                if target.data_key not in obj._ensure_state().values:
                    target.write(obj, value)
        found = tracking.pending(obj)
        body = tracking.body_of(obj, found)
        if saved is not None:
            before = tracking.before(obj, body)
            change = Change(self.model, saved, before, {"_id": saved, **body}, keys={}, place=place)
            return Item(change, obj, tracking.sent_of(obj, found), empty=not body)
        problems: dict[str, list[str]] = {}
        self._check_created(body, problems)
        if problems:
            raise ValidationError(problems)
        keys = self._keys(body)
        if state is not None and state.unanswered and not keys:
            raise ValidationError(
                {"item": [f"{obj!r}: a create of it was sent before and may have been carried out; look for it first"]}
            )
        change = Change(self.model, None, {}, body, keys=keys, place=place)
        unanswered = state is not None and state.unanswered
        return Item(change, obj, tracking.sent_of(obj, found), unanswered=unanswered)

    # Dictionaries

    def _of_dict(self, given: Mapping[Any, Any], place: int) -> Item:
        problems: dict[str, list[str]] = {}
        values = {str(name): value for name, value in given.items()}
        key = self._id(values, problems)
        body = self._body(values if key is not None else {**self.defaults, **values}, problems, creates=key is None)
        if problems:
            raise ValidationError(problems)
        if key is not None:
            body = {"_id": key, **body}
        keys = self._keys(body, saved=key is not None)
        if key is None and not keys:
            body = {**self.meta.as_written(self.meta.create_defaults), **body}
            tracking.check_required(self.model(), self.meta.as_read(body), problems)
            self._check_created(body, problems)
        self._check_sent(self.meta.as_read(body), problems)
        if problems:
            raise ValidationError(problems)
        return Item(Change(self.model, key, {}, body, keys=keys, place=place))

    def _id(self, values: dict[str, Any], problems: dict[str, list[str]]) -> str | None:
        """Take the id out of a dictionary."""
        given = [values.pop(name) for name in ("id", "pk") if name in values]
        if given and not is_object_id(given[0]):
            problems["id"] = [f"must be a Planhat id, 24 hexadecimal digits, not {shown(given[0])}; {LEAVE_OUT}"]
            return None
        return given[0] if given else None

    def _body(self, values: Mapping[str, Any], problems: dict[str, list[str]], *, creates: bool) -> dict[str, Any]:
        """Return what is sent for values by Python name: they are assigned to an object that nobody else sees."""
        obj = self.model()
        state = obj._ensure_state()
        state.session = self.session
        for name, value in values.items():
            try:
                target = self.meta.field(name)
                if target.data_key == "custom" and value is None:
                    raise FieldError('name the keys to clear: {"Tier": None}')
                target.write(obj, value)
            except ValidationError as error:
                problems.update(error.messages if isinstance(error.messages, dict) else {name: error.messages})
            except FieldError as error:
                problems[name] = [str(error)]
        zone = self.session.timezone
        body: dict[str, Any] = self.meta.as_written(self.meta.constant) if creates else {}
        for data_key, value in state.values.items():
            target = self.meta.by_key[data_key]
            try:
                encoded = target.encode(value, zone)
            except marshmallow.ValidationError as problem:
                problems[target.name] = [str(text) for text in problem.messages]
            else:
                body[target.write_key] = encoded
                if refusal := tracking.refused(obj, target, encoded, creates=False):
                    problems[target.name] = [refusal]
        custom = {name: None if value is DELETED else value for name, value in state.custom.items()}
        if inside := tracking.custom_body(obj, custom, problems, creates=False):
            body["custom"] = inside
        return body

    def _check_created(self, body: Mapping[str, Any], problems: dict[str, list[str]]) -> None:
        """Note what an item needs that is to be created in bulk, beyond what a create needs."""
        row = self.meta.as_read(body)
        for needed in self.meta.upsert_required:
            names = (needed,) if isinstance(needed, str) else needed
            if needed in self.meta.create_required or any(row.get(name) not in (None, "", []) for name in names):
                continue
            first, *others = [self.meta.by_key[name].name for name in names]
            instead = f", or one of {', '.join(others)}," if others else ""
            problems.setdefault(first, [f"is required{instead} to create {an(self.meta.name)} in bulk"])

    def _check_sent(self, row: Mapping[str, Any], problems: dict[str, list[str]]) -> None:
        """Refuse an item without what Planhat wants each time: it would drop the item without an error."""
        for name in self.meta.always_sent:
            target = self.meta.by_key[name]
            if name in self.meta.create_required and not row.get(name):
                problems.setdefault(target.name, [f"is required in every {self.meta.name} that is sent"])

    # Keys

    def _keys(self, body: Mapping[str, Any], *, saved: bool = False) -> dict[str, str]:
        """Return the keys that an item carries, by every name that an answer may give them.

        :raises ValidationError: for one that Planhat cannot match by, or that would match something else.
        """
        row, keys, problems = self.meta.as_read(body), dict[str, str](), dict[str, list[str]]()
        for name in self.meta.match_keys:
            if name == "_id" or name not in row:
                continue
            target, value = self.meta.by_key[name], row[name]
            if isinstance(value, str) and not is_blank(value):
                keys[name] = keys[target.write_key] = value
            elif not (saved and value is None):
                said = f"is a key and must be a text that is not blank, not {shown(value)}; {LEAVE_OUT}"
                problems[target.name] = [said]
        if not problems and not saved:
            self._check_match(row, keys, problems)
        if problems:
            raise ValidationError(problems)
        return keys

    def _check_match(self, row: Mapping[str, Any], keys: Mapping[str, str], problems: dict[str, list[str]]) -> None:
        """Refuse an item that Planhat would match by another key than was meant, or in any company."""
        decides = next((name for name in self.meta.match_keys if name in keys), None)
        if self.key is not None and decides != self.key:
            wanted = self.meta.by_key[self.key].name
            if self.key in keys or decides is not None:
                other = self.meta.by_key[decides or ""].name
                problems[other] = [f"is what Planhat would match by, not {wanted}; leave it out or match by it"]
            else:
                problems[wanted] = ["is missing, and key= says to match by it"]
        if decides is None and not self.again:
            self._refuse_unmatched(row, problems)
        within = self.meta.unique_within.get(decides or "")
        if within is not None and not row.get(within):
            scope, own = self.meta.by_key[within].name, self.meta.by_key[decides or ""].name
            problems[scope] = [f"is missing: {own} is unique within one {scope} only; give that, too, or match by id"]

    def _refuse_unmatched(self, row: Mapping[str, Any], problems: dict[str, list[str]]) -> None:
        """Refuse an item whose only key is one that Planhat does not match by: each run would create it again."""
        for name in self.meta.key_kinds:
            if name == "_id" or name in self.meta.match_keys or is_blank(row.get(name)) or row.get(name) is None:
                continue
            own = self.meta.by_key[name].name
            problems[own] = [
                f"is a key that a bulk upsert does not match {an(self.meta.name)} by, so that each run would create it "
                f"again: {self.meta.name}.objects.get_or_create({own}=..., defaults=...) for each, or give its id; "
                "key=() creates it all the same"
            ]


#: What to do about a key that is none.
LEAVE_OUT = "is a variable unset? Leave it out to create a record without it"
