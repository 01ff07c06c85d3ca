"""What is counted over batches of outcomes: per rule, action, list and combination of rules, with examples."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from operator import add, or_
from typing import TYPE_CHECKING

import polars as pl

from dialproof.bulk.columns import contacts_of, everywhere
from dialproof.cel.values import read_text
from dialproof.model.actions import contradicts
from dialproof.output.masking import MASK, mask_contact, personal_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.bulk import read
    from dialproof.bulk.run import Batch, BulkEvaluator
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Action

__all__ = ["Changes", "Example", "Tally", "action_text"]

COMBINATIONS = 100_000
"""So many combinations of rules are told apart at most; further ones are counted together."""

_WORD = 63


@dataclass(frozen=True)
class Example:
    """A contact: file, number of its row, id (or "") and what rules read of it, personal values masked."""

    path: str
    row: int
    id: str
    contact: Mapping[str, object]


class Examples:
    """Returns contacts of a batch as they may be shown: the columns that rules read, or that are declared.

    What is personal in one of the contact lists is masked.
    """

    def __init__(self, lists: Sequence[ContactList], read: frozenset[str] | None, id_column: str | None) -> None:
        self._personal = frozenset().union(*map(personal_columns, lists))
        self._shown = frozenset(name for one in lists for name in one.columns) if read is None else read
        self._id = id_column

    def of(self, batch: read.Batch, row: int) -> Example:
        """Return the contact in a row of the batch."""
        return self.of_rows(batch, [row])[0]

    def of_rows(self, batch: read.Batch, rows: Sequence[int]) -> list[Example]:
        """Return the contacts in some rows of the batch."""
        contacts = contacts_of(batch.frame[rows]) if rows else []
        return [self._example(batch, row, contact) for row, contact in zip(rows, contacts, strict=True)]

    def _example(self, batch: read.Batch, row: int, contact: Mapping[str, object]) -> Example:
        name = "" if self._id is None else read_text(contact.get(self._id))
        shown = {k: _plain(v) for k, v in contact.items() if k in self._shown}
        return Example(
            batch.path,
            int(batch.rows[row]),
            MASK if name and self._id in self._personal else name,
            mask_contact(shown, self._personal),
        )


def _plain(value: object) -> object:
    """Return a value that JSON can hold."""
    return value if not isinstance(value, float) or math.isfinite(value) else read_text(value)


@dataclass
class RuleCounts:
    """How many contacts a rule matched, was the first to match, and could not be decided for."""

    matched: int = 0
    first: int = 0
    undecided: int = 0
    undecided_example: Example | None = None


@dataclass
class Conflict:
    """Two rules that acted on one contact and contradict each other; ``declared`` where the later one ``overrides``."""

    declared: bool
    contacts: int = 0
    example: Example | None = None


@dataclass
class Tally:
    """The counts of one campaign over all its contacts.

    ``actions`` counts the contacts that each action of a rule, as text, was done to; ``lists`` those who end on or off
    each list; ``undecided`` those for whom any rule was. ``combinations`` counts contacts by the rules that matched
    them, in order; ``other`` are those beyond :data:`COMBINATIONS`. ``failures`` counts the sentences of runs that
    broke.
    """

    bulk: BulkEvaluator
    examples: Examples
    contacts: int = 0
    dialed: int = 0
    undecided: int = 0
    rules: dict[str, RuleCounts] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)
    lists: dict[str, tuple[int, int]] = field(default_factory=dict)
    other: int = 0
    unmatched: int = 0
    unmatched_example: Example | None = None
    conflicts: dict[tuple[str, str], Conflict] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rules = {rule.name: RuleCounts() for rule in self.bulk.rules}
        self._codes: Counter[tuple[int, ...]] = Counter()  # the words of each combination
        self._opposed = _opposed(self.bulk)
        self._declared = {(one, rule.name) for rule in self.bulk.rules for one in rule.overrides}
        personal = personal_columns(self.bulk.evaluator.campaign.contact_list)
        self._texts = {
            r.name: list(dict.fromkeys(action_text(a, personal) for a in r.actions)) for r in self.bulk.rules
        }

    @property
    def combinations(self) -> Counter[tuple[str, ...]]:
        """How many contacts each combination of rules matched."""
        names = list(self.rules)
        return Counter({names_of(codes, names): count for codes, count in self._codes.items()})

    def add(self, batch: read.Batch, outcomes: Batch) -> None:
        """Count the outcomes of a batch."""
        wanted: list[tuple[object, str, int]] = []  # who wants which row as an example, and where it keeps it
        self.contacts += outcomes.height
        if outcomes.dial is not None:
            self.dialed += int(outcomes.dial.sum())
        self.reasons.update({reason: n for reason, rows in outcomes.reasons.items() if (n := int(rows.sum()))})
        self.failures.update(outcomes.failed.values())
        unsure = [rows for rows in outcomes.undecided.values() if rows.any()]
        self.undecided += int(reduce(or_, unsure).sum()) if unsure else 0
        whole = _without(outcomes)
        taken = everywhere(outcomes.height, False)
        for name, matched in outcomes.matched.items():
            counts, undecided = self.rules[name], outcomes.undecided[name]
            n = int(matched.sum())
            counts.matched += n
            if n:
                counts.first += int((matched & ~taken).sum())
                taken = taken | matched
                done = n if whole is None else int((matched & whole).sum())
                self.actions.update({(name, text): done for text in self._texts[name] if done})
            if undecided.any():
                counts.undecided += int(undecided.sum())
                if counts.undecided_example is None:
                    wanted.append((counts, "undecided_example", _first(undecided)))
        if not taken.all():
            self.unmatched += outcomes.height - int(taken.sum())
            if self.unmatched_example is None:
                wanted.append((self, "unmatched_example", _first(~taken)))
        for name in {*outcomes.on, *outcomes.off}:
            on, off = self.lists.get(name, (0, 0))
            more = (int(side[name].sum()) if name in side else 0 for side in (outcomes.on, outcomes.off))
            self.lists[name] = on + next(more), off + next(more)
        wanted += self._add_conflicts(outcomes, whole)
        self._add_combinations(outcomes)
        examples = self.examples.of_rows(batch, [row for _, _, row in wanted])
        for (holder, name, _), example in zip(wanted, examples, strict=True):
            setattr(holder, name, example)

    def _add_conflicts(self, outcomes: Batch, whole: pl.Series | None) -> Iterator[tuple[object, str, int]]:
        acting = {name for name, matched in outcomes.matched.items() if matched.any()}
        for one, other in self._opposed:
            if one not in acting or other not in acting:
                continue
            both = outcomes.matched[one] & outcomes.matched[other]
            both = both if whole is None else both & whole
            if both.any():
                conflict = self.conflicts.setdefault((one, other), Conflict((one, other) in self._declared))
                conflict.contacts += int(both.sum())
                if conflict.example is None:
                    yield conflict, "example", _first(both)

    def _add_combinations(self, outcomes: Batch) -> None:
        for *words, count in pl.DataFrame(matched_words(outcomes)).group_by(pl.all()).len().iter_rows():
            codes = tuple(words)
            if codes in self._codes or len(self._codes) < COMBINATIONS:
                self._codes[codes] += count
            else:
                self.other += count


@dataclass(frozen=True)
class Change:
    """What becomes of an outcome: dialed or not and the actions, in order, before and after."""

    before: tuple[bool | None, tuple[str, ...]]
    after: tuple[bool | None, tuple[str, ...]]


@dataclass
class Changes:
    """The contacts whose outcome differs between old and new rules, by what becomes of it.

    ``more`` come to be dialed, ``fewer`` cease to be. ``ids`` holds their ids where a column was named.
    """

    old: BulkEvaluator
    new: BulkEvaluator
    examples: Examples
    shown: int = 3
    changes: Counter[Change] = field(default_factory=Counter)
    samples: dict[Change, list[Example]] = field(default_factory=dict)
    more: int = 0
    fewer: int = 0

    def __post_init__(self) -> None:
        personal = personal_columns(self.new.evaluator.campaign.contact_list) | personal_columns(
            self.old.evaluator.campaign.contact_list
        )
        self._texts = [
            {r.name: tuple(action_text(a, personal) for a in r.actions) for r in bulk.rules}
            for bulk in (self.old, self.new)
        ]

    @property
    def contacts(self) -> int:
        """How many contacts change."""
        return self.changes.total()

    def add(self, batch: read.Batch, old: Batch, new: Batch) -> pl.Series:
        """Count a batch under both; return the rows that change."""
        if old.dial is not None and new.dial is not None:
            self.more += int((~old.dial & new.dial).sum())
            self.fewer += int((old.dial & ~new.dial).sum())
        before, after = _outcome_words(old), _outcome_words(new)
        frame = pl.DataFrame(
            [c.alias(f"b{i}") for i, c in enumerate(before)] + [c.alias(f"a{i}") for i, c in enumerate(after)]
        )
        names = [list(old.matched), list(new.matched)]
        keys = frame.columns
        groups = frame.with_row_index("row").group_by(keys).agg(pl.len(), pl.col("row").head(self.shown).alias("rows"))
        changed = []
        for group in groups.sort(pl.col("rows").list.first()).iter_rows(named=True):
            codes = [group[k] for k in keys]
            change = Change(
                self._outcome(0, codes[: len(before)], names[0], old.dial is None),
                self._outcome(1, codes[len(before) :], names[1], new.dial is None),
            )
            if change.before == change.after:
                continue
            changed.append({k: group[k] for k in keys})
            self.changes[change] += group["len"]
            known = self.samples.setdefault(change, [])
            known += [self.examples.of(batch, row) for row in group["rows"][: self.shown - len(known)]]
        if not changed:
            return pl.Series([], dtype=pl.UInt32)
        marked = frame.with_row_index("row").join(pl.DataFrame(changed, schema=frame.schema), on=keys, how="semi")
        return marked["row"].sort()

    def _outcome(
        self, which: int, codes: Sequence[int], names: Sequence[str], wrap_up: bool
    ) -> tuple[bool | None, tuple[str, ...]]:
        *words, flags = codes
        actions = tuple(text for name in names_of(words, names) for text in self._texts[which][name])
        return None if wrap_up else bool(flags & 1), actions if not flags & 2 else (*actions, "(its run breaks)")


def action_text(action: Action, personal: frozenset[str]) -> str:
    """Return an action in words: its type, then its fields, personal values masked."""
    hidden = action.fields.get("attribute") in personal
    fields = {k: MASK if hidden and k == "value" else v for k, v in action.fields.items()}
    if action.type == "setList":
        return f"setList {fields['listId']}" if fields.get("value") != "false" else f"setList {fields['listId']}=false"
    if action.type == "setAttribute":
        option = fields.get("option", "SET")
        value = "" if fields.get("value") is None else read_text(fields["value"])
        named = fields["attribute"]
        return f"setAttribute {named}={value}" if option == "SET" else f"setAttribute {option} {named} {value}".rstrip()
    return " ".join([action.type, *(f"{k}={_field(v)}" for k, v in fields.items() if v is not None)])


def _field(value: object) -> str:
    return "|".join(map(read_text, value)) if isinstance(value, tuple) else read_text(value) or str(value)


def matched_words(outcomes: Batch) -> list[pl.Series]:
    """Return which rules matched as whole numbers, a bit a rule."""
    columns = list(outcomes.matched.values())
    kind = pl.UInt32 if len(columns) <= 32 else pl.UInt64  # the fewer bytes, the sooner they are grouped
    none = pl.Series("w0", [0], dtype=kind).new_from_index(0, outcomes.height)
    words = [none] if not columns else []
    for start in range(0, len(columns), _WORD):
        frame = pl.DataFrame([c.alias(str(i)) for i, c in enumerate(columns[start : start + _WORD]) if c.any()])
        octets: dict[int, list[pl.Expr]] = {}  # most of the work is done on single bytes
        for name in frame.columns:
            bit = pl.when(pl.col(name)).then(pl.lit(2 ** (int(name) % 8), pl.UInt8)).otherwise(pl.lit(0, pl.UInt8))
            octets.setdefault(int(name) // 8, []).append(bit)
        bits = [reduce(add, parts).cast(kind) * 256**octet for octet, parts in octets.items()]
        words.append((frame.select(word=reduce(add, bits))["word"] if bits else none).alias(f"w{start}"))
    return words


def names_of(words: Sequence[int], names: Sequence[str]) -> tuple[str, ...]:
    """Return the rules of a combination, in order."""
    return tuple(name for i, name in enumerate(names) if words[i // _WORD] >> (i % _WORD) & 1)


def _outcome_words(outcomes: Batch) -> list[pl.Series]:
    flags = pl.Series([0], dtype=pl.UInt64).new_from_index(0, outcomes.height)
    if outcomes.dial is not None:
        flags = outcomes.dial.cast(pl.UInt64)
    if outcomes.failed:
        flags = flags.scatter(list(outcomes.failed), 2)
    return [*matched_words(outcomes), flags]


def _without(outcomes: Batch) -> pl.Series | None:
    """Return the contacts whose run did not break, None where none did."""
    if not outcomes.failed:
        return None
    return everywhere(outcomes.height, True).scatter(list(outcomes.failed), False)


def _opposed(bulk: BulkEvaluator) -> list[tuple[str, str]]:
    rules = bulk.rules
    return [
        (one.name, other.name)
        for i, other in enumerate(rules)
        for one in rules[:i]
        if any(contradicts(a, b) for a in one.actions for b in other.actions)
    ]


def _first(rows: pl.Series) -> int:
    found = rows.arg_max()
    assert found is not None
    return found
