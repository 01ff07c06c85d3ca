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

from dialproof.analysis.answers import witness_of
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    analysis = ctx.analysis
    for rule in ctx.campaign.rules:
        if not rule.enabled or rule.name in analysis.broken:
            continue
        runs = analysis.runs(rule.category)
        index = runs.index(rule)
        missed = analysis.region(rule, "not true")
        if missed.boxes:
            decided = not missed.reason and any(runs.scene(box) for box in missed.boxes)
            if not decided and runs.example(index, missed, lambda verdict: verdict is not True) is None:
                why = missed.reason or "every text that was tried meets its conditions"
                analysis.leave_open("DP202", (rule,), why)
            continue
        analysis.decided["cells"] += 1
        found = runs.run_box({})
        assert found is not None, "every column has a usual value"
        scene, outcome = found
        verdict = ctx.evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)[rule.name]
        assert verdict is True, f"{rule.name} holds on every cell but not on its witness"
        ends = runs.ends[index] and any(a.type == "doNotDial" for a in rule.actions)
        later = len(runs.rules) - index - 1
        consequence = f"it dials nobody and ends the run in front of {later} more rules" if ends and later else ""
        yield ctx.finding(
            rule.path,
            rule.name_span,
            f'rule "{rule.name}" matches every contact' + (f": {consequence}" if consequence else ""),
            details="No contact of the contact list makes its conditions false or undecided.",
            rules=(rule.name,),
            witness=witness_of(scene, outcome),
            fix="correct the condition that excludes nobody",
            severity="error" if consequence else None,
        )


CHECK = Check(
    code="DP202",
    name="always-true-rule",
    severity="warning",
    family="conditions",
    run=_run,
    doc=__doc__ or "",
)
