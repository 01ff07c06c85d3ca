"""How many contacts of files gain and lose each thing: a backtest of both campaigns, told aspect by aspect."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from dialproof.analysis.aspects import DIAL, touching, values_of
from dialproof.bulk.backtest import Options, backtest
from dialproof.diff.campaigns import Count
from dialproof.errors import DialproofError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from dialproof.analysis.aspects import Aspect, Thing
    from dialproof.analysis.comparison import Comparison
    from dialproof.bulk.read import OnBadRow
    from dialproof.bulk.run import Batch
    from dialproof.diff.campaigns import CampaignDiff
    from dialproof.model.rules import Rule

__all__ = ["count_contacts"]


def count_contacts(
    diff: CampaignDiff,
    comparisons: Sequence[Comparison],
    files: Mapping[str, Path],
    *,
    on_bad_row: OnBadRow,
    blank_columns: bool,
) -> None:
    """Count the contacts of files, by the names that messages show; raises :class:`InputError` for unreadable ones.

    Raises :class:`DialproofError` where cel-python comes to another outcome: a defect.
    """
    for comparison in comparisons:
        old, new = (runs.analysis.evaluator for runs in (comparison.old, comparison.new))
        counting = _Counting(comparison)
        options = Options(category=comparison.new.category, on_bad_row=on_bad_row, blank_columns=blank_columns)
        report = backtest(new, files, options, old=old, watch=counting.add)
        if report.recheck.wrong:
            path, row = report.recheck.wrong[0]
            raise DialproofError(f"{path}: row {row}: cel-python comes to another outcome; report it please")
        diff.counts.update(counting.counts)
        diff.counted, diff.left_out = report.tally.contacts, report.left_out


class _Counting:
    """Counts batch by batch."""

    def __init__(self, comparison: Comparison) -> None:
        self._aspects = comparison.aspects
        self._sides = tuple((runs.rules, touching(runs.rules)) for runs in (comparison.old, comparison.new))
        self.counts: dict[Aspect, Count] = dict.fromkeys(self._aspects, Count(0, 0))

    def add(self, old: Batch, new: Batch) -> None:
        """Count a batch under both rules."""
        for aspect in self._aspects:
            was = self._values(aspect, aspect.old, old, *self._sides[0])
            now = self._values(aspect, aspect.thing, new, *self._sides[1])
            known = self.counts[aspect]
            self.counts[aspect] = Count(known.gained + _more(now, was), known.lost + _more(was, now))

    @staticmethod
    def _values(
        aspect: Aspect, thing: Thing, batch: Batch, rules: Sequence[Rule], touched: Mapping[Thing, Sequence[int]]
    ) -> dict[Hashable, pl.Series]:
        """Return for each value of an aspect the contacts of the batch whose run comes to it."""
        if thing == DIAL:
            return {} if batch.dial is None else {True: batch.dial}
        acting = [(rules[i], batch.matched[rules[i].name]) for i in touched.get(thing, ())]
        values = values_of(thing, acting, _Columns())
        if not batch.failed:
            return aspect.among(values)
        broken = list(batch.failed)
        return {value: there.clone().scatter(broken, False) for value, there in aspect.among(values).items()}


class _Columns:
    """Statements about the contacts of a batch: a boolean for each (see :class:`dialproof.analysis.aspects.Logic`)."""

    @staticmethod
    def every(statements: Iterable[pl.Series]) -> pl.Series:
        return reduce(and_, statements)

    @staticmethod
    def some(statements: Iterable[pl.Series]) -> pl.Series:
        return reduce(or_, statements)

    @staticmethod
    def negated(statement: pl.Series) -> pl.Series:
        return ~statement

    @staticmethod
    def never(statement: pl.Series) -> bool:
        return not statement.any()


def _more(one: Mapping[Hashable, pl.Series], other: Mapping[Hashable, pl.Series]) -> int:
    """Return how many contacts have a value on one side that they have not on the other."""
    return sum(int((there & ~other[v]).sum() if v in other else there.sum()) for v, there in one.items())
