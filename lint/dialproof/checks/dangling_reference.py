"""A list, skill, wrap-up code or data action that nobody knows.

## What it does

Looks up every logical id that a rule names in `[tool.dialproof.inventory]` and in the ids of every configured
environment: lists (`setList`), skills (`setSkills`), wrap-up codes (values compared with `call.wrapUpCode` or
`lastWrapUp.*`) and data actions (`dataAction`, `data.ACTION.FIELD`). For a kind of id that neither an inventory nor an
environment lists, it is silent; the last line of `dialproof lint` says so.

## Why it matters

Ids are resolved at the deploy. One that an environment does not have stops it there, after the tests were green; one
that the platform accepts but nobody ever fills sends contacts to a list without agents.

## Example

    [tool.dialproof.inventory]
    lists = ["premium_agent_list_id"]

    actions:
      - {type: setList, listId: premium_agents_list_id}

## Instead

    actions:
      - {type: setList, listId: premium_agent_list_id}

## Options

None.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.model.ids import ACTION_IDS, compares_wrap_up_codes
from dialproof.model.rules import Condition, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dialproof.checks.base import CheckContext
    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.source.positions import Span

__all__ = ["CHECK", "KINDS", "unlisted_kinds"]

KINDS = {"lists": "list", "skills": "skill", "wrapUpCodes": "wrap-up code", "dataActions": "data action"}
"""Kind of id, as in the configuration -> what one of them is called."""


def run(context: CheckContext) -> Iterator[Finding]:
    """Report each id once for each place and each source that lacks it."""
    config = context.project.config
    for rule in context.campaign.rules:
        for kind, name, span in _references(rule):
            for source, known in _sources(config, kind):
                if name in known:
                    continue
                near = get_close_matches(name, known, 1, 0.7)
                yield context.finding(
                    rule.path,
                    span,
                    f"{KINDS[kind]} {name} is not in {source}" + (f"; did you mean {near[0]}?" if near else ""),
                    rules=(rule.name,),
                    fix=f"write {near[0]}, or add {name} to {source}" if near else f"add {name} to {source}",
                )


def unlisted_kinds(config: Config, rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the kinds of ids that rules refer to and that nothing lists, so that none of them can be looked up."""
    used = {kind for rule in rules for kind, _, _ in _references(rule)}
    return tuple(kind for kind in KINDS if kind in used and not any(_sources(config, kind)))


def _sources(config: Config, kind: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (its name in messages, ids) of each place where the ids of this kind are listed."""
    if kind in config.inventory:
        yield f"inventory.{kind}", config.inventory[kind]
    for environment in config.environments.values():
        if kind in environment.ids:
            yield f"environments.{environment.name}.ids.{kind}", tuple(environment.ids[kind])


def _references(rule: Rule) -> Iterator[tuple[str, str, Span]]:
    for leaf in leaves(rule.conditions):
        if not isinstance(leaf, Condition) or leaf.source != "context":
            continue
        if leaf.subject.startswith("data."):
            yield "dataActions", leaf.subject.split(".")[1], leaf.subject_span
        elif compares_wrap_up_codes(leaf):
            values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
            for value in values:
                if isinstance(value, str) and value:
                    yield "wrapUpCodes", value, leaf.value_span
    for action in rule.actions:
        for name, held in action.fields.items():
            if kind := ACTION_IDS.get((action.type, name)):
                yield from ((kind, str(one), action.span) for one in (held if isinstance(held, tuple) else (held,)))


CHECK = Check(
    code="DP106",
    name="dangling-reference",
    severity="error",
    family="conditions",
    run=run,
    doc=__doc__ or "",
)
