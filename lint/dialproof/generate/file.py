"""A suite of contacts as a ``*.contacts.yaml`` file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dialproof.generate.suite import KINDS
from dialproof.model.actions import action_types
from dialproof.model.contacts import REVIEW
from dialproof.output.report import count
from dialproof.source.yaml_text import block, comment, flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialproof.generate.suite import Chosen, Suite
    from dialproof.model.rules import Category
    from dialproof.outcome import Outcome

__all__ = ["contacts_file", "summary"]

_NOWHERE = object()
_WIDTH = 118
_TO_REVIEW = (
    "Every expectation is what the rules do today, not what anybody wants. Read each: where it is wrong, correct the\n"
    f"rule; where it is right, take the tag {REVIEW} off."
)
_EMPTY = (
    "Nothing is expected yet. Until every expect says something, dialproof lint and pytest report it as an error.\n"
    "With --expect the expectations are filled in for you to review."
)


def contacts_file(suite: Suite, target: Mapping[str, str], now: str, *, expect: bool) -> str:
    """Return the text of the file; ``target`` is its key ``rules`` or ``campaign``, ``now`` its clock.

    With ``expect`` the cases say what the evaluator makes of them, and are tagged; else they expect nothing, which is
    an error wherever the file is read. Raises ``ValueError`` for a contact that YAML cannot hold.
    """
    common = _common([chosen.scene.contact for chosen in suite.contacts])
    head: dict[str, object] = {**target, "now": now}
    if suite.time_zone:
        head["timeZone"] = suite.time_zone
    if common:
        head["defaults"] = {"contact": common}
    lines = comment("Written by `dialproof generate contacts`.\n" + (_TO_REVIEW if expect else _EMPTY))
    lines += [*comment("".join(f"\n{line}" for line in summary(suite))), *block(head, 4), "cases:"]
    width = len(str(len(suite.contacts)))
    for number, chosen in enumerate(suite.contacts, 1):
        first, *more = chosen.why
        name = f"{number:0{width}} {first}" + (f" and {len(more)} more" if more else "")
        case = {"name": name, "x-why": list(chosen.why), **_case(chosen, common, now, suite.time_zone, expect=expect)}
        lines += ["", f"  - {flow({'name': name})[1:-1]}"]
        lines += [line for key, value in case.items() if key != "name" for line in _lines(key, value)]
    return "".join(f"{line}\n" for line in lines)


def _lines(key: str, value: object, indent: int = 4) -> list[str]:
    """Return a key of a case: on one line where that is short enough, else a line for each part."""
    line = f"{' ' * indent}{flow({key: value})[1:-1]}"
    if len(line) <= _WIDTH and key != "x-why":
        return [line]
    if isinstance(value, Mapping):
        parts = [part for name, inner in value.items() for part in _lines(name, inner, indent + 2)]
        return [f"{' ' * indent}{flow({key: None})[1:-6]}", *parts]
    return block({key: value}, 2, indent)


def summary(suite: Suite) -> list[str]:
    """Return how many contacts there are and what for, and what there is none for."""
    reasons = (f"{number} {KINDS[kind]}" for kind, number in suite.reasons.items())
    return [f"{count(len(suite.contacts), 'contact')}: {', '.join(reasons) or 'no reason for any'}", *suite.notes]


def _common(contacts: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the value that most contacts have in each column which all of them have."""
    found: dict[str, object] = {}
    for name in contacts[0] if contacts else ():
        if all(name in contact for contact in contacts):
            ((text, _),) = Counter(repr(contact[name]) for contact in contacts).most_common(1)
            found[name] = next(contact[name] for contact in contacts if repr(contact[name]) == text)
    return found


def _case(
    chosen: Chosen, common: Mapping[str, object], now: str, zone: str | None, *, expect: bool
) -> dict[str, object]:
    case: dict[str, object] = {"tags": [REVIEW]} if expect else {}
    if chosen.category != "preCall":
        case["category"] = chosen.category
    clock = chosen.scene.now.removesuffix("Z") if zone else chosen.scene.now
    if clock != now:
        case["now"] = clock
    contact = chosen.scene.contact
    own = {name: value for name, value in contact.items() if repr(common.get(name, _NOWHERE)) != repr(value)}
    if own:
        case["contact"] = own
    if chosen.scene.context:
        case["context"] = dict(chosen.scene.context)
    case["expect"] = _expected(chosen) if expect else {}
    return case


def _expected(chosen: Chosen) -> dict[str, object]:
    """Return everything that an outcome shows; actions are listed where nothing else shows one of them."""
    outcome = chosen.outcome
    expect: dict[str, object] = {"matched": list(outcome.matched)}
    if outcome.undecided:
        expect["undecided"] = list(outcome.undecided)
    if outcome.dial is not None:
        expect["dial"] = outcome.dial
    if outcome.lists:
        expect["lists"] = dict(outcome.lists)
    before = chosen.scene.contact
    changed = {name: value for name, value in outcome.contact.items() if name not in before or before[name] != value}
    if changed:
        expect["contact"] = changed
    if not all(_is_seen(acted.action.type, chosen.category) for acted in outcome.acted):
        expect["actions"] = _actions(outcome)
    return expect


def _is_seen(kind: str, category: Category) -> bool:
    """Tell whether lists, columns or the dialing show what an action does."""
    return kind in ("setList", "setAttribute") or category in action_types()[kind].stops_dial_in


def _actions(outcome: Outcome) -> list[dict[str, object]]:
    return [
        {"type": acted.action.type, **{name: value for name, value in acted.action.fields.items() if value is not None}}
        for acted in outcome.acted
    ]
