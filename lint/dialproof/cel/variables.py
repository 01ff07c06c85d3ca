"""The names of an expression: which variable each reads, and under which type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from dialproof.cel.ast import Identifier, children, path
from dialproof.cel.values import Variable
from dialproof.model.operators import context_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.cel.ast import Node
    from dialproof.cel.values import Kind
    from dialproof.model.contactlist import ContactList

__all__ = ["COLUMN_KINDS", "COLUMN_TYPES", "KINDS", "Slot", "Type", "reads", "resolve", "uses_every_column"]

Type: TypeAlias = Literal["string", "number", "boolean", "timestamp", "duration", "list", "null", "unknown"]

COLUMN_TYPES: Mapping[str, Type] = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "datetime": "timestamp",
    "date": "timestamp",
    "period": "timestamp",
}
"""Type of a column -> that of its variable."""
KINDS: Mapping[str, Kind] = {
    "string": "text",
    "number": "number",
    "boolean": "boolean",
    "timestamp": "timestamp",
}
"""Type of a variable -> how it is read."""
COLUMN_KINDS: Mapping[str, Kind] = {column: KINDS[of] for column, of in COLUMN_TYPES.items()}
"""Type of a column -> how its values are read."""


class Slot(NamedTuple):
    """One reading of one variable, a parameter of the compiled function."""

    variable: Variable
    kind: Kind


def resolve(node: Node, columns: ContactList) -> tuple[Variable | None, str]:
    """Return what a name or path reads, and its type (or ``undeclared``, ``no context``, ``outcome``)."""
    parts = path(node)
    if parts is None:
        return None, ""
    root, *rest = parts
    name = ".".join(rest)
    if root == "now" and not rest:
        return Variable("now", "timestamp"), "timestamp"
    if root == "outcome":
        return Variable("context", name), "outcome"
    if root == "contact" and rest:
        column = columns.columns.get(name)
        return Variable("contact", name), "undeclared" if column is None else COLUMN_TYPES[column.type]
    if root == "text" and rest:
        if name.startswith("context."):
            known = context_type(name.removeprefix("context.")) is not None
            return Variable("context", name.removeprefix("context.")), "string" if known else "no context"
        return Variable("contact", name), "string"
    if root == "context" and rest:
        kind = context_type(name)
        return Variable("context", name), "no context" if kind is None else COLUMN_TYPES[kind]
    return None, ""


def reads(node: Node, columns: ContactList) -> tuple[Variable, ...]:
    """Return every variable that an expression may read, in order of appearance, whatever it compiles to.

    Where it uses all columns at once, or one whose name only a contact tells, these are all columns there are.
    """
    found: dict[Variable, None] = {}
    pending = [node]
    while pending:
        one = pending.pop()
        variable, kind = resolve(one, columns)
        if variable is None:
            pending.extend(reversed(children(one)))
        if _is_every_column(one):
            found.update(dict.fromkeys(Variable("contact", name) for name in columns.columns))
        elif variable is not None and kind != "outcome":
            found.setdefault(variable)
            if kind == "undeclared":  # the mapping of the columns below, where there are any
                inner = (name for name in columns.columns if name.startswith(f"{variable.name}."))
                found.update(dict.fromkeys(Variable("contact", name) for name in inner))
    return tuple(found)


def uses_every_column(node: Node) -> bool:
    """Tell whether an expression uses ``contact`` or ``text`` as a whole, or with a key that is no constant."""
    pending = [node]
    while pending:
        one = pending.pop()
        if _is_every_column(one):
            return True
        if path(one) is None:
            pending.extend(children(one))
    return False


def _is_every_column(node: Node) -> bool:
    return isinstance(node, Identifier) and node.name in ("contact", "text")
