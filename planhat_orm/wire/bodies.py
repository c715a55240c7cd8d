"""Bodies of answers: read chunk by chunk, and rows parsed while more of them are on their way.

A page may have 20 MB. Its rows take five times as much as its text, so whoever holds all of the text until the last
row is parsed pays for both. Imports its sibling ``garbage`` only. It does not promise to parse early: what does not
look like a long list of objects, or turns out to be none, comes as text.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from typing import TYPE_CHECKING, Any

from planhat_orm.wire.garbage import paused_gc

if TYPE_CHECKING:
    import requests

__all__ = ["Body", "loads", "read_body"]

_CHUNK = 1 << 16
#: So many characters are collected before rows are parsed out of them.
_PART = 1 << 19
#: The end of a row is looked for in so many characters before the end of what was collected.
_TAIL = 1 << 16
#: A place that looked like the end of a row may be inside one; this many are tried before the rest stays text.
_TRIES = 2
#: No row is this long: a text without an end of one stays text.
_MOST_WAITED = 4 * _PART
_MOST_DIGITS = 600  # below the smallest limit that Python can be given (sys.set_int_max_str_digits)

_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|[^\s,"\[\]{}]+)'
# The beginning of a list, and the first two keys of its first row.
_BEGINNING = re.compile(rf'\s*\[\s*(?=\{{\s*("(?:[^"\\]|\\.)*")\s*:\s*{_SCALAR}\s*,\s*("(?:[^"\\]|\\.)*")\s*:)')


class Body:
    """The text of a body as far as it is not parsed, and the rows that were parsed before it.

    >>> body = Body()
    >>> body.add('[{"_id": "a", "h": 1}, {"_id": "b", "h": 2}]')
    >>> body.text, body.parsed()
    ('[{"_id": "a", "h": 1}, {"_id": "b", "h": 2}]', [{'_id': 'a', 'h': 1}, {'_id': 'b', 'h': 2}])
    """

    def __init__(self) -> None:
        self._rows: list[Any] = []
        self._text = io.StringIO(newline="")  # holds each character once, as joining pieces would not
        self._length = 0
        # What stands between two rows, once the beginning was seen; None where nothing is parsed early.
        self._between: re.Pattern[str] | None = None
        self._began = False  # whether the beginning was looked at
        self._opened = False  # whether the bracket that opens the list was taken off

    @property
    def text(self) -> str:
        """What is not parsed yet, as JSON by itself."""
        return f"[{self._text.getvalue()}" if self._opened else self._text.getvalue()

    @property
    def is_blank(self) -> bool:
        """Whether nothing came, or spaces alone."""
        text = self._text.getvalue()
        return not self._opened and (not text or text.isspace())

    def add(self, text: str) -> None:
        """Take what came."""
        self._length += self._text.write(text)
        if self._length >= _PART and (self._between is not None or not self._began):
            self._parse_early()

    def parsed(self) -> Any:
        """Return the whole body, parsed.

        :raises ValueError: when it is not JSON.
        """
        with paused_gc():
            data = loads(self.text)
        if not self._rows:
            return data
        self._rows.extend(data)
        return self._rows

    def _parse_early(self) -> None:
        """Parse the rows that are there to their end, and keep the text behind them."""
        text = self._text.getvalue()
        if not self._began:
            self._began = True
            text = self._opening(text)
        if self._between is not None:
            text = self._rows_of(text, self._between)
        self._text, self._length = io.StringIO(newline=""), len(text)
        self._text.write(text)

    def _opening(self, text: str) -> str:
        """Learn what stands between two rows, and return the text behind the bracket that opens the list."""
        beginning = _BEGINNING.match(text)
        if beginning is None:
            return text
        first, second = (re.escape(key) for key in beginning.groups())
        # Objects inside a row rarely begin with the same two keys as the row itself.
        self._between = re.compile(rf"\}}\s*,\s*(?=\{{\s*{first}\s*:\s*{_SCALAR}\s*,\s*{second}\s*:)")
        self._opened = True
        return text[beginning.end() :]

    def _rows_of(self, text: str, between: re.Pattern[str]) -> str:
        """Parse the rows that are there to their end, and return the text behind them."""
        ends = [match.span() for match in between.finditer(text, max(0, len(text) - _TAIL))]
        for end, next_row in reversed(ends[-_TRIES:]):
            # What parses is whole rows: a cut inside a row, or inside a text, leaves something open.
            try:
                with paused_gc():
                    self._rows.extend(loads(f"[{text[: end + 1]}]"))
            except (ValueError, RecursionError):
                continue
            return text[next_row:]
        if ends or len(text) > _MOST_WAITED:
            self._between = None
        return text


def read_body(answer: requests.Response) -> Body:
    """Read and decode a body; rows of a long list are parsed while the rest is on its way.

    Raises what the network may raise, and UnicodeDecodeError for what is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    body, empty = Body(), True
    for chunk in answer.raw.stream(_CHUNK, decode_content=True):
        empty = empty and not chunk
        body.add(decoder.decode(chunk))
    # A session of the caller's may have read the body itself, for a redirect that it does not follow.
    body.add(decoder.decode(answer.content if empty else b"", final=True))
    return body


def loads(text: str) -> Any:
    """Parse JSON; a number of more digits than Python takes stays text, which fails nothing but its own reading."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=lambda digits: digits if len(digits) > _MOST_DIGITS else int(digits))
