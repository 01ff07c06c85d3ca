"""From pytest to the target: plan, apply, refusal, audit export and the two hooks, against the embedded sandbox."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.deploy.keys import OTHER, private, public
from tests.plugin.conftest import ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

APPLY = ("--dialproof-deploy=apply", "--dialproof-env=sandbox")


def _audit(project: Path) -> list[dict[str, object]]:
    text = (project.parent / ".dialproof/audit/sandbox.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_apply_deploys_audits_and_exports(project: Path, run: Run, workers: str) -> None:
    """A green run under apply creates the rules on the sandbox, chains the audit and exports it with the events."""
    result = run("rules", workers, *APPLY, "--dialproof-audit-export=audit.csv", "--dialproof-http-log=http.jsonl")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "Campaign cmp_123: 2 create",
            "deployed to sandbox: 2 writes, 2 new events; audit log .dialproof/audit/sandbox.jsonl",
            "audit export audit.csv: 8 records",
            f"GATE OPEN: {ITEMS} of {ITEMS} items passed for cmp_123; *",
        ]
    )
    events = [record["event"] for record in _audit(project)]
    assert events == ["decision", "request", "change", "request", "change", "decision"]
    rows = list(csv.DictReader(io.StringIO((project.parent / "audit.csv").read_text(encoding="utf-8"))))
    assert [row["changed_by"] for row in rows if row["eventType"]] == ["dialproof", "dialproof"]
    assert (project.parent / "http.jsonl").read_text(encoding="utf-8").count("\n") == 8
    again = run("rules", workers, *APPLY)
    again.stdout.fnmatch_lines(
        ["Campaign cmp_123: no changes, 2 rules unchanged", "nothing to deploy to sandbox, 0 new events; *"]
    )


def test_apply_after_a_red_run_refuses_says_why_and_audits_it(project: Path, run: Run, workers: str) -> None:
    """One changed threshold turns the run red: nothing is sent, the reason is printed and recorded."""
    edit(project / "premium.rules.yaml", '"5000"', '"9500"')
    result = run("rules", workers, *APPLY)
    assert result.ret == 1
    reason = "1 item failed: rules/premium.contacts.yaml::gold goes to the premium desk"
    result.stdout.fnmatch_lines(["nothing was deployed: the gate is closed", "GATE CLOSED", f"  - {reason}"])
    (record,) = _audit(project)
    assert record["event"] == "refusal"
    assert record["details"] == {"reasons": [reason]}
    assert not (project.parent / ".dialproof/sandbox.sqlite").exists()


def test_apply_with_an_incomplete_green_run_fails_the_session(project: Path, run: Run, workers: str) -> None:
    """What pytest calls success is not enough: -k leaves items out, nothing is deployed, the exit status becomes 1."""
    result = run("rules", workers, "-k", "not gold", *APPLY)
    result.assert_outcomes(passed=ITEMS - 1, deselected=None if workers == "-n2" else 1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["GATE CLOSED", "  - 1 item was deselected by -k 'not gold': *"])
    assert not (project.parent / ".dialproof/sandbox.sqlite").exists()


def test_plan_prints_even_when_the_gate_is_closed(project: Path, run: Run) -> None:
    """A plan only reads: it shows the writes, then CLOSED, and the session fails."""
    result = run("rules", "-k", "not gold", "--dialproof-deploy=plan", "--dialproof-env=sandbox")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["Campaign cmp_123: 2 create", "  + create rule 'high_value' (executionOrder 1)", "GATE CLOSED"]
    )
    result = run("rules", "--dialproof-deploy=plan", "--dialproof-env=sandbox")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["Campaign cmp_123: 2 create", "GATE OPEN*"])


def test_a_plan_with_refusals_fails_the_session(project: Path, run: Run, workers: str) -> None:
    """What the target holds beside the rules stops a deploy; a plan that says so is no success."""
    assert run("rules", *APPLY).ret == 0
    edit(project / "premium.rules.yaml", "- name: new_lead", "- name: young_lead")
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "matched: [young_lead]")
    result = run("rules", workers, "--dialproof-deploy=plan", "--dialproof-env=sandbox")
    assert result.ret == 1
    last = "the plan for sandbox cannot be applied: see above"
    result.stdout.fnmatch_lines(["Refused: *new_lead*", "GATE OPEN*", last])
    result = run("rules", workers, *APPLY)
    assert result.ret == 1
    last = "nothing was deployed to sandbox: see above"
    result.stdout.fnmatch_lines(["nothing was deployed: *new_lead*", "GATE OPEN*", last])


def test_an_environment_without_a_mode_says_that_nothing_is_done(project: Path, run: Run) -> None:
    """Whoever names an environment may think that it was deployed to."""
    result = run("rules", "--dialproof-env=sandbox")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["GATE OPEN*", "nothing was planned or deployed: that needs --dialproof-deploy=plan or apply"]
    )


_STAGING = '[environments.staging]\ntarget = "{}"\nbase_url = "http://127.0.0.1:9"\nfreeze = ["{}"]\n'


@pytest.mark.parametrize(
    ("config", "options", "sentence"),
    [
        ("", ["--dialproof-env=staging"], "there is no environment 'staging'; there are sandbox"),
        (
            _STAGING.format("campain-rules", "Fri 15:00-Mon 08:00"),
            ["--dialproof-env=staging"],
            "environment 'staging': there is no target 'campain-rules'; there are campaign-rules, rulesets",
        ),
        (
            _STAGING.format("rulesets", "Fri 15:00-Mon 08:00"),
            ["--dialproof-env=staging"],
            "environment 'staging': *GENESYSCLOUD_OAUTHCLIENT_ID*GENESYSCLOUD_OAUTHCLIENT_SECRET*",
        ),
        (
            _STAGING.format("campaign-rules", "Fri 15:00-Mon 08:00"),
            ["--dialproof-env=staging"],
            "environment 'staging': *GENESYS_CLIENT_ID*GENESYS_CLIENT_SECRET*",
        ),
        (
            "",
            ["--dialproof-env=sandbox", "--dialproof-audit-export=audit.xls"],
            "*audit.xls: no sink writes .xls: use .json, .jsonl, .csv, .parquet*",
        ),
        (
            "",
            ["--dialproof-env=sandbox", "--dialproof-audit-export=https://siem.example.com/x"],
            "a webhook needs a secret to sign with: set DIALPROOF_SANDBOX_WEBHOOK_SECRET or DIALPROOF_WEBHOOK_SECRET*",
        ),
    ],
    ids=["environment", "target", "rulesets", "credentials", "export", "webhook"],
)
def test_what_cannot_begin_is_a_usage_error(
    project: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    workers: str,
    config: str,
    options: list[str],
    sentence: str,
) -> None:
    """What no test can change is said before any test is run, and an earlier gate report does not stay open."""
    for name in ("CLIENT_ID", "CLIENT_SECRET", "ENV", "CAMPAIGN_ID"):
        monkeypatch.delenv(f"GENESYS_{name}", raising=False)
    for name in ("OAUTHCLIENT_ID", "OAUTHCLIENT_SECRET", "ACCESS_TOKEN"):
        monkeypatch.delenv(f"GENESYSCLOUD_{name}", raising=False)
    (project.parent / "dialproof.toml").write_text(config, encoding="utf-8")
    (project.parent / "gate.json").write_text('{"open": true}', encoding="utf-8")
    result = run("rules", workers, "--dialproof-deploy=apply", *options, "--dialproof-gate-report=gate.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    result.stdout.no_fnmatch_line("*passed*")
    report = json.loads((project.parent / "gate.json").read_text(encoding="utf-8"))
    assert report["open"] is False
    assert len(report["projects"][0]["reasons"]) == 1
    assert not (project.parent / ".dialproof").exists()


def test_options_that_need_each_other(project: Path, run: Run) -> None:
    """A deploy without environment, or an export without apply, is a usage error before anything runs."""
    for options in (["--dialproof-deploy=apply"], ["--dialproof-audit-export=a.csv"]):
        result = run("rules", *options)
        assert result.ret == 4
        result.stderr.fnmatch_lines(["ERROR: --dialproof-* needs --dialproof-*"])


def test_deploy_without_rules_is_closed(run: Run, pytester: pytest.Pytester) -> None:
    """A run that collects no rules file at all deploys nothing and says so."""
    pytester.makepyfile("def test_other(): pass")
    result = run(*APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["GATE CLOSED", "  - there is no campaign to deploy: no rules file was found*"])


def test_hooks_are_called_in_order(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """A conftest sees the evidence when the gate opens, and the result of the deploy."""
    pytester.makeconftest(
        """
        def pytest_dialproof_gate_open(evidence, config):
            print("\\nopen", len(evidence["subject"]), config.option.dialproof_env)

        def pytest_dialproof_deployed(result):
            print("deployed", result.environment, result.writes)
        """
    )
    result = run("rules", "-s", *APPLY)
    result.stdout.fnmatch_lines(["deployed sandbox 2"])
    result.stdout.fnmatch_lines(["open 4 sandbox"])


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("raise ValueError('+15551234567')", " failed (ValueError); set DIALPROOF_DEBUG=1 to see where"),
        ("pytest.fail('no ticket')", ": no ticket"),
        ("pytest.skip('no ticket')", ": no ticket"),
        ("pytest.exit('no ticket')", ": no ticket"),
        ("sys.exit('no ticket')", ": no ticket"),
        ("sys.exit()", " failed (SystemExit); set DIALPROOF_DEBUG=1 to see where"),
        ("raise RefusedError('no ticket')", ": no ticket"),
    ],
)
def test_a_hook_that_raises_stops_the_deploy_and_nothing_else(
    project: Path, run: Run, pytester: pytest.Pytester, statement: str, sentence: str
) -> None:
    """However it raises, the session ends in order; the hook and the plugin are named, and no unexpected text shown."""
    pytester.makeconftest(
        "import sys\nimport pytest\nfrom dialproof.errors import RefusedError\n"
        f"def pytest_dialproof_gate_open():\n    {statement}\n"
    )
    result = run("rules", *APPLY)
    assert result.ret == 1
    said = f"pytest_dialproof_gate_open of conftest.py{sentence}"
    result.stdout.fnmatch_lines(
        [f"nothing was deployed: {said}", "GATE OPEN*", "nothing was deployed to sandbox: *", f"*{ITEMS} passed*"]
    )
    assert "5551234567" not in result.stdout.str() + result.stderr.str()
    assert not (project.parent / ".dialproof/sandbox.sqlite").exists()
    without = run("rules")
    assert without.ret == 1
    without.stdout.fnmatch_lines([f"error: {said}", "GATE OPEN*"])


def test_a_hook_that_raises_after_the_deploy_is_named(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """The deploy is made and said; the error is that of the hook that was told of it, in a plugin with its own name."""
    pytester.syspathinsert()
    pytester.makepyfile(house="def pytest_dialproof_deployed():\n    raise ValueError('no line')\n")
    result = run("rules", *APPLY, "-p", "house")
    assert result.ret == 1
    said = "pytest_dialproof_deployed of house failed (ValueError); set DIALPROOF_DEBUG=1 to see where"
    result.stdout.fnmatch_lines([f"error: {said}", "deployed to sandbox: 2 writes*", "GATE OPEN*"])
    result.stdout.no_fnmatch_line("*nothing was deployed*")


def test_two_projects_are_judged_apart_and_deployed_one_at_a_time(
    project: Path, run: Run, pytester: pytest.Pytester
) -> None:
    """Each configuration root has its own verdict; a deploy of several at once is refused."""
    (project.parent / "dialproof.toml").unlink()
    for folder in ("one", "two"):
        place = pytester.mkdir(folder)
        for path in project.iterdir():
            (place / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
        (place / "dialproof.toml").write_text("", encoding="utf-8")
    result = run("one", "two")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["-* one -*", "GATE OPEN*", "-* two -*", "GATE OPEN*"])
    result = run("one", "two", *APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  - --dialproof-deploy is for one project at a time, *: one, two"])


def test_evidence_goes_where_it_is_asked_for(project: Path, run: Run) -> None:
    """--dialproof-evidence and --dialproof-state-dir move what is written."""
    result = run("rules", "--dialproof-evidence=out/evidence.json", "--dialproof-state-dir=state")
    result.stdout.fnmatch_lines(["GATE OPEN*evidence in out/evidence.json"])
    assert (project.parent / "out/evidence.json").exists()
    assert not (project.parent / ".dialproof/evidence.json").exists()


def test_evidence_is_signed_where_the_key_is(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    """With the key in the environment a run writes an envelope and deploys on it; without it, it does not begin."""
    (project.parent / "dialproof.toml").write_text('[gate]\nevidenceKeys = ["ci.pem"]\n', encoding="utf-8")
    (project.parent / "ci.pem").write_text(public(), encoding="ascii")
    refused = run("rules", workers, *APPLY)
    assert refused.ret == 4
    refused.stderr.fnmatch_lines(["ERROR: gate.evidenceKeys asks for signed evidence: set DIALPROOF_EVIDENCE_KEY *"])
    assert run("rules", workers).ret == 0
    evidence = project.parent / ".dialproof/evidence.json"
    assert json.loads(evidence.read_text(encoding="utf-8"))["predicate"]["result"] == "PASSED"
    monkeypatch.setenv("DIALPROOF_EVIDENCE_KEY", private())
    result = run("rules", workers, *APPLY)
    result.stdout.fnmatch_lines(["deployed to sandbox: 2 writes, *"])
    assert {*json.loads(evidence.read_text(encoding="utf-8"))} == {"payloadType", "payload", "signatures"}
    monkeypatch.setenv("DIALPROOF_EVIDENCE_KEY", private(OTHER))
    result = run("rules", workers, *APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["nothing was deployed: the evidence is not signed by a key of gate.evidenceKeys: *"])
    monkeypatch.setenv("DIALPROOF_EVIDENCE_KEY", "nonsense")
    result = run("rules", workers)
    result.stdout.fnmatch_lines(["GATE CLOSED", "  - DIALPROOF_EVIDENCE_KEY: this is no Ed25519 private key in PEM"])


def test_without_a_terminal_report_a_closed_gate_is_said_on_stderr(project: Path, run: Run) -> None:
    """-p no:terminal takes the summary away; a deploy that was not made still says why."""
    result = run("rules", "-p", "no:terminal", "-k", "gold", *APPLY)
    assert result.ret == 1
    result.stderr.fnmatch_lines([f"dialproof: gate closed: {ITEMS - 1} items were deselected by -k 'gold': *"])


def test_a_deploy_that_is_refused_says_so_above_the_verdict(project: Path, run: Run) -> None:
    """Every reason why nothing was deployed begins in the same words, and the verdict comes last."""
    config = "[environments.sandbox]\nfreeze = ["
    config += ", ".join(f'"{day} 00:00-{day} 12:00", "{day} 12:00-{day} 23:59"' for day in ("Mon", "Tue", "Wed", "Thu"))
    config += ', "Fri 00:00-Mon 00:00", "Mon 23:59-Fri 00:00"]\n'
    (project.parent / "dialproof.toml").write_text(config, encoding="utf-8")
    result = run("rules", *APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["nothing was deployed: environment 'sandbox' is frozen *", "GATE OPEN*"])


def test_an_interrupted_deploy_is_undone_and_says_so(project: Path, run_apart: Run, pytester: pytest.Pytester) -> None:
    """Ctrl-C between two writes ends the session in order, with what was made undone."""
    pytester.makeconftest(
        """
        from dialproof_deploy.targets.campaign_rules import CampaignRulesTarget

        create = CampaignRulesTarget.create_rule

        def interrupted(self, campaign, rule):
            if rule["name"] == "new_lead":
                raise KeyboardInterrupt
            return create(self, campaign, rule)

        CampaignRulesTarget.create_rule = interrupted
        """
    )
    result = run_apart("rules", *APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["error: interrupted", "error: write 2 of 2 (create of rule 'new_lead') failed; the 1 write made was undone"]
    )
    assert [r["phase"] for r in _audit(project) if r["event"] == "change"] == [
        "change.made",
        "rollback.made",
    ]


def test_a_defect_at_the_end_is_a_line_and_fails_the_session(
    project: Path, run_apart: Run, pytester: pytest.Pytester
) -> None:
    """An unexpected error in the gate does not take the summary away, and shows nothing but its type."""
    pytester.makeconftest(
        """
        from pytest_dialproof import gatekeeper

        def broken(*arguments, **options):
            raise LookupError("+15551234567")

        gatekeeper.decide = broken
        """
    )
    result = run_apart("rules", *APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["GATE CLOSED", "  - internal error (LookupError); set DIALPROOF_DEBUG=1 *", f"*{ITEMS} passed*"]
    )
    assert "5551234567" not in result.stdout.str() + result.stderr.str()
