"""Credentials of an environment, read from environment variables, which ``secret_command`` may fill."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.targets.campaign_rules import base_url_of
from dialproof.targets.rulesets import hosts_of
from dialproof_deploy.api.token import SCOPES, TOKEN_PATH
from dialproof_deploy.redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CAMPAIGN_RULES",
    "RULESETS",
    "Credentials",
    "Service",
    "check_base_url",
    "is_loopback",
    "missing_message",
    "missing_variables",
    "own_variables",
    "read_credentials",
]

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")


@dataclass(frozen=True)
class Service:
    """How one logs in to a target.

    ``region``, ``client_id``, ``client_secret`` and ``access_token`` ("": there is none) are environment variables.
    ``hosts`` gives the URLs of the API and of tokens for a region, ``token_path`` leads from a base URL to the tokens;
    ``scopes`` are asked for with a token.
    """

    region: str
    client_id: str
    client_secret: str
    hosts: Callable[[str], tuple[str, str] | None]
    like: str
    token_path: str
    access_token: str = ""
    scopes: str = ""


def _campaign_rules_hosts(region: str) -> tuple[str, str] | None:
    url = base_url_of(region)
    return None if url is None else (url, url + TOKEN_PATH)


CAMPAIGN_RULES = Service(
    "GENESYS_ENV",
    "GENESYS_CLIENT_ID",
    "GENESYS_CLIENT_SECRET",
    _campaign_rules_hosts,
    "us-west-2 or usw2",
    TOKEN_PATH,
    scopes=SCOPES,
)
RULESETS = Service(
    "GENESYSCLOUD_REGION",
    "GENESYSCLOUD_OAUTHCLIENT_ID",
    "GENESYSCLOUD_OAUTHCLIENT_SECRET",
    hosts_of,
    "us-west-2",
    "/oauth/token",
    access_token="GENESYSCLOUD_ACCESS_TOKEN",  # noqa: S106 - a name, not a token
)


@dataclass(frozen=True)
class Credentials:
    """What a target needs to log in; ``repr`` shows neither the id nor the secret, and no log shows the secret.

    ``client_id_variable`` is the environment variable the client id came from: messages name it instead of values.
    ``token_url`` is where a token is asked for ("": below the base URL), with ``scopes`` if any; with ``access_token``
    none is asked for.
    """

    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    client_id_variable: str = "GENESYS_CLIENT_ID"
    token_url: str = ""
    scopes: str = SCOPES
    access_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        register_secret(self.access_token)
        register_secret(self.client_secret)
        if self.client_secret:
            basic = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()  # as the login request has it
            register_secret(basic)


def missing_variables(
    environ: Mapping[str, str], environment: str, *, host: str, service: Service = CAMPAIGN_RULES
) -> list[str]:
    """Return what ``read_credentials`` needs and ``environ`` lacks; ``host`` is the configured region or base URL."""
    login = [] if _access_token(environ, environment, service) else _variables(environment, service)
    wanted = [*([] if host else [(service.region,)]), *login]
    return [" or ".join(reversed(names)) for names in wanted if not _first(environ, names)[1]]


def missing_message(environment: str, missing: Sequence[str]) -> str:
    """Return the sentence that names every missing variable of an environment."""
    what = "environment variable is" if len(missing) == 1 else "environment variables are"
    login = any(RULESETS.client_id in name or RULESETS.client_secret in name for name in missing)
    instead = f"; or set {RULESETS.access_token}, or secret_command of the environment" if login else ""
    return f"environment {environment!r}: {what} missing or empty: {', '.join(missing)}{instead}"


def read_credentials(
    environ: Mapping[str, str],
    environment: str,
    *,
    base_url: str = "",
    region: str = "",
    service: Service = CAMPAIGN_RULES,
) -> Credentials:
    """Read the credentials of the named environment for a target.

    ``DIALPROOF_<ENVIRONMENT>_CLIENT_ID`` and ``..._CLIENT_SECRET`` stand before the access token of the service, and
    that before its client id and secret. The host is that of ``base_url``, else of ``region``, else of the variable.

    Raises ``UsageError`` that names every missing variable at once, or for a base URL or region that is not usable.
    """
    if missing := missing_variables(environ, environment, host=base_url or region, service=service):
        raise UsageError(missing_message(environment, missing))
    try:
        if base_url:
            url = check_base_url(base_url)
            token_url = url + service.token_path
        else:
            url, token_url = _hosts(environ, region, service)
    except UsageError as error:
        raise UsageError(f"environment {environment!r}: {error}") from None
    where = {"token_url": token_url, "scopes": service.scopes}
    if token := _access_token(environ, environment, service):
        return Credentials(url, "", "", service.access_token, access_token=token, **where)
    ids, secrets = _variables(environment, service)
    id_variable, client_id = _first(environ, ids)
    return Credentials(url, client_id, _first(environ, secrets)[1], id_variable, **where)


def _variables(environment: str, service: Service) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the names of the variables for the client id and for its secret, those that count first in front."""
    own_id, own_secret = own_variables(environment)
    return (own_id, service.client_id), (own_secret, service.client_secret)


def own_variables(environment: str) -> tuple[str, str]:
    """Return the names of the variables for the client id and secret of one environment alone."""
    own = f"DIALPROOF_{environment.upper().replace('-', '_')}"
    return f"{own}_CLIENT_ID", f"{own}_CLIENT_SECRET"


def _access_token(environ: Mapping[str, str], environment: str, service: Service) -> str:
    """Return the token that the environment gives, unless it gives the environment's own client as well."""
    own_id, _ = own_variables(environment)
    if not service.access_token or environ.get(own_id, "").strip():
        return ""
    return environ.get(service.access_token, "").strip()


def _first(environ: Mapping[str, str], names: Sequence[str]) -> tuple[str, str]:
    """Return the first variable that is set, and its value; the value is "" if none is."""
    found = ((name, environ.get(name, "").strip()) for name in names)
    return next((pair for pair in found if pair[1]), (names[0], ""))


def _hosts(environ: Mapping[str, str], configured: str, service: Service) -> tuple[str, str]:
    where = "region" if configured else service.region
    region = configured or _first(environ, (service.region,))[1]
    hosts = service.hosts(region)
    if hosts is None:
        raise UsageError(
            f"{where} {region!r} is no region of this target such as {service.like}: correct it, or set base_url"
        )
    return hosts


def check_base_url(base_url: str) -> str:
    """Return the base URL without a trailing slash.

    Raises ``UsageError`` unless it is https, or http to a loopback host (a sandbox on this machine), and holds
    neither user information, query nor fragment.
    """
    import httpx

    try:
        url = httpx.URL(base_url)  # as it will be called: another reading of it could be another host
        host, name = url.host, url.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        raise UsageError("base_url is not a URL: it must look like https://host or https://host/path") from None
    if url.userinfo:
        raise UsageError("base_url must not contain a user name or password; use the environment variables")
    if url.scheme not in ("http", "https") or not host or url.query or url.fragment:
        raise UsageError(f"base_url {base_url!r} must look like https://host or https://host/path")
    if not (_HOST.fullmatch(name) or _is_ip_address(name)) or url.port not in (None, *range(1, 65_536)):
        raise UsageError(f"base_url {base_url!r} must name a host, and a port up to 65535 if any")
    if url.scheme == "http" and not is_loopback(host):
        raise UsageError(f"base_url {base_url!r} must be https: http is accepted only for a loopback host")
    return base_url.rstrip("/")


def _is_ip_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    return host == "localhost" or (_is_ip_address(host) and ip_address(host).is_loopback)
