"""Contacts come in as they stand in the files, and what is wrong with a row is named by its place."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from dialproof.bulk import read, read_csv
from dialproof.bulk.columns import contacts_of
from dialproof.bulk.read import Problems, Wanted, batches_of, files_of
from dialproof.errors import InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ALL = Wanted(None, {})


def _read(
    file: Path, wanted: Wanted = ALL, on_bad_row: read.OnBadRow = "fail"
) -> tuple[list[dict[str, object]], list[int], list[str]]:
    said: list[str] = []
    problems = Problems(on_bad_row, said.append)
    batches = list(batches_of(file.name, file, wanted, problems))
    contacts = [contact for batch in batches for contact in contacts_of(batch.frame)]
    return contacts, [row for batch in batches for row in batch.rows], said


@pytest.mark.parametrize("plain", [(), ("a", "b")])
def test_cells_of_csv_are_text(tmp_path: Path, plain: tuple[str, ...]) -> None:
    """A byte order mark, the separator, quotes, line ends in them and blank cells are as in a contacts file."""
    file = tmp_path / "a.csv"
    file.write_bytes('\ufeffa;"b;c";d\r\n007;"x\ny";"say ""no"""\r\n;;\r\n\r\n1e3;é; z \r\n'.encode())
    wanted = Wanted(None, {}, plain)
    contacts, rows, _ = _read(file, wanted)
    assert contacts == [
        {"a": "007", "b;c": "x\ny", "d": 'say "no"'},
        {"a": "", "b;c": "", "d": ""},
        {"a": "1e3", "b;c": "é", "d": " z "},
    ]
    assert rows == [1, 2, 3]


def test_gzip_and_the_platforms_columns(tmp_path: Path) -> None:
    """A compressed export is read; what the platform adds is left out."""
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"inin-outbound-id,name,ContactCallable\n1,Ann,true\n"))
    assert _read(file)[0] == [{"name": "Ann"}]


def test_only_what_is_wanted_is_read(tmp_path: Path) -> None:
    """Other columns are not looked at, whatever they hold; with none at all the rows are still there."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n1,\xff\n2,x\n")
    assert _read(file, Wanted(["a"], {}))[0] == [{"a": "1"}, {"a": "2"}]
    assert len(_read(file, Wanted([], {}))[0]) == 2


RAGGED = b"a,b\n1,2\n3\n4,5\n6,7,8\n9,\xe9\n10,11\n"


def test_bad_rows_are_all_named_and_end_the_run(tmp_path: Path) -> None:
    """Row, line, column and what was expected; never the cell."""
    file = tmp_path / "a.csv"
    file.write_bytes(RAGGED)
    with pytest.raises(InputError) as error:
        _read(file)
    assert str(error.value).splitlines() == [
        "a.csv:3:1: row 2: expected 2 cells as in the header, found 1",
        "a.csv:5:1: row 4: expected 2 cells as in the header, found 3",
        "a.csv:6:1: row 5: column 'b' is no UTF-8",
        "to leave such rows out: --on-bad-row skip, or report",
    ]


def test_bad_rows_can_be_left_out(tmp_path: Path) -> None:
    """Silently or named; the other rows keep their numbers."""
    file = tmp_path / "a.csv"
    file.write_bytes(RAGGED)
    contacts, rows, said = _read(file, on_bad_row="skip")
    assert [contact["a"] for contact in contacts] == ["1", "4", "10"]
    assert (rows, said) == ([1, 3, 6], [])
    assert len(_read(file, on_bad_row="report")[2]) == 3


def test_what_was_given_before_a_bad_row_is_given_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad row far down: batches before it have been counted already."""
    monkeypatch.setattr(read, "BATCH_BYTES", 200)
    monkeypatch.setattr(read_csv, "_ROWS", 7)
    file = tmp_path / "a.csv"
    lines = [f"{i},x{i}" for i in range(300)]
    file.write_text("\n".join(["a,b", *lines[:200], "only", *lines[200:]]) + "\n")
    contacts, rows, _ = _read(file, on_bad_row="skip")
    assert [contact["a"] for contact in contacts] == [str(i) for i in range(300)]
    assert rows == [*range(1, 201), *range(202, 302)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv:1:1: expected a header"),
        (b"a,a\n1,2\n", "a.csv:1:1: the column 'a' is there twice"),
        (b"a,\n1,2\n", "a.csv:1:1: column 2 has no name"),
        (b"\xff,b\n1,2\n", "a.csv:1:1: the header is no UTF-8"),
        (b'a,b\n1,2\n3,"4\n', "a.csv:3:1: not CSV: unexpected end of data"),
    ],
)
def test_a_file_that_is_no_csv_is_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    """With its place."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError) as error:
        _read(tmp_path / "a.csv")
    assert str(error.value).startswith(message)


def test_a_missing_column_is_named_with_who_reads_it(tmp_path: Path) -> None:
    """And with the column that may be meant."""
    (tmp_path / "a.csv").write_text("ages,b\n1,2\n")
    with pytest.raises(InputError, match="there is no column 'age', which rule minors reads; did you mean 'ages'"):
        _read(tmp_path / "a.csv", Wanted(None, {"age": "rule minors"}))


def test_columns_of_parquet_have_the_types_of_conditions(tmp_path: Path) -> None:
    """Numbers are doubles, what lies below a column has its path, times are instants or local text."""
    table = pa.table(
        {
            "n": pa.array([1, None], pa.int16()),
            "price": pa.array([Decimal("1.50"), None], pa.decimal128(6, 2)),
            "emp.var.rate": pa.array([1.5, None], pa.float32()),
            "custom": pa.array([{"value": 5, "deep": {"er": "x"}}, None]),
            "tier": pa.array(["gold", None]).dictionary_encode(),
            "mobile": [True, None],
            "at": pa.array([datetime(2026, 1, 1, 12, tzinfo=UTC), None], pa.timestamp("ns", "America/Denver")),
            "local": pa.array([datetime(2026, 1, 1, 12), None], pa.timestamp("ms")),
            "day": [date(2026, 1, 1), None],
            "nothing": pa.nulls(2),
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    contacts, rows, _ = _read(tmp_path / "a.parquet")
    assert contacts[0] == {
        "n": 1.0, "price": 1.5, "emp.var.rate": 1.5, "custom.value": 5.0, "custom.deep.er": "x", "tier": "gold",
        "mobile": True, "at": "2026-01-01T12:00:00Z", "local": "2026-01-01T12:00:00.000000", "day": "2026-01-01",
        "nothing": None,
    }  # fmt: skip
    assert set(contacts[1].values()) == {None}
    assert rows == [1, 2]
    some, _, _ = _read(tmp_path / "a.parquet", Wanted(["custom.value", "emp.var.rate"], {}))
    assert some[0] == {"emp.var.rate": 1.5, "custom.value": 5.0}
    assert len(_read(tmp_path / "a.parquet", Wanted([], {}))[0]) == 2


def test_parquet_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    """Another file under that name, a type without a meaning, a name that is there twice."""
    (tmp_path / "a.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"a\.parquet: cannot be read as Parquet"):
        _read(tmp_path / "a.parquet")
    parquet.write_table(pa.table({"tags": [["a"]]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="column 'tags' holds list<"):
        _read(tmp_path / "b.parquet")
    parquet.write_table(pa.table({"a.b": [1], "a": [{"b": 2}]}), tmp_path / "c.parquet")
    with pytest.raises(InputError, match=r"the column 'a.b' is there twice"):
        _read(tmp_path / "c.parquet")


def test_globs_name_files_in_order(tmp_path: Path) -> None:
    """What names no file, or another kind, is a sentence."""
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text("x\n")
    assert [file.name for file in files_of([f"{tmp_path}/*.csv"])] == ["a.csv", "b.csv"]
    for pattern, message in (("*.parquet", "no such file"), ("c.txt", "expected a .csv"), ("", "this is a folder")):
        with pytest.raises(UsageError, match=message):
            files_of([f"{tmp_path}/{pattern}"])


def test_polars_reads_the_batches_as_they_are(tmp_path: Path) -> None:
    """Columns of few values come as enumerations, so that nothing has to be encoded again."""
    (tmp_path / "a.csv").write_text("a,b\nx,1\nx,2\n")
    batch = next(batches_of("a.csv", tmp_path / "a.csv", Wanted(None, {}, ["b"]), Problems("fail", print)))
    assert isinstance(batch.frame["a"].dtype, pl.Enum)
    assert batch.frame["b"].dtype == pl.String


@pytest.mark.parametrize(("rows", "batches"), [(7, [6, 7]), (3, [3, 3, 3, 3, 1]), (1, [1] * 13)])
def test_row_groups_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, batches: list[int]
) -> None:
    """Each row group has words of its own; a batch of several has all of them, and rows keep their numbers."""
    states = [["TX", "NY", None], ["CA", "CA", "TX"], ["FL", None, ""], ["NY", "WA", "WA"], ["TX"]]
    flat = [state for group in states for state in group]
    parquet.write_table(pa.table({"state": flat}), tmp_path / "x.parquet", row_group_size=3)
    monkeypatch.setattr(read, "BATCH_ROWS", rows)
    found = list(batches_of("x", tmp_path / "x.parquet", ALL, Problems("fail", print)))
    assert [batch.frame.height for batch in found] == batches
    assert [cell for batch in found for cell in batch.frame["state"].cast(pl.String)] == flat
    assert [row for batch in found for row in batch.rows] == list(range(1, 14))


def test_codes_of_any_writer_are_words() -> None:
    """A dictionary may hold a word twice, or none."""
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None], pa.int8()), pa.array(["b", None, "a", "b"]))
    assert read.coded("x", array).cast(pl.String).to_list() == ["b", None, "a", "b", None]
