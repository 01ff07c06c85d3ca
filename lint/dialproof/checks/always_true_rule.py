"""A rule that matches every contact, because its conditions exclude none.

## What it does

Reports a rule whose conditions hold on every contact of the contact list as it is given: none makes them false and none
leaves them undecided. It is an error where the rule does not dial and ends the run while other rules come after it.

## Why it matters

A condition that excludes nobody usually has a wrong constant or a wrong operator. A rule that suppresses everybody
stops the campaign.

## Example

With `attempts: {type: integer, min: 0, max: 20, required: true}`:

    - name: too many attempts
      conditions:
        - {attribute: attempts, operator: greaterThanOrEqual, value: 0}
      actions:
        - {type: doNotDial}

## Instead

    conditions:
      - {attribute: attempts, operator: greaterThanOrEqual, value: 10}

Where the rule is meant for everybody, say so with a suppression and its reason.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import Nowhere, Unknown, require
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding, Witness
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_EVERY_TEXT = Unknown("every text that was tried meets its conditions", "texts")


def _run(ctx: CheckContext) -> Iterator[Finding]:
    analysis = ctx.analysis
    for rule in ctx.campaign.rules:
        if not rule.enabled or rule.name in analysis.broken:
            continue
        runs = analysis.runs(rule.category)
        index = runs.index(rule)
        by_solver = analysis.decided["smt"]
        answer = runs.meets(index, "not true", _EVERY_TEXT)
        if isinstance(answer, Unknown):
            analysis.leave_open("DP202", (rule,), answer)
        if not isinstance(answer, Nowhere):
            continue
        if by_solver == analysis.decided["smt"]:
            analysis.decided["cells"] += 1
        ends = runs.ends[index] and any(rule.category in action_types()[a.type].stops_dial_in for a in rule.actions)
        later = len(runs.rules) - index - 1
        known = {variable for variable in runs.looked_at([index]) if variable.source != "now"}
        consequence = f"it dials nobody and ends the run in front of {later} more rules" if ends and later else ""
        yield ctx.finding(
            rule.path,
            rule.name_span,
            f'rule "{rule.name}" matches every contact' + (f": {consequence}" if consequence else ""),
            details="No contact of the contact list makes its conditions false or undecided.",
            rules=(rule.name,),
            witness=_witness(runs, rule) if known <= analysis.usual.keys() else None,
            fix="correct the condition that excludes nobody",
            severity="error" if consequence else None,
        )


def _witness(runs: Runs, rule: Rule) -> Witness:
    def outcomes(scene: Scene) -> tuple[Outcome, None]:
        verdicts = runs.evaluator_of([rule]).verdicts(scene.contact, context=scene.context, now=scene.now)
        require(verdicts[rule.name] is True, "a rule that holds on every cell does not hold on its witness")
        return runs.run(scene), None

    return shown_by(lambda: runs.scene_at({}), outcomes)


CHECK = Check(
    code="DP202",
    name="always-true-rule",
    severity="warning",
    family="conditions",
    run=_run,
    doc=__doc__ or "",
)
