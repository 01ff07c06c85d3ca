"""What a check is, and what it is given to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dialproof.analysis.answers import Budget
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.difference import Difference
    from dialproof.analysis.familiar import Familiar
    from dialproof.base import Base
    from dialproof.checks.wording import Wording
    from dialproof.coverage.gaps import Gaps
    from dialproof.coverage.observe import Observer
    from dialproof.evaluate import Evaluator
    from dialproof.findings import Edit, Finding, Severity, Witness
    from dialproof.project import Campaign, Project
    from dialproof.source import Mapping as MappingNode
    from dialproof.source.positions import Span
    from dialproof.targets.base import TargetType

__all__ = ["Check", "CheckContext", "Family"]

Family: TypeAlias = Literal["schema", "conditions", "actions", "conflicts", "ordering", "coverage", "target", "changes"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check; its module's docstring is its page (What it does, Why it matters, Example, Instead, Options).

    ``run`` is called once for every campaign and yields findings through :meth:`CheckContext.finding`. A module of
    built-in checks holds its one check as ``CHECK``; the docstring's first line is the summary, its headings are
    Markdown (``## What it does``). ``options`` are the check's own options with their defaults, settable as
    ``[tool.dialproof.checks.CODE]``; a value must have the type of its default.
    """

    code: str
    name: str
    severity: Severity
    family: Family
    run: Callable[[CheckContext], Iterable[Finding]]
    doc: str
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.strip().partition("\n")[0]


@dataclass
class CheckContext:
    """One campaign with everything that checks share; the analysis and the evaluator are made when first asked for.

    ``base`` is the project that a change is looked at against, if there is one; ``today`` the day of the run;
    ``observer_of`` gives the observer of a campaign where somebody has one already, with its evaluator.
    """

    project: Project
    campaign: Campaign
    check: Check | None = field(default=None)
    base: Base | None = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    observer_of: Callable[[Campaign], Observer] | None = None
    _differences: dict[int, Difference] = field(default_factory=dict, repr=False)

    @cached_property
    def evaluator(self) -> Evaluator:
        """The evaluator of this campaign under the configured semantics."""
        from dialproof.evaluate import Evaluator

        if self.observer_of is not None:
            return self.observer_of(self.campaign).given
        return Evaluator(self.campaign, self.project.config.semantics, cache=self.project.config.cache)

    @cached_property
    def analysis(self) -> CampaignAnalysis:
        """The exact cell analysis of this campaign."""
        return self._analysis_of(self.evaluator)

    def _analysis_of(self, evaluator: Evaluator) -> CampaignAnalysis:
        from dialproof.analysis.answers import RLIMIT
        from dialproof.analysis.campaign import CampaignAnalysis

        rlimit = self.project.config.checks.get("DP901", {}).get("rlimit", RLIMIT)
        assert isinstance(rlimit, int)
        return CampaignAnalysis(evaluator.campaign, evaluator, rlimit, familiar=self._familiar)

    @cached_property
    def gaps(self) -> Gaps | None:
        """What the cases of this campaign leave open; None where it has no case."""
        from dialproof.coverage.gaps import Gaps
        from dialproof.coverage.observe import Observer, cases_of

        def analysis(evaluator: Evaluator) -> CampaignAnalysis:
            return self.analysis if evaluator is self.evaluator else self._analysis_of(evaluator)

        if next(cases_of(self.project, self.campaign), None) is None:
            return None
        observer = Observer(self.evaluator) if self.observer_of is None else self.observer_of(self.campaign)
        return Gaps(self.project, self.campaign, observer, analysis)

    @cached_property
    def _familiar(self) -> Familiar:
        from dialproof.analysis.familiar import familiar_to

        return familiar_to(self.project, self.campaign)

    @cached_property
    def targets(self) -> tuple[TargetType, ...]:
        """The targets that rules are held against; raises ``UsageError`` for a name that is none."""
        from dialproof.targets.registry import targets_of

        return targets_of(self.project.config)

    @cached_property
    def wording(self) -> Wording:
        """How findings say actions and conditions."""
        from dialproof.checks.wording import Wording

        return Wording(self.campaign.contact_list)

    @cached_property
    def personal_lines(self) -> frozenset[tuple[str, int]]:
        """Path and line of everything in the rules that holds a value of a personal column."""
        return frozenset((rule.path, line) for rule in self.campaign.rules for line in self.wording.lines(rule))

    @cached_property
    def nodes(self) -> Mapping[int, MappingNode]:
        """The node of each rule, by the identity of the rule: where repairs are written."""
        from dialproof.source import Mapping, Sequence

        found: dict[int, Mapping] = {}
        for file in self.campaign.files:
            root = file.source.root
            nodes = root.get("rules") if isinstance(root, Mapping) else None
            for rule, node in zip(file.rules, nodes.items if isinstance(nodes, Sequence) else (), strict=False):
                if isinstance(node, Mapping):
                    found[id(rule)] = node
        return found

    def before(self) -> tuple[Campaign, ...]:
        """Return what ran under the campaign's ids at the base: one sequence, unless there is no base or it is new.

        Where that is not known the question of the running check stays open.
        """
        why = self.base.open(self.campaign) if self.base is not None else ""
        if why:
            self._leave_open(why)
        return () if self.base is None or why else self.base.before(self.campaign)

    def differences(self) -> Iterator[Difference]:
        """Yield the campaign beside each that ran at the base, for questions about who is dialed."""
        from dialproof.analysis.difference import Difference
        from dialproof.evaluate import Evaluator

        for old in self.before():
            assert self.base is not None
            if id(old) not in self._differences:
                config = self.base.project.config
                evaluator = Evaluator(old, config.semantics, cache=config.cache)
                self._differences[id(old)] = Difference(
                    evaluator, self.evaluator, self.analysis.decided, self._familiar
                )
            difference = self._differences[id(old)]
            if difference.meaningless:
                self._leave_open(difference.meaningless)
            else:
                yield difference

    def _leave_open(self, why: str) -> None:
        from dialproof.analysis.answers import Unknown

        assert self.check is not None
        self.analysis.leave_open(self.check.code, self.campaign.rules[:1], Unknown(why, "base"))

    def budget(self) -> Budget:
        """Return what the running check may spend, by its option ``budget``."""
        from dialproof.analysis.answers import Budget

        return Budget(self.option("budget"))

    def option(self, name: str) -> object:
        """Return an option of the running check: as configured, else its default."""
        assert self.check is not None
        return self.project.config.checks.get(self.check.code, {}).get(name, self.check.options[name])

    def finding(
        self,
        path: str,
        span: Span,
        summary: str,
        *,
        details: str = "",
        rules: tuple[str, ...] = (),
        witness: Witness | None = None,
        fix: str = "",
        severity: Severity | None = None,
        edits: tuple[Edit, ...] = (),
        safe: bool = True,
    ) -> Finding:
        """Return a finding of the running check with its code, name and (default) severity filled in."""
        from dialproof.findings import Finding

        assert self.check is not None
        return Finding(
            code=self.check.code,
            name=self.check.name,
            severity=severity or self.check.severity,
            path=path,
            span=span,
            summary=summary,
            details=details,
            rules=rules,
            campaign=self.campaign.id,
            witness=witness,
            fix=fix,
            personal=(path, span.line) in self.personal_lines,
            edits=edits,
            safe=safe,
        )
