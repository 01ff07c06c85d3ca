"""cel-python, the reference: every other way to evaluate a condition is held against this one.

Expressions run on its InterpretedRunner (its CompiledRunner raises where an attribute is absent). Everything that is
not a boolean, an error value included, is undecided.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dialproof.cel.parse import parse_tree
from dialproof.cel.values import (
    compile_pattern,
    fold,
    from_micros,
    lookup,
    parse_boolean,
    parse_datetime,
    parse_number,
    quotient,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.outcome import Outcome
    from dialproof.view import View

__all__ = ["GETTERS", "activation", "evaluate", "outcome_values"]

GETTERS = (
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds"),
    *("getMinutes", "getMonth", "getSeconds"),
)
"""The methods of instants, which take a time zone or nothing."""


@lru_cache(maxsize=1)
def _environment() -> Any:
    import sys

    import celpy

    from dialproof.cel.runner import Runner

    # An Environment raises the recursion limit of the whole process, which is not ours to change.
    limit = sys.getrecursionlimit()
    try:
        return celpy.Environment(runner_class=Runner)
    finally:
        sys.setrecursionlimit(limit)


_LONGEST = 100_000
"""Characters of a text, or items of a list, that ``+`` makes at most."""


def _functions(zone: str | None) -> dict[str, Any]:
    from celpy import celtypes, evaluation

    from dialproof.cel.runner import TooMuchError

    def error(text: str) -> Any:
        return evaluation.CELEvalError(text)

    def number(text: Any) -> Any:
        value = parse_number(str(text))
        return error("no number") if value is None else celtypes.DoubleType(value)

    def boolean(text: Any) -> Any:
        value = parse_boolean(str(text))
        return error("neither true nor false") if value is None else celtypes.BoolType(value)

    def datetime(text: Any) -> Any:
        value = parse_datetime(str(text), zone)
        return error("no date or time") if value is None else celtypes.TimestampType(from_micros(value))

    def folded(text: Any) -> Any:
        return celtypes.StringType(fold(str(text)))

    def doubled(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            result = function(*arguments)
            return celtypes.DoubleType(result) if isinstance(result, int) else result

        return call

    def logic(operator: str) -> Any:
        base = evaluation.base_functions[operator]

        def call(left: Any, right: Any) -> Any:
            if isinstance(left, celtypes.BoolType) or isinstance(right, celtypes.BoolType):
                return base(left, right)
            # cel-python would write both errors into a new one, and that into the next: its text doubles each time.
            return next((e for e in (left, right) if isinstance(e, evaluation.CELEvalError)), error("no boolean"))

        return call

    def divided(dividend: Any, divisor: Any) -> Any:
        if isinstance(dividend, float) and isinstance(divisor, float):
            return celtypes.DoubleType(quotient(float(dividend), float(divisor)))
        return evaluation.base_functions["_/_"](dividend, divisor)

    def added(left: Any, right: Any) -> Any:
        if isinstance(left, (str, list)) and isinstance(right, (str, list)) and len(left) + len(right) > _LONGEST:
            raise TooMuchError
        return evaluation.base_functions["_+_"](left, right)

    def matched(text: Any, pattern: Any) -> Any:
        try:
            return celtypes.BoolType(compile_pattern(pattern).search(text) is not None)
        except ValueError:
            return error("no regular expression")

    def string(value: Any) -> Any:
        if isinstance(value, celtypes.BoolType):
            return celtypes.StringType(read_text(bool(value)))
        return celtypes.StringType(read_text(float(value)) if isinstance(value, float) else value)

    functions: dict[str, Any] = {
        "number": number,
        "boolean": boolean,
        "datetime": datetime,
        "fold": folded,
        "matches": matched,
        "string": string,
        "_/_": divided,
        "_+_": added,
        "_&&_": logic("_&&_"),
        "_||_": logic("_||_"),
    }
    # Every number is a double here, so what the standard library makes or counts in integers is one as well.
    for name in ("int", "uint", "size", *GETTERS):
        if name in evaluation.base_functions:
            functions[name] = doubled(evaluation.base_functions[name])
    return functions


@lru_cache(maxsize=4096)
def _program(text: str, zone: str | None) -> Any:
    return _environment().program(parse_tree(text), functions=_functions(zone))


def evaluate(text: str, values: Mapping[str, Any], zone: str | None) -> bool | None:
    """Return the verdict of an expression: True, False, or None where cel-python gives an error or no boolean."""
    from celpy import celtypes
    from celpy.evaluation import CELEvalError, CELSyntaxError, CELUnsupportedError

    from dialproof.cel.runner import TooMuchError

    try:
        result = _program(text, zone).evaluate(values)
    except (CELEvalError, CELSyntaxError, CELUnsupportedError, TooMuchError):
        return None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):  # cel-python lets these through
        return None
    return bool(result) if isinstance(result, (bool, celtypes.BoolType)) else None


def activation(view: View) -> dict[str, Any]:
    """Return the values of ``contact``, ``text``, ``context`` and ``now`` in cel-python's types."""
    from celpy import celtypes

    contact: dict[str, Any] = {}
    text: dict[str, Any] = {}
    for name, kind in view.readings():
        raw = lookup(view.contact, name)
        text[name] = celtypes.StringType(read_text(raw))
        value = _typed(view.read_as(raw, kind), kind) if kind else _natural(raw)
        if value is not None:
            _place(contact, name, value)
    context: dict[str, Any] = {}
    for name, kind in view.context_readings():
        raw = view.context_value(name)
        text[f"context.{name}"] = celtypes.StringType(read_text(raw))
        value = _typed(view.read_as(raw, kind), kind)
        if value is not None:
            _place(context, name, value)
    return {
        "contact": celtypes.MapType(_map(contact)),
        "text": celtypes.MapType({celtypes.StringType(k): v for k, v in text.items()}),
        "context": celtypes.MapType(_map(context)),
        "now": celtypes.TimestampType(from_micros(view.now)),
    }


def outcome_values(view: View, outcome: Outcome) -> Any:
    """Return ``outcome`` in cel-python's types: dial, matched, undecided, lists, and contact read as contacts are."""
    from celpy import celtypes
    from celpy.adapter import json_to_cel

    fields: dict[str, Any] = {
        "matched": list(outcome.matched),
        "undecided": list(outcome.undecided),
        "lists": dict(outcome.lists),
    }
    if outcome.dial is not None:
        fields["dial"] = outcome.dial
    values: Any = json_to_cel(fields)
    values[celtypes.StringType("contact")] = activation(view.written(outcome.contact))["contact"]
    return values


def _typed(value: Any, kind: str) -> Any:
    from celpy import celtypes

    if value is None:
        return None
    if kind == "text":
        return celtypes.StringType(value)
    if kind == "number":
        return celtypes.DoubleType(value)
    if kind == "boolean":
        return celtypes.BoolType(value)
    return celtypes.TimestampType(from_micros(value))


def _natural(raw: object) -> Any:
    """Return a value whose type no contact list declares: numbers as doubles, blank ones absent."""
    from celpy import celtypes

    if isinstance(raw, bool):
        return celtypes.BoolType(raw)
    if isinstance(raw, (int, float)):
        return celtypes.DoubleType(raw)
    return celtypes.StringType(raw) if isinstance(raw, str) else None


def _place(target: dict[str, Any], name: str, value: Any) -> None:
    """Put a value under its whole name and, where nothing else stands in the way, under its path."""
    target[name] = value
    *parents, last = name.split(".")
    inner: Any = target
    for part in parents:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            return
    inner.setdefault(last, value)


def _map(values: dict[str, Any]) -> Any:
    from celpy import celtypes

    return celtypes.MapType({celtypes.StringType(k): _map(v) if isinstance(v, dict) else v for k, v in values.items()})
