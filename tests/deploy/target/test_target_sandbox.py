"""The whole way over real HTTP against the sandbox: what servers and networks do to a deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from target_fakes import Clock, rule

from dialproof.errors import RemoteConflictError, RemoteError
from dialproof_deploy.api.client import ApiClient
from dialproof_deploy.api.credentials import Credentials, read_credentials
from dialproof_deploy.api.errors import AccessDeniedError
from dialproof_deploy.audit.log import AuditLog, read_records, verify
from dialproof_deploy.plan.apply import ApplyResult, apply
from dialproof_deploy.plan.plan import Plan, make_plan
from dialproof_deploy.sandbox.serve import Sandbox
from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget
from dialproof_deploy.targets.wire import content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Desk:
    """A sandbox, a target over it, and a second client that plays the other people."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.sandbox = Sandbox.start(None, **options)
        self.credentials = Credentials(self.sandbox.url, self.sandbox.client_id, self.sandbox.client_secret)
        self.api = self.client(self.credentials)
        self.target = CampaignRulesTarget(self.api)
        others = self.client(self.credentials)
        self.others = CampaignRulesTarget(others)
        self.clients = [self.api, others]
        self.audit: list[dict[str, Any]] = []

    def client(self, credentials: Credentials) -> ApiClient:
        """Return a client whose waits cost no time."""
        return ApiClient(
            self.sandbox.url,
            credentials,
            clock=self.clock,
            now=self.clock.now,
            sleep=self.clock.sleep,
            jitter=lambda: 0.0,
            rate_per_minute=100_000,
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the sandbox's own routes."""
        login = (self.sandbox.client_id, self.sandbox.client_secret)
        answer = httpx.request(method, f"{self.sandbox.url}/_sandbox/{path}", auth=login, json=body, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fault(self, kind: str, **fields: Any) -> None:
        """Queue a fault."""
        self.control("POST", "faults", {"kind": kind, **fields})

    def requests(self) -> list[tuple[str, str, int | None]]:
        """Return (method, last part of the path, status) of the requests since ``forget``, counted out."""
        found = self.control("GET", "requests")["requests"]
        return [
            (entry["method"], entry["path"].rpartition("/")[2], entry["status"])
            for entry in found
            for _ in range(entry["count"])
        ]

    def plan(self, *desired: dict[str, Any], **options: Any) -> Plan:
        """Plan from what the sandbox holds."""
        return make_plan("c1", desired, self.target.list_rules("c1"), **options)

    def apply(self, plan: Plan) -> ApplyResult:
        """Carry a plan out."""
        return apply(plan, self.target, audit=self.audit.append)

    def deploy(self, *desired: dict[str, Any], **options: Any) -> ApplyResult:
        """Plan and apply."""
        return self.apply(self.plan(*desired, **options))

    def stored(self) -> dict[str, dict[str, Any]]:
        """Return the stored rules by name."""
        return {r["name"]: r for r in self.others.list_rules("c1")}

    def close(self) -> None:
        """Stop everything."""
        for client in self.clients:
            client.close()
        self.sandbox.stop()


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    """Return what starts a sandbox with options, stopped at the end."""
    desks: list[Desk] = []

    def start(**options: Any) -> Desk:
        desks.append(Desk(**options))
        return desks[-1]

    yield start
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """Return a sandbox with two deployed rules."""
    desk = open_desk()
    desk.deploy(rule("a", 1), rule("b", 2))
    return desk


def check_deployed(desk: Desk, *desired: dict[str, Any]) -> None:
    """Check that exactly these rules are stored, and that a further plan is empty."""
    assert {name: content(r) for name, r in desk.stored().items()} == {d["name"]: content(d) for d in desired}
    assert desk.plan(*desired).steps == ()


def test_a_first_deploy_a_change_and_a_delete(desk: Desk) -> None:
    """All fields arrive, versions rise by one a write, request ids come from the server."""
    wanted = [rule("a", 1, priority=7, enabled=False), rule("c", 3, conditions=[])]
    result = desk.deploy(*wanted, prune=["b"])
    check_deployed(desk, *wanted)
    assert desk.stored()["a"]["version"] == 2
    assert all(made.request_id for made in result.made)


def test_lost_answer_to_a_create(desk: Desk) -> None:
    """A create whose connection dies after the work leaves one rule and a successful deploy."""
    desk.fault("drop_after", method="POST", path_contains="/rules")
    wanted = [rule("a", 1), rule("b", 2), rule("c", 3)]
    desk.deploy(*wanted)
    check_deployed(desk, *wanted)
    assert desk.stored()["c"]["version"] == 1


@pytest.mark.parametrize("kind", ["drop_before", "truncate"])
def test_other_disturbed_creates(kind: str, desk: Desk) -> None:
    """A create that never arrived, or whose answer is half, is made once."""
    desk.fault(kind, method="POST", path_contains="/rules")
    wanted = [rule("a", 1), rule("b", 2), rule("c", 3)]
    desk.deploy(*wanted)
    check_deployed(desk, *wanted)


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "truncate"])
def test_lost_answer_to_an_update(kind: str, desk: Desk) -> None:
    """An update whose answer is lost is made exactly once: the version rises by one."""
    desk.fault(kind, method="PUT", path_contains="/rules/")
    wanted = [rule("a", 1, priority=7), rule("b", 2)]
    desk.deploy(*wanted)
    check_deployed(desk, *wanted)
    assert desk.stored()["a"]["version"] == 2


def test_lost_answer_to_a_delete(desk: Desk) -> None:
    """A delete whose answer is lost is done."""
    desk.fault("drop_after", method="DELETE")
    desk.deploy(rule("a", 1), prune=["b"])
    check_deployed(desk, rule("a", 1))


@pytest.mark.parametrize(
    ("fields", "waited"),
    [
        ({"status": 429, "retry_after": 11, "times": 3}, 33),
        ({"status": 429, "times": 4}, 2 + 4 + 8 + 16),
        ({"status": 503, "retry_after": 5}, 5),
        ({"status": 503, "times": 2}, 6),
    ],
)
def test_bursts_of_429_and_503(fields: dict[str, Any], waited: float, desk: Desk) -> None:
    """With Retry-After the server's wait, without it 2, 4, 8 ... seconds; the deploy succeeds."""
    desk.fault("status", method="PUT", **fields)
    before = desk.clock.seconds
    desk.deploy(rule("a", 1, priority=7), rule("b", 2))
    assert desk.clock.seconds - before == pytest.approx(waited, abs=0.5)
    check_deployed(desk, rule("a", 1, priority=7), rule("b", 2))


def test_a_503_to_a_create_makes_one_rule(desk: Desk) -> None:
    """A create that the server put off is sent again."""
    desk.fault("status", status=503, method="POST", path_contains="/rules")
    desk.deploy(rule("a", 1), rule("b", 2), rule("c", 3))
    check_deployed(desk, rule("a", 1), rule("b", 2), rule("c", 3))


def test_a_target_that_stays_down_rolls_back(desk: Desk) -> None:
    """After five tries of one write those before it are undone, and the error says so."""
    plan = desk.plan(rule("a", 1, priority=7), rule("b", 2, priority=8))
    desk.fault("status", status=503, method="PUT", skip=1, times=5)
    with pytest.raises(RemoteError, match=r"failed after 5 tries[\s\S]*the 1 write made was undone"):
        desk.apply(plan)
    check_deployed(desk, rule("a", 1), rule("b", 2))
    assert desk.stored()["a"]["version"] == 3
    assert [record["phase"] for record in desk.audit[-2:]] == ["rollback.started", "rollback.made"]


def test_a_token_revoked_in_the_middle(desk: Desk) -> None:
    """A 401 between two writes costs one new token and nothing else."""
    plan = desk.plan(rule("a", 1, priority=7), rule("b", 2, priority=8))
    desk.fault("revoke_tokens", method="PUT", skip=1)
    desk.apply(plan)
    check_deployed(desk, rule("a", 1, priority=7), rule("b", 2, priority=8))


def test_a_token_that_expires_in_the_middle(open_desk: Callable[..., Desk]) -> None:
    """The server's clock runs past the token's end while ours stands still: the 401 renews it."""
    now = [1_772_884_800.0]
    desk = open_desk(clock=lambda: now[0], token_seconds=600)
    plan = desk.plan(rule("a", 1))
    now[0] += 601
    desk.apply(plan)
    check_deployed(desk, rule("a", 1))
    assert sum(1 for r in desk.requests() if r[1] == "token") == 3  # two of ours, one of the others


def test_a_token_about_to_end_is_renewed_without_a_401(open_desk: Callable[..., Desk]) -> None:
    """By our own clock the token is renewed with less than five minutes left."""
    desk = open_desk(token_seconds=600)
    plan = desk.plan(rule("a", 1))
    desk.clock.seconds += 301
    desk.apply(plan)
    assert not [r for r in desk.requests() if r[2] == 401]
    assert sum(1 for r in desk.requests() if r[1] == "token") == 2


def test_a_missing_scope_is_named_and_nothing_is_written(open_desk: Callable[..., Desk]) -> None:
    """A client without the right to write learns which scope it lacks."""
    desk = open_desk(scopes=["outbound:campaign:read"])
    with pytest.raises(AccessDeniedError, match="outbound:rule:write") as caught:
        desk.target.create_rule("c1", rule("a", 1))
    assert "403" in str(caught.value)
    with pytest.raises(RemoteError, match=r"outbound:rule:write.*\n.*nothing was changed"):
        desk.deploy(rule("a", 1))


def test_a_wrong_secret_fails_before_anything_else(desk: Desk) -> None:
    """The message names the variable and holds no secret."""
    wrong = read_credentials(
        {"DIALPROOF_SANDBOX_CLIENT_ID": desk.sandbox.client_id, "DIALPROOF_SANDBOX_CLIENT_SECRET": "wr0ng-secret"},
        "sandbox",
        base_url=desk.sandbox.url,
    )
    with desk.client(wrong) as api, pytest.raises(AccessDeniedError) as caught:
        api.login()
    assert "DIALPROOF_SANDBOX_CLIENT_ID" in str(caught.value)
    assert "wr0ng" not in str(caught.value)
    assert desk.sandbox.client_id not in str(caught.value)


def test_a_dead_server_is_unreachable(desk: Desk) -> None:
    """A server that is gone ends in a sentence that counts the tries."""
    desk.sandbox.stop()
    with pytest.raises(RemoteError, match=r"failed after 5 tries: 127\.0\.0\.1 gave no answer"):
        desk.target.list_rules("c1")


def test_two_rules_swap_their_orders(desk: Desk) -> None:
    """The server refuses a taken order at every moment; a swap takes three writes."""
    result = desk.deploy(rule("a", 2), rule("b", 1))
    assert len(result.made) == 3
    check_deployed(desk, rule("a", 2), rule("b", 1))


def test_a_dense_reversal_with_a_create_and_a_delete(desk: Desk) -> None:
    """Many rules change places on a server that checks uniqueness."""
    names = "abcdefgh"
    desk.deploy(*(rule(name, n) for n, name in enumerate(names, start=1)))
    wanted = [rule(name, n) for n, name in enumerate(reversed(names[1:] + "x"), start=1)]
    desk.deploy(*wanted, prune=["a"])
    check_deployed(desk, *wanted)


def test_an_edit_between_plan_and_apply_is_never_overwritten(desk: Desk) -> None:
    """Somebody's change in the user interface stops the deploy before its first write."""
    plan = desk.plan(rule("a", 1, priority=7), rule("b", 2, priority=8))
    b = desk.stored()["b"]
    desk.others.update_rule("c1", b, {**b, "description": "edited in the UI"})
    with pytest.raises(RemoteConflictError, match="edited in the UI"):
        desk.apply(plan)
    stored = desk.stored()
    assert (stored["a"]["priority"], stored["a"]["version"]) == (100, 1)
    assert (stored["b"]["description"], stored["b"]["priority"]) == ("edited in the UI", 100)


def test_an_edit_during_apply_is_never_overwritten(desk: Desk) -> None:
    """A change that comes after the first write stops the deploy, which undoes its own writes and keeps the edit."""
    plan = desk.plan(rule("a", 1, priority=7), rule("b", 2, priority=8))
    b = desk.stored()["b"]

    def edit(step: Any) -> None:
        if step.rule == "b":
            desk.others.update_rule("c1", b, {**b, "description": "edited in the UI"})

    with pytest.raises(RemoteConflictError, match=r"theirs \"edited in the UI\"[\s\S]*undone"):
        apply(plan, desk.target, audit=desk.audit.append, on_step=edit)
    stored = desk.stored()
    assert (stored["a"]["priority"], stored["a"]["version"]) == (100, 3)
    assert (stored["b"]["description"], stored["b"]["priority"]) == ("edited in the UI", 100)


def test_a_thousand_unchanged_rules_cause_no_write(open_desk: Callable[..., Desk]) -> None:
    """Requests are the pages read, the token and the rules that differ, and nothing for what is unchanged."""
    desk = open_desk(rate_limit=100_000)
    wanted = [rule(f"r{n}", n) for n in range(1, 1001)]
    desk.deploy(*wanted)
    before = len(desk.requests())
    desk.deploy(*wanted)
    assert len(desk.requests()) - before == 10  # pages
    wanted[500] = rule("r501", 501, priority=9)
    before = len(desk.requests())
    desk.deploy(*wanted)
    assert len(desk.requests()) - before == 10 + 10 + 1  # pages for the plan, pages before the write, the write


def test_records_go_into_the_audit_log(desk: Desk, tmp_path: Path) -> None:
    """The chained log takes every record of a deploy, and its chain holds."""
    log = AuditLog(tmp_path / "sandbox.jsonl", clock=desk.clock.now, actor="tester", commit=None)
    plan = desk.plan(rule("a", 2), rule("b", 1))
    apply(plan, desk.target, audit=lambda record: log.append(**record))
    assert verify(log.path).ok
    assert [record["phase"] for record in read_records(log.path)] == ["change.started", "change.made"] * 3


def test_events_of_our_writes_come_page_by_page(open_desk: Callable[..., Desk]) -> None:
    """Every create and update of the campaign is read, over several pages."""
    desk = open_desk(event_page_size=2)
    desk.deploy(*(rule(name, n) for n, name in enumerate("abc", start=1)))
    desk.deploy(*(rule(name, n, priority=3) for n, name in enumerate("abc", start=1)))
    events = list(desk.target.query_events("c1"))
    assert sorted(event["eventName"].rpartition(".")[2] for event in events) == ["created"] * 3 + ["updated"] * 3


def test_the_rate_limit_of_the_server_is_kept(open_desk: Callable[..., Desk]) -> None:
    """Under the server's own limit and clock, a long deploy meets no 429."""
    clock = Clock()
    desk = open_desk(clock=lambda: 1_772_884_800.0 + clock.seconds, rate_limit=60)
    api = ApiClient(
        desk.sandbox.url, desk.credentials, clock=clock, now=clock.now, sleep=clock.sleep, rate_per_minute=60
    )
    desk.clients.append(api)
    target = CampaignRulesTarget(api)
    wanted = [rule(f"r{n}", n) for n in range(1, 151)]
    apply(make_plan("c1", wanted, target.list_rules("c1")), target, audit=desk.audit.append)
    requests = desk.requests()
    assert not [r for r in requests if r[2] == 429]
    assert len(requests) == 150 + 2 + 1  # the rules, two readings of an empty campaign, the token
    assert clock.seconds - 1000 <= 1.1 * len(requests)
