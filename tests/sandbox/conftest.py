"""A running sandbox, and a plain HTTP client for it: these tests share no code with the library's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from planhat_orm.sandbox import Sandbox
from planhat_orm.sandbox.pytest_plugin import planhat_sandbox  # noqa: F401 - a fixture, also where the plugin is not installed

if TYPE_CHECKING:
    from collections.abc import Iterator


class Api:
    """``requests`` with the sandbox's address and token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.http.request(method, self.url + path, timeout=10, **options)

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of a successful GET."""
        answer = self("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, body: Any) -> requests.Response:
        return self("PUT", path, json=body)

    def post(self, path: str, body: Any) -> requests.Response:
        return self("POST", path, json=body)

    def delete(self, path: str) -> requests.Response:
        return self("DELETE", path)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def api(box: Sandbox) -> Iterator[Api]:
    api = Api(box.url, box.token)
    yield api
    api.http.close()
