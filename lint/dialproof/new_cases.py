"""New cases as text behind the cases of a contacts file; nothing else in it changes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from dialproof.cel.values import MISSING, number_text
from dialproof.errors import InputError, UsageError
from dialproof.model.parse_contacts import parse_contacts
from dialproof.output.witness import flat
from dialproof.source import Mapping as MappingNode
from dialproof.source import Scalar, Sequence, read_source
from dialproof.source.scalar_text import double_quoted, is_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dialproof.model.contacts import ContactsFile, Expect
    from dialproof.model.rules import Category
    from dialproof.project import Campaign
    from dialproof.source import Node

__all__ = ["CasesFile", "NewCase", "free_name", "target_in"]

_WIDTH = 118
_LAST_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case that stands in no file yet; ``comment`` is a sentence above it, ``now`` None where no clock is read."""

    name: str
    comment: str
    tags: tuple[str, ...]
    category: Category
    contact: Mapping[str, object]
    context: Mapping[str, object]
    now: str | None
    expect: Expect


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the one given, or with a number behind it."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found


def target_in(folder: Path, campaign: Campaign, root: Path) -> dict[str, str]:
    """Return the key with which a contacts file in a folder says what it tests: ``rules``, or ``campaign`` of several.

    ``root`` is that of the configuration.
    """
    if len(campaign.files) != 1:
        return {"campaign": campaign.id}
    return {"rules": Path(os.path.relpath(root / campaign.files[0].path, folder)).as_posix()}


class CasesFile:
    """A contacts file in YAML to which cases can be added: its bytes, or None for one that there is not yet.

    Raises ``InputError`` for a file that cannot be read.
    """

    def __init__(self, path: Path, display: str, before: bytes | None) -> None:
        self._display = display
        self._before = before or b""
        self.file: ContactsFile | None = None
        if before is not None:
            source = read_source(path, display, before)
            self.file, problems = parse_contacts(source)
            if self.file is None or not isinstance(source.root, MappingNode):
                raise InputError("\n".join(map(str, problems)))
            self._root = source.root

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its cases."""
        return tuple(case.name for case in self.file.tests) if self.file else ()

    def with_cases(self, cases: Collection[NewCase], target: Mapping[str, str]) -> bytes:
        """Return the file with more cases; a new one begins with ``target``, see :func:`target_in`.

        Raises ``UsageError`` where cases cannot be put behind the others.
        """
        if self.file is None:
            head = (f"{key}: {_scalar(value)}" for key, value in target.items())
            lines = [*head, "cases:", *(line for case in cases for line in _case(case, {}, None, "  "))]
            return "".join(f"{line}\n" for line in lines).encode()
        root, before = self._root, self._before
        listed = root.get("cases")
        text = root.source.text
        if not isinstance(listed, Sequence):
            message = "has no cases that more can be added to; name another file, or a new one"
            raise UsageError(f"{self._display}: {message}")
        start = listed.items[0].start_offset
        line = text.rfind("\n", 0, start) + 1
        indent = text[line:start].partition("-")[0]
        if text[listed.start_offset] == "[" or indent.strip():
            wanted = "a list with a case a line (- name: ...)"
            raise UsageError(f"{self._display}: cases can be added to {wanted}, or to a new file")
        defaults = root.get("defaults")
        base = _plain(defaults) if isinstance(defaults, MappingNode) else {}
        assert isinstance(base, dict)
        lines = [line for case in cases for line in ("", *_case(case, base, self.file, indent))]
        found = _LAST_LINE.match(text, listed.items[-1].end_offset)
        end = found.end() if found else len(text)
        opening = "" if text[:end].endswith(("\n", "\r")) else "\n"
        break_ = "\r\n" if "\r\n" in text else "\n"
        added = opening + "".join(f"{line}\n" for line in lines)
        changed = text[:end] + added.replace("\n", break_) + text[end:]
        bom = before[: before.index(text[:1].encode())] if before.startswith(b"\xef\xbb\xbf") else b""
        return bom + changed.encode()


def _case(case: NewCase, defaults: Mapping[str, object], file: ContactsFile | None, indent: str) -> Iterator[str]:
    for line in wrap(case.comment, _WIDTH - len(indent) - 2, break_on_hyphens=False):
        yield f"{indent}# {line}"
    yield f"{indent}- name: {_scalar(case.name)}"
    inside = f"{indent}  "
    if case.tags:
        yield f"{inside}tags: {_flow(case.tags)}"
    if case.category != defaults.get("category", "preCall"):
        yield f"{inside}category: {case.category}"
    if case.now is not None:
        yield f"{inside}now: {case.now}"
    if file is not None and file.time_zone not in (None, "UTC"):
        yield f"{inside}timeZone: UTC"
    for key, wanted in (("contact", case.contact), ("context", case.context)):
        base = defaults.get(key, {})
        assert isinstance(base, Mapping)
        over = _over(base, _written_as(base, wanted))
        if over:
            yield from _mapping(key, over, inside)
    yield f"{inside}expect:"
    yield from _expect(case.expect, f"{inside}  ")


def _expect(expect: Expect, indent: str) -> Iterator[str]:
    named = (("matched", expect.matched), ("undecided", expect.undecided), ("invariants", expect.invariants))
    for key, names in named:
        if names is not None:
            yield from _list(key, [_scalar(name) for name in names], indent)
    if expect.actions is not None:
        actions = [_flow({"type": action.type, **action.fields}) for action in expect.actions]
        yield from _list("actions", actions, indent)
    if expect.contact is not None:
        yield from _mapping("contact", expect.contact, indent)
    if expect.lists is not None:
        yield from _mapping("lists", expect.lists, indent)
    if expect.dial is not None:
        yield f"{indent}dial: {_scalar(expect.dial)}"


def _mapping(key: str, value: Mapping[str, object], indent: str) -> Iterator[str]:
    line = f"{indent}{key}: {_flow(value)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{key}:"
    yield from (f"{indent}  {_scalar(name)}: {_flow(one)}" for name, one in value.items())


def _list(key: str, items: Collection[str], indent: str) -> Iterator[str]:
    line = f"{indent}{key}: [{', '.join(items)}]"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{key}:"
    yield from (f"{indent}  - {item}" for item in items)


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number_text(float(value)) if isinstance(value, float) else str(value)
    text = str(value)
    return text if is_plain(text) else double_quoted(text)


def _written_as(base: Mapping[str, object], contact: Mapping[str, object]) -> dict[str, object]:
    """Return a contact whose columns stand under their whole names where they do in ``base``, else as they are."""
    whole = {name: value for name, value in flat(contact) if "." in name and name in base}
    return {**_without(contact, whole), **whole}


def _without(contact: Mapping[str, object], names: Collection[str], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in contact.items():
        inner = _without(value, names, f"{prefix}{key}.") if isinstance(value, Mapping) else value
        if f"{prefix}{key}" not in names and inner != {}:
            found[key] = inner
    return found


def _over(base: Mapping[str, object], wanted: Mapping[str, object]) -> dict[str, object]:
    """Return what has to be laid over defaults to give a contact; what only they have becomes blank."""
    found: dict[str, object] = {}
    for key, value in wanted.items():
        below = base.get(key, MISSING)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            if inner := _over(below, value):
                found[key] = inner
        elif below is MISSING or type(below) is not type(value) or below != value:
            found[key] = value
    blank = {key: _blank(value) for key, value in base.items() if key not in wanted and value is not None}
    return {**found, **blank}


def _blank(value: object) -> object:
    return {key: _blank(one) for key, one in value.items()} if isinstance(value, Mapping) else None


def _plain(node: Node) -> object:
    """Return a node as plain values."""
    if isinstance(node, MappingNode):
        return {entry.key.text: _plain(entry.value) for entry in node.entries}
    if isinstance(node, Scalar):
        return node.value
    return [_plain(item) for item in node.items]
