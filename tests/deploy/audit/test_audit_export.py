"""Export: three formats, the same records, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.errors import UsageError
from dialproof_deploy.audit import AuditLog, read_records
from dialproof_deploy.export import COLUMNS, audit_export, audit_sink, export_records

if TYPE_CHECKING:
    from pathlib import Path

texts = st.text(st.characters(codec="utf-8"), max_size=6)
records_of_anything = st.lists(st.dictionaries(texts, texts | st.integers() | st.none() | st.lists(texts), max_size=4))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records_of_anything)
def test_json_and_json_lines_give_back_the_records(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Whatever texts are in them (line separators, beyond the BMP), records are read back as they were."""
    export_records(records, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_bytes()) == records
    export_records(records, tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == records


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({}, optional={"rule": texts, "actor": texts, "seq": st.integers()}), max_size=4))
def test_csv_gives_back_the_records_but_for_the_apostrophe(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """A CSV reader gets every cell back, and no text cell starts a formula."""
    export_records(records, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(records)
    for row, record in zip(rows, records, strict=True):
        for column in ("rule", "actor"):
            cell, value = row[column], record.get(column, "")
            assert cell == value or cell == f"'{value}"
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert row["seq"] == str(record.get("seq", ""))


def test_csv_follows_rfc_4180_with_stable_columns(tmp_path: Path) -> None:
    """The header is always the same, lines end in CRLF, quotes are doubled, unknown keys are JSON in the last cell."""
    file = tmp_path / "a.csv"
    export_records([], file)
    assert file.read_bytes().decode() == ",".join(COLUMNS) + "\r\n"
    export_records([{"seq": -1, "rule": 'a "b"\nc', "details": {"k": [1]}, "zz": 1, "other": "=x"}], file)
    (row,) = csv.DictReader(io.StringIO(file.read_bytes().decode(), newline=""))
    assert row["seq"] == "-1"
    assert row["details"] == '{"k": [1]}'
    assert row["other"] == '{"other": "=x", "zz": 1}'
    assert b'"a ""b""\nc"' in file.read_bytes()


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_a_formula_gets_an_apostrophe_in_csv_only(tmp_path: Path, start: str) -> None:
    """A rule name that a spreadsheet would run is text in CSV and exact in JSON."""
    records = [{"rule": f"{start}cmd|' /C calc'!A0"}]
    export_records(records, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["rule"] == "'" + records[0]["rule"]
    export_records(records, tmp_path / "a.jsonl")
    assert json.loads((tmp_path / "a.jsonl").read_bytes()) == records[0]


@pytest.mark.parametrize("name", ["audit.xlsx", "audit", "audit.json.gz"])
def test_another_suffix_is_a_usage_error(tmp_path: Path, name: str) -> None:
    """The message names the three suffixes that there are, and nothing is written."""
    with pytest.raises(UsageError, match=r"use \.json, \.jsonl or \.csv"):
        export_records([], tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    assert audit_sink(tmp_path / name) is None


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    """A value that cannot be exported does not cost the export of yesterday."""
    file = tmp_path / "a.JSON"
    export_records([{"rule": "old"}], file)
    with pytest.raises(TypeError):
        export_records([{"rule": object()}], file)
    assert json.loads(file.read_bytes()) == [{"rule": "old"}]
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(UsageError, match="cannot be written"):
        export_records([], tmp_path / "missing" / "a.json")


def test_the_built_in_sink_writes(tmp_path: Path) -> None:
    """``audit_sink`` gives a writer for a path of ours."""
    sink = audit_sink(tmp_path / "a.jsonl")
    assert sink is not None
    sink([{"rule": "r"}])
    assert (tmp_path / "a.jsonl").read_text() == '{"rule": "r"}\n'


def make_chain(path: Path) -> list[dict[str, Any]]:
    """Write two records and return them."""
    log = AuditLog(path, clock=lambda: datetime(2026, 3, 7, tzinfo=UTC), actor="ada", commit=None)
    return [log.append("decision", rule="=1+1"), log.append("refusal", details="zu spät")]


def test_export_command_joins_chains_and_events(tmp_path: Path) -> None:
    """``audit export`` writes the records of all files in the order named, and exits 0."""
    prod, events, file = tmp_path / "prod.jsonl", tmp_path / "prod.events.jsonl", tmp_path / "out.json"
    records = make_chain(prod)
    events.write_text('{"entityId": "r1"}\n')
    out = io.StringIO()
    assert audit_export([prod, events], file, out) == 0
    assert json.loads(file.read_bytes()) == [*records, {"entityId": "r1"}]
    assert out.getvalue() == f"{file}: 3 records\n"


def test_a_broken_chain_is_exported_and_said_to_be_broken(tmp_path: Path) -> None:
    """What can be read is exported, the break is named, and the exit code is 1."""
    prod, file = tmp_path / "prod.jsonl", tmp_path / "out.json"
    make_chain(prod)
    prod.write_text(prod.read_text(encoding="utf-8").replace("ada", "bob", 1), encoding="utf-8")
    out = io.StringIO()
    assert audit_export([prod], file, out) == 1
    assert f"{prod}:1: exported, but its chain is broken" in out.getvalue()
    assert json.loads(file.read_bytes()) == list(read_records(prod))


@pytest.mark.parametrize("name", ["none.jsonl", "none.events.jsonl"])
def test_export_of_a_missing_log_is_a_usage_error(tmp_path: Path, name: str) -> None:
    """A path without a log exits 2 with a sentence, and nothing is written."""
    out = io.StringIO()
    assert audit_export([tmp_path / name], tmp_path / "out.csv", out) == 2
    assert "there is no" in out.getvalue()
    assert not (tmp_path / "out.csv").exists()
