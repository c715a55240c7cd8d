"""Run every example of these pages: ``python`` fences as they stand, ``pycon`` fences with the output they show.

Each page has a sandbox of its own with the demo data, ``box``, and an environment that leads ``connect()`` there.
"""

from __future__ import annotations

import doctest
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from sybil import Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract import DocTestStringParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer
from sybil.parsers.myst import CodeBlockParser

from planhat_orm.orm.options import registry
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback
from planhat_orm.sandbox.pytest_plugin import UNSET
from planhat_orm.session import session as sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sybil import Document, Region


class PromptParser:
    """Finds the prompts in ``pycon`` fences."""

    def __init__(self) -> None:
        self.fences = FencedCodeBlockLexer("pycon")
        self.prompts = DocTestStringParser(DocTestEvaluator(optionflags=doctest.ELLIPSIS))

    def __call__(self, document: Document) -> Iterator[Region]:
        for fence in self.fences(document):
            source = fence.lexemes["source"]
            for region in self.prompts(source, document.path):
                region.adjust(fence, source)
                yield region


# Sphinx copies the pages there.
collect_ignore = ["_build"]


def open_page(names: dict[str, Any]) -> None:
    """Give a page its sandbox, and lead the environment there."""
    with ExitStack() as stack:
        box = stack.enter_context(Sandbox(demo=True))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in box.environment().items():
            patch.setenv(name, value)
        for name in UNSET:
            patch.delenv(name, raising=False)
        patch.setattr(sessions._Process, "default", None)
        stack.enter_context(only_loopback())
        stack.callback(forget_all_but, dict(registry))
        names |= {"box": box, "close_page": stack.pop_all().close}


def forget_all_but(known: dict[str, Any]) -> None:
    """Forget the models that a page declared, and give their names back."""
    registry.clear()
    registry.update(known)


def close_page(names: dict[str, Any]) -> None:
    """Take the sandbox away."""
    names["close_page"]()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, so that examples which write files leave none here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser("python", PythonEvaluator()), PromptParser()],
    pattern="*.md",
    setup=open_page,
    teardown=close_page,
    fixtures=["folder"],
).pytest()
