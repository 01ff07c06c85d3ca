"""A wrap-up rule with an inverted condition that also holds when no call was placed.

## What it does

Searches, for every wrap-up rule with a negated condition on `call.wrapUpCode`, `call.systemDisposition` or
`call.analysis`, a contact on which the rule acts although there was no call: those fields are blank then, so that "any
code but SALE" holds. It reports the rule where the negated condition makes the difference: with the value that it
excludes, the rule does not act. It is silent where the rule says itself what a blank field means (`exists`,
`notExists`, or a comparison with ""). It looks only for targets on which wrap-up rules run as on the platform
(`rulesets`).

## Why it matters

On the platform, wrap-up rules also run for a contact that was skipped. "Everything but a sale is called back" then
schedules a callback for people who were never called.

## Example

    - name: call back
      category: wrapUp
      conditions: [{context: call.wrapUpCode, operator: notEquals, value: SALE}]
      actions: [{type: scheduleCallback, offsetMinutes: 60}]

## Instead

Name the codes that are meant:

    - name: call back
      category: wrapUp
      conditions: [{context: call.wrapUpCode, operator: in, value: [NO_ANSWER, BUSY]}]
      actions: [{type: scheduleCallback, offsetMinutes: 60}]

## Options

`budget` (default 20000): contacts that are run for one rule; the whole check runs ten times as many. A rule that cannot
be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, require
from dialproof.analysis.atoms import Atom
from dialproof.analysis.regions import meet
from dialproof.analysis.space import Space
from dialproof.analysis.witness import shown_by
from dialproof.cel.values import Variable
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Answer, Budget
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_CALL = tuple(Variable("context", f"call.{name}") for name in ("wrapUpCode", "systemDisposition", "analysis"))
"""What is blank where no call was placed."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    if not any(target.platform for target in ctx.targets):
        return
    budget, runs = ctx.budget(), ctx.analysis.runs("wrapUp")
    for index, rule in enumerate(runs.rules):
        if rule.name in ctx.analysis.broken:
            continue
        negated = {variable: mask for variable in _CALL if (mask := _excluded(runs, index, variable))}
        if not negated:
            continue
        answer = _without_a_call(runs, index, negated, budget)
        if isinstance(answer, Unknown):
            ctx.analysis.leave_open("DP704", (rule,), answer)
        elif isinstance(answer, Found):
            yield _finding(ctx, runs, index, answer, [variable.name for variable in negated])


def _excluded(runs: Runs, index: int, variable: Variable) -> int:
    """Return the cells of a field that a negated condition of the rule excludes, 0 where a blank one was thought of."""
    found = 0
    for atom, holds in _signed(runs.analysis.part(runs.rules[index]), holds=True):
        if atom.axes != (variable,):
            continue
        if any(cut.value == "" for cut in atom.cuts):
            return 0
        axis = runs.analysis.axes[variable]
        true, false, _ = axis.verdicts(atom.text)
        wanted, other = (true, false) if holds else (false, true)
        if wanted & _blank(runs, variable):
            found |= other & axis.real
    return found


def _signed(part: Part, *, holds: bool) -> Iterator[tuple[Atom, bool]]:
    """Yield the atoms of a part, each with whether the part wants it to be true."""
    if isinstance(part, Atom):
        yield part, holds
        return
    for member in part.members:
        yield from _signed(member, holds=holds != (part.kind == "not"))


def _blank(runs: Runs, variable: Variable) -> int:
    return sum(1 << i for i, cell in enumerate(runs.analysis.axes[variable].cells) if cell.kind == "blank")


def _without_a_call(runs: Runs, index: int, negated: dict[Variable, int], budget: Budget) -> Answer:
    """Search a contact on which the rule acts without a call, and not with a value that it excludes."""
    involved = runs.involved((index,))
    blank = {variable: _blank(runs, variable) for variable in _CALL if variable in runs.analysis.axes}

    def shows(assignment: Assignment) -> bool:
        if not _acts(runs, index, involved, assignment):
            return False
        axes = runs.analysis.axes
        others = ({**assignment, v: p} for v, mask in negated.items() for p in axes[v].positions(mask))
        return any(not _acts(runs, index, involved, other) for other in others)

    space, question = Space(runs, involved), budget.question()
    boxes = [met for box in runs.reachable(index).boxes if (met := meet(box, blank)) is not None]
    for assignment in space.inside(boxes):
        spent = question.spend()
        if spent is not None:
            return spent
        if assignment is not None and shows(assignment):
            runs.analysis.decided["enumeration"] += 1
            return Found(runs, {**assignment, **{v: _position(m) for v, m in blank.items()}})
    if space.open is None:
        runs.analysis.decided["enumeration"] += 1
    return space.open or Nowhere()


def _position(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _acts(runs: Runs, index: int, involved: tuple[int, ...], assignment: Assignment) -> bool:
    trace = runs.steps.as_written(involved, runs.steps.start(runs.part_of(assignment)))
    return not trace.failed and index in trace.steps and trace.steps[index].acted


def _finding(ctx: CheckContext, runs: Runs, index: int, found: Found, fields: list[str]) -> Finding:
    rule = runs.rules[index]

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome | None]:
        outcome = runs.run(scene)
        no_call = not scene.context.get("call")
        require(no_call and rule.name in acted(outcome), "the witness does not show the trap")
        return outcome, None

    names = " and ".join(fields)
    return ctx.finding(
        rule.path,
        rule.name_span,
        f'rule "{rule.name}" also acts when no call was placed: then {names} is blank, which its conditions allow',
        rules=(rule.name,),
        witness=shown_by(lambda: found.scene, outcomes, ("without a call", "")),
        fix="name the values that are meant instead of those that are not",
    )


CHECK = Check(
    code="DP704",
    name="inverted-wrap-up-trap",
    severity="warning",
    family="target",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
