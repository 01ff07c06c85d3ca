"""The changes that are made to a campaign: each is one that somebody could make by mistake."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.analysis.switches import settings
from dialproof.cel.text import compares_numbers, condition_type
from dialproof.model.rules import Condition, Group, When
from dialproof.mutation.cel_changes import changes_of
from dialproof.mutation.neighbours import other_value, shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dialproof.checks.wording import Wording
    from dialproof.config import Semantics
    from dialproof.evaluate import Evaluator
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Action, Expression, HitPolicy, Rule, Value
    from dialproof.project import Campaign
    from dialproof.source.positions import Span

__all__ = ["Kind", "Mutant", "mutants_of"]

Kind: TypeAlias = Literal[
    "boundary", "constant", "dropped", "inverted", "junction", "element", "action", "removed", "order", "semantics"
]
"""What is changed: docs/mutation.md says what each of them is."""

_BOUNDARIES = {
    "lessThan": "lessThanOrEqual",
    "lessThanOrEqual": "lessThan",
    "greaterThan": "greaterThanOrEqual",
    "greaterThanOrEqual": "greaterThan",
    "before": "lessThanOrEqual",
    "after": "greaterThanOrEqual",
}
_COMPARES = frozenset({*_BOUNDARIES, "equals", "notEquals", "between"})
_Conditions: TypeAlias = "tuple[Expression, ...]"
_Put: TypeAlias = "Callable[[_Conditions], _Conditions]"
_Changes: TypeAlias = "Iterator[tuple[Kind, Span, str, str, _Conditions]]"
"""Kind, place, before, after, and the conditions of the rule with the change."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a campaign; ``before`` and ``after`` say it, without personal values ("" for what is left out).

    ``made`` stands in place of ``rule``, None where the rule is gone, or changes places with ``behind``, or where
    ``rule`` is None: then ``switch`` of the semantics (or ``hitPolicy``) has ``setting``. ``personal`` where the line
    holds a value of a personal column.
    """

    kind: Kind
    path: str
    span: Span
    before: str
    after: str
    rule: Rule | None = None
    made: Rule | None = None
    behind: Rule | None = None
    switch: str = ""
    setting: object = None
    personal: bool = False

    @property
    def text(self) -> str:
        """The change in words, as the end of a sentence that begins with "when"."""
        inside = self.rule is not None and self.kind not in ("order", "removed")
        where = f' in rule "{self.rule.name}"' if inside and self.rule is not None else ""
        return f"{self.before} becomes {self.after}{where}" if self.after else f"{self.before} is left out{where}"

    def rules(self, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """Return the rules of the campaign with the change."""
        if self.behind is not None:
            places = {id(self.rule): self.behind, id(self.behind): self.rule}
            return tuple(places.get(id(rule)) or rule for rule in rules)
        found: list[Rule] = []
        for rule in rules:
            if rule is not self.rule:
                found.append(rule)
            elif self.made is not None:
                found.append(self.made)
        return tuple(found)


def mutants_of(campaign: Campaign, evaluator: Evaluator, wording: Wording) -> tuple[Mutant, ...]:
    """Return the mutants of all enabled rules, in their order, and then those of the campaign as a whole."""
    maker = _Maker(campaign, evaluator, wording)
    found: list[Mutant] = []
    for rule in campaign.rules:
        if rule.enabled:
            found += maker.of_rule(rule)
    return (*found, *maker.of_campaign(evaluator.semantics))


@dataclass(frozen=True)
class _Maker:
    campaign: Campaign
    evaluator: Evaluator
    wording: Wording

    @property
    def _columns(self) -> ContactList:
        return self.campaign.contact_list

    def of_rule(self, rule: Rule) -> Iterator[Mutant]:
        personal = self.wording.lines(rule)

        def of(
            kind: Kind, span: Span, before: str, after: str, made: Rule | None, behind: Rule | None = None
        ) -> Mutant:
            hidden = span.line in personal
            return Mutant(kind, rule.path, span, before, after, rule, made, behind, personal=hidden)

        for kind, span, before, after, conditions in self._of_conditions(rule):
            yield of(kind, span, before, after, replace(rule, conditions=conditions))
        for index, action in enumerate(rule.actions):
            other = _other_action(action, self._columns)
            actions = (*rule.actions[:index], *([] if other is None else [other]), *rule.actions[index + 1 :])
            after = "" if other is None else self.wording.action(other)
            before = self.wording.action(action)
            yield of("action", action.span, before, after, replace(rule, actions=actions))
        yield of("removed", rule.name_span, f'rule "{rule.name}"', "", None)
        later = self._next(rule)
        if later is not None:
            before, after = (f'"{a.name}", then "{b.name}"' for a, b in ((rule, later), (later, rule)))
            yield of("order", rule.name_span, before, after, None, later)

    def _next(self, rule: Rule) -> Rule | None:
        """Return the rule that runs right behind another one."""
        running = [r for r in self.campaign.rules if r.enabled and r.category == rule.category]
        place = next(i for i, r in enumerate(running) if r is rule)
        return running[place + 1] if place + 1 < len(running) else None

    def of_campaign(self, semantics: Semantics) -> Iterator[Mutant]:
        path, span = self.campaign.files[0].path, _top(self.campaign)
        orders = [rule.execution_order for rule in self.campaign.rules if rule.enabled]
        for switch in ("undecided", "laterRulesSeeUpdates", "doNotDialStops", "caseSensitive", "tieBreak"):
            if switch == "tieBreak" and len(set(orders)) == len(orders):
                continue
            for setting in settings(semantics, switch):
                before, after = (
                    f"semantics.{switch} = {_said(s)}" for s in (getattr(semantics, switch), setting)
                )  # fmt: skip
                yield Mutant("semantics", path, span, before, after, switch=switch, setting=setting)
        policy: HitPolicy = "first" if self.campaign.hit_policy == "all" else "all"
        before, after = f"hitPolicy: {self.campaign.hit_policy}", f"hitPolicy: {policy}"
        yield Mutant("semantics", path, span, before, after, switch="hitPolicy", setting=policy)

    # Conditions.

    def _of_conditions(self, rule: Rule) -> _Changes:
        conditions = rule.conditions
        if len(conditions) > 1:
            span = rule.spans.get("conditions", rule.name_span)
            yield "junction", span, "all conditions", "any of them", (Group("any", conditions, span),)
        yield from self._of_members(conditions, "all", _top_level)

    def _of_members(self, members: _Conditions, kind: str, put: _Put) -> _Changes:
        some = put is _top_level or (kind != "not" and len(members) > 1)  # an empty group is no condition
        for place, member in enumerate(members):

            def here(*other: Expression, place: int = place) -> _Conditions:
                return put((*members[:place], *other, *members[place + 1 :]))

            if some:
                yield "dropped", member.span, self._say(member), "", here()
            if isinstance(member, Group):
                if member.kind == "not":
                    yield (
                        "inverted",
                        member.span,
                        self._say(member),
                        ", ".join(map(self._say, member.members)),
                        here(replace(member, kind="all")),
                    )
                elif len(member.members) > 1:
                    other: Literal["any", "all"] = "any" if member.kind == "all" else "all"
                    yield (
                        "junction",
                        member.span,
                        self._say(member),
                        self._say(replace(member, kind=other)),
                        here(replace(member, kind=other)),
                    )
                within = partial(_in_group, member, here)
                yield from self._of_members(member.members, member.kind, within)
            elif isinstance(member, When):
                yield from self._of_cel(member, here)
            else:
                yield from self._of_condition(member, here)

    def _say(self, member: Expression) -> str:
        if isinstance(member, Group):
            return f"`{member.kind}`: {', '.join(map(self._say, member.members))}"
        if isinstance(member, When):
            return self.wording.condition(member, self.evaluator.leaf(member))
        return self.wording.comparison(member)

    def _of_condition(self, condition: Condition, here: Callable[..., _Conditions]) -> _Changes:
        say = self.wording.comparison
        turned = replace(condition, inverted=not condition.inverted)
        yield "inverted", condition.span, say(condition), say(turned), here(turned)
        for kind, other in self._replacements(condition):
            span = condition.span if kind == "boundary" else condition.value_span
            yield kind, span, say(condition), say(other), here(other)
        if condition.operator == "between":
            for end, ends in (
                ("low", ("greaterThan", "lessThanOrEqual")),
                ("high", ("greaterThanOrEqual", "lessThan")),
            ):
                stretch = _stretch(condition, ends)
                yield (
                    "boundary",
                    condition.span,
                    say(condition),
                    f"{say(condition)} without its {end} end",
                    here(stretch),
                )

    def _replacements(self, condition: Condition) -> Iterator[tuple[Kind, Condition]]:
        operator, value = condition.operator, condition.value
        if operator in _BOUNDARIES:
            yield "boundary", replace(condition, operator=_BOUNDARIES[operator])
        if operator in ("in", "notIn") and isinstance(value, tuple) and len(value) > 1:
            for place in range(len(value)):
                yield "element", replace(condition, value=(*value[:place], *value[place + 1 :]))
        if operator in _COMPARES:
            kind = condition_type(condition, self._columns)
            kind = "number" if compares_numbers(condition, kind) else kind
            for other in _moved(value, lambda v, by: shifted(v, kind, condition.subject, by)):
                yield "constant", replace(condition, value=other)

    def _of_cel(self, when: When, here: Callable[..., _Conditions]) -> _Changes:
        tree = self.evaluator.leaf(when).ast
        hidden = self.wording.is_about_a_person(when)
        for change in () if tree is None else changes_of(tree):
            before, after = (self._say(when), "(not shown)") if hidden else (change.before, change.after)
            span = when.scalar.part(change.start, change.end)
            yield change.kind, span, before, after, here(replace(when, text=change.text))


def _top_level(members: _Conditions) -> _Conditions:
    return members


def _in_group(group: Group, here: Callable[..., _Conditions], members: _Conditions) -> _Conditions:
    return here(replace(group, members=members))


def _moved(value: Value, move: Callable[[str | float | bool, int], str | float | bool | None]) -> Iterator[Value]:
    """Yield a value one less and one more; of a pair each end for itself."""
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    for place, one in enumerate(values):
        for other in (move(one, -1), move(one, 1)):
            if other is not None:
                yield (*values[:place], other, *values[place + 1 :]) if isinstance(value, tuple) else other


def _stretch(condition: Condition, operators: tuple[str, str]) -> Group:
    """Return ``between`` as two comparisons with these operators."""
    assert isinstance(condition.value, tuple)
    parts = tuple(
        replace(condition, operator=operator, value=value, inverted=False)
        for operator, value in zip(operators, condition.value, strict=True)
    )
    both = Group("all", parts, condition.span)
    return Group("not", (both,), condition.span) if condition.inverted else both


def _other_action(action: Action, columns: ContactList) -> Action | None:
    """Return an action that does something else to the same thing; None where there is nothing else to do."""
    fields = dict(action.fields)
    if action.type == "setList":
        fields["value"] = "true" if fields.get("value") == "false" else "false"
    elif action.type == "setAttribute" and fields.get("option") in ("INCREMENT", "DECREMENT"):
        fields["option"] = "DECREMENT" if fields["option"] == "INCREMENT" else "INCREMENT"
    elif action.type == "setAttribute" and fields.get("option") == "SET":
        fields["value"] = other_value(fields.get("value"), columns.columns.get(str(fields["attribute"])))
    elif action.type == "setSkills" and isinstance(fields["skills"], tuple) and len(fields["skills"]) > 1:
        fields["skills"] = fields["skills"][1:]
    elif action.type == "scheduleCallback" and isinstance(fields["offsetMinutes"], int | float):
        fields["offsetMinutes"] += 1
    elif action.type == "appendToDnc":
        fields["list"] = "custom" if fields.get("list") == "numbers" else "numbers"
    else:
        return None
    return replace(action, fields=fields)


def _said(setting: object) -> str:
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


def _top(campaign: Campaign) -> Span:
    """Return where the rules of a campaign begin."""
    from dialproof.source import Mapping

    root = campaign.files[0].source.root
    assert isinstance(root, Mapping)
    entry = root.entry("hitPolicy") or root.entry("rules")
    assert entry is not None
    return entry.key.span
