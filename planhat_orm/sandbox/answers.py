"""What the sandbox answers, before it becomes HTTP: a status, a body, headers.

Imports ``store`` for its way of writing JSON. Knows neither models nor Flask; the texts are those that have been seen
or the plainest ones, since Planhat does not document its error bodies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planhat_orm.sandbox.store import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

BAD_PATH_ID = "Params identifier must be planhat _id OR start with `extid-` or `srcid-`"
JSON = "application/json; charset=utf-8"
#: Plain strings come as HTML (hull-planhat fixtures: "Failed to create company").
TEXT = "text/html; charset=utf-8"


@dataclass(slots=True)
class Answer:
    """A status, the bytes of a body and the headers.

    >>> Answer.json([{"_id": "1"}]).body
    b'[{"_id":"1"}]'
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """Return an answer with a JSON body."""
        return cls(status, dumps(data).encode(), {"Content-Type": JSON, **(headers or {})})

    @classmethod
    def text(cls, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """Return an answer with a plain text, sent as HTML."""
        return cls(status, text.encode(), {"Content-Type": TEXT, **(headers or {})})

    @classmethod
    def of(cls, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """Return ``body`` as what it is: a text, bytes, or anything else as JSON."""
        if isinstance(body, bytes):
            return cls(status, body, {"Content-Type": TEXT, **(headers or {})})
        return (cls.text if isinstance(body, str) else cls.json)(body, status, headers)


class Refusal(Exception):
    """The request is refused: leaves the operation and becomes the answer."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body

    @property
    def answer(self) -> Answer:
        """The answer that says so."""
        return Answer.of(self.body, self.status)


def not_found() -> Refusal:
    """Return the refusal of a well-formed id that no record has."""
    return Refusal(404, {"message": "No such document"})
