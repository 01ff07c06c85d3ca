"""What a finding shows is what happens, and what is claimed of all contacts holds on those around every constant."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from dialproof.checks.registry import built_in_checks
from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.project import load_project
from dialproof.testing import load_cases
from tests.lint.analysis.attack import refutations, scenes
from tests.lint.analysis.rank import rank
from tests.lint.analysis.replay import faults_of

if TYPE_CHECKING:
    from dialproof.findings import Finding
    from dialproof.project import Project

ROOT = Path(__file__).resolve().parents[3]
SEEDS = 60
CONTACTS = 170
"""In all more than ten thousand contacts; ``python -m tests.lint.analysis.replay`` takes a thousand campaigns."""
CASES = [case for file in sorted((ROOT / "fixtures" / "checks").glob("*.yaml")) for case in load_cases(file)]


def _replayed(findings: tuple[Finding, ...], folder: Path) -> tuple[list[str], Counter[str]]:
    """Return what is wrong with the witnesses of findings, and how many witnesses of each check there are."""
    read_again = load_project(load_config(folder))
    faults = [f"{f.code} {f.rules}: {fault}" for f in findings for fault in faults_of(f, read_again)]
    return faults, Counter(f.code for f in findings if f.witness is not None)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Project, tuple[Finding, ...]]]:
    """Lint campaigns in which much is wrong: groups, CEL, dates, periods, writes, both policies, every switch."""
    projects = [rank(Random(seed)).project(tmp_path_factory.mktemp("rank")) for seed in range(SEEDS)]
    return [(project, lint(project).findings) for project in projects]


def test_findings_on_drawn_campaigns_replay(drawn: list[tuple[Project, tuple[Finding, ...]]]) -> None:
    """Run afresh by cel-python alone, every witness has the outcomes that are shown, and shows what is said."""
    seen: Counter[str] = Counter()
    for project, findings in drawn:
        faults, count = _replayed(findings, project.config.root)
        assert faults == []
        seen += count
    assert seen.keys() >= {"DP202", "DP301", "DP302", "DP502", "DP504"}


def test_no_boundary_contact_refutes_a_claim(drawn: list[tuple[Project, tuple[Finding, ...]]]) -> None:
    """Of ten thousand contacts around the constants none meets what never happens, or escapes what always does."""
    for seed, (project, findings) in enumerate(drawn):
        attack = list(scenes(Random(seed), project.campaigns[0], CONTACTS))
        assert refutations(project, findings, attack) == []


def test_the_contacts_would_refute_a_wrong_claim(drawn: list[tuple[Project, tuple[Finding, ...]]]) -> None:
    """Where conflicts and inversions are kept silent, the same contacts meet most of them."""
    silent, met = set(), set()
    for seed, (project, findings) in enumerate(drawn):
        kept = tuple(f for f in findings if f.code not in ("DP301", "DP502"))
        attack = list(scenes(Random(seed), project.campaigns[0], CONTACTS))
        silent |= {(seed, f.code, *sorted(f.rules)) for f in findings if f.code in ("DP301", "DP502")}
        refuted = [claim.partition(":")[0].removeprefix("no ").split() for claim in refutations(project, kept, attack)]
        met |= {(seed, code, *sorted(rules)) for code, *rules in refuted}
    assert met <= silent
    assert len(met) > len(silent) / 2


def test_with_a_budget_of_one_only_what_is_open_changes(drawn: list[tuple[Project, tuple[Finding, ...]]]) -> None:
    """No finding comes or changes but DP901, and each that goes is one that DP901 says is not decided."""
    codes = {check.code for check in built_in_checks() if "budget" in check.options}
    open_before = open_now = 0
    for project, findings in drawn:
        narrow = replace(project.config, checks={code: {"budget": 1} for code in codes})
        poor = lint(replace(project, config=narrow)).findings
        before, now = ({_key(f) for f in found if f.code != "DP901"} for found in (findings, poor))
        undecided = {(f.summary.partition(" ")[0], rule) for f in poor if f.code == "DP901" for rule in f.rules}
        gone = {(f.code, f.rules[0]) for f in findings if f.code != "DP901" and _key(f) in before - now}
        assert now <= before
        assert {(code, rule) for code, rule in gone if code != "DP509"} <= undecided
        assert {code for code, _ in gone} <= {code for code, _ in undecided}
        open_before += sum(f.code == "DP901" for f in findings)
        open_now += len(undecided)
    assert open_now > open_before


def _key(finding: Finding) -> tuple[object, ...]:
    if finding.code == "DP509":  # one a switch: any contact that shows it will do, and any rule
        return (finding.code, finding.summary.partition(":")[0])
    return (finding.code, finding.span, finding.summary, finding.details, finding.severity, finding.rules)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_findings_of_the_cases_of_checks_replay(case: object, tmp_path: Path) -> None:
    """Every witness of a case of fixtures/checks has the outcomes that are shown, and shows what is said."""
    faults, _ = _replayed(case.lint(tmp_path), tmp_path)  # type: ignore[attr-defined]
    assert faults == []


@pytest.mark.parametrize("name", ["bank_campaign", "phone_demo/mended", "premium_routing"])
def test_findings_on_spoilt_examples_replay(name: str, tmp_path: Path) -> None:
    """The examples have no findings; without declared overwrites, and with every second list turned over, they have."""
    seen: Counter[str] = Counter()
    for part in range(3):
        for path in (ROOT / "examples" / name).iterdir():
            if path.suffix not in (".yaml", ".toml", ".csv"):
                continue
            text = path.read_text("utf-8")
            if path.name.endswith(".rules.yaml"):
                pieces = text.replace("    overrides: [evening_callback]\n", "").split('value: "true"')
                text = (
                    "".join(p + ('value: "false"', 'value: "true"')[n % 3 != part] for n, p in enumerate(pieces[:-1]))
                    + pieces[-1]
                )
            (tmp_path / path.name).write_text(text, "utf-8")
        faults, count = _replayed(lint(load_project(load_config(tmp_path))).findings, tmp_path)
        assert faults == []
        seen += count
    assert seen["DP301"] or name != "bank_campaign"
