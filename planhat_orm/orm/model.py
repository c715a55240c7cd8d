"""Model: one Planhat record as a Python object, and the metaclass that makes classes of declarations.

An instance is its row as it came plus what was changed on it. Imports fields, options, relations and the session's
writer types; reading more is left to ``missing``. It does not promise to notice a change that somebody makes at
Planhat before a row of that record comes in again.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Never, Self, cast, dataclass_transform

from planhat_orm.errors import (
    AmbiguousWrite,
    ConfigurationError,
    FieldError,
    MultipleObjectsReturned,
    ObjectDeleted,
    ObjectDoesNotExist,
    PlanhatError,
    StaleObjectError,
    UnknownField,
)
from planhat_orm.orm import copying, definitions, dropped, held, missing, tracking
from planhat_orm.orm.aliases import renamed
from planhat_orm.orm.conversion import plain_copy
from planhat_orm.orm.fields import MISSING, Field, Id
from planhat_orm.orm.manager import ObjectsDescriptor, refuse_absent
from planhat_orm.orm.options import Options, fields_of, register
from planhat_orm.orm.refs import Ref, make_ref
from planhat_orm.orm.schema import SchemaDescriptor
from planhat_orm.orm.state import Holder, Origin, State
from planhat_orm.orm.telling import title_in
from planhat_orm.session.changes import Change, Outcome
from planhat_orm.session.session import Session
from planhat_orm.wire.retry import may_have_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import tzinfo


@dataclass_transform(kw_only_default=True)
class ModelBase(type):
    """Makes a model class: collects fields, reads ``class Meta``, adds the per-model exceptions."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> ModelBase:
        namespace.setdefault("__slots__", ())
        cls = super().__new__(mcs, name, bases, namespace)
        parents: list[Any] = [base for base in bases if isinstance(base, ModelBase)]
        model: type[Model] = cls  # type: ignore[assignment]  # every class of this metaclass derives from Model
        model._meta = options = Options(model, namespace.get("Meta"))
        options.adopt(fields_of(cls, RESERVED))
        for error in (ObjectDoesNotExist, MultipleObjectsReturned):
            title = "DoesNotExist" if error is ObjectDoesNotExist else error.__name__
            above = tuple(dict.fromkeys(getattr(parent, title) for parent in parents)) or (error,)
            # The qualified name lets the exception be pickled.
            members = {"__module__": cls.__module__, "__qualname__": f"{cls.__qualname__}.{title}"}
            setattr(cls, title, type(title, above, members))
        if options.path and not options.abstract:
            register(model)
        elif parents and not options.abstract:
            raise ConfigurationError(f"{name}: its class Meta needs a path, or abstract = True")
        return cls

    if not TYPE_CHECKING:

        def __getattr__(cls, name: str) -> Any:
            if name.startswith("_") or "_meta" not in vars(cls):
                raise AttributeError(f"{cls.__name__} has no attribute {name!r}")
            refuse_absent(cls, None, name)
            raise UnknownField(cls._meta.unknown(name, attribute=True))


RESERVED: set[str] = set()
#: Held while an object gets its state.
_making = threading.Lock()


class Model(Holder, metaclass=ModelBase):
    """The base of every Planhat object.

    Instances are made by ``Company(name=...)`` (new, not saved) and by querysets. Attributes are converted when they
    are read; ``save()`` sends what changed and nothing else.

    :raises UnknownField: for a name that is no field, with a suggestion.
    :raises FieldError: for a read-only field.
    """

    _meta: ClassVar[Options]
    DoesNotExist: ClassVar[type[ObjectDoesNotExist]]
    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]]
    objects = ObjectsDescriptor()  # not annotated: pyright would hold those of a model's own against the annotation
    #: The marshmallow schema of the whole object: ``Company.Schema().load(row)`` gives Python values.
    Schema: ClassVar[SchemaDescriptor] = SchemaDescriptor()

    id: Id = Id("_id", read_only=True, label="ID", help="Planhat's id, 24 hexadecimal digits")

    def __init__(self, **values: Any) -> None:
        if self._meta.abstract or not self._meta.path:
            raise ConfigurationError(f"{self._meta.name} is abstract: it has no records of its own")
        _set_raw(self, {})
        _set_origin(self, None)
        _set_state(self, State())
        for field, value in self._meta.named(values):
            field.write(self, value)

    # Identity

    @property
    def pk(self) -> str | None:
        """The id, by Django's name."""
        return self.id

    @property
    def raw(self) -> Mapping[str, Any]:
        """The record as Planhat sent it: a copy, by Planhat's names, with what is not declared.

        What came under another name of a declared field (``Meta.aliases``) stands under the declared one.
        """
        return MappingProxyType(plain_copy(self._raw))

    @property
    def extra(self) -> dict[str, Any]:
        """What Planhat sent beyond the declared fields, as a copy; never sent back."""
        return {key: plain_copy(value) for key, value in self._raw.items() if key not in self._meta.by_key}

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Model):
            return NotImplemented
        return self._raw.get("_id") is not None and self._identity() == other._identity()

    def __hash__(self) -> int:
        if self._raw.get("_id") is None:
            raise TypeError(f"{self!r} is not saved: it has no id yet, so it cannot be in a set or be a dict's key")
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        return (self._origin.tenant if self._origin is not None else None, type(self), self._raw.get("_id"))

    def __repr__(self) -> str:
        now = {**self._raw, **self._state.values} if self._state is not None else self._raw
        name = title_in(now)
        shown = f" {name[:60]!r}" if name else ""
        return f"<{self._meta.name} {self._raw.get('_id', '(unsaved)')}{shown}>"

    if not TYPE_CHECKING:
        # Hidden from type checkers, which would take them as leave to read and set any name.

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            refuse_absent(type(self), self, name)
            raise UnknownField(self._meta.unknown(name, attribute=True))

        def __setattr__(self, name: str, value: Any) -> None:
            known = getattr(type(self), name, MISSING)
            if known is MISSING:
                raise UnknownField(self._meta.unknown(name))
            if not hasattr(type(known), "__set__") or (isinstance(known, property) and known.fset is None):
                raise FieldError(f"{self._meta.name}.{name} is no field and cannot be set")
            object.__setattr__(self, name, value)

    def __copy__(self) -> Self:
        return copying.unsaved_copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return copying.unsaved_copy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return copying.reduced(self)

    # What is known

    def _knows(self, data_key: str) -> bool:
        """Tell whether Planhat's value of a field is known, be it that there is none."""
        origin = self._origin
        return (
            origin is None
            or data_key in self._raw
            or data_key in origin.loaded
            or data_key in self._meta.write_only  # no answer shows it: there is nothing to ask for
        )

    def _holds(self, data_key: str) -> bool:
        """Tell whether reading a field costs nothing: it is known, or was assigned."""
        return self._knows(data_key) or (self._state is not None and data_key in self._state.values)

    def _stored(self, field: Field[Any, Any]) -> Any:
        """Return Planhat's value of a field as it came, None where there is none; load it if it was not asked for."""
        value = self._raw.get(field.data_key, MISSING)
        if value is MISSING:
            if not self._knows(field.data_key):
                missing.load_missing(self, field)
            # Looked at once more: another thread may have brought it since the first look.
            value = self._raw.get(field.data_key)
        return value

    # The session

    def _session(self) -> Session:
        if self._origin is not None:
            return self._origin.session
        return self._joined() or Session.current()

    def _joined(self) -> Session | None:
        """Return the session that the object belongs to already, if it does."""
        if self._origin is not None:
            return self._origin.joined
        return self._state.session if self._state is not None else None

    def _zone(self) -> tzinfo | None:
        session = self._joined() or Session.find_current()
        return session.timezone if session is not None else None

    def _link(self, other: Model) -> None:
        """Refuse an object of another session; a new object joins the session of what it is linked to."""
        mine, theirs = self._joined(), other._joined()
        if theirs is None or mine is theirs:
            return
        if mine is not None:
            raise FieldError(f"{self!r} and {other!r} belong to different sessions and cannot be linked")
        if self._origin is None:
            self._ensure_state().session = theirs

    # Rows

    @classmethod
    def _hydrated(cls, row: dict[str, Any], origin: Any) -> Self:
        obj = cls.__new__(cls)
        _set_raw(obj, row)
        _set_origin(obj, origin)
        _set_state(obj, None)
        return obj

    _merge, _merge_twin, _merge_kin = tracking.merge, tracking.merge_twin, tracking.merge_kin

    # Changes

    def _ensure_state(self) -> State:
        if self._state is None:
            with _making:
                if self._state is None:
                    _set_state(self, State())
        return cast("State", self._state)

    def _guard(self) -> AbstractContextManager[Any]:
        """Keep rows from being merged, and saves from looking, while something is assigned."""
        session = self._joined()
        return session.identity_map.lock if session is not None else nullcontext()

    def _assign(self, field: Field[Any, Any], value: Any) -> None:
        with self._guard():
            self._ensure_state().values[field.data_key] = value
            self._touched()

    def _touched(self) -> None:
        # Strong while dirty: a change must not be lost because nobody else holds the object.
        session = self._origin.joined if self._origin is not None else None
        if session is not None:
            (session.identity_map.hold if tracking.pending(self) else session.identity_map.release)(self)

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Return what ``save()`` would send: Python name to (Planhat's value, ours); custom keys as "custom.Tier".

        >>> from planhat_orm.models import Company
        >>> Company(name="Acme", custom={"Tier": "Gold"}).changes()
        {'name': (None, 'Acme'), 'custom.Tier': (None, 'Gold')}
        """
        return tracking.changes(self)

    def conflicts(self) -> dict[str, tuple[Any, Any]]:
        """Return the changed fields whose value at Planhat moved meanwhile: name to (Planhat's now, ours).

        >>> Company.objects.get(external_id="acme-42").conflicts()
        {}
        """
        return tracking.conflicts(self)

    def revert(self) -> None:
        """Forget every change that was not saved; nothing is sent. The object is as Planhat last sent it.

        >>> acme = Company.objects.get(external_id="acme-42")
        >>> acme.phase = "Churning"
        >>> acme.revert()
        >>> acme.changes()
        {}
        """
        if self._state is not None:
            with self._guard():
                tracking.revert(self, self._state)
                self._touched()

    def full_clean(self) -> None:
        """Check everything that ``save()`` would check, and for a new object what it needs; nothing is sent.

        Custom keys are held against the tenant's definitions by ``save()`` alone.

        :raises ValidationError: with all complaints at once, by field.

        >>> from planhat_orm.models import Company
        >>> Company(phase="Live").full_clean()
        Traceback (most recent call last):
        planhat_orm.errors.ValidationError: Company is not valid: name: is required to create a Company
        """
        tracking.body_of(self, tracking.pending(self))

    # Writing

    def save(self, *, force: bool = False) -> Outcome:
        """Send what changed: PUT /{path}/{id} for a saved object, POST /{path} for a new one; nothing, if nothing did.

        Keys in ``custom`` that the record does not carry yet are looked up among the tenant's definitions first, which
        are read once for each session (``Session(check_custom=...)``). Planhat's answer refreshes the object. Returns
        the Outcome: its ``status`` is "created", "updated" or "unchanged", its ``change.after`` what was sent.

        :param force: overwrite what moved at Planhat since it was read; create again what may have been created.
        :raises ValidationError: before anything is written, with all complaints by field.
        :raises StaleObjectError: Planhat's value of a changed field moved, and ``force`` is not set.
        :raises ObjectDeleted: the object was deleted.
        :raises NotSupported: Planhat does not offer it; the message says what to do instead.
        :raises AmbiguousWrite: nobody knows what became of a create, now or, unless ``force`` is set, at a save before.

        Source: https://www.planhat.com/developers/api/introduction

        >>> acme = Company.objects.get(external_id="acme-42")
        >>> acme.custom["Tier"] = "Gold"
        >>> acme.save().change.after
        {'custom': {'Tier': 'Gold'}}
        """
        self._meta.require("create" if self._raw.get("_id") is None else "update")
        session = self._session()
        # One save of a record at a time: of two, the second one finds what the first one left to be sent.
        with session.identity_map.flight("save", self._meta.records, self._raw.get("_id", id(self))):
            self._refuse_deleted("saved")
            missing.verify(self)
            change, sent = self._prepared(session, force=force)
            if not change.after and change.key is not None:
                session.identity_map.release(self)
                return Outcome(change, "unchanged")
            definitions.settle(session, type(self), [(tracking.stored_custom(self._raw), change.after or {})])
            outcome = self._sent(session, change) if change.key is None else session.writer.write_one(change)
            if outcome.status == "not_found":
                self._gone(session)
                raise ObjectDeleted(
                    f"{self!r} cannot be saved: Planhat has no such record (any more)"
                ) from outcome.error
            with session.identity_map.lock:
                self._written(session, outcome, sent)
        return outcome

    def _prepared(self, session: Session, *, force: bool) -> tuple[Change, dict[str, Any]]:
        """Return what a save is to send, and the same as Python values."""
        for value in list(self._state.values.values()) if self._state is not None else ():
            if isinstance(value, Model):
                value._belongs(session, self)
        with session.identity_map.lock:
            if not force and (moved := self.conflicts()):
                raise StaleObjectError(
                    f"{self!r} was changed at Planhat since it was read: {', '.join(moved)}; "
                    "look at conflicts(), then save(force=True) to overwrite or revert() to take Planhat's values",
                    conflicts=moved,
                )
            found = tracking.pending(self)
            body = tracking.body_of(self, found)
            if self._state is not None and self._state.unanswered and not force:
                raise AmbiguousWrite(
                    f"{self!r}: a create of it was sent before and nobody knows what became of it, so it may exist; "
                    "look for it at Planhat. If it is not there, save(force=True) creates it",
                    sent=body,
                )
            change = Change(type(self), self._raw.get("_id"), tracking.before(self, body), body)
            return change, tracking.sent_of(self, found)

    def _sent(self, session: Session, change: Change) -> Outcome:
        """Send a create, and remember it until its outcome is certain: what ends it early may come too late."""
        state = self._ensure_state()
        state.unanswered = True
        try:
            return session.writer.write_one(change)
        except PlanhatError as error:
            state.unanswered = isinstance(error, AmbiguousWrite) or may_have_run(error)
            raise

    def _belongs(self, session: Session, other: Model) -> None:
        """Refuse a link from an object that another session saves."""
        mine = self._joined()
        if mine is not None and mine is not session:
            raise FieldError(f"{other!r} and {self!r} belong to different sessions and cannot be linked")

    def _written(self, session: Session, outcome: Outcome, sent: dict[str, Any]) -> None:
        unknown: frozenset[str] = frozenset()
        pointed = held.linked(self)
        if outcome.row is None:
            row, unknown = tracking.echo(self, outcome.change.after or {})
            loaded = self._origin.loaded if self._origin is not None else frozenset({"_id"})
        else:
            # Some properties only a get shows, so that their absence here tells nothing.
            [row] = renamed(self._meta, [outcome.row])
            dropped.tell_dropped(session, self, self._meta.as_read(outcome.change.after or {}), row)
            loaded = self._meta.listed_keys | (row.keys() & self._meta.keys)
        state = self._ensure_state()
        earlier, state.written = state.written, 0
        origin = Origin(session, loaded, outcome.number)
        self._merge(row, origin, sent)
        tracking.forget(self, unknown)
        state.written, state.unanswered = max(earlier, outcome.number), False
        missing.held_after_all(session, type(self), self._raw)
        for path in tracking.paths_of(self, sent):
            state.moved.pop(path, None)
        session.identity_map.saved(self, origin, dirty=bool(tracking.pending(self)))
        held.outdate_around(session, self, pointed | held.linked(self))

    def delete(self) -> Outcome:
        """Delete the record: DELETE /{path}/{id}, one request. The object can still be read afterwards, not saved.

        :raises ObjectDeleted: it was deleted already, or never saved.
        :raises NotSupported: Planhat does not offer it; the message says what to do instead.
        :raises ObjectDoesNotExist: Planhat has no such record (any more).

        >>> Company.objects.get(external_id="acme-42").delete().status
        'deleted'
        """
        self._meta.require("delete")
        self._refuse_deleted("deleted")
        session, key = self._session(), self._raw.get("_id")
        if key is None:
            raise ObjectDeleted(f"{self!r} was never saved, so there is nothing to delete")
        outcome = session.writer.write_one(Change(type(self), key, plain_copy(self._raw), None))
        self._gone(session)
        if outcome.status == "not_found":
            raise self.DoesNotExist(f"{self!r} does not exist at Planhat (any more)") from outcome.error
        return outcome

    def _gone(self, session: Session) -> None:
        self._mark_deleted()
        session.identity_map.discard(self)
        held.outdate_around(session, self, held.linked(self))

    def _mark_deleted(self) -> None:
        self._ensure_state().deleted = True

    def _refuse_deleted(self, what: str) -> None:
        if self._state is not None and self._state.deleted:
            raise ObjectDeleted(f"{self!r} was deleted and cannot be {what}")

    def refresh_from_db(self) -> None:
        """Read the record again: GET /{path}/{id}, one request. Changes that were not saved are kept.

        :raises ObjectDoesNotExist: it was never saved, or Planhat has no such record any more.
        :raises NotSupported: Planhat does not offer it; the message says what to do instead.

        >>> Company.objects.get(external_id="acme-42").refresh_from_db()
        """
        self._meta.require("get")
        if self._raw.get("_id") is None:
            raise self.DoesNotExist(f"{self!r} was never saved, so there is nothing to read")
        try:
            missing.refresh(self)
        except self.DoesNotExist:
            self._gone(self._session())
            raise
        held.let_go(self)

    # Ways out

    def to_dict(self) -> dict[str, Any]:
        """Return the loaded values by Python name: foreign keys as ids, ``custom`` as a plain dict. Sends nothing.

        A stored value that cannot be read as its field's type is given as it is stored.

        >>> from planhat_orm.models import Company
        >>> Company(name="Acme").to_dict()["name"]
        'Acme'
        """
        return dict(field.export(self) for field in self._meta.fields if self._holds(field.data_key))

    @classmethod
    def ref(cls, *unnamed: Never, external_id: str | None = None, source_id: str | None = None) -> Ref[Self]:
        """Return a reference by your own key, which costs no request and is sent as "extid-..." or "srcid-...".

        :raises NotSupported: where Planhat is not documented to take one.

        >>> from planhat_orm.models import Company
        >>> str(Company.ref(external_id="acme-42"))
        'extid-acme-42'
        """
        return make_ref(cls, {"external_id": external_id, "source_id": source_id}, unnamed)


# Hydrating a page goes past __setattr__, which is there for people's typing slips.
_set_raw, _set_origin, _set_state = (vars(Holder)[slot].__set__ for slot in ("_raw", "_origin", "_state"))

#: Names that a field may not take, because Model uses them itself.
RESERVED |= {name for name in vars(Model) if not name.startswith("__") and name != "id"}
