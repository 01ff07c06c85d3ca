"""How one logs in to the public platform: regions, the variables of its own tools, a token that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from rule_set_fakes import Platform
from target_fakes import error

from dialproof.errors import UsageError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import RULESETS, missing_variables, read_credentials
from dialproof_deploy.api.errors import AccessDeniedError
from dialproof_deploy.redact import redact

if TYPE_CHECKING:
    from target_fakes import Clock

FULL = {
    "GENESYSCLOUD_REGION": "eu-central-1",
    "GENESYSCLOUD_OAUTHCLIENT_ID": "id-1",
    "GENESYSCLOUD_OAUTHCLIENT_SECRET": "hush-hush",
}


def test_a_region_has_a_host_of_the_api_and_one_of_tokens() -> None:
    """The AWS name leads to both, whether the variable or the environment has it."""
    found = read_credentials(FULL, "prod", service=RULESETS)
    assert (found.base_url, found.token_url) == (
        "https://api.mypurecloud.de",
        "https://login.mypurecloud.de/oauth/token",
    )
    assert (found.client_id, found.client_secret, found.scopes) == ("id-1", "hush-hush", "")
    assert (
        read_credentials(FULL, "prod", region="us-west-2", service=RULESETS).base_url == "https://api.usw2.pure.cloud"
    )
    with pytest.raises(UsageError, match="GENESYSCLOUD_REGION 'usw2' is no region of this target such as us-west-2:"):
        read_credentials(FULL | {"GENESYSCLOUD_REGION": "usw2"}, "prod", service=RULESETS)


def test_a_base_url_has_its_tokens_below_it() -> None:
    """A proxy, or a sandbox on this machine, serves both."""
    found = read_credentials(FULL, "prod", base_url="http://127.0.0.1:8080/", service=RULESETS)
    assert (found.base_url, found.token_url) == ("http://127.0.0.1:8080", "http://127.0.0.1:8080/oauth/token")


def test_what_stands_before_what() -> None:
    """The client of the environment, then a token, then the client of the platform's tools."""
    token = {**FULL, "GENESYSCLOUD_ACCESS_TOKEN": "given-token"}
    given = read_credentials(token, "prod", service=RULESETS)
    assert (given.access_token, given.client_id, given.client_id_variable) == (
        "given-token",
        "",
        "GENESYSCLOUD_ACCESS_TOKEN",
    )
    assert "given-token" not in f"{given!r}"
    assert redact("Bearer given-token") == "Bearer [secret]"
    own = {"DIALPROOF_PROD_CLIENT_ID": "id-2", "DIALPROOF_PROD_CLIENT_SECRET": "other"}
    found = read_credentials(token | own, "prod", service=RULESETS)
    assert (found.access_token, found.client_id, found.client_secret) == ("", "id-2", "other")


def test_all_missing_variables_are_named() -> None:
    """With a token neither id nor secret is missing."""
    assert missing_variables({}, "prod", host="", service=RULESETS) == [
        "GENESYSCLOUD_REGION",
        "GENESYSCLOUD_OAUTHCLIENT_ID or DIALPROOF_PROD_CLIENT_ID",
        "GENESYSCLOUD_OAUTHCLIENT_SECRET or DIALPROOF_PROD_CLIENT_SECRET",
    ]
    token = {"GENESYSCLOUD_ACCESS_TOKEN": "x"}
    assert missing_variables(token, "prod", host="us-west-2", service=RULESETS) == []


def test_a_given_token_is_used_as_it_is(clock: Clock) -> None:
    """No other is asked for; once the platform refuses it, the message names the variable."""
    platform = Platform()
    environ = {"GENESYSCLOUD_REGION": "us-west-2", "GENESYSCLOUD_ACCESS_TOKEN": "given"}
    credentials = read_credentials(environ, "prod", service=RULESETS)
    transport = httpx.MockTransport(platform)
    with ApiClient(credentials.base_url, credentials, transport=transport, clock=clock, sleep=clock.sleep) as client:
        client.login()
        assert client.request("GET", "/api/v2/tokens/me").status == 200
        assert [request.url.path for request in platform.requests] == ["/api/v2/tokens/me"]
        platform.faults.append(("GET", error(401, "expired")))
        with pytest.raises(AccessDeniedError, match="refuses the token of GENESYSCLOUD_ACCESS_TOKEN"):
            client.request("GET", "/api/v2/tokens/me")
