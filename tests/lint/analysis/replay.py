"""Findings replayed: the contact that shows one is run afresh, by cel-python alone, and held against what is shown.

Nothing of the analysis or of the check has a part in it: the files are read again, the evaluator is a new one.
``python -m tests.lint.analysis.replay`` replays every finding of a thousand drawn campaigns.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from dialproof.analysis.witness import put
from dialproof.evaluate import Evaluator
from dialproof.model.actions import contradicts
from dialproof.output.witness import flat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.config import Semantics
    from dialproof.findings import Finding, Witness
    from dialproof.model.contactlist import Column
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign, Project

__all__ = ["admits", "faults_of"]

_WITHOUT = re.compile(r"without (?:these \d+ rules|(\"?)(?P<rule>.+)\1)")
_FIRST = re.compile(r'"(.+)" first')
_ALONE = re.compile(r'"(.+)" alone')
_PASS = re.compile(r"(first|second) pass|pass (\d+)")
_SWITCH = re.compile(r"(\w+) = (\w+)")
_ELSEWHERE = re.compile(r"as one rule|one rule for each|at .+|without a call|first|all")
"""Outcomes of rules, or of times, that are not those of the project."""


def faults_of(finding: Finding, project: Project) -> list[str]:
    """Return what is not as a finding's witness says; ``project`` is the one that was linted, read again."""
    witness = finding.witness
    campaign = project.campaign(finding.campaign)
    if witness is None or campaign is None:
        return []
    again = _Again(campaign, project, finding, witness)
    faults = [f"{name} holds {value!r}" for name, value in again.outside()]
    for label, shown in zip(witness.labels, (witness.outcome, witness.other), strict=True):
        if shown is not None and not _ELSEWHERE.fullmatch(label) and not _same(shown, again.run(label)):
            faults.append(f"{label}: shown is {shown}, and it is {again.run(label)}")
    holds = _HOLDS.get(finding.code)
    if holds is not None and not holds(again):
        faults.append(f"the contact does not show {finding.name}")
    return faults


class _Again:
    """One witness, and runs of it."""

    def __init__(self, campaign: Campaign, project: Project, finding: Finding, witness: Witness) -> None:
        self.finding, self.witness, self.campaign = finding, witness, campaign
        self._semantics = project.config.semantics
        self.rules = {rule.name: rule for rule in campaign.rules}
        self.about = [self.rules[name] for name in finding.rules if name in self.rules]  # some are gone (DP801)
        self.written = self.run("as written")

    def run(self, label: str) -> Outcome:
        """Run the contact in the way that the label of an outcome names."""
        rules = list(self.campaign.rules)
        if moved := _FIRST.fullmatch(label):
            later = self.rules[moved[1]]
            rules.remove(later)
            rules.insert(rules.index(next(r for r in self.about if r is not later)), later)
        elif alone := _ALONE.fullmatch(label):
            rules = [self.rules[alone[1]]]
        elif left_out := _WITHOUT.fullmatch(label):
            names = [left_out["rule"]] if left_out["rule"] else self.finding.rules[1:]
            rules = [rule for rule in rules if rule.name not in names]
        elif times := _PASS.fullmatch(label):
            return self._pass(int(times[2] or ("first", "second").index(times[1]) + 1))
        elif switch := _SWITCH.fullmatch(label):
            return self._under(switch[1], {"true": True, "false": False}.get(switch[2], switch[2]))
        elif label not in ("outcome", "as written"):
            raise LookupError(f"nobody knows how to replay {label!r}")
        return self._run(rules, self.witness.contact, {})

    def _run(
        self,
        rules: Sequence[Rule],
        contact: Mapping[str, object],
        lists: Mapping[str, bool],
        semantics: Semantics | None = None,
    ) -> Outcome:
        campaign = replace(self.campaign, rules=tuple(rules))
        evaluator = Evaluator(campaign, semantics or self._semantics, reference=True)
        category = self.about[0].category if self.about else "preCall"
        context, now = self.witness.context, self.witness.now
        return evaluator.run(contact, category=category, context=context, now=now, lists=lists)

    def _under(self, switch: str, setting: object) -> Outcome:
        """Run the contact under another setting of a switch of the semantics."""
        semantics = replace(self._semantics, **{switch: setting})
        by_name = semantics.tieBreak == "name"
        written = [rule for file in self.campaign.files for rule in file.rules]
        rules = sorted(written, key=lambda rule: (rule.execution_order, rule.name if by_name else ""))
        return self._run(rules, self.witness.contact, {}, semantics)

    def _pass(self, number: int) -> Outcome:
        """Run the contact several times; what rules count or stamp is put back in front of each run."""
        kept = self._counted()
        columns = self.campaign.contact_list.columns
        first, outcome = dict(flat(self.witness.contact)), self._run(self.campaign.rules, self.witness.contact, {})
        for _ in range(number - 1):
            contact: dict[str, object] = {}
            for name, value in dict(flat(outcome.contact)).items():
                if name not in kept or name in first:
                    put(contact, name, first[name] if name in kept else value, columns)
            outcome = self._run(self.campaign.rules, contact, outcome.lists)
        return outcome

    def _counted(self) -> set[str]:
        """Return the columns that rules count or stamp; for DP507 not those that they count up and down."""
        ways: dict[str, set[bool]] = {}
        for rule in self.campaign.rules:
            for action in rule.actions if rule.enabled and rule.category == self.about[0].category else ():
                option = action.fields.get("option", "SET")
                if action.type == "setAttribute" and option != "SET":
                    backwards = option != "CURRENT_TIME" and float(str(action.fields.get("value") or 1)) < 0
                    ways.setdefault(str(action.fields["attribute"]), set()).add((option == "DECREMENT") != backwards)
        return {name for name, found in ways.items() if self.finding.code != "DP507" or len(found) == 1}

    def verdict(self, rule: Rule, contact: object = None) -> bool | None:
        """Return the verdict of a rule on the contact as it is given."""
        evaluator = Evaluator(replace(self.campaign, rules=(rule,)), self._semantics, reference=True)
        chosen = self.witness.contact if contact is None else contact
        return evaluator.verdicts(chosen, context=self.witness.context, now=self.witness.now)[rule.name]  # type: ignore[arg-type]

    def acts(self, outcome: Outcome, rule: Rule) -> bool:
        """Tell whether a rule acts because its conditions hold."""
        return rule.name in outcome.matched and rule.name not in outcome.undecided

    def outside(self) -> list[tuple[str, object]]:
        """Return the columns of the contact whose value the contact list does not allow."""
        columns = self.campaign.contact_list
        if not columns.declared:
            return []
        contact = dict(flat(self.witness.contact))
        return [(n, contact.get(n)) for n, c in columns.columns.items() if not admits(c, contact.get(n))]


def admits(column: Column, value: object) -> bool:
    """Tell whether a column may hold a value, None for a blank one."""
    if value is None or value == "":
        return not column.required or (column.enum is not None and "" in column.enum)
    if column.enum is not None:
        return value in column.enum
    if column.pattern is not None:
        return (
            re.search(f"^(?:{column.pattern})$", str(value)) is not None
            or re.search(column.pattern, str(value)) is not None
        )
    if column.type in ("integer", "number"):
        number = float(str(value))
        decimals = 0 if column.type == "integer" else column.decimals
        inside = (column.min is None or number >= float(column.min)) and (
            column.max is None or number <= float(column.max)
        )
        return inside and (decimals is None or float(f"{number:.{decimals}f}") == number)
    if column.type in ("date", "datetime"):
        moment = datetime.fromisoformat(str(value)).date()
        low, high = (
            None if bound is None else date.fromisoformat(str(bound)[:10]) for bound in (column.min, column.max)
        )
        return (low is None or moment >= low) and (high is None or moment <= high)
    return column.type != "boolean" or value in (True, False, "true", "false")


def _same(shown: Outcome, again: Outcome) -> bool:
    def plain(outcome: Outcome) -> tuple[object, ...]:
        acted = [(a.rule, a.action.type, dict(a.action.fields)) for a in outcome.acted]
        contact, lists = dict(flat(outcome.contact)), dict(outcome.lists)
        return (
            outcome.matched,
            acted,
            contact,
            lists,
            outcome.dial,
            outcome.undecided,
            outcome.reason,
            outcome.failure,
        )

    return plain(shown) == plain(again)


def _both_act(again: _Again) -> bool:
    one, other = again.about
    return again.acts(again.written, one) and again.acts(again.written, other)


def _opposed(again: _Again) -> bool:
    one, other = again.about
    return _both_act(again) and any(contradicts(a, b) for a in one.actions for b in other.actions)


def _shadowed(again: _Again) -> bool:
    return again.about[0].name not in again.written.matched and again.written.failure is None


def _inverted(again: _Again) -> bool:
    later, earlier = again.about
    return _both_act(again) and later.priority > earlier.priority


def _feeds(again: _Again) -> bool:
    """Tell whether what the first rule of the loop writes changes the verdict of the second one."""
    if len(again.about) == 1 or any(n in r.runs_after for r in again.about for n in again.finding.rules):
        return True
    one, other = again.about[:2]
    alone = Evaluator(replace(again.campaign, rules=(one,)), again._semantics, reference=True)
    after = alone.run(
        again.witness.contact, category=one.category, context=again.witness.context, now=again.witness.now
    )
    return again.verdict(other) is not again.verdict(other, after.contact)


_HOLDS: dict[str, Callable[[_Again], bool]] = {
    "DP202": lambda again: again.verdict(again.about[0]) is True,
    "DP301": _opposed,
    "DP302": _shadowed,
    "DP303": _shadowed,
    "DP305": lambda again: again.verdict(again.about[0]) is again.verdict(again.about[1]),
    "DP502": _inverted,
    "DP504": _feeds,
}
"""Code -> whether the contact shows what the finding says."""


if __name__ == "__main__":
    from collections import Counter
    from pathlib import Path
    from random import Random
    from tempfile import TemporaryDirectory

    from dialproof.config import load_config
    from dialproof.lint import lint
    from dialproof.project import load_project
    from tests.lint.analysis.rank import rank

    seen: Counter[str] = Counter()
    wrong = 0
    for seed in range(1000):
        with TemporaryDirectory() as place:
            findings = lint(rank(Random(seed)).project(Path(place))).findings
            read_again = load_project(load_config(Path(place)))
            for each in findings:
                seen[each.code] += each.witness is not None
                for fault in faults_of(each, read_again):
                    wrong += 1
                    print(f"{seed}: {each.code} {', '.join(each.rules)}: {fault}")
    print(f"replayed {dict(sorted(seen.items()))}, {wrong} faults")
    raise SystemExit(bool(wrong))
