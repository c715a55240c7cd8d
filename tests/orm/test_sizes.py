"""What a session knows of how long lists are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from planhat_orm import Session
from planhat_orm.orm import sizes

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox


def test_at_least_so_many_does_not_replace_more(planhat_sandbox: Sandbox) -> None:
    session = Session.current()
    sizes.note(session, "/a", {}, 500, exact=True)
    sizes.note(session, "/a", {}, 400, exact=False)
    found = sizes.known(session, "/a", {})
    assert found is not None
    assert (found.rows, found.exact) == (500, True)
    sizes.note(session, "/a", {}, 501, exact=False)
    found = sizes.known(session, "/a", {})
    assert found is not None
    assert (found.rows, found.exact) == (501, False)


def test_only_the_lists_that_were_looked_at_last_are_known(planhat_sandbox: Sandbox) -> None:
    session = Session.current()
    sizes.note(session, "/first", {}, 1, exact=True)
    sizes.note(session, "/again", {}, 1, exact=True)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: sizes.note(session, "/list", {"of": str(n)}, n, exact=True), range(sizes.MOST - 2)))
    sizes.note(session, "/again", {}, 2, exact=True)
    sizes.note(session, "/last", {}, 1, exact=True)
    assert sizes.known(session, "/first", {}) is None
    assert sizes.known(session, "/again", {}) is not None
    assert sizes.known(session, "/last", {}) is not None
    assert len(sizes._known[session]) == sizes.MOST
