"""Where a command's output goes: data to stdout, the rest to stderr, an error as one line.

Needs Typer and Rich. Knows no command. It does not promise colour: that is left out when the output is no terminal.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from planhat_orm.errors import PlanhatError

#: Wider lines are hard to read, whatever the terminal has room for.
WIDEST = 100

_DEBUG = "planhat_orm.debug"


def output() -> Console:
    """Return the console for data: stdout as it is now."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    return console


def tell(text: str) -> None:
    """Say something to the person at the screen, on stderr."""
    typer.echo(text, err=True)


def _remember_debug(context: typer.Context, value: bool) -> bool:
    # The meta of a context is shared with the contexts above it, so the option works before and after the command.
    context.meta[_DEBUG] = context.meta.get(_DEBUG, False) or value
    return value


#: The option ``--debug``, for the command and each of its parts.
Debug = Annotated[
    bool, typer.Option("--debug", callback=_remember_debug, is_eager=True, help="Show where an error came from.")
]


class ErrorsInOneLine(TyperGroup):
    """A command group that turns an error of ours into one line and exit code 1, unless ``--debug`` was given."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except PlanhatError as problem:
            if ctx.meta.get(_DEBUG):
                raise
            tell(f"planhat: {one_line(problem)}")
            raise typer.Exit(1) from None


def one_line(problem: PlanhatError) -> str:
    """Return an error's message without line breaks, or its kind when it has none.

    >>> one_line(PlanhatError("no such host:\\n  api-eu33"))
    'no such host: api-eu33'
    """
    return " ".join(str(problem).split()) or type(problem).__name__
