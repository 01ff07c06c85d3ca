"""What a run does, aspect by aspect: dials the contact, puts it on a list, writes a column, lets a rule act.

An aspect has a value in each run that does it, None in the others. Which value that is follows from the rules that act,
in their order, by the same steps wherever it is asked: of one outcome, of literals of a SAT solver, of columns of
contacts. A run that breaks does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from dialproof.cel.values import number_text, read_number, read_text
from dialproof.model.actions import action_types

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from dialproof.model.rules import Action, Category, Rule
    from dialproof.outcome import Outcome

__all__ = ["DIAL", "Aspect", "Logic", "Thing", "TooManyValuesError", "aspects_of", "touching", "value_of", "values_of"]

T = TypeVar("T")

Thing: TypeAlias = "tuple[Hashable, ...]"
"""What is done: ``("dial",)``, ``("rule", NAME)``, or the type of an action with the fields that say to what."""

DIAL: Thing = ("dial",)
_VALUES = 256
"""Values of one thing that are told apart."""


class TooManyValuesError(Exception):
    """A column, say, is counted in so many ways that not all of them are followed."""


class Logic(Protocol[T]):
    """Statements about contacts, which can be joined."""

    def every(self, statements: Iterable[T]) -> T:
        """Return "all of them"."""

    def some(self, statements: Iterable[T]) -> T:
        """Return "one of them"."""

    def negated(self, statement: T) -> T:
        """Return the opposite."""

    def never(self, statement: T) -> bool:
        """Tell whether a statement is known to hold for nobody."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing of one category; ``wanted`` where only one value of it counts (a contact is on a list, or taken off).

    ``name`` is what people call it, in the words of rules files. ``before`` is the thing under its old name, where a
    rule was renamed.
    """

    name: str
    category: Category
    thing: Thing
    wanted: Hashable = None
    before: Thing | None = None

    def of(self, outcome: Outcome, *, old: bool = False) -> Hashable:
        """Return the value in a run of the new rules, or of the ``old`` ones."""
        return self._counted(value_of(self.old if old else self.thing, outcome))

    def _counted(self, value: Hashable) -> Hashable:
        return value if self.wanted is None or value == self.wanted else None

    @property
    def old(self) -> Thing:
        """The thing as the old rules name it."""
        return self.before or self.thing

    def among(self, values: Mapping[Hashable, T]) -> dict[Hashable, T]:
        """Return the statements of those values that count."""
        return {value: there for value, there in values.items() if self._counted(value) is not None}


def aspects_of(
    old: Sequence[Rule], new: Sequence[Rule], category: Category, became: Mapping[str, str] | None = None
) -> tuple[Aspect, ...]:
    """Return what rules of a category do, old and new ones: dial, then actions, then each rule in the new order.

    ``became`` maps the names of old rules to those that they have now.
    """
    became = became or {}
    renamed = {now: was for was, now in became.items() if was != now}
    found: dict[tuple[Thing, Hashable], Aspect] = {}
    if category == "preCall":
        found[DIAL, None] = Aspect("dial", category, DIAL)
    for rule in (*new, *old):
        for action in rule.actions:
            thing = thing_of(action)
            if thing is not None:
                wanted = step(None, action) if action.type == "setList" else None
                found.setdefault((thing, wanted), Aspect(_name(thing, wanted), category, thing, wanted))
    for name in dict.fromkeys((*(r.name for r in new), *(became.get(r.name, r.name) for r in old))):
        thing = ("rule", name)
        before: Thing | None = ("rule", renamed[name]) if name in renamed else None
        found[thing, None] = Aspect(f"rule {name}", category, thing, before=before)
    return tuple(found.values())


def _name(thing: Thing, wanted: Hashable) -> str:
    return " ".join(map(str, thing)) + ("=false" if wanted is False else "")


# One action.


def thing_of(action: Action) -> Thing | None:
    """Return what an action is done to, None where that is nothing but to be dialed."""
    kind = action_types()[action.type]
    return None if kind.writes == "dial" else (action.type, *(str(action.fields.get(k, "")) for k in kind.key))


def step(value: Hashable, action: Action) -> Hashable:
    """Return the value of a thing behind an action that is done to it."""
    if action.type == "setList":
        return action.fields.get("value") != "false"
    if action.type == "setAttribute":
        return _written(value, action)
    kind = action_types()[action.type]
    done = value if isinstance(value, tuple) else ()
    if kind.compares:  # a field that is left out is left alone
        given = {k: _frozen(action.fields[k]) for k in kind.compares if k in action.fields}
        return tuple(sorted({**dict(done), **given}.items()))
    more = _frozen({k: v for k, v in action.fields.items() if k not in kind.key})
    return done if kind.repeatable and more in done else (*done, more)


def _written(value: Hashable, action: Action) -> Hashable:
    """Return what was written to a column: ``("set", text)``, ``("time",)``, or ``("by", amount)`` of a count."""
    option, written = action.fields.get("option", "SET"), action.fields.get("value")
    if option == "SET":
        return "set", read_text(written)
    if option == "CURRENT_TIME":
        return ("time",)
    amount = 1.0 if written is None else read_number(written) or 0.0
    amount = amount if option == "INCREMENT" else -amount
    match value:
        case ("set", str(text)):
            number = read_number(text) if text else 0.0
            return value if number is None else ("set", number_text(number + amount))  # if None, the run breaks
        case ("by", float(before)):
            return "by", float(f"{before + amount:.12g}")  # the order of additions has rounded otherwise
    return value or ("by", amount)


def _frozen(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((key, _frozen(value[key])) for key in sorted(value))
    if isinstance(value, tuple | list):
        return tuple(sorted(map(repr, map(_frozen, value))))
    return value if isinstance(value, str) else read_text(value)


# One outcome.


def value_of(thing: Thing, outcome: Outcome) -> Hashable:
    """Return the value of a thing in one run, None where it was not done."""
    if outcome.failure is not None:
        return None
    if thing == DIAL:
        return outcome.dial or None
    if thing[0] == "rule":
        return thing[1] in outcome.matched or None
    value: Hashable = None
    for acted in outcome.acted:
        if thing_of(acted.action) == thing:
            value = step(value, acted.action)
    return value


# Every contact at once.


def touching(rules: Sequence[Rule]) -> dict[Thing, list[int]]:
    """Return for each thing the rules that do something to it, by position."""
    found: dict[Thing, list[int]] = {}
    for index, rule in enumerate(rules):
        things = dict.fromkeys([("rule", rule.name), *(t for a in rule.actions if (t := thing_of(a)) is not None)])
        for thing in things:
            found.setdefault(thing, []).append(index)
    return found


def values_of(thing: Thing, rules: Iterable[tuple[Rule, T]], logic: Logic[T]) -> dict[Hashable, T]:
    """Return for each value of a thing (but for that of being dialed) the contacts whose run comes to it.

    ``rules`` are those that do something to it, in their order, each with the contacts on which it acts. Raises
    :class:`TooManyValuesError`.
    """
    states: dict[Hashable, T] = {}  # beside None, where all others are
    for rule, acts in rules:
        after: dict[Hashable, list[T]] = {}
        targets = {value: _behind(thing, value, rule) for value in (None, *states)}
        for value, there in states.items():
            after.setdefault(value, []).append(logic.every((there, logic.negated(acts))))
        if len(set(targets.values())) == 1:
            after.setdefault(targets[None], []).append(acts)
        else:
            elsewhere = logic.negated(logic.some(states.values()))
            after.setdefault(targets[None], []).append(logic.every((elsewhere, acts)))
            for value, there in states.items():
                after.setdefault(targets[value], []).append(logic.every((there, acts)))
        states = {value: logic.some(parts) for value, parts in after.items()}
        states = {value: there for value, there in states.items() if value is not None and not logic.never(there)}
        if len(states) > _VALUES:
            raise TooManyValuesError
    return states


def _behind(thing: Thing, value: Hashable, rule: Rule) -> Hashable:
    if thing[0] == "rule":
        return True
    for action in rule.actions:
        if thing_of(action) == thing:
            value = step(value, action)
    return value
