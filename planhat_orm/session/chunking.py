"""Cutting items into requests: at most so many of them, and so many bytes, in each.

Imports how bodies are encoded. It does not know what the items are, nor what to say of one that fits into no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["MAX_BYTES", "chunked"]

T = TypeVar("T")

#: Most bytes of one request: 32 MB are allowed (https://docs.planhat.com), and which megabytes are meant is not said.
MAX_BYTES = 32_000_000


def chunked(
    items: Iterable[T],
    size_of: Callable[[T], int],
    too_large: Callable[[int, T, int], Exception],
    *,
    most: int,
    largest: int = MAX_BYTES,
) -> Iterator[list[T]]:
    """Yield lists of at most ``most`` items, each of at most ``largest`` bytes as a JSON array.

    A full list is yielded at once, so that a generator is not read beyond what is sent.

    :param size_of: the bytes of an item as it travels.
    :param too_large: makes the error to raise for an item that fits into no request, of its place, itself and its size.

    >>> list(chunked(["a", "bb", "c"], len, lambda place, item, size: ValueError(item), most=2))
    [['a', 'bb'], ['c']]
    >>> list(chunked(["a", "bb", "c"], len, lambda place, item, size: ValueError(item), most=5, largest=4))
    [['a'], ['bb'], ['c']]
    """
    chunk: list[T] = []
    total = 1  # the brackets, and a comma for each item but one
    for place, item in enumerate(items):
        size = size_of(item)
        if size + 2 > largest:
            raise too_large(place, item, size)
        if total + size + 1 > largest:
            yield chunk
            chunk, total = [], 1
        chunk.append(item)
        total += size + 1
        if len(chunk) == most:
            yield chunk
            chunk, total = [], 1
    if chunk:
        yield chunk
