"""The candidates of a campaign: for its rules, conditions, boundaries, pairs of values and findings."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialproof.analysis.answers import Budget, Found, Nowhere, WitnessError
from dialproof.analysis.atoms import CLOCK, DAY_OF_CALL, TIME_OF_CALL
from dialproof.analysis.campaign import CampaignAnalysis, atoms_of
from dialproof.analysis.familiar import familiar_to
from dialproof.analysis.lines import DAY
from dialproof.analysis.witness import Scene, put, replaced
from dialproof.cel.values import MISSING, from_micros, read_text
from dialproof.checks.wording import Wording
from dialproof.coverage.goals import Goal
from dialproof.coverage.observe import Observer, cases_of
from dialproof.coverage.reach import Reach
from dialproof.generate.boundaries import edges_of, minutes_around, unreadable, values_around
from dialproof.generate.pairwise import pairwise
from dialproof.generate.suite import Collector, situation
from dialproof.model.contacts import Case
from dialproof.model.rules import Condition
from dialproof.output.masking import MASK
from dialproof.view import ANALYSIS_NOW, instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.atoms import Atom
    from dialproof.analysis.domain import Axis
    from dialproof.analysis.runs import Runs
    from dialproof.cel.values import Variable
    from dialproof.evaluate import Evaluator
    from dialproof.findings import Finding
    from dialproof.generate.suite import Kind, Suite
    from dialproof.model.rules import Category, Rule
    from dialproof.project import Project

__all__ = ["Candidates", "suite_of"]

_BUDGET = 2000
"""Contacts that are searched for one goal."""
_DAYS = 12
"""Days of the call that are tried for one condition."""
_PAIRS = 20_000
"""Pairs of values, beyond which columns that few rules read are left out."""


class Candidates:
    """Puts candidates into a collector; what was found for a goal is the contact that boundaries are tried on."""

    def __init__(self, reach: Reach, into: Collector) -> None:
        self.reach, self.into = reach, into
        self.analysis, self.observer = reach.analysis, reach.observer
        self._wording = Wording(self.analysis.campaign.contact_list)
        self._budget = Budget(_BUDGET)
        self._known: dict[Goal, Answer] = {}

    def gather(self, kinds: Collection[Kind], findings: Iterable[Finding] = ()) -> None:
        """Add the candidates of some kinds."""
        if "rules" in kinds:
            self._goals("rules", ("matched", "missed"))
        if "mcdc" in kinds:
            self._goals("mcdc", ("decides true", "decides false"))
        if "boundary" in kinds:
            self._boundaries()
        if "pairwise" in kinds:
            for category in ("preCall", "wrapUp"):
                self._pairs(self.analysis.runs(category))
        if "findings" in kinds:
            self._findings(findings)

    # Goals of coverage.

    def _goals(self, kind: Kind, of: tuple[str, ...]) -> None:
        for number, goal in enumerate(self.observer.goals.all):
            if goal.kind not in of or self._is_broken(goal):
                continue
            answer, text = self._answer(goal), self._said(goal)
            if isinstance(answer, Found):
                self.into.add(answer.scene, self._rule(goal).category, [self.into.goal(kind, text, number)])
            elif isinstance(answer, Nowhere):
                self.into.notes.append(f"impossible, proved: {text}")
            else:
                self.into.notes.append(f"not found: {text} ({answer.reason})")

    def _answer(self, goal: Goal) -> Answer:
        if goal not in self._known:
            self._known[goal] = self.reach.search(goal, self._budget.question())
        return self._known[goal]

    def _rule(self, goal: Goal) -> Rule:
        return self.observer.decisions[goal.rule].rule

    def _is_broken(self, goal: Goal) -> bool:
        return self._rule(goal).name in self.analysis.broken

    def _said(self, goal: Goal) -> str:
        name = self._rule(goal).name
        if goal.kind in ("matched", "missed"):
            return f"{name} {'matches' if goal.kind == 'matched' else 'is missed'}"
        return f"{name}: {self._condition(goal)} decides as {goal.kind.removeprefix('decides ')}"

    def _condition(self, goal: Goal) -> str:
        """Return a condition in words, with its number where the rule has another one of these words."""
        said = [
            self._wording.comparison(leaf)
            if isinstance(leaf, Condition)
            else self._wording.condition(leaf, self.observer.evaluator.leaf(leaf))
            for leaf in self.observer.decisions[goal.rule].conditions
        ]
        own = said[goal.position]
        return f"{own} (condition {goal.position + 1})" if said.count(own) > 1 else own

    # Boundaries.

    def _boundaries(self) -> None:
        edges: dict[Variable, tuple[Scene, Category, list[Atom]]] = {}
        for goal in (g for g in self.observer.goals.all if g.kind == "decides true" and not self._is_broken(g)):
            category, base = self._rule(goal).category, self._base(goal)
            leaf = self.observer.decisions[goal.rule].conditions[goal.position]
            for atom in atoms_of(self.analysis.part_of(leaf)):
                if len(atom.axes) == 1 and atom.axes[0] != CLOCK:
                    (variable,) = atom.axes
                    for shown, scene in self._around(variable, atom, base):
                        text = f"{self._name(variable)} {shown}, on a boundary of {self._condition(goal)}"
                        self.into.add(scene, category, [self.into.reason("boundary", text)])
                    if variable.source != "now":
                        edges.setdefault(variable, (base, category, []))[2].append(atom)
        for variable, (base, category, atoms) in edges.items():
            for shown, scene in self._absent(variable, atoms, base):
                text = f"{self._name(variable)} {shown}"
                self.into.add(scene, category, [self.into.reason("boundary", text)])
        if self.into.time_zone:
            self._changes_of_the_clock(self.into.time_zone)

    def _base(self, goal: Goal) -> Scene:
        """Return a contact on which a condition decides, else one that its rule matches, else a usual one."""
        for one in (goal, replace(goal, kind="decides false"), Goal(goal.rule, "matched")):
            answer = self._answer(one)
            if isinstance(answer, Found):
                return answer.scene
        return self.analysis.runs(self._rule(goal).category).scene_at({})

    def _around(self, variable: Variable, atom: Atom, base: Scene) -> Iterator[tuple[str, Scene]]:
        moment = instant(base.now, None)
        if variable == TIME_OF_CALL:
            for minute in minutes_around([atom]):
                now = from_micros(moment // DAY * DAY + minute * 60_000_000)
                yield f"{now:%H:%M}", replace(base, now=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        elif variable == DAY_OF_CALL:
            for cell in self.analysis.axes[variable].cells[:_DAYS]:
                assert isinstance(cell.value, int)
                now = from_micros(cell.value // DAY * DAY + moment % DAY)
                yield f"{now:%Y-%m-%d}", replace(base, now=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        else:
            options = self.into.options(base)
            moment = instant(options["now"], options["time_zone"])
            values = values_around(self.analysis.columns[variable], atom, moment, self.into.time_zone)
            for number, value in enumerate(values, 1):
                shown = f'"{value}"' if isinstance(value, str) else read_text(value)
                if self._wording.is_personal(variable.name):
                    shown = f"{MASK} ({number} of {len(values)})"
                yield shown, self._with(base, variable, value)

    def _absent(self, variable: Variable, atoms: list[Atom], base: Scene) -> Iterator[tuple[str, Scene]]:
        """Yield a contact without a value, one with an empty one, and one with a text that cannot be read."""
        column = self.analysis.columns[variable]
        if not column.required:
            yield "absent", self._with(base, variable, MISSING)
            yield "blank", self._with(base, variable, "")
        text = unreadable(column, atoms)
        if text is not None:
            yield "not readable", self._with(base, variable, text)

    def _with(self, scene: Scene, variable: Variable, value: object) -> Scene:
        if variable.source == "contact":
            names = self.analysis.campaign.contact_list.columns
            return replace(scene, contact=replaced(scene.contact, variable.name, value, names))
        context = replaced(scene.context, variable.name, MISSING, ())
        if value is not MISSING:
            put(context, variable.name, value, ())
        return replace(scene, context=context)

    def _changes_of_the_clock(self, zone: str) -> None:
        """Add the moments at which the zone changes its offset, on the contacts of the rules that look at the clock."""
        for index, decision in enumerate(self.observer.decisions):
            programs = [self.observer.evaluator.leaf(leaf) for leaf in decision.conditions]
            reads = (v for program in programs for v in program.reads)
            if not decision.rule.enabled or not any(v.source == "now" or v.name.startswith("now.") for v in reads):
                continue
            answer = self._answer(Goal(index, "matched"))
            if isinstance(answer, Found):
                for moment in edges_of(zone, int(answer.scene.now[:4])):
                    local = moment.astimezone(ZoneInfo(zone)).isoformat()
                    text = f"{decision.rule.name} at {local}, where {zone} changes its offset"
                    scene = replace(answer.scene, now=moment.isoformat())
                    self.into.add(scene, decision.rule.category, [self.into.reason("boundary", text)])

    def _name(self, variable: Variable) -> str:
        return variable.name if variable.source != "now" else f"the call's {variable.name}"

    # Pairs of values.

    def _pairs(self, runs: Runs) -> None:
        """Add rows in which every two values of two columns meet; values that no condition tells apart are one."""
        read = Counter(v for reads in runs.reads for v in reads if v in self.analysis.axes)
        values = {
            v: _told_apart(self.analysis.axes[v]) for v, _ in sorted(read.items(), key=lambda item: (-item[1], item[0]))
        }
        values = {variable: positions for variable, positions in values.items() if len(positions) > 1}
        while sum(len(a) * len(b) for a, b in combinations(values.values(), 2)) > _PAIRS:
            variable, _ = values.popitem()
            self.into.notes.append(f"pairs of values: {variable.name} is left out, there would be too many")
        if len(values) < 2:
            return
        for row in pairwise([len(positions) for positions in values.values()]):
            chosen = {v: values[v][index] for v, index in zip(values, row, strict=True)}
            pairs = combinations(sorted(chosen.items()), 2)
            own = [self.into.reason("pairwise", f"{runs.category}: {one} with {other}") for one, other in pairs]
            self.into.add(runs.scene_at(chosen), runs.category, own)

    # Findings.

    def _findings(self, findings: Iterable[Finding]) -> None:
        categories: Mapping[str, Category] = {r.name: r.category for r in self.analysis.campaign.rules}
        for finding in findings:
            if finding.witness is None or finding.campaign not in self.analysis.campaign.ids:
                continue
            try:
                witness = finding.witness
                scene = Scene(witness.contact, witness.context, witness.now or ANALYSIS_NOW)
            except WitnessError:
                continue
            named = [categories[name] for name in finding.rules if name in categories]
            text = f"{finding.code} {finding.name}: {', '.join(finding.rules) or finding.summary}"
            self.into.add(scene, named[0] if named else "preCall", [self.into.reason("findings", text)])


def _told_apart(axis: Axis) -> list[int]:
    """Return a cell of an axis, a usual one, for each way in which the conditions on it can come out."""
    masks: dict[tuple[int, ...], int] = {}
    for position in axis.positions(axis.real):
        verdicts = tuple(mask >> position & 1 for text in axis.masks for mask in axis.verdicts(text)[:2])
        masks[verdicts] = masks.get(verdicts, 0) | 1 << position
    return [axis.pick(mask) for mask in masks.values()]


def suite_of(
    project: Project,
    evaluator: Evaluator,
    kinds: Collection[Kind],
    time_zone: str | None = None,
    *,
    missing: bool = False,
) -> Suite:
    """Return the contacts of some kinds that are worth a test of the evaluator's campaign, and no case yet.

    With ``missing`` they are only for what the campaign's cases do not show: goals of coverage that those meet need no
    contact. Values are taken from cases where they fit, never those of personal columns.
    """
    campaign, observer = evaluator.campaign, Observer(evaluator)
    apart, familiar = observer.evaluator, familiar_to(project, campaign)
    reach = Reach(observer, CampaignAnalysis(apart.campaign, apart, familiar=familiar))
    collector = Collector(observer, time_zone)
    findings = _findings_of(project) if "findings" in kinds else ()
    Candidates(reach, collector).gather(kinds, findings)
    taken, met = set(), 0
    for case, file in cases_of(project, campaign):
        with suppress(ValueError):  # a clock or time zone that there is not: the case fails under pytest
            if isinstance(case, Case):
                options = file.run_options(case)
                moment = instant(options["now"], options["time_zone"])
                taken.add(situation(case.contact, case.context, moment, case.category))
            met |= observer.met_by(case, file) if missing else 0
    return collector.suite(taken=taken, met=met)


def _findings_of(project: Project) -> Sequence[Finding]:
    """Return what lint finds, hidden findings too; coverage is looked at here already."""
    from dialproof.lint import CheckFailedError, lint

    try:
        findings = lint(project, suppress=False).findings
    except CheckFailedError as error:
        findings = error.result.findings
    return [finding for finding in findings if not finding.code.startswith("DP60")]
