"""Pushing rows to the analytics host: rows are checked, cut into chunks, and written by the Writer.

Knows neither metrics nor events: a Form says what a row may hold. Imports the session and this package's inputs. It
does not promise that what Planhat received will be stored: the analytics host only acknowledges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.analytics.delivering import deliver
from planhat_orm.analytics.inputs import session_for
from planhat_orm.errors import BulkError, InvalidQuery, ValidationError
from planhat_orm.orm.model import Model
from planhat_orm.session.changes import Ledger, Outcome
from planhat_orm.session.chunking import MAX_BYTES, chunked
from planhat_orm.wire.messages import encode_json

if TYPE_CHECKING:
    from planhat_orm.analytics.delivering import Delivery
    from planhat_orm.analytics.inputs import Body, Form
    from planhat_orm.session.session import Session

OnError = Literal["raise", "collect"]

#: Most items of one request. The documented limit is one of size, of about 150,000 items
#: (https://docs.planhat.com); Airbyte's connector sends 10,000. A lost answer leaves no more than these in doubt.
MAX_ITEMS = 10_000
#: How many rows with a fault are named in one error.
MOST_NAMED = 20


def push(
    form: Form, rows: Any, delivery: Delivery, *, given: Mapping[str, Any], session: Session | None, on_error: OnError
) -> Ledger:
    """Send rows in chunks and return what became of each.

    A list is checked whole before anything is sent; of a generator, each chunk is before it is sent.

    :param delivery: what the rows are and where they go.
    :param given: values of the rows that do not name them.
    :raises ValidationError: for rows that may not be sent, by place; nothing was sent.
    :raises BulkError: when not everything was acknowledged, or rows of a later chunk are refused; its ``result`` is
        the ledger. With ``on_error="collect"`` only the latter.
    """
    if on_error not in ("raise", "collect"):
        raise InvalidQuery(f"on_error= is 'raise' or 'collect', not {on_error!r}")
    found = rows_of(rows, form.model)
    session = session_for(session, _objects(form, found))
    session.require_tenant_token(f"{form.model}.push()")
    bodies = checked(form, found, given, session)
    pieces: Iterable[list[Body]] = chunked(
        bodies, lambda body: len(encode_json(body)), too_large, most=MAX_ITEMS, largest=MAX_BYTES
    )
    ledger = Ledger()
    try:
        if isinstance(found, Sequence):
            pieces = list(pieces)
        deliver(session.writer, pieces, delivery, ledger)
    except ValidationError as error:
        if not len(ledger):
            raise
        raise BulkError(
            f"{form.model}.push() stopped: {error}. Of the rows before, {ledger.summary()}; nothing after was sent",
            result=ledger,
        ) from error
    except BaseException as error:
        # The ledger goes no further than here: an interrupt, or an error of the caller's generator.
        if len(ledger):
            error.add_note(f"{form.model}.push() had done this before: {ledger.summary()}")
        raise
    if on_error == "raise" and not ledger.ok:
        cause = next((outcome.error for outcome in ledger if outcome.error is not None), None)
        read = "" if isinstance(found, Sequence) else f"; the rows were read up to rows[{len(ledger) - 1}]"
        raise BulkError(f"{form.model}.push(): {ledger.summary()}\n{advice(ledger)}{read}", result=ledger) from cause
    return ledger


def advice(ledger: Ledger) -> str:
    """Say what may be done about what was not acknowledged.

    >>> advice(Ledger())
    '.result has the outcome of each'
    """
    text = ".result has the outcome of each"
    if ledger.unknown:
        text += "; what is unknown may have been received: look at Planhat before you push it again, or it counts twice"
    if ledger.not_sent:
        text += f"; rows[{ledger.not_sent[0].change.place}:] were not sent and can be pushed again"
    return text


def rows_of(rows: Any, model: str) -> Iterable[Any]:
    """Return rows as an iterable: a data frame gives its rows as dicts, a single dict is one row.

    >>> rows_of({"value": 1}, "Metric")
    [{'value': 1}]
    """
    if isinstance(rows, Mapping):
        return [rows]
    if isinstance(rows, (type, Model)):
        raise InvalidQuery(f"{model}.push() takes rows (a list of dicts, or a data frame), not {rows!r}")
    # Data frames by what they can do, so that none of their packages is needed here: polars has to_dicts.
    if callable(getattr(rows, "to_dicts", None)):
        return list(rows.to_dicts())
    if callable(getattr(rows, "to_dict", None)):
        return list(rows.to_dict("records"))
    if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
        raise InvalidQuery(f"{model}.push() takes rows (a list of dicts, or a data frame), not {type(rows).__name__}")
    return rows


def push_one(body: Body, delivery: Delivery, session: Session) -> Outcome:
    """Send one item and return its outcome.

    :raises PlanhatError: whatever kept it from being acknowledged.
    """
    ledger = Ledger()
    deliver(session.writer, [[body]], delivery, ledger)
    [outcome] = ledger
    if outcome.error is not None:
        raise outcome.error
    return outcome


def checked(form: Form, rows: Iterable[Any], given: Mapping[str, Any], session: Session) -> Iterator[Body]:
    """Yield what is sent for each row, a chunk's worth of them checked at a time.

    :raises ValidationError: naming the rows that may not be sent.
    """
    bodies: list[Body] = []
    problems: dict[str, Any] = {}
    whole = isinstance(rows, Sequence)
    wrong = 0
    for place, row in enumerate(rows):
        try:
            if not isinstance(row, Mapping):
                raise ValidationError(f"is no dict but {type(row).__name__}")
            bodies.append(form.body({**given, **_said(row)}, session, bulk=True))
        except ValidationError as error:
            wrong += 1
            if wrong <= MOST_NAMED:
                problems[f"rows[{place}]"] = error.messages
        if not whole and (place + 1) % MAX_ITEMS == 0:
            refuse(form, problems, wrong)
            yield from bodies
            bodies = []
    refuse(form, problems, wrong)
    yield from bodies


def _objects(form: Form, rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the objects in rows that can be looked at without being used up."""
    for row in rows if isinstance(rows, Sequence) else ():
        if isinstance(row, Mapping):
            yield from (row[name] for name in form.objects if name in row)


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row names; None, as in a column with gaps, names nothing."""
    return {name: value for name, value in row.items() if value is not None}


def refuse(form: Form, problems: dict[str, Any], wrong: int) -> None:
    """Raise when there are rows that may not be sent."""
    problems = form.with_names(problems)
    if wrong > MOST_NAMED:
        problems["and"] = [f"{wrong - MOST_NAMED:,} rows more"]
    if problems:
        raise ValidationError(problems, model=f"{form.model}.push()")


def too_large(place: int, body: Body, size: int) -> ValidationError:
    """Return the error for an item that fits into no request."""
    return ValidationError({f"rows[{place}]": [f"has {size:,} bytes, more than the {MAX_BYTES:,} of one request"]})
