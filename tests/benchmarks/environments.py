"""A virtual environment for each published client, made when it is first needed and kept for the next run.

Imports the standard library only. It does not promise that a client is there: whoever cannot be installed or imported
is :class:`Missing`, with the reason.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

DEFAULT = Path(tempfile.gettempdir()) / "planhat-clients"


class Missing(Exception):
    """A client cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class Client:
    """A published client: its name on PyPI, its module among ours, what to import, and what it needs beside itself."""

    name: str
    module: str
    imports: str
    beside: tuple[str, ...] = ()
    note: str = ""


PUBLISHED = (
    Client(
        "cruds",
        "with_cruds",
        "cruds.interfaces.planhat",
        note="its address is set on its client, and its rest of 0.3 s between pages is turned off, as our quota is",
    ),
    Client(
        "robocorp-planhat",
        "with_robocorp",
        "planhat.client",
        beside=("typing-extensions",),  # imported, but not declared by its wheel
        note="its address is set on its session (a private attribute, it has no setting); it hands out whole lists "
        "only, also for iterating; its cache, which would read all records first, is off for get and endusers",
    ),
    Client(
        "pyplanhat",
        "with_pyplanhat",
        "pyplanhat",
        note="list() returns the first page and takes no parameters: pages are asked for by hand over its connection, "
        "into its models; endusers take a request for each company, over a path that Planhat does not document",
    ),
    Client(
        "planhat",
        "with_planhat",
        "planhat",
        note="get_companies() returns the first page and takes no limit: pages, keys and lists of ids are asked for "
        "by hand over its request()",
    ),
)


def python_of(client: Client, folder: Path, *, offline: bool = False) -> Path:
    """Return the interpreter that has the client; install the client first where it is missing.

    :raises Missing: when it cannot be installed or imported, or is not there and ``offline`` is set.
    """
    home = folder / client.name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = home / "installed"  # written last, so that half an installation is not taken for a whole one
    if not ready.exists():
        if offline:
            raise Missing(f"not installed under {folder}")
        install(client, home, python)
        ready.touch()
    tried = subprocess.run([python, "-c", f"import {client.imports}"], capture_output=True, text=True, env=plain())
    if tried.returncode:
        raise Missing(f"cannot be imported: {last_line(tried.stderr)}")
    return python


def install(client: Client, home: Path, python: Path) -> None:
    """Make the environment and install the client."""
    print(f"installing {client.name} ...", file=sys.stderr, flush=True)
    try:
        venv.create(home, with_pip=True, clear=True)
    except (OSError, subprocess.SubprocessError) as problem:
        raise Missing(f"no virtual environment could be made: {last_line(str(problem))}") from problem
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", client.name, *client.beside]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"cannot be installed: {last_line(done.stderr)}")


def version_of(client: Client, python: Path) -> str:
    """Return the installed version of a client."""
    code = f"from importlib.metadata import version; print(version({client.name!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def plain() -> dict[str, str]:
    """Return the environment for a measured process: nothing of ours, and no proxy, as all traffic stays here."""
    left_out = ("PLANHAT_", "PYTHON", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(left_out) and not name.lower().endswith("_proxy")
    }


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
