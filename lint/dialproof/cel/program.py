"""All conditions of a campaign as programs: one compiled function for the rule set, one for each condition."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from dialproof.cel import values
from dialproof.cel.compile import Compiler, kleene
from dialproof.cel.parse import CelSyntaxError, parse, parse_all
from dialproof.cel.text import ConditionError, condition_cel
from dialproof.cel.variables import reads, uses_every_column
from dialproof.model.rules import Condition, Group, When, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dialproof.cel.ast import Node
    from dialproof.cel.compile import Compiled, TypeProblem
    from dialproof.cel.values import Variable
    from dialproof.cel.variables import Slot
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Expression, Invariant, Rule
    from dialproof.source.positions import Span
    from dialproof.view import View

__all__ = ["CelProblem", "LeafProgram", "Programs", "define", "leaf_program"]

_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b\d+(?:\.\d+)?(?:e[-+]?\d+)?|\b[a-z]\d+\b""")
"""A constant, or a name that :mod:`dialproof.cel.compile` has made, in code of its making."""
_GLOBALS: dict[str, Any] = {
    "MISSING": values.MISSING,
    "fold": values.fold,
    "lookup": values.lookup,
    "parse_boolean": values.parse_boolean,
    "parse_datetime": values.parse_datetime,
    "parse_number": values.parse_number,
    "quotient": values.quotient,
    "read_boolean": values.read_boolean,
    "read_number": values.read_number,
    "read_text": values.read_text,
    "read_timestamp": values.read_timestamp,
}


@dataclass(frozen=True, slots=True, order=True)
class CelProblem:
    """An expression that does not parse or type-check, or a value that does not fit (DP103)."""

    path: str
    span: Span
    message: str
    owner: str


@dataclass
class LeafProgram:
    """One condition: its CEL text and tree, what it reads, and how it is decided.

    ``cel`` is empty and ``ast`` None where the condition has no meaning (a problem says why); its verdict is then None
    for every contact. ``fallback`` says why only cel-python evaluates it, else it is empty; ``every_column`` whether a
    column may matter that neither the contact list nor its text names.
    """

    cel: str
    ast: Node | None
    reads: tuple[Variable, ...]
    compiled: Compiled | None
    fallback: str
    every_column: bool
    slots: Mapping[Slot, str] = field(repr=False)
    constants: Mapping[str, object] = field(repr=False)

    @cached_property
    def _function(self) -> tuple[Callable[..., bool | None], tuple[Slot, ...], tuple[object, ...]]:
        """The compiled condition, the slots it reads, and its constants: conditions that differ by these share one."""
        assert self.compiled is not None
        shape, slots, constants = _taken_out(self.compiled.code)
        by_name = {name: slot for slot, name in self.slots.items() if name in slots}
        values: tuple[object, ...] = eval(f"({''.join(f'{c}, ' for c in constants)})", {}, self.constants)  # noqa: S307
        return _shaped(shape, len(slots), len(constants)), tuple(by_name[name] for name in slots), values

    @property
    def reads_text_alone(self) -> bool:
        """Whether it is decided for every contact, because every value can be read as text."""
        return self.compiled is not None and all(slot.kind == "text" for slot in self._function[1])

    def verdict(self, view: View) -> bool | None:
        """Return whether the condition holds for a view; None is undecided."""
        if self.compiled is not None:
            function, slots, constants = self._function
            return function(*(view.slot(s) for s in slots), *constants)
        return self.reference(view) if self.cel and self.ast is not None else None

    def reference(self, view: View) -> bool | None:
        """Return the verdict of cel-python on the same CEL text."""
        from dialproof.cel import reference

        if self.ast is None:
            return None
        activation = reference.activation(view)
        if view.outcome is not None:
            activation["outcome"] = reference.outcome_values(view, view.outcome)
        return reference.evaluate(self.cel, activation, view.zone)


def _taken_out(code: str) -> tuple[str, list[str], list[str]]:
    """Return code with new names, and what ``s0 s1 ...`` and ``k0 k1 ...`` in it were: slots and constants."""
    names: dict[str, dict[str, str]] = {"s": {}, "k": {}, "t": {}}

    def renamed(found: re.Match[str]) -> str:
        kind = found[0][0] if found[0][0] in names else "k"
        return names[kind].setdefault(found[0], f"{kind}{len(names[kind])}")

    return _TOKEN.sub(renamed, code), list(names["s"]), list(names["k"])


@lru_cache(maxsize=1024)
def _shaped(code: str, slots: int, constants: int) -> Callable[..., bool | None]:
    parameters = [*(f"s{i}" for i in range(slots)), *(f"k{i}" for i in range(constants))]
    function: Callable[..., bool | None] = eval(f"lambda {', '.join(parameters)}: {code}", _GLOBALS)  # noqa: S307
    return function


def _reading(slot: Slot, parameter: str) -> str:
    """Return the code that reads one slot of ``view``; a plain column is read without going through the view."""
    if slot.variable.source != "contact":
        return f"view.slot(x{parameter})"
    name = slot.variable.name
    raw = f"lookup(contact, {name!r})" if "." in name else f"contact.get({name!r}, MISSING)"
    return f"read_{slot.kind}({raw}, zone)" if slot.kind == "timestamp" else f"read_{slot.kind}({raw})"


def define(name: str, parameters: Sequence[str], body: str, constants: Mapping[str, object]) -> Callable[..., Any]:
    """Compile the text of a function. Texts and names of a user reach it as literals (``repr``) alone."""
    namespace: dict[str, Any] = {**_GLOBALS, **constants}
    source = f"def {name}({', '.join(parameters)}):\n    {body}\n"
    exec(compile(source, f"<dialproof {name}>", "exec"), namespace)  # noqa: S102
    function: Callable[..., Any] = namespace[name]
    return function


class Programs:
    """The programs of a campaign.

    ``verdicts`` is one function for the whole rule set: it takes a view and returns the verdict of each rule, in order.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        invariants: Sequence[Invariant],
        columns: ContactList,
        *,
        case_sensitive: bool = True,
        cache: Path | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.columns = columns
        self.case_sensitive = case_sensitive
        self.problems: list[CelProblem] = []
        self.fallbacks: dict[str, str] = {}
        self._compiler = Compiler(columns)
        self._leaves: dict[int, LeafProgram] = {}
        self._shared: dict[tuple[str, bool], tuple[LeafProgram, tuple[TypeProblem, ...]]] = {}
        self._texts: dict[int, str] = {}
        owners = [(rule.name, rule.path, leaf) for rule in rules for leaf in leaves(rule.conditions)]
        written = [leaf.text for _, _, leaf in owners if isinstance(leaf, When)]
        trees = parse_all([*written, *(invariant.always.text for invariant in invariants)], cache)
        for owner, path, leaf in owners:
            self._leaf(owner, path, leaf, trees, self._compiler)
        outcome_compiler = Compiler(columns, invariant=True)
        for invariant in invariants:
            self._leaf(invariant.name, invariant.path, invariant.always, trees, outcome_compiler)
        self.problems.sort()

    def _leaf(
        self, owner: str, path: str, leaf: Condition | When, trees: Mapping[str, Node], compiler: Compiler
    ) -> None:
        if isinstance(leaf, When):
            text, tree = leaf.text, trees.get(leaf.text)
        else:
            text, tree = self._written(owner, path, leaf)
        self._texts[id(leaf)] = text
        key = text, compiler.invariant
        if key not in self._shared:
            self._shared[key] = leaf_program(text, tree, compiler)
        program, problems = self._shared[key]
        self._leaves[id(leaf)] = program
        if tree is None and text:
            self.problems.append(self._syntax_problem(owner, path, leaf, text))
        for one in problems:
            span = leaf.scalar.part(one.start, one.end) if isinstance(leaf, When) else leaf.value_span
            self.problems.append(CelProblem(path, span, one.message, owner))
        if program.fallback:
            self.fallbacks[owner] = program.fallback

    def _written(self, owner: str, path: str, leaf: Condition) -> tuple[str, Node | None]:
        try:
            return _condition(leaf, self.columns, case_sensitive=self.case_sensitive)
        except ConditionError as error:
            self.problems.append(CelProblem(path, leaf.value_span, str(error), owner))
            return "", None

    @staticmethod
    def _syntax_problem(owner: str, path: str, leaf: Condition | When, text: str) -> CelProblem:
        try:
            parse(text, generated=isinstance(leaf, Condition))
        except CelSyntaxError as error:
            span = leaf.value_span if isinstance(leaf, Condition) else leaf.scalar.part(error.offset, error.offset + 1)
            return CelProblem(path, span, str(error), owner)
        raise AssertionError(f"an expression that parses has no tree: {text!r}")

    def leaf(self, leaf: Condition | When) -> LeafProgram:
        """Return the program of a condition of this campaign."""
        return self._leaves[id(leaf)]

    def in_case(self, *, sensitive: bool) -> Programs:
        """Return the same programs under the other setting of ``caseSensitive``, each compiled when it is asked for."""
        return _InCase(self, sensitive=sensitive)

    def text(self, rule: Rule) -> str:
        """Return the CEL text of a rule's conditions together."""
        return self._joined(rule.conditions, "&&") if rule.conditions else "true"

    def _joined(self, members: Sequence[Expression], sign: str) -> str:
        if len(members) == 1:
            return self._member(members[0])
        return f" {sign} ".join(self._wrapped(m) for m in members)

    def _wrapped(self, member: Expression) -> str:
        while isinstance(member, Group) and member.kind != "not" and len(member.members) == 1:
            member = member.members[0]
        text = self._member(member)
        needs = isinstance(member, When) or (isinstance(member, Group) and member.kind != "not")
        return f"({text})" if needs else text

    def _member(self, member: Expression) -> str:
        if not isinstance(member, Group):
            return self._texts[id(member)]
        if member.kind == "not":
            return f"!({self._joined(member.members, '&&')})"
        return self._joined(member.members, "&&" if member.kind == "all" else "||")

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Every variable that any condition reads."""
        return tuple(dict.fromkeys(v for program in self._leaves.values() for v in program.reads))

    def reads_column(self, name: str) -> bool:
        """Tell whether any condition may read a column, what stands above it or below it."""
        if any(program.every_column for program in self._leaves.values()):
            return True
        read = {variable.name for variable in self.variables if variable.source == "contact"}
        return any(values.overlap(one, name) for one in read)

    @cached_property
    def verdicts(self) -> Callable[[View], tuple[bool | None, ...]]:
        """The compiled function of the rule set.

        Each reading is made once and each distinct condition decided once, whichever rules share it.
        """
        return self._function([rule.conditions for rule in self.rules])

    @cached_property
    def rules_and_conditions(self) -> Callable[[View], tuple[tuple[bool | None, ...], tuple[bool | None, ...]]]:
        """The same with the verdict of each condition behind, rule by rule, in the order in which they are written."""
        conditions = [(leaf,) for rule in self.rules for leaf in leaves(rule.conditions)]
        return self._function([rule.conditions for rule in self.rules], conditions)

    def _function(self, *together: Sequence[tuple[Expression, ...]]) -> Callable[[View], Any]:
        """Return the function that decides conjunctions of this campaign's conditions: a tuple for each sequence."""
        constants = dict(self._compiler.constants)
        lines = ["contact, zone = view.contact, view.zone"]
        for slot, parameter in self._compiler.slots.items():
            constants[f"x{parameter}"] = slot
            lines.append(f"{parameter} = {_reading(slot, parameter)}")
        names: dict[int, str] = {}
        nullable: dict[str, bool] = {}
        for rule in self.rules:
            for leaf in leaves(rule.conditions):
                program = self._leaves[id(leaf)]
                if id(program) in names:
                    continue
                name = names[id(program)] = f"c{len(names)}"
                if program.compiled is not None:
                    code, nullable[name] = program.compiled.code, program.compiled.nullable
                else:
                    code, nullable[name] = f"p{name}.reference(view)", True
                    constants[f"p{name}"] = program
                lines.append(f"{name} = {code}")
        groups = _Groups(lines, names, nullable, self._leaves)
        results = [[groups.junction(members, "&&")[0] for members in one] for one in together]
        lines.append("return " + ", ".join(f"({''.join(f'{name}, ' for name in names)})" for names in results))
        return define("verdicts", ["view"], "\n    ".join(lines), constants)


class _InCase(Programs):
    def __init__(self, programs: Programs, *, sensitive: bool) -> None:
        self.rules, self.columns, self.case_sensitive = programs.rules, programs.columns, sensitive
        self._programs = programs
        self._own: dict[int, LeafProgram] = {}
        self._by_text: dict[str, LeafProgram] = {}

    def leaf(self, leaf: Condition | When) -> LeafProgram:
        if id(leaf) not in self._own:
            self._own[id(leaf)] = self._other(leaf, self._programs.leaf(leaf))
        return self._own[id(leaf)]

    def _other(self, leaf: Condition | When, program: LeafProgram) -> LeafProgram:
        if isinstance(leaf, When) or program.ast is None:
            return program
        text, tree = _condition(leaf, self.columns, case_sensitive=self.case_sensitive)
        if text == program.cel:
            return program
        if text not in self._by_text:
            self._by_text[text], _ = leaf_program(text, tree, Compiler(self.columns))
        return self._by_text[text]

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        return self._programs.variables


def _condition(leaf: Condition, columns: ContactList, *, case_sensitive: bool) -> tuple[str, Node | None]:
    """Return the CEL text of a condition and its tree, None where it nests too deeply."""
    text, tree = condition_cel(leaf, columns, case_sensitive=case_sensitive)
    if tree is None:
        with suppress(CelSyntaxError):
            tree = parse(text, generated=True)
    return text, tree


def leaf_program(text: str, tree: Node | None, compiler: Compiler) -> tuple[LeafProgram, tuple[TypeProblem, ...]]:
    """Return the program of a tree, whose text is ``text``, and what does not type-check."""
    compiled, problems, fallback = (None, (), "") if tree is None else compiler.compile(tree)
    tree = None if problems else tree
    read = () if tree is None else reads(tree, compiler.columns)
    every = tree is not None and uses_every_column(tree)
    program = LeafProgram(text, tree, read, compiled, fallback, every, compiler.slots, compiler.constants)
    return program, problems


@dataclass(frozen=True)
class _Groups:
    """Writes the lines that decide groups; each group is decided once and has a name, however deep they nest.

    ``names`` are the names of the conditions that have been decided, by the id of their programs; ``nullable`` tells
    which of all names may be None.
    """

    lines: list[str]
    names: Mapping[int, str]
    nullable: dict[str, bool]
    leaves: Mapping[int, LeafProgram]

    def junction(self, members: Sequence[Expression], sign: str) -> tuple[str, bool]:
        """Return the name of the members together, and whether it may be None."""
        parts = [self._member(m) for m in members]
        if not parts:
            return "True", False
        if len(parts) == 1:
            return parts[0]
        code, _, may_be_none = kleene(sign, parts, [name for name, n in parts if n])
        return self._named(code, may_be_none)

    def _member(self, member: Expression) -> tuple[str, bool]:
        if not isinstance(member, Group):
            name = self.names[id(self.leaves[id(member)])]
            return name, self.nullable[name]
        if member.kind != "not":
            return self.junction(member.members, "&&" if member.kind == "all" else "||")
        name, may_be_none = self.junction(member.members, "&&")
        return self._named(f"None if {name} is None else not {name}" if may_be_none else f"not {name}", may_be_none)

    def _named(self, code: str, may_be_none: bool) -> tuple[str, bool]:
        name = f"g{len(self.lines)}"
        self.lines.append(f"{name} = {code}")
        return name, may_be_none
