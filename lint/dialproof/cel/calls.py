"""The calls of an expression: whether there is such a function, and whether it takes so many values."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dialproof.cel.ast import Call, Node, Select, children
from dialproof.cel.reference import GETTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FUNCTIONS", "call_problems"]

FUNCTIONS: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("bool", "bytes", "double", "duration", "dyn", "has", "int", "list", "map", "null_type"), (1,)),
    **dict.fromkeys(("size", "string", "timestamp", "type", "uint"), (1,)),
    **dict.fromkeys(("boolean", "datetime", "fold", "number"), (1,)),
    **dict.fromkeys(("contains", "startsWith", "endsWith", "matches"), (2,)),
    **dict.fromkeys(GETTERS, (1, 2)),
}
"""Every function and method of cel-python, and ours -> how many values it takes, the one before its point included."""


def call_problems(node: Node) -> Iterator[tuple[Call, str]]:
    """Yield what is wrong with the form of each call, those inside of macros too."""
    pending = [node]
    while pending:
        one = pending.pop()
        pending.extend(reversed(children(one)))
        if isinstance(one, Call) and one.function.isidentifier() and one.function not in ("in", "neg"):
            message = _has_problem(one) if one.function == "has" else _problem(one)
            if message:
                yield one, message


def _has_problem(call: Call) -> str:
    fits = call.target is None and len(call.arguments) == 1 and isinstance(call.arguments[0], Select)
    return "" if fits else "has() takes a column such as contact.attempts"


def _problem(call: Call) -> str:
    name, method = call.function, call.target is not None
    if name not in FUNCTIONS:
        near = get_close_matches(name, sorted(FUNCTIONS), 1)
        hint = f"did you mean {near[0]}()?" if near else "expected one of CEL, or number, boolean, datetime, fold"
        return f"there is no function {name}(); {hint}"
    counts = FUNCTIONS[name]
    if len(call.arguments) + method in counts:
        return ""
    wanted = " or ".join(str(count - method) for count in counts)
    return f"{name}() takes {wanted} in its brackets here, found {len(call.arguments)}"
