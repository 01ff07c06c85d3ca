"""Syntax trees to Python: types are checked and the text of a Python expression is made in one pass.

A compiled expression is a Python expression over *slots* (local variables), each holding one reading of one variable:
text (never None), number, boolean or instant (None where blank or unreadable). None stands for CEL's error value, so
``&&`` and ``||`` follow strong Kleene logic. What cannot be expressed so (maps, macros, values of unknown type) raises
:class:`Fallback` and is left to cel-python.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from dialproof.cel.ast import Call, Conditional, Identifier, Index, ListLiteral, Node, Select, children
from dialproof.cel.ast import Literal as LiteralNode
from dialproof.cel.calls import call_problems
from dialproof.cel.reference import GETTERS
from dialproof.cel.values import Variable, compile_pattern, parse_datetime, parse_duration
from dialproof.cel.variables import COLUMN_TYPES, KINDS, Slot, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dialproof.cel.values import Kind
    from dialproof.cel.variables import Type
    from dialproof.model.contactlist import ContactList

__all__ = [
    "READERS",
    "Compiled",
    "Compiler",
    "Fallback",
    "TypeProblem",
    "kleene",
]

_METHODS = {"contains": "{1} in {0}", "startsWith": "{0}.startswith({1})", "endsWith": "{0}.endswith({1})"}
READERS: Mapping[str, Type] = {"number": "number", "boolean": "boolean", "datetime": "timestamp"}
"""Function that reads its argument under another type -> that type."""
_NAMES = {"string": "a text", "number": "a number", "boolean": "true or false", "timestamp": "a date or time"}
_VARIABLES = "contact, text, context, now"


class Fallback(Exception):  # noqa: N818  (not an error: a request to use cel-python)
    """The expression is valid as far as is known, but only cel-python evaluates it; the text says what it holds."""


@dataclass(frozen=True, slots=True)
class TypeProblem:
    """A place of the expression (offsets of characters) that does not type-check."""

    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A Python expression, its type, and whether it may be None (CEL's error)."""

    code: str
    type: Type
    nullable: bool
    item: Type = "unknown"


class _Stop(Exception):  # noqa: N818  (ends the walk, no error of ours)
    """A part does not type-check; its problem is recorded already."""


@dataclass
class Compiler:
    """Compiles the expressions of one campaign; slots and constants are shared by all of them.

    ``invariant`` makes ``outcome`` known. ``constants`` are names to be bound in the globals of the compiled code.
    """

    columns: ContactList
    invariant: bool = False
    slots: dict[Slot, str] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)
    _temporaries: int = 0

    def compile(self, node: Node) -> tuple[Compiled | None, tuple[TypeProblem, ...], str]:
        """Return (the boolean expression or None, type problems, why it is None although there is no problem)."""
        problems = [TypeProblem(call.start, call.end, message) for call, message in call_problems(node)]
        try:
            result = self._expression(node, problems)
        except _Stop:
            return None, tuple(problems), ""
        except Fallback as why:
            return None, tuple(problems), "" if problems else str(why)
        if result.type != "boolean":
            found = _NAMES.get(result.type, f"a {result.type}")
            problems.append(TypeProblem(node.start, node.end, f"expected true or false as the result, found {found}"))
            return None, tuple(problems), ""
        return (None if problems else result), tuple(problems), ""

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    def _slot(self, variable: Variable, kind: Kind) -> str:
        return self.slots.setdefault(Slot(variable, kind), f"s{len(self.slots)}")

    def _constant(self, value: object) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def _stop(self, problems: list[TypeProblem], node: Node, message: str) -> _Stop:
        problems.append(TypeProblem(node.start, node.end, message))
        return _Stop()

    def _each(self, nodes: Iterable[Node], problems: list[TypeProblem], wanted: Type | None = None) -> list[Compiled]:
        """Compile several parts, so that the problems of all of them are found at once."""
        results: list[Compiled] = []
        why: _Stop | Fallback | None = None
        for node in nodes:
            try:
                compiled = self._typed(node, wanted, problems) if wanted else self._expression(node, problems)
                results.append(compiled)
            except _Stop as stop:
                why = stop
            except Fallback as fallback:
                why = why or fallback
        if why is not None:
            raise why
        return results

    def _expression(self, node: Node, problems: list[TypeProblem]) -> Compiled:
        if isinstance(node, LiteralNode):
            return self._literal(node)
        if isinstance(node, (Identifier, Select, Index)):
            return self._variable(node, problems)
        if isinstance(node, Conditional):
            return self._conditional(node, problems)
        if isinstance(node, ListLiteral):
            return self._list(node, problems)
        if isinstance(node, Call):
            return self._call(node, problems)
        raise Fallback(node.what)

    def _literal(self, node: LiteralNode) -> Compiled:
        value = node.value
        if isinstance(value, bool):
            return Compiled(repr(value), "boolean", nullable=False)
        if isinstance(value, float):
            return Compiled(repr(value), "number", nullable=False)
        if isinstance(value, str):
            return Compiled(repr(value), "string", nullable=False)
        raise Fallback("null" if value is None else "a bytes literal")

    def _variable(self, node: Identifier | Select | Index, problems: list[TypeProblem]) -> Compiled:
        variable, kind = resolve(node, self.columns)
        if kind == "outcome":
            if not self.invariant:
                raise self._stop(problems, node, "outcome is known to invariants alone: a rule is part of it")
            return self._outcome(node, variable.name if variable else "", problems)
        if variable is None:
            if isinstance(node, Index) and isinstance(node.operand, ListLiteral):
                raise Fallback("an index into a list")
            root: Node = node
            while isinstance(root, (Select, Index)):
                root = root.operand
            if isinstance(root, Identifier) and root.name not in ("contact", "text", "context", "now", "outcome"):
                raise self._stop(problems, root, f"unknown name {root.name!r}; {self._known(root.name)}")
            raise Fallback("a value that is no column")
        if kind == "undeclared":
            if not self.columns.declared:
                raise Fallback(f"column {variable.name!r}, whose type no contact list declares")
            raise self._stop(problems, node, f"column {variable.name!r} is not in {self.columns.path}")
        if kind == "no context":
            raise self._stop(problems, node, f"unknown context field {variable.name!r}")
        column_type: Type = kind  # type: ignore[assignment]
        name = self._slot(variable, KINDS[column_type])
        return Compiled(name, column_type, nullable=column_type != "string" and variable.source != "now")

    def _known(self, name: str) -> str:
        if self.invariant and name in ("dial", "matched", "undecided", "lists"):
            return f"did you mean outcome.{name}?"
        return f"there are {_VARIABLES}{', outcome' if self.invariant else ''}"

    def _outcome(self, node: Node, name: str, problems: list[TypeProblem]) -> Compiled:
        variable = Variable("context", f"outcome.{name}")
        head, _, rest = name.partition(".")
        if head not in ("", "dial", "matched", "undecided", "lists", "contact"):
            there_is = "there are dial, matched, undecided, lists and contact"
            raise self._stop(problems, node, f"outcome has no {head}; {there_is}")
        if name == "dial":
            return Compiled(self._slot(variable, "dial"), "boolean", nullable=True)
        if name in ("matched", "undecided", "lists"):
            return Compiled(self._slot(variable, name), "list", nullable=False, item="string")  # type: ignore[arg-type]
        if head == "lists":
            return Compiled(self._slot(variable, "member"), "boolean", nullable=True)
        column = self.columns.columns.get(rest) if head == "contact" else None
        if column is not None:
            kind = COLUMN_TYPES[column.type]
            return Compiled(self._slot(variable, KINDS[kind]), kind, nullable=kind != "string")
        if head == "contact" and rest and self.columns.declared:
            raise self._stop(problems, node, f"column {rest!r} is not in {self.columns.path}")
        raise Fallback(f"outcome.{name}" if name else "outcome")

    def _conditional(self, node: Conditional, problems: list[TypeProblem]) -> Compiled:
        test, then, otherwise = self._each((node.test, node.then, node.otherwise), problems)
        if test.type != "boolean":
            raise self._mistyped(node.test, "boolean", test, problems)
        if then.type != otherwise.type:
            raise self._stop(problems, node, f"both results must have one type, found {then.type}, {otherwise.type}")
        code = f"({then.code} if {test.code} else {otherwise.code})"
        if test.nullable:
            name = self._temporary()
            code = f"(None if ({name} := {test.code}) is None else {then.code} if {name} else {otherwise.code})"
        return Compiled(code, then.type, test.nullable or then.nullable or otherwise.nullable, then.item)

    def _list(self, node: ListLiteral, problems: list[TypeProblem]) -> Compiled:
        items = self._each(node.items, problems)
        types = {item.type for item in items}
        if len(types) > 1:
            raise self._stop(problems, node, f"a list holds values of one type, found {', '.join(sorted(types))}")
        template = "(" + "".join(f"{{{i}}}, " for i in range(len(items))) + ")"
        return replace(self._apply(template, items, "list"), item=items[0].type if items else "unknown")

    def _typed(self, node: Node, wanted: Type, problems: list[TypeProblem]) -> Compiled:
        result = self._expression(node, problems)
        if result.type != wanted:
            raise self._mistyped(node, wanted, result, problems)
        return result

    def _mistyped(self, node: Node, wanted: Type, result: Compiled, problems: list[TypeProblem]) -> _Stop:
        found, expected = _NAMES.get(result.type, f"a {result.type}"), _NAMES.get(wanted, f"a {wanted}")
        return self._stop(problems, node, f"expected {expected}, found {found}")

    def _call(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        name, arguments = node.function, node.arguments
        if name in ("&&", "||"):
            return self._logic(node, problems)
        if name == "!":
            operand = self._typed(arguments[0], "boolean", problems)
            return self._apply("not {0}", [operand], "boolean")
        if name in ("==", "!=", "<", "<=", ">", ">="):
            return self._comparison(node, problems)
        if name == "in":
            return self._membership(node, problems)
        if name in ("+", "-", "*", "/"):
            return self._arithmetic(node, problems)
        if name == "neg":
            return self._apply("-{0}", [self._typed(arguments[0], "number", problems)], "number")
        if name in _METHODS and node.target is not None and len(arguments) == 1:
            parts = self._each((node.target, arguments[0]), problems, "string")
            return self._apply(_METHODS[name], parts, "boolean")
        if name == "matches" and node.target is not None and len(arguments) == 1:
            return self._matches(node, problems)
        if name == "size" and len(arguments) + (node.target is not None) == 1:
            target = self._expression(node.target if node.target is not None else arguments[0], problems)
            if target.type not in ("string", "list"):
                raise self._stop(problems, node, f"size() counts a text or a list, not a {target.type}")
            return self._apply("float(len({0}))", [target], "number")
        if name == "has":
            return self._has(node, problems)
        if node.target is None and len(arguments) == 1:
            return self._function(node, problems)
        raise self._elsewhere(node, problems)

    def _elsewhere(self, node: Call, problems: list[TypeProblem]) -> _Stop | Fallback:
        """Return why a call is not compiled: only cel-python knows the function, or there is no such operator."""
        name = node.function
        if name == "%":  # of integers alone, and every number is a double
            return self._stop(problems, node, "there is no number % number")
        if name != "dyn":
            self._each(children(node), problems)
        if name in GETTERS and len(node.arguments) == 1:
            self._typed(node.arguments[0], "string", problems)
        return Fallback(f"the function {name}()" if name.isidentifier() else f"the operator {name}")

    def _function(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        name, argument = node.function, node.arguments[0]
        if name == "fold":
            return self._apply("fold({0})", [self._typed(argument, "string", problems)], "string")
        if name == "datetime" and isinstance(argument, LiteralNode):
            # A constant without an offset is local time of the case, so it is read anew for each run's zone.
            text = self._typed(argument, "string", problems)
            if parse_datetime(str(argument.value), None) is None:
                raise self._stop(problems, argument, f"expected a date or time, found {argument.value!r}")
            # In some zones the first and the last day of the calendar lie outside of it.
            zone = self._slot(Variable("now", "zone"), "text")
            return Compiled(f"parse_datetime({text.code}, {zone})", "timestamp", nullable=True)
        if name in READERS:
            operand = self._typed(argument, "string", problems)
            zone = f", {self._slot(Variable('now', 'zone'), 'text')}" if name == "datetime" else ""
            code = f"parse_{name}({operand.code}{zone})"
            if operand.nullable:
                return self._apply(f"parse_{name}({{0}}{zone})", [operand], READERS[name])
            return Compiled(code, READERS[name], nullable=True)
        if name in ("timestamp", "duration"):
            return self._constant_time(node, problems)
        raise self._elsewhere(node, problems)

    def _constant_time(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        argument = node.arguments[0]
        value = argument.value if isinstance(argument, LiteralNode) else None
        if not isinstance(value, str):
            instead = "datetime(...)" if node.function == "timestamp" else 'a literal such as duration("36h")'
            raise self._stop(problems, argument, f"{node.function}() takes a literal text; use {instead}")
        if node.function == "duration":
            span = parse_duration(value)
            if span is None:
                raise self._stop(problems, argument, f'expected a duration such as "36h" or "90s", found {value!r}')
            return Compiled(repr(span), "duration", nullable=False)
        instant = parse_datetime(value, None)
        if instant is None or "T" not in value or not (value.endswith("Z") or value[-6] in "+-"):
            raise self._stop(problems, argument, f'expected a time such as "2026-03-07T10:00:00Z", found {value!r}')
        return Compiled(repr(instant), "timestamp", nullable=False)

    def _has(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        argument = node.arguments[0] if node.arguments else node
        if not isinstance(argument, Select):
            raise _Stop
        column = self._variable(argument, problems)
        if column.type == "string":
            raise self._stop(
                problems,
                argument,
                'a text column is always there, blank as "": compare it with "" instead of has()',
            )
        return Compiled(f"({column.code} is not None)", "boolean", nullable=False)

    def _logic(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        parts = self._each(node.arguments, problems, "boolean")
        names = [self._temporary() if part.nullable and not part.code.isidentifier() else "" for part in parts]
        named = [replace(p, code=f"({n} := {p.code})" if n else p.code) for n, p in zip(names, parts, strict=True)]
        again = [n or p.code for n, p in zip(names, parts, strict=True) if p.nullable]
        return Compiled(*kleene(node.function, [(p.code, p.nullable) for p in named], again))

    def _comparison(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        left, right = self._each(node.arguments, problems)
        if left.type != right.type:
            one, other = _NAMES.get(left.type, f"a {left.type}"), _NAMES.get(right.type, f"a {right.type}")
            raise self._stop(problems, node, f"{node.function} compares values of one type, found {one} and {other}")
        if left.type == "list" or (left.type == "boolean" and node.function not in ("==", "!=")):
            raise Fallback(f"{node.function} between values of type {left.type}")
        return self._apply(f"{{0}} {node.function} {{1}}", [left, right], "boolean")

    def _membership(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        left, right = self._each(node.arguments, problems)
        if right.type != "list":
            raise self._stop(problems, node.arguments[1], "expected a list such as [1, 2] after in")
        if right.item not in (left.type, "unknown"):
            raise self._stop(problems, node, f"the list holds values of type {right.item}, not {left.type}")
        return self._apply("{0} in {1}", [left, right], "boolean")

    def _arithmetic(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        left, right = self._each(node.arguments, problems)
        types = (left.type, node.function, right.type)
        results: Mapping[tuple[str, str, str], Type] = {
            ("number", "+", "number"): "number",
            ("number", "-", "number"): "number",
            ("number", "*", "number"): "number",
            ("number", "/", "number"): "number",
            ("string", "+", "string"): "string",
            ("timestamp", "-", "timestamp"): "duration",
        }
        if types in results:
            template = "quotient({0}, {1})" if node.function == "/" else f"{{0}} {node.function} {{1}}"
            return self._apply(template, [left, right], results[types])
        if "duration" in types or "timestamp" in types or "list" in types:
            raise Fallback(f"{node.function} between {left.type} and {right.type}")
        raise self._stop(problems, node, f"there is no {left.type} {node.function} {right.type}")

    def _matches(self, node: Call, problems: list[TypeProblem]) -> Compiled:
        assert node.target is not None
        target = self._typed(node.target, "string", problems)
        pattern = node.arguments[0]
        if not isinstance(pattern, LiteralNode) or not isinstance(pattern.value, str):
            raise Fallback("matches() with a pattern that is no literal")
        try:
            compiled = compile_pattern(pattern.value)
        except ValueError:
            raise self._stop(problems, pattern, f"{pattern.value!r} is no regular expression of RE2") from None
        return self._apply(f"({self._constant(compiled.search)}({{0}}) is not None)", [target], "boolean")

    def _apply(self, template: str, parts: list[Compiled], result: Type) -> Compiled:
        """Fill a template whose value is None as soon as one of its parts is."""
        tests, codes = [], []
        for part in parts:
            if not part.nullable:
                codes.append(part.code)
            elif part.code.isidentifier():
                tests.append(f"{part.code} is None")
                codes.append(part.code)
            else:
                name = self._temporary()
                tests.append(f"({name} := {part.code}) is None")
                codes.append(name)
        body = template.format(*codes)
        if not tests:
            return Compiled(f"({body})", result, nullable=False)
        return Compiled(f"(None if {' or '.join(tests)} else {body})", result, nullable=True)


def kleene(sign: str, parts: Sequence[tuple[str, bool]], again: Sequence[str]) -> tuple[str, Literal["boolean"], bool]:
    """Return the code of a conjunction (``&&``) or disjunction, its type, and whether it may be None.

    ``parts`` are the codes of its parts, each evaluated once, and whether they may be None; ``again`` is how those that
    may are called once they have been evaluated.
    """
    word, absorbing, neutral = ("and", "False", "True") if sign == "&&" else ("or", "True", "False")
    if not again:
        return f"({f' {word} '.join(code for code, _ in parts)})", "boolean", False
    found = " or ".join(f"{code} is {absorbing}" for code, _ in parts)
    unknown = " or ".join(f"{code} is None" for code in again)
    return f"({absorbing} if {found} else None if {unknown} else {neutral})", "boolean", True
