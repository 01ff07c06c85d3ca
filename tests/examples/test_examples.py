"""Every example as a newcomer runs it: in a process of its own, on a copy, with the commands of its README."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.project import load_project
from dialproof.targets.campaign_rules import lower_campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., "Ran"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/README.md"))
DEPLOYED = {"premium_routing": "cmp_123", "bank_campaign": "term_deposit"}
"""Example -> its campaign, for those that `make demo` deploys to the campaign-rules target."""


class Ran:
    """What a run of pytest printed, and its exit code."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        self.failed = re.findall(r"^FAILED (\S+?::.*?)(?: - .*)?$", self.text, re.MULTILINE)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return an empty folder with a copy of the examples below it: no run leaves anything in the repository."""
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=ignored)
    return tmp_path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs pytest from the folder above the copy; a warning fails it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "DIALPROOF", "GENESYS"))}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}

    def run_pytest(*arguments: str) -> Ran:
        command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *arguments]
        return Ran(
            subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
            )
        )

    return run_pytest


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that the file must hold exactly once."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{path.name} holds {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new), "utf-8")


def transcript(name: str) -> str:
    """Return the output that the README of an example shows."""
    readme = (EXAMPLES / name / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```text\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_green_and_its_gate_open(name: str, place: Path, run: Run) -> None:
    """No warning, no conflict, the gate is open, and the figures of README and of the page on coverage are true."""
    ran = run(f"examples/{name}")
    assert ran.code == 0, ran.text
    assert "GATE OPEN: " in ran.text
    assert "GATE CLOSED" not in ran.text
    assert "conflict rate: 0.0%" in ran.text
    opened = re.findall(r"GATE OPEN: \d+ of \d+ items passed for \w+", ran.text)
    shown = re.findall(
        r"GATE OPEN: \d+ of \d+ items passed for \w+", (place / f"examples/{name}/README.md").read_text()
    )
    assert not shown or shown == opened
    page = (EXAMPLES.parent / "docs/coverage.md").read_text("utf-8")
    tables = re.findall(rf"^`pytest examples/{name}` prints\n\n```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(tables) == (name == "bank_campaign")
    assert all(table in ran.text for table in tables)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_clean_under_lint(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`dialproof lint examples/NAME` ends with 0 and has no finding of any severity."""
    monkeypatch.chdir(place)
    assert main(["lint", f"examples/{name}"]) == 0
    printed = capsys.readouterr()
    assert "no findings" in printed.out + printed.err


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_listed(name: str) -> None:
    """The table of examples has a row with a link to it."""
    assert f"| [{name}]({name}) |" in (EXAMPLES / "README.md").read_text("utf-8")


@pytest.mark.parametrize(("name", "campaign"), DEPLOYED.items())
def test_an_example_fits_the_campaign_rules_target(name: str, campaign: str) -> None:
    """Every rule can travel to the target that the demo deploys to."""
    project = load_project(load_config(EXAMPLES / name))
    assert [c.id for c in project.campaigns] == [campaign]
    rules, problems = lower_campaign(project.campaigns[0], lambda _, logical: logical)
    assert not problems
    assert len(rules) == len(project.campaigns[0].rules)


def test_a_changed_threshold_is_caught_and_not_deployed(place: Path, run: Run) -> None:
    """One digit more: the cases above the threshold fail with the table of README and file:line; the gate is closed.

    No case matches the rule any more, which is a warning (DP601), and every warning fails here.
    """
    edit(place / "examples/premium_routing/premium.rules.yaml", '"5000"', '"50000"')
    ran = run("examples/premium_routing", "--dialproof-env=sandbox", "--dialproof-deploy=apply")
    assert ran.code == 1
    assert len(ran.failed) == 5
    assert transcript("premium_routing") in ran.text
    assert "nothing was deployed: the gate is closed\nGATE CLOSED\n  - 5 items failed: " in ran.text


def test_rule_sets_are_deployed_once(place: Path, run: Run) -> None:
    """The plan is that of README; nothing of them is lost on the target, and a second deploy writes nothing."""
    deploy = ("examples/rule_sets", "--dialproof-env=sandbox", "--dialproof-deploy=apply")
    ran = run(*deploy)
    assert ran.code == 0, ran.text
    assert transcript("rule_sets") in ran.text
    assert "deployed to sandbox: 2 writes" in ran.text
    assert "nothing to deploy to sandbox" in run(*deploy).text
    assert main(["lint", str(place / "examples/rule_sets"), "--target", "rulesets"]) == 0


@pytest.mark.parametrize("low", [False, True], ids=["overlapping", "disjoint"])
def test_opposite_values_of_one_list_conflict_where_a_contact_meets_both(low: bool, place: Path, run: Run) -> None:
    """The conflicts item shows a contact and what the two rules do to it; between disjoint rules it passes."""
    rules = place / "examples/premium_routing/premium.rules.yaml"
    edit(rules, 'listId: warm_desk_list_id, value: "true"', 'listId: premium_agent_list_id, value: "false"')
    if low:
        condition = "      - {attribute: customFields.leadAge, operator: exists, type: number}\n"
        disjoint = '      - {attribute: customFields.lifetimeValue, operator: lessThan, value: "5000", type: number}\n'
        edit(rules, condition, disjoint + condition)
    ran = run(f"{rules.relative_to(place).as_posix()}::conflicts")
    if low:
        assert ran.code == 0, ran.text
        assert not ran.failed
        return
    assert ran.code == 1
    assert ran.failed == ["examples/premium_routing/premium.rules.yaml::conflicts"]
    assert 'error[DP301] rules "high_value_contact_routing" and "new_lead_routing" act on one contact' in ran.text
    assert "(listId premium_agent_list_id, value true)" in ran.text
    assert "(listId premium_agent_list_id, value false)" in ran.text
    value, age = (float(_shown(ran.text, f"customFields.{column}")) for column in ("lifetimeValue", "leadAge"))
    assert value > 5000
    assert age < 7
    one, other = (f'without "{rule}"' for rule in ("new_lead_routing", "high_value_contact_routing"))
    assert f"{one}            matched high_value_contact_routing; dial; list premium_agent_list_id = true" in ran.text
    assert f"{other}  matched new_lead_routing; dial; list premium_agent_list_id = false" in ran.text


def _shown(text: str, column: str) -> str:
    """Return the value of a column of the contact that a finding shows."""
    found = re.search(rf"a contact that shows it:\n(?:.*\n)*?.*{re.escape(column)} +(\S+)\n", text)
    assert found, text
    return found[1]


def test_the_trap_fails_both_contacts_and_nothing_else(place: Path, run: Run) -> None:
    """The inverted condition passes every check; the two contacts fail with the tables, the telephone number masked."""
    ran = run("examples/phone_demo/trap")
    assert ran.code == 1
    file = "examples/phone_demo/trap/phones.contacts.yaml"
    assert ran.failed == [
        f"{file}::a contact with a phone number is dialed",
        f"{file}::a contact without a phone number is not dialed",
    ]
    assert transcript("phone_demo") in ran.text
    assert '  Phone      not equals  ""      (blank)  false\n' in ran.text
    assert "GATE CLOSED" in ran.text
    assert "2025550143" not in ran.text


def test_trap_and_mend_differ_in_the_inversion_alone() -> None:
    """Same contacts, same columns; the rules differ in `inverted`, the version and the campaign's name."""
    trap, mended = EXAMPLES / "phone_demo/trap", EXAMPLES / "phone_demo/mended"
    for name in ("phones.contacts.yaml", "phones.contactlist.yaml"):
        assert (trap / name).read_bytes() == (mended / name).read_bytes()
    wrong, right = ((folder / "phones.rules.yaml").read_text("utf-8") for folder in (trap, mended))
    changes = {", inverted: true": "", "version: 1": "version: 2", "phone_trap": "phone_demo"}
    for old, new in changes.items():
        assert old in wrong
        wrong = wrong.replace(old, new)
    assert _without_comments(wrong) == _without_comments(right)


def _without_comments(text: str) -> str:
    return re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)


def test_without_its_declaration_the_overwrite_of_the_bank_is_a_conflict(place: Path, run: Run) -> None:
    """What README says of `overrides`: without that line the conflicts item fails, and cases count as conflicts."""
    edit(place / "examples/bank_campaign/bank.rules.yaml", "    overrides: [evening_callback]\n", "")
    ran = run("examples/bank_campaign")
    assert ran.failed == ["examples/bank_campaign/bank.rules.yaml::conflicts"]
    assert 'rules "evening_callback" and "at_home_by_day" act on one contact' in ran.text
    assert "GATE CLOSED" in ran.text
    assert "conflict rate: 0.0%" not in ran.text


def test_what_init_writes_passes(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new project is clean under lint, green under pytest, and its gate is open."""
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert main(["lint"]) == 0
    assert "no findings" in "".join(capsys.readouterr())
    ran = run("rules")
    assert ran.code == 0, ran.text
    assert "GATE OPEN: " in ran.text
