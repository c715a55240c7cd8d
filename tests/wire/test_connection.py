"""Our own session sends what requests would send, and looks at the environment whenever that has changed."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import requests

from planhat_orm.wire.connection import VERSION, new_session
from planhat_orm.wire.credentials import Credentials

ADDRESS = "https://api.planhat.com"
USUAL = ({}, True, None, None)


def test_it_asks_the_environment_again_when_that_changed(monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    session = new_session()
    seen = [session.merge_environment_settings(f"{ADDRESS}/companies", *USUAL)["proxies"].get("https")]
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    seen.append(session.merge_environment_settings(f"{ADDRESS}/companies", *USUAL)["proxies"].get("https"))
    monkeypatch.setenv("no_proxy", "api.planhat.com")
    seen.append(session.merge_environment_settings(f"{ADDRESS}/companies", *USUAL)["proxies"].get("https"))
    assert seen == [None, "http://127.0.0.1:3128", None]


def test_hosts_are_told_apart(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("no_proxy", "analytics.planhat.com")
    session = new_session()
    hosts = (ADDRESS, "https://analytics.planhat.com", ADDRESS)
    proxies = [session.merge_environment_settings(f"{host}/x", *USUAL)["proxies"].get("https") for host in hosts]
    assert proxies == ["http://127.0.0.1:3128", None, "http://127.0.0.1:3128"]


def test_what_is_handed_out_may_be_changed():
    session = new_session()
    session.merge_environment_settings(f"{ADDRESS}/x", *USUAL)["proxies"]["https"] = "http://127.0.0.1:1"
    assert session.merge_environment_settings(f"{ADDRESS}/x", *USUAL)["proxies"].get("https") != "http://127.0.0.1:1"


def test_the_certificates_of_the_environment_are_used(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/some/bundle.pem")
    found = new_session().merge_environment_settings(f"{ADDRESS}/x", *USUAL)
    assert found["verify"] == "/some/bundle.pem"


def test_it_sends_what_requests_would_send_but_its_name():
    request = requests.Request("GET", f"{ADDRESS}/companies/extid-a%2Fb?limit=5", auth=Credentials("a-token").bearer)
    ours, theirs = (session.prepare_request(request) for session in (new_session(), requests.Session()))
    assert ours.url == theirs.url
    assert {**ours.headers, "User-Agent": ""} == {**theirs.headers, "User-Agent": ""}


def test_the_version_that_is_sent_is_that_of_the_package():
    setup = ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == VERSION
    assert new_session().headers["User-Agent"] == f"planhat_orm/{VERSION}"
