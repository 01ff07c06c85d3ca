"""What a session does once: it runs each case, and lets the cycle collector look at what lives until the end."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

COUNT = """
from dialproof.evaluate import Evaluator

contacts, watch = [], Evaluator.watch

def counted(self, contact, **options):
    contacts.append(contact)
    return watch(self, contact, **options)

Evaluator.watch = counted

def pytest_terminal_summary(terminalreporter):
    often = [sum(one is other for other in contacts) for one in contacts if "phone" in one]
    terminalreporter.write_line(f"the contact with a phone was run {often}")
"""
CYCLE = """
import weakref
from pathlib import Path

class Node:
    pass

def test_cycle():
    node = Node()
    node.itself = node
    weakref.finalize(node, Path("collected").touch).atexit = False
"""


@pytest.mark.parametrize("order", [["rules"], ["rules/premium.contacts.yaml", "rules/premium.rules.yaml"]])
def test_a_case_is_run_once(run_apart: Run, project: Path, order: list[str]) -> None:
    """Whether the lint of coverage is first, as that of the contact list is, or the item."""
    (project.parent / "dialproof.toml").write_text("", encoding="utf-8")
    (project.parent / "conftest.py").write_text(COUNT, encoding="utf-8")
    result = run_apart(*order, "-W", "default")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["the contact with a phone was run [[]1[]]"])


def test_cycles_are_collected_before_the_end(run_apart: Run, project: Path) -> None:
    """What a test beside the rules leaves behind is finalized, although the cycle collector looks rarely."""
    (project.parent / "test_cycle.py").write_text(CYCLE, encoding="utf-8")
    result = run_apart("rules", "test_cycle.py")
    assert result.ret == 0
    assert (project.parent / "collected").exists()


def test_the_next_session_begins_as_the_first_did(run: Run, project: Path, pytester: pytest.Pytester) -> None:
    """Thresholds are put back, and nothing is out of sight, when another session begins in the same process."""
    empty = pytester.mkdir("empty")
    run(empty)
    before = gc.get_threshold()
    assert run(project).ret == 0
    assert gc.get_threshold() > before
    assert gc.get_freeze_count() > 0
    run(empty)
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
