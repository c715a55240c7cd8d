"""Which session is the current one: blocks, the default, threads, tasks and generators."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import Session, connect
from planhat_orm.errors import ConfigurationError
from planhat_orm.models import Company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planhat_orm.sandbox import Sandbox


# Which one is current


def test_without_a_session_the_error_says_what_to_do() -> None:
    assert Session.find_current() is None
    with pytest.raises(ConfigurationError, match=r"connect\(\) first.*PLANHAT_API_TOKEN.*Sandbox"):
        Session.current()


def test_connect_sets_the_default_of_every_thread(in_thread: Callable[..., Any]) -> None:
    session = connect(token="a-token")
    assert Session.current() is session
    assert in_thread(Session.current) is session


def test_a_second_connect_takes_the_place_of_the_first() -> None:
    connect(token="a-token")
    assert connect(token="b-token") is Session.current()


def test_a_connect_that_fails_leaves_the_default() -> None:
    session = connect(token="a-token")
    with pytest.raises(ConfigurationError):
        connect(token="a-token", region="no region")
    assert Session.current() is session


def test_a_with_block_goes_before_the_default_and_nests() -> None:
    default = connect(token="a-token")
    with Session(token="a-token") as outer:
        assert Session.current() is outer
        with Session(token="a-token") as inner:
            assert Session.current() is inner
            with outer:
                assert Session.current() is outer
            assert Session.current() is inner
        assert Session.current() is outer
    assert Session.current() is default


def test_blocks_may_be_left_in_any_order() -> None:
    one, two = Session(token="a-token"), Session(token="a-token")
    one.__enter__()
    two.__enter__()
    one.__exit__()
    assert Session.current() is two
    two.__exit__()
    assert Session.find_current() is None


def test_a_block_that_raises_is_left_all_the_same() -> None:
    with pytest.raises(ZeroDivisionError), Session(token="a-token"):
        raise ZeroDivisionError
    assert Session.find_current() is None


def test_connect_inside_a_block_is_refused() -> None:
    default = connect(token="a-token")
    with Session(token="a-token"), pytest.raises(ConfigurationError, match="outside"):
        connect(token="b-token")
    assert Session.current() is default


def test_connect_in_another_thread_is_not_inside_the_block(in_thread: Callable[..., Any]) -> None:
    with Session(token="a-token") as session:
        other = in_thread(lambda: connect(token="b-token"))
        assert isinstance(other, Session)
        assert Session.current() is session
    assert Session.current() is other


def test_a_thread_takes_no_default_while_a_block_is_open_elsewhere(in_thread: Callable[..., Any]) -> None:
    default = connect(token="a-token")
    with Session(token="a-token"):
        refused = in_thread(Session.current)
        assert isinstance(refused, ConfigurationError)
        assert "using(session)" in str(refused)
        assert in_thread(Session.find_current) is None
    assert in_thread(Session.current) is default


def test_a_thread_with_a_block_of_its_own_has_its_session(in_thread: Callable[..., Any]) -> None:
    with Session(token="a-token"):
        own = Session(token="a-token")

        def work() -> bool:
            with own:
                return Session.current() is own

        assert in_thread(work) is True


def test_a_copied_context_takes_the_session_along() -> None:
    with Session(token="a-token") as session:
        context = contextvars.copy_context()
    assert context.run(Session.find_current) is session
    assert Session.find_current() is None


def test_a_session_handed_over_serves_a_thread(box: Sandbox, in_thread: Callable[..., Any]) -> None:
    box.add(Company, name="Acme")
    with box.session() as session:
        names = in_thread(lambda: [company.name for company in Company.objects.using(session)])
        assert names == ["Acme"]
        refused = in_thread(lambda: list(Company.objects.all()))
        assert isinstance(refused, ConfigurationError)
    assert len(box.requests) == 1


# Tasks


def test_tasks_have_a_session_each_and_may_share_one() -> None:
    shared, seen = Session(token="a-token"), []

    async def task(session: Session, steps: int) -> None:
        with shared, session:
            for _ in range(steps):
                await asyncio.sleep(0)
                seen.append(Session.current() is session)
        assert Session.find_current() is None

    async def main() -> None:
        await asyncio.gather(
            task(Session(token="a-token"), 5),
            task(Session(token="a-token"), 2),
            task(shared, 3),
            task(Session(token="a-token"), 4),
        )

    asyncio.run(main())
    assert seen == [True] * 14


def test_a_task_inherits_the_session_of_its_maker() -> None:
    async def inner() -> Session:
        await asyncio.sleep(0)
        return Session.current()

    async def main() -> None:
        with Session(token="a-token") as session:
            assert await asyncio.create_task(inner()) is session
            assert await asyncio.to_thread(Session.current) is session

    asyncio.run(main())


def test_a_block_in_a_generator_may_be_left_in_another_context() -> None:
    def rows(session: Session) -> Iterator[Session]:
        with session:
            yield Session.current()

    session = Session(token="a-token")
    generator = rows(session)
    assert contextvars.copy_context().run(next, generator) is session
    generator.close()
    assert Session.find_current() is None
