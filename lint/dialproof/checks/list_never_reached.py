"""A list that rules put contacts on, and that no contact ends in.

## What it does

Reports a list for which some rule has `setList` with `value: "true"`, but on which no contact of the contact list
stands after a run: the rules never act, or later ones take every contact off again. Contacts start on no list.

## Why it matters

The agents of that list wait for calls that never come, and nobody sees why.

## Example

    - name: premium
      executionOrder: 1
      conditions: [{attribute: lifetimeValue, operator: greaterThan, value: 5000, type: number}]
      actions: [{type: setList, listId: premium_desk, value: "true"}]
    - name: everybody to the pool
      executionOrder: 2
      conditions: [{attribute: lifetimeValue, operator: exists}]
      actions: [{type: setList, listId: premium_desk, value: "false"}]

## Instead

Narrow the later rule, or delete the list from the rules.

## Options

`budget` (default 20000): runs that are spent on one rule that puts contacts on the list, where other rules write what
matters to it; the whole check spends ten times as many. A list that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown
from dialproof.analysis.pairs import bits
from dialproof.analysis.regions import meetings
from dialproof.analysis.sat import Formula
from dialproof.analysis.space import Space
from dialproof.analysis.steps import given
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.analysis.answers import Answer, Budget
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.steps import State
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Action, Rule

__all__ = ["CHECK"]

_SHOWN = 10
"""Rules that are listed."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    setters: dict[str, list[tuple[Rule, Action]]] = {}
    answers: dict[str, list[Answer]] = {}
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        writes = [_last_writes(rule) for rule in runs.rules]
        changers: dict[str, int] = {}
        for index, actions in enumerate(writes):
            for name in actions:
                changers[name] = changers.get(name, 0) | 1 << index
        for index, (rule, actions) in enumerate(zip(runs.rules, writes, strict=True)):
            for name, action in actions.items():
                if action.fields.get("value") == "false":
                    continue
                setters.setdefault(name, []).append((rule, action))
                known = answers.setdefault(name, [])
                if not any(isinstance(answer, Found) for answer in known):
                    off = [i for i in bits(changers[name] >> index + 1 << index + 1) if writes[i][name] != action]
                    known.append(_ends_on(runs, index, name, off, budget))
    for name, known in answers.items():
        rules = tuple(rule for rule, _ in setters[name])
        if any(isinstance(answer, Found) for answer in known) or any(r.name in ctx.analysis.broken for r in rules):
            continue
        unknown = next((answer for answer in known if isinstance(answer, Unknown)), None)
        if unknown is not None:
            ctx.analysis.leave_open("DP403", rules, unknown)
        else:
            yield _finding(ctx, name, setters[name])


def _last_writes(rule: Rule) -> Mapping[str, Action]:
    """Return what a rule does to each list in the end."""
    return {str(a.fields["listId"]): a for a in rule.actions if a.type == "setList"}


def _ends_on(runs: Runs, index: int, name: str, off: list[int], budget: Budget) -> Answer:
    """Search a contact that a rule puts on a list and that stays there; ``off`` are later rules that write the list."""
    if not runs.reachable(index).boxes:
        return Nowhere()
    if runs.is_static((index, *off)):
        answer = _by_conditions(runs, index, name, [] if runs.ends[index] else off)
        if not isinstance(answer, Unknown):
            return answer
    involved, steps = runs.involved((index,), off), runs.steps

    def on_list(first: State) -> bool:
        trace = steps.as_written(involved, first)
        return not trace.failed and given(trace.state[steps.things[name]]) is True

    return Space(runs, involved).search(meetings([runs.reachable(index)]), budget.question(), on_list)


def _by_conditions(runs: Runs, index: int, name: str, off: list[int]) -> Answer:
    """Search such a contact where conditions alone decide who acts."""
    near = runs.overlapping[index]
    rivals = near & (sum(1 << i for i in off) | runs.enders & ((1 << index) - 1))
    for assignment, held in runs.points.get(index, ()):
        if not held & rivals:
            runs.analysis.decided["cells"] += 1
            return Found(runs, assignment)
    formula = Formula(runs)
    order = sorted([index, *bits(rivals)])

    def stays(assignment: Assignment) -> bool:
        return runs.run(runs.scene_at(assignment), order=order).lists.get(name) is True

    literals = [-formula.literal(runs.rules[i], runs.acts_when) for i in bits(rivals)]
    return formula.search([formula.literal(runs.rules[index], runs.acts_when), *literals], stays)


def _finding(ctx: CheckContext, name: str, setters: list[tuple[Rule, Action]]) -> Finding:
    rule, action = setters[0]
    places = [f'"{r.name}": {r.path}:{a.span.line}' for r, a in setters[:_SHOWN]]
    if len(setters) > _SHOWN:
        places.append(f"and {len(setters) - _SHOWN} more")
    return ctx.finding(
        rule.path,
        action.span,
        f'no contact ends on list "{name}"',
        details="\n".join(["rules that put contacts on it, without effect:", *places]),
        rules=tuple(dict.fromkeys(r.name for r, _ in setters)),
        fix="narrow the rules that take contacts off it or come first, or delete the list from the rules",
    )


CHECK = Check(
    code="DP403",
    name="list-never-reached",
    severity="warning",
    family="coverage",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
