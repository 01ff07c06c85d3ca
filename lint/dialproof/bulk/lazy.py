"""Runs over contacts that another engine holds: columns of a DuckDB relation or of a Spark DataFrame, or their SQL.

The order is that of :mod:`dialproof.bulk.order`, the conditions are those of :mod:`dialproof.bulk.expressions`; nothing
is computed here. A condition that is no expression is decided by its row function, inside of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw

from dialproof.bulk.expressions import Expr, Inexpressible, Translator
from dialproof.bulk.order import Run
from dialproof.bulk.readings import READING_TYPES, form_of, in_calendar, read_raw
from dialproof.bulk.row_function import RowFunction
from dialproof.cel import values
from dialproof.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dialproof.bulk.engines import Engine
    from dialproof.bulk.readings import Form, Reading
    from dialproof.bulk.run import BulkEvaluator
    from dialproof.cel.program import LeafProgram
    from dialproof.model.rules import Rule

__all__ = ["lazy_outcomes"]

_AT_ONCE = 20
"""So many rules are decided from one state: what ends a run is a column of its own after them."""


def lazy_outcomes(bulk: BulkEvaluator, contacts: Any, engine: Engine, kept: Collection[str] | None = None) -> Any:
    """Return the contacts with the columns of their outcomes, as a frame of the same engine.

    Of the contacts' own columns those that are ``kept`` come first, by default all. Those of the outcomes are ``dial``
    and ``reason`` (in preCall), ``failure`` (text, empty where there is none), ``list NAME`` (true, false, null where
    no rule changes it), ``matched RULE`` and ``undecided RULE`` (true or false).

    Raises :class:`UsageError` for contacts that have such columns already, and for rules that cannot be run there.
    """
    if bulk.whole_by_row:
        raise UsageError(f"{engine.name} cannot run these rules: {bulk.whole_by_row}")
    frame, names = engine.opened(contacts)
    state = _Columns(frame, names, bulk.time_zone, engine)
    run: Run[nw.Expr] = Run(bulk.evaluator, bulk.category, bulk.view, state)
    conditions = _Conditions(bulk, state)
    for number, rules in enumerate(_parts(bulk)):
        decided = [conditions.of(rule) for rule in rules]
        state.flush()
        verdicts = [state.keep(f"verdict {rule.name}", expr) for rule, expr in zip(rules, decided, strict=True)]
        state.flush()
        for rule, verdict in zip(rules, verdicts, strict=True):
            if all(_is_decided(program) for program in bulk.leaves[rule.name]):
                run.take(rule, verdict, None)
            else:
                run.take(rule, verdict.fill_null(bulk.undecided_is_met), verdict.is_null())
        state.flush()
        run.end_by(f"ended {number}")
    state.flush()
    own = {name: nw.col(column) for name, column in names.items() if kept is None or name in kept}
    found = _results(run, state)
    if twice := sorted(found.keys() & own.keys()):
        raise UsageError(f"the contacts have a column {twice[0]!r} already, which is one of the outcome: rename it")
    return engine.closed(state.frame, own | found)


def _parts(bulk: BulkEvaluator) -> Iterator[Sequence[Rule]]:
    for part in bulk.parts:
        for at in range(part.start, part.stop, _AT_ONCE):
            yield [bulk.rules[i] for i in part[at - part.start :][:_AT_ONCE]]


def _is_decided(program: LeafProgram) -> bool:
    return program.compiled is not None and not program.compiled.nullable


def _results(run: Run[nw.Expr], state: _Columns) -> dict[str, nw.Expr]:
    nothing = nw.lit("")
    failures = [nw.when(rows).then(nw.lit(sentence)) for sentence, rows in run.failures]
    found: dict[str, nw.Expr] = {}
    if run.category == "preCall":
        refusals = [*((f"failure: {sentence}", rows) for sentence, rows in run.failures), *run.refusals]
        reasons = [nw.when(rows).then(nw.lit(reason)) for reason, rows in refusals]
        reason = state.keep("first reason", nw.coalesce(*reasons, nothing))
        state.flush()
        found |= {"dial": reason == "", "reason": reason}
    found["failure"] = nw.coalesce(*failures, nothing)
    for name in dict.fromkeys(name for name, _, _ in run.lists):
        changes = [nw.when(rows).then(nw.lit(on)) for other, on, rows in reversed(run.lists) if other == name]
        found[f"list {name}"] = nw.coalesce(*changes, nw.lit(None, dtype=nw.Boolean))
    found |= {f"matched {name}": rows for name, rows in run.matched.items()}
    no = nw.lit(value=False)
    return found | {f"undecided {name}": no if rows is None else rows for name, rows in run.undecided.items()}


class _Conditions:
    """The conditions of rules as expressions over the state that the run has come to."""

    def __init__(self, bulk: BulkEvaluator, state: _Columns) -> None:
        self._bulk = bulk
        self._state = state
        self._seen = bulk.evaluator.semantics.laterRulesSeeUpdates
        self._translator = Translator(
            bulk.evaluator.campaign.contact_list, bulk.view, self._reading, re2=state.engine.re2
        )

    def of(self, rule: Rule) -> Expr:
        """Return the verdict of a rule."""
        return self._bulk.conditions_of(rule, lambda program: self._leaf(rule, program), nw.lit(value=True))

    def _reading(self, name: str, kind: Reading) -> nw.Expr:
        return self._state.reading(name, kind, written=self._seen)

    def _leaf(self, rule: Rule, program: LeafProgram) -> Expr:
        if program.ast is None:
            return nw.lit(None, dtype=nw.Boolean)
        if program.compiled is None:
            self._bulk.by_row[rule.name] = f"by cel-python: {program.fallback}"
        else:
            try:
                return self._translator.verdict(program.ast)
            except Inexpressible as why:
                self._bulk.by_row[rule.name] = str(why)
        try:
            return self._state.decide(program, self._bulk, written=self._seen)
        except Inexpressible as why:
            raise UsageError(f"{self._state.engine.name} cannot run rule {rule.name}: it reads {why}") from None


@dataclass(frozen=True)
class _Write:
    """The rows of a write, and what they hold then: one value, or finite numbers that were counted."""

    rows: nw.Expr
    value: str | float | bool = ""
    counted: nw.Expr | None = None

    def under(self, kind: Reading, zone: str | None) -> nw.Expr:
        if self.counted is None:
            if kind == "blank":
                return nw.lit(values.read_text(self.value) == "")
            return nw.lit(values.read_as(self.value, kind, zone), dtype=READING_TYPES[kind])
        if kind == "text":
            raise Inexpressible("a number that a rule has counted as text")
        if kind == "number":
            return self.counted
        return nw.lit(False if kind == "blank" else None, dtype=READING_TYPES[kind])


class _Columns:
    """The columns of contacts while rules write to them: a frame that grows by what is kept."""

    def __init__(self, frame: nw.LazyFrame[Any], names: Mapping[str, str], zone: str | None, engine: Engine) -> None:
        self.frame = frame
        self.engine = engine
        self._zone = zone
        self._pending: dict[str, nw.Expr] = {}
        schema = frame.collect_schema()
        self._taken = set(schema)
        self._raw = _flat(schema, names)
        self._instants: dict[str, nw.Expr] = {}
        self._writes: dict[str, list[_Write]] = {}
        self._readings: dict[tuple[str, Reading, int], nw.Expr] = {}

    def keep(self, name: str, mask: nw.Expr) -> nw.Expr:
        """Make a column of an expression over columns that are there, with the next :meth:`flush`."""
        kept = self._new(name)
        self._pending[kept] = mask
        return nw.col(kept)

    def _new(self, name: str) -> str:
        kept = self.engine.column(name, self._taken)
        self._taken.add(kept)
        return kept

    def flush(self) -> None:
        """Make the columns that were kept."""
        if self._pending:
            self.frame = self.frame.with_columns(**self._pending)
            self._pending = {}

    def _kept(self, name: str, parts: Mapping[str, nw.Expr]) -> list[str]:
        columns = {self._new(f"{name}: {part}"): expr for part, expr in parts.items()}
        self._pending |= columns
        self.flush()
        return list(columns)

    def reading(self, name: str, kind: Reading, *, written: bool = True) -> nw.Expr:
        """Return a column under a kind, with or without what rules have written."""
        writes = self._writes.get(name, []) if written else []
        known = next((n for n in range(len(writes), -1, -1) if (name, kind, n) in self._readings), None)
        if known is None:
            known = 0
            self._readings[name, kind, 0] = self.keep(f"{name} as {kind}", self._raw_reading(name, kind))
        if known < len(writes):
            read = self._readings[name, kind, known]
            self.flush()
            for write in writes[known:]:
                read = nw.when(write.rows).then(write.under(kind, self._zone)).otherwise(read)
            self._readings[name, kind, len(writes)] = self.keep(f"{name} as {kind}, written {len(writes)}", read)
        return self._readings[name, kind, len(writes)]

    def _raw_reading(self, name: str, kind: Reading) -> nw.Expr:
        if name not in self._raw:
            return nw.lit(True if kind == "blank" else "" if kind == "text" else None, dtype=READING_TYPES[kind])
        raw, form = self._form(name)
        return read_raw(raw, form, kind, self._zone, lambda parts: list(map(nw.col, self._kept(name, parts))))

    def _form(self, name: str) -> tuple[nw.Expr, Form]:
        """Return a column and what it holds."""
        raw, kind = self._raw[name]
        form = form_of(kind)
        if form is None:
            raise UsageError(f"column {name!r} holds {kind}; expected text, numbers, true and false, or times")
        if form == "instant" and name not in self._instants:
            (column,) = self._kept(name, {"instant": raw})
            kept = self._new(f"{name} in microseconds")
            self.frame = self.engine.with_microseconds(self.frame, kept, column)
            micros = nw.col(kept)
            (within,) = self._kept(name, {"instant of the calendar": in_calendar(micros)})
            self._instants[name] = nw.col(within)
        if form == "number" and not isinstance(kind, nw.Float64):
            raw = raw.cast(nw.Float64)
        if form == "local":
            raw = raw.cast(nw.Datetime("us")) if isinstance(kind, nw.Datetime) and kind.time_unit == "ns" else raw
            raw = raw.cast(nw.String).str.replace_all(" ", "T", literal=True)
        return self._instants.get(name, raw), form

    def set(self, name: str, rows: nw.Expr, value: str | float | bool) -> None:
        """Write one value into the given rows."""
        self._writes.setdefault(name, []).append(_Write(rows, value))

    def count(self, name: str, rows: nw.Expr, step: float) -> nw.Expr:
        """Add to the numbers in the given rows, blank ones being 0; return where the column holds no number."""
        blank, read = self.reading(name, "blank"), self.reading(name, "number")
        self.flush()
        number = nw.when(blank).then(nw.lit(0.0)).otherwise(read)
        parts = {"counted": number + step, "no number": number.is_null()}
        counted, unreadable = map(nw.col, self._kept(name, parts))
        finite = nw.when(counted.is_finite()).then(counted)
        self._writes.setdefault(name, []).append(_Write(rows & ~unreadable, counted=finite))
        return unreadable

    def decide(self, program: LeafProgram, bulk: BulkEvaluator, *, written: bool) -> nw.Expr:
        """Return the verdicts of a row function; raises :class:`Inexpressible` where it cannot be run."""
        names = [v.name for v in program.reads if v.source == "contact"]
        if program.every_column:
            names = list(dict.fromkeys([*names, *self._raw]))
        columns: dict[str, tuple[nw.Expr, Form]] = {}
        for name in names:
            if written and name in self._writes:
                columns[name] = self.reading(name, "text"), "text"
            elif name in self._raw:
                columns[name] = self._form(name)
        self.flush()
        function = RowFunction(program, bulk.view, [(name, form) for name, (_, form) in columns.items()])
        if not columns:
            return nw.lit(function(), dtype=nw.Boolean)
        inputs = self._kept("input", {name: expr for name, (expr, _) in columns.items()})
        kept = self._new("verdict of a row function")
        self.frame = self.engine.with_verdicts(self.frame, kept, function, inputs)
        return nw.col(kept)


def _flat(schema: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, tuple[nw.Expr, Any]]:
    """Return the columns by name with their types, those inside of others under their paths."""
    found: dict[str, tuple[nw.Expr, Any]] = {}

    def add(name: str, column: nw.Expr, kind: Any) -> None:
        if isinstance(kind, nw.Struct):
            for part in kind.fields:
                add(f"{name}.{part.name}", column.struct.field(part.name), part.dtype)
        elif name in found:
            raise UsageError(f"the contacts have {name!r} both as a column and as a path: keep one")
        else:
            found[name] = column, kind

    for name, kept in names.items():
        add(name, nw.col(kept), schema[kept])
    return found
