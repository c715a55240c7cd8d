"""The price of a list of known length is the number of pages that the engine asks for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from planhat_orm.orm.planner import pages_of
from planhat_orm.paging import Rows, scan


def pages_read(rows: int, page_size: tuple[int, int]) -> int:
    table = [{"_id": f"{number:024x}"} for number in range(rows)]
    engine, pages = scan(page_size=page_size[1], default_size=page_size[0], order="id"), 0
    step: Any = next(engine)
    try:
        while True:
            if isinstance(step, Rows):
                step = next(engine)
            else:
                pages += 1
                step = engine.send(table[step.offset : step.offset + step.limit])
    except StopIteration:
        return pages


def test_a_list_of_any_length_is_priced_by_the_pages_that_are_read():
    size = (100, 500)
    meta: Any = SimpleNamespace(page_size=size)
    lengths = range(1_600)
    assert [pages_of(meta, rows) for rows in lengths] == [pages_read(rows, size) for rows in lengths]
