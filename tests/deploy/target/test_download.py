"""Downloads: the beginning of a file that may be large, from the same host alone."""

from __future__ import annotations

import httpx
import pytest

from dialproof.errors import RemoteError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import Credentials

BASE = "https://api.example.com"


def client(*answers: httpx.Response | httpx.RequestError, seen: list[httpx.Request]) -> ApiClient:
    """Return a client of a server that gives a token and these answers, the last one again and again."""
    left = list(answers)

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth/token"):
            return httpx.Response(200, json={"access_token": "t", "token_type": "bearer", "expires_in": 3600})
        seen.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, httpx.RequestError):
            raise answer
        return answer

    return ApiClient(
        BASE, Credentials(BASE, "id", "secret"), transport=httpx.MockTransport(serve), sleep=lambda _: None
    )


def test_only_the_beginning_is_read() -> None:
    """As many bytes as are wanted, with the token; a shorter file as a whole."""
    seen: list[httpx.Request] = []
    body = b"0123456789" * 10_000
    whole, short = httpx.Response(200, content=body), httpx.Response(200, content=b"abc")
    assert client(whole, seen=seen).download(f"{BASE}/api/v2/downloads/x", 15) == body[:15]
    assert client(short, seen=seen).download("/api/v2/downloads/x", 15) == b"abc"
    assert {request.headers["Authorization"] for request in seen} == {"Bearer t"}


def test_a_server_that_is_busy_is_asked_again() -> None:
    """A download repeats nothing that was done: it is tried like any reading, with a new token where that ended."""
    seen: list[httpx.Request] = []
    answers = (httpx.Response(503), httpx.ReadTimeout("slow"), httpx.Response(401), httpx.Response(200, content=b"abc"))
    assert client(*answers, seen=seen).download("/x", 15) == b"abc"
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("uri", "answer", "sentence"),
    [
        ("https://elsewhere.example.com/x", httpx.Response(200), "another host"),
        ("/x", httpx.Response(404), r"GET /x: not found \(404\)"),
        (
            "/x",
            httpx.Response(303, headers={"Location": "https://elsewhere.example.com"}),
            r"the server redirects \(303\), which is not followed",
        ),
        ("/x", httpx.ConnectError("no"), r"api\.example\.com gave no answer \(ConnectError\)"),
    ],
)
def test_what_cannot_be_downloaded_is_an_error(
    uri: str, answer: httpx.Response | httpx.RequestError, sentence: str
) -> None:
    """The token goes to no other host, and nothing is followed."""
    with pytest.raises(RemoteError, match=sentence):
        client(answer, seen=[]).download(uri, 10)
