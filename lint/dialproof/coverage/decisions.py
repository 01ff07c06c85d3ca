"""A rule as a decision over its conditions, and when a contact shows that one condition alone decides it.

A *condition* holds no ``&&``, ``||`` or ``!``: it is an entry of a rule's conditions or groups, or what is left of a
``when:`` once that is taken apart there. Each place in which it is written counts on its own.

MC/DC is *masking* MC/DC (Chilenski, "An Investigation of Three Forms of the Modified Condition Decision Coverage
Criterion", DOT/FAA/AR-01/18, 2001): one contact has the condition true and another one has it false, the rule's verdict
is another, and on both nothing but the other value of this condition would have turned it round. Other conditions may
differ between the two: conditions of a rule often look at one column, so that they cannot be held still. An undecided
verdict shows nothing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.analysis.atoms import cel_text
from dialproof.cel.ast import Call, Conditional
from dialproof.evaluate import Evaluator, kleene
from dialproof.model.rules import Group, When, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from dialproof.cel.ast import Node
    from dialproof.model.rules import Condition, Expression, Rule

__all__ = ["Decision", "taken_apart"]

_KINDS: Mapping[str, Literal["all", "any", "not"]] = {"&&": "all", "||": "any", "!": "not"}


class Decision:
    """One rule whose ``when:`` is taken apart; ``conditions`` stand in the order in which they are written."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.conditions: tuple[Condition | When, ...] = tuple(leaves(rule.conditions))

    def verdict(self, verdicts: Sequence[bool | None]) -> bool | None:
        """Return the rule's verdict where its conditions have these."""
        given = iter(verdicts)
        return kleene(self.rule.conditions, "all", lambda _: next(given))

    def deciding(self, verdicts: Sequence[bool | None]) -> list[int]:
        """Return the positions of the conditions each of which would turn the rule's verdict round alone."""
        verdict = self.verdict(verdicts)
        if verdict is None:
            return []
        found = []
        for position, value in enumerate(verdicts):
            if value is not None:
                other = [*verdicts[:position], not value, *verdicts[position + 1 :]]
                if self.verdict(other) is (not verdict):
                    found.append(position)
        return found

    @cached_property
    def inverted(self) -> tuple[bool, ...]:
        """For each condition whether it stands under an odd number of ``not``: then false speaks for the rule."""
        return tuple(_inverted(self.rule.conditions, odd=False))


def _inverted(expressions: Sequence[Expression], *, odd: bool) -> list[bool]:
    found: list[bool] = []
    for expression in expressions:
        if isinstance(expression, Group):
            found += _inverted(expression.members, odd=odd ^ (expression.kind == "not"))
        else:
            found.append(odd)
    return found


def taken_apart(evaluator: Evaluator) -> Evaluator:
    """Return an evaluator of the same rules in which no condition holds a connective; the same one if none does."""
    campaign = evaluator.campaign
    rules = []
    for rule in campaign.rules:
        conditions = tuple(_apart(expression, evaluator) for expression in rule.conditions)
        rules.append(rule if conditions == rule.conditions else replace(rule, conditions=conditions))
    if all(one is other for one, other in zip(rules, campaign.rules, strict=True)):
        return evaluator
    apart = replace(campaign, rules=tuple(rules), invariants=())
    return Evaluator(apart, evaluator.semantics)


def _apart(expression: Expression, evaluator: Evaluator) -> Expression:
    if isinstance(expression, Group):
        return replace(expression, members=tuple(_apart(member, evaluator) for member in expression.members))
    if isinstance(expression, When):
        tree = evaluator.leaf(expression).ast
        if isinstance(tree, Call) and tree.function in _KINDS:
            try:
                return _nodes_apart(tree, expression)
            except ValueError:  # some part of it has no text: only cel-python knows the construct
                return expression
    return expression


def _nodes_apart(node: Node, when: When) -> Expression:
    if isinstance(node, Call) and node.function in _KINDS:
        members = tuple(_nodes_apart(argument, when) for argument in node.arguments)
        return Group(_KINDS[node.function], members, when.span)
    text = cel_text(node)
    whole = isinstance(node, Conditional) or (isinstance(node, Call) and node.target is None)
    return replace(when, text=text[1:-1] if whole and text.startswith("(") else text)  # its own brackets
