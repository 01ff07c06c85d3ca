"""Whom a plan comes to dial: counted over contacts that are known, and asked of all contacts that there can be.

The rules on the target are read back and run beside those that the plan leaves there. A rule that nobody can read back
counts as one that refuses everybody, so that a count may be too high and never too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.evaluate import Evaluator
from dialproof.inference import inferred_contact_list
from dialproof.output.report import count, printable
from dialproof.project import Campaign
from dialproof_deploy.plan.contact_text import contact_text
from dialproof_deploy.plan.read_back import read_back
from dialproof_deploy.plan.rule_set import rules_after
from dialproof_deploy.plan.safety import is_enabled
from dialproof_deploy.plan.states import state_after
from dialproof_deploy.targets.documents import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.config import Semantics
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Rule
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.plan.sample import Sample

__all__ = ["Dialing", "dialing_of", "refusal_of", "widening_of"]

_IDLE = frozenset({"off", "complete", "invalid", "forced_off"})
"""States in which a campaign of the platform dials nobody."""


@dataclass(frozen=True)
class Dialing:
    """What a plan does to who is dialed.

    Of the ``looked_at`` contacts (``source`` says whose they are) ``more`` are not dialed now and dialed afterwards,
    ``fewer`` the other way round. ``example`` is a contact that comes to be dialed, in words: one that the analysis
    has made up, and nobody of those who were looked at. Where there is none, ``open`` says why none is proved to be
    missing, and "" that it is proved.
    ``running`` names the campaigns that are on, or of which nobody knows (``told`` is false then).
    """

    looked_at: int
    source: str
    more: int = 0
    fewer: int = 0
    example: str = ""
    open: str = ""
    running: tuple[str, ...] = ()
    told: bool = True

    @property
    def widens(self) -> bool:
        """Whether somebody comes to be dialed, as far as that is not excluded."""
        return bool(self.more or self.example or self.open)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same for people."""
        known = f"of {count(self.looked_at, 'contact')} of {self.source}"
        if not self.widens:
            return (printable(f"nobody comes to be dialed (proved); {self.fewer} {known} cease to be"),)
        found = [f"{self.more} {known} come to be dialed, {self.fewer} cease to be"]
        if self.example:
            found.append(f"a contact with {self.example} comes to be dialed")
        elif self.open:
            found.append(f"that nobody else comes to be dialed is not proved: {self.open}")
        else:
            found.append(
                "they hold values that the contact list file excludes; of contacts that it allows nobody comes to be "
                "dialed (proved)"
            )
        if self.running:
            names = ", ".join(self.running)
            found.append(f"running: {names}" if self.told else f"the target does not say whether {names} is running")
        return tuple(map(printable, found))


def dialing_of(
    plan: Plan,
    columns: ContactList,
    semantics: Semantics,
    read: Callable[[Mapping[str, Any]], Rule],
    sample: Sample,
    *,
    dials: bool,
) -> Dialing:
    """Return what a plan, which nothing refuses, does to who is dialed.

    ``read`` is that of the target; ``dials`` says whether a campaign of which the target does not tell may dial.
    Raises ``InputError`` where the sample lacks a column that the rules read.
    """
    running, told = _running(plan, dials=dials)
    before, after = _states(plan)
    bare, attached = _attachment(plan)
    if bare and not attached:
        before = []
    taken_away = _taken_away(plan)
    if _same(before, after) and not taken_away and not bare:
        return Dialing(len(sample), sample.source, running=running, told=told)
    old, unread = _read(before, read)
    new, unread_ours = _read(after, read)
    columns = columns if columns.declared else inferred_contact_list((*old, *new), ())
    old_run, new_run, no_run = (Evaluator(_campaign(rules, columns), semantics) for rules in (old, new, []))
    sample.check_columns([c for c in columns.columns for run in (old_run, new_run) if run.programs.reads_column(c)])
    more = fewer = 0
    for contact in sample:
        was, will = not unread and contact.dialed_by(old_run), contact.dialed_by(new_run)
        more += will and not was
        fewer += not will and (was or (bare and contact.dialed_by(no_run)))
    counts_as = ", and counts as one that refuses everybody" if unread else ""
    unclear = (*unread, *unread_ours) if before else ()  # without rules everybody is dialed already
    open_ = taken_away or next((f"rule {name} cannot be read back{counts_as}" for name in unclear), "")
    example = ""
    if old and not open_:
        example, open_ = _asked(old_run, new_run, columns)
    return Dialing(len(sample), sample.source, more, fewer, example, open_, running, told)


def refusal_of(plans: Sequence[Plan], confirmed: int | None, environment: str, what: str = "deploy") -> list[str]:
    """Return why the plans must not be applied as far as who is dialed is concerned; nothing where they may be.

    ``confirmed`` is the number of ``--confirm-widening``, ``what`` the command that applies the plans. Where nothing is
    to be written there is nothing to confirm. The first sentence says what to do, the others are those of
    the plans.
    """
    asked, number = _asking(plans), widening_of(plans)
    if confirmed == number or (not asked and (confirmed is None or not any(plan.steps for plan in plans))):
        return []
    if not asked:
        return [
            f"--confirm-widening {confirmed}: nobody comes to be dialed in a campaign that is running: leave it out"
        ]
    running = list(dict.fromkeys(name for dialing in asked for name in dialing.running))
    known = f"{count(sum(d.looked_at for d in asked), 'contact')} of {asked[0].source}"
    who = f"{number} of {known} {'is' if number == 1 else 'are'} not dialed now and would be"
    if example := next((d.example for d in asked if d.example and not d.more), ""):
        who += f", and so would others (one with {example})"
    elif open_ := next((d.open for d in asked if d.open and not d.more), ""):
        who += f", and perhaps others ({open_})"
    are = "is" if len(running) == 1 else "are"
    told = f"{are} running" if all(dialing.told for dialing in asked) else "may be running"
    said = f"--confirm-widening {confirmed} says another number: " if confirmed is not None else ""
    rest = "..." if what == "rollback" else "--evidence ..."
    command = f"dialproof {what} --env {environment} {rest} --confirm-widening {number}"
    first = f"{said}{who}; {', '.join(running)} {told}: if that is meant, '{command}'"
    return [printable(first), *(f"Dialing: {sentence}" for dialing in asked for sentence in dialing.sentences)]


def widening_of(plans: Sequence[Plan]) -> int:
    """Return how many contacts come to be dialed in campaigns that run, or may."""
    return sum(dialing.more for dialing in _asking(plans))


def _asking(plans: Sequence[Plan]) -> list[Dialing]:
    return [plan.dialing for plan in plans if plan.dialing and plan.dialing.widens and plan.dialing.running]


def _running(plan: Plan, *, dials: bool) -> tuple[tuple[str, ...], bool]:
    """Return the campaigns of a plan that may dial, and whether the target has told."""
    campaigns = [document for document in plan.remote if kind_of(document) == "campaign"]
    if not campaigns:
        return (plan.logical or plan.campaign,) if dials else (), False
    on = (c for c in campaigns if str(c.get("campaignStatus")).lower() not in _IDLE)
    return tuple(str(campaign.get("name") or campaign["id"]) for campaign in on), True


def _states(plan: Plan) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Return the rules on the target, and those that the plan leaves there."""
    after = rules_after(plan) if plan.holder == "rule set" else state_after(plan, len(plan.steps)).values()
    return list(plan.stored_rules), list(after)


def _attachment(plan: Plan) -> tuple[bool, bool]:
    """Tell whether the plan gives its set to a campaign that dials without it now, and whether another one has it."""
    campaigns = [document for document in plan.remote if kind_of(document) == "campaign"]
    bare = any(c.get("ours", True) and c["ruleSet"] is None for c in campaigns)
    return bare, any(c["ruleSet"] is not None for c in campaigns)


def _same(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether nobody can come to be dialed, or cease to be, as far as the fields of the rules show."""

    def decides(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        fields = ("name", "category", "conditions", "actions", "enabled")
        live = sorted(filter(is_enabled, rules), key=lambda rule: rule.get("executionOrder", rule.get("order", 0)))
        return [{field: rule.get(field) for field in fields if rule.get(field) is not None} for rule in live]

    return decides(before) == decides(after)


def _read(
    wires: Sequence[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Rule]
) -> tuple[list[Rule], list[str]]:
    """Return the rules in their order, and the names of those that are enabled and cannot be read back."""
    rules, unread = read_back(wires, read)
    return rules, [f"{wire.get('name')!r} ({why})" for wire, why in unread if is_enabled(wire)]


def _campaign(rules: Sequence[Rule], columns: ContactList) -> Campaign:
    return Campaign(("plan",), (), tuple(rules), (), "all", columns)


def _taken_away(plan: Plan) -> str:
    """Return why more may be dialed than the rules of the set show: another set is taken from a campaign."""
    for step in plan.steps:
        if step.kind == "campaign" and step.before and step.after:
            left = {other.get("id") for other in step.after["otherRuleSets"]}
            gone = [other for other in step.before["otherRuleSets"] if other.get("id") not in left]
            if gone:
                return f"the rule set {gone[0].get('name')!r} is taken from campaign {step.rule!r}, and is not read"
    return ""


def _asked(old: Evaluator, new: Evaluator, columns: ContactList) -> tuple[str, str]:
    """Ask the analysis: return a contact that comes to be dialed, else why none is proved to be missing."""
    from dialproof.analysis.answers import Budget, Found, Unknown, WitnessError
    from dialproof.analysis.difference import Difference

    difference = Difference(old, new)
    if difference.meaningless:
        return "", difference.meaningless
    open_ = ""
    try:
        for _, answer in difference.newly_dialed(Budget()):
            if isinstance(answer, Found):
                return contact_text(answer.scene.contact, answer.scene.now, columns), ""
            if isinstance(answer, Unknown):
                open_ = open_ or answer.reason
    except WitnessError:
        open_ = "the analysis contradicts itself; report it please"
    return "", open_
