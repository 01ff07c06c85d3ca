"""Attacks on what a lint run claims of all contacts: contacts around every constant, each run by the evaluator.

The claims that one contact can refute are: that a rule never acts, that two rules never act against each other, that
their order never matters, that a rule holds everywhere, that two rules are the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from dialproof.cel.values import parse_datetime, parse_number, read_text
from dialproof.evaluate import Evaluator, conflicts_of
from dialproof.model.rules import Condition, When, leaves
from dialproof.output.witness import flat
from tests.lint.analysis.replay import admits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from dialproof.findings import Finding
    from dialproof.model.contactlist import Column
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project

__all__ = ["Scene", "refutations", "scenes"]

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_PERIODS = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=365))


class Scene(NamedTuple):
    """A contact, what surrounds the call, and the clock."""

    contact: Mapping[str, object]
    context: Mapping[str, object]
    now: str


def scenes(rng: Random, campaign: Campaign, count: int) -> Iterator[Scene]:
    """Yield contacts of the campaign's contact list, each column at or beside a constant, blank, or anything else."""
    values = {name: _values(rng, column, campaign) for name, column in campaign.contact_list.columns.items()}
    for _ in range(count):
        now = _NOW + timedelta(days=rng.randint(0, 30), seconds=rng.choice((0, -1, 1, 43_200)))
        contact = {}
        for name, column in campaign.contact_list.columns.items():
            value = rng.choice(values[name])
            if column.type == "datetime" and rng.random() < 0.4:
                value = _text(now - rng.choice(_PERIODS) + timedelta(microseconds=rng.choice((-1, 0, 1))))
            if value is not None and (not campaign.contact_list.declared or admits(column, value)):
                contact[name] = value
        for name, column in campaign.contact_list.columns.items():
            if column.required and name not in contact:
                contact[name] = next(v for v in values[name] if v is not None and admits(column, v))
        phone = rng.choice((None, "Home", "Cell"))
        yield Scene(_nested(contact), {} if phone is None else {"phone": {"type": phone}}, _text(now))


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def _nested(contact: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in contact.items():
        head, _, rest = name.partition(".")
        if rest:
            inside = found.setdefault(head, {})
            assert isinstance(inside, dict)
            inside[rest] = value
        else:
            found[head] = value
    return found


def _values(rng: Random, column: Column, campaign: Campaign) -> list[object]:
    """Return values of a column: its bounds and the constants that rules compare with, their neighbours, and blank."""
    constants = [c for rule in campaign.rules for c in _constants(rule, column.name)]
    blank = [] if column.required else [None, ""]
    if column.enum is not None:
        return [*blank, *column.enum]
    if column.type == "boolean":
        return [*blank, True, False]
    if column.type in ("integer", "number"):
        step = 1.0 if column.type == "integer" else 10.0 ** -(column.decimals or 2)
        near = [n for n in (*map(_number, constants), column.min, column.max) if isinstance(n, (int, float))] or [0.0]
        numbers = [round(n + k * step, column.decimals or 2) for n in near for k in (-2, -1, 0, 1, 2)]
        return [*blank, *_odd(campaign), *(int(n) if n.is_integer() else n for n in map(float, numbers))]
    if column.type in ("date", "datetime"):
        bounds = [parse_datetime(text) for text in (*constants, column.min, column.max) if isinstance(text, str)]
        days = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=m) for m in bounds if m is not None] or [_NOW]
        steps = (timedelta(days=1),) if column.type == "date" else (timedelta(microseconds=1), timedelta(days=1))
        moments = [d + k * s for d in days for s in steps for k in (-1, 0, 1)]
        written = [f"{m:%Y-%m-%d}" if column.type == "date" else _text(m) for m in moments]
        return [*blank, *written, *_odd(campaign)]
    texts = [read_text(c) for c in constants if c is not None] or ["x"]
    near_texts = [
        t
        for text in texts
        for t in (text, text + "\0", text + "a", text[:-1], text.upper(), text.swapcase(), "x" + text)
    ]
    return [*blank, *(t for t in near_texts if t), "5", "n/a", "~"]


def _odd(campaign: Campaign) -> list[object]:
    return [] if campaign.contact_list.declared else ["n/a", " 3 "]


def _number(value: object) -> float | None:
    return parse_number(value) if isinstance(value, str) else value if isinstance(value, (int, float)) else None


def _constants(rule: Rule, name: str) -> Iterator[str | float | bool]:
    """Yield what a rule compares a column with, or writes to it; of CEL every number and text."""
    for each in leaves(rule.conditions):
        if isinstance(each, When):
            yield from (
                part for part in each.text.replace("(", " ").replace(",", " ").split() if parse_number(part) is not None
            )
            yield from each.text.split('"')[1::2]
        elif isinstance(each, Condition) and each.subject == name:
            yield from each.value if isinstance(each.value, tuple) else [each.value] if each.value is not None else []
    for action in rule.actions:
        if action.fields.get("attribute") == name and action.fields.get("value") is not None:
            yield action.fields["value"]


def refutations(project: Project, findings: tuple[Finding, ...], attack: list[Scene]) -> list[str]:
    """Return each claim about the one campaign of a project that some contact refutes, with the contact."""
    (campaign,) = project.campaigns
    held = _Claims(campaign, project, findings)
    return [f"{claim}: {scene}" for scene in attack for claim in held.refuted_by(scene)]


class _Claims:
    """What a lint run claims, by its findings and by what it does not find."""

    def __init__(self, campaign: Campaign, project: Project, findings: tuple[Finding, ...]) -> None:
        self.campaign = campaign
        self.semantics = project.config.semantics
        self.evaluator = Evaluator(campaign, self.semantics)
        self.found = {(f.code, frozenset(f.rules)) for f in findings}
        self.dead = {f.rules[0]: f.code for f in findings if f.code in ("DP201", "DP302", "DP303")}
        self.everywhere = [f.rules[0] for f in findings if f.code == "DP202"]
        self.same = [f.rules for f in findings if f.code == "DP305" and len(f.rules) == 2]
        self.needless = [f.rules[0] for f in findings if f.code == "DP304"]
        self.open: set[tuple[str, frozenset[str]]] = set()
        for finding in findings:
            if finding.code == "DP901":
                first, *others = finding.rules
                code = finding.summary.partition(" ")[0]
                self.open |= {(code, frozenset((first, *other))) for other in [(), *((o,) for o in others)]}
        names = {rule.name: rule for rule in campaign.rules}
        self.pairs = [
            (one.name, other.name, other.priority > one.priority)
            for one, other in combinations(campaign.rules, 2)
            if one.category == other.category and one.name not in names[other.name].overrides
        ]

    def claimed(self, code: str, *rules: str) -> bool:
        """Tell whether a check had to find something about the rules, and did not."""
        return not {(code, frozenset(rules))} & (self.found | self.open)

    def run(self, scene: Scene, category: str, rules: tuple[Rule, ...] = (), without: tuple[str, ...] = ()) -> Outcome:
        """Run a contact, with the rules in another order or without some."""
        evaluator = self.evaluator.of(rules) if rules else self.evaluator
        return evaluator.run(scene.contact, category=category, context=scene.context, now=scene.now, without=without)  # type: ignore[arg-type]

    def refuted_by(self, scene: Scene) -> Iterator[str]:
        """Yield every claim that a contact refutes."""
        verdicts = self.evaluator.verdicts(scene.contact, context=scene.context, now=scene.now)
        yield from (f"DP202 {name}" for name in self.everywhere if verdicts[name] is not True)
        yield from (f"DP305 {one} {other}" for one, other in self.same if verdicts[one] is not verdicts[other])
        for category in ("preCall", "wrapUp"):
            outcome = self.run(scene, category)
            if outcome.failure is not None:
                continue
            acted = set(outcome.matched) - set(outcome.undecided)
            yield from (f"{self.dead[name]} {name}" for name in acted & self.dead.keys())
            for one, other in conflicts_of(outcome):
                declared = all((one, other) != (a, b) for a, b, _ in self.pairs)
                if {one, other} <= acted and not declared and self.claimed("DP301", one, other):
                    yield f"no DP301 {one} {other}"
            for one, other, inverted in self.pairs:
                if inverted and {one, other} <= acted and self.claimed("DP502", one, other):
                    moved = [_result(self.run(scene, category, rules)) for rules in self._moved(one, other)]
                    if _result(outcome) not in moved:
                        yield f"no DP502 {one} {other}"
            for name in self.needless:
                if _effect(self.run(scene, category, without=(name,))) != _effect(outcome):
                    yield f"DP304 {name}"

    def _moved(self, one: str, other: str) -> list[tuple[Rule, ...]]:
        """Return the rules with the later one of two moved in front, and with the earlier one moved behind."""
        names = {rule.name: rule for rule in self.campaign.rules}
        ahead = [rule for rule in self.campaign.rules if rule.name != other]
        ahead.insert(ahead.index(names[one]), names[other])
        behind = [rule for rule in self.campaign.rules if rule.name != one]
        behind.insert(behind.index(names[other]) + 1, names[one])
        return [tuple(ahead), tuple(behind)]


def _result(outcome: Outcome) -> tuple[object, ...]:
    """Return what the order of two rules can change."""
    return (set(outcome.matched), set(outcome.undecided), outcome.failure is None, *_effect(outcome))


def _effect(outcome: Outcome) -> tuple[object, ...]:
    """Return what becomes of the contact; sums that differ by rounding are the same."""
    contact = {name: _level(read_text(value)) for name, value in flat(outcome.contact) if value not in ("", None)}
    return (outcome.dial, dict(outcome.lists), contact)


def _level(text: str) -> str:
    number = parse_number(text)
    return text if number is None else f"{round(number, 9) + 0.0:.12g}"
