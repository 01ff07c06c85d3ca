"""Downloads: the beginning of a file that may be large, from the same host alone."""

from __future__ import annotations

import httpx
import pytest

from dialproof.errors import RemoteError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import Credentials

BASE = "https://api.example.com"


def client(answer: httpx.Response | httpx.RequestError, seen: list[httpx.Request]) -> ApiClient:
    """Return a client of a server that gives a token and one answer."""

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth/token"):
            return httpx.Response(200, json={"access_token": "t", "token_type": "bearer", "expires_in": 3600})
        seen.append(request)
        if isinstance(answer, httpx.RequestError):
            raise answer
        return answer

    return ApiClient(BASE, Credentials(BASE, "id", "secret"), transport=httpx.MockTransport(serve))


def test_only_the_beginning_is_read() -> None:
    """As many bytes as are wanted, with the token; a shorter file as a whole."""
    seen: list[httpx.Request] = []
    body = b"0123456789" * 10_000
    assert client(httpx.Response(200, content=body), seen).download(f"{BASE}/api/v2/downloads/x", 15) == body[:15]
    assert client(httpx.Response(200, content=b"abc"), seen).download("/api/v2/downloads/x", 15) == b"abc"
    assert {request.headers["Authorization"] for request in seen} == {"Bearer t"}


@pytest.mark.parametrize(
    ("uri", "answer", "sentence"),
    [
        ("https://elsewhere.example.com/x", httpx.Response(200), "another host"),
        ("/x", httpx.Response(404), "GET /x: unexpected answer 404"),
        ("/x", httpx.Response(303, headers={"Location": "https://elsewhere.example.com"}), "unexpected answer 303"),
        ("/x", httpx.ConnectError("no"), r"api\.example\.com gave no answer \(ConnectError\)"),
    ],
)
def test_what_cannot_be_downloaded_is_an_error(
    uri: str, answer: httpx.Response | httpx.RequestError, sentence: str
) -> None:
    """The token goes to no other host, and nothing is followed."""
    with pytest.raises(RemoteError, match=sentence):
        client(answer, []).download(uri, 10)
