"""Rules run by DuckDB: batches of contacts, with the outcomes that Polars gives them, and the SQL that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from dialproof.bulk.backtest import wanted_of
from dialproof.bulk.columns import Columns
from dialproof.bulk.engines import DuckDB, quoted
from dialproof.bulk.lazy import lazy_outcomes
from dialproof.bulk.read import columns_of
from dialproof.bulk.run import Batch, BulkEvaluator
from dialproof.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.bulk.backtest import Options
    from dialproof.evaluate import Evaluator

__all__ = ["DuckDBEvaluator", "batch_of", "sql_of"]

_ROW = "row of the batch"
_TABLE = "contacts"


class DuckDBEvaluator(BulkEvaluator):
    """Runs the rules of one campaign over batches of contacts in DuckDB; see :class:`BulkEvaluator`."""

    engine = "DuckDB"
    threads = 1  # a connection is for one

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connection = duckdb.connect()

    def run(self, contacts: pl.DataFrame | Columns) -> Batch:
        """Run the rules over contacts."""
        frame = contacts.frame if isinstance(contacts, Columns) else contacts
        if self.whole_by_row:
            return self.by_rows(frame)
        texts = frame.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String))
        relation = self._connection.from_arrow(texts.with_row_index(_ROW).to_arrow())
        try:
            outcomes = lazy_outcomes(self, relation, DuckDB(self._connection), kept=[_ROW])
        except UsageError as why:
            self.whole_by_row = str(why)
            return self.by_rows(frame)
        return batch_of(self, pl.DataFrame(outcomes.to_arrow_table()).sort(_ROW))


def batch_of(bulk: BulkEvaluator, found: pl.DataFrame) -> Batch:
    """Return the outcomes that stand in the columns of :func:`lazy_outcomes` as a batch."""

    def told(column: str) -> dict[str, pl.Series]:
        return {text: found[column] == text for text in found[column].unique() if text}

    names = [rule.name for rule in bulk.rules]
    lists = [name for name in found.columns if name.startswith("list ")]
    dialing = bulk.category == "preCall"
    return Batch(
        found.height,
        matched={name: found[f"matched {name}"] for name in names},
        undecided={name: found[f"undecided {name}"] for name in names},
        dial=found["dial"] if dialing else None,
        on={name.removeprefix("list "): found[name].fill_null(value=False) for name in lists},
        off={name.removeprefix("list "): (~found[name]).fill_null(value=False) for name in lists},
        reasons=told("reason") if dialing else {},
        failed={row: sentence for sentence, rows in told("failure").items() for row in rows.arg_true()},
    )


def sql_of(evaluator: Evaluator, path: str, file: Path, options: Options) -> str:
    """Return the query whose rows are the outcomes of a table ``contacts`` with the columns of a file.

    Raises :class:`UsageError` for rules that are not decided by SQL, :class:`InputError` for what the file lacks.
    """
    bulk = BulkEvaluator(evaluator, category=options.category, now=options.now, time_zone=options.time_zone)
    wanted = wanted_of([bulk], evaluator.campaign.contact_list, options)
    connection = duckdb.connect()
    connection.from_arrow(columns_of(path, file, wanted)).create(_TABLE)
    table = connection.table(_TABLE)
    kept = [] if options.id_column is None else [options.id_column]
    query = lazy_outcomes(bulk, table, DuckDB(connection), kept=kept).sql_query()
    if bulk.by_row:
        without = "there is no SQL for rule {}, which is decided contact by contact: {}"
        raise UsageError("\n".join(without.format(rule, why) for rule, why in bulk.by_row.items()))
    types = ", ".join(f"{quoted(name)} {kind}" for name, kind in zip(table.columns, table.types, strict=True))
    campaign = f"campaign {bulk.evaluator.campaign.id}, {bulk.category}"
    return f"-- {campaign}\n-- CREATE TABLE {_TABLE} ({' '.join(types.split())})\n{query};\n"
