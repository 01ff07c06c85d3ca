"""Plain data as YAML that every reader takes for the same: texts that some would take for something else are quoted.

Lists and mappings are written in the block style down to ``flow_from`` levels, and in braces on one line below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dialproof.source.scalar_text import double_quoted, escaped, is_plain
from dialproof.source.yaml_reader import resolve

__all__ = ["block", "comment", "flow"]

_KEY_LENGTH = 100  # a longer key needs another syntax


def flow(value: object) -> str:
    """Return a value on one line; raises ``ValueError`` for one that YAML cannot hold."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def block(value: Mapping[str, object] | Sequence[object], flow_from: int, indent: int = 0) -> list[str]:
    """Return a mapping or list as lines; those of ``flow_from`` levels further in stand on one line each."""
    lines: list[str] = []
    space = " " * indent
    for key, item in value.items() if isinstance(value, Mapping) else ((None, item) for item in value):
        head = f"{space}- " if key is None else f"{space}{_key(key)}:"
        if not _is_nested(item) or flow_from <= 1:
            lines.append(f"{head}{'' if key is None else ' '}{flow(item)}")
        elif key is None:
            inner = block(item, flow_from - 1, indent + 2)  # type: ignore[arg-type]
            lines += [f"{head}{inner[0].lstrip()}", *inner[1:]]
        else:
            lines += [head, *block(item, flow_from - 1, indent + 2)]  # type: ignore[arg-type]
    return lines


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a text as comments, a line each, whatever is in it."""
    return [f"{' ' * indent}# {escaped(line)}".rstrip() for line in text.splitlines()]


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        text = repr(value).removesuffix(".0")
        if resolve(text) != value:
            raise ValueError(f"a number {text}")
        return text
    raise ValueError(f"a {type(value).__name__}")


def _key(text: object) -> str:
    written = _text(str(text))
    if len(written) > _KEY_LENGTH:
        raise ValueError("a name of more than a hundred characters")
    return written


def _text(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("half of a character")
    return text if is_plain(text) else double_quoted(text)
