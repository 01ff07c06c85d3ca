"""The expressions of conditions are those of Narwhals, not of Polars: DuckDB decides the same contacts the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.bulk import columns
from dialproof.bulk.columns import Columns
from dialproof.bulk.expressions import Inexpressible, Translator
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.rules import leaves
from tests.lint.bulk.frames import frames
from tests.lint.cel.build import campaign, rule
from tests.lint.cel.test_against_cel_python import groups

if TYPE_CHECKING:
    from dialproof.model.rules import Expression


@given(expressions=st.lists(groups, min_size=1, max_size=4), frame=frames(), few=st.sampled_from([0, 4096]))
@settings(deadline=None, max_examples=40)
def test_duckdb_decides_as_polars_does(expressions: list[Expression], frame: pl.DataFrame, few: int) -> None:
    """Every condition that is an expression is true, false or undecided in both."""
    evaluator = Evaluator(campaign(rule("r", *expressions)), Semantics())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "FEW", few)
        translator = Translator(evaluator.campaign.contact_list, Columns(frame, None), evaluator.view({}), {})
        wanted: dict[str, Any] = {"always": nw.col("row") >= 0}
        for i, leaf in enumerate(leaves(tuple(expressions))):
            program = evaluator.leaf(leaf)
            found = translator.by_value(program)
            if found is None and program.ast is not None and program.compiled is not None:
                try:
                    found = translator.verdict(program.ast)
                except Inexpressible:
                    continue
            if found is not None:
                wanted[f"c{i}"] = found
    rows = pl.DataFrame(
        [pl.int_range(frame.height, eager=True).alias("row"), *(s.alias(n) for n, s in translator.needed.items())]
    )
    ours = nw.from_native(rows).with_columns(**wanted).to_native()
    arrow = rows.to_arrow()
    theirs = nw.from_native(duckdb.from_arrow(arrow)).with_columns(**wanted).sort("row").collect("polars").to_native()
    for name in wanted:
        assert theirs[name].to_list() == ours[name].to_list(), wanted[name]
