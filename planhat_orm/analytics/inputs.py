"""What may be sent to the analytics host: the values of a metric point or an event, checked and brought into shape.

Descriptions and pure functions; nothing is sent here. Imports the errors and the ORM's conversion. It does not promise
that Planhat knows the record that a key names: that is found out by Planhat later, and not told.
"""

from __future__ import annotations

import datetime
import json
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import marshmallow

from planhat_orm.errors import ValidationError, suggestion
from planhat_orm.orm import conversion
from planhat_orm.orm.model import Model
from planhat_orm.orm.options import registry
from planhat_orm.orm.refs import Ref
from planhat_orm.session.session import Session
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    from planhat_orm.orm.evidence import Evidence

Body = dict[str, Any]
#: What is said of a name that is none.
UNKNOWN = "is not known here"
#: Replaces the objects among the values of a row by their keys; adds to the complaints what cannot be.
Unfold = Callable[[dict[str, Any], Session], dict[str, Any]]


class Key(conversion.Text):
    """A key of yours: text that is not blank. A number is refused, since 42.0 is no key of anybody's."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise marshmallow.ValidationError(f"keys are text (str), not {conversion.kind(value)} {value!r}")
        if not value.strip():
            raise marshmallow.ValidationError("is blank")
        return value


class Figure(conversion.Number):
    """A number of any kind: those of numpy and of databases (Decimal) are sent as the float or int that they equal."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if isinstance(value, (Decimal, numbers.Real)) and not isinstance(value, (int, float)):
            value = int(value) if isinstance(value, numbers.Integral) else float(value)
        return super()._serialize(value, attr, obj, **kwargs)


class PlanhatId(conversion.Text):
    """An id that Planhat gave."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        if not is_object_id(value):
            raise marshmallow.ValidationError(
                f"must be a Planhat id (24 hexadecimal digits), not {conversion.shown(value)}"
            )
        return value


class Moment(conversion.Instant):
    """A point in time, or a day, which is sent as its UTC midnight."""

    def _serialize(self, value: Any, attr: Any, obj: Any, zone: datetime.tzinfo | None = None, **kwargs: Any) -> Any:
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return conversion.wire_day(value)
        if not isinstance(value, datetime.datetime):
            raise marshmallow.ValidationError(
                f"must be a date or a datetime with a time zone, not {conversion.kind(value)} {conversion.shown(value)}"
            )
        return conversion.wire_instant(value, zone)


class Info(conversion.Map):
    """A mapping of texts to whatever JSON can hold."""

    def encode(self, value: Any, zone: datetime.tzinfo | None = None) -> Any:
        if not isinstance(value, Mapping):
            raise marshmallow.ValidationError(f"must be a mapping, not {conversion.kind(value)}")
        return super().encode(value, zone)


@dataclass(frozen=True, slots=True)
class Input:
    """One value that may be sent.

    :param name: its Python name, in rows and as a keyword.
    :param data_key: Planhat's name of it.
    :param converter: checks it and writes it as Planhat takes it.
    :param python_type: what Python users are told the type is.
    :param required: nothing is sent without it.
    :param bulk_keys: Planhat's names of it in the call that takes many, where they differ.
    :param help: one phrase on what it means.
    :param evidence: who says so.

    >>> Input("value", "value", conversion.Number(), "float", required=True).data_key
    'value'
    """

    name: str
    data_key: str
    converter: conversion.Tolerant = field(repr=False)
    python_type: str
    required: bool = False
    bulk_keys: tuple[str, ...] = ()
    help: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What one thing to be sent may hold.

    :param model: what it is called in messages.
    :param inputs: its values.
    :param objects: names under which an object stands for keys of it.
    :param unfold: puts the keys in the place of the objects; None where no object is taken.
    :param one_of: names of which one at least is needed.
    """

    model: str
    inputs: tuple[Input, ...]
    objects: tuple[str, ...] = ()
    unfold: Unfold | None = field(default=None, repr=False)
    one_of: tuple[str, ...] = ()

    def body(self, values: Mapping[str, Any], session: Session, *, bulk: bool) -> Body:
        """Return what is sent for these values, in Planhat's names; None stands for a value that is not given.

        :raises ValidationError: with all complaints, by name.
        """
        given = {name: value for name, value in values.items() if value is not None}
        known = {one.name: one for one in self.inputs}
        odd = [name for name in given if name not in known and name not in self.objects]
        problems: dict[str, list[str]] = {str(name): [self._unknown(name)] for name in odd}
        try:
            unfolded = self.unfold(given, session) if self.unfold is not None else given
        except ValidationError as error:
            problems |= error.messages_dict
            unfolded = given
        body: Body = {}
        for name, one in known.items():
            if name not in unfolded:
                if one.required:
                    problems.setdefault(name, ["is required"])
                continue
            try:
                sent = encoded(one.converter, unfolded[name], session.timezone)
            except marshmallow.ValidationError as problem:
                problems[name] = [str(text) for text in problem.messages]
                continue
            body |= dict.fromkeys(one.bulk_keys if bulk and one.bulk_keys else (one.data_key,), sent)
        if self.one_of and not any(name in unfolded for name in self.one_of) and not problems:
            problems[self.one_of[0]] = [f"one of {', '.join((*self.one_of, *self.objects[:1]))} is required"]
        if problems:
            raise ValidationError(problems if bulk else self.with_names(problems), model=self.model)
        return body

    def _unknown(self, name: Any) -> str:
        names = [*(one.name for one in self.inputs), *self.objects]
        theirs = {key: one.name for one in self.inputs for key in (one.data_key, *one.bulk_keys)}
        meant = theirs.get(name)
        hint = f"; did you mean {meant!r}?" if meant else suggestion(str(name), names)
        return f"{UNKNOWN}{hint}"

    def with_names(self, problems: dict[str, Any]) -> dict[str, Any]:
        """Add the names that are known, once, where one of the complaints needs them."""
        if UNKNOWN not in _texts(problems):
            return problems
        return {**problems, "known": [", ".join((*(one.name for one in self.inputs), *self.objects))]}


def _texts(problems: Any) -> Iterator[str]:
    """Yield the complaints among complaints of any depth."""
    if isinstance(problems, str):
        yield problems
    else:
        for one in problems.values() if isinstance(problems, Mapping) else problems:
            yield from _texts(one)


def encoded(converter: conversion.Tolerant, value: Any, zone: datetime.tzinfo | None) -> Any:
    """Return what is sent for a value; raises marshmallow's ValidationError.

    >>> encoded(Moment(), datetime.date(2026, 1, 31), None)
    '2026-01-31T00:00:00.000Z'
    """
    if is_nan(value):
        raise marshmallow.ValidationError(f"is {value!r}, an empty cell: leave such a row or value out")
    sent = converter.encode(value, zone)
    try:
        json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise marshmallow.ValidationError("holds half a surrogate pair, which cannot be sent") from None
    return sent


def is_nan(value: Any) -> bool:
    """Tell whether a value is the "nothing" of data frames: NaN or NaT, which do not equal themselves.

    >>> is_nan(float("nan")), is_nan(0.0), is_nan("nan")
    (True, False, False)
    """
    return isinstance(value, (float, datetime.date)) and bool(value != value)  # NaN is all that does


def session_for(session: Session | None, values: Iterable[Any]) -> Session:
    """Return the session that is named, else that of the first object which has one, else the current one.

    >>> session_for(session, []) is session
    True
    """
    joined = (value._joined() for value in values if isinstance(value, Model))
    return session or next((one for one in joined if one is not None), None) or Session.current()


def classes_of(paths: Iterable[str]) -> list[str]:
    """Return the names of the classes over these collections, in their order.

    >>> classes_of(["companies", "endusers"])
    ['Company', 'Enduser']
    """
    found = {model._meta.path: name for name, model in reversed(list(registry.items()))}
    return [found.get(path, path) for path in paths]


def key_of(value: Any, name: str, paths: Mapping[str, str], session: Session) -> tuple[str, str]:
    """Return Planhat's name of the model of an object, and its external id.

    :param value: a loaded object, or a reference by external id.
    :param name: the name under which it was given.
    :param paths: the collections that it may be of, with Planhat's names of their models.
    :raises ValidationError: for anything else, for an object of another session, and for one without external id.
    """
    model = value.model if isinstance(value, Ref) else type(value)
    title = paths.get(model._meta.path) if isinstance(value, (Ref, Model)) else None
    if title is None:
        wanted = classes_of(paths)
        text = value if isinstance(value, str) and value.strip() else "..."
        raise ValidationError(
            {
                name: [
                    f"must be {' or '.join(map(conversion.an, wanted))}, or a reference to one, not "
                    f"{conversion.shown(value)}: write {wanted[0]}.ref(external_id={text!r})"
                ]
            }
        )
    if isinstance(value, Ref):
        if value.kind != "external_id":
            raise ValidationError({name: ["Planhat finds it by external id only, not by source id"]})
        return title, value.key
    if value._joined() not in (None, session):
        raise ValidationError({name: [f"{value!r} belongs to another session"]})
    key = getattr(value, "external_id", None)
    if not isinstance(key, str) or not key.strip():
        raise ValidationError({name: [f"{value!r} has no external id, by which Planhat would find it"]})
    return title, key
