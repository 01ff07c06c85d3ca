"""Campaigns drawn from a seed in which much is wrong: all that a rules file can say, over few columns and lists."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.lint.analysis.generate import FIRST_DAY, WORDS, Drawn, action, column, leaf, rule

if TYPE_CHECKING:
    from random import Random

__all__ = ["rank"]

PERIODS = ("PT1H", "P1D", "P7DT0H0M", "P365D")
PIECES = ("gold", "o", "s", "ü", "new")


def rank(rng: Random) -> Drawn:
    """Draw a campaign of two to five rules that come into each other's way."""
    columns = {f"c{n}": column(rng) for n in range(rng.randint(2, 3))}
    columns["customFields.n"] = {"type": "integer", "min": 0, "max": 9}
    columns["seen"] = {"type": "datetime"}
    settings = {"hitPolicy": rng.choice(("all", "all", "first"))}
    semantics = {
        "undecided": rng.choice(("refuseToDial", "refuseToDial", "unmet", "met")),
        "laterRulesSeeUpdates": rng.random() < 0.8,
        "doNotDialStops": rng.random() < 0.3,
        "caseSensitive": rng.random() < 0.8,
    }
    drawn = Drawn(columns, [], settings, semantics, declared=rng.random() < 0.9)
    wrap_up = rng.random() < 0.2
    for number in range(rng.randint(2, 5)):
        category = "wrapUp" if wrap_up and number % 2 else "preCall"
        actions = [_action(rng, columns, category) for _ in range(rng.randint(1, 2))]
        conditions = [_expression(rng, columns, 2) for _ in range(rng.randint(1, 2))]
        drawn.add(rule(f"r{number}", conditions, actions, category=category, priority=rng.randint(1, 3)))
        if rng.random() < 0.15:
            del drawn.rules[-1]["conditions"]
            drawn.rules[-1]["when"] = _cel(rng, columns)
        if number and rng.random() < 0.1:
            drawn.rules[-1]["overrides"] = ["r0"]
    return drawn


def _expression(rng: Random, columns: dict[str, dict[str, Any]], depth: int) -> dict[str, Any]:
    if depth and rng.random() < 0.25:
        members = [_expression(rng, columns, depth - 1) for _ in range(rng.randint(1, 3))]
        kind = rng.choice(("all", "any", "not"))
        return {kind: members[0] if kind == "not" else members}
    if rng.random() < 0.08:
        return {"context": "now.dayOfWeek", "operator": "lessThan", "value": rng.randint(1, 8), "type": "number"}
    if rng.random() < 0.05:
        return {"context": "phone.type", "operator": rng.choice(("equals", "notEquals")), "value": "Home"}
    name = rng.choice(list(columns))
    schema = columns[name]
    if schema["type"] == "datetime" and rng.random() < 0.5:
        operator = rng.choice(("lessThan", "greaterThan", "before", "after", "greaterThanOrEqual"))
        return {"attribute": name, "operator": operator, "value": rng.choice(PERIODS), "type": "period"}
    if schema["type"] == "string" and rng.random() < 0.3:
        operator = rng.choice(("contains", "endsWith", "notContains", "beginsWith", "matches"))
        return {"attribute": name, "operator": operator, "value": rng.choice(PIECES)}
    if rng.random() < 0.1:
        return {"attribute": name, "operator": rng.choice(("exists", "notExists"))}
    if schema["type"] == "datetime" and "min" not in schema:
        schema = {**schema, "min": str(FIRST_DAY), "max": str(FIRST_DAY + timedelta(2000))}
    return leaf(rng, name, schema)


def _cel(rng: Random, columns: dict[str, dict[str, Any]]) -> str:
    name = rng.choice(list(columns))
    value, text = f'contact["{name}"]', f'text["{name}"]'
    word, low, high = rng.choice(WORDS), rng.randint(0, 4), rng.randint(3, 9)
    numbers = [n for n, schema in columns.items() if schema["type"] in ("integer", "number")]
    if name in numbers:
        said = [
            f"{value} > {low}.0 && {value} <= {high}.0",
            f"{value} < {low}.0 || {value} == {high}.0",
            f"{value} + 1.0 > {high}.0",
            f'contact["{rng.choice(numbers)}"] < {value}',
            f"[{low}.0, {high}.0].exists(x, x == {value})",
            f'{text} == "" ? false : {value} > {low}.0',
        ]
    elif columns[name]["type"] == "boolean":
        said = [value, f"!{value}", f'{text} != "" && {value}']
    elif columns[name]["type"] == "string":
        said = [
            f'{value} == "{word}"',
            f'{value} in ["{word}", "gold"]',
            f'{value}.startsWith("g") || {value} == "{word}"',
            f"size({value}) > 3.0",
            f'{value} > "m" && {value} != "{word}"',
        ]
    else:
        said = [f'{value} < timestamp("{FIRST_DAY + timedelta(rng.randint(10, 1990))}T00:00:00Z")']
    return rng.choice(said)


def _action(rng: Random, columns: dict[str, dict[str, Any]], category: str) -> dict[str, Any]:
    kinds = ["setList", "setList", "setAttribute", "setAttribute", "contactUncallable"]
    kinds += ["doNotDial", "switchToPreview", "setSkills"] if category == "preCall" else ["scheduleCallback"]
    kind = rng.choice(kinds)
    if kind == "setList":
        return action(kind, listId=rng.choice(("l", "m")), value=rng.choice(("true", "false")))
    if kind == "setSkills":
        return action(kind, skills=[rng.choice(("spanish", "french"))])
    if kind == "scheduleCallback":
        return action(kind, offsetMinutes=rng.choice((30, 60)))
    if kind != "setAttribute":
        return action(kind)
    name = rng.choice(list(columns))
    schema = columns[name]
    if schema["type"] in ("integer", "number"):
        option = rng.choice(("SET", "INCREMENT", "DECREMENT"))
        return action(kind, attribute=name, option=option, value=rng.choice((1, 2, schema["min"], schema["max"])))
    if schema["type"] == "datetime" and rng.random() < 0.5:
        return action(kind, attribute=name, option="CURRENT_TIME")
    values = {"boolean": ("true", "false"), "string": schema.get("enum", WORDS)}
    return action(kind, attribute=name, value=rng.choice((*values.get(schema["type"], (str(FIRST_DAY),)), "")))
