"""Rules, their conditions and actions: the content of a ``*.rules.yaml`` file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialproof.model.composed import Composed
    from dialproof.source import Scalar, SourceFile
    from dialproof.source.positions import Span

__all__ = [
    "Action",
    "Category",
    "Condition",
    "Expression",
    "FieldMapping",
    "Group",
    "HitPolicy",
    "Invariant",
    "Rule",
    "RulesFile",
    "Value",
    "ValueType",
    "When",
    "leaves",
]

Category: TypeAlias = Literal["preCall", "wrapUp"]
HitPolicy: TypeAlias = Literal["all", "first"]
ValueType: TypeAlias = Literal["string", "number", "boolean", "datetime", "period"]
Value: TypeAlias = "str | float | bool | tuple[str | float | bool, ...] | None"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a contact's attribute, or of what surrounds the call, with a constant.

    ``subject`` is a column name or path (``source == "contact"``) or a context field such as ``phone.type``
    (``source == "context"``). ``value`` is as written: None where absent, a tuple for lists; ``type`` is None where
    the file leaves it to the column.
    """

    source: Literal["contact", "context"]
    subject: str
    operator: str
    value: Value
    type: ValueType | None
    inverted: bool
    span: Span = field(compare=False)
    subject_span: Span = field(compare=False)
    value_span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """``all``, ``any`` or ``not`` of further expressions (``not`` holds exactly one)."""

    kind: Literal["all", "any", "not"]
    members: tuple[Expression, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class When:
    """A condition written in CEL; ``scalar`` maps offsets of ``text`` back to places in the file."""

    text: str
    span: Span = field(compare=False)
    scalar: Scalar | Composed = field(compare=False, repr=False)


Expression: TypeAlias = Condition | Group | When


def leaves(expressions: tuple[Expression, ...]) -> Iterator[Condition | When]:
    """Yield the conditions of nested groups in the order in which they are written."""
    for expression in expressions:
        if isinstance(expression, Group):
            yield from leaves(expression.members)
        else:
            yield expression


class FieldMapping(dict[str, "str | float | bool"]):
    """The value of an action's field of kind mapping: a dict that is never changed and can be hashed like any value."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a rule: its type and its fields with defaults filled in (names as in the file).

    A field of kind mapping (``fields`` of dataAction) holds a :class:`FieldMapping`.
    """

    type: str
    fields: Mapping[str, Value]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``conditions`` are ANDed; a rule with ``when:`` has a single :class:`When` there.

    ``metadata`` holds the free keys (owner, ticket, tags, effectiveFrom, effectiveUntil, x-*), as written.
    ``spans`` gives the place of each top-level key's value (``name``, ``priority`` ...), by key.
    """

    name: str
    description: str
    version: int
    priority: int
    execution_order: int
    enabled: bool
    category: Category
    conditions: tuple[Expression, ...]
    actions: tuple[Action, ...]
    runs_after: tuple[str, ...]
    overrides: tuple[str, ...]
    renamed_from: str | None
    metadata: Mapping[str, object]
    path: str = field(compare=False)
    span: Span = field(compare=False)
    name_span: Span = field(compare=False)
    spans: Mapping[str, Span] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Invariant:
    """A CEL statement over ``contact`` and ``outcome`` that must hold on every contact.

    ``always`` is what every form of an invariant comes to: of ``never`` its negation, of a ready-made one its text.
    """

    name: str
    always: When
    span: Span = field(compare=False)
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RulesFile:
    """One rules file. ``rules`` stand in document order; ``contact_list`` is the path as written, relative to the file.

    ``campaigns`` are logical ids. ``path`` is POSIX, relative to the configuration root.
    """

    path: str
    campaigns: tuple[str, ...]
    contact_list: str | None
    rule_set: str
    hit_policy: HitPolicy
    total: bool
    rules: tuple[Rule, ...]
    invariants: tuple[Invariant, ...]
    source: SourceFile = field(compare=False, repr=False)
    contact_list_span: Span | None = field(default=None, compare=False)
