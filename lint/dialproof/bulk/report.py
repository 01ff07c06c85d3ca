"""What a backtest tells, as text and as JSON; as Markdown and as a table beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.bulk.slowest import CONTACTS
from dialproof.cel.values import read_text
from dialproof.output.report import count, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dialproof.bulk.recheck import Recheck
    from dialproof.bulk.slowest import Cost
    from dialproof.bulk.statements import StatementTally
    from dialproof.bulk.tally import Changes, Example, Tally

__all__ = ["Report", "as_json", "as_text", "contacts", "most", "outcome_text", "share"]


@dataclass(frozen=True)
class Report:
    """Everything that is told: ``top`` combinations of rules, and what is shown of the changes is in themselves.

    ``unreadable`` counts by column the cells that are neither blank nor of its type; ``left_out`` the bad rows.
    ``held`` says for whom statements hold, where there were any; ``costs`` what the slowest conditions cost.
    """

    campaign: str
    files: Sequence[str]
    tally: Tally
    recheck: Recheck
    changes: Changes | None
    against: str
    left_out: int
    unreadable: Mapping[str, int]
    top: int
    held: StatementTally | None = None
    costs: Sequence[Cost] = ()


def as_json(report: Report) -> str:
    """Return the report as one JSON document."""
    tally = report.tally
    combinations = tally.combinations
    document: dict[str, Any] = {
        "campaign": report.campaign,
        "clock": tally.bulk.clock or None,
        "category": tally.bulk.category,
        "engine": tally.bulk.engine,
        "files": list(report.files),
        "contacts": tally.contacts,
        "left_out": report.left_out,
        "unreadable_cells": dict(report.unreadable),
        "dialed": tally.dialed if tally.bulk.category == "preCall" else None,
        "undecided": tally.undecided,
        "not_dialed_first_reason": dict(most(tally.reasons)),
        "rules": [
            {
                "name": name,
                "matched": counts.matched,
                "matched_first": counts.first,
                "undecided": counts.undecided,
                "undecided_example": _example(counts.undecided_example),
                "actions": {text: n for (rule, text), n in tally.actions.items() if rule == name},
            }
            for name, counts in tally.rules.items()
        ],
        "lists": {name: {"on": on, "off": off} for name, (on, off) in sorted(tally.lists.items())},
        "combinations": [{"rules": list(rules), "contacts": n} for rules, n in most(combinations)[: report.top]],
        "distinct_combinations": len(combinations),
        "contacts_of_further_combinations": tally.other,
        "no_rule": {"contacts": tally.unmatched, "example": _example(tally.unmatched_example)},
        "conflicts": [
            {
                "rules": list(pair),
                "declared": conflict.declared,
                "contacts": conflict.contacts,
                "example": _example(conflict.example),
            }
            for pair, conflict in tally.conflicts.items()
        ],
        "broken_runs": dict(most(tally.failures)),
        "rules_by_row": dict(tally.bulk.by_row),
        "all_by_row": tally.bulk.whole_by_row,
        "slowest_conditions": [
            {
                "condition": cost.condition,
                "rules": list(cost.rules),
                "nanoseconds_a_contact": round(cost.seconds * 1e9, 1),
                "by_row": cost.by_row,
            }
            for cost in report.costs
        ],
        "rechecked": {
            "seed": report.recheck.seed,
            "sampled": report.recheck.sampled,
            "on_boundaries": report.recheck.on_boundaries,
            "wrong": [{"path": path, "row": row} for path, row in report.recheck.wrong],
        },
    }
    if report.changes is not None:
        changes = report.changes
        document["changes"] = {
            "against": report.against,
            "contacts": changes.contacts,
            "come_to_be_dialed": changes.more,
            "cease_to_be_dialed": changes.fewer,
            "kinds": [
                {
                    "before": {"dial": change.before[0], "actions": list(change.before[1])},
                    "after": {"dial": change.after[0], "actions": list(change.after[1])},
                    "contacts": n,
                    "examples": [_example(one) for one in changes.samples[change]],
                }
                for change, n in most(changes.changes)
            ],
        }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_text(report: Report) -> str:
    """Return the report for people."""
    return "".join(f"{printable(line)}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    tally, total = report.tally, report.tally.contacts
    columns = tally.bulk.evaluator.campaign.contact_list.columns
    yield f"{report.campaign}: {contacts(total)} of {count(len(report.files), 'file')}"
    if report.left_out:
        yield f"{count(report.left_out, 'bad row')} left out"
    for name, n in report.unreadable.items():
        yield f"column {name} holds no {columns[name].type} for {share(n, total)}"
    if tally.bulk.category == "preCall":
        yield f"dialed      {share(tally.dialed, total)}"
        yield f"not dialed  {share(total - tally.dialed, total)}"
        yield from (f"  first because of {reason}: {share(n, total)}" for reason, n in most(tally.reasons))
    if tally.undecided:
        yield f"undecided   {share(tally.undecided, total)}, for one rule or more"
    yield ""
    width = max((len(name) for name in tally.rules), default=4)
    yield f"{'rule':<{width}}  {'matched':>11}  {'first':>11}  {'undecided':>11}"
    for name, counts in tally.rules.items():
        yield f"{name:<{width}}  {counts.matched:>11,}  {counts.first:>11,}  {counts.undecided:>11,}"
    yield ""
    yield "actions (how often each was done)"
    done: dict[str, int] = {}
    for (_, text), n in tally.actions.items():
        done[text] = done.get(text, 0) + n
    yield from (f"  {n:>11,}  {text}" for text, n in most(done))
    if tally.lists:
        yield "lists"
        yield from (
            f"  {on:>11,}  on {name}" + (f", {off:,} off" if off else "")
            for name, (on, off) in sorted(tally.lists.items())
        )
    combinations = tally.combinations
    yield f"combinations of rules ({len(combinations):,} there are)"
    for rules, n in most(combinations)[: report.top]:
        yield f"  {n:>11,}  {', '.join(rules) or '(none)'}"
    if tally.other:
        yield f"  {tally.other:>11,}  in further combinations"
    yield f"no rule matches {share(tally.unmatched, total)}"
    yield from _shown("    for example", tally.unmatched_example)
    for rule in tally.bulk.rules:
        counts = tally.rules[rule.name]
        if counts.undecided:
            yield f"{rule.name} cannot be decided for {share(counts.undecided, total)}"
            yield from _shown("    for example", counts.undecided_example, tally.bulk.read_of(rule))
    yield f"{count(len(tally.conflicts), 'pair')} of rules contradict each other on a contact" + (
        "" if not tally.conflicts else ":"
    )
    for pair, conflict in tally.conflicts.items():
        declared = ", declared by overrides" if conflict.declared else ""
        yield f"  {' and '.join(pair)}: {share(conflict.contacts, total)}{declared}"
        yield from _shown("    for example", conflict.example)
    for failure, n in most(tally.failures):
        yield f"the run of {contacts(n)} breaks: {failure}"
    if report.changes is not None:
        yield ""
        yield from _changes(report.changes, report.against, total)
    yield ""
    if report.costs:
        yield f"slowest conditions (processor time of each alone, columns read anew, on at most {CONTACTS:,} contacts)"
        yield from (f"  {1e9 * cost.seconds:>11,.1f} ns a contact  {_cost(cost)}" for cost in report.costs)
        yield ""
    if tally.bulk.engine != "Polars":
        yield f"run by {tally.bulk.engine}"
    if tally.bulk.whole_by_row:
        yield f"run contact by contact, not by columns: {tally.bulk.whole_by_row}"
    for name, why in tally.bulk.by_row.items():
        yield f"{name} is decided contact by contact, not by columns: {why}"
    if tally.bulk.clock:
        yield f"conditions read the clock, which stands at {tally.bulk.clock}: --now and --time-zone set it"
    recheck = report.recheck
    yield (
        f"checked by cel-python: {count(recheck.sampled, 'contact')} drawn with seed {recheck.seed}, "
        f"{recheck.on_boundaries} on boundaries of conditions; "
        + (
            f"{count(len(recheck.wrong), 'contact')} with another outcome, which is a defect"
            if recheck.wrong
            else "all agree"
        )
    )
    yield from (f"  {path}: row {row}" for path, row in recheck.wrong[:20])


def _changes(changes: Changes, against: str, total: int) -> Iterator[str]:
    yield f"against {against}: the outcome of {share(changes.contacts, total)} changes"
    if changes.new.category == "preCall":
        yield f"  {changes.more:,} come to be dialed, {changes.fewer:,} cease to be"
    for change, n in most(changes.changes):
        yield f"  {n:>11,}  {outcome_text(change.before)}"
        yield f"  {'':>8}->  {outcome_text(change.after)}"
        for one in changes.samples[change]:
            yield from _shown("      for example", one)


def outcome_text(outcome: tuple[bool | None, tuple[str, ...]]) -> str:
    """Return what becomes of a contact: dialed or not, and the actions in order."""
    dial, actions = outcome
    dialing = [] if dial is None else ["dialed" if dial else "not dialed"]
    return "; ".join([*dialing, *actions]) or "(no action)"


def _shown(lead: str, example: Example | None, asked: Collection[str] = ()) -> Iterator[str]:
    """Yield a contact without its blank columns, but for those that are asked for."""
    if example is not None:
        about = f" ({example.id})" if example.id else ""
        texts = {name: read_text(value) for name, value in example.contact.items()}
        values = ", ".join(f"{k}={text or '(blank)'}" for k, text in texts.items() if text or k in asked)
        yield f"{lead}: {example.path}, row {example.row}{about}: {values or 'all blank'}"


def _example(example: Example | None) -> dict[str, object] | None:
    if example is None:
        return None
    shown: dict[str, object] = {"path": example.path, "row": example.row, "contact": dict(example.contact)}
    return {**shown, "id": example.id} if example.id else shown


def _cost(cost: Cost) -> str:
    by_row = f" (contact by contact: {cost.by_row})" if cost.by_row else ""
    return f"{' '.join(cost.condition.split())}: {', '.join(cost.rules)}{by_row}"


def contacts(n: int) -> str:
    """Return ``1 contact`` or ``4,119 contacts``."""
    return "1 contact" if n == 1 else f"{n:,} contacts"


def share(n: int, total: int) -> str:
    """Return a number of contacts and which part of all of them it is: ``334 (8.1 %)``."""
    return f"{n:,} ({100 * n / total:.1f} %)" if total else f"{n:,}"


def most(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """Return what is counted, most often first; what is counted equally often by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
