"""What a case expects against what the run gave, as a list of differences: what decides whether a case passes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dialproof.cel.values import MISSING, AmbiguousColumnError, lookup, read_text, same_value
from dialproof.model.actions import action_types
from dialproof.output.masking import MASK, personal_columns
from dialproof.output.report import count
from dialproof.output.witness import flat, value_text

if TYPE_CHECKING:
    from dialproof.evaluate import Evaluator
    from dialproof.model.contacts import Case, Expect, ExpectedAction
    from dialproof.outcome import Acted, Outcome
    from dialproof.project import Campaign

__all__ = ["Difference", "case_differences", "differences"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected.

    ``summary`` is a sentence; ``expected`` and ``got`` are the two sides of the diff, without personal values;
    ``rules`` the rules that decide it; ``line`` where the expectation stands, 0 if it is not written down.
    """

    key: str
    summary: str
    expected: tuple[str, ...]
    got: tuple[str, ...]
    rules: tuple[str, ...]
    line: int = 0


def differences(expect: Expect, outcome: Outcome, campaign: Campaign, broken: Collection[str] = ()) -> list[Difference]:
    """Return everything in which the outcome is not what is expected, in the order of the keys of ``expect``.

    ``broken`` are those of the expected invariants that do not hold.
    """
    if not broken and _as_expected(expect, outcome):
        return []
    return [*_Comparison(expect, outcome, campaign).all(), *(_broken(name, expect, outcome) for name in broken)]


def case_differences(
    case: Case, options: Mapping[str, Any], outcome: Outcome, evaluator: Evaluator
) -> list[Difference]:
    """Return everything in which the outcome of a case is not what it expects, the invariants that it expects included.

    ``options`` are those of its run; the invariants are those of the evaluator's campaign.
    """
    broken: Collection[str] = ()
    if case.expect.invariants:
        from dialproof.invariants import broken_by

        broken = broken_by(case.expect.invariants, evaluator, case.contact, options, outcome)
    return differences(case.expect, outcome, evaluator.campaign, broken)


def _broken(name: str, expect: Expect, outcome: Outcome) -> Difference:
    span = expect.spans.get("invariants")
    summary, line = f"the invariant {name!r} does not hold", span.line if span else 0
    return Difference("invariants", summary, (f"{name} holds",), ("it does not",), outcome.matched, line)


def _as_expected(expect: Expect, outcome: Outcome) -> bool:
    """Answer the common case quickly: only rules, dial and undecided are expected, and all are right."""
    return (
        outcome.failure is None
        and expect.matched == outcome.matched
        and not outcome.undecided
        and not expect.undecided
        and not (expect.not_matched or expect.actions is not None or expect.contact or expect.lists)
        and (expect.dial is None or expect.dial is outcome.dial)
    )


class _Comparison:
    def __init__(self, expect: Expect, outcome: Outcome, campaign: Campaign) -> None:
        self.expect, self.outcome, self.campaign = expect, outcome, campaign
        self.personal = personal_columns(campaign.contact_list)

    def all(self) -> Iterator[Difference]:
        if self.outcome.failure is not None:
            yield Difference("failure", f"the rules could not be run: {self.outcome.failure}", (), (), ())
            return
        yield from self._unknown()
        yield from self._matched()
        yield from self._not_matched()
        yield from self._actions()
        yield from self._contact()
        yield from self._lists()
        yield from self._dial()
        yield from self._undecided()

    def _line(self, key: str) -> int:
        span = self.expect.spans.get(key)
        return span.line if span else 0

    def _unknown(self) -> Iterator[Difference]:
        """Yield names of rules that do not exist: they never match, and ``not_matched`` would hold for ever."""
        known = [rule.name for rule in self.campaign.rules]
        expect = self.expect
        for key, names in (
            ("matched", expect.matched),
            ("not_matched", expect.not_matched),
            ("undecided", expect.undecided),
        ):
            for name in names or ():
                if name not in known:
                    near = get_close_matches(name, known, 1)
                    hint = f"; did you mean {near[0]!r}?" if near else ""
                    summary = f"expect.{key} names rule {name!r}, which campaign {self.campaign.id} does not have{hint}"
                    yield Difference(key, summary, (), (), (), self._line(key))

    def _matched(self) -> Iterator[Difference]:
        wanted, got = self.expect.matched, self.outcome.matched
        if wanted is None or wanted == got:
            return
        missing = [rule for rule in wanted if rule not in got]
        extra = [rule for rule in got if rule not in wanted]
        if missing:
            summary = f"expected {_rules(missing)} to match, but {'it' if len(missing) == 1 else 'they'} did not"
        elif extra:
            summary = f"{_rules(extra)} matched unexpectedly"
        else:
            summary = f"the rules matched in another order: expected {_list(wanted)}, got {_list(got)}"
        yield Difference(
            "matched", summary, (_list(wanted),), (_list(got),), (*missing, *extra) or got, self._line("matched")
        )

    def _not_matched(self) -> Iterator[Difference]:
        found = [rule for rule in self.expect.not_matched or () if rule in self.outcome.matched]
        if found:
            summary = f"{_rules(found)} matched, and must not"
            got = (f"{_list(found)} matched",)
            yield Difference("not_matched", summary, (_list(found),), got, tuple(found), self._line("not_matched"))

    def _actions(self) -> Iterator[Difference]:
        wanted, got = self.expect.actions, self.outcome.acted
        if wanted is None:
            return
        if len(wanted) == len(got) and all(_acts(w, a) for w, a in zip(wanted, got, strict=True)):
            return
        off = [a for i, a in enumerate(got) if i >= len(wanted) or not _acts(wanted[i], a)]
        types = {action.type for action in wanted}
        able = [r.name for r in self.campaign.rules if any(a.type in types for a in r.actions)]
        rules = tuple(dict.fromkeys([a.rule for a in off] or [r for r in able if r not in self.outcome.matched]))
        given = [*(w.fields for w in wanted), *(a.action.fields for a in got)]
        hidden = {name for fields in given for name, value in fields.items() if self._is_personal(value)}
        summary = f"expected {count(len(wanted), 'action')}, got {count(len(got), 'action')}"
        if len(wanted) == len(got):
            summary = f"{count(len(off), 'action')} of {len(got)} {'is' if len(off) == 1 else 'are'} not as expected"
        yield Difference(
            "actions",
            summary,
            tuple(self._action(w.type, w.fields, hidden) for w in wanted) or ("none",),
            tuple(f"{self._action(a.action.type, a.action.fields, hidden)}  by {a.rule}" for a in got) or ("none",),
            rules,
            self._line("actions"),
        )

    def _is_personal(self, value: object) -> bool:
        """Tell whether a field of an action is filled from a personal column (``contact.phone``)."""
        source, _, name = value.partition(".") if isinstance(value, str) else ("", "", "")
        return source == "contact" and name in self.personal

    def _action(self, kind: str, fields: Mapping[str, object], hidden: Collection[str]) -> str:
        """Return an action; ``hidden`` are the fields that are personal, unless they only name a column."""
        hide = {*hidden, "value"} if fields.get("attribute") in self.personal else hidden
        parts = (f"{k}={MASK if k in hide and not self._is_personal(v) else _plain(v)}" for k, v in fields.items())
        return " ".join((kind, *parts))

    def _contact(self) -> Iterator[Difference]:
        off: list[tuple[str, str, str]] = []
        for name, value in flat(self.expect.contact or {}):
            try:
                got = lookup(self.outcome.contact, name)
            except AmbiguousColumnError as error:
                yield Difference("contact", str(error), (), (), (), self._line("contact"))
                continue
            if not same_value(value, got):
                secret = name in self.personal
                off.append((name, *(MASK, f"{MASK} (another value)")) if secret else (name, _value(value), _value(got)))
        if off:
            name, wanted, got = off[0]
            rules = [
                r.name
                for r in self.campaign.rules
                if any(a.fields.get("attribute") in {n for n, _, _ in off} for a in r.actions)
            ]
            yield Difference(
                "contact",
                f"expected column {name} to be {wanted}, got {got}",
                tuple(f"{n} = {w}" for n, w, _ in off),
                tuple(f"{n} = {g}" for n, _, g in off),
                tuple(rules),
                self._line("contact"),
            )

    def _lists(self) -> Iterator[Difference]:
        lists = self.outcome.lists
        off = {name: want for name, want in (self.expect.lists or {}).items() if lists.get(name, False) != want}
        if off:
            first, want = next(iter(off.items()))
            where = ("on", "not on") if want else ("off", "on")
            rules = [r.name for r in self.campaign.rules if any(a.fields.get("listId") in off for a in r.actions)]
            yield Difference(
                "lists",
                f"expected the contact to be {where[0]} list {first}, it is {where[1]} it",
                tuple(f"{name} = {_plain(value)}" for name, value in off.items()),
                tuple(f"{name} = {_plain(lists.get(name, False))}" for name in off),
                tuple(rules),
                self._line("lists"),
            )

    def _dial(self) -> Iterator[Difference]:
        wanted, got = self.expect.dial, self.outcome.dial
        if wanted is None or wanted is got:
            return
        why = f" ({self.outcome.reason})" if self.outcome.reason else ""
        shown = "nothing: a wrap-up run does not dial" if got is None else _plain(got) + why
        stops = {t.name for t in action_types().values() if t.stops_dial_in}
        deciding = [r.name for r in self.campaign.rules if any(a.type in stops for a in r.actions)]
        named = self.outcome.reason.partition(": ")[2]
        rules = (named,) if named in self.outcome.matched or named in self.outcome.undecided else tuple(deciding)
        verb = {True: "to be dialed", False: "not to be dialed"}[wanted]
        result = {True: "it is dialed", False: f"it is not{why}", None: "a wrap-up run does not dial"}[got]
        yield Difference(
            "dial", f"expected the contact {verb}, but {result}", (_plain(wanted),), (shown,), rules, self._line("dial")
        )

    def _undecided(self) -> Iterator[Difference]:
        wanted, got = self.expect.undecided or (), self.outcome.undecided
        if set(wanted) == set(got):
            return
        extra = [rule for rule in got if rule not in wanted]
        if extra:
            summary = f"{_rules(extra)} could not be decided for this contact"
        else:
            summary = f"expected {_rules([r for r in wanted if r not in got])} to be undecided"
        rules = tuple(dict.fromkeys([*extra, *(r for r in wanted if r not in got)]))
        line = self._line("undecided")
        yield Difference("undecided", summary, (_list(wanted),), (_list(got),), rules, line)


def _acts(wanted: ExpectedAction, acted: Acted) -> bool:
    fields = acted.action.fields
    return wanted.type == acted.action.type and all(
        name in fields and _same(value, fields[name]) for name, value in wanted.fields.items()
    )


def _same(one: object, other: object) -> bool:
    if isinstance(one, str | bytes) or isinstance(other, str | bytes):
        return same_value(one, other)
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return same_value(one, other)


def _value(value: object) -> str:
    return "(absent)" if value is MISSING else value_text(value)


def _plain(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_plain, value))}]"
    return read_text(value)


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(names)}]"


def _rules(names: Sequence[str]) -> str:
    return f"rule {names[0]}" if len(names) == 1 else f"rules {', '.join(names)}"
