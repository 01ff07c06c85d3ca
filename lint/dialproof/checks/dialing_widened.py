"""Contacts are dialed now that were not, although no suppressing rule had kept them back.

## What it does

Looks at changes since a base: `dialproof lint --since REV`, `--dialproof-since=REV` under pytest, or `base` of the
configuration. A contact may be refused without a rule that says so: because a rule is undecided on it
(`semantics.undecided = "refuseToDial"`), or because the run over it cannot be completed. The finding says that such a
contact is dialed now, and shows it with both outcomes. What suppressing rules kept back is DP801's.

## Why it matters

A condition that is rewritten, a column that may be blank no more, a rule that is deleted: each can put contacts into
the dialer that nobody has thought of. That may be the purpose of the change, or not.

## Example

At the base, with `attempts: {type: integer}`:

    - name: many attempts
      conditions:
        - {attribute: attempts, operator: greaterThan, value: 10}
      actions: [{type: setList, listId: tired}]

Now the rule begins with

      conditions:
        - {attribute: attempts, operator: exists}

On a contact without attempts the rule was undecided, so that it was not dialed. Now the rule does not match, and it is.

## Instead

Where the contact must not be dialed, say so with a rule that refuses it. Else the finding is for the reviewer to read.

## Options

`budget` (default 20000): runs that are spent on one rule where runs have to be compared; the whole check spends ten
times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Unknown
from dialproof.base import counterparts
from dialproof.checks.base import Check
from dialproof.checks.change import leave_open, place_of, shown, was_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.difference import Difference
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]

_LISTED = 10
"""Further rules that are looked for and named in the details."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for difference in ctx.differences():
        became = counterparts(difference.old.evaluator.campaign.rules, ctx.campaign.rules)
        found: list[tuple[Rule, Found]] = []
        for old in difference.old.runs.rules:
            if len(found) > _LISTED:
                break
            answer = difference.no_longer_undecided(old, budget.question())
            if isinstance(answer, Found):
                found.append((old, answer))
            elif isinstance(answer, Unknown):
                leave_open(ctx, old, became.get(old.name), answer)
        if found:
            yield _finding(ctx, difference, found, became.get(found[0][0].name))


def _finding(ctx: CheckContext, difference: Difference, found: list[tuple[Rule, Found]], now: Rule | None) -> Finding:
    """Return one finding for all rules: they often have one cause."""
    (old, first), *others = found
    _, before = difference.outcomes(first.scene)
    why = "the run over them could not be completed" if before.failure else f'"{old.name}" was undecided on them'
    details = [was_at(ctx, old), *(f"likewise {was_at(ctx, other)}" for other, _ in others)]
    details += ["and perhaps more rules"] if len(others) == _LISTED else []
    path, span = place_of(ctx, old, now)
    finding = ctx.finding(
        path,
        span,
        f"contacts that were not dialed are dialed now: {why}",
        details="\n".join(details),
        rules=((now or old).name,),
        fix="where such contacts must not be dialed, refuse them with a rule",
    )
    return shown(ctx, finding, difference, first)


CHECK = Check(
    code="DP802",
    name="dialing-widened",
    severity="warning",
    family="changes",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
