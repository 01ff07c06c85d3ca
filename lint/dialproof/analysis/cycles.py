"""Cycles of a small directed graph."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["components", "refined", "shortest_cycle"]


def components(edges: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """Return the strongly connected components with more than one node, each sorted, by their first node.

    Every node is a key of ``edges``. Tarjan's algorithm with a stack of its own, so that long chains do not recurse.
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    found: list[list[int]] = []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        path.append(root)
        on_path.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in order:
                    order[other] = low[other] = len(order)
                    path.append(other)
                    on_path.add(other)
                    work.append((other, iter(edges[other])))
                    break
                if other in on_path:
                    low[node] = min(low[node], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    start = path.index(node)
                    members = path[start:]
                    del path[start:]
                    on_path.difference_update(members)
                    if len(members) > 1:
                        found.append(sorted(members))
    return sorted(found)


def refined(
    nodes: Sequence[int], edges: Mapping[int, Sequence[int]], holds: Callable[[int, int], bool]
) -> list[list[int]]:
    """Return the components, sorted as above, of those ``edges`` that hold; as few of them as possible are asked.

    What a node reaches and what reaches it have its component in common; no other component spans two of the parts.
    """
    back: dict[int, list[int]] = {node: [] for node in nodes}
    for node in nodes:
        for other in edges[node]:
            back.setdefault(other, []).append(node)
    pending, found = [list(nodes)], []
    while pending:
        inside = pending.pop()
        if len(inside) < 2:
            continue
        start, left = inside[0], set(inside)
        after = _reached(start, left, edges, holds)
        before = _reached(start, left, back, lambda one, other: holds(other, one))
        together = after & before
        if len(together) > 1:
            found.append(sorted(together))
        pending += [sorted(part) for part in (after - together, before - together, left - after - before)]
    return sorted(found)


def _reached(
    start: int, inside: set[int], edges: Mapping[int, Sequence[int]], holds: Callable[[int, int], bool]
) -> set[int]:
    found, queue = {start}, deque([start])
    while queue:
        node = queue.popleft()
        for other in edges[node]:
            if other in inside and other not in found and holds(node, other):
                found.add(other)
                queue.append(other)
    return found


def shortest_cycle(edges: Mapping[int, Sequence[int]], start: int) -> list[int]:
    """Return the nodes of a shortest cycle through ``start``, beginning there; empty if there is none."""
    came: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in edges.get(node, ()):
            if other == start:
                cycle = [node]
                while cycle[-1] != start:
                    cycle.append(came[cycle[-1]])
                return cycle[::-1]
            if other not in came:
                came[other] = node
                queue.append(other)
    return []
