"""Contacts that are run again by cel-python: a seeded sample, and those that lie on the boundaries of conditions."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.bulk.columns import Columns, contacts_of
from dialproof.cel.values import parse_datetime, parse_number
from dialproof.evaluate import Evaluator
from dialproof.model.contactlist import VALUE_TYPES
from dialproof.model.rules import Condition, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.bulk import read
    from dialproof.bulk.run import Batch, BulkEvaluator
    from dialproof.cel.values import Kind
    from dialproof.outcome import Outcome

__all__ = ["Recheck", "Rechecked"]

_A_BATCH = 25
_BOUNDARIES = 100


@dataclass(frozen=True)
class Rechecked:
    """A contact of a batch, by its row there, with its outcome by the reference."""

    row: int
    contact: Mapping[str, object]
    outcome: Outcome


class Recheck:
    """Runs some contacts of each batch by the reference and compares the outcomes with those of the columns.

    ``sampled`` and ``on_boundaries`` count them; ``wrong`` are the places, file and row, where the two disagree.
    """

    def __init__(self, bulk: BulkEvaluator, *, count: int, seed: int) -> None:
        self._bulk = bulk
        self._reference = Evaluator(bulk.evaluator.campaign, bulk.evaluator.semantics, reference=True)
        self._left = count
        self._random = random.Random(seed)  # noqa: S311  (a sample, no secret)
        self.seed = seed
        self.sampled = 0
        self.on_boundaries = 0
        self.wrong: list[tuple[str, int]] = []

    def check(self, batch: read.Batch, columns: Columns, outcomes: Batch) -> list[Rechecked]:
        """Check some of a batch, more of the first batches than of later ones; return those."""
        height = outcomes.height
        if not height or not self._left:
            return []
        wanted = min(height, self._left, max(_A_BATCH, self._left // 2))
        sample = self._random.sample(range(height), wanted)
        self._left -= wanted
        edges = [] if self.on_boundaries else list(dict.fromkeys(self._boundaries(columns)))[:_BOUNDARIES]
        self.sampled += wanted
        self.on_boundaries += len(set(edges) - set(sample))
        rows = list(dict.fromkeys([*sample, *edges]))
        checked = []
        for row, contact in zip(rows, contacts_of(batch.frame[rows]), strict=True):
            outcome = self._reference.run(
                contact, category=self._bulk.category, now=self._bulk.now, time_zone=self._bulk.time_zone
            )
            checked.append(Rechecked(row, contact, outcome))
            lists = {name: True for name, column in outcomes.on.items() if column[row]}
            lists |= {name: False for name, column in outcomes.off.items() if column[row]}
            same = (
                outcome.matched == tuple(name for name, column in outcomes.matched.items() if column[row])
                and outcome.undecided == tuple(name for name, column in outcomes.undecided.items() if column[row])
                and outcome.dial == (None if outcomes.dial is None else outcomes.dial[row])
                and dict(outcome.lists) == lists
                and outcome.failure == outcomes.failed.get(row)
            )
            if not same:
                self.wrong.append((batch.path, int(batch.rows[row])))
        return checked

    def _boundaries(self, columns: Columns) -> Iterator[int]:
        """Yield the rows nearest to the constants of conditions, and one where each column is unreadable."""
        contact_list = self._bulk.evaluator.campaign.contact_list.columns
        for leaf in dict.fromkeys(leaf for rule in self._bulk.rules for leaf in leaves(rule.conditions)):
            if not isinstance(leaf, Condition) or leaf.source != "contact":
                continue
            column = contact_list.get(leaf.subject)
            kind = leaf.type or ("string" if column is None else VALUE_TYPES[column.type])
            for value in leaf.value if isinstance(leaf.value, tuple) else (leaf.value,):
                number = parse_number(value) if isinstance(value, str) else value
                moment = parse_datetime(value, columns.zone) if isinstance(value, str) else None
                if kind == "number" and isinstance(number, (int, float)):
                    yield from _nearest(columns, leaf.subject, "number", number)
                elif kind == "datetime" and moment is not None:
                    yield from _nearest(columns, leaf.subject, "timestamp", moment)
                elif kind == "string" and isinstance(value, str):
                    rows = columns.reading(leaf.subject, "text") == value
                    yield from rows.arg_true().head(1)


def _nearest(columns: Columns, name: str, kind: Kind, value: float) -> Iterator[int]:
    readings = columns.reading(name, kind)
    row = (readings - value).abs().arg_min()
    if row is not None:
        yield row
    if readings.null_count():
        yield from readings.is_null().arg_true().head(1)
