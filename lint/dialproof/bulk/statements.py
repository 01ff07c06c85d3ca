"""What always or never holds of each contact, decided for columns of contacts and their outcomes.

The parts that read the contact, whether it is dialed, which rules matched and which lists it is on are expressions;
what holds anything else is decided contact by contact, for those alone that the statement is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain
from operator import add
from typing import TYPE_CHECKING

import polars as pl

from dialproof.bulk.batch_expressions import Atoms, BatchTranslator
from dialproof.bulk.columns import contacts_of, everywhere
from dialproof.bulk.expressions import Inexpressible, Term
from dialproof.cel.ast import Call, Identifier, Index, Select
from dialproof.cel.ast import Literal as LiteralNode
from dialproof.cel.variables import resolve
from dialproof.findings import Witness
from dialproof.output.masking import mask_witness, personal_columns
from dialproof.output.witness import outcome_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.bulk import read
    from dialproof.bulk.columns import Columns
    from dialproof.bulk.recheck import Rechecked
    from dialproof.bulk.run import Batch, BulkEvaluator
    from dialproof.bulk.tally import Example, Examples
    from dialproof.cel.ast import Node
    from dialproof.cel.program import LeafProgram
    from dialproof.cel.values import Kind
    from dialproof.model.populations import Statement
    from dialproof.outcome import Outcome
    from dialproof.populations import Statements
    from dialproof.view import View

__all__ = ["Held", "StatementTally", "Violation"]

SHOWN = 3
"""So many contacts that violate a statement are shown."""


@dataclass(frozen=True)
class Violation:
    """A contact that violates a statement, and its outcome in words; ``undecided`` where that cannot be said.

    Of the contact it has what the statement reads, and what the rules that made the outcome do.
    """

    example: Example
    outcome: str
    undecided: bool


@dataclass
class Held:
    """How a statement fares: the contacts that it is about, and those of which it does not hold, some of them shown.

    ``by_row`` is the reason why it is decided contact by contact, or is empty.
    """

    statement: Statement
    about: int = 0
    violated: int = 0
    shown: list[Violation] = field(default_factory=list)
    by_row: str = ""


class StatementTally:
    """Counts over batches for whom statements hold; a statement that cannot be decided for a contact is violated.

    Contacts that are shown were run by the row functions before. ``wrong`` are the places, file and row, where the row
    functions or cel-python disagree with the columns.
    """

    def __init__(self, statements: Statements, bulk: BulkEvaluator, examples: Examples) -> None:
        self._statements = statements
        self._bulk = bulk
        self._examples = examples
        self._personal = personal_columns(bulk.evaluator.campaign.contact_list)
        self._atoms = Atoms(bulk.evaluator.campaign.contact_list, bulk.view)
        self.held = [Held(statement) for statement in statements.of]
        self.wrong: list[tuple[str, int]] = []

    def add(self, batch: read.Batch, columns: Columns, outcomes: Batch, checked: Sequence[Rechecked]) -> None:
        """Count a batch; ``checked`` are the contacts that cel-python has run."""
        rows = _Rows(self._statements, self._bulk, columns)
        for held in self.held:
            where, text = self._statements.programs(held.statement)
            every = everywhere(columns.height, True)
            about = every if where is None else self._decide(held, where, rows, outcomes, every)
            said = self._decide(held, text, rows, outcomes, about.fill_null(value=True))
            verdict = ~about | (~said if held.statement.kind == "never" else said)
            violated = ~verdict.fill_null(value=False)
            held.about += int(about.sum())
            held.violated += int(violated.sum())
            for row in violated.arg_true().head(SHOWN - len(held.shown)):
                self._show(held, batch, rows, row, verdict[row])
            for one in checked:
                seen = self._statements.seen(rows.view(one.contact), one.outcome)
                if self._statements.verdict(held.statement, seen, reference=True) is not verdict[one.row]:
                    self.wrong.append((batch.path, int(batch.rows[one.row])))

    def _show(self, held: Held, batch: read.Batch, rows: _Rows, row: int, by_columns: bool | None) -> None:
        """Keep a contact if it violates the statement by the row functions, too."""
        [seen] = rows.seen([row])
        outcome = seen.outcome
        assert outcome is not None
        verdict = self._statements.verdict(held.statement, seen)
        if verdict is not by_columns:
            self.wrong.append((batch.path, int(batch.rows[row])))
            return
        witness = mask_witness(Witness(seen.contact, {}, "", outcome), self._personal)
        example = self._examples.of(batch, row)
        shown = {name: example.contact[name] for name in self._that_matter(held, outcome) if name in example.contact}
        text = outcome_text(witness.outcome, witness.contact)
        held.shown.append(Violation(replace(example, contact=shown), text, verdict is None))

    def _that_matter(self, held: Held, outcome: Outcome) -> list[str]:
        made_it = {*outcome.matched, *outcome.undecided}
        read = [sorted(self._bulk.read_of(rule)) for rule in self._bulk.rules if rule.name in made_it]
        return list(dict.fromkeys(chain(self._statements.read_of(held.statement), *read)))

    def _decide(self, held: Held, program: LeafProgram, rows: _Rows, outcomes: Batch, wanted: pl.Series) -> pl.Series:
        """Return the verdicts of a part of a statement; those of contacts that are not wanted may be anything."""
        assert program.ast is not None
        translator = _Translator(rows.columns, outcomes, self._bulk, self._atoms)
        try:
            verdict = translator.verdict(program.ast)
        except Inexpressible as why:
            held.by_row = str(why)
            return rows.decide(program, wanted)
        return translator.frame(wanted).select("row", verdict=verdict)["verdict"]


class _Rows:
    """The contacts of a batch one by one, each run by the row functions once."""

    def __init__(self, statements: Statements, bulk: BulkEvaluator, columns: Columns) -> None:
        self.columns = columns
        self._statements = statements
        self._bulk = bulk
        self._seen: dict[int, View] = {}

    def view(self, contact: Mapping[str, object]) -> View:
        """Return the view of a contact."""
        return self._bulk.evaluator.view(contact, now=self._bulk.now, time_zone=self._bulk.time_zone)

    def seen(self, rows: Sequence[int]) -> list[View]:
        """Return the views of some contacts with their outcomes."""
        new = [row for row in rows if row not in self._seen]
        contacts = contacts_of(self.columns.frame[new])
        for row, contact, outcome in zip(new, contacts, self._bulk.outcomes(contacts), strict=True):
            self._seen[row] = self._statements.seen(self.view(contact), outcome)
        return [self._seen[row] for row in rows]

    def decide(self, program: LeafProgram, wanted: pl.Series) -> pl.Series:
        """Return the verdicts of the wanted contacts; those of others are null."""
        rows = wanted.arg_true()
        verdicts = pl.Series([program.verdict(seen) for seen in self.seen(rows.to_list())], dtype=pl.Boolean)
        unknown = everywhere(self.columns.height, None)
        return unknown.scatter(rows, verdicts) if len(rows) else unknown


class _Translator(BatchTranslator):
    """Translates what reads the outcome, too."""

    def __init__(
        self,
        columns: Columns,
        outcomes: Batch,
        bulk: BulkEvaluator,
        atoms: Atoms,
    ) -> None:
        super().__init__(bulk.evaluator.campaign.contact_list, columns, bulk.view, atoms)
        self._outcomes = outcomes
        self._none = everywhere(columns.height, False)
        self._unknown = everywhere(columns.height, None)

    def _variable(self, node: Node, kind: Kind | None) -> Term:
        variable, found = resolve(node, self._contact_list)
        if variable is None or found != "outcome":
            return super()._variable(node, kind)
        name, outcomes = variable.name, self._outcomes
        source, _, of = name.partition(".")
        if name == "dial":
            return self._flag(name, self._unknown if outcomes.dial is None else outcomes.dial)
        if source == "lists" and of and "." not in of:
            on, off = outcomes.on.get(of, self._none), outcomes.off.get(of, self._none)
            return self._flag(name, on.set(~(on | off), None))  # a list that nothing was done to is no key
        raise Inexpressible(f"outcome.{name}")

    def _call(self, node: Call) -> Term:
        number = self._count(node) if node.function == "size" else None
        if number is not None:
            return number
        if node.function == "in":
            item, listed = node.arguments
            if isinstance(listed, (Identifier, Select, Index)) and isinstance(item, LiteralNode):
                variable, found = resolve(listed, self._contact_list)
                if variable is not None and found == "outcome" and isinstance(item.value, str):
                    there = self._there(variable.name, item.value)
                    if there is not None:
                        return self._flag(f"{item.value!r} in {variable.name}", there)
        return super()._call(node)

    def _count(self, node: Call) -> Term | None:
        """Return how many rules an outcome has matched, or not decided."""
        variable, found = resolve(node.target if node.target is not None else node.arguments[0], self._contact_list)
        if variable is None or found != "outcome" or variable.name not in ("matched", "undecided"):
            return None
        rules = (self._outcomes.matched if variable.name == "matched" else self._outcomes.undecided).values()
        none = self._none.cast(pl.Float64)
        number = reduce(add, (there.cast(pl.Float64) for there in rules), none)
        return Term(self._need(f"size of {variable.name}", number), "number")

    def _there(self, name: str, item: str) -> pl.Series | None:
        """Return for whom a rule or list is among those of an outcome."""
        outcomes, none = self._outcomes, self._none
        if name == "lists":
            return outcomes.on.get(item, none) | outcomes.off.get(item, none)
        if name in ("matched", "undecided"):
            return (outcomes.matched if name == "matched" else outcomes.undecided).get(item, none)
        return None

    def _flag(self, name: object, series: pl.Series) -> Term:
        return Term(self._need(f"outcome {name}", series), "boolean")
