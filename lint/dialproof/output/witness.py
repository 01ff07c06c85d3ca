"""A witness as lines of text: the contact as a table, and what the run made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING

from dialproof.output.masking import MASK
from dialproof.output.report import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.findings import Witness
    from dialproof.outcome import Outcome

__all__ = ["flat", "outcome_text", "value_text", "witness_lines"]


def witness_lines(witness: Witness) -> list[str]:
    """Return a witness, already masked, as lines without indentation."""
    rows = [*flat(witness.contact), *((f"context {name}", value) for name, value in flat(witness.context))]
    if witness.now:
        rows.append(("now", witness.now))
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"{printable(name):<{width}}  {_row_text(name, value)}" for name, value in rows]
    outcomes = [(witness.labels[0], witness.outcome)]
    if witness.other is not None:
        outcomes.append((witness.labels[1], witness.other))
    width = max(len(label) for label, _ in outcomes)
    lines.extend(f"{printable(label):<{width}}  {outcome_text(o, witness.contact)}" for label, o in outcomes)
    return lines


_PLAIN = (str, float, int, bool, NoneType)  # asked first: whether something is a mapping takes far longer


def flat(contact: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield (dotted name, value) of a contact or context, in its order."""
    for key, value in contact.items():
        if not isinstance(value, _PLAIN) and isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def value_text(value: object) -> str:
    """Return a value as it would be written in a contacts file: text in quotes, blank as such, numbers short."""
    if value is None:
        return "(blank)"
    if value == MASK:
        return MASK
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return printable(json.dumps(value, ensure_ascii=False, default=str))


def _row_text(name: str, value: object) -> str:
    return str(value) if name == "now" else value_text(value)


def outcome_text(outcome: Outcome, before: Mapping[str, object]) -> str:
    """Return an outcome on one line: rules, dial, lists, undecided rules, and the columns that were changed."""
    if outcome.failure is not None:
        return f"could not be evaluated: {printable(outcome.failure)}"
    parts = [f"matched {', '.join(outcome.matched)}" if outcome.matched else "no rule matched"]
    if outcome.dial is not None:
        parts.append("dial" if outcome.dial else f"no dial ({outcome.reason})" if outcome.reason else "no dial")
    parts.extend(f"list {name} = {'true' if member else 'false'}" for name, member in outcome.lists.items())
    parts.extend(
        f"{acted.action.type} by {acted.rule}"
        for acted in outcome.acted
        if acted.action.type not in ("setList", "doNotDial", "setAttribute")
    )
    was = dict(flat(before))
    parts.extend(f"{name} = {value_text(value)}" for name, value in flat(outcome.contact) if was.get(name) != value)
    if outcome.undecided:
        parts.append(f"undecided {', '.join(outcome.undecided)}")
    return printable("; ".join(parts))
