"""The page cache: each page once, nothing kept of a scan that failed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from planhat_orm.orm.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pages:
    """Pages that count how often they are fetched; ``fails_at`` raises there once."""

    def __init__(self, *pages: list[int], fails_at: int | None = None) -> None:
        self.pages = pages
        self.fetched: list[int] = []
        self.fails_at = fails_at

    def __call__(self) -> Iterator[list[int]]:
        for number, page in enumerate(self.pages):
            if number == self.fails_at:
                self.fails_at = None
                raise ConnectionError("gone")
            self.fetched.append(number)
            yield list(page)


def test_pages_are_fetched_as_far_as_they_are_needed_and_once() -> None:
    pages = Pages([1, 2], [3, 4], [5])
    results = Results(pages)
    assert results.cached == []
    assert pages.fetched == []
    assert results.upto(1) == [1, 2]
    assert next(iter(results)) == 1
    assert pages.fetched == [0]
    assert results.upto(3) == [1, 2, 3, 4]
    assert list(results) == list(results) == [1, 2, 3, 4, 5]
    assert results.upto(None) == [1, 2, 3, 4, 5]
    assert results.complete
    assert pages.fetched == [0, 1, 2]


def test_two_loops_share_the_pages() -> None:
    pages = Pages([1, 2], [3])
    results = Results(pages)
    assert [(a, b) for a in results for b in results] == [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)]
    assert pages.fetched == [0, 1]


def test_an_error_forgets_everything_so_that_the_next_use_starts_anew() -> None:
    pages = Pages([1, 2], [3], fails_at=1)
    results = Results(pages)
    loop = iter(results)
    assert [next(loop), next(loop)] == [1, 2]
    with pytest.raises(ConnectionError):
        next(loop)
    assert results.cached == []
    assert not results.complete
    assert list(results) == [1, 2, 3]
    assert pages.fetched == [0, 0, 1]


def test_an_error_before_the_first_page_leaves_nothing_behind() -> None:
    def refuse() -> Iterator[list[int]]:
        raise ValueError("no session")

    results = Results(refuse)
    for _ in range(2):
        with pytest.raises(ValueError, match="no session"):
            results.upto(1)
    assert not results.complete


def test_empty_pages_are_no_end() -> None:
    results = Results(Pages([], [1], []))
    assert results.upto(1) == [1]
    assert list(results) == [1]


def test_results_can_be_there_already() -> None:
    results = Results.of([1, 2])
    assert results.complete
    assert list(results) == [1, 2]


def test_threads_share_the_pages() -> None:
    pages = Pages(*([n, n + 1] for n in range(0, 100, 2)))
    results = Results(pages)
    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(list(results))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(100))] * 8
    assert pages.fetched == list(range(50))
