"""Rules of the workload as somebody would write them in Polars, in SQL and in CEL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    Rules = Sequence[Mapping[str, Any]]

__all__ = ["in_cel", "in_polars", "in_sql"]

_SQL = {
    "exists": "({column} IS NOT NULL AND {column} <> '')",
    "in": "{column} IN ({values})",
    "beginsWith": "starts_with({column}, {value})",
    "before": "{column} < TIMESTAMPTZ {value}",
    "equals": "{column} = {value}",
    "greaterThan": "{number} > {limit}",
    "lessThan": "{number} < {limit}",
}
_CEL = {
    "exists": "has({column}) && {column} != ''",
    "in": "{column} in [{values}]",
    "beginsWith": "{column}.startsWith({value})",
    "before": "timestamp({column}) < timestamp({value})",
    "equals": "{column} == {value}",
    "greaterThan": "{number} > {double}",
    "lessThan": "{number} < {double}",
}


def in_polars(rules: Rules) -> list[pl.Expr]:
    """Return how many contacts each rule matches."""
    import polars as pl

    def one(condition: Mapping[str, Any]) -> pl.Expr:
        column, operator, value = pl.col(condition["attribute"]), condition["operator"], condition.get("value")
        if operator == "exists":
            return column.is_not_null() & (column != "")
        if operator == "in":
            return column.is_in(value)
        if operator == "beginsWith":
            return column.cast(pl.String).str.starts_with(value)
        if operator == "before":
            return column < pl.lit(value).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        if operator == "equals":
            return column == value
        if condition["attribute"] == "zip":
            column = column.cast(pl.String).cast(pl.Float64)
        return column > float(value) if operator == "greaterThan" else column < float(value)

    return [
        pl.all_horizontal([one(condition) for condition in rule["conditions"]]).sum().alias(rule["name"])
        for rule in rules
    ]


def in_sql(rules: Rules) -> str:
    """Return the same as one statement."""
    conditions = (_texts(rule, _SQL, '"{}"', "CAST({} AS DOUBLE)") for rule in rules)
    counts = (f"count(*) FILTER ({' AND '.join(texts)})" for texts in conditions)
    return f"SELECT {', '.join(counts)} FROM contacts"


def in_cel(rules: Rules) -> list[str]:
    """Return the conditions of each rule, over a contact without nulls."""
    return [" && ".join(_texts(rule, _CEL, "contact.{}", "double({})")) for rule in rules]


def _texts(rule: Mapping[str, Any], forms: Mapping[str, str], column: str, as_number: str) -> list[str]:
    """Return the conditions of a rule in a language: what each operator, a column and a text as a number look like."""
    texts = []
    for condition in rule["conditions"]:
        name, operator, value = condition["attribute"], condition["operator"], condition.get("value")
        written = column.format(name)
        parts = {
            "column": written,
            "number": as_number.format(written) if name == "zip" else written,
            "value": repr(value),
            "values": ", ".join(map(repr, value)) if operator == "in" else "",
            "limit": value,
            "double": float(value) if operator in ("greaterThan", "lessThan") else "",
        }
        texts.append(forms[operator].format(**parts))
    return texts
