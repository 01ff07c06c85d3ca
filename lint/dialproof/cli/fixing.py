"""What ``dialproof lint`` does beside reporting: repairs (``--fix``, ``--diff``) and the baseline."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import shown
from dialproof.cli.scope import Scope
from dialproof.errors import UsageError
from dialproof.output.report import count
from dialproof.reading import kind_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dialproof.config import Config
    from dialproof.fixes import Fixes
    from dialproof.lint import LintResult
    from dialproof.project import Project

__all__ = ["add_arguments", "baseline_of", "check_arguments", "fixed", "print_left_out", "summary_of", "write_baseline"]

_SAID = 5
"""Repairs of one code that were left out, of which it is said why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of repairs and of the baseline."""
    add = parser.add_argument
    add("--fix", action="store_true", help="make the repairs that are proved to change no outcome")
    add("--unsafe-fixes", action="store_true", help="make the other repairs as well")
    add("--diff", action="store_true", help="show what --fix would change, write nothing; exit with 1 if anything")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--write-baseline",
        nargs="?",
        const="",
        metavar="FILE",
        help="write what is found to FILE (default: that of the configuration), and report it no more",
    )
    group.add_argument("--baseline", metavar="FILE", help="the baseline to use (default: that of the configuration)")
    group.add_argument("--no-baseline", action="store_true", help="report the findings of the baseline too")


def check_arguments(args: argparse.Namespace, projects: int) -> None:
    """Raise :class:`UsageError` for options that contradict each other, or that name a file for several projects."""
    if args.diff and (args.output_format or args.write_baseline is not None):
        other = "--output-format" if args.output_format else "--write-baseline"
        raise UsageError(f"--diff prints the difference and does nothing else: leave {other} out")
    if args.since is not None and args.write_baseline is not None:
        raise UsageError("--write-baseline writes everything that is found: leave --since out")
    for option, file in (("--write-baseline", args.write_baseline), ("--baseline", args.baseline)):
        if file and projects > 1:
            raise UsageError(f"{option} FILE is for one project at a time, and the paths hold {projects}")
    if args.write_baseline and (kind_of(Path(args.write_baseline).name) or not args.write_baseline.endswith(".json")):
        raise UsageError(
            f"--write-baseline {args.write_baseline}: expected a file that ends in .json; "
            "give paths to lint before this option"
        )


def baseline_of(config: Config, args: argparse.Namespace) -> str:
    """Return the path of the baseline that the options ask for, relative to the root; "" for none."""
    if args.no_baseline or args.no_ignore:
        return ""
    if args.baseline and not Path(args.baseline).is_file():
        raise UsageError(f"--baseline {args.baseline}: there is no such file")
    file = args.baseline or args.write_baseline
    return Path(os.path.relpath(Path(file).resolve(), config.root)).as_posix() if file else config.baseline


def fixed(
    project: Project,
    result: LintResult,
    paths: Sequence[Path],
    args: argparse.Namespace,
    lint: Callable[[Project], LintResult],
) -> Fixes:
    """Make the repairs that the options ask for, and write them unless only the difference is wanted."""
    from dialproof.fixes import fix, write
    from dialproof.project import load_project

    def load(edited: Mapping[str, bytes]) -> Project:
        return load_project(project.config, paths, edited=edited)

    fixes = fix(
        project, result, load=load, lint=lint, scope=lambda state: Scope(state, paths), unsafe=args.unsafe_fixes
    )
    if args.diff:
        _print_diff(project, fixes)
    else:
        write(project.config.root, fixes.changes)
    return fixes


def write_baseline(project: Project, result: LintResult) -> tuple[Project, LintResult]:
    """Write all that was found in the project as its baseline, and return both with it.

    Entries of checks that did not run, or left something open, are kept. Raises :class:`UsageError`.
    """
    from dialproof.baseline import BASELINE, read_baseline, written
    from dialproof.lint import lines_of, without_baseline

    config = project.config
    name = config.baseline or BASELINE
    before = project.baseline
    kept = [entry for entry in before.entries if entry.code not in result.ran] if before is not None else []
    found = [*result.findings, *(s.finding for s in result.suppressed if s.by == "baseline")]
    found = [f for f in found if before is None or f.path != before.path]
    path = config.root / name
    try:
        path.write_text(written(found, lines_of(project), kept=kept), "utf-8")
    except OSError as error:
        raise UsageError(f"{shown(path)}: cannot be written: {error.strerror}") from error
    config = replace(config, baseline=name)
    project = replace(project, config=config, baseline=read_baseline(config))
    plain = replace(
        result,
        findings=tuple(sorted(found, key=lambda f: f.sort_key)),
        suppressed=tuple(s for s in result.suppressed if s.by != "baseline"),
    )
    after = without_baseline(plain, project)
    entries = len(project.baseline.entries) if project.baseline is not None else 0
    print(f"note: {shown(path)}: {count(entries, 'finding')} in the baseline", file=sys.stderr)
    return project, after


def print_left_out(fixes: Fixes) -> None:
    """Say which repairs were not made, and why."""
    said: Counter[str] = Counter()
    root = fixes.project.config.root.resolve()
    for left_out in fixes.left_out:
        finding = left_out.finding
        said[finding.code] += 1
        if said[finding.code] <= _SAID:
            place = f"{shown(root / finding.path)}:{finding.span.line}:{finding.span.column}"
            print(f"note: {place}: {finding.code} is not fixed: {left_out.why}", file=sys.stderr)
    for code, number in sorted(said.items()):
        if number > _SAID:
            print(f"note: {code}: and {number - _SAID} more that are not fixed", file=sys.stderr)


def _print_diff(before: Project, fixes: Fixes) -> None:
    """Print what the repairs would change; lines with personal values are masked, of contacts files all of them."""
    from dialproof.output.diff import render
    from dialproof.source import decode

    root = before.config.root.resolve()
    personal = [_personal_lines(project) for project in (before, fixes.project)]
    for path, change in fixes.changes.items():
        old, new = decode(change.before), decode(change.after)
        assert isinstance(old, str)
        assert isinstance(new, str)
        hidden = kind_of(path) == "contacts"

        def hides(lines: frozenset[tuple[str, int]], path: str = path, hidden: bool = hidden) -> Callable[[int], bool]:
            return lambda line: hidden or (path, line) in lines

        sys.stdout.write(render(shown(root / path), old, new, (hides(personal[0]), hides(personal[1]))))


def _personal_lines(project: Project) -> frozenset[tuple[str, int]]:
    from dialproof.checks.base import CheckContext

    return frozenset[tuple[str, int]]().union(
        *(CheckContext(project, campaign).personal_lines for campaign in project.campaigns)
    )


def summary_of(fixes: Iterable[Fixes], *, diff: bool) -> list[str]:
    """Return what to say at the end of the summary of repairs that were asked for."""
    made = [fix for fix in fixes if fix.fixed]
    number, files = sum(len(fix.fixed) for fix in made), sum(len(fix.changes) for fix in made)
    return [f"{count(number, 'finding')} {'can be ' if diff else ''}fixed in {count(files, 'file')}"] if number else []
