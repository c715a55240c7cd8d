"""Our own session sends what requests would send, and looks at the environment as often as it changes."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from planhat_orm.wire.connection import VERSION, OwnAdapter, OwnSession, new_session
from planhat_orm.wire.credentials import Credentials
from planhat_orm.wire.endpoints import build_url, path_for

ADDRESS = "https://api.planhat.com"
USUAL = ({}, True, None, None)


def prepared_by(kind: type[requests.Session], url: str, **more: object) -> requests.PreparedRequest:
    request = requests.Request("GET", url, headers={"Accept": "application/json"}, auth=Credentials("a-token").bearer)
    for name, value in more.items():
        setattr(request, name, value)
    return kind().prepare_request(request)


def test_it_sends_the_headers_that_requests_would_send():
    ours, theirs = (prepared_by(kind, f"{ADDRESS}/companies?limit=5") for kind in (OwnSession, requests.Session))
    assert ours.headers == theirs.headers
    assert (ours.method, ours.body, ours.hooks) == (theirs.method, theirs.body, theirs.hooks)


@given(st.text(min_size=1).filter(lambda text: text.strip()), st.text())
def test_it_sends_the_address_that_requests_would_send(key: str, value: str):
    try:
        url = build_url(ADDRESS, path_for("companies", key, kind="external_id"), {"select": value})
    except ValueError:  # half a surrogate pair, which nothing can send
        return
    assert prepared_by(OwnSession, url).url == prepared_by(requests.Session, url).url


def test_a_body_goes_the_usual_way():
    prepared = prepared_by(OwnSession, f"{ADDRESS}/companies", method="POST", data=b"{}")
    assert prepared.headers["Content-Length"] == "2"


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


def test_no_cookie_is_kept_or_sent():
    session = new_session()
    session.cookies.set("a", "b", domain="api.planhat.com")
    prepared = session.prepare_request(
        requests.Request("GET", f"{ADDRESS}/x", headers=CaseInsensitiveDict(), auth=Credentials("a-token").bearer)
    )
    assert "Cookie" not in prepared.headers


@pytest.mark.parametrize("path", ["/companies?limit=5", "/companies/extid-a%2Fb", "//odd", ""])
def test_the_part_of_the_address_that_is_sent_is_that_of_requests(path):
    request = prepared_by(OwnSession, f"{ADDRESS}{path}")
    ours, theirs = (kind().request_url(request, {}) for kind in (OwnAdapter, HTTPAdapter))
    assert ours == theirs


def test_the_pool_of_a_host_is_found_once_and_again_after_it_was_closed():
    adapter, request = OwnAdapter(), prepared_by(OwnSession, f"{ADDRESS}/companies")
    pool = adapter.get_connection_with_tls_context(request, True)
    assert adapter.get_connection_with_tls_context(request, True) is pool
    other = prepared_by(OwnSession, "https://analytics.planhat.com/x")
    assert adapter.get_connection_with_tls_context(other, True) is not pool
    assert adapter.get_connection_with_tls_context(request, False) is not pool
    adapter.close()
    assert adapter.get_connection_with_tls_context(request, True) is not pool
    adapter.close()


def test_pools_of_the_parent_are_not_used_after_a_fork():
    adapter, request = OwnAdapter(), prepared_by(OwnSession, f"{ADDRESS}/companies")
    pool = adapter.get_connection_with_tls_context(request, True)
    adapter.__setstate__(adapter.__getstate__())
    assert adapter.get_connection_with_tls_context(request, True) is not pool
    adapter.close()


def test_a_proxy_goes_the_usual_way():
    adapter, request = OwnAdapter(), prepared_by(OwnSession, f"{ADDRESS}/companies")
    proxies = {"https": "http://127.0.0.1:3128"}
    pool = adapter.get_connection_with_tls_context(request, True, proxies=proxies)
    assert pool.proxy is not None
    assert adapter.get_connection_with_tls_context(request, True) is not pool
    adapter.close()


def test_the_version_that_is_sent_is_that_of_the_package():
    setup = ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["version"] == VERSION
    assert new_session().headers["User-Agent"] == f"planhat_orm/{VERSION}"
