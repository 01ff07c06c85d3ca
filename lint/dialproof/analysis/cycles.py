"""Cycles of a small directed graph."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["components", "shortest_cycle"]


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
