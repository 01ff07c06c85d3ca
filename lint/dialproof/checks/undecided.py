"""A question of another check that could not be decided.

## What it does

Reports each question that a check left open: which check, which rules, and why. A question stays open where its
budget is used up, or where conditions are outside of what is decided exactly: columns that are compared with each
other, arithmetic, `contains`, `endsWith` and `matches` where no text that was tried settles it.

## Why it matters

Without this finding, "no conflict was found" and "no conflict was searched for" would look the same. It fails a
run under `--strict`.

## Example

    conditions:
      - {attribute: name, operator: matches, value: "^(A|B)[0-9]{3}$"}

together with a rule that contradicts it on names that contain "x": nothing that was tried matches both, which
proves nothing.

## Instead

Use operators that are decided exactly (comparisons, `in`, `between`, `beginsWith`), declare an `enum` for the
column, or raise the budget of the check: `[tool.dialproof.checks.DP301] budget = 100000`.

## Options

None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["CHECK"]


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for question in ctx.analysis.undecided:
        rule = question.rules[0]
        names = " and ".join(f'"{r.name}"' for r in question.rules)
        yield ctx.finding(
            rule.path,
            rule.name_span,
            f"{question.code} is not decided for {names}: {question.reason}",
            details="\n".join(f'"{r.name}": {r.path}:{r.name_span.line}' for r in question.rules[1:]),
            rules=tuple(r.name for r in question.rules),
            fix=f"raise `budget` of {question.code}, or use conditions that are decided exactly",
        )


CHECK = Check(
    code="DP901",
    name="undecided",
    severity="warning",
    family="schema",
    run=_run,
    doc=__doc__ or "",
)
