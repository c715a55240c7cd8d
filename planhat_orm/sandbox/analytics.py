"""The analytics host: a sink that says it received whatever comes, and keeps what it can match.

Works on the world; imports the catalog and what rows are built with. The pages are
https://www.planhat.com/developers/api/metrics and /user-activities. It does not promise that Planhat checks the form of
points in these words: one text of its kind is known.
"""

from __future__ import annotations

import base64
from datetime import UTC
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.answers import Answer, Refusal
from planhat_orm.sandbox.building import new_row
from planhat_orm.sandbox.catalog import collection_at, wire_time
from planhat_orm.sandbox.quirks.base import COMPANIES, company_with_domain, moment_of, number_of
from planhat_orm.sandbox.store import Condition, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planhat_orm.sandbox.world import World

#: Where the events are, which no list shows.
ACTIVITIES = "activities"
METRICS = "dimensiondata"
ENDUSERS = "endusers"
#: The models that have metrics, by the name that they have here, and their collections.
MEASURED = {"Company": COMPANIES, "EndUser": ENDUSERS, "Asset": "assets", "Project": "projects"}
#: What an event calls the person's external id and the company's: one event, many, each from the newest source.
SINGLE_KEYS = ("externalId", "companyExternalId")
BULK_KEYS = ("euExtId", "companyExternalId")


def answer(
    world: World, method: str, path: str, params: Mapping[str, str], body: Any, authorization: str
) -> Answer | None:
    """Answer a request to the analytics host, None for any other.

    :param path: without its first slash, with or without "analytics/" in front, where the sandbox has this host.
    :param authorization: the header as it came.
    """
    if method != "POST":
        return None
    parts = path.split("/")
    for route in (parts[1:] if parts[0] == "analytics" else parts, parts):
        match route:
            case ["dimensiondata", tenant]:
                return _metrics(world, tenant, body, authorization)
            case ["analytics", "bulk", tenant]:
                return _events(world, tenant, body if isinstance(body, list) else [], BULK_KEYS)
            case ["analytics", tenant]:
                return _events(world, tenant, [body], SINGLE_KEYS)
            case ["dock", "segment"]:
                return _segment(world, body, authorization)
    return None


def _is_tenant(world: World, tenant: str) -> bool:
    """Tell whether it is the tenant's token; what a wrong one is answered is not documented."""
    if tenant == world.tenant_token:
        return True
    if world.behaviour.wrong_tenant == "404":
        raise Refusal(404, "Not Found")
    return False


# Metrics


def _metrics(world: World, tenant: str, body: Any, authorization: str) -> Answer:
    # One connector says that metrics need the API token beside the tenant's (airbyte, planhat-analytics).
    if authorization != f"Bearer {world.token}":
        raise Refusal(401, "Unauthorized")
    items = body if isinstance(body, list) else [body]
    errors = [{"item": _echoed(item), "error": problem} for item in items if (problem := _problem(item))]
    if _is_tenant(world, tenant):
        with world.store.transaction():
            rows = [row for item in items if not _problem(item) and (row := _point(world, item)) is not None]
            world.store.insert(METRICS, rows)
    # The one known answer counts an item that failed among those processed (darrenparkinson/planhat).
    return Answer.json({"processed": len(items), "errors": errors})


def _echoed(item: Any) -> Any:
    """Return an item as it comes back: with its model, where it named none."""
    return {"model": "Company", **item} if isinstance(item, dict) else item


def _problem(item: Any) -> str:
    """Say what is wrong with the form of a point."""
    if not isinstance(item, dict):
        return "item must be an object"
    for key in ("dimensionId", "value", "externalId"):
        present = number_of(item.get(key)) is not None if key == "value" else item.get(key)
        if not present:
            return f"{key} must be specified"
    return ""


def _point(world: World, item: Row) -> Row | None:
    """Return the row of a point; None where there is no such record: those are dropped without a word."""
    collection = collection_at(MEASURED.get(item.get("model", "Company"), ""))
    metrics = collection_at(METRICS)
    parent = collection and world.store.find(collection.table, "externalId", str(item["externalId"]))
    moment = moment_of(item["date"]) if "date" in item else world.clock().astimezone(UTC)
    if not parent or not collection or metrics is None or moment is None:
        return None
    sent = {
        "dimensionId": item["dimensionId"],
        "value": item["value"],
        "model": item.get("model", "Company"),
        "time": wire_time(moment),
        "parentId": parent["_id"],
        "companyId": parent["_id"] if collection.path == COMPANIES else parent.get("companyId"),
    }
    return new_row(world, metrics, sent, world.now())


# Activities


def _events(world: World, tenant: str, events: list[Any], keys: tuple[str, str]) -> Answer:
    if _is_tenant(world, tenant):
        with world.store.transaction():
            for event in events:
                if isinstance(event, dict):
                    _keep(world, event, event.get(keys[0]), event.get(keys[1]))
    return Answer()


def _keep(world: World, event: Row, external_id: Any, company_key: Any) -> None:
    """Store an event, and the person where it is new and its company is known; drop it otherwise."""
    person = _person(world, event, external_id, company_key)
    if person is None:
        return
    moment = moment_of(event.get("date")) or world.clock().astimezone(UTC)
    kept: Row = {key: event[key] for key in ("action", "info") if key in event}
    row: Row = {
        "_id": world.store.new_id(),
        "enduserId": person["_id"],
        "companyId": person.get("companyId"),
        **kept,
        "weight": event.get("weight", 1),
        "count": event.get("count", 1),
        "date": wire_time(moment),
    }
    world.store.insert(ACTIVITIES, [row])


def _person(world: World, event: Row, external_id: Any, company_key: Any) -> Row | None:
    """Find the person of an event, or make one."""
    company = _company(world, event, company_key)
    within = [Condition("companyId", (company,))] if company else []
    for key, value in (("externalId", external_id), ("email", event.get("email"))):
        found = world.store.find(ENDUSERS, key, value, *within) if isinstance(value, str) and value else None
        if found is not None:
            return found
    company = company or company_with_domain(world, [str(event.get("email") or "").rpartition("@")[2]])
    endusers = collection_at(ENDUSERS)
    if company is None or endusers is None or not (external_id or event.get("email")):
        return None
    first, _, last = str(event.get("name") or "").partition(" ")
    sent = {
        "companyId": company,
        "externalId": external_id,
        "email": event.get("email"),
        "firstName": event.get("firstName") or first or None,
        "lastName": event.get("lastName") or last or None,
    }
    row = new_row(world, endusers, sent, world.now())
    world.store.insert(ENDUSERS, [row])
    return row


def _company(world: World, event: Row, key: Any) -> str | None:
    """Return the id of the company that an event names."""
    if isinstance(key, str) and key:
        found = world.store.find(COMPANIES, "externalId", key)
        return found["_id"] if found else None
    named = event.get("companyId")
    return named if isinstance(named, str) and world.store.get(COMPANIES, named) else None


# Segment


def _segment(world: World, body: Any, authorization: str) -> Answer:
    scheme, _, value = authorization.partition(" ")
    if scheme != "Basic" or not _is_tenant(world, base64.b64decode(value).decode().removesuffix(":")):
        return Answer()
    if not isinstance(body, dict) or body.get("type") not in ("identify", "track"):
        return Answer()  # other calls are dropped without an error (support.planhat.com, article 1608929)
    given = body.get("traits")
    traits: Row = given if isinstance(given, dict) else {}
    person: Row = {key: traits[key] for key in ("email", "name", "firstName", "lastName") if key in traits}
    external_id, company_key = body.get("user_id") or traits.get("id"), traits.get("companyId")
    with world.store.transaction():
        if body["type"] == "identify":
            _person(world, person, external_id, company_key)
        else:
            event = {**person, "action": body.get("event"), "info": body.get("properties") or {}}
            _keep(world, event, external_id, company_key)
    return Answer()


def received(world: World) -> list[Row]:
    """Return the events that were kept, which no list of Planhat shows, in the order in which they came."""
    return world.store.rows(ACTIVITIES)
