"""Credentials of an environment, read from environment variables alone."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dialproof.errors import UsageError
from dialproof_deploy.redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Credentials", "check_base_url", "read_credentials"]


@dataclass(frozen=True)
class Credentials:
    """What a target needs to log in; ``repr`` shows neither the id nor the secret, and no log shows the secret.

    ``client_id_variable`` is the environment variable the client id came from: messages name it instead of values.
    """

    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    client_id_variable: str = "GENESYS_CLIENT_ID"
    campaign_id: str | None = None

    def __post_init__(self) -> None:
        basic = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()  # as the login request has it
        register_secret(self.client_secret)
        register_secret(basic)


def read_credentials(
    environ: Mapping[str, str],
    environment: str,
    *,
    base_url: str | None = None,
    need_campaign_id: bool = False,
) -> Credentials:
    """Read the credentials of the named environment for the campaign-rules target.

    ``DIALPROOF_<ENVIRONMENT>_CLIENT_ID`` and ``..._CLIENT_SECRET`` stand before ``GENESYS_CLIENT_ID`` and
    ``GENESYS_CLIENT_SECRET``; ``GENESYS_ENV`` (such as ``usw2``) gives the host unless ``base_url`` does.

    Raises ``UsageError`` that names every missing variable at once, or for a base URL that is not usable.
    """
    own = f"DIALPROOF_{environment.upper().replace('-', '_')}"
    missing: list[str] = []

    def read(*names: str) -> tuple[str, str]:
        for name in names:
            if value := environ.get(name, "").strip():
                return name, value
        missing.append(" or ".join(reversed(names)))
        return names[0], ""

    region = "" if base_url else read("GENESYS_ENV")[1]
    id_variable, client_id = read(f"{own}_CLIENT_ID", "GENESYS_CLIENT_ID")
    _, client_secret = read(f"{own}_CLIENT_SECRET", "GENESYS_CLIENT_SECRET")
    campaign_id = read("GENESYS_CAMPAIGN_ID")[1] if need_campaign_id else None
    if missing:
        what = "environment variable is" if len(missing) == 1 else "environment variables are"
        raise UsageError(f"environment {environment!r}: {what} missing or empty: {', '.join(missing)}")
    if region and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", region):
        raise UsageError(f"environment {environment!r}: GENESYS_ENV must be a region name such as usw2")
    url = check_base_url(base_url) if base_url else f"https://{region}.mypurecloud.com"
    return Credentials(url, client_id, client_secret, id_variable, campaign_id)


def check_base_url(base_url: str) -> str:
    """Return the base URL without a trailing slash.

    Raises ``UsageError`` unless it is https, or http to a loopback host (a sandbox on this machine), and holds
    neither user information, query nor fragment.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"base_url is not a URL: {error}") from None
    if parts.username or parts.password:
        raise UsageError("base_url must not contain a user name or password; use the environment variables")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UsageError(f"base_url {base_url!r} must look like https://host or https://host/path")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(f"base_url {base_url!r} must be https: http is accepted only for a loopback host")
    return base_url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
