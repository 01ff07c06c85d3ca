"""The process in which z3 runs: one line of JSON in, one out. It is a script and imports nothing of dialproof.

In: ``text`` (SMT-LIB) and ``rlimit``. Out: ``answer`` (sat, unsat or unknown), ``spent`` (units of the limit) and,
where it is sat, ``model``: the value of each constant (a fraction is rounded to a double).
"""

from __future__ import annotations

import json
import re
import struct
import sys
from typing import Any

_MEGABYTES = 2_000


def main() -> None:
    """Answer questions until there are no more."""
    import z3

    z3.set_param("memory_max_size", _MEGABYTES)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            reply = _answer(z3, question["text"], question["rlimit"])
        except (z3.Z3Exception, ValueError, ArithmeticError) as error:
            reply = {"answer": "unknown", "spent": question["rlimit"], "model": {}, "why": str(error)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


def _answer(z3: Any, text: str, rlimit: int) -> dict[str, object]:
    context = z3.Context()  # a fresh one, so that no question depends on those before it
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", rlimit)
    solver.from_string(text)
    found = str(solver.check())
    statistics = solver.statistics()
    spent = statistics.get_key_value("rlimit count") if "rlimit count" in statistics.keys() else rlimit  # noqa: SIM118
    model: dict[str, object] = {}
    if found == "sat":
        values = solver.model()
        model = {d.name(): _plain(z3, values[d]) for d in values.decls() if d.arity() == 0}
    return {"answer": found, "spent": spent, "model": model}


def _plain(z3: Any, value: Any) -> object:
    if z3.is_bool(value):
        return bool(z3.is_true(value))
    if z3.is_int_value(value):
        return value.as_long()
    if z3.is_rational_value(value):
        return value.numerator_as_long() / value.denominator_as_long()
    if z3.is_string_value(value):
        return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda m: chr(int(m[1], 16)), value.as_string())
    if z3.is_fp(value):
        bits = z3.simplify(z3.fpToIEEEBV(value, ctx=value.ctx)).as_long()
        return struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    raise ValueError(f"no plain value: {value}")


if __name__ == "__main__":
    main()
