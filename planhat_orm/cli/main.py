"""The entry point of the ``planhat`` command.

Imports the rest of the package only once it is known that Typer and Rich are there. It does not promise an exit code
beyond 0 (done), 1 (an error, in one line on stderr) and 2 (the command line cannot be meant).
"""

from __future__ import annotations

import io
import sys

from planhat_orm.cli.needs import require
from planhat_orm.errors import ConfigurationError


def main() -> None:
    """Run the ``planhat`` command with the arguments of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's encoding lacks is shown with a question mark, not as a traceback.
            stream.reconfigure(errors="replace")
    try:
        require("typer", "rich")
    except ConfigurationError as problem:
        sys.exit(f"planhat: {problem}")

    from planhat_orm.cli.app import app

    app(prog_name="planhat")
