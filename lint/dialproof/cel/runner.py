"""cel-python's runner, with the macros ``all`` and ``exists`` in bounded time.

cel-python writes the errors of two items into the text of a third one, so that its ``all`` and ``exists`` take twice
as long for each item that is an error.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import celpy
from celpy.celtypes import BoolType
from celpy.evaluation import CELEvalError, Evaluator

__all__ = ["Runner"]

_SIGNS = {"all": "_&&_", "exists": "_||_"}


class _Evaluator(Evaluator):
    def sub_evaluator(self, ast: Any) -> Evaluator:
        """Return the evaluator of a macro's body."""
        return _Evaluator(ast, activation=self.activation)

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
        return _Evaluator(ast=self.ast, activation=self.new_activation()).evaluate(context)
