"""``dialproof mutate [PATH...]``: whether the cases of a campaign notice small changes of its rules."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import check_read, compiled, config_for, shown
from dialproof.cli.outputs import add_output_format, in_color, outputs_of, write_output
from dialproof.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from dialproof.model.rules import RulesFile
    from dialproof.mutation.report import MutationReport
    from dialproof.mutation.run import MutationRun
    from dialproof.project import Campaign, Project

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``dialproof mutate``."""
    parser.add_argument("paths", nargs="*", type=Path, default=[Path()], metavar="PATH",
        help="rules files, and folders with them, of one project (default: .)")  # fmt: skip
    parser.add_argument("--write", type=Path, metavar="FILE",
        help="add the cases that are missing to this contacts file, marked for review")  # fmt: skip
    parser.add_argument("--fail-under", type=float, metavar="N",
        help="exit with 1 where cases notice less than N percent of the mutants of a campaign")  # fmt: skip
    add_output_format(parser, "full (default), json or markdown")


def run(args: argparse.Namespace) -> int:
    """Mutate the campaigns of the paths; return 1 where cases fail, or a score is below ``--fail-under``."""
    from dialproof.mutation.report import FORMATS

    outputs = outputs_of(args.output_format or ["full"], FORMATS)
    if args.fail_under is not None and not 0 <= args.fail_under <= 100:
        raise UsageError(f"--fail-under takes a number from 0 to 100, found {args.fail_under:g}")
    project, campaigns = _campaigns(args.paths)
    target = None if args.write is None else _Target.of(args.write, project, campaigns)
    runs = [_mutated(project, campaign) for campaign in campaigns]
    for name, file in outputs:
        write_output(file, FORMATS[name](_report(project, runs, to_terminal=file is None)))
    sys.stdout.flush()
    if target is not None:
        print(target.written(runs), file=sys.stderr)
    scores = [(run_, run_.counts.score) for run_ in runs if args.fail_under is not None]
    low = [run_ for run_, score in scores if score is not None and score < args.fail_under]
    for below in low:
        print(f"{below.campaign.id}: the score is below {args.fail_under:g} %", file=sys.stderr)
    return ExitCode.FINDINGS if low else ExitCode.OK


def _campaigns(paths: Sequence[Path]) -> tuple[Project, tuple[Campaign, ...]]:
    """Return the project and those of its campaigns that have rules in the paths."""
    from dialproof.project import load_project

    project = load_project(config_for(paths), paths)
    check_read(project)
    root, asked = project.config.root.resolve(), [path.resolve() for path in paths]

    def covered(file: RulesFile) -> bool:
        return any((root / file.path).is_relative_to(path) for path in asked)

    found = tuple(c for c in project.campaigns if any(map(covered, c.files)))
    if not found:
        raise UsageError(f"{', '.join(map(str, paths))}: there are no rules; name *.rules files, or folders with them")
    return project, found


def _mutated(project: Project, campaign: Campaign) -> MutationRun:
    from dialproof.checks.surviving_mutant import CHECK
    from dialproof.mutation.cases import CasesFailError
    from dialproof.mutation.findings import with_accepted
    from dialproof.mutation.run import mutate

    budget = project.config.checks.get(CHECK.code, {}).get("budget", CHECK.options["budget"])
    assert isinstance(budget, int)
    root = project.config.root.resolve()
    try:
        run_ = mutate(project, campaign, compiled(campaign, project, shown(root)), budget)
    except CasesFailError as error:
        raise CasesFailError(error.failing, lambda path: shown(root / path)) from None
    return with_accepted(run_, datetime.now(UTC).date())


def _report(project: Project, runs: Sequence[MutationRun], *, to_terminal: bool) -> MutationReport:
    from dialproof.lint import lines_of
    from dialproof.mutation.findings import finding_of
    from dialproof.mutation.report import MutationReport

    root = project.config.root.resolve()
    lines = lines_of(project)

    def name(path: str) -> str:
        return shown(root / path)

    findings = [
        [
            finding_of(run_, one.mutant, one.survivor, name)
            for one in run_.tried
            if one.fate == "survived" and one.survivor is not None
        ]
        for run_ in runs
    ]
    paths = {name(path): path for path in project.digests}
    color = to_terminal and in_color()
    return MutationReport(runs, findings, name, lambda path: lines(paths.get(path, path)), color)


@dataclass(frozen=True)
class _Target:
    """The contacts file that missing cases are added to, and the campaign that it tests."""

    project: Project
    path: Path
    display: str
    campaign: Campaign
    before: bytes | None
    head: Mapping[str, str]

    @classmethod
    def of(cls, path: Path, project: Project, campaigns: Sequence[Campaign]) -> _Target:
        """Return the target that a file stands for; raises ``UsageError`` where it can be none."""
        from dialproof.new_cases import target_in
        from dialproof.reading import display_path, kind_of
        from dialproof.source import MAX_BYTES, read_bytes

        path = path.resolve()
        display = display_path(project.config.root.resolve(), path)
        if kind_of(path.name) != "contacts" or path.suffix.lower() not in (".yaml", ".yml"):
            raise UsageError(f"--write takes a *.contacts.yaml file, found {path.name}")
        if path.exists():
            campaign = project.links.get(display)
            if campaign is None or not any(campaign is c for c in campaigns):
                raise UsageError(f"--write {shown(path)}: this file tests no rules that are mutated")
            content = read_bytes(path, MAX_BYTES)
            if isinstance(content, str):
                raise UsageError(f"--write {shown(path)}: {content}")
            return cls(project, path, display, campaign, content, {})
        if len(campaigns) != 1:
            raise UsageError("--write with a new file takes one campaign: name its rules file")
        if not path.parent.is_dir():
            raise UsageError(f"--write {shown(path)}: there is no folder {shown(path.parent)}")
        head = target_in(path.parent, campaigns[0], project.config.root.resolve())
        return cls(project, path, display, campaigns[0], None, head)

    def written(self, runs: Sequence[MutationRun]) -> str:
        """Write the missing cases of the campaign, and return a sentence about it."""
        from dialproof.fixes import Change, write
        from dialproof.model.contacts import REVIEW
        from dialproof.mutation.writing import with_cases
        from dialproof.output.report import count

        run_ = next(r for r in runs if r.campaign is self.campaign)
        result = with_cases(run_, self.path, self.display, self.before, self.head)
        if not result.cases:
            return f"no case is missing: nothing was written to {shown(self.path)}"
        if self.before is None:
            write_output(self.path, result.content.decode())
        else:
            write(self.project.config.root, {self.display: Change(self.before, result.content)})
        verb = "is" if result.cases == 1 else "are"
        return f"{count(result.cases, 'case')} {verb} added to {shown(self.path)}, with the tag `{REVIEW}`: read them"
