"""Conditions as SMT-LIB: each is a pair of truth and definedness, so that undecided is a third value (strong Kleene).

What is translated means the same for every contact; whatever is not (and what reads a column that another rule may have
written) becomes a constant that may be anything. The question may therefore have more answers than there are
contacts, never fewer: that it has none is a proof, and an answer is only a proposal.

Numbers are doubles. Where nothing is computed, or only whole numbers that a double holds, they are real numbers to the
solver, which is much faster and the same.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

from dialproof.analysis.atoms import CLOCK, Atom, cel_text
from dialproof.analysis.lines import DAY
from dialproof.cel.ast import Call, Conditional, Identifier, Index, ListLiteral, Node, Select
from dialproof.cel.ast import Literal as LiteralNode
from dialproof.cel.values import parse_datetime, parse_duration, read_number, read_text
from dialproof.cel.variables import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialproof.analysis.answers import Demand
    from dialproof.analysis.atoms import Part
    from dialproof.cel.values import Variable
    from dialproof.model.contactlist import Column, ContactList

__all__ = ["Kind", "Written", "write"]

Kind: TypeAlias = Literal["number", "text", "folded", "boolean", "timestamp"]
"""How a constant of the question reads a variable."""
_Type: TypeAlias = Literal["number", "text", "boolean", "timestamp", "duration"]

_EXACT = 2.0**53
"""Whole numbers up to here are doubles."""
_FIRST, _LAST = parse_datetime("0001-01-01") or 0, parse_datetime("9999-12-31T23:59:59.999999Z") or 0
_CLOCK = parse_datetime("2000-01-01") or 0, parse_datetime("2100-01-01") or 0
"""When calls are made."""
_LARGEST = 0xFFFF
"""Texts are translated where no constant holds a character above: the solver's alphabet ends early (at 0x2FFFF), and so
has more than enough characters above all constants for whatever contacts hold there."""
_KINDS: Mapping[str, tuple[Kind, _Type]] = {
    "number": ("number", "number"),
    "string": ("text", "text"),
    "boolean": ("boolean", "boolean"),
    "timestamp": ("timestamp", "timestamp"),
}
_READERS: Mapping[str, tuple[Kind, _Type]] = {
    "number": ("number", "number"),
    "boolean": ("boolean", "boolean"),
    "datetime": ("timestamp", "timestamp"),
    "fold": ("folded", "text"),
}
_SORTS: Mapping[Kind, str] = {"text": "String", "folded": "String", "boolean": "Bool", "timestamp": "Int"}
_ORDERS: Mapping[str, str] = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_METHODS = {
    "contains": "(str.contains {0} {1})",
    "startsWith": "(str.prefixof {1} {0})",
    "endsWith": "(str.suffixof {1} {0})",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A question: its text, and which reading of which variable each of its constants is.

    The constant with a ``d`` behind its name, if there is one, tells whether the reading has a value. ``new`` tells
    whether the question holds a condition that cells cannot hold.
    """

    text: str
    constants: Mapping[str, tuple[Variable, Kind]]
    new: bool


def write(demands: Sequence[Demand], columns: Mapping[Variable, Column], contact_list: ContactList) -> Written:
    """Return the question whether some contact meets all demands."""
    try:
        return _Writer(columns, contact_list, doubles=False).question(demands)
    except _DoublesError:
        return _Writer(columns, contact_list, doubles=True).question(demands)


class _DoublesError(Exception):
    """A computation is rounded."""


class _UntranslatedError(Exception):
    """An expression is not translated."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A value and whether there is one, as text; ``bound`` is what no whole number of it exceeds, if it is one."""

    type: _Type
    value: str
    defined: str = "true"
    bound: float | None = None


@dataclass
class _Writer:
    columns: Mapping[Variable, Column]
    contact_list: ContactList
    doubles: bool
    lines: list[str] = field(default_factory=list)
    constants: dict[str, tuple[Variable, Kind]] = field(default_factory=dict)
    _names: dict[tuple[Variable, Kind], _Term] = field(default_factory=dict)
    _anything: dict[tuple[int, str], _Term] = field(default_factory=dict)
    _free: frozenset[Variable] = frozenset()
    _turn: int = 0
    _untranslated: int = 0
    _new: bool = False

    def question(self, demands: Sequence[Demand]) -> Written:
        wanted = []
        for turn, demand in enumerate(demands, 1):
            self._free, self._turn = demand.free, turn if demand.free else 0
            term = self._part(demand.part)
            truth = term.value if demand.want.endswith("true") else f"(not {term.value})"
            if demand.want.startswith("not"):
                opposite = f"(not {term.value})" if demand.want == "not true" else term.value
                wanted.append(f"(assert (or (not {term.defined}) {opposite}))")
            else:
                wanted.append(f"(assert (and {term.defined} {truth}))")
        return Written("\n".join([*self.lines, *wanted]), self.constants, self._new)

    # Conditions.

    def _part(self, part: Part) -> _Term:
        if isinstance(part, Atom):
            return self._atom(part)
        members = [self._part(m) for m in part.members]
        if part.kind == "not":
            return replace(members[0], value=f"(not {members[0].value})")
        return self._kleene("&&" if part.kind == "all" else "||", members)

    def _atom(self, atom: Atom) -> _Term:
        program = atom.program
        if program is None or program.ast is None or program.compiled is None:
            return self._any(atom.text)
        before = self._untranslated
        term = self._boolean(program.ast)
        self._new |= self._untranslated == before and (atom.opaque or len(atom.axes) > 1)
        return term

    def _any(self, text: str) -> _Term:
        """Return a condition that may have any verdict, the same one for the same text."""
        self._untranslated += 1
        key = self._turn, text
        if key not in self._anything:
            name = f"u{len(self._anything)}"
            self.lines += [f"(declare-const {name} Bool)", f"(declare-const {name}d Bool)"]
            self._anything[key] = _Term("boolean", name, f"{name}d")
        return self._anything[key]

    def _boolean(self, node: Node) -> _Term:
        if isinstance(node, Call) and node.function in ("&&", "||"):
            return self._kleene(node.function, [self._boolean(a) for a in node.arguments])
        if isinstance(node, Call) and node.function == "!":
            term = self._boolean(node.arguments[0])
            return replace(term, value=f"(not {term.value})")
        if isinstance(node, Conditional):
            test, then, other = (self._boolean(n) for n in (node.test, node.then, node.otherwise))
            defined = f"(and {test.defined} (ite {test.value} {then.defined} {other.defined}))"
            return self._named(f"(ite {test.value} {then.value} {other.value})", defined)
        try:
            term = self._expression(node)
        except _UntranslatedError:
            try:
                return self._any(cel_text(node))
            except ValueError:
                return self._any(f"#{node.start}-{node.end}-{len(self._anything)}")
        return term

    def _kleene(self, sign: str, members: Sequence[_Term]) -> _Term:
        """Return a conjunction or disjunction: decided by one member that absorbs, or by all members."""
        if not members:
            return _Term("boolean", "true" if sign == "&&" else "false")
        everyone = _and([m.defined for m in members])
        held = " ".join(_and([m.defined, m.value]) for m in members)
        failed = " ".join(_and([m.defined, f"(not {m.value})"]) for m in members)
        if sign == "&&":
            return self._named(f"(and {held})", f"(or {everyone} {failed})")
        return self._named(f"(or {held})", f"(or {everyone} {held})")

    def _named(self, value: str, defined: str) -> _Term:
        """Return a condition under a name, so that what uses it twice does not write it twice."""
        name = f"c{len(self.lines)}"
        self.lines += [f"(define-fun {name} () Bool {value})", f"(define-fun {name}d () Bool {defined})"]
        return _Term("boolean", name, f"{name}d")

    # Values.

    def _expression(self, node: Node) -> _Term:
        if isinstance(node, LiteralNode):
            return self._literal(node.value)
        if isinstance(node, (Identifier, Select, Index)):
            variable, kind = resolve(node, self.contact_list)
            if variable is None or kind not in _KINDS:
                raise _UntranslatedError
            return self._variable(variable, *_KINDS[kind])
        if not isinstance(node, Call):
            raise _UntranslatedError
        name, arguments = node.function, node.arguments
        if name in ("==", "!=", "<", "<=", ">", ">="):
            return self._comparison(node)
        if name == "in" and isinstance(arguments[1], ListLiteral):
            one = self._expression(arguments[0])
            found = [self._compared("==", one, self._expression(i)) for i in arguments[1].items]
            values = " ".join(f.value for f in found)
            return _Term("boolean", f"(or false {values})", _and([one.defined, *(f.defined for f in found)]))
        if name in ("+", "-", "*", "/", "neg"):
            return self._arithmetic(name, [self._expression(a) for a in arguments])
        if name in _METHODS and node.target is not None:
            one, other = self._expression(node.target), self._expression(arguments[0])
            return _Term("boolean", _METHODS[name].format(one.value, other.value), _and([one.defined, other.defined]))
        if name == "has":
            return _Term("boolean", self._expression(arguments[0]).defined)
        if name in ("datetime", "timestamp", "duration") and isinstance(arguments[0], LiteralNode):
            text = str(arguments[0].value)
            span = parse_duration(text) if name == "duration" else parse_datetime(text, None)
            if span is not None:
                return _Term("duration" if name == "duration" else "timestamp", _whole(span))
        if name in _READERS and node.target is None and len(arguments) == 1:
            variable, kind = resolve(arguments[0], self.contact_list)
            if variable is not None and kind == "string":
                return self._variable(variable, *_READERS[name])
        raise _UntranslatedError

    def _literal(self, value: object) -> _Term:
        if isinstance(value, bool):
            return _Term("boolean", "true" if value else "false")
        if isinstance(value, float):
            return _Term("number", self._number(value), bound=abs(value) if value.is_integer() else None)
        if isinstance(value, str) and all(ord(c) <= _LARGEST for c in value):
            return _Term("text", _quoted(value))
        raise _UntranslatedError

    def _number(self, value: float) -> str:
        if self.doubles:
            bits = f"{struct.unpack('>Q', struct.pack('>d', value))[0]:064b}"
            return f"(fp #b{bits[0]} #b{bits[1:12]} #b{bits[12:]})"
        exact = Fraction(value)
        text = f"(/ {abs(exact.numerator)}.0 {exact.denominator}.0)"
        return f"(- {text})" if exact < 0 else text

    def _comparison(self, node: Call) -> _Term:
        size, other = node.arguments
        for one, constant, sign in ((size, other, node.function), (other, size, _turned(node.function))):
            if isinstance(one, Call) and one.function == "size":
                text = self._expression(one.target if one.target is not None else one.arguments[0])
                if (
                    text.type != "text"
                    or not isinstance(constant, LiteralNode)
                    or not isinstance(constant.value, float)
                ):
                    raise _UntranslatedError
                number = Fraction(constant.value)
                size_term = _Term("number", f"(to_real (str.len {text.value}))", text.defined)
                exact = f"(/ {abs(number.numerator)}.0 {number.denominator}.0)"
                limit = _Term("number", f"(- {exact})" if number < 0 else exact)
                return _plain_comparison(sign, size_term, limit)
        return self._compared(node.function, *(self._expression(a) for a in node.arguments))

    def _compared(self, sign: str, one: _Term, other: _Term) -> _Term:
        if one.type != other.type:
            raise _UntranslatedError
        if one.type == "number" and self.doubles:
            relation = {"==": "fp.eq", "<": "fp.lt", "<=": "fp.leq", ">": "fp.gt", ">=": "fp.geq"}[
                "==" if sign == "!=" else sign
            ]
            value = f"({relation} {one.value} {other.value})"
            return _Term("boolean", f"(not {value})" if sign == "!=" else value, _and([one.defined, other.defined]))
        if one.type == "text" and sign in (">", ">="):
            one, other, sign = other, one, _turned(sign)
        if one.type == "boolean" and sign not in ("==", "!="):
            raise _UntranslatedError
        return _plain_comparison(sign, one, other)

    def _arithmetic(self, sign: str, terms: list[_Term]) -> _Term:
        types = tuple(t.type for t in terms)
        defined = _and([t.defined for t in terms])
        values = " ".join(t.value for t in terms)
        if types == ("timestamp", "timestamp") and sign == "-":
            return _Term("duration", f"(- {values})", defined)
        if types == ("text", "text") and sign == "+":
            return _Term("text", f"(str.++ {values})", defined)
        if set(types) != {"number"}:
            raise _UntranslatedError
        if self.doubles:
            operation = {"+": "fp.add RNE", "-": "fp.sub RNE", "*": "fp.mul RNE", "/": "fp.div RNE", "neg": "fp.neg"}[
                sign
            ]
            return _Term("number", f"({operation} {values})", defined)
        if sign == "neg":
            return _Term("number", f"(- {values})", defined, terms[0].bound)
        bounds = [t.bound for t in terms if t.bound is not None]
        bound = math.prod(bounds) if sign == "*" else sum(bounds)
        if len(bounds) < len(terms) or sign == "/" or bound > _EXACT:
            raise _DoublesError
        return _Term("number", f"({sign} {values})", defined, bound)

    # Variables and their domains.

    def _variable(self, variable: Variable, kind: Kind, type_: _Type) -> _Term:
        if variable in self._free or (variable.source == "context" and variable.name.startswith("now.")):
            raise _UntranslatedError
        known = self._names.get((variable, kind))
        if known is not None:
            return known
        name = f"x{len(self._names)}"
        self.constants[name] = (variable, kind)
        column = self.columns.get(variable)
        whole = kind == "number" and column is not None and column.type == "integer" and not self.doubles
        sort = _SORTS.get(kind) or ("Float64" if self.doubles else "Int" if whole else "Real")
        self.lines.append(f"(declare-const {name} {sort})")
        term = _Term(type_, f"(to_real {name})" if whole else name)
        if variable == CLOCK:
            self.lines.append(f"(assert (and (<= {_CLOCK[0]} {name}) (<= {name} {_CLOCK[1]})))")
        elif kind not in ("text", "folded"):
            self.lines.append(f"(declare-const {name}d Bool)")
            term = replace(term, defined=f"{name}d")
        if variable != CLOCK and column is not None:
            term = self._bounded(term, variable, kind, column)
        self._names[variable, kind] = term
        return term

    def _bounded(self, term: _Term, variable: Variable, kind: Kind, column: Column) -> _Term:
        """Say which values a variable can have, as far as its column's own reading is asked."""
        name, declared = term.value, self.contact_list.declared or variable.source != "contact"
        facts: list[str] = []
        if kind == "number":
            if self.doubles:
                facts.append(f"(not (or (fp.isNaN {name}) (fp.isInfinite {name})))")
            if column.type in ("integer", "number"):
                low, high = (float(b) if isinstance(b, (int, float)) else None for b in (column.min, column.max))
                facts += [self._compared(">=", term, self._literal(low)).value] if low is not None else []
                facts += [self._compared("<=", term, self._literal(high)).value] if high is not None else []
                if column.type == "integer" and self.doubles:
                    facts.append(f"(fp.eq {name} (fp.roundToIntegral RNE {name}))")
                if column.type == "integer" and low is not None and high is not None:
                    term = replace(term, bound=max(abs(low), abs(high)))
                if column.enum is not None:
                    numbers = [n for v in column.enum if (n := read_number(v)) is not None]
                    same = " ".join(self._compared("==", term, self._literal(n)).value for n in numbers)
                    facts.append(f"(or false {same})")
        elif kind == "timestamp":
            low, high = (parse_datetime(b) if isinstance(b, str) else None for b in (column.min, column.max))
            facts += [f"(<= {_whole(_FIRST if low is None else low)} {name})"]
            facts += [f"(<= {name} {_whole(_LAST if high is None else high)})"]
            if column.type == "date":
                facts.append(f"(= (mod {name} {DAY}) 0)")
        elif kind == "text" and column.type == "string":
            blank = f'(= {name} "")'
            if column.required:
                self.lines.append(f"(assert (not {blank}))")
            values = [read_text(v) for v in column.enum or ()]
            if column.enum is not None and all(ord(c) <= _LARGEST for v in values for c in v):
                same = " ".join(f"(= {name} {_quoted(v)})" for v in values)
                self.lines.append(f"(assert (or {blank} {same}))")
        self.lines += [f"(assert (=> {term.defined} {fact}))" for fact in facts]
        native = kind in ("number", "boolean", "timestamp") and _KIND_OF.get(column.type) == kind
        if native and column.required and declared:
            self.lines.append(f"(assert {term.defined})")
        return term


_KIND_OF: Mapping[str, Kind] = {
    "integer": "number", "number": "number", "boolean": "boolean", "datetime": "timestamp", "date": "timestamp",
}  # fmt: skip


def _plain_comparison(sign: str, one: _Term, other: _Term) -> _Term:
    relation = "=" if sign in ("==", "!=") else f"str.{sign}" if one.type == "text" else sign
    value = f"({relation} {one.value} {other.value})"
    return _Term("boolean", f"(not {value})" if sign == "!=" else value, _and([one.defined, other.defined]))


def _turned(sign: str) -> str:
    return {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)


def _and(terms: Sequence[str]) -> str:
    needed = [t for t in dict.fromkeys(terms) if t != "true"]
    return "true" if not needed else needed[0] if len(needed) == 1 else f"(and {' '.join(needed)})"


def _whole(value: int) -> str:
    return str(value) if value >= 0 else f"(- {-value})"


def _quoted(text: str) -> str:
    """Return a text as SMT-LIB writes it."""
    plain = [c if " " <= c <= "~" and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in text]
    return f'"{"".join(plain)}"'
