"""Model: one Planhat record as a Python object, and the metaclass that makes classes of declarations.

An instance is its row as it came plus what was changed on it. Imports fields, options, relations and the session's
writer types; reading more is left to ``execution``. It does not promise to notice a change that somebody makes at
Planhat before a row of that record comes in again.
"""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from planhat_orm.errors import (
    ConfigurationError,
    FieldError,
    MultipleObjectsReturned,
    ObjectDeleted,
    ObjectDoesNotExist,
    StaleObjectError,
    UnknownField,
)
from planhat_orm.orm import execution, tracking
from planhat_orm.orm.fields import MISSING, Field, Id
from planhat_orm.orm.manager import ObjectsDescriptor
from planhat_orm.orm.options import Options, registry
from planhat_orm.orm.relations import Ref, make_ref
from planhat_orm.orm.schema import SchemaDescriptor
from planhat_orm.orm.state import Origin, State
from planhat_orm.session.session import Session
from planhat_orm.session.writer import Change, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo


@dataclass_transform(kw_only_default=True)
class ModelBase(type):
    """Makes a model class: collects fields, reads ``class Meta``, adds the per-model exceptions."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> ModelBase:
        declared = namespace.get("Meta")
        namespace.setdefault("__slots__", ())
        cls = super().__new__(mcs, name, bases, namespace)
        parents: list[Any] = [base for base in bases if isinstance(base, ModelBase)]
        said = {key: value for key, value in vars(declared).items() if not key.startswith("__")} if declared else {}
        model: type[Model] = cls  # type: ignore[assignment]  # every class of this metaclass derives from Model
        model._meta = options = Options(model, said, parents[0]._meta if parents else None)
        options.adopt(collected_fields(cls, namespace).items())
        for error in (ObjectDoesNotExist, MultipleObjectsReturned):
            title = "DoesNotExist" if error is ObjectDoesNotExist else error.__name__
            above = tuple(dict.fromkeys(getattr(parent, title, error) for parent in parents)) or (error,)
            # The qualified name lets the exception be pickled.
            members = {"__module__": cls.__module__, "__qualname__": f"{cls.__qualname__}.{title}"}
            setattr(cls, title, type(title, above, members))
        if options.path and not options.abstract:
            registry[name] = model
        return cls


def collected_fields(cls: type, namespace: Mapping[str, Any]) -> dict[str, Field[Any, Any]]:
    """Return the fields of a class by name, inherited ones first; raise where two of them clash."""
    found: dict[str, Field[Any, Any]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            inherited = found.get(name)
            if isinstance(value, Field):
                if inherited is not None and inherited is not value:
                    raise ConfigurationError(f"{cls.__name__}: field {name!r} is declared twice among its bases")
                if name in RESERVED:
                    raise ConfigurationError(f"{cls.__name__}: {name!r} is a name of Model itself; choose another")
                found[name] = value
            elif inherited is not None:
                raise ConfigurationError(f"{cls.__name__}: {name!r} hides the inherited field of that name")
    for name, annotation in namespace.get("__annotations__", {}).items():
        if name not in namespace and str(annotation).startswith("fields."):
            raise ConfigurationError(f"{cls.__name__}.{name} is annotated as a field but none is assigned to it")
    return found


RESERVED: set[str] = set()


class Model(metaclass=ModelBase):
    """The base of every Planhat object.

    Instances are made by ``Company(name=...)`` (new, not saved) and by querysets. Attributes are converted when they
    are read; ``save()`` sends what changed and nothing else.

    :raises UnknownField: for a name that is no field, with a suggestion.
    :raises FieldError: for a read-only field.
    """

    __slots__ = ("__weakref__", "_origin", "_raw", "_state")

    _meta: ClassVar[Options]
    DoesNotExist: ClassVar[type[ObjectDoesNotExist]]
    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]]
    objects: ClassVar[ObjectsDescriptor] = ObjectsDescriptor()
    #: The marshmallow schema of the whole object: ``Company.Schema().load(row)`` gives Python values.
    Schema: ClassVar[SchemaDescriptor] = SchemaDescriptor()

    _raw: dict[str, Any]
    _origin: Origin | None
    _state: State | None

    id: Id = Id("_id", read_only=True, label="ID", help="Planhat's id, 24 hexadecimal digits")

    def __init__(self, **values: Any) -> None:
        self._raw = {}
        self._origin = None
        self._state = State()
        for name, value in values.items():
            self._meta.field(name).write(self, value)

    # Identity

    @property
    def pk(self) -> str | None:
        """The id, by Django's name."""
        return self.id

    @property
    def raw(self) -> Mapping[str, Any]:
        """The record as Planhat sent it, read-only."""
        return MappingProxyType(self._raw)

    @property
    def extra(self) -> dict[str, Any]:
        """What Planhat sent beyond the declared fields; never sent back."""
        return {key: value for key, value in self._raw.items() if key not in self._meta.by_key}

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Model) or type(self) is not type(other) or self.id is None:
            return NotImplemented if not isinstance(other, Model) else False
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        if self.id is None:
            raise TypeError(f"{self!r} is not saved: it has no id yet, so it cannot be in a set or be a dict's key")
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        return (self._origin.tenant if self._origin is not None else None, type(self), self._raw.get("_id"))

    def __repr__(self) -> str:
        name = self._raw.get("name") or self._raw.get("email") or self._raw.get("subject") or self._raw.get("product")
        key = self._raw.get("_id", "(unsaved)")
        return f"<{self._meta.name} {key}{f' {name!r}' if isinstance(name, str) else ''}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UnknownField(self._meta.unknown(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if not hasattr(type(self), name):
            raise UnknownField(self._meta.unknown(name))
        object.__setattr__(self, name, value)

    def __copy__(self) -> Self:
        return self._unsaved_copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._unsaved_copy()

    def _unsaved_copy(self) -> Self:
        # Keys that no two records share would make the copy collide with its original.
        left_out = {"_id", *self._meta.unique}
        twin = type(self)()
        for field in self._meta.fields:
            if not field.read_only and field.data_key not in left_out and self._holds(field.data_key):
                _, value = field.export(self)
                if value:
                    field.write(twin, value)
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        state = self._state
        loaded = self._origin.loaded if self._origin is not None else None
        changed = (dict(state.values), dict(state.custom), state.deleted) if state is not None else None
        return _unpickled, (type(self), dict(self._raw), loaded, changed)

    # What is known

    def _knows(self, data_key: str) -> bool:
        """Tell whether Planhat's value of a field is known, be it that there is none."""
        origin = self._origin
        return origin is None or data_key in self._raw or data_key in origin.loaded

    def _holds(self, data_key: str) -> bool:
        """Tell whether reading a field costs nothing: it is known, or was assigned."""
        return self._knows(data_key) or (self._state is not None and data_key in self._state.values)

    def _stored(self, field: Field[Any, Any]) -> Any:
        """Return Planhat's value of a field as it came, None where there is none; load it if it was not asked for."""
        value = self._raw.get(field.data_key, MISSING)
        if value is MISSING:
            if self._knows(field.data_key):
                return None
            execution.load_missing(self, field)
            value = self._raw.get(field.data_key)
        return value

    def _session(self) -> Session:
        if self._origin is not None:
            return self._origin.session
        if self._state is not None and self._state.session is not None:
            return self._state.session
        return Session.current()

    def _zone(self) -> tzinfo | None:
        if self._origin is not None:
            return self._origin.session.timezone
        session = (self._state.session if self._state is not None else None) or Session.find_current()
        return session.timezone if session is not None else None

    def _refuse_other_session(self, other: Model) -> None:
        mine, theirs = self._origin, other._origin
        if mine is not None and theirs is not None and mine.session is not theirs.session:
            raise FieldError(f"{self!r} and {other!r} belong to different sessions and cannot be linked")

    # Rows

    @classmethod
    def _hydrated(cls, row: dict[str, Any], origin: Any) -> Self:
        obj = cls.__new__(cls)
        _set_raw(obj, row)
        _set_origin(obj, origin)
        _set_state(obj, None)
        return obj

    def _merge(self, row: dict[str, Any], origin: Any, sent: Mapping[str, Any] | None = None) -> None:
        tracking.merge(self, row, origin, sent)

    # Changes

    def _ensure_state(self) -> State:
        if self._state is None:
            self._state = State()
        return self._state

    def _assign(self, field: Field[Any, Any], value: Any) -> None:
        if field.mutable and isinstance(value, (list, tuple, dict)):
            value = copy.deepcopy(list(value) if isinstance(value, tuple) else value)
        self._ensure_state().values[field.data_key] = value
        self._touched()

    def _touched(self) -> None:
        # Strong while dirty: a change must not be lost because nobody else holds the object.
        if self._origin is not None:
            self._origin.session.identity_map.hold(self)

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Return what ``save()`` would send: Python name to (Planhat's value, ours); custom keys as "custom.Tier".

        >>> from planhat_orm.models import Company
        >>> Company(name="Acme", custom={"Tier": "Gold"}).changes()
        {'name': (None, 'Acme'), 'custom.Tier': (None, 'Gold')}
        """
        return tracking.changes(self)

    def conflicts(self) -> dict[str, tuple[Any, Any]]:
        """Return the changed fields whose value at Planhat moved meanwhile: name to (Planhat's now, ours)."""
        moved = self._state.moved if self._state is not None else {}
        return {name: pair for name, pair in self.changes().items() if name in moved} if moved else {}

    def revert(self) -> None:
        """Forget every change that was not saved; nothing is sent. The object is as Planhat last sent it."""
        state = self._state
        if state is None:
            return
        for key, value in list(state.values.items()):
            tracking.refresh_clean(state, self._meta.by_key[key], self._raw.get(key), value)
        state.custom.clear()
        state.moved.clear()
        if self._origin is not None:
            self._origin.session.identity_map.release(self)

    def full_clean(self) -> None:
        """Check everything that ``save()`` would check, and for a new object what it needs; nothing is sent.

        :raises ValidationError: with all complaints at once, by field.

        >>> from planhat_orm.models import Company
        >>> Company(phase="Live").full_clean()
        Traceback (most recent call last):
        planhat_orm.errors.ValidationError: Company is not valid: name: is required to create a Company
        """
        tracking.body_of(self)

    # Writing

    def save(self, *, force: bool = False) -> Outcome:
        """Send what changed: PUT /{path}/{id} for a saved object, POST /{path} for a new one; nothing, if nothing did.

        Planhat's answer refreshes the object. Returns the Outcome: its ``status`` is "created", "updated" or
        "unchanged", its ``change.after`` what was sent.

        :param force: overwrite what moved at Planhat since it was read.
        :raises ValidationError: before any request, with all complaints by field.
        :raises StaleObjectError: Planhat's value of a changed field moved, and ``force`` is not set.
        :raises ObjectDeleted: the object was deleted.
        :raises AmbiguousWrite: the answer to a create was lost and the record could not be looked up.

        Source: https://www.planhat.com/developers/api/introduction

        >>> acme = Company.objects.get(external_id="acme-42")
        >>> acme.custom["Tier"] = "Gold"
        >>> acme.save().change.after
        {'custom': {'Tier': 'Gold'}}
        """
        self._refuse_deleted("saved")
        session = self._session()
        if not force and (moved := self.conflicts()):
            raise StaleObjectError(
                f"{self!r} was changed at Planhat since it was read: {', '.join(moved)}; "
                "look at conflicts(), then save(force=True) to overwrite or revert() to take Planhat's values",
                conflicts=moved,
            )
        with session.identity_map.lock:
            body, sent = tracking.body_of(self), tracking.snapshot(self)
            before = {name: self._raw.get(name) for name in body}
        change = Change(type(self), self.id, before, body)
        if not body and self.id is not None:
            session.identity_map.release(self)
            return Outcome(change, "unchanged")
        outcome = session.writer.write_one(change)
        if outcome.status == "not_found":
            raise ObjectDeleted(f"{self!r} cannot be saved: Planhat has no such record (any more)") from outcome.error
        with session.identity_map.lock:
            self._written(session, outcome, sent)
        return outcome

    def _written(self, session: Session, outcome: Outcome, sent: dict[str, Any]) -> None:
        row, body = outcome.row, outcome.change.after or {}
        loaded = self._meta.keys
        if row is None:
            # Success without a body: what was sent is what is stored, as far as anybody knows.
            custom = {"custom": {**tracking.stored_custom(self._raw), **body["custom"]}} if "custom" in body else {}
            row = {**self._raw, **body, **custom}
            loaded = self._origin.loaded if self._origin is not None else loaded
        state = self._ensure_state()
        state.written = 0
        origin = Origin(session, loaded, outcome.number)
        self._merge(row, origin, sent)
        state.written = outcome.number
        state.moved.clear()
        session.identity_map.saved(self, origin, dirty=bool(self.changes()))

    def delete(self) -> Outcome:
        """Delete the record: DELETE /{path}/{id}, one request. The object can still be read afterwards, not saved.

        :raises ObjectDeleted: it was deleted already, or never saved.
        :raises ObjectDoesNotExist: Planhat has no such record (any more).
        """
        self._refuse_deleted("deleted")
        session, key = self._session(), self.id
        if key is None:
            raise ObjectDeleted(f"{self!r} was never saved, so there is nothing to delete")
        outcome = session.writer.write_one(Change(type(self), key, dict(self._raw), None))
        self._mark_deleted()
        session.identity_map.discard(self)
        if outcome.status == "not_found":
            raise self.DoesNotExist(f"{self!r} does not exist at Planhat (any more)") from outcome.error
        return outcome

    def _mark_deleted(self) -> None:
        self._ensure_state().deleted = True

    def _refuse_deleted(self, what: str) -> None:
        if self._state is not None and self._state.deleted:
            raise ObjectDeleted(f"{self!r} was deleted and cannot be {what}")

    def refresh_from_db(self) -> None:
        """Read the record again: GET /{path}/{id}, one request. Changes that were not saved are kept.

        :raises ObjectDoesNotExist: it was never saved, or Planhat has no such record any more.
        """
        if self.id is None:
            raise self.DoesNotExist(f"{self!r} was never saved, so there is nothing to read")
        execution.refresh(self)

    # Ways out

    def to_dict(self) -> dict[str, Any]:
        """Return the loaded values by Python name: foreign keys as ids, ``custom`` as a plain dict. Sends nothing.

        >>> from planhat_orm.models import Company
        >>> Company(name="Acme").to_dict()["name"]
        'Acme'
        """
        return dict(field.export(self) for field in self._meta.fields if self._holds(field.data_key))

    @classmethod
    def ref(cls, *, external_id: str | None = None, source_id: str | None = None) -> Ref[Self]:
        """Return a reference by your own key, which costs no request and is sent as "extid-..." or "srcid-...".

        :raises NotSupported: where Planhat is not documented to take one.

        >>> from planhat_orm.models import Company
        >>> str(Company.ref(external_id="acme-42"))
        'extid-acme-42'
        """
        return make_ref(cls, {"external_id": external_id, "source_id": source_id})


# Hydrating a page goes past __setattr__, which is there for people's typing slips.
_set_raw, _set_origin, _set_state = (vars(Model)[slot].__set__ for slot in ("_raw", "_origin", "_state"))

#: Names that a field may not take, because Model uses them itself.
RESERVED |= {name for name in vars(Model) if not name.startswith("__") and name != "id"}


def _unpickled(
    cls: type[Model], raw: dict[str, Any], loaded: frozenset[str] | None, changed: tuple[Any, ...] | None
) -> Model:
    obj = cls()
    if changed is not None:
        state = obj._ensure_state()
        state.values, state.custom, state.deleted = changed
    obj._raw = raw
    if loaded is not None:
        obj._origin = Origin(None, loaded, 0)
    return obj
