from __future__ import annotations

import gzip
import json
import threading
from itertools import repeat
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from target_fakes import CREDENTIALS, SECRET, Campaign, Clock, Server, client, error, stored

from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.errors import (
    AccessDeniedError,
    AnswerLostError,
    BadRequestError,
    ConflictAnswerError,
    NotFoundError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PATH = "/api/v2/outbound/campaigns/c1/rules/id-a"


@pytest.fixture
def server() -> Server:
    """Return a server with one rule."""
    return Server(Campaign(stored("a", 1)))


def test_one_token_serves_all_requests(server: Server, clock: Clock) -> None:
    """Two requests ask for one token, by Basic login with the contract's form."""
    api = client(server, clock)
    api.request("GET", PATH)
    api.request("GET", PATH)
    assert server.tokens == 1
    login = server.requests[0]
    assert login.headers["Authorization"].startswith("Basic ")
    form = dict(httpx.QueryParams(login.content.decode()))
    assert form["grant_type"] == "client_credentials"
    assert "outbound:rule:write" in form["scope"]


def test_a_server_asking_to_wait_is_waited_for(server: Server, clock: Clock) -> None:
    """429 and 503 with Retry-After in seconds wait for exactly that long."""
    server.faults = [("GET", error(429, "slow down", Retry_After="7")), ("GET", error(503, "x", Retry_After="3"))]
    assert client(server, clock).request("GET", PATH).attempts == 3
    assert sum(clock.slept) == pytest.approx(10)


def test_each_wait_is_told(server: Server, clock: Clock) -> None:
    """A sentence for each says what happened and for how long there is silence."""
    told: list[str] = []
    server.faults = [("GET", error(503, "x")) for _ in range(2)]
    client(server, clock, say=told.append).request("GET", PATH)
    assert told == [f"GET {PATH}: the server answered 503; trying again in {n} s" for n in (2, 4)]


def test_what_to_do_is_said_of_403_and_of_a_campaign_that_is_not_there(server: Server, clock: Clock) -> None:
    """The permission, and the id of the campaign; of a rule that is gone nobody has to check an id."""
    server.faults = [("GET", error(403, "x")), ("GET", error(404, "x")), ("GET", error(404, "x"))]
    api = client(server, clock)
    with pytest.raises(AccessDeniedError, match=r"; give GENESYS_CLIENT_ID the permission for it$"):
        api.request("GET", PATH)
    with pytest.raises(NotFoundError, match=r"; check ids\.campaigns$"):
        api.request("GET", "/api/v2/outbound/campaigns/c1")
    with pytest.raises(NotFoundError, match=r"x$"):
        api.request("GET", PATH)


def test_retry_after_may_be_a_date(server: Server, clock: Clock) -> None:
    """An HTTP date is turned into the seconds until then."""
    server.faults = [("GET", error(429, "x", Retry_After="Sat, 07 Mar 2026 12:00:30 GMT"))]
    client(server, clock).request("GET", PATH)
    assert clock.seconds == pytest.approx(1030)


@pytest.mark.parametrize("after", [None, "soon", "-5", "0", "Sat, 07 Mar 2026 11:59:00 GMT"])
def test_without_retry_after_the_wait_grows(server: Server, clock: Clock, after: str | None) -> None:
    """From 2 s, doubled each time, when the server says nothing that can be read, or asks for no wait at all."""
    header = {} if after is None else {"Retry_After": after}
    server.faults = [("GET", error(429, "x", **header)) for _ in range(4)]
    client(server, clock).request("GET", PATH)
    assert clock.slept == pytest.approx([2, 4, 8, 16])


def test_jitter_and_multiplier_shape_the_wait(server: Server, clock: Clock) -> None:
    """Waits spread up to half as much again, from the configured start by the configured multiplier."""
    server.faults = [("GET", error(503, "x")) for _ in range(2)]
    client(server, clock, jitter=lambda: 1.0, backoff_start=1.0, backoff_multiplier=3.0).request("GET", PATH)
    assert clock.slept == pytest.approx([1.5, 4.5])


def test_a_wait_of_more_than_five_minutes_is_an_error(server: Server, clock: Clock) -> None:
    """A Retry-After of an hour is reported instead of waited for."""
    server.faults = [("GET", error(429, "x", Retry_After="3600"))]
    with pytest.raises(RemoteError, match="3600 s"):
        client(server, clock).request("GET", PATH)
    assert clock.slept == []


def test_tries_end_and_are_counted(server: Server, clock: Clock) -> None:
    """After five tries the error says how many there were and what happened last."""
    server.faults = [("GET", error(503, "x")) for _ in range(9)]
    with pytest.raises(UnreachableError, match=r"failed after 5 tries: the server answered 503"):
        client(server, clock).request("GET", PATH)
    assert len(server.calls) == 5


@pytest.mark.parametrize("fault", ["lost before", httpx.ConnectTimeout("x"), httpx.RemoteProtocolError("cut")])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_broken_connections_are_tried_again(method: str, fault: Any, server: Server, clock: Clock) -> None:
    """A request that may be repeated survives a connection that breaks."""
    server.faults = [(method, fault)]
    assert client(server, clock).request(method, PATH).attempts == 2


@pytest.mark.parametrize("fault", ["lost after", error(500, "x"), error(502, "x"), error(504, "x")])
def test_a_create_is_never_repeated_blindly(fault: Any, server: Server, clock: Clock) -> None:
    """A POST whose answer is lost is sent once: whether it was made is for the caller to find out."""
    server.faults = [("POST", fault)]
    with pytest.raises(AnswerLostError):
        client(server, clock).request("POST", "/api/v2/outbound/campaigns/c1/rules", body=stored("b", 2))
    assert server.calls == ["POST rules"]


def test_a_create_that_never_left_is_repeated(server: Server, clock: Clock) -> None:
    """A connection that could not be opened has carried nothing."""
    server.faults = [("POST", httpx.ConnectError("refused"))]
    api = client(server, clock)
    assert api.request("POST", "/api/v2/outbound/campaigns/c1/rules", body=stored("b", 2)).attempts == 2


def test_a_refused_token_is_renewed_once_and_the_request_repeated(server: Server, clock: Clock) -> None:
    """A 401 in the middle of a run costs one new token; another 401 is an error without retries."""
    api = client(server, clock)
    api.login()
    server.valid.clear()
    assert api.request("GET", PATH).status == 200
    assert server.tokens == 2
    server.faults = [("GET", error(401, "no")), ("GET", error(401, "no"))]
    with pytest.raises(AccessDeniedError, match="GENESYS_CLIENT_ID is refused as well"):
        api.request("GET", PATH)
    assert server.tokens == 3


def test_the_token_is_renewed_before_it_ends(server: Server, clock: Clock) -> None:
    """With less than five minutes left a new token is asked for, without any 401."""
    api = client(server, clock)
    api.login()
    clock.seconds += 86400 - 299
    api.request("GET", PATH)
    assert server.tokens == 2
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [400, 401])
def test_wrong_credentials_fail_at_login(status: int, server: Server, clock: Clock) -> None:
    """The message names the variable to correct, and neither the id nor the secret."""
    server.faults = [("TOKEN", error(status, f"client {CREDENTIALS.client_id} {SECRET} unknown"))]
    with pytest.raises(AccessDeniedError, match="GENESYS_CLIENT_ID") as caught:
        client(server, clock).login()
    assert SECRET not in str(caught.value)
    assert CREDENTIALS.client_id not in str(caught.value)
    assert server.calls == []


def test_a_token_answer_of_another_shape_is_a_failure(server: Server, clock: Clock) -> None:
    """A login page instead of a token is an error."""
    server.faults = [("TOKEN", httpx.Response(200, json=[1]))]
    with pytest.raises(RemoteError, match="not a JSON object"):
        client(server, clock).login()


def test_a_missing_scope_is_named(server: Server, clock: Clock) -> None:
    """A 403 shows the scope from the body."""
    detail = {"fieldName": "scope", "errorCode": "missing.scope", "message": "outbound:rule:write"}
    server.faults = [("PUT", error(403, "the token lacks a scope", [detail]))]
    with pytest.raises(AccessDeniedError, match="outbound:rule:write"):
        client(server, clock).request("PUT", PATH, body={})


def test_bad_request_shows_each_field(server: Server, clock: Clock) -> None:
    """A 400 lists the server's details, whatever their shape."""
    details = [{"fieldName": "priority", "message": "1..1000"}, "name: required", {"a": 1}]
    server.faults = [("PUT", error(400, "invalid", details))]
    with pytest.raises(BadRequestError, match=r"priority: 1\.\.1000; name: required; a=1"):
        client(server, clock).request("PUT", PATH, body={})


def test_not_found_and_conflict_are_typed(server: Server, clock: Clock) -> None:
    """404 and 409 raise errors of their own, with the server's message."""
    api = client(server, clock)
    with pytest.raises(NotFoundError, match="no rule id-z"):
        api.request("GET", PATH[:-1] + "z")
    with pytest.raises(ConflictAnswerError, match="version 2 expected"):
        api.request("PUT", PATH, body=stored("a", 1, version=9))


@pytest.mark.parametrize("body", [b'{"id": "a', b"<html>", b"\xff\xfe{", b"[" * 100_000])
def test_an_unreadable_answer_is_an_error(body: bytes, server: Server, clock: Clock) -> None:
    """Truncated JSON and a proxy's HTML end in a sentence, not in a traceback."""
    server.faults = [("GET", httpx.Response(200, content=body))]
    with pytest.raises(RemoteError, match="not readable JSON"):
        client(server, clock).request("GET", PATH)


def test_an_error_without_json_is_still_an_error(server: Server, clock: Clock) -> None:
    """A proxy's 418 in HTML gives its status."""
    server.faults = [("GET", httpx.Response(418, content=b"<html>"))]
    with pytest.raises(RemoteError, match="unexpected answer 418"):
        client(server, clock).request("GET", PATH)


def test_headers_need_not_be_ascii(server: Server, clock: Clock) -> None:
    """A header in Latin-1, as HTTP allows, is no reason to fail."""
    server.faults = [("GET", httpx.Response(200, headers=[(b"X-Office", b"Z\xfcrich")], json={"a": 1}))]
    assert client(server, clock).request("GET", "/x").body == {"a": 1}


def test_redirects_are_not_followed(server: Server, clock: Clock) -> None:
    """A redirect could carry the token elsewhere; it is an error that names base_url."""
    server.faults = [("GET", httpx.Response(302, headers={"Location": "https://evil.example/"}))]
    with pytest.raises(RemoteError, match="base_url"):
        client(server, clock).request("GET", PATH)
    assert all(r.url.host == "usw2.mypurecloud.com" for r in server.requests)


class Stream(httpx.SyncByteStream):
    """A body in parts, each of which takes ``seconds``; ``sent`` counts those that were asked for."""

    def __init__(self, clock: Clock, parts: Iterable[bytes], seconds: float = 0) -> None:
        self.clock, self.parts, self.seconds = clock, parts, seconds
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts."""
        for part in self.parts:
            self.clock.seconds += self.seconds
            self.sent += 1
            yield part


@pytest.mark.parametrize(
    ("method", "kind"), [("GET", UnreachableError), ("PUT", UnreachableError), ("POST", AnswerLostError)]
)
def test_an_answer_that_trickles_is_given_up(method: str, kind: type[Exception], server: Server, clock: Clock) -> None:
    """A byte a second breaks no read timeout; after a minute the answer is lost, and not asked for again."""
    stream = Stream(clock, repeat(b" "), seconds=1)
    server.faults = [(method, httpx.Response(200, stream=stream))]
    with pytest.raises(kind, match="took longer than 60 s"):
        client(server, clock).request(method, PATH, body=None if method == "GET" else {})
    assert (stream.sent, len(server.calls)) == (61, 1)


@pytest.mark.parametrize("encoded", [False, True])
def test_an_answer_that_is_too_large_is_given_up(encoded: bool, server: Server, clock: Clock) -> None:
    """What is read, and what it unpacks to, is bounded: a small answer may be a very large one."""
    packed = gzip.compress(b" " * 2**26, 1)
    parts = (packed[at : at + 1000] for at in range(0, len(packed), 1000)) if encoded else repeat(b" " * 2**20)
    stream = Stream(clock, parts)
    headers = {"Content-Encoding": "gzip"} if encoded else {}
    server.faults = [("GET", httpx.Response(200, stream=stream, headers=headers))]
    with pytest.raises(UnreachableError, match="larger than 16 MiB"):
        client(server, clock).request("GET", PATH)
    assert stream.sent < len(packed) / 1000 / 2
    assert len(server.calls) == 1


def test_a_packed_answer_is_read(server: Server, clock: Clock) -> None:
    """Gzip is understood, and a broken one is a lost answer."""
    headers = {"Content-Encoding": "gzip"}
    server.faults = [
        ("GET", httpx.Response(200, stream=Stream(clock, [b"nonsense"]), headers=headers)),
        ("GET", httpx.Response(200, stream=Stream(clock, [gzip.compress(b'{"a": 1}')]), headers=headers)),
    ]
    answer = client(server, clock).request("GET", PATH)
    assert (answer.body, answer.attempts) == ({"a": 1}, 2)


@pytest.mark.parametrize("link", ["http://[::1", "/a\x00", "/a\nb", "/" + "a" * 70_000, "/\ud800", "https://xn--a/"])
def test_links_that_are_no_url_are_an_error(link: str, server: Server, clock: Clock) -> None:
    """Whatever a server sends as a link ends in a sentence."""
    with pytest.raises(RemoteError, match="the server sent a link"):
        client(server, clock).request("GET", link)
    assert server.requests == []


@pytest.mark.parametrize("link", ["https://evil.example/x", "//evil.example/x", "http://usw2.mypurecloud.com/x"])
def test_links_to_other_hosts_are_not_followed(link: str, server: Server, clock: Clock) -> None:
    """The token never leaves for another host, nor unencrypted."""
    with pytest.raises(RemoteError, match="another host"):
        client(server, clock).request("GET", link)
    assert server.requests == []


def test_control_characters_and_echoed_secrets_never_reach_the_message(server: Server, clock: Clock) -> None:
    """A server's text is made fit for a terminal, and what it echoes is blanked."""
    text = f"bad\x1b[31m {SECRET} token-1 " + "x" * 5000
    server.faults = [("GET", error(400, text))]
    with pytest.raises(BadRequestError) as caught:
        client(server, clock).request("GET", PATH)
    message = str(caught.value)
    assert "\x1b" not in message
    assert SECRET not in message
    assert "token-1" not in message
    assert len(message) < 600


def test_the_http_log_holds_no_secret(server: Server, clock: Clock, tmp_path: Path) -> None:
    """One JSON line a request: method, path, status, request id and time, and nothing of headers, body, query."""
    log = tmp_path / "logs" / "http.jsonl"
    server.faults = [("GET", "lost before")]
    api = client(server, clock, http_log=log)
    api.request("GET", PATH, params={"name": "private"})
    text = log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["method"], line["status"]) for line in lines] == [("POST", 200), ("GET", None), ("GET", 200)]
    assert lines[-1]["request_id"] == "c-2"
    assert set(lines[0]) == {"time", "method", "path", "status", "request_id", "ms"}
    for secret in (SECRET, CREDENTIALS.client_id, "token-1", "private", "Bearer"):
        assert secret not in text


def test_an_http_log_that_cannot_be_written_is_a_usage_error(server: Server, clock: Clock, tmp_path: Path) -> None:
    """A log path below a file is reported before any request."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="HTTP log"):
        client(server, clock, http_log=tmp_path / "file" / "log")
    assert server.requests == []


def test_all_requests_share_one_rate_limit(server: Server, clock: Clock) -> None:
    """Under 60 a minute, 61 requests and their login take about a minute."""
    api = client(server, clock, rate_per_minute=60)
    for _ in range(61):
        api.request("GET", PATH)
    assert 59 <= clock.seconds - 1000 <= 66


def test_threads_use_one_token(server: Server, clock: Clock) -> None:
    """Threads that start without a token cause one login."""
    api = client(server, clock)
    threads = [threading.Thread(target=api.request, args=("GET", PATH)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.tokens == 1
    assert len(server.calls) == 6


def test_http_to_another_machine_is_refused() -> None:
    """The client itself checks the base URL, whoever made it."""
    with pytest.raises(UsageError, match="https"):
        ApiClient("http://example.com", CREDENTIALS)


def test_proxies_come_from_the_environment_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Https goes through the proxy httpx finds; a sandbox on this machine never does."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with ApiClient("https://h.example", CREDENTIALS) as api:
        assert api._http._mounts
    with ApiClient("http://127.0.0.1:9", CREDENTIALS) as api:
        assert not api._http._mounts
