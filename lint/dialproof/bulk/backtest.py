"""A backtest: contacts are read batch by batch, run under new and old rules, counted and checked."""

from __future__ import annotations

import sys
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO, TypeAlias

import polars as pl

from dialproof.bulk.columns import Columns, is_readable
from dialproof.bulk.read import OnBadRow, Problems, Wanted, ahead, batches_of, steps_of
from dialproof.bulk.recheck import Recheck
from dialproof.bulk.report import Report
from dialproof.bulk.run import BulkEvaluator
from dialproof.bulk.slowest import CONTACTS, slowest
from dialproof.bulk.statements import StatementTally
from dialproof.bulk.tally import Changes, Examples, Tally
from dialproof.cel.variables import COLUMN_KINDS
from dialproof.errors import InputError, UsageError
from dialproof.output.masking import personal_columns
from dialproof.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from dialproof.bulk import read
    from dialproof.bulk.columns import Raw
    from dialproof.bulk.run import Batch as Outcomes
    from dialproof.cel.values import Kind
    from dialproof.evaluate import Evaluator
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Category
    from dialproof.populations import Statements

__all__ = ["EngineName", "Options", "backtest", "wanted_of"]

EngineName: TypeAlias = Literal["polars", "duckdb"]

_DECIMAL_COMMA = r"^ *[+-]?[0-9][0-9. ]*,[0-9]+ *$"


@dataclass(frozen=True)
class Options:
    """How a backtest is run: see ``dialproof backtest --help``; ``allow_...`` is how messages call an option."""

    category: Category = "preCall"
    now: str | None = None
    time_zone: str | None = None
    id_column: str | None = None
    ids: Path | None = None
    on_bad_row: OnBadRow = "fail"
    blank_columns: bool = False
    top: int = 10
    check: int = 100
    seed: int = 0
    slowest: int = 0
    allow_blank: str = "--missing-columns blank"
    allow_bad_rows: str = "--on-bad-row skip, or report"
    engine: EngineName = "polars"


def backtest(
    new: Evaluator,
    files: Mapping[str, Path],
    options: Options,
    *,
    old: Evaluator | None = None,
    against: str = "",
    statements: Statements | None = None,
    watch: Callable[[Outcomes, Outcomes], None] | None = None,
) -> Report:
    """Run the contacts of files (by the names that messages use) through rules, and through old rules beside them.

    ``statements`` are held against each contact; ``watch`` is told of each batch of outcomes under old and new rules.

    Raises :class:`InputError` for contacts that cannot be read, :class:`UsageError` for an id column that is personal
    where ids are written.
    """
    run_by = _evaluators(options.engine)
    bulks = [
        run_by(evaluator, category=options.category, now=options.now, time_zone=options.time_zone)
        for evaluator in ([new] if old is None else [new, old])
    ]
    columns = new.campaign.contact_list
    lists = [bulk.evaluator.campaign.contact_list for bulk in bulks]
    personal = frozenset().union(*map(personal_columns, lists))
    if options.ids is not None and options.id_column in personal:
        raise UsageError(f"column {options.id_column!r} is personal (pii): name another --id, or leave --ids out")
    problems = Problems(
        options.on_bad_row, lambda line: print(f"dialproof: {line}", file=sys.stderr), allow=options.allow_bad_rows
    )
    wanted = wanted_of(bulks, columns, options, statements)
    examples = Examples(lists, _read(bulks, statements), options.id_column)
    tally = Tally(bulks[0], examples)
    changes = None if old is None else Changes(bulks[1], bulks[0], examples)
    recheck = Recheck(bulks[0], count=options.check, seed=options.seed)
    held = None if statements is None else StatementTally(statements, bulks[0], examples)
    unreadable: Counter[str] = Counter()
    some: pl.DataFrame | None = None

    with ExitStack() as stack:
        ids = None if options.ids is None else stack.enter_context(_written(options.ids))
        step = stack.enter_context(progress(steps_of(files.values())))
        for path, file in files.items():
            batches = ahead(batches_of(path, file, wanted, problems))
            for good, (outcomes, *before) in _run(bulks, batches, columns):
                step(path)
                good.say(problems)
                unreadable.update(good.unreadable)
                batch, contacts = good.batch, good.contacts
                tally.add(batch, outcomes)
                checked = recheck.check(batch, contacts, outcomes)
                if held is not None:
                    held.add(batch, contacts, outcomes, checked)
                if options.slowest and some is None and batch.frame.height:
                    some = batch.frame.head(CONTACTS)
                if changes is not None:
                    if watch is not None:
                        watch(before[0], outcomes)
                    rows = changes.add(batch, before[0], outcomes)
                    if ids is not None and options.id_column is not None:
                        ids.writelines(f"{name}\n" for name in contacts.reading(options.id_column, "text").gather(rows))
    if not tally.contacts and not problems.count:
        raise InputError(f"{', '.join(files)}: expected at least one contact, found none")
    return Report(
        new.campaign.id,
        list(files),
        tally,
        recheck,
        changes,
        against,
        problems.count,
        {name: cells for name, cells in unreadable.items() if cells},
        options.top,
        held,
        [] if some is None else slowest(bulks[0], some, options.slowest),
    )


def _run(
    bulks: Sequence[BulkEvaluator], batches: Iterable[read.Batch], columns: ContactList
) -> Iterator[tuple[_Good, list[Outcomes]]]:
    """Yield batches with their outcomes under each set of rules, in order, while the next ones are being run."""

    def run(batch: read.Batch) -> tuple[_Good, list[Outcomes]]:
        good = _good(batch, columns, bulks[0].time_zone)
        return good, [bulk.run(good.contacts) for bulk in bulks]

    threads = min(bulk.threads for bulk in bulks)
    at_once = 1 if threads == 1 else threads + 1  # beside several that are run, one that the next free thread takes
    running: deque[Future[tuple[_Good, list[Outcomes]]]] = deque()
    failure: InputError | None = None
    with ThreadPoolExecutor(threads) as pool:
        try:
            for batch in batches:
                running.append(pool.submit(run, batch))
                if len(running) == at_once:
                    yield running.popleft().result()
        except InputError as error:  # what is wrong with the rows before is said first
            failure = error
        for done in running:
            yield done.result()
    if failure is not None:
        raise failure


def _evaluators(engine: EngineName) -> type[BulkEvaluator]:
    if engine == "polars":
        return BulkEvaluator
    from dialproof.bulk.in_duckdb import DuckDBEvaluator

    return DuckDBEvaluator


def _written(file: Path) -> TextIO:
    try:
        return file.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from error


def _read(bulks: Sequence[BulkEvaluator], statements: Statements | None) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for reads in [bulk.reads for bulk in bulks] + ([] if statements is None else [statements.reads]):
        if reads is None:
            return None
        found |= reads
    return found


def wanted_of(
    bulks: Sequence[BulkEvaluator], columns: ContactList, options: Options, statements: Statements | None = None
) -> Wanted:
    """Return what runs read of each file."""
    read = _read(bulks, statements)
    needed = {} if statements is None else dict.fromkeys(statements.named, "what is expected of each contact")
    needed |= {n: f"rule {rule}" for b in reversed(bulks) for n, rule in b.read_by.items()}
    if options.blank_columns:
        needed = {}
    if options.id_column is not None:
        needed[options.id_column] = "--id"
        read = None if read is None else read | {options.id_column}
    plain = personal_columns(columns) | ({options.id_column} if options.id_column else set())
    return Wanted(read, needed, plain, options.allow_blank)


class _Good(NamedTuple):
    """The contacts of a batch that can be run; the rows that were left out; how many cells of a column are unreadable.

    ``bad`` says by its place in ``given`` what is wrong with a row.
    """

    given: read.Batch
    batch: read.Batch
    contacts: Columns
    bad: Mapping[int, str]
    unreadable: Mapping[str, int]

    def say(self, problems: Problems) -> None:
        """Report what was left out."""
        for row in sorted(self.bad):
            problems.add(self.given.path, int(self.given.rows[row]), None, self.bad[row])
        problems.check()


@lru_cache(maxsize=64)  # they are the same in most batches
def _are_readable(values: tuple[Raw, ...], kind: Kind, zone: str | None) -> bool:
    """Tell whether all values of a text column are blank, or can be read under a kind."""
    return all(is_readable(value, kind, zone) for value in values)


def _good(batch: read.Batch, columns: ContactList, zone: str | None) -> _Good:
    """Return the contacts without those that have a number with a decimal comma; count cells that cannot be read."""
    contacts = Columns(batch.frame, zone)
    bad: dict[int, str] = {}
    unreadable: dict[str, int] = {}
    for name, column in columns.columns.items():
        kind = COLUMN_KINDS[column.type]
        if (
            kind == "text"
            or name not in batch.frame.columns
            or not isinstance(batch.frame[name].dtype, (pl.String, pl.Enum))
        ):
            continue
        coded = contacts.coded(name)
        if coded is not None and _are_readable(coded.values, kind, zone):
            continue
        readings = contacts.reading(name, kind)
        if not readings.null_count():
            continue
        missing = readings.is_null().arg_true()
        cells = batch.frame[name].gather(missing).cast(pl.String)
        filled = cells.fill_null("") != ""
        if not filled.any():
            continue
        unreadable[name] = int(filled.sum())
        if kind == "number":
            comma = cells.str.contains(_DECIMAL_COMMA).fill_null(value=False)
            for row in missing.filter(comma):
                bad.setdefault(row, f"column {name!r} holds a number with a decimal comma; expected a decimal point")
            unreadable[name] -= int(comma.sum())
    if not bad:
        return _Good(batch, batch, contacts, bad, unreadable)
    kept = ~pl.int_range(batch.frame.height, eager=True).is_in(list(bad))
    good = replace(batch, frame=batch.frame.filter(kept), rows=batch.rows.filter(kept))
    return _Good(batch, good, Columns(good.frame, zone), bad, unreadable)
