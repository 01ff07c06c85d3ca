"""What the checks of the family ``changes`` share: where a finding about an old rule stands, and how it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialproof.analysis.answers import require
from dialproof.analysis.witness import shown_by
from dialproof.model.contactlist import Column, ContactList
from dialproof.output.masking import masked
from dialproof.source import Mapping

if TYPE_CHECKING:
    from dialproof.analysis.answers import Found, Unknown
    from dialproof.analysis.difference import Difference
    from dialproof.analysis.witness import Scene
    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding
    from dialproof.model.rules import Rule
    from dialproof.outcome import Outcome
    from dialproof.source.positions import Span

__all__ = ["leave_open", "place_of", "shown", "was_at"]


def place_of(ctx: CheckContext, old: Rule, now: Rule | None) -> tuple[str, Span]:
    """Return where something about an old rule is said: at its name, or where the rules begin that it is missing from.

    These are the ones of its own file, or of the first of the campaign where that is gone.
    """
    if now is not None:
        return now.path, now.name_span
    assert ctx.base is not None
    files = ctx.campaign.files
    file = next((f for f in files if f.path == ctx.base.here(old.path)), files[0])
    assert isinstance(file.source.root, Mapping)
    entry = file.source.root.entry("rules")
    assert entry is not None
    return file.path, entry.key.span


def leave_open(ctx: CheckContext, old: Rule, now: Rule | None, why: Unknown) -> None:
    """Note that a question about an old rule is not decided."""
    assert ctx.check is not None
    why = replace(why, reason=f"{why.reason} ({was_at(ctx, old)})")
    ctx.analysis.leave_open(ctx.check.code, (now or ctx.campaign.rules[0],), why)


def was_at(ctx: CheckContext, old: Rule) -> str:
    """Return where a rule stood at the base, as a line of details."""
    assert ctx.base is not None
    return f'"{old.name}" at {ctx.base.revision}: {ctx.base.here(old.path)}:{old.name_span.line}'


def shown(ctx: CheckContext, finding: Finding, difference: Difference, found: Found) -> Finding:
    """Return the finding with a contact that was refused at the base and is dialed now."""
    assert ctx.base is not None

    def outcomes(scene: Scene) -> tuple[Outcome, Outcome]:
        now, before = difference.outcomes(scene)
        require(before.dial is False and now.dial is True, "the witness does not show who is dialed now")
        return now, before

    witness = shown_by(lambda: found.scene, outcomes, ("as written", f"at {ctx.base.revision}"))
    # What was personal stays hidden where the contact list of now does not know the column any more.
    hidden = {name: Column(name, "string", pii=True) for name in difference.personal}
    return (
        masked(replace(finding, witness=witness), ContactList("", hidden))
        if hidden
        else replace(finding, witness=witness)
    )
