"""Which conditions cost most: each is decided alone, on contacts of the run, with reading its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING

from dialproof.checks.wording import Wording
from dialproof.model.rules import leaves

if TYPE_CHECKING:
    import polars as pl

    from dialproof.bulk.run import BulkEvaluator
    from dialproof.model.rules import Condition, Rule, When

__all__ = ["CONTACTS", "Cost", "slowest"]

CONTACTS = 100_000
"""A condition is measured on so many contacts at most."""

_FIRST = 1000
_LONG = 0.02


@dataclass(frozen=True)
class Cost:
    """A condition in words, the rules that share it, what it costs, and why it is not decided by columns, or "".

    ``seconds`` are those of processors for one contact.
    """

    condition: str
    rules: tuple[str, ...]
    seconds: float
    by_row: str


def slowest(bulk: BulkEvaluator, frame: pl.DataFrame, top: int) -> list[Cost]:
    """Return what the ``top`` slowest conditions cost on some contacts (more than none), the slowest first."""
    wording = Wording(bulk.evaluator.campaign.contact_list)
    found: dict[Condition | When, list[Rule]] = {}
    for rule in bulk.rules:
        for leaf in dict.fromkeys(leaves(rule.conditions)):
            found.setdefault(leaf, []).append(rule)
    costs = []
    for leaf, rules in found.items():
        alone = replace(rules[0], conditions=(leaf,), actions=())
        part = type(bulk)(bulk.evaluator.of([alone]), category=bulk.category, now=bulk.now, time_zone=bulk.time_zone)
        costs.append(
            Cost(
                wording.condition(leaf, bulk.evaluator.leaf(leaf)),
                tuple(rule.name for rule in rules),
                _seconds(part, frame),
                part.by_row.get(alone.name, ""),
            )
        )
    return sorted(costs, key=lambda cost: -cost.seconds)[:top]


def _seconds(bulk: BulkEvaluator, frame: pl.DataFrame) -> float:
    """Return the time of processors for a contact: on few where it is long, else on many, without what is done once."""
    seconds = 0.0
    for number in (_FIRST, CONTACTS):
        contacts = frame.head(number)
        begun = process_time()
        bulk.run(contacts)
        seconds = process_time() - begun
        if seconds > _LONG:
            break
    return seconds / contacts.height
