"""The ordered run of a campaign's rules over one contact: outcome and trace.

The meaning (docs/semantics.md): enabled rules of the category by execution order; a rule's conditions are true, false
or undecided; under ``hitPolicy: all`` every matching rule acts, under ``first`` the first one acts and ends the run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

from dialproof.cel.program import CelProblem, LeafProgram, Programs
from dialproof.cel.values import (
    MISSING,
    AmbiguousColumnError,
    check_columns,
    from_micros,
    lookup,
    number_text,
    read_number,
    read_text,
)
from dialproof.model.actions import action_types, contradicts
from dialproof.model.rules import Condition, Group, When, leaves
from dialproof.outcome import Acted, Leaf, Outcome, RuleTrace
from dialproof.view import View, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from dialproof.config import Semantics
    from dialproof.model.contacts import Contact
    from dialproof.model.rules import Action, Category, Expression, Invariant, Rule
    from dialproof.project import Campaign

__all__ = [
    "CelProblem",
    "EvaluationError",
    "Evaluator",
    "Step",
    "conflicts_of",
    "kleene",
    "new_value",
    "with_column",
]

Step: TypeAlias = "tuple[int, bool | None, View | None, tuple[bool | None, ...] | None]"
"""A rule as a run comes to it: its position in the campaign, its verdict and what it looked at; no view where the run
had ended in front of it. Last the verdicts of all conditions of the campaign there, where they were decided at once."""


class EvaluationError(ValueError):
    """A contact on which the rules cannot be run; the message names columns, never their values."""


class Evaluator:
    """Runs the rules of one campaign.

    With ``reference`` every condition is decided by cel-python alone. ``cache`` is a folder for syntax trees.

    ``problems`` are the conditions without a meaning (they are undecided for every contact); ``fallbacks`` maps each
    rule that is decided by cel-python to the reason.
    """

    def __init__(
        self, campaign: Campaign, semantics: Semantics, *, reference: bool = False, cache: Path | None = None
    ) -> None:
        self.campaign = campaign
        self.semantics = semantics
        self._reference = reference
        self.programs = Programs(
            campaign.rules,
            campaign.invariants,
            campaign.contact_list,
            case_sensitive=semantics.caseSensitive,
            cache=cache,
        )
        self.problems: tuple[CelProblem, ...] = tuple(self.programs.problems)
        self.fallbacks: Mapping[str, str] = self.programs.fallbacks
        self._types = action_types()
        self._one_by_one = reference
        self._order = _by_category(campaign.rules)
        written = {a.fields["attribute"] for r in campaign.rules for a in r.actions if a.type == "setAttribute"}
        self._read_again = frozenset(name for name in map(str, written) if self.programs.reads_column(name))

    def of(self, rules: Sequence[Rule]) -> Evaluator:
        """Return an evaluator of some of the campaign's rules, in the order given.

        It shares the programs, so that nothing is compiled again, and decides a rule when the run comes to it.
        """
        part = copy(self)
        part.campaign = replace(self.campaign, rules=tuple(rules), invariants=())
        part._one_by_one = True  # noqa: SLF001  (a copy of this very object)
        part._order = _by_category(part.campaign.rules)  # noqa: SLF001
        return part

    def under(self, semantics: Semantics) -> Evaluator:
        """Return an evaluator of the same rules under other switches; it too shares what they do not change."""
        part = self.of(self.campaign.rules)
        part.semantics = semantics
        if semantics.caseSensitive != self.semantics.caseSensitive:
            part.programs = self.programs.in_case(sensitive=semantics.caseSensitive)
        return part

    def view(
        self,
        contact: Contact,
        *,
        context: Mapping[str, object] | None = None,
        now: str | datetime | None = None,
        time_zone: str | None = None,
    ) -> View:
        """Return the view of a contact that conditions of this campaign read; raises ValueError for a bad ``now``."""
        return View(
            contact,
            self.campaign.contact_list,
            context=context or {},
            now=instant(now, time_zone),
            zone=time_zone,
            names=self.programs.variables,
        )

    def leaf(self, leaf: Condition | When) -> LeafProgram:
        """Return the program of one condition."""
        return self.programs.leaf(leaf)

    def _decided(self, view: View, *, watched: bool) -> tuple[Sequence[bool | None], tuple[bool | None, ...] | None]:
        """Return the verdict of each rule, for who watches also that of each condition if they are decided at once."""
        check_columns(view.contact)
        if not self._one_by_one:
            return self.programs.rules_and_conditions(view) if watched else (self.programs.verdicts(view), None)

        def decide(leaf: Condition | When) -> bool | None:
            program = self.leaf(leaf)
            return program.reference(view) if self._reference else program.verdict(view)

        return _Verdicts(self.campaign.rules, decide), None

    def verdicts(
        self,
        contact: Contact,
        *,
        context: Mapping[str, object] | None = None,
        now: str | datetime | None = None,
        time_zone: str | None = None,
    ) -> dict[str, bool | None]:
        """Return each rule's verdict on the contact as it is given: no order, no writes, no stops."""
        view = self.view(contact, context=context, now=now, time_zone=time_zone)
        return dict(zip((r.name for r in self.campaign.rules), self._decided(view, watched=False)[0], strict=True))

    def run(
        self,
        contact: Contact,
        *,
        category: Category = "preCall",
        context: Mapping[str, object] | None = None,
        lists: Mapping[str, bool] | None = None,
        now: str | datetime | None = None,
        time_zone: str | None = None,
        without: Collection[str] = (),
    ) -> Outcome:
        """Run the rules over one contact; ``without`` leaves rules out by name."""
        return self._run(contact, category, context, lists, now, time_zone, without)

    def trace(
        self,
        contact: Contact,
        *,
        category: Category = "preCall",
        context: Mapping[str, object] | None = None,
        lists: Mapping[str, bool] | None = None,
        now: str | datetime | None = None,
        time_zone: str | None = None,
        without: Collection[str] = (),
    ) -> tuple[RuleTrace, ...]:
        """Run the rules and return how each was decided, in order."""
        steps: list[Step] = []
        self._run(contact, category, context, lists, now, time_zone, without, steps)
        return tuple(self._rule_trace(*step[:3]) for step in steps)

    def watch(
        self,
        contact: Contact,
        *,
        category: Category = "preCall",
        context: Mapping[str, object] | None = None,
        lists: Mapping[str, bool] | None = None,
        now: str | datetime | None = None,
        time_zone: str | None = None,
    ) -> tuple[Outcome, list[Step]]:
        """Run the rules over one contact and return each as the run came to it, too."""
        steps: list[Step] = []
        return self._run(contact, category, context, lists, now, time_zone, (), steps), steps

    def _run(
        self,
        contact: Contact,
        category: Category,
        context: Mapping[str, object] | None,
        lists: Mapping[str, bool] | None,
        now: str | datetime | None,
        time_zone: str | None,
        without: Collection[str],
        steps: list[Step] | None = None,
    ) -> Outcome:
        state = _State(contact, dict(lists or {}))
        matched: list[str] = []
        acted: list[Acted] = []
        undecided: list[str] = []
        reason, failure, ended = "", None, False
        semantics, rules = self.semantics, self.campaign.rules
        view = self.view(contact, context=context, now=now, time_zone=time_zone)
        try:
            verdicts, conditions = self._decided(view, watched=steps is not None)
            for index in self._order[category]:
                rule = rules[index]
                if rule.name in without:
                    continue
                if ended:
                    if steps is not None:
                        steps.append((index, None, None, None))
                    continue
                verdict = verdicts[index]
                if steps is not None:
                    steps.append((index, verdict, view, conditions))
                if verdict is None:
                    undecided.append(rule.name)
                    if semantics.undecided == "refuseToDial" and not reason:
                        reason = f"undecided: {rule.name}"
                    if semantics.undecided != "met":
                        continue
                elif not verdict:
                    continue
                matched.append(rule.name)
                written = False
                for action in rule.actions:
                    acted.append(Acted(rule.name, action))
                    written |= self._act(action, state, view)
                    if not reason and category in self._types[action.type].stops_dial_in:
                        reason = f"{action.type}: {rule.name}"
                ended = self.campaign.hit_policy == "first" or (
                    semantics.doNotDialStops and any(a.type == "doNotDial" for a in rule.actions)
                )
                if written and not ended and semantics.laterRulesSeeUpdates:
                    view = view.written(state.contact)
                    verdicts, conditions = self._decided(view, watched=steps is not None)
        except (AmbiguousColumnError, EvaluationError) as error:
            failure = str(error)
        except Exception as error:  # noqa: BLE001  (whatever broke, the contact is not dialed)
            failure = _defect(error)
        if failure is not None:
            reason = f"failure: {failure}"
        return Outcome(
            matched=tuple(matched),
            acted=tuple(acted),
            contact=state.contact,
            lists=state.lists,
            dial=None if category == "wrapUp" else not reason,
            undecided=tuple(undecided),
            reason=reason if category == "preCall" or failure else "",
            failure=failure,
        )

    def _act(self, action: Action, state: _State, view: View) -> bool:
        """Apply one action; tell whether it wrote a column that some condition reads."""
        if action.type == "setList":
            state.lists[str(action.fields["listId"])] = action.fields.get("value") != "false"
            return False
        if action.type != "setAttribute":
            return False
        name = str(action.fields["attribute"])
        state.contact = with_column(state.contact, name, new_value(action, lookup(state.contact, name), view))
        return name in self._read_again

    def _rule_trace(self, index: int, verdict: bool | None, view: View | None) -> RuleTrace:
        rule = self.campaign.rules[index]
        if view is None:
            return RuleTrace(rule.name, None, skipped=True)
        return RuleTrace(rule.name, verdict, tuple(self._leaf_trace(leaf, view) for leaf in leaves(rule.conditions)))

    def _leaf_trace(self, leaf: Condition | When, view: View) -> Leaf:
        program = self.leaf(leaf)
        verdict = program.reference(view) if self._reference else program.verdict(view)
        alone = isinstance(leaf, Condition)
        reads = [v for v in program.reads if v.source != "now" or not alone]
        actual = ", ".join(self._shown(v.source, v.name, view, alone=alone) for v in reads)
        if program.every_column:
            actual = "(every column)"
        if isinstance(leaf, When):
            return Leaf(leaf, "when", "", program.cel.strip(), actual, verdict, program.cel)
        operator = f"not {leaf.operator}" if leaf.inverted else leaf.operator
        subject = leaf.subject if leaf.source == "contact" else f"context {leaf.subject}"
        return Leaf(leaf, subject, operator, _wanted(leaf.value), actual, verdict, program.cel)

    def _shown(self, source: str, name: str, view: View, *, alone: bool) -> str:
        """Return a value for a person to read; columns marked ``pii`` are masked."""
        if source == "now":
            return f"now = {from_micros(view.now):%Y-%m-%dT%H:%M:%SZ}"
        column = self.campaign.contact_list.columns.get(name) if source == "contact" else None
        raw = lookup(view.contact, name) if source == "contact" else view.context_value(name)
        if raw is MISSING or raw is None or raw == "":
            text = "(absent)" if raw is MISSING else "(blank)"
        elif (column is not None and (column.pii or column.phone)) or name == "phone.number":
            text = "•••"
        else:
            text = read_text(raw)
        return text if alone else f"{name} = {text}"

    def invariant(
        self,
        invariant: Invariant,
        contact: Contact,
        outcome: Outcome,
        *,
        context: Mapping[str, object] | None = None,
        now: str | datetime | None = None,
        time_zone: str | None = None,
    ) -> bool | None:
        """Return whether an invariant holds for a contact and its outcome; None (undecided) counts as failed."""
        try:
            view = self.view(contact, context=context, now=now, time_zone=time_zone).with_outcome(outcome)
            check_columns(contact)
            program = self.leaf(invariant.always)
            return program.reference(view) if self._reference else program.verdict(view)
        except AmbiguousColumnError:
            return None


def _defect(error: Exception) -> str:
    """Name an unexpected error and its place; not its text, which may hold a contact's values."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.replace(os.sep, '/').rpartition('/')[2]}:{frame.lineno}"
    return f"{type(error).__name__} at {place}; this is a defect of dialproof"


class _Verdicts(Sequence["bool | None"]):
    """The verdict of each rule, decided when it is asked for."""

    def __init__(self, rules: Sequence[Rule], decide: Callable[[Condition | When], bool | None]) -> None:
        self._rules = rules
        self._decide = decide

    def __len__(self) -> int:
        return len(self._rules)

    @overload
    def __getitem__(self, index: int) -> bool | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bool | None]: ...
    def __getitem__(self, index: int | slice) -> bool | Sequence[bool | None] | None:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return kleene(self._rules[index].conditions, "all", self._decide)


def _by_category(rules: Sequence[Rule]) -> dict[Category, list[int]]:
    """Return the positions of the enabled rules of each category."""
    order: dict[Category, list[int]] = {"preCall": [], "wrapUp": []}
    for index, rule in enumerate(rules):
        if rule.enabled:
            order[rule.category].append(index)
    return order


class _State:
    """The contact and its lists while rules write to them; the contact that was given is never changed."""

    def __init__(self, contact: Contact, lists: dict[str, bool]) -> None:
        self.contact = contact
        self.lists = lists


def with_column(contact: Contact, name: str, value: object) -> dict[str, object]:
    """Return a contact with one column set where it stands: under its whole name, or at the end of its path."""
    changed = dict(contact)
    head, _, rest = name.partition(".")
    if name not in changed and rest and isinstance(changed.get(head), dict):
        changed[head] = _with_path(changed[head], rest, value)
    else:
        changed[name] = value
    return changed


def _with_path(nested: object, path: str, value: object) -> dict[str, object]:
    result: dict[str, object] = dict(nested) if isinstance(nested, dict) else {}
    head, _, rest = path.partition(".")
    result[head] = _with_path(result.get(head), rest, value) if rest else value
    return result


def new_value(action: Action, current: object, view: View) -> object:
    """Return what ``setAttribute`` makes of a value; raises :class:`EvaluationError` where that is no number to count.

    Nothing but its action and the clock of the view matters otherwise.
    """
    option, value = action.fields.get("option", "SET"), action.fields.get("value")
    if option == "SET":
        return "" if value is None else value
    if option == "CURRENT_TIME":
        return f"{from_micros(view.now):%Y-%m-%dT%H:%M:%SZ}"
    step = 1.0 if value is None else read_number(value)
    if step is None:
        raise EvaluationError(f"setAttribute {option} of {action.fields['attribute']} takes a number as its value")
    before = 0.0 if read_text(current) == "" else read_number(current)
    if before is None:
        raise EvaluationError(f"setAttribute {option}: column {action.fields['attribute']} does not hold a number")
    after = before + step if option == "INCREMENT" else before - step
    return number_text(after) if isinstance(current, str) else after


def kleene(
    members: Sequence[Expression],
    kind: Literal["all", "any", "not"],
    decide: Callable[[Condition | When], bool | None],
) -> bool | None:
    """Combine conditions in strong Kleene logic, one by one.

    The compiled rule set does the same as Python code; this is what it is held against, so the two share nothing.
    """
    results = [kleene(m.members, m.kind, decide) if isinstance(m, Group) else decide(m) for m in members]
    if kind == "not":
        return None if results[0] is None else not results[0]
    absorbing = kind == "any"
    if absorbing in results:
        return absorbing
    return None if None in results else not absorbing


def _wanted(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "[" + ", ".join(_wanted(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else read_text(value)


def conflicts_of(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """Return the pairs of rules that acted in one run and whose actions contradict each other."""
    found: dict[tuple[str, str], None] = {}
    for i, later in enumerate(outcome.acted):
        for earlier in outcome.acted[:i]:
            if earlier.rule != later.rule and contradicts(earlier.action, later.action):
                found.setdefault((earlier.rule, later.rule))
    return tuple(found)
