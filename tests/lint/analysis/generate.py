"""Campaigns drawn from a seed: clean ones, in which no check of the rules has anything to find, and rank ones.

A clean campaign is clean by the way it is made, not because a check said so:

- a rule's conditions read each column once, and each of them holds on some values of its column and not on others, so
  that the rule matches some contacts and not others, and no condition of it is for nothing;
- what a rule does nobody else does: lists and columns of its own, which no condition reads; so no two rules contradict
  each other, none makes another needless, and their order does not matter;
- where a rule ends the run, the rules exclude each other by the column ``key``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dialproof.config import load_config
from dialproof.lint import lint
from dialproof.project import load_project

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from dialproof.lint import LintResult
    from dialproof.project import Project

__all__ = ["Drawn", "action", "clean", "leaf", "reads", "rule"]

WORDS = ("basic", "gold", "gold plus", "Münster", "new", "silver", "z\U0001f600")
KEYS = 1000
"""How many keys a campaign has in which rules exclude each other, ten for each rule."""
FIRST_DAY = date(2020, 1, 1)


@dataclass
class Drawn:
    """The content of the files of a campaign, as plain data that faults change.

    Where the columns are not ``declared``, the rules file names no contact list.
    """

    columns: dict[str, dict[str, Any]]
    rules: list[dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)
    semantics: dict[str, Any] = field(default_factory=dict)
    declared: bool = True

    @property
    def in_order(self) -> list[dict[str, Any]]:
        """The rules as they run."""
        return sorted(self.rules, key=lambda each: each["executionOrder"])

    def project(self, folder: Path, options: str = "") -> Project:
        """Write the files and read them as a project; ``options`` is further TOML."""
        named = {"contactList": "c.contactlist.json"} if self.declared else {}
        document = {"campaign": "c", **named, **self.settings, "rules": self.rules}
        semantics = "".join(f"{key} = {json.dumps(value)}\n" for key, value in self.semantics.items())
        for name, text in {
            "c.rules.json": json.dumps(document),
            "c.contactlist.json": json.dumps({"columns": self.columns}),
            "dialproof.toml": f"[semantics]\n{semantics}{options}",
        }.items():
            (folder / name).write_text(text, "utf-8")
        return load_project(load_config(folder))

    def lint(self, folder: Path, options: str = "") -> LintResult:
        """Lint the project that the files are."""
        return lint(self.project(folder, options))

    def add(self, new: dict[str, Any]) -> dict[str, Any]:
        """Append a rule that runs after all others."""
        new["executionOrder"] = max((r["executionOrder"] for r in self.rules), default=0) + 1
        self.rules.append(new)
        return new

    def column(self, name: str, **schema: Any) -> str:
        """Add a column that no rule reads yet."""
        assert name not in self.columns
        self.columns[name] = schema
        return name


def action(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an action as it is written."""
    return {"type": kind, **fields}


def rule(name: str, conditions: list[dict[str, Any]], actions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a rule as it is written; whoever adds it gives it its order."""
    return {"name": name, "version": 1, "priority": 500, "executionOrder": 0, "conditions": conditions,
            "actions": actions, **more}  # fmt: skip


def reads(conditions: list[dict[str, Any]]) -> set[str]:
    """Return the columns, and the fields of the call, that conditions name."""
    found = set()
    for condition in conditions:
        members = condition.get("all") or condition.get("any")
        if "not" in condition:
            members = [condition["not"]]
        if members is None:
            found.add(condition.get("attribute") or condition["context"])
        else:
            found |= reads(members)
    return found


def column(rng: Random) -> dict[str, Any]:
    """Draw a column with a domain of several values."""
    required = {"required": True} if rng.random() < 0.5 else {}
    low = rng.randint(-5, 5)
    match rng.choice(("integer", "number", "enum", "string", "boolean", "date", "datetime")):
        case "integer":
            return {"type": "integer", "min": low, "max": low + rng.randint(3, 40), **required}
        case "number":
            return {
                "type": "number",
                "min": low,
                "max": low + rng.randint(3, 40),
                "decimals": rng.choice((1, 2)),
                **required,
            }
        case "enum":
            return {"type": "string", "enum": rng.sample(WORDS, rng.randint(3, len(WORDS))), **required}
        case "string" | "boolean" as kind:
            return {"type": kind, **required}
        case kind:
            bounds = {"min": str(FIRST_DAY), "max": str(FIRST_DAY + timedelta(2000))}
            return {"type": kind, **bounds, **required}


def leaf(rng: Random, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Draw a condition that holds on some values of a column and does not on others."""
    if name.startswith("now."):
        return {"context": name, "operator": "between", "value": [2, rng.randint(3, 6)], "type": "number"}
    written: dict[str, Any] = {"attribute": name}
    if not schema.get("required") and rng.random() < 0.15:
        return {**written, "operator": rng.choice(("exists", "notExists"))}
    kind = schema["type"]
    if "enum" in schema:
        some = rng.sample(schema["enum"], rng.randint(1, len(schema["enum"]) - 1))
        written |= {"operator": rng.choice(("equals", "notEquals")), "value": some[0]}
        if len(some) > 1:
            written |= {"operator": rng.choice(("in", "notIn")), "value": some}
    elif kind == "boolean":
        written |= {"operator": rng.choice(("equals", "notEquals")), "value": rng.choice((True, False))}
    elif kind == "string":
        operator = rng.choice(("equals", "notEquals", "beginsWith", "lessThan", "greaterThanOrEqual", "in"))
        written |= {"operator": operator, "value": rng.sample(WORDS, 2) if operator == "in" else rng.choice(WORDS)}
    elif kind in ("date", "datetime"):
        day = str(FIRST_DAY + timedelta(rng.randint(10, 1990)))
        later = str(FIRST_DAY + timedelta(rng.randint(1991, 1999)))
        operator = rng.choice(("before", "after", "lessThan", "greaterThanOrEqual", "between"))
        written |= {"operator": operator, "value": [day, later] if operator == "between" else day}
    else:
        written |= _about(rng, schema)
    if rng.random() < 0.2:
        written["inverted"] = True
    return written


def _about(rng: Random, schema: dict[str, Any]) -> dict[str, Any]:
    """Draw a comparison of numbers: a value inside of the bounds holds and another one does not."""
    step = 10 ** schema.get("decimals", 0) if schema["type"] == "number" else 1
    low, high = schema["min"] * step, schema["max"] * step
    one, other = sorted(rng.sample(range(low + 1, high), 2))
    operator = rng.choice(("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual",
                           "between", "in", "notIn"))  # fmt: skip
    value = [one / step, other / step] if operator in ("between", "in", "notIn") else one / step
    return {"operator": operator, "value": value}


def _conditions(rng: Random, names: list[str], columns: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw conditions over the columns, each read once; two or three of them may stand in a group."""
    drawn = [leaf(rng, name, columns.get(name, {})) for name in names]
    if len(drawn) > 1 and rng.random() < 0.3:
        count = rng.randint(2, len(drawn))
        group = {rng.choice(("any", "all")): drawn[:count]}
        drawn = [{"not": group} if rng.random() < 0.3 else group, *drawn[count:]]
    return drawn


def clean(rng: Random, *, apart: bool = False) -> Drawn:
    """Draw a clean campaign; ``apart`` where rules may end the run, and exclude each other."""
    columns = {rng.choice(("c{}", "customFields.c{}")).format(n): column(rng) for n in range(rng.randint(3, 6))}
    readable = [*columns, *(["now.dayOfWeek"] if rng.random() < 0.1 else [])]
    columns["key"] = {"type": "integer", "min": 0, "max": KEYS, "required": True}
    drawn = Drawn(columns, [])
    if apart:
        drawn.settings["hitPolicy"] = rng.choice(("first", "all"))
        drawn.semantics["doNotDialStops"] = drawn.settings["hitPolicy"] == "all"
    drawn.semantics["caseSensitive"] = rng.random() < 0.9
    only_once = ["setSkills", "setCallerId", "switchToPreview", "numberUncallable", "dataAction"]
    refuses = rng.random() < 0.5  # doNotDial contradicts switchToPreview
    if refuses:
        only_once.remove("switchToPreview")
    rng.shuffle(only_once)
    names = [f"r{n}" for n in range(rng.randint(3, 8))]
    for number, name in enumerate(names):
        category = "wrapUp" if not apart and rng.random() < 0.2 else "preCall"
        members = rng.sample(readable, rng.randint(1, min(3, len(readable))))
        conditions = _conditions(rng, members, columns)
        if apart:
            conditions.insert(
                0, {"attribute": "key", "operator": "between", "value": [10 * number, 10 * number + rng.randint(1, 8)]}
            )
        actions = [action("setList", listId=f"list of {name}")]
        if rng.random() < 0.4:
            columns[f"own_{number}"] = {"type": "string"}
            actions.append(action("setAttribute", attribute=f"own_{number}", value=rng.choice(WORDS)))
        if category == "preCall" and refuses and rng.random() < 0.4:
            actions.insert(rng.randint(0, 1), action("doNotDial"))
        if category == "preCall" and only_once and rng.random() < 0.3:
            actions.append(_single(only_once.pop()))
        more: dict[str, Any] = {"category": category} if category == "wrapUp" else {}
        drawn.add(rule(name, conditions, actions, **more))["priority"] = rng.randint(1, 1000)
    for name in reversed(names):
        if rng.random() < 0.2 and name != names[0]:
            drawn.rules[names.index(name)]["runsAfter"] = [rng.choice(names[: names.index(name)])]
    for number, each in enumerate(drawn.rules):
        each["executionOrder"] = 10 * number + rng.randint(1, 9)
    if rng.random() < 0.5:
        rng.shuffle(drawn.rules)  # the order in the file means nothing
    return drawn


def _single(kind: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "setSkills": {"skills": ["spanish"]},
        "setCallerId": {"callerAddress": "+12025550100"},
        "dataAction": {"id": "lookup"},
    }.get(kind, {})
    return action(kind, **fields)
