"""The end of a session, on the controller: the gate, what it opens, and the last section of the terminal.

It imports the standard library and pytest alone until there is something to decide.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pytest_dialproof.recorder import RECORDER

if TYPE_CHECKING:
    from collections.abc import Generator

    from dialproof_deploy.deploy import DeployResult
    from pytest_dialproof.gatekeeper import Gatekeeper
    from pytest_dialproof.recorder import Recorder

__all__ = ["Ending"]


class Ending:
    """Registered as a plugin on the controller; it holds the built-in implementations of our own hooks too."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.keeper: Gatekeeper | None = None
        self.notes: list[str] = []

    def pytest_sessionstart(self) -> None:
        """Refuse to begin where nothing could be planned or deployed whatever the tests show."""
        if not self.config.option.dialproof_deploy:
            return
        from pytest_dialproof.gatekeeper import close, reasons_not_to_begin

        if reasons := reasons_not_to_begin(self.config):
            raise pytest.UsageError(*reasons, *close(self.config, *reasons))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Ask the gate; where something was to be deployed and was not, a session that was green fails."""
        option, recorder = self.config.option, self.config.stash[RECORDER]
        wanted = (
            option.dialproof_deploy
            or option.dialproof_evidence
            or option.dialproof_gate_report
            or option.dialproof_html
        )
        done = True
        if option.collectonly or option.setupplan:
            if wanted:
                done = self._without_a_run()
        elif wanted or recorder.tried:
            from pytest_dialproof.gatekeeper import Gatekeeper

            # other plugins may have changed the session's own status by now
            self.keeper = Gatekeeper(session, recorder, int(exitstatus) or int(session.exitstatus))
            done = self.keeper.decide()
            done &= self._save(recorder)
            if wanted and not self.config.pluginmanager.has_plugin("terminalreporter"):
                for line in self.keeper.complaints():  # -p no:terminal: a deploy must not fail without a word
                    sys.stderr.write(f"dialproof: {line}\n")
        done &= self._write_page()
        if not done and session.exitstatus == 0:
            session.exitstatus = 1

    def _save(self, recorder: Recorder) -> bool:
        """Save the contacts that break an invariant as cases, if that was asked for; return whether that was done."""
        done = True
        for root, run in recorder.runs.items():
            for found in run.counterexamples:
                from dialproof.counterexamples import save
                from dialproof.errors import DialproofError
                from pytest_dialproof.projects import projects_of

                try:
                    self.notes.append(save(projects_of(self.config).fresh(root).project, found))
                except DialproofError as error:
                    self.notes += str(error).splitlines()
                    done = False
        return done

    def _write_page(self) -> bool:
        """Write the HTML page, if one was asked for and there is anything to say; return whether that was done."""
        file = self.config.option.dialproof_html
        if not file or self.keeper is None:
            return True
        return self.keeper.write_page(self.config.invocation_params.dir / file)

    def _without_a_run(self) -> bool:
        """Say that there is no gate where nothing was run; return whether all that was asked for was done."""
        from pytest_dialproof.gatekeeper import close

        why = "nothing was run, so there is no gate: nothing is planned, deployed or written as evidence"
        failures = close(self.config, why)
        self.notes += [why, *failures]
        return not failures and not self.config.option.dialproof_deploy

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Write the verdict below everything else."""
        yield
        if self.keeper is None and not self.notes:
            return
        terminalreporter.write_sep("=", "dialproof")
        for note in self.notes:
            terminalreporter.write_line(note)
        if self.keeper is not None:
            self.keeper.write(terminalreporter)

    @pytest.hookimpl(trylast=True)
    def pytest_dialproof_gate_open(self) -> None:
        """Deploy, if that was asked for."""
        if self.keeper is not None and self.config.option.dialproof_deploy == "apply":
            self.keeper.deploy()

    @pytest.hookimpl(tryfirst=True)
    def pytest_dialproof_deployed(self, result: DeployResult) -> None:
        """Export the audit log, if that was asked for."""
        file: str | None = self.config.option.dialproof_audit_export
        if self.keeper is not None and file:
            self.keeper.export_audit(result, file)
