"""Rules on the target that are not in the files and may stay (``keep``): held against what was tested.

They run together with ours on the same contacts. So they are read back, checked with ours by the linter, and run with
ours on every case and population that the evidence is about: a kept rule may act, but it must change nothing that the
tests show.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dialproof.errors import DialproofError
from dialproof.evaluate import Evaluator
from dialproof.findings import SEVERITIES
from dialproof.lint import lint
from dialproof.model.contacts import Case
from dialproof.over_time import play_and_compare
from dialproof.populations import Statements, files_of
from dialproof_deploy.gate.decision import strict
from dialproof_deploy.plan.read_back import read_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialproof.model.contacts import ContactsFile
    from dialproof.model.populations import Population
    from dialproof.model.rules import Rule
    from dialproof.model.timelines import Timeline
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project

__all__ = ["refusals_of_kept"]

_WAY_OUT = "take it away with --prune (one of another set by ruleSet:NAME), or write it into your files"


def refusals_of_kept(
    project: Project,
    campaign: Campaign,
    ours: Sequence[Mapping[str, Any]],
    kept: Sequence[Mapping[str, Any]],
    read: Callable[[Mapping[str, Any]], Rule],
) -> list[str]:
    """Return a sentence for each reason why rules of the target must not stay beside ours.

    ``ours`` and ``kept`` are wire rules, so that both speak of lists and skills by their ids on the target; ``read`` is
    the target's.
    """
    rules, unread = read_back(kept, read)
    if unread or not rules:
        return [
            f"kept rule {wire['name']!r} cannot be read back ({why}), so nobody knows what it does to the contacts of "
            f"your tests: {_WAY_OUT}"
            for wire, why in unread
        ]
    own = [read(wire) for wire in ours]
    alone = _with(campaign, own)
    together = _with(campaign, [*own, *rules])
    names = frozenset(rule.name for rule in rules)
    return [
        *_findings(project, together, names),
        *_changes(project, campaign, alone, together, names),
        *_counts(project, campaign, alone, together, names),
    ]


def _with(campaign: Campaign, rules: Sequence[Rule]) -> Campaign:
    return replace(campaign, rules=tuple(sorted(rules, key=lambda rule: rule.execution_order)), invariants=())


def _findings(project: Project, together: Campaign, names: frozenset[str]) -> Iterator[str]:
    """Yield the errors that the linter finds with the kept rules and would not find without them."""
    # As the gate looks at it; but for ids, which are those of the target here and not those of the files.
    config = replace(strict(project.config), ignore=("DP106",))
    result = lint(replace(project, config=config, campaigns=(together,)), suppress=False)
    errors = SEVERITIES.index("error")
    for finding in result.findings:
        if names.intersection(finding.rules) and SEVERITIES.index(finding.severity) >= errors:
            yield f"kept rule with ours: {finding.code} {finding.summary}: {_WAY_OUT}"


def _changes(
    project: Project, campaign: Campaign, alone: Campaign, together: Campaign, names: frozenset[str]
) -> Iterator[str]:
    """Yield the cases whose outcome the kept rules change."""
    semantics = project.config.semantics
    before, after = Evaluator(alone, semantics), Evaluator(together, semantics)
    for path, linked in project.links.items():
        if linked is not campaign:
            continue
        file = project.contacts_files[path]
        for case in file.tests:
            without, outcomes = (_outcomes(evaluator, file, case) for evaluator in (before, after))
            if [_shown(outcome, names) for outcome in outcomes] != [_shown(outcome, names) for outcome in without]:
                seen = (rule for outcome in outcomes for rule in (*outcome.matched, *outcome.undecided))
                acting = dict.fromkeys(rule for rule in seen if rule in names)
                whose = f"kept rule {', '.join(map(repr, acting))}" if acting else "a kept rule"
                yield f"{path}:{case.span.line}: {whose} changes the outcome of the case {case.name!r}: {_WAY_OUT}"


def _counts(
    project: Project, campaign: Campaign, alone: Campaign, together: Campaign, names: frozenset[str]
) -> Iterator[str]:
    """Yield the populations whose counts the kept rules change, and those that cannot be run."""
    for path, linked in project.links.items():
        file = project.contacts_files[path]
        for population in file.populations if linked is campaign else ():
            place, name = f"{path}:{population.span.line}", population.name
            try:
                without, counted = (_counted(project, file, population, one, names) for one in (alone, together))
            except DialproofError as error:
                why = str(error).partition("\n")[0]
                yield f"{place}: the population {name!r} cannot be run beside kept rules: {why}"
                continue
            if counted != without:
                yield f"{place}: a kept rule changes what the population {name!r} counts: {_WAY_OUT}"


def _counted(
    project: Project, file: ContactsFile, population: Population, campaign: Campaign, names: frozenset[str]
) -> tuple[object, ...]:
    """Return what a population can expect, apart from the kept rules themselves."""
    from dialproof.bulk import check_installed

    check_installed()
    from dialproof.bulk.population import run_population

    config = project.config
    report = run_population(
        population,
        Statements(file.path, population, campaign, config),
        Evaluator(campaign, config.semantics),
        files_of(config.root, file, population),
        now=file.now,
        time_zone=file.time_zone,
    )
    tally, held = report.tally, report.held.held if report.held else ()
    rules = {name: (one.matched, one.undecided) for name, one in tally.rules.items() if name not in names}
    statements = [(one.about, one.violated) for one in held]
    return rules, tally.dialed, tally.undecided, tally.lists, tally.failures, statements


def _outcomes(evaluator: Evaluator, file: ContactsFile, case: Case | Timeline) -> list[Outcome]:
    """Return what becomes of a case: one outcome, or one for each step of a timeline."""
    if isinstance(case, Case):
        return [evaluator.run(case.contact, **file.run_options(case))]
    return [one.outcome for one in play_and_compare(evaluator, case, file).happened]


def _shown(outcome: Outcome, names: frozenset[str]) -> tuple[object, ...]:
    """Return what a case can expect, apart from the kept rules themselves."""
    return (
        [rule for rule in outcome.matched if rule not in names],
        [rule for rule in outcome.undecided if rule not in names],
        [(acted.rule, acted.action) for acted in outcome.acted if acted.rule not in names],
        outcome.contact,
        outcome.lists,
        outcome.dial,
        outcome.failure,
    )
