"""``planhat sandbox``: keeps a sandbox running until it is told to stop.

Needs the sandbox. It does not promise to be reached from another machine: it listens on loopback only.
"""

from __future__ import annotations

import shlex
import signal
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from planhat_orm.cli.console import tell
from planhat_orm.errors import ConfigurationError
from planhat_orm.models import Company
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.demo import TODAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def serve(*, port: int, data: Path | None, demo: bool, seed: int, show: Callable[[str], None]) -> None:
    """Run a sandbox until Ctrl-C or the signal to terminate.

    :param port: 0 for any that is free.
    :param data: the file of its rows; None keeps them in memory.
    :param show: is given the lines to paste into a shell.
    :raises ConfigurationError: when the port is taken, or the file is none of a sandbox.
    """
    with stopped_by_signals():
        try:
            box = opened(port=port, data=data, demo=demo, seed=seed)
            try:
                tell(f"A Planhat sandbox with {rows_of(box)} runs at {box.url} until Ctrl-C.")
                if demo:
                    tell(f"The made-up data is of {TODAY.day} {TODAY:%B %Y}: take that as today.")
                tell("In the shell of your script, paste:")
                for line in export_lines(box.environment()):
                    show(line)
                while True:
                    time.sleep(3600)
            finally:
                box.close()
        except KeyboardInterrupt:
            tell("Stopped.")


def opened(*, port: int, data: Path | None, demo: bool, seed: int) -> Sandbox:
    """Return a started sandbox."""
    try:
        box = Sandbox(data, demo=demo, seed=seed, port=port)
    except sqlite3.Error as problem:
        raise ConfigurationError(f"{data} cannot be used for the rows of a sandbox: {problem}") from problem
    try:
        return box.start()
    except ConfigurationError as problem:
        box.close()
        raise ConfigurationError(f"{problem}; choose another with --port, or --port 0 for any free one") from problem


def rows_of(box: Sandbox) -> str:
    """Say how much there is in a sandbox."""
    companies = box.count(Company)
    return f"{companies:,} companies" if companies else "no companies"


def export_lines(variables: Mapping[str, str]) -> list[str]:
    """Return the lines that set variables in a POSIX shell, one for each, so that none is wider than a terminal.

    >>> export_lines({"PLANHAT_API_TOKEN": "sandbox-token", "PLANHAT_BASE_URL": "http://127.0.0.1:8425"})
    ['export PLANHAT_API_TOKEN=sandbox-token', 'export PLANHAT_BASE_URL=http://127.0.0.1:8425']
    """
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Make the signal to terminate end the block as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
