from __future__ import annotations

import pytest

from dialproof.errors import UsageError
from dialproof_deploy.api.credentials import check_base_url, read_credentials

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
    """One error names everything that is missing or empty."""
    with pytest.raises(UsageError) as caught:
        read_credentials({"GENESYS_CLIENT_SECRET": " "}, "staging")
    text = str(caught.value)
    for name in ("GENESYS_ENV", "GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET"):
        assert name in text
    assert "DIALPROOF_STAGING_CLIENT_ID" in text
    with pytest.raises(UsageError) as caught:
        read_credentials({"GENESYS_ENV": "usw2", "GENESYS_CLIENT_ID": "x"}, "staging")
    assert "GENESYS_CLIENT_ID" not in str(caught.value)


def test_a_base_url_stands_in_for_the_region() -> None:
    """With base_url GENESYS_ENV is not needed."""
    environ = {k: v for k, v in FULL.items() if k != "GENESYS_ENV"}
    assert read_credentials(environ, "x", base_url="https://proxy.example/").base_url == "https://proxy.example"
    with pytest.raises(UsageError, match=r"environment 'x': base_url 'https://a\.\.b' must name a host"):
        read_credentials(environ, "x", base_url="https://a..b")


def test_repr_hides_id_and_secret() -> None:
    """Neither repr nor str of credentials can leak into a log."""
    found = read_credentials(FULL, "staging")
    assert "hush" not in f"{found!r} {found}"
    assert "id-1" not in repr(found)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "https://a.example/x", "https://bücher.example"],
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
        "https://a..b",
        "https://.",
        "https://a b",
        "https://xn--a",
        "https://-a",
        "https://" + "a" * 64,
        "https://h\x00",
        "https://h/\x01",
        "https://h\nx",
        "https://\ud800",
        "https://h:0",
        "https://h:99999",
        "https://h/" + "a" * 70_000,
        "http://127.0.0.1:1\\@evil.example",
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


@pytest.mark.parametrize(
    "region", ["evil.example/", "evil.example/#", "a b", "a..b", "-a", "a@evil.example", "us-east-9", "ü"]
)
def test_a_region_cannot_smuggle_a_host(region: str) -> None:
    """Neither region nor GENESYS_ENV can send the secret to another host, nor to that of a region that is none."""
    with pytest.raises(UsageError, match="GENESYS_ENV"):
        read_credentials(FULL | {"GENESYS_ENV": region}, "staging")
    with pytest.raises(UsageError, match=r"'staging': region .* is no region of this target"):
        read_credentials(FULL, "staging", region=region)


@pytest.mark.parametrize("region", ["us-west-2", "usw2"])
def test_a_region_has_its_aws_name_too(region: str) -> None:
    """The name of the AWS region and the short one of the contract are one host, wherever they are written."""
    found = [read_credentials(FULL, "x", region=region), read_credentials(FULL | {"GENESYS_ENV": region}, "x")]
    assert {credentials.base_url for credentials in found} == {"https://usw2.mypurecloud.com"}


def test_a_region_without_a_host_of_the_contract_asks_for_a_base_url() -> None:
    """A region whose domain is another one is never guessed."""
    with pytest.raises(UsageError, match="set base_url"):
        read_credentials(FULL, "staging", region="eu-west-1")
