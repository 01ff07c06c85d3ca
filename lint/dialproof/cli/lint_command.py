"""``dialproof lint``: the static half alone, for the command line, CI and pre-commit."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli import fixing
from dialproof.cli.inputs import projects_of, shown
from dialproof.cli.outputs import add_output_format, in_color, outputs_of, write_output
from dialproof.cli.scope import Scope
from dialproof.errors import DialproofError, ExitCode, UsageError
from dialproof.findings import SEVERITIES
from dialproof.output import FORMATS, OF_THE_REPOSITORY, render
from dialproof.output.masking import masked
from dialproof.output.report import Report, count
from dialproof.source import paused_gc, read_bytes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.fixes import Fixes
    from dialproof.lint import LintResult
    from dialproof.project import Project

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``dialproof lint``."""
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        type=Path,
        default=[Path()],
        metavar="PATH",
        help="files and folders to report on (default: .)",
    )
    formats = ", ".join(FORMATS)
    add_output_format(parser, f"auto (default: github in GitHub Actions, full on a terminal, else concise), {formats}")
    add(
        "--select",
        type=_codes,
        metavar="CODES",
        help="only these checks (codes, beginnings of codes or names, by comma)",
    )
    add("--ignore", type=_codes, metavar="CODES", help="not these checks")
    add("--fail-on", choices=SEVERITIES, help="the mildest finding that fails the run (default: error)")
    add("--since", metavar="REV", help="report what the change since this git revision brings, and nothing else")
    add("--no-ignore", action="store_true", help="report suppressed findings too")
    add("--strict", action="store_true", help="what cannot be decided (DP901) is an error")
    add("--strict-exclusion", action="store_true", help="report every pair of rules whose actions are opposite")
    add("--target", action="append", default=[], metavar="NAME",
        help="hold the rules against this kind of target, and not those of the environments; repeatable")  # fmt: skip
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    fixing.add_arguments(parser)


@dataclass(frozen=True, slots=True)
class _Part:
    """One project of the paths: what was found, how far it was looked at, and the check that broke, if one did."""

    report: Report
    result: LintResult
    scope: Scope
    failure: DialproofError | None
    fixes: Fixes | None = None


@paused_gc()  # of what is read and found little is garbage before the end
def run(args: argparse.Namespace) -> int:
    """Lint each project of the given paths as a whole, report on the paths, and return the exit code."""
    outputs = outputs_of(args.output_format or ["auto"], FORMATS, _auto)
    for name in args.target:
        from dialproof.targets.registry import find_target

        find_target(name)
    projects = projects_of(args.paths)
    fixing.check_arguments(args, len(projects))
    parts = [_lint(_with_options(config, args), paths, args) for config, paths in projects]
    report = reduce(Report.joined, (part.report for part in parts))
    failures = [part.failure for part in parts if part.failure is not None]
    report = replace(report, failures=[line for failure in failures for line in str(failure).splitlines()])
    for name, file in outputs if not args.diff else ():
        try:
            _write(name, file, report)
        except DialproofError as error:  # the others are written all the same
            failures.append(error)
    _print_summary(report, parts, diff=args.diff)
    for failure in failures:
        from dialproof.cli import print_error

        print_error(failure)
    changes = any(part.fixes is not None and part.fixes.changes for part in parts)
    return max([_exit_code(report, args, changes=changes), *(failure.exit_code for failure in failures)])


def _lint(config: Config, paths: Sequence[Path], args: argparse.Namespace) -> _Part:
    """Lint one project, and do what else the options ask for; where a check breaks, nothing is written."""
    from dialproof.lint import CheckFailedError, lint, selected_checks
    from dialproof.progress import progress
    from dialproof.project import load_project

    def look(state: Project) -> LintResult:
        with progress(len(state.campaigns) * len(selected_checks(config))) as tell:
            return lint(state, suppress=not args.no_ignore, on_check=tell, only_new=args.since is not None)

    project = load_project(config, paths)
    scope = Scope(project, paths)
    failure: DialproofError | None = None
    fixes: Fixes | None = None
    try:
        result = look(project)
    except CheckFailedError as error:
        failure, result = error, error.result
    else:
        try:
            if args.fix or args.unsafe_fixes or args.diff:
                fixes = fixing.fixed(project, result, paths, args, look)
                if not args.diff:
                    project, result = fixes.project, fixes.result
            if args.write_baseline is not None:
                project, result = fixing.write_baseline(project, result)
        except DialproofError as error:  # what was found is reported all the same
            failure = error
        scope = Scope(project, paths)
    findings = [f for f in result.findings if scope.reports(f)]
    return _Part(_report(project, config, scope, result, findings), result, scope, failure, fixes)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in text.split(",") if code.strip())


def _revision(text: str) -> str:
    if not text:
        raise UsageError("--since needs a git revision, such as origin/main")
    return text


def _auto(to_file: bool) -> str:
    """Return the format that suits who reads: GitHub, a person at a terminal, or a program."""
    if not to_file and os.environ.get("GITHUB_ACTIONS"):
        return "github"
    return "full" if not to_file and sys.stdout.isatty() else "concise"


def _with_options(config: Config, args: argparse.Namespace) -> Config:
    """Return the configuration with the options of the command line in place of its own."""
    severity, checks = dict(config.severity), dict(config.checks)
    if args.strict:
        severity["DP901"] = "error"
    if args.strict_exclusion:
        checks["DP301"] = {**checks.get("DP301", {}), "strict_exclusion": True}
    return replace(
        config,
        select=config.select if args.select is None else args.select,
        ignore=config.ignore if args.ignore is None else args.ignore,
        base=config.base if args.since is None else _revision(args.since),
        fail_on=args.fail_on or config.fail_on,
        severity=severity,
        checks=checks,
        only_targets=tuple(dict.fromkeys(args.target)),
        baseline=fixing.baseline_of(config, args),
    )


def _report(project: Project, config: Config, scope: Scope, result: LintResult, findings: Sequence[Finding]) -> Report:
    """Mask personal data and write paths as seen from the current folder."""
    root = config.root.resolve()
    columns = {campaign.id: campaign.contact_list for campaign in project.campaigns}

    def show(finding: Finding) -> Finding:
        return masked(finding, columns[finding.campaign]) if finding.campaign in columns else finding

    report = Report(
        findings=[show(f) for f in findings],
        files=scope.files,
        lines=lambda _: (),
        suppressed=[replace(s, finding=show(s.finding)) for s in result.suppressed if scope.reports(s.finding)],
        decided=result.decided,
        fail_on=dict.fromkeys([*scope.files, *(f.path for f in findings)], config.fail_on),
        rules={(c.id, rule.name): (rule.path, rule.name_span) for c in project.campaigns for rule in c.rules},
    )
    return replace(report.renamed(cache(lambda path: shown(root / path))), lines=cache(_lines))


def _in_repository(report: Report) -> Report:
    """Return the report with paths as seen from the root of the repository; elsewhere they stay as they are."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)

    def name(path: str) -> str:
        full = here / path
        return full.relative_to(root).as_posix() if full.is_relative_to(root) else path

    return report.renamed(cache(name))


def _lines(path: str) -> Sequence[str]:
    """Return the lines of a file as editors count them, none if it cannot be read."""
    from dialproof.model.parse_csv import MAX_BYTES

    content = read_bytes(Path(path), MAX_BYTES)
    return () if isinstance(content, str) else re.split(r"\r\n|\n|\r", content.decode("utf-8-sig", errors="replace"))


def _write(name: str, file: Path | None, report: Report) -> None:
    if name in OF_THE_REPOSITORY:
        report = _in_repository(report)
    if file is None:
        report = replace(report, color=in_color())
    write_output(file, render(name, report))


def _print_summary(report: Report, parts: Sequence[_Part], *, diff: bool) -> None:
    """Print on stderr what was looked at, what was not, and last the counts."""
    all_fixes = [part.fixes for part in parts if part.fixes is not None]
    for fixes in all_fixes:
        fixing.print_left_out(fixes)
    for part in parts:
        for path in part.scope.left_out:
            print(f"note: {path} has errors and is left out of the project", file=sys.stderr)
    for note in dict.fromkeys(note for part in parts for note in part.result.notes):
        print(f"note: {note}", file=sys.stderr)
    by_severity = Counter(f.severity for f in report.findings)
    counts = ", ".join(
        count(by_severity[s], s) if s != "info" else f"{by_severity[s]} info"
        for s in reversed(SEVERITIES)
        if by_severity[s]
    )
    where = f" in {count(len({f.path for f in report.findings}), 'file')}" if counts else ""
    rules, campaigns = sum(p.result.rules for p in parts), sum(p.result.campaigns for p in parts)
    looked_at = ((len(report.files), "file"), (rules, "rule"), (campaigns, "campaign"))
    checked = f"{', '.join(count(*item) for item in looked_at)} checked"
    hidden = Counter(s.by for s in report.suppressed)
    said = fixing.summary_of(all_fixes, diff=diff) if all_fixes else _fixable(report)
    said += [f"{count(hidden['comment'], 'finding')} suppressed"] if hidden["comment"] else []
    said += [f"{count(hidden['baseline'], 'finding')} in the baseline"] if hidden["baseline"] else []
    checked = "; ".join([checked, *said])
    sys.stdout.flush()
    print(f"{counts or 'no findings'}{where} ({checked})", file=sys.stderr)


def _fixable(report: Report) -> list[str]:
    safe = sum(f.safe for f in report.findings if f.edits)
    unsafe = sum(not f.safe for f in report.findings if f.edits)
    return [f"{safe} can be fixed by --fix"] * bool(safe) + [f"{unsafe} by --unsafe-fixes"] * bool(unsafe)


def _exit_code(report: Report, args: argparse.Namespace, *, changes: bool) -> int:
    """Return the highest code that applies.

    That is 3 for an unreadable file, 1 for a finding at or above --fail-on; under --diff for one that can be fixed.
    """
    if any(f.code == "DP101" for f in report.findings):
        return ExitCode.UNREADABLE
    failed = changes if args.diff else any(report.fails(f) for f in report.findings)
    if args.exit_zero or not failed:
        return ExitCode.OK
    return ExitCode.FINDINGS
