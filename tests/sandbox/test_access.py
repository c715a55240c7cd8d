"""Who may do what, and how much: tokens, permissions, limits."""

import base64

import pytest

from planhat_orm.models import Company


@pytest.mark.parametrize("header", ["Bearer wrong", "sandbox-token", "", "Basic !!", "Basic c2FuZGJveC10b2tlbg=="])
@pytest.mark.parametrize("path", ["/companies", "/users?limit=1", "/nowhere", "/"])
def test_a_wrong_token_is_401_also_for_paths_that_do_not_exist(api, header, path):
    answer = api("GET", path, headers={"Authorization": header})
    assert (answer.status_code, answer.text) == (401, "Unauthorized")


def test_the_token_may_be_the_user_name_of_basic_authentication(box, api):
    encoded = base64.b64encode(f"{box.token}:".encode()).decode()
    assert api("GET", "/companies", headers={"Authorization": f"Basic {encoded}"}).status_code == 200


@pytest.mark.parametrize("path", ["/notes", "/activities", "/nowhere", "/", "/companies/x/y/z"])
def test_a_path_that_does_not_exist_is_404(api, path):
    assert api("GET", path).status_code in (404, 400)
    assert (api("GET", path).status_code == 400) == path.startswith("/companies/")


def test_forbidden_operations_are_403_until_they_are_allowed_again(box, api):
    acme = box.add(Company, name="Acme")
    path = f"/companies/{acme['_id']}"
    box.forbid(Company, "update", "delete")
    assert api.put(path, {"name": "B"}).status_code == 403
    assert api.delete(path).status_code == 403
    assert api("GET", path).status_code == 200
    assert box.row(Company, acme)["name"] == "Acme"
    box.allow("companies")
    assert api.put(path, {"name": "B"}).status_code == 200


def test_reading_and_creating_can_be_forbidden_for_lists_and_the_lean_index_too(box, api):
    box.forbid("Company")
    for method, path in (("GET", "/companies"), ("GET", "/leancompanies"), ("POST", "/companies")):
        assert api(method, path, json={"name": "x"}).status_code == 403


def test_forbidding_what_is_not_there_is_an_error(box):
    with pytest.raises(ValueError, match="no model 'firm'"):
        box.forbid("firm")
    with pytest.raises(ValueError, match="no permission 'write'"):
        box.forbid("company", "write")


def test_requests_beyond_the_limit_are_429_without_telling_when_to_return(box, api):
    box.behaviour.rate_limit = 2
    answers = [api("GET", "/companies") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].text == "Too many requests"
    assert "Retry-After" not in answers[-1].headers


def test_a_429_can_tell_when_to_return_and_the_window_ends(box, api):
    box.behaviour.rate_limit, box.behaviour.rate_window, box.behaviour.retry_after = 1, 0.05, True
    while api("GET", "/companies").status_code != 429:
        pass
    answer = api("GET", "/companies")
    while answer.status_code == 429:
        assert int(answer.headers["Retry-After"]) == 1
        answer = api("GET", "/companies")
    assert answer.status_code == 200


def test_a_body_above_32_mb_is_413(box, api):
    assert api("POST", "/companies", data=b" " * (32 * 1024 * 1024 + 1)).status_code == 413
    assert api.post("/companies", {"name": "Acme"}).status_code == 200


def test_long_addresses_are_414_by_switch(box, api):
    box.behaviour.max_url = 2000
    assert api("GET", "/companies?companyId=" + "a" * 2000).status_code == 414
    assert api("GET", "/companies?companyId=" + "a" * 1900).status_code == 200
