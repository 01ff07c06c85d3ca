"""What the platform's own diagnostics of a campaign would warn of: columns, wrap-up codes, DNC lists, preview.

## What it does

The platform tells of four mistakes once a rule set is attached to a campaign; this check tells of them before:

- a column that the contact list does not have, where DP105 does not look: `contact.COLUMN` in `setCallerId` and
  `dataAction`, and the column of `lastAttempt.byColumn.COLUMN` and `lastWrapUp.byColumn.COLUMN` (an error);
- a wrap-up code that the campaign's queue does not have: nobody can ever choose it (a warning);
- `appendToDnc` in a campaign without a DNC list of that kind (an error);
- a condition on `phone.number` or `phone.type` in a preview campaign with several phone columns, where it is not known
  which number is dialed (a warning).

The contact list is known. What only the campaign knows is an option; where it is not given the check is silent, and the
last lines of `dialproof lint` say so. It looks only for targets on the platform (`rulesets`).

## Why it matters

The platform takes such a rule and warns where few people look. The rule then never matches, or its action does nothing.

## Example

    [tool.dialproof.checks.DP706.campaigns.cmp_123]
    wrapUpCodes = ["SALE", "NO_ANSWER"]

    conditions: [{context: call.wrapUpCode, operator: equals, value: SOLD}]

## Instead

    conditions: [{context: call.wrapUpCode, operator: equals, value: SALE}]

## Options

`campaigns` (default: empty): what is known of each campaign, by its id, all of it optional:

    [tool.dialproof.checks.DP706.campaigns.cmp_123]
    wrapUpCodes = ["SALE", "NO_ANSWER"]    # the wrap-up codes of its queue
    dncLists = ["numbers", "custom"]       # the kinds of DNC lists that it has
    preview = true                         # whether agents see contacts before they are dialed
    phoneColumns = 2                       # default: the columns of the contact list that are marked `phone`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.checks.base import Check
from dialproof.errors import UsageError
from dialproof.model.rules import Condition, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dialproof.checks.base import CheckContext
    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign
    from dialproof.source.positions import Span

__all__ = ["CHECK", "unknown_facts"]

_CODE = "DP706"
_BY_COLUMN = ("lastAttempt.byColumn.", "lastWrapUp.byColumn.")
_CODES = ("call.wrapUpCode", "lastWrapUp.")


def _run(ctx: CheckContext) -> Iterator[Finding]:
    if not any(target.platform for target in ctx.targets):
        return
    facts = _facts(ctx.project.config, ctx.campaign)
    for rule in ctx.campaign.rules:
        yield from _columns(ctx, rule)
        yield from _codes(ctx, rule, facts)
        yield from _lists(ctx, rule, facts)
        yield from _phones(ctx, rule, facts)


def unknown_facts(config: Config, campaigns: Iterable[Campaign]) -> Iterator[str]:
    """Yield a sentence for each campaign with rules that depend on what nothing says of the campaign."""
    from dialproof.targets.registry import targets_of

    if not any(target.platform for target in targets_of(config)):
        return
    for campaign in campaigns:
        facts = _facts(config, campaign)
        asked = {
            "wrapUpCodes": any(True for rule in campaign.rules for _ in _compared_codes(rule)),
            "dncLists": any(a.type == "appendToDnc" for rule in campaign.rules for a in rule.actions),
            "preview": any(True for rule in campaign.rules for _ in _on_phones(rule)),
        }
        unknown = [name for name, used in asked.items() if used and name not in facts]
        if unknown:
            yield f"{_CODE} does not know {', '.join(unknown)} of campaign {campaign.id} (checks.{_CODE}.campaigns)"


def _columns(ctx: CheckContext, rule: Rule) -> Iterator[Finding]:
    columns = ctx.campaign.contact_list
    if not columns.declared:
        return
    known = {*columns.columns, *(column.remote for column in columns.columns.values())}
    for name, span in _named(rule):
        if name not in known:
            yield ctx.finding(
                rule.path,
                span,
                f"column {name} is not in the contact list {columns.path}",
                rules=(rule.name,),
                fix=f"write a column that there is, or add {name} to the contact list",
            )


def _named(rule: Rule) -> Iterator[tuple[str, Span]]:
    """Yield the columns that DP105 does not look at."""
    for leaf in leaves(rule.conditions):
        if isinstance(leaf, Condition) and leaf.source == "context":
            for beginning in _BY_COLUMN:
                if leaf.subject.startswith(beginning):
                    yield leaf.subject.removeprefix(beginning), leaf.subject_span
    for action in rule.actions:
        values: list[object] = [action.fields.get(k) for k in ("callerAddress", "callerName")]
        fields: Any = action.fields.get("fields") or {}
        for value in (*values, *(fields.values() if action.type == "dataAction" else ())):
            if isinstance(value, str) and value.startswith("contact."):
                yield value.removeprefix("contact."), action.span


def _codes(ctx: CheckContext, rule: Rule, facts: Mapping[str, Any]) -> Iterator[Finding]:
    for code, span in _compared_codes(rule) if "wrapUpCodes" in facts else ():
        if code not in facts["wrapUpCodes"]:
            yield ctx.finding(
                rule.path,
                span,
                f"the queue of campaign {ctx.campaign.id} has no wrap-up code {code}",
                rules=(rule.name,),
                fix="write a code of the queue, or add this one to it",
                severity="warning",
            )


def _compared_codes(rule: Rule) -> Iterator[tuple[str, Span]]:
    for leaf in leaves(rule.conditions):
        if not isinstance(leaf, Condition) or leaf.source != "context" or not leaf.subject.startswith(_CODES):
            continue
        if leaf.operator in ("equals", "notEquals", "in", "notIn"):
            for value in leaf.value if isinstance(leaf.value, tuple) else (leaf.value,):
                if isinstance(value, str) and value:
                    yield value, leaf.value_span


def _lists(ctx: CheckContext, rule: Rule, facts: Mapping[str, Any]) -> Iterator[Finding]:
    for action in rule.actions if "dncLists" in facts else ():
        kind = action.fields.get("list", "numbers")
        if action.type == "appendToDnc" and kind not in facts["dncLists"]:
            yield ctx.finding(
                rule.path,
                action.span,
                f"campaign {ctx.campaign.id} has no DNC list of {kind} entries to append to"
                if kind == "custom"
                else f"campaign {ctx.campaign.id} has no DNC list of numbers to append to",
                rules=(rule.name,),
                fix="attach a DNC list to the campaign, or remove the action",
            )


def _phones(ctx: CheckContext, rule: Rule, facts: Mapping[str, Any]) -> Iterator[Finding]:
    marked = sum(column.phone for column in ctx.campaign.contact_list.columns.values())
    count = facts.get("phoneColumns", marked)
    for condition in _on_phones(rule) if facts.get("preview") and count > 1 else ():
        yield ctx.finding(
            rule.path,
            condition.subject_span,
            f"campaign {ctx.campaign.id} previews contacts of {count} phone columns: {condition.subject} is not known "
            "before the agent dials",
            rules=(rule.name,),
            fix="look at a column of the contact instead",
            severity="warning",
        )


def _on_phones(rule: Rule) -> Iterator[Condition]:
    for leaf in leaves(rule.conditions):
        if isinstance(leaf, Condition) and leaf.source == "context" and leaf.subject.startswith("phone."):
            yield leaf


def _facts(config: Config, campaign: Campaign) -> Mapping[str, Any]:
    """Return what the option says of a campaign; raises ``UsageError`` for what it cannot say."""
    given: Any = config.checks.get(_CODE, {}).get("campaigns", {})
    errors = [error for name, facts in given.items() for error in _wrong(f"checks.{_CODE}.campaigns.{name}", facts)]
    if errors:
        raise UsageError("\n".join(errors))
    return next((given[i] for i in campaign.ids if i in given), {})


def _wrong(where: str, facts: Any) -> Sequence[str]:
    if not isinstance(facts, dict):
        return [f"{where}: expected a table"]
    errors = []
    for key, value in facts.items():
        if key in ("wrapUpCodes", "dncLists"):
            fits = isinstance(value, list) and all(isinstance(v, str) for v in value)
            if not fits or (key == "dncLists" and not set(value) <= {"numbers", "custom"}):
                what = "a list of texts" if key == "wrapUpCodes" else 'a list of "numbers" and "custom"'
                errors.append(f"{where}.{key}: expected {what}")
        elif key == "preview":
            errors += [] if isinstance(value, bool) else [f"{where}.{key}: expected true or false"]
        elif key == "phoneColumns":
            whole = isinstance(value, int) and not isinstance(value, bool)
            errors += [] if whole and value >= 0 else [f"{where}.{key}: expected a whole number"]
        else:
            errors.append(f"{where}: there is no {key!r}; there are wrapUpCodes, dncLists, preview, phoneColumns")
    return errors


CHECK = Check(
    code=_CODE,
    name="platform-diagnostic",
    severity="error",
    family="target",
    run=_run,
    doc=__doc__ or "",
    options={"campaigns": {}},
)
