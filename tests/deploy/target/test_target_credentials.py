from __future__ import annotations

import pytest

from dialproof.errors import UsageError
from dialproof_deploy.credentials import check_base_url, read_credentials

FULL = {"GENESYS_ENV": "usw2", "GENESYS_CLIENT_ID": "id-1", "GENESYS_CLIENT_SECRET": "hush-hush"}


def test_the_tutorial_variables_give_host_and_login() -> None:
    """GENESYS_ENV becomes the host of the contract."""
    found = read_credentials(FULL, "staging")
    assert (found.base_url, found.client_id, found.client_secret) == (
        "https://usw2.mypurecloud.com",
        "id-1",
        "hush-hush",
    )


def test_own_variables_of_an_environment_come_first() -> None:
    """DIALPROOF_<ENV>_* overrides, with the environment's name in upper case and - as _."""
    own = {"DIALPROOF_EU_PROD_CLIENT_ID": "id-2", "DIALPROOF_EU_PROD_CLIENT_SECRET": "other"}
    found = read_credentials(FULL | own, "eu-prod")
    assert (found.client_id, found.client_secret) == ("id-2", "other")
    assert found.client_id_variable == "DIALPROOF_EU_PROD_CLIENT_ID"


def test_all_missing_variables_are_named_at_once() -> None:
    """One error names everything that is missing or empty, the campaign id only when it is asked for."""
    with pytest.raises(UsageError) as caught:
        read_credentials({"GENESYS_CLIENT_SECRET": " "}, "staging", need_campaign_id=True)
    text = str(caught.value)
    for name in ("GENESYS_ENV", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_CAMPAIGN_ID"):
        assert name in text
    assert "DIALPROOF_STAGING_CLIENT_ID" in text
    with pytest.raises(UsageError) as caught:
        read_credentials({"GENESYS_ENV": "usw2", "GENESYS_CLIENT_ID": "x"}, "staging")
    assert "CAMPAIGN" not in str(caught.value)
    assert "GENESYS_CLIENT_ID" not in str(caught.value)


def test_a_base_url_stands_in_for_the_region() -> None:
    """With base_url GENESYS_ENV is not needed."""
    environ = {k: v for k, v in FULL.items() if k != "GENESYS_ENV"}
    assert read_credentials(environ, "x", base_url="https://proxy.example/").base_url == "https://proxy.example"


def test_repr_hides_id_and_secret() -> None:
    """Neither repr nor str of credentials can leak into a log."""
    found = read_credentials(FULL, "staging")
    assert "hush" not in f"{found!r} {found}"
    assert "id-1" not in repr(found)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "https://a.example/x"]
)
def test_usable_base_urls(url: str) -> None:
    """Https anywhere, and http to this machine."""
    assert check_base_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "https://",
        "host",
        "https://h?x=1",
        "https://h:port",
        "http://[::1",
    ],
)
def test_other_base_urls_are_refused(url: str) -> None:
    """Credentials never travel in the clear over a network, and a typo is a usage error."""
    with pytest.raises(UsageError, match="base_url"):
        check_base_url(url)


def test_a_password_in_the_base_url_is_not_repeated() -> None:
    """The message about user information in the URL does not show it."""
    with pytest.raises(UsageError) as caught:
        check_base_url("https://user:hunter2@h")
    assert "hunter2" not in str(caught.value)


def test_a_region_cannot_smuggle_a_host() -> None:
    """GENESYS_ENV must not be able to send the secret to another host."""
    with pytest.raises(UsageError, match="GENESYS_ENV"):
        read_credentials(FULL | {"GENESYS_ENV": "evil.example/"}, "staging")
