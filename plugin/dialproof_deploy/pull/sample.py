"""A masked sample of contacts as a ``*.contacts.yaml`` file: what the rules do with them today, without who they are.

Only columns that a rule reads are written. A value stays only if at least ``SHARED`` of the contacts that were looked
at have it, so that it tells nobody apart; any other becomes a placeholder, and a phone number a made-up one. What the
rules come to is computed on the masked contact, so that the file passes as it is. Contacts with another outcome than
those before come first.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Any

from dialproof.evaluate import Evaluator
from dialproof.model.rules import Condition, leaves
from dialproof.output.masking import personal_columns
from dialproof.source.yaml_text import block, comment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.config import Semantics
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

__all__ = ["MOST_BYTES", "SHARED", "rows_of", "sample_file"]

SHARED = 3
"""Contacts that must have a value for it to be written."""
MOST_BYTES = 2 * 2**20
"""How much of an export is looked at."""


def rows_of(exported: bytes) -> list[dict[str, str]]:
    """Return the whole rows of the beginning of an export, by column."""
    text = exported.decode("utf-8-sig", "replace")
    if len(exported) >= MOST_BYTES:
        text = text[: text.rfind("\n") + 1]  # the last row may be cut
    reader = csv.DictReader(io.StringIO(text, newline=""))
    return [{k: v or "" for k, v in row.items() if isinstance(k, str)} for row in reader]


def sample_file(
    campaign: Campaign, semantics: Semantics, rows: Sequence[Mapping[str, str]], number: int, *, rules: str, now: str
) -> str:
    """Return the text of a file with up to ``number`` cases; ``rules`` is the name of the rules file.

    Raises ``ValueError`` where there is no contact.
    """
    evaluator = Evaluator(campaign, semantics)
    read = [name for name in campaign.contact_list.columns if name in _read_by(campaign)]
    kept = {name: _shared(rows, campaign.contact_list.columns[name].remote or name) for name in read}
    first: dict[object, dict[str, object]] = {}
    others: list[dict[str, object]] = []
    for index, row in enumerate(rows, 1):
        contact = _masked(row, index, campaign, kept)
        outcome = evaluator.run(contact, now=now)
        if outcome.failure is not None:
            continue
        case = _case(contact, outcome)
        shown = (*outcome.matched, "/", *outcome.undecided, outcome.dial)
        if shown not in first:
            first[shown] = case
        elif len(others) < number:
            others.append(case)
    cases = [*first.values(), *others][:number]
    if not cases:
        raise ValueError("no contact in it can be run")
    named = [{"name": f"contact {n}: {_title(case)}", **case} for n, case in enumerate(cases, 1)]
    note = (
        "A sample of contacts, masked, with what the rules come to today. Values that fewer than "
        f"{SHARED} contacts have are placeholders, phone numbers are made up."
    )
    lines = [*comment(note), *block({"rules": rules, "now": now, "cases": named}, 4)]
    return "".join(f"{line}\n" for line in lines)


def _read_by(campaign: Campaign) -> frozenset[str]:
    conditions = (leaf for rule in campaign.rules for leaf in leaves(rule.conditions))
    return frozenset(c.subject for c in conditions if isinstance(c, Condition) and c.source == "contact")


def _shared(rows: Sequence[Mapping[str, str]], column: str) -> frozenset[str]:
    counted = Counter(row.get(column, "") for row in rows)
    return frozenset(value for value, count in counted.items() if count >= SHARED)


def _masked(
    row: Mapping[str, str], index: int, campaign: Campaign, kept: Mapping[str, frozenset[str]]
) -> dict[str, object]:
    """Return what may be known of a contact, by our names of the columns; blank values stay blank."""
    contact: dict[str, object] = {}
    personal = personal_columns(campaign.contact_list)
    for name, values in kept.items():
        column = campaign.contact_list.columns[name]
        value = row.get(column.remote or name, "")
        if not value:
            continue
        if column.phone:
            contact[name] = f"+1555{index:07d}"
        elif value in values and name not in personal:
            contact[name] = value
        elif column.type == "string":
            contact[name] = f"masked {index}"
    return contact


def _case(contact: Mapping[str, object], outcome: Outcome) -> dict[str, object]:
    expect: dict[str, Any] = {"matched": list(outcome.matched), "dial": outcome.dial}
    if outcome.undecided:
        expect["undecided"] = list(outcome.undecided)
    return {"contact": dict(contact), "expect": expect}


def _title(case: Mapping[str, Any]) -> str:
    return "dialed" if case["expect"]["dial"] else "not dialed"
