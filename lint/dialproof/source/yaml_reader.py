"""YAML text to nodes: PyYAML's parser for the syntax, the YAML 1.2 core schema for the types of plain scalars.

PyYAML's own resolvers are YAML 1.1 (``no`` is False, ``1:30`` is 90, ``010`` is 8, a date is an object), so only its
events are used. They are a stream: depth and aliases are bounded before anything has grown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

import yaml

from dialproof.source.nodes import whole_value
from dialproof.source.scalar_places import content_start
from dialproof.source.tree import MAX_DEPTH, TOO_DEEP, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialproof.source.nodes import ScalarValue, SourceText, Style
    from dialproof.source.tree import TreeBuilder

__all__ = ["AMBIGUOUS_WORDS", "UNPRINTABLE", "Remarks", "Stretch", "read_yaml", "resolve"]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_STYLES: dict[str | None, Style] = {
    "|": "block",
    ">": "block",
    "'": "quoted",
    '"': "quoted",
    None: "plain",
    "": "plain",
}
"""PyYAML's word for how a scalar is written -> ours."""
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?[0-9]+")
_OCT = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LINE_END = re.compile(r"[\r\n]")
_WORDS: dict[str, ScalarValue] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMERIC_START = frozenset("+-.0123456789")

_LIBYAML_DEPTH = 1000

AMBIGUOUS_WORDS = frozenset(
    form for word in ("y", "n", "yes", "no", "on", "off") for form in (word, word.capitalize(), word.upper())
)
"""Plain words that are text in YAML 1.2 and booleans in YAML 1.1."""

Stretch: TypeAlias = tuple[int, int]
"""Start and end of a piece of text."""


class Remarks(NamedTuple):
    """What a YAML text says beside its nodes.

    ``hidden`` are the stretches in which ``#`` begins no comment, ``ambiguous`` the values that are text in YAML 1.2
    and booleans in YAML 1.1; both in document order.
    """

    hidden: list[Stretch]
    ambiguous: list[Stretch]


def resolve(text: str) -> ScalarValue:
    """Return the value of a plain scalar under the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INT.fullmatch(text):
        return whole_value(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCT.fullmatch(text):
        return whole_value(text, 8)
    if _HEX.fullmatch(text):
        return whole_value(text, 16)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def read_yaml(source: SourceText, builder: TreeBuilder) -> Remarks:
    """Feed the one document of a YAML text to ``builder``.

    Raises :class:`UnreadableError` for anything that is not one document of plain YAML.
    """
    text = source.text
    unprintable = UNPRINTABLE.search(text)
    if unprintable:
        raise UnreadableError(
            unprintable.start(), f"found the control character U+{ord(unprintable[0]):04X}, expected text"
        )
    remarks = Remarks([], [])
    documents = 0
    for event in _events(text):
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            if event.tag is None and event.anchor is None and event.style not in ("|", ">"):  # nearly all of them
                start, end, written = event.start_mark.index, event.end_mark.index, event.value
                if event.style:
                    builder.scalar(start, end, written, written, "quoted")
                else:
                    _plain(start, end, written, builder, remarks)
                if "#" in written:
                    remarks.hidden.append((start, end))
            else:
                _scalar(event, text, builder, remarks)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            name = "mapping" if kind is yaml.MappingStartEvent else "sequence"
            expected = _TAG + ("map" if name == "mapping" else "seq")
            start = event.start_mark.index
            if event.tag not in (None, "!", expected):
                _refuse_tag(start, event.tag)
            builder.open(name, content_start(text, start, len(text)), event.anchor)  # type: ignore[arg-type]
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            start, end = event.start_mark.index, event.end_mark.index
            builder.close(end if end > start and text[end - 1] in "]}" else None)
        elif kind is yaml.AliasEvent:
            builder.alias(event.start_mark.index, event.anchor)
        elif kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise UnreadableError(event.start_mark.index, "expected one document, found a second one")
    return remarks


def _events(text: str) -> Iterator[Any]:
    """Yield the events of PyYAML, its errors as ours."""
    try:
        yield from iter(_LOADER(text).get_event, None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = mark.index if mark else 0
        raise UnreadableError(*_explained(text, offset, error)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML's pure Python scanner lets errors of int() and chr() through.
        raise UnreadableError(0, f"not YAML: {type(error).__name__}") from None


def _explained(text: str, offset: int, error: yaml.MarkedYAMLError) -> tuple[int, str]:
    if "nesting depth" in str(error.problem):  # libyaml looks ahead, and has a bound of its own
        return _too_deep(text, offset), TOO_DEEP
    line_start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    indentation = re.compile(r"[ \t]*").match(text, line_start)
    assert indentation is not None
    tab = indentation[0].find("\t")
    if tab >= 0 and offset <= indentation.end() + 1:
        return line_start + tab, "found a tab in the indentation, expected spaces"
    problem = str(error.problem or "cannot be read").replace("'\\t'", "a tab")
    context = str(error.context or "")
    return offset, f"not YAML: {problem}" + (f" ({context})" if context else "")


def _too_deep(text: str, offset: int) -> int:
    """Return the bracket that is one level too deep, from the place of the first that libyaml does not take."""
    inner = _LIBYAML_DEPTH - MAX_DEPTH
    for at in range(offset - 1, -1, -1):
        inner += (text[at] in "]}") - (text[at] in "[{")
        if not inner:
            return at
    return offset


def _plain(
    start: int, end: int, written: str, builder: TreeBuilder, remarks: Remarks, anchor: str | None = None
) -> None:
    value = resolve(written)
    if written in AMBIGUOUS_WORDS and builder.expects_value:
        remarks.ambiguous.append((start, end))
    builder.scalar(start, end, written, value, "plain", anchor)


def _scalar(event: Any, text: str, builder: TreeBuilder, remarks: Remarks) -> None:
    start, end = event.start_mark.index, event.end_mark.index
    written: str = event.value
    tag, anchor = event.tag, event.anchor
    if anchor is not None or tag is not None:
        start = content_start(text, start, end)
    style = _STYLES[event.style]
    if style == "block":
        remarks.hidden.append((_header_end(text, start, end), end))
        end = start + len(text[start:end].rstrip())
    elif "#" in written:
        remarks.hidden.append((start, end))
    value: ScalarValue
    if tag is None and style == "plain":
        _plain(start, end, written, builder, remarks, anchor)
        return
    if tag is None:
        value = written
    elif tag in ("!", _TAG + "str"):
        value, style = written, "block" if style == "block" else "quoted"
    else:
        value = _tagged(tag, written, start)
    builder.scalar(start, end, written, value, style, anchor)


def _tagged(tag: str, written: str, start: int) -> ScalarValue:
    """Return the value of a scalar with an explicit tag of the core schema."""
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "null": (type(None),),
    }
    name = tag.removeprefix(_TAG)
    value = resolve(written)
    if name not in kinds or not tag.startswith(_TAG):
        _refuse_tag(start, tag)
    if not isinstance(value, kinds[name]) or (isinstance(value, bool) and name != "bool"):
        raise UnreadableError(start, f"the value does not fit its tag !!{name}")
    return float(value) if name == "float" and isinstance(value, int) else value


def _refuse_tag(start: int, tag: str) -> NoReturn:
    raise UnreadableError(start, f"found the tag {tag.replace(_TAG, '!!')}, expected a value without a tag")


def _header_end(text: str, start: int, end: int) -> int:
    """Return where the header line of a block scalar ends; a comment may stand on that line."""
    found = _LINE_END.search(text, start, end)
    return found.start() if found else end
