"""``dialproof cel FILE``: each rule's conditions, and each invariant, as the CEL that is evaluated."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import config_for, shown
from dialproof.errors import ExitCode, UsageError
from dialproof.model.rules import Group
from dialproof.output.report import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Expression, Rule

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="*.rules.yaml files")


def run(args: argparse.Namespace) -> int:
    """Print the rules of the files in their order; return 3 for an unreadable file, 1 for other errors."""
    from dialproof.evaluate import Evaluator
    from dialproof.lint import is_error
    from dialproof.project import load_project

    config = config_for(args.files)
    project = load_project(config, [file.resolve() for file in args.files])
    root = config.root.resolve()
    code = ExitCode.OK
    for file in args.files:
        name = file.resolve().relative_to(root).as_posix()
        problems = [p for p in project.problems if p.path == name and is_error(p)]
        for problem in problems:
            print(f"{shown(root / name)}:{printable(str(problem)[len(problem.path) + 1 :])}", file=sys.stderr)
            code = max(code, ExitCode.UNREADABLE if problem.code == "DP101" else ExitCode.FINDINGS)
        campaign = next((c for c in project.campaigns if any(f.path == name for f in c.files)), None)
        if campaign is None:
            if file.is_dir():
                raise UsageError(f"{file}: this is a folder; name a *.rules.yaml file")
            if not problems:
                raise UsageError(f"{file}: no rules file of a campaign")
            continue
        evaluator = Evaluator(campaign, config.semantics)
        for wrong in evaluator.problems:
            if wrong.path == name:
                place = f"{shown(root / name)}:{wrong.span.line}:{wrong.span.column}"
                print(f"{place}: DP103 {printable(wrong.message)}", file=sys.stderr)
                code = max(code, ExitCode.FINDINGS)
        for rule in campaign.rules:
            if rule.path == name:
                print("\n".join(_rule(rule, evaluator)))
        for invariant in campaign.invariants:
            if invariant.path == name:
                print(f"{invariant.span.line}: {printable(invariant.name)} (invariant)")
                print("\n".join(_expression(invariant.always, evaluator, 1)))
    return code


def _rule(rule: Rule, evaluator: Evaluator) -> Iterator[str]:
    yield f"{rule.span.line}: {printable(rule.name)} (executionOrder {rule.execution_order}, {rule.category})"
    for expression in rule.conditions:
        yield from _expression(expression, evaluator, 1)
    if any(isinstance(expression, Group) for expression in rule.conditions):
        yield f"    together: {printable(evaluator.programs.text(rule))}"
    why = evaluator.fallbacks.get(rule.name)
    if why:
        yield f"    evaluated by cel-python: {printable(why)}"


def _expression(expression: Expression, evaluator: Evaluator, depth: int) -> Iterator[str]:
    indent = "    " * depth
    if isinstance(expression, Group):
        yield f"{indent}{expression.span.line}: {expression.kind}"
        for member in expression.members:
            yield from _expression(member, evaluator, depth + 1)
        return
    first, *further = evaluator.leaf(expression).cel.rstrip().splitlines() or [""]
    yield f"{indent}{expression.span.line}: {printable(first)}"
    yield from (f"{indent}{' ' * len(f'{expression.span.line}: ')}{printable(line)}" for line in further)
