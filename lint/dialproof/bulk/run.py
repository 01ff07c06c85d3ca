"""The ordered run of a campaign's rules over batches of contacts: what :mod:`dialproof.evaluate` does to one contact.

Rules that cannot be run by columns exactly are run by the row functions, and the result says which and why; so are
single contacts whose run breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from dialproof.bulk.columns import Columns, contacts_of
from dialproof.bulk.expressions import Inexpressible, Translator
from dialproof.cel.values import from_micros, read_number
from dialproof.model.actions import action_types
from dialproof.model.rules import Group, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.cel.program import LeafProgram
    from dialproof.cel.values import Variable
    from dialproof.evaluate import Evaluator
    from dialproof.model.rules import Action, Category, Expression, Rule
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
    """Runs the rules of one campaign over batches of contacts.

    ``now`` (default: the clock of analysis) and ``time_zone`` are those of every contact. ``by_row`` maps each rule
    whose conditions are decided by row functions to the reason; ``whole_by_row`` is the reason why whole runs are, or
    is empty. Raises ValueError for a ``now`` that is no date or time.
    """

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
        self.by_row: dict[str, str] = {}
        self._view: View = evaluator.view({}, now=now, time_zone=time_zone)
        self._programs: dict[int, LeafProgram] = {}
        self._leaves: dict[str, list[LeafProgram]] = {}
        for rule in self.rules:
            found = {id(leaf): evaluator.leaf(leaf) for leaf in leaves(rule.conditions)}
            self._programs.update(found)
            self._leaves[rule.name] = list(found.values())
        self._atoms: dict[int, tuple[LeafProgram, Variable] | None] = {}
        self.written = [{str(a.fields["attribute"]) for a in r.actions if a.type == "setAttribute"} for r in self.rules]
        self._parts = self._parts_of_the_run()
        self.whole_by_row = self._why_whole_by_row()

    @property
    def reads(self) -> frozenset[str] | None:
        """The columns that matter to a run, None where all of them do."""
        programs = [program for programs in self._leaves.values() for program in programs]
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

    def read_of(self, rule: Rule) -> set[str]:
        """Return the columns that the conditions of a rule read."""
        return {v.name for p in self._leaves[rule.name] for v in p.reads if v.source == "contact"}

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
            return self._rows(frame)
        run = _Run(self, columns)
        try:
            for part in self._parts:
                verdicts = self._verdicts([self.rules[i] for i in part], run.seen)
                for index, verdict in zip(part, verdicts, strict=True):
                    run.take(self.rules[index], verdict)
        except _WrittenError as why:
            self.whole_by_row = str(why)
            return self._rows(frame)
        return run.finished()

    def outcomes(self, contacts: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Return the outcomes of contacts by the row functions."""
        options: dict[str, Any] = {"category": self.category, "now": self.now, "time_zone": self.time_zone}
        return [self.evaluator.run(contact, **options) for contact in contacts]

    def _rows(self, frame: pl.DataFrame) -> Batch:
        none = _all(frame.height, value=False)
        batch = Batch(
            frame.height,
            {rule.name: none for rule in self.rules},
            {rule.name: none for rule in self.rules},
            None if self.category == "wrapUp" else none,
        )
        _put(batch, range(frame.height), self.outcomes(contacts_of(frame)))
        return batch

    def _verdicts(self, rules: Sequence[Rule], columns: Columns) -> list[pl.Series]:
        translator = Translator(self.evaluator.campaign.contact_list, columns, self._view, self._atoms)
        decided: dict[str, nw.Expr] = {}
        for rule in rules:
            for program in self._leaves[rule.name]:
                key = f"c{id(program)}"
                if key not in decided:
                    decided[key] = self._leaf(rule, program, translator, columns)
        frame = pl.DataFrame([_all(columns.height, value=True).rename("row"), *_named(translator.needed)])
        with_leaves = nw.from_native(frame).with_columns(**decided)
        wanted = {f"r{i}": self._junction(rule.conditions, "all") for i, rule in enumerate(rules)}
        done = with_leaves.with_columns(**wanted).to_native()
        return [done[name] for name in wanted]

    def _leaf(self, rule: Rule, program: LeafProgram, translator: Translator, columns: Columns) -> nw.Expr:
        if program.ast is None:
            return nw.lit(None, dtype=nw.Boolean)
        found = translator.by_value(program)
        if found is None and program.compiled is None:
            self.by_row[rule.name] = f"by cel-python: {program.fallback}"
        elif found is None:
            try:
                return translator.verdict(program.ast)
            except Inexpressible as why:
                self.by_row[rule.name] = str(why)
        if found is None:
            name = f"rows {id(program)}"
            if columns.written & {v.name for v in program.reads} or (program.every_column and columns.written):
                raise _WrittenError(f"{rule.name} reads what an earlier rule writes, and {self.by_row[rule.name]}")
            translator.needed[name] = self._by_rows(program, columns)
            return nw.col(name)
        return found

    def _by_rows(self, program: LeafProgram, columns: Columns) -> pl.Series:
        """Decide a condition by its row function, once for each combination of the values that it reads."""
        names = [v.name for v in program.reads if v.source == "contact"]
        frame = columns.frame if program.every_column else columns.frame.select(set(names) & {*columns.frame.columns})
        known: dict[str, bool | None] = {}
        verdicts = []
        for contact in contacts_of(frame):
            key = repr(list(contact.values()))
            if key not in known:
                known[key] = program.verdict(self._view.written(contact))
            verdicts.append(known[key])
        return pl.Series(verdicts, dtype=pl.Boolean) if frame.width else self._one(program, columns.height)

    def _one(self, program: LeafProgram, height: int) -> pl.Series:
        return pl.Series([program.verdict(self._view)], dtype=pl.Boolean).new_from_index(0, height)

    def _junction(self, members: Sequence[Expression], kind: str) -> nw.Expr:
        parts = [self._member(member) for member in members]
        return reduce(or_ if kind == "any" else and_, parts) if parts else nw.lit(value=True)

    def _member(self, member: Expression) -> nw.Expr:
        if not isinstance(member, Group):
            return nw.col(f"c{id(self._programs[id(member)])}")
        joined = self._junction(member.members, "any" if member.kind == "any" else "all")
        return ~joined if member.kind == "not" else joined


class _WrittenError(Exception):
    """A row function is to read what the run by columns has written; the text says which."""


class _Run:
    """The state of one run; ``seen`` are the columns that conditions read, ``state`` those that actions write."""

    def __init__(self, bulk: BulkEvaluator, columns: Columns) -> None:
        self.bulk = bulk
        self.frame = columns.frame
        self.state = columns.copy() if any(bulk.written) else columns
        self.seen = self.state if bulk.evaluator.semantics.laterRulesSeeUpdates else columns
        self.none = _all(columns.height, value=False)
        self.ended: pl.Series | None = None
        self.broken: pl.Series = self.none
        self.refused: pl.Series = self.none
        self.batch = Batch(columns.height, {}, {}, None)

    def take(self, rule: Rule, verdict: pl.Series) -> None:
        """Take the next rule of the run, with its verdicts."""
        semantics, batch = self.bulk.evaluator.semantics, self.batch
        matched, undecided = verdict, self.none
        if verdict.null_count():
            undecided = self._going(verdict.is_null())
            matched = verdict.fill_null(semantics.undecided == "met")
            if semantics.undecided == "refuseToDial":
                self._refuse(f"undecided: {rule.name}", undecided)
        matched = self._going(matched)
        batch.matched[rule.name], batch.undecided[rule.name] = matched, undecided
        for action in rule.actions:
            self._act(rule, action, matched)
        if self.bulk.evaluator.campaign.hit_policy == "first" or (
            semantics.doNotDialStops and any(a.type == "doNotDial" for a in rule.actions)
        ):
            self.ended = matched if self.ended is None else self.ended | matched

    def _going(self, rows: pl.Series) -> pl.Series:
        return rows if self.ended is None else rows & ~self.ended

    def _refuse(self, reason: str, rows: pl.Series) -> None:
        if self.bulk.category == "preCall":
            first = rows & ~self.refused
            known = self.batch.reasons.get(reason)
            self.batch.reasons[reason] = first if known is None else known | first
            self.refused = self.refused | rows

    def _act(self, rule: Rule, action: Action, rows: pl.Series) -> None:
        if self.bulk.category in action_types()[action.type].stops_dial_in:
            self._refuse(f"{action.type}: {rule.name}", rows)
        if action.type == "setList":
            name, batch = str(action.fields["listId"]), self.batch
            put, other = (batch.on, batch.off) if action.fields.get("value") != "false" else (batch.off, batch.on)
            put[name] = rows if name not in put else put[name] | rows
            other[name] = other[name] & ~rows if name in other else self.none
        elif action.type == "setAttribute":
            self._write(action, rows)

    def _write(self, action: Action, rows: pl.Series) -> None:
        option, value = action.fields.get("option", "SET"), action.fields.get("value")
        name = str(action.fields["attribute"])
        if option in ("SET", "CURRENT_TIME"):
            now = f"{from_micros(self.bulk._view.now):%Y-%m-%dT%H:%M:%SZ}"  # noqa: SLF001  (the run is part of it)
            written: Any = now if option == "CURRENT_TIME" else "" if value is None else value
            self.state.set(name, rows, written)
            return
        step = 1.0 if value is None else read_number(value)
        blank = self.state.blank(name)
        before = self.state.reading(name, "number")
        number = before.set(blank, 0.0)
        after = number + (step or 0.0) if option == "INCREMENT" else number - (step or 0.0)
        good = after.is_finite().fill_null(value=False) if step is not None else self.none
        self.broken = self.broken | (rows & ~good)
        self.state.count(name, rows & good, after)

    def finished(self) -> Batch:
        """Return the outcomes; contacts whose run broke are run again, one by one."""
        batch = self.batch
        batch.dial = None if self.bulk.category == "wrapUp" else ~self.refused
        rows = self.broken.arg_true()
        if len(rows):
            _put(batch, rows.to_list(), self.bulk.outcomes(contacts_of(self.frame[rows])))
        return batch


def _all(height: int, *, value: bool) -> pl.Series:
    return pl.Series([value], dtype=pl.Boolean).new_from_index(0, height)


def _named(columns: Mapping[str, pl.Series]) -> list[pl.Series]:
    return [series.alias(name) for name, series in columns.items()]


def _put(batch: Batch, rows: Sequence[int], outcomes: Sequence[Outcome]) -> None:
    """Put the outcomes of contacts that were run one by one into their rows."""
    indices = pl.Series(list(rows), dtype=pl.UInt32)

    def put(column: pl.Series, values: list[bool]) -> pl.Series:
        return column.clone().scatter(indices, pl.Series(values, dtype=pl.Boolean))

    for name in batch.matched:
        batch.matched[name] = put(batch.matched[name], [name in o.matched for o in outcomes])
        batch.undecided[name] = put(batch.undecided[name], [name in o.undecided for o in outcomes])
    none = _all(batch.height, value=False)
    for name in {name for outcome in outcomes for name in outcome.lists} | {*batch.on, *batch.off}:
        batch.on[name] = put(batch.on.get(name, none), [o.lists.get(name) is True for o in outcomes])
        batch.off[name] = put(batch.off.get(name, none), [o.lists.get(name) is False for o in outcomes])
    if batch.dial is not None:
        batch.dial = put(batch.dial, [bool(o.dial) for o in outcomes])
        for reason in {o.reason for o in outcomes if o.reason} | {*batch.reasons}:
            batch.reasons[reason] = put(batch.reasons.get(reason, none), [o.reason == reason for o in outcomes])
    batch.failed.update({row: o.failure for row, o in zip(rows, outcomes, strict=True) if o.failure is not None})
