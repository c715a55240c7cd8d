"""Loading what links point to: for all rows that were handed out together, in the fewest requests.

Imports what objects hold; what is loaded comes through querysets of the target. It does not promise that a record that
is linked to still exists.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from planhat_orm.orm.held import ids_in
from planhat_orm.orm.state import Mates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.relations import ForeignKey, ReferenceList
    from planhat_orm.orm.state import Reading
    from planhat_orm.session.session import Session

_log = logging.getLogger("planhat_orm.orm")

#: How many records of a list that was read whole are kept for the pages to come.
KEPT_ROWS = 100_000

#: The links of which each session said that they are followed one record at a time.
_told: WeakKeyDictionary[Session, set[Any]] = WeakKeyDictionary()


def load_related(obj: Model, field: ForeignKey[Any], target: type[Model], key: str) -> Model:
    """Return the record behind a link, loading it for all rows that were handed out with ``obj``."""
    session = obj._session()
    found = session.identity_map.find(target, key)
    if found is None:
        wanted = {key: None} | dict.fromkeys(one for mate in mates(obj, field) for one in ids_in(mate, field))
        found = load_for_all(obj, field, target, list(wanted)).get(key)
    if found is None:
        raise gone_behind(obj, field, target, key)
    return found


def gone_behind(obj: Model, field: ForeignKey[Any], target: type[Model], key: str) -> Exception:
    """Return the error for a link to what is not there."""
    return target.DoesNotExist(
        f"{obj!r}.{field.name} points to the {field.to} {key}, which Planhat does not have or list (any more)"
    )


def load_listed(obj: Model, field: ReferenceList[Any], target: type[Model], keys: list[str]) -> dict[str, Model | None]:
    """Load the records of a list of references, and of the lists of all rows that were handed out with ``obj``.

    Returns what became of the first key at least; the others may be left until they are needed.
    """
    wanted = dict.fromkeys(keys)
    for mate in mates(obj, field):
        wanted |= dict.fromkeys(ids_in(mate, field))
    return load_for_all(obj, field, target, list(wanted))


def mates(obj: Model, field: Field[Any, Any]) -> list[Model]:
    """Return the objects that were handed out with one and are alive, as far as the field of them is known."""
    origin = obj._origin
    living: list[Model] = origin.mates.living() if origin is not None else []
    return [mate for mate in living if mate._knows(field.data_key)]


def load_for_all(obj: Model, field: Field[Any, Any], target: type[Model], wanted: list[str]) -> dict[str, Model | None]:
    """Load what the rows handed out together point to, and keep it alive as long as one of them is."""
    session, shared = obj._session(), obj._origin.mates if obj._origin is not None else Mates()
    if (target, wanted[0]) in shared.gone:
        return {wanted[0]: None}
    # Another thread may have loaded some of them since they were found to be missing, the first one too.
    held = {one: found for one in wanted if (found := session.identity_map.find(target, one)) is not None}
    missing = [one for one in wanted if (target, one) not in shared.gone and one not in held]
    if wanted[0] in held:
        return {**held}
    loaded = load_by_ids(session, target, missing, shared.reading)
    shared.gone |= {(target, one) for one, record in loaded.items() if record is None}
    # Those that live already may be held by nobody else.
    shared.keep |= {(target, one): record for one, record in {**held, **loaded}.items() if record is not None}
    if len(loaded) < len(missing):
        tell(obj, field, target)
    return loaded


def tell(obj: Model, field: Field[Any, Any], target: type[Model]) -> None:
    """Warn, once for each link in a session, that it is followed one record at a time."""
    told = _told.setdefault(obj._session(), set())
    if (type(obj), field.data_key) not in told:
        told.add((type(obj), field.data_key))
        _log.warning(
            "%s.%s is followed one %s at a time, a request each: Planhat takes no list of their ids, and reading all "
            "of them would not cost less",
            obj._meta.name,
            field.name,
            target.__name__,
        )


def load_by_ids(
    session: Session, target: type[Model], keys: list[str], reading: Reading | None = None
) -> dict[str, Model | None]:
    """Load records by id in the fewest requests: a small table whole, by id lists, by one scan, or the first one alone.

    Where no list of ids is taken, the planner's price decides between one scan and a request for each; then only the
    first is read, so that the next one is loaded when it is followed. Returns what became of each key that was asked
    for; None for one that Planhat does not have.

    :param reading: what the rows that point there were read by. While pages of it may follow, all that a scan brings
        is kept, so that they need no scan of their own.
    """
    if target._meta.small_table:
        return from_table(session, target, keys)
    found = read(session, target, ("id", keys), reading, singly=False) if len(keys) > 1 else None
    if found is None:
        keys = keys[:1]
        found = list(target.objects.using(session).filter(id=keys[0]))
    here = {record._raw["_id"]: record for record in found}
    return {key: here.get(key) for key in keys}


def load_all(
    session: Session, target: type[Model], keys: list[str], reading: Reading | None = None
) -> dict[str, Model | None]:
    """Load records by id, all of them, in the fewest requests; None for one that Planhat does not have."""
    if target._meta.small_table and keys:
        return from_table(session, target, keys)
    found = {record._raw["_id"]: record for record in read(session, target, ("id", keys), reading) or ()}
    return {key: found.get(key) for key in keys}


def read(
    session: Session, target: type[Model], named: tuple[str, list[str]], reading: Reading | None, *, singly: bool = True
) -> list[Any] | None:
    """Read the records in which a field or a link has one of some ids; more where all of the list was read for them.

    :param named: the name of the field, and the ids.
    :param reading: what the rows that lead there were read by. While pages of it may follow, all that a scan brings is
        kept, so that they need no scan of their own.
    :param singly: also where each record takes a request of its own; None is returned for that else.
    """
    name, keys = named
    objects = target.objects.using(session)
    if not keys:
        return []
    run = objects.filter(**{f"{name}__in": keys})._chosen()
    if run.plan.strategy == "keys" and not singly:
        return None
    whole = run.plan.strategy == "scan" and not run.plan.asked
    if not whole or reading is None or not reading.more or (target, name) in reading.tables:
        return [record for batch in run.objects() for record in batch]
    found = list(objects.all())
    if len(found) <= KEPT_ROWS:
        reading.tables[target, name] = found
    return found


def from_table(session: Session, target: type[Model], keys: list[str]) -> dict[str, Model | None]:
    """Find records in a small table, which is read whole once; what an older reading lacks is asked for."""
    objects = target.objects.using(session)
    fresh: list[bool] = []

    def load() -> list[Model]:
        fresh.append(True)
        return list(objects.all())

    def found_in(records: Iterable[Model]) -> dict[str, Model]:
        return {record._raw["_id"]: record for record in records if record._state is None or not record._state.deleted}

    table = found_in(session.table(target, load))
    missing = [key for key in keys if key not in table]
    if missing and not fresh:
        table |= found_in(objects.filter(id__in=missing))
    return {key: table.get(key) for key in keys}
