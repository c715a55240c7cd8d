"""Planhat on your own machine: a server on loopback that behaves as the API is documented, quirks included.

Needs ``planhat_orm[sandbox]``. Importing this package alone imports nothing, neither Flask nor the models, so that the
pytest plugin costs nothing where it is not used. Its modules read declarations of the ORM and nothing else of it. It
does not promise that Planhat does the same where its documentation is silent: ``Behaviour`` names what is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planhat_orm.sandbox.behaviour import Behaviour
    from planhat_orm.sandbox.box import Sandbox
    from planhat_orm.sandbox.faults import Fault
    from planhat_orm.sandbox.recording import RecordedRequest

__all__ = ["Behaviour", "Fault", "RecordedRequest", "Sandbox"]

_MODULES = {"Behaviour": "behaviour", "Fault": "faults", "RecordedRequest": "recording", "Sandbox": "box"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
