"""POST, PUT and DELETE of single records, as Planhat carries them out and answers them.

Works on the world and a collection; raises Refusal. Imports nothing of HTTP. It does not compute more than the
records themselves tell: no health scores, no status from licences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import BAD_PATH_ID, Answer, Refusal, not_found
from planhat_orm.sandbox.building import accepted, changed_row, new_row, resolve_references
from planhat_orm.sandbox.catalog import Collection, is_object_id
from planhat_orm.sandbox.reading import find, whole
from planhat_orm.sandbox.store import Condition, Row

if TYPE_CHECKING:
    from planhat_orm.sandbox.world import World

#: Properties that a record needs, a tuple for "one of these".
Required = tuple[str | tuple[str, ...], ...]


def create(world: World, collection: Collection, body: Any) -> Answer:
    """Create one record and answer the whole of it."""
    refuse_missing(collection, "create")
    world.permit(collection.path, "create")
    if not isinstance(body, dict):
        raise Refusal(400, "Bad request")
    with world.store.transaction():
        row = insert(world, collection, body, collection.quirks.required)
        # A person for whom no company is found is dropped without an error (help.planhat.com, article 9586991).
        shown = {} if row is None else whole(world, collection, row)
        if row is not None and collection.quirks.created:
            shown = collection.quirks.created(world, shown)
    return Answer.json(shown)


def refuse_missing(collection: Collection, operation: str) -> None:
    """Refuse an operation that there is not as any path that there is not."""
    if not collection.offers(operation):
        raise Refusal(404, "Not Found")


def insert(world: World, collection: Collection, body: Row, required: Required) -> Row | None:
    """Store a new record; None when Planhat drops it silently."""
    quirks, key = collection.quirks, collection.company_key
    sent = accepted(collection, body)
    if quirks.dropped_without and not sent.get(quirks.dropped_without):
        return None
    resolve_references(world, collection, sent)
    if key and not sent.get(key) and quirks.company_of:
        sent[key] = quirks.company_of(world, sent)
    missing = missing_key(required, {**sent, key: body.get(key) or sent.get(key)} if key else sent)
    if missing is not None and not (missing == key and quirks.dropped_without_company):
        raise Refusal(400, quirks.required_texts.get(missing, f"Required Field: {missing}"))
    if key in required and not sent.get(key or ""):
        if quirks.dropped_without_company:
            return None
        raise Refusal(400, "No such company")
    if quirks.prepare:
        quirks.prepare(world, sent, None)
    refuse_duplicate(world, collection, sent, None)
    row = new_row(world, collection, sent, world.now())
    world.store.insert(collection.table, [row])
    if quirks.follow:
        quirks.follow(world, None, row)
    return row


def missing_key(required: Required, sent: Row) -> str | None:
    """Return the first required property that was not sent."""
    for needed in required:
        alternatives = (needed,) if isinstance(needed, str) else needed
        if all(sent.get(key) in (None, "") for key in alternatives):
            return alternatives[0]
    return None


def refuse_duplicate(world: World, collection: Collection, sent: Row, own: Row | None) -> None:
    """Refuse a key that another record holds: unique in the tenant, or for external ids within one company."""
    taken: list[str] = []
    for key in dict.fromkeys((*collection.meta.unique, *sorted(collection.own_keys - {"email"}))):
        value = sent.get(key)
        if value in (None, "") or key not in collection.fields:
            continue
        scope: list[Condition] = []
        if key not in collection.meta.unique and key != "sourceId" and collection.company_key:
            company = sent.get(collection.company_key) or (own or {}).get(collection.company_key)
            scope = [Condition(collection.company_key, (str(company),))]
        found = world.store.find(collection.table, key, str(value), *scope)
        if found is not None and (own is None or found["_id"] != own["_id"]):
            taken.append(key)
    if taken:
        # The text that concurrent upserts were seen to get (nasrat-v/planhat-duplicate-error).
        raise Refusal(400, f"{','.join(taken)} duplicated")


def update(world: World, collection: Collection, key: str, body: Any) -> Answer:
    """Change one record and answer the whole of it."""
    refuse_missing(collection, "update")
    world.permit(collection.path, "update")
    if not isinstance(body, dict) or "_id" in body:
        # An _id in the body of a single PUT gives 400 (darrenparkinson/planhat, companies.go).
        raise Refusal(400, "Bad request")
    with world.store.transaction():
        row, addressed_by = find(world, collection, key, "update")
        after = changed_row(world, collection, row, changes(world, collection, row, body, addressed_by))
        replace(world, collection, row, after)
    return Answer.json(whole(world, collection, after))


def replace(world: World, collection: Collection, before: Row, after: Row) -> None:
    """Store a row that changed, and let others follow."""
    world.store.replace(collection.table, after)
    if collection.quirks.follow:
        collection.quirks.follow(world, before, after)


def changes(world: World, collection: Collection, row: Row, body: Row, addressed_by: str) -> Row:
    """Return what a body changes in a row that was found by the key ``addressed_by``."""
    sent = accepted(collection, body)
    order = [collection.stored_key(key) for key in collection.quirks.match]
    if addressed_by in order:
        # The key that found the record stays, and so do those that would have gone before it (docs: bulk upsert).
        for fixed in order[: order.index(addressed_by) + 1]:
            sent.pop(fixed, None)
    resolve_references(world, collection, sent)
    company = collection.company_key
    if company in sent and sent[company] is None:
        del sent[company]
    if collection.quirks.prepare:
        collection.quirks.prepare(world, sent, row)
    refuse_duplicate(world, collection, sent, row)
    return sent


def delete(world: World, collection: Collection, key: str) -> Answer:
    """Delete one record; only ids are documented here, so prefixed keys are refused."""
    refuse_missing(collection, "delete")
    world.permit(collection.path, "delete")
    if not is_object_id(key):
        raise Refusal(400, BAD_PATH_ID)
    with world.store.transaction():
        row = world.store.find(collection.table, "_id", key, *collection.own)
        if row is not None:
            world.store.delete(collection.table, key)
            if collection.quirks.follow:
                collection.quirks.follow(world, row, None)
    if row is None:
        if world.behaviour.delete_missing == "zero":
            return Answer.json({"n": 0, "ok": 1, "deletedCount": 0})
        raise not_found()
    return Answer.json(row if collection.quirks.deleted_document else {"n": 1, "ok": 1, "deletedCount": 1})
