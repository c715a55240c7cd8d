"""What to install when an optional dependency is missing, in one line.

Imports the standard library and errors only, so that it works where nothing else is installed. It does not promise
that what is installed is new enough.
"""

from __future__ import annotations

from importlib.util import find_spec

from planhat_orm.errors import ConfigurationError

#: There is no published package yet: this is for a clone, with the environment that the README makes.
INSTALL = ".venv/bin/pip install '.[cli,sandbox]'"


def require(*modules: str) -> None:
    """Refuse to go on without these modules.

    :raises ConfigurationError: naming what is missing and the extras that bring it.

    >>> require("no_such_module")
    Traceback (most recent call last):
    planhat_orm.errors.ConfigurationError: no_such_module is not installed; run: .venv/bin/pip install '.[cli,sandbox]'
    """
    missing = [name for name in modules if not is_installed(name)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ConfigurationError(f"{' and '.join(missing)} {verb} not installed; run: {INSTALL}")


def is_installed(module: str) -> bool:
    """Tell whether a module can be imported, without importing it.

    >>> is_installed("json"), is_installed("no_such_module")
    (True, False)
    """
    return find_spec(module) is not None
