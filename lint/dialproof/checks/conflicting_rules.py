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

`budget` (default 20000): runs that are spent on one pair of rules where other rules can interfere; a pair that
cannot be decided within them is DP901.

`strict_exclusion` (default false): report every two rules whose actions contradict each other, also where no contact
meets both; such findings are marked "strict" and have no contact to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, budget_of, later_pairs, witness_of
from dialproof.analysis.contradictions import contradicting_actions
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding, Witness
    from dialproof.model.rules import Action, Rule

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for category in ("preCall", "wrapUp"):
        yield from _conflicts(ctx, ctx.analysis.runs(category))


def _conflicts(ctx: CheckContext, runs: Runs) -> Iterator[Finding]:
    count = len(runs.rules)
    strict = ctx.option("strict_exclusion") is True
    candidates = [a & b for a, b in zip(runs.contradicting, runs.overlapping, strict=True)]
    ctx.analysis.decided["cells"] += count * (count - 1) // 2 - sum(m.bit_count() for m in candidates) // 2
    for earlier, later in later_pairs(runs.contradicting if strict else candidates):
        one, other = runs.rules[earlier], runs.rules[later]
        if one.name in other.overrides:
            continue
        possible = candidates[later] >> earlier & 1
        answer = runs.both_act(earlier, later, budget_of(ctx.option("budget"))) if possible else Nowhere()
        if isinstance(answer, Unknown):
            ctx.analysis.leave_open("DP301", (other, one), answer.reason)
        elif isinstance(answer, Found):
            assert {one.name, other.name} <= acted(answer.outcome), "the witness does not show the conflict"
            summary = f'rules "{one.name}" and "{other.name}" act on one contact and contradict each other'
            yield _finding(ctx, (one, other), summary, _witness(ctx, (one, other), answer.scene))
        elif strict:
            summary = f'strict: rules "{one.name}" and "{other.name}" have opposite actions, on whatever contacts'
            yield _finding(ctx, (one, other), summary, None)


def _witness(ctx: CheckContext, pair: tuple[Rule, Rule], scene: Scene) -> Witness:
    """Return the contact with both outcomes: what each of the two rules does to it without the other one."""
    outcomes = [
        ctx.evaluator.run(
            scene.contact, category=left_out.category, context=scene.context, now=scene.now, without=[left_out.name]
        )
        for left_out in reversed(pair)
    ]
    labels = (f'without "{pair[1].name}"', f'without "{pair[0].name}"')
    return witness_of(scene, outcomes[0], outcomes[1], labels)


def _finding(ctx: CheckContext, pair: tuple[Rule, Rule], summary: str, witness: Witness | None) -> Finding:
    one, other = pair
    clashes = contradicting_actions(one, other)
    lines = [f"{_action(a)} against {_action(b)}" for a, b in clashes]
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


def _action(action: Action) -> str:
    fields = ", ".join(f"{k} {_value(v)}" for k, v in action.fields.items() if v is not None)
    return f"{action.type} ({fields})" if fields else action.type


def _value(value: object) -> str:
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, tuple) else f"{value}"


CHECK = Check(
    code="DP301",
    name="conflicting-rules",
    severity="error",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET, "strict_exclusion": False},
)
