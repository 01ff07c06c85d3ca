"""Contacts that a rule kept from being dialed are dialed now, because the rule is gone, narrower or overtaken.

## What it does

Looks at changes since a base: `dialproof lint --since REV`, `--dialproof-since=REV` under pytest, or `base` of the
configuration. Each rule that stopped dialing there is held against the rules of now. A finding says that some contact
on which the rule acted is dialed now, shows that contact with both outcomes, and says what has become of the rule: it
is gone, disabled, or runs in another category; its actions no longer stop dialing; its conditions are narrower; or an
earlier rule ends the run, or changes what it reads.

Where other rules refuse all of these contacts nothing is reported. Contacts are those of the contact list of now (a
column that it has no more counts as it was); each side runs under its own `semantics` and `hitPolicy`.

## Why it matters

Suppressions are law, consent and promises. One that is lost in a clean-up is noticed when the complaints arrive.
A deploy is refused while this finding stands or is suppressed, unless `gate.accept` names the rule.

## Example

At the base:

    - name: no consent
      conditions:
        - {attribute: consent, operator: notEquals, value: "yes"}
      actions: [{type: doNotDial}]

Now:

    - name: no consent
      conditions:
        - {attribute: consent, operator: equals, value: "no"}
      actions: [{type: doNotDial}]

A contact whose consent is blank was refused and is dialed.

## Instead

Bring the rule back as it was, or let another rule refuse the contact that is shown. Where it is meant to be dialed, say
so: with an entry of `gate.accept`, its reason and its expiry.

## Options

`budget` (default 20000): runs that are spent on one rule where runs have to be compared; the whole check spends ten
times as many. A rule that cannot be decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.analysis.answers import BUDGET, Found, Unknown
from dialproof.analysis.difference import content_of, stops
from dialproof.base import counterparts
from dialproof.checks.base import Check
from dialproof.checks.change import leave_open, place_of, shown, was_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.difference import Difference
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for difference in ctx.differences():
        became = counterparts(difference.old.evaluator.campaign.rules, ctx.campaign.rules)
        for old in difference.suppressions:
            answer = difference.let_through_by(old, budget.question())
            now = became.get(old.name)
            if isinstance(answer, Unknown):
                leave_open(ctx, old, now, answer)
            elif isinstance(answer, Found):
                yield _finding(ctx, difference, old, now, answer)


def _finding(ctx: CheckContext, difference: Difference, old: Rule, now: Rule | None, found: Found) -> Finding:
    path, span = place_of(ctx, old, now)
    what = _what_became(difference, old, now, found.scene)
    finding = ctx.finding(
        path,
        span,
        f'contacts that "{old.name}" kept from being dialed are dialed now: {what}',
        details=was_at(ctx, old),
        rules=((now or old).name,),
        fix="let a rule refuse such contacts, or accept in gate.accept that they are dialed",
    )
    return shown(ctx, finding, difference, found)


def _what_became(difference: Difference, old: Rule, now: Rule | None, scene: Scene) -> str:
    """Return what has become of a rule, as one contact shows it."""
    if now is None:
        return "the rule is gone"
    if not now.enabled:
        return "the rule is disabled"
    if now.category != old.category:
        return f"the rule runs as {now.category} now"
    if not stops(now):
        return "the rule does not stop dialing any more"
    evaluator = difference.new.evaluator
    given: dict[str, Any] = {"context": scene.context, "now": scene.now}
    trace = next(t for t in evaluator.trace(scene.contact, **given) if t.rule == now.name)
    if trace.skipped:
        return f'"{evaluator.run(scene.contact, **given).matched[-1]}" ends the run in front of the rule'
    if evaluator.verdicts(scene.contact, **given)[now.name] is not trace.verdict:
        return "an earlier rule changes what the rule reads"
    if content_of(old)[0] != content_of(now)[0]:
        return "the rule is narrower"
    return "columns, `semantics` or what earlier rules write have changed, so that the rule does not hold"


CHECK = Check(
    code="DP801",
    name="suppression-removed",
    severity="error",
    family="changes",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
