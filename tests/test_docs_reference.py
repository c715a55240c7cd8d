"""The reference pages hold what the models declare: each object, field, filter, refusal and quirk, and who says so.

They are made by the extensions under docs/_ext, whose directives are run here without a build. Needs Sphinx.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("sphinx", reason="the pages are made with planhat_orm[docs]")

from docutils import nodes

import planhat_orm.analytics
import planhat_orm.models
import planhat_orm.paging
import planhat_orm.sandbox
from planhat_orm.orm import evidence, fields, params, relations
from planhat_orm.orm.options import OPERATIONS
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS / "_ext"))

import model_pages  # noqa: E402 - where Sphinx finds them
import model_tables  # noqa: E402

if TYPE_CHECKING:
    from types import ModuleType

    from sphinx.util.docutils import SphinxDirective

    from planhat_orm.orm.model import Model

SURE = {"documented", "observed", "inferred"}
MODELS = model_tables.public_models()


def table_in(found: list[nodes.Node]) -> list[list[str]]:
    """Return the rows of a directive's table as texts, the headings first."""
    [table] = [node for node in found if isinstance(node, nodes.table)]
    return [[entry.astext() for entry in row.findall(nodes.entry)] for row in table.findall(nodes.row)]


def run(directive: type[SphinxDirective], *arguments: str) -> list[nodes.Node]:
    """Run a directive outside of Sphinx: these read the models only."""
    made = directive.__new__(directive)
    made.arguments = list(arguments)
    return made.run()


def test_each_object_has_a_page_and_none_is_left_over(tmp_path: Path) -> None:
    for _ in range(2):
        model_pages.write_pages(SimpleNamespace(srcdir=str(tmp_path)))  # type: ignore[arg-type]
    written = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "reference/generated").glob("*.md")}
    assert {text.splitlines()[0].removeprefix("# ") for text in written.values()} == {one.__name__ for one in MODELS}
    assert {*planhat_orm.models.__all__, "Metric"} == {model.__name__ for model in MODELS}


def test_a_page_of_an_object_that_is_gone_goes(tmp_path: Path) -> None:
    left = tmp_path / "reference/generated/badge.md"
    left.parent.mkdir(parents=True)
    left.write_text("# Badge")
    model_pages.write_pages(SimpleNamespace(srcdir=str(tmp_path)))  # type: ignore[arg-type]
    assert not left.exists()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_page_has_the_parts_that_its_object_has(model: type[Model]) -> None:
    text = model_pages.text_of(model)
    for part in ("endpoint", "operations", "filters", "fields", "quirks", "sources"):
        assert f"```{{model-{part}}} {model.__name__}\n" in text
    managed = any(isinstance(value, Related) for cls in model.__mro__ for value in vars(cls).values())
    assert ("model-managers" in text) == managed


def test_the_table_of_all_objects_and_operations_is_complete() -> None:
    headings, *rows = table_in(run(model_tables.AllOperations))
    assert headings[2:8] == [name.replace("_", " ") for name in OPERATIONS]
    assert [row[0] for row in rows] == [model.__name__ for model in MODELS]
    for model, row in zip(MODELS, rows, strict=True):
        assert row[1] == f"/{model._meta.path}"
        offered = [name for name, shown in zip(OPERATIONS, row[2:8], strict=True) if shown == "yes"]
        assert offered == list(model._meta.operations), model
        assert set(row[2:8]) <= {"yes", "no"}


def test_the_table_of_page_sizes_names_each_object_once_with_its_own() -> None:
    _, *rows = table_in(run(model_tables.AllLimits))
    shown = [(name, most, default) for most, default, names, _ in rows for name in names.split(", ")]
    sizes = [(model.__name__, *model._meta.page_size) for model in MODELS]
    assert sorted(shown) == [(name, f"{most:,}", f"{default:,}") for name, default, most in sizes]


def test_the_table_of_changes_names_the_field_of_each_object_or_what_to_do_instead() -> None:
    _, *rows = table_in(run(model_tables.AllUpdates))
    shown = {name: (said, sure) for name, said, sure in rows}
    assert shown.keys() == {model.__name__ for model in MODELS}
    for model in MODELS:
        meta = model._meta
        said, sure = shown[model.__name__]
        assert sure in SURE
        if meta.updated_field:
            assert said == f"goes by {meta.by_key[meta.updated_field].name}"
        else:
            assert said == f"not offered: {meta.updated_instead}"
        assert said in {row[1] for row in table_in(run(model_tables.ModelEndpoint, model.__name__))}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_field_is_in_the_table_with_what_is_peculiar_to_it(model: type[Model]) -> None:
    _, *rows = table_in(run(model_tables.ModelFields, model.__name__))
    meta = model._meta
    assert [row[0] for row in rows] == [field.name for field in meta.fields]
    for field, (_, key, _, notes, _) in zip(meta.fields, rows, strict=True):
        assert key.split(",")[0] == field.data_key
        assert (f"sent as {field.write_key}" in key) == (field.write_key != field.data_key)
        assert ("only written" in notes) == field.write_only
        assert ("in no list: read one" in notes) == field.get_only
        if isinstance(field, (ForeignKey, ReferenceList)):
            assert (f"takes {field.to}.ref(" in notes) == field.takes_keys
        if field.read_only and field.data_key not in model_tables.required_in(meta):
            assert notes.startswith("read-only")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_filter_and_each_refusal_is_told(model: type[Model]) -> None:
    meta = model._meta
    filters = run(model_tables.ModelFilters, model.__name__)
    assert bool(meta.list_params) == isinstance(filters[-1], nodes.table)
    if meta.list_params:
        assert [row[0] for row in table_in(filters)[1:]] == list(meta.list_params)
    told = {row[0]: row[1] for row in table_in(run(model_tables.ModelOperations, model.__name__))[1:]}
    for operation, instead in meta.not_offered.items():
        assert told[operation.replace("_", " ")] == f"not offered: {instead}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_fact_of_an_object_has_evidence_whose_sources_are_listed(model: type[Model]) -> None:
    meta = model._meta
    facts = [*(field.evidence or meta.evidence["fields"] for field in meta.fields)]
    facts += [quirk.evidence for quirk in meta.quirks]
    facts += [param.evidence or meta.evidence["filters"] for param in meta.list_params.values()]
    facts += [meta.evidence[aspect] for aspect in ("operations", "keys", "limits")]
    [listed] = run(model_tables.ModelSources, model.__name__)
    titles = [item.astext() for item in listed.findall(nodes.list_item)]
    for said in facts:
        assert said.sure in SURE
        assert said.sources, f"{model.__name__}: nobody says so"
        assert all(any(title.startswith(source.title) for title in titles) for source in said.sources)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_quirks_are_sentences_in_own_words(model: type[Model]) -> None:
    texts = [quirk.text for quirk in model._meta.quirks]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert text.endswith("."), text
        assert not re.search(r"stored (page|text)|\bsheets?\b", text), text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@pytest.mark.parametrize("part", ["ModelEndpoint", "ModelOperations", "ModelFilters"])
def test_each_row_of_an_object_says_how_sure_it_is(model: type[Model], part: str) -> None:
    found = run(getattr(model_tables, part), model.__name__)
    rows = table_in(found)[1:] if isinstance(found[-1], nodes.table) else []
    for *_, sure in (row for row in rows if row[0] != "Planhat's page"):
        assert re.fullmatch(r"(documented|observed|inferred) \[[\d,\N{NO-BREAK SPACE}]+\]", sure)


@pytest.mark.parametrize(
    "module",
    [planhat_orm.analytics, planhat_orm.sandbox, fields, relations, evidence, params],
    ids=lambda module: module.__name__,
)
def test_what_a_module_gives_to_everybody_is_in_the_reference(module: ModuleType) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    text += "".join(model_pages.text_of(model) for model in MODELS)
    whole = set(re.findall(r"automodule:: (\S+)\n   :members:\n", text))
    named = {name.rpartition(".")[2] for name in re.findall(r"auto(?:class|function|data):: ([\w.]+)", text)}
    public = getattr(module, "__all__", [name for name, value in vars(module).items() if is_own(value, module)])
    assert public
    assert module.__name__ in whole or {name for name in public if name[0].isupper() and len(name) > 1} - named == set()


def is_own(value: object, module: ModuleType) -> bool:
    """Tell whether something is defined in a module."""
    return getattr(value, "__module__", "") == module.__name__


def test_each_engine_and_what_it_is_asked_by_is_in_the_reference() -> None:
    text = (DOCS / "reference/paging.md").read_text(encoding="utf-8")
    shown = {name for line in re.findall(r":members: (.+)", text) for name in line.split(", ")}
    assert shown == {*planhat_orm.paging.__all__} - {"Page"}  # a name for lists of rows
