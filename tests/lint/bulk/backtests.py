"""Projects for ``dialproof backtest``, and what it says of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dialproof.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["report_of", "write_project"]


def write_project(folder: Path, contact_list: str, rules: str) -> None:
    """Write a project of one campaign; its folder may be there already."""
    folder.mkdir(exist_ok=True)
    (folder / "dialproof.toml").write_text("")
    (folder / "c.contactlist.yaml").write_text(contact_list)
    (folder / "c.rules.yaml").write_text(rules)


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the report of a backtest that succeeds, as JSON."""
    assert main(["backtest", *arguments, "-f", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document
