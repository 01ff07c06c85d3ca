"""Other engines of CEL, contact by contact: the Rust binding and Google's C++ one, with rules written for them by hand.

They are no part of this project and are run where they are installed (``pip install --group bench``). Each has to
come to the counts of the columns.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dialproof.bulk.columns import contacts_of
from tests.benchmarks.by_hand import in_cel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from dialproof.bulk.run import BulkEvaluator

    Row = dict[str, object]
    Contact = dict[str, Any]
    Timer = Callable[[Sequence[Callable[[], object]], int], list[float]]

CONTACTS = 2_000


def cel_engines(
    in_turn: Timer, rounds: int, frame: pl.DataFrame, rules: Sequence[Mapping[str, Any]], bulk: BulkEvaluator
) -> list[Row]:
    """Time one rule on one contact."""
    some = frame.head(CONTACTS)
    counts = [int(column.sum()) for column in bulk.run(some).matched.values()]
    contacts = [_nested(contact) for contact in contacts_of(some)]
    rows: list[Row] = []
    for name, prepare in (("common-expression-language (Rust)", _rust), ("cel-expr-python (C++)", _cpp)):
        try:
            run = prepare(in_cel(rules), contacts)
        except ImportError:
            print(f"{name} is not installed: not run", file=sys.stderr)
            continue
        if run() != counts:
            raise SystemExit(f"the columns and {name} do not agree")
        a, b = in_turn([lambda: bulk.run(frame), run], rounds)
        ours, other = a / frame.height / len(rules), b / len(contacts) / len(rules)
        rows.append({"what": f"columns / {name}", "ours": ours, "other": other, "ratio": ours / other})
    return rows


def _nested(contact: Mapping[str, Any]) -> Contact:
    """Return a contact as CEL reads it: absent instead of null, mappings instead of paths."""
    found: Contact = {}
    for name, value in contact.items():
        if value is None:
            continue
        head, _, rest = name.partition(".")
        if rest:
            found.setdefault(head, {})[rest] = value
        else:
            found[name] = value
    return found


def _rust(texts: Sequence[str], contacts: Sequence[Contact]) -> Callable[[], list[int]]:
    import cel

    programs = [cel.compile(text) for text in texts]

    def holds(program: Any, context: Any) -> bool:
        try:
            return program.execute(context) is True
        except Exception:  # noqa: BLE001  (an absent column is an error there, of several types)
            return False

    def run() -> list[int]:
        counts = [0] * len(programs)
        for contact in contacts:
            context = cel.Context(variables={"contact": contact})
            for i, program in enumerate(programs):
                counts[i] += holds(program, context)
        return counts

    return run


def _cpp(texts: Sequence[str], contacts: Sequence[Contact]) -> Callable[[], list[int]]:
    from cel_expr_python import cel

    environment = cel.NewEnv(variables={"contact": cel.Type.Map(cel.Type.STRING, cel.Type.DYN)})
    programs = [environment.compile(text) for text in texts]

    def run() -> list[int]:
        counts = [0] * len(programs)
        for contact in contacts:
            activation = environment.Activation({"contact": contact})
            for i, program in enumerate(programs):
                counts[i] += program.eval(activation).value() is True  # an error has a text as its value
        return counts

    return run
