"""The ``population:`` of a contacts file: nodes to :class:`Population`."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from dialproof.model.parse_base import INVALID, Fields, Reader, head
from dialproof.model.populations import (
    CONTACT_SUFFIXES,
    Limit,
    Population,
    PopulationExpect,
    Range,
    Statement,
)
from dialproof.model.rules import When
from dialproof.model.schema import RANGE, SHARE, Text
from dialproof.source import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["populations", "read_amount", "read_contact_files", "read_range", "report_cel"]

_AMOUNT = "a number of contacts such as 334, or a share of them such as 5 %"


def read_contact_files(reader: Reader, node: Node, label: str) -> Any:
    """Return the paths and globs of files of contacts, one or a list of them."""
    if not isinstance(node, Sequence):
        path = _contact_file(reader, node, label)
        return INVALID if path is INVALID else (path,)
    if not node.items:
        return reader.problem(node, f"{label}: expected at least one file, found an empty list", "DP107")
    paths = [_contact_file(reader, item, f"{label}, item") for item in node.items]
    return INVALID if INVALID in paths else tuple(paths)


def _contact_file(reader: Reader, node: Node, label: str) -> Any:
    path = reader.text(Text(), node, label)
    if path is INVALID or path.lower().endswith(CONTACT_SUFFIXES):
        return path
    return reader.problem(node, f"{label}: expected a path or glob that ends in {', '.join(CONTACT_SUFFIXES)}")


def read_range(reader: Reader, node: Node, label: str) -> Any:
    """Return the :class:`Range` of a number, a share, or a mapping with min and max."""
    if isinstance(node, Scalar):
        limit = read_amount(reader, node, label)
        return INVALID if limit is INVALID else _exactly(limit)
    if not isinstance(node, Mapping):
        return reader.expected(node, label, f"{_AMOUNT}, or min and max")
    fields = reader.record(RANGE, node, label)
    if fields is INVALID:
        return INVALID
    low, high = fields.get("min"), fields.get("max")
    if low and high and low.share == high.share and low.number > high.number:
        return reader.problem(fields.span("max"), f"{label}: max is below min, so no number of contacts is right")
    bounds = [f"{word} {limit.text}" for word, limit in (("at least", low), ("at most", high)) if limit]
    return Range(low, high, " and ".join(bounds))


def read_amount(reader: Reader, node: Node, label: str) -> Any:
    """Return the :class:`Limit` of a number of contacts or a share."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Limit(Fraction(value), share=False, text=f"{value:,}")
    if isinstance(value, str) and re.fullmatch(SHARE, value, re.ASCII):
        number = value.removesuffix("%").strip()
        return Limit(Fraction(number), share=True, text=f"{number} %")
    return reader.expected(node, label, _AMOUNT)


def _exactly(limit: Limit) -> Range:
    """Return the range of one amount; a share is met by what is the same when it is rounded as it is written."""
    if not limit.share:
        return Range(limit, limit, limit.text)
    decimals = len(limit.text.removesuffix(" %").partition(".")[2])
    half = Fraction(1, 2 * 10**decimals)
    low, high = (replace(limit, number=limit.number + side) for side in (-half, half))
    return Range(low, high, limit.text)


def populations(reader: Reader, root: Node) -> tuple[Population, ...]:
    """Return the populations that could be read, with what is wrong between their parts reported."""
    return tuple(_population(reader, fields) for fields in reader.named(root, "population", "population", "items"))


def _population(reader: Reader, fields: Fields) -> Population:
    category = fields.get("category", "preCall")
    expect = fields.get("expect")
    if not expect.values:
        reader.problem(head(expect.node), "expect asserts nothing: give at least one of dial, matched, each ...")
    if category == "wrapUp" and "dial" in expect.values:
        reader.problem(expect.span("dial"), "wrapUp rules do not dial: remove this")
    return Population(
        name=fields.get("name"),
        tags=fields.get("tags", ()),
        contacts=fields.get("contacts"),
        category=category,
        on_bad_row=fields.get("onBadRow", "fail"),
        blank_columns=fields.get("missingColumns", "fail") == "blank",
        expect=_expect(expect),
        span=fields.node.span,
        name_span=fields.span("name"),
        contacts_spans=tuple(node.span for node in _items(fields.node, "contacts")) or (fields.span("contacts"),),
    )


def _expect(fields: Fields) -> PopulationExpect:
    spans = dict(fields.spans)
    for key, node in fields.node.entries:
        if isinstance(node, Mapping):
            spans.update({f"{key.text}.{entry.key.text}": entry.key.span for entry in node.entries})
    values = {key: value for key, value in fields.values.items() if key != "each"}
    return PopulationExpect(**values, each=tuple(map(_statement, fields.get("each", ()))), spans=spans)


def _statement(fields: Fields) -> Statement:
    kind: Literal["always", "never"] = "never" if "never" in fields.node else "always"
    text, where = fields.node.get(kind), fields.node.get("where")
    assert isinstance(text, Scalar)
    return Statement(kind, _cel(text), _cel(where) if isinstance(where, Scalar) else None, fields.node.span)


def _cel(node: Scalar) -> When:
    return When(node.text, node.span, node)


def report_cel(reader: Reader, root: Node) -> None:
    """Report the CEL that does not parse in a file that is wrong elsewhere, which nobody will compile."""
    from dialproof.cel.parse import CelSyntaxError, parse

    for population in _items(root, "population"):
        for statement in _items(population.get("expect") if isinstance(population, Mapping) else None, "each"):
            for key in ("always", "never", "where"):
                node = statement.get(key) if isinstance(statement, Mapping) else None
                if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text.strip():
                    continue
                try:
                    parse(node.text)
                except CelSyntaxError as error:
                    reader.problem(node.part(error.offset, error.offset + 1), str(error), "DP103")


def _items(node: Node | None, key: str) -> Iterable[Node]:
    items = node.get(key) if isinstance(node, Mapping) else None
    return items.items if isinstance(items, Sequence) else ()
