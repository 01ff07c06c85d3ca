"""The organisation of the credentials against that of the configuration."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from target_fakes import Clock, Server, client, error

from dialproof.config import Environment
from dialproof.errors import RefusedError
from dialproof_deploy.api.errors import AccessDeniedError
from dialproof_deploy.api.organization import check_organization

ME = {"organization": {"id": "org-1", "name": "ACME"}}


def check(organization: str, answer: httpx.Response, clock: Clock) -> Server:
    """Check against a server with this answer, and return the server."""
    server = Server()
    server.faults = [("GET", answer)]
    check_organization(client(server, clock), Environment("prod", organization=organization))
    return server


@pytest.mark.parametrize("organization", ["org-1", "ACME", " ACME "])
def test_the_id_or_the_name_will_do(organization: str, clock: Clock) -> None:
    """Either says which organisation is meant."""
    assert check(organization, httpx.Response(200, json=ME), clock).calls == ["GET me"]


@pytest.mark.parametrize("organization", ["", " "])
def test_without_an_organization_nothing_is_asked(organization: str, clock: Clock) -> None:
    """An environment that names none costs no request."""
    assert check(organization, httpx.Response(200, json=ME), clock).requests == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ME, "the credentials are those of 'org-1' or 'ACME': correct one of them"),
        ({"organization": {"id": "\x1b" * 500}}, r"those of '(\\x1b){100}':"),
        ({"organization": {"id": 5, "name": ["Other"]}}, "names none"),
        ({"organization": "Other"}, "names none"),
        ({}, "names none"),
        ([], "names none"),
    ],
)
def test_anything_else_is_refused(answer: Any, message: str, clock: Clock) -> None:
    """Another organisation, and an answer that names none, are refusals that name both sides."""
    with pytest.raises(RefusedError, match=f"^environment 'prod': organization is 'Other', .*{message}"):
        check("Other", httpx.Response(200, json=answer), clock)


def test_a_server_that_cannot_tell_is_refused(clock: Clock) -> None:
    """Without the call nothing shows whose the credentials are."""
    with pytest.raises(RefusedError, match=r"the server has no GET /api/v2/tokens/me that would tell \(404\)"):
        check("ACME", error(404, "no such path"), clock)


def test_a_server_that_does_not_want_to_tell_is_an_error(clock: Clock) -> None:
    """A 403 is what it is everywhere."""
    with pytest.raises(AccessDeniedError, match="403"):
        check("ACME", error(403, "no"), clock)
