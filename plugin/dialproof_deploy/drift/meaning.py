"""What drift comes to: contacts that the target treats otherwise than the rules that were deployed, each one shown.

Both sides are read back from the target's form, so that lists and skills go by their ids there on both. Rules that are
only pending stand on both sides as they are on the target: what is shown is what somebody else has brought about.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialproof.analysis.answers import Budget, Found, Unknown, WitnessError, require
from dialproof.analysis.difference import Difference
from dialproof.evaluate import Evaluator
from dialproof.findings import Witness
from dialproof.output.masking import mask_witness, personal_columns
from dialproof_deploy.plan.read_back import read_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.config import Semantics
    from dialproof.model.rules import Rule
    from dialproof.project import Campaign
    from dialproof_deploy.drift.baseline import Basis
    from dialproof_deploy.drift.rules import RuleState

__all__ = ["Effect", "Effects", "effects_of"]

_TARGET = "on the target"
_SIDES: Mapping[Basis, str] = {"deployed": "as deployed", "files": "in the files"}
_MOST = 10
"""Rules whose effect is shown."""


@dataclass(frozen=True)
class Effect:
    """Contacts that a rule refused on one side and that the other side dials: one of them, personal columns masked.

    ``dialed`` tells that it is the target that dials them. The witness has the outcome on the target first.
    """

    rule: str
    dialed: bool
    witness: Witness


@dataclass(frozen=True)
class Effects:
    """What was found, and sentences on what could not be decided."""

    found: tuple[Effect, ...] = ()
    open: tuple[str, ...] = ()


def effects_of(
    states: Sequence[RuleState],
    campaign: Campaign,
    semantics: Semantics,
    read: Callable[[Mapping[str, Any]], Rule],
    basis: Basis,
) -> Effects:
    """Compare the rules on the target with what they would be without the drift, as ``basis`` has them."""
    sides: list[list[Rule]] = []
    for drift in (False, True):
        rules, unread = read_back(_side(states, drift=drift), read)
        if why := _unclear(rules, unread):
            return Effects(open=(f"what it comes to is not known: {why}",))
        sides.append(rules)
    deployed, target = (Evaluator(_with(campaign, rules), semantics) for rules in sides)
    try:
        return _compared(deployed, target, basis)
    except WitnessError:
        return Effects(open=("what it comes to is not known: the analysis contradicts itself; report it please",))


def _compared(deployed: Evaluator, target: Evaluator, basis: Basis) -> Effects:
    found: list[Effect] = []
    open_: list[str] = []
    for dialed, old, new in ((True, deployed, target), (False, target, deployed)):
        difference = Difference(old, new)
        if difference.meaningless:
            return Effects(open=(f"what it comes to is not known: {difference.meaningless}",))
        for rule, answer in difference.newly_dialed(Budget()):
            if isinstance(answer, Found):
                found.append(_effect(rule, answer, difference, (_TARGET, _SIDES[basis]), dialed=dialed))
                if len(found) >= _MOST:
                    break
            elif isinstance(answer, Unknown):
                which = "are dialed" if dialed else "are not dialed any more"
                open_.append(f"whether contacts of rule {rule.name!r} {which} is not decided: {answer.reason}")
    return Effects(tuple(found), tuple(open_))


def _side(states: Sequence[RuleState], *, drift: bool) -> list[Mapping[str, Any]]:
    """Return the rules on the target, or as they would be there without the drift."""
    rules = (state.wanted if state.drifted and not drift else state.stored for state in states)
    return [rule for rule in rules if rule is not None]


def _unclear(rules: Sequence[Rule], unread: Sequence[tuple[Mapping[str, Any], str]]) -> str:
    """Return why it is not known what the rules of a side do, "" where it is."""
    for wire, why in unread:
        return f"rule {wire['name']!r} cannot be read back ({why})"
    twice = [name for name, number in Counter(rule.name for rule in rules).items() if number > 1]
    return f"two rules are named {twice[0]!r}" if twice else ""


def _with(campaign: Campaign, rules: Sequence[Rule]) -> Campaign:
    return replace(campaign, rules=tuple(rules), invariants=(), hit_policy="all")


def _effect(rule: Rule, found: Found, difference: Difference, sides: tuple[str, str], *, dialed: bool) -> Effect:
    scene = found.scene
    new, old = difference.outcomes(scene)
    require(old.dial is False and new.dial is True, "the witness does not show who is dialed")
    target, deployed = (new, old) if dialed else (old, new)
    witness = Witness(scene.contact, scene.context, scene.now, target, deployed, sides)
    columns = difference.new.evaluator.campaign.contact_list
    return Effect(rule.name, dialed, mask_witness(witness, personal_columns(columns)))
