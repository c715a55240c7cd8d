"""Every example in the package's docstrings, run against a sandbox of its own with the demo data.

An example may use the names of its module and, without importing them, those of ``names``.
"""

from __future__ import annotations

import doctest
import importlib
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sybil.document import Document, PythonDocStringDocument
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract import DocTestStringParser

import planhat_orm
from planhat_orm.models import Company, Enduser, License, Note, User
from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.loopback import only_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(planhat_orm.__file__).parent
PROMPT = re.compile(r"^\s*>>> ", re.MULTILINE)
PARSER = DocTestStringParser(DocTestEvaluator(optionflags=doctest.ELLIPSIS))


class Docstring(Document):
    """One docstring: its examples share their names, and nothing with those of another."""

    def __init__(self, path: Path, source: str, start: int, text: str) -> None:
        super().__init__(source, str(path))
        self.line = source.count("\n", 0, start) + 1
        for region in PARSER(text, str(path)):
            # The document is the whole file, so that a failure names the line in it.
            region.start += start
            region.end += start
            self.add(region)

    @property
    def module(self) -> str:
        parts = Path(self.path).relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts).removesuffix(".__init__")


def docstrings(path: Path) -> Iterator[Docstring]:
    source = path.read_text(encoding="utf-8")
    for start, _, text in PythonDocStringDocument.extract_docstrings(source):
        if PROMPT.search(text):
            yield Docstring(path, source, start, text)


ALL = [one for path in sorted(PACKAGE.rglob("*.py")) for one in docstrings(path)]


@pytest.fixture
def names(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_set: None
) -> Iterator[dict[str, Any]]:
    """The names that examples need not import; the session is the process's default, as after ``connect()``."""
    shutil.copyfile(demo_file, tmp_path / "demo.sqlite")
    monkeypatch.chdir(tmp_path)
    with Sandbox(tmp_path / "demo.sqlite") as box, only_loopback():
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        session = planhat_orm.connect(quota=None)
        models = {model.__name__: model for model in (Company, Enduser, License, Note, User)}
        face = {name: getattr(planhat_orm, name) for name in ("connect", "Session", "Q")}
        yield models | face | {"box": box, "session": session}
        session.close()


@pytest.mark.parametrize("docstring", ALL, ids=lambda one: f"{one.module}:{one.line}")
def test_examples_in_docstrings_hold(docstring: Docstring, names: dict[str, Any]) -> None:
    docstring.namespace.update(names)
    docstring.namespace.update(vars(importlib.import_module(docstring.module)))
    for example in docstring.examples():
        example.evaluate()


def test_no_example_is_overlooked() -> None:
    prompts = sum(len(PROMPT.findall(path.read_text(encoding="utf-8"))) for path in PACKAGE.rglob("*.py"))
    assert sum(len(list(docstring.examples())) for docstring in ALL) == prompts > 100
