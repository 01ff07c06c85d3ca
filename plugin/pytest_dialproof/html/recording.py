"""Keeps what the page says of each item; it imports the standard library and pytest alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

__all__ = ["ItemRecord", "ItemRecorder"]


@dataclass
class ItemRecord:
    """One item of ours: how it ended, in how many seconds, what it printed and, where it failed, why.

    ``outcome`` is "passed", or that of the last phase that did not pass. ``population`` tells of a whole list of
    contacts: campaign, name, contacts, and dialed (None behind a call).
    """

    name: str
    outcome: str = "passed"
    seconds: float = 0.0
    text: str = ""
    printed: str = ""
    population: Mapping[str, Any] = field(default_factory=dict)


class ItemRecorder:
    """Registered as a plugin of the controller where a page is asked for; ``items`` by root, then by item id."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, ItemRecord]] = {}
        self.others = 0  # tests of other kinds that failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of one of our items; of others, that one failed."""
        data: dict[str, Any] | None = getattr(report, "dialproof", None)
        if data is None:
            self.others += report.failed
            return
        record = self.items.setdefault(data["root"], {}).setdefault(data["id"], ItemRecord(data["id"]))
        record.seconds += report.duration
        if report.when == "call":
            record.printed = "".join(text for title, text in report.sections if title.endswith("dialproof"))
            record.population = data.get("population", {})
        if report.outcome != "passed":
            record.outcome = report.outcome
            record.text = report.longreprtext if report.failed else str(report.longrepr or "")
