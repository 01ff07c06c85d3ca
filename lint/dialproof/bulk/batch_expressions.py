"""Conditions over a batch in memory, where much can be decided once for each of a column's few different values.

A part of a condition that reads one such column is not translated: the compiled row function decides it once for each
value, and the column's codes are compared.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from dialproof.bulk.columns import FEW
from dialproof.bulk.expressions import Translator
from dialproof.cel.compile import Compiler
from dialproof.cel.program import leaf_program
from dialproof.cel.variables import reads, uses_every_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.bulk.columns import Coded, Columns, Raw
    from dialproof.cel.ast import Call
    from dialproof.cel.program import LeafProgram
    from dialproof.cel.values import Kind, Variable
    from dialproof.model.contactlist import ContactList
    from dialproof.view import View

__all__ = ["Atoms", "BatchTranslator"]

RUNS = 4
"""So many stretches of codes are compared; for more, a column of verdicts is looked up."""

_ORDINAL = 2**16 - 1


class Atoms:
    """The parts of conditions that read one column, and what was decided of its values, from one batch to the next.

    Several threads may ask. What is known goes by the identity of programs, so each is kept, and of each node one.
    """

    def __init__(self, contact_list: ContactList, view: View) -> None:
        self._contact_list = contact_list
        self._view = view
        self._programs: dict[int, tuple[LeafProgram, Variable] | None] = {}
        self._known: dict[int, tuple[LeafProgram, dict[object, bool | None]]] = {}
        self._last: dict[int, tuple[LeafProgram, tuple[Raw, ...], Decided]] = {}

    def of(self, node: Call) -> tuple[LeafProgram, Variable] | None:
        """Return a part that reads one column as a program, with that column; None where it reads others too."""
        if id(node) not in self._programs:
            self._programs.setdefault(id(node), _atom_of(node, self._contact_list))
        return self._programs[id(node)]

    def decided(self, program: LeafProgram, name: str, values: tuple[Raw, ...]) -> Decided:
        """Return what the row function of a program says of each value of the column that it reads."""
        last = self._last.get(id(program))
        if last is not None and last[1] is values:
            return last[2]
        kept = self._known.get(id(program))
        if kept is None or len(kept[1]) > 2 * FEW:
            kept = self._known[id(program)] = program, {}
        known = kept[1]
        verdicts = []
        for value in values:
            key = value if isinstance(value, str) else (type(value), value)  # True equals 1.0, which is another value
            if key not in known:
                known[key] = program.verdict(self._view.written({name: value}))
            verdicts.append(known[key])
        found = Decided(verdicts, _stretches(verdicts, True), _stretches(verdicts, None))
        self._last[id(program)] = program, values, found
        return found


class Decided(NamedTuple):
    """The verdict on each value of a column, and the stretches of values that are true and undecided."""

    verdicts: list[bool | None]
    true: list[tuple[int, int]]
    unknown: list[tuple[int, int]]


class BatchTranslator(Translator):
    """Translates the conditions of a campaign for one batch; ``needed`` are the columns that the expressions read."""

    def __init__(
        self,
        contact_list: ContactList,
        columns: Columns,
        view: View,
        atoms: Atoms,
    ) -> None:
        super().__init__(contact_list, view, self._needed_reading, of=pl)
        self.needed: dict[str, pl.Series] = {}
        self._columns = columns
        self._atoms = atoms

    def frame(self, row: pl.Series) -> pl.DataFrame:
        """Return what the expressions read, beside a column ``row``."""
        needed = [series.alias(name) for name, series in self.needed.items()]
        return pl.DataFrame([row.rename("row"), *needed])

    def _needed_reading(self, name: str, kind: Kind) -> pl.Expr:
        return self._need(f"{kind} {name}", self._columns.reading(name, kind))

    def _need(self, name: str, series: pl.Series) -> pl.Expr:
        self.needed[name] = series
        return pl.col(name)

    def _atom(self, node: Call) -> pl.Expr | None:
        """Return a part that reads one column of few values, decided for each of them by the row function."""
        found = self._atoms.of(node)
        coded = None if found is None else self._columns.coded(found[1].name)
        if found is None or coded is None:
            return None
        return self._by_codes(found[0], found[1].name, coded)

    def by_value(self, program: LeafProgram) -> pl.Expr | None:
        """Return a whole condition that reads one column of few values as an expression, else None."""
        read = {variable.name for variable in program.reads if variable.source == "contact"}
        if program.every_column or len(read) != 1:
            return None
        name = read.pop()
        coded = self._columns.coded(name)
        if coded is None:
            return None
        return self._by_codes(program, name, coded)

    def _by_codes(self, program: LeafProgram, name: str, coded: Coded) -> pl.Expr:
        verdicts, true, unknown = self._atoms.decided(program, name, coded.values)
        if len(true) + len(unknown) > RUNS:
            return self._need(f"verdict {id(program)}", coded.gathered(verdicts, pl.Boolean()))
        codes = self._need(f"codes {name}", coded.codes)
        holds = _within(codes, true)
        return pl.when(~_within(codes, unknown)).then(holds) if unknown else holds


def _within(codes: pl.Expr, stretches: Sequence[tuple[int, int]]) -> pl.Expr:
    tests = [codes == a if a == b else codes <= b if a == 0 else (codes >= a) & (codes <= b) for a, b in stretches]
    return reduce(or_, tests) if tests else codes == _ORDINAL  # which no code is


def _stretches(verdicts: Sequence[bool | None], wanted: bool | None) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for code, verdict in enumerate(verdicts):
        if verdict is not wanted:
            continue
        if found and found[-1][1] == code - 1:
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


def _atom_of(node: Call, contact_list: ContactList) -> tuple[LeafProgram, Variable] | None:
    read = {variable for variable in reads(node, contact_list) if variable.source == "contact"}
    if len(read) != 1 or uses_every_column(node):
        return None
    program, problems = leaf_program("", node, Compiler(contact_list))
    return None if problems or program.compiled is None else (program, read.pop())
