"""Rules as a ``*.rules.yaml`` file: those that were read back, and as comments those that could not be.

Ids of the target become the logical ids that the environment maps to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialproof.model.actions import action_types
from dialproof.model.ids import ACTION_IDS, compares_wrap_up_codes
from dialproof.model.parse_rules import parse_rules
from dialproof.model.rules import Action, Condition, Expression, Group, Rule
from dialproof.source import read_source
from dialproof.source.yaml_text import block, comment

__all__ = ["LogicalId", "Unread", "rules_file", "why_not"]

LogicalId = Callable[[str, str], str]
"""Kind and id on the target -> the id in the files."""


@dataclass(frozen=True)
class Unread:
    """A rule of the target that is no rule of ours: its wire form, and why."""

    wire: Mapping[str, Any]
    why: str

    @property
    def sentence(self) -> str:
        """The same for people."""
        return f"rule {self.wire.get('name')!r} cannot be written as a rule of ours: {self.why}"


def rules_file(
    head: Mapping[str, object],
    rules: Sequence[Rule],
    unread: Sequence[Unread],
    logical: LogicalId,
    *,
    note: str,
) -> str:
    """Return the text of a file; ``head`` are its keys beside ``rules``, ``note`` says where it comes from.

    Raises ``ValueError`` for a rule that YAML cannot hold.
    """
    lines = [*comment(note), *block(head, 1)]
    if rules:
        lines.append("rules:")
    for rule in rules:
        lines += block([_rule(rule, logical)], 3, 2)
    for one in unread:
        lines += comment(f"{one.sentence}; it stands on the target as", 2)
        lines += comment(json.dumps(one.wire, ensure_ascii=False, sort_keys=True), 2)
    return "".join(f"{line}\n" for line in lines)


def why_not(rule: Rule, logical: LogicalId) -> str:
    """Return why a rule cannot be written, "" where it can: YAML cannot hold it, or a file of ours must not."""
    try:
        text = rules_file({"campaign": "c"}, [rule], (), logical, note="")
    except ValueError as error:
        return f"YAML cannot hold {error}"
    parsed, problems = parse_rules(read_source(Path("x.rules.yaml"), "x.rules.yaml", text.encode()))
    return "" if parsed is not None else "; ".join(problem.message for problem in problems)


def _rule(rule: Rule, logical: LogicalId) -> dict[str, object]:
    """Return a rule as data, defaults left out; one without conditions always matches."""
    written: dict[str, object] = {"name": rule.name}
    if rule.description:
        written["description"] = rule.description
    written |= {"version": rule.version, "priority": rule.priority, "executionOrder": rule.execution_order}
    if not rule.enabled:
        written["enabled"] = False
    if rule.category != "preCall":
        written["category"] = rule.category
    if rule.conditions:
        written["conditions"] = [_expression(expression, logical) for expression in _flat(rule.conditions)]
    else:
        written["when"] = "true"
    written["actions"] = [_action(action, logical) for action in rule.actions]
    return written


def _flat(expressions: Sequence[Expression]) -> list[Expression]:
    """Take groups of one, and ``all`` groups, apart where that changes nothing: conditions of a rule must all hold."""
    found: list[Expression] = []
    for expression in expressions:
        if isinstance(expression, Group) and (expression.kind == "all" or _is_single(expression)):
            found += _flat(expression.members)
        else:
            found.append(expression)
    return found


def _is_single(group: Group) -> bool:
    return group.kind == "any" and len(group.members) == 1


def _expression(expression: Expression, logical: LogicalId) -> dict[str, object]:
    if isinstance(expression, Group):
        members = [_expression(member, logical) for member in expression.members]
        return {expression.kind: members[0] if expression.kind == "not" else members}
    assert isinstance(expression, Condition)
    source = "attribute" if expression.source == "contact" else "context"
    written: dict[str, object] = {source: _subject(expression, logical), "operator": expression.operator}
    if expression.value is not None:
        written["value"] = _value(expression, logical)
    if expression.type is not None:
        written["type"] = expression.type
    if expression.inverted:
        written["inverted"] = True
    return written


def _subject(condition: Condition, logical: LogicalId) -> str:
    if condition.source == "context" and condition.subject.startswith("data."):
        _, action, field = condition.subject.split(".", 2)
        return f"data.{logical('dataActions', action)}.{field}"
    return condition.subject


def _value(condition: Condition, logical: LogicalId) -> object:
    value = condition.value
    if not compares_wrap_up_codes(condition):
        return list(value) if isinstance(value, tuple) else value
    if isinstance(value, tuple):
        return [logical("wrapUpCodes", str(one)) for one in value]
    return logical("wrapUpCodes", str(value))


def _action(action: Action, logical: LogicalId) -> dict[str, object]:
    kind = action_types()[action.type]
    written: dict[str, object] = {"type": action.type}
    for name, value in action.fields.items():
        field = kind.fields.get(name)
        if value is None or (field is not None and not field.required and value == field.default):
            continue
        id_kind = ACTION_IDS.get((action.type, name))
        if isinstance(value, tuple):
            written[name] = [logical(id_kind, str(item)) if id_kind else item for item in value]
        elif isinstance(value, Mapping):
            written[name] = dict(value)
        else:
            written[name] = logical(id_kind, str(value)) if id_kind else value
    return written
