"""The pytest fixture ``planhat_sandbox``, found by pytest wherever planhat_orm is installed.

Imports pytest; the sandbox is imported when a test asks for the fixture, so that the plugin costs nothing elsewhere. It
does not promise that other processes of a test reach this machine only: they are given the variables, and no guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.sandbox.box import Sandbox

#: What would lead a script elsewhere, or keep it from writing.
UNSET = ("PLANHAT_REGION", "PLANHAT_PROFILE", "PLANHAT_READ_ONLY")


@pytest.fixture
def planhat_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Give the test an empty Planhat of its own, started and current.

    The code under test reaches it whichever way it connects: a session of the sandbox is current (``with
    box.session()``), and PLANHAT_API_TOKEN, PLANHAT_BASE_URL, PLANHAT_ANALYTICS_URL and PLANHAT_TENANT_TOKEN point to
    it for a ``Session()`` of its own and for other processes. ``connect()`` is refused while a session is open, as
    always; a script that calls it is tested by running it, or by handing it the session. Connections to any other host
    than this machine raise ConfigurationError.

    A test that uses it::

        def test_gold_is_set(planhat_sandbox):
            planhat_sandbox.add(Company, name="Acme", external_id="acme-42")
            with planhat_sandbox.assert_requests(2):
                run_my_script()
            assert planhat_sandbox.row(Company, external_id="acme-42")["custom"] == {"Tier": "Gold"}
    """
    from planhat_orm.sandbox.box import Sandbox
    from planhat_orm.sandbox.loopback import only_loopback

    with Sandbox() as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        with only_loopback(), box.session():
            yield box
