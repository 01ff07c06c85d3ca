"""The coverage of rules files as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.coverage.goals import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.coverage.goals import Coverage

__all__ = ["table"]

_TITLES = {"mcdc": "MC/DC"}


def table(coverage: Sequence[Coverage]) -> Iterator[str]:
    """Yield a line for each rules file, below a line of titles; nothing where no file was covered at all."""
    files = [file for campaign in coverage for file in campaign.files]
    if not files:
        return
    columns = tuple(dict.fromkeys(KINDS.values()))
    rows = [("coverage", *(_TITLES.get(column, column) for column in columns), "all")]
    for file in files:
        shares = (f"{file.shares[column].met}/{file.shares[column].of}" for column in columns)
        rows.append((file.path, *shares, f"{file.shown_percent} %"))
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for first, *others in rows:
        yield "  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])])
