"""The body of a rule set, checked against ``rule_sets.json`` and rewritten into what the server answers.

As for the other contract the checks share nothing with dialproof's own model. A field's kind is ``text``, ``boolean``,
``texts`` (a list of them), ``map`` (of texts), ``reference`` (``{id}``), a list of the values it may have, an
object of fields, or a list with that object.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from dialproof_deploy.sandbox.errors import Detail, detail, refused
from dialproof_deploy.sandbox.fields import is_reference, name_problems
from dialproof_deploy.state import is_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterator, Mapping

__all__ = ["check_rule_set", "rewritten"]

_DATA: Final[Mapping[str, Any]] = json.loads(files(__package__).joinpath("rule_sets.json").read_text("utf-8"))
_LONGEST_NAME: Final = 64
_SUB_CONDITIONS: Final = 10
_READ_ONLY: Final = ("id", "dateCreated", "dateModified", "version", "selfUri")
_PERIOD: Final = re.compile(r"-?P(?=.)(?:[-+]?\d+D)?(?:T(?=.)(?:[-+]?\d+H)?(?:[-+]?\d+M)?)?")

_CONDITION: Final = "invalid.rule.condition"
_ACTION: Final = "invalid.rule.action"
_VALUE: Final = "invalid.value"


def check_rule_set(body: object) -> dict[str, Any]:
    """Return the rule set in ``body``, or raise a 400 whose code is that of the first of all its invalid fields."""
    if not isinstance(body, dict):
        raise refused([detail("body", _VALUE, "expected a JSON object")])
    problems = list(_rule_set(body))
    if problems:
        raise refused(problems)
    return body


def rewritten(body: Mapping[str, Any], known: Collection[str]) -> list[dict[str, Any]]:
    """Return the rules of a checked body as the server keeps them, lowest order first.

    A rule keeps its id if it is one of ``known``, those of the stored set, and else gets a new one. Every field of a
    condition and an action is there, those not given at their default (false, an empty list or object) or null; those
    that are one of some names are left out instead.
    """
    left = set(known)
    rules = []
    for place, rule in enumerate(body.get("rules") or []):
        order = rule.get("order")
        given = str(rule.get("id"))
        kept = {
            "id": given if given in left else str(uuid.uuid4()),
            "name": rule["name"],
            "order": place if order is None else order,
            "category": rule["category"],
            "conditions": [_filled(c, _DATA["condition"]) for c in rule.get("conditions") or []],
            "actions": [_filled(a, _DATA["action"]) for a in rule.get("actions") or []],
        }
        left.discard(given)
        rules.append(kept)
    return sorted(rules, key=lambda kept: kept["order"])


def _filled(entry: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    # the platform's own SDK cannot read null where one of some names is expected
    named = [name for name, kind in kinds.items() if isinstance(kind, list) and not _is_object_list(kind)]
    return {
        name: _filled_value(name, entry.get(name), kind)
        for name, kind in kinds.items()
        if entry.get(name) is not None or name not in named
    }


def _filled_value(name: str, value: Any, kind: Any) -> Any:
    if _is_object_list(kind):
        return [_filled(item, kind[0]) for item in value or []]
    if isinstance(kind, dict):
        return None if value is None else _filled(value, kind)
    if value is not None:
        return {"id": value["id"], "name": None, "selfUri": None} if kind == "reference" else value
    if name == "inverted":
        return False
    return {"texts": [], "map": {}}.get(kind) if isinstance(kind, str) else None


# What is wrong with a body.


def _rule_set(body: Mapping[str, Any]) -> Iterator[Detail]:
    yield from name_problems(body, _LONGEST_NAME)
    for key in ("contactList", "queue"):
        yield from _value(body.get(key), "reference", key, _VALUE)
    yield from _unknown(body, ("name", "contactList", "queue", "rules", *_READ_ONLY), "")
    rules = body.get("rules")
    if not isinstance(rules, list | None):
        yield detail("rules", _VALUE, "expected a list")
        return
    names: set[object] = set()
    for index, rule in enumerate(rules or []):
        at = f"rules[{index}]"
        if not isinstance(rule, dict):
            yield detail(at, _VALUE, "expected an object")
            continue
        yield from _rule(rule, at + ".")
        name = rule.get("name")
        if isinstance(name, str):
            if name in names:
                yield detail(at + ".name", "rule.conflict", f"{name} is the name of another rule of the set")
            names.add(name)


def _rule(rule: Mapping[str, Any], at: str) -> Iterator[Detail]:
    name, order, category = rule.get("name"), rule.get("order"), rule.get("category")
    if not isinstance(name, str) or not name.strip():
        yield detail(at + "name", "name.cannot.be.blank", "required")
    if order is not None and (isinstance(order, bool) or not isinstance(order, int) or not 0 <= order < 2**31):
        yield detail(at + "order", _VALUE, "expected a whole number from 0 on")
    if category not in _DATA["categories"]:
        yield detail(at + "category", _VALUE, f"expected one of {', '.join(_DATA['categories'])}")
    yield from _value(rule.get("id"), "text", at + "id", _VALUE)
    yield from _unknown(rule, ("id", "name", "order", "category", "conditions", "actions"), at)
    for key, code, check in (("conditions", _CONDITION, _condition), ("actions", _ACTION, _action)):
        entries = rule.get(key)
        if not isinstance(entries, list | None):
            yield detail(at + key, _VALUE, "expected a list")
            continue
        for index, entry in enumerate(entries or []):
            place = f"{at}{key}[{index}]"
            if isinstance(entry, dict):
                yield from check(entry, category, place + ".")
            else:
                yield detail(place, code, "expected an object")


def _condition(entry: Mapping[str, Any], category: object, at: str) -> Iterator[Detail]:
    yield from _common(entry, "condition", "type", category, at)
    problems = list(_fields(entry, _DATA["condition"], at, _CONDITION))
    yield from problems
    if not problems:
        yield from _CHECKS.get(str(entry.get("type")), _compared)(entry, at)


def _action(entry: Mapping[str, Any], category: object, at: str) -> Iterator[Detail]:
    yield from _common(entry, "action", "actionTypeName", category, at)
    problems = list(_fields(entry, _DATA["action"], at, _ACTION))
    yield from problems
    known = _DATA["actions"].get(str(entry.get("actionTypeName")))
    if problems or known is None:
        return
    if entry.get("type") != known["type"]:
        yield detail(at + "type", _ACTION, f"expected {known['type']}")
    properties = entry.get("properties") or {}
    wanted = known.get("properties", [])
    if wanted and not any(properties.get(name) for name in wanted):
        yield detail(at + "properties", _ACTION, f"expected {' or '.join(wanted)}")
    if known["type"] == "modifyContactAttribute" and not properties:
        yield detail(at + "properties", _ACTION, "expected a column")
    if "skills" in properties and not _is_list_of_texts(properties["skills"]):
        yield detail(at + "properties.skills", _ACTION, "expected a JSON array of skill ids, as a string")
    offset = properties.get("callbackOffset")
    if offset is not None and not (offset.isascii() and offset.isdigit()):
        yield detail(at + "properties.callbackOffset", _ACTION, "expected minutes, as a string")


def _common(entry: Mapping[str, Any], what: str, key: str, category: object, at: str) -> Iterator[Detail]:
    """Yield what is wrong with the type of a condition or an action: unknown, of the other category, or incomplete."""
    code = f"invalid.rule.{what}"
    given = entry.get(key)
    known = _DATA[f"{what}s"].get(given) if isinstance(given, str) else None
    if known is None:
        yield detail(at + key, code, f"expected one of {', '.join(_DATA[f'{what}s'])}")
        return
    if known.get("category", category) != category:
        yield detail(at + key, f"{code}.category", f"{given} is for {known['category']}")
    if category == "DIALER_PRECALL":
        for name in _DATA["wrapUpOnly"]:
            if entry.get(name):
                yield detail(at + name, f"{code}.category", "for DIALER_WRAPUP")
    for name in known.get("needs", ()):
        if entry.get(name) in (None, [], {}):
            yield detail(at + name, code, f"{given} needs it")


# What a type of condition asks for beyond its fields; these are in the form that the data ask for.


def _compared(entry: Mapping[str, Any], at: str) -> Iterator[Detail]:
    value, kind = entry.get("value"), entry.get("valueType")
    if not value or kind in (None, "STRING"):
        return
    if kind == "NUMERIC" and not _is_number(value):
        yield detail(at + "value", _VALUE, "expected a number")
    elif kind == "DATETIME" and not is_time(value):
        yield detail(at + "value", _VALUE, "expected yyyy-MM-dd or yyyy-MM-ddTHH:mm:ss.SSSZ")
    elif kind == "PERIOD" and not _PERIOD.fullmatch(value):
        yield detail(at + "value", _VALUE, "expected a period such as P-1DT0H0M")


def _property(entry: Mapping[str, Any], at: str) -> Iterator[Detail]:
    kind = str(entry.get("propertyType"))
    if kind.endswith("_BY_COLUMN") and not entry.get("property"):
        yield detail(at + "property", _CONDITION, f"{kind} needs it")
    if kind.startswith("LAST_ATTEMPT_") and entry.get("valueType") not in ("DATETIME", "PERIOD"):
        yield detail(at + "valueType", _CONDITION, "expected DATETIME or PERIOD")
    yield from _compared(entry, at)


def _data_action(entry: Mapping[str, Any], at: str) -> Iterator[Detail]:
    for index, predicate in enumerate(entry.get("predicates") or []):
        for name in _DATA["predicateNeeds"]:
            if predicate.get(name) is None:
                yield detail(f"{at}predicates[{index}].{name}", _CONDITION, "required")


def _time_and_date(entry: Mapping[str, Any], at: str) -> Iterator[Detail]:
    parts = entry.get("subConditions") or []
    if len(parts) > _SUB_CONDITIONS:
        yield detail(at + "subConditions", _CONDITION, f"more than {_SUB_CONDITIONS}")
    for index, part in enumerate(parts):
        place = f"{at}subConditions[{index}]."
        for name in ("type", "operator"):
            if part.get(name) is None:
                yield detail(place + name, _CONDITION, "required")
        interval = part.get("range") or {}
        if part.get("operator") == "IN":
            if not interval.get("inSet"):
                yield detail(place + "range.inSet", _CONDITION, "IN needs it")
        elif part.get("operator") == "BETWEEN":
            for name in ("min", "max"):
                if not interval.get(name):
                    yield detail(place + f"range.{name}", _CONDITION, "BETWEEN needs it")
        elif not part.get("thresholdValue"):
            yield detail(place + "thresholdValue", _CONDITION, "required")


_CHECKS: Final = {
    "contactPropertyCondition": _property,
    "dataActionCondition": _data_action,
    "timeAndDateCondition": _time_and_date,
}


# The kinds of fields.


def _fields(entry: Mapping[str, Any], kinds: Mapping[str, Any], at: str, code: str) -> Iterator[Detail]:
    for name, kind in kinds.items():
        if kind != "kind":
            yield from _value(entry.get(name), kind, at + name, code)
    yield from _unknown(entry, kinds, at)


def _value(value: object, kind: Any, at: str, code: str) -> Iterator[Detail]:
    """Yield what is wrong with a value; null is as good as an absent one."""
    if value is None:
        return
    if isinstance(kind, dict) or _is_object_list(kind):
        fields = kind if isinstance(kind, dict) else kind[0]
        many = isinstance(kind, list)
        if many and not isinstance(value, list):
            yield detail(at, code, "expected a list")
            return
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            place = f"{at}[{index}]" if many else at
            if isinstance(item, dict):
                yield from _fields(item, fields, place + ".", code)
            else:
                yield detail(place, code, "expected an object")
    elif isinstance(kind, list):
        if value not in kind:
            yield detail(at, code, f"expected one of {', '.join(kind)}")
    elif not _KINDS[kind][1](value):
        yield detail(at, code, f"expected {_KINDS[kind][0]}")


def _unknown(holder: Mapping[str, Any], known: Container[str], at: str) -> Iterator[Detail]:
    # the platform may ignore it; here a misspelt field must be seen
    for name in holder:
        if name not in known:
            yield detail(at + name, "unknown.field", "not a field of the contract")


def _is_object_list(kind: Any) -> bool:
    return isinstance(kind, list) and isinstance(kind[0], dict)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_list_of_texts(text: str) -> bool:
    try:
        return _is_texts(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


_KINDS: Final[Mapping[str, tuple[str, Callable[[object], bool]]]] = {
    "text": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "texts": ("a list of strings", _is_texts),
    "map": ("an object of strings", _is_map),
    "reference": ("an object with an id", is_reference),
}
