"""``dialproof backtest --engine duckdb`` and ``--sql``: another engine, the same outcomes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from dialproof.cli import main
from tests.lint.bulk.backtests import report_of, write_project

if TYPE_CHECKING:
    from pathlib import Path

LIST = """\
columns:
  id: {type: string}
  age: {type: integer, min: 0, max: 120}
  state: {type: string}
  called: {type: datetime}
  custom.value: {type: number}
"""
RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - name: minor's
    version: 1
    priority: 2
    executionOrder: 1
    conditions: [{attribute: age, operator: lessThan, value: "18"}]
    actions: [{type: doNotDial}, {type: setAttribute, attribute: state, value: NY}]
  - name: "texans \\"all\\""
    version: 1
    priority: 1
    executionOrder: 2
    conditions:
      - {attribute: state, operator: matches, value: "^(TX|NY)$"}
      - {attribute: called, operator: before, value: "2026-01-01"}
    actions: [{type: setList, listId: texas}]
  - name: value
    version: 1
    priority: 1
    executionOrder: 3
    when: contact.custom.value * 2 > 9
    actions: [{type: setList, listId: texas, value: "false"}]
"""
MACRO = """\
  - name: macro
    version: 1
    priority: 1
    executionOrder: 4
    when: '[1, 2].exists(x, x == contact.age)'
    actions: [{type: setList, listId: few}]
"""
PEOPLE = {
    "id": ["a", "b", "c", "d", "e"],
    "age": ["17", "", "70", "2", "x"],
    "state": ["CA", "CA", "TX", "NY", "TX"],
    "called": ["2025-05-01", "2025-06-01T10:00", "2025-01-01T00:00:00+05:30", "", "2026-06-01"],
    "custom.value": ["5", "4.5", "", "-1", "100"],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project of three rules and five contacts, as the current folder."""
    write_project(tmp_path, LIST, RULES)
    pl.DataFrame(PEOPLE).write_csv(tmp_path / "people.csv")
    numbers = pl.DataFrame(PEOPLE).with_columns(pl.col("age", "custom.value").cast(pl.Float64, strict=False))
    nested = numbers.drop("custom.value").with_columns(custom=pl.struct(value=numbers["custom.value"]))
    nested.write_parquet(tmp_path / "people.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_report_is_the_same(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is told, with changes; only Polars decides a macro on one column for each of its few values."""
    write_project(project / "old", LIST, RULES.replace('"18"', '"71"'))
    (project / "c.rules.yaml").write_text(RULES + MACRO)
    wanted = ("c.rules.yaml", "people.csv", "--against", "old/c.rules.yaml", "--id", "id")
    there, here = report_of(capsys, *wanted, "--engine", "duckdb"), report_of(capsys, *wanted)
    assert (there.pop("engine"), here.pop("engine")) == ("DuckDB", "Polars")
    assert (list(there.pop("rules_by_row")), here.pop("rules_by_row")) == (["macro"], {})
    assert there["changes"]["contacts"] == 2
    assert there == here
    assert main(["backtest", *wanted, "--engine", "duckdb"]) == 0
    text = capsys.readouterr().out
    assert "run by DuckDB" in text
    assert "macro is decided contact by contact, not by columns: by cel-python" in text


@pytest.mark.parametrize("name", ["people.csv", "people.parquet"])
def test_the_query_gives_the_outcomes(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is run by DuckDB alone, over the file that it was made for."""
    report = report_of(capsys, "c.rules.yaml", name)
    assert main(["backtest", "c.rules.yaml", name, "--sql", "--id", "id"]) == 0
    query = capsys.readouterr().out
    assert query.startswith("-- campaign c, preCall\n-- CREATE TABLE contacts (")
    connection = duckdb.connect()
    read = "read_csv('people.csv', all_varchar = true)" if name.endswith("csv") else "'people.parquet'"
    connection.execute(f"CREATE TABLE contacts AS FROM {read}")
    found = pl.DataFrame(connection.sql(query).to_arrow_table())
    assert sorted(found["id"]) == ["a", "b", "c", "d", "e"]
    assert found["dial"].sum() == report["dialed"]
    for rule in report["rules"]:
        assert found[f"matched {rule['name']}"].sum() == rule["matched"]
        assert found[f"undecided {rule['name']}"].sum() == rule["undecided"]
    assert found["list texas"].value_counts().sort("list texas").rows() == [(None, 2), (False, 2), (True, 1)]
    assert dict(found.sort("id").select("id", "reason").iter_rows()) == {
        "a": "doNotDial: minor's",
        "b": "undecided: minor's",
        "c": "undecided: value",
        "d": "doNotDial: minor's",
        "e": "undecided: minor's",
    }


def test_there_is_no_query_of_what_sql_does_not_decide(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every such rule is named; half of the rules would be others."""
    (project / "c.rules.yaml").write_text(RULES + MACRO)
    assert main(["backtest", "people.csv", "--sql"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no SQL for rule macro, which is decided contact by contact: by cel-python" in said.err


def test_what_a_query_is_not_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Changes are not part of it, nor what only a run can say; columns that the file lacks are missed as by a run."""
    assert main(["backtest", "people.csv", "--sql", "--against", "c.rules.yaml", "--slowest", "1"]) == 2
    assert "leave out --against, --slowest" in capsys.readouterr().err
    pl.DataFrame({"age": [1.0]}).write_parquet(project / "few.parquet")
    assert main(["backtest", "few.parquet", "people.csv", "--sql"]) == 2
    assert "name one of 2" in capsys.readouterr().err
    assert main(["backtest", "few.parquet", "--sql"]) == 3
    assert "few.parquet:1:1: there is no column 'called'" in capsys.readouterr().err


def test_without_the_extra_there_is_a_sentence(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install; Polars alone does without."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert main(["backtest", "people.csv", "--engine", "duckdb"]) == 2
    assert "pip install 'dialproof[duckdb]'" in capsys.readouterr().err
    assert main(["backtest", "people.csv"]) == 0
