"""Conditions on one text as regular languages: which combinations of them some text has, with a text for each.

Every condition is an automaton that reads the text character by character: ``contains``, ``endsWith``, ``matches``
and ``size`` as trees of RE2 (:mod:`dialproof.analysis.re2_syntax`) made deterministic, comparisons and ``startsWith``
as the place of the text between all constants. All of them read one text at once; each combination of results that is
reached is a cell. Characters that no condition tells apart are one letter, so that the alphabet has a few letters.
"""

from __future__ import annotations

import string
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from dialproof.analysis.lines import TextLine
from dialproof.analysis.re2_syntax import (
    ANY,
    Chars,
    Either,
    Limit,
    Node,
    Ranges,
    Repeat,
    Sequence,
    literal,
    members,
    read,
)
from dialproof.cel.values import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from interegular.fsm import FSM

    from dialproof.analysis.atoms import Cut

__all__ = ["CellLine", "InexactError", "cells_of_texts", "unfolded"]

_NODES = 5_000
"""Nodes of one condition's net: a few for each character, counted repetitions written out."""
_STEPS = 1_000_000
"""Nodes of one net that are looked at while its automaton is made."""
_STATES = 500
"""States of one condition's automaton."""
_AUTOMATA = 100
_WORK = 8_000_000
"""Steps of single automata while all of them read one text."""
_CELLS = 20_000
_LONGEST = 250
"""The largest size that is compared with."""
_CASED = 0x20000
"""No character from here on has a case."""
_READABLE = string.ascii_lowercase + string.digits + string.ascii_uppercase + " -_.@+,/:#&()'"
_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)

_Mask: TypeAlias = int
"""A set of letters, a bit each."""
_States: TypeAlias = "tuple[Any, ...]"
"""The state, or the result, of each automaton."""


class InexactError(Exception):
    """Texts cannot be cut exactly: too many states or combinations, or a condition without an automaton."""


@dataclass(frozen=True, slots=True)
class CellLine:
    """Texts, not empty, cut so that each condition has one verdict on each cell: (low, high, representative).

    Cells stand in the order of ``low``; several may share it. ``high`` is None where a cell holds more than one text.
    """

    pieces: tuple[tuple[str, str | None, str], ...]

    def cells(self, thresholds: Iterable[str]) -> Iterator[tuple[str, str | None, str]]:  # noqa: ARG002
        """Yield the cells; ``thresholds`` are cuts between them."""
        return iter(self.pieces)

    def is_point(self, low: str, high: str | None) -> bool:  # noqa: ARG002
        """Tell whether a cell holds exactly one text."""
        return high is not None


def cells_of_texts(
    cuts: Iterable[Cut], pattern: str | None, *, folded: bool, points: Iterable[str], hints: Iterable[str]
) -> CellLine:
    """Return the cells of the texts that fit ``pattern`` as a whole; raises :class:`InexactError`.

    The cells stand in the order of the texts, with ``folded`` in that of the folded texts. ``points`` are texts with a
    cell of their own; ``hints`` are preferred to the shortest text of a cell.
    """
    cuts = list(dict.fromkeys(cuts))
    places = [_Places([c for c in cuts if (c.reading == "folded") == folded], points, folded=folded)]
    others = [c for c in cuts if (c.reading == "folded") != folded and c.interval]
    if others:
        places.append(_Places(others, (), folded=not folded))
    try:
        trees = [(tree, c.reading == "folded", True) for c in cuts for tree in _trees(c)]
        if pattern is not None:
            trees.append((read(pattern), False, False))
    except ValueError as error:
        raise InexactError(str(error)) from error
    if len(trees) > _AUTOMATA:
        raise InexactError("too many conditions on one text")
    classes = [unfolded(r) if place.folded else r for place in places for r in place.classes()]
    classes += [_members(chars, changed) for tree, changed, _ in trees for chars in _chars(tree)]
    letters = _Letters(classes)
    automata = [_automaton(_Net(tree, letters, folded=f, search=s), letters) for tree, f, s in trees]
    return _explored(places, automata, letters, fits=pattern is not None, hints=hints)


def _trees(cut: Cut) -> list[Node]:
    """Return what ``cut`` looks for anywhere in a text, none for a place between texts."""
    if cut.how == "contains":
        return [literal(str(cut.value))]
    if cut.how == "suffix":
        return [Sequence((literal(str(cut.value)), Limit("end")))]
    if cut.how == "pattern":
        return [read(str(cut.value))]
    if cut.how != "size":
        return []
    size = float(cut.value)
    if size != size or size < 0:
        return []  # no text has such a size: its verdict is one for all of them
    if size > _LONGEST:
        raise ValueError("a size that is too large")
    whole = int(size)
    most = [whole - 1, whole] if size == whole else [whole]
    return [Sequence((Limit("start"), Repeat(ANY, 0, m), Limit("end"))) for m in most if m > 0]


def _chars(node: Node) -> Iterator[Chars]:
    if isinstance(node, Chars):
        yield node
    elif isinstance(node, Repeat):
        yield from _chars(node.node)
    elif isinstance(node, (Sequence, Either)):
        for inner in node.nodes:
            yield from _chars(inner)


def _members(chars: Chars, folded: bool) -> Ranges:
    return unfolded(members(chars)) if folded else members(chars)


@lru_cache(maxsize=1)
def _changed() -> tuple[tuple[int, int], ...]:
    """Every character that folding changes, with what it becomes."""
    return tuple((c, f) for c in range(_CASED) if not 0xD800 <= c <= 0xDFFF and (f := ord(fold(chr(c)))) != c)


def unfolded(ranges: Ranges) -> Ranges:
    """Return every character whose folding lies in ``ranges``."""

    def inside(code: int) -> bool:
        at = bisect_right(ranges, (code, _LAST)) - 1
        return at >= 0 and ranges[at][1] >= code

    flipped = sorted(c for c, f in _changed() if inside(c) != inside(f))
    cuts = sorted({0, *(e for low, high in ranges for e in (low, high + 1)), *(e for c in flipped for e in (c, c + 1))})
    moved = frozenset(flipped)
    found = [(a, b - 1) for a, b in pairwise([*cuts, _LAST + 1]) if a < b and inside(a) != (a in moved)]
    return tuple(found)


class _Letters:
    """Characters that no class tells apart are one letter; ``texts`` holds a readable one of each, best ones first."""

    def __init__(self, classes: Iterable[Ranges]) -> None:
        toggles: dict[int, int] = {0: 0, _SURROGATES[0]: 0, _SURROGATES[1] + 1: 0}
        for bit, ranges in enumerate(dict.fromkeys(classes)):
            for low, high in ranges:
                for edge in (low, high + 1):
                    toggles[edge] = toggles.get(edge, 0) ^ 1 << bit
        self._starts = sorted(edge for edge in toggles if edge <= _LAST)
        kinds: list[int] = []
        current = 0
        for start in self._starts:
            current ^= toggles[start]
            kinds.append(current)
        names: dict[int, str] = {}
        for character in _READABLE:
            names.setdefault(kinds[self._stretch(character)], character)
        for start, kind in zip(self._starts, kinds, strict=True):
            if not _SURROGATES[0] <= start <= _SURROGATES[1]:
                names.setdefault(kind, chr(start))
        self.texts = tuple(names.values())
        numbers = {kind: number for number, kind in enumerate(names)}
        self._numbers = [numbers.get(kind, 0) for kind in kinds]

    def _stretch(self, character: str) -> int:
        return bisect_right(self._starts, ord(character)) - 1

    def number(self, character: str) -> int:
        """Return the letter that stands for a character."""
        return self._numbers[self._stretch(character)]

    def mask(self, ranges: Ranges) -> _Mask:
        """Return the letters that stand for characters in ``ranges``."""
        found = 0
        for number, text in enumerate(self.texts):
            at = bisect_right(ranges, (ord(text), _LAST)) - 1
            if at >= 0 and ranges[at][1] >= ord(text):
                found |= 1 << number
        return found


class _Places:
    """The automaton of comparisons: where a text stands between constants.

    A text that is no start of a constant stands in one interval however it goes on, so that a state is such a start,
    or the number of an interval. The result is the text itself where it is a point, else the number of its interval.
    """

    def __init__(self, cuts: Iterable[Cut], points: Iterable[str], *, folded: bool) -> None:
        self.folded = folded
        orders, single = set[str](), {p for p in points if p}
        for cut in cuts:
            text = str(cut.value)
            if not text or not cut.interval:
                continue
            if cut.how == "point":
                single.add(text)
                continue
            after = TextLine.after_prefix(text) if cut.how == "prefix" else text + "\0"
            orders |= {text} if after is None else {text, after}
        self.points = frozenset(fold(p) for p in single) if folded else frozenset(single)
        self.orders = sorted(orders)
        self._starts = {t[:i] for t in self.points for i in range(len(t) + 1)}
        self._starts |= {t[:i] for t in self.orders for i in range(len(t))} | {""}

    def classes(self) -> Iterator[Ranges]:
        """Yield the characters that are told apart: those of constants, and what stands below them."""
        # Whether a text goes on with "\0" behind the start of an order makes no difference: all of it comes behind.
        texts = (*self.points, *(t.removesuffix("\0") for t in self.orders))
        for code in sorted({ord(c) for text in texts for c in text}):
            yield ((code, code),)
            if self.orders and code:
                yield ((0, code - 1),)

    def step(self, state: str | int, character: str) -> str | int:
        """Return the state after one more character."""
        if isinstance(state, int):
            return state
        text = state + (fold(character) if self.folded else character)
        return text if text in self._starts else bisect_right(self.orders, text)

    def end(self, state: str | int) -> str | int:
        """Return the result for a text that ends in a state."""
        if isinstance(state, int) or state in self.points:
            return state
        return bisect_right(self.orders, state)

    def low(self, result: str | int) -> str:
        """Return where the texts of a result begin in the order of texts; no interval begins at a point."""
        if isinstance(result, str):
            return result
        low = self.orders[result - 1] if result else "\0"
        while low in self.points:
            low += "\0"
        return low


class _Net:
    """A nondeterministic automaton of a tree (Thompson's construction): edges of letters, and empty ones.

    With ``search`` the tree may be found anywhere in a text, else it is the whole text. An empty edge may be bound to
    the start or the end of the text.
    """

    def __init__(self, tree: Node, letters: _Letters, *, folded: bool, search: bool) -> None:
        self._letters, self._folded = letters, folded
        self.edges: list[tuple[_Mask, int] | None] = []
        self.empty: list[list[tuple[str, int]]] = []
        self._left = _STEPS
        everything = (1 << len(letters.texts)) - 1
        self.start = self._node()
        before = self._node() if search else self.start
        if search:
            self._link(self.start, before)
            self.edges[self.start] = (everything, self.start)
        self.final = self._node()
        self._link(self._add(tree, before), self.final)
        self.search = search

    def _node(self) -> int:
        if len(self.edges) >= _NODES:
            raise InexactError("a pattern with too many repetitions")
        self.edges.append(None)
        self.empty.append([])
        return len(self.edges) - 1

    def _link(self, source: int, target: int, bound: str = "") -> None:
        self.empty[source].append((bound, target))

    def _add(self, node: Node, start: int) -> int:
        """Add a tree behind a node of the net and return the node at its end."""
        match node:
            case Chars():
                end = self._node()
                inner = self._node()  # a node has one edge with letters
                self._link(start, inner)
                self.edges[inner] = (self._letters.mask(_members(node, self._folded)), end)
                return end
            case Sequence(nodes):
                for one in nodes:
                    start = self._add(one, start)
                return start
            case Either(nodes):
                end = self._node()
                for one in nodes:
                    first = self._node()
                    self._link(start, first)
                    self._link(self._add(one, first), end)
                return end
            case Repeat():
                return self._repeat(node, start)
            case Limit(where):
                if where == "inner":
                    raise InexactError("a place between two characters has no automaton")
                end = self._node()
                self._link(start, end, where)
                return end

    def _repeat(self, node: Repeat, start: int) -> int:
        endless = node.most is None
        for _ in range(node.least - endless):
            start = self._add(node.node, start)
        end = self._node()
        if endless:
            first = self._node()
            self._link(start, first)
            again = self._add(node.node, first)
            self._link(again, first)
            self._link(again, end)
        if not endless or not node.least:
            self._link(start, end)
        for _ in range((node.most or 0) - node.least):
            first = self._node()
            self._link(start, first)
            start = self._add(node.node, first)
            self._link(start, end)
        return end

    def reached(self, nodes: Iterable[int], bounds: Iterable[str]) -> frozenset[int]:
        """Return what empty edges reach from ``nodes``, those that are bound to one of ``bounds`` too."""
        found, pending = set(nodes), list(nodes)
        while pending:
            for bound, target in self.empty[pending.pop()]:
                if target not in found and (not bound or bound in bounds):
                    found.add(target)
                    pending.append(target)
        self._left -= len(found)
        if self._left < 0:
            raise InexactError("a pattern with too many states")
        if self.search and self.final in found:
            return frozenset((self.final,))  # found: whatever comes behind, it stays so
        return frozenset(n for n in found if self.edges[n] or n == self.final or any(b for b, _ in self.empty[n]))


def _automaton(net: _Net, letters: _Letters) -> FSM:
    """Return the deterministic automaton of a net over the letters."""
    from interegular.fsm import Alphabet, OblivionError, TransitionKey, crawl

    sets = [net.reached((net.start,), ("start",))]
    numbers: dict[frozenset[int], int] = {}

    def follow(state: int, letter: int) -> int:
        if sets[state] == {net.final} and net.search:
            return state
        targets = [edge[1] for n in sets[state] if (edge := net.edges[n]) is not None and edge[0] >> letter & 1]
        if not targets:
            raise OblivionError
        after = net.reached(targets, ())
        if after not in numbers:
            if len(sets) >= _STATES:
                raise InexactError("a pattern with too many states")
            numbers[after] = len(sets)
            sets.append(after)
        return numbers[after]

    def final(state: int) -> bool:
        return net.final in net.reached(sets[state], ("end",) if state else ("start", "end"))

    alphabet = Alphabet({text: TransitionKey(number) for number, text in enumerate(letters.texts)})
    made: FSM = crawl(alphabet, 0, final, follow)  # type: ignore[no-untyped-call]
    return made


def _explored(
    places: list[_Places], automata: list[FSM], letters: _Letters, *, fits: bool, hints: Iterable[str]
) -> CellLine:
    """Return a cell for each combination of results that some text has; the last automaton is the domain's if any."""
    product = _Product(places, automata, letters, fits=fits)
    found: dict[_States, str] = {}
    seen = set[_States]()
    queue = deque([(product.first, "")])
    left = _WORK
    while queue:
        state, text = queue.popleft()
        left -= len(letters.texts) * len(state)
        if left < 0 or len(found) > _CELLS:
            raise InexactError("too many combinations of conditions on one text")
        for number, character in enumerate(letters.texts):
            after = product.step(state, number)
            if after is None or after in seen:
                continue
            seen.add(after)
            queue.append((after, text + character))
            result = product.result(after)
            if result is not None:
                found.setdefault(result, text + character)
    chosen: dict[_States, str] = {}
    for hint in hints:
        result = product.read(hint)
        if hint and result is not None:
            chosen.setdefault(result, hint)
    first, pieces = places[0], []
    for result, text in found.items():
        place = result[0]
        assert isinstance(place, (str, int))
        low = first.low(place)
        alone = isinstance(place, str) and not first.folded
        pieces.append((low, low + "\0" if alone else None, chosen.get(result, text)))
    return CellLine(tuple(sorted(pieces, key=lambda piece: piece[0])))


class _PlaceRows(dict[Any, "tuple[Any, ...]"]):
    """The states after each letter, by the state before it, of an automaton of places."""

    def __init__(self, places: _Places, letters: _Letters) -> None:
        super().__init__()
        self._places, self._letters = places, letters

    def __missing__(self, state: str | int) -> tuple[Any, ...]:
        row = self[state] = tuple(self._places.step(state, c) for c in self._letters.texts)
        return row


class _Product:
    """All automata of a column, reading one text; None is a state from which no text of the domain comes."""

    def __init__(self, places: list[_Places], automata: list[FSM], letters: _Letters, *, fits: bool) -> None:
        self._places, self._letters = places, letters
        self._finals = [a.finals for a in automata]
        self._fits = fits
        numbers = range(len(letters.texts))
        rows: list[dict[Any, tuple[Any, ...]]] = [_PlaceRows(p, letters) for p in places]
        for automaton in automata:
            after: dict[Any, Mapping[Any, Any]] = {None: {}, **automaton.map}
            rows.append({state: tuple(row.get(n) for n in numbers) for state, row in after.items()})
        self._rows = rows
        self.first: _States = (*("" for _ in places), *(a.initial for a in automata))

    def step(self, state: _States, number: int) -> _States | None:
        """Return the state after one more letter."""
        after = tuple([rows[s][number] for rows, s in zip(self._rows, state, strict=True)])
        return None if self._fits and after[-1] is None else after

    def result(self, state: _States) -> _States | None:
        """Return what the conditions say of a text that ends in a state, None where it is not in the domain."""
        split = len(self._places)
        ends = [p.end(s) for p, s in zip(self._places, state[:split], strict=True)]
        accepted = [s in finals for s, finals in zip(state[split:], self._finals, strict=True)]
        if self._fits and not accepted.pop():
            return None
        return (*ends, *accepted)

    def read(self, text: str) -> _States | None:
        """Return what the conditions say of a text, None where it is not in the domain."""
        state: _States | None = self.first
        for character in text:
            state = None if state is None else self.step(state, self._letters.number(character))
        return None if state is None else self.result(state)
