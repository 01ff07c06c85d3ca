"""The ordered run of a campaign's rules over batches of contacts: what :mod:`dialproof.evaluate` does to one contact.

Rules that cannot be run by columns exactly are run by the row functions, and the result says which and why; so are
single contacts whose run breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import polars as pl

from dialproof.bulk.batch_expressions import Atoms, BatchTranslator
from dialproof.bulk.columns import Columns, contacts_of, everywhere
from dialproof.bulk.expressions import Expr, Inexpressible
from dialproof.bulk.order import Run
from dialproof.cel.values import from_micros
from dialproof.model.rules import Group, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.cel.program import LeafProgram
    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Category, Expression, Rule
    from dialproof.outcome import Outcome
    from dialproof.view import View

__all__ = ["Batch", "BulkEvaluator"]


@dataclass
class Batch:
    """The outcomes of a batch of contacts, one row each, as columns of booleans without nulls.

    ``matched`` and ``undecided`` have a column for each rule of the category, in the order of the run; ``dial`` is None
    in wrapUp. ``on`` and ``off`` say by list who was put on it or taken off last. ``reasons`` hold, for each reason not
    to dial, the contacts for which it was the first. ``failed`` are the rows whose run broke, with the sentence of the
    failure.
    """

    height: int
    matched: dict[str, pl.Series]
    undecided: dict[str, pl.Series]
    dial: pl.Series | None
    on: dict[str, pl.Series] = field(default_factory=dict)
    off: dict[str, pl.Series] = field(default_factory=dict)
    reasons: dict[str, pl.Series] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


class BulkEvaluator:
    """Runs the rules of one campaign over batches of contacts, in ``engine``.

    ``now`` (default: the clock of analysis) and ``time_zone`` are those of every contact. ``by_row`` maps each rule
    whose conditions are decided by row functions to the reason; ``whole_by_row`` is the reason why whole runs are, or
    is empty. Raises ValueError for a ``now`` that is no date or time.
    """

    engine = "Polars"

    def __init__(
        self,
        evaluator: Evaluator,
        *,
        category: Category = "preCall",
        now: str | None = None,
        time_zone: str | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.category: Category = category
        self.now = now
        self.time_zone = time_zone
        self.rules: tuple[Rule, ...] = tuple(
            r for r in evaluator.campaign.rules if r.enabled and r.category == category
        )
        self.undecided_is_met = evaluator.semantics.undecided == "met"
        self.by_row: dict[str, str] = {}
        self.view: View = evaluator.view({}, now=now, time_zone=time_zone)
        self._programs: dict[int, LeafProgram] = {}
        self.leaves: dict[str, list[LeafProgram]] = {}
        for rule in self.rules:
            found = {id(leaf): evaluator.leaf(leaf) for leaf in leaves(rule.conditions)}
            self._programs.update(found)
            self.leaves[rule.name] = list(found.values())
        self._atoms = Atoms(evaluator.campaign.contact_list, self.view)
        self.written = [{str(a.fields["attribute"]) for a in r.actions if a.type == "setAttribute"} for r in self.rules]
        self.parts = self._parts_of_the_run()
        self.whole_by_row = self._why_whole_by_row()

    @property
    def threads(self) -> int:
        """How many batches may be run at once; nobody says that cel-python may be asked by several threads."""
        return 1 if self.evaluator.fallbacks else 2

    @property
    def reads(self) -> frozenset[str] | None:
        """The columns that matter to a run, None where all of them do."""
        programs = [program for programs in self.leaves.values() for program in programs]
        if self.whole_by_row or any(program.every_column for program in programs):
            return None
        read = {v.name for program in programs for v in program.reads if v.source == "contact"}
        return frozenset(read.union(*self.written))

    @property
    def read_by(self) -> dict[str, str]:
        """The columns that conditions read before any rule has written them, each with the first rule that does."""
        found: dict[str, str] = {}
        written: set[str] = set()
        for rule, names in zip(self.rules, self.written, strict=True):
            for name in sorted(self.read_of(rule) - written):
                found.setdefault(name, rule.name)
            written |= names
        return found

    @property
    def clock(self) -> str:
        """When and where the contacts are, in words; empty where no condition asks."""
        read = [v for programs in self.leaves.values() for program in programs for v in program.reads]
        if not any(v.source == "now" or (v.source == "context" and v.name.startswith("now.")) for v in read):
            return ""
        return f"{from_micros(self.view.now):%Y-%m-%dT%H:%M:%SZ} ({self.time_zone or 'UTC'})"

    def read_of(self, rule: Rule) -> set[str]:
        """Return the columns that the conditions of a rule read."""
        return {v.name for p in self.leaves[rule.name] for v in p.reads if v.source == "contact"}

    def _parts_of_the_run(self) -> list[range]:
        """Cut the run where a rule reads what an earlier one of its part may have written."""
        if not self.evaluator.semantics.laterRulesSeeUpdates:
            return [range(len(self.rules))]
        parts, begin = [], 0
        written: set[str] = set()
        for index, rule in enumerate(self.rules):
            if written & self.read_of(rule):
                parts.append(range(begin, index))
                begin, written = index, set()
            written |= self.written[index]
        return [*parts, range(begin, len(self.rules))]

    def _why_whole_by_row(self) -> str:
        for rule in self.rules:
            for action in rule.actions:
                value = action.fields.get("value")
                if action.type == "setAttribute" and not isinstance(value, str | int | float | None):
                    return f"{rule.name} writes a value that is no text, number or boolean"
        return ""

    def run(self, contacts: pl.DataFrame | Columns) -> Batch:
        """Run the rules over contacts; ``Columns`` keep what has been read of them, and are not written to."""
        columns = contacts if isinstance(contacts, Columns) else Columns(contacts, self.time_zone)
        frame = columns.frame
        if self.whole_by_row:
            return self.by_rows(frame)
        state = columns.copy() if any(self.written) else columns
        seen = state if self.evaluator.semantics.laterRulesSeeUpdates else columns
        run: Run[pl.Series] = Run(self.evaluator, self.category, self.view, state)
        try:
            for part in self.parts:
                for index, masks in zip(part, self._masks([self.rules[i] for i in part], seen), strict=True):
                    run.take(self.rules[index], *masks)
        except _WrittenError as why:
            self.whole_by_row = str(why)
            return self.by_rows(frame)
        batch = _batch(run, columns.height)
        if state.beyond is not None and len(rows := state.beyond.arg_true()):
            _put(batch, rows.to_list(), self.outcomes(contacts_of(frame[rows])))
        return batch

    def outcomes(self, contacts: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Return the outcomes of contacts by the row functions."""
        options: dict[str, Any] = {"category": self.category, "now": self.now, "time_zone": self.time_zone}
        return [self.evaluator.run(contact, **options) for contact in contacts]

    def by_rows(self, frame: pl.DataFrame) -> Batch:
        """Run the rules over contacts by the row functions."""
        none = everywhere(frame.height, False)
        batch = Batch(
            frame.height,
            {rule.name: none for rule in self.rules},
            {rule.name: none for rule in self.rules},
            None if self.category == "wrapUp" else none,
        )
        _put(batch, range(frame.height), self.outcomes(contacts_of(frame)))
        return batch

    def _masks(self, rules: Sequence[Rule], columns: Columns) -> list[tuple[pl.Series, pl.Series | None]]:
        """Return where the conditions of each rule are met, and where they are undecided (None: nowhere)."""
        verdicts = self._verdicts(rules, columns)
        unsure = [verdict for verdict in verdicts if verdict.null_count()]
        met = pl.DataFrame(unsure).select(pl.all().fill_null(self.undecided_is_met))  # all at once: it is far sooner
        undecided = pl.DataFrame(unsure).select(pl.all().is_null())
        return [
            (met[verdict.name], undecided[verdict.name]) if verdict.name in met.columns else (verdict, None)
            for verdict in verdicts
        ]

    def _verdicts(self, rules: Sequence[Rule], columns: Columns) -> list[pl.Series]:
        translator = BatchTranslator(self.evaluator.campaign.contact_list, columns, self.view, self._atoms)
        decided: dict[str, pl.Expr] = {}
        for rule in rules:
            for program in self.leaves[rule.name]:
                key = _key(program)
                if key not in decided:
                    decided[key] = self._leaf(rule, program, translator, columns)
        wanted = [
            self.conditions_of(rule, lambda program: pl.col(_key(program)), pl.lit(value=True)).alias(f"r{i}")
            for i, rule in enumerate(rules)
        ]
        done = translator.frame(everywhere(columns.height, True)).with_columns(**decided).select("row", *wanted)
        return done.get_columns()[1:]

    def _leaf(self, rule: Rule, program: LeafProgram, translator: BatchTranslator, columns: Columns) -> pl.Expr:
        if program.ast is None:
            return pl.lit(None, dtype=pl.Boolean)
        found = translator.by_value(program)
        if found is None and program.compiled is None:
            self.by_row[rule.name] = f"by cel-python: {program.fallback}"
        elif found is None:
            try:
                # Of constants Polars makes one value, and sometimes does not see that it stands for every row.
                found = translator.verdict(program.ast) & pl.col("row")
            except Inexpressible as why:
                self.by_row[rule.name] = str(why)
        if found is None:
            name = f"rows {id(program)}"
            if columns.written & {v.name for v in program.reads} or (program.every_column and columns.written):
                raise _WrittenError(f"{rule.name} reads what an earlier rule writes, and {self.by_row[rule.name]}")
            translator.needed[name] = self._by_rows(program, columns)
            return pl.col(name)
        return found

    def _by_rows(self, program: LeafProgram, columns: Columns) -> pl.Series:
        """Decide a condition by its row function, once for each combination of the values that it reads."""
        names = [v.name for v in program.reads if v.source == "contact"]
        frame = columns.frame if program.every_column else columns.frame.select(set(names) & {*columns.frame.columns})
        if not frame.width:
            return everywhere(columns.height, program.verdict(self.view))
        known: dict[str, bool | None] = {}
        verdicts = []
        for contact in contacts_of(frame):
            key = repr(list(contact.values()))
            if key not in known:
                known[key] = program.verdict(self.view.written(contact))
            verdicts.append(known[key])
        return pl.Series(verdicts, dtype=pl.Boolean)

    def conditions_of(self, rule: Rule, verdict: Callable[[LeafProgram], Expr], true: Expr) -> Expr:
        """Return the conditions of a rule together, each as ``verdict`` has it; ``true`` is what no condition is."""

        def junction(members: Sequence[Expression], kind: str) -> Expr:
            parts = [member_of(member) for member in members]
            return reduce(or_ if kind == "any" else and_, parts) if parts else true

        def member_of(member: Expression) -> Expr:
            if not isinstance(member, Group):
                return verdict(self._programs[id(member)])
            joined = junction(member.members, "any" if member.kind == "any" else "all")
            return ~joined if member.kind == "not" else joined

        return junction(rule.conditions, "all")


def _key(program: LeafProgram) -> str:
    """Return the name of the column of the verdicts of a condition."""
    return f"c{id(program)}"


class _WrittenError(Exception):
    """A row function is to read what the run by columns has written; the text says which."""


def _batch(run: Run[pl.Series], height: int) -> Batch:
    none = everywhere(height, False)
    undecided = {name: none if rows is None else rows for name, rows in run.undecided.items()}
    batch = Batch(height, run.matched, undecided, None)
    for name, on, rows in run.lists:
        put, other = (batch.on, batch.off) if on else (batch.off, batch.on)
        put[name] = put[name] | rows if name in put else rows
        other[name] = other[name] & ~rows if name in other else none
    for sentence, rows in run.failures:
        batch.failed.update(dict.fromkeys(rows.arg_true(), sentence))
    if run.category == "wrapUp":
        return batch
    refused = none
    for reason, rows in [*((f"failure: {sentence}", rows) for sentence, rows in run.failures), *run.refusals]:
        first = rows & ~refused
        batch.reasons[reason] = batch.reasons[reason] | first if reason in batch.reasons else first
        refused = refused | rows
    batch.dial = ~refused
    return batch


def _put(batch: Batch, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
    """Put the outcomes of contacts that were run one by one into their rows."""
    indices = pl.Series(list(rows), dtype=pl.UInt32)

    def put(column: pl.Series, values: list[bool]) -> pl.Series:
        return column.clone().scatter(indices, pl.Series(values, dtype=pl.Boolean))

    for name in batch.matched:
        batch.matched[name] = put(batch.matched[name], [name in o.matched for o in outcomes])
        batch.undecided[name] = put(batch.undecided[name], [name in o.undecided for o in outcomes])
    none = everywhere(batch.height, False)
    for name in {name for outcome in outcomes for name in outcome.lists} | {*batch.on, *batch.off}:
        batch.on[name] = put(batch.on.get(name, none), [o.lists.get(name) is True for o in outcomes])
        batch.off[name] = put(batch.off.get(name, none), [o.lists.get(name) is False for o in outcomes])
    if batch.dial is not None:
        batch.dial = put(batch.dial, [bool(o.dial) for o in outcomes])
        for reason in {o.reason for o in outcomes if o.reason} | {*batch.reasons}:
            batch.reasons[reason] = put(batch.reasons.get(reason, none), [o.reason == reason for o in outcomes])
    batch.failed.update({row: o.failure for row, o in zip(rows, outcomes, strict=True) if o.failure is not None})
