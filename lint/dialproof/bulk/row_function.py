"""A condition as a function over values of other engines: what they cannot express is decided by it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dialproof.cel.compile import Compiler
from dialproof.cel.program import leaf_program
from dialproof.cel.values import from_micros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.bulk.readings import Form
    from dialproof.cel.program import LeafProgram
    from dialproof.view import View

__all__ = ["RowFunction"]


class RowFunction:
    """Decides a condition: true, false, or None for undecided.

    It is called with the values of ``columns`` in their order. It can be pickled: the condition is compiled again where
    it is run.
    """

    def __init__(self, program: LeafProgram, view: View, columns: Sequence[tuple[str, Form]]) -> None:
        self.columns = list(columns)
        self._program: LeafProgram | None = program
        self._view = view
        self._cel = program.cel
        self._ast = program.ast

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_program": None}

    def __call__(self, *values: Any) -> bool | None:
        """Return the verdict on a contact of these values."""
        if self._program is None:
            self._program, _ = leaf_program(self._cel, self._ast, Compiler(self._view.columns))
        contact = {name: _value(value, form) for (name, form), value in zip(self.columns, values, strict=True)}
        return self._program.verdict(self._view.written(contact))


def _value(value: Any, form: Form) -> object:
    """Return a value as it stands in a contact."""
    if value is None or form not in ("instant", "local"):
        return value
    if form == "instant":
        return f"{from_micros(value).replace(tzinfo=None).isoformat()}Z"
    return datetime.fromisoformat(value).isoformat(timespec="microseconds") if "T" in value else value
