"""The ``campaign-rules`` target as data and pure functions: what it can hold, and a rule as it travels on the wire.

It holds rules of category preCall under ``hitPolicy: all``, conditions on attributes with the four keys attribute,
operator, value (text) and type, and every built-in action. ``inverted`` is lowered to the opposite operator where that
is exact; ``in`` and ``between`` travel as a JSON array in the text value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dialproof.cel.text import condition_type
from dialproof.cel.values import read_text
from dialproof.model.actions import action_types
from dialproof.model.rules import Condition, Group
from dialproof.positions import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Action, Expression, Rule
    from dialproof.positions import Span
    from dialproof.project import Campaign
    from dialproof.targets.base import ResolveId

__all__ = ["CODE", "ENVIRONMENTS", "NAME", "OPPOSITE", "base_url_of", "lower_campaign", "lower_rule", "suppresses"]

NAME = "campaign-rules"
CODE = "DP701"
"""The code of what the target cannot hold (not-expressible-on-target)."""

ENVIRONMENTS: Mapping[str, str] = {
    "ap-northeast-2": "apne2",
    "ap-northeast-3": "apne3",
    "ap-south-1": "aps1",
    "ap-southeast-1": "apse1",
    "ca-central-1": "cac1",
    "eu-central-2": "euc2",
    "eu-west-2": "euw2",
    "me-central-1": "mec1",
    "mx-central-1": "mxc1",
    "sa-east-1": "sae1",
    "us-west-2": "usw2",
}
"""AWS region -> its name in the host: the first label of the region's domain ``NAME.pure.cloud`` in the platform's list
of regions (developer.genesys.cloud/platform/api). Regions whose domain has no such label have no host here."""

_AWS_REGION = re.compile(r"[a-z]+(?:-[a-z]+)+-[0-9]+")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")

_PAIRS = (
    ("equals", "notEquals"),
    ("lessThan", "greaterThanOrEqual"),
    ("greaterThan", "lessThanOrEqual"),
    ("before", "greaterThanOrEqual"),
    ("after", "lessThanOrEqual"),
    ("contains", "notContains"),
    ("in", "notIn"),
    ("exists", "notExists"),
)
OPPOSITE: Mapping[str, str] = {**{b: a for a, b in reversed(_PAIRS)}, **dict(_PAIRS)}
"""Operator -> the one that is true exactly where it is false, and undecided where it is undecided."""

_IDS: Mapping[tuple[str, str], str] = {
    ("setList", "listId"): "lists",
    ("setSkills", "skills"): "skills",
    ("dataAction", "id"): "dataActions",
}
"""(action type, field) -> the kind of logical id that the field holds."""


def base_url_of(region: str) -> str | None:
    """Return ``https://{environment}.mypurecloud.com`` for a region such as us-west-2 or usw2; None for anything else.

    A name that could be no label of a host is None as well: it would send the secret to another host.
    """
    environment = ENVIRONMENTS.get(region) if _AWS_REGION.fullmatch(region) else region
    if environment is None or not _ENVIRONMENT.fullmatch(environment):
        return None
    return f"https://{environment}.mypurecloud.com"


def lower_campaign(campaign: Campaign, resolve: ResolveId) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Return the rules of a campaign as wire rules, in order, and a problem for all that the target cannot hold."""
    problems = []
    if campaign.hit_policy == "first" and len(campaign.rules) > 1:
        file = campaign.files[0]
        span = file.rules[0].span
        problems.append(
            Problem(file.path, span, CODE, f"{NAME} runs every rule that matches: it cannot hold hitPolicy first")
        )
    rules = []
    for rule in campaign.rules:
        lowered, found = lower_rule(rule, campaign.contact_list, resolve)
        rules.append(lowered)
        problems += found
    return rules, problems


def lower_rule(rule: Rule, columns: ContactList, resolve: ResolveId) -> tuple[dict[str, Any], list[Problem]]:
    """Return a rule as it travels; ``version`` is the author's. With problems the rule must not be sent."""
    problems: list[Problem] = []

    def refuse(span: Span, message: str) -> None:
        problems.append(Problem(rule.path, span, CODE, f"rule {rule.name!r}: {NAME} cannot hold {message}"))

    if rule.category != "preCall":
        refuse(rule.spans.get("category", rule.span), f"category {rule.category}: it holds preCall alone")
    wire = {
        "name": rule.name,
        "description": rule.description,
        "version": rule.version,
        "priority": rule.priority,
        "executionOrder": rule.execution_order,
        "conditions": [c for e in rule.conditions if (c := _condition(e, columns, refuse)) is not None],
        "actions": [_action(action, resolve, refuse) for action in rule.actions],
        "enabled": rule.enabled,
    }
    return wire, problems


def suppresses(wire: Mapping[str, Any]) -> bool:
    """Tell whether a wire rule keeps contacts from being dialed."""
    stops = {kind.name for kind in action_types().values() if "preCall" in kind.stops_dial_in}
    return wire.get("enabled") in (None, True) and any(a.get("type") in stops for a in wire.get("actions") or ())


def _condition(
    expression: Expression, columns: ContactList, refuse: Callable[[Span, str], None]
) -> dict[str, str] | None:
    if isinstance(expression, Group):
        if expression.kind == "all":
            refuse(expression.span, "the group 'all': write its members as conditions of the rule, which mean the same")
        else:
            refuse(expression.span, f"the group {expression.kind!r}: split the rule, or use the rulesets target")
        return None
    if not isinstance(expression, Condition):
        refuse(expression.span, "'when' (CEL): write conditions on attributes")
        return None
    if expression.source != "contact":
        refuse(expression.subject_span, f"a condition on the context ({expression.subject})")
        return None
    operator = expression.operator
    if expression.inverted:
        if operator not in OPPOSITE:
            refuse(expression.span, f"an inverted {operator}, which has no exact opposite")
            return None
        operator = OPPOSITE[operator]
    return {
        "attribute": expression.subject,
        "operator": operator,
        "value": _text(expression.value),
        "type": condition_type(expression, columns),
    }


def _action(action: Action, resolve: ResolveId, refuse: Callable[[Span, str], None]) -> dict[str, Any]:
    wire: dict[str, Any] = {"type": action.type}
    for name, value in action.fields.items():
        if value is None:
            continue
        kind = _IDS.get((action.type, name))
        if kind is None:
            wire[name] = _field(action.type, name, value)
            continue
        ids = list(value) if isinstance(value, tuple) else [value]
        remote = [resolve(kind, read_text(logical)) for logical in ids]
        for logical, found in zip(ids, remote, strict=True):
            if found is None:
                refuse(action.span, f"{logical!r}: the environment maps no such id (ids.{kind})")
        wire[name] = remote if isinstance(value, tuple) else remote[0]
    return wire


def _field(action: str, name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if action_types()[action].fields[name].kind == "flag" or (action, name) == ("setAttribute", "value"):
        return read_text(value)
    return dict(value) if isinstance(value, Mapping) else value


def _text(value: Any) -> str:
    """Return a condition's value, which is always text on the wire; a list is a JSON array of texts."""
    if isinstance(value, tuple):
        return json.dumps([read_text(item) for item in value], ensure_ascii=False, separators=(",", ":"))
    return read_text(value)
