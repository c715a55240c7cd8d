"""Note: a conversation of the type "note".

Declarations only; the facts are those of https://www.planhat.com/developers/api/note and of the Conversation page. It
does not promise that ``?type=note`` filters at Planhat: that is a hint, and rows of other types are dropped here.
"""

from __future__ import annotations

from planhat_orm.models.conversation import Conversation
from planhat_orm.models.sources import (
    API_EVANGELIST,
    CRUDS,
    DATROLL,
    PH_DESK,
    POSTMAN,
    ROBOCORP,
    TORQ,
    official,
)
from planhat_orm.orm import fields
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed


class Note(Conversation):
    """A note about a company: a record of /conversations whose type is "note".

    There is no /notes at Planhat. The text is ``description`` (HTML), the title ``subject``. Lists of the collection
    hold every type, so ours keep the notes. ``get`` takes ``id`` and ``external_id``. The type is sent with every
    create: the reference asks for it, though Planhat would make a note of what has none.

    Source: https://www.planhat.com/developers/api/note

    >>> note = Note.objects.create(company=Company.ref(external_id="acme-42"), subject="Kick-off")
    >>> note.type
    'note'
    """

    class Meta(Conversation.Meta):
        constant = {"type": "note"}
        doc_url = "https://www.planhat.com/developers/api/note"
        evidence = {
            "fields": documented(official("note"), official("conversation"), PH_DESK),
            "operations": documented(official("note"), POSTMAN, PH_DESK),
            "filters": documented(official("note"), POSTMAN, PH_DESK),
            "keys": documented(official("note"), POSTMAN, PH_DESK),
            "matching": documented(official("note"), POSTMAN, PH_DESK),
            "required": documented(official("note"), POSTMAN, PH_DESK),
            "limits": documented(POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk(
                "Notes live under /conversations: /notes answered 404 to a live look, although two catalogues of the "
                "API name it.",
                observed(DATROLL, POSTMAN, PH_DESK, CRUDS, ROBOCORP, TORQ, API_EVANGELIST),
            ),
            Quirk(
                "Notes are listed with all other conversations; that ?type=note leaves those out is nowhere said.",
                inferred(POSTMAN, DATROLL),
            ),
            Quirk(
                "The type is asked for in creates and not in bulk upserts; without one it becomes a note anyway.",
                documented(POSTMAN, official("conversation")),
            ),
            *Conversation.Meta.quirks,
        )

    company_external_id: fields.Text = fields.Text(
        "companyExternalId",
        help="the company by your id; on the page of notes alone",
        evidence=documented(official("note"), POSTMAN, PH_DESK),
    )
