"""Sphinx configuration; build with ``sphinx-build -W -b html docs docs/_build/html``."""

from __future__ import annotations

import sys
from configparser import ConfigParser
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

_metadata = ConfigParser()
_metadata.read(HERE.parent / "setup.cfg", encoding="utf-8")

project = "planhat_orm"
author = "the planhat_orm authors"
copyright = "2026, the planhat_orm authors"  # noqa: A001 - Sphinx names it
release = version = _metadata["metadata"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "model_tables", "model_pages"]
exclude_patterns = ["_build", "_ext"]
html_theme = "furo"
html_title = f"planhat_orm {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]

# Many texts of the reference hold code without being marked as such: [...] and "" are to stay as they are.
smartquotes = False

myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# Defaults as they are written: Quota(), not its repr.
autodoc_preserve_defaults = True
add_module_names = False
