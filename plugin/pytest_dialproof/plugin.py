"""The pytest entry point: options, collection by suffix, and the hooks that record what ran.

It imports the standard library and pytest alone, because every pytest run of an environment pays for it; all else is
imported when the first rules file is collected or the gate is asked.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from pytest_dialproof.recorder import RECORDER, Recorder, has_our_name

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_BEFORE: list[tuple[int, int, int]] = []
"""The cycle collector's thresholds, once a session of this process has taken something out of its sight."""
_RARELY = 20_000
"""How many new objects there are between two looks of the cycle collector while thousands of cases run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all in one group and with one prefix."""
    group = parser.getgroup("dialproof", "dialing rules")
    add = group.addoption
    add(
        "--dialproof-deploy",
        choices=("plan", "apply"),
        help="when the tests are done: plan shows what a deploy would change, apply deploys if the gate is open",
    )
    add("--dialproof-env", metavar="NAME", help="environment to plan or deploy; 'sandbox' is built in")
    add(
        "--dialproof-evidence", metavar="FILE", help="where to write the evidence (default: evidence.json of the state)"
    )
    add(
        "--dialproof-audit-export", metavar="DESTINATION", help="after apply, export the audit log: a file or a webhook"
    )
    add("--dialproof-gate-report", metavar="FILE", help="write the gate's verdict as JSON, or as JUnit XML (.xml)")
    add("--dialproof-html", metavar="FILE", help="write what the run showed as one HTML page (extra: html)")
    add("--dialproof-fail-on", choices=("error", "warning", "info"), help="fail on findings from this severity up")
    add(
        "--dialproof-cov-fail-under",
        metavar="N",
        type=float,
        help="fail, and close the gate, where the cases cover less than N percent of a rules file",
    )
    add("--dialproof-since", metavar="REV", help="look at what has changed since this git revision (item: changes)")
    add("--dialproof-http-log", metavar="FILE", help="append a JSON line for each request to the target")
    add(
        "--dialproof-save",
        action="store_true",
        help="save each contact that is found to break an invariant as a case, in a contacts file next to the rules",
    )
    add("--dialproof-state-dir", metavar="DIR", help="state directory (default: .dialproof at the configuration root)")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks of newhooks.py."""
    from pytest_dialproof import newhooks

    pluginmanager.add_hookspecs(newhooks)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options that need each other and start to record."""
    option = config.option
    if option.dialproof_deploy and not option.dialproof_env:
        raise pytest.UsageError("--dialproof-deploy needs --dialproof-env=NAME")
    if option.dialproof_audit_export and option.dialproof_deploy != "apply":
        raise pytest.UsageError("--dialproof-audit-export needs --dialproof-deploy=apply")
    least = option.dialproof_cov_fail_under
    if least is not None and not 0 <= least <= 100:
        raise pytest.UsageError(f"--dialproof-cov-fail-under takes a percentage from 0 to 100, found {least:g}")
    if _BEFORE:
        gc.unfreeze()
        gc.set_threshold(*_BEFORE.pop())
    config.stash[RECORDER] = Recorder(config)
    config.pluginmanager.register(config.stash[RECORDER], "dialproof-recorder")
    if not hasattr(config, "workerinput"):
        from pytest_dialproof.ending import Ending

        if option.dialproof_html:
            _record_items(config)
        config.pluginmanager.register(Ending(config), "dialproof-ending")


def _record_items(config: pytest.Config) -> None:
    """Keep what the HTML page says of each item."""
    from importlib.util import find_spec

    from pytest_dialproof.html.recording import ItemRecorder

    if find_spec("jinja2") is None:
        raise pytest.UsageError("--dialproof-html needs jinja2: pip install 'dialproof[html]'")
    config.pluginmanager.register(ItemRecorder(), "dialproof-items")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect rules, contacts and contact list files."""
    if not has_our_name(file_path.name):
        return None
    from pytest_dialproof.collection import collect

    return collect(file_path, parent)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Take what was collected out of the cycle collector's sight, for it lives until the end, and let it look rarely.

    Otherwise thousands of cases and their reports are walked over again and again, a fifth of the time of all. Runs
    without files of ours are left alone. It stays so until the process ends or begins another session.
    """
    if session.config.stash[RECORDER].roots and not _BEFORE:
        _BEFORE.append(gc.get_threshold())
        gc.freeze()
        first, *others = _BEFORE[0]
        gc.set_threshold(first and max(first, _RARELY), *others)  # 0 turns it off


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Take the reports out of its sight as well, because pytest itself collects several times at the end."""
    if _BEFORE:
        gc.collect()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report of one of our items what the gate and the summary need, as plain data."""
    report = yield
    facts: Any = getattr(item, "dialproof_facts", None)
    if facts is not None:
        report.dialproof = facts(report.when)  # type: ignore[attr-defined]
    return report
