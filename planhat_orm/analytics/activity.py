"""Activity: what a person did in your product, sent to Planhat's analytics host.

Events are written and never read back over the API, so this is no model. The facts are those of
https://www.planhat.com/developers/api/user-activities, whose text no copy has: the names come from Planhat's first
documentation and from later clients. It does not promise that an event is kept: Planhat acknowledges all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Never

from planhat_orm.analytics import pushing
from planhat_orm.analytics.delivering import Delivery
from planhat_orm.analytics.inputs import Figure, Form, Info, Input, Key, Moment, PlanhatId, key_of, session_for
from planhat_orm.errors import NotSupported, ValidationError
from planhat_orm.models import sources
from planhat_orm.orm import conversion
from planhat_orm.orm.evidence import documented, inferred, observed
from planhat_orm.wire.endpoints import is_object_id

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from planhat_orm.models.company import Company
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.orm.refs import Ref
    from planhat_orm.session.changes import Ledger, Outcome
    from planhat_orm.session.session import Session

DOC_URL = "https://www.planhat.com/developers/api/user-activities"
#: The calls of Segment that do anything at Planhat for a person; others are dropped without an error.
SEGMENT_CALLS: Final = ("identify", "track")


@dataclass(frozen=True, slots=True)
class Kind:
    """What messages and the ledger need to know of events."""

    name: str = "Activity"
    path: str = "analytics"


def unfold(row: dict[str, Any], session: Session) -> dict[str, Any]:
    """Put the keys of ``enduser`` and ``company`` into their places."""
    rest = {name: value for name, value in row.items() if name not in ("enduser", "company")}
    if "enduser" in row:
        rest = {**_of_enduser(row["enduser"], session), **rest}
    if "company" in row:
        _, key = key_of(row["company"], "company", {"companies": "Company"}, session)
        rest = {**rest, "company_external_id": key}
        if (company_id := getattr(row["company"], "id", None)) is not None:
            rest["company_id"] = company_id
    return rest


def _of_enduser(enduser: Any, session: Session) -> dict[str, Any]:
    """Return the keys of a person, and the id of its company, which tells apart people of one e-mail."""
    try:
        _, key = key_of(enduser, "enduser", {"endusers": "Enduser"}, session)
    except ValidationError:
        # A person without external id is known by its e-mail.
        if not getattr(enduser, "email", None) or enduser._meta.path != "endusers":
            raise
        key = None
    company_id = getattr(enduser, "company_id", None)
    known = {
        "external_id": key,
        "email": getattr(enduser, "email", None),
        "company_id": company_id if is_object_id(company_id) else None,
    }
    return {name: value for name, value in known.items() if value}


_FIRST = sources.DOCS_2017
_CLIENTS = (sources.CRUDS, sources.ANALYTICS_PLUGIN, sources.POSTHOG_PLUGIN, sources.HULL)

FORM = Form(
    "Activity",
    (
        Input(
            "action",
            "action",
            Key(),
            "str",
            required=True,
            help="what was done; Planhat takes an event without it, and leaves it out of the activity stream",
            evidence=documented(_FIRST),
        ),
        Input(
            "email",
            "email",
            Key(),
            "str",
            help="the person's e-mail; this or external_id is needed",
            evidence=documented(_FIRST, *_CLIENTS),
        ),
        Input(
            "external_id",
            "externalId",
            Key(),
            "str",
            bulk_keys=("euExtId", "externalId"),
            help="the person's external id; this or email is needed",
            evidence=documented(_FIRST, sources.AIRBYTE_ANALYTICS, *_CLIENTS),
        ),
        Input(
            "company_external_id",
            "companyExternalId",
            Key(),
            "str",
            help="the external id of the company, in which a person that is not known yet is made",
            evidence=documented(_FIRST, sources.ANALYTICS_PLUGIN, sources.HULL),
        ),
        Input(
            "company_id",
            "companyId",
            PlanhatId(),
            "str",
            help="Planhat's id of the company: tells apart people who share an e-mail",
            evidence=documented(sources.PRIMARY_HELP),
        ),
        Input(
            "name",
            "name",
            conversion.Text(),
            "str",
            help="the full name of a person that is not known yet",
            evidence=documented(_FIRST, sources.HULL),
        ),
        Input("first_name", "firstName", conversion.Text(), "str", evidence=observed(sources.ANALYTICS_PLUGIN)),
        Input("last_name", "lastName", conversion.Text(), "str", evidence=observed(sources.ANALYTICS_PLUGIN)),
        Input(
            "weight",
            "weight",
            Figure(),
            "float",
            help="how much it matters; 1 where it is missing",
            evidence=documented(_FIRST, sources.ANALYTICS_PLUGIN),
        ),
        Input(
            "date",
            "date",
            Moment(),
            "date or datetime",
            help="when; the time of receipt where it is missing",
            evidence=documented(_FIRST, sources.HULL),
        ),
        Input("info", "info", Info(), "dict", help="whatever else there is to tell", evidence=documented(_FIRST)),
    ),
    objects=("enduser", "company"),
    unfold=unfold,
    one_of=("email", "external_id"),
)
#: Of the call that takes many alone.
COUNT = Input(
    "count",
    "count",
    conversion.Integer(),
    "int",
    help="how many times it happened, in push() alone; 1 where it is missing",
    evidence=documented(_FIRST, sources.AIRBYTE_ANALYTICS),
)
BULK_FORM = replace(FORM, inputs=(*FORM.inputs, COUNT))


class NoActivities(NotSupported, AttributeError):
    """Activities cannot be read. An AttributeError as well, so that ``hasattr``, ``help`` and consoles look on."""


class NothingToRead:
    """Stands where models have their manager."""

    def __get__(self, obj: Any, owner: type[Any]) -> Never:
        raise NoActivities(
            "Planhat gives no activities back over the API: Activity.track() and Activity.push() send them; what a "
            "person did shows in Enduser.last_active and Company.last_activities, and in the app"
        )


class Activity:
    """What a person did, told to Planhat: ``track`` one event, ``push`` many, ``segment`` a call of Segment.

    Planhat answers 200 to all of them, keeps those whose person it can match, and never tells of the others. A person
    that it does not know is made in the company that the event names, or in one with the domain of its e-mail; where
    there is none, the event is dropped without an error. Of people who share an e-mail one gets the event at random,
    unless it names the company or one of them is marked primary.

    Events cannot be read back, changed or deleted over the API, and sending one again counts it again. They are sent
    with the tenant token in the address and no Authorization header: clients in production send none.

    Source: https://www.planhat.com/developers/api/user-activities
    """

    _meta: ClassVar[Any] = Kind()
    objects: ClassVar[NothingToRead] = NothingToRead()
    #: What an event may hold.
    FIELDS: ClassVar[tuple[Input, ...]] = BULK_FORM.inputs

    @classmethod
    def track(
        cls,
        action: str,
        *,
        email: str | None = None,
        external_id: str | None = None,
        enduser: Enduser | Ref[Enduser] | None = None,
        company: Company | Ref[Company] | None = None,
        company_external_id: str | None = None,
        name: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        weight: float | None = None,
        date: datetime.date | None = None,
        info: Mapping[str, Any] | None = None,
        session: Session | None = None,
    ) -> Outcome:
        """Send one event; calling it twice counts it twice, since Planhat has no way to tell.

        POST /analytics/{tenant} on the analytics host, without an Authorization header.

        :param action: what was done: "created a project".
        :param email: the person's e-mail; this, ``external_id`` or ``enduser`` is needed.
        :param external_id: the person's external id.
        :param enduser: the person, loaded: gives its e-mail, external id and company.
        :param company: the company, loaded or by ``Company.ref``; without one, Planhat drops the event of a person
            that it does not know, and says nothing.
        :param company_external_id: the company by its external id.
        :param name: the full name of a person that is not known yet; or ``first_name`` and ``last_name``.
        :param weight: how much it matters, 1 unless said.
        :param date: when: a date, or a datetime with a time zone; now, unless said.
        :param info: whatever else there is to tell.
        :param session: the session to use, in place of that of the objects, or the current one.
        :return: the outcome, "acknowledged": it was received.
        :raises ConfigurationError: without a tenant token; nothing was sent.
        :raises ValidationError: for what may not be sent, by name; nothing was sent.
        :raises AmbiguousWrite: the answer was lost; the event may have been received, once.

        Source: https://www.planhat.com/developers/api/user-activities

        >>> acme = Company.objects.get(external_id="acme-42")
        >>> Activity.track("created a project", email="ada@acme.example", company=acme, weight=3).status
        'acknowledged'
        """
        given = {
            "action": action,
            "email": email,
            "external_id": external_id,
            "enduser": enduser,
            "company": company,
            "company_external_id": company_external_id,
            "name": name,
            "first_name": first_name,
            "last_name": last_name,
            "weight": weight,
            "date": date,
            "info": info,
        }
        session = session_for(session, (enduser, company))
        session.require_tenant_token("Activity.track()")
        body = FORM.body(given, session, bulk=False)
        return pushing.push_one(body, Delivery(cls, "/analytics/{tenant}", auth="none", listed=False), session)

    @classmethod
    def push(
        cls,
        rows: Any,
        *,
        action: str | None = None,
        session: Session | None = None,
        on_error: pushing.OnError = "raise",
    ) -> Ledger:
        """Send many events; pushing the same rows twice counts them twice, since Planhat has no way to tell.

        Each row is a dict of what ``track`` takes, and ``count``. A data frame (pandas, polars) gives its rows itself;
        so does a generator, chunk by chunk. None stands for a value that is not given.

        POST /analytics/bulk/{tenant} on the analytics host, up to 10,000 events or 32 MB a request. Sources disagree on
        what this call names the person's external id, so it is sent as ``euExtId``, the newest documented name, and as
        ``externalId``; an e-mail beside it is the safest. The company's is sent as ``companyExternalId``.

        :param rows: the events; a single dict is one.
        :param action: that of rows which name none.
        :param session: the session to use, in place of that of the objects, or the current one.
        :param on_error: "collect" returns the ledger whatever became of the events.
        :return: the ledger: ``acknowledged`` events were received, and nothing is ever told of what became of them.
        :raises ConfigurationError: without a tenant token; nothing was sent.
        :raises ValidationError: for rows that may not be sent, as "rows[3]"; nothing was sent.
        :raises BulkError: when not all of it was acknowledged; its ``result`` is the ledger. A request whose answer
            is lost is never sent again: its events are ``unknown`` and those after it ``not_sent``.

        Source: https://www.planhat.com/developers/api/user-activities

        >>> rows = [{"email": "ada@acme.example", "count": 2}, {"email": "grace@acme.example"}]
        >>> len(Activity.push(rows, action="login").acknowledged)
        2
        """
        return pushing.push(
            BULK_FORM,
            rows,
            Delivery(cls, "/analytics/bulk/{tenant}", auth="none"),
            given={} if action is None else {"action": action},
            session=session,
            on_error=on_error,
        )

    @classmethod
    def segment(
        cls,
        type: Literal["identify", "track"],
        *,
        user_id: str | None = None,
        event: str | None = None,
        traits: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        session: Session | None = None,
    ) -> Outcome:
        """Send a call as Segment makes it; calling it twice counts it twice, since Planhat has no way to tell.

        POST /dock/segment on the analytics host, with the tenant token as the user of Basic. The person is looked for
        by ``user_id`` (its external id), else by the ``id`` and the ``email`` in ``traits``; ``traits["companyId"]`` is
        the external id of its company, without which Planhat drops a person that it does not know.

        :param type: "identify" or "track"; Planhat drops every other call of Segment.
        :param user_id: the person's external id.
        :param event: what was done, for "track".
        :param traits: what is known of the person: ``name``, ``email``, ``companyId``.
        :param properties: whatever else there is to tell of the event.
        :param session: the session to use, in place of that of the objects, or the current one.
        :return: the outcome, "acknowledged": it was received.
        :raises NotSupported: for another type.
        :raises ConfigurationError: without a tenant token; nothing was sent.
        :raises ValidationError: for what may not be sent, by name; nothing was sent.
        :raises AmbiguousWrite: the answer was lost; the call may have been received, once.

        Source: https://support.planhat.com/en/articles/1608929-setting-up-the-segment-integration

        >>> Activity.segment("track", user_id="acme-ada", event="downloaded a report").status
        'acknowledged'
        """
        if type not in SEGMENT_CALLS:
            raise NotSupported(
                f"Planhat does nothing with Segment's {type!r} and answers 200 all the same: send "
                f"{' or '.join(map(repr, SEGMENT_CALLS))}"
            )
        session = session_for(session, ())
        session.require_tenant_token("Activity.segment()")
        given = {"user_id": user_id, "event": event, "traits": traits, "properties": properties}
        body = SEGMENT_FORM.body(given, session, bulk=False)
        check_segment(type, body)
        return pushing.push_one(
            {"type": type, **body}, Delivery(cls, "/dock/segment", auth="tenant", listed=False), session
        )


SEGMENT_FORM = Form(
    "Activity",
    (
        Input("user_id", "user_id", Key(), "str", evidence=documented(sources.SEGMENT_HELP, _FIRST)),
        Input("event", "event", Key(), "str", evidence=documented(sources.SEGMENT_HELP, _FIRST)),
        Input("traits", "traits", Info(), "dict", evidence=documented(sources.SEGMENT_HELP, _FIRST)),
        Input("properties", "properties", Info(), "dict", evidence=inferred(sources.CRUDS)),
    ),
)


def check_segment(type: str, body: Mapping[str, Any]) -> None:
    """Refuse a call of Segment that can do nothing.

    >>> check_segment("track", {"user_id": "ext-77"})
    Traceback (most recent call last):
        ...
    planhat_orm.errors.ValidationError: Activity is not valid: event: is required for a track call
    """
    problems: dict[str, list[str]] = {}
    traits = body.get("traits", {})
    if not any((body.get("user_id"), traits.get("id"), traits.get("email"))):
        problems["user_id"] = ["one of user_id, traits['id'] and traits['email'] is required"]
    if type == "track" and "event" not in body:
        problems["event"] = ["is required for a track call"]
    if type == "identify" and "event" in body:
        problems["event"] = ["belongs to a track call"]
    if problems:
        raise ValidationError(problems, model="Activity")
