"""Two rules that act on one contact and whose actions contradict each other.

## What it does

Searches, for every two enabled rules of a category whose actions contradict each other, a contact on which both act in
the real run: all other rules enabled, the execution order and the writes of earlier rules applied. A rule whose
conditions are undecided does not act. The finding stands at the later rule and shows the contact with both outcomes:
what each of the two rules does to it without the other.

## Why it matters

The later rule silently undoes what the earlier one did: the contact is put on a list and taken off it again, or is
shown to an agent although it must not be dialed.

## Example

    - name: premium
      executionOrder: 1
      conditions:
        - {attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}
      actions:
        - {type: setList, listId: premium_desk, value: "true"}
    - name: too many attempts
      executionOrder: 2
      conditions:
        - {attribute: attempts, operator: greaterThan, value: 5, type: number}
      actions:
        - {type: setList, listId: premium_desk, value: "false"}

## Instead

Narrow one of the two so that they exclude each other:

        - {attribute: attempts, operator: lessThanOrEqual, value: 5, type: number}

or, where the later rule is meant to win, say so on it:

      overrides: [premium]

## Options

`budget` (default 20000): runs that are spent on one pair of rules where other rules can interfere; the whole
check spends ten times as many. A pair that cannot be decided within them is DP901.

`strict_exclusion` (default false): report every two rules whose actions contradict each other, also where no contact
meets both; such findings are marked "strict" and have no contact to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, later_pairs, require
from dialproof.analysis.contradictions import contradicting_actions
from dialproof.analysis.witness import shown_by
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Budget
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding, Witness
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        yield from _conflicts(ctx, runs, budget)
        _look_at_overrides(ctx, runs, budget)


def _conflicts(ctx: CheckContext, runs: Runs, budget: Budget) -> Iterator[Finding]:
    count = len(runs.rules)
    strict = ctx.option("strict_exclusion") is True
    candidates = [a & b for a, b in zip(runs.contradicting, runs.overlapping, strict=True)]
    ctx.analysis.decided["cells"] += count * (count - 1) // 2 - sum(m.bit_count() for m in candidates) // 2
    for earlier, later in later_pairs(runs.contradicting if strict else candidates):
        one, other = runs.rules[earlier], runs.rules[later]
        if one.name in other.overrides:
            continue
        possible = candidates[later] >> earlier & 1
        answer = runs.both_act(earlier, later, budget.question()) if possible else Nowhere()
        if isinstance(answer, Unknown):
            ctx.analysis.leave_open("DP301", (other, one), answer)
        elif isinstance(answer, Found):
            summary = f'rules "{one.name}" and "{other.name}" act on one contact and contradict each other'
            yield _finding(ctx, (one, other), summary, _witness(runs, (one, other), answer))
        elif strict:
            summary = f'strict: rules "{one.name}" and "{other.name}" have opposite actions, on whatever contacts'
            yield _finding(ctx, (one, other), summary, None)


def _look_at_overrides(ctx: CheckContext, runs: Runs, budget: Budget) -> None:
    """Note every declared overwrite that no contact needs, for DP903."""
    by_name = {rule.name: index for index, rule in enumerate(runs.rules)}
    for later, rule in enumerate(runs.rules):
        for name in rule.overrides:
            earlier = by_name.get(name, later)
            if earlier >= later:
                continue  # DP903 tells that by itself
            answer: object = Nowhere()
            if (runs.contradicting[later] & runs.overlapping[later]) >> earlier & 1:
                answer = runs.both_act(earlier, later, budget.question())
            if isinstance(answer, Unknown):
                ctx.analysis.leave_open("DP903", (rule, runs.rules[earlier]), answer)
            elif isinstance(answer, Nowhere):
                ctx.analysis.unneeded.append((rule, name))


def _witness(runs: Runs, pair: tuple[Rule, Rule], found: Found) -> Witness:
    """Return the contact with both outcomes: what each of the two rules does to it without the other one."""

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        together = acted(runs.run(scene))
        require({pair[0].name, pair[1].name} <= together, "the witness does not show the conflict")
        return runs.run(scene, without=[pair[1]]), runs.run(scene, without=[pair[0]])

    return shown_by(lambda: found.scene, outcomes, (f'without "{pair[1].name}"', f'without "{pair[0].name}"'))


def _finding(ctx: CheckContext, pair: tuple[Rule, Rule], summary: str, witness: Witness | None) -> Finding:
    one, other = pair
    say = ctx.wording.action
    lines = [f"{say(a)} against {say(b)}" for a, b in contradicting_actions(one, other)]
    details = "\n".join([f'earlier rule "{one.name}": {one.path}:{one.name_span.line}', *dict.fromkeys(lines)])
    return ctx.finding(
        other.path,
        other.name_span,
        summary,
        details=details,
        rules=(other.name, one.name),
        witness=witness,
        fix=f'make their conditions exclude each other, or declare `overrides: [{one.name}]` on "{other.name}"',
    )


CHECK = Check(
    code="DP301",
    name="conflicting-rules",
    severity="error",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET, "strict_exclusion": False},
)
