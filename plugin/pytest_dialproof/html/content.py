"""What the page says, taken from the end of a session: the items, the lint, the gate, a deploy and its records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.coverage.goals import Goal
from dialproof.findings import SEVERITIES
from dialproof.output.witness import witness_lines
from dialproof_deploy.audit.records import read, shown
from dialproof_deploy.provenance import checkout
from dialproof_deploy.state import utc_text
from pytest_dialproof.html.graph import Graph, graph_of
from pytest_dialproof.summary import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dialproof.coverage.goals import Goals
    from dialproof.findings import Finding
    from dialproof.lint import LintResult
    from dialproof.project import Project
    from dialproof_deploy.gate.decision import Verdict
    from dialproof_deploy.provenance import Checkout
    from pytest_dialproof.gatekeeper import Asked, Gatekeeper
    from pytest_dialproof.html.recording import ItemRecord, ItemRecorder

__all__ = ["MOST_CASES", "MOST_FINDINGS", "HeatMap", "Page", "ProjectPart", "page_of"]

MOST_FINDINGS = 200
"""Findings that are shown; more are counted."""
MOST_CASES = 120
"""Columns of a heat map: cases beyond are counted in the sums alone."""
_MOST_RECORDS = 500


@dataclass(frozen=True)
class FindingPart:
    """A finding, personal values masked, with the lines of its witness."""

    finding: Finding
    witness: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A rule of a heat map: in how many cases it matched and was missed, and what each case that is shown did."""

    rule: str
    matched: int
    missed: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class HeatMap:
    """Rules against the cases that ran: "matched", "missed" or "" (not reached, or undecided) for each pair."""

    campaign: str
    cases: tuple[str, ...]
    rows: tuple[Row, ...]
    more_cases: int

    @property
    def covered(self) -> int:
        """The number of rules that some case matched and some case missed."""
        return sum(bool(row.matched and row.missed) for row in self.rows)


@dataclass(frozen=True)
class Dialed:
    """How many contacts, of the cases or of a population, were dialed and how many were not."""

    campaign: str
    whose: str
    dialed: int
    refused: int

    @property
    def share(self) -> float:
        """The share that is dialed, in percent."""
        return 100 * self.dialed / max(1, self.dialed + self.refused)


@dataclass(frozen=True)
class ProjectPart:
    """One project of the run.

    ``severities`` counts all findings, ``findings`` are the gravest of them. ``facts`` are the lines on what the cases
    showed, as in the terminal; ``done`` those on what happened behind the gate, the plan of a deploy first;
    ``changes`` says what the rules do to contacts otherwise than at the base revision, "" without one.
    """

    name: str
    source: Checkout
    verdict: Verdict
    evidence: str
    items: tuple[ItemRecord, ...]
    findings: tuple[FindingPart, ...]
    severities: Counter[str]
    decided: Mapping[str, int]
    facts: tuple[str, ...]
    heat_maps: tuple[HeatMap, ...]
    graphs: tuple[Graph, ...]
    dialed: tuple[Dialed, ...]
    done: tuple[str, ...]
    changes: str
    undeployed: tuple[str, ...]
    records: tuple[Mapping[str, Any], ...]

    @property
    def failed(self) -> list[ItemRecord]:
        """The items that failed."""
        return [item for item in self.items if item.outcome == "failed"]

    @property
    def counts(self) -> Counter[str]:
        """How many items passed, failed and were skipped."""
        return Counter(item.outcome for item in self.items)

    @property
    def more_findings(self) -> int:
        """How many findings are counted and not shown."""
        return sum(self.severities.values()) - len(self.findings)


@dataclass(frozen=True)
class Page:
    """The whole page; ``outcome`` says what became of a deploy, ``others`` counts tests of other kinds that failed."""

    created: str
    version: str
    projects: tuple[ProjectPart, ...]
    errors: tuple[str, ...]
    outcome: str
    others: int

    @property
    def green(self) -> bool:
        """Whether nothing failed and every gate is open."""
        parts = self.projects
        return bool(parts) and not self.errors and not self.others and all(part.verdict.open for part in parts)


def page_of(keeper: Gatekeeper, recorder: ItemRecorder) -> Page:
    """Return the page of a session that has ended; raises ``InputError`` for an audit log that cannot be read."""
    import dialproof

    parts = tuple(_part(keeper, asked, recorder.items.get(asked.place.root, {})) for asked in keeper.asked)
    return Page(
        created=utc_text(keeper.now),
        version=dialproof.__version__,
        projects=parts,
        errors=tuple(keeper.errors),
        outcome=keeper.outcome(),
        others=recorder.others,
    )


def _part(keeper: Gatekeeper, asked: Asked, items: Mapping[str, ItemRecord]) -> ProjectPart:
    project = asked.place.project
    findings = list(asked.result.findings) if asked.result else []
    findings.sort(key=lambda finding: -SEVERITIES.index(finding.severity))  # stable: by place within a severity
    cases = keeper.recorder.run(asked.place.root).cases
    return ProjectPart(
        name=asked.place.shown("."),
        source=checkout(asked.place.config.root),
        verdict=asked.verdict,
        evidence=keeper.shown(asked.evidence) if asked.evidence else "",
        items=tuple(items.values()),
        findings=tuple(_finding_part(asked.place.masked(finding)) for finding in findings[:MOST_FINDINGS]),
        severities=Counter(finding.severity for finding in findings),
        decided=asked.result.decided if asked.result else {},
        facts=tuple(facts(asked.verdict, asked.latencies, asked.coverage)),
        heat_maps=tuple(_heat_maps(asked.result, cases)),
        graphs=tuple(_graphs(project, findings)),
        dialed=(*_dialed(cases), *_populations(items.values())),
        done=tuple(asked.lines),
        changes=_changes(project),
        undeployed=tuple(asked.undeployed),
        records=tuple(_records(keeper, asked)),
    )


def _finding_part(finding: Finding) -> FindingPart:
    return FindingPart(finding, tuple(witness_lines(finding.witness)) if finding.witness else ())


def _heat_maps(result: LintResult | None, cases: Mapping[str, Mapping[str, Any]]) -> Iterator[HeatMap]:
    for campaign, goals in result.goals.items() if result else ():
        met = {item: int(case["met"], 16) for item, case in cases.items() if case["campaign"] == campaign}
        if not met:
            continue
        shown = tuple(met)[:MOST_CASES]
        rows = [_row(goals, goal.rule, met, shown) for goal in goals.all if goal.kind == "matched"]
        yield HeatMap(campaign, shown, tuple(rows), len(met) - len(shown))


def _row(goals: Goals, rule: int, met: Mapping[str, int], shown: Sequence[str]) -> Row:
    bits = {kind: 1 << goals.number[Goal(rule, kind)] for kind in ("matched", "missed")}
    counts = {kind: sum(bool(of & bit) for of in met.values()) for kind, bit in bits.items()}
    cells = (next((kind for kind, bit in bits.items() if met[item] & bit), "") for item in shown)
    return Row(goals.rules[rule][0], counts["matched"], counts["missed"], tuple(cells))


def _graphs(project: Project, findings: Sequence[Finding]) -> Iterator[Graph]:
    for campaign in project.campaigns:
        ours = [finding for finding in findings if finding.campaign in campaign.ids]
        if graph := graph_of(campaign.id, list(dict.fromkeys(rule.name for rule in campaign.rules)), ours):
            yield graph


def _dialed(cases: Mapping[str, Mapping[str, Any]]) -> Iterator[Dialed]:
    counts: dict[str, Counter[bool]] = {}
    for case in cases.values():
        if case["dial"] is not None:
            counts.setdefault(case["campaign"], Counter())[case["dial"]] += 1
    for campaign, dial in counts.items():
        yield Dialed(campaign, "the contacts of its cases", dial[True], dial[False])


def _populations(items: Iterable[ItemRecord]) -> Iterator[Dialed]:
    for item in items:
        facts = item.population
        if facts and facts["dialed"] is not None:
            whose = f"the population {facts['name']!r}"
            yield Dialed(facts["campaign"], whose, facts["dialed"], facts["contacts"] - facts["dialed"])


def _changes(project: Project) -> str:
    """Return what ``dialproof diff`` says of the base revision and the files; "" without one."""
    if not project.config.base:
        return ""
    from dialproof.base import base_of
    from dialproof.diff.campaigns import diffs_of, pairs_of
    from dialproof.diff.report import Report, as_text
    from dialproof.diff.states import State

    with base_of(project.config) as base:
        old, new = State(project.config.base, base.project, base=base), State("the files", project)
        found = [diff for diff, _ in diffs_of(pairs_of(old, new, None), old, new)]
        return as_text(Report(old.label, new.label, found))


def _records(keeper: Gatekeeper, asked: Asked) -> list[dict[str, Any]]:
    """Return the audit records of this run, as others may see them."""
    log, begun = keeper.audit_log(asked), utc_text(keeper.now)
    records = [record for record in read([log] if log else []) if str(record.get("time", "")) >= begun]
    return shown(records[-_MOST_RECORDS:])
