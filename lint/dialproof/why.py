"""Why rules do to a contact what they do, in words and as JSON; no format shows the value of a personal column."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof.analysis.answers import Nowhere, Unknown, require
from dialproof.analysis.causes import Cause, Change
from dialproof.cel.values import MISSING, lookup, number_text, read_text
from dialproof.findings import Witness
from dialproof.output.json_text import witness_json
from dialproof.output.masking import MASK, is_personal, mask_witness, personal_columns
from dialproof.output.report import printable
from dialproof.output.witness import outcome_text, value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from dialproof.analysis.aspects import Aspect
    from dialproof.analysis.causes import Causes
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable
    from dialproof.model.rules import Category
    from dialproof.outcome import Outcome
    from dialproof.project import Campaign

_OTHERS = 2
"""Further causes that people are told."""

__all__ = ["FORMATS", "Answer", "Report", "answers_of"]


@dataclass(frozen=True)
class Answer:
    """Why one aspect of a contact is as it is, and which change of the contact makes it otherwise."""

    aspect: Aspect
    cause: Cause | Unknown
    change: Change | Nowhere | Unknown


@dataclass(frozen=True)
class Report:
    """A contact (``label`` says which) and the answers about it."""

    label: str
    campaign: Campaign
    category: Category
    causes: Causes
    answers: Sequence[Answer]

    @property
    def personal(self) -> frozenset[str]:
        """The columns whose values are not shown."""
        return personal_columns(self.campaign.contact_list)

    def witness(self, scene: Scene, outcome: Outcome) -> Witness:
        """Return a contact and its outcome as they may be shown."""
        return mask_witness(Witness(scene.contact, scene.context, scene.now, outcome), self.personal)


def answers_of(causes: Causes, aspects: Sequence[Aspect]) -> list[Answer]:
    """Return the answers about a contact; what is shown was run, and comes to something else."""
    answers = [Answer(aspect, causes.cause(aspect), causes.change(aspect)) for aspect in aspects]
    for answer in answers:
        if isinstance(answer.change, Change):
            before, after = (answer.aspect.of(outcome) for outcome in (causes.outcome, answer.change.outcome))
            require(before != after, "the nearest contact comes to the same")
    return answers


# For people.


def as_text(report: Report) -> str:
    """Return the report for a terminal."""
    return "".join(f"{printable(line)}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    causes = report.causes
    here = report.witness(causes.scene, causes.outcome)
    when = "after the call" if report.category == "wrapUp" else "before the call"
    yield f"{report.label}, campaign {report.campaign.id}, {when}"
    yield f"  {outcome_text(here.outcome, here.contact)}"
    if causes.outside:
        yield f"  the contact list file excludes what it holds in {', '.join(causes.outside)}"
    for answer in report.answers:
        yield ""
        yield f"{answer.aspect.name}: {_value_text(answer.aspect, causes.outcome, report.personal)}"
        yield from (f"  {line}" for line in _because(answer.cause, here))
        yield from (f"  {line}" for line in _unless(answer.change, report, here))


def _because(cause: Cause | Unknown, here: Witness) -> Iterator[str]:
    if isinstance(cause, Unknown):
        yield f"why is not decided: {cause.reason}"
        return
    if not cause.columns:
        yield "because of nothing in this contact: so it is for every one (proved)"
        return
    less = "" if cause.smallest else " (perhaps less would do)"
    for number, columns in enumerate((cause.columns, *cause.others[:_OTHERS])):
        values = ", ".join(f"{_name(variable)} = {_text_of(variable, here)}" for variable in columns)
        yield f"{'because' if number == 0 else 'and because'} {values}, whatever else it holds{less}"


def _unless(change: Change | Nowhere | Unknown, report: Report, here: Witness) -> Iterator[str]:
    if isinstance(change, Unknown):
        yield f"with what it would be otherwise is not decided: {change.reason}"
    elif isinstance(change, Change):
        there = report.witness(change.scene, change.outcome)
        parts = [_changed(v, here, there, report.personal) for v in change.columns]
        yield f"otherwise with {', '.join(parts)}" + ("" if change.smallest else " (perhaps less would do)")
        yield f"  {outcome_text(there.outcome, there.contact)}"


def _changed(variable: Variable, here: Witness, there: Witness, personal: frozenset[str]) -> str:
    if is_personal(variable.source, variable.name, personal):
        return f"another {_name(variable)}"
    return f"{_name(variable)} = {_text_of(variable, there)} instead of {_text_of(variable, here)}"


def _name(variable: Variable) -> str:
    return "now" if variable.source == "now" else variable.name


def _text_of(variable: Variable, witness: Witness) -> str:
    value = _value_of(variable, witness)
    return "(blank)" if value is None or value == "" else value if variable.source == "now" else value_text(value)  # type: ignore[return-value]


def _value_of(variable: Variable, witness: Witness) -> object:
    if variable.source == "now":
        return witness.now
    value = lookup(witness.contact if variable.source == "contact" else witness.context, variable.name)
    return None if value is MISSING else value


def _value_text(aspect: Aspect, outcome: Outcome, personal: frozenset[str]) -> str:
    """Return the value of an aspect in words."""
    value: Hashable = aspect.of(outcome)
    if value is None:
        reason = f", {outcome.reason}" if aspect.thing[0] == "dial" and outcome.reason else ""
        return f"no{reason}"
    if aspect.thing[0] == "setAttribute" and aspect.thing[1] in personal:
        return MASK
    match value:
        case ("set", str(text)):
            return value_text(text)
        case ("time",):
            return "the time of the call"
        case ("by", float(amount)):
            return f"{'+' if amount >= 0 else '-'}{number_text(abs(amount))}"
    return "yes"


# For programs.


def as_json(report: Report) -> str:
    """Return the report as one JSON document."""
    causes = report.causes
    here = report.witness(causes.scene, causes.outcome)
    document = {
        "campaign": report.campaign.id,
        "category": report.category,
        **witness_json(here),
        "outside": list(causes.outside),
        "answers": [_answer_data(answer, report, here) for answer in report.answers],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=read_text) + "\n"


def _answer_data(answer: Answer, report: Report, here: Witness) -> dict[str, Any]:
    return {
        "what": answer.aspect.name,
        "value": _value_text(answer.aspect, report.causes.outcome, report.personal),
        "cause": _cause_data(answer.cause, here),
        "nearest": _change_data(answer.change, report, here),
    }


def _cause_data(cause: Cause | Unknown, here: Witness) -> dict[str, Any]:
    if isinstance(cause, Unknown):
        return {"answer": "unknown", "reason": cause.reason}
    first, *others = ({_name(v): _value_of(v, here) for v in s} for s in (cause.columns, *cause.others))
    return {"answer": "found", "columns": first, "others": others, "smallest": cause.smallest}


def _change_data(change: Change | Nowhere | Unknown, report: Report, here: Witness) -> dict[str, Any]:
    if isinstance(change, Unknown):
        return {"answer": "unknown", "reason": change.reason}
    if isinstance(change, Nowhere):
        return {"answer": "nowhere"}
    there = report.witness(change.scene, change.outcome)
    columns = {_name(v): {"from": _value_of(v, here), "to": _value_of(v, there)} for v in change.columns}
    return {"answer": "found", "columns": columns, "smallest": change.smallest, **witness_json(there)}


FORMATS: Mapping[str, Callable[[Report], str]] = {"text": as_text, "json": as_json}
