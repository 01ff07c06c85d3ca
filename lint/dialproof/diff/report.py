"""What a diff tells: for people, for a pull request, and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.analysis.answers import Unknown
from dialproof.diff.campaigns import reasons_of
from dialproof.output.json_text import witness_json
from dialproof.output.markdown import code_span, text_block
from dialproof.output.report import count, printable
from dialproof.output.witness import witness_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialproof.analysis.comparison import Direction, Relations
    from dialproof.diff.campaigns import CampaignDiff, Contact, Shown, Who

__all__ = ["FORMATS", "Report"]

_NAMED = 12
"""Things that are equal and are named; further ones are counted."""
_COLUMNS = 4
"""Columns that tell people which contacts are meant; with more they look at one of them rather."""


@dataclass(frozen=True)
class Report:
    """Two states, called ``old`` and ``new``, and what became of each campaign."""

    old: str
    new: str
    campaigns: Sequence[CampaignDiff]

    @property
    def equal(self) -> bool:
        """Whether nothing is different in any campaign."""
        return all(campaign.equal for campaign in self.campaigns)


def _headline(campaign: CampaignDiff) -> str:
    if campaign.only:
        return f"only in {campaign.only}"
    if campaign.unread:
        return f"not compared: {campaign.unread}"
    if campaign.equal:
        return "equal for every contact (proved)"
    return f"{len(campaign.differing)} of {count(len(campaign.relations), 'thing')} that the rules do are not equal"


def _same(campaign: CampaignDiff) -> list[str]:
    """Return the names of what is equal, those beyond a dozen as a number."""
    names = [aspect.name for aspect in campaign.same]
    more = len(names) - _NAMED
    return names if more <= 1 else [*names[:_NAMED], f"{more} more"]


def _who_lines(who: Who, what: str) -> Iterator[str]:
    """Yield which contacts gain or lose it, nothing where that is not known of all of them or takes many words."""
    if any(len(part) > _COLUMNS for part in who.parts):
        return
    parts = [", ".join(f"{name} {text}" for name, text in part.items()) for part in who.parts]
    if who.every and not all(parts):
        yield f"{what} by every contact"
    elif who.every:
        yield f"{what} by exactly the contacts with {parts[0]}"
        yield from (f"and those with {part}" for part in parts[1:])


def _gains(contact: Contact) -> str:
    sides = (("gains", contact.gained), ("loses", contact.lost))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in sides if names)


# For people.


def as_text(report: Report) -> str:
    """Return the report for a terminal."""
    lines = [f"{report.old} -> {report.new}"]
    for campaign in report.campaigns:
        lines += ["", *_text_of(campaign)]
    return "".join(f"{printable(line)}\n" for line in lines)


def _text_of(campaign: CampaignDiff) -> Iterator[str]:
    yield f"campaign {campaign.id}: {_headline(campaign)}"
    if campaign.counted is not None:
        yield f"counted over {_counted_over(campaign, campaign.counted)}"
    rows = list(_rows(campaign))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row, found in zip(rows, campaign.differing, strict=True):
        yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        yield from (f"    {line}" for line in [*_whose(campaign, found), *reasons_of(found)])
    if campaign.same and not campaign.equal:
        yield f"  equal (proved): {', '.join(_same(campaign))}"
    yield from (f"  {line}" for line in _outside(campaign))
    for number, contact in enumerate(campaign.contacts, 1):
        yield ""
        yield f"  contact {number} {_gains(contact)}"
        yield from (f"    {line}" for line in witness_lines(contact.witness))


def _rows(campaign: CampaignDiff) -> Iterator[tuple[str, ...]]:
    """Yield a line of the table for each thing that differs."""
    for found in campaign.differing:
        yield (found.aspect.name, found.name, _shown_by(campaign, found), *_counted(campaign, found))


def _shown_by(campaign: CampaignDiff, found: Relations) -> str:
    shown = (campaign.shown.get((found.aspect, gains)) for gains in (True, False))
    known = dict.fromkeys(str(one.contact) for one in shown if one is not None)
    return f"contact {' and '.join(known)}" if known else ""


def _whose(campaign: CampaignDiff, found: Relations) -> Iterator[str]:
    """Yield who gains it and who loses it, where that can be said of all of them."""
    for gains in (True, False):
        shown = campaign.shown.get((found.aspect, gains))
        if shown is not None:
            yield from _who_lines(shown.who, "gained" if gains else "lost")


def _counted(campaign: CampaignDiff, found: Relations) -> tuple[str, ...]:
    if campaign.counted is None:
        return ()
    number = campaign.counts[found.aspect]
    return (f"+{number.gained:,} -{number.lost:,}",)


def _counted_over(campaign: CampaignDiff, contacts: int) -> str:
    left_out = f", {count(campaign.left_out, 'bad row')} left out" if campaign.left_out else ""
    return f"{count(contacts, 'contact')}{left_out}"


def _outside(campaign: CampaignDiff) -> Iterator[str]:
    """Yield what is equal for every contact of the domain, and yet differs for some that were counted."""
    for aspect in campaign.same:
        number = campaign.counts.get(aspect)
        if number is not None and (number.gained or number.lost):
            changes = f"{aspect.name}: +{number.gained:,} -{number.lost:,}"
            yield f"{changes}, all of them with values that the contact list file excludes"


# For a pull request.


def as_markdown(report: Report) -> str:
    """Return the report as a comment of a pull request."""
    lines = [f"### dialproof diff: {code_span(report.old)} → {code_span(report.new)}"]
    for campaign in report.campaigns:
        lines += ["", *_markdown_of(campaign)]
    return "".join(f"{line}\n" for line in lines)


def _markdown_of(campaign: CampaignDiff) -> Iterator[str]:
    yield f"#### Campaign {code_span(campaign.id)}"
    yield ""
    headline = _headline(campaign)
    yield from text_block([headline]) if campaign.unread else [f"{headline[0].upper()}{headline[1:]}."]
    if campaign.only or campaign.unread or campaign.equal:
        return
    counted = campaign.counted
    yield ""
    yield f"| what rules do | now | shown by |{'' if counted is None else ' counted |'} who |"
    yield f"|---|---|---|{'' if counted is None else '---|'}---|"
    for found, (name, *cells) in zip(campaign.differing, _rows(campaign), strict=True):
        who = "<br>".join(map(code_span, _whose(campaign, found)))
        yield f"| {' | '.join([code_span(name), *cells, who])} |"
    if counted is not None:
        yield ""
        yield f"Counted over {_counted_over(campaign, counted)}."
    for number, contact in enumerate(campaign.contacts, 1):
        lines = text_block(witness_lines(contact.witness))
        yield from ("", f"<details><summary>Contact {number} {_summary(_gains(contact))}</summary>", "")
        yield from (*lines, "", "</details>")
    notes = [f"{f.aspect.name}: {reason}" for f in campaign.differing for reason in reasons_of(f)]
    notes += _outside(campaign)
    if notes:
        yield from ("", *text_block(notes))
    if campaign.same:
        yield from ("", f"Equal for every contact (proved): {', '.join(map(code_span, _same(campaign)))}.")


def _summary(text: str) -> str:
    """Return a text inside of HTML."""
    from html import escape

    return escape(printable(text))


# For programs.


def as_json(report: Report) -> str:
    """Return the report as one JSON document."""
    document = {
        "old": report.old,
        "new": report.new,
        "equal": report.equal,
        "campaigns": [_campaign_data(campaign) for campaign in report.campaigns],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _campaign_data(campaign: CampaignDiff) -> dict[str, Any]:
    return {
        "campaign": campaign.id,
        "only_in": campaign.only or None,
        "not_compared": campaign.unread or None,
        "equal": campaign.equal,
        "contacts_counted": campaign.counted,
        "left_out": campaign.left_out,
        "things": [_relation_data(campaign, found) for found in campaign.relations],
        "contacts": [
            {
                "category": contact.category,
                "gains": list(contact.gained),
                "loses": list(contact.lost),
                **witness_json(contact.witness),
            }
            for contact in campaign.contacts
        ],
    }


def _relation_data(campaign: CampaignDiff, found: Relations) -> dict[str, Any]:
    data: dict[str, Any] = {
        "what": found.aspect.name,
        "category": found.aspect.category,
        "relation": found.name,
        "gained": _direction_data(found.gained, campaign.shown.get((found.aspect, True))),
        "lost": _direction_data(found.lost, campaign.shown.get((found.aspect, False))),
    }
    number = campaign.counts.get(found.aspect)
    if number is not None:
        data["counts"] = {"gained": number.gained, "lost": number.lost}
    return data


def _direction_data(direction: Direction, shown: Shown | None) -> dict[str, Any]:
    if isinstance(direction.answer, Unknown):
        return {"answer": "unknown", "reason": direction.answer.reason}
    if shown is None:
        return {"answer": "nowhere"}
    who = shown.who
    return {
        "answer": "found",
        "contact": shown.contact,
        "who": [dict(part) for part in who.parts],
        "who_is_complete": who.every,
    }


FORMATS: Mapping[str, Callable[[Report], str]] = {"text": as_text, "markdown": as_markdown, "json": as_json}
