"""The gate: what passed must equal what must have passed, for every campaign that would be deployed.

It compares sets and lists no flags. *Expected* is computed afresh from disk and configuration (``expect``); *seen* is
what the reports of a test run say (``Seen``). Every difference closes the gate (``decide``), with a sentence for its
cause where that is known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from dialproof.coverage.goals import Coverage
from dialproof.output.report import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from dialproof.config import Accepted, Config
    from dialproof.coverage.goals import Goals
    from dialproof.findings import Finding
    from dialproof.lint import LintResult
    from dialproof.project import Project

__all__ = [
    "CaseFact",
    "Expected",
    "ExpectedCampaign",
    "Phase",
    "Seen",
    "Verdict",
    "covered",
    "decide",
    "expect",
    "strict",
    "too_little",
]

NEVER_SILENT = ("DP301", "DP801", "DP901")
"""Codes whose findings close the gate even where they are hidden, ignored or mild, unless they are accepted."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Phase:
    """One report of an item: setup, call or teardown, how it ended, and whether it was marked to fail."""

    when: str
    outcome: str
    xfail: bool = False


@dataclass(frozen=True, slots=True)
class CaseFact:
    """What the evaluation of one case showed: the goals of coverage that it met (a bitset), and a conflict."""

    campaign: str
    met: int
    conflict: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a test run did with the items of one project; paths and ids are relative to the configuration root.

    ``digests`` holds for each process that parsed files the sha256 of what it read, and of its effective configuration
    (None: it never said);
    ``deselecting`` the options that leave items out, as written; ``arguments`` the files, folders and ids that were
    asked for ("" is the root itself); ``broken`` the files that could not be collected; ``fail_on`` the level of the
    run, ``since`` the revision that it looked at changes against, ``cov_fail_under`` the percentage of coverage that it
    asks of every rules file, where the options name one. ``proved`` says of each invariant that was verified whether
    that was by proof.
    """

    phases: Mapping[str, Sequence[Phase]]
    cases: Mapping[str, CaseFact]
    exit_status: int = 0
    digests: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    deselected: frozenset[str] = frozenset()
    deselecting: tuple[str, ...] = ()
    last_failed: bool = False
    arguments: tuple[str, ...] = ("",)
    broken: tuple[str, ...] = ()
    crashed: tuple[str, ...] = ()
    stopped: str = ""
    fail_on: str | None = None
    since: str | None = None
    proved: Mapping[str, bool] = field(default_factory=dict)
    cov_fail_under: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectedCampaign:
    """One sequence of rules with everything that must have passed; ``rules`` are the enabled ones.

    ``goals`` are those of coverage, None where there is no case.
    """

    id: str
    ids: tuple[str, ...]
    items: tuple[str, ...]
    cases: tuple[str, ...]
    rules: tuple[str, ...]
    goals: Goals | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What must have passed, from disk and configuration; ``refusals`` are sentences that stand whatever was seen.

    ``base`` is the revision that the configuration itself wants changes to be looked at against.
    """

    campaigns: tuple[ExpectedCampaign, ...]
    digests: Mapping[str, str]
    accepted: tuple[Accepted, ...]
    refusals: tuple[str, ...]
    coverage: Literal["rules", "none"]
    max_conflict_rate: float
    fail_on: str
    base: str = ""

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of all items, each once."""
        return tuple(dict.fromkeys(item for campaign in self.campaigns for item in campaign.items))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: open only without ``reasons``.

    ``coverage`` is that of the cases that passed; ``evaluations`` and ``conflicts`` count all cases, ``proved`` and
    ``searched`` the invariants that passed because they were proved, or because no contact was found that breaks them.
    ``failed`` are the items that ran and did not pass at once: what they test is not proved, whatever an earlier run
    showed.
    """

    reasons: tuple[str, ...]
    items: tuple[str, ...]
    passed: tuple[str, ...]
    campaigns: tuple[str, ...]
    coverage: tuple[Coverage, ...]
    accepted: tuple[Accepted, ...]
    evaluations: int
    conflicts: int
    failed: tuple[str, ...] = ()
    proved: int = 0
    searched: int = 0

    @classmethod
    def closed(cls, *reasons: str, evaluations: int = 0) -> Verdict:
        """Return the verdict where it could not even be said what must have passed."""
        return cls(reasons, (), (), (), (), (), evaluations, 0)

    @property
    def open(self) -> bool:
        """Whether a deploy may go on."""
        return not self.reasons

    @property
    def conflict_rate(self) -> float:
        """The share of evaluations in which two acting rules contradicted each other."""
        return self.conflicts / self.evaluations if self.evaluations else 0.0

    def with_reasons(self, *reasons: str) -> Verdict:
        """Return the verdict closed for further reasons."""
        return replace(self, reasons=(*self.reasons, *reasons))


def strict(config: Config) -> Config:
    """Return the configuration without what silences checks: the gate looks at the project under this one."""
    return replace(config, select=(), ignore=(), per_file_ignores={})


def expect(project: Project, result: LintResult, *, today: date) -> Expected:
    """Return what must have passed. ``result`` is the project linted under ``strict`` configuration."""
    from dialproof.items import expected_cases, expected_items

    config = project.config
    campaigns = tuple(
        ExpectedCampaign(
            id=campaign.id,
            ids=campaign.ids,
            items=expected_items(project, campaign),
            cases=expected_cases(project, campaign),
            rules=tuple(rule.name for rule in campaign.rules if rule.enabled),
            goals=result.goals.get(campaign.id),
        )
        for campaign in project.campaigns
    )
    accepted, refusals = _standing(result, config.gate.accept, today)
    if not campaigns:
        refusals.insert(0, "there is no campaign to deploy: no rules file was found that can be read")
    refusals += _duplicates(project)
    refusals += [str(problem) for problem in project.problems if getattr(problem, "severity", "error") == "error"]
    return Expected(
        campaigns=campaigns,
        digests=project.digests,
        accepted=accepted,
        refusals=tuple(refusals),
        coverage=config.gate.coverage,
        max_conflict_rate=config.gate.maxConflictRate,
        fail_on=config.fail_on,
    )


def _duplicates(project: Project) -> Iterable[str]:
    """Yield a sentence for each name that rules of one campaign share: what is said of a rule is said by its name."""
    for campaign in project.campaigns:
        by_name = Counter(rule.name for rule in campaign.rules)
        if names := [name for name, number in by_name.items() if number > 1]:
            yield f"campaign {campaign.id} has several rules of one name, which nothing tells apart: {_names(names)}"


def covered(campaigns: Iterable[ExpectedCampaign], cases: Iterable[CaseFact]) -> tuple[Coverage, ...]:
    """Return for each campaign what its cases show of its rules."""
    met: Counter[str] = Counter()
    for case in cases:
        met[case.campaign] |= case.met
    return tuple(
        Coverage(campaign.id, campaign.rules, campaign.rules)
        if campaign.goals is None
        else campaign.goals.coverage(met[campaign.id])
        for campaign in campaigns
    )


def decide(expected: Expected, seen: Seen) -> Verdict:
    """Compare what must have passed with what did."""
    items = expected.items
    states = {item: _state(item, seen) for item in items}
    passed = tuple(item for item in items if states[item] == "passed")
    coverage = covered(expected.campaigns, [fact for item, fact in seen.cases.items() if states.get(item) == "passed"])
    conflicts = sum(fact.conflict for fact in seen.cases.values())
    proved = [by_proof for item, by_proof in seen.proved.items() if states.get(item) == "passed"]
    reasons = [
        *expected.refusals,
        *_changes(expected.digests, seen.digests),
        *_differences(states, seen),
        *_unexpected(items, seen),
        *_campaigns(expected, states, coverage),
        *too_little(coverage, seen.cov_fail_under),
        *_levels(expected.fail_on, seen.fail_on),
        *_bases(expected.base, seen.since),
    ]
    verdict = Verdict(
        reasons=(),
        items=items,
        passed=passed,
        campaigns=tuple(i for campaign in expected.campaigns for i in campaign.ids),
        coverage=coverage,
        accepted=expected.accepted,
        evaluations=len(seen.cases),
        conflicts=conflicts,
        failed=tuple(item for item in items if states[item] in _DISPROVED),
        proved=sum(proved),
        searched=len(proved) - sum(proved),
    )
    if verdict.conflict_rate > expected.max_conflict_rate:
        reasons.append(
            f"rules contradicted each other in {conflicts} of {len(seen.cases)} evaluations; "
            f"gate.maxConflictRate allows {expected.max_conflict_rate:g}"
        )
    explained = _FAILING.intersection(states.values())
    if seen.exit_status != 0 and not explained:
        reasons.append(
            f"pytest ended with exit status {seen.exit_status}: something else than the expected items "
            "failed, or the run was broken off"
        )
    return verdict.with_reasons(*dict.fromkeys(reasons))


_FAILING = frozenset({"failed", "error", "crashed", "broken", "stopped"})
"""States of items that make pytest itself fail."""

_DISPROVED = frozenset({"failed", "error", "crashed", "rerun", "xfailed", "overruled"})
"""States of items that ran and did not pass at once."""

_SENTENCES: Mapping[str, str] = {
    "failed": "{count} failed",
    "error": "{count} had an error in setup or teardown",
    "skipped": "{were} skipped",
    "xfailed": "{were} expected to fail (xfail), which is no pass",
    "xpassed": "{were} marked xfail, and a pass under xfail does not count (xpass)",
    "rerun": "{were} run again before passing (rerun), and only a first pass counts",
    "overruled": "{were} reported as passed, by another plugin, without having passed",
    "repeated": "{were} run more than once, and only one pass of each counts",
    "unfinished": "{were} not run from setup to teardown (as under --setup-only)",
    "crashed": "{were} lost with a crashed worker",
    "broken": "{were} in files that could not be collected",
    "node id": "{were} left out, because single items were named on the command line (node id)",
    "path": "{were} left out, because only some paths were given on the command line",
    "last failed": "{were} left out by --lf",
}


def _state(item: str, seen: Seen) -> str:
    """Return ``passed``, or in a word what became of the item."""
    if item in seen.crashed:
        return "crashed"
    if phases := seen.phases.get(item):
        return _ran(phases)
    path = item.partition("::")[0]
    if item in seen.deselected:
        return "deselected"
    if path in seen.broken:
        return "broken"
    if not any(_covers(argument, path) for argument in seen.arguments):
        named = any(argument.partition("::")[0] == path for argument in seen.arguments)
        return "node id" if named else "path"
    if seen.last_failed:
        return "last failed"
    return "stopped" if seen.stopped else "missing"


def _ran(phases: Sequence[Phase]) -> str:
    whens = [phase.when for phase in phases]
    outcomes = {phase.outcome for phase in phases}
    if any(phase.xfail for phase in phases):
        return "xpassed" if outcomes == {"passed"} else "xfailed"
    for word in ("overruled", "rerun"):
        if word in outcomes:
            return word
    if any(phase.outcome == "failed" for phase in phases if phase.when == "call"):
        return "failed"
    if "failed" in outcomes:
        return "error"
    if "skipped" in outcomes:
        return "skipped"
    if sorted(whens) == ["call", "setup", "teardown"] and outcomes == {"passed"}:
        return "passed"
    return "repeated" if len(set(whens)) < len(whens) else "unfinished"


def _covers(argument: str, path: str) -> bool:
    return "::" not in argument and (argument in ("", path) or path.startswith(f"{argument}/"))


def _differences(states: Mapping[str, str], seen: Seen) -> Iterable[str]:
    """Yield a sentence for each cause, then one for what has none."""
    by_state: dict[str, list[str]] = {}
    for item, state in states.items():
        by_state.setdefault(state, []).append(item)
    for state, sentence in _SENTENCES.items():
        if items := by_state.get(state):
            yield f"{sentence.format(count=count(len(items), 'item'), were=_were(items))}: {_names(items)}"
    if items := by_state.get("deselected"):
        cause = f"by {' and '.join(seen.deselecting)}" if seen.deselecting else "by another plugin"
        yield f"{_were(items)} deselected {cause}: {_names(items)}"
    if items := by_state.get("stopped"):
        yield f"{_were(items)} not run, because the run stopped early ({seen.stopped}): {_names(items)}"
    if items := by_state.get("missing"):
        yield (
            f"{count(len(states), 'item')} expected, {len(by_state.get('passed', ()))} passed; "
            f"nothing was reported of {_names(items)}"
        )


def _unexpected(items: Sequence[str], seen: Seen) -> Iterable[str]:
    known = set(items)
    paths = {item.partition("::")[0] for item in items}
    extra = [item for item in seen.phases if item not in known and item.partition("::")[0] in paths]
    if extra:
        yield f"{_were(extra)} run that the files on disk do not hold: {_names(extra)}"


def _changes(now: Mapping[str, str], then: Mapping[str, Mapping[str, str] | None]) -> Iterable[str]:
    """Yield a sentence for each file that is not what every process parsed."""
    for process, digests in then.items():
        if digests is None:
            yield f"{process} did not say which files it read (it crashed or was stopped)"
            continue
        for path in sorted({*now, *digests}):
            if path not in digests:
                yield f"{path} appeared after collection"
            elif path not in now:
                yield f"{path} is gone since collection"
            elif now[path] != digests[path]:
                yield f"{path} was changed after collection"


def _campaigns(expected: Expected, states: Mapping[str, str], coverage: Sequence[Coverage]) -> Iterable[str]:
    """Yield what the cases do not show; where some did not pass, their own sentences already say why."""
    for campaign, gaps in zip(expected.campaigns, coverage, strict=True):
        if not campaign.cases:
            yield f"campaign {campaign.id} has no case, so nothing shows what its rules do"
        elif expected.coverage == "rules" and all(states[case] == "passed" for case in campaign.cases):
            if gaps.never_matched:
                yield f"campaign {campaign.id}: no case matches {_names(gaps.never_matched)}"
            if gaps.never_missed:
                yield f"campaign {campaign.id}: no case misses {_names(gaps.never_missed)}"


def too_little(coverage: Iterable[Coverage], least: float | None) -> Iterable[str]:
    """Yield a sentence for each rules file that is covered to less than ``least`` percent; None asks for nothing."""
    if least is None:
        return
    asked = f"--dialproof-cov-fail-under asks for {least:g} %"
    for campaign in coverage:
        if not campaign.files and least > 0:
            yield f"campaign {campaign.campaign} is covered to 0 %, and {asked}"
        for file in campaign.files:
            if file.percent < least:
                yield f"{file.path} is covered to {file.shown_percent} %, and {asked}"


def _levels(configured: str, used: str | None) -> Iterable[str]:
    from dialproof.findings import SEVERITIES

    levels: tuple[str, ...] = SEVERITIES
    if used is not None and levels.index(used) > levels.index(configured):
        yield f"--dialproof-fail-on={used} lets more pass than fail_on = {configured!r} of the configuration"


def _bases(configured: str, used: str | None) -> Iterable[str]:
    if used and configured and used != configured:
        yield f"--dialproof-since={used} hides changes that base = {configured!r} of the configuration would show"


def _standing(result: LintResult, accept: Sequence[Accepted], today: date) -> tuple[tuple[Accepted, ...], list[str]]:
    """Return the acceptances that are used, and a sentence for each finding that must not stand silently."""
    used: dict[Accepted, None] = {}
    refusals = []
    findings = [(finding, "stands") for finding in result.findings]
    hidden = {"comment": "is suppressed", "baseline": "is in the baseline"}
    findings += [(suppressed.finding, hidden[suppressed.by]) for suppressed in result.suppressed]
    for finding, how in findings:
        if finding.code not in NEVER_SILENT:
            continue
        granted = [a for a in accept if a.code == finding.code and set(a.rules) == set(finding.rules)]
        valid = [a for a in granted if a.until >= today]
        if valid:
            used[valid[0]] = None
        else:
            refusals.append(_not_accepted(finding, granted, how))
    return tuple(used), refusals


def _not_accepted(finding: Finding, expired: Sequence[Accepted], how: str) -> str:
    where = f"{finding.path}:{finding.span.line}: {finding.code} {finding.summary}"
    if expired:
        return f"{where} ({how}; its entry in gate.accept ended on {expired[0].until})"
    rules = " and ".join(finding.rules)
    return f"{where} ({how}; a deploy needs an entry in gate.accept that names {rules}, with reason and expiry)"


def _were(items: Sequence[str]) -> str:
    return f"{count(len(items), 'item')} {'was' if len(items) == 1 else 'were'}"


def _names(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more
