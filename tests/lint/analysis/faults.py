"""Faults to put into clean campaigns: one or more for each check that decides exactly, and what must be found of it.

A fault is put in so that nothing else is wrong with the campaign. Where one mistake is an offence against two checks at
once, both are expected; ``also`` names checks that may speak up about the same rules, for a reason that stands there. A
check that does not exist yet expects nothing.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tests.lint.analysis.generate import action, leaf, reads, rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.lint.analysis.generate import Drawn

__all__ = ["FAULTS", "Fault", "Seeded"]

Rule = dict[str, Any]


@dataclass(frozen=True)
class Seeded:
    """What must be found: (code, rules in order); ``also`` are codes that may be found at these rules."""

    must: frozenset[tuple[str, tuple[str, ...]]]
    also: frozenset[str] = frozenset()

    def allows(self, code: str, rules: tuple[str, ...]) -> bool:
        """Tell whether a finding beside those that must be is about the same rules (or all), by a check that may."""
        about = {name for _, names in self.must for name in names}
        return code in self.also and (not about or not about.isdisjoint(rules))


@dataclass(frozen=True)
class Fault:
    """One way to spoil a clean campaign, in which rules may end the run if it is ``apart``."""

    code: str
    name: str
    put: Callable[[Random, Drawn], Seeded]
    apart: tuple[bool, ...] = field(default=(False,))

    def __str__(self) -> str:
        """Return code and name, for parametrised tests."""
        return f"{self.code} {self.name}"


def _seeded(*must: tuple[str, tuple[Rule | str, ...]], also: str = "") -> Seeded:
    named = frozenset((code, tuple(r if isinstance(r, str) else r["name"] for r in rules)) for code, rules in must)
    return Seeded(named, frozenset(also.split()))


def _independent(rng: Random, drawn: Drawn) -> tuple[Rule, Rule]:
    """Return two rules of one category, the earlier one first, that read no column in common: they meet somewhere."""
    pairs = [
        (one, other)
        for one, other in combinations(drawn.in_order, 2)
        if one.get("category") == other.get("category") and not reads(one["conditions"]) & reads(other["conditions"])
    ]
    if pairs and rng.random() < 0.7:
        return rng.choice(pairs)
    one = rng.choice(drawn.rules)
    name = drawn.column("meeting", type="integer", min=0, max=9, required=True)
    condition = {"attribute": name, "operator": "greaterThan", "value": rng.randint(1, 8)}
    return one, _beside(drawn, one, "met", [condition], [_listed("met")])


def _listed(name: str, value: str = "true") -> Rule:
    return action("setList", listId=f"list of {name}", value=value)


def _beside(drawn: Drawn, one: Rule, name: str, conditions: list[Rule], actions: list[Rule]) -> Rule:
    """Append a rule of the category and priority of another one."""
    more = {"category": one["category"]} if "category" in one else {}
    return drawn.add(rule(name, deepcopy(conditions), deepcopy(actions), priority=one["priority"], **more))


def _ends(drawn: Drawn, one: Rule) -> bool:
    """Tell whether a rule that acts ends the run."""
    stops = drawn.semantics.get("doNotDialStops") and any(a["type"] == "doNotDial" for a in one["actions"])
    return drawn.settings.get("hitPolicy") == "first" or bool(stops)


def _undeclared(drawn: Drawn) -> None:
    """Take back what the campaign declares of its order."""
    for each in drawn.rules:
        each.pop("runsAfter", None)


def _no_inversion(one: Rule, other: Rule) -> None:
    other["priority"] = min(one["priority"], other["priority"])


def _inversion(one: Rule, other: Rule) -> None:
    one["priority"], other["priority"] = 1, 2


# Conditions.


def _contradiction(rng: Random, drawn: Drawn) -> Seeded:
    """Ask for a number above and below one bound, or for a condition and its opposite."""
    spoilt = rng.choice(drawn.rules)
    free = [name for name in drawn.columns if name not in reads(spoilt["conditions"]) and not name.startswith("own_")]
    name = rng.choice([*free, "key"])
    schema = drawn.columns[name]
    if schema["type"] in ("integer", "number"):
        bound = rng.randint(schema["min"] + 1, schema["max"] - 1)
        pairs = [("greaterThan", "lessThan"), ("greaterThanOrEqual", "lessThan"), ("equals", "notEquals")]
        one, other = ({"attribute": name, "operator": o, "value": bound} for o in rng.choice(pairs))
    else:
        one = leaf(rng, name, schema)
        other = {"not": one}
    spoilt["conditions"] = [*spoilt["conditions"], one, other]
    rng.shuffle(spoilt["conditions"])
    return _unreachable(spoilt)


def _out_of_domain(rng: Random, drawn: Drawn) -> Seeded:
    """Ask for a number above the largest one."""
    spoilt = rng.choice(drawn.rules)
    name = rng.choice(
        [n for n, schema in drawn.columns.items() if "max" in schema and schema["type"] in ("integer", "number")]
    )
    above = {"attribute": name, "operator": "greaterThan", "value": drawn.columns[name]["max"]}
    spoilt["conditions"] = [above, *spoilt["conditions"]]
    return _unreachable(spoilt)


def _unreachable(spoilt: Rule) -> Seeded:
    # Of a rule that never matches, other checks may say that nobody comes to its list, or that it can go.
    return _seeded(("DP201", (spoilt,)), also="DP203 DP304 DP403")


def _everybody(rng: Random, drawn: Drawn) -> Seeded:
    """Ask for what the column's bounds make true, or for a condition or its opposite."""
    name = drawn.column("everybody", type="integer", min=0, max=9, required=True)
    low = {"attribute": name, "operator": "greaterThanOrEqual", "value": 0}
    inside = leaf(rng, name, drawn.columns[name])
    wide = rng.choice(
        (low, {"attribute": name, "operator": "notEquals", "value": 10}, {"any": [inside, {"not": inside}]})
    )
    spoilt = rng.choice(drawn.rules)
    spoilt["conditions"] = [wide]
    # Each of its conditions can be dropped.
    return _seeded(("DP202", (spoilt,)), also="DP203")


def _needless(rng: Random, drawn: Drawn) -> Seeded:
    """Add a comparison that another one of the rule implies."""
    spoilt = rng.choice(drawn.rules)
    name = drawn.column("needless", type="integer", min=0, max=9, required=True)
    narrow, wide = ({"attribute": name, "operator": "greaterThan", "value": value} for value in (5, rng.randint(1, 5)))
    pair = [narrow, wide] if rng.random() < 0.7 else [{"any": [narrow, wide]}]
    rng.shuffle(pair)
    spoilt["conditions"] = [*pair, *spoilt["conditions"]]
    return _seeded(("DP203", (spoilt,)))


# Actions.


def _against_itself(rng: Random, drawn: Drawn) -> Seeded:
    """Let a rule take contacts off the list that it puts them on."""
    spoilt = rng.choice(drawn.rules)
    spoilt["actions"].append(_listed(spoilt["name"], "false"))
    # Nobody stays on that list.
    return _seeded(("DP204", (spoilt,)), also="DP403 DP304")


# Pairs.


def _opposite(rng: Random, drawn: Drawn) -> tuple[Rule, Rule]:
    one, other = _independent(rng, drawn)
    mine = rng.choice([a for a in one["actions"] if a["type"] in ("setList", "setAttribute", "setSkills")])
    against = {"setList": {"value": "false"}, "setAttribute": {"value": "another"}, "setSkills": {"skills": ["french"]}}
    other["actions"] = [a for a in other["actions"] if a["type"] != "setSkills"]
    other["actions"].append({**mine, **against[mine["type"]]})
    return one, other


def _conflict(rng: Random, drawn: Drawn) -> Seeded:
    """Let a rule undo what an earlier one does, on contacts that both act on."""
    one, other = _opposite(rng, drawn)
    _no_inversion(one, other)
    # Where they meet, the later one wins; what the earlier one wrote may be dead.
    return _seeded(("DP301", (other, one)), also="DP307 DP508")


def _conflict_and_inversion(rng: Random, drawn: Drawn) -> Seeded:
    """Do the same where the later rule is the more important one."""
    one, other = _opposite(rng, drawn)
    _inversion(one, other)
    return _seeded(("DP301", (other, one)), ("DP502", (other, one)), also="DP307 DP508")


def _behind_an_end(rng: Random, drawn: Drawn) -> Seeded:
    """Add a narrower rule behind one that ends the run."""
    one = rng.choice(drawn.rules)
    if drawn.semantics.get("doNotDialStops"):
        one["actions"] = [a for a in one["actions"] if a["type"] not in ("switchToPreview", "doNotDial")]
        one["actions"].append(action("doNotDial"))
    conditions = deepcopy(one["conditions"])
    free = [name for name in drawn.columns if name not in reads(conditions) and not name.startswith("own_")]
    if free and rng.random() < 0.8:
        name = rng.choice(free)
        conditions.insert(rng.randint(0, len(conditions)), leaf(rng, name, drawn.columns[name]))
    other = drawn.add(rule("shadowed", conditions, [_listed("shadowed")]))
    # It changes no outcome, and nobody comes to its list.
    return _seeded(("DP302", (other, one)), also="DP303 DP304 DP403")


def _behind_a_write(rng: Random, drawn: Drawn) -> Seeded:
    """Add a narrower rule whose condition an earlier one makes untrue."""
    one = rng.choice(drawn.rules)
    name = drawn.column("switch", type="string", enum=["on", "off", "broken"], required=True)
    one["actions"].append(action("setAttribute", attribute=name, value="off"))
    condition = {"attribute": name, "operator": "equals", "value": "on"}
    other = _beside(drawn, one, "shadowed", [*one["conditions"], condition], [_listed("shadowed")])
    # In the other order it would act.
    return _seeded(("DP302", (other, one)), also="DP304 DP307 DP403")


def _copy(rng: Random, drawn: Drawn) -> Seeded:
    """Add a rule with the same conditions, written in another way, and the same actions."""
    one = rng.choice(drawn.rules)
    again = [rng.choice((c, {"all": [c]}, {"not": {"not": c}})) for c in deepcopy(one["conditions"])]
    rng.shuffle(again)
    other = _beside(drawn, one, "copy", again, one["actions"])
    shadowed = [("DP302", (other, one))] if _ends(drawn, one) else []
    # Each of the two can go, the two could be one, and what the earlier one writes the later one writes again.
    return _seeded(("DP305", (other, one)), *shadowed, also="DP303 DP304 DP308 DP508")


def _name(rng: Random, drawn: Drawn) -> Seeded:
    """Give a rule a name that is taken."""
    _undeclared(drawn)
    one, other = sorted(rng.sample(drawn.rules, 2), key=lambda each: each["executionOrder"])
    other["name"] = one["name"]
    return _seeded(("DP305", (other,)))


def _behind_two_ends(rng: Random, drawn: Drawn) -> Seeded:
    """Add a rule behind two that end the run, each on a part of its contacts."""
    stops = [action("doNotDial")] if drawn.semantics.get("doNotDialStops") else []
    low, high = 900, 900 + rng.randint(3, 90)
    middle = rng.randint(low, high - 1)
    added = []
    for name, bounds in {"left": [low, middle], "right": [middle + 1, high], "shadowed": [low, high]}.items():
        conditions = [{"attribute": "key", "operator": "between", "value": bounds}]
        if name == "shadowed" and rng.random() < 0.7:
            free = rng.choice([n for n in drawn.columns if n != "key" and not n.startswith("own_")])
            conditions.append(leaf(rng, free, drawn.columns[free]))
        added.append(drawn.add(rule(name, conditions, [_listed(name), *stops])))
    left, right, spoilt = added
    # It changes no outcome, and nobody comes to its list.
    return _seeded(("DP303", (spoilt, left, right)), also="DP304 DP403")


def _nothing_new(rng: Random, drawn: Drawn) -> Seeded:
    """Add a rule that does to some contacts what an earlier one does to all of its own."""
    one = rng.choice(drawn.rules)
    one["actions"] = [a for a in one["actions"] if a["type"] == "setList"]
    name = drawn.column("narrower", type="integer", min=0, max=9, required=True)
    narrower = [*one["conditions"], leaf(rng, name, drawn.columns[name])]
    other = _beside(drawn, one, "nothing new", narrower, one["actions"])
    return _seeded(("DP304", (other, one)))


def _narrow_in_front(rng: Random, drawn: Drawn) -> Seeded:
    """Narrow a rule, and undo what it does on all contacts that it had before."""
    one = rng.choice(drawn.rules)
    other = _beside(drawn, one, "general", one["conditions"], [_listed(one["name"], "false")])
    name = drawn.column("narrower", type="integer", min=0, max=9, required=True)
    one["conditions"] = [*one["conditions"], leaf(rng, name, drawn.columns[name])]
    if not _ends(drawn, one):
        other["overrides"] = [one["name"]]  # else DP301 tells it
    # Nobody stays on the list, and the earlier write is dead; whether it is all that its rule does may stay open.
    return _seeded(("DP306", (other, one)), also="DP304 DP403 DP508 DP901")


def _alike(rng: Random, drawn: Drawn) -> Seeded:
    """Add two rules that are equal but for values of one column without a gap between them."""
    low = rng.randint(900, 940)
    middle, high = low + rng.randint(1, 20), low + rng.randint(21, 50)
    added = []
    for name, bounds in {"one half": [low, middle], "other half": [middle + 1, high]}.items():
        condition = {"attribute": "key", "operator": "between", "value": bounds}
        added.append(drawn.add(rule(name, [condition], [_listed("halves")])))
    return _seeded(("DP308", tuple(added)))


# Coverage.


def _gap(rng: Random, drawn: Drawn) -> Seeded:
    """Declare that every contact is decided where keys are left over."""
    drawn.settings["total"] = True
    # Columns that may be blank leave further contacts over.
    return _seeded(("DP401", ()), also="DP402")


def _blank_gap(rng: Random, drawn: Drawn) -> Seeded:
    """Declare that every contact is decided where two rules decide all but blank values."""
    drawn.settings["total"] = True
    drawn.rules.clear()
    name = drawn.column("blank", type="integer", min=0, max=9)
    bound = rng.randint(1, 8)
    added = [
        drawn.add(rule(o, [{"attribute": name, "operator": o, "value": bound}], [action("setList", listId=o)]))
        for o in rng.sample(("lessThan", "greaterThanOrEqual"), 2)
    ]
    return _seeded(("DP402", tuple(added)))


def _emptied_list(rng: Random, drawn: Drawn) -> Seeded:
    """Add a rule that takes every contact off a list again, and says that it is meant."""
    one = rng.choice(drawn.rules)
    other = _beside(drawn, one, "emptied", one["conditions"], [_listed(one["name"], "false")])
    other["overrides"] = [one["name"]]
    # What the earlier rule does to the list is dead, and may be all that it does.
    return _seeded(("DP403", (one,)), also="DP304 DP306 DP508")


# Order.


def _order(rng: Random, drawn: Drawn) -> Seeded:
    """Give two rules one order."""
    first, second = sorted(rng.sample(range(len(drawn.rules)), 2))
    one, other = drawn.rules[first], drawn.rules[second]
    _undeclared(drawn)
    one["executionOrder"] = other["executionOrder"]
    return _seeded(("DP501", (other, one)))


def _feeding(rng: Random, drawn: Drawn) -> tuple[Rule, Rule]:
    """Return two rules of which the earlier one writes what the later one reads."""
    one, other = _independent(rng, drawn)
    name = drawn.column("fed", type="integer", min=0, max=9, required=True)
    bound = rng.randint(1, 8)
    one["actions"].append(action("setAttribute", attribute=name, value=rng.choice((bound, bound - 1))))
    other["conditions"] = [*other["conditions"], {"attribute": name, "operator": "lessThanOrEqual", "value": bound}]
    return one, other


def _inverted_feeding(rng: Random, drawn: Drawn) -> Seeded:
    """Let a rule read what a less important one writes before it."""
    one, other = _feeding(rng, drawn)
    _inversion(one, other)
    # Whoever exchanges the two changes the outcome.
    return _seeded(("DP502", (other, one)), also="DP307")


def _loop(rng: Random, drawn: Drawn) -> Seeded:
    """Let each of two rules write what the other one reads."""
    one, other = _feeding(rng, drawn)
    name = drawn.column("fed_back", type="string", enum=["yes", "no"], required=True)
    one["conditions"] = [{"attribute": name, "operator": "equals", "value": "yes"}, *one["conditions"]]
    other["actions"].append(action("setAttribute", attribute=name, value=rng.choice(("yes", "no"))))
    _no_inversion(one, other)
    # The earlier one reads what is written later, and a second pass comes to something else.
    return _seeded(("DP504", (one, other)), also="DP307 DP503 DP506 DP507")


def _sensitive_feeding(rng: Random, drawn: Drawn) -> Seeded:
    """Let a rule read what the one directly in front of it writes, and say nothing of the order."""
    one = drawn.in_order[-1]
    name, met = (drawn.column(n, type="integer", min=0, max=9, required=True) for n in ("fed", "met"))
    one["actions"].append(action("setAttribute", attribute=name, value=7))
    conditions = [
        {"attribute": name, "operator": "greaterThan", "value": rng.randint(2, 6)},
        leaf(rng, met, drawn.columns[met]),
    ]
    other = _beside(drawn, one, "reader", conditions, [_listed("reader")])
    return _seeded(("DP307", (other, one)))


def _too_late(rng: Random, drawn: Drawn, *, meant: bool = False) -> Seeded:
    """Let a rule write what an earlier one has read; where it is meant, a second pass still does more."""
    _undeclared(drawn)
    one, other = _independent(rng, drawn)
    name = drawn.column("tier", type="string", enum=["gold", "basic", "new"], required=True)
    turns_true = [("equals", "gold"), ("notEquals", "basic")]
    operator, value = rng.choice(turns_true if meant else [*turns_true, ("equals", "basic"), ("notEquals", "gold")])
    one["conditions"] = [{"attribute": name, "operator": operator, "value": "gold"}, *one["conditions"]]
    other["actions"].append(action("setAttribute", attribute=name, value=value))
    _no_inversion(one, other)
    if meant:
        other["runsAfter"] = [one["name"]]
        return _seeded(("DP506", (one,)))
    # The second pass sees what the first one wrote.
    return _seeded(("DP503", (one, other)), also="DP506")


def _meant_but_not_settled(rng: Random, drawn: Drawn) -> Seeded:
    """Do the same and say that it is meant: a second pass still comes to something else."""
    return _too_late(rng, drawn, meant=True)


def _to_and_fro(rng: Random, drawn: Drawn) -> Seeded:
    """Add two rules of which each pass runs one, and which pass a contact on to each other."""
    drawn.settings["hitPolicy"], drawn.semantics["doNotDialStops"] = "first", False
    name = drawn.column("pool", type="string", enum=["active", "resting"], required=True)
    key = {"attribute": "key", "operator": "greaterThan", "value": rng.randint(900, 990)}
    added = [
        drawn.add(rule(f"from {old}", [key, {"attribute": name, "operator": "equals", "value": old}],
                       [action("setAttribute", attribute=name, value=new)]))
        for old, new in (("active", "resting"), ("resting", "active"))
    ]  # fmt: skip
    # Each writes what the other one reads.
    return _seeded(("DP507", tuple(added)), also="DP504 DP506")


def _dead_write(rng: Random, drawn: Drawn) -> Seeded:
    """Let a later rule write the same again, on all contacts of an earlier one."""
    one = rng.choice(drawn.rules)
    name = drawn.column("written_twice", type="string")
    write = action("setAttribute", attribute=name, value="x")
    one["actions"].append(write)
    other = _beside(drawn, one, "writes again", one["conditions"], [write, _listed("again")])
    return _seeded(("DP508", (one, other)))


def _declared_loop(rng: Random, drawn: Drawn) -> Seeded:
    """Declare of two rules that each runs after the other."""
    _undeclared(drawn)
    one, other = rng.choice(list(combinations(drawn.in_order, 2)))
    one["runsAfter"], other["runsAfter"] = [other["name"]], [one["name"]]
    return _seeded(("DP504", (one, other)), ("DP505", (one, other)))


def _too_early(rng: Random, drawn: Drawn) -> Seeded:
    """Declare of a rule that it runs after a later one."""
    _undeclared(drawn)
    one, other = rng.choice(list(combinations(drawn.in_order, 2)))
    one["runsAfter"] = [other["name"]]
    return _seeded(("DP505", (one, other)))


def _after_nobody(rng: Random, drawn: Drawn) -> Seeded:
    """Declare of a rule that it runs after one that there is not."""
    spoilt = rng.choice(drawn.rules)
    spoilt["runsAfter"] = [*spoilt.get("runsAfter", ()), "nobody"]
    return _seeded(("DP505", (spoilt,)))


def _after_itself(rng: Random, drawn: Drawn) -> Seeded:
    """Declare of a rule that it runs after itself."""
    spoilt = rng.choice(drawn.rules)
    spoilt["runsAfter"] = [*spoilt.get("runsAfter", ()), spoilt["name"]]
    return _seeded(("DP505", (spoilt,)), ("DP504", (spoilt,)))


_BOTH = (False, True)
FAULTS = (
    Fault("DP201", "contradiction", _contradiction, _BOTH),
    Fault("DP201", "outside of the domain", _out_of_domain, _BOTH),
    Fault("DP202", "everybody", _everybody),
    Fault("DP203", "needless", _needless, _BOTH),
    Fault("DP204", "against itself", _against_itself, _BOTH),
    Fault("DP301", "conflict", _conflict),
    Fault("DP301", "conflict and inversion", _conflict_and_inversion),
    Fault("DP302", "behind an end", _behind_an_end, (True,)),
    Fault("DP302", "behind a write", _behind_a_write),
    Fault("DP303", "behind two ends", _behind_two_ends, (True,)),
    Fault("DP304", "nothing new", _nothing_new),
    Fault("DP305", "copy", _copy, _BOTH),
    Fault("DP305", "name", _name, _BOTH),
    Fault("DP306", "narrow in front", _narrow_in_front, _BOTH),
    Fault("DP307", "sensitive feeding", _sensitive_feeding),
    Fault("DP308", "alike", _alike, _BOTH),
    Fault("DP401", "gap", _gap, (True,)),
    Fault("DP402", "blank gap", _blank_gap),
    Fault("DP403", "emptied list", _emptied_list),
    Fault("DP501", "order", _order, _BOTH),
    Fault("DP502", "inverted feeding", _inverted_feeding),
    Fault("DP503", "too late", _too_late),
    Fault("DP504", "loop", _loop),
    Fault("DP504", "declared loop", _declared_loop, _BOTH),
    Fault("DP505", "too early", _too_early, _BOTH),
    Fault("DP505", "after nobody", _after_nobody, _BOTH),
    Fault("DP505", "after itself", _after_itself, _BOTH),
    Fault("DP506", "meant but not settled", _meant_but_not_settled),
    Fault("DP507", "to and fro", _to_and_fro, (True,)),
    Fault("DP508", "dead write", _dead_write),
)
