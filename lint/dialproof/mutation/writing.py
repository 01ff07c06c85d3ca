"""Writes the cases that would have noticed what no case notices behind the cases of a file; nothing else in it changes.

Before anything is written the file is read as pytest will read it, and each new case is run: it passes on the rules as
they are, and fails under the mutant that it is for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import TYPE_CHECKING

from dialproof.analysis.answers import WitnessError
from dialproof.cel.values import MISSING, number_text, read_text
from dialproof.compare import differences
from dialproof.errors import InputError, UsageError
from dialproof.model.parse_contacts import parse_contacts
from dialproof.mutation.cases import unlike
from dialproof.output.masking import PERSONAL_CONTEXT, personal_columns
from dialproof.output.report import printable
from dialproof.output.witness import flat
from dialproof.source import Mapping as MappingNode
from dialproof.source import Scalar, Sequence, read_source
from dialproof.source.scalar_text import double_quoted, is_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from dialproof.model.contacts import ContactsFile, Expect
    from dialproof.mutation.mutants import Mutant
    from dialproof.mutation.run import MutationRun, Survivor
    from dialproof.source import Node

__all__ = ["Written", "with_cases"]

TAG = "review"
"""The tag of the cases that are written: ``pytest -k review`` finds them."""

_COMMENT = (
    "`dialproof mutate` wrote this case, because no other notices when {}. It expects what the rules do now: if that "
    "is what is meant, drop the tag."
)
_WIDTH = 118
_NAME = 140
_SAID = 3
_LAST_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class Written:
    """A file with new cases: its content, and how many there are."""

    content: bytes
    cases: int


@dataclass(frozen=True, slots=True)
class _Draft:
    name: str
    mutant: Mutant
    survivor: Survivor
    expect: Expect


def with_cases(run: MutationRun, path: Path, display: str, before: bytes | None, target: str) -> Written:
    """Return a contacts file with the cases that the survivors of a run lack.

    ``before`` is the file as it is, None for a new one, which then begins with the line ``target`` (``rules: FILE`` or
    ``campaign: ID``). Raises :class:`UsageError` where cases cannot be put behind the others, and ``InputError`` for a
    file that cannot be read.
    """
    if before is None:
        drafts = _drafts(run, ())
        lines = [target, "cases:", *(line for draft in drafts for line in _case(draft, {}, None, "  "))]
        content = "".join(f"{line}\n" for line in lines).encode() if drafts else b""
    else:
        content, drafts = _appended(run, path, display, before)
    if drafts:
        _prove(run, drafts, path, display, content)
    return Written(content, len(drafts))


def _appended(run: MutationRun, path: Path, display: str, before: bytes) -> tuple[bytes, list[_Draft]]:
    source = read_source(path, display, before)
    file, problems = parse_contacts(source)
    if file is None or not isinstance(source.root, MappingNode):
        raise InputError("\n".join(map(str, problems)))
    cases = source.root.get("cases")
    if not isinstance(cases, Sequence):
        raise UsageError(f"{display}: has no cases that more can be added to; name another file, or a new one")
    text, start = source.text, cases.items[0].start_offset
    line = text.rfind("\n", 0, start) + 1
    indent = text[line:start].partition("-")[0]
    if text[cases.start_offset] == "[" or indent.strip():
        raise UsageError(f"{display}: cases can be added to a list with a case a line (- name: ...), or to a new file")
    defaults = source.root.get("defaults")
    base = _plain(defaults) if isinstance(defaults, MappingNode) else {}
    assert isinstance(base, dict)
    drafts = _drafts(run, [case.name for case in file.tests])
    lines = [line for draft in drafts for line in ("", *_case(draft, base, file, indent))]
    found = _LAST_LINE.match(text, cases.items[-1].end_offset)
    end = found.end() if found else len(text)
    opening = "" if text[:end].endswith(("\n", "\r")) else "\n"
    break_ = "\r\n" if "\r\n" in text else "\n"
    added = opening + "".join(f"{line}\n" for line in lines)
    changed = text[:end] + added.replace("\n", break_) + text[end:]
    bom = before[: before.index(text[:1].encode())] if before.startswith(b"\xef\xbb\xbf") else b""
    return bom + changed.encode(), drafts


def _drafts(run: MutationRun, taken: Collection[str]) -> list[_Draft]:
    """Return one case for each survivor that no earlier one of them notices."""
    names = set(taken)
    drafts: list[_Draft] = []
    for one in run.tried:
        survivor = one.survivor
        if one.fate != "survived" or survivor is None or any(_notices(run, draft, survivor) for draft in drafts):
            continue
        scene, expect = survivor.difference.scene, survivor.expect
        same = next((i for i, d in enumerate(drafts) if d.survivor.difference.scene == scene), None)
        if same is not None and expect.actions is not None:  # the same contact, and more of it
            drafts[same] = replace(drafts[same], expect=expect)
            continue
        name = _free(_name(run, one.mutant, survivor), names)
        names.add(name)
        drafts.append(_Draft(name, one.mutant, survivor, expect))
    return drafts


def _notices(run: MutationRun, draft: _Draft, survivor: Survivor) -> bool:
    difference = draft.survivor.difference
    scene = difference.scene
    outcome = survivor.changed.run(scene.contact, category=difference.category, context=scene.context, now=scene.now)
    return bool(differences(draft.expect, outcome, run.campaign))


def _name(run: MutationRun, mutant: Mutant, survivor: Survivor) -> str:
    """Return a name that says which rule and which values a case is about, without personal ones."""
    about = run.campaign.id if mutant.rule is None else mutant.rule.name
    hidden = {*personal_columns(run.campaign.contact_list), *PERSONAL_CONTEXT}
    scene = survivor.difference.scene
    model: tuple[Mapping[str, object], Mapping[str, object]] = ({}, {})
    if survivor.model is not None:
        model = survivor.model.case.contact, survivor.model.case.context
    unusual = [*unlike(scene.contact, model[0]), *unlike(scene.context, model[1])]
    said = [f"{name} {read_text(value) or 'blank'}" for name, value in unusual if name not in hidden]
    name = f"{about} with {' and '.join(said[:_SAID])}" if said else f"what {about} does"
    return name.replace("::", ":")[:_NAME]


def _free(name: str, taken: Collection[str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found


def _prove(run: MutationRun, drafts: Collection[_Draft], path: Path, display: str, content: bytes) -> None:
    """Raise where a new case, as it will be read, does not pass now and fail under its mutant."""
    file, problems = parse_contacts(read_source(path, display, content))
    cases = {case.name: case for case in file.cases} if file is not None else {}
    for draft in drafts:
        case = cases.get(draft.name)
        if case is None or file is None:
            raise WitnessError(f"a written case cannot be read: {'; '.join(map(str, problems))}")
        options = file.run_options(case)
        for evaluator, fails in ((run.evaluator, False), (draft.survivor.changed, True)):
            outcome = evaluator.run(case.contact, **options)
            if bool(differences(case.expect, outcome, run.campaign)) is not fails:
                raise WitnessError("a written case does not tell its mutant from the rules")


# Text.


def _case(draft: _Draft, defaults: Mapping[str, object], file: ContactsFile | None, indent: str) -> Iterator[str]:
    difference = draft.survivor.difference
    scene = difference.scene
    for line in wrap(_COMMENT.format(printable(draft.mutant.text)), _WIDTH - len(indent) - 2, break_on_hyphens=False):
        yield f"{indent}# {line}"
    yield f"{indent}- name: {_scalar(draft.name)}"
    inside = f"{indent}  "
    yield f"{inside}tags: [{TAG}]"
    if difference.category != defaults.get("category", "preCall"):
        yield f"{inside}category: {difference.category}"
    if draft.survivor.reads_clock:
        yield f"{inside}now: {scene.now}"
    if file is not None and file.time_zone not in (None, "UTC"):
        yield f"{inside}timeZone: UTC"
    for key, wanted in (("contact", scene.contact), ("context", scene.context)):
        base = defaults.get(key, {})
        assert isinstance(base, Mapping)
        over = _over(base, _written_as(base, wanted))
        if over:
            yield from _mapping(key, over, inside)
    yield f"{inside}expect:"
    yield from _expect(draft.expect, f"{inside}  ")


def _expect(expect: Expect, indent: str) -> Iterator[str]:
    for key, names in (("matched", expect.matched), ("undecided", expect.undecided)):
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
