"""The text of a failed case: the contact, a table of conditions for the rules that differ, and the diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from dialproof.model.rules import When
from dialproof.output.masking import MASK, PERSONAL_CONTEXT, is_personal, mask_contact, personal_columns
from dialproof.output.report import printable
from dialproof.output.witness import flat, value_text
from pytest_dialproof.masking import cel_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.compare import Difference
    from dialproof.outcome import Leaf, Outcome, RuleTrace
    from pytest_dialproof.case_item import CaseItem
    from pytest_dialproof.timeline_item import TimelineItem

    Item: TypeAlias = CaseItem | TimelineItem

__all__ = ["columns", "contact_lines", "diff_lines", "explain", "rule_lines"]

_RULES_SHOWN = 5
_HEADER = ("attribute", "operator", "wanted", "actual", "verdict")
_VERDICTS = {True: "true", False: "false", None: "undecided"}


def explain(
    item: CaseItem,
    options: Mapping[str, Any],
    outcome: Outcome,
    found: Sequence[Difference],
    traces: Sequence[RuleTrace],
) -> str:
    """Return the text above the last line; its first line is a sentence, and personal values are masked."""
    lines = [f"Case {item.case.name!r} of campaign {item.campaign.id} is not as expected.", ""]
    zone = f" ({options['time_zone']})" if options["time_zone"] else ""
    clock = [("now", f"{options['now']}{zone}")] if item.case.now or item.contacts.now else []
    lines += contact_lines(item, item.case.contact, item.case.context, clock)
    lines += rule_lines(item, found, traces, outcome)
    lines += ["", *diff_lines(found)]
    return "\n".join(printable(line).rstrip() for line in lines)


def contact_lines(
    item: Item, contact: Mapping[str, Any], context: Mapping[str, Any], more: Sequence[tuple[str, str]] = ()
) -> Iterator[str]:
    """Yield the contact and what surrounds the call, one value a line, personal values masked."""
    names = personal_columns(item.campaign.contact_list)
    rows = [*flat(mask_contact(contact, names))]
    rows += [(f"context {name}", value) for name, value in flat(mask_contact(context, PERSONAL_CONTEXT))]
    texts = [*((name, value_text(value)) for name, value in rows), *more]
    if not texts:
        yield "  (no columns)"
    yield from (f"  {line}" for line in columns(texts))


def rule_lines(item: Item, found: Sequence[Difference], traces: Sequence[RuleTrace], outcome: Outcome) -> Iterator[str]:
    """Yield for the rules that decide what is not as expected what became of them, with their conditions."""
    rules = list(dict.fromkeys(rule for difference in found for rule in difference.rules))
    by_name = {trace.rule: trace for trace in traces}
    for name in rules[:_RULES_SHOWN]:
        yield ""
        yield from _rule(item, name, by_name.get(name), outcome)
    if len(rules) > _RULES_SHOWN:
        yield ""
        yield f"and {len(rules) - _RULES_SHOWN} more rules"


def diff_lines(found: Sequence[Difference]) -> Iterator[str]:
    """Yield what is expected and what is there instead."""
    for difference in found:
        if difference.expected or difference.got:
            yield from (f"- {difference.key}: {line}" for line in difference.expected)
            yield from (f"+ {difference.key}: {line}" for line in difference.got)
        else:
            yield f"! {difference.summary}"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows as a table."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _rule(item: Item, name: str, trace: RuleTrace | None, outcome: Outcome) -> Iterator[str]:
    """Yield what became of a rule, and its conditions as a table."""
    rule = next((rule for rule in item.campaign.rules if rule.name == name), None)
    if rule is None:
        return
    where = f"({item.place.shown(rule.path)}:{rule.span.line})"
    if trace is None:
        why = "is disabled" if not rule.enabled else f"is a {rule.category} rule and was not run"
        yield f"rule {name} {why} {where}"
        return
    if trace.skipped:
        yield f"rule {name} was not reached, the run ended before it {where}"
        return
    became = "matched" if name in outcome.matched else "could not be decided"
    yield f"rule {name} {became if trace.verdict is not False else 'did not match'} {where}"
    rows = [_HEADER]
    for leaf in trace.leaves:
        wanted = _wanted(item, leaf)
        wanted = wanted if len(wanted) <= 60 else f"{wanted[:57]}..."
        rows.append((leaf.subject, leaf.operator, wanted, leaf.actual, _VERDICTS[leaf.verdict]))
    yield from (f"  {line}" for line in columns(rows))


def _wanted(item: Item, leaf: Leaf) -> str:
    """Return what a condition wants; what it wants of a personal column is personal."""
    columns, condition = item.campaign.contact_list, leaf.condition
    if isinstance(condition, When):
        return cel_text(leaf.wanted, item.place.evaluator(item.campaign).leaf(condition).reads, columns)
    blank = condition.value is None or condition.value == ""
    return (
        leaf.wanted
        if blank or not is_personal(condition.source, condition.subject, personal_columns(columns))
        else MASK
    )
