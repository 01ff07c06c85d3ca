"""What the pages on coverage, generate and mutate show of examples/bank_campaign is what comes out, on a copy of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from dialproof.cli import main
from tests.examples.test_readme import pattern

ROOT = Path(__file__).resolve().parents[2]
BANK = "examples/bank_campaign"


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the example, below the current folder as in the repository."""
    shutil.copytree(ROOT / BANK, tmp_path / BANK, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path / BANK


def shown(page: str, language: str, start: str) -> str:
    """Return the block of a page that begins with a text."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    (block,) = re.findall(rf"^```{language}\n({re.escape(start)}.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(block)


def test_mutate_prints_the_survivors_and_the_table(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`...` stands for what is left out; the case that is written for a survivor is that of the page."""
    cases = bank / "suppression.contacts.yaml"
    assert main(["mutate", BANK, "--write", str(cases)]) == 0
    block = shown("mutation.md", "text", "...\nwarning[DP604]")
    printed = capsys.readouterr().out
    assert re.search("".join(map(pattern, block.splitlines(keepends=True))), printed), printed
    assert shown("mutation.md", "yaml", "  # `dialproof mutate` wrote this case") in cases.read_text("utf-8")


def test_generate_writes_as_many_contacts_and_this_one(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The count of the page and the case below it."""
    assert main(["generate", "contacts", str(bank / "bank.rules.yaml"), "--expect"]) == 0
    printed = capsys.readouterr()
    (said,) = re.findall(r"--expect` writes (\d+ contacts), among them", (ROOT / "docs/generate.md").read_text("utf-8"))
    assert printed.err.startswith(f"{said}: ")
    assert f"\n{shown('generate.md', 'yaml', '  - name:')}\n" in printed.out


def test_without_the_case_of_the_page_on_coverage_a_condition_is_open(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The finding stands where the page says, and no rule goes unmatched or unmissed."""
    cases = bank / "suppression.contacts.yaml"
    case = re.compile(r"  - name: three contacts and a purchase are no refusal\n.*?\n\n", re.DOTALL)
    text, found = case.subn("", cases.read_text("utf-8"))
    assert found == 1
    cases.write_text(text, "utf-8")
    assert main(["lint", BANK, "-f", "concise"]) == 0
    printed = capsys.readouterr().out
    assert shown("coverage.md", "text", BANK) in printed
    assert set(re.findall(r"DP60\d", printed)) == {"DP603"}
