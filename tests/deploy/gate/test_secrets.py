"""One way through plan, refusal, deploy, drift, failure and every export: nothing shows what it must not."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
from standardwebhooks import Webhook as Verifier

from dialproof.cli import main
from dialproof_deploy.api.token import TokenSource
from dialproof_deploy.audit.export import FORMATS
from dialproof_deploy.audit.webhook import Webhook
from dialproof_deploy.sandbox.serve import Sandbox
from tests.deploy.gate.conftest import RULES, statement_of

if TYPE_CHECKING:
    from pathlib import Path

PHONE, MAIL, THEIRS, LISTED = "+15557770001", "Canary-Mail@example.org", "+15557770002", "+15557770003"
SIGNING = "whsec_" + base64.b64encode(b"no one may see this signing key.").decode()
COLUMNS = """\
columns:
  lifetimeValue: {type: number, min: 0, max: 10000}
  state: {type: string, enum: [TX, CA, NY]}
  consent: {type: string, enum: ["yes", "no"]}
  phone: {type: string, phone: true}
  mail: {type: string, pii: true}
"""
BLOCKED = f"""\
  - name: blocked
    version: 1
    priority: 900
    executionOrder: 3
    conditions:
      - {{attribute: phone, operator: equals, value: "{PHONE}"}}
    actions:
      - {{type: doNotDial}}
"""
CASE = f"""\
cases:
  - name: one
    contact: {{lifetimeValue: 9000, state: NY, consent: yes, phone: "+15557770009", mail: "{MAIL}"}}
    expect: {{dial: true}}
"""


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the tokens that are obtained, as they are."""
    found: list[str] = []
    renew = TokenSource._renew

    def noting(self: TokenSource) -> None:
        renew(self)
        found.append(str(self._token))

    monkeypatch.setattr(TokenSource, "_renew", noting)
    return found


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what a receiver of the webhook gets: addresses, headers and bodies."""
    found: list[str] = []
    statuses = iter([400])

    def receive(request: httpx.Request) -> httpx.Response:
        Verifier(SIGNING).verify(request.content, dict(request.headers))
        found.extend([str(request.headers), request.content.decode()])
        return httpx.Response(next(statuses, 204))

    defaults = {**(Webhook.__init__.__kwdefaults__ or {}), "transport": httpx.MockTransport(receive)}
    monkeypatch.setattr(Webhook.__init__, "__kwdefaults__", defaults)
    return found


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with personal values wherever there can be some, as the current folder."""
    (root / "a.rules.yaml").write_text(f"contactList: a.contactlist.yaml\n{RULES}{BLOCKED}", encoding="utf-8")
    (root / "a.contactlist.yaml").write_text(COLUMNS, encoding="utf-8")
    (root / "a.contacts.yaml").write_text(CASE, encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setenv("DIALPROOF_WEBHOOK_SECRET", SIGNING)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    return root


def edit_remotely(sandbox: Sandbox, token: str) -> None:
    """Change our rule on the target and add another, both with personal values that are in no file."""
    path = "/api/v2/outbound/campaigns/cmp_123/rules"
    with httpx.Client(
        base_url=sandbox.url, trust_env=False, verify=False, headers={"Authorization": f"Bearer {token}"}
    ) as api:
        rule = next(rule for rule in api.get(path).json()["entities"] if rule["name"] == "blocked")
        rule["conditions"][0]["value"] = THEIRS
        rule["version"] += 1
        assert api.put(f"{path}/{rule['id']}", json=rule).status_code == 200
        several = {"attribute": "phone", "operator": "in", "value": json.dumps([LISTED]), "type": "string"}
        foreign = {"name": "foreign", "version": 1, "priority": 1, "executionOrder": 9, "conditions": [several]}
        foreign["actions"] = [{"type": "setAttribute", "attribute": "mail", "value": MAIL}]
        assert api.post(path, json=foreign).status_code == 201


def test_nothing_shows_a_secret_or_a_personal_value(
    project: Path,
    tokens: list[str],
    received: list[str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither output, messages of errors, the HTTP log, the audit, any export nor what a webhook gets."""
    caplog.set_level(logging.DEBUG)
    out = project.parent / "out"
    out.mkdir()
    evidence = out / "evidence.json"
    evidence.write_text(json.dumps(statement_of(project, datetime.now(UTC))), encoding="utf-8")
    common = ["--env", "sandbox", "--http-log", str(out / "http.jsonl")]
    deploy = ["deploy", *common, "--evidence", str(evidence)]
    with Sandbox.start(project / ".dialproof") as sandbox:
        assert main(["plan", *common]) == 0
        (project / "a.contacts.yaml").write_text(CASE.replace("9000", "9001"), encoding="utf-8")
        assert main(deploy) == 4
        (project / "a.contacts.yaml").write_text(CASE, encoding="utf-8")
        assert main(deploy) == 0
        edit_remotely(sandbox, tokens[-1])
        assert main(["plan", *common]) == 4
        for form in ("text", "json", "markdown"):
            assert main(["drift", *common, "-f", form]) == 1
        assert main([*deploy, "--prune", "foreign"]) == 0
        assert main(["audit", "sync", *common]) == 0
    logs = ["--env", "sandbox"]
    assert main(["audit", "verify", *logs]) == 0
    assert main(["audit", "tail", *logs, "-n", "100"]) == 0
    for form in FORMATS:
        assert main(["audit", "export", str(out / f"audit.{form}"), "--format", form, *logs]) == 0
    url = "https://siem.example.com/hook?token=t0k3n-in-the-address"
    assert main(["audit", "export", url, *logs]) == 6
    assert main(["audit", "export", url, *logs]) == 0
    secret = sandbox.client_secret
    basic = base64.b64encode(f"{sandbox.client_id}:{secret}".encode()).decode()
    forbidden = [PHONE, MAIL, THEIRS, LISTED, secret, basic, *tokens, SIGNING, SIGNING[6:], "t0k3n-in-the-address"]
    assert all(len(text) > 8 for text in forbidden)
    written = {f"received {number}": text for number, text in enumerate(received)}
    for folder in (out, project / ".dialproof" / "audit"):
        for path in folder.rglob("*"):
            written[path.name] = f"{path.name} {path.read_bytes().decode('utf-8', 'replace')}"
    captured = capsys.readouterr()
    written |= {"out": captured.out, "err": captured.err, "log": caplog.text}
    assert {"http.jsonl", "sandbox.jsonl", "sandbox.events.jsonl", "audit.parquet", "received 0"} <= written.keys()
    assert "conditions[0].value" in captured.out
    assert [(name, text) for name, content in written.items() for text in forbidden if text in content] == []
