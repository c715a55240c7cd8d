"""``planhat demo``: runs the script of ``tour.py`` on a sandbox and shows each step with its code, output and cost.

Needs Rich and the sandbox. The code that is shown is the text that is executed. It does not promise to leave the
process as it was: the last default session is that of the demo, and its server is gone.
"""

from __future__ import annotations

import io
import json
import os
import re
import textwrap
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rich.syntax import Syntax
from rich.text import Text

from planhat_orm import Session
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from planhat_orm.sandbox import RecordedRequest

INTRODUCTION = """\
planhat_orm, shown on a sandbox: a Planhat on this machine with made-up data. \
No account is needed and nothing leaves this machine.\
"""

READ_ON = """\
Next: `planhat sandbox` keeps such a Planhat running for scripts of your own; README.md has a first one, \
docs/index.md the rest.\
"""

INDENT = "    "

_HEADING = re.compile(r"^# \d+\. .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the tour: its heading and its code."""

    title: str
    code: str


def steps_of(script: str) -> list[Step]:
    """Cut a script at its numbered comments; what stands before the first is left out.

    >>> steps_of("x = 0\\n# 1. Add\\nx += 1\\n\\n# 2. Show\\nprint(x)\\n")
    [Step(title='1. Add', code='x += 1'), Step(title='2. Show', code='print(x)')]
    """
    headings = list(_HEADING.finditer(script))
    ends = [heading.start() for heading in headings[1:]] + [len(script)]
    return [
        Step(heading.group().removeprefix("# "), script[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    ]


def tour() -> str:
    """Return the script as it stands in the package."""
    return files("planhat_orm.cli").joinpath("tour.py").read_text(encoding="utf-8")


def run_demo(console: Console) -> None:
    """Run the tour on a sandbox with demo data and show it.

    :raises PlanhatError: what a step raised and did not catch.
    """
    show_paragraph(console, INTRODUCTION)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    total = 0
    with Sandbox(demo=True) as box, environment(box.environment()):
        try:
            for step in steps_of(tour()):
                before = len(box.requests)
                show_code(console, step)
                printed = run(step, namespace)
                sent = box.requests[before:]
                show_result(console, printed, sent)
                total += len(sent)
        finally:
            session = Session.find_current()
            if session is not None:
                session.close()
    show_paragraph(console, f"In all: {said(total)}. {READ_ON}")


def run(step: Step, namespace: dict[str, Any]) -> str:
    """Execute a step and return what it printed."""
    printed = io.StringIO()
    code = compile(step.code, f"<step {step.title}>", "exec", dont_inherit=True)
    with redirect_stdout(printed):
        exec(code, namespace)  # noqa: S102 - our own script, whose text was shown just before
    return printed.getvalue()


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Put these in place of all PLANHAT_ variables inside the block, so that no real tenant can be meant."""
    before = {name: value for name, value in os.environ.items() if name.startswith("PLANHAT_")}
    try:
        for name in before:
            del os.environ[name]
        os.environ.update(variables)
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
        os.environ.update(before)


def show_paragraph(console: Console, text: str) -> None:
    """Print a paragraph and an empty line."""
    console.print(textwrap.fill(text, console.width), markup=False, soft_wrap=True)
    console.print()


def show_code(console: Console, step: Step) -> None:
    """Print a step's heading and code, word for word; in colours when there is a terminal to show them."""
    console.print(Text(step.title, style="bold"))
    code = Syntax(step.code, "python", theme="ansi_dark", background_color="default").highlight(step.code)
    for line in code.split("\n"):
        console.print(Text(INDENT).append_text(line) if line.plain else "", soft_wrap=True)


def show_result(console: Console, printed: str, sent: Sequence[RecordedRequest]) -> None:
    """Print what a step printed, and the requests that it cost."""
    console.print(Text("prints", style="dim"))
    show_lines(console, printed.splitlines())
    console.print(Text(f"costs {said(len(sent))}", style="dim"))
    show_lines(console, map(line_of, sent), style="cyan")
    console.print()


def show_lines(console: Console, lines: Iterable[str], *, style: str = "") -> None:
    """Print lines, indented, and those that are too long on several."""
    for line in lines:
        wrapped = textwrap.wrap(
            line, console.width, initial_indent=INDENT, subsequent_indent=INDENT, replace_whitespace=False
        )
        console.print(Text("\n".join(wrapped), style=style), soft_wrap=True)


def line_of(request: RecordedRequest) -> str:
    """Return a request's method and path, and its body when it has one."""
    body = "" if request.json is None else f" {json.dumps(request.json, ensure_ascii=False)}"
    return f"{request.method} {request.path}{body}"


def said(count: int) -> str:
    """Return a number of requests in words.

    >>> said(0), said(1), said(2)
    ('no request', '1 request', '2 requests')
    """
    if count == 0:
        return "no request"
    return "1 request" if count == 1 else f"{count} requests"
