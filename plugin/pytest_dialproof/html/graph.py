"""Which rules meet: a circle of the rules in their order, and a line for each pair that a finding is about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dialproof.findings import Finding

__all__ = ["MOST", "Graph", "Line", "Node", "graph_of"]

MOST = 60
"""Rules on the circle: those that no finding is about are left out first."""

_RADIUS, _MARGIN, _LONGEST_NAME = 200.0, 40.0, 28
_WIDE = 8.0 * _LONGEST_NAME  # units beside the circle, for the names
_CODES = {  # kind of line -> the checks that it stands for
    "conflict": ("DP301", "DP306"),
    "hidden": ("DP302", "DP303", "DP304", "DP305"),
    "order": ("DP307", "DP502", "DP503", "DP504", "DP505", "DP508"),
}
_KIND_OF = {code: kind for kind, codes in _CODES.items() for code in codes}


@dataclass(frozen=True)
class Node:
    """A rule at a place of the drawing; its label, the name cut to fit, begins or ends at (text_x, text_y)."""

    name: str
    label: str
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True)
class Line:
    """Two rules, the kind of line, and what the findings about them say."""

    kind: str
    one: Node
    other: Node
    said: str


@dataclass(frozen=True)
class Graph:
    """The drawing of a campaign around the point 0, 0; ``left_out`` rules are not in it."""

    campaign: str
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    left_out: int

    @property
    def view_box(self) -> str:
        """Left, top, width and height of the drawing, as SVG has them."""
        across, down = _RADIUS + _WIDE, _RADIUS + _MARGIN
        return f"{-across} {-down} {2 * across} {2 * down}"


def graph_of(campaign: str, rules: Sequence[str], findings: Iterable[Finding]) -> Graph | None:
    """Return the drawing of the rules, in their order, with the findings about two or more; None without any."""
    pairs: dict[tuple[str, str, str], list[str]] = {}
    places = {rule: place for place, rule in enumerate(rules)}
    for finding in findings:
        kind, met = _KIND_OF.get(finding.code), [rule for rule in dict.fromkeys(finding.rules) if rule in places]
        if kind is None:
            continue
        for other in met[1:]:
            one, two = sorted((met[0], other), key=places.__getitem__)
            pairs.setdefault((one, two, kind), []).append(f"{finding.code} {finding.summary}")
    if not pairs:
        return None
    meeting = {rule for one, two, _ in pairs for rule in (one, two)}
    shown = [rule for rule in rules if rule in meeting or len(rules) <= MOST][:MOST]
    nodes = {rule: _node(rule, place, len(shown)) for place, rule in enumerate(shown)}
    lines = [
        Line(kind, nodes[one], nodes[two], "; ".join(said))
        for (one, two, kind), said in pairs.items()
        if one in nodes and two in nodes
    ]
    return Graph(campaign, tuple(nodes.values()), tuple(lines), len(rules) - len(shown))


def _node(rule: str, place: int, number: int) -> Node:
    """Return a rule's place on the circle, the first one at the top, clockwise."""
    angle = 2 * math.pi * place / number - math.pi / 2
    across, down = math.cos(angle), math.sin(angle)
    anchor = "middle" if abs(across) < 0.2 else "start" if across > 0 else "end"
    x, y = (round(_RADIUS * part, 1) for part in (across, down))
    text_x, text_y = round((_RADIUS + 14) * across, 1), round((_RADIUS + 14) * down + 4 + 8 * down, 1)
    label = rule if len(rule) <= _LONGEST_NAME else f"{rule[: _LONGEST_NAME - 1]}…"
    return Node(rule, label, x, y, text_x, text_y, anchor)
