"""The commands of ``planhat`` and their options; what they do stands in a module each.

Needs Typer and Rich. A command's own module is imported when it runs, so that ``--help`` loads neither the models nor
Flask. It does not promise the wording of its messages.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from planhat_orm.cli.console import Debug, ErrorsInOneLine, output
from planhat_orm.cli.needs import require

#: Where ``planhat sandbox`` listens unless told otherwise: always the same, so that what was pasted stays right.
PORT = 8425

_EPILOG = """\
\b
Examples:
  planhat demo                 see it work, without an account
  planhat sandbox              a Planhat of your own, to try scripts on
  planhat sandbox --help       its options
"""

_DEMO = """\
Show the library at work, on made-up data. Needs no account.

Runs a short script on a sandbox on this machine: it connects, lists customers, follows links to their owners, changes
a custom field, adds a note and makes two mistakes. Each step shows its code, what it printed and the requests it cost.
Nothing leaves this machine, and PLANHAT_ variables that are set are not used.
"""

_DEMO_EPILOG = """\
\b
Examples:
  planhat demo
  planhat demo | less
"""

_SANDBOX = """\
Run a Planhat of your own on this machine, to try scripts on.

It listens on loopback only, starts with demo data, and prints the variables that lead a script to it. Ctrl-C ends it.
"""

_SANDBOX_EPILOG = """\
\b
Examples:
  planhat sandbox
  planhat sandbox --data try.sqlite    keep the rows for the next run
  planhat sandbox --empty --port 0     no rows, any free port
"""

app = typer.Typer(
    name="planhat",
    cls=ErrorsInOneLine,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        try:
            typer.echo(f"planhat_orm {version('planhat_orm')}")
        except PackageNotFoundError:
            typer.echo("planhat_orm, not installed: run from its source")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


@app.callback(epilog=_EPILOG)
def planhat(version: Version = False, debug: Debug = False) -> None:
    """An Active Record ORM over the Planhat REST API: its demo and its sandbox."""


@app.command(help=_DEMO, epilog=_DEMO_EPILOG, short_help="Show the library at work, on made-up data.")
def demo(debug: Debug = False) -> None:
    """Run the demo."""
    require("flask", "faker")

    from planhat_orm.cli.demo import run_demo

    run_demo(output())


@app.command(help=_SANDBOX, epilog=_SANDBOX_EPILOG, short_help="Run a Planhat of your own on this machine.")
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = PORT,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Keep the rows in this file; without it, in memory."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo/--empty", help="What to put in when there are no rows yet.")] = True,
    seed: Annotated[int, typer.Option(help="The same seed makes the same ids and demo data.")] = 1,
    debug: Debug = False,
) -> None:
    """Run a sandbox."""
    require("flask", *(["faker"] if demo else []))

    from planhat_orm.cli.serve import serve

    serve(port=port, data=data, demo=demo, seed=seed, show=typer.echo)
