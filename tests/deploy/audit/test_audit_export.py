"""Export: three formats, the same records, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.errors import UsageError
from dialproof_deploy import redact
from dialproof_deploy.audit.export import built_in_sink, sink_of
from dialproof_deploy.audit.tables import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

texts = st.text(st.characters(codec="utf-8"), max_size=6)
records_of_anything = st.lists(st.dictionaries(texts, texts | st.integers() | st.none() | st.lists(texts), max_size=4))


def export_records(records: list[dict[str, Any]], file: Path) -> None:
    """Write the records with the built-in sink."""
    sink = built_in_sink(file)
    assert sink is not None
    sink(records)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(records_of_anything)
def test_json_and_json_lines_give_back_the_records(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Whatever texts are in them (line separators, beyond the BMP), records are read back as they were."""
    export_records(records, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_bytes()) == records
    export_records(records, tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == records


def test_no_text_ends_a_line_of_json_lines(tmp_path: Path) -> None:
    """What some readers take for the end of a line is escaped, so that every reader finds one record a line."""
    records = [{"rule": "a\u0085b\u2028c\u2029d"}]
    export_records(records, tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_text(encoding="utf-8") == '{"rule": "a\\u0085b\\u2028c\\u2029d"}\n'


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
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
def test_another_suffix_is_left_to_other_sinks(tmp_path: Path, name: str) -> None:
    """The built-in sink takes the suffixes that it knows."""
    assert built_in_sink(tmp_path / name) is None


def test_a_format_that_is_named_stands_before_the_suffix(tmp_path: Path) -> None:
    """``--format jsonl`` writes JSON lines whatever the file is called."""
    sink_of(tmp_path / "audit.log", "jsonl")([{"rule": "a"}])
    assert (tmp_path / "audit.log").read_text(encoding="utf-8") == '{"rule": "a"}\n'


def test_parquet_gives_back_numbers_flags_and_texts(tmp_path: Path) -> None:
    """What pyarrow reads are typed columns; a value that is not of its column's type stands in ``other``, unlost."""
    records: list[dict[str, Any]] = [
        {"seq": 7, "rule": "=x", "version_before": None, "details": {"k": ["é"]}, "hash": "ab", "zz": 1.5},
        {"eventType": "outbound.rule.updated", "version": 3, "gone": False, "priority": "high", "ruleName": 5},
        {"seq": 2**63, "gone": "no", "actor": "half \ud800"},
    ]
    export_records(records, tmp_path / "a.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == list(COLUMNS)
    kinds = {name: str(table.schema.field(name).type) for name in ("seq", "priority", "gone", "rule", "details")}
    assert kinds == {"seq": "int64", "priority": "int64", "gone": "bool", "rule": "string", "details": "string"}
    rows = [{name: cell for name, cell in row.items() if cell is not None} for row in table.to_pylist()]
    assert rows[0] == {"seq": 7, "rule": "=x", "details": '{"k": ["é"]}', "hash": "ab", "other": '{"zz": 1.5}'}
    kept = {"eventType": "outbound.rule.updated", "version": 3, "gone": False}
    assert rows[1] == {**kept, "other": '{"priority": "high", "ruleName": 5}'}
    assert rows[2] == {"actor": "half \\ud800", "other": '{"gone": "no", "seq": 9223372036854775808}'}


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(records_of_anything)
def test_parquet_holds_any_records(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Whatever is in records, each of their values can be read back from its column or from ``other``."""
    export_records(records, tmp_path / "a.parquet")
    for row, record in zip(pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist(), records, strict=True):
        others = json.loads(row.pop("other") or "{}")
        found = {name: cell for name, cell in row.items() if cell is not None} | others
        assert found == {name: value for name, value in record.items() if value is not None}


def test_without_pyarrow_parquet_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said before anything is deployed."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"a\.parquet: .* pip install 'dialproof\[bulk\]'"):
        built_in_sink(tmp_path / "a.parquet")


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


def test_names_are_exported_as_they_are_and_details_without_personal_values(tmp_path: Path) -> None:
    """A rule named like a contact's city keeps its name; the city in a sentence does not get out, a secret nowhere."""
    redact.register_pii("Houston")
    redact.register_secret("hush-hush")
    record = {"rule": "Houston hush-hush", "hash": "Houston", "details": "in Houston", "note": "of Houston"}
    export_records([record], tmp_path / "a.json")
    (exported,) = json.loads((tmp_path / "a.json").read_bytes())
    assert exported == {"rule": "Houston [secret]", "hash": "Houston", "details": "in [pii]", "note": "of [pii]"}
