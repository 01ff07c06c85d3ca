"""A suppression that suppresses nothing, an `overrides` that no contact needs, or an unneeded entry of the baseline.

## What it does

Reports each code of a `# dialproof: ignore[...]` comment for which its node has no finding, where the check did run.

It also reports each name in `overrides` that declares nothing: there is no such rule, it is the rule itself, it does
not run earlier in the same category, or (where DP301 did run) no contact is acted on by both rules in contradicting
ways. And it reports each entry of the baseline (`.dialproof-baseline.json`) whose finding does not occur any more,
where its check did run.

## Why it matters

A suppression that outlives its finding hides the next one: the rule is changed, a new conflict appears, and nobody
hears of it.

## Example

    - name: weekend  # dialproof: ignore[DP301] overlaps with holidays on purpose
      overrides: [holydays]

where `weekend` no longer conflicts with any rule, and no rule is named `holydays`.

## Instead

    - name: weekend

## Options

None. This finding cannot be suppressed; delete the comment, or the code from its list, or the name from `overrides`, or
the entry. `dialproof lint --fix` does.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.checks.repairs import without_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    """Report the names in ``overrides``; the comments are reported where they are applied."""
    places = {rule.name: index for index, rule in enumerate(ctx.campaign.rules)}
    unneeded = {(id(rule), name) for rule, name in ctx.analysis.unneeded}
    for index, rule in enumerate(ctx.campaign.rules):
        for name in rule.overrides:
            problem = _problem(ctx, places, index, name)
            if problem is None and (id(rule), name) in unneeded:
                problem = f'overrides "{name}" for nothing: no contact is acted on by both in contradicting ways'
            if problem is not None:
                yield ctx.finding(
                    rule.path,
                    rule.spans.get("overrides", rule.span),
                    problem,
                    rules=(rule.name,) if name not in places or name == rule.name else (rule.name, name),
                    fix="remove the name",
                    edits=without_name(ctx, rule, "overrides", name),
                )


def _problem(ctx: CheckContext, places: Mapping[str, int], index: int, name: str) -> str | None:
    """Return what is wrong with a name whatever contacts there are."""
    rules: tuple[Rule, ...] = ctx.campaign.rules
    if name not in places:
        near = get_close_matches(name, places, 1, 0.6)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f'overrides "{name}", which is no rule of campaign {ctx.campaign.id}{hint}'
    if name == rules[index].name:
        return "a rule cannot override itself"
    if rules[places[name]].category != rules[index].category:
        return f'overrides "{name}", which is of the other category: the two never act in one run'
    if places[name] > index:
        return f'overrides "{name}", which runs later: the later of two rules is the one that overrides'
    return None


CHECK = Check(
    code="DP903",
    name="unused-suppression",
    severity="warning",
    family="schema",
    run=_run,
    doc=__doc__ or "",
)
