"""A sandbox for each test, and a client that knows its token."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sandbox_bodies import RULE_SETS, rule_set

from dialproof_deploy.sandbox.serve import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOON = 1_772_884_800.0
"""2026-03-07T12:00:00Z"""


class Clock:
    """Seconds since the epoch that stand still until they are moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Api:
    """httpx with the token of one sandbox; its calls are named for the contract."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.basic = (sandbox.client_id, sandbox.client_secret)
        # verify: no TLS on loopback, and loading the authorities costs 30 ms a client
        self.http = httpx.Client(base_url=sandbox.url, trust_env=False, verify=False)
        self.login()

    def login(self, scope: str | None = None) -> None:
        """Get a token and use it from now on."""
        form = {"grant_type": "client_credentials"} | ({} if scope is None else {"scope": scope})
        answer = self.http.post("/api/v2/oauth/token", auth=self.basic, data=form)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def rules(self, rule_id: str = "", campaign: str = "c1") -> str:
        """Return the path of the campaign's rules or of one of them."""
        return f"/api/v2/outbound/campaigns/{campaign}/rules" + (f"/{rule_id}" if rule_id else "")

    def create(self, name: str, order: int, **fields: Any) -> dict[str, Any]:
        """Create a rule and return it."""
        answer = self.http.post(self.rules(), json=rule(name, order, **fields))
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def create_set(self, name: str, *rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Create a rule set and return it."""
        answer = self.http.post(RULE_SETS, json=rule_set(name, *rules, **fields))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def seed(self, path: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
        """Put a document into the sandbox as somebody else, and return it."""
        answer = self.control("PUT", path, json=body, params=query)
        assert answer.status_code == 200, answer.text
        stored: dict[str, Any] = answer.json()
        return stored

    def names(self) -> list[str]:
        """Return the names of the campaign's stored rules."""
        return [entity["name"] for entity in self.http.get(self.rules()).json()["entities"]]

    def control(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call a route below ``/_sandbox/``."""
        return self.http.request(method, f"/_sandbox/{path}", auth=self.basic, **options)

    def fault(self, *faults: dict[str, Any]) -> None:
        """Queue faults."""
        assert self.control("POST", "faults", json=list(faults)).status_code == 201


def rule(name: str, order: int, **fields: Any) -> dict[str, Any]:
    """Return the body of a rule with the required fields."""
    return {"name": name, "version": 1, "priority": 100, "executionOrder": order, **fields}


@pytest.fixture
def make_rule() -> Callable[..., dict[str, Any]]:
    """Return the function that builds a rule's body."""
    return rule


@pytest.fixture(scope="session")
def session_clock() -> Clock:
    """Return the clock of all servers."""
    return Clock()


@pytest.fixture
def clock(session_clock: Clock) -> Clock:
    """Return the clock of all servers, set to noon."""
    session_clock.now = NOON
    return session_clock


@pytest.fixture(scope="session")
def shared(session_clock: Clock) -> Iterator[Sandbox]:
    """Return a server in memory for the tests that need no server of their own: stopping one takes 0.2 s."""
    with Sandbox.start(None, clock=session_clock) as sandbox:
        yield sandbox


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Return what closes servers and clients at the end of the test, newest first."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(stack: ExitStack, clock: Clock) -> Callable[..., Sandbox]:
    """Return a function that starts a sandbox in memory, or in a directory, stopped at the end."""

    def start(state_dir: Path | None = None, **options: Any) -> Sandbox:
        return stack.enter_context(Sandbox.start(state_dir, **({"clock": clock} | options)))

    return start


@pytest.fixture
def connect(stack: ExitStack) -> Callable[[Sandbox], Api]:
    """Return a function that gives a client with a token."""

    def connect(sandbox: Sandbox) -> Api:
        api = Api(sandbox)
        stack.callback(api.http.close)
        return api

    return connect


@pytest.fixture
def api(shared: Sandbox, connect: Callable[[Sandbox], Api], clock: Clock) -> Api:
    """Return a client, with a token of its own, of a server without rules, events and faults at noon."""
    api = connect(shared)
    assert api.control("POST", "reset").status_code == 204
    return api


@pytest.fixture
def assert_error() -> Callable[..., dict[str, Any]]:
    """Return a check of an error answer; it gives back the body."""

    def check(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        assert list(body)[:6] == ["message", "code", "status", "contextId", "details", "errors"]
        assert isinstance(body["message"], str)
        assert isinstance(body["details"], list)
        assert body["status"] == status
        assert body["contextId"] == answer.headers.get("ININ-Correlation-Id", body["contextId"]) != ""
        assert code in (None, body["code"])
        return body

    return check
