"""Plans for people and programs: text, JSON, and Markdown for a comment on a pull request.

No format shows the value of a personal column, or anything else that ``redact`` knows; names of rules are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from dialproof.output.markdown import code_span
from dialproof.output.report import count, printable
from dialproof_deploy.markdown import text_block
from dialproof_deploy.plan.dialing import refusal_of, widening_of
from dialproof_deploy.plan.personal import hidden
from dialproof_deploy.plan.plan import Action
from dialproof_deploy.redact import redact, scrub
from dialproof_deploy.targets.wire import FieldDifference, shown_differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof_deploy.plan.dialing import Dialing
    from dialproof_deploy.plan.plan import Plan, Step

__all__ = ["FORMATS", "plan_text", "render"]

FORMATS = {
    "text": "for people: one line a write, its fields below",
    "json": "for programs: every write with its fields",
    "markdown": "for a comment on a pull request",
}
"""Format -> what it is for."""

_SIGNS: Mapping[Action, str] = {"create": "+", "update": "~", "shift": ">", "delete": "-", "attach": "*"}
_LONGEST_COMMENT = 60_000  # characters: GitHub takes 65,536
_LONGEST_VALUE = 200


def render(name: str, environment: str, plans: Sequence[Plan], what: str = "deploy") -> str:
    """Return the plans of a deploy (or what else) in the format called ``name``, ending in a newline."""
    if name == "json":
        return json.dumps(_data(environment, plans), indent=2, ensure_ascii=False) + "\n"
    if name == "markdown":
        return _markdown(environment, plans)
    return "".join([*map(plan_text, plans), f"{_summary(environment, plans, what)}\n"])


def plan_text(plan: Plan) -> str:
    """Return one campaign's plan as text: one line a write in its order, unchanged rules counted."""
    if not plan.steps and not plan.refusals:
        lines = [f"{_heading(plan)}: no changes, {count(len(plan.unchanged), 'rule')} unchanged"]
        return "\n".join([*lines, *(f"Note: {redact(note)}" for note in plan.all_notes)]) + "\n"
    lines = [f"{_heading(plan)}: {_counts(plan.steps) or 'no changes'}"]
    for step in plan.steps:
        lines += _step_lines(step, plan)
    if plan.unchanged:
        lines.append(f"  = {len(plan.unchanged)} unchanged")
    if plan.kept:
        lines.append(f"  = {len(plan.kept)} kept: {', '.join(map(repr, plan.kept))}")
    lines += [f"  used by {use}" for use in _uses(plan)]
    if plan.dialing:
        lines += [f"Dialing: {redact(sentence)}" for sentence in plan.dialing.sentences]
    lines += [f"Note: {redact(note)}" for note in plan.all_notes]
    lines += [f"Refused: {redact(refusal)}" for refusal in plan.refusals]
    return "\n".join(lines) + "\n"


def _heading(plan: Plan) -> str:
    return f"{plan.holder.capitalize()} {_campaign(plan)}"


def _campaign(plan: Plan) -> str:
    """Name the campaign as the files do, with its id on the target where that is another.

    A rule set is named with the campaigns of the files that use it.
    """
    if plan.holder == "rule set":
        return printable(f"{plan.campaign} ({plan.logical})" if plan.logical else plan.campaign)
    named = plan.logical or plan.campaign
    return printable(named if named == plan.campaign else f"{named} ({plan.campaign})")


def _uses(plan: Plan) -> list[str]:
    """Name every campaign on the target that uses the rule set, with its status."""
    used = (document for document in plan.remote if plan.holder == "rule set" and document.get("ruleSet"))
    return [
        printable(
            f"campaign {document['name']!r} ({document.get('campaignStatus') or 'status unknown'})"
            + ("" if document.get("ours", True) else ", which is not of these files")
        )
        for document in used
    ]


def _counts(steps: Sequence[Step]) -> str:
    actions = Counter(step.action for step in steps)
    return ", ".join(f"{actions[action]} {action}" for action in get_args(Action) if actions[action])


def _summary(environment: str, plans: Sequence[Plan], what: str = "deploy") -> str:
    """Return one sentence on all campaigns."""
    writes = sum(len(plan.steps) for plan in plans)
    touched = [_campaign(plan) for plan in plans if plan.steps]
    changes = f"{count(writes, 'write')} to {', '.join(touched)}" if writes else "no changes"
    rest = len(plans) - len(touched)
    left = f"; {count(rest, plans[0].holder)} without changes" if writes and rest else ""
    asks = refusal_of(plans, None, environment)
    needed = f"; a {what} needs --confirm-widening {widening_of(plans)}" if asks else ""
    refused = "; it cannot be applied" if any(plan.refusals for plan in plans) else needed
    return f"Plan for environment {environment}: {changes}{left}{refused}"


def _changes(step: Step, plan: Plan) -> tuple[FieldDifference, ...]:
    """Return what a write changes field by field, without personal values."""
    if step.before is None or step.after is None:
        return ()
    return shown_differences(step.before, step.after, plan.personal)


def _step_lines(step: Step, plan: Plan) -> list[str]:
    sign = _SIGNS[step.action]
    if step.action == "shift":
        return [f"  {sign} shift rule {step.rule!r}: {_moved(step)}"]
    lines = [f"  {sign} {step.action} {'to ' if step.action == 'attach' else ''}{step.kind} {step.rule!r}"]
    if step.parts:
        return lines + [f"  {line}" for part in step.parts for line in _step_lines(part, plan)]
    if step.action == "create" and step.after and step.kind == "rule":
        lines[0] += f" ({_order(step.after)})"
    return lines + [f"      {redact(str(change))}" for change in _changes(step, plan)]


def _moved(step: Step) -> str:
    was, will = ((rule or {}).get("executionOrder") for rule in (step.before, step.after))
    return f"executionOrder {was} → {will}, so that others can pass"


def _order(rule: Mapping[str, Any]) -> str:
    """Return the place of a rule, by the name that it has on its target."""
    return next((f"{key} {rule[key]}" for key in ("executionOrder", "order") if key in rule), "")


# JSON


def _data(environment: str, plans: Sequence[Plan]) -> dict[str, Any]:
    return {
        "environment": environment,
        "writes": sum(len(plan.steps) for plan in plans),
        "confirm_widening": widening_of(plans) if refusal_of(plans, None, environment) else None,
        "refused": any(plan.refusals for plan in plans),
        "campaigns": [
            {
                "campaign": plan.logical or plan.campaign,
                "remote_id": plan.campaign,
                "holder": plan.holder,
                "used_by": _uses(plan),
                "digest": plan.digest,
                "steps": [_step_data(step, plan) for step in plan.steps],
                "unchanged": list(plan.unchanged),
                "kept": list(plan.kept),
                "dialing": scrub(_dialing_data(plan.dialing)) if plan.dialing else None,
                "notes": scrub(plan.all_notes),
                "refusals": scrub(plan.refusals),
            }
            for plan in plans
        ],
    }


def _dialing_data(dialing: Dialing) -> dict[str, Any]:
    return {
        "contacts": dialing.looked_at,
        "source": dialing.source,
        "more": dialing.more,
        "fewer": dialing.fewer,
        "example": dialing.example or None,
        "undecided": dialing.open or None,
        "running": list(dialing.running),
        "status_known": dialing.told,
    }


def _step_data(step: Step, plan: Plan) -> dict[str, Any]:
    before, after = (None if r is None else scrub(hidden(r, plan.personal)) for r in (step.before, step.after))
    return {
        "action": step.action,
        "rule": step.rule,
        "rule_id": step.rule_id,
        "differences": [
            {"field": change.field, "before": scrub(change.before), "after": scrub(change.after)}
            for change in _changes(step, plan)
        ],
        "before": before,
        "after": after,
        "parts": [_step_data(part, plan) for part in step.parts],
    }


# Markdown


def _markdown(environment: str, plans: Sequence[Plan]) -> str:
    """Return a comment; the tables that would make it too long for GitHub are left out, and it says so."""
    head = f"### dialproof plan\n\n{code_span(_summary(environment, plans))}\n"
    parts, length = [head], len(head)
    for plan in plans:
        part = _section(plan, table=True)
        if length + len(part) > _LONGEST_COMMENT:
            part = _section(plan, table=False)
        if length + len(part) > _LONGEST_COMMENT:
            parts.append("\nThe other campaigns are left out: the plan is too long for a comment.\n")
            break
        parts.append(part)
        length += len(part)
    return "".join(parts)


def _section(plan: Plan, *, table: bool) -> str:
    lines = [
        "",
        f"#### {plan.holder.capitalize()} {code_span(_campaign(plan))}",
        "",
        f"{_counts(plan.steps) or 'No changes'}, ",
    ]
    lines[-1] += f"{len(plan.unchanged)} unchanged"
    if plan.kept:
        lines[-1] += f", {len(plan.kept)} kept: {', '.join(map(code_span, plan.kept))}"
    if plan.steps and table:
        lines += ["", "| | rule | what changes |", "|---|---|---|"]
        lines += [
            f"| {_SIGNS[step.action]} {step.action} | {code_span(step.rule)} | {'<br>'.join(_cells(step, plan))} |"
            for write in plan.steps
            for step in (write, *write.parts)
        ]
    elif plan.steps:
        lines += ["", "The table of its writes is left out: it is too long for a comment."]
    if uses := _uses(plan):
        lines += ["", f"Used by {', '.join(map(code_span, uses))}"]
    dialing = plan.dialing.sentences if plan.dialing else ()
    for title, sentences in (("Refused", plan.refusals), ("Who is dialed", dialing), ("Note", plan.all_notes)):
        if sentences:
            lines += ["", f"**{title}**", "", *text_block(sentences)]
    return "\n".join(lines) + "\n"


def _cells(step: Step, plan: Plan) -> Iterator[str]:
    """Yield what a write changes; of a rule that comes or goes, what it asks for and does."""
    if step.action == "shift":
        yield _moved(step)
        return
    if step.parts:
        yield f"{count(len(step.parts), 'rule')}, in one write"
        return
    for change in _changes(step, plan):
        before, after = (code_span(redact(_value(value))) for value in (change.before, change.after))
        yield f"{code_span(change.field)}: {before} → {after}"
    if step.before is not None and step.after is not None:
        return
    rule = hidden(step.after or step.before or {}, plan.personal)
    yield _order(rule)
    for key, word in (("conditions", "if"), ("actions", "then")):
        for item in rule.get(key) or ():
            yield f"{word} {code_span(redact(_value(item)))}"


def _value(value: Any) -> str:
    if value is None:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
