"""``objects.bulk_upsert``: many objects or dictionaries to Planhat in few requests, and what became of each.

Turns the input into Changes and the outcomes into clean objects; sending and attribution are the session's. It does
not promise that all is done or nothing: Planhat has no transactions, and the ledger says what was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, Sized
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Literal

from planhat_orm.errors import BulkError, FieldError, InvalidQuery, PlanhatError, ReadOnlyError, ValidationError
from planhat_orm.orm import definitions, held, missing, tracking
from planhat_orm.orm.bulk_items import Item, Maker, match_key
from planhat_orm.orm.conversion import shown
from planhat_orm.orm.options import registry
from planhat_orm.orm.state import Origin
from planhat_orm.session.bulk import MAX_ITEMS, is_keyed, path_of
from planhat_orm.session.changes import DONE, Change, Ledger, Outcome

if TYPE_CHECKING:
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

__all__ = ["BulkMethods"]

#: How many invalid items a complaint names.
COMPLAINTS = 20
#: The statuses of what changed a record that was there, or may have.
_EXISTED = DONE - {"created"}


class BulkMethods:
    """What a queryset writes in bulk."""

    if TYPE_CHECKING:
        query: Query
        _defaults: dict[str, Any]

        def _bound(self) -> Session: ...

    def bulk_upsert(
        self,
        items: Iterable[Any],
        *,
        key: str | tuple[str, ...] | None = None,
        on_error: Literal["raise", "collect"] = "raise",
    ) -> Ledger:
        """Create or change many records: PUT /{path}, 5,000 items and 32 MB a request, one request after another.

        Each item is an object, of which its changes are sent (all that is set, if it is new), or a dictionary by field
        names: a name that is missing changes nothing, None clears, ``custom`` holds the keys to change. Planhat
        matches an item by the first key that it carries, in the order of ``Meta.match_keys`` (as a rule ``id``,
        ``source_id``, ``external_id``); one whose key matches nothing is created, and so is one without a key: run
        twice, that is created twice. An item whose only key is one that Planhat does not match by (a note's external
        id) would be, too, and is refused: ``get_or_create`` each by that key instead. Where an external id is unique
        within one company only, the company must be given. E-mails of endusers may repeat; which of several Planhat
        changes is not known.

        Everything is checked before the first request; of a generator 5,000 items at a time, and what is wrong later
        on is in the ledger. Items for one record are sent as one, later values winning. An answer that is lost: items
        with keys are sent again after 30 s (``Outcome.repeated``), items without are ``unknown``, and the rest is not
        sent; of a generator the first item that is not is in the ledger, and nothing beyond it is read. Objects are
        clean, and new ones have their ids as far as the answer tells them, which it may not of records that were
        there; what only Planhat sets, and what a dictionary changed, is loaded again when it is read.

        :param items: objects, dictionaries, or both; any iterable.
        :param key: the field to match by; items that Planhat would match by another one are refused. ``()`` has items
            created that carry a key which Planhat does not match by.
        :param on_error: "collect" returns the ledger also when not everything was done.
        :raises ValidationError: before the request, naming the items by their place, from 0, with all complaints.
        :raises BulkError: something failed, is unknown or was not sent; ``.result`` is the ledger.
        :raises NotSupported: Planhat takes no bulk upsert of it, or does not match by ``key``.
        :raises ReadOnlyError: in a read-only session.

        Source: https://www.planhat.com/developers/api/bulk-upsert

        >>> new = {"external_id": "new-1", "name": "New & Co"}
        >>> ledger = Company.objects.bulk_upsert([{"external_id": "acme-42", "phase": "Live"}, new], key="external_id")
        >>> [(outcome.status, outcome.id is not None) for outcome in ledger.created]
        [('created', True)]
        """
        model, session = self.query.model, self._bound()
        model._meta.require("bulk_upsert")
        if on_error not in ("raise", "collect"):
            raise InvalidQuery(f'bulk_upsert() takes on_error="raise" or "collect", not {shown(on_error)}')
        if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
            raise InvalidQuery(f"bulk_upsert() takes a list of objects or dictionaries, not {shown(items)}")
        if session.read_only:
            raise ReadOnlyError("bulk_upsert() was refused: this session is read-only")
        matched = match_key(model._meta, key)
        maker = Maker(model, session, key=matched, defaults=self._defaults, again=key == ())
        run = _Run(session, maker)
        ledger = run.carry_out(items)
        if on_error == "raise" and not ledger.ok:
            raise BulkError(_said(model, ledger, run.unread), result=ledger) from run.cause
        return ledger


def _said(model: type[Model], ledger: Ledger, unread: int | None) -> str:
    """Say what was not done, why, and what to do."""
    advice = ".result has the outcome of each"
    if ledger.unknown:
        advice += _advice(ledger.unknown)
    if ledger.not_sent:
        advice += "; what was not sent can be sent again"
    if unread is not None:
        advice += f"; the items were read up to items[{unread}]"
    return f"bulk upsert of {model.__name__}: {ledger.summary()}\n{advice}"


def _advice(unknown: list[Outcome]) -> str:
    """Say how to find out what became of items, and whether they may be sent again."""
    readable = sum(path_of(one.change) is not None for one in unknown)
    advice = ""
    if readable:
        price = f"{readable} request{'s' if readable > 1 else ''} at most"
        advice += f"; .result.reconcile() reads {'the' if readable == len(unknown) else readable} unknown ones back "
        advice += f"({price})"
    if readable < len(unknown):
        advice += f"; {len(unknown) - readable} hold nothing to be read back by: look for them in the list at Planhat"
    if all(is_keyed(one.change) for one in unknown):
        return f"{advice}; or correct what is wrong and send all again: items with a key are not created twice"
    return f"{advice}; items without a key would be created again if they were sent again"


class _Run:
    """One call of ``bulk_upsert``."""

    def __init__(self, session: Session, maker: Maker) -> None:
        self.session = session
        self.maker = maker
        self.upsert = session.writer.upsert(maker.model)
        self.ledger = Ledger(settle=session.writer.reconcile, counted=self.upsert.counted)
        #: Why a generator was not read to its end.
        self.cause: ValidationError | None = None
        #: The item beyond which a generator was not read.
        self.unread: int | None = None
        self._origins: dict[Any, Origin] = {}
        #: What only Planhat sets, which may be another value after a write; kept where it could not be read again.
        computed = frozenset(one.data_key for one in maker.meta.fields if one.read_only) - {"_id"}
        self._computed = computed if "get" in maker.meta.operations else frozenset()

    def carry_out(self, items: Iterable[Any]) -> Ledger:
        """Send the items in windows: a list is one, so that all of it is checked before anything is sent."""
        numbered = zip(count(), items, strict=False)
        most = None if isinstance(items, Sized) else MAX_ITEMS
        try:
            while window := tuple(islice(numbered, most)):
                self._window(window)
                if self.upsert.stopped or self.cause is not None:
                    self._stopped(numbered)
                    break
        except BaseException as error:
            # The ledger goes no further than here: an interrupt, or an error of the caller's generator.
            if self.ledger.outcomes:
                error.add_note(f"bulk_upsert had done this before: {self.ledger.summary()}")
            raise
        return self.ledger

    def _stopped(self, rest: Iterator[tuple[int, Any]]) -> None:
        """Note the next item of a generator, which was not sent either; nothing beyond it is read.

        Without it the ledger would be all done once what is unknown was settled, whatever the generator still holds.
        """
        for place, given in islice(rest, 1):
            self.unread = place
            error = PlanhatError(
                f"items[{place}] and what follows it were not sent, and nothing beyond it was read: the run had stopped"
            )
            self.ledger.outcomes += self._refused([(place, given)], error)

    def _window(self, window: tuple[tuple[int, Any], ...]) -> None:
        try:
            items = self._made(window)
            outcomes = self._sent(items)
        except ValidationError as error:
            if not self.ledger.outcomes:
                raise
            self.cause = error
            outcomes = list(self._refused(window, error))
        self.ledger.outcomes += outcomes

    def _made(self, window: Iterable[tuple[int, Any]]) -> list[Item]:
        made: list[Item] = []
        problems: dict[str, Any] = {}
        keyless: dict[int, int] = {}
        for place, given in window:
            try:
                made.append(item := self.maker.item(given, place))
            except ValidationError as error:
                problems[f"items[{place}]"] = error.messages
                continue
            except FieldError as error:
                problems[f"items[{place}]"] = {"item": [str(error)]}
                continue
            if item.obj is not None and not is_keyed(item.change):
                first = keyless.setdefault(id(item.obj), place)
                if first != place:
                    problems[f"items[{place}]"] = {"item": [f"is items[{first}] again, and would be created twice"]}
        if problems:
            raise ValidationError(_first(problems), model=self.maker.meta.name)
        self._check_custom(made)
        return made

    def _check_custom(self, made: list[Item]) -> None:
        """Hold custom values against the tenant's definitions, by the session's ``check_custom``."""
        held = [tracking.stored_custom(item.obj._raw) if item.obj is not None else {} for item in made]
        writes = [(stored, item.change.after or {}) for stored, item in zip(held, made, strict=True)]
        try:
            definitions.settle(self.session, self.maker.model, writes)
        except ValidationError as error:
            found: dict[str, Any] = error.messages if isinstance(error.messages, dict) else {"custom": error.messages}
            named = {f"item {number}": f"items[{item.change.place}]" for number, item in enumerate(made, 1)}
            if len(made) == 1:
                found = {"item 1": found}
            raise ValidationError(
                _first({named.get(name, name): said for name, said in found.items()}), model=self.maker.meta.name
            ) from None

    def _refused(self, window: Iterable[tuple[int, Any]], error: PlanhatError) -> Iterator[Outcome]:
        """Say of a window that is not sent which items are the reason."""
        for place, given in window:
            try:
                change, problem = self.maker.item(given, place).change, None
            except ValidationError as found:
                change = None
                problem = ValidationError({f"items[{place}]": found.messages}, model=self.maker.meta.name)
            except FieldError as found:
                change = None
                problem = ValidationError({f"items[{place}]": {"item": [str(found)]}}, model=self.maker.meta.name)
            yield _unsent(self.maker, given, place, change, problem or error)

    def _sent(self, items: list[Item]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [Outcome(item.change, "unchanged") if item.empty else None for item in items]
        places = [place for place, item in enumerate(items) if not item.empty]

        def done(number: int, outcome: Outcome) -> None:
            place = places[number]
            outcomes[place] = outcome
            if (obj := items[place].obj) is not None:
                self._settle(obj, items[place], outcome)

        def sending(numbers: Sequence[int]) -> None:
            for item in (items[places[number]] for number in numbers):
                if item.obj is not None and item.change.key is None:
                    item.obj._ensure_state().unanswered = True

        # What the dictionaries hold, by the names of rows; usually the same in all of them.
        written = {key for item in items if item.obj is None for key in item.change.after or {}}
        doubtful = frozenset(self.maker.meta.as_read(dict.fromkeys(written))) - {"_id"}

        def answered(numbers: Sequence[int], ids: Set[str]) -> None:
            if doubtful:
                found = [(items[places[number]], outcomes[places[number]]) for number in numbers]
                carried_out = [(item, one) for item, one in found if one is not None and one.status != "failed"]
                self._outdate(carried_out, ids, doubtful | self._computed)

        changes = [items[place].change for place in places]
        try:
            self.upsert.write(changes, done, sending=sending, answered=answered)
        except ValidationError:
            raise  # nothing of these items was sent
        except BaseException:
            self.ledger.outcomes += [outcome for outcome in outcomes if outcome is not None]
            raise
        finally:
            held.outdate(self.session, self.maker.model)
        return [outcome for outcome in outcomes if outcome is not None]

    # Objects, after

    def _outdate(self, done: Sequence[tuple[Item, Outcome]], ids: Set[str], keys: frozenset[str]) -> None:
        """Let objects that live, of records that dictionaries may have changed, forget what may not be so any more.

        An object that kept it would give old values for as long as it lives, and assigning one of them would be no
        change and so never be sent.
        """
        model, identity_map = self.maker.model, self.session.identity_map
        kin = [one for one in registry.values() if one._meta.records == model._meta.records]
        kin += [model] if model not in kin else []
        by_id = {outcome.id: (item, outcome) for item, outcome in done if outcome.id}
        with identity_map.lock:
            found: dict[int, Model] = {}
            for key in {*ids, *by_id}:
                found |= {id(twin): twin for one in kin if (twin := identity_map.find(one, key)) is not None}
            for _, outcome in done:
                if outcome.id is None:
                    # The answer was lost, or does not tell; what came by the same key lately is that record.
                    for name in self.maker.meta.unique:
                        value = (outcome.change.keys or {}).get(name, "")
                        twins = (identity_map.recent(one, name, value) for one in kin if name in one._meta.unique)
                        found |= {id(twin): twin for twin in twins if twin is not None} if value else {}
            for twin in found.values():
                item, told = by_id.get(twin._raw["_id"], (None, None))
                if "get" in twin._meta.operations:
                    self._forget(twin, keys)
                elif item is None or told is None or told.status not in DONE:
                    self._forget(twin, keys - frozenset(twin._meta.always_sent))
                elif item.obj is None:
                    self._echoed(twin, item, told)

    def _echoed(self, twin: Model, item: Item, outcome: Outcome) -> None:
        """Take what a dictionary held for stored, in an object whose record could not be read by itself."""
        written = self.maker.meta.as_read(item.change.after or {})
        known = {key: value for key, value in written.items() if key in twin._meta.by_key and key != "_id"}
        row, unknown = tracking.echo(twin, twin._meta.as_written(known))
        shown = frozenset(known) - twin._meta.write_only
        twin._merge(
            {"_id": outcome.id, **{key: row[key] for key in shown}}, Origin(self.session, shown, outcome.number)
        )
        self._forget(twin, unknown - frozenset(twin._meta.always_sent))

    def _settle(self, obj: Model, item: Item, outcome: Outcome) -> None:
        """Make what was sent clean on an object, and give a new one its id."""
        if outcome.status in DONE and outcome.id is not None:
            with self.session.identity_map.lock:
                self._written(obj, item, outcome)
        elif outcome.status == "merged":
            self._settle_merged(obj, item, outcome)
        elif item.change.key is None:
            # Where it is, or may be, at Planhat, and nobody knows as which record, a save would create it once more.
            obj._ensure_state().unanswered = item.unanswered or outcome.status in ("unknown", *DONE)

    def _settle_merged(self, obj: Model, item: Item, outcome: Outcome) -> None:
        """Settle an object whose changes were sent with a later item, which may have had other values for them."""
        if item.change.key is None:
            # The other one is the object of the record; a save of this one would create it once more.
            if obj._raw.get("_id") is None:
                obj._ensure_state().unanswered = True
        elif outcome.found is not None and tracking.pending(obj):
            with self.session.identity_map.lock:
                self._written(obj, item, outcome)
                self._forget(obj, frozenset(self.maker.meta.as_read(item.change.after or {})) - {"_id"})

    def _written(self, obj: Model, item: Item, outcome: Outcome) -> None:
        meta, is_new = self.maker.meta, item.change.key is None
        body = {key: value for key, value in (item.change.after or {}).items() if key != "_id"}
        row, unknown = tracking.echo(obj, body)
        row["_id"] = outcome.id
        if is_new and outcome.status in _EXISTED and "custom" in row:
            unknown |= {"custom"}  # the record was there, and may have more keys than were sent
        if not is_new and outcome.status != "unchanged":
            unknown |= self._computed
        number = outcome.number or obj._ensure_state().written
        loaded = frozenset(row) & meta.keys if obj._origin is None else obj._origin.loaded
        origin = self._origins.setdefault((loaded, number), Origin(self.session, loaded, number))
        state = obj._ensure_state()
        earlier, state.written = state.written, 0
        obj._merge(row, origin, item.sent)
        self._forget(obj, unknown)
        state.written, state.unanswered = max(earlier, number), False
        missing.held_after_all(self.session, type(obj), obj._raw)
        for path in tracking.paths_of(obj, item.sent):
            state.moved.pop(path, None)
        self.session.identity_map.saved(obj, origin, dirty=bool(tracking.pending(obj)))

    def _forget(self, obj: Model, keys: frozenset[str]) -> None:
        """Let values be unknown, sharing one narrower origin among the objects of one page."""
        wide = obj._origin
        tracking.forget(obj, keys)
        if keys and obj._origin is not None:
            obj._origin = self._origins.setdefault((wide, keys), obj._origin)


def _first(problems: dict[str, Any]) -> dict[str, Any]:
    """Return the first complaints, and how many there are beside them."""
    first = dict(list(problems.items())[:COMPLAINTS])
    if len(problems) > COMPLAINTS:
        first["..."] = [f"and {len(problems) - COMPLAINTS} more items"]
    return first


def _unsent(maker: Maker, given: Any, place: int, change: Change | None, problem: PlanhatError) -> Outcome:
    """Return the outcome of an item that is not sent: because of a problem of its own, or of others'."""
    if change is not None:
        return Outcome(change, "not_sent", error=problem)
    values = dict(given) if isinstance(given, Mapping) else {}
    return Outcome(Change(maker.model, None, {}, values, keys={}, place=place), "failed", error=problem)
