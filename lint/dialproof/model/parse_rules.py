"""Rules files: nodes to :class:`RulesFile`, with every error at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from dialproof.model.operators import CONTEXT_FIELDS, OPERATORS, canonical_operator, context_type
from dialproof.model.parse_actions import read_action, read_flag_text, read_period
from dialproof.model.parse_base import INVALID, Fields, Reader, head, hint
from dialproof.model.parse_invariants import cel_of, read_invariant, read_time_of_day
from dialproof.model.rules import Condition, Group, Rule, RulesFile, When
from dialproof.model.schema import CONDITION, GROUP, RULES_FILE, Plain, Text
from dialproof.source import Mapping, Node, Scalar, Sequence, SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.model.rules import Expression
    from dialproof.source.positions import Problem

__all__ = ["file_stem", "parse_rules"]

_GROUPS: tuple[Literal["all", "any", "not"], ...] = ("all", "any", "not")
_METADATA = ("owner", "ticket", "tags", "effectiveFrom", "effectiveUntil")


def file_stem(path: str) -> str:
    """Return a file's name without its two suffixes (``rules/premium.rules.yaml`` -> ``premium``)."""
    return path.rpartition("/")[2].rsplit(".", 2)[0]


def parse_rules(source: SourceFile) -> tuple[RulesFile | None, tuple[Problem, ...]]:
    """Return the rules file, None where anything of it is wrong, and its problems and notes."""
    reader = Reader(
        source.display,
        {
            "expression": _expression,
            "context field": _context_field,
            "operator": _operator,
            "value": _value,
            "action": read_action,
            "flag text": read_flag_text,
            "period": read_period,
            "invariant": read_invariant,
            "time of day": read_time_of_day,
        },
    )
    problems: list[Problem] = [*source.problems, *source.notes]
    file: RulesFile | None = None
    if source.root is not None and not _is_other_kind(reader, source.root):
        fields = reader.file(RULES_FILE, source.root)
        _check_dates(reader, source.root)
        if fields is not INVALID and not source.problems and not reader.problems.count:
            file = _rules_file(fields, source)
        if file is None:
            _report_cel(reader, source.root)
    return file, (*problems, *reader.problems.all(), *reader.notes.all())


def _report_cel(reader: Reader, root: Node) -> None:
    """Report the CEL that does not parse in a file that is wrong elsewhere, which nobody will compile."""
    from dialproof.cel.parse import CelSyntaxError, parse

    for node in _written_cel(root):
        if not node.text.strip():
            continue
        try:
            parse(node.text)
        except CelSyntaxError as error:
            reader.problem(node.part(error.offset, error.offset + 1), str(error), "DP103")


def _written_cel(root: Node) -> Iterator[Scalar]:
    """Yield the texts of all ``when:`` of rules, and those of invariants."""
    for key in ("rules", "invariants"):
        nodes = root.get(key) if isinstance(root, Mapping) else None
        for item in nodes if isinstance(nodes, Sequence) else ():
            if isinstance(item, Mapping):
                yield from cel_of(item)


def _check_dates(reader: Reader, root: Node) -> None:
    """Report a rule that ends before it begins; a day without a time is the whole day."""
    from dialproof.cel.values import parse_datetime

    rules = root.get("rules") if isinstance(root, Mapping) else None
    for rule in rules.items if isinstance(rules, Sequence) else ():
        fields = reader.records.get(id(rule))
        if fields is None:
            continue
        begin, end = (str(fields.get(key, "")) for key in ("effectiveFrom", "effectiveUntil"))
        begins, ends = parse_datetime(begin), parse_datetime(end if "T" in end else f"{end}T23:59:59")
        if begins is not None and ends is not None and ends < begins:
            reader.problem(fields.span("effectiveUntil"), f"effectiveUntil {end} is before effectiveFrom {begin}")


def _is_other_kind(reader: Reader, root: Node) -> bool:
    if not isinstance(root, Mapping) or "rules" in root:
        return False
    for key, kind in (("cases", "contacts"), ("columns", "contactlist")):
        entry = root.entry(key)
        if entry is not None:
            message = f"expected rules:, found {key}: rename this file to {file_stem(reader.path)}.{kind}.yaml"
            reader.problem(entry.key, message, "DP101")
            return True
    return False


def _rules_file(fields: Fields, source: SourceFile) -> RulesFile:
    campaign = fields.get("campaign")
    contact_list = fields.get("contactList")
    return RulesFile(
        path=source.display,
        campaigns=fields.get("campaigns") or ((campaign,) if campaign else ()),
        contact_list=contact_list,
        rule_set=fields.get("ruleSet", file_stem(source.display)),
        hit_policy=fields.get("hitPolicy", "all"),
        total=fields.get("total", False),
        rules=tuple(_rule(rule, source.display) for rule in fields.get("rules")),
        invariants=fields.get("invariants", ()),
        source=source,
        contact_list_span=fields.span("contactList") if contact_list is not None else None,
    )


def _rule(fields: Fields, path: str) -> Rule:
    when = fields.node.get("when")
    conditions: tuple[Expression, ...] = fields.get("conditions", ())
    if isinstance(when, Scalar):
        conditions = (When(when.text, when.span, when),)
    return Rule(
        name=fields.get("name"),
        description=fields.get("description", ""),
        version=fields.get("version"),
        priority=fields.get("priority"),
        execution_order=fields.get("executionOrder"),
        enabled=fields.get("enabled", True),
        category=fields.get("category", "preCall"),
        conditions=conditions,
        actions=fields.get("actions"),
        runs_after=fields.get("runsAfter", ()),
        overrides=fields.get("overrides", ()),
        renamed_from=fields.get("renamedFrom"),
        metadata={**{k: fields.values[k] for k in _METADATA if k in fields.values}, **fields.extensions},
        path=path,
        span=fields.node.span,
        name_span=fields.span("name"),
        spans=fields.spans,
    )


def _expression(reader: Reader, node: Node, label: str) -> Any:
    """Return a condition or a group."""
    if not isinstance(node, Mapping):
        return reader.expected(node, label, "a condition or one of all, any, not")
    kinds: list[Literal["all", "any", "not"]] = [name for name in _GROUPS if name in node]
    if not kinds:
        return _condition(reader, node)
    fields = reader.record(GROUP, node, label)
    if fields is INVALID:
        return INVALID
    members = fields.get(kinds[0])
    return Group(kinds[0], members if isinstance(members, tuple) else (members,), node.span)


def _condition(reader: Reader, node: Mapping) -> Any:
    before = reader.problems.count
    fields = reader.record(CONDITION, node, "condition")
    written = node.get("operator")
    operator = canonical_operator(written.text) if isinstance(written, Scalar) else None
    if operator is not None:
        _check_shape(reader, node, operator)
    if fields is INVALID or reader.problems.count > before:
        return INVALID
    source = "context" if "context" in node else "contact"
    key = "context" if source == "context" else "attribute"
    return Condition(
        source=source,  # type: ignore[arg-type]
        subject=fields.get(key),
        operator=fields.get("operator"),
        value=fields.get("value"),
        type=fields.get("type"),
        inverted=fields.get("inverted", False),
        span=node.span,
        subject_span=fields.span(key),
        value_span=fields.span("value") if "value" in node else fields.span("operator"),
    )


def _check_shape(reader: Reader, node: Mapping, operator: str) -> None:
    """Report a value that the operator cannot take, or the lack of one."""
    shape = OPERATORS[operator][0]
    entry = node.entry("value")
    if entry is None:
        if shape != "none":
            reader.problem(head(node), f"this condition lacks value: operator {operator} needs one", "DP107")
        return
    value = entry.value
    if shape == "none":
        reader.problem(entry.key, f"operator {operator} takes no value: remove it")
    elif shape == "one" and isinstance(value, Sequence):
        reader.expected(value, "value", f"one value for operator {operator}")
    elif shape == "pair" and not (isinstance(value, Sequence) and len(value.items) == 2):
        count = f" of {len(value.items)}" if isinstance(value, Sequence) else ""
        reader.problem(head(value), f"value: expected [low, high] for operator {operator}, found {_what(value)}{count}")
    elif shape == "list" and not isinstance(value, Sequence):
        reader.expected(value, "value", f"a list for operator {operator}")
    elif shape == "list" and isinstance(value, Sequence) and not value.items:
        reader.problem(value, "value: expected at least one item, found an empty list", "DP107")


def _what(node: Node) -> str:
    return "a list" if isinstance(node, Sequence) else "a mapping" if isinstance(node, Mapping) else "one value"


def _context_field(reader: Reader, node: Node, label: str) -> Any:
    name = reader.text(Text(), node, label)
    if name is INVALID or context_type(name) is not None:
        return name
    known = [field.replace("data.*", "data.ACTION.FIELD").replace("*", "COLUMN") for field in CONTEXT_FIELDS]
    return reader.problem(node, f"there is no context field {name!r}; {hint(name, known)}")


def _operator(reader: Reader, node: Node, label: str) -> Any:
    name = reader.text(Text(), node, label)
    if name is INVALID:
        return INVALID
    operator = canonical_operator(name)
    return operator or reader.unknown(node, f"there is no operator {name!r}", name, OPERATORS)


def _value(reader: Reader, node: Node, label: str) -> Any:
    """Return text, a number (as a double) or a boolean, or a tuple of them; whether it fits is for the operator."""
    if isinstance(node, Sequence):
        items = [_value_item(reader, item, f"{label}, item") for item in node.items]
        return INVALID if any(item is INVALID for item in items) else tuple(items)
    return _value_item(reader, node, label)


def _value_item(reader: Reader, node: Node, label: str) -> Any:
    return reader.scalar(Plain(), node, label)
