"""How checks say actions and conditions: as one would write them, values of personal columns never in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.cel.values import read_text
from dialproof.model.rules import Condition
from dialproof.output.masking import MASK, PERSONAL_CONTEXT, is_personal, personal_columns

if TYPE_CHECKING:
    from dialproof.cel.program import LeafProgram
    from dialproof.model.contactlist import ContactList
    from dialproof.model.rules import Action, Rule, Value, When

__all__ = ["Wording"]


class Wording:
    """Knows which columns are personal: what is written to them or compared with them is a value of some contact."""

    def __init__(self, columns: ContactList) -> None:
        self._personal = personal_columns(columns)

    def action(self, action: Action) -> str:
        """Return an action's type with its fields."""
        hidden = self.hides_value_of(action)
        fields = ", ".join(
            f"{key} {MASK if hidden and key == 'value' else _text(value)}"
            for key, value in action.fields.items()
            if value is not None
        )
        return f"{action.type} ({fields})" if fields else action.type

    def condition(self, leaf: Condition | When, program: LeafProgram) -> str:
        """Return a condition as CEL; of one on a personal column only what is compared and how."""
        if not self.is_about_a_person(leaf):
            return program.cel
        return f"{leaf.subject} {leaf.operator} {MASK}" if isinstance(leaf, Condition) else f"when: {MASK}"

    def comparison(self, condition: Condition) -> str:
        """Return a condition as its subject, operator and value, as one would say it."""
        operator = f"not {condition.operator}" if condition.inverted else condition.operator
        value = condition.value
        if value is None:
            return f"{condition.subject} {operator}"
        if self.is_about_a_person(condition):
            return f"{condition.subject} {operator} {MASK}"
        said = f"[{', '.join(map(_quoted, value))}]" if isinstance(value, tuple) else _quoted(value)
        return f"{condition.subject} {operator} {said}"

    def values(self, condition: Condition) -> str:
        """Return the value or values of a condition."""
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        return MASK if self.is_about_a_person(condition) else " and ".join(read_text(v) for v in values)

    def hides_value_of(self, action: Action) -> bool:
        """Tell whether an action writes a value to a personal column."""
        return action.fields.get("attribute") in self._personal and action.fields.get("value") is not None

    def is_personal(self, name: str) -> bool:
        """Tell whether a column or a field of the context is personal."""
        return name in self._personal or name in PERSONAL_CONTEXT

    def is_about_a_person(self, leaf: Condition | When) -> bool:
        """Tell whether a condition compares a personal column; of CEL, whether it names one."""
        if isinstance(leaf, Condition):
            return is_personal(leaf.source, leaf.subject, self._personal)
        names = (*self._personal, *PERSONAL_CONTEXT)
        return any(name in leaf.text or name.rpartition(".")[2] in leaf.text for name in names)

    def lines(self, rule: Rule) -> set[int]:
        """Return the lines of a rule's file that hold a value of a personal column."""
        from dialproof.model.rules import leaves

        spans = [leaf.span for leaf in leaves(rule.conditions) if self.is_about_a_person(leaf)]
        spans += [action.span for action in rule.actions if self.hides_value_of(action)]
        return {line for span in spans for line in range(span.line, span.end_line + 1)}


def _quoted(value: str | float | bool) -> str:
    return f'"{value}"' if isinstance(value, str) else read_text(value)


def _text(value: Value) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else f"{value}"
