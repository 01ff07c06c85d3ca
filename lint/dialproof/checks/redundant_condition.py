"""A condition that changes nothing: without it the rule is true, false and undecided on the same contacts.

## What it does

Reports a condition, in a rule's list or in an `all` or `any` group of it, that can be dropped: proved for every contact
of the contact list and for every value that earlier rules write. Where two conditions make each other redundant, the
later one is reported.

## Why it matters

Who reads the rule believes that the condition restricts it. Who changes the other condition later changes more than was
meant.

## Example

    conditions:
      - {attribute: attempts, operator: greaterThan, value: 5, type: number}
      - {attribute: attempts, operator: greaterThan, value: 3, type: number}

## Instead

    conditions:
      - {attribute: attempts, operator: greaterThan, value: 5, type: number}

`dialproof lint --fix` drops it with its comments, where that is also proved for everything that a rule could write to
the columns in question.

## Options

`budget` (default 20000): runs that are spent on one condition where earlier rules write a column that its rule reads;
the whole check spends ten times as many.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown
from dialproof.analysis.atoms import Atom, Junction
from dialproof.analysis.campaign import atoms_of
from dialproof.analysis.space import Space
from dialproof.checks.base import Check
from dialproof.checks.repairs import without_condition
from dialproof.model.rules import Group, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.analysis.answers import Answer, Budget
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Expression, Rule

__all__ = ["CHECK"]

_Path = tuple[int, ...]
"""Positions of a condition: in the rule's list, then in the group, and so on."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        for index, rule in enumerate(runs.rules):
            if rule.name in ctx.analysis.broken or not runs.acting(index).boxes:
                continue
            yield from _of_rule(ctx, runs, index, budget)


def _of_rule(ctx: CheckContext, runs: Runs, index: int, budget: Budget) -> Iterator[Finding]:
    """Look at the conditions from the last one to the first; what is found redundant stays dropped."""
    rule = runs.rules[index]
    for path in list(_paths(rule.conditions))[::-1]:
        if _stands_alone(runs, runs.rules[index], path):
            continue
        shorter = replace(rule, conditions=_without(rule.conditions, path))
        if len(shorter.conditions) == 0 or any(isinstance(e, Group) and not e.members for e in _all(shorter)):
            continue
        answer = _differs(runs, index, rule, shorter, budget)
        if isinstance(answer, Unknown):
            ctx.analysis.leave_open("DP203", (runs.rules[index],), answer)
        elif not isinstance(answer, Found):
            yield _finding(ctx, runs.rules[index], _at(rule.conditions, path))
            rule = shorter


def _paths(expressions: Sequence[Expression], above: _Path = ()) -> Iterator[_Path]:
    for position, expression in enumerate(expressions):
        yield (*above, position)
        if isinstance(expression, Group):
            yield from _paths(expression.members, (*above, position))


def _without(expressions: tuple[Expression, ...], path: _Path) -> tuple[Expression, ...]:
    here, *below = path
    if not below:
        return (*expressions[:here], *expressions[here + 1 :])
    group = expressions[here]
    assert isinstance(group, Group)
    changed = replace(group, members=_without(group.members, tuple(below)))
    return (*expressions[:here], changed, *expressions[here + 1 :])


def _at(expressions: tuple[Expression, ...], path: _Path) -> Expression:
    found = expressions[path[0]]
    return _at(found.members, path[1:]) if len(path) > 1 and isinstance(found, Group) else found


def _all(rule: Rule) -> Iterator[Expression]:
    stack = list(rule.conditions)
    while stack:
        expression = stack.pop()
        yield expression
        if isinstance(expression, Group):
            stack.extend(expression.members)


def _stands_alone(runs: Runs, rule: Rule, path: _Path) -> bool:
    """Tell at a glance that a condition matters: the only one on its column, and not met by some contact."""
    members = runs.analysis.part(rule).members
    own = members[path[0]]
    if len(path) > 1 or not isinstance(own, Atom) or len(own.axes) != 1 or own.axes[0] not in runs.analysis.axes:
        return False
    axis = runs.analysis.axes[own.axes[0]]
    true, _, unknown = axis.masks[own.text]
    others = (part for position, part in enumerate(members) if position != path[0])
    shared = any(own.axes[0] in atom.axes for part in others for atom in atoms_of(part))
    return not shared and not unknown and bool(axis.real & ~true)


def _differs(runs: Runs, index: int, rule: Rule, shorter: Rule, budget: Budget) -> Answer:
    """Search a contact on which a rule comes to another verdict without a condition."""
    formula, analysis = runs.formula, runs.analysis
    whole = formula.verdict_of(Junction("all", tuple(analysis.part_of(e) for e in rule.conditions)))
    less = formula.verdict_of(Junction("all", tuple(analysis.part_of(e) for e in shorter.conditions)))
    differs = formula.some(
        formula.every(pair) for a, b in zip(whole, less, strict=True) for pair in ((a, -b), (-a, b))
    )  # fmt: skip
    evaluators = [runs.evaluator_of([r]) for r in (rule, shorter)]

    def shows(assignment: Assignment) -> bool:
        scene = runs.scene_at(assignment)
        one, other = (e.verdicts(scene.contact, context=scene.context, now=scene.now) for e in evaluators)
        return one != other

    answer = formula.search([differs], shows)
    if isinstance(answer, (Found, Unknown)) or not runs.written >> index & 1:
        return answer
    return _differs_after_writes(runs, index, shorter, budget)


def _differs_after_writes(runs: Runs, index: int, shorter: Rule, budget: Budget) -> Answer:
    """Search a contact whose run comes out otherwise; what earlier rules write may lie outside of the domain."""
    question, involved = budget.question(), runs.involved((index,))
    space = Space(runs, involved)
    written = runs.evaluator_of([runs.rules[i] for i in involved])
    changed = runs.evaluator_of([shorter if i == index else runs.rules[i] for i in involved])
    for assignment in space.inside([{}]):
        spent = question.spend()
        if spent is not None:
            return spent
        if assignment is None:
            continue
        scene = runs.scene_at(assignment)
        one, other = (
            e.run(scene.contact, category=runs.category, context=scene.context, now=scene.now)
            for e in (written, changed)
        )
        if (one.matched, one.undecided) != (other.matched, other.undecided):
            return Found(runs, assignment)
    return space.open or Nowhere()


def _finding(ctx: CheckContext, rule: Rule, expression: Expression) -> Finding:
    say = ctx.wording.condition
    text = " ... ".join(say(leaf, ctx.evaluator.leaf(leaf)) for leaf in leaves((expression,)))
    return ctx.finding(
        rule.path,
        expression.span,
        f'rule "{rule.name}": this condition changes nothing',
        details=f"Without {text} the rule matches the same contacts.",
        rules=(rule.name,),
        fix="drop the condition",
        edits=without_condition(ctx, rule, expression),
    )


CHECK = Check(
    code="DP203",
    name="redundant-condition",
    severity="info",
    family="conditions",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
