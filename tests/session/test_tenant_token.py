"""What a session says of its tenant token before anything is sent with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from planhat_orm import ConfigurationError, Session

if TYPE_CHECKING:
    from planhat_orm.sandbox import Sandbox

UUID = "00000000-0000-4000-8000-000000000000"


def test_a_missing_tenant_token_is_named_with_its_variable_and_its_place(box: Sandbox) -> None:
    session = box.session(tenant_token="")
    with pytest.raises(ConfigurationError) as caught:
        session.require_tenant_token("Metric.push()")
    said = str(caught.value)
    for part in (
        "Metric.push() needs the tenant token",
        "PLANHAT_TENANT_TOKEN",
        "developer section",
        "not the API token",
    ):
        assert part in said
    assert box.requests == []


def test_the_api_token_is_not_taken_for_the_tenants() -> None:
    secret = "a-token-that-nobody-may-see"
    session = Session(token=secret, tenant_token=secret)
    with pytest.raises(ConfigurationError, match="holds the API token") as caught:
        session.require_tenant_token("Metric.push()")
    assert secret not in str(caught.value)


def test_a_tenant_token_that_is_no_uuid_is_doubted_once_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    secret = "a-tenant-that-nobody-may-see"
    session = Session(token="a-token", tenant_token=secret)
    with caplog.at_level(logging.WARNING):
        session.require_tenant_token("Metric.push()")
        session.require_tenant_token("Metric.push()")
    [record] = caplog.records
    assert "is no UUID" in record.getMessage()
    assert secret not in caplog.text + repr(session.__dict__)


@pytest.mark.parametrize("token", [UUID, UUID.replace("-", ""), f" {UUID} "])
def test_a_uuid_raises_no_doubt(token: str, caplog: pytest.LogCaptureFixture) -> None:
    Session(token="a-token", tenant_token=token).require_tenant_token("Metric.push()")
    assert caplog.records == []
