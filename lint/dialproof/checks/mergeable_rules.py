"""Rules that are equal but for the values of one column, and could be one rule.

## What it does

Reports enabled rules of one category with the same actions, priority and metadata, whose conditions are equal but for
those on one column, where the values are alternatives of `equals` or `in`, or ranges of numbers or dates that leave no
gap between them. It is proved that one rule in their place does the same to every contact: no rule that runs between
them meets one of their contacts and writes, reads or ends what they do. Where one does, nothing is reported; neither is
a rule that writes a column which it reads itself, ranges that share a value while the actions count, and a rule whose
values all stand in others (DP304, DP305).

Description, version and ticket may differ.

## Why it matters

Three rules have to be kept alike by hand; one cannot drift apart. Fewer rules also leave more room on a target that
allows only so many.

## Example

    - name: south, Texas
      conditions: [{attribute: state, operator: equals, value: TX}]
      actions: [{type: setList, listId: south, value: "true"}]
    - name: south, Florida
      conditions: [{attribute: state, operator: equals, value: FL}]
      actions: [{type: setList, listId: south, value: "true"}]

## Instead

    - name: south
      conditions: [{attribute: state, operator: in, value: [TX, FL]}]
      actions: [{type: setList, listId: south, value: "true"}]

## Options

None.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import require
from dialproof.analysis.effects import same_effect
from dialproof.analysis.merging import mergeable
from dialproof.analysis.witness import shown_by
from dialproof.cel.values import read_text
from dialproof.checks.base import Check
from dialproof.model.rules import Condition, Group
from dialproof.output.masking import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.merging import Mergeable
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome

__all__ = ["CHECK", "merged"]

_NAMED = 5
"""Rules of one finding that its first sentence names."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for found in mergeable(runs):
            yield _finding(ctx, runs, found)


def merged(runs: Runs, found: Mergeable) -> tuple[Rule, ...]:
    """Return the rules of the category with one rule in place of the mergeable ones."""
    rule = runs.rules[found.at]
    own = next(c for m, c in zip(found.members, found.conditions, strict=True) if m == found.at)
    any_of = Group("any", tuple(Group("all", c, rule.span) for c in found.conditions), rule.span)
    one = replace(rule, conditions=(*(c for c in rule.conditions if not any(c is o for o in own)), any_of))
    return tuple(
        one if index == found.at else other
        for index, other in enumerate(runs.rules)
        if index == found.at or index not in found.members
    )


def _finding(ctx: CheckContext, runs: Runs, found: Mergeable) -> Finding:
    rules = [runs.rules[i] for i in found.members]
    first = rules[0]
    names = [f'"{rule.name}"' for rule in rules]
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    column = found.variable.name
    shown = runs.shown_on(runs.acting(found.members[0]))

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        evaluator = runs.evaluator_of(merged(runs, found))
        written = runs.run(scene)
        one = evaluator.run(scene.contact, category=runs.category, context=scene.context, now=scene.now)
        require(same_effect(written, one), "the witness does not show that one rule does the same")
        return written, one

    return ctx.finding(
        first.path,
        first.name_span,
        f"rules {', '.join(names[:-1])} and {names[-1]} are equal but for their values of {column}",
        details="\n".join(f'rule "{rule.name}": {rule.path}:{rule.name_span.line}' for rule in rules[1:]),
        rules=tuple(rule.name for rule in rules),
        witness=None if shown is None else shown_by(lambda: shown.scene, outcomes, ("as written", "as one rule")),
        fix=f"write one rule at execution order {runs.rules[found.at].execution_order}, {_condition(ctx, found)}",
    )


def _condition(ctx: CheckContext, found: Mergeable) -> str:
    column = found.variable.name
    if not found.listed:
        return f"with one range of {column}"
    values: dict[str, None] = {}
    for condition in (c for of_rule in found.conditions for c in of_rule if isinstance(c, Condition)):
        listed = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        hidden = ctx.wording.is_about_a_person(condition)
        values.update(dict.fromkeys([MASK] if hidden else map(read_text, listed)))
    return f"with `{column} in [{', '.join(values)}]`"


CHECK = Check(
    code="DP308",
    name="mergeable-rules",
    severity="info",
    family="conflicts",
    run=_run,
    doc=__doc__ or "",
)
