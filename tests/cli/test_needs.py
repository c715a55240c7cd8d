"""What is missing is named in one line, with the command that brings it."""

from __future__ import annotations

import sys

import pytest

from planhat_orm.cli.needs import INSTALL, is_installed, require
from planhat_orm.errors import ConfigurationError


def test_what_is_there_is_no_complaint() -> None:
    require("json", "typer", "rich")
    assert is_installed("typer")


def test_each_missing_module_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        require("json", "no_such_one", "no_such_other")
    assert str(caught.value) == f"no_such_one and no_such_other are not installed; run: {INSTALL}"


def test_a_blocked_module_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", None)
    assert not is_installed("flask")
