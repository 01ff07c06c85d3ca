"""One lint result, and the contact that shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dialproof.outcome import Outcome
    from dialproof.source.positions import Span

__all__ = ["SEVERITIES", "DeferredWitness", "Edit", "Finding", "Severity", "Witness", "docs_url"]

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
"""From the mildest to the gravest."""


def docs_url(name: str) -> str:
    """Return the address of the page of the check called ``name``."""
    return f"https://dialproof.dev/checks/{name}/"


@dataclass(frozen=True, slots=True)
class Witness:
    """A contact that shows a finding, with the outcome of the evaluator; ``other`` where two outcomes are compared.

    ``contact``, ``context`` and ``now`` are what was run; ``labels`` names the outcomes ("as written", "without RULE").
    """

    contact: Mapping[str, object] = field(repr=False)
    context: Mapping[str, object] = field(repr=False)
    now: str
    outcome: Outcome
    other: Outcome | None = None
    labels: tuple[str, str] = ("outcome", "other")


class DeferredWitness(Witness):
    """A witness that is made when somebody looks at it: of thousands of findings only a few are shown."""

    __slots__ = ("_made", "_make")
    _make: Callable[[], Witness]
    _made: Witness | None

    def __init__(self, make: Callable[[], Witness]) -> None:
        object.__setattr__(self, "_make", make)
        object.__setattr__(self, "_made", None)

    @property
    def witness(self) -> Witness:
        """The witness itself."""
        if self._made is None:
            object.__setattr__(self, "_made", self._make())
        assert self._made is not None
        return self._made

    @property
    def contact(self) -> Mapping[str, object]:
        """The contact that was run."""
        return self.witness.contact

    @property
    def context(self) -> Mapping[str, object]:
        """What surrounded the call."""
        return self.witness.context

    @property
    def now(self) -> str:
        """The clock of the run."""
        return self.witness.now

    @property
    def outcome(self) -> Outcome:
        """What the run came to."""
        return self.witness.outcome

    @property
    def other(self) -> Outcome | None:
        """The outcome it is compared with."""
        return self.witness.other

    @property
    def labels(self) -> tuple[str, str]:
        """The names of the two outcomes."""
        return self.witness.labels


@dataclass(frozen=True, slots=True)
class Edit:
    """A repair: ``text`` in place of a span of a file (an empty span inserts); positions are those that were read."""

    path: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One lint result.

    ``rules`` are the names of the rules it is about, the first one being where it stands; ``details`` is free text of
    several lines; ``fix`` a sentence that says what to do; ``personal`` tells that the line it stands in holds a value
    of a personal column and must not be shown. ``edits`` repair it, all of them together; they are ``safe`` where no
    outcome changes.
    """

    code: str
    name: str
    severity: Severity
    path: str
    span: Span
    summary: str
    details: str = ""
    rules: tuple[str, ...] = ()
    campaign: str = ""
    witness: Witness | None = None
    fix: str = ""
    personal: bool = False
    edits: tuple[Edit, ...] = ()
    safe: bool = True

    @property
    def url(self) -> str:
        """The address of the check's page."""
        return docs_url(self.name)

    @property
    def sort_key(self) -> tuple[str, int, int, str, tuple[str, ...], str]:
        """Path, line, column, code: the stable order of every report."""
        return (self.path, self.span.line, self.span.column, self.code, self.rules, self.summary)
