"""The text of a failed case: the contact, a table of conditions for the rules that differ, and the diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof.model.rules import When
from dialproof.output.masking import MASK, PERSONAL_CONTEXT, mask_contact, personal_columns
from dialproof.output.report import printable
from dialproof.output.witness import flat, value_text
from pytest_dialproof.masking import cel_text, is_personal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.compare import Difference
    from dialproof.outcome import Leaf, Outcome, RuleTrace
    from pytest_dialproof.case_item import CaseItem

__all__ = ["explain"]

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
    lines += _circumstances(item, options)
    rules = list(dict.fromkeys(rule for difference in found for rule in difference.rules))
    by_name = {trace.rule: trace for trace in traces}
    for name in rules[:_RULES_SHOWN]:
        lines += ["", *_rule(item, name, by_name.get(name), outcome)]
    if len(rules) > _RULES_SHOWN:
        lines += ["", f"and {len(rules) - _RULES_SHOWN} more rules"]
    lines.append("")
    for difference in found:
        if difference.expected or difference.got:
            lines += [f"- {difference.key}: {line}" for line in difference.expected]
            lines += [f"+ {difference.key}: {line}" for line in difference.got]
        else:
            lines.append(f"! {difference.summary}")
    return "\n".join(printable(line).rstrip() for line in lines)


def _circumstances(item: CaseItem, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the contact and what surrounds the call, one value a line."""
    names = personal_columns(item.campaign.contact_list)
    rows = [*flat(mask_contact(item.case.contact, names))]
    context = mask_contact(item.case.context, PERSONAL_CONTEXT)
    rows += [(f"context {name}", value) for name, value in flat(context)]
    texts = [(name, value_text(value)) for name, value in rows]
    if item.case.now or item.contacts.now:
        zone = f" ({options['time_zone']})" if options["time_zone"] else ""
        texts.append(("now", f"{options['now']}{zone}"))
    if not texts:
        yield "  (no columns)"
    width = max((len(name) for name, _ in texts), default=0)
    for name, text in texts:
        yield f"  {name:<{width}}  {text}"


def _rule(item: CaseItem, name: str, trace: RuleTrace | None, outcome: Outcome) -> Iterator[str]:
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
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    for row in rows:
        yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))


def _wanted(item: CaseItem, leaf: Leaf) -> str:
    """Return what a condition wants; what it wants of a personal column is personal."""
    columns, condition = item.campaign.contact_list, leaf.condition
    if isinstance(condition, When):
        return cel_text(leaf.wanted, item.place.evaluator(item.campaign).leaf(condition).reads, columns)
    blank = condition.value is None or condition.value == ""
    return leaf.wanted if blank or not is_personal(condition.source, condition.subject, columns) else MASK
