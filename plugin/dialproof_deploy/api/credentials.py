"""Credentials of an environment, read from environment variables alone."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.targets.campaign_rules import base_url_of
from dialproof_deploy.redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Credentials", "check_base_url", "is_loopback", "missing_message", "missing_variables", "read_credentials"]

_REGION = "GENESYS_ENV"
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")


@dataclass(frozen=True)
class Credentials:
    """What a target needs to log in; ``repr`` shows neither the id nor the secret, and no log shows the secret.

    ``client_id_variable`` is the environment variable the client id came from: messages name it instead of values.
    """

    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    client_id_variable: str = "GENESYS_CLIENT_ID"

    def __post_init__(self) -> None:
        basic = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()  # as the login request has it
        register_secret(self.client_secret)
        register_secret(basic)


def missing_variables(environ: Mapping[str, str], environment: str, *, host: str) -> list[str]:
    """Return what ``read_credentials`` needs and ``environ`` lacks; ``host`` is the configured region or base URL."""
    wanted = [*([] if host else [(_REGION,)]), *_variables(environment)]
    return [" or ".join(reversed(names)) for names in wanted if not _first(environ, names)[1]]


def missing_message(environment: str, missing: Sequence[str]) -> str:
    """Return the sentence that names every missing variable of an environment."""
    what = "environment variable is" if len(missing) == 1 else "environment variables are"
    return f"environment {environment!r}: {what} missing or empty: {', '.join(missing)}"


def read_credentials(
    environ: Mapping[str, str], environment: str, *, base_url: str = "", region: str = ""
) -> Credentials:
    """Read the credentials of the named environment for the campaign-rules target.

    ``DIALPROOF_<ENVIRONMENT>_CLIENT_ID`` and ``..._CLIENT_SECRET`` stand before ``GENESYS_CLIENT_ID`` and
    ``GENESYS_CLIENT_SECRET``. The host is that of ``base_url``, else of ``region``, else of ``GENESYS_ENV``.

    Raises ``UsageError`` that names every missing variable at once, or for a base URL or region that is not usable.
    """
    if missing := missing_variables(environ, environment, host=base_url or region):
        raise UsageError(missing_message(environment, missing))
    ids, secrets = _variables(environment)
    id_variable, client_id = _first(environ, ids)
    try:
        url = check_base_url(base_url) if base_url else _region_url(environ, region)
    except UsageError as error:
        raise UsageError(f"environment {environment!r}: {error}") from None
    return Credentials(url, client_id, _first(environ, secrets)[1], id_variable)


def _variables(environment: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the names of the variables for the client id and for its secret, those that count first in front."""
    own = f"DIALPROOF_{environment.upper().replace('-', '_')}"
    return (f"{own}_CLIENT_ID", "GENESYS_CLIENT_ID"), (f"{own}_CLIENT_SECRET", "GENESYS_CLIENT_SECRET")


def _first(environ: Mapping[str, str], names: Sequence[str]) -> tuple[str, str]:
    """Return the first variable that is set, and its value; the value is "" if none is."""
    found = ((name, environ.get(name, "").strip()) for name in names)
    return next((pair for pair in found if pair[1]), (names[0], ""))


def _region_url(environ: Mapping[str, str], configured: str) -> str:
    where = "region" if configured else _REGION
    region = configured or _first(environ, (_REGION,))[1]
    url = base_url_of(region)
    if url is None:
        raise UsageError(
            f"{where} {region!r} is no region of this target such as us-west-2 or usw2: correct it, or set base_url"
        )
    return url


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
