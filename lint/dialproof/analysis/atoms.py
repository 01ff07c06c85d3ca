"""Conditions taken apart: junctions of atoms, and for each atom which values it can tell apart.

An *atom* is the largest part of a condition that reads one variable only (or a part over several variables that cannot
be taken apart). What it means is never decided here: its program is asked. Here is only read off which constants it
compares with, so that between two neighbouring constants its verdict cannot change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.cel.ast import Call, Conditional, Identifier, Index, ListLiteral, Node, Other, Select, children
from dialproof.cel.ast import Literal as LiteralNode
from dialproof.cel.pieces import quote
from dialproof.cel.values import Variable, number_text, parse_datetime, parse_duration
from dialproof.cel.variables import reads, resolve
from dialproof.model.rules import Group, When

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dialproof.cel.program import LeafProgram
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Condition, Expression

__all__ = [
    "CLOCK",
    "DAY_OF_CALL",
    "TIME_OF_CALL",
    "Atom",
    "Cut",
    "Junction",
    "Part",
    "Reading",
    "axis_of",
    "cel_text",
    "take_apart",
]

Reading: TypeAlias = Literal["number", "text", "folded", "boolean", "timestamp", "age"]

CLOCK = Variable("now", "timestamp")
"""The clock itself, where a condition uses it other than as the distance between now and a column."""
TIME_OF_CALL = Variable("now", "timeOfDay")
"""Hours and minutes of the clock."""
DAY_OF_CALL = Variable("now", "date")
"""The day of the clock: ``now.date``, ``now.dayOfWeek`` and ``now.dayOfMonth`` depend on each other and are one
axis."""

_DAY_FIELDS = ("now.date", "now.dayOfWeek", "now.dayOfMonth")
_ORDERS = ("==", "!=", "<", "<=", ">", ">=")
_READERS: dict[str, Reading] = {"number": "number", "boolean": "boolean", "datetime": "timestamp", "fold": "folded"}
_NATIVE: dict[str, Reading] = {"string": "text", "number": "number", "boolean": "boolean", "timestamp": "timestamp"}


How: TypeAlias = Literal["point", "order", "prefix", "contains", "suffix", "pattern", "size"]
"""``point`` is == and in, ``prefix`` startsWith, ``suffix`` endsWith, ``pattern`` matches."""
_METHODS: dict[str, How] = {
    "startsWith": "prefix", "contains": "contains", "endsWith": "suffix", "matches": "pattern",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cut:
    """A constant that a reading is compared with, and how; with ``size`` it is the size of a text."""

    reading: Reading
    value: float | str
    how: How

    @property
    def interval(self) -> bool:
        """Whether it holds on a stretch of the ordered values, so that verdicts change at its ends alone."""
        return self.how in ("point", "order", "prefix")


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of conditions that is decided as a whole; equal text is one atom.

    ``opaque`` where its verdict depends on more than the ``cuts``; ``needles`` are texts worth trying then.
    """

    text: str
    axes: tuple[Variable, ...]
    cuts: tuple[Cut, ...]
    readings: tuple[Reading, ...]
    opaque: bool
    needles: tuple[str, ...]
    program: LeafProgram | None = field(compare=False, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Junction:
    """``all``, ``any`` or ``not`` (of one member) in strong Kleene logic."""

    kind: Literal["all", "any", "not"]
    members: tuple[Part, ...]


Part: TypeAlias = Atom | Junction


def axis_of(variable: Variable) -> Variable:
    """Return the variable whose cells decide the given one: the fields of the clock are one or two axes."""
    if variable.source == "context" and variable.name in _DAY_FIELDS:
        return DAY_OF_CALL
    if variable == Variable("context", "now.timeOfDay"):
        return TIME_OF_CALL
    return variable


def take_apart(
    expressions: Iterable[Expression],
    program_of: Callable[[Condition | When], LeafProgram],
    columns: ContactList,
    compile_part: Callable[[When], LeafProgram],
    known: dict[str, Atom],
) -> Junction:
    """Return the conjunction of ``expressions`` in atoms; ``known`` collects every atom by its text."""
    taker = _Taker(program_of, columns, compile_part, known)
    return Junction("all", tuple(taker.expression(e) for e in expressions))


@dataclass(frozen=True, slots=True)
class _Taker:
    program_of: Callable[[Condition | When], LeafProgram]
    columns: ContactList
    compile_part: Callable[[When], LeafProgram]
    known: dict[str, Atom]

    def expression(self, expression: Expression) -> Part:
        if isinstance(expression, Group):
            members = tuple(self.expression(m) for m in expression.members)
            if expression.kind == "not":
                return Junction("not", (Junction("all", members),))
            return Junction(expression.kind, members)
        program = self.program_of(expression)
        if program.cel in self.known:
            return self.known[program.cel]
        if program.ast is None:
            return self.known.setdefault("", Atom("", (), (), (), opaque=False, needles=(), program=program))
        return self.node(program.ast, program, expression)

    def node(self, node: Node, program: LeafProgram | None, leaf: Condition | When) -> Part:
        scan = _Scan(self.columns)
        scan.boolean(node)
        read = program.reads if program is not None else reads(node, self.columns)
        variables = dict.fromkeys(map(axis_of, read))
        if not scan.clock:
            variables.pop(CLOCK, None)
        if len(variables) > 1 and isinstance(node, Call) and node.function in ("&&", "||", "!") and _has_text(node):
            kinds: dict[str, Literal["all", "any", "not"]] = {"&&": "all", "||": "any", "!": "not"}
            return Junction(kinds[node.function], tuple(self.node(a, None, leaf) for a in node.arguments))
        text = program.cel if program is not None else cel_text(node)
        if text not in self.known:
            if program is None:
                assert isinstance(leaf, When)
                program = self.compile_part(When(text, leaf.span, leaf.scalar))
            self.known[text] = Atom(
                text,
                tuple(variables),
                tuple(dict.fromkeys(scan.cuts)),
                tuple(dict.fromkeys(scan.readings)),
                scan.opaque or CLOCK in variables or program.ast is None,
                tuple(dict.fromkeys(scan.needles)),
                program,
            )
        return self.known[text]


class _Scan:
    """Collects what an expression compares its readings with."""

    def __init__(self, columns: ContactList) -> None:
        self.columns = columns
        self.cuts: list[Cut] = []
        self.readings: list[Reading] = []
        self.needles: list[str] = []
        self.opaque = False
        self.clock = False

    def boolean(self, node: Node) -> None:
        if isinstance(node, Conditional):
            for part in (node.test, node.then, node.otherwise):
                self.boolean(part)
            return
        if isinstance(node, LiteralNode) and isinstance(node.value, bool):
            return
        if isinstance(node, Call):
            if node.function in ("&&", "||", "!"):
                for part in node.arguments:
                    self.boolean(part)
                return
            if self._comparison(node):
                return
        elif self.reading(node) == "boolean":
            self.readings.append("boolean")
            return
        self._give_up(node)

    def _comparison(self, node: Call) -> bool:
        if node.function in _ORDERS:
            for one, other in (node.arguments, node.arguments[::-1]):
                how: How = "point" if node.function in ("==", "!=") else "order"
                if self._compared(one, [self.constant(other)], how):
                    return True
            return False
        if node.function == "in" and isinstance(node.arguments[1], ListLiteral):
            return self._compared(node.arguments[0], [self.constant(i) for i in node.arguments[1].items], "point")
        if node.function == "has":
            return True
        if node.function == "boolean":
            found = self.reading(node)
            if found is not None:
                self.readings.append(found)
            return found is not None
        if node.function in _METHODS and node.target is not None and len(node.arguments) == 1:
            target, value = self.reading(node.target), self.constant(node.arguments[0])
            if target in ("text", "folded") and isinstance(value, str):
                self._cut(target, value, _METHODS[node.function])
                return True
        return False

    def _compared(self, node: Node, values: list[float | str | bool | None], how: How) -> bool:
        """Note the constants that a reading, or the size of a text, is compared with; tell whether they are that."""
        reading = self.reading(node)
        if isinstance(node, Call) and node.function == "size":
            (inner,) = children(node)
            reading, how = self.reading(inner), "size"
            if reading not in ("text", "folded") or not all(isinstance(v, float) for v in values):
                return False
        if reading is None or None in values:
            return False
        for value in values:
            self._cut(reading, value, how)
        return True

    def _cut(self, reading: Reading, value: object, how: How) -> None:
        self.readings.append(reading)
        if isinstance(value, (str, float, int)) and not isinstance(value, bool):
            self.cuts.append(Cut(reading, value, how))
            if isinstance(value, str) and how != "pattern":
                self.needles.append(value)

    def reading(self, node: Node) -> Reading | None:
        """Return how ``node`` reads a variable, None where it is more than a reading."""
        if isinstance(node, (Identifier, Select, Index)):
            variable, kind = resolve(node, self.columns)
            return _NATIVE.get(kind) if variable is not None and variable != CLOCK else None
        if not isinstance(node, Call):
            return None
        if node.function == "-" and len(node.arguments) == 2:
            first, second = node.arguments
            is_now = isinstance(first, Identifier) and first.name == "now"
            return "age" if is_now and self.reading(second) == "timestamp" else None
        if node.function in _READERS and node.target is None and len(node.arguments) == 1:
            return _READERS[node.function] if self.reading(node.arguments[0]) == "text" else None
        return None

    def constant(self, node: Node) -> float | str | bool | None:
        """Return the value of a constant (instants and spans as microseconds), None for anything else."""
        if isinstance(node, LiteralNode):
            return node.value if isinstance(node.value, (str, float, bool)) else None
        if not isinstance(node, Call) or len(node.arguments) != 1 or node.target is not None:
            return None
        inner = self.constant(node.arguments[0])
        if node.function == "neg":
            return -inner if isinstance(inner, float) else None
        if not isinstance(inner, str):
            return None
        if node.function in ("datetime", "timestamp"):
            return parse_datetime(inner, None)
        return parse_duration(inner) if node.function == "duration" else None

    def _give_up(self, node: Node) -> None:
        self.opaque = True
        stack: list[Node] = [node]
        while stack:
            one = stack.pop()
            if isinstance(one, LiteralNode) and isinstance(one.value, (str, float)):
                self.needles.append(one.value if isinstance(one.value, str) else number_text(one.value))
            elif isinstance(one, Identifier) and one.name == "now":
                self.clock = True
            elif not (isinstance(one, Index) and self.reading(one)):
                stack.extend(children(one))


def cel_text(node: Node) -> str:
    """Return CEL text that parses to ``node`` again; raises ValueError for a construct that has no tree."""
    if isinstance(node, LiteralNode):
        return _literal_text(node.value)
    if isinstance(node, Identifier):
        return node.name
    if isinstance(node, Select):
        return f"{cel_text(node.operand)}.{node.field}"
    if isinstance(node, Index):
        return f"{cel_text(node.operand)}[{cel_text(node.key)}]"
    if isinstance(node, ListLiteral):
        return f"[{', '.join(map(cel_text, node.items))}]"
    if isinstance(node, Conditional):
        return f"({cel_text(node.test)} ? {cel_text(node.then)} : {cel_text(node.otherwise)})"
    if isinstance(node, Other):
        raise ValueError(f"{node.what} has no syntax tree")  # noqa: TRY004  (a construct, not a type of argument)
    arguments = [cel_text(a) for a in node.arguments]
    if node.function == "!":
        return f"!({arguments[0]})"
    if node.function == "neg":
        return f"-({arguments[0]})"
    if not node.function.isidentifier() or node.function == "in":
        return f"({f' {node.function} '.join(arguments)})"
    target = f"{cel_text(node.target)}." if node.target is not None else ""
    return f"{target}{node.function}({', '.join(arguments)})"


def _has_text(node: Node) -> bool:
    try:
        return bool(cel_text(node))
    except ValueError:
        return False


def _literal_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = number_text(value)
        return text if "." in text else f"{text}.0"
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    raise ValueError("a bytes literal has no text here")
