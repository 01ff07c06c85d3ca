"""Where a CSV file is cut into blocks makes no difference, however its cells are quoted."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.bulk import read, read_csv
from dialproof.bulk.columns import contacts_of
from dialproof.bulk.read import Problems, Wanted, batches_of
from dialproof.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CELLS = st.text(alphabet='ab",;\n \ufeff', max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12)
WITHOUT_CR_LF = st.text('ab,"\n\r\ufeff', max_size=80).map(lambda text: re.sub("\r+\n", "\n", text))
QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
ANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def _rows(file: Path, content: str, size: int) -> tuple[list[list[object]], list[int], list[str]] | str:
    """Return the cells, the numbers of their rows and what was said of bad rows, reading so many bytes at a time."""
    file.write_bytes(content.encode())
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "BATCH_BYTES", size)
        try:
            batches = list(batches_of("f", file, Wanted(None, {}), Problems("report", said.append)))
        except InputError as error:
            return str(error)
    cells = [list(contact.values()) for batch in batches for contact in contacts_of(batch.frame)]
    return cells, [row for batch in batches for row in batch.rows], said


@ANY
@given(rows=ROWS, quoting=QUOTING, end=st.sampled_from(["\n", "\r\n"]), size=st.integers(4, 60), comma=st.booleans())
def test_what_is_written_is_read(
    tmp_path: Path, rows: list[tuple[str, str, str]], quoting: int, end: str, size: int, *, comma: bool
) -> None:
    """Every cell comes back as it was, with delimiters, quotes and line ends in it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=quoting, lineterminator=end, delimiter="," if comma else ";")  # type: ignore[arg-type]
    writer.writerows([("x", "y", "z"), *rows])
    found = _rows(tmp_path / "f.csv", text.getvalue(), size)
    assert found == ([list(row) for row in rows], list(range(1, len(rows) + 1)), [])


@ANY
@given(text=WITHOUT_CR_LF, size=st.integers(4, 40))
def test_text_of_any_kind_is_read_as_by_pyarrow_alone(tmp_path: Path, text: str, size: int) -> None:
    """Quotes that stand anywhere: what is read is the same as where the file is never cut by us.

    In blocks that are smaller than a row pyarrow gives up, and the strict reader may refuse what pyarrow takes. Of
    CR LF in a cell, where one of its own blocks ends between the two, pyarrow loses the second.
    """
    content = f"x,y\n{text}"
    cut = _rows(tmp_path / "f.csv", content, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_csv, "_ends_of_rows", lambda *_, **__: [])
        whole = _rows(tmp_path / "f.csv", content, 1_000_000)
    assert cut == whole or isinstance(cut, str)


@pytest.mark.parametrize(
    ("block", "last", "ends"),
    [
        (b"a,b\nc,d\ne", False, [4, 8]),
        (b"a,b\nc,d\ne", True, [4, 9]),
        (b'a,"b"\n"c",d\n', False, [6, 12]),
        (b'a,"b\nb"\n"c\n', False, [8]),  # a cell goes on behind the block
        (b'a,"b\nb"\n"c\n', True, []),
        (b'a,"b""b"\n"""",""\n', False, [17]),
        (b'","\n";"\n', False, [4, 8]),
        (b'"a"b\n', False, []),  # not plain
        (b'a""b\n', False, [5]),
        (b'a"b,"c\nd"\n', False, []),
        (b"a,b", False, []),
        (b"", True, []),
    ],
)
def test_blocks_are_cut_where_it_is_plain_that_a_row_ends(block: bytes, last: bool, ends: Sequence[int]) -> None:
    """In the middle and at the end; nowhere as soon as a quote could be read in two ways."""
    assert read_csv._ends_of_rows(block, ",", last=last) == ends
