"""What all items of ours have in common: their place in the file, their id, and the shape of their failures."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import DialproofError
from pytest_dialproof.failure import ItemFailed, failure_repr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from dialproof.model.contacts import ContactsFile
    from dialproof.project import Campaign
    from pytest_dialproof.projects import SessionProject

__all__ = ["ContactsItem", "DialproofItem"]


class DialproofItem(pytest.Item):
    """An item of a file of ours; ``file`` is its path in the project, ``line`` is 1-based.

    ``check`` leaves in ``facts`` what it found that the report of the call carries to the controller: plain data only.
    """

    def __init__(
        self, name: str, parent: pytest.Collector, *, place: SessionProject, file: str, line: int, **kwargs: Any
    ) -> None:
        super().__init__(name, parent, **kwargs)
        self.place, self.file, self.line = place, file, line
        self.dialproof_place = (place.root, f"{file}::{name}")
        self._place_facts = {"root": place.root, "id": self.dialproof_place[1]}
        self.facts: dict[str, Any] = {}
        self._verdict = ""

    def runtest(self) -> None:
        """Check the item, and keep what came of it: what plugins make of the report afterwards is no proof."""
        first = not self._verdict
        self._verdict = "failed"
        self.facts = {}
        self.check()
        self._verdict = "passed" if first else "rerun"

    @abstractmethod
    def check(self) -> None:
        """Return if the item passes; otherwise raise what ``fails`` returns."""

    def dialproof_facts(self, when: str) -> dict[str, Any]:
        """Return what the report of a phase carries to the controller: plain data only."""
        called = {"verdict": self._verdict, **self.facts} if when == "call" else {}
        return {**self._place_facts, **called}

    def fails(self, summary: str, text: str = "", *, file: str | None = None, line: int | None = None) -> ItemFailed:
        """Return the failure of this item, at a place of its own file unless another is given."""
        return ItemFailed(self.place.shown(file or self.file), line or self.line, summary, text)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, the 0-based line and the name."""
        return self.path, self.line - 1, self.name

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """Return failures in our shape; a defect of ours keeps its traceback."""
        error = excinfo.value
        if isinstance(error, ItemFailed):
            return failure_repr(error)
        if isinstance(error, DialproofError | pytest.PytestWarning):
            first, _, rest = str(error).partition("\n")
            return failure_repr(self.fails(first, rest))
        return super().repr_failure(excinfo, style)


class ContactsItem(DialproofItem):
    """An item of a contacts file, whose contacts are run in one campaign; ``-k`` finds it by its tags."""

    def __init__(self, *, contacts: ContactsFile, campaign: Campaign, tags: Iterable[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.contacts, self.campaign = contacts, campaign
        self.extra_keyword_matches.update(tag for tag in tags if tag.isidentifier())

    def note_place(self) -> None:
        """Say in the JUnit report which campaign it is, and where it stands."""
        self.user_properties += [
            ("campaign", self.campaign.id),
            ("file", self.place.shown(self.file)),
            ("line", str(self.line)),
        ]

    def note_rules(self, rules: Iterable[str]) -> None:
        """Say in the JUnit report which rules a failure is about, each once."""
        self.user_properties += [("rule", rule) for rule in dict.fromkeys(rules)]
