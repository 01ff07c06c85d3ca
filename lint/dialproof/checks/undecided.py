"""A question of another check that could not be decided.

## What it does

Reports each question that a check left open: which check, which rules, and why. A question stays open where its
budget is used up, or where conditions are outside of what is decided exactly: columns that are compared with each
other and arithmetic as far as z3 does not decide them, word boundaries and patterns that are too large, macros.

## Why it matters

Without this finding, "no conflict was found" and "no conflict was searched for" would look the same. It fails a
run under `--strict`.

## Example

    conditions:
      - {attribute: name, operator: matches, value: '(?m)^(A|B)[0-9]{3}$'}

together with a rule that contradicts it on names that end in "x": nothing that was tried matches both, which
proves nothing.

## Instead

What helps depends on the reason, and the finding says it: use conditions that are decided exactly, declare an `enum`
for the column, install z3 (`pip install 'dialproof[smt]'`), or, where its budget is used up, raise the budget of the
check: `[tool.dialproof.checks.DP301] budget = 100000`.

## Options

`rlimit` (default 5000000): steps that z3 may take for one question; all questions of a campaign may take twenty times
as many. A step is one of z3's own units, the same on every machine; the default is about two seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import RLIMIT
from dialproof.checks.base import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.analysis.answers import Kind, Unknown
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]


_SHOWN = 10
"""How many other rules of one finding are listed."""

_BUDGET_OF = {"DP903": "DP301"}
"""Code whose questions another check asks -> the check that has the budget."""
_HELP: dict[Kind, str] = {
    "conditions": "use conditions that are decided exactly: comparisons of one column with constants",
    "texts": "declare an `enum` for the column, or use conditions without `\\b`, `(?m)` and long counted repetitions",
    "clock": "compare the column with `type: period` alone, which does not depend on the time of the call",
    "solver": "raise `rlimit` of DP901, or compare fewer columns with each other",
    "solver missing": "install z3, or compare each column with constants",
    "base": "correct the rules that have errors, or look at changes since a revision at which they have none",
    "counting": "count the column in fewer rules, or by fewer different amounts",
}


def _run(ctx: CheckContext) -> Iterator[Finding]:
    questions: dict[tuple[str, int, Unknown], list[Rule]] = {}
    for question in ctx.analysis.undecided:
        first, *others = question.rules
        questions.setdefault((question.code, id(first), question.why), [first]).extend(others)
    for (code, _, why), (rule, *others) in questions.items():
        names = f'"{rule.name}"'
        if others:
            names += f' and "{others[0].name}"' if len(others) == 1 else f" and {len(others)} other rules"
        places = [f'"{r.name}": {r.path}:{r.name_span.line}' for r in others[:_SHOWN]]
        if len(others) > _SHOWN:
            places.append(f"and {len(others) - _SHOWN} more")
        yield ctx.finding(
            rule.path,
            rule.name_span,
            f"{code} is not decided for {names}: {why.reason}",
            details="\n".join(places),
            rules=(rule.name, *(r.name for r in others)),
            fix=_HELP.get(why.kind, f"raise `budget` of {_BUDGET_OF.get(code, code)}"),
        )


CHECK = Check(
    code="DP901",
    name="undecided",
    severity="warning",
    family="schema",
    run=_run,
    doc=__doc__ or "",
    options={"rlimit": RLIMIT},
)
