"""Asks the gate about each project of a session, and does what an open gate allows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialproof.config import load_config
from dialproof.errors import DialproofError, PartlyAppliedError
from dialproof_deploy.gate.decision import CaseFact, Phase, Seen, Verdict, covered, decide, expect, strict, too_little
from dialproof_deploy.gate.report import write_gate_report
from dialproof_deploy.redact import redact
from dialproof_deploy.state import StateDir
from pytest_dialproof.hook_errors import describe, internal_error
from pytest_dialproof.projects import SessionProject, digests_of, projects_of, real, shown_path
from pytest_dialproof.summary import facts, write_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest

    from dialproof.coverage.goals import Coverage
    from dialproof.lint import LintResult
    from dialproof_deploy.deploy import Deployer, DeployResult
    from pytest_dialproof.recorder import Recorder, Run

__all__ = ["Asked", "Gatekeeper", "close", "reasons_not_to_begin"]


def reasons_not_to_begin(config: pytest.Config) -> list[str]:
    """Return why what is to be planned or deployed cannot be, whatever the tests show.

    Asked are the configurations of the paths on the command line; where one of them would do, or there is none, only
    the files that are collected can tell.
    """
    from dialproof_deploy.audit.export import check_destination
    from dialproof_deploy.gate.signature import check_signing
    from dialproof_deploy.preflight import check_environment

    option = config.option
    try:
        projects = projects_of(config).asked_for()
    except DialproofError:  # a configuration that is wrong is reported with the files that it governs
        return []
    reasons: list[str] = []
    for settings in projects:
        if settings.file is None:
            continue
        try:
            check_environment(settings, option.dialproof_env, os.environ)
            if option.dialproof_deploy == "apply":
                check_signing(settings, os.environ)
            if option.dialproof_audit_export:
                check_destination(_destination(config, option.dialproof_audit_export), option.dialproof_env)
        except DialproofError as error:
            reasons += str(error).splitlines()
        else:
            return []
    return list(dict.fromkeys(reasons))


def _destination(config: pytest.Config, text: str) -> Path | str:
    """Return where the audit log is exported to: a file, or the text of a URL."""
    from dialproof_deploy.audit.export import is_url

    return text if is_url(text) else config.invocation_params.dir / text


def close(config: pytest.Config, *reasons: str) -> list[str]:
    """Write the gate report of a session without a gate, if one was asked for; return why that failed."""
    file = config.option.dialproof_gate_report
    try:
        if file:
            write_gate_report(config.invocation_params.dir / file, {".": Verdict.closed(*reasons)})
    except DialproofError as error:
        return str(error).splitlines()
    return []


@dataclass
class Asked:
    """One project with its verdict; ``lines`` are what happened afterwards, ``undeployed`` why nothing was deployed.

    ``evidence`` is the file of what was written as evidence, which is ``document``.
    """

    place: SessionProject
    verdict: Verdict
    latencies: tuple[int, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    result: LintResult | None = None
    evidence: Path | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    undeployed: list[str] = field(default_factory=list)


class Gatekeeper:
    """The end of one session on the controller."""

    def __init__(self, session: pytest.Session, recorder: Recorder, exit_status: int) -> None:
        self.session, self.recorder, self.exit_status = session, recorder, exit_status
        self.config = session.config
        self.option = session.config.option
        self.now = datetime.now(UTC)
        self.asked: list[Asked] = []
        self.errors: list[str] = []
        self.notes: list[str] = []
        self._began = self._unplanned = False

    def decide(self) -> bool:
        """Ask the gate about every project and go on; return whether all that was asked for was done."""
        done = self._attempt(self._judge)
        for asked in self.asked:
            if asked.verdict.open and asked.evidence is None:
                asked.verdict = asked.verdict.with_reasons(*(self.errors or ["there is no evidence"]))
            done &= not any(too_little(asked.verdict.coverage, self.option.dialproof_cov_fail_under))
        done &= self._attempt(self._report)
        return done and not self.errors and not any(asked.undeployed for asked in self.asked)

    def deploy(self) -> None:
        """Deploy the one project of the session, on the evidence that it wrote."""
        asked = self.asked[0]
        self._began = True
        try:
            result = self._deployer(asked).deploy(asked.document)
        except PartlyAppliedError as error:
            self.errors += str(error).splitlines()
            return
        except DialproofError as error:  # what was made before it was undone, or it would be a PartlyAppliedError
            asked.undeployed += str(error).splitlines()
            return
        from dialproof_deploy.plan.render import plan_text

        for plan in result.plans:
            asked.lines += plan_text(plan).splitlines()
        asked.lines += result.notes
        asked.lines.append(f"{result.summary()}; audit log {self.shown(result.audit_log)}")
        self.errors += self._call("pytest_dialproof_deployed", result=result)

    def export_audit(self, result: DeployResult, file: str) -> None:
        """Export the audit log and the events of a deploy."""
        from dialproof_deploy.audit.export import export_audit, name_of

        where = _destination(self.config, file)
        exported = export_audit([result.audit_log, result.event_log], where)
        name = name_of(where) if isinstance(where, str) else self.shown(where)
        self.asked[0].lines.append(f"audit export {name}: {exported}")

    def write_page(self, file: Path) -> bool:
        """Write what the run showed as an HTML page; return whether that was done."""
        from pytest_dialproof.html.content import page_of
        from pytest_dialproof.html.page import write_page

        def write() -> bool:
            recorder = self.config.pluginmanager.get_plugin("dialproof-items")
            assert recorder is not None
            write_page(file, page_of(self, recorder))
            self.notes.append(f"report in {self.shown(file)}")
            return True

        return self._attempt(write)

    def write(self, terminal: pytest.TerminalReporter) -> None:
        """Write what went wrong, what the cases showed, what was done, and last the verdict of each project."""
        if not self.asked:
            write_verdict(terminal, Verdict.closed(*map(redact, self.errors)), None)
            return
        for error in self.errors:
            terminal.write_line(f"error: {redact(error)}", red=True)
        for note in self.notes:
            terminal.write_line(note)
        for asked in self.asked:
            if len(self.asked) > 1:
                terminal.write_sep("-", asked.place.shown("."))
            for line in [*facts(asked.verdict, asked.latencies, asked.coverage), *asked.lines]:
                terminal.write_line(line)
            for reason in asked.undeployed:
                terminal.write_line(f"nothing was deployed: {redact(reason)}", red=True)
            write_verdict(terminal, asked.verdict, self.shown(asked.evidence) if asked.evidence else None)
        if outcome := self.outcome():
            terminal.write_line(outcome, red=self.option.dialproof_deploy is not None, bold=True)

    def outcome(self) -> str:
        """Return what became of the deploy beside the verdict, which says nothing of it; "" where that is plain."""
        name, mode = self.option.dialproof_env, self.option.dialproof_deploy
        if mode is None:
            return "nothing was planned or deployed: that needs --dialproof-deploy=plan or apply" if name else ""
        if any(asked.undeployed for asked in self.asked) or (mode == "apply" and not self._began):
            return f"nothing was deployed to {name}: see above"
        if self.errors and self._began:
            return f"the deploy to {name} ended with errors: see above"
        if self._unplanned:
            return f"the plan for {name} cannot be applied: see above"
        return ""

    def complaints(self) -> list[str]:
        """Return the errors, and why the gate is closed: what must be read even where there is no terminal report."""
        lines = [f"gate closed: {reason}" for asked in self.asked for reason in asked.verdict.reasons]
        lines += [f"nothing was deployed: {reason}" for asked in self.asked for reason in asked.undeployed]
        return [redact(line) for line in (*lines, *self.errors)]

    def _attempt(self, action: Callable[[], bool]) -> bool:
        """Return what the action does; the session must end in order whatever happens in it."""
        try:
            return action()
        except DialproofError as error:
            self.errors += str(error).splitlines()
        except KeyboardInterrupt as interrupt:
            self.errors += ["interrupted", *getattr(interrupt, "__notes__", ())]
        except Exception as error:
            if os.environ.get("DIALPROOF_DEBUG"):
                raise
            self.errors += internal_error(error)
        return False

    def _judge(self) -> bool:
        roots = self.recorder.roots or [str(settings.root) for settings in projects_of(self.config).asked_for()]
        self.asked = [self._ask(root) for root in roots]
        if self._only is None:
            self._refuse_several()
        done = True
        for asked in self.asked:
            done &= self._go_on(asked)
        return done

    @property
    def _only(self) -> Asked | None:
        """The project of the session where it has one: plans, deploys and a named evidence file are for one."""
        return self.asked[0] if len(self.asked) == 1 else None

    def _ask(self, root: str) -> Asked:
        place = projects_of(self.config).fresh(root)
        run = self.recorder.run(root)
        seen = self._seen(place, run)
        try:
            result = self._lint(place)
            expected = expect(place.project, result, today=self.now.date())
            configured = load_config(place.config.root)
            expected = replace(expected, digests=digests_of(place.project), base=configured.base)
            verdict = decide(expected, seen)
            evaluated = {fact.campaign for fact in seen.cases.values()}
            coverage = covered([c for c in expected.campaigns if c.id in evaluated], seen.cases.values())
        except DialproofError as error:
            result, coverage = None, ()
            verdict = Verdict.closed(*str(error).splitlines(), evaluations=len(seen.cases))
        latencies = tuple(case["ns"] for case in run.cases.values())
        return Asked(place, verdict, latencies, coverage, result)

    def _lint(self, place: SessionProject) -> LintResult:
        """Return the lint under the strict configuration; what this process found already, where that holds."""
        from dialproof.lint import lint

        known = projects_of(self.config).get(place.root)
        settings = strict(place.config)
        if known is not None and known.config == settings and "lint_result" in vars(known) and _same(known, place):
            return known.lint_result
        return lint(replace(place.project, config=settings))

    def _seen(self, place: SessionProject, run: Run) -> Seen:
        root = place.config.root
        inside = [place.relative(self.config.rootpath / node.partition("::")[0]) for node in self.recorder.broken]
        crashed = [_relative_id(node, self.config.rootpath, root) for node in self.recorder.crashed]
        kinds = {phase: Phase(*phase) for phase in set(chain.from_iterable(run.phases.values()))}
        return Seen(
            phases={item: [kinds[phase] for phase in phases] for item, phases in run.phases.items()},
            cases={
                item: CaseFact(case["campaign"], int(case["met"], 16), case["conflict"])
                for item, case in run.cases.items()
            },
            exit_status=self.exit_status,
            digests={
                process: None if roots is None else roots[place.root]
                for process, roots in self.recorder.read.items()
                if roots is None or place.root in roots
            },
            deselected=frozenset(run.deselected),
            deselecting=self._deselecting(),
            last_failed=bool(getattr(self.option, "lf", False)),
            arguments=self._arguments(root),
            broken=tuple(inside),
            crashed=tuple(crashed),
            stopped=self._stopped(),
            fail_on=self.option.dialproof_fail_on,
            since=self.option.dialproof_since,
            proved=run.proved,
            cov_fail_under=self.option.dialproof_cov_fail_under,
        )

    def _deselecting(self) -> tuple[str, ...]:
        option = self.option
        words = []
        if getattr(option, "keyword", ""):
            words.append(f"-k {option.keyword!r}")
        if getattr(option, "markexpr", ""):
            words.append(f"-m {option.markexpr!r}")
        if getattr(option, "lf", False):
            words.append("--lf")
        if getattr(option, "stepwise", False):
            words.append("--stepwise")
        words += [f"--deselect {node}" for node in getattr(option, "deselect", None) or ()]
        return tuple(words)

    def _arguments(self, root: Path) -> tuple[str, ...]:
        """Return what pytest was asked for as paths and ids below the root; one at or above the root is ""."""
        found = []
        for argument in self.config.args:
            path, separator, rest = argument.partition("::")
            absolute = Path(os.path.abspath(self.config.invocation_params.dir / path))
            absolute = absolute.resolve() if absolute.is_dir() else real(absolute)
            if root.is_relative_to(absolute):
                found.append("")
            elif absolute.is_relative_to(root):
                found.append(absolute.relative_to(root).as_posix() + separator + rest)
        return tuple(found)

    def _stopped(self) -> str:
        limit = getattr(self.option, "maxfail", 0)
        if limit and self.session.testsfailed >= limit:
            return "-x" if limit == 1 else f"--maxfail={limit}"
        if self.exit_status == 2:
            return "errors during collection" if self.recorder.broken else "interrupted"
        return ""

    def _refuse_several(self) -> None:
        """Close the gate for what is meant for one project while there are several."""
        names = ", ".join(asked.place.shown(".") for asked in self.asked)
        for option, value in (("deploy", self.option.dialproof_deploy), ("evidence", self.option.dialproof_evidence)):
            if value:
                reason = f"--dialproof-{option} is for one project at a time, and this run has several: {names}"
                for asked in self.asked:
                    asked.verdict = asked.verdict.with_reasons(reason)

    def _go_on(self, asked: Asked) -> bool:
        """Do what the verdict allows; return whether all that was asked for was done."""
        mode = self.option.dialproof_deploy
        if asked.verdict.failed:
            self._withdraw(asked)
        planned = mode != "plan" or (asked is self._only and self._plan(asked))
        self._unplanned |= not planned
        statement = self._evidence(asked) if asked.verdict.open else None
        if statement is None:
            if mode == "apply":
                self._record_refusal(asked)
            return mode is None
        stopped = self._call("pytest_dialproof_gate_open", evidence=statement)
        (asked.undeployed if mode == "apply" and not self._began else self.errors).extend(stopped)
        return planned

    def _evidence(self, asked: Asked) -> dict[str, Any] | None:
        """Write the evidence and return it; None, and the gate closed, where that cannot be done."""
        from dialproof_deploy.gate.attest import attest
        from dialproof_deploy.gate.evidence import write_evidence
        from dialproof_deploy.gate.signature import signed

        assert asked.result is not None
        path = self._evidence_path(asked)
        try:
            statement = attest(asked.place.project, asked.verdict, asked.result, now=self.now)
            if path == self._state(asked).evidence:
                self._state(asked).create()
            document = signed(statement, os.environ)
            write_evidence(path, document)
        except DialproofError as error:
            asked.verdict = asked.verdict.with_reasons(*str(error).splitlines())
            return None
        asked.evidence, asked.document = path, document
        return statement

    def _evidence_path(self, asked: Asked) -> Path:
        file = self.option.dialproof_evidence
        return self._path(file) if file and asked is self._only else self._state(asked).evidence

    def _withdraw(self, asked: Asked) -> None:
        """Delete the evidence of an earlier run: of the same files, it would still be taken for proof."""
        from dialproof_deploy.gate.evidence import withdraw_evidence

        path = self._evidence_path(asked)
        if withdraw_evidence(path):
            asked.lines.append(f"{self.shown(path)}: withdrawn, because items of this run failed")

    def _call(self, hook: str, **arguments: Any) -> list[str]:
        """Call a hook of ours; return why an implementation stopped it, nothing where none did."""
        caller = getattr(self.config.hook, hook)
        try:
            caller(**arguments, config=self.config)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, Exception) and os.environ.get("DIALPROOF_DEBUG"):
                raise
            return describe(error, caller, self.config)
        return []

    def _plan(self, asked: Asked) -> bool:
        """Show what a deploy would change; return whether the target lets it."""
        from dialproof_deploy.plan.render import plan_text

        try:
            plans = self._deployer(asked).plan()
        except DialproofError as error:
            self.errors += str(error).splitlines()
            return False
        for plan in plans:
            asked.lines += plan_text(plan).splitlines()
        return not any(plan.refusals for plan in plans)

    def _record_refusal(self, asked: Asked) -> None:
        asked.undeployed.append("the gate is closed")
        if asked is not self._only:
            return
        try:
            self._deployer(asked).record_refusal(asked.verdict.reasons)
        except DialproofError as error:
            self.errors += str(error).splitlines()

    def _deployer(self, asked: Asked) -> Deployer:
        from dialproof_deploy.deploy import Deployer, environment_of

        log = self.option.dialproof_http_log
        return Deployer(
            asked.place.project,
            environment_of(asked.place.config, self.option.dialproof_env),
            self._state(asked),
            os.environ,
            http_log=self._path(log) if log else None,
        )

    def _state(self, asked: Asked) -> StateDir:
        folder = self.option.dialproof_state_dir
        return StateDir.at(asked.place.config.root, self._path(folder) if folder else None)

    def audit_log(self, asked: Asked) -> Path | None:
        """Return the audit log that this run may have written to; None where it was to deploy nothing."""
        return self._state(asked).audit(self.option.dialproof_env) if self.option.dialproof_deploy == "apply" else None

    def _report(self) -> bool:
        file = self.option.dialproof_gate_report
        if file:
            verdicts = {asked.place.shown("."): asked.verdict for asked in self.asked}
            write_gate_report(self._path(file), verdicts or {".": Verdict.closed(*map(redact, self.errors))})
        return True

    def _path(self, text: str) -> Path:
        return self.config.invocation_params.dir / text

    def shown(self, path: Path) -> str:
        """Return a path as it is shown: from where pytest was called."""
        return shown_path(path, self.config.invocation_params.dir)


def _same(known: SessionProject, place: SessionProject) -> bool:
    """Tell whether both are of the same bytes; those of whole contact lists are only read where it is not plain."""
    return known is place or digests_of(known.project) == digests_of(place.project)


def _relative_id(node: str, start: Path, root: Path) -> str:
    path, separator, rest = node.partition("::")
    return Path(os.path.relpath(real(start / path), root)).as_posix() + separator + rest
