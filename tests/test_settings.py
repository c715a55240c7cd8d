"""Token, region, hosts and read-only, from arguments and the environment."""

from __future__ import annotations

import pickle

import pytest

from planhat_orm.errors import ConfigurationError
from planhat_orm.settings import host_of, resolve

SECRET = "eyJhbGciOi.a-token-that-nobody-may-see.x9"


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("", "https://api.planhat.com"),
        ("eu", "https://api-eu.planhat.com"),
        ("eu3", "https://api-eu3.planhat.com"),
        (" US2 ", "https://api-us2.planhat.com"),
        ("a-cluster-of-2031", "https://api-a-cluster-of-2031.planhat.com"),
        ("demo", "https://api.planhatdemo.com"),
    ],
)
def test_a_region_stands_for_an_address(region: str, address: str) -> None:
    assert host_of(region) == address
    assert resolve(token="t", region=region, environ={}).base_url == address
    assert resolve(token="t", environ={"PLANHAT_REGION": region}).base_url == address


@pytest.mark.parametrize("region", ["eu3.example.com", "eu/3", "eu 3", "-eu", "eu3#", "x" * 21, SECRET])
def test_what_cannot_be_a_region_is_refused_without_being_repeated(region: str) -> None:
    with pytest.raises(ConfigurationError, match="PLANHAT_REGION") as caught:
        host_of(region)
    assert region not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["api-eu3", "api-eu3.planhat.com", "https://api-eu3.planhat.com/", "app-eu3.planhat.com"]
)
def test_a_host_given_as_region_is_answered_with_its_region(host: str) -> None:
    with pytest.raises(ConfigurationError, match="did you mean region='eu3'"):
        host_of(host)


def test_everything_comes_from_the_environment() -> None:
    found = resolve(
        environ={
            "PLANHAT_API_TOKEN": " api-token\n",
            "PLANHAT_TENANT_TOKEN": "tenant-token",
            "PLANHAT_BASE_URL": "https://planhat.example/",
            "PLANHAT_ANALYTICS_URL": "https://analytics.example/",
            "PLANHAT_READ_ONLY": "1",
            "PLANHAT_REGION": "eu3",
        }
    )
    assert (found.token, found.tenant_token) == ("api-token", "tenant-token")
    assert (found.base_url, found.analytics_url) == ("https://planhat.example", "https://analytics.example")
    assert found.read_only is True


def test_an_argument_wins_over_its_variable() -> None:
    found = resolve(
        token="mine",
        tenant_token="mine-too",
        region="us2",
        analytics_url="https://mine.example",
        read_only=False,
        environ={
            "PLANHAT_API_TOKEN": "theirs",
            "PLANHAT_TENANT_TOKEN": "theirs",
            "PLANHAT_BASE_URL": "https://theirs.example",
            "PLANHAT_ANALYTICS_URL": "https://theirs.example",
            "PLANHAT_READ_ONLY": "1",
        },
    )
    assert (found.token, found.tenant_token, found.read_only) == ("mine", "mine-too", False)
    assert (found.base_url, found.analytics_url) == ("https://api-us2.planhat.com", "https://mine.example")


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANHAT_API_TOKEN", "from-the-process")
    monkeypatch.delenv("PLANHAT_BASE_URL", raising=False)
    monkeypatch.setenv("PLANHAT_REGION", "us4")
    assert (resolve().token, resolve().base_url) == ("from-the-process", "https://api-us4.planhat.com")


def test_an_empty_variable_counts_as_not_set() -> None:
    environ = dict.fromkeys(
        ("PLANHAT_REGION", "PLANHAT_BASE_URL", "PLANHAT_ANALYTICS_URL", "PLANHAT_TENANT_TOKEN", "PLANHAT_READ_ONLY"), ""
    )
    found = resolve(token="t", environ=environ)
    assert (found.base_url, found.analytics_url) == ("https://api.planhat.com", "https://analytics.planhat.com")
    assert (found.tenant_token, found.read_only) == ("", False)


@pytest.mark.parametrize("environ", [{}, {"PLANHAT_API_TOKEN": ""}, {"PLANHAT_API_TOKEN": "  "}])
def test_a_missing_token_names_the_variable_and_the_sandbox(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(environ=environ)
    for words in ("PLANHAT_API_TOKEN", "token=", "planhat sandbox", "Sandbox()"):
        assert words in str(caught.value)


def test_region_and_address_together_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        resolve(token="t", region="eu3", base_url="https://api.example", environ={})


@pytest.mark.parametrize("name", ["base_url", "analytics_url"])
@pytest.mark.parametrize(
    "address",
    [
        "api.planhat.com",
        "ftp://api.planhat.com",
        "https://",
        f"https://u:{SECRET}@a.example",
        f"https://a.example?{SECRET}",
        SECRET,
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_variable(name: str, address: str) -> None:
    for how in ({name: address, "environ": {}}, {"environ": {f"PLANHAT_{name.upper()}": address}}):
        with pytest.raises(ConfigurationError, match=f"PLANHAT_{name.upper()}") as caught:
            resolve(token="t", **how)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("1", True), ("TRUE", True), ("yes", True), (" on ", True), ("0", False), ("No", False), ("off", False)],
)
def test_read_only_is_a_word(word: str, meant: bool) -> None:
    assert resolve(token="t", environ={"PLANHAT_READ_ONLY": word}).read_only is meant


def test_a_slip_in_the_read_only_variable_does_not_turn_writes_on() -> None:
    with pytest.raises(ConfigurationError, match="PLANHAT_READ_ONLY"):
        resolve(token="t", environ={"PLANHAT_READ_ONLY": "ture"})


@pytest.mark.parametrize("name", ["token", "tenant_token", "region", "base_url", "analytics_url", "read_only"])
def test_a_value_of_another_type_is_refused_without_being_repeated(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}= is .*, not bytes$"):
        resolve(**{"token": "t", "environ": {}, name: SECRET.encode()})


def test_settings_show_no_token() -> None:
    found = resolve(token=SECRET, tenant_token=SECRET + "2", environ={})
    assert SECRET not in repr(found)
    with pytest.raises(TypeError, match="token"):
        pickle.dumps(found)
