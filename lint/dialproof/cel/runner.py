"""cel-python's runner, in bounded time.

cel-python writes the errors of two items into the text of a third one, so that its ``all`` and ``exists`` take twice
as long for each item that is an error. And what the parser bounds of macros is their constants: how often their bodies
run is counted here.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import celpy
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError, Evaluator

__all__ = ["MAX_STEPS", "Runner", "TooMuchError"]

_SIGNS = {"all": "_&&_", "exists": "_||_"}


MAX_STEPS = 20_000
"""How often the bodies of all macros of one expression may run in one evaluation."""


class TooMuchError(Exception):
    """An evaluation takes more steps or room than any that is waited for; nothing in cel-python absorbs it."""


class _Evaluator(Evaluator):
    def __init__(self, ast: Any, activation: Any, spent: list[int]) -> None:
        super().__init__(ast, activation)
        self._spent = spent

    def sub_evaluator(self, ast: Any) -> Evaluator:
        """Return the evaluator of a macro's body."""
        return _Evaluator(ast, self.activation, self._spent)

    def evaluate(self, context: Any = None) -> Any:
        """Return the value; a macro comes here for each of its items."""
        self._spent[0] += 1
        if self._spent[0] > MAX_STEPS:
            raise TooMuchError
        return super().evaluate(context)

    def member_dot_arg(self, tree: Any) -> Any:
        """Return the value of a method or macro: ``all`` is a chain of ``&&``, ``exists`` one of ``||``."""
        name = tree.children[1].value
        if name not in _SIGNS:
            return super().member_dot_arg(tree)
        items: Any = self.visit(tree.children[0])
        if isinstance(items, CELEvalError):
            return items
        combined: Any = self.activation.resolve_function(_SIGNS[name])
        return reduce(combined, map(self.build_ss_macro_eval(tree), items), BoolType(name == "all"))


class Runner(celpy.InterpretedRunner):
    """Evaluates expressions by walking their parse tree."""

    def evaluate(self, context: Any) -> Any:
        """Return the value of the expression; raises ``CELEvalError``."""
        return _Evaluator(self.ast, self.new_activation(), [0]).evaluate(context)
