"""The types that users see are tested like behaviour: by mypy and by pyright, in the interpreter that runs the tests.

``accepted.py`` and ``managers.py`` assert types, ``refused.py`` marks slips. Both checkers are told to complain of
marks that are not needed, so that no error means: exactly the marked ones.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from planhat_orm.orm.queryset import QuerySet
from planhat_orm.orm.refused import Refused

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MYPY = ("mypy", "--strict", "--no-incremental", "--cache-dir", os.devnull)
PYRIGHT = ("pyright", "--pythonpath", sys.executable)


def errors_of(*command: str) -> list[str]:
    """Run a type checker; return its errors, one line each."""
    ran = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    found = [line.strip() for line in ran.stdout.splitlines() if re.search(r":\d+(:\d+)?( -|:) error", line)]
    assert bool(found) == bool(ran.returncode), ran.stdout + ran.stderr
    return found


@pytest.mark.parametrize(
    "command",
    [
        (*MYPY, *(str(HERE / f"{name}.py") for name in ("accepted", "managers", "refused"))),
        (*PYRIGHT, "--project", str(HERE)),
    ],
    ids=["mypy", "pyright"],
)
def test_users_see_the_right_types_and_exactly_the_marked_errors(command: tuple[str, ...]) -> None:
    assert errors_of(*command) == []


@pytest.mark.parametrize("checker", [MYPY, PYRIGHT], ids=["mypy", "pyright"])
def test_every_marked_slip_is_an_error_without_its_mark(checker: tuple[str, ...], tmp_path: Path) -> None:
    marked = (HERE / "refused.py").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "bare.py"
    path.write_text("\n".join(line.partition("  # type: ignore")[0] for line in marked) + "\n", encoding="utf-8")
    slips = {number for number, line in enumerate(marked, 1) if "# type: ignore" in line}
    found = {int(number) for line in errors_of(*checker, str(path)) for number in re.findall(r"bare\.py:(\d+)", line)}
    assert len(slips) > 20
    assert found == slips


def test_the_type_of_every_method_of_a_queryset_is_tested() -> None:
    tested = set(re.findall(r"\.(\w+)\b", (HERE / "accepted.py").read_text(encoding="utf-8")))
    public = {name for name in dir(QuerySet) if not name.startswith("_") and not hasattr(Refused, name)}
    assert len(public) > 30
    assert public - tested == set()
