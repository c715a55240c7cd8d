"""Remember which ids a scan handed out, in little memory.

While the order is honoured, "not beyond the last id" is all a scan has to know. Only when a page shows, perhaps late,
that the order is not honoured, must every earlier id be known. So ids are packed page by page (a Planhat id is twelve
bytes written in hexadecimal) and unpacked into a set only then. It imports nothing of the package and does not promise
a small memory once unpacked.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Seen"]

_HEX_LENGTH = 24


class Seen:
    """The ids handed out so far: packed until :meth:`unpack`, a set from then on.

    >>> seen = Seen()
    >>> seen.add(["5f0c1b2a3d4e5f6071829304"])
    >>> "5f0c1b2a3d4e5f6071829304" in seen.unpack()
    True
    """

    __slots__ = ("_ids", "_packed")

    def __init__(self) -> None:
        self._packed: list[bytes | tuple[str, ...]] = []
        self._ids: set[str] | None = None

    def add(self, ids: Sequence[str]) -> None:
        """Remember the ids of one page."""
        if self._ids is not None:
            self._ids.update(ids)
        else:
            self._packed.append(_pack(ids))

    def unpack(self) -> set[str]:
        """Return the set of all ids, which grows with every further :meth:`add`."""
        if self._ids is None:
            self._ids = {one for block in self._packed for one in _unpack(block)}
            self._packed.clear()
        return self._ids


def _pack(ids: Sequence[str]) -> bytes | tuple[str, ...]:
    """Return the ids as compressed bytes, or as they are when one of them is no Planhat id."""
    if not set(map(len, ids)) <= {_HEX_LENGTH}:
        return tuple(ids)
    text = "".join(ids)
    try:
        plain = bytes.fromhex(text)
    except ValueError:
        return tuple(ids)
    # The way back must give the same text: fromhex() also takes capitals and blanks.
    if plain.hex() != text:
        return tuple(ids)
    # Ids made one after another share their leading bytes, which the fastest level finds.
    return zlib.compress(plain, 1)


def _unpack(block: bytes | tuple[str, ...]) -> Iterable[str]:
    if isinstance(block, tuple):
        return block
    text = zlib.decompress(block).hex()
    return (text[at : at + _HEX_LENGTH] for at in range(0, len(text), _HEX_LENGTH))
