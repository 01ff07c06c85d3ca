"""A write that is always overwritten before anybody reads it.

## What it does

Reports an action that sets a column, a list, the skills, the caller id or a callback, where on every contact on which
its rule acts a later rule acts as well and writes the same thing, and nobody reads it in between: no condition of a
rule up to that one, that one included, looks at the column, and nobody counts it. It is proved on all contacts, also
where several later rules only together overwrite it on all of them.

## Why it matters

Whoever reads the rule believes that the value is there afterwards. It never is. Either the order is wrong, or the
action can go.

## Example

    - name: many attempts
      executionOrder: 1
      conditions: [{attribute: attempts, operator: greaterThan, value: 5, type: number}]
      actions: [{type: setAttribute, attribute: offer, value: none}]
    - name: everybody gets the spring offer
      executionOrder: 2
      conditions: [{attribute: attempts, operator: greaterThanOrEqual, value: 0, type: number}]
      actions: [{type: setAttribute, attribute: offer, value: spring}]

## Instead

Delete the action, or run its rule after the one that overwrites it (and declare `overrides` there):

    - name: many attempts
      executionOrder: 3
      overrides: [everybody gets the spring offer]

## Options

`budget` (default 20000): runs that are spent on one action; the whole check spends ten times as many. What cannot be
decided within them is DP901.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown, acted, require
from dialproof.analysis.exchange import where_without, within
from dialproof.analysis.order import column_of, counts
from dialproof.analysis.pairs import bits
from dialproof.analysis.witness import shown_by
from dialproof.cel.values import Variable
from dialproof.checks.base import Check
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Action
    from dialproof.outcome import Outcome

__all__ = ["CHECK"]

_NAMED = 5
"""Overwriting rules that one finding names."""


def _run(ctx: CheckContext) -> Iterator[Finding]:
    budget = ctx.budget()
    for category in ("preCall", "wrapUp"):
        runs = ctx.analysis.runs(category)
        writes = list(_overwritten(runs))
        candidates = [0] * len(runs.rules)
        for index, _, over in writes:
            candidates[index] |= over
        inside = within(runs, candidates)
        for index, action, over in writes:
            sure = inside[index] & over & _undisturbed(runs, index)
            acts: Answer = runs.acts(index, budget.question())
            spared = acts if isinstance(acts, Unknown) else Nowhere()
            if isinstance(acts, Found) and not sure:
                spared = where_without(runs, index, tuple(bits(over)), budget.question())
            if isinstance(spared, Unknown):
                ctx.analysis.leave_open("DP508", (runs.rules[index],), spared)
            elif isinstance(acts, Found) and isinstance(spared, Nowhere):
                yield _finding(ctx, runs, index, action, list(bits(sure & -sure or over)), acts)


def _overwritten(runs: Runs) -> Iterator[tuple[int, Action, int]]:
    """Yield the actions that later rules overwrite on a common contact before anybody reads, with those rules."""
    readers, writers = _readers(runs), _writers(runs)
    for index, rule in enumerate(runs.rules):
        things = [_thing(action) for action in rule.actions]
        for action, thing in zip(rule.actions, things, strict=True):
            over = 0
            for fields, found in writers.get(thing, {}).items():
                over |= found if _fields(action) <= fields else 0
            over = over >> index + 1 << index + 1
            if not over or runs.ends[index] or things.count(thing) > 1:
                continue
            if action.type == "setAttribute":
                read = readers.get(column_of(action), 0) >> index + 1
                over &= (1 << index + (read & -read).bit_length()) - 1 if read else -1
            over = over and over & runs.overlapping[index]
            if over:
                yield index, action, over


def _thing(action: Action) -> Hashable:
    kind = action_types()[action.type]
    return (action.type, *(action.fields.get(k) for k in kind.key)) if kind.compares else None


def _fields(action: Action) -> frozenset[str]:
    """Return the fields of a write that each may be given or left alone."""
    return frozenset() if action.type == "setAttribute" else frozenset(k for k, v in action.fields.items() if v)


def _writers(runs: Runs) -> dict[Hashable, dict[frozenset[str], int]]:
    """Return for each thing the rules (a bitset) that overwrite it, by the fields that they give."""
    found: dict[Hashable, dict[frozenset[str], int]] = {}
    for index, rule in enumerate(runs.rules):
        for action in rule.actions:
            thing = _thing(action)
            if thing is not None and not counts(action):
                forms = found.setdefault(thing, {})
                forms[_fields(action)] = forms.get(_fields(action), 0) | 1 << index
    return found


def _readers(runs: Runs) -> dict[Variable, int]:
    """Return for each column the rules (a bitset) that read it: in conditions, by counting, or in a field."""
    found: dict[Variable, int] = {}
    for index, rule in enumerate(runs.rules):
        read = runs.counts[index] | (runs.reads[index] if runs.updated else frozenset())
        for action in rule.actions:
            read |= {Variable("contact", name) for name in _mentioned(action)}
        for variable in read:
            found[variable] = found.get(variable, 0) | 1 << index
    return found


def _mentioned(action: Action) -> Iterator[str]:
    """Yield the columns whose values an action sends: ``contact.COLUMN`` in one of its fields."""
    given = action.fields.get("fields")
    for value in (*action.fields.values(), *(given.values() if isinstance(given, dict) else ())):
        if isinstance(value, str) and value.startswith("contact."):
            yield value.removeprefix("contact.")


def _undisturbed(runs: Runs, index: int) -> int:
    """Return the later rules (a bitset) that act wherever this one does, if their conditions hold there."""
    if runs.written >> index & 1:
        return 0
    breaking = runs.enders | sum(1 << i for i, fails in enumerate(runs.may_fail) if fails)
    behind = (breaking & runs.overlapping[index]) >> index + 1
    return ~runs.written & ((2 << index + (behind & -behind).bit_length()) - 1 if behind else -1)


def _finding(ctx: CheckContext, runs: Runs, index: int, action: Action, over: list[int], found: Found) -> Finding:
    rule, others = runs.rules[index], [runs.rules[i] for i in over]
    names = [f'"{other.name}"' for other in others[:_NAMED]] + ["others"] * (len(others) > _NAMED)

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        written = runs.run(scene)
        names = acted(written)
        shown = rule.name in names and any(other.name in names for other in others)
        require(shown, "the witness does not show the overwritten action")
        return written, runs.run(scene, without=[rule])

    return ctx.finding(
        rule.path,
        action.span,
        f'{ctx.wording.action(action)} of "{rule.name}" is always overwritten by {" or ".join(names)}',
        details="\n".join(
            f'later rule "{other.name}": {other.path}:{other.name_span.line}' for other in others[:_NAMED]
        ),
        rules=(rule.name, *(other.name for other in others)),
        witness=shown_by(lambda: found.scene, outcomes, ("as written", f'without "{rule.name}"')),
        fix=f'delete the action, or run "{rule.name}" after what overwrites it',
    )


CHECK = Check(
    code="DP508",
    name="dead-write",
    severity="info",
    family="actions",
    run=_run,
    doc=__doc__ or "",
    options={"budget": BUDGET},
)
