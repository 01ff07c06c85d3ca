"""Linting a project: every check over every campaign, suppressions applied, findings sorted and counted."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.base import base_of, not_at_base
from dialproof.baseline import apply_baseline
from dialproof.checks.base import CheckContext
from dialproof.checks.passive import reported_by_a_command
from dialproof.checks.registry import all_checks, checks_by_code
from dialproof.errors import DialproofError, UsageError
from dialproof.findings import Finding
from dialproof.source import MAX_BYTES, paused_gc, read_bytes, read_source
from dialproof.suppressions import Suppressed, Suppression, apply_suppressions, may_suppress, read_suppressions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from dialproof.base import Base
    from dialproof.checks.base import Check
    from dialproof.config import Config
    from dialproof.coverage.goals import Goals
    from dialproof.coverage.observe import Observer
    from dialproof.project import Campaign, Project
    from dialproof.source import SourceFile
    from dialproof.source.positions import Problem

__all__ = [
    "CheckFailedError",
    "LintResult",
    "Suppressed",
    "is_error",
    "lines_of",
    "lint",
    "selected_checks",
    "without_baseline",
]

_HELD = 200
"""Witnesses of one check that are made and looked at before its findings are reported."""

_READING = frozenset({"DP101", "DP102", "DP107", "DP108"})


@dataclass(frozen=True, slots=True)
class LintResult:
    """What a lint run found.

    ``findings`` stand after suppression, sorted by path, line, column, code; ``suppressed`` are those that a comment or
    the baseline hides; ``decided`` counts how many pairs each stage of the analysis decided; ``ran`` are the codes of
    the checks that left nothing open; ``goals`` are those of coverage, by the first id of each campaign with a case;
    ``files``, ``rules`` and ``campaigns`` count what was looked at; ``notes`` are
    sentences about what was not.
    """

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    decided: Mapping[str, int] = field(default_factory=dict)
    ran: frozenset[str] = frozenset()
    goals: Mapping[str, Goals] = field(default_factory=dict)
    files: int = 0
    rules: int = 0
    campaigns: int = 0
    notes: tuple[str, ...] = ()


class CheckFailedError(DialproofError):
    """Checks broke: an internal error, one line each; ``result`` holds what all the others found."""

    def __init__(self, messages: Sequence[str], result: LintResult) -> None:
        super().__init__("\n".join(messages))
        self.result = result


def lint(
    project: Project,
    *,
    today: date | None = None,
    suppress: bool = True,
    on_check: Callable[[str], object] = lambda _: None,
    base: Base | None = None,
    only_new: bool = False,
    observer: Callable[[Campaign], Observer] | None = None,
) -> LintResult:
    """Run the selected checks over every campaign and return what they found.

    ``today`` (default: the current day, UTC) decides which suppressions have ended; without ``suppress`` none counts,
    nor does the baseline.
    ``on_check`` is told of each check of each campaign when it begins. ``base`` (default: what the configuration names)
    is what changes are looked at against; with ``only_new`` what is found there as well is left out.
    ``observer`` gives the observer of a campaign where there is one: the cases that it noted are not run again.
    Raises :class:`UsageError` for a configuration that names unknown checks or a base that cannot be found, and
    :class:`CheckFailedError` where a check breaks.
    """
    opened: AbstractContextManager[Base | None] = nullcontext(base)
    if base is None and project.config.base and (only_new or _asks_for_a_base(project.config)):
        opened = base_of(project.config)
    with opened as found:
        return _lint(
            project, today or datetime.now(UTC).date(), suppress, on_check, found, only_new=only_new, observer=observer
        )


def _asks_for_a_base(config: Config) -> bool:
    return any(check.family == "changes" for check in selected_checks(config))


def _lint(
    project: Project,
    today: date,
    suppress: bool,
    on_check: Callable[[str], object],
    base: Base | None,
    *,
    only_new: bool,
    observer: Callable[[Campaign], Observer] | None = None,
) -> LintResult:
    config = project.config
    checks = selected_checks(config)
    findings = _reading_findings(project, {check.code for check in checks})
    decided: Counter[str] = Counter()
    failures: list[str] = []
    personal: set[tuple[str, int]] = set()
    left_open: set[str] = set()
    goals: dict[str, Goals] = {}
    for campaign in project.campaigns:
        context = CheckContext(project, campaign, base=base, today=today, observer_of=observer)
        personal |= context.personal_lines
        for check in checks:
            context.check = check
            on_check(f"{check.code} {check.name}, campaign {campaign.id}")
            try:
                with paused_gc():  # of the many objects that an analysis makes, few are garbage
                    findings.extend(check.run(context))
            except DialproofError:
                raise
            except Exception as error:
                if _debugging():
                    raise
                failures.append(_failure(check, campaign, error))
                left_open.add(check.code)
        decided.update(_decided(context))
        left_open |= _left_open(context)
        gaps = context.__dict__.get("gaps")
        if gaps is not None:
            goals[campaign.id] = gaps.proved
    findings = [f for f in _distinct(findings) if not _ignored_in_file(f, config)]
    hidden: list[Suppressed] = []
    ran = _ran(checks, config, base) - left_open
    if suppress:
        findings, hidden = _suppressed(project, findings, ran, today)
    findings = [_unless_personal(f, personal) for f in _held(findings, failures)]
    result = LintResult(
        findings=tuple(sorted((_configured(f, config) for f in findings), key=lambda f: f.sort_key)),
        suppressed=tuple(sorted(hidden, key=lambda s: s.finding.sort_key)),
        decided=dict(sorted(decided.items())),
        ran=ran,
        goals=goals,
        files=len(project.digests),
        rules=sum(len(c.rules) for c in project.campaigns),
        campaigns=sum(len(c.ids) for c in project.campaigns),
        notes=(
            *_notes(config, project.campaigns, {check.code for check in checks}),
            *(base.notes(project.campaigns) if base is not None else ()),
        ),
    )
    if suppress:
        result = without_baseline(result, project)
    if base is not None and only_new:
        old = _found(base.project, today, suppress)
        result = replace(result, findings=tuple(not_at_base(result.findings, project, base, old)))
    if failures:
        raise CheckFailedError(failures, result)
    return result


def without_baseline(result: LintResult, project: Project) -> LintResult:
    """Return the result without the findings of the project's baseline, and with those about entries of it."""
    if project.baseline is None:
        return result
    lines, checks = lines_of(project), checks_by_code()
    findings, hidden = apply_baseline(result.findings, project.baseline, lines, checks, ran=result.ran)
    findings = [_configured(f, project.config) for f in findings if not _ignored_in_file(f, project.config)]
    return replace(
        result,
        findings=tuple(sorted(findings, key=lambda f: f.sort_key)),
        suppressed=tuple(sorted((*result.suppressed, *hidden), key=lambda s: s.finding.sort_key)),
    )


def _ran(checks: Iterable[Check], config: Config, base: Base | None) -> frozenset[str]:
    """Return the codes of the checks of which it is known what they find.

    Comments and baselines may be about another target than those of ``--target``, about a change, and about what a
    command of its own reports.
    """
    unknown = [("target", bool(config.only_targets)), ("changes", base is None)]
    here = [check for check in checks if check.run is not reported_by_a_command]
    return frozenset(check.code for check in here if (check.family, True) not in unknown)


def _left_open(context: CheckContext) -> frozenset[str]:
    """Return the codes of the checks with a question that was not decided: they may find more."""
    analysis = context.__dict__.get("analysis")
    return frozenset() if analysis is None else frozenset(undecided.code for undecided in analysis.undecided)


def _held(findings: Sequence[Finding], failures: list[str]) -> Iterator[Finding]:
    """Yield the findings but those whose witness does not show them: that is a defect of the check, and said as one.

    Of many findings of one check the first are looked at; the others' witnesses are made when somebody looks at them.
    """
    from dialproof.analysis.answers import WitnessError

    looked_at: Counter[str] = Counter()
    for finding in findings:
        if finding.witness is not None and looked_at[finding.code] < _HELD:
            looked_at[finding.code] += 1
            try:
                _ = finding.witness.outcome
            except WitnessError as error:
                failures.append(
                    f"check {finding.code} ({finding.name}): {error} ({', '.join(finding.rules)}); this is a defect of "
                    "the check, and the finding is left out"
                )
                continue
        yield finding


def _found(project: Project, today: date, suppress: bool) -> Sequence[Finding]:
    """Return what is found in another project, with what all checks but the broken ones say."""
    try:
        return _lint(project, today, suppress, lambda _: None, None, only_new=False).findings
    except CheckFailedError as error:
        return error.result.findings


def _unless_personal(finding: Finding, lines: Collection[tuple[str, int]]) -> Finding:
    """Return the finding, marked where its line holds a personal value, whoever found it."""
    return replace(finding, personal=True) if (finding.path, finding.span.line) in lines else finding


def is_error(problem: Problem) -> bool:
    """Tell whether a problem of reading is an error, which leaves its file out, or a hint (severity info)."""
    return getattr(problem, "severity", "error") == "error"


def selected_checks(config: Config) -> tuple[Check, ...]:
    """Return the checks that the configuration selects; raise :class:`UsageError` for every code that is none.

    A selector is a code, the beginning of one (``DP3``) or a name; ``ignore`` wins over ``select``. Checks of the
    family ``target`` look at targets, and run only where there is one.
    """
    errors = [
        *_unknown("select", config.select),
        *_unknown("ignore", config.ignore),
        *_unknown("severity", config.severity, exact=True),
        *_unknown("checks", config.checks, exact=True),
        *(
            e
            for pattern, codes in config.per_file_ignores.items()
            for e in _unknown(f"per-file-ignores {pattern!r}", codes)
        ),
        *_unknown_options(config),
    ]
    if errors:
        raise UsageError("\n".join(errors))
    return tuple(
        check
        for check in all_checks()
        if (not config.select or _matches(check, config.select))
        and not _matches(check, config.ignore)
        and (check.family != "target" or config.targets)
    )


def _matches(check: Check, selectors: Iterable[str]) -> bool:
    return any(check.code.startswith(s) or check.name == s for s in selectors)


def _unknown(where: str, selectors: Iterable[str], *, exact: bool = False) -> list[str]:
    from difflib import get_close_matches

    errors = []
    for selector in selectors:
        if selector in checks_by_code() if exact else selector and any(_matches(c, [selector]) for c in all_checks()):
            continue
        near = get_close_matches(selector.upper(), checks_by_code(), 1, 0.6)
        errors.append(f"{where}: there is no check {selector!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return errors


def _unknown_options(config: Config) -> list[str]:
    errors = []
    for code, options in config.checks.items():
        check = checks_by_code().get(code)
        for name, value in options.items() if check else ():
            assert check is not None
            if name not in check.options:
                known = ", ".join(check.options) or "none"
                errors.append(f"checks.{code}: there is no option {name!r}; known options: {known}")
            elif type(value) is not type(check.options[name]):
                wanted = type(check.options[name]).__name__
                errors.append(f"checks.{code}.{name}: expected {wanted}, found {type(value).__name__}")
            elif name in ("budget", "rlimit") and isinstance(value, int) and value < 1:
                errors.append(f"checks.{code}.{name}: expected 1 or more, found {value}")
    return errors


def _reading_findings(project: Project, selected: Collection[str]) -> list[Finding]:
    """Return the problems of reading as findings: errors whatever is selected, hints as their check is."""
    checks = checks_by_code()
    found = []
    for problem in project.problems:
        check = checks[problem.code]
        if is_error(problem) or problem.code in selected:
            severity = check.severity if is_error(problem) else "info"
            edits = getattr(problem, "edits", ())
            found.append(
                Finding(check.code, check.name, severity, problem.path, problem.span, problem.message, edits=edits)
            )
    return found


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Keep the first of findings that differ in nothing but the campaign: a file may serve several."""
    seen: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        seen.setdefault((finding.code, finding.path, finding.span, finding.rules, finding.summary), finding)
    return list(seen.values())


def _configured(finding: Finding, config: Config) -> Finding:
    severity = config.severity.get(finding.code)
    return finding if severity is None or _is_fixed(finding) else replace(finding, severity=severity)


def _is_fixed(finding: Finding) -> bool:
    """Tell whether no configuration can hide the finding: its file is left out of every other check."""
    return finding.code in _READING and finding.severity == "error"


def _ignored_in_file(finding: Finding, config: Config) -> bool:
    if _is_fixed(finding):
        return False
    check = checks_by_code()[finding.code]
    return any(
        fnmatchcase(finding.path, pattern) and _matches(check, codes)
        for pattern, codes in config.per_file_ignores.items()
    )


def _suppressed(
    project: Project, findings: Sequence[Finding], ran: Collection[str], today: date
) -> tuple[list[Finding], list[Suppressed]]:
    known = checks_by_code()
    suppressions: list[Suppression] = []
    problems: list[Finding] = []
    for source in _sources(project):
        valid, wrong = read_suppressions(source, source.display, known)
        suppressions.extend(valid)
        problems.extend(wrong)
    standing, hidden = apply_suppressions(findings, suppressions, known, ran=ran, today=today)
    own = {"DP902", "DP903", "DP904"}.difference(ran)
    kept = [f for f in (*problems, *standing) if f.code not in own and not _ignored_in_file(f, project.config)]
    return kept, hidden


def _sources(project: Project) -> Iterator[SourceFile]:
    """Yield the files of the campaigns that may hold comments: rules, contact lists and contacts, in YAML."""
    for campaign in project.campaigns:
        for file in campaign.files:
            yield file.source
    others = [*project.links, *(c.contact_list.path for c in project.campaigns if c.contact_list.declared)]
    for name in dict.fromkeys(others):
        path = project.config.root / name
        content = _content(project, name) if path.suffix in (".yaml", ".yml") else b""
        if not isinstance(content, str) and may_suppress(content):  # most files do not, and are not read again
            yield read_source(path, name, content)


def lines_of(project: Project) -> Callable[[str], Sequence[str]]:
    """Return what returns the lines of a file of the project as editors count them, none if it cannot be read."""

    @cache
    def lines(path: str) -> Sequence[str]:
        content = _content(project, path)
        if isinstance(content, str):
            return ()
        return re.split(r"\r\n|\n|\r", content.decode("utf-8-sig", errors="replace"))

    return lines


def _content(project: Project, path: str) -> bytes | str:
    edited = project.edited.get(path)
    return read_bytes(project.config.root / path, MAX_BYTES) if edited is None else edited


def _decided(context: CheckContext) -> Mapping[str, int]:
    """Return how many pairs each stage decided, if any check asked for the analysis."""
    analysis = context.__dict__.get("analysis")
    return analysis.decided if analysis is not None else {}


def _notes(config: Config, campaigns: Sequence[Campaign], ran: Collection[str]) -> Iterable[str]:
    from dialproof.checks.dangling_reference import KINDS, unlisted_kinds

    unlisted = unlisted_kinds(config, (rule for campaign in campaigns for rule in campaign.rules))
    if unlisted and "DP106" in ran:
        names = ", ".join(f"{KINDS[kind]}s" for kind in unlisted)
        yield f"DP106 looked up no {names}: neither inventory nor environments list them"
    if "DP706" in ran:
        from dialproof.checks.platform_diagnostic import unknown_facts

        yield from unknown_facts(config, campaigns)
    named = [selector for selector in config.select if len(selector) > 2]  # not DP, which is all of them
    if not config.targets and any(c.family == "target" and _matches(c, named) for c in all_checks()):
        yield "checks of targets did not run: configure an environment, or name a target with --target"
    for campaign in campaigns:
        if not campaign.contact_list.declared:
            yield f"{campaign.id} has no contact list: its columns are inferred from the rules"


def _debugging() -> bool:
    import os

    return bool(os.environ.get("DIALPROOF_DEBUG"))


def _failure(check: Check, campaign: Campaign, error: Exception) -> str:
    """Name the check, the campaign and the place; not the error's text, which may hold a contact's values."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"check {check.code} ({check.name}) broke on campaign {campaign.id}: {type(error).__name__} at "
        f"{Path(frame.filename).name}:{frame.lineno}; this is a defect of the check, "
        "set DIALPROOF_DEBUG=1 to see the traceback"
    )
