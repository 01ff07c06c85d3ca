"""The order of a run over masks: what :mod:`dialproof.evaluate` does to one contact, done to columns of verdicts.

A mask is a column of booleans without nulls: a series of Polars, or an expression of Narwhals that any engine runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from dialproof.cel.values import from_micros, read_number
from dialproof.evaluate import EvaluationError, new_value
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Action, Category, Rule
    from dialproof.view import View

__all__ = ["Run", "State"]

Mask = TypeVar("Mask", "pl.Series", "nw.Expr")


class State(Protocol[Mask]):
    """The columns of contacts that rules write to."""

    def keep(self, name: str, mask: Mask) -> Mask:
        """Return a mask as what follows is to refer to it."""
        ...

    def set(self, name: str, rows: Mask, value: str | float | bool) -> None:
        """Write one value into the given rows."""
        ...

    def count(self, name: str, rows: Mask, step: float) -> Mask:
        """Add to the numbers in the given rows, blank ones being 0; return where the column holds no number."""
        ...


class Run(Generic[Mask]):
    """One run: :meth:`take` each rule in order, then read what has happened.

    ``matched`` and ``undecided`` have a mask for each rule that was taken (None: it is decided for everybody).
    ``refusals`` to dial, with their reasons, ``lists`` (name, on or off) and ``failures``, with their sentences, stand
    in the order in which they happen; of the refusals of a contact the first counts, of its changes of a list the last.
    """

    def __init__(self, evaluator: Evaluator, category: Category, view: View, state: State[Mask]) -> None:
        self._semantics = evaluator.semantics
        self._first = evaluator.campaign.hit_policy == "first"
        self.category = category
        self._view = view
        self._state: State[Mask] = state
        self._ended: Mask | None = None
        self.matched: dict[str, Mask] = {}
        self.undecided: dict[str, Mask | None] = {}
        self.refusals: list[tuple[str, Mask]] = []
        self.lists: list[tuple[str, bool, Mask]] = []
        self.failures: list[tuple[str, Mask]] = []

    def take(self, rule: Rule, met: Mask, undecided: Mask | None) -> None:
        """Take the next rule: where its conditions are met, and where they cannot be decided."""
        self.undecided[rule.name] = None
        if undecided is not None:
            undecided = self._state.keep(f"undecided {rule.name}", self._going(undecided))
            self.undecided[rule.name] = undecided
            if self._semantics.undecided == "refuseToDial":
                self.refusals.append((f"undecided: {rule.name}", undecided))
        matched = rows = self._state.keep(f"matched {rule.name}", self._going(met))
        self.matched[rule.name] = matched
        for action in rule.actions:
            failing = self._act(rule, action, rows)
            if failing is not None:
                self.failures.append((failure_of(action, self._view), rows & failing))
                self._end(met & failing)
                rows = rows & ~failing
        if self._first or (
            self._semantics.doNotDialStops and any(action.type == "doNotDial" for action in rule.actions)
        ):
            self._end(met)

    def end_by(self, name: str) -> None:
        """Keep where the run has ended under a name, so that what follows is not written out again and again."""
        if self._ended is not None:
            self._ended = self._state.keep(name, self._ended)

    def _going(self, rows: Mask) -> Mask:
        return rows if self._ended is None else rows & ~self._ended

    def _end(self, rows: Mask) -> None:
        self._ended = rows if self._ended is None else self._ended | rows

    def _act(self, rule: Rule, action: Action, rows: Mask) -> Mask | None:
        """Do an action; return where it breaks the run, whatever ``rows`` are."""
        failing = self._write(action, rows) if action.type == "setAttribute" else None
        if action.type == "setList":
            self.lists.append((str(action.fields["listId"]), action.fields.get("value") != "false", rows))
        if self.category in action_types()[action.type].stops_dial_in:
            self.refusals.append((f"{action.type}: {rule.name}", rows))
        return failing

    def _write(self, action: Action, rows: Mask) -> Mask | None:
        option, value = action.fields.get("option", "SET"), action.fields.get("value")
        name = str(action.fields["attribute"])
        if option in ("INCREMENT", "DECREMENT"):
            step = 1.0 if value is None else read_number(value)
            if step is None:
                return rows
            failing: Mask = self._state.count(name, rows, step if option == "INCREMENT" else -step)
            return failing
        written = f"{from_micros(self._view.now):%Y-%m-%dT%H:%M:%SZ}" if option == "CURRENT_TIME" else value
        assert not isinstance(written, tuple)  # such runs are left to the row functions
        self._state.set(name, rows, "" if written is None else written)
        return None


def failure_of(action: Action, view: View) -> str:
    """Return the sentence of the failure that counting what is no number is."""
    try:
        new_value(action, "no number", view)
    except EvaluationError as error:
        return str(error)
    raise AssertionError("a text was counted")
