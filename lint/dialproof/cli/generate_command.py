"""``dialproof generate contacts RULES``: a contacts file with the contacts that are worth a test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import check_clock, config_for, project_in
from dialproof.errors import ExitCode, InputError, UsageError
from dialproof.reading import kind_of

if TYPE_CHECKING:
    import argparse

    from dialproof.evaluate import Evaluator
    from dialproof.generate.suite import Kind, Suite
    from dialproof.project import Campaign, Project

__all__ = ["add_arguments", "run"]

_NOW = "2026-01-01T12:00:00Z"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the rules and the options."""
    parser.add_argument("what", choices=("contacts",), help="what to generate")
    parser.add_argument("rules", type=Path, metavar="RULES", help="a *.rules.yaml file, or the folder of a project")
    parser.add_argument("--campaign", metavar="ID", help="the campaign, where there are several")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a *.contacts.yaml file (default: standard output)")
    parser.add_argument("--force", action="store_true", help="write over a file that exists")
    parser.add_argument("--kinds", metavar="KIND,...",
        help="what for: rules, mcdc, boundary, pairwise, findings (default: all)")  # fmt: skip
    parser.add_argument("--missing", action="store_true", help="leave out what cases of the campaign show already")
    parser.add_argument("--expect", action="store_true", help="fill in what the rules do today, tagged for review")
    parser.add_argument("--time-zone", metavar="NAME",
        help="of the clock, an IANA name (default: that of the campaign's contacts files, else UTC)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Write the file and say on standard error what is in it; raises before anything is written."""
    from dialproof.cli.outputs import write_output
    from dialproof.generate.file import summary

    kinds = _kinds(args.kinds)
    out: Path | None = args.out
    if out is not None and kind_of(out.name) != "contacts":
        raise UsageError(f"{out}: expected the name of a contacts file, such as {out.stem}.contacts.yaml")
    if out is not None and out.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{out}: contacts are written as YAML, to a file such as {out.stem}.yaml")
    if out is not None and out.exists() and not args.force:
        raise UsageError(f"{out}: this file exists already; --force writes over it")
    project, evaluator = project_in(config_for([args.rules]), args.rules, args.campaign, [out] if out else [])
    suite = _suite(project, evaluator, kinds, args.time_zone, missing=args.missing)
    lines = list(suite.notes)
    if suite.contacts:
        write_output(out, _text(suite, project, evaluator.campaign, out, expect=args.expect))
        lines = [*([f"wrote {out}"] if out is not None else []), *summary(suite)]
    else:
        lines.append("there are cases for all of it already: nothing is written")
    for line in lines:
        print(line, file=sys.stderr)
    return ExitCode.OK


def _kinds(text: str | None) -> tuple[Kind, ...]:
    from dialproof.generate.suite import KINDS

    if text is None:
        return tuple(KINDS)
    asked = [word.strip() for word in text.split(",")]
    unknown = [word for word in asked if word not in KINDS]
    if unknown:
        raise UsageError(f"--kinds: there is no kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in asked)


def _suite(
    project: Project, evaluator: Evaluator, kinds: tuple[Kind, ...], zone: str | None, *, missing: bool
) -> Suite:
    from dialproof.generate.candidates import suite_of

    if zone is None:
        zones = {file.time_zone for file in project.contacts_files_of(evaluator.campaign)}
        zone = zones.pop() if len(zones) == 1 else None
    check_clock(None, zone)
    return suite_of(project, evaluator, kinds, zone, missing=missing)


def _text(suite: Suite, project: Project, campaign: Campaign, out: Path | None, *, expect: bool) -> str:
    from dialproof.generate.file import contacts_file
    from dialproof.new_cases import target_in

    root = project.config.root.resolve()
    folder = (root / campaign.files[0].path if out is None else out.resolve()).parent
    target = target_in(folder, campaign, root)
    now = _NOW.removesuffix("Z") if suite.time_zone else _NOW
    try:
        return contacts_file(suite, target, now, expect=expect)
    except ValueError as error:
        raise InputError(f"{campaign.id}: the contacts cannot be written, because YAML cannot hold {error}") from None
