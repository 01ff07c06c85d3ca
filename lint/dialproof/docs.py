"""The pages of the checks, made from their docstrings: ``python -m dialproof.docs docs/checks`` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dialproof.checks.base import Check

__all__ = ["page", "pages", "write"]


def page(check: Check) -> str:
    """Return the page of one check, in Markdown."""
    summary, _, body = check.doc.strip().partition("\n")
    head = f"# {check.name} ({check.code})\n\n{summary}\n\nSeverity: {check.severity}. Family: {check.family}.\n"
    return f"{head}\n{body.strip()}\n"


def pages(checks: Iterable[Check]) -> Mapping[str, str]:
    """Return file name -> text of every page and of the table of all checks."""
    ordered = sorted(checks, key=lambda check: check.code)
    rows = [f"| {c.code} | [{c.name}]({c.name}.md) | {c.severity} | {c.family} | {c.summary} |" for c in ordered]
    index = [
        "# Checks",
        "",
        "`dialproof lint` and `pytest` run these checks. `dialproof explain CODE` prints a page on the terminal.",
        "",
        "| code | name | severity | family | what it reports |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]
    return {"index.md": "\n".join(index), **{f"{check.name}.md": page(check) for check in ordered}}


def write(folder: Path) -> None:
    """Write the pages of the built-in checks into a folder, and delete pages of checks that are gone."""
    from dialproof.checks.registry import built_in_checks

    wanted = pages(built_in_checks())
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.md")):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
