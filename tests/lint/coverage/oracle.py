"""Coverage by its definition, on trees that the tests write themselves: nothing of dialproof but the model is asked.

A tree is the CEL text of a condition, or a pair of a connective and its members. Truth is a number: 1 is true, 0 false
and 0.5 undecided, so that strong Kleene logic is minimum, maximum and the distance from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tests.lint.analysis.build import group, when

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialproof.model.rules import Expression

Tree: TypeAlias = "str | tuple[str, tuple[Tree, ...]]"

_SIGNS = {"all": " && ", "any": " || "}


def texts(tree: Tree) -> list[str]:
    """Return the conditions of a tree, from left to right."""
    return [tree] if isinstance(tree, str) else [text for member in tree[1] for text in texts(member)]


def cel(tree: Tree) -> str:
    """Return a tree as one CEL expression."""
    if isinstance(tree, str):
        return tree
    if tree[0] == "not":
        return f"!({cel(tree[1][0])})"
    return f"({_SIGNS[tree[0]].join(map(cel, tree[1]))})"


def groups(tree: Tree) -> Expression:
    """Return a tree as groups of conditions."""
    return when(tree) if isinstance(tree, str) else group(tree[0], *map(groups, tree[1]))


def truth(tree: Tree, values: Iterator[float]) -> float:
    """Return the truth of a tree whose conditions have these, from left to right."""
    if isinstance(tree, str):
        return next(values)
    members = [truth(member, values) for member in tree[1]]
    return 1 - members[0] if tree[0] == "not" else (min if tree[0] == "all" else max)(members)


def decides(tree: Tree, values: Sequence[float], position: int) -> bool:
    """Tell whether the tree is true or false, and the other where one condition alone has its other value."""
    if values[position] == 0.5:
        return False
    other = [1 - value if k == position else value for k, value in enumerate(values)]
    one, two = truth(tree, iter(values)), truth(tree, iter(other))
    return {one, two} == {0, 1}


Facts: TypeAlias = "set[tuple[int, str, int]]"
"""Position of the rule, kind of the goal, position of the condition."""


def shown(
    rules: Sequence[tuple[Tree, Mapping[str, object]]],
    contact: Mapping[str, object],
    verdict: Callable[[str, Mapping[str, object]], float],
    *,
    first: bool,
) -> Facts:
    """Return what the run of a contact shows; ``rules`` are conditions and the columns that they set."""
    now, found = dict(contact), set()
    for index, (tree, written) in enumerate(rules):
        values = [verdict(text, now) for text in texts(tree)]
        result = truth(tree, iter(values))
        for position, value in enumerate(values):
            kind = {1: "true", 0: "false"}.get(value)
            if kind is not None:
                found.add((index, kind, position))
                if decides(tree, values, position):
                    found.add((index, f"decides {kind}", position))
        if result == 0:
            found.add((index, "missed", 0))
        if result == 1:
            found.add((index, "matched", 0))
            now.update(written)
            if first:
                break
    return found
