"""What a tenant's definitions say of custom values: names, types and options, checked before a write.

The definitions are the records of the CustomField class, found in the registry by name as relations find theirs, and
read once for each session. Imports errors and conversion. It does not promise that the API would refuse what is
refused here: it stores any key and any value, and shows nowhere what no definition is for.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import marshmallow

from planhat_orm.errors import DecodeError, Forbidden, NotFound, ValidationError, suggestion
from planhat_orm.orm import conversion
from planhat_orm.orm.options import registry
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

_log = logging.getLogger("planhat_orm.orm")


class Person(conversion.Text):
    """The id of one record: a team member, an enduser."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        key = value if isinstance(value, str) else getattr(value, "id", None)
        if not is_object_id(key):
            raise marshmallow.ValidationError(f"must be a Planhat id or a saved object, not {conversion.shown(value)}")
        return key


class People(conversion.TextList):
    """The ids of several records."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise marshmallow.ValidationError(f"must be a list of Planhat ids, not {conversion.shown(value)}")
        return [Person().encode(item) for item in value]


class Moment(conversion.Instant):
    """What the type "date" holds: a timestamp. A date stands for its UTC midnight; texts are taken as they are."""

    def _serialize(self, value: Any, attr: Any, obj: Any, zone: tzinfo | None = None, **kwargs: Any) -> Any:
        if isinstance(value, datetime):
            return conversion.wire_instant(value, zone)
        if isinstance(value, date):
            return conversion.wire_day(value)
        if not is_timestamp(value):
            raise marshmallow.ValidationError(f"must be a date or a datetime, not {conversion.shown(value)}")
        return str(value)


class DayCount(conversion.DayNumber):
    """What the type "day" holds: a number of days. A date, a timestamp of one and the number itself are taken."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if is_timestamp(value):
            value = conversion.calendar_day(value)
        if isinstance(value, datetime) or not isinstance(value, date):
            raise marshmallow.ValidationError(
                f"must be a date, or the number of days since 1970-01-01, not {conversion.shown(value)}"
            )
        return self.wire(value)


def is_timestamp(value: Any) -> bool:
    """Tell whether a value is a text that says a point in time."""
    try:
        return isinstance(value, str) and conversion.instant(value) is not None
    except marshmallow.ValidationError:
        return False


#: What converts the values of each documented type (https://www.planhat.com/developers/api/custom-field).
CONVERTERS: dict[str, type[conversion.Tolerant]] = {
    "number": conversion.Number,
    "text": conversion.Text,
    "rich text": conversion.Text,
    "checkbox": conversion.Boolean,
    "day": DayCount,
    "date": Moment,
    "list": conversion.Text,
    "multipicklist": conversion.TextList,
    "team member": Person,
    "team members": People,
    "rating": conversion.Number,
    "phone": conversion.Text,
    "email": conversion.Text,
    "enduser": Person,
    "endusers": People,
    "url": conversion.Text,
}


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition, as far as it can be read: an odd one refuses nothing."""

    name: str
    type: str
    options: tuple[str, ...] = ()
    computed: bool = False

    @classmethod
    def of(cls, record: Any) -> Definition:
        """Make one of a CustomField."""
        found = {one: record._meta.field(one).present(record) for one in ("name", "type", "list_values", "is_formula")}
        options = found["list_values"] if isinstance(found["list_values"], list) else []
        texts = tuple(option for option in options if isinstance(option, str))
        return cls(str(found["name"] or ""), str(found["type"] or "").lower(), texts, found["is_formula"] is True)

    @property
    def converter(self) -> conversion.Tolerant:
        """What converts its values; anything passes where the type is not a documented one."""
        return CONVERTERS.get(self.type, conversion.Json)()

    def to_python(self, value: Any) -> Any:
        """Read a stored value by the type.

        :raises DecodeError: for one that cannot be read so.

        >>> Definition("Won", "checkbox").to_python("true")
        True
        """
        try:
            return self.converter.deserialize(value)
        except marshmallow.ValidationError as problem:
            raise DecodeError(
                f"custom {self.name!r} ({self.type}) holds {conversion.shown(value)}, {problem.messages[0]}"
            ) from None

    def to_planhat(self, value: Any, zone: tzinfo | None = None) -> Any:
        """Check a value by type and options; return what is sent for it.

        :raises ValidationError: for one that may not be sent.

        >>> Definition("Tier", "list", ("Gold", "Silver")).to_planhat("Gold")
        'Gold'
        """
        try:
            return self.encoded(value, zone)
        except marshmallow.ValidationError as problem:
            raise ValidationError({f"custom.{self.name}": problem.messages}) from None

    def encoded(self, value: Any, zone: tzinfo | None = None, *, stored: Any = None) -> Any:
        """Return what is sent for a value; raises marshmallow's ValidationError.

        :param stored: what the record holds: of several options, one of its own that was retired may stay.
        """
        if self.computed:
            raise marshmallow.ValidationError("is computed by Planhat from a formula and cannot be written")
        wire = self.converter.encode(value, zone)
        if self.options and self.type in ("list", "multipicklist"):
            kept = stored if isinstance(stored, list) else ()
            for option in [wire] if isinstance(wire, str) else wire or ():
                if option not in self.options and option not in kept:
                    raise marshmallow.ValidationError(
                        f"{option!r} is not among its options{suggestion(option, self.options)}"
                        f"{'' if suggestion(option, self.options) else ': ' + shown_options(self.options)}"
                    )
        return wire


def shown_options(options: Sequence[str]) -> str:
    """Write options for a message; of many, the first ones."""
    more = f" and {len(options) - 10} more" if len(options) > 10 else ""
    return ", ".join(repr(option) for option in options[:10]) + more


# Which definitions are those of which class


def folded(parent: str) -> str:
    """Return a parent's name without what may be spelt in several ways: letter case, spaces, signs.

    >>> folded("Time Entry") == folded("timeentry")
    True
    """
    return re.sub(r"[\W_]", "", parent).casefold()


def parent_of(model: type[Model]) -> str:
    """Return what definitions call a model: that of Planhat's own, which a class of the tenant derives from.

    >>> from planhat_orm.models import Company
    >>> parent_of(type("Account", (Company,), {}))
    'company'
    """
    above = [base for base in reversed(model.__mro__) if registry.get(base.__name__) is base]
    return (above[0] if above else model).__name__.lower()


def model_of(parent: str) -> type[Model] | None:
    """Return the class whose records have the fields of a parent; None where there is none.

    >>> model_of("EndUser").__name__
    'Enduser'
    """
    wanted = folded(parent)
    classes = (model for model in registry.values() if folded(parent_of(model)) == wanted)
    # Classes of the tenant's own come after those that they derive from.
    return min(classes, key=lambda model: len(model.__mro__), default=None)


@dataclass(frozen=True, slots=True)
class Reading:
    """A model's definitions by name; ``fresh`` when they were read just now, ``known`` None when they cannot be.

    ``recent``: read so lately that they are not read again yet.
    """

    known: dict[str, Definition] | None
    fresh: bool
    recent: bool


#: Classes of whose custom keys each session said that nothing can check them; CustomField, if it is those of none.
_unchecked: WeakKeyDictionary[Session, set[type]] = WeakKeyDictionary()


#: When each session read the definitions, in seconds of ``clock``.
_read_at: WeakKeyDictionary[Session, float] = WeakKeyDictionary()
#: Seconds for which definitions are not doubted: refused writes, one after another, shall not read them each time.
TRUSTED_SECONDS = 60.0
#: For tests.
clock = time.monotonic


class _NotRead(Exception):
    """The definitions were not read yet."""


def are_read(session: Session) -> bool:
    """Tell whether a session has read the definitions, so that checking by them costs nothing."""

    def load() -> list[Any]:
        raise _NotRead

    try:
        session.table(registry["CustomField"], load)
    except _NotRead:
        return False
    return True


def unchecked_in(session: Session) -> set[type]:
    """Return the classes of which a session said so."""
    return _unchecked.setdefault(session, set())


def definitions_of(session: Session, model: type[Model], *, fresh: bool = False) -> Reading:
    """Return a model's definitions: one request for each 2,000 of the tenant, once for each session.

    Where the token may not read them (403), or Planhat has no such list (404), nothing can be checked; a WARNING says
    so once.

    :param fresh: read them again.
    """
    target = registry["CustomField"]
    read: list[bool] = []

    def load() -> list[Any]:
        read.append(True)
        _read_at[session] = clock()
        try:
            return list(target.objects.using(session).all())
        except (Forbidden, NotFound) as problem:
            if target not in unchecked_in(session):
                unchecked_in(session).add(target)
                _log.warning("custom keys are not checked: the definitions cannot be read (%s)", problem)
            return []

    records = session.table(target, load, fresh=fresh)
    if target in unchecked_in(session):
        return Reading(None, bool(read), recent=True)
    recent = clock() - _read_at.get(session, -TRUSTED_SECONDS) < TRUSTED_SECONDS
    wanted = folded(parent_of(model))
    own = [one for one in records if folded(str(one._raw.get("parent") or "")) == wanted and not deleted(one)]
    return Reading({found.name: found for found in map(Definition.of, own)}, bool(read), recent)


def deleted(record: Model) -> bool:
    """Tell whether a record was deleted since it was read."""
    return record._state is not None and record._state.deleted


# The check


@dataclass(slots=True)
class Check:
    """The custom values of some writes to one model, held against its definitions.

    A reading of the definitions that is older than a minute is never the reason to refuse: they are read again then,
    since somebody may have added the field or the option meanwhile.
    """

    session: Session
    model: type[Model]
    reading: Reading | None = None
    #: Complaints by the place of the write, then by field.
    problems: dict[int, dict[str, list[str]]] = field(default_factory=dict)

    def known(self, *, fresh: bool = False) -> dict[str, Definition]:
        """Return the definitions; none where nothing can be checked by them."""
        if self.reading is None or fresh:
            self.reading = definitions_of(self.session, self.model, fresh=fresh)
            if self.reading.known == {}:
                self.warn_of_none()
        return self.reading.known or {}

    def warn_of_none(self) -> None:
        """Say, once for each session and model, that there is nothing to check by."""
        parent = parent_of(self.model)
        if self.model not in unchecked_in(self.session):
            unchecked_in(self.session).add(self.model)
            _log.warning(
                "custom keys of %s are not checked: the tenant has no custom field whose parent is %r. Planhat stores "
                "a key without a definition and shows it nowhere; CustomField.objects.create(name=..., parent=%r, "
                "type=...) makes one",
                self.model.__name__,
                parent,
                parent,
            )

    def settle(self, place: int, stored: Mapping[str, Any], custom: dict[str, Any], *, every: bool) -> None:
        """Check what one write holds and bring its days into the form of their fields, in place."""
        free = every or self.reading is not None or are_read(self.session)
        wanted = [key for key, value in custom.items() if needs_definition(key, value, stored, free=free)]
        if not wanted or not (known := self.known()):
            return
        complaints = self.complaints(wanted, stored, custom, known, every=every)
        if complaints and self.reading is not None and not self.reading.fresh:
            if self.reading.recent:
                complaints = {name: [f"{text} {RECENT}" for text in texts] for name, texts in complaints.items()}
            else:
                known = self.known(fresh=True)
                complaints = self.complaints(wanted, stored, custom, known, every=every) if known else {}
        if complaints:
            self.problems[place] = complaints

    def complaints(
        self,
        wanted: Iterable[str],
        stored: Mapping[str, Any],
        custom: dict[str, Any],
        known: Mapping[str, Definition],
        *,
        every: bool,
    ) -> dict[str, list[str]]:
        """Return what is wrong by field; what is right is put into its form.

        :param every: a key without a definition is wrong also where the record carries it.
        """
        found: dict[str, list[str]] = {}
        for key in wanted:
            if key not in known:
                if every or key not in stored:
                    found[f"custom.{key}"] = [self.unknown(key, known)]
                continue
            value = custom[key]
            if known[key].type == "date" and kind_of(value) == kind_of(stored.get(key)) == "number":
                value = moment_of(value)  # a date, in the form of the number that it replaces
            try:
                custom[key] = known[key].encoded(value, stored=stored.get(key)) if value not in (None, []) else value
            except marshmallow.ValidationError as problem:
                found[f"custom.{key}"] = [str(text) for text in problem.messages]
        return found

    def unknown(self, key: str, known: Mapping[str, Definition]) -> str:
        """Say that no definition has this name."""
        meant = suggestion(key, known)
        make = "" if meant else "; CustomField.objects.create() makes one"
        return (
            f"the tenant has no custom field {key!r} of {self.model.__name__}{meant}{make} (Planhat would store it and "
            "show it nowhere)"
        )


#: What is added to a complaint by definitions that are not read again yet.
RECENT = (
    f"(the definitions, read less than {TRUSTED_SECONDS:.0f} s ago, are not read again yet; "
    "session.forget(CustomField) has them read)"
)
#: A day number beyond this one is none: it would be after the year 2242.
_LAST_DAY = 100_000


def needs_definition(key: str, value: Any, stored: Mapping[str, Any], *, free: bool) -> bool:
    """Tell whether a key has to be looked up.

    It has to where the record does not carry it, where the new value is of another JSON type than the stored one, and
    where a day is set and none is stored. What is cleared needs no definition: what none is for must be got rid of.

    :param free: all have to be that are not cleared, since looking them up costs nothing, or is wanted.
    """
    if key not in stored:
        return True
    if value in (None, []):
        return False
    if stored[key] is None:
        return free or isinstance(value, conversion.DayText)
    return free or kind_of(value) != kind_of(stored[key])


def kind_of(value: Any) -> str:
    """Return the JSON type of a value.

    >>> kind_of(3), kind_of(True), kind_of("3"), kind_of(None)
    ('number', 'bool', 'str', 'NoneType')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "str" if isinstance(value, str) else type(value).__name__
    return "number"


def moment_of(number: Any) -> Any:
    """Return a number of days as the timestamp of its day; anything else as it is."""
    if not isinstance(number, int) or not 0 <= number <= _LAST_DAY:
        return number
    return conversion.wire_day(date(1970, 1, 1) + timedelta(days=number))


def settle(session: Session, model: type[Model], writes: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
    """Check the custom values that are about to be written, by ``Session(check_custom=...)``, before any of them is.

    :param writes: for each write what its record holds in ``custom`` already, and the body that is to be sent, whose
        days are brought into the form of their fields, in place.
    :raises ValidationError: with every complaint; of several writes, under "item 1", "item 2" and so on.
    :raises PlanhatError: when the definitions could not be read for another reason than that they may not be.
    """
    if model is registry.get("CustomField"):
        session.forget(model)  # what is about to be written is not among those that were read
    if session.check_custom == "never" or session.read_only:
        return
    check, count = Check(session, model), 0
    for place, (stored, body) in enumerate(writes):
        count += 1
        if isinstance(custom := body.get("custom"), dict) and custom:
            check.settle(place, stored, custom, every=session.check_custom == "always")
    if check.problems:
        if count == 1:
            raise ValidationError(check.problems[0], model=model.__name__)
        named = {f"item {place + 1}": complaints for place, complaints in check.problems.items()}
        raise ValidationError(named, model=model.__name__)
