"""The functions that expressions may call are those of cel-python, and ours."""

from __future__ import annotations

from celpy import evaluation

from dialproof.cel.calls import FUNCTIONS

OURS = {"boolean", "datetime", "fold", "number"}
NOT_LISTED = {"dyn", "has"}  # cel-python's evaluator knows these by itself


def test_every_function_of_cel_python_is_known_and_no_other() -> None:
    """The table is written out so that nobody has to load cel-python to ask for a name."""
    standard = {name for name in evaluation.base_functions if name.isidentifier() and not name.startswith("_")}
    assert set(FUNCTIONS) == standard | OURS | NOT_LISTED
