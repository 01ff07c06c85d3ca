"""Checks that the credentials belong to the organisation that the configuration says, before anything is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.errors import RefusedError
from dialproof_deploy.api.errors import NotFoundError

if TYPE_CHECKING:
    from dialproof.config import Environment
    from dialproof_deploy.api.client import ApiClient

__all__ = ["check_organization"]

_PATH = "/api/v2/tokens/me"
_LONGEST = 100


def check_organization(client: ApiClient, environment: Environment) -> None:
    """Compare ``organization`` of the environment, if it is set, with the id and the name of the token's one.

    Raises ``RefusedError`` where it is another one or the server cannot tell, ``RemoteError`` as the client does.
    """
    wanted = environment.organization.strip()
    if not wanted:
        return
    where = f"environment {environment.name!r}: organization is {wanted!r}"
    try:
        body = client.request("GET", _PATH).body
    except NotFoundError:
        raise RefusedError(
            f"{where}, and the server has no GET {_PATH} that would tell (404): remove organization, or change base_url"
        ) from None
    found = _texts(body.get("organization") if isinstance(body, dict) else None)
    if not found:
        raise RefusedError(f"{where}, and the answer of GET {_PATH} names none: nothing was read or written")
    if wanted not in found:
        named = " or ".join(repr(text[:_LONGEST]) for text in found)
        raise RefusedError(f"{where}, and the credentials are those of {named}: correct one of them")


def _texts(organization: Any) -> list[str]:
    """Return the id and the name of an organisation, those that there are."""
    values = [organization.get(key) for key in ("id", "name")] if isinstance(organization, dict) else []
    return [value for value in values if isinstance(value, str) and value]
