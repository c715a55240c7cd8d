"""The fixture planhat_sandbox, and what the plugin costs where it is not used."""

import os
import socket
import subprocess
import sys

import pytest
import requests

from planhat_orm import Session
from planhat_orm.errors import ConfigurationError
from planhat_orm.models import Company
from planhat_orm.sandbox.loopback import is_loopback, only_loopback


def test_it_starts_empty_with_a_session_current(planhat_sandbox):
    assert planhat_sandbox.count(Company) == 0
    with planhat_sandbox.assert_requests(1):
        assert list(Company.objects.all()) == []


def test_sessions_from_the_environment_reach_it(planhat_sandbox):
    assert os.environ["PLANHAT_BASE_URL"] == planhat_sandbox.url
    with Session() as session, planhat_sandbox.assert_requests(1):
        Company.objects.using(session).create(name="Acme")
    assert planhat_sandbox.row(Company)["name"] == "Acme"


@pytest.fixture
def misled(monkeypatch):
    monkeypatch.setenv("PLANHAT_REGION", "eu3")
    monkeypatch.setenv("PLANHAT_READ_ONLY", "1")
    monkeypatch.setenv("PLANHAT_API_TOKEN", "another-token")


def test_variables_that_would_lead_elsewhere_are_unset(misled, planhat_sandbox):
    assert "PLANHAT_REGION" not in os.environ
    assert "PLANHAT_READ_ONLY" not in os.environ
    assert os.environ["PLANHAT_API_TOKEN"] == planhat_sandbox.token


def test_other_hosts_are_refused_by_name_and_by_address(planhat_sandbox):
    with pytest.raises(ConfigurationError, match=r"refused a connection to 'api\.planhat\.com'"):
        requests.get("https://api.planhat.com/companies", timeout=5)
    with socket.socket() as wire:
        for connect in (wire.connect, wire.connect_ex):
            with pytest.raises(ConfigurationError, match=r"'192\.0\.2\.1'"):
                connect(("192.0.2.1", 443))
    assert requests.get(planhat_sandbox.url, timeout=5).status_code == 401


def test_after_the_guard_sockets_are_as_before():
    before = (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)
    with only_loopback():
        assert before != (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)
    assert before == (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", b"localhost", None, ""])
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "10.0.0.1", "localhost.example.com", "fe80::1%eth0", "127.0.0.1.example.com"]
)
def test_everything_else_is_not(host):
    assert not is_loopback(host)


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_loading_the_plugin_loads_neither_flask_nor_the_sandbox():
    loaded = "{'flask', 'werkzeug', 'faker', 'planhat_orm.sandbox.box'} & set(sys.modules)"
    done = run(f"import sys, planhat_orm.sandbox.pytest_plugin; print({loaded})")
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


@pytest.mark.parametrize(("module", "code"), [("flask", "Sandbox().start()"), ("faker", "Sandbox(demo=True)")])
def test_without_the_extra_the_error_names_it(module, code):
    done = run(f"import sys; sys.modules['{module}'] = None\nfrom planhat_orm.sandbox import Sandbox\n{code}")
    assert "ConfigurationError" in done.stderr
    assert ".venv/bin/pip install '.[sandbox]'" in done.stderr


def test_the_package_has_the_public_names_and_no_others():
    import planhat_orm.sandbox

    names = ["Behaviour", "Fault", "RecordedRequest", "Sandbox"]
    assert [getattr(planhat_orm.sandbox, name).__name__ for name in planhat_orm.sandbox.__all__] == names
    with pytest.raises(AttributeError, match="no attribute 'Sandbocks'"):
        _ = planhat_orm.sandbox.Sandbocks
