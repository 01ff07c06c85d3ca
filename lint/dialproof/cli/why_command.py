"""``dialproof why CONTACT``: the smallest cause of an outcome, and the nearest contact with another one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.cli.inputs import check_clock, compiled, config_for, shown
from dialproof.cli.outputs import add_output_format, outputs_of, write_output
from dialproof.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from dialproof.analysis.aspects import Aspect
    from dialproof.outcome import Outcome

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the contact, the rules and the options."""
    add = parser.add_argument
    add("contact", nargs="+", metavar="CONTACT",
        help="the name of a case; a file with one contact; FILE:NUMBER, a row of a CSV file or a case; or its columns, "
        "COLUMN=VALUE ...")  # fmt: skip
    add("--rules", type=Path, default=Path(), metavar="RULES",
        help="a *.rules.yaml file or the folder of a project (default: the current one)")  # fmt: skip
    add("--campaign", metavar="ID", help="the campaign, where the project has several")
    add("--of", action="append", default=[], metavar="WHAT",
        help="dial, a list, a column, an action or a rule, as dialproof diff calls it or by its own name; repeatable "
        "(default: dial, and all that is done)")  # fmt: skip
    add("--category", choices=("preCall", "wrapUp"), help="rules before or after the call (default: those of the case)")
    add("--now", metavar="TIME", help="the clock (default: that of the case, else the current time)")
    add("--time-zone", metavar="NAME", help="of times without offset, an IANA name (default: that of the case, or UTC)")
    add_output_format(parser, "text (default) or json")


def run(args: argparse.Namespace) -> int:
    """Run the contact and explain; return 3 for rules or a contact that cannot be read."""
    from dialproof.analysis.aspects import aspects_of
    from dialproof.analysis.causes import Causes
    from dialproof.analysis.witness import Scene
    from dialproof.cli.chosen import campaigns_of, choose
    from dialproof.project import load_project
    from dialproof.why import FORMATS, Report, answers_of

    outputs = outputs_of(args.output_format or ["text"], FORMATS)
    check_clock(args.now, args.time_zone)
    config = config_for([args.rules])
    project = load_project(config, [] if args.rules.is_dir() else [args.rules.resolve()])
    chosen = choose(args.contact, project, campaigns_of(project, args.rules, args.campaign))
    category = args.category or chosen.category or "preCall"
    now = args.now or chosen.now or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    evaluator = compiled(chosen.campaign, project, shown(config.root.resolve()))
    scene = Scene(chosen.contact, chosen.context, now)
    causes = Causes(evaluator, scene, category, args.time_zone or chosen.time_zone)
    rules = [rule for rule in chosen.campaign.rules if rule.enabled and rule.category == category]
    asked = _asked(aspects_of((), rules, category), args.of, causes.outcome)
    report = Report(chosen.label, chosen.campaign, category, causes, answers_of(causes, asked))
    for name, file in outputs:
        write_output(file, FORMATS[name](report))
    return ExitCode.OK


def _asked(aspects: Sequence[Aspect], names: Sequence[str], outcome: Outcome) -> list[Aspect]:
    """Return what is asked about; without names it is dial and all that is done, but for the rules that act."""
    if not names:
        done = [a for a in aspects if a.thing[0] == "dial" or (a.thing[0] != "rule" and a.of(outcome) is not None)]
        return done or list(aspects)
    found: dict[Aspect, None] = {}
    for name in names:
        same = [a for a in aspects if a.name == name] or [a for a in aspects if a.name.partition(" ")[2] == name]
        if not same:
            from difflib import get_close_matches

            known = [aspect.name for aspect in aspects]
            near = get_close_matches(name, [*known, *(k.partition(" ")[2] for k in known)], 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"--of: the rules do nothing that is called {name!r}; {hint}")
        found.update(dict.fromkeys(same))
    return list(found)
