"""The reference workload: 20 rules of three conditions over contacts of 15 columns, seeded, 2 % absent values."""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING, Any

from dialproof.cel.values import read_text

if TYPE_CHECKING:
    from pathlib import Path

STATES = ["TX", "CA", "NY", "FL", "WA"]
TIERS = ["gold", "silver", "bronze"]
COLUMNS: dict[str, dict[str, Any]] = {
    "customFields.lifetimeValue": {"type": "number", "min": 0, "max": 10000},
    "customFields.leadAge": {"type": "integer", "min": 0, "max": 365},
    "attempts": {"type": "integer", "min": 0, "max": 20},
    "age": {"type": "integer", "min": 18, "max": 99},
    "balance": {"type": "number", "min": -1000, "max": 50000},
    "score": {"type": "number", "min": 0, "max": 1},
    "state": {"type": "string", "enum": STATES},
    "tier": {"type": "string", "enum": TIERS},
    "zip": {"type": "string"},
    "product": {"type": "string"},
    "segment": {"type": "string"},
    "consent": {"type": "string", "enum": ["yes", "no", ""]},
    "lastCall": {"type": "datetime"},
    "nickname": {"type": "string"},
    "mobile": {"type": "boolean"},
}


def contact(draw: random.Random) -> dict[str, Any]:
    """Return one contact; each value is absent with 2 %."""
    flat: dict[str, Any] = {
        "attempts": draw.randrange(21),
        "age": draw.randrange(18, 100),
        "balance": round(draw.uniform(-1000, 50000), 2),
        "score": round(draw.random(), 3),
        "state": draw.choice(STATES),
        "tier": draw.choice(TIERS),
        "zip": f"{draw.randrange(100000):05d}",
        "product": f"P{draw.randrange(50):02d}",
        "segment": draw.choice("ABCD") + draw.choice("123"),
        "consent": draw.choice(["yes", "no"]),
        "lastCall": f"2025-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}T10:00:00Z",
        "nickname": draw.choice(["", "Sam", "Alex"]),
        "mobile": draw.random() < 0.5,
    }
    custom = {"lifetimeValue": round(draw.uniform(0, 10000), 2), "leadAge": draw.randrange(366)}
    kept = {k: v for k, v in flat.items() if draw.random() >= 0.02}
    return {**kept, "customFields": {k: v for k, v in custom.items() if draw.random() >= 0.02}}


def rules(draw: random.Random, count: int = 20) -> list[dict[str, Any]]:
    """Return rules of three conditions each that set lists of their own."""
    return [
        {
            "name": f"rule {i}",
            "version": 1,
            "priority": 100,
            "executionOrder": i + 1,
            "conditions": [
                draw.choice(
                    [
                        {"attribute": "age", "operator": "greaterThan", "value": str(draw.randrange(20, 90))},
                        {"attribute": "attempts", "operator": "lessThan", "value": str(draw.randrange(1, 20))},
                        {"attribute": "customFields.lifetimeValue", "operator": "greaterThan", "value": "5000"},
                    ]
                )
                | {"type": "number"},
                draw.choice(
                    [
                        {"attribute": "state", "operator": "in", "value": draw.sample(STATES, 2)},
                        {"attribute": "tier", "operator": "equals", "value": draw.choice(TIERS)},
                        {"attribute": "product", "operator": "beginsWith", "value": f"P{draw.randrange(5)}"},
                    ]
                )
                | {"type": "string"},
                draw.choice(
                    [
                        {
                            "attribute": "lastCall",
                            "operator": "before",
                            "value": "2025-07-01T00:00:00Z",
                            "type": "datetime",
                        },
                        {"attribute": "nickname", "operator": "exists", "type": "string"},
                        {"attribute": "zip", "operator": "lessThan", "value": "7", "type": "string"},
                    ]
                ),
            ],
            "actions": [{"type": "setList", "listId": f"list_{i}"}],
        }
        for i in range(count)
    ]


def write_pairs(folder: Path, count: int, seed: int = 1, *, writers: float = 0.0, sparse: bool = False) -> None:
    """Write a project of rules over three columns, of which many pairs contradict each other on some contact.

    ``writers`` is the share of rules that count or set a column which others read; ``sparse``: each rule is about a
    thousandth of the values, so that few rules meet.
    """
    draw = random.Random(seed)
    columns = {
        "attempts": {"type": "integer", "min": 0, "max": 20, "required": True},
        "value": {"type": "number", "min": 0, "max": 1_000_000, "decimals": 2},
        "state": {"type": "string", "enum": STATES},
    }

    def condition(attribute: str, operator: str, value: object) -> dict[str, object]:
        return {"attribute": attribute, "operator": operator, "value": value}

    def stretch() -> list[int]:
        if not sparse:
            return sorted(draw.sample(range(1_000_000), 2))
        low = draw.randrange(999_000)
        return [low, low + 1000]

    listed = [
        {
            "name": f"rule {i}",
            "version": 1,
            "priority": 1,
            "executionOrder": i + 1,
            "conditions": [
                condition("attempts", "greaterThan", draw.randrange(20)),
                condition("value", "between", stretch()),
                condition("state", "equals", draw.choice(STATES)),
            ],
            "actions": [
                {"type": "setList", "listId": f"list_{draw.randrange(200)}", "value": draw.choice(["true", "false"])}
            ],
        }
        for i in range(count)
    ]
    for rule in listed:
        if draw.random() < writers:
            changed = draw.choice(
                [{"attribute": "attempts", "option": "INCREMENT"}, {"attribute": "state", "value": draw.choice(STATES)}]
            )
            rule["actions"].append({"type": "setAttribute", **changed})
    (folder / "dialproof.toml").write_text("")
    (folder / "some.contactlist.json").write_text(json.dumps({"columns": columns}))
    content = {"campaign": "bench", "contactList": "some.contactlist.json", "rules": listed}
    (folder / "some.rules.json").write_text(json.dumps(content, indent=1))


def write_shadowed(folder: Path, count: int, dead: int, *, hit_policy: str = "first", seed: int = 5) -> frozenset[str]:
    """Write a project in which ``dead`` rules are covered by two to five earlier ones together, and return their names.

    No rule is covered by a single one: the parts that cover a rule overlap, and each leaves something over. Every
    other rule has a segment and a stretch of values of its own.
    """
    draw = random.Random(seed)
    columns = {
        "segment": {"type": "integer", "min": 0, "max": count, "required": True},
        "value": {"type": "number", "min": 0, "max": 1_000_000, "decimals": 2, "required": True},
        "attempts": {"type": "integer", "min": 0, "max": 20},
    }
    listed: list[dict[str, Any]] = []
    names: set[str] = set()

    def add(segment: int, low: float, high: float, *conditions: dict[str, Any]) -> None:
        inside = {"attribute": "value", "operator": "between", "value": [low, high]}
        here = {"attribute": "segment", "operator": "equals", "value": segment}
        action = {"type": "setList", "listId": f"list_{draw.randrange(200)}", "value": draw.choice(["true", "false"])}
        order = len(listed) + 1
        listed.append(
            {"name": f"rule {order}", "version": 1, "priority": 1, "executionOrder": order,
             "conditions": [here, inside, *conditions], "actions": [action]}
        )  # fmt: skip

    for segment in range(count):
        if len(names) < dead:
            parts = draw.randint(2, 5)
            bounds = sorted(1000 * b for b in draw.sample(range(1, 1000), parts - 1))
            starts, ends = [0, *bounds], [*(b + draw.randrange(500) for b in bounds), 1_000_000]
            for low, high in zip(starts, ends, strict=True):
                add(segment, low, high)
            add(segment, draw.randrange(bounds[0]), bounds[-1] + draw.randint(600, 1_000_000 - bounds[-1]))
            names.add(f"rule {len(listed)}")
        elif len(listed) + 3 <= count:
            few = draw.randrange(1, 20)
            middle = draw.randrange(1, 1_000_000)
            add(segment, 0, middle, {"attribute": "attempts", "operator": "lessThan", "value": few})
            add(segment, middle, 1_000_000)
            add(segment, 0, 1_000_000)  # what has no attempts, or many of them, is left over
        elif len(listed) < count:
            add(segment, 0, 1_000_000)
    (folder / "dialproof.toml").write_text("")
    (folder / "some.contactlist.json").write_text(json.dumps({"columns": columns}))
    content = {
        "campaign": "bench", "contactList": "some.contactlist.json", "hitPolicy": hit_policy, "rules": listed,
    }  # fmt: skip
    (folder / "some.rules.json").write_text(json.dumps(content, indent=1))
    return frozenset(names)


def write_table(folder: Path, rules: int, columns: int, holes: int, seed: int = 1) -> None:
    """Write a decision table (``total: true``) over integer columns that leaves out ``holes`` of its boxes.

    The space is split at random until there are boxes enough, so that no two of them overlap.
    """
    draw = random.Random(seed)
    boxes = [((0, 1000),) * columns]
    while len(boxes) < rules + holes:
        box = boxes.pop(draw.randrange(len(boxes)))
        column = draw.randrange(columns)
        low, high = box[column]
        if low == high:
            boxes.append(box)
            continue
        middle = draw.randrange(low, high)
        boxes += [(*box[:column], part, *box[column + 1 :]) for part in ((low, middle), (middle + 1, high))]
    draw.shuffle(boxes)
    listed = []
    for order, box in enumerate(boxes[holes:], 1):
        conditions = [
            {"attribute": f"c{i}", "operator": "between", "value": list(part)}
            for i, part in enumerate(box)
            if part != (0, 1000)
        ]
        listed.append(
            {"name": f"rule {order}", "version": 1, "priority": 1, "executionOrder": order,
             "conditions": conditions, "actions": [{"type": "setList", "listId": "l"}]}
        )  # fmt: skip
    names = {f"c{i}": {"type": "integer", "min": 0, "max": 1000, "required": True} for i in range(columns)}
    (folder / "dialproof.toml").write_text("")
    (folder / "some.contactlist.json").write_text(json.dumps({"columns": names}))
    content = {"campaign": "bench", "contactList": "some.contactlist.json", "total": True, "rules": listed}
    (folder / "some.rules.json").write_text(json.dumps(content, indent=1))


def write_files(folder: Path, count: int, seed: int = 9) -> None:
    """Write a project of many campaigns: rules files of ten rules in YAML, each with a contacts file of one case."""
    draw = random.Random(seed)
    (folder / "dialproof.toml").write_text("")
    (folder / "some.contactlist.json").write_text(json.dumps({"columns": COLUMNS}))
    for number in range(count):
        lines = [f"campaign: campaign {number}", "contactList: some.contactlist.json", "rules:"]
        for rule in rules(draw, 10):
            lines.append(f"  - name: {rule['name']}")
            lines += [f"    {key}: {rule[key]}" for key in ("version", "priority", "executionOrder")]
            for key in ("conditions", "actions"):
                lines += [f"    {key}:", *(f"      - {json.dumps(item)}" for item in rule[key])]
        (folder / f"file{number}.rules.yaml").write_text("\n".join(lines) + "\n")
        (folder / f"file{number}.contacts.yaml").write_text(
            f"rules: file{number}.rules.yaml\ncases:\n  - name: one\n    contact: {{}}\n    expect: {{dial: true}}\n"
        )


def write_project(folder: Path, *, rule_count: int = 20, cases: int = 0, form: str = "csv", seed: int = 7) -> None:
    """Write a project: rules, contact list and a contacts file (csv, json or yaml) of ``cases`` cases that all pass."""
    from pathlib import Path

    from dialproof.config import load_config
    from dialproof.evaluate import Evaluator
    from dialproof.project import load_project

    draw = random.Random(seed)
    (folder / "dialproof.toml").write_text('[gate]\ncoverage = "none"\nmaxConflictRate = 1.0\n')
    (folder / "some.contactlist.json").write_text(json.dumps({"columns": COLUMNS}))
    content = {"campaign": "bench", "contactList": "some.contactlist.json", "rules": rules(draw, rule_count)}
    (folder / "some.rules.json").write_text(json.dumps(content, indent=1))
    if not cases:
        return
    config = load_config(Path(folder))
    evaluator = Evaluator(load_project(config).campaigns[0], config.semantics)
    listed = []
    for number in range(cases):
        person = contact(draw)
        outcome = evaluator.run(person)
        expect = {"matched": list(outcome.matched), "undecided": list(outcome.undecided), "dial": outcome.dial}
        listed.append({"name": f"case {number}", "contact": person, "expect": expect})
    if form == "json":
        (folder / "some.contacts.json").write_text(json.dumps({"cases": listed}, indent=1))
        return
    if form == "yaml":
        lines = [
            f"  - name: {case['name']}\n    contact: {json.dumps(case['contact'])}\n"
            f"    expect: {json.dumps(case['expect'])}\n"
            for case in listed
        ]
        (folder / "some.contacts.yaml").write_text(f"cases:\n{''.join(lines)}")
        return
    with (folder / "some.contacts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", *COLUMNS, "expect.matched", "expect.undecided", "expect.dial"])
        rows.writerows(_row(case) for case in listed)


def _row(case: dict[str, Any]) -> list[str]:
    """Return a case as a row: blank where the contact has no value, ``-`` for an empty list of rules."""
    contact, expect = case["contact"], case["expect"]
    flat = {**contact, **{f"customFields.{k}": v for k, v in contact["customFields"].items()}}
    rules = ["|".join(expect[key]) or "-" for key in ("matched", "undecided")]
    return [case["name"], *(read_text(flat.get(column)) for column in COLUMNS), *rules, read_text(expect["dial"])]
