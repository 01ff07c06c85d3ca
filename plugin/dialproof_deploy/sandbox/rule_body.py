"""The body of a rule as the contract has it, checked field by field.

The checks are written from the contract alone and share nothing with dialproof's own model, so that a mistake
there is answered with 400 here instead of being stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dialproof_deploy.sandbox.errors import Detail, detail, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CONDITION_TYPES", "OPERATORS", "check_rule"]

OPERATORS: Final = (
    *("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"),
    *("contains", "notContains", "beginsWith", "endsWith", "in", "notIn", "between"),
    *("before", "after", "matches", "exists", "notExists"),
)
CONDITION_TYPES: Final = ("string", "number", "boolean", "datetime", "period")

_LARGEST: Final = 2**31 - 1
_READ_ONLY: Final = ("id", "selfUri", "dateCreated", "dateModified")
"""Fields of an answer that a client may send back; they are ignored."""
_WITHOUT_VALUE: Final = ("exists", "notExists")


def check_rule(body: object) -> dict[str, object]:
    """Return the rule in ``body`` with optional fields filled in, or raise a 400 with every invalid field.

    The result has exactly name, description, version, priority, executionOrder, conditions, actions and
    enabled. Required are name, version (1 and up), priority (1..1000) and executionOrder (1 and up).
    """
    if not isinstance(body, dict):
        raise invalid([detail("body", "invalid.value", "expected a JSON object")])
    problems = list(_problems(body))
    if problems:
        raise invalid(problems)
    return {
        "name": body["name"],
        "description": body.get("description", ""),
        "version": body["version"],
        "priority": body["priority"],
        "executionOrder": body["executionOrder"],
        "conditions": body.get("conditions", []),
        "actions": body.get("actions", []),
        "enabled": body.get("enabled", True),
    }


def _problems(body: Mapping[str, object]) -> Iterator[Detail]:
    yield from _text(body, "name", required=True)
    yield from _text(body, "description", blank=True)
    yield from _whole_number(body, "version", _LARGEST)
    yield from _whole_number(body, "priority", 1000)
    yield from _whole_number(body, "executionOrder", _LARGEST)
    yield from _entries(body, "conditions")
    yield from _entries(body, "actions")
    if not isinstance(body.get("enabled", True), bool):
        yield detail("enabled", "invalid.value", "expected true or false")
    known = (
        *("name", "description", "version", "priority", "executionOrder", "conditions", "actions", "enabled"),
        *_READ_ONLY,
    )
    yield from _unknown(body, known, "")


def _text(
    holder: Mapping[str, object], key: str, *, at: str = "", required: bool = False, blank: bool = False
) -> Iterator[Detail]:
    if key not in holder:
        if required:
            yield detail(at + key, "missing", "required")
        return
    value = holder[key]
    if not isinstance(value, str):
        yield detail(at + key, "invalid.value", "expected a string")
    elif not blank and not value.strip():
        yield detail(at + key, "invalid.value", "must not be blank")


def _whole_number(body: Mapping[str, object], key: str, largest: int) -> Iterator[Detail]:
    if key not in body:
        yield detail(key, "missing", "required")
        return
    value = body[key]
    # JSON true is an int to Python, and not a number to the contract
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        yield detail(key, "invalid.value", f"expected a whole number from 1 to {largest}")


def _entries(body: Mapping[str, object], key: str) -> Iterator[Detail]:
    entries = body.get(key, [])
    if not isinstance(entries, list):
        yield detail(key, "invalid.value", "expected a list")
        return
    for index, entry in enumerate(entries):
        at = f"{key}[{index}]"
        if not isinstance(entry, dict):
            yield detail(at, "invalid.value", "expected an object")
        elif key == "conditions":
            yield from _condition(entry, at + ".")
        else:
            # what else an action carries depends on its type and is stored as it is
            yield from _text(entry, "type", at=at + ".", required=True)


def _condition(entry: Mapping[str, object], at: str) -> Iterator[Detail]:
    yield from _text(entry, "attribute", at=at, required=True)
    operator = entry.get("operator")
    yield from _choice(entry, "operator", OPERATORS, at, required=True)
    yield from _text(entry, "value", at=at, required=operator not in _WITHOUT_VALUE, blank=True)
    yield from _choice(entry, "type", CONDITION_TYPES, at, required=False)
    yield from _unknown(entry, ("attribute", "operator", "value", "type"), at)


def _choice(
    entry: Mapping[str, object], key: str, choices: tuple[str, ...], at: str, *, required: bool
) -> Iterator[Detail]:
    if key not in entry:
        if required:
            yield detail(at + key, "missing", "required")
    elif entry[key] not in choices:
        yield detail(at + key, "invalid.value", f"expected one of {', '.join(choices)}")


def _unknown(holder: Mapping[str, object], known: tuple[str, ...], at: str) -> Iterator[Detail]:
    # a field that is ignored would look deployed: a misspelt one must be seen
    for key in holder:
        if key not in known:
            yield detail(at + key, "unknown.field", "not a field of the contract")
