"""What a mutation run tells, for people, programs and pull requests."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialproof import __version__
from dialproof.mutation.run import FATES
from dialproof.output.full import finding_text
from dialproof.output.json_text import finding_json
from dialproof.output.report import Report, count, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialproof.findings import Finding
    from dialproof.mutation.mutants import Mutant
    from dialproof.mutation.run import Counts, MutationRun, Tried

__all__ = ["FORMATS", "MutationReport"]


@dataclass(frozen=True)
class MutationReport:
    """Mutation runs as they are shown: survivors as findings (masked), paths as the user would write them.

    ``findings`` holds those of each run in the order of its survivors; ``shown`` names files; ``lines`` returns those
    of a file so named.
    """

    runs: Sequence[MutationRun]
    findings: Sequence[Sequence[Finding]]
    shown: Callable[[str], str]
    lines: Callable[[str], Sequence[str]]
    color: bool = False

    def place(self, mutant: Mutant) -> str:
        """Return where a mutant changes the rules."""
        return f"{self.shown(mutant.path)}:{mutant.span.line}:{mutant.span.column}"


def as_full(report: MutationReport) -> str:
    """Return each survivor in full, what stays open, and the scores."""
    blocks: list[str] = []
    for run, findings in zip(report.runs, report.findings, strict=True):
        lint_report = Report((), (), report.lines, color=report.color)
        for finding in findings:
            compact = replace(finding, witness=None) if finding.details else finding
            blocks.append(finding_text(compact, lint_report))
        if open_ := [one for one in run.tried if one.fate == "open"]:
            blocks.append("".join(f"{line}\n" for line in _open(report, open_)))
        blocks.append("".join(f"{printable(line)}\n" for line in _table(run)))
    if any(map(len, report.findings)):
        blocks.append("`dialproof mutate --write FILE` adds the cases that are missing to a contacts file\n")
    return "\n".join(blocks)


def as_markdown(report: MutationReport) -> str:
    """Return the scores as a table and the survivors as a list, for a pull request."""
    lines: list[str] = []
    for run, findings in zip(report.runs, report.findings, strict=True):
        lines += [f"### Mutation of {_cell(run.campaign.id)}", "", f"{_summary(run)}.", ""]
        lines += ["| rule | mutants | noticed | survive | score |", "|---|--:|--:|--:|--:|"]
        for name, counts in run.by_rule().items():
            row = (_cell(name or "(campaign)"), counts.counted, counts["noticed"], counts["survived"], _score(counts))
            lines.append(f"| {' | '.join(map(str, row))} |")
        lines.append("")
        for finding in findings:
            lines.append(f"- `{finding.path}:{finding.span.line}` {_cell(finding.summary)}")
            lines += [f"    {_cell(line)}  " for line in finding.details.splitlines()]
        lines += [""] * bool(findings)
    return "\n".join(lines)


def as_json(report: MutationReport) -> str:
    """Return everything as one JSON document; positions are 1-based, ends exclusive."""
    campaigns = []
    for run, findings in zip(report.runs, report.findings, strict=True):
        campaigns.append(
            {
                "campaign": run.campaign.id,
                "cases": run.cases,
                **_counted(run.counts),
                "rules": [{"rule": name or None, **_counted(counts)} for name, counts in run.by_rule().items()],
                "mutants": [_mutant(report, one) for one in run.tried],
                "survivors": [finding_json(finding) for finding in findings],
            }
        )
    return (
        json.dumps({"campaigns": campaigns, "version": __version__}, indent=2, ensure_ascii=False, default=str) + "\n"
    )


FORMATS: Mapping[str, Callable[[MutationReport], str]] = {"full": as_full, "json": as_json, "markdown": as_markdown}


def _mutant(report: MutationReport, one: Tried) -> dict[str, Any]:
    mutant, span = one.mutant, one.mutant.span
    return {
        "kind": mutant.kind,
        "rule": None if mutant.rule is None else mutant.rule.name,
        "path": report.shown(mutant.path),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "before": mutant.before,
        "after": mutant.after,
        "fate": one.fate,
        "noticed_by": None if one.by is None else {"path": report.shown(one.by.file.path), "case": one.by.case.name},
        "why": None if one.why is None else one.why.reason,
    }


def _counted(counts: Counts) -> dict[str, Any]:
    fates: dict[str, object] = {fate: counts[fate] for fate in FATES}
    return {"total": counts.total(), **fates, "score": None if counts.score is None else round(counts.score, 2)}


def _open(report: MutationReport, left: Sequence[Tried]) -> Iterator[str]:
    yield f"not decided, and counted as not noticed: {count(len(left), 'mutant')}"
    for one in left:
        assert one.why is not None
        mutant = one.mutant
        yield printable(f"  {report.place(mutant)}: when {mutant.text}: {one.why.reason}")


def _table(run: MutationRun) -> Iterator[str]:
    rules = run.by_rule()
    width = max(len(name or "(campaign)") for name in ("rule", *rules))
    yield f"{'rule':<{width}}  {'mutants':>7}  {'noticed':>7}  {'survive':>7}  {'score':>7}"
    for name, counts in rules.items():
        row = (counts.counted, counts["noticed"], counts["survived"], _score(counts))
        yield f"{name or '(campaign)':<{width}}  " + "  ".join(f"{cell:>7}" for cell in row)
    yield ""
    yield _summary(run)


def _summary(run: MutationRun) -> str:
    counts = run.counts
    left_out = [f"{counts['equivalent']} change nothing, proved"] * bool(counts["equivalent"])
    left_out += [f"{counts['accepted']} accepted"] * bool(counts["accepted"])
    said = [f"{counts['survived']} survive"] * bool(counts["survived"])
    said += [f"{counts['open']} not decided"] * bool(counts["open"])
    said += [f"left out: {', '.join(left_out)}"] * bool(left_out)
    about = f" ({'; '.join(said)})" if said else ""
    return (
        f"{run.campaign.id}: {counts['noticed']} of {count(counts.counted, 'mutant')} noticed by "
        f"{count(run.cases, 'case')}: {_score(counts)}{about}"
    )


def _score(counts: Counts) -> str:
    """Return the score; it is rounded down, so that only all is 100 %."""
    return "-" if counts.score is None else f"{int(counts.score * 10) / 10:.1f} %"


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")
