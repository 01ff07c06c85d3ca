"""Whole frames get the outcomes that the row functions and cel-python give to each of their contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.bulk import columns
from dialproof.bulk.run import BulkEvaluator
from dialproof.config import Semantics
from dialproof.evaluate import Evaluator
from tests.lint.bulk.frames import frames, rows_of, same_by_row
from tests.lint.cel.build import action, campaign, rule
from tests.lint.cel.test_against_cel_python import groups

if TYPE_CHECKING:
    import polars as pl

    from dialproof.model.rules import Rule

ZONES = st.sampled_from([None, "UTC", "America/Denver", "Asia/Kolkata"])
NOWS = st.sampled_from([None, "2026-03-08T09:30:00Z", "2025-12-26"])
semantics = st.builds(
    Semantics,
    undecided=st.sampled_from(["refuseToDial", "unmet", "met"]),
    laterRulesSeeUpdates=st.booleans(),
    doNotDialStops=st.booleans(),
    caseSensitive=st.booleans(),
)
values = st.sampled_from(["TX", "a", "", "5", " 5 ", "true", True, 5.0, 7, -1.0, "2026-01-01", None])
names = st.sampled_from(["n", "s", "b", "t", "custom.value", "emp.var.rate", "unknown", "fresh"])
actions = st.one_of(
    st.builds(
        lambda n, v: action("setList", listId=n, value=v),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["true", "false"]),
    ),
    st.just(action("doNotDial")),
    st.just(action("contactUncallable")),
    st.builds(lambda n, v: action("setAttribute", attribute=n, option="SET", value=v), names, values),
    st.builds(
        lambda n, o, v: action("setAttribute", attribute=n, option=o, **v),
        names,
        st.sampled_from(["INCREMENT", "DECREMENT"]),
        st.sampled_from([{}, {"value": 2.5}, {"value": "1"}, {"value": "x"}, {"value": 1e308}]),
    ),
    st.builds(lambda n: action("setAttribute", attribute=n, option="CURRENT_TIME"), names),
)


@st.composite
def sequences(draw: st.DrawFn) -> list[Rule]:
    """Draw the rules of a campaign."""
    count = draw(st.integers(1, 4))
    return [
        rule(
            f"rule {i}",
            *draw(st.lists(groups, max_size=2)),
            order=i,
            actions=tuple(draw(st.lists(actions, min_size=1, max_size=2))),
            enabled=draw(st.integers(0, 9)) > 0,
            category=draw(st.sampled_from(["preCall"] * 9 + ["wrapUp"])),
        )
        for i in range(count)
    ]


def _bulk(rules: list[Rule], settings_: dict[str, Any], *, reference: bool = False) -> BulkEvaluator:
    of = campaign(*rules, hit_policy=settings_["hit_policy"])
    return BulkEvaluator(
        Evaluator(of, settings_["semantics"], reference=reference),
        category=settings_["category"],
        now=settings_["now"],
        time_zone=settings_["zone"],
    )


options = st.fixed_dictionaries(
    {
        "hit_policy": st.sampled_from(["all", "first"]),
        "semantics": semantics,
        "category": st.sampled_from(["preCall"] * 4 + ["wrapUp"]),
        "now": NOWS,
        "zone": ZONES,
    }
)


@pytest.mark.parametrize("few", [0, 2, 4096])
@given(rules=sequences(), frame=frames(), drawn=options)
@settings(deadline=None, max_examples=150)
def test_a_frame_has_the_outcomes_of_its_rows(few: int, rules: list[Rule], frame: pl.DataFrame, drawn: Any) -> None:
    """Order, writes, stops, lists, dialing, reasons and failures are those of the row functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "FEW", few)  # whether columns are kept as codes must not matter
        bulk = _bulk(rules, drawn)
        assert rows_of(bulk.run(frame)) == same_by_row(bulk, frame)


@given(rules=sequences(), frame=frames(max_size=3), drawn=options, few=st.sampled_from([0, 4096]))
@settings(deadline=None, max_examples=60)
def test_a_frame_has_the_outcomes_of_cel_python(rules: list[Rule], frame: pl.DataFrame, drawn: Any, few: int) -> None:
    """Nothing of ours decides a condition on the other side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "FEW", few)
        reference = _bulk(rules, drawn, reference=True)
        assert rows_of(_bulk(rules, drawn).run(frame)) == same_by_row(reference, frame)
