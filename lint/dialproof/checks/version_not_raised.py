"""A rule says something else than at the base, under the same version.

## What it does

Looks at changes since a base: `dialproof lint --since REV`, `--dialproof-since=REV` under pytest, or `base` of the
configuration. A rule is reported whose content has changed while its `version` is not higher than there. Content is
what the rule itself says: `conditions` or `when`, `actions`, `priority`, `enabled` and `category`. Its name, its
description and other notes are none; and neither is `executionOrder`, because making room for one rule moves others
that nobody has touched. Comments, layout and spellings of an operator change nothing.

A rule is found at the base by its name, or as the one that it was `renamedFrom`.

## Why it matters

`version` is how a person tells which rule was in force on a day, from an audit record or a ticket. Two rules under one
version cannot be told apart.

## Example

    - name: too many attempts
      version: 3
      conditions:
        - {attribute: attempts, operator: greaterThan, value: 12}

where the value was 10 at the base, under version 3 as well.

## Instead

    - name: too many attempts
      version: 4

`dialproof lint --fix --since REV` raises it.

## Options

None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dialproof.analysis.difference import content_of
from dialproof.base import counterparts
from dialproof.checks.base import Check
from dialproof.checks.change import was_at
from dialproof.findings import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule

__all__ = ["CHECK"]

_KEY = re.compile(r"""(?:version|"version"|'version')\s*:\s*""")


def _run(ctx: CheckContext) -> Iterator[Finding]:
    for campaign in ctx.before():
        became = counterparts(campaign.rules, ctx.campaign.rules)
        for old in {rule.name: rule for rule in reversed(campaign.rules)}.values():
            now = became.get(old.name)
            changed = [] if now is None or now.version > old.version else _changes(old, now)
            if now is None or not changed:
                continue
            what = changed[0] if len(changed) == 1 else f"{', '.join(changed[:-1])} and {changed[-1]}"
            how = "is still" if now.version == old.version else "has gone back to"
            yield ctx.finding(
                now.path,
                now.spans["version"],
                f'{what} of rule "{now.name}" changed, and its version {how} {now.version}',
                details=was_at(ctx, old),
                rules=(now.name,),
                fix=f"raise the version to {old.version + 1}",
                edits=_edits(ctx, now, old.version + 1),
            )


def _changes(old: Rule, now: Rule) -> list[str]:
    """Return the keys of a rule that say something else now."""
    (conditions, actions), (conditions_now, actions_now) = content_of(old), content_of(now)
    pairs = {
        "conditions": (conditions, conditions_now),
        "actions": (actions, actions_now),
        "priority": (old.priority, now.priority),
        "enabled": (old.enabled, now.enabled),
        "category": (old.category, now.category),
    }
    return [key for key, (before, after) in pairs.items() if before != after]


def _edits(ctx: CheckContext, rule: Rule, version: int) -> tuple[Edit, ...]:
    """Return the edit that raises the version; none where the value stands elsewhere, as that of an alias does."""
    span = rule.spans["version"]
    source = next(file.source for file in ctx.campaign.files if file.path == rule.path)
    line = re.split(r"\r\n|\n|\r", source.text)[span.line - 1]
    before, written = line[: span.column - 1], line[span.column - 1 : span.end_column - 1]
    inside = rule.span.line <= span.line <= rule.span.end_line and span.line == span.end_line
    if not (inside and written.strip("\"'").isdigit() and re.search(f"{_KEY.pattern}$", before)):
        return ()
    return (Edit(rule.path, span, str(version)),)


CHECK = Check(
    code="DP803",
    name="version-not-raised",
    severity="error",
    family="changes",
    run=_run,
    doc=__doc__ or "",
)
