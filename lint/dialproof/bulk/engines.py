"""The engines that hold contacts elsewhere, and what Narwhals does not do for all of them alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import narwhals as nw

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dialproof.bulk.row_function import RowFunction

    Frame = nw.LazyFrame[Any]

__all__ = ["DuckDB", "Engine", "Spark", "quoted"]


class Engine(Protocol):
    """An engine; ``re2`` says whether its patterns are those of RE2."""

    name: str
    re2: bool

    def opened(self, contacts: Any) -> tuple[Frame, dict[str, str]]:
        """Return contacts as a frame, and the name under which each of their columns is there."""
        ...

    def closed(self, frame: Frame, columns: Mapping[str, nw.Expr]) -> Any:
        """Return columns of a frame, under their names, as the engine's own kind of frame."""
        ...

    def column(self, name: str, taken: Collection[str]) -> str:
        """Return what a new column is to be called."""
        ...

    def with_microseconds(self, frame: Frame, name: str, column: str) -> Frame:
        """Return the frame with a new column: a column of instants in microseconds since 1970."""
        ...

    def with_verdicts(self, frame: Frame, name: str, function: RowFunction, columns: Sequence[str]) -> Frame:
        """Return the frame with a new column: the verdicts of a function over columns."""
        ...


class DuckDB:
    """Relations of a connection of DuckDB."""

    name = "DuckDB"
    re2 = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def opened(self, contacts: Any) -> tuple[Frame, dict[str, str]]:
        """Return a relation as a frame."""
        frame = _frame(contacts)
        return frame, {name: name for name in frame.collect_schema()}

    def closed(self, frame: Frame, columns: Mapping[str, nw.Expr]) -> Any:
        """Return a relation."""
        return frame.select(**columns).to_native()

    def column(self, name: str, taken: Collection[str]) -> str:
        """Return the name itself: people read the SQL."""
        while name in taken:
            name += "_"
        return name

    def with_microseconds(self, frame: Frame, name: str, column: str) -> Frame:
        """Count by ``epoch_us``."""
        from duckdb import ColumnExpression, FunctionExpression, StarExpression

        counted = FunctionExpression("epoch_us", ColumnExpression(column)).alias(name)
        return _frame(frame.to_native().select(StarExpression(), counted))

    def with_verdicts(self, frame: Frame, name: str, function: RowFunction, columns: Sequence[str]) -> Frame:
        """Ask the function now, once for each different combination of values, and join what it says."""
        import pyarrow as pa
        from duckdb import ColumnExpression, FunctionExpression

        relation = frame.to_native()
        types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        doubles = [column for column in columns if types[column] == "DOUBLE"]  # 0.0 is -0.0 to SQL, and not to 1 / x
        signs = [FunctionExpression("signbit", ColumnExpression(c)).alias(f"{name}: sign of {c}") for c in doubles]
        wanted = relation.select(*map(ColumnExpression, columns), *signs)
        different = wanted.distinct().to_arrow_table().select(list(columns))
        rows = zip(*(column.to_pylist() for column in different.columns), strict=True)
        verdicts = pa.array([function(*row) for row in rows], pa.bool_())
        keys = {f"{name}: {column}": column for column in columns}
        known = different.rename_columns(list(keys)).append_column(name, verdicts)
        pairs = [(quoted(key), quoted(column)) for key, column in keys.items()]
        pairs += [(f"signbit({quoted(k)})", f"signbit({quoted(c)})") for k, c in keys.items() if c in doubles]
        same = " AND ".join(f"{key} IS NOT DISTINCT FROM {column}" for key, column in pairs)
        return _frame(relation.join(self._connection.from_arrow(known), same, "left")).drop(*keys)


def quoted(name: str) -> str:
    """Return a name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


class Spark:
    """DataFrames of Spark. Every column has a plain name in between, because a point in a name is a path there."""

    name = "Spark"
    re2 = False

    def opened(self, contacts: Any) -> tuple[Frame, dict[str, str]]:
        """Return a DataFrame as a frame."""
        names = {name: f"c{i}" for i, name in enumerate(contacts.columns)}
        return _frame(contacts.toDF(*names.values())), names

    def closed(self, frame: Frame, columns: Mapping[str, nw.Expr]) -> Any:
        """Return a DataFrame."""
        plain = {f"o{i}": expr for i, expr in enumerate(columns.values())}
        return frame.select(**plain).to_native().toDF(*columns)

    def column(self, name: str, taken: Collection[str]) -> str:  # noqa: ARG002  (nobody reads it)
        """Return a plain name."""
        return f"k{len(taken)}"

    def with_microseconds(self, frame: Frame, name: str, column: str) -> Frame:
        """Count by ``unix_micros``."""
        from pyspark.sql import functions

        return _frame(frame.to_native().withColumn(name, functions.unix_micros(column)))

    def with_verdicts(self, frame: Frame, name: str, function: RowFunction, columns: Sequence[str]) -> Frame:
        """Run the function on the executors, where dialproof has to be installed as well."""
        from pyspark.sql import functions

        return _frame(frame.to_native().withColumn(name, functions.udf(function, "boolean")(*columns)))


def _frame(native: Any) -> Frame:
    frame: Frame = nw.from_native(native)
    return frame
