"""Drift for people and programs: text, JSON, and Markdown; no format shows the value of a personal column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dialproof.output.markdown import code_span
from dialproof.output.report import count, printable
from dialproof.output.witness import outcome_text, witness_lines
from dialproof_deploy.markdown import text_block
from dialproof_deploy.redact import redact, scrub

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof_deploy.drift.baseline import Basis
    from dialproof_deploy.drift.find import CampaignDrift, Drift
    from dialproof_deploy.drift.meaning import Effect
    from dialproof_deploy.drift.rules import RuleState, State

__all__ = ["FORMATS", "render"]

FORMATS = {
    "text": "for people",
    "json": "for programs",
    "markdown": "for a comment or a message",
}
"""Format -> what it is for."""

_SIGNS: Mapping[State, str] = {"changed": "~", "added": "+", "deleted": "-", "kept changed": "~", "kept deleted": "-"}
_WORDS: Mapping[State, str] = {
    "changed": "is not what was deployed",
    "added": "was not deployed",
    "deleted": "was deployed and is gone",
    "kept changed": "is tolerated (keep) and was changed since the last deploy",
    "kept deleted": "was tolerated (keep) at the last deploy and is gone",
}
_WORDS_OF_FILES: Mapping[State, str] = {**_WORDS, "changed": "is not as in the files", "added": "is in no file"}
_SIDE: Mapping[Basis, str] = {"deployed": "deployed", "files": "in the files"}
_SAME: Mapping[Basis, str] = {"deployed": "as deployed", "files": "as in the files"}


def render(name: str, drift: Drift) -> str:
    """Return the drift in the format called ``name``, ending in a newline."""
    if name == "json":
        return json.dumps(_data(drift), indent=2, ensure_ascii=False) + "\n"
    lines = _markdown(drift) if name == "markdown" else _text(drift)
    return "".join(f"{line}\n" for line in lines)


def _summary(drift: Drift) -> str:
    drifted = sum(len(campaign.drifted) for campaign in drift.campaigns)
    pending = sum(state.state == "pending" for campaign in drift.campaigns for state in campaign.states)
    moved = sum(len(campaign.attachments) for campaign in drift.campaigns)
    parts = [f"{count(drifted, 'rule')} drifted"] if drifted else []
    parts += [f"{count(moved, 'campaign')} with other rule sets"] if moved else []
    what = ", ".join(parts) or "no drift"
    return f"Drift of environment {drift.environment}: {what}" + (f", {pending} not deployed yet" if pending else "")


def _text(drift: Drift) -> Iterator[str]:
    for campaign in drift.campaigns:
        yield f"{_where(campaign)}: {_counts(campaign)}"
        for state in campaign.drifted:
            yield f"  {_SIGNS[state.state]} {_sentence(campaign, state)}"
            yield from (f"      {redact(str(difference))}" for difference in campaign.differences(state))
        yield from (f"  ~ {sentence}" for sentence in _attachments(campaign))
        for effect in campaign.effects.found:
            yield f"  {printable(_effect(campaign, effect))}"
            yield from (f"      {redact(line)}" for line in witness_lines(effect.witness))
        yield from (f"  Note: {printable(redact(note))}" for note in _notes(campaign))
    yield _summary(drift)


def _markdown(drift: Drift) -> Iterator[str]:
    yield from ("### dialproof drift", "", code_span(_summary(drift)))
    for campaign in drift.campaigns:
        yield from ("", f"#### {code_span(_where(campaign))}", "", _counts(campaign))
        if campaign.drifted:
            yield from ("", f"| | rule | {_SIDE[campaign.basis]} → on the target |", "|---|---|---|")
        for state in campaign.drifted:
            cells = [code_span(redact(str(difference))) for difference in campaign.differences(state)]
            said = code_span(_when(campaign, state)) if _when(campaign, state) else ""
            what = "<br>".join([*([said] if said else []), *cells])
            yield f"| {_SIGNS[state.state]} {state.state} | {code_span(state.rule)} | {what} |"
        if attachments := _attachments(campaign):
            yield from ("", *text_block(attachments))
        for effect in campaign.effects.found:
            yield from ("", *text_block([_effect(campaign, effect), *witness_lines(effect.witness)]))
        if notes := _notes(campaign):
            yield from ("", *text_block(notes))


def _where(campaign: CampaignDrift) -> str:
    plan = campaign.plan
    named = plan.logical or plan.campaign
    name = named if named == plan.campaign or plan.holder != "campaign" else f"{named} ({plan.campaign})"
    return printable(f"Campaign {name}" if plan.holder == "campaign" else f"Rule set {plan.campaign!r}")


def _counts(campaign: CampaignDrift) -> str:
    numbers = {
        "drifted": len(campaign.drifted),
        _SAME[campaign.basis]: sum(state.state == "same" for state in campaign.states),
        "not deployed yet": sum(state.state == "pending" for state in campaign.states),
        "kept": sum(state.state == "kept" for state in campaign.states),
    }
    return ", ".join(f"{number} {what}" for what, number in numbers.items() if number) or "no rules"


def _sentence(campaign: CampaignDrift, state: RuleState) -> str:
    when = _when(campaign, state)
    words = _WORDS if campaign.basis == "deployed" else _WORDS_OF_FILES
    return printable(f"rule {state.rule!r} {words[state.state]}" + (f": {when}" if when else ""))


def _when(campaign: CampaignDrift, state: RuleState) -> str:
    change = campaign.changes.get(state.rule)
    if change is None:
        return ""
    return printable(f"{change.event} at {change.time} by {redact(change.by) or 'somebody else'}")


def _effect(campaign: CampaignDrift, effect: Effect) -> str:
    if campaign.basis == "files":
        if effect.dialed:
            return f"contacts are dialed that rule {effect.rule!r} refuses in the files, such as"
        return f"contacts are not dialed that the files dial, because of rule {effect.rule!r}, such as"
    if effect.dialed:
        return f"contacts are dialed that rule {effect.rule!r} refused as deployed, such as"
    return f"contacts are not dialed any more, because of rule {effect.rule!r}, such as"


def _attachments(campaign: CampaignDrift) -> list[str]:
    return [printable(s) for each in campaign.attachments for s in each.sentences(campaign.plan.campaign)]


def _notes(campaign: CampaignDrift) -> list[str]:
    return [*campaign.effects.open, *campaign.notes]


def _data(drift: Drift) -> dict[str, Any]:
    return {
        "environment": drift.environment,
        "drift": bool(drift),
        "campaigns": [
            {
                "campaign": campaign.plan.logical or campaign.plan.campaign,
                "remote_id": campaign.plan.campaign,
                "compared_with": campaign.basis,
                "rules": [_rule_data(campaign, state) for state in campaign.states],
                "attachments": [attachment.to_json() for attachment in campaign.attachments],
                "effects": [_effect_data(campaign, effect) for effect in campaign.effects.found],
                "notes": scrub(_notes(campaign)),
            }
            for campaign in drift.campaigns
        ],
    }


def _rule_data(campaign: CampaignDrift, state: RuleState) -> dict[str, Any]:
    change = campaign.changes.get(state.rule)
    return {
        "rule": state.rule,
        "rule_id": state.rule_id or None,
        "state": state.state,
        "drift": state.drifted,
        "differences": [
            {"field": d.field, campaign.basis: scrub(d.before), "target": scrub(d.after)}
            for d in campaign.differences(state)
        ],
        "changed": None if change is None else scrub({"time": change.time, "event": change.event, "by": change.by}),
    }


def _effect_data(campaign: CampaignDrift, effect: Effect) -> dict[str, Any]:
    witness = effect.witness
    assert witness.other is not None
    return {
        "rule": effect.rule,
        "dialed": effect.dialed,
        "contact": scrub(witness.contact),
        "context": scrub(witness.context),
        "now": witness.now,
        "target": scrub(outcome_text(witness.outcome, witness.contact)),
        campaign.basis: scrub(outcome_text(witness.other, witness.contact)),
    }
