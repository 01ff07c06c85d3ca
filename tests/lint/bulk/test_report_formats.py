"""A backtest as Markdown, which somebody else's reader renders, and as a table, which DuckDB reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import markdown

from dialproof.cli import main
from tests.lint.bulk.backtests import write_project
from tests.lint.bulk.test_backtest_command import LIST, RULES, project

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["project"]

BACKTEST = ["backtest", "c.rules.yaml", "people.csv", "--against", "old/c.rules.yaml"]


OLD = RULES.replace('"18"', '"10"')
"""Rules that refuse contacts below ten and not below eighteen."""


def test_markdown_has_the_figures_as_tables(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What changes, and each rule; whatever a rule is called stays in its cell, and nobody's number is anywhere."""
    write_project(project / "old", LIST, OLD)
    (project / "c.rules.yaml").write_text(RULES.replace("texans", "te|xans"))
    assert main([*BACKTEST, "-f", "markdown"]) == 0
    text = capsys.readouterr().out
    html = markdown.markdown(text.partition("<details>")[0], extensions=["tables"])
    rows = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)]
    assert rows == [
        ["contacts", "before", "after"],
        ["1", "<code>dialed; setList texas</code>", "<code>not dialed; doNotDial; setList texas</code>"],
        ["rule", "matched", "first", "undecided"],
        ["<code>minors</code>", "1", "1", "2"],
        ["<code>te\\|xans</code>", "2", "1", "0"],  # GitHub takes the backslash away, this reader does not
        ["<code>phones</code>", "1", "0", "1"],
    ]
    assert "5 contacts, 2 (40.0 %) dialed, 2 (40.0 %) undecided." in text
    assert "1 (20.0 %) changes; 0 come to be dialed, 1 cease to be." in text
    assert "checked by cel-python: 5 contacts" in text
    assert "+1" not in text


def test_the_table_has_a_row_for_each_count(project: Path) -> None:
    """Counted by hand; what several backtests wrote can be put together."""
    write_project(project / "old", LIST, OLD)
    assert main([*BACKTEST, "-f", "parquet=one.parquet"]) == 0
    assert main(["backtest", "c.rules.yaml", "people.csv", "-f", "parquet=two.parquet"]) == 0
    query = "SELECT what, name, contacts FROM 'one.parquet' WHERE campaign = 'c' AND category = 'preCall'"
    connection = duckdb.connect()  # others leave results on the one that all share
    counts = {(what, name): number for what, name, number in connection.execute(query).fetchall()}
    expected = {
        ("contacts", None): 5, ("dialed", None): 2, ("undecided", None): 2, ("no rule", None): 3,
        ("not dialed", "doNotDial: minors"): 1, ("not dialed", "undecided: minors"): 2,
        ("rule matched", "texans"): 2, ("rule matched first", "texans"): 1, ("rule undecided", "phones"): 1,
        ("on list", "texas"): 1, ("off list", "texas"): 1, ("conflict", "texans and phones"): 1,
        ("changed", "old/c.rules.yaml"): 1, ("come to be dialed", "old/c.rules.yaml"): 0,
        ("cease to be dialed", "old/c.rules.yaml"): 1,
    }  # fmt: skip
    assert counts.items() >= expected.items()
    (both,) = connection.execute("SELECT sum(contacts) FROM '*.parquet' WHERE what = 'dialed'").fetchall()
    assert both == (4,)


def test_a_table_is_for_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused before anything is read."""
    assert main(["backtest", "people.csv", "-f", "parquet"]) == 2
    assert "parquet is for a file: write parquet=FILE" in capsys.readouterr().err
