"""The pages under docs/ and the package speak of the same things. (Their examples are run by docs/conftest.py.)"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

import planhat_orm
from planhat_orm import errors, models, settings
from planhat_orm.analytics import Metric
from planhat_orm.orm.lookups import LOOKUPS
from planhat_orm.orm.options import META_DEFAULTS, OPERATIONS
from planhat_orm.sandbox.faults import KINDS
from planhat_orm.session.changes import Ledger, Status
from planhat_orm.session.session import CHECK_CUSTOM
from planhat_orm.wire.retry import RULES, Fate, Replay

DOCS = Path(__file__).parent.parent / "docs"
SURE = {"documented", "observed", "inferred"}
OBJECTS = [*(getattr(models, name) for name in models.__all__), Metric]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def tables(text: str) -> list[list[list[str]]]:
    """Return the Markdown tables of a page as rows of cells, headings first, rules left out."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if set(cells[0]) != {"-"}:
                found[-1].append(cells)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def error_tree(text: str) -> dict[str, str]:
    """Return the drawn tree of errors: each name with the one that it hangs from."""
    parents: dict[str, str] = {}
    above: dict[int, str] = {}
    for line in re.findall(r"^([│ ]*[├└]── )?(\w+)", text[text.index("PlanhatError\n├") :], re.MULTILINE):
        depth, name = len(line[0]) // 4, line[1]
        above[depth] = name
        parents[name] = above.get(depth - 1, "")
        if name == "ServerError":
            break
    return parents


def test_the_drawn_error_tree_is_the_real_one() -> None:
    drawn = error_tree(page("errors.md"))
    for name in errors.__all__:
        cls = getattr(errors, name)
        real = cls.__bases__[0].__name__ if cls is not errors.PlanhatError else ""
        assert drawn.pop(name) == real, name
    assert drawn == {}


def test_each_error_that_is_raised_has_advice() -> None:
    advised = {word for table in tables(page("errors.md")) for row in table for word in re.findall(r"\w+", row[0])}
    aliases = {"ObjectDoesNotExist": "DoesNotExist"}
    missing = {name for name in errors.__all__ if aliases.get(name, name) not in advised}
    assert missing == {"PlanhatError", "ApiError"}, "these two are only ever raised as one of their subclasses"


def test_the_table_of_environment_variables_is_complete() -> None:
    documented = {row[0].strip("`") for row in tables(page("sessions.md"))[0]} - {"Variable"}
    read = set(re.findall(r"PLANHAT_[A-Z_]+[A-Z]", Path(settings.__file__).read_text(encoding="utf-8")))
    assert documented == read


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_each_lookup_is_named(lookup: str) -> None:
    assert f"`{lookup}`" in page("querysets.md")


def test_each_fault_of_the_sandbox_is_in_the_table() -> None:
    [table] = [table for table in tables(page("testing.md")) if table[0][0] == "Fault"]
    assert {name for row in table[1:] for name in re.findall(r"`(\w+)`", row[0])} == set(KINDS)


def test_each_fact_says_how_sure_it_is_and_where_it_is_from() -> None:
    facts = [row for table in tables(page("what-planhat-does.md")) for row in table[1:]]
    assert len(facts) > 60
    for fact, sure, source in facts:
        words = set(re.findall(r"[a-z]+", sure)) & SURE
        assert words or "not known" in fact, fact
        assert source or not words or words == {"inferred"}, fact


def test_what_is_importable_from_the_top_is_in_the_reference() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    named = {name for name in planhat_orm.__all__ if name not in errors.__all__}
    assert {name for name in named if f"planhat_orm.{name}" not in text} == set()


def test_the_table_of_repetitions_is_that_of_the_library() -> None:
    fates = (Fate.NEVER_SENT, Fate.REFUSED, Fate.SLOW, Fate.LOST, Fate.SETTLED, Fate.UNSENDABLE)
    [table] = [table for table in tables(page("saving.md")) if table[0][0] == "What happened"]
    assert set(fates) == set(RULES) - {Fate.DONE}
    for fate, (_, _, again, after) in zip(fates, table[1:], strict=True):
        rule = RULES[fate]
        assert again.startswith("no") == (not rule.again), fate
        assert ("never a create" in again) == (bool(rule.again) and Replay.NEVER not in rule.again), fate
        assert (f"{rule.first:g} s, doubling" in after) == bool(rule.again), fate


def test_each_option_of_a_model_is_in_the_reference_with_its_default() -> None:
    [table] = [table for table in tables(page("reference/fields.md")) if table[0][0] == "Option"]
    shown = {row[0].strip("`"): row[1].strip("`") for row in table[1:]}
    assert shown.keys() == META_DEFAULTS.keys()
    for name, default in META_DEFAULTS.items():
        if name != "doc_url":
            assert ast.literal_eval(shown[name]) == default, name


def test_each_list_of_a_ledger_is_explained() -> None:
    [table] = [table for table in tables(page("saving.md")) if table[0][0] == "List"]
    explained = {name for row in table[1:] for name in re.findall(r"`(\w+)`", row[0])}
    # No bulk upsert deletes, finds nothing, or is merely received.
    assert explained == set(get_args(Status)) - {"deleted", "not_found", "acknowledged"}
    assert all(isinstance(getattr(Ledger, status), property) for status in get_args(Status))


def test_what_a_session_checks_of_custom_keys_is_in_the_table() -> None:
    [table] = [table for table in tables(page("sessions.md")) if table[0] == ["Value", "What is looked up", "Costs"]]
    assert [re.findall(r'"(\w+)"', row[0])[0] for row in table[1:]] == list(CHECK_CUSTOM)


WRITTEN = sorted([*DOCS.glob("*.md"), *(DOCS / "reference").glob("*.md")])


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_pages_speak_of_sources_that_readers_can_look_up(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"stored (page|text)|planhat-api/|fact sheet|\.yaml", text)


def test_each_aspect_that_evidence_speaks_of_is_named() -> None:
    [table] = [table for table in tables(page("reference/fields.md")) if table[0][0] == "Option"]
    [row] = [row for row in table if row[0] == "`evidence`"]
    said = set(re.findall(r'`"(\w+)"`', row[2]))
    used = {aspect for model in OBJECTS for aspect in model._meta.evidence}
    assert used - said <= {*OPERATIONS, *(name for model in OBJECTS for name in model._meta.more_operations)}
    assert said <= used


def test_each_list_that_hides_rows_is_named() -> None:
    [table] = [table for table in tables(page("querysets.md")) if table[0][0] == "List"]
    names = {"endusers": "Enduser", "tasks": "Task", "NPS answers": "NPS", "metrics": "Metric"}
    assert {names[row[0]] for row in table[1:]} == {model.__name__ for model in OBJECTS if model._meta.unhide}
