"""How a server is reached: authorities, proxies, and that no certificate goes unchecked."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from tls import make_authority, refusing_proxy, tls_server

from dialproof.config import Config, Environment, Retry, load_config
from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import Credentials
from dialproof_deploy.api.errors import UnreachableError
from dialproof_deploy.cli import deploy, plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine of the test says of proxies and authorities."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, Path]:
    """Return an authority, and the certificate of a server."""
    return make_authority(tmp_path)


@pytest.fixture
def port(authority: tuple[Path, Path]) -> Iterator[int]:
    """Serve tokens with that certificate."""
    with tls_server(authority[1]) as found:
        yield found


def log_in(port: int, **options: str) -> None:
    """Ask the server for a token."""
    url = f"https://localhost:{port}"
    with ApiClient(url, Credentials(url, "the-id", "the-secret"), max_attempts=1, **options) as client:
        client.login()


def test_the_authority_of_the_environment_is_trusted(port: int, authority: tuple[Path, Path]) -> None:
    """``ca_bundle`` names the authorities of a company."""
    log_in(port, ca_bundle=str(authority[0]))


def test_the_authority_of_the_variable_is_trusted(
    port: int, authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE does the same for a machine."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    log_in(port)


@pytest.mark.parametrize(
    "name", ["PYTHONHTTPSVERIFY", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_TLS_REJECT_UNAUTHORIZED"]
)
def test_an_authority_that_nobody_named_is_not_trusted(port: int, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """No variable of other programs turns the check off; the sentence says what to name where."""
    monkeypatch.setenv(name, "" if name.endswith("BUNDLE") else "0")
    with pytest.raises(RemoteError, match=r"of localhost is not trusted \(.*local issuer.*\): name the authority"):
        log_in(port)


def test_another_authority_is_not_trusted(port: int, tmp_path: Path) -> None:
    """A bundle stands in place of all others."""
    (tmp_path / "other").mkdir()
    other, _ = make_authority(tmp_path / "other")
    with pytest.raises(RemoteError, match="is not trusted"):
        log_in(port, ca_bundle=str(other))


def test_another_name_is_not_trusted(tmp_path: Path) -> None:
    """Whoever has a certificate of the authority may not pass for another server of it."""
    authority, pair = make_authority(tmp_path, "elsewhere.example.com")
    with tls_server(pair) as port, pytest.raises(RemoteError, match=r"is not trusted \(.*'localhost'\)$"):
        log_in(port, ca_bundle=str(authority))


def test_a_server_that_is_not_there_is_no_question_of_trust(port: int) -> None:
    """A name that leads nowhere is told apart from a certificate that is refused."""
    url = f"https://ip6-localhost.invalid:{port}"
    with ApiClient(url, Credentials(url, "i", "s"), max_attempts=1) as client, pytest.raises(UnreachableError):
        client.login()


@pytest.mark.parametrize(
    ("content", "says"), [(None, "No such file or directory"), ("text", "no file of certificates")]
)
def test_a_bundle_that_cannot_be_used_is_a_usage_error(tmp_path: Path, content: str | None, says: str) -> None:
    """Before anything is asked; the same for the variable."""
    bundle = tmp_path / "corp.pem"
    if content:
        bundle.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=f"ca_bundle .*corp.pem cannot be used: .*{says}"):
        log_in(1, ca_bundle=str(bundle))


def test_a_proxy_is_used_and_left_out_as_the_environment_says(
    port: int, authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY is asked, NO_PROXY goes around it."""
    with refusing_proxy() as (proxy, seen):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
        with pytest.raises(UnreachableError, match="ProxyError"):
            log_in(port, ca_bundle=str(authority[0]))
        assert seen == [f"CONNECT localhost:{port} HTTP/1.1"]
        monkeypatch.setenv("NO_PROXY", "localhost,example.com")
        log_in(port, ca_bundle=str(authority[0]))
        assert len(seen) == 1


def test_a_proxy_that_is_none_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its URL is not shown: it may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://me:hunter2@proxy")
    with pytest.raises(UsageError, match="names no proxy such as") as caught:
        log_in(1)
    assert "hunter2" not in str(caught.value)


def test_no_setting_and_no_option_turns_the_check_off(tmp_path: Path) -> None:
    """There is nothing to set: an environment that asks for it is an error, and no command has such an option."""
    words = ("verif", "insecure", "tls", "ssl", "trust")
    for name in ("verify", "insecure", "verify_tls", "ssl_verify"):
        (tmp_path / "dialproof.toml").write_text(f"[environments.a]\n{name} = false\n", encoding="utf-8")
        with pytest.raises(UsageError, match="unknown key"):
            load_config(tmp_path)
    names = [field.name for kind in (Config, Environment, Retry) for field in fields(kind)]
    for command in (plan, deploy):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        names += [option for action in parser._actions for option in action.option_strings]
    assert not [name for name in names for word in words if word in name]


def test_the_bundle_of_an_environment_is_named_from_its_configuration(tmp_path: Path) -> None:
    """A path relative to the configuration holds wherever the command was run."""
    (tmp_path / "dialproof.toml").write_text('[environments.a]\nca_bundle = "certs/corp.pem"\n', encoding="utf-8")
    assert load_config(tmp_path).environments["a"].ca_bundle == str(tmp_path.resolve() / "certs/corp.pem")
