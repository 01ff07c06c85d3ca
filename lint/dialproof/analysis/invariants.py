"""Invariants as literals over the runs of a campaign: proved for every contact of the domain, or shown to be broken.

What an invariant says of ``contact``, ``context`` and ``now`` are conditions like those of rules, which cut the same
axes; what it says of ``outcome`` are literals of the run gone through rule by rule. Both are joined in strong Kleene
logic as CEL joins them, so that "not true" holds the undecided too. What has no literal may be anything: "no solution"
stays a proof, and every contact that is found has been run and held against the invariant by the evaluator.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from dialproof.analysis.answers import BUDGET, Found, Nowhere, Unknown
from dialproof.analysis.aspects import thing_of, values_of
from dialproof.analysis.atoms import cel_text
from dialproof.analysis.campaign import CampaignAnalysis, atoms_of
from dialproof.analysis.difference import stops
from dialproof.analysis.space import Space
from dialproof.analysis.unrolled import Unrolled
from dialproof.cel.ast import Call, Conditional, Identifier, Index, ListLiteral, Literal, Select, children, path
from dialproof.evaluate import Evaluator
from dialproof.model.rules import When

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dialproof.analysis.answers import Answer
    from dialproof.analysis.atoms import Part
    from dialproof.analysis.familiar import Familiar
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.space import Assignment
    from dialproof.cel.ast import Node
    from dialproof.model.rules import Category, Invariant, Rule

__all__ = ["Proofs", "categories_of", "outcome_read"]

_Verdict: TypeAlias = tuple[int, int]
"""The literals "true" and "false"; where neither holds it is undecided."""

_JUNCTIONS = ("&&", "||", "!")
_ORDERS = ("==", "!=", "<", "<=", ">", ">=")
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def categories_of(evaluator: Evaluator, invariant: Invariant) -> tuple[Category, ...]:
    """Return the categories of runs that an invariant speaks of.

    Those are the ones that have rules; only ``preCall`` where it reads ``outcome.dial``, which no other run has.
    """
    if "dial" in outcome_read(evaluator, invariant):
        return ("preCall",)
    found = {rule.category for rule in evaluator.campaign.rules if rule.enabled}
    both: tuple[Category, ...] = ("preCall", "wrapUp")
    return tuple(category for category in both if category in found) or ("preCall",)


def outcome_read(evaluator: Evaluator, invariant: Invariant) -> frozenset[str]:
    """Return what an invariant reads of the outcome: ``dial``, ``lists`` ...; "" is all of it."""
    tree = evaluator.leaf(invariant.always).ast
    nodes = [tree] if tree is not None else []
    found: set[str] = set()
    while nodes:
        node = nodes.pop()
        read = path(node)
        if read is None:
            nodes += children(node)
        elif read[0] == "outcome":
            found.add(read[1] if len(read) > 1 else "")
    return frozenset(found)


class Proofs:
    """Decides the invariants of a campaign; the axes are cut at the constants of all of them.

    ``evaluator`` is that of the campaign, which knows the invariants; those with a problem are not asked about.
    """

    def __init__(self, evaluator: Evaluator, *, familiar: Familiar | None = None) -> None:
        self.evaluator = evaluator
        self._familiar = familiar
        self._conditions: dict[str, When] = {}
        self._unrolled: dict[Category, Unrolled] = {}

    @cached_property
    def analysis(self) -> CampaignAnalysis:
        """The campaign with one more rule, which never runs: its conditions are what invariants say of contacts."""
        campaign = self.evaluator.campaign
        for invariant in campaign.invariants:
            program = self.evaluator.leaf(invariant.always)
            for node in _conditions_in(program.ast) if program.ast is not None else ():
                text = cel_text(node)
                self._conditions.setdefault(text, When(text, invariant.always.span, invariant.always.scalar))
        rules = campaign.rules
        if self._conditions:
            rules = (*rules, replace(rules[0], enabled=False, conditions=tuple(self._conditions.values()), actions=()))
        asked = replace(campaign, rules=rules, invariants=())
        return CampaignAnalysis(asked, Evaluator(asked, self.evaluator.semantics), familiar=self._familiar)

    def unrolled(self, category: Category) -> Unrolled:
        """Return the runs of a category, with every column followed that some rule or invariant reads."""
        if category not in self._unrolled:
            asked = frozenset(self.analysis.columns)
            self._unrolled[category] = Unrolled(self.analysis.runs(category), asked=asked)
        return self._unrolled[category]

    def part(self, node: Node) -> Part:
        """Return a condition of an invariant taken apart."""
        return self.analysis.part_of(self._conditions[cel_text(node)])

    def decide(self, invariant: Invariant, category: Category) -> Answer:
        """Return a contact whose run does not keep the invariant, that there is none, or why that is open."""
        tree = self.evaluator.leaf(invariant.always).ast
        if tree is None:
            return Unknown("it has no meaning", "conditions")
        runs = self.analysis.runs(category)
        statement = _Statement(self, runs, invariant.always)
        true, _ = statement.verdict(tree)
        broken = [-literal for literal in self.unrolled(category).unbroken()]
        violated = runs.formula.some([-true, *broken, *statement.unfollowed()])

        def breaks(assignment: Assignment) -> bool:
            """Run a contact; what is undecided, or a run that broke, is no better than false."""
            scene = runs.scene_at(assignment)
            outcome = self.evaluator.run(scene.contact, category=category, context=scene.context, now=scene.now)
            kept = self.evaluator.invariant(invariant, scene.contact, outcome, context=scene.context, now=scene.now)
            return kept is not True or outcome.failure is not None

        answer = runs.formula.search([violated], breaks)
        return _one_by_one(runs, statement, breaks) if isinstance(answer, Unknown) else answer


def _one_by_one(runs: Runs, statement: _Statement, breaks: Callable[[Assignment], bool]) -> Answer:
    """Run every combination of cells, where those stand for all contacts and are not too many."""
    if statement.open is not None and not statement.told_apart:
        return Unknown(statement.open, "conditions")
    space = Space(runs, range(len(runs.rules)), updated=True, parts=statement.parts)
    joined = next((part for part in statement.parts if not runs.enumerable(part)), None)
    if space.open is not None or joined is not None:
        looks_at = "columns that it compares with each other have too many values"
        return space.open or Unknown(looks_at, "conditions")
    assignments = list(islice(space.inside([{}]), BUDGET + 1))
    if len(assignments) > BUDGET:
        return Unknown(f"there are more than {BUDGET:,} combinations of values to look at", "budget")
    for assignment in assignments:
        if assignment is not None and breaks(assignment):
            return Found(runs, assignment)
    return space.open or Nowhere()


@dataclass
class _Statement:
    """One invariant over the runs of one category.

    ``parts`` are its conditions on the contact; ``open`` says what of it has no literal, and ``told_apart`` that this
    still has one verdict for all contacts that the rules and the conditions do not tell apart.
    """

    proofs: Proofs
    runs: Runs
    always: When
    parts: list[Part] = field(default_factory=list)
    open: str | None = None
    told_apart: bool = True

    @property
    def unrolled(self) -> Unrolled:
        """The runs, rule by rule."""
        return self.proofs.unrolled(self.runs.category)

    def verdict(self, node: Node) -> _Verdict:
        """Return the literals of a part of the invariant that is true or false."""
        formula, names = self.runs.formula, _roots(node)
        if "outcome" not in names and _has_text(node):
            self.parts.append(self.proofs.part(node))
            return formula.verdict_of(self.parts[-1])
        if isinstance(node, Conditional):
            (test, fails), then, other = (self.verdict(n) for n in (node.test, node.then, node.otherwise))
            return tuple(
                formula.some((formula.every((test, then[i])), formula.every((fails, other[i])))) for i in (0, 1)
            )  # type: ignore[return-value]  # two of them
        if isinstance(node, Call) and node.function in _JUNCTIONS:
            parts = [self.verdict(argument) for argument in node.arguments]
            if node.function == "!":
                return parts[0][1], parts[0][0]
            trues, falses = zip(*parts, strict=True)
            if node.function == "&&":
                return formula.every(trues), formula.some(falses)
            return formula.some(trues), formula.every(falses)
        after = _after(node)
        if after is not None and self._is_followed(part := self.proofs.part(after)):
            self.parts.append(part)
            return formula.verdict_of(part, self.unrolled.at_the_end)
        return self._of_outcome(node) or self._unknown(node)

    def _is_followed(self, part: Part) -> bool:
        """Tell whether it is known what the run leaves in each column that a condition reads."""
        read = {variable for atom in atoms_of(part) for variable in atom.axes}
        return read & self.runs.ever_set <= self.unrolled.written

    def _unknown(self, node: Node) -> _Verdict:
        """Return literals of which nothing is known, and note where that stands."""
        span = self.always.scalar.part(node.start, node.end)
        self.open = self.open or f"what stands at {span.line}:{span.column} cannot be followed through all runs"
        paths = [path(one) for one in _nodes(node)]
        read = [found[1] if len(found) > 1 else "" for found in paths if found is not None]
        self.told_apart &= _roots(node) == {"outcome"} and not {"contact", ""} & {*read}
        return self.runs.formula.open_verdict(1, 1, -1, -1)

    def _of_outcome(self, node: Node) -> _Verdict | None:
        """Return the literals of a part that speaks of the outcome alone, None where it has none."""
        read = path(node)
        if read == ["outcome", "dial"]:
            return self._dial
        if read is not None and read[:2] == ["outcome", "lists"] and len(read) == 3:
            return self._member(read[2])
        if not isinstance(node, Call) or len(node.arguments) != 2 or node.target is not None:
            return None
        left, right = node.arguments
        if node.function == "in" and isinstance(left, Literal) and isinstance(left.value, str):
            return self._held(left.value, right)
        if node.function not in _ORDERS:
            return None
        size = self._size(left, node.function, right)
        if size is None:
            size = self._size(right, _MIRRORED.get(node.function, node.function), left)
        if size is not None:
            return size
        return self._same(left, right, node.function) if _says_dial(node) else None

    @cached_property
    def _dial(self) -> _Verdict:
        """The literals of ``outcome.dial``, which a wrapUp run does not have."""
        if self.runs.category != "preCall":
            return -1, -1
        refused = [literal for literal, rule in self._matched if stops(rule)]
        if self.runs.analysis.semantics.undecided == "refuseToDial":
            refused += [literal for literal, _ in self._undecided]
        dialed = -self.runs.formula.some(refused)
        return dialed, -dialed

    @cached_property
    def _matched(self) -> list[tuple[int, Rule]]:
        return [(self.unrolled.matched(i), rule) for i, rule in enumerate(self.runs.rules)]

    @cached_property
    def _undecided(self) -> list[tuple[int, Rule]]:
        return [(self.unrolled.undecided(i), rule) for i, rule in enumerate(self.runs.rules)]

    def _member(self, list_id: str) -> _Verdict:
        """Return the literals of ``outcome.lists[ID]``, which is undecided where no rule has set it."""
        thing = ("setList", list_id)
        setting = [(r, literal) for literal, r in self._matched if any(thing_of(a) == thing for a in r.actions)]
        values = values_of(thing, setting, self.runs.formula)
        return values.get(True, -1), values.get(False, -1)

    def _held(self, name: str, collection: Node) -> _Verdict | None:
        """Return the literals of ``"name" in outcome.matched`` (or ``undecided``, ``lists``)."""
        formula, read = self.runs.formula, path(collection)
        if read == ["outcome", "lists"]:
            held = formula.some(self._member(name))
        else:
            listed = self._listed(read)
            if listed is None:
                return None
            held = formula.some(literal for literal, rule in listed if rule.name == name)
        return held, -held

    def _listed(self, read: list[str] | None) -> Sequence[tuple[int, Rule]] | None:
        if read == ["outcome", "matched"]:
            return self._matched
        return self._undecided if read == ["outcome", "undecided"] else None

    def _size(self, node: Node, sign: str, other: Node) -> _Verdict | None:
        """Return the literals of ``size(outcome.matched) > 0`` and the like, that tell only none from some."""
        if not (isinstance(node, Call) and node.function == "size" and len(children(node)) == 1):
            return None
        listed = self._listed(path(children(node)[0]))
        if listed is None or not isinstance(other, Literal) or not isinstance(other.value, float):
            return None
        none, *some = (_compared(float(count), sign, other.value) for count in range(len(listed) + 1))
        if len(set(some)) > 1:
            return None
        any_of_them = self.runs.formula.some(literal for literal, _ in listed)
        if not some or some[0] == none:
            return (1, -1) if none else (-1, 1)
        return (any_of_them, -any_of_them) if some[0] else (-any_of_them, any_of_them)

    def _same(self, left: Node, right: Node, sign: str) -> _Verdict:
        formula, one, other = self.runs.formula, self.verdict(left), self.verdict(right)
        same = formula.some(formula.every((one[i], other[i])) for i in (0, 1))
        differ = formula.some(formula.every((one[i], other[1 - i])) for i in (0, 1))
        return (same, differ) if sign == "==" else (differ, same)

    def unfollowed(self) -> Iterator[int]:
        """Yield a literal for each rule that counts a column of which it is not known whether it holds a number."""
        runs = self.runs
        columns = runs.analysis.campaign.contact_list
        for index, counted in enumerate(runs.counts):
            for variable in sorted(counted - self.unrolled.written):
                column = columns.columns.get(variable.name)
                numeric = columns.declared and column is not None and column.type in ("integer", "number")
                if runs.may_fail[index] or not numeric:
                    self.open = self.open or f"whether {variable.name} holds a number that can be counted is not known"
                    self.told_apart = False
                    yield runs.formula.every((self.unrolled.matched(index), runs.formula.new()))


def _compared(one: float, sign: str, other: float) -> bool:
    return {
        "==": one == other, "!=": one != other, "<": one < other, "<=": one <= other, ">": one > other,
        ">=": one >= other,
    }[sign]  # fmt: skip


def _conditions_in(node: Node) -> Iterator[Node]:
    """Yield the largest parts of an invariant that are conditions on the contact, before or after the run."""
    if "outcome" not in _roots(node):
        if _has_text(node):
            yield node
    elif isinstance(node, Conditional) or (
        isinstance(node, Call) and (node.function in _JUNCTIONS or _says_dial(node))
    ):
        for part in children(node):
            yield from _conditions_in(part)
    elif (after := _after(node)) is not None:
        yield after


def _after(node: Node) -> Node | None:
    """Return what a part says of ``outcome.contact`` as what it would say of ``contact``, None if it says more."""
    if isinstance(node, Literal) or (isinstance(node, Identifier) and node.name == "now"):
        return node
    if isinstance(node, (Select, Index)):
        whole = path(node.operand) == ["outcome", "contact"]
        operand = Identifier("contact", node.start, node.end) if whole else _after(node.operand)
        return None if operand is None or path(node) is None else replace(node, operand=operand)
    if isinstance(node, ListLiteral):
        items = [_after(item) for item in node.items]
        return None if None in items else replace(node, items=tuple(items))  # type: ignore[arg-type]
    if not isinstance(node, Call):
        return None
    target = None if node.target is None else _after(node.target)
    arguments = [_after(argument) for argument in node.arguments]
    if None in arguments or (target is None) != (node.target is None):
        return None
    return replace(node, target=target, arguments=tuple(arguments))  # type: ignore[arg-type]


def _says_dial(node: Call) -> bool:
    """Tell whether a part compares ``outcome.dial`` with something, which is true or false then."""
    return node.function in ("==", "!=") and ["outcome", "dial"] in [path(argument) for argument in node.arguments]


def _has_text(node: Node) -> bool:
    try:
        return bool(cel_text(node))
    except ValueError:  # a macro has no text
        return False


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _nodes(child)


def _roots(node: Node) -> frozenset[str]:
    """Return the names at the roots of all paths in a part."""
    return frozenset(one.name for one in _nodes(node) if isinstance(one, Identifier))
