"""The ``campaign-rules`` target as data and pure functions: what it can hold, and a rule as it travels on the wire.

It holds rules of category preCall under ``hitPolicy: all``, conditions on attributes with the four keys attribute,
operator, value (text) and type, and every built-in action. ``inverted`` is lowered to the opposite operator where that
is exact; ``in`` and ``between`` travel as a JSON array in the text value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_args

from dialproof.cel.text import condition_type
from dialproof.cel.values import parse_period, read_number, read_text
from dialproof.model.actions import action_types
from dialproof.model.ids import ACTION_IDS
from dialproof.model.operators import OPERATORS, canonical_operator
from dialproof.model.rules import Action, Condition, FieldMapping, Group, Rule, ValueType, When
from dialproof.source.positions import Span
from dialproof.targets.base import refuser, refuses_first
from dialproof.targets.rewriting import OPPOSITE

if TYPE_CHECKING:
    from collections.abc import Collection

    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Expression, Value
    from dialproof.project import Campaign
    from dialproof.targets.base import Refusal, Refuse, ResolveId

__all__ = [
    "ENVIRONMENTS",
    "NAME",
    "base_url_of",
    "lower_campaign",
    "lower_rule",
    "read_rule",
    "suppresses",
]

NAME = "campaign-rules"

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

_FIELDS = (
    *("name", "description", "version", "priority", "executionOrder", "conditions", "actions", "enabled"),
    *("id", "selfUri", "dateCreated", "dateModified"),
)
_NOWHERE = Span(1, 1, 1, 1)


def base_url_of(region: str) -> str | None:
    """Return ``https://{environment}.mypurecloud.com`` for a region such as us-west-2 or usw2; None for anything else.

    A name that could be no label of a host is None as well: it would send the secret to another host.
    """
    environment = ENVIRONMENTS.get(region) if _AWS_REGION.fullmatch(region) else region
    if environment is None or not _ENVIRONMENT.fullmatch(environment):
        return None
    return f"https://{environment}.mypurecloud.com"


def lower_campaign(campaign: Campaign, resolve: ResolveId) -> tuple[list[dict[str, Any]], list[Refusal]]:
    """Return the rules of a campaign as wire rules, in order, and a refusal for all that the target cannot hold."""
    refusals = refuses_first(NAME, campaign)
    rules = []
    for rule in campaign.rules:
        lowered, found = lower_rule(rule, campaign.contact_list, resolve)
        rules.append(lowered)
        refusals += found
    return rules, refusals


def lower_rule(rule: Rule, columns: ContactList, resolve: ResolveId) -> tuple[dict[str, Any], list[Refusal]]:
    """Return a rule as it travels; ``version`` is the author's. With refusals the rule must not be sent."""
    refusals: list[Refusal] = []
    refuse = refuser(NAME, rule, refusals)
    if rule.category != "preCall":
        span = rule.spans.get("category", rule.span)
        refuse("rule", span, f"category {rule.category}", "it holds preCall alone")
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
    return wire, refusals


def suppresses(wire: Mapping[str, Any]) -> bool:
    """Tell whether a wire rule keeps contacts from being dialed."""
    stops = {kind.name for kind in action_types().values() if "preCall" in kind.stops_dial_in}
    return wire.get("enabled") in (None, True) and any(a.get("type") in stops for a in wire.get("actions") or ())


def read_rule(wire: Mapping[str, Any]) -> Rule:
    """Return a wire rule as the rule that ``lower_rule`` makes it of; ids stay those of the target.

    Raises ``ValueError``, with what it is, for anything that has no meaning here: a field, an operator, a type of
    condition or action, a value.
    """
    _only(wire, _FIELDS, "the rule")
    name, description = wire.get("name"), wire.get("description") or ""
    if not isinstance(name, str) or not name or not isinstance(description, str):
        raise ValueError("the name or the description is no text")
    return Rule(
        name=name,
        description=description,
        version=_whole(wire, "version", 1),
        priority=_whole(wire, "priority", 1, most=1000),
        execution_order=_whole(wire, "executionOrder", None),
        enabled=wire.get("enabled") in (True, None),
        category="preCall",
        conditions=tuple(map(_read_condition, _list(wire, "conditions"))),
        actions=tuple(map(_read_action, _list(wire, "actions"))),
        runs_after=(),
        overrides=(),
        renamed_from=None,
        metadata={},
        path="",
        span=_NOWHERE,
        name_span=_NOWHERE,
        spans={},
    )


def _whole(wire: Mapping[str, Any], name: str, default: int | None, *, most: int = 2**31 - 1) -> int:
    value = wire.get(name)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{name} is {value!r}")
    return value


def _list(wire: Mapping[str, Any], name: str) -> list[Any]:
    value = wire.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")  # noqa: TRY004  (one error for every reason)
    return value


def _read_condition(wire: Mapping[str, Any]) -> Condition:
    _only(wire, ("attribute", "operator", "value", "type"), "a condition")
    attribute, kind, text = wire.get("attribute"), wire.get("type"), wire.get("value")
    operator = canonical_operator(str(wire.get("operator")))
    if not isinstance(attribute, str) or not attribute or operator is None or kind not in (None, *get_args(ValueType)):
        raise ValueError(f"a condition with operator {wire.get('operator')!r} and type {kind!r}")
    shape = OPERATORS[operator][0]
    value: Value = None
    if shape != "none":
        if not isinstance(text, str):
            raise ValueError(f"a condition on {attribute} whose value is no text")
        value = text if shape == "one" else _read_list(attribute, text)
        if shape == "pair" and len(value) != 2:
            raise ValueError(f"a condition on {attribute} with operator {operator} and other than two values")
    return Condition("contact", attribute, operator, value, kind, False, _NOWHERE, _NOWHERE, _NOWHERE)


def _read_list(attribute: str, text: str) -> tuple[str, ...]:
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError(f"a condition on {attribute} whose value is no JSON array of texts")
    return tuple(items)


def _read_action(wire: Mapping[str, Any]) -> Action:
    if not isinstance(wire, Mapping):
        raise ValueError("an action is no object")  # noqa: TRY004  (one error for every reason)
    known = action_types().get(str(wire.get("type")))
    if known is None:
        raise ValueError(f"an action of type {wire.get('type')!r}")
    _only(wire, ("type", *known.fields), f"an action {known.name}")
    fields: dict[str, Any] = {}
    for name, field in known.fields.items():
        value = wire.get(name, field.default)
        if value is None and field.required:
            raise ValueError(f"an action {known.name} without {name}")
        if value is not None and (value not in field.choices if field.choices else not _FITS[field.kind](value)):
            raise ValueError(f"an action {known.name} with {name} {value!r}")
        if value is not None:
            fields[name] = (
                tuple(value) if isinstance(value, list) else FieldMapping(value) if isinstance(value, dict) else value
            )
    counts = fields.get("option") in ("INCREMENT", "DECREMENT") and "value" in fields
    if counts and read_number(fields["value"]) is None:
        raise ValueError(f"an action {known.name} that counts by {fields['value']!r}")
    return Action(known.name, fields, _NOWHERE)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str) and bool(value),
    "flag": lambda value: value in ("true", "false"),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "period": lambda value: isinstance(value, str) and parse_period(value) is not None,
    "texts": lambda value: isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value),
    "mapping": lambda value: isinstance(value, dict) and all(map(_is_plain, value.values())),
    "any": _is_plain,
}
"""Kind of an action's field -> whether a value of a wire rule can be one."""


def _only(wire: Mapping[str, Any], known: Collection[str], what: str) -> None:
    """Raise ``ValueError`` for what is no object, and for a field that is not known and holds something."""
    if not isinstance(wire, Mapping):
        raise ValueError(f"{what} is no object")  # noqa: TRY004  (one error for every reason)
    for name, value in wire.items():
        if name not in known and (value or (isinstance(value, int | float) and not isinstance(value, bool))):
            raise ValueError(f"{what} has a field {name!r}")


def _condition(expression: Expression, columns: ContactList, refuse: Refuse) -> dict[str, str] | None:
    if isinstance(expression, Group):
        hint = "write its members as conditions of the rule, which mean the same" if expression.kind == "all" else ""
        refuse("condition", expression.span, f"the group {expression.kind!r}", hint)
        return None
    if isinstance(expression, When) and expression.text.strip() == "true":
        return None  # no condition at all
    if not isinstance(expression, Condition):
        refuse("condition", expression.span, "'when' (CEL)", "write conditions on attributes")
        return None
    if expression.source != "contact":
        refuse("condition", expression.subject_span, f"a condition on the context ({expression.subject})")
        return None
    operator = expression.operator
    if expression.inverted:
        if operator not in OPPOSITE:
            refuse("condition", expression.span, f"an inverted {operator}, which has no exact opposite")
            return None
        operator = OPPOSITE[operator]
    return {
        "attribute": expression.subject,
        "operator": operator,
        "value": _text(expression.value),
        "type": condition_type(expression, columns),
    }


def _action(action: Action, resolve: ResolveId, refuse: Refuse) -> dict[str, Any]:
    wire: dict[str, Any] = {"type": action.type}
    for name, value in action.fields.items():
        if value is None:
            continue
        kind = ACTION_IDS.get((action.type, name))
        if kind is None:
            wire[name] = _field(action.type, name, value)
            continue
        ids = list(value) if isinstance(value, tuple) else [value]
        remote = [resolve(kind, read_text(logical)) for logical in ids]
        for logical, found in zip(ids, remote, strict=True):
            if found is None:
                refuse("action", action.span, f"{logical!r}", f"the environment maps no such id (ids.{kind})")
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
