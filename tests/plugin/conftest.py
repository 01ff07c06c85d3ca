"""A small green project, and how pytest runs over it."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import dialproof
import dialproof_deploy
import pytest_dialproof
from dialproof_deploy import redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RULES = """\
campaign: cmp_123
contactList: customers.contactlist.yaml
rules:
  - name: high_value
    version: 1
    priority: 100
    executionOrder: 1
    conditions:
      - {attribute: customFields.lifetimeValue, operator: greaterThan, value: "5000", type: number}
    actions:
      - {type: setList, listId: premium, value: "true"}
  - name: new_lead
    version: 1
    priority: 50
    executionOrder: 2
    conditions:
      - {attribute: customFields.leadAge, operator: lessThan, value: "7", type: number}
    actions:
      - {type: setList, listId: warm_desk, value: "true"}
invariants:
  - name: everybody is dialed
    always: outcome.dial
"""

CONTACT_LIST = """\
columns:
  customFields.lifetimeValue: {type: number, min: 0, max: 1000000, decimals: 2, required: true}
  customFields.leadAge: {type: integer, min: 0, max: 3650, required: true}
  phone: {type: string, pii: true}
"""

CONTACTS = """\
rules: premium.rules.yaml
now: 2026-03-07T10:00:00-07:00
cases:
  - name: gold goes to the premium desk
    contact: {customFields: {lifetimeValue: 9000, leadAge: 200}, phone: "+15551234567"}
    expect:
      matched: [high_value]
      lists: {premium: true}
      dial: true
  - name: a new lead goes to the warm desk
    contact: {customFields: {lifetimeValue: 100, leadAge: 2}}
    expect:
      matched: [new_lead]
"""

ITEMS = 10
"""The contact list's schema, two cases, six families, one invariant."""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """Return the folder ``rules`` of a green project whose configuration root is the pytester folder."""
    folder = pytester.mkdir("rules")
    # What cases leave open is a warning, and every warning fails here: a case that fails leaves more open.
    (pytester.path / "dialproof.toml").write_text('ignore = ["DP60"]\n', encoding="utf-8")
    (folder / "premium.rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "premium.contacts.yaml").write_text(CONTACTS, encoding="utf-8")
    (folder / "customers.contactlist.yaml").write_text(CONTACT_LIST, encoding="utf-8")
    return folder


LATE = (
    "celpy.adapter",
    "httpx",
    "hypothesis.internal.conjecture.engine",
    "jinja2",
    "junit_xml",
    "re2",
    "rich.progress",
    "starlette.responses",
    "starlette.routing",
    "tenacity",
    "uvicorn.protocols.http.h11_impl",
    "yaml",
)
"""What dialproof imports only when it is needed."""


@pytest.fixture(scope="session")
def _loaded() -> None:
    """Import all of dialproof and what it needs once: pytester makes a process forget what a run imports.

    Every run would pay for it again, and a parser that is kept would raise errors of forgotten classes.
    """
    for name in LATE:
        import_module(name)
    for package in (dialproof, dialproof_deploy, pytest_dialproof):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, _loaded: None) -> Callable[..., pytest.RunResult]:
    """Return what runs pytest inside of this process: whoever patches a module needs ``run_apart``."""
    _without_our_variables(monkeypatch)
    for name, empty in vars(redact.Redactor()).items():
        if name != "_lock":
            monkeypatch.setattr(redact._REGISTRY, name, empty)
    return pytester.runpytest_inprocess


@pytest.fixture
def run_apart(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Return what runs pytest in a process of its own, without the plugins and variables of this one."""
    _without_our_variables(monkeypatch)

    def run_pytest(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*arguments, timeout=120)

    return run_pytest


def _without_our_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_ADDOPTS", "CI", "DIALPROOF_DEBUG", "DIALPROOF_SANDBOX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture(params=["-n0", "-n2"])
def workers(request: pytest.FixtureRequest) -> str:
    """Run the test in one process, and with two workers of xdist."""
    return str(request.param)


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that the file must contain."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
